//! Instants and durations: one instant type for the whole program, and how people write lengths of time.
//!
//! Civil time (dates, clock times, zones) lives in `calendar`; the wall clock itself only in `crate::clock`.

use std::{fmt, ops, time::Duration};

use chrono::{DateTime, Utc};

/// An instant: whole microseconds since 1970-01-01T00:00:00Z. The store keeps exactly this integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The same instant for calendar work. Values outside chrono's range (year ±262,000) become the epoch.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// The time from `earlier` to `self`, zero when it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339 (`2024-03-25T05:30:00+07:00`, `…Z`).
    ///
    /// # Errors
    /// chrono's own, when the text is not such an instant.
    pub fn parse_rfc3339(text: &str) -> Result<Self, chrono::ParseError> {
        Ok(DateTime::parse_from_rfc3339(text)?
            .with_timezone(&Utc)
            .into())
    }

    /// RFC 3339 in UTC with microseconds only where there are any.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        self.to_utc()
            .to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_micros())
    }
}

impl ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, length: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(length.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}

impl ops::Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, length: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(length.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads what `{from}..{until}` wrote of two instants: a span, in the details of what is on record.
#[must_use]
pub fn parse_span(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (from, until) = text.split_once("..")?;
    let read = |text| Timestamp::parse_rfc3339(text).ok();
    Some((read(from)?, read(until)?))
}

/// A length in minutes and seconds, rounded up to a whole second: `14:05`.
#[must_use]
pub fn minutes_seconds(length: Duration) -> String {
    let seconds = length.as_secs() + u64::from(length.subsec_nanos() > 0);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Why a text is not a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a length of time is a whole number and a unit: 30s, 10m, 6h, 2d, or several joined as in 1h30m"
)]
pub struct InvalidDuration;

/// Reads a length of time as people write it in the files: `30s`, `10m`, `6h`, `2d`, `500ms`, `1h30m`.
///
/// # Errors
/// [`InvalidDuration`] for anything else, for zero, and for more than ten years.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().map_err(|_| InvalidDuration)?;
        rest = &rest[digits..];
        let unit = rest.bytes().take_while(u8::is_ascii_lowercase).count();
        let millis: u64 = match &rest[..unit] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(InvalidDuration),
        };
        rest = &rest[unit..];
        total += Duration::from_millis(number.checked_mul(millis).ok_or(InvalidDuration)?);
        if total > Duration::from_hours(87840) {
            return Err(InvalidDuration);
        }
    }
    if total.is_zero() {
        Err(InvalidDuration)
    } else {
        Ok(total)
    }
}

/// Writes a length of time the way [`parse_duration`] reads it, with the two largest units: `1h30m`, `45s`, `2d`.
#[must_use]
pub fn format_duration(length: Duration) -> String {
    let millis = length.as_millis();
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let mut rest = length.as_secs();
    let mut parts = Vec::new();
    for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if rest >= seconds {
            parts.push(format!("{}{unit}", rest / seconds));
            rest %= seconds;
        }
    }
    parts.truncate(2);
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_up() {
        for (millis, said) in [
            (0, "0:00"),
            (1, "0:01"),
            (845_000, "14:05"),
            (3_600_000, "60:00"),
        ] {
            assert_eq!(minutes_seconds(Duration::from_millis(millis)), said);
        }
    }

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("30s", 30),
            ("10m", 600),
            ("6h", 21_600),
            ("2d", 172_800),
            ("1h30m", 5_400),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_secs(seconds)),
                "{text}"
            );
            assert_eq!(format_duration(Duration::from_secs(seconds)), text);
        }
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        for text in [
            "",
            "10",
            "m",
            "10 m",
            "-1s",
            "0s",
            "1.5h",
            "6 giờ",
            "99999999999999999999s",
            "5000d",
            "1h 30m",
        ] {
            assert_eq!(parse_duration(text), Err(InvalidDuration), "{text}");
        }
    }

    #[test]
    fn instants_round_trip() {
        let at = Timestamp::parse_rfc3339("2024-03-25T05:30:00+07:00").unwrap();
        assert_eq!(at.to_rfc3339(), "2024-03-24T22:30:00Z");
        assert_eq!(Timestamp::parse_rfc3339(&at.to_rfc3339()), Ok(at));
        assert_eq!(
            (at + Duration::from_secs(5)).since(at),
            Duration::from_secs(5)
        );
        assert_eq!(at.since(at + Duration::from_secs(5)), Duration::ZERO);
    }
}
