//! Words that speak of calling, and how far what they say reaches.

use super::token::{Shape, Token};

/// Words for calling; what they say ends after a few words.
pub(super) const CALLING: [&str; 7] = ["gọi", "nhắn", "hệ", "bấm", "quay", "alo", "call"];

/// How far the words for calling reach.
const CALL_REACH: usize = 10;

/// Words for what is called; they hold for the sentence.
pub(super) const CALLED: [&str; 15] = [
    "whatsapp",
    "telegram",
    "wechat",
    "skype",
    "hotline",
    "sđt",
    "đt",
    "zalo",
    "phone",
    "tel",
    "viber",
    "sms",
    "telephone",
    "dđ",
    "đtdđ",
];

/// The same, of two words.
const CALLED_PAIRS: [(&str, &str); 10] = [
    ("mã", "vùng"),
    ("tổng", "đài"),
    ("đầu", "số"),
    ("số", "máy"),
    ("dây", "nóng"),
    ("điện", "thoại"),
    ("di", "động"),
    ("đường", "dây"),
    ("trực", "ban"),
    ("máy", "bàn"),
];

/// Words in front of `số` with which it is a number to turn to.
const TO_NUMBER: [&str; 12] = [
    "tới", "đến", "qua", "theo", "vào", "bằng", "gửi", "ở", "dùng", "trên", "các", "những",
];

/// Words for turning to somebody, which are also said of things: `gửi 5656`, `báo 113`.
const REACHING: [&str; 9] = [
    "báo", "gửi", "ánh", "lạc", "giác", "alô", "điện", "soạn", "cấp",
];

/// Words between those and a number.
const TOWARDS: [&str; 16] = [
    "tin", "cho", "về", "qua", "tới", "đến", "với", "vào", "tại", "số", "ngay", "theo", "lên",
    "trực", "tiếp", "gấp",
];

/// For each token, whether the words before it speak of calling.
pub(super) fn called(tokens: &[Token]) -> Vec<bool> {
    let mut reach: usize = 0;
    let mut holds = None;
    tokens
        .iter()
        .enumerate()
        .map(|(at, token)| {
            let is_new = at == 0 || tokens[at - 1].sentence != token.sentence;
            if is_new {
                reach = 0;
            }
            let is_called = reach > 0 || holds == Some(token.sentence);
            reach = reach.saturating_sub(1);
            if matches!(token.shape, Shape::Digits(_)) {
                // A list of numbers does not use the reach up.
                reach += usize::from(reach > 0);
            } else if is_calling(tokens, at) {
                reach = CALL_REACH;
            } else if token.is_one_of(&CALLED)
                || (!is_new && CALLED_PAIRS.iter().any(|pair| is_pair(tokens, at, *pair)))
            {
                holds = Some(token.sentence);
            } else if !is_new && token.text == "số" && tokens[at - 1].is_one_of(&TO_NUMBER) {
                reach = reach.max(3);
            }
            is_called
        })
        .collect()
}

/// Whether token `at` speaks of calling. *kêu gọi* asks for something, *gọi hồn* is a rite, *hệ số* a coefficient.
fn is_calling(tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    let before = at.checked_sub(1).map_or("", |before| &*tokens[before].text);
    let next = tokens.get(at + 1).map_or("", |next| &*next.text);
    match token.text.as_str() {
        "gọi" => before != "kêu" && next != "hồn",
        "hệ" => next != "số" || before == "liên",
        "gửi" => {
            // Soạn tin VINH gửi 8179
            let sentence = token.sentence;
            let mut words = tokens[..at].iter().rev();
            words
                .by_ref()
                .take_while(|word| word.sentence == sentence)
                .any(|word| word.is_one_of(&["soạn"]))
        }
        _ => token.is_one_of(&CALLING),
    }
}

pub(super) fn is_pair(tokens: &[Token], last: usize, (first, second): (&str, &str)) -> bool {
    // Who writes `số` with its mark means no `máy` by `may`.
    let is_mixed =
        |before: &Token| before.text == first && !first.is_ascii() && tokens[last].text != second;
    tokens[last].is_one_of(&[second])
        && (first.is_empty()
            || (last > 0 && tokens[last - 1].is_one_of(&[first]) && !is_mixed(&tokens[last - 1])))
}

/// For each token, whether it stands directly behind words for turning to somebody.
pub(super) fn reached(tokens: &[Token]) -> Vec<bool> {
    let is_same = |a: usize, b: usize| tokens[a].sentence == tokens[b].sentence;
    let is_number = |at: usize| matches!(tokens[at].shape, Shape::Digits(_));
    let mut all: Vec<bool> = Vec::with_capacity(tokens.len());
    for at in 0..tokens.len() {
        // The next of a list of numbers: `báo 113, 114 hoặc 115`.
        let listed = match at {
            1.. if is_number(at - 1) => Some(at - 1),
            2.. if tokens[at - 1].is_one_of(&["và", "hoặc", "hay"]) => Some(at - 2),
            _ => None,
        };
        let goes_on = listed.is_some_and(|before| {
            is_number(at) && is_number(before) && is_same(before, at) && all[before]
        });
        let stands_behind = || {
            let mut verb = at;
            for _ in 0..4 {
                let Some(before) = verb.checked_sub(1).filter(|before| is_same(*before, at)) else {
                    return false;
                };
                verb = before;
                if tokens[verb].is_exactly_one_of(&REACHING) {
                    return true;
                }
                if !tokens[verb].is_one_of(&TOWARDS) {
                    return false;
                }
            }
            false
        };
        let is_reached = goes_on || stands_behind();
        all.push(is_reached);
    }
    all
}
