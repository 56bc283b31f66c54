//! No rewriting of a number gets past, nothing panics, and a large text takes no longer than its size.

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use proptest::{prelude::*, sample::select, test_runner::RngSeed};

use super::*;

const WORDS: [&str; 10] = [
    "không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín",
];

/// One digit in one of the dresses that people and swindlers give it.
fn dressed(digit: char) -> impl Strategy<Value = (String, bool)> {
    let value = digit.to_digit(10).unwrap();
    let from = |zero: u32| char::from_u32(zero + value).unwrap().to_string();
    let circled = match value {
        0 => "⓪".to_owned(),
        _ => char::from_u32(0x245F + value).unwrap().to_string(),
    };
    let raised = "⁰¹²³⁴⁵⁶⁷⁸⁹"
        .chars()
        .nth(value as usize)
        .unwrap()
        .to_string();
    let mut forms = vec![
        digit.to_string(),
        digit.to_string(),
        digit.to_string(),
        from(0xFF10),
        from(0x0660),
        from(0x06F0),
        from(0x0966),
        from(0x1D7CE),
        from(0x1D7D8),
        from(0x1D7F6),
        from(0x2080),
        circled,
        raised,
        format!("&#{};", 48 + value),
        format!("{digit}\u{fe0f}\u{20e3}"),
        format!("{digit}\u{332}"),
    ];
    if value == 0 {
        forms.extend(["O", "o", "О", "ο"].map(str::to_owned));
    }
    if value == 1 {
        forms.extend(["l", "I"].map(str::to_owned));
    }
    prop_oneof![
        5 => select(forms).prop_map(|form| (form, false)),
        1 => Just((format!(" {} ", WORDS[value as usize]), true)),
    ]
}

/// What can stand between two digits of one number.
fn joint() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => Just(""),
        3 => select(vec![
            " ", ".", "-", "–", "\u{a0}", "\u{200b}", "\u{2060}", "\u{ad}", "·", "•", "/", "|", ", ", ". ", "_", "*", "**", "`",
            "\n", "\n- ", "\n  ", "<b>", "</b>", "<br>", "<!-- x -->", "&nbsp;", " . ", " - ", ") ", " (", "\\-", "…", "\u{feff}",
        ]),
    ]
}

fn disguised() -> impl Strategy<Value = (String, String)> {
    let number = select(vec![
        "0912345678",
        "0387654321",
        "0565432109",
        "0798811006",
        "0869100200",
        "02383123456",
        "0692348560",
    ]);
    number.prop_flat_map(|number| {
        let digits: Vec<_> = number.chars().map(dressed).collect();
        let joints = proptest::collection::vec(joint(), number.len());
        (digits, joints).prop_map(move |(digits, joints)| {
            let mut text = String::new();
            for (index, (digit, is_word)) in digits.iter().enumerate() {
                // A letter for a digit is one only where digits stand around it.
                if index > 0 {
                    text.push_str(joints[index]);
                }
                let _ = is_word;
                text.push_str(digit);
            }
            (number.to_owned(), text)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4_000, rng_seed: RngSeed::Fixed(2024), ..ProptestConfig::default() })]

    #[test]
    fn no_disguise_gets_past(
        (number, text) in disguised(),
        before in select(vec!["", "Gọi ", "Xin liên hệ số: ", "Năm 2024, ", "(", "ngày 05/06/2024 ", "“", "và ", "- "]),
        after in select(vec!["", ".", " nhé", ", cảm ơn", " đồng", ")", "\n\nXin cảm ơn.", "”", "!"]),
    ) {
        let last = text.trim_end().char_indices().next_back();
        let last = before.len() + last.map_or(0, |(at, _)| at);
        let text = format!("{before}{text}{after}");
        let found = find(&text);
        // A digit and a dot at the beginning of a line may be the item's own number; what is found then is as strange.
        let covers = |found: &Found| {
            found.manner == Manner::Disguised && found.range.start <= before.len() + 1 && found.range.end > last
        };
        prop_assert!(
            found.iter().any(|found| found.normalised == number || covers(found)),
            "{number} in {text:?}: {found:?}"
        );
    }

    #[test]
    fn nothing_panics_and_places_hold(text in "\\PC*") {
        for found in find(&text) {
            prop_assert_eq!(&text[found.range.clone()], &found.written);
        }
    }

    #[test]
    fn nothing_panics_on_what_looks_like_something(
        pieces in proptest::collection::vec(select(vec![
            "0912", "345", "678", ".", "@", "://", "https", "www", "vn", " chấm ", "gov", "(", ")", "[", "](", "<", ">", "&#", ";",
            "không ", "chín ", "mười ", "mươi ", "trăm ", "linh ", "\u{301}", "\u{200b}", "đ", "%", ":", "/", "\n", "- ", "1. ",
            "OA ", "“", "”", "STK ", "gọi ", "84", "+", "１", "a còng ", "xn--", "O", "l", "ươ",
        ]), 0..40),
    ) {
        let text: String = pieces.concat();
        for found in find(&text) {
            prop_assert_eq!(&text[found.range.clone()], &found.written);
        }
    }
}

#[test]
fn a_million_letters_are_read_in_seconds() {
    let text = "Kính thưa bà con, số 0912 345 678 gọi từ ngày 05/06/2024 đòi 1.090.000 đồng. "
        .repeat(12_000);
    assert!(text.len() > 1_000_000);
    let start = Instant::now();
    assert_eq!(find(&text).len(), 12_000);
    // A fraction of a second in a release build.
    assert!(
        start.elapsed() < Duration::from_mins(1),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_large_text_takes_no_longer_than_its_size() {
    let pieces = [
        "Kính thưa bà con, người lạ gọi điện đòi tiền thì báo công an. ",
        "0912 345 678 ",
        "1",
        "1 ",
        "a.",
        "a . ",
        "dichvucong chấm gov chấm vn ",
        "https://a.b@c.vn/x?y=1 ",
        "](",
        "[a](b)",
        "<a <a ",
        "@",
        "://",
        "a:",
        "&#48;",
        "không chín ",
        "OA “A ",
        "gọi 113, ",
        "\u{301}",
        "a\u{301}",
        "\n- 1",
        "STK 1 ",
    ];
    for piece in pieces {
        let time = |size: usize| {
            let text = piece.repeat(size / piece.len());
            let start = ThreadTime::now();
            let _ = find(&text);
            start.elapsed()
        };
        let (small, large) = (time(1 << 13), time(1 << 16));
        // Eight times the text; a square would be sixty-four.
        assert!(
            large < small * 32 + Duration::from_millis(200),
            "{piece:?}: {small:?} then {large:?}"
        );
    }
}
