//! Written Vietnamese → what a voice or a presenter says.
//!
//! A text is composed ([`unicode`]), parted at empty lines ([`passage`]), cut into tokens ([`token`]) and walked through once;
//! at every token the first rule of [`rule::RULES`] that knows what stands there says it, and what no rule knows stays as it
//! is. Case and the punctuation that makes pauses stay the author's; where a line that is a unit by itself has none at its end,
//! it gets one ([`wrap`]). What cannot be spoken is a [`Problem`], never silence.
//!
//! Linear in the text: every rule looks at a bounded number of tokens. Reading what was read already changes nothing.

pub mod duration;
mod lexicon;
mod line;
mod number;
mod passage;
mod rule;
mod scene;
mod syllable;
mod token;
mod unicode;
mod wrap;

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

pub use syllable::syllables;

use crate::domain::{
    bulletin::NotContact,
    speech::{Dialect, Readings, Weight},
};
use lexicon::Entries;
use line::Line;
use passage::{Memo, Passage, Seat};
use rule::{RULES, Voice};
use scene::Scene;
use token::{Kind, Token};

/// The name of what makes a pause at the end of a line or passage that has no sign there.
const LINE_END: &str = "line-end";

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
    /// A day or a time that there is not.
    Impossible,
    /// A number that is written in a way that can mean two: `1,500 tỷ`.
    Ambiguous,
}

impl ProblemKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::UnknownAbbreviation,
        Self::UnknownWord,
        Self::UnknownAddress,
        Self::LookAlike,
        Self::LegacyEncoding,
        Self::NoSound,
        Self::Placeholder,
        Self::Unaccented,
        Self::Impossible,
        Self::Ambiguous,
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
            Self::Impossible => "impossible",
            Self::Ambiguous => "ambiguous",
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

/// The stretches of `text` that are read one by one: how one is read says nothing about the others.
pub fn passages(text: &str) -> impl Iterator<Item = &str> {
    let ranges = passage::split(text).into_iter();
    ranges
        .map(|range| &text[range])
        .filter(|words| !words.trim().is_empty())
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
    memo: Memo,
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
            memo: Memo::default(),
        }
    }

    /// Reads `text` aloud, on paper.
    #[must_use]
    pub fn read(&self, text: &str) -> Spoken {
        let mut spoken = Spoken::default();
        if let Some(range) = unicode::legacy(text) {
            let token = &text[range.clone()];
            let problem = Problem::new(ProblemKind::LegacyEncoding, range, token);
            spoken.problems.push(problem);
        }
        let moved = |start: usize, range: &Range<usize>| start + range.start..start + range.end;
        spoken.text = self.walk(text, |start, passage| {
            spoken
                .changes
                .extend(passage.changes.iter().map(|change| Change {
                    range: moved(start, &change.range),
                    ..change.clone()
                }));
            spoken
                .problems
                .extend(passage.problems.iter().map(|problem| Problem {
                    range: moved(start, &problem.range),
                    ..problem.clone()
                }));
        });
        forget_what_follows(&mut spoken.problems);
        spoken.changes.sort_by_key(|change| change.range.start);
        spoken.problems.sort_by_key(|problem| problem.range.start);
        spoken
    }

    /// The words of [`Speech::read`] alone.
    #[must_use]
    pub fn say(&self, text: &str) -> String {
        self.walk(text, |_, _| {})
    }

    /// What only looks like a contact, as it sounds.
    #[must_use]
    pub fn exceptions(&self, written: &[NotContact]) -> Vec<NotContact> {
        let aloud = |exception: &NotContact| NotContact {
            text: self.say(&exception.text),
            reason: exception.reason.clone(),
        };
        written.iter().map(aloud).collect()
    }

    /// The editors' readings that `text` is spoken with: as it stands there, and as it is spoken.
    #[must_use]
    pub fn readings(&self, text: &str) -> BTreeMap<String, String> {
        let mut readings = BTreeMap::new();
        self.walk(text, |_, passage| {
            readings.extend(passage.readings.iter().cloned());
        });
        readings
    }

    /// How much there is to say in `texts`, read one after the other as the turns of one dialogue.
    #[must_use]
    pub fn weight<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Weight {
        let mut spoken = String::new();
        let mut syllables = 0;
        for text in texts {
            if !spoken.is_empty() {
                spoken.push_str("\n\n");
            }
            spoken.push_str(&self.walk(text, |_, passage| syllables += passage.syllables));
        }
        duration::weigh(&spoken, syllables)
    }

    /// How many syllables are heard when `text` is read.
    #[must_use]
    pub fn syllables(&self, text: &str) -> usize {
        let mut count = 0;
        self.walk(text, |_, passage| count += passage.syllables);
        count
    }

    /// Where the lines of `text` end that a voice ends, too, in bytes: a sentence, an item or a heading, and not only a
    /// full line.
    #[must_use]
    pub fn line_ends(&self, text: &str) -> Vec<usize> {
        let mut found = Vec::new();
        let mut begins = 0;
        self.walk(text, |start, passage| {
            if start > begins {
                found.push(text[..start].trim_end().len());
            }
            begins = start;
            found.extend(passage.line_ends.iter().map(|end| start + end));
        });
        found
    }

    /// Reads a text passage by passage; `each` gets every one with the byte at which it begins.
    fn walk(&self, text: &str, mut each: impl FnMut(usize, &Passage)) -> String {
        let mut out = String::with_capacity(text.len() * 3 / 2);
        let ranges = passage::split(text);
        let last = ranges
            .iter()
            .rposition(|range| !text[range.clone()].trim().is_empty());
        let mut end = 0;
        for (index, range) in ranges.into_iter().enumerate() {
            out.push_str(&text[end..range.start]);
            let seat = Seat {
                after_stop: line::ends_sentence(out.trim_end()),
                is_last: last.is_none_or(|last| index >= last),
            };
            let words = &text[range.clone()];
            let passage = self
                .memo
                .get(words, seat, || self.read_passage(words, seat));
            each(range.start, &passage);
            out.push_str(&passage.text);
            end = range.end;
        }
        out
    }

    fn read_passage(&self, given: &str, seat: Seat) -> Passage {
        let mut passage = Passage::default();
        let prepared = unicode::prepare(given, &mut passage.changes, &mut passage.problems);
        let text = &*prepared.text;
        let origin = |range: &Range<usize>| prepared.origin(range, given.len());
        let change = |range: Range<usize>, rule, to: String| Change {
            from: text[range.clone()].to_owned(),
            range: origin(&range),
            rule,
            to,
        };
        let problem = |range: &Range<usize>, kind| {
            let range = origin(range);
            Problem::new(kind, range.clone(), &given[range])
        };
        let mut tokens = token::tokens(text);
        wrap::join(&mut tokens);
        let tokens = tokens.as_slice();
        let mut line = Line::new(text.len() * 3 / 2, seat.after_stop);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if token.is(Kind::Break) {
                // Without a capital a full stop makes no pause.
                let mut after = tokens[at + 1..].iter();
                let next = after.find(|token| matches!(token.kind, Kind::Word | Kind::Number));
                let sign = match next {
                    Some(next) if next.is(Kind::Word) && !next.is_capitalised() => ',',
                    _ => '.',
                };
                if next.is_some() && line.pause(sign) {
                    let range = token.start..token.start + token.text.len();
                    let made = change(range, LINE_END, sign.to_string());
                    passage.changes.push(made);
                }
                let end = token.start..token.start;
                passage.line_ends.push(origin(&end).start);
                line.keep(token);
                at += 1;
                continue;
            }
            let scene = Scene {
                tokens,
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
            if rule == "reading" || (rule == "address" && self.has_alias(&written)) {
                passage.readings.push((written.clone(), said.text.clone()));
            }
            if said.text != written && line.begins_sentence() {
                said.text = capitalised(&said.text);
            }
            let range = token.start..token.start + written.len();
            line.say(&said.text, tokens.get(at + count));
            if let Some(kind) = said.problem {
                passage.problems.push(problem(&range, kind));
            }
            if said.text != written {
                passage.changes.push(change(range, rule, said.text));
            }
            at += count;
        }
        for range in unaccented(tokens) {
            passage
                .problems
                .push(problem(&range, ProblemKind::Unaccented));
        }
        if !seat.is_last && line.pause('.') {
            let end = text.len()..text.len();
            passage.changes.push(change(end, LINE_END, ".".to_owned()));
        }
        passage.text = line.finish();
        passage.syllables = syllables(&passage.text);
        passage
    }

    /// Whether the editors have a name for this address, or for a part of it.
    fn has_alias(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        self.addresses
            .keys()
            .any(|known| address.contains(known.as_str()))
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

/// `text` with a capital at its beginning.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// Sentences of Vietnamese without any marks: nobody can tell what is meant.
fn unaccented(tokens: &[Token<'_>]) -> Vec<Range<usize>> {
    const FEWEST: usize = 6;
    let mut found = Vec::new();
    let ends = |token: &Token<'_>| {
        token.is(Kind::Break)
            || token.is(Kind::Sign) && token.text.starts_with(['.', '!', '?', '…', ':', ';'])
    };
    for sentence in tokens.split(ends) {
        let mut words = sentence.iter().filter(|token| token.is(Kind::Word));
        let (Some(first), Some(last)) = (words.clone().next(), words.clone().next_back()) else {
            continue;
        };
        let count = words.clone().count();
        let syllables = words
            .clone()
            .filter(|token| syllable::is_bare(&token.lower))
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
