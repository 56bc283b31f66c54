//! Words and groups of digits of a folded text, digits spelt as words among them.

use std::{collections::HashMap, sync::LazyLock};

use super::{
    fold::Letter,
    letters::{bare, look_alike},
};

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// Digits, letters that pass for digits among them.
    Digits(String),
    /// One digit as a word, or letters alone that pass for digits.
    Spoken(String),
    /// `mười`, `mươi`, `trăm` and `linh`: what makes numbers of more digits out of spoken ones.
    Tens(Tens),
    /// A word.
    Word,
}

/// Words between spoken digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tens {
    /// `mười`: ten, and what follows.
    Ten,
    /// `mươi`: times ten.
    TimesTen,
    /// `trăm`: times a hundred.
    Hundred,
    /// `linh`, `lẻ`: no tens.
    Odd,
    /// `hăm`, `băm`: twenty or thirty, and what follows.
    Short(char),
}

/// A word or a group of digits.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// What it is.
    pub shape: Shape,
    /// Its first letter.
    pub from: usize,
    /// The letter behind its last one.
    pub to: usize,
    /// As it looks, small.
    pub text: String,
    /// Which sentence it is in.
    pub sentence: usize,
}

impl Token {
    pub(super) fn digits(&self) -> Option<&str> {
        match &self.shape {
            Shape::Digits(digits) => Some(digits),
            _ => None,
        }
    }

    /// Whether the word is one of `words`, mark for mark: for what makes a number innocent.
    pub(super) fn is_exactly_one_of(&self, words: &[&str]) -> bool {
        is_among(&self.text, words)
    }

    /// Whether the word is one of `words`, with its marks or with none at all: for what makes a number suspicious.
    pub(super) fn is_one_of(&self, words: &[&str]) -> bool {
        !matches!(self.shape, Shape::Digits(_))
            && (is_among(&self.text, words)
                || (self.text.is_ascii() && words.iter().any(|word| is_stripped(&self.text, word))))
    }
}

/// What single letters that end with token `last` spell, joined by dots, strokes, dashes or blanks: `S.T.K`, `Z a l o`.
pub(super) fn spelled(letters: &[Letter], tokens: &[Token], last: usize) -> Option<String> {
    const LONGEST: usize = 10;
    let is_letter = |at: usize| {
        tokens[at].to - tokens[at].from == 1 && letters[tokens[at].from].plain.is_ascii_alphabetic()
    };
    let is_joined = |at: usize| {
        let between = &letters[tokens[at].to..tokens[at + 1].from];
        matches!(between, [one] if matches!(one.c, '.' | '/' | '-' | ' '))
    };
    if !is_letter(last) {
        return None;
    }
    let mut first = last;
    while first > 0 && last - first < LONGEST && is_letter(first - 1) && is_joined(first - 1) {
        first -= 1;
    }
    let spelled = tokens[first..=last].iter();
    (first < last).then(|| spelled.map(|token| letters[token.from].plain).collect())
}

/// Whether `text` is one of `words`. Nearly all of them differ in their first bytes, which is quicker seen than by a call for
/// each.
fn is_among(text: &str, words: &[&str]) -> bool {
    let first = text.as_bytes().first();
    words
        .iter()
        .any(|word| word.len() == text.len() && word.as_bytes().first() == first && *word == text)
}

/// Whether `bare` is `word` without its marks.
fn is_stripped(stripped: &str, word: &str) -> bool {
    stripped.chars().eq(word.chars().map(bare))
}

const SPOKEN: [(&str, char); 30] = [
    ("không", '0'),
    ("hông", '0'),
    ("hổng", '0'),
    ("ko", '0'),
    ("ô", '0'),
    ("oh", '0'),
    ("một", '1'),
    ("mốt", '1'),
    ("hai", '2'),
    ("ba", '3'),
    ("bốn", '4'),
    ("tư", '4'),
    ("năm", '5'),
    ("lăm", '5'),
    ("nhăm", '5'),
    ("sáu", '6'),
    ("bảy", '7'),
    ("bẩy", '7'),
    ("tám", '8'),
    ("chín", '9'),
    ("zero", '0'),
    ("one", '1'),
    ("two", '2'),
    ("three", '3'),
    ("four", '4'),
    ("five", '5'),
    ("six", '6'),
    ("seven", '7'),
    ("eight", '8'),
    ("nine", '9'),
];

/// Spoken digits typed without marks.
const BARE: [(&str, char); 12] = [
    ("khong", '0'),
    ("mot", '1'),
    ("hai", '2'),
    ("ba", '3'),
    ("bon", '4'),
    ("tu", '4'),
    ("nam", '5'),
    ("lam", '5'),
    ("sau", '6'),
    ("bay", '7'),
    ("tam", '8'),
    ("chin", '9'),
];

/// The tokens of a folded text.
pub(super) fn tokens(letters: &[Letter]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut sentence = 0;
    let mut at = 0;
    let mut last = 0;
    while at < letters.len() {
        if !letters[at].is_word() {
            at += 1;
            continue;
        }
        let end = letters[at..]
            .iter()
            .position(|letter| !letter.is_word())
            .map_or(letters.len(), |length| at + length);
        if ends_sentence(&letters[last..at]) {
            sentence += 1;
        }
        split(letters, at, end, sentence, &mut tokens);
        (at, last) = (end, end);
    }
    tokens
}

/// Whether a sentence ends in what stands between two words.
fn ends_sentence(between: &[Letter]) -> bool {
    let mut newlines = 0;
    between.iter().enumerate().any(|(index, letter)| {
        newlines += usize::from(letter.c == '\n');
        let follows_space = || {
            between
                .get(index + 1)
                .is_some_and(|next| matches!(next.c, ' ' | '\n' | '"' | '”'))
        };
        newlines >= 2 || (matches!(letter.c, '.' | '!' | '?' | ';' | '…') && follows_space())
    })
}

/// The digit that a letter is or passes for.
fn as_digit(letter: &Letter) -> Option<char> {
    if letter.is_digit() {
        return Some(letter.c);
    }
    if !(letter.c.is_ascii() || look_alike(letter.c).is_some()) {
        return None;
    }
    match letter.plain {
        'o' => Some('0'),
        'l' | 'i' => Some('1'),
        _ => None,
    }
}

/// Cuts a run of letters and digits into tokens.
fn split(letters: &[Letter], from: usize, to: usize, sentence: usize, tokens: &mut Vec<Token>) {
    let mut push = |from: usize, to: usize, is_digits: bool| {
        if from == to {
            return;
        }
        let run = &letters[from..to];
        let text: String = run.iter().map(shown).collect();
        let shape = if is_digits {
            Shape::Digits(run.iter().filter_map(as_digit).collect())
        } else {
            word(&text, run)
        };
        tokens.push(Token {
            shape,
            from,
            to,
            text,
            sentence,
        });
    };
    let mut at = from;
    while at < to {
        let is_candidate = as_digit(&letters[at]).is_some();
        let end = letters[at..to]
            .iter()
            .position(|letter| as_digit(letter).is_some() != is_candidate)
            .map_or(to, |length| at + length);
        let run = &letters[at..end];
        if !is_candidate || !run.iter().any(Letter::is_digit) {
            // Goes with the letters around it.
            let mut stop = end;
            while stop < to && !letters[stop].is_digit() {
                stop += 1;
            }
            // Look-alikes just before a digit belong to the word that they end, unless they stand alone.
            push(at, stop, false);
            at = stop;
            continue;
        }
        let (mut first, mut last) = (at, end);
        // The end of a word in front, the beginning of one behind: `sdt0912…`, `0912…o`.
        if at > from {
            while !letters[first].is_digit() {
                first += 1;
            }
        }
        if end < to {
            while !letters[last - 1].is_digit() {
                last -= 1;
            }
        }
        push(at, first, false);
        push(first, last, true);
        at = last;
    }
}

fn shown(letter: &Letter) -> char {
    match look_alike(letter.c) {
        Some(plain) if letter.c != 'đ' => plain,
        _ => letter.c,
    }
}

fn word(text: &str, run: &[Letter]) -> Shape {
    static DIGITS: LazyLock<HashMap<&str, char>> =
        LazyLock::new(|| SPOKEN.into_iter().chain(BARE).collect());
    match text {
        "mười" | "muoi" => return Shape::Tens(Tens::Ten),
        "mươi" => return Shape::Tens(Tens::TimesTen),
        "trăm" | "tram" => return Shape::Tens(Tens::Hundred),
        "linh" | "lẻ" => return Shape::Tens(Tens::Odd),
        "hăm" => return Shape::Tens(Tens::Short('2')),
        "băm" => return Shape::Tens(Tens::Short('3')),
        _ => {}
    }
    if let Some(digit) = DIGITS.get(text) {
        return Shape::Spoken(digit.to_string());
    }
    let digits: Option<String> = match run.len() {
        1..=3 => run.iter().map(as_digit).collect(),
        9..=100 => run_together(text),
        _ => None,
    };
    digits.map_or(Shape::Word, Shape::Spoken)
}

/// The digits of spoken ones that are written without blanks: `khôngchínmột…`. Three syllables can be a word.
fn run_together(text: &str) -> Option<String> {
    let mut ends: Vec<Option<String>> = vec![None; text.len() + 1];
    ends[0] = Some(String::new());
    for at in 0..text.len() {
        let Some(digits) = ends[at].take() else {
            continue;
        };
        for (word, digit) in SPOKEN.iter().chain(&BARE) {
            if text.get(at..).is_some_and(|rest| rest.starts_with(word)) {
                ends[at + word.len()] = Some(format!("{digits}{digit}"));
            }
        }
    }
    ends.pop().flatten().filter(|digits| digits.len() > 3)
}

/// Neighbouring tokens that are one group of a number.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Its digits.
    pub digits: String,
    /// Its first token.
    pub first: usize,
    /// Its last token.
    pub last: usize,
    /// Spelt in words.
    pub is_spoken: bool,
    /// A part of a number that counts something.
    pub is_counted: bool,
}

/// The group that begins at token `at`. Spoken numbers of two or three digits are one group: `ba mươi tư`.
pub(super) fn group(tokens: &[Token], at: usize) -> Option<Group> {
    let made = |digits: String, last: usize, is_spoken| {
        Some(Group {
            digits,
            first: at,
            last,
            is_spoken,
            is_counted: false,
        })
    };
    let spoken = |index: usize| match tokens.get(index).map(|token| &token.shape) {
        Some(Shape::Spoken(digits)) => Some(digits.as_str()),
        _ => None,
    };
    let tens = |index: usize| match tokens.get(index).map(|token| &token.shape) {
        Some(Shape::Tens(tens)) => Some(*tens),
        _ => None,
    };
    // Tens and ones from `index` on, and the last token.
    let below_hundred = |index: usize| match (tens(index), spoken(index), tens(index + 1)) {
        (Some(Tens::Ten), ..) => Some(match spoken(index + 1) {
            Some(ones) => (format!("1{ones}"), index + 1),
            None => ("10".to_owned(), index),
        }),
        (_, Some(digit), Some(Tens::TimesTen)) => Some(match spoken(index + 2) {
            Some(ones) => (format!("{digit}{ones}"), index + 2),
            None => (format!("{digit}0"), index + 1),
        }),
        (Some(Tens::Odd), ..) => spoken(index + 1).map(|ones| (format!("0{ones}"), index + 1)),
        _ => None,
    };
    match &tokens.get(at)?.shape {
        Shape::Digits(digits) => made(digits.clone(), at, false),
        Shape::Spoken(digit) => {
            // `ba nghìn tám trăm bốn mươi hai`: how voices read four digits.
            let is_thousand = tokens
                .get(at + 1)
                .is_some_and(|token| token.is_one_of(&["nghìn", "ngàn"]))
                && tens(at + 3) == Some(Tens::Hundred);
            if is_thousand
                && let Some(rest) = group(tokens, at + 2).filter(|rest| rest.digits.len() == 3)
            {
                return made(format!("{digit}{}", rest.digits), rest.last, true);
            }
            if tens(at + 1) == Some(Tens::Hundred) {
                // `sáu trăm bảy tám`, as people say it in a hurry.
                let hurried = || {
                    let (ten, one) = (spoken(at + 2)?, spoken(at + 3)?);
                    // Behind a pause something else begins.
                    let next = tokens.get(at + 4).map_or(0, |next| next.from);
                    let is_near = next == tokens[at + 3].to + 1;
                    let goes_on = is_near && (spoken(at + 4).is_some() || tens(at + 4).is_some());
                    (!goes_on).then(|| (format!("{ten}{one}"), at + 3))
                };
                return match below_hundred(at + 2).or_else(hurried) {
                    Some((rest, last)) => made(format!("{digit}{rest}"), last, true),
                    None => made(format!("{digit}00"), at + 1, true),
                };
            }
            match below_hundred(at) {
                Some((digits, last)) => made(digits, last, true),
                None => made(digit.to_owned(), at, true),
            }
        }
        Shape::Tens(Tens::Ten) => {
            let (digits, last) = below_hundred(at)?;
            made(digits, last, true)
        }
        // `lẻ chín một hai`: some say so for a zero.
        Shape::Tens(Tens::Odd) => {
            let digit = spoken(at + 1).filter(|digits| digits.len() == 1)?;
            made(format!("0{digit}"), at + 1, true)
        }
        Shape::Tens(Tens::Short(ten)) => {
            let one = spoken(at + 1).filter(|digits| digits.len() == 1)?;
            made(format!("{ten}{one}"), at + 1, true)
        }
        Shape::Tens(_) | Shape::Word => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contacts::fold::{Markup, fold};

    fn groups(text: &str) -> Vec<String> {
        let tokens = tokens(&fold(text, Markup::Kept));
        let mut at = 0;
        let mut found = Vec::new();
        while at < tokens.len() {
            match group(&tokens, at) {
                Some(group) => {
                    at = group.last + 1;
                    found.push(group.digits);
                }
                None => at += 1,
            }
        }
        found
    }

    #[test]
    fn digits_are_found_in_letters_and_words() {
        for (text, expected) in [
            (
                "o912 O9l2 0I2 345nhé sđt0912 8h30",
                "0912 0912 012 345 0912 8 30",
            ),
            ("gọi0912", "0912"),
            ("O 912", "0 912"),
            ("không chín ba mươi tư năm mươi mười hai", "0 9 34 50 12"),
            (
                "ba trăm linh năm, hai trăm, một trăm hai mươi mốt",
                "305 200 121",
            ),
            ("khong chin mot", "0 9 1"),
        ] {
            assert_eq!(groups(text).join(" "), expected, "{text}");
        }
    }
}
