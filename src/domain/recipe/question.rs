//! The questions of a recipe: whether it is there already, and whether the channel is alive.

use std::collections::BTreeMap;

use super::{Match, RequestSpec, Take};

/// "Is it already there?"
#[derive(Debug, Clone, PartialEq)]
pub struct Find {
    /// Whether to ask before every attempt or only before a repeated one.
    pub always: bool,
    /// The question.
    pub request: RequestSpec,
    /// A JSON pointer to a list in the answer. Where it is given, `json` in `found`, and `take`, are about an item of that list:
    /// the first for which `found` holds.
    pub list: Option<String>,
    /// The answer that means yes.
    pub found: Match,
    /// The answer that means no.
    pub absent: Match,
    /// Whether to turn the page while it is neither found nor absent. `{{ page }}` counts from 1.
    pub pages: Option<Pages>,
    /// Values taken from the answer, for `found.<name>`.
    pub take: BTreeMap<String, Take>,
    /// Sent instead of the recipe's request when it is there; without it, being there is being accepted.
    pub update: Option<RequestSpec>,
}

/// A list that comes in pages.
#[derive(Debug, Clone, PartialEq)]
pub struct Pages {
    /// How the page is turned.
    pub turn: Turn,
    /// How many are looked through at most; then it is an error, because what comes after could be ours.
    pub most: u16,
}

/// How a page is turned.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// The same question with the next number for `page`, after an answer like this.
    Number(Match),
    /// The same question at the address that the answer gives. One that gives none is the last page.
    Address(Next),
}

/// Where an answer gives the address of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Where it is.
    pub take: Take,
    /// Of links in a header (RFC 8288), the one with this relation.
    pub rel: Option<String>,
}

/// "Are you alive?"
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The question; it must have no effect.
    pub request: RequestSpec,
    /// The answer that means yes.
    pub healthy: Match,
}
