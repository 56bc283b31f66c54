//! Rules for what is heard, each by itself and all of them together: that they hold somewhere, say something, and leave open
//! what they seem to leave open.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};
use chrono_tz::Tz;

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase},
    domain::{
        bulletin::Priority,
        calendar::resolve,
        id::WardId,
        policy::{Policy, Rule, Window},
        time::{Timestamp, format_duration},
        ward::Validity,
        workspace::Workspace,
    },
    source::{
        notebook::{Named, Notebook},
        raw::policy::RawRule,
    },
};

/// Some Monday: rules that hold without a beginning are looked at from there.
const SOME_MONDAY: NaiveDate = NaiveDate::from_ymd_opt(2024, 1, 1).expect("a date");

pub(super) fn check(notebook: &Notebook, workspace: &Workspace, rules: &[RawRule]) {
    // Of rules that are half read nobody knows what they say and leave open.
    let is_whole = rules
        .first()
        .is_some_and(|raw| !notebook.has_errors_in(raw.at.file.path()))
        && !notebook.has_gap(Named::Ward);
    for raw in rules {
        overlapping(notebook, raw);
        outgrown(notebook, raw);
        if is_whole {
            says_nothing(notebook, raw);
            holds_nowhere(notebook, workspace, raw);
        }
    }
    if is_whole {
        nothing_open(notebook, workspace, rules);
    }
}

/// A rule that forbids nothing, to anybody.
fn says_nothing(notebook: &Notebook, raw: &RawRule) {
    let rule = &raw.rule;
    let exempts_all = Priority::ALL
        .iter()
        .all(|priority| rule.exempt.contains(priority));
    let help = if exempts_all {
        "L200-help-exempt"
    } else if rule.windows.is_none() && rule.quiet.is_empty() && !rule.limits_amounts() {
        "L200-help"
    } else {
        return;
    };
    notebook.report(Diagnostic::new(Code::RuleSaysNothing, raw.at.clone()).help(Phrase::new(help)));
}

/// A rule for areas that are all taken out again, or that do not exist on its days; and one for the city as an area, which is
/// seldom what somebody means.
fn holds_nowhere(notebook: &Notebook, workspace: &Workspace, raw: &RawRule) {
    let (rule, city) = (&raw.rule, &workspace.settings.city.id);
    let Some(at) = &raw.wards else { return };
    let areas = workspace.wards.values().chain([&workspace.settings.city]);
    let anywhere = areas.into_iter().any(|ward| {
        (rule.wards.is_empty() || rule.wards.contains(&ward.id))
            && !rule.except.contains(&ward.id)
            && meet(rule.valid, ward.valid)
    });
    if !anywhere {
        notebook
            .report(Diagnostic::new(Code::HoldsNowhere, at.clone()).help(Phrase::new("L202-help")));
    } else if rule.wards.contains(city) {
        notebook.report(
            Diagnostic::new(Code::CityAlone, at.clone())
                .with("city", city.as_str())
                .help(Phrase::new("L207-help")),
        );
    }
}

fn meet(one: Validity, other: Validity) -> bool {
    let ends_before = |one: Validity, other: Validity| matches!((one.until, other.from), (Some(until), Some(from)) if until < from);
    !ends_before(one, other) && !ends_before(other, one)
}

/// Two windows of one day that have hours in common.
fn overlapping(notebook: &Notebook, raw: &RawRule) {
    let windows: Vec<_> = raw
        .rule
        .windows
        .iter()
        .flatten()
        .zip(&raw.windows)
        .collect();
    let ends_after =
        |one: &Window, other: &Window| one.hours.until.is_none_or(|until| other.hours.from < until);
    for (index, (window, at)) in windows.iter().enumerate() {
        let first = windows[..index].iter().find(|(other, _)| {
            other.days.iter().any(|day| window.days.contains(day))
                && ends_after(window, other)
                && ends_after(other, window)
        });
        if let Some((_, first)) = first {
            notebook.report(
                Diagnostic::new(Code::OverlappingWindows, (*at).clone())
                    .help(Phrase::new("L203-help"))
                    .note((*first).clone(), Phrase::new("note-first")),
            );
        }
    }
}

/// Sessions that may last longer than any window is open.
fn outgrown(notebook: &Notebook, raw: &RawRule) {
    let (Some(longest), Some(at), Some(windows)) =
        (raw.rule.sessions.longest, &raw.longest, &raw.rule.windows)
    else {
        return;
    };
    let widest = windows.iter().map(|window| {
        let begin = SOME_MONDAY.and_time(window.hours.from);
        let end = window.hours.until.map_or_else(
            || (SOME_MONDAY + Days::new(1)).and_time(chrono::NaiveTime::MIN),
            |until| SOME_MONDAY.and_time(until),
        );
        (end - begin).to_std().unwrap_or_default()
    });
    if let Some(widest) = widest.max().filter(|widest| *widest < longest) {
        notebook.report(
            Diagnostic::new(Code::SessionOutgrowsWindows, at.clone())
                .with("longest", format_duration(longest))
                .with("widest", format_duration(widest))
                .help(Phrase::new("L206-help")),
        );
    }
}

/// Days on each of which other rules begin or end to hold than on the day before; rules change on no other day.
pub(super) fn turning_days<'r>(rules: impl Iterator<Item = &'r Rule>) -> BTreeSet<NaiveDate> {
    let mut days = BTreeSet::from([SOME_MONDAY]);
    for rule in rules {
        days.extend(rule.valid.from);
        days.extend(rule.valid.until.and_then(|until| until.succ_opt()));
    }
    days
}

/// The areas in which the same rules hold on `day`, by those rules' places in `policy`.
pub(super) fn areas<'w>(
    policy: &Policy,
    wards: impl Iterator<Item = &'w WardId>,
    day: NaiveDate,
) -> BTreeMap<Vec<usize>, Vec<&'w WardId>> {
    let mut areas: BTreeMap<Vec<usize>, Vec<&WardId>> = BTreeMap::new();
    for ward in wards {
        let held = policy.rules.iter().enumerate();
        let held = held.filter(|(_, rule)| rule.holds(ward, day));
        areas
            .entry(held.map(|(index, _)| index).collect())
            .or_default()
            .push(ward);
    }
    areas
}

/// Windows that other hours close altogether, and areas in which nothing may ever be heard.
fn nothing_open(notebook: &Notebook, workspace: &Workspace, rules: &[RawRule]) {
    let mut open_windows: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut closed_by: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut closed_areas: BTreeMap<Vec<usize>, &WardId> = BTreeMap::new();
    let city = &workspace.settings.city.id;
    let mut seen = BTreeSet::new();
    for day in turning_days(workspace.policy.rules.iter()) {
        let wards = workspace.wards.keys().chain([city]);
        for (held, wards) in areas(&workspace.policy, wards, day) {
            if !seen.insert(held.clone()) {
                continue;
            }
            let week = Week::of(&workspace.policy, &held);
            if week.is_closed() && !week.is_meant() {
                closed_areas.entry(held.clone()).or_insert(wards[0]);
            }
            for (rule, place) in held.iter().zip(0..) {
                let windows = workspace.policy.rules[*rule].windows.iter().flatten();
                for (index, window) in windows.enumerate() {
                    match week.closes(place, window) {
                        None => {
                            open_windows.insert((*rule, index));
                        }
                        Some(other) => {
                            closed_by.insert((*rule, index), held[other]);
                        }
                    }
                }
            }
        }
    }
    let mut explained = BTreeSet::new();
    for ((rule, index), other) in closed_by {
        if open_windows.contains(&(rule, index)) {
            continue;
        }
        explained.insert(rule);
        let Some(at) = rules[rule].windows.get(index) else {
            continue;
        };
        notebook.report(
            Diagnostic::new(Code::NeverOpen, at.clone())
                .with("rule", rules[other].rule.name.as_str())
                .help(Phrase::new("L204-help"))
                .note(rules[other].at.clone(), Phrase::new("note-rule")),
        );
    }
    for (held, ward) in closed_areas {
        if held.iter().any(|rule| explained.contains(rule)) {
            continue;
        }
        let Some(last) = held.last() else { continue };
        let ids = held.iter().map(|rule| rules[*rule].rule.id.to_string());
        notebook.report(
            Diagnostic::new(Code::NothingOpen, rules[*last].at.clone())
                .with("ward", ward.as_str())
                .with("rules", Arg::Names(ids.collect()))
                .help(Phrase::new("L205-help")),
        );
    }
}

/// A week without clock changes in which some rules hold.
struct Week {
    /// Those rules, holding everywhere and always.
    policy: Policy,
    ward: WardId,
}

impl Week {
    fn of(policy: &Policy, held: &[usize]) -> Self {
        let rules = held.iter().map(|index| Rule {
            wards: Vec::new(),
            except: Vec::new(),
            valid: Validity::default(),
            ..policy.rules[*index].clone()
        });
        Self {
            policy: Policy {
                rules: rules.collect(),
            },
            ward: WardId::parse("x").expect("a letter is an id"),
        }
    }

    fn days() -> impl Iterator<Item = NaiveDate> {
        SOME_MONDAY.iter_days().take(7)
    }

    /// Whether nothing of the least urgent sort may ever be heard.
    fn is_closed(&self) -> bool {
        Self::days().all(|day| {
            let permit = self
                .policy
                .permit(&self.ward, day, Tz::UTC, Priority::Normal);
            permit.open.is_empty()
        })
    }

    /// Whether a rule says in so many words that nothing may be heard.
    fn is_meant(&self) -> bool {
        self.policy
            .rules
            .iter()
            .any(|rule| rule.windows.as_ref().is_some_and(Vec::is_empty))
    }

    /// Which rule closes a window of the rule at `place`; `None` where something of it is left. Rather one that closes it by
    /// itself than one of several that do so together.
    fn closes(&self, place: usize, window: &Window) -> Option<usize> {
        if !self.closes_all(&self.policy, window) {
            return None;
        }
        let alone = self.policy.rules.iter().position(|rule| {
            let alone = Policy {
                rules: vec![rule.clone()],
            };
            self.closes_all(&alone, window)
        });
        alone.or_else(|| (0..self.policy.rules.len()).find(|other| *other != place))
    }

    fn closes_all(&self, policy: &Policy, window: &Window) -> bool {
        let mut days = Self::days().filter(|day| window.days.contains(&day.weekday()));
        days.all(|day| {
            let permit = policy.permit(&self.ward, day, Tz::UTC, Priority::Normal);
            let from = resolve(day.and_time(window.hours.from), Tz::UTC);
            let until = window.hours.until.map_or_else(
                || Timestamp::from_micros(i64::MAX),
                |until| resolve(day.and_time(until), Tz::UTC),
            );
            let mut open = permit.open.iter();
            !open.any(|open| open.from < until && from < open.until)
        })
    }
}
