//! How fast each host is called: so many requests a second (`delivery.hosts.per_second`), evenly, whoever makes them.
//!
//! A recipe makes several calls for one delivery, and questions, polls and probes are calls as well; the receiver counts them all.
//! Evenly, because a burst of what a second allows, and then the next second's, is twice as much in one second of the receiver's.

use std::{collections::HashMap, time::Duration};

use crate::domain::time::Timestamp;

/// A clock that goes back by less is not worth asking.
const SET_BACK: Duration = Duration::from_secs(1);

/// Idle hosts are forgotten when there are more hosts than this, so that memory follows what is going on.
const MOST_HOSTS: usize = 1_024;

/// When each host may be called next.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Between two calls; zero for no limit.
    interval: Duration,
    hosts: HashMap<String, Timestamp>,
    /// The clock when it was last looked at.
    looked: Timestamp,
}

impl Pace {
    /// At most `per_second` calls a second to each host from now on.
    pub(super) fn set(&mut self, per_second: f64) {
        // Up to the next microsecond, in which instants are counted: rounded down, one call too many would fit.
        let interval = Duration::try_from_secs_f64(per_second.recip()).unwrap_or_default();
        let over = u32::from(!interval.subsec_nanos().is_multiple_of(1_000));
        self.interval =
            Duration::from_micros(u64::try_from(interval.as_micros()).unwrap_or(u64::MAX))
                + Duration::from_micros(u64::from(over));
    }

    /// Takes the next place at `host` and says how long it is until then; nothing is taken where that is longer than `patience`.
    pub(super) fn take(
        &mut self,
        host: &str,
        now: Timestamp,
        patience: Duration,
    ) -> Option<Duration> {
        self.look(now);
        let next = self.hosts.get(host).copied().unwrap_or(now).max(now);
        let wait = next.since(now);
        if wait > patience {
            return None;
        }
        self.put(host, next);
        Some(wait)
    }

    /// Takes the next place at `host` for a call that waits for nothing, an emergency's.
    pub(super) fn pass(&mut self, host: &str, now: Timestamp) {
        self.look(now);
        let next = self.hosts.get(host).copied().unwrap_or(now).max(now);
        self.put(host, next);
    }

    /// The hosts that have no place within `ahead` of `now`, and when the first of them will have.
    pub(super) fn crowded(
        &mut self,
        now: Timestamp,
        ahead: Duration,
    ) -> (Vec<String>, Option<Timestamp>) {
        self.look(now);
        // Whoever comes a moment early waits that moment with the call at hand.
        let ahead = ahead + self.interval / 4;
        let crowded = self.hosts.iter().filter(|(_, next)| **next > now + ahead);
        let free = crowded.clone().map(|(_, next)| *next - ahead).min();
        (crowded.map(|(host, _)| host.clone()).collect(), free)
    }

    fn put(&mut self, host: &str, at: Timestamp) {
        if self.interval.is_zero() {
            return;
        }
        if let Some(next) = self.hosts.get_mut(host) {
            *next = at + self.interval;
        } else {
            self.hosts.insert(host.to_owned(), at + self.interval);
        }
    }

    /// A clock that was set back must not have a host wait until the old time comes again.
    fn look(&mut self, now: Timestamp) {
        let back = self.looked.since(now);
        if back > SET_BACK {
            for next in self.hosts.values_mut() {
                *next = *next - back;
            }
        }
        self.looked = now;
        if self.hosts.len() > MOST_HOSTS {
            self.hosts.retain(|_, next| *next > now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);
    const PATIENT: Duration = Duration::MAX;

    fn paced(per_second: f64) -> Pace {
        let mut pace = Pace::default();
        pace.set(per_second);
        pace
    }

    /// As the receiver counts: in no second more than are allowed, the first one not excepted.
    #[test]
    fn a_host_gets_no_more_in_any_second_than_it_is_to() {
        for per_second in [0.5, 3.0, 8.0] {
            let mut pace = paced(per_second);
            let calls: Vec<Timestamp> = (0..40)
                .map(|_| NOW + pace.take("a", NOW, PATIENT).unwrap())
                .collect();
            for first in &calls {
                let second = calls
                    .iter()
                    .filter(|at| (*first..*first + Duration::from_secs(1)).contains(*at));
                let count = f64::from(u32::try_from(second.count()).unwrap());
                assert!(count <= per_second.max(1.0), "{count} at {per_second}");
            }
            let all = calls[39].since(NOW).as_secs_f64();
            assert!((all - 39.0 / per_second).abs() < 0.01, "{all}");
            assert_eq!(pace.take("b", NOW, PATIENT), Some(Duration::ZERO));
        }
    }

    #[test]
    fn who_cannot_wait_so_long_takes_no_place() {
        let mut pace = paced(1.0);
        let second = Duration::from_secs(1);
        assert_eq!(pace.take("a", NOW, Duration::ZERO), Some(Duration::ZERO));
        assert_eq!(pace.take("a", NOW, second / 2), None);
        assert_eq!(pace.take("a", NOW, second), Some(second));
        // An emergency waits for nothing, and is counted.
        pace.pass("a", NOW);
        assert_eq!(pace.take("a", NOW, PATIENT), Some(second * 3));
        let mut free = paced(f64::INFINITY);
        for _ in 0..3 {
            assert_eq!(free.take("a", NOW, Duration::ZERO), Some(Duration::ZERO));
        }
        assert!(free.hosts.is_empty());
    }

    #[test]
    fn whoever_claims_sees_where_it_is_crowded_and_until_when() {
        let mut pace = paced(1.0);
        let second = Duration::from_secs(1);
        assert_eq!(pace.crowded(NOW, Duration::ZERO), (Vec::new(), None));
        for _ in 0..3 {
            pace.take("a", NOW, PATIENT);
        }
        pace.take("b", NOW, PATIENT);
        let (mut crowded, free) = pace.crowded(NOW, Duration::ZERO);
        crowded.sort();
        assert_eq!(crowded, ["a", "b"]);
        assert_eq!(free, Some(NOW + second * 3 / 4));
        let (crowded, _) = pace.crowded(NOW, second);
        assert_eq!(crowded, ["a"], "a second's worth may be on its way");
        assert_eq!(pace.crowded(NOW + second * 3, Duration::ZERO).1, None);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_no_host_waiting() {
        let mut pace = paced(0.5);
        pace.take("a", NOW, PATIENT);
        let early = NOW - Duration::from_mins(10);
        assert_eq!(pace.take("a", early, PATIENT), Some(Duration::from_secs(2)));
    }

    #[test]
    fn idle_hosts_are_forgotten() {
        let mut pace = paced(1.0);
        for number in 0..=MOST_HOSTS {
            pace.take(&number.to_string(), NOW, PATIENT);
        }
        pace.take("a", NOW + Duration::from_secs(9), PATIENT);
        assert_eq!(pace.hosts.len(), 1);
    }
}
