//! What an answer is held against.

use std::cell::OnceCell;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::{
    RecipeProblem, RecipeProblemKind, Scene,
    hope::sample,
    text::{Reading, Text},
};
use crate::{
    adapter::Response,
    domain::{
        detail::Detail,
        recipe::{self, Match, StatusRange},
    },
};

/// Conditions, read.
#[derive(Debug)]
pub(super) struct Condition {
    /// Empty for every status.
    pub(super) status: Vec<StatusRange>,
    pub(super) header: Vec<(String, Expect)>,
    pub(super) json: Vec<(String, Expect)>,
    pub(super) text: Option<Text>,
    pub(super) pattern: Option<Regex>,
    /// As the recipe has it.
    pub(super) given: Match,
}

/// What a header or a value has to be, read.
#[derive(Debug)]
pub(super) enum Expect {
    Text(Text),
    Pattern(Regex),
}

/// Where in an answer a value is, read.
#[derive(Debug)]
pub(super) enum Take {
    Json(String),
    Header(String),
    Cookie(String),
    /// What the first group that takes part matches.
    Pattern(Regex),
}

/// What stands in a condition for whatever is there.
pub(super) const ANYTHING: &str = "*";

/// The most that a regular expression may need, in bytes: many times what one for an answer is.
const PATTERN_SIZE: usize = 1024 * 1024;

/// An answer whose JSON is read when a condition first asks for it.
pub(super) struct Answer<'a> {
    pub(super) response: &'a Response,
    json: OnceCell<Option<Value>>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(response: &'a Response) -> Self {
        Self {
            response,
            json: OnceCell::new(),
        }
    }

    /// The same answer with an item of a list in the place of its JSON.
    pub(super) fn item(&self, item: &Value) -> Self {
        Self {
            response: self.response,
            json: OnceCell::from(Some(item.clone())),
        }
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub(super) fn text(&self) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(&self.response.body)
    }

    /// What a JSON pointer points at.
    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        let json = self
            .json
            .get_or_init(|| serde_json::from_slice(&self.response.body).ok());
        json.as_ref()?.pointer(pointer)
    }
}

impl Condition {
    /// Reads conditions in which no status means every status.
    pub(super) fn read(reading: &mut Reading, path: &str, given: &Match) -> Self {
        for pointer in given.json.keys() {
            check_pointer(reading, &format!("{path}.json.{pointer}"), pointer);
        }
        for name in given.header.keys() {
            check_header(reading, &format!("{path}.header.{name}"), name);
        }
        Self {
            status: given.status.clone(),
            header: given
                .header
                .iter()
                .filter_map(|(name, value)| {
                    let expect = Expect::read(reading, &format!("{path}.header.{name}"), value)?;
                    Some((name.to_ascii_lowercase(), expect))
                })
                .collect(),
            json: given
                .json
                .iter()
                .filter_map(|(pointer, value)| {
                    let expect = Expect::read(reading, &format!("{path}.json.{pointer}"), value)?;
                    Some((pointer.clone(), expect))
                })
                .collect(),
            text: given
                .text
                .as_ref()
                .map(|text| reading.text(&format!("{path}.text"), text)),
            pattern: given
                .pattern
                .as_ref()
                .and_then(|pattern| read_pattern(reading, &format!("{path}.pattern"), pattern)),
            given: given.clone(),
        }
    }

    /// Reads conditions in which no status means every success: an error page that happens to contain the right words
    /// is not a yes.
    pub(super) fn read_success(reading: &mut Reading, path: &str, given: &Match) -> Self {
        let mut condition = Self::read(reading, path, given);
        if condition.status.is_empty() {
            condition.status.push(StatusRange {
                low: 200,
                high: 299,
            });
        }
        condition
    }

    /// Whether only the status and headers count.
    pub(super) fn is_of_status(&self) -> bool {
        self.given.is_of_status()
    }

    /// Whether nothing but the status counts.
    pub(super) fn is_bare(&self) -> bool {
        self.header.is_empty() && self.is_of_status()
    }

    /// `None` when all conditions hold, else which one does not, with the status and without repeating either side's words.
    pub(super) fn mismatch(
        &self,
        answer: &Answer<'_>,
        scene: &Scene<'_>,
    ) -> Result<Option<Detail>, RecipeProblem> {
        let differs = self.mismatch_of_head(answer, scene)?;
        if differs.is_some() {
            return Ok(differs);
        }
        let differs = self.mismatch_of_fields(answer, scene)?;
        if differs.is_some() {
            return Ok(differs);
        }
        self.mismatch_of_text(answer, scene)
    }

    /// Whether one of the items of a list is what is wanted. What is asked of the whole answer is asked once, however many there are.
    pub(super) fn first_of<'v>(
        &self,
        items: impl IntoIterator<Item = &'v Value>,
        answer: &Answer<'_>,
        scene: &Scene<'_>,
    ) -> Result<Option<&'v Value>, RecipeProblem> {
        let is_other = self.mismatch_of_head(answer, scene)?.is_some()
            || self.mismatch_of_text(answer, scene)?.is_some();
        if is_other {
            return Ok(None);
        }
        for item in items {
            let of_item = answer.item(item);
            if self.mismatch_of_fields(&of_item, scene)?.is_none() {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// [`Condition::mismatch`] of status and headers.
    fn mismatch_of_head(
        &self,
        answer: &Answer<'_>,
        scene: &Scene<'_>,
    ) -> Result<Option<Detail>, RecipeProblem> {
        let status = answer.response.status;
        let differs = |code: &str| Detail::new(code).with("status", status);
        if !self.status.is_empty()
            && !self
                .status
                .iter()
                .any(|range| (range.low..=range.high).contains(&status))
        {
            return Ok(Some(differs("call-other-status")));
        }
        for (name, expected) in &self.header {
            let value = answer.response.headers.get(name);
            let holds = match value {
                None => false,
                Some(value) => expected.fits(&value, scene)?,
            };
            if !holds {
                return Ok(Some(differs("call-other-header").with("name", name)));
            }
        }
        Ok(None)
    }

    /// [`Condition::mismatch`] of the fields of its JSON.
    fn mismatch_of_fields(
        &self,
        answer: &Answer<'_>,
        scene: &Scene<'_>,
    ) -> Result<Option<Detail>, RecipeProblem> {
        let differs = |code: &str| Detail::new(code).with("status", answer.response.status);
        for (pointer, expected) in &self.json {
            let holds = match answer.at(pointer) {
                None => false,
                Some(Value::Null) => expected.fits_null(scene)?,
                Some(Value::String(text)) => expected.fits(text, scene)?,
                Some(other) => expected.fits(&other.to_string(), scene)?,
            };
            if !holds {
                return Ok(Some(differs("call-other-field").with("pointer", pointer)));
            }
        }
        Ok(None)
    }

    /// [`Condition::mismatch`] of its whole text.
    fn mismatch_of_text(
        &self,
        answer: &Answer<'_>,
        scene: &Scene<'_>,
    ) -> Result<Option<Detail>, RecipeProblem> {
        let differs = |code: &str| Detail::new(code).with("status", answer.response.status);
        if let Some(expected) = &self.text {
            let expected = scene.text(expected)?;
            if !answer.text().contains(expected.as_ref()) {
                return Ok(Some(differs("call-other-text")));
            }
        }
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(&answer.text())
        {
            return Ok(Some(differs("call-other-pattern")));
        }
        Ok(None)
    }

    pub(super) fn holds(
        &self,
        answer: &Answer<'_>,
        scene: &Scene<'_>,
    ) -> Result<bool, RecipeProblem> {
        Ok(self.mismatch(answer, scene)?.is_none())
    }

    /// Every text in it, for trials.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> {
        let pairs = self.header.iter().chain(&self.json);
        let expected = pairs.filter_map(|(_, expected)| match expected {
            Expect::Text(text) => Some(text),
            Expect::Pattern(_) => None,
        });
        expected.chain(&self.text)
    }
}

impl Expect {
    fn read(reading: &mut Reading, path: &str, given: &recipe::Expected) -> Option<Self> {
        Some(match given {
            recipe::Expected::Text(text) => Self::Text(reading.text(path, text)),
            recipe::Expected::Pattern(pattern) => {
                Self::Pattern(read_pattern(reading, &format!("{path}.pattern"), pattern)?)
            }
        })
    }

    fn fits(&self, value: &str, scene: &Scene<'_>) -> Result<bool, RecipeProblem> {
        Ok(match self {
            Self::Text(text) => {
                let text = scene.text(text)?;
                text == ANYTHING || text == value
            }
            Self::Pattern(pattern) => pattern.is_match(value),
        })
    }

    /// Whether JSON's `null` is what is expected: only where that is asked for by its name.
    fn fits_null(&self, scene: &Scene<'_>) -> Result<bool, RecipeProblem> {
        Ok(match self {
            Self::Text(text) => scene.text(text)? == "null",
            Self::Pattern(_) => false,
        })
    }
}

impl Take {
    pub(super) fn read(reading: &mut Reading, path: &str, given: &recipe::Take) -> Option<Self> {
        Some(match given {
            recipe::Take::Json(pointer) => {
                check_pointer(reading, path, pointer);
                Self::Json(pointer.clone())
            }
            recipe::Take::Header(name) => {
                check_header(reading, path, name);
                Self::Header(name.to_ascii_lowercase())
            }
            recipe::Take::Cookie(name) => Self::Cookie(name.clone()),
            recipe::Take::Pattern(pattern) => {
                let path = format!("{path}.pattern");
                let read = read_pattern(reading, &path, pattern)?;
                if !sample::has_group(pattern) {
                    reading.problem(&path, RecipeProblemKind::NoGroup(pattern.clone()));
                }
                Self::Pattern(read)
            }
        })
    }

    /// The value, where it is there.
    pub(super) fn from(&self, answer: &Answer<'_>) -> Option<Value> {
        match self {
            Self::Json(pointer) => answer.at(pointer).cloned(),
            Self::Header(name) => {
                let value = answer.response.headers.get(name)?;
                Some(Value::String(value.into_owned()))
            }
            Self::Cookie(name) => {
                // As a browser has it, the last one of a name counts.
                let set: Vec<_> = answer.response.headers.each("set-cookie").collect();
                let pairs = set.iter().rev().filter_map(|cookie| {
                    let pair = cookie.split(';').next()?;
                    pair.split_once('=')
                });
                let mut named = pairs.filter(|(known, _)| known.trim() == name);
                Some(Value::String(named.next()?.1.trim().to_owned()))
            }
            Self::Pattern(pattern) => {
                let text = answer.text();
                let found = pattern.captures(&text)?;
                let value = found.iter().skip(1).flatten().next()?;
                Some(Value::String(value.as_str().to_owned()))
            }
        }
    }

    /// What people call it: the recipe's own words.
    fn place(&self) -> &str {
        match self {
            Self::Json(pointer) => pointer,
            Self::Header(name) | Self::Cookie(name) => name,
            Self::Pattern(pattern) => pattern.as_str(),
        }
    }
}

/// All that is to be taken from an answer, or the first place at which nothing is.
pub(super) fn take_all<'t>(
    takes: &'t [(String, Take)],
    answer: &Answer<'_>,
) -> Result<Map<String, Value>, &'t str> {
    let mut taken = Map::new();
    for (name, take) in takes {
        let value = take.from(answer).ok_or_else(|| take.place())?;
        taken.insert(name.clone(), value);
    }
    Ok(taken)
}

/// Linear in the text whatever it says, so that no answer can keep us busy.
fn read_pattern(reading: &mut Reading, path: &str, pattern: &str) -> Option<Regex> {
    let read = RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build();
    if read.is_err() {
        reading.problem(path, RecipeProblemKind::Pattern(pattern.to_owned()));
    }
    read.ok()
}

/// What no header can be called never comes.
fn check_header(reading: &mut Reading, path: &str, name: &str) {
    if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        reading.problem(path, RecipeProblemKind::NoHeader(name.to_owned()));
    }
}

/// RFC 6901: empty, or parts that each begin with a slash, in which `~` is followed by 0 or 1.
pub(super) fn check_pointer(reading: &mut Reading, path: &str, pointer: &str) {
    let escapes = pointer
        .split('~')
        .skip(1)
        .all(|rest| rest.starts_with(['0', '1']));
    if !escapes || !(pointer.is_empty() || pointer.starts_with('/')) {
        reading.problem(path, RecipeProblemKind::Pointer(pointer.to_owned()));
    }
}
