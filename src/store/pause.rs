//! Pauses on record, and the end of what falls into one.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Store, StoreError,
    batch::{Line, clean, json},
    end::LATEST,
    journal,
    link::{Cells, Purpose, Tx, rows},
    row::delivery_id,
    sql,
};
use crate::domain::{
    delivery::{Reason, State},
    id::{BulletinId, TopicId},
    pause::{Pause, Resumed, Scope},
    time::Timestamp,
};

/// Which bulletins are of which topic: what a delivery's row does not say.
pub type Topics = BTreeMap<TopicId, Vec<BulletinId>>;

/// A pause as JSON, one for each bulletin where it is of a topic.
#[derive(Serialize)]
struct Silence<'a> {
    scope: &'static str,
    target: &'a str,
    emergency: bool,
    is_on: bool,
    from_us: i64,
    end_us: i64,
    why: String,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct NewPause<'a> {
    /// What is silent.
    pub scope: &'a Scope,
    /// Whether emergency bulletins are silent too.
    pub emergency: bool,
    /// When it ends; after now.
    pub until: Timestamp,
    /// Who says so.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
}

impl Store {
    /// Begins a pause now. What is on its way goes on; every other delivery in its scope that falls due before its end is
    /// skipped.
    ///
    /// # Errors
    /// [`StoreError::Query`], also when it would end before it begins, [`StoreError::DiskFull`] or [`StoreError::Corrupt`].
    pub async fn pause(&self, new: &NewPause<'_>, now: Timestamp) -> Result<Pause, StoreError> {
        let (by, reason) = (clean(new.by), clean(new.reason));
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let binds = (now.as_micros(), new.until.as_micros());
        let made = rows!(
            tx,
            sql::pause::PAUSE_INSERT,
            [
                new.scope.kind(),
                new.scope.target(),
                i64::from(new.emergency),
                binds.0,
                binds.1,
                by.as_ref(),
                reason.as_ref()
            ],
            |row| read(row)
        )?;
        let pause = made
            .into_iter()
            .next()
            .ok_or_else(|| StoreError::corrupt("pause", "number", "a new one"))?;
        let detail = format!("{} {}: {reason}", pause.number, name(&pause.scope));
        journal::append_one(&mut tx, "paused", None, &by, &detail, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(pause)
    }

    /// Ends a pause that is in force before its time. `None` when there is no such pause.
    ///
    /// # Errors
    /// [`StoreError::Query`], [`StoreError::DiskFull`] or [`StoreError::Corrupt`].
    pub async fn resume(
        &self,
        number: i64,
        by: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Option<Pause>, StoreError> {
        let (by, reason) = (clean(by), clean(reason));
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let ended = rows!(
            tx,
            sql::pause::RESUME,
            [number, now.as_micros(), by.as_ref(), reason.as_ref()],
            |row| read(row)
        )?;
        let Some(pause) = ended.into_iter().next() else {
            return Ok(None);
        };
        let detail = format!("{} {}: {reason}", pause.number, name(&pause.scope));
        journal::append_one(&mut tx, "resumed", None, &by, &detail, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(Some(pause))
    }

    /// The pauses that end after `since`, in the order in which they were made.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn pauses(&self, since: Timestamp) -> Result<Vec<Pause>, StoreError> {
        let mut reader = self.pools.reader().await?;
        rows!(reader, sql::pause::PAUSES, [since.as_micros()], |row| read(
            row
        ))
    }

    /// Ends what is waiting although it fell due in a pause, also in one that is over. Returns the state of each.
    ///
    /// # Errors
    /// [`StoreError::Query`], [`StoreError::DiskFull`] or [`StoreError::Corrupt`].
    pub async fn end_paused(
        &self,
        topics: &Topics,
        now: Timestamp,
    ) -> Result<Vec<State>, StoreError> {
        let pauses = self.pauses(now - LATEST).await?;
        if pauses.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let ended = silence(&mut tx, &pauses, topics, now).await?;
        tx.commit().await?;
        if !ended.is_empty() {
            self.changed();
        }
        Ok(ended)
    }
}

/// Within a turn: ends what a pause in force covers, before anything is claimed.
pub(super) async fn end_in_turn(
    tx: &mut Tx,
    topics: &Topics,
    now: Timestamp,
) -> Result<Vec<State>, StoreError> {
    let pauses = rows!(*tx, sql::pause::PAUSES, [now.as_micros()], |row| read(row))?;
    silence(tx, &pauses, topics, now).await
}

async fn silence(
    tx: &mut Tx,
    pauses: &[Pause],
    topics: &Topics,
    now: Timestamp,
) -> Result<Vec<State>, StoreError> {
    let mut batch = Vec::new();
    for pause in pauses {
        let one = |scope, target| Silence {
            scope,
            target,
            emergency: pause.emergency,
            is_on: pause.is_in_force(now),
            from_us: pause.from.as_micros(),
            end_us: pause.end().as_micros(),
            why: pause.reason.clone(),
        };
        match &pause.scope {
            Scope::Topic(topic) => {
                let bulletins = topics.get(topic).into_iter().flatten();
                batch.extend(bulletins.map(|bulletin| one("bulletin", bulletin.as_str())));
            }
            scope => batch.push(one(scope.kind(), scope.target())),
        }
    }
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let ended = rows!(
        *tx,
        sql::pause::END_PAUSED,
        [json(&batch), now.as_micros()],
        |row| {
            let (id, word) = (row.text(0)?, row.text(1)?);
            let state =
                State::parse(word).ok_or_else(|| StoreError::corrupt("delivery", "state", id))?;
            Ok((delivery_id(id), state))
        }
    )?;
    let reason = Reason::Paused.as_str();
    let lines: Vec<Line<'_>> = ended
        .iter()
        .map(|(id, state)| Line {
            delivery_id: id.as_str(),
            event: "skipped",
            detail: format!("{}: {reason}", state.as_str()).into(),
        })
        .collect();
    journal::append_lines(tx, &lines, journal::ACTOR, now).await?;
    Ok(ended.into_iter().map(|(_, state)| state).collect())
}

fn name(scope: &Scope) -> String {
    match scope {
        Scope::All => scope.kind().to_owned(),
        scope => format!("{}:{}", scope.kind(), scope.target()),
    }
}

fn read(row: &impl Cells) -> Result<Pause, StoreError> {
    let number = row.integer(0)?;
    let scope = Scope::from_parts(row.text(1)?, row.text(2)?)
        .ok_or_else(|| StoreError::corrupt("pause", "scope", &number.to_string()))?;
    let resumed = match row.integer_or_null(8)? {
        None => None,
        Some(at) => Some(Resumed {
            at: Timestamp::from_micros(at),
            by: row.text_or_null(9)?.unwrap_or_default().to_owned(),
            reason: row.text_or_null(10)?.unwrap_or_default().to_owned(),
        }),
    };
    Ok(Pause {
        number,
        scope,
        emergency: row.integer(3)? == 1,
        from: Timestamp::from_micros(row.integer(4)?),
        until: Timestamp::from_micros(row.integer(5)?),
        by: row.text(6)?.to_owned(),
        reason: row.text(7)?.to_owned(),
        resumed,
    })
}
