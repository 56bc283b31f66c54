//! What receivers report by themselves. An account's reports are believed or not by the channel's adapter, tied to a delivery where they
//! say which message they are about, else counted; it reports to one address whatever any of its channels sent. A device's reports
//! are Standard Webhooks, signed with the secrets of `reports` in the channel's file, and name the delivery.
//!
//! A report that comes twice changes nothing the second time: the delivery has its end then.

use std::{error::Error, time::Duration};

use super::{Shared, live::Live};
use crate::{
    adapter::{
        NotBelieved,
        webhook::{self, VerifyError},
    },
    domain::id::{ChannelId, DeliveryId},
    store::StoreError,
};

/// How far back a delivery may lie of which something is reported.
const BACK: Duration = Duration::from_hours(3 * 24);

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is believed, and a delivery is confirmed by it.
    Tied,
    /// It is believed, and says nothing that changes a delivery.
    Counted,
    /// It is believed, and comes before the attempt that it is about has ended: it has to come again.
    Early,
    /// It is not believed.
    Refused,
    /// Nothing is reported of such a channel.
    Nowhere,
}

/// Takes a report to the channel with the id `channel`.
///
/// # Errors
/// The store's; then whoever reports has to come again.
pub async fn take(
    shared: &Shared,
    channel: &str,
    signature: Option<&str>,
    body: &[u8],
) -> Result<Taken, StoreError> {
    let live = shared.live.borrow().clone();
    let now = shared.clock.now();
    let Ok(channel) = ChannelId::parse(channel) else {
        return Ok(Taken::Nowhere);
    };
    let adapter = live.adapters.get(&channel);
    let Some(read) = adapter.and_then(|adapter| adapter.report(signature, body, now)) else {
        return Ok(Taken::Nowhere);
    };
    let report = match read {
        Ok(report) => report,
        Err(why) => return Ok(refused(shared, &channel, &why)),
    };
    let (mut tied, mut is_sending) = (false, false);
    if let Some(message) = &report.message {
        let (store, since) = (&shared.store, now - BACK);
        for channel in reporting(&live, &channel) {
            // Asked first: what is over by now is on record with what its receiver calls it.
            is_sending |= store.is_sending(channel).await?;
            tied = store
                .confirm_reported(channel, message, &report.event, since, now)
                .await?;
            if tied {
                break;
            }
        }
    }
    if is_sending && !tied {
        return Ok(Taken::Early);
    }
    let taken = if tied { Taken::Tied } else { Taken::Counted };
    shared
        .metrics
        .reported(if tied { "tied" } else { "counted" });
    Ok(taken)
}

/// A report as a device posts it, with the headers of Standard Webhooks.
#[derive(Debug, Clone, Copy)]
pub struct Posted<'r> {
    /// `webhook-id`.
    pub id: &'r str,
    /// `webhook-timestamp`.
    pub timestamp: &'r str,
    /// `webhook-signature`.
    pub signature: &'r str,
    /// The body as it came.
    pub body: &'r [u8],
}

/// What a device says of a delivery.
#[derive(Debug, serde::Deserialize)]
struct Said {
    delivery: String,
    played: bool,
}

/// Takes what a device reports of the channel with the id `channel`.
///
/// # Errors
/// The store's; then whoever reports has to come again.
pub async fn take_posted(
    shared: &Shared,
    channel: &str,
    posted: Posted<'_>,
) -> Result<Taken, StoreError> {
    let live = shared.live.borrow().clone();
    let now = shared.clock.now();
    let Ok(channel) = ChannelId::parse(channel) else {
        return Ok(Taken::Nowhere);
    };
    let Some(secrets) = live.reporters.get(&channel) else {
        return Ok(Taken::Nowhere);
    };
    let Posted {
        id,
        timestamp,
        signature,
        body,
    } = posted;
    let verdicts = secrets
        .iter()
        .map(|secret| webhook::verify(secret, id, timestamp, signature, body, now));
    // Of several secrets one that fits is enough; without any, nothing does.
    let verdict = verdicts.reduce(Result::or);
    if let Err(why) = verdict.unwrap_or(Err(VerifyError::Secret)) {
        return Ok(refused(shared, &channel, &why));
    }
    let Ok(said) = serde_json::from_slice::<Said>(body) else {
        return Ok(refused(shared, &channel, &NotBelieved::Unreadable));
    };
    let (store, delivery) = (&shared.store, DeliveryId::from_text(&said.delivery));
    if store.told(&delivery, &channel, said.played, now).await? {
        shared.metrics.reported("tied");
        return Ok(Taken::Tied);
    }
    let row = store.delivery(&delivery).await?;
    if row.is_some_and(|row| row.channel == channel && !row.state.is_final()) {
        return Ok(Taken::Early);
    }
    shared.metrics.reported("counted");
    Ok(Taken::Counted)
}

fn refused(shared: &Shared, channel: &ChannelId, why: &(dyn Error + 'static)) -> Taken {
    tracing::warn!(
        channel.id = %channel,
        why,
        "a report is not believed; if it is one of the channel's own, its secret and its clock have to be the same at both ends"
    );
    shared.metrics.reported("refused");
    Taken::Refused
}

/// The channels of which `channel`'s account reports: itself first.
fn reporting<'l>(live: &'l Live, channel: &'l ChannelId) -> Vec<&'l ChannelId> {
    let account = |id| Some(live.adapters.get(id)?.account()?.id());
    let wanted = account(channel);
    let mut others: Vec<&ChannelId> = live
        .adapters
        .iter()
        .map(|(id, _)| id)
        .filter(|id| *id != channel && wanted.is_some() && account(id) == wanted)
        .collect();
    others.sort_unstable();
    std::iter::once(channel).chain(others).collect()
}
