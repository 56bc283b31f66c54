//! The daemon: named loops over one store, supervised.
//!
//! `planner` turns schedules into deliveries, `preparer` freezes their words, `speaker` makes
//! the sounds that it orders, `dispatcher` sends them, `reloader` brings
//! in edits, `liveness` stamps the store, `prober` asks whether channels are alive, `keeper` keeps the tokens of accounts fresh,
//! `lookout` looks whether what was offered for pasting was published, `watchdog` notices what was not heard. They share nothing but the store, the live
//! workspace and a few signals, so that several daemons on one database are the same thing as one.

mod again;
pub mod desk;
pub mod dispatcher;
mod health;
mod keeper;
pub mod live;
pub mod liveness;
mod lookout;
pub mod pictures;
pub mod planner;
pub mod preparer;
mod prober;
pub mod reloader;
pub mod reports;
pub mod sample;
pub mod screens;
pub mod speaker;
pub mod supervisor;
mod vetting;
mod watch;
pub mod watchdog;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    adapter::transport::Transport,
    clock::Clock,
    domain::workspace::Workspace,
    store::{Store, StoreError},
    telemetry::Metrics,
};
use live::Live;
use supervisor::{Stop, Supervisor, SupervisorError};

/// The stack of threads that compute. The engine takes expressions of up to 256 parts, such as that many filters in a row, and goes
/// into each from within the one before: the usual 2 MiB are too few for half of them. Only what is used is ever taken.
const STACK: usize = 32 << 20;

/// The runtime that a daemon runs on. One thread does everything that waits: for tens of thousands of short calls a
/// second two threads spend more on waking each other than they save. What computes for long goes to threads of its own
/// (`spawn_blocking`), and so does SQLite. Those have the stack that the longest expressions of templates need.
///
/// # Errors
/// The operating system's, when it gives no threads.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        // A task that another thread wakes has its turn after so many of the thread's own, and not after 61 of them: a turn
        // of the dispatcher waits for SQLite's thread ten times, each time behind all workers and connections with work.
        .global_queue_interval(7)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
}

/// How long a loop waits before it tries again what the store could not do, in real time.
const AWAY: Duration = Duration::from_secs(1);

/// What the loops share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// This process among those on the database.
    pub node: Arc<str>,
    /// Whether no other process can work on this database (SQLite's lock is held).
    pub alone: bool,
    /// The time.
    pub clock: Clock,
    /// The store.
    pub store: Store,
    /// The client.
    pub transport: Transport,
    /// The workspace in use with what was made from it.
    pub live: tokio::sync::watch::Sender<Arc<Live>>,
    /// The same workspace, for readers such as the pages.
    pub workspace: tokio::sync::watch::Sender<Arc<Workspace>>,
    /// What the files say of contacts, while they are not those in force.
    latest: tokio::sync::watch::Sender<vetting::Latest>,
    /// Counters.
    pub metrics: Metrics,
    /// What keeps the daemon from doing its work at the moment, if anything.
    pub trouble: tokio::sync::watch::Sender<Option<String>>,
    /// The same, loop by loop: that one loop works says nothing of another.
    troubles: Arc<Mutex<BTreeMap<&'static str, String>>>,
    /// Whether this node found another one at work with other files when it started, and waits for what becomes of it.
    is_undecided: Arc<AtomicBool>,
    /// Whether the clock can be believed.
    watch: Arc<Mutex<watch::Watch>>,
    /// Which hosts do not answer.
    health: Arc<health::Health>,
    /// Which accounts' tokens were refused.
    keeper: Arc<keeper::Keeper>,
    /// When counter screens last said what they show.
    screens: Arc<screens::Seen>,
    /// Something may have no time left for its next try.
    stranded: Arc<again::Bell>,
    /// What was ended is open again, and may not be in the plan any more.
    reopened: Arc<Notify>,
    /// Something new was planned.
    pub planned: Arc<Notify>,
    /// Something new was frozen.
    pub prepared: Arc<Notify>,
    /// Sound was ordered.
    pub ordered: Arc<Notify>,
    /// When to stop.
    pub stop: Stop,
}

impl Shared {
    /// Puts the parts together around a workspace.
    #[must_use]
    pub fn new(
        node: String,
        alone: bool,
        clock: Clock,
        store: Store,
        transport: Transport,
        live: Live,
    ) -> Self {
        let workspace = tokio::sync::watch::Sender::new(live.workspace.clone());
        let (shown, run) = clock.read();
        transport.set_pace(live.workspace.settings.delivery.host_per_second);
        let watch = watch::Watch::new(shown, run, clock.patience());
        Self {
            node: node.into(),
            alone,
            clock,
            store,
            transport,
            live: tokio::sync::watch::Sender::new(Arc::new(live)),
            workspace,
            latest: tokio::sync::watch::Sender::new(None),
            metrics: Metrics::default(),
            trouble: tokio::sync::watch::Sender::new(None),
            troubles: Arc::default(),
            is_undecided: Arc::default(),
            watch: Arc::new(Mutex::new(watch)),
            health: Arc::default(),
            keeper: Arc::default(),
            screens: Arc::default(),
            stranded: Arc::default(),
            reopened: Arc::new(Notify::new()),
            planned: Arc::new(Notify::new()),
            prepared: Arc::new(Notify::new()),
            ordered: Arc::new(Notify::new()),
            stop: Stop::default(),
        }
    }

    /// How long a loop waits before it looks for what other processes did. Two seconds of life; with a faster clock a
    /// fifth of a second, so that a simulated day is not spent on looking.
    fn poll(&self) -> Duration {
        let speed = self.clock.speed();
        if speed > 1.0 {
            Duration::from_secs_f64((0.2 * speed).max(1.0))
        } else {
            Duration::from_secs(2)
        }
    }

    /// Files say something else of contacts: whatever is held until one is verified again is looked at.
    fn look_at_contacts(&self) {
        self.planned.notify_one();
        self.prepared.notify_one();
    }

    /// How long the dispatcher waits before it looks for what other processes hold, in real time.
    fn look(&self) -> Duration {
        if self.clock.is_simulated() {
            Duration::from_millis(200)
        } else {
            Duration::from_secs(2)
        }
    }

    /// Whether the clock can be believed. While it cannot, nothing is sent, judged, or taken from other nodes.
    fn is_time_certain(&self) -> bool {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let (shown, run) = self.clock.read();
        watch.look(shown, run)
    }

    /// How long it takes until the time that the clock shows can be believed, if it cannot be now.
    fn doubt(&self) -> Option<Duration> {
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.doubt(self.clock.run_time())
    }

    /// The first thing that is to be told of the clock.
    fn news_of_time(&self) -> Option<watch::News> {
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.news()
    }

    /// That was told.
    fn told_of_time(&self, news: watch::News) {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.told(news);
    }

    /// Whether the workspace of this node is the one in force; otherwise it neither plans nor prepares.
    async fn in_force(&self) -> Result<bool, StoreError> {
        let mine = self.live.borrow().workspace.revision.clone();
        Ok(self
            .store
            .revision()
            .await?
            .is_some_and(|(revision, _)| revision == mine))
    }

    /// Notes that the store failed. Loops go on trying: a full disk or a restarted database is not a reason to die, and
    /// what is in flight is still to be written down. A fast clock waits meanwhile. A database whose file is gone never comes
    /// back to those who have it open: then everything ends at once, so that nothing is sent that would not be on record.
    async fn store_failed(&self, whose: &'static str, error: &StoreError) {
        let busy = self.clock.busy();
        if matches!(error, StoreError::Gone { .. }) {
            tracing::error!(loop.name = whose, error = error as &dyn std::error::Error, "the database is gone; stopping");
            self.stop.soft.cancel();
            self.stop.hard.cancel();
        } else if self.tell(whose, Some(error.to_string())) {
            tracing::error!(loop.name = whose, error = error as &dyn std::error::Error, "the store failed; trying again");
        }
        self.clock.sleep_really(AWAY).await;
        drop(busy);
    }

    /// Notes that the store did what this loop asked for.
    fn store_works(&self, whose: &'static str) {
        if self.tell(whose, None) {
            tracing::info!(loop.name = whose, "the store works again");
        }
    }

    /// Notes the trouble of one loop, or its end. `true` when that is news.
    fn tell(&self, whose: &'static str, trouble: Option<String>) -> bool {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let news = match trouble {
            Some(text) => troubles.insert(whose, text.clone()) != Some(text),
            None => troubles.remove(whose).is_some(),
        };
        if news {
            self.trouble.send_replace(troubles.values().next().cloned());
        }
        news
    }
}

/// A daemon that has started: what was left behind is taken care of and the plan is made.
#[derive(Debug)]
pub struct Daemon {
    shared: Shared,
    supervisor: Supervisor,
}

impl Daemon {
    /// Takes over the store: rescues what another run left in mid-air, judges what was missed, plans, and starts the
    /// loops.
    ///
    /// # Errors
    /// The store's, when it fails now. Later failures are waited out.
    pub async fn start(shared: Shared) -> Result<Self, StoreError> {
        let sets = shared.clock.sets();
        let live = shared.live.borrow().clone();
        let (store, now) = (&shared.store, shared.clock.now());
        pictures::keep(store, &live.root, &live.workspace, now).await?;
        let mut supervisor = Supervisor::new(shared.stop.clone());
        supervisor.spawn("watch", liveness::watch(shared.clone()));
        liveness::take_over(&shared).await?;
        supervisor.spawn("planner", planner::run(shared.clone()));
        supervisor.spawn("preparer", preparer::run(shared.clone()));
        supervisor.spawn("speaker", speaker::run(shared.clone()));
        supervisor.spawn("dispatcher", dispatcher::run(shared.clone()));
        supervisor.spawn("liveness", liveness::run(shared.clone(), sets));
        supervisor.spawn("prober", prober::run(shared.clone()));
        supervisor.spawn("keeper", keeper::run(shared.clone()));
        supervisor.spawn("lookout", lookout::run(shared.clone()));
        supervisor.spawn("watchdog", watchdog::run(shared.clone()));
        Ok(Self { shared, supervisor })
    }

    /// What the loops share.
    #[must_use]
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Adds a loop of the caller's, supervised like the others: it has to end when [`Shared::stop`] says so, not before.
    pub fn attach(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.supervisor.spawn(name, work);
    }

    /// Adds a loop of the caller's that shows what is in flight, until [`supervisor::Stop::drained`].
    pub fn attach_witness(
        &mut self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        self.supervisor.spawn_witness(name, work);
    }

    /// Adds something of the caller's that stays to the very end: who listens for the second signal.
    pub fn attach_attendant(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.supervisor.spawn_attendant(work);
    }

    /// Waits until the daemon was told to stop and has finished what was in flight.
    ///
    /// # Errors
    /// [`SupervisorError`] when a loop ended by itself.
    pub async fn finish(self) -> Result<(), SupervisorError> {
        self.finish_then(async {}).await.1
    }

    /// [`Daemon::finish`], with a last look at the store before it is closed.
    pub async fn finish_then<T>(
        self,
        last: impl Future<Output = T>,
    ) -> (T, Result<(), SupervisorError>) {
        let limit = self
            .shared
            .live
            .borrow()
            .workspace
            .settings
            .delivery
            .total_timeout
            + Duration::from_secs(5);
        let ended = self.supervisor.finish(limit).await;
        let shared = &self.shared;
        let told = async {
            liveness::leave(shared).await?;
            let now = shared.clock.now();
            let (store, node) = (&shared.store, &shared.node);
            store.journal("stopped", None, node, "", now).await
        };
        if let Err(error) = told.await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the end could not be written to the journal"
            );
        }
        let seen = last.await;
        self.shared.store.close().await;
        (seen, ended)
    }
}
