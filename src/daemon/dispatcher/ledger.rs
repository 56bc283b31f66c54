//! What this node has claimed and not yet written down, and the turns in which that changes. One task owns it, so that
//! nothing is claimed twice and no lease is taken back that is still in use.

use std::{collections::HashMap, sync::Arc};

use super::{
    doors::Doors, leases::Leases, limits::Limits, preempt::playing, queue::Queue, report::report,
    sounds::sounds, verdict::conclude, worker::Job,
};
use crate::{
    adapter::{Failure, attempt::AttemptEnd},
    clock::Busy,
    daemon::{Shared, live::Live, liveness, vetting},
    domain::{
        breaker::Caller,
        bulletin::Priority,
        channel::Mode,
        delivery::{Outcome, Reason, State},
        detail::Detail,
        id::DeliveryId,
        message::{Content, ContentHash, Kept, Message},
        retry::RetryPolicy,
        settings::DeliverySettings,
        time::Timestamp,
    },
    store::{ALIVE, Claimed, Finished, Room, StoreError, Turn},
};

/// What may be claimed ahead for each worker where a repetition does no harm: enough that workers never wait for the
/// disk.
const AHEAD: usize = 16;

/// What is claimed for each worker when there was nothing to do before.
const FIRST: usize = 2;

/// Frozen words kept in memory between turns.
const KEPT_CONTENTS: usize = 2_048;

/// A claimed delivery.
struct InFlight {
    host: String,
    mode: Mode,
    priority: Priority,
    hash: ContentHash,
    /// Whether it is the one that tries whether its host answers again.
    is_trial: bool,
}

/// What this node has claimed and not yet written down.
pub(super) struct Ledger {
    limits: Limits,
    pub(super) leases: Leases,
    policy: RetryPolicy,
    workers: usize,
    /// Claimed deliveries by id.
    in_flight: HashMap<DeliveryId, InFlight>,
    finished: Vec<Finished>,
    contents: HashMap<ContentHash, Arc<Content>>,
    /// By which files contacts were last looked up.
    vetted: Option<(Arc<Live>, vetting::Latest)>,
    /// Held while anything is in flight or unwritten, so that a simulated clock does not run away from it.
    busy: Option<Busy>,
    /// Held while another node is in the middle of something, or died there: nothing may come due meanwhile.
    elsewhere: Option<Busy>,
    /// Whether there are others who may have an adapter where this node lacks one, and since when that is known.
    others: Option<(bool, Timestamp)>,
}

/// Whether another simulated node can hold anything.
fn may_be_elsewhere(shared: &Shared) -> bool {
    shared.clock.is_simulated() && !shared.alone
}

impl Ledger {
    /// Nothing claimed yet.
    pub(super) fn new(shared: &Shared, settings: &DeliverySettings, leases: Leases) -> Self {
        Self {
            limits: Limits::new(
                settings.host_concurrency,
                settings.host_per_second,
                // A fast clock waits for a host better between two claims than at life's speed, with a call in hand.
                !shared.clock.is_simulated(),
            ),
            leases,
            policy: settings.retry,
            workers: settings.workers,
            in_flight: HashMap::new(),
            finished: Vec::new(),
            contents: HashMap::new(),
            vetted: None,
            busy: None,
            // Until others were looked at.
            elsewhere: may_be_elsewhere(shared).then(|| shared.clock.busy()),
            others: None,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.finished.is_empty()
    }

    pub(super) fn take(&mut self, shared: &Shared, mut end: Finished) {
        if let Some(was) = self.in_flight.remove(&end.id) {
            self.limits.leave(&was.host);
            learn(shared, &was, &end);
            // Held by files that have been replaced meanwhile: those that came say nothing against it.
            if (end.reason, end.next) == (Some(Reason::Contact), State::Ready)
                && let Some(content) = self.contents.get(&was.hash)
                && vetting::lapsed(shared, content, shared.clock.now()).is_none()
            {
                end.next_at = Some(shared.clock.now());
            }
        }
        self.finished.push(end);
    }

    /// When files have changed, what is held just before its call until a contact is verified again is looked at once more.
    async fn look_again(&mut self, shared: &Shared) -> Result<(), StoreError> {
        let by = (shared.live.borrow().clone(), shared.latest.borrow().clone());
        let is_same = self.vetted.as_ref().is_some_and(|(live, latest)| {
            Arc::ptr_eq(live, &by.0)
                && match (latest, &by.1) {
                    (Some(one), Some(other)) => Arc::ptr_eq(one, other),
                    (one, other) => one.is_none() && other.is_none(),
                }
        });
        if !is_same {
            shared
                .store
                .release(Reason::Contact, shared.clock.now())
                .await?;
            self.vetted = Some(by);
        }
        Ok(())
    }

    /// Whether workers have enough to do for some time: a transaction for many ends then costs hardly more than one for
    /// one.
    pub(super) fn is_full(&self) -> bool {
        self.in_flight.len() >= self.workers * AHEAD / 2
    }

    pub(super) fn rest(&mut self, shared: &Shared) {
        if self.is_idle() {
            self.busy = None;
        }
        shared.metrics.set_in_flight(self.in_flight.len());
    }

    /// One turn, and what keeps leases honest: first this node's own are lengthened, then those of others that have run
    /// out are taken back. In this order and in one task, so that a node never takes back what it is still doing, however
    /// long the store was away.
    pub(super) async fn round(
        &mut self,
        shared: &Shared,
        queue: &Queue<Box<Job>>,
        stopping: bool,
    ) -> Result<Timestamp, StoreError> {
        self.look_again(shared).await?;
        let wake = self.turn(shared, queue, stopping).await?;
        let lease_now = shared.clock.lease_now();
        if self.in_flight.is_empty() {
            self.leases.nothing_held(lease_now);
        } else if self.leases.are_due(lease_now) {
            let ids: Vec<&DeliveryId> = self.in_flight.keys().collect();
            let held = shared
                .store
                .renew(&shared.node, &ids, self.leases.until(lease_now))
                .await?;
            let lost: Vec<DeliveryId> = ids
                .into_iter()
                .filter(|id| !held.contains(*id))
                .cloned()
                .collect();
            for id in &lost {
                tracing::warn!(delivery.id = %id, "the lease was lost while the delivery was in hand");
            }
            self.leases.renewed(lease_now, lost);
        }
        if self
            .leases
            .is_time_to_rescue(shared.clock.lease_now(), shared.look())
        {
            // By a clock that cannot be believed all others would look dead.
            if shared.is_time_certain() {
                liveness::rescue(shared, false).await?;
            }
            if may_be_elsewhere(shared) {
                let is_held = shared.store.is_held_elsewhere(&shared.node).await?;
                self.elsewhere = is_held.then(|| shared.clock.busy());
            }
        }
        Ok(wake)
    }

    /// When to look at leases again.
    pub(super) fn next_look(&self, shared: &Shared) -> Timestamp {
        self.leases
            .next_look(!self.in_flight.is_empty(), shared.look())
    }

    /// Whether other nodes that work with the same files are alive, asked no more often than they say so.
    async fn has_others(&mut self, shared: &Shared, revision: &str) -> Result<bool, StoreError> {
        let now = shared.clock.now();
        if shared.alone {
            return Ok(false);
        }
        if let Some((has, since)) = self.others
            && (since..since + shared.poll()).contains(&now)
        {
            return Ok(has);
        }
        let alive = shared.store.others_alive(&shared.node, now - ALIVE).await?;
        // One that has just ended may be back in a moment.
        let has = alive
            .iter()
            .any(|(_, theirs)| theirs == revision || theirs.is_empty());
        self.others = Some((has, now));
        Ok(has)
    }

    /// Writes what is finished, claims what fits, and hands it to the workers. Returns when to look again without a
    /// result or a signal: now, when there may be more.
    async fn turn(
        &mut self,
        shared: &Shared,
        queue: &Queue<Box<Job>>,
        stopping: bool,
    ) -> Result<Timestamp, StoreError> {
        let busy = shared.clock.busy();
        let now = shared.clock.now();
        let mut full = self.limits.full(now);
        full.extend(shared.health.held(now));
        // What is on its way makes more calls than one.
        let (crowded, roomy) = shared.transport.crowded(now, self.limits.ahead());
        full.extend(crowded);
        // What comes first is claimed quickly, so that workers begin while more is claimed.
        let is_first = self.in_flight.is_empty();
        let room = self.workers * if is_first { FIRST } else { AHEAD };
        // One look for the whole turn: what is claimed under a revision is sent by its adapters.
        let live = shared.live.borrow().clone();
        let is_left =
            !live.lacking.is_empty() && self.has_others(shared, &live.workspace.revision).await?;
        let room = if stopping || !shared.is_time_certain() {
            Room::default()
        } else {
            Room {
                in_all: room.saturating_sub(self.in_flight.len()),
                at_most_once: self.workers.saturating_sub(self.singular()),
                emergencies: self.workers.saturating_sub(self.urgent()),
                full: &full,
                revision: Some(&live.workspace.revision),
                not_here: if is_left { &live.lacking } else { &[] },
                topics: Some(&live.topics),
            }
        };
        let mut doors = Doors::new(&mut self.limits, &shared.health, now);
        let turn = shared
            .store
            .turn(
                &shared.node,
                now,
                self.leases.until(shared.clock.lease_now()),
                &self.finished,
                &room,
                |candidate| doors.admit(candidate),
            )
            .await;
        let Turn {
            claimed,
            paused,
            lost,
        } = match turn {
            Ok(turn) => turn,
            Err(error) => {
                doors.trials(&[]);
                self.recount();
                return Err(error);
            }
        };
        let (count, chosen) = (claimed.len(), doors.chosen());
        let trials = doors.trials(&claimed);
        liveness::silenced(shared, &paused);
        for id in &lost {
            tracing::warn!(delivery.id = %id, "the lease was lost before the outcome could be written");
        }
        let is_stranded = |end: &Finished| end.cut_off && end.next == State::Ready;
        if !stopping && self.finished.iter().any(is_stranded) {
            shared.stranded.ring(shared.clock.busy());
        }
        for end in self
            .finished
            .drain(..)
            .filter(|end| !lost.contains(&end.id))
        {
            report(shared, &end);
        }
        if count > 0 {
            self.busy.get_or_insert_with(|| shared.clock.busy());
        }
        self.hand_out(shared, &live, claimed, &trials, queue)
            .await?;
        if chosen != count {
            // Another node was quicker with some of them; their places are free.
            self.recount();
        }
        drop(busy);
        if !self.finished.is_empty() {
            // Some could not even begin; that has to be written down now.
            return Ok(now);
        }
        if is_first && count > 0 && count == room.in_all {
            return Ok(now);
        }
        let poll = now + shared.poll();
        if stopping || self.in_flight.len() >= self.workers {
            // Only a result makes room.
            return Ok(poll);
        }
        // What is ready already and was not claimed waits for its channel or its host, which a result frees, for another
        // node, or for its host's rate.
        let next = shared.store.next_after(now).await?;
        let free = self.limits.next_free(now);
        let answers = shared.health.next_free(Caller::Delivery, now);
        let instants = next.into_iter().chain(free).chain(roomy).chain(answers);
        Ok(instants.fold(poll, Timestamp::min))
    }

    /// Claimed deliveries that must not be sent twice.
    fn singular(&self) -> usize {
        let mode = |delivery: &&InFlight| delivery.mode == Mode::AtMostOnce;
        self.in_flight.values().filter(mode).count()
    }

    /// Claimed emergencies.
    fn urgent(&self) -> usize {
        let is_urgent = |delivery: &&InFlight| delivery.priority == Priority::Emergency;
        self.in_flight.values().filter(is_urgent).count()
    }

    fn recount(&mut self) {
        let hosts = self.in_flight.values().map(|delivery| &delivery.host);
        self.limits.recount(hosts);
    }

    async fn hand_out(
        &mut self,
        shared: &Shared,
        live: &Arc<Live>,
        claimed: Vec<Claimed>,
        trials: &HashMap<String, DeliveryId>,
        queue: &Queue<Box<Job>>,
    ) -> Result<(), StoreError> {
        for delivery in &claimed {
            let in_flight = InFlight {
                is_trial: trials.get(&delivery.host) == Some(&delivery.id),
                host: delivery.host.clone(),
                mode: delivery.mode,
                priority: delivery.priority,
                hash: delivery.hash.clone(),
            };
            self.in_flight.insert(delivery.id.clone(), in_flight);
        }
        if self.contents.len() > KEPT_CONTENTS {
            self.contents.clear();
        }
        let mut missing: Vec<ContentHash> = claimed
            .iter()
            .map(|delivery| &delivery.hash)
            .filter(|hash| !self.contents.contains_key(*hash))
            .cloned()
            .collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            match shared.store.contents(&missing).await {
                Ok(found) => self.contents.extend(
                    found
                        .into_iter()
                        .map(|(hash, content)| (hash, Arc::new(content))),
                ),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "frozen words could not be read"
                ),
            }
        }
        let mut sounds = sounds(shared, live, &claimed).await;
        let mut playing = playing(shared, &claimed).await;
        let (mut urgent, mut singular, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for claimed in claimed {
            let content = self.contents.get(&claimed.hash).cloned();
            let adapter = live.adapters.get(&claimed.channel).cloned();
            if !live.may_get(&claimed.channel, &claimed.schedule) {
                let failure = Failure::reject(Reason::TestOnly, "");
                self.never_left(shared, &claimed, failure);
                continue;
            }
            let (content, adapter) = match (content, adapter) {
                (Some(content), Some(adapter)) => (content, adapter),
                // Its secret is missing here and nobody else is there, or it was removed: that does not change by itself.
                (_, None) => {
                    let fault = live.faults.get(&claimed.channel).cloned();
                    let fault = fault.unwrap_or_else(|| Detail::new("channel-gone"));
                    let failure = Failure::reject(Reason::Unwritable, fault.to_string());
                    self.never_left(shared, &claimed, failure);
                    continue;
                }
                (None, _) => {
                    let failure =
                        Failure::retry(Reason::Defect, Detail::new("words-unread").to_string());
                    self.never_left(shared, &claimed, failure);
                    continue;
                }
            };
            let wants_sound = live.sounding.contains(&claimed.channel);
            let sound = sounds
                .remove(&claimed.id)
                .map(|sound| (sound, Arc::clone(live)));
            if wants_sound && sound.is_none() {
                let failure =
                    Failure::retry(Reason::NoSound, Detail::new("sound-not-linked").to_string());
                self.never_left(shared, &claimed, failure);
                continue;
            }
            let mut message = address(&claimed, content);
            let interrupts = playing.remove(&claimed.channel).unwrap_or_default();
            message.preempts = !interrupts.is_empty();
            message.kept.playing = interrupts.last().cloned();
            let lane = match (claimed.priority, claimed.mode) {
                (Priority::Emergency, _) => &mut urgent,
                (_, Mode::AtMostOnce) => &mut singular,
                (_, Mode::AtLeastOnce) => &mut others,
            };
            lane.push(Box::new(Job {
                claimed,
                message,
                adapter,
                sound,
                interrupts,
            }));
        }
        queue.extend(urgent, singular, others);
        Ok(())
    }

    /// Ends what was claimed ahead and no worker has begun: it never left, and is sent after the next start.
    pub(super) fn give_back(&mut self, shared: &Shared, queue: &Queue<Box<Job>>) {
        for job in queue.drain() {
            let stopped = Detail::new("stopped-before-call").to_string();
            let failure = Failure::retry(Reason::Crashed, stopped);
            self.never_left(shared, &job.claimed, failure);
        }
    }

    /// Takes the end of an attempt that could not even begin.
    fn never_left(&mut self, shared: &Shared, claimed: &Claimed, failure: Failure) {
        let end = AttemptEnd::failed(failure);
        let end = conclude(claimed, end, &self.policy, shared.clock.now());
        self.take(shared, end);
    }
}

/// What the end of an attempt says of its host.
fn learn(shared: &Shared, was: &InFlight, end: &Finished) {
    let settings = shared.live.borrow().workspace.settings.delivery.health;
    let (now, health) = (shared.clock.now(), &shared.health);
    if end
        .reason
        .is_some_and(|reason| reason.is_of_ours(end.answered))
    {
        if was.is_trial {
            health.give_back(&was.host);
        }
        return;
    }
    // What was accepted has no reason that speaks of the host.
    let reason = end.reason.filter(|_| end.outcome != Outcome::Accepted);
    health.learn(&was.host, reason, was.is_trial, now, &settings);
}

fn address(claimed: &Claimed, content: Arc<Content>) -> Message {
    Message {
        delivery: claimed.id.clone(),
        attempt: claimed.attempt,
        channel: claimed.channel.clone(),
        channel_name: claimed.channel_name.clone(),
        ward: claimed.ward.clone(),
        ward_name: claimed.ward_name.clone(),
        priority: claimed.priority,
        preempts: false,
        due: claimed.due,
        deadline: claimed.deadline,
        sent_at: claimed.started,
        hash: claimed.hash.clone(),
        content,
        audio: None,
        picture: None,
        kept: Kept {
            is_correction: claimed.schedule.is_correction(),
            ..Kept::default()
        },
    }
}
