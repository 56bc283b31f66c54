//! Broadcasts that the rules for what is heard refuse: outside the hours, too long, too many. The plan itself is asked, so that
//! this and what will happen are the same.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, NaiveTime};

use crate::{
    catalogue::{self, Lang},
    diagnostic::{Arg, Code, Diagnostic, Phrase},
    domain::{
        calendar::{local, resolve},
        delivery::Reason,
        detail::Detail,
        id::{ScheduleId, WardId},
        plan::Plan,
        time::Timestamp,
        workspace::Workspace,
    },
    source::{
        notebook::Notebook,
        raw::{policy::RawRule, schedule::RawSchedule},
    },
};

use super::policy::turning_days;

/// Days that are looked at from each day on which other rules hold: every weekday twice.
const DAYS: u64 = 14;

/// Rules that begin later than this are looked at when they come nearer.
const LOOK_AHEAD: u64 = 60;

/// What one rule refuses of one schedule, in one way.
struct Case {
    wards: BTreeSet<WardId>,
    first: Timestamp,
    detail: Detail,
}

pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    schedules: &[RawSchedule],
    rules: &[RawRule],
    day: Option<NaiveDate>,
) {
    // What rules that are half read would refuse nobody knows.
    let is_whole = rules
        .first()
        .is_some_and(|raw| !notebook.has_errors_in(raw.at.file.path()));
    if !is_whole {
        return;
    }
    let mut cases: BTreeMap<(ScheduleId, String, String), Case> = BTreeMap::new();
    let mut heard: BTreeSet<ScheduleId> = BTreeSet::new();
    let plan = Plan::new(workspace);
    for (from, until) in spans(workspace, schedules, day) {
        for delivery in plan.deliveries(from, until) {
            let refused = delivery
                .skip
                .filter(|why| why.reason == Reason::Policy)
                .and_then(|why| Detail::parse(why.detail.as_deref()?));
            let Some(detail) = refused else {
                if delivery.length.is_some() {
                    heard.insert(delivery.schedule);
                }
                continue;
            };
            let rule = detail.get("rule").unwrap_or_default().to_owned();
            let key = (delivery.schedule, detail.code().to_owned(), rule);
            let case = cases.entry(key).or_insert_with(|| Case {
                wards: BTreeSet::new(),
                first: delivery.scheduled,
                detail,
            });
            case.wards.insert(delivery.ward);
        }
    }
    for ((schedule, _, rule), case) in cases {
        let raw = schedules.iter().find(|raw| raw.schedule.id == schedule);
        let Some(at) = raw.and_then(|raw| raw.when.clone()) else {
            continue;
        };
        let why = |lang| {
            let arguments = case.detail.arguments();
            catalogue::detail(lang, case.detail.code(), arguments).unwrap_or_default()
        };
        let first = local(case.first, workspace.settings.zone);
        let (code, help) = if heard.contains(&schedule) {
            (Code::PartlyRefused, "L210-help")
        } else {
            (Code::NeverPermitted, "L211-help")
        };
        let mut mistake = Diagnostic::new(code, at)
            .with("count", case.wards.len())
            .with("ward", case.wards.first().map_or("", WardId::as_str))
            .with("when", first.format("%H:%M, %d/%m/%Y").to_string())
            .with(
                "why",
                Arg::Said {
                    vi: why(Lang::Vi),
                    en: why(Lang::En),
                },
            )
            .help(Phrase::new(help));
        if let Some(raw) = rules.iter().find(|raw| raw.rule.name == rule) {
            mistake = mistake.note(raw.at.clone(), Phrase::new("note-rule"));
        }
        notebook.report(mistake);
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
