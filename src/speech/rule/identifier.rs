//! What is a number by its form alone and counts nothing: bank cards, papers with a series, the numbers of dossiers.

use super::{
    Said,
    telephone::{in_groups, mixed},
    word::is_letters,
};
use crate::speech::{ProblemKind, lexicon, number::one_by_one, scene::Scene, token::Kind};

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let is_rest = matches!(scene.back(1).text, "/" | "-" | "." | ",")
        && matches!(scene.back(2).kind, Kind::Number | Kind::Word);
    if scene.is_glued() || is_rest {
        return None;
    }
    card(scene)
        .or_else(|| series(scene))
        .or_else(|| dossier(scene))
        .or_else(|| flight(scene))
        .or_else(|| airport(scene))
        .or_else(|| traffic_sign(scene))
        .or_else(|| padded(scene))
}

/// Papers that are issued in series.
const PAPERS: [&str; 14] = [
    "gcn",
    "gcnqsdđ",
    "qsdđ",
    "giấy chứng nhận",
    "sổ đỏ",
    "sổ hồng",
    "bìa đỏ",
    "bìa",
    "phôi",
    "seri",
    "sê - ri",
    "phát hành",
    "văn bằng",
    "hóa đơn",
];

/// Airports by the letters of their tickets, as the national carriers list them.
const AIRPORTS: [(&str, &str); 22] = [
    ("HAN", "Hà Nội"),
    ("SGN", "Thành phố Hồ Chí Minh"),
    ("DAD", "Đà Nẵng"),
    ("HUI", "Huế"),
    ("VII", "Vinh"),
    ("HPH", "Hải Phòng"),
    ("CXR", "Cam Ranh"),
    ("PQC", "Phú Quốc"),
    ("VCA", "Cần Thơ"),
    ("DLI", "Đà Lạt"),
    ("BMV", "Buôn Ma Thuột"),
    ("PXU", "Pleiku"),
    ("UIH", "Quy Nhơn"),
    ("VDH", "Đồng Hới"),
    ("THD", "Thanh Hóa"),
    ("VDO", "Vân Đồn"),
    ("DIN", "Điện Biên"),
    ("VCS", "Côn Đảo"),
    ("TBB", "Tuy Hòa"),
    ("VCL", "Chu Lai"),
    ("VKG", "Rạch Giá"),
    ("CAH", "Cà Mau"),
];

/// The letters of the country's airlines.
const AIRLINES: [&str; 5] = ["VN", "VJ", "QH", "BL", "VU"];

/// `chuyến bay VN 1573`: the letters and number of a flight.
fn flight(scene: &Scene<'_>) -> Option<Said> {
    let letters = scene.token(0);
    let at = scene.skip_space(1);
    let number = scene.token(at);
    let is_flight = is_letters(letters)
        && letters.text.chars().count() == 2
        && number.is(Kind::Number)
        && matches!(number.text.len(), 3 | 4)
        && !matches!(scene.token(at + 1).kind, Kind::Word | Kind::Number)
        && (scene.previous() == "bay"
            || scene.follows("số hiệu")
            || (at > 1 && AIRLINES.contains(&letters.text) && scene.cued(&["bay", "hàng không"])));
    let letters = lexicon::spell(letters.text).filter(|_| is_flight)?;
    let words = format!("{letters} {}", one_by_one(number.text));
    Some(Said::new(at + 1, words))
}

/// `HAN-HUI`, `bay từ HAN đi SGN`.
fn airport(scene: &Scene<'_>) -> Option<Said> {
    let name = |at: usize| {
        let token = scene.token(at);
        AIRPORTS
            .iter()
            .find(|(letters, _)| *letters == token.text)
            .map(|(_, name)| *name)
    };
    let first = name(0)?;
    let next = super::date::after_dash(scene, 1);
    if let Some(next) = next
        && let Some(second) = name(next)
    {
        return Some(Said::new(next + 1, format!("{first} - {second}")));
    }
    let is_flown = scene.cued(&["bay", "sân bay", "hạ cánh", "cất cánh", "vé", "chặng"]);
    (is_flown && !scene.token(1).is(Kind::Number)).then(|| Said::new(1, first))
}

/// `biển P.127`, `R.412b`: traffic signs, which QCVN 41:2024/BGTVT names by a letter and a number.
fn traffic_sign(scene: &Scene<'_>) -> Option<Said> {
    const SIGNS: [&str; 8] = [
        "biển báo",
        "biển cấm",
        "biển phụ",
        "biển hiệu lệnh",
        "biển chỉ dẫn",
        "biển",
        "các biển",
        "cắm biển",
    ];
    let letter = scene.token(0);
    let dot = usize::from(scene.token(1).is_sign("."));
    let number = scene.token(1 + dot);
    let branch = scene.token(2 + dot);
    let has_branch = branch.is(Kind::Word) && branch.text.len() == 1;
    let end = 2 + dot + usize::from(has_branch);
    let is_sign = matches!(letter.text, "P" | "W" | "R" | "I" | "S" | "DP")
        && number.is(Kind::Number)
        && number.text.len() == 3
        && !matches!(scene.token(end).kind, Kind::Word | Kind::Number)
        && ((dot == 1 && !matches!(letter.text, "P" | "S")) || scene.cued(&SIGNS))
        && scene.previous() != "phòng"
        && !scene.cued(&["biển số", "biển kiểm soát"]);
    let name = lexicon::spell(letter.text).filter(|_| is_sign)?;
    let mut words = format!("{name} {}", one_by_one(number.text));
    if has_branch {
        words.push(' ');
        words.push_str(&lexicon::spell(branch.text)?);
    }
    Some(Said::new(end, words))
}

/// `chỉ số công tơ 08.452`: no thousands begin with a zero, and no decimals have a dot; every digit counts. Beside a meter that is
/// certain, elsewhere it is reported.
fn padded(scene: &Scene<'_>) -> Option<Said> {
    const METERS: [&str; 8] = [
        "chỉ số",
        "công tơ",
        "đồng hồ",
        "mã",
        "số",
        "số seri",
        "chỉ số cũ",
        "chỉ số mới",
    ];
    /// As many digits are a telephone's.
    const TELEPHONE: usize = 10;
    let first = scene.token(0);
    let mut groups = vec![first.text];
    let mut end = 1;
    while scene.token(end).is_sign(".") && scene.token(end + 1).is(Kind::Number) {
        groups.push(scene.token(end + 1).text);
        end += 2;
    }
    let digits = groups.concat();
    let goes_on = matches!(scene.token(end).kind, Kind::Word | Kind::Number)
        || (matches!(scene.token(end).text, "/" | "-") && scene.token(end + 1).is(Kind::Number));
    let is_padded = first.is(Kind::Number)
        && (2..=3).contains(&first.text.len())
        && first.text.starts_with('0')
        && groups.len() > 1
        && groups[1..].iter().all(|group| group.len() == 3)
        && digits.len() < TELEPHONE
        && !goes_on;
    if !is_padded {
        return None;
    }
    let words = if groups.len() == 2 {
        one_by_one(&digits)
    } else {
        groups
            .iter()
            .map(|group| one_by_one(group))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let has_decimals = scene.token(end).is_sign(",") && scene.token(end + 1).is(Kind::Number);
    Some(if scene.cued(&METERS) && !has_decimals {
        Said::new(end, words)
    } else {
        Said::wrong(end, words, ProblemKind::Ambiguous)
    })
}

/// `9704 2292 0123 4567`: four groups of four digits, and no other way to write so many.
fn card(scene: &Scene<'_>) -> Option<Said> {
    const GROUPS: usize = 4;
    let is_group = |group: usize| {
        let token = scene.token(2 * group);
        token.is(Kind::Number) && token.text.len() == 4
    };
    let is_parted = |group: usize| matches!(scene.token(2 * group + 1).text, " " | "-" | "\u{a0}");
    let is_card = (0..GROUPS).all(is_group) && (0..GROUPS - 1).all(is_parted);
    is_card.then(|| {
        let groups = (0..GROUPS).map(|group| one_by_one(scene.token(2 * group).text));
        Said::new(2 * GROUPS - 1, groups.collect::<Vec<_>>().join(", "))
    })
}

/// `số BM 123456`, `sê-ri CK 0123456`: the letters of a series and a number of which every digit counts.
fn series(scene: &Scene<'_>) -> Option<Said> {
    let (letters, number) = (scene.token(0), scene.token(2));
    let is_series = is_letters(letters)
        && letters.text.chars().count() <= 2
        && scene.token(1).is(Kind::Space)
        && number.is(Kind::Number)
        && (5..=9).contains(&number.text.len())
        && (matches!(scene.previous(), "số" | "seri" | "ri" | "phôi" | "bìa" | "sổ")
            || ["số :", "seri :", "sê - ri :", "phát hành", "phát hành :", "gcn :", "chứng nhận :"]
                .iter()
                .any(|phrase| scene.follows(phrase)))
        // On what is issued in series even CT is no order; a number to call or to pay into is none of these.
        && (super::abbreviation::builtin(scene).is_none()
            || ((scene.cued(&PAPERS) || number.text.len() >= 6)
                && !matches!(letters.text, "TK" | "ĐT" | "HS" | "KH" | "HĐ")));
    let letters = lexicon::spell(letters.text).filter(|_| is_series)?;
    Some(Said::new(
        3,
        format!("{letters} {}", in_groups(number.text)),
    ))
}

/// `H41.22-240312-0005`: groups of digits, a letter among them, and dots or hyphens between.
fn dossier(scene: &Scene<'_>) -> Option<Said> {
    /// Fewer digits may be anything.
    const LEAST: usize = 10;
    let mut at = 0;
    let mut digits = 0;
    let mut signs = 0;
    while at < 24 {
        let token = scene.token(at);
        match token.kind {
            Kind::Number => digits += token.text.len(),
            Kind::Word if is_letters(token) && token.text.len() == 1 => {}
            Kind::Sign
                if matches!(token.text, "." | "-")
                    && matches!(scene.token(at + 1).kind, Kind::Number | Kind::Word) =>
            {
                signs += 1;
            }
            _ => break,
        }
        at += 1;
    }
    let ends =
        !matches!(scene.token(at).kind, Kind::Word | Kind::Number) && !scene.token(at).is_sign("/");
    if digits < LEAST || signs < 2 || !ends {
        return None;
    }
    mixed(scene).filter(|said| said.tokens == at)
}
