//! The sounds that deliveries are sent with: what is known of them, not their bytes.

use std::{collections::HashMap, time::Duration};

use serde::Serialize;

use super::{
    Store, StoreError,
    batch::json,
    link::{Cells as _, Purpose, execute, rows},
    row::{count, delivery_id, parsed},
    sql,
};
use crate::domain::{
    audio::{AudioFormat, Sound, SoundHash},
    bulletin::Priority,
    delivery::State,
    id::{ChannelId, DeliveryId, ScheduleId, TopicId, WardId},
    policy::Span,
    time::Timestamp,
};

/// One part of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The delivery.
    pub id: DeliveryId,
    /// Where it stands.
    pub state: State,
    /// When it is due.
    pub due: Timestamp,
    /// Where it is heard.
    pub ward: WardId,
    /// What it is about.
    pub topic: Option<TopicId>,
    /// How urgent it is.
    pub priority: Priority,
}

/// A part of a session that is frozen with a sound and was not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrozenPart {
    /// The delivery.
    pub id: DeliveryId,
    /// The session's schedule.
    pub schedule: ScheduleId,
    /// The instant that this names.
    pub scheduled: Timestamp,
    /// Where it goes.
    pub channel: ChannelId,
    /// Which part it is, from 0.
    pub part: u16,
    /// How long its sound is.
    pub length: Duration,
    /// How long the words alone are.
    pub spoken: Duration,
}

#[derive(Serialize)]
struct SoundJson<'a> {
    hash: &'a str,
    format: &'a str,
    length_us: i64,
    spoken_us: i64,
    loudness_centi: i64,
    peak_centi: i64,
    bytes: i64,
}

#[derive(Serialize)]
struct LinkJson<'a> {
    delivery_id: &'a str,
    audio: &'a str,
}

impl Store {
    /// Notes with which sounds deliveries will be sent. Deliveries that are no longer `planned` keep theirs.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn link_sounds(
        &self,
        sounds: &[(DeliveryId, Sound)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if sounds.is_empty() {
            return Ok(());
        }
        let mut facts: Vec<SoundJson<'_>> = sounds
            .iter()
            .map(|(_, sound)| SoundJson {
                hash: sound.hash.as_str(),
                format: sound.format.as_str(),
                length_us: micros(sound.length),
                spoken_us: micros(sound.spoken),
                loudness_centi: centi(sound.loudness),
                peak_centi: centi(sound.peak),
                bytes: i64::try_from(sound.size).unwrap_or(i64::MAX),
            })
            .collect();
        // In one order everywhere, so that two nodes cannot wait for each other.
        facts.sort_unstable_by_key(|sound| sound.hash);
        facts.dedup_by_key(|sound| sound.hash);
        let mut links: Vec<LinkJson<'_>> = sounds
            .iter()
            .map(|(id, sound)| LinkJson {
                delivery_id: id.as_str(),
                audio: sound.hash.as_str(),
            })
            .collect();
        links.sort_unstable_by_key(|link| link.delivery_id);
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, sql::audio::AUDIO_INSERT, json(&facts), now.as_micros())?;
        execute!(tx, sql::audio::AUDIO_LINK, json(&links))?;
        tx.commit().await
    }

    /// The sounds of these deliveries, of those that have one.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn sounds(
        &self,
        ids: &[DeliveryId],
    ) -> Result<HashMap<DeliveryId, Sound>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let list = json(&ids.iter().map(DeliveryId::as_str).collect::<Vec<_>>());
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, sql::audio::AUDIO_OF, [list], |row| {
            let hash = row.text(1)?;
            Ok((
                delivery_id(row.text(0)?),
                Sound {
                    hash: parsed(
                        hash,
                        |text| SoundHash::parse(text).ok_or(()),
                        "audio",
                        "hash",
                        hash,
                    )?,
                    format: parsed(
                        row.text(2)?,
                        |text| AudioFormat::parse(text).ok_or(()),
                        "audio",
                        "format",
                        hash,
                    )?,
                    length: length(row.integer(3)?),
                    spoken: length(row.integer(4)?),
                    loudness: decibels(row.integer(5)?),
                    peak: decibels(row.integer(6)?),
                    size: u64::try_from(row.integer(7)?).unwrap_or_default(),
                },
            ))
        })?;
        Ok(found.into_iter().collect())
    }

    /// These deliveries as parts of sessions; without those that are not on record.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn parts(&self, ids: &[DeliveryId]) -> Result<Vec<Part>, StoreError> {
        let list = json(&ids.iter().map(DeliveryId::as_str).collect::<Vec<_>>());
        let mut reader = self.pools.reader().await?;
        rows!(reader, sql::audio::PARTS, [list], |row| {
            let id = row.text(0)?;
            Ok(Part {
                id: delivery_id(id),
                state: parsed(
                    row.text(1)?,
                    |text| State::parse(text).ok_or(()),
                    "delivery",
                    "state",
                    id,
                )?,
                due: Timestamp::from_micros(row.integer(2)?),
                ward: parsed(row.text(3)?, WardId::parse, "delivery", "ward", id)?,
                topic: row
                    .text_or_null(4)?
                    .map(|text| parsed(text, TopicId::parse, "delivery", "topic", id))
                    .transpose()?,
                priority: parsed(
                    row.text(5)?,
                    |text| Priority::parse(text).ok_or(()),
                    "delivery",
                    "priority",
                    id,
                )?,
            })
        })
    }

    /// The parts of sessions of `schedules` due in an interval that are frozen with a sound and were not begun.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn frozen_parts(
        &self,
        schedules: &[&ScheduleId],
        (from, until): Span,
    ) -> Result<Vec<FrozenPart>, StoreError> {
        let list = json(&schedules.iter().map(|id| id.as_str()).collect::<Vec<_>>());
        let mut reader = self.pools.reader().await?;
        rows!(
            reader,
            sql::audio::FROZEN_PARTS,
            [list, from.as_micros(), until.as_micros()],
            |row| {
                let id = row.text(0)?;
                Ok(FrozenPart {
                    id: delivery_id(id),
                    schedule: ScheduleId::from_store(row.text(1)?),
                    scheduled: Timestamp::from_micros(row.integer(2)?),
                    channel: parsed(row.text(3)?, ChannelId::parse, "delivery", "channel", id)?,
                    part: count(row.integer(4)?, "delivery", "part", id)?,
                    length: length(row.integer(5)?),
                    spoken: length(row.integer(6)?),
                })
            }
        )
    }

    /// Takes back the words of what was frozen and has not begun, so that it is judged and frozen once more.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn freeze_again(&self, ids: &[DeliveryId], now: Timestamp) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let list = json(&ids.iter().map(DeliveryId::as_str).collect::<Vec<_>>());
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, sql::air::GIVE_WAY, list, now.as_micros())?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

fn length(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "loudness is a two-digit number"
)]
fn centi(decibels: f64) -> i64 {
    (decibels * 100.0).round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "loudness is a two-digit number")]
fn decibels(centi: i64) -> f64 {
    centi as f64 / 100.0
}
