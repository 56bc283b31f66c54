//! `8g-11g`: hours, as the South writes them, or weights. The words and numbers around tell.

use super::{Said, date::after_dash};
use crate::speech::{
    ProblemKind,
    number::cardinal,
    scene::Scene,
    token::{Kind, Token},
};

/// How far in its line another hour still counts, in tokens.
const REACH: usize = 40;

/// Words before an hour.
const BEFORE: [&str; 9] = [
    "lúc", "từ", "đến", "tới", "hồi", "khoảng", "tầm", "trước", "sau",
];

/// Words in the sentence of which hours are a part.
const CUES: [&str; 10] = [
    "giờ",
    "ca",
    "thời gian",
    "làm việc",
    "mở cửa",
    "điểm",
    "lịch",
    "chuyến",
    "tiếp dân",
    "giao dịch",
];

/// Words behind an hour.
const AFTER: [&str; 10] = [
    "sáng", "trưa", "chiều", "tối", "đêm", "ngày", "thứ", "chủ", "hằng", "hàng",
];

/// What is taken, mixed and weighed.
const DOSED: [&str; 10] = [
    "uống", "liều", "nặng", "pha", "trộn", "cân", "lượng", "ăn", "bón", "gói",
];
const WEIGHED: [&str; 14] = [
    "đường",
    "muối",
    "bột",
    "thịt",
    "cá",
    "tôm",
    "gạo",
    "rau",
    "đạm",
    "thuốc",
    "sữa",
    "phân",
    "vàng",
    "mì",
];

/// Whether the `g` behind the number at `at` is an hour; `None` where nothing tells.
pub(super) fn is_hour(scene: &Scene<'_>, at: usize) -> Option<bool> {
    let hour = scene.token(at).small()?;
    let mut end = at + 2;
    if let Some(next) = after_dash(scene, end).filter(|next| is_mark(scene.token(next + 1))) {
        end = next + 2;
    }
    let is_weighed = WEIGHED.contains(&scene.next_word(end))
        || WEIGHED.contains(&scene.next_word(at + 2))
        || (scene.cued(&DOSED) && !BEFORE.contains(&scene.previous()));
    if is_weighed || hour > 24 {
        return Some(false);
    }
    let comma = usize::from(scene.token(end).is_sign(","));
    let behind = scene.skip_space(end + comma);
    let is_dated = AFTER.contains(&scene.next_word(at + 2))
        || AFTER.contains(&scene.word(behind))
        || (scene.token(behind).is(Kind::Number) && scene.token(behind + 1).is_sign("/"));
    let is_span = at > 0 || end > at + 2;
    let is_told = BEFORE.contains(&scene.previous())
        || is_dated
        || (is_span && (scene.cued(&BEFORE) || scene.cued(&CUES)))
        || has_minutes(scene)
        || is_listed(scene);
    is_told.then_some(true)
}

/// A span of which nothing tells whether it is of hours or of weights is read as weights, and reported.
pub(super) fn undecided(scene: &Scene<'_>) -> Option<Said> {
    let (first, mark) = (scene.token(0), scene.token(1));
    if !first.is(Kind::Number) || scene.is_glued() || !is_mark(mark) {
        return None;
    }
    let next = after_dash(scene, 2)?;
    let second = scene.token(next);
    let is_rising = first.small()? < second.small().filter(|hour| *hour <= 24)?;
    let is_whole = is_mark(scene.token(next + 1)) && !scene.token(next + 2).is(Kind::Number);
    (is_rising && is_whole && is_hour(scene, 0).is_none()).then(|| {
        let [first, second] =
            [first, second].map(|number| cardinal(number.text, scene.speech.voice));
        let text = format!("{first} gam đến {second} gam");
        Said::wrong(next + 2, text, ProblemKind::Ambiguous)
    })
}

fn is_mark(token: &Token<'_>) -> bool {
    token.text == "g"
}

/// Whether another hour in the line has minutes, which no weight has: `8g-11g30; 13g-17g`.
fn has_minutes(scene: &Scene<'_>) -> bool {
    let is_time = |hour: &Token<'_>, mark: &Token<'_>, minute: &Token<'_>| {
        is_mark(mark)
            && hour.small().is_some_and(|hour| hour <= 24)
            && minute.text.len() == 2
            && minute.small().is_some_and(|minute| minute < 60)
    };
    let ahead = (0..REACH)
        .take_while(|at| !scene.token(*at).is(Kind::Break))
        .any(|at| is_time(scene.token(at), scene.token(at + 1), scene.token(at + 2)));
    ahead
        || (3..REACH)
            .take_while(|back| !scene.back(*back).is(Kind::Break))
            .any(|back| is_time(scene.back(back), scene.back(back - 1), scene.back(back - 2)))
}

/// Whether two others stand beside it in a list that goes up: `8g, 9g, 10g`.
fn is_listed(scene: &Scene<'_>) -> bool {
    // With a comma and a space between, they begin four or five tokens apart.
    let hour = |at: Option<usize>| {
        let at = at?;
        let token = scene.tokens.get(at)?;
        let mark = scene.tokens.get(at + 1)?;
        token.small().filter(|hour| *hour <= 24 && is_mark(mark))
    };
    let place = |step: isize| scene.at.checked_add_signed(4 * step);
    let is_parted = |step: isize| {
        let comma = place(step).and_then(|at| scene.tokens.get(at + 2));
        comma.is_some_and(|comma| comma.is_sign(","))
    };
    (-2_isize..=0).any(|first| {
        let hours = [0, 1, 2].map(|step| hour(place(first + step)));
        let is_rising = matches!(hours, [Some(a), Some(b), Some(c)] if a < b && b < c);
        is_rising && is_parted(first) && is_parted(first + 1)
    })
}
