//! Digits that somebody hides on purpose: `0984.xxx.217`, `29B-1xx.xx`. How many they are is said; the others are read one by one.

use super::Said;
use crate::speech::{
    ProblemKind,
    lexicon::spell,
    number::cardinal,
    scene::Scene,
    token::{Kind, Token},
};

/// Words in the sentence of a number that nobody is meant to call or to pay.
const CRIMES: [&str; 11] = [
    "đối tượng",
    "kẻ gian",
    "lừa đảo",
    "nạn nhân",
    "số lạ",
    "thủ đoạn",
    "giả danh",
    "mạo danh",
    "kẻ xấu",
    "nghi phạm",
    "bị can",
];

/// Words right before a number that is there to be called or paid into.
const CALLED: [&str; 22] = [
    "gọi",
    "gọi số",
    "gọi ngay",
    "gọi ngay số",
    "gọi điện",
    "liên hệ",
    "liên hệ :",
    "lh",
    "lh :",
    "hotline",
    "hotline :",
    "tổng đài",
    "đường dây nóng",
    "đường dây nóng :",
    "theo số",
    "qua số",
    "đến số",
    "tới số",
    "về số",
    "zalo",
    "nhắn tin",
    "bấm",
];

/// Words before a plate.
const PLATES: [&str; 4] = ["bks", "biển số", "biển kiểm soát", "biển"];

fn is_mask(token: &Token<'_>) -> bool {
    token.is(Kind::Word) && !token.text.is_empty() && token.lower.bytes().all(|byte| byte == b'x')
}

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    /// Longer runs are no numbers.
    const REACH: usize = 20;
    let first = scene.token(0);
    let is_rest = is_mask(first) && {
        let back = 1 + usize::from(matches!(scene.back(1).text, "." | "-" | " "));
        scene.back(back).is(Kind::Number) && first.text.len() > 1
    };
    if !is_rest && (!first.is(Kind::Number) || scene.is_glued()) {
        return None;
    }
    let is_plate = PLATES
        .iter()
        .any(|name| scene.follows(name) || scene.follows(&format!("{name} :")))
        || (first.text.len() == 2 && scene.token(1).is_capitalised() && scene.cued(&PLATES));
    // Digits, masks and the letters of a plate, with signs between.
    let mut words: Vec<String> = Vec::new();
    let (mut at, mut end) = (0, 0);
    let (mut digits, mut masked, mut last_masked) = (0, 0, 0);
    let (mut hidden, mut read) = (0, 0);
    while at < REACH {
        let token = scene.token(at);
        if token.is(Kind::Number) {
            if last_masked > 0 {
                words.push(masks(scene, last_masked));
                last_masked = 0;
            }
            // 29B and 1 of 29B-1xx.xx are one.
            words.push(super::telephone::in_groups(token.text));
            digits += token.text.len();
            read = at + 1;
        } else if is_mask(token) {
            // 3x4x5: one x between numbers multiplies.
            if token.text.len() == 1 && scene.token(at + 1).is(Kind::Number) {
                return None;
            }
            last_masked += token.text.len();
            masked += token.text.len();
            hidden += 1;
        } else if is_plate && token.is(Kind::Word) && token.is_capitalised() && token.text.len() < 3
        {
            let name = spell(token.text)?;
            match words.last_mut() {
                Some(word) => {
                    word.push(' ');
                    word.push_str(&name);
                }
                None => words.push(name),
            }
        } else {
            return None;
        }
        at += 1;
        end = at;
        let next = scene.token(at);
        let behind = scene.token(at + 1);
        let is_part = |token: &Token<'_>| token.is(Kind::Number) || is_mask(token);
        let is_joined = matches!(next.text, "." | "-" | "–") && is_part(behind);
        let is_spaced = next.is(Kind::Space)
            && next.text.len() == 1
            && is_part(behind)
            && !(is_mask(behind) && behind.text.len() == 1);
        if is_joined || is_spaced {
            at += 1;
        } else if !matches!(next.kind, Kind::Number | Kind::Word) || !is_part(next) && !is_plate {
            break;
        }
    }
    // Digits behind a mask show that it hides something; so does what is said of whose number it is.
    let ends_open = last_masked > 0;
    if ends_open {
        words.push(masks(scene, last_masked));
    }
    // 4x6, 3 x 4: one x between numbers multiplies.
    let is_telephone = digits + masked >= 8;
    let is_number = masked > 0
        && (masked > 1 || (is_telephone && ends_open))
        && (is_rest || is_telephone || is_plate || hidden > 0 && digits + masked >= 4)
        && !matches!(scene.token(end).kind, Kind::Number | Kind::Word);
    if !is_number {
        return None;
    }
    let is_called = !is_plate && CALLED.iter().any(|word| scene.follows(word));
    // đầu số 09xx: what all of them begin with.
    let is_prefix = digits + masked <= 5 && scene.cued(&["đầu số", "đầu"]);
    let is_hidden = !is_called && (!ends_open || is_plate || is_prefix || scene.cued_far(&CRIMES));
    let text = words.join(", ");
    let text = if is_rest { format!(", {text}") } else { text };
    if is_hidden {
        return Some(Said::new(end, text));
    }
    // 0912-345-67x: whoever is to call it cannot.
    if masked == 1 || !ends_open {
        return Some(Said::wrong(end, text, ProblemKind::Placeholder));
    }
    // gọi 0912.345.xxx: the digits are read, and what is not there is reported.
    let is_begun = is_telephone && hidden == 1 && !is_rest;
    is_begun.then(|| {
        words.pop();
        Said::new(read, words.join(", "))
    })
}

/// *ba số giấu*
fn masks(scene: &Scene<'_>, count: usize) -> String {
    format!(
        "{} số giấu",
        cardinal(&count.to_string(), scene.speech.voice)
    )
}
