//! Rules for what is heard, from the file to the loudspeaker: nothing begins or ends outside the hours, whoever wants it, and
//! every refusal names its rule and the document.

use std::time::Duration;

use loa::{
    clock::Clock,
    domain::delivery::{Reason, State},
    simulator::Fault,
};
use serde_json::{Value, json};

use crate::support::{
    city::{Scene, at, fault},
    cli::{Said, loa, was_taken},
    on_both_databases,
    workspace::Folder,
};

const MAI: &str = "Trần Thị Mai";

/// A rule for everywhere, with these lines.
fn rule(lines: &str) -> String {
    format!(
        "rules:\n  khung-gio:\n    name: Khung giờ thử\n    source: {{ document: QĐ 12/QĐ-UBND, date: 2024-03-01 }}\n{lines}"
    )
}

fn write_rule(folder: &Folder, lines: &str) {
    folder.write("schedules/policy.yaml", &rule(lines));
}

fn windows(from: &str, until: &str) -> String {
    format!("    windows: [{{ from: \"{from}\", until: \"{until}\" }}]\n")
}

fn says(folder: &Folder, arguments: &[&str]) -> Said {
    loa(&folder.path(), &[arguments, &["--simulate"]].concat())
}

fn run(folder: &Folder, until: &str) {
    let fixed = ["run", "--no-web", "--speed", "100000", "--until", until];
    let said = says(folder, &fixed);
    assert_eq!(said.code, 0, "{said:?}");
}

fn log(folder: &Folder) -> Vec<Value> {
    let log = says(folder, &["log", "--format", "json"]).json();
    log.as_array().unwrap().clone()
}

/// What was made of one command.
fn sent(folder: &Folder, said: &Value) -> Vec<Value> {
    let mut rows = log(folder);
    rows.retain(|row| row["schedule"] == said["schedule"]);
    rows
}

on_both_databases! {
    async fn no_try_begins_so_late_that_it_would_end_outside(scene: Scene) {
        write_rule(&scene.folder, &windows("05:00", "05:31"));
        let length = {
            let workspace = scene.folder.load();
            let channel = &workspace.channels["loa-hb-1"];
            let id = workspace.bulletins.keys().find(|id| id.as_str() == "mot").unwrap();
            workspace.airtime(id, channel).unwrap()
        };
        let busy = Fault::Status { code: 503, retry_after: None, body: None };
        scene.fault(fault("10.0.0.1", busy, 100)).await;
        let daemon = scene.start("2024-03-25T05:10").await;
        daemon.reach("2024-03-25T05:50").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!(row.state, State::Failed);
        assert!(row.attempts > 1, "it was tried again while there was time");
        assert!(row.is_cut_off(), "{row:?}");
        assert!(matches!(row.reason, Some(Reason::Status | Reason::Busy)), "what the device said: {row:?}");
        let detail = row.detail.unwrap();
        assert!(detail.contains("rule=Khung giờ thử") && detail.contains("QĐ 12/QĐ-UBND"), "and what ended: {detail}");
        let last = at("2024-03-25T05:31") - length;
        assert!(row.deadline <= last + Duration::from_millis(1), "{} {last}", row.deadline);
        let attempts = scene.store().await.attempts(&row.id).await.unwrap();
        for attempt in attempts {
            assert!(attempt.started <= last, "{attempt:?}");
        }
        scene.check().await;
    }

    async fn what_waits_past_the_hours_is_skipped_by_the_rule(scene: Scene) {
        write_rule(&scene.folder, &windows("05:00", "05:31"));
        // Loudspeakers that may be late, by hours.
        scene.folder.edit("schedules/lich.yaml", "missed: skip\n    deadline: 10m", "missed: { late: { within: 6h } }");
        let daemon = scene.start_with(Clock::manual(at("2024-03-25T05:20"))).await;
        daemon.wait(|rows| rows.iter().filter(|row| row.due == at("2024-03-25T05:30")).all(|row| row.state == State::Ready)).await;
        daemon.stop().await;
        let daemon = scene.start("2024-03-25T05:35").await;
        daemon.reach("2024-03-25T05:50").await;
        daemon.stop().await;
        for channel in ["loa-hb-1", "loa-hb-2", "loa-ll-1"] {
            let row = scene.row(channel, "2024-03-25T05:30").await;
            assert_eq!((row.state, row.reason, row.attempts), (State::Skipped, Some(Reason::Policy), 0), "{row:?}");
            let detail = row.detail.unwrap();
            assert!(detail.contains("rule=Khung giờ thử") && detail.contains("QĐ 12/QĐ-UBND"), "{detail}");
        }
        scene.check().await;
    }

    async fn an_emergency_is_heard_outside_the_hours_and_the_journal_says_so(scene: Scene) {
        write_rule(&scene.folder, &format!("{}    exempt: [emergency]\n", windows("06:00", "07:00")));
        scene.folder.edit("content/bulletins/mot.yaml", "priority: normal", "priority: emergency");
        scene.folder.amend("schedules/lich.yaml", "  loa-thuong:\n    when: { at: [\"05:40\"] }\n    bulletins: { only: hai }\n    to: { kind: loudspeaker }\n    missed: skip\n");
        let daemon = scene.start("2024-03-25T05:10").await;
        daemon.reach("2024-03-25T05:50").await;
        // Another revision freezes nothing twice.
        daemon.stop().await;
        let store = scene.store().await;
        for channel in ["loa-hb-1", "loa-hb-2", "loa-ll-1"] {
            let row = scene.row(channel, "2024-03-25T05:30").await;
            assert_eq!(row.state, State::Accepted, "{row:?}");
            let lines = store.journal_rows(Some(&row.id), 100).await.unwrap();
            let outside: Vec<_> = lines.iter().filter(|line| line.event == "outside-hours").collect();
            assert_eq!(outside.len(), 1, "{lines:?}");
            assert!(
                outside[0].detail.starts_with("outside-hours rule=Khung giờ thử; document=QĐ 12/QĐ-UBND, 01/03/2024; from=05:30"),
                "{lines:?}"
            );
            let row = scene.row(channel, "2024-03-25T05:40").await;
            assert_eq!((row.state, row.reason), (State::Skipped, Some(Reason::Policy)), "{row:?}");
            let lines = store.journal_rows(Some(&row.id), 100).await.unwrap();
            assert!(lines.iter().all(|line| line.event != "outside-hours"), "{lines:?}");
        }
        scene.check().await;
    }

    async fn an_emergency_beyond_the_sessions_of_a_day_is_heard_and_the_journal_says_so(scene: Scene) {
        write_rule(&scene.folder, "    sessions: { per_day: 1 }\n    exempt: [emergency]\n");
        scene.folder.edit("content/bulletins/hai.yaml", "priority: normal", "priority: emergency");
        scene.folder.amend("schedules/lich.yaml", "  loa-khan:\n    when: { at: [\"06:30\"] }\n    bulletins: { only: hai }\n    to: { kind: loudspeaker }\n    missed: skip\n");
        let daemon = scene.start("2024-03-25T05:10").await;
        daemon.reach("2024-03-25T06:45").await;
        daemon.stop().await;
        let store = scene.store().await;
        for (due, expected) in [("2024-03-25T05:30", None), ("2024-03-25T06:30", Some("too-many-sessions rule=Khung giờ thử; document=QĐ 12/QĐ-UBND, 01/03/2024; most=1"))] {
            for channel in ["loa-hb-1", "loa-hb-2", "loa-ll-1"] {
                let row = scene.row(channel, due).await;
                assert_eq!(row.state, State::Accepted, "{row:?}");
                let lines = store.journal_rows(Some(&row.id), 100).await.unwrap();
                let beyond: Vec<_> = lines.iter().filter(|line| line.event == "outside-hours").map(|line| line.detail.as_str()).collect();
                assert_eq!(beyond, Vec::from_iter(expected), "{lines:?}");
            }
        }
        scene.check().await;
    }
}

#[test]
fn a_send_outside_the_hours_is_refused_with_the_rule_and_the_next_time() {
    let folder = Folder::small();
    write_rule(&folder, &windows("05:00", "07:00"));
    run(&folder, "2024-03-25T20:00");
    let before = log(&folder).len();
    let send = |to: &str| {
        let by = ["--by", MAI, "--reason", "gấp", "--format", "json"];
        says(&folder, &[&["send", "hai", "--to", to], &by[..]].concat())
    };
    let said = send("kind:loudspeaker");
    assert_eq!(said.code, 2, "{said:?}");
    for words in [
        "Khung giờ thử",
        "QĐ 12/QĐ-UBND, 01/03/2024",
        "từ 20:00",
        "26/03/2024 05:00",
        "phường Hưng Bình, phường Lê Lợi",
    ] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    assert_eq!(log(&folder).len(), before, "nothing was changed");
    let said = send("all").json();
    assert_eq!(said["new"], 3, "websites and chat: {said}");
    let refused = said["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 3);
    for one in refused {
        assert_eq!(one["reason"], "policy");
        assert_eq!(one["permitted_from"], "2024-03-26T05:00:00+07:00");
    }
    let rows = sent(&folder, &said);
    let skipped: Vec<_> = rows
        .iter()
        .filter(|row| row["state"] == "skipped")
        .collect();
    assert_eq!((rows.len(), skipped.len()), (6, 3), "{rows:?}");
    assert!(skipped.iter().all(|row| row["reason"] == "policy"));
}

#[test]
fn what_is_sent_within_the_hours_has_to_be_over_in_time() {
    let folder = Folder::small();
    write_rule(&folder, &windows("05:00", "07:00"));
    run(&folder, "2024-03-25T06:55");
    let said = says(
        &folder,
        &[
            "send",
            "hai",
            "--to",
            "channel:loa-hb-1",
            "--by",
            MAI,
            "--reason",
            "gấp",
            "--format",
            "json",
        ],
    )
    .json();
    assert_eq!(said["refused"], json!([]));
    let row = &sent(&folder, &said)[0];
    let deadline = row["deadline"].as_str().unwrap();
    assert!(
        ("2024-03-25T06:59:40"..="2024-03-25T06:59:59").contains(&&deadline[..19]),
        "not ten minutes, but so that it is over at seven: {deadline}"
    );
}

#[test]
fn a_correction_at_night_waits_for_the_morning_on_loudspeakers_only() {
    let folder = Folder::small();
    folder.wants_approval();
    write_rule(&folder, &windows("05:00", "07:00"));
    run(&folder, "2024-03-25T05:10");
    run(&folder, "2024-03-25T20:00");
    let retract = ["retract", "mot", "--by", MAI, "--reason", "sai tên"];
    let said = says(&folder, &[&retract[..], &["--format", "json"]].concat()).json();
    let later = said["later"].as_array().unwrap();
    assert_eq!(later.len(), 3, "{said}");
    for one in later {
        assert_eq!(one["due"], "2024-03-26T05:00:00+07:00");
    }
    run(&folder, "2024-03-26T05:25");
    let rows = sent(&folder, &said);
    assert!(rows.len() > 3, "{rows:?}");
    for row in rows {
        let is_heard = row["kind"] == "loudspeaker";
        let due = if is_heard {
            "2024-03-26T05:00:00+07:00"
        } else {
            "2024-03-25T20:00:00+07:00"
        };
        assert_eq!(row["due"].as_str(), Some(due), "{row}");
        assert!(was_taken(&row), "{row}");
    }
}

#[test]
fn a_correction_that_uses_up_a_session_says_what_gives_way() {
    let folder = Folder::small();
    folder.amend(
        "schedules/lich.yaml",
        "  loa-chieu:\n    when: { at: [\"17:00\"] }\n    bulletins: { only: [hai] }\n    to: { kind: loudspeaker }\n    missed: skip\n",
    );
    folder.wants_approval();
    // More urgent than what is heard in the evening.
    folder.edit(
        "content/bulletins/mot.yaml",
        "priority: normal",
        "priority: priority",
    );
    write_rule(&folder, "    sessions: { per_day: 2, gap: 5m }\n");
    run(&folder, "2024-03-25T05:10");
    run(&folder, "2024-03-25T09:00");
    let said = says(
        &folder,
        &["retract", "mot", "--by", MAI, "--reason", "sai tên"],
    );
    assert_eq!(said.code, 0, "{said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    let told = "lượt 25/03/2024 17:00 của lịch `loa-chieu` phải lùi lại hoặc không phát";
    let found: Vec<&&str> = lines.iter().filter(|line| line.contains(told)).collect();
    assert_eq!(found.len(), 1, "{said:?}");
    assert!(!said.out.contains("05:30 của lịch"), "{said:?}");

    let fixed = ["run", "--no-web", "--speed", "100000", "--until"];
    let shown = says(&folder, &[&fixed[..], &["2024-03-25T17:30"]].concat());
    assert_eq!(shown.code, 0, "{shown:?}");
    // The run says what the log says: the rule.
    let rows = log(&folder);
    let evening = rows.iter().filter(|row| row["schedule"] == "loa-chieu");
    let evening: Vec<&Value> = evening.collect();
    assert_eq!(evening.len(), 3, "{rows:?}");
    for row in evening {
        assert_eq!(row["state"], "skipped", "{row}");
        let why = row["why"].as_str().unwrap();
        assert!(
            why.contains('2') && shown.out.contains(why),
            "{why}: {shown:?}"
        );
    }
}

#[test]
fn a_rule_belongs_to_the_versions_of_the_schedules_that_are_heard() {
    let folder = Folder::small();
    folder.wants_approval();
    write_rule(&folder, &windows("05:00", "07:00"));
    let version = |id: &str| {
        let said = says(&folder, &["diff", id, "--format", "json"]).json();
        (said["version"].as_str().unwrap().to_owned(), said)
    };
    let (heard, read) = (version("loa-sang").0, version("trang-tin").0);
    let hash = &heard[..12];
    assert_eq!(
        says(
            &folder,
            &["approve", "loa-sang", "--by", MAI, "--hash", hash]
        )
        .code,
        0
    );
    folder.edit("schedules/policy.yaml", "07:00", "07:30");
    let (edited, diff) = version("loa-sang");
    assert_ne!(edited, heard);
    assert_eq!(version("trang-tin").0, read, "nobody hears a website");
    let parts: Vec<_> = diff["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| &source["part"])
        .collect();
    assert_eq!(parts, ["policy"], "{diff}");
    let said = says(&folder, &["diff", "loa-sang"]);
    assert!(
        said.out.contains("Quy định giờ phát") && said.out.contains("07:30"),
        "{}",
        said.out
    );
    // A rule for other wards is none of this schedule's business.
    folder.edit("schedules/policy.yaml", "07:30", "07:00");
    folder.amend("schedules/policy.yaml", "  noi-khac:\n    name: Nơi khác\n    source: { document: QĐ 13, year: 2024 }\n    wards: [vinh]\n    quiet: [{ from: \"21:00\", until: \"05:00\" }]\n");
    assert_eq!(version("loa-sang").0, heard);
}

#[test]
fn a_day_of_a_ward_is_shown_with_its_rules() {
    let folder = Folder::small();
    write_rule(
        &folder,
        &format!(
            "    note: Gần bệnh viện\n    except: [le-loi]\n    valid: {{ until: 2024-03-25 }}\n{}    sessions: {{ per_day: 2, longest: 15m }}\n    exempt: [emergency]\n",
            windows("05:00", "07:00")
        ),
    );
    folder.amend("schedules/policy.yaml", "  dem:\n    name: Ban đêm\n    source: { document: QCVN, year: 2010 }\n    quiet: [{ from: \"21:00\", until: \"05:30\" }]\n");
    let show = |more: &[&str]| {
        let said = says(&folder, &[&["policy", "--ward"], more].concat());
        assert_eq!(said.code, 0, "{said:?}");
        said
    };
    let said = show(&["hung-binh", "--date", "2024-03-25"]).out;
    for words in [
        "05:30–07:00",
        "2 phiên",
        "15m",
        "Khung giờ thử",
        "QĐ 12/QĐ-UBND, 01/03/2024",
        "QCVN, 2010",
        "Gần bệnh viện",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let open = |more: &[&str]| {
        let json = show(&[more, &["--format", "json"]].concat()).json();
        let spans = json["open"].as_array().unwrap().iter();
        let clock = |instant: &Value| instant.as_str().unwrap()[11..16].to_owned();
        spans
            .map(|span| format!("{}-{}", clock(&span["from"]), clock(&span["until"])))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        open(&["hung-binh", "--date", "2024-03-25"]),
        ["05:30-07:00"]
    );
    assert_eq!(
        open(&[
            "hung-binh",
            "--date",
            "2024-03-25",
            "--priority",
            "emergency"
        ]),
        ["05:30-21:00"]
    );
    assert_eq!(
        open(&["hung-binh", "--date", "2024-03-26"]),
        ["05:30-21:00"],
        "the rule is over"
    );
    assert_eq!(open(&["le-loi", "--date", "2024-03-25"]), ["05:30-21:00"]);

    // Whose gap is longer joins more broadcasts to one session.
    let shown = ["hung-binh", "--date", "2024-03-25"];
    let before = show(&[&shown[..], &["--format", "json"]].concat()).json();
    assert_eq!(before["gap_rule"], before["sessions"]["rule"]);
    assert!(!show(&shown).out.contains("tính là một phiên"));
    folder.edit(
        "schedules/policy.yaml",
        "quiet: [{",
        "sessions: { longest_day: 30m, gap: 40m }\n    quiet: [{",
    );
    let json = show(&[&shown[..], &["--format", "json"]].concat()).json();
    assert_eq!(json["gap_seconds"], 2_400.0);
    assert_eq!(json["gap_rule"], "dem");
    let said = show(&shown).out;
    assert!(
        said.contains("dưới 40m tính là một phiên (“Ban đêm”"),
        "{said}"
    );
}

#[test]
fn what_a_rule_keeps_from_waiting_behind_others_is_told_with_both_and_no_mistake() {
    let folder = Folder::small();
    for bulletin in ["mot", "hai"] {
        let path = format!("content/bulletins/{bulletin}.yaml");
        folder.edit(&path, "until: 2024-12-31", "until: 2030-12-31");
    }
    let greeting = "Thưa bà con {{ ward.name }}.";
    let long = "Bà con nghe rõ rồi làm theo nhé. ".repeat(68);
    folder.edit(
        "content/bulletins/mot.yaml",
        greeting,
        &format!("{greeting} {long}"),
    );
    write_rule(&folder, &windows("05:00", "05:32"));
    folder.write(
        "schedules/lich.yaml",
        "schedules:\n  truoc: { when: { at: [\"05:29\"] }, bulletins: { only: mot }, to: { channels: [loa-hb-1] }, start: hard, missed: skip }\n  sau: { when: { at: [\"05:30\"] }, bulletins: { only: hai }, to: { channels: [loa-ll-1] }, start: { soft: { max_wait: 20m } }, missed: skip }\n",
    );
    let plan = ["plan", "--from", "2024-03-25", "--to", "2024-03-26"];
    let json = loa(&folder.path(), &[&plan[..], &["--format", "json"]].concat()).json();
    let behind = &json[1];
    assert_eq!(
        (&behind["schedule"], &behind["skipped"], &behind["waits"]),
        (&json!("sau"), &json!("policy"), &json!("collision"))
    );
    let detail = behind["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("outside-hours rule=Khung giờ thử; document=QĐ 12/QĐ-UBND"),
        "{detail}"
    );
    let text = loa(&folder.path(), &plan).out;
    let (first, then) = (
        text.find("[Từ 05:29:00 đến "),
        text.find("là ngoài khung giờ mà “Khung giờ thử” cho phép"),
    );
    assert!(first.is_some() && first < then, "{text}");

    // At its own time the rule permits it, so the files may be used; whoever edits them learns of both.
    let said = loa(&folder.path(), &["check", "--format", "json"]);
    let codes: Vec<String> = said
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap().to_owned())
        .collect();
    let has = |code: &str| codes.iter().any(|known| known == code);
    assert!(has("L190") && has("L210") && !has("L211"), "{codes:?}");
    assert_eq!(said.code, 0, "{said:?}");

    // Without the other it is the rule alone, and then nothing of it would ever be heard.
    let late = "at: [\"05:30\"] }, bulletins: { only: hai }";
    folder.edit("schedules/lich.yaml", late, &late.replace("05:30", "05:33"));
    let said = loa(&folder.path(), &["check", "--format", "json"]);
    assert!(said.code == 1 && said.out.contains("L211"), "{said:?}");
}
