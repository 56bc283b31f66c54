//! Freezes words: some minutes before a delivery is due its text is rendered, addressed by its hash and kept. What was
//! frozen is what is sent, and what the journal shows for ever.

use std::{collections::HashMap, sync::Arc};

use super::{Shared, live::Live};
use crate::{
    domain::{
        bulletin::Format,
        delivery::{Reason, State},
        id::{BulletinId, DeliveryId, WardId},
        message::{Content, ContentHash},
    },
    store::{Frozen, StoreError, Unprepared},
};

/// Deliveries a round takes.
const BATCH: u32 = 1_000;

/// Freezes what comes due, until told to stop.
pub async fn run(shared: Shared) {
    while !shared.stop.soft.is_cancelled() {
        let busy = shared.clock.busy();
        let result = step(&shared).await;
        drop(busy);
        match result {
            Ok(true) => {
                shared.store_works("preparer");
                shared.prepared.notify_one();
            }
            Ok(false) => {
                shared.store_works("preparer");
                let now = shared.clock.now();
                let prepare = shared.live.borrow().workspace.settings.prepare;
                let next = match shared.store.next_unprepared().await {
                    Ok(next) => next.map_or(now + shared.poll(), |due| (due - prepare).max(now)),
                    Err(error) => {
                        shared.store_failed("preparer", &error).await;
                        continue;
                    }
                };
                // An instant that has come and was not prepared belongs to a node with another revision.
                let next = if next <= now {
                    now + shared.poll()
                } else {
                    next.min(now + shared.poll())
                };
                tokio::select! {
                    () = shared.stop.soft.cancelled() => {}
                    () = shared.planned.notified() => {}
                    () = shared.clock.sleep_until(next) => {}
                }
            }
            Err(error) => shared.store_failed("preparer", &error).await,
        }
    }
}

/// One round. `true` when there was something to do.
async fn step(shared: &Shared) -> Result<bool, StoreError> {
    if !shared.in_force().await? {
        return Ok(false);
    }
    let live = shared.live.borrow().clone();
    let until = shared.clock.now() + live.workspace.settings.prepare;
    let unprepared = shared.store.unprepared(until, BATCH).await?;
    if unprepared.is_empty() {
        return Ok(false);
    }
    let revision = live.workspace.revision.clone();
    // A template can be slow; it must not hold up a thread that others wait for.
    let round = tokio::task::spawn_blocking(move || Round::of(&live, &unprepared)).await;
    let round = round.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    let now = shared.clock.now();
    shared
        .store
        .freeze(&round.contents, &round.frozen, &revision, now)
        .await?;
    for (id, reason, detail) in round.failed {
        tracing::error!(delivery.id = %id, reason = reason.as_str(), detail, "a delivery could not be prepared");
        let state = if reason == Reason::Superseded {
            State::Skipped
        } else {
            State::Failed
        };
        let count = shared
            .store
            .end_unbegun(std::slice::from_ref(&id), state, reason, &detail, now)
            .await?;
        if state == State::Skipped {
            shared.metrics.skipped(reason.as_str(), count);
        } else {
            shared.metrics.ended(state.as_str(), count);
        }
    }
    Ok(true)
}

/// What words depend on.
type Key<'a> = (&'a BulletinId, &'a WardId, Format);

/// What a round made.
#[derive(Default)]
struct Round {
    contents: Vec<(ContentHash, Arc<Content>)>,
    frozen: Vec<Frozen>,
    failed: Vec<(DeliveryId, Reason, String)>,
}

impl Round {
    /// Renders each bulletin once per ward and format.
    fn of(live: &Live, unprepared: &[Unprepared]) -> Self {
        let mut round = Self::default();
        let mut made: HashMap<Key<'_>, Result<ContentHash, (Reason, String)>> = HashMap::new();
        for delivery in unprepared {
            let key = (&delivery.bulletin, &delivery.ward, delivery.format);
            let hash = made.entry(key).or_insert_with(|| {
                let content = words(live, delivery)?;
                let hash = content.hash();
                round.contents.push((hash.clone(), Arc::new(content)));
                Ok(hash)
            });
            match hash {
                Ok(hash) => {
                    let adapter = live.adapters.get(&delivery.channel);
                    round.frozen.push(Frozen {
                        id: delivery.id.clone(),
                        hash: hash.clone(),
                        // Without an adapter the dispatcher fails it with the reason.
                        host: adapter.map_or_else(String::new, |adapter| adapter.host().to_owned()),
                        can_ask: adapter.is_some_and(|adapter| adapter.can_ask()),
                    });
                }
                Err((reason, detail)) => {
                    round
                        .failed
                        .push((delivery.id.clone(), *reason, detail.clone()));
                }
            }
        }
        round
    }
}

fn words(live: &Live, delivery: &Unprepared) -> Result<Content, (Reason, String)> {
    let workspace = &live.workspace;
    let (Some(bulletin), Some(ward)) = (
        workspace.bulletins.get(&delivery.bulletin),
        workspace.ward(&delivery.ward),
    ) else {
        // The workspace changed between planning and now; planning it again will say so too.
        return Err((Reason::Superseded, String::new()));
    };
    live.renderer
        .render(workspace, bulletin, ward, delivery.format)
        .map_err(|error| (Reason::Unrenderable, error.to_string()))
}
