//! What is on record as heard, and a place beside it for one broadcast more: for what is sent by hand, which no plan knows of,
//! and for what the plan holds and such a send has got in the way of.
//!
//! The plan is a function of files; what is sent by hand is on record only. So this is asked wherever both meet: when something is
//! sent by hand, and when words are frozen on a day on which something was. It judges by the rules by which the plan does:
//! hours, amounts, and who hears whom. What is less urgent and has not begun stands in nobody's way: it gives way when its own
//! words are frozen.

pub mod again;
mod displaced;
mod find;

pub use displaced::displaced;

use std::{collections::BTreeMap, time::Duration};

use chrono::NaiveDate;

use super::{
    LONGEST, Limit, PlannedDelivery, Why,
    place::{BETWEEN, Ground, plays},
};
use crate::domain::{
    bulletin::Priority,
    calendar::local,
    id::{BulletinId, ChannelId, DeliveryId, ScheduleId, WardId},
    policy::{Span, Spoken, midnight},
    schedule::Start,
    time::Timestamp,
    workspace::Workspace,
};

/// Something that was heard, or is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct OnAir {
    /// The delivery.
    pub id: DeliveryId,
    /// Its schedule.
    pub schedule: ScheduleId,
    /// The instant that its schedule names.
    pub scheduled: Timestamp,
    /// Which part of a session it is, from 0.
    pub part: u16,
    /// What it says.
    pub bulletin: Option<BulletinId>,
    /// Where.
    pub ward: WardId,
    /// On which loudspeaker.
    pub channel: ChannelId,
    /// What people call that.
    pub channel_name: String,
    /// How urgent it is.
    pub priority: Priority,
    /// When it began, or is to begin.
    pub from: Timestamp,
    /// How long it lasts, as far as is known.
    pub length: Duration,
    /// When its sending must have begun.
    pub deadline: Timestamp,
    /// Whether a call was made for it.
    pub is_begun: bool,
    /// Whether it may still be sent.
    pub is_open: bool,
}

impl OnAir {
    /// What is heard of a delivery that goes on record; `None` of what is read.
    #[must_use]
    pub fn of(delivery: &PlannedDelivery) -> Option<Self> {
        Some(Self {
            id: delivery.id.clone(),
            schedule: delivery.schedule.clone(),
            scheduled: delivery.scheduled,
            part: delivery.part,
            bulletin: delivery.bulletin.clone(),
            ward: delivery.ward.clone(),
            channel: delivery.channel.clone(),
            channel_name: delivery.channel_name.clone(),
            priority: delivery.priority,
            from: delivery.due,
            length: delivery.length?,
            deadline: delivery.deadline,
            is_begun: false,
            is_open: true,
        })
    }

    fn until(&self) -> Timestamp {
        self.from + self.length
    }

    /// When its place on air ends: what has not begun may last a little longer than expected.
    fn reserved_until(&self) -> Timestamp {
        let spare = if self.is_begun {
            Duration::ZERO
        } else {
            self.length / 20
        };
        self.until() + spare
    }

    /// Whether both are parts of one session on one loudspeaker.
    fn is_session_of(&self, other: &Self) -> bool {
        self.is_one_with(other) && self.channel == other.channel
    }

    fn is_one_with(&self, other: &Self) -> bool {
        self.schedule == other.schedule && self.scheduled == other.scheduled
    }
}

/// Until when something may begin that cannot begin when it is due.
#[must_use]
pub fn latest(workspace: &Workspace, delivery: &OnAir) -> Timestamp {
    if delivery.schedule.is_by_hand() {
        return delivery.deadline;
    }
    let schedule = workspace.schedules.get(&delivery.schedule);
    match schedule.map(|schedule| schedule.start) {
        Some(Start::Soft { max_wait }) if delivery.part == 0 => {
            (delivery.scheduled + max_wait).max(delivery.from)
        }
        Some(Start::Soft { max_wait }) => delivery.from + max_wait,
        Some(Start::Hard) | None => delivery.from,
    }
}

/// As the rules count it: a session as a whole, and as its least urgent part, like the plan does.
fn spoken<'a>(items: impl Iterator<Item = &'a OnAir>) -> Vec<Spoken> {
    let mut sessions: Vec<(&OnAir, Spoken)> = Vec::new();
    for item in items {
        let span = (item.from, item.until());
        let priority = item.priority;
        let session = sessions
            .iter_mut()
            .find(|(first, _)| first.is_session_of(item));
        match session {
            Some((_, whole)) => {
                whole.span = (whole.span.0.min(span.0), whole.span.1.max(span.1));
                whole.priority = whole.priority.min(priority);
            }
            None => sessions.push((item, Spoken { span, priority })),
        }
    }
    sessions.into_iter().map(|(_, whole)| whole).collect()
}

/// A place on air.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// When it begins.
    pub from: Timestamp,
    /// When it has to be over.
    pub limit: Option<Limit>,
    /// What was in the way at the time that was wanted, if it begins later.
    pub waits: Option<Why>,
}

/// There is no place in time.
#[derive(Debug, Clone, PartialEq)]
pub struct NoPlace {
    /// The first rule that kept it from a time at which nothing else is heard, as in the plan; without one, of what is heard the
    /// first that goes on for too long.
    pub why: Why,
    /// When there is one, as far as can be told.
    pub next: Option<Timestamp>,
    /// What is in the way until then, where that is something else.
    pub until_then: Option<Why>,
}

/// What new broadcasts ask of those that are on record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settled {
    /// What gives way: it is judged once more, and heard later or not at all.
    pub gives_way: Vec<OnAir>,
    /// What has to be over by when.
    pub over_by: Vec<(DeliveryId, Limit)>,
}

/// What is on record of some days, by area.
#[derive(Debug)]
pub struct Air<'w> {
    workspace: &'w Workspace,
    ground: Ground<'w>,
    items: Vec<Vec<OnAir>>,
}

impl<'w> Air<'w> {
    /// The interval of which `from` to `until` has to know what is on record.
    #[must_use]
    pub fn reach(workspace: &Workspace, from: Timestamp, until: Timestamp) -> Span {
        let zone = workspace.settings.zone;
        let day = |at| local(at, zone).date();
        let after = |day: NaiveDate| day.succ_opt().unwrap_or(day);
        let begin = midnight(day(from), zone) - LONGEST;
        (begin, midnight(after(after(day(until))), zone))
    }

    /// What is on record: each delivery once.
    #[must_use]
    pub fn new(workspace: &'w Workspace, on_record: impl IntoIterator<Item = OnAir>) -> Self {
        let ground = Ground::new(workspace);
        let mut items = vec![Vec::new(); ground.len()];
        for item in on_record {
            if let Some(number) = ground.number(&item.ward) {
                items[number].push(item);
            }
        }
        let mut air = Self {
            workspace,
            ground,
            items,
        };
        let all = air.items.iter().flatten();
        let corrections = all.filter(|item| item.schedule.is_correction());
        for correction in corrections.cloned().collect::<Vec<_>>() {
            air.interrupt(&correction);
        }
        air
    }

    /// Ends what `correction` corrects when it begins, where its loudspeaker is still playing that and can be told to stop: the
    /// dispatcher does so.
    pub fn interrupt(&mut self, correction: &OnAir) {
        if !self.workspace.can_stop(&correction.channel) {
            return;
        }
        let number = self.ground.number(&correction.ward).into_iter();
        for number in number {
            for item in &mut self.items[number] {
                let is_corrected = item.is_begun
                    && !item.is_open
                    && item.channel == correction.channel
                    && item.bulletin == correction.bulletin
                    && !item.schedule.is_correction();
                if is_corrected && item.from < correction.from && correction.from < item.until() {
                    // Nothing has to be waited for after what is cut off.
                    let heard = correction.from.since(item.from);
                    item.length = heard.saturating_sub(BETWEEN);
                }
            }
        }
    }

    /// Puts something on record, in place of what is known of the same delivery.
    pub fn put(&mut self, item: OnAir) {
        if let Some(number) = self.ground.number(&item.ward) {
            let items = &mut self.items[number];
            items.retain(|known| known.id != item.id);
            items.push(item);
        }
    }

    /// Takes something out: it is not heard.
    pub fn remove(&mut self, ward: &WardId, id: &DeliveryId) {
        if let Some(number) = self.ground.number(ward) {
            self.items[number].retain(|known| known.id != *id);
        }
    }

    /// What people hear who hear the loudspeakers of `ward`.
    fn heard_in(&self, ward: &WardId) -> impl Iterator<Item = &OnAir> {
        let numbers = self.ground.number(ward).into_iter();
        let numbers = numbers.flat_map(|number| self.ground.hearing(number));
        numbers.flat_map(|number| &self.items[*number])
    }

    /// What is open and would still be heard when `placed` begins, or begins during it: each with whether that gives way. What does not
    /// has to be over by then, so that no further try of it is heard over `placed`; an emergency only because of another one.
    fn touched<'a>(&'a self, placed: &'a OnAir) -> impl Iterator<Item = (&'a OnAir, bool)> {
        let others = self
            .heard_in(&placed.ward)
            .filter(|other| other.is_open && other.id != placed.id && !other.is_one_with(placed));
        let urgency = self.urgency(placed);
        others.filter_map(move |other| {
            let gives_way = !other.is_begun && self.urgency(other) < urgency;
            let meets = other.from < placed.reserved_until() + BETWEEN
                && placed.from < other.reserved_until() + BETWEEN;
            if gives_way && meets {
                return Some((other, true));
            }
            let is_before = other.from <= placed.from;
            let is_bound =
                self.urgency(other) < Priority::Emergency || urgency == Priority::Emergency;
            (is_before && is_bound && placed.from < other.deadline + other.length)
                .then_some((other, false))
        })
    }

    /// What the `placed` ask of others: what gives way to them, and what has to be over by when.
    #[must_use]
    pub fn settle(&self, placed: &[OnAir]) -> Settled {
        let mut gives_way: BTreeMap<&DeliveryId, &OnAir> = BTreeMap::new();
        let mut over_by: BTreeMap<DeliveryId, Limit> = BTreeMap::new();
        for one in placed {
            for (other, is_weaker) in self.touched(one) {
                if is_weaker {
                    gives_way.insert(&other.id, other);
                    continue;
                }
                let limit = Limit {
                    over: one.from,
                    why: self.collision(one),
                };
                let nearest = over_by
                    .entry(other.id.clone())
                    .or_insert_with(|| limit.clone());
                if limit.over < nearest.over {
                    *nearest = limit;
                }
            }
        }
        let mut gives_way: Vec<OnAir> = gives_way.into_values().cloned().collect();
        gives_way.sort_by(|one, other| (one.from, &one.id).cmp(&(other.from, &other.id)));
        Settled {
            gives_way,
            over_by: over_by.into_iter().collect(),
        }
    }

    /// A place for `wish` at its own time or later, at most at `latest`. What was settled before is given the `slack` that
    /// the plan gives to what is a little longer than it was expected to be.
    ///
    /// # Errors
    /// What is in the way.
    pub fn place(
        &self,
        wish: &OnAir,
        latest: Timestamp,
        has_slack: bool,
    ) -> Result<Place, NoPlace> {
        let parts = std::slice::from_ref(wish);
        let (begin, waits) = self.find(parts, latest, has_slack)?;
        Ok(self.found(parts, wish, begin, waits))
    }

    /// Places for the parts of a session that are left, in order: all as far apart as they are, so that nothing comes between them.
    /// `latest` is when the first may begin at most.
    ///
    /// # Errors
    /// What is in the way of one of them, or of all.
    pub fn place_together(
        &self,
        parts: &[OnAir],
        latest: Timestamp,
        has_slack: bool,
    ) -> Result<Vec<Place>, NoPlace> {
        let (begin, waits) = self.find(parts, latest, has_slack)?;
        let found = |part| self.found(parts, part, begin, waits.clone());
        Ok(parts.iter().map(found).collect())
    }

    /// What is heard on the day of a delivery in its area, besides that.
    #[must_use]
    pub fn beside(&self, ward: &WardId, id: &DeliveryId, due: Timestamp) -> Vec<Spoken> {
        let day = |at| local(at, self.workspace.settings.zone).date();
        let items = self.ground.number(ward).into_iter();
        let items = items
            .flat_map(|number| &self.items[number])
            .filter(|other| other.id != *id && day(other.from) == day(due));
        spoken(items)
    }

    /// How urgent a session is among others: as its most urgent part, or a part of it would give way alone and tear it.
    fn urgency(&self, item: &OnAir) -> Priority {
        let number = self.ground.number(&item.ward).into_iter();
        let parts = number
            .flat_map(|number| &self.items[number])
            .filter(|other| other.is_session_of(item));
        parts
            .map(|part| part.priority)
            .fold(item.priority, Priority::max)
    }

    /// Whether `other` keeps its place when `wish` wants it. What was begun had its place and is tried again: only an emergency takes
    /// away anybody else's for that.
    fn goes_before(&self, other: &OnAir, wish: &OnAir) -> bool {
        let urgency = self.urgency(wish);
        let is_second = wish.is_begun && urgency != Priority::Emergency;
        other.is_begun || is_second || urgency <= self.urgency(other)
    }

    /// Whether `other` stands in the way of `wish`, as far as urgency goes.
    fn binds(&self, other: &OnAir, wish: &OnAir) -> bool {
        self.urgency(wish) != Priority::Emergency && self.goes_before(other, wish)
    }

    /// When `item` has to be over because of what is sent by hand and begins after it; an emergency only because of another one. The
    /// plan knows nothing of that.
    #[must_use]
    pub fn over_by(&self, item: &OnAir) -> Option<Limit> {
        let is_emergency = self.urgency(item) == Priority::Emergency;
        let next = self
            .heard_in(&item.ward)
            .filter(|other| {
                other.schedule.is_by_hand()
                    && other.from > item.from
                    && other.from < item.deadline + item.length
                    && (!is_emergency || self.urgency(other) == Priority::Emergency)
                    && other.id != item.id
                    && !other.is_one_with(item)
            })
            .min_by_key(|other| other.from)?;
        Some(Limit {
            over: next.from,
            why: self.collision(next),
        })
    }

    /// The parts of its session on the same loudspeaker that are still to come, `part` among them as it stands here.
    #[must_use]
    pub fn left_of_session(&self, part: &OnAir) -> Vec<OnAir> {
        let number = self.ground.number(&part.ward).into_iter();
        let others = number
            .flat_map(|number| &self.items[number])
            .filter(|other| {
                other.is_one_with(part)
                    && other.channel == part.channel
                    && other.id != part.id
                    && other.is_open
                    && !other.is_begun
            });
        let mut left: Vec<OnAir> = others.chain([part]).cloned().collect();
        left.sort_by_key(|part| part.part);
        left
    }

    /// Why something is not heard over `other`.
    #[must_use]
    pub fn collision(&self, other: &OnAir) -> Why {
        let title = other
            .bulletin
            .as_ref()
            .and_then(|id| self.workspace.bulletins.get(id))
            .map_or("", |bulletin| bulletin.title.as_str());
        let span = (other.from, other.reserved_until());
        plays(
            title,
            &other.channel_name,
            span,
            self.workspace.settings.zone,
        )
    }
}
