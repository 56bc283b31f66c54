//! Sends what is due.
//!
//! One task owns the ledger: in one transaction it writes the ends of attempts and claims the next deliveries, so that
//! "begun" is on record before any socket opens and a delivery costs a fraction of a transaction. A fixed set of workers
//! makes the calls. Of what must not be sent twice no more is claimed than there are workers, and it goes first, so that a
//! crash leaves as few deliveries as possible in doubt.

mod leases;
mod limits;
mod verdict;

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use self::{
    leases::{Held, Leases},
    limits::Limits,
    verdict::conclude,
};
use super::{Shared, liveness};
use crate::{
    adapter::{
        Adapter, Failure,
        attempt::{AttemptEnd, attempt},
    },
    clock::Busy,
    domain::{
        channel::Mode,
        delivery::{Outcome, Reason, State},
        id::DeliveryId,
        message::{Content, ContentHash, Message},
        retry::RetryPolicy,
        time::Timestamp,
    },
    store::{Candidate, Claimed, Finished, Room, StoreError, Turn},
};

/// What may be claimed ahead for each worker where a repetition does no harm: enough that workers never wait for the
/// disk.
const AHEAD: usize = 8;

/// Frozen words kept in memory between turns.
const KEPT_CONTENTS: usize = 2_048;

/// A claimed delivery with all that its call needs.
struct Job {
    claimed: Claimed,
    message: Message,
    adapter: Arc<dyn Adapter>,
}

/// Where claimed deliveries wait for a worker: what must not be sent twice apart from the rest, which it overtakes.
struct Jobs {
    singular: mpsc::Sender<Job>,
    others: mpsc::Sender<Job>,
}

/// The other ends of [`Jobs`].
struct Queue {
    singular: mpsc::Receiver<Job>,
    others: mpsc::Receiver<Job>,
}

fn queues(length: usize) -> (Jobs, Queue) {
    let (singular, singular_queue) = mpsc::channel(length);
    let (others, others_queue) = mpsc::channel(length);
    (
        Jobs { singular, others },
        Queue {
            singular: singular_queue,
            others: others_queue,
        },
    )
}

impl Jobs {
    /// Hands a job over; gives it back when there is no worker left.
    async fn send(&self, job: Job) -> Result<(), Job> {
        let queue = match job.claimed.mode {
            Mode::AtMostOnce => &self.singular,
            Mode::AtLeastOnce => &self.others,
        };
        queue.send(job).await.map_err(|unsent| unsent.0)
    }
}

impl Queue {
    /// The next job; `None` when there will be no more.
    async fn next(&mut self) -> Option<Job> {
        tokio::select! {
            biased;
            Some(job) = self.singular.recv() => Some(job),
            Some(job) = self.others.recv() => Some(job),
            else => None,
        }
    }
}

/// Sends, until told to stop; then waits for what is in flight.
pub async fn run(shared: Shared) {
    let settings = shared.live.borrow().workspace.settings.delivery.clone();
    let workers = settings.workers;
    let (jobs, queue) = queues(workers * AHEAD);
    let (ends, mut results) = mpsc::channel::<Finished>(workers * AHEAD);
    let queue = Arc::new(Mutex::new(queue));
    let mut crew = JoinSet::new();
    let leases = Leases::new(settings.lease, shared.clock.now());
    for _ in 0..workers {
        crew.spawn(work(
            shared.clone(),
            settings.retry,
            queue.clone(),
            ends.clone(),
            leases.held(),
        ));
    }
    drop(ends);

    let mut ledger = Ledger {
        limits: Limits::new(settings.host_concurrency, settings.host_per_second),
        leases,
        workers,
        in_flight: HashMap::new(),
        finished: Vec::new(),
        contents: HashMap::new(),
        busy: None,
    };
    loop {
        while let Ok(end) = results.try_recv() {
            ledger.take(end);
        }
        let stopping = shared.stop.soft.is_cancelled();
        if stopping && ledger.is_idle() {
            break;
        }
        let wake = match ledger.round(&shared, &jobs, stopping).await {
            Ok(wake) => {
                shared.store_works("dispatcher");
                wake
            }
            Err(error) => {
                // What is finished stays in the ledger until it can be written.
                ledger.leases.lose_touch();
                shared.store_failed("dispatcher", &error).await;
                continue;
            }
        };
        if wake <= shared.clock.now() && !stopping {
            continue;
        }
        ledger.rest(&shared);
        tokio::select! {
            end = results.recv() => {
                if let Some(end) = end {
                    ledger.take(end);
                }
            }
            () = shared.stop.soft.cancelled(), if !stopping => {}
            () = shared.prepared.notified(), if !stopping => {}
            () = shared.clock.sleep_until(wake) => {}
            // Nothing but a defect ends a worker here; what it had in hand is taken care of by the next start.
            _ = crew.join_next() => break,
        }
    }
    drop(jobs);
    crew.shutdown().await;
}

/// A claimed delivery.
struct InFlight {
    host: String,
    mode: Mode,
}

/// What this node has claimed and not yet written down.
struct Ledger {
    limits: Limits,
    leases: Leases,
    workers: usize,
    /// Claimed deliveries by id.
    in_flight: HashMap<DeliveryId, InFlight>,
    finished: Vec<Finished>,
    contents: HashMap<ContentHash, Arc<Content>>,
    /// Held while anything is in flight or unwritten, so that a simulated clock does not run away from it.
    busy: Option<Busy>,
}

impl Ledger {
    fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.finished.is_empty()
    }

    fn take(&mut self, end: Finished) {
        if let Some(was) = self.in_flight.remove(&end.id) {
            self.limits.leave(&was.host);
        }
        self.finished.push(end);
    }

    fn rest(&mut self, shared: &Shared) {
        if self.is_idle() {
            self.busy = None;
        }
        shared.metrics.set_in_flight(self.in_flight.len());
    }

    /// One turn, and what keeps leases honest: first this node's own are lengthened, then those of others that have run
    /// out are taken back. In this order and in one task, so that a node never takes back what it is still doing, however
    /// long the store was away.
    async fn round(
        &mut self,
        shared: &Shared,
        jobs: &Jobs,
        stopping: bool,
    ) -> Result<Timestamp, StoreError> {
        let wake = self.turn(shared, jobs, stopping).await?;
        if self.in_flight.is_empty() {
            self.leases.nothing_held(shared.clock.now());
        } else if self.leases.are_due(shared.clock.now()) {
            let now = shared.clock.now();
            let ids: Vec<&DeliveryId> = self.in_flight.keys().collect();
            let held = shared
                .store
                .renew(&shared.node, &ids, self.leases.until(now))
                .await?;
            let lost: Vec<DeliveryId> = ids
                .into_iter()
                .filter(|id| !held.contains(*id))
                .cloned()
                .collect();
            for id in &lost {
                tracing::warn!(delivery.id = %id, "the lease was lost while the delivery was in hand");
            }
            self.leases.renewed(now, lost);
        }
        if self
            .leases
            .is_time_to_rescue(shared.clock.now(), shared.poll())
        {
            liveness::rescue(shared, false).await?;
        }
        Ok(wake.min(self.leases.next_renewal(!self.in_flight.is_empty())))
    }

    /// Writes what is finished, claims what fits, and hands it to the workers. Returns when to look again without a
    /// result or a signal: now, when there may be more.
    async fn turn(
        &mut self,
        shared: &Shared,
        jobs: &Jobs,
        stopping: bool,
    ) -> Result<Timestamp, StoreError> {
        let busy = shared.clock.busy();
        let now = shared.clock.now();
        let full = self.limits.full(now);
        let room = if stopping {
            Room::default()
        } else {
            Room {
                in_all: (self.workers * AHEAD).saturating_sub(self.in_flight.len()),
                at_most_once: self.workers.saturating_sub(self.singular()),
                full: &full,
            }
        };
        let limits = &mut self.limits;
        let mut chosen = 0;
        let choose = |candidate: &Candidate| {
            let enters = limits.enter(&candidate.host, now);
            chosen += usize::from(enters);
            enters
        };
        let turn = shared
            .store
            .turn(
                &shared.node,
                now,
                self.leases.length(),
                &self.finished,
                &room,
                choose,
            )
            .await;
        let Turn { claimed, lost } = match turn {
            Ok(turn) => turn,
            Err(error) => {
                self.recount();
                return Err(error);
            }
        };
        for id in &lost {
            tracing::warn!(delivery.id = %id, "the lease was lost before the outcome could be written");
        }
        for end in self
            .finished
            .drain(..)
            .filter(|end| !lost.contains(&end.id))
        {
            report(shared, &end);
        }
        let count = claimed.len();
        if count > 0 {
            self.busy.get_or_insert_with(|| shared.clock.busy());
        }
        self.hand_out(shared, claimed, jobs).await?;
        if chosen != count {
            // Another node was quicker with some of them; their places are free.
            self.recount();
        }
        drop(busy);
        if !self.finished.is_empty() {
            // Some could not even begin; that has to be written down now.
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
        Ok(next.into_iter().chain(free).fold(poll, Timestamp::min))
    }

    /// Claimed deliveries that must not be sent twice.
    fn singular(&self) -> usize {
        let mode = |delivery: &&InFlight| delivery.mode == Mode::AtMostOnce;
        self.in_flight.values().filter(mode).count()
    }

    fn recount(&mut self) {
        let hosts = self.in_flight.values().map(|delivery| &delivery.host);
        self.limits.recount(hosts);
    }

    async fn hand_out(
        &mut self,
        shared: &Shared,
        claimed: Vec<Claimed>,
        jobs: &Jobs,
    ) -> Result<(), StoreError> {
        for delivery in &claimed {
            let in_flight = InFlight {
                host: delivery.host.clone(),
                mode: delivery.mode,
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
        let live = shared.live.borrow().clone();
        for claimed in claimed {
            let (Some(content), Some(adapter)) = (
                self.contents.get(&claimed.hash).cloned(),
                live.adapters.get(&claimed.channel).cloned(),
            ) else {
                let reason = if self.contents.contains_key(&claimed.hash) {
                    Reason::Unwritable
                } else {
                    Reason::Defect
                };
                let end = never_left(&claimed, reason, shared.clock.now());
                self.take(end);
                continue;
            };
            let message = address(&claimed, content);
            if let Err(unsent) = jobs
                .send(Job {
                    claimed,
                    message,
                    adapter,
                })
                .await
            {
                // The workers are gone only when everything is being dropped.
                tracing::error!(delivery.id = %unsent.claimed.id, "there is no worker left");
            }
        }
        Ok(())
    }
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
        due: claimed.due,
        deadline: claimed.deadline,
        sent_at: claimed.started,
        hash: claimed.hash.clone(),
        content,
    }
}

/// The end of an attempt that could not even begin: the channel has no adapter (its secret is missing, or it was
/// removed), or its words are gone.
fn never_left(claimed: &Claimed, reason: Reason, now: Timestamp) -> Finished {
    let failure = Failure::Reject {
        reason,
        detail: String::new(),
    };
    conclude(
        claimed,
        AttemptEnd::failed(failure),
        &RetryPolicy {
            first: Duration::ZERO,
            longest: Duration::ZERO,
            attempts: 0,
        },
        now,
    )
}

/// The end of an attempt that was not made, because the lease was lost before it could begin. It certainly never left.
fn lost(claimed: &Claimed, now: Timestamp) -> Finished {
    let failure = Failure::Retry {
        after: None,
        reason: Reason::Crashed,
        detail: "the lease was lost before the call".to_owned(),
    };
    let policy = RetryPolicy {
        first: Duration::ZERO,
        longest: Duration::ZERO,
        attempts: u32::MAX,
    };
    conclude(claimed, AttemptEnd::failed(failure), &policy, now)
}

/// One worker: makes calls, one after another.
async fn work(
    shared: Shared,
    policy: RetryPolicy,
    queue: Arc<Mutex<Queue>>,
    ends: mpsc::Sender<Finished>,
    mut held: Held,
) {
    loop {
        let job = queue.lock().await.next().await;
        let Some(Job {
            claimed,
            message,
            adapter,
        }) = job
        else {
            return;
        };
        let clock = shared.clock.clone();
        if !held.is_held(&claimed.id, &clock).await {
            // Another node has taken it over and does what is to be done.
            let end = lost(&claimed, clock.now());
            if ends.send(end).await.is_err() {
                return;
            }
            continue;
        }
        let end = if clock.now() >= claimed.deadline {
            AttemptEnd::failed(Failure::Reject {
                reason: Reason::Deadline,
                detail: String::new(),
            })
        } else {
            let call = attempt(adapter.as_ref(), &message, &shared.transport, || {
                clock.now()
            });
            // A panic is one failed attempt of one delivery. It may have happened after the request left.
            AssertUnwindSafe(call)
                .catch_unwind()
                .await
                .unwrap_or_else(|_| {
                    AttemptEnd::failed(Failure::Unknown {
                        reason: Reason::Defect,
                        detail: "panic".to_owned(),
                    })
                })
        };
        let finished = conclude(&claimed, end, &policy, clock.now());
        shared.metrics.attempted(
            adapter.name(),
            finished.outcome.as_str(),
            finished.finished.since(finished.started),
        );
        if ends.send(finished).await.is_err() {
            return;
        }
    }
}

/// One log line and the counters of an attempt that is written down.
fn report(shared: &Shared, end: &Finished) {
    if end.next.is_final() {
        shared.metrics.ended(end.next.as_str(), 1);
    }
    let reason = end.reason.map_or("", Reason::as_str);
    let (id, state, attempt) = (&end.id, end.next.as_str(), end.attempt);
    let detail = end.detail.as_deref().unwrap_or_default();
    match (end.outcome, end.next) {
        (Outcome::Accepted, _) => tracing::info!(delivery.id = %id, state, attempt, "delivered"),
        (_, State::Ready) => {
            tracing::info!(delivery.id = %id, state, attempt, reason, detail, "will be tried again");
        }
        _ => tracing::warn!(delivery.id = %id, state, attempt, reason, detail, "not delivered"),
    }
}
