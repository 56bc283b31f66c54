//! Nights, in which Zalo broadcasts nothing: what waits, and until when.

use std::time::Duration;

use crate::{
    adapter::Failure,
    domain::{delivery::Reason, detail::Detail, time::Timestamp, zalo::Quiet},
};

/// Vietnam is seven hours ahead of UTC, summer and winter, since 1975.
const AHEAD: i64 = 7 * 60;

/// Minutes of a day.
const DAY: i64 = 24 * 60;

/// How long what Zalo holds to be night waits where our own hours say that it is day.
const DAWN: Duration = Duration::from_mins(30);

/// The minute of the day in Vietnam, and the microseconds into it.
fn minute(now: Timestamp) -> (i64, i64) {
    let micros = now.as_micros();
    let minutes = micros.div_euclid(60_000_000);
    (
        (minutes + AHEAD).rem_euclid(DAY),
        micros.rem_euclid(60_000_000),
    )
}

/// How long from `now` until the minute `until` of a day.
fn wait(now: Timestamp, until: i64) -> Duration {
    let (minute, into) = minute(now);
    let minutes = (until - minute - 1).rem_euclid(DAY) + 1;
    let micros = minutes * 60_000_000 - into;
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// Whether it is night by the channel's own hours; then what waits until morning.
pub(super) fn held(now: Timestamp, quiet: Quiet) -> Option<Failure> {
    let (minute, _) = minute(now);
    let (from, until) = (i64::from(quiet.from), i64::from(quiet.until));
    let is_night = if from <= until {
        (from..until).contains(&minute)
    } else {
        minute >= from || minute < until
    };
    is_night.then(|| Failure::Retry {
        after: Some(wait(now, until)),
        reason: Reason::Night,
        detail: Detail::new("zalo-quiet")
            .with("until", format!("{:02}:{:02}", until / 60, until % 60))
            .to_string(),
    })
}

/// When the night is over that it is at `now`; `None` by day.
pub(super) fn morning(now: Timestamp, quiet: Quiet) -> Option<Timestamp> {
    match held(now, quiet)? {
        Failure::Retry { after, .. } => Some(now + after?),
        _ => None,
    }
}

/// A refusal with the wait that belongs to it: until morning, or until the quota of another day.
pub(super) fn until(failure: Failure, now: Timestamp, quiet: Quiet) -> Failure {
    let Failure::Retry { reason, detail, .. } = &failure else {
        return failure;
    };
    let after = match reason {
        Reason::Night => match held(now, quiet) {
            Some(Failure::Retry { after, .. }) => after,
            // Its night is longer than ours.
            _ => Some(DAWN),
        },
        Reason::Quota => Some(wait(now, 0).max(wait(now, i64::from(quiet.until)))),
        _ => return failure,
    };
    Failure::Retry {
        after,
        reason: *reason,
        detail: detail.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Quiet = Quiet {
        from: 22 * 60,
        until: 6 * 60,
    };

    fn at(local: &str) -> Timestamp {
        Timestamp::parse_rfc3339(&format!("2024-03-25T{local}+07:00")).unwrap()
    }

    fn after(failure: &Failure) -> Option<u64> {
        match failure {
            Failure::Retry { after, .. } => after.map(|after| after.as_secs()),
            _ => None,
        }
    }

    #[test]
    fn nights_last_from_evening_to_morning() {
        for (local, wait) in [
            ("21:59:59", None),
            ("22:00:00", Some(8 * 3600)),
            ("23:30:15", Some(6 * 3600 + 29 * 60 + 45)),
            ("00:00:00", Some(6 * 3600)),
            ("05:59:59", Some(1)),
            ("06:00:00", None),
            ("12:00:00", None),
        ] {
            let held = held(at(local), QUIET);
            assert_eq!(held.as_ref().and_then(after), wait, "{local}");
            assert_eq!(held.is_some(), wait.is_some(), "{local}");
        }
        let noon = Quiet {
            from: 720,
            until: 780,
        };
        assert!(held(at("12:30:00"), noon).is_some());
        assert!(held(at("11:59:00"), noon).is_none());
        let none = Quiet { from: 0, until: 0 };
        assert!(held(at("00:00:00"), none).is_none());
    }

    #[test]
    fn refusals_wait_for_what_they_are_about() {
        let refused = |reason| Failure::retry(reason, "x");
        let wait = |reason, local: &str| after(&until(refused(reason), at(local), QUIET));
        assert_eq!(wait(Reason::Night, "23:00:00"), Some(7 * 3600));
        assert_eq!(wait(Reason::Night, "07:00:00"), Some(1800));
        assert_eq!(
            wait(Reason::Quota, "10:00:00"),
            Some(20 * 3600),
            "tomorrow, after the night"
        );
        assert_eq!(wait(Reason::Busy, "10:00:00"), None);
        let rejected = Failure::reject(Reason::Status, "x");
        assert_eq!(until(rejected.clone(), at("23:00:00"), QUIET), rejected);
    }
}
