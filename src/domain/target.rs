//! Airtime targets: how many minutes a week people are to hear of a topic. Who writes one names no times; the plan finds
//! them (`plan/fill.rs`).

use std::time::Duration;

use super::{
    detail::Detail,
    id::{ScheduleId, TopicId, WardId},
    policy::Window,
};

/// What stands in place of times in a schedule that fills permitted hours until enough of its topic is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AirtimeTarget {
    /// How long the topic is to be heard in a week on each loudspeaker, whoever sends it.
    pub weekly: Duration,
    /// How often each bulletin may be heard in a ward for that.
    pub cap: Cap,
    /// Where in the permitted hours it may be filled; anywhere in them where it does not say.
    pub windows: Option<Vec<Window>>,
}

/// How often one bulletin may be heard in a ward, counted with what schedules send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// Times a day.
    pub per_day: u32,
    /// Times a week.
    pub per_week: Option<u32>,
}

impl Default for Cap {
    /// Once a day: more often people stop listening.
    fn default() -> Self {
        Self {
            per_day: 1,
            per_week: None,
        }
    }
}

/// What the plan makes of a target in one week and one ward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filling {
    /// The target.
    pub schedule: ScheduleId,
    /// What people are to hear of.
    pub topic: TopicId,
    /// Where.
    pub ward: WardId,
    /// How long they are to hear it: a seventh of the week's for each day on which the target holds.
    pub wanted: Duration,
    /// How long the loudspeaker that says least of it is to say it, by schedules and by what fills the target.
    pub planned: Duration,
    /// Why it is not more, if it is not enough: sentences of the catalogue, each with the number of days on which it holds.
    pub obstacles: Vec<(Detail, usize)>,
}

impl Filling {
    /// How much the plan does not reach.
    #[must_use]
    pub fn short(&self) -> Duration {
        self.wanted.saturating_sub(self.planned)
    }
}
