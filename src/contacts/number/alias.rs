//! Bank accounts that are told by a name instead of a number: banks sell such names, and take their owner's.

use super::{Number, around::is_bank, words::PAYING};
use crate::contacts::{
    Kind, Use,
    call::is_pair,
    fold::Letter,
    token::{Shape, Token},
};

/// Words between an account and its name.
const BETWEEN: [&str; 18] = [
    "thụ", "hưởng", "của", "ông", "bà", "anh", "chị", "cô", "chú", "là", "số", "tên", "mang",
    "chủ", "đứng", "có", "nhận", "nick",
];

/// Words between the name and the bank.
const TO_BANK: [&str; 7] = ["mở", "tại", "ở", "của", "bên", "thuộc", "nhé"];

/// Shorter ones are abbreviations.
const SHORTEST: usize = 6;

/// More words than this are no person's name.
const LONGEST: usize = 6;

/// Words that tell of what happened, or tell people not to.
const TELLING: [&str; 10] = [
    "nạn", "kẻ", "gian", "bị", "lừa", "đã", "tượng", "không", "đừng", "yêu",
];

/// How far before an account a word for paying stands.
const REACH: usize = 14;

/// The accounts told by a name.
pub(super) fn aliases(letters: &[Letter], tokens: &[Token]) -> Vec<Number> {
    let accounts = (0..tokens.len()).filter(|at| {
        let token = &tokens[*at];
        let is_short = token.text == "tk"
            && (letters[token.from].is_upper || *at > 0 && tokens[*at - 1].text == "số");
        is_pair(tokens, *at, ("tài", "khoản"))
            || matches!(token.text.as_str(), "stk" | "tknh")
            || is_short
    });
    accounts
        .filter_map(|at| alias(letters, tokens, at))
        .collect()
}

fn alias(letters: &[Letter], tokens: &[Token], at: usize) -> Option<Number> {
    let mut first = at + 1;
    while first - at <= 4 && tokens.get(first)?.is_exactly_one_of(&BETWEEN) {
        first += 1;
    }
    let token = tokens.get(first)?;
    let is_same = |other: &Token| other.sentence == tokens[at].sentence;
    if !is_same(token) || token.shape != Shape::Word {
        return None;
    }
    let last = code(letters, tokens, first)
        .filter(|_| !is_bank(token))
        .or_else(|| {
            let is_owner = tokens[at + 1..first]
                .iter()
                .any(|word| matches!(word.text.as_str(), "tên" | "chủ" | "của"));
            let paid = tokens[..at]
                .iter()
                .rev()
                .take(REACH)
                .take_while(|word| is_same(word));
            // What happened to somebody leads nobody there.
            let is_told = paid.clone().any(|word| word.is_exactly_one_of(&TELLING));
            let is_paid = paid
                .clone()
                .any(|word| word.is_exactly_one_of(&PAYING) || word.text == "ủng");
            (is_owner && is_paid && !is_told)
                .then(|| person(letters, tokens, first))
                .flatten()
        })?;
    let mut next = last + 1;
    while tokens
        .get(next)
        .is_some_and(|word| word.is_exactly_one_of(&TO_BANK))
        && next - last <= 3
    {
        next += 1;
    }
    let bank = tokens.get(next).filter(|word| is_same(word))?;
    let is_named = is_bank(bank)
        || bank.text == "ngân" && tokens.get(next + 1).is_some_and(|word| word.text == "hàng");
    is_named.then(|| {
        let run = &letters[token.from..tokens[last].to];
        Number {
            kind: Kind::BankAccount,
            from: token.from,
            to: tokens[last].to,
            digits: run.iter().map(|letter| letter.c).collect(),
            used: Use::Itself,
        }
    })
}

/// The last token of a word in capitals, with digits behind it or without, among words that are not: `XOMDONG`, `QUYXOM5`.
fn code(letters: &[Letter], tokens: &[Token], first: usize) -> Option<usize> {
    let mut last = first;
    while tokens
        .get(last + 1)
        .is_some_and(|next| next.from == tokens[last].to)
    {
        last += 1;
    }
    let run = &letters[tokens[first].from..tokens[last].to];
    let is_capital = |letter: &Letter| letter.is_ascii && (letter.is_upper || letter.is_digit());
    let before = &tokens[first - 1];
    let is_shouted = before.to - before.from > 3
        && letters[before.from..before.to]
            .iter()
            .all(|letter| letter.is_upper);
    (run.len() >= SHORTEST && run.iter().all(is_capital) && !is_shouted).then_some(last)
}

/// The last token of words with capitals.
fn person(letters: &[Letter], tokens: &[Token], first: usize) -> Option<usize> {
    let is_upper = |at: usize| letters[tokens[at].from].is_upper;
    let mut last = first;
    while last - first < LONGEST
        && tokens.get(last + 1).is_some_and(|next| !is_bank(next))
        && is_upper(last + 1)
        && letters[tokens[last].to..tokens[last + 1].from]
            .iter()
            .all(|letter| letter.c == ' ')
    {
        last += 1;
    }
    (is_upper(first) && last > first).then_some(last)
}
