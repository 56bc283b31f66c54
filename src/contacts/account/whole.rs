//! Where the name of an account ends. A verified name is the whole name: what goes on behind it, in whatever signs, makes another
//! name of it (`Công an Vinh 24h`, `Công an Vinh – Hỗ Trợ`), unless it plainly is prose again.

use super::{Account, LONGEST, is_quote, service::service};
use crate::contacts::{
    fold::Letter,
    token::{Shape, Token},
};

/// Words in small letters behind a name with which the sentence goes on.
const GOES_ON: [&str; 78] = [
    "để", "khi", "nếu", "và", "hoặc", "hay", "cùng", "với", "là", "thì", "mà", "nhưng", "vì", "do",
    "nên", "đã", "đang", "sẽ", "vừa", "được", "bị", "có", "không", "chưa", "cũng", "vẫn", "chỉ",
    "đều", "tại", "ở", "trong", "trên", "từ", "đến", "tới", "lúc", "vào", "hằng", "hàng", "mỗi",
    "các", "nhé", "nha", "ạ", "nhận", "tiếp", "gửi", "đăng", "về", "cho", "theo", "qua", "rồi",
    "sau", "trước", "ngay", "thông", "cập", "phát", "công", "cảnh", "khuyến", "đề", "mời", "xin",
    "trả", "như", "kèm", "bằng", "để", "gồm", "hôm", "sáng", "chiều", "tối", "ngày", "tháng",
    "năm",
];

/// Words behind a dash or a stroke that begin something else than the rest of a name.
const OTHER: [&str; 28] = [
    "gọi",
    "điện",
    "số",
    "sđt",
    "đt",
    "hotline",
    "website",
    "web",
    "trang",
    "email",
    "mail",
    "thư",
    "địa",
    "đường",
    "tổng",
    "liên",
    "kênh",
    "nhóm",
    "tel",
    "ngày",
    "tin",
    "ảnh",
    "nguồn",
    "theo",
    "bà",
    "kính",
    "mời",
    "xin",
];

/// Words in brackets behind a name that say something of it.
const ASIDE: [&str; 20] = [
    "có", "xem", "gọi", "số", "sđt", "đt", "tích", "dấu", "đã", "tại", "ở", "quét", "nhấn", "bấm",
    "link", "theo", "tên", "là", "trên", "nguồn",
];

/// Units of time: a figure before one is no part of a name, but for `24 giờ`.
const TIMES: [&str; 9] = [
    "giờ", "h", "phút", "ngày", "tháng", "năm", "lần", "tuần", "người",
];

/// Provinces behind the name of an office say where it is.
const PROVINCES: [&str; 12] = [
    "nghệ an",
    "hà tĩnh",
    "thanh hóa",
    "thanh hoá",
    "quảng bình",
    "hà nội",
    "đà nẵng",
    "hải phòng",
    "cần thơ",
    "quảng trị",
    "việt nam",
    "thừa thiên huế",
];

/// A name as it is read.
pub(super) struct Read {
    /// All of it.
    pub name: String,
    /// What stands before each word in small letters.
    pub shorter: Vec<String>,
    /// The whole names that it can be.
    whole: Vec<String>,
    quoted: bool,
    /// The token behind it.
    next: usize,
}

impl Read {
    /// The account of this name on `service`, that words from token `at` on lead to, and the token behind it.
    pub(super) fn account(
        self,
        letters: &[Letter],
        tokens: &[Token],
        at: usize,
        service: Option<&'static str>,
    ) -> (Account, usize) {
        let to = tokens[self.next - 1].to;
        let closes = letters
            .get(to)
            .is_some_and(|letter| self.quoted && is_quote(letter.c));
        let account = Account {
            from: tokens[at].from,
            to: to + usize::from(closes),
            name: self.name,
            shorter: self.shorter,
            whole: self.whole,
            service,
        };
        (account, self.next)
    }
}

/// The name that begins with token `first`.
pub(super) fn read(letters: &[Letter], tokens: &[Token], first: usize, quoted: bool) -> Read {
    let mut words: Vec<String> = Vec::new();
    let (mut shorter, mut whole) = (Vec::new(), Vec::new());
    let mut next = first;
    while let Some(token) = tokens.get(next) {
        if next > first {
            let between = &letters[tokens[next - 1].to..token.from];
            let ends = if quoted {
                between
                    .iter()
                    .any(|letter| is_quote(letter.c) || letter.c == '\n')
            } else {
                !(between.is_empty() || between.len() == 1 && matches!(between[0].c, ' ' | '-'))
            };
            if ends || words.len() >= LONGEST {
                break;
            }
            if !quoted && !letters[token.from].is_upper {
                shorter.push(words.join(" "));
                if goes_on(letters, tokens, next) {
                    whole.push(words.join(" "));
                }
            }
        }
        // `24h`
        let is_glued = next > first && tokens[next - 1].to == token.from;
        match words.last_mut().filter(|_| is_glued) {
            Some(last) => last.push_str(&token.text),
            None => words.push(token.text.clone()),
        }
        next += 1;
    }
    let is_over = whole.is_empty();
    let rest = behind(letters, tokens, next - 1, quoted).filter(|_| is_over);
    if let Some((more, last)) = rest {
        shorter.push(words.join(" "));
        words.extend(more);
        next = last + 1;
    }
    // `Công an Vinh+`
    let has_plus = letters
        .get(tokens[next - 1].to)
        .is_some_and(|sign| sign.c == '+');
    if let Some(last) = words.last_mut().filter(|_| has_plus) {
        last.push('+');
    }
    whole.push(words.join(" "));
    Read {
        name: words.join(" "),
        shorter,
        whole,
        quoted,
        next,
    }
}

/// Whether the sentence goes on with token `at`, so that a name may end before it.
fn goes_on(letters: &[Letter], tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    if letters[token.from].is_upper {
        return false;
    }
    let is_time = || {
        tokens
            .get(at + 1)
            .is_some_and(|next| next.is_exactly_one_of(&TIMES))
            && token.text != "24"
    };
    match &token.shape {
        Shape::Digits(_) => {
            is_time() || matches!(letters.get(token.to), Some(sign) if matches!(sign.c, '/' | ':'))
        }
        Shape::Spoken(_) | Shape::Tens(_) => is_time() || token.is_exactly_one_of(&GOES_ON),
        Shape::Word => token.is_exactly_one_of(&GOES_ON),
    }
}

/// What of a name stands behind signs after its token `last`, and its last token.
fn behind(
    letters: &[Letter],
    tokens: &[Token],
    last: usize,
    quoted: bool,
) -> Option<(Vec<String>, usize)> {
    let first = last + 1;
    let next = tokens.get(first)?;
    let signs: String = letters[tokens[last].to..next.from]
        .iter()
        .map(|letter| letter.c)
        .filter(|c| !(quoted && is_quote(*c)))
        .collect();
    let run = run(letters, tokens, first);
    let is_upper = |at: usize| letters[tokens[at].from].is_upper;
    let is_figure = |at: usize| tokens[at].digits().is_some() && !goes_on(letters, tokens, at);
    let is_other = next.is_exactly_one_of(&OTHER) || service(&next.text).is_some();
    let is_title = || run.iter().all(|at| is_upper(*at) || is_figure(*at)) && run.len() > 1;
    let is_end = |sign: char| {
        let behind = run.last().and_then(|last| letters.get(tokens[*last].to));
        behind.is_some_and(|behind| behind.c == sign)
    };
    let is_glued = signs == "." && tokens[last].to + 1 == next.from;
    // `Zalo/Viber: …` names two services and nobody.
    let is_service = service(&tokens[last].text).is_some();
    let is_part = match signs.trim() {
        _ if is_service => false,
        "." => is_glued && is_upper(first) && !is_other,
        "+" | "&" => !is_other,
        "" if quoted && !signs.is_empty() => is_figure(first),
        "-" | "/" | "|" => {
            (is_upper(first) || is_figure(first)) && !is_other && signs != "/"
                || signs == "/" && is_title()
        }
        ":" => is_title() && !is_other,
        "," => is_title() && !is_other && !is_place(tokens, &run),
        "(" => !is_other && !next.is_exactly_one_of(&ASIDE) && is_end(')'),
        _ => false,
    };
    let words = run.iter().map(|at| tokens[*at].text.clone()).collect();
    (is_part && !signs.contains('\n')).then(|| (words, run[run.len() - 1]))
}

/// The tokens from `first` on with nothing but blanks between, up to where the sentence goes on.
fn run(letters: &[Letter], tokens: &[Token], first: usize) -> Vec<usize> {
    let mut run = vec![first];
    while let Some(next) = tokens.get(first + run.len()) {
        let at = first + run.len();
        let between = &letters[tokens[at - 1].to..next.from];
        let is_joined = between.iter().all(|letter| letter.c == ' ');
        if !is_joined || run.len() >= LONGEST || goes_on(letters, tokens, at) {
            break;
        }
        run.push(at);
    }
    run
}

fn is_place(tokens: &[Token], run: &[usize]) -> bool {
    let words: Vec<&str> = run.iter().map(|at| tokens[*at].text.as_str()).collect();
    PROVINCES.contains(&words.join(" ").as_str())
}
