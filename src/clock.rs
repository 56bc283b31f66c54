//! The only wall clock and the only way to wait, so that tests and the simulated city move time by hand.
//!
//! Three clocks behind one face: the system's; a simulated one that starts where it is told and runs faster than life;
//! and a manual one that stands still until it is moved.
//!
//! The simulated clock never outruns the work: it stands at the earliest instant that somebody waits for until they
//! have woken, and it runs at life's speed while anybody is [`Clock::busy`]. So a simulated day is the same day at any
//! speed, on any machine.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::domain::time::Timestamp;

/// A clock. Clones show the same time.
#[derive(Clone)]
pub struct Clock(Arc<Kind>);

enum Kind {
    System,
    Simulated(Mutex<Simulated>),
    Manual(watch::Sender<Timestamp>),
}

struct Simulated {
    /// Simulated time at `since`.
    base: Timestamp,
    since: Instant,
    speed: f64,
    busy: usize,
    waiting: BTreeSet<(Timestamp, u64)>,
    next_waiter: u64,
}

impl Simulated {
    fn now(&self, real: Instant) -> Timestamp {
        let speed = if self.busy > 0 {
            1.0_f64.min(self.speed)
        } else {
            self.speed
        };
        let now = self.base + real.saturating_duration_since(self.since).mul_f64(speed);
        // Somebody waits for an earlier instant and has not woken yet: do not pass it.
        self.waiting
            .first()
            .map_or(now, |(earliest, _)| now.min((*earliest).max(self.base)))
    }

    /// Makes the present the new base, before anything changes that the passage of time depends on.
    fn rebase(&mut self) {
        let real = Instant::now();
        self.base = self.now(real);
        self.since = real;
    }
}

/// While it lives, a simulated clock runs no faster than life.
#[must_use]
pub struct Busy(Clock);

impl Drop for Busy {
    fn drop(&mut self) {
        if let Kind::Simulated(clock) = &*self.0.0 {
            let mut clock = lock(clock);
            clock.rebase();
            clock.busy -= 1;
        }
    }
}

/// A poisoned lock guards plain numbers that are never left half-written.
fn lock(clock: &Mutex<Simulated>) -> MutexGuard<'_, Simulated> {
    clock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A wait that a simulated clock must not pass; taken back when it is over or dropped.
struct Waiter<'a> {
    clock: &'a Mutex<Simulated>,
    key: (Timestamp, u64),
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut clock = lock(self.clock);
        clock.rebase();
        clock.waiting.remove(&self.key);
    }
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Kind::System))
    }

    /// A clock that shows `start` now and runs `speed` times as fast as life.
    #[must_use]
    pub fn simulated(start: Timestamp, speed: f64) -> Self {
        Self(Arc::new(Kind::Simulated(Mutex::new(Simulated {
            base: start,
            since: Instant::now(),
            speed,
            busy: 0,
            waiting: BTreeSet::new(),
            next_waiter: 0,
        }))))
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Arc::new(Kind::Manual(watch::Sender::new(start))))
    }

    /// The present instant.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Kind::System => chrono::Utc::now().into(),
            Kind::Simulated(clock) => lock(clock).now(Instant::now()),
            Kind::Manual(now) => *now.borrow(),
        }
    }

    /// Returns once the clock shows `at` or later. The system's clock is looked at again every few seconds, so that a
    /// clock that is set while somebody waits is noticed. When it was set back this returns early: the caller has to see
    /// what is to be done at the new time, or it would do nothing until the old one comes again.
    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    pub async fn sleep_until(&self, at: Timestamp) {
        match &*self.0 {
            Kind::System => {
                let mut before = self.now();
                while before < at {
                    tokio::time::sleep(at.since(before).min(Duration::from_secs(5))).await;
                    let now = self.now();
                    if now < before {
                        return;
                    }
                    before = now;
                }
            }
            Kind::Simulated(clock) => {
                let waiter = {
                    let mut inner = lock(clock);
                    if inner.now(Instant::now()) >= at {
                        return;
                    }
                    inner.rebase();
                    inner.next_waiter += 1;
                    let key = (at, inner.next_waiter);
                    inner.waiting.insert(key);
                    Waiter { clock, key }
                };
                loop {
                    let (now, speed) = {
                        let inner = lock(clock);
                        (inner.now(Instant::now()), inner.speed)
                    };
                    if now >= at {
                        break;
                    }
                    let real = Duration::from_secs_f64(at.since(now).as_secs_f64() / speed);
                    tokio::time::sleep(
                        real.clamp(Duration::from_millis(1), Duration::from_secs(5)),
                    )
                    .await;
                }
                drop(waiter);
            }
            Kind::Manual(now) => {
                let mut watcher = now.subscribe();
                // The sender lives as long as this clock does.
                let _ = watcher.wait_for(|now| *now >= at).await;
            }
        }
    }

    /// Returns after `length`.
    pub async fn sleep(&self, length: Duration) {
        self.sleep_until(self.now() + length).await;
    }

    /// Returns after `length` of real time, whatever this clock shows: for waiting for something outside, such as a
    /// database that is away.
    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    pub async fn sleep_really(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }

    /// Says that work is going on that belongs to the present instant.
    pub fn busy(&self) -> Busy {
        if let Kind::Simulated(clock) = &*self.0 {
            let mut clock = lock(clock);
            clock.rebase();
            clock.busy += 1;
        }
        Busy(self.clone())
    }

    /// Moves a manual clock forward; does nothing to another.
    pub fn advance(&self, length: Duration) {
        if let Kind::Manual(now) = &*self.0 {
            now.send_modify(|now| *now = *now + length);
        }
    }

    /// How much faster than life this clock runs.
    #[must_use]
    pub fn speed(&self) -> f64 {
        match &*self.0 {
            Kind::Simulated(clock) => lock(clock).speed,
            Kind::System | Kind::Manual(_) => 1.0,
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_000_000);

    #[tokio::test]
    async fn a_manual_clock_wakes_those_whose_time_has_come() {
        let clock = Clock::manual(START);
        let sleeper = {
            let clock = clock.clone();
            async move {
                clock.sleep(Duration::from_mins(1)).await;
                clock.now()
            }
        };
        tokio::pin!(sleeper);
        assert!(futures_util::poll!(sleeper.as_mut()).is_pending());
        clock.advance(Duration::from_secs(59));
        assert!(futures_util::poll!(sleeper.as_mut()).is_pending());
        clock.advance(Duration::from_secs(1));
        assert_eq!(sleeper.await, START + Duration::from_mins(1));
    }

    #[tokio::test]
    async fn a_simulated_clock_does_not_pass_those_who_wait() {
        let clock = Clock::simulated(START, 1_000_000.0);
        let first = clock.sleep_until(START + Duration::from_secs(100));
        tokio::pin!(first);
        // Busy, because a hundred seconds are over in a tenth of a millisecond, which a loaded machine takes to get here.
        let busy = clock.busy();
        assert!(futures_util::poll!(first.as_mut()).is_pending());
        drop(busy);
        clock.sleep_until(START + Duration::from_secs(50)).await;
        assert!(clock.now() <= START + Duration::from_secs(100));
        first.await;
        assert!(clock.now() >= START + Duration::from_secs(100));
    }

    #[tokio::test]
    async fn a_busy_simulated_clock_runs_at_lifes_speed() {
        let clock = Clock::simulated(START, 1_000_000_000.0);
        let busy = clock.busy();
        let before = clock.now();
        assert!(
            clock.now().since(before) < Duration::from_mins(1),
            "a thousand seconds a microsecond otherwise"
        );
        drop(busy);
        clock.sleep(Duration::from_secs(1_000_000)).await;
    }
}
