//! Hosts that did not answer, on record: for whoever looks, for what ends meanwhile, and for the next start.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use serde::Serialize;

use super::{
    ALIVE, Store, StoreError,
    batch::{clean, json},
    journal,
    link::{Cells, Purpose, execute, rows},
    row::{Behind, DeliveryRow, LeftAlone, count, delivery_id, parsed},
    sql::health as statement,
};
use crate::domain::{
    breaker::Open,
    delivery::{Reason, State},
    id::{ChannelId, DeliveryId},
    time::Timestamp,
};

/// How a host is, as one node knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostHealth {
    /// The host, with its port where one is written.
    pub host: String,
    /// The node that knows it.
    pub node: String,
    /// Since when it is so.
    pub since: Timestamp,
    /// How it is left alone; `None` when it answers again.
    pub open: Option<Open>,
    /// Why the last call before that got no answer.
    pub reason: Reason,
}

/// What is to be written down of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthNews {
    /// The host.
    pub host: String,
    /// Since when it is as it is.
    pub since: Timestamp,
    /// How it is left alone; `None` when it answers again.
    pub open: Option<Open>,
    /// Why the last call got no answer.
    pub reason: Reason,
    /// What is said of deliveries that end without having been tried.
    pub detail: String,
    /// The journal's event, unless it only goes on as it was.
    pub event: Option<&'static str>,
}

/// A screen as one row of a batch.
#[derive(Serialize)]
struct SeenRow<'a> {
    channel: &'a str,
    seen_us: i64,
}

/// A host as one row of a batch.
#[derive(Serialize)]
struct Row<'a> {
    host: Cow<'a, str>,
    since_us: i64,
    until_us: Option<i64>,
    rounds: u32,
    reason: &'static str,
    detail: Cow<'a, str>,
}

/// Where a channel is, as one row of a batch.
#[derive(Serialize)]
struct HostRow<'a> {
    channel: &'a str,
    host: Cow<'a, str>,
}

impl Store {
    /// Writes down what `node` has found, in the order in which it did, and the lines of the journal that follow from it.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn note_health(
        &self,
        news: &[HealthNews],
        node: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let latest: BTreeMap<&str, &HealthNews> =
            news.iter().map(|one| (one.host.as_str(), one)).collect();
        let batch: Vec<Row<'_>> = latest
            .into_values()
            .map(|one| Row {
                host: clean(&one.host),
                since_us: one.since.as_micros(),
                until_us: one.open.map(|open| open.until.as_micros()),
                rounds: one.open.map_or(0, |open| open.rounds),
                reason: one.reason.as_str(),
                detail: clean(&one.detail),
            })
            .collect();
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, statement::HEALTH_SET, json(&batch), node)?;
        for one in news {
            if let Some(event) = one.event {
                let detail = format!("{}: {}", one.host, one.reason.as_str());
                journal::append_one(&mut tx, event, None, node, &detail, now).await?;
            }
        }
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// Takes over what nodes knew of hosts that have not been heard of since `since` (all others, when `alone`). Gives all that
    /// `node` knows then.
    ///
    /// # Errors
    /// [`StoreError::Query`], [`StoreError::DiskFull`] or [`StoreError::Corrupt`].
    pub async fn inherit_health(
        &self,
        node: &str,
        alone: bool,
        since: Timestamp,
    ) -> Result<Vec<HostHealth>, StoreError> {
        let binds = (i64::from(alone), since.as_micros());
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, statement::HEALTH_TAKE, node, binds.0, binds.1)?;
        execute!(tx, statement::HEALTH_DROP, node, binds.0, binds.1)?;
        let known = rows!(tx, statement::HEALTH_OF, [node], |row| read(row))?;
        tx.commit().await?;
        Ok(known)
    }

    /// How hosts are that ever failed to answer, as nodes know it that have been heard of since `since`; by host.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn health(&self, since: Timestamp) -> Result<Vec<HostHealth>, StoreError> {
        let mut reader = self.pools.reader().await?;
        rows!(reader, statement::HEALTH, [since.as_micros()], |row| read(
            row
        ))
    }

    /// Writes down when counter screens last said what they show.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn note_screens(
        &self,
        seen: &[(ChannelId, Timestamp)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if seen.is_empty() {
            return Ok(());
        }
        let batch: Vec<SeenRow<'_>> = seen
            .iter()
            .map(|(channel, at)| SeenRow {
                channel: channel.as_str(),
                seen_us: at.as_micros(),
            })
            .collect();
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, statement::SCREENS_SEEN, json(&batch), now.as_micros())?;
        tx.commit().await
    }

    /// When counter screens last said what they show, by channel.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn screens_seen(&self) -> Result<BTreeMap<ChannelId, Timestamp>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, statement::SCREENS, [], |row| {
            let id = row.text(0)?;
            let channel = parsed(id, ChannelId::parse, "screen", "channel", id)?;
            Ok((channel, Timestamp::from_micros(row.integer(1)?)))
        })?;
        Ok(found.into_iter().collect())
    }

    /// Which of these deliveries wait for a host that is left alone, and how it is: where several nodes leave it alone, the one that
    /// tries it first.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub(super) async fn left_alone<'i>(
        &self,
        waiting: impl Iterator<Item = &'i DeliveryId>,
    ) -> Result<HashMap<DeliveryId, LeftAlone>, StoreError> {
        let ids: Vec<&str> = waiting.map(DeliveryId::as_str).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let lasts = i64::try_from(ALIVE.as_micros()).unwrap_or(i64::MAX);
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, statement::LEFT_ALONE, [json(&ids), lasts], |row| {
            let id = row.text(0)?;
            let alone = LeftAlone {
                since: Timestamp::from_micros(row.integer(1)?),
                until: Timestamp::from_micros(row.integer(2)?),
                reason: reason(row.text(3)?, id)?,
            };
            Ok((delivery_id(id), alone))
        })?;
        // The earliest trial comes first, and is put in last.
        Ok(found.into_iter().rev().collect())
    }

    /// Lets rows that wait know how their hosts are left alone.
    pub(super) async fn with_hosts(
        &self,
        mut rows: Vec<DeliveryRow>,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let waiting = rows.iter().filter(|row| row.state == State::Ready);
        let alone = self.left_alone(waiting.map(|row| &row.id)).await?;
        let waiting = rows.iter().filter(|row| row.state == State::Ready);
        let mut behind = self.behind(waiting.map(|row| &row.id)).await?;
        for row in &mut rows {
            row.left_alone = alone.get(&row.id).copied();
            row.behind = behind.remove(&row.id);
        }
        Ok(rows)
    }

    /// Which of these deliveries wait for another one of their channel, and for which: the one that is being sent, else the first.
    async fn behind<'i>(
        &self,
        waiting: impl Iterator<Item = &'i DeliveryId>,
    ) -> Result<HashMap<DeliveryId, Behind>, StoreError> {
        let ids: Vec<&str> = waiting.map(DeliveryId::as_str).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, statement::BEHIND, [json(&ids)], |row| {
            let before = Behind {
                id: delivery_id(row.text(1)?),
                due: Timestamp::from_micros(row.integer(2)?),
                is_sending: row.flag(3)?,
            };
            Ok((delivery_id(row.text(0)?), before))
        })?;
        // What comes first is put in last.
        Ok(found.into_iter().rev().collect())
    }

    /// Tells deliveries that wait where their channel is now: a host that is left alone is no reason to wait for another one. Says how many
    /// have another host than before.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn move_hosts<'h>(
        &self,
        hosts: impl Iterator<Item = (&'h ChannelId, &'h str)>,
    ) -> Result<u64, StoreError> {
        let batch: Vec<HostRow<'_>> = hosts
            .map(|(channel, host)| HostRow {
                channel: channel.as_str(),
                host: clean(host),
            })
            .collect();
        if batch.is_empty() {
            return Ok(0);
        }
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let moved = execute!(tx, statement::HOSTS_MOVE, json(&batch))?;
        tx.commit().await?;
        if moved > 0 {
            self.changed();
        }
        Ok(moved)
    }
}

fn reason(word: &str, of: &str) -> Result<Reason, StoreError> {
    Reason::parse(word).ok_or_else(|| StoreError::corrupt("health", "reason", of))
}

fn read(row: &impl Cells) -> Result<HostHealth, StoreError> {
    let host = row.text(0)?;
    let since = Timestamp::from_micros(row.integer(2)?);
    let open = match row.integer_or_null(3)? {
        None => None,
        Some(until) => Some(Open {
            since,
            until: Timestamp::from_micros(until),
            rounds: count(row.integer(4)?, "health", "rounds", host)?,
        }),
    };
    Ok(HostHealth {
        host: host.to_owned(),
        node: row.text(1)?.to_owned(),
        since,
        open,
        reason: reason(row.text(5)?, host)?,
    })
}
