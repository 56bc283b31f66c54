//! Rows as readers get them: parsed, never defaulted.

use crate::domain::{
    bulletin::{Format, Priority},
    channel::{ChannelKind, Mode},
    delivery::{Evidence, Outcome, Reason, State},
    id::{BulletinId, ChannelId, DeliveryId, ScheduleId, WardId},
    message::ContentHash,
    time::Timestamp,
};

/// A delivery.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct DeliveryRow {
    /// Its id.
    #[serde(rename = "delivery")]
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
    #[serde(serialize_with = "word_kind")]
    pub kind: ChannelKind,
    /// The body it carries.
    #[serde(serialize_with = "word_format")]
    pub format: Format,
    /// How doubt is treated.
    #[serde(serialize_with = "word_mode")]
    pub mode: Mode,
    /// How urgent it is.
    #[serde(serialize_with = "word_priority")]
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
}

fn word_kind<S: serde::Serializer>(kind: &ChannelKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}
fn word_format<S: serde::Serializer>(format: &Format, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(format.as_str())
}
fn word_mode<S: serde::Serializer>(mode: &Mode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(mode.as_str())
}
fn word_priority<S: serde::Serializer>(priority: &Priority, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(priority.as_str())
}

/// One attempt, on record once it has ended.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct AttemptRow {
    /// Its number, from 1.
    pub number: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, unless accepted.
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
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
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
