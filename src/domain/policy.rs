//! The rules for what is heard: in which areas, over which period, on which days and hours, how many sessions and minutes,
//! who decided so, and for which priorities they do not hold.
//!
//! Where several rules hold, each counts for itself and all of them have to permit it; a refusal names the rule that refuses.
//! Without a rule nothing is forbidden.

mod amount;
mod judge;

use std::time::Duration;

use chrono::{NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;

use super::{
    bulletin::{Priority, Source},
    calendar::{clock, resolve},
    detail::Detail,
    id::{RuleId, WardId},
    time::{Timestamp, minutes_seconds},
    ward::Validity,
};

pub use amount::{SessionEnd, Span, Spoken, TooMuch};
pub use judge::Verdict;

/// A span of clock times on one day. `until` is not part of it; 24:00 is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// The beginning.
    pub from: NaiveTime,
    /// The end.
    pub until: Option<NaiveTime>,
}

/// Hours in which something may be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Days of the week.
    pub days: Vec<Weekday>,
    /// The hours.
    pub hours: Hours,
}

/// How much may be heard in an area. Broadcasts of an area with less than [`Sessions::gap`] between them are one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sessions {
    /// Sessions a day.
    pub per_day: Option<u32>,
    /// How long a session may last, from its beginning to its end.
    pub longest: Option<Duration>,
    /// How long all sessions of a day may last together.
    pub longest_day: Option<Duration>,
    /// What parts two sessions.
    pub gap: Duration,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            per_day: None,
            longest: None,
            longest_day: None,
            gap: Duration::from_mins(10),
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its key in its file.
    pub id: RuleId,
    /// What people call it.
    pub name: String,
    /// Who decided so.
    pub document: Source,
    /// What the deciding document says besides, for people: noise limits, hospitals.
    pub note: Option<String>,
    /// Where it holds; everywhere if it is empty.
    pub wards: Vec<WardId>,
    /// Not there.
    pub except: Vec<WardId>,
    /// When it holds.
    pub valid: Validity,
    /// The hours in which something may be heard; `None` where the rule does not say. On a day without a window nothing may.
    pub windows: Option<Vec<Window>>,
    /// Hours in which nothing may be heard, on every day. May reach over midnight: then `until` is before `from`.
    pub quiet: Vec<Hours>,
    /// How much may be heard.
    pub sessions: Sessions,
    /// The priorities for which it does not hold.
    pub exempt: Vec<Priority>,
}

impl Rule {
    /// The detail of what the rule refuses, or would: `code` with what people call the rule and who decided so.
    #[must_use]
    pub fn refusal(&self, code: &str) -> Detail {
        Detail::new(code)
            .with("rule", &self.name)
            .with("document", &self.document)
    }

    /// Whether it holds in `ward` on `day`.
    #[must_use]
    pub fn holds(&self, ward: &WardId, day: NaiveDate) -> bool {
        self.valid.contains(day) && self.covers(ward)
    }

    /// Whether it holds in `ward` on the days on which it holds.
    #[must_use]
    pub fn covers(&self, ward: &WardId) -> bool {
        (self.wards.is_empty() || self.wards.contains(ward)) && !self.except.contains(ward)
    }
}

/// All rules.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policy {
    /// In the order of their file.
    pub rules: Vec<Rule>,
}

/// What the rules leave of one day in one ward, for one priority.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Permit<'p> {
    /// Where something may be heard, ascending and apart.
    pub open: Vec<Open<'p>>,
    /// Which rule closes the rest of the day, and from when to when.
    pub closed: Vec<Closed<'p>>,
    /// The most sessions.
    pub sessions: Option<(u32, &'p Rule)>,
    /// The longest session.
    pub longest: Option<(Duration, &'p Rule)>,
    /// The longest day.
    pub longest_day: Option<(Duration, &'p Rule)>,
    /// The longest gap that one of them wants between two sessions. Each counts with its own.
    pub gap: Duration,
    /// The rule that wants it.
    pub gap_of: Option<&'p Rule>,
    /// The rules that limit how much is heard.
    pub amounts: Vec<&'p Rule>,
}

/// A span in which something may be heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Open<'p> {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end, which is not part of it.
    pub until: Timestamp,
    /// The rule that ends it; `None` where only the day ends.
    pub ends: Option<&'p Rule>,
}

/// A span in which nothing may be heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Closed<'p> {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// The rule that says so.
    pub rule: &'p Rule,
}

impl Policy {
    /// The rules that hold in `ward` on `day`.
    pub fn in_force(&self, ward: &WardId, day: NaiveDate) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.holds(ward, day))
    }

    /// What may be heard in `ward` on `day` of `zone`, with `priority`.
    #[must_use]
    pub fn permit(
        &self,
        ward: &WardId,
        day: NaiveDate,
        zone: Tz,
        priority: Priority,
    ) -> Permit<'_> {
        let begin = midnight(day, zone);
        let end = day.succ_opt().map_or(begin, |next| midnight(next, zone));
        let mut permit = Permit::default();
        let bound = self.in_force(ward, day);
        for rule in bound.filter(|rule| !rule.exempt.contains(&priority)) {
            let closed = rule.closed(day, zone, begin, end);
            permit
                .closed
                .extend(closed.map(|(from, until)| Closed { from, until, rule }));
            let Sessions {
                per_day,
                longest,
                longest_day,
                gap,
            } = rule.sessions;
            strictest(&mut permit.sessions, per_day, rule);
            strictest(&mut permit.longest, longest, rule);
            strictest(&mut permit.longest_day, longest_day, rule);
            if rule.limits_amounts() {
                if gap > permit.gap {
                    (permit.gap, permit.gap_of) = (gap, Some(rule));
                }
                permit.amounts.push(rule);
            }
        }
        permit
            .closed
            .sort_by_key(|closed| (closed.from, closed.until));
        let mut at = begin;
        for closed in &permit.closed {
            if at < closed.from {
                permit.open.push(Open {
                    from: at,
                    until: closed.from,
                    ends: Some(closed.rule),
                });
            }
            at = at.max(closed.until);
        }
        if at < end {
            permit.open.push(Open {
                from: at,
                until: end,
                ends: None,
            });
        }
        permit
    }
}

impl<'p> Permit<'p> {
    /// The rule that keeps `[from, until)` from being heard: the first that closes a part of it.
    #[must_use]
    pub fn refuses(&self, from: Timestamp, until: Timestamp) -> Option<&Closed<'p>> {
        self.closed
            .iter()
            .find(|closed| closed.from < until && from < closed.until)
    }

    /// Goes on with what the rules leave of the day after: hours that touch at midnight are one span. The amounts stay those
    /// of the first day.
    #[must_use]
    pub fn followed_by(mut self, next: Self) -> Self {
        let mut open = next.open.into_iter().peekable();
        if let Some(last) = self.open.last_mut().filter(|last| last.ends.is_none()) {
            match open.next_if(|first| first.from == last.until) {
                Some(first) => (last.until, last.ends) = (first.until, first.ends),
                None => last.ends = next.closed.first().map(|closed| closed.rule),
            }
        }
        self.open.extend(open);
        self.closed.extend(next.closed);
        self
    }
}

impl Rule {
    /// The detail of what begins or ends outside its hours.
    #[must_use]
    pub fn outside(&self, from: Timestamp, until: Timestamp, zone: Tz) -> Detail {
        self.refusal("outside-hours")
            .with("from", clock(from, zone))
            .with("until", clock(until, zone))
    }

    /// The detail of what could not be over before `over`, when its hours end.
    #[must_use]
    pub fn hours_end(&self, over: Timestamp, zone: Tz) -> Detail {
        self.refusal("hours-end").with("over", clock(over, zone))
    }

    /// The detail of a session of that `length` where at most `longest` is permitted.
    #[must_use]
    pub fn too_long(&self, length: Duration, longest: Duration) -> Detail {
        self.refusal("session-too-long")
            .with("length", minutes_seconds(length))
            .with("longest", minutes_seconds(longest))
    }

    /// The spans of a day in which the rule forbids everything.
    fn closed(
        &self,
        day: NaiveDate,
        zone: Tz,
        begin: Timestamp,
        end: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let at = |time: NaiveTime| resolve(day.and_time(time), zone);
        let until = |time: Option<NaiveTime>| time.map_or(end, at);
        let mut closed = Vec::new();
        if let Some(windows) = &self.windows {
            let weekday = chrono::Datelike::weekday(&day);
            let mut open: Vec<(Timestamp, Timestamp)> = windows
                .iter()
                .filter(|window| window.days.contains(&weekday))
                .map(|window| (at(window.hours.from), until(window.hours.until)))
                .collect();
            open.sort_unstable();
            let mut from = begin;
            for (opens, closes) in open {
                closed.push((from, opens));
                from = from.max(closes);
            }
            closed.push((from, end));
        }
        for quiet in &self.quiet {
            let (from, ends) = (at(quiet.from), until(quiet.until));
            if quiet.until.is_some_and(|time| time <= quiet.from) {
                closed.extend([(begin, ends), (from, end)]);
            } else {
                closed.push((from, ends));
            }
        }
        closed.into_iter().filter(|(from, until)| from < until)
    }
}

fn strictest<'p, T: PartialOrd>(
    held: &mut Option<(T, &'p Rule)>,
    wanted: Option<T>,
    rule: &'p Rule,
) {
    if let Some(wanted) = wanted
        && held.as_ref().is_none_or(|(held, _)| wanted < *held)
    {
        *held = Some((wanted, rule));
    }
}

pub(super) fn midnight(day: NaiveDate, zone: Tz) -> Timestamp {
    resolve(day.and_time(NaiveTime::MIN), zone)
}
