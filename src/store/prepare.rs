//! Preparing: which deliveries want words, and freezing them.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use serde::Serialize;

use super::{
    Frozen, Store, StoreError, Unprepared, approval,
    batch::{Line, clean, clean_option, json, micros},
    journal,
    link::{Cells as _, Purpose, Tx, execute, rows},
    row::{count, delivery_id, limit_at, parsed},
    sql,
};
use crate::domain::{
    approval::Subject,
    bulletin::{Format, Priority},
    delivery::{Reason, State},
    id::{BulletinId, ChannelId, DeliveryId, ScheduleId, WardId},
    message::{Content, ContentHash},
    time::Timestamp,
    version::VersionHash,
};

#[derive(Serialize)]
struct ContentJson<'a> {
    hash: &'a str,
    json: String,
}

#[derive(Serialize)]
struct FrozenJson<'a> {
    delivery_id: &'a str,
    hash: &'a str,
    host: Cow<'a, str>,
    can_ask: bool,
    priority: Option<&'static str>,
    length_us: Option<i64>,
    over_us: Option<i64>,
    over_reason: Option<&'static str>,
    over_detail: Option<Cow<'a, str>>,
    /// Not of the delivery but of its journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'a, str>>,
}

/// A delivery that waits, and for what.
#[derive(Serialize)]
struct HeldJson<'a> {
    delivery_id: &'a str,
    why: Cow<'a, str>,
}

impl Store {
    /// Deliveries due before `until` that are not frozen, by instant, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn unprepared(
        &self,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Unprepared>, StoreError> {
        let mut reader = self.pools.reader().await?;
        rows!(
            reader,
            sql::plan::UNPREPARED,
            [until.as_micros(), i64::from(limit)],
            |row| {
                let id = row.text(0)?;
                Ok(Unprepared {
                    id: delivery_id(id),
                    bulletin: parsed(
                        row.text_or_null(1)?.unwrap_or_default(),
                        BulletinId::parse,
                        "delivery",
                        "bulletin",
                        id,
                    )?,
                    ward: parsed(row.text(2)?, WardId::parse, "delivery", "ward", id)?,
                    channel: parsed(row.text(3)?, ChannelId::parse, "delivery", "channel", id)?,
                    format: parsed(
                        row.text(4)?,
                        |text| Format::parse(text).ok_or(()),
                        "delivery",
                        "format",
                        id,
                    )?,
                    schedule: ScheduleId::from_store(row.text(5)?),
                    scheduled: Timestamp::from_micros(row.integer(6)?),
                    due: Timestamp::from_micros(row.integer(7)?),
                    limit: limit_at(row, 8, id)?,
                    part: count(row.integer(12)?, "delivery", "part", id)?,
                    deadline: Timestamp::from_micros(row.integer(13)?),
                    priority: parsed(
                        row.text(11)?,
                        |text| Priority::parse(text).ok_or(()),
                        "delivery",
                        "priority",
                        id,
                    )?,
                })
            }
        )
    }

    /// The least instant of a delivery that is not frozen.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn next_unprepared(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, sql::plan::NEXT_UNPREPARED, [], |row| row
            .integer(0)
            .map(Timestamp::from_micros))?;
        Ok(found.into_iter().next())
    }

    /// Stores contents (once each) and makes deliveries ready that are still planned. `revision` is the revision that
    /// the words were rendered from: when another one has come into force meanwhile, nothing is frozen, because that
    /// one may say something else. So it is with the approvals that `frozen` rests on: when one of them does not hold any
    /// more, nothing is frozen, and the next round sees why. Returns how many are ready.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn freeze(
        &self,
        contents: &[(ContentHash, Arc<Content>)],
        frozen: &[Frozen],
        revision: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        if frozen.is_empty() {
            return Ok(0);
        }
        let rows: Vec<FrozenJson<'_>> = frozen
            .iter()
            .map(|frozen| FrozenJson {
                delivery_id: frozen.id.as_str(),
                hash: frozen.hash.as_str(),
                host: clean(&frozen.host),
                can_ask: frozen.can_ask,
                priority: frozen
                    .approved
                    .as_ref()
                    .map(|approved| approved.priority.as_str()),
                length_us: frozen.length.map(micros),
                over_us: frozen.limit.as_ref().map(|limit| limit.over.as_micros()),
                over_reason: frozen.limit.as_ref().map(|limit| limit.why.reason.as_str()),
                over_detail: frozen
                    .limit
                    .as_ref()
                    .and_then(|limit| clean_option(limit.why.detail.as_deref())),
                detail: clean_option(frozen.overrides.as_deref()),
            })
            .collect();
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let in_force = rows!(tx, sql::plan::REVISION_HELD, [], |row| row
            .text(0)
            .map(|text| text == revision))?;
        if in_force.first() != Some(&true) {
            return Ok(0);
        }
        if !approvals_hold(&mut tx, frozen).await? {
            return Ok(0);
        }
        insert_contents(&mut tx, contents, now).await?;
        let count = execute!(tx, sql::plan::FREEZE, json(&rows), now.as_micros())?;
        let outside: Vec<&FrozenJson<'_>> =
            rows.iter().filter(|row| row.detail.is_some()).collect();
        if !outside.is_empty() {
            let statement = sql::plan::FREEZE_JOURNAL;
            execute!(
                tx,
                statement,
                json(&outside),
                journal::ACTOR,
                now.as_micros()
            )?;
        }
        tx.commit().await?;
        if count > 0 {
            self.changed();
        }
        Ok(count)
    }

    /// Says of deliveries that wait for a contact that they do, with the reason, and journals each once.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn hold(
        &self,
        held: &[(DeliveryId, String)],
        node: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if held.is_empty() {
            return Ok(());
        }
        let rows: Vec<HeldJson<'_>> = held
            .iter()
            .map(|(id, why)| HeldJson {
                delivery_id: id.as_str(),
                why: clean(why),
            })
            .collect();
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let new = rows!(tx, sql::plan::HOLD, [json(&rows), now.as_micros()], |row| {
            row.text(0).map(str::to_owned)
        })?;
        let new: HashSet<String> = new.into_iter().collect();
        let lines: Vec<Line<'_>> = rows
            .into_iter()
            .filter(|row| new.contains(row.delivery_id))
            .map(|row| Line {
                delivery_id: row.delivery_id,
                event: "held",
                detail: row.why,
            })
            .collect();
        journal::append_lines(&mut tx, &lines, node, now).await?;
        tx.commit().await?;
        if !lines.is_empty() {
            self.changed();
        }
        Ok(())
    }

    /// Ends deliveries that have not begun (`planned` or `ready`, no attempt) as `state` (`Skipped`, `Failed`,
    /// `Cancelled`). Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn end_unbegun(
        &self,
        ids: &[DeliveryId],
        state: State,
        reason: Reason,
        detail: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        if ids.is_empty() {
            return Ok(0);
        }
        let detail = clean(detail);
        let list = json(&ids.iter().map(DeliveryId::as_str).collect::<Vec<_>>());
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let (state, reason) = (state.as_str(), reason.as_str());
        let ended = rows!(
            tx,
            sql::plan::END_UNBEGUN,
            [list, state, reason, detail.as_ref(), now.as_micros()],
            |row| { row.text(0).map(delivery_id) }
        )?;
        journal::append(&mut tx, &ended, state, &journal::why(reason, &detail), now).await?;
        tx.commit().await?;
        if !ended.is_empty() {
            self.changed();
        }
        Ok(ended.len() as u64)
    }
}

/// Whether every approval that `frozen` rests on is in force, as this transaction sees it.
async fn approvals_hold(tx: &mut Tx, frozen: &[Frozen]) -> Result<bool, StoreError> {
    let mut wanted: HashSet<(Subject, &VersionHash, u32)> = HashSet::new();
    for approved in frozen.iter().filter_map(|frozen| frozen.approved.as_ref()) {
        let (bulletin, version) = &approved.bulletin;
        wanted.insert((
            Subject::Bulletin(bulletin.clone()),
            version,
            approved.needed,
        ));
        if let Some((schedule, version)) = &approved.schedule {
            wanted.insert((Subject::Schedule(schedule.clone()), version, 1));
        }
    }
    let subjects: BTreeSet<Subject> = wanted.iter().map(|(subject, ..)| subject.clone()).collect();
    let standings = approval::standings(tx, &subjects).await?;
    Ok(wanted
        .iter()
        .all(|(subject, version, needed)| standings[subject].allows_with(version, *needed)))
}

/// Stores contents, once each.
pub(super) async fn insert_contents(
    tx: &mut Tx,
    contents: &[(ContentHash, Arc<Content>)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut contents: Vec<ContentJson<'_>> = contents
        .iter()
        .map(|(hash, content)| ContentJson {
            hash: hash.as_str(),
            json: content.to_json(),
        })
        .collect();
    // Two nodes that insert the same contents in one order cannot wait for each other.
    contents.sort_unstable_by_key(|content| content.hash);
    contents.dedup_by_key(|content| content.hash);
    let now_us = now.as_micros();
    execute!(*tx, sql::plan::CONTENT_INSERT, json(&contents), now_us)?;
    Ok(())
}
