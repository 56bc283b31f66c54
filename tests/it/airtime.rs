//! `loa airtime`: targets that fit and targets that do not, planned and after a simulated day.

use crate::support::{cli::loa, workspace::Folder};

const POLICY: &str = r#"
rules:
  khung:
    name: Khung giờ
    source: { document: QĐ 1, year: 2024 }
    windows:
      - { days: [mon, tue, wed, thu, fri], from: "05:00", until: "07:00" }
      - { days: [mon, tue, wed, thu, fri], from: "16:30", until: "18:30" }
    sessions: { per_day: 2, longest: 15m }
"#;

/// The small workspace with a target of so many minutes; its bulletins last some seconds.
fn folder(minutes: &str, cap: &str) -> Folder {
    let folder = Folder::small();
    folder.write("schedules/policy.yaml", POLICY);
    folder.write(
        "schedules/chi-tieu.yaml",
        &format!("targets:\n  them: {{ topic: gia-danh, minutes: {minutes}, to: {{ kind: loudspeaker }}, cap: {{ per_day: {cap} }} }}\n"),
    );
    folder
}

const WEEK: [&str; 5] = ["airtime", "--at", "2024-03-25", "--from", "2024-03-25"];

fn seconds(row: &serde_json::Value, name: &str) -> f64 {
    row[format!("{name}_seconds")].as_f64().unwrap()
}

#[test]
fn a_target_that_fits_is_planned_and_good() {
    let folder = folder("0.8", "2");
    let said = loa(&folder.path(), &[&WEEK[..], &["--format", "json"]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    let rows = said.json();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row["target"], "them");
        assert_eq!(row["week"], "2024-03-25");
        assert_eq!(
            (seconds(row, "wanted"), seconds(row, "missing")),
            (48.0, 0.0)
        );
        assert!(seconds(row, "planned") >= 48.0, "{row}");
        assert!((seconds(row, "planned") - seconds(row, "to_come")).abs() < 0.001);
        assert_eq!(row["obstacles"], serde_json::json!([]));
    }
    let said = loa(&folder.path(), &WEEK);
    assert_eq!(said.code, 0);
    assert!(
        said.out.contains("Giả danh cán bộ (chỉ tiêu them)"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("Toàn thành phố: 2/2 địa bàn đạt"),
        "{}",
        said.out
    );
    let plan = loa(
        &folder.path(),
        &["plan", "--from", "2024-03-25", "--to", "2024-04-01"],
    );
    assert!(plan.out.contains("[theo chỉ tiêu them]"), "{}", plan.out);
    assert!(!plan.out.contains("dời từ"), "{}", plan.out);
}

#[test]
fn a_target_that_cannot_be_met_says_by_how_much_and_why() {
    let folder = folder("20", "1");
    let said = loa(
        &folder.path(),
        &[
            &WEEK[..],
            &["--format", "json", "--lang", "en", "--ward", "le-loi"],
        ]
        .concat(),
    );
    assert_eq!(said.code, 1, "{said:?}");
    let rows = said.json();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(
        (row["ward"].as_str(), seconds(row, "wanted")),
        (Some("le-loi"), 1_200.0)
    );
    assert!(
        (seconds(row, "wanted") - seconds(row, "planned") - seconds(row, "missing")).abs() < 0.001
    );
    let codes: Vec<_> = row["obstacles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["code"].as_str().unwrap(), one["days"].as_u64().unwrap()))
        .collect();
    assert_eq!(codes, [("target-cap", 5), ("target-hours", 2)]);
    let said = loa(&folder.path(), &WEEK);
    assert_eq!(said.code, 1);
    for part in [
        "Toàn thành phố: 0/2 địa bàn đạt",
        "Mọi bản tin còn lại đã đủ 1 lần một ngày (5 ngày) – 2 địa bàn: phường Hưng Bình, phường Lê Lợi",
        "“Khung giờ” không cho phát vào ngày ấy (QĐ 1, 2024) (2 ngày)",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    let checked = loa(&folder.path(), &["check"]);
    assert!(checked.out.contains("L242"), "{}", checked.out);
    assert_eq!(checked.code, 0, "it is a warning");
}

/// Whose hours are to blame: the target's, the rule's, or both together.
#[test]
fn hours_that_do_not_meet_are_told_apart() {
    let folder = folder("0.8", "2");
    folder.edit(
        "schedules/chi-tieu.yaml",
        "minutes: 0.8,",
        "minutes: 0.8, windows: [{ days: [mon, sun], from: \"12:00\", until: \"13:00\" }],",
    );
    folder.edit("schedules/lich.yaml", "05:30", "07:30");
    let arguments = [&WEEK[..], &["--format", "json", "--ward", "le-loi"]].concat();
    let rows = loa(&folder.path(), &arguments).json();
    let codes: Vec<_> = rows[0]["obstacles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["code"].as_str().unwrap(), one["days"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        codes,
        [
            ("target-closed", 1),
            ("target-hours", 1),
            ("target-no-window", 5)
        ]
    );
    let said = loa(&folder.path(), &WEEK);
    for part in [
        "Khung giờ của chỉ tiêu nằm ngoài giờ mà “Khung giờ” cho phép (QĐ 1, 2024) (1 ngày)",
        "Chỉ tiêu không ghi khung giờ nào cho ngày ấy (5 ngày)",
        "“Khung giờ” không cho phát vào ngày ấy (QĐ 1, 2024) (1 ngày)",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
}

#[test]
fn names_and_days_that_nobody_knows_are_refused() {
    let folder = folder("0.8", "2");
    for wrong in [
        ["--ward", "hung-bin"],
        ["--topic", "gia-dan"],
        ["--from", "hôm nay"],
    ] {
        let said = loa(&folder.path(), &[&["airtime"][..], &wrong].concat());
        assert_eq!(said.code, 2, "{said:?}");
    }
    let weeks = loa(
        &folder.path(),
        &[
            "airtime",
            "--at",
            "2024-03-25",
            "--from",
            "2024-03-27",
            "--to",
            "2024-04-08",
            "--format",
            "json",
        ],
    );
    let weeks = weeks.json();
    let weeks: std::collections::BTreeSet<_> = weeks
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["week"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        weeks.into_iter().collect::<Vec<_>>(),
        ["2024-03-25", "2024-04-01"]
    );
}

#[test]
fn what_was_aired_is_taken_from_the_record_by_its_evidence() {
    let folder = folder("0.8", "2");
    let run = loa(
        &folder.path(),
        &[
            "run",
            "--simulate",
            "--no-web",
            "--speed",
            "36000",
            "--until",
            "+24h",
        ],
    );
    assert_eq!(run.code, 0, "{run:?}");
    let said = loa(
        &folder.path(),
        &["airtime", "--simulate", "--format", "json"],
    );
    let rows = said.json();
    for row in rows.as_array().unwrap() {
        // Monday is over, the rest is to come.
        assert!(seconds(row, "accepted") > 0.0, "{row}");
        assert!(seconds(row, "to_come") > 0.0, "{row}");
        let all = seconds(row, "accepted") + seconds(row, "confirmed") + seconds(row, "to_come");
        assert!((all - seconds(row, "planned")).abs() < 0.01, "{row}");
        assert!(seconds(row, "missing") < 0.001, "{row}");
        assert_eq!(row["lost"], serde_json::json!([]));
    }
    assert_eq!(said.code, 0);

    let verify = loa(&folder.path(), &["verify", "--simulate"]);
    assert_eq!(verify.code, 0, "{verify:?}");
}

/// Runs the city until Monday noon and then pauses a ward, over what is on record and, beyond the horizon, what is only planned.
fn paused_from_noon(folder: &Folder) {
    let run = "run --simulate --no-web --speed 100000 --until 2024-03-25T12:00";
    let pause = "pause ward:le-loi --until 2024-03-30 --by Mai --reason tang --simulate";
    for command in [run, pause] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let said = loa(&folder.path(), &arguments);
        assert_eq!(said.code, 0, "{said:?}");
    }
}

#[test]
fn a_pause_that_is_to_come_is_missing_and_named() {
    let folder = folder("0.8", "2");
    paused_from_noon(&folder);
    let airtime = ["airtime", "--simulate"];
    let said = loa(
        &folder.path(),
        &[&airtime[..], &["--format", "json"]].concat(),
    );
    let rows = said.json();
    for row in rows.as_array().unwrap() {
        if row["ward"] == "le-loi" {
            let lost = &row["lost"][0];
            assert_eq!(lost["reason"], "paused", "{row}");
            let reached = seconds(row, "accepted") + seconds(row, "confirmed");
            let paused = lost["seconds"].as_f64().unwrap();
            assert!(
                (reached + paused - seconds(row, "planned")).abs() < 0.01,
                "{row}"
            );
            assert!(paused > 10.0 && seconds(row, "missing") > 10.0, "{row}");
            assert!(seconds(row, "to_come") < 0.001, "{row}");
        } else {
            assert!(seconds(row, "missing") < 0.001, "{row}");
        }
    }
    let text = loa(&folder.path(), &airtime);
    assert_eq!(text.code, 1);
    assert!(text.out.contains("phường Lê Lợi"), "{}", text.out);
    assert!(text.out.to_lowercase().contains("tạm dừng"), "{}", text.out);
}

#[test]
fn emergencies_are_still_to_come_in_a_pause_that_spares_them() {
    let folder = folder("0.8", "2");
    for bulletin in ["mot", "hai"] {
        let path = format!("content/bulletins/{bulletin}.yaml");
        folder.edit(&path, "priority: normal", "priority: emergency");
    }
    paused_from_noon(&folder);
    let said = loa(
        &folder.path(),
        &["airtime", "--simulate", "--format", "json"],
    );
    let rows = said.json();
    let row = rows.as_array().unwrap().iter();
    let row = row
        .into_iter()
        .find(|row| row["ward"] == "le-loi")
        .expect("the paused ward");
    assert_eq!(row["lost"], serde_json::json!([]), "{row}");
    assert!(seconds(row, "to_come") > 10.0, "{row}");
}
