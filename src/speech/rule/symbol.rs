//! Symbols behind what they stand for: `lưu lượng Q = 350 m3/s`; and letters and numbers that are short for words: `5in1`, `NV1`,
//! `VT2`, `N5`, `9T1L`.

use super::{Said, unit};
use crate::speech::{
    ProblemKind,
    lexicon::spell,
    number::cardinal,
    scene::Scene,
    token::{Kind, Token},
};

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    if scene.is_glued() {
        return None;
    }
    quantity(scene)
        .or_else(|| in_one(scene))
        .or_else(|| storeys(scene))
        .or_else(|| numbered(scene))
}

/// `lưu lượng Q = 350`, `rộng B=5,5m`: the word says already what the symbol says.
fn quantity(scene: &Scene<'_>) -> Option<Said> {
    const NAMED: [&str; 24] = [
        "lượng", "rộng", "dốc", "cao", "dài", "sâu", "dày", "kính", "tích", "suất", "tốc", "lực",
        "trọng", "độ", "mức", "nước", "khẩu", "chảy", "cách", "khối", "trình", "đỉnh", "nặng",
        "chuẩn",
    ];
    let symbol = scene.token(0);
    let sign = scene.skip_space(1);
    let number = scene.skip_space(sign + 1);
    let is_symbol = symbol.is(Kind::Word)
        && symbol.text.chars().count() == 1
        && scene.token(sign).is_sign("=")
        && scene.token(number).is(Kind::Number)
        && NAMED.contains(&scene.previous());
    is_symbol.then(|| Said::new(number, ""))
}

/// `5in1`, `6 in 1`: so many in one.
fn in_one(scene: &Scene<'_>) -> Option<Said> {
    let first = scene.token(0);
    let word = scene.skip_space(1);
    let one = scene.skip_space(word + 1);
    let is_joined = first.small().is_some_and(|first| (2..100).contains(&first))
        && scene.token(word).text == "in"
        && scene.token(one).text == "1"
        && (word == 1) == (one == word + 1)
        && !matches!(scene.token(one + 1).kind, Kind::Word | Kind::Number)
        && !(matches!(scene.token(one + 1).text, "." | "/" | ",")
            && scene.token(one + 2).is(Kind::Number));
    is_joined.then(|| {
        let first = cardinal(first.text, scene.speech.voice);
        Said::new(one + 1, format!("{first} trong một"))
    })
}

/// `9T1L`: nine storeys and a mezzanine in the North, `1T3L` a ground floor and three above it in the South. Nobody can tell.
fn storeys(scene: &Scene<'_>) -> Option<Said> {
    let [floors, mark, others, other] = [0, 1, 2, 3].map(|at| scene.token(at));
    let is_small = |token: &Token<'_>| token.is(Kind::Number) && token.text.len() <= 2;
    let is_house = is_small(floors)
        && mark.text == "T"
        && is_small(others)
        && matches!(other.text, "L" | "T" | "H")
        && !matches!(scene.token(4).kind, Kind::Word | Kind::Number);
    let voice = scene.speech.voice;
    let other = spell(other.text).filter(|_| is_house)?;
    let words = format!(
        "{} tê {} {other}",
        cardinal(floors.text, voice),
        cardinal(others.text, voice)
    );
    Some(Said::wrong(4, words, ProblemKind::Ambiguous))
}

/// `NV1` at a school, `VT2` of a piece of land, `N5` of an illness.
fn numbered(scene: &Scene<'_>) -> Option<Said> {
    const SCHOOLS: [&str; 10] = [
        "điểm",
        "chuẩn",
        "trúng tuyển",
        "đăng ký",
        "xét tuyển",
        "xét",
        "tuyển sinh",
        "thí sinh",
        "đỗ",
        "đậu",
    ];
    const LANDS: [&str; 5] = ["đất", "giá đất", "mặt đường", "mặt phố", "bảng giá"];
    const ILL: [&str; 7] = [
        "test",
        "xét nghiệm",
        "cách ly",
        "theo dõi",
        "ngày",
        "tiêm",
        "lấy mẫu",
    ];
    let letters = scene.token(0);
    let at = scene.skip_space(1);
    let number = scene.token(at);
    let is_part = |at: usize| matches!(scene.token(at).kind, Kind::Word | Kind::Number);
    let goes_on = is_part(at + 1)
        || matches!(scene.token(at + 1).text, "." | "-" | "/" | ",") && is_part(at + 2);
    let is_small = number
        .small()
        .is_some_and(|number| (1..=30).contains(&number));
    let is_numbered = is_small && !number.text.starts_with('0') && !goes_on;
    let is_listed = (matches!(scene.token(at + 1).text, ",")
        && scene.token(at + 2).text == letters.text)
        || scene.back(2).text == letters.text && scene.back(3).is_sign("(");
    let is_listed_day = letters.text == "N" && is_listed;
    if !is_numbered && !is_listed_day {
        return None;
    }
    let word = match letters.text {
        "NV" if scene.cued_far(&SCHOOLS) => "nguyện vọng",
        "VT" if scene.cued(&LANDS) => "vị trí",
        "N" if at == 1 && scene.previous() == "ngày" => "",
        "N" if at == 1 && scene.cued(&ILL) => "ngày",
        _ => return None,
    };
    let number = cardinal(number.text, scene.speech.voice);
    Some(Said::new(
        at + 1,
        format!("{word} {number}").trim_start().to_owned(),
    ))
}

/// `2 hiệp x 25 phút`: so many, and how long each of them is.
pub(super) fn each(scene: &Scene<'_>) -> Option<Said> {
    const PARTS: [&str; 10] = [
        "hiệp", "ca", "buổi", "tiết", "trận", "lượt", "đợt", "ván", "vòng", "chặng",
    ];
    let part = scene.previous();
    let number = scene.skip_space(1);
    let is_counted = PARTS.contains(&part)
        && scene.back(4).is(Kind::Number)
        && scene.token(number).is(Kind::Number)
        && (matches!(
            scene.next_word(number + 1),
            "phút" | "giờ" | "tiết" | "ngày" | "tháng" | "buổi" | "trận"
        ) || unit::after_number(scene, number + 1).is_some());
    is_counted.then(|| Said::new(1, format!(", mỗi {part}")))
}
