//! Instants and what the clocks of a zone show: from one to the other, and when the clocks change.

use chrono::{
    DateTime, MappedLocalTime, NaiveDateTime, Offset as _, TimeZone as _, Timelike as _, Utc,
};
use chrono_tz::{GapInfo, Tz};

use crate::domain::time::Timestamp;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The first change of the zone's offset after `from` and not after `until`. Looks once a day, so it would miss two
/// changes on one day that cancel out; no zone has had that.
pub(super) fn next_change(zone: Tz, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
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

/// The clock time of `zone` to the second: `05:30:00`.
#[must_use]
pub fn clock(at: Timestamp, zone: Tz) -> String {
    let time = local(at, zone).time();
    format!(
        "{:02}:{:02}:{:02}",
        time.hour(),
        time.minute(),
        time.second()
    )
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
