//! Sessions: broadcasts with less silence between them than the rules take for a pause.

use std::time::Duration;

use crate::domain::{policy::Permit, time::Timestamp};

use super::Hindrance;

/// What of the amounts that the rules allow would be exceeded if `span` were heard besides what is heard already.
pub(super) fn too_much<'w>(
    permit: &Permit<'w>,
    heard: &[(Timestamp, Timestamp)],
    span: (Timestamp, Timestamp),
) -> Option<Hindrance<'w>> {
    if permit.sessions.is_none() && permit.longest.is_none() && permit.longest_day.is_none() {
        return None;
    }
    let mut all = heard.to_vec();
    all.push(span);
    let sessions = sessions(all, permit.gap);
    let count = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
    if let Some((most, rule)) = permit.sessions.filter(|(most, _)| count > *most) {
        return Some(Hindrance::TooManySessions(rule, most));
    }
    let longest = sessions
        .iter()
        .map(|(from, until)| until.since(*from))
        .max()
        .unwrap_or_default();
    if let Some((most, rule)) = permit.longest.filter(|(most, _)| longest > *most) {
        return Some(Hindrance::SessionTooLong(rule, longest, most));
    }
    let total: Duration = sessions
        .iter()
        .map(|(from, until)| until.since(*from))
        .sum();
    let (most, rule) = permit.longest_day.filter(|(most, _)| total > *most)?;
    Some(Hindrance::DayTooLong(rule, total, most))
}

/// Spans joined to sessions, ascending.
fn sessions(mut spans: Vec<(Timestamp, Timestamp)>, gap: Duration) -> Vec<(Timestamp, Timestamp)> {
    spans.sort_unstable();
    let mut sessions: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, until) in spans {
        match sessions.last_mut() {
            Some((_, end)) if from < *end + gap => *end = (*end).max(until),
            _ => sessions.push((from, until)),
        }
    }
    sessions
}

/// The session in which something is heard at `at`.
pub(super) fn session_of(
    heard: &[(Timestamp, Timestamp)],
    at: Timestamp,
    gap: Duration,
) -> (Timestamp, Timestamp) {
    let all = sessions(heard.to_vec(), gap);
    all.into_iter()
        .find(|(from, until)| *from <= at && at <= *until)
        .unwrap_or((at, at))
}
