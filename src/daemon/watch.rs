//! Notices that somebody set the clock, or that the machine slept, and holds back what that would set off. Pure.
//!
//! The wall clock is compared with a running time that nobody can set. After a leap forward of some minutes nothing is
//! sent, judged or taken from other nodes until the new time has lasted a while or the old one has come back: a clock
//! that is wrong by a day must not air tomorrow's broadcasts, nor skip today's.

use std::time::Duration;

use crate::domain::time::Timestamp;

/// What is more than a slow correction.
const TOLERANCE: Duration = Duration::from_secs(5);

/// A leap forward of so much is not believed at once.
const LEAP: Duration = Duration::from_mins(5);

/// How long a leap has to last to be believed: long enough for somebody to see it, and shorter than a loudspeaker's
/// broadcast may be late.
const HOLD: Duration = Duration::from_mins(5);

/// How long the daemon says that it is not well after the clock was set.
const TOLD: Duration = Duration::from_mins(30);

/// The clock was set, or the machine slept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Jump {
    /// What the clock would have shown.
    pub(super) expected: Timestamp,
    /// What it shows.
    pub(super) shown: Timestamp,
}

/// What follows from a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It was set.
    Jumped(Jump),
    /// A leap forward has lasted, and counts as time in which nothing was running.
    Believed(Jump),
    /// It shows again what it would have shown.
    Returned(Jump),
    /// It was set so long ago that it need not be told any more.
    Settled,
}

/// What is known of the clock.
#[derive(Debug)]
pub(super) struct Watch {
    shown: Timestamp,
    run: Duration,
    /// The last jump, and the running time at which it was seen.
    jump: Option<(Jump, Duration)>,
    /// Whether that jump is held to be doubtful.
    is_held: bool,
    news: Vec<News>,
}

impl Watch {
    /// Begins with what the clock shows.
    pub(super) fn new(shown: Timestamp, run: Duration) -> Self {
        Self {
            shown,
            run,
            jump: None,
            is_held: false,
            news: Vec::new(),
        }
    }

    /// Looks. `true` when things may go on.
    pub(super) fn look(&mut self, shown: Timestamp, run: Duration) -> bool {
        let expected = self.shown + run.saturating_sub(self.run);
        let ahead = shown.since(expected);
        let is_set = ahead.max(expected.since(shown)) > TOLERANCE;
        (self.shown, self.run) = (shown, run);
        if let Some((jump, at)) = self.jump {
            // What the clock would show without the jump.
            let unmoved = jump.expected + run.saturating_sub(at);
            if is_set && shown.since(unmoved).max(unmoved.since(shown)) <= TOLERANCE {
                (self.jump, self.is_held) = (None, false);
                self.news.push(News::Returned(Jump { expected, shown }));
                return true;
            }
            let lasted = run.saturating_sub(at);
            if !is_set && self.is_held && lasted >= HOLD {
                self.is_held = false;
                self.news.push(News::Believed(jump));
            }
            if !is_set && !self.is_held && lasted >= TOLD {
                self.jump = None;
                self.news.push(News::Settled);
            }
        }
        if is_set {
            let jump = Jump { expected, shown };
            self.is_held = ahead >= LEAP;
            self.jump = Some((jump, run));
            self.news.push(News::Jumped(jump));
        }
        !self.is_held
    }

    /// What has not been told yet.
    pub(super) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_000_000_000_000);
    const DAY: Duration = Duration::from_hours(24);

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_leap_forward_holds_until_it_has_lasted() {
        let mut watch = Watch::new(START, secs(0));
        assert!(watch.look(START + secs(10), secs(10)), "as it should be");
        assert!(watch.look(START + secs(14), secs(10)), "a correction");
        assert_eq!(watch.take_news(), []);
        assert!(!watch.look(START + DAY, secs(12)));
        let jump = Jump {
            expected: START + secs(16),
            shown: START + DAY,
        };
        assert_eq!(watch.take_news(), [News::Jumped(jump)]);
        assert!(!watch.look(START + DAY + secs(299), secs(311)));
        assert!(watch.look(START + DAY + secs(300), secs(312)));
        assert_eq!(watch.take_news(), [News::Believed(jump)]);
        assert!(watch.look(START + DAY + secs(1_800), secs(1_812)));
        assert_eq!(watch.take_news(), [News::Settled]);
    }

    #[test]
    fn a_leap_that_is_taken_back_is_over() {
        let mut watch = Watch::new(START, secs(0));
        assert!(!watch.look(START + DAY, secs(0)));
        assert!(watch.look(START + secs(60), secs(60)));
        assert!(matches!(
            watch.take_news()[..],
            [News::Jumped(_), News::Returned(_)]
        ));
    }

    #[test]
    fn a_clock_that_goes_back_is_told_and_holds_nothing() {
        let mut watch = Watch::new(START + DAY, secs(0));
        assert!(watch.look(START, secs(0)));
        assert!(matches!(watch.take_news()[..], [News::Jumped(_)]));
    }
}
