//! Letters behind numbers that are units only by what stands around: `5K`, `16,4N-111,8E`.

use crate::speech::{scene::Scene, token::Kind};

/// `thông điệp 5K`, `#5K`, `5K: …`: what begins with K. `Giải chạy 5K, 10K, 21K`: how far one runs.
pub(super) fn rule_or_run(scene: &Scene<'_>, at: usize) -> Option<&'static str> {
    const SLOGANS: [&str; 5] = [
        "thông điệp",
        "nguyên tắc",
        "quy tắc",
        "khuyến cáo",
        "biện pháp",
    ];
    const SCREENS: [&str; 6] = ["tv", "inch", "video", "phim", "nét", "camera"];
    const RUNS: [&str; 6] = ["chạy", "run", "marathon", "cự ly", "cự li", "đường đua"];
    let is_slogan = SLOGANS.iter().any(|phrase| scene.follows(phrase))
        || scene.back(1).is_sign("#")
        || (scene.token(0).text.len() == 1 && scene.cued(&SCREENS))
        || (scene.begins_line() && scene.token(at + 1).is_sign(":"));
    let is_paid = matches!(scene.previous(), "phí" | "giá" | "vé" | "thưởng" | "tiền");
    let is_run = scene.token(0).text.len() <= 2 && !is_paid && scene.cued(&RUNS);
    match (is_slogan, is_run) {
        (true, _) => Some("ca"),
        (_, true) => Some("ki lô mét"),
        _ => None,
    }
}

/// Whether a place on the globe has both its numbers here: `16,4N-111,8E`.
pub(super) fn is_position(scene: &Scene<'_>, at: usize) -> bool {
    let next = scene.skip_space(at + 2);
    let ahead = super::quantity::numeral(scene, next)
        .is_some_and(|number| matches!(scene.token(number.end).text, "E" | "W"));
    let is_behind = (1..at).any(|north| {
        matches!(scene.token(north).text, "N" | "S") && scene.token(north - 1).is(Kind::Number)
    });
    let back = 2 + usize::from(scene.back(1).is(Kind::Space));
    let is_second =
        matches!(scene.back(back).text, "N" | "S") && scene.back(back + 1).is(Kind::Number);
    (ahead && matches!(scene.token(at + 1).text, "-" | "–" | "," | ";" | " "))
        || is_behind
        || is_second
}

/// Degrees on the globe, as the news of a storm gives them; what was called *vĩ độ* or *kinh độ* is not called so again.
pub(super) fn bearing(scene: &Scene<'_>, letter: &str) -> &'static str {
    let is_called = scene.cued(&["vĩ độ", "kinh độ", "độ vĩ", "độ kinh"]);
    match (letter, is_called) {
        ("N", true) => "độ Bắc",
        ("N", false) => "độ vĩ Bắc",
        ("S", true) => "độ Nam",
        ("S", false) => "độ vĩ Nam",
        ("E", true) => "độ Đông",
        ("E", false) => "độ kinh Đông",
        (_, true) => "độ Tây",
        (_, false) => "độ kinh Tây",
    }
}
