//! A small city on loopback that stands for the outside world: loudspeakers, websites, chat services and webhooks, which
//! fail on demand and remember everything they received.
//!
//! Every original host becomes one device with a listener of its own, made when somebody asks for it at the control
//! address (see `control`). What a device is, it shows by the path that is called (see `role`): `…/api/speak`,
//! `…/axis-cgi/…`, `/jsonrpc` and where a sound is put are loudspeakers, `…/wp-json/…`, `…/jsonapi/…` (Drupal), `…/api/index.php/v1/…`
//! (Joomla), `…/o/headless-delivery/…` (Liferay) and `…/api/public/…` (vnPortal) websites, `/v2.0/oa/…` and its like the Zalo platform,
//! everything else a chat service; a mail server it is where it was asked for as one. A loudspeaker is dumb: it plays every request,
//! also a repeated one, so that doubling can be seen.
//!
//! Deliberately not here: any part of the daemon. The city sees nothing but HTTP and mail, follows real time, never reads the
//! calendar, and binds nothing but loopback.

mod axis;
mod cms;
mod control;
mod device;
mod drupal;
mod fault;
mod joomla;
mod liferay;
mod memory;
mod misbehave;
mod record;
mod registry;
mod role;
mod slug;
mod smtp;
mod snapcast;
mod vnportal;
mod wire;
mod wordpress;
mod zalo;

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

pub use axis::Clip;
pub(crate) use axis::proof;
pub use fault::{Fault, FaultOrder};
pub use memory::{Counts, DeviceSummary, Doubled, Effect, Heard, HeardFilter, Kind, Summary};
pub use record::RecordError;
pub use wire::{Answer, Request, percent_decode};
pub use wordpress::Post;
pub use zalo::{Article, ZaloChange};

use registry::Registry;

/// Where a city is controlled and what it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CityOptions {
    /// The control address; port 0 takes a free one. Loopback only.
    pub control: SocketAddr,
    /// Where every effect is written down, one line of JSON each, before its answer leaves. What the file holds already
    /// is known to the city from the start.
    pub record: Option<PathBuf>,
}

impl Default for CityOptions {
    fn default() -> Self {
        Self {
            control: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            record: None,
        }
    }
}

/// Why the city could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CityError {
    /// The control address can be reached from outside.
    #[error(
        "{address} is not a loopback address; a simulated city must not be reachable from outside"
    )]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// No listener.
    #[error("cannot listen at {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The operating system's words.
        #[source]
        source: io::Error,
    },
    /// The record cannot be used.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Not a host.
    #[error("`{host}` is not a host with or without a port")]
    InvalidHost {
        /// What was given, in lower case.
        host: String,
    },
    /// An order for a fault that cannot be.
    #[error("impossible fault: {mistake}")]
    InvalidFault {
        /// What is wrong with it.
        mistake: &'static str,
    },
    /// No room for another device.
    #[error("the city has all the devices it can have")]
    Full,
    /// The city is stopping.
    #[error("the city has stopped")]
    Stopped,
}

/// Who plays devices in the place of the city's own, and says what goes wrong with a request by what it would do.
pub trait Stage: Send + Sync + fmt::Debug {
    /// A request to `host`. `own` and `effect` are what the city's own device would answer and do.
    fn play(&self, host: &str, request: &Request, own: &Answer, effect: Effect) -> Played;
}

/// What becomes of a request on a [`Stage`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Played {
    /// The answer and what was done; `None` for those of the city's own device.
    pub answer: Option<(Answer, Effect)>,
    /// What goes wrong.
    pub fault: Option<Fault>,
}

/// A simulated city.
#[derive(Debug)]
pub struct City;

impl City {
    /// Starts a city within the current tokio runtime.
    ///
    /// # Errors
    /// [`CityError::NotLoopback`], [`CityError::Bind`], [`CityError::Record`].
    pub async fn start(options: CityOptions) -> Result<CityHandle, CityError> {
        Self::open(options, None).await
    }

    /// Starts a city whose devices are played by `stage`.
    ///
    /// # Errors
    /// Those of [`City::start`].
    pub async fn start_on_stage(stage: Arc<dyn Stage>) -> Result<CityHandle, CityError> {
        Self::open(CityOptions::default(), Some(stage)).await
    }

    async fn open(
        options: CityOptions,
        stage: Option<Arc<dyn Stage>>,
    ) -> Result<CityHandle, CityError> {
        let address = options.control;
        if !address.ip().is_loopback() {
            return Err(CityError::NotLoopback { address });
        }
        let bind_error = |source| CityError::Bind { address, source };
        let listener = device::listen(address).map_err(bind_error)?;
        let control = listener.local_addr().map_err(bind_error)?;
        let registry =
            tokio::task::spawn_blocking(move || Registry::open(&options, control, stage))
                .await
                .map_err(|_| CityError::Stopped)??;
        registry.spawn(control::serve(Arc::clone(&registry), listener));
        tracing::info!(control = %control, "the simulated city is open");
        Ok(CityHandle { registry })
    }
}

/// A running city. Dropping it stops the city; [`CityHandle::shutdown`] also waits until it has stopped.
#[derive(Debug)]
pub struct CityHandle {
    registry: Arc<Registry>,
}

impl CityHandle {
    /// Where the city is controlled.
    #[must_use]
    pub fn control(&self) -> SocketAddr {
        self.registry.control()
    }

    /// The address of the device that stands for `host` (with its port, if channels write one), made if it is new.
    ///
    /// # Errors
    /// [`CityError::InvalidHost`], [`CityError::Full`], and [`CityError::Bind`], most often for want of file descriptors.
    pub fn device(&self, host: &str) -> Result<SocketAddr, CityError> {
        self.registry.device(host, None, false)
    }

    /// Puts a fault in force. When this returns, a refusing device refuses.
    ///
    /// # Errors
    /// [`CityError::InvalidFault`]; [`CityError::Stopped`] and [`CityError::Bind`] when a door cannot be moved.
    pub async fn fault(&self, order: FaultOrder) -> Result<(), CityError> {
        self.registry.add_fault(order).await
    }

    /// Takes all faults back and returns how many there were. When this returns, every device listens again.
    ///
    /// # Errors
    /// [`CityError::Stopped`] and [`CityError::Bind`] when a door cannot be opened.
    pub async fn clear_faults(&self) -> Result<usize, CityError> {
        self.registry.clear_faults(None).await
    }

    /// What devices received, oldest first; of every device its newest 256 entries.
    #[must_use]
    pub fn heard(&self, filter: &HeardFilter) -> Vec<Heard> {
        self.registry.heard(filter, usize::MAX)
    }

    /// The city at a glance, with exact counts.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.registry.summary()
    }

    /// The articles of the Zalo platform, by id.
    #[must_use]
    pub fn articles(&self) -> Vec<Article> {
        self.registry.articles()
    }

    /// Has a clerk publish a page on the website that stands for `host`, by hand; one with that title gets other words.
    ///
    /// # Errors
    /// [`CityError::InvalidHost`].
    pub fn paste(&self, host: &str, title: &str, html: &str) -> Result<(), CityError> {
        self.registry.paste(host, title, html)
    }

    /// The number of requests that arrived at devices, for those who wait for one.
    #[must_use]
    pub fn requests(&self) -> watch::Receiver<u64> {
        self.registry.requests()
    }

    /// Stops the city and waits until every listener is closed and every connection gone.
    pub async fn shutdown(self) {
        self.registry.stop();
        self.registry.ended().await;
    }
}

impl Drop for CityHandle {
    fn drop(&mut self) {
        self.registry.stop();
    }
}

/// Runs a city alone until `stop` ends. `ready` is told the control address.
///
/// # Errors
/// Those of [`City::start`].
pub async fn serve_forever(
    options: CityOptions,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), CityError> {
    let city = City::start(options).await?;
    ready(city.control());
    stop.await;
    city.shutdown().await;
    Ok(())
}

/// Waits in real time.
#[expect(
    clippy::disallowed_methods,
    reason = "the outside world does not follow the daemon's clock"
)]
async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}
