//! Names of accounts that words part from their service: `Facebook của quỹ là …`, `vào YouTube gõ kênh …`, `nhắn Zalo cô Lan kế
//! toán`; and the numbers of meetings and of computers that are worked on from afar.

use super::{Account, SERVICES, TITLES, is_quote, nick, service, whole};
use crate::contacts::{
    fold::Letter,
    token::{Shape, Token},
};

/// Words that say whose an account is, between a service and its name: `của quỹ`, `của đội cứu hộ`.
const OWNERS: usize = 5;

/// Words for looking for somebody on a service, and what is looked for.
const LOOKING: [&str; 18] = [
    "gõ", "tìm", "kiếm", "kênh", "trang", "nhóm", "tên", "cho", "tài", "khoản", "với", "từ",
    "khóa", "nick", "là", "hội", "chữ", "cụm",
];

/// Words for turning to somebody on a service, right before it.
const TURNING: [&str; 12] = [
    "với", "riêng", "qua", "bạn", "nhắn", "tin", "hệ", "inbox", "add", "ib", "tìm", "theo",
];

/// Words in a sentence that tells of something that happened, or that tells people not to.
const TELLING: [&str; 12] = [
    "kẻ", "gian", "tượng", "lừa", "giả", "bị", "đã", "không", "đừng", "chớ", "mạo", "nạn",
];

/// Programs for meetings and for working on other people's computers, which are joined by a number.
const PROGRAMS: [&str; 8] = [
    "zoom",
    "ultraviewer",
    "ultraview",
    "teamviewer",
    "anydesk",
    "meet",
    "webex",
    "rustdesk",
];

/// Words between such a program and its number.
const TO_NUMBER: [&str; 18] = [
    "id", "mã", "số", "phòng", "họp", "là", "máy", "của", "đọc", "nhập", "vào", "cuộc", "meeting",
    "qua", "code", "bằng", "theo", "gõ",
];

/// The account named behind the service at token `at`, with words between that the usual form has not.
pub(super) fn said(letters: &[Letter], tokens: &[Token], at: usize) -> Option<(Account, usize)> {
    let is_page = matches!(tokens[at].text.as_str(), "fanpage" | "page" | "oa");
    if !is_page && !SERVICES.contains(&tokens[at].text.as_str()) {
        return None;
    }
    let first = owned(letters, tokens, at)
        .or_else(|| looked_for(letters, tokens, at))
        .or_else(|| titled(letters, tokens, at))?;
    Some(named(letters, tokens, at, first))
}

/// What stands between token `at` and the one before it.
fn before<'l>(letters: &'l [Letter], tokens: &[Token], at: usize) -> &'l [Letter] {
    &letters[tokens[at - 1].to..tokens[at].from]
}

fn is_blank(signs: &[Letter]) -> bool {
    signs.iter().all(|letter| letter.c == ' ')
}

/// `Facebook của quỹ là X`, `Tên Facebook của quỹ: X`, `Zalo em tên X`
fn owned(letters: &[Letter], tokens: &[Token], at: usize) -> Option<usize> {
    let next = tokens.get(at + 1)?;
    let is_owner = next.text == "của" || next.is_exactly_one_of(&TITLES);
    if !is_owner || !is_blank(before(letters, tokens, at + 1)) {
        return None;
    }
    let is_free = next.text != "của";
    let is_source = at > 0 && tokens[at - 1].is_exactly_one_of(&["trên", "theo", "ở", "qua", "từ"]);
    for first in at + 2..(at + 3 + OWNERS).min(tokens.len()) {
        let signs = before(letters, tokens, first);
        // `Trên Facebook của xã: Lịch tiêm` tells what stands there.
        let has_colon = signs.iter().any(|letter| letter.c == ':') && !is_source;
        let said = &tokens[first - 1];
        let is_said = said.text == "tên" || (said.text == "là" && !is_free);
        if (has_colon || is_said)
            && !tokens[first].is_exactly_one_of(&["là", "tên", "kênh", "trang", "nick"])
        {
            return is_name(letters, tokens, first).then_some(first);
        }
        if !is_blank(signs) {
            return None;
        }
    }
    None
}

/// `vào YouTube gõ kênh X`, `lên Facebook tìm X`, `nhắn tin Facebook cho tài khoản X`
fn looked_for(letters: &[Letter], tokens: &[Token], at: usize) -> Option<usize> {
    let mut first = at + 1;
    while tokens
        .get(first)
        .is_some_and(|token| token.is_exactly_one_of(&LOOKING))
        && first - at <= 5
    {
        first += 1;
    }
    let between = &tokens[at + 1..first];
    let is_looked_for = between
        .iter()
        .any(|token| token.is_exactly_one_of(&["gõ", "tìm", "kiếm", "khoản"]));
    let signs = letters.get(tokens[at].to..tokens.get(first)?.from)?;
    let is_joined = signs.len() < 60
        && !signs
            .iter()
            .any(|letter| matches!(letter.c, ',' | '.' | ';' | '\n' | '('));
    (is_looked_for && is_joined && !tells(tokens, at) && is_name(letters, tokens, first))
        .then_some(first)
}

/// `nhắn Zalo cô Lan kế toán`, `kết bạn Facebook với chị Hoa Bảo Hiểm`
fn titled(letters: &[Letter], tokens: &[Token], at: usize) -> Option<usize> {
    let mut first = at + 1;
    if tokens
        .get(first)?
        .is_exactly_one_of(&["với", "cho", "tới", "gặp", "của"])
    {
        first += 1;
    }
    let turns = at.checked_sub(1).is_some_and(|word| {
        tokens[word].is_exactly_one_of(&TURNING) && tokens[word].sentence == tokens[at].sentence
    }) || is_first(tokens, at);
    let is_near = (at + 1..=first)
        .all(|word| tokens.get(word).is_some() && is_blank(before(letters, tokens, word)));
    let name = tokens.get(first + 1)?;
    let is_titled = is_near
        && tokens[first].is_exactly_one_of(&TITLES)
        && letters[name.from].is_upper
        && is_blank(before(letters, tokens, first + 1));
    (turns && is_titled && !tells(tokens, at)).then_some(first)
}

/// Whether a sentence begins with token `at`, and does not go on with what happened.
fn is_first(tokens: &[Token], at: usize) -> bool {
    const REACH: usize = 8;
    let is_same = |token: &&Token| token.sentence == tokens[at].sentence;
    let begins = at
        .checked_sub(1)
        .is_none_or(|before| !is_same(&&tokens[before]));
    let mut behind = tokens[at..].iter().take(REACH).take_while(is_same);
    begins && !behind.any(|token| token.is_exactly_one_of(&TELLING))
}

/// Whether the sentence up to a little behind token `at` tells of something, and asks for nothing.
fn tells(tokens: &[Token], at: usize) -> bool {
    const REACH: usize = 12;
    let from = at.saturating_sub(REACH);
    tokens[from..at]
        .iter()
        .any(|token| token.sentence == tokens[at].sentence && token.is_exactly_one_of(&TELLING))
}

/// Whether a name can begin with token `first`: with a quotation mark or a capital, or as a word of no language.
fn is_name(letters: &[Letter], tokens: &[Token], first: usize) -> bool {
    let is_quoted = before(letters, tokens, first)
        .iter()
        .any(|letter| is_quote(letter.c));
    let is_upper = letters[tokens[first].from].is_upper;
    let is_titled = tokens[first].is_exactly_one_of(&TITLES)
        && tokens
            .get(first + 1)
            .is_some_and(|next| letters[next.from].is_upper);
    is_quoted || is_upper || is_titled || nick(letters, tokens, first).is_some()
}

fn named(letters: &[Letter], tokens: &[Token], at: usize, first: usize) -> (Account, usize) {
    let service = service::meant(&tokens[at..=at]);
    let is_quoted = before(letters, tokens, first)
        .iter()
        .any(|letter| is_quote(letter.c));
    if !is_quoted && let Some((last, name)) = nick(letters, tokens, first) {
        let account = Account {
            from: tokens[at].from,
            to: tokens[last].to,
            name,
            shorter: Vec::new(),
            whole: Vec::new(),
            service,
        };
        return (account, last + 1);
    }
    let read = whole::read(letters, tokens, first, is_quoted);
    read.account(letters, tokens, at, service)
}

/// `Zoom ID 812 3456 7890`, `UltraViewer, đọc ID 45 678 901`: the number of a meeting or of a computer.
pub(super) fn joined(letters: &[Letter], tokens: &[Token], at: usize) -> Option<(Account, usize)> {
    /// Digits of such a number (`Zoom` 9 to 11, `TeamViewer` and `AnyDesk` 9 or 10, `UltraViewer` 8 or 9).
    const DIGITS: std::ops::RangeInclusive<usize> = 8..=11;
    /// Words between a program and *ID*.
    const REACH: usize = 6;
    let is_program = |word: &Token| PROGRAMS.contains(&word.text.as_str());
    let is_same = |other: usize| {
        tokens
            .get(other)
            .is_some_and(|token| token.sentence == tokens[at].sentence)
    };
    let is_id = tokens[at].text == "id"
        && (at.saturating_sub(REACH)..=at + REACH + 2)
            .any(|other| is_same(other) && is_program(&tokens[other]));
    if !is_program(&tokens[at]) && !is_id {
        return None;
    }
    let mut first = at + 1;
    while first - at <= REACH
        && is_same(first)
        && (tokens[first].is_exactly_one_of(&TO_NUMBER) || is_program(&tokens[first]))
    {
        first += 1;
    }
    // `UltraViewer của kỹ thuật viên: 112 233 445`
    let colon = (at + 1..at + REACH)
        .take_while(|other| is_same(*other))
        .find(|other| {
            let signs = before(letters, tokens, *other);
            signs.iter().any(|sign| sign.c == ':')
        });
    let mut digits = String::new();
    let mut next = colon.unwrap_or(first);
    let first = next;
    while is_same(next)
        && let Shape::Digits(group) = &tokens[next].shape
    {
        let signs = before(letters, tokens, next);
        let is_close =
            signs.len() <= 1 && signs.iter().all(|sign| matches!(sign.c, ' ' | '-' | '.'));
        if next > first && !is_close {
            break;
        }
        digits.push_str(group);
        next += 1;
        if digits.len() > *DIGITS.end() {
            return None;
        }
    }
    DIGITS.contains(&digits.len()).then(|| {
        let account = Account {
            from: tokens[at].from,
            to: tokens[next - 1].to,
            name: digits,
            shorter: Vec::new(),
            whole: Vec::new(),
            service: None,
        };
        (account, next)
    })
}
