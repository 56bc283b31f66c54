//! What gives way when its words are frozen: on a day on which something is sent by hand, what is heard is judged beside all that is
//! on record and not by the plan alone.

use std::{collections::HashMap, time::Duration};

use crate::{
    daemon::{Shared, live::Live},
    domain::{
        bulletin::Priority,
        id::DeliveryId,
        plan::{
            Limit,
            air::{Air, NoPlace, OnAir, again::Spot, latest},
        },
        policy::Spoken,
        schedule::Choice,
    },
    store::{Frozen, StoreError, Unprepared, air::Move},
};

use super::{Heard, Round, choice::Refused};

/// What is on air on the days of a round.
pub(super) struct OfDay<'w> {
    air: Air<'w>,
    /// Whether something is sent by hand on these days. If not the plan has seen everything.
    has_sends: bool,
    /// What gives way and is heard later.
    pub moves: Vec<Move>,
}

impl<'w> OfDay<'w> {
    /// `None` where nobody asks: nothing is sent by hand on these days, and no rule that limits how much is heard makes an exception
    /// for any of it.
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
        let has_sends = sent.is_some_and(|sent| sent >= span.0);
        // What was approved decides, not what the file says meanwhile.
        let makes_exceptions = |frozen: &Frozen| {
            let Some(heard) = heard.get(&frozen.id) else {
                return false;
            };
            let approved = frozen.approved.as_ref();
            let priority = approved.map_or(heard.delivery.priority, |approved| approved.priority);
            let mut rules = live.workspace.policy.rules.iter();
            rules.any(|rule| rule.limits_amounts() && rule.exempt.contains(&priority))
        };
        if !has_sends && !round.frozen.iter().any(makes_exceptions) {
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
            has_sends,
            moves: Vec::new(),
        }))
    }

    /// What is heard on the same day in the same area.
    pub(super) fn beside(&self, delivery: &Unprepared) -> Vec<Spoken> {
        self.air.beside(&delivery.ward, &delivery.id, delivery.due)
    }

    /// Whether something that lasts so long keeps its place, and when it has to be over then because of what is sent by hand.
    pub(super) fn keeps_place(
        &mut self,
        live: &Live,
        heard: &Heard<'_>,
        length: Duration,
        priority: Priority,
    ) -> Result<Kept, Refused> {
        let delivery = heard.delivery;
        if !self.has_sends || delivery.schedule.is_test() {
            return Ok(Kept::Until(None));
        }
        let wish = OnAir {
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
            let limit = self.air.over_by(&wish);
            self.air.put(wish);
            return Ok(Kept::Until(limit));
        }
        if self.moves.iter().any(|moved| moved.to.id == wish.id) {
            return Ok(Kept::Moved);
        }
        // Parts of a session move together, and what has no place with the others is left out from the end, as in the plan.
        self.air.put(wish.clone());
        let mut parts = self.air.left_of_session(&wish);
        let mut refused = None;
        let places = loop {
            let (Some(first), true) = (parts.first(), is_worth(live, &parts, refused.is_none()))
            else {
                break Vec::new();
            };
            match self
                .air
                .place_together(&parts, latest(&live.workspace, first), true)
            {
                Ok(places) => break places,
                Err(NoPlace { why, .. }) => {
                    refused = Some(why);
                    parts.pop();
                }
            }
        };
        if let Some(why) =
            refused.filter(|_| parts.iter().all(|part| part.id != wish.id) || places.is_empty())
        {
            self.air.remove(&wish.ward, &wish.id);
            return Err((why.reason, why.detail.unwrap_or_default()));
        }
        if places
            .iter()
            .zip(&parts)
            .all(|(place, part)| place.from == part.from)
        {
            return Ok(Kept::Until(self.air.over_by(&wish)));
        }
        for (place, part) in places.into_iter().zip(parts) {
            let over = place.limit.as_ref().map(|limit| limit.over - part.length);
            let within = part.deadline.since(part.from);
            let deadline = over.map_or(place.from + within, |over| over.min(place.from + within));
            self.moves.push(Move {
                to: Spot {
                    id: part.id.clone(),
                    due: place.from,
                    deadline: deadline.max(place.from),
                    limit: place.limit,
                },
                detail: place.waits.and_then(|why| why.detail).unwrap_or_default(),
            });
            self.air.put(OnAir {
                from: place.from,
                deadline: deadline.max(place.from),
                ..part
            });
        }
        Ok(Kept::Moved)
    }
}

/// What becomes of something that is frozen on such a day.
pub(super) enum Kept {
    /// It gets another place.
    Moved,
    /// It keeps its own, and has to be over by then, if what is sent by hand wants that.
    Until(Option<Limit>),
}

/// Whether parts of a session are worth being heard: a station that names itself and has nothing to say says nothing.
fn is_worth(live: &Live, parts: &[OnAir], is_whole: bool) -> bool {
    let [only] = parts else {
        return !parts.is_empty();
    };
    let schedule = live.workspace.schedules.get(&only.schedule);
    let has_ident = schedule
        .is_some_and(|schedule| matches!(schedule.bulletins, Choice::Session { ident: true, .. }));
    is_whole || !(has_ident && only.part == 0)
}
