//! What comes next: looking at what could be sent, in order, and putting it on record as begun.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use serde::Deserialize;
use sqlx::error::ErrorKind;

use crate::{
    domain::{
        bulletin::Priority,
        channel::Mode,
        id::{ChannelId, ScheduleId, WardId},
        message::ContentHash,
        time::Timestamp,
    },
    store::{
        Candidate, Claimed, Room, StoreError,
        batch::{clean, json},
        link::{Cells as _, Link, Tx, execute, rows},
        row::{count, delivery_id, parsed},
        sql,
    },
};

/// The first page of candidates, and the longest. A short one shows which hosts fill up; the database then passes those
/// over by itself.
const FIRST_PAGE: usize = 64;
const PAGE: usize = 1_024;

/// So long before a deadline a delivery is no longer left to other nodes: whoever has no adapter for it then says so.
const LAST_CALL: Duration = Duration::from_secs(5);

/// Pages a turn looks at, so that its time is bounded however many are refused. The next turn goes on.
const PAGES: usize = 16;

fn priority(text: &str, id: &str) -> Result<Priority, StoreError> {
    Priority::parse(text).ok_or_else(|| StoreError::corrupt("delivery", "priority", id))
}

fn mode(text: &str, id: &str) -> Result<Mode, StoreError> {
    Mode::parse(text).ok_or_else(|| StoreError::corrupt("delivery", "mode", id))
}

/// Of what something is ready that this node may send: most urgent first, and first what must not be sent twice.
async fn kinds(
    tx: &mut Tx,
    now: Timestamp,
    room: &Room<'_>,
) -> Result<Vec<(Priority, Mode)>, StoreError> {
    let mut kinds = rows!(
        *tx,
        sql::deliver::READY_KINDS,
        [now.as_micros(), room.revision],
        |row| {
            Ok((
                priority(row.text(0)?, "a ready one")?,
                mode(row.text(1)?, "a ready one")?,
            ))
        }
    )?;
    kinds.sort_unstable_by_key(|(priority, mode)| (Reverse(*priority), *mode != Mode::AtMostOnce));
    Ok(kinds)
}

/// Looks at what could be sent, in order, until enough is chosen.
pub(super) async fn candidates(
    tx: &mut Tx,
    now: Timestamp,
    room: &Room<'_>,
    mut choose: impl FnMut(&Candidate) -> bool + Send,
) -> Result<Vec<Claimed>, StoreError> {
    let kinds = kinds(tx, now, room).await?;
    let mut full: BTreeSet<String> = room.full.iter().cloned().collect();
    let mut full_json = json(&full.iter().map(|host| clean(host)).collect::<Vec<_>>());
    let mut chosen: Vec<Claimed> = Vec::new();
    let mut taken: HashSet<ChannelId> = HashSet::new();
    let mut singular = 0;
    let mut pages = PAGES;
    for (priority, mode) in kinds {
        let (mut after_us, mut after_id) = (i64::MIN, String::new());
        let mut longest = FIRST_PAGE;
        loop {
            let mut want = room.in_all.saturating_sub(chosen.len());
            if mode == Mode::AtMostOnce {
                want = want.min(room.at_most_once.saturating_sub(singular));
            }
            // They come first: nothing else is chosen yet.
            let is_urgent = priority == Priority::Emergency;
            if is_urgent {
                want = want.max(room.emergencies.saturating_sub(chosen.len()));
            }
            if want == 0 || pages == 0 {
                break;
            }
            pages -= 1;
            // Where nobody refuses, no more is looked at than is wanted.
            let limit = if full.len() > room.full.len() || !room.not_here.is_empty() {
                longest
            } else {
                want.min(longest)
            };
            longest = (longest * 4).min(PAGE);
            let limit_us = i64::try_from(limit).unwrap_or(i64::MAX);
            let statement = sql::deliver::CANDIDATES;
            let binds = (
                now.as_micros(),
                priority.as_str(),
                mode.as_str(),
                if is_urgent { "[]" } else { full_json.as_str() },
                after_us,
                after_id.as_str(),
                limit_us,
            );
            let before = (chosen.len(), full.len());
            let found = rows!(
                *tx,
                statement,
                [
                    binds.0, binds.1, binds.2, binds.3, binds.4, binds.5, binds.6
                ],
                |row| row.text(0).map(str::to_owned)
            )?;
            let page = page(found.first().map_or("[]", String::as_str))?;
            let is_full_page = page.len() == limit;
            let last = page
                .last()
                .map(|row| (row.next_us, row.id.as_ref().to_owned()));
            for row in page {
                if chosen.len() - before.0 == want {
                    break;
                }
                if !is_urgent && full.contains(row.host.as_ref()) {
                    continue;
                }
                let candidate = row.candidate()?;
                // An emergency or a correction has overtaken this one.
                if taken.contains(&candidate.channel) {
                    continue;
                }
                let deadline = Timestamp::from_micros(row.deadline_us);
                if deadline.since(now) > LAST_CALL
                    && room.not_here.binary_search(&candidate.channel).is_ok()
                {
                    continue;
                }
                if choose(&candidate) {
                    taken.insert(candidate.channel.clone());
                    chosen.push(row.claimed(candidate, now)?);
                } else {
                    full.insert(candidate.host);
                }
            }
            if mode == Mode::AtMostOnce {
                singular += chosen.len() - before.0;
            }
            if full.len() > before.1 {
                full_json = json(&full.iter().map(|host| clean(host)).collect::<Vec<_>>());
            }
            let Some(last) = last.filter(|_| is_full_page) else {
                break;
            };
            (after_us, after_id) = last;
        }
    }
    Ok(chosen)
}

/// A delivery that could be sent, as [`sql::deliver::CANDIDATES`] writes it.
#[derive(Deserialize)]
struct Ready<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    channel: Cow<'a, str>,
    #[serde(borrow)]
    host: Cow<'a, str>,
    #[serde(borrow)]
    mode: Cow<'a, str>,
    next_us: i64,
    attempt: i64,
    #[serde(borrow)]
    schedule: Cow<'a, str>,
    #[serde(borrow)]
    channel_name: Cow<'a, str>,
    #[serde(borrow)]
    ward: Cow<'a, str>,
    #[serde(borrow)]
    ward_name: Cow<'a, str>,
    #[serde(borrow)]
    priority: Cow<'a, str>,
    due_us: i64,
    deadline_us: i64,
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
    can_ask: u8,
    doubt: u8,
    latest_us: Option<i64>,
}

/// The deliveries of a page, in order.
fn page(text: &str) -> Result<Vec<Ready<'_>>, StoreError> {
    let mut page: Vec<Ready<'_>> = serde_json::from_str(text)
        .map_err(|_| StoreError::corrupt("delivery", "row", "a ready one"))?;
    page.sort_unstable_by(|a, b| (a.next_us, &a.id).cmp(&(b.next_us, &b.id)));
    Ok(page)
}

impl Ready<'_> {
    fn candidate(&self) -> Result<Candidate, StoreError> {
        let id = self.id.as_ref();
        Ok(Candidate {
            id: delivery_id(id),
            channel: parsed(&self.channel, ChannelId::parse, "delivery", "channel", id)?,
            host: self.host.as_ref().to_owned(),
            mode: mode(&self.mode, id)?,
            priority: priority(&self.priority, id)?,
        })
    }

    /// The candidate as it will be once it is claimed.
    fn claimed(self, candidate: Candidate, now: Timestamp) -> Result<Claimed, StoreError> {
        let Candidate {
            id,
            channel,
            host,
            mode,
            priority,
        } = candidate;
        let name = id.as_str();
        let hash = self
            .content
            .ok_or_else(|| StoreError::corrupt("delivery", "content", name))?;
        Ok(Claimed {
            attempt: count(self.attempt + 1, "delivery", "attempt", name)?,
            schedule: ScheduleId::from_store(&self.schedule),
            channel_name: self.channel_name.into_owned(),
            ward: parsed(&self.ward, WardId::parse, "delivery", "ward", name)?,
            ward_name: self.ward_name.into_owned(),
            priority,
            due: Timestamp::from_micros(self.due_us),
            deadline: Timestamp::from_micros(self.deadline_us),
            latest: Timestamp::from_micros(
                self.latest_us
                    .map_or(self.deadline_us, |latest| latest.max(self.deadline_us)),
            ),
            hash: ContentHash::from_store(&hash),
            can_ask: self.can_ask != 0,
            doubt: self.doubt != 0,
            started: now,
            id,
            channel,
            host,
            mode,
        })
    }
}

/// Puts attempts on record as begun. Gives the deliveries that are this node's now: all that were chosen, or none when
/// another node has begun something else on one of the channels in the same moment.
pub(super) async fn claim(
    tx: &mut Tx,
    node: &str,
    now: Timestamp,
    until: Timestamp,
    chosen: Vec<Claimed>,
) -> Result<Vec<Claimed>, StoreError> {
    let list = json(
        &chosen
            .iter()
            .map(|claimed| claimed.id.as_str())
            .collect::<Vec<_>>(),
    );
    let several = matches!(tx, Link::Postgres(_));
    if several {
        execute!(*tx, sql::deliver::CLAIM_BEGIN)?;
    }
    match execute!(
        *tx,
        sql::deliver::CLAIM,
        list,
        node,
        now.as_micros(),
        until.as_micros()
    ) {
        Ok(_) => Ok(chosen),
        Err(StoreError::Query { source, .. }) if several && is_race(&source) => {
            execute!(*tx, sql::deliver::CLAIM_UNDO)?;
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// The unique index on channels that are being sent to has refused, or two nodes waited for each other at it
/// (PostgreSQL's `deadlock_detected`).
fn is_race(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.kind() == ErrorKind::UniqueViolation || error.code().as_deref() == Some("40P01")
    })
}
