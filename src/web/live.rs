//! `/su-kien`: tells open pages that something has changed, by server-sent events.
//!
//! An event carries no content, only the time: a page that hears one asks for its fragment again. So a reader who was
//! away, or who missed events, needs nothing but the next one.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::Uri,
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{Pages, refusal::Refusal};

/// How many may listen at once.
pub(super) const SEATS: usize = 64;
/// The least time between two events.
const BEAT: Duration = Duration::from_secs(1);
/// After so many beats an event is sent in any case: it keeps the connection alive, shows the page the time, and makes
/// it look for what other processes have written.
const QUIET_BEATS: u32 = 15;

/// One listener.
struct Listener {
    pages: Pages,
    pulse: watch::Receiver<u64>,
    beat: Interval,
    quiet: u32,
    shutdown: CancellationToken,
    /// Given back when the listener leaves.
    _seat: OwnedSemaphorePermit,
}

/// `GET /su-kien`.
pub(super) async fn events(State(pages): State<Pages>, uri: Uri) -> Response {
    let Ok(seat) = pages.seats.clone().try_acquire_owned() else {
        return pages.refuse_plainly(&uri, Refusal::Full);
    };
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let listener = Listener {
        pulse: pages.site.store.pulse(),
        beat,
        // The first event comes at once: it tells the page that the line is up.
        quiet: QUIET_BEATS,
        shutdown: pages.shutdown.clone(),
        _seat: seat,
        pages,
    };
    Sse::new(futures_util::stream::unfold(listener, next)).into_response()
}

async fn next(mut listener: Listener) -> Option<(Result<Event, Infallible>, Listener)> {
    loop {
        tokio::select! {
            () = listener.shutdown.cancelled() => return None,
            _ = listener.beat.tick() => {}
        }
        // The store is gone: so is the line; the page will try again.
        let changed = listener.pulse.has_changed().ok()?;
        if changed || listener.quiet >= QUIET_BEATS {
            break;
        }
        listener.quiet += 1;
    }
    listener.quiet = 1;
    listener.pulse.mark_unchanged();
    let reader = listener.pages.reader(crate::catalogue::Lang::default());
    let now = reader.now;
    let data = serde_json::json!({ "now": now, "clock": reader.seconds(now) });
    Some((Ok(Event::default().data(data.to_string())), listener))
}
