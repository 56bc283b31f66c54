//! What of the plan goes beyond what remains of accounts' quotas, for commands that have more to say where that is on record.

use serde::Serialize;

use super::{
    failure,
    output::{Output, harmless, local, rfc3339},
    place::{Place, eprint_text},
};
use crate::{
    domain::{
        channel::Channel,
        quota::{AHEAD, Over, Remaining},
        time::Timestamp,
    },
    store::{Store, StoreError},
};

/// What goes beyond until `until`, as of `now` or of the record's last instant; nothing where nothing is on record, and where the
/// database is away, which is said.
pub(super) async fn over(
    place: &Place,
    now: Option<Timestamp>,
    until: impl Fn(Timestamp) -> Timestamp,
    output: &Output,
) -> Vec<Over> {
    let mut channels = place.workspace.channels.values();
    if !channels.any(|channel| channel.meter().is_some()) {
        return Vec::new();
    }
    let read = async || -> anyhow::Result<Vec<Over>> {
        let Some(store) = place.record_if_any(output).await? else {
            return Ok(Vec::new());
        };
        let now = match now {
            Some(now) => now,
            None => place.now(&store).await?,
        };
        let over = store.over_quota(&place.workspace, now, until(now)).await;
        store.close().await;
        Ok(over?)
    };
    read().await.unwrap_or_else(|error| {
        eprint_text(&harmless(&failure::sentence(&error, output)));
        Vec::new()
    })
}

/// What remains of a channel's quota.
#[derive(Debug, Clone, Serialize)]
pub(super) struct QuotaRow {
    /// Under which name it is asked for.
    pub product: String,
    /// So many more may be sent.
    pub remain: u64,
    /// Of so many, where Zalo says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The last day on which that holds, where Zalo says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// When it was read.
    pub read: String,
    /// How many planned deliveries of this channel go beyond it.
    pub over: usize,
    /// When the first of them is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    #[serde(skip)]
    pub said: String,
}

/// What is on record of quotas.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    remaining: Vec<Remaining>,
    over: Vec<Over>,
}

impl Quotas {
    /// Reads it, and what of the plan goes beyond it within two weeks.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn read(
        record: Option<&(Store, Timestamp)>,
        place: &Place,
    ) -> Result<Self, StoreError> {
        let Some((store, now)) = record else {
            return Ok(Self::default());
        };
        let over = store.over_quota(&place.workspace, *now, *now + AHEAD);
        Ok(Self {
            over: over.await?,
            remaining: store.remaining().await?,
        })
    }

    /// Of one channel, where it has such a quota.
    pub(super) fn row(
        &self,
        channel: &Channel,
        place: &Place,
        output: &Output,
    ) -> Option<QuotaRow> {
        QuotaRow::of(channel, &self.remaining, &self.over, place, output)
    }
}

impl QuotaRow {
    /// Of what is on record.
    fn of(
        channel: &Channel,
        remaining: &[Remaining],
        over: &[Over],
        place: &Place,
        output: &Output,
    ) -> Option<Self> {
        let (account, product) = channel.meter()?;
        let mut remaining = remaining.iter();
        let its = remaining.find(|one| one.account == account && one.product == product)?;
        let zone = place.zone();
        let over = over.iter().filter(|one| one.channel == channel.id);
        let (first, count) = (over.clone().next(), over.count());
        let read = local(its.read, zone);
        let until = its.until.map(|day| day.format("%d/%m/%Y").to_string());
        let key = if until.is_some() {
            "cli.quota-until"
        } else {
            "cli.quota"
        };
        let shown = until.clone().unwrap_or_default();
        let mut said = output.say(
            key,
            &[("remain", &its.remain), ("until", &shown), ("read", &read)],
        );
        if let Some(first) = first {
            let at = local(first.due, zone);
            let more = output.say("cli.quota-over", &[("count", &count), ("first", &at)]);
            said = format!("{said} {more}");
        }
        Some(Self {
            product: its.product.clone(),
            remain: its.remain,
            total: its.total,
            until: its.until.map(|day| day.format("%Y-%m-%d").to_string()),
            read: rfc3339(its.read, zone),
            over: count,
            first: first.map(|first| rfc3339(first.due, zone)),
            said,
        })
    }
}
