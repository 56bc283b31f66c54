//! Abbreviations: the editors', the nation's, and those before the name of a place or office.

use unicode_normalization::UnicodeNormalization as _;

use super::Said;
use crate::speech::{
    lexicon::{self, Entries, Entry},
    number::cardinal,
    scene::Scene,
    token::{Kind, Token},
};

/// Words that a room or office begins with: `P. Kế toán` is a *phòng*, `P. Lê Lợi` a *phường*.
const OFFICES: [&str; 64] = [
    "kế",
    "tổ chức",
    "hành chính",
    "tài chính",
    "tài nguyên",
    "văn hóa",
    "văn hoá",
    "văn thư",
    "tư pháp",
    "công chứng",
    "giáo dục",
    "nội vụ",
    "quản lý",
    "y tế",
    "kinh tế",
    "lao động",
    "cảnh sát",
    "đào tạo",
    "kỹ thuật",
    "tiếp dân",
    "tiếp",
    "thanh tra",
    "nông nghiệp",
    "nghiệp vụ",
    "giao dịch",
    "họp",
    "khám",
    "công tác",
    "công nghệ",
    "an ninh",
    "bảo vệ",
    "dân tộc",
    "thông tin",
    "gdđt",
    "gd",
    "vhtt",
    "lđtbxh",
    "tnmt",
    "tn",
    "qlđt",
    "tckh",
    "tc",
    "khách hàng",
    "kinh doanh",
    "tổng hợp",
    "pháp chế",
    "nhân sự",
    "một cửa",
    "hộ tịch",
    "chính sách",
    "tín dụng",
    "truyền thông",
    "tuyển sinh",
    "lưu trữ",
    "kiểm tra",
    "kiểm soát",
    "điều hành",
    "địa chính",
    "xây dựng",
    "đăng ký",
    "trực",
    "thẩm định",
    "bảo hiểm",
    "dân số",
];

/// Words that a centre begins with: `TT Y tế`.
const CENTRES: [&str; 25] = [
    "pvhcc",
    "hcc",
    "vhtt",
    "vhtt&tt",
    "truyền thông",
    "hỗ trợ",
    "điều hành",
    "bảo trợ",
    "công nghệ",
    "đăng kiểm",
    "khuyến nông",
    "y tế",
    "văn hóa",
    "văn hoá",
    "giáo dục",
    "dịch vụ",
    "hành chính",
    "phục vụ",
    "dạy nghề",
    "kiểm soát",
    "gdtx",
    "chính trị",
    "ứng cứu",
    "giám sát",
    "học tập",
];

/// Words before the name of a person.
const PERSONS: [&str; 9] = [
    "ông",
    "bà",
    "anh",
    "chị",
    "em",
    "cháu",
    "cụ",
    "đồng chí",
    "họ tên",
];

/// The editors' readings: abbreviations as they are written, words with or without capitals.
pub(super) fn editors(scene: &Scene<'_>) -> Option<Said> {
    let speech = scene.speech;
    find(scene, &speech.abbreviations, false).or_else(|| find(scene, &speech.words, true))
}

/// The built-in ones.
pub(super) fn builtin(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    if !token.is(Kind::Word) {
        return None;
    }
    let lexicon = lexicon::builtin();
    let said =
        find(scene, &lexicon.abbreviations, false).or_else(|| find(scene, &lexicon.letters, false));
    said.or_else(|| road(scene)).filter(|said| {
        // In a headline all in capitals, a short form that is also a word is the word: AI GỌI CŨNG KHÔNG NGHE.
        !(said.tokens == 1 && is_shouted(scene) && super::word::is_spoken(&token.lower))
    })
}

/// Whether the words around are all in capitals and are no abbreviations.
pub(super) fn is_shouted(scene: &Scene<'_>) -> bool {
    let is_loud = |token: &Token<'_>| {
        token.is_all_capitals() && crate::speech::syllable::is_syllable(&token.lower)
    };
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    is_loud(scene.token(scene.skip_space(1))) || is_loud(scene.back(back))
}

/// Finds the reading that begins here and fits its surroundings.
fn find(scene: &Scene<'_>, entries: &Entries, fold: bool) -> Option<Said> {
    let token = scene.token(0);
    if matches!(token.kind, Kind::Space | Kind::Break) || scene.is_glued() {
        return None;
    }
    let first = if fold { &*token.lower } else { token.text };
    entries.starting(first).iter().find_map(|entry| {
        let tokens = 1 + entry.rest.len();
        let is_written = entry.rest.iter().enumerate().all(|(at, wanted)| {
            let token = scene.token(at + 1);
            (if fold { &*token.lower } else { token.text }) == wanted
                || (token.is(Kind::Space) && wanted.trim().is_empty())
        });
        // Not the beginning of a longer word.
        let last = scene.token(tokens - 1);
        let next = scene.token(tokens);
        let is_whole = !matches!(last.kind, Kind::Word | Kind::Number)
            || !matches!(next.kind, Kind::Word | Kind::Number)
            || (last.is(Kind::Number) && next.is(Kind::Word));
        if !is_written || !is_whole || !fits(scene, entry, tokens) {
            return None;
        }
        // Mời bác sĩ BS.: where nothing follows, the dot ends the sentence, too.
        let is_last = last.is_sign(".") && tokens > 1 && matches!(next.kind, Kind::Break);
        let stop = if is_last { "." } else { "" };
        Some(Said::new(tokens, format!("{}{stop}", entry.spoken)))
    })
}

fn fits(scene: &Scene<'_>, entry: &Entry, tokens: usize) -> bool {
    let before = entry.before.is_empty() || entry.before.iter().any(|phrase| scene.follows(phrase));
    let dot = usize::from(scene.token(tokens).is_sign("."));
    let after = entry.after.is_empty()
        || entry
            .after
            .iter()
            .any(|phrase| scene.precedes(phrase, tokens) || scene.precedes(phrase, tokens + dot));
    before && after
}

/// Initials of somebody who is not to be named: `N.V.A`.
pub(super) fn initials(scene: &Scene<'_>) -> Option<Said> {
    let is_letter = |at: usize| {
        let mut chars = scene.token(at).text.chars();
        chars.next().is_some_and(char::is_uppercase) && chars.next().is_none()
    };
    if !is_letter(0) || scene.is_glued() || builtin(scene).is_some_and(|said| said.tokens > 1) {
        return None;
    }
    // bà Lê T. M.: behind a name the letters may stand apart.
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let is_named = scene.back(back).is_capitalised() && !scene.back(back).is_all_capitals();
    let next_letter = |last: usize| {
        let at = last + 2;
        let is_apart = is_named && scene.token(at).is(Kind::Space);
        let at = at + usize::from(is_apart);
        (scene.token(last + 1).is_sign(".") && is_letter(at)).then_some(at)
    };
    let mut places = vec![0];
    let mut last = 0;
    while let Some(next) = next_letter(last).filter(|_| places.len() < 8) {
        places.push(next);
        last = next;
    }
    if last == 0 || matches!(scene.token(last + 1).kind, Kind::Word | Kind::Number) {
        return None;
    }
    let letters: Vec<&str> = places.iter().map(|at| scene.token(*at).text).collect();
    let known = lexicon::builtin().letters.alone(&letters.concat());
    let spelt = || {
        let names: Option<Vec<String>> = letters
            .iter()
            .map(|letter| lexicon::spell(letter))
            .collect();
        names.map(|names| names.join(" "))
    };
    let text = known.map(str::to_owned).or_else(spelt)?;
    // The dot behind the last one belongs to it where the sentence goes on.
    let dot = usize::from(scene.token(last + 1).is_sign("."));
    let next = scene.token(scene.skip_space(last + 1 + dot));
    let goes_on = match next.kind {
        Kind::Word => !next.is_capitalised(),
        Kind::Sign => matches!(next.text, "(" | "," | ";" | ")"),
        _ => false,
    };
    let end = last + 1 + if goes_on { dot } else { 0 };
    Some(Said::new(end, text))
}

/// Short forms before a name or number: `P. Lê Lợi`, `TP Vinh`, `Q.1`.
pub(super) fn place(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    if !token.is(Kind::Word) || scene.is_glued() {
        return None;
    }
    let dot = usize::from(scene.token(1).is_sign("."));
    let name_at = scene.skip_space(1 + dot);
    let name = scene.token(name_at);
    let is_named = name.is_capitalised() || name.is(Kind::Number);
    let is_loose = dot == 0 && name_at == 1;
    let is_office = |words: &[&str]| words.iter().any(|word| scene.precedes(word, 1 + dot));
    let word = match token.text {
        // Has a name of its own.
        "TP" | "Tp" if name.text == "HCM" => return None,
        // phòng, chống TP và TNXH: crime, and no city.
        "TP" if scene.previous() == "chống" => return None,
        "TP" | "Tp" | "tp" if is_named => "thành phố",
        "TP" | "Tp" | "tp" if dot == 0 => return Some(Said::new(1, "thành phố")),
        "TX" | "Tx" | "tx" if is_named => "thị xã",
        "TT" | "Tt" if is_office(&CENTRES) => "trung tâm",
        "TT" if name.is(Kind::Number) => "Thông tư",
        "TT" | "Tt" | "tt" if is_named => "thị trấn",
        "H" | "h" if dot == 1 && name.is_capitalised() => "huyện",
        "X" | "x" if dot == 1 && name.is_capitalised() => "xã",
        // ông Trần Đ. Hùng
        "Đ" if scene.cued(&PERSONS) && scene.back(2).is_capitalised() => return None,
        "Đ" | "đ" if dot == 1 && name.is_capitalised() => "đường",
        "Q" | "q" if is_named && (dot == 1 || is_loose) => "quận",
        "KP" if is_named => "khu phố",
        "P" | "p" if is_loose && name.is(Kind::Number) && name.text.len() >= 3 => "phòng",
        "P" | "p" if is_loose && name.is(Kind::Number) => "phường",
        "P" if (dot == 1 || name_at == 2) && is_office(&OFFICES) => "phòng",
        "P" | "p" if dot == 1 && name.is(Kind::Number) => {
            if name.text.len() >= 3 {
                "phòng"
            } else {
                "phường"
            }
        }
        "P" if dot == 1 && name.is_all_capitals() => "phòng",
        "P" | "p" if dot == 1 && name.is_capitalised() => "phường",
        "P" if name_at == 2 && name.is_capitalised() && !name.is_all_capitals() => "phường",
        "K" if dot == 1 && name.is(Kind::Number) => "khối",
        // Tổ 9, K.Tân Phúc; with a space somebody's name may end so.
        "K" if dot == 1
            && name.is_capitalised()
            && name.text.chars().count() > 1
            && (name_at == 2 || scene.back(2).is_sign(",")) =>
        {
            "khối"
        }
        // SN 24, đường …; a year of birth has four digits.
        "SN" if name.is(Kind::Number) && name.text.len() <= 3 => "số nhà",
        "ĐT" if let Some(said) = provincial_road(scene, name_at) => return Some(said),
        "BĐ" if let Some(said) = alarm(scene, name_at) => return Some(said),
        "BĐI" | "BĐII" | "BĐIII" => return Some(glued_alarm(scene)),
        "Ô" if dot == 1 && name.is_capitalised() => "ông",
        _ => return None,
    };
    // The space after it is kept by whoever puts the words together.
    let tokens = if dot == 1 { 2 } else { 1 };
    let number = (word == "phòng" && name.is(Kind::Number))
        .then(|| crate::speech::number::one_by_one(name.text));
    Some(match number {
        Some(number) => Said::new(name_at + 1, format!("{word} {number}")),
        None if name_at == tokens => Said::new(tokens, format!("{word} ")),
        None => Said::new(tokens, word),
    })
}

/// `ĐT.542`, `đường ĐT 532`: no number to call is so short, but for services, which begin with one.
fn provincial_road(scene: &Scene<'_>, at: usize) -> Option<Said> {
    let number = scene.token(at);
    let is_road = number.is(Kind::Number)
        && number.text.len() == 3
        && number.text.as_bytes()[0] > b'1'
        && !scene.token(at + 1).is(Kind::Number)
        && !scene.token(scene.skip_space(at + 1)).is(Kind::Number)
        && !scene.token(at + 2).is(Kind::Number);
    // ĐT.538E
    let branch = scene.token(at + 1);
    let branch = if branch.is(Kind::Word) {
        let is_letter = branch.text.len() == 1 && branch.is_capitalised();
        format!(
            " {}",
            is_letter.then(|| lexicon::spell(branch.text)).flatten()?
        )
    } else {
        String::new()
    };
    let number = is_road.then(|| cardinal(number.text, scene.speech.voice))?;
    let is_said = matches!(scene.previous(), "đường" | "tỉnh");
    Some(Said::new(
        at + 1 + usize::from(!branch.is_empty()),
        format!(
            "{} {number}{branch}",
            if is_said {
                "tỉnh"
            } else {
                "đường tỉnh"
            }
        ),
    ))
}

/// `dưới BĐ2 0,05m`, `trên BĐ III 0,3 m`: two numbers in a row would be heard as one.
fn alarm(scene: &Scene<'_>, at: usize) -> Option<Said> {
    let level = super::roman::roman_or_number(scene.token(at))?;
    let measure = scene.skip_space(at + 1);
    let is_measured = measure > at + 1 && scene.token(measure).is(Kind::Number);
    is_measured.then(|| {
        let level = cardinal(&level.to_string(), scene.speech.voice);
        Said::new(at + 1, format!("báo động {level},"))
    })
}

/// `trên BĐII 0,3m`.
fn glued_alarm(scene: &Scene<'_>) -> Said {
    let level = match scene.token(0).text {
        "BĐI" => "một",
        "BĐII" => "hai",
        _ => "ba",
    };
    let is_measured = scene.token(scene.skip_space(1)).is(Kind::Number);
    let pause = if is_measured { "," } else { "" };
    Said::new(1, format!("báo động {level}{pause}"))
}

/// Roads by their number: `QL1A`, `ĐT.534`.
fn road(scene: &Scene<'_>) -> Option<Said> {
    let word = match scene.token(0).text {
        "QL" => "Quốc lộ",
        "TL" => "Tỉnh lộ",
        "ĐT" => "đường tỉnh",
        "HL" => "hương lộ",
        "BĐ" => "báo động",
        // CT01 is also a form, CT2 a block of flats.
        "CT" if matches!(scene.previous(), "tuyến" | "đường") => "cao tốc",
        _ => return None,
    };
    let dot = usize::from(matches!(scene.token(1).text, "." | "-"));
    let is_numbered = scene.token(scene.skip_space(1 + dot)).is(Kind::Number);
    is_numbered.then(|| {
        Said::new(
            1 + dot,
            format!(
                "{word}{}",
                if scene.token(1 + dot).is(Kind::Space) {
                    ""
                } else {
                    " "
                }
            ),
        )
    })
}

/// An abbreviation in brackets after the words it stands for, and words in brackets after their abbreviation: said once.
pub(super) fn repeated(scene: &Scene<'_>) -> Option<Said> {
    if !scene.token(0).is_sign("(") {
        return None;
    }
    let close = (2..20).find(|ahead| scene.token(*ahead).is_sign(")"))?;
    let inside = scene.written(close);
    let inside = inside.trim_start_matches('(').trim();
    let inside = inside
        .strip_prefix("gọi tắt là ")
        .or_else(|| inside.strip_prefix("viết tắt là "))
        .unwrap_or(inside);
    let spoken = |short: &str| {
        let speech = scene.speech;
        let known = lexicon::builtin();
        speech
            .abbreviations
            .alone(short)
            .or_else(|| known.abbreviations.alone(short))
            .map(str::to_lowercase)
    };
    let is_after_words =
        spoken(inside).is_some_and(|words| scene.follows(&words) || with_commas(scene, &words));
    let back = 1 + usize::from(scene.back(1).is(Kind::Space));
    let is_after_short =
        spoken(scene.back(back).text).is_some_and(|words| words == inside.to_lowercase());
    (is_after_words || is_after_short || is_defined(scene, inside))
        .then(|| Said::new(close + 1, ""))
}

/// Whether the words right before begin with the letters of `short`: *không khí lạnh (KKL)* says what it stands for.
fn is_defined(scene: &Scene<'_>, short: &str) -> bool {
    let initial = |letter: char| {
        let capital = letter.to_uppercase().next().unwrap_or(letter);
        // Ủ begins a word for which U stands; Đ is a letter of its own.
        capital.nfd().next().unwrap_or(capital)
    };
    let is_short =
        (2..=6).contains(&short.chars().count()) && short.chars().all(char::is_uppercase);
    let mut back = 1;
    is_short
        && short.chars().rev().all(|letter| {
            while scene.back(back).is(Kind::Space) || scene.back(back).is_sign(",") {
                back += 1;
            }
            let word = scene.back(back);
            back += 1;
            word.is(Kind::Word)
                && !word.is_all_capitals()
                && word.text.chars().next().map(initial) == Some(initial(letter))
        })
}

/// Whether the words stand before, with a comma somewhere among them: *phòng cháy, chữa cháy (PCCC)*.
fn with_commas(scene: &Scene<'_>, words: &str) -> bool {
    let mut back = 1;
    words
        .rsplit(' ')
        .map(|word| word.trim_end_matches(','))
        .all(|word| {
            while matches!(scene.back(back).kind, Kind::Space)
                || matches!(scene.back(back).text, "," | "-")
                || scene.back(back).lower == "và"
            {
                back += 1;
            }
            let fits = *scene.back(back).lower == *word;
            back += 1;
            fits || word == "và" || word == "-"
        })
}
