//! Liveness: which daemons work on this database, and when something last happened in it.

use super::{
    Store, StoreError,
    link::{Cells as _, Purpose, execute, rows},
    row::first_instant,
    sql,
};
use crate::domain::time::Timestamp;

impl Store {
    /// Writes the liveness stamp of `node` (and, by the way, its revision).
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn beat(&self, node: &str, revision: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, sql::read::BEAT, node, revision, now.as_micros())?;
        tx.commit().await
    }

    /// The newest liveness stamp of any node.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn last_alive(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, sql::read::LAST_ALIVE, [], |row| row
            .integer_or_null(0))?;
        Ok(first_instant(found))
    }

    /// The nodes other than `node` that were alive at or after `since`, with their revisions, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn others_alive(
        &self,
        node: &str,
        since: Timestamp,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let mut reader = self.pools.reader().await?;
        rows!(
            reader,
            sql::read::OTHERS_ALIVE,
            [node, since.as_micros()],
            |row| { Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())) }
        )
    }

    /// The last instant that anything in the database speaks of (stamps, attempts, journal): where a simulated clock
    /// goes on.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn last_instant(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, sql::read::LAST_INSTANT, [], |row| row
            .integer_or_null(0))?;
        Ok(first_instant(found))
    }
}
