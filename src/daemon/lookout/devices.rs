//! Asks devices afterwards whether they did what they took: at intervals, until they say so or their time is over. A clear answer is what
//! the device itself would have reported; without one, what was taken stays taken.
//!
//! Sites are asked whether what they took still stands there. A site that carries out late what it was sent before (a call that was given
//! up as unanswered) puts older words over newer ones, and nobody is told of it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};

use crate::{
    adapter::{Adapter, Patience, attempt},
    daemon::Shared,
    domain::{
        delivery::{Reason, State},
        id::{ChannelId, DeliveryId},
        message::{Content, Kept, Message},
        time::Timestamp,
    },
    store::{LogFilter, Order, PageKey, Publication, StoreError, row::DeliveryRow},
};

/// How long before it was taken a delivery may have been due.
const BACK: Duration = Duration::from_hours(24);

/// How many deliveries are read at a time.
const PAGE: u32 = 500;

/// How long to wait at least before the next round, which reads what every channel took.
const PAUSE: Duration = Duration::from_secs(10);

/// How many are asked at a time.
const ABREAST: usize = 16;

/// What was asked.
pub(super) struct Asked {
    /// What was asked last when, of what is asked again.
    pub(super) when: HashMap<DeliveryId, Timestamp>,
    /// When the next round is due.
    pub(super) next: Option<Timestamp>,
}

/// Whom to ask.
pub(super) struct Device {
    /// The channel.
    pub(super) channel: ChannelId,
    /// What knows its interface.
    pub(super) adapter: Arc<dyn Adapter>,
    /// How it is asked.
    pub(super) patience: Patience,
    /// Whether it is a website, where newer words take the place of older ones.
    pub(super) is_site: bool,
}

impl Device {
    /// What it took, as far as it may still be asked for it.
    async fn taken(&self, shared: &Shared, now: Timestamp) -> Result<Vec<DeliveryRow>, StoreError> {
        let within = self.patience.within;
        let rows = accepted(shared, &self.channel, now - within - BACK).await?;
        let is_open = |row: &DeliveryRow| {
            let taken = row.accepted_at.unwrap_or(row.due);
            // Of what was cut off, no answer changes anything.
            row.reason != Some(Reason::Interrupted) && now <= taken + within
        };
        Ok(rows.into_iter().filter(is_open).collect())
    }

    /// When it is time to ask for something that it took; `before` says when that was done last.
    fn next(&self, row: &DeliveryRow, before: &HashMap<DeliveryId, Timestamp>) -> Timestamp {
        let taken = row.accepted_at.unwrap_or(row.due);
        let last = before.get(&row.id);
        last.map_or(taken + self.patience.first, |last| {
            *last + self.patience.every
        })
    }

    /// Whether no newer words have taken this one's place, or are about to.
    async fn is_newest(
        &self,
        shared: &Shared,
        row: &DeliveryRow,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let newest = super::waiting(shared, &self.channel, self.patience, now).await?;
        Ok(newest.iter().any(|one| one.id == row.id))
    }
}

/// What a channel took.
async fn accepted(
    shared: &Shared,
    channel: &ChannelId,
    since: Timestamp,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let filter = LogFilter {
        channel: Some(channel.clone()),
        state: Some(State::Accepted),
        since: Some(since),
        ..LogFilter::default()
    };
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let order = Order::OldestFirst;
        let log = shared.store.log(&filter, order, after.as_ref(), PAGE);
        let rows = log.await?;
        after = rows.last().map(|row| PageKey {
            due: row.due,
            id: row.id.clone(),
        });
        let is_last = u32::try_from(rows.len()).unwrap_or(PAGE) < PAGE;
        all.extend(rows);
        if is_last {
            return Ok(all);
        }
    }
}

/// Asks whom it is time to ask. `before` says when that was done last.
pub(super) async fn ask(
    shared: &Shared,
    devices: &[Device],
    before: &HashMap<DeliveryId, Timestamp>,
    now: Timestamp,
) -> Result<Asked, StoreError> {
    let patience = devices.iter().map(|device| device.patience);
    // What is taken meanwhile is found then.
    let soonest = patience.map(|patience| now + patience.first.min(patience.every));
    let mut asked = Asked {
        when: HashMap::new(),
        next: soonest.min(),
    };
    let held = shared.health.held(now);
    let mut asking = Asking {
        under_way: FuturesUnordered::new(),
        failed: None,
    };
    for device in devices {
        for row in device.taken(shared, now).await? {
            let next = device.next(&row, before);
            // A host that does not answer is left alone by questions, too.
            if next <= now && !held.iter().any(|host| host == device.adapter.host()) {
                asked.when.insert(row.id.clone(), now);
                asking.begin(one(shared, device, row).boxed()).await;
            } else {
                let last = before.get(&row.id).copied();
                asked.when.extend(last.map(|last| (row.id.clone(), last)));
                if next > now {
                    // What was taken one after another is asked for together.
                    asked.next = asked.next.min(Some(next.max(now + PAUSE)));
                }
            }
        }
    }
    asking.end().await?;
    Ok(asked)
}

/// One that is put, and what comes of it written down.
type Question<'a> = BoxFuture<'a, Result<(), StoreError>>;

/// Questions under way while the record is read on, so that no more of it is held than one channel's and what is being asked.
struct Asking<'a> {
    under_way: FuturesUnordered<Question<'a>>,
    /// What the store said first that is no answer. The others are ended all the same.
    failed: Option<StoreError>,
}

impl<'a> Asking<'a> {
    /// Begins one, as soon as there is room for it.
    async fn begin(&mut self, question: Question<'a>) {
        while self.under_way.len() >= ABREAST {
            self.take().await;
        }
        self.under_way.push(question);
    }

    /// Waits for one to end; `false` where none is under way.
    async fn take(&mut self) -> bool {
        let ended = self.under_way.next().await;
        if let Some(Err(error)) = ended {
            self.failed.get_or_insert(error);
            return true;
        }
        ended.is_some()
    }

    /// Waits for all of them.
    async fn end(mut self) -> Result<(), StoreError> {
        while self.take().await {}
        self.failed.map_or(Ok(()), Err)
    }
}

async fn one(shared: &Shared, device: &Device, row: DeliveryRow) -> Result<(), StoreError> {
    let store = &shared.store;
    let now = || shared.clock.now();
    if device.is_site && !device.is_newest(shared, &row, now()).await? {
        return Ok(());
    }
    let hash = row.content_hash.as_slice();
    let Some((_, content)) = store.contents(hash).await?.pop() else {
        return Ok(());
    };
    let attempts = store.attempts(&row.id).await?;
    let receipt = attempts
        .into_iter()
        .rev()
        .find_map(|attempt| attempt.receipt);
    let message = message(row.clone(), content, now());
    let said = attempt::look_after(
        device.adapter.as_ref(),
        &message,
        receipt.as_deref(),
        &shared.transport,
        now,
    );
    let Some(said) = super::unless_stopped(shared, said).await else {
        return Ok(());
    };
    let played = match said {
        Ok(()) => true,
        Err(failure) if failure.reason() == Reason::NotPlayed => false,
        Err(_) => return Ok(()),
    };
    if !device.is_site {
        store.told(&row.id, &row.channel, played, now()).await?;
        return Ok(());
    }
    let publication = if played {
        Publication::Seen("")
    } else if device.is_newest(shared, &row, now()).await? {
        Publication::Overwritten
    } else {
        // Newer words that went out meanwhile are what stands there.
        return Ok(());
    };
    let (id, channel, node) = (&row.id, &row.channel, &shared.node);
    let news = store
        .published(id, channel, publication, node, now())
        .await?;
    if let (false, Some(missed)) = (played, news) {
        super::give_up(shared, &row, (Reason::Overwritten, ""), missed.len());
    }
    Ok(())
}

/// What was taken, as far as it is on record.
fn message(row: DeliveryRow, content: Content, now: Timestamp) -> Message {
    Message {
        delivery: row.id,
        attempt: row.attempts,
        channel: row.channel,
        channel_name: row.channel_name,
        ward: row.ward,
        ward_name: row.ward_name,
        priority: row.priority,
        preempts: false,
        due: row.due,
        deadline: row.deadline,
        sent_at: now,
        hash: content.hash(),
        content: Arc::new(content),
        audio: None,
        picture: None,
        kept: Kept::default(),
    }
}
