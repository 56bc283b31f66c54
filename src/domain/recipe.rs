//! Recipes: adapters written as data. `crate::adapter::recipe` makes them act.
//!
//! Every text in a request or a condition is a template over `message`, `channel`, `with`, `value` and `found`.

use std::collections::BTreeMap;

use super::id::RecipeId;

/// An adapter as data.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The stem of its file.
    pub id: RecipeId,
    /// What it connects to.
    pub title: String,
    /// What a channel has to fill in.
    pub parameters: BTreeMap<String, ParameterSpec>,
    /// Named values worked out before the request, in this order; each may use those before it.
    pub values: Vec<(String, Value)>,
    /// "Is it already there?"
    pub find: Option<Find>,
    /// The request that sends.
    pub request: RequestSpec,
    /// The request that tells the device to stop what it is playing: made before an emergency is sent to it.
    pub stop: Option<RequestSpec>,
    /// What counts as accepted.
    pub accepted: Accepted,
    /// What other answers mean; the first match decides.
    pub errors: Vec<ErrorRule>,
    /// The question that shows whether the channel is alive, without any effect on it.
    pub probe: Option<Probe>,
}

/// One parameter of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParameterSpec {
    /// For the integrator.
    pub about: Option<String>,
    /// Taken when a channel does not say.
    pub default: Option<String>,
    /// Whether channels must give it as a reference to a secret.
    pub secret: bool,
}

/// A value worked out from templates.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A JSON tree written out as text; its leaves are templates (see [`Body::Json`]).
    Json(serde_json::Value),
}

/// A request as templates.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestSpec {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The full address.
    pub url: String,
    /// Headers by name.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Body,
}

/// A body as templates.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// A JSON tree. Texts in it are templates and come out as JSON strings. A map with the single key `$json` comes out
    /// as a string that holds its value's JSON, `$base64` as a string that holds the base64 of its value's text or
    /// JSON, `$number` as the number its template's text spells.
    Json(serde_json::Value),
    /// `application/x-www-form-urlencoded` fields.
    Form(BTreeMap<String, String>),
    /// Plain text, UTF-8.
    Text(String),
    /// The sound of the message, with its media type. The channel has to want one.
    Audio,
    /// `multipart/form-data` parts by field name.
    Multipart(BTreeMap<String, Part>),
}

/// One part of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its content.
    pub value: String,
    /// Its file name, which makes it a file for the receiver.
    pub filename: Option<String>,
    /// Its media type.
    pub media_type: Option<String>,
}

/// Conditions on an answer; all that are given must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Match {
    /// One of these.
    pub status: Vec<StatusRange>,
    /// Headers that have exactly this value (names in any case).
    pub header: BTreeMap<String, String>,
    /// JSON pointers (RFC 6901) to their expected text; `*` means present and not null. Numbers and booleans compare by
    /// how JSON writes them.
    pub json: BTreeMap<String, String>,
    /// A text that the body contains.
    pub text: Option<String>,
}

/// Statuses from `low` to `high`, both included: `200` or `2xx` in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRange {
    /// The lowest.
    pub low: u16,
    /// The highest.
    pub high: u16,
}

impl StatusRange {
    /// Reads `200` or `2xx`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(class) = text.strip_suffix("xx") {
            let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
            return Some(Self {
                low: class * 100,
                high: class * 100 + 99,
            });
        }
        let status = text
            .parse()
            .ok()
            .filter(|status| (100..=599).contains(status))?;
        Some(Self {
            low: status,
            high: status,
        })
    }
}

/// What counts as accepted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Accepted {
    /// The conditions; without any, every 2xx.
    pub when: Match,
    /// A JSON pointer to the receiver's own reference, kept as evidence.
    pub receipt: Option<String>,
}

/// What an answer means that is not accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorRule {
    /// The conditions.
    pub when: Match,
    /// The meaning.
    pub then: Verdict,
}

/// The meaning of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It did not happen; trying again may help.
    Retry,
    /// The answer is no.
    Reject,
    /// It may have happened.
    Unknown,
}

/// "Is it already there?"
#[derive(Debug, Clone, PartialEq)]
pub struct Find {
    /// Whether to ask before every attempt or only before a repeated one.
    pub always: bool,
    /// The question.
    pub request: RequestSpec,
    /// The answer that means yes.
    pub found: Match,
    /// The answer that means no.
    pub absent: Match,
    /// Values taken from the answer by JSON pointer, for `found.<name>`.
    pub take: BTreeMap<String, String>,
    /// Sent instead of the recipe's request when it is there; without it, being there is being accepted.
    pub update: Option<RequestSpec>,
}

/// "Are you alive?"
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The question; it must have no effect.
    pub request: RequestSpec,
    /// The answer that means yes.
    pub healthy: Match,
}
