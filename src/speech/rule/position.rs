//! Places on the globe, and how strong the earth shook there: their dot stands before decimals.

use super::{Said, letter, quantity::numeral};
use crate::speech::{number::cardinal, number::one_by_one, scene::Scene, token::Kind};

/// `14.862 độ vĩ Bắc`, `21.028°N`, `tọa độ 18.6796; 105.6813`, `động đất M 3.7`.
pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    magnitude(scene)
        .or_else(|| degrees(scene))
        .or_else(|| side(scene))
}

/// The letter behind minutes and seconds of a degree: `21°01'42"N`.
fn side(scene: &Scene<'_>) -> Option<Said> {
    /// How far back the degrees are, in tokens.
    const REACH: usize = 9;
    let letter = scene.token(0).text;
    let is_side = matches!(letter, "N" | "S" | "E" | "W")
        && matches!(scene.back(1).text, "\"" | "'" | "″" | "′" | "''")
        && scene.back(2).is(Kind::Number)
        && (3..REACH).any(|back| matches!(scene.back(back).text, "°" | "º"));
    is_side.then(|| {
        let side = letter::bearing(scene, letter);
        Said::new(1, side.trim_start_matches("độ ").to_owned())
    })
}

fn degrees(scene: &Scene<'_>) -> Option<Said> {
    /// No degree is greater.
    const MOST: u32 = 180;
    const NAMED: [&str; 12] = [
        "vĩ độ",
        "kinh độ",
        "vĩ tuyến",
        "kinh tuyến",
        "vĩ độ :",
        "kinh độ :",
        "vĩ độ là",
        "kinh độ là",
        "tọa độ",
        "toạ độ",
        "tọa độ :",
        "toạ độ :",
    ];
    let (whole, decimals) = (scene.token(0), scene.token(2));
    let is_tied = matches!(scene.back(1).text, "." | ",") && scene.back(2).is(Kind::Number);
    let goes_on = matches!(scene.token(3).text, "." | ",") && scene.token(4).is(Kind::Number);
    let fits = !scene.is_glued()
        && !is_tied
        && !goes_on
        && whole.small().is_some_and(|whole| whole <= MOST)
        && scene.token(1).is_sign(".")
        && decimals.is(Kind::Number);
    if !fits {
        return None;
    }
    let unit = scene.skip_space(3);
    let is_degree = scene.precedes("độ vĩ", 3)
        || scene.precedes("độ kinh", 3)
        || scene.precedes("độ bắc", 3)
        || scene.precedes("độ đông", 3)
        || (matches!(scene.token(unit).text, "°" | "º")
            && matches!(scene.token(unit + 1).text, "N" | "S" | "E" | "W"));
    // tọa độ 18.6796; 105.6813: the second one, too.
    let is_named = |scene: &Scene<'_>| NAMED.iter().any(|name| scene.follows(name));
    let is_second = matches!(scene.back(2).text, "," | ";")
        && scene.back(4).is_sign(".")
        && scene.back(5).is(Kind::Number)
        && is_named(&Scene {
            at: scene.at - 5,
            ..*scene
        });
    let is_named = is_named(scene) || is_second;
    // 2345.678 is no degree, and 18.6 no thousand.
    (is_degree || is_named).then(|| {
        let voice = scene.speech.voice;
        let words = format!(
            "{} phẩy {}",
            cardinal(whole.text, voice),
            one_by_one(decimals.text)
        );
        match scene.token(unit + 1).text {
            side @ ("N" | "S" | "E" | "W") if matches!(scene.token(unit).text, "°" | "º") => {
                Said::new(
                    unit + 2,
                    format!("{words} {}", letter::bearing(scene, side)),
                )
            }
            _ => Said::new(3, words),
        }
    })
}

/// `M 3.7`, `M=5,1`: how strong an earthquake was.
fn magnitude(scene: &Scene<'_>) -> Option<Said> {
    const SHAKEN: [&str; 5] = ["động đất", "dư chấn", "rung chấn", "richter", "trận"];
    if scene.token(0).text != "M" || scene.is_glued() || !scene.cued(&SHAKEN) {
        return None;
    }
    let mark = scene.skip_space(1);
    let mark = mark + usize::from(scene.token(mark).is_sign("="));
    let number = numeral(scene, scene.skip_space(mark))?;
    number.decimals.as_ref()?;
    Some(Said::new(
        number.end,
        format!("độ lớn {}", number.say(scene)),
    ))
}
