//! What people are told to use a number for: the digits of a telephone are an account's where they are said as an account, and an
//! account of a service where a service is named with them.

use super::{
    Number, Search,
    around::is_bank,
    words::{GOT, GOT_OR_SENT, PAYING, PURSES, SENT},
};
use crate::contacts::{
    Kind, Use, account::service, call::CALLING, claim::is_counted, fold::Letter,
    numbering::is_telephone, token::Token,
};

/// Words between an account, a bank or a service and its number.
const TOWARDS: [&str; 32] = [
    "nhận", "ủng", "hộ", "đóng", "góp", "quỹ", "chung", "này", "sau", "đây", "số", "là", "của",
    "theo", "qua", "tới", "đến", "vào", "về", "cho", "ví", "mở", "tại", "ở", "oa", "thẻ", "máy",
    "bằng", "tên", "nick", "cùng", "chủ",
];

/// Words that say of a number that one digit more follows it.
const MORE: [&str; 2] = ["thêm", "cộng"];

impl Search<'_> {
    /// A telephone number from group `at` to `last` as what people are told to use it for.
    pub(super) fn used(&self, at: usize, last: usize, number: Number) -> Number {
        let (kind, used) = if self.is_account(at, last) {
            if self.is_purse(at) {
                (number.kind, Use::Purse)
            } else {
                (Kind::BankAccount, Use::Itself)
            }
        } else {
            let service = self.service(at, last);
            (number.kind, service.map_or(Use::Itself, Use::Service))
        };
        Number {
            kind,
            used,
            ..number
        }
    }

    /// Whether money goes to the number: by the words before it, or the bank behind it.
    pub(super) fn is_account(&self, at: usize, last: usize) -> bool {
        let first = self.groups[at].first;
        let end = self.groups[last].last;
        let since = self.banked[first].filter(|words| *words <= 4);
        let between = |words: usize| &self.tokens[first - words + 1..first];
        let is_near = since.is_some_and(|words| {
            let words = between(words);
            words.iter().all(|word| {
                word.is_one_of(&TOWARDS)
                    || is_bank(word)
                    || word.digits().is_none() && word.text == "quân"
                    || word.text == "đội"
            })
        });
        // The number of a bank's own hotline, and what one calls after having paid.
        let names_bank = since.is_some_and(|words| {
            let word = &self.tokens[first - words];
            is_bank(word) || word.text == "hàng"
        });
        let bank = since.map_or(first, |words| first - words);
        let is_said = is_near && !(names_bank && self.is_called_at(bank));
        is_said
            || (self.is_before_bank(end) && !self.is_called_at(first))
            || self.is_paid_into(first)
    }

    /// Whether words for calling stand right before token `at`, and none for paying after them: `hotline của ngân hàng …`.
    fn is_called_at(&self, at: usize) -> bool {
        /// How far before it they stand.
        const REACH: usize = 6;
        const CALLED: [&str; 6] = ["nóng", "đài", "thoại", "máy", "hotline", "sđt"];
        let has_pause = |at: usize| {
            let between = &self.letters[self.tokens[at].to..self.tokens[at + 1].from];
            between.iter().any(|letter| letter.c == ',')
        };
        let sentence = self.tokens[at].sentence;
        let before = (at.saturating_sub(REACH)..at).rev();
        let mut before = before
            .take_while(|at| self.tokens[*at].sentence == sentence && !has_pause(*at))
            .map(|at| &self.tokens[at])
            .take_while(|word| !word.is_exactly_one_of(&PAYING));
        before.any(|word| word.is_exactly_one_of(&CALLING) || word.is_exactly_one_of(&CALLED))
    }

    /// `… - MB Bank`, `… mở tại Agribank`, `… ngân hàng MB`
    pub(super) fn is_before_bank(&self, end: usize) -> bool {
        let mut next = end + 1;
        while next <= end + 3
            && self
                .tokens
                .get(next)
                .is_some_and(|word| word.is_exactly_one_of(&["mở", "tại", "ở", "của"]))
        {
            next += 1;
        }
        let Some(word) = self.tokens.get(next) else {
            return false;
        };
        let is_same = word.sentence == self.tokens[end].sentence;
        let is_named = is_bank(word)
            || (word.text == "ngân"
                && self
                    .tokens
                    .get(next + 1)
                    .is_some_and(|second| second.text == "hàng"));
        is_same && is_named
    }

    /// `chuyển tiền vào 0912…`: a word for paying, and one that points at the number.
    fn is_paid_into(&self, first: usize) -> bool {
        /// What is paid, or for whom.
        const MONEY: [&str; 8] = ["tiền", "khoản", "phí", "quỹ", "cọc", "giúp", "hộ", "cho"];
        /// How far before the number a word for paying stands.
        const REACH: usize = 6;
        let before = |back: usize| first.checked_sub(back).map(|at| &self.tokens[at]);
        let is_to = |token: &Token| token.is_exactly_one_of(&["vào", "về"]);
        let points = before(1).is_some_and(is_to)
            || (before(1).is_some_and(|word| word.text == "số") && before(2).is_some_and(is_to));
        // Reports, papers and opinions are passed on, too: `đóng góp ý kiến về số …`.
        let pays = |at: usize| {
            let (word, next) = (&self.tokens[at], &self.tokens[at + 1]);
            let is_money = next.is_exactly_one_of(&MONEY) || is_to(next);
            let is_verb = word.is_exactly_one_of(&["chuyển", "đóng", "cọc", "góp"]);
            word.sentence == self.tokens[first].sentence
                && (is_verb && is_money || word.is_exactly_one_of(&["ck", "banking"]))
        };
        points && (first.saturating_sub(REACH)..first - 1).any(pays)
    }

    fn is_purse(&self, at: usize) -> bool {
        let first = self.groups[at].first;
        let before = self.tokens[..first].iter().rev().take(4);
        let mut before = before.take_while(|word| word.sentence == self.tokens[first].sentence);
        before.any(|word| word.is_exactly_one_of(&PURSES))
    }

    /// Whether the number counts what those who are called, or a bank, have got or sent: `đường dây nóng nhận 113 tin báo`.
    pub(super) fn is_done(&self, first: usize, last: usize) -> bool {
        let group = &self.groups[first];
        let Some(before) = group
            .first
            .checked_sub(1)
            .map(|before| &self.tokens[before])
        else {
            return false;
        };
        let is_sent = before.is_exactly_one_of(&SENT)
            && !self.called[group.first]
            && self.banked[group.first].is_some();
        let end = self.groups[last].last;
        let counts = self.tokens.get(end + 1).is_some_and(|next| {
            let between = &self.letters[self.tokens[end].to..next.from];
            matches!(between, [one] if one.c == ' ')
                && !self.letters[next.from].is_upper
                && (next.is_exactly_one_of(&GOT_OR_SENT)
                    || is_counted(self.letters, self.tokens, end))
        });
        (before.is_exactly_one_of(&GOT) || is_sent)
            && counts
            && self.groups[first..=last]
                .iter()
                .map(|group| group.digits.len())
                .sum::<usize>()
                <= 6
            && !group.digits.starts_with('0')
    }

    /// The service that is named with a number: `Zalo theo số …`, `… (Zalo)`, `…, có Zalo`.
    fn service(&self, at: usize, last: usize) -> Option<&'static str> {
        let (first, end) = (self.groups[at].first, self.groups[last].last);
        let before = self.tokens[..first].iter().rev().take(4);
        let mut before = before
            .take_while(|word| word.sentence == self.tokens[first].sentence)
            .skip_while(|word| word.is_exactly_one_of(&TOWARDS));
        let named = |token: &Token| {
            service(&token.text).filter(|_| token.text != "lo" && token.text != "lô")
        };
        let leads = before.next().and_then(|word| match word.text.as_str() {
            "lo" | "lô" => before
                .next()
                .filter(|word| word.text == "za")
                .map(|_| "zalo"),
            _ => named(word),
        });
        leads.or_else(|| {
            let next = self.tokens.get(end + 1)?;
            let signs: String = self.letters[self.tokens[end].to..next.from]
                .iter()
                .map(|letter: &Letter| letter.c)
                .collect();
            let follows = match next.text.as_str() {
                "có" | "dùng" => self.tokens.get(end + 2),
                _ => matches!(signs.trim(), "(" | "/" | "-").then_some(next),
            };
            follows.and_then(named)
        })
    }

    /// The other numbers that begin like the one from group `at` to `last` and of which only the end is told: `…2113/14`,
    /// `…2113(4)`, `…2113 hoặc 14`; and the last group of them.
    pub(super) fn others(&self, last: usize, number: &Number) -> (Vec<Number>, usize) {
        /// Shorter numbers have no such ends.
        const SHORTEST: usize = 7;
        let mut found: Vec<Number> = Vec::new();
        let mut end = last;
        let is_whole = number.kind == Kind::Phone && number.digits.len() >= SHORTEST;
        while is_whole && let Some(digits) = self.other(end, &number.digits) {
            end += 1;
            found.push(Number {
                digits,
                ..self.number(number.kind, end, end, String::new())
            });
        }
        (found, end)
    }

    /// What the group behind group `last` says if it is the end of another number like `known`.
    fn other(&self, last: usize, known: &str) -> Option<String> {
        let group = self.groups.get(last + 1)?;
        let (before, token) = (
            &self.tokens[self.groups[last].last],
            &self.tokens[group.first],
        );
        let between = &self.tokens[self.groups[last].last + 1..group.first];
        let is_or = match between {
            [] => false,
            [word] => word.is_exactly_one_of(&["hoặc", "và", "hay"]),
            _ => return None,
        };
        let signs: String = self.letters[before.to..token.from]
            .iter()
            .map(|letter| letter.c)
            .filter(|c| !c.is_alphanumeric() && *c != ' ')
            .collect();
        let behind = &self.letters[token.to..];
        let sign = behind.iter().map(|letter| letter.c).find(|c| *c != ' ');
        let length = group.digits.len();
        let is_alone = behind.first().is_none_or(|next| next.c != ' ') || self.is_bare(last + 1);
        let is_fraction =
            sign == Some('/') && !signs.contains('/') || sign == Some(':') || sign == Some('%');
        let shared = known.len().checked_sub(length)?;
        // `2113, 2117`, but no `5656`
        let is_like =
            length >= 3 && known[shared..].get(..length - 2) == group.digits.get(..length - 2);
        let is_end = match signs.as_str() {
            "(" => length <= 4 && sign == Some(')'),
            "/" => length <= 2 || is_like,
            "-" => (length == 2 || is_like) && is_alone,
            "" if is_or => (length == 2 || is_like) && is_alone,
            "," | ";" => is_like && is_alone,
            _ => false,
        };
        let counts = self.is_counted(last + 1, last + 1) || group.is_counted;
        (is_end && length <= 4 && !counts && !is_fraction && !group.is_spoken)
            .then(|| format!("{}{}", &known[..shared], group.digits))
    }

    /// The last group of a number and of the extension that is told with it: `… máy lẻ 102`, `…, nhánh 5`.
    pub(super) fn behind_extension(&self, last: usize) -> usize {
        const EXTENSION: [&str; 6] = ["lẻ", "nhánh", "bộ", "phím", "ext", "extension"];
        const AROUND: [&str; 10] = [
            "máy", "số", "nội", "bấm", "nhấn", "chọn", "rồi", "sau", "đó", "là",
        ];
        let Some(group) = self.groups.get(last + 1) else {
            return last;
        };
        // `lẻ năm` is read as one group.
        let between = &self.tokens[self.groups[last].last + 1..=group.first];
        let (is_extension, is_around) = (
            |word: &Token| word.is_exactly_one_of(&EXTENSION),
            |word: &Token| word.is_exactly_one_of(&AROUND),
        );
        let words = between[..between.len() - 1].iter();
        let is_near = between.len() <= 6
            && words
                .clone()
                .all(|word| is_extension(word) || is_around(word));
        let is_same =
            self.tokens[group.first].sentence == self.tokens[self.groups[last].last].sentence;
        let is_told =
            is_near && is_same && between.iter().any(is_extension) && group.digits.len() <= 4;
        if is_told { last + 1 } else { last }
    }

    /// A number with what is to be dialled behind it, which makes another one: `113 rồi bấm thêm 8`. An extension (`máy lẻ 5`, `bấm
    /// phím 8`) makes none: it is reached through the number and belongs to whoever has that.
    pub(super) fn lengthened(&self, last: usize, number: &Number) -> Option<(Number, usize)> {
        const BETWEEN: [&str; 10] = [
            "rồi", "thì", "bấm", "số", "phím", "sau", "đó", "và", "quay", "tiếp",
        ];
        let group = self.groups.get(last + 1)?;
        let between = &self.tokens[self.groups[last].last + 1..group.first];
        let is_more = between.iter().any(|word| word.is_exactly_one_of(&MORE));
        let is_near = between.len() <= 5
            && between
                .iter()
                .all(|word| word.is_exactly_one_of(&MORE) || word.is_exactly_one_of(&BETWEEN));
        let is_same =
            self.tokens[group.first].sentence == self.tokens[self.groups[last].last].sentence;
        let is_part = is_more
            && is_near
            && is_same
            && group.digits.len() <= 3
            && !self.is_counted(last + 1, last + 1);
        // `thêm số không đằng trước` says what comes first.
        let comes_first = self.tokens[group.last + 1..]
            .iter()
            .take(3)
            .any(|word| word.is_one_of(&["trước", "đầu"]));
        (is_part && !comes_first).then(|| {
            let number = Number {
                to: self.tokens[group.last].to,
                digits: format!("{}{}", number.digits, group.digits),
                ..number.clone()
            };
            (number, last + 1)
        })
    }
}

/// Whether a word for calling is among `words`.
pub(super) fn calls(words: &[Token]) -> bool {
    words.iter().any(|word| word.is_one_of(&CALLING))
}

/// A mobile number without its first zero.
pub(super) fn with_zero(digits: &str) -> Option<String> {
    let number = format!("0{digits}");
    (digits.len() == 9 && is_telephone(&number)).then_some(number)
}
