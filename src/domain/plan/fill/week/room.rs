//! Where on a day a broadcast that fills a target has room, or why it has none.

use std::{collections::BTreeMap, time::Duration};

use chrono::{Datelike, NaiveTime};

use crate::domain::{
    bulletin::Priority,
    calendar::{local, resolve},
    detail::Detail,
    id::WardId,
    policy::{Closed, Rule, TooMuch},
    target::AirtimeTarget,
    time::{Timestamp, minutes_seconds},
};

use super::{
    super::super::place::{BETWEEN, Hindrance, Unit},
    Airing, Draft, Filler, SECOND,
};

/// Beginnings that are tried are so far from each other, beside those that lie close to other broadcasts.
const STEP: Duration = Duration::from_mins(5);

/// Times of day within this count as the same when broadcasts are spread.
const PART_OF_DAY: Duration = Duration::from_hours(3);

/// How a beginning lies to what is heard anyway, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// With what neighbours hear for the same target.
    Together,
    Behind,
    Before,
    Anywhere,
    Apart,
}

/// A beginning that may be tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// When it begins; if it is before something else, when that begins.
    at: Timestamp,
    /// What gives way to others may begin until then.
    before: Timestamp,
    nearness: Nearness,
}

impl<'w> Filler<'_, 'w> {
    pub(super) fn candidates(&mut self, goal: usize, ear: usize, day: usize) -> Vec<Candidate> {
        let known = &self.plan.fills.goals[goal];
        let ear_of = &known.ears[ear];
        let place = (ear_of.number, ear_of.ward);
        let spans = self.spans(known.target, place, day);
        let here = &mut self.days[day];
        let gap = here.placing.permit(place, Priority::Normal).gap;
        // With the neighbours, behind what is heard, before it, and as soon as something is a session of its own.
        let mut near: Vec<(Nearness, Timestamp)> = Vec::new();
        for slot in here.placing.heard_in(ear_of.number) {
            let schedule = &here.drafts[slot.draft].schedule.id;
            let end = self.ends[day].get(&(schedule, slot.begin)).copied();
            let end = end.unwrap_or(slot.until);
            near.push((Nearness::Behind, whole_second(end + BETWEEN)));
            near.push((Nearness::Before, slot.begin));
            if *schedule == known.schedule.id {
                near.push((Nearness::Together, slot.begin));
            }
        }
        for spoken in here.placing.heard_by(ear_of.number) {
            near.push((Nearness::Apart, whole_second(spoken.span.1 + gap)));
        }
        near.sort_unstable();
        near.dedup();
        let zone = self.plan.workspace.settings.zone;
        let clock = |at| local(at, zone).time();
        let mut all = Vec::new();
        for (from, until) in spans {
            let mut part = from;
            while part < until {
                let end = until.min(part + PART_OF_DAY);
                let (begins, ends) = (clock(part), clock(end - SECOND));
                let airings = self.hearings[goal][ear].airings.iter();
                let amount: Duration = airings
                    .filter(|airing| begins <= airing.clock && airing.clock <= ends)
                    .map(|airing| airing.length)
                    .sum();
                let within = near.iter().filter(|(_, at)| part <= *at && *at < end);
                all.extend(within.map(|(nearness, at)| {
                    let candidate = Candidate {
                        at: *at,
                        before: *at,
                        nearness: *nearness,
                    };
                    ((amount, *nearness, *at), candidate)
                }));
                let mut at = part;
                while at < end {
                    let candidate = Candidate {
                        at,
                        before: end.min(at + STEP),
                        nearness: Nearness::Anywhere,
                    };
                    all.push(((amount, Nearness::Anywhere, at), candidate));
                    at = candidate.before;
                }
                part = end;
            }
        }
        all.sort_by_key(|(key, _)| *key);
        all.into_iter().map(|(_, candidate)| candidate).collect()
    }

    /// The hours of a day that may be filled.
    fn spans(
        &mut self,
        target: &AirtimeTarget,
        place: (usize, &WardId),
        day: usize,
    ) -> Vec<(Timestamp, Timestamp)> {
        let policy = &self.plan.workspace.policy;
        let has_hours = policy.in_force(place.1, self.dates[day]).any(names_hours);
        if target.windows.is_none() && !has_hours {
            return Vec::new();
        }
        let windows = self.windows(target, day);
        let placing = &mut self.days[day].placing;
        let end = placing.end();
        let mut spans = Vec::new();
        for open in &placing.permit(place, Priority::Normal).open {
            for (from, until) in &windows {
                let span = (open.from.max(*from), open.until.min(*until).min(end));
                spans.extend((span.0 < span.1).then_some(span));
            }
        }
        spans
    }

    /// The hours of a day that a target names; the whole day where it names none at all.
    fn windows(&self, target: &AirtimeTarget, day: usize) -> Vec<(Timestamp, Timestamp)> {
        let (date, zone) = (self.dates[day], self.plan.workspace.settings.zone);
        let at = |time| resolve(date.and_time(time), zone);
        let end = self.days[day].placing.end();
        let Some(windows) = &target.windows else {
            return vec![(at(NaiveTime::MIN), end)];
        };
        let today = windows
            .iter()
            .filter(|window| window.days.contains(&date.weekday()));
        today
            .map(|window| (at(window.hours.from), window.hours.until.map_or(end, at)))
            .collect()
    }

    /// Why there is no hour on a day that may be filled.
    pub(super) fn no_hours(&mut self, goal: usize, ear: usize, day: usize) -> Detail {
        let known = &self.plan.fills.goals[goal];
        let windows = self.windows(known.target, day);
        let placing = &mut self.days[day].placing;
        let (ear, end) = (&known.ears[ear], placing.end());
        let permit = placing.permit((ear.number, ear.ward), Priority::Normal);
        let is_open = permit.open.iter().any(|open| open.from < end);
        let Some((from, until)) = windows.first().copied() else {
            return Detail::new("target-no-window");
        };
        // Of several rules the one that takes most: one that only wants the night quiet is not to blame for a day.
        let taken = |closed: &&Closed<'_>| {
            let (from, until) = (closed.from.max(from), closed.until.min(until));
            until.as_micros().saturating_sub(from.as_micros())
        };
        let closed = permit.closed.iter().max_by_key(taken);
        match closed.filter(|closed| taken(closed) > 0) {
            // Rules that name no hours leave some open, but none that could be filled.
            Some(_) if is_open && known.target.windows.is_none() => Detail::new("target-no-hours"),
            Some(closed) if is_open => closed.rule.refusal("target-closed"),
            Some(closed) => closed.rule.refusal("target-hours"),
            None => Detail::new("target-no-hours"),
        }
    }

    /// Gives a bulletin the first place that it can have.
    pub(super) fn place(
        &mut self,
        goal: usize,
        ear: usize,
        day: usize,
        bulletin: usize,
        candidates: &[Candidate],
        refused: &mut Vec<Hindrance<'w>>,
    ) -> Option<Timestamp> {
        let (units, from) = self.draft(goal, ear, day, bulletin);
        let found = self.rooms(day, &units, candidates, refused, 1);
        let here = &mut self.days[day];
        let Some((_, begin)) = found.first().copied() else {
            here.drafts.truncate(from);
            return None;
        };
        let known = &self.plan.fills.goals[goal];
        let mut over = begin;
        for unit in units {
            here.placing.add(unit, begin, &mut here.drafts);
        }
        let drafts = &here.drafts[from..];
        let heard: Vec<_> = drafts
            .iter()
            .filter_map(|draft| Some((draft.channel, draft.bulletin?, draft.length?)))
            .collect();
        for draft in drafts {
            over = over.max(draft.reserved_until());
        }
        let end = self.ends[day]
            .entry((&known.schedule.id, begin))
            .or_default();
        *end = over.max(*end);
        for (channel, bulletin, length) in heard {
            self.hear(day, channel, (begin, bulletin, length), Some(goal));
        }
        Some(begin)
    }

    /// The candidates at which a bulletin has room.
    pub(super) fn possible(
        &mut self,
        goal: usize,
        ear: usize,
        day: usize,
        bulletin: usize,
        candidates: &[Candidate],
        refused: &mut Vec<Hindrance<'w>>,
    ) -> Vec<Candidate> {
        let (units, from) = self.draft(goal, ear, day, bulletin);
        let found = self.rooms(day, &units, candidates, refused, candidates.len());
        self.days[day].drafts.truncate(from);
        found.into_iter().map(|(candidate, _)| candidate).collect()
    }

    /// The first candidates, at `most` so many, at which drafts have room, each with when they then begin; and what is in the
    /// way at those before.
    fn rooms(
        &mut self,
        day: usize,
        units: &[Unit],
        candidates: &[Candidate],
        refused: &mut Vec<Hindrance<'w>>,
        most: usize,
    ) -> Vec<(Candidate, Timestamp)> {
        let mut found = Vec::new();
        for candidate in candidates {
            match self.room(day, units, *candidate) {
                Ok(begin) => found.push((*candidate, begin)),
                Err(hindrance) => refused.extend(hindrance),
            }
            if found.len() == most {
                break;
            }
        }
        found
    }

    /// Adds a bulletin's drafts to a day, one for each channel; from which index on.
    fn draft(
        &mut self,
        goal: usize,
        ear: usize,
        day: usize,
        bulletin: usize,
    ) -> (Vec<Unit>, usize) {
        let known = &self.plan.fills.goals[goal];
        let (ear_of, chosen) = (&known.ears[ear], known.bulletins[bulletin]);
        let is_turn = |airing: &&Airing<'_>| {
            airing.day == day && airing.fills == Some(goal) && airing.bulletin.id == chosen.id
        };
        let turn = self.hearings[goal][ear]
            .airings
            .iter()
            .filter(is_turn)
            .count();
        let here = &mut self.days[day];
        let from = here.drafts.len();
        let occurrence = (
            known.schedule,
            here.begin,
            u16::try_from(turn).unwrap_or(u16::MAX),
        );
        let lengths = ear_of.channels.iter().zip(&ear_of.lengths[bulletin]);
        let drafts =
            lengths.map(|(channel, length)| Draft::filling(occurrence, channel, chosen, *length));
        here.drafts.extend(drafts);
        let units = (from..here.drafts.len()).map(|index| Unit {
            parts: vec![index],
            ward: ear_of.number,
            priority: chosen.priority,
        });
        (units.collect(), from)
    }

    /// When drafts can begin near a candidate. Nothing is still heard at midnight.
    fn room(
        &mut self,
        day: usize,
        units: &[Unit],
        candidate: Candidate,
    ) -> Result<Timestamp, Option<Hindrance<'w>>> {
        let here = &mut self.days[day];
        let drafts = units.iter().flat_map(|unit| &unit.parts);
        let reserves = drafts.map(|index| here.drafts[*index].reserve());
        let longest = reserves.max().unwrap_or_default();
        let mut begin = match candidate.nearness {
            Nearness::Before => whole_second(candidate.at - BETWEEN - longest - SECOND),
            _ => candidate.at,
        };
        loop {
            let placing = &mut here.placing;
            if begin + longest + BETWEEN > placing.end() {
                return Err(None);
            }
            let obstacle = units
                .iter()
                .find_map(|unit| placing.obstacle(unit, begin, &here.drafts));
            let Some(obstacle) = obstacle else {
                return Ok(begin);
            };
            let is_collision = matches!(obstacle.hindrance, Hindrance::Collision(_));
            let later = whole_second(obstacle.until);
            if !is_collision || later >= candidate.before {
                return Err(Some(obstacle.hindrance));
            }
            begin = later;
        }
    }
}

/// What is in the way, in sentences. That something else is heard, or that the hours end, is said only where there is little
/// else in the way; and nothing beside a day whose minutes are used up, because those refuse every time of it.
pub(super) fn obstacles(refused: &[Hindrance<'_>]) -> Vec<Detail> {
    let mut counts: BTreeMap<String, (Detail, usize, bool)> = BTreeMap::new();
    let is_day =
        |hindrance: &&Hindrance<'_>| matches!(hindrance, Hindrance::TooMuch(TooMuch::Day(..)));
    let is_used_up = refused.iter().any(|hindrance| is_day(&hindrance));
    for hindrance in refused
        .iter()
        .filter(|hindrance| !is_used_up || is_day(hindrance))
    {
        let (detail, is_common) = match hindrance {
            Hindrance::Collision(_) => (Detail::new("target-collision"), true),
            Hindrance::Outside(rule, ..) => (rule.refusal("target-window"), true),
            Hindrance::TooMuch(TooMuch::Sessions(rule, most)) => {
                (rule.refusal("target-sessions").with("most", most), false)
            }
            Hindrance::TooMuch(TooMuch::Session(rule, _, longest)) => (
                rule.refusal("target-session")
                    .with("longest", minutes_seconds(*longest)),
                false,
            ),
            Hindrance::TooMuch(TooMuch::Day(rule, _, longest)) => (
                rule.refusal("target-day")
                    .with("longest", minutes_seconds(*longest)),
                false,
            ),
        };
        let entry = counts.entry(detail.to_string());
        entry.or_insert((detail, 0, is_common)).1 += 1;
    }
    let is_worth =
        |(_, count, is_common): &(Detail, usize, bool)| !is_common || count * 2 >= refused.len();
    let found = counts.into_values().filter(is_worth);
    found.map(|(detail, ..)| detail).collect()
}

/// Whether a rule says in which hours something may be heard.
fn names_hours(rule: &Rule) -> bool {
    rule.windows.is_some() && !rule.exempt.contains(&Priority::Normal)
}

/// The instant, or the next that is a whole second.
fn whole_second(at: Timestamp) -> Timestamp {
    let over = at.as_micros().rem_euclid(1_000_000);
    let at = Timestamp::from_micros(at.as_micros() - over);
    if over == 0 { at } else { at + SECOND }
}
