//! What a rule sees: the token in hand, what follows it, and what went before in the same sentence.

use super::{
    Speech,
    token::{Kind, NOTHING, Token},
};

/// How many words back a cue such as *gọi* still counts.
const REACH: usize = 7;

/// How many words back what a sentence is about still counts.
const FAR: usize = 24;

/// A place in the text.
#[derive(Clone, Copy)]
pub(super) struct Scene<'s> {
    /// All tokens.
    pub tokens: &'s [Token<'s>],
    /// The token in hand.
    pub at: usize,
    /// Readings and dialect.
    pub speech: &'s Speech,
}

impl<'s> Scene<'s> {
    /// The token `ahead` places after the one in hand; nothing beyond the end.
    pub(super) fn token(&self, ahead: usize) -> &'s Token<'s> {
        self.tokens.get(self.at + ahead).unwrap_or(&NOTHING)
    }

    /// The token `back` places before the one in hand; nothing before the beginning.
    pub(super) fn back(&self, back: usize) -> &'s Token<'s> {
        self.at
            .checked_sub(back)
            .and_then(|at| self.tokens.get(at))
            .unwrap_or(&NOTHING)
    }

    /// The place `ahead` tokens further on.
    pub(super) fn ahead(&self, ahead: usize) -> Self {
        Self {
            at: self.at + ahead,
            ..*self
        }
    }

    /// The index after one space at `ahead`, or `ahead` itself.
    pub(super) fn skip_space(&self, ahead: usize) -> usize {
        ahead + usize::from(self.token(ahead).is(Kind::Space))
    }

    /// The word at `ahead` in small letters, or nothing.
    pub(super) fn word(&self, ahead: usize) -> &'s str {
        let token = self.token(ahead);
        if token.is(Kind::Word) {
            &token.lower
        } else {
            ""
        }
    }

    /// The word that follows after at most one space.
    pub(super) fn next_word(&self, ahead: usize) -> &'s str {
        self.word(self.skip_space(ahead))
    }

    /// The word right before, with at most one space between.
    pub(super) fn previous(&self) -> &'s str {
        let back = 1 + usize::from(self.back(1).is(Kind::Space));
        let token = self.back(back);
        if token.is(Kind::Word) {
            &token.lower
        } else {
            ""
        }
    }

    /// The token right before, with at most one space between.
    pub(super) fn previous_token(&self) -> &'s Token<'s> {
        self.back(1 + usize::from(self.back(1).is(Kind::Space)))
    }

    /// Whether letters or digits stand right before, without a space.
    pub(super) fn is_glued(&self) -> bool {
        // 4x6cm
        let is_times = self.back(1).lower == "x" && self.back(2).is(Kind::Number);
        // ϕ3cm
        let is_diameter = matches!(self.back(1).text, "Φ" | "φ" | "ϕ" | "Ø" | "ø");
        matches!(self.back(1).kind, Kind::Word | Kind::Number) && !is_times && !is_diameter
    }

    /// Whether the token in hand is the first of its line.
    pub(super) fn begins_line(&self) -> bool {
        match self.back(1).kind {
            Kind::Break => true,
            Kind::Space => self.back(2).is(Kind::Break),
            _ => false,
        }
    }

    /// Whether an item of a list may begin with the token in hand: at the beginning of a line, and behind a pause that is not
    /// in brackets.
    pub(super) fn begins_item(&self) -> bool {
        /// Brackets are looked for so far back.
        const REACH: usize = 40;
        let pause = self.back(1 + usize::from(self.back(1).is(Kind::Space)));
        let is_open = || {
            let signs = (1..REACH).map(|back| self.back(back).text);
            signs.into_iter().find(|sign| matches!(*sign, "(" | ")")) == Some("(")
        };
        // số thứ tự 1), 2), 3)
        let has_text = matches!(
            self.token(self.skip_space(2)).kind,
            Kind::Word | Kind::Number
        );
        self.begins_line()
            || (matches!(pause.text, ";" | ":" | "," | ".") && has_text && !is_open())
    }

    /// Whether the words right before are `phrase` (small letters, single spaces).
    pub(super) fn follows(&self, phrase: &str) -> bool {
        self.matches_back(phrase, 1).is_some()
    }

    /// Matches `phrase` backwards from `back`; gives the place before it.
    fn matches_back(&self, phrase: &str, mut back: usize) -> Option<usize> {
        for word in phrase.rsplit(' ') {
            if self.back(back).is(Kind::Space) {
                back += 1;
            }
            let token = self.back(back);
            if token.text.is_empty() || *token.lower != *word {
                return None;
            }
            back += 1;
        }
        Some(back)
    }

    /// Whether the words at `ahead` are `phrase` (small letters, single spaces).
    pub(super) fn precedes(&self, phrase: &str, ahead: usize) -> bool {
        let mut at = self.skip_space(ahead);
        phrase.split(' ').all(|word| {
            let token = self.token(at);
            at = self.skip_space(at + 1);
            !token.text.is_empty() && *token.lower == *word
        })
    }

    /// Whether one of `cues` (small letters) stands among the last words of this sentence.
    pub(super) fn cued(&self, cues: &[&str]) -> bool {
        self.cued_within(cues, REACH)
    }

    /// The same, further back: what the whole sentence is about.
    pub(super) fn cued_far(&self, cues: &[&str]) -> bool {
        self.cued_within(cues, FAR)
    }

    fn cued_within(&self, cues: &[&str], reach: usize) -> bool {
        let mut words = 0;
        let mut back = 1;
        while words < reach && back < 4 * reach {
            let token = self.back(back);
            match token.kind {
                Kind::Break => return false,
                Kind::Sign if self.ends_sentence(back) => return false,
                Kind::Word => {
                    words += 1;
                    if cues
                        .iter()
                        .any(|cue| self.matches_back(cue, back).is_some())
                    {
                        return true;
                    }
                }
                _ => {}
            }
            back += 1;
        }
        false
    }

    /// Whether a sentence ends with the sign `back` places before.
    fn ends_sentence(&self, back: usize) -> bool {
        let sign = self.back(back).text;
        let ends = matches!(sign.chars().next(), Some('.' | '!' | '?' | ';'));
        // `ĐT. 0238`, `TP. Vinh`: a dot after a short form or between digits ends nothing.
        let before = self.back(back + 1);
        let is_short = sign.starts_with('.')
            && before.is(Kind::Word)
            && (before.is_all_capitals() || before.text.len() == 1);
        ends && (back == 1 || matches!(self.back(back - 1).kind, Kind::Space | Kind::Break))
            && !is_short
    }

    /// The written text of the first `count` tokens from the one in hand.
    pub(super) fn written(&self, count: usize) -> String {
        (0..count).map(|ahead| self.token(ahead).text).collect()
    }
}
