//! Where workers put the ends of attempts for the ledger.
//!
//! Not a channel: that would wake the ledger for every end, and a wake costs as much as writing the end down. Here it is
//! woken by the first end, and by the one that completes what it waits for.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::store::Finished;

/// When no end comes for so long, the ledger goes on with those that came. In real time: it paces the disk,
/// not the calendar.
const LULL: Duration = Duration::from_millis(2);

/// Ends that nobody has taken yet.
#[derive(Debug, Default)]
pub(super) struct Ends {
    waiting: Mutex<Waiting>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    ends: Vec<Finished>,
    /// How many there have to be before the ledger is woken.
    wanted: usize,
}

impl Ends {
    /// A poisoned lock guards a list that is never left half-written.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one.
    pub(super) fn put(&self, end: Finished) {
        let mut waiting = self.waiting();
        waiting.ends.push(end);
        let enough = waiting.ends.len() == waiting.wanted;
        drop(waiting);
        if enough {
            self.came.notify_one();
        }
    }

    /// Takes what there is.
    pub(super) fn take(&self) -> Vec<Finished> {
        mem::take(&mut self.waiting().ends)
    }

    /// Returns when there is an end.
    pub(super) async fn any(&self) {
        self.several(1).await;
    }

    /// Returns when there are `wanted` ends, or when no more come for a while.
    pub(super) async fn gather(&self, wanted: usize) {
        let mut before = self.waiting().ends.len();
        while tokio::time::timeout(LULL, self.several(wanted))
            .await
            .is_err()
        {
            let now = self.waiting().ends.len();
            if now == before {
                return;
            }
            before = now;
        }
    }

    async fn several(&self, wanted: usize) {
        loop {
            // A leftover wake finds too few and waits again.
            {
                let mut waiting = self.waiting();
                if waiting.ends.len() >= wanted {
                    return;
                }
                waiting.wanted = wanted;
            }
            self.came.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        delivery::{Evidence, Outcome, State},
        id::DeliveryId,
        time::Timestamp,
    };

    fn end(attempt: u32) -> Finished {
        Finished {
            id: DeliveryId::from_text("00000000000000000000"),
            attempt,
            started: Timestamp::from_micros(0),
            finished: Timestamp::from_micros(1),
            outcome: Outcome::Accepted,
            reason: None,
            detail: None,
            status: None,
            answer: None,
            receipt: None,
            next: State::Accepted,
            next_at: None,
            doubt: false,
            cut_off: false,
            evidence: Evidence::Accepted,
            answered: true,
        }
    }

    #[tokio::test]
    async fn the_ledger_is_woken_by_the_first_end_or_by_enough_of_them() {
        let ends = Arc::new(Ends::default());
        ends.put(end(1));
        ends.any().await;
        assert_eq!(ends.take().len(), 1);

        let (any, both) = (ends.clone(), ends.clone());
        let waits = async move { any.any().await };
        let puts = async move { both.put(end(2)) };
        tokio::join!(waits, puts);
        assert_eq!(ends.take()[0].attempt, 2);

        let (enough, some) = (ends.clone(), ends.clone());
        let waits = async move { enough.several(3).await };
        let puts = async move {
            for attempt in 3..6 {
                tokio::task::yield_now().await;
                some.put(end(attempt));
            }
        };
        tokio::join!(waits, puts);
        assert_eq!(ends.take().len(), 3);

        ends.put(end(6));
        ends.gather(9).await;
        assert_eq!(ends.take().len(), 1, "a lull ends the wait");
    }
}
