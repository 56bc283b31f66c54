//! The journal: appended to, never changed. The database itself refuses anything else.

use super::{
    Store, StoreError,
    batch::{Line, clean, json},
    link::{Purpose, Tx, execute, rows},
    row::{JournalRow, delivery_id},
    sql,
};
use crate::domain::{id::DeliveryId, time::Timestamp};

/// Who acts when neither a person nor a particular node does.
pub(super) const ACTOR: &str = "loa";

/// Lines a statement takes.
const CHUNK: usize = 5_000;

/// Appends one line for each delivery, all with the same event and detail.
pub(super) async fn append(
    tx: &mut Tx,
    deliveries: &[DeliveryId],
    event: &str,
    detail: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let lines: Vec<Line<'_>> = deliveries
        .iter()
        .map(|id| Line {
            delivery_id: id.as_str(),
            event,
            detail: detail.into(),
        })
        .collect();
    append_lines(tx, &lines, ACTOR, now).await
}

/// Appends lines.
pub(super) async fn append_lines(
    tx: &mut Tx,
    lines: &[Line<'_>],
    actor: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for chunk in lines.chunks(CHUNK) {
        execute!(
            *tx,
            sql::deliver::JOURNAL_BATCH,
            json(chunk),
            actor,
            now.as_micros()
        )?;
    }
    Ok(())
}

/// Appends one line.
pub(super) async fn append_one(
    tx: &mut Tx,
    event: &str,
    delivery: Option<&DeliveryId>,
    actor: &str,
    detail: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (actor, detail) = (clean(actor), clean(detail));
    execute!(
        *tx,
        sql::read::JOURNAL_INSERT,
        now.as_micros(),
        event,
        delivery.map(DeliveryId::as_str),
        actor.as_ref(),
        detail.as_ref()
    )?;
    Ok(())
}

/// A reason and what it leaves out, as the journal's detail.
pub(super) fn why(reason: &str, detail: &str) -> String {
    if detail.is_empty() {
        reason.to_owned()
    } else {
        format!("{reason}: {detail}")
    }
}

impl Store {
    /// Appends a line to the journal.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn journal(
        &self,
        event: &str,
        delivery: Option<&DeliveryId>,
        actor: &str,
        detail: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        append_one(&mut tx, event, delivery, actor, detail, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// The newest journal lines, newest first; of one delivery when given.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn journal_rows(
        &self,
        delivery: Option<&DeliveryId>,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let limit = i64::from(limit);
        match delivery {
            None => rows!(reader, sql::read::JOURNAL_ROWS, [limit], |row| read(row)),
            Some(id) => rows!(
                reader,
                sql::read::JOURNAL_ROWS_OF,
                [limit, id.as_str()],
                |row| read(row)
            ),
        }
    }

    /// The newest journal lines of one event, newest first.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn journal_of(&self, event: &str, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let limit = i64::from(limit);
        rows!(
            reader,
            sql::read::JOURNAL_ROWS_LIKE,
            [limit, event],
            |row| read(row)
        )
    }
}

fn read(row: &impl super::link::Cells) -> Result<JournalRow, StoreError> {
    Ok(JournalRow {
        number: row.integer(0)?,
        at: Timestamp::from_micros(row.integer(1)?),
        event: row.text(2)?.to_owned(),
        delivery: row.text_or_null(3)?.map(delivery_id),
        actor: row.text(4)?.to_owned(),
        detail: row.text(5)?.to_owned(),
    })
}
