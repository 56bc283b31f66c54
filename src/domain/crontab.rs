//! Crontab lines with their crontab(5) meaning, as cronie and Debian's cron read them.
//!
//! The `cron` crate finds the next match, but its language is another one: a seconds field, Sunday as day 1, and
//! day-of-month *and* day-of-week. So lines are read here ([`parse`]), every field is written out in full, days of the
//! week as names, and the crate only ever sees wall-clock time without a zone; zones belong to `super::calendar`.

mod parse;

use std::fmt;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday};

pub use parse::{CrontabError, CrontabProblem};

/// The first and the last year in which schedules fire: those that the `cron` crate knows.
pub const YEARS: std::ops::RangeInclusive<i32> = 1970..=2100;

/// A crontab line: when, in the wall-clock time of some zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Crontab {
    line: String,
    fields: Fields,
    /// One, or two when either of the day fields is enough; the next firing is the earlier of theirs.
    schedules: Vec<cron::Schedule>,
}

/// The five fields of a line, each written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields {
    /// 0–59.
    pub minute: Field,
    /// 0–23.
    pub hour: Field,
    /// 1–31.
    pub day_of_month: Field,
    /// 1–12.
    pub month: Field,
    /// 0–6, where 0 is Sunday; a written 7 is kept as 0.
    pub day_of_week: Field,
}

/// Which of the five fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldName {
    /// The first field.
    Minute,
    /// The second field.
    Hour,
    /// The third field.
    DayOfMonth,
    /// The fourth field.
    Month,
    /// The fifth field.
    DayOfWeek,
}

impl FieldName {
    /// The fields in the order in which they are written.
    pub const ALL: [Self; 5] = [
        Self::Minute,
        Self::Hour,
        Self::DayOfMonth,
        Self::Month,
        Self::DayOfWeek,
    ];

    /// The lowest number that may be written in this field.
    #[must_use]
    pub const fn low(self) -> u8 {
        match self {
            Self::Minute | Self::Hour | Self::DayOfWeek => 0,
            Self::DayOfMonth | Self::Month => 1,
        }
    }

    /// The highest number that may be written in this field; 7 is a second way to write Sunday.
    #[must_use]
    pub const fn high(self) -> u8 {
        match self {
            Self::Minute => 59,
            Self::Hour => 23,
            Self::DayOfMonth => 31,
            Self::Month => 12,
            Self::DayOfWeek => 7,
        }
    }

    /// How many different values the field has.
    #[must_use]
    pub const fn size(self) -> u8 {
        match self {
            Self::DayOfWeek => 7,
            _ => self.high() - self.low() + 1,
        }
    }

    /// The names that may stand for numbers, the first for [`Self::low`]. Case does not matter.
    #[must_use]
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &[
                "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
            ],
            Self::DayOfWeek => &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
            _ => &[],
        }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of month",
            Self::Month => "month",
            Self::DayOfWeek => "day of week",
        })
    }
}

/// The set of values that one field allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Bit n stands for the value n.
    bits: u64,
    size: u8,
    starred: bool,
}

impl Field {
    /// Whether the field was written with `*` as its first character. crontab(5) lets exactly this decide how the two
    /// day fields combine and, for the minute and the hour, what a change of the clocks does to the job.
    #[must_use]
    pub const fn is_starred(self) -> bool {
        self.starred
    }

    /// Whether every value is allowed, however that was written.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.count() == self.size as u32
    }

    /// Whether `value` is allowed.
    #[must_use]
    pub const fn has(self, value: u32) -> bool {
        value < u64::BITS && self.bits >> value & 1 == 1
    }

    /// How many values are allowed.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.bits.count_ones()
    }

    /// How many values below `limit` are allowed.
    const fn count_below(self, limit: u32) -> u32 {
        (self.bits & ((1 << limit) - 1)).count_ones()
    }

    /// The allowed values, ascending.
    pub fn values(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS).filter(move |value| self.has(*value))
    }
}

impl Crontab {
    /// Reads a line of five fields, or one of `@hourly @daily @midnight @weekly @monthly @yearly @annually`.
    ///
    /// Stricter than crontab(5) in one point: a step that is larger than the largest value of its field is refused,
    /// because it never takes a second step.
    ///
    /// # Errors
    /// [`CrontabError`] says what is wrong and where.
    pub fn parse(line: &str) -> Result<Self, CrontabError> {
        let fields = parse::fields(line)?;
        Ok(Self {
            line: line.trim_ascii().to_owned(),
            schedules: schedules(&fields),
            fields,
        })
    }

    /// The line as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.line
    }

    /// The five fields, written out.
    #[must_use]
    pub const fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Whether one of the two day fields is enough. crontab(5): "if both fields are restricted (i.e., do not contain
    /// the `*` character), the command will be run when either field matches"; cronie and Debian look at the first
    /// character only, so `*/2` in one of them asks for both.
    #[must_use]
    pub const fn either_day(&self) -> bool {
        !self.fields.day_of_month.starred && !self.fields.day_of_week.starred
    }

    /// Whether the job is tied to clock times. cron(8) runs such a job once when the clocks change; jobs with `*` at
    /// the beginning of the minute or the hour simply follow the new time.
    #[must_use]
    pub const fn is_fixed(&self) -> bool {
        !self.fields.minute.starred && !self.fields.hour.starred
    }

    /// Whether the line names no day that exists, like `0 0 30 2 *`.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.next_wall(NaiveDateTime::MIN).is_none()
    }

    /// The first match at or after `from`, on the wall clock alone; nothing outside [`YEARS`].
    #[must_use]
    pub fn next_wall(&self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        let from = from.max(NaiveDate::from_ymd_opt(*YEARS.start(), 1, 1)?.into());
        let into_minute = TimeDelta::new(from.second().into(), from.nanosecond())?;
        let minute = from.checked_sub_signed(into_minute)?;
        let minute = if minute < from {
            minute.checked_add_signed(TimeDelta::minutes(1))?
        } else {
            minute
        };
        // The crate looks strictly after the instant it is given.
        let before = minute.checked_sub_signed(TimeDelta::seconds(1))?.and_utc();
        let next =
            |schedule: &cron::Schedule| schedule.after(&before).next().map(|at| at.naive_utc());
        self.schedules.iter().filter_map(next).min()
    }

    /// The days of one month on which the line fires: bit d stands for day d.
    pub(super) fn days_in(&self, year: i32, month: u32) -> u32 {
        let Fields {
            day_of_month,
            month: months,
            day_of_week,
            ..
        } = &self.fields;
        if !months.has(month) {
            return 0;
        }
        let all = weekdays_in(year, month, |_| true);
        let by_number = all & u32::try_from(day_of_month.bits).unwrap_or(u32::MAX);
        let by_weekday = weekdays_in(year, month, |day| {
            day_of_week.has(day.num_days_from_sunday())
        });
        if self.either_day() {
            by_number | by_weekday
        } else {
            by_number & by_weekday
        }
    }

    /// How many times a day the line fires, on days on which it does.
    pub(super) const fn times_per_day(&self) -> u32 {
        self.fields.hour.count() * self.fields.minute.count()
    }

    /// How many of those times are before `time`.
    pub(super) fn times_before(&self, time: NaiveTime) -> u32 {
        let Fields { minute, hour, .. } = &self.fields;
        let whole_hours = hour.count_below(time.hour()) * minute.count();
        if !hour.has(time.hour()) {
            return whole_hours;
        }
        let begun = u32::from(time.second() > 0 || time.nanosecond() > 0);
        whole_hours + minute.count_below(time.minute() + begun)
    }
}

/// The days of one month that fall on the weekdays which `wanted` picks: bit d stands for day d.
pub(super) fn weekdays_in(year: i32, month: u32, wanted: impl Fn(Weekday) -> bool) -> u32 {
    let Some(first) = NaiveDate::from_ymd_opt(year, month, 1) else {
        return 0;
    };
    let mut weekday = first.weekday();
    let mut days = 0;
    for day in 1..=first.num_days_in_month() {
        days |= u32::from(wanted(weekday)) << day;
        weekday = weekday.succ();
    }
    days
}

/// The fields in the language of the `cron` crate. Lists, never steps or ranges, and names for days of the week:
/// its numbers begin with 1 for Sunday.
fn schedules(fields: &Fields) -> Vec<cron::Schedule> {
    let list = |field: Field, names: &[&str]| {
        if field.is_full() {
            return "*".to_owned();
        }
        let word = |value: u32| match names.get(value as usize) {
            Some(name) => (*name).to_owned(),
            None => value.to_string(),
        };
        field.values().map(word).collect::<Vec<_>>().join(",")
    };
    let [minute, hour, day, month] = [
        fields.minute,
        fields.hour,
        fields.day_of_month,
        fields.month,
    ]
    .map(|field| list(field, &[]));
    let weekday = list(fields.day_of_week, FieldName::DayOfWeek.names());
    let schedule = |day: &str, weekday: &str| {
        let line = format!("0 {minute} {hour} {day} {month} {weekday}");
        line.parse().expect(
            "lists of checked numbers and names are valid; a test tries every value of every field",
        )
    };
    if fields.day_of_month.starred || fields.day_of_week.starred {
        vec![schedule(&day, &weekday)]
    } else {
        vec![schedule(&day, "*"), schedule("*", &weekday)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Crontab {
        Crontab::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// The first `count` matches from 2026-11-23 (a Monday) on.
    fn matches(line: &str, count: usize) -> Vec<String> {
        let line = parse(line);
        let mut from = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap().into();
        let mut found = Vec::new();
        while found.len() < count {
            let Some(wall) = line.next_wall(from) else {
                break;
            };
            found.push(wall.format("%a %Y-%m-%d %H:%M").to_string());
            from = wall + TimeDelta::minutes(1);
        }
        found
    }

    /// The lines on which other readers of crontab lines go wrong, with the days crontab(5) gives them.
    #[test]
    fn days_as_crontab_5_says() {
        for (line, first, second) in [
            ("30 5 * * *", "Mon 2026-11-23 05:30", "Tue 2026-11-24 05:30"),
            ("30 5 * * 1", "Mon 2026-11-23 05:30", "Mon 2026-11-30 05:30"),
            ("0 6 * * 0", "Sun 2026-11-29 06:00", "Sun 2026-12-06 06:00"),
            ("0 6 * * 7", "Sun 2026-11-29 06:00", "Sun 2026-12-06 06:00"),
            (
                "0 6 * * sun",
                "Sun 2026-11-29 06:00",
                "Sun 2026-12-06 06:00",
            ),
            (
                "0 6 * * SUN-SUN",
                "Sun 2026-11-29 06:00",
                "Sun 2026-12-06 06:00",
            ),
            (
                "0 6 * * 0-SUN",
                "Sun 2026-11-29 06:00",
                "Sun 2026-12-06 06:00",
            ),
            (
                "0 6 * * 5-7",
                "Fri 2026-11-27 06:00",
                "Sat 2026-11-28 06:00",
            ),
            ("0 6 1 * 1", "Mon 2026-11-23 06:00", "Mon 2026-11-30 06:00"),
            (
                "0 6 */2 * 1",
                "Mon 2026-11-23 06:00",
                "Mon 2026-12-07 06:00",
            ),
            (
                "0 6 1 * */2",
                "Tue 2026-12-01 06:00",
                "Thu 2027-04-01 06:00",
            ),
            (
                "0 6 1-31 * 1",
                "Mon 2026-11-23 06:00",
                "Tue 2026-11-24 06:00",
            ),
            (
                "0 6 13 * fri",
                "Fri 2026-11-27 06:00",
                "Fri 2026-12-04 06:00",
            ),
            ("0 6 31 * *", "Thu 2026-12-31 06:00", "Sun 2027-01-31 06:00"),
            ("0 6 29 2 *", "Tue 2028-02-29 06:00", "Sun 2032-02-29 06:00"),
            ("@daily", "Mon 2026-11-23 00:00", "Tue 2026-11-24 00:00"),
            ("@midnight", "Mon 2026-11-23 00:00", "Tue 2026-11-24 00:00"),
            ("@hourly", "Mon 2026-11-23 00:00", "Mon 2026-11-23 01:00"),
            ("@weekly", "Sun 2026-11-29 00:00", "Sun 2026-12-06 00:00"),
            ("@monthly", "Tue 2026-12-01 00:00", "Fri 2027-01-01 00:00"),
            ("@yearly", "Fri 2027-01-01 00:00", "Sat 2028-01-01 00:00"),
            ("@annually", "Fri 2027-01-01 00:00", "Sat 2028-01-01 00:00"),
            (
                "*/19,* 0 * * *",
                "Mon 2026-11-23 00:00",
                "Mon 2026-11-23 00:01",
            ),
            (
                "5,* 0 * * *",
                "Mon 2026-11-23 00:00",
                "Mon 2026-11-23 00:01",
            ),
            (
                "10-30/15 4 * Nov-DEC Mon-3",
                "Mon 2026-11-23 04:10",
                "Mon 2026-11-23 04:25",
            ),
            (
                " \t0   06\t* *  mon-fri ",
                "Mon 2026-11-23 06:00",
                "Tue 2026-11-24 06:00",
            ),
        ] {
            assert_eq!(matches(line, 2), [first, second], "{line}");
        }
        let week = matches("0 6 * * 1-5", 6)
            .iter()
            .map(|day| day[..3].to_owned())
            .collect::<Vec<_>>();
        assert_eq!(week, ["Mon", "Tue", "Wed", "Thu", "Fri", "Mon"]);
    }

    #[test]
    fn a_day_that_never_comes() {
        for line in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "* * 31 2 */2"] {
            assert!(parse(line).is_never(), "{line}");
        }
        for line in ["0 0 29 2 *", "0 0 30 2 1", "0 0 29 2 */7"] {
            assert!(!parse(line).is_never(), "{line}");
        }
    }

    #[test]
    fn stars_decide_by_their_place() {
        assert!(parse("0 5 1 * 1").either_day());
        assert!(parse("0 5 1,* * 1").either_day());
        assert!(!parse("0 5 *,1 * 1").either_day());
        assert!(!parse("0 5 1 * */2").either_day());
        assert!(parse("0 5 * * *").is_fixed() && parse("0-59 0-23 * * *").is_fixed());
        assert!(!parse("*/5 5 * * *").is_fixed() && !parse("@hourly").is_fixed());
        assert_eq!(parse("  0 5 * * *\n").as_str(), "0 5 * * *");
    }

    /// Every value of every field goes through the `cron` crate, alone and with all others missing but one.
    #[test]
    fn every_value_is_understood() {
        for (at, name) in FieldName::ALL.into_iter().enumerate() {
            for value in name.low()..=name.high() {
                let mut fields = [
                    "*".to_owned(),
                    "*".to_owned(),
                    "*".to_owned(),
                    "*".to_owned(),
                    "*".to_owned(),
                ];
                fields[at] = value.to_string();
                let line = parse(&fields.join(" "));
                let read = [
                    line.fields.minute,
                    line.fields.hour,
                    line.fields.day_of_month,
                    line.fields.month,
                    line.fields.day_of_week,
                ];
                let folded = if name == FieldName::DayOfWeek {
                    value % 7
                } else {
                    value
                };
                assert_eq!(read[at].values().collect::<Vec<_>>(), [u32::from(folded)]);
                let wall = line.next_wall(NaiveDateTime::MIN).unwrap();
                let weekday = wall.weekday().num_days_from_sunday();
                let parts = [
                    wall.minute(),
                    wall.hour(),
                    wall.day(),
                    wall.month(),
                    weekday,
                ];
                assert_eq!(parts[at], u32::from(folded), "{name} {value}");
            }
        }
    }
}
