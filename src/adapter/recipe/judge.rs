//! What an answer is held against.

use std::cell::OnceCell;

use serde_json::Value;

use super::{
    RecipeProblem, RecipeProblemKind, Scene,
    text::{Reading, Text},
};
use crate::{
    adapter::Response,
    domain::{
        detail::Detail,
        recipe::{Match, StatusRange},
    },
};

/// Conditions, read.
#[derive(Debug)]
pub(super) struct Condition {
    /// Empty for every status.
    status: Vec<StatusRange>,
    header: Vec<(String, Text)>,
    json: Vec<(String, Text)>,
    text: Option<Text>,
}

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
        Self {
            status: given.status.clone(),
            header: given
                .header
                .iter()
                .map(|(name, value)| {
                    (
                        name.to_ascii_lowercase(),
                        reading.text(&format!("{path}.header.{name}"), value),
                    )
                })
                .collect(),
            json: given
                .json
                .iter()
                .map(|(pointer, value)| {
                    (
                        pointer.clone(),
                        reading.text(&format!("{path}.json.{pointer}"), value),
                    )
                })
                .collect(),
            text: given
                .text
                .as_ref()
                .map(|text| reading.text(&format!("{path}.text"), text)),
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

    /// `None` when all conditions hold, else which one does not, with the status and without repeating either side's words.
    pub(super) fn mismatch(
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
            let expected = scene.text(expected)?;
            if answer
                .response
                .headers
                .get(name)
                .is_none_or(|value| *value != expected)
            {
                return Ok(Some(differs("call-other-header").with("name", name)));
            }
        }
        for (pointer, expected) in &self.json {
            let expected = scene.text(expected)?;
            let holds = match answer.at(pointer) {
                None => false,
                Some(value) if expected == "*" => !value.is_null(),
                Some(Value::String(text)) => *text == expected,
                Some(other) => other.to_string() == expected,
            };
            if !holds {
                return Ok(Some(differs("call-other-field").with("pointer", pointer)));
            }
        }
        if let Some(expected) = &self.text {
            let expected = scene.text(expected)?;
            if !String::from_utf8_lossy(&answer.response.body).contains(expected.as_ref()) {
                return Ok(Some(differs("call-other-text")));
            }
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
        let pairs = self.header.iter().chain(&self.json).map(|(_, text)| text);
        pairs.chain(&self.text)
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
