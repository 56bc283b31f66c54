//! What the record says against freezing something: how often accounts have broadcast (`quotas`), and how often a bulletin was
//! heard already, for what fills airtime targets. The plan decides a week from the files alone; an edit
//! in the middle of the week decides it again, as if its first days had been planned so too. What was really heard by then
//! is on record, and here the record has the last word: no fill takes a bulletin beyond its cap.

use std::collections::{BTreeSet, HashMap};

use chrono::{NaiveDate, NaiveTime};

use super::{Refused, Shared, quotas::Quotas};
use crate::{
    daemon::live::Live,
    domain::{
        calendar::{local, monday, resolve},
        delivery::Reason,
        detail::Detail,
        id::{BulletinId, ChannelId},
        target::AirtimeTarget,
        time::Timestamp,
    },
    store::{StoreError, Unprepared},
};

/// When channels say bulletins in the weeks that a round is about, and what accounts have broadcast.
#[derive(Default)]
pub(super) struct Caps {
    heard: HashMap<(ChannelId, BulletinId), Vec<Timestamp>>,
    quotas: Quotas,
}

impl Caps {
    /// Looks into the record, if something of what is to be frozen fills a target.
    pub(super) async fn load(
        shared: &Shared,
        live: &Live,
        unprepared: &[Unprepared],
    ) -> Result<Self, StoreError> {
        let mut caps = Self {
            quotas: Quotas::load(shared, live, unprepared).await?,
            ..Self::default()
        };
        let fills = || {
            let fills = |delivery: &&Unprepared| target(live, delivery).is_some();
            unprepared.iter().filter(fills)
        };
        let dues = fills().map(|delivery| delivery.due);
        let (Some(first), Some(last)) = (dues.clone().min(), dues.max()) else {
            return Ok(caps);
        };
        let zone = live.workspace.settings.zone;
        let begin = monday(local(first, zone).date());
        let from = resolve(begin.and_time(NaiveTime::MIN), zone);
        let bulletins: BTreeSet<BulletinId> =
            fills().map(|delivery| delivery.bulletin.clone()).collect();
        let bulletins: Vec<BulletinId> = bulletins.into_iter().collect();
        let revision = &live.workspace.revision;
        let heard = shared.store.heard(&bulletins, from, last, revision);
        for (channel, bulletin, due) in heard.await? {
            caps.heard.entry((channel, bulletin)).or_default().push(due);
        }
        Ok(caps)
    }

    /// Why a delivery must not go out: it fills a target and its bulletin was heard as often as it may be, or its account has
    /// broadcast as much as it may.
    pub(super) fn refuse(&self, live: &Live, delivery: &Unprepared) -> Option<Refused> {
        let fill = self.refuse_fill(live, delivery);
        fill.or_else(|| self.quotas.refuse(live, delivery))
    }

    fn refuse_fill(&self, live: &Live, delivery: &Unprepared) -> Option<Refused> {
        let cap = target(live, delivery)?.cap;
        let zone = live.workspace.settings.zone;
        let day = |at| local(at, zone).date();
        let today = day(delivery.due);
        let key = (delivery.channel.clone(), delivery.bulletin.clone());
        let before = self
            .heard
            .get(&key)?
            .iter()
            .filter(|due| **due < delivery.due);
        let count = |is_meant: &dyn Fn(NaiveDate) -> bool| {
            let meant = before.clone().filter(|due| is_meant(day(**due)));
            u32::try_from(meant.count()).unwrap_or(u32::MAX)
        };
        if count(&|other| other == today) >= cap.per_day {
            let detail = Detail::new("heard-today").with("most", cap.per_day);
            return Some((Reason::Policy, detail.to_string()));
        }
        let most = cap.per_week?;
        (count(&|other| monday(other) == monday(today)) >= most).then(|| {
            let detail = Detail::new("heard-this-week").with("most", most);
            (Reason::Policy, detail.to_string())
        })
    }
}

/// The target that a delivery fills.
fn target<'l>(live: &'l Live, delivery: &Unprepared) -> Option<&'l AirtimeTarget> {
    live.workspace.schedules.get(&delivery.schedule)?.target()
}
