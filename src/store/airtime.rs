//! How long was heard of each topic, added up where the rows are.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Store, StoreError,
    batch::json,
    link::{Cells as _, rows},
    sql::read as statement,
};
use crate::domain::{
    bulletin::Priority,
    delivery::{Reason, State},
    detail::Detail,
    id::{BulletinId, ChannelId, DeliveryId, TopicId},
    time::Timestamp,
};

/// What one channel was to say of one topic, and what became of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Airtime {
    /// The channel.
    pub channel: ChannelId,
    /// The topic.
    pub topic: TopicId,
    /// What became of it.
    pub state: State,
    /// Why, if it was not heard.
    pub reason: Option<Reason>,
    /// How urgent it is.
    pub priority: Priority,
    /// How long it is.
    pub length: Duration,
    /// How much of that was not heard although a channel took it, because it was cut off.
    pub cut: Duration,
}

impl Store {
    /// What is heard and due from `from` (included) to `until` (excluded), by channel, topic, state, reason and
    /// priority. What the plan
    /// itself skipped was never to be heard; tests and corrections are nobody's airtime.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn airtime(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Airtime>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let binds = (from.as_micros(), until.as_micros());
        let mut all = rows!(reader, statement::AIRTIME, [binds.0, binds.1], |row| {
            let id = |name: &'static str, text: &str| StoreError::corrupt("delivery", name, text);
            let (channel, topic) = (row.text(0)?, row.text(1)?);
            let (state, reason) = (row.text(2)?, row.text(3)?);
            let micros = u64::try_from(row.integer(4)?).unwrap_or_default();
            Ok(Airtime {
                channel: ChannelId::parse(channel).map_err(|_| id("channel", channel))?,
                topic: TopicId::parse(topic).map_err(|_| id("topic", topic))?,
                state: State::parse(state).ok_or_else(|| id("state", state))?,
                reason: Reason::parse(reason),
                priority: Priority::parse(row.text(5)?).ok_or_else(|| id("priority", topic))?,
                length: Duration::from_micros(micros),
                cut: Duration::ZERO,
            })
        })?;
        let cut_off = rows!(reader, statement::CUT_SHORT, [binds.0, binds.1], |row| {
            let micros = |value: i64| Duration::from_micros(u64::try_from(value).unwrap_or(0));
            let (event, detail) = (row.text(8)?, row.text(9)?);
            // A stream knows how much of it went out.
            let streamed = (event == "broken-off").then(|| {
                let seconds = Detail::parse(detail)
                    .and_then(|detail| detail.get("seconds")?.parse::<u64>().ok());
                Duration::from_secs(seconds.unwrap_or(0))
            });
            Ok((
                row.text(0)?.to_owned(),
                [1, 2, 3, 4, 5].map(|column| row.text(column).map(str::to_owned)),
                micros(row.integer(6)?),
                streamed.unwrap_or(micros(row.integer(7)?)),
            ))
        })?;
        let mut known: BTreeMap<String, Duration> = BTreeMap::new();
        for (id, group, length, heard) in cut_off {
            let cut = length.saturating_sub(heard);
            let before = known.entry(id).or_default();
            let more = cut.saturating_sub(*before);
            *before += more;
            let [channel, topic, state, reason, priority] = group;
            let group = (channel?, topic?, state?, reason?, priority?);
            let of = all.iter_mut().find(|one| {
                let reason = one.reason.map_or("", Reason::as_str);
                let names = (one.channel.as_str(), one.topic.as_str());
                (
                    names.0,
                    names.1,
                    one.state.as_str(),
                    reason,
                    one.priority.as_str(),
                ) == (&*group.0, &*group.1, &*group.2, &*group.3, &*group.4)
            });
            if let Some(of) = of {
                of.cut += more;
            }
        }
        Ok(all)
    }

    /// What is sent on these `channels`, due from `from` to `until` (both included), and when: what has begun, and what is
    /// planned by `revision`.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn sent_on(
        &self,
        channels: &[ChannelId],
        from: Timestamp,
        until: Timestamp,
        revision: &str,
    ) -> Result<Vec<(ChannelId, DeliveryId, Timestamp)>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let list = json(channels);
        let binds = (from.as_micros(), until.as_micros());
        rows!(
            reader,
            statement::SENT_ON,
            [list, binds.0, binds.1, revision],
            |row| {
                let channel = row.text(0)?;
                let read = ChannelId::parse(channel)
                    .map_err(|_| StoreError::corrupt("delivery", "channel", channel))?;
                let id = DeliveryId::from_text(row.text(1)?);
                Ok((read, id, Timestamp::from_micros(row.integer(2)?)))
            }
        )
    }

    /// When which channels say these `bulletins`, due from `from` (included) to `until` (excluded): what has begun, and what is
    /// planned by `revision`.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn heard(
        &self,
        bulletins: &[BulletinId],
        from: Timestamp,
        until: Timestamp,
        revision: &str,
    ) -> Result<Vec<(ChannelId, BulletinId, Timestamp)>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let list = json(bulletins);
        let binds = (from.as_micros(), until.as_micros());
        rows!(
            reader,
            statement::HEARD,
            [list, binds.0, binds.1, revision],
            |row| {
                let id =
                    |name: &'static str, text: &str| StoreError::corrupt("delivery", name, text);
                let (channel, bulletin) = (row.text(0)?, row.text(1)?);
                Ok((
                    ChannelId::parse(channel).map_err(|_| id("channel", channel))?,
                    BulletinId::parse(bulletin).map_err(|_| id("bulletin", bulletin))?,
                    Timestamp::from_micros(row.integer(2)?),
                ))
            }
        )
    }
}
