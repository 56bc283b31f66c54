//! When a receiver wants to be asked again, where it says that as an instant: `X-RateLimit-Reset: 1796102640`.

use std::time::Duration;

use serde_json::Value;

use crate::domain::{retry::LONGEST_WISH, time::Timestamp};

/// From here on a number is no length of time in seconds (it would be 31 years) but the seconds since 1970.
const SECONDS: f64 = 1e9;

/// From here on it is the milliseconds since then.
const MILLISECONDS: f64 = 1e12;

/// From here on it is neither.
const BEYOND: f64 = 1e15;

/// The wait from `now` until the instant that `value` spells in seconds or milliseconds since 1970; zero for one that has passed, `None` for
/// what is no such instant.
pub(super) fn until(value: &Value, now: Timestamp) -> Option<Duration> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    let seconds = match number {
        _ if (SECONDS..MILLISECONDS).contains(&number) => number,
        _ if (MILLISECONDS..BEYOND).contains(&number) => number / 1000.0,
        _ => return None,
    };
    let since_epoch = Duration::try_from_secs_f64(seconds.ceil()).ok()?;
    let instant = Timestamp::from_micros(0) + since_epoch;
    Some(instant.since(now).min(LONGEST_WISH))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_instant_is_told_from_a_length_of_time() {
        let now = Timestamp::parse_rfc3339("2026-12-01T05:30:00Z").unwrap();
        for (value, seconds) in [
            (json!("1796103060"), Some(60)),
            (json!(" 1796103060 "), Some(60)),
            (json!(1_796_103_060), Some(60)),
            (json!(1_796_103_059.5), Some(60)),
            (json!("1796103060000"), Some(60)),
            (json!(1_796_103_060_000_u64), Some(60)),
            (json!(1_796_102_000), Some(0)),
            (json!(1_896_102_000), Some(86_400)),
            (json!(60), None),
            (json!("86400"), None),
            (json!(999_999_999), None),
            (json!("9999999999999999"), None),
            (json!("Tue, 01 Dec 2026 05:31:00 GMT"), None),
            (json!("soon"), None),
            (json!(null), None),
        ] {
            let wait = seconds.map(Duration::from_secs);
            assert_eq!(until(&value, now), wait, "{value}");
        }
    }
}
