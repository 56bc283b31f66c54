//! What the words around a number say of it: an account to pay to, the number of a person or a thing.

use std::{collections::HashSet, sync::LazyLock};

use super::{
    Search,
    words::{ACCOUNT, BANKS, IDENTIFIES, IDENTITY, IDENTITY_PAIRS, PAY_REACH, PAYING, SPELLED},
};
use crate::contacts::{
    call::is_pair,
    fold::Letter,
    token::{Shape, Token, spelled},
};

pub(super) fn is_bank(token: &Token) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| BANKS.split_whitespace().collect());
    NAMES.contains(token.text.as_str())
}

/// For each token, how many words before it an account or a bank was named in its sentence.
pub(super) fn banked(letters: &[Letter], tokens: &[Token]) -> Vec<Option<usize>> {
    let mut since: Option<usize> = None;
    tokens
        .iter()
        .enumerate()
        .map(|(at, token)| {
            if at > 0 && tokens[at - 1].sentence != token.sentence {
                since = None;
            }
            since = since.map(|words| words + 1);
            let before = since;
            if token.digits().is_none()
                && (is_bank(token)
                    || ACCOUNT.iter().any(|pair| is_pair(tokens, at, *pair))
                    || spelled(letters, tokens, at).is_some_and(|word| SPELLED.contains(&&*word)))
            {
                since = Some(0);
            }
            before
        })
        .collect()
}

impl Search<'_> {
    /// Whether words before group `at` say that it is the number of a person, a firm or a card of theirs.
    pub(super) fn is_identity(&self, at: usize) -> bool {
        let first = self.groups[at].first;
        if self.is_paid(first) {
            return false;
        }
        let length = self.groups[at].digits.len();
        // The second of two: `căn cước 038… và 040…`
        let is_another = |word: &Token| {
            matches!(word.text.as_str(), "và" | "hoặc")
                || word.digits().is_some_and(|digits| digits.len() == length)
        };
        let words = self.tokens[..first].iter().rev().take(7);
        let mut words = words
            .skip_while(|word| is_another(word))
            .skip_while(|word| word.is_exactly_one_of(&IDENTIFIES));
        let Some(last) = words.next() else {
            return false;
        };
        last.is_exactly_one_of(&IDENTITY)
            || words.next().is_some_and(|before| {
                IDENTITY_PAIRS.contains(&(before.text.as_str(), last.text.as_str()))
            })
    }

    /// Whether a word for paying stands a few words before token `at` in its sentence.
    pub(super) fn is_paid(&self, at: usize) -> bool {
        let sentence = self.tokens[at].sentence;
        let words = self.tokens[..at].iter().rev().take(PAY_REACH);
        let mut words = words.take_while(|word| word.sentence == sentence);
        words.any(|word| word.is_exactly_one_of(&PAYING))
    }

    /// Whether the number is plainly that of a thing behind a word for calling: `điện thoại Nokia 3310`, an engine's
    /// `JA36E0123456`, a country's prefix.
    pub(super) fn is_thing(&self, at: usize) -> bool {
        const MAKERS: [&str; 9] = [
            "nokia", "samsung", "iphone", "oppo", "vivo", "xiaomi", "realme", "galaxy", "redmi",
        ];
        let group = &self.groups[at];
        let Some(before) = group
            .first
            .checked_sub(1)
            .map(|before| &self.tokens[before])
        else {
            return false;
        };
        let signs = &self.letters[before.to..self.tokens[group.first].from];
        let is_maker = before.is_exactly_one_of(&MAKERS) && group.digits.len() <= 4;
        let is_prefix = group.digits.len() <= 3 && signs.iter().any(|letter| letter.c == '+');
        // Digits, letters and digits in one piece.
        let is_letters = before.shape == Shape::Word
            && before.to - before.from <= 2
            && self.letters[before.from..before.to]
                .iter()
                .all(|letter| letter.is_upper);
        let is_engine = is_letters
            && (signs.is_empty() || matches!(signs, [dash] if dash.c == '-'))
            && group.first >= 2
            && self.tokens[group.first - 2].digits().is_some()
            && self.tokens[group.first - 2].to == before.from;
        is_maker || is_prefix || is_engine
    }
}
