//! Days, and spans of them.

use super::{Said, dashed, impossible::is_day, share};
use crate::speech::{
    ProblemKind,
    number::cardinal,
    scene::Scene,
    token::{Kind, Token},
};

/// Days of the year that everybody knows by their numbers.
const FEASTS: [(u32, u32); 17] = [
    (1, 1),
    (3, 2),
    (27, 2),
    (8, 3),
    (26, 3),
    (10, 3),
    (30, 4),
    (1, 5),
    (19, 5),
    (1, 6),
    (21, 6),
    (27, 7),
    (19, 8),
    (2, 9),
    (10, 10),
    (20, 10),
    (20, 11),
];

/// Words right before a day that make `d/m` a day, and need no *ngày*.
const DAY_WORDS: [&str; 20] = [
    "nsx",
    "ngày",
    "sáng",
    "trưa",
    "chiều",
    "tối",
    "đêm",
    "hôm",
    "mùng",
    "mồng",
    "lễ",
    "dịp",
    "mừng",
    "khánh",
    "rằm",
    "nhật",
    "phố",
    "đường",
    "động",
    "nữ",
];

/// Words in the sentence that make `d/m` a day.
const CUES: [&str; 25] = [
    "ngày",
    "sáng",
    "trưa",
    "chiều",
    "tối",
    "đêm",
    "hôm",
    "từ",
    "đến",
    "tới",
    "trước",
    "sau",
    "lễ",
    "dịp",
    "tết",
    "kỷ niệm",
    "quốc khánh",
    "thứ hai",
    "thứ ba",
    "thứ tư",
    "thứ năm",
    "thứ sáu",
    "thứ bảy",
    "chủ nhật",
    "h",
];

/// Words before a number that is no day: `số 5/7 đường …`.
pub(super) const HOUSES: [&str; 12] = [
    "thang",
    "thị lực",
    "số",
    "lớp",
    "ngõ",
    "hẻm",
    "ngách",
    "kiệt",
    "nhà",
    "tỷ lệ",
    "tỉ lệ",
    "điểm",
];

/// A day, as far as it is given.
#[derive(Clone, Copy)]
struct Point<'s> {
    day: u32,
    month: Option<u32>,
    year: Option<&'s str>,
    tokens: usize,
}

pub(super) fn is_year(text: &str) -> bool {
    text.len() == 4 && (text.starts_with("19") || text.starts_with("20"))
}

/// The day that begins `at`.
fn point<'s>(scene: &Scene<'s>, at: usize) -> Option<Point<'s>> {
    let first = scene.token(at);
    let day = first
        .small()
        .filter(|day| (1..=31).contains(day) && first.text.len() <= 2)?;
    let sign = scene.token(at + 1).text;
    let bare = Point {
        day,
        month: None,
        year: None,
        tokens: 1,
    };
    if !matches!(sign, "/" | "-" | ".") {
        return Some(bare);
    }
    let second = scene.token(at + 2);
    let Some(month) = second
        .small()
        .filter(|month| (1..=12).contains(month) && second.text.len() <= 2)
    else {
        return Some(bare);
    };
    let third = scene.token(at + 4);
    let is_dated = scene.token(at + 3).text == sign && third.is(Kind::Number);
    let is_long_ago = third.text.len() == 4 && third.text.starts_with("18");
    if is_dated && (is_year(third.text) || is_long_ago) {
        return Some(Point {
            month: Some(month),
            year: Some(third.text),
            tokens: 5,
            ..bare
        });
    }
    if sign != "/" {
        // ngày 30.4, lễ 30-4; ngày 5-7 is a span.
        let is_day = at == 0 && !is_dated && !third_follows(scene, at + 3) && is_announced(scene);
        let is_whole =
            sign == "." || FEASTS.contains(&(day, month)) || day > month || is_one_day(scene);
        let is_free = |scene: &Scene<'_>| dashed::is_day(scene, day, month);
        let is_dashed = sign == "-" && at == 0 && !is_dated && is_free(scene)
            || sign == "." && at == 0 && !is_dated && share::is_dotted_day(scene);
        return Some(if (is_day && is_whole) || is_dashed {
            Point {
                month: Some(month),
                tokens: 3,
                ..bare
            }
        } else {
            bare
        });
    }
    // được 9/10 điểm
    if !is_dated && scene.next_word(at + 3) == "điểm" {
        return Some(bare);
    }
    // 12/3/24
    if is_dated && third.text.len() == 2 && !scene.token(at + 5).is_sign("/") {
        return Some(Point {
            month: Some(month),
            year: Some(third.text),
            tokens: 5,
            ..bare
        });
    }
    (!is_dated).then_some(Point {
        month: Some(month),
        tokens: 3,
        ..bare
    })
}

/// Whether two numbers with a dash between, in hand, can only be one day: `trước ngày 1-4` and `ngày 1-4 hằng năm` name an
/// instant or an anniversary, and a part of a day (`sáng 1-4`) is one of one day.
fn is_one_day(scene: &Scene<'_>) -> bool {
    const PARTS: [&str; 6] = ["sáng", "trưa", "chiều", "tối", "đêm", "hôm"];
    const INSTANTS: [&str; 14] = [
        "trước ngày",
        "sau ngày",
        "từ ngày",
        "đến ngày",
        "tới ngày",
        "hết ngày",
        "quá ngày",
        "vào ngày",
        "nhất ngày",
        "hạn ngày",
        "chót ngày",
        "là ngày",
        "nhân ngày",
        "đúng ngày",
    ];
    const MONTHLY: [&str; 4] = ["tháng", "hằng tháng", "hàng tháng", "mỗi tháng"];
    const YEARLY: [&str; 3] = ["hằng năm", "hàng năm", "mỗi năm"];
    let precedes = |phrases: &[&str]| phrases.iter().any(|phrase| scene.precedes(phrase, 3));
    let follows = |phrases: &[&str]| phrases.iter().any(|phrase| scene.follows(phrase));
    let is_counted = super::unit::after_number(scene, 3).is_some()
        || super::quantity::SPANNED.contains(&scene.next_word(3));
    let is_part = follows(&PARTS)
        || PARTS
            .iter()
            .any(|part| scene.follows(&format!("{part} ngày")));
    !precedes(&MONTHLY) && !is_counted && (follows(&INSTANTS) || is_part || precedes(&YEARLY))
}

/// Whether another number is tied on at `at`: 5-7/3, 1.5.2.
fn third_follows(scene: &Scene<'_>, at: usize) -> bool {
    matches!(scene.token(at).text, "/" | "-" | "." | ",") && scene.token(at + 1).is(Kind::Number)
        || matches!(scene.token(at).kind, Kind::Word)
}

/// *tháng tư* is April; *tháng một* January.
pub(super) fn month_name(scene: &Scene<'_>, month: u32) -> String {
    if month == 4 {
        "tư".to_owned()
    } else {
        cardinal(&month.to_string(), scene.speech.voice)
    }
}

pub(super) fn year_name(scene: &Scene<'_>, year: &str) -> String {
    let full = if year.len() == 2 {
        format!("20{year}")
    } else {
        year.to_owned()
    };
    cardinal(&full, scene.speech.voice)
}

fn say(scene: &Scene<'_>, point: &Point<'_>) -> String {
    let mut text = cardinal(&point.day.to_string(), scene.speech.voice);
    if let Some(month) = point.month {
        text.push_str(" tháng ");
        text.push_str(&month_name(scene, month));
    }
    if let Some(year) = point.year {
        text.push_str(" năm ");
        text.push_str(&year_name(scene, year));
    }
    text
}

/// `/19/9` behind a time: the day, and where it ends.
pub(super) fn behind_slash(scene: &Scene<'_>, at: usize) -> Option<(String, usize)> {
    let day = point(scene, at + 1).filter(|day| day.month.is_some())?;
    let end = at + 1 + day.tokens;
    let is_day = scene.token(at).is_sign("/") && scene.token(at + 2).is_sign("/");
    (is_day && ends(scene, end)).then(|| (format!("ngày {}", say(scene, &day)), end))
}

/// Where the second end of a span begins, after a dash at `at`.
pub(super) fn after_dash(scene: &Scene<'_>, at: usize) -> Option<usize> {
    let dash = scene.skip_space(at);
    let next = scene.skip_space(dash + 1);
    // Spaces on both sides or on none: a dash before a word with a space only behind it begins something else.
    // 28/11÷02/12, 18 ÷ 25 độ; only in a sum it divides.
    let is_span = |sign: usize| {
        let after = scene.skip_space(scene.skip_space(sign + 1) + 1);
        scene.token(sign).is_sign("÷") && !scene.token(after).is_sign("=")
    };
    let is_dash = scene.token(dash).is_dash() || is_span(dash);
    (is_dash && (dash > at) == (next > dash + 1)).then_some(next)
}

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    if !scene.token(0).is(Kind::Number)
        || scene.is_glued()
        || matches!(scene.back(1).text, "/" | "-" | "." | ",") && scene.back(2).is(Kind::Number)
    {
        return None;
    }
    if let Some(said) = iso(scene) {
        return Some(said);
    }
    if let Some(said) = lunar(scene) {
        return Some(said);
    }
    let first = point(scene, 0)?;
    let announced = is_announced(scene);
    if announced && let Some(said) = list(scene) {
        return Some(said);
    }
    // A span: 30/4-1/5, 5-7/3, 12/3/2024 – 15/3/2024.
    if let Some(next) = after_dash(scene, first.tokens)
        && let Some(second) = point(scene, next)
        && second.month.is_some()
        && ends(scene, next + second.tokens)
        && (first.month.is_some() || first.day < second.day)
        && (first.month.is_some()
            || second.year.is_some()
            || announced
            || scene.cued(&CUES)
            || share::is_span(scene, next + second.tokens))
    {
        // chiều 6-8/11: without the word nobody hears days.
        let is_part = first.month.is_none()
            && matches!(scene.previous(), "sáng" | "trưa" | "chiều" | "tối" | "đêm");
        let prefix = if announced && !is_part { "" } else { "ngày " };
        // What is named by two feasts in a row is not a span: lễ 30/4-1/5.
        let is_feast = matches!(scene.previous(), "lễ" | "dịp" | "niệm" | "mừng")
            && first
                .month
                .is_some_and(|month| FEASTS.contains(&(first.day, month)));
        // trong 2 ngày 10-11/01: both of them.
        let is_two = scene.previous() == "ngày"
            && first.month.is_none()
            && first.day + 1 == second.day
            && ["2 ngày", "02 ngày", "hai ngày"]
                .iter()
                .any(|phrase| scene.follows(phrase));
        let middle = if is_feast {
            ", "
        } else if is_two {
            " và "
        } else if scene.previous() == "ngày" || !announced || is_part {
            " đến ngày "
        } else {
            " đến "
        };
        let end = next + second.tokens;
        let text = format!(
            "{prefix}{}{middle}{}",
            say(scene, &first),
            say(scene, &second)
        );
        let begin = Point {
            month: first.month.or(second.month),
            year: first.year.or(second.year),
            ..first
        };
        return Some(dated(scene, &[begin, second], end, text));
    }
    let month = first.month?;
    if !ends(scene, first.tokens) {
        return None;
    }
    if first.year.is_none() {
        let is_house = HOUSES.iter().any(|word| scene.follows(word)) || is_rank(scene);
        let is_feast = FEASTS.contains(&(first.day, month));
        let is_padded =
            scene.token(0).text.starts_with('0') || scene.token(2).text.starts_with('0');
        let is_small = first.day < month && first.day <= 3 && !is_feast;
        // Nobody parts anything in twelve.
        let is_fraction =
            is_small && month <= 10 && !scene.cued(&CUES[..15]) && !share::is_day(scene);
        let is_share = !announced && share::is_share(scene, first.day, month);
        if is_house || is_share || (is_fraction && !is_padded && !announced) {
            return None;
        }
        if !announced && is_part(scene, &first, is_small, is_feast) {
            return None;
        }
    }
    let prefix = if announced { "" } else { "ngày " };
    let text = format!("{prefix}{}", say(scene, &first));
    let said = dated(scene, &[first], first.tokens, text);
    let is_undecided = said.problem.is_none()
        && first.year.is_none()
        && !announced
        && share::is_undecided(scene, first.day, month);
    Some(if is_undecided {
        Said::wrong(said.tokens, said.text, ProblemKind::Ambiguous)
    } else {
        said
    })
}

/// `thương binh hạng 4/4`, `bệnh binh 3/3`: how badly somebody was hurt, out of four or three.
pub(super) fn is_rank(scene: &Scene<'_>) -> bool {
    const HURT: [&str; 8] = [
        "hạng",
        "thương binh",
        "bệnh binh",
        "tb",
        "bb",
        "tb hạng",
        "thương tật",
        "thương binh loại",
    ];
    let (first, second) = (scene.token(0).small(), scene.token(2).small());
    scene.token(1).is_sign("/")
        && matches!(second, Some(3 | 4))
        && first.is_some_and(|first| first > 0)
        && first <= second
        && HURT.iter().any(|word| scene.follows(word))
}

/// Whether a day without its year is a part of a whole after all: `1/3 số hộ`; and `1/5`, which is a feast, where a whole or what
/// became of it follows.
fn is_part(scene: &Scene<'_>, day: &Point<'_>, is_small: bool, is_feast: bool) -> bool {
    const WHOLES: [&str; 24] = [
        "thế kỷ",
        "thế kỉ",
        "chặng",
        "kỳ",
        "số",
        "dân số",
        "diện tích",
        "tổng",
        "quân số",
        "đại biểu",
        "thời gian",
        "chiều",
        "giờ",
        "tiếng",
        "ngày",
        "buổi",
        "lít",
        "viên",
        "thìa",
        "cốc",
        "mét",
        "quãng",
        "suất",
        "mức",
    ];
    const CERTAIN: [&str; 17] = [
        "thế kỷ",
        "thế kỉ",
        "chặng đường",
        "số hộ",
        "số người",
        "số xã",
        "số phường",
        "số vốn",
        "tổng số",
        "dân số",
        "diện tích",
        "đại biểu",
        "chưa đạt",
        "không đạt",
        "chưa nộp",
        "chưa hoàn thành",
        "chưa đăng ký",
    ];
    let precedes = |phrases: &[&str]| phrases.iter().any(|phrase| scene.precedes(phrase, 3));
    let is_fifth = is_feast && day.month.is_some_and(|month| day.day < month);
    (is_small && precedes(&WHOLES)) || (is_fifth && precedes(&CERTAIN))
}

/// Days that are said as `text` and end before `end`; reported where the calendar has no such day.
fn dated(scene: &Scene<'_>, points: &[Point<'_>], end: usize, text: String) -> Said {
    let is_real = |point: &Point<'_>| {
        let month = point.month.unwrap_or(1);
        is_day(scene, point.day, month, point.year, end)
    };
    if points.iter().all(is_real) {
        Said::new(end, text)
    } else {
        Said::wrong(end, text, ProblemKind::Impossible)
    }
}

/// `ngày 14,15/3`: days with nothing but a comma between, which is no decimal sign here.
fn list(scene: &Scene<'_>) -> Option<Said> {
    let mut days = Vec::new();
    let mut at = 0;
    while scene.token(at + 1).is_sign(",") && scene.token(at + 2).is(Kind::Number) {
        let day = scene
            .token(at)
            .small()
            .filter(|day| (1..=31).contains(day))?;
        days.push(cardinal(&day.to_string(), scene.speech.voice));
        at += 2;
    }
    let last = point(scene, at).filter(|last| last.month.is_some())?;
    if days.is_empty() || !ends(scene, at + last.tokens) {
        return None;
    }
    days.push(say(scene, &last));
    Some(dated(scene, &[last], at + last.tokens, days.join(", ")))
}

/// Whether a word before says already that a day follows.
fn is_announced(scene: &Scene<'_>) -> bool {
    let previous = scene.previous();
    if DAY_WORDS.contains(&previous) || scene.follows("giỗ tổ") {
        return true;
    }
    // ngày 12, 13/3: only numbers stand between.
    let mut back = 1;
    let mut numbers = 0;
    while back < 40 {
        let token = scene.back(back);
        let is_between = token.is(Kind::Space)
            || matches!(token.text, "," | "/" | "-" | "–" | ".")
            || matches!(&*token.lower, "và" | "hoặc");
        if token.is(Kind::Number) {
            numbers += 1;
        } else if matches!(&*token.lower, "ngày" | "dịp" | "lễ" | "mừng") {
            return numbers > 0;
        } else if !is_between {
            return false;
        }
        back += 1;
    }
    false
}

/// Whether nothing that belongs to a number follows at `at`.
pub(super) fn ends(scene: &Scene<'_>, at: usize) -> bool {
    let next = scene.token(at);
    !(matches!(next.kind, Kind::Word | Kind::Number)
        || next.text == "/"
        || (matches!(next.text, "-" | ".")
            && scene.token(at + 1).is(Kind::Number)
            && next.text == "."))
}

/// `ngày 1 và 15 ÂL`: the first ten days of the moon have a word of their own before them.
fn lunar(scene: &Scene<'_>) -> Option<Said> {
    /// How far the moon is looked for, in tokens.
    const REACH: usize = 14;
    const MOST: u32 = 10;
    let number = scene.token(0);
    let day = number
        .small()
        .filter(|day| (1..=MOST).contains(day) && number.text.len() <= 2)?;
    let is_list = |token: &Token<'_>| {
        token.is(Kind::Number)
            || token.is(Kind::Space)
            || token.is_sign(",")
            || matches!(&*token.lower, "và" | "hoặc")
    };
    let is_bare = |at: usize| is_list(scene.token(at));
    let end = (1..REACH).find(|at| !is_bare(*at))?;
    let is_moon =
        matches!(&*scene.token(end).lower, "âl" | "âm") && scene.token(end - 1).is(Kind::Space);
    let opening = (1..REACH).find(|back| !is_list(scene.back(*back)))?;
    let is_day = &*scene.back(opening).lower == "ngày"
        && !matches!(scene.back(opening + 2).kind, Kind::Number);
    (is_moon && is_day).then(|| {
        let day = cardinal(&day.to_string(), scene.speech.voice);
        Said::new(1, format!("mùng {day}"))
    })
}

/// `2024-03-12`.
fn iso(scene: &Scene<'_>) -> Option<Said> {
    let [year, month, day] = [0, 2, 4].map(|at| scene.token(at));
    let is_iso = is_year(year.text)
        && scene.token(1).is_sign("-")
        && scene.token(3).is_sign("-")
        && month.text.len() == 2
        && day.text.len() == 2;
    let (month, day) = (month.small()?, day.small()?);
    if !is_iso || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let point = Point {
        day,
        month: Some(month),
        year: Some(year.text),
        tokens: 5,
    };
    let prefix = if is_announced(scene) { "" } else { "ngày " };
    let text = format!("{prefix}{}", say(scene, &point));
    Some(dated(scene, &[point], 5, text))
}
