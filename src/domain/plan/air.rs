//! What is on record as heard, and a place beside it for one broadcast more: for what is sent by hand, which no plan knows of,
//! and for what the plan holds and such a send has got in the way of.
//!
//! The plan is a function of files; what is sent by hand is on record only. So this is asked wherever both meet: when something is
//! sent by hand, and when words are frozen on a day on which something was. It judges by the rules by which the plan does:
//! hours, amounts, and who hears whom. What is less urgent and has not begun stands in nobody's way: it gives way when its own
//! words are frozen.

use std::{collections::BTreeMap, time::Duration};

use chrono::NaiveDate;

use super::{
    LONGEST, Limit, PlannedDelivery, Why,
    place::{BETWEEN, Ground, plays},
};
use crate::domain::{
    bulletin::Priority,
    calendar::local,
    delivery::Reason,
    id::{BulletinId, ChannelId, DeliveryId, ScheduleId, WardId},
    policy::{Permit, Span, Verdict, midnight},
    time::Timestamp,
    workspace::Workspace,
};

/// A place is looked for in at most so many steps.
const STEPS: usize = 5_000;

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

    fn is_one_with(&self, other: &Self) -> bool {
        self.schedule == other.schedule && self.scheduled == other.scheduled
    }

    /// Whether it stands in the way of `wish`, as far as urgency goes.
    fn binds(&self, wish: &Self) -> bool {
        wish.priority != Priority::Emergency && self.goes_before(wish)
    }

    /// Whether it keeps its place when `wish` wants it.
    fn goes_before(&self, wish: &Self) -> bool {
        self.is_begun || wish.priority <= self.priority
    }
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
    /// What does not let it wait so long: of all that is in the way the first that goes on for too long.
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
        Self {
            workspace,
            ground,
            items,
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
    /// has to be over by then, so that no further try of it is heard over `placed`.
    fn touched<'a>(&'a self, placed: &'a OnAir) -> impl Iterator<Item = (&'a OnAir, bool)> {
        let others = self
            .heard_in(&placed.ward)
            .filter(|other| other.is_open && other.id != placed.id && !other.is_one_with(placed));
        others.filter_map(|other| {
            let gives_way = !other.is_begun && other.priority < placed.priority;
            let meets = other.from < placed.reserved_until() + BETWEEN
                && placed.from < other.reserved_until() + BETWEEN;
            if gives_way && meets {
                return Some((other, true));
            }
            let is_before = other.from <= placed.from;
            (is_before && placed.from < other.deadline + other.length).then_some((other, false))
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

    /// When `parts` can begin, and what was in the way at the time that was wanted.
    fn find(
        &self,
        parts: &[OnAir],
        latest: Timestamp,
        has_slack: bool,
    ) -> Result<(Timestamp, Option<Why>), NoPlace> {
        let wish = &parts[0];
        let zone = self.workspace.settings.zone;
        let end = {
            let day = local(wish.from, zone).date();
            midnight(day.succ_opt().unwrap_or(day), zone)
        };
        let mut begin = wish.from;
        let mut first: Option<Why> = None;
        let mut decides: Option<Why> = None;
        let mut last: Option<Why> = None;
        let mut is_found = false;
        for _ in 0..STEPS {
            let Some((why, until)) = self.obstacle(parts, begin, has_slack) else {
                is_found = true;
                break;
            };
            first.get_or_insert_with(|| why.clone());
            if until > latest {
                decides.get_or_insert_with(|| why.clone());
            }
            last = Some(why);
            begin = until;
            if begin >= end.max(latest) {
                break;
            }
        }
        match first {
            None => Ok((begin, None)),
            Some(why) if is_found && begin <= latest => Ok((begin, Some(why))),
            Some(first) => {
                let next = if is_found {
                    Some(begin)
                } else {
                    self.permitted_from(wish, end)
                };
                let why = decides.unwrap_or(first);
                let until_then = last.filter(|last| next.is_some() && *last != why);
                Err(NoPlace {
                    why,
                    next,
                    until_then,
                })
            }
        }
    }

    /// When the hours permit `wish` from a later day on.
    fn permitted_from(&self, wish: &OnAir, day: Timestamp) -> Option<Timestamp> {
        let (policy, zone) = (&self.workspace.policy, self.workspace.settings.zone);
        match policy.judge(&wish.ward, zone, wish.priority, day, wish.length) {
            Verdict::Permitted(_) => Some(day),
            Verdict::Refused { next, .. } => next.map(|(at, _)| at),
        }
    }

    fn permit(&self, wish: &OnAir, at: Timestamp) -> Permit<'w> {
        let zone = self.workspace.settings.zone;
        let on = |day| {
            let policy = &self.workspace.policy;
            policy.permit(&wish.ward, day, zone, wish.priority)
        };
        let day = local(at, zone).date();
        on(day).followed_by(on(day.succ_opt().unwrap_or(day)))
    }

    /// What keeps `parts` from beginning at `begin`, and from when on that does not; always later.
    fn obstacle(
        &self,
        parts: &[OnAir],
        begin: Timestamp,
        has_slack: bool,
    ) -> Option<(Why, Timestamp)> {
        let first = parts[0].from;
        for part in parts {
            let at = begin + part.from.since(first);
            if let Some((why, until)) = self.meets(parts, part, at, has_slack) {
                return Some((why, begin + until.since(at)));
            }
        }
        let zone = self.workspace.settings.zone;
        // What is least urgent of it is bound most.
        let wish = parts.iter().min_by_key(|part| part.priority)?;
        let until = over(parts, begin);
        let permit = self.permit(wish, begin);
        if let Some(closed) = permit.refuses(begin, until) {
            let why = closed.rule.outside(begin, until, zone);
            return Some((why.into_why(Reason::Policy), closed.until));
        }
        let much = permit.too_much(&self.counted(parts, wish, begin), (begin, until))?;
        // A minute later it may be a session of its own, or a part of the next one.
        let later = begin + Duration::from_mins(1);
        Some((much.detail().into_why(Reason::Policy), later))
    }

    /// What is heard when `wish`, one of `parts`, would be if it began at `begin`, and from when on that is not so.
    fn meets(
        &self,
        parts: &[OnAir],
        wish: &OnAir,
        begin: Timestamp,
        has_slack: bool,
    ) -> Option<(Why, Timestamp)> {
        let reserved = begin + wish.length + wish.length / 20;
        for other in self.heard_in(&wish.ward) {
            if parts.iter().any(|part| part.id == other.id) || !other.binds(wish) {
                continue;
            }
            let is_own = other.channel == wish.channel;
            if other.is_one_with(wish) {
                // A chorus; of a session only what comes before on the same loudspeaker.
                let is_before = is_own && other.part < wish.part;
                if is_before && begin < other.until() {
                    return Some((self.collision(other), other.until()));
                }
                if is_before || is_own || has_slack || begin == other.from {
                    continue;
                }
            }
            let ends = other.reserved_until();
            if begin >= ends + BETWEEN || other.from >= reserved + BETWEEN {
                continue;
            }
            let is_settled = has_slack && !other.is_begun && other.priority == wish.priority;
            let over = if other.from <= begin {
                (ends.since(begin), other.length)
            } else {
                (reserved.since(other.from), wish.length)
            };
            if is_settled && over.0 <= over.1 / 4 + BETWEEN * 6 {
                continue;
            }
            return Some((self.collision(other), ends + BETWEEN));
        }
        None
    }

    /// What counts for the amounts of the day on which `wish` begins at `begin`: what its area's own loudspeakers say and rules limit.
    fn counted(&self, parts: &[OnAir], wish: &OnAir, begin: Timestamp) -> Vec<Span> {
        let zone = self.workspace.settings.zone;
        let day = local(begin, zone).date();
        let counts = |other: &&OnAir| {
            parts.iter().all(|part| part.id != other.id)
                && other.goes_before(wish)
                && local(other.from, zone).date() == day
                && self
                    .workspace
                    .policy
                    .permit(&other.ward, day, zone, other.priority)
                    .has_limits()
        };
        let items = self.ground.number(&wish.ward).into_iter();
        items
            .flat_map(|number| &self.items[number])
            .filter(counts)
            .map(|other| (other.from, other.until()))
            .collect()
    }

    /// The place of `wish`, one of `parts` that begin at `begin`, with what wants it to be over in time: the hours, the longest session, and what is heard next.
    fn found(&self, parts: &[OnAir], wish: &OnAir, first: Timestamp, waits: Option<Why>) -> Place {
        let zone = self.workspace.settings.zone;
        let whole = (first, over(parts, first));
        let begin = first + wish.from.since(parts[0].from);
        let until = begin + wish.length;
        let permit = self.permit(wish, begin);
        let mut limits = Vec::new();
        let open = permit
            .open
            .iter()
            .find(|open| open.from <= begin && begin < open.until);
        if let Some((over, rule)) = open.and_then(|open| Some((open.until, open.ends?))) {
            limits.push(Limit {
                over,
                why: rule.outside(begin, until, zone).into_why(Reason::Policy),
            });
        }
        if let Some((longest, rule)) = permit.longest {
            let mut heard = self.counted(parts, wish, first);
            heard.push(whole);
            let session = permit.session(&heard, begin);
            limits.push(Limit {
                over: session.0 + longest,
                why: rule
                    .too_long(session.1.since(session.0), longest)
                    .into_why(Reason::Policy),
            });
        }
        let next = self
            .heard_in(&wish.ward)
            .filter(|other| {
                other.id != wish.id
                    && other.binds(wish)
                    && !other.is_one_with(wish)
                    && other.from > begin
            })
            .min_by_key(|other| other.from);
        if let Some(next) = next {
            limits.push(Limit {
                over: next.from.max(until),
                why: self.collision(next),
            });
        }
        Place {
            from: begin,
            limit: limits.into_iter().min_by_key(|limit| limit.over),
            waits,
        }
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

/// When the last of `parts` is over if the first begins at `begin`.
fn over(parts: &[OnAir], begin: Timestamp) -> Timestamp {
    let ends = parts
        .iter()
        .map(|part| begin + part.from.since(parts[0].from) + part.length);
    ends.max().unwrap_or(begin)
}
