//! Official accounts, pages, channels and groups on chat services and social networks, by the words before their names.

mod said;
mod service;
mod whole;

use super::{
    fold::{Letter, in_full},
    letters::is_end,
    token::{Token, spelled},
};
pub(super) use service::service;

/// The name of an account as found.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// The first letter of the word that makes a name of it.
    pub from: usize,
    /// The letter behind the name.
    pub to: usize,
    /// The name, small.
    pub name: String,
    /// Where the name may end before it ends here: what follows is no name any more.
    pub shorter: Vec<String>,
    /// The whole names that it can be: all that follows it, or what stands before a word with which the sentence goes on.
    pub whole: Vec<String>,
    /// The service that it is on, if the words say so.
    pub service: Option<&'static str>,
}

const SERVICES: [&str; 28] = [
    "threads",
    "zal0",
    "zallo",
    "zaloo",
    "face",
    "whatsapp",
    "skype",
    "wechat",
    "discord",
    "lotus",
    "zalo",
    "facebook",
    "fb",
    "telegram",
    "youtube",
    "tiktok",
    "viber",
    "messenger",
    "instagram",
    "kakaotalk",
    "gmail",
    "twitter",
    "zalô",
    "zl",
    "phây",
    "tele",
    "mess",
    "insta",
];

/// What services offer by themselves; behind them these words name nobody.
const PRODUCTS: [&str; 14] = [
    "messenger",
    "marketplace",
    "shop",
    "kids",
    "pay",
    "premium",
    "reels",
    "live",
    "business",
    "story",
    "lite",
    "music",
    "mini",
    "ads",
];

/// Countries, behind services: the service there.
const COUNTRIES: [&str; 9] = [
    "việt nam",
    "trung quốc",
    "nhật bản",
    "hàn quốc",
    "nga",
    "mỹ",
    "campuchia",
    "lào",
    "thái lan",
];

/// Words in front of a person's name, with which a name need not begin with a capital.
const TITLES: [&str; 11] = [
    "chị", "anh", "cô", "chú", "bác", "ông", "bà", "em", "thầy", "cán", "đồng",
];

/// What there is on services.
const PLACES: [&str; 6] = ["trang", "kênh", "nhóm", "khoản", "page", "group"];

/// Words between the service and the name.
const BETWEEN: [&str; 16] = [
    "nick", "nickname", "id", "với", "zalo", "oa", "chính", "thức", "của", "tên", "là", "mang",
    "official", "account", "facebook", "fanpage",
];

/// More words than this are no name.
const LONGEST: usize = 12;

/// The accounts named in a text.
pub(super) fn accounts(letters: &[Letter], tokens: &[Token]) -> Vec<Account> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let account = opens(letters, tokens, at)
            .and_then(|needs_sign| named(letters, tokens, at, needs_sign))
            .or_else(|| said::said(letters, tokens, at))
            .or_else(|| said::joined(letters, tokens, at))
            .or_else(|| named_before(letters, tokens, at));
        match account {
            Some((account, next)) => {
                found.push(account);
                at = next;
            }
            None => at += 1,
        }
    }
    found
}

/// Whether a name may follow token `at`; `true` inside where only a colon or quotation marks make one of it.
fn opens(letters: &[Letter], tokens: &[Token], at: usize) -> Option<bool> {
    let token = &tokens[at];
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    if matches!(token.text.as_str(), "oa" | "fanpage" | "page") {
        return Some(false);
    }
    if token.text == "account" && before.is_some_and(|word| word.text == "official") {
        return Some(false);
    }
    // Only where such services are: `inbox Thuế Vinh`, `nhắn tin cho trang Thuế Vinh`.
    let is_small = !letters[token.from].is_upper;
    if token.text == "inbox" || (token.text == "ib" && is_small) {
        return Some(false);
    }
    if is_small && token.is_one_of(&["trang", "kênh", "nhóm"]) && is_written_to(tokens, at) {
        return Some(false);
    }
    // Line ID: …, ID Line: …; the word alone is too common.
    if token.text == "line" {
        let after = tokens.get(at + 1);
        let is_service = [before, after]
            .into_iter()
            .flatten()
            .any(|word| word.text == "id")
            || letters[token.to..]
                .iter()
                .find(|letter| letter.c != ' ')
                .is_some_and(|sign| sign.c == ':');
        return is_service.then_some(false);
    }
    // `Za-lo`, `Za lô`, `Face-book`
    let is_parted = before.is_some_and(|word| {
        matches!(
            (word.text.as_str(), token.text.as_str()),
            ("za" | "da", "lo" | "lô")
                | ("face" | "fây" | "phây", "book" | "búc")
                | ("tele", "gram")
                | ("tik", "tok" | "tóc")
                | ("you", "tube" | "túp")
        )
    }) || before.is_some_and(|word| {
        // Zal0
        word.to == token.from
            && matches!(word.text.as_str(), "zal" | "zall")
            && token.digits() == Some("0")
    }) || spelled(letters, tokens, at).is_some_and(|word| word == "zalo");
    if is_parted {
        return Some(false);
    }
    if SERVICES.contains(&token.text.as_str()) {
        // In capitals everything looks like a name.
        let is_shouted = tokens
            .get(at + 1)
            .is_some_and(|next| is_shouted(letters, token) && is_shouted(letters, next));
        return Some(is_shouted && !before.is_some_and(|word| word.is_one_of(&PLACES)));
    }
    None
}

/// Whether messages go to what token `at` names: `inbox trang …`, `nhắn tin cho trang …`.
fn is_written_to(tokens: &[Token], at: usize) -> bool {
    let before = tokens[..at].iter().rev().take(3);
    let mut before = before
        .take_while(|token| token.sentence == tokens[at].sentence)
        .skip_while(|token| token.is_exactly_one_of(&["tin", "cho", "tới", "đến", "vào", "với"]));
    before
        .next()
        .is_some_and(|token| token.is_exactly_one_of(&["inbox", "ib", "nhắn", "chat", "mess"]))
}

/// Whether token `at` ends words for following or writing to an account: `theo dõi Công an Vinh trên TikTok`.
fn is_followed(tokens: &[Token], at: usize) -> bool {
    let last = &tokens[at];
    let before = at.checked_sub(1).map_or("", |before| &*tokens[before].text);
    match last.text.as_str() {
        "dõi" => before == "theo",
        "bạn" => before == "kết",
        "hệ" => before == "liên",
        "kiếm" => before == "tìm",
        "follow" | "inbox" | "nhắn" | "tìm" | "gõ" | "add" | "ib" => true,
        _ => false,
    }
}

fn is_shouted(letters: &[Letter], token: &Token) -> bool {
    let mut letters = letters[token.from..token.to].iter();
    letters.all(|letter| letter.is_upper)
}

/// A name that is no word of a language: `thutuc247`, `thue.vinh`, `thuevinh`; and its last token.
fn nick(letters: &[Letter], tokens: &[Token], first: usize) -> Option<(usize, String)> {
    /// No syllable and hardly a name of a person is as long.
    const LONG: usize = 8;
    let is_plain = |token: &Token| {
        letters[token.from..token.to]
            .iter()
            .all(|letter| letter.is_ascii)
    };
    if !is_plain(&tokens[first]) || letters[tokens[first].from].is_digit() {
        return None;
    }
    let mut last = first;
    while let Some(next) = tokens.get(last + 1) {
        let between = &letters[tokens[last].to..next.from];
        let is_joined = match between {
            [] => true,
            [one] => matches!(one.c, '.' | '-' | ':'),
            _ => false,
        };
        if !is_joined || !is_plain(next) {
            break;
        }
        last += 1;
    }
    let run = &letters[tokens[first].from..tokens[last].to];
    let name = in_full(run, |letter| letter.plain);
    let has_digit = run.iter().any(Letter::is_digit);
    let has_joint = run.iter().any(|letter| matches!(letter.c, '.' | ':'));
    let is_address = name.rsplit('.').next().is_some_and(is_end) && has_joint;
    let is_word = SERVICES.contains(&name.as_str()) || COMMON.contains(&name.as_str());
    let is_nick = (has_digit || has_joint || name.len() >= LONG) && !is_address && !is_word;
    is_nick.then_some((last, name))
}

/// Long words without marks that stand behind services and name nobody.
const COMMON: [&str; 6] = [
    "official",
    "business",
    "marketing",
    "livestream",
    "marketplace",
    "shopping",
];

/// Whether a colon stands between two tokens.
fn has_sign_before(letters: &[Letter], tokens: &[Token], at: usize, first: usize) -> bool {
    letters[tokens[at].to..tokens[first].from]
        .iter()
        .any(|letter| letter.c == ':')
}

/// `trang “Công an Vinh” trên Facebook`, `kênh Công an Vinh trên YouTube`: the name stands before its service.
fn named_before(letters: &[Letter], tokens: &[Token], at: usize) -> Option<(Account, usize)> {
    /// Words that may stand between *trên* and the service: `trên mạng xã hội Facebook`.
    const NETWORK: [&str; 7] = ["mạng", "xã", "hội", "nền", "tảng", "ứng", "dụng"];
    /// Words that end a name or begin something else, where only a verb says that a name follows.
    const BREAKS: [&str; 20] = [
        "để", "khi", "nếu", "và", "hoặc", "được", "bị", "có", "thì", "rồi", "trước", "sau", "đã",
        "đang", "sẽ", "không", "gửi", "đăng", "về", "báo",
    ];
    let is_followed = is_followed(tokens, at);
    if !tokens[at].is_one_of(&PLACES) && !is_followed {
        return None;
    }
    let between = |next: usize| &letters[tokens[next - 1].to..tokens[next].from];
    let mut first = at + 1;
    while first - at <= 3
        && tokens
            .get(first)
            .is_some_and(|token| token.is_one_of(&BETWEEN))
        && between(first).iter().all(|letter| letter.c == ' ')
    {
        first += 1;
    }
    let quoted = tokens.get(first).is_some() && between(first).iter().any(|l| is_quote(l.c));
    let begins = letters[tokens.get(first)?.from];
    let joins = |signs: &[Letter]| {
        signs.len() <= 4
            && signs
                .iter()
                .all(|letter| matches!(letter.c, ' ' | ':' | '-' | '.') || is_quote(letter.c))
    };
    if !joins(between(first)) || !(quoted || begins.is_upper) {
        return None;
    }
    let mut last = first;
    let joint = loop {
        let next = last + 1;
        let signs = tokens.get(next).map(|_| between(next))?;
        let closes = signs.iter().any(|letter| is_quote(letter.c));
        let is_joint = tokens[next].is_exactly_one_of(&["trên", "ở", "của", "bên", "trong"]);
        if is_joint && closes == quoted {
            break next;
        }
        // nhóm “Hỗ trợ thuế” (Zalo)
        let is_aside = signs.iter().any(|letter| letter.c == '(');
        if is_aside && closes == quoted {
            break last;
        }
        let breaks = is_followed && !quoted && tokens[next].is_exactly_one_of(&BREAKS);
        if closes || breaks || !joins(signs) || next - first >= LONGEST {
            return None;
        }
        last = next;
    };
    let mut service = joint + 1;
    while service - joint <= NETWORK.len()
        && tokens
            .get(service)
            .is_some_and(|token| token.is_one_of(&NETWORK))
    {
        service += 1;
    }
    let is_service = tokens
        .get(service)
        .is_some_and(|token| SERVICES.contains(&token.text.as_str()));
    let words: Vec<&str> = tokens[first..=last]
        .iter()
        .map(|token| token.text.as_str())
        .collect();
    is_service.then(|| {
        let account = Account {
            from: tokens[at].from,
            to: tokens[service].to,
            name: words.join(" "),
            shorter: Vec::new(),
            whole: Vec::new(),
            service: service::meant(&tokens[service..=service]),
        };
        (account, service + 1)
    })
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '‘' | '’' | '\'' | '«' | '»' | '„')
}

fn named(
    letters: &[Letter],
    tokens: &[Token],
    at: usize,
    needs_sign: bool,
) -> Option<(Account, usize)> {
    let mut next = at + 1;
    let mut has_sign = !needs_sign;
    // The words between, up to a quotation mark, a colon or a capital.
    let quoted = loop {
        let token = tokens.get(next)?;
        let between = &letters[tokens[next - 1].to..token.from];
        if between.len() > 4
            || between
                .iter()
                .any(|letter| matches!(letter.c, '\n' | ',' | ';' | '.' | '!' | '?' | ')'))
        {
            return None;
        }
        if between.iter().any(|letter| is_quote(letter.c)) {
            break true;
        }
        has_sign |= between.iter().any(|letter| letter.c == ':');
        // `Messenger cho “Tổng đài VNeID”`
        let is_to = token.is_exactly_one_of(&["cho", "tới", "đến", "gặp"])
            && letters[token.to..]
                .iter()
                .take(2)
                .any(|letter| is_quote(letter.c));
        if is_to {
            next += 1;
            continue;
        }
        if !(next - at <= 5 && token.is_one_of(&BETWEEN)) {
            break false;
        }
        next += 1;
    };
    let first = next;
    if !quoted && let Some((last, name)) = nick(letters, tokens, first) {
        let account = Account {
            from: tokens[at].from,
            to: tokens[last].to,
            name,
            shorter: Vec::new(),
            whole: Vec::new(),
            service: service::meant(&tokens[at..first]),
        };
        return Some((account, last + 1));
    }
    // Zalo: chị Lan thuế
    let is_titled = || {
        let is_said = has_sign_before(letters, tokens, at, first)
            || tokens[at + 1..first].iter().any(|word| word.text == "tên");
        let mut behind = tokens[first + 1..].iter().take(2);
        is_said
            && tokens[first].is_one_of(&TITLES)
            && behind.any(|token| letters[token.from].is_upper)
    };
    if !quoted && (!has_sign || !(letters[tokens[first].from].is_upper || is_titled())) {
        return None;
    }
    let read = whole::read(letters, tokens, first, quoted);
    // Facebook Việt Nam is the service itself, and so is Facebook Messenger.
    let is_service = || {
        let name = read.shorter.first().unwrap_or(&read.name).as_str();
        COUNTRIES.contains(&name) || PRODUCTS.contains(&name)
    };
    if !quoted && !has_sign_before(letters, tokens, at, first) && is_service() {
        return None;
    }
    let service = service::meant(&tokens[at..first]);
    Some(read.account(letters, tokens, at, service))
}
