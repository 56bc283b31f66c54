//! How much is heard in an area on one day, and which rule says that it is too much.

use std::time::Duration;

use chrono_tz::Tz;

use super::{Permit, Rule, Sessions};
use crate::domain::{
    bulletin::Priority,
    calendar::clock,
    detail::Detail,
    time::{Timestamp, minutes_seconds},
};

/// When something begins to be heard, and when it is over.
pub type Span = (Timestamp, Timestamp);

/// Something that is heard in an area: a rule counts it unless it exempts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoken {
    /// From when to when.
    pub span: Span,
    /// How urgent it is; of a session the least urgent part.
    pub priority: Priority,
}

/// Which of the amounts that the rules allow would be exceeded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TooMuch<'p> {
    /// There would be more sessions on that day than so many.
    Sessions(&'p Rule, u32),
    /// A session would last so long, and may only last so long.
    Session(&'p Rule, Duration, Duration),
    /// All sessions of the day would last so long, and may only last so long.
    Day(&'p Rule, Duration, Duration),
}

impl TooMuch<'_> {
    /// The detail of the refusal.
    #[must_use]
    pub fn detail(&self) -> Detail {
        match *self {
            Self::Sessions(rule, most) => rule.refusal("too-many-sessions").with("most", most),
            Self::Session(rule, length, longest) => rule.too_long(length, longest),
            Self::Day(rule, length, longest) => rule
                .refusal("day-too-long")
                .with("length", minutes_seconds(length))
                .with("longest", minutes_seconds(longest)),
        }
    }

    /// What is named where several rules refuse: sessions before minutes, and of the same sort the strictest.
    fn strictness(&self) -> (u8, Duration) {
        match *self {
            Self::Sessions(_, most) => (0, Duration::from_secs(most.into())),
            Self::Session(_, _, longest) => (1, longest),
            Self::Day(_, _, longest) => (2, longest),
        }
    }
}

/// By when a session has to be over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SessionEnd<'p> {
    /// The instant.
    pub over: Timestamp,
    /// The rule that says so, and how long it permits sessions to be.
    pub rule: &'p Rule,
    /// The longest session that it permits.
    pub longest: Duration,
}

impl SessionEnd<'_> {
    /// The detail of what could not be over by then.
    #[must_use]
    pub fn detail(&self, zone: Tz) -> Detail {
        self.rule
            .refusal("session-end")
            .with("over", clock(self.over, zone))
            .with("longest", minutes_seconds(self.longest))
    }
}

impl<'p> Permit<'p> {
    /// What of the amounts that the rules allow would be exceeded if `span` were heard besides what is `heard` already. Each rule
    /// counts for itself: only what it does not exempt, and with its own idea of what parts two sessions.
    #[must_use]
    pub fn too_much(&self, heard: &[Spoken], span: Span) -> Option<TooMuch<'p>> {
        let exceeded = self
            .amounts
            .iter()
            .filter_map(|rule| rule.exceeded(heard, span));
        exceeded.min_by_key(TooMuch::strictness)
    }

    /// The first instant at which a rule wants the session to be over in which something is heard at `at`, which is one of what is
    /// `heard`.
    #[must_use]
    pub fn session_end(&self, heard: &[Spoken], at: Timestamp) -> Option<SessionEnd<'p>> {
        let ends = self.amounts.iter().filter_map(|rule| {
            let longest = rule.sessions.longest?;
            let session = rule
                .count(heard, None)
                .into_iter()
                .find(|(from, until)| *from <= at && at <= *until)
                .unwrap_or((at, at));
            Some(SessionEnd {
                over: session.0 + longest,
                rule,
                longest,
            })
        });
        ends.min_by_key(|end| end.over)
    }
}

impl Rule {
    /// Whether it limits how much is heard.
    #[must_use]
    pub fn limits_amounts(&self) -> bool {
        let Sessions {
            per_day,
            longest,
            longest_day,
            ..
        } = self.sessions;
        per_day.is_some() || longest.is_some() || longest_day.is_some()
    }

    /// The sessions of what it does not exempt, and of `more`.
    fn count(&self, heard: &[Spoken], more: Option<Span>) -> Vec<Span> {
        let counted = heard
            .iter()
            .filter(|spoken| !self.exempt.contains(&spoken.priority))
            .map(|spoken| spoken.span);
        sessions(counted.chain(more).collect(), self.sessions.gap)
    }

    /// What of its amounts would be exceeded if `span` were heard besides what is `heard` already.
    pub(super) fn exceeded(&self, heard: &[Spoken], span: Span) -> Option<TooMuch<'_>> {
        let sessions = self.count(heard, Some(span));
        let count = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
        if let Some(most) = self.sessions.per_day.filter(|most| count > *most) {
            return Some(TooMuch::Sessions(self, most));
        }
        let lengths = || sessions.iter().map(|(from, until)| until.since(*from));
        let longest = lengths().max().unwrap_or_default();
        if let Some(most) = self.sessions.longest.filter(|most| longest > *most) {
            return Some(TooMuch::Session(self, longest, most));
        }
        let total: Duration = lengths().sum();
        let most = self.sessions.longest_day.filter(|most| total > *most)?;
        Some(TooMuch::Day(self, total, most))
    }
}

/// Spans joined to sessions, ascending.
fn sessions(mut spans: Vec<Span>, gap: Duration) -> Vec<Span> {
    spans.sort_unstable();
    let mut sessions: Vec<Span> = Vec::new();
    for (from, until) in spans {
        match sessions.last_mut() {
            Some((_, end)) if from < *end + gap => *end = (*end).max(until),
            _ => sessions.push((from, until)),
        }
    }
    sessions
}
