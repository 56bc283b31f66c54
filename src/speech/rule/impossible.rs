//! Days and times that there are not: `ngày 45/13/2024`, `lúc 25h`. They are said as they stand, and reported.

use chrono::NaiveDate;

use super::{
    Said,
    date::{HOUSES, is_year, month_name, year_name},
};
use crate::speech::{ProblemKind, number::cardinal, scene::Scene, token::Kind};

/// The last hour of a day, which ends it.
const MIDNIGHT: u32 = 24;

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let is_rest =
        matches!(scene.back(1).text, "/" | "-" | "." | "," | ":") && scene.back(2).is(Kind::Number);
    if !scene.token(0).is(Kind::Number) || scene.is_glued() || is_rest {
        return None;
    }
    day(scene).or_else(|| month(scene)).or_else(|| time(scene))
}

/// Whether there is this day, which is written up to `end`. Without a year, the 29th of February is one. The months of the
/// moon, of which a word behind it would tell, have up to thirty days whatever their number.
pub(super) fn is_day(
    scene: &Scene<'_>,
    day: u32,
    month: u32,
    year: Option<&str>,
    end: usize,
) -> bool {
    /// Any leap year.
    const LEAP: i32 = 2024;
    let year = year.map_or(Some(LEAP), |year| match year.len() {
        2 => format!("20{year}").parse().ok(),
        _ => year.parse().ok(),
    });
    let by_sun = year.and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    let is_of_the_moon = || {
        let next = scene.skip_space(end);
        let bracket = usize::from(scene.token(next).is_sign("("));
        matches!(scene.next_word(next + bracket), "âm" | "âl")
            && (1..=30).contains(&day)
            && (1..=12).contains(&month)
    };
    by_sun.is_some() || is_of_the_moon()
}

/// `45/13/2024`; after *ngày* also `31/4`, `45-13-2024` and `31 tháng 4`.
fn day(scene: &Scene<'_>) -> Option<Said> {
    let is_announced = scene.previous() == "ngày";
    let short = |at: usize| {
        let token = scene.token(at);
        token.small().filter(|_| token.text.len() <= 2)
    };
    let first = short(0)?;
    let wrong = |end: usize, month: u32, year: Option<&str>| {
        let mut text = format!(
            "{}{} tháng {}",
            if is_announced { "" } else { "ngày " },
            cardinal(scene.token(0).text, scene.speech.voice),
            month_name(scene, month)
        );
        if let Some(year) = year {
            text.push_str(" năm ");
            text.push_str(&year_name(scene, year));
        }
        Said::wrong(end, text, ProblemKind::Impossible)
    };
    // ngày 31 tháng 4
    if is_announced && scene.token(1).is(Kind::Space) && scene.word(2) == "tháng" {
        let end = scene.skip_space(3) + 1;
        let month = short(end - 1)?;
        return (!is_day(scene, first, month, None, end)).then(|| wrong(end, month, None));
    }
    let sign = scene.token(1).text;
    let second = short(2)?;
    let year = scene.token(4).text;
    let is_dated = scene.token(3).text == sign && is_year(year) && !scene.token(5).is_sign("/");
    let goes_on = scene.token(3).is(Kind::Word)
        || (matches!(scene.token(3).text, "/" | "-" | "." | ",")
            && scene.token(4).is(Kind::Number));
    let is_house = HOUSES.iter().any(|word| scene.follows(word));
    // cả ngày 24/24
    let is_always = matches!((first, second), (24, 7 | 24) | (7, 7));
    let is_date = match sign {
        "/" => (is_dated && !is_house) || (is_announced && !goes_on && !is_always),
        "-" | "." => is_dated && is_announced,
        _ => false,
    };
    let (year, end) = if is_dated { (Some(year), 5) } else { (None, 3) };
    (is_date && !is_day(scene, first, second, year, end)).then(|| wrong(end, second, year))
}

/// `tháng 13/2025`, `trong tháng 13`; `mỗi tháng 15 triệu` is no month.
fn month(scene: &Scene<'_>) -> Option<Said> {
    let number = scene.token(0);
    let month = number
        .small()
        .filter(|month| *month > 12 && number.text.len() == 2)?;
    let year = scene.token(2);
    let is_dated = scene.token(1).is_sign("/") && is_year(year.text);
    let word = 1 + usize::from(scene.back(1).is(Kind::Space));
    let is_term = scene.back(word + 2).is(Kind::Number);
    let is_last = matches!(scene.token(1).kind, Kind::Break)
        || matches!(scene.token(1).text, "." | "," | ";" | ":" | ")")
            && !scene.token(2).is(Kind::Number);
    if scene.previous() != "tháng" || is_term || !(is_dated || is_last) {
        return None;
    }
    let mut text = month_name(scene, month);
    if is_dated {
        text.push_str(" năm ");
        text.push_str(&year_name(scene, year.text));
    }
    let end = if is_dated { 3 } else { 1 };
    Some(Said::wrong(end, text, ProblemKind::Impossible))
}

/// `lúc 25h`, `8h75`, `8 giờ 75 phút`.
fn time(scene: &Scene<'_>) -> Option<Said> {
    let hour = scene.token(0).small()?;
    let is_of_day = matches!(scene.previous(), "lúc" | "hồi");
    let unit = scene.skip_space(1);
    let is_spaced = unit > 1;
    let two_digits = |at: usize| {
        let token = scene.token(at);
        token.small().filter(|_| token.text.len() == 2)
    };
    let (minute, end) = match scene.token(unit).text {
        "h" | "H" if !is_spaced => (two_digits(2), 2),
        // Hours and minutes that are written out.
        "giờ" => {
            let at = scene.skip_space(unit + 1);
            let minutes = two_digits(at).filter(|_| scene.next_word(at + 1) == "phút");
            (minutes, if minutes.is_some() { at } else { unit + 1 })
        }
        // 99:99 is neither a time nor a proportion.
        ":" if !is_spaced
            && (is_of_day
                || (hour > MIDNIGHT && !scene.cued(&["tỷ lệ", "tỉ lệ", "tỷ số", "pha"]))) =>
        {
            (Some(two_digits(2)?), 2)
        }
        _ => return None,
    };
    let is_late = is_of_day && (hour > MIDNIGHT || (hour == MIDNIGHT && minute.unwrap_or(0) > 0));
    let is_long = minute.is_some_and(|minute| minute > 59);
    let voice = scene.speech.voice;
    (is_late || is_long).then(|| {
        let hour = cardinal(scene.token(0).text, voice);
        match minute {
            Some(minute) => {
                let minute = cardinal(&minute.to_string(), voice);
                let text = format!("{hour} giờ {minute}");
                Said::wrong(end + 1, text, ProblemKind::Impossible)
            }
            None => Said::wrong(end, format!("{hour} giờ"), ProblemKind::Impossible),
        }
    })
}
