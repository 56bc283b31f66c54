//! A whole daemon against a simulated city, in this process.

use std::{sync::Arc, time::Duration};

use loa::{
    adapter::{
        Adapter,
        transport::{Route, Transport, TransportSettings},
    },
    clock::Clock,
    config::Secrets,
    daemon::{Daemon, Shared, live::Live, reloader::Reloader, supervisor::SupervisorError},
    domain::{delivery::State, id::ChannelId, settings::AllowRule, time::Timestamp},
    simulator::{City, CityHandle, CityOptions, Fault, FaultOrder},
    store::{LogFilter, Order, Store, World, row::DeliveryRow},
};

use super::workspace::Folder;

/// Nothing here takes longer than this; a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// An instant in the test's zone: `2024-03-25T05:30`.
pub(crate) fn at(local: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{local}:00+07:00")).unwrap()
}

/// A city and the workspace of the daemons that talk to it.
pub(crate) struct Scene {
    pub folder: Folder,
    pub city: CityHandle,
    pub database: String,
}

/// A running daemon.
pub(crate) struct Running {
    pub shared: Shared,
    pub reloader: Reloader,
    daemon: tokio::task::JoinHandle<Result<(), SupervisorError>>,
}

impl Scene {
    /// The small workspace, a quiet city, and a database of its own.
    pub(crate) async fn new(database: Option<String>) -> Self {
        let folder = Folder::small();
        let city = City::start(CityOptions::default()).await.unwrap();
        let database = database.unwrap_or_else(|| folder.sqlite());
        Self {
            folder,
            city,
            database,
        }
    }

    /// Starts a daemon whose clock shows `start` and runs fast.
    pub(crate) async fn start(&self, start: &str) -> Running {
        self.start_with(Clock::simulated(at(start), 3_000.0)).await
    }

    /// Starts a daemon with a clock of the test's.
    pub(crate) async fn start_with(&self, clock: Clock) -> Running {
        self.start_node(clock, World::Simulated).await
    }

    /// Starts a daemon that lacks every secret that the workspace names.
    pub(crate) async fn start_without_secrets(&self, clock: Clock) -> Running {
        self.start_node(clock, World::Real).await
    }

    /// What the loops of a daemon share, for a test that runs only some of them.
    pub(crate) async fn shared(&self, clock: Clock) -> Shared {
        self.node(clock, World::Simulated, self.simulated()).await.0
    }

    async fn start_node(&self, clock: Clock, secrets: World) -> Running {
        let _rising = clock.busy();
        self.run(self.node(clock, secrets, self.simulated()).await)
            .await
    }

    /// Starts a daemon that calls the addresses themselves. The workspace must permit none but this machine's.
    pub(crate) async fn start_direct(&self, clock: Clock) -> Running {
        let allowed = self.folder.load().settings.allow.clone();
        let is_here = |rule: &AllowRule| matches!(rule, AllowRule::Range(range) if range.addr().is_loopback() && range.prefix_len() == 32);
        assert!(allowed.iter().all(is_here), "{allowed:?}");
        let node = self.node(clock, World::Simulated, Route::Direct).await;
        self.run(node).await
    }

    /// Starts a daemon in which `adapter` does the work of `channel`.
    pub(crate) async fn start_as(
        &self,
        clock: Clock,
        channel: &str,
        adapter: Arc<dyn Adapter>,
    ) -> Running {
        let (shared, reloader) = self.node(clock, World::Simulated, self.simulated()).await;
        let secrets = Secrets::of(&self.folder.path(), World::Simulated);
        let mut live = Live::new(Arc::new(self.folder.load()), &secrets);
        let id = ChannelId::parse(channel).unwrap();
        live.adapters = live
            .adapters
            .iter()
            .map(|(known, adapter)| (known.clone(), adapter.clone()))
            .chain([(id, adapter)])
            .collect();
        shared.live.send_replace(Arc::new(live));
        self.run((shared, reloader)).await
    }

    fn simulated(&self) -> Route {
        Route::Simulated {
            control: self.city.control(),
        }
    }

    async fn run(&self, (shared, reloader): (Shared, Reloader)) -> Running {
        let daemon = Daemon::start(shared.clone()).await.unwrap();
        Running {
            shared,
            reloader,
            daemon: tokio::task::spawn(daemon.finish()),
        }
    }

    async fn node(&self, clock: Clock, secrets: World, route: Route) -> (Shared, Reloader) {
        let workspace = Arc::new(self.folder.load());
        let alone = self.database.starts_with("sqlite:");
        let store = Store::open(&self.database, World::Simulated, alone)
            .await
            .unwrap();
        let settings = &workspace.settings;
        let transport = Transport::new(TransportSettings {
            connect_timeout: settings.delivery.connect_timeout,
            total_timeout: settings.delivery.total_timeout,
            allow: settings.allow.clone(),
            answer_cap: 64 * 1024,
            route,
        })
        .unwrap();
        let secrets = Secrets::of(&self.folder.path(), secrets);
        let live = Live::new(workspace, &secrets);
        let node = loa::config::node_name(Clock::system().now().as_micros());
        let shared = Shared::new(node, alone, clock, store, transport, live);
        let reloader = Reloader::new(self.folder.path(), secrets);
        (shared, reloader)
    }

    /// A reader of the database.
    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.database, World::Simulated, false)
            .await
            .unwrap()
    }

    /// Everything on record, oldest first.
    pub(crate) async fn log(&self) -> Vec<DeliveryRow> {
        self.store()
            .await
            .log(&LogFilter::default(), Order::OldestFirst, None, 10_000)
            .await
            .unwrap()
    }

    /// The one delivery of `channel` due at `due`.
    pub(crate) async fn row(&self, channel: &str, due: &str) -> DeliveryRow {
        let rows = self.log().await;
        let mut rows = rows
            .into_iter()
            .filter(|row| row.channel.as_str() == channel && row.due == at(due));
        let row = rows
            .next()
            .unwrap_or_else(|| panic!("no delivery of {channel} at {due}"));
        assert!(
            rows.next().is_none(),
            "two deliveries of {channel} at {due}"
        );
        row
    }

    /// A fault of one device.
    pub(crate) async fn fault(&self, order: FaultOrder) {
        self.city.fault(order).await.unwrap();
    }

    /// What must hold after every test: the equation balances, no row contradicts itself, and no loudspeaker played
    /// anything twice.
    pub(crate) async fn check(&self) {
        let store = self.store().await;
        let account = store.account(&LogFilter::default()).await.unwrap();
        assert!(account.balances(), "{account:?}");
        let contradictions = store.contradictions(&LogFilter::default()).await.unwrap();
        assert!(contradictions.is_empty(), "{contradictions:?}");
        let doubled: Vec<_> = self
            .city
            .summary()
            .doubled
            .into_iter()
            .filter(|doubled| doubled.host.starts_with("10."))
            .collect();
        assert!(doubled.is_empty(), "{doubled:?}");
    }
}

impl Running {
    /// Waits until the daemon's clock has passed `instant` and nothing due before it is pending.
    pub(crate) async fn reach(&self, instant: &str) {
        let instant = at(instant);
        self.shared.clock.sleep_until(instant).await;
        self.wait(|rows| {
            rows.iter()
                .filter(|row| row.due < instant)
                .all(|row| row.state.is_final())
        })
        .await;
    }

    /// Waits until what is on record satisfies `is_so`.
    pub(crate) async fn wait(&self, is_so: impl Fn(&[DeliveryRow]) -> bool) {
        let mut pulse = self.shared.store.pulse();
        let waiting = async {
            loop {
                pulse.borrow_and_update();
                let rows = self
                    .shared
                    .store
                    .log(&LogFilter::default(), Order::OldestFirst, None, 10_000)
                    .await
                    .unwrap();
                if is_so(&rows) {
                    return;
                }
                // Another node's writes are not felt here, so the store is looked at now and then, too.
                let _ = tokio::time::timeout(Duration::from_millis(100), pulse.changed()).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let rows = self
                .shared
                .store
                .log(&LogFilter::default(), Order::OldestFirst, None, 10_000)
                .await
                .unwrap();
            let shown: Vec<_> = rows
                .iter()
                .map(|row| {
                    format!(
                        "{} {} {:?} {:?} {:?}",
                        row.channel, row.due, row.state, row.reason, row.detail
                    )
                })
                .collect();
            panic!(
                "waited too long at {}:\n{}",
                self.shared.clock.now(),
                shown.join("\n")
            );
        }
    }

    /// Stops as the first signal does, and waits for the end.
    pub(crate) async fn stop(self) {
        self.shared.stop.soft.cancel();
        self.daemon.await.unwrap().unwrap();
    }

    /// Drops everything at once, as close to a killed process as one process comes.
    pub(crate) async fn kill(self) {
        self.shared.stop.soft.cancel();
        self.shared.stop.hard.cancel();
        let _ = self.daemon.await.unwrap();
    }
}

/// A fault that happens `times` times at `host`.
pub(crate) fn fault(host: &str, fault: Fault, times: u64) -> FaultOrder {
    FaultOrder::new(host, fault).times(times)
}

/// How many rows are in `state`.
pub(crate) fn count(rows: &[DeliveryRow], state: State) -> usize {
    rows.iter().filter(|row| row.state == state).count()
}
