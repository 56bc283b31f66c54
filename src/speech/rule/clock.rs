//! Clock times and spans of them: `8h30`, `17:00`, `từ 7h00-17h30`.

use super::{
    Said,
    date::{self, after_dash},
    oclock,
};
use crate::speech::{number::cardinal, scene::Scene, token::Kind};

/// A clock time: words and how many tokens it takes.
fn time(scene: &Scene<'_>, at: usize) -> Option<(String, usize)> {
    let token = scene.token(at);
    let hour = token
        .small()
        .filter(|hour| *hour <= 24 && token.text.len() <= 2)?;
    let minute_at = |at: usize| {
        scene
            .token(at)
            .small()
            .filter(|minute| *minute < 60 && scene.token(at).text.len() == 2)
    };
    let voice = scene.speech.voice;
    let mut text = format!("{} giờ", cardinal(&hour.to_string(), voice));
    let mark = scene.token(at + 1);
    let mut tokens;
    let minute;
    if mark.is_sign(":") {
        minute = minute_at(at + 2)?;
        tokens = 3;
        // Seconds are nothing that anybody says.
        if scene.token(at + 3).is_sign(":") && minute_at(at + 4).is_some() {
            tokens = 5;
        }
        if matches!(scene.token(at + tokens).kind, Kind::Number)
            || scene.token(at + tokens).is_sign(":")
        {
            return None;
        }
        // 17:00h, 8:30 giờ, 8:30 AM
        let unit = scene.skip_space(at + tokens);
        if matches!(scene.word(unit), "h" | "giờ") {
            tokens = unit - at + 1;
        }
    } else if matches!(mark.text, "h" | "H" | "g" | "giờ" | "Giờ") {
        tokens = 2;
        // 7h5 has no second digit; 5g5 could be grams.
        let short = || scene.token(at + 2).small().filter(|_| mark.text != "g");
        let after = minute_at(at + 2)
            .or_else(short)
            .filter(|minute| *minute < 60);
        minute = after.unwrap_or(0);
        if after.is_some() {
            tokens = 3;
        } else if (mark.text == "g" && oclock::is_hour(scene, at) != Some(true))
            || matches!(scene.token(at + 2).kind, Kind::Word | Kind::Number)
            || (scene.token(at + 2).is_sign("/") && date::behind_slash(scene, at + 2).is_none())
        {
            return None;
        }
    } else {
        return None;
    }
    if minute > 0 {
        text.push(' ');
        text.push_str(&cardinal(&minute.to_string(), voice));
        let unit = scene.skip_space(at + tokens);
        let is_unit = matches!(scene.token(unit).text, "'" | "’" | "′")
            || matches!(scene.word(unit), "p" | "ph" | "phút");
        if is_unit {
            tokens = unit - at + 1;
        }
        // tám giờ năm phút: without the word it would sound like a list.
        if is_unit || minute < 10 {
            text.push_str(" phút");
        }
    } else {
        let unit = at + tokens;
        if matches!(scene.token(unit).text, "'" | "′" | "p" | "ph" | "phút") {
            tokens += 1;
        }
    }
    Some((text, tokens))
}

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    // 8 giờ 00 phút
    if scene.token(0).text == "00" && scene.previous() == "giờ" {
        let minutes = scene.skip_space(1);
        let is_said = scene.word(minutes) == "phút";
        return Some(Said::new(if is_said { minutes + 1 } else { 1 }, ""));
    }
    if !scene.token(0).is(Kind::Number) || scene.is_glued() || scene.back(1).is_sign(":") {
        return None;
    }
    if scene.token(1).is_sign(":")
        && let (Some(_), Some(_)) = (scene.token(0).small(), scene.token(2).small())
        && ["tỷ số", "tỉ số"]
            .iter()
            .any(|phrase| scene.follows(phrase))
    {
        let [ours, theirs] = [0, 2].map(|at| cardinal(scene.token(at).text, scene.speech.voice));
        return Some(Said::new(3, format!("{ours} {theirs}")));
    }
    let is_mixed = scene.cued(&["tỷ lệ", "tỉ lệ", "pha loãng", "pha"]);
    if scene.token(1).is_sign(":") && is_mixed && !scene.cued(&["lúc", "hồi", "từ", "trước"])
    {
        return None;
    }
    let first = time(scene, 0);
    let first_end = match &first {
        Some((_, tokens)) => *tokens,
        // 7-9h30: the first hour is bare.
        None if scene.token(0).small().is_some_and(|hour| hour <= 24) => 1,
        None => return None,
    };
    if let Some(next) = after_dash(scene, first_end)
        && let Some((second, tokens)) = time(scene, next)
    {
        let first = first.map_or_else(
            || cardinal(scene.token(0).text, scene.speech.voice),
            |(text, _)| text,
        );
        let from = if matches!(
            scene.previous(),
            "từ" | "khoảng" | "tầm" | "giữa" | "trong" | "lúc" | "hồi" | "sau" | "mất" | "trước"
        ) {
            ""
        } else {
            "từ "
        };
        let text = format!("{from}{first} đến {second}");
        // 13h-19h/18/11
        return Some(match date::behind_slash(scene, next + tokens) {
            Some((day, end)) => Said::new(end, format!("{text} {day}")),
            None => Said::new(next + tokens, text),
        });
    }
    let (text, tokens) = first?;
    // 7h/19/9
    if let Some((day, end)) = date::behind_slash(scene, tokens) {
        return Some(Said::new(end, format!("{text} {day}")));
    }
    // 9:00 AM
    let half = scene.skip_space(tokens);
    let part = match (scene.token(half).text, scene.token(0).small()?) {
        ("AM" | "am" | "a.m", _) => " sáng",
        ("PM" | "pm" | "p.m", 12 | 1..=5) => " chiều",
        ("PM" | "pm" | "p.m", _) => " tối",
        _ => return Some(Said::new(tokens, text)),
    };
    Some(Said::new(half + 1, text + part))
}
