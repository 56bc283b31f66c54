//! The dispatcher's turn: outcomes in, claims out, one transaction, statements over whole batches.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sqlx::error::ErrorKind;

use super::{
    Candidate, Claimed, Finished, Room, Store, StoreError, Turn,
    batch::{clean, clean_option, json},
    link::{Cells, Link, Purpose, Tx, execute, rows},
    pause,
    row::{count, delivery_id, parsed},
    sql,
};
use crate::domain::{
    bulletin::Priority,
    channel::Mode,
    delivery::{Evidence, Outcome, Reason, State},
    id::{ChannelId, DeliveryId, ScheduleId, WardId},
    message::{Content, ContentHash},
    time::Timestamp,
};

/// The first page of candidates, and the longest. A short one shows which hosts fill up; the database then passes those
/// over by itself.
const FIRST_PAGE: usize = 64;
const PAGE: usize = 1_024;

/// So long before a deadline a delivery is no longer left to other nodes: whoever has no adapter for it then says so.
const LAST_CALL: Duration = Duration::from_secs(5);

/// Pages a turn looks at, so that its time is bounded however many are refused. The next turn goes on.
const PAGES: usize = 16;

/// The end of an attempt as JSON. What is absent is NULL in the database.
#[derive(Serialize)]
struct End<'a> {
    delivery_id: &'a str,
    number: u32,
    started_us: i64,
    finished_us: i64,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Cow<'a, str>>,
    evidence: &'static str,
    state: &'static str,
    unfinished: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_us: Option<i64>,
    doubt: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_us: Option<i64>,
}

/// The ordinary end: the channel took it, and that is all that is known. In the order in which it is asked for.
#[derive(Serialize)]
struct Taken<'a> {
    delivery_id: &'a str,
    number: u32,
    finished_us: i64,
    started_us: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Cow<'a, str>>,
}

impl<'a> Taken<'a> {
    /// `None` for any other end.
    fn of(end: &'a Finished) -> Option<Self> {
        let is_ordinary = end.outcome == Outcome::Accepted
            && end.next == State::Accepted
            && end.evidence == Evidence::Accepted
            && end.reason.is_none()
            && end.detail.is_none()
            && !end.doubt;
        is_ordinary.then(|| Self {
            delivery_id: end.id.as_str(),
            number: end.attempt,
            finished_us: end.finished.as_micros(),
            started_us: end.started.as_micros(),
            status: end.status,
            answer: clean_option(end.answer.as_deref()),
            receipt: clean_option(end.receipt.as_deref()),
        })
    }
}

impl<'a> From<&'a Finished> for End<'a> {
    fn from(end: &'a Finished) -> Self {
        Self {
            delivery_id: end.id.as_str(),
            number: end.attempt,
            started_us: end.started.as_micros(),
            finished_us: end.finished.as_micros(),
            outcome: end.outcome.as_str(),
            reason: end.reason.map(Reason::as_str),
            detail: clean_option(end.detail.as_deref()),
            status: end.status,
            answer: clean_option(end.answer.as_deref()),
            receipt: clean_option(end.receipt.as_deref()),
            evidence: end.evidence.as_str(),
            state: end.next.as_str(),
            unfinished: !end.next.is_final(),
            // A delivery that is ready has an instant.
            next_us: (end.next == State::Ready)
                .then(|| end.next_at.unwrap_or(end.finished).as_micros()),
            doubt: end.doubt,
            accepted_us: (end.outcome == Outcome::Accepted).then(|| end.finished.as_micros()),
        }
    }
}

impl Store {
    /// One turn of the dispatcher in one transaction: writes finished attempts (fenced: only while the delivery is still
    /// `sending`, leased by `node`, at that attempt; the attempt row is written in any case), then claims what there is
    /// `room` for, after it has ended what a pause silences: deliveries that are ready at `now`, whose channel has no earlier unfinished delivery and none being
    /// sent, and whose host is not full. `choose` sees candidates in order and says whether their host takes them; a
    /// host that refuses one is full for the rest of the turn.
    ///
    /// Candidates come by priority (emergency first), then those that must not be sent twice before others, then by the
    /// instant from which they are ready, then by id. Fewer may be claimed than `choose` took when another node was
    /// quicker.
    ///
    /// # Errors
    /// Any of a statement; nothing is written then, and the same `finished` can be handed in again.
    pub async fn turn(
        &self,
        node: &str,
        now: Timestamp,
        held_until: Timestamp,
        finished: &[Finished],
        room: &Room<'_>,
        choose: impl FnMut(&Candidate) -> bool + Send,
    ) -> Result<Turn, StoreError> {
        if finished.is_empty() && room.in_all == 0 {
            return Ok(Turn::default());
        }
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let mut lost = Vec::new();
        if !finished.is_empty() && !finish(&mut tx, node, now, finished).await? {
            tx.rollback().await?;
            tx = self.pools.begin(Purpose::Write).await?;
            lost = finish_held(&mut tx, node, now, finished).await?;
        }
        let paused = match room.topics {
            Some(topics) if room.in_all > 0 => pause::end_in_turn(&mut tx, topics, now).await?,
            _ => Vec::new(),
        };
        let chosen = if room.in_all == 0 {
            Vec::new()
        } else {
            candidates(&mut tx, now, room, choose).await?
        };
        let claimed = if chosen.is_empty() {
            chosen
        } else {
            claim(&mut tx, node, now, held_until, chosen).await?
        };
        tx.commit().await?;
        if !finished.is_empty() || !claimed.is_empty() || !paused.is_empty() {
            self.changed();
        }
        Ok(Turn {
            claimed,
            paused,
            lost,
        })
    }

    /// Whether nodes other than `node` are in the middle of something.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn is_held_elsewhere(&self, node: &str) -> Result<bool, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, sql::deliver::HELD_ELSEWHERE, [node], |row| row
            .integer(0))?;
        Ok(found.first().is_some_and(|count| *count > 0))
    }

    /// Lengthens this node's leases on `ids` to `until`. Returns those that it still holds: another node has taken over
    /// the others.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn renew(
        &self,
        node: &str,
        ids: &[&DeliveryId],
        until: Timestamp,
    ) -> Result<HashSet<DeliveryId>, StoreError> {
        let list = json(&ids.iter().map(|id| id.as_str()).collect::<Vec<_>>());
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let held = rows!(
            tx,
            sql::deliver::RENEW,
            [list, node, until.as_micros()],
            |row| row.text(0).map(delivery_id)
        )?;
        tx.commit().await?;
        Ok(held.into_iter().collect())
    }

    /// Contents by address. Those that are not there are left out.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn contents(
        &self,
        hashes: &[ContentHash],
    ) -> Result<Vec<(ContentHash, Content)>, StoreError> {
        if hashes.is_empty() {
            return Ok(Vec::new());
        }
        let list = json(&hashes.iter().map(ContentHash::as_str).collect::<Vec<_>>());
        let mut reader = self.pools.reader().await?;
        rows!(reader, sql::deliver::CONTENTS, [list], |row| {
            let hash = row.text(0)?;
            let content = parsed(
                row.text(1)?,
                |text| Content::from_json(text).ok_or(()),
                "content",
                "json",
                hash,
            )?;
            Ok((ContentHash::from_store(hash.to_owned()), content))
        })
    }
}

/// Writes ends of attempts. `false` when this node no longer held all of the deliveries: the transaction is then of no
/// use, and [`finish_held`] has to look closer.
async fn finish(
    tx: &mut Tx,
    node: &str,
    now: Timestamp,
    finished: &[Finished],
) -> Result<bool, StoreError> {
    let (mut taken, mut ends) = (Vec::with_capacity(finished.len()), Vec::new());
    for end in finished {
        match Taken::of(end) {
            Some(end) => taken.push(end),
            None => ends.push(End::from(end)),
        }
    }
    let batches = [
        (
            (!taken.is_empty()).then(|| json(&taken)),
            taken.len(),
            sql::deliver::FINISH_ACCEPTED,
            sql::deliver::ATTEMPT_ACCEPTED,
        ),
        (
            (!ends.is_empty()).then(|| json(&ends)),
            ends.len(),
            sql::deliver::FINISH,
            sql::deliver::ATTEMPT_INSERT,
        ),
    ];
    for (batch, count, finish, attempt) in batches {
        let Some(batch) = batch else { continue };
        let held = execute!(*tx, finish, batch.as_str(), node, now.as_micros())?;
        if usize::try_from(held) != Ok(count) {
            return Ok(false);
        }
        execute!(*tx, attempt, batch.as_str(), node)?;
    }
    Ok(true)
}

/// Writes ends of attempts; gives the deliveries that this node no longer held.
async fn finish_held(
    tx: &mut Tx,
    node: &str,
    now: Timestamp,
    finished: &[Finished],
) -> Result<Vec<DeliveryId>, StoreError> {
    let ends: Vec<End<'_>> = finished.iter().map(End::from).collect();
    let mut held: HashSet<(String, i64)> = rows!(
        *tx,
        sql::deliver::FINISH_HELD,
        [json(&ends), node, now.as_micros()],
        |row| Ok((row.text(0)?.to_owned(), row.integer(1)?))
    )?
    .into_iter()
    .collect();
    // By attempt and not only by delivery: a slow node can lose an attempt, begin the next one itself, and report both
    // in one turn.
    let (kept, lost): (Vec<End<'_>>, Vec<End<'_>>) = ends
        .into_iter()
        .partition(|end| held.remove(&(end.delivery_id.to_owned(), i64::from(end.number))));
    if !kept.is_empty() {
        execute!(*tx, sql::deliver::ATTEMPT_INSERT, json(&kept), node)?;
    }
    execute!(*tx, sql::deliver::ATTEMPT_BELATED, json(&lost), node)?;
    Ok(lost
        .iter()
        .map(|end| delivery_id(end.delivery_id))
        .collect())
}

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
async fn candidates(
    tx: &mut Tx,
    now: Timestamp,
    room: &Room<'_>,
    mut choose: impl FnMut(&Candidate) -> bool + Send,
) -> Result<Vec<Claimed>, StoreError> {
    let kinds = kinds(tx, now, room).await?;
    let mut full: BTreeSet<String> = room.full.iter().cloned().collect();
    let mut full_json = json(&full.iter().map(|host| clean(host)).collect::<Vec<_>>());
    let mut chosen: Vec<Claimed> = Vec::new();
    let mut urgent: HashSet<ChannelId> = HashSet::new();
    let mut singular = 0;
    let mut pages = PAGES;
    for (priority, mode) in kinds {
        let (mut after_us, mut after_id) = (i64::MIN, String::new());
        let mut longest = FIRST_PAGE;
        loop {
            let mut want = room.in_all - chosen.len();
            if mode == Mode::AtMostOnce {
                want = want.min(room.at_most_once - singular);
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
                full_json.as_str(),
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
                if full.contains(row.host.as_ref()) {
                    continue;
                }
                let candidate = row.candidate()?;
                // An emergency has overtaken this one.
                if urgent.contains(&candidate.channel) {
                    continue;
                }
                let deadline = Timestamp::from_micros(row.deadline_us);
                if deadline.since(now) > LAST_CALL
                    && room.not_here.binary_search(&candidate.channel).is_ok()
                {
                    continue;
                }
                if choose(&candidate) {
                    if priority == Priority::Emergency {
                        urgent.insert(candidate.channel.clone());
                    }
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
        })
    }

    /// The candidate as it will be once it is claimed.
    fn claimed(self, candidate: Candidate, now: Timestamp) -> Result<Claimed, StoreError> {
        let Candidate {
            id,
            channel,
            host,
            mode,
        } = candidate;
        let name = id.as_str();
        let hash = self
            .content
            .ok_or_else(|| StoreError::corrupt("delivery", "content", name))?;
        Ok(Claimed {
            attempt: count(self.attempt + 1, "delivery", "attempt", name)?,
            schedule: ScheduleId::from_store(self.schedule.into_owned()),
            channel_name: self.channel_name.into_owned(),
            ward: parsed(&self.ward, WardId::parse, "delivery", "ward", name)?,
            ward_name: self.ward_name.into_owned(),
            priority: priority(&self.priority, name)?,
            due: Timestamp::from_micros(self.due_us),
            deadline: Timestamp::from_micros(self.deadline_us),
            hash: ContentHash::from_store(hash.into_owned()),
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
async fn claim(
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
