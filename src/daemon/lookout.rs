//! Looks whether what was offered for pasting was published: on channels that no program can write to ([`Adapter::patience`]). And asks
//! devices that say only afterwards what they did, and sites whether what they took still stands there (`devices`).
//!
//! At once, because last week's article may still be there, then at intervals, until the channel's time for that is over. What is seen is
//! confirmed. What is not there by then ends as unheard, and as a silence like everything that was due and did not come; where the
//! channel could not be asked, a person has to say. What was taken back, or has newer words, is not looked for.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

mod devices;

use devices::Device;

use super::{Shared, live::Live};
use crate::{
    adapter::{Adapter, Patience, attempt},
    domain::{
        approval::Subject,
        channel::ChannelKind,
        delivery::{Reason, State},
        id::{BulletinId, ChannelId, DeliveryId},
        time::Timestamp,
    },
    store::{LogFilter, Order, Publication, StoreError, row::DeliveryRow},
};

/// How long after its time something is still found that nobody looked for because nobody was running.
const BACK: Duration = Duration::from_hours(168);

/// The most deliveries of one channel that are looked at: the newest.
const MOST: u32 = 200;

/// Looks, until told to stop.
pub(super) async fn run(shared: Shared) {
    let mut changes = shared.live.subscribe();
    let mut lookout = Lookout::default();
    while !shared.stop.soft.is_cancelled() {
        let live = changes.borrow_and_update().clone();
        let busy = shared.clock.busy();
        let result = lookout.step(&shared, &live).await;
        drop(busy);
        let next = match result {
            Ok(next) => {
                shared.store_works("lookout");
                next
            }
            Err(error) => {
                shared.store_failed("lookout", &error).await;
                continue;
            }
        };
        tokio::select! {
            () = shared.stop.soft.cancelled() => {}
            _ = changes.changed() => {}
            () = until(&shared, next) => {}
        }
    }
}

async fn until(shared: &Shared, next: Option<Timestamp>) {
    match next {
        Some(next) => shared.clock.sleep_until(next).await,
        None => std::future::pending().await,
    }
}

/// When what was looked for last.
#[derive(Default)]
struct Lookout(HashMap<DeliveryId, Timestamp>);

impl Lookout {
    /// One round. Returns when the next is due; `None` where no channel wants one.
    async fn step(
        &mut self,
        shared: &Shared,
        live: &Arc<Live>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let now = shared.clock.now();
        if !shared.is_time_certain() {
            return Ok(Some(now + shared.poll()));
        }
        let mut next: Option<Timestamp> = None;
        let mut wake = |at: Timestamp| next = Some(next.map_or(at, |known| known.min(at)));
        let mut looked = HashMap::new();
        let mut devices = Vec::new();
        for (channel, adapter) in live.adapters.iter() {
            let Some(patience) = adapter.patience() else {
                continue;
            };
            if patience.is_device {
                let known = live.workspace.channels.get(channel);
                devices.push(Device {
                    channel: channel.clone(),
                    adapter: Arc::clone(adapter),
                    patience,
                    is_site: known.is_some_and(|known| known.kind == ChannelKind::Website),
                });
                continue;
            }
            // What is offered meanwhile is found then.
            wake(now + patience.every);
            for row in waiting(shared, channel, patience, now).await? {
                let offered = row.accepted_at.unwrap_or(row.due);
                let end = offered + patience.within;
                let last = self.0.get(&row.id).copied();
                let due = last.map_or(offered + patience.first, |last| last + patience.every);
                let due = due.min(end);
                if now < due {
                    looked.extend(last.map(|last| (row.id.clone(), last)));
                    wake(due);
                    continue;
                }
                if let Some(last) = look(shared, adapter.as_ref(), &row, end).await? {
                    looked.insert(row.id.clone(), last);
                    wake((last + patience.every).min(end.max(last + Duration::from_secs(1))));
                }
            }
        }
        let asked = devices::ask(shared, &devices, &self.0, now).await?;
        asked.next.into_iter().for_each(&mut wake);
        looked.extend(asked.when);
        self.0 = looked;
        Ok(next)
    }
}

/// What a channel was offered, or has taken, and may still be looked for.
async fn waiting(
    shared: &Shared,
    channel: &ChannelId,
    patience: Patience,
    now: Timestamp,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let filter = LogFilter {
        channel: Some(channel.clone()),
        since: Some(now - patience.within - BACK),
        ..LogFilter::default()
    };
    let store = &shared.store;
    let rows = store.log(&filter, Order::NewestFirst, None, MOST).await?;
    let mut waiting = Vec::new();
    let mut newest: BTreeMap<BulletinId, DeliveryRow> = BTreeMap::new();
    for row in rows {
        // What is being sent may be there already.
        let was_offered = matches!(
            row.state,
            State::Ready
                | State::Sending
                | State::Accepted
                | State::Confirmed
                | State::Unheard
                | State::Unknown
        );
        let Some(bulletin) = row.bulletin.clone().filter(|_| was_offered) else {
            continue;
        };
        let words = &newest
            .entry(bulletin)
            .or_insert_with(|| row.clone())
            .content_hash;
        if row.state == State::Accepted && *words == row.content_hash {
            waiting.push(row);
        }
    }
    let subjects = newest.into_keys().map(Subject::Bulletin).collect();
    let standings = store.standings(&subjects).await?;
    waiting.retain(|row| {
        let subject = row.bulletin.clone().map(Subject::Bulletin);
        let standing = subject.and_then(|subject| standings.get(&subject));
        let taken_back = standing.and_then(|standing| standing.retracted.as_ref());
        row.schedule.is_correction() || taken_back.is_none_or(|entry| entry.at <= row.due)
    });
    Ok(waiting)
}

/// Looks for one article. `None` when that is the end of it, else when it was looked for.
async fn look(
    shared: &Shared,
    adapter: &dyn Adapter,
    row: &DeliveryRow,
    end: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let store = &shared.store;
    let hash = row.content_hash.as_slice();
    let Some((_, content)) = store.contents(hash).await?.pop() else {
        return Ok(None);
    };
    let asked = attempt::look(adapter, &content, &shared.transport, || shared.clock.now());
    let Some(seen) = unless_stopped(shared, asked).await else {
        return Ok(None);
    };
    let now = shared.clock.now();
    let publication = match &seen {
        Ok(receipt) => Publication::Seen(receipt.reference.as_deref().unwrap_or_default()),
        Err(_) if now < end => return Ok(Some(now)),
        Err(failure) if failure.reason() == Reason::NotPublished => {
            Publication::NotThere(failure.detail())
        }
        Err(failure) => Publication::Unclear(failure.detail()),
    };
    let (id, channel, node) = (&row.id, &row.channel, &shared.node);
    let news = store.published(id, channel, publication, node, now).await?;
    if let (Err(failure), Some(missed)) = (seen, news) {
        give_up(
            shared,
            row,
            (failure.reason(), failure.detail()),
            missed.len(),
        );
    }
    Ok(None)
}

/// What a question gives, unless this daemon stops: what is asked changes nothing, and is asked again. What is written down of an answer
/// is written down whole.
async fn unless_stopped<T>(shared: &Shared, asked: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = shared.stop.soft.cancelled() => None,
        said = asked => Some(said),
    }
}

/// Says that something that was due is not to be seen, of which the operator is told.
fn give_up(shared: &Shared, row: &DeliveryRow, (reason, detail): (Reason, &str), missed: usize) {
    tracing::error!(
        delivery.id = %row.id, ward.id = %row.ward, ward.name = row.ward_name, channel.id = %row.channel, due = %row.due,
        reason = reason.as_str(), detail, "is not to be seen on its site"
    );
    shared.metrics.silences(missed);
}
