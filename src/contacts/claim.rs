//! Numbers that plainly are no contacts: dates, times, years, money, shares, numbers of documents, articles and places.
//!
//! A group of three or more digits with a leading 0 is none of them, whatever stands around it: `Điều 0912` is a
//! telephone number.

use super::{
    fold::Letter,
    token::{Shape, Token},
};

/// Words in front of a date.
const BEFORE_DATE: [&str; 17] = [
    "ngày", "hôm", "từ", "đến", "tới", "trước", "sau", "sáng", "trưa", "chiều", "tối", "đêm",
    "mùng", "mồng", "và", "hết", "tháng",
];

/// Words in front of a year.
pub(super) const BEFORE_YEAR: [&str; 9] = [
    "năm", "đoạn", "khóa", "khoá", "niên", "thập", "từ", "đến", "tới",
];

/// Words in front of a number that orders: articles, documents, places.
const BEFORE_ORDER: [&str; 57] = [
    "điều",
    "khoản",
    "điểm",
    "mục",
    "chương",
    "hiệu",
    "luật",
    "định",
    "tư",
    "văn",
    "thị",
    "hoạch",
    "quyết",
    "khối",
    "tổ",
    "xóm",
    "thôn",
    "bản",
    "phường",
    "quận",
    "lớp",
    "phòng",
    "tầng",
    "trang",
    "thứ",
    "bước",
    "phần",
    "quý",
    "hẻm",
    "ngõ",
    "ngách",
    "đường",
    "lộ",
    "quốc",
    "tiết",
    "bài",
    "hình",
    "bảng",
    "biểu",
    "mẫu",
    "phụ",
    "lục",
    "tuần",
    "lần",
    "đợt",
    "kỳ",
    "số",
    "nhà",
    "bị",
    "căn",
    "hộ",
    "lô",
    "km",
    "cột",
    "nghị",
    "pháp",
    "lệnh",
];

/// Words in front of `số` that make an ordering number of it: `Công văn số 1234`.
const NUMBERED: [&str; 21] = [
    "văn",
    "định",
    "tư",
    "thị",
    "hoạch",
    "luật",
    "lệnh",
    "trình",
    "quyết",
    "nhà",
    "đường",
    "ngõ",
    "lô",
    "hình",
    "thứ",
    "bảng",
    "mẫu",
    "phòng",
    "hiệu",
    "khối",
    "mục",
];

/// Words behind a number that count or measure.
const UNITS: [&str; 105] = [
    "kv",
    "kw",
    "kva",
    "mva",
    "mw",
    "hz",
    "mhz",
    "đoàn",
    "hội",
    "đồng",
    "đ",
    "vnđ",
    "vnd",
    "usd",
    "triệu",
    "tỷ",
    "tỉ",
    "nghìn",
    "ngàn",
    "trăm",
    "người",
    "hộ",
    "khối",
    "lần",
    "ngày",
    "giờ",
    "phút",
    "giây",
    "tháng",
    "năm",
    "tuổi",
    "km",
    "m",
    "kg",
    "g",
    "phường",
    "xã",
    "lượt",
    "cuộc",
    "vụ",
    "trường",
    "hồ",
    "bản",
    "trang",
    "cái",
    "suất",
    "học",
    "cán",
    "nhân",
    "gia",
    "em",
    "bà",
    "ông",
    "đơn",
    "cơ",
    "doanh",
    "độ",
    "mét",
    "ha",
    "tấn",
    "chiếc",
    "xe",
    "nhà",
    "địa",
    "hình",
    "thủ",
    "tổ",
    "xóm",
    "công",
    "nạn",
    "đối",
    "bệnh",
    "ca",
    "điểm",
    "đại",
    "thành",
    "nhóm",
    "phần",
    "tuần",
    "quý",
    "bước",
    "khoản",
    "căn",
    "con",
    "cây",
    "chữ",
    "từ",
    "k",
    "h",
    "tr",
    "cụm",
    "loa",
    "tin",
    "dịch",
    "bài",
    "thôn",
    "khu",
    "lớp",
    "suất",
    "buổi",
    "giải",
    "quyển",
    "tờ",
    "lít",
    "việc",
];

/// Words directly behind which a number is one to call.
const CALLED: [&str; 14] = [
    "gọi", "bấm", "quay", "thoại", "máy", "nóng", "đài", "đt", "sđt", "dđ", "hotline", "tel",
    "phone", "zalo",
];

/// How plainly a number is no contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    /// Not at all.
    None,
    /// By what stands around it: money, shares, what orders. It still may be a part of a telephone number.
    Counted,
    /// By its form: a date, a time, years, a document.
    Formed,
}

/// Which tokens are parts of numbers that plainly are no contacts.
pub(super) fn claims(letters: &[Letter], tokens: &[Token]) -> Vec<Claim> {
    let mut claimed = vec![Claim::None; tokens.len()];
    let text = Reading { letters, tokens };
    for at in 0..tokens.len() {
        if claimed[at] == Claim::Formed || tokens[at].digits().is_none() {
            continue;
        }
        let formed = [
            text.date(at),
            text.document(at),
            text.clock(at),
            text.years(at),
        ];
        // A day without its year has the form of two groups of a telephone number, too.
        let (day, full) = match formed[0] {
            Some(2) => (formed[0], None),
            date => (None, date),
        };
        let formed = [full, formed[1], formed[2], formed[3]];
        let counted = [day, text.grouped(at), text.share(at), text.ordinal(at)];
        for (claim, lengths) in [(Claim::Counted, &counted[..]), (Claim::Formed, &formed[..])] {
            if let Some(length) = lengths.iter().flatten().max() {
                for known in &mut claimed[at..at + length] {
                    *known = claim.max(*known);
                }
            }
        }
    }
    claimed
}

/// Whether the word behind token `at` counts or measures it.
pub(super) fn is_counted(letters: &[Letter], tokens: &[Token], at: usize) -> bool {
    let text = Reading { letters, tokens };
    let Some(next) = tokens.get(at + 1) else {
        return text.sign_behind(at) == Some('%');
    };
    let between = text.between(at);
    let is_near = between.len() <= 1 && between.iter().all(|letter| letter.c == ' ');
    (is_near && next.is_exactly_one_of(&UNITS))
        || matches!(text.sign_behind(at), Some('%' | '$' | '₫'))
}

/// Whether the group is a year as bulletins name them.
pub(super) fn is_year(digits: &str) -> bool {
    digits.len() == 4 && matches!(digits.parse(), Ok(1800..=2100))
}

/// Whether the digits cannot count anything.
fn is_coded(digits: &str) -> bool {
    digits.len() >= 3 && digits.starts_with('0')
}

#[derive(Debug, Clone, Copy)]
struct Reading<'a> {
    letters: &'a [Letter],
    tokens: &'a [Token],
}

impl<'a> Reading<'a> {
    fn digits(self, at: usize) -> Option<&'a str> {
        self.tokens.get(at)?.digits()
    }

    fn value(self, at: usize) -> Option<u32> {
        self.digits(at)?.parse().ok()
    }

    /// What stands between a token and the next.
    fn between(self, at: usize) -> &'a [Letter] {
        match self.tokens.get(at + 1) {
            Some(next) => &self.letters[self.tokens[at].to..next.from],
            None => &[],
        }
    }

    /// The one sign between a token and the next.
    fn joint(self, at: usize) -> Option<char> {
        match self.between(at) {
            [one] => Some(one.c),
            _ => None,
        }
    }

    fn sign_behind(self, at: usize) -> Option<char> {
        let behind = self.letters[self.tokens[at].to..].iter();
        behind.map(|letter| letter.c).find(|c| *c != ' ')
    }

    fn is_after(self, at: usize, words: &[&str]) -> bool {
        at > 0 && self.tokens[at - 1].is_exactly_one_of(words)
    }

    /// Whether a group of digits follows token `at` as a part of the same number would, and is not counted by itself.
    fn goes_on(self, at: usize) -> bool {
        let joins = |c: char| matches!(c, ' ' | '.' | '-' | '(' | ')');
        let between = self.between(at);
        let next = self.tokens.get(at + 1).and_then(|next| match &next.shape {
            Shape::Digits(digits) => Some(digits.as_str()),
            Shape::Spoken(_) => Some(""),
            Shape::Tens(_) | Shape::Word => None,
        });
        next.is_some_and(|next| {
            between.len() <= 3
                && between.iter().all(|letter| joins(letter.c))
                && !is_counted(self.letters, self.tokens, at + 1)
                && !matches!(self.sign_behind(at + 1), Some(':' | '/'))
                && !(is_year(next) && between.iter().any(|letter| letter.c == '-'))
        })
    }

    /// `12/03/2024`, `12-3-2024`, after a word `12/3` and `3/2024`.
    fn date(self, at: usize) -> Option<usize> {
        let is_introduced = self.is_after(at, &BEFORE_DATE);
        let joint = self
            .joint(at)
            .filter(|joint| matches!(joint, '/' | '-' | '.'))?;
        let (first, second) = (self.value(at)?, self.value(at + 1)?);
        let is_short = |at| self.digits(at).is_some_and(|digits| digits.len() <= 2);
        if !is_short(at) {
            return None;
        }
        let is_day_and_month =
            (1..=31).contains(&first) && (1..=12).contains(&second) && is_short(at + 1);
        if is_day_and_month
            && self.joint(at + 1) == Some(joint)
            && self
                .digits(at + 2)
                .is_some_and(|year| is_year(year) && year >= "1900")
        {
            return (is_introduced || !self.goes_on(at + 2)).then_some(3);
        }
        // Dots and dashes join the groups of a telephone number as well.
        let is_introduced = is_introduced
            && (joint == '/' || self.is_after(at, &["ngày", "tháng", "hôm", "mùng", "mồng"]));
        let is_month_and_year =
            (1..=12).contains(&first) && self.digits(at + 1).is_some_and(is_year);
        ((is_day_and_month || is_month_and_year) && is_introduced && !self.goes_on(at + 1))
            .then_some(2)
    }

    /// Whether it goes on with the digits before it, as the groups of a telephone number do.
    fn is_rest(self, at: usize) -> bool {
        at > 0
            && self.digits(at - 1).is_some_and(|before| !is_year(before))
            && self
                .between(at - 1)
                .iter()
                .all(|letter| matches!(letter.c, ' ' | '.' | '-' | '(' | ')'))
    }

    /// `39/2020/TT-BTTTT`, `1234/UBND-VHTT`.
    fn document(self, at: usize) -> Option<usize> {
        if self.digits(at)?.len() > 5 || self.joint(at) != Some('/') {
            return None;
        }
        // The rest of a telephone number, with something behind a stroke: `0912.345.678/Zalo`.
        let is_sign = |at: usize| {
            self.tokens.get(at).is_some_and(|token| {
                token.shape == Shape::Word
                    && self.letters[token.from..token.to]
                        .iter()
                        .take(2)
                        .all(|letter| letter.is_upper)
            })
        };
        if self.is_rest(at) {
            return None;
        }
        if is_sign(at + 1) {
            return Some(1);
        }
        let is_full = self.digits(at + 1).is_some_and(is_year)
            && self.joint(at + 1) == Some('/')
            && is_sign(at + 2);
        is_full.then_some(2)
    }

    /// `05:30`, `5h30`, `17g`.
    fn clock(self, at: usize) -> Option<usize> {
        let hour = self.digits(at)?;
        if hour.len() > 2 || self.value(at)? > 24 {
            return None;
        }
        let is_minutes = |at| {
            self.digits(at)
                .is_some_and(|minutes| minutes.len() == 2 && minutes < "60")
        };
        if self.joint(at) == Some(':') && is_minutes(at + 1) {
            // A row of them is no time of day.
            let is_row = matches!(self.sign_behind(at + 1), Some(':'))
                || (at > 0 && self.joint(at - 1) == Some(':'));
            let follows = self
                .digits(at + 2)
                .filter(|next| next.len() >= 3 && self.goes_on(at + 1));
            return (!is_row && follows.is_none()).then_some(2);
        }
        let unit = self.tokens.get(at + 1)?;
        let is_hour = self.between(at).is_empty()
            && unit.shape == Shape::Word
            && matches!(unit.text.as_str(), "h" | "g" | "giờ");
        if !is_hour {
            return None;
        }
        let minutes = self.between(at + 1).is_empty() && is_minutes(at + 2);
        Some(if minutes { 3 } else { 1 })
    }

    /// `năm 2024`, `2020-2024`.
    fn years(self, at: usize) -> Option<usize> {
        let year = self.digits(at).filter(|year| is_year(year))?;
        if self.is_after(at, &["gọi", "nhắn", "bấm", "số", "đài", "hotline", "sđt"]) {
            return None;
        }
        let dashes = self.between(at);
        let is_range = (1..=3).contains(&dashes.len())
            && dashes.iter().all(|letter| matches!(letter.c, ' ' | '-'))
            && dashes.iter().filter(|letter| letter.c == '-').count() == 1;
        if is_range
            && !self.goes_on(at + 1)
            && self
                .digits(at + 1)
                .is_some_and(|until| is_year(until) && until > year)
        {
            return Some(2);
        }
        (self.is_after(at, &BEFORE_YEAR) && !self.goes_on(at)).then_some(1)
    }

    /// `1.090.000`, `1 090 000`, `84.912.345.678 đồng`: thousands, and a comma with decimals.
    fn grouped(self, at: usize) -> Option<usize> {
        let first = self.digits(at)?;
        if first.len() > 3 || (first.starts_with('0') && first != "0") {
            return None;
        }
        // The rest of a longer number is no number.
        if self.is_rest(at) {
            return None;
        }
        let joint = self.joint(at)?;
        if joint == ',' || joint == '.' {
            let decimals = self.digits(at + 1)?;
            if decimals.len() <= 2
                && !self.goes_on(at + 1)
                && is_counted(self.letters, self.tokens, at + 1)
            {
                return Some(2);
            }
        }
        if !matches!(joint, '.' | ',' | ' ') || first == "0" {
            return None;
        }
        let mut last = at;
        while self.joint(last) == Some(joint)
            && self.digits(last + 1).is_some_and(|next| next.len() == 3)
        {
            last += 1;
        }
        let groups = last - at + 1;
        if groups < 2 || (joint == ' ' && self.goes_on(last)) {
            return None;
        }
        let is_counted = is_counted(self.letters, self.tokens, last);
        // `ĐT 3.842.999`
        if !is_counted && first.len() + 3 * (groups - 1) >= 7 && self.is_after(at, &CALLED) {
            return None;
        }
        let total = first.len() + 3 * (groups - 1);
        // A number with its country's prefix has the same form, and so has a short one between blanks.
        let is_doubtful = (first == "84" && total >= 11) || joint != '.' || groups == 2;
        (is_counted || !is_doubtful).then_some(groups)
    }

    /// `50%`, `50 phần trăm`.
    fn share(self, at: usize) -> Option<usize> {
        let digits = self.digits(at)?;
        let is_percent = self.sign_behind(at) == Some('%')
            || (self
                .tokens
                .get(at + 1)
                .is_some_and(|next| next.text == "phần")
                && self
                    .tokens
                    .get(at + 2)
                    .is_some_and(|next| next.text == "trăm"));
        (digits.len() <= 3 && is_percent && !is_coded(digits)).then_some(1)
    }

    /// `Điều 174`, `khối 3`, `Công văn số 1234`.
    fn ordinal(self, at: usize) -> Option<usize> {
        let digits = self.digits(at)?;
        if digits.len() > 4 || is_coded(digits) || self.goes_on(at) || at == 0 {
            return None;
        }
        let before = &self.tokens[at - 1];
        let is_order = if before.text == "số" {
            at > 1 && self.tokens[at - 2].is_exactly_one_of(&NUMBERED)
        } else {
            before.is_exactly_one_of(&BEFORE_ORDER)
        };
        let is_street = self
            .tokens
            .get(at + 1)
            .is_some_and(|next| matches!(next.text.as_str(), "đường" | "phố" | "ngõ" | "đại"));
        (is_order || (before.text == "số" && is_street)).then_some(1)
    }
}
