//! A crontab line as a sentence.
//!
//! Spans name the first and the last run, never bare hours: `*/15 6-18 * * *` runs until 18:45, not until 18:00.

use crate::{
    catalogue::{Lang, text},
    domain::crontab::{Crontab, Field},
};

/// Up to so many clock times are simply listed.
const FEW_TIMES: u32 = 6;
/// Up to so many stretches of hours are named by their beginnings and ends.
const FEW_SPANS: usize = 3;

/// Sunday first, as crontab counts.
pub(super) const WEEKDAYS: [&str; 7] = [
    "cron.sun", "cron.mon", "cron.tue", "cron.wed", "cron.thu", "cron.fri", "cron.sat",
];
/// Monday first, as people count.
const ON_WEEKDAYS: [(u32, &str); 7] = [
    (1, "cron.on-mon"),
    (2, "cron.on-tue"),
    (3, "cron.on-wed"),
    (4, "cron.on-thu"),
    (5, "cron.on-fri"),
    (6, "cron.on-sat"),
    (0, "cron.on-sun"),
];
#[rustfmt::skip]
const MONTHS: [(u32, &str); 12] = [
    (1, "cron.jan"), (2, "cron.feb"), (3, "cron.mar"), (4, "cron.apr"), (5, "cron.may"), (6, "cron.jun"),
    (7, "cron.jul"), (8, "cron.aug"), (9, "cron.sep"), (10, "cron.oct"), (11, "cron.nov"), (12, "cron.dec"),
];

/// Says a crontab line in words: `lúc 05:30 và 17:00, thứ Hai đến thứ Sáu`. Where both day fields matter, the sentence
/// says whether one is enough or both must hold, by the rule of [`Crontab::either_day`].
#[must_use]
pub fn describe(line: &Crontab, lang: Lang) -> String {
    let time = time(line, lang);
    let words = match days(line, lang) {
        Some(days) => format!("{time}, {days}"),
        None if line.fields().hour.is_full() => time,
        None => format!("{time}, {}", text(lang, "cron.every-day", &[])),
    };
    if line.is_never() {
        text(lang, "cron.never", &[("words", &words)])
    } else {
        words
    }
}

fn time(line: &Crontab, lang: Lang) -> String {
    let (minute, hour) = (line.fields().minute, line.fields().hour);
    let times = || {
        let times = hour
            .values()
            .flat_map(|hour| minute.values().map(move |minute| clock(hour, minute)));
        text(
            lang,
            "cron.at",
            &[("times", &list(times.collect(), "cron.and", lang))],
        )
    };
    if minute.count() * hour.count() <= FEW_TIMES {
        return times();
    }
    if let Some(words) = regular(minute, hour, lang) {
        return words;
    }
    let minutes = numbers(minute, lang);
    match (hour.is_full(), minute.count()) {
        (true, 1) if minute.has(0) => text(lang, "cron.on-the-hour", &[]),
        (true, 1) => text(lang, "cron.hourly-at-one", &[("minutes", &minutes)]),
        (true, _) => text(lang, "cron.hourly-at", &[("minutes", &minutes)]),
        (false, 1) => times(),
        (false, _) => text(
            lang,
            "cron.minutes-of-hours",
            &[("minutes", &minutes), ("hours", &numbers(hour, lang))],
        ),
    }
}

/// Times at even distances: "every so many minutes" or hours, with the stretches of the day in which that holds.
fn regular(minute: Field, hour: Field, lang: Lang) -> Option<String> {
    let often = |one: &str, many: &str, step: u32| match step {
        1 => text(lang, one, &[]),
        step => text(lang, many, &[("count", &step)]),
    };
    let first = minute.values().next()?;
    let last = minute.values().last()?;
    if let Some(step) = step_around_the_hour(minute) {
        let often = often("cron.every-minute", "cron.every-minutes", step);
        if hour.is_full() {
            // From :05 on, every 15 minutes, is not what "every 15 minutes" suggests.
            return (first == 0).then_some(often);
        }
        let runs = runs(&hour.values().collect::<Vec<_>>());
        if runs.len() > FEW_SPANS {
            let hours = numbers(hour, lang);
            return Some(text(
                lang,
                "cron.in-hours",
                &[("often", &often), ("hours", &hours)],
            ));
        }
        let span = |&(from, to): &(u32, u32)| span(&clock(from, first), &clock(to, last), lang);
        let spans = list(runs.iter().map(span).collect(), "cron.and", lang);
        return Some(text(
            lang,
            "cron.within",
            &[("often", &often), ("spans", &spans)],
        ));
    }
    let hours: Vec<u32> = hour.values().collect();
    let (from, to) = (*hours.first()?, *hours.last()?);
    let step = progression(&hours).filter(|_| first == last && !hour.is_full())?;
    let often = often("cron.every-hour", "cron.every-hours", step);
    let span = span(&clock(from, first), &clock(to, first), lang);
    Some(text(
        lang,
        "cron.within",
        &[("often", &often), ("spans", &span)],
    ))
}

/// What the three fields for days say; nothing when it is every day.
fn days(line: &Crontab, lang: Lang) -> Option<String> {
    let fields = line.fields();
    let (dates, weekdays) = (fields.day_of_month, fields.day_of_week);
    let months = (!fields.month.is_full()).then(|| names(fields.month, &MONTHS, "cron.and", lang));
    let only_in = |days: String| match &months {
        Some(months) => text(lang, "cron.only-in", &[("days", &days), ("months", months)]),
        None => days,
    };
    let bare_dates = || {
        let key = if dates.count() == 1 {
            "cron.date"
        } else {
            "cron.dates"
        };
        text(lang, key, &[("days", &numbers(dates, lang))])
    };
    let full_dates = || match &months {
        Some(months) => text(
            lang,
            "cron.of-months",
            &[("dates", &bare_dates()), ("months", months)],
        ),
        None => text(lang, "cron.of-every-month", &[("dates", &bare_dates())]),
    };
    // Where one of them is enough and one always holds, the other says nothing, as in `0 5 1-31 * 1`.
    let every_day = match (dates.is_full(), weekdays.is_full()) {
        (dates, weekdays) if line.either_day() => dates || weekdays,
        (dates, weekdays) => dates && weekdays,
    };
    if every_day {
        return months
            .is_some()
            .then(|| only_in(text(lang, "cron.every-day", &[])));
    }
    match (dates.is_full(), weekdays.is_full()) {
        (true, _) => Some(only_in(names(weekdays, &ON_WEEKDAYS, "cron.and", lang))),
        (false, true) => Some(full_dates()),
        (false, false) => {
            let weekdays = names(weekdays, &ON_WEEKDAYS, "cron.or", lang);
            let say =
                |key, dates: String| text(lang, key, &[("dates", &dates), ("weekdays", &weekdays)]);
            Some(match (line.either_day(), &months) {
                // The months hold for the weekdays too, so they come after both.
                (true, Some(_)) => only_in(say("cron.either-day", bare_dates())),
                (true, None) => say("cron.either-day", full_dates()),
                (false, _) => say("cron.both-days", full_dates()),
            })
        }
    }
}

fn clock(hour: u32, minute: u32) -> String {
    format!("{hour:02}:{minute:02}")
}

fn span(first: &str, last: &str, lang: Lang) -> String {
    text(lang, "cron.span", &[("first", &first), ("last", &last)])
}

/// The distance, when the minutes are equally far apart all around the hour.
fn step_around_the_hour(minute: Field) -> Option<u32> {
    let step = progression(&minute.values().collect::<Vec<_>>())?;
    (step * minute.count() == 60).then_some(step)
}

/// The distance between neighbours, when it is always the same.
fn progression(values: &[u32]) -> Option<u32> {
    let [first, second, ..] = values else {
        return None;
    };
    let step = second - first;
    values
        .windows(2)
        .all(|pair| pair[1] - pair[0] == step)
        .then_some(step)
}

/// Neighbouring values joined, as first and last.
fn runs(values: &[u32]) -> Vec<(u32, u32)> {
    values
        .chunk_by(|one, other| one + 1 == *other)
        .map(|run| (run[0], run[run.len() - 1]))
        .collect()
}

/// Numbers as people write them: runs as `6–10`, long even series with the middle left out.
fn numbers(field: Field, lang: Lang) -> String {
    let values: Vec<u32> = field.values().collect();
    if let [first, second, third, _, .., last] = values.as_slice()
        && progression(&values).is_some_and(|step| step > 1 && values.len() > 4)
    {
        return format!("{first}, {second}, {third}, …, {last}");
    }
    let parts = runs(&values)
        .into_iter()
        .flat_map(|(first, last)| match last - first {
            0 => vec![first.to_string()],
            1 => vec![first.to_string(), last.to_string()],
            _ => vec![format!("{first}–{last}")],
        });
    list(parts.collect(), "cron.and", lang)
}

/// Names in the order of the table, three and more neighbours as "from to".
fn names(field: Field, table: &[(u32, &str)], joint: &str, lang: Lang) -> String {
    let places: Vec<u32> = (0..)
        .zip(table)
        .filter(|(_, (value, _))| field.has(*value))
        .map(|(place, _)| place)
        .collect();
    let name = |place: u32| text(lang, table[place as usize].1, &[]);
    let parts = runs(&places)
        .into_iter()
        .flat_map(|(first, last)| match last - first {
            0 => vec![name(first)],
            1 => vec![name(first), name(last)],
            _ => vec![text(
                lang,
                "cron.to",
                &[("first", &name(first)), ("last", &name(last))],
            )],
        });
    list(parts.collect(), joint, lang)
}

/// `a, b và c`.
pub(super) fn list(mut parts: Vec<String>, joint: &str, lang: Lang) -> String {
    match parts.pop() {
        Some(last) if parts.is_empty() => last,
        Some(last) => text(
            lang,
            joint,
            &[("first", &parts.join(", ")), ("last", &last)],
        ),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line, and under it what it says in both languages.
    const WORDS: &str = include_str!("words.txt");

    #[test]
    fn lines_in_words() {
        let cases = WORDS
            .split("\n\n")
            .filter_map(|case| case.trim().lines().next());
        let shown: Vec<String> = cases
            .map(|line| {
                let crontab = Crontab::parse(line).unwrap();
                let (vi, en) = (describe(&crontab, Lang::Vi), describe(&crontab, Lang::En));
                format!("{line}\n{vi}\n{en}")
            })
            .collect();
        assert_eq!(shown.join("\n\n"), WORDS.trim());
    }

    /// Whatever the line, no key is missing from the catalogue and no placeholder stays open.
    #[test]
    fn nothing_is_left_unsaid() {
        let times = ["*", "0", "7", "*/15", "5-59/15", "*/7", "3,9", "1-9"];
        let hours = ["*", "0", "6-18", "*/2", "6-9,17", "1,4,6,9,20", "*/5"];
        let days = [
            "* *", "1 *", "*/2 *", "1,15 *", "* 3", "1 3-8", "30 2", "*/9 */3",
        ];
        let weekdays = ["*", "1", "0,6", "*/2", "1-5", "0-7"];
        for (time, hour) in times
            .iter()
            .flat_map(|time| hours.iter().map(move |hour| (time, hour)))
        {
            for (day, weekday) in days
                .iter()
                .flat_map(|day| weekdays.iter().map(move |weekday| (day, weekday)))
            {
                let line = Crontab::parse(&format!("{time} {hour} {day} {weekday}")).unwrap();
                for lang in [Lang::Vi, Lang::En] {
                    let words = describe(&line, lang);
                    assert!(
                        !words.contains(['[', '{', ']', '}']),
                        "{}: {words}",
                        line.as_str()
                    );
                }
            }
        }
    }
}
