//! A text as it looks: one ASCII or Vietnamese letter for each sign that a reader takes for it, with its place.
//!
//! Full-width, encircled and foreign digits become digits, dots and dashes become one sort each, what nobody sees is gone,
//! and so are the marks of Markdown, character references and backslashes. Linear in the length of the text.

use unicode_normalization::{UnicodeNormalization as _, char::canonical_combining_class};

use super::letters;

/// A sign as it looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letter {
    /// Small and composed, with Vietnamese marks.
    pub c: char,
    /// Without marks, and as the ASCII letter that it passes for.
    pub plain: char,
    /// Where it stands in the text.
    pub start: usize,
    /// Where the next one begins.
    pub end: usize,
    /// A capital in the text.
    pub is_upper: bool,
    /// Written as plain ASCII.
    pub is_ascii: bool,
    /// Behind a low line: a mark of Markdown, but a part of paths and of the names of accounts.
    pub is_after_bar: bool,
}

impl Letter {
    /// A part of a word or number.
    pub(super) fn is_word(&self) -> bool {
        letters::is_word(self.c)
    }

    pub(super) fn is_digit(&self) -> bool {
        self.c.is_ascii_digit()
    }
}

/// What becomes of tags and of the signs in front of list items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    /// They are read like everything else: a link stands in a tag.
    Kept,
    /// Tags are not seen: a number can go on behind them.
    NoTags,
    /// Neither are the numbers of list items: a number can go on over the items.
    NoTagsNoNumbers,
}

impl Markup {
    /// The ways in which `text` is to be read.
    pub(super) fn of(text: &str) -> Vec<Self> {
        let has_numbers = text
            .lines()
            .any(|line| marker(line.trim_start_matches([' ', '\t', '>'])).is_some());
        match (text.contains('<'), has_numbers) {
            (false, false) => vec![Self::Kept],
            (true, false) => vec![Self::Kept, Self::NoTags],
            (false, true) => vec![Self::Kept, Self::NoTagsNoNumbers],
            (true, true) => vec![Self::Kept, Self::NoTags, Self::NoTagsNoNumbers],
        }
    }
}

/// Character references longer than this are none.
const LONGEST_REFERENCE: usize = 24;

/// Tags longer than this are no tags.
const LONGEST_TAG: usize = 300;

/// The text as it looks.
pub(super) fn fold(text: &str, markup: Markup) -> Vec<Letter> {
    let mut letters = Vec::with_capacity(text.len());
    let mut at = 0;
    let mut is_line_start = true;
    while at < text.len() {
        let rest = &text[at..];
        if markup != Markup::Kept {
            let is_item = is_line_start && markup == Markup::NoTagsNoNumbers;
            let skip = tag(rest).or_else(|| is_item.then(|| marker(rest)).flatten());
            if let Some(length) = skip {
                at += length;
                is_line_start = false;
                continue;
            }
        }
        let Some(first) = rest.chars().next() else {
            break;
        };
        let escaped = match first {
            '&' => reference(rest),
            '%' => escape(rest),
            _ => None,
        };
        if let Some((c, length)) = escaped {
            push(&mut letters, c, at, at + length, false);
            at += length;
            is_line_start = false;
            continue;
        }
        let mut length = first.len_utf8();
        // Composed Vietnamese, which is what nearly all of a text is, stays as it is.
        let is_plain = first.is_ascii()
            || matches!(u32::from(first), 0xC0..=0xD6 | 0xD8..=0xF6 | 0xF8..=0xFD | 0x102 | 0x103 | 0x110 | 0x111 | 0x128 | 0x129
                | 0x168 | 0x169 | 0x1A0 | 0x1A1 | 0x1AF | 0x1B0 | 0x1EA0..=0x1EF9);
        let known = letters.len();
        if is_plain && rest[length..].chars().next().is_none_or(|c| c < '\u{300}') {
            push(&mut letters, first, at, at + length, first.is_ascii());
        } else {
            for mark in rest[length..].chars() {
                if canonical_combining_class(mark) == 0 {
                    break;
                }
                length += mark.len_utf8();
            }
            cluster(&mut letters, &rest[..length], at);
        }
        if let Some(letter) = letters.get_mut(known) {
            letter.is_after_bar = text[..at].ends_with('_');
        }
        is_line_start = first == '\n' || (is_line_start && matches!(first, ' ' | '\t' | '>'));
        at += length;
    }
    letters
}

/// `letters` with those as digits that stand with digits in one run and pass for some, if there are any: `091Z E45 678`.
pub(super) fn as_digits(letters: &[Letter]) -> Option<Vec<Letter>> {
    let is_part = |letter: &Letter| letter.is_word() || matches!(letter.c, '|' | '!');
    let mut changed: Option<Vec<Letter>> = None;
    let mut at = 0;
    while at < letters.len() {
        let length = letters[at..]
            .iter()
            .take_while(|letter| is_part(letter))
            .count();
        let run = &letters[at..at + length];
        let digits = run.iter().filter(|letter| letter.is_digit()).count();
        let as_digit = |letter: &Letter| {
            let digit = letter.is_digit().then_some(letter.c);
            digit.or_else(|| letters::passes_for_digit(letter.plain, letter.is_upper))
        };
        if (1..length).contains(&digits) && run.iter().all(|letter| as_digit(letter).is_some()) {
            let all = changed.get_or_insert_with(|| letters.to_vec());
            for letter in &mut all[at..at + length] {
                if let Some(digit) = as_digit(letter) {
                    (letter.c, letter.plain) = (digit, digit);
                }
            }
        }
        at += length.max(1);
    }
    changed
}

/// `letters` without the blanks between signs that stand alone, if there are many: `c o n g a n . v n`.
pub(super) fn drawn_together(letters: &[Letter]) -> Option<Vec<Letter>> {
    /// Fewer are found in lists and formulas.
    const MANY: usize = 6;
    let is_word = |at: Option<usize>| {
        at.and_then(|at| letters.get(at))
            .is_some_and(Letter::is_word)
    };
    let is_alone = |at: usize| {
        letters.get(at).is_some_and(|letter| {
            !matches!(letter.c, ' ' | '\n')
                && !(letter.is_word() && (is_word(at.checked_sub(1)) || is_word(Some(at + 1))))
        })
    };
    let is_between =
        |at: &usize| letters[*at].c == ' ' && *at > 0 && is_alone(*at - 1) && is_alone(*at + 1);
    let count = (0..letters.len()).filter(is_between).take(MANY).count();
    (count == MANY).then(|| {
        let kept = (0..letters.len()).filter(|at| !is_between(at));
        kept.map(|at| letters[at]).collect()
    })
}

/// `letters` with the Roman numerals from one to nine that stand alone as digits, where there are many: `O IX I II III IV`.
pub(super) fn as_roman(letters: &[Letter]) -> Option<Vec<Letter>> {
    const NUMERALS: [&str; 9] = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"];
    /// Fewer are found among headings and terms of office.
    const MANY: usize = 5;
    let mut changed = Vec::with_capacity(letters.len());
    let mut count = 0;
    let mut at = 0;
    while at < letters.len() {
        let length = letters[at..]
            .iter()
            .take_while(|letter| letter.is_word())
            .count();
        let run = &letters[at..at + length];
        let value = (1..=4)
            .contains(&length)
            .then(|| {
                let is_upper = run.iter().all(|letter| letter.is_upper);
                let name: String = run.iter().map(|letter| letter.plain).collect();
                NUMERALS.iter().position(|known| is_upper && *known == name)
            })
            .flatten();
        if let Some(digit) = value.and_then(|at| b"123456789".get(at)) {
            let digit = char::from(*digit);
            count += 1;
            changed.push(Letter {
                c: digit,
                plain: digit,
                end: run[length - 1].end,
                ..run[0]
            });
        } else {
            changed.extend_from_slice(&letters[at..at + length.max(1)]);
        }
        at += length.max(1);
    }
    (count >= MANY).then_some(changed)
}

/// `letters` with dots for the low lines of words that end as the names of sites do, and for dashes before what only such
/// names end in: `dichvucong_gov_vn`, `dichvucong-gov-vn`. A word that ends in `_vn` alone is rather the name of an account.
pub(super) fn with_dots(letters: &[Letter]) -> Option<Vec<Letter>> {
    const NATIONAL: [&str; 5] = ["gov.vn", "com.vn", "edu.vn", "org.vn", "net.vn"];
    const ENDS: [&str; 9] = [
        "com", "net", "org", "info", "xyz", "top", "vip", "online", "shop",
    ];
    let is_part = |letter: &Letter| letter.is_word() || letter.c == '-';
    let opens =
        |letter: &Letter| matches!(letter.c, ' ' | '\n' | '(' | '[' | '"' | '“' | '\'' | '‘');
    let goes_on = |at: usize| {
        letters.get(at).is_some_and(|sign| match sign.c {
            '@' => true,
            '.' => letters.get(at + 1).is_some_and(Letter::is_word),
            _ => false,
        })
    };
    let mut changed: Option<Vec<Letter>> = None;
    let mut at = 0;
    while at < letters.len() {
        let length = letters[at..].iter().take_while(|l| is_part(l)).count();
        let run = &letters[at..at + length];
        let is_first = at == 0 || opens(&letters[at - 1]);
        let has_bars = run.iter().skip(1).any(|letter| letter.is_after_bar);
        let dashes = run.iter().filter(|letter| letter.c == '-').count();
        let dotted = (is_first && (has_bars || dashes > 1) && !goes_on(at + length))
            .then(|| in_full(run, |letter| letter.plain));
        let ends = |name: &str, joint: char, ends: &[&str]| {
            ends.iter().any(|end| {
                let end = format!("{joint}{}", end.replace('.', &joint.to_string()));
                name.ends_with(&end)
            })
        };
        let by_bars = dotted
            .as_deref()
            .is_some_and(|name| ends(name, '_', &NATIONAL) || ends(name, '_', &ENDS));
        let by_dashes = dotted
            .as_deref()
            .is_some_and(|name| ends(name, '-', &NATIONAL));
        if by_bars || by_dashes {
            let all = changed.get_or_insert_with(|| letters[..at].to_vec());
            let mut left = dashes;
            for (index, letter) in run.iter().enumerate() {
                let dot = |start: usize, end: usize| Letter {
                    c: '.',
                    plain: '.',
                    start,
                    end,
                    is_upper: false,
                    is_ascii: true,
                    is_after_bar: false,
                };
                if by_bars && index > 0 && letter.is_after_bar {
                    all.push(dot(letter.start - 1, letter.start));
                }
                let is_dash = letter.c == '-';
                all.push(if by_dashes && is_dash && left <= 2 {
                    dot(letter.start, letter.end)
                } else {
                    Letter {
                        is_after_bar: false,
                        ..*letter
                    }
                });
                left -= usize::from(is_dash);
            }
        } else if let Some(all) = &mut changed {
            all.extend_from_slice(run);
        }
        at += length;
        if length == 0 {
            if let Some(all) = &mut changed {
                all.push(letters[at]);
            }
            at += 1;
        }
    }
    changed
}

/// What `letters` say, each as `say` has it, with the low lines between them.
pub(super) fn in_full(letters: &[Letter], say: impl Fn(&Letter) -> char) -> String {
    let mut text = String::with_capacity(letters.len());
    for letter in letters {
        if letter.is_after_bar && !text.is_empty() {
            text.push('_');
        }
        text.push(say(letter));
    }
    text
}

/// A character with the marks that follow it.
fn cluster(letters: &mut Vec<Letter>, written: &str, start: usize) {
    let end = start + written.len();
    let mut chars = written.chars();
    if let Some(first) = chars.next()
        && let Some(digit) = letters::digit(first)
    {
        push(letters, digit, start, end, false);
        return;
    }
    for c in written.nfkc() {
        if canonical_combining_class(c) == 0 {
            push(letters, c, start, end, false);
        }
    }
}

fn push(letters: &mut Vec<Letter>, c: char, start: usize, end: usize, is_ascii: bool) {
    // Signs of Markdown, and the backslash before a sign, are not seen.
    if letters::is_invisible(c) || matches!(c, '*' | '_' | '`' | '\\') {
        return;
    }
    let is_upper = c.is_uppercase();
    let c = if is_ascii {
        c.to_ascii_lowercase()
    } else {
        letters::digit(c)
            .or_else(|| letters::sign(c))
            .or_else(|| c.to_lowercase().next())
            .unwrap_or(c)
    };
    let c = match c {
        '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        '~' => '-',
        c if c.is_whitespace() => ' ',
        c => c,
    };
    let plain = if c.is_ascii() { c } else { plain(c) };
    letters.push(Letter {
        c,
        plain,
        start,
        end,
        is_upper,
        is_ascii: is_ascii && c.is_ascii(),
        is_after_bar: false,
    });
}

/// A small letter without marks, as the ASCII letter that it passes for.
fn plain(c: char) -> char {
    let base = match letters::bare(c) {
        base if base.is_ascii() => base,
        _ => std::iter::once(c).nfd().next().unwrap_or(c),
    };
    letters::look_alike(base).unwrap_or(base)
}

/// The length of a tag at the beginning of `rest`.
fn tag(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('<')?;
    let first = inside.chars().next()?;
    if !(first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?')) {
        return None;
    }
    let length = inside
        .bytes()
        .take(LONGEST_TAG)
        .position(|b| matches!(b, b'<' | b'>'))?;
    (inside.as_bytes()[length] == b'>').then_some(length + 2)
}

/// The length of the number or letter in front of a list item: `1. `, `b) `.
fn marker(rest: &str) -> Option<usize> {
    let digits = match rest.bytes().take_while(u8::is_ascii_digit).count() {
        0 => usize::from(rest.starts_with(|c: char| c.is_ascii_alphabetic())),
        digits => digits,
    };
    let sign = rest[digits..].chars().next()?;
    let is_marker = (1..=2).contains(&digits) && matches!(sign, '.' | ')');
    let length = digits + sign.len_utf8();
    (is_marker && rest[length..].starts_with([' ', '\t', '\u{a0}'])).then_some(length)
}

/// A sign as web addresses write it, `%2E`, and its length.
fn escape(rest: &str) -> Option<(char, usize)> {
    let digits = rest.get(1..3)?;
    let code = u8::from_str_radix(digits, 16).ok()?;
    let is_sign =
        (code.is_ascii_graphic() || code == b' ') && matches!(digits.as_bytes()[0], b'2'..=b'7');
    is_sign.then_some((char::from(code), 3))
}

/// A character reference at the beginning of `rest`, and its length: `&#48;`, `&#x30;`, `&period;`.
fn reference(rest: &str) -> Option<(char, usize)> {
    let length = rest
        .bytes()
        .take(LONGEST_REFERENCE)
        .position(|b| b == b';')?;
    let name = &rest[1..length];
    let c = if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        char::from_u32(code)?
    } else {
        match name {
            "nbsp" | "ensp" | "emsp" | "thinsp" | "Tab" | "NewLine" => ' ',
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "period" | "middot" | "bull" => '.',
            "commat" => '@',
            "sol" => '/',
            "colon" => ':',
            "hyphen" | "dash" | "ndash" | "mdash" => '-',
            "lowbar" | "shy" | "zwj" | "zwnj" | "ZeroWidthSpace" => '\u{200b}',
            "plus" => '+',
            "lpar" => '(',
            "rpar" => ')',
            _ => return None,
        }
    };
    Some((c, length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(text: &str, markup: Markup) -> String {
        fold(text, markup).iter().map(|letter| letter.c).collect()
    }

    fn plainly(text: &str) -> String {
        fold(text, Markup::Kept).iter().map(|l| l.plain).collect()
    }

    #[test]
    fn signs_are_what_they_look_like() {
        for (text, seen) in [
            ("０９１２ ①② ⁰¹ ₃ 𝟎𝟡 ٠٩ ۰۹ ❶➋⓿", "0912 12 01 3 09 09 09 120"),
            ("0\u{fe0f}\u{20e3}9\u{200b}1\u{ad}2\u{332}3", "09123"),
            ("09**12**3_4 5\\.6", "091234 5.6"),
            ("&#48;&#x39;&nbsp;&period;&x;", "09 .&x;"),
            ("KHÔNG Chi\u{301}n", "không chín"),
            ("a–b—c−d 1／2 x。y", "a-b-c-d 1/2 x.y"),
        ] {
            assert_eq!(looks(text, Markup::Kept), seen, "{text}");
        }
        assert_eq!(
            looks("- 09<b>12</b>\n2. 345 < 6 > 5", Markup::NoTagsNoNumbers),
            "- 0912\n 345 < 6 > 5"
        );
        assert_eq!(plainly("Dịch vụ công Đà Nẵng"), "dich vu cong da nang");
        assert_eq!(
            plainly("dісhvuсоng.gοv.νn ｖｎ 𝓿𝓷"),
            "dichvucong.gov.vn vn vn"
        );
    }

    #[test]
    fn places_lead_back_into_the_text() {
        let text = "Gọi &#48;\u{200b}９ nhe\u{301}";
        for letter in fold(text, Markup::Kept) {
            assert!(text.get(letter.start..letter.end).is_some());
        }
        let nine = fold(text, Markup::Kept)[5];
        assert_eq!(&text[nine.start..nine.end], "９");
    }
}
