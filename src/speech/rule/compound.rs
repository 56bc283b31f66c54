//! Numbers with a unit inside, as people say them: `2tr5`, `1m70`, `3kg2`, `13"45`; and spans of such.

use super::{
    Said,
    date::after_dash,
    quantity::{Numeral, numeral},
    unit,
};
use crate::speech::{number::cardinal, scene::Scene, token::Kind};

/// `2tr5`, `1k5`: two million five hundred thousand.
pub(super) fn million_and(scene: &Scene<'_>, number: &Numeral) -> Option<Said> {
    let (unit, below) = match scene.token(number.end).text {
        "tr" | "Tr" | "triệu" => ("triệu", scene.speech.voice.nghin),
        "k" | "K" => (scene.speech.voice.nghin, ""),
        // 1m70
        "m" => {
            let rest = scene.token(number.end + 1);
            let is_height =
                rest.is(Kind::Number) && rest.text.len() <= 2 && !matches!(rest.text, "2" | "3");
            // 1m05: without its zero it is half a metre more.
            let zero = if rest.text.len() == 2 && rest.text.starts_with('0') {
                "không "
            } else {
                ""
            };
            let rest = is_height.then(|| cardinal(rest.text, scene.speech.voice))?;
            let rest = format!("{zero}{rest}");
            return Some(Said::new(
                number.end + 2,
                format!("{} mét {rest}", number.say(scene)),
            ));
        }
        _ => return None,
    };
    let rest = scene.token(number.end + 1);
    if !rest.is(Kind::Number) || rest.text.len() > 3 {
        return None;
    }
    let rest = cardinal(&format!("{:0<3}", rest.text), scene.speech.voice);
    let text = format!("{} {unit} {rest} {below}", number.say(scene));
    // 1tr790/mũi
    let (per, end) =
        unit::per(scene, number.end + 2, "đồng").unwrap_or((String::new(), number.end + 2));
    Some(Said::new(end, format!("{}{per}", text.trim_end())))
}

/// `1m50-1m60`, `1tr5-2tr`: a span of which an end has two units.
pub(super) fn compound_span(scene: &Scene<'_>, first: &Numeral) -> Option<Said> {
    let whole = |at: usize| {
        let scene = Scene {
            at: scene.at + at,
            ..*scene
        };
        let number = numeral(&scene, 0)?;
        let said = million_and(&scene, &number);
        let is_compound = said.is_some();
        let (text, end) = said.map(|said| (said.text, said.tokens)).or_else(|| {
            let (unit, end) = unit::after_number(&scene, number.end)?;
            Some((format!("{} {unit}", number.say(&scene)), end))
        })?;
        Some((text, at + end, is_compound))
    };
    scene.token(first.end).is(Kind::Word).then_some(())?;
    let (one, end, is_one) = whole(0)?;
    let (other, end, is_other) = whole(after_dash(scene, end)?)?;
    (is_one || is_other).then(|| Said::new(end, format!("{one} đến {other}")))
}

/// `3kg2`, `2ha3`, `38oC5`: a digit behind the unit is a decimal.
pub(super) fn decimal_behind(scene: &Scene<'_>, number: &Numeral) -> Option<Said> {
    let unit = match scene.token(number.end).text {
        "kg" => "ki lô gam",
        "ha" => "héc ta",
        "oC" => "độ xê",
        "lít" => "lít",
        _ => return None,
    };
    let digit = scene.token(number.end + 1);
    let is_decimal = digit.is(Kind::Number)
        && digit.text.len() == 1
        && number.decimals.is_none()
        && !matches!(scene.token(number.end + 2).kind, Kind::Word | Kind::Number);
    is_decimal.then(|| {
        let decimal = cardinal(digit.text, scene.speech.voice);
        Said::new(
            number.end + 2,
            format!("{} phẩy {decimal} {unit}", number.say(scene)),
        )
    })
}

/// `13"45`: seconds and hundredths of them.
pub(super) fn seconds(scene: &Scene<'_>, number: &Numeral) -> Option<Said> {
    let rest = scene.token(number.end + 1);
    let is_split = matches!(scene.token(number.end).text, "\"" | "″" | "''" | "”")
        && rest.is(Kind::Number)
        && rest.text.len() <= 2
        && number.decimals.is_none();
    is_split.then(|| {
        let rest = cardinal(rest.text, scene.speech.voice);
        Said::new(number.end + 2, format!("{} giây {rest}", number.say(scene)))
    })
}
