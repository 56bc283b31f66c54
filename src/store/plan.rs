//! Planning: what is to be sent, and taking back what an edit removed.
//!
//! Idempotent: planning the same deliveries again, here or on another node, changes nothing.

use serde::Serialize;

use super::{
    Planned, Store, StoreError,
    batch::{clean, clean_option, json, micros},
    journal::{self, ACTOR},
    link::{Cells as _, Purpose, execute, rows},
    sql,
};
use crate::domain::{
    id::{BulletinId, DeliveryId, TopicId},
    plan::PlannedDelivery,
    time::Timestamp,
};

/// Deliveries a transaction takes. Somebody who waits for the writer waits some milliseconds.
const CHUNK: usize = 2_000;

/// A delivery as one row of a batch.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    delivery_id: &'a str,
    schedule: &'a str,
    bulletin: Option<&'a str>,
    topic: Option<&'a str>,
    ward: &'a str,
    ward_name: std::borrow::Cow<'a, str>,
    channel: &'a str,
    channel_name: std::borrow::Cow<'a, str>,
    kind: &'static str,
    format: &'static str,
    mode: &'static str,
    priority: &'static str,
    scheduled_us: i64,
    part: u16,
    due_us: i64,
    deadline_us: i64,
    latest_us: Option<i64>,
    late: bool,
    length_us: Option<i64>,
    over_us: Option<i64>,
    over_reason: Option<&'static str>,
    over_detail: Option<std::borrow::Cow<'a, str>>,
    skip: Option<&'static str>,
    skip_detail: Option<std::borrow::Cow<'a, str>>,
}

impl Row<'_> {
    /// Whether the plan skips it.
    pub(super) fn is_skipped(&self) -> bool {
        self.skip.is_some()
    }
}

impl<'a> From<&'a PlannedDelivery> for Row<'a> {
    fn from(delivery: &'a PlannedDelivery) -> Self {
        let over = delivery.limit.as_ref();
        Self {
            delivery_id: delivery.id.as_str(),
            schedule: delivery.schedule.as_str(),
            bulletin: delivery.bulletin.as_ref().map(BulletinId::as_str),
            topic: delivery.topic.as_ref().map(TopicId::as_str),
            ward: delivery.ward.as_str(),
            ward_name: clean(&delivery.ward_name),
            channel: delivery.channel.as_str(),
            channel_name: clean(&delivery.channel_name),
            kind: delivery.kind.as_str(),
            format: delivery.format.as_str(),
            mode: delivery.mode.as_str(),
            priority: delivery.priority.as_str(),
            scheduled_us: delivery.scheduled.as_micros(),
            part: delivery.part,
            due_us: delivery.due.as_micros(),
            deadline_us: delivery.deadline.as_micros(),
            latest_us: delivery.latest.map(Timestamp::as_micros),
            late: delivery.late,
            length_us: delivery.length.map(micros),
            over_us: over.map(|limit| limit.over.as_micros()),
            over_reason: over.map(|limit| limit.why.reason.as_str()),
            over_detail: over.and_then(|limit| clean_option(limit.why.detail.as_deref())),
            skip: delivery.skip.as_ref().map(|why| why.reason.as_str()),
            skip_detail: delivery
                .skip
                .as_ref()
                .and_then(|why| clean_option(why.detail.as_deref())),
        }
    }
}

impl Store {
    /// Inserts deliveries, in as few statements as possible. A delivery that is already there and has not begun takes
    /// over what the new revision says (and is frozen again if it was); one that an edit had superseded comes back if it
    /// is not yet due, and so does one that the plan itself had skipped and does not skip any more. What the plan skips is
    /// stored as skipped at once, with the reason.
    ///
    /// Of deliveries that differ in nothing but the revision nothing is counted, but they are frozen again too: their
    /// words may have changed.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`]; some chunks may be stored then, and planning again is right.
    pub async fn plan(
        &self,
        batch: &[PlannedDelivery],
        revision: &str,
        now: Timestamp,
    ) -> Result<Planned, StoreError> {
        let mut planned = Planned::default();
        // In the order in which they will be claimed, so that a turn finds its rows side by side.
        let mut batch: Vec<&PlannedDelivery> = batch.iter().collect();
        batch.sort_unstable_by_key(|delivery| (delivery.due, &delivery.id));
        for chunk in batch.chunks(CHUNK) {
            let rows: Vec<Row<'_>> = chunk.iter().copied().map(Row::from).collect();
            let rows_json = json(&rows);
            let now_us = now.as_micros();
            let mut tx = self.pools.begin(Purpose::Write).await?;
            let inserted = execute!(
                tx,
                sql::plan::PLAN_INSERT,
                rows_json.as_str(),
                revision,
                now_us
            )?;
            planned.inserted += inserted;
            if inserted < rows.len() as u64 {
                planned.changed += execute!(
                    tx,
                    sql::plan::PLAN_CHANGE,
                    rows_json.as_str(),
                    revision,
                    now_us
                )?;
                execute!(
                    tx,
                    sql::plan::PLAN_REVISION,
                    rows_json.as_str(),
                    revision,
                    now_us
                )?;
            }
            let skipped: Vec<&Row<'_>> = rows.iter().filter(|row| row.is_skipped()).collect();
            if !skipped.is_empty() {
                execute!(tx, sql::plan::PLAN_JOURNAL, json(&skipped), ACTOR, now_us)?;
            }
            tx.commit().await?;
        }
        if planned != Planned::default() {
            self.changed();
        }
        Ok(planned)
    }

    /// Deliveries of schedules (not those by hand) due in `[from, until)` that have not begun and were not planned under
    /// `revision` become skipped (superseded). Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn supersede(
        &self,
        from: Timestamp,
        until: Timestamp,
        revision: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let binds = (from.as_micros(), until.as_micros(), now.as_micros());
        let gone = rows!(
            tx,
            sql::plan::SUPERSEDE,
            [binds.0, binds.1, revision, binds.2],
            |row| { row.text(0).map(DeliveryId::from_text) }
        )?;
        journal::append(&mut tx, &gone, "superseded", revision, now).await?;
        tx.commit().await?;
        if !gone.is_empty() {
            self.changed();
        }
        Ok(gone.len() as u64)
    }

    /// Records that `[from, until)` is planned under `revision`. Adjacent runs of one revision are joined.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn record_plan_run(
        &self,
        revision: &str,
        from: Timestamp,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (mut from, mut until) = (from.as_micros(), until.as_micros());
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let joined = rows!(
            tx,
            sql::plan::PLAN_RUN_TAKE,
            [revision, from, until],
            |row| { Ok((row.integer(0)?, row.integer(1)?)) }
        )?;
        for (begin, end) in joined {
            from = from.min(begin);
            until = until.max(end);
        }
        execute!(
            tx,
            sql::plan::PLAN_RUN_INSERT,
            revision,
            from,
            until,
            now.as_micros()
        )?;
        tx.commit().await
    }

    /// The intervals that were planned under `revision`, ascending.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn plan_runs(
        &self,
        revision: &str,
    ) -> Result<Vec<(Timestamp, Timestamp)>, StoreError> {
        let mut reader = self.pools.reader().await?;
        rows!(reader, sql::plan::PLAN_RUNS, [revision], |row| {
            Ok((
                Timestamp::from_micros(row.integer(0)?),
                Timestamp::from_micros(row.integer(1)?),
            ))
        })
    }

    /// The revision in force, and since when.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn revision(&self) -> Result<Option<(String, Timestamp)>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, sql::plan::REVISION, [], |row| {
            Ok((
                row.text(0)?.to_owned(),
                Timestamp::from_micros(row.integer(1)?),
            ))
        })?;
        Ok(found.into_iter().next())
    }

    /// Puts `revision` in force. Does nothing when it is.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn set_revision(&self, revision: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, sql::plan::REVISION_SET, revision, now.as_micros())?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }
}
