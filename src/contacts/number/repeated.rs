//! Digits told by how often they come: `ba con bốn` is 444, `tứ quý 8` is 8888. Such words also join the digits of a number one by one,
//! so this is a second reading of a text, out of which only whole telephone numbers count.

use crate::contacts::token::{Group, Shape, Token};

/// What several equal digits are called.
const SETS: [(&str, &str, usize); 6] = [
    ("tam", "hoa", 3),
    ("tam", "quý", 3),
    ("tứ", "quý", 4),
    ("ngũ", "quý", 5),
    ("lục", "quý", 6),
    ("thất", "quý", 7),
];

/// The group that begins at token `at` with a digit and how often it comes.
pub(super) fn repeated(tokens: &[Token], at: usize) -> Option<Group> {
    let digits = |at: usize| match &tokens.get(at)?.shape {
        Shape::Digits(digits) | Shape::Spoken(digits) => Some(digits.as_str()),
        Shape::Tens(_) | Shape::Word => None,
    };
    let (first, second) = (tokens.get(at)?, tokens.get(at + 1)?);
    let set = SETS
        .iter()
        .find(|(one, other, _)| first.text == *one && second.text == *other)
        .map(|(.., count)| *count);
    let is_counted = second.is_exactly_one_of(&["con", "số", "lần"]);
    let counted = || {
        let count = digits(at).filter(|count| count.len() == 1 && is_counted)?;
        count.parse().ok().filter(|count| (2..=8).contains(count))
    };
    let count = set.or_else(counted)?;
    let digit = digits(at + 2)?;
    let is_near = first.to + 1 == second.from && tokens[at + 2].from == second.to + 1;
    let longest = if second.text == "lần" { 3 } else { 1 };
    (is_near && digit.len() <= longest).then(|| Group {
        digits: digit.repeat(count),
        first: at,
        last: at + 2,
        is_spoken: true,
        is_counted: false,
    })
}
