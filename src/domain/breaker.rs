//! A breaker for one host: after some calls in a row without an answer nothing is sent there for a while, and then one call at a time
//! tries whether it answers again. Told what happened and when; it knows no clock.

use std::time::Duration;

use super::{retry::jitter, time::Timestamp};

/// When a host is left alone, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerPolicy {
    /// So many calls in a row without an answer open it.
    pub failures: u32,
    /// How long it is open at first.
    pub first: Duration,
    /// It is never open longer without a trial, but for the jitter.
    pub longest: Duration,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Caller {
    /// A question whether the channel is alive, which has no effect.
    #[default]
    Question,
    /// A delivery.
    Delivery,
}

/// How a breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// Since when.
    pub since: Timestamp,
    /// When the next trial may begin.
    pub until: Timestamp,
    /// How often it was opened, or opened again after a trial.
    pub rounds: u32,
}

/// What a call's end has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is open now.
    Opened(Open),
    /// A trial got no answer: it stays open for longer.
    StaysOpen(Open),
    /// It was open so and is no more.
    Closed(Open),
}

/// May a call begin?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// No.
    Held,
    /// Yes.
    Free,
    /// Yes, as the one trial. Its end has to be told, or [`Breaker::give_back`].
    Trial,
}

/// A trial is the turn of a question and of a delivery by turns; the other one may begin so much later.
///
/// A question comes first: where it gets no answer nobody has to wonder whether something was heard. A delivery comes next, so that a
/// question that is wrongly put silences nobody.
pub const COURTESY: Duration = Duration::from_secs(5);

/// The breaker of one host. Closed at first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Breaker {
    /// Calls in a row without an answer, while it is closed.
    failures: u32,
    open: Option<Open>,
    trial: Option<Caller>,
    /// Whose turn the next trial is.
    turn: Caller,
}

impl Breaker {
    /// One that was open when the program ended.
    #[must_use]
    pub fn reopened(open: Open) -> Self {
        Self {
            open: Some(open),
            ..Self::default()
        }
    }

    /// How it is open; `None` when it is closed.
    #[must_use]
    pub fn open(&self) -> Option<Open> {
        self.open
    }

    /// Whether nothing speaks against its host.
    #[must_use]
    pub fn is_spotless(&self) -> bool {
        self.open.is_none() && self.failures == 0
    }

    /// From when on `caller` may be the trial; `None` while it is closed, or while another trial is under way.
    #[must_use]
    pub fn free_at(&self, caller: Caller) -> Option<Timestamp> {
        let open = self.open.filter(|_| self.trial.is_none())?;
        Some(if caller == self.turn {
            open.until
        } else {
            open.until + COURTESY
        })
    }

    /// Whether [`Breaker::enter`] would say no. By a clock that was set back to before the opening nothing can be waited for.
    #[must_use]
    pub fn holds(&self, caller: Caller, now: Timestamp) -> bool {
        self.open.is_some_and(|open| {
            self.free_at(caller)
                .is_none_or(|free| open.since <= now && now < free)
        })
    }

    /// Asks whether a call may begin now.
    pub fn enter(&mut self, caller: Caller, now: Timestamp) -> Entry {
        if self.open.is_none() {
            Entry::Free
        } else if self.holds(caller, now) {
            Entry::Held
        } else {
            self.trial = Some(caller);
            Entry::Trial
        }
    }

    /// The trial was not made, or said nothing of the host.
    pub fn give_back(&mut self) {
        self.trial = None;
    }

    /// The host answered a call, whatever it said.
    pub fn answered(&mut self) -> Option<Change> {
        let open = self.open.take();
        *self = Self::default();
        open.map(Change::Closed)
    }

    /// A call to `host` ended at `now` without an answer. What began before it was opened, or did not ask it, changes nothing while no
    /// trial is under way.
    pub fn failed(&mut self, host: &str, now: Timestamp, policy: &BreakerPolicy) -> Option<Change> {
        let Some(before) = self.open else {
            self.failures = self.failures.saturating_add(1);
            if self.failures < policy.failures {
                return None;
            }
            let open = opened(host, now, now, 1, policy);
            self.open = Some(open);
            return Some(Change::Opened(open));
        };
        let was = self.trial.take()?;
        self.turn = match was {
            Caller::Question => Caller::Delivery,
            Caller::Delivery => Caller::Question,
        };
        let rounds = before.rounds.saturating_add(1);
        let open = opened(host, before.since.min(now), now, rounds, policy);
        self.open = Some(open);
        Some(Change::StaysOpen(open))
    }
}

/// Waits double from `first` up to `longest`, ± 20 % that depend only on host and round, so that what failed in one moment, a ward's
/// network, is not tried again in one moment.
fn opened(
    host: &str,
    since: Timestamp,
    now: Timestamp,
    rounds: u32,
    policy: &BreakerPolicy,
) -> Open {
    let factor = 1_u32.checked_shl(rounds - 1).unwrap_or(u32::MAX);
    let wait = policy.first.saturating_mul(factor).min(policy.longest);
    Open {
        since,
        until: now + wait.mul_f64(jitter(host, rounds)),
        rounds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: BreakerPolicy = BreakerPolicy {
        failures: 3,
        first: Duration::from_secs(30),
        longest: Duration::from_mins(5),
    };
    const START: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn fail(breaker: &mut Breaker, now: Timestamp) -> Option<Change> {
        breaker.failed("10.0.0.1", now, &POLICY)
    }

    fn open() -> (Breaker, Open) {
        let mut breaker = Breaker::default();
        assert_eq!(fail(&mut breaker, START), None);
        assert_eq!(fail(&mut breaker, START), None);
        let Some(Change::Opened(open)) = fail(&mut breaker, START) else {
            panic!("the third opens it");
        };
        (breaker, open)
    }

    #[test]
    fn an_answer_in_between_begins_the_count_anew() {
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            assert_eq!(fail(&mut breaker, START), None);
            assert_eq!(fail(&mut breaker, START), None);
            assert!(!breaker.is_spotless());
            assert_eq!(breaker.answered(), None);
            assert!(breaker.is_spotless());
        }
    }

    #[test]
    fn one_trial_at_a_time_and_by_turns() {
        let (mut breaker, open) = open();
        assert_eq!(breaker.enter(Caller::Question, START), Entry::Held);
        assert_eq!(breaker.enter(Caller::Delivery, open.until), Entry::Held);
        assert_eq!(breaker.enter(Caller::Question, open.until), Entry::Trial);
        let later = open.until + Duration::from_mins(1);
        assert_eq!(breaker.enter(Caller::Question, later), Entry::Held);
        assert_eq!(breaker.enter(Caller::Delivery, later), Entry::Held);
        let Some(Change::StaysOpen(again)) = fail(&mut breaker, later) else {
            panic!("the trial failed");
        };
        assert_eq!((again.since, again.rounds), (START, 2));
        assert_eq!(breaker.enter(Caller::Question, again.until), Entry::Held);
        assert_eq!(breaker.enter(Caller::Delivery, again.until), Entry::Trial);
        assert_eq!(breaker.answered(), Some(Change::Closed(again)));
        assert_eq!(breaker.enter(Caller::Delivery, later), Entry::Free);
    }

    #[test]
    fn where_nobody_asks_a_delivery_waits_a_little_longer() {
        let (mut breaker, open) = open();
        let free = open.until + COURTESY;
        assert_eq!(breaker.free_at(Caller::Delivery), Some(free));
        assert_eq!(breaker.enter(Caller::Delivery, free), Entry::Trial);
    }

    #[test]
    fn stragglers_neither_end_nor_lengthen_it_and_any_answer_closes_it() {
        let (mut breaker, open) = open();
        assert_eq!(fail(&mut breaker, START + Duration::from_secs(9)), None);
        assert_eq!(breaker.open(), Some(open));
        assert_eq!(breaker.answered(), Some(Change::Closed(open)));
        assert!(breaker.is_spotless());
    }

    #[test]
    fn a_trial_that_was_not_made_is_free_again() {
        let (mut breaker, open) = open();
        assert_eq!(breaker.enter(Caller::Question, open.until), Entry::Trial);
        breaker.give_back();
        assert_eq!(breaker.enter(Caller::Question, open.until), Entry::Trial);
    }

    #[test]
    fn a_clock_that_was_set_back_waits_for_nothing() {
        let (mut breaker, _) = open();
        let before = START - Duration::from_hours(1);
        assert_eq!(breaker.enter(Caller::Delivery, before), Entry::Trial);
    }

    #[test]
    fn waits_double_within_the_jitter_up_to_the_longest() {
        let (mut breaker, mut open) = open();
        let mut now = START;
        for round in 1..70 {
            let plain = (30.0 * 2_f64.powi(round - 1)).min(300.0);
            let wait = open.until.since(now).as_secs_f64();
            assert!(
                (plain * 0.8..=plain * 1.2).contains(&wait),
                "{round}: {wait}"
            );
            now = open.until + COURTESY;
            assert_eq!(breaker.enter(Caller::Delivery, now), Entry::Trial);
            let Some(Change::StaysOpen(again)) = fail(&mut breaker, now) else {
                panic!("the trial failed");
            };
            open = again;
        }
    }
}
