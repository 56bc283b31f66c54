//! What a dispatcher asks besides its turn: what may be playing, and when to look again.

use std::time::Duration;

use super::{
    Store, StoreError,
    batch::json,
    link::{Cells as _, rows},
    row::{delivery_id, first_instant, parsed},
    sql,
};
use crate::domain::{
    id::{ChannelId, DeliveryId},
    message::Playing,
    time::Timestamp,
};

impl Store {
    /// What may still be playing at `now` where `deliveries` go and gives way to them, by channel; what was taken last comes last.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn playing(
        &self,
        deliveries: &[&DeliveryId],
        now: Timestamp,
    ) -> Result<Vec<(ChannelId, Playing)>, StoreError> {
        let list = json(&deliveries.iter().map(|id| id.as_str()).collect::<Vec<_>>());
        let since = (now - Duration::from_hours(24)).as_micros();
        let mut reader = self.pools.reader().await?;
        rows!(
            reader,
            sql::deliver::PLAYING,
            [list, since, now.as_micros()],
            |row| {
                let id = row.text(0)?;
                let channel = parsed(row.text(1)?, ChannelId::parse, "delivery", "channel", id)?;
                let playing = Playing {
                    delivery: delivery_id(id),
                    receipt: row.text_or_null(2)?.map(str::to_owned),
                };
                Ok((channel, playing))
            }
        )
    }

    /// The earliest instant after which something may be claimable: the least `next_at` of those ready deliveries that
    /// lead their channels (no earlier one is unfinished, none is being sent).
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn next_ready(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, sql::deliver::NEXT_READY, [], |row| row
            .integer_or_null(0))?;
        Ok(first_instant(found))
    }

    /// How many deliveries are ready and due at `now`, and not being sent.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn due(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, sql::deliver::DUE, [now.as_micros()], |row| row
            .integer(0))?;
        Ok(found
            .first()
            .and_then(|count| u64::try_from(*count).ok())
            .unwrap_or(0))
    }

    /// The least instant after `now` from which a delivery is ready, whether or not its channel will be free then.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn next_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, sql::deliver::NEXT_AFTER, [now.as_micros()], |row| {
            row.integer_or_null(0)
        })?;
        Ok(first_instant(found))
    }
}
