//! Airtime targets: what fits and what does not.

mod random;
mod shuffled;

use std::{collections::BTreeSet, time::Duration};

use chrono::{NaiveDate, TimeDelta};
use loa::domain::{
    id::BulletinId,
    plan::{Plan, PlannedDelivery},
    policy::Sessions,
    target::Filling,
    workspace::Workspace,
};

use super::{at, edited, rule, schedule};
use crate::support::workspace::Folder;

const OFFICE: &str = "rules:\n  khung:\n    name: Khung\n    source: { document: QĐ, year: 2024 }\n    windows: [{ from: \"05:30\", until: \"07:00\" }]\n";

/// Mornings and afternoons of every day.
const HOURS: [(u32, u32); 2] = [(330, 420), (990, 1_110)];

/// A workspace with a topic of its own: bulletins by name and seconds (`x` is about something else), its schedules, and one target in `loa-hb-1` and
/// `loa-hb-2` of Hưng Bình and `loa-ll-1` of Lê Lợi.
fn city(
    target: &str,
    schedules: &[String],
    bulletins: &[(&str, u64)],
    sessions: Sessions,
) -> Workspace {
    let all: Vec<(&str, u64, &str)> = bulletins
        .iter()
        .map(|(id, seconds)| (*id, *seconds, "normal"))
        .collect();
    let schedules = if schedules.is_empty() {
        String::new()
    } else {
        format!("schedules:\n{}", schedules.concat())
    };
    let text = format!("{schedules}targets:\n  them: {target}\n");
    let topic = |folder: &Folder| {
        folder.edit(
            "content/topics.yaml",
            "topics:",
            "topics:\n  thu: { title: Thử }",
        );
        folder.write("schedules/policy.yaml", OFFICE);
        for (id, _) in bulletins.iter().filter(|(id, _)| *id != "x") {
            let path = format!("content/bulletins/{id}.yaml");
            folder.edit(&path, "topic: gia-danh", "topic: thu");
        }
    };
    let mut workspace = edited(&text, &all, topic);
    workspace.policy.rules = vec![rule("Giờ loa", &HOURS, sessions)];
    workspace
}

const TARGET: &str = "{ topic: thu, minutes: 6, to: { kind: loudspeaker } }";

fn week(workspace: &Workspace) -> Vec<PlannedDelivery> {
    Plan::new(workspace)
        .deliveries(at("2024-03-25T00:00:00"), at("2024-04-01T00:00:00"))
        .collect()
}

fn monday() -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 3, 25).unwrap()
}

fn fillings(workspace: &Workspace) -> Vec<Filling> {
    let plan = Plan::new(workspace);
    let fillings = plan.fillings([monday()]);
    fillings.map(|(_, filling)| filling).collect()
}

fn obstacles(filling: &Filling) -> Vec<String> {
    let obstacles = filling.obstacles.iter();
    obstacles
        .map(|(detail, days)| format!("{detail} ×{days}"))
        .collect()
}

/// What a channel says of the target, as `Mon 05:30:00 a`.
fn shown(deliveries: &[PlannedDelivery], channel: &str) -> Vec<String> {
    let here = deliveries
        .iter()
        .filter(|one| one.channel.as_str() == channel);
    here.map(|one| {
        assert_eq!(one.skip, None);
        let due = one.due.to_utc() + TimeDelta::hours(7);
        let bulletin = one.bulletin.as_ref().map_or("-", BulletinId::as_str);
        format!("{} {bulletin}", due.format("%a %H:%M:%S"))
    })
    .collect()
}

const MINUTES: [(&str, u64); 3] = [("a", 60), ("b", 60), ("c", 60)];

#[test]
fn a_target_that_fits_is_spread_over_days_and_times_and_takes_turns() {
    let workspace = city(TARGET, &[], &MINUTES, Sessions::default());
    let plan = week(&workspace);
    let expected = [
        "Mon 05:30:00 b",
        "Tue 16:30:00 a",
        "Wed 05:30:00 c",
        "Thu 16:30:00 b",
        "Fri 05:30:00 a",
        "Sun 16:30:00 c",
    ];
    for channel in ["loa-hb-1", "loa-hb-2", "loa-ll-1"] {
        assert_eq!(shown(&plan, channel), expected, "{channel}");
    }
    for filling in fillings(&workspace) {
        assert_eq!(filling.planned, Duration::from_mins(6));
        assert_eq!(filling.wanted, Duration::from_mins(6));
        assert!(filling.obstacles.is_empty());
    }
    let ids: BTreeSet<_> = plan.iter().map(|one| &one.id).collect();
    assert_eq!(ids.len(), 18);
}

#[test]
fn weeks_take_turns_too() {
    let target = TARGET.replace("minutes: 6", "minutes: 2");
    let workspace = city(&target, &[], &MINUTES, Sessions::default());
    let all: Vec<_> = Plan::new(&workspace)
        .deliveries(at("2024-03-25T00:00:00"), at("2024-06-17T00:00:00"))
        .collect();
    let said: Vec<String> = shown(&all, "loa-hb-1");
    assert_eq!(said.len(), 24);
    let last: Vec<char> = said.iter().filter_map(|line| line.chars().last()).collect();
    // At the beginning of a run of weeks the week before it is known as if nothing had been before.
    let repeated = last
        .windows(3)
        .filter(|three| three.iter().collect::<BTreeSet<_>>().len() < 3);
    assert!(repeated.count() <= 4, "{last:?}");
}

#[test]
fn what_schedules_say_counts_and_a_chorus_counts_once() {
    let channels = "loa-hb-1, loa-hb-2";
    let daily = schedule("a", "05:30", "{ only: a }", channels, "");
    let workspace = city(TARGET, &[daily], &MINUTES, Sessions::default());
    // Seven minutes there, nothing in the other ward.
    let plan = week(&workspace);
    assert!(
        shown(&plan, "loa-hb-1")
            .iter()
            .all(|line| line.contains("05:30:00 a"))
    );
    assert_eq!(shown(&plan, "loa-hb-1").len(), 7);
    assert_eq!(shown(&plan, "loa-ll-1").len(), 6);
    let [hb, ll] = fillings(&workspace).try_into().unwrap();
    assert_eq!(hb.ward.as_str(), "hung-binh");
    assert_eq!(
        (hb.planned, ll.planned),
        (Duration::from_mins(7), Duration::from_mins(6))
    );

    // What only one of a ward's two loudspeakers says does not reach those who hear the other.
    let one = schedule("a", "05:30", "{ only: a }", "loa-hb-1", "");
    let workspace = city(TARGET, &[one], &MINUTES, Sessions::default());
    let plan = week(&workspace);
    assert_eq!(shown(&plan, "loa-hb-2").len(), 6);
    assert_eq!(shown(&plan, "loa-hb-1").len(), 13);
    assert_eq!(fillings(&workspace)[0].planned, Duration::from_mins(6));
}

#[test]
fn no_bulletin_is_heard_more_often_than_its_cap() {
    let target = TARGET
        .replace("{ topic", "{ cap: { per_day: 2, per_week: 3 }, topic")
        .replace("minutes: 6", "minutes: 30");
    let daily = schedule("a", "05:30", "{ only: a }", "loa-hb-1, loa-hb-2", "");
    let workspace = city(&target, &[daily], &MINUTES, Sessions::default());
    let plan = week(&workspace);
    let count = |channel: &str, bulletin: char| {
        let said = shown(&plan, channel);
        said.iter().filter(|line| line.ends_with(bulletin)).count()
    };
    assert_eq!(['a', 'b', 'c'].map(|id| count("loa-hb-1", id)), [7, 3, 3]);
    assert_eq!(['a', 'b', 'c'].map(|id| count("loa-ll-1", id)), [3, 3, 3]);
    let [hb, ll] = fillings(&workspace).try_into().unwrap();
    assert_eq!(hb.short(), Duration::from_mins(17));
    assert_eq!(obstacles(&hb), ["target-cap-week most=2; week=3 ×7"]);
    assert_eq!(obstacles(&ll), ["target-cap-week most=2; week=3 ×7"]);
}

#[test]
fn sessions_that_are_used_up_are_filled_and_then_named() {
    let sessions = Sessions {
        per_day: Some(1),
        longest: Some(Duration::from_mins(3)),
        ..Sessions::default()
    };
    let target = TARGET.replace("minutes: 6", "minutes: 20");
    let daily = schedule(
        "sang",
        "06:00",
        "{ only: x }",
        "loa-hb-1, loa-hb-2, loa-ll-1",
        "",
    );
    let mut bulletins = MINUTES.to_vec();
    bulletins.push(("x", 60));
    let workspace = city(&target, &[daily], &bulletins, sessions);
    let plan = week(&workspace);
    // One minute and its reserve, and five seconds of silence.
    assert_eq!(
        shown(&plan, "loa-ll-1")[..3],
        ["Mon 06:00:00 x", "Mon 06:01:08 b", "Tue 06:00:00 x"]
    );
    for filling in fillings(&workspace) {
        assert_eq!(filling.planned, Duration::from_mins(7));
        assert_eq!(
            obstacles(&filling),
            [
                "target-session rule=Giờ loa; document=QĐ 1, 2024; longest=3:00 ×7",
                "target-sessions rule=Giờ loa; document=QĐ 1, 2024; most=1 ×7"
            ]
        );
    }
}

#[test]
fn where_the_minutes_of_a_day_are_used_up_nothing_else_is_named_but_what_would_still_fit() {
    let sessions = Sessions {
        per_day: Some(1),
        longest: Some(Duration::from_mins(6)),
        longest_day: Some(Duration::from_secs(225)),
        ..Sessions::default()
    };
    let target = TARGET.replace("minutes: 6", "minutes: 60");
    let workspace = city(&target, &[], &[("ngan", 60), ("dai", 120)], sessions);
    let used_up = "target-day rule=Giờ loa; document=QĐ 1, 2024; longest=3:45 ×7";
    for filling in fillings(&workspace) {
        assert_eq!(filling.planned, Duration::from_mins(21));
        assert_eq!(obstacles(&filling), ["target-cap most=1 ×7"]);
    }
    let more = [("ngan", 60), ("dai", 120), ("vua", 90)];
    for filling in fillings(&city(&target, &[], &more, sessions)) {
        assert_eq!(obstacles(&filling), [used_up, "target-shorter most=1 ×5"]);
    }
}

#[test]
fn neighbours_say_the_same_at_the_same_time_or_wait_for_each_other() {
    let target = TARGET.replace("minutes: 6", "minutes: 7");
    // One ward has one broadcast of its own, so that turns differ.
    let own = schedule("rieng", "05:30", "{ only: a }", "loa-ll-1", "");
    let workspace = city(&target, &[own], &MINUTES, Sessions::default());
    let plan = week(&workspace);
    let mut spans: Vec<_> = plan
        .iter()
        .map(|one| (one.due, one.bulletin.clone(), one.length.unwrap()))
        .collect();
    spans.sort();
    spans.dedup();
    for pair in spans.windows(2) {
        assert!(pair[0].0 + pair[0].2 < pair[1].0, "{pair:#?}");
    }
}

#[test]
fn a_quiet_day_takes_nothing_and_emergencies_fill_nothing() {
    let target = TARGET.replace("minutes: 6", "minutes: 10.5");
    let folder = |folder: &Folder| {
        folder.edit(
            "content/topics.yaml",
            "topics:",
            "topics:\n  thu: { title: Thử }",
        );
        folder.write("schedules/policy.yaml", OFFICE);
        folder.write(
            "schedules/holidays.yaml",
            "days:\n  le: { name: Lễ, date: 2024-03-26, wards: [hung-binh] }\n",
        );
        for id in ["a", "b", "gap"] {
            folder.edit(
                &format!("content/bulletins/{id}.yaml"),
                "topic: gia-danh",
                "topic: thu",
            );
        }
    };
    let bulletins = [
        ("a", 60, "normal"),
        ("b", 40, "priority"),
        ("gap", 60, "emergency"),
    ];
    let mut workspace = edited(&format!("targets:\n  them: {target}\n"), &bulletins, folder);
    workspace.policy.rules = vec![rule("Giờ loa", &HOURS, Sessions::default())];
    let plan = week(&workspace);
    assert!(
        shown(&plan, "loa-hb-1")
            .iter()
            .all(|line| !line.starts_with("Tue"))
    );
    assert!(
        shown(&plan, "loa-ll-1")
            .iter()
            .any(|line| line.starts_with("Tue"))
    );
    assert!(
        plan.iter()
            .all(|one| one.bulletin.as_ref().unwrap().as_str() != "gap")
    );
    let [hb, ll] = fillings(&workspace).try_into().unwrap();
    assert_eq!(
        obstacles(&hb),
        ["target-cap most=1 ×6", "target-holiday name=Lễ ×1"]
    );
    assert!(ll.obstacles.is_empty());
    assert!(ll.short().is_zero());
}

#[test]
fn a_target_that_begins_in_a_week_wants_its_part_of_it() {
    let target = TARGET.replace("minutes: 6", "minutes: 7, valid: { from: 2024-03-29 }");
    let workspace = city(&target, &[], &MINUTES, Sessions::default());
    let said = shown(&week(&workspace), "loa-hb-1");
    assert_eq!(said.len(), 3);
    assert!(
        said.iter().all(|line| line.starts_with(['F', 'S'])),
        "{said:?}"
    );
}

#[test]
fn an_edit_that_moves_a_broadcast_does_not_make_another() {
    let before = city(TARGET, &[], &MINUTES, Sessions::default());
    let mut after = before.clone();
    after.policy.rules = vec![rule(
        "Giờ loa",
        &[(340, 420), (1_000, 1_110)],
        Sessions::default(),
    )];
    let (before, after) = (week(&before), week(&after));
    let ids = |plan: &[PlannedDelivery]| {
        plan.iter()
            .map(|one| one.id.clone())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&before), ids(&after));
    assert_ne!(before[0].due, after[0].due);
}
