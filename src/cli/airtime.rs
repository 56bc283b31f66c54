//! `loa airtime`: how many minutes a week people hear of each topic: wanted, planned, taken and confirmed, and what is missing.

mod table;

use std::{collections::BTreeMap, time::Duration};

use chrono::{Days, NaiveDate, NaiveTime};
use clap::Args;
use serde::Serialize;

use super::{
    Findings, Global, named,
    output::{Format, JsonArray, Output, parse_instant},
    place::Place,
};
use crate::{
    catalogue,
    clock::Clock,
    domain::{
        bulletin::Priority,
        calendar::{self, local, resolve},
        delivery::{Reason, State},
        id::{ChannelId, ScheduleId, TopicId, WardId},
        pause::Pause,
        plan::Plan,
        target::Filling,
        time::Timestamp,
        workspace::Workspace,
    },
    store::{Store, World, airtime::Airtime},
};

/// Which weeks, and of what.
#[derive(Debug, Args)]
pub(super) struct AirtimeArgs {
    /// The week of this instant and those after it (2024-03-25, +7d; default: this week)
    #[arg(long, allow_hyphen_values = true)]
    from: Option<String>,
    /// Until the week of this instant, which is not shown if the instant is its beginning (default: one week)
    #[arg(long, allow_hyphen_values = true)]
    to: Option<String>,
    /// Only this ward
    #[arg(long)]
    ward: Option<String>,
    /// Only this topic
    #[arg(long)]
    topic: Option<String>,
    /// As if it were this instant: what is due from then on is to come (2024-03-25T05:00)
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    at: Option<String>,
}

/// What is asked about.
#[derive(Debug)]
struct Wanted<'w> {
    ward: Option<&'w WardId>,
    topic: Option<&'w TopicId>,
    /// Whether the present is only supposed: the record does not know what comes after it.
    is_supposed: bool,
}

/// What one loudspeaker says of one topic in a week.
#[derive(Debug, Clone, Default)]
struct Said {
    planned: Duration,
    accepted: Duration,
    confirmed: Duration,
    unknown: Duration,
    to_come: Duration,
    /// What a loudspeaker took and did not say to its end.
    cut: Duration,
    /// What was planned and is not heard, by the reason.
    lost: BTreeMap<&'static str, Duration>,
}

impl Said {
    /// What was taken or heard, or still may be.
    fn reached(&self) -> Duration {
        self.accepted + self.confirmed + self.to_come
    }

    fn record(&mut self, airtime: &Airtime, is_paused: bool) {
        let amount = match airtime.state {
            State::Planned | State::Ready if is_paused => self.paused(),
            State::Accepted => &mut self.accepted,
            State::Confirmed => &mut self.confirmed,
            State::Unknown => &mut self.unknown,
            State::Planned | State::Ready | State::Sending => &mut self.to_come,
            State::Failed | State::Skipped | State::Cancelled | State::Unheard => {
                let reason = airtime
                    .reason
                    .map_or(airtime.state.as_str(), Reason::as_str);
                self.lost.entry(reason).or_default()
            }
        };
        *amount += airtime.length.saturating_sub(airtime.cut);
        self.cut += airtime.cut;
    }

    /// What a pause will end.
    fn paused(&mut self) -> &mut Duration {
        self.lost.entry(Reason::Paused.as_str()).or_default()
    }
}

/// A ward and a topic in a week: as the loudspeaker says it that says least of it.
#[derive(Debug)]
struct Heard<'w> {
    ward: &'w WardId,
    topic: TopicId,
    channel: ChannelId,
    filling: Option<Filling>,
    said: Said,
}

impl Heard<'_> {
    fn missing(&self) -> Duration {
        let wanted = self
            .filling
            .as_ref()
            .map_or(Duration::ZERO, |filling| filling.wanted);
        wanted.saturating_sub(self.said.reached())
    }
}

/// A row of `loa airtime --format json`. Fields are only ever added.
#[derive(Debug, Serialize)]
struct Row<'a> {
    week: NaiveDate,
    ward: &'a WardId,
    ward_name: &'a str,
    topic: &'a TopicId,
    target: Option<&'a ScheduleId>,
    channel: &'a ChannelId,
    wanted_seconds: Option<f64>,
    planned_seconds: f64,
    accepted_seconds: f64,
    confirmed_seconds: f64,
    unknown_seconds: f64,
    to_come_seconds: f64,
    missing_seconds: f64,
    cut_off_seconds: f64,
    obstacles: Vec<Obstacle<'a>>,
    lost: Vec<Lost>,
}

/// Why the plan does not reach a target.
#[derive(Debug, Serialize)]
struct Obstacle<'a> {
    code: &'a str,
    days: usize,
    why: String,
}

/// What was planned and is not heard.
#[derive(Debug, Serialize)]
struct Lost {
    reason: &'static str,
    seconds: f64,
}

/// Shows week after week.
///
/// # Errors
/// [`Findings`] where a target is missed; others when something is not understood or the store fails.
pub(super) async fn run(
    global: &Global,
    args: &AirtimeArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let place = Place::load(global, output)?;
    let workspace = &place.workspace;
    let wanted = Wanted {
        ward: match &args.ward {
            Some(name) => Some(&named::ward(workspace, name, output)?.id),
            None => None,
        },
        topic: match &args.topic {
            Some(name) => Some(&named::topic(workspace, name, output)?.id),
            None => None,
        },
        is_supposed: args.at.is_some(),
    };
    let store = place.reading(output).await?;
    let zone = place.zone();
    let now = match place.world {
        World::Real => Clock::system().now(),
        World::Simulated => place.now(&store).await?,
    };
    let now = args
        .at
        .as_deref()
        .map_or(Ok(now), |text| parse_instant(text, zone, now))?;
    let mut weeks = Vec::new();
    for monday in mondays(args, now, zone)? {
        weeks.push((monday, week(workspace, &store, &wanted, monday, now).await?));
    }
    let is_missed = |heard: &Heard<'_>| !heard.missing().is_zero();
    let missed = weeks
        .iter()
        .flat_map(|(_, all)| all)
        .filter(|heard| is_missed(heard))
        .count();
    match output.format {
        Format::Json => {
            let mut array = JsonArray::begin(output)?;
            for (monday, all) in &weeks {
                for heard in all {
                    array.item(&row(workspace, *monday, heard, output))?;
                }
            }
            array.end()?;
        }
        Format::Text => {
            let is_narrow = args.ward.is_some() || args.topic.is_some();
            for (monday, all) in &weeks {
                table::show(workspace, *monday, all, is_narrow, output)?;
            }
        }
    }
    if missed > 0 {
        return Err(Findings(output.say("cli.airtime-missed", &[("count", &missed)])).into());
    }
    Ok(())
}

/// The Mondays of the weeks that are asked about.
fn mondays(
    args: &AirtimeArgs,
    now: Timestamp,
    zone: chrono_tz::Tz,
) -> anyhow::Result<Vec<NaiveDate>> {
    let read = |text: &Option<String>| {
        text.as_deref()
            .map(|text| parse_instant(text, zone, now))
            .transpose()
    };
    let from = read(&args.from)?.unwrap_or(now);
    let until = read(&args.to)?.unwrap_or(from + Duration::from_micros(1));
    let monday = |at| calendar::monday(local(at, zone).date());
    let last = local(Timestamp::from_micros(until.as_micros() - 1), zone).date();
    let weeks = (0..).map_while(|week| monday(from).checked_add_days(Days::new(7 * week)));
    // An end before the beginning is one week, as for whoever asks for a single instant.
    Ok(weeks
        .enumerate()
        .take_while(|(n, monday)| *n == 0 || *monday <= last)
        .map(|(_, day)| day)
        .collect())
}

/// What every channel says of every topic in a week.
async fn said(
    plan: &Plan<'_>,
    workspace: &Workspace,
    store: &Store,
    wanted: &Wanted<'_>,
    (monday, now): (NaiveDate, Timestamp),
) -> anyhow::Result<BTreeMap<(ChannelId, TopicId), Said>> {
    let zone = workspace.settings.zone;
    let midnight = |day: NaiveDate| resolve(day.and_time(NaiveTime::MIN), zone);
    let next = monday.checked_add_days(Days::new(7)).unwrap_or(monday);
    let (from, until) = (midnight(monday), midnight(next));
    // As far as these files are planned on record, the record knows more: what was taken back, or is paused.
    let runs = store.plan_runs(&workspace.revision).await?;
    let known = if wanted.is_supposed {
        now
    } else {
        runs.into_iter()
            .filter(|(begin, end)| *begin <= now && now < *end)
            .map(|(_, end)| end)
            .max()
            .unwrap_or(now)
    };
    // What falls due in a pause stays on record as if it were to come until then.
    let pauses = store.pauses(now).await?;
    let is_paused = |at: Timestamp,
                     (channel, ward): (&ChannelId, &WardId),
                     of: (&TopicId, Priority)| {
        let silences =
            |pause: &Pause| pause.is_in_force(at) && pause.covers(ward, channel, Some(of.0), of.1);
        at >= now && pauses.iter().any(silences)
    };
    let mut said: BTreeMap<(ChannelId, TopicId), Said> = BTreeMap::new();
    for (begin, end) in pieces(from, until.min(known).max(from), now, &pauses) {
        for airtime in store.airtime(begin, end).await? {
            let ward = workspace.channels.get(&airtime.channel);
            let ward = ward.map(|channel| &channel.ward);
            let of = (&airtime.topic, airtime.priority);
            let is_paused = ward.is_some_and(|ward| is_paused(begin, (&airtime.channel, ward), of));
            let key = (airtime.channel.clone(), airtime.topic.clone());
            said.entry(key).or_default().record(&airtime, is_paused);
        }
    }
    for delivery in plan
        .deliveries(from, until)
        .filter(|delivery| delivery.skip.is_none())
    {
        let (Some(length), Some(topic)) = (delivery.length, delivery.topic) else {
            continue;
        };
        let is_paused = is_paused(
            delivery.due,
            (&delivery.channel, &delivery.ward),
            (&topic, delivery.priority),
        );
        let said = said.entry((delivery.channel, topic)).or_default();
        said.planned += length;
        if delivery.due >= known {
            *if is_paused {
                said.paused()
            } else {
                &mut said.to_come
            } += length;
        }
    }
    Ok(said)
}

/// What every ward hears of every topic in a week.
async fn week<'w>(
    workspace: &'w Workspace,
    store: &Store,
    wanted: &Wanted<'_>,
    monday: NaiveDate,
    now: Timestamp,
) -> anyhow::Result<Vec<Heard<'w>>> {
    let plan = Plan::new(workspace);
    let said = said(&plan, workspace, store, wanted, (monday, now)).await?;
    let is_wanted = |ward: &WardId, topic: &TopicId| {
        wanted.ward.is_none_or(|wanted| ward == wanted)
            && wanted.topic.is_none_or(|wanted| topic == wanted)
    };
    let mut all: Vec<Heard<'w>> = Vec::new();
    for (_, filling) in plan.fillings([monday]) {
        let Some(schedule) = workspace.schedules.get(&filling.schedule) else {
            continue;
        };
        let channels = workspace.channels.values().filter(|channel| {
            channel.is_heard() && channel.ward == filling.ward && schedule.to.include(channel)
        });
        let of = |channel: &ChannelId| {
            let key = (channel.clone(), filling.topic.clone());
            said.get(&key).cloned().unwrap_or_default()
        };
        let least = channels
            .map(|channel| (channel, of(&channel.id)))
            .min_by_key(|(channel, said)| (said.reached(), channel.id.clone()));
        if let Some((channel, said)) = least.filter(|_| is_wanted(&filling.ward, &filling.topic)) {
            all.push(Heard {
                ward: &channel.ward,
                topic: filling.topic.clone(),
                channel: channel.id.clone(),
                filling: Some(filling),
                said,
            });
        }
    }
    let mut others: BTreeMap<(&WardId, TopicId), (ChannelId, Said)> = BTreeMap::new();
    for ((channel, topic), said) in said {
        let Some(ward) = workspace
            .channels
            .get(&channel)
            .map(|channel| &channel.ward)
        else {
            continue;
        };
        let has_target = |heard: &Heard<'_>| (heard.ward, &heard.topic) == (ward, &topic);
        if !is_wanted(ward, &topic) || all.iter().any(has_target) {
            continue;
        }
        let least = others
            .entry((ward, topic))
            .or_insert_with(|| (channel.clone(), said.clone()));
        if said.reached() < least.1.reached() {
            *least = (channel, said);
        }
    }
    all.extend(
        others
            .into_iter()
            .map(|((ward, topic), (channel, said))| Heard {
                ward,
                topic,
                channel,
                filling: None,
                said,
            }),
    );
    all.sort_by(|one, other| {
        let key = |heard: &Heard<'_>| (heard.filling.is_none(), heard.topic.clone());
        (key(one), one.ward).cmp(&(key(other), other.ward))
    });
    Ok(all)
}

/// The time from `from` to `until`, cut where it becomes the future and where pauses begin and end.
fn pieces(
    from: Timestamp,
    until: Timestamp,
    now: Timestamp,
    pauses: &[Pause],
) -> Vec<(Timestamp, Timestamp)> {
    let ends = pauses.iter().flat_map(|pause| [pause.from, pause.end()]);
    let inside = ends.chain([now]).filter(|at| from < *at && *at < until);
    let mut cuts: Vec<Timestamp> = inside.chain([from, until]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

fn row<'a>(
    workspace: &'a Workspace,
    week: NaiveDate,
    heard: &'a Heard<'_>,
    output: &Output,
) -> Row<'a> {
    let filling = heard.filling.as_ref();
    let said = &heard.said;
    Row {
        week,
        ward: heard.ward,
        ward_name: workspace
            .ward(heard.ward)
            .map_or("", |ward| ward.name.as_str()),
        topic: &heard.topic,
        target: filling.map(|filling| &filling.schedule),
        channel: &heard.channel,
        wanted_seconds: filling.map(|filling| filling.wanted.as_secs_f64()),
        planned_seconds: said.planned.as_secs_f64(),
        accepted_seconds: said.accepted.as_secs_f64(),
        confirmed_seconds: said.confirmed.as_secs_f64(),
        unknown_seconds: said.unknown.as_secs_f64(),
        to_come_seconds: said.to_come.as_secs_f64(),
        missing_seconds: heard.missing().as_secs_f64(),
        cut_off_seconds: said.cut.as_secs_f64(),
        obstacles: filling
            .into_iter()
            .flat_map(|filling| &filling.obstacles)
            .map(|(detail, days)| Obstacle {
                code: detail.code(),
                days: *days,
                why: catalogue::detail(output.lang, detail.code(), detail.arguments())
                    .unwrap_or_default(),
            })
            .collect(),
        lost: said
            .lost
            .iter()
            .map(|(reason, length)| Lost {
                reason,
                seconds: length.as_secs_f64(),
            })
            .collect(),
    }
}
