//! What is on air: what is sent by hand finds its place in one transaction, and what gives way to it another one.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    Store, StoreError,
    batch::{Line, clean_option, json},
    journal::{self, ACTOR},
    link::{Cells, Purpose, Tx, execute, rows},
    plan::Row,
    row::{count, delivery_id, length, limit_at, parsed},
    sql,
};
use crate::domain::{
    bulletin::Priority,
    delivery::State,
    id::{BulletinId, ChannelId, DeliveryId, ScheduleId, WardId},
    plan::{
        Limit, PlannedDelivery,
        air::{
            OnAir, Settled,
            again::{Again, Spot, Stranded},
        },
    },
    policy::Span,
    time::Timestamp,
};

/// What a send by hand does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sending {
    /// Its deliveries; those that are not heard with the reason.
    pub deliveries: Vec<PlannedDelivery>,
    /// What they ask of others.
    pub settled: Settled,
}

/// Another place for a delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// The delivery, and where it stands from now on.
    pub to: Spot,
    /// What it gives way to.
    pub detail: String,
}

/// A place, or a part of one, as one row of a batch.
#[derive(Serialize)]
struct PlaceJson<'a> {
    delivery_id: &'a str,
    due_us: Option<i64>,
    deadline_us: Option<i64>,
    over_us: Option<i64>,
    over_reason: Option<&'static str>,
    over_detail: Option<std::borrow::Cow<'a, str>>,
}

impl<'a> PlaceJson<'a> {
    fn new(id: &'a DeliveryId, limit: Option<&'a Limit>) -> Self {
        Self {
            delivery_id: id.as_str(),
            due_us: None,
            deadline_us: None,
            over_us: limit.map(|limit| limit.over.as_micros()),
            over_reason: limit.map(|limit| limit.why.reason.as_str()),
            over_detail: limit.and_then(|limit| clean_option(limit.why.detail.as_deref())),
        }
    }

    fn at(spot: &'a Spot) -> Self {
        Self {
            due_us: Some(spot.due.as_micros()),
            deadline_us: Some(spot.deadline.as_micros()),
            ..Self::new(&spot.id, spot.limit.as_ref())
        }
    }
}

impl Store {
    /// Until when something that was sent by hand is heard, if anything ever was.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn sent_until(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, sql::air::SENT_UNTIL, [], |row| row
            .integer(0)
            .map(Timestamp::from_micros))?;
        Ok(found.into_iter().next())
    }

    /// What is heard from `from` to `until`, or may have been.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn on_air(&self, (from, until): Span) -> Result<Vec<OnAir>, StoreError> {
        let mut reader = self.pools.reader().await?;
        rows!(
            reader,
            sql::air::ON_AIR,
            [from.as_micros(), until.as_micros()],
            |row| heard(row)
        )
    }

    /// Where what gave way to a send by hand, was planned under another revision than `revision` and is still to come at `now`
    /// stands now.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn moved(&self, revision: &str, now: Timestamp) -> Result<Vec<Spot>, StoreError> {
        let mut reader = self.pools.reader().await?;
        rows!(
            reader,
            sql::air::MOVED,
            [now.as_micros(), revision],
            |row| {
                let id = row.text(0)?;
                Ok(Spot {
                    id: delivery_id(id),
                    due: Timestamp::from_micros(row.integer(1)?),
                    deadline: Timestamp::from_micros(row.integer(2)?),
                    limit: limit_at(row, 3, id)?,
                })
            }
        )
    }

    /// Puts a send by hand on record. `decide` gets what is on air in `span` and finds a place for each delivery; nobody else
    /// finds one meanwhile. Returns how many deliveries were not on record.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is on record then.
    pub async fn send(
        &self,
        revision: &str,
        span: Span,
        now: Timestamp,
        decide: impl FnOnce(Vec<OnAir>) -> Sending + Send,
    ) -> Result<u64, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let known = on_air_alone(&mut tx, span, now).await?;
        let inserted = put_on_air(&mut tx, revision, &decide(known), now).await?;
        tx.commit().await?;
        self.changed();
        Ok(inserted)
    }

    /// Gives what is to be tried again and has no time left for that where it stands another place, with a line in the journal; what
    /// there is none for is left to [`Store::expire`]. `reach` says of which interval `decide` has to know what is on air, to find
    /// what is heard and begins between two instants a place; nobody else finds one meanwhile. Returns how many were placed.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is on record then.
    pub async fn place_again(
        &self,
        now: Timestamp,
        reach: impl FnOnce(Timestamp, Timestamp) -> Span + Send,
        decide: impl FnOnce(Vec<OnAir>, &[Stranded]) -> Again + Send,
    ) -> Result<usize, StoreError> {
        // Nearly always nothing, and then nobody waits.
        let (statement, now_us) = (sql::deliver::STRANDED, now.as_micros());
        let mut reader = self.pools.reader().await?;
        if rows!(reader, statement, [now_us], |row| stranded(row))?.is_empty() {
            return Ok(0);
        }
        drop(reader);
        let mut tx = self.pools.begin(Purpose::Write).await?;
        alone(&mut tx, now).await?;
        // Another node may have been quicker.
        let found = rows!(tx, statement, [now_us], |row| stranded(row))?;
        let (Some(first), Some(last)) = (
            found.iter().map(|one| one.due.min(now)).min(),
            found.iter().map(|one| one.latest).max(),
        ) else {
            return Ok(0);
        };
        let known = on_air(&mut tx, reach(first, last)).await?;
        let again = decide(known, &found);
        let details: HashMap<&DeliveryId, &str> = found
            .iter()
            .map(|one| (&one.id, one.detail.as_str()))
            .collect();
        let lines: Vec<Line<'_>> = again
            .placed
            .iter()
            .map(|spot| Line {
                delivery_id: spot.id.as_str(),
                event: "placed-again",
                detail: details.get(&spot.id).copied().unwrap_or_default().into(),
            })
            .collect();
        let rows: Vec<PlaceJson<'_>> = again.placed.iter().map(PlaceJson::at).collect();
        if !rows.is_empty() {
            execute!(tx, sql::air::PLACE_AGAIN, json(&rows), now_us)?;
            journal::append_lines(&mut tx, &lines, ACTOR, now).await?;
        }
        if !again.hopeless.is_empty() {
            let list: Vec<&str> = again.hopeless.iter().map(DeliveryId::as_str).collect();
            execute!(tx, sql::air::NO_PLACE, json(&list), now_us)?;
        }
        settle(&mut tx, &again.settled, now).await?;
        // The plan knows nothing of it, so on these days freezing looks at what is on record.
        if let Some(until) = again.until {
            execute!(tx, sql::air::SENT_MARK, until.as_micros())?;
        }
        tx.commit().await?;
        self.changed();
        Ok(again.placed.len())
    }

    /// Gives deliveries that have not begun another place, each with a line in the journal.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn move_on_air(&self, moves: &[Move], now: Timestamp) -> Result<(), StoreError> {
        if moves.is_empty() {
            return Ok(());
        }
        let rows: Vec<PlaceJson<'_>> = moves.iter().map(|one| PlaceJson::at(&one.to)).collect();
        let lines: Vec<Line<'_>> = moves
            .iter()
            .map(|one| Line {
                delivery_id: one.to.id.as_str(),
                event: "moved",
                detail: one.detail.as_str().into(),
            })
            .collect();
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, sql::air::MOVE, json(&rows), now.as_micros())?;
        journal::append_lines(&mut tx, &lines, ACTOR, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }
}

fn stranded(row: &impl Cells) -> Result<Stranded, StoreError> {
    Ok(Stranded {
        id: delivery_id(row.text(0)?),
        due: Timestamp::from_micros(row.integer(1)?),
        latest: Timestamp::from_micros(row.integer(2)?),
        detail: row.text_or_null(3)?.unwrap_or_default().to_owned(),
    })
}

/// What is heard in `span`. Until the transaction ends nobody else finds a place.
pub(super) async fn on_air_alone(
    tx: &mut Tx,
    span: Span,
    now: Timestamp,
) -> Result<Vec<OnAir>, StoreError> {
    alone(tx, now).await?;
    on_air(tx, span).await
}

/// Until the transaction ends nobody else finds a place.
async fn alone(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    execute!(*tx, sql::air::SENT_MARK, now.as_micros())?;
    Ok(())
}

/// What is heard in an interval.
async fn on_air(tx: &mut Tx, (from, until): Span) -> Result<Vec<OnAir>, StoreError> {
    rows!(
        *tx,
        sql::air::ON_AIR,
        [from.as_micros(), until.as_micros()],
        |row| heard(row)
    )
}

/// Puts what has found its places on record, with all that it asks of others. Returns how many deliveries were not there.
pub(super) async fn put_on_air(
    tx: &mut Tx,
    revision: &str,
    sending: &Sending,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let now_us = now.as_micros();
    let is_heard = |one: &&PlannedDelivery| one.skip.is_none() && one.length.is_some();
    let heard = sending.deliveries.iter().filter(is_heard);
    let ends = heard.map(|one| one.deadline.max(one.due) + one.length.unwrap_or_default());
    if let Some(last) = ends.max() {
        execute!(*tx, sql::air::SENT_MARK, last.as_micros())?;
    }
    let rows: Vec<Row<'_>> = sending.deliveries.iter().map(Row::from).collect();
    let mut inserted = 0;
    if !rows.is_empty() {
        let statement = sql::plan::PLAN_INSERT;
        inserted = execute!(*tx, statement, json(&rows), revision, now_us)?;
    }
    let skipped: Vec<&Row<'_>> = rows.iter().filter(|row| row.is_skipped()).collect();
    if !skipped.is_empty() {
        execute!(*tx, sql::plan::PLAN_JOURNAL, json(&skipped), ACTOR, now_us)?;
    }
    settle(tx, &sending.settled, now).await?;
    Ok(inserted)
}

/// Asks of others what new places want of them.
async fn settle(tx: &mut Tx, settled: &Settled, now: Timestamp) -> Result<(), StoreError> {
    let now_us = now.as_micros();
    let Settled { gives_way, over_by } = settled;
    if !gives_way.is_empty() {
        let list: Vec<&str> = gives_way.iter().map(|one| one.id.as_str()).collect();
        execute!(*tx, sql::air::GIVE_WAY, json(&list), now_us)?;
    }
    if !over_by.is_empty() {
        let rows: Vec<PlaceJson<'_>> = over_by
            .iter()
            .map(|(id, limit)| PlaceJson::new(id, Some(limit)))
            .collect();
        execute!(*tx, sql::air::OVER_BY, json(&rows), now_us)?;
    }
    Ok(())
}

fn heard(row: &impl Cells) -> Result<OnAir, StoreError> {
    let id = row.text(0)?;
    let state = parsed(
        row.text(12)?,
        |text| State::parse(text).ok_or(()),
        "delivery",
        "state",
        id,
    )?;
    let due_us = row.integer(9)?;
    let began = match state {
        State::Sending => row.integer_or_null(15)?,
        State::Ready => row.integer_or_null(16)?,
        _ => row.integer_or_null(14)?,
    };
    let is_open = matches!(state, State::Planned | State::Ready | State::Sending);
    Ok(OnAir {
        schedule: ScheduleId::from_store(row.text(1)?),
        scheduled: Timestamp::from_micros(row.integer(2)?),
        part: count(row.integer(3)?, "delivery", "part", id)?,
        bulletin: match row.text_or_null(4)? {
            Some(text) => Some(parsed(text, BulletinId::parse, "delivery", "bulletin", id)?),
            None => None,
        },
        ward: parsed(row.text(5)?, WardId::parse, "delivery", "ward", id)?,
        channel: parsed(row.text(6)?, ChannelId::parse, "delivery", "channel", id)?,
        channel_name: row.text(7)?.to_owned(),
        priority: parsed(
            row.text(8)?,
            |text| Priority::parse(text).ok_or(()),
            "delivery",
            "priority",
            id,
        )?,
        from: Timestamp::from_micros(began.unwrap_or(due_us).max(due_us)),
        length: length(row, 10, id)?.unwrap_or_default(),
        deadline: Timestamp::from_micros(row.integer(11)?),
        is_begun: !is_open || state == State::Sending || row.integer(13)? > 0,
        is_open,
        id: delivery_id(id),
    })
}
