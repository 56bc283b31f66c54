//! Finding a place: when something can begin, step by step, and what is in the way.

use std::time::Duration;

use chrono::NaiveDate;

use super::{Air, NoPlace, OnAir, Place, spoken};
use crate::domain::{
    bulletin::Priority,
    calendar::local,
    delivery::Reason,
    plan::{Limit, Why, place::BETWEEN},
    policy::{Permit, Span, Spoken, Verdict, midnight},
    time::Timestamp,
};

/// A place is looked for in at most so many steps.
const STEPS: usize = 5_000;

impl<'w> Air<'w> {
    /// When `parts` can begin, and what was in the way at the time that was wanted.
    pub(super) fn find(
        &self,
        parts: &[OnAir],
        latest: Timestamp,
        has_slack: bool,
    ) -> Result<(Timestamp, Option<Why>), NoPlace> {
        let wish = &parts[0];
        let mut day = self.day(parts, wish.from);
        let end = day.end;
        let mut begin = wish.from;
        let mut first: Option<Why> = None;
        let mut ruled: Option<Why> = None;
        let mut decides: Option<Why> = None;
        let mut last: Option<Why> = None;
        let mut is_found = false;
        for _ in 0..STEPS {
            if begin >= day.end {
                day = self.day(parts, begin);
            }
            let Some((why, until)) = self.obstacle(parts, begin, has_slack, &day) else {
                is_found = true;
                break;
            };
            first.get_or_insert_with(|| why.clone());
            // Rules are asked where nothing else is heard: without them there would be a place.
            if begin <= latest && why.reason == Reason::Policy {
                ruled.get_or_insert_with(|| why.clone());
            }
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
                let why = ruled.or(decides).unwrap_or(first);
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

    /// What the day of an instant leaves for `parts`.
    fn day(&self, parts: &[OnAir], at: Timestamp) -> Day<'w> {
        let zone = self.workspace.settings.zone;
        let (ward, priority) = (&parts[0].ward, bound(parts));
        let on = |day| self.workspace.policy.permit(ward, day, zone, priority);
        let day = local(at, zone).date();
        let next = day.succ_opt().unwrap_or(day);
        Day {
            permit: on(day).followed_by(on(next)),
            counted: self.counted(parts, day),
            end: midnight(next, zone),
        }
    }

    /// What keeps `parts` from beginning at `begin`, and from when on that does not; always later.
    fn obstacle(
        &self,
        parts: &[OnAir],
        begin: Timestamp,
        has_slack: bool,
        day: &Day<'w>,
    ) -> Option<(Why, Timestamp)> {
        let first = parts[0].from;
        for part in parts {
            let at = begin + part.from.since(first);
            if let Some((why, until)) = self.meets(parts, part, at, has_slack) {
                return Some((why, begin + until.since(at)));
            }
        }
        let until = over(parts, begin);
        if let Some(closed) = day.permit.refuses(begin, until) {
            let zone = self.workspace.settings.zone;
            let why = closed.rule.outside(begin, until, zone);
            return Some((why.into_why(Reason::Policy), closed.until));
        }
        let much = day.permit.too_much(&day.counted, (begin, until))?;
        let later = self.later(parts, (begin, until), day);
        Some((much.detail().into_why(Reason::Policy), later))
    }

    /// When `parts`, which would be too much in `span`, may be looked at again. A minute later they may be a session of their own,
    /// or a part of the next one; as long as nothing is near, another minute changes nothing.
    fn later(&self, parts: &[OnAir], span: Span, day: &Day<'w>) -> Timestamp {
        const MINUTE: Duration = Duration::from_mins(1);
        let ((begin, until), gap) = (span, day.permit.gap);
        let length = until.since(begin);
        let is_near =
            |(from, ends): Span| from < until + gap + MINUTE && begin < ends + gap + MINUTE;
        let heard = || self.heard_in(&parts[0].ward);
        let is_between = |other: &OnAir| other.from < until && begin < other.reserved_until();
        if day.counted.iter().any(|spoken| is_near(spoken.span)) || heard().any(is_between) {
            return begin + MINUTE;
        }
        let counted = day.counted.iter().map(|spoken| spoken.span.0 - gap);
        let closed = day.permit.closed.iter().map(|closed| closed.from);
        let heard = heard().map(|other| other.from - BETWEEN - length / 20);
        let changes = counted.chain(closed).chain(heard).chain([day.end + length]);
        let change = changes.filter(|at| *at > until).min();
        let spare = change.map_or(0, |at| at.since(until).as_secs() / 60);
        begin + MINUTE * u32::try_from(spare.max(1)).unwrap_or(u32::MAX)
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
            if parts.iter().any(|part| part.id == other.id) || !self.binds(other, wish) {
                continue;
            }
            let is_own = other.channel == wish.channel;
            if other.is_one_with(wish) {
                // A chorus; of a session only what comes before on the same loudspeaker.
                // A part that is tried again is heard apart from the others, whichever comes first.
                let is_own = is_own && !wish.is_begun;
                if is_own && other.part < wish.part && begin < other.until() {
                    return Some((self.collision(other), other.until()));
                }
                if is_own || has_slack || begin == other.from {
                    continue;
                }
            }
            let ends = other.reserved_until();
            if begin >= ends + BETWEEN || other.from >= reserved + BETWEEN {
                continue;
            }
            let is_settled =
                has_slack && !other.is_begun && self.urgency(other) == self.urgency(wish);
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

    /// What counts for the amounts of a day on which `parts` begin: what their area's own loudspeakers say.
    fn counted(&self, parts: &[OnAir], day: NaiveDate) -> Vec<Spoken> {
        let zone = self.workspace.settings.zone;
        let counts = |other: &&OnAir| {
            parts.iter().all(|part| part.id != other.id)
                && self.goes_before(other, &parts[0])
                && local(other.from, zone).date() == day
        };
        let items = self.ground.number(&parts[0].ward).into_iter();
        spoken(items.flat_map(|number| &self.items[number]).filter(counts))
    }

    /// The place of `wish`, one of `parts` that begin at `begin`, with what wants it to be over in time: the hours, the longest session, and what is heard next.
    pub(super) fn found(
        &self,
        parts: &[OnAir],
        wish: &OnAir,
        first: Timestamp,
        waits: Option<Why>,
    ) -> Place {
        let zone = self.workspace.settings.zone;
        let whole = (first, over(parts, first));
        let begin = first + wish.from.since(parts[0].from);
        let until = begin + wish.length;
        let Day {
            permit,
            mut counted,
            ..
        } = self.day(parts, first);
        let mut limits = Vec::new();
        let open = permit
            .open
            .iter()
            .find(|open| open.from <= begin && begin < open.until);
        if let Some((over, rule)) = open.and_then(|open| Some((open.until, open.ends?))) {
            limits.push(Limit {
                over,
                why: rule.hours_end(over, zone).into_why(Reason::Policy),
            });
        }
        counted.push(Spoken {
            span: whole,
            priority: bound(parts),
        });
        if let Some(end) = permit.session_end(&counted, begin) {
            limits.push(Limit {
                over: end.over,
                why: end.detail(zone).into_why(Reason::Policy),
            });
        }
        let next = self
            .heard_in(&wish.ward)
            .filter(|other| {
                other.id != wish.id
                    && self.binds(other, wish)
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
}

/// What a day leaves for something, and what counts for its amounts.
#[derive(Debug)]
struct Day<'w> {
    permit: Permit<'w>,
    counted: Vec<Spoken>,
    end: Timestamp,
}

/// As what the rules bind `parts`: as the least urgent of them.
fn bound(parts: &[OnAir]) -> Priority {
    let priorities = parts.iter().map(|part| part.priority);
    priorities.min().unwrap_or_default()
}

/// When the last of `parts` is over if the first begins at `begin`.
fn over(parts: &[OnAir], begin: Timestamp) -> Timestamp {
    let ends = parts
        .iter()
        .map(|part| begin + part.from.since(parts[0].from) + part.length);
    ends.max().unwrap_or(begin)
}
