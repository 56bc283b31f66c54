//! Random weeks against rules that are checked one by one, with other beginnings tried every twenty seconds where the plan says
//! that there is none. Everything comes from fixed seeds.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{NaiveTime, TimeDelta, Timelike};
use loa::domain::{
    calendar::When,
    id::{BulletinId, ScheduleId, WardId},
    plan::{Plan, PlannedDelivery},
    policy::{Policy, Sessions},
    target::{AirtimeTarget, Cap, Filling},
    time::Timestamp,
    workspace::Workspace,
};

use super::{
    super::{at, rule, schedule},
    TARGET, city, fillings, week,
};
use crate::support::dice::Dice;

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
    schedule.when = When::Target(wanted);
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
        let second =
            |time: NaiveTime| midnight + i64::from(time.num_seconds_from_midnight()) * MICROS;
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
