//! Schedules: which bulletins go where, when, and what happens to an occurrence that was missed.

use std::time::Duration;

use chrono_tz::Tz;

use super::{
    calendar::When,
    channel::{Channel, ChannelKind},
    id::{BulletinId, ChannelId, ScheduleId, TopicId, WardId},
    target::AirtimeTarget,
    ward::Validity,
};

/// One schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Its key in its file.
    pub id: ScheduleId,
    /// Who wrote it; none of them may approve it.
    pub editors: Vec<String>,
    /// When it fires.
    pub when: When,
    /// The zone in which `when` and `valid` are read.
    pub zone: Tz,
    /// The days on which it fires.
    pub valid: Validity,
    /// What it sends.
    pub bulletins: Choice,
    /// Where it sends.
    pub to: Targets,
    /// What becomes of an occurrence that fell due while nobody was running.
    pub missed: Missed,
    /// How long after its instant a sending may still begin.
    pub deadline: Duration,
    /// What it does when something else is heard at its instant.
    pub start: Start,
}

/// What a broadcast does when it cannot be heard at its instant because something else is, or because the hours forbid it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It begins at its instant or not at all.
    Hard,
    /// It waits.
    Soft {
        /// At most so long.
        max_wait: Duration,
    },
}

impl Schedule {
    /// How much is to be heard a week, where it names no times but fills permitted hours.
    #[must_use]
    pub fn target(&self) -> Option<&AirtimeTarget> {
        match &self.when {
            When::Target(target) => Some(target),
            When::Cron(_) | When::At { .. } => None,
        }
    }

    /// Silence between the parts of a session.
    #[must_use]
    pub fn gap(&self) -> Duration {
        match self.bulletins {
            Choice::Session { gap, .. } => gap,
            Choice::Only(_) | Choice::Rotate(_) | Choice::RotateTopic(_) => Duration::ZERO,
        }
    }
}

/// Which bulletin an occurrence carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Always this one.
    Only(BulletinId),
    /// These in turn.
    Rotate(Vec<BulletinId>),
    /// Every bulletin of a topic in turn, in the order of their ids.
    RotateTopic(TopicId),
    /// Several, one after the other, as one programme.
    Session {
        /// What each part carries; none of them a session itself. The station's ident, if it has one, is the first.
        parts: Vec<Choice>,
        /// Whether the first part is the station's ident, which is not heard alone.
        ident: bool,
        /// Silence between two parts.
        gap: Duration,
    },
}

impl Choice {
    /// The choices that are made for one occurrence: one, or one for each part of a session.
    #[must_use]
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::Session { parts, .. } => parts,
            Self::Only(_) | Self::Rotate(_) | Self::RotateTopic(_) => std::slice::from_ref(self),
        }
    }
}

/// What becomes of an occurrence that fell due while nobody was running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// It is skipped, with the reason. Right for what is heard.
    Skip,
    /// It is sent late, at most this long after its instant. Right for what is read.
    Late {
        /// The limit.
        within: Duration,
    },
}

/// Which channels: all filters that are given must hold. Channels for tests are never meant, nor is the operator's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets {
    /// Channels of this kind.
    pub kind: Option<ChannelKind>,
    /// Channels of these wards.
    pub wards: Vec<WardId>,
    /// These channels.
    pub channels: Vec<ChannelId>,
    /// Not these channels.
    pub except: Vec<ChannelId>,
}

impl Targets {
    /// Whether `channel` is meant.
    #[must_use]
    pub fn include(&self, channel: &Channel) -> bool {
        !channel.test && !channel.operator && self.fit(channel)
    }

    /// Whether `channel`, a test channel, is meant by a test.
    #[must_use]
    pub fn include_in_test(&self, channel: &Channel) -> bool {
        channel.test && !channel.operator && self.fit(channel)
    }

    fn fit(&self, channel: &Channel) -> bool {
        self.kind.is_none_or(|kind| kind == channel.kind)
            && (self.wards.is_empty() || self.wards.contains(&channel.ward))
            && (self.channels.is_empty() || self.channels.contains(&channel.id))
            && !self.except.contains(&channel.id)
    }
}
