//! Civil time: when a schedule fires, in its own zone, and which firing of its series that is.
//!
//! Where the clocks change, jobs behave as cron(8) says: one that is tied to clock times runs just after the jump when
//! its time was skipped and once when its time came twice; one with `*` in the minute or the hour follows the new time.
//! [`When::next`] depends on nothing but its arguments, so plans made piece by piece are the plan made at once.

mod zone;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use chrono_tz::Tz;
use zone::next_change;
pub use zone::{clock, local, resolve, rfc3339};

use super::{
    crontab::{Crontab, YEARS, weekdays_in},
    target::AirtimeTarget,
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
    /// Never by itself: the plan finds times for it, a week at once.
    Target(AirtimeTarget),
}

/// Nothing fires before 1970 or after 2100 ([`YEARS`]); the margin is for zones behind UTC.
const FIRST: i64 = 0;
const LAST: i64 = 4_134_067_200_000_000;

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

    /// The clock times that were skipped in a gap and for which `firing` happens, ascending; mostly none. One that is tied to clock
    /// times has them, however many: they are one firing, because it stands at one instant.
    pub fn skipped(&self, zone: Tz, firing: Firing) -> impl Iterator<Item = NaiveDateTime> {
        let follows = matches!(self, Self::Cron(line) if !line.is_fixed());
        let shown = local(firing.at, zone);
        let before = local(Timestamp::from_micros(firing.at.as_micros() - 1), zone);
        let first = self.next_wall(before).filter(|_| !follows);
        std::iter::successors(first, |wall| self.wall_after(*wall))
            .take_while(move |wall| *wall < shown)
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
            Self::Target(_) => None,
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
            Self::Target(_) => (0, 0),
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
            Self::Target(_) => 0,
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

/// The Monday of the ISO week of `day`.
#[must_use]
pub fn monday(day: NaiveDate) -> NaiveDate {
    day.week(Weekday::Mon).checked_first_day().unwrap_or(day)
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
mod tests;
