//! The dispatcher's turn: outcomes in, claims out, one transaction, statements over whole batches.

mod claim;
mod finish;

use std::collections::HashSet;

use self::{
    claim::{candidates, claim},
    finish::{finish, finish_held},
};
use super::{
    Candidate, Finished, Room, Store, StoreError, Turn,
    batch::json,
    link::{Cells, Purpose, execute, rows},
    pause,
    row::{delivery_id, parsed},
    sql,
};
use crate::domain::{
    delivery::Reason,
    id::DeliveryId,
    message::{Content, ContentHash},
    time::Timestamp,
};

impl Store {
    /// Has what is held just before its call for `reason`, until a contact is verified again or an account authorised, looked at
    /// now.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn release(&self, reason: Reason, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, sql::deliver::RELEASE, now.as_micros(), reason.as_str())?;
        tx.commit().await
    }

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
        if finished.is_empty() && room.is_none() {
            return Ok(Turn::default());
        }
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let mut lost = Vec::new();
        if !finished.is_empty() && !finish(&mut tx, node, now, finished).await? {
            tx.rollback().await?;
            tx = self.pools.begin(Purpose::Write).await?;
            lost = finish_held(&mut tx, node, now, finished).await?;
        }
        let cut_off = finished.iter().filter(|end| end.cut_off);
        let cut_off: Vec<&str> = cut_off.map(|end| end.id.as_str()).collect();
        if !cut_off.is_empty() {
            execute!(tx, sql::deliver::CUT_OFF, json(&cut_off))?;
        }
        let paused = match room.topics {
            Some(topics) if !room.is_none() => pause::end_in_turn(&mut tx, topics, now).await?,
            _ => Vec::new(),
        };
        let chosen = if room.is_none() {
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
        rows!(reader, sql::deliver::CONTENTS, [list], |row| content(row))
    }
}

/// A row of [`sql::deliver::CONTENTS`].
pub(super) fn content(row: &impl Cells) -> Result<(ContentHash, Content), StoreError> {
    let hash = row.text(0)?;
    let content = parsed(
        row.text(1)?,
        |text| Content::from_json(text).ok_or(()),
        "content",
        "json",
        hash,
    )?;
    Ok((ContentHash::from_store(hash), content))
}
