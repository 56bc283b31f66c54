//! Dots between the labels of a name: as signs, with blanks and brackets around them, and as words.

use super::{
    fold::Letter,
    letters::{is_common_end, is_shortener},
    token::Token,
};

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
        // A pause before the word is heard, too.
        let quote =
            |c: char| manner == Some(Manner::Spelled) && matches!(c, '"' | '“' | '”' | '\'' | ',');
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
        .filter(|token| token.is_one_of(&["chấm", "châm", "dot", "phẩy"]))
        .peekable();
    let mut dots = blank_dots(letters, tokens);
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
    dots.sort_by_key(|dot| dot.from);
    dots
}

/// `dichvucong gov vn`, `dichvucong/gov/vn`, `www congan com`, `t me/congan`: blanks and strokes that stand for dots, where
/// nothing else can be meant.
fn blank_dots(letters: &[Letter], tokens: &[Token]) -> Vec<Dot> {
    /// Words that speak of the end of a name, before one that is said alone.
    const ABOUT: [&str; 9] = [
        "miền", "đuôi", "bằng", "là", "cụm", "chữ", "chấm", "dot", "phẩy",
    ];
    let dot = |before: &Token, after: &Token| {
        let between = &letters[before.to..after.from];
        let is_all = |c: char| between.iter().all(|letter| letter.c == c);
        let is_joint = is_all(' ') || (is_all('/') && between.len() == 1);
        (!between.is_empty() && is_joint).then_some(Dot {
            from: before.to,
            to: after.from,
            manner: Manner::Spelled,
        })
    };
    let mut dots = Vec::new();
    for three in tokens.windows(3) {
        let [first, second, third] = three else {
            continue;
        };
        let is_national = third.text == "vn"
            && matches!(second.text.as_str(), "gov" | "com" | "edu" | "org" | "net")
            && !first.is_one_of(&ABOUT);
        let is_whole = first.text == "www" && is_common_end(&third.text);
        if (is_national || is_whole)
            && let (Some(one), Some(other)) = (dot(first, second), dot(second, third))
        {
            dots.extend([one, other]);
        }
    }
    for pair in tokens.windows(2) {
        let [first, second] = pair else { continue };
        let has_path = letters.get(second.to).is_some_and(|sign| sign.c == '/');
        if has_path && is_shortener(&format!("{}.{}", first.text, second.text)) {
            dots.extend(dot(first, second));
        }
    }
    dots
}
