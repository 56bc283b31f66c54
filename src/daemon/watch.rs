//! Notices that somebody set the clock, that the machine slept, or that this process stood still, and holds back what
//! that would set off. Pure.
//!
//! The wall clock is compared with a running time that nobody can set. After a leap forward of some minutes nothing is
//! sent, judged or taken from other nodes until the new time has lasted a while or the old one has come back: a clock
//! that is wrong by a day must not air tomorrow's broadcasts, nor skip today's. Where the running time itself went on
//! and nobody looked, the process was stopped: nothing is sent before what was missed is judged.

use std::{collections::VecDeque, time::Duration};

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
    /// Nobody looked: this process stood still, or whatever it runs on did.
    Stopped(Gap),
}

impl News {
    /// Whether what was missed has to be judged before anything is sent.
    fn is_gap(self) -> bool {
        matches!(self, Self::Believed(_) | Self::Stopped(_))
    }
}

/// A time in which this process did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// The last sign of life before.
    pub(super) from: Timestamp,
    /// The first after.
    pub(super) until: Timestamp,
}

/// What is known of the clock.
#[derive(Debug)]
pub(super) struct Watch {
    shown: Timestamp,
    run: Duration,
    /// How long nobody may look before the process was stopped, and not merely busy.
    patience: Duration,
    /// The last jump, and the running time at which it was seen.
    jump: Option<(Jump, Duration)>,
    /// Whether that jump is held to be doubtful.
    is_doubtful: bool,
    /// What has not been told yet, the oldest first.
    news: VecDeque<News>,
}

impl Watch {
    /// Begins with what the clock shows.
    pub(super) fn new(shown: Timestamp, run: Duration, patience: Duration) -> Self {
        Self {
            shown,
            run,
            patience,
            jump: None,
            is_doubtful: false,
            news: VecDeque::new(),
        }
    }

    /// Looks. `true` when things may go on.
    pub(super) fn look(&mut self, shown: Timestamp, run: Duration) -> bool {
        let silence = run.saturating_sub(self.run);
        let from = self.shown;
        let expected = from + silence;
        let ahead = shown.since(expected);
        let is_set = ahead.max(expected.since(shown)) > TOLERANCE;
        (self.shown, self.run) = (shown, run);
        if silence > self.patience {
            let until = expected;
            self.news.push_back(News::Stopped(Gap { from, until }));
        }
        if let Some((jump, at)) = self.jump {
            // What the clock would show without the jump.
            let unmoved = jump.expected + run.saturating_sub(at);
            if is_set && shown.since(unmoved).max(unmoved.since(shown)) <= TOLERANCE {
                (self.jump, self.is_doubtful) = (None, false);
                self.news
                    .push_back(News::Returned(Jump { expected, shown }));
                return self.is_certain();
            }
            let lasted = run.saturating_sub(at);
            if !is_set && self.is_doubtful && lasted >= HOLD {
                self.is_doubtful = false;
                self.news.push_back(News::Believed(jump));
            }
            if !is_set && !self.is_doubtful && lasted >= TOLD {
                self.jump = None;
                self.news.push_back(News::Settled);
            }
        }
        if is_set {
            let jump = Jump { expected, shown };
            self.is_doubtful = ahead >= LEAP;
            self.jump = Some((jump, run));
            self.news.push_back(News::Jumped(jump));
        }
        self.is_certain()
    }

    /// Whether the time is believed and what was missed is judged.
    fn is_certain(&self) -> bool {
        !self.is_doubtful && !self.news.iter().any(|news| news.is_gap())
    }

    /// How long a leap has to last yet to be believed.
    pub(super) fn doubt(&self, run: Duration) -> Option<Duration> {
        let (_, at) = self.jump.filter(|_| self.is_doubtful)?;
        Some((at + HOLD).saturating_sub(run))
    }

    /// The first thing that has not been told yet. What was missed waits until the time can be believed.
    pub(super) fn news(&self) -> Option<News> {
        let told = |news: &&News| !(self.is_doubtful && news.is_gap());
        self.news.iter().find(told).copied()
    }

    /// That was told, and what follows from it is done.
    pub(super) fn told(&mut self, news: News) {
        if let Some(at) = self.news.iter().position(|other| *other == news) {
            self.news.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_000_000_000_000);
    const DAY: Duration = Duration::from_hours(24);

    const PATIENCE: Duration = Duration::from_hours(1);

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn watch(shown: Timestamp) -> Watch {
        Watch::new(shown, secs(0), PATIENCE)
    }

    /// Tells everything that can be told.
    fn take_news(watch: &mut Watch) -> Vec<News> {
        let mut told = Vec::new();
        while let Some(news) = watch.news() {
            watch.told(news);
            told.push(news);
        }
        told
    }

    #[test]
    fn a_leap_forward_holds_until_it_has_lasted() {
        let mut watch = watch(START);
        assert!(watch.look(START + secs(10), secs(10)), "as it should be");
        assert!(watch.look(START + secs(14), secs(10)), "a correction");
        assert_eq!(take_news(&mut watch), []);
        assert!(!watch.look(START + DAY, secs(12)));
        let jump = Jump {
            expected: START + secs(16),
            shown: START + DAY,
        };
        assert_eq!(take_news(&mut watch), [News::Jumped(jump)]);
        assert!(!watch.look(START + DAY + secs(299), secs(311)));
        assert_eq!(watch.doubt(secs(311)), Some(secs(1)));
        assert!(
            !watch.look(START + DAY + secs(300), secs(312)),
            "what was missed is not judged yet"
        );
        assert_eq!(watch.doubt(secs(312)), None);
        assert_eq!(take_news(&mut watch), [News::Believed(jump)]);
        assert!(watch.look(START + DAY + secs(300), secs(312)));
        assert!(watch.look(START + DAY + secs(1_800), secs(1_812)));
        assert_eq!(take_news(&mut watch), [News::Settled]);
    }

    #[test]
    fn a_leap_that_is_taken_back_is_over() {
        let mut watch = watch(START);
        assert!(!watch.look(START + DAY, secs(0)));
        assert!(watch.look(START + secs(60), secs(60)));
        assert!(matches!(
            take_news(&mut watch)[..],
            [News::Jumped(_), News::Returned(_)]
        ));
    }

    #[test]
    fn a_clock_that_goes_back_is_told_and_holds_nothing() {
        let mut watch = watch(START + DAY);
        assert!(watch.look(START, secs(0)));
        assert!(matches!(take_news(&mut watch)[..], [News::Jumped(_)]));
    }

    #[test]
    fn a_process_that_stood_still_sends_nothing_before_what_was_missed_is_judged() {
        let mut watch = watch(START);
        assert!(watch.look(START + PATIENCE, PATIENCE), "busy");
        let later = PATIENCE * 3;
        assert!(!watch.look(START + later, later));
        assert!(!watch.look(START + later + secs(2), later + secs(2)));
        let gap = News::Stopped(Gap {
            from: START + PATIENCE,
            until: START + later,
        });
        assert_eq!(watch.news(), Some(gap));
        assert_eq!(watch.news(), Some(gap), "until it is told");
        watch.told(gap);
        assert!(watch.look(START + later + secs(4), later + secs(4)));
        assert_eq!(watch.news(), None);
    }

    #[test]
    fn what_was_missed_is_judged_by_a_clock_that_is_believed() {
        let mut watch = watch(START);
        let later = PATIENCE * 2;
        assert!(
            !watch.look(START + DAY, later),
            "stopped, and set meanwhile"
        );
        let gap = News::Stopped(Gap {
            from: START,
            until: START + later,
        });
        assert!(matches!(take_news(&mut watch)[..], [News::Jumped(_)]));
        assert!(!watch.look(START + DAY + HOLD, later + HOLD));
        assert!(matches!(
            take_news(&mut watch)[..],
            [first, News::Believed(_)] if first == gap
        ));
        assert!(watch.look(START + DAY + HOLD, later + HOLD));
    }
}
