//! Airtime targets: what fits and what does not, and a random week against rules that are checked second by second, with
//! every other beginning tried where the plan says that there is none. Everything comes from fixed seeds.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{NaiveDate, TimeDelta};
use loa::domain::{
    id::{BulletinId, ScheduleId, WardId},
    plan::{Plan, PlannedDelivery},
    policy::{Policy, Sessions},
    target::{AirtimeTarget, Cap, Filling},
    time::Timestamp,
    workspace::Workspace,
};

use super::{at, edited, rule, schedule};
use crate::support::{dice::Dice, workspace::Folder};

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
    assert_eq!(obstacles(&ll), [String::new(); 0]);
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

const LENGTHS: [(&str, u64); 4] = [("a", 30), ("b", 60), ("c", 130), ("d", 240)];
const CHANNELS: [(&str, &str); 3] = [
    ("loa-hb-1", "hung-binh"),
    ("loa-hb-2", "hung-binh"),
    ("loa-ll-1", "le-loi"),
];

fn random(dice: &mut Dice) -> Workspace {
    let mut lines = Vec::new();
    for number in 0..dice.below(4) {
        let minute = if dice.one_in(2) { 330 } else { 1_000 } + dice.below(70);
        let clock = format!("{:02}:{:02}", minute / 60, minute % 60);
        let (bulletin, _) = LENGTHS[dice.below(4) as usize];
        let names: Vec<&str> = CHANNELS
            .iter()
            .filter(|_| dice.one_in(2))
            .map(|one| one.0)
            .collect();
        if !names.is_empty() {
            let only = format!("{{ only: {bulletin} }}");
            lines.push(schedule(
                &format!("s{number}"),
                &clock,
                &only,
                &names.join(", "),
                "",
            ));
        }
    }
    let minutes = |minutes: u32| Duration::from_secs(u64::from(minutes) * 60);
    let sessions = Sessions {
        per_day: dice.one_in(2).then(|| 1 + dice.below(3)),
        longest: dice.one_in(2).then(|| minutes(3 + dice.below(10))),
        longest_day: dice.one_in(3).then(|| minutes(6 + dice.below(10))),
        gap: minutes(1 + dice.below(10)),
    };
    let mut workspace = city(TARGET, &lines, &LENGTHS, sessions);
    workspace.policy = Policy {
        rules: vec![rule(
            "Giờ loa",
            &[(330, 350 + dice.below(40)), (1_000, 1_020 + dice.below(60))],
            sessions,
        )],
    };
    let wanted = AirtimeTarget {
        weekly: minutes(5 + dice.below(60)),
        cap: Cap {
            per_day: 1 + dice.below(2),
            per_week: dice.one_in(2).then(|| 2 + dice.below(5)),
        },
        windows: None,
    };
    let schedule = workspace.schedules.get_mut("them").unwrap();
    schedule.when = loa::domain::calendar::When::Target(wanted);
    workspace
}

/// What is heard of a ward's own loudspeakers.
#[derive(Debug, Clone)]
struct Span {
    channel: String,
    ward: String,
    from: i64,
    until: i64,
    reserved: i64,
    bulletin: String,
    schedule: ScheduleId,
}

fn span(one: &PlannedDelivery) -> Span {
    let length = one.length.unwrap();
    let micros = |length: Duration| i64::try_from(length.as_micros()).unwrap();
    let from = one.due.as_micros();
    Span {
        channel: one.channel.to_string(),
        ward: one.ward.to_string(),
        from,
        until: from + micros(length),
        reserved: from + micros(length + length / 20),
        bulletin: one.bulletin.as_ref().unwrap().to_string(),
        schedule: one.schedule.clone(),
    }
}

const MICROS: i64 = 1_000_000;

/// Whether a broadcast may be heard besides others of its day: both wards hear each other.
fn may(span: &Span, others: &[Span], midnight: i64, policy: &Policy) -> bool {
    let between = 5 * MICROS;
    let meets = |other: &Span| {
        let is_chorus = other.channel != span.channel
            && other.from == span.from
            && (other.bulletin == span.bulletin
                || (other.schedule == span.schedule && span.schedule.as_str() != "them"));
        span.from < other.reserved + between && other.from < span.reserved + between && !is_chorus
    };
    if others.iter().any(meets) {
        return false;
    }
    let rule = &policy.rules[0];
    let is_open = rule.windows.iter().flatten().any(|window| {
        let second = |time: chrono::NaiveTime| {
            midnight + i64::from(chrono::Timelike::num_seconds_from_midnight(&time)) * MICROS
        };
        second(window.hours.from) <= span.from && span.until <= second(window.hours.until.unwrap())
    });
    let mut heard: Vec<(i64, i64)> = others
        .iter()
        .filter(|other| other.ward == span.ward)
        .chain([span])
        .map(|span| (span.from, span.until))
        .collect();
    heard.sort_unstable();
    let gap = i64::try_from(rule.sessions.gap.as_micros()).unwrap();
    let mut sessions: Vec<(i64, i64)> = Vec::new();
    for (from, until) in heard {
        match sessions.last_mut() {
            Some(last) if from < last.1 + gap => last.1 = last.1.max(until),
            _ => sessions.push((from, until)),
        }
    }
    let lengths: Vec<i64> = sessions.iter().map(|(from, until)| until - from).collect();
    let most = |limit: Option<Duration>| {
        limit.map_or(i64::MAX, |most| i64::try_from(most.as_micros()).unwrap())
    };
    is_open
        && rule
            .sessions
            .per_day
            .is_none_or(|most| lengths.len() <= most as usize)
        && lengths
            .iter()
            .all(|length| *length <= most(rule.sessions.longest))
        && lengths.iter().sum::<i64>() <= most(rule.sessions.longest_day)
}

#[test]
fn random_weeks_break_no_rule_and_what_is_missing_has_no_place() {
    let mut dice = Dice(0x7a6);
    let (mut met, mut short, mut filled) = (0, 0, 0);
    for round in 0..24 {
        let workspace = random(&mut dice);
        let plan = Plan::new(&workspace);
        let all = week(&workspace);
        let mut without = workspace.clone();
        without.schedules.remove("them");
        let is_filling = |one: &&PlannedDelivery| one.schedule.as_str() == "them";
        // Schedules keep what they have.
        let kept: Vec<_> = all
            .iter()
            .filter(|one| !is_filling(one))
            .map(|one| (&one.id, one.due, &one.skip))
            .collect();
        let alone = week(&without);
        assert_eq!(
            kept,
            alone
                .iter()
                .map(|one| (&one.id, one.due, &one.skip))
                .collect::<Vec<_>>(),
            "round {round}"
        );
        // However it is asked for, it is the same plan.
        let cut =
            at("2024-03-25T00:00:00") + Duration::from_secs(u64::from(dice.below(7 * 86_400)));
        let mut pieces: Vec<_> = plan.deliveries(at("2024-03-25T00:00:00"), cut).collect();
        pieces.extend(Plan::new(&workspace).deliveries(cut, at("2024-04-01T00:00:00")));
        assert_eq!(pieces, all, "round {round}");

        let target = workspace.schedules["them"].target().unwrap().clone();
        let fillings = fillings(&workspace);
        for day in 0..7_i64 {
            let midnight = at("2024-03-25T00:00:00").as_micros() + day * 86_400 * MICROS;
            let heard: Vec<Span> = all
                .iter()
                .filter(|one| one.skip.is_none() && one.length.is_some())
                .filter(|one| (0..86_400 * MICROS).contains(&(one.due.as_micros() - midnight)))
                .map(span)
                .collect();
            for (index, one) in heard.iter().enumerate() {
                let mut others = heard.clone();
                others.remove(index);
                assert!(
                    may(one, &others, midnight, &workspace.policy),
                    "round {round}: {one:?} of {heard:#?}"
                );
                filled += usize::from(one.schedule.as_str() == "them");
            }
            for filling in fillings.iter().filter(|filling| !filling.short().is_zero()) {
                no_place(&workspace, &all, filling, (&heard, midnight), round);
            }
        }
        for filling in &fillings {
            let least = CHANNELS
                .iter()
                .filter(|one| one.1 == filling.ward.as_str())
                .map(|(channel, _)| {
                    let here = all
                        .iter()
                        .filter(|one| one.channel.as_str() == *channel && one.skip.is_none());
                    here.filter(|one| one.topic.as_ref() == Some(&filling.topic))
                        .filter_map(|one| one.length)
                        .sum::<Duration>()
                });
            assert_eq!(least.min().unwrap(), filling.planned);
            assert_eq!(filling.wanted, target.weekly);
            if filling.short().is_zero() {
                met += 1;
                assert!(filling.obstacles.is_empty());
            } else {
                short += 1;
                assert!(!filling.obstacles.is_empty(), "round {round}: {filling:#?}");
            }
        }
        caps(&all, target.cap, round);
    }
    assert!(
        met > 8 && short > 8 && filled > 300,
        "{met} {short} {filled}"
    );
}

/// Tries every beginning of a day, minute by minute, for everything that the cap allows.
fn no_place(
    workspace: &Workspace,
    all: &[PlannedDelivery],
    filling: &Filling,
    (heard, midnight): (&[Span], i64),
    round: u32,
) {
    let cap = workspace.schedules["them"].target().unwrap().cap;
    for (bulletin, seconds) in LENGTHS {
        let day = midnight..midnight + 86_400 * MICROS;
        let (today, week) = times(all, &filling.ward, bulletin, &day);
        if today >= cap.per_day as usize || cap.per_week.is_some_and(|most| week >= most as usize) {
            continue;
        }
        let channels = CHANNELS.iter().filter(|one| one.1 == filling.ward.as_str());
        for second in (330 * 60..1_110 * 60).step_by(20) {
            let fits = channels.clone().all(|(channel, ward)| {
                let from = midnight + second * MICROS;
                let length = i64::try_from(seconds).unwrap() * MICROS;
                let span = Span {
                    channel: (*channel).to_owned(),
                    ward: (*ward).to_owned(),
                    from,
                    until: from + length,
                    reserved: from + length + length / 20,
                    bulletin: bulletin.to_owned(),
                    schedule: ScheduleId::parse("them").unwrap(),
                };
                may(&span, heard, midnight, &workspace.policy)
            });
            let at = Timestamp::from_micros(midnight + second * MICROS).to_rfc3339();
            assert!(
                !fits,
                "round {round}: {bulletin} fits into {at}: {filling:#?} {heard:#?} {:#?}",
                workspace.policy
            );
        }
    }
}

/// How often a ward hears a bulletin on a day, and in the week.
fn times(
    all: &[PlannedDelivery],
    ward: &WardId,
    bulletin: &str,
    day: &std::ops::Range<i64>,
) -> (usize, usize) {
    let here = all
        .iter()
        .filter(|one| one.ward == *ward && one.skip.is_none());
    let begins: BTreeSet<i64> = here
        .filter(|one| {
            one.bulletin
                .as_ref()
                .is_some_and(|id| id.as_str() == bulletin)
        })
        .map(|one| one.due.as_micros())
        .collect();
    (
        begins.iter().filter(|at| day.contains(at)).count(),
        begins.len(),
    )
}

/// What fills a target never goes beyond the cap.
fn caps(all: &[PlannedDelivery], cap: Cap, round: u32) {
    let mut heard: BTreeMap<(&WardId, &BulletinId), Vec<(Timestamp, bool)>> = BTreeMap::new();
    for one in all.iter().filter(|one| one.skip.is_none()) {
        let list = heard
            .entry((&one.ward, one.bulletin.as_ref().unwrap()))
            .or_default();
        let airing = (one.due, one.schedule.as_str() == "them");
        if !list.contains(&airing) {
            list.push(airing);
        }
    }
    for (key, list) in heard {
        let day = |at: Timestamp| (at.to_utc() + TimeDelta::hours(7)).date_naive();
        let fills: Vec<Timestamp> = list.iter().filter(|one| one.1).map(|one| one.0).collect();
        for at in &fills {
            let today = list.iter().filter(|one| day(one.0) == day(*at)).count();
            assert!(
                today <= cap.per_day as usize,
                "round {round}: {key:?} {list:?}"
            );
        }
        if let Some(most) = cap.per_week.filter(|_| !fills.is_empty()) {
            assert!(
                list.len() <= most as usize,
                "round {round}: {key:?} {list:?}"
            );
        }
    }
}
