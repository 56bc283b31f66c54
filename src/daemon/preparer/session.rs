//! Where a session has its chime: before the first of its parts that is left and after the last one. Parts that were skipped,
//! called off or refused, and those that a pause will silence, do not count: what is heard of a session begins and ends with a chime.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    daemon::{Shared, live::Live},
    domain::{
        airtime::chimes,
        audio::Ends,
        delivery::State,
        id::{ChannelId, DeliveryId, ScheduleId},
        pause::Pause,
        schedule::Choice,
        time::Timestamp,
    },
    store::{StoreError, Unprepared, audio::Part},
};

/// One occurrence of a session on one channel.
type Key = (ScheduleId, Timestamp, ChannelId);

/// What is left of sessions.
#[derive(Default)]
pub(super) struct Sessions(BTreeMap<Key, BTreeMap<u16, DeliveryId>>);

impl Sessions {
    /// Looks up the sessions of what is to be frozen.
    pub(super) async fn load(
        shared: &Shared,
        live: &Live,
        unprepared: &[Unprepared],
    ) -> Result<Self, StoreError> {
        Self::of(shared, live, unprepared.iter().map(key).collect()).await
    }

    async fn of(shared: &Shared, live: &Live, keys: BTreeSet<Key>) -> Result<Self, StoreError> {
        let mut places: HashMap<DeliveryId, (Key, u16)> = HashMap::new();
        for key in keys {
            let (schedule, scheduled, channel) = &key;
            for part in 0..parts(live, schedule, channel) {
                let id = DeliveryId::of_part(schedule, *scheduled, part, channel);
                places.insert(id, (key.clone(), part));
            }
        }
        let mut sessions = Self::default();
        if places.is_empty() {
            return Ok(sessions);
        }
        let ids: Vec<DeliveryId> = places.keys().cloned().collect();
        let pauses = shared.store.pauses(shared.clock.now()).await?;
        for one in shared.store.parts(&ids).await? {
            if let Some((key, part)) = places.remove(&one.id)
                && is_left(&one, &key.2, &pauses)
            {
                sessions.0.entry(key).or_default().insert(part, one.id);
            }
        }
        Ok(sessions)
    }

    /// Takes out what is not heard after all.
    pub(super) fn end<'a>(&mut self, ids: impl Iterator<Item = &'a DeliveryId>) {
        let ended: BTreeSet<&DeliveryId> = ids.collect();
        for parts in self.0.values_mut() {
            parts.retain(|_, id| !ended.contains(id));
        }
    }

    /// Where `delivery` has the chime.
    pub(super) fn ends(&self, delivery: &Unprepared) -> Ends {
        self.ends_of(&key(delivery), delivery.part)
    }

    fn ends_of(&self, key: &Key, part: u16) -> Ends {
        let others = || self.0.get(key).into_iter().flat_map(BTreeMap::keys);
        Ends {
            opens: others().all(|other| *other >= part),
            closes: others().all(|other| *other <= part),
        }
    }
}

/// What is frozen and lost its neighbour since is frozen again with the chime that it has to have now, as long as there is time to
/// make its sound.
pub(super) async fn chime_again(shared: &Shared, live: &Live) -> Result<(), StoreError> {
    let workspace = &live.workspace;
    if !workspace
        .channels
        .values()
        .any(|channel| workspace.has_chime(channel))
    {
        return Ok(());
    }
    let is_session = |choice: &Choice| choice.parts().len() > 1;
    let schedules: Vec<&ScheduleId> = workspace
        .schedules
        .values()
        .filter(|schedule| is_session(&schedule.bulletins))
        .map(|schedule| &schedule.id)
        .collect();
    if schedules.is_empty() {
        return Ok(());
    }
    let now = shared.clock.now();
    let span = (
        now + workspace.settings.audio.timeout,
        now + workspace.settings.prepare,
    );
    let frozen = shared.store.frozen_parts(&schedules, span).await?;
    let keys = frozen
        .iter()
        .map(|one| (one.schedule.clone(), one.scheduled, one.channel.clone()));
    let sessions = Sessions::of(shared, live, keys.clone().collect()).await?;
    let differs = keys.zip(&frozen).filter(|(key, one)| {
        parts(live, &key.0, &key.2) > 0
            && sessions.ends_of(key, one.part).count() != chimes(one.length, one.spoken)
    });
    let again: Vec<DeliveryId> = differs.map(|(_, one)| one.id.clone()).collect();
    for id in &again {
        tracing::info!(delivery.id = %id, "gets another chime, because other parts of its session are left");
    }
    shared.store.freeze_again(&again, now).await
}

fn key(delivery: &Unprepared) -> Key {
    let (schedule, channel) = (&delivery.schedule, &delivery.channel);
    (schedule.clone(), delivery.scheduled, channel.clone())
}

/// How many parts a schedule's sessions have on a channel where they share a chime; none where each is heard or read by itself.
fn parts(live: &Live, schedule: &ScheduleId, channel: &ChannelId) -> u16 {
    let workspace = &live.workspace;
    let has_chime = workspace
        .channels
        .get(channel)
        .is_some_and(|channel| channel.is_heard() && workspace.has_chime(channel));
    let count = workspace
        .schedules
        .get(schedule)
        .map_or(0, |schedule| schedule.bulletins.parts().len());
    if count > 1 && has_chime {
        u16::try_from(count).unwrap_or(u16::MAX)
    } else {
        0
    }
}

/// Whether a part was heard, may have been or is to be.
fn is_left(part: &Part, channel: &ChannelId, pauses: &[Pause]) -> bool {
    match part.state {
        State::Skipped | State::Cancelled | State::Failed => false,
        State::Planned | State::Ready => !pauses.iter().any(|pause| {
            pause.is_in_force(part.due)
                && pause.covers(&part.ward, channel, part.topic.as_ref(), part.priority)
        }),
        State::Sending | State::Accepted | State::Confirmed | State::Unheard | State::Unknown => {
            true
        }
    }
}
