//! Short forms that stand for two things, of which the words around tell one: `TH`, `LS`, `TK`, `TMĐT`, `LĐ`, `Q.III`. Where nothing tells, they are reported.

use super::{Said, date::is_year, person, roman::roman_or_number};
use crate::speech::{ProblemKind, lexicon, number::cardinal, scene::Scene, token::Kind};

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    if !token.is(Kind::Word) || scene.is_glued() {
        return None;
    }
    match token.text {
        "Q" | "QI" | "QII" | "QIII" | "QIV" => quarter(scene),
        "T" => person::subject(scene),
        "đ" | "Đ" | "ĐC" => person::comrade(scene),
        _ if scene.token(1).is(Kind::Number) => None,
        "HA" => pressure(scene),
        "TH" => cases(scene),
        "LS" => martyr(scene),
        "TK" => century(scene),
        "TMĐT" => cost(scene),
        "LĐ" => labour(scene),
        "NSX" => made(scene),
        _ => None,
    }
}

fn unknown(scene: &Scene<'_>) -> Option<Said> {
    let spelt = lexicon::spell(scene.token(0).text)?;
    Some(Said::wrong(1, spelt, ProblemKind::UnknownAbbreviation))
}

pub(super) fn follows(scene: &Scene<'_>, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| scene.follows(phrase))
}

pub(super) fn precedes(scene: &Scene<'_>, phrases: &[&str], ahead: usize) -> bool {
    phrases.iter().any(|phrase| scene.precedes(phrase, ahead))
}

/// `Q.III/2025`, `QIV/2025`, `Q1/2026`: no district has a year, nor any of these numerals.
fn quarter(scene: &Scene<'_>) -> Option<Said> {
    let letters = scene.token(0).text;
    let dot = usize::from(scene.token(1).is_sign("."));
    let at = if letters == "Q" {
        scene.skip_space(1 + dot)
    } else {
        0
    };
    let numeral = scene.token(at);
    let text = if at == 0 { &letters[1..] } else { numeral.text };
    let is_roman = matches!(text, "I" | "II" | "III" | "IV");
    let value = match text {
        "I" => 1,
        "II" => 2,
        "III" => 3,
        "IV" => 4,
        _ => roman_or_number(numeral).filter(|value| (1..=4).contains(value))?,
    };
    let year = scene.token(at + 2);
    let is_dated = matches!(scene.token(at + 1).text, "/" | "." | "-") && is_year(year.text);
    let goes_on = matches!(scene.token(at + 1).kind, Kind::Word | Kind::Number);
    if goes_on || !(is_roman || is_dated) {
        return None;
    }
    let voice = scene.speech.voice;
    let mut words = format!("quý {}", cardinal(&value.to_string(), voice));
    if is_dated {
        words.push_str(" năm ");
        words.push_str(&cardinal(year.text, voice));
    }
    Some(Said::new(at + if is_dated { 3 } else { 1 }, words))
}

/// Words beside which `TH` is a school, and those beside which it is what happened.
const AT_SCHOOL: [&str; 14] = [
    "trường",
    "cấp",
    "bậc",
    "khối",
    "lớp",
    "hs",
    "gv",
    "giáo viên",
    "học sinh",
    "ngành",
    "sinh",
    "viên",
    "điểm trường",
    "chương trình",
];
const NEAR_SCHOOL: [&str; 10] = [
    "thcs",
    "mn",
    "thpt",
    "mầm non",
    "trường",
    "học sinh",
    "giáo viên",
    "gv",
    "hs",
    "lớp",
];
const BEFORE_CASES: [&str; 12] = [
    "các",
    "mọi",
    "những",
    "nhiều",
    "từng",
    "một số",
    "trong",
    "số",
    "thêm",
    "riêng",
    "mỗi",
    "đối với",
];
const BEHIND_CASES: [&str; 32] = [
    "mắc",
    "vi phạm",
    "tử vong",
    "nhiễm",
    "dương tính",
    "bị",
    "không",
    "nặng",
    "cố tình",
    "tái phạm",
    "trên",
    "này",
    "chưa",
    "được",
    "phải",
    "vượt",
    "trốn",
    "nghi",
    "khẩn cấp",
    "chuyển",
    "khó khăn",
    "âm tính",
    "đang",
    "sốt",
    "cần",
    "thuộc",
    "đã",
    "ngộ độc",
    "sinh con",
    "nào",
    "tái mắc",
    "biến chứng",
];
const NEAR_CASES: [&str; 19] = [
    "biên bản",
    "xử lý",
    "xử phạt",
    "phát hiện",
    "ghi nhận",
    "vi phạm",
    "cách ly",
    "tạm giữ",
    "nhắc nhở",
    "phạt",
    "mắc",
    "ngộ độc",
    "tai nạn",
    "khởi tố",
    "bắt",
    "tử vong",
    "ổ dịch",
    "cấp cứu",
    "dịch",
];

/// `37 TH vi phạm`, `trường TH Lê Lợi`: cases, or a primary school.
fn cases(scene: &Scene<'_>) -> Option<Said> {
    let behind = scene.token(scene.skip_space(1));
    let is_named =
        behind.is_capitalised() && !behind.is_all_capitals() && behind.text.chars().count() > 1;
    let is_joined = matches!(behind.text, "&" | "-" | "–")
        || precedes(
            scene,
            &[
                "và thcs",
                ", thcs",
                "và mn",
                ", mn",
                "và mầm non",
                "hoặc thcs",
            ],
            1,
        );
    let is_school = follows(scene, &AT_SCHOOL) || is_named || is_joined;
    if is_school || matches!(scene.back(1).text, "-" | "&" | "/") {
        return None;
    }
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let is_counted = scene.back(back).is(Kind::Number)
        || follows(scene, &BEFORE_CASES)
        || (precedes(scene, &BEHIND_CASES, 1) && scene.cued(&NEAR_CASES));
    let is_case =
        precedes(scene, &BEHIND_CASES, 1) || scene.cued(&NEAR_CASES) || follows(scene, &["trong"]);
    // Những TH khó khăn
    let is_case = is_case
        || follows(scene, &["các", "những", "mọi", "một số", "từng", "đối với"])
            && behind.is(Kind::Word)
            && !behind.is_capitalised();
    if is_counted && is_case && !scene.cued(&NEAR_SCHOOL) {
        return Some(Said::new(1, "trường hợp"));
    }
    unknown(scene)
}

/// `mộ LS`, `LS tư vấn`: who fell for the country, or who speaks for others at law.
fn martyr(scene: &Scene<'_>) -> Option<Said> {
    const FALLEN: [&str; 17] = [
        "mẹ",
        "vnah",
        "mộ",
        "nghĩa trang",
        "thân nhân",
        "gia đình",
        "con",
        "hy sinh",
        "hi sinh",
        "thờ cúng",
        "bia",
        "tưởng niệm",
        "thương binh",
        "hài cốt",
        "tri ân",
        "cha",
        "vợ",
    ];
    const LAWYERS: [&str; 10] = [
        "tư vấn",
        "pháp lý",
        "đoàn",
        "văn phòng",
        "bào chữa",
        "trợ giúp",
        "pháp luật",
        "mời",
        "công ty",
        "luật",
    ];
    let behind = (1..24)
        .take_while(|at| !matches!(scene.token(*at).kind, Kind::Break))
        .any(|at| scene.precedes("pháp luật", at) || scene.precedes("tư vấn", at));
    let is_fallen = scene.cued(&FALLEN);
    let is_lawyer = scene.cued(&LAWYERS) || behind;
    // LS. Nguyễn Văn A: the dot belongs to it where a name follows.
    let name = scene.token(scene.skip_space(2));
    let is_title =
        scene.token(1).is_sign(".") && name.is_capitalised() && scene.token(2).is(Kind::Space);
    let tokens = 1 + usize::from(is_title);
    match (is_fallen, is_lawyer) {
        (true, false) => Some(Said::new(tokens, "liệt sĩ")),
        (false, true) => Some(Said::new(tokens, "luật sư")),
        _ => unknown(scene),
    }
}

/// `HA 130/85`: the pressure of the blood.
fn pressure(scene: &Scene<'_>) -> Option<Said> {
    let at = scene.skip_space(1);
    let (upper, lower) = (scene.token(at).small()?, scene.token(at + 2).small()?);
    let is_pressure = scene.token(at + 1).is_sign("/")
        && upper > lower
        && upper >= 60
        && (30..=150).contains(&lower);
    is_pressure.then(|| Said::new(1, "huyết áp"))
}

/// `TK XVIII`, `đầu TK 20`: a century; no account is so short.
fn century(scene: &Scene<'_>) -> Option<Said> {
    let at = scene.skip_space(1);
    let number = scene.token(at);
    // No account is so short.
    let is_short = number.small().is_some()
        && number.text.len() <= 2
        && !matches!(scene.token(at + 1).text, "." | "-" | "/");
    let is_roman = number.is(Kind::Word)
        && number.text.bytes().all(|byte| b"IVX".contains(&byte))
        && roman_or_number(number).is_some();
    let is_number = number
        .small()
        .is_some_and(|century| (1..=21).contains(&century))
        && number.text.len() == 2
        && !matches!(scene.token(at + 1).text, "." | "-")
        && follows(scene, &["đầu", "cuối", "giữa", "từ", "nửa"]);
    match (at > 1 && (is_roman || is_number), at > 1 && is_short) {
        (true, _) => Some(Said::new(1, "thế kỷ")),
        (_, true) => unknown(scene),
        _ => None,
    }
}

/// `TMĐT 1.245 tỷ`, `sàn TMĐT`: what a project costs in all, or trade by wire.
fn cost(scene: &Scene<'_>) -> Option<Said> {
    const PROJECTS: [&str; 9] = [
        "dự án",
        "gpmb",
        "công trình",
        "xây dựng",
        "hạng mục",
        "đầu tư",
        "tuyến đường",
        "gói thầu",
        "vốn",
    ];
    const TRADE: [&str; 15] = [
        "sàn",
        "bán hàng",
        "mua",
        "kinh doanh",
        "cục",
        "hội",
        "online",
        "shop",
        "trên",
        "doanh thu",
        "doanh số",
        "thị trường",
        "ngành",
        "luật",
        "giao dịch",
    ];
    const BETWEEN: [&str; 14] = [
        "là", "gần", "hơn", "khoảng", "dự", "kiến", "ước", "tính", "tạm", "sau", "điều", "chỉnh",
        "được", "duyệt",
    ];
    let colon = scene.skip_space(1);
    let colon = usize::from(scene.token(colon).is_sign(":")) * (colon + 1);
    let at = (colon.max(1)..colon + 10)
        .find(|at| !scene.token(*at).is(Kind::Space) && !BETWEEN.contains(&scene.word(*at)))?;
    let is_sum = super::quantity::numeral(scene, at).is_some_and(|number| {
        matches!(
            scene.next_word(number.end),
            "tỷ" | "tỉ" | "triệu" | "tr" | "trđ" | "đồng" | "đ"
        )
    });
    let is_project = is_sum || scene.cued(&PROJECTS);
    match (is_project, scene.cued(&TRADE)) {
        (true, false) if scene.previous() == "tổng" => Some(Said::new(1, "mức đầu tư")),
        (true, false) => Some(Said::new(1, "tổng mức đầu tư")),
        (true, true) if is_sum => unknown(scene),
        _ => None,
    }
}

/// `NSX 12/03/25`: when it was made.
fn made(scene: &Scene<'_>) -> Option<Said> {
    let colon = scene.skip_space(1);
    let colon = usize::from(scene.token(colon).is_sign(":")) * (colon + 1);
    let at = scene.skip_space(colon.max(1));
    let is_day =
        scene.token(at).is(Kind::Number) && matches!(scene.token(at + 1).text, "/" | "." | "-");
    (is_day
        || matches!(scene.token(at).text, "," | "và" | "HSD") && scene.cued(&["có", "ghi", "rõ"]))
    .then(|| Said::new(1, "ngày sản xuất"))
}

/// `tuyển 120 LĐ`, `LĐ nam/nữ`: those who work.
fn labour(scene: &Scene<'_>) -> Option<Said> {
    const BEFORE: [&str; 18] = [
        "tuyển",
        "người",
        "hợp đồng",
        "an toàn",
        "xuất khẩu",
        "tai nạn",
        "nguồn",
        "bộ",
        "sở",
        "giới thiệu",
        "cần",
        "thị trường",
        "dụng",
        "nhu cầu",
        "luật",
        "kỷ luật",
        "giải quyết",
        "xklđ",
    ];
    const BEHIND: [&str; 8] = [
        "nam",
        "nữ",
        "phổ thông",
        "thời vụ",
        "việt nam",
        "làm việc",
        "nghèo",
        "có tay nghề",
    ];
    // LĐ-TBXH is one name.
    if matches!(scene.token(1).text, "-" | "&" | ",") && scene.token(2).is_capitalised() {
        return None;
    }
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let is_counted = scene.back(back).is(Kind::Number)
        && scene.cued(&["tuyển", "cần", "công ty", "cty", "thêm", "việc", "dụng"]);
    (is_counted || follows(scene, &BEFORE) || precedes(scene, &BEHIND, 1))
        .then(|| Said::new(1, "lao động"))
}
