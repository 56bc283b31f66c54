//! What is written with a slash between numbers: shares, parts, scales, round the clock; and what is written like them.

use super::{Said, date::HOUSES, quantity::numeral, share::is_counted, unit};
use crate::speech::{
    number::{cardinal, one_by_one},
    scene::Scene,
    token::Kind,
};

/// `24/7`, `24/24h`, `7/7`.
pub(super) fn around_the_clock(scene: &Scene<'_>) -> Option<Said> {
    let (first, second) = (scene.token(0), scene.token(2));
    if scene.is_glued() || !scene.token(1).is_sign("/") || scene.token(3).is_sign("/") {
        return None;
    }
    let is_day = matches!(
        scene.previous(),
        "ngày" | "sáng" | "trưa" | "chiều" | "tối" | "đêm" | "đến" | "tới" | "hôm" | "dịp"
    );
    if is_day || !matches!((first.text, second.text), ("24", "7" | "24") | ("7", "7")) {
        return None;
    }
    let voice = scene.speech.voice;
    let text = format!(
        "{} trên {}",
        cardinal(first.text, voice),
        cardinal(second.text, voice)
    );
    Some(match scene.token(3).text {
        "h" | "H" => Said::new(4, format!("{text} giờ")),
        _ => Said::new(3, text),
    })
}

/// `95,5/100`, `1,85/2,1 triệu`: so much of so much; `8/9/7,75`: marks in a row.
pub(super) fn mark(scene: &Scene<'_>) -> Option<Said> {
    if scene.is_glued() || scene.back(1).is_sign("/") {
        return None;
    }
    let first = numeral(scene, 0)?;
    let second = numeral(scene, first.end + 1).filter(|_| scene.token(first.end).is_sign("/"))?;
    if scene.token(second.end).is_sign("/") {
        let third = numeral(scene, second.end + 1)?;
        let numbers = [&first, &second, &third];
        let is_row = numbers.iter().any(|number| number.decimals.is_some())
            && !scene.token(third.end).is_sign("/");
        let words = numbers.map(|number| number.say(scene)).join(", ");
        return is_row.then(|| Said::new(third.end, words));
    }
    first.decimals.as_ref()?;
    let text = format!("{} trên {}", first.say(scene), second.say(scene));
    Some(match unit::after_number(scene, second.end) {
        Some((unit, end)) => Said::new(end, format!("{text} {unit}")),
        None => Said::new(second.end, text),
    })
}

/// `1/2`, `2/3`; `số 5/7 đường`; `12/15 phường`.
pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let (first, second) = (scene.token(0), scene.token(2));
    if scene.is_glued()
        || !first.is(Kind::Number)
        || !scene.token(1).is_sign("/")
        || !second.is(Kind::Number)
    {
        return None;
    }
    let voice = scene.speech.voice;
    let mut end = 3;
    // 22/0,4kV
    if let Some(other) = numeral(scene, 2).filter(|other| other.decimals.is_some())
        && let Some((unit, end)) = unit::after_number(scene, other.end)
    {
        let first = cardinal(first.text, voice);
        return Some(Said::new(
            end,
            format!("{first} trên {} {unit}", other.say(scene)),
        ));
    }
    // 50/50, 70/30: shares of a hundred.
    if let (Some(one), Some(other)) = (first.small(), second.small())
        && one + other == 100
        && first.text.len() == 2
        && second.text.len() == 2
        && !is_counted(scene, 3)
    {
        let [one, other] = [first, second].map(|token| cardinal(token.text, voice));
        return Some(Said::new(3, format!("{one} {other}")));
    }
    // 1/25.000 is the scale of a map.
    if first.text == "1"
        && let Some(scale) =
            numeral(scene, 2).filter(|scale| scale.end > 3 && scale.decimals.is_none())
    {
        let text = format!("một trên {}", scale.say(scene));
        return Some(Said::new(scale.end, text));
    }
    let is_house = HOUSES.iter().any(|word| scene.follows(word));
    let is_share = is_counted(scene, 3) || scene.next_word(3) == "điểm";
    let is_part = !is_house
        && !is_share
        && !scene.token(3).is_sign("/")
        && first.text.len() <= 2
        && second.text.len() <= 3
        && {
            let (numerator, denominator) = (first.small()?, second.small()?);
            numerator > 0
                && (numerator < denominator || super::date::is_rank(scene))
                && (denominator <= 10 || matches!(denominator, 100 | 1000))
        };
    if is_part {
        let denominator = if second.text == "4" {
            "tư".to_owned()
        } else {
            cardinal(second.text, voice)
        };
        return Some(Said::new(
            3,
            format!("{} phần {denominator}", cardinal(first.text, voice)),
        ));
    }
    let mut text = format!(
        "{} trên {}",
        cardinal(first.text, voice),
        cardinal(second.text, voice)
    );
    while scene.token(end).is_sign("/") && scene.token(end + 1).is(Kind::Number) && end < 12 {
        text.push_str(" trên ");
        text.push_str(&cardinal(scene.token(end + 1).text, voice));
        end += 2;
    }
    Some(Said::new(end, text))
}

/// `192.168.1.1`: four numbers below 256 with dots between, which are no thousands.
pub(super) fn machine(scene: &Scene<'_>) -> Option<Said> {
    if scene.is_glued()
        || scene.back(1).is_sign(".")
        || scene.token(7).is_sign(".") && scene.token(8).is(Kind::Number)
    {
        return None;
    }
    let parts = [0, 2, 4, 6].map(|at| scene.token(at));
    let is_machine = parts
        .iter()
        .all(|part| part.small().is_some_and(|part| part < 256))
        && [1, 3, 5].iter().all(|at| scene.token(*at).is_sign("."))
        && parts[1..].iter().any(|part| part.text.len() < 3)
        && parts
            .iter()
            .all(|part| part.text == "0" || !part.text.starts_with('0'));
    is_machine.then(|| {
        let parts = parts.map(|part| cardinal(part.text, scene.speech.voice));
        Said::new(7, parts.join(" chấm "))
    })
}

/// `5(20)A`: what a meter of electricity is made for, and what it bears.
pub(super) fn rating(scene: &Scene<'_>) -> Option<Said> {
    let (usual, most) = (scene.token(0), scene.token(2));
    let is_rating = !scene.is_glued()
        && usual.is(Kind::Number)
        && scene.token(1).is_sign("(")
        && most.is(Kind::Number)
        && scene.token(3).is_sign(")")
        && scene.token(4).text == "A";
    let voice = scene.speech.voice;
    is_rating.then(|| {
        let (usual, most) = (cardinal(usual.text, voice), cardinal(most.text, voice));
        Said::new(5, format!("{usual}, {most} am pe"))
    })
}

/// `TCVN 5945:2010`, `QCVN 06:2022/BXD`: the number of a standard, its year, and who issued it.
pub(super) fn standard(scene: &Scene<'_>) -> Option<Said> {
    let (number, year) = (scene.token(0), scene.token(2));
    let is_standard = matches!(scene.previous(), "tcvn" | "qcvn" | "tcxdvn" | "iso" | "iec")
        && number.is(Kind::Number)
        && scene.token(1).is_sign(":")
        && super::date::is_year(year.text);
    if !is_standard {
        return None;
    }
    let voice = scene.speech.voice;
    let number = if number.text.starts_with('0') {
        one_by_one(number.text)
    } else {
        cardinal(number.text, voice)
    };
    let text = format!("{number} năm {}", cardinal(year.text, voice));
    let issuer = scene
        .token(3)
        .is_sign("/")
        .then(|| super::document::issuer(scene.token(4).text));
    Some(match issuer.flatten() {
        Some(issuer) => Said::new(5, format!("{text} của {issuer}")),
        None => Said::new(3, text),
    })
}
