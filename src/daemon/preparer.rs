//! Freezes words: some minutes before a delivery is due its text is rendered, addressed by its hash and kept. What was
//! frozen is what is sent, and what the journal shows for ever.

mod choice;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{Shared, desk::Answer, live::Live, vetting};
use crate::{
    catalogue::{self, Lang},
    domain::{
        audio::{AudioFormat, Sound},
        delivery::{Reason, State},
        id::{BulletinId, DeliveryId, WardId},
        message::{Content, ContentHash},
        speech::Rate,
        version::{Record, Slot},
    },
    store::{Approved, Frozen, StoreError, Unprepared},
};
use choice::{Approvals, Refused, Words};

/// Deliveries a round takes.
const BATCH: u32 = 1_000;

/// Deliveries that wait for their sound.
#[derive(Default)]
struct Held {
    /// How many; a round has to see past them.
    count: u32,
    /// Of which revision `made` is.
    revision: String,
    /// Their words: each sound that is made begins a round, which must not render the others' again.
    made: HashMap<Key, Made>,
}

/// Freezes what comes due, until told to stop.
pub async fn run(shared: Shared) {
    let mut held = Held::default();
    while !shared.stop.soft.is_cancelled() {
        let busy = shared.clock.busy();
        let result = step(&shared, &mut held).await;
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
async fn step(shared: &Shared, held: &mut Held) -> Result<bool, StoreError> {
    if !shared.is_time_certain() || !shared.in_force().await? {
        return Ok(false);
    }
    let live = shared.live.borrow().clone();
    let until = shared.clock.now() + live.workspace.settings.prepare;
    let unprepared = shared
        .store
        .unprepared(until, BATCH.saturating_add(held.count))
        .await?;
    if unprepared.is_empty() {
        *held = Held::default();
        return Ok(false);
    }
    let approvals = Approvals::load(shared, &live, &unprepared).await?;
    let revision = live.workspace.revision.clone();
    if held.revision != revision {
        held.revision.clone_from(&revision);
        held.made.clear();
    }
    let mut made = std::mem::take(&mut held.made);
    // A template can be slow; it must not hold up a thread that others wait for.
    let ordered = Arc::clone(&live);
    let latest = shared.latest.borrow().clone();
    let round = tokio::task::spawn_blocking(move || {
        let round = Round::of(&live, &latest, &approvals, &unprepared, &mut made);
        (round, made, unprepared)
    });
    let round = round.await;
    let (mut round, made, unprepared) =
        round.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    round.add_sound(shared, &ordered, &unprepared).await?;
    held.count = round.held;
    if round.held > 0 {
        held.made = made;
        shared.ordered.notify_one();
    }
    let did_something = !round.frozen.is_empty() || !round.failed.is_empty();
    let now = shared.clock.now();
    // Before it is ready a delivery knows its sound; where nothing comes of it, nobody asks.
    shared.store.link_sounds(&round.sounds, now).await?;
    shared
        .store
        .freeze(&round.frozen_contents(), &round.frozen, &revision, now)
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
    Ok(did_something)
}

/// What rendered words depend on.
type Key = (BulletinId, WardId, Slot);

/// What came of rendering, once for all deliveries that get it.
type Made = Result<(ContentHash, Arc<Content>), Refused>;

/// What a round made.
#[derive(Default)]
struct Round {
    contents: HashMap<ContentHash, Arc<Content>>,
    frozen: Vec<Frozen>,
    failed: BTreeMap<Refused, Vec<DeliveryId>>,
    /// With which sounds the frozen ones will be sent.
    sounds: Vec<(DeliveryId, Sound)>,
    /// How many wait for theirs.
    held: u32,
}

impl Round {
    /// Chooses for each delivery, and renders each bulletin once per ward and format.
    fn of(
        live: &Live,
        latest: &vetting::Latest,
        approvals: &Approvals,
        unprepared: &[Unprepared],
        made: &mut HashMap<Key, Made>,
    ) -> Self {
        let mut round = Self::default();
        for delivery in unprepared {
            match round.words(live, latest, approvals, delivery, made) {
                Ok((hash, approved)) => {
                    let adapter = live.adapters.get(&delivery.channel);
                    round.frozen.push(Frozen {
                        id: delivery.id.clone(),
                        hash,
                        // Without an adapter the dispatcher fails it with the reason.
                        host: adapter.map_or_else(String::new, |adapter| adapter.host().to_owned()),
                        can_ask: adapter.is_some_and(|adapter| adapter.can_ask()),
                        approved,
                        length: None,
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

    /// The words of what is frozen, as far as they were rendered here; those of earlier versions are in the store.
    fn frozen_contents(&self) -> Vec<(ContentHash, Arc<Content>)> {
        let hashes: BTreeSet<_> = self.frozen.iter().map(|frozen| &frozen.hash).collect();
        let contents = hashes.into_iter().filter_map(|hash| {
            let content = self.contents.get(hash)?;
            Some((hash.clone(), Arc::clone(content)))
        });
        contents.collect()
    }

    /// Looks after the sound of those whose channel wants one: without it they are not frozen.
    async fn add_sound(
        &mut self,
        shared: &Shared,
        live: &Live,
        unprepared: &[Unprepared],
    ) -> Result<(), StoreError> {
        let channels = &live.workspace.channels;
        let wanted: HashMap<&DeliveryId, (AudioFormat, Option<Rate>, &Unprepared)> = unprepared
            .iter()
            .filter_map(|delivery| {
                let channel = channels.get(&delivery.channel)?;
                Some((&delivery.id, (channel.audio?, channel.rate, delivery)))
            })
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut contents = self.contents.clone();
        let is_missing = |frozen: &&Frozen| {
            wanted.contains_key(&frozen.id) && !contents.contains_key(&frozen.hash)
        };
        // An approved version of earlier is in the store only.
        let missing = self.frozen.iter().filter(is_missing);
        let missing: Vec<ContentHash> = missing.map(|frozen| frozen.hash.clone()).collect();
        if !missing.is_empty() {
            let kept = shared.store.contents(&missing).await?;
            contents.extend(
                kept.into_iter()
                    .map(|(hash, content)| (hash, Arc::new(content))),
            );
        }
        let now = shared.clock.now();
        for frozen in std::mem::take(&mut self.frozen) {
            let Some((format, rate, delivery)) = wanted.get(&frozen.id) else {
                self.frozen.push(frozen);
                continue;
            };
            let answer = match contents.get(&frozen.hash) {
                Some(content) => {
                    let key = (frozen.hash.clone(), *format, *rate);
                    live.desk.ask(&key, content, delivery.due, now)
                }
                None => Answer::Failed(Reason::Defect, "the frozen words are gone".to_owned()),
            };
            match answer {
                Answer::Ready(sound) => {
                    self.sounds.push((frozen.id.clone(), sound));
                    self.frozen.push(frozen);
                }
                Answer::Wait => self.held += 1,
                Answer::Failed(reason, detail) => {
                    let ids = self.failed.entry((reason, detail)).or_default();
                    ids.push(frozen.id);
                }
            }
        }
        Ok(())
    }

    fn words(
        &mut self,
        live: &Live,
        latest: &vetting::Latest,
        approvals: &Approvals,
        delivery: &Unprepared,
        made: &mut HashMap<Key, Made>,
    ) -> Result<(ContentHash, Option<Approved>), Refused> {
        let workspace = &live.workspace;
        let (Some(bulletin), Some(ward)) = (
            workspace.bulletins.get(&delivery.bulletin),
            workspace.ward(&delivery.ward),
        ) else {
            // The workspace changed between planning and now; planning it again will say so too.
            return Err((Reason::Superseded, String::new()));
        };
        // Asked here and again before the call: the files may say something else by then.
        if !live.may_get(&delivery.channel, &delivery.schedule) {
            return Err((Reason::TestOnly, String::new()));
        }
        let (words, approved) = approvals.choose(live, delivery, bulletin, ward)?;
        let slot = match words {
            // Those say nothing of a test.
            Words::Kept(_) if delivery.schedule.is_test() => {
                let detail = catalogue::text(Lang::Vi, "approval.skip-test", &[]);
                return Err((Reason::Unapproved, detail));
            }
            Words::Kept(hash) => return Ok((hash, approved)),
            Words::Rendered(slot) => slot,
        };
        let key = (delivery.bulletin.clone(), delivery.ward.clone(), slot);
        let words = made.entry(key).or_insert_with(|| {
            let renderer = &live.renderer;
            let rendered = if slot.correction {
                renderer.correction(workspace, bulletin, ward, slot.format)
            } else {
                renderer.render(workspace, bulletin, ward, slot.format)
            };
            let content = rendered.map_err(|error| (Reason::Unrenderable, error.to_string()))?;
            if let Some(stray) = vetting::stray(live, &content, bulletin) {
                return Err((Reason::Contact, stray));
            }
            Ok((content.hash(), Arc::new(content)))
        });
        let (hash, content) = words.clone()?;
        self.contents.insert(hash.clone(), Arc::clone(&content));
        if let Some(lapse) = vetting::lapsed_in(live, latest, &content, delivery.due) {
            return Err((Reason::Contact, lapse));
        }
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
        if delivery.schedule.is_test() {
            let content = content.as_test(&catalogue::text(Lang::Vi, "cli.test-words", &[]));
            let hash = content.hash();
            self.contents.insert(hash.clone(), Arc::new(content));
            return Ok((hash, approved));
        }
        Ok((hash, approved))
    }
}
