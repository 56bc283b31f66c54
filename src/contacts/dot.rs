//! Dots between the labels of a name: as signs, with blanks and brackets around them, and as words.

use super::{fold::Letter, token::Token};

/// How a dot is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// A dot between letters.
    Direct,
    /// With a blank behind it only, as at the end of a sentence.
    Trailing,
    /// With a blank before it.
    Spaced,
    /// As a word.
    Spelled,
}

#[derive(Debug, Clone, Copy)]
/// A dot with what stands around it.
pub(super) struct Dot {
    /// Where the label before it ends.
    pub from: usize,
    /// Where the label behind it begins.
    pub to: usize,
    /// How it is written.
    pub manner: Manner,
}

/// A part of a label.
pub(super) fn is_label(letter: &Letter) -> bool {
    letter.is_word() || letter.c == '-'
}

pub(super) fn is_blank(letter: &Letter) -> bool {
    matches!(letter.c, ' ' | '\n')
}

/// The dots of a text with the blanks and brackets around them.
pub(super) fn dots(letters: &[Letter], tokens: &[Token]) -> Vec<Dot> {
    let around = |from: usize, to: usize, manner: Option<Manner>| {
        let before = letters[..from].iter().rev().take(3);
        let bracket = |c: char| manner.is_some() && c == '-';
        let quote =
            |c: char| manner == Some(Manner::Spelled) && matches!(c, '"' | '“' | '”' | '\'');
        let left = before
            .take_while(|letter| {
                is_blank(letter)
                    || matches!(letter.c, '(' | '[' | '{')
                    || bracket(letter.c)
                    || quote(letter.c)
            })
            .count();
        let right = letters[to..]
            .iter()
            .take(3)
            .take_while(|letter| {
                is_blank(letter)
                    || matches!(letter.c, ')' | ']' | '}')
                    || bracket(letter.c)
                    || quote(letter.c)
            })
            .count();
        let has_blank = |range: &[Letter]| range.iter().any(is_blank);
        let manner = manner.unwrap_or_else(|| {
            if has_blank(&letters[from - left..from]) {
                Manner::Spaced
            } else if has_blank(&letters[to..to + right]) {
                Manner::Trailing
            } else {
                Manner::Direct
            }
        });
        Dot {
            from: from - left,
            to: to + right,
            manner,
        }
    };
    let mut words = tokens
        .iter()
        .filter(|token| token.is_one_of(&["chấm", "dot", "phẩy"]))
        .peekable();
    let mut dots = Vec::new();
    for (at, letter) in letters.iter().enumerate() {
        if words.peek().is_some_and(|word| word.from == at)
            && let Some(word) = words.next()
        {
            dots.push(around(word.from, word.to, Some(Manner::Spelled)));
        } else if letter.c == '.' {
            dots.push(around(at, at + 1, None));
        } else if letter.c == ','
            && at > 0
            && is_label(&letters[at - 1])
            && letters
                .get(at + 1)
                .is_some_and(|next| next.c.is_alphabetic())
        {
            // Taken for a dot by readers who want to: `congan,com`.
            dots.push(around(at, at + 1, Some(Manner::Spaced)));
        }
    }
    dots
}
