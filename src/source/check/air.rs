//! What will be heard in the next weeks: the plan is asked once, so that what is said here and what will happen are the same.

use chrono::{Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use crate::{
    domain::{
        calendar::{local, resolve},
        plan::Plan,
        schedule::Schedule,
        time::Timestamp,
        workspace::Workspace,
    },
    source::{
        notebook::Notebook,
        raw::{channel::RawChannel, policy::RawRule, schedule::RawSchedule},
    },
};

use super::{collisions::Collisions, hours::Refusals, policy::turning_days, quotas, targets};

/// Days that are looked at from each day on which other rules hold: every weekday twice.
const DAYS: u64 = 14;

/// What fires on fewer days of these is looked at on so many of its own days, as far as a year ahead: once a month is on another
/// weekday each time.
const OFTEN: usize = 2;
const OWN_DAYS: usize = 12;
const YEAR: u64 = 366;

/// Rules that begin later than this are looked at when they come nearer.
const LOOK_AHEAD: u64 = 60;

pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    (schedules, rules, channels): (&[RawSchedule], &[RawRule], &[RawChannel]),
    day: Option<NaiveDate>,
) {
    let (mut collisions, mut refusals) = (Collisions::default(), Refusals::default());
    let plan = Plan::new(workspace);
    let spans = spans(workspace, schedules, day);
    if let Some((from, _)) = spans.first() {
        let first = local(*from, workspace.settings.zone).date();
        targets::check_reach(notebook, workspace, &plan, schedules, first);
    }
    quotas::check(notebook, workspace, channels, &spans);
    for (from, until) in spans {
        for (delivery, waits) in plan.scheduled(from, until) {
            refusals.take(&delivery, waits.as_ref());
            collisions.take(delivery, waits);
        }
    }
    collisions.report(notebook, workspace, schedules);
    // What rules that are half read would refuse nobody knows.
    let is_whole = rules
        .first()
        .is_some_and(|raw| !notebook.has_errors_in(raw.at.file.path()));
    if is_whole {
        refusals.report(notebook, workspace, schedules, rules);
    }
}

/// Two weeks from today, or from where it is not known what day it is the first on which all schedules have begun; two weeks
/// from each day soon after on which other rules hold; and the days of what fires seldom.
fn spans(
    workspace: &Workspace,
    schedules: &[RawSchedule],
    day: Option<NaiveDate>,
) -> Vec<(Timestamp, Timestamp)> {
    let turning = turning_days(workspace.policy.rules.iter());
    let begins = schedules.iter().filter_map(|raw| raw.schedule.valid.from);
    let first = day
        .or_else(|| begins.max())
        .or_else(|| turning.first().copied());
    let Some(first) = first else {
        return Vec::new();
    };
    let after = |day: NaiveDate, days| day.checked_add_days(Days::new(days)).unwrap_or(day);
    let last = after(first, LOOK_AHEAD);
    let zone = workspace.settings.zone;
    let later = turning
        .into_iter()
        .filter(|day| first < *day && *day <= last);
    let weeks = std::iter::once(first)
        .chain(later)
        .map(|from| (from, after(from, DAYS)));
    let rare = schedules.iter().flat_map(|raw| {
        let days = own_days(&raw.schedule, (first, after(first, YEAR)), zone);
        let is_often = days
            .get(OFTEN - 1)
            .is_some_and(|day| *day < after(first, DAYS));
        let days = days.into_iter().filter(move |_| !is_often);
        days.map(|day| (day, after(day, 1)))
    });
    let mut all: Vec<(NaiveDate, NaiveDate)> = weeks.chain(rare).collect();
    all.sort_unstable();
    let mut spans: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    for (from, until) in all {
        match spans.last_mut() {
            Some((_, end)) if from <= *end => *end = until.max(*end),
            _ => spans.push((from, until)),
        }
    }
    spans
        .into_iter()
        .map(|(from, until)| (midnight(from, zone), midnight(until, zone)))
        .collect()
}

/// The first days of `zone` from the one day on, and before the other, on which a schedule fires.
fn own_days(
    schedule: &Schedule,
    (from, until): (NaiveDate, NaiveDate),
    zone: Tz,
) -> Vec<NaiveDate> {
    let mut days = Vec::new();
    let mut next = schedule.valid.from.unwrap_or(from).max(from);
    while days.len() < OWN_DAYS
        && let Some(firing) = schedule.when.next(schedule.zone, midnight(next, zone))
    {
        let day = local(firing.at, zone).date();
        if day >= until
            || schedule
                .valid
                .until
                .is_some_and(|last| firing.wall.date() > last)
        {
            break;
        }
        days.push(day);
        next = day.max(next).succ_opt().unwrap_or(until);
    }
    days
}

fn midnight(day: NaiveDate, zone: Tz) -> Timestamp {
    resolve(day.and_time(NaiveTime::MIN), zone)
}
