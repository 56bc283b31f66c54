//! Sends what is due.
//!
//! One task owns the ledger: in one transaction it writes the ends of attempts and claims the next deliveries, so that
//! "begun" is on record before any socket opens and a delivery costs a fraction of a transaction. A fixed set of workers
//! makes the calls. What must not be sent twice is claimed only when a worker is free for it, so that a crash leaves as
//! few deliveries as possible in doubt.

mod limits;
mod verdict;

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use self::{limits::Limits, verdict::conclude};
use super::Shared;
use crate::{
    adapter::{
        Adapter, Failure,
        attempt::{AttemptEnd, attempt},
    },
    clock::Busy,
    domain::{
        channel::Mode,
        delivery::{Outcome, Reason, State},
        message::{Content, ContentHash, Message},
        retry::RetryPolicy,
        time::Timestamp,
    },
    store::{Claimed, Finished, StoreError, Turn},
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

/// Sends, until told to stop; then waits for what is in flight.
pub async fn run(shared: Shared) {
    let settings = shared.live.borrow().workspace.settings.delivery.clone();
    let workers = settings.workers;
    let (jobs, queue) = mpsc::channel::<Job>(workers * AHEAD);
    let (ends, mut results) = mpsc::channel::<Finished>(workers * AHEAD);
    let queue = Arc::new(Mutex::new(queue));
    let mut crew = JoinSet::new();
    for _ in 0..workers {
        crew.spawn(work(
            shared.clone(),
            settings.retry,
            queue.clone(),
            ends.clone(),
        ));
    }
    drop(ends);

    let mut ledger = Ledger {
        limits: Limits::new(settings.host_concurrency, settings.host_per_second),
        lease: settings.lease,
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
        let wake = match ledger.turn(&shared, &jobs, stopping).await {
            Ok(wake) => {
                shared.store_works();
                wake
            }
            Err(error) => {
                // What is finished stays in the ledger until it can be written.
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
            () = shared.clock.sleep_until(wake), if !stopping => {}
        }
    }
    drop(jobs);
    crew.shutdown().await;
}

/// What this node has claimed and not yet written down.
struct Ledger {
    limits: Limits,
    lease: Duration,
    workers: usize,
    /// Claimed deliveries by id, with their hosts.
    in_flight: HashMap<crate::domain::id::DeliveryId, String>,
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
        if let Some(host) = self.in_flight.remove(&end.id) {
            self.limits.leave(&host);
        }
        self.finished.push(end);
    }

    fn rest(&mut self, shared: &Shared) {
        if self.is_idle() {
            self.busy = None;
        }
        shared.metrics.set_in_flight(self.in_flight.len());
    }

    /// Writes what is finished, claims what fits, and hands it to the workers. Returns when to look again without a
    /// result or a signal: now, when there may be more.
    async fn turn(
        &mut self,
        shared: &Shared,
        jobs: &mpsc::Sender<Job>,
        stopping: bool,
    ) -> Result<Timestamp, StoreError> {
        let busy = shared.clock.busy();
        let now = shared.clock.now();
        let room = (self.workers * AHEAD).saturating_sub(self.in_flight.len());
        let want = if stopping { 0 } else { room };
        let blocked = self.limits.blocked(now);
        let mut taken = self.in_flight.len();
        let (workers, limits) = (self.workers, &mut self.limits);
        let choose = |candidate: &crate::store::Candidate| {
            let fits = candidate.mode == Mode::AtLeastOnce || taken < workers;
            let enters = fits && limits.enter(&candidate.host, now);
            taken += usize::from(enters);
            enters
        };
        let turn = shared
            .store
            .turn(
                &shared.node,
                now,
                self.lease,
                &self.finished,
                want,
                &blocked,
                choose,
            )
            .await;
        let Turn { claimed, lost } = match turn {
            Ok(turn) => turn,
            Err(error) => {
                self.limits.recount(self.in_flight.values());
                return Err(error);
            }
        };
        for id in lost {
            tracing::warn!(delivery.id = %id, "the lease was lost before the outcome could be written");
        }
        for end in self.finished.drain(..) {
            report(shared, &end);
        }
        let full = claimed.len() >= want;
        let some = !claimed.is_empty();
        if some {
            self.busy.get_or_insert_with(|| shared.clock.busy());
        }
        let chosen = taken - self.in_flight.len();
        let count = claimed.len();
        self.hand_out(shared, claimed, jobs).await?;
        if chosen != count {
            // Another node was quicker with some of them; their places are free.
            self.limits.recount(self.in_flight.values());
        }
        drop(busy);
        if !self.finished.is_empty() {
            // Some could not even begin; that has to be written down now.
            return Ok(now);
        }
        if stopping || (full && want > 0) || (want == 0) {
            // Only a result makes room.
            return Ok(now + shared.poll());
        }
        let next = shared
            .store
            .next_ready()
            .await?
            .unwrap_or(now + shared.poll())
            .min(now + shared.poll());
        // What is ready and was not claimed waits for its channel, for its host, or for another node.
        Ok(if next > now {
            next
        } else {
            self.limits.next_free(now).unwrap_or(now + shared.poll())
        })
    }

    async fn hand_out(
        &mut self,
        shared: &Shared,
        claimed: Vec<Claimed>,
        jobs: &mpsc::Sender<Job>,
    ) -> Result<(), StoreError> {
        for delivery in &claimed {
            self.in_flight
                .insert(delivery.id.clone(), delivery.host.clone());
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
                tracing::error!(delivery.id = %unsent.0.claimed.id, "there is no worker left");
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

/// One worker: makes calls, one after another.
async fn work(
    shared: Shared,
    policy: RetryPolicy,
    queue: Arc<Mutex<mpsc::Receiver<Job>>>,
    ends: mpsc::Sender<Finished>,
) {
    loop {
        let job = queue.lock().await.recv().await;
        let Some(Job {
            claimed,
            message,
            adapter,
        }) = job
        else {
            return;
        };
        let clock = shared.clock.clone();
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
