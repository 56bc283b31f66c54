//! Sums whose groups of digits are none: `1.23.456 đồng`, `1.000.00 đồng`. A digit is missing or one too many, and nobody can
//! tell which; they are said as they stand, and reported.

use super::{Said, unit};
use crate::speech::{
    ProblemKind,
    number::{cardinal, one_by_one},
    scene::Scene,
    token::Kind,
};

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    /// More groups than this are nobody's money.
    const MOST: usize = 8;
    let is_rest =
        matches!(scene.back(1).text, "." | "," | "/" | "-") && scene.back(2).is(Kind::Number);
    if !scene.token(0).is(Kind::Number) || scene.is_glued() || is_rest {
        return None;
    }
    let sign = scene.token(1).text;
    let name = match sign {
        "." => "chấm",
        "," => "phẩy",
        _ => return None,
    };
    let mut groups = vec![scene.token(0).text];
    let mut end = 1;
    while scene.token(end).text == sign
        && scene.token(end + 1).is(Kind::Number)
        && groups.len() < MOST
    {
        groups.push(scene.token(end + 1).text);
        end += 2;
    }
    // One comma stands before decimals.
    let is_grouped = groups.len() > 2 || (sign == "." && groups.len() == 2);
    let is_good = groups[1..].iter().all(|group| group.len() == 3) && groups[0].len() <= 3;
    if !is_grouped || is_good {
        return None;
    }
    let (unit, end) = unit::after_number(scene, end)
        .filter(|(unit, _)| unit.starts_with("đồng"))
        .or_else(|| {
            let word = scene.skip_space(end);
            (scene.word(word) == "đồng").then(|| ("đồng".to_owned(), word + 1))
        })?;
    let voice = scene.speech.voice;
    let said: Vec<String> = groups
        .iter()
        .map(|group| {
            if group.starts_with('0') {
                one_by_one(group)
            } else {
                cardinal(group, voice)
            }
        })
        .collect();
    let text = format!("{} {unit}", said.join(&format!(" {name} ")));
    Some(Said::wrong(end, text, ProblemKind::Ambiguous))
}
