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

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chrono::{Datelike, Days, NaiveDate, NaiveTime, Weekday};

use crate::domain::{
    bulletin::{Bulletin, Priority},
    calendar::{local, resolve},
    channel::Channel,
    detail::Detail,
    id::{BulletinId, ChannelId, ScheduleId, TopicId, WardId},
    policy::Rule,
    schedule::{Choice, Schedule},
    target::{AirtimeTarget, Filling},
    time::{Timestamp, minutes_seconds},
    workspace::Workspace,
};

use super::{
    Day, Plan,
    draft::Draft,
    place::{BETWEEN, Ground, Hindrance, Unit},
};

/// Weeks that know of each other.
const RUN: i64 = 4;

/// Days of a week.
const WEEK: usize = 7;

/// Beginnings that are tried are so far from each other, beside those that follow other broadcasts.
const STEP: Duration = Duration::from_mins(5);

const SECOND: Duration = Duration::from_secs(1);

/// Times of day within this count as the same when broadcasts are spread.
const PART_OF_DAY: Duration = Duration::from_hours(3);

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

/// The Monday of the ISO week of `day`.
fn monday(day: NaiveDate) -> NaiveDate {
    day.week(Weekday::Mon).checked_first_day().unwrap_or(day)
}

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

/// How a beginning lies to what is heard anyway, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Behind,
    Before,
    Anywhere,
    Apart,
}

/// A beginning that may be tried.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// When it begins; if it is before something else, when that begins.
    at: Timestamp,
    /// What gives way to others may begin until then.
    before: Timestamp,
    nearness: Nearness,
}

struct Filler<'p, 'w> {
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
    fn new(plan: &'p Plan<'w>, monday: NaiveDate, history: &History<'w>) -> Self {
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
    fn run(mut self, history: &mut History<'w>) -> (Vec<Vec<Draft<'w>>>, Vec<Filling>) {
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
        obstacles.extend(bulletins.is_capped.then(|| self.capped(goal)));
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
        let (mut quiet, mut is_capped) = (None, false);
        let mut allowed = Vec::new();
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
                is_capped = true;
                continue;
            }
            allowed.push(index);
        }
        if allowed.is_empty() {
            return Err(match quiet {
                _ if is_capped => self.capped(goal),
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
        Ok(Allowed { allowed, is_capped })
    }

    fn capped(&self, goal: usize) -> Detail {
        let cap = self.plan.fills.goals[goal].target.cap;
        let detail = |code| Detail::new(code).with("most", cap.per_day);
        match cap.per_week {
            Some(per_week) => detail("target-cap-week").with("week", per_week),
            None => detail("target-cap"),
        }
    }

    /// Beginnings that may be tried on a day, the best first.
    fn candidates(&mut self, goal: usize, ear: usize, day: usize) -> Vec<Candidate> {
        let known = &self.plan.fills.goals[goal];
        let ear_of = &known.ears[ear];
        let place = (ear_of.number, ear_of.ward);
        let spans = self.spans(known.target, place, day);
        let here = &mut self.days[day];
        let gap = here.placing.permit(place, Priority::Normal).gap;
        // Behind what is heard, before it, and as soon as something is a session of its own.
        let mut near: Vec<(Nearness, Timestamp)> = Vec::new();
        for slot in here.placing.heard_in(ear_of.number) {
            let schedule = &here.drafts[slot.draft].schedule.id;
            let end = self.ends[day].get(&(schedule, slot.begin)).copied();
            let end = end.unwrap_or(slot.until);
            near.push((Nearness::Behind, whole_second(end + BETWEEN)));
            near.push((Nearness::Before, slot.begin));
        }
        for (_, end) in here.placing.heard_by(ear_of.number) {
            near.push((Nearness::Apart, whole_second(*end + gap)));
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
        (number, ward): (usize, &WardId),
        day: usize,
    ) -> Vec<(Timestamp, Timestamp)> {
        let (date, zone) = (self.dates[day], self.plan.workspace.settings.zone);
        let at = |time| resolve(date.and_time(time), zone);
        let policy = &self.plan.workspace.policy;
        let day = &mut self.days[day];
        let (begin, end) = (at(NaiveTime::MIN), day.placing.end());
        let has_hours = policy.in_force(ward, date).any(names_hours);
        let windows: Vec<(Timestamp, Timestamp)> = match &target.windows {
            None if !has_hours => return Vec::new(),
            None => vec![(begin, end)],
            Some(windows) => {
                let today = windows
                    .iter()
                    .filter(|window| window.days.contains(&date.weekday()));
                let span =
                    today.map(|window| (at(window.hours.from), window.hours.until.map_or(end, at)));
                span.collect()
            }
        };
        let permit = day.placing.permit((number, ward), Priority::Normal);
        let mut spans = Vec::new();
        for open in &permit.open {
            for (from, until) in &windows {
                let span = (open.from.max(*from), open.until.min(*until).min(end));
                spans.extend((span.0 < span.1).then_some(span));
            }
        }
        spans
    }

    /// Why there is no hour on a day that may be filled.
    fn no_hours(&self, goal: usize, ear: usize, day: usize) -> Detail {
        let known = &self.plan.fills.goals[goal];
        let policy = &self.plan.workspace.policy;
        let mut rules = policy.in_force(known.ears[ear].ward, self.dates[day]);
        match rules.find(|rule| names_hours(rule)) {
            Some(rule) => rule.refusal("target-hours"),
            None => Detail::new("target-no-hours"),
        }
    }

    /// Gives a bulletin the first place that it can have.
    fn place(
        &mut self,
        goal: usize,
        ear: usize,
        day: usize,
        bulletin: usize,
        candidates: &[Candidate],
        refused: &mut Vec<Hindrance<'w>>,
    ) -> Option<Timestamp> {
        let (units, from) = self.draft(goal, ear, day, bulletin);
        let mut found = None;
        for candidate in candidates {
            match self.room(day, &units, *candidate) {
                Ok(begin) => {
                    found = Some(begin);
                    break;
                }
                Err(hindrance) => refused.extend(hindrance),
            }
        }
        let here = &mut self.days[day];
        let Some(begin) = found else {
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
        found
    }

    /// The candidates at which a bulletin has room.
    fn possible(
        &mut self,
        goal: usize,
        ear: usize,
        day: usize,
        bulletin: usize,
        candidates: &[Candidate],
        refused: &mut Vec<Hindrance<'w>>,
    ) -> Vec<Candidate> {
        let (units, from) = self.draft(goal, ear, day, bulletin);
        let mut possible = Vec::new();
        for candidate in candidates {
            match self.room(day, &units, *candidate) {
                Ok(_) => possible.push(*candidate),
                Err(hindrance) => refused.extend(hindrance),
            }
        }
        self.days[day].drafts.truncate(from);
        possible
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

/// Bulletins by their places in the list, in the order in which they are wanted.
struct Allowed {
    allowed: Vec<usize>,
    /// Whether the cap takes others away.
    is_capped: bool,
}

/// What is in the way, in sentences. That something else is heard, or that the hours end, is said only where there is little
/// else in the way.
fn obstacles(refused: &[Hindrance<'_>]) -> Vec<Detail> {
    let mut counts: BTreeMap<String, (Detail, usize, bool)> = BTreeMap::new();
    for hindrance in refused {
        let (detail, is_common) = match hindrance {
            Hindrance::Collision(_) => (Detail::new("target-collision"), true),
            Hindrance::Outside(rule, ..) => (rule.refusal("target-window"), true),
            Hindrance::TooManySessions(rule, most) => {
                (rule.refusal("target-sessions").with("most", most), false)
            }
            Hindrance::SessionTooLong(rule, _, longest) => (
                rule.refusal("target-session")
                    .with("longest", minutes_seconds(*longest)),
                false,
            ),
            Hindrance::DayTooLong(rule, _, longest) => (
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
