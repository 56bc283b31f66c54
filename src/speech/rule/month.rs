//! Months, quarters and years, and spans of them: `tháng 3/2024`, `quý I/2024`, `12/2023-02/2024`, `2021-2025`.

use super::{
    Said,
    date::{after_dash, ends, is_year, month_name, year_name},
};
use crate::speech::{number::cardinal, scene::Scene};

/// `tháng 3/2024`, `quý 1/2024`, `tháng 4`, `tháng 3-4`, `năm 2024-2025`.
pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    if scene.is_glued() {
        return None;
    }
    let previous = scene.previous();
    let voice = scene.speech.voice;
    let quarter = (previous == "quý")
        .then(|| super::roman::roman_or_number(token))
        .flatten();
    if let Some(number) = quarter
        && let Some(next) = after_dash(scene, 1)
        && let Some(last) = super::roman::roman_or_number(scene.token(next))
            .filter(|last| *last > number && *last <= 4)
    {
        // quý I-II/2026
        let [first, last] = [number, last].map(|number| cardinal(&number.to_string(), voice));
        let text = format!("{first} đến {last}");
        return Some(match year_at(scene, next + 1) {
            Some(year) => Said::new(next + 3, format!("{text} năm {}", year_name(scene, year))),
            None => Said::new(next + 1, text),
        });
    }
    // quý 1,2/2026
    if let Some(number) = quarter
        && scene.token(1).is_sign(",")
        && let Some(last) = super::roman::roman_or_number(scene.token(2))
            .filter(|last| number < *last && *last <= 4)
        && (ends(scene, 3) || scene.token(3).is_sign("/"))
    {
        let [first, last] = [number, last].map(|number| cardinal(&number.to_string(), voice));
        let text = format!("{first}, {last}");
        return Some(match year_at(scene, 3) {
            Some(year) => Said::new(5, format!("{text} năm {}", year_name(scene, year))),
            None => Said::new(3, text),
        });
    }
    if let Some(number) = quarter {
        let number = cardinal(&number.to_string(), voice);
        let year = scene.token(2);
        let is_dated = matches!(scene.token(1).text, "/" | "." | "-") && is_year(year.text);
        return Some(if is_dated {
            Said::new(3, format!("{number} năm {}", year_name(scene, year.text)))
        } else {
            Said::new(1, number)
        });
    }
    if token.text == "T" {
        return short(scene);
    }
    let number = token.small()?;
    // 9T/2025: so many months of that year.
    let is_first = scene.token(1).text == "T" && scene.token(2).is_sign("/");
    if is_first && (1..=12).contains(&number) && is_year(scene.token(3).text) {
        let number = cardinal(token.text, voice);
        let year = year_name(scene, scene.token(3).text);
        return Some(Said::new(4, format!("{number} tháng năm {year}")));
    }
    // tuần 38/2025
    if previous == "tuần"
        && let Some(year) = year_at(scene, 1).filter(|_| (13..=53).contains(&number))
    {
        let words = format!(
            "{} năm {}",
            cardinal(token.text, voice),
            year_name(scene, year)
        );
        return Some(Said::new(3, words));
    }
    let is_month = (1..=12).contains(&number) && token.text.len() <= 2;
    if is_month && let Some(said) = dated(scene, number) {
        return Some(said);
    }
    // đợt 3-2025
    let dash = after_dash(scene, 1).filter(|next| is_year(scene.token(*next).text));
    if is_month && matches!(previous, "đợt" | "kỳ") && dash.is_some() {
        return after_the_word(scene, number);
    }
    if previous == "tháng" && is_month {
        return after_the_word(scene, number);
    }
    if is_year(token.text) {
        let next = after_dash(scene, 1)?;
        let second = scene.token(next);
        let is_span = is_year(second.text) && second.text > token.text && ends(scene, next + 1);
        return is_span.then(|| {
            Said::new(
                next + 1,
                format!(
                    "{} đến {}",
                    year_name(scene, token.text),
                    year_name(scene, second.text)
                ),
            )
        });
    }
    None
}

/// `T3/2024`
fn short(scene: &Scene<'_>) -> Option<Said> {
    let month = month_at(scene, 1)?;
    (scene.token(2).is_sign("/") && is_year(scene.token(3).text)).then(|| {
        let year = year_name(scene, scene.token(3).text);
        Said::new(4, format!("tháng {} năm {year}", month_name(scene, month)))
    })
}

/// The month that stands at `at` as a number.
fn month_at(scene: &Scene<'_>, at: usize) -> Option<u32> {
    let token = scene.token(at);
    token
        .small()
        .filter(|month| (1..=12).contains(month) && token.text.len() <= 2)
}

/// The year after the slash at `at`.
fn year_at<'s>(scene: &Scene<'s>, at: usize) -> Option<&'s str> {
    let year = scene.token(at + 1);
    (scene.token(at).is_sign("/") && is_year(year.text)).then_some(year.text)
}

/// `3/2024`, `12/2023-02/2024`, `1-3/2024`.
fn dated(scene: &Scene<'_>, number: u32) -> Option<Said> {
    let previous = scene.previous();
    let is_said = matches!(previous, "tháng" | "mốc");
    let word = if is_said { "" } else { "tháng " };
    let full = |month, year| {
        format!(
            "{} năm {}",
            month_name(scene, month),
            year_name(scene, year)
        )
    };
    if let Some(year) = year_at(scene, 1) {
        if let Some(next) = after_dash(scene, 3)
            && let Some(second) = month_at(scene, next)
            && let Some(other) = year_at(scene, next + 1)
            && ends(scene, next + 3)
        {
            let span = format!(
                "{word}{} đến tháng {}",
                full(number, year),
                full(second, other)
            );
            return Some(Said::new(next + 3, span));
        }
        // đợt 1/2024 is the first one of that year.
        let is_counted = matches!(
            previous,
            "đợt" | "kỳ" | "kì" | "lần" | "khóa" | "khoá" | "số" | "tuần"
        );
        let word = if is_counted { "" } else { word };
        return ends(scene, 3).then(|| Said::new(3, format!("{word}{}", full(number, year))));
    }
    if previous == "tháng" {
        return None;
    }
    let next = after_dash(scene, 1)?;
    let second = month_at(scene, next).filter(|second| number < *second)?;
    let year = year_at(scene, next + 1)?;
    let first = month_name(scene, number);
    Some(Said::new(
        next + 3,
        format!("tháng {first} đến tháng {}", full(second, year)),
    ))
}

/// What follows `tháng`: `3`, `3-4`, `3-4/2024`, `3-2024`.
fn after_the_word(scene: &Scene<'_>, number: u32) -> Option<Said> {
    if let Some(next) = after_dash(scene, 1)
        && is_year(scene.token(next).text)
    {
        let year = year_name(scene, scene.token(next).text);
        return Some(Said::new(
            next + 1,
            format!("{} năm {year}", month_name(scene, number)),
        ));
    }
    if let Some(next) = after_dash(scene, 1) {
        let second = scene
            .token(next)
            .small()
            .filter(|month| (1..=12).contains(month))?;
        let is_dated = scene.token(next + 1).is_sign("/") && is_year(scene.token(next + 2).text);
        let year = if is_dated {
            format!(" năm {}", year_name(scene, scene.token(next + 2).text))
        } else {
            String::new()
        };
        let (first, second) = (month_name(scene, number), month_name(scene, second));
        return Some(Said::new(
            next + 1 + 2 * usize::from(is_dated),
            format!("{first} đến tháng {second}{year}"),
        ));
    }
    ends(scene, 1).then(|| Said::new(1, month_name(scene, number)))
}
