//! Named loops: none may end before it is told to.
//!
//! The first signal stops claiming and lets calls in flight end, within a limit; the second drops them. What is dropped
//! stays on record as begun, and the next start takes care of it.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// When to stop, and how hard.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Take nothing new and finish what is in flight.
    pub soft: CancellationToken,
    /// Nothing is in flight any more: whoever showed it may go.
    pub drained: CancellationToken,
    /// Drop everything.
    pub hard: CancellationToken,
}

/// How long whoever shows what is in flight may take to go, in real time.
const LEAVING: Duration = Duration::from_secs(5);

/// Why the daemon ended although nobody told it to.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// A loop returned.
    #[error("the {name} loop ended by itself")]
    Ended {
        /// Which.
        name: &'static str,
    },
    /// A loop panicked.
    #[error("a loop panicked")]
    Panicked(#[source] tokio::task::JoinError),
    /// What was in flight did not end within the limit.
    #[error(
        "what was in flight did not end within {0:?} and was dropped; the next start takes care of it"
    )]
    Dropped(Duration),
    /// Somebody told it twice.
    #[error("told twice to end: what was in flight was dropped; the next start takes care of it")]
    ToldTwice,
}

/// The loops of one daemon.
#[derive(Debug)]
pub struct Supervisor {
    loops: JoinSet<&'static str>,
    witnesses: JoinSet<&'static str>,
    attendants: JoinSet<()>,
    stop: Stop,
}

impl Supervisor {
    /// Without loops yet.
    #[must_use]
    pub fn new(stop: Stop) -> Self {
        Self {
            loops: JoinSet::new(),
            witnesses: JoinSet::new(),
            attendants: JoinSet::new(),
            stop,
        }
    }

    /// Starts a loop.
    pub fn spawn(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.loops.spawn(async move {
            work.await;
            name
        });
    }

    /// Starts a loop that goes on while the others end, until [`Stop::drained`]: the pages, on which people see what is still
    /// in flight.
    pub fn spawn_witness(
        &mut self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        self.witnesses.spawn(async move {
            work.await;
            name
        });
    }

    /// Starts something that stays to the very end and that nobody waits for: who listens for the second signal.
    pub fn spawn_attendant(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.attendants.spawn(work);
    }

    /// Waits for the end: told to stop, all loops have at most `limit` of real time.
    ///
    /// # Errors
    /// [`SupervisorError`]: a loop ended by itself, or not in time.
    pub async fn finish(mut self, limit: Duration) -> Result<(), SupervisorError> {
        let ended = tokio::select! {
            () = self.stop.soft.cancelled() => None,
            ended = self.loops.join_next() => ended,
            Some(ended) = self.witnesses.join_next() => Some(ended),
        };
        let first = match ended {
            Some(Ok(name)) if !self.stop.soft.is_cancelled() => {
                Err(SupervisorError::Ended { name })
            }
            Some(Err(error)) => Err(SupervisorError::Panicked(error)),
            Some(Ok(_)) | None => Ok(()),
        };
        if let Err(error) = &first {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "stopping, because a loop ended by itself"
            );
        }
        self.stop.soft.cancel();
        let rest = async { while self.loops.join_next().await.is_some() {} };
        let drained = tokio::select! {
            drained = tokio::time::timeout(limit, rest) => drained.map_err(|_| SupervisorError::Dropped(limit)),
            () = self.stop.hard.cancelled() => Err(SupervisorError::ToldTwice),
        };
        self.stop.drained.cancel();
        let leaving = async { while self.witnesses.join_next().await.is_some() {} };
        tokio::select! {
            // Whoever takes longer is ended below.
            _ = tokio::time::timeout(LEAVING, leaving) => {},
            () = self.stop.hard.cancelled() => {},
        }
        self.stop.hard.cancel();
        self.loops.shutdown().await;
        self.witnesses.shutdown().await;
        self.attendants.shutdown().await;
        first.and(drained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_loop_that_ends_by_itself_is_fatal_for_all() {
        let stop = Stop::default();
        let mut supervisor = Supervisor::new(stop.clone());
        supervisor.spawn("short", async {});
        let soft = stop.soft.clone();
        supervisor.spawn("patient", async move { soft.cancelled().await });
        let ended = supervisor.finish(Duration::from_secs(5)).await;
        assert!(
            matches!(ended, Err(SupervisorError::Ended { name: "short" })),
            "{ended:?}"
        );
    }

    #[tokio::test]
    async fn a_panic_is_fatal_too() {
        let mut supervisor = Supervisor::new(Stop::default());
        supervisor.spawn("broken", async { panic!("on purpose") });
        assert!(matches!(
            supervisor.finish(Duration::from_secs(5)).await,
            Err(SupervisorError::Panicked(_))
        ));
    }

    #[tokio::test]
    async fn who_shows_what_is_in_flight_goes_after_it() {
        let stop = Stop::default();
        let mut supervisor = Supervisor::new(stop.clone());
        let (end, in_flight) = tokio::sync::oneshot::channel::<()>();
        supervisor.spawn("in flight", async move { in_flight.await.unwrap() });
        let (watching, watched) = tokio::sync::oneshot::channel();
        let told = stop.clone();
        supervisor.spawn_witness("pages", async move {
            told.soft.cancelled().await;
            watching.send(told.drained.is_cancelled()).unwrap();
            told.drained.cancelled().await;
        });
        stop.soft.cancel();
        let (ended, ()) = tokio::join!(supervisor.finish(Duration::from_hours(1)), async {
            assert!(
                !watched.await.unwrap(),
                "the pages outlive the first signal"
            );
            end.send(()).unwrap();
        });
        assert!(ended.is_ok(), "{ended:?}");
        assert!(stop.drained.is_cancelled());
    }

    #[tokio::test]
    async fn a_witness_that_ends_by_itself_is_fatal_too() {
        let stop = Stop::default();
        let mut supervisor = Supervisor::new(stop.clone());
        let soft = stop.soft.clone();
        supervisor.spawn("patient", async move { soft.cancelled().await });
        supervisor.spawn_witness("pages", async {});
        let ended = supervisor.finish(Duration::from_secs(5)).await;
        assert!(
            matches!(ended, Err(SupervisorError::Ended { name: "pages" })),
            "{ended:?}"
        );
    }

    #[tokio::test]
    async fn the_second_signal_does_not_wait() {
        let stop = Stop::default();
        let mut supervisor = Supervisor::new(stop.clone());
        supervisor.spawn("stuck", std::future::pending());
        stop.soft.cancel();
        stop.hard.cancel();
        assert!(matches!(
            supervisor.finish(Duration::from_hours(1)).await,
            Err(SupervisorError::ToldTwice)
        ));
    }
}
