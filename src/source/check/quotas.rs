//! Broadcasts of Official Accounts that their packages do not permit: said before the day on which they would not be sent.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        bulletin::Priority, calendar::local, channel::Channel, id::ChannelId,
        plan::PlannedDelivery, workspace::Workspace,
    },
    source::{notebook::Notebook, raw::channel::RawChannel},
};

/// What each account broadcasts, in the order of the plan.
#[derive(Default)]
pub(super) struct Quotas<'w> {
    days: BTreeMap<&'w str, Vec<NaiveDate>>,
    /// The first broadcast of a channel that is too much: the day, of what, and how many there may be.
    first: BTreeMap<ChannelId, (NaiveDate, &'static str, u32)>,
}

impl<'w> Quotas<'w> {
    /// Takes a delivery of the plan into account.
    pub(super) fn take(&mut self, workspace: &'w Workspace, delivery: &PlannedDelivery) {
        let channel = workspace.channels.get(&delivery.channel);
        let Some((oa, quota)) = channel.and_then(Channel::broadcasts) else {
            return;
        };
        // An emergency is sent whatever the package permits.
        let is_counted = delivery.skip.is_none() && delivery.priority != Priority::Emergency;
        if !quota.is_limit() || !is_counted {
            return;
        }
        let day = local(delivery.due, workspace.settings.zone).date();
        let earlier = self.days.entry(oa).or_default();
        match quota.exceeded(day, earlier) {
            // What is not sent uses up nothing.
            Some((word, most)) => {
                let channel = delivery.channel.clone();
                self.first.entry(channel).or_insert((day, word, most));
            }
            None => earlier.push(day),
        }
    }

    /// Says it where the channel stands.
    pub(super) fn report(self, notebook: &Notebook, channels: &[RawChannel]) {
        for (channel, (day, word, most)) in self.first {
            let Some(raw) = channels.iter().find(|raw| raw.id == channel) else {
                continue;
            };
            let help = if word == "day" {
                "L262-help-day"
            } else {
                "L262-help-month"
            };
            let diagnostic = Diagnostic::new(Code::OverQuota, raw.at.clone())
                .with("channel", channel.as_str())
                .with("day", day.format("%d/%m/%Y").to_string());
            let help = Phrase::new(help).with("most", most.to_string());
            notebook.report(diagnostic.help(help));
        }
    }
}
