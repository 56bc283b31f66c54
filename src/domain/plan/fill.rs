//! What schedules leave of the permitted hours is filled until airtime targets are met.
//!
//! A week is decided at once, after everything that schedules want has its place, and so is the same however it is asked
//! for. What a ward lacks is spread over the days that have least of the topic, far from others that have some. Then broadcasts
//! are added day after day, on all loudspeakers of a ward together: of the bulletins that the cap allows the one that was least
//! recently heard by then (of several, the one that is next heard last), at the time of day that has least of the topic,
//! close behind what is heard anyway, so that it is one session. Every candidate is judged by the rules by which all that is
//! heard is judged. Where that was not enough, or a day was full, the same begins anew with the other days.
//!
//! "Least recently heard" looks back over weeks. So that a day in ten years can be planned without the years before it,
//! weeks are decided in runs of [`RUN`]: each looks back to the week before its run, decided as if nothing had been before.

mod week;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chrono::{Datelike, Days, NaiveDate};

use crate::domain::{
    bulletin::{Bulletin, Priority},
    calendar::monday,
    channel::Channel,
    id::{BulletinId, ChannelId, TopicId, WardId},
    schedule::{Choice, Schedule},
    target::{AirtimeTarget, Filling},
    time::Timestamp,
    workspace::Workspace,
};

use super::{Day, Plan, draft::Draft, place::Ground};
use week::Filler;

/// Weeks that know of each other.
const RUN: i64 = 4;

const SECOND: Duration = Duration::from_secs(1);

/// The airtime targets of a workspace, with everything looked up.
#[derive(Debug, Default)]
pub(super) struct Fills<'w> {
    goals: Vec<Goal<'w>>,
    /// By channel: the goal, the ear in it and the channel in that.
    places: HashMap<&'w ChannelId, Vec<(usize, usize, usize)>>,
}

#[derive(Debug)]
struct Goal<'w> {
    schedule: &'w Schedule,
    target: &'w AirtimeTarget,
    topic: &'w TopicId,
    /// What may fill it, by id. What is for emergencies never does.
    bulletins: Vec<&'w Bulletin>,
    ears: Vec<Ear<'w>>,
}

/// The loudspeakers of a ward that a target names.
#[derive(Debug)]
struct Ear<'w> {
    ward: &'w WardId,
    number: usize,
    channels: Vec<&'w Channel>,
    /// By bulletin: how long each channel says it; empty where one of them cannot.
    lengths: Vec<Vec<Duration>>,
}

impl<'w> Fills<'w> {
    pub(super) fn new(workspace: &'w Workspace, ground: &Ground<'w>) -> Self {
        let mut fills = Self::default();
        for schedule in workspace.schedules.values() {
            let (Some(target), Choice::RotateTopic(topic)) =
                (schedule.target(), &schedule.bulletins)
            else {
                continue;
            };
            let bulletins: Vec<&Bulletin> = workspace
                .choices(&schedule.bulletins)
                .into_iter()
                .filter(|bulletin| bulletin.priority != Priority::Emergency)
                .collect();
            let mut wards: BTreeMap<&WardId, Vec<&Channel>> = BTreeMap::new();
            for channel in workspace.channels.values() {
                if channel.is_heard() && schedule.to.include(channel) {
                    wards.entry(&channel.ward).or_default().push(channel);
                }
            }
            let goal = fills.goals.len();
            let mut ears = Vec::new();
            for (ward, channels) in wards {
                let Some(number) = ground.number(ward) else {
                    continue;
                };
                for (index, channel) in channels.iter().enumerate() {
                    let places = fills.places.entry(&channel.id).or_default();
                    places.push((goal, ears.len(), index));
                }
                let lengths = bulletins.iter().map(|bulletin| {
                    let length = |channel: &&Channel| workspace.airtime(&bulletin.id, channel);
                    let all: Option<Vec<Duration>> = channels.iter().map(length).collect();
                    all.unwrap_or_default()
                });
                ears.push(Ear {
                    ward,
                    number,
                    lengths: lengths.collect(),
                    channels,
                });
            }
            fills.goals.push(Goal {
                schedule,
                target,
                topic,
                bulletins,
                ears,
            });
        }
        fills
    }

    pub(super) fn is_empty(&self) -> bool {
        self.goals.is_empty()
    }
}

/// When a ward last heard a bulletin.
type History<'w> = HashMap<(usize, &'w BulletinId), Timestamp>;

/// Decides weeks one after the other, and gives out their days.
pub(super) struct Weeks<'p, 'w> {
    plan: &'p Plan<'w>,
    history: History<'w>,
    /// The week that the history leads to.
    next: Option<NaiveDate>,
    days: Vec<Vec<Draft<'w>>>,
    fillings: Vec<Filling>,
}

impl<'p, 'w> Weeks<'p, 'w> {
    pub(super) fn new(plan: &'p Plan<'w>) -> Self {
        Self {
            plan,
            history: History::new(),
            next: None,
            days: Vec::new(),
            fillings: Vec::new(),
        }
    }

    /// Everything that is due on a day, once.
    pub(super) fn day(&mut self, day: NaiveDate) -> Vec<Draft<'w>> {
        let monday = monday(day);
        self.decide(monday);
        let index = day.weekday().num_days_from_monday() as usize;
        self.days
            .get_mut(index)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// The Monday of the week of a day, and what becomes of the targets in it, once.
    pub(super) fn fillings(&mut self, day: NaiveDate) -> (NaiveDate, Vec<Filling>) {
        let monday = monday(day);
        self.decide(monday);
        (monday, std::mem::take(&mut self.fillings))
    }

    fn decide(&mut self, monday: NaiveDate) {
        let after = |day: NaiveDate| day.checked_add_days(Days::new(7)).unwrap_or(day);
        if self.next == Some(after(monday)) {
            return;
        }
        let turn = i64::from(monday.num_days_from_ce()).div_euclid(7);
        let weeks_back = turn.rem_euclid(RUN);
        let mut week = monday;
        if weeks_back == 0 || self.next != Some(monday) {
            self.history.clear();
            let days_back = u64::try_from(weeks_back + 1).unwrap_or(1) * 7;
            week = monday
                .checked_sub_days(Days::new(days_back))
                .unwrap_or(monday);
        }
        loop {
            let filler = Filler::new(self.plan, week, &self.history);
            (self.days, self.fillings) = filler.run(&mut self.history);
            self.next = Some(after(week));
            if week >= monday || week == after(week) {
                return;
            }
            week = after(week);
        }
    }
}
