//! What the log and the counters say of an attempt that is on record.

use crate::{
    daemon::Shared,
    domain::delivery::{Outcome, Reason, State},
    store::Finished,
};

/// One log line and the counters of an attempt that is written down.
pub(super) fn report(shared: &Shared, end: &Finished) {
    if end.next.is_final() {
        shared.metrics.ended(end.next.as_str(), 1);
    }
    let reason = end.reason.map_or("", Reason::as_str);
    let (id, state, attempt) = (&end.id, end.next.as_str(), end.attempt);
    let detail = end.detail.as_deref().unwrap_or_default();
    match (end.outcome, end.next) {
        (Outcome::Accepted, _) => tracing::info!(delivery.id = %id, state, attempt, "delivered"),
        (_, State::Ready) => {
            tracing::info!(delivery.id = %id, state, attempt, reason, detail, "will be tried again");
        }
        _ => tracing::warn!(delivery.id = %id, state, attempt, reason, detail, "not delivered"),
    }
}
