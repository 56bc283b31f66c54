//! Reading: one delivery, pages of the log, what changed, the accounts, and what contradicts itself.

use std::collections::HashSet;

use super::{
    LogFilter, Order, PageKey, Store, StoreError,
    batch::json,
    link::{Cells as _, Purpose, rows},
    row::{AttemptRow, DeliveryRow, attempt, delivery, delivery_id},
    sql::{self, Statement, read as statement},
};
use crate::domain::{
    delivery::{Account, Reason, State},
    id::{ChannelId, DeliveryId, ScheduleId, WardId},
    time::Timestamp,
};

/// Contradictions that are listed at once; there should be none.
const CONTRADICTIONS: i64 = 1_000;

/// A text after every id.
const LAST: &str = "\u{10ffff}";

/// A filter's parameters `$1` to `$6`.
struct Binds<'a> {
    ward: Option<&'a str>,
    channel: Option<&'a str>,
    schedule: Option<&'a str>,
    state: Option<&'static str>,
    since: i64,
    until: i64,
}

impl LogFilter {
    fn binds(&self) -> Binds<'_> {
        Binds {
            ward: self.ward.as_ref().map(WardId::as_str),
            channel: self.channel.as_ref().map(ChannelId::as_str),
            schedule: self.schedule.as_ref().map(ScheduleId::as_str),
            state: self.state.map(State::as_str),
            since: self.since.map_or(i64::MIN, Timestamp::as_micros),
            until: self.until.map_or(i64::MAX, Timestamp::as_micros),
        }
    }

    /// The text that leads to the index of the narrowest filter given: schedule, channel, ward, none.
    fn pick(&self, [any, ward, channel, schedule]: [Statement; 4]) -> Statement {
        match self {
            Self {
                schedule: Some(_), ..
            } => schedule,
            Self {
                channel: Some(_), ..
            } => channel,
            Self { ward: Some(_), .. } => ward,
            _ => any,
        }
    }
}

impl Store {
    /// One delivery.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn delivery(&self, id: &DeliveryId) -> Result<Option<DeliveryRow>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, statement::DELIVERY, [id.as_str()], |row| delivery(
            row
        ))?;
        drop(reader);
        Ok(self.with_hosts(found).await?.pop())
    }

    /// What is held until a contact is verified again, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn held(&self) -> Result<Vec<DeliveryRow>, StoreError> {
        let mut reader = self.pools.reader().await?;
        rows!(reader, statement::HELD, [], |row| delivery(row))
    }

    /// Its attempts, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn attempts(&self, id: &DeliveryId) -> Result<Vec<AttemptRow>, StoreError> {
        let mut reader = self.pools.reader().await?;
        rows!(reader, statement::ATTEMPTS, [id.as_str()], |row| attempt(
            row, id
        ))
    }

    /// Whether there is any delivery of this sort.
    ///
    /// # Errors
    /// As [`Store::log`].
    pub async fn has_any(&self, filter: &LogFilter) -> Result<bool, StoreError> {
        let rows = self.log(filter, Order::NewestFirst, None, 1).await?;
        Ok(!rows.is_empty())
    }

    /// A page of deliveries after `after`, at most `limit`, by (due, id).
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn log(
        &self,
        filter: &LogFilter,
        order: Order,
        after: Option<&PageKey>,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        use sql::read as s;
        let (texts, first) = match order {
            Order::OldestFirst => (
                [
                    s::LOG_OLDEST,
                    s::LOG_OLDEST_WARD,
                    s::LOG_OLDEST_CHANNEL,
                    s::LOG_OLDEST_SCHEDULE,
                ],
                (i64::MIN, ""),
            ),
            Order::NewestFirst => (
                [
                    s::LOG_NEWEST,
                    s::LOG_NEWEST_WARD,
                    s::LOG_NEWEST_CHANNEL,
                    s::LOG_NEWEST_SCHEDULE,
                ],
                (i64::MAX, LAST),
            ),
        };
        let (due, id) = after.map_or(first, |key| (key.due.as_micros(), key.id.as_str()));
        let (b, limit) = (filter.binds(), i64::from(limit));
        let mut reader = self.pools.reader().await?;
        let statement = filter.pick(texts);
        let found = rows!(
            reader,
            statement,
            [
                b.ward, b.channel, b.schedule, b.state, b.since, b.until, due, id, limit
            ],
            |row| { delivery(row) }
        )?;
        drop(reader);
        self.with_hosts(found).await
    }

    /// Deliveries changed at or after `since` (by `updated`), oldest change first, at most `limit`: for following. Those
    /// of the instant `since` itself begin after the id `after`, where one is given: the next page of a full one.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn changed_since(
        &self,
        since: Timestamp,
        after: Option<&DeliveryId>,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let after = after.map_or("", DeliveryId::as_str);
        let binds = (since.as_micros(), i64::from(limit));
        let found = rows!(
            reader,
            statement::CHANGED_SINCE,
            [binds.0, after, binds.1],
            |row| delivery(row)
        )?;
        drop(reader);
        self.with_hosts(found).await
    }

    /// The accounting equation over the deliveries in `filter`; `occurrences` is counted by a statement of its own, at
    /// the same moment.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn account(&self, filter: &LogFilter) -> Result<Account, StoreError> {
        use sql::read as s;
        let b = filter.binds();
        let mut reader = self.pools.reader().await?;
        let statement = filter.pick([
            s::ACCOUNT,
            s::ACCOUNT_WARD,
            s::ACCOUNT_CHANNEL,
            s::ACCOUNT_SCHEDULE,
        ]);
        let counts = rows!(
            reader,
            statement,
            [b.ward, b.channel, b.schedule, b.state, b.since, b.until],
            |row| {
                Ok((
                    row.text(0)?.to_owned(),
                    u64::try_from(row.integer(1)?).unwrap_or_default(),
                ))
            }
        )?;
        let mut account = Account::default();
        for (word, count) in counts {
            match State::parse(&word) {
                Some(state) => account.add(state, count),
                None if word == "occurrences" => account.occurrences = count,
                None if word == Reason::Offered.as_str() => account.add_offered(count),
                None => return Err(StoreError::corrupt("delivery", "state", &word)),
            }
        }
        Ok(account)
    }

    /// Deliveries in `filter` whose rows contradict themselves, with the contradiction's name (see `sql/read.rs`):
    /// accepted without an accepted attempt, failed for a reason that only an attempt gives without one, ended without a
    /// reason, sending without a lease, ready without an instant, attempt count that differs from the attempts on
    /// record, content missing. By (due, id), the first 1,000.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn contradictions(
        &self,
        filter: &LogFilter,
    ) -> Result<Vec<(DeliveryId, String)>, StoreError> {
        use sql::read as s;
        let b = filter.binds();
        let mut tx = self.pools.begin(Purpose::Snapshot).await?;
        let texts = [
            s::CONTRADICTIONS,
            s::CONTRADICTIONS_WARD,
            s::CONTRADICTIONS_CHANNEL,
            s::CONTRADICTIONS_SCHEDULE,
        ];
        let statement = filter.pick(texts);
        rows!(
            tx,
            statement,
            [
                b.ward,
                b.channel,
                b.schedule,
                b.state,
                b.since,
                b.until,
                CONTRADICTIONS
            ],
            |row| { Ok((delivery_id(row.text(0)?), row.text(1)?.to_owned())) }
        )
    }

    /// The subset of `ids` that is in the store.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn known(&self, ids: &[DeliveryId]) -> Result<HashSet<DeliveryId>, StoreError> {
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let list = json(&ids.iter().map(DeliveryId::as_str).collect::<Vec<_>>());
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, statement::KNOWN, [list], |row| row
            .text(0)
            .map(delivery_id))?;
        Ok(found.into_iter().collect())
    }
}
