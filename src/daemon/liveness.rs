//! Being alive, and what a gap in it means: the durable stamp, and the judgement of what was missed.

use std::{sync::atomic::Ordering, time::Duration};

use super::{
    Shared, again, health,
    live::Live,
    planner, screens,
    watch::{Gap, Jump, News},
};
use crate::{
    clock::Sets,
    domain::{
        calendar::rfc3339,
        delivery::{Reason, State},
        time::Timestamp,
    },
    store::{ALIVE, StoreError},
};

/// A stamp this far ahead of the clock is not a matter of rounding.
const TOLERANCE: Duration = Duration::from_secs(5);

/// A gap longer than this is not planned after the fact; the journal says that nothing is known about it.
const LONGEST_GAP: Duration = Duration::from_hours(744);

/// Takes over from whoever ran before: rescues what was in mid-air, plans the gap and what follows, and judges what fell
/// due in the gap.
pub(super) async fn take_over(shared: &Shared) -> Result<(), StoreError> {
    let busy = shared.clock.busy();
    let live = shared.live.borrow().clone();
    let (store, settings) = (&shared.store, &live.workspace.settings);
    let stamp = store.last_alive().await?;
    // A simulated city has one time for all its nodes: that of another one at work went on while this one got up.
    let others = store.others_alive(&shared.node, shared.clock.now());
    let is_at_work = |(_, revision): &(String, String)| !revision.is_empty();
    if let Some(stamp) = stamp
        && others.await?.iter().any(is_at_work)
    {
        shared.clock.catch_up(stamp);
    }
    let now = shared.clock.now();
    store
        .journal("started", None, &shared.node, &live.workspace.revision, now)
        .await?;
    rescue(shared, shared.alone).await?;
    let dead_since = if shared.alone { now } else { now - ALIVE };
    lose_streams(shared, &live, true, dead_since).await?;
    health::inherit(shared, now - ALIVE).await?;

    let last = match stamp {
        Some(stamp) if stamp > now + TOLERANCE => {
            tracing::error!(
                stamp = rfc3339(stamp, settings.zone),
                now = rfc3339(now, settings.zone),
                "the last liveness stamp lies in the future: the clock was set back, or was wrong before; what was missed cannot be judged"
            );
            store
                .journal(
                    "clock",
                    None,
                    &shared.node,
                    &beside(stamp, now, settings.zone),
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
            .journal(
                "gap",
                None,
                &shared.node,
                &span(last, from, settings.zone),
                now,
            )
            .await?;
    }
    let is_in_force = take_force(shared, before.as_deref(), now).await?;
    shared.is_undecided.store(!is_in_force, Ordering::Relaxed);
    if is_in_force {
        planner::interval(shared, &live, from, now + settings.horizon).await?;
    }

    if let Some(from) = last {
        missed(shared, &live, Gap { from, until: now }, now).await?;
    }
    store.beat(&shared.node, revision, now).await?;
    drop(busy);
    Ok(())
}

/// Judges what fell due in a time in which no node was running. Nothing follows from a short one.
async fn missed(shared: &Shared, live: &Live, gap: Gap, now: Timestamp) -> Result<(), StoreError> {
    let store = &shared.store;
    // What fell due in a pause was not missed.
    silenced(shared, &store.end_paused(&live.topics, now).await?);
    let Gap { from, until } = gap;
    let grace = live.workspace.settings.grace;
    if until.since(from) <= grace {
        return Ok(());
    }
    let zone = live.workspace.settings.zone;
    let detail = span(from, until, zone);
    let missed = store
        .judge_missed(
            Timestamp::from_micros(0),
            until.min(now) - grace,
            &detail,
            now,
        )
        .await?;
    tracing::warn!(
        from = rfc3339(from, zone),
        until = rfc3339(until, zone),
        deliveries.missed = missed,
        "nobody was running"
    );
    store
        .journal("downtime", None, &shared.node, &detail, now)
        .await?;
    shared.metrics.skipped(Reason::Expired.as_str(), missed);
    Ok(())
}

/// What [`crate::domain::time::parse_span`] reads.
fn span(from: Timestamp, until: Timestamp, zone: chrono_tz::Tz) -> String {
    format!("{}..{}", rfc3339(from, zone), rfc3339(until, zone))
}

/// Two instants that contradict each other.
fn beside(one: Timestamp, other: Timestamp, zone: chrono_tz::Tz) -> String {
    format!("{} > {}", rfc3339(one, zone), rfc3339(other, zone))
}

/// Judges a time in which this node did nothing, after the fact and like a downtime: what it had not planned yet is
/// planned first. Where another node was alive nothing was missed.
async fn awake(shared: &Shared, gap: Gap) -> Result<(), StoreError> {
    let now = shared.clock.now();
    let live = shared.live.borrow().clone();
    let alive = shared.store.last_alive().await?;
    // A stamp from the future says nothing.
    let alive = alive.filter(|stamp| *stamp <= now + TOLERANCE);
    let from = gap.from.max(alive.unwrap_or(gap.from));
    if shared.in_force().await? {
        let planned = planned_until(shared, &live.workspace.revision).await?;
        let begin = planned.max(gap.from).max(now - LONGEST_GAP);
        planner::interval(shared, &live, begin, now).await?;
    }
    missed(shared, &live, Gap { from, ..gap }, now).await
}

/// Puts this node's revision in force, unless another node is alive that works with the one in force, `before`: then that
/// one was loaded by somebody's edit, and this node's copy of the files is old.
async fn take_force(
    shared: &Shared,
    before: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let live = shared.live.borrow().clone();
    let revision = &live.workspace.revision;
    if before == Some(revision.as_str()) {
        return Ok(true);
    }
    // Where only one node can be there is no other, though one that ended a moment ago was alive just now.
    let alive = if shared.alone {
        Vec::new()
    } else {
        let since = now - ALIVE;
        shared.store.others_alive(&shared.node, since).await?
    };
    if let Some((node, other)) = alive
        .into_iter()
        .find(|(_, other)| Some(other.as_str()) == before)
    {
        tracing::debug!(
            node = node,
            revision.theirs = other,
            revision.mine = revision,
            "another node works with another revision; waiting for a reload"
        );
        return Ok(false);
    }
    in_force(shared, &live, now).await?;
    tracing::info!(revision = revision, "this node's files are in force");
    Ok(true)
}

/// Puts the files of this node in force: what waits is told first where its channel is now.
///
/// # Errors
/// The store's.
pub(super) async fn in_force(
    shared: &Shared,
    live: &Live,
    now: Timestamp,
) -> Result<(), StoreError> {
    let hosts = live.adapters.iter();
    let hosts = hosts.map(|(channel, adapter)| (channel, adapter.host()));
    shared.store.move_hosts(hosts).await?;
    shared
        .store
        .set_revision(&live.workspace.revision, now)
        .await
}

/// The last stamp of a node that has ended: it works with no revision any more, so nobody waits for it.
pub(super) async fn leave(shared: &Shared) -> Result<(), StoreError> {
    let now = shared.clock.now();
    shared.store.beat(&shared.node, "", now).await
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
    let zone = shared.live.borrow().workspace.settings.zone;
    let record = |jump: Jump| {
        let detail = beside(jump.expected, jump.shown, zone);
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
            tracing::error!(
                expected = rfc3339(jump.expected, zone),
                shown = rfc3339(jump.shown, zone),
                "the clock was set, or the machine slept; see that its time is right"
            );
            let text = format!(
                "the clock was set: it showed {} where {} was expected",
                rfc3339(jump.shown, zone),
                rfc3339(jump.expected, zone)
            );
            record(jump).await?;
            shared.tell("clock", Some(text));
            if jump.shown < jump.expected {
                reopen(shared, now).await?;
            }
        }
        News::Returned(jump) => {
            tracing::warn!(
                shown = rfc3339(jump.shown, zone),
                "the clock is back where it should be"
            );
            record(jump).await?;
            reopen(shared, now).await?;
            shared.tell("clock", None);
        }
        News::Believed(jump) => {
            tracing::warn!("the clock's new time is taken for right");
            let (from, until) = (jump.expected, jump.shown);
            awake(shared, Gap { from, until }).await?;
        }
        News::Stopped(gap) => {
            let (from, until) = (gap.from, gap.until);
            tracing::error!(
                from = rfc3339(from, zone),
                until = rfc3339(until, zone),
                "this process stood still: it was stopped, or its machine was"
            );
            awake(shared, gap).await?;
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
        // An edit that was made meanwhile may want none of them.
        shared.reopened.notify_one();
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

/// Puts on record what streams of dead nodes were not heard to their end. In a simulated city they end as soon as they begin.
async fn lose_streams(
    shared: &Shared,
    live: &Live,
    begins: bool,
    dead_since: Timestamp,
) -> Result<(), StoreError> {
    let channels = live.workspace.channels.iter();
    let streams = channels.filter(|(_, channel)| channel.adapter.facts().is_stream);
    let streams: Vec<_> = streams.map(|(id, _)| id).collect();
    if shared.transport.is_simulated() || streams.is_empty() {
        return Ok(());
    }
    let (node, now) = (&shared.node, shared.clock.now());
    let lost = shared
        .store
        .lose_streams(&streams, node, begins, dead_since, now);
    for id in lost.await? {
        tracing::error!(delivery.id = %id, "a stream was on air when its node died; nobody knows how much was heard");
    }
    Ok(())
}

/// Looks at the clock while the process runs, whatever the store does: a database that is away for minutes is no time in
/// which nobody was running.
pub(super) async fn watch(shared: Shared) {
    // A simulated clock waits for whoever stands still, and says by itself that it was set.
    let is_watched = !shared.clock.is_simulated();
    while is_watched && !shared.stop.soft.is_cancelled() {
        shared.is_time_certain();
        tokio::select! {
            () = shared.stop.soft.cancelled() => {}
            () = shared.clock.sleep(shared.poll()) => {}
        }
    }
    shared.stop.soft.cancelled().await;
}

/// Stamps the store, looks for another place for what has no time left where it stands, and ends what can no longer begin, until told to stop. What dead nodes hold is taken back by the
/// dispatcher, which knows what is not dead. `sets` says that the clock was set, from the start of the daemon on.
pub async fn run(shared: Shared, mut sets: Sets) {
    let mut stamps = Stamps::default();
    while !shared.stop.soft.is_cancelled() {
        // A fast clock is looked at seldom, and a leap is to be believed no later than by another.
        let wait = shared.doubt().unwrap_or(Duration::MAX).min(shared.poll());
        let busy = tokio::select! {
            () = shared.stop.soft.cancelled() => shared.clock.busy(),
            () = sets.next() => shared.clock.busy(),
            busy = shared.stranded.rung() => busy,
            busy = shared.clock.awake_at(shared.clock.now() + wait) => busy,
        };
        let result = step(&shared, &mut stamps).await;
        drop(busy);
        match result {
            Ok(()) => shared.store_works("liveness"),
            Err(error) => shared.store_failed("liveness", &error).await,
        }
    }
}

/// The stamps that this node has made since it began.
#[derive(Debug, Default)]
struct Stamps {
    last: Option<Timestamp>,
    /// Since when it has made one after another.
    since: Option<Timestamp>,
}

impl Stamps {
    /// One more. Whether those of others have to be there as well: where none could be made for a while, such as without a database, others
    /// that live may not have come to theirs.
    fn add(&mut self, now: Timestamp) -> bool {
        let is_late = self.last.is_none_or(|last| last + ALIVE < now);
        self.last = Some(now);
        if is_late {
            self.since = Some(now);
        }
        self.since.is_some_and(|since| since + ALIVE < now)
    }
}

async fn step(shared: &Shared, stamps: &mut Stamps) -> Result<(), StoreError> {
    shared.is_time_certain();
    // What cannot be written down now is told, and judged, when it can.
    let mut has_news = false;
    while let Some(news) = shared.news_of_time() {
        tell_of_time(shared, news).await?;
        shared.told_of_time(news);
        has_news = true;
    }
    if has_news {
        // Who found that the time was in doubt, or that nothing was due yet, looks at once and not when it had meant to.
        shared.planned.notify_one();
        shared.prepared.notify_one();
    }
    if !shared.is_time_certain() {
        return Ok(());
    }
    let now = shared.clock.now();
    let mut is_in_force = shared.in_force().await?;
    // Whom this node found at its start may be gone. A node that another one's edit made old waits for its own files.
    if !is_in_force && shared.is_undecided.load(Ordering::Relaxed) {
        let before = shared.store.revision().await?.map(|(revision, _)| revision);
        is_in_force = take_force(shared, before.as_deref(), now).await?;
    }
    if is_in_force {
        shared.is_undecided.store(false, Ordering::Relaxed);
    }
    let stale = (!is_in_force).then(|| {
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
    let is_judge = stamps.add(now);
    if !shared.alone && is_judge {
        lose_streams(shared, &live, false, now - ALIVE).await?;
    }
    silenced(shared, &shared.store.end_paused(&live.topics, now).await?);
    // What ends now says whether its host was left alone.
    health::record(shared).await?;
    screens::record(shared).await?;
    if is_in_force {
        again::place(shared, &live, now).await?;
    }
    let expired = shared.store.expire(&shared.node, now).await?;
    if !expired.is_empty() {
        tracing::warn!(
            deliveries = expired.len(),
            "deadlines passed before deliveries could begin or succeed"
        );
    }
    for (state, reason) in expired {
        match state {
            State::Skipped => shared.metrics.skipped(reason.as_str(), 1),
            _ => shared.metrics.ended(state.as_str(), 1),
        }
    }
    shared.metrics.set_due(shared.store.due(now).await?);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// After a database that was away others are no dead nodes: they have to stamp it first.
    #[test]
    fn who_could_not_stamp_for_a_while_judges_nobody() {
        let mut stamps = Stamps::default();
        let mut now = Timestamp::from_micros(0);
        let mut after = |seconds| {
            now = now + Duration::from_secs(seconds);
            stamps.add(now)
        };
        assert!(!after(0));
        assert!(!after(60));
        assert!(after(1));
        assert!(after(60));
        assert!(!after(61));
        assert!(!after(30));
        assert!(after(31));
    }
}
