//! The plan: a pure function from a workspace and an interval to deliveries.
//!
//! Worked out day by day, because what is heard on one day shares that day's hours: drafts of everything that fires, then
//! what the day's exceptions, the rules and the other drafts make of them. A day depends on no other, so splitting an
//! interval changes nothing, and every node works out the same plan: rotation counts a schedule's firings from a fixed day,
//! not from when somebody started.

pub mod air;
pub(crate) mod draft;
mod fill;
mod place;

use std::time::Duration;

use chrono::NaiveDate;

use super::{
    bulletin::{Bulletin, Format, Priority},
    calendar::{self, Firing, resolve},
    channel::{Channel, ChannelKind, Mode},
    delivery::Reason,
    id::{BulletinId, ChannelId, DeliveryId, ScheduleId, TopicId, WardId},
    schedule::{Choice, Missed, Schedule, Start},
    target::Filling,
    time::Timestamp,
    workspace::Workspace,
};
use draft::Draft;
use fill::{Fills, Weeks};
use place::{Ground, Placing};

/// Rotation counts firings from here, unless the schedule itself begins on a day of its own.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2024, 1, 1).expect("a date");

/// Nothing that is heard at once is longer. Only what begins so long before midnight can be heard beyond it.
const LONGEST: Duration = Duration::from_hours(3);

/// A workspace's schedules with their channels and bulletins looked up, ready to be asked about any interval.
#[derive(Debug)]
pub struct Plan<'w> {
    workspace: &'w Workspace,
    lines: Vec<Line<'w>>,
    ground: Ground<'w>,
    fills: Fills<'w>,
}

/// A day on which everything that schedules want has its place, and nothing else yet.
#[derive(Debug)]
struct Day<'g, 'w> {
    begin: Timestamp,
    drafts: Vec<Draft<'w>>,
    /// So many of the drafts are of the day before, and are still heard.
    late: usize,
    placing: Placing<'g, 'w>,
}

impl<'w> Day<'_, 'w> {
    /// What is due on it, in order.
    fn finished(self) -> Vec<Draft<'w>> {
        let mut drafts = self.drafts;
        self.placing.limits(&mut drafts);
        drafts.drain(..self.late);
        drafts.sort_by(|one, other| one.order().cmp(&other.order()));
        drafts
    }
}

#[derive(Debug)]
struct Line<'w> {
    schedule: &'w Schedule,
    channels: Vec<&'w Channel>,
    /// What each part takes its pick from; one part, unless it is a session.
    parts: Vec<(&'w Choice, Vec<&'w Bulletin>)>,
}

/// Why the plan skips a delivery, or wants it to be over by some instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The reason.
    pub reason: Reason,
    /// What the reason's word leaves out: see [`super::detail`].
    pub detail: Option<String>,
}

/// When what is heard has to be over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The instant.
    pub over: Timestamp,
    /// What wants that; a delivery that cannot be over by then is skipped for it.
    pub why: Why,
}

/// One occurrence on one channel, as the store takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedDelivery {
    /// Its id, computed from schedule, instant, part and channel.
    pub id: DeliveryId,
    /// The schedule.
    pub schedule: ScheduleId,
    /// The instant that the schedule names. It stays when the broadcast gives way.
    pub scheduled: Timestamp,
    /// Which part of a session it is, from 0.
    pub part: u16,
    /// When it is due.
    pub due: Timestamp,
    /// When its sending must have begun.
    pub deadline: Timestamp,
    /// When it may begin at the latest if it is heard, whatever is in its way: until then another place is looked for where a further
    /// try has no time left here. `None` for what is read.
    pub latest: Option<Timestamp>,
    /// Whether it may still be sent when it fell due while nobody was running.
    pub late: bool,
    /// The channel.
    pub channel: ChannelId,
    /// The channel's name on that day.
    pub channel_name: String,
    /// The channel's sort.
    pub kind: ChannelKind,
    /// The body it carries.
    pub format: Format,
    /// How doubt is treated.
    pub mode: Mode,
    /// The ward.
    pub ward: WardId,
    /// The ward's name on that day.
    pub ward_name: String,
    /// The bulletin; `None` when none is valid, and then it is skipped from the start.
    pub bulletin: Option<BulletinId>,
    /// What it is about.
    pub topic: Option<TopicId>,
    /// How urgent it is.
    pub priority: Priority,
    /// How long it is heard, estimated; `None` for what is read.
    pub length: Option<Duration>,
    /// When it has to be over, for what is heard.
    pub limit: Option<Limit>,
    /// Why it is not sent at all.
    pub skip: Option<Why>,
}

/// What stands as the detail of a delivery that is skipped because no bulletin is valid on its day.
pub const NO_BULLETIN: &str = "no-valid-bulletin";

impl<'w> Plan<'w> {
    /// Looks everything up once.
    #[must_use]
    pub fn new(workspace: &'w Workspace) -> Self {
        let lines = workspace
            .schedules
            .values()
            .map(|schedule| Line {
                schedule,
                channels: workspace
                    .channels
                    .values()
                    .filter(|channel| schedule.to.include(channel))
                    .collect(),
                parts: schedule
                    .bulletins
                    .parts()
                    .iter()
                    .map(|part| (part, workspace.choices(part)))
                    .collect(),
            })
            .collect();
        let ground = Ground::new(workspace);
        Self {
            workspace,
            lines,
            fills: Fills::new(workspace, &ground),
            ground,
        }
    }

    /// The same for some channels only. Right for what is read: what is heard gives way to what others say.
    #[must_use]
    pub fn only(mut self, is_wanted: impl Fn(&Channel) -> bool) -> Self {
        for line in &mut self.lines {
            line.channels.retain(|channel| is_wanted(channel));
        }
        self.lines.retain(|line| !line.channels.is_empty());
        self
    }

    /// What becomes of the airtime targets in the ISO weeks of `days`, each with its Monday, by target and ward. Quickest where
    /// the weeks ascend.
    pub fn fillings(
        &self,
        days: impl IntoIterator<Item = NaiveDate>,
    ) -> impl Iterator<Item = (NaiveDate, Filling)> {
        let mut weeks = Weeks::new(self);
        days.into_iter().flat_map(move |day| {
            let (monday, fillings) = weeks.fillings(day);
            fillings.into_iter().map(move |filling| (monday, filling))
        })
    }

    /// The deliveries due from `from` (included) to `until` (excluded), by instant, schedule and channel. Lazy: memory does
    /// not grow with the interval, only with what one day holds.
    pub fn deliveries(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = PlannedDelivery> {
        self.judged(from, until).map(|(delivery, _)| delivery)
    }

    /// [`Plan::deliveries`], each with what was in the way at its own time if it waits, of a session its first part; and
    /// what it would have had to wait for where a rule keeps it from waiting so long.
    pub fn judged(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = (PlannedDelivery, Option<Why>)> {
        let mut weeks = Weeks::new(self);
        self.days(from, until, move |day| {
            if self.fills.is_empty() {
                self.begun(day).finished()
            } else {
                weeks.day(day)
            }
        })
    }

    /// [`Plan::judged`] without what fills airtime targets, and so without the work of weeks for each day. That changes nothing of
    /// what schedules want but by when it has to be over.
    pub fn scheduled(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = (PlannedDelivery, Option<Why>)> {
        self.days(from, until, |day| self.begun(day).finished())
    }

    fn days(
        &self,
        from: Timestamp,
        until: Timestamp,
        mut due_on: impl FnMut(NaiveDate) -> Vec<Draft<'w>>,
    ) -> impl Iterator<Item = (PlannedDelivery, Option<Why>)> {
        let day_of = |at| calendar::local(at, self.workspace.settings.zone).date();
        let (first, last) = (day_of(from), day_of(until));
        first
            .iter_days()
            .take_while(move |day| *day <= last && from < until)
            .flat_map(move |day| {
                let mut drafts = due_on(day);
                drafts.retain(|draft| from <= draft.due && draft.due < until);
                drafts.into_iter().map(|mut draft| {
                    let waits = draft.waits.take();
                    (self.delivery(draft), waits)
                })
            })
    }

    /// What schedules want on a day of the workspace's zone, in its place.
    fn begun(&self, day: NaiveDate) -> Day<'_, 'w> {
        let (begin, end) = self.bounds(day);
        let mut drafts = self.over_midnight(day, begin);
        let late = drafts.len();
        drafts.extend(self.drafts(begin, end));
        Day {
            begin,
            placing: self.ground.place(day, end, &mut drafts, late),
            drafts,
            late,
        }
    }

    fn bounds(&self, day: NaiveDate) -> (Timestamp, Timestamp) {
        let midnight = |day: NaiveDate| {
            let wall = day.and_hms_opt(0, 0, 0).unwrap_or_default();
            resolve(wall, self.workspace.settings.zone)
        };
        let from = midnight(day);
        (from, day.succ_opt().map_or(from, midnight))
    }

    /// What begins on the day before `day` and is heard beyond `midnight`. For that the day before is taken by itself: only
    /// where broadcasts follow each other without a pause from one midnight to the next would what came before it matter.
    fn over_midnight(&self, day: NaiveDate, midnight: Timestamp) -> Vec<Draft<'w>> {
        let exceptions = &self.workspace.exceptions;
        let is_late = |line: &Line<'w>| {
            let schedule = line.schedule;
            let is_heard = |channel: &&Channel| channel.kind == ChannelKind::Loudspeaker;
            let wait = match schedule.start {
                Start::Hard => Duration::ZERO,
                Start::Soft { max_wait } => max_wait,
            };
            let from = midnight - LONGEST - wait;
            line.channels.iter().any(is_heard)
                && (exceptions
                    .moved_into(&schedule.id, from, midnight)
                    .next()
                    .is_some()
                    || schedule
                        .when
                        .next(schedule.zone, from)
                        .is_some_and(|firing| firing.at < midnight))
        };
        let Some(before) = day.pred_opt().filter(|_| self.lines.iter().any(is_late)) else {
            return Vec::new();
        };
        let mut drafts = self.drafts(self.bounds(before).0, midnight);
        self.ground.place(before, midnight, &mut drafts, 0);
        drafts.retain(|draft| {
            draft.skip.is_none() && draft.length.is_some() && draft.reserved_until() > midnight
        });
        drafts
    }

    /// What the schedules want in an interval, before anything gives way.
    fn drafts(&self, from: Timestamp, until: Timestamp) -> Vec<Draft<'w>> {
        let mut drafts = Vec::new();
        for line in &self.lines {
            let (when, zone) = (&line.schedule.when, line.schedule.zone);
            let exceptions = &self.workspace.exceptions;
            let moved = exceptions
                .moved_into(&line.schedule.id, from, until)
                .filter_map(|at| when.next(zone, at).filter(|firing| firing.at == at));
            let firings = when
                .firings(zone, from, until)
                .chain(moved)
                .filter(|firing| line.fires(firing));
            for firing in firings {
                let parts = line.bulletins(&firing);
                drafts.reserve(line.channels.len() * parts.len());
                for channel in &line.channels {
                    let drafted = (0..).zip(&parts).map(|(part, bulletin)| {
                        let occurrence = (line.schedule, firing.at, part);
                        let mut draft = Draft::new(self.workspace, occurrence, channel, *bulletin);
                        exceptions.apply(self.workspace, &mut draft);
                        draft
                    });
                    // What is moved to another day is that day's.
                    drafts.extend(drafted.filter(|draft| from <= draft.due && draft.due < until));
                }
            }
        }
        drafts
    }

    fn delivery(&self, draft: Draft<'w>) -> PlannedDelivery {
        let Draft {
            schedule, channel, ..
        } = draft;
        let ward = self.workspace.ward(&channel.ward);
        PlannedDelivery {
            id: draft.id(),
            schedule: schedule.id.clone(),
            scheduled: draft.scheduled,
            part: draft.part,
            due: draft.due,
            deadline: draft.deadline(),
            latest: draft.length.map(|_| draft.latest()),
            late: matches!(schedule.missed, Missed::Late { .. }),
            channel: channel.id.clone(),
            channel_name: channel.name.clone(),
            kind: channel.kind,
            format: channel.format,
            mode: channel.mode,
            ward: channel.ward.clone(),
            ward_name: ward.map_or_else(String::new, |ward| ward.name.clone()),
            bulletin: draft.bulletin.map(|bulletin| bulletin.id.clone()),
            topic: draft.bulletin.map(|bulletin| bulletin.topic.clone()),
            priority: draft.priority(),
            length: draft.length,
            limit: draft.limit,
            skip: draft.skip,
        }
    }
}

impl<'w> Line<'w> {
    fn fires(&self, firing: &Firing) -> bool {
        self.schedule.valid.contains(firing.wall.date())
    }

    /// What each part carries; one part, unless it is a session.
    fn bulletins(&self, firing: &Firing) -> Vec<Option<&'w Bulletin>> {
        self.parts
            .iter()
            .map(|(choice, bulletins)| self.pick(choice, bulletins, firing))
            .collect()
    }

    fn pick(
        &self,
        choice: &Choice,
        bulletins: &[&'w Bulletin],
        firing: &Firing,
    ) -> Option<&'w Bulletin> {
        let day = firing.wall.date();
        let valid = || {
            bulletins
                .iter()
                .filter(|bulletin| bulletin.valid.contains(day))
        };
        let count = u64::try_from(valid().count()).unwrap_or(0);
        if count == 0 {
            return None;
        }
        let turn = match choice {
            Choice::Only(_) | Choice::Session { .. } => 0,
            Choice::Rotate(_) | Choice::RotateTopic(_) => {
                let epoch = self.schedule.valid.from.unwrap_or(EPOCH);
                self.schedule.when.ordinal(firing.wall, epoch) % count
            }
        };
        valid().nth(usize::try_from(turn).unwrap_or(0)).copied()
    }
}
