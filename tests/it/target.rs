//! Airtime targets in a running city: edited in the middle of a week, approved and rejected, paused and taken back.

use std::{collections::BTreeMap, time::Duration};

use loa::{
    clock::Clock,
    domain::delivery::{Reason, State},
    store::row::DeliveryRow,
};
use serde_json::Value;

use crate::support::{
    city::{Scene, at},
    cli::{Said, loa},
    on_both_databases,
    workspace::Folder,
};

const POLICY: &str = r#"
rules:
  khung:
    name: Khung giờ
    source: { document: QĐ 1, year: 2024 }
    windows: [{ days: [mon, tue, wed, thu, fri], from: "05:20", until: "07:00" }]
"#;

const TARGET: &str = "targets:\n  them: { topic: gia-danh, minutes: 5, to: { kind: loudspeaker }, editors: [Lê Văn Tám], cap: { per_day: 1, per_week: 2 } }\n";

const MAI: &str = "Trần Thị Mai";

/// The small workspace with a target that its two bulletins cannot reach, and `mot` on Monday and Tuesday in any case.
fn folder() -> Folder {
    let folder = Folder::small();
    prepare(&folder);
    folder
}

fn prepare(folder: &Folder) {
    folder.write("schedules/policy.yaml", POLICY);
    folder.write("schedules/chi-tieu.yaml", TARGET);
    folder.edit(
        "schedules/lich.yaml",
        "when: { at: [\"05:30\"], days: [mon, tue, wed, thu, fri] }",
        "when: { at: [\"05:30\"], days: [mon, tue] }",
    );
}

fn says(folder: &Folder, arguments: &[&str]) -> Said {
    loa(&folder.path(), &[arguments, &["--simulate"]].concat())
}

fn run(folder: &Folder, until: &str) {
    let said = says(
        folder,
        &["run", "--no-web", "--speed", "100000", "--until", until],
    );
    assert_eq!(said.code, 0, "{said:?}");
}

/// What `loa-hb-1` was to say, oldest first: `Mon mot accepted`, with the reason where there is one.
fn log(folder: &Folder) -> Vec<Value> {
    let said = says(
        folder,
        &["log", "--channel", "loa-hb-1", "--format", "json"],
    );
    let mut rows = said.json().as_array().unwrap().clone();
    rows.sort_by_key(|row| row["due"].as_str().unwrap().to_owned());
    rows
}

fn is_aired(row: &Value) -> bool {
    matches!(row["state"].as_str(), Some("accepted" | "confirmed"))
}

fn aired(rows: &[Value]) -> BTreeMap<&str, usize> {
    let mut aired = BTreeMap::new();
    for row in rows.iter().filter(|row| is_aired(row)) {
        *aired.entry(row["bulletin"].as_str().unwrap()).or_default() += 1;
    }
    aired
}

fn filled(rows: &[Value]) -> Vec<&Value> {
    rows.iter()
        .filter(|row| row["schedule"] == "them")
        .collect()
}

/// The plan of the new files knows nothing of what the old ones sent; the record does.
#[test]
fn an_edit_in_the_middle_of_a_week_takes_nothing_beyond_its_cap() {
    let folder = folder();
    run(&folder, "2024-03-26T12:00");
    let before = log(&folder);
    assert_eq!(aired(&before)["mot"], 2, "{before:?}");
    // Nothing says `mot` any more but the target.
    folder.write(
        "schedules/lich.yaml",
        "schedules:\n  oa: { when: { at: [\"06:10\"], days: [mon] }, bulletins: { only: [hai] }, to: { kind: chat }, missed: skip }\n",
    );
    folder.edit(
        "schedules/chi-tieu.yaml",
        "minutes: 5,",
        "minutes: 5, windows: [{ days: [wed, thu, fri], from: \"05:20\", until: \"07:00\" }],",
    );
    let week = [
        "plan",
        "--from",
        "2024-03-27",
        "--to",
        "2024-03-30",
        "--channel",
        "loa-hb-1",
        "--format",
        "json",
    ];
    let planned = says(&folder, &week).json();
    let planned = planned.as_array().unwrap();
    let of_mot = planned.iter().filter(|row| row["bulletin"] == "mot");
    assert!(
        of_mot.count() > 0,
        "else there is nothing to see: {planned:?}"
    );
    run(&folder, "2024-03-30T00:00");
    let rows = log(&folder);
    assert!(aired(&rows).values().all(|count| *count <= 2), "{rows:?}");
    let refused: Vec<_> = filled(&rows)
        .into_iter()
        .filter(|row| row["reason"] == "policy")
        .collect();
    assert!(!refused.is_empty(), "{rows:?}");
    for row in refused {
        assert_eq!(row["state"], "skipped");
        assert!(
            row["why"].as_str().unwrap().contains("2 lần trong tuần"),
            "{row}"
        );
    }
    // The week after begins anew.
    run(&folder, "2024-04-06T00:00");
    let next: Vec<_> = log(&folder)
        .into_iter()
        .filter(|row| row["due"].as_str().unwrap() > "2024-04-01")
        .collect();
    assert_eq!(
        aired(&next),
        BTreeMap::from([("hai", 2), ("mot", 2)]),
        "{next:?}"
    );
    let verify = says(&folder, &["verify"]);
    assert_eq!(verify.code, 0, "{verify:?}");
}

#[test]
fn what_somebody_sent_by_hand_counts_too() {
    let folder = folder();
    folder.write("schedules/lich.yaml", "schedules: {}\n");
    folder.edit(
        "schedules/chi-tieu.yaml",
        "per_week: 2",
        "per_week: 1 }, windows: [{ days: [fri], from: \"05:20\", until: \"07:00\" }]",
    );
    folder.edit(
        "schedules/chi-tieu.yaml",
        "\"07:00\" }] } }",
        "\"07:00\" }] }",
    );
    run(&folder, "2024-03-25T06:00");
    let planned = says(
        &folder,
        &[
            "plan",
            "--from",
            "2024-03-25",
            "--to",
            "2024-04-01",
            "--channel",
            "loa-hb-1",
            "--format",
            "json",
        ],
    );
    let planned = planned.json();
    let last = planned.as_array().unwrap().last().unwrap().clone();
    let bulletin = last["bulletin"].as_str().unwrap();
    let sent = says(
        &folder,
        &[
            "send",
            bulletin,
            "--to",
            "channel:loa-hb-1",
            "--by",
            MAI,
            "--reason",
            "Hỏi nhiều",
        ],
    );
    assert_eq!(sent.code, 0, "{sent:?}");
    run(&folder, "2024-03-30T00:00");
    let rows = log(&folder);
    assert_eq!(aired(&rows)[bulletin], 1, "{rows:?}");
    assert!(
        filled(&rows).iter().any(|row| row["reason"] == "policy"),
        "{rows:?}"
    );
}

/// In a database of its own, because the city of `run` approves by itself what nobody has approved.
fn approve(folder: &Folder, database: &[&str], id: &str) {
    let says = |arguments: &[&str]| loa(&folder.path(), &[arguments, database].concat());
    let read = says(&["diff", id, "--format", "json"]).json();
    let hash = read["version"].as_str().unwrap()[..12].to_owned();
    let said = says(&["approve", id, "--by", MAI, "--hash", &hash]);
    assert_eq!(said.code, 0, "{said:?}");
}

/// What `loa-hb-1` is to say on a day of March for the target: states and reasons.
fn fills(rows: &[DeliveryRow], day: u32) -> Vec<(State, Option<Reason>)> {
    let (begin, end) = (
        at(&format!("2024-03-{day}T00:00")),
        at(&format!("2024-03-{}T00:00", day + 1)),
    );
    let here = rows.iter().filter(|row| {
        row.channel.as_str() == "loa-hb-1"
            && row.schedule.as_str() == "them"
            && begin <= row.due
            && row.due < end
    });
    here.map(|row| (row.state, row.reason)).collect()
}

fn all_are(rows: &[DeliveryRow], day: u32, wanted: (State, Option<Reason>)) -> bool {
    let fills = fills(rows, day);
    !fills.is_empty() && fills.iter().all(|one| *one == wanted)
}

on_both_databases! {
    async fn a_target_is_approved_edited_and_rejected_like_any_schedule(scene: Scene) {
        let folder = &scene.folder;
        prepare(folder);
        folder.edit("schedules/chi-tieu.yaml", ", per_week: 2", "");
        folder.wants_approval();
        let database = ["--simulate", "--database", &scene.database];
        for id in ["mot", "hai", "loa-sang", "trang-tin", "oa"] {
            approve(folder, &database, id);
        }
        let clock = Clock::manual(at("2024-03-25T05:25"));
        let daemon = scene.start_with(clock.clone()).await;
        let unapproved = (State::Skipped, Some(Reason::Unapproved));
        daemon.wait(|rows| all_are(rows, 25, unapproved)).await;
        // Approved at last, and ready on the next morning.
        approve(folder, &database, "them");
        clock.advance(Duration::from_mins(24 * 60 - 5));
        daemon.wait(|rows| all_are(rows, 26, (State::Ready, None))).await;
        // More minutes are another version: who approved five did not approve six.
        folder.edit("schedules/chi-tieu.yaml", "minutes: 5", "minutes: 6");
        daemon.reloader.reload(&daemon.shared).await;
        clock.advance(Duration::from_hours(24));
        daemon.wait(|rows| all_are(rows, 27, unapproved)).await;
        approve(folder, &database, "them");
        let rejected = ["reject", "them", "--by", MAI, "--reason", "Nghe nhiều quá"];
        let rejected = loa(&folder.path(), &[&rejected[..], &database].concat());
        assert_eq!(rejected.code, 0, "{rejected:?}");
        clock.advance(Duration::from_hours(24));
        daemon.wait(|rows| all_are(rows, 28, unapproved)).await;
        daemon.stop().await;
        scene.check().await;
    }
}

#[test]
fn a_paused_topic_fills_nothing_and_a_retracted_bulletin_leaves_the_turn_to_others() {
    let folder = folder();
    folder.wants_approval();
    folder.write("schedules/lich.yaml", "schedules: {}\n");
    folder.edit("schedules/chi-tieu.yaml", ", per_week: 2", "");
    // The simulated city approves what nobody has approved.
    run(&folder, "2024-03-25T05:05");
    let paused = says(
        &folder,
        &[
            "pause",
            "topic:gia-danh",
            "--until",
            "2024-03-26",
            "--by",
            MAI,
            "--reason",
            "Lễ tang",
        ],
    );
    assert_eq!(paused.code, 0, "{paused:?}");
    run(&folder, "2024-03-26T04:00");
    let rows = log(&folder);
    let monday = filled(&rows);
    let monday: Vec<_> = monday
        .iter()
        .filter(|row| row["due"].as_str().unwrap() < "2024-03-26")
        .collect();
    assert!(!monday.is_empty(), "{rows:?}");
    assert!(
        monday.iter().all(|row| row["reason"] == "paused"),
        "{monday:?}"
    );
    let retracted = says(
        &folder,
        &["retract", "hai", "--by", MAI, "--reason", "Sai số liệu"],
    );
    assert_eq!(retracted.code, 0, "{retracted:?}");
    run(&folder, "2024-03-30T00:00");
    let rows = log(&folder);
    let after: Vec<_> = filled(&rows)
        .into_iter()
        .filter(|row| row["due"].as_str().unwrap() > "2024-03-26T04")
        .collect();
    assert!(after.iter().any(|row| row["bulletin"] == "hai"), "{rows:?}");
    assert!(
        after
            .iter()
            .all(|row| row["bulletin"] != "hai" || !is_aired(row)),
        "{rows:?}"
    );
    assert!(
        after
            .iter()
            .any(|row| row["bulletin"] == "mot" && is_aired(row)),
        "{rows:?}"
    );
}
