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
    /// Simulated time at `since`, and how long the clock had run by then.
    base: Timestamp,
    run: Duration,
    since: Instant,
    speed: f64,
    /// Where it stands still for ever.
    end: Timestamp,
    busy: usize,
    waiting: BTreeSet<(Timestamp, u64)>,
    next_waiter: u64,
    /// That somebody set it.
    sets: watch::Sender<()>,
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
        let now = self.now(real);
        self.run += now.since(self.base);
        (self.base, self.since) = (now, real);
    }

    /// What it shows, and how long it has run.
    fn read(&self) -> (Timestamp, Duration) {
        let now = self.now(Instant::now());
        (now, self.run + now.since(self.base))
    }
}

/// Tells that somebody set a simulated clock, since it was last asked. The system tells nobody, so of its clock and of a manual
/// one, which stands for it, nothing is ever told: they have to be looked at.
pub struct Sets(Option<watch::Receiver<()>>);

impl Sets {
    /// Returns once the clock has been set.
    pub async fn next(&mut self) {
        if let Some(sets) = &mut self.0
            && sets.changed().await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

/// While it lives, a simulated clock runs no faster than life.
#[derive(Debug)]
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
    number: u64,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut clock = lock(self.clock);
        clock.rebase();
        clock.waiting.retain(|(_, number)| *number != self.number);
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
            run: Duration::ZERO,
            since: Instant::now(),
            speed,
            end: Timestamp::from_micros(i64::MAX),
            busy: 0,
            waiting: BTreeSet::new(),
            next_waiter: 0,
            sets: watch::Sender::new(()),
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
            let behind = instant.since(clock.base);
            clock.base = clock.base + behind;
            clock.run += behind;
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
    pub fn now(&self) -> Timestamp {
        self.read().0
    }

    /// How long the clock has run. Whoever sets a clock does not move this: where [`Clock::now`] and this
    /// disagree, the clock was set, or the machine slept.
    #[must_use]
    pub fn run_time(&self) -> Duration {
        self.read().1
    }

    /// The present instant, and how long the clock has run until then: at once, because between two looks a fast clock goes on.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    pub fn read(&self) -> (Timestamp, Duration) {
        match &*self.0 {
            Kind::System(since) => (chrono::Utc::now().into(), since.elapsed()),
            Kind::Simulated(clock) => lock(clock).read(),
            Kind::Manual(manual) => {
                let manual = manual.borrow();
                (manual.now, manual.run)
            }
        }
    }

    /// Whoever looks at the clock seldom, because it runs fast, hears from this that it was set.
    #[must_use]
    pub fn sets(&self) -> Sets {
        Sets(match &*self.0 {
            Kind::Simulated(clock) => Some(lock(clock).sets.subscribe()),
            Kind::System(_) | Kind::Manual(_) => None,
        })
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
        self.wait(at, self.now()).await;
    }

    /// The same for whoever looked at the clock at `looked` and has worked since: it returns at once where the clock was set back
    /// meanwhile, because what was found holds no more.
    pub async fn sleep_since(&self, looked: Timestamp, at: Timestamp) {
        self.wait(at, looked).await;
    }

    /// The same, for work that belongs to that instant: not even a moment of a simulated clock passes between waking and
    /// being busy, however late the machine gives the caller its turn.
    pub async fn awake_at(&self, at: Timestamp) -> Busy {
        let _waiter = self.wait(at, self.now()).await;
        self.busy()
    }

    /// Waits; what it gives keeps a simulated clock at `at`. `before` is what the clock has shown already.
    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    async fn wait(&self, at: Timestamp, mut before: Timestamp) -> Option<Waiter<'_>> {
        match &*self.0 {
            Kind::System(_) => loop {
                let now = self.now();
                if now >= at || now < before {
                    return None;
                }
                before = now;
                tokio::time::sleep(at.since(now).min(Duration::from_secs(5))).await;
            },
            Kind::Simulated(clock) => {
                let (waiter, mut sets) = {
                    let mut inner = lock(clock);
                    inner.rebase();
                    if inner.base >= at || inner.base < before {
                        return None;
                    }
                    inner.next_waiter += 1;
                    let number = inner.next_waiter;
                    inner.waiting.insert((at, number));
                    (Waiter { clock, number }, inner.sets.subscribe())
                };
                loop {
                    let (now, speed) = {
                        let inner = lock(clock);
                        (inner.now(Instant::now()), inner.speed)
                    };
                    // As with the system's clock.
                    if now >= at || now < before {
                        break;
                    }
                    before = now;
                    let real = Duration::from_secs_f64(at.since(now).as_secs_f64() / speed);
                    let real = real.clamp(Duration::from_millis(1), Duration::from_secs(5));
                    tokio::select! {
                        () = tokio::time::sleep(real) => {}
                        _ = sets.changed() => {}
                    }
                }
                Some(waiter)
            }
            Kind::Manual(manual) => {
                let mut watcher = manual.subscribe();
                // As with the system's clock. The sender lives as long as this clock does.
                loop {
                    let now = watcher.borrow_and_update().now;
                    if now >= at || now < before || watcher.changed().await.is_err() {
                        return None;
                    }
                    before = now;
                }
            }
        }
    }

    /// Returns after `length`.
    pub async fn sleep(&self, length: Duration) {
        let now = self.now();
        self.wait(now + length, now).await;
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

    /// Sets a manual or a simulated clock, forward or back, as somebody sets the system's: no time passes. Does nothing to the
    /// system's.
    pub fn set(&self, at: Timestamp) {
        match &*self.0 {
            Kind::System(_) => {}
            Kind::Simulated(clock) => {
                let mut clock = lock(clock);
                clock.rebase();
                // Who waited for a later time wakes, too, and until then it stands still.
                if at < clock.base {
                    let waiting = std::mem::take(&mut clock.waiting);
                    let early = |(wanted, number): (Timestamp, u64)| (wanted.min(at), number);
                    clock.waiting = waiting.into_iter().map(early).collect();
                }
                clock.base = at;
                clock.sets.send_replace(());
            }
            Kind::Manual(manual) => manual.send_modify(|manual| manual.now = at),
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
        // Busy, because a hundred seconds are over in a tenth of a millisecond, which a loaded machine takes from one line to the next.
        let busy = clock.busy();
        let start = clock.now();
        let first = clock.sleep_until(start + Duration::from_secs(100));
        tokio::pin!(first);
        assert!(futures_util::poll!(first.as_mut()).is_pending());
        drop(busy);
        clock.sleep_until(start + Duration::from_secs(50)).await;
        assert!(clock.now() <= start + Duration::from_secs(100));
        first.await;
        assert!(clock.now() >= start + Duration::from_secs(100));
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
        let minute = START + Duration::from_mins(1);
        let sleeper = clock.sleep_until(minute);
        tokio::pin!(sleeper);
        assert!(futures_util::poll!(sleeper.as_mut()).is_pending());
        clock.set(Timestamp::from_micros(0));
        sleeper.await;
        // Whoever was busy when it was set does not fall asleep after it.
        clock.sleep_since(START, minute).await;
        assert_eq!(clock.run_time(), Duration::ZERO);
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.run_time(), Duration::from_secs(1));
    }

    #[tokio::test]
    async fn a_simulated_clock_that_is_set_has_not_run_and_wakes_whoever_it_leaves_behind() {
        // It stands still by itself.
        let clock = Clock::simulated(START, 1e-9);
        let mut sets = clock.sets();
        let told = sets.next();
        tokio::pin!(told);
        assert!(futures_util::poll!(told.as_mut()).is_pending());
        let (hour, day) = (Duration::from_hours(1), Duration::from_hours(24));
        let (soon, late) = (clock.sleep(hour), clock.sleep(day));
        tokio::pin!(soon);
        tokio::pin!(late);
        assert!(futures_util::poll!(soon.as_mut()).is_pending());
        assert!(futures_util::poll!(late.as_mut()).is_pending());
        let ahead = START + Duration::from_hours(3);
        clock.set(ahead);
        told.await;
        soon.await;
        assert!(
            futures_util::poll!(late.as_mut()).is_pending(),
            "its time has not come"
        );
        assert_eq!(clock.read(), (ahead, Duration::ZERO));
        // Whoever waits for a time that is far away again has to look.
        clock.set(START);
        late.await;
        assert_eq!(clock.read(), (START, Duration::ZERO));
        clock.catch_up(ahead);
        assert_eq!(clock.read(), (ahead, Duration::from_hours(3)));
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
