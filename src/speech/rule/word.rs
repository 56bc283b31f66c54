//! Words: letters that are spelt, codes of letters and digits, and words that nobody can be expected to read.

use super::{Said, date::after_dash};
use crate::speech::{
    ProblemKind, lexicon,
    number::{cardinal, one_by_one},
    scene::Scene,
    syllable::is_syllable,
    token::{Kind, Token},
};

/// Whether a word, in small letters, is Vietnamese or known.
pub(super) fn is_spoken(lower: &str) -> bool {
    is_syllable(lower) || lexicon::builtin().foreign.contains(lower)
}

/// Letters before a number that are no code: places and roads.
const NOT_CODES: [&str; 11] = [
    "Q", "P", "QL", "TL", "HL", "ĐT", "KP", "TP", "TT", "NĐ", "SĐT",
];

pub(super) fn is_letters(token: &Token<'_>) -> bool {
    token.is(Kind::Word)
        && token.text.chars().count() <= 4
        && token.text.chars().all(char::is_uppercase)
}

/// `PC02`, `A05`, `10A1`, `37A-123.45`.
pub(super) fn code(scene: &Scene<'_>) -> Option<Said> {
    if scene.is_glued() {
        return None;
    }
    if let Some(said) = stay(scene)
        .or_else(|| room(scene))
        .or_else(|| dotted(scene))
        .or_else(|| door(scene))
    {
        return Some(said);
    }
    let first = scene.token(0);
    let begins_with_letters =
        is_letters(first) && scene.token(1).is(Kind::Number) && !NOT_CODES.contains(&first.text);
    let is_class = first.is(Kind::Number)
        && is_letters(scene.token(1))
        && (scene.token(2).is(Kind::Number)
            || (scene.token(1).text.chars().count() == 1 && "ABCDE".contains(scene.token(1).text)));
    if !begins_with_letters && !is_class {
        return None;
    }
    if begins_with_letters && super::abbreviation::builtin(scene).is_some() {
        return None;
    }
    // dòng 16A
    if is_class && scene.token(1).text == "A" && super::unit::after_number(scene, 1).is_some() {
        return None;
    }
    if let Some(said) = joined(scene) {
        return Some(said);
    }
    let voice = scene.speech.voice;
    // The plate of a car or motorcycle.
    let plate =
        (2..4).find(|at| scene.token(*at).is_dash() && scene.token(at + 1).is(Kind::Number));
    let is_plate = (begins_with_letters || first.text.len() == 2)
        && plate.is_some_and(|at| scene.token(at + 1).text.len() >= 3);
    // giấy số 27A8012345
    let is_serial = is_class && scene.token(2).text.len() > 4;
    let mut parts: Vec<String> = Vec::new();
    let mut at = 0;
    while at < 12 {
        let token = scene.token(at);
        match token.kind {
            Kind::Number
                if is_plate
                    || is_serial
                    || (token.text.starts_with('0') && token.text.len() > 1) =>
            {
                parts.push(one_by_one(token.text));
            }
            // VN1263, mã giao dịch FT24081234567
            Kind::Number
                if begins_with_letters
                    && at == 1
                    && !super::date::is_year(token.text)
                    && (token.text.len() > 3
                        || (token.text.len() == 3
                            && matches!(scene.previous(), "bay" | "hiệu" | "mã"))) =>
            {
                parts.push(super::telephone::in_groups(token.text));
            }
            Kind::Number => parts.push(cardinal(token.text, voice)),
            Kind::Word if is_letters(token) => {
                let known = lexicon::builtin()
                    .letters
                    .alone(token.text)
                    .filter(|_| token.text.len() > 2);
                parts.push(known.map_or_else(
                    || lexicon::spell(token.text),
                    |known| Some(known.to_owned()),
                )?);
            }
            Kind::Word => return None,
            Kind::Sign
                if is_plate
                    && matches!(token.text, "-" | ".")
                    && scene.token(at + 1).is(Kind::Number) => {}
            // lộ 471 E15.1
            Kind::Sign if token.is_sign(".") && at > 0 && scene.token(at + 1).is(Kind::Number) => {
                parts.push("chấm".to_owned());
            }
            _ => break,
        }
        at += 1;
    }
    if let Some(next) = same_code(scene, at, is_class) {
        let scene = Scene {
            at: scene.at + next,
            ..*scene
        };
        let last = code(&scene)?;
        let text = format!("{} đến {}", parts.join(" "), last.text);
        return Some(Said::new(next + last.tokens, text));
    }
    Some(Said::new(at, parts.join(" ")))
}

/// Where the second of two codes of one sort begins, behind the dash after `at`: `Lớp 1A1 - 1A5`, `lớp 9A-9E`, `sân A1-A5`.
fn same_code(scene: &Scene<'_>, at: usize, is_class: bool) -> Option<usize> {
    after_dash(scene, at).filter(|next| {
        let is_same = |back: usize| scene.token(back).text == scene.token(next + back).text;
        let is_later = |at: usize| {
            let (one, other) = (scene.token(at), scene.token(next + at));
            let numbers = one.small().zip(other.small());
            let letters = one.text.len() == 1 && other.text.len() == 1 && one.text < other.text;
            numbers.map_or(letters, |(one, other)| one < other)
        };
        let ends = !matches!(scene.token(next + at).kind, Kind::Word | Kind::Number);
        match (is_class, at) {
            (true, 3) => is_same(0) && is_same(1) && is_later(2),
            (true, 2) => is_same(0) && is_letters(scene.token(next + 1)) && is_later(1) && ends,
            (false, 2) => is_same(0) && is_later(1) && ends,
            _ => false,
        }
    })
}

/// `N01-T8`, `S2-T6`: two codes in one, the letters not the same.
fn joined(scene: &Scene<'_>) -> Option<Said> {
    let [letters, number, dash, other, last] = [0, 1, 2, 3, 4].map(|at| scene.token(at));
    let is_small = |token: &Token<'_>| token.is(Kind::Number) && token.text.len() <= 2;
    let is_joined = is_letters(letters)
        && is_small(number)
        && dash.is_sign("-")
        && is_letters(other)
        && other.text != letters.text
        && is_small(last)
        && !matches!(scene.token(5).kind, Kind::Word | Kind::Number)
        && (!matches!(scene.token(5).text, "/" | "-") || scene.token(6).is(Kind::Space));
    if !is_joined {
        return None;
    }
    let part = |letters: &Token<'_>, number: &Token<'_>| {
        let number = if number.text.starts_with('0') {
            one_by_one(number.text)
        } else {
            cardinal(number.text, scene.speech.voice)
        };
        Some(format!("{} {number}", lexicon::spell(letters.text)?))
    };
    let words = format!("{} {}", part(letters, number)?, part(other, last)?);
    Some(Said::new(5, words))
}

/// `Windows 10 22H2`, `bản 23H2`: the half of a year in which something came out.
fn release(scene: &Scene<'_>) -> Option<Said> {
    const RELEASED: [&str; 8] = [
        "bản", "phiên", "windows", "version", "update", "tầng", "căn", "hộ",
    ];
    let [year, mark, half] = [0, 1, 2].map(|at| scene.token(at));
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let follows = scene.back(back).is(Kind::Number);
    let is_release = year.is(Kind::Number)
        && year.text.len() == 2
        && mark.text == "H"
        && half.is(Kind::Number)
        && half.text.len() == 1
        && !matches!(scene.token(3).kind, Kind::Word | Kind::Number)
        && (RELEASED.contains(&scene.previous()) || follows);
    is_release.then(|| {
        let comma = if follows { ", " } else { "" };
        let words = format!(
            "{comma}{} hát {}",
            one_by_one(year.text),
            one_by_one(half.text)
        );
        Said::new(3, words)
    })
}

/// `CT.01`, `N.05`: a code with a dot between the letters and a number that begins with a zero.
fn dotted(scene: &Scene<'_>) -> Option<Said> {
    let (letters, number) = (scene.token(0), scene.token(2));
    let is_dotted = is_letters(letters)
        && scene.token(1).is_sign(".")
        && number.is(Kind::Number)
        && number.text.len() == 2
        && number.text.starts_with('0')
        && !matches!(
            letters.text,
            "ĐT" | "ĐH" | "ĐX" | "QL" | "TL" | "P" | "Q" | "K" | "T"
        )
        && !matches!(scene.token(3).kind, Kind::Word | Kind::Number)
        && (!matches!(scene.token(3).text, "." | "-" | "/") || scene.token(4).is(Kind::Space));
    let letters = lexicon::spell(letters.text).filter(|_| is_dotted)?;
    Some(Said::new(
        3,
        format!("{letters} {}", one_by_one(number.text)),
    ))
}

/// Before the clock is asked: what only looks like a time.
pub(super) fn version(scene: &Scene<'_>) -> Option<Said> {
    if scene.is_glued() {
        return None;
    }
    release(scene)
}

/// `3N2Đ`: three days and two nights.
fn stay(scene: &Scene<'_>) -> Option<Said> {
    let [days, day, nights, night] = [0, 1, 2, 3].map(|at| scene.token(at));
    let is_stay = days.is(Kind::Number)
        && &*day.lower == "n"
        && nights.is(Kind::Number)
        && &*night.lower == "đ";
    let voice = scene.speech.voice;
    is_stay.then(|| {
        let (days, nights) = (cardinal(days.text, voice), cardinal(nights.text, voice));
        Said::new(4, format!("{days} ngày {nights} đêm"))
    })
}

/// `tòa P2-1205`, `A-1205`: a house, and a door in it.
fn door(scene: &Scene<'_>) -> Option<Said> {
    const HOUSES: [&str; 8] = [
        "tòa",
        "toà",
        "căn",
        "căn hộ",
        "chung cư",
        "nhà",
        "phòng",
        "khu đô thị",
    ];
    let letters = scene.token(0);
    let house = scene.token(1);
    let has_house = house.is(Kind::Number) && house.text.len() <= 2;
    let dash = 1 + usize::from(has_house);
    let number = scene.token(dash + 1);
    let is_door = is_letters(letters)
        && letters.text.chars().count() <= 2
        && scene.token(dash).is_sign("-")
        && number.is(Kind::Number)
        && number.text.len() == 4
        && !matches!(scene.token(dash + 2).kind, Kind::Word | Kind::Number)
        && scene.cued(&HOUSES);
    let letters = lexicon::spell(letters.text).filter(|_| is_door)?;
    let house = if has_house {
        format!(" {}", cardinal(house.text, scene.speech.voice))
    } else {
        String::new()
    };
    let words = format!("{letters}{house}, {}", one_by_one(number.text));
    Some(Said::new(dash + 2, words))
}

/// `phòng A.203`, `lô B-12`.
fn room(scene: &Scene<'_>) -> Option<Said> {
    let (letter, number) = (scene.token(0), scene.token(2));
    let is_room = is_letters(letter)
        && letter.text.chars().count() <= 2
        && matches!(scene.token(1).text, "." | "-")
        && number.is(Kind::Number)
        && matches!(
            scene.previous(),
            "phòng" | "căn" | "hộ" | "lô" | "ô" | "quầy" | "dãy" | "nhà" | "khu" | "tòa" | "toà"
        );
    let letter = lexicon::spell(letter.text).filter(|_| is_room)?;
    Some(Said::new(
        3,
        format!("{letter} {}", one_by_one(number.text)),
    ))
}

/// Capitals that are no word: spelt, and reported unless they are one letter.
pub(super) fn letters(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    if !token.is(Kind::Word) {
        return None;
    }
    // cống Ø600
    if matches!(token.text, "Ø" | "ø" | "Φ" | "φ" | "ϕ") && scene.token(1).is(Kind::Number) {
        return Some(Said::new(1, "phi "));
    }
    // 3 x 5 m, 3m x 5m, tăng x2
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let measured = matches!(
        &*scene.back(back).lower,
        "m" | "cm" | "mm" | "dm" | "km" | "mg" | "ml" | "g" | "kg"
    ) && [back + 1, back + 2]
        .iter()
        .any(|back| scene.back(*back).is(Kind::Number));
    if &*token.lower == "x" && scene.token(scene.skip_space(1)).is(Kind::Number) {
        let is_apart = token.text == "x" && back == 2 && scene.token(1).is(Kind::Space);
        // 2 viên x 3 lần/ngày: so much, so often.
        let number = scene.skip_space(1);
        if is_apart && !measured && scene.next_word(number + 1) == "lần" {
            return Some(Said::new(1, ","));
        }
        if let Some(said) = super::symbol::each(scene).filter(|_| token.text == "x") {
            return Some(said);
        }
        if measured || is_apart || scene.back(back).is(Kind::Number) {
            return Some(Said::new(1, "nhân"));
        }
        // tăng ca x1,5
        if let Some(times) = super::quantity::numeral(scene, 1)
            && times.decimals.is_some()
            && !scene.is_glued()
        {
            return Some(Said::new(times.end, format!("gấp {}", times.say(scene))));
        }
        let times = scene.token(1).small().filter(|times| *times > 1);
        if let Some(times) = times.filter(|_| !scene.is_glued()) {
            let times = cardinal(&times.to_string(), scene.speech.voice);
            return Some(Said::new(2, format!("gấp {times}")));
        }
    }
    // a) at the beginning of a line or behind a pause, c/ at the beginning of a line
    let is_item = (scene.token(1).is_sign(")") && scene.begins_item())
        || (scene.token(1).is_sign("/") && scene.token(2).is(Kind::Space) && scene.begins_line());
    if token.text.chars().count() == 1 && is_item {
        return lexicon::spell(token.text).map(|name| Said::new(2, format!("{name},")));
    }
    // từ A-Z
    let last = scene.token(2);
    let is_whole_alphabet = token.text == "A"
        && scene.token(1).is_dash()
        && last.text == "Z"
        && !matches!(scene.token(3).kind, Kind::Word | Kind::Number);
    if is_whole_alphabet && scene.previous() == "từ" {
        return Some(Said::new(3, "A đến dét"));
    }
    let mut chars = token.text.chars();
    if let (Some(letter), None) = (chars.next(), chars.next()) {
        // By the usual name of the letter, chị M would be sisters, and anh M brothers.
        if letter == 'M' && matches!(scene.previous(), "anh" | "chị") {
            return Some(Said::new(1, "mờ"));
        }
        // 26.350 đồng đ
        let is_money = matches!(scene.previous(), "đồng" | "vnđ" | "vnd" | "usd" | "eur");
        if letter == 'đ' && is_money {
            return Some(Said::wrong(1, "đê", ProblemKind::Ambiguous));
        }
        // đạt 32/35đ, 3/4t: points or money, tonnes or years.
        let is_counted = scene.back(1).is(Kind::Number)
            || (scene.back(1).is(Kind::Space)
                && scene.back(2).is(Kind::Number)
                && !scene.token(1).is_sign("."));
        if matches!(letter, 'đ' | 't') && scene.back(1).is(Kind::Number)
            || matches!(letter, 't' | 'T') && is_counted
        {
            let spelt = lexicon::spell(token.text)?;
            return Some(Said::wrong(1, spelt, ProblemKind::Ambiguous));
        }
        let is_vowel = is_syllable(&token.lower);
        return (!is_vowel && letter.is_alphabetic())
            .then(|| lexicon::spell(token.text))
            .flatten()
            .map(|name| Said::new(1, name));
    }
    if !token.is_all_capitals() || (is_spoken(&token.lower) && !is_short_form(scene)) {
        return None;
    }
    let spelt = lexicon::spell(token.text)?;
    Some(Said::wrong(1, spelt, ProblemKind::UnknownAbbreviation))
}

/// Whether a word all in capitals among small letters is a short form though it could be a syllable: `dầu DO`. What is shouted has
/// its marks, or is one of the words that people shout.
fn is_short_form(scene: &Scene<'_>) -> bool {
    /// How far a headline in capitals is looked for, in tokens.
    const REACH: usize = 12;
    const SHOUTED: [&str; 56] = [
        "AI", "HAI", "BA", "TIN", "KHI", "XEM", "GHI", "CHO", "HAY", "NAY", "MAI", "CHI", "NGA",
        "LAN", "NAM", "HOA", "ANH", "EM", "BAN", "CON", "CAO", "TAY", "THU", "GIA", "VAY", "MUA",
        "SAU", "SAI", "TRA", "KIA", "THI", "TUY", "TO", "XA", "TA", "LO", "QUA", "RA", "SAO",
        "CAI", "XIN", "VUI", "HUY", "LAM", "SON", "TAM", "BAO", "DAY", "BAY", "MAY", "THE", "CHE",
        "GHE", "NHA", "NHE", "TRE",
    ];
    let token = scene.token(0);
    let is_plain = token.text.is_ascii()
        && token.text.len() <= 3
        && !SHOUTED.contains(&token.text)
        && !lexicon::builtin().foreign.contains(&*token.lower);
    let is_loud = |token: &Token<'_>| token.is_all_capitals() && is_syllable(&token.lower);
    // CHU Văn An is a name.
    let is_name = scene.token(scene.skip_space(1)).is_capitalised();
    is_plain
        && !is_name
        && !(1..REACH)
            .map(|back| scene.back(back))
            .take_while(|token| !token.is(Kind::Break))
            .any(is_loud)
        && !(1..REACH)
            .map(|at| scene.token(at))
            .take_while(|token| !token.is(Kind::Break))
            .any(is_loud)
}

/// Words that are neither Vietnamese nor known.
pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    (token.is(Kind::Word) && !is_spoken(&token.lower))
        .then(|| Said::wrong(1, token.text, ProblemKind::UnknownWord))
}
