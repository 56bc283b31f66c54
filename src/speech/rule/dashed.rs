//! `trước 5-12`, `hạn 20-11`: a day with a dash, where no *ngày* says so, and not a span of two numbers.

use super::{quantity::SPANNED, unit};
use crate::speech::{
    scene::Scene,
    token::{Kind, Token},
};

/// Words right before, after which one day is meant unless something is counted.
const INSTANTS: [&str; 16] = [
    "trước",
    "đến",
    "tới",
    "hạn",
    "hạn chót",
    "hết",
    "đến hết",
    "mít tinh",
    "kỷ niệm",
    "kỉ niệm",
    "nghỉ",
    "hạn cuối",
    "chào mừng",
    "ngày lễ",
    "dịp",
    "tết",
];

/// Words in the sentence near which two numbers are a score.
const SCORES: [&str; 14] = [
    "tỷ số",
    "tỉ số",
    "thắng",
    "thua",
    "hòa",
    "hoà",
    "dẫn",
    "set",
    "ván",
    "hiệp",
    "séc",
    "chung kết",
    "bán kết",
    "bóng",
];

/// Words that may stand behind a day without a comma.
const BEHIND: [&str; 14] = [
    "là", "tại", "hằng", "hàng", "phải", "sẽ", "bà", "để", "và", "vừa", "đến", "tới", "nộp", "hoàn",
];

/// Whether `day-month` in hand is one day.
pub(super) fn is_day(scene: &Scene<'_>, day: u32, month: u32) -> bool {
    const END: usize = 3;
    let word = scene.next_word(END);
    let is_counted = unit::after_number(scene, END).is_some()
        || SPANNED.contains(&word)
        || super::share::is_counted(scene, END);
    let is_tied = matches!(scene.token(END).text, "/" | "." | "-" | ",")
        && scene.token(END + 1).is(Kind::Number)
        || matches!(scene.token(END).kind, Kind::Word | Kind::Number);
    if is_counted || is_tied || scene.cued(&SCORES) || has_score(scene) {
        return false;
    }
    let follows = |words: &[&str]| words.iter().any(|word| scene.follows(word));
    // Nothing goes from more to less.
    let is_falling = day > month;
    let is_led = follows(&INSTANTS) || follows(&["từ", "sau", "vào", "sáng", "hôm"]);
    let stands_alone = word.is_empty() || BEHIND.contains(&word);
    // 15-11 đến 15-12
    let is_spanned = tied_day(scene, 1, true).or_else(|| tied_day(scene, END, false)) == Some(true);
    (is_falling && (is_led || (day > 12 && stands_alone) || is_spanned))
        || (follows(&INSTANTS) && stands_alone)
        || is_spanned
        || (stands_alone && is_timed(scene))
}

/// Whether a clock time stands before: `8h 3-12`, `8h, ngày 3-12`. What begins at a time is one day.
fn is_timed(scene: &Scene<'_>) -> bool {
    let word = 1 + usize::from(scene.back(1).is(Kind::Space));
    let from = if scene.previous() == "ngày" {
        word + 1
    } else {
        1
    };
    super::share::after_clock(scene, from)
}

/// The other end of `A-B đến C-D`, behind the token at `from` or before it: whether one of the two can only be a day.
fn tied_day(scene: &Scene<'_>, from: usize, is_back: bool) -> Option<bool> {
    let token = |at: usize| {
        if is_back {
            scene.back(at)
        } else {
            scene.token(at)
        }
    };
    let skip = |at: usize| at + usize::from(token(at).is(Kind::Space));
    let joint = skip(from);
    if !matches!(&*token(joint).lower, "đến" | "tới") {
        return None;
    }
    let begin = skip(joint + 1);
    let (first, second) = if is_back {
        (token(begin + 2), token(begin))
    } else {
        (token(begin), token(begin + 2))
    };
    let numbers = first.small().zip(second.small());
    let (day, month) = numbers.filter(|_| token(begin + 1).is_dash())?;
    let (own_day, own_month) = scene.token(0).small().zip(scene.token(2).small())?;
    let is_valid = (1..=31).contains(&day) && (1..=12).contains(&month);
    let is_dated =
        !is_back && token(begin + 3).is_dash() && super::date::is_year(token(begin + 4).text);
    Some(is_valid && (day > month || own_day > own_month || is_dated))
}

/// Whether another pair beside it is none of a day and a month: `21-11, 15-21`.
fn has_score(scene: &Scene<'_>) -> bool {
    /// Tokens to either side.
    const REACH: usize = 12;
    let is_score = |one: &Token<'_>, dash: &Token<'_>, other: &Token<'_>| {
        dash.is_dash()
            && one.is(Kind::Number)
            && other.small().is_some_and(|other| other > 12 && other < 100)
    };
    let stops = |token: &Token<'_>| {
        !matches!(token.text, "," | " ") && token.is(Kind::Sign) && !token.is_dash()
    };
    (3..REACH)
        .take_while(|at| !stops(scene.token(*at)))
        .any(|at| is_score(scene.token(at), scene.token(at + 1), scene.token(at + 2)))
        || (1..REACH)
            .take_while(|back| !stops(scene.back(*back)))
            .any(|back| is_score(scene.back(back + 2), scene.back(back + 1), scene.back(back)))
}
