//! What receivers report by themselves: believed or not by the channel's adapter, tied to a delivery where it says which message it
//! is about, else counted. An account reports to one address whatever any of its channels sent.
//!
//! A report that comes twice changes nothing the second time: the delivery is confirmed then.

use std::time::Duration;

use super::{Shared, live::Live};
use crate::{adapter::NotBelieved, domain::id::ChannelId, store::StoreError};

/// How far back a delivery may lie of which something is reported.
const BACK: Duration = Duration::from_hours(3 * 24);

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is believed, and a delivery is confirmed by it.
    Tied,
    /// It is believed, and says nothing that changes a delivery.
    Counted,
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
        Err(why) => {
            let word = match why {
                NotBelieved::Signature => "signature",
                NotBelieved::Time => "time",
                NotBelieved::Unreadable => "unreadable",
            };
            tracing::warn!(channel.id = %channel, why = word, "a report is not believed");
            shared.metrics.reported("refused");
            return Ok(Taken::Refused);
        }
    };
    let mut tied = false;
    if let Some(message) = &report.message {
        let (store, since) = (&shared.store, now - BACK);
        for channel in reporting(&live, &channel) {
            tied = store
                .confirm_reported(channel, message, &report.event, since, now)
                .await?;
            if tied {
                break;
            }
        }
    }
    let taken = if tied { Taken::Tied } else { Taken::Counted };
    shared
        .metrics
        .reported(if tied { "tied" } else { "counted" });
    Ok(taken)
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
