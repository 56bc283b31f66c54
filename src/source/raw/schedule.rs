//! `schedules/*.yaml`: schedules, and airtime targets beside them.

use std::time::Duration;

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;

use crate::{
    catalogue::Lang,
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place, crontab},
    domain::{
        calendar::{When, parse_clock_time, parse_weekday},
        channel::ChannelKind,
        crontab::Crontab,
        id::{BulletinId, ChannelId, ScheduleId, TopicId, WardId},
        schedule::{Choice, Missed, Schedule, Start, Targets},
    },
    source::{
        notebook::Named,
        reader::{Fields, Value},
    },
};

/// How late a sending may begin when the schedule does not say: long enough for a few tries, short enough that a
/// loudspeaker does not speak at a time nobody decided on.
pub(super) const DEADLINE: Duration = Duration::from_mins(10);

/// A schedule and its places.
#[derive(Debug)]
pub(crate) struct RawSchedule {
    /// The schedule, with stand-ins for what could not be read.
    pub schedule: Schedule,
    /// Where it is named.
    pub at: Place,
    /// When it fires, or how much a target wants, if that could be read.
    pub when: Option<Place>,
    /// What it sends, if that could be read.
    pub bulletins: Option<Place>,
    /// Where it sends, if that could be read.
    pub to: Option<Place>,
    /// What becomes of what was missed.
    pub missed: Option<Place>,
    /// Whether it says anything about who wrote it.
    pub names_editors: bool,
    /// Exactly what is written.
    pub text: String,
}

/// Reads one file of schedules. `zone` is the workspace's.
pub(crate) fn read(root: Value<'_>, zone: Tz) -> Vec<RawSchedule> {
    let read = root.map(|fields| {
        let (schedules, targets) = (fields.get("schedules"), fields.get("targets"));
        if schedules.is_none() && targets.is_none() {
            fields.missing("schedules");
        }
        let mut read = Vec::new();
        for (list, one) in [
            (schedules, schedule as fn(_, _, _) -> _),
            (targets, super::target::read),
        ] {
            let known = list.map(|list| {
                list.definitions(Named::Schedule, ScheduleId::parse, |id, value| {
                    one(id, value, zone)
                })
            });
            read.extend(known.unwrap_or_default());
        }
        let is_there = schedules.is_some() || targets.is_some();
        is_there.then_some(read)
    });
    read.flatten().unwrap_or_else(|| {
        root.notebook.gap(Named::Schedule);
        Vec::new()
    })
}

fn schedule(id: ScheduleId, value: Value<'_>, zone: Tz) -> Option<RawSchedule> {
    value.map(|fields| {
        let when = fields
            .required("when")
            .and_then(|value| Some((when(value)?, value.key_place())));
        let bulletins = fields
            .required("bulletins")
            .and_then(|value| Some((choice(value, true)?, value.key_place())));
        let to = fields
            .required("to")
            .and_then(|value| Some((targets(value)?, value.key_place())));
        let missed_value = fields.required("missed");
        let missed = missed_value.and_then(missed).unwrap_or(Missed::Skip);
        let late = match missed {
            Missed::Skip => DEADLINE,
            Missed::Late { within } => within,
        };
        let (when, when_at) = when.unzip();
        let (bulletins, bulletins_at) = bulletins.unzip();
        let (to, to_at) = to.unzip();
        let deadline = fields.or("deadline", late, |value| value.duration());
        let schedule = Schedule {
            id,
            editors: super::approval::editors(fields),
            when: when.unwrap_or_else(|| When::At {
                times: vec![NaiveTime::MIN],
                days: vec![Weekday::Mon],
            }),
            zone: fields.or("zone", zone, super::settings::zone),
            valid: fields
                .get("valid")
                .and_then(super::validity)
                .unwrap_or_default(),
            bulletins: bulletins.unwrap_or_else(|| Choice::Rotate(Vec::new())),
            to: to.unwrap_or_default(),
            missed,
            deadline,
            start: fields.or("start", Start::Soft { max_wait: deadline }, start),
        };
        RawSchedule {
            schedule,
            at: value.key_place(),
            when: when_at,
            bulletins: bulletins_at,
            to: to_at,
            missed: missed_value.map(|value| value.place()),
            names_editors: super::approval::names_editors(fields),
            text: value.place().text().to_owned(),
        }
    })
}

fn when(value: Value<'_>) -> Option<When> {
    value
        .map(|fields| {
            let (cron, at, days) = (fields.get("cron"), fields.get("at"), fields.get("days"));
            match (cron, at, days) {
                (Some(line), None, None) => crontab(line).map(When::Cron),
                (None, Some(at), days) => {
                    let times = not_empty(at).and_then(|at| at.list(clock_time));
                    let days = match days {
                        Some(days) => weekdays(days),
                        None => Some(EVERY_DAY.to_vec()),
                    };
                    let (mut times, days) = (times?, days?);
                    times.sort_unstable();
                    times.dedup();
                    (!times.is_empty() && !days.is_empty()).then_some(When::At { times, days })
                }
                _ => value.choose_one(&["at", "cron"], "L019-help-when"),
            }
        })
        .flatten()
}

/// Every day of the week, from Monday on.
pub(super) const EVERY_DAY: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

/// Days of the week, at least one, in the week's order.
pub(super) fn weekdays(value: Value<'_>) -> Option<Vec<Weekday>> {
    let days = not_empty(value)?.list(weekday)?;
    let in_order = EVERY_DAY.into_iter().filter(|day| days.contains(day));
    Some(in_order.collect())
}

/// The list, unless it has nothing in it: then the schedule never fires.
pub(super) fn not_empty(list: Value<'_>) -> Option<Value<'_>> {
    if !list.is_empty_list() {
        return Some(list);
    }
    list.notebook.report(
        list.wrong(Code::NeverFires)
            .help(Phrase::new("L041-help-empty")),
    );
    None
}

/// A clock time: `05:30`.
pub(super) fn clock_time(value: Value<'_>) -> Option<NaiveTime> {
    let helps = ("L031-help", "L031-help-try");
    value.parsed_or_guessed(
        Code::BadTime,
        helps,
        |text| parse_clock_time(text).ok(),
        |text| {
            // As people say it: 5h30, 17h, 5g30, 05.30.
            let text = text
                .to_lowercase()
                .replace([' ', 'h', 'g', '.'], ":")
                .replace("::", ":");
            let time = parse_clock_time(
                text.strip_suffix(':')
                    .map_or(text.clone(), |hour| format!("{hour}:00"))
                    .as_str(),
            );
            Some(time.ok()?.format("%H:%M").to_string())
        },
    )
}

fn weekday(value: Value<'_>) -> Option<Weekday> {
    value.parsed(Code::BadWeekday, "L035-help", parse_weekday)
}

fn crontab(value: Value<'_>) -> Option<Crontab> {
    let line = value.text()?;
    let error = match Crontab::parse(&line.value) {
        Ok(crontab) => return Some(crontab),
        Err(error) => error,
    };
    let problem = |lang| crontab::problem_text(&line.value, &error, lang);
    let mend = |lang| crontab::mend_text(&error, lang);
    let diagnostic = Diagnostic::new(Code::BadCrontab, line.part(error.span.clone()))
        .with(
            "problem",
            Arg::Said {
                vi: problem(Lang::Vi),
                en: problem(Lang::En),
            },
        )
        .help(Phrase::new("help-said").with(
            "text",
            Arg::Said {
                vi: mend(Lang::Vi),
                en: mend(Lang::En),
            },
        ));
    value.notebook.report(diagnostic);
    None
}

/// What a schedule sends, or, without sessions, a part of one.
fn choice(value: Value<'_>, may_be_session: bool) -> Option<Choice> {
    let bulletin = |value: Value<'_>| value.reference(Named::Bulletin, BulletinId::parse);
    value
        .map(|fields| {
            let (only, rotate) = (fields.get("only"), fields.get("rotate"));
            if may_be_session && let Some(session) = fields.get("session") {
                return if only.is_some() || rotate.is_some() {
                    value.choose_one(&["only", "rotate", "session"], "L019-help-choice")
                } else {
                    session.map(session_of).flatten()
                };
            }
            match (only, rotate) {
                (Some(only), None) if only.is_scalar() => bulletin(only).map(Choice::Only),
                (Some(only), None) => {
                    let mut list = only.list(bulletin)?;
                    // One in a list is how people write it, too; more than one takes turns.
                    if list.len() > 1 {
                        only.choose_one(&["only", "rotate"], "L019-help-only")
                    } else {
                        list.pop().map(Choice::Only)
                    }
                }
                (None, Some(rotate)) => rotate.map(rotation).flatten(),
                _ => value.choose_one(&["only", "rotate"], "L019-help-choice"),
            }
        })
        .flatten()
}

/// Silence between two parts where nothing else is said: a breath.
const GAP: Duration = Duration::from_secs(3);

fn session_of(fields: &Fields<'_>) -> Option<Choice> {
    let ident = fields
        .get("ident")
        .and_then(|value| value.reference(Named::Bulletin, BulletinId::parse));
    let gap = fields.or("gap", GAP, |value| value.duration());
    let parts = not_empty(fields.required("parts")?)?.list(|value| choice(value, false))?;
    Some(Choice::Session {
        ident: ident.is_some(),
        parts: ident.map(Choice::Only).into_iter().chain(parts).collect(),
        gap,
    })
}

fn start(value: Value<'_>) -> Option<Start> {
    if value.is_scalar() {
        return value.one_of(&[("hard", Start::Hard)]);
    }
    value
        .map(|fields| fields.required("soft"))
        .flatten()?
        .map(|fields| {
            fields
                .required("max_wait")
                .and_then(|value| value.duration())
        })
        .flatten()
        .map(|max_wait| Start::Soft { max_wait })
}

fn rotation(fields: &Fields<'_>) -> Option<Choice> {
    match (fields.get("topic"), fields.get("list")) {
        (Some(topic), None) => topic
            .reference(Named::Topic, TopicId::parse)
            .map(Choice::RotateTopic),
        (None, Some(list)) => list
            .list(|value| value.reference(Named::Bulletin, BulletinId::parse))
            .map(Choice::Rotate),
        _ => fields
            .value()
            .choose_one(&["topic", "list"], "L019-help-rotate"),
    }
}

pub(super) fn targets(value: Value<'_>) -> Option<Targets> {
    value.map(|fields| {
        let kinds = ChannelKind::ALL.map(|kind| (kind.as_str(), kind));
        let channels = |name| {
            fields.or(name, Vec::new(), |value| {
                value.list(|value| value.reference(Named::Channel, ChannelId::parse))
            })
        };
        let (kind, wards) = (fields.get("kind"), fields.get("wards"));
        if kind.is_none() && wards.is_none() && fields.get("channels").is_none() {
            let names = ["kind", "wards", "channels"].map(str::to_owned).to_vec();
            let diagnostic =
                Diagnostic::new(Code::MissingKey, value.key_place()).with("key", "kind");
            value.notebook.report(
                diagnostic.help(Phrase::new("L013-help-to").with("names", Arg::Names(names))),
            );
        }
        Targets {
            kind: kind.and_then(|value| value.one_of(&kinds)),
            wards: wards
                .and_then(|value| value.list(|value| value.reference(Named::Ward, WardId::parse)))
                .unwrap_or_default(),
            channels: channels("channels"),
            except: channels("except"),
        }
    })
}

fn missed(value: Value<'_>) -> Option<Missed> {
    if value.is_scalar() {
        let text = value.text()?.value;
        if text == "skip" {
            return Some(Missed::Skip);
        }
        let names = ["skip", "{ late: { within: 6h } }"]
            .map(str::to_owned)
            .to_vec();
        let diagnostic = value
            .wrong(Code::NotOneOf)
            .with("text", text)
            .with("names", Arg::Names(names));
        value
            .notebook
            .report(diagnostic.help(Phrase::new("L015-help-missed")));
        return None;
    }
    value
        .map(|fields| {
            fields.required("late").and_then(|value| {
                value
                    .map(|fields| fields.required("within").and_then(|value| value.duration()))
                    .flatten()
                    .map(|within| Missed::Late { within })
            })
        })
        .flatten()
}
