//! What is heard as the first label of a name that is said aloud: `lấy lại tiền vinh chấm gov chấm vn` is one name to the ear.

use super::{Label, Name, Search};
use crate::contacts::{Kind, fold::Letter, letters::is_common_end, token::Token};

/// A label said in more words than this is none.
const LONGEST_SPOKEN: usize = 6;

/// Words that say a dash.
const DASHES: [&str; 4] = ["ngang", "gạch", "nối", "trừ"];

/// Words that lead to a name and are no part of it.
const INTRODUCING: [&str; 53] = [
    "vào", "trang", "web", "website", "cổng", "địa", "chỉ", "tại", "là", "ở", "trên", "truy",
    "cập", "mạng", "miền", "xem", "qua", "từ", "theo", "và", "hoặc", "hay", "đến", "tới", "link",
    "tin", "tử", "về", "mở", "gõ", "nhập", "ghé", "thăm", "của", "gồm", "như", "cả", "được",
    "bằng", "chủ", "kết", "dẫn", "bấm", "dùng", "cho", "có", "gửi", "lên", "sang", "thức", "duy",
    "nhất", "để",
];

/// No syllable is longer.
const SYLLABLE: usize = 7;

/// More words than this are no label.
const LONGEST: usize = 12;

impl Search<'_> {
    /// Words before a label that may belong to it, the nearest first; and whether a dash is said among them.
    pub(super) fn words_before(&self, from: usize) -> (Vec<String>, bool) {
        let behind = self.tokens.partition_point(|token| token.to <= from);
        let mut words = Vec::new();
        let mut next = from;
        for token in self.tokens[..behind].iter().rev() {
            if words.len() >= LONGEST_SPOKEN - 1
                || next - token.to != 1
                || self.letters[token.to].c != ' '
            {
                break;
            }
            if token.is_one_of(&DASHES) {
                return (words, true);
            }
            words.push(self.plain(token.from, token.to));
            next = token.from;
        }
        (words, false)
    }

    /// The first label with all words before it that are heard as a part of it, and the dot behind.
    pub(super) fn said_before(&self, first: &Label) -> String {
        let label = &self.letters[first.from..first.to];
        let is_glued = label.len() > SYLLABLE && label.iter().all(|letter| letter.is_ascii);
        let behind = self.tokens.partition_point(|token| token.to <= first.from);
        let is_ascii = |token: &Token| {
            let mut letters = self.letters[token.from..token.to].iter();
            letters.all(|letter| letter.is_ascii)
        };
        let mut whole = format!("{}.", first.name.trim_start_matches('-'));
        let mut next = first.from;
        for token in self.tokens[..behind].iter().rev().take(LONGEST) {
            let between = &self.letters[token.to..next];
            let is_near = matches!(between, [one] if one.c == ' ');
            // Behind words with their marks, a label of several syllables in one piece begins by itself.
            let is_apart = is_glued && !is_ascii(token);
            if !is_near || is_apart || token.is_one_of(&INTRODUCING) {
                break;
            }
            let said = if token.is_one_of(&DASHES) {
                "-".to_owned()
            } else {
                self.plain(token.from, token.to)
            };
            whole.insert_str(0, &said);
            next = token.from;
        }
        whole
    }

    /// Whether the labels are ends of names that are spoken of as such: `có đuôi chấm gov chấm vn`, `đuôi lạ như chấm com, chấm xyz`.
    pub(super) fn is_about_ends(&self, labels: &[Label]) -> bool {
        const ABOUT: [&str; 8] = [
            "đuôi", "miền", "thúc", "cùng", "cuối", "bằng", "gồm", "phần",
        ];
        const JOINING: [&str; 9] = ["như", "hoặc", "và", "hay", "là", "bằng", "gồm", "với", "cả"];
        /// Words before *đuôi* that name nobody.
        const TELLING: [&str; 31] = [
            "có", "mang", "là", "với", "các", "những", "thấy", "dùng", "không", "mọi", "cái",
            "nhìn", "xem", "phần", "lấy", "khác", "giả", "lạ", "thật", "nhiều", "kèm", "bằng",
            "một", "hai", "ba", "và", "hoặc", "hay", "của", "vào", "ra",
        ];
        /// How far words that speak of ends reach.
        const REACH: usize = 10;
        let Some((first, ends)) = labels.split_first() else {
            return false;
        };
        let at = self.tokens.partition_point(|token| token.to <= first.from);
        let Some(head) = self
            .tokens
            .get(at)
            .filter(|_| ends.iter().all(|label| is_common_end(&label.name)))
        else {
            return false;
        };
        let before = at.checked_sub(1).map(|before| &self.tokens[before]);
        if head.is_exactly_one_of(&["đuôi", "miền"]) {
            let is_near = |word: &Token| {
                self.letters[word.to..head.from]
                    .iter()
                    .all(|letter| letter.c == ' ')
            };
            return before.is_none_or(|word| {
                !is_near(word)
                    || word.is_exactly_one_of(&TELLING)
                    || word.sentence != head.sentence
                    || word.text == "tên"
            });
        }
        let words = self.tokens[..at].iter().rev().take(REACH);
        let mut words = words.take_while(|word| word.sentence == head.sentence);
        head.is_exactly_one_of(&JOINING) && words.any(|word| word.is_exactly_one_of(&ABOUT))
    }

    /// `hoanguyen a còng gmail`, `hộp thư là hoanguyen, bên gmail`: a service for mail without its end.
    pub(super) fn mail(&self, at: usize) -> Option<Name> {
        const SERVICES: [&str; 6] = ["gmail", "yahoo", "hotmail", "outlook", "icloud", "zoho"];
        const AT: [&str; 9] = [
            "vòng", "còng", "móc", "bên", "đuôi", "ở", "dạng", "trên", "của",
        ];
        /// How far before it the name stands.
        const REACH: usize = 5;
        let token = &self.tokens[at];
        // `gmail.com` is found by its dot.
        let goes_on =
            matches!(&self.letters[token.to..], [dot, next, ..] if dot.c == '.' && next.is_word());
        if !SERVICES.contains(&token.text.as_str()) || goes_on {
            return None;
        }
        let said = self.local(token.from).filter(|(from, to)| from < to);
        let (from, to) = said.or_else(|| {
            let word = at.checked_sub(1).map(|before| &self.tokens[before])?;
            let words = self.tokens[..at].iter().rev().take(3 * REACH);
            let words = words.take_while(|other| other.sentence == token.sentence);
            let is_mail = words
                .clone()
                .any(|word| matches!(word.text.as_str(), "thư" | "mail" | "email"));
            let is_name = |word: &&Token| {
                let letters = &self.letters[word.from..word.to];
                let has_figures = self.letters.get(word.to).is_some_and(Letter::is_digit);
                (letters.len() > SYLLABLE || (has_figures && letters.len() > 3))
                    && letters
                        .iter()
                        .all(|letter| letter.is_ascii && !letter.is_digit())
            };
            let name = words.take(REACH).find(is_name)?;
            let end = self.letters[name.to..]
                .iter()
                .take_while(|letter| letter.is_digit())
                .count();
            (word.is_exactly_one_of(&AT) && is_mail).then_some((name.from, name.to + end))
        })?;
        Some(Name {
            kind: Kind::Email,
            from,
            to: token.to,
            host: (from, token.to),
            normalised: format!("{}@{}", self.in_full(from, to), token.text),
            readings: Vec::new(),
            whole: None,
            is_disguised: false,
        })
    }
}
