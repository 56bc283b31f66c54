//! What has to be typed as it stands, letter by letter: `soạn tin DK TTHC gửi 8088`; and letters that are spoken of: `"i" hay "y"`.

use super::Said;
use crate::speech::{
    lexicon::spell,
    number::one_by_one,
    scene::Scene,
    token::{Kind, Token},
};

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    message(scene).or_else(|| letter(scene))
}

/// Whether a piece of a message is typed as it stands.
fn is_typed(token: &Token<'_>) -> bool {
    token.is(Kind::Number)
        || (token.is(Kind::Word)
            && token.text.chars().all(char::is_uppercase)
            && spell(token.text).is_some())
}

/// Whether the token in hand stands between *soạn* and *gửi 8088*; then where *gửi* is.
fn send(scene: &Scene<'_>) -> Option<usize> {
    /// Longer messages nobody types.
    const REACH: usize = 30;
    const ENDS: [&str; 5] = [".", "!", "?", ";", "…"];
    let is_end = |token: &Token<'_>| token.is(Kind::Break) || ENDS.contains(&token.text);
    let is_send = |token: &Token<'_>| &*token.lower == "gửi";
    // The message begins right behind these words.
    let begin = (1..REACH)
        .take_while(|back| !is_end(scene.back(*back)))
        .find(|back| matches!(&*scene.back(*back).lower, "soạn" | "nhắn" | "pháp"))?;
    let opening = (1..begin)
        .rev()
        .map(|back| scene.back(back))
        .chain([scene.token(0)])
        .find(|token| {
            !token.is(Kind::Space)
                && !token.is(Kind::Sign)
                && !matches!(
                    &*token.lower,
                    "tin" | "theo" | "cú" | "pháp" | "nội" | "dung"
                )
        });
    if !opening.is_some_and(is_typed) {
        return None;
    }
    // nhắn YES gửi 8088 hoặc NO gửi 8089: behind a number another message may begin.
    let last_send = (1..begin).find(|back| is_send(scene.back(*back)));
    if last_send.is_some() && !matches!(scene.previous(), "hoặc" | "và" | "hay") {
        return None;
    }
    let send = (1..REACH)
        .take_while(|at| !is_end(scene.token(*at)))
        .find(|at| is_send(scene.token(*at)))?;
    // gửi 8088, gửi đến số 8088, gửi về tổng đài 8088
    let is_sent = (send + 1..send + 10)
        .map(|at| scene.token(at))
        .find(|token| {
            !token.is(Kind::Space)
                && !matches!(
                    &*token.lower,
                    "đến" | "tới" | "về" | "số" | "tổng" | "đài" | "đầu" | "tin"
                )
        })
        .is_some_and(|token| token.is(Kind::Number) && token.text.len() >= 3);
    is_sent.then_some(send)
}

/// The words of a short message: what stands between *soạn* and *gửi 8088*.
fn message(scene: &Scene<'_>) -> Option<Said> {
    let first = scene.token(0);
    // soạn BHXH <dấu cách> mã số gửi 8079: the brackets are for the eye.
    if matches!(first.text, "<" | ">" | "[" | "]") {
        return send(scene).map(|_| Said::new(1, ""));
    }
    if !first.is(Kind::Word) || !is_typed(first) || scene.is_glued() {
        return None;
    }
    let send = send(scene)?;
    let mut words: Vec<String> = Vec::new();
    let mut end = 0;
    let mut at = 0;
    while at < send {
        let token = scene.token(at);
        if is_typed(token) {
            let said = if token.is(Kind::Number) {
                one_by_one(token.text)
            } else {
                spell(token.text)?
            };
            words.push(said);
            end = at + 1;
        } else if token.is(Kind::Space) && is_typed(scene.token(at + 1)) {
            words.push("cách".to_owned());
        } else {
            break;
        }
        at += 1;
    }
    Some(Said::new(end, words.join(" ")))
}

/// The letters that sound the same, with their tones.
const PAIRS: [(char, char); 6] = [
    ('i', 'y'),
    ('ì', 'ỳ'),
    ('í', 'ý'),
    ('ỉ', 'ỷ'),
    ('ĩ', 'ỹ'),
    ('ị', 'ỵ'),
];

/// `"i" hay "y"`, `"kí" hay "ký"`: which of the two is meant cannot be heard without their names.
fn letter(scene: &Scene<'_>) -> Option<Said> {
    const QUOTES: [&str; 6] = ["\"", "“", "”", "'", "‘", "’"];
    let word = scene.token(0);
    let is_quoted =
        |at: usize| QUOTES.contains(&scene.token(at).text) && scene.token(at + 1).is(Kind::Word);
    if !word.is(Kind::Word)
        || !QUOTES.contains(&scene.back(1).text)
        || !QUOTES.contains(&scene.token(1).text)
    {
        return None;
    }
    // The other one stands on the far side of an *or*.
    let is_or = |token: &Token<'_>| matches!(&*token.lower, "hay" | "hoặc" | "và");
    let other = if is_or(scene.token(3)) && is_quoted(5) {
        scene.token(6)
    } else if is_or(scene.back(3)) && scene.back(6).is(Kind::Word) {
        scene.back(6)
    } else {
        return None;
    };
    let plain = |text: &str| -> String {
        text.chars()
            .map(|c| {
                PAIRS
                    .iter()
                    .find(|pair| pair.1 == c)
                    .map_or(c, |pair| pair.0)
            })
            .collect()
    };
    let is_pair = word.lower != other.lower && plain(&word.lower) == plain(&other.lower);
    if !is_pair {
        return None;
    }
    let name = if PAIRS.iter().any(|pair| word.lower.contains(pair.1)) {
        "i dài"
    } else {
        "i ngắn"
    };
    let quote = scene.token(1).text;
    Some(if word.text.chars().count() == 1 {
        Said::new(1, name)
    } else {
        Said::new(2, format!("{}{quote} {name}", word.text))
    })
}
