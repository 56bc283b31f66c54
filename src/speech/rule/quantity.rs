//! Numbers and what they count: quantities with units, ranges, fractions, and numbers alone.

use super::{Said, compound, unit};
use crate::speech::{
    ProblemKind, lexicon,
    number::{cardinal, fraction as decimals, one_by_one},
    scene::Scene,
    token::{Kind, Token},
};

/// A number as written in Việt Nam: dots between thousands, a comma before decimals.
pub(super) struct Numeral {
    /// The whole part.
    pub(super) whole: String,
    /// After the comma.
    pub(super) decimals: Option<String>,
    /// Whether a dot stood where a comma should: `1.5`.
    pub(super) is_dotted: bool,
    /// Where it ends.
    pub(super) end: usize,
}

impl Numeral {
    pub(super) fn say(&self, scene: &Scene<'_>) -> String {
        let voice = scene.speech.voice;
        let whole = cardinal(&self.whole, voice);
        match &self.decimals {
            Some(digits) => format!("{whole} phẩy {}", decimals(digits, voice)),
            None => whole,
        }
    }
}

/// The numeral that begins at `at`.
pub(super) fn numeral(scene: &Scene<'_>, at: usize) -> Option<Numeral> {
    let first = scene.token(at);
    if !first.is(Kind::Number) {
        return None;
    }
    let can_lead = first.text.len() <= 3 && !first.text.starts_with('0');
    let grouped = |sign: &str| -> usize {
        let mut count = 0;
        while count < 8 && {
            let mark = scene.token(at + 1 + 2 * count);
            let group = scene.token(at + 2 + 2 * count);
            (mark.text == sign || (sign == " " && matches!(mark.text, " " | "\u{a0}" | "\u{202f}")))
                && group.is(Kind::Number)
                && group.text.len() == 3
        } {
            count += 1;
        }
        count
    };
    let mut numeral = Numeral {
        whole: first.text.to_owned(),
        decimals: None,
        is_dotted: false,
        end: at + 1,
    };
    if can_lead {
        let dots = grouped(".");
        let commas = grouped(",");
        let spaces = grouped(" ");
        // One group after a comma is decimals: 1,090; two are thousands as English writes them.
        let is_spaced = spaces >= 2
            || (spaces == 1 && matches!(scene.next_word(at + 3), "đồng" | "đ" | "vnđ" | "vnd"));
        let groups = if dots > 0 {
            dots
        } else if commas >= 2 || (commas == 1 && (is_money(scene, at) || is_whole_thing(scene, at)))
        {
            commas
        } else if is_spaced {
            spaces
        } else {
            0
        };
        for group in 0..groups {
            numeral.whole.push_str(scene.token(at + 2 + 2 * group).text);
        }
        numeral.end += 2 * groups;
        if groups > 0 && dots == 0 && commas >= 1 {
            return Some(numeral);
        }
    }
    let mark = scene.token(numeral.end);
    let digits = scene.token(numeral.end + 1);
    // 6,7,8,9 is a list to its end.
    let before = |back: usize| match at.checked_sub(back) {
        Some(ahead) => scene.token(ahead),
        None => scene.back(back - at),
    };
    let is_listed = before(1).is_sign(",") && before(2).is(Kind::Number);
    if mark.is_sign(",")
        && !is_listed
        && digits.is(Kind::Number)
        && digits.text.len() <= 6
        && !(scene.token(numeral.end + 2).is_sign(",")
            && scene.token(numeral.end + 3).is(Kind::Number))
    {
        numeral.decimals = Some(digits.text.to_owned());
        numeral.end += 2;
    } else if mark.is_sign(".")
        && numeral.end == at + 1
        && digits.is(Kind::Number)
        && (digits.text.len() < 3 || first.text == "0")
        && !(scene.token(numeral.end + 2).is_sign(".")
            && scene.token(numeral.end + 3).is(Kind::Number))
    {
        numeral.decimals = Some(digits.text.to_owned());
        numeral.is_dotted = true;
        numeral.end += 2;
    }
    Some(numeral)
}

/// Whether `5,000` at `at` is money: no money has thousandths, so the comma is the English one. `1,500 tỷ đồng` is no such sum:
/// see [`is_ambiguous`].
fn is_money(scene: &Scene<'_>, at: usize) -> bool {
    let after = scene.token(scene.skip_space(at + 3));
    let is_scaled = matches!(
        &*after.lower,
        "nghìn" | "ngàn" | "triệu" | "tỷ" | "tỉ" | "trăm"
    );
    let is_led = at > 0 && unit::currency(scene.token(0)).is_some();
    is_led && !is_scaled
        || matches!(
            &*after.lower,
            "đ" | "đồng" | "vnđ" | "vnd" | "₫" | "usd" | "$" | "đô" | "eur" | "€" | "euro"
        )
}

/// What nobody counts in parts: `1,500 người` is the English comma.
const WHOLE_THINGS: [&str; 40] = [
    "người",
    "hộ",
    "vụ",
    "lượt",
    "em",
    "cháu",
    "con",
    "cây",
    "đơn",
    "hồ sơ",
    "trường",
    "cuộc",
    "chiếc",
    "cái",
    "học sinh",
    "phiếu",
    "đại biểu",
    "hội viên",
    "thuê bao",
    "tài khoản",
    "cán bộ",
    "gia cầm",
    "sinh viên",
    "bộ",
    "căn",
    "ngôi",
    "xe",
    "nhà",
    "tin",
    "bài",
    "đoàn viên",
    "lao động",
    "cử tri",
    "công dân",
    "bệnh nhân",
    "ca",
    "liều",
    "suất",
    "doanh nghiệp",
    "đối tượng",
];

fn is_whole_thing(scene: &Scene<'_>, at: usize) -> bool {
    let leads = !scene.token(at).text.starts_with('0');
    leads
        && WHOLE_THINGS
            .iter()
            .any(|thing| scene.precedes(thing, at + 3))
}

/// Whether `1,500` at the token in hand, before `tỷ` and the like, may be one and a half or one and a half thousand: both are
/// written so, and nobody can tell.
fn is_ambiguous(scene: &Scene<'_>, number: &Numeral) -> bool {
    number
        .decimals
        .as_ref()
        .is_some_and(|digits| digits.len() == 3)
        && !number.is_dotted
        && number.whole.len() <= 3
        && !number.whole.starts_with('0')
        && matches!(
            scene.next_word(number.end),
            "nghìn" | "ngàn" | "triệu" | "tỷ" | "tỉ" | "tr"
        )
}

/// Whether what comes after makes `1.5` a decimal, and not chapter one, part five.
fn is_measured(scene: &Scene<'_>, end: usize) -> bool {
    unit::after_number(scene, end).is_some()
        || matches!(
            scene.next_word(end),
            "triệu"
                | "tỷ"
                | "tỉ"
                | "nghìn"
                | "ngàn"
                | "trăm"
                | "mét"
                | "lít"
                | "tấn"
                | "tạ"
                | "lần"
                | "độ"
                | "đồng"
                | "điểm"
        )
}

/// A number with a unit or currency.
pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    if scene.is_glued() {
        return None;
    }
    let token = scene.token(0);
    // USD/VND 24.850: what one costs in the other.
    let is_pair = scene.back(1).is_sign("/") && scene.back(2).is_all_capitals();
    if let Some(currency) = unit::currency(token).filter(|_| !is_pair) {
        let at =
            scene.skip_space(1 + usize::from(token.text == "US" && scene.token(1).is_sign("$")));
        let number = numeral(scene, at).filter(|_| at <= 3)?;
        if number.is_dotted && number.decimals.is_none() {
            return None;
        }
        let word = scene.skip_space(number.end);
        // USD 26.350đ: what one costs. The number has its own currency, and the letters only name what is sold.
        let is_scaled = matches!(scene.word(word), "nghìn" | "ngàn" | "triệu");
        let own = if is_scaled {
            scene.skip_space(word + 1)
        } else {
            word
        };
        if currency != "đồng"
            && matches!(&*scene.token(own).lower, "đ" | "đồng" | "vnđ" | "vnd" | "₫")
        {
            return Some(Said::new(1, currency));
        }
        // $1,5 triệu: the currency comes last.
        if matches!(scene.word(word), "triệu" | "tỷ" | "tỉ" | "nghìn") {
            return Some(Said::new(
                word + 1,
                format!(
                    "{} {} {currency}",
                    number.say(scene),
                    scene.token(word).text
                ),
            ));
        }
        return Some(Said::new(
            number.end,
            format!("{} {currency}", number.say(scene)),
        ));
    }
    // ≥ 5
    if let Some(sign) = at_least(scene) {
        let begin = scene.skip_space(sign);
        let number = numeral(scene, begin)?;
        // ≥140/90 mmHg
        if scene.token(number.end).is_sign("/") && scene.token(number.end + 1).is(Kind::Number) {
            return bound(scene, begin);
        }
        // ≥ 5-10 người: at least as many as that.
        if let Some(said) = super::date::after_dash(scene, number.end)
            .and_then(|_| super::span::apply(&scene.ahead(begin)))
        {
            return Some(Said {
                tokens: begin + said.tokens,
                text: format!("ít nhất {}", said.text),
                problem: said.problem,
            });
        }
        // ≥75t: nobody can tell what is counted.
        if super::letter::is_bare(scene, number.end)
            && unit::after_number(&scene.ahead(begin), number.end - begin).is_none()
        {
            let text = format!("từ {} tê trở lên", number.say(scene));
            return Some(Said::wrong(number.end + 1, text, ProblemKind::Ambiguous));
        }
        // ≥ 1m57
        if let Some(height) = compound::million_and(scene, &number) {
            let text = format!("từ {} trở lên", height.text);
            return Some(Said::new(height.tokens, text));
        }
        let (unit, end) = unit::after_number(&scene.ahead(begin), number.end - begin)
            .map(|(unit, end)| (unit, end + begin))
            .or_else(|| counted(scene, number.end))
            .map_or((String::new(), number.end), |(unit, end)| {
                (format!(" {unit}"), end)
            });
        // Where nobody knows how far what is counted goes, a word in front says the same.
        let goes_on = unit.is_empty() && !scene.next_word(end).is_empty();
        let number = number.say(scene);
        return Some(if goes_on {
            Said::new(end, format!("ít nhất {number}"))
        } else {
            Said::new(end, format!("từ {number}{unit} trở lên"))
        });
    }
    let minus = minus(scene);
    let number = numeral(scene, minus)?;
    let sign = if minus > 0 { "âm " } else { "" };
    let compound = compound::million_and(scene, &number)
        .or_else(|| compound::decimal_behind(scene, &number))
        .or_else(|| compound::seconds(scene, &number));
    if let Some(said) = compound {
        return Some(said);
    }
    let (unit, end) = match unit::after_number(scene, number.end) {
        Some((unit, end)) => (format!(" {unit}"), end),
        // At the beginning of a line it may be the sign of an item.
        None if minus > 0
            && (!scene.begins_line()
                // No item begins so: -0,25 điểm.
                || (number.decimals.is_some() && scene.token(minus).text.starts_with('0'))
                || is_temperature(scene, number.end)) =>
        {
            (String::new(), number.end)
        }
        None => return None,
    };
    Some(Said::new(end, format!("{sign}{}{unit}", number.say(scene))))
}

/// What is at least so much of so much, which begins at `at`: `≥140/90 mmHg`, `≥2/3 số hộ`.
fn bound(scene: &Scene<'_>, at: usize) -> Option<Said> {
    let part = scene.ahead(at);
    let mut said = super::fraction::mark(&part).or_else(|| super::fraction::apply(&part))?;
    // thị lực ≥8/10 is no part of anything.
    if super::date::HOUSES.iter().any(|word| scene.follows(word)) {
        said.text = said.text.replace(" phần ", " trên ");
    }
    let (unit, end) = unit::after_number(&part, said.tokens)
        .map_or((String::new(), said.tokens), |(unit, end)| {
            (format!(" {unit}"), end)
        });
    let goes_on = unit.is_empty() && !part.next_word(end).is_empty();
    let text = if goes_on {
        format!("ít nhất {}", said.text)
    } else {
        format!("từ {}{unit} trở lên", said.text)
    };
    Some(Said::new(at + end, text))
}

/// How many tokens a sign for *at least* takes: `≥`, `>=` as it is typed, and `=>`, which some mean by it.
fn at_least(scene: &Scene<'_>) -> Option<usize> {
    match (scene.token(0).text, scene.token(1).text) {
        ("≥", _) => Some(1),
        (">", "=") => Some(2),
        // Behind a figure it is an arrow.
        ("=", ">") if scene.token(2).is(Kind::Number) => {
            let back = 1 + usize::from(scene.back(1).is(Kind::Space));
            (!scene.back(back).is(Kind::Number)).then_some(2)
        }
        _ => None,
    }
}

/// How many tokens a minus takes: `-2 độ`, `(-0,73%)`, `(- 5%)`; none where the dash is no sign.
fn minus(scene: &Scene<'_>) -> usize {
    let is_dash = matches!(scene.token(0).text, "-" | "−" | "–");
    let at = scene.skip_space(1);
    let is_opened = scene.back(1).is_sign("(");
    // Sa Pa:-2°C
    let is_led = matches!(scene.back(1).text, ":" | "=")
        && numeral(scene, 1).is_some_and(|number| {
            unit::after_number(scene, number.end).is_some() || is_temperature(scene, number.end)
        });
    let is_free = is_opened
        || is_led
        || !matches!(scene.back(1).kind, Kind::Word | Kind::Number | Kind::Sign);
    let is_sign = is_dash && is_free && scene.token(at).is(Kind::Number) && (at == 1 || is_opened);
    if is_sign { at } else { 0 }
}

/// Whether `độ` follows at `at`, or another number of which it does: `-1 đến 3 độ`.
fn is_temperature(scene: &Scene<'_>, at: usize) -> bool {
    let word = scene.next_word(at);
    if matches!(word, "đến" | "tới") {
        let second = scene.skip_space(scene.skip_space(at) + 1);
        return numeral(scene, second).is_some_and(|second| {
            scene.next_word(second.end) == "độ" || scene.token(second.end).is_sign("°")
        });
    }
    word == "độ"
}

/// What a number at whose end `at` lies counts, in words: `triệu đồng`, `tuổi`.
fn counted(scene: &Scene<'_>, at: usize) -> Option<(String, usize)> {
    let mut words = Vec::new();
    let mut end = at;
    for list in [&SPANNED[..5], &SPANNED[5..]] {
        let next = scene.skip_space(end);
        if next > end && list.contains(&scene.word(next)) {
            words.push(scene.token(next).text);
            end = next + 1;
        }
    }
    // ≥ 38,5 độ C
    let scale = scene.skip_space(end);
    let is_degree = words.last() == Some(&"độ") && scene.token(scale).text == "C";
    if is_degree {
        words.push("xê");
        end = scale + 1;
    }
    (!words.is_empty()).then(|| (words.join(" "), end))
}

/// Words that may stand after the first of two numbers with a dash between.
pub(super) const SPANNED: [&str; 18] = [
    "trăm", "nghìn", "ngàn", "triệu", "tỷ", "đồng", "phút", "ngày", "tháng", "tuổi", "độ", "mét",
    "giờ", "năm", "người", "hộ", "lần", "điểm",
];

/// Whether the number in hand is that of a flat or a room, floor and door, and counts nothing: `căn hộ 1508`, `phòng 1508, 1509`.
pub(super) fn is_door(scene: &Scene<'_>) -> bool {
    const DIGITS: usize = 4;
    let is_named =
        |scene: &Scene<'_>| matches!(scene.previous(), "căn" | "phòng") || scene.follows("căn hộ");
    let is_number = |token: &Token<'_>| token.is(Kind::Number) && token.text.len() == DIGITS;
    // The one before it in a list.
    let back = 2 + usize::from(scene.back(1).is(Kind::Space));
    let before = Scene {
        at: scene.at.saturating_sub(back),
        ..*scene
    };
    let is_listed =
        scene.back(back - 1).is_sign(",") && is_number(before.token(0)) && is_named(&before);
    let is_part = matches!(scene.token(1).text, "." | ",") && scene.token(2).is(Kind::Number);
    is_number(scene.token(0))
        && !is_part
        && (is_named(scene) || is_listed)
        && !matches!(
            scene.next_word(1),
            "chỗ" | "người" | "khách" | "giường" | "học" | "m"
        )
        && unit::after_number(scene, 1).is_none()
}

/// A number alone; `mục 2.1` is said with *chấm*.
pub(super) fn number(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    if !token.is(Kind::Number) {
        return None;
    }
    let voice = scene.speech.voice;
    // 1) at the beginning of a line or behind a pause; 1/ at the beginning of a line.
    let is_item = scene.begins_item() && scene.token(1).is_sign(")");
    let is_line =
        scene.begins_line() && scene.token(1).is_sign("/") && scene.token(2).is(Kind::Space);
    if is_item || is_line {
        return Some(Said::new(2, format!("{},", cardinal(token.text, voice))));
    }
    let number = numeral(scene, 0)?;
    let is_dotted =
        scene.token(number.end).is_sign(".") && scene.token(number.end + 1).is(Kind::Number);
    if (number.is_dotted && !is_measured(scene, number.end)) || (is_dotted && number.end == 1) {
        let mut text = cardinal(token.text, voice);
        let mut end = 1;
        while scene.token(end).is_sign(".") && scene.token(end + 1).is(Kind::Number) && end < 12 {
            let part = scene.token(end + 1).text;
            text.push_str(" chấm ");
            text.push_str(&if part.starts_with('0') {
                one_by_one(part)
            } else {
                cardinal(part, voice)
            });
            end += 2;
        }
        return Some(Said::new(end, text));
    }
    if token.text.len() > 1 && token.text.bytes().all(|byte| byte == b'0') {
        return Some(Said::new(1, one_by_one(token.text)));
    }
    // đầu 09xx: each of the digits that are known counts.
    let rest = scene.token(1);
    if rest.text.len() > 1 && rest.lower.bytes().all(|byte| byte == b'x') {
        return Some(Said::new(1, one_by_one(token.text)));
    }
    // căn hộ 1508
    if is_door(scene) {
        return Some(Said::new(1, one_by_one(token.text)));
    }
    // Đề án 06, mẫu số 01, Ban Chỉ đạo 389: names, whose digits are said.
    let is_name = token.text.starts_with('0')
        && token.text.len() > 1
        && ["đề án", "mẫu", "mẫu số", "biểu", "biểu số", "phụ lục"]
            .iter()
            .any(|phrase| scene.follows(phrase))
        || token.text.len() == 3
            && ["ban chỉ đạo", "bcđ"]
                .iter()
                .any(|phrase| scene.follows(phrase));
    if is_name && number.end == 1 {
        return Some(Said::new(1, one_by_one(token.text)));
    }
    // thứ 4 is handled with the weekdays; lần thứ 14 is a plain number.
    let glued_letters = scene.token(number.end);
    let suffix = (glued_letters.is(Kind::Word) && glued_letters.text.chars().count() == 1)
        .then(|| lexicon::spell(glued_letters.text))
        .flatten();
    Some(match suffix {
        // 10t: tonnes, months, or the years of a child. 9đ: points, or money.
        Some(letter) if matches!(glued_letters.text, "t" | "T" | "đ") => Said::wrong(
            number.end + 1,
            format!("{} {letter}", number.say(scene)),
            ProblemKind::Ambiguous,
        ),
        Some(letter) if glued_letters.text != "x" => {
            Said::new(number.end + 1, format!("{} {letter}", number.say(scene)))
        }
        // Gold of four nines.
        _ if token.text == "9999" && matches!(scene.previous(), "vàng" | "sjc" | "nhẫn") => {
            Said::new(1, "bốn số chín")
        }
        // ngã 4 is a crossroads.
        _ if token.text == "4" && scene.previous() == "ngã" => Said::new(1, "tư"),
        _ if is_ambiguous(scene, &number) => {
            Said::wrong(number.end, number.say(scene), ProblemKind::Ambiguous)
        }
        _ => Said::new(number.end, number.say(scene)),
    })
}
