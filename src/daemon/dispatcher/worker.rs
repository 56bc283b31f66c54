//! A worker: makes calls, one after another, each only while its lease holds and after a last look at what it carries.

use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use chrono_tz::Tz;
use futures_util::{FutureExt as _, future::BoxFuture};

use super::{
    ends::Ends, leases::Held, preempt, queue::Queue, sounds::add_sound, verdict::conclude,
};
use crate::{
    adapter::{
        Adapter, Failure,
        attempt::{AttemptEnd, Ending, Notes, attempt},
    },
    daemon::{Shared, keeper, live::Live, pictures, vetting},
    domain::{
        audio::Sound,
        delivery::Reason,
        detail::Detail,
        message::{Message, Note, Playing},
        retry::RetryPolicy,
        time::Timestamp,
    },
    store::{Claimed, Finished},
};

/// For attempts that were not made: they are none of the channel's tries.
const UNCALLED: RetryPolicy = RetryPolicy {
    first: Duration::ZERO,
    longest: Duration::ZERO,
    attempts: u32::MAX,
};

/// A claimed delivery with all that its call needs.
pub(super) struct Job {
    pub(super) claimed: Claimed,
    pub(super) message: Message,
    pub(super) adapter: Arc<dyn Adapter>,
    /// The sound that goes with it, and where its bytes are.
    pub(super) sound: Option<(Sound, Arc<Live>)>,
    /// What it interrupts.
    pub(super) interrupts: Vec<Playing>,
}

/// The end of an attempt that was not made, because the lease was lost before it could begin. It certainly never left.
fn lost(claimed: &Claimed, now: Timestamp) -> Finished {
    let detail = Detail::new("lease-lost").to_string();
    let failure = Failure::retry(Reason::Crashed, detail);
    conclude(claimed, AttemptEnd::failed(failure), &UNCALLED, now)
}

/// The end of an attempt whose words name a contact that does not hold: it waits for that as long as its deadline allows,
/// and is looked at again when files change (`Ledger::look_again`). Only what is left then is a refusal.
fn hold(claimed: &Claimed, lapse: &Detail, zone: Tz, now: Timestamp) -> Finished {
    let last = claimed.deadline - vetting::LAST_WORD;
    let failure = if now < last {
        let detail = vetting::held(lapse, claimed.deadline, zone, true);
        Failure::Retry {
            after: Some(last.since(now)),
            reason: Reason::Contact,
            detail: detail.to_string(),
        }
    } else {
        Failure::reject(Reason::Contact, lapse.to_string())
    };
    conclude(claimed, AttemptEnd::failed(failure), &UNCALLED, now)
}

/// Puts what is kept for `adapter` into the message. Gives the number of the pair of tokens that the calls will carry, `None` where
/// they carry none.
///
/// # Errors
/// The end of the attempt: without a token it waits for a person as long as its deadline allows, and is looked at again when there
/// is one (`keeper`); what the store does not give is asked for again in a while.
async fn keep(
    shared: &Shared,
    claimed: &Claimed,
    adapter: &dyn Adapter,
    message: &mut Message,
    now: Timestamp,
) -> Result<Option<i64>, Box<Finished>> {
    let uncalled = |failure| {
        let end = AttemptEnd::failed(failure);
        Box::new(conclude(claimed, end, &UNCALLED, now))
    };
    let pair = match keeper::access(shared, adapter).await {
        None => None,
        Some(Ok((pair, access))) => {
            message.kept.access = Some(access);
            Some(pair)
        }
        // What says itself when to try again is not for a person.
        Some(Err(failure @ Failure::Retry { after: Some(_), .. })) => {
            return Err(uncalled(failure));
        }
        Some(Err(failure)) => {
            let last = claimed.deadline - vetting::LAST_WORD;
            let (reason, detail) = (failure.reason(), failure.detail());
            return Err(uncalled(if now < last {
                Failure::Retry {
                    after: Some(last.since(now)),
                    reason,
                    detail: detail.to_owned(),
                }
            } else {
                Failure::reject(reason, detail)
            }));
        }
    };
    if !adapter.gives_notes() {
        return Ok(pair);
    }
    let progress = shared.store.progress(&claimed.id).await.map_err(|error| {
        tracing::error!(
            delivery.id = %claimed.id, error = &error as &dyn std::error::Error,
            "what is on record of a delivery could not be read"
        );
        uncalled(keeper::unread("progress-unread"))
    })?;
    message.kept.noted = progress.noted;
    message.kept.holds = progress.holds;
    message.kept.others = progress.others;
    Ok(pair)
}

/// Where the notes of a delivery's attempt go.
struct Record<'a> {
    shared: &'a Shared,
    claimed: &'a Claimed,
}

impl Notes for Record<'_> {
    fn keep<'a>(&'a self, note: &'a Note) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let (store, claimed) = (&self.shared.store, self.claimed);
            let (node, now) = (&self.shared.node, self.shared.clock.now());
            let kept = store
                .note(&claimed.id, node, claimed.attempt, note, now)
                .await;
            let code = match kept {
                Ok(true) => return Ok(()),
                // Another node has taken the delivery over; it knows how far it came.
                Ok(false) => "lease-lost",
                Err(error) => {
                    tracing::error!(
                        delivery.id = %claimed.id, error = &error as &dyn std::error::Error,
                        "a note could not be put on record, so the call was not made"
                    );
                    "progress-unwritten"
                }
            };
            Err(Failure::retry(Reason::Defect, Detail::new(code)))
        })
    }
}

/// What a worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Whatever comes.
    Everything,
    /// Emergencies, which must not wait until a device that hangs lets a worker go.
    Emergencies,
}

/// One worker: makes calls, one after another.
pub(super) async fn work(
    shared: Shared,
    policy: RetryPolicy,
    queue: Arc<Queue<Box<Job>>>,
    ends: Arc<Ends>,
    mut held: Held,
    takes: Takes,
) {
    loop {
        let job = match takes {
            Takes::Everything => queue.next().await,
            Takes::Emergencies => queue.next_urgent().await,
        };
        let Some(job) = job else {
            return;
        };
        let Job {
            claimed,
            mut message,
            adapter,
            sound,
            interrupts,
        } = *job;
        let clock = shared.clock.clone();
        if !held.is_held(&claimed.id, &clock).await {
            // Another node has taken it over and does what is to be done.
            ends.put(lost(&claimed, clock.now()));
            continue;
        }
        let now = clock.now();
        if now < claimed.deadline
            && let Some(lapse) = vetting::lapsed(&shared, &message.content, now)
        {
            let zone = shared.live.borrow().workspace.settings.zone;
            ends.put(hold(&claimed, &lapse, zone, now));
            continue;
        }
        let pair = match keep(&shared, &claimed, adapter.as_ref(), &mut message, now).await {
            Ok(pair) => pair,
            Err(end) => {
                ends.put(*end);
                continue;
            }
        };
        let end = if now >= claimed.deadline {
            AttemptEnd::failed(Failure::reject(Reason::Deadline, ""))
        } else if let Err(failure) = add_sound(&mut message, sound).await {
            AttemptEnd::failed(failure)
        } else if adapter.wants_picture()
            && let Err(failure) = pictures::add(&shared, &mut message).await
        {
            AttemptEnd::failed(failure)
        } else {
            let notes = Record {
                shared: &shared,
                claimed: &claimed,
            };
            let now = || clock.now();
            let call = pin!(attempt(
                adapter.as_ref(),
                &message,
                &notes,
                &shared.transport,
                now
            ));
            // A panic is one failed attempt of one delivery. It may have happened after the request left.
            AssertUnwindSafe(call)
                .catch_unwind()
                .await
                .unwrap_or_else(|_| {
                    AttemptEnd::failed(Failure::Unknown {
                        reason: Reason::Defect,
                        detail: Detail::new("panic").to_string(),
                    })
                })
        };
        let failure = match &end.ending {
            Ending::Accepted(_) => None,
            Ending::Failed(failure) => Some(failure),
        };
        shared.keeper.hear(adapter.as_ref(), pair, failure);
        if let Some(stopped) = end.stopped {
            preempt::record(&shared, &claimed, &interrupts, stopped).await;
        }
        let finished = conclude(&claimed, end, &policy, clock.now());
        shared.metrics.attempted(
            adapter.name(),
            finished.outcome.as_str(),
            finished.finished.since(finished.started),
        );
        ends.put(finished);
    }
}
