//! What an emergency interrupts, and what a correction does: which broadcasts may still be playing where it goes, and what is on
//! record of that. A correction interrupts what it corrects and nothing else.

use std::collections::HashMap;

use crate::{
    daemon::Shared,
    domain::{
        bulletin::Priority,
        calendar::local,
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
    let zone = shared.live.borrow().workspace.settings.zone;
    let clock = local(now, zone).format("%H:%M:%S").to_string();
    let (store, node) = (&shared.store, &shared.node);
    for id in interrupted.iter().map(|playing| &playing.delivery) {
        let own = format!("preempts {id}");
        let mut written = store
            .journal(event, Some(&claimed.id), node, &own, now)
            .await;
        if written.is_ok() {
            written = if stopped {
                store.interrupted(id, &claimed.id, node, &clock, now).await
            } else {
                let theirs = format!("by {}", claimed.id);
                store.journal(event, Some(id), node, &theirs, now).await
            };
        }
        if let Err(error) = written {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "an interruption could not be put on record"
            );
        }
    }
}
