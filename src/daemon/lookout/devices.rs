//! Asks devices afterwards whether they did what they took: at intervals, until they say so or their time is over. A clear answer is what
//! the device itself would have reported; without one, what was taken stays taken.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};

use crate::{
    adapter::{Adapter, Patience, attempt},
    daemon::Shared,
    domain::{
        delivery::{Reason, State},
        id::{ChannelId, DeliveryId},
        message::{Content, Kept, Message},
        time::Timestamp,
    },
    store::{LogFilter, Order, PageKey, StoreError, row::DeliveryRow},
};

/// How long before it was taken a delivery may have been due.
const BACK: Duration = Duration::from_hours(24);

/// How many deliveries are read at a time.
const PAGE: u32 = 500;

/// How many are asked at a time.
const ABREAST: usize = 16;

/// What was asked.
pub(super) struct Asked {
    /// What was asked last when, of what is asked again.
    pub(super) when: HashMap<DeliveryId, Timestamp>,
    /// When the next round is due.
    pub(super) next: Option<Timestamp>,
}

/// Asks whom it is time to ask. `before` says when that was done last.
pub(super) async fn ask(
    shared: &Shared,
    devices: &HashMap<ChannelId, (Arc<dyn Adapter>, Patience)>,
    before: &HashMap<DeliveryId, Timestamp>,
    now: Timestamp,
) -> Result<Asked, StoreError> {
    let mut asked = Asked {
        when: HashMap::new(),
        next: None,
    };
    let patience = devices.values().map(|(_, patience)| patience);
    // What is taken meanwhile is found then.
    asked.next = patience.map(|patience| now + patience.every).min();
    let held = shared.health.held(now);
    let mut due: Vec<BoxFuture<'_, Result<(), StoreError>>> = Vec::new();
    for (channel, (adapter, patience)) in devices {
        let filter = LogFilter {
            channel: Some(channel.clone()),
            state: Some(State::Accepted),
            since: Some(now - patience.within - BACK),
            ..LogFilter::default()
        };
        let mut after = None;
        loop {
            let order = Order::OldestFirst;
            let log = shared.store.log(&filter, order, after.as_ref(), PAGE);
            let rows = log.await?;
            after = rows.last().map(|row| PageKey {
                due: row.due,
                id: row.id.clone(),
            });
            let is_last = u32::try_from(rows.len()).unwrap_or(PAGE) < PAGE;
            // Of what was cut off, no answer changes anything.
            let is_open = |row: &DeliveryRow| row.reason != Some(Reason::Interrupted);
            for row in rows.into_iter().filter(is_open) {
                let taken = row.accepted_at.unwrap_or(row.due);
                if now > taken + patience.within {
                    continue;
                }
                let last = before.get(&row.id).copied().unwrap_or(taken);
                let next = last + patience.every;
                // A host that does not answer is left alone by questions, too.
                if next <= now && !held.iter().any(|host| host == adapter.host()) {
                    asked.when.insert(row.id.clone(), now);
                    due.push(one(shared, Arc::clone(adapter), row).boxed());
                } else {
                    asked.when.insert(row.id.clone(), last);
                    if next > now {
                        asked.next = asked.next.min(Some(next));
                    }
                }
            }
            if is_last {
                break;
            }
        }
    }
    let asking = stream::iter(due).buffer_unordered(ABREAST);
    let said: Vec<Result<(), StoreError>> = asking.collect().await;
    said.into_iter().collect::<Result<(), StoreError>>()?;
    Ok(asked)
}

async fn one(
    shared: &Shared,
    adapter: Arc<dyn Adapter>,
    row: DeliveryRow,
) -> Result<(), StoreError> {
    let store = &shared.store;
    let hash = row.content_hash.as_slice();
    let Some((_, content)) = store.contents(hash).await?.pop() else {
        return Ok(());
    };
    let attempts = store.attempts(&row.id).await?;
    let receipt = attempts
        .into_iter()
        .rev()
        .find_map(|attempt| attempt.receipt);
    let (id, channel) = (row.id.clone(), row.channel.clone());
    let now = || shared.clock.now();
    let message = message(row, content, now());
    let said = attempt::look_after(
        adapter.as_ref(),
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
    store.told(&id, &channel, played, now()).await?;
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
