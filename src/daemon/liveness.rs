//! Being alive, and what a gap in it means: the durable stamp, and the judgement of what was missed.

use std::time::Duration;

use super::{
    Shared, planner,
    watch::{Jump, News},
};
use crate::{
    domain::{
        delivery::{Reason, State},
        time::Timestamp,
    },
    store::StoreError,
};

/// A stamp this far ahead of the clock is not a matter of rounding.
const TOLERANCE: Duration = Duration::from_secs(5);

/// A gap longer than this is not planned after the fact; the journal says that nothing is known about it.
const LONGEST_GAP: Duration = Duration::from_hours(744);

/// Takes over from whoever ran before: rescues what was in mid-air, plans the gap and what follows, and judges what fell
/// due in the gap.
pub(super) async fn take_over(shared: &Shared) -> Result<(), StoreError> {
    let busy = shared.clock.busy();
    let now = shared.clock.now();
    let live = shared.live.borrow().clone();
    let (store, settings) = (&shared.store, &live.workspace.settings);
    store
        .journal("started", None, &shared.node, &live.workspace.revision, now)
        .await?;
    rescue(shared, shared.alone).await?;

    let last = match store.last_alive().await? {
        Some(stamp) if stamp > now + TOLERANCE => {
            tracing::error!(stamp = %stamp, now = %now, "the last liveness stamp lies in the future: the clock was set back, or was wrong before; what was missed cannot be judged");
            store
                .journal(
                    "clock",
                    None,
                    &shared.node,
                    &format!("{stamp} > {now}"),
                    now,
                )
                .await?;
            None
        }
        stamp => stamp.map(|stamp| stamp.min(now)),
    };
    reopen(shared, now).await?;

    let revision = &live.workspace.revision;
    let before = store.revision().await?.map(|(revision, _)| revision);
    let from = match (&last, &before) {
        (Some(last), Some(before)) => {
            // Under the same revision the gap is planned as it would have been. Under another one, what the old one had
            // planned stands, and the new one begins where that ends.
            let planned = if before == revision {
                *last
            } else {
                planned_until(shared, before).await?.max(*last)
            };
            planned.max(now - LONGEST_GAP).min(now)
        }
        _ => now,
    };
    if let Some(last) = last.filter(|last| now.since(*last) > LONGEST_GAP) {
        store
            .journal("gap", None, &shared.node, &format!("{last}..{from}"), now)
            .await?;
    }
    if take_force(shared, before.as_deref(), now).await? {
        planner::interval(shared, &live, from, now + settings.horizon).await?;
    }

    // What fell due in a pause was not missed.
    silenced(shared, &store.end_paused(&live.topics, now).await?);
    if let Some(last) = last.filter(|last| now.since(*last) > settings.grace) {
        let detail = format!("{last}..{now}");
        let missed = store
            .judge_missed(
                Timestamp::from_micros(0),
                now - settings.grace,
                &detail,
                now,
            )
            .await?;
        tracing::warn!(from = %last, until = %now, deliveries.missed = missed, "nobody was running");
        store
            .journal("downtime", None, &shared.node, &detail, now)
            .await?;
        shared.metrics.skipped(Reason::Expired.as_str(), missed);
    }
    store.beat(&shared.node, revision, now).await?;
    drop(busy);
    Ok(())
}

/// Puts this node's revision in force, unless another node is alive that works with a different one: then that one was
/// loaded by somebody's edit, and this node's copy of the files is old.
async fn take_force(
    shared: &Shared,
    before: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let revision = shared.live.borrow().workspace.revision.clone();
    if before != Some(revision.as_str()) {
        let alive = shared
            .store
            .others_alive(&shared.node, now - Duration::from_mins(1))
            .await?;
        if let Some((node, other)) = alive
            .into_iter()
            .find(|(_, other)| Some(other.as_str()) == before)
        {
            tracing::warn!(
                node = node,
                revision.theirs = other,
                revision.mine = revision,
                "another node works with another revision; waiting for a reload"
            );
            return Ok(false);
        }
        shared.store.set_revision(&revision, now).await?;
    }
    Ok(true)
}

async fn planned_until(shared: &Shared, revision: &str) -> Result<Timestamp, StoreError> {
    let runs = shared.store.plan_runs(revision).await?;
    Ok(runs
        .last()
        .map_or(Timestamp::from_micros(0), |(_, until)| *until))
}

/// Says what became of the clock, and does what follows from it.
async fn tell_of_time(shared: &Shared, news: News) -> Result<(), StoreError> {
    let now = shared.clock.now();
    let record = |jump: Jump| {
        let detail = format!("{} > {}", jump.expected, jump.shown);
        async move {
            let node = &shared.node;
            shared
                .store
                .journal("clock", None, node, &detail, now)
                .await
        }
    };
    match news {
        News::Jumped(jump) => {
            tracing::error!(expected = %jump.expected, shown = %jump.shown, "the clock was set, or the machine slept; see that its time is right");
            let text = format!(
                "the clock was set: it showed {} where {} was expected",
                jump.shown, jump.expected
            );
            record(jump).await?;
            shared.tell("clock", Some(text));
            if jump.shown < jump.expected {
                reopen(shared, now).await?;
            }
        }
        News::Returned(jump) => {
            tracing::warn!(shown = %jump.shown, "the clock is back where it should be");
            record(jump).await?;
            reopen(shared, now).await?;
            shared.tell("clock", None);
        }
        News::Believed(jump) => {
            // As after a time in which nothing was running.
            let detail = format!("{}..{}", jump.expected, jump.shown);
            let grace = shared.live.borrow().workspace.settings.grace;
            let missed = shared
                .store
                .judge_missed(Timestamp::from_micros(0), jump.shown - grace, &detail, now)
                .await?;
            tracing::warn!(
                deliveries.missed = missed,
                "the clock's new time is taken for right"
            );
            let node = &shared.node;
            shared
                .store
                .journal("downtime", None, node, &detail, now)
                .await?;
            shared.metrics.skipped(Reason::Expired.as_str(), missed);
        }
        News::Settled => {
            shared.tell("clock", None);
        }
    }
    Ok(())
}

/// Brings back what a wrong clock had ended as expired although its time has not come.
async fn reopen(shared: &Shared, now: Timestamp) -> Result<(), StoreError> {
    let reopened = shared.store.reopen(now).await?;
    if reopened > 0 {
        tracing::warn!(
            deliveries = reopened,
            "deliveries that a wrong clock had ended are planned again"
        );
        shared.planned.notify_one();
    }
    Ok(())
}

/// Takes back what dead nodes hold.
pub(super) async fn rescue(shared: &Shared, alone: bool) -> Result<(), StoreError> {
    for (id, state) in shared
        .store
        .rescue(
            &shared.node,
            alone,
            shared.clock.now(),
            shared.clock.lease_now(),
        )
        .await?
    {
        tracing::warn!(delivery.id = %id, state = state.as_str(), "a delivery was in mid-air when its node died");
        if state.is_final() {
            shared.metrics.ended(state.as_str(), 1);
        }
    }
    Ok(())
}

/// Stamps the store and ends what can no longer begin, until told to stop. What dead nodes hold is taken back by the
/// dispatcher, which knows what is not dead.
pub async fn run(shared: Shared) {
    while !shared.stop.soft.is_cancelled() {
        tokio::select! {
            () = shared.stop.soft.cancelled() => {}
            () = shared.clock.sleep(shared.poll()) => {}
        }
        let busy = shared.clock.busy();
        let result = step(&shared).await;
        drop(busy);
        match result {
            Ok(()) => shared.store_works("liveness"),
            Err(error) => shared.store_failed("liveness", &error).await,
        }
    }
}

async fn step(shared: &Shared) -> Result<(), StoreError> {
    let is_certain = shared.is_time_certain();
    for news in shared.news_of_time() {
        tell_of_time(shared, news).await?;
    }
    if !is_certain {
        return Ok(());
    }
    let now = shared.clock.now();
    let stale = (!shared.in_force().await?).then(|| {
        "another revision of the files is in force; this node plans and sends nothing until its own are the same"
            .to_owned()
    });
    if let Some(stale) = &stale
        && shared.tell("revision", Some(stale.clone()))
    {
        tracing::error!("{stale}");
    } else if stale.is_none() {
        shared.tell("revision", None);
    }
    let revision = shared.live.borrow().workspace.revision.clone();
    shared.store.beat(&shared.node, &revision, now).await?;
    let live = shared.live.borrow().clone();
    silenced(shared, &shared.store.end_paused(&live.topics, now).await?);
    let expired = shared.store.expire(now).await?;
    if !expired.is_empty() {
        tracing::warn!(
            deliveries = expired.len(),
            "deadlines passed before deliveries could begin or succeed"
        );
    }
    for state in expired {
        match state {
            State::Skipped => shared.metrics.skipped(Reason::Expired.as_str(), 1),
            _ => shared.metrics.ended(state.as_str(), 1),
        }
    }
    let next = shared.store.next_ready().await?;
    shared
        .metrics
        .set_lag(next.map_or(Duration::ZERO, |next| now.since(next)));
    Ok(())
}

/// Counts and tells what a pause has ended.
pub(super) fn silenced(shared: &Shared, states: &[State]) {
    if states.is_empty() {
        return;
    }
    tracing::warn!(deliveries = states.len(), "not sent, because of a pause");
    for state in states {
        match state {
            State::Skipped => shared.metrics.skipped(Reason::Paused.as_str(), 1),
            state => shared.metrics.ended(state.as_str(), 1),
        }
    }
}
