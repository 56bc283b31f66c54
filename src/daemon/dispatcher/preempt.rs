//! What an emergency interrupts, and what a correction does: which broadcasts may still be playing where it goes, and what is on
//! record of that. A correction interrupts what it corrects and nothing else.

use std::collections::HashMap;

use crate::{
    daemon::Shared,
    domain::{
        bulletin::Priority,
        channel::Mode,
        id::{ChannelId, DeliveryId},
        message::Playing,
    },
    store::Claimed,
};

/// What may still be playing where emergencies and corrections go, by channel. Looked up only where there is one. A store that
/// does not answer holds none up: then nothing is told to stop.
pub(super) async fn playing(
    shared: &Shared,
    claimed: &[Claimed],
) -> HashMap<ChannelId, Vec<Playing>> {
    let interrupts = |claimed: &&Claimed| {
        let is_urgent = claimed.priority == Priority::Emergency;
        claimed.mode == Mode::AtMostOnce && (is_urgent || claimed.schedule.is_correction())
    };
    let deliveries: Vec<&DeliveryId> = claimed
        .iter()
        .filter(interrupts)
        .map(|claimed| &claimed.id)
        .collect();
    let mut by_channel: HashMap<ChannelId, Vec<Playing>> = HashMap::new();
    if deliveries.is_empty() {
        return by_channel;
    }
    match shared.store.playing(&deliveries, shared.clock.now()).await {
        Ok(playing) => {
            for (channel, delivery) in playing {
                by_channel.entry(channel).or_default().push(delivery);
            }
        }
        Err(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "what is playing could not be looked up before it is interrupted"
        ),
    }
    by_channel
}

/// Puts on record that `claimed` interrupted others, on both sides. `stopped`: the device said that it stopped.
pub(super) async fn record(
    shared: &Shared,
    claimed: &Claimed,
    interrupted: &[Playing],
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
        "a loudspeaker was told to stop what it was playing"
    );
    let own = interrupted
        .iter()
        .map(|playing| (&claimed.id, &playing.delivery));
    let theirs = interrupted
        .iter()
        .map(|playing| (&playing.delivery, &claimed.id));
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
