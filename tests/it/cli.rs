//! The command line as people use it, on the repository's own workspace and on small ones.

use std::path::{Path, PathBuf};

use crate::support::{
    cli::{loa, was_taken},
    workspace::Folder,
};

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn the_sample_workspace_is_good() {
    let said = loa(&sample(), &["check"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    assert!(said.out.contains("25 phường xã, 77 kênh"), "{}", said.out);
}

#[test]
fn a_mistake_is_a_finding_with_its_place() {
    let folder = Folder::small();
    folder.write(
        "schedules/lich.yaml",
        "schedules:\n  a:\n    when: { at: [\"25:00\"], days: [mon] }\n",
    );
    let said = loa(&folder.path(), &["check"]);
    assert_eq!(said.code, 1);
    assert!(
        said.out.contains("schedules/lich.yaml:3:18"),
        "{}",
        said.out
    );
    let said = loa(
        &folder.path(),
        &["check", "--format", "json", "--lang", "en"],
    )
    .json();
    let clock = said
        .as_array()
        .unwrap()
        .iter()
        .find(|found| found["code"] == "L031")
        .unwrap();
    assert_eq!(
        (&clock["line"], &clock["column"]),
        (&3.into(), &18.into()),
        "{said}"
    );
    assert_eq!(
        loa(&folder.path(), &["plan"]).code,
        1,
        "nothing works on mistakes"
    );
}

#[test]
fn preview_shows_every_format_for_every_ward() {
    for format in ["script", "article", "message", "sign"] {
        for ward in ["hung-binh", "hung-hoa", "vinh"] {
            let said = loa(
                &sample(),
                &[
                    "preview",
                    "gia-danh-can-bo-thue",
                    "--ward",
                    ward,
                    "--as",
                    format,
                ],
            );
            assert_eq!(said.code, 0, "{said:?}");
            assert!(
                !said.out.contains("{{") && !said.out.contains("{%"),
                "{}",
                said.out
            );
        }
    }
    let said = loa(
        &sample(),
        &["preview", "gia-danh-can-bo-thue", "--ward", "hung-bin"],
    );
    assert_eq!(said.code, 2);
    assert!(said.err.contains("hung-binh"), "{}", said.err);
}

#[test]
fn plan_lists_a_day_of_the_sample_inside_its_hours() {
    let arguments = [
        "plan",
        "--from",
        "2024-03-25",
        "--to",
        "2024-03-26",
        "--format",
        "json",
    ];
    let plan = loa(&sample(), &arguments).json();
    let rows = plan.as_array().unwrap();
    assert_eq!(
        rows.iter()
            .filter(|row| row["kind"] == "loudspeaker")
            .count(),
        100,
        "fifty clusters, twice"
    );
    for row in rows.iter().filter(|row| row["kind"] == "loudspeaker") {
        let due = row["due"].as_str().unwrap();
        let inside = ("2024-03-25T05:30:00+07:00".."2024-03-25T07:00:00+07:00").contains(&due)
            || ("2024-03-25T16:30:00+07:00".."2024-03-25T18:30:00+07:00").contains(&due);
        assert!(inside, "{due}");
    }
    let ward = loa(
        &sample(),
        &[&arguments[..], &["--ward", "hung-binh"]].concat(),
    )
    .json();
    assert_eq!(
        ward.as_array().unwrap().len(),
        5,
        "two clusters twice, one website"
    );
    let text = loa(
        &sample(),
        &[
            "plan",
            "--from",
            "2024-03-25",
            "--to",
            "2024-03-26",
            "--channel",
            "oa-thanh-pho",
        ],
    );
    assert!(text.out.contains("Thứ Hai 25/03/2024"), "{}", text.out);
}

#[test]
fn a_simulated_morning_from_start_to_verification() {
    let folder = Folder::small();
    let run = loa(
        &folder.path(),
        &[
            "run",
            "--simulate",
            "--no-web",
            "--speed",
            "2000",
            "--until",
            "2024-03-25T06:30",
        ],
    );
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.out
            .contains("25/03/2024 05:30  3 loa · đã nhận · Cảnh giác lời thứ nhất"),
        "{}",
        run.out
    );

    let log = loa(&folder.path(), &["log", "--simulate", "--format", "json"]).json();
    let rows = log.as_array().unwrap();
    assert_eq!(rows.len(), 6);
    for field in [
        "delivery",
        "schedule",
        "bulletin",
        "ward",
        "channel",
        "due",
        "state",
        "reason",
        "attempts",
        "accepted_at",
        "evidence",
        "content_hash",
    ] {
        assert!(
            rows.iter().all(|row| row.get(field).is_some()),
            "{field} is missing"
        );
    }
    let loudspeaker = loa(
        &folder.path(),
        &[
            "log",
            "--simulate",
            "--ward",
            "le-loi",
            "--state",
            "accepted",
        ],
    );
    assert!(
        loudspeaker.out.contains("Cụm loa 1 Lê Lợi") && !loudspeaker.out.contains("Hưng Bình"),
        "{}",
        loudspeaker.out
    );

    let verify = loa(
        &folder.path(),
        &["verify", "--simulate", "--format", "json"],
    );
    assert_eq!(verify.code, 0, "{verify:?}");
    // Two websites were asked afterwards.
    let account = &verify.json()["account"];
    assert_eq!(
        (&account["accepted"], &account["confirmed"]),
        (&4.into(), &2.into())
    );

    // The simulated world has a database of its own, and the real one has not heard of any of this.
    let real = loa(&folder.path(), &["log", "--format", "json"]);
    assert_eq!((real.code, real.out.as_str()), (2, ""), "{real:?}");
    let mixed = format!(
        "sqlite:{}",
        folder.path().join(".loa/simulated.db").display()
    );
    let refused = loa(&folder.path(), &["log", "--database", &mixed]);
    assert_eq!(
        refused.code, 2,
        "a simulated database is never taken for a real one: {refused:?}"
    );
}

#[test]
fn a_restarted_simulation_goes_on_where_it_was() {
    let folder = Folder::small();
    let run = |until: &str| {
        loa(
            &folder.path(),
            &[
                "run",
                "--simulate",
                "--no-web",
                "--speed",
                "2000",
                "--until",
                until,
            ],
        )
    };
    assert_eq!(run("2024-03-25T05:45").code, 0);
    assert_eq!(run("2024-03-25T06:30").code, 0);
    let rows = loa(&folder.path(), &["log", "--simulate", "--format", "json"]).json();
    let taken = rows.as_array().unwrap().iter().filter(|row| was_taken(row));
    assert_eq!(taken.count(), 6, "{rows}");
}

#[test]
fn a_bulletin_is_sent_by_hand_by_a_named_person() {
    let folder = Folder::small();
    let start = |until: &str| {
        loa(
            &folder.path(),
            &[
                "run",
                "--simulate",
                "--no-web",
                "--speed",
                "500",
                "--until",
                until,
            ],
        )
    };
    assert_eq!(start("2024-03-25T05:05").code, 0);
    let send = |to: &str, by: &str| {
        loa(
            &folder.path(),
            &[
                "send",
                "hai",
                "--simulate",
                "--to",
                to,
                "--by",
                by,
                "--reason",
                "Dân hỏi nhiều",
                "--format",
                "json",
            ],
        )
    };
    assert_eq!(
        send("ward:hung-bin", "Lan").code,
        2,
        "a ward that does not exist"
    );
    assert_eq!(send("kind:sign", "Lan").code, 2, "no such channel");
    assert_eq!(send("all", " ").code, 2, "nobody");
    let sent = send("ward:hung-binh,kind:loudspeaker", "Lan");
    assert_eq!(
        sent.json()["deliveries"].as_array().unwrap().len(),
        2,
        "{sent:?}"
    );
    assert_eq!(start("2024-03-25T05:10").code, 0);
    let rows = loa(&folder.path(), &["log", "--simulate", "--format", "json"]).json();
    let by_hand: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["schedule"].as_str().unwrap().starts_with("send."))
        .collect();
    assert_eq!(by_hand.len(), 2);
    assert!(
        by_hand
            .iter()
            .all(|row| row["state"] == "accepted" && row["bulletin"] == "hai"),
        "{rows}"
    );
}

#[test]
fn channels_are_probed_without_being_heard() {
    let said = loa(
        &Folder::small().path(),
        &["channels", "--probe", "--simulate", "--format", "json"],
    );
    assert_eq!(said.code, 0, "{said:?}");
    let rows = said.json();
    let health = |channel: &str| {
        let row = rows
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["channel"] == channel)
            .unwrap()
            .clone();
        row["health"].as_str().unwrap().to_owned()
    };
    assert_eq!(health("loa-hb-1"), "alive");
    assert_eq!(health("web-hb"), "alive");
    assert_eq!(health("oa-vinh"), "cannot-be-asked");
}

#[test]
fn a_channel_whose_secret_is_missing_is_told_by_its_name() {
    let said = loa(
        &Folder::small().path(),
        &["channels", "--probe", "--format", "json"],
    );
    assert_eq!(said.code, 1, "{said:?}");
    let rows = said.json();
    let rows = rows.as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["channel"] == "loa-hb-1")
        .unwrap();
    assert_eq!(
        (&row["health"], &row["reason"]),
        (&"dead".into(), &"unwritable".into())
    );
    assert!(row["detail"].as_str().unwrap().contains("LOA_T1"), "{row}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = Folder::small();
    let missing = folder.path().join("khong-co");
    for arguments in [&["check"][..], &["log"], &["speech", "read", "a"]] {
        let said = loa(&missing, arguments);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
        let expected = format!("Không có thư mục {}", missing.display());
        assert!(said.err.contains(&expected), "{said:?}");
    }
}

#[test]
fn cron_lines_are_said_and_listed() {
    let said = loa(
        &sample(),
        &[
            "cron",
            "30 5 * * 1-5",
            "--from",
            "2024-03-25",
            "-n",
            "2",
            "--format",
            "json",
        ],
    )
    .json();
    assert_eq!(said["next"].as_array().unwrap().len(), 2, "{said}");
    assert!(
        said["next"][0]["at"]
            .as_str()
            .unwrap()
            .starts_with("2024-03-25T05:30"),
        "{said}"
    );
    let wrong = loa(&sample(), &["cron", "61 5 * * *"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.err.contains("61"), "{}", wrong.err);
}

#[test]
fn wrong_usage_is_not_a_finding() {
    for arguments in [
        &["nonsense"][..],
        &["log", "--state", "happy"],
        &["run", "--speed", "5"],
        &["preview"],
    ] {
        assert_eq!(loa(&sample(), arguments).code, 2, "{arguments:?}");
    }
    assert_eq!(loa(&sample(), &["--help"]).code, 0);
}

#[test]
fn speech_read_says_how_a_text_sounds_and_what_no_voice_could_say() {
    let said = loa(
        &sample(),
        &[
            "speech",
            "read",
            "UBND P. Hưng Bình họp lúc 8h30",
            "--explain",
        ],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out
            .starts_with("Ủy ban nhân dân phường Hưng Bình họp lúc tám giờ ba mươi\n"),
        "{}",
        said.out
    );
    assert!(said.out.contains("time"), "{}", said.out);
    let json = loa(
        &sample(),
        &["speech", "read", "nộp GHXKL ngày 12/3", "--format", "json"],
    );
    assert_eq!(json.code, 1);
    let json = json.json();
    assert_eq!(
        (&json["problems"][0]["kind"], &json["problems"][0]["start"]),
        (&"unknown-abbreviation".into(), &4.into()),
        "{json}"
    );
    assert_eq!(
        (&json["changes"][1]["rule"], &json["changes"][1]["to"]),
        (&"date".into(), &"mười hai tháng ba".into()),
        "{json}"
    );
    let south = loa(
        &sample(),
        &[
            "speech",
            "read",
            "101",
            "--dialect",
            "south",
            "--rate",
            "120",
        ],
    );
    assert_eq!(south.out.trim_end(), "một trăm lẻ một");
    assert_eq!(
        loa(&sample(), &["speech", "read", "a", "--rate", "9"]).code,
        2
    );
}

#[test]
fn a_log_of_what_does_not_exist_is_refused_and_not_empty() {
    let folder = Folder::small();
    // Whoever pauses makes the workspace's own database.
    let because = ["--by", "Mai", "--reason", "Lễ tang", "--simulate"];
    let paused = loa(
        &folder.path(),
        &[&["pause", "topic:gia-danh", "--until", "+1h"], &because[..]].concat(),
    );
    assert_eq!(paused.code, 0, "{paused:?}");
    for (option, wrong, near) in [
        ("--ward", "hung-bin", "hung-binh"),
        ("--channel", "loa-hb-3", "loa-hb-"),
        ("--schedule", "loa-san", "loa-sang"),
        ("--ward", "Hưng Bìn", "hung-binh"),
    ] {
        let said = loa(&folder.path(), &["log", "--simulate", option, wrong]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
        assert!(said.err.contains(near), "{said:?}");
    }
    for name in [
        "hung-binh",
        "Hưng Bình",
        "phường hưng bình",
        "PHUONG HUNG BINH",
    ] {
        let said = loa(&folder.path(), &["log", "--simulate", "--ward", name]);
        assert_eq!(said.code, 0, "{said:?}");
    }
}

#[test]
fn a_name_means_the_same_to_every_command() {
    let folder = Folder::small();
    let json = |arguments: &[&str]| {
        let range = ["--format", "json"];
        let said = loa(&folder.path(), &[arguments, &range].concat());
        assert_eq!(said.code, 0, "{said:?}");
        said.json()
    };
    let wards = |ward| {
        let range = ["--from", "2024-03-25", "--to", "2024-03-26"];
        json(&[&["plan", "--ward", ward], &range[..]].concat())
    };
    let plan = wards("Hưng Bình");
    assert!(!plan.as_array().unwrap().is_empty());
    assert_eq!(plan, wards("hung-binh"));
    let preview = json(&["preview", "mot", "--ward", "hưng bình", "--as", "message"]);
    assert_eq!(preview["ward"], "hung-binh");
    assert_eq!(
        json(&["policy", "--ward", "Hưng Bình"])["ward"],
        "hung-binh"
    );
}

#[test]
fn usage_is_said_in_the_readers_language() {
    let folder = Folder::small();
    for (arguments, words) in [
        (
            &["log", "--wrd", "x"][..],
            "không có tùy chọn `--wrd` ở lệnh này. Có phải là `--ward`?",
        ),
        (&["lgo"], "không có lệnh `lgo`. Có phải là `log`?"),
        (&["preview", "mot"], "còn thiếu: --ward"),
        (&["log", "--ward"], "còn thiếu giá trị"),
        (
            &["log", "--state", "xong"],
            "`xong` không dùng được cho `--state",
        ),
        (&["cron", "0 5 * * *", "-n", "0"], "`0` không dùng được"),
        (
            &["log", "--lang", "fr"],
            "`fr` không dùng được cho `--lang <LANG>`. Các giá trị có thể dùng: vi, en.",
        ),
        (&["log", "--limit", "abc"], "Cần một số nguyên, ví dụ 20."),
        (
            &["resume", "x", "--by", "Mai", "--reason", "Xong"],
            "Cần một số nguyên",
        ),
        (
            &["contacts", "list", "--on", "hôm nay"],
            "Cần một ngày, viết như 2024-03-25.",
        ),
        (
            &["simulate", "--listen", "localhost"],
            "Cần địa chỉ và cổng",
        ),
        (
            &["simulate", "--listen", "0.0.0.0:0"],
            "phải ở chính máy này; 0.0.0.0:0 thì không",
        ),
        (
            &["check", "--dir", ".", "--dir", "."],
            "`--dir <DIR>` chỉ ghi một lần.",
        ),
        (
            &["reconcile", "x", "--by", "Mai"],
            "--heard (đã nghe) hoặc --not-heard (không nghe)",
        ),
        (
            &["reconcile", "x", "--by", "Mai", "--heard", "--not-heard"],
            "không đi cùng",
        ),
    ] {
        let said = loa(&folder.path(), arguments);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(words), "{said:?}");
    }
    let help = loa(&folder.path(), &["log", "--help"]);
    assert_eq!(help.code, 0);
    for words in [
        "Cách dùng: loa log [TÙY CHỌN]",
        "Tùy chọn",
        "Chỉ phường, xã này",
        "[mặc định: vi]",
    ] {
        assert!(help.out.contains(words), "{}", help.out);
    }
    for words in ["Usage", "Options", "OPTIONS", "[default", "Print help"] {
        assert!(!help.out.contains(words), "{}", help.out);
    }
    let english = loa(&folder.path(), &["lgo", "--lang", "en"]);
    assert!(
        english
            .err
            .contains("there is no command `lgo`. Did you mean `log`?"),
        "{english:?}"
    );
}
