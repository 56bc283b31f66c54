//! The order in which things stand in files, and the files' names, say nothing: whatever is shuffled, the plan is the same,
//! with its targets. Everything comes from fixed seeds.

use std::path::Path;

use loa::domain::plan::{Plan, PlannedDelivery};

use super::super::at;
use crate::support::{dice::Dice, workspace::Folder};

/// What needs no order: files of entries under one key, and where their parts may go.
const FILES: [(&str, &str); 3] = [
    ("channels/kenh.yaml", "channels"),
    ("schedules/lich.yaml", "schedules"),
    ("schedules/chi-tieu.yaml", "targets"),
];

const WARDS: &str = "channels/wards.yaml";

const TARGETS: &str = r"targets:
  them: { topic: gia-danh, minutes: 1.5, to: { kind: loudspeaker }, cap: { per_day: 2 } }
  nua: { topic: gia-danh, minutes: 0.7, to: { channels: [loa-hb-1, loa-ll-1] } }
  rieng: { topic: gia-danh, minutes: 1, to: { channels: [loa-hb-2] }, cap: { per_day: 3, per_week: 5 } }
";

const POLICY: &str = r#"rules:
  khung:
    name: Khung giờ
    source: { document: QĐ 1, year: 2024 }
    windows: [{ from: "05:20", until: "06:00" }, { from: "16:30", until: "17:00" }]
    sessions: { per_day: 3, longest: 15m }
"#;

fn read(folder: &Folder, path: &str) -> String {
    std::fs::read_to_string(folder.path().join(path)).unwrap()
}

/// The entries under the one key of a file, each with all its lines.
fn entries(text: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("  ")) {
        if line.starts_with("   ") {
            entries.last_mut().unwrap().push_str(line);
        } else {
            entries.push(line.to_owned());
        }
        entries.last_mut().unwrap().push('\n');
    }
    entries
}

fn shuffle(dice: &mut Dice, entries: &mut [String]) {
    for last in (1..entries.len()).rev() {
        entries.swap(last, dice.below(u32::try_from(last).unwrap() + 1) as usize);
    }
}

/// The same workspace in another order, in files of other names.
fn shuffled(dice: &mut Dice) -> Folder {
    let folder = folder();
    let mut wards = entries(&read(&folder, WARDS));
    shuffle(dice, &mut wards);
    folder.write(WARDS, &format!("wards:\n{}", wards.concat()));
    for (path, key) in FILES {
        let mut all = entries(&read(&folder, path));
        shuffle(dice, &mut all);
        std::fs::remove_file(folder.path().join(path)).unwrap();
        let parent = Path::new(path).parent().unwrap().display().to_string();
        let files = 1 + dice.below(3) as usize;
        for (number, some) in all.chunks(all.len().div_ceil(files)).enumerate() {
            let letter = char::from(b'a' + u8::try_from(dice.below(26)).unwrap());
            folder.write(
                &format!("{parent}/{letter}-{key}-{number}.yaml"),
                &format!("{key}:\n{}", some.concat()),
            );
        }
    }
    folder
}

fn folder() -> Folder {
    let folder = Folder::small();
    folder.write("schedules/chi-tieu.yaml", TARGETS);
    folder.write("schedules/policy.yaml", POLICY);
    folder
}

/// Six weeks, and what the targets lack in the first.
fn planned(folder: &Folder) -> (Vec<PlannedDelivery>, String) {
    let workspace = folder.load();
    let plan = Plan::new(&workspace);
    let all = plan.deliveries(at("2024-03-20T00:00:00"), at("2024-05-01T00:00:00"));
    let fillings: Vec<_> = plan.fillings([super::monday()]).collect();
    (all.collect(), format!("{fillings:?}"))
}

#[test]
fn the_order_of_files_and_of_what_stands_in_them_says_nothing() {
    let (plan, fillings) = planned(&folder());
    let fills = plan.iter().filter(|one| one.schedule.as_str() == "them");
    assert!(fills.count() > 50, "there is something to compare");
    let mut dice = Dice(20_240_325);
    for round in 0..12 {
        let (other, others) = planned(&shuffled(&mut dice));
        assert_eq!(other, plan, "round {round}");
        assert_eq!(others, fillings, "round {round}");
    }
}
