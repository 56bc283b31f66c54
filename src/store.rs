//! The store: one SQL text for SQLite (embedded) and PostgreSQL (several nodes), and all that is known to have happened.
//!
//! `Store` is a struct, not a trait: tests use a real database. Every statement is a named constant in `store/sql.rs`.
//! No transaction is ever open while a call to a channel is under way. `now` is always a parameter.

pub mod row;

use std::time::Duration;

use crate::domain::{
    delivery::{Account, Evidence, Outcome, Reason, State},
    id::{BulletinId, ChannelId, DeliveryId, ScheduleId, WardId},
    message::{Content, ContentHash},
    plan::PlannedDelivery,
    time::Timestamp,
};
use row::{AttemptRow, DeliveryRow, JournalRow};

/// Which world a database belongs to. It is written into the database when it is made and never changes, so that a
/// simulated broadcast cannot be taken for a real one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// Real channels.
    Real,
    /// The simulated city.
    Simulated,
}

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {}

/// The store.
#[derive(Debug, Clone)]
pub struct Store {}

/// What planning changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Planned {
    /// Deliveries that are new.
    pub inserted: u64,
    /// Deliveries that an edit changed, or brought back, before they began.
    pub changed: u64,
}

/// A delivery that has to be frozen.
#[derive(Debug, Clone, PartialEq)]
pub struct Unprepared {
    /// The delivery.
    pub id: DeliveryId,
    /// Its bulletin.
    pub bulletin: BulletinId,
    /// Its ward.
    pub ward: WardId,
    /// Its channel.
    pub channel: ChannelId,
    /// The body it carries.
    pub format: crate::domain::bulletin::Format,
}

/// What became of a delivery that had to be frozen.
#[derive(Debug, Clone, PartialEq)]
pub struct Frozen {
    /// The delivery.
    pub id: DeliveryId,
    /// Its words.
    pub hash: ContentHash,
    /// The host that its channel's calls go to, for limits per host.
    pub host: String,
    /// Whether its adapter can ask the channel "is it already there?".
    pub can_ask: bool,
}

/// A delivery that could be sent now: the first unfinished one of its channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The delivery.
    pub id: DeliveryId,
    /// Its channel.
    pub channel: ChannelId,
    /// The host that its calls go to.
    pub host: String,
    /// Whether it must not be sent twice: such deliveries are claimed only when a worker is free.
    pub mode: crate::domain::channel::Mode,
}

/// A delivery that this node has claimed: its attempt is on record as begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The delivery.
    pub id: DeliveryId,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// Its schedule.
    pub schedule: ScheduleId,
    /// Its channel.
    pub channel: ChannelId,
    /// Its channel's name.
    pub channel_name: String,
    /// Its ward.
    pub ward: WardId,
    /// Its ward's name.
    pub ward_name: String,
    /// How urgent it is.
    pub priority: crate::domain::bulletin::Priority,
    /// When it is due.
    pub due: Timestamp,
    /// When its sending must have begun.
    pub deadline: Timestamp,
    /// Its words.
    pub hash: ContentHash,
    /// The host that its calls go to.
    pub host: String,
    /// How doubt is treated.
    pub mode: crate::domain::channel::Mode,
    /// Whether its adapter can ask.
    pub can_ask: bool,
    /// Whether an earlier attempt may have arrived.
    pub doubt: bool,
    /// When this attempt began.
    pub started: Timestamp,
}

/// The end of one attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The delivery.
    pub id: DeliveryId,
    /// The attempt.
    pub attempt: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, unless accepted.
    pub reason: Option<Reason>,
    /// What the operator wants to know beyond the reason: an operating system's words, a status text. At most 300 characters.
    pub detail: Option<String>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// The first 4 KiB of the last answer, lossily as text.
    pub answer: Option<String>,
    /// The receiver's own reference.
    pub receipt: Option<String>,
    /// The state that follows; `Ready` for another attempt.
    pub next: State,
    /// When another attempt may begin, with `Ready`.
    pub next_at: Option<Timestamp>,
    /// Whether this attempt, or one before it, may have arrived without an answer.
    pub doubt: bool,
    /// What is known about what was heard.
    pub evidence: Evidence,
}

/// What one turn of the dispatcher gave.
#[derive(Debug, Default)]
pub struct Turn {
    /// Claimed deliveries.
    pub claimed: Vec<Claimed>,
    /// Finished attempts whose lease was lost: somebody else has taken over; nothing was written for them but the attempt.
    pub lost: Vec<DeliveryId>,
}

/// Which deliveries a reader wants to see. Every filter that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// Of this ward.
    pub ward: Option<WardId>,
    /// Of this channel.
    pub channel: Option<ChannelId>,
    /// Of this schedule.
    pub schedule: Option<ScheduleId>,
    /// In this state.
    pub state: Option<State>,
    /// Due at or after.
    pub since: Option<Timestamp>,
    /// Due before.
    pub until: Option<Timestamp>,
}

/// Where a page begins: after this row.
#[derive(Debug, Clone, PartialEq)]
pub struct PageKey {
    /// The row's instant.
    pub due: Timestamp,
    /// The row's id.
    pub id: DeliveryId,
}

/// The direction of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By instant, oldest first.
    OldestFirst,
    /// By instant, newest first.
    NewestFirst,
}

impl Store {
    /// Opens (and makes) the database at `url` (`sqlite:PATH` or `postgres:…`), applies migrations, and checks that it
    /// belongs to `world`. On SQLite with `exclusive`, takes an operating-system lock beside the file, so that a second
    /// daemon on the same file refuses to start; readers (the command line) open without it.
    pub async fn open(url: &str, world: World, exclusive: bool) -> Result<Self, StoreError> { todo!() }

    // --- plan

    /// Inserts deliveries, in as few statements as possible. A delivery that is already there and has not begun takes
    /// over what the new revision says (and is frozen again if it was); one that an edit had superseded comes back if it
    /// is not yet due. A planned delivery without a bulletin is stored as skipped (expired) at once.
    pub async fn plan(&self, batch: &[PlannedDelivery], revision: &str, now: Timestamp) -> Result<Planned, StoreError> { todo!() }
    /// Deliveries of schedules (not those by hand) due in `[from, until)` that have not begun and were not planned under
    /// `revision` become skipped (superseded). Returns how many.
    pub async fn supersede(&self, from: Timestamp, until: Timestamp, revision: &str, now: Timestamp) -> Result<u64, StoreError> { todo!() }
    /// Records that `[from, until)` is planned under `revision`. Adjacent runs of one revision are joined.
    pub async fn record_plan_run(&self, revision: &str, from: Timestamp, until: Timestamp, now: Timestamp) -> Result<(), StoreError> { todo!() }
    /// The intervals that were planned under `revision`, ascending.
    pub async fn plan_runs(&self, revision: &str) -> Result<Vec<(Timestamp, Timestamp)>, StoreError> { todo!() }
    /// The revision in force, and since when.
    pub async fn revision(&self) -> Result<Option<(String, Timestamp)>, StoreError> { todo!() }
    /// Puts `revision` in force.
    pub async fn set_revision(&self, revision: &str, now: Timestamp) -> Result<(), StoreError> { todo!() }

    // --- prepare

    /// Deliveries due before `until` that are not frozen, by instant, at most `limit`.
    pub async fn unprepared(&self, until: Timestamp, limit: u32) -> Result<Vec<Unprepared>, StoreError> { todo!() }
    /// Stores contents (once each) and makes deliveries ready; those that were changed meanwhile are left alone.
    pub async fn freeze(&self, contents: &[(ContentHash, std::sync::Arc<Content>)], frozen: &[Frozen], now: Timestamp) -> Result<u64, StoreError> { todo!() }
    /// Ends deliveries that have not begun (`planned` or `ready`, no attempt) as `state` (`Skipped`, `Failed`, `Cancelled`).
    pub async fn end_unbegun(&self, ids: &[DeliveryId], state: State, reason: Reason, detail: &str, now: Timestamp) -> Result<u64, StoreError> { todo!() }

    // --- deliver

    /// One turn of the dispatcher in one transaction: writes finished attempts (fenced: only while the delivery is still
    /// `sending`, leased by `node`, at that attempt; the attempt row is written in any case), then claims up to `want`
    /// deliveries that are ready at `now`, whose channel has no earlier unfinished delivery and none being sent, and
    /// whose host is not in `blocked`. `choose` sees candidates in order and takes those that fit the limits per host.
    pub async fn turn(
        &self,
        node: &str,
        now: Timestamp,
        lease: Duration,
        finished: &[Finished],
        want: usize,
        blocked: &[String],
        choose: impl FnMut(&Candidate) -> bool + Send,
    ) -> Result<Turn, StoreError> { todo!() }
    /// The earliest instant after which something may be claimable: the least `next_at` of ready deliveries.
    pub async fn next_ready(&self) -> Result<Option<Timestamp>, StoreError> { todo!() }
    /// Contents by address.
    pub async fn contents(&self, hashes: &[ContentHash]) -> Result<Vec<(ContentHash, Content)>, StoreError> { todo!() }
    /// Takes back deliveries whose lease ended before `now` (all that other nodes hold, when `alone`): the attempt is
    /// recorded as unknown (crashed); then ready again with doubt (at-least-once, or the adapter can ask), else unknown.
    pub async fn rescue(&self, node: &str, alone: bool, now: Timestamp) -> Result<Vec<(DeliveryId, State)>, StoreError> { todo!() }
    /// Ends what can no longer begin: deadline at or before `now`, still planned or ready. Without an attempt: skipped
    /// (expired); with one that may have arrived: unknown (deadline); else failed (its last reason, or deadline).
    pub async fn expire(&self, now: Timestamp) -> Result<u64, StoreError> { todo!() }
    /// Judges what fell due in `[from, until)` while nobody was running: deliveries that may not be late and have not
    /// begun become skipped (expired) with `detail`. Returns how many.
    pub async fn judge_missed(&self, from: Timestamp, until: Timestamp, detail: &str, now: Timestamp) -> Result<u64, StoreError> { todo!() }
    /// A person's word on a delivery that is accepted or unknown (or was decided by hand before): confirmed or unheard. `false` when it is in
    /// another state; nothing changes then.
    pub async fn reconcile(&self, id: &DeliveryId, heard: bool, by: &str, now: Timestamp) -> Result<bool, StoreError> { todo!() }

    // --- liveness

    /// Writes the liveness stamp of `node` (and, by the way, its revision).
    pub async fn beat(&self, node: &str, revision: &str, now: Timestamp) -> Result<(), StoreError> { todo!() }
    /// The newest liveness stamp of any node.
    pub async fn last_alive(&self) -> Result<Option<Timestamp>, StoreError> { todo!() }
    /// Whether a node other than `node` was alive at or after `since`, with its revision.
    pub async fn others_alive(&self, node: &str, since: Timestamp) -> Result<Vec<(String, String)>, StoreError> { todo!() }
    /// The last instant that anything in the database speaks of (stamps, attempts, journal): where a simulated clock goes on.
    pub async fn last_instant(&self) -> Result<Option<Timestamp>, StoreError> { todo!() }

    // --- journal and reading

    /// Appends a line to the journal.
    pub async fn journal(&self, event: &str, delivery: Option<&DeliveryId>, actor: &str, detail: &str, now: Timestamp) -> Result<(), StoreError> { todo!() }
    /// The newest journal lines, newest first; of one delivery when given.
    pub async fn journal_rows(&self, delivery: Option<&DeliveryId>, limit: u32) -> Result<Vec<JournalRow>, StoreError> { todo!() }
    /// One delivery.
    pub async fn delivery(&self, id: &DeliveryId) -> Result<Option<DeliveryRow>, StoreError> { todo!() }
    /// Its attempts, oldest first.
    pub async fn attempts(&self, id: &DeliveryId) -> Result<Vec<AttemptRow>, StoreError> { todo!() }
    /// A page of deliveries after `after`, at most `limit`, by (due, id).
    pub async fn log(&self, filter: &LogFilter, order: Order, after: Option<&PageKey>, limit: u32) -> Result<Vec<DeliveryRow>, StoreError> { todo!() }
    /// Deliveries changed at or after `since` (by `updated`), oldest change first, at most `limit`: for following.
    pub async fn changed_since(&self, since: Timestamp, limit: u32) -> Result<Vec<DeliveryRow>, StoreError> { todo!() }
    /// The accounting equation over `[from, until)`; `occurrences` is counted by a statement of its own.
    pub async fn account(&self, filter: &LogFilter) -> Result<Account, StoreError> { todo!() }
    /// Deliveries in `filter` whose rows contradict themselves, with the contradiction's name (see `sql.rs`): accepted
    /// without an accepted attempt, failed without attempt or reason, ended without a reason, sending without a lease,
    /// attempt count that differs from the attempts on record, content missing.
    pub async fn contradictions(&self, filter: &LogFilter) -> Result<Vec<(DeliveryId, String)>, StoreError> { todo!() }
    /// The subset of `ids` that is in the store.
    pub async fn known(&self, ids: &[DeliveryId]) -> Result<std::collections::HashSet<DeliveryId>, StoreError> { todo!() }
    /// Changes whenever this process has written something that pages show.
    pub fn pulse(&self) -> tokio::sync::watch::Receiver<u64> { todo!() }
    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> { todo!() }
    /// Closes the pools; on SQLite also checkpoints and lets go of the lock.
    pub async fn close(&self) { todo!() }
}
