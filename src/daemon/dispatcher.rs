//! Sends what is due.
//!
//! One task owns the ledger: in one transaction it writes the ends of attempts and claims the next deliveries, so that
//! "begun" is on record before any socket opens and a delivery costs a fraction of a transaction. A fixed set of workers
//! makes the calls. Of what must not be sent twice no more is claimed than there are workers, and it goes first, so that a
//! crash leaves as few deliveries as possible in doubt.

mod air;
mod doors;
mod ends;
mod leases;
mod ledger;
mod limits;
mod preempt;
mod queue;
mod report;
mod sounds;
pub mod verdict;
mod worker;

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::{
    ends::Ends,
    leases::Leases,
    ledger::Ledger,
    queue::Queue,
    worker::{Takes, work},
};
use super::Shared;

/// Ends for each worker that are written down together where there is much to do.
const GATHERED: usize = 6;

/// How long a simulated node's silence is waited out, in real time.
const SIMULATED_LEASE: Duration = Duration::from_secs(5);

/// Sends, until told to stop; then waits for what is in flight.
pub async fn run(shared: Shared) {
    let settings = shared.live.borrow().workspace.settings.delivery.clone();
    let workers = settings.workers;
    let queue = Arc::new(Queue::new());
    let ends = Arc::new(Ends::default());
    let mut crew = JoinSet::new();
    let length = if shared.clock.is_simulated() {
        settings.lease.min(SIMULATED_LEASE)
    } else {
        settings.lease
    };
    let leases = Leases::new(length, shared.clock.lease_now());
    let crews = [Takes::Everything, Takes::Emergencies];
    for takes in crews.into_iter().flat_map(|takes| vec![takes; workers]) {
        crew.spawn(work(
            shared.clone(),
            settings.retry,
            queue.clone(),
            ends.clone(),
            leases.held(),
            takes,
        ));
    }

    let last = CancellationToken::new();
    let mut keeper = JoinSet::new();
    keeper.spawn(air::run(shared.clone(), last.clone()));
    let mut ledger = Ledger::new(&shared, &settings, leases);
    // From waking until the next instant is waited for, so that a simulated clock cannot pass what the turn is about to find.
    let mut awake = shared.clock.busy();
    loop {
        for end in ends.take() {
            ledger.take(&shared, end);
        }
        let stopping = shared.stop.soft.is_cancelled();
        if stopping {
            ledger.give_back(&shared, &queue);
            if ledger.is_idle() {
                break;
            }
        }
        let wake = match ledger.round(&shared, &queue, stopping).await {
            Ok(wake) => {
                shared.store_works("dispatcher");
                wake
            }
            Err(error) => {
                // What is finished stays in the ledger until it can be written.
                ledger.leases.lose_touch();
                drop(awake);
                shared.store_failed("dispatcher", &error).await;
                awake = shared.clock.busy();
                continue;
            }
        };
        // At a stop that is when what was given back is written down: then nothing else would wake this loop.
        if stopping && ledger.is_idle() {
            continue;
        }
        let mut due = pin!(shared.clock.awake_at(wake));
        if let Some(busy) = due.as_mut().now_or_never() {
            awake = busy;
            continue;
        }
        ledger.rest(&shared);
        drop(awake);
        awake = tokio::select! {
            () = ends.any() => {
                if ledger.is_full() {
                    ends.gather(workers * GATHERED).await;
                }
                shared.clock.busy()
            }
            () = shared.stop.soft.cancelled(), if !stopping => shared.clock.busy(),
            () = shared.prepared.notified(), if !stopping => shared.clock.busy(),
            busy = due => busy,
            () = shared.clock.sleep_until_lease(ledger.next_look(&shared)) => shared.clock.busy(),
            // Nothing but a defect ends a worker here; what it had in hand is taken care of by the next start.
            _ = crew.join_next() => break,
        };
    }
    queue.close();
    crew.shutdown().await;
    // What is on air ends by itself, or when its time is up.
    last.cancel();
    while keeper.join_next().await.is_some() {}
}
