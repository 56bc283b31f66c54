//! Days of the week, and spans and lists of them: `thứ 2`, `thứ 2-6`, `T2-T4-T6`.

use super::{
    Said,
    date::{after_dash, ends},
};
use crate::speech::{scene::Scene, token::Kind};

const WEEKDAYS: [&str; 6] = ["hai", "ba", "tư", "năm", "sáu", "bảy"];

/// `thứ 2`, `thứ 2-6`, `thứ 2, 4, 6`, `T2`, `T7`.
pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    let name = |at: usize| {
        let token = scene.token(at);
        let number = token.small().filter(|_| token.text.len() == 1)?;
        WEEKDAYS
            .get(usize::try_from(number).ok()?.checked_sub(2)?)
            .copied()
    };
    if token.text == "T" && !scene.is_glued() {
        let first = name(1)?;
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
            let joint = if days.len() > 2 {
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
