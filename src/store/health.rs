//! Hosts that did not answer, on record: for whoever looks, for what ends meanwhile, and for the next start.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;

use super::{
    Store, StoreError,
    batch::{clean, json},
    journal,
    link::{Cells, Purpose, execute, rows},
    row::count,
    sql::health as statement,
};
use crate::domain::{breaker::Open, delivery::Reason, time::Timestamp};

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
        reason: Reason::parse(row.text(5)?)
            .ok_or_else(|| StoreError::corrupt("health", "reason", host))?,
    })
}
