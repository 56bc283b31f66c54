//! Where claimed deliveries wait for a worker.
//!
//! Without a bound of its own: the ledger claims no more than there is room for. One permit stands for one job, so that a
//! job wakes one worker and no more.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Semaphore;

/// A queue with three lanes: an emergency overtakes everything; what must not be sent twice overtakes the rest, because it
/// must not be on record as begun for longer than it has to.
#[derive(Debug)]
pub(super) struct Queue<T> {
    lanes: Mutex<Lanes<T>>,
    waiting: Semaphore,
    /// For those who take emergencies only.
    waiting_urgent: Semaphore,
}

#[derive(Debug)]
struct Lanes<T> {
    urgent: VecDeque<T>,
    singular: VecDeque<T>,
    others: VecDeque<T>,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self {
            lanes: Mutex::new(Lanes {
                urgent: VecDeque::new(),
                singular: VecDeque::new(),
                others: VecDeque::new(),
            }),
            waiting: Semaphore::new(0),
            waiting_urgent: Semaphore::new(0),
        }
    }

    /// A poisoned lock guards lists that are never left half-written.
    fn lanes(&self) -> MutexGuard<'_, Lanes<T>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds jobs: emergencies, those that must not be sent twice, and the rest.
    pub(super) fn extend(&self, urgent: Vec<T>, singular: Vec<T>, others: Vec<T>) {
        let count_urgent = urgent.len();
        let count = count_urgent + singular.len() + others.len();
        {
            let mut lanes = self.lanes();
            lanes.urgent.extend(urgent);
            lanes.singular.extend(singular);
            lanes.others.extend(others);
        }
        self.waiting.add_permits(count);
        self.waiting_urgent.add_permits(count_urgent);
    }

    /// The next job; `None` once the queue is closed.
    pub(super) async fn next(&self) -> Option<T> {
        loop {
            self.waiting.acquire().await.ok()?.forget();
            let mut lanes = self.lanes();
            let job = lanes
                .urgent
                .pop_front()
                .or_else(|| lanes.singular.pop_front())
                .or_else(|| lanes.others.pop_front());
            // The permit of a job that was taken back, or that somebody else has, finds nothing.
            if job.is_some() {
                return job;
            }
        }
    }

    /// The next emergency; `None` once the queue is closed.
    pub(super) async fn next_urgent(&self) -> Option<T> {
        loop {
            self.waiting_urgent.acquire().await.ok()?.forget();
            let job = self.lanes().urgent.pop_front();
            if job.is_some() {
                return job;
            }
        }
    }

    /// Takes back what no worker has begun.
    pub(super) fn drain(&self) -> Vec<T> {
        let mut lanes = self.lanes();
        let Lanes {
            urgent,
            singular,
            others,
        } = &mut *lanes;
        let all = urgent.drain(..).chain(singular.drain(..));
        all.chain(others.drain(..)).collect()
    }

    /// Lets the workers go.
    pub(super) fn close(&self) {
        self.waiting.close();
        self.waiting_urgent.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn emergencies_and_then_what_must_not_be_sent_twice_go_first_and_the_end_lets_go() {
        let queue = Queue::new();
        queue.extend(vec![], vec![], vec![1, 2]);
        queue.extend(vec![], vec![3], vec![]);
        queue.extend(vec![0], vec![], vec![]);
        assert_eq!(queue.next().await, Some(0));
        assert_eq!(queue.next().await, Some(3));
        assert_eq!(queue.next().await, Some(1));
        assert_eq!(queue.next().await, Some(2));
        queue.extend(vec![7], vec![4], vec![5]);
        assert_eq!(queue.drain(), [7, 4, 5]);
        queue.extend(vec![], vec![], vec![6]);
        assert_eq!(queue.next().await, Some(6), "leftover permits do no harm");
        queue.close();
        assert_eq!(queue.next().await, None);
    }

    #[tokio::test]
    async fn who_waits_for_emergencies_takes_nothing_else_and_nobody_gets_one_twice() {
        let queue = Queue::new();
        queue.extend(vec![], vec![1], vec![]);
        queue.extend(vec![0], vec![], vec![]);
        assert_eq!(queue.next_urgent().await, Some(0));
        assert_eq!(queue.next().await, Some(1));
        queue.extend(vec![2], vec![], vec![]);
        assert_eq!(queue.next().await, Some(2));
        queue.close();
        assert_eq!(queue.next_urgent().await, None);
    }
}
