//! Written Vietnamese → what a voice or a presenter says.
//!
//! A text is composed ([`unicode`]), cut into tokens ([`token`]) and walked through once; at every token the first rule of
//! [`rule::RULES`] that knows what stands there says it, and what no rule knows stays as it is. Case and the punctuation
//! that makes pauses stay the author's. What cannot be spoken is a [`Problem`], never silence.
//!
//! Linear in the text: every rule looks at a bounded number of tokens. Reading what was read already changes nothing.

pub mod duration;
mod lexicon;
mod number;
mod rule;
mod scene;
mod syllable;
mod token;
mod unicode;

use std::{collections::HashMap, ops::Range};

pub use syllable::syllables;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::domain::speech::{Dialect, Readings};
use lexicon::Entries;
use rule::{RULES, Voice};
use scene::Scene;
use token::{Kind, Token};

/// What sort of trouble a stretch of text makes for a voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// An abbreviation that nobody knows; it was spelt by its letters.
    UnknownAbbreviation,
    /// A word that is neither Vietnamese nor known: foreign, or misspelt.
    UnknownWord,
    /// A web address, account or hashtag of which a part has no reading.
    UnknownAddress,
    /// A letter that passes for a Vietnamese one; the Vietnamese one was read.
    LookAlike,
    /// Text for the fonts of the last century (TCVN3, VNI), or UTF-8 read as something else.
    LegacyEncoding,
    /// A sign without a sound, such as an emoji; it was left out.
    NoSound,
    /// A place that somebody meant to fill in: `xxxx`, `……`.
    Placeholder,
    /// Vietnamese without its marks.
    Unaccented,
}

impl ProblemKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::UnknownAbbreviation,
        Self::UnknownWord,
        Self::UnknownAddress,
        Self::LookAlike,
        Self::LegacyEncoding,
        Self::NoSound,
        Self::Placeholder,
        Self::Unaccented,
    ];

    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownAbbreviation => "unknown-abbreviation",
            Self::UnknownWord => "unknown-word",
            Self::UnknownAddress => "unknown-address",
            Self::LookAlike => "look-alike",
            Self::LegacyEncoding => "legacy-encoding",
            Self::NoSound => "no-sound",
            Self::Placeholder => "placeholder",
            Self::Unaccented => "unaccented",
        }
    }
}

/// Something that cannot be spoken, or not as it was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands, in bytes of the text that was given.
    pub range: Range<usize>,
    /// What sort it is.
    pub kind: ProblemKind,
    /// As it is written.
    pub token: String,
}

impl Problem {
    fn new(kind: ProblemKind, range: Range<usize>, token: &str) -> Self {
        Self {
            range,
            kind,
            token: token.to_owned(),
        }
    }
}

/// What a rule did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it changed, in bytes of the text that was given.
    pub range: Range<usize>,
    /// The rule's name.
    pub rule: &'static str,
    /// As it was written.
    pub from: String,
    /// As it is spoken.
    pub to: String,
}

/// A text as it is spoken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spoken {
    /// The words.
    pub text: String,
    /// What was changed, in the order of the text.
    pub changes: Vec<Change>,
    /// What cannot be spoken, in the order of the text.
    pub problems: Vec<Problem>,
}

/// A reader: readings and dialect, made once and used for every text.
#[derive(Debug, Clone)]
pub struct Speech {
    abbreviations: Entries,
    words: Entries,
    addresses: HashMap<String, String>,
    voice: Voice,
}

impl Default for Speech {
    fn default() -> Self {
        Self::new(&Readings::default(), Dialect::default())
    }
}

impl Speech {
    /// A reader with the editors' `readings`, which come before the built-in ones.
    #[must_use]
    pub fn new(readings: &Readings, dialect: Dialect) -> Self {
        Self {
            abbreviations: Entries::abbreviations(&readings.abbreviations),
            words: Entries::words(&readings.words),
            addresses: readings
                .addresses
                .iter()
                .map(|(address, spoken)| (address.to_lowercase(), spoken.clone()))
                .collect(),
            voice: Voice {
                linh: dialect.linh.as_str(),
                nghin: dialect.nghin.as_str(),
            },
        }
    }

    /// Reads `text` aloud, on paper.
    #[must_use]
    pub fn read(&self, text: &str) -> Spoken {
        let mut spoken = Spoken::default();
        let prepared = unicode::prepare(text, &mut spoken.changes, &mut spoken.problems);
        let tokens = token::tokens(&prepared.text);
        let mut line = Line::with_capacity(text.len() * 3 / 2);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let scene = Scene {
                tokens: &tokens,
                at,
                speech: self,
            };
            let found = RULES
                .iter()
                .find_map(|rule| Some((rule.name, (rule.apply)(&scene)?)));
            let Some((rule, said)) = found else {
                line.keep(token);
                at += 1;
                continue;
            };
            let count = said.tokens.clamp(1, tokens.len() - at);
            let written = scene.written(count);
            let mut said = said;
            if said.text != written && line.begins_sentence() {
                said.text = capitalised(&said.text);
            }
            let range = prepared.origin(&(token.start..token.start + written.len()), text.len());
            line.say(&said.text, tokens.get(at + count));
            if let Some(kind) = said.problem {
                spoken
                    .problems
                    .push(Problem::new(kind, range.clone(), &text[range.clone()]));
            }
            if said.text != written {
                spoken.changes.push(Change {
                    range,
                    rule,
                    from: written,
                    to: said.text,
                });
            }
            at += count;
        }
        for range in unaccented(&tokens) {
            let range = prepared.origin(&range, text.len());
            spoken.problems.push(Problem::new(
                ProblemKind::Unaccented,
                range.clone(),
                &text[range],
            ));
        }
        forget_what_follows(&mut spoken.problems);
        spoken.changes.sort_by_key(|change| change.range.start);
        spoken.problems.sort_by_key(|problem| problem.range.start);
        spoken.text = line.finish();
        spoken
    }
}

/// One mistake is said once: nothing in an old encoding can be a word, and words without marks are not misspelt as well.
fn forget_what_follows(problems: &mut Vec<Problem>) {
    let is_legacy = problems
        .iter()
        .any(|problem| problem.kind == ProblemKind::LegacyEncoding);
    let bare: Vec<Range<usize>> = problems
        .iter()
        .filter(|problem| problem.kind == ProblemKind::Unaccented)
        .map(|problem| problem.range.clone())
        .collect();
    problems.retain(|problem| match problem.kind {
        ProblemKind::LegacyEncoding => true,
        ProblemKind::UnknownWord => {
            !is_legacy
                && !bare
                    .iter()
                    .any(|range| range.contains(&problem.range.start))
        }
        _ => !is_legacy,
    });
}

/// The words as they are put together, with the spaces that speech needs and no others.
struct Line {
    out: String,
    /// Whether the last thing was said by a rule, and not kept.
    was_said: bool,
    /// Whether the last thing was left out.
    was_dropped: bool,
}

impl Line {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            out: String::with_capacity(capacity),
            was_said: false,
            was_dropped: false,
        }
    }

    fn last(&self) -> Option<char> {
        self.out.chars().next_back()
    }

    /// Whether a sentence ended just before. Voices make a pause only before a capital.
    fn begins_sentence(&self) -> bool {
        let before = self.out.trim_end();
        before.len() < self.out.len()
            && before
                .trim_end_matches(['”', '"', ')', '’'])
                .ends_with(['.', '!', '?', '…'])
    }

    fn ends_in_space(&self) -> bool {
        self.last().is_none_or(char::is_whitespace)
    }

    fn keep(&mut self, token: &Token<'_>) {
        if token.is(Kind::Space) && self.was_dropped && self.ends_in_space() {
            return;
        }
        let is_spoken = matches!(token.kind, Kind::Word | Kind::Number);
        if is_spoken && self.was_said && self.last().is_some_and(char::is_alphanumeric) {
            self.out.push(' ');
        }
        self.out.push_str(token.text);
        self.was_said = false;
        self.was_dropped = false;
    }

    fn say(&mut self, text: &str, next: Option<&Token<'_>>) {
        if text.is_empty() {
            self.was_dropped = true;
            // What is left out leaves no space before a comma or a full stop.
            let is_closed = next.is_none_or(|next| {
                next.is(Kind::Break)
                    || (next.is(Kind::Sign)
                        && next
                            .text
                            .starts_with([',', '.', ';', ':', '!', '?', ')', '”', '…']))
            });
            if is_closed {
                self.out
                    .truncate(self.out.trim_end_matches([' ', '\t', '\u{a0}']).len());
            } else if self.last().is_some_and(char::is_alphanumeric)
                && next.is_some_and(|next| matches!(next.kind, Kind::Word | Kind::Number))
            {
                self.out.push(' ');
            }
            return;
        }
        let begins = text.starts_with(char::is_alphanumeric);
        if begins
            && self.last().is_some_and(|last| {
                last.is_alphanumeric()
                    || matches!(last, ',' | ';' | ':' | '%' | '.' | '!' | '?' | ')' | '…')
            })
        {
            self.out.push(' ');
        }
        if text.starts_with([',', '.']) {
            self.out.truncate(self.out.trim_end_matches(' ').len());
        }
        self.out.push_str(text);
        self.was_said = true;
        self.was_dropped = false;
    }

    fn finish(self) -> String {
        // What was left out may have kept two marks apart.
        if is_nfc(&self.out) {
            self.out
        } else {
            self.out.nfc().collect()
        }
    }
}

/// `text` with a capital at its beginning.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// Lines of Vietnamese without any marks: nobody can tell what is meant.
fn unaccented(tokens: &[Token<'_>]) -> Vec<Range<usize>> {
    const FEWEST: usize = 6;
    let mut found = Vec::new();
    for line in tokens.split(|token| token.is(Kind::Break)) {
        let mut words = line.iter().filter(|token| token.is(Kind::Word));
        let (Some(first), Some(last)) = (words.clone().next(), words.clone().next_back()) else {
            continue;
        };
        let count = words.clone().count();
        let syllables = words
            .clone()
            .filter(|token| {
                syllable::is_syllable(&token.lower)
                    || syllable::is_syllable(&format!("{}\u{301}", token.lower))
            })
            .count();
        if count >= FEWEST
            && words.all(|token| token.text.is_ascii())
            && syllables * 10 >= count * 7
        {
            found.push(first.start..last.start + last.text.len());
        }
    }
    found
}

#[cfg(test)]
mod tests;
