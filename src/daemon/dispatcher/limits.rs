//! Limits per host: deliveries in flight, and deliveries a second.
//!
//! They are applied when deliveries are claimed, not when they are sent: what waits for a slow host is not on record as
//! begun. The calls that a delivery makes have a pace of their own (`adapter/transport/pace`), by which a host may be full, too.

use std::{collections::HashMap, time::Duration};

use crate::domain::time::Timestamp;

/// The hosts that calls go to.
#[derive(Debug)]
pub(super) struct Limits {
    concurrency: usize,
    /// Between two calls.
    interval: Duration,
    /// How much may be claimed ahead of the rate.
    burst: Duration,
    hosts: HashMap<String, Host>,
    /// The clock when it was last looked at.
    looked: Timestamp,
}

#[derive(Debug, Default)]
struct Host {
    in_flight: usize,
    /// When the next call may begin, by the rate. Up to a second's worth of calls may begin at once.
    next: Timestamp,
}

/// A burst may use up what one second allows.
const BURST: Duration = Duration::from_secs(1);

impl Limits {
    /// At most `concurrency` calls in flight and `per_second` calls a second, for each host; a second's worth ahead, if `is_ahead`.
    #[must_use]
    pub(super) fn new(concurrency: usize, per_second: f64, is_ahead: bool) -> Self {
        Self {
            concurrency,
            interval: Duration::from_secs_f64(1.0 / per_second),
            burst: if is_ahead { BURST } else { Duration::ZERO },
            hosts: HashMap::new(),
            looked: Timestamp::default(),
        }
    }

    /// How long before its instant by the rate a call may be claimed.
    #[must_use]
    pub(super) fn ahead(&self) -> Duration {
        self.burst.saturating_sub(self.interval)
    }

    /// Takes a place at `host`, if there is one.
    pub(super) fn enter(&mut self, host: &str, now: Timestamp) -> bool {
        let (concurrency, interval, ahead) = (self.concurrency, self.interval, self.ahead());
        if !self.hosts.contains_key(host) {
            self.hosts.insert(host.to_owned(), Host::default());
        }
        let Some(entry) = self.hosts.get_mut(host) else {
            return false;
        };
        if entry.in_flight >= concurrency || entry.next > now + ahead {
            return false;
        }
        entry.in_flight += 1;
        entry.next = entry.next.max(now) + interval;
        true
    }

    /// Takes a place at `host` whether or not there is one: for an emergency.
    pub(super) fn enter_first(&mut self, host: &str, now: Timestamp) {
        let interval = self.interval;
        let entry = self.hosts.entry(host.to_owned()).or_default();
        entry.in_flight += 1;
        entry.next = entry.next.max(now) + interval;
    }

    /// Gives the place back.
    pub(super) fn leave(&mut self, host: &str) {
        if let Some(entry) = self.hosts.get_mut(host) {
            entry.in_flight = entry.in_flight.saturating_sub(1);
        }
    }

    /// After a turn that was rolled back: counts again what is really in flight.
    pub(super) fn recount<'a>(&mut self, in_flight: impl Iterator<Item = &'a String>) {
        for entry in self.hosts.values_mut() {
            entry.in_flight = 0;
        }
        for host in in_flight {
            if let Some(entry) = self.hosts.get_mut(host) {
                entry.in_flight += 1;
            }
        }
    }

    /// The hosts that take nothing at `now`. Idle ones are forgotten here, so that memory follows what is going on.
    pub(super) fn full(&mut self, now: Timestamp) -> Vec<String> {
        // A clock that was set back must not have a host wait until the old time comes again.
        let back = self.looked.since(now);
        for entry in self.hosts.values_mut() {
            entry.next = entry.next - back;
        }
        self.looked = now;
        self.hosts
            .retain(|_, entry| entry.in_flight > 0 || entry.next > now);
        let limit = now + self.ahead();
        let is_full = |entry: &Host| entry.in_flight >= self.concurrency || entry.next > limit;
        self.hosts
            .iter()
            .filter(|(_, entry)| is_full(entry))
            .map(|(host, _)| host.clone())
            .collect()
    }

    /// When the first of the hosts that are held back by their rate alone takes a call again.
    #[must_use]
    pub(super) fn next_free(&self, now: Timestamp) -> Option<Timestamp> {
        let ahead = self.ahead();
        let held = self
            .hosts
            .values()
            .filter(|entry| entry.in_flight < self.concurrency && entry.next > now + ahead);
        held.map(|entry| entry.next - ahead).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_keeps_no_host_waiting() {
        let late = Timestamp::default() + Duration::from_hours(8);
        let early = Timestamp::default() + Duration::from_hours(5);
        let mut limits = Limits::new(9, 0.5, true);
        assert_eq!(limits.full(late), [""; 0]);
        assert!(limits.enter("a", late));
        assert_eq!(limits.full(late), ["a"], "one call in two seconds");
        assert_eq!(limits.full(early), ["a"]);
        assert_eq!(limits.full(early + Duration::from_secs(2)), [""; 0]);
        assert!(limits.enter("a", early + Duration::from_secs(2)));
    }

    #[test]
    fn a_host_takes_so_many_at_once() {
        let now = Timestamp::from_micros(0);
        let mut limits = Limits::new(2, 1_000.0, true);
        assert!(limits.enter("a", now) && limits.enter("a", now));
        assert!(!limits.enter("a", now));
        assert!(limits.enter("b", now), "another host is another matter");
        assert_eq!(limits.full(now), ["a"]);
        limits.leave("a");
        assert!(limits.enter("a", now));
    }

    #[test]
    fn an_emergency_waits_for_no_place_and_takes_one() {
        let now = Timestamp::from_micros(0);
        let mut limits = Limits::new(1, 1_000.0, true);
        assert!(limits.enter("a", now));
        limits.enter_first("a", now);
        limits.leave("a");
        assert!(!limits.enter("a", now), "the emergency is still there");
        limits.leave("a");
        assert!(limits.enter("a", now));
    }

    #[test]
    fn a_host_takes_so_many_a_second() {
        let mut now = Timestamp::from_micros(0);
        let mut limits = Limits::new(1_000, 10.0, true);
        let mut calls = 0;
        while now < Timestamp::from_micros(10_000_000) {
            while limits.enter("a", now) {
                calls += 1;
            }
            let free = limits.next_free(now).unwrap();
            assert!(free > now);
            now = free;
        }
        assert!(
            (100..=111).contains(&calls),
            "{calls} in ten seconds at ten a second, with a burst of ten"
        );
    }

    #[test]
    fn a_fast_clock_is_given_nothing_ahead() {
        let now = Timestamp::from_micros(0);
        let mut limits = Limits::new(1_000, 10.0, false);
        assert!(limits.enter("a", now));
        assert!(!limits.enter("a", now));
        let next = limits.next_free(now).unwrap();
        assert_eq!(next, now + Duration::from_millis(100));
        assert!(limits.enter("a", next));
    }

    #[test]
    fn idle_hosts_are_forgotten() {
        let mut limits = Limits::new(1, 1.0, true);
        assert!(limits.enter("a", Timestamp::from_micros(0)));
        limits.leave("a");
        assert!(limits.full(Timestamp::from_micros(10_000_000)).is_empty());
        assert!(limits.hosts.is_empty());
    }

    #[test]
    fn a_turn_that_was_rolled_back_takes_no_places() {
        let now = Timestamp::from_micros(0);
        let mut limits = Limits::new(1, 1_000.0, true);
        assert!(limits.enter("a", now));
        limits.recount(std::iter::empty());
        assert!(limits.enter("a", now));
    }
}
