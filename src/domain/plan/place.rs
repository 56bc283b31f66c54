//! What is heard gets its place in the day: inside the permitted hours, and never over something else that the same people
//! hear. Whoever comes first in precedence keeps its time; what gives way waits as long as its schedule lets it, or is
//! skipped with the reason.
//!
//! Precedence: the more urgent before the less urgent; then what must begin on time before what may wait; then as the ward
//! decided; then the earlier, and at last the order of ids, so that every node decides alike. What fills airtime targets
//! (`plan/fill.rs`) is judged by the same rules, after all of that.

use std::{cmp::Reverse, collections::HashMap, time::Duration};

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::domain::{
    audio::Ends,
    bulletin::Priority,
    calendar::clock,
    delivery::Reason,
    detail::Detail,
    id::{RuleId, WardId},
    policy::{Permit, Policy, Rule, SessionEnd, Span, Spoken, TooMuch},
    schedule::Start,
    time::Timestamp,
    workspace::Workspace,
};

use super::{Limit, NO_BULLETIN, Why, draft::Draft};

/// Silence between two broadcasts of different schedules.
pub(super) const BETWEEN: Duration = Duration::from_secs(5);

/// Who hears whom.
#[derive(Debug)]
pub(super) struct Ground<'w> {
    workspace: &'w Workspace,
    numbers: HashMap<&'w WardId, usize>,
    /// For each ward, itself and the wards that its loudspeakers are heard in, or whose loudspeakers are heard in it.
    hearing: Vec<Vec<usize>>,
}

impl<'w> Ground<'w> {
    pub(super) fn new(workspace: &'w Workspace) -> Self {
        let wards = || std::iter::once(&workspace.settings.city).chain(workspace.wards.values());
        let numbers: HashMap<&WardId, usize> = wards()
            .enumerate()
            .map(|(number, ward)| (&ward.id, number))
            .collect();
        let mut hearing: Vec<Vec<usize>> = (0..numbers.len()).map(|number| vec![number]).collect();
        for ward in wards() {
            let one = numbers[&ward.id];
            for other in ward.neighbours.iter().filter_map(|id| numbers.get(id)) {
                hearing[one].push(*other);
                hearing[*other].push(one);
            }
        }
        for list in &mut hearing {
            list.sort_unstable();
            list.dedup();
        }
        Self {
            workspace,
            numbers,
            hearing,
        }
    }

    /// The number of a ward here.
    pub(super) fn number(&self, ward: &WardId) -> Option<usize> {
        self.numbers.get(ward).copied()
    }

    /// How many wards there are, the city with them.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The wards that hear what one with that number hears, itself among them.
    pub(super) fn hearing(&self, number: usize) -> &[usize] {
        &self.hearing[number]
    }

    /// Gives every draft of `day`, which ends at `end`, that is heard its place. The first `late` drafts have theirs: they
    /// began on the day before and are still heard.
    pub(super) fn place(
        &self,
        day: NaiveDate,
        end: Timestamp,
        drafts: &mut [Draft<'w>],
        late: usize,
    ) -> Placing<'_, 'w> {
        let mut units = self.units(drafts, late);
        units.sort_by(|one, other| {
            self.precedence(one, drafts)
                .cmp(&self.precedence(other, drafts))
        });
        let mut placing = Placing {
            ground: self,
            zone: self.workspace.settings.zone,
            end,
            permits: Permits {
                policy: &self.workspace.policy,
                zone: self.workspace.settings.zone,
                day,
                known: HashMap::new(),
            },
            slots: vec![Vec::new(); self.numbers.len()],
            heard: vec![Vec::new(); self.numbers.len()],
            placed: Vec::new(),
        };
        for (index, draft) in drafts[..late].iter().enumerate() {
            if let Some(number) = self.numbers.get(&draft.channel.ward) {
                placing.slots[*number].push(Slot {
                    from: draft.due,
                    until: draft.reserved_until(),
                    draft: index,
                    begin: draft.due,
                });
            }
        }
        for unit in &mut units {
            placing.unit(unit, drafts);
        }
        placing.placed = units;
        placing
    }

    /// Drafts that stand or fall together: the parts of one occurrence on one channel.
    fn units(&self, drafts: &[Draft<'w>], late: usize) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        for (index, draft) in drafts.iter().enumerate().skip(late) {
            let (Some(_), None, Some(ward)) = (
                draft.length,
                &draft.skip,
                self.numbers.get(&draft.channel.ward),
            ) else {
                continue;
            };
            if let Some(unit) = units.last_mut().filter(|_| draft.part > 0) {
                let first = &drafts[unit.parts[0]];
                if first.is_one_with(draft) && first.channel.id == draft.channel.id {
                    unit.parts.push(index);
                    unit.priority = unit.priority.max(draft.priority());
                    continue;
                }
            }
            units.push(Unit {
                parts: vec![index],
                ward: *ward,
                priority: draft.priority(),
            });
        }
        units
    }

    fn precedence<'d>(&self, unit: &Unit, drafts: &'d [Draft<'w>]) -> impl Ord + use<'d, 'w> {
        let first = &drafts[unit.parts[0]];
        let id = &first.schedule.id;
        let chosen = self
            .workspace
            .ward(&first.channel.ward)
            .and_then(|ward| ward.first.iter().position(|schedule| schedule == id))
            .unwrap_or(usize::MAX);
        (
            Reverse(unit.priority),
            first.schedule.start != Start::Hard,
            chosen,
            first.due,
            id,
            &first.channel.id,
        )
    }
}

/// Drafts that stand or fall together, by their places in the list.
#[derive(Debug)]
pub(super) struct Unit {
    pub parts: Vec<usize>,
    pub ward: usize,
    pub priority: Priority,
}

impl Unit {
    /// As what the rules bind it: as its least urgent part.
    fn bound(&self, drafts: &[Draft<'_>]) -> Priority {
        let parts = self.parts.iter().map(|part| drafts[*part].priority());
        parts.min().unwrap_or_default()
    }
}

/// What is heard on a channel from one instant to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub from: Timestamp,
    pub until: Timestamp,
    /// The draft.
    pub draft: usize,
    /// When the first part of its unit begins.
    pub begin: Timestamp,
}

/// A day on which everything that its schedules want has its place.
#[derive(Debug)]
pub(super) struct Placing<'g, 'w> {
    ground: &'g Ground<'w>,
    zone: Tz,
    end: Timestamp,
    permits: Permits<'w>,
    /// By ward: what its loudspeakers say, in the order of precedence.
    slots: Vec<Vec<Slot>>,
    /// By ward: when anything is heard of its own loudspeakers.
    heard: Vec<Vec<Spoken>>,
    /// What was looked at; without parts where nothing of it has a place.
    placed: Vec<Unit>,
}

/// What the rules leave of a day and of what follows, by ward and priority.
#[derive(Debug)]
struct Permits<'w> {
    policy: &'w Policy,
    zone: Tz,
    day: NaiveDate,
    known: HashMap<(usize, Priority), Permit<'w>>,
}

impl<'w> Permits<'w> {
    /// What they leave for a unit.
    fn of(&mut self, unit: &Unit, drafts: &[Draft<'w>]) -> &Permit<'w> {
        let ward = &drafts[unit.parts[0]].channel.ward;
        self.here(unit.ward, ward, unit.bound(drafts))
    }

    fn here(&mut self, number: usize, ward: &WardId, priority: Priority) -> &Permit<'w> {
        self.known.entry((number, priority)).or_insert_with(|| {
            let on = |day| self.policy.permit(ward, day, self.zone, priority);
            on(self.day).followed_by(on(self.day.succ_opt().unwrap_or(self.day)))
        })
    }
}

/// Why something cannot begin at an instant, and the next one at which it may; always later.
#[derive(Debug)]
pub(super) struct Obstacle<'w> {
    pub hindrance: Hindrance<'w>,
    pub until: Timestamp,
}

/// What is in the way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hindrance<'w> {
    /// What is heard at that time.
    Collision(Slot),
    /// The hours: it would be heard from the one instant to the other.
    Outside(&'w Rule, Timestamp, Timestamp),
    /// There would be too much.
    TooMuch(TooMuch<'w>),
}

impl<'w> Placing<'_, 'w> {
    /// What a ward's loudspeakers and those that its people hear say.
    pub(super) fn heard_in(&self, ward: usize) -> impl Iterator<Item = &Slot> {
        let numbers = self.ground.hearing[ward].iter();
        numbers.flat_map(|number| &self.slots[*number])
    }

    /// When anything is heard of a ward's own loudspeakers.
    pub(super) fn heard_by(&self, ward: usize) -> &[Spoken] {
        &self.heard[ward]
    }

    /// What every loudspeaker says.
    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().flatten()
    }

    /// What the rules leave of the day in a ward.
    pub(super) fn permit(&mut self, ward: (usize, &WardId), priority: Priority) -> &Permit<'w> {
        self.permits.here(ward.0, ward.1, priority)
    }

    /// When the day ends.
    pub(super) fn end(&self) -> Timestamp {
        self.end
    }

    /// Gives a unit its place without a look at what is in the way.
    pub(super) fn add(&mut self, unit: Unit, begin: Timestamp, drafts: &mut [Draft<'w>]) {
        self.take(&unit, begin, drafts);
        self.placed.push(unit);
    }

    /// Says of everything that has a place when it has to be over. Nothing is placed after that.
    pub(super) fn limits(mut self, drafts: &mut [Draft<'w>]) {
        let mut said = Said::default();
        for unit in std::mem::take(&mut self.placed) {
            self.limit(&unit, drafts, &mut said);
        }
    }

    /// Finds a place for a unit: as it is, later, with fewer parts, or not at all.
    fn unit(&mut self, unit: &mut Unit, drafts: &mut [Draft<'w>]) {
        let mut missing = Why {
            reason: Reason::Expired,
            detail: Some(NO_BULLETIN.to_owned()),
        };
        while !unit.parts.is_empty() {
            // A station that names itself and has nothing to say says nothing.
            let is_bare = unit.parts.len() == 1 && drafts[unit.parts[0]].is_ident();
            let found = if is_bare {
                Err((missing.clone(), None))
            } else {
                self.chime(unit, drafts);
                self.find(unit, drafts)
            };
            match found {
                Ok((begin, waits)) => {
                    self.take(unit, begin, drafts);
                    drafts[unit.parts[0]].waits = waits;
                    return;
                }
                Err((why, waits)) => {
                    let last = unit.parts.pop();
                    if let Some(last) = last {
                        drafts[last].skip = Some(why.clone());
                        drafts[last].waits = waits;
                    }
                    missing = why;
                }
            }
        }
    }

    /// Says of a session's parts how long they are: the chime is before the first and after the last of those that it has.
    fn chime(&self, unit: &Unit, drafts: &mut [Draft<'w>]) {
        let last = unit.parts.len() - 1;
        for (place, index) in unit.parts.iter().enumerate() {
            let draft = &mut drafts[*index];
            if draft.schedule.bulletins.parts().len() > 1
                && let Some(bulletin) = draft.bulletin
            {
                let ends = Ends {
                    opens: place == 0,
                    closes: place == last,
                };
                let workspace = self.ground.workspace;
                draft.length = workspace.airtime_of_part(&bulletin.id, draft.channel, ends);
            }
        }
    }

    /// When a unit can begin, and what was in the way at the time that was wanted.
    ///
    /// # Errors
    /// Where there is no time: the first rule that kept it from one at which nothing else is heard, because without rules it would
    /// be heard then; without such a rule what is heard at the time that was wanted. Beside the rule stands what made it wait so
    /// long, if that is something else.
    fn find(
        &mut self,
        unit: &Unit,
        drafts: &[Draft<'w>],
    ) -> Result<(Timestamp, Option<Why>), (Why, Option<Why>)> {
        let draft = &drafts[unit.parts[0]];
        let latest = match draft.schedule.start {
            Start::Hard => draft.due,
            Start::Soft { max_wait } => draft.due + max_wait,
        };
        let mut begin = draft.due;
        let (mut wanted, mut ruled) = (None, None);
        loop {
            let Some(Obstacle { hindrance, until }) = self.obstacle(unit, begin, drafts) else {
                // Of what begins later people want to know what was in the way at first.
                return Ok((begin, wanted.map(|hindrance| self.why(hindrance, drafts))));
            };
            let first = *wanted.get_or_insert(hindrance);
            // Rules are asked where nothing else is heard.
            if !matches!(hindrance, Hindrance::Collision(_)) {
                ruled.get_or_insert(hindrance);
            }
            if until > latest || until >= self.end {
                let behind = matches!(first, Hindrance::Collision(_)) && ruled.is_some();
                let waits = behind.then(|| self.why(first, drafts));
                return Err((self.why(ruled.unwrap_or(first), drafts), waits));
            }
            begin = until;
        }
    }

    fn why(&self, hindrance: Hindrance<'w>, drafts: &[Draft<'w>]) -> Why {
        match hindrance {
            Hindrance::Collision(slot) => {
                return collision(&slot, &drafts[slot.draft], self.zone);
            }
            Hindrance::Outside(rule, from, until) => rule.outside(from, until, self.zone),
            Hindrance::TooMuch(much) => much.detail(),
        }
        .into_why(Reason::Policy)
    }

    /// What keeps a unit from beginning at `begin`.
    pub(super) fn obstacle(
        &mut self,
        unit: &Unit,
        begin: Timestamp,
        drafts: &[Draft<'w>],
    ) -> Option<Obstacle<'w>> {
        let slots: Vec<Slot> = spans(unit, begin, drafts).collect();
        let channel = drafts[unit.parts[0]].channel;
        for number in &self.ground.hearing[unit.ward] {
            for other in &self.slots[*number] {
                let draft = &drafts[other.draft];
                let is_own = draft.channel.id == channel.id;
                // One occurrence on several channels is a chorus, though its parts are not equally long everywhere.
                let first = &drafts[unit.parts[0]];
                let is_one = !is_own && draft.is_one_with(first);
                let is_same = |slot: &Slot| {
                    !is_own
                        && drafts[slot.draft].bulletin.map(|bulletin| &bulletin.id)
                            == draft.bulletin.map(|bulletin| &bulletin.id)
                };
                if is_one && begin == other.begin {
                    continue;
                }
                let meets = slots.iter().find(|slot| {
                    slot.from < other.until + BETWEEN
                        && other.from < slot.until + BETWEEN
                        && !(slot.from == other.from && is_same(slot))
                });
                if let Some(slot) = meets {
                    // Until the part that meets it has moved behind it, or says the same at the same time.
                    let in_chorus = (is_one && begin < other.begin)
                        .then(|| slot.from + other.begin.since(begin));
                    let alike = (is_same(slot) && slot.from < other.from).then_some(other.from);
                    let free = in_chorus
                        .into_iter()
                        .chain(alike)
                        .min()
                        .unwrap_or(other.until + BETWEEN);
                    return Some(Obstacle {
                        hindrance: Hindrance::Collision(*other),
                        until: begin + free.since(slot.from),
                    });
                }
            }
        }
        let heard = until_of(&slots, drafts);
        let permit = self.permits.of(unit, drafts);
        if let Some(closed) = permit.refuses(begin, heard) {
            return Some(Obstacle {
                hindrance: Hindrance::Outside(closed.rule, begin, heard),
                until: closed.until,
            });
        }
        // A minute later it may be a session of its own, or a part of the next one.
        let much = permit.too_much(&self.heard[unit.ward], (begin, heard))?;
        Some(Obstacle {
            hindrance: Hindrance::TooMuch(much),
            until: begin + Duration::from_mins(1),
        })
    }

    /// Gives a unit its place.
    fn take(&mut self, unit: &Unit, begin: Timestamp, drafts: &mut [Draft<'w>]) {
        let slots: Vec<Slot> = spans(unit, begin, drafts).collect();
        self.heard[unit.ward].push(Spoken {
            span: (begin, until_of(&slots, drafts)),
            priority: unit.bound(drafts),
        });
        for slot in &slots {
            drafts[slot.draft].due = slot.from;
        }
        self.slots[unit.ward].extend(slots);
    }

    /// Says of every part of a placed unit when it has to be over: when the hours or the session end, or before somebody
    /// else begins. Estimates may err, so the next broadcast does not cut off what is a little longer than expected.
    fn limit(&mut self, unit: &Unit, drafts: &mut [Draft<'w>], said: &mut Said<'w>) {
        if unit.parts.is_empty() {
            return;
        }
        let zone = self.zone;
        let first = &drafts[unit.parts[0]];
        let begin = first.due;
        let mut next: Option<Slot> = None;
        for slot in self.heard_in(unit.ward) {
            let is_first = slot.from > begin && next.is_none_or(|next| slot.from < next.from);
            if is_first && !(slot.begin == begin && drafts[slot.draft].is_one_with(first)) {
                next = Some(*slot);
            }
        }
        let permit = self.permits.of(unit, drafts);
        let session = permit.session_end(&self.heard[unit.ward], begin);
        for index in unit.parts.clone() {
            let draft = &drafts[index];
            let length = draft.length.unwrap_or_default();
            let ends = draft.due + length;
            let open = permit
                .open
                .iter()
                .find(|open| open.from <= draft.due && draft.due < open.until);
            let hours = open.and_then(|open| Some((open.until, End::Hours(open.ends?))));
            let most = session.map(|end| (end.over, End::Session(end)));
            let other = next.map(|slot| {
                let over = slot.from.max(ends + length / 4 + BETWEEN * 6);
                (over, End::Next(slot))
            });
            let limits = [hours, most, other].into_iter().flatten();
            // Only of the one that counts there are words, and once for all that share them: else a year of words would be
            // half of what a plan costs.
            let limit = limits.min_by_key(|(over, _)| *over).map(|(over, end)| {
                let policy = |detail: Detail| detail.into_why(Reason::Policy);
                let why = match end {
                    End::Hours(rule) => said
                        .entry((&rule.id, false, over))
                        .or_insert_with(|| policy(rule.hours_end(over, zone)))
                        .clone(),
                    End::Session(end) => said
                        .entry((&end.rule.id, true, over))
                        .or_insert_with(|| policy(end.detail(zone)))
                        .clone(),
                    End::Next(slot) => collision(&slot, &drafts[slot.draft], zone),
                };
                Limit { over, why }
            });
            drafts[index].limit = limit;
        }
    }
}

/// What rules say, in words, of what has to be over by an instant: because hours end, or (`true`) a session.
type Said<'w> = HashMap<(&'w RuleId, bool, Timestamp), Why>;

/// What ends the time of something on air.
enum End<'w> {
    /// The hours of a rule.
    Hours(&'w Rule),
    /// The longest session that a rule permits.
    Session(SessionEnd<'w>),
    /// What is heard next.
    Next(Slot),
}

/// That `other` is heard at the time of `slot`.
fn collision(slot: &Slot, other: &Draft<'_>, zone: Tz) -> Why {
    let title = other.bulletin.map(|bulletin| bulletin.title.as_str());
    let span = (slot.from, slot.until);
    plays(title.unwrap_or_default(), &other.channel.name, span, zone)
}

/// Why something is not heard: a loudspeaker plays something else.
pub(super) fn plays(title: &str, channel: &str, (from, until): Span, zone: Tz) -> Why {
    Detail::new("collision")
        .with("with", title)
        .with("channel", channel)
        .with("from", clock(from, zone))
        .with("until", clock(until, zone))
        .into_why(Reason::Collision)
}

/// Where the parts of a unit stand if it begins at `begin`.
fn spans<'d>(
    unit: &Unit,
    begin: Timestamp,
    drafts: &'d [Draft<'_>],
) -> impl Iterator<Item = Slot> + use<'d> {
    let mut from = begin;
    unit.parts.clone().into_iter().map(move |index| {
        let draft = &drafts[index];
        let until = from + draft.reserve();
        let slot = Slot {
            from,
            until,
            draft: index,
            begin,
        };
        from = until + draft.schedule.gap();
        slot
    })
}

/// When the last part of a unit is over, as expected.
fn until_of(slots: &[Slot], drafts: &[Draft<'_>]) -> Timestamp {
    slots.last().map_or(Timestamp::default(), |slot| {
        slot.from + drafts[slot.draft].length.unwrap_or_default()
    })
}

impl Detail {
    /// The detail as why something is not heard.
    pub(in crate::domain) fn into_why(self, reason: Reason) -> Why {
        Why {
            reason,
            detail: Some(self.to_string()),
        }
    }
}
