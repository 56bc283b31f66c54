//! How deliveries end without a node's word: rescued after a crash, expired, missed while nobody was running, or
//! decided by a person or by what the device reports. Each leaves a line in the journal.

use std::time::Duration;

use serde::Serialize;

use super::{
    Store, StoreError,
    batch::{Line, clean, json},
    journal,
    link::{Cells as _, Purpose, Tx, execute, rows},
    row::{delivery_id, first_instant, parsed},
    silence::{self, Silence},
    sql,
};
use crate::domain::{
    delivery::{Evidence, Outcome, Reason, State},
    detail::Detail,
    id::{ChannelId, DeliveryId},
    time::Timestamp,
};

/// How long after its instant a delivery may begin, at most.
pub(super) const LATEST: Duration = Duration::from_hours(168);

/// What is known of something that a site took, or that was offered for a person to publish there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publication<'a> {
    /// It was seen; what the site calls it.
    Seen(&'a str),
    /// Its time is over, and it is not there; what exactly was found.
    NotThere(&'a str),
    /// Its time is over, and the site cannot be asked; why.
    Unclear(&'a str),
    /// It was taken, and other words stand in its place.
    Overwritten,
}

/// What a lost node was doing.
struct Held {
    id: String,
    attempt: i64,
    started_us: i64,
    node: String,
}

/// An attempt of which nothing is known.
#[derive(Serialize)]
struct Crashed<'a> {
    delivery_id: &'a str,
    number: i64,
    started_us: i64,
    finished_us: i64,
    outcome: &'static str,
    reason: &'static str,
    evidence: &'static str,
}

impl Store {
    /// Brings back what was skipped as expired although its time has not come at `now`: the clock was wrong when that was
    /// judged. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn reopen(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let since = now - LATEST;
        let binds = (now.as_micros(), since.as_micros());
        let reopened = rows!(tx, sql::deliver::REOPEN, [binds.0, binds.1], |row| {
            row.text(0).map(delivery_id)
        })?;
        journal::append(&mut tx, &reopened, "reopened", "", now).await?;
        tx.commit().await?;
        if !reopened.is_empty() {
            self.changed();
        }
        Ok(reopened.len() as u64)
    }

    /// Takes back deliveries whose lease ended before `lease_now` (all that other nodes hold, when `alone`): the attempt is
    /// recorded as unknown (crashed); then ready again with doubt (at-least-once, or the adapter can ask), else unknown.
    ///
    /// # Errors
    /// [`StoreError::Query`], [`StoreError::DiskFull`] or [`StoreError::Corrupt`].
    pub async fn rescue(
        &self,
        node: &str,
        alone: bool,
        now: Timestamp,
        lease_now: Timestamp,
    ) -> Result<Vec<(DeliveryId, State)>, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let now_us = now.as_micros();
        let mut held = rows!(
            tx,
            sql::deliver::RESCUE_HOLD,
            [lease_now.as_micros(), i64::from(alone), node],
            |row| {
                let id = row.text(0)?.to_owned();
                let started_us = row
                    .integer_or_null(2)?
                    .ok_or_else(|| StoreError::corrupt("delivery", "started_us", &id))?;
                let node = row
                    .text_or_null(3)?
                    .ok_or_else(|| StoreError::corrupt("delivery", "leased_by", &id))?
                    .to_owned();
                Ok(Held {
                    attempt: row.integer(1)?,
                    started_us,
                    node,
                    id,
                })
            }
        )?;
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let list = json(&held.iter().map(|held| held.id.as_str()).collect::<Vec<_>>());
        let mut rescued = rows!(tx, sql::deliver::RESCUE, [list, now_us], |row| {
            let id = row.text(0)?;
            let state = parsed(
                row.text(1)?,
                |text| State::parse(text).ok_or(()),
                "delivery",
                "state",
                id,
            )?;
            Ok((delivery_id(id), state))
        })?;
        held.sort_unstable_by(|a, b| a.node.cmp(&b.node));
        for of_node in held.chunk_by(|a, b| a.node == b.node) {
            let crashed: Vec<Crashed<'_>> = of_node
                .iter()
                .map(|held| Crashed {
                    delivery_id: &held.id,
                    number: held.attempt,
                    started_us: held.started_us,
                    finished_us: now_us,
                    outcome: Outcome::Unknown.as_str(),
                    reason: Reason::Crashed.as_str(),
                    evidence: Evidence::None.as_str(),
                })
                .collect();
            execute!(
                tx,
                sql::deliver::ATTEMPT_INSERT,
                json(&crashed),
                of_node[0].node.as_str()
            )?;
        }
        rescued.sort_unstable();
        let lines: Vec<Line<'_>> = rescued
            .iter()
            .map(|(id, state)| Line {
                delivery_id: id.as_str(),
                event: "rescued",
                detail: state.as_str().into(),
            })
            .collect();
        journal::append_lines(&mut tx, &lines, node, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(rescued)
    }

    /// Ends what can no longer begin: deadline at or before `now`, still planned or ready. Without an attempt: skipped
    /// (expired, or unreachable where `node` leaves its host alone); with one that may have arrived: unknown (deadline); else
    /// failed (its last reason, or deadline). Returns the state and reason of each.
    ///
    /// # Errors
    /// [`StoreError::Query`], [`StoreError::DiskFull`] or [`StoreError::Corrupt`].
    pub async fn expire(
        &self,
        node: &str,
        now: Timestamp,
    ) -> Result<Vec<(State, Reason)>, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let ended = rows!(tx, sql::deliver::EXPIRE, [now.as_micros(), node], |row| {
            let (id, word) = (row.text(0)?, row.text(1)?);
            let reason = row.text_or_null(2)?.unwrap_or_default();
            let state =
                State::parse(word).ok_or_else(|| StoreError::corrupt("delivery", "state", id))?;
            let why = Reason::parse(reason)
                .ok_or_else(|| StoreError::corrupt("delivery", "reason", id))?;
            Ok((id.to_owned(), format!("{word}: {reason}"), (state, why)))
        })?;
        if ended.is_empty() {
            return Ok(Vec::new());
        }
        let lines: Vec<Line<'_>> = ended
            .iter()
            .map(|(id, detail, _)| Line {
                delivery_id: id,
                event: "expired",
                detail: detail.as_str().into(),
            })
            .collect();
        journal::append_lines(&mut tx, &lines, journal::ACTOR, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(ended.into_iter().map(|(.., end)| end).collect())
    }

    /// Puts on record that a stream ended before its sound, with a line in the journal: its channel took the delivery, perhaps
    /// said that somebody listened, and nobody knows what was heard. So it is unknown (cut) and a person can close it, unless one
    /// has already. `false`, and nothing is written, while the end of the attempt that began the stream is still to be written.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn broken_off(
        &self,
        id: &DeliveryId,
        node: &str,
        detail: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        if is_in_hand(&mut tx, id, node).await? {
            return Ok(false);
        }
        let written = clean(detail);
        execute!(
            tx,
            sql::deliver::BROKEN_OFF,
            id.as_str(),
            written.as_ref(),
            now.as_micros()
        )?;
        journal::append_one(&mut tx, "broken-off", Some(id), node, detail, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(true)
    }

    /// Puts on record that a loudspeaker stopped what it had taken, `id`, for the delivery `by`: when (`at`, in words) and after how long,
    /// with a line in the journal.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn interrupted(
        &self,
        id: &DeliveryId,
        by: &DeliveryId,
        node: &str,
        at: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let since = rows!(tx, sql::deliver::TAKEN_SINCE, [id.as_str()], |row| row
            .integer_or_null(0))?;
        let heard = first_instant(since).map_or(Duration::ZERO, |since| now.since(since));
        let detail = Detail::new("interrupted")
            .with("by", by)
            .with("at", at)
            .with("seconds", heard.as_secs())
            .to_string();
        let now_us = now.as_micros();
        let statement = sql::deliver::INTERRUPTED;
        execute!(tx, statement, id.as_str(), detail.as_str(), now_us, 1_i64)?;
        let line = format!("by {by}");
        journal::append_one(&mut tx, "interrupted", Some(id), node, &line, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// Puts on record that the stream of `id` gave way to another one, with a line in the journal. It was heard up to there, and nobody
    /// has to look after it. `false`, and nothing is written, while the end of the attempt that began the stream is still to be written.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn gave_way(
        &self,
        id: &DeliveryId,
        node: &str,
        detail: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        if is_in_hand(&mut tx, id, node).await? {
            return Ok(false);
        }
        let now_us = now.as_micros();
        let statement = sql::deliver::INTERRUPTED;
        execute!(tx, statement, id.as_str(), detail, now_us, 0_i64)?;
        journal::append_one(&mut tx, "broken-off", Some(id), node, detail, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(true)
    }

    /// Puts on record that streams on `channels` ended with the node that sent them: their sound had not ended when it was last alive, so
    /// nobody knows what was heard after that. Nodes are dead that were last alive before `dead_since` without having said that they
    /// end; and `node` itself, where it `begins` and an earlier run of it did not say so. Returns them.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn lose_streams(
        &self,
        channels: &[&ChannelId],
        node: &str,
        begins: bool,
        dead_since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let binds = (dead_since.as_micros(), i64::from(begins));
        let dead = rows!(reader, sql::read::DEAD, [node, binds.0, binds.1], |row| {
            row.text(0).map(str::to_owned)
        })?;
        drop(reader);
        if dead.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let since = (now - LATEST).as_micros();
        let lost = rows!(
            tx,
            sql::read::LOST_STREAMS,
            [json(channels), json(&dead), since],
            |row| {
                let heard = Duration::from_micros(u64::try_from(row.integer(1)?).unwrap_or(0));
                Ok((delivery_id(row.text(0)?), heard))
            }
        )?;
        for (id, heard) in &lost {
            let detail = Detail::new("broken-off-died").with("seconds", heard.as_secs());
            let detail = detail.to_string();
            let now_us = now.as_micros();
            execute!(
                tx,
                sql::deliver::BROKEN_OFF,
                id.as_str(),
                detail.as_str(),
                now_us
            )?;
            journal::append_one(&mut tx, "broken-off", Some(id), node, &detail, now).await?;
        }
        execute!(tx, sql::read::BURY, json(&dead))?;
        tx.commit().await?;
        if !lost.is_empty() {
            self.changed();
        }
        Ok(lost.into_iter().map(|(id, _)| id).collect())
    }

    /// Judges what fell due in `[from, until)` while nobody was running: deliveries that may not be late, or whose deadline passed
    /// meanwhile, and have not begun become skipped (expired) with `detail`. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn judge_missed(
        &self,
        from: Timestamp,
        until: Timestamp,
        detail: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let detail = clean(detail);
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let binds = (from.as_micros(), until.as_micros(), now.as_micros());
        let missed = rows!(
            tx,
            sql::deliver::JUDGE_MISSED,
            [binds.0, binds.1, detail.as_ref(), binds.2],
            |row| { row.text(0).map(delivery_id) }
        )?;
        journal::append(
            &mut tx,
            &missed,
            "skipped",
            &journal::why(Reason::Expired.as_str(), &detail),
            now,
        )
        .await?;
        tx.commit().await?;
        if !missed.is_empty() {
            self.changed();
        }
        Ok(missed.len() as u64)
    }

    /// Confirms the delivery of `channel`, due since `since`, that the channel took with the receipt `message`: the receiver reports
    /// (`event`) that it reached somebody. `false` where there is none that waits for that.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn confirm_reported(
        &self,
        channel: &ChannelId,
        message: &str,
        event: &str,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let message = clean(message);
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let confirmed = rows!(
            tx,
            sql::deliver::REPORTED,
            [
                channel.as_str(),
                message.as_ref(),
                since.as_micros(),
                now.as_micros()
            ],
            |row| row.text(0).map(delivery_id)
        )?;
        journal::append(&mut tx, &confirmed, "reported", event, now).await?;
        tx.commit().await?;
        if !confirmed.is_empty() {
            self.changed();
        }
        Ok(!confirmed.is_empty())
    }

    /// Whether something is on its way to a channel, of which nobody knows yet what its receiver calls it.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn is_sending(&self, channel: &ChannelId) -> Result<bool, StoreError> {
        let mut reader = self.pools.reader().await?;
        let statement = sql::deliver::ON_ITS_WAY;
        let found = rows!(reader, statement, [channel.as_str()], |row| row.integer(0))?;
        Ok(found.first().is_some_and(|count| *count > 0))
    }

    /// What a device itself reports of a delivery of `channel` that it took or may have taken: whether it was played. `false` where
    /// nothing waits for that; nothing changes then, so that a report that comes twice does nothing.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn told(
        &self,
        id: &DeliveryId,
        channel: &ChannelId,
        played: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (state, reason, event) = if played {
            (State::Confirmed, None, "played")
        } else {
            let reason = Reason::NotPlayed.as_str();
            (State::Unheard, Some(reason), reason)
        };
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let statement = sql::deliver::TOLD;
        if execute!(
            tx,
            statement,
            id.as_str(),
            channel.as_str(),
            state.as_str(),
            reason,
            now.as_micros()
        )? == 0
        {
            return Ok(false);
        }
        let line = Line {
            delivery_id: id.as_str(),
            event,
            detail: "".into(),
        };
        self.put_down(tx, &line, channel.as_str(), now).await
    }

    /// Whether what `channel` took, or was offered for a person to publish, is published. What is not is put down as a silence in the same
    /// moment, so that the operator is told of it whoever dies; given back are those that nobody had noticed yet. `None` where nothing waits
    /// for that; nothing changes then.
    ///
    /// # Errors
    /// [`StoreError::Query`], [`StoreError::DiskFull`] or [`StoreError::Corrupt`].
    pub async fn published(
        &self,
        id: &DeliveryId,
        channel: &ChannelId,
        publication: Publication<'_>,
        node: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<Silence>>, StoreError> {
        let overwritten = Reason::Overwritten.as_str();
        let missed = Some(Reason::NotPublished.as_str());
        let (state, reason, event, said, evidence) = match publication {
            Publication::Seen(said) => {
                (State::Confirmed, None, "published", said, Evidence::Device)
            }
            Publication::NotThere(said) => {
                let evidence = Evidence::Accepted;
                (State::Unheard, missed, "not-published", said, evidence)
            }
            Publication::Unclear(said) => {
                let evidence = Evidence::Accepted;
                (State::Unknown, missed, "not-published", said, evidence)
            }
            Publication::Overwritten => {
                let evidence = Evidence::Accepted;
                (State::Unheard, Some(overwritten), overwritten, "", evidence)
            }
        };
        let said = clean(said);
        let detail = reason.map(|_| said.as_ref());
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let statement = sql::deliver::PUBLISHED;
        if execute!(
            tx,
            statement,
            id.as_str(),
            channel.as_str(),
            state.as_str(),
            reason,
            detail,
            evidence.as_str(),
            now.as_micros()
        )? == 0
        {
            return Ok(None);
        }
        let line = Line {
            delivery_id: id.as_str(),
            event,
            detail: said.as_ref().into(),
        };
        let line = std::slice::from_ref(&line);
        journal::append_lines(&mut tx, line, channel.as_str(), now).await?;
        let missed = match state {
            State::Confirmed => Vec::new(),
            _ => silence::notice_one(&mut tx, id, node, now).await?,
        };
        tx.commit().await?;
        self.changed();
        Ok(Some(missed))
    }

    /// Ends a change of one delivery with its line in the journal.
    async fn put_down(
        &self,
        mut tx: Tx,
        line: &Line<'_>,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        journal::append_lines(&mut tx, std::slice::from_ref(line), actor, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(true)
    }

    /// A person's word on a delivery that is accepted or unknown (or was decided by hand before): confirmed or unheard.
    /// `false` when it is in another state; nothing changes then.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn reconcile(
        &self,
        id: &DeliveryId,
        heard: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let by = clean(by);
        let state = if heard {
            State::Confirmed
        } else {
            State::Unheard
        };
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let statement = sql::deliver::RECONCILE;
        if execute!(
            tx,
            statement,
            id.as_str(),
            state.as_str(),
            by.as_ref(),
            now.as_micros()
        )? == 0
        {
            return Ok(false);
        }
        let line = Line {
            delivery_id: id.as_str(),
            event: "reconciled",
            detail: state.as_str().into(),
        };
        self.put_down(tx, &line, &by, now).await
    }
}

/// Whether this node still has to write down how an attempt at `id` ended.
async fn is_in_hand(tx: &mut Tx, id: &DeliveryId, node: &str) -> Result<bool, StoreError> {
    let held = rows!(*tx, sql::deliver::IN_HAND, [id.as_str(), node], |row| {
        row.text(0).map(delivery_id)
    })?;
    Ok(!held.is_empty())
}
