//! Silences on record: noticed once, told once, however many nodes look.

use std::{borrow::Cow, time::Duration};

use serde::Serialize;

use super::{
    Store, StoreError,
    batch::{Line, clean, json},
    end::LATEST,
    journal,
    link::{Cells, Purpose, Tx, execute, rows},
    row::{LeftAlone, delivery_id, first_instant, parsed},
    sql::silence as statement,
};
use crate::domain::{
    bulletin::Priority,
    delivery::{Evidence, Reason, State},
    id::{ChannelId, DeliveryId, ScheduleId, TopicId, WardId},
    time::Timestamp,
};

/// How far the clocks of nodes may lie apart. What one noticed so much later than another's now, its clock was wrong.
const TOLERANCE: Duration = Duration::from_mins(1);

/// News that is older is none.
const NEWS: Duration = Duration::from_hours(24);

/// Where a delivery that was due stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasDue {
    /// The delivery and where it goes.
    pub place: Silent,
    /// The state; `None` when it is not on record at all.
    pub state: Option<State>,
    /// Why.
    pub reason: Option<Reason>,
    /// What the reason's word leaves out.
    pub detail: Option<String>,
    /// How its host is left alone, where it waits for that.
    pub left_alone: Option<LeftAlone>,
    /// How urgent it is.
    pub priority: Priority,
    /// What it is about.
    pub topic: Option<TopicId>,
    /// When its sending must have begun.
    pub deadline: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Whether the plan itself skipped it.
    pub by_plan: bool,
    /// What is known of whether anybody heard or saw it.
    pub evidence: Evidence,
}

/// One broadcast in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its schedule.
    pub schedule: ScheduleId,
    /// Its ward.
    pub ward: WardId,
    /// The ward's name.
    pub ward_name: String,
    /// Its channel.
    pub channel: ChannelId,
    /// The channel's name.
    pub channel_name: String,
    /// When it was due.
    pub due: Timestamp,
}

/// What should have been heard and was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// The delivery and where it goes.
    pub place: Silent,
    /// What it was when that was noticed; `None` when it was not on record at all.
    pub state: Option<State>,
    /// The reason that stood beside it.
    pub reason: Option<Reason>,
    /// What the reason's word left out.
    pub detail: Option<String>,
    /// Since when something is heard there again.
    pub over: Option<Timestamp>,
    /// When the operator was told of it.
    pub told: Option<Timestamp>,
}

/// What stands for the state of what is not on record.
const UNPLANNED: &str = "unplanned";

/// A silence as one row of a batch.
#[derive(Serialize)]
struct Row<'a> {
    delivery_id: &'a str,
    schedule: &'a str,
    ward: &'a str,
    ward_name: Cow<'a, str>,
    channel: &'a str,
    channel_name: Cow<'a, str>,
    due_us: i64,
    state: &'static str,
    reason: Option<&'static str>,
    detail: Option<Cow<'a, str>>,
}

/// What the operator was told, as one row of a batch.
#[derive(Serialize)]
struct Told<'a> {
    delivery_id: &'a str,
    is_over: bool,
}

impl Store {
    /// Until when it was looked whether everything was heard; `None` before the first time.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn watched(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, statement::WATCHED, [], |row| row.integer_or_null(0))?;
        Ok(first_instant(found))
    }

    /// Where these deliveries stand, and all others that were due in `[from, until)`. What is not on record is left out.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn was_due(
        &self,
        ids: &[&DeliveryId],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<WasDue>, StoreError> {
        let list: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        let mut reader = self.pools.reader().await?;
        let mut found = rows!(
            reader,
            statement::WAS_DUE,
            [json(&list), from.as_micros(), until.as_micros()],
            |row| was_due(row)
        )?;
        drop(reader);
        let waiting = found.iter().filter(|one| one.state == Some(State::Ready));
        let alone = self
            .left_alone(waiting.map(|one| &one.place.delivery))
            .await?;
        for one in &mut found {
            one.left_alone = alone.get(&one.place.delivery).copied();
        }
        Ok(found)
    }

    /// Puts what was not heard before `until` on record, and gives back what nobody had noticed yet.
    ///
    /// # Errors
    /// [`StoreError::Query`], [`StoreError::DiskFull`] or [`StoreError::Corrupt`].
    pub async fn notice_silence(
        &self,
        silent: &[WasDue],
        until: Timestamp,
        node: &str,
        now: Timestamp,
    ) -> Result<Vec<Silence>, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let new = notice(&mut tx, silent, node, now).await?;
        execute!(tx, statement::WATCHED_SET, until.as_micros())?;
        tx.commit().await?;
        if !new.is_empty() {
            self.changed();
        }
        Ok(new)
    }

    /// How many channels are silent, and how many silences there are of which the operator was not told.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn count_silences(&self, now: Timestamp) -> Result<(u64, u64), StoreError> {
        let mut reader = self.pools.reader().await?;
        let given_up = (now - LATEST).as_micros();
        let old = (now - NEWS).as_micros();
        let found = rows!(reader, statement::SILENCE_COUNT, [given_up, old], |row| {
            Ok((row.integer(0)?, row.integer(1)?))
        })?;
        let (silent, untold) = found.first().copied().unwrap_or_default();
        let count = |number| u64::try_from(number).unwrap_or_default();
        Ok((count(silent), count(untold)))
    }

    /// Ends silences on whose channel something was heard since, and gives them back.
    ///
    /// # Errors
    /// [`StoreError::Query`], [`StoreError::DiskFull`] or [`StoreError::Corrupt`].
    pub async fn end_silence(
        &self,
        node: &str,
        now: Timestamp,
    ) -> Result<Vec<Silence>, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let given_up = (now - LATEST).as_micros();
        let over = rows!(
            tx,
            statement::SILENCE_OVER,
            [now.as_micros(), given_up],
            |row| { read(row) }
        )?;
        put_down(&mut tx, "silence-over", &over, node, now).await?;
        tx.commit().await?;
        if !over.is_empty() {
            self.changed();
        }
        Ok(over)
    }

    /// Takes what the operator was not told yet, by instant and place, for one try that others believe in for `lease`.
    /// `lease_now` is [`crate::clock::Clock::lease_now`].
    ///
    /// # Errors
    /// [`StoreError::Query`], [`StoreError::DiskFull`] or [`StoreError::Corrupt`].
    pub async fn take_silences(
        &self,
        lease: Duration,
        now: Timestamp,
        lease_now: Timestamp,
    ) -> Result<Vec<Silence>, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let (before, after, old) = (lease_now - lease, lease_now + lease, now - NEWS);
        let mut taken = rows!(
            tx,
            statement::SILENCE_TAKE,
            [
                lease_now.as_micros(),
                before.as_micros(),
                old.as_micros(),
                after.as_micros()
            ],
            |row| read(row)
        )?;
        tx.commit().await?;
        taken.sort_by(|one, other| {
            let key = |silent: &Silence| {
                let place = &silent.place;
                (place.due, place.ward.clone(), place.channel.clone())
            };
            key(one).cmp(&key(other))
        });
        Ok(taken)
    }

    /// Writes down that the operator was told of what [`Store::take_silences`] gave, at `channel`.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn told_of_silences(
        &self,
        taken: &[Silence],
        channel: &str,
        node: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let told: Vec<Told<'_>> = taken
            .iter()
            .map(|one| Told {
                delivery_id: one.place.delivery.as_str(),
                is_over: one.over.is_some(),
            })
            .collect();
        let lines: Vec<Line<'_>> = taken
            .iter()
            .map(|one| Line {
                delivery_id: one.place.delivery.as_str(),
                event: if one.told.is_none() {
                    "silence-told"
                } else {
                    "silence-over-told"
                },
                detail: channel.into(),
            })
            .collect();
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, statement::SILENCE_TOLD, json(&told), now.as_micros())?;
        journal::append_lines(&mut tx, &lines, node, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// Gives back what [`Store::take_silences`] gave and could not be told. With a `detail` the journal says so.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn not_told_of_silences(
        &self,
        taken: &[Silence],
        detail: Option<&str>,
        node: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let list: Vec<&str> = taken
            .iter()
            .map(|one| one.place.delivery.as_str())
            .collect();
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, statement::SILENCE_BACK, json(&list))?;
        if let Some(detail) = detail {
            journal::append_one(&mut tx, "silence-not-told", None, node, detail, now).await?;
        }
        tx.commit().await?;
        self.changed();
        Ok(())
    }
}

/// Puts silences on record, with their lines of the journal, and gives back what nobody had noticed yet.
async fn notice(
    tx: &mut Tx,
    silent: &[WasDue],
    node: &str,
    now: Timestamp,
) -> Result<Vec<Silence>, StoreError> {
    if silent.is_empty() {
        return Ok(Vec::new());
    }
    let batch: Vec<Row<'_>> = silent.iter().map(as_row).collect();
    let new = rows!(
        *tx,
        statement::SILENCE_INSERT,
        [
            json(&batch),
            now.as_micros(),
            node,
            (now + TOLERANCE).as_micros()
        ],
        |row| read(row)
    )?;
    put_down(tx, "silence", &new, node, now).await?;
    Ok(new)
}

/// The same for one delivery, as it stands in this transaction.
pub(super) async fn notice_one(
    tx: &mut Tx,
    id: &DeliveryId,
    node: &str,
    now: Timestamp,
) -> Result<Vec<Silence>, StoreError> {
    let nobody_else = (now.as_micros(), now.as_micros());
    let silent = rows!(
        *tx,
        statement::WAS_DUE,
        [json(&[id.as_str()]), nobody_else.0, nobody_else.1],
        |row| was_due(row)
    )?;
    notice(tx, &silent, node, now).await
}

fn as_row(one: &WasDue) -> Row<'_> {
    let place = &one.place;
    Row {
        delivery_id: place.delivery.as_str(),
        schedule: place.schedule.as_str(),
        ward: place.ward.as_str(),
        ward_name: clean(&place.ward_name),
        channel: place.channel.as_str(),
        channel_name: clean(&place.channel_name),
        due_us: place.due.as_micros(),
        state: word(one.state),
        reason: one.reason.map(Reason::as_str),
        detail: one.detail.as_deref().map(clean),
    }
}

/// One line of the journal for each.
async fn put_down(
    tx: &mut Tx,
    event: &str,
    silences: &[Silence],
    node: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let lines: Vec<Line<'_>> = silences
        .iter()
        .map(|one| Line {
            delivery_id: one.place.delivery.as_str(),
            event,
            detail: stands(one).into(),
        })
        .collect();
    journal::append_lines(tx, &lines, node, now).await
}

/// Where a silence stood when it was noticed. What waits for a host that is left alone says how it is, which is all of it.
fn stands(one: &Silence) -> String {
    match (one.state, one.reason, &one.detail) {
        (Some(State::Ready), Some(Reason::Unreachable), Some(left)) => left.clone(),
        (state, reason, _) => {
            journal::why(word(state), reason.map(Reason::as_str).unwrap_or_default())
        }
    }
}

fn word(state: Option<State>) -> &'static str {
    state.map_or(UNPLANNED, State::as_str)
}

/// The columns of a place, which come first in both.
fn place(row: &impl Cells, table: &'static str) -> Result<Silent, StoreError> {
    let id = row.text(0)?;
    Ok(Silent {
        delivery: delivery_id(id),
        schedule: ScheduleId::from_store(row.text(1)?),
        ward: parsed(row.text(2)?, WardId::parse, table, "ward", id)?,
        ward_name: row.text(3)?.to_owned(),
        channel: parsed(row.text(4)?, ChannelId::parse, table, "channel", id)?,
        channel_name: row.text(5)?.to_owned(),
        due: Timestamp::from_micros(row.integer(6)?),
    })
}

/// State and reason, which follow.
fn judgement(
    row: &impl Cells,
    table: &'static str,
) -> Result<(Option<State>, Option<Reason>), StoreError> {
    let id = row.text(0)?;
    let state = row.text(7)?;
    let state = if state == UNPLANNED {
        None
    } else {
        let parse = |text: &str| State::parse(text).ok_or(());
        Some(parsed(state, parse, table, "state", id)?)
    };
    let parse = |text: &str| Reason::parse(text).ok_or(());
    let reason = row.text_or_null(8)?;
    let reason = reason.map(|text| parsed(text, parse, table, "reason", id));
    Ok((state, reason.transpose()?))
}

fn was_due(row: &impl Cells) -> Result<WasDue, StoreError> {
    const TABLE: &str = "delivery";
    let place = place(row, TABLE)?;
    let (state, reason) = judgement(row, TABLE)?;
    let id = place.delivery.as_str();
    let priority = |text: &str| Priority::parse(text).ok_or(());
    let topic = row.text_or_null(10)?;
    Ok(WasDue {
        state,
        reason,
        priority: parsed(row.text(9)?, priority, TABLE, "priority", id)?,
        topic: topic
            .map(|text| parsed(text, TopicId::parse, TABLE, "topic", id))
            .transpose()?,
        deadline: Timestamp::from_micros(row.integer(11)?),
        updated: Timestamp::from_micros(row.integer(12)?),
        by_plan: row.flag(13)?,
        evidence: parsed(
            row.text(14)?,
            |text| Evidence::parse(text).ok_or(()),
            TABLE,
            "evidence",
            id,
        )?,
        detail: row.text_or_null(15)?.map(str::to_owned),
        left_alone: None,
        place,
    })
}

fn read(row: &impl Cells) -> Result<Silence, StoreError> {
    const TABLE: &str = "silence";
    let (state, reason) = judgement(row, TABLE)?;
    let instant =
        |index| Ok::<_, StoreError>(row.integer_or_null(index)?.map(Timestamp::from_micros));
    Ok(Silence {
        place: place(row, TABLE)?,
        state,
        reason,
        over: instant(9)?,
        told: instant(10)?,
        detail: row.text_or_null(11)?.map(str::to_owned),
    })
}
