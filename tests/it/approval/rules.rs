//! The rules of approval at the command line: what a version covers, who may decide, and what an approver is shown.

use super::{Desk, HOA, MAI, MOT};
use crate::support::{
    cli::{loa, was_taken},
    workspace::Folder,
};

/// A folder that wants approval, and a database of its own.
fn alone() -> (Folder, String) {
    let folder = Folder::small();
    folder.wants_approval();
    let database = folder.sqlite();
    (folder, database)
}

#[test]
fn one_changed_byte_wants_approval_again() {
    let (folder, database) = alone();
    let desk = Desk {
        folder: &folder,
        database: &database,
    };
    folder.write("content/templates/chao.tera", "Chào {{ ward.short }}.");
    folder.edit(MOT, "message: \"", "message: \"{% include 'chao.tera' %} ");
    assert_eq!(desk.state("mot"), "waiting");
    let edits = [
        (MOT, "Cảnh giác lời", "Cảnh giác Lời", "title"),
        (MOT, "topic: gia-danh", "topic: gia-danh # x", "a comment"),
        (MOT, "Thưa bà con", "Thưa  bà con", "a space"),
        (MOT, "until: 2024-12-31", "until: 2024-12-30", "a day"),
        (
            MOT,
            "editors: [Lê Văn Tám]",
            "editors: [Lê Văn Bảy]",
            "an editor",
        ),
        ("content/templates/chao.tera", "Chào", "Chao", "a template"),
        ("content/contacts.yaml", "Báo tin", "Báo tin.", "a contact"),
        (
            "content/contacts.yaml",
            "by: \"Công văn\"",
            "by: \"Công văn 2\"",
            "a verification",
        ),
        (
            "channels/wards.yaml",
            "name: Hưng Bình",
            "name: Hưng Binh",
            "a ward's name",
        ),
        ("content/topics.yaml", "Giả danh", "Gỉa danh", "a topic"),
        ("loa.yaml", "tỉnh Nghệ An", "tỉnh Nghệ an", "the province"),
    ];
    for (path, old, new, what) in edits {
        let said = desk.approve("mot", MAI);
        assert_eq!(said.code, 0, "{what}: {said:?}");
        assert_eq!(desk.state("mot"), "approved", "{what}");
        let before = desk.hash("mot");
        folder.edit(path, old, new);
        assert_ne!(desk.hash("mot"), before, "{what}");
        assert_eq!(desk.state("mot"), "waiting", "{what}");
        let stale = desk.says(&["approve", "mot", "--by", HOA, "--hash", &before]);
        assert_eq!(stale.code, 2, "{what}: {stale:?}");
    }
    // What it does not use is none of its business.
    assert_eq!(desk.approve("mot", MAI).code, 0);
    folder.write("content/templates/khac.tera", "Khác.");
    folder.edit("content/bulletins/hai.yaml", "lời thứ hai", "lời thứ ba");
    assert_eq!(desk.state("mot"), "approved");
}

#[test]
fn schedules_want_approval_again_too() {
    let (folder, database) = alone();
    let desk = Desk {
        folder: &folder,
        database: &database,
    };
    let schedules = "schedules/lich.yaml";
    let edits = [
        (schedules, "at: [\"05:30\"]", "at: [\"05:31\"]"),
        (schedules, "deadline: 10m", "deadline: 11m"),
        (schedules, "only: [mot]", "only: [hai]"),
        (
            schedules,
            "to: { kind: loudspeaker }",
            "to: { kind: loudspeaker, except: [loa-ll-1] }",
        ),
        ("channels/kenh.yaml", "http://10.0.0.1", "http://10.0.0.8"),
        (
            "channels/recipes/loudspeaker-http.yaml",
            "{{ message.spoken }}",
            "{{ message.spoken }}!",
        ),
    ];
    for (path, old, new) in edits {
        let said = desk.approve("loa-sang", MAI);
        assert_eq!(said.code, 0, "{new}: {said:?}");
        assert_eq!(desk.state("loa-sang"), "approved");
        folder.edit(path, old, new);
        assert_eq!(desk.state("loa-sang"), "waiting", "{new}");
    }
    let said = desk.says(&["diff", "loa-sang"]);
    assert!(
        said.out.contains("loudspeaker-http"),
        "the channels whose recipe changed: {}",
        said.out
    );
}

#[test]
fn a_channels_name_belongs_to_the_version_where_it_is_sent() {
    let (folder, database) = alone();
    let desk = Desk {
        folder: &folder,
        database: &database,
    };
    let (channels, recipe) = (
        "channels/kenh.yaml",
        "channels/recipes/loudspeaker-http.yaml",
    );
    for schedule in ["loa-sang", "oa"] {
        assert_eq!(desk.approve(schedule, MAI).code, 0);
    }
    // No recipe here says how a loudspeaker is called; it is a label for staff.
    folder.edit(channels, "Cụm loa 1 Hưng Bình", "Cụm loa chợ");
    assert_eq!(desk.state("loa-sang"), "approved");
    // A webhook always does.
    folder.edit(channels, "OA thành phố", "OA của phường");
    assert_eq!(desk.state("oa"), "waiting");
    let said = desk.says(&["diff", "oa"]);
    assert!(said.out.contains("OA của phường"), "{}", said.out);
    // Nor may anybody rename what a recipe says.
    let spoken = "{{ message.spoken }}";
    folder.edit(
        recipe,
        spoken,
        "{{ channel['name'] }}. {{ message.spoken }}",
    );
    assert_eq!(desk.approve("loa-sang", MAI).code, 0);
    folder.edit(channels, "Cụm loa chợ", "Gọi 0912 345 678");
    assert_eq!(desk.state("loa-sang"), "waiting");
}

#[test]
fn who_may_and_who_may_not() {
    let (folder, database) = alone();
    let desk = Desk {
        folder: &folder,
        database: &database,
    };
    let hash = desk.hash("mot");
    let no = |by: &str, hash: &str, words: &str| {
        let said = desk.says(&["approve", "mot", "--by", by, "--hash", hash]);
        assert_eq!(said.code, 2, "{by:?}: {said:?}");
        assert!(said.err.contains(words), "{by:?}: {}", said.err);
    };
    // The editor is an approver otherwise, and stays an editor in any spelling.
    for editor in [
        "Lê Văn Tám",
        "LÊ VĂN TÁM",
        "lê văn  tám",
        " Le\u{302} Va\u{306}n Ta\u{301}m ",
        "Lê\u{a0}Văn\u{200b} Tám",
    ] {
        no(editor, &hash, "người biên tập");
    }
    no("Ai đó", &hash, "không có trong danh sách");
    // A Cyrillic letter makes no approver.
    no(
        "Tr\u{1ea7}n Th\u{1ecb} M\u{430}i",
        &hash,
        "không có trong danh sách",
    );
    no(MAI, "", "loa diff mot");
    no(MAI, &hash[..11], "12");
    no(MAI, &"0".repeat(64), "đã thay đổi");

    // Nor does anything around the name.
    let mut before = "[Lê Văn Tám]".to_owned();
    for around in [
        "Ông Lê Văn Tám",
        "Lê Văn Tám (Trưởng phòng)",
        "L. Văn Tám",
        "Lê-Văn-Tám.",
        "Hồ Sáu, Lê Văn Tám",
    ] {
        let now = format!("[\"{around}\"] # {around}");
        folder.edit(
            MOT,
            &format!("editors: {before}"),
            &format!("editors: {now}"),
        );
        no("Lê Văn Tám", &desk.hash("mot"), "người biên tập");
        let may = desk.status("mot")["may_approve"].to_string();
        assert!(!may.contains("Tám") && may.contains(MAI), "{may}");
        before = now;
    }
    folder.edit(MOT, &format!("editors: {before}"), "editors: [Lê Văn Tám]");

    // Taking the own name out of the file makes nobody else of its editor.
    folder.edit(MOT, "editors: [Lê Văn Tám]", "editors: [Lê Văn Bảy]");
    let hash = desk.hash("mot");
    no("Lê Văn Tám", &hash, "người biên tập");
    let may = desk.says(&["status", "mot", "--format", "json"]);
    assert!(may.out.contains(MAI), "{}", may.out);
    assert_eq!(may.out.matches("Lê Văn Tám").count(), 0, "{}", may.out);
    folder.edit(MOT, "editors: [Lê Văn Bảy]", "editors: [Lê Văn Tám]");

    folder.edit(MOT, "editors: [Lê Văn Tám]\n", "");
    let hash = desk.hash("mot");
    no(MAI, &hash, "editors:");
    assert_eq!(desk.state("mot"), "no-editors");

    folder.edit(
        MOT,
        "priority: normal",
        "priority: emergency\neditors: [Lê Văn Tám]",
    );
    let half = desk.approve("mot", MAI);
    assert_eq!(half.code, 0, "{half:?}");
    assert_eq!(desk.state("mot"), "waiting");
    let hash = desk.hash("mot");
    for again in [
        MAI,
        "TRẦN THỊ MAI",
        "trần  thị mai",
        "Tra\u{302}\u{300}n Thi\u{323} Mai",
    ] {
        no(again, &hash, "cần thêm một người khác");
    }
    let waits = desk.status("mot");
    assert_eq!(waits["may_approve"], serde_json::json!([HOA]));
    assert_eq!(desk.approve("mot", HOA).code, 0);
    assert_eq!(desk.state("mot"), "approved");
}

#[test]
fn the_approver_sees_exactly_what_changed() {
    let (folder, database) = alone();
    let desk = Desk {
        folder: &folder,
        database: &database,
    };
    let first = desk.says(&["diff", "mot"]);
    assert!(
        first.out.contains("Chưa có phiên bản nào được duyệt"),
        "{}",
        first.out
    );
    assert!(
        first.out.contains("Thưa bà con ⟦…⟧. lời thứ nhất."),
        "{}",
        first.out
    );
    assert_eq!(desk.approve("mot", MAI).code, 0);
    folder.edit(MOT, "lời thứ nhất", "lời thứ nhì");
    let said = desk.says(&["diff", "mot"]);
    let changed = "Thưa bà con ⟦…⟧. lời thứ [-nhất-]{+nhì+}.";
    assert_eq!(
        said.out.matches(changed).count(),
        1,
        "once for all wards: {}",
        said.out
    );
    assert!(said.out.contains(&desk.hash("mot")), "{}", said.out);
    let json = desk.says(&["diff", "mot", "--format", "json"]).json();
    let words = json["words"].as_array().unwrap();
    // Every format and the correction in every format, all wards together.
    assert_eq!(words.len(), 8, "{json:#}");
    assert!(
        words
            .iter()
            .all(|change| change["wards"].as_array().unwrap().len() == 3)
    );
    // A ward that gets another name is told of by its name.
    assert_eq!(desk.approve("mot", MAI).code, 0);
    folder.edit("channels/wards.yaml", "name: Lê Lợi", "name: Lê Lai");
    let said = desk.says(&["diff", "mot"]);
    assert!(
        said.out.contains("phường Lê [-Lợi-]{+Lai+}"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("Hưng Bình"), "{}", said.out);
    // What only looks like a contact is the approver's to judge.
    folder.edit(
        MOT,
        "contacts: [cong-an]",
        "contacts: [cong-an]\nnot_contacts: [{ text: 1900 2024, reason: Khoảng năm }]",
    );
    folder.edit(MOT, "script: |\n", "script: |\n  Từ 1900 2024.\n");
    let said = desk.says(&["diff", "mot"]);
    assert!(
        said.out.contains("“1900 2024” – Khoảng năm"),
        "{}",
        said.out
    );
    let json = desk.says(&["diff", "mot", "--format", "json"]).json();
    assert_eq!(
        json["not_contacts"],
        serde_json::json!([{ "text": "1900 2024", "reason": "Khoảng năm" }])
    );
    // What nobody hears is shown, too.
    assert_eq!(desk.approve("mot", MAI).code, 0);
    folder.edit("content/contacts.yaml", "Báo tin", "Báo tin nhanh");
    let said = desk.says(&["diff", "mot"]);
    assert!(
        said.out.contains("Đầu mối cong-an")
            && said
                .out
                .contains("+ Công an thành phố Vinh | – | office | Công an | Báo tin nhanh"),
        "{}",
        said.out
    );
}

#[test]
fn unapproved_words_are_not_sent_by_hand() {
    let (folder, database) = alone();
    let desk = Desk {
        folder: &folder,
        database: &database,
    };
    let send = || desk.says(&["send", "mot", "--to", "all", "--by", MAI, "--reason", "gấp"]);
    let said = send();
    assert_eq!(said.code, 2);
    assert!(said.err.contains("chưa được duyệt"), "{said:?}");
    assert_eq!(desk.approve("mot", MAI).code, 0);
    let said = send();
    assert!(
        said.err.contains("loa run"),
        "approved, but nobody is running: {said:?}"
    );
}

#[test]
fn the_sample_is_approved_in_simulation_and_the_journal_says_so() {
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("s.db").display());
    let world = ["--simulate", "--database", &database];
    let run = ["run", "--no-web", "--speed", "3000", "--until", "+10m"];
    let said = loa(sample, &[&run[..], &world].concat());
    assert_eq!(said.code, 0, "{said:?}");
    let said = loa(
        sample,
        &[&["status", "--all", "--format", "json"][..], &world].concat(),
    );
    assert_eq!(said.code, 0, "{said:?}");
    for row in said.json().as_array().unwrap() {
        let person = row["in_force"]["person"].as_str().unwrap();
        assert!(person.contains("(mô phỏng)"), "{person}");
    }
    let log = loa(sample, &[&["log", "--format", "json"][..], &world].concat()).json();
    let rows = log.as_array().unwrap();
    assert!(!rows.is_empty() && rows.iter().all(was_taken), "{rows:?}");
}

/// A bulletin whose spoken words need readings.
fn with_reading(folder: &Folder) {
    let speech = "abbreviations:\n  TTVH: trung tâm văn hóa\n  KDCS: khu dân cư số\n";
    folder.write("content/speech.yaml", speech);
    folder.edit(MOT, "Thưa bà con", "TTVH thưa bà con");
}

#[test]
fn another_reading_wants_approval_again() {
    let (folder, database) = alone();
    let desk = Desk {
        folder: &folder,
        database: &database,
    };
    with_reading(&folder);
    assert_eq!(desk.approve("mot", MAI).code, 0);
    assert_eq!(desk.approve("hai", MAI).code, 0);
    let seen = desk.hash("mot");
    // A reading that nothing of it is spoken with is none of its business.
    folder.edit("content/speech.yaml", "khu dân cư số", "khu dân cư");
    assert_eq!(desk.state("mot"), "approved");
    folder.edit(
        "content/speech.yaml",
        "trung tâm văn hóa",
        "nhà văn hóa trung tâm",
    );
    assert_eq!(desk.state("mot"), "waiting");
    assert_eq!(desk.state("hai"), "approved");
    let stale = desk.says(&["approve", "mot", "--by", HOA, "--hash", &seen]);
    assert_eq!(stale.code, 2, "{stale:?}");

    // The approver sees what is heard now, word by word, and which reading did it; nothing of it changed in writing.
    let diff = desk.says(&["diff", "mot", "--format", "json"]).json();
    let words = diff["words"].as_array().unwrap();
    assert_eq!(words.len(), 1, "{diff}");
    assert_eq!(words[0]["spoken"], true);
    assert_eq!(words[0]["format"], "script");
    assert_eq!(words[0]["wards"].as_array().unwrap().len(), 3);
    let gone: Vec<_> = words[0]["pieces"].as_array().unwrap().clone();
    let of = |sort: &str| -> String {
        gone.iter()
            .filter_map(|piece| piece[sort].as_str())
            .collect()
    };
    assert!(of("new").contains("nhà"), "{diff}");
    assert!(of("gone").contains("trung"), "{diff}");
    assert!(of("same").contains("thưa bà con"), "{diff}");
    let sources = diff["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 1, "{diff}");
    assert_eq!(
        (&sources[0]["part"], &sources[0]["name"]),
        (&"reading".into(), &"TTVH".into())
    );
    let text = desk.says(&["diff", "mot"]).out;
    assert!(text.contains("đọc thành lời"), "{text}");

    // Another dialect is heard, too.
    assert_eq!(desk.approve("mot", MAI).code, 0);
    folder.edit(MOT, "TTVH thưa", "TTVH báo 101 lần, thưa");
    assert_eq!(desk.approve("mot", MAI).code, 0);
    folder.amend("loa.yaml", "\nspeech: { dialect: south }\n");
    assert_eq!(desk.state("mot"), "waiting");
    assert_eq!(desk.state("hai"), "approved");
}

#[test]
fn what_airs_after_a_return_is_said() {
    let (folder, database) = alone();
    let desk = Desk {
        folder: &folder,
        database: &database,
    };
    let back = |command: &str, json: bool| {
        let base = [command, "mot", "--by", HOA, "--reason", "Sai tên"];
        let format: &[&str] = if json { &["--format", "json"] } else { &[] };
        let said = desk.says(&[&base, format].concat());
        assert_eq!(said.code, 0, "{said:?}");
        said
    };
    assert_eq!(desk.approve("mot", MAI).code, 0);
    let first = desk.hash("mot");
    folder.edit(MOT, "lời thứ nhất", "lời đã sửa");
    let said = back("return", false).out;
    let stays = format!("phiên bản đã duyệt {}", &first[..12]);
    assert!(said.contains(&stays) && said.contains("vẫn phát"), "{said}");

    assert_eq!(desk.approve("mot", MAI).code, 0);
    let said = back("return", true).json();
    assert_eq!(said["airs"], serde_json::Value::Null, "{said}");
    assert_eq!(said["replaced"]["version"], first.as_str(), "{said}");
    assert_eq!(desk.status("mot")["replaced"]["version"], first.as_str());
    assert_eq!(desk.approve("mot", MAI).code, 0);
    let said = back("reject", false).out;
    for told in [said, desk.says(&["status"]).out] {
        assert!(
            told.contains("không phát gì")
                && told.contains(&format!("Phiên bản {}", &first[..12]))
                && told.contains("không tự phát lại"),
            "{told}"
        );
    }
    // As it says: the old words, and somebody's yes.
    folder.edit(MOT, "lời đã sửa", "lời thứ nhất");
    assert_eq!(desk.hash("mot"), first);
    assert_eq!(desk.approve("mot", MAI).code, 0);
    assert_eq!(desk.state("mot"), "approved");
    // Nothing airs meanwhile where that is the rule.
    folder.edit("loa.yaml", "unapproved: last-approved", "unapproved: skip");
    folder.edit(MOT, "lời thứ nhất", "lời khác hẳn");
    let said = back("return", false).out;
    assert!(said.contains("`unapproved: skip`"), "{said}");
}

#[test]
fn everybody_who_approved_is_named_and_nobody_more_is_asked_for() {
    let (folder, database) = alone();
    let desk = Desk {
        folder: &folder,
        database: &database,
    };
    assert_eq!(desk.approve("hai", MAI).code, 0);
    let again = desk.approve("hai", MAI);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(
        again.err.contains("đang có hiệu lực") && !again.err.contains("cần thêm"),
        "{again:?}"
    );
    let more = desk.approve("hai", HOA);
    assert_eq!(more.code, 0, "{more:?}");
    assert!(
        more.out.contains("nay có 2 người") && !more.out.contains("2/1"),
        "{more:?}"
    );
    folder.edit(MOT, "priority: normal", "priority: emergency");
    assert_eq!(desk.approve("mot", MAI).code, 0);
    assert_eq!(desk.approve("mot", HOA).code, 0);
    let said = desk.says(&["status", "mot"]).out;
    assert!(said.contains(MAI) && said.contains(HOA), "{said}");
    assert!(said.contains("2/2"), "{said}");
}
