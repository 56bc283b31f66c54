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
    /// With the moment from which its running time is counted.
    System(Instant),
    Simulated(Mutex<Simulated>),
    Manual(watch::Sender<Manual>),
}

/// A manual clock: what it shows, and how long it has run. Setting it moves only the first.
#[derive(Clone, Copy)]
struct Manual {
    now: Timestamp,
    run: Duration,
    patience: Duration,
}

struct Simulated {
    /// Simulated time at `since`.
    base: Timestamp,
    since: Instant,
    speed: f64,
    /// Where it began, and where it stands still for ever.
    start: Timestamp,
    end: Timestamp,
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
        let now = now.min(self.end.max(self.base));
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
        Self(Arc::new(Kind::System(Instant::now())))
    }

    /// A clock that shows `start` now and runs `speed` times as fast as life.
    #[must_use]
    pub fn simulated(start: Timestamp, speed: f64) -> Self {
        Self(Arc::new(Kind::Simulated(Mutex::new(Simulated {
            base: start,
            since: Instant::now(),
            speed,
            start,
            end: Timestamp::from_micros(i64::MAX),
            busy: 0,
            waiting: BTreeSet::new(),
            next_waiter: 0,
        }))))
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::watched(start, Duration::MAX)
    }

    /// A manual clock whose strides longer than `patience` mean that the process was stopped.
    #[must_use]
    pub fn watched(start: Timestamp, patience: Duration) -> Self {
        let manual = Manual {
            now: start,
            run: Duration::ZERO,
            patience,
        };
        Self(Arc::new(Kind::Manual(watch::Sender::new(manual))))
    }

    /// Moves a simulated clock on to `instant`, where it is behind that. Does nothing to another clock.
    pub fn catch_up(&self, instant: Timestamp) {
        if let Kind::Simulated(clock) = &*self.0 {
            let mut clock = lock(clock);
            clock.rebase();
            clock.base = clock.base.max(instant);
        }
    }

    /// Lets a simulated clock stand still when it shows `end`: nothing that happens later, such as the end of the
    /// process, gets a later stamp, and the next run goes on from there. Does nothing to another clock.
    pub fn end_at(&self, end: Timestamp) {
        if let Kind::Simulated(clock) = &*self.0 {
            let mut clock = lock(clock);
            clock.rebase();
            clock.end = end;
        }
    }

    /// The present instant.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Kind::System(_) => chrono::Utc::now().into(),
            Kind::Simulated(clock) => lock(clock).now(Instant::now()),
            Kind::Manual(manual) => manual.borrow().now,
        }
    }

    /// How long the clock has run. Whoever sets the system's clock does not move this: where [`Clock::now`] and this
    /// disagree, the clock was set, or the machine slept.
    #[must_use]
    pub fn run_time(&self) -> Duration {
        match &*self.0 {
            Kind::System(since) => since.elapsed(),
            Kind::Simulated(clock) => {
                let clock = lock(clock);
                clock.now(Instant::now()).since(clock.start)
            }
            Kind::Manual(manual) => manual.borrow().run,
        }
    }

    /// How long somebody who looks every two seconds may be late before it is certain that the process was stopped. A
    /// simulated clock stands still meanwhile, and a manual one goes in strides unless it was made [`Clock::watched`].
    #[must_use]
    pub fn patience(&self) -> Duration {
        match &*self.0 {
            Kind::System(_) => Duration::from_secs(30),
            Kind::Simulated(_) => Duration::MAX,
            Kind::Manual(manual) => manual.borrow().patience,
        }
    }

    /// The instant by which processes tell each other how long they hold something. The system's time, also in
    /// simulation: two simulated clocks are never at the same instant.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    pub fn lease_now(&self) -> Timestamp {
        match &*self.0 {
            Kind::Simulated(_) => chrono::Utc::now().into(),
            Kind::System(_) | Kind::Manual(_) => self.now(),
        }
    }

    /// Returns once [`Clock::lease_now`] is `at` or later, or was set back.
    pub async fn sleep_until_lease(&self, at: Timestamp) {
        match &*self.0 {
            Kind::Simulated(_) => self.sleep_really(at.since(self.lease_now())).await,
            Kind::System(_) | Kind::Manual(_) => self.sleep_until(at).await,
        }
    }

    /// Returns once the clock shows `at` or later. The system's clock is looked at again every few seconds, so that a
    /// clock that is set while somebody waits is noticed. When it was set back this returns early: the caller has to see
    /// what is to be done at the new time, or it would do nothing until the old one comes again.
    pub async fn sleep_until(&self, at: Timestamp) {
        self.wait(at).await;
    }

    /// The same, for work that belongs to that instant: not even a moment of a simulated clock passes between waking and
    /// being busy, however late the machine gives the caller its turn.
    pub async fn awake_at(&self, at: Timestamp) -> Busy {
        let _waiter = self.wait(at).await;
        self.busy()
    }

    /// Waits; what it gives keeps a simulated clock at `at`.
    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    async fn wait(&self, at: Timestamp) -> Option<Waiter<'_>> {
        match &*self.0 {
            Kind::System(_) => {
                let mut before = self.now();
                while before < at {
                    tokio::time::sleep(at.since(before).min(Duration::from_secs(5))).await;
                    let now = self.now();
                    if now < before {
                        break;
                    }
                    before = now;
                }
                None
            }
            Kind::Simulated(clock) => {
                let waiter = {
                    let mut inner = lock(clock);
                    if inner.now(Instant::now()) >= at {
                        return None;
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
                Some(waiter)
            }
            Kind::Manual(manual) => {
                let mut watcher = manual.subscribe();
                let mut before = watcher.borrow_and_update().now;
                // As with the system's clock. The sender lives as long as this clock does.
                while before < at && watcher.changed().await.is_ok() {
                    let now = watcher.borrow_and_update().now;
                    if now < before {
                        break;
                    }
                    before = now;
                }
                None
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
        if let Kind::Manual(manual) = &*self.0 {
            manual.send_modify(|manual| {
                manual.now = manual.now + length;
                manual.run += length;
            });
        }
    }

    /// Sets a manual clock, forward or back, as somebody sets the system's: no time passes. Does nothing to another.
    pub fn set(&self, at: Timestamp) {
        if let Kind::Manual(manual) = &*self.0 {
            manual.send_modify(|manual| manual.now = at);
        }
    }

    /// Whether it is a simulated clock.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        matches!(&*self.0, Kind::Simulated(_))
    }

    /// How much faster than life this clock runs.
    #[must_use]
    pub fn speed(&self) -> f64 {
        match &*self.0 {
            Kind::Simulated(clock) => lock(clock).speed,
            Kind::System(_) | Kind::Manual(_) => 1.0,
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
    async fn no_moment_passes_between_waking_and_being_busy() {
        let clock = Clock::simulated(START, 1_000_000.0);
        let at = START + Duration::from_hours(1);
        let busy = clock.awake_at(at).await;
        // A millisecond at its speed would be a quarter of an hour.
        assert!(clock.now() < at + Duration::from_mins(1));
        drop(busy);
        drop(clock.awake_at(START).await);
    }

    #[tokio::test]
    async fn a_clock_that_is_set_wakes_its_sleepers_and_has_not_run() {
        let clock = Clock::manual(START);
        let sleeper = clock.sleep(Duration::from_mins(1));
        tokio::pin!(sleeper);
        assert!(futures_util::poll!(sleeper.as_mut()).is_pending());
        clock.set(Timestamp::from_micros(0));
        sleeper.await;
        assert_eq!(clock.run_time(), Duration::ZERO);
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.run_time(), Duration::from_secs(1));
    }

    #[tokio::test]
    async fn a_simulated_clock_stands_still_at_its_end() {
        let clock = Clock::simulated(START, 1_000_000.0);
        let end = START + Duration::from_hours(24);
        clock.end_at(end);
        clock.sleep_until(end).await;
        let later = clock.sleep_until(end + Duration::from_secs(1));
        assert!(
            tokio::time::timeout(Duration::from_millis(20), later)
                .await
                .is_err(),
            "twenty thousand seconds otherwise"
        );
        assert_eq!(clock.now(), end);
        drop(clock.busy());
        assert_eq!(clock.now(), end);
    }

    #[test]
    fn only_a_simulated_clock_catches_up_and_only_forward() {
        let ahead = START + Duration::from_hours(1);
        let clock = Clock::simulated(START, 0.0);
        clock.catch_up(ahead);
        clock.catch_up(START);
        assert_eq!(clock.now(), ahead);
        let clock = Clock::manual(START);
        clock.catch_up(ahead);
        assert_eq!(clock.now(), START);
    }

    #[tokio::test]
    async fn leases_are_counted_in_real_time_where_clocks_run_fast() {
        let fast = Clock::simulated(START, 1_000_000_000.0);
        let (system, manual) = (Clock::system(), Clock::manual(START));
        assert!(fast.lease_now().since(system.now()) < Duration::from_secs(10));
        assert!(system.now() > fast.now() || fast.run_time() > Duration::ZERO);
        manual.advance(Duration::from_secs(1));
        assert_eq!(manual.lease_now(), manual.now());
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
