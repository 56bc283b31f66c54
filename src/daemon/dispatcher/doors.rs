//! Which candidates of a turn get in: those whose host has a place, and answers.

use std::collections::{HashMap, HashSet};

use super::limits::Limits;
use crate::{
    daemon::health::Health,
    domain::{
        breaker::{Caller, Entry},
        bulletin::Priority,
        id::DeliveryId,
        time::Timestamp,
    },
    store::{Candidate, Claimed},
};

/// The hosts' doors in one turn.
pub(super) struct Doors<'a> {
    limits: &'a mut Limits,
    health: &'a Health,
    now: Timestamp,
    chosen: usize,
    trials: HashMap<String, DeliveryId>,
}

impl<'a> Doors<'a> {
    pub(super) fn new(limits: &'a mut Limits, health: &'a Health, now: Timestamp) -> Self {
        Self {
            limits,
            health,
            now,
            chosen: 0,
            trials: HashMap::new(),
        }
    }

    /// Lets a candidate in, if its host takes it.
    pub(super) fn admit(&mut self, candidate: &Candidate) -> bool {
        let (host, now) = (&candidate.host, self.now);
        if candidate.priority == Priority::Emergency {
            // It waits for no place, and tries a host that is left alone.
            self.limits.enter_first(host, now);
            self.chosen += 1;
            return true;
        }
        let entry = self.health.enter(host, Caller::Delivery, now);
        let enters = entry != Entry::Held && self.limits.enter(host, now);
        match (entry, enters) {
            (Entry::Trial, true) => {
                self.trials.insert(host.clone(), candidate.id.clone());
            }
            (Entry::Trial, false) => self.health.give_back(host),
            (Entry::Held | Entry::Free, _) => {}
        }
        self.chosen += usize::from(enters);
        enters
    }

    /// How many got in.
    pub(super) fn chosen(&self) -> usize {
        self.chosen
    }

    /// The deliveries that try whether their host answers again, of those that were `claimed`; the others' trials are given back.
    pub(super) fn trials(mut self, claimed: &[Claimed]) -> HashMap<String, DeliveryId> {
        if !self.trials.is_empty() && claimed.len() != self.chosen {
            let got: HashSet<&DeliveryId> = claimed.iter().map(|one| &one.id).collect();
            let health = self.health;
            self.trials.retain(|host, id| {
                let is_ours = got.contains(id);
                if !is_ours {
                    health.give_back(host);
                }
                is_ours
            });
        }
        self.trials
    }
}
