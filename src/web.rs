//! The pages that ward staff read: today, the log, and one broadcast, with live updates by server-sent events, and what others pull:
//! calendars, and a ward's articles.
//!
//! Reading only: nothing here changes anything, there are no accounts, and only GET and HEAD are answered (what receivers report is
//! no page: `reports`). The pages are
//! meant for a loopback address; a request that names another host is refused, so that a foreign web site cannot reach
//! them through its visitors' browsers. Every word is in the catalogue, every list is bounded, and everything that came
//! from outside is escaped by the template engine and kept harmless by a strict content security policy.
//!
//! The intervals of `live` are seconds of the reader's life and not of [`Clock`]: they spare a telephone, not a schedule.

mod articles;
mod assets;
mod broadcast;
mod calendar;
mod call;
pub mod connections;
mod day;
mod frame;
mod guard;
mod live;
mod log;
mod operations;
mod paste;
mod pictures;
mod query;
mod reader;
mod refusal;
mod reports;
mod screens;
mod titles;
mod today;
mod wards;

use std::{fmt, io, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    http::StatusCode,
    middleware,
    routing::{get, post},
};
use futures_util::future::BoxFuture;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    domain::{id::ChannelId, time::Timestamp, workspace::Workspace},
    store::Store,
};
use connections::Limits;

/// Everything that the pages are made from.
#[derive(Clone)]
pub struct Site {
    /// What happened.
    pub store: Store,
    /// The workspace in force: names, wards, channels, and the zone in which times are shown.
    pub workspace: watch::Receiver<Arc<Workspace>>,
    /// What "today" and "next" are measured against.
    pub clock: Clock,
    /// Whether the store belongs to the simulated city; every page then says so.
    pub simulated: bool,
    /// Why the files as they lie there are not in force; `None` when they are.
    pub refused: Arc<dyn Fn() -> Option<RefusedEdit> + Send + Sync>,
    /// The text of `/metrics`, in the exposition format of Prometheus.
    pub metrics_text: Arc<dyn Fn() -> String + Send + Sync>,
    /// Whether the daemon does its work, or in a few words why not: the answer of `/readyz`.
    pub ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// Takes what a receiver reports by itself: the channel's id, what signs it, the body.
    pub report: Arc<TakeReport>,
    /// What a counter screen has to show, as JSON: the channel's id, the key that the screen shows.
    pub board: Arc<AskBoard>,
    /// Takes what a counter screen says that it shows: the channel's id, the key, the body.
    pub showing: Arc<TakeShowing>,
    /// Counter screens that do not say what they show, with when they last did.
    pub dark: Arc<AskDark>,
}

/// See [`Site::board`].
pub type AskBoard =
    dyn Fn(String, String) -> BoxFuture<'static, Result<String, StatusCode>> + Send + Sync;

/// See [`Site::dark`].
pub type AskDark = dyn Fn() -> Vec<(ChannelId, Option<Timestamp>)> + Send + Sync;

/// See [`Site::showing`].
pub type TakeShowing =
    dyn Fn(String, String, Bytes) -> BoxFuture<'static, StatusCode> + Send + Sync;

/// See [`Site::report`].
pub type TakeReport = dyn Fn(String, Signed, Bytes) -> BoxFuture<'static, StatusCode> + Send + Sync;

/// What signs a report, not judged yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// As Zalo signs: the header, where there is one.
    Zalo(Option<String>),
    /// As Standard Webhooks are signed: the three headers, empty where one is missing.
    Webhook {
        /// `webhook-id`.
        id: String,
        /// `webhook-timestamp`.
        timestamp: String,
        /// `webhook-signature`.
        signature: String,
    },
}

/// An edit with mistakes, which changes nothing on air.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedEdit {
    /// How many.
    pub mistakes: usize,
    /// Since when the files in force are no longer those that lie there.
    pub since: Timestamp,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("clock", &self.clock)
            .field("simulated", &self.simulated)
            .finish_non_exhaustive()
    }
}

/// What every handler gets.
#[derive(Clone)]
struct Pages(Arc<Shared>);

struct Shared {
    site: Site,
    titles: titles::Titles,
    feeds: calendar::Seen,
    seats: Arc<tokio::sync::Semaphore>,
    patience: Duration,
    shutdown: CancellationToken,
}

impl std::ops::Deref for Pages {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The pages of `site`, until `shutdown`. What is posted may take `patience` to arrive.
fn router(site: Site, patience: Duration, shutdown: CancellationToken) -> Router {
    let pages = Pages(Arc::new(Shared {
        site,
        titles: titles::Titles::default(),
        feeds: calendar::Seen::default(),
        seats: Arc::new(tokio::sync::Semaphore::new(live::SEATS)),
        patience,
        shutdown,
    }));
    Router::new()
        .route("/", get(today::page))
        .route("/nhat-ky", get(log::page))
        .route("/luot/{delivery}", get(broadcast::page))
        .route("/luot/{delivery}/dan", get(paste::page))
        .route("/lich/{sort}/{file}", get(calendar::feed))
        .route("/bai/phuong/{file}", get(articles::feed))
        .route("/su-kien", get(live::events))
        .route("/tai-san/{name}", get(assets::asset))
        .route("/healthz", get(operations::health))
        .route("/readyz", get(operations::readiness))
        .route("/metrics", get(operations::metrics))
        .fallback(frame::nowhere)
        .layer(middleware::from_fn_with_state(pages.clone(), guard::guard))
        // Counters have another name for us than this machine has, and a key instead.
        .merge(
            Router::new()
                .route("/man-hinh/tho.js", get(screens::worker))
                .route("/man-hinh/{channel}", get(screens::page))
                .route("/man-hinh/{channel}/bang", get(screens::board))
                .route("/man-hinh/{channel}/dang-hien", post(screens::showing))
                .route("/man-hinh/{channel}/{asset}", get(screens::asset))
                .layer(middleware::from_fn(guard::headers)),
        )
        // Receivers fetch these by the name that a proxy gives us.
        .route("/anh/{name}", get(pictures::picture))
        // Behind the guard, which is for browsers: what is reported comes from outside and is signed.
        .route("/zalo/{channel}", post(reports::zalo))
        .route("/bao/{channel}", post(reports::device))
        .with_state(pages)
}

/// Serves the pages on `listener` until `shutdown`; then ends live connections and waits a few seconds for the others.
///
/// # Errors
/// The listener's own, when it can accept no more connections.
pub async fn serve(
    listener: TcpListener,
    site: Site,
    limits: Limits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let router = router(site, limits.body, shutdown.clone());
    connections::serve(listener, router, limits, shutdown).await
}
