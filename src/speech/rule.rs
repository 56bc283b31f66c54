//! The rules, in the order in which they are asked. A name stays what it is: `--explain` and JSON show it.
//!
//! Each concern has a file here. A rule looks at the token in hand and, where it knows what stands there, says how many
//! tokens it takes and how they are spoken.

mod abbreviation;
mod address;
mod clock;
mod compound;
mod context;
mod dashed;
mod date;
mod document;
mod fraction;
mod hidden;
mod identifier;
mod impossible;
mod letter;
mod markup;
mod month;
mod oclock;
mod person;
mod plate;
mod position;
mod quantity;
mod roman;
mod sense;
mod share;
mod sign;
mod span;
mod sum;
mod symbol;
mod telephone;
mod typed;
mod unit;
mod weekday;
mod word;

use super::{ProblemKind, scene::Scene};

/// The region's words for numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Voice {
    /// Between hundreds and units.
    pub linh: &'static str,
    /// A thousand.
    pub nghin: &'static str,
}

/// What a rule says.
#[derive(Debug)]
pub(super) struct Said {
    /// How many tokens it takes, from the one in hand.
    pub tokens: usize,
    /// What is spoken; nothing for what is left out.
    pub text: String,
    /// What is wrong with it, all the same.
    pub problem: Option<ProblemKind>,
}

impl Said {
    fn new(tokens: usize, text: impl Into<String>) -> Self {
        Self {
            tokens,
            text: text.into(),
            problem: None,
        }
    }

    fn wrong(tokens: usize, text: impl Into<String>, problem: ProblemKind) -> Self {
        Self {
            tokens,
            text: text.into(),
            problem: Some(problem),
        }
    }
}

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// Its name.
    pub name: &'static str,
    /// What it makes of a place.
    pub apply: fn(&Scene<'_>) -> Option<Said>,
}

const fn rule(name: &'static str, apply: fn(&Scene<'_>) -> Option<Said>) -> Rule {
    Rule { name, apply }
}

/// All rules.
pub(super) const RULES: &[Rule] = &[
    rule("request", telephone::request),
    rule("markup", markup::apply),
    rule("typed", typed::apply),
    rule("reading", abbreviation::editors),
    rule("repeated", abbreviation::repeated),
    rule("symbol", symbol::apply),
    rule("address", address::apply),
    rule("hashtag", address::hashtag),
    rule("hidden", hidden::apply),
    rule("placeholder", sign::placeholder),
    rule("plate", plate::apply),
    rule("identifier", identifier::apply),
    rule("context", context::apply),
    rule("malformed", sum::apply),
    rule("position", position::apply),
    rule("standard", fraction::standard),
    rule("machine", fraction::machine),
    rule("rating", fraction::rating),
    rule("form", document::form),
    rule("document", document::apply),
    rule("score", span::parts),
    rule("around-the-clock", fraction::around_the_clock),
    rule("impossible", impossible::apply),
    rule("date", date::apply),
    rule("month", month::apply),
    rule("weekday", weekday::apply),
    rule("hours-or-weights", oclock::undecided),
    rule("version", word::version),
    rule("time", clock::apply),
    rule("phone", telephone::apply),
    rule("row", span::comma),
    rule("mark", fraction::mark),
    rule("fraction", fraction::apply),
    rule("range", span::apply),
    rule("block", sense::block),
    rule("code", word::code),
    rule("quantity", quantity::apply),
    rule("initials", abbreviation::initials),
    rule("roman", roman::apply),
    rule("sense", sense::apply),
    rule("place", abbreviation::place),
    rule("unit", unit::alone),
    rule("abbreviation", abbreviation::builtin),
    rule("letters", word::letters),
    rule("number", quantity::number),
    rule("sign", sign::apply),
    rule("word", word::apply),
];
