//! What will be heard in the next weeks: the plan is asked once, so that what is said here and what will happen are the same.

use chrono::{Days, NaiveDate, NaiveTime};

use crate::{
    domain::{
        calendar::{local, resolve},
        plan::Plan,
        time::Timestamp,
        workspace::Workspace,
    },
    source::{
        notebook::Notebook,
        raw::{policy::RawRule, schedule::RawSchedule},
    },
};

use super::{collisions::Collisions, hours::Refusals, policy::turning_days, targets};

/// Days that are looked at from each day on which other rules hold: every weekday twice.
const DAYS: u64 = 14;

/// Rules that begin later than this are looked at when they come nearer.
const LOOK_AHEAD: u64 = 60;

pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    schedules: &[RawSchedule],
    rules: &[RawRule],
    day: Option<NaiveDate>,
) {
    let (mut collisions, mut refusals) = (Collisions::default(), Refusals::default());
    let plan = Plan::new(workspace);
    let spans = spans(workspace, schedules, day);
    if let Some((from, _)) = spans.first() {
        let first = local(*from, workspace.settings.zone).date();
        targets::check_reach(notebook, workspace, &plan, schedules, first);
    }
    for (from, until) in spans {
        for (delivery, waits) in plan.judged(from, until) {
            refusals.take(&delivery);
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

/// Two weeks from today, or from where it is not known what day it is the first on which all schedules have begun; and two weeks
/// from each day soon after on which other rules hold.
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
    let midnight = |day: NaiveDate| resolve(day.and_time(NaiveTime::MIN), zone);
    let mut spans: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    let later = turning
        .into_iter()
        .filter(|day| first < *day && *day <= last);
    for from in std::iter::once(first).chain(later) {
        let until = after(from, DAYS);
        match spans.last_mut() {
            Some((_, end)) if from <= *end => *end = until,
            _ => spans.push((from, until)),
        }
    }
    spans
        .into_iter()
        .map(|(from, until)| (midnight(from), midnight(until)))
        .collect()
}
