//! Civil time: when a schedule fires, in its own zone, and which firing of its series that is.
//!
//! Where the clocks change, jobs behave as cron(8) says: one that is tied to clock times runs just after the jump when
//! its time was skipped and once when its time came twice; one with `*` in the minute or the hour follows the new time.
//! [`When::next`] depends on nothing but its arguments, so plans made piece by piece are the plan made at once.

use chrono::{
    DateTime, Datelike, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone,
    Utc, Weekday,
};
use chrono_tz::{GapInfo, Tz};

use super::{
    crontab::{Crontab, YEARS, weekdays_in},
    time::Timestamp,
};

/// One firing of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firing {
    /// When it really happens.
    pub at: Timestamp,
    /// The clock time it stands for. Differs from `at` in the zone only where that clock time was skipped.
    pub wall: NaiveDateTime,
}

/// When a schedule fires.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// A crontab(5) line.
    Cron(Crontab),
    /// Clock times on days of the week; both sorted, without repeats and not empty.
    At {
        /// Clock times.
        times: Vec<NaiveTime>,
        /// Days of the week.
        days: Vec<Weekday>,
    },
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Nothing fires before 1970 or after 2100 ([`YEARS`]); the margin is for zones behind UTC.
const FIRST: i64 = 0;
const LAST: i64 = 4_134_067_200 * SECOND;

impl When {
    /// The firings from `from` (inclusive) to `until` (exclusive), ascending, no two at the same instant. Computed as
    /// they are asked for: a year of `* * * * *` takes no more memory than a day.
    pub fn firings(
        &self,
        zone: Tz,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Firing> {
        let mut from = Some(from);
        std::iter::from_fn(move || {
            let firing = self.next(zone, from?).filter(|firing| firing.at < until);
            from = firing.map(|firing| Timestamp::from_micros(firing.at.as_micros() + 1));
            firing
        })
    }

    /// The first firing at or after `from`. Nothing for lines like `0 0 30 2 *` and nothing outside [`YEARS`].
    ///
    /// Where several clock times were skipped in one gap, they are one firing, and it stands for the last of them.
    #[must_use]
    pub fn next(&self, zone: Tz, from: Timestamp) -> Option<Firing> {
        let from = from.max(Timestamp::from_micros(FIRST));
        if from.as_micros() >= LAST {
            return None;
        }
        match self {
            Self::Cron(line) if !line.is_fixed() => next_interval(line, zone, from),
            _ => self.next_fixed(zone, from),
        }
    }

    fn next_fixed(&self, zone: Tz, from: Timestamp) -> Option<Firing> {
        // `resolve` never decreases, so only clock times from here on can resolve to `from` or later. Just after a gap
        // the clock a moment earlier shows where the skipped times begin.
        let before = Timestamp::from_micros(from.as_micros() - 1);
        let mut wall = self.next_wall(local(before, zone).min(local(from, zone)))?;
        let mut at = resolve(wall, zone);
        while at < from {
            wall = self.wall_after(wall)?;
            at = resolve(wall, zone);
        }
        if local(at, zone) != wall {
            while let Some(later) = self
                .wall_after(wall)
                .filter(|later| resolve(*later, zone) == at)
            {
                wall = later;
            }
        }
        Some(Firing { at, wall })
    }

    /// The first clock time of the series at or after `from`.
    fn next_wall(&self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Cron(line) => line.next_wall(from),
            Self::At { times, days } => {
                let left_today = times.get(times.partition_point(|time| *time < from.time()));
                // Eight days: today once for the times that are left and once more, a week on, for the others.
                let mut ahead = from
                    .date()
                    .iter_days()
                    .take(8)
                    .filter(|day| days.contains(&day.weekday()));
                let (day, time) = ahead.find_map(|day| {
                    let time = if day == from.date() {
                        left_today
                    } else {
                        times.first()
                    };
                    time.map(|time| (day, *time))
                })?;
                YEARS.contains(&day.year()).then(|| day.and_time(time))
            }
        }
    }

    fn wall_after(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        self.next_wall(wall.checked_add_signed(chrono::TimeDelta::seconds(1))?)
    }

    /// How many clock times of the series lie in [`epoch` 00:00, `wall`): the number of a firing in its series, for
    /// things that take turns. Counted on the wall clock alone, so that every node, with whatever past, gets the same.
    /// Two runs of an interval job in a doubled hour have the same number.
    #[must_use]
    pub fn ordinal(&self, wall: NaiveDateTime, epoch: NaiveDate) -> u64 {
        let today = wall.date();
        if today < epoch {
            return 0;
        }
        // Whole months at a time, their days as bits: thirty years are 360 steps.
        let month_of = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month0());
        let (first, last) = (month_of(epoch), month_of(today));
        let mut days = 0;
        for month in first..=last {
            let mut bits = self.days_in(month);
            if month == first {
                bits &= u32::MAX << epoch.day();
            }
            if month == last {
                bits &= (1 << today.day()) - 1;
            }
            days += u64::from(bits.count_ones());
        }
        let (per_day, rank) = match self {
            Self::Cron(line) => (
                u64::from(line.times_per_day()),
                u64::from(line.times_before(wall.time())),
            ),
            Self::At { times, .. } => (
                times.len() as u64,
                times.partition_point(|time| *time < wall.time()) as u64,
            ),
        };
        let fires_today = self.days_in(last) >> today.day() & 1 == 1;
        days * per_day + if fires_today { rank } else { 0 }
    }

    /// The days of a month, counted from January of year 0, on which the series fires: bit d stands for day d.
    fn days_in(&self, month: i64) -> u32 {
        let year = i32::try_from(month.div_euclid(12)).unwrap_or(i32::MAX);
        let month = u32::try_from(month.rem_euclid(12)).unwrap_or(0) + 1;
        match self {
            Self::Cron(line) => line.days_in(year, month),
            Self::At { days, .. } => weekdays_in(year, month, |day| days.contains(&day)),
        }
    }
}

/// The next match in real, elapsed time: the clock of the moment is followed until it changes, then the new one.
fn next_interval(line: &Crontab, zone: Tz, from: Timestamp) -> Option<Firing> {
    let mut from = from;
    loop {
        let clock = local(from, zone);
        let wall = line.next_wall(clock)?;
        let wait = (wall - clock).to_std().ok()?;
        let at = from + wait;
        match next_change(zone, from, at) {
            None => return Some(Firing { at, wall }),
            Some(change) => from = change,
        }
    }
}

/// The first change of the zone's offset after `from` and not after `until`. Looks once a day, so it would miss two
/// changes on one day that cancel out; no zone has had that.
fn next_change(zone: Tz, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
    let offset = |micros| offset_at(Timestamp::from_micros(micros), zone);
    let (before, until) = (offset(from.as_micros()), until.as_micros());
    let mut low = from.as_micros();
    while low < until {
        let high = until.min(low + DAY);
        if offset(high) == before {
            low = high;
            continue;
        }
        // Changes happen on whole seconds.
        let (mut low, mut high) = (low.div_euclid(SECOND), high.div_euclid(SECOND));
        while high - low > 1 {
            let middle = low.midpoint(high);
            if offset(middle * SECOND) == before {
                low = middle;
            } else {
                high = middle;
            }
        }
        return Some(Timestamp::from_micros(high * SECOND));
    }
    None
}

fn offset_at(at: Timestamp, zone: Tz) -> i32 {
    zone.offset_from_utc_datetime(&at.to_utc().naive_utc())
        .fix()
        .local_minus_utc()
}

/// What the clocks of `zone` show at `at`.
#[must_use]
pub fn local(at: Timestamp, zone: Tz) -> NaiveDateTime {
    at.to_utc().with_timezone(&zone).naive_local()
}

/// RFC 3339 as the clocks of `zone` show it, with their offset.
#[must_use]
pub fn rfc3339(at: Timestamp, zone: Tz) -> String {
    let at = at.to_utc().with_timezone(&zone);
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)
}

/// When the clocks of `zone` first show `wall` or more: the first time where it comes twice, the first instant after
/// the gap where it was skipped.
#[must_use]
pub fn resolve(wall: NaiveDateTime, zone: Tz) -> Timestamp {
    let at = match zone.from_local_datetime(&wall) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Some(at),
        MappedLocalTime::None => GapInfo::new(&wall, &zone).and_then(|gap| gap.end),
    };
    at.map_or_else(|| wall.and_utc(), |at: DateTime<Tz>| at.with_timezone(&Utc))
        .into()
}

/// Why a text is not a clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a clock time is hours and minutes from 00:00 to 23:59, as in 05:30")]
pub struct InvalidClockTime;

/// Reads a clock time: `05:30`, `5:30`.
///
/// # Errors
/// [`InvalidClockTime`] for anything else, also for 24:00, seconds and `5h30`.
pub fn parse_clock_time(text: &str) -> Result<NaiveTime, InvalidClockTime> {
    let number = |digits: &str| {
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let (hour, minute) = text.split_once(':').ok_or(InvalidClockTime)?;
    if !matches!(hour.len(), 1 | 2) || minute.len() != 2 {
        return Err(InvalidClockTime);
    }
    let time = number(hour)
        .zip(number(minute))
        .and_then(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0));
    time.ok_or(InvalidClockTime)
}

/// Reads the name of a zone of the IANA time zone database, such as `Asia/Ho_Chi_Minh`.
#[must_use]
pub fn parse_zone(text: &str) -> Option<Tz> {
    text.parse().ok()
}

/// Reads a day of the week as schedules write it: `mon tue wed thu fri sat sun`.
#[must_use]
pub fn parse_weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "mon" => Weekday::Mon,
        "tue" => Weekday::Tue,
        "wed" => Weekday::Wed,
        "thu" => Weekday::Thu,
        "fri" => Weekday::Fri,
        "sat" => Weekday::Sat,
        "sun" => Weekday::Sun,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn wall(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    fn cron(line: &str) -> When {
        When::Cron(Crontab::parse(line).unwrap())
    }

    fn clock(times: &[&str], days: &[&str]) -> When {
        When::At {
            times: times
                .iter()
                .map(|text| parse_clock_time(text).unwrap())
                .collect(),
            days: days
                .iter()
                .map(|text| parse_weekday(text).unwrap())
                .collect(),
        }
    }

    const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// The firings from one instant to another, each as its real local time, and the wall time where that differs.
    fn fired(when: &When, zone: &str, from: &str, until: &str) -> Vec<String> {
        let zone = parse_zone(zone).unwrap();
        let show = |firing: Firing| {
            let real = firing.at.to_utc().with_timezone(&zone);
            let text = real.format("%d %H:%M%:z").to_string();
            if real.naive_local() == firing.wall {
                text
            } else {
                format!("{text} for {}", firing.wall)
            }
        };
        when.firings(zone, at(from), at(until)).map(show).collect()
    }

    #[test]
    fn a_skipped_time_runs_after_the_gap() {
        for when in [cron("30 2 * * *"), clock(&["2:30"], &WEEK)] {
            let days = fired(
                &when,
                "America/New_York",
                "2026-03-07T12:00:00Z",
                "2026-03-10T00:00:00Z",
            );
            assert_eq!(
                days,
                ["08 03:00-04:00 for 2026-03-08 02:30:00", "09 02:30-04:00"]
            );
        }
        // Thirty minutes only.
        let days = fired(
            &cron("15 2 * * *"),
            "Australia/Lord_Howe",
            "2026-10-02T20:00:00Z",
            "2026-10-04T20:00:00Z",
        );
        assert_eq!(
            days,
            ["04 02:30+11:00 for 2026-10-04 02:15:00", "05 02:15+11:00"]
        );
        // Midnight itself.
        let days = fired(
            &cron("0 0 * * *"),
            "America/Sao_Paulo",
            "2018-11-03T12:00:00Z",
            "2018-11-05T12:00:00Z",
        );
        assert_eq!(
            days,
            ["04 01:00-02:00 for 2018-11-04 00:00:00", "05 00:00-02:00"]
        );
        // A whole day: Samoa went from Thursday to Saturday.
        let days = fired(
            &clock(&["05:30"], &WEEK),
            "Pacific/Apia",
            "2011-12-29T12:00:00Z",
            "2012-01-01T00:00:00Z",
        );
        assert_eq!(
            days,
            [
                "29 05:30-10:00",
                "31 00:00+14:00 for 2011-12-30 05:30:00",
                "31 05:30+14:00",
                "01 05:30+14:00"
            ]
        );
    }

    #[test]
    fn times_skipped_together_are_one_firing() {
        let when = clock(&["02:00", "02:10", "02:50", "05:00"], &["sun"]);
        let days = fired(
            &when,
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-30T12:00:00Z",
        );
        assert_eq!(
            days,
            ["29 03:00+02:00 for 2026-03-29 02:50:00", "29 05:00+02:00"]
        );
        // The time at which the gap ends is one of the series: the firing is its own.
        let when = cron("0,30 2,3 * * *");
        let days = fired(
            &when,
            "Europe/Berlin",
            "2026-03-29T00:00:00Z",
            "2026-03-29T12:00:00Z",
        );
        assert_eq!(days, ["29 03:00+02:00", "29 03:30+02:00"]);
    }

    #[test]
    fn a_repeated_time_runs_once() {
        for when in [cron("30 1 * * *"), clock(&["01:30"], &WEEK)] {
            let days = fired(
                &when,
                "America/New_York",
                "2026-11-01T00:00:00Z",
                "2026-11-03T00:00:00Z",
            );
            assert_eq!(days, ["01 01:30-04:00", "02 01:30-05:00"]);
        }
        let zone = parse_zone("America/New_York").unwrap();
        // Asked in the second half of the doubled hour, when 01:45 is still to come on the clock.
        let next = cron("45 1 * * *")
            .next(zone, at("2026-11-01T06:30:00Z"))
            .unwrap();
        assert_eq!(next.wall, wall("2026-11-02 01:45"));
    }

    #[test]
    fn an_interval_job_follows_the_clock() {
        let runs = |line, zone, from, until| fired(&cron(line), zone, from, until).join(", ");
        let doubled = runs(
            "*/30 * * * *",
            "America/New_York",
            "2026-11-01T05:00:00Z",
            "2026-11-01T07:30:00Z",
        );
        assert_eq!(
            doubled,
            "01 01:00-04:00, 01 01:30-04:00, 01 01:00-05:00, 01 01:30-05:00, 01 02:00-05:00"
        );
        let skipped = runs(
            "*/30 * * * *",
            "America/New_York",
            "2026-03-08T06:30:00Z",
            "2026-03-08T08:00:00Z",
        );
        assert_eq!(skipped, "08 01:30-05:00, 08 03:00-04:00, 08 03:30-04:00");
        let half = runs(
            "*/20 * * * *",
            "Australia/Lord_Howe",
            "2026-10-03T15:00:00Z",
            "2026-10-03T16:01:00Z",
        );
        assert_eq!(half, "04 01:40+10:30, 04 02:40+11:00, 04 03:00+11:00");
        // Only in the doubled hour of one day in the year: the second one counts, the year after has none.
        let rare = runs(
            "*/30 1 1 11 *",
            "America/New_York",
            "2026-06-01T00:00:00Z",
            "2027-06-01T00:00:00Z",
        );
        assert_eq!(
            rare,
            "01 01:00-04:00, 01 01:30-04:00, 01 01:00-05:00, 01 01:30-05:00"
        );
        let day = cron("*/15 * 30 12 *").next(
            parse_zone("Pacific/Apia").unwrap(),
            at("2011-12-30T00:00:00Z"),
        );
        assert_eq!(day.unwrap().wall, wall("2012-12-30 00:00"));
    }

    #[test]
    fn the_borders_of_a_search() {
        let zone = parse_zone("Asia/Ho_Chi_Minh").unwrap();
        let when = cron("30 5 * * *");
        let due = at("2024-03-24T22:30:00Z");
        let count = |from, until| when.firings(zone, from, until).count();
        let micro = std::time::Duration::from_micros(1);
        assert_eq!(count(due, due + micro), 1);
        assert_eq!(count(due, due), 0);
        assert_eq!(count(due + micro, due + micro), 0);
        assert_eq!(count(due - micro, due), 0);
        assert_eq!(when.next(zone, due).unwrap().at, due);
        assert_eq!(
            when.next(zone, due + micro).unwrap().wall,
            wall("2024-03-26 05:30")
        );
        for when in [
            cron("30 5 * * *"),
            cron("*/30 5 * * *"),
            clock(&["5:30"], &["fri"]),
        ] {
            assert_eq!(when.next(zone, Timestamp::from_micros(i64::MAX)), None);
            assert_eq!(when.next(zone, at("2100-12-31T22:45:00Z")), None);
            assert_eq!(
                when.next(zone, Timestamp::from_micros(i64::MIN))
                    .unwrap()
                    .wall
                    .year(),
                1970
            );
        }
        assert_eq!(clock(&["5:30"], &[]).next(zone, due), None);
        assert_eq!(cron("0 0 30 2 *").next(zone, due), None);
        assert_eq!(
            cron("* * 30 2 *").next(parse_zone("Europe/Berlin").unwrap(), due),
            None
        );
    }

    #[test]
    fn clock_times_on_days() {
        let zone = "Asia/Ho_Chi_Minh";
        let when = clock(&["05:30", "17:00"], &["mon", "fri"]);
        let days = fired(&when, zone, "2024-03-24T23:00:00Z", "2024-04-01T00:00:00Z");
        assert_eq!(
            days,
            [
                "25 17:00+07:00",
                "29 05:30+07:00",
                "29 17:00+07:00",
                "01 05:30+07:00"
            ]
        );
        // Only a time that is over today, on this day of the week.
        let days = fired(
            &clock(&["05:30"], &["mon"]),
            zone,
            "2024-03-24T23:00:00Z",
            "2024-04-01T00:00:00Z",
        );
        assert_eq!(days, ["01 05:30+07:00"]);
    }

    #[test]
    fn ordinals_count_clock_times() {
        let epoch = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        let when = clock(&["05:30", "17:00"], &["mon", "fri"]);
        for (text, ordinal) in [
            ("2023-06-01 00:00", 0),
            ("2024-01-01 00:00", 0),
            ("2024-01-01 05:30", 0),
            ("2024-01-01 05:31", 1),
            ("2024-01-01 17:00", 1),
            ("2024-01-02 00:00", 2),
            ("2024-01-08 17:00", 5),
            ("2024-02-01 00:00", 18),
        ] {
            assert_eq!(when.ordinal(wall(text), epoch), ordinal, "{text}");
        }
        let when = cron("*/15 6-7 1,31 * *");
        assert_eq!(when.ordinal(wall("2024-01-31 07:20"), epoch), 8 + 6);
        let middle = NaiveDate::from_ymd_opt(2024, 1, 15).unwrap();
        assert_eq!(when.ordinal(wall("2024-02-01 06:16"), middle), 8 + 2);
        assert_eq!(
            cron("0 0 * * *").ordinal(wall("2054-01-01 00:00"), epoch),
            10_958
        );
    }

    #[test]
    fn small_readers() {
        let time = |hour, minute| Ok(NaiveTime::from_hms_opt(hour, minute, 0).unwrap());
        for (text, expected) in [
            ("05:30", time(5, 30)),
            ("5:30", time(5, 30)),
            ("23:59", time(23, 59)),
        ] {
            assert_eq!(parse_clock_time(text), expected, "{text}");
        }
        for text in [
            "", ":30", "24:00", "5:3", "05:60", "005:30", "05:30:00", "5h30", "+5:30", " 5:30",
            "05.30", "٠5:30",
        ] {
            assert_eq!(parse_clock_time(text), Err(InvalidClockTime), "{text}");
        }
        assert_eq!(parse_zone("Asia/Ho_Chi_Minh"), Some(Tz::Asia__Ho_Chi_Minh));
        assert_eq!(parse_zone("Hanoi"), None);
        assert_eq!(parse_weekday("sun"), Some(Weekday::Sun));
        assert_eq!(parse_weekday("sunday"), None);
    }
}
