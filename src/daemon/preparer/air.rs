//! What gives way when its words are frozen: on a day on which something is sent by hand, what is heard is judged beside all that is
//! on record and not by the plan alone.

use std::{collections::HashMap, time::Duration};

use crate::{
    daemon::{Shared, live::Live},
    domain::{
        bulletin::Priority,
        id::DeliveryId,
        plan::air::{Air, NoPlace, OnAir},
        schedule::Start,
        time::Timestamp,
    },
    store::{StoreError, Unprepared, air::Move},
};

use super::{Heard, Round, choice::Refused};

/// What is on air on the days of a round.
pub(super) struct OfDay<'w> {
    air: Air<'w>,
    /// What gives way and is heard later.
    pub moves: Vec<Move>,
}

impl<'w> OfDay<'w> {
    /// `None` where nothing is sent by hand on these days: then the plan has seen everything.
    pub(super) async fn load(
        shared: &Shared,
        live: &'w Live,
        heard: &HashMap<&DeliveryId, Heard<'_>>,
        unprepared: &[Unprepared],
        round: &Round,
    ) -> Result<Option<Self>, StoreError> {
        let dues = || heard.values().map(|heard| heard.delivery.due);
        let (Some(first), Some(last)) = (dues().min(), dues().max()) else {
            return Ok(None);
        };
        let span = Air::reach(&live.workspace, first, last);
        let sent = shared.store.sent_until().await?;
        if sent.is_none_or(|sent| sent < span.0) {
            return Ok(None);
        }
        let mut air = Air::new(&live.workspace, shared.store.on_air(span).await?);
        for id in round.failed.values().flatten() {
            if let Some(one) = unprepared.iter().find(|one| one.id == *id) {
                air.remove(&one.ward, id);
            }
        }
        Ok(Some(Self {
            air,
            moves: Vec::new(),
        }))
    }

    /// Whether something that lasts so long keeps its place. `false` where it gets another one.
    pub(super) fn keeps_place(
        &mut self,
        live: &Live,
        heard: &Heard<'_>,
        length: Duration,
        priority: Priority,
    ) -> Result<bool, Refused> {
        let delivery = heard.delivery;
        if delivery.schedule.is_test() {
            return Ok(true);
        }
        let mut wish = OnAir {
            id: delivery.id.clone(),
            schedule: delivery.schedule.clone(),
            scheduled: delivery.scheduled,
            part: delivery.part,
            bulletin: Some(delivery.bulletin.clone()),
            ward: delivery.ward.clone(),
            channel: delivery.channel.clone(),
            channel_name: heard.channel.name.clone(),
            priority,
            from: delivery.due,
            length,
            deadline: delivery.deadline,
            is_begun: false,
            is_open: true,
        };
        // Where it goes at once hours and amounts were judged when it was sent.
        if priority == Priority::Emergency {
            self.air.put(wish);
            return Ok(true);
        }
        match self.air.place(&wish, latest(live, delivery), true) {
            Ok(place) if place.from == delivery.due => {
                self.air.put(wish);
                Ok(true)
            }
            Ok(place) => {
                let over = place.limit.as_ref().map(|limit| limit.over - length);
                let within = delivery.deadline.since(delivery.due);
                let deadline =
                    over.map_or(place.from + within, |over| over.min(place.from + within));
                self.moves.push(Move {
                    id: delivery.id.clone(),
                    due: place.from,
                    deadline: deadline.max(place.from),
                    limit: place.limit,
                    detail: place.waits.and_then(|why| why.detail).unwrap_or_default(),
                });
                wish.from = place.from;
                self.air.put(wish);
                Ok(false)
            }
            Err(NoPlace { why, .. }) => {
                self.air.remove(&wish.ward, &wish.id);
                Err((why.reason, why.detail.unwrap_or_default()))
            }
        }
    }
}

/// Until when something may begin that cannot begin when it is due.
fn latest(live: &Live, delivery: &Unprepared) -> Timestamp {
    if delivery.schedule.is_by_hand() {
        return delivery.deadline;
    }
    let schedule = live.workspace.schedules.get(&delivery.schedule);
    match schedule.map(|schedule| schedule.start) {
        Some(Start::Soft { max_wait }) if delivery.part == 0 => {
            (delivery.scheduled + max_wait).max(delivery.due)
        }
        Some(Start::Soft { max_wait }) => delivery.due + max_wait,
        Some(Start::Hard) | None => delivery.due,
    }
}
