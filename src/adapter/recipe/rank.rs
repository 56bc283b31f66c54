//! Which decides where an answer fits a line of `errors` and is what was hoped for as well.
//!
//! What somebody has listed as a no may never be taken for a yes, so the line decides. But "any other success is a no" is also a
//! line, and fits every yes: `{ status: 2xx, then: reject }` under `accepted: { json: { /code: "0" } }`. Such a line would leave
//! nothing to be accepted, so it can only mean the rest, and what is hoped for decides.

use std::ops::RangeInclusive;

use regex::Regex;

use super::{
    compile::CompiledRecipe,
    hope::sample,
    judge::{ANYTHING, Condition},
    parts::Rule,
};
use crate::domain::recipe::{Expected, Match, StatusRange};

impl Condition {
    /// Whether this line of `errors` means the rest beside `hoped`: everything that is hoped for with this status fits it too.
    pub(super) fn is_rest_of(&self, hoped: &Self, status: u16) -> bool {
        let has = |range: &&StatusRange| (range.low..=range.high).contains(&status);
        let mut hoped_for = hoped.status.iter().filter(has);
        let is_wide = self.status.is_empty() || hoped_for.any(|range| self.covers(*range));
        is_wide && asks_no_more(&self.given, &hoped.given)
    }

    /// The same for any status that is hoped for.
    pub(super) fn is_rest(&self, hoped: &Self) -> bool {
        let mut hoped_for = hoped.status.iter();
        let is_wide = self.status.is_empty() || hoped_for.any(|range| self.covers(*range));
        is_wide && asks_no_more(&self.given, &hoped.given)
    }

    /// Whether its statuses have the usual one of a range that is hoped for, which is the lowest: `200` of `2xx`.
    fn covers(&self, range: StatusRange) -> bool {
        let mut own = self.status.iter();
        own.any(|own| (own.low..=own.high).contains(&range.low))
    }
}

impl CompiledRecipe {
    /// Where the lines of `errors` stand that never decide anything, because lines before them do so for every answer that fits them.
    #[must_use]
    pub fn idle_lines(&self) -> Vec<String> {
        let sought = self.steps.iter().filter_map(|step| step.find.as_ref());
        let sought = sought.chain(&self.find);
        let mut hoped = vec![&self.accepted];
        hoped.extend(self.steps.iter().map(|step| &step.accepted));
        hoped.extend(sought.flat_map(|find| [&find.found, &find.absent]));
        let steps = self.steps.iter();
        idle_among(&self.errors, &hoped)
            .chain(steps.flat_map(|step| idle_among(&step.errors, &hoped)))
            .map(str::to_owned)
            .collect()
    }
}

/// The lines that decide nothing, whatever of `hoped` an answer is held against.
fn idle_among<'l>(lines: &'l [Rule], hoped: &[&Condition]) -> impl Iterator<Item = &'l str> {
    // A line that means the rest leaves what is hoped for to those behind it.
    let decides = |line: &Condition, status: u16| {
        let is_rest =
            |hoped: &&Condition| has(&hoped.status, status) && line.is_rest_of(hoped, status);
        has(&line.status, status) && !hoped.iter().any(is_rest)
    };
    let is_idle = |(index, line): &(usize, &'l Rule)| {
        let before = lines[..*index].iter().map(|earlier| &earlier.when);
        let wider: Vec<_> = before
            .filter(|earlier| surely_fits(&earlier.given, &line.when.given))
            .collect();
        let mut statuses = STATUSES.filter(|status| has(&line.when.status, *status));
        statuses.all(|status| wider.iter().any(|earlier| decides(earlier, status)))
    };
    let idle: Vec<_> = lines.iter().enumerate().filter(is_idle).collect();
    idle.into_iter().map(|(_, line)| line.path.as_str())
}

/// Every status that an answer can have.
const STATUSES: RangeInclusive<u16> = 100..=599;

/// Whether a condition lets this status be: one that names none lets every one.
fn has(ranges: &[StatusRange], status: u16) -> bool {
    let is_in = |range: &StatusRange| (range.low..=range.high).contains(&status);
    ranges.is_empty() || ranges.iter().any(is_in)
}

/// Whether every answer that fits `line` fits `wider`, whatever the status. In doubt not: what a regular expression matches is not
/// weighed against another.
fn surely_fits(wider: &Match, line: &Match) -> bool {
    if wider.pattern.is_some() && wider.pattern != line.pattern {
        return false;
    }
    let is_null = |value: &Expected| *value == Expected::Text("null".to_owned());
    let plain = |of: &Match| Match {
        pattern: None,
        ..of.clone()
    };
    // `*` is anything but null.
    !line.json.values().any(is_null) && asks_no_more(&plain(wider), &plain(line))
}

/// Whether an answer with all that `hoped` names also has all that `line` names, whatever the status. Of a regular expression that is
/// hoped for, the plainest text that it matches counts.
fn asks_no_more(line: &Match, hoped: &Match) -> bool {
    let headers = line.header.iter().all(|(name, wanted)| {
        let mut same = hoped.header.iter();
        same.any(|(known, has)| known.eq_ignore_ascii_case(name) && follows(wanted, has))
    });
    let values = line.json.iter().all(|(pointer, wanted)| {
        let below = format!("{pointer}/");
        let is_any = *wanted == Expected::Text(ANYTHING.to_owned());
        hoped.json.iter().any(|(known, has)| {
            (known == pointer && follows(wanted, has)) || (is_any && known.starts_with(&below))
        })
    });
    let plainest = hoped.pattern.as_deref().and_then(sample::of);
    let words = || hoped.text.iter().chain(&plainest);
    let text = line.text.as_ref().is_none_or(|text| {
        let names = hoped
            .json
            .keys()
            .filter_map(|pointer| pointer.rsplit('/').next());
        words().any(|words| words.contains(text))
            || names
                .into_iter()
                .any(|name| format!("\"{name}\"").contains(text))
    });
    let pattern = line.pattern.as_ref().is_none_or(|pattern| {
        hoped.pattern.as_ref() == Some(pattern)
            || Regex::new(pattern).is_ok_and(|read| words().any(|words| read.is_match(words)))
    });
    headers && values && text && pattern
}

/// Whether what is `has` is also `wanted`.
fn follows(wanted: &Expected, has: &Expected) -> bool {
    match (wanted, has) {
        (Expected::Text(wanted), _) if wanted == ANYTHING => true,
        (Expected::Pattern(pattern), Expected::Text(text)) => {
            !text.contains("{{") && Regex::new(pattern).is_ok_and(|read| read.is_match(text))
        }
        (wanted, has) => wanted == has,
    }
}
