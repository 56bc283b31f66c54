//! Rows as readers get them: parsed, never defaulted.

use std::time::Duration;

use super::{StoreError, link::Cells};
use crate::domain::{
    bulletin::{Format, Priority},
    channel::{ChannelKind, Mode},
    delivery::{Evidence, Outcome, Reason, State},
    id::{BulletinId, ChannelId, DeliveryId, ScheduleId, TopicId, WardId},
    message::ContentHash,
    plan::{Limit, Why},
    time::Timestamp,
};

/// How the host of a delivery that waits is left alone, because it does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftAlone {
    /// Since when.
    pub since: Timestamp,
    /// When it may be tried again.
    pub until: Timestamp,
    /// Why the last call there got no answer.
    pub reason: Reason,
}

/// The delivery of the same channel that comes before one whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// Its id.
    pub id: DeliveryId,
    /// When it is due.
    pub due: Timestamp,
    /// Whether it is being sent; else it waits itself.
    pub is_sending: bool,
}

/// A delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// Its schedule.
    pub schedule: ScheduleId,
    /// Its bulletin.
    pub bulletin: Option<BulletinId>,
    /// Its ward.
    pub ward: WardId,
    /// Its ward's name at planning time.
    pub ward_name: String,
    /// Its channel.
    pub channel: ChannelId,
    /// Its channel's name at planning time.
    pub channel_name: String,
    /// Its channel's sort.
    pub kind: ChannelKind,
    /// The body it carries.
    pub format: Format,
    /// How doubt is treated.
    pub mode: Mode,
    /// How urgent it is.
    pub priority: Priority,
    /// When it is due.
    pub due: Timestamp,
    /// When its sending must have begun.
    pub deadline: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Why.
    pub reason: Option<Reason>,
    /// What the reason's word leaves out.
    pub detail: Option<String>,
    /// Attempts begun.
    pub attempts: u32,
    /// When the next attempt may begin.
    pub next_at: Option<Timestamp>,
    /// When the attempt under way began.
    pub started_at: Option<Timestamp>,
    /// When the channel accepted it.
    pub accepted_at: Option<Timestamp>,
    /// What is known about what was heard.
    pub evidence: Evidence,
    /// Its words.
    pub content_hash: Option<ContentHash>,
    /// Who decided by hand.
    pub closed_by: Option<String>,
    /// The last change.
    pub updated_at: Timestamp,
    /// What its bulletin was about at planning time.
    pub topic: Option<TopicId>,
    /// The instant that its schedule names; `due` lies elsewhere where it gave way or was moved.
    pub scheduled: Timestamp,
    /// Which part of a session it is, from 0.
    pub part: u16,
    /// How long it is heard: estimated, and once it is frozen that of its sound, if it has one. `None` for what is read.
    pub length: Option<Duration>,
    /// When it has to be over.
    pub limit: Option<Limit>,
    /// How its host is left alone, which is all that it waits for or keeps it waiting longer. Read beside the row, by
    /// [`Store::delivery`](super::Store::delivery), [`Store::log`](super::Store::log) and
    /// [`Store::changed_since`](super::Store::changed_since).
    pub left_alone: Option<LeftAlone>,
    /// What it waits for on its own channel, where its time has come. Read beside the row, likewise.
    pub behind: Option<Behind>,
}

impl DeliveryRow {
    /// What a person said about it, if anybody did: whether it was heard, who says so, and since when that is on record.
    #[must_use]
    pub fn word_of(&self) -> Option<(bool, &str, Timestamp)> {
        let heard = match self.state {
            State::Confirmed => true,
            State::Unheard => false,
            _ => return None,
        };
        // Nothing changes such a row but another person's word.
        let name = self.closed_by.as_deref()?;
        Some((heard, name, self.updated_at))
    }

    /// Whether it waits for a person to publish it.
    #[must_use]
    pub fn is_offered(&self) -> bool {
        self.state == State::Accepted && self.reason == Some(Reason::Offered)
    }

    /// Whether it was tried, refused, and had no time left for another try because of what its limit names. Its reason is then
    /// the last answer's, and its detail that of the limit.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        let limit = self.limit.as_ref().filter(|_| self.state == State::Failed);
        limit.is_some_and(|limit| {
            self.attempts > 0 && limit.why.detail.is_some() && limit.why.detail == self.detail
        })
    }
}

/// One attempt, on record once it has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRow {
    /// Its number, from 1.
    pub number: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Why; of what was accepted only that it is offered for a person to publish.
    pub reason: Option<Reason>,
    /// What the reason's word leaves out.
    pub detail: Option<String>,
    /// The last answer's status.
    pub status: Option<u16>,
    /// The first 4 KiB of the last answer.
    pub answer: Option<String>,
    /// The receiver's own reference.
    pub receipt: Option<String>,
    /// What is known about what was heard.
    pub evidence: Evidence,
    /// The node that made it.
    pub node: String,
    /// Whether it was reported after the lease had been lost and another node had recorded the same attempt as unknown.
    pub belated: bool,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    /// Its number.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// What happened, one word: `started`, `stopped`, `reloaded`, `downtime`, `skipped`, `rescued`, `sent-by-hand`, `reconciled`, …
    pub event: String,
    /// The delivery it is about.
    pub delivery: Option<DeliveryId>,
    /// Who did it: a person's name, or the node.
    pub actor: String,
    /// The rest, in words or JSON.
    pub detail: String,
}

impl StoreError {
    pub(super) fn corrupt(table: &'static str, column: &'static str, id: &str) -> Self {
        Self::Corrupt {
            table,
            column,
            id: id.to_owned(),
        }
    }
}

/// A cell that has to mean something.
pub(super) fn parsed<T, E>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
    table: &'static str,
    column: &'static str,
    id: &str,
) -> Result<T, StoreError> {
    parse(text).map_err(|_| StoreError::corrupt(table, column, id))
}

/// A cell that counts something.
pub(super) fn count<T: TryFrom<i64>>(
    number: i64,
    table: &'static str,
    column: &'static str,
    id: &str,
) -> Result<T, StoreError> {
    T::try_from(number).map_err(|_| StoreError::corrupt(table, column, id))
}

/// A delivery's id as the store has it.
pub(super) fn delivery_id(text: &str) -> DeliveryId {
    DeliveryId::from_text(text)
}

/// The instant of a query's one row, which may be empty.
pub(super) fn first_instant(found: Vec<Option<i64>>) -> Option<Timestamp> {
    let micros = found.into_iter().next().flatten();
    micros.map(Timestamp::from_micros)
}

/// When a delivery has to be over, its three columns from `first` on.
pub(super) fn limit_at(
    row: &impl Cells,
    first: usize,
    id: &str,
) -> Result<Option<Limit>, StoreError> {
    let Some(over) = row.integer_or_null(first)? else {
        return Ok(None);
    };
    let reason = row.text_or_null(first + 1)?.unwrap_or_default();
    let reason = parsed(
        reason,
        |text| Reason::parse(text).ok_or(()),
        "delivery",
        "over_reason",
        id,
    )?;
    Ok(Some(Limit {
        over: Timestamp::from_micros(over),
        why: Why {
            reason,
            detail: row.text_or_null(first + 2)?.map(str::to_owned),
        },
    }))
}

/// A length in microseconds.
pub(super) fn length(
    row: &impl Cells,
    index: usize,
    id: &str,
) -> Result<Option<Duration>, StoreError> {
    row.integer_or_null(index)?
        .map(|micros| count(micros, "delivery", "length_us", id).map(Duration::from_micros))
        .transpose()
}

/// A row of the table `delivery`, its columns in the order of `sql/read.rs`.
pub(super) fn delivery(row: &impl Cells) -> Result<DeliveryRow, StoreError> {
    const TABLE: &str = "delivery";
    let id = row.text(0)?;
    let bulletin = row.text_or_null(2)?;
    let reason = row.text_or_null(14)?;
    let instant = |index| Ok::<_, StoreError>(Timestamp::from_micros(row.integer(index)?));
    let instant_or_null =
        |index| Ok::<_, StoreError>(row.integer_or_null(index)?.map(Timestamp::from_micros));
    let owned_or_null = |index| Ok::<_, StoreError>(row.text_or_null(index)?.map(str::to_owned));
    Ok(DeliveryRow {
        id: delivery_id(id),
        schedule: ScheduleId::from_store(row.text(1)?),
        bulletin: bulletin
            .map(|text| parsed(text, BulletinId::parse, TABLE, "bulletin", id))
            .transpose()?,
        ward: parsed(row.text(3)?, WardId::parse, TABLE, "ward", id)?,
        ward_name: row.text(4)?.to_owned(),
        channel: parsed(row.text(5)?, ChannelId::parse, TABLE, "channel", id)?,
        channel_name: row.text(6)?.to_owned(),
        kind: parsed(
            row.text(7)?,
            |text| ChannelKind::parse(text).ok_or(()),
            TABLE,
            "kind",
            id,
        )?,
        format: parsed(
            row.text(8)?,
            |text| Format::parse(text).ok_or(()),
            TABLE,
            "format",
            id,
        )?,
        mode: parsed(
            row.text(9)?,
            |text| Mode::parse(text).ok_or(()),
            TABLE,
            "mode",
            id,
        )?,
        priority: parsed(
            row.text(10)?,
            |text| Priority::parse(text).ok_or(()),
            TABLE,
            "priority",
            id,
        )?,
        due: instant(11)?,
        deadline: instant(12)?,
        state: parsed(
            row.text(13)?,
            |text| State::parse(text).ok_or(()),
            TABLE,
            "state",
            id,
        )?,
        reason: reason
            .map(|text| {
                parsed(
                    text,
                    |text| Reason::parse(text).ok_or(()),
                    TABLE,
                    "reason",
                    id,
                )
            })
            .transpose()?,
        detail: owned_or_null(15)?,
        attempts: count(row.integer(16)?, TABLE, "attempt", id)?,
        next_at: instant_or_null(17)?,
        started_at: instant_or_null(18)?,
        accepted_at: instant_or_null(19)?,
        evidence: parsed(
            row.text(20)?,
            |text| Evidence::parse(text).ok_or(()),
            TABLE,
            "evidence",
            id,
        )?,
        content_hash: row.text_or_null(21)?.map(ContentHash::from_store),
        closed_by: owned_or_null(22)?,
        updated_at: instant(30)?,
        topic: row
            .text_or_null(23)?
            .map(|text| parsed(text, TopicId::parse, TABLE, "topic", id))
            .transpose()?,
        scheduled: instant(24)?,
        part: count(row.integer(25)?, TABLE, "part", id)?,
        length: length(row, 26, id)?,
        limit: limit_at(row, 27, id)?,
        left_alone: None,
        behind: None,
    })
}

/// A row of the table `attempt`, its columns in the order of `sql/read.rs`.
pub(super) fn attempt(row: &impl Cells, of: &DeliveryId) -> Result<AttemptRow, StoreError> {
    const TABLE: &str = "attempt";
    let id = of.as_str();
    let reason = row.text_or_null(5)?;
    Ok(AttemptRow {
        number: count(row.integer(0)?, TABLE, "number", id)?,
        belated: row.flag(1)?,
        started: Timestamp::from_micros(row.integer(2)?),
        finished: Timestamp::from_micros(row.integer(3)?),
        outcome: parsed(
            row.text(4)?,
            |text| Outcome::parse(text).ok_or(()),
            TABLE,
            "outcome",
            id,
        )?,
        reason: reason
            .map(|text| {
                parsed(
                    text,
                    |text| Reason::parse(text).ok_or(()),
                    TABLE,
                    "reason",
                    id,
                )
            })
            .transpose()?,
        detail: row.text_or_null(6)?.map(str::to_owned),
        status: row
            .integer_or_null(7)?
            .map(|status| count(status, TABLE, "status", id))
            .transpose()?,
        answer: row.text_or_null(8)?.map(str::to_owned),
        receipt: row.text_or_null(9)?.map(str::to_owned),
        evidence: parsed(
            row.text(10)?,
            |text| Evidence::parse(text).ok_or(()),
            TABLE,
            "evidence",
            id,
        )?,
        node: row.text(11)?.to_owned(),
    })
}
