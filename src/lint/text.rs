//! Sentences, numbers and capitals of Vietnamese words.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

/// The sentences of a text, without the white space around them. A full stop, question or exclamation mark, an ellipsis and
/// a semicolon end one, and so do the ends of lines at `line_ends`.
pub(super) fn sentences<'t>(text: &'t str, line_ends: &[usize]) -> Vec<&'t str> {
    let mut lines = line_ends.iter().peekable();
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let ends_line = lines.next_if(|line| **line <= at).is_some();
        if end <= start {
            continue;
        }
        if ends_line {
            push(&mut found, &text[start..at]);
            start = at;
        }
        let rest = &text[end..];
        let (ends, closing) = match c {
            // Closing quotes and brackets belong to the sentence.
            '.' | '!' | '?' | '…' | ';' => {
                let after = rest.trim_start_matches(['”', '’', '"', '\'', ')', '»', '*', '_']);
                let is_end = after.is_empty() || after.starts_with(char::is_whitespace);
                (
                    is_end && !is_initial(&text[start..end]),
                    rest.len() - after.len(),
                )
            }
            _ => (false, 0),
        };
        if ends {
            push(&mut found, &text[start..end + closing]);
            start = end + closing;
        }
    }
    push(&mut found, &text[start..]);
    found
}

fn push<'a>(found: &mut Vec<&'a str>, sentence: &'a str) {
    let sentence = sentence.trim();
    if sentence.chars().any(char::is_alphanumeric) {
        found.push(sentence);
    }
}

/// Whether a text ends in an abbreviation of one or two capitals and a full stop: `TP.`, `Q.`
fn is_initial(text: &str) -> bool {
    let Some(word) = text.strip_suffix('.') else {
        return false;
    };
    let word = word.rsplit(char::is_whitespace).next().unwrap_or("");
    (1..=2).contains(&word.chars().count()) && word.chars().all(char::is_uppercase)
}

/// A telephone number in a text: where it stands, and its digits with +84 as 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub at: Range<usize>,
    pub digits: String,
}

/// Words that make a short number a telephone number.
const CALLING: [&str; 9] = [
    "gọi",
    "tổng đài",
    "đầu số",
    "nhắn",
    "điện thoại",
    "đường dây",
    "hotline",
    "liên hệ",
    "bấm số",
];

/// How many bytes before a short number a word for calling may stand.
const NEAR: usize = 60;

/// The telephone numbers in a text: nine digits and more that begin like one, and short codes after a word for calling.
pub(super) fn numbers(text: &str) -> Vec<Number> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !digit(at) {
            at += 1;
            continue;
        }
        let start = at;
        let mut digits = String::new();
        // Groups of digits with one sign between them.
        while digit(at) || (bytes.get(at).is_some_and(|b| b" .-".contains(b)) && digit(at + 1)) {
            if digit(at) {
                digits.push(char::from(bytes[at]));
            }
            at += 1;
        }
        let is_abroad = text[..start].ends_with('+');
        if is_abroad && let Some(rest) = digits.strip_prefix("84") {
            digits = format!("0{rest}");
        }
        let is_long = (9..=12).contains(&digits.len()) && digits.starts_with('0');
        let is_hotline = (8..=10).contains(&digits.len())
            && (digits.starts_with("1800") || digits.starts_with("1900"));
        let is_short = (3..=5).contains(&digits.len()) && {
            let mut from = start.saturating_sub(NEAR);
            while !text.is_char_boundary(from) {
                from += 1;
            }
            let before = text[from..start].to_lowercase();
            let before = before.rsplit(['.', '!', '?', '\n']).next().unwrap_or("");
            CALLING.iter().any(|word| before.contains(word))
        };
        if is_long || is_hotline || is_short {
            found.push(Number {
                at: start - usize::from(is_abroad)..at,
                digits,
            });
        }
    }
    found
}

/// The ends of all lines.
pub(super) fn line_ends(text: &str) -> Vec<usize> {
    text.match_indices('\n').map(|(at, _)| at).collect()
}

/// The first stretch that shouts: three words and more in capitals that are no abbreviations, or several exclamation
/// marks together.
pub(super) fn shout(text: &str) -> Option<&str> {
    let mut run: Option<(Range<usize>, usize)> = None;
    for word in text.split_whitespace() {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let mut letters = core.chars().filter(|c| c.is_alphabetic());
        // Nearly every word has a small letter, most of them near its beginning.
        let is_capital = !core.chars().any(char::is_lowercase) && letters.clone().count() >= 2;
        // Abbreviations mostly lack a vowel: `TP`, `HCM`, `CCCD`.
        if is_capital && letters.any(is_vowel) {
            let start = core.as_ptr() as usize - text.as_ptr() as usize;
            let (range, words) = run.take().unwrap_or((start..start, 0));
            run = Some((range.start..start + core.len(), words + 1));
            if !word.ends_with([',', ';', ':', '.']) {
                continue;
            }
        }
        if let Some((range, 3..)) = run.take() {
            return Some(&text[range]);
        }
    }
    if let Some((range, 3..)) = run {
        return Some(&text[range]);
    }
    let marks = text.find("!!")?;
    sentences(text, &line_ends(text))
        .into_iter()
        .find(|sentence| {
            sentence.as_ptr() as usize + sentence.len() > text.as_ptr() as usize + marks
        })
}

fn is_vowel(letter: char) -> bool {
    // The letter under its marks.
    std::iter::once(letter)
        .nfd()
        .next()
        .is_some_and(|base| "aeiouyAEIOUY".contains(base))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::Speech;

    #[test]
    fn sentences_end_where_a_voice_would() {
        let text = "Kính thưa bà con\nphường A! Mời nghe. Giá 1.500 đồng ở TP. Vinh; xin nhớ.\n\nMột là,\n\nhai là\n- ba.”";
        assert_eq!(
            sentences(text, &Speech::default().line_ends(text)),
            [
                "Kính thưa bà con\nphường A!",
                "Mời nghe.",
                "Giá 1.500 đồng ở TP. Vinh;",
                "xin nhớ.",
                "Một là,",
                "hai là",
                "- ba.”"
            ]
        );
        assert_eq!(
            sentences("Ba việc:\nmột, hai.", &[10]),
            ["Ba việc:", "một, hai."]
        );
        assert_eq!(sentences("Vào: 5 giờ", &[]), ["Vào: 5 giờ"]);
        assert_eq!(sentences(" … \n", &[5]), [""; 0]);
    }

    #[test]
    fn telephone_numbers_are_told_from_other_numbers() {
        let digits = |text: &str| -> Vec<String> {
            numbers(text)
                .into_iter()
                .map(|number| number.digits)
                .collect()
        };
        assert_eq!(
            digits("Gọi 0238.384.0000 hoặc +84 238 384 0000."),
            ["02383840000"; 2]
        );
        assert_eq!(digits("Tổng đài 1900 2024, gọi 113."), ["19002024", "113"]);
        assert_eq!(
            digits("Có 113 người. Năm 2024, 500.000.000 đồng, ngày 01-03-2024"),
            [""; 0]
        );
        // The word for calling belongs to another sentence.
        assert_eq!(digits("Đừng gọi. Có 156 vụ."), [""; 0]);
        let text = "Số +84 238 384 0000.";
        assert_eq!(&text[numbers(text)[0].at.clone()], "+84 238 384 0000");
    }

    #[test]
    fn capitals_shout_and_abbreviations_do_not() {
        assert_eq!(shout("Tin CẢNH BÁO LỪA ĐẢO! mới"), Some("CẢNH BÁO LỪA ĐẢO"));
        assert_eq!(shout("Dừng lại!! Báo tin"), Some("Dừng lại!!"));
        assert_eq!(shout("KHÔNG CHUYỂN TIỀN"), Some("KHÔNG CHUYỂN TIỀN"));
        assert_eq!(shout("Hãy BÁO TIN NGAY, nhé"), Some("BÁO TIN NGAY"));
        assert_eq!(shout("DỪNG LẠI, BÁO TIN"), None);
        assert_eq!(shout("CANH BAO LUA DAO"), Some("CANH BAO LUA DAO"));
        for calm in [
            "UBND TP HCM thông báo",
            "BCH TƯ ĐCS",
            "ATM, OTP, USD",
            "Mã OTP, số CCCD",
            "Dừng lại!",
            "KHÔNG chuyển TIỀN",
        ] {
            assert_eq!(shout(calm), None, "{calm}");
        }
    }
}
