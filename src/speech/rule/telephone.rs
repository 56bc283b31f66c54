//! Telephone numbers, short numbers, and other numbers that are read digit by digit, in groups with a pause between.

use super::Said;
use super::word::is_letters;
use crate::speech::{lexicon::spell, number::one_by_one, scene::Scene, token::Kind};

/// Words in the sentence after which a number is one to call.
const CALLS: [&str; 31] = [
    "bắt đầu bằng",
    "mã vùng",
    "mã quốc gia",
    "gọi",
    "tổng đài",
    "đầu số",
    "nhắn",
    "nhắn tin",
    "điện thoại",
    "đường dây nóng",
    "hotline",
    "liên hệ",
    "bấm",
    "quay số",
    "sđt",
    "đt",
    "số máy",
    "máy bàn",
    "di động",
    "zalo",
    "fax",
    "đường dây",
    "gửi",
    "soạn",
    "báo tin",
    "phản ánh",
    "trực ban",
    "cứu hỏa",
    "đtdđ",
    "số khẩn cấp",
    "cứu hoả",
];

/// Words right before a number of which every digit counts.
const CODES: [&str; 51] = [
    "id",
    "id zoom",
    "id cuộc họp",
    "id phòng họp",
    "id phòng",
    "meeting id",
    "mã cuộc họp",
    "mã phòng",
    "mã phòng họp",
    "số tk",
    "passcode",
    "mã",
    "mã xác nhận",
    "mã bảo mật",
    "mã giao dịch",
    "mật khẩu",
    "otp",
    "pin",
    "tài khoản",
    "stk",
    "mã số thuế",
    "mst",
    "cccd",
    "cmnd",
    "cmt",
    "căn cước",
    "căn cước công dân",
    "biển số",
    "mã số",
    "số hiệu",
    "mã xác thực",
    "số hồ sơ",
    "mã hồ sơ",
    "số báo danh",
    "sbd",
    "số thẻ",
    "mã kh",
    "mã khách hàng",
    "pass",
    "password",
    "seri",
    "sê - ri",
    "số vào sổ",
    "hộ chiếu",
    "định danh",
    "mã định danh",
    "số định danh",
    "mã số doanh nghiệp",
    "mã bưu chính",
    "mã vạch",
    "số khung",
];

/// Numbers that everybody may call.
const SERVICES: [&str; 10] = [
    "111", "112", "113", "114", "115", "1022", "156", "5656", "1080", "119",
];

/// Words that come before the service numbers.
const SERVANTS: [&str; 14] = [
    "báo cháy",
    "phản ứng nhanh",
    "cảnh sát",
    "công an",
    "cấp cứu",
    "cứu hỏa",
    "cứu hoả",
    "chữa cháy",
    "số",
    "cứu thương",
    "cứu nạn",
    "lực lượng",
    "tổng đài",
    "pccc",
];

/// What is counted: `gọi 113 người`.
const COUNTED: [&str; 40] = [
    "người",
    "lần",
    "cuộc",
    "phút",
    "giờ",
    "ngày",
    "tháng",
    "năm",
    "triệu",
    "nghìn",
    "ngàn",
    "tỷ",
    "tỉ",
    "đồng",
    "máy",
    "trường",
    "vụ",
    "hộ",
    "phường",
    "xã",
    "khối",
    "bản",
    "tin",
    "hồ",
    "đối",
    "trăm",
    "thuê",
    "số",
    "mét",
    "km",
    "kg",
    "m",
    "chiếc",
    "cái",
    "công",
    "đơn",
    "cán",
    "học",
    "em",
    "lượt",
];

/// A run of groups of digits.
struct Run<'s> {
    groups: Vec<&'s str>,
    /// How many tokens up to the end of each group.
    ends: Vec<usize>,
    digits: usize,
}

/// Collects groups from the number at `at`.
fn collect<'s>(scene: &Scene<'s>, at: usize, opened: bool) -> Run<'s> {
    const MOST: usize = 16;
    let mut run = Run {
        groups: Vec::new(),
        ends: Vec::new(),
        digits: 0,
    };
    let mut at = at;
    let mut opened = opened;
    loop {
        let token = scene.token(at);
        run.digits += token.text.len();
        at += 1;
        run.groups.push(token.text);
        run.ends.push(at);
        if run.digits >= MOST {
            return run;
        }
        if opened && scene.token(at).is_sign(")") {
            at += 1;
            opened = false;
            if let Some(end) = run.ends.last_mut() {
                *end = at;
            }
        }
        let next = match scene.token(at).text {
            "." | "-" | "–" | "_" => at + 1,
            _ if scene.token(at).is(Kind::Space) => {
                let dash = at + 1;
                if scene.token(dash).is_dash() && scene.token(dash + 1).is(Kind::Space) {
                    dash + 2
                } else {
                    dash
                }
            }
            _ => at,
        };
        // (0)69 after +84
        let bracket = scene.token(next).is_sign("(")
            && scene.token(next + 2).is_sign(")")
            && scene.token(next + 1).is(Kind::Number);
        if bracket {
            opened = true;
        }
        let next = next + usize::from(bracket);
        if !scene.token(next).is(Kind::Number) {
            return run;
        }
        at = next;
    }
}

impl Run<'_> {
    /// The longest beginning that `fits`, as groups and tokens.
    fn longest(&self, fits: impl Fn(&str) -> bool) -> Option<(Vec<&str>, usize)> {
        (1..=self.groups.len()).rev().find_map(|count| {
            let digits = self.groups[..count].concat();
            fits(&digits).then(|| (self.groups[..count].to_vec(), self.ends[count - 1]))
        })
    }
}

/// Whether these digits are a whole telephone number in the country, or a service number.
fn is_national(digits: &str) -> bool {
    let service = digits.starts_with("1800") || digits.starts_with("1900");
    let mobile = digits.starts_with('0') && digits.len() == 10 && !digits.starts_with("00");
    let fixed = digits.starts_with("02") && digits.len() == 11;
    mobile || fixed || (service && matches!(digits.len(), 8 | 10))
}

/// Groups as they are heard best: those of the author where there are several.
fn say(groups: &[&str]) -> String {
    let mut spoken: Vec<String> = Vec::new();
    let mut before = "";
    for (at, group) in groups.iter().enumerate() {
        // One digit in the middle goes with the three behind it: (0238) 3 842 999.
        if at > 0 && group.len() == 1 && groups.get(at + 1).is_some_and(|next| next.len() == 3) {
            before = group;
            continue;
        }
        for part in split(group, groups.len()) {
            let digits = format!("{}{part}", std::mem::take(&mut before));
            spoken.push(one_by_one(&digits));
        }
    }
    spoken.join(", ")
}

/// A long code, digit by digit with pauses between groups of up to four.
pub(super) fn in_groups(digits: &str) -> String {
    say(&split(digits, digits.len().div_ceil(4)))
}

/// One long group in parts of three and four.
fn split(group: &str, groups: usize) -> Vec<&str> {
    let lengths: &[usize] = match group.len() {
        0..=4 => &[],
        5 if groups > 1 => &[],
        5 => &[2, 3],
        6 => &[3, 3],
        7 => &[3, 4],
        8 => &[4, 4],
        9 => &[3, 3, 3],
        10 if group.starts_with("024") || group.starts_with("028") => &[3, 3, 4],
        10 => &[4, 3, 3],
        11 if group.starts_with("024") || group.starts_with("028") => &[3, 4, 4],
        11 => &[4, 3, 4],
        12 => &[3, 3, 3, 3],
        _ => &[4, 4, 4, 4, 4, 4],
    };
    if lengths.is_empty() {
        return vec![group];
    }
    let mut parts = Vec::new();
    let mut rest = group;
    for length in lengths {
        if rest.is_empty() {
            break;
        }
        let (part, after) = rest.split_at((*length).min(rest.len()));
        parts.push(part);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// `*101#`: what is typed to ask a network.
pub(super) fn request(scene: &Scene<'_>) -> Option<Said> {
    if !scene.token(0).is_sign("*") {
        return None;
    }
    let mut text = String::new();
    let mut at = 0;
    while scene.token(at).is_sign("*") && scene.token(at + 1).is(Kind::Number) && at < 12 {
        text.push_str("sao ");
        text.push_str(&one_by_one(scene.token(at + 1).text));
        text.push(' ');
        at += 2;
    }
    (at > 0 && scene.token(at).is_sign("#")).then(|| Said::new(at + 1, format!("{text}thăng")))
}

/// `000.00.15.H41-240315-0001`: groups of digits and capitals with signs between, after a word that makes it a code.
pub(super) fn mixed(scene: &Scene<'_>) -> Option<Said> {
    let mut parts: Vec<String> = Vec::new();
    let mut at = 0;
    let mut has_letters = false;
    while at < 40 {
        let mut part = Vec::new();
        while let token = scene.token(at)
            && (token.is(Kind::Number) || (token.is(Kind::Word) && is_letters(token)))
        {
            has_letters |= token.is(Kind::Word);
            part.push(match token.kind {
                Kind::Number => one_by_one(token.text),
                _ => spell(token.text)?,
            });
            at += 1;
        }
        if part.is_empty() {
            return None;
        }
        parts.push(part.join(" "));
        let next = scene.token(at + 1);
        let goes_on = matches!(scene.token(at).text, "." | "-" | "/" | "_")
            && (next.is(Kind::Number) || (next.is(Kind::Word) && is_letters(next)));
        if !goes_on {
            break;
        }
        at += 1;
    }
    (has_letters && parts.len() > 1).then(|| Said::new(at, parts.join(", ")))
}

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    let is_start =
        token.is(Kind::Number) || (matches!(token.text, "+" | "(") && !token.is(Kind::Space));
    if !is_start || scene.is_glued() || matches!(scene.token(1).text, "mAh" | "V" | "Ah") {
        // The pin of a telephone is no PIN where it holds so much.
        return None;
    }
    let bracket = usize::from(token.is_sign("("));
    let plus = usize::from(scene.token(bracket).is_sign("+"));
    let start = bracket + plus;
    if !scene.token(start).is(Kind::Number) {
        return None;
    }
    if plus == 1 {
        return abroad(scene, start, bracket == 1);
    }
    if bracket == 1
        && !(scene.token(start).text.starts_with('0') && scene.token(start + 1).is_sign(")"))
    {
        return None;
    }
    let is_tied = matches!(scene.back(1).text, "." | "," | "/") && scene.back(2).is(Kind::Number);
    let run = collect(scene, start, bracket == 1);
    // 0987.654.321/0911.223.344
    let is_second = scene.back(1).is_sign("/") && run.longest(is_national).is_some();
    if bracket == 0 && is_tied && !is_second {
        return None;
    }
    if let Some((groups, tokens)) = run.longest(is_national)
        && !is_document(scene, tokens)
    {
        return Some(Said::new(tokens, say(&groups)));
    }
    if bracket == 1 {
        return None;
    }
    without_plus(scene, &run).or_else(|| short(scene, &run))
}

/// Whether a slash at `at` ties the letters or the year of a document to the number before, and no other way to call.
fn is_document(scene: &Scene<'_>, at: usize) -> bool {
    let next = scene.token(at + 1);
    scene.token(at).is_sign("/")
        && (next.is_capitalised() || next.is(Kind::Number) && super::date::is_year(next.text))
}

/// `84 912 345 678`: the country's prefix without its sign. Between dots it may count something.
fn without_plus(scene: &Scene<'_>, run: &Run<'_>) -> Option<Said> {
    let (groups, tokens) = run.longest(|digits| {
        let rest = digits.strip_prefix("84").unwrap_or_default();
        match rest.as_bytes().first() {
            Some(b'3' | b'5' | b'7' | b'8' | b'9') => rest.len() == 9,
            Some(b'2') => rest.len() == 10,
            _ => false,
        }
    })?;
    let is_dotted = scene.token(1).is_sign(".");
    let counts = COUNTED.contains(&scene.next_word(tokens))
        || matches!(scene.next_word(tokens), "đ" | "vnđ" | "vnd" | "usd")
        || scene.token(tokens).is_sign("/");
    let is_telephone = groups[0] == "84" && !counts && (!is_dotted || scene.cued(&CALLS));
    is_telephone.then(|| Said::new(tokens, say(&groups)))
}

/// `+84 912 345 678`.
fn abroad(scene: &Scene<'_>, start: usize, bracket: bool) -> Option<Said> {
    let run = collect(scene, start, bracket);
    let first = run.groups.first()?;
    // đầu +84, +88
    let is_listed = matches!(scene.back(1).kind, Kind::Space)
        && scene.back(2).is_sign(",")
        && scene.back(3).is(Kind::Number)
        && scene.back(4).is_sign("+");
    let is_country = first.starts_with("84")
        || is_listed
        || matches!(scene.previous(), "đầu" | "số" | "mã" | "vùng")
        || scene.cued(&CALLS)
        || run.digits >= 9;
    if !is_country || scene.back(1).is(Kind::Number) {
        return None;
    }
    // A number that breaks off after the country is read as far as it goes.
    let (mut groups, tokens) = run
        .longest(|digits| {
            (11..=13).contains(&digits.len()) || digits.len() == first.len() && *first != "84"
        })
        .unwrap_or_else(|| (run.groups.clone(), run.ends[run.ends.len() - 1]));
    // The zero in +84 (0)69 is not dialled.
    if groups.first() == Some(&"84") && groups.get(1) == Some(&"0") {
        groups.remove(1);
    }
    let mut text = "cộng ".to_owned();
    if groups[0].len() > 4 && groups[0].starts_with("84") {
        let rest = &groups[0][2..];
        text.push_str("tám bốn, ");
        text.push_str(&say(&[&format!("0{rest}")]).replacen("không ", "", 1));
    } else {
        text.push_str(&say(&groups));
    }
    Some(Said::new(tokens, text))
}

/// Short numbers to call, and codes.
fn short(scene: &Scene<'_>, run: &Run<'_>) -> Option<Said> {
    let token = scene.token(0);
    let digits = token.text;
    let next = scene.token(1);
    let is_counted = COUNTED.contains(&scene.next_word(1))
        || next.is_sign("%")
        || next.is(Kind::Word)
        || next.is_sign(",") && scene.token(2).is(Kind::Number);
    let is_decimal = next.is_sign(".") && scene.token(2).is(Kind::Number);
    // 113/114/115
    let mut list = vec![digits];
    let mut end = 1;
    while scene.token(end).is_sign("/") && scene.token(end + 1).is(Kind::Number) && list.len() < 8 {
        list.push(scene.token(end + 1).text);
        end += 2;
    }
    let is_service = |digits: &&str| SERVICES.contains(digits);
    let calls = scene.cued(&CALLS);
    if list.len() > 1 {
        let all_short = list.iter().all(|digits| (3..=5).contains(&digits.len()));
        return (all_short && (calls || list.iter().all(is_service))).then(|| {
            Said::new(
                end,
                list.iter()
                    .map(|digits| one_by_one(digits))
                    .collect::<Vec<_>>()
                    .join(", "),
            )
        });
    }
    let is_house = matches!(scene.previous(), "số" | "nhà")
        && ["đường", "phố", "ngõ", "đại lộ"]
            .iter()
            .any(|phrase| scene.precedes(phrase, 1));
    let wants_digits = CODES.iter().any(|code| {
        scene.follows(code)
            || ["số", "là", ":"]
                .iter()
                .any(|word| scene.follows(&format!("{code} {word}")))
    });
    if wants_digits
        && !scene.follows("biển số")
        && let Some(said) = mixed(scene)
    {
        return Some(said);
    }
    if wants_digits && digits.len() >= 3 && !(is_counted && scene.next_word(1) == "đồng") {
        let tokens = run
            .ends
            .last()
            .copied()
            .filter(|end| {
                run.groups.iter().all(|group| group.len() >= 2)
                    || !(0..*end).any(|at| scene.token(at).is(Kind::Space))
            })
            .unwrap_or(1);
        let count = run.ends.iter().filter(|end| **end <= tokens).count();
        return Some(Said::new(tokens, say(&run.groups[..count])));
    }
    if is_house || scene.token(1).is_sign("/") {
        return None;
    }
    if calls && !is_counted {
        // A local number without its area: 3842 999.
        if let Some((groups, tokens)) =
            run.longest(|digits| (7..=8).contains(&digits.len()) && !digits.ends_with("000"))
            && groups[0].len() >= 3
        {
            return Some(Said::new(tokens, say(&groups)));
        }
        if (3..=6).contains(&digits.len())
            && !is_decimal
            && !(digits.len() > 3 && is_year_like(scene))
        {
            return Some(Said::new(1, one_by_one(digits)));
        }
    }
    let is_served = SERVANTS.iter().any(|servant| scene.follows(servant))
        || ["hoặc", "và"].contains(&scene.previous())
        || is_listed(scene)
        || is_headed(scene);
    if is_service(&digits) && !is_counted && !is_decimal && is_served {
        return Some(Said::new(1, one_by_one(digits)));
    }
    // No quantity: more than eight digits in a row, or a zero in front.
    let is_long = digits.len() >= 9 && !is_counted && !digits.ends_with("000");
    let is_padded = digits.starts_with('0')
        && digits.len() >= 3
        && !(next.is_sign(",") && scene.token(2).is(Kind::Number));
    if is_long || is_padded {
        let tokens = if is_padded
            && run.groups.len() > 1
            && run.groups[1..].iter().all(|group| group.len() >= 3)
        {
            run.ends[run.ends.len() - 1]
        } else {
            1
        };
        let count = run.ends.iter().filter(|end| **end <= tokens).count();
        return Some(Said::new(tokens, say(&run.groups[..count])));
    }
    None
}

/// Whether nothing but service numbers stands in a list with this one, and nothing behind it that they count: `113, 114, 115`.
fn is_listed(scene: &Scene<'_>) -> bool {
    let is_service = |at: usize| SERVICES.contains(&scene.token(at).text);
    let mut end = 1;
    while scene.token(end).is_sign(",") && is_service(scene.skip_space(end + 1)) {
        end = scene.skip_space(end + 1) + 1;
    }
    let before = 2 + usize::from(scene.back(1).is(Kind::Space));
    let follows =
        scene.back(before - 1).is_sign(",") && SERVICES.contains(&scene.back(before).text);
    let behind = scene.next_word(end);
    let counts = COUNTED.contains(&behind) || matches!(behind, "và" | "hoặc");
    (end > 1 || follows) && !counts
}

/// Whether it stands behind the name of a service and a colon, or before one in brackets: `Công an: 113`, `114 (cứu hỏa)`.
fn is_headed(scene: &Scene<'_>) -> bool {
    let colon = 1 + usize::from(scene.back(1).is(Kind::Space));
    let bracket = scene.skip_space(1);
    let services = &SERVANTS[..6];
    (scene.back(colon).is_sign(":") && scene.cued(services))
        || (scene.token(bracket).is_sign("(")
            && services
                .iter()
                .any(|name| scene.precedes(name, bracket + 1)))
}

/// `liên hệ trong năm 2024`.
fn is_year_like(scene: &Scene<'_>) -> bool {
    matches!(scene.previous(), "năm" | "tháng" | "khóa")
}
