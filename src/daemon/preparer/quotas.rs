//! How much accounts have broadcast already. Their packages permit so many broadcasts a day and a month; what is beyond is not sent,
//! and said before Zalo would refuse it. The record counts, not the plan: what is sent by hand uses up a day too.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Datelike as _, NaiveDate, NaiveTime};

use super::{Refused, Shared};
use crate::{
    daemon::live::Live,
    domain::{
        bulletin::Priority,
        calendar::{local, resolve},
        delivery::Reason,
        detail::Detail,
        id::{ChannelId, DeliveryId},
        time::Timestamp,
        zalo::Quota,
    },
    store::{StoreError, Unprepared},
};

/// When accounts broadcast in the months that a round is about.
#[derive(Default)]
pub(super) struct Quotas {
    /// By Official Account. Of two at one instant the one with the lesser id counts as the earlier.
    sent: HashMap<String, Vec<(Timestamp, DeliveryId)>>,
}

impl Quotas {
    /// Looks into the record, if something of what is to be frozen is limited so.
    pub(super) async fn load(
        shared: &Shared,
        live: &Live,
        unprepared: &[Unprepared],
    ) -> Result<Self, StoreError> {
        let concerned = || {
            let is_limited = |delivery: &&Unprepared| limit(live, &delivery.channel).is_some();
            unprepared.iter().filter(is_limited)
        };
        let dues = concerned().map(|delivery| delivery.due);
        let (Some(first), Some(last)) = (dues.clone().min(), dues.max()) else {
            return Ok(Self::default());
        };
        let zone = live.workspace.settings.zone;
        let day = local(first, zone).date();
        let begin = day.with_day(1).unwrap_or(day);
        let from = resolve(begin.and_time(NaiveTime::MIN), zone);
        let accounts: BTreeSet<&str> = concerned()
            .filter_map(|delivery| limit(live, &delivery.channel))
            .map(|(oa, _)| oa)
            .collect();
        // Every channel of an account uses up what all of them have together.
        let channels: BTreeMap<ChannelId, &str> = live
            .workspace
            .channels
            .values()
            .filter_map(|channel| Some((channel.id.clone(), channel.broadcasts()?.0)))
            .filter(|(_, oa)| accounts.contains(oa))
            .collect();
        let ids: Vec<ChannelId> = channels.keys().cloned().collect();
        let revision = &live.workspace.revision;
        let mut quotas = Self::default();
        let sent = shared.store.sent_on(&ids, from, last, revision);
        for (channel, id, due) in sent.await? {
            if let Some(oa) = channels.get(&channel) {
                let sent = quotas.sent.entry((*oa).to_owned()).or_default();
                sent.push((due, id));
            }
        }
        Ok(quotas)
    }

    /// Why a delivery must not be broadcast, if its account has broadcast as much as it may. An emergency is always tried.
    pub(super) fn refuse(&self, live: &Live, delivery: &Unprepared) -> Option<Refused> {
        let (oa, quota) = limit(live, &delivery.channel)?;
        if delivery.priority == Priority::Emergency || delivery.schedule.is_correction() {
            return None;
        }
        let zone = live.workspace.settings.zone;
        let day = |at: Timestamp| -> NaiveDate { local(at, zone).date() };
        let sent = self.sent.get(oa)?.iter();
        let earlier: Vec<NaiveDate> = sent
            .filter(|(due, id)| (due, id) < (&delivery.due, &delivery.id))
            .map(|(due, _)| day(*due))
            .collect();
        let (word, most) = quota.exceeded(day(delivery.due), &earlier)?;
        let detail = Detail::new(&format!("zalo-quota-{word}")).with("most", most);
        Some((Reason::Quota, detail.to_string()))
    }
}

fn limit<'l>(live: &'l Live, channel: &ChannelId) -> Option<(&'l str, &'l Quota)> {
    let broadcasts = live.workspace.channels.get(channel)?.broadcasts();
    broadcasts.filter(|(_, quota)| quota.is_limit())
}
