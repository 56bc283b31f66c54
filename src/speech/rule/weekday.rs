//! Days of the week, and spans and lists of them: `thứ 2`, `thứ 2-6`, `T2-T4-T6`.

use super::{
    Said,
    date::{after_dash, ends},
};
use crate::speech::{
    ProblemKind,
    number::cardinal,
    scene::Scene,
    token::{Kind, Token},
};

/// `thứ 8`: no week has one. What is counted may have an eighth: `lần thứ 8`.
fn no_such_day(scene: &Scene<'_>) -> Option<Said> {
    const TIMES: [&str; 9] = [
        "sáng", "trưa", "chiều", "tối", "đêm", "từ", "đến", "vào", "trừ",
    ];
    const COUNTED: [&str; 10] = [
        "người", "lần", "trang", "bậc", "hạng", "con", "khóa", "năm", "tháng", "tuần",
    ];
    let day = scene.token(0).small().filter(|day| matches!(day, 8 | 9))?;
    let thu = 1 + usize::from(scene.back(1).is(Kind::Space));
    let before = scene.back(thu + 1 + usize::from(scene.back(thu + 1).is(Kind::Space)));
    let is_day = match before.kind {
        Kind::Word => TIMES.contains(&&*before.lower),
        Kind::Sign | Kind::Break => true,
        _ => false,
    };
    let is_day = is_day && ends(scene, 1) && !scene.cued(&COUNTED);
    is_day.then(|| {
        let day = cardinal(&day.to_string(), scene.speech.voice);
        Said::wrong(1, day, ProblemKind::Impossible)
    })
}

/// `T10`, `đầu T1`: a month, for there are no such days.
fn month(scene: &Scene<'_>) -> Option<Said> {
    const PLACES: [&str; 11] = [
        "tòa", "toà", "nhà", "cư", "căn", "phòng", "lô", "tuyến", "xe", "máy", "mã",
    ];
    let number = scene.token(1);
    let month = number.small().filter(|_| number.text.len() <= 2)?;
    let is_first = month == 1
        && matches!(
            scene.previous(),
            "đầu" | "cuối" | "giữa" | "trong" | "hết" | "từ" | "đến"
        );
    let is_month = (8..=12).contains(&month) || is_first;
    let is_year = scene.token(2).is_sign("/") && super::date::is_year(scene.token(3).text);
    (is_month && !is_year && ends(scene, 2) && !PLACES.contains(&scene.previous())).then(|| {
        let month = super::date::month_name(scene, month);
        Said::new(2, format!("tháng {month}"))
    })
}

/// Whether another in the line is a list of three days or more, so that a hyphen is a comma there: `T2-T4-T6; T3-T5`.
fn has_list(scene: &Scene<'_>) -> bool {
    /// Tokens to either side.
    const REACH: usize = 60;
    let is_day = |at: usize| {
        let token = |at: usize| scene.tokens.get(at);
        token(at).is_some_and(|token| token.text == "T")
            && token(at + 1).is_some_and(|token| token.is(Kind::Number) && token.text.len() == 1)
    };
    let is_joint = |at: usize| scene.tokens.get(at).is_some_and(Token::is_dash);
    let is_list = |at: usize| {
        is_day(at) && is_joint(at + 2) && is_day(at + 3) && is_joint(at + 5) && is_day(at + 6)
    };
    let is_line = |at: &usize| {
        scene
            .tokens
            .get(*at)
            .is_some_and(|token| !token.is(Kind::Break))
    };
    let ahead = (scene.at..scene.at + REACH)
        .take_while(is_line)
        .any(is_list);
    ahead
        || (scene.at.saturating_sub(REACH)..scene.at)
            .rev()
            .take_while(is_line)
            .any(is_list)
}

const WEEKDAYS: [&str; 6] = ["hai", "ba", "tư", "năm", "sáu", "bảy"];

/// `thứ 2`, `thứ 2-6`, `thứ 2, 4, 6`, `T2`, `T7`.
pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    // N01-T8, S2-T6 are parts of buildings.
    let owner = scene.back(3);
    let is_code = scene.back(1).is_dash()
        && scene.back(2).is(Kind::Number)
        && owner.is(Kind::Word)
        && owner.text != "T"
        && owner.text.chars().all(char::is_uppercase);
    if token.text == "T" && is_code {
        return None;
    }
    let name = |at: usize| {
        let token = scene.token(at);
        let number = token.small().filter(|_| token.text.len() == 1)?;
        WEEKDAYS
            .get(usize::try_from(number).ok()?.checked_sub(2)?)
            .copied()
    };
    if token.text == "T" && !scene.is_glued() {
        let Some(first) = name(1) else {
            return month(scene);
        };
        // T7-CN, T2-CN
        if let Some(next) = after_dash(scene, 2).filter(|next| scene.token(*next).text == "CN") {
            let joint = if first == "bảy" { "," } else { " đến" };
            return Some(Said::new(next + 1, format!("thứ {first}{joint} chủ nhật")));
        }
        let next = after_dash(scene, 2);
        if let Some(next) = next
            && scene.token(next).text == "T"
            && let Some(second) = name(next + 1)
        {
            // T3-T5-T7
            let mut days = vec![first, second];
            let mut end = next + 2;
            while let Some(more) = after_dash(scene, end).filter(|at| scene.token(*at).text == "T")
                && let Some(day) = name(more + 1)
            {
                days.push(day);
                end = more + 2;
            }
            let joint = if days.len() > 2 || has_list(scene) {
                ", thứ "
            } else {
                " đến thứ "
            };
            return Some(Said::new(end, format!("thứ {}", days.join(joint))));
        }
        return ends(scene, 2).then(|| Said::new(2, format!("thứ {first}")));
    }
    if scene.previous() == "thứ" {
        if token.text == "1" && ends(scene, 1) {
            return Some(Said::new(1, "nhất"));
        }
        if let Some(said) = no_such_day(scene) {
            return Some(said);
        }
        let first = name(0)?;
        if let Some(next) = after_dash(scene, 1)
            && let Some(second) = name(next)
        {
            return Some(Said::new(next + 1, format!("{first} đến thứ {second}")));
        }
        // thứ 2 - thứ 6
        if let Some(next) = after_dash(scene, 1)
            && matches!(scene.word(next), "thứ" | "chủ")
        {
            return Some(Said::new(next, format!("{first} đến ")));
        }
        return ends(scene, 1).then(|| Said::new(1, first));
    }
    // thứ 2, 4, 6: only numbers stand between.
    if !token.is(Kind::Number) || scene.is_glued() {
        return None;
    }
    let mut back = 1;
    let mut numbers = 0;
    while back < 16 {
        let before = scene.back(back);
        if &*before.lower == "thứ" {
            let day = name(0).filter(|_| numbers > 0 && ends(scene, 1))?;
            return Some(Said::new(1, day));
        }
        let is_between =
            before.is(Kind::Space) || before.text == "," || matches!(&*before.lower, "và");
        numbers += usize::from(before.is(Kind::Number));
        if !is_between && !before.is(Kind::Number) {
            return None;
        }
        back += 1;
    }
    None
}
