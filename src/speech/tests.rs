//! The table of written sentences and how they are spoken, and what holds for every text.

use proptest::{prelude::*, test_runner::RngSeed};

use super::*;
use crate::domain::speech::Region;

const TABLES: [&str; 6] = [
    include_str!("table.txt"),
    include_str!("bulletins.txt"),
    include_str!("judged.txt"),
    include_str!("judged-again.txt"),
    include_str!("judged-third.txt"),
    include_str!("judged-fourth.txt"),
];

/// The rows of the tables.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLES
        .into_iter()
        .flat_map(str::lines)
        .filter(|line| !line.is_empty() && !line.starts_with("// "))
        .map(|line| {
            line.split_once(" => ")
                .unwrap_or_else(|| panic!("no ` => ` in {line}"))
        })
}

#[test]
fn the_table() {
    let speech = Speech::default();
    let wrong: Vec<String> = rows()
        .filter_map(|(written, wanted)| {
            let spoken = speech.read(written).text;
            (spoken != wanted).then(|| format!("{written}\n  wanted {wanted}\n  spoken {spoken}"))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{}\n{} rows are wrong",
        wrong.join("\n"),
        wrong.len()
    );
}

#[test]
fn reading_what_was_read_changes_nothing() {
    let speech = Speech::default();
    for (written, _) in rows() {
        let once = speech.read(written).text;
        let twice = speech.read(&once);
        assert_eq!(twice.text, once, "{written}: {:?}", twice.changes);
    }
}

/// What context does not decide is asked about, and nothing else of the same words.
#[test]
fn what_nobody_can_tell_is_asked() {
    let rows = include_str!("judged-fourth-asked.txt").lines();
    for row in rows.filter(|row| !row.is_empty() && !row.starts_with("// ")) {
        let (written, wanted) = row
            .split_once(" => ")
            .unwrap_or_else(|| panic!("no ` => ` in {row}"));
        let asked: Vec<String> = problems(written)
            .into_iter()
            .map(|(_, token)| token)
            .collect();
        let wanted: Vec<&str> = wanted.split(" | ").collect();
        assert_eq!(asked, wanted, "{written}");
    }
}

/// What is wrong with a text, shortly.
fn problems(text: &str) -> Vec<(ProblemKind, String)> {
    let spoken = Speech::default().read(text);
    spoken
        .problems
        .into_iter()
        .map(|problem| {
            assert_eq!(text[problem.range], problem.token);
            (problem.kind, problem.token)
        })
        .collect()
}

#[test]
fn the_table_has_no_problems() {
    for (written, _) in rows() {
        if !written.contains("@congan") {
            assert_eq!(problems(written), [], "{written}");
        }
    }
}

#[test]
fn what_cannot_be_spoken_is_reported() {
    use ProblemKind::*;
    for (text, kind, token) in [
        ("theo GHXKL của phường", UnknownAbbreviation, "GHXKL"),
        ("dùng blockchainx nhé", UnknownWord, "blockchainx"),
        ("mọi ngừơi chú ý", UnknownWord, "ngừơi"),
        (
            "vào quatang24gio.top ngay",
            UnknownAddress,
            "quatang24gio.top",
        ),
        ("xem #phongchongluadao", UnknownAddress, "#phongchongluadao"),
        ("lừa ðảo", LookAlike, "ð"),
        ("C¶nh b¸o lõa ®¶o", LegacyEncoding, "C¶nh"),
        ("Cảnh báo 🚨🚨 khẩn", NoSound, "🚨🚨"),
        ("gọi 1800-xxxx", Placeholder, "xxxx"),
        ("SĐT 0912****678 đã khóa", Placeholder, "****678"),
        ("ngày …… tháng", Placeholder, "……"),
        (
            "De nghi ba con chu y khong chuyen tien",
            Unaccented,
            "De nghi ba con chu y khong chuyen tien",
        ),
        (
            "Phường nhắc bà con. Khong cung cap ma xac thuc cho ai.",
            Unaccented,
            "Khong cung cap ma xac thuc cho ai",
        ),
    ] {
        let found = problems(text);
        assert!(
            found.contains(&(kind, token.to_owned())),
            "{text}: {found:?}"
        );
    }
    assert_eq!(
        Speech::default().read("Cảnh báo 🚨 khẩn 🚨.").text,
        "Cảnh báo khẩn."
    );
}

#[test]
fn days_and_times_that_there_are_not_are_said_and_reported() {
    for (text, spoken, token) in [
        (
            "ngày 45/13/2024",
            "ngày bốn mươi lăm tháng mười ba năm hai nghìn không trăm hai mươi tư",
            Some("45/13/2024"),
        ),
        (
            "nộp 03/25/2024",
            "nộp ngày ba tháng hai mươi lăm năm hai nghìn không trăm hai mươi tư",
            Some("03/25/2024"),
        ),
        (
            "ngày 29/2/2023",
            "ngày hai mươi chín tháng hai năm hai nghìn không trăm hai mươi ba",
            Some("29/2/2023"),
        ),
        ("ngày 29/2", "ngày hai mươi chín tháng hai", None),
        ("ngày 31/4", "ngày ba mươi mốt tháng tư", Some("31/4")),
        (
            "ngày 31 tháng 4",
            "ngày ba mươi mốt tháng tư",
            Some("31 tháng 4"),
        ),
        (
            "từ 28-31/6",
            "từ ngày hai mươi tám đến ngày ba mươi mốt tháng sáu",
            Some("28-31/6"),
        ),
        // The moon's second month has thirty days now and then.
        ("ngày 30/2 âm lịch", "ngày ba mươi tháng hai âm lịch", None),
        ("lúc 25h", "lúc hai mươi lăm giờ", Some("25h")),
        ("lúc 25:30", "lúc hai mươi lăm giờ ba mươi", Some("25:30")),
        ("8h75", "tám giờ bảy mươi lăm", Some("8h75")),
        (
            "lúc 8 giờ 75 phút",
            "lúc tám giờ bảy mươi lăm phút",
            Some("8 giờ 75"),
        ),
        ("từ thứ 2 đến thứ 9", "từ thứ hai đến thứ chín", Some("9")),
        ("lần thứ 8", "lần thứ tám", None),
        (
            "tháng 13/2025",
            "tháng mười ba năm hai nghìn không trăm hai mươi lăm",
            Some("13/2025"),
        ),
        ("mỗi tháng 15 triệu", "mỗi tháng mười lăm triệu", None),
        ("99:99", "chín mươi chín giờ chín mươi chín", Some("99:99")),
        ("tỷ lệ 70:80", "tỷ lệ bảy mươi trên tám mươi", None),
        ("trong 48h", "trong bốn mươi tám giờ", None),
        ("lúc 24h", "lúc hai mươi tư giờ", None),
        (
            "số 45/13/2024",
            "số bốn mươi lăm trên mười ba trên hai nghìn không trăm hai mươi tư",
            None,
        ),
    ] {
        assert_eq!(Speech::default().read(text).text, spoken, "{text}");
        let token = token.map(|token| (ProblemKind::Impossible, token.to_owned()));
        assert_eq!(problems(text), Vec::from_iter(token), "{text}");
    }
}

#[test]
fn what_can_be_read_in_two_ways_is_said_and_reported() {
    for (text, spoken, token) in [
        ("1,500 tỷ đồng", "một phẩy năm không không tỷ đồng", "1,500"),
        (
            "Đến 6/10 hộ dân nộp xong",
            "Đến ngày sáu tháng mười hộ dân nộp xong",
            "6/10",
        ),
        (
            "thu 1.23.456 đồng",
            "thu một chấm hai mươi ba chấm bốn trăm năm mươi sáu đồng",
            "1.23.456 đồng",
        ),
        (
            "thu 1,50,000đ",
            "thu một phẩy năm mươi phẩy không không không đồng",
            "1,50,000đ",
        ),
        ("50.000 đồng đ", "năm mươi nghìn đồng đê", "đ"),
        ("Phát 8g-11g", "Phát tám gam đến mười một gam", "8g-11g"),
    ] {
        assert_eq!(Speech::default().read(text).text, spoken, "{text}");
        let wanted = [(ProblemKind::Ambiguous, token.to_owned())];
        assert_eq!(problems(text), wanted, "{text}");
    }
}

/// What is a unit by itself in writing is one for the ear, whether or not somebody put a full stop there.
#[test]
fn lines_that_end_make_a_pause() {
    let speech = Speech::default();
    for (written, spoken) in [
        (
            "## Cần nhớ\n- Không chuyển tiền\n- Không đọc mã OTP\n\nCảm ơn bà con.",
            "Cần nhớ.\nKhông chuyển tiền.\nKhông đọc mã ô tê pê.\n\nCảm ơn bà con.",
        ),
        (
            "CẢNH BÁO LỪA ĐẢO\n\nKẻ gian:\n1. gọi điện\n2. đòi tiền",
            "CẢNH BÁO LỪA ĐẢO.\n\nKẻ gian:\nmột. gọi điện.\nHai. đòi tiền",
        ),
        (
            "**Dừng lại**\n\n5 phút là đủ",
            "Dừng lại.\n\nNăm phút là đủ",
        ),
        ("- bấm đường dẫn lạ\n- đọc mã", "bấm đường dẫn lạ,\nđọc mã"),
        (
            "Ai gọi số\n113 cũng được,\nkể cả ngày\n12/3",
            "Ai gọi số\nmột một ba cũng được,\nkể cả ngày\nmười hai tháng ba",
        ),
        ("(Nguồn: công an)\n\nHết", "(Nguồn: công an).\n\nHết"),
        ("Dừng lại!\nBáo tin.\n\n", "Dừng lại!\nBáo tin.\n\n"),
    ] {
        let read = speech.read(written);
        assert_eq!(read.text, spoken);
        assert_eq!(speech.read(spoken).text, spoken);
        for change in read.changes {
            assert_eq!(written[change.range], change.from);
        }
    }
}

#[test]
fn readings_that_were_used_are_known() {
    let reading = |written: &str, spoken: &str| crate::domain::speech::Reading {
        written: written.to_owned(),
        spoken: spoken.to_owned(),
        before: Vec::new(),
        after: Vec::new(),
    };
    let readings = Readings {
        abbreviations: vec![
            reading("TTVH", "trung tâm văn hóa"),
            reading("KDCS", "khu dân cư số"),
        ],
        addresses: vec![("vinh.example".to_owned(), "trang của thành phố".to_owned())],
        words: Vec::new(),
    };
    let speech = Speech::new(&readings, Dialect::default());
    let used: Vec<_> = speech
        .readings("TTVH xin mời. UBND phường.\n\nXem vinh.example")
        .into_iter()
        .collect();
    assert_eq!(
        used,
        [
            ("TTVH".to_owned(), "trung tâm văn hóa".to_owned()),
            ("vinh.example".to_owned(), "trang của thành phố".to_owned())
        ]
    );
}

#[test]
fn regions_have_their_words() {
    let south = Speech::new(&Readings::default(), Dialect::of(Region::South));
    assert_eq!(
        south.read("101 hộ, 5.000đ, 20k").text,
        "một trăm lẻ một hộ, năm ngàn đồng, hai mươi ngàn"
    );
}

#[test]
fn editors_readings_come_first() {
    let reading = |written: &str, spoken: &str, after: &[&str]| crate::domain::speech::Reading {
        written: written.to_owned(),
        spoken: spoken.to_owned(),
        before: Vec::new(),
        after: after.iter().map(|word| (*word).to_owned()).collect(),
    };
    let readings = Readings {
        abbreviations: vec![
            reading("VHTT", "Văn hóa Thể thao", &[]),
            reading("VHTT", "Văn hóa và Thông tin", &["phường"]),
        ],
        addresses: vec![("vinh.example".to_owned(), "trang của thành phố".to_owned())],
        words: vec![reading("facebook", "phây búc", &[])],
    };
    let speech = Speech::new(&readings, Dialect::default());
    let spoken = speech.read("VHTT phường và VHTT tỉnh, Facebook, https://www.vinh.example");
    assert_eq!(
        spoken.text,
        "Văn hóa và Thông tin phường và Văn hóa Thể thao tỉnh, phây búc, trang của thành phố"
    );
    assert_eq!(spoken.problems, []);
}

#[test]
fn changes_say_what_where_and_by_which_rule() {
    let text = "Lúc 8h30 ngày 12/3.";
    let changes = Speech::default().read(text).changes;
    let shown: Vec<_> = changes
        .iter()
        .map(|change| (&text[change.range.clone()], change.rule, change.to.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("8h30", "time", "tám giờ ba mươi"),
            ("12/3", "date", "mười hai tháng ba")
        ]
    );
}

#[test]
fn rules_have_names_of_their_own() {
    let names: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len());
}

/// Pieces that rules look for, so that random texts meet them.
fn pieces() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(vec![
        " ",
        " ",
        " ",
        "\n",
        "\n\n",
        "-",
        "–",
        "/",
        ".",
        ",",
        ":",
        "(",
        ")",
        "+",
        "%",
        "@",
        "#",
        "*",
        "_",
        "“",
        "…",
        "....",
        "°C",
        "²",
        "đ",
        "k",
        "tr",
        "h",
        "g",
        "0",
        "1",
        "3",
        "12",
        "24",
        "30",
        "113",
        "2024",
        "0238",
        "000",
        "1900",
        "ngày",
        "tháng",
        "thứ",
        "quý",
        "gọi",
        "số",
        "mã",
        "IV",
        "XIII",
        "UBND",
        "TP",
        "P",
        "Q",
        "CCCD",
        "OTP",
        "www.",
        "https://",
        "gov.vn",
        "Zalo",
        "xxxx",
        "NĐ-CP",
        "QĐ",
        "Vinh",
        "lừa đảo",
        "e\u{301}",
        "ð",
        "🚨",
        "\u{200b}",
        "５",
        "ngừơi",
        "<b>",
        "&nbsp;",
    ])
    .prop_map(str::to_owned);
    proptest::collection::vec(prop_oneof![8 => known, 1 => any::<String>()], 0..30)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, rng_seed: RngSeed::Fixed(2024), ..ProptestConfig::default() })]

    #[test]
    fn any_text_can_be_read(text in pieces()) {
        let spoken = Speech::default().read(&text);
        for problem in &spoken.problems {
            prop_assert_eq!(&text[problem.range.clone()], problem.token.as_str());
        }
        for change in &spoken.changes {
            prop_assert!(text.get(change.range.clone()).is_some());
        }
        // Digits never reach a voice, and every other trouble is on the list.
        prop_assert!(!spoken.text.bytes().any(|byte| byte.is_ascii_digit()), "{:?} -> {:?}", text, spoken.text);
        prop_assert!(unicode_normalization::is_nfc(&spoken.text));
        // Words alone, and words that were read before, are the same words.
        let speech = Speech::default();
        prop_assert_eq!(&speech.say(&text), &spoken.text);
        prop_assert_eq!(&speech.read(&text), &spoken);
    }
}

/// Texts that make rules look far, once in one piece and once in twenty: what reads in linear time takes as long for both, what
/// looks back at everything twenty times as long for the one.
#[test]
fn a_long_text_takes_as_long_as_its_pieces() {
    let time = |texts: usize, text: &str| {
        // One reader each: it remembers what it has read.
        let readers: Vec<Speech> = std::iter::repeat_with(Speech::default)
            .take(texts)
            .collect();
        let start = cpu_time::ThreadTime::now();
        for speech in &readers {
            std::hint::black_box(speech.read(text));
        }
        start.elapsed()
    };
    for piece in [
        "12/3, ",
        "(a ",
        "1-",
        "1.",
        "https://a.",
        "ngày 12, ",
        "0238 ",
        "**",
        "thứ 2, ",
        "UBND ",
    ] {
        let pieces = time(20, &piece.repeat(500));
        let whole = time(1, &piece.repeat(10_000));
        assert!(
            whole < pieces * 8,
            "{piece}: {whole:?}, in pieces {pieces:?}"
        );
    }
}

#[test]
fn what_is_weighed_is_what_is_said() {
    let speech = Speech::default();
    let turns = [
        "Chào bác! Gọi 113 lúc 17:00.\n\n- Đừng vội\n- Đừng sợ",
        "UBND phường A, 1.500.000đ?",
    ];
    let said: Vec<String> = turns.iter().map(|turn| speech.say(turn)).collect();
    assert_eq!(speech.weight(turns), duration::weight(&said.join("\n\n")));
    assert_eq!(speech.weight([]), duration::weight(""));
}
