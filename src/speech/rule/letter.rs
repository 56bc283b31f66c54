//! Letters behind numbers that are units only by what stands around: `5K`, `16,4N-111,8E`, `75t`, `10T`, `9,75đ`.

use super::quantity::numeral;
use crate::speech::{
    scene::Scene,
    token::{Kind, Token},
};

/// Words near which `14t` is an age.
const AGED: [&str; 34] = [
    "tuổi",
    "trẻ",
    "bé",
    "cháu",
    "cụ",
    "người",
    "công dân",
    "thanh niên",
    "thiếu niên",
    "em",
    "ông",
    "bà",
    "anh",
    "chị",
    "thọ",
    "hưởng dương",
    "nam",
    "nữ",
    "phụ nữ",
    "học sinh",
    "bệnh nhân",
    "nạn nhân",
    "mẹ",
    "đối tượng",
    "bị can",
    "bị cáo",
    "nghi phạm",
    "hội viên",
    "đoàn viên",
    "đảng viên",
    "nct",
    "vđv",
    "vận động viên",
    "lứa",
];

/// Words near which `12T` are months: how long money is kept or a thing is answered for, and what was done so far in a year.
const MONTHS: [&str; 21] = [
    "kỳ hạn",
    "hạn",
    "vay",
    "bảo hành",
    "trả góp",
    "tính chung",
    "lũy kế",
    "luỹ kế",
    "chu kỳ",
    "cùng kỳ",
    "doanh thu",
    "tăng trưởng",
    "thu ngân sách",
    "cpi",
    "kim ngạch",
    "xuất khẩu",
    "ước",
    "lãi suất",
    "gửi",
    "tiết kiệm",
    "trả chậm",
];

/// Words near which `10t` are tonnes, and what is weighed so. The first of them say so of the number right behind.
const LOADED: [&str; 16] = [
    "xe tải",
    "tải trọng",
    "trọng tải",
    "trọng lượng",
    "chở",
    "sản lượng",
    "tải",
    "nặng",
    "năng suất",
    "cẩu",
    "xe",
    "cầu",
    "hàng",
    "thu hoạch",
    "sà lan",
    "khối lượng",
];
const CERTAINLY_LOADED: usize = 10;
const WEIGHED: [&str; 40] = [
    "vật tư",
    "gạo",
    "thóc",
    "lúa",
    "ngô",
    "rác",
    "cát",
    "đá",
    "hàng",
    "phân",
    "thép",
    "xi măng",
    "cá",
    "tôm",
    "muối",
    "rau",
    "đất",
    "lợn",
    "thịt",
    "mì",
    "mì tôm",
    "dầu",
    "nông sản",
    "cam",
    "vải",
    "than",
    "nhôm",
    "sắt",
    "đường",
    "bột",
    "giống",
    "thức ăn",
    "khoai",
    "lạc",
    "chè",
    "cà phê",
    "lương thực",
    "nhu yếu phẩm",
    "hàng hóa",
    "hàng hoá",
];

/// Words between a cue and its number: `xe tải trên 10t`.
const BETWEEN: [&str; 16] = [
    "trên", "dưới", "từ", "đến", "quá", "là", "đủ", "tròn", "khoảng", ">", "<", "≥", "≤", "(", ":",
    "=",
];

/// The first number of a list or span that the one in hand stands in: `14t,25t,40t và 60t`. What is said of it holds for all.
fn first_of_list<'s>(scene: &Scene<'s>, mark: &str) -> Scene<'s> {
    const MOST: usize = 8;
    let mut scene = *scene;
    for _ in 0..MOST {
        let skip = |back: usize| back + usize::from(scene.back(back).is(Kind::Space));
        let joint = skip(1);
        let before = skip(joint + 1);
        let is_joint = |token: &Token<'_>| {
            matches!(&*token.lower, "," | ";" | "và" | "hoặc" | "đến" | "-" | "–")
        };
        if !is_joint(scene.back(joint))
            || scene.back(before).text != mark
            || !scene.back(before + 1).is(Kind::Number)
        {
            break;
        }
        let has_decimals =
            scene.back(before + 2).is_sign(",") && scene.back(before + 3).is(Kind::Number);
        let begin = before + 1 + if has_decimals { 2 } else { 0 };
        scene.at -= begin;
    }
    scene
}

/// Whether one of `cues` stands right before the number, with nothing between but what bounds it.
fn is_led(scene: &Scene<'_>, cues: &[&str]) -> bool {
    let mut scene = *scene;
    for _ in 0..4 {
        if cues.iter().any(|cue| scene.follows(cue)) {
            return true;
        }
        let back = 1 + usize::from(scene.back(1).is(Kind::Space));
        if !BETWEEN.contains(&&*scene.back(back).lower) {
            return false;
        }
        scene.at -= back;
    }
    false
}

/// What `t` or `T` at `at` counts, of which the number in hand is the first: years, months or tonnes; `None` where nobody can
/// tell.
pub(super) fn tally(scene: &Scene<'_>, at: usize) -> Option<&'static str> {
    const OLDEST: u32 = 120;
    let mark = scene.token(at).text;
    let number = numeral(scene, 0)?;
    let is_age =
        number.decimals.is_none() && scene.token(0).small().is_some_and(|age| age <= OLDEST);
    let is_weighed = WEIGHED
        .iter()
        .any(|thing| scene.precedes(thing, at + 1) || scene.follows(thing));
    if is_weighed || scene.precedes("/ ha", at + 1) || scene.precedes("/ năm", at + 1) {
        return Some("tấn");
    }
    let first = first_of_list(scene, mark);
    let scene = &first;
    // Nguyễn Thị Tý, 102t
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let owner = back + 1 + usize::from(scene.back(back + 1).is(Kind::Space));
    let is_named = matches!(scene.back(back).text, "," | "(")
        && scene.back(owner).is_capitalised()
        && scene.back(owner + 2).is_capitalised();
    if is_led(scene, &LOADED[..CERTAINLY_LOADED]) {
        return Some("tấn");
    }
    if is_led(scene, &MONTHS) {
        return Some("tháng");
    }
    // thai 38t: weeks, or months.
    if scene.follows("thai") || scene.follows("thai kỳ") {
        return None;
    }
    // bé 9t tiêm sởi: small children are counted in months, too.
    if is_age && is_infant(scene, at) {
        return None;
    }
    if is_age && is_led(scene, &AGED) {
        return Some("tuổi");
    }
    let is_aged = is_age && (is_named || scene.cued(&AGED));
    let is_loaded = scene.cued(&LOADED);
    let is_term = scene.cued(&MONTHS);
    match (is_aged, is_loaded, is_term) {
        (true, false, false) => Some("tuổi"),
        (false, true, false) => Some("tấn"),
        (false, false, true) => Some("tháng"),
        // Nobody is so old, and nothing lasts so long.
        (false, false, false) if mark == "T" && number.whole.len() > 2 => Some("tấn"),
        _ => None,
    }
}

/// Whether a small child is spoken of where it is vaccinated or fed, so that `9t` may be nine months as well as nine years.
fn is_infant(scene: &Scene<'_>, at: usize) -> bool {
    const CHILDREN: [&str; 5] = ["trẻ", "trẻ em", "bé", "cháu", "em bé"];
    const CARED: [&str; 14] = [
        "tiêm",
        "vitamin",
        "mũi",
        "sởi",
        "vắc",
        "dinh dưỡng",
        "bú",
        "ăn dặm",
        "uống",
        "nhà trẻ",
        "mầm",
        "cân",
        "suy",
        "tẩy",
    ];
    /// How far what is done is looked for behind the age, in tokens.
    const REACH: usize = 16;
    let is_month = |token: &Token<'_>| {
        matches!(
            token.small(),
            Some(1..=9 | 12 | 15 | 18 | 24 | 30 | 36 | 48 | 60)
        )
    };
    let is_cared = scene.cued(&CARED)
        || (at..at + REACH)
            .take_while(|at| !matches!(scene.token(*at).kind, Kind::Break))
            .any(|at| CARED.contains(&&*scene.token(at).lower));
    is_month(scene.token(0)) && is_month(scene.token(at - 1)) && scene.cued(&CHILDREN) && is_cared
}

/// Whether `t` or `T` stands at `at`, right behind a number, and is nothing more.
pub(super) fn is_bare(scene: &Scene<'_>, at: usize) -> bool {
    matches!(scene.token(at).text, "t" | "T")
        && !matches!(scene.token(at + 1).kind, Kind::Word | Kind::Number)
}

/// Whether `đ` at `at` are points and not money: `9,75đ môn Toán`; `None` where nobody can tell. No money is so little, but
/// where it is paid for one of many.
pub(super) fn is_mark(scene: &Scene<'_>, at: usize) -> Option<bool> {
    const MARKED: [&str; 24] = [
        "điểm",
        "môn",
        "thi",
        "toán",
        "văn",
        "ngữ văn",
        "lý",
        "hóa",
        "hoá",
        "sinh",
        "sử",
        "địa",
        "đạt",
        "trừ",
        "cộng",
        "đỗ",
        "đậu",
        "trượt",
        "chấm",
        "tổng",
        "anh",
        "gplx",
        "rèn luyện",
        "bài",
    ];
    const BEHIND: [&str; 13] = [
        "môn",
        "gplx",
        "ưu tiên",
        "toán",
        "văn",
        "thi",
        "khuyến khích",
        "trên",
        "bằng lái",
        "cộng",
        "liệt",
        "rèn luyện",
        "thưởng",
    ];
    const PAID: [&str; 27] = [
        "giá",
        "phí",
        "tiền",
        "giảm",
        "tăng",
        "xăng",
        "dầu",
        "bán",
        "mua",
        "thu",
        "nộp",
        "trả",
        "tin nhắn",
        "cước",
        "vé",
        "phạt",
        "chuyển",
        "hỗ trợ",
        "thưởng",
        "mệnh giá",
        "xe",
        "chuyến",
        "gian hàng",
        "bữa",
        "cửa hàng",
        "suất",
        "quầy",
    ];
    const MOST: u32 = 100;
    let number = numeral(scene, 0)?;
    let value = number.whole.parse::<u32>().ok()?;
    // 0đ is money that is not asked for.
    let is_nothing = value == 0 && number.decimals.is_none();
    let is_small = scene.token(0).text == number.whole && value <= MOST && !is_nothing;
    let is_rate = scene.token(at + 1).is_sign("/") && scene.token(at + 2).is(Kind::Word);
    if !is_small || is_rate {
        return Some(false);
    }
    if BEHIND.iter().any(|word| scene.precedes(word, at + 1)) {
        return Some(true);
    }
    let is_marked = scene.cued(&MARKED);
    let is_paid = scene.cued(&PAID);
    match (is_marked, is_paid) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ if is_marked && number.decimals.is_some() => Some(true),
        _ => None,
    }
}

/// `thông điệp 5K`, `#5K`, `5K: …`: what begins with K. `Giải chạy 5K, 10K, 21K`: how far one runs.
pub(super) fn rule_or_run(scene: &Scene<'_>, at: usize) -> Option<&'static str> {
    const SLOGANS: [&str; 5] = [
        "thông điệp",
        "nguyên tắc",
        "quy tắc",
        "khuyến cáo",
        "biện pháp",
    ];
    const SCREENS: [&str; 6] = ["tv", "inch", "video", "phim", "nét", "camera"];
    const RUNS: [&str; 6] = ["chạy", "run", "marathon", "cự ly", "cự li", "đường đua"];
    let is_slogan = SLOGANS.iter().any(|phrase| scene.follows(phrase))
        || scene.back(1).is_sign("#")
        || (scene.token(0).text.len() == 1 && scene.cued(&SCREENS))
        || (scene.begins_line() && scene.token(at + 1).is_sign(":"));
    let is_paid = matches!(scene.previous(), "phí" | "giá" | "vé" | "thưởng" | "tiền");
    let is_run = scene.token(0).text.len() <= 2 && !is_paid && scene.cued(&RUNS);
    match (is_slogan, is_run) {
        (true, _) => Some("ca"),
        (_, true) => Some("ki lô mét"),
        _ => None,
    }
}

/// Whether a place on the globe has both its numbers here: `16,4N-111,8E`.
pub(super) fn is_position(scene: &Scene<'_>, at: usize) -> bool {
    let next = scene.skip_space(at + 2);
    let ahead = numeral(scene, next)
        .is_some_and(|number| matches!(scene.token(number.end).text, "E" | "W"));
    let is_behind = (1..at).any(|north| {
        matches!(scene.token(north).text, "N" | "S") && scene.token(north - 1).is(Kind::Number)
    });
    let back = 2 + usize::from(scene.back(1).is(Kind::Space));
    let is_second =
        matches!(scene.back(back).text, "N" | "S") && scene.back(back + 1).is(Kind::Number);
    (ahead && matches!(scene.token(at + 1).text, "-" | "–" | "," | ";" | " "))
        || is_behind
        || is_second
}

/// Degrees on the globe, as the news of a storm gives them; what was called *vĩ độ* or *kinh độ* is not called so again.
pub(super) fn bearing(scene: &Scene<'_>, letter: &str) -> &'static str {
    let is_called = scene.cued(&["vĩ độ", "kinh độ", "độ vĩ", "độ kinh"]);
    match (letter, is_called) {
        ("N", true) => "độ Bắc",
        ("N", false) => "độ vĩ Bắc",
        ("S", true) => "độ Nam",
        ("S", false) => "độ vĩ Nam",
        ("E", true) => "độ Đông",
        ("E", false) => "độ kinh Đông",
        (_, true) => "độ Tây",
        (_, false) => "độ kinh Tây",
    }
}
