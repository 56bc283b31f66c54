//! `schedules/holidays.yaml`: days on which schedules are silent, and single occurrences that are skipped, moved or carry
//! another bulletin.

use chrono::{NaiveDate, NaiveDateTime};

use crate::{
    diagnostic::{Code, Phrase, Place},
    domain::{
        bulletin::Priority,
        calendar::parse_clock_time,
        channel::ChannelKind,
        exception::{QuietDay, Span},
        id::{BulletinId, DayId, ScheduleId, WardId},
    },
    source::{
        notebook::Named,
        reader::{Fields, Value},
    },
};

/// What `keep` may say.
pub(crate) const KEEP: [(&str, Option<Priority>); 3] = [
    ("none", None),
    ("priority", Some(Priority::Priority)),
    ("emergency", Some(Priority::Emergency)),
];

/// Any leap year: a day of every year may be the 29th of February.
const LEAP: i32 = 2024;

/// The file.
#[derive(Debug, Default)]
pub(crate) struct RawExceptions {
    /// Days and their places.
    pub days: Vec<(QuietDay, Place)>,
    /// Single occurrences.
    pub once: Vec<RawException>,
}

/// One exception for one occurrence.
#[derive(Debug)]
pub(crate) struct RawException {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The clock time that the schedule names.
    pub at: (NaiveDateTime, Place),
    /// Where, and where that stands.
    pub wards: (Vec<WardId>, Option<Place>),
    /// The clock time that it is moved to.
    pub due: Option<(NaiveDateTime, Place)>,
    /// The bulletin that it carries instead.
    pub bulletin: Option<(BulletinId, Place)>,
    /// Why.
    pub reason: String,
    /// Who decided so.
    pub by: String,
    /// Where it stands, as a whole.
    pub place: Place,
}

/// Reads the file.
pub(crate) fn read(root: Value<'_>) -> RawExceptions {
    let read = |fields: &Fields<'_>| RawExceptions {
        days: fields.get("days").map_or_else(Vec::new, |days| {
            days.definitions(Named::Day, DayId::parse, quiet_day)
        }),
        once: fields
            .get("exceptions")
            .and_then(|exceptions| exceptions.list(exception))
            .unwrap_or_default(),
    };
    root.map(read).unwrap_or_default()
}

fn wards(value: Value<'_>) -> Option<Vec<WardId>> {
    value.list(|value| value.reference(Named::Ward, WardId::parse))
}

fn quiet_day(id: DayId, value: Value<'_>) -> Option<(QuietDay, Place)> {
    value
        .map(|fields| {
            let name = super::words(fields, "name");
            let span = span(fields);
            let kinds = ChannelKind::ALL.map(|kind| (kind.as_str(), kind));
            let day = QuietDay {
                id,
                name,
                kinds: fields.or("kinds", vec![ChannelKind::Loudspeaker], |value| {
                    value.list(|value| value.one_of(&kinds))
                }),
                wards: fields.or("wards", Vec::new(), wards),
                keep: fields.or("keep", None, |value| value.one_of(&KEEP)),
                document: fields.get("document").and_then(|value| value.words()),
                span: span?,
            };
            Some((day, value.key_place()))
        })
        .flatten()
}

/// One of `date`, `yearly`, and `from` with `until`.
fn span(fields: &Fields<'_>) -> Option<Span> {
    let (date, yearly) = (fields.get("date"), fields.get("yearly"));
    let (from, until) = (fields.get("from"), fields.get("until"));
    match (date, yearly, from, until) {
        (Some(date), None, None, None) => {
            let day = date.date()?;
            Some(Span::Days {
                from: day,
                until: day,
            })
        }
        (None, Some(yearly), None, None) => {
            yearly.parsed(Code::BadDate, "L032-help-yearly", parse_yearly)
        }
        (None, None, Some(from), Some(until)) => {
            let (first, last) = (from.date()?, until.date()?);
            if last < first {
                let diagnostic = until
                    .wrong(Code::Backwards)
                    .with("from", first.to_string())
                    .with("until", last.to_string());
                until
                    .notebook
                    .report(diagnostic.help(Phrase::new("L040-help")));
                return None;
            }
            Some(Span::Days {
                from: first,
                until: last,
            })
        }
        (None, None, Some(_), None) => {
            fields.missing("until");
            None
        }
        _ => fields
            .value()
            .choose_one(&["date", "yearly", "from"], "L019-help-day"),
    }
}

/// `30-04`: a day and a month that there are.
fn parse_yearly(text: &str) -> Option<Span> {
    let number = |text: &str| {
        let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (day, month) = text.split_once('-')?;
    let (day, month) = (number(day)?, number(month)?);
    NaiveDate::from_ymd_opt(LEAP, month, day).map(|_| Span::Yearly { day, month })
}

fn exception(value: Value<'_>) -> Option<RawException> {
    value
        .map(|fields| {
            let schedule = fields
                .required("schedule")
                .and_then(|value| value.reference(Named::Schedule, ScheduleId::parse));
            let at = fields
                .required("at")
                .and_then(|value| Some((occurrence(value)?, value.place())));
            let wards_value = fields.get("wards");
            let wards = wards_value.and_then(wards).unwrap_or_default();
            let by = super::words(fields, "by");
            let (skip, due) = (fields.get("skip"), fields.get("move"));
            let (replace, reason) = (fields.get("replace"), fields.get("reason"));
            let reason = match (skip, due.or(replace), reason) {
                (Some(skip), None, None) => skip.words()?,
                (None, Some(_), Some(reason)) => reason.words()?,
                (None, Some(_), None) => {
                    fields.missing("reason");
                    return None;
                }
                _ => return value.choose_one(&["skip", "move", "replace"], "L019-help-exception"),
            };
            let at = at?;
            let due = match due {
                Some(due) => Some((moved(due, at.0.date())?, due.place())),
                None => None,
            };
            let bulletin = match replace {
                Some(value) => Some((
                    value.reference(Named::Bulletin, BulletinId::parse)?,
                    value.place(),
                )),
                None => None,
            };
            Some(RawException {
                schedule: schedule?,
                at,
                wards: (wards, wards_value.map(|value| value.place())),
                due,
                bulletin,
                reason,
                by,
                place: value.place(),
            })
        })
        .flatten()
}

/// `2024-04-01 05:30`.
fn occurrence(value: Value<'_>) -> Option<NaiveDateTime> {
    value.parsed(Code::BadTime, "L031-help-occurrence", parse_moment)
}

/// `06:00` on `day`, or `2024-04-03 06:00`.
fn moved(value: Value<'_>, day: NaiveDate) -> Option<NaiveDateTime> {
    value.parsed(Code::BadTime, "L031-help-move", |text| {
        let time = parse_clock_time(text).ok().map(|time| day.and_time(time));
        time.or_else(|| parse_moment(text))
    })
}

fn parse_moment(text: &str) -> Option<NaiveDateTime> {
    let (day, time) = text.split_once([' ', 'T'])?;
    let is_day = day.len() == 10 && day.as_bytes()[0].is_ascii_digit();
    let day: NaiveDate = is_day.then(|| day.parse().ok()).flatten()?;
    Some(day.and_time(parse_clock_time(time.trim()).ok()?))
}
