//! Free and shared-cost hotlines whose last digits are written as letters: those of a keypad (`1900 VINH`), or masked ones that
//! nobody filled in (`1900 xxxx`).

use super::{claim, fold::Letter, token::Token};

/// A hotline as found.
#[derive(Debug, Clone)]
pub(super) struct Hotline {
    /// Its first digit.
    pub from: usize,
    /// The letter behind its last one.
    pub to: usize,
    /// Its digits; what is masked stays as it is written.
    pub digits: String,
}

/// So many digits they begin with.
pub(super) const PREFIX: usize = 4;

/// How hotlines begin; what follows has four digits, or six (Thông tư 22/2014/TT-BTTTT, Quy hoạch kho số viễn thông).
const PREFIXES: [&str; 2] = ["1900", "1800"];

/// Letters of a hotline; words that are dialled can be longer than the number.
const LETTERS: std::ops::RangeInclusive<usize> = 3..=8;

/// Words in capitals behind a number that count.
const MEASURES: [&str; 4] = ["calo", "euro", "watt", "volt"];

/// The hotlines in a text.
pub(super) fn hotlines(letters: &[Letter], tokens: &[Token]) -> Vec<Hotline> {
    let is_prefix = |at: &usize| {
        let token = &tokens[*at];
        let begins = letters[token.from..]
            .iter()
            .take(PREFIX)
            .map(|letter| letter.c);
        let begins: String = begins.collect();
        let is_alone = token.from == 0 || !letters[token.from - 1].is_word();
        let ends = letters.get(token.from + PREFIX);
        is_alone
            && PREFIXES.contains(&begins.as_str())
            && !ends.is_some_and(Letter::is_digit)
            && !(*at > 0 && tokens[*at - 1].is_exactly_one_of(&claim::BEFORE_YEAR))
    };
    let prefixes = (0..tokens.len()).filter(is_prefix);
    prefixes
        .filter_map(|at| hotline(letters, tokens[at].from))
        .collect()
}

fn hotline(letters: &[Letter], from: usize) -> Option<Hotline> {
    let rest = &letters[from + PREFIX..];
    let signs = rest.iter().take(3);
    let signs = signs
        .take_while(|letter| matches!(letter.c, ' ' | '.' | '-' | '(' | ')'))
        .count();
    let rest = &rest[signs..];
    let masked = |letter: &&Letter| matches!(letter.c, 'x' | '*' | '#' | '?');
    let first = rest.first()?.c;
    let mask = rest
        .iter()
        .take_while(|letter| letter.c == first && masked(letter))
        .count();
    let goes_on = |length: usize| rest.get(length).is_some_and(Letter::is_word);
    let found = |length: usize, digits: String| Hotline {
        from,
        to: from + PREFIX + signs + length,
        digits: letters[from..from + PREFIX]
            .iter()
            .map(|letter| letter.c)
            .chain(digits.chars())
            .collect(),
    };
    if LETTERS.contains(&mask) && !goes_on(mask) {
        return Some(found(mask, rest[..mask].iter().map(|l| l.c).collect()));
    }
    let run = rest.iter().take_while(|letter| letter.is_word()).count();
    let word = &rest[..run];
    let plain: String = word.iter().map(|letter| letter.c).collect();
    let is_ascii = word
        .iter()
        .all(|letter| letter.is_ascii && !letter.is_digit());
    let in_order = "abcdefgh".starts_with(&plain);
    let is_dialled = word.iter().all(|letter| letter.is_upper)
        && !MEASURES.contains(&plain.as_str())
        && !is_shouted(letters, from, from + PREFIX + signs + run);
    if !is_ascii || !LETTERS.contains(&run) || run < 4 || !(in_order || is_dialled) {
        return None;
    }
    Some(found(run, plain.chars().filter_map(key).collect()))
}

/// Whether the words around are in capitals too, so that a word in capitals says nothing.
fn is_shouted(letters: &[Letter], from: usize, to: usize) -> bool {
    let is_word = |letter: &&Letter| letter.c.is_alphabetic();
    let before = letters[..from].iter().rev().take(12).find(is_word);
    let behind = letters[to..].iter().take(12).find(is_word);
    before.is_some_and(|letter| letter.is_upper) || behind.is_some_and(|letter| letter.is_upper)
}

/// The key of a telephone that has a letter on it (ITU-T E.161).
fn key(c: char) -> Option<char> {
    Some(match c {
        'a'..='c' => '2',
        'd'..='f' => '3',
        'g'..='i' => '4',
        'j'..='l' => '5',
        'm'..='o' => '6',
        'p'..='s' => '7',
        't'..='v' => '8',
        'w'..='z' => '9',
        _ => return None,
    })
}
