//! The built-in readings: abbreviations, letters, foreign words, parts of web addresses. The tables are texts beside this
//! file, compiled in and read once; editors add to them in `content/speech.yaml`.

use std::{
    collections::{HashMap, HashSet},
    sync::OnceLock,
};

use super::token::tokens;
use crate::domain::speech::Reading;

/// The names of the letters.
const LETTERS: [(char, &str); 33] = [
    ('a', "a"),
    ('ă', "á"),
    ('â', "ớ"),
    ('b', "bê"),
    ('c', "xê"),
    ('d', "dê"),
    ('đ', "đê"),
    ('e', "e"),
    ('ê', "ê"),
    ('f', "ép"),
    ('g', "giê"),
    ('h', "hát"),
    ('i', "i"),
    ('j', "gi"),
    ('k', "ca"),
    ('l', "e lờ"),
    ('m', "em"),
    ('n', "en"),
    ('o', "ô"),
    ('ô', "ô"),
    ('ơ', "ơ"),
    ('p', "pê"),
    ('q', "quy"),
    ('r', "e rờ"),
    ('s', "ét"),
    ('t', "tê"),
    ('u', "u"),
    ('ư', "ư"),
    ('v', "vê"),
    ('w', "vê kép"),
    ('x', "ích"),
    ('y', "i dài"),
    ('z', "dét"),
];

/// A word spoken by its letters; `None` when one of them has no name.
pub(super) fn spell(word: &str) -> Option<String> {
    let mut out = String::with_capacity(word.len() * 4);
    for letter in word.chars().flat_map(char::to_lowercase) {
        let (_, name) = LETTERS.iter().find(|(known, _)| *known == letter)?;
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(name);
    }
    (!out.is_empty()).then_some(out)
}

/// The syllables of a word without any vowel, which voices spell: `vn` has two.
pub(super) fn consonants(lower: &str) -> Option<usize> {
    (!lower.is_empty()
        && lower
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() && !b"aeiouy".contains(&byte)))
    .then_some(lower.len())
}

/// One reading, cut up for comparing.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The tokens after the first.
    pub rest: Vec<String>,
    /// As it is spoken.
    pub spoken: String,
    /// Phrases of which one has to stand before it.
    pub before: Vec<String>,
    /// Phrases of which one has to stand after it.
    pub after: Vec<String>,
}

/// Readings by their first token.
#[derive(Debug, Clone, Default)]
pub(super) struct Entries(HashMap<String, Vec<Entry>>);

impl Entries {
    /// Adds a reading. `fold` makes capitals not matter.
    fn add(&mut self, reading: &Reading, fold: bool) {
        let written = if fold {
            reading.written.to_lowercase()
        } else {
            reading.written.clone()
        };
        let pieces = tokens(&written);
        let Some((first, rest)) = pieces.split_first() else {
            return;
        };
        let lower =
            |phrases: &[String]| phrases.iter().map(|phrase| phrase.to_lowercase()).collect();
        self.0
            .entry(first.text.to_owned())
            .or_default()
            .push(Entry {
                rest: rest.iter().map(|token| token.text.to_owned()).collect(),
                spoken: reading.spoken.clone(),
                before: lower(&reading.before),
                after: lower(&reading.after),
            });
    }

    /// Long before short, with a context before without.
    fn sort(&mut self) {
        for entries in self.0.values_mut() {
            entries.sort_by_key(|entry| {
                let is_free = entry.before.is_empty() && entry.after.is_empty();
                (std::cmp::Reverse(entry.rest.len()), is_free)
            });
        }
    }

    /// The readings that begin with `first`.
    pub(super) fn starting(&self, first: &str) -> &[Entry] {
        self.0.get(first).map_or(&[], Vec::as_slice)
    }

    /// The reading of `written` where it stands alone, without any context.
    pub(super) fn alone(&self, written: &str) -> Option<&str> {
        let entry = self.starting(written).iter().rfind(|entry| {
            entry.rest.is_empty() && entry.before.is_empty() && entry.after.is_empty()
        })?;
        Some(&entry.spoken)
    }

    fn from_readings(readings: &[Reading], fold: bool) -> Self {
        let mut entries = Self::default();
        for reading in readings {
            entries.add(reading, fold);
        }
        entries.sort();
        entries
    }

    /// The editors' abbreviations.
    pub(super) fn abbreviations(readings: &[Reading]) -> Self {
        Self::from_readings(readings, false)
    }

    /// The editors' words.
    pub(super) fn words(readings: &[Reading]) -> Self {
        Self::from_readings(readings, true)
    }
}

/// Everything that is built in.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// Abbreviations.
    pub abbreviations: Entries,
    /// Short forms spoken by their letters.
    pub letters: Entries,
    /// Foreign words that are left as they are.
    pub foreign: HashSet<&'static str>,
    /// Parts of web addresses.
    pub addresses: HashMap<&'static str, &'static str>,
}

/// The lines `a = b` of a table.
fn pairs(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
}

/// The readings of a table: `a = b | before: c, d | after: e`.
fn readings(table: &'static str) -> Vec<Reading> {
    let phrases = |text: &str| {
        text.split(',')
            .map(|phrase| phrase.trim().to_owned())
            .collect()
    };
    pairs(table)
        .map(|(written, rest)| {
            let mut parts = rest.split('|').map(str::trim);
            let mut reading = Reading {
                written: written.trim().to_owned(),
                spoken: parts.next().unwrap_or_default().to_owned(),
                before: Vec::new(),
                after: Vec::new(),
            };
            for part in parts {
                if let Some(list) = part.strip_prefix("before:") {
                    reading.before = phrases(list);
                } else if let Some(list) = part.strip_prefix("after:") {
                    reading.after = phrases(list);
                }
            }
            reading
        })
        .collect()
}

/// The built-in readings.
pub(super) fn builtin() -> &'static Lexicon {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    LEXICON.get_or_init(|| Lexicon {
        abbreviations: Entries::abbreviations(&readings(include_str!("lexicon/abbreviations.txt"))),
        letters: Entries::abbreviations(&readings(include_str!("lexicon/letters.txt"))),
        foreign: include_str!("lexicon/foreign.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .flat_map(str::split_whitespace)
            .collect(),
        addresses: pairs(include_str!("lexicon/addresses.txt")).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read() {
        let lexicon = builtin();
        assert_eq!(lexicon.abbreviations.alone("UBND"), Some("Ủy ban nhân dân"));
        assert_eq!(lexicon.abbreviations.alone("CP"), Some("Chính phủ"));
        assert_eq!(lexicon.letters.alone("OTP"), Some("ô tê pê"));
        assert!(lexicon.foreign.contains("zalo"));
        assert_eq!(lexicon.addresses["dichvucong"], "dịch vụ công");
        for table in [
            include_str!("lexicon/abbreviations.txt"),
            include_str!("lexicon/letters.txt"),
            include_str!("lexicon/addresses.txt"),
        ] {
            for line in table
                .lines()
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
            {
                assert!(
                    line.split_once(" = ")
                        .is_some_and(|(_, spoken)| !spoken.is_empty()),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn letters_have_names() {
        assert_eq!(spell("QĐX").as_deref(), Some("quy đê ích"));
        assert_eq!(spell("Б"), None);
        assert_eq!(consonants("vn"), Some(2));
    }
}
