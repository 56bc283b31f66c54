//! Codes in pictures that people are told to photograph: where a text shows one, nobody can read where it leads.

use super::{fold::Letter, token::Token};

/// What leads to a picture.
#[derive(Debug, Clone)]
pub(super) struct Code {
    /// The first letter of *quét*.
    pub from: usize,
    /// The letter behind the words that point at it.
    pub to: usize,
}

/// Words between *quét* and *QR*.
const BETWEEN: [&str; 7] = ["mã", "vào", "qua", "ngay", "code", "ô", "hình"];

/// Words that point at something near: `quét mã QR dưới đây`.
const NEAR: [&str; 22] = [
    "dưới đây",
    "bên dưới",
    "ở dưới",
    "phía dưới",
    "sau đây",
    "sau",
    "này",
    "bên cạnh",
    "bên trái",
    "bên phải",
    "bên trên",
    "phía trên",
    "ở trên",
    "kèm theo",
    "đính kèm",
    "trong ảnh",
    "trong hình",
    "trên ảnh",
    "trên hình",
    "trên màn hình",
    "trên áp phích",
    "trên tờ rơi",
];

/// Words that tell people not to.
const FORBIDDING: [&str; 6] = ["không", "đừng", "chớ", "chưa", "tránh", "ngừng"];

/// The codes that a text tells people to photograph.
pub(super) fn codes(letters: &[Letter], tokens: &[Token]) -> Vec<Code> {
    let is_qr = |at: &usize| matches!(tokens[*at].text.as_str(), "qr" | "vietqr");
    (0..tokens.len())
        .filter(is_qr)
        .filter_map(|qr| code(letters, tokens, qr))
        .collect()
}

fn code(letters: &[Letter], tokens: &[Token], qr: usize) -> Option<Code> {
    let is_near = |at: usize, other: usize| {
        let between = &letters[tokens[at].to..tokens[other].from];
        between
            .iter()
            .all(|letter| matches!(letter.c, ' ' | '-' | '"' | '“' | '”' | '(' | ')' | ':'))
    };
    let mut scan = qr.checked_sub(1)?;
    while qr - scan <= 3 && tokens[scan].is_exactly_one_of(&BETWEEN) {
        scan = scan.checked_sub(1)?;
    }
    if !tokens[scan].is_one_of(&["quét", "scan", "chụp"]) {
        return None;
    }
    let told_not = (1..=3).any(|back| {
        scan.checked_sub(back).is_some_and(|at| {
            tokens[at].sentence == tokens[scan].sentence
                && tokens[at].is_exactly_one_of(&FORBIDDING)
        })
    });
    let mut next = qr + 1;
    if tokens.get(next).is_some_and(|token| token.text == "code") {
        next += 1;
    }
    let points = |phrase: &str| {
        let words: Vec<&str> = phrase.split(' ').collect();
        let follows = words.iter().enumerate().all(|(index, word)| {
            tokens.get(next + index).is_some_and(|token| {
                token.is_one_of(&[word]) && is_near(next + index - 1, next + index)
            })
        });
        // `quét mã QR sau khi …`: of two words, only those point.
        let last = next + words.len() - 1;
        let is_time = phrase == "sau"
            && tokens.get(last + 1).is_some_and(|token| {
                token.sentence == tokens[last].sentence
                    && is_near(last, last + 1)
                    && letters[tokens[last].to..token.from]
                        .iter()
                        .all(|letter| letter.c == ' ')
                    && !token.is_exactly_one_of(&["để"])
            });
        follows && !is_time
    };
    let phrase = NEAR.iter().find(|phrase| points(phrase))?;
    let last = next + phrase.split(' ').count() - 1;
    (!told_not).then(|| Code {
        from: tokens[scan].from,
        to: tokens[last].to,
    })
}
