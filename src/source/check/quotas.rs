//! Broadcasts of Official Accounts that are never sent, because their packages or their nights do not permit it: said before their day.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Months, NaiveDate, NaiveTime};

use crate::{
    adapter::zalo,
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        bulletin::Priority,
        calendar::{local, resolve},
        channel::Channel,
        id::ChannelId,
        plan::{Plan, PlannedDelivery},
        policy::Span,
        time::Timestamp,
        workspace::Workspace,
    },
    source::{notebook::Notebook, raw::channel::RawChannel},
};

/// What is looked at is the whole of the month that the first of the `spans` begins in and of the one after, because that is what a
/// package counts, and the other spans. What would have been too much before that beginning is over.
pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    channels: &[RawChannel],
    spans: &[Span],
) {
    let Some((first, _)) = spans.first() else {
        return;
    };
    let is_account = |channel: &Channel| channel.broadcasts().is_some();
    if !workspace.channels.values().any(is_account) {
        return;
    }
    let zone = workspace.settings.zone;
    let today = local(*first, zone).date();
    let midnight = |day: NaiveDate| resolve(day.and_time(NaiveTime::MIN), zone);
    let month = today.with_day(1).unwrap_or(today);
    let next = month.checked_add_months(Months::new(2)).unwrap_or(month);
    let months = (midnight(month), midnight(next));
    let later = spans
        .iter()
        .map(|(from, until)| ((*from).max(months.1), *until));
    let later = later.filter(|(from, until)| from < until);
    let plan = Plan::new(workspace).only(is_account);
    let mut quotas = Quotas {
        today,
        days: BTreeMap::new(),
        first: BTreeMap::new(),
    };
    let mut nights = BTreeMap::new();
    for (from, until) in std::iter::once(months).chain(later) {
        for (delivery, _) in plan.scheduled(from, until) {
            quotas.take(workspace, &delivery);
            if delivery.due >= *first
                && let Some(morning) = lost_at_night(workspace, &delivery)
            {
                let channel = delivery.channel.clone();
                nights.entry(channel).or_insert((delivery.due, morning));
            }
        }
    }
    quotas.report(notebook, channels);
    for (channel, (due, morning)) in nights {
        let Some(raw) = channels.iter().find(|raw| raw.id == channel) else {
            continue;
        };
        let said = |at: Timestamp, form| local(at, zone).format(form).to_string();
        let diagnostic = Diagnostic::new(Code::LostAtNight, raw.at.clone())
            .with("channel", channel.as_str())
            .with("due", said(due, "%H:%M %d/%m/%Y"))
            .with("morning", said(morning, "%H:%M"));
        let help = Phrase::new("L301-help").with("morning", said(morning, "%H:%M"));
        notebook.report(diagnostic.help(help));
    }
}

/// When the night of an account is over in which a broadcast is due that has to have begun before.
fn lost_at_night(workspace: &Workspace, delivery: &PlannedDelivery) -> Option<Timestamp> {
    let channel = workspace.channels.get(&delivery.channel)?;
    let (morning, _) = zalo::night(channel, delivery.due)?;
    (delivery.skip.is_none() && delivery.deadline <= morning).then_some(morning)
}

/// What each account broadcasts, in the order of the plan.
struct Quotas<'w> {
    today: NaiveDate,
    days: BTreeMap<&'w str, Vec<NaiveDate>>,
    /// The first broadcast of a channel that is too much: the day, of what, and how many there may be.
    first: BTreeMap<ChannelId, (NaiveDate, &'static str, u32)>,
}

impl<'w> Quotas<'w> {
    /// Takes a delivery of the plan into account.
    fn take(&mut self, workspace: &'w Workspace, delivery: &PlannedDelivery) {
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
            Some(_) if day < self.today => {}
            Some((word, most)) => {
                let channel = delivery.channel.clone();
                self.first.entry(channel).or_insert((day, word, most));
            }
            None => earlier.push(day),
        }
    }

    /// Says it where the channel stands.
    fn report(self, notebook: &Notebook, channels: &[RawChannel]) {
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
