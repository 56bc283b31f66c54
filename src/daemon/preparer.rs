//! Freezes words: some minutes before a delivery is due its text is rendered, addressed by its hash and kept. What was
//! frozen is what is sent, and what the journal shows for ever.

mod choice;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{Shared, live::Live};
use crate::{
    domain::{
        delivery::{Reason, State},
        id::{BulletinId, DeliveryId, WardId},
        message::{Content, ContentHash},
        version::{Record, Slot},
    },
    store::{Approved, Frozen, StoreError, Unprepared},
};
use choice::{Approvals, Refused, Words};

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
    if !shared.is_time_certain() || !shared.in_force().await? {
        return Ok(false);
    }
    let live = shared.live.borrow().clone();
    let until = shared.clock.now() + live.workspace.settings.prepare;
    let unprepared = shared.store.unprepared(until, BATCH).await?;
    if unprepared.is_empty() {
        return Ok(false);
    }
    let approvals = Approvals::load(shared, &live, &unprepared).await?;
    let revision = live.workspace.revision.clone();
    // A template can be slow; it must not hold up a thread that others wait for.
    let round =
        tokio::task::spawn_blocking(move || Round::of(&live, &approvals, &unprepared)).await;
    let round = round.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    let now = shared.clock.now();
    shared
        .store
        .freeze(&round.contents, &round.frozen, &revision, now)
        .await?;
    for ((reason, detail), ids) in round.failed {
        let state = match reason {
            Reason::Superseded | Reason::Unapproved => State::Skipped,
            _ => State::Failed,
        };
        if reason == Reason::Unapproved {
            tracing::warn!(
                deliveries = ids.len(),
                detail,
                "not approved, and so not aired"
            );
        } else {
            tracing::error!(
                deliveries = ids.len(),
                reason = reason.as_str(),
                detail,
                "deliveries could not be prepared"
            );
        }
        let count = shared
            .store
            .end_unbegun(&ids, state, reason, &detail, now)
            .await?;
        if state == State::Skipped {
            shared.metrics.skipped(reason.as_str(), count);
        } else {
            shared.metrics.ended(state.as_str(), count);
        }
    }
    Ok(true)
}

/// What rendered words depend on.
type Key<'a> = (&'a BulletinId, &'a WardId, Slot);

/// What a round made.
#[derive(Default)]
struct Round {
    contents: Vec<(ContentHash, Arc<Content>)>,
    frozen: Vec<Frozen>,
    failed: BTreeMap<Refused, Vec<DeliveryId>>,
}

impl Round {
    /// Chooses for each delivery, and renders each bulletin once per ward and format.
    fn of(live: &Live, approvals: &Approvals, unprepared: &[Unprepared]) -> Self {
        let mut round = Self::default();
        let mut made: HashMap<Key<'_>, Result<ContentHash, Refused>> = HashMap::new();
        for delivery in unprepared {
            match round.words(live, approvals, delivery, &mut made) {
                Ok((hash, approved)) => {
                    let adapter = live.adapters.get(&delivery.channel);
                    round.frozen.push(Frozen {
                        id: delivery.id.clone(),
                        hash,
                        // Without an adapter the dispatcher fails it with the reason.
                        host: adapter.map_or_else(String::new, |adapter| adapter.host().to_owned()),
                        can_ask: adapter.is_some_and(|adapter| adapter.can_ask()),
                        approved,
                    });
                }
                Err(refused) => {
                    let ids = round.failed.entry(refused).or_default();
                    ids.push(delivery.id.clone());
                }
            }
        }
        round
    }

    fn words<'u>(
        &mut self,
        live: &Live,
        approvals: &Approvals,
        delivery: &'u Unprepared,
        made: &mut HashMap<Key<'u>, Result<ContentHash, Refused>>,
    ) -> Result<(ContentHash, Option<Approved>), Refused> {
        let workspace = &live.workspace;
        let (Some(bulletin), Some(ward)) = (
            workspace.bulletins.get(&delivery.bulletin),
            workspace.ward(&delivery.ward),
        ) else {
            // The workspace changed between planning and now; planning it again will say so too.
            return Err((Reason::Superseded, String::new()));
        };
        let (words, approved) = approvals.choose(live, delivery, bulletin, ward)?;
        let slot = match words {
            Words::Kept(hash) => return Ok((hash, approved)),
            Words::Rendered(slot) => slot,
        };
        let key = (&delivery.bulletin, &delivery.ward, slot);
        let hash = made.entry(key).or_insert_with(|| {
            let renderer = &live.renderer;
            let rendered = if slot.correction {
                renderer.correction(workspace, bulletin, ward, slot.format)
            } else {
                renderer.render(workspace, bulletin, ward, slot.format)
            };
            let content = rendered.map_err(|error| (Reason::Unrenderable, error.to_string()))?;
            let hash = content.hash();
            self.contents.push((hash.clone(), Arc::new(content)));
            Ok(hash)
        });
        let hash = hash.clone()?;
        // What was approved is what is frozen, byte for byte, or nothing is.
        let promised = match live
            .versions
            .bulletin(&bulletin.id)
            .map(|version| &version.record)
        {
            Some(Record::Bulletin(record)) if approved.is_some() => record.content(&ward.id, slot),
            _ => None,
        };
        if promised.is_some_and(|promised| promised != hash) {
            return Err((Reason::Defect, "rendered twice, and differently".to_owned()));
        }
        Ok((hash, approved))
    }
}
