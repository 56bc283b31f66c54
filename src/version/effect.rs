//! What an edit changes for those who listen and read: two workspaces, their plans over one range, and what every channel
//! gets otherwise than before.
//!
//! Broadcasts of both plans are paired, and only what differs is kept, so that memory grows with the edit and not with the
//! range. What is planned but not heard (no bulletin is valid, or a contact has lapsed by then) counts as not there. What an
//! approval would hold back does not count: the question is what the files would do once they are approved.

mod pair;
mod words;

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use chrono::NaiveDate;

use crate::{
    domain::{
        calendar,
        id::{BulletinId, ChannelId, DeliveryId, ScheduleId},
        plan::{Plan, PlannedDelivery, Why},
        time::Timestamp,
        workspace::Workspace,
    },
    render::Renderer,
};
use pair::pairs;
use words::{Compared, Comparer};
pub use words::{Passage, Wording};

/// How far beyond the range broadcasts are looked at: what crosses its edge was moved, not taken out or added.
const MARGIN: Duration = Duration::from_hours(48);

/// Instants so near to each other count as the same broadcast even on different days.
const NEAR: Duration = Duration::from_hours(12);

/// One of the two workspaces.
#[derive(Debug, Clone, Copy)]
pub struct Side<'w> {
    /// The workspace.
    pub workspace: &'w Workspace,
    /// Its templates.
    pub renderer: &'w Renderer,
}

/// In what way a broadcast differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// There was none.
    Added,
    /// There is none any more.
    Removed,
    /// It comes at another instant.
    Moved,
    /// It carries another bulletin.
    Replaced,
    /// The same bulletin has other words.
    Reworded,
    /// Another recording is played.
    Recording,
    /// Another picture is shown, or the same with other words for it.
    Picture,
    /// It is estimated to last longer.
    Longer,
    /// It is estimated to be shorter.
    Shorter,
}

impl Kind {
    /// Every kind, in the order in which people read of them.
    pub const ALL: [Self; 9] = [
        Self::Added,
        Self::Removed,
        Self::Moved,
        Self::Replaced,
        Self::Reworded,
        Self::Recording,
        Self::Picture,
        Self::Longer,
        Self::Shorter,
    ];

    /// The word used in JSON and the catalogue.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Moved => "moved",
            Self::Replaced => "replaced",
            Self::Reworded => "reworded",
            Self::Recording => "recording",
            Self::Picture => "picture",
            Self::Longer => "longer",
            Self::Shorter => "shorter",
        }
    }
}

/// A broadcast on one channel as one of the workspaces plans it.
#[derive(Debug, Clone, PartialEq)]
pub struct Broadcast {
    /// The delivery; it has a bulletin.
    pub planned: PlannedDelivery,
    /// The bulletin.
    pub bulletin: BulletinId,
    /// Its title.
    pub title: String,
}

/// What differs in one broadcast on one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// In what ways, in the order of [`Kind::ALL`]; never empty.
    pub kinds: Vec<Kind>,
    /// What it was.
    pub before: Option<Broadcast>,
    /// What it becomes.
    pub after: Option<Broadcast>,
    /// The words that changed: an index into [`Effects::wordings`].
    pub wording: Option<usize>,
    /// The same for this ward word for word: an index into [`Effects::passages`].
    pub passages: Option<usize>,
    /// Why what is removed is not heard, where the newer plan still holds it: what it has to give way to, or the rule that
    /// forbids it.
    pub skipped: Option<Why>,
}

impl Effect {
    /// What it becomes, or was.
    #[must_use]
    pub fn broadcast(&self) -> Option<&Broadcast> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// Everything that an edit changes.
#[derive(Debug, Default)]
pub struct Effects {
    /// By instant, then by channel.
    pub list: Vec<Effect>,
    /// Each different change of words once, with ward's names masked.
    pub wordings: Vec<Wording>,
    /// The changes of words as single wards get them.
    pub passages: Vec<Vec<Passage>>,
    /// Broadcasts that only belong to a schedule of another name now.
    pub renamed: usize,
}

/// A broadcast that is not paired yet.
type Single = PlannedDelivery;

/// Works out what differs from `old` to `new` in what is due from `from` (included) to `until` (excluded) on channels that
/// are `wanted`.
#[must_use]
pub fn effects(
    old: Side<'_>,
    new: Side<'_>,
    from: Timestamp,
    until: Timestamp,
    wanted: impl Fn(&PlannedDelivery) -> bool,
) -> Effects {
    let mut finder = Finder {
        comparer: Comparer::new(old, new, until + MARGIN),
        found: Effects::default(),
        from,
        until,
    };
    let (mut before, mut after) = finder.same_slots(&wanted);
    let zone = new.workspace.settings.zone;
    let day = |single: &Single| calendar::local(single.due, zone).date();
    let inside = |at: Timestamp| from <= at && at < until;
    let any = |_: Timestamp, _: Timestamp| true;
    let both = [&mut before, &mut after];
    let [before, after] = both;
    // From what is surely the same broadcast to what is only likely to be: what gives way to something else keeps its id,
    // and a schedule may have got another name.
    finder.pair(before, after, |one| Key::of(one).slot(), any);
    finder.pair(
        before,
        after,
        |one| Key::of(one).bulletin().at(one.due),
        any,
    );
    finder.pair(
        before,
        after,
        |one| Key::of(one).schedule().bulletin().on(day(one)),
        any,
    );
    finder.pair(
        before,
        after,
        |one| Key::of(one).schedule().bulletin(),
        |a, b| apart(a, b) <= NEAR,
    );
    finder.pair(before, after, |one| Key::of(one).at(one.due), any);
    finder.pair(
        before,
        after,
        |one| Key::of(one).bulletin().on(day(one)),
        any,
    );
    finder.pair(
        before,
        after,
        |one| Key::of(one).schedule().on(day(one)),
        any,
    );
    // Farther moves are told of only where both ends are in the range: beyond its edges not everything is known.
    finder.pair(
        before,
        after,
        |one| Key::of(one).schedule().bulletin(),
        |a, b| inside(a) && inside(b),
    );
    let mut skipped = finder.skipped(before);
    for single in std::mem::take(before) {
        let why = skipped.remove(&single.id);
        finder.tell_of(Some(single), None, why);
    }
    for single in std::mem::take(after) {
        finder.tell(None, Some(single));
    }
    finder.done()
}

/// What two broadcasts have to share to be paired.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    channel: ChannelId,
    ward: crate::domain::id::WardId,
    of: (Option<ScheduleId>, Option<BulletinId>),
    due: Option<Timestamp>,
    part: Option<u16>,
    day: Option<NaiveDate>,
}

/// A key that is being put together for one broadcast.
struct Keyed<'d>(&'d Single, Key);

impl Key {
    fn of(single: &Single) -> Keyed<'_> {
        let key = Self {
            channel: single.channel.clone(),
            ward: single.ward.clone(),
            of: (None, None),
            due: None,
            part: None,
            day: None,
        };
        Keyed(single, key)
    }
}

impl Keyed<'_> {
    fn schedule(mut self) -> Self {
        self.1.of.0 = Some(self.0.schedule.clone());
        self
    }

    fn bulletin(mut self) -> Self {
        self.1.of.1.clone_from(&self.0.bulletin);
        self
    }

    fn slot(mut self) -> Self {
        self.1.part = Some(self.0.part);
        let scheduled = self.0.scheduled;
        self.schedule().at(scheduled)
    }

    fn at(mut self, due: Timestamp) -> Self {
        self.1.due = Some(due);
        self
    }

    fn on(mut self, day: NaiveDate) -> Self {
        self.1.day = Some(day);
        self
    }
}

fn apart(a: Timestamp, b: Timestamp) -> Duration {
    if a < b { b.since(a) } else { a.since(b) }
}

/// A length as it is told: to a tenth of a second.
fn tenths(length: Option<Duration>) -> Option<u128> {
    length.map(|length| (length.as_millis() + 50) / 100)
}

/// The order in which a plan comes.
fn place(one: &Single) -> (Timestamp, &ScheduleId, u16, &ChannelId) {
    (one.due, &one.schedule, one.part, &one.channel)
}

struct Finder<'w> {
    comparer: Comparer<'w>,
    found: Effects,
    from: Timestamp,
    until: Timestamp,
}

impl Finder<'_> {
    /// Walks through both plans at once. What is planned in both under the same id is compared on the spot; the rest comes
    /// back.
    fn same_slots(
        &mut self,
        wanted: impl Fn(&PlannedDelivery) -> bool,
    ) -> (Vec<Single>, Vec<Single>) {
        let [old, new] = self.comparer.sides();
        let plans = [Plan::new(old.workspace), Plan::new(new.workspace)];
        let (from, until) = (self.from - MARGIN, self.until + MARGIN);
        let wanted =
            |single: &Single| single.bulletin.is_some() && single.skip.is_none() && wanted(single);
        let mut before = plans[0].deliveries(from, until).filter(wanted).peekable();
        let mut after = plans[1].deliveries(from, until).filter(wanted).peekable();
        let mut rest = (Vec::new(), Vec::new());
        loop {
            let order = match (before.peek(), after.peek()) {
                (None, None) => return rest,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => place(old).cmp(&place(new)),
            };
            let one = before.next_if(|_| order.is_le());
            let other = after.next_if(|_| order.is_ge());
            let one = one.filter(|one| self.comparer.is_heard(0, one));
            let other = other.filter(|other| self.comparer.is_heard(1, other));
            match (one, other) {
                (Some(one), Some(other)) if one.id == other.id && one.ward == other.ward => {
                    self.tell(Some(one), Some(other));
                }
                (one, other) => {
                    rest.0.extend(one);
                    rest.1.extend(other);
                }
            }
        }
    }

    /// Pairs what has equal keys and `may` belong together, those nearest in time, and tells of each pair.
    fn pair(
        &mut self,
        before: &mut Vec<Single>,
        after: &mut Vec<Single>,
        key: impl Fn(&Single) -> Keyed<'_>,
        may: impl Fn(Timestamp, Timestamp) -> bool,
    ) {
        let mut groups: BTreeMap<Key, [Vec<Single>; 2]> = BTreeMap::new();
        for (side, list) in [&mut *before, &mut *after].into_iter().enumerate() {
            for single in std::mem::take(list) {
                let key = key(&single).1;
                groups.entry(key).or_default()[side].push(single);
            }
        }
        for mut group in groups.into_values() {
            let times = |list: &[Single]| list.iter().map(|one| one.due).collect::<Vec<_>>();
            for list in &mut group {
                list.sort_by_key(|one| one.due);
            }
            let matched = pairs(&times(&group[0]), &times(&group[1]), &may);
            let [old, new] = group;
            let mut old: Vec<Option<Single>> = old.into_iter().map(Some).collect();
            let mut new: Vec<Option<Single>> = new.into_iter().map(Some).collect();
            for (one, other) in matched {
                let (one, other) = (old[one].take(), new[other].take());
                self.tell(one, other);
            }
            before.extend(old.into_iter().flatten());
            after.extend(new.into_iter().flatten());
        }
    }

    /// Why the newer plan skips what it holds of `removed`. Asked for once what is removed is known, so that no reason is kept
    /// for anything else.
    fn skipped(&self, removed: &[Single]) -> HashMap<DeliveryId, Why> {
        let ids: HashSet<&DeliveryId> = removed.iter().map(|one| &one.id).collect();
        let dues = || removed.iter().map(|one| one.due);
        let (Some(first), Some(last)) = (dues().min(), dues().max()) else {
            return HashMap::new();
        };
        let [_, new] = self.comparer.sides();
        let plan = Plan::new(new.workspace);
        let held = plan
            .deliveries(first - MARGIN, last + MARGIN)
            .filter(|one| ids.contains(&one.id));
        held.filter_map(|one| Some((one.id, one.skip?))).collect()
    }

    /// Keeps what differs between two broadcasts that belong together, or a single one.
    fn tell(&mut self, before: Option<Single>, after: Option<Single>) {
        self.tell_of(before, after, None);
    }

    fn tell_of(&mut self, before: Option<Single>, after: Option<Single>, skipped: Option<Why>) {
        let inside = |one: &Option<Single>| {
            one.as_ref()
                .is_some_and(|one| self.from <= one.due && one.due < self.until)
        };
        if !inside(&before) && !inside(&after) {
            return;
        }
        let compared = match (&before, &after) {
            (Some(before), Some(after)) => self.comparer.compare(before, after),
            _ => Compared::default(),
        };
        let mut kinds = Vec::new();
        match (&before, &after) {
            (Some(before), Some(after)) => {
                let is_replaced = before.bulletin != after.bulletin && compared.differs();
                let (was, is) = (tenths(before.length), tenths(after.length));
                kinds.extend((before.due != after.due).then_some(Kind::Moved));
                kinds.extend(is_replaced.then_some(Kind::Replaced));
                kinds
                    .extend((!is_replaced && compared.wording.is_some()).then_some(Kind::Reworded));
                kinds.extend((!is_replaced && compared.other_recording).then_some(Kind::Recording));
                kinds.extend((!is_replaced && compared.other_picture).then_some(Kind::Picture));
                if let (Some(was), Some(is)) = (was, is) {
                    kinds.extend((was < is).then_some(Kind::Longer));
                    kinds.extend((was > is).then_some(Kind::Shorter));
                }
                if kinds.is_empty() {
                    self.found.renamed += usize::from(before.schedule != after.schedule);
                    return;
                }
            }
            (None, _) => kinds.push(Kind::Added),
            (_, None) => kinds.push(Kind::Removed),
        }
        let is_reworded = kinds.contains(&Kind::Reworded);
        let effect = Effect {
            before: before.and_then(|one| self.comparer.broadcast(0, one)),
            after: after.and_then(|one| self.comparer.broadcast(1, one)),
            wording: compared.wording.filter(|_| is_reworded),
            passages: compared.passages.filter(|_| is_reworded),
            skipped,
            kinds,
        };
        self.found.list.push(effect);
    }

    fn done(self) -> Effects {
        let mut found = self.found;
        (found.wordings, found.passages) = self.comparer.done();
        found.list.sort_by_cached_key(|effect| {
            let one = effect.broadcast().map(|one| &one.planned);
            one.map(|one| (one.due, one.channel.clone(), one.schedule.clone()))
        });
        found
    }
}
