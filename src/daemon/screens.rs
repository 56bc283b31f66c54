//! Counter screens: what each has to show now, and what it says that it shows.
//!
//! A screen comes by itself with the key of its channel, so that it needs no address and a network that comes and goes is no trouble. What
//! it fetches is worked out anew each time: whatever no longer holds (the sign's or the bulletin's days, a contact, a pause) is gone from
//! the counter with the next look. What it has shown is evidence of the device, delivery by delivery, as other devices report.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Shared, live::Live, vetting};
use crate::{
    domain::{
        bulletin::Priority,
        calendar,
        channel::{AdapterConfig, Channel},
        delivery::State,
        id::{ChannelId, DeliveryId},
        message::ContentHash,
        time::Timestamp,
    },
    store::{LogFilter, Order, StoreError, row::DeliveryRow},
};

/// The most signs that are looked at, newest first.
const MOST_ROWS: u32 = 200;

/// The most that rotate on one screen.
const MOST_SIGNS: usize = 20;

/// A screen that has said nothing for so long shows nothing, as far as anybody knows. Screens say something every half minute.
pub const SILENT_AFTER: Duration = Duration::from_mins(3);

/// What a screen has to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Board {
    /// The ward, as people call it.
    pub ward: String,
    /// Now, in milliseconds since 1970: the screen's own clock may be wrong.
    pub now: i64,
    /// The zone of the ward's clocks, by its IANA name: the screen may have been set up with another.
    pub zone: String,
    /// The signs, newest first.
    pub signs: Vec<Sign>,
}

/// One sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sign {
    /// Its delivery, by which the screen says that it was shown.
    pub delivery: DeliveryId,
    /// The headline.
    pub title: String,
    /// The words.
    pub text: String,
    /// When it has to be gone even if the screen gets no news, in milliseconds since 1970.
    pub until: i64,
    /// Whether it is an emergency's: then nothing else is shown.
    pub urgent: bool,
}

/// What a screen says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Showing {
    /// Deliveries whose signs have been in view since it last said something.
    pub shown: Vec<String>,
    /// How many signs rotate on it.
    pub signs: usize,
}

/// Why a screen is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotLetIn {
    /// There is no such screen.
    Nowhere,
    /// It has another key.
    Key,
}

/// When screens last said what they show, as this node knows it.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    last: HashMap<ChannelId, Timestamp>,
    /// Those that said something since it was put on record.
    news: HashSet<ChannelId>,
}

impl Seen {
    /// A poisoned lock guards a table that is never left half-written.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, channel: &ChannelId, at: Timestamp) {
        let mut table = self.table();
        table.last.insert(channel.clone(), at);
        table.news.insert(channel.clone());
    }

    fn last(&self, channel: &ChannelId) -> Option<Timestamp> {
        self.table().last.get(channel).copied()
    }

    /// What is not on record yet.
    fn take_news(&self) -> Vec<(ChannelId, Timestamp)> {
        let mut table = self.table();
        let news = std::mem::take(&mut table.news);
        let said = |channel: ChannelId| table.last.get(&channel).map(|at| (channel.clone(), *at));
        let mut said: Vec<_> = news.into_iter().filter_map(said).collect();
        // Nodes that write at once do so in the same order.
        said.sort_unstable();
        said
    }
}

/// Puts on record when screens last said something, for commands that have no daemon to ask.
pub(super) async fn record(shared: &Shared) -> Result<(), StoreError> {
    let said = shared.screens.take_news();
    let written = shared.store.note_screens(&said, shared.clock.now()).await;
    if written.is_err() {
        let mut table = shared.screens.table();
        table
            .news
            .extend(said.into_iter().map(|(channel, _)| channel));
    }
    written
}

/// The channel of a screen that shows the right key.
///
/// # Errors
/// [`NotLetIn`].
pub fn let_in(shared: &Shared, channel: &str, key: &str) -> Result<ChannelId, NotLetIn> {
    let channel = ChannelId::parse(channel).map_err(|_| NotLetIn::Nowhere)?;
    let live = shared.live.borrow();
    let wanted = live.screens.get(&channel).ok_or(NotLetIn::Nowhere)?;
    // Hashes are compared in a time that says nothing of where the keys differ.
    if blake3::hash(wanted.expose().as_bytes()) == blake3::hash(key.as_bytes()) {
        Ok(channel)
    } else {
        Err(NotLetIn::Key)
    }
}

/// What the screen of `channel` has to show now; an empty board where the files know no such screen.
///
/// # Errors
/// [`StoreError::Query`] or [`StoreError::Corrupt`].
pub async fn board(shared: &Shared, channel: &ChannelId) -> Result<Board, StoreError> {
    let live = shared.live.borrow().clone();
    let latest = shared.latest.borrow().clone();
    let now = shared.clock.now();
    let mut board = Board {
        ward: String::new(),
        now: millis(now),
        zone: live.workspace.settings.zone.name().to_owned(),
        signs: Vec::new(),
    };
    let Some((channel, stays)) = screen(&live, channel) else {
        return Ok(board);
    };
    if let Some(ward) = live.workspace.ward(&channel.ward) {
        board.ward.clone_from(&ward.name);
    }
    let filter = LogFilter {
        channel: Some(channel.id.clone()),
        since: Some(now - stays),
        until: Some(now + Duration::from_micros(1)),
        ..LogFilter::default()
    };
    let rows = shared
        .store
        .log(&filter, Order::NewestFirst, None, MOST_ROWS)
        .await?;
    let pauses = shared.store.pauses(now).await?;
    let today = calendar::local(now, live.workspace.settings.zone).date();
    let mut bulletins = HashSet::new();
    let is_up = |row: &&DeliveryRow| {
        let is_paused = pauses.iter().any(|pause| {
            pause.is_in_force(now)
                && pause.covers(&row.ward, &row.channel, row.topic.as_ref(), row.priority)
        });
        let bulletin = row.bulletin.as_ref();
        let bulletin = bulletin.and_then(|id| live.workspace.bulletins.get(id));
        matches!(row.state, State::Accepted | State::Confirmed)
            && !is_paused
            && bulletin.is_some_and(|bulletin| bulletin.valid.contains(today))
            // Of several of one bulletin the newest counts: so its correction takes its place.
            && bulletins.insert(row.bulletin.clone())
    };
    let mut up: Vec<&DeliveryRow> = rows.iter().filter(is_up).collect();
    let is_urgent = |row: &DeliveryRow| row.priority == Priority::Emergency;
    if up.iter().any(|row| is_urgent(row)) {
        up.retain(|row| is_urgent(row));
    }
    let hashes: Vec<ContentHash> = up
        .iter()
        .filter_map(|row| row.content_hash.clone())
        .collect();
    let contents: HashMap<_, _> = shared.store.contents(&hashes).await?.into_iter().collect();
    let signs = up.into_iter().filter_map(|row| {
        let content = contents.get(row.content_hash.as_ref()?)?;
        // A contact that does not hold any more has to leave the counter, too.
        if vetting::lapsed_in(&live, &latest, content, now).is_some() {
            return None;
        }
        Some(Sign {
            delivery: row.id.clone(),
            title: content.title.clone(),
            text: content.text.clone(),
            until: millis(row.due + stays),
            urgent: is_urgent(row),
        })
    });
    board.signs = signs.take(MOST_SIGNS).collect();
    Ok(board)
}

/// Takes what the screen of `channel` says: that it is at work, and which signs have been in view.
///
/// # Errors
/// [`StoreError::Query`] or [`StoreError::DiskFull`]; then it has to say so again.
pub async fn take(
    shared: &Shared,
    channel: &ChannelId,
    showing: &Showing,
) -> Result<(), StoreError> {
    let now = shared.clock.now();
    shared.screens.put(channel, now);
    for delivery in showing.shown.iter().take(MOST_SIGNS) {
        let delivery = DeliveryId::from_text(delivery);
        if shared.store.told(&delivery, channel, true, now).await? {
            shared.metrics.reported("tied");
        }
    }
    Ok(())
}

/// Screens that do not say what they show although they should, with when they last did, in the order of their ids. A daemon that has just
/// begun has heard of none, and blames none for as long as they may be silent.
#[must_use]
pub fn silent(shared: &Shared, began: Timestamp) -> Vec<(ChannelId, Option<Timestamp>)> {
    let now = shared.clock.now();
    let live = shared.live.borrow().clone();
    let mut silent: Vec<_> = live
        .screens
        .keys()
        .map(|id| (id.clone(), shared.screens.last(id)))
        .filter(|(_, last)| last.unwrap_or(began) + SILENT_AFTER < now)
        .collect();
    silent.sort_unstable();
    silent
}

fn screen<'l>(live: &'l Live, channel: &ChannelId) -> Option<(&'l Channel, Duration)> {
    let channel = live.workspace.channels.get(channel)?;
    match &channel.adapter {
        AdapterConfig::Screen(screen) => Some((channel, screen.stays)),
        _ => None,
    }
}

fn millis(at: Timestamp) -> i64 {
    at.as_micros() / 1_000
}
