//! RFC 9110's Retry-After: seconds, or a date.

use std::time::{Duration, SystemTime};

use crate::domain::{retry::LONGEST_WISH as LONGEST, time::Timestamp};

/// The wait from `now`; zero for a date that has passed, `None` for anything that is neither.
pub(in crate::adapter) fn parse(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit is still a wish to wait long.
        return Some(
            text.parse()
                .map_or(LONGEST, Duration::from_secs)
                .min(LONGEST),
        );
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let since_epoch = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let date = Timestamp::from_micros(0) + since_epoch;
    Some(date.since(now).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let now = Timestamp::parse_rfc3339("2024-03-25T05:30:00Z").unwrap();
        for (text, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("86401", Some(86_400)),
            ("99999999999999999999999", Some(86_400)),
            ("Mon, 25 Mar 2024 05:31:30 GMT", Some(90)),
            ("Monday, 25-Mar-24 05:31:30 GMT", Some(90)),
            ("Mon, 25 Mar 2024 05:29:00 GMT", Some(0)),
            ("Sat, 25 Mar 2034 05:29:00 GMT", Some(86_400)),
            ("-5", None),
            ("", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(parse(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
