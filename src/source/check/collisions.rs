//! Broadcasts that meet on one loudspeaker or among neighbours: what gives way, and to what, before anybody misses it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        calendar::local,
        delivery::Reason,
        detail::Detail,
        id::{ChannelId, ScheduleId},
        plan::{PlannedDelivery, Why},
        workspace::Workspace,
    },
    source::{notebook::Notebook, raw::schedule::RawSchedule},
};

/// What one schedule loses, or waits for.
struct Case {
    channels: BTreeSet<ChannelId>,
    first: PlannedDelivery,
    why: Why,
}

/// What gives way, by schedule, and whether it is skipped.
#[derive(Default)]
pub(super) struct Collisions(BTreeMap<(ScheduleId, bool), Case>);

impl Collisions {
    /// Takes a delivery of the plan into account, with why it waits.
    pub(super) fn take(&mut self, delivery: PlannedDelivery, waits: Option<Why>) {
        // What a rule keeps from waiting until the other is over is lost because of both.
        let mut all = delivery.skip.clone().into_iter().chain(waits);
        let Some(why) = all.find(|why| why.reason == Reason::Collision) else {
            return;
        };
        let key = (delivery.schedule.clone(), delivery.skip.is_some());
        let channel = delivery.channel.clone();
        let case = self.0.entry(key).or_insert_with(|| Case {
            channels: BTreeSet::new(),
            first: delivery,
            why,
        });
        case.channels.insert(channel);
    }

    /// Says it where the schedules say when they fire.
    pub(super) fn report(
        self,
        notebook: &Notebook,
        workspace: &Workspace,
        schedules: &[RawSchedule],
    ) {
        let zone = workspace.settings.zone;
        for ((schedule, is_skipped), case) in self.0 {
            let raw = schedules.iter().find(|raw| raw.schedule.id == schedule);
            let Some(at) = raw.and_then(|raw| raw.when.clone()) else {
                continue;
            };
            let detail = case.why.detail.as_deref().and_then(Detail::parse);
            let other = detail.as_ref().and_then(|detail| detail.get("with"));
            let clock = |at, form| local(at, zone).format(form).to_string();
            let (code, help) = if is_skipped {
                (Code::GivesUp, "L190-help")
            } else {
                (Code::GivesWay, "L191-help")
            };
            notebook.report(
                Diagnostic::new(code, at)
                    .with("other", other.unwrap_or_default().to_owned())
                    .with("channel", case.first.channel_name.as_str())
                    .with("count", case.channels.len())
                    .with("when", clock(case.first.scheduled, "%H:%M, %d/%m/%Y"))
                    .with("due", clock(case.first.due, "%H:%M:%S"))
                    .help(Phrase::new(help)),
            );
        }
    }
}
