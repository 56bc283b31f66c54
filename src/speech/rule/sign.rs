//! Signs: those that are words, those that are pauses, and those that nobody can say.

use super::{Said, unit};
use crate::speech::{
    ProblemKind,
    number::{cardinal, one_by_one},
    scene::Scene,
    token::{Kind, Token},
};

/// Signs that make pauses or none, and stay.
const PAUSES: &str = ".,;:!?…\"'‘’“”„()[]{}«»-–—‑−‒‹›";

/// Signs with a name.
const NAMES: [(&str, &str); 17] = [
    ("&", "và"),
    ("+", "cộng"),
    ("=", "bằng"),
    ("@", "a còng"),
    ("%", "phần trăm"),
    ("‰", "phần nghìn"),
    ("×", "nhân"),
    ("÷", "chia"),
    ("±", "cộng trừ"),
    ("≥", "từ"),
    ("≤", "không quá"),
    ("≈", "khoảng"),
    ("½", "một phần hai"),
    ("¼", "một phần tư"),
    ("¾", "ba phần tư"),
    ("№", "số"),
    ("§", "mục"),
];

/// Groups of blood: `A+`, `O-`, `Rh-`, `Rh(-)`.
fn blood(scene: &Scene<'_>) -> Option<Said> {
    let named = |sign: &str| match sign {
        "+" => Some("cộng"),
        "-" | "–" | "−" => Some("trừ"),
        _ => None,
    };
    let (before, after) = (scene.back(1), scene.token(1));
    if scene.token(0).text == "(" && before.text == "Rh" && scene.token(2).is_sign(")") {
        return Some(Said::new(3, format!(" {}", named(after.text)?)));
    }
    let is_group = matches!(before.text, "A" | "B" | "O" | "AB" | "Rh")
        && !matches!(after.kind, Kind::Word | Kind::Number);
    is_group.then(|| Some(Said::new(1, named(scene.token(0).text)?)))?
}

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    if !token.is(Kind::Sign) {
        return None;
    }
    if let Some(said) = compared(scene).or_else(|| blood(scene)) {
        return Some(said);
    }
    let next = scene.token(scene.skip_space(1));
    let (before, after) = (scene.back(1), scene.token(1));
    let is_inside = |kind: Kind| before.is(kind) && after.is(kind);
    match token.text {
        "/" | "//" => return Some(slash(scene)),
        // 12 -> 8 vụ, 12 → 8 vụ
        "-" if after.is_sign(">") && follows_figure(scene) => {
            let is_number = scene.token(scene.skip_space(2)).is(Kind::Number);
            return Some(Said::new(2, if is_number { "đến" } else { "," }));
        }
        "→" | "⇒" if next.is(Kind::Number) && follows_figure(scene) => {
            return Some(Said::new(1, arrow(scene)));
        }
        // Từ 60 - dưới 80 điểm
        "-" | "–"
            if before.is(Kind::Number) && matches!(&*after.lower, "dưới" | "trên" | "gần") =>
        {
            return Some(Said::new(1, " đến "));
        }
        "-" | "–"
            if before.is(Kind::Space)
                && follows_figure(scene)
                && matches!(&*next.lower, "dưới" | "trên" | "hơn" | "gần") =>
        {
            return Some(Said::new(1, "đến"));
        }
        // 120/80-139/89 mmHg
        "-" | "–"
            if is_inside(Kind::Number)
                && scene.back(2).is_sign("/")
                && scene.token(2).is_sign("/")
                && scene.token(scene.skip_space(4)).text == "mmHg" =>
        {
            return Some(Said::new(1, " đến "));
        }
        // Km 458+200 - Km 459+500
        "-" | "–" | "÷" if next.lower == "km" && follows_figure(scene) => {
            let is_apart = before.is(Kind::Space) && after.is(Kind::Space);
            return Some(Said::new(1, if is_apart { "đến" } else { " đến " }));
        }
        "-" | "–" | "−" if before.is(Kind::Word) && after.is(Kind::Number) => {
            return Some(Said::new(1, ""));
        }
        // -15 người: an item, and no number below zero.
        "-" | "–" | "+" if scene.begins_line() && after.is(Kind::Number) => {
            return Some(Said::new(1, ""));
        }
        // Where the space was forgotten: tiền.Bà con, OTP,mật khẩu
        "," | ";" | ":" | "!" | "?" | "…"
            if after.is(Kind::Word) && matches!(before.kind, Kind::Word | Kind::Number) =>
        {
            return Some(Said::new(1, format!("{} ", token.text)));
        }
        "." if after.is_capitalised() && matches!(before.kind, Kind::Word | Kind::Number) => {
            return Some(Said::new(1, ". "));
        }
        ":" if is_inside(Kind::Number) => return Some(Said::new(1, " trên ")),
        "*" if is_inside(Kind::Number) => return Some(Said::new(1, "nhân")),
        // đuôi .vn, tệp .apk
        "." if !matches!(before.kind, Kind::Word | Kind::Number)
            && !before.is_sign(")")
            && super::address::is_ending(&after.lower) =>
        {
            return Some(Said::new(1, "chấm "));
        }
        "+" if before.is(Kind::Number) && !next.is(Kind::Number) => {
            return Some(Said::new(1, "trở lên"));
        }
        // #5K
        "#" if scene.token(2).text == "K" => return Some(Said::new(1, "")),
        "#" if next.is(Kind::Number) => return Some(Said::new(1, "số")),
        "~" if next.is(Kind::Number) => return Some(Said::new(1, "khoảng")),
        "<" if next.is(Kind::Number) => return Some(Said::new(1, "dưới")),
        ">" if next.is(Kind::Number) => return Some(Said::new(1, "trên")),
        "→" | "⇒" | "|" | "||" | "•" | "·" | "\\" | "►" | "➔" => {
            return Some(Said::new(1, ","));
        }
        "°" | "º" | "℃" | "$" | "€" | "₫" => {
            let (name, end) = unit::after_number(scene, 0)?;
            return Some(Said::new(end, name));
        }
        _ => {}
    }
    if let Some((_, name)) = NAMES.iter().find(|(sign, _)| *sign == token.text) {
        return Some(Said::new(1, *name));
    }
    if token.text.starts_with(|c: char| PAUSES.contains(c)) {
        return None;
    }
    // A whole row of emoji is one mistake.
    let mut end = 1;
    while end < 20
        && scene.token(end).is(Kind::Sign)
        && !scene
            .token(end)
            .text
            .starts_with(|c: char| PAUSES.contains(c) || c.is_ascii())
    {
        end += 1;
    }
    Some(Said::wrong(end, "", ProblemKind::NoSound))
}

/// `80→60 km/h`: an arrow that falls goes down, unless *từ* stands before.
fn arrow(scene: &Scene<'_>) -> &'static str {
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let from = scene.back(back + 1 + usize::from(scene.back(back + 1).is(Kind::Space)));
    let values = scene
        .back(back)
        .small()
        .zip(scene.token(scene.skip_space(1)).small());
    let is_falling = values.is_some_and(|(one, other)| one > other) && &*from.lower != "từ";
    if is_falling { "xuống" } else { "đến" }
}

/// In which things are counted.
const TIMES: [&str; 9] = [
    "giây", "phút", "giờ", "ngày", "đêm", "tuần", "tháng", "quý", "năm",
];

/// Who gets what is shared out: `20 kg gạo/người`.
const SHARERS: [&str; 18] = [
    "lớp", "bàn", "đội", "nhóm", "phòng", "mâm", "toa", "bình", "chuyến", "người", "hộ", "khẩu",
    "em", "cháu", "suất", "đợt", "lượt", "lần",
];

/// `>=`, `<=` and `=>` as they are typed, and `=` between words.
fn compared(scene: &Scene<'_>) -> Option<Said> {
    let (before, after) = (scene.back(1), scene.token(1));
    let is_figure = is_figure(scene, 2);
    match (scene.token(0).text, after.text) {
        ("<", "=") | ("=", "<") if is_figure => Some(Said::new(2, "không quá")),
        ("=", ">") if is_figure && follows_figure(scene) => Some(Said::new(2, "đến")),
        ("=", ">") if scene.begins_line() => Some(Said::new(2, "")),
        ("=", ">") => Some(Said::new(2, ",")),
        // Đọc OTP cho người lạ = mất tiền: no sum.
        ("=", _)
            if before.is(Kind::Space)
                && scene.back(2).is(Kind::Word)
                && scene.token(scene.skip_space(1)).is(Kind::Word) =>
        {
            Some(Said::new(1, "là"))
        }
        _ => None,
    }
}

/// Names of the same rank, of which one or the other is meant: `3 phường/xã`. So many of anything else are for each: `1 loa/cụm`.
fn are_alike(one: &str, other: &str) -> bool {
    const RANKS: [&[&str]; 9] = [
        &["xã", "phường", "trấn", "thị", "khu"],
        &[
            "thôn", "xóm", "khối", "ấp", "bản", "buôn", "làng", "khóm", "phố", "tổ",
        ],
        &["ông", "bà", "anh", "chị", "cô", "chú", "bác"],
        &["cha", "mẹ", "bố", "ba", "má"],
        &["nam", "nữ", "vợ", "chồng"],
        &[
            "chức", "tổ", "cá", "nhân", "cơ", "quan", "đơn", "vị", "doanh", "nghiệp", "hộ",
        ],
        &["phòng", "ban", "sở", "ngành"],
        &["học", "sinh", "viên", "cán", "bộ", "giáo", "nhân"],
        &["huyện", "quận", "thành", "tỉnh", "phố"],
    ];
    RANKS
        .iter()
        .any(|rank| rank.contains(&one) && rank.contains(&other))
}

/// Whether a number stands at `at`, with a space before it or none.
fn is_figure(scene: &Scene<'_>, at: usize) -> bool {
    scene.token(scene.skip_space(at)).is(Kind::Number)
}

/// Whether a number stands right before, with a space between or none.
fn follows_figure(scene: &Scene<'_>) -> bool {
    scene
        .back(1 + usize::from(scene.back(1).is(Kind::Space)))
        .is(Kind::Number)
}

/// Whether a number stands at most three words before.
fn follows_number(scene: &Scene<'_>) -> bool {
    let mut words = 0;
    for back in 1..10 {
        let token = scene.back(back);
        match token.kind {
            Kind::Number => return true,
            Kind::Word => words += 1,
            Kind::Space => {}
            // mg/kg cân nặng/lần
            Kind::Sign if token.is_sign("/") => {}
            Kind::Break | Kind::Sign => return false,
        }
        if words > 4 {
            return false;
        }
    }
    false
}

/// Papers of which one or the other is shown.
const PAPERS: [&str; 10] = [
    "CMND", "CCCD", "GPLX", "BHYT", "VNeID", "GKS", "SHK", "CMT", "VssID", "ĐKKD",
];

/// Whether a word such as *qua* or *trên* stands between the slash and any number before, so that nothing is counted.
fn is_means(scene: &Scene<'_>) -> bool {
    const MEANS: [&str; 6] = ["qua", "trên", "bằng", "tại", "ở", "hoặc"];
    (1..8)
        .map(|back| scene.back(back))
        .take_while(|token| matches!(token.kind, Kind::Word | Kind::Space))
        .any(|token| MEANS.contains(&&*token.lower))
}

/// `và/hoặc`, `phường/xã`, `đồng/kg`.
fn slash(scene: &Scene<'_>) -> Said {
    let spaced = scene.token(1).is(Kind::Space);
    let is_either =
        matches!(scene.word(scene.skip_space(1)), "hoặc" | "và") || scene.previous() == "hoặc";
    // 12A/5 is a house behind a house.
    let is_house = scene.back(1).is(Kind::Word)
        && scene.back(1).text.chars().count() == 1
        && scene.back(2).is(Kind::Number)
        && scene.token(1).is(Kind::Number)
        && !scene.token(2).is(Kind::Word);
    if is_house {
        return Said::new(1, " trên ");
    }
    // 3.250/3.000 tỷ đồng: so much of so much.
    let is_thousands = scene.back(1).text.len() == 3
        && scene.back(2).is_sign(".")
        && scene.back(3).is(Kind::Number)
        && super::quantity::numeral(scene, 1).is_some_and(|number| number.end > 2);
    if is_thousands {
        return Said::new(1, " trên ");
    }
    // 5 ca/2 ngày
    let is_within = scene.token(1).is(Kind::Number)
        && scene.back(1).is(Kind::Word)
        && follows_number(scene)
        && TIMES.contains(&scene.next_word(2));
    if is_within {
        return Said::new(1, " trong ");
    }
    if follows_number(scene)
        && scene.back(1).is(Kind::Word)
        && let Some((text, end)) = unit::per_measure(scene)
    {
        return Said::new(end, text);
    }
    // Tỷ giá USD/VND
    let is_rate = matches!(scene.previous(), "usd" | "eur" | "jpy" | "vnd")
        && matches!(scene.word(1), "vnd" | "vnđ" | "usd" | "eur");
    if is_rate {
        return Said::new(1, " trên ");
    }
    if is_either || !scene.token(scene.skip_space(1)).is(Kind::Word) {
        return Said::new(1, if is_either { "" } else { "," });
    }
    // vụ/năm, lượt/ngày; ngày/tháng/năm sinh are places of a form.
    let (counted, time) = (scene.previous(), scene.word(scene.skip_space(1)));
    if TIMES.contains(&time) && TIMES.contains(&counted) {
        return Said::new(1, ", ");
    }
    // Zalo/Telegram, CMND/CCCD, điện thoại/máy tính: names are not counted by each other, nor is what stands behind a *qua*.
    let next = scene.token(scene.skip_space(1));
    let back = scene.back(1 + usize::from(scene.back(1).is(Kind::Space)));
    let is_name = |token: &Token<'_>| token.is_capitalised() && !token.is_all_capitals();
    let are_papers = PAPERS.contains(&back.text) && PAPERS.contains(&next.text);
    let are_names = (is_name(back) && is_name(next)) || are_papers || is_means(scene);
    // 250.000/tháng
    let is_paid = scene.back(1).is(Kind::Number)
        && scene.back(1).text.len() == 3
        && scene.back(2).is_sign(".")
        && (TIMES.contains(&time) || SHARERS.contains(&time));
    let word = if is_paid {
        "một"
    } else if are_names {
        "hoặc"
    } else if scene.back(1).is(Kind::Number) {
        "trên"
    } else if TIMES.contains(&time)
        || (SHARERS.contains(&time) && follows_number(scene))
        || (follows_number(scene) && scene.back(1).is(Kind::Word) && !are_alike(counted, time))
    {
        "một"
    } else {
        "hoặc"
    };
    Said::new(
        1,
        if spaced {
            word.to_owned()
        } else {
            format!(
                "{}{word} ",
                if scene.back(1).is(Kind::Space) {
                    ""
                } else {
                    " "
                }
            )
        },
    )
}

/// Places that somebody meant to fill in.
pub(super) fn placeholder(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    let is_dots = token.is(Kind::Sign)
        && ((token.text.starts_with('.') && token.text.len() >= 5)
            || (token.text.starts_with('…') && token.text.chars().count() >= 2)
            || (token.text.starts_with('_') && token.text.len() >= 4));
    let is_cross = token.is(Kind::Word) && token.lower.bytes().all(|byte| byte == b'x') && {
        let glued = matches!(scene.back(1).text, "-" | ".") || scene.back(1).is(Kind::Number);
        token.text.len() >= if glued { 2 } else { 3 }
            // A century, as in XIX-XX.
            && token.text != "XX"
            // Nobody writes thirty so.
            && super::roman::apply(scene).is_none_or(|_| token.text == "XXX")
    };
    // 0912****678: somebody hides a part of a number.
    let hidden = scene.token(1);
    let is_hidden = token.is(Kind::Sign)
        && token.text.starts_with("**")
        && scene.back(1).is(Kind::Number)
        && hidden.is(Kind::Number);
    if is_hidden {
        let stars = cardinal(&token.text.len().to_string(), scene.speech.voice);
        let text = format!(", {stars} dấu sao, {}", one_by_one(hidden.text));
        return Some(Said::wrong(2, text, ProblemKind::Placeholder));
    }
    // What writers leave for later.
    let is_noted = matches!(token.text, "TODO" | "FIXME" | "TBD" | "XYZ");
    (is_dots || is_cross || is_noted).then(|| Said::wrong(1, token.text, ProblemKind::Placeholder))
}
