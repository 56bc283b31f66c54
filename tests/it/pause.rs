//! `loa pause`, `resume`, `pauses`: at the command line and in a running city.

use serde_json::{Value, json};

use crate::support::{
    cli::{Said, loa, was_taken},
    workspace::Folder,
};

const BY: [&str; 4] = ["--by", "Nguyễn Thị Hoa", "--reason", "Lễ tang ở phường"];

fn run(folder: &Folder, until: &str) {
    let fixed = [
        "run",
        "--no-web",
        "--simulate",
        "--speed",
        "100000",
        "--until",
        until,
    ];
    let said = loa(&folder.path(), &fixed);
    assert_eq!(said.code, 0, "{said:?}");
}

fn says(folder: &Folder, arguments: &[&str]) -> Said {
    loa(&folder.path(), &[arguments, &["--simulate"]].concat())
}

fn log(folder: &Folder) -> Vec<Value> {
    let log = says(folder, &["log", "--format", "json"]).json();
    log.as_array().unwrap().clone()
}

#[test]
fn a_paused_ward_is_silent_and_the_log_says_why() {
    let folder = Folder::small();
    run(&folder, "2024-03-25T05:25");
    let paused = says(
        &folder,
        &[
            &["pause", "ward:hung-binh", "--until", "2024-03-25T05:45"],
            &BY[..],
        ]
        .concat(),
    );
    assert_eq!(paused.code, 0, "{paused:?}");
    assert!(
        paused
            .out
            .contains("Tạm dừng phường Hưng Bình đến 25/03/2024 05:45 (số 1)"),
        "{paused:?}"
    );
    let list = says(&folder, &["pauses", "--format", "json"]).json();
    assert_eq!(
        list,
        json!([{
            "number": 1, "scope": "ward", "target": "hung-binh", "emergency_too": false,
            "from": "2024-03-25T05:25:00+07:00", "until": "2024-03-25T05:45:00+07:00",
            "by": "Nguyễn Thị Hoa", "reason": "Lễ tang ở phường", "in_force": true, "resumed": null,
        }])
    );
    run(&folder, "2024-03-25T06:30");
    for row in log(&folder) {
        let silent = row["ward"] == "hung-binh" && row["due"] == "2024-03-25T05:30:00+07:00";
        if silent {
            assert_eq!(
                (&row["state"], &row["reason"]),
                (&json!("skipped"), &json!("paused"))
            );
        } else {
            assert!(was_taken(&row), "{row:#}");
        }
    }
    assert_eq!(says(&folder, &["verify"]).code, 0);
    assert_eq!(
        says(&folder, &["pauses"]).out.trim(),
        "Không có gì đang tạm dừng."
    );
    assert!(
        says(&folder, &["pauses", "--all"])
            .out
            .contains("Lễ tang ở phường")
    );
}

#[test]
fn what_fell_due_in_a_pause_while_nothing_was_running_was_not_missed() {
    let folder = Folder::small();
    run(&folder, "2024-03-25T05:25");
    let ward = ["pause", "ward:hung-binh", "--until", "2024-03-25T05:45"];
    assert_eq!(says(&folder, &[&ward, &BY[..]].concat()).code, 0);
    let fixed = ["run", "--no-web", "--simulate", "--speed", "100000"];
    let late = ["--at", "2024-03-25T09:30", "--until", "2024-03-25T09:40"];
    let said = loa(&folder.path(), &[&fixed[..], &late[..]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    let mut seen = 0;
    for row in log(&folder) {
        if row["due"] == "2024-03-25T05:30:00+07:00" {
            let paused = row["ward"] == "hung-binh";
            let reason = if paused { "paused" } else { "expired" };
            assert_eq!(
                (&row["state"], &row["reason"]),
                (&json!("skipped"), &json!(reason)),
                "{row:#}"
            );
            seen += usize::from(paused);
        }
    }
    assert_eq!(seen, 2);
    assert_eq!(says(&folder, &["verify"]).code, 0);
}

#[test]
fn what_is_resumed_is_sent() {
    let folder = Folder::small();
    run(&folder, "2024-03-25T05:25");
    let paused = says(
        &folder,
        &[&["pause", "all", "--until", "+1d"], &BY[..]].concat(),
    );
    assert_eq!(paused.code, 0, "{paused:?}");
    let resumed = says(&folder, &[&["resume", "1"], &BY[..]].concat());
    assert_eq!(
        (resumed.code, resumed.out.trim()),
        (0, "Cho phát lại: tất cả."),
        "{resumed:?}"
    );
    let again = says(&folder, &[&["resume", "1"], &BY[..]].concat());
    assert_eq!(again.code, 2, "{again:?}");
    run(&folder, "2024-03-25T06:30");
    assert!(log(&folder).iter().all(was_taken));
}

#[test]
fn what_is_not_understood_pauses_nothing() {
    let folder = Folder::small();
    run(&folder, "2024-03-25T05:25");
    let table: [(&[&str], &str); 6] = [
        (&["ward:hung-bin", "--until", "+1h"], "hung-binh"),
        (&["topic:gia-dan", "--until", "+1h"], "gia-danh"),
        (&["channel:loa-hb-9", "--until", "+1h"], "loa-hb-"),
        (&["loa", "--until", "+1h"], "`all`, `ward:MÃ`"),
        (
            &["all", "--until", "2024-03-25T05:20"],
            "--until phải ở sau",
        ),
        (&["all", "--until", "+400d"], "366 ngày"),
    ];
    for (arguments, expected) in table {
        let said = says(&folder, &[&["pause"], arguments, &BY[..]].concat());
        assert_eq!(said.code, 2, "{arguments:?} {said:?}");
        assert!(said.err.contains(expected), "{arguments:?} {said:?}");
    }
    let unnamed = [
        "pause", "all", "--until", "+1h", "--by", " ", "--reason", "x",
    ];
    assert_eq!(says(&folder, &unnamed).code, 2);
    assert_eq!(
        says(&folder, &["pauses", "--all", "--format", "json"]).json(),
        json!([])
    );
}
