//! The plan: a pure function from a workspace and an interval to occurrences and their deliveries.
//!
//! Splitting an interval changes nothing, and every node works out the same plan: rotation counts a schedule's firings
//! from a fixed day, not from when somebody started.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use chrono::NaiveDate;

use super::{
    bulletin::{Bulletin, Format, Priority},
    calendar::{Firing, resolve},
    channel::{Channel, ChannelKind, Mode},
    id::{BulletinId, ChannelId, DeliveryId, ScheduleId, WardId},
    schedule::{Choice, Missed, Schedule},
    time::Timestamp,
    workspace::Workspace,
};

/// Rotation counts firings from here, unless the schedule itself begins on a day of its own.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(2024, 1, 1).expect("a date");

/// A workspace's schedules with their channels and bulletins looked up, ready to be asked about any interval.
#[derive(Debug)]
pub struct Plan<'w> {
    workspace: &'w Workspace,
    lines: Vec<Line<'w>>,
}

#[derive(Debug)]
struct Line<'w> {
    schedule: &'w Schedule,
    channels: Vec<&'w Channel>,
    bulletins: Vec<&'w Bulletin>,
}

/// One schedule at one instant.
#[derive(Debug, Clone)]
pub struct Occurrence<'w> {
    /// The schedule.
    pub schedule: &'w Schedule,
    /// The instant.
    pub firing: Firing,
    /// What it carries; `None` when no bulletin is valid on that day.
    pub bulletin: Option<&'w Bulletin>,
    /// Where it goes, in the order of channel ids.
    pub channels: &'w [&'w Channel],
}

/// One occurrence on one channel, as the store takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedDelivery {
    /// Its id, computed from schedule, instant and channel.
    pub id: DeliveryId,
    /// The schedule.
    pub schedule: ScheduleId,
    /// When it is due.
    pub due: Timestamp,
    /// When its sending must have begun.
    pub deadline: Timestamp,
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
    /// How urgent it is.
    pub priority: Priority,
}

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
                bulletins: workspace.choices(&schedule.bulletins),
            })
            .collect();
        Self { workspace, lines }
    }

    /// The occurrences from `from` (included) to `until` (excluded), by instant and then by schedule id. Lazy: memory
    /// does not grow with the interval.
    pub fn occurrences(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Occurrence<'_>> {
        let mut firings: Vec<_> = self
            .lines
            .iter()
            .map(|line| {
                line.schedule
                    .when
                    .firings(line.schedule.zone, from, until)
                    .filter(|firing| line.fires(firing))
            })
            .collect();
        let mut heads: BinaryHeap<Reverse<(Timestamp, usize)>> = BinaryHeap::new();
        let mut next: Vec<Option<Firing>> = Vec::with_capacity(firings.len());
        for (index, line) in firings.iter_mut().enumerate() {
            let firing = line.next();
            heads.extend(firing.map(|firing| Reverse((firing.at, index))));
            next.push(firing);
        }
        std::iter::from_fn(move || {
            let Reverse((_, index)) = heads.pop()?;
            let line = &self.lines[index];
            let firing = next[index].take()?;
            next[index] = firings[index].next();
            heads.extend(next[index].map(|firing| Reverse((firing.at, index))));
            Some(Occurrence {
                schedule: line.schedule,
                firing,
                bulletin: line.bulletin(&firing),
                channels: &line.channels,
            })
        })
    }

    /// The deliveries of [`Plan::occurrences`], in the same order and then by channel id.
    pub fn deliveries(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = PlannedDelivery> {
        self.occurrences(from, until).flat_map(move |occurrence| {
            let channels = occurrence.channels;
            channels
                .iter()
                .map(move |channel| self.delivery(&occurrence, channel))
        })
    }

    fn delivery(&self, occurrence: &Occurrence<'_>, channel: &Channel) -> PlannedDelivery {
        let schedule = occurrence.schedule;
        let due = occurrence.firing.at;
        let deadline = due + latest_start(schedule);
        let deadline = occurrence.bulletin.map_or(deadline, |bulletin| {
            deadline.min(last_instant(bulletin, schedule))
        });
        PlannedDelivery {
            id: DeliveryId::of(&schedule.id, due, &channel.id),
            schedule: schedule.id.clone(),
            due,
            deadline,
            late: matches!(schedule.missed, Missed::Late { .. }),
            channel: channel.id.clone(),
            channel_name: channel.name.clone(),
            kind: channel.kind,
            format: channel.format,
            mode: channel.mode,
            ward: channel.ward.clone(),
            ward_name: self
                .workspace
                .ward(&channel.ward)
                .map_or_else(String::new, |ward| ward.name.clone()),
            bulletin: occurrence.bulletin.map(|bulletin| bulletin.id.clone()),
            priority: occurrence
                .bulletin
                .map_or(Priority::Normal, |bulletin| bulletin.priority),
        }
    }
}

/// How long after its instant an occurrence's sending may begin.
fn latest_start(schedule: &Schedule) -> Duration {
    match schedule.missed {
        Missed::Skip => schedule.deadline,
        Missed::Late { within } => within,
    }
}

/// The end of the bulletin's last day.
fn last_instant(bulletin: &Bulletin, schedule: &Schedule) -> Timestamp {
    let after = bulletin
        .valid
        .until
        .and_then(|day| day.succ_opt())
        .and_then(|day| day.and_hms_opt(0, 0, 0));
    after.map_or(Timestamp::from_micros(i64::MAX), |midnight| {
        resolve(midnight, schedule.zone)
    })
}

impl<'w> Line<'w> {
    fn fires(&self, firing: &Firing) -> bool {
        self.schedule.valid.contains(firing.wall.date())
    }

    fn bulletin(&self, firing: &Firing) -> Option<&'w Bulletin> {
        let day = firing.wall.date();
        let valid = || {
            self.bulletins
                .iter()
                .filter(|bulletin| bulletin.valid.contains(day))
        };
        let count = u64::try_from(valid().count()).unwrap_or(0);
        if count == 0 {
            return None;
        }
        let turn = match &self.schedule.bulletins {
            Choice::Only(_) => 0,
            Choice::Rotate(_) | Choice::RotateTopic(_) => {
                let epoch = self.schedule.valid.from.unwrap_or(EPOCH);
                self.schedule.when.ordinal(firing.wall, epoch) % count
            }
        };
        valid().nth(usize::try_from(turn).unwrap_or(0)).copied()
    }
}
