//! Civil time: when a schedule fires, in its own zone, and which firing of its series that is.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use chrono_tz::Tz;

use super::{crontab::Crontab, time::Timestamp};

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
