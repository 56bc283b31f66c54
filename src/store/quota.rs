//! What remains of accounts' quotas, as it was last read, and what of the plan goes beyond it.

use chrono::NaiveDate;

use super::{
    Store, StoreError,
    batch::clean,
    link::{Cells as _, Purpose, execute, rows},
    sql::account as statement,
};
use crate::domain::{
    id::{AccountId, ChannelId},
    quota::{self, Over, Remaining},
    time::Timestamp,
    workspace::Workspace,
};

/// How days are written.
const DAY: &str = "%Y-%m-%d";

impl Store {
    /// Puts on record what remains, in place of what was read before.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn note_remaining(&self, read: &Remaining) -> Result<(), StoreError> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let product = clean(&read.product);
        let until = read.until.map(|day| day.format(DAY).to_string());
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(
            tx,
            statement::QUOTA_SET,
            read.account.as_str(),
            product.as_ref(),
            number(read.remain),
            read.total.map(number),
            until.as_deref(),
            read.read.as_micros()
        )?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// What remained of every quota that was ever read, by account and product.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn remaining(&self) -> Result<Vec<Remaining>, StoreError> {
        let mut reader = self.pools.reader().await?;
        rows!(reader, statement::QUOTAS, [], |row| {
            let account = row.text(0)?;
            let corrupt = |column| StoreError::corrupt("quota", column, account);
            let number = |number: i64, column| u64::try_from(number).map_err(|_| corrupt(column));
            let until = row
                .text_or_null(4)?
                .map(|day| NaiveDate::parse_from_str(day, DAY).map_err(|_| corrupt("until_day")));
            Ok(Remaining {
                account: AccountId::from_store(account),
                product: row.text(1)?.to_owned(),
                remain: number(row.integer(2)?, "remain")?,
                total: row
                    .integer_or_null(3)?
                    .map(|total| number(total, "total"))
                    .transpose()?,
                until: until.transpose()?,
                read: Timestamp::from_micros(row.integer(5)?),
            })
        })
    }

    /// What of the plan of `workspace` from `now` to `until` goes beyond what remains, in order.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn over_quota(
        &self,
        workspace: &Workspace,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Over>, StoreError> {
        let metered = workspace.channels.values();
        let metered = metered.filter(|channel| channel.meter().is_some());
        let channels: Vec<ChannelId> = metered.map(|channel| channel.id.clone()).collect();
        if channels.is_empty() {
            return Ok(Vec::new());
        }
        let remaining = self.remaining().await?;
        let Some(first) = remaining.iter().map(|one| one.read).min() else {
            return Ok(Vec::new());
        };
        let sent = self
            .sent_on(&channels, first, now, &workspace.revision)
            .await?;
        Ok(quota::over(workspace, &remaining, &sent, (now, until)))
    }
}
