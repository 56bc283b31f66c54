//! Numbers in words: cardinals with mốt, tư, lăm and linh, decimals, digits one by one, Roman numerals.

use super::rule::Voice;

/// The digits as words.
pub(super) const DIGITS: [&str; 10] = [
    "không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín",
];

/// More digits than this are nobody's quantity; they are read one by one.
const LONGEST: usize = 24;

/// A whole number, given as digits, in words. Leading zeros do not count.
pub(super) fn cardinal(digits: &str, voice: Voice) -> String {
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return DIGITS[0].to_owned();
    }
    if digits.len() > LONGEST {
        return one_by_one(digits);
    }
    let mut out = String::new();
    billions(digits, voice, &mut out);
    out
}

/// Whole billions are counted in billions again: 10^18 is *một tỷ tỷ*.
fn billions(digits: &str, voice: Voice, out: &mut String) {
    let Some(split) = digits.len().checked_sub(9).filter(|split| *split > 0) else {
        below_billion(digits, true, voice, out);
        return;
    };
    billions(&digits[..split], voice, out);
    word(out, "tỷ");
    below_billion(&digits[split..], false, voice, out);
}

/// At most nine digits; `leads` when nothing greater stands before them.
fn below_billion(digits: &str, leads: bool, voice: Voice, out: &mut String) {
    let padded = format!("{digits:0>9}");
    let mut leads = leads;
    for (group, name) in [(0, "triệu"), (3, voice.nghin), (6, "")] {
        let group = &padded[group..group + 3];
        if group == "000" {
            continue;
        }
        hundreds(group.as_bytes(), leads, voice, out);
        if !name.is_empty() {
            word(out, name);
        }
        leads = false;
    }
}

/// Three digits.
fn hundreds(group: &[u8], leads: bool, voice: Voice, out: &mut String) {
    let [h, t, u] = [0, 1, 2].map(|at| usize::from(group[at] - b'0'));
    if h > 0 || !leads {
        word(out, DIGITS[h]);
        word(out, "trăm");
    }
    match (t, u) {
        (0, 0) => {}
        (0, u) => {
            if h > 0 || !leads {
                word(out, voice.linh);
            }
            word(out, DIGITS[u]);
        }
        (1, u) => {
            word(out, "mười");
            if u == 5 {
                word(out, "lăm");
            } else if u > 0 {
                word(out, DIGITS[u]);
            }
        }
        (t, u) => {
            word(out, DIGITS[t]);
            word(out, "mươi");
            match u {
                0 => {}
                1 => word(out, "mốt"),
                4 => word(out, "tư"),
                5 => word(out, "lăm"),
                u => word(out, DIGITS[u]),
            }
        }
    }
}

fn word(out: &mut String, word: &str) {
    if !out.is_empty() {
        out.push(' ');
    }
    out.push_str(word);
}

/// Digits one by one: 0238 is *không hai ba tám*.
pub(super) fn one_by_one(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 6);
    for digit in digits.bytes().filter(u8::is_ascii_digit) {
        word(&mut out, DIGITS[usize::from(digit - b'0')]);
    }
    out
}

/// The digits after a decimal sign: 75 is *bảy mươi lăm*, 05 is *không năm*, 141 is *một bốn một*.
pub(super) fn fraction(digits: &str, voice: Voice) -> String {
    if digits.len() == 2 && !digits.starts_with('0') {
        cardinal(digits, voice)
    } else {
        one_by_one(digits)
    }
}

/// The value of a Roman numeral in its one correct form, up to 89 with L and up to 39 without.
pub(super) fn roman(text: &str) -> Option<u32> {
    let mut value = 0;
    let mut rest = text;
    for (numeral, worth) in [
        ("C", 100),
        ("XC", 90),
        ("L", 50),
        ("XL", 40),
        ("X", 10),
        ("IX", 9),
        ("V", 5),
        ("IV", 4),
        ("I", 1),
    ] {
        let most = if matches!(worth, 1 | 10) { 3 } else { 1 };
        for _ in 0..most {
            let Some(after) = rest.strip_prefix(numeral) else {
                break;
            };
            value += worth;
            rest = after;
        }
    }
    (rest.is_empty() && value > 0 && to_roman(value) == text).then_some(value)
}

fn to_roman(mut value: u32) -> String {
    let mut out = String::new();
    for (numeral, worth) in [
        ("C", 100),
        ("XC", 90),
        ("L", 50),
        ("XL", 40),
        ("X", 10),
        ("IX", 9),
        ("V", 5),
        ("IV", 4),
        ("I", 1),
    ] {
        while value >= worth {
            out.push_str(numeral);
            value -= worth;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORTH: Voice = Voice {
        linh: "linh",
        nghin: "nghìn",
    };
    const SOUTH: Voice = Voice {
        linh: "lẻ",
        nghin: "ngàn",
    };

    #[test]
    fn cardinals() {
        for (digits, words) in [
            ("0", "không"),
            ("007", "bảy"),
            ("10", "mười"),
            ("11", "mười một"),
            ("14", "mười bốn"),
            ("15", "mười lăm"),
            ("20", "hai mươi"),
            ("21", "hai mươi mốt"),
            ("24", "hai mươi tư"),
            ("25", "hai mươi lăm"),
            ("55", "năm mươi lăm"),
            ("100", "một trăm"),
            ("101", "một trăm linh một"),
            ("105", "một trăm linh năm"),
            ("110", "một trăm mười"),
            ("115", "một trăm mười lăm"),
            ("999", "chín trăm chín mươi chín"),
            ("1000", "một nghìn"),
            ("1005", "một nghìn không trăm linh năm"),
            ("1024", "một nghìn không trăm hai mươi tư"),
            ("10000", "mười nghìn"),
            ("1000000", "một triệu"),
            ("1000005", "một triệu không trăm linh năm"),
            ("1090000", "một triệu không trăm chín mươi nghìn"),
            ("1000000000", "một tỷ"),
            ("1000000000000", "một nghìn tỷ"),
            ("2000000001", "hai tỷ không trăm linh một"),
            ("1000000000000000000", "một tỷ tỷ"),
        ] {
            assert_eq!(cardinal(digits, NORTH), words, "{digits}");
        }
        assert_eq!(cardinal("101", SOUTH), "một trăm lẻ một");
        assert_eq!(cardinal("1005", SOUTH), "một ngàn không trăm lẻ năm");
        assert!(cardinal(&"9".repeat(40), NORTH).starts_with("chín chín"));
    }

    #[test]
    fn romans() {
        for (text, value) in [
            ("I", Some(1)),
            ("IV", Some(4)),
            ("XIII", Some(13)),
            ("XX", Some(20)),
            ("XXI", Some(21)),
            ("XLV", Some(45)),
            ("IIII", None),
            ("VX", None),
            ("IC", None),
            ("", None),
            ("A", None),
        ] {
            assert_eq!(roman(text), value, "{text}");
        }
    }
}
