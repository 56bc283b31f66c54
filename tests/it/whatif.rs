//! What an edit changes for those who listen: `loa plan --diff`, against folders and git revisions, and `loa plan --at`.

mod git;
mod shown;

use std::collections::BTreeMap;

use loa::{
    domain::{plan::Plan, time::Timestamp, workspace::Workspace},
    render::Renderer,
    version::effect::{self, Broadcast, Side},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::Value;

use crate::support::{
    cli::{Said, loa},
    workspace::{Folder, bulletin},
};

/// Monday to Sunday.
const WEEK: [&str; 4] = ["--from", "2024-03-25", "--to", "2024-04-01"];

fn compare(new: &Folder, old: &str, more: &[&str]) -> Said {
    let arguments = [&["plan", "--diff", old][..], &WEEK, more].concat();
    loa(&new.path(), &arguments)
}

/// One line an effect: what changed, where, when and what before and after.
fn shown(said: &Said) -> Vec<String> {
    let side = |side: &Value| match side {
        Value::Null => "–".to_owned(),
        side => format!(
            "{} {} {}",
            side["schedule"].as_str().unwrap(),
            &side["due"].as_str().unwrap()[8..16],
            side["bulletin"].as_str().unwrap()
        ),
    };
    let line = |effect: &Value| {
        let changes: Vec<&str> = effect["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| kind.as_str().unwrap())
            .collect();
        format!(
            "{} {}: {} → {}",
            changes.join("+"),
            effect["channel"].as_str().unwrap(),
            side(&effect["before"]),
            side(&effect["after"])
        )
    };
    said.json().as_array().unwrap().iter().map(line).collect()
}

fn both(edit: impl Fn(&Folder)) -> (Folder, Folder, String) {
    let (old, new) = (Folder::small(), Folder::small());
    edit(&new);
    let path = old.path().display().to_string();
    (old, new, path)
}

#[test]
fn nothing_differs_from_itself() {
    let (_old, new, path) = both(|_| ());
    let said = compare(&new, &path, &[]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("Không có gì khác"), "{}", said.out);
    let said = compare(&new, &path, &["--format", "json"]);
    assert_eq!((said.code, said.json()), (0, serde_json::json!([])));
}

#[test]
fn a_time_that_moves_is_one_line_for_all_its_wards_and_days() {
    let (_old, new, path) = both(|new| new.edit("schedules/lich.yaml", "05:30", "06:00"));
    let json = compare(&new, &path, &["--format", "json"]);
    assert_eq!(json.code, 1);
    let lines = shown(&json);
    assert_eq!(lines.len(), 15, "{lines:?}");
    assert_eq!(
        lines[0],
        "moved loa-hb-1: loa-sang 25T05:30 mot → loa-sang 25T06:00 mot"
    );
    assert!(
        lines.iter().all(|line| line.starts_with("moved ")),
        "{lines:?}"
    );
    let text = compare(&new, &path, &[]);
    assert_eq!(text.code, 1);
    assert!(
        text.out.contains(
            "── Đổi giờ\n  05:30 → 06:00 · 5 ngày 25/03–29/03/2024 · “Cảnh giác lời thứ nhất” · cả 2 phường, xã (3 kênh loa)\n"
        ),
        "{}",
        text.out
    );
    assert!(text.err.contains("15 lượt gửi"), "{}", text.err);
    // One ward alone, and one channel alone.
    let ward = compare(&new, &path, &["--ward", "le-loi", "--format", "json"]);
    assert_eq!(shown(&ward).len(), 5);
    let channel = compare(&new, &path, &["--channel", "loa-hb-2", "--format", "json"]);
    assert_eq!(shown(&channel).len(), 5);
    let web = compare(&new, &path, &["--channel", "web-hb"]);
    assert_eq!(web.code, 0);
}

#[test]
fn what_crosses_the_edge_of_the_range_was_moved_and_not_taken_out() {
    let (_old, new, path) = both(|new| new.edit("schedules/lich.yaml", "05:30", "06:00"));
    let arguments = [
        "plan",
        "--diff",
        &path,
        "--format",
        "json",
        "--channel",
        "loa-ll-1",
        "--from",
        "2024-03-25T05:45",
        "--to",
        "2024-03-26T05:45",
    ];
    assert_eq!(
        shown(&loa(&new.path(), &arguments)),
        [
            "moved loa-ll-1: loa-sang 25T05:30 mot → loa-sang 25T06:00 mot",
            "moved loa-ll-1: loa-sang 26T05:30 mot → loa-sang 26T06:00 mot",
        ]
    );
}

#[test]
fn another_name_of_a_schedule_is_heard_by_nobody() {
    let (_old, new, path) = both(|new| new.edit("schedules/lich.yaml", "loa-sang:", "loa-som:"));
    let said = compare(&new, &path, &[]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out.contains("có 15 lượt gửi chỉ chuyển"),
        "{}",
        said.out
    );
    // With another time, it is the same broadcast moved.
    new.edit("schedules/lich.yaml", "05:30", "17:00");
    let said = compare(&new, &path, &["--format", "json", "--channel", "loa-hb-1"]);
    let lines = shown(&said);
    assert_eq!(lines.len(), 5);
    assert_eq!(
        lines[0],
        "moved loa-hb-1: loa-sang 25T05:30 mot → loa-som 25T17:00 mot"
    );
}

#[test]
fn a_swapped_rotation_replaces_at_the_same_times() {
    let (_old, new, path) = both(|new| {
        new.edit(
            "schedules/lich.yaml",
            "list: [mot, hai]",
            "list: [hai, mot]",
        );
    });
    let said = compare(&new, &path, &["--format", "json", "--ward", "le-loi"]);
    let lines = shown(&said);
    let plan = loa(
        &new.path(),
        &[
            &["plan", "--format", "json", "--channel", "web-ll"][..],
            &WEEK,
        ]
        .concat(),
    );
    let expected: Vec<String> = plan
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let at = &row["due"].as_str().unwrap()[8..16];
            let (before, after) = match row["bulletin"].as_str().unwrap() {
                "mot" => ("hai", "mot"),
                _ => ("mot", "hai"),
            };
            format!("replaced web-ll: trang-tin {at} {before} → trang-tin {at} {after}")
        })
        .collect();
    assert_eq!(lines, expected);
    assert_eq!(lines.len(), 5);
}

#[test]
fn two_schedules_that_swap_their_times_are_moved() {
    let two = "schedules:\n  a:\n    when: { at: [\"05:30\"], days: [mon] }\n    bulletins: { only: [mot] }\n    to: { channels: [loa-hb-1] }\n    missed: skip\n  b:\n    when: { at: [\"06:30\"], days: [mon] }\n    bulletins: { only: [hai] }\n    to: { channels: [loa-hb-1] }\n    missed: skip\n";
    let (old, new, path) = both(|new| new.write("schedules/lich.yaml", two));
    old.write("schedules/lich.yaml", two);
    new.edit("schedules/lich.yaml", "05:30", "xx");
    new.edit("schedules/lich.yaml", "06:30", "05:30");
    new.edit("schedules/lich.yaml", "xx", "06:30");
    assert_eq!(
        shown(&compare(&new, &path, &["--format", "json"])),
        [
            "moved loa-hb-1: b 25T06:30 hai → b 25T05:30 hai",
            "moved loa-hb-1: a 25T05:30 mot → a 25T06:30 mot",
        ]
    );
    // The one taken out at the time at which the other comes: what is heard then is another bulletin.
    new.write(
        "schedules/lich.yaml",
        &two.replace("06:30", "05:30").replacen(
            "    bulletins: { only: [mot] }\n    to: { channels: [loa-hb-1]",
            "    bulletins: { only: [mot] }\n    to: { channels: [loa-hb-2]",
            1,
        ),
    );
    assert_eq!(
        shown(&compare(&new, &path, &["--format", "json"])),
        [
            "removed loa-hb-1: a 25T05:30 mot → –",
            "added loa-hb-2: – → a 25T05:30 mot",
            // Some seconds later: the two hear each other.
            "moved loa-hb-1: b 25T06:30 hai → b 25T05:30 hai",
        ]
    );
}

#[test]
fn another_weekday_is_a_move_and_one_day_more_an_addition() {
    let (_old, new, path) = both(|new| new.edit("schedules/lich.yaml", "[mon]", "[thu]"));
    let said = compare(&new, &path, &["--format", "json"]);
    let lines = shown(&said);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("moved"), "{lines:?}");
    let text = compare(&new, &path, &[]);
    assert!(
        text.out.contains("06:10 → 06:10 (muộn hơn 3 ngày)"),
        "{}",
        text.out
    );
    let (_old, new, path) = both(|new| {
        new.edit("schedules/lich.yaml", "thu, fri]", "fri, sat, sun]");
    });
    let lines = shown(&compare(
        &new,
        &path,
        &["--format", "json", "--channel", "loa-hb-1"],
    ));
    assert_eq!(
        lines,
        [
            "moved loa-hb-1: loa-sang 28T05:30 mot → loa-sang 30T05:30 mot",
            "added loa-hb-1: – → loa-sang 31T05:30 mot",
        ]
    );
}

#[test]
fn other_words_are_shown_once_with_how_long_they_last() {
    let (_old, new, path) = both(|new| {
        new.edit(
            "content/bulletins/mot.yaml",
            "Thưa bà con {{ ward.name }}.",
            "Kính thưa bà con {{ ward.name }}.",
        );
    });
    let said = compare(&new, &path, &["--format", "json"]).json();
    let all = said.as_array().unwrap();
    assert_eq!(all.len(), 15, "the page and the message stay as they are");
    let one = &all[0];
    assert_eq!(one["changes"], serde_json::json!(["reworded", "longer"]));
    assert_eq!(
        one["words"][0],
        serde_json::json!({ "spoken": false, "pieces": [
            { "same": "Cảnh giác lời thứ nhất\n" },
            { "gone": "Thưa" },
            { "new": "Kính thưa" },
            { "same": " bà con phường Hưng Bình. lời thứ nhất." },
        ] })
    );
    let (before, after) = (&one["before"]["seconds"], &one["after"]["seconds"]);
    assert!(before.as_f64().unwrap() < after.as_f64().unwrap(), "{one}");
    let text = compare(&new, &path, &[]).out;
    assert_eq!(text.matches("[-Thưa-]{+Kính thưa+}").count(), 1, "{text}");
    assert!(
        text.contains(
            "lời đọc · cả 2 phường, xã · 15 lượt gửi, từ 25/03/2024 05:30 đến 29/03/2024 05:30"
        ),
        "{text}"
    );
    assert!(!text.contains("── Dài hơn"), "told with the words: {text}");
}

#[test]
fn a_slower_voice_is_longer_with_the_same_words() {
    let (_old, new, path) = both(|new| new.amend("loa.yaml", "speech: { rate: 120 }\n"));
    let said = compare(&new, &path, &["--format", "json"]);
    let all = said.json();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 15);
    for one in all {
        assert_eq!(one["changes"], serde_json::json!(["longer"]));
        assert_eq!(one["words"], serde_json::json!([]));
    }
    assert!(
        compare(&new, &path, &[])
            .out
            .contains("── Dài hơn\n  05:30 · ")
    );
}

#[test]
fn what_is_no_longer_valid_is_removed_and_what_becomes_so_is_added() {
    let (old, new, path) = both(|new| {
        new.edit(
            "content/bulletins/mot.yaml",
            "until: 2024-12-31",
            "until: 2024-03-26",
        );
    });
    let lines = shown(&compare(
        &new,
        &path,
        &["--format", "json", "--channel", "loa-ll-1"],
    ));
    assert_eq!(
        lines,
        ["27", "28", "29"].map(|day| format!("removed loa-ll-1: loa-sang {day}T05:30 mot → –"))
    );
    let new_path = new.path().display().to_string();
    let lines = shown(&compare(
        &old,
        &new_path,
        &["--format", "json", "--channel", "loa-ll-1"],
    ));
    assert_eq!(
        lines,
        ["27", "28", "29"].map(|day| format!("added loa-ll-1: – → loa-sang {day}T05:30 mot"))
    );
}

#[test]
fn a_contact_that_lapses_is_heard_as_silence() {
    let (_old, new, path) = both(|new| {
        new.edit(
            "content/contacts.yaml",
            "expires: 2030-12",
            "expires: 2024-03-26",
        );
    });
    let said = compare(&new, &path, &["--format", "json", "--channel", "loa-ll-1"]);
    assert_eq!(
        shown(&said),
        ["27", "28", "29"].map(|day| format!("removed loa-ll-1: loa-sang {day}T05:30 mot → –"))
    );
    // The plan says the same of each day, as of whatever moment.
    let plan = loa(
        &new.path(),
        &[
            &["plan", "--at", "2024-03-26", "--to", "+48h"][..],
            &["--channel", "loa-ll-1", "--format", "json"],
        ]
        .concat(),
    )
    .json();
    let rows = plan.as_array().unwrap();
    assert_eq!(rows.len(), 2, "{plan}");
    assert_eq!(rows[0]["due"], "2024-03-26T05:30:00+07:00");
    assert_eq!(rows[0]["lapsed"], Value::Null);
    assert_eq!(rows[1]["lapsed"], "cong-an");
    let text = loa(
        &new.path(),
        &["plan", "--at", "2024-03-27", "--channel", "loa-ll-1"],
    );
    assert!(
        text.out.contains("không phát được: đầu mối `cong-an`"),
        "{}",
        text.out
    );
}

#[test]
fn plans_as_of_another_moment() {
    let folder = Folder::small();
    let rows = |arguments: &[&str]| {
        let arguments = [&["plan", "--format", "json"], arguments].concat();
        loa(&folder.path(), &arguments).json()
    };
    let of_day = rows(&["--from", "2024-03-25", "--to", "2024-03-26"]);
    assert_eq!(of_day.as_array().unwrap().len(), 6);
    assert_eq!(rows(&["--at", "2024-03-25"]), of_day);
    assert_eq!(rows(&["--at", "2024-03-24", "--from", "+24h"]), of_day);
    assert_eq!(loa(&folder.path(), &["plan", "--at", "hôm qua"]).code, 2);
}

#[test]
fn a_channel_of_another_ward_is_taken_from_the_one_and_given_to_the_other() {
    let (_old, new, path) = both(|new| {
        new.edit(
            "channels/kenh.yaml",
            "  loa-hb-2:\n    ward: hung-binh",
            "  loa-hb-2:\n    ward: le-loi",
        );
    });
    let said = compare(&new, &path, &["--format", "json", "--to", "2024-03-26"]);
    assert_eq!(said.code, 2, "given twice: {said:?}");
    let said = loa(
        &new.path(),
        &[
            "plan",
            "--diff",
            &path,
            "--format",
            "json",
            "--from",
            "2024-03-25",
            "--to",
            "2024-03-26",
        ],
    );
    let json = said.json();
    let wards: Vec<(&str, &str)> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["changes"][0].as_str().unwrap(),
                one["ward"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(wards, [("removed", "hung-binh"), ("added", "le-loi")]);
}

#[test]
fn mistakes_of_the_older_files_are_said_and_the_rest_is_compared() {
    let (old, new, path) = both(|new| new.edit("schedules/lich.yaml", "05:30", "06:00"));
    old.write("content/bulletins/hai.yaml", "title: Hỏng\n");
    let said = compare(&new, &path, &["--channel", "loa-hb-1", "--format", "json"]);
    assert_eq!(said.code, 1);
    assert_eq!(shown(&said).len(), 5);
    assert!(
        said.err.contains("chỉ so được phần còn đọc được"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("content/bulletins/hai.yaml"),
        "{}",
        said.err
    );
    old.write("loa.yaml", "name: [");
    let said = compare(&new, &path, &[]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("nên không so được"), "{}", said.err);
    // Mistakes of the present files are no finding about differences.
    new.write("loa.yaml", "name: [");
    assert_eq!(compare(&new, &path, &[]).code, 2);
}

/// What is heard in a range: channel, instant and words, with how often.
fn heard(workspace: &Workspace, from: Timestamp, until: Timestamp) -> BTreeMap<String, i64> {
    let (renderer, _) = Renderer::new(workspace);
    let mut found = BTreeMap::new();
    for one in Plan::new(workspace).deliveries(from, until) {
        let Some(bulletin) = &one.bulletin else {
            continue;
        };
        let bulletin = &workspace.bulletins[bulletin];
        let ward = workspace.ward(&one.ward).unwrap();
        let content = renderer
            .render(workspace, bulletin, ward, one.format)
            .unwrap();
        let key = format!("{} {} {} {}", one.channel, one.ward, one.due, content.text);
        *found.entry(key).or_default() += 1;
    }
    found
}

/// Schedules as an editor might change them: times, days, rotations, names, validity.
fn edited() -> impl Strategy<Value = String> {
    let times = prop::sample::subsequence(vec!["05:30", "06:00", "12:00", "17:00", "23:50"], 1..=3);
    let days =
        prop::sample::subsequence(vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 1..=7);
    let choices = prop::sample::select(vec![
        "{ only: [mot] }",
        "{ only: [hai] }",
        "{ rotate: { list: [mot, hai] } }",
        "{ rotate: { list: [hai, mot] } }",
        "{ rotate: { topic: gia-danh } }",
    ]);
    let targets = prop::sample::select(vec![
        "{ kind: loudspeaker }",
        "{ wards: [hung-binh] }",
        "{ channels: [loa-hb-1, web-ll] }",
    ]);
    let names = prop::sample::select(vec!["a", "b", "c"]);
    let until = prop::sample::select(vec!["2024-03-27", "2024-12-31"]);
    let one = (names, times, days, choices, targets, until).prop_map(
        |(name, times, days, choice, to, until)| {
            let text = format!(
                "    when: {{ at: [{}], days: [{}] }}\n    valid: {{ until: {until} }}\n    bulletins: {choice}\n    to: {to}\n    missed: skip\n",
                times.iter().map(|time| format!("\"{time}\"")).collect::<Vec<_>>().join(", "),
                days.join(", "),
            );
            (name, text)
        },
    );
    prop::collection::vec(one, 1..=3).prop_map(|all| {
        let all: BTreeMap<_, _> = all.into_iter().collect();
        let all = all.iter().map(|(name, text)| format!("  {name}:\n{text}"));
        format!("schedules:\n{}", all.collect::<String>())
    })
}

/// Whatever the edit: what was heard, less what the effects say was, with what they say is, is what will be heard.
#[test]
fn effects_lead_from_what_was_heard_to_what_will_be() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(
        Config {
            cases: 60,
            failure_persistence: None,
            ..Config::default()
        },
        rng,
    );
    let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
    let (from, until) = (
        at("2024-03-25T05:45:00+07:00"),
        at("2024-03-29T13:00:00+07:00"),
    );
    let words = prop::sample::select(vec!["lời thứ nhất", "lời khác hẳn"]);
    runner
        .run(&(edited(), edited(), words), |(before, after, words)| {
            let (old, new) = (Folder::small(), Folder::small());
            old.write("schedules/lich.yaml", &before);
            new.write("schedules/lich.yaml", &after);
            new.write("content/bulletins/mot.yaml", &bulletin(words));
            let (old, new) = (old.load(), new.load());
            let (one, other) = (Renderer::new(&old).0, Renderer::new(&new).0);
            let sides = [
                Side {
                    workspace: &old,
                    renderer: &one,
                },
                Side {
                    workspace: &new,
                    renderer: &other,
                },
            ];
            let effects = effect::effects(sides[0], sides[1], from, until, |_| true);
            let mut sum = heard(&old, from, until);
            let mut count = |side: Side<'_>, broadcast: &Option<Broadcast>, by: i64| {
                let Some(broadcast) = broadcast else { return };
                let planned = &broadcast.planned;
                if !(from..until).contains(&planned.due) {
                    return;
                }
                let bulletin = &side.workspace.bulletins[&broadcast.bulletin];
                let ward = side.workspace.ward(&planned.ward).unwrap();
                let content = side
                    .renderer
                    .render(side.workspace, bulletin, ward, planned.format)
                    .unwrap();
                let key = format!(
                    "{} {} {} {}",
                    planned.channel, planned.ward, planned.due, content.text
                );
                *sum.entry(key).or_default() += by;
            };
            for effect in &effects.list {
                count(sides[0], &effect.before, -1);
                count(sides[1], &effect.after, 1);
                let ends = [&effect.before, &effect.after].into_iter().flatten();
                prop_assert!(
                    ends.clone()
                        .any(|one| (from..until).contains(&one.planned.due))
                );
            }
            sum.retain(|_, count| *count != 0);
            prop_assert_eq!(sum, heard(&new, from, until));
            Ok(())
        })
        .unwrap();
}
