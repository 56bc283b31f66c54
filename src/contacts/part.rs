//! Telephone numbers told in parts with words between: `bốn số đầu 0912, sáu số cuối 345678`.

use super::{
    Kind, Use,
    claim::is_measured,
    fold::Letter,
    number::Number,
    numbering::{is_telephone, national},
    token::{Group, Shape, Token},
};

/// Words of which one stands between the parts, or before the later one.
const JOINTS: [&str; 17] = [
    "kế", "tục", "thúc", "giữa", "cuối", "đuôi", "sau", "tiếp", "rồi", "lại", "nối", "ghép",
    "thêm", "đến", "tới", "đầu", "trước",
];

/// Words that say of a part that it comes first though it stands last.
const FIRST: [&str; 2] = ["đầu", "trước"];

/// Words behind a number that counts digits: `sáu số cuối`.
const DIGITS: [&str; 4] = ["số", "chữ", "con", "ký"];

/// Parts further apart than so many words belong to no one number.
const REACH: usize = 12;

/// More parts than this are no number that anybody can keep in mind.
const MOST: usize = 6;

/// Digits that stand together.
struct Run {
    digits: String,
    first: usize,
    last: usize,
}

/// The numbers told in parts among `groups` of digits.
pub(super) fn parted(letters: &[Letter], tokens: &[Token], groups: &[Group]) -> Vec<Number> {
    let runs = runs(letters, tokens, groups);
    let mut found = Vec::new();
    for (at, first) in runs.iter().enumerate() {
        let mut digits = first.digits.clone();
        let mut last = first;
        for next in runs[at + 1..].iter().take(MOST - 1) {
            let between = &tokens[last.last + 1..next.first];
            let is_joint = |words: &[&str]| between.iter().any(|word| word.is_one_of(words));
            // Nobody goes on with a number behind a whole sentence that speaks of something else.
            let (this, that) = (tokens[last.last].sentence, tokens[next.first].sentence);
            let is_over_another = between
                .iter()
                .any(|word| word.sentence != this && word.sentence != that);
            if between.len() > REACH || is_over_another || !is_joint(&JOINTS) {
                break;
            }
            let turned = format!("{}{digits}", next.digits);
            digits.push_str(&next.digits);
            last = next;
            let is_turned = is_joint(&FIRST) && is_telephone(&national(&turned));
            if is_turned || is_telephone(&national(&digits)) {
                found.push(Number {
                    kind: Kind::Phone,
                    from: tokens[first.first].from,
                    to: tokens[next.last].to,
                    digits: national(if is_turned { &turned } else { &digits }),
                    used: Use::Itself,
                });
                break;
            }
        }
    }
    found
}

/// Groups that nothing parts, without those that count digits.
fn runs(letters: &[Letter], tokens: &[Token], groups: &[Group]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for group in groups {
        let counts_digits = tokens
            .get(group.last + 1)
            .is_some_and(|next| next.is_one_of(&DIGITS));
        // `sáu số sau 345678`: without its marks `sáu` is written as this word.
        let says_where = tokens[group.last].text == "sau"
            && (group
                .first
                .checked_sub(1)
                .is_some_and(|before| tokens[before].is_one_of(&DIGITS))
                || tokens
                    .get(group.last + 1)
                    .is_some_and(|next| next.is_one_of(&["đó", "cùng", "rốt", "hết", "nữa"])));
        // `năm` is a year and a digit.
        let is_measure = tokens
            .get(group.last + 1)
            .is_some_and(|next| next.shape == Shape::Word)
            && is_measured(letters, tokens, group.last);
        let is_counted = group.is_counted || (group.digits.len() <= 3 && is_measure);
        if is_counted || says_where || (counts_digits && group.digits.len() == 1) {
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.last + 1 == group.first => {
                run.digits.push_str(&group.digits);
                run.last = group.last;
            }
            _ => runs.push(Run {
                digits: group.digits.clone(),
                first: group.first,
                last: group.last,
            }),
        }
    }
    runs
}
