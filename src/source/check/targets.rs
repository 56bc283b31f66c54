//! Airtime targets: that what they ask for is heard and has hours to be filled, and whether the plan reaches it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use crate::{
    catalogue::{self, Lang},
    diagnostic::{Arg, Code, Diagnostic, Phrase},
    domain::{
        channel::Channel,
        detail::Detail,
        id::{ScheduleId, WardId},
        plan::Plan,
        schedule::Schedule,
        target::Filling,
        time::minutes_seconds,
        workspace::Workspace,
    },
    source::{notebook::Notebook, raw::schedule::RawSchedule},
};

/// Weeks that are looked at from a day on: its own and the two after it.
const WEEKS: u64 = 3;

/// Checks what can be said without a plan.
pub(super) fn check(notebook: &Notebook, workspace: &Workspace, schedules: &[RawSchedule]) {
    for raw in schedules {
        let (Some(_), Some(to)) = (raw.schedule.target(), &raw.to) else {
            continue;
        };
        let channels = workspace.channels.values();
        let others: Vec<&Channel> = channels
            .filter(|channel| raw.schedule.to.include(channel) && !channel.is_heard())
            .collect();
        if let Some(channel) = others.first() {
            let diagnostic = Diagnostic::new(Code::TargetNotHeard, to.clone())
                .with("count", others.len())
                .with("channel", channel.id.as_str());
            notebook.report(diagnostic.help(Phrase::new("L240-help")));
        }
        let without = without_hours(workspace, &raw.schedule);
        // Rules that could not be read may have some.
        let is_read = !notebook.has_errors_in("schedules/policy.yaml");
        if let Some(ward) = without.first().filter(|_| is_read) {
            let diagnostic = Diagnostic::new(Code::TargetWithoutHours, raw.at.clone())
                .with("count", without.len())
                .with("ward", ward.as_str());
            notebook.report(diagnostic.help(Phrase::new("L241-help")));
        }
    }
}

/// The wards in which nothing ever says which hours a target may fill.
fn without_hours<'w>(workspace: &'w Workspace, schedule: &Schedule) -> BTreeSet<&'w WardId> {
    let names_hours = schedule
        .target()
        .is_some_and(|target| target.windows.is_some());
    let heard = workspace
        .channels
        .values()
        .filter(|channel| !names_hours && channel.is_heard() && schedule.to.include(channel));
    let has_hours = |ward: &WardId| {
        let mut rules = workspace.policy.rules.iter();
        rules.any(|rule| rule.windows.is_some() && rule.covers(ward))
    };
    let wards = heard.map(|channel| &channel.ward);
    wards.filter(|ward| !has_hours(ward)).collect()
}

/// What one target does not reach.
struct Case {
    wards: BTreeSet<WardId>,
    worst: (NaiveDate, Filling),
}

/// Says which targets the plan does not reach in the next weeks, by how much and why.
pub(super) fn check_reach(
    notebook: &Notebook,
    workspace: &Workspace,
    plan: &Plan<'_>,
    schedules: &[RawSchedule],
    first: NaiveDate,
) {
    if schedules.iter().all(|raw| raw.schedule.target().is_none()) {
        return;
    }
    let mut cases: BTreeMap<ScheduleId, Case> = BTreeMap::new();
    let weeks = (0..WEEKS).filter_map(|week| first.checked_add_days(Days::new(7 * week)));
    for (day, filling) in plan.fillings(weeks) {
        // What has no hours was said already.
        let schedule = workspace.schedules.get(&filling.schedule);
        if filling.short().is_zero()
            || schedule.is_none_or(|schedule| !without_hours(workspace, schedule).is_empty())
        {
            continue;
        }
        let case = cases
            .entry(filling.schedule.clone())
            .or_insert_with(|| Case {
                wards: BTreeSet::new(),
                worst: (day, filling.clone()),
            });
        case.wards.insert(filling.ward.clone());
        if filling.short() > case.worst.1.short() {
            case.worst = (day, filling);
        }
    }
    for (schedule, Case { wards, worst }) in cases {
        let raw = schedules.iter().find(|raw| raw.schedule.id == schedule);
        let Some(at) = raw.and_then(|raw| raw.when.clone()) else {
            continue;
        };
        let (monday, filling) = worst;
        let why = Arg::Said {
            vi: obstacles(&filling.obstacles, Lang::Vi),
            en: obstacles(&filling.obstacles, Lang::En),
        };
        let diagnostic = Diagnostic::new(Code::TargetNotMet, at)
            .with("count", wards.len())
            .with("ward", filling.ward.as_str())
            .with("week", monday.format("%d/%m/%Y").to_string())
            .with("planned", minutes_seconds(filling.planned))
            .with("wanted", minutes_seconds(filling.wanted))
            .with("why", why);
        notebook.report(diagnostic.help(Phrase::new("L242-help")));
    }
}

fn obstacles(obstacles: &[(Detail, usize)], lang: Lang) -> String {
    let said = obstacles.iter().filter_map(|(detail, days)| {
        catalogue::obstacle(lang, detail.code(), detail.arguments(), *days)
    });
    said.collect::<Vec<_>>().join("; ")
}
