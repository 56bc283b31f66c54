//! Turns schedules into deliveries, as far as the horizon, again and again.
//!
//! Planning is idempotent: a delivery's id is computed from its key. So there is no leader, and a crash in the middle of
//! a plan costs nothing.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{Shared, live::Live};
use crate::{
    domain::{
        id::DeliveryId,
        plan::{Plan, PlannedDelivery, air::again::Spot},
        policy::Span,
        time::Timestamp,
    },
    store::{Planned, StoreError},
};

/// Deliveries a transaction takes, of one instant or of many: enough to be quick, little enough to keep memory flat and others
/// waiting briefly.
const BATCH: usize = 2_000;

const A_DAY: Duration = Duration::from_hours(24);

/// Plans on, until told to stop.
pub async fn run(shared: Shared) {
    let mut changes = shared.live.subscribe();
    let mut planned: Option<(String, Span)> = None;
    while !shared.stop.soft.is_cancelled() {
        let live = changes.borrow_and_update().clone();
        let busy = shared.clock.busy();
        let looked = shared.clock.now();
        let result = step(&shared, &live, &mut planned).await;
        drop(busy);
        let next = match result {
            Ok(next) => {
                shared.store_works("planner");
                next
            }
            Err(error) => {
                shared.store_failed("planner", &error).await;
                continue;
            }
        };
        tokio::select! {
            () = shared.stop.soft.cancelled() => {}
            _ = changes.changed() => {}
            () = shared.reopened.notified() => planned = None,
            () = shared.clock.sleep_since(looked, next) => {}
        }
    }
}

/// One look: plans what is missing up to the horizon. Returns when to look again.
async fn step(
    shared: &Shared,
    live: &Arc<Live>,
    planned: &mut Option<(String, Span)>,
) -> Result<Timestamp, StoreError> {
    let now = shared.clock.now();
    let workspace = &live.workspace;
    if !shared.in_force().await? {
        // Another revision is in force. This node catches up by reloading, or takes over by an edit.
        *planned = None;
        return Ok(now + shared.poll());
    }
    let horizon = workspace.settings.horizon;
    let until = now + horizon;
    let begin = match planned {
        // Planning goes on where it ended; nothing before that has changed. Where the clock was set back to before an edit, what
        // is due until then is as the files before it wanted.
        Some((revision, (begin, end))) if *revision == workspace.revision && *begin <= now => {
            interval(shared, live, *end, until).await?;
            *begin
        }
        _ => {
            interval(shared, live, now, until).await?;
            still_to_come(shared, live, now).await?;
            let gone = shared
                .store
                .supersede(now, until, &workspace.revision, now)
                .await?;
            if gone > 0 {
                shared.metrics.skipped("superseded", gone);
                tracing::info!(
                    deliveries = gone,
                    "an edit removed deliveries that had not begun"
                );
            }
            now
        }
    };
    *planned = Some((workspace.revision.clone(), (begin, until)));
    shared
        .metrics
        .set_planned_until(until.as_micros() / 1_000_000);
    Ok(now + (horizon / 16).max(shared.poll()))
}

/// What gave way to a send by hand has its time after now, and in the plan it may have it before: an edit changes it like
/// everything else, where it stands.
async fn still_to_come(
    shared: &Shared,
    live: &Arc<Live>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let workspace = &live.workspace;
    let moved = shared.store.moved(&workspace.revision, now).await?;
    if moved.is_empty() {
        return Ok(());
    }
    let mut spots: HashMap<DeliveryId, Spot> = moved
        .into_iter()
        .map(|spot| (spot.id.clone(), spot))
        .collect();
    let batch: Vec<PlannedDelivery> = {
        let plan = Plan::new(workspace);
        // Nothing waits for longer than a day.
        let before = plan.deliveries(now - A_DAY, now);
        let kept = before.filter_map(|delivery| {
            let spot = spots.remove(&delivery.id)?;
            Some(PlannedDelivery {
                due: spot.due,
                deadline: spot.deadline,
                latest: delivery.latest.map(|latest| latest.max(spot.deadline)),
                limit: spot.limit,
                ..delivery
            })
        });
        kept.collect()
    };
    shared.store.plan(&batch, &workspace.revision, now).await?;
    Ok(())
}

/// Plans `[from, until)` in batches, and records that it is planned.
pub(super) async fn interval(
    shared: &Shared,
    live: &Arc<Live>,
    from: Timestamp,
    until: Timestamp,
) -> Result<(), StoreError> {
    if until <= from {
        return Ok(());
    }
    let mut total = Planned::default();
    let plan = Plan::new(&live.workspace);
    let mut deliveries = plan.deliveries(from, until);
    let mut batch = Vec::new();
    loop {
        batch.extend(deliveries.by_ref().take(BATCH));
        if batch.is_empty() {
            break;
        }
        let planned = shared
            .store
            .plan(&batch, &live.workspace.revision, shared.clock.now())
            .await?;
        total.inserted += planned.inserted;
        total.changed += planned.changed;
        batch.clear();
    }
    shared
        .store
        .record_plan_run(&live.workspace.revision, from, until, shared.clock.now())
        .await?;
    if total != Planned::default() {
        tracing::debug!(
            deliveries.new = total.inserted,
            deliveries.changed = total.changed,
            "planned"
        );
    }
    // Even where nothing else changed, another revision's words have to be frozen again.
    shared.planned.notify_one();
    Ok(())
}
