//! Which decides where an answer fits a line of `errors` and is what was hoped for as well.
//!
//! What somebody has listed as a no may never be taken for a yes, so the line decides. But "any other success is a no" is also a
//! line, and fits every yes: `{ status: 2xx, then: reject }` under `accepted: { json: { /code: "0" } }`. Such a line would leave
//! nothing to be accepted, so it can only mean the rest, and what is hoped for decides.

use regex::Regex;

use super::{
    hope::sample,
    judge::{ANYTHING, Condition},
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
