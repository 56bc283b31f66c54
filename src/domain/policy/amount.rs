//! How much is heard in an area on one day, and which rule says that it is too much.

use std::time::Duration;

use super::{Permit, Rule};
use crate::domain::{
    detail::Detail,
    time::{Timestamp, minutes_seconds},
};

/// When something begins to be heard, and when it is over.
pub type Span = (Timestamp, Timestamp);

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
}

impl<'p> Permit<'p> {
    /// Whether a rule limits how much is heard.
    #[must_use]
    pub fn has_limits(&self) -> bool {
        self.sessions.is_some() || self.longest.is_some() || self.longest_day.is_some()
    }

    /// What of the amounts that the rules allow would be exceeded if `span` were heard besides what is `heard` already.
    #[must_use]
    pub fn too_much(&self, heard: &[Span], span: Span) -> Option<TooMuch<'p>> {
        if !self.has_limits() {
            return None;
        }
        let mut all = heard.to_vec();
        all.push(span);
        let sessions = sessions(all, self.gap);
        let count = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
        if let Some((most, rule)) = self.sessions.filter(|(most, _)| count > *most) {
            return Some(TooMuch::Sessions(rule, most));
        }
        let lengths = || sessions.iter().map(|(from, until)| until.since(*from));
        let longest = lengths().max().unwrap_or_default();
        if let Some((most, rule)) = self.longest.filter(|(most, _)| longest > *most) {
            return Some(TooMuch::Session(rule, longest, most));
        }
        let total: Duration = lengths().sum();
        let (most, rule) = self.longest_day.filter(|(most, _)| total > *most)?;
        Some(TooMuch::Day(rule, total, most))
    }

    /// The session in which something is heard at `at`.
    #[must_use]
    pub fn session(&self, heard: &[Span], at: Timestamp) -> Span {
        let all = sessions(heard.to_vec(), self.gap);
        all.into_iter()
            .find(|(from, until)| *from <= at && at <= *until)
            .unwrap_or((at, at))
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
