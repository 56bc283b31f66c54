//! Plates of cars and motorcycles: `37H-045.67`, `38P1-678.90`. Some of their letters are units, too, and their digits look
//! like a span; nothing else is written like them, so they come first. The forms are those of Thông tư 79/2024/TT-BCA.

use super::{Said, word::is_letters};
use crate::speech::{
    lexicon,
    number::one_by_one,
    scene::Scene,
    token::{Kind, Token},
};

/// The parts of a plate, and how many tokens it takes.
struct Plate<'s> {
    place: &'s Token<'s>,
    series: &'s Token<'s>,
    digits: Vec<&'s Token<'s>>,
    /// Whether three digits, a dot and two follow a dash or a space.
    is_dotted: bool,
    has_dash: bool,
    end: usize,
}

fn plate<'s>(scene: &Scene<'s>) -> Option<Plate<'s>> {
    let [place, series] = [0, 1].map(|at| scene.token(at));
    let is_begun = !scene.is_glued()
        && place.is(Kind::Number)
        && place.text.len() == 2
        && is_letters(series)
        && series.text.chars().count() <= 2;
    if !is_begun {
        return None;
    }
    let motor = scene.token(2);
    let has_motor = motor.is(Kind::Number) && motor.text.len() == 1;
    let gap = 2 + usize::from(has_motor);
    let dash = scene.skip_space(gap);
    let has_dash = scene.token(dash).is_dash();
    let at = if has_dash {
        scene.skip_space(dash + 1)
    } else {
        dash
    };
    let first = scene.token(at);
    if at == gap || !first.is(Kind::Number) {
        return None;
    }
    let mut digits = Vec::new();
    digits.extend(has_motor.then_some(motor));
    digits.push(first);
    let last = scene.token(at + 2);
    let is_dotted = first.text.len() == 3
        && scene.token(at + 1).is_sign(".")
        && last.is(Kind::Number)
        && last.text.len() == 2;
    digits.extend(is_dotted.then_some(last));
    let end = if is_dotted { at + 3 } else { at + 1 };
    let goes_on = matches!(scene.token(end).kind, Kind::Word | Kind::Number)
        || (matches!(scene.token(end).text, "." | ",") && scene.token(end + 1).is(Kind::Number));
    (!goes_on).then_some(Plate {
        place,
        series,
        digits,
        is_dotted,
        has_dash,
        end,
    })
}

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    const NAMES: [&str; 7] = [
        "biển số",
        "biển kiểm soát",
        "bks",
        "biển số xe",
        "biển",
        "xe",
        "ô tô",
    ];
    let plate = plate(scene)?;
    let length = plate.digits.last()?.text.len();
    // A space where a dash should be, or no dot, may be anything unless a word says what it is.
    let is_announced = || {
        NAMES
            .iter()
            .any(|name| scene.follows(name) || scene.follows(&format!("{name} :")))
    };
    let is_plate = plate.is_dotted
        || (length == 5 && plate.has_dash)
        || ((3..=5).contains(&length) && is_announced());
    if !is_plate {
        return None;
    }
    let mut said = vec![
        one_by_one(plate.place.text),
        lexicon::spell(plate.series.text)?,
    ];
    said.extend(plate.digits.iter().map(|part| one_by_one(part.text)));
    Some(Said::new(plate.end, said.join(" ")))
}
