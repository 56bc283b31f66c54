//! What an emergency interrupts: which broadcasts may still be playing where it goes, and what is on record of that.

use std::collections::HashMap;

use crate::{
    daemon::Shared,
    domain::{
        bulletin::Priority,
        channel::Mode,
        id::{ChannelId, DeliveryId},
    },
    store::Claimed,
};

/// What may still be playing where emergencies go, by channel. Looked up only where there is an emergency. A store that does
/// not answer holds no emergency up: then nothing is told to stop.
pub(super) async fn playing(
    shared: &Shared,
    claimed: &[Claimed],
) -> HashMap<ChannelId, Vec<DeliveryId>> {
    let channels: Vec<&ChannelId> = claimed
        .iter()
        .filter(|claimed| {
            (claimed.priority, claimed.mode) == (Priority::Emergency, Mode::AtMostOnce)
        })
        .map(|claimed| &claimed.channel)
        .collect();
    let mut by_channel: HashMap<ChannelId, Vec<DeliveryId>> = HashMap::new();
    if channels.is_empty() {
        return by_channel;
    }
    match shared.store.playing(&channels, shared.clock.now()).await {
        Ok(playing) => {
            for (channel, delivery) in playing {
                by_channel.entry(channel).or_default().push(delivery);
            }
        }
        Err(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "what is playing could not be looked up before an emergency"
        ),
    }
    by_channel
}

/// Puts on record that `claimed` interrupted others, on both sides. `stopped`: the device said that it stopped.
pub(super) async fn record(
    shared: &Shared,
    claimed: &Claimed,
    interrupted: &[DeliveryId],
    stopped: bool,
) {
    let now = shared.clock.now();
    let event = if stopped {
        "interrupted"
    } else {
        "not-interrupted"
    };
    tracing::warn!(
        delivery.id = %claimed.id,
        stopped,
        "an emergency told a loudspeaker to stop what it was playing"
    );
    let own = interrupted.iter().map(|id| (&claimed.id, id));
    let theirs = interrupted.iter().map(|id| (id, &claimed.id));
    for (at, other) in own
        .map(|(at, other)| (at, format!("preempts {other}")))
        .chain(theirs.map(|(at, other)| (at, format!("by {other}"))))
    {
        let written = shared
            .store
            .journal(event, Some(at), &shared.node, &other, now)
            .await;
        if let Err(error) = written {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "an interruption could not be put on record"
            );
        }
    }
}
