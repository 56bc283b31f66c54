//! Notes that adapters put on record between the calls of an attempt: how far it came, and what the channel has of a bulletin.

use std::collections::BTreeSet;

use super::{
    Store, StoreError,
    batch::clean,
    link::{Cells as _, Purpose, execute, rows},
    sql::progress as statement,
};
use crate::domain::{
    delivery::Outcome,
    id::DeliveryId,
    message::{Holds, Note, Noted},
    time::Timestamp,
};

/// What is on record for a delivery's adapter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// The last note of its own.
    pub noted: Option<Noted>,
    /// What the channel calls what it has of the same bulletin, as the last other delivery left it; its last note where it did not say
    /// and the call after it may have gone through.
    pub holds: Option<String>,
    /// What other bulletins and channels have on record, where there is a note of this one's own; the newest.
    pub others: BTreeSet<String>,
}

impl Store {
    /// Puts a note on record before a call is made. `false` where the delivery is not `node`'s at that attempt any more; then the
    /// call must not be made.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn note(
        &self,
        id: &DeliveryId,
        node: &str,
        attempt: u32,
        note: &Note,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let text = clean(&note.text);
        let (holds, is_same) = match &note.holds {
            Holds::Same => (None, true),
            Holds::Nothing => (None, false),
            Holds::This(text) => (Some(clean(text)), false),
        };
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let written = execute!(
            tx,
            statement::PROGRESS_SET,
            id.as_str(),
            node,
            i64::from(attempt),
            text.as_ref(),
            holds.as_deref(),
            now.as_micros(),
            i64::from(is_same)
        )?;
        tx.commit().await?;
        Ok(written > 0)
    }

    /// What is on record for the adapter of a delivery.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn progress(&self, id: &DeliveryId) -> Result<Progress, StoreError> {
        let mut reader = self.pools.reader().await?;
        let noted = rows!(reader, statement::PROGRESS_OF, [id.as_str()], |row| {
            let outcome = match row.text_or_null(2)? {
                None => None,
                Some(word) => Some(
                    Outcome::parse(word)
                        .ok_or_else(|| StoreError::corrupt("attempt", "outcome", id.as_str()))?,
                ),
            };
            Ok(Noted {
                text: row.text(0)?.to_owned(),
                at: Timestamp::from_micros(row.integer(1)?),
                came_to_nothing: matches!(outcome, Some(Outcome::Retry | Outcome::Rejected)),
            })
        })?;
        let holds = rows!(reader, statement::PROGRESS_HELD, [id.as_str()], |row| row
            .text(0)
            .map(str::to_owned))?;
        let others = if noted.is_empty() {
            Vec::new()
        } else {
            rows!(reader, statement::PROGRESS_OTHERS, [id.as_str()], |row| row
                .text(0)
                .map(str::to_owned))?
        };
        Ok(Progress {
            noted: noted.into_iter().next(),
            holds: holds.into_iter().next(),
            others: others.into_iter().collect(),
        })
    }
}
