//! The calendar against two other opinions: a walk through the minutes written down straight from crontab(5), and
//! croner around changes of the clocks. Lines come from a fixed seed, so a failure repeats itself. A third opinion is a table
//! that another program worked out, in another language and with another copy of the zones.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};
use loa::domain::{
    calendar::{Firing, When, local, resolve},
    crontab::Crontab,
    time::Timestamp,
};

/// Marsaglia's xorshift: random enough, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 16) % u64::from(limit)).unwrap()
    }

    fn one_in(&mut self, chances: u32) -> bool {
        self.below(chances) == 0
    }
}

/// A field as written and what crontab(5) says it means, made together so that neither depends on a parser.
struct Field {
    text: String,
    values: BTreeSet<u32>,
}

impl Field {
    fn starred(&self) -> bool {
        self.text.starts_with('*')
    }

    fn has(&self, value: u32) -> bool {
        self.values.contains(&value)
    }
}

const MONTHS: [&str; 12] = [
    "jan", "FEB", "mar", "apr", "May", "jun", "jul", "aug", "sep", "oct", "nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "MON", "tue", "Wed", "thu", "fri", "sat"];

fn field(dice: &mut Dice, low: u32, high: u32, names: &[&str]) -> Field {
    let weekday = high == 7;
    let write = |dice: &mut Dice, value: u32| match names.get((value - low) as usize) {
        Some(name) if dice.one_in(3) => (*name).to_owned(),
        _ => value.to_string(),
    };
    let mut parts = Vec::new();
    let mut values = BTreeSet::new();
    for _ in 0..[1, 1, 1, 2, 3][dice.below(5) as usize] {
        let (mut first, mut last, mut step) = (low, high, 1);
        let mut text = match dice.below(4) {
            0 => "*".to_owned(),
            1 => {
                first = low + dice.below(high - low + 1);
                last = first;
                write(dice, first)
            }
            _ => {
                first = low + dice.below(high - low + 1);
                last = first + dice.below(high - first + 1);
                format!("{}-{}", write(dice, first), write(dice, last))
            }
        };
        if (text == "*" || text.contains('-')) && dice.one_in(2) {
            step = 1 + dice.below(high.min(20));
            text = format!("{text}/{step}");
        }
        parts.push(text);
        values.extend(
            (first..=last)
                .step_by(step as usize)
                .map(|value| if weekday { value % 7 } else { value }),
        );
    }
    Field {
        text: parts.join(","),
        values,
    }
}

/// A line with its five fields.
struct Line {
    text: String,
    minute: Field,
    hour: Field,
    day_of_month: Field,
    month: Field,
    day_of_week: Field,
}

impl Line {
    fn roll(dice: &mut Dice) -> Self {
        let free = || Field {
            text: "*".to_owned(),
            values: (0..60).collect(),
        };
        let minute = field(dice, 0, 59, &[]);
        let hour = field(dice, 0, 23, &[]);
        let day_of_month = if dice.one_in(3) {
            free()
        } else {
            field(dice, 1, 31, &[])
        };
        let month = if dice.one_in(2) {
            free()
        } else {
            field(dice, 1, 12, &MONTHS)
        };
        let day_of_week = if dice.one_in(3) {
            free()
        } else {
            field(dice, 0, 7, &WEEKDAYS)
        };
        let text = [&minute, &hour, &day_of_month, &month, &day_of_week]
            .map(|field| field.text.as_str())
            .join(" ");
        Self {
            text,
            minute,
            hour,
            day_of_month,
            month,
            day_of_week,
        }
    }

    fn parse(&self) -> Crontab {
        Crontab::parse(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.text))
    }

    /// "If both fields are restricted, the command will be run when either field matches the current time."
    fn day(&self, date: NaiveDate) -> bool {
        let by_number = self.day_of_month.has(date.day());
        let by_weekday = self.day_of_week.has(date.weekday().num_days_from_sunday());
        let either = !self.day_of_month.starred() && !self.day_of_week.starred();
        self.month.has(date.month())
            && if either {
                by_number || by_weekday
            } else {
                by_number && by_weekday
            }
    }

    fn minute(&self, wall: NaiveDateTime) -> bool {
        self.minute.has(wall.minute()) && self.hour.has(wall.hour()) && self.day(wall.date())
    }

    /// The first match at or after `from`, at most nine years on: minute by minute on the days that match.
    fn walk(&self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        let mut date = from.date();
        for _ in 0..9 * 366 {
            if self.day(date) {
                let mut wall = NaiveDateTime::from(date).max(from);
                while wall.date() == date {
                    if self.minute(wall) {
                        return Some(wall);
                    }
                    wall += TimeDelta::minutes(1);
                }
            }
            date = date.succ_opt().unwrap();
        }
        None
    }
}

fn instant(wall: NaiveDateTime) -> Timestamp {
    wall.and_utc().into()
}

fn some_minute(dice: &mut Dice) -> NaiveDateTime {
    let start: NaiveDateTime = NaiveDate::from_ymd_opt(2023, 1, 1).unwrap().into();
    // Every third search begins near a month's end or a leap day, where the mistakes are.
    let start = start + TimeDelta::minutes(dice.below(3 * 366 * 1440).into());
    if dice.one_in(3) {
        start.with_day(28).unwrap()
    } else {
        start
    }
}

#[test]
fn ten_thousand_lines_against_a_walk_through_the_minutes() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut found = 0;
    for _ in 0..10_000 {
        let line = Line::roll(&mut dice);
        let crontab = line.parse();
        let from = some_minute(&mut dice);
        let expected = line.walk(from);
        let next = crontab.next_wall(from);
        if expected.is_some() {
            assert_eq!(next, expected, "{} from {from}", line.text);
            found += 1;
        } else {
            assert!(
                next.is_none_or(|wall| wall - from > TimeDelta::days(9 * 365)),
                "{}",
                line.text
            );
        }
        let (fixed, never) = (
            !line.minute.starred() && !line.hour.starred(),
            next.is_none(),
        );
        assert_eq!(
            (crontab.is_fixed(), crontab.is_never()),
            (fixed, never),
            "{}",
            line.text
        );
    }
    assert!(found > 9_900, "only {found} lines ever fire");
}

#[test]
fn ordinals_against_counting() {
    let mut dice = Dice(42);
    for _ in 0..400 {
        let line = Line::roll(&mut dice);
        let when = When::Cron(line.parse());
        let epoch = some_minute(&mut dice).date();
        let wall = NaiveDateTime::from(epoch) + TimeDelta::minutes(dice.below(40 * 1440).into());
        let counted = when
            .firings(Tz::UTC, instant(epoch.into()), instant(wall))
            .count();
        assert_eq!(
            when.ordinal(wall, epoch),
            counted as u64,
            "{} from {epoch} to {wall}",
            line.text
        );
    }
}

#[test]
fn an_ordinal_after_thirty_years_is_quick() {
    let when = When::Cron(Crontab::parse("*/7 5-17 1,15 * mon").unwrap());
    let (epoch, wall) = (
        NaiveDate::from_ymd_opt(2024, 1, 1).unwrap(),
        NaiveDate::from_ymd_opt(2054, 1, 1).unwrap(),
    );
    let before = std::time::Instant::now();
    for _ in 0..100 {
        assert!(when.ordinal(wall.into(), epoch) > 200_000);
    }
    // Without optimisation and with other tests beside it; a walk through the minutes would take minutes.
    assert!(
        before.elapsed().as_millis() < 1_000,
        "{:?}",
        before.elapsed()
    );
}

/// Zones and instants around which their clocks change.
fn changes() -> Vec<(Tz, Timestamp)> {
    [
        (Tz::America__New_York, "2026-03-08T07:00:00Z"),
        (Tz::America__New_York, "2026-11-01T06:00:00Z"),
        (Tz::Europe__Berlin, "2026-03-29T01:00:00Z"),
        (Tz::Europe__Berlin, "2026-10-25T01:00:00Z"),
        (Tz::Australia__Lord_Howe, "2026-04-04T15:00:00Z"),
        (Tz::Australia__Lord_Howe, "2026-10-03T15:30:00Z"),
        (Tz::America__Sao_Paulo, "2018-11-04T03:00:00Z"),
        (Tz::America__Sao_Paulo, "2019-02-17T02:00:00Z"),
        (Tz::Pacific__Apia, "2011-12-30T10:00:00Z"),
    ]
    .map(|(zone, at)| (zone, Timestamp::parse_rfc3339(at).unwrap()))
    .to_vec()
}

fn minutes(count: u64) -> std::time::Duration {
    std::time::Duration::from_secs(count * 60)
}

/// `resolve` by its definition: the first minute at which the clock shows that time or more.
#[test]
fn resolving_against_looking_at_the_clock() {
    for (zone, change) in changes() {
        let start = change - minutes(26 * 60);
        let clock: Vec<_> = (0..52 * 60)
            .map(|minute| start + minutes(minute))
            .map(|at| (at, local(at, zone)))
            .collect();
        let mut wall = clock[0].1;
        while wall < clock[clock.len() - 1].1 {
            let (first, _) = clock.iter().find(|(_, shown)| *shown >= wall).unwrap();
            assert_eq!(resolve(wall, zone), *first, "{wall} in {zone}");
            wall += TimeDelta::minutes(5);
        }
    }
}

/// A day-heavy line would hardly ever fire near a change of the clocks, so these keep to minutes and hours.
fn clock_line(dice: &mut Dice) -> Line {
    let mut line = Line::roll(dice);
    for (field, size) in [
        (&mut line.day_of_month, 32),
        (&mut line.month, 13),
        (&mut line.day_of_week, 7),
    ] {
        *field = Field {
            text: "*".to_owned(),
            values: (0..size).collect(),
        };
    }
    line.text = format!("{} {} * * *", line.minute.text, line.hour.text);
    line
}

/// What cron(8) does, minute by minute: interval jobs run whenever the clock shows a time of theirs; the others once
/// for each such time, when the clock first shows it or something later.
fn walk_real_time(line: &Line, zone: Tz, from: Timestamp, length: u64) -> Vec<Timestamp> {
    let fixed = !line.minute.starred() && !line.hour.starred();
    let mut runs = Vec::new();
    // The latest the clock has ever shown; far enough back that no gap is cut.
    let mut seen = local(from - minutes(30 * 60), zone);
    for minute in 0..30 * 60 + length {
        let at = from + minutes(minute) - minutes(30 * 60);
        let shown = local(at, zone);
        let mut due = line.minute(shown);
        if fixed {
            due = false;
            while seen <= shown {
                due |= line.minute(seen);
                seen += TimeDelta::minutes(1);
            }
        }
        if due && at >= from {
            runs.push(at);
        }
    }
    runs
}

#[test]
fn changes_of_the_clock_against_a_walk_through_real_time() {
    let mut dice = Dice(7);
    for (zone, change) in changes() {
        for _ in 0..40 {
            let line = clock_line(&mut dice);
            let when = When::Cron(line.parse());
            let from = change - minutes(dice.below(180).into());
            let length = 240;
            let runs: Vec<_> = when
                .firings(zone, from, from + minutes(length))
                .map(|firing| firing.at)
                .collect();
            assert_eq!(
                runs,
                walk_real_time(&line, zone, from, length),
                "{} in {zone} from {from}",
                line.text
            );
        }
    }
}

/// Only where croner means to do the same: it takes a job for a fixed one when minute and hour are single numbers
/// (cron(8) also when they are lists, ranges and steps without `*` in front), it gives up on a gap of a whole day,
/// does not look back when asked at the very end of a gap, and refuses a bare `*` in a list.
#[test]
fn changes_of_the_clock_against_croner() {
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    let mut dice = Dice(11);
    let (mut fixed, mut interval) = (0, 0);
    for (zone, change) in changes() {
        for turn in 0..300 {
            let line = if turn % 2 == 0 {
                format!("{} {} * * *", dice.below(60), dice.below(5))
            } else {
                clock_line(&mut dice).text
            };
            let Ok(other) = parser.parse(&line) else {
                assert!(line.split([' ', ',']).any(|part| part == "*"), "{line}");
                continue;
            };
            let crontab = Crontab::parse(&line).unwrap();
            match (crontab.is_fixed(), turn % 2 == 0) {
                (true, true) if zone != Tz::Pacific__Apia => fixed += 1,
                (false, _) => interval += 1,
                _ => continue,
            }
            let when = When::Cron(crontab);
            let mut from = change - minutes(u64::from(dice.below(300)) + 1);
            for _ in 0..4 {
                let at: DateTime<Tz> = from.to_utc().with_timezone(&zone);
                let expected: Timestamp = other
                    .find_next_occurrence(&at, true)
                    .unwrap()
                    .with_timezone(&Utc)
                    .into();
                let next = when.next(zone, from).unwrap();
                assert_eq!(next.at, expected, "{line} in {zone} from {from}");
                from = next.at + minutes(1);
                if from == change {
                    break;
                }
            }
        }
    }
    assert!(
        fixed > 1_000 && interval > 400,
        "{fixed} fixed, {interval} interval jobs"
    );
}

#[test]
fn a_plan_made_in_pieces_is_the_whole_plan() {
    let mut dice = Dice(3);
    for (zone, change) in changes() {
        for turn in 0..20 {
            let line = if turn % 2 == 0 {
                clock_line(&mut dice)
            } else {
                Line::roll(&mut dice)
            };
            let when = When::Cron(line.parse());
            let start = change - minutes(dice.below(2_000).into());
            let whole: Vec<Firing> = when.firings(zone, start, start + minutes(3_000)).collect();
            let mut pieces = Vec::new();
            let mut from = start;
            while from < start + minutes(3_000) {
                // Not on whole minutes, and often exactly on the change.
                let step = minutes(dice.below(200).into())
                    + std::time::Duration::from_micros(dice.below(3).into());
                let mut until = (from + step).min(start + minutes(3_000));
                if from < change && until > change {
                    until = change;
                }
                pieces.extend(when.firings(zone, from, until));
                from = until;
            }
            assert_eq!(pieces, whole, "{} in {zone} from {start}", line.text);
            assert!(
                whole.is_sorted_by(|one, other| one.at < other.at),
                "{}",
                line.text
            );
            for firing in &whole {
                let shown = zone
                    .from_utc_datetime(&firing.at.to_utc().naive_utc())
                    .naive_local();
                assert!(
                    shown == firing.wall || resolve(firing.wall, zone) == firing.at,
                    "{}",
                    line.text
                );
            }
        }
    }
}

/// Worked out by a walk through the minutes over the zones of Python's `zoneinfo`, written down from crontab(5) and cron(8).
#[test]
fn lines_of_many_zones_fire_as_worked_out_elsewhere() {
    let read = |text: &str| Timestamp::parse_rfc3339(&format!("{text}:00Z")).unwrap();
    let mut rows = 0;
    for row in include_str!("calendar/elsewhere.txt").lines().skip(1) {
        let [zone, from, line, expected] = row.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let (when, from) = (When::Cron(Crontab::parse(line).unwrap()), read(from));
        let expected: Vec<Timestamp> = expected.split(' ').map(read).collect();
        let fired: Vec<Timestamp> = when
            .firings(
                zone.parse().unwrap(),
                from,
                from + minutes(9 * 366 * 24 * 60),
            )
            .map(|firing| firing.at)
            .take(4)
            .collect();
        assert_eq!(fired, expected, "{row}");
        rows += 1;
    }
    assert_eq!(rows, 92);
}

#[test]
fn impossible_lines_give_up_quickly() {
    let before = std::time::Instant::now();
    for line in ["0 0 30 2 *", "* * 31 4,6,9,11 *", "*/5 * 31 2 */3"] {
        let when = When::Cron(Crontab::parse(line).unwrap());
        let all = when.firings(
            Tz::America__New_York,
            Timestamp::default(),
            Timestamp::from_micros(i64::MAX),
        );
        assert_eq!(all.count(), 0, "{line}");
    }
    assert!(
        before.elapsed().as_millis() < 2_000,
        "{:?}",
        before.elapsed()
    );
}
