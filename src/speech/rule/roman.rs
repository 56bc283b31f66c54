//! Roman numerals: `khóa XIII`, `quý I/2024`, `cấp IV, V`.

use super::{Said, date::after_dash};
use crate::speech::{
    number::{cardinal, roman as roman_value},
    scene::Scene,
    token::{Kind, Token},
};

/// Words before a Roman numeral.
const ORDERED: [&str; 32] = [
    "quý",
    "khóa",
    "khoá",
    "kỳ",
    "kì",
    "chương",
    "phần",
    "mục",
    "thứ",
    "kỷ",
    "loại",
    "hạng",
    "cấp",
    "đợt",
    "đoạn",
    "vực",
    "vùng",
    "nhóm",
    "tập",
    "quyển",
    "hội",
    "bảng",
    "bước",
    "lục",
    "vòng",
    "bậc",
    "điều",
    "diện",
    "lần",
    "hệ",
    "đời",
    "tiểu học",
];

/// The value of a number or Roman numeral.
pub(super) fn roman_or_number(token: &Token<'_>) -> Option<u32> {
    match token.kind {
        Kind::Number => token.small(),
        Kind::Word => roman_value(token.text),
        _ => None,
    }
}

/// `khóa XIII`, `thế kỷ XIX-XX`, `II. Nội dung`.
pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    if !token.is(Kind::Word) || scene.is_glued() || matches!(scene.token(1).kind, Kind::Number) {
        return None;
    }
    let value = roman_value(token.text)?;
    // Many names and formulas have an L, a C or a D.
    let is_common = token.text.len() > 1 || matches!(token.text, "I" | "V" | "X");
    let is_counted = scene.previous() == "số"
        && token.text.bytes().all(|byte| b"IV".contains(&byte))
        && !scene.token(1).is_sign("/");
    let is_counted = is_counted || is_listed(scene);
    let is_ordered = (ORDERED.contains(&scene.previous()) && is_common) || is_counted;
    let is_heading = scene.begins_line()
        && (matches!(scene.token(1).text, "." | ")")
            // V/v is no fifth part.
            || scene.token(1).is_sign("/") && !scene.token(2).is(Kind::Word));
    let is_plain = token.text.len() >= 2
        && token.text.bytes().all(|byte| b"IVX".contains(&byte))
        && !super::abbreviation::is_shouted(scene);
    if !is_ordered && !is_heading && !is_plain {
        return None;
    }
    let voice = scene.speech.voice;
    if let Some(next) = after_dash(scene, 1)
        && let Some(second) = roman_value(scene.token(next).text)
    {
        return Some(Said::new(
            next + 1,
            format!(
                "{} đến {}",
                cardinal(&value.to_string(), voice),
                cardinal(&second.to_string(), voice)
            ),
        ));
    }
    // Phụ lục II-5 is no span of years.
    if matches!(scene.previous(), "lục" | "mẫu" | "biểu")
        && scene.token(1).is_sign("-")
        && scene.token(2).is(Kind::Number)
    {
        let [one, other] =
            [&*value.to_string(), scene.token(2).text].map(|part| cardinal(part, voice));
        return Some(Said::new(3, format!("{one} gạch {other}")));
    }
    let words = match (scene.previous(), value) {
        ("thứ", 1) => "nhất".to_owned(),
        ("thứ", 4) => "tư".to_owned(),
        _ => cardinal(&value.to_string(), voice),
    };
    let (mark, number) = (scene.token(1), scene.token(2));
    if mark.is_sign("/") && super::date::is_year(number.text) {
        return Some(Said::new(
            3,
            format!("{words} năm {}", cardinal(number.text, voice)),
        ));
    }
    if mark.is_sign(".") && number.is(Kind::Number) {
        return Some(Said::new(
            3,
            format!("{words} chấm {}", cardinal(number.text, voice)),
        ));
    }
    let slash = usize::from(is_heading && scene.token(1).text != ".");
    Some(Said::new(
        1 + slash,
        if slash == 1 {
            format!("{words},")
        } else {
            words
        },
    ))
}

/// Whether other Roman numerals stand beside: `cấp IV, V`, `các mức I, II và III`.
fn is_listed(scene: &Scene<'_>) -> bool {
    let is_roman = |token: &Token<'_>, least: usize| {
        token.text.len() >= least && token.text.bytes().all(|byte| b"IVX".contains(&byte))
    };
    let is_joint = |token: &Token<'_>| matches!(&*token.lower, "," | "và" | "hoặc" | "đến");
    let joint = 1 + usize::from(scene.back(1).is(Kind::Space));
    let before = joint + 1 + usize::from(scene.back(joint + 1).is(Kind::Space));
    let behind = scene.skip_space(1);
    let next = scene.skip_space(behind + 1);
    is_roman(scene.token(0), 1)
        && ((is_joint(scene.back(joint)) && is_roman(scene.back(before), 1))
            || (is_joint(scene.token(behind)) && is_roman(scene.token(next), 2)))
}
