//! Broadcasts that meet on one loudspeaker or among neighbours: what gives way, and to what, before anybody misses it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        calendar::{local, resolve},
        detail::Detail,
        id::{ChannelId, ScheduleId},
        plan::{Plan, PlannedDelivery, Why},
        workspace::Workspace,
    },
    source::{notebook::Notebook, raw::schedule::RawSchedule},
};

/// Days that are looked at: every weekday twice.
const DAYS: u64 = 14;

/// What one schedule loses, or waits for.
struct Case {
    channels: BTreeSet<ChannelId>,
    first: PlannedDelivery,
    why: Why,
}

pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    schedules: &[RawSchedule],
    day: Option<NaiveDate>,
) {
    let begins = schedules.iter().filter_map(|raw| raw.schedule.valid.from);
    // Without a day, the first on which all of them have begun.
    let Some(from) = day.or_else(|| begins.max()) else {
        return;
    };
    let zone = workspace.settings.zone;
    let midnight = |day: NaiveDate| resolve(day.and_time(chrono::NaiveTime::MIN), zone);
    let until = from
        .checked_add_days(chrono::Days::new(DAYS))
        .unwrap_or(from);
    let mut cases: BTreeMap<(ScheduleId, bool), Case> = BTreeMap::new();
    for (delivery, why) in Plan::new(workspace).giving_way(midnight(from), midnight(until)) {
        let key = (delivery.schedule.clone(), delivery.skip.is_some());
        let channel = delivery.channel.clone();
        let case = cases.entry(key).or_insert_with(|| Case {
            channels: BTreeSet::new(),
            first: delivery,
            why,
        });
        case.channels.insert(channel);
    }
    for ((schedule, is_skipped), case) in cases {
        let raw = schedules.iter().find(|raw| raw.schedule.id == schedule);
        let Some(at) = raw.and_then(|raw| raw.when.clone()) else {
            continue;
        };
        let detail = case.why.detail.as_deref().and_then(Detail::parse);
        let other = detail.as_ref().and_then(|detail| {
            let mut arguments = detail.arguments();
            arguments.find_map(|(name, value)| (name == "with").then(|| value.to_owned()))
        });
        let clock = |at, form| local(at, zone).format(form).to_string();
        let (code, help) = if is_skipped {
            (Code::GivesUp, "L190-help")
        } else {
            (Code::GivesWay, "L191-help")
        };
        notebook.report(
            Diagnostic::new(code, at)
                .with("other", other.unwrap_or_default())
                .with("channel", case.first.channel_name.as_str())
                .with("count", case.channels.len())
                .with("when", clock(case.first.scheduled, "%H:%M, %d/%m/%Y"))
                .with("due", clock(case.first.due, "%H:%M:%S"))
                .help(Phrase::new(help)),
        );
    }
}
