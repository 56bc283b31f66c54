//! Numbers that plainly are no contacts: dates, times, years, money, shares, numbers of documents, articles and places.
//!
//! A group of three or more digits with a leading 0 is none of them, whatever stands around it: `Điều 0912` is a
//! telephone number.

mod words;

use super::{
    fold::Letter,
    numbering::is_service,
    token::{Shape, Token},
};
pub(super) use words::BEFORE_YEAR;
use words::{BEFORE_DATE, BEFORE_ORDER, CALLED, COUNTED_OR_CALLED, NUMBERED, UNITS};

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

/// Which tokens are parts of numbers that plainly are no contacts. `turned_to` says of each token whether words before it speak of
/// calling somebody or of an account.
pub(super) fn claims(letters: &[Letter], tokens: &[Token], turned_to: &[bool]) -> Vec<Claim> {
    let mut claimed = vec![Claim::None; tokens.len()];
    let text = Reading {
        letters,
        tokens,
        turned_to,
    };
    for at in 0..tokens.len() {
        if claimed[at] == Claim::Formed || tokens[at].digits().is_none() {
            continue;
        }
        let formed = [
            text.date(at),
            text.document(at),
            text.clock(at),
            [
                text.years(at),
                text.range(at),
                text.days(at),
                text.prefixes(at),
                text.version(at),
            ]
            .into_iter()
            .flatten()
            .max(),
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
    is_measured(letters, tokens, at) || is_before(letters, tokens, at, &COUNTED_OR_CALLED)
}

/// The same by words that cannot say whom one reaches by the number.
pub(super) fn is_measured(letters: &[Letter], tokens: &[Token], at: usize) -> bool {
    let sign = letters[tokens[at].to..]
        .iter()
        .map(|letter| letter.c)
        .find(|c| *c != ' ');
    is_before(letters, tokens, at, &UNITS) || matches!(sign, Some('%' | '$' | '₫'))
}

fn is_before(letters: &[Letter], tokens: &[Token], at: usize, words: &[&str]) -> bool {
    tokens.get(at + 1).is_some_and(|next| {
        let between = &letters[tokens[at].to..next.from];
        between.len() <= 1
            && between.iter().all(|letter| letter.c == ' ')
            && next.is_exactly_one_of(words)
    })
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
    turned_to: &'a [bool],
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
        // `Tổng đài miễn phí 1900-2056`
        if matches!(year, "1800" | "1900") && self.turned_to[at] {
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
        let total = first.len() + 3 * (groups - 1);
        // Nobody counts people or offices in millions without saying so.
        let is_counted = is_measured(self.letters, self.tokens, last)
            || (total < 7 && is_counted(self.letters, self.tokens, last));
        let is_more = joint == '.' && self.joint(last) == Some('.');
        if !is_counted
            && (self.is_network(at, groups, is_more) || self.is_turned_to(at, last, total))
        {
            return None;
        }
        // A number with its country's prefix has the same form, and so has a short one between blanks.
        let is_doubtful = (first == "84" && total >= 11) || joint != '.' || groups == 2;
        (is_counted || !is_doubtful).then_some(groups)
    }

    /// Whether thousands from `at` on are rather the parts of an address on the internet: `45.118.144.27`. `is_more` where they go on
    /// behind a dot.
    fn is_network(self, at: usize, groups: usize, is_more: bool) -> bool {
        let parts = groups + usize::from(is_more);
        let is_part = |at| {
            let part = self.digits(at).filter(|part| part.len() <= 3);
            part.is_some_and(|part| {
                part.parse().is_ok_and(|part: u16| part < 256)
                    && (part.len() == 1 || !part.starts_with('0'))
            })
        };
        parts == 4 && self.joint(at) == Some('.') && (at..at + parts).all(is_part)
    }

    /// Whether thousands from `at` to `last` are rather a number that somebody is to call or to pay to: `gọi ngay 968.417.253`.
    /// Sums are round, or stand behind a word for money.
    fn is_turned_to(self, at: usize, last: usize, total: usize) -> bool {
        const MONEY: [&str; 14] = [
            "tiền", "phí", "giá", "phạt", "chuyển", "nộp", "đòi", "thu", "trị", "gần", "hơn",
            "khoảng", "mất", "vay",
        ];
        let digits: String = (at..=last).filter_map(|at| self.digits(at)).collect();
        let is_form = match total {
            7 => digits.starts_with(['2', '3', '6']),
            9 => digits.starts_with(['3', '5', '7', '8', '9']),
            _ => is_service(&digits),
        };
        let is_directly = self.is_after(at, &CALLED);
        let is_money = self.tokens[..at]
            .iter()
            .rev()
            .take(2)
            .any(|word| word.is_exactly_one_of(&MONEY));
        is_directly && total >= 7
            || (self.turned_to[at] && is_form && !digits.ends_with("000") && !is_money)
    }

    /// `1.800 - 1.900 kcal`: from a smaller sum to a larger one.
    fn range(self, at: usize) -> Option<usize> {
        let thousands = |at: usize| {
            let (head, tail) = (self.digits(at)?, self.digits(at + 1)?);
            let is_so = head.len() <= 3
                && tail.len() == 3
                && !head.starts_with('0')
                && self.joint(at) == Some('.');
            is_so.then(|| format!("{head}{tail}").parse::<u32>().ok())?
        };
        let dashes = self.between(at + 1);
        let is_dash = (1..=3).contains(&dashes.len())
            && dashes.iter().all(|letter| matches!(letter.c, ' ' | '-'))
            && dashes.iter().any(|letter| letter.c == '-');
        let is_rising = is_dash && thousands(at)? < thousands(at + 2)?;
        (is_rising && !self.is_rest(at) && !self.turned_to[at] && !self.goes_on(at + 3))
            .then_some(4)
    }

    /// `01/9, 02/9 và 03/9`: days, one after another.
    fn days(self, at: usize) -> Option<usize> {
        let is_day = |at: usize| {
            let is_short = |at| self.digits(at).is_some_and(|digits| digits.len() <= 2);
            is_short(at)
                && is_short(at + 1)
                && self.joint(at) == Some('/')
                && self.value(at).is_some_and(|day| (1..=31).contains(&day))
                && self
                    .value(at + 1)
                    .is_some_and(|month| (1..=12).contains(&month))
        };
        let mut next = at;
        let mut days = 0;
        while is_day(next) {
            days += 1;
            let end = next + 1;
            let and = self.tokens.get(end + 1);
            next = match self.between(end) {
                [comma, blank] if matches!(comma.c, ',' | ';') && blank.c == ' ' => end + 1,
                [blank] if blank.c == ' ' && and.is_some_and(|word| word.text == "và") => end + 2,
                _ => {
                    return (days >= 3 && !self.goes_on(end)).then_some(end + 1 - at);
                }
            };
        }
        (days >= 3).then(|| next.saturating_sub(at))
    }

    /// `phiên bản 24.05.02`
    fn version(self, at: usize) -> Option<usize> {
        let is_part = |at| self.digits(at).is_some_and(|digits| digits.len() <= 2);
        if !self.is_after(at, &["bản"]) || !self.is_after(at - 1, &["phiên"]) || !is_part(at) {
            return None;
        }
        let mut last = at;
        while self.joint(last) == Some('.') && is_part(last + 1) {
            last += 1;
        }
        Some(last + 1 - at)
    }

    /// `đầu số 09, 03, 07`: prefixes of two digits, one after another.
    fn prefixes(self, at: usize) -> Option<usize> {
        let is_prefix = |at| {
            self.digits(at)
                .is_some_and(|digits| digits.len() == 2 && digits.starts_with('0'))
        };
        let is_listed = |at: usize| matches!(self.between(at), [comma, blank] if comma.c == ',' && blank.c == ' ');
        let mut last = at;
        while is_prefix(last) && is_listed(last) && is_prefix(last + 1) {
            last += 1;
        }
        (last >= at + 2).then(|| last + 1 - at)
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
            // An account is no paragraph.
            let is_account = before.text == "khoản"
                && at > 1
                && self.tokens[at - 2].is_one_of(&["tài", "chuyển"]);
            before.is_exactly_one_of(&BEFORE_ORDER) && !is_account
        };
        let is_street = self
            .tokens
            .get(at + 1)
            .is_some_and(|next| matches!(next.text.as_str(), "đường" | "phố" | "ngõ" | "đại"));
        (is_order || (before.text == "số" && is_street)).then_some(1)
    }
}
