//! When to try again: exponential with jitter, the receiver's own wish within reason, and never past the deadline.

use std::time::Duration;

use super::{id::DeliveryId, time::Timestamp};

/// How long before its deadline a delivery is tried for the last time where the receiver asks for more time than there is: a site
/// whose software is being changed asks for ten minutes and is back after seconds.
const LAST_TRY: Duration = Duration::from_secs(30);

/// The least that has to be left for such a try: less, and the receiver would be asked again at once. After the last try less is left, so
/// there is no other.
const LEFT_FOR_LAST_TRY: Duration = Duration::from_secs(40);

/// No receiver is left alone for longer, whatever it asks for.
pub const LONGEST_WISH: Duration = Duration::from_hours(24);

/// How a delivery is tried again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// The first wait.
    pub first: Duration,
    /// No wait is longer, except at the receiver's own wish.
    pub longest: Duration,
    /// Attempts in all.
    pub attempts: u32,
}

impl RetryPolicy {
    /// When attempt number `attempt` (counted from 1, just failed at `now`) is followed by the next one; `None` when it
    /// is not: tries ran out, or the next would begin at or after `deadline`.
    ///
    /// Waits double from `first` up to `longest`, ± 20 % that depend only on the delivery and the attempt, so that many
    /// failures of one moment do not come back in one moment. `after` is the receiver's Retry-After: it can only
    /// lengthen the wait. Where it leads to the deadline or beyond, there is one more try shortly before the deadline, and no other.
    #[must_use]
    pub fn next(
        &self,
        delivery: &DeliveryId,
        attempt: u32,
        now: Timestamp,
        after: Option<Duration>,
        deadline: Timestamp,
    ) -> Option<Timestamp> {
        if attempt >= self.attempts {
            return None;
        }
        let doubled = self.first.saturating_mul(
            1_u32
                .checked_shl(attempt.saturating_sub(1))
                .unwrap_or(u32::MAX),
        );
        let wait = doubled
            .min(self.longest)
            .mul_f64(jitter(delivery.as_str(), attempt));
        let next = now + wait.max(after.unwrap_or_default());
        if next < deadline {
            return Some(next);
        }
        let left = deadline.since(now);
        if after.is_none() || left < LEFT_FOR_LAST_TRY {
            return None;
        }
        let last = deadline - LAST_TRY.min(left / 4);
        (now + wait < last).then_some(last)
    }
}

/// A factor from 0.8 to 1.2 that depends only on the arguments.
pub(crate) fn jitter(whose: &str, round: u32) -> f64 {
    0.8 + 0.4 * share(whose, round)
}

/// A share from 0 to 1 that depends only on the arguments.
pub(crate) fn share(whose: &str, round: u32) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(whose.as_bytes()).update(&round.to_be_bytes());
    f64::from(hasher.finalize().as_bytes()[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        first: Duration::from_secs(5),
        longest: Duration::from_mins(10),
        attempts: 8,
    };
    const FAR: Timestamp = Timestamp::from_micros(i64::MAX);

    fn wait(attempt: u32, after: Option<Duration>, deadline: Timestamp) -> Option<Duration> {
        let start = Timestamp::from_micros(0);
        POLICY
            .next(&DeliveryId::from_text("x"), attempt, start, after, deadline)
            .map(|at| at.since(start))
    }

    #[test]
    fn waits_double_within_the_jitter_and_stop() {
        for attempt in 1..8 {
            let plain = 5.0 * 2_f64.powi(i32::try_from(attempt).unwrap() - 1);
            let waited = wait(attempt, None, FAR).unwrap().as_secs_f64();
            assert!(
                (plain.min(600.0) * 0.8..=plain.min(600.0) * 1.2).contains(&waited),
                "{attempt}: {waited}"
            );
        }
        assert_eq!(wait(8, None, FAR), None);
    }

    #[test]
    fn the_receiver_can_only_lengthen() {
        assert_eq!(
            wait(1, Some(Duration::from_hours(1)), FAR),
            Some(Duration::from_hours(1))
        );
        assert!(wait(1, Some(Duration::from_secs(1)), FAR).unwrap() >= Duration::from_secs(4));
    }

    #[test]
    fn a_wish_beyond_the_deadline_gets_one_last_try_before_it() {
        let minutes = |minutes| Duration::from_mins(minutes);
        let seconds = |seconds| Duration::from_secs(seconds);
        let until = |left: Duration| Timestamp::from_micros(0) + left;
        for (left, wish, last) in [
            (minutes(10), minutes(10), Some(seconds(570))),
            (minutes(10), minutes(600), Some(seconds(570))),
            (minutes(10), minutes(9), Some(minutes(9))),
            (minutes(1), minutes(2), Some(seconds(45))),
            (seconds(40), minutes(2), Some(seconds(30))),
            (seconds(39), minutes(2), None),
        ] {
            let case = format!("{left:?} left, {wish:?} wished");
            assert_eq!(wait(1, Some(wish), until(left)), last, "{case}");
            // The same wish again: that was the last one.
            let Some(tried) = last.filter(|last| wish > *last) else {
                continue;
            };
            let rest = left.checked_sub(tried).unwrap();
            assert_eq!(wait(2, Some(wish), until(rest)), None, "{case}");
        }
        // Not sooner than without any wish, and not where tries ran out.
        assert_eq!(wait(6, Some(minutes(9)), until(minutes(2))), None);
        assert_eq!(wait(8, Some(minutes(9)), until(minutes(5))), None);
        assert_eq!(wait(6, None, until(minutes(2))), None);
    }

    #[test]
    fn the_deadline_wins() {
        assert_eq!(wait(1, None, Timestamp::from_micros(3_000_000)), None);
        assert!(wait(1, None, Timestamp::from_micros(60_000_000)).is_some());
    }
}
