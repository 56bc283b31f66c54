//! One week: what every ward lacks of each target, on which days it is added, and which bulletin's turn it is.

mod room;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chrono::{Datelike, NaiveDate, NaiveTime};

use crate::domain::{
    bulletin::Bulletin, calendar::local, channel::Channel, detail::Detail, id::ScheduleId,
    target::Filling, time::Timestamp,
};

use super::{Day, Draft, Ear, History, Plan, RUN, SECOND};
use room::obstacles;

/// Days of a week.
const WEEK: usize = 7;

/// One broadcast of a topic that a ward hears; on several loudspeakers at once it is one.
#[derive(Debug, Clone, Copy)]
struct Airing<'w> {
    at: Timestamp,
    day: usize,
    /// The clock time.
    clock: NaiveTime,
    length: Duration,
    bulletin: &'w Bulletin,
    /// The goal that it fills.
    fills: Option<usize>,
}

/// What an ear hears in the week.
#[derive(Debug, Default)]
struct Hearing<'w> {
    /// By channel.
    heard: Vec<Duration>,
    airings: Vec<Airing<'w>>,
    /// Days on which nothing more fits.
    full: [bool; WEEK],
    obstacles: BTreeMap<String, (Detail, usize)>,
}

impl Hearing<'_> {
    /// How long the loudspeaker that says least says it.
    fn least(&self) -> Duration {
        self.heard.iter().min().copied().unwrap_or_default()
    }

    fn on(&self, day: usize) -> Duration {
        let airings = self.airings.iter().filter(|airing| airing.day == day);
        airings.map(|airing| airing.length).sum()
    }

    fn obstacle(&mut self, detail: Detail) {
        let entry = self.obstacles.entry(detail.to_string());
        entry.or_insert((detail, 0)).1 += 1;
    }
}

pub(super) struct Filler<'p, 'w> {
    plan: &'p Plan<'w>,
    dates: Vec<NaiveDate>,
    days: Vec<Day<'p, 'w>>,
    /// By day: when what a schedule begins somewhere at an instant is over everywhere.
    ends: Vec<HashMap<(&'w ScheduleId, Timestamp), Timestamp>>,
    /// By goal and ear.
    hearings: Vec<Vec<Hearing<'w>>>,
    /// Whose turn it is where no bulletin was heard.
    first: usize,
    history: History<'w>,
}

impl<'p, 'w> Filler<'p, 'w> {
    pub(super) fn new(plan: &'p Plan<'w>, monday: NaiveDate, history: &History<'w>) -> Self {
        let dates: Vec<NaiveDate> = monday.iter_days().take(WEEK).collect();
        let days: Vec<Day<'p, 'w>> = dates.iter().map(|day| plan.begun(*day)).collect();
        let hearings = plan.fills.goals.iter().map(|goal| {
            let hearing = |ear: &Ear<'_>| Hearing {
                heard: vec![Duration::ZERO; ear.channels.len()],
                ..Hearing::default()
            };
            goal.ears.iter().map(hearing).collect()
        });
        let run = i64::from(monday.num_days_from_ce()).div_euclid(7 * RUN);
        let mut filler = Self {
            plan,
            ends: vec![HashMap::new(); days.len()],
            hearings: hearings.collect(),
            first: usize::try_from(run).unwrap_or(0),
            history: history.clone(),
            dates,
            days,
        };
        for index in 0..filler.days.len() {
            let day = &filler.days[index];
            for slot in day.placing.slots() {
                let schedule = &day.drafts[slot.draft].schedule.id;
                let end = filler.ends[index]
                    .entry((schedule, slot.begin))
                    .or_default();
                *end = slot.until.max(*end);
            }
            let drafts = day.drafts[day.late..]
                .iter()
                .filter(|draft| draft.skip.is_none());
            let heard: Vec<_> = drafts
                .filter_map(|draft| {
                    Some((draft.channel, draft.due, draft.bulletin?, draft.length?))
                })
                .collect();
            for (channel, at, bulletin, length) in heard {
                filler.hear(index, channel, (at, bulletin, length), None);
            }
        }
        filler
    }

    /// Decides the week: its days, and what becomes of the targets.
    pub(super) fn run(mut self, history: &mut History<'w>) -> (Vec<Vec<Draft<'w>>>, Vec<Filling>) {
        for goal in 0..self.plan.fills.goals.len() {
            while self.go_through(goal) {}
        }
        let mut fillings = Vec::new();
        for (goal, (known, hearings)) in
            self.plan.fills.goals.iter().zip(&self.hearings).enumerate()
        {
            for (ear, hearing) in known.ears.iter().zip(hearings) {
                for airing in &hearing.airings {
                    let last = history
                        .entry((ear.number, &airing.bulletin.id))
                        .or_default();
                    *last = airing.at.max(*last);
                }
                let is_short = hearing.least() < self.wanted(goal);
                fillings.push(Filling {
                    schedule: known.schedule.id.clone(),
                    topic: known.topic.clone(),
                    ward: ear.ward.clone(),
                    wanted: self.wanted(goal),
                    planned: hearing.least(),
                    obstacles: if is_short {
                        hearing.obstacles.values().cloned().collect()
                    } else {
                        Vec::new()
                    },
                });
            }
        }
        let days = self.days.into_iter().map(Day::finished).collect();
        (days, fillings)
    }

    /// How much of the goal's topic is wanted in this week.
    fn wanted(&self, goal: usize) -> Duration {
        let goal = &self.plan.fills.goals[goal];
        let valid = self
            .dates
            .iter()
            .filter(|day| goal.schedule.valid.contains(**day));
        let days = u32::try_from(valid.count()).unwrap_or(0);
        goal.target.weekly * days / 7
    }

    fn is_short(&self, goal: usize, ear: usize) -> bool {
        self.hearings[goal][ear].least() < self.wanted(goal)
    }

    /// Counts what a channel says, for every goal that it is about.
    fn hear(
        &mut self,
        day: usize,
        channel: &Channel,
        (at, bulletin, length): (Timestamp, &'w Bulletin, Duration),
        fills: Option<usize>,
    ) {
        let Some(places) = self.plan.fills.places.get(&channel.id) else {
            return;
        };
        for (goal, ear, channel) in places {
            if *self.plan.fills.goals[*goal].topic != bulletin.topic {
                continue;
            }
            let hearing = &mut self.hearings[*goal][*ear];
            hearing.heard[*channel] += length;
            let is_known =
                |airing: &Airing<'_>| (airing.at, &airing.bulletin.id) == (at, &bulletin.id);
            if !hearing.airings.iter().any(is_known) {
                hearing.airings.push(Airing {
                    at,
                    day,
                    clock: local(at, self.plan.workspace.settings.zone).time(),
                    length,
                    bulletin,
                    fills,
                });
            }
        }
    }

    /// Goes once through the week and adds what every ward still lacks. Day after day, so that it is known what was heard
    /// before; and everybody in turn, so that all say the same at the same time and nobody takes from the neighbours what
    /// they need. Whether anything was tried: then something was added, or a day was found to be full.
    fn go_through(&mut self, goal: usize) -> bool {
        let ears = 0..self.plan.fills.goals[goal].ears.len();
        let wanted: Vec<[usize; WEEK]> = ears.map(|ear| self.lacking(goal, ear)).collect();
        let mut is_tried = false;
        for day in 0..WEEK {
            let most = wanted.iter().map(|days| days[day]).max().unwrap_or(0);
            for turn in 0..most {
                for (ear, days) in wanted.iter().enumerate() {
                    let is_open = turn < days[day] && !self.hearings[goal][ear].full[day];
                    if is_open && self.is_short(goal, ear) {
                        self.add_on(goal, ear, day);
                        is_tried = true;
                    }
                }
            }
        }
        is_tried
    }

    /// How many broadcasts a ward lacks on each day, if all are of a middling length: spread over the days that have least.
    fn lacking(&self, goal: usize, ear: usize) -> [usize; WEEK] {
        let known = &self.plan.fills.goals[goal];
        let hearing = &self.hearings[goal][ear];
        let mut lacking = [0; WEEK];
        let missing = self.wanted(goal).saturating_sub(hearing.least());
        let lengths = known.ears[ear]
            .lengths
            .iter()
            .filter_map(|length| length.first());
        let count = u32::try_from(lengths.clone().count()).unwrap_or(u32::MAX);
        let middling = (lengths.sum::<Duration>() / count.max(1)).max(SECOND);
        let mut amounts: Vec<Duration> = (0..WEEK).map(|day| hearing.on(day)).collect();
        let days: Vec<usize> = (0..self.days.len())
            .filter(|day| known.schedule.valid.contains(self.dates[*day]) && !hearing.full[*day])
            .collect();
        for _ in 0..missing.as_nanos().div_ceil(middling.as_nanos()) {
            let distance = |day: usize| {
                let others = (0..WEEK).filter(|other| !amounts[*other].is_zero());
                others
                    .map(|other| day.abs_diff(other))
                    .min()
                    .unwrap_or(WEEK)
            };
            let least = days
                .iter()
                .copied()
                .min_by_key(|day| (amounts[*day], Reverse(distance(*day)), *day));
            let Some(day) = least else {
                break;
            };
            lacking[day] += 1;
            amounts[day] += middling;
        }
        lacking
    }

    /// Adds a broadcast on a day, or finds that the day is full and why.
    fn add_on(&mut self, goal: usize, ear: usize, day: usize) {
        let bulletins = match self.bulletins(goal, ear, day) {
            Ok(bulletins) => bulletins,
            Err(obstacle) => {
                self.fill_up(goal, ear, day, [obstacle]);
                return;
            }
        };
        let mut candidates = self.candidates(goal, ear, day);
        if candidates.is_empty() {
            let obstacle = self.no_hours(goal, ear, day);
            self.fill_up(goal, ear, day, [obstacle]);
            return;
        }
        let mut refused = Vec::new();
        let first = bulletins.allowed[0];
        if self
            .place(goal, ear, day, first, &candidates, &mut refused)
            .is_some()
        {
            return;
        }
        // Where the shortest has no room nothing has.
        let lengths = &self.plan.fills.goals[goal].ears[ear].lengths;
        let longest = |bulletin: &usize| lengths[*bulletin].iter().max();
        let shortest = bulletins
            .allowed
            .iter()
            .copied()
            .min_by_key(longest)
            .unwrap_or(first);
        if shortest != first {
            refused.clear();
            candidates = self.possible(goal, ear, day, shortest, &candidates, &mut refused);
            let rest = bulletins
                .allowed
                .iter()
                .skip(1)
                .filter(|_| !candidates.is_empty());
            for bulletin in rest {
                let room = self.place(goal, ear, day, *bulletin, &candidates, &mut Vec::new());
                if room.is_some() {
                    return;
                }
            }
        }
        let mut obstacles = obstacles(&refused);
        let lengths = &self.plan.fills.goals[goal].ears[ear].lengths;
        let is_shorter =
            |capped: &usize| lengths[*capped].iter().max() < lengths[shortest].iter().max();
        obstacles.extend(
            bulletins
                .capped
                .iter()
                .any(is_shorter)
                .then(|| self.capped(goal, ["target-shorter", "target-shorter-week"])),
        );
        self.fill_up(goal, ear, day, obstacles);
    }

    fn fill_up(
        &mut self,
        goal: usize,
        ear: usize,
        day: usize,
        obstacles: impl IntoIterator<Item = Detail>,
    ) {
        let hearing = &mut self.hearings[goal][ear];
        hearing.full[day] = true;
        for obstacle in obstacles {
            hearing.obstacle(obstacle);
        }
    }

    /// What may be heard on a day, the least recently heard first; or why nothing may.
    fn bulletins(&self, goal: usize, ear: usize, day: usize) -> Result<Allowed, Detail> {
        let known = &self.plan.fills.goals[goal];
        let (hearing, date) = (&self.hearings[goal][ear], self.dates[day]);
        let ears = &known.ears[ear];
        let mut quiet = None;
        let (mut allowed, mut capped) = (Vec::new(), Vec::new());
        for (index, bulletin) in known.bulletins.iter().enumerate() {
            if !bulletin.valid.contains(date) || ears.lengths[index].is_empty() {
                continue;
            }
            let exceptions = &self.plan.workspace.exceptions;
            let mut channels = ears.channels.iter();
            let silent = |channel: &&Channel| exceptions.silent(channel, date, bulletin.priority);
            if let Some(found) = channels.find_map(silent) {
                quiet = Some(found);
                continue;
            }
            let heard = hearing
                .airings
                .iter()
                .filter(|airing| airing.bulletin.id == bulletin.id);
            let today = heard.clone().filter(|airing| airing.day == day).count();
            let cap = known.target.cap;
            if today >= cap.per_day as usize
                || cap
                    .per_week
                    .is_some_and(|most| heard.count() >= most as usize)
            {
                capped.push(index);
                continue;
            }
            allowed.push(index);
        }
        if allowed.is_empty() {
            return Err(match quiet {
                _ if !capped.is_empty() => self.capped(goal, ["target-cap", "target-cap-week"]),
                Some(quiet) => Detail::new("target-holiday").with("name", &quiet.name),
                None => Detail::new("target-no-bulletin"),
            });
        }
        let (end, count) = (self.days[day].placing.end(), known.bulletins.len());
        allowed.sort_by_key(|index| {
            let id = &known.bulletins[*index].id;
            let airings = hearing.airings.iter();
            let heard = airings.filter(|airing| airing.bulletin.id == *id);
            let before = self.history.get(&(ears.number, id)).copied();
            let times = heard.map(|airing| airing.at).chain(before);
            let last = times.clone().filter(|at| *at < end).max();
            let next = times.filter(|at| *at >= end).min();
            let turn = (index + self.first) % count;
            (
                last,
                Reverse(next.map_or(i64::MAX, Timestamp::as_micros)),
                turn,
            )
        });
        Ok(Allowed { allowed, capped })
    }

    /// What the cap takes away, in the sentence for a cap of days or for one of weeks too.
    fn capped(&self, goal: usize, [daily, weekly]: [&'static str; 2]) -> Detail {
        let cap = self.plan.fills.goals[goal].target.cap;
        let detail = |code| Detail::new(code).with("most", cap.per_day);
        match cap.per_week {
            Some(per_week) => detail(weekly).with("week", per_week),
            None => detail(daily),
        }
    }
}

/// Bulletins by their places in the list, in the order in which they are wanted.
struct Allowed {
    allowed: Vec<usize>,
    /// What the cap takes away.
    capped: Vec<usize>,
}
