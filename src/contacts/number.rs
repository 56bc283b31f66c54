//! Telephone numbers, short codes and bank accounts among the groups of digits of a text.
//!
//! A number that has the form of a telephone number of Việt Nam is found wherever it stands and however its groups are
//! joined. Shorter and other numbers are found by the words around them: `gọi 113`, `STK 1903…`.

mod alias;
mod around;
mod repeated;
mod told;
mod used;
mod words;

use super::{
    Kind, Use,
    call::{CALLED, CALLING, called, reached},
    claim::{Claim, claims, is_counted, is_measured, is_year},
    fold::Letter,
    numbering::{is_service, is_telephone, kind_of, national},
    part::parted,
    token::{Group, Shape, Tens, Token, group},
};
use alias::aliases;
use around::{banked, is_bank};
use repeated::repeated;
use used::calls;
use words::{BEHIND, EMERGENCY, FILLERS};

/// A number as found: tokens, and what they spell.
#[derive(Debug, Clone)]
pub(super) struct Number {
    /// What it is.
    pub kind: Kind,
    /// Its first letter.
    pub from: usize,
    /// The letter behind its last one.
    pub to: usize,
    /// Its digits.
    pub digits: String,
    /// What people are told to use it for.
    pub used: Use,
}

/// How two neighbouring groups are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// As people join the groups of a number.
    Close,
    /// By signs or a line's end that also stand between two numbers.
    Loose,
    /// Not at all.
    Break,
}

/// More signs than this do not join.
const WIDEST_GAP: usize = 8;

/// More digits than this are no telephone number.
const LONGEST_PHONE: usize = 16;

/// All numbers of a text that look like contacts, in the order of their places.
pub(super) fn numbers(letters: &[Letter], tokens: &[Token]) -> Vec<Number> {
    let (called, banked) = (called(tokens), banked(letters, tokens));
    let turned_to: Vec<bool> = called
        .iter()
        .zip(&banked)
        .map(|(is_called, since)| *is_called || since.is_some_and(|words| words <= 3))
        .collect();
    let claimed = claims(letters, tokens, &turned_to);
    let has_repeated = (0..tokens.len()).any(|at| repeated(tokens, at).is_some());
    let search = Search {
        letters,
        tokens,
        groups: gather(tokens, &claimed, false),
        called,
        reached: reached(tokens),
        banked,
    };
    let mut found = search.all();
    found.extend(parted(letters, tokens, &search.groups));
    found.extend(aliases(letters, tokens));
    if has_repeated {
        let search = Search {
            groups: gather(tokens, &claimed, true),
            ..search
        };
        let mut more = search.all();
        more.retain(|number| number.kind == Kind::Phone && is_telephone(&number.digits));
        found.extend(more);
    }
    found.sort_by_key(|number| number.from);
    found
}

fn gather(tokens: &[Token], claimed: &[Claim], is_repeated: bool) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let set = is_repeated.then(|| repeated(tokens, at)).flatten();
        let one = || group(tokens, at).filter(|_| claimed[at] != Claim::Formed);
        match set.or_else(one) {
            Some(mut group) => {
                group.is_counted = claimed[at] == Claim::Counted;
                at = group.last + 1;
                groups.push(group);
            }
            None => at += 1,
        }
    }
    groups
}

struct Search<'a> {
    letters: &'a [Letter],
    tokens: &'a [Token],
    groups: Vec<Group>,
    called: Vec<bool>,
    reached: Vec<bool>,
    banked: Vec<Option<usize>>,
}

impl Search<'_> {
    /// All numbers, in the order of their places.
    fn all(&self) -> Vec<Number> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.groups.len() {
            let telephone = self
                .telephone(at)
                .map(|(number, last)| (self.used(at, last, number), last));
            let told = telephone
                .or_else(|| self.short_of_zero(at))
                .or_else(|| self.pairs(at))
                .or_else(|| self.key(at));
            let number = told.or_else(|| {
                if self.groups[at].is_counted {
                    return None;
                }
                self.account(at)
                    .or_else(|| self.address(at))
                    .or_else(|| self.called_number(at))
            });
            match number {
                Some((number, last)) => {
                    let (number, last) = self.lengthened(last, &number).unwrap_or((number, last));
                    let (others, last) = self.others(last, &number);
                    found.push(number);
                    found.extend(others);
                    at = self.behind_extension(last) + 1;
                }
                None => at += 1,
            }
        }
        found
    }

    /// How group `at` is joined to the next one.
    fn gap(&self, at: usize) -> Gap {
        let Some(next) = self.groups.get(at + 1) else {
            return Gap::Break;
        };
        let this = &self.groups[at];
        let between = &self.tokens[this.last + 1..next.first];
        if between.len() > 2 || !between.iter().all(|token| token.is_one_of(&FILLERS)) {
            return Gap::Break;
        }
        let words: usize = between.iter().map(|token| token.to - token.from).sum();
        let signs = &self.letters[self.tokens[this.last].to..self.tokens[next.first].from];
        let is_break = |letter: &Letter| matches!(letter.c, '%' | '$' | '€' | '₫');
        let newlines = signs.iter().filter(|letter| letter.c == '\n').count();
        if signs.len() - words > WIDEST_GAP || newlines > 2 || signs.iter().any(is_break) {
            return Gap::Break;
        }
        let is_close = |letter: &Letter| matches!(letter.c, ' ' | '.' | '-' | '(' | ')' | '+');
        let ends = signs
            .windows(2)
            .any(|pair| pair[0].c == '.' && pair[1].c == ' ');
        if between.is_empty() && signs.len() <= 3 && signs.iter().all(is_close) && !ends {
            Gap::Close
        } else {
            Gap::Loose
        }
    }

    fn is_dashed(&self, at: usize) -> bool {
        let signs = &self.letters[self.tokens[self.groups[at].last].to..];
        signs
            .iter()
            .find(|letter| letter.c != ' ')
            .is_some_and(|letter| letter.c == '-')
    }

    /// Where a `+` in front of group `at` stands.
    fn plus(&self, at: usize) -> Option<usize> {
        let first = &self.tokens[self.groups[at].first];
        let before = self.letters[..first.from].iter().enumerate().rev().take(3);
        let mut signs = before.skip_while(|(_, letter)| matches!(letter.c, ' ' | '('));
        signs
            .next()
            .filter(|(_, letter)| letter.c == '+')
            .map(|(at, _)| at)
            .or_else(|| {
                let word = self.groups[at].first.checked_sub(1)?;
                let word = &self.tokens[word];
                word.is_one_of(&["cộng"]).then_some(word.from)
            })
    }

    fn number(&self, kind: Kind, first: usize, last: usize, digits: String) -> Number {
        Number {
            kind,
            from: self.tokens[self.groups[first].first].from,
            to: self.tokens[self.groups[last].last].to,
            digits,
            used: Use::Itself,
        }
    }

    /// Whether the words behind the groups from `first` to `last` say that the number counts something. Whom one reaches by a number
    /// stands there, too: `Gọi 113 công an`, `STK 1903678881 bà Hoa`. So people and offices are counted by numbers of a few digits only,
    /// and not by those that somebody is to call.
    fn is_counted(&self, first: usize, last: usize) -> bool {
        let end = self.groups[last].last;
        if is_measured(self.letters, self.tokens, end) || self.is_done(first, last) {
            return true;
        }
        let digits: String = self.groups[first..=last]
            .iter()
            .map(|group| group.digits.as_str())
            .collect();
        let word = self.groups[first].first;
        let is_to_call = (self.called[word] || self.reached[word])
            && (digits.len() >= 4 || is_known_short(&digits) || digits == "156");
        let is_known = is_to_call || self.banked[word].is_some() || digits.len() >= 7;
        !is_known && is_counted(self.letters, self.tokens, end)
    }

    /// Whether nothing stands behind a group that it could count.
    fn is_bare(&self, group: usize) -> bool {
        let last = self.groups[group].last;
        let Some(next) = self.tokens.get(last + 1) else {
            return true;
        };
        let signs = &self.letters[self.tokens[last].to..next.from];
        signs.iter().any(|letter| letter.c != ' ')
            || (!signs.is_empty() && next.is_exactly_one_of(&BEHIND))
    }

    /// A telephone number that begins with group `at`, and its last group: the longest one that its form allows.
    fn telephone(&self, at: usize) -> Option<(Number, usize)> {
        let first = &self.groups[at];
        if first.is_spoken
            && let Some(number) = self.without_zero(at)
        {
            return Some(number);
        }
        let begins = first.digits.starts_with(['0', '1', '8']);
        let plus = self.plus(at);
        if !begins && plus.is_none() {
            return None;
        }
        let mut digits = String::new();
        let (mut is_loose, mut is_spoken, mut is_counted) = (false, false, false);
        let mut best: Option<(usize, String, bool)> = None;
        for last in at..self.groups.len() {
            if last > at {
                match self.gap(last - 1) {
                    Gap::Close => {}
                    Gap::Loose => is_loose = true,
                    Gap::Break => break,
                }
            }
            // A whole number does not go on behind a line's end; ten digits that are no number of the plan may.
            let is_whole = |(_, number, was_loose): &(usize, String, bool)| {
                !was_loose && (is_telephone(number) || is_service(number))
            };
            if is_loose && best.as_ref().is_some_and(is_whole) {
                break;
            }
            is_spoken |= self.groups[last].is_spoken;
            is_counted |= self.groups[last].is_counted;
            digits.push_str(&self.groups[last].digits);
            if digits.len() > LONGEST_PHONE {
                break;
            }
            if is_counted && !digits.starts_with('0') {
                break;
            }
            let number = national(&digits);
            let is_phone = is_telephone(&number)
                || (!is_loose && !is_spoken && {
                    let is_plain = number == digits && first.digits.len() >= 3;
                    (is_plain
                        && number.len() == 10
                        && number.starts_with('0')
                        // The ends of two sums: 2.000.000 - 3.000.000.
                        && !number.starts_with("00")
                        && !self.is_identity(at))
                        || is_service(&number) && !self.is_range_of_years(at, last)
                })
                || (is_spoken && last - at >= 3 && is_service(&number))
                || (plus.is_some() && !is_loose && (8..=15).contains(&digits.len()))
                || (!is_loose && self.is_abroad(at, last, &digits));
            if is_phone {
                let abroad = digits
                    .strip_prefix("00")
                    .filter(|_| number == digits && self.is_abroad(at, last, &digits));
                let number = if number == digits && plus.is_some() {
                    format!("+{digits}")
                } else if let Some(abroad) = abroad {
                    format!("+{abroad}")
                } else {
                    number
                };
                best = Some((last, number, is_loose));
            }
        }
        let (last, digits, _) = best?;
        let mut number = self.number(Kind::Phone, at, last, digits);
        number.from = plus.unwrap_or(number.from);
        Some((number, last))
    }

    /// A mobile number said one by one without its first zero: `chín một hai, ba bốn năm, sáu bảy tám`. Numbers that are
    /// counted up have a pause after each.
    fn without_zero(&self, at: usize) -> Option<(Number, usize)> {
        const DIGITS: usize = 9;
        let groups = self.groups.get(at..at + DIGITS)?;
        let last = at + DIGITS - 1;
        let is_one_by_one = groups
            .iter()
            .all(|group| group.is_spoken && group.digits.len() == 1);
        let gaps = |wanted| (at..last).filter(|at| self.gap(*at) == wanted).count();
        let goes_on = self.gap(last) != Gap::Break && self.groups[last + 1].is_spoken;
        if !is_one_by_one || goes_on || gaps(Gap::Break) > 0 || gaps(Gap::Close) < DIGITS / 2 {
            return None;
        }
        let digits: String = groups.iter().map(|group| group.digits.as_str()).collect();
        let number = format!("0{digits}");
        is_telephone(&number).then(|| (self.number(Kind::Phone, at, last, number), last))
    }

    /// `00855 12 345 678`: another country's prefix, which no country's code begins with a zero.
    fn is_abroad(&self, first: usize, last: usize, digits: &str) -> bool {
        let word = self.groups[first].first;
        last > first
            && (11..=LONGEST_PHONE).contains(&digits.len())
            && digits.starts_with("00")
            && !digits.starts_with("000")
            && self.called[word]
            && self.banked[word].is_none()
    }

    /// `1900-2024`, unless somebody is to call it.
    fn is_range_of_years(&self, first: usize, last: usize) -> bool {
        last == first + 1
            && is_year(&self.groups[first].digits)
            && is_year(&self.groups[last].digits)
            && self.is_dashed(first)
            && !self.called[self.groups[first].first]
    }

    /// Groups from `at` on that are written as one number, and their digits.
    fn close_run(&self, at: usize, longest: usize) -> (usize, String) {
        let mut last = at;
        let mut digits = self.groups[at].digits.clone();
        while self.gap(last) == Gap::Close
            && digits.len() + self.groups[last + 1].digits.len() <= longest
            && self.groups[last + 1].is_spoken == self.groups[at].is_spoken
            && !self.groups[last + 1].is_counted
        {
            last += 1;
            digits.push_str(&self.groups[last].digits);
        }
        (last, digits)
    }

    /// A bank account.
    fn account(&self, at: usize) -> Option<(Number, usize)> {
        let (mut last, mut digits) = self.close_run(at, 24);
        // Spoken digits have pauses between them.
        if self.groups[at].is_spoken {
            while self.gap(last) != Gap::Break
                && self.groups[last + 1].is_spoken
                && digits.len() < 24
            {
                last += 1;
                digits.push_str(&self.groups[last].digits);
            }
        }
        let since = self.banked[self.groups[at].first];
        let behind = self.tokens[self.groups[last].last + 1..].iter();
        let sentence = self.tokens[self.groups[last].last].sentence;
        let is_before_bank = behind
            .take_while(|token| token.sentence == sentence)
            .take(4)
            .any(is_bank);
        let is_whole = self.groups[at].digits.len() >= 12
            || (digits.len() >= 12
                && last > at
                && !self.groups[at].is_spoken
                && self.groups[at..last]
                    .iter()
                    .all(|group| group.digits.len() == 4));
        let is_account = if self.is_counted(at, last) {
            self.groups[at].digits.starts_with('0') && since.is_some() && digits.len() >= 6
        } else {
            (is_whole && !(since.is_none() && self.is_identity(at)))
                || match (since, digits.len()) {
                    (Some(words), 4..) if words <= 3 => {
                        !is_year(&digits) || self.tokens[self.groups[at].first - 1].text == "stk"
                    }
                    (Some(_), 6..) => true,
                    (Some(words), 3) if words <= 3 => {
                        let word = self.groups[at].first;
                        self.is_before_bank(self.groups[last].last)
                            && !calls(&self.tokens[word + 1 - words..word])
                    }
                    (None, 9..) if self.is_paid(self.groups[at].first) && last == at => true,
                    (None, 6..) => is_before_bank,
                    _ => false,
                }
        };
        is_account.then(|| (self.number(Kind::BankAccount, at, last, digits), last))
    }

    /// Four groups that are an address on the internet.
    fn address(&self, at: usize) -> Option<(Number, usize)> {
        let last = at + 3;
        let groups = self.groups.get(at..=last)?;
        let is_joined = groups.windows(2).all(|pair| {
            // 103 chấm 56 chấm 7 chấm 8
            let is_said = pair[0].last + 2 == pair[1].first
                && self.tokens[pair[0].last + 1].is_one_of(&["chấm", "dot"]);
            is_said
                || pair[0].last + 1 == pair[1].first && {
                    let signs = &self.letters
                        [self.tokens[pair[0].last].to..self.tokens[pair[1].first].from];
                    is_dot(signs)
                }
        });
        let is_part = |digits: &str| {
            digits.parse::<u16>().is_ok_and(|part| part < 256)
                && (digits.len() == 1 || !digits.starts_with('0'))
        };
        let parts: Vec<&str> = groups.iter().map(|group| group.digits.as_str()).collect();
        let is_section = groups[0].first.checked_sub(1).is_some_and(|before| {
            self.tokens[before].is_one_of(&[
                "mục", "điều", "khoản", "điểm", "phần", "chương", "bảng", "hình", "lục", "bản",
            ])
        });
        // `đầu số 5.6.5.6`
        let before = groups[0]
            .first
            .checked_sub(1)
            .map(|before| &self.tokens[before]);
        let is_code = self.called[groups[0].first]
            && before.is_some_and(|word| word.is_one_of(&["số"]))
            && parts.iter().all(|part| part.len() == 1);
        // Versions and sections are small; what computers are reached by seldom is.
        let is_small = parts[0].parse().is_ok_and(|part: u16| part < 32);
        let is_address = is_joined
            && (!is_section || !is_small)
            && !is_code
            && !is_measured(self.letters, self.tokens, groups[3].last)
            && parts.iter().all(|part| is_part(part));
        is_address.then(|| (self.number(Kind::Site, at, last, parts.join(".")), last))
    }

    /// A number that somebody is to call, by the words before it.
    fn called_number(&self, at: usize) -> Option<(Number, usize)> {
        let first = &self.groups[at];
        let before = first
            .first
            .checked_sub(1)
            .map(|before| &self.tokens[before]);
        if first.digits.len() == 3 && !first.is_spoken && !self.is_counted(at, at) {
            let is_emergency = EMERGENCY.iter().any(|(number, words)| {
                *number == first.digits && before.is_some_and(|word| word.is_one_of(words))
            });
            if is_emergency {
                return Some((
                    self.number(Kind::ShortCode, at, at, first.digits.clone()),
                    at,
                ));
            }
        }
        // What may be sent or reported is a number to turn to only where it counts nothing.
        let is_called = |last: usize| {
            self.called[first.first]
                || (self.reached[first.first]
                    && (self.is_bare(last)
                        || (is_known_short(&first.digits)
                            && before.is_none_or(|word| word.text != "điện"))))
        };
        if self.is_thing(at) {
            return None;
        }
        // ĐT.535 and TL 535 are provincial roads: what people call in three digits begins with a one.
        let is_road = first.digits.len() == 3
            && !first.digits.starts_with('1')
            && before.is_some_and(|word| matches!(word.text.as_str(), "đt" | "tl" | "đh" | "ql"))
            && self.close_run(at, 12).1.len() == 3;
        if is_road {
            return None;
        }
        if first.is_spoken {
            return self.spoken_code(at).filter(|(_, last)| is_called(*last));
        }
        let (last, digits) = self.close_run(at, 12);
        let (last, digits) = if is_known_short(&first.digits) || digits.len() > 11 {
            (at, first.digits.clone())
        } else {
            (last, digits)
        };
        let is_plain_year = is_year(&digits)
            && !before.is_some_and(|word| {
                word.text == "số" || word.is_one_of(&CALLING) || word.is_one_of(&CALLED)
            });
        let is_code = is_called(last)
            && (3..=12).contains(&digits.len())
            && !self.is_counted(at, last)
            && !is_plain_year;
        is_code.then(|| (self.number(kind_of(&digits), at, last, digits), last))
    }

    /// Whether a spoken group is one digit, or one behind a zero that is said as a word: `lẻ tám`.
    fn is_digit(&self, group: usize) -> bool {
        let group = &self.groups[group];
        group.digits.len() == 1
            || (group.digits.len() == 2
                && matches!(self.tokens[group.first].shape, Shape::Tens(Tens::Odd)))
    }

    /// Spoken digits from group `at` on, one by one: `một một ba`. A number that counts, `một trăm mười ba`, only where
    /// nothing else can be meant.
    fn spoken_code(&self, at: usize) -> Option<(Number, usize)> {
        let first = &self.groups[at];
        let before = first
            .first
            .checked_sub(1)
            .map(|before| &self.tokens[before])?;
        if first.digits.len() > 1 {
            let is_direct = before.text == "số"
                || before.is_one_of(&["gọi", "bấm", "đài", "gửi"])
                || is_known_short(&first.digits);
            let is_code =
                is_direct && matches!(first.digits.len(), 3 | 4) && !self.is_counted(at, at);
            return is_code.then(|| {
                (
                    self.number(Kind::ShortCode, at, at, first.digits.clone()),
                    at,
                )
            });
        }
        let mut last = at;
        let mut digits = first.digits.clone();
        while self.gap(last) != Gap::Break
            && self.groups[last + 1].is_spoken
            && self.is_digit(last + 1)
            && digits.len() < LONGEST_PHONE
        {
            last += 1;
            digits.push_str(&self.groups[last].digits);
        }
        // `hai nghìn không trăm …` counts.
        let is_large = before.is_one_of(&["nghìn", "ngàn", "triệu", "tỷ", "tỉ", "phẩy"]);
        let is_code = digits.len() >= 3 && !is_large && !self.is_counted(at, last);
        is_code.then(|| (self.number(kind_of(&digits), at, last, digits), last))
    }
}

/// Whether these signs are a dot, brackets or blanks around it or not.
fn is_dot(signs: &[Letter]) -> bool {
    let bare: String = signs.iter().map(|letter| letter.c).collect();
    matches!(bare.as_str(), "." | " . " | "[.]" | "(.)" | "{.}")
}

/// Whether it is the number of an emergency service.
fn is_known_short(digits: &str) -> bool {
    matches!(digits, "111" | "112" | "113" | "114" | "115")
}
