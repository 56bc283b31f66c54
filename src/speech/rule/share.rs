//! `9/12`: the ninth of December, or nine of twelve. What is counted, what was done to it, and what stands around tell.

use super::{date::HOUSES, unit};
use crate::speech::{
    scene::Scene,
    token::{Kind, Token},
};

/// What is counted out of a whole: `4/4 xã`.
const COUNTED: [&str; 104] = [
    "xã",
    "phường",
    "khối",
    "xóm",
    "hộ",
    "tổ",
    "đơn vị",
    "trường",
    "chi",
    "lớp",
    "thôn",
    "bản",
    "ấp",
    "huyện",
    "em",
    "cán bộ",
    "người",
    "trạm",
    "cơ sở",
    "cơ quan",
    "mục",
    "chỉ tiêu",
    "tiêu chí",
    "nhóm tiêu chí",
    "học sinh",
    "học viên",
    "sinh viên",
    "giáo viên",
    "đại biểu",
    "đảng viên",
    "đoàn viên",
    "hội viên",
    "ủy viên",
    "công dân",
    "cử tri",
    "phụ huynh",
    "đồng chí",
    "cháu",
    "trẻ",
    "cụ",
    "bà mẹ",
    "con",
    "cây",
    "cái",
    "chiếc",
    "phiếu",
    "lô",
    "thửa",
    "căn",
    "ngôi",
    "nhà",
    "hồ sơ",
    "hồ chứa",
    "dự án",
    "công trình",
    "hạng mục",
    "tuyến",
    "vụ",
    "ca",
    "bệnh nhân",
    "bị can",
    "bị cáo",
    "đối tượng",
    "bàn tiệc",
    "câu",
    "sản phẩm",
    "cầu thủ",
    "đội",
    "nội dung",
    "nghị quyết",
    "nhiệm vụ",
    "kiến nghị",
    "ý kiến",
    "đơn thư",
    "quán",
    "doanh nghiệp",
    "hợp tác xã",
    "cửa hàng",
    "chợ",
    "phòng",
    "khu",
    "cụm",
    "điểm trường",
    "điểm bầu cử",
    "sào",
    "xe",
    "tàu",
    "thuyền",
    "máy",
    "giếng",
    "mô hình",
    "dòng họ",
    "gia đình",
    "đám cưới",
    "cặp",
    "bài",
    "môn",
    "trận",
    "vòng",
    "cuộc",
    "buổi",
    "lần",
    "bếp",
    "đợt",
];

/// Short forms of what is counted.
const SHORT: [&str; 18] = [
    "NQ", "TC", "DN", "HS", "GV", "SV", "HTX", "TDP", "KDC", "ĐV", "CB", "NVH", "HKD", "CSKD",
    "BN", "CBCC", "ĐB", "CLB",
];

/// What is said of all who were counted: `12/12 đạt`.
const OUTCOMES: [&str; 9] = [
    "đạt",
    "tán thành",
    "đồng ý",
    "nhất trí",
    "đỗ",
    "đậu",
    "hoàn thành",
    "có mặt",
    "biểu quyết",
];

/// Verbs right before a share of anything.
const REACHED: [&str; 11] = [
    "đạt",
    "chiếm",
    "tỷ lệ",
    "tỉ lệ",
    "điểm số",
    "được",
    "tăng",
    "giảm",
    "bằng",
    "gần",
    "hơn",
];

/// Verbs right before a share of what follows.
const DONE: [&str; 16] = [
    "thông qua",
    "có",
    "tiêm",
    "kiểm tra",
    "hoàn thành",
    "biểu quyết",
    "bầu",
    "còn",
    "giải quyết",
    "xử lý",
    "khắc phục",
    "phủ sóng",
    "kết nạp",
    "rà soát",
    "trong",
    "với",
];

/// Words that follow a day rather than what was counted.
const BEHIND_DAYS: [&str; 26] = [
    "tại", "lúc", "từ", "đến", "tới", "cho", "ở", "và", "để", "là", "sẽ", "phải", "với", "vào",
    "theo", "do", "khi", "hằng", "hàng", "năm", "này", "tới", "vừa", "đã", "bà", "mời",
];

/// Words before which a day stands, and no share.
const BEFORE_DAYS: [&str; 14] = [
    "từ",
    "đến",
    "tới",
    "trước",
    "sau",
    "hết",
    "vào",
    "hạn",
    "chót",
    "là",
    "ngày",
    "kể từ",
    "lễ",
    "dịp",
];

/// What is planned for a day, with a colon between or none.
const PLANNED: [&str; 30] = [
    "hạn",
    "hạn chót",
    "hạn cuối",
    "khai mạc",
    "bế mạc",
    "họp",
    "tiêm",
    "khám",
    "lịch",
    "lịch tiêm",
    "lịch họp",
    "lịch khám",
    "lịch cấp",
    "thời gian",
    "tg",
    "vào",
    "hẹn",
    "bắt đầu",
    "kết thúc",
    "diễn ra",
    "tổ chức",
    "khai giảng",
    "ra quân",
    "sinh nhật",
    "phát quà",
    "phát thuốc",
    "cấp phát",
    "đợt",
    "đưa tang",
    "hội nghị",
];

/// Whether what stands at `at` is counted out of a whole.
pub(super) fn is_counted(scene: &Scene<'_>, at: usize) -> bool {
    let noun = scene.skip_space(at);
    // At least a space lies between, so that 4/4xã is none of these.
    let is_place = |phrase: &str| {
        // xóm 3, lớp 5A, tổ A: which one, and not how many.
        let words = phrase.split(' ').count();
        let which = scene.token(noun + 2 * words);
        which.is(Kind::Number)
            || (which.is(Kind::Word) && which.text.chars().count() == 1 && which.is_capitalised())
    };
    COUNTED
        .iter()
        .any(|phrase| scene.precedes(phrase, at) && !is_place(phrase))
        || SHORT.contains(&scene.token(noun).text)
}

/// Whether `first/second` at the token in hand, of which no word says that it is a day, is a share.
pub(super) fn is_share(scene: &Scene<'_>, first: u32, second: u32) -> bool {
    const END: usize = 3;
    if first > second || BEFORE_DAYS.iter().any(|word| scene.follows(word)) || after_clock(scene, 1)
    {
        return false;
    }
    let follows = |phrases: &[&str]| phrases.iter().any(|phrase| scene.follows(phrase));
    let word = scene.next_word(END);
    let is_whole = first == second && OUTCOMES.iter().any(|phrase| scene.precedes(phrase, END));
    let is_measured = matches!(word, "tháng" | "km" | "ha" | "kg" | "ngày" | "mẫu")
        || ["thành viên", "ứng viên", "ứng cử viên"]
            .iter()
            .any(|phrase| scene.precedes(phrase, END))
        || (unit::after_number(scene, END).is_some()
            && scene.token(END).is(Kind::Space)
            && word != "đ");
    let is_done =
        follows(&DONE) && !word.is_empty() && !BEHIND_DAYS.contains(&word) && !is_place(scene, END);
    is_counted(scene, END) || is_whole || is_measured || follows(&REACHED) || is_done
}

/// Whether `đến 6/10 hộ` may be a day as well as a share: both are written so. Much begins on the first of a month.
pub(super) fn is_undecided(scene: &Scene<'_>, first: u32, second: u32) -> bool {
    const END: usize = 3;
    let is_led = ["từ", "đến", "tới"].iter().any(|word| scene.follows(word));
    is_led && 1 < first && first <= second && scene.token(1).is_sign("/") && is_counted(scene, END)
}

/// Whether a word with a number or a name behind it follows: `3/12 xóm 2`.
fn is_place(scene: &Scene<'_>, at: usize) -> bool {
    let noun = scene.skip_space(at);
    scene.token(noun + 2).is(Kind::Number)
        || scene.token(noun).is_capitalised() && {
            !SHORT.contains(&scene.token(noun).text) && !scene.token(noun).is_all_capitals()
        }
}

/// Whether `3/12` at the token in hand is a day though it could be three twelfths.
pub(super) fn is_day(scene: &Scene<'_>) -> bool {
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let before = scene.back(back);
    let colon = usize::from(before.is_sign(":"));
    let is_planned = PLANNED
        .iter()
        .any(|word| scene.follows(word) || scene.follows(&format!("{word} :")));
    // Xóm 1 (2/12), Thứ Tư (3/12)
    let owner = scene.back(back + 1 + usize::from(scene.back(back + 1).is(Kind::Space)));
    let is_bracketed = before.is_sign("(")
        && scene.token(3).is_sign(")")
        && (owner.is_capitalised() || owner.is(Kind::Number) || is_weekday(scene, back + 1));
    // 2/12: xóm 1; 3/12: xóm 2
    let begins = scene.begins_line()
        || matches!(before.text, ";" | "," | "|" | "•" | "+")
        || (before.is_dash() && scene.back(back).is_dash() && begins_after(scene, back));
    let is_entry = begins && scene.token(3).is_sign(":");
    // xóm 2: 3/12
    let is_listed = colon == 1 && owner.is(Kind::Number);
    is_planned
        || is_bracketed
        || is_entry
        || is_listed
        || after_clock(scene, 1)
        || is_weekday(scene, 1)
        || has_brother(scene)
}

/// Whether `2.12` at the token in hand is a day: beside a day of the week or a time, or at the head of an item of a list.
pub(super) fn is_dotted_day(scene: &Scene<'_>) -> bool {
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let before = scene.back(back);
    let owner = scene.back(back + 1 + usize::from(scene.back(back + 1).is(Kind::Space)));
    let is_bracketed = before.is_sign("(")
        && scene.token(3).is_sign(")")
        && (is_weekday(scene, back + 1) || owner.is(Kind::Number));
    let is_item = matches!(before.text, ":" | ";") && scene.token(3).is_sign(":");
    let is_tied = matches!(scene.token(3).kind, Kind::Word | Kind::Number)
        || (scene.token(3).is_sign(".") && scene.token(4).is(Kind::Number));
    !is_tied && (is_bracketed || is_item || is_weekday(scene, 1) || after_clock(scene, 1))
}

/// Whether the sign `back` places before is the first of its line.
fn begins_after(scene: &Scene<'_>, back: usize) -> bool {
    match scene.back(back + 1).kind {
        Kind::Break => true,
        Kind::Space => scene.back(back + 2).is(Kind::Break),
        _ => false,
    }
}

/// Whether a day of the week stands right before `back`: `thứ tư 3/12`, `CN 7/12`, `T4, 3/12`.
fn is_weekday(scene: &Scene<'_>, back: usize) -> bool {
    let skip = |back: usize| back + usize::from(scene.back(back).is(Kind::Space));
    let mut back = skip(back);
    if scene.back(back).is_sign(",") {
        back = skip(back + 1);
    }
    let last = scene.back(back);
    let before = scene.back(skip(back + 1));
    last.text == "CN"
        || (&*last.lower == "nhật" && &*before.lower == "chủ")
        || (&*before.lower == "thứ"
            && (matches!(&*last.lower, "hai" | "ba" | "tư" | "năm" | "sáu" | "bảy")
                || last.small().is_some_and(|day| (2..=7).contains(&day))))
        || (last.small().is_some_and(|day| (2..=7).contains(&day))
            && scene.back(back + 1).text == "T")
}

/// Whether a clock time stands right before `from`: `14h, 3/12`, `8h00 03/12`, `lúc 14 giờ - 3/12`.
pub(super) fn after_clock(scene: &Scene<'_>, from: usize) -> bool {
    let skip = |back: usize| back + usize::from(scene.back(back).is(Kind::Space));
    let mut back = skip(from);
    if matches!(scene.back(back).text, "," | "(" | ";") || scene.back(back).is_dash() {
        back = skip(back + 1);
    }
    let is_hour = |token: &Token<'_>| token.small().is_some_and(|hour| hour <= 24);
    let last = scene.back(back);
    match last.kind {
        Kind::Word if matches!(&*last.lower, "h" | "giờ" | "g") => {
            is_hour(scene.back(skip(back + 1)))
        }
        Kind::Number if last.text.len() == 2 => {
            matches!(&*scene.back(back + 1).lower, "h" | "g" | ":") && is_hour(scene.back(back + 2))
        }
        _ => false,
    }
}

/// Whether the one before or behind it in a list can be nothing but a day: `1/3, 15/3`.
fn has_brother(scene: &Scene<'_>) -> bool {
    let is_day = |day: &Token<'_>, slash: &Token<'_>, month: &Token<'_>| {
        slash.is_sign("/")
            && day.small().is_some_and(|day| (13..=31).contains(&day))
            && month.small().is_some_and(|month| (1..=12).contains(&month))
    };
    let next = scene.skip_space(4);
    let is_joint = |token: &Token<'_>| matches!(&*token.lower, "," | ";" | "và");
    let ahead = scene.skip_space(3);
    let after_word = scene.skip_space(ahead + 1);
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let before = back + 1 + usize::from(scene.back(back + 1).is(Kind::Space));
    (is_joint(scene.token(3))
        && is_day(
            scene.token(next),
            scene.token(next + 1),
            scene.token(next + 2),
        ))
        || (is_joint(scene.token(ahead))
            && is_day(
                scene.token(after_word),
                scene.token(after_word + 1),
                scene.token(after_word + 2),
            ))
        || (is_joint(scene.back(back))
            && is_day(
                scene.back(before + 2),
                scene.back(before + 1),
                scene.back(before),
            ))
}

/// Whether `5-7/3`, which ends before `end`, is a span of days though no word says so.
pub(super) fn is_span(scene: &Scene<'_>, end: usize) -> bool {
    let is_house = HOUSES
        .iter()
        .chain(&REACHED)
        .any(|word| scene.follows(word));
    let is_measured = unit::after_number(scene, end).is_some()
        || super::quantity::SPANNED.contains(&scene.next_word(end));
    !is_house && !is_measured && !is_counted(scene, end) && scene.next_word(end) != "số"
}
