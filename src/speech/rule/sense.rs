//! Short forms of which only the words around tell what they stand for: `CN`, `TB`, `CT`, `TT`, `HD`, `ĐH`, `TC`. Where
//! nothing tells, they are spelt and reported.

use super::{Said, abbreviation::builtin};
use crate::speech::{
    ProblemKind, lexicon,
    number::{cardinal, one_by_one},
    scene::Scene,
    token::{Kind, Token},
};

/// The commonest family names: who has one is a person.
const FAMILIES: [&str; 24] = [
    "nguyễn", "trần", "lê", "phạm", "hoàng", "huỳnh", "phan", "vũ", "võ", "đặng", "bùi", "đỗ",
    "hồ", "ngô", "dương", "lý", "đinh", "cao", "thái", "trương", "đoàn", "hà", "tạ", "mai",
];

/// Offices that have members in standing.
const STANDING: [&str; 17] = [
    "đảng ủy",
    "đảng uỷ",
    "đu",
    "hđnd",
    "ubnd",
    "hội",
    "tỉnh ủy",
    "thành ủy",
    "tu",
    "ban",
    "ubmttq",
    "ubmttqvn",
    "mttq",
    "huyện ủy",
    "bch",
    "btv",
    "quốc hội",
];

/// Words beside which `CN` is a Sunday.
const BEFORE_SUNDAY: [&str; 26] = [
    "sáng", "trưa", "chiều", "tối", "đêm", "ngày", "thứ", "bảy", "trừ", "cả", "và", "đến", "vào",
    "lịch", "mỗi", "hằng", "hàng", "từ", "trước", "sau", "hôm", "dịp", "tới", "nghỉ", "hết", "h",
];
const BEHIND_SUNDAY: [&str; 24] = [
    "nghỉ", "hằng", "hàng", "tuần", "này", "tới", "sau", "cuối", "và", "ngày", "mùng", "từ", "đến",
    "sáng", "chiều", "tối", "trưa", "lúc", "đầu", "không", "làm", "mở", "vẫn", "thì",
];

/// Words beside which `TB` is a notice.
const BEFORE_NOTICE: [&str; 22] = [
    "theo", "ra", "số", "gửi", "bản", "cứ", "dung", "có", "phát", "hành", "in", "dán", "đọc",
    "nghe", "các", "đăng", "nhận", "sau", "tại", "bằng", "kèm", "giấy",
];
const BEHIND_NOTICE: [&str; 22] = [
    "số", "của", "về", "ngày", "kết", "tuyển", "triệu", "thu", "nộp", "nghỉ", "lịch", "mời",
    "công", "cắt", "tạm", "này", "đến", "cho", "tới", "v", "thay", "khẩn",
];

/// Words before somebody who has an office.
const BEFORE_HEAD: [&str; 9] = ["của", "do", "ông", "bà", "phó", "chí", "thư", "anh", "chị"];

/// What is looked at, among which `HD` is no paper.
const SCREENS: [&str; 9] = [
    "tv", "inch", "video", "phim", "kênh", "màn", "camera", "full", "nét",
];

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    if !token.is(Kind::Word) || scene.is_glued() || scene.token(1).is(Kind::Number) {
        return None;
    }
    match token.text {
        "CN" => plain(scene, "chủ nhật").and_then(|()| sunday(scene)),
        "TB" => plain(scene, "Thông báo").and_then(|()| notice(scene)),
        "CT" => plain(scene, "Chỉ thị").and_then(|()| order(scene)),
        "TT" => standing(scene),
        "HD" => on_screen(scene),
        "ĐH" | "ĐX" => road(scene),
        "TC" => criterion(scene),
        "CK" => transfer(scene),
        _ => None,
    }
}

/// `tại K7`, `K1-K4`: blocks of a ward. After other words the letter is a class, a vitamin or a bridge.
pub(super) fn block(scene: &Scene<'_>) -> Option<Said> {
    const PLACED: [&str; 16] = [
        "tại",
        "ở",
        "các",
        "trú",
        "bàn",
        "vực",
        "dân",
        "của",
        "về",
        "đến",
        "từ",
        "và",
        "nhân",
        "cho",
        "trưởng",
        "thôn",
    ];
    const OTHERS: [&str; 10] = [
        "viên", "lớp", "khóa", "khoá", "vitamin", "cầu", "tuyến", "kênh", "máy", "thuốc",
    ];
    const BEHIND: [&str; 7] = ["họp", "phun", "tiêm", "mất", "có", "nộp", "tổ"];
    let is_block = |at: usize| {
        let number = scene.token(at + 1);
        scene.token(at).text == "K"
            && number.is(Kind::Number)
            && number.text.len() <= 2
            && !number.text.starts_with('0')
            && !matches!(scene.token(at + 2).kind, Kind::Word | Kind::Number)
            // K23+450: so far along a dyke or a canal
            && !scene.token(at + 2).is_sign("+")
    };
    if scene.is_glued() || !is_block(0) || OTHERS.contains(&scene.previous()) {
        return None;
    }
    let name = |at: usize| {
        format!(
            "khối {}",
            cardinal(scene.token(at + 1).text, scene.speech.voice)
        )
    };
    if let Some(next) = super::date::after_dash(scene, 2).filter(|next| is_block(*next)) {
        return Some(Said::new(
            next + 2,
            format!("{} đến {}", name(0), name(next)),
        ));
    }
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let next = scene.skip_space(3);
    let is_listed = (scene.token(2).is_sign(",") && is_block(next))
        || (scene.back(back).is_sign(",") && scene.back(back + 2).text == "K");
    let is_placed = PLACED.contains(&scene.previous()) || BEHIND.contains(&scene.next_word(2));
    (is_listed || is_placed).then(|| Said::new(2, name(0)))
}

/// Whether the built-in reading here is only the one for want of a better.
fn plain(scene: &Scene<'_>, reading: &str) -> Option<()> {
    builtin(scene)
        .filter(|said| said.text == reading)
        .map(|_| ())
}

fn unknown(scene: &Scene<'_>) -> Option<Said> {
    let spelt = lexicon::spell(scene.token(0).text)?;
    Some(Said::wrong(1, spelt, ProblemKind::UnknownAbbreviation))
}

pub(super) fn is_family(token: &Token<'_>) -> bool {
    token.is_capitalised() && FAMILIES.contains(&&*token.lower)
}

/// `T7, CN`, `CN 7/12`; `hộ nghèo, CN`; `CN Nguyễn Văn A`.
fn sunday(scene: &Scene<'_>) -> Option<Said> {
    /// How far back a day or a time still counts, in tokens.
    const REACH: usize = 7;
    let skip = |back: usize| back + usize::from(scene.back(back).is(Kind::Space));
    let back = skip(1);
    let joint = scene.back(back);
    let is_joined = matches!(joint.text, "/" | "," | "và" | "hoặc");
    let owner = if is_joined {
        scene.back(skip(back + 1))
    } else {
        joint
    };
    if matches!(&*owner.lower, "nghèo" | "hộ") {
        return Some(Said::new(1, "cận nghèo"));
    }
    let bracket = scene.skip_space(1);
    let comma = usize::from(matches!(scene.token(bracket).text, "(" | "," | ":" | "-"));
    let number = scene.skip_space(bracket + comma);
    let is_dated = scene.token(number).is(Kind::Number)
        && matches!(
            &*scene.token(number + 1).lower,
            "/" | "-" | "." | "h" | ":" | "giờ"
        );
    let is_timed = (1..=REACH)
        .take_while(|back| !scene.back(*back).is(Kind::Break))
        .any(|back| {
            let token = scene.back(back);
            let is_marked = matches!(&*token.lower, "h" | "g" | "giờ" | "t" | "/" | ":" | "-");
            is_marked && scene.back(back + 1).is(Kind::Number)
                || (token.text == "T" && scene.back(back - 1).is(Kind::Number))
        });
    let behind = scene.next_word(1);
    if is_dated
        || is_timed
        || BEFORE_SUNDAY.contains(&scene.previous())
        || BEHIND_SUNDAY.contains(&behind)
        || (scene.begins_line() && scene.token(bracket).is_sign(":"))
        || WEEKDAYS.contains(&&*owner.lower)
    {
        return Some(Said::new(1, "chủ nhật"));
    }
    if is_family(scene.token(scene.skip_space(1))) {
        return Some(Said::new(1, "cử nhân"));
    }
    unknown(scene)
}

const WEEKDAYS: [&str; 6] = ["hai", "ba", "tư", "năm", "sáu", "bảy"];

/// `TB số 12`, `theo TB của xã`.
fn notice(scene: &Scene<'_>) -> Option<Said> {
    let next = scene.skip_space(1);
    let is_notice = BEFORE_NOTICE.contains(&scene.previous())
        || BEHIND_NOTICE.contains(&scene.next_word(1))
        || scene.begins_line()
        || scene.token(next).is_sign(":")
        || scene.token(next).is(Kind::Number);
    if is_notice {
        return None;
    }
    unknown(scene)
}

/// `CT số 08`, `Sở CT`, `CT Nguyễn Văn A`.
fn order(scene: &Scene<'_>) -> Option<Said> {
    let next = scene.token(scene.skip_space(1));
    if matches!(scene.previous(), "sở" | "bộ" | "ngành") {
        return Some(Said::new(1, "Công Thương"));
    }
    if next.is(Kind::Number) || matches!(&*next.lower, "số" | "của" | "về") {
        return None;
    }
    if is_family(next) || BEFORE_HEAD.contains(&scene.previous()) {
        return Some(Said::new(1, "Chủ tịch"));
    }
    // Thực hiện CT, QĐ của tỉnh
    if matches!(scene.previous(), "theo" | "hiện" | "khai" | "các" | "ra") {
        return None;
    }
    unknown(scene)
}

/// `TT Đảng ủy`: whoever sits there between the meetings.
fn standing(scene: &Scene<'_>) -> Option<Said> {
    let is_standing = STANDING.iter().any(|office| scene.precedes(office, 1))
        && !["hội nghị", "ban tế"]
            .iter()
            .any(|other| scene.precedes(other, 1));
    is_standing.then(|| Said::new(1, "Thường trực"))
}

/// `TV 55 inch, HD`.
fn on_screen(scene: &Scene<'_>) -> Option<Said> {
    const REACH: usize = 12;
    let is_seen = (1..=REACH)
        .take_while(|back| !scene.back(*back).is(Kind::Break))
        .any(|back| SCREENS.contains(&&*scene.back(back).lower));
    is_seen.then(|| Said::new(1, "hát đê"))
}

/// `ĐH.12`, `đường ĐX 05`: a road of the district or the commune.
fn road(scene: &Scene<'_>) -> Option<Said> {
    let dot = usize::from(scene.token(1).is_sign("."));
    let at = scene.skip_space(1 + dot);
    let number = scene.token(at);
    let is_road = number.is(Kind::Number)
        && number.text.len() <= 3
        && at > 1
        && !matches!(scene.token(at + 1).kind, Kind::Word | Kind::Number)
        && !(matches!(scene.token(at + 1).text, "," | "." | "/")
            && scene.token(at + 2).is(Kind::Number))
        && scene.previous() != "trường";
    let owner = if scene.token(0).text == "ĐH" {
        "huyện"
    } else {
        "xã"
    };
    let name = if scene.previous() == "đường" {
        owner.to_owned()
    } else {
        format!("đường {owner}")
    };
    is_road.then(|| {
        let number = if number.text.starts_with('0') {
            one_by_one(number.text)
        } else {
            cardinal(number.text, scene.speech.voice)
        };
        Said::new(at + 1, format!("{name} {number}"))
    })
}

/// `17/19 TC`, `TC NTM`.
fn criterion(scene: &Scene<'_>) -> Option<Said> {
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let is_counted = scene.back(back).is(Kind::Number)
        || matches!(scene.previous(), "đạt" | "các" | "bộ" | "nhóm")
        || matches!(scene.next_word(1), "ntm" | "số");
    is_counted.then(|| Said::new(1, "tiêu chí"))
}

/// `CK 30k phí`: money goes by bank.
fn transfer(scene: &Scene<'_>) -> Option<Said> {
    let number = super::quantity::numeral(scene, scene.skip_space(1))?;
    let (unit, _) = super::unit::after_number(scene, number.end)?;
    let is_money = ["đồng", "nghìn", "ngàn", "triệu", "tỷ"]
        .iter()
        .any(|word| unit.starts_with(word));
    is_money.then(|| Said::new(1, "chuyển khoản"))
}
