//! Which hosts answer, as this node finds: one breaker for each that did not, fed by deliveries and by questions, and what is on
//! record of them.
//!
//! Each node has its own: what one does not reach another may. A host that answers has no entry, so that an ordinary delivery
//! costs a look at an empty table.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Shared;
use crate::{
    domain::{
        breaker::{Breaker, Caller, Change, Entry},
        calendar,
        delivery::Reason,
        detail::Detail,
        settings::HealthSettings,
        time::Timestamp,
    },
    store::{StoreError, health::HealthNews},
};

/// The hosts of this node.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<Hosts>);

#[derive(Debug, Default)]
struct Hosts {
    /// Those that speak against themselves.
    breakers: HashMap<String, Breaker>,
    /// What is not on record yet.
    news: Vec<News>,
}

#[derive(Debug, Clone)]
struct News {
    host: String,
    change: Change,
    reason: Reason,
    at: Timestamp,
}

impl Health {
    /// A poisoned lock guards tables that are never left half-written.
    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks whether `caller` may call `host`.
    pub(super) fn enter(&self, host: &str, caller: Caller, now: Timestamp) -> Entry {
        let breaker = &mut self.hosts().breakers;
        match breaker.get_mut(host) {
            Some(breaker) => breaker.enter(caller, now),
            None => Entry::Free,
        }
    }

    /// The trial that [`Health::enter`] allowed was not made.
    pub(super) fn give_back(&self, host: &str) {
        if let Some(breaker) = self.hosts().breakers.get_mut(host) {
            breaker.give_back();
        }
    }

    /// A call ended with `reason`, or well without one. `is_trial`: it was the trial. `true` when deliveries may go there that could
    /// not before.
    pub(super) fn learn(
        &self,
        host: &str,
        reason: Option<Reason>,
        is_trial: bool,
        now: Timestamp,
        settings: &HealthSettings,
    ) -> bool {
        let mut hosts = self.hosts();
        let answered = reason.map_or(Some(true), Reason::host_answered);
        let change = match (answered, hosts.breakers.get_mut(host)) {
            (Some(true), Some(breaker)) => {
                let change = breaker.answered();
                hosts.breakers.remove(host);
                change
            }
            (None, Some(breaker)) if is_trial => {
                breaker.give_back();
                return true;
            }
            (Some(true) | None, _) => None,
            (Some(false), Some(breaker)) => breaker.failed(host, now, &settings.breaker),
            (Some(false), None) => {
                let mut breaker = Breaker::default();
                let change = breaker.failed(host, now, &settings.breaker);
                hosts.breakers.insert(host.to_owned(), breaker);
                change
            }
        };
        if let Some(change) = change {
            hosts.news.push(News {
                host: host.to_owned(),
                change,
                reason: reason.unwrap_or(Reason::Unreachable),
                at: now,
            });
        }
        matches!(change, Some(Change::Closed(_)))
    }

    /// The hosts to which no delivery may go at `now`.
    pub(super) fn held(&self, now: Timestamp) -> Vec<String> {
        let hosts = self.hosts();
        let held = hosts
            .breakers
            .iter()
            .filter(|(_, breaker)| breaker.holds(Caller::Delivery, now));
        held.map(|(host, _)| host.clone()).collect()
    }

    /// When, after `now`, the first of them takes a trial by `caller`.
    pub(super) fn next_free(&self, caller: Caller, now: Timestamp) -> Option<Timestamp> {
        let hosts = self.hosts();
        let free = hosts
            .breakers
            .values()
            .filter_map(|breaker| breaker.free_at(caller));
        free.filter(|free| *free > now).min()
    }

    /// When `host` takes a trial by `caller`: `None` where nothing holds it, or somebody is trying it.
    pub(super) fn free_at(&self, host: &str, caller: Caller) -> Option<Timestamp> {
        self.hosts().breakers.get(host)?.free_at(caller)
    }
}

/// Takes over what a run before this one, or a node that is gone, knew of hosts.
pub(super) async fn inherit(shared: &Shared, since: Timestamp) -> Result<(), StoreError> {
    let (store, node) = (&shared.store, &shared.node);
    let known = store.inherit_health(node, shared.alone, since).await?;
    let mut hosts = shared.health.hosts();
    for one in known {
        if let Some(open) = one.open {
            let breaker = Breaker::reopened(open);
            hosts.breakers.insert(one.host, breaker);
        }
    }
    drop(hosts);
    show(shared);
    Ok(())
}

fn show(shared: &Shared) {
    let open = |breaker: &&Breaker| breaker.open().is_some();
    let count = shared.health.hosts().breakers.values().filter(open).count();
    shared.metrics.set_left_alone(count);
}

/// Puts on record what was found since the last time, and tells of it.
pub(super) async fn record(shared: &Shared) -> Result<(), StoreError> {
    let found = shared.health.hosts().news.clone();
    if found.is_empty() {
        return Ok(());
    }
    let zone = shared.live.borrow().workspace.settings.zone;
    let news: Vec<HealthNews> = found.iter().map(|news| written(news, zone)).collect();
    let now = shared.clock.now();
    shared.store.note_health(&news, &shared.node, now).await?;
    shared.health.hosts().news.drain(..found.len());
    for news in &found {
        let (host, reason) = (news.host.as_str(), news.reason.as_str());
        match news.change {
            Change::Opened(open) => tracing::warn!(
                host, reason, until = %open.until,
                "a host does not answer; nothing but emergencies is sent there for a while"
            ),
            Change::StaysOpen(open) => tracing::info!(
                host, reason, until = %open.until, since = %open.since, "a host still does not answer"
            ),
            Change::Closed(open) => {
                tracing::info!(host, since = %open.since, "a host answers again");
            }
        }
    }
    show(shared);
    Ok(())
}

fn written(news: &News, zone: chrono_tz::Tz) -> HealthNews {
    let (since, open, event) = match news.change {
        Change::Opened(open) => (open.since, Some(open), Some("host-left-alone")),
        Change::StaysOpen(open) => (open.since, Some(open), None),
        Change::Closed(_) => (news.at, None, Some("host-answers")),
    };
    let local = |at| calendar::local(at, zone).format("%H:%M %d/%m/%Y");
    let detail = Detail::new("unreachable-because")
        .with("since", local(since))
        .with("tried", local(news.at))
        .with("why", format!("host-{}", news.reason.as_str()));
    HealthNews {
        host: news.host.clone(),
        since,
        open,
        reason: news.reason,
        detail: detail.to_string(),
        event,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn learn(health: &Health, reason: Option<Reason>) -> bool {
        health.learn("a", reason, false, NOW, &HealthSettings::default())
    }

    fn open() -> Health {
        let health = Health::default();
        for _ in 0..3 {
            assert_eq!(health.held(NOW), Vec::<String>::new());
            assert!(!learn(&health, Some(Reason::Refused)));
        }
        assert_eq!(health.held(NOW), ["a"]);
        health
    }

    #[test]
    fn what_answers_has_no_entry() {
        let health = Health::default();
        assert!(!learn(&health, None));
        assert!(!learn(&health, Some(Reason::Status)), "a no is an answer");
        assert!(!learn(&health, Some(Reason::Contact)), "nobody was called");
        assert!(
            !learn(&health, Some(Reason::Tls)),
            "one channel's certificate is nothing to others at its host"
        );
        assert!(health.hosts().breakers.is_empty());
        assert!(!learn(&health, Some(Reason::Timeout)));
        assert!(!learn(&health, None));
        assert!(health.hosts().breakers.is_empty());
    }

    #[test]
    fn an_answer_lets_deliveries_go_there_again() {
        let health = open();
        assert_eq!(health.enter("a", Caller::Delivery, NOW), Entry::Held);
        assert_eq!(health.enter("b", Caller::Delivery, NOW), Entry::Free);
        assert!(learn(&health, Some(Reason::Status)));
        assert_eq!(health.enter("a", Caller::Delivery, NOW), Entry::Free);
        assert_eq!(health.hosts().news.len(), 2);
    }

    #[test]
    fn a_trial_that_says_nothing_is_given_back() {
        let health = open();
        let free = health.next_free(Caller::Question, NOW).unwrap();
        let settings = HealthSettings::default();
        for _ in 0..2 {
            assert_eq!(health.enter("a", Caller::Question, free), Entry::Trial);
            assert_eq!(health.enter("a", Caller::Question, free), Entry::Held);
            assert!(health.learn("a", Some(Reason::Contact), true, free, &settings));
        }
        assert_eq!(health.enter("a", Caller::Question, free), Entry::Trial);
        assert!(!learn(&health, Some(Reason::NoSound)), "no trial");
        assert_eq!(health.enter("a", Caller::Question, free), Entry::Held);
    }
}
