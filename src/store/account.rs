//! Accounts that permit us to act, and the tokens by which they do.
//!
//! A pair of tokens is numbered. Whoever writes the next one names the pair that it comes after, so that nothing is written over
//! tokens that came later; and whoever asks for it holds a lease, so that of all nodes one spends the refresh token.

use std::time::Duration;

use super::{
    Store, StoreError,
    batch::clean,
    journal,
    link::{Cells, Purpose, execute, rows},
    sql::account as statement,
};
use crate::domain::{id::AccountId, secret::Secret, time::Timestamp};

/// An account as it is on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Whose tokens.
    pub id: AccountId,
    /// The number of the pair.
    pub pair: i64,
    /// What calls carry.
    pub access: Secret,
    /// What the next pair is had for, once.
    pub refresh: Secret,
    /// When the pair came.
    pub issued: Timestamp,
    /// When the access token ends.
    pub expires: Timestamp,
    /// Who authorised it last.
    pub person: String,
    /// When.
    pub authorised: Timestamp,
    /// Since when the refresh token may have been spent without an answer.
    pub spent: Option<Timestamp>,
    /// Why there is no next pair.
    pub trouble: Option<Trouble>,
    /// Since when calls have been refused, pair after pair, without one being taken in between.
    pub spoilt: Option<Timestamp>,
}

/// Why there is no next pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What happened last, as details are written.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether only a person can change that: the account has to be authorised again.
    pub refused: bool,
    /// When it is tried again.
    pub next: Option<Timestamp>,
}

/// A pair to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPair<'a> {
    /// What calls carry.
    pub access: &'a Secret,
    /// What the next pair is had for.
    pub refresh: &'a Secret,
    /// When it came.
    pub now: Timestamp,
    /// How long the access token lives.
    pub life: Duration,
}

/// Why asking for the next pair came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRenewed<'a> {
    /// What happened, as details are written.
    pub detail: &'a str,
    /// Whether only a person can change that.
    pub refused: bool,
    /// When it is tried again.
    pub next: Timestamp,
    /// Whether the refresh token is certainly still good: nothing was sent, or the answer said so.
    pub unspent: bool,
}

impl Holding {
    /// Whether calls may be made with its access token.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        now < self.expires
    }

    /// From when on the next pair is asked for: when half the life of this one is over, so that there is time to try again.
    #[must_use]
    pub fn half_life(&self) -> Timestamp {
        self.issued + self.expires.since(self.issued) / 2
    }

    /// Whether somebody has to authorise it again.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.refused)
    }
}

impl Store {
    /// What is on record of an account; `None` where nobody has authorised it.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn account_of(&self, id: &AccountId) -> Result<Option<Holding>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, statement::ACCOUNT_OF, [id.as_str()], |row| read(
            row
        ))?;
        Ok(found.into_iter().next())
    }

    /// Puts tokens on record that a person has brought, in place of all that was before.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn authorise(
        &self,
        id: &AccountId,
        pair: &NewPair<'_>,
        person: &str,
    ) -> Result<(), StoreError> {
        let person = clean(person);
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(
            tx,
            statement::ACCOUNT_AUTHORISE,
            id.as_str(),
            pair.access.expose(),
            pair.refresh.expose(),
            pair.now.as_micros(),
            (pair.now + pair.life).as_micros(),
            person.as_ref()
        )?;
        let event = "account-authorised";
        journal::append_one(&mut tx, event, None, &person, id.as_str(), pair.now).await?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// Takes it upon `node` to ask for the pair after `pair`, until `until` in the time of leases. `false` where another node is
    /// about to, or has it already.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn lease_account(
        &self,
        id: &AccountId,
        pair: i64,
        node: &str,
        (lease_now, until): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let taken = execute!(
            tx,
            statement::ACCOUNT_LEASE,
            id.as_str(),
            pair,
            node,
            lease_now.as_micros(),
            until.as_micros(),
            now.as_micros()
        )?;
        tx.commit().await?;
        Ok(taken > 0)
    }

    /// Puts the pair after `before` on record. `false` where another has come since; then this one is of no use.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn renew_account(
        &self,
        id: &AccountId,
        before: i64,
        pair: &NewPair<'_>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let written = execute!(
            tx,
            statement::ACCOUNT_RENEW,
            id.as_str(),
            before,
            pair.access.expose(),
            pair.refresh.expose(),
            pair.now.as_micros(),
            (pair.now + pair.life).as_micros()
        )?;
        tx.commit().await?;
        self.changed();
        Ok(written > 0)
    }

    /// Notes that `node` asked for the pair after `pair` and has none. `news` is whether that it was refused is to be told in the
    /// journal.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn not_renewed(
        &self,
        id: &AccountId,
        pair: i64,
        node: &str,
        why: &NotRenewed<'_>,
        news: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let detail = clean(why.detail);
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let written = execute!(
            tx,
            statement::ACCOUNT_NOT_RENEWED,
            id.as_str(),
            pair,
            node,
            detail.as_ref(),
            now.as_micros(),
            i64::from(why.refused),
            why.next.as_micros(),
            i64::from(why.unspent)
        )?;
        if written > 0 && news {
            let line = format!("{id}: {detail}");
            journal::append_one(&mut tx, "account-refused", None, node, &line, now).await?;
        }
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// Notes that a call with the access token of `pair` is taken.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn account_taken(&self, id: &AccountId, pair: i64) -> Result<(), StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, statement::ACCOUNT_TAKEN, id.as_str(), pair)?;
        tx.commit().await?;
        Ok(())
    }

    /// Notes that calls with the access token of `pair` are refused. With `disowned`, as details are written, the pair came for one
    /// that was refused, and no other is asked for.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn spoil_account(
        &self,
        id: &AccountId,
        pair: i64,
        disowned: Option<&str>,
        node: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        match disowned {
            None => {
                let (id, at) = (id.as_str(), now.as_micros());
                execute!(tx, statement::ACCOUNT_SPOIL, id, pair, at)?;
            }
            Some(detail) => {
                let detail = clean(detail);
                let written = execute!(
                    tx,
                    statement::ACCOUNT_DISOWN,
                    id.as_str(),
                    pair,
                    now.as_micros(),
                    detail.as_ref()
                )?;
                if written > 0 {
                    let line = format!("{id}: {detail}");
                    let event = "account-refused";
                    journal::append_one(&mut tx, event, None, node, &line, now).await?;
                }
            }
        }
        tx.commit().await?;
        self.changed();
        Ok(())
    }
}

fn read(row: &impl Cells) -> Result<Holding, StoreError> {
    let instant = |index| row.integer(index).map(Timestamp::from_micros);
    let instant_or_null = |index| {
        let found = row.integer_or_null(index)?;
        Ok::<_, StoreError>(found.map(Timestamp::from_micros))
    };
    let id = row.text(0)?;
    let secret = |index, column| {
        let text = row.text(index)?;
        // An empty token was never written by us.
        if text.is_empty() {
            return Err(StoreError::corrupt("account", column, id));
        }
        Ok(Secret::new(text.to_owned()))
    };
    let trouble = match (row.text_or_null(9)?, instant_or_null(10)?) {
        (Some(detail), Some(since)) => Some(Trouble {
            detail: detail.to_owned(),
            since,
            refused: row.integer(11)? == 1,
            next: instant_or_null(12)?,
        }),
        _ => None,
    };
    Ok(Holding {
        id: AccountId::from_store(id),
        pair: row.integer(1)?,
        access: secret(2, "access")?,
        refresh: secret(3, "refresh")?,
        issued: instant(4)?,
        expires: instant(5)?,
        person: row.text(6)?.to_owned(),
        authorised: instant(7)?,
        spent: instant_or_null(8)?,
        trouble,
        spoilt: instant_or_null(13)?,
    })
}
