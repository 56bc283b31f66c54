//! Leases on what this node has claimed: lengthened long before they end, and looked at before a call begins.
//!
//! A claimed delivery may wait for a worker longer than a lease lasts, and the store may be away longer than that. No call
//! begins on a lease that has run out: another node may have taken the delivery over.
//!
//! All instants here are those of [`Clock::lease_now`], by which processes understand each other also in simulation.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    clock::Clock,
    domain::{id::DeliveryId, time::Timestamp},
};

/// What the workers see.
#[derive(Debug, Clone)]
struct State {
    /// Whatever is held, is held until then at least.
    until: Timestamp,
    /// What another node has taken over.
    lost: Arc<HashSet<DeliveryId>>,
}

/// The ledger's side.
#[derive(Debug)]
pub(super) struct Leases {
    length: Duration,
    /// When all that is held was claimed or lengthened, at the earliest.
    since: Timestamp,
    /// Whether the store did not answer the last time.
    is_away: bool,
    /// When other nodes were looked at.
    rescued: Timestamp,
    /// Until when they are left alone.
    quiet: Timestamp,
    state: watch::Sender<State>,
}

/// A worker's side.
#[derive(Debug, Clone)]
pub(super) struct Held(watch::Receiver<State>);

impl Leases {
    /// Leases of `length`; nothing is held.
    pub(super) fn new(length: Duration, now: Timestamp) -> Self {
        let state = State {
            until: now + length,
            lost: Arc::default(),
        };
        Self {
            length,
            since: now,
            is_away: false,
            rescued: now,
            quiet: now,
            state: watch::Sender::new(state),
        }
    }

    /// Until when a lease lasts that begins now.
    pub(super) fn until(&self, now: Timestamp) -> Timestamp {
        now + self.length
    }

    /// For a worker.
    pub(super) fn held(&self) -> Held {
        Held(self.state.subscribe())
    }

    fn next(&self) -> Timestamp {
        self.since + self.length / 3
    }

    /// Whether it is time to lengthen them; also when the clock was set back.
    pub(super) fn are_due(&self, now: Timestamp) -> bool {
        now >= self.next() || now < self.since
    }

    /// When to look again: to lengthen them, if any are `held`, and at other nodes' every `pause`.
    pub(super) fn next_look(&self, held: bool, pause: Duration) -> Timestamp {
        let look = self.rescued + pause;
        if held { look.min(self.next()) } else { look }
    }

    /// Nothing is held, so what is claimed next is held from `now` on at the earliest.
    pub(super) fn nothing_held(&mut self, now: Timestamp) {
        self.since = now;
        let until = self.until(now);
        self.state.send_modify(|state| {
            state.until = until;
            if !state.lost.is_empty() {
                state.lost = Arc::default();
            }
        });
    }

    /// All are lengthened but those that are `lost`.
    pub(super) fn renewed(&mut self, now: Timestamp, lost: Vec<DeliveryId>) {
        self.since = now;
        let until = self.until(now);
        self.state.send_modify(|state| {
            state.until = until;
            state.lost = Arc::new(lost.into_iter().collect());
        });
    }

    /// The store does not answer. When it does again, others need a moment to lengthen theirs.
    pub(super) fn lose_touch(&mut self) {
        self.is_away = true;
    }

    /// Whether to look for nodes that are gone: every `pause`, and not before the store has answered long enough for
    /// those that live to have said so.
    pub(super) fn is_time_to_rescue(&mut self, now: Timestamp, pause: Duration) -> bool {
        if std::mem::take(&mut self.is_away) {
            self.quiet = now + self.length / 3;
        }
        // A clock that was set back must not keep this from happening.
        let is_quiet = now < self.quiet && self.quiet <= now + self.length / 3;
        let is_time = !is_quiet && !(self.rescued..self.rescued + pause).contains(&now);
        if is_time {
            self.rescued = now;
        }
        is_time
    }
}

impl Held {
    /// Waits until it is certain whether this node holds the delivery.
    pub(super) async fn is_held(&mut self, id: &DeliveryId, clock: &Clock) -> bool {
        let state = self
            .0
            .wait_for(|state| state.lost.contains(id) || clock.lease_now() < state.until)
            .await;
        // The ledger lives longer than its workers.
        state.is_ok_and(|state| !state.lost.contains(id))
    }
}
