//! Numbers that only the words around them make whole: pairs of digits behind a word for calling, a mobile number whose zero is told
//! apart, a key to press where no number is told.

use super::{Gap, Number, Search, kind_of, used::with_zero};
use crate::contacts::{Kind, call::CALLING, token::Token};

/// Words in front of somebody's name.
const TITLES: [&str; 14] = [
    "chị",
    "anh",
    "cô",
    "chú",
    "bác",
    "ông",
    "bà",
    "em",
    "thầy",
    "dì",
    "cậu",
    "mợ",
    "cháu",
    "trưởng",
];

/// Words of a sentence that tells of swindlers, or tells people not to.
const TELLING: [&str; 14] = [
    "kẻ", "gian", "tượng", "yêu", "bảo", "không", "đừng", "chớ", "động", "giả", "lừa", "bị", "nạn",
    "tránh",
];

impl Search<'_> {
    fn back(&self, token: usize, back: usize) -> Option<&Token> {
        let before = &self.tokens[token.checked_sub(back)?];
        (before.sentence == self.tokens[token].sentence).then_some(before)
    }

    /// `gọi số 28, 34, 56`: a number of six or eight digits in pairs. Who is called up, waits with a number of two digits.
    pub(super) fn pairs(&self, at: usize) -> Option<(Number, usize)> {
        const CALLED_UP: [&str; 8] = ["lên", "vào", "nhận", "xếp", "chuẩn", "tới", "đến", "ra"];
        let first = self.groups[at].first;
        let is_called = self.back(first, 1).is_some_and(|word| word.text == "số")
            && self
                .back(first, 2)
                .is_some_and(|word| word.is_exactly_one_of(&CALLING));
        let mut last = at;
        while is_called
            && last - at < 5
            && self.groups[last].digits.len() == 2
            && self.gap(last) == Gap::Loose
            && self.groups[last + 1].digits.len() == 2
            && self.groups[last].last + 1 == self.groups[last + 1].first
        {
            last += 1;
        }
        let pairs = last - at + 1;
        let is_called_up = self
            .tokens
            .get(self.groups[last].last + 1)
            .is_some_and(|word| word.is_exactly_one_of(&CALLED_UP));
        let is_number =
            is_called && matches!(pairs, 3 | 4) && !is_called_up && !self.is_counted(at, last);
        is_number.then(|| {
            let digits: String = self.groups[at..=last]
                .iter()
                .map(|group| group.digits.as_str())
                .collect();
            (self.number(kind_of(&digits), at, last, digits), last)
        })
    }

    /// `số 912345678, thêm số không đằng trước`, `chị Hoa, số 912345678`: a mobile number without its zero.
    pub(super) fn short_of_zero(&self, at: usize) -> Option<(Number, usize)> {
        /// How far behind the number its zero is told.
        const REACH: usize = 7;
        let (last, digits) = self.close_run(at, 9);
        let number = with_zero(&digits)?;
        let first = self.groups[at].first;
        let behind = self.tokens[self.groups[last].last + 1..].iter().take(REACH);
        let has_zero = behind
            .skip_while(|word| word.text != "thêm")
            .skip(1)
            .take(2)
            .any(|word| word.text == "không" || word.digits() == Some("0"));
        let is_said = self.back(first, 1).is_some_and(|word| word.text == "số");
        // `biển số`, `sổ số` are of things.
        let is_apart = || {
            let word = first.checked_sub(2).map(|at| &self.tokens[at]);
            word.is_some_and(|word| {
                let is_name = self.letters[word.from].is_upper || word.is_exactly_one_of(&TITLES);
                let signs = &self.letters[word.to..self.tokens[first - 1].from];
                is_name || signs.iter().any(|letter| letter.c != ' ')
            })
        };
        let is_somebodys = is_said
            && is_apart()
            && (2..=6).any(|back| {
                self.back(first, back)
                    .is_some_and(|word| word.is_exactly_one_of(&TITLES))
            })
            && !self.is_identity(at);
        (has_zero || is_somebodys).then(|| (self.number(Kind::Phone, at, last, number), last))
    }

    /// `bấm phím 9 gặp cán bộ`: people press it in a call that they got. Behind a number it is an extension of that.
    pub(super) fn key(&self, at: usize) -> Option<(Number, usize)> {
        const PRESSING: [&str; 3] = ["bấm", "nhấn", "ấn"];
        /// How far before it words tell of swindlers.
        const REACH: usize = 30;
        const FOR: [&str; 8] = ["gặp", "nói", "nghe", "được", "trao", "kết", "hỏi", "nhận"];
        let group = &self.groups[at];
        let first = group.first;
        let mut back = 1;
        while back <= 2 && self.back(first, back)?.is_exactly_one_of(&["số", "phím"]) {
            back += 1;
        }
        let is_pressed = back > 1 && self.back(first, back)?.is_exactly_one_of(&PRESSING);
        if !is_pressed || group.digits.len() != 1 {
            return None;
        }
        let next = self.tokens.get(group.last + 1)?;
        let next = match next.text.as_str() {
            "để" => self.tokens.get(group.last + 2)?,
            _ => next,
        };
        let words = self.tokens[..first].iter().rev().take(REACH);
        let mut words = words.take_while(|word| word.sentence == self.tokens[first].sentence);
        let is_told = words.any(|word| word.is_exactly_one_of(&TELLING));
        let is_extension = at > 0
            && self.groups[at - 1].digits.len() >= 3
            && self.tokens[self.groups[at - 1].last].sentence == self.tokens[first].sentence;
        let is_key = next.is_exactly_one_of(&FOR) && !is_told && !is_extension;
        is_key.then(|| {
            (
                self.number(Kind::ShortCode, at, at, group.digits.clone()),
                at,
            )
        })
    }
}
