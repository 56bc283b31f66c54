//! Numbers of documents: `13/2023/NĐ-CP`, `1234/UBND-VHTT`, `39/2020/TT-BTTTT`.
//!
//! The parts are those of Nghị định 30/2020/NĐ-CP, appendix III: number, year for laws and decrees, then kind and issuer.

use super::Said;
use crate::speech::{
    lexicon,
    number::{cardinal, one_by_one},
    scene::Scene,
    token::Kind,
};

/// Kinds of documents.
const KINDS: [(&str, &str); 30] = [
    ("KL", "Kết luận"),
    ("NĐ", "Nghị định"),
    ("NQ", "Nghị quyết"),
    ("NQLT", "Nghị quyết liên tịch"),
    ("TT", "Thông tư"),
    ("TTLT", "Thông tư liên tịch"),
    ("QĐ", "Quyết định"),
    ("CT", "Chỉ thị"),
    ("KH", "Kế hoạch"),
    ("CV", "Công văn"),
    ("TB", "Thông báo"),
    ("BC", "Báo cáo"),
    ("TTr", "Tờ trình"),
    ("TTR", "Tờ trình"),
    ("CĐ", "Công điện"),
    ("HD", "Hướng dẫn"),
    ("QC", "Quy chế"),
    ("QyĐ", "Quy định"),
    ("PA", "Phương án"),
    ("ĐA", "Đề án"),
    ("CTr", "Chương trình"),
    ("CTR", "Chương trình"),
    ("GM", "Giấy mời"),
    ("BB", "Biên bản"),
    ("PL", "Pháp lệnh"),
    ("L", "Luật"),
    ("VBHN", "Văn bản hợp nhất"),
    ("HĐ", "Hợp đồng"),
    ("GP", "Giấy phép"),
    ("GCN", "Giấy chứng nhận"),
];

/// Issuers whose letters mean something else, or nothing, outside a document's number.
const ISSUERS: [(&str, &str); 23] = [
    ("NV", "Nội vụ"),
    ("BTGTW", "Ban Tuyên giáo Trung ương"),
    ("CATTT", "Cục An toàn thông tin"),
    ("TCT", "Tổng cục Thuế"),
    ("CT", "Chủ tịch"),
    ("ĐU", "Đảng ủy"),
    ("TW", "Trung ương"),
    ("VX", "Văn xã"),
    ("KGVX", "Khoa giáo, Văn xã"),
    ("TH", "Tổng hợp"),
    ("TD", "Tiếp dân"),
    ("CP", "Chính phủ"),
    ("BTC", "Bộ Tài chính"),
    ("VPCP", "Văn phòng Chính phủ"),
    ("VP", "Văn phòng"),
    ("SYT", "Sở Y tế"),
    ("SGDĐT", "Sở Giáo dục và Đào tạo"),
    ("TU", "Tỉnh ủy"),
    ("BTGTU", "Ban Tuyên giáo Tỉnh ủy"),
    ("BTGTƯ", "Ban Tuyên giáo Trung ương"),
    ("CAT", "Công an tỉnh"),
    ("NC", "Nội chính"),
    ("KT", "Kinh tế"),
];

/// Words after which a number is that of a document.
const DOCUMENTS: [&str; 30] = [
    "ttlt",
    "quy định",
    "nđ",
    "nq",
    "qđ",
    "tt",
    "kh",
    "cv",
    "ct",
    "kết luận",
    "nghị định",
    "nghị quyết",
    "thông tư",
    "quyết định",
    "chỉ thị",
    "kế hoạch",
    "công văn",
    "thông báo",
    "báo cáo",
    "tờ trình",
    "công điện",
    "hướng dẫn",
    "luật",
    "văn bản",
    "pháp lệnh",
    "thông tư liên tịch",
    "nghị quyết liên tịch",
    "giấy phép",
    "giấy chứng nhận",
    "quy chế",
];

/// `biểu 02-TH`, `mẫu số 03-ĐK`: what the letters of a form stand for only its office knows, so they are spelt.
pub(super) fn form(scene: &Scene<'_>) -> Option<Said> {
    const FORMS: [&str; 8] = [
        "biểu",
        "biểu số",
        "mẫu",
        "mẫu số",
        "biểu mẫu",
        "biểu mẫu số",
        "phụ lục",
        "phụ lục số",
    ];
    let (number, letters) = (scene.token(0), scene.token(2));
    let is_form = !scene.is_glued()
        && number.is(Kind::Number)
        && scene.token(1).is_dash()
        && letters.is_all_capitals()
        && letters.text.chars().count() <= 4
        && !matches!(scene.token(3).text, "/" | "-")
        && FORMS.iter().any(|form| scene.follows(form));
    let spelt = is_form.then(|| lexicon::spell(letters.text)).flatten()?;
    let number = if number.text.starts_with('0') {
        one_by_one(number.text)
    } else {
        cardinal(number.text, scene.speech.voice)
    };
    Some(Said::new(3, format!("{number}, {spelt}")))
}

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    if scene.is_glued() {
        return None;
    }
    prefixed(scene).or_else(|| number(scene))
}

/// `NQ57-NQ/TW`, `NĐ168/2024/NĐ-CP`, `QĐ25/2025/QĐ-UBND`: the kind and the number without a space between. Without anything
/// behind, only decrees and resolutions are known so.
fn prefixed(scene: &Scene<'_>) -> Option<Said> {
    let letters = scene.token(0);
    // NĐ-168/2024/NĐ-CP, NĐ.168/2024
    let sign = usize::from(matches!(scene.token(1).text, "-" | "."));
    let digits = scene.token(1 + sign);
    if !letters.is(Kind::Word) || !digits.is(Kind::Number) || digits.text.len() > 4 {
        return None;
    }
    let (_, name) = KINDS
        .iter()
        .find(|(short, _)| *short == letters.text && short.len() > 1)?;
    // The editors', or the built-in, reading of the letters alone.
    let kind = lexicon::builtin()
        .abbreviations
        .alone(letters.text)
        .unwrap_or(name);
    if let Some(rest) = number(&scene.ahead(1 + sign)) {
        let text = rest.text.strip_prefix("số ").unwrap_or(&rest.text);
        let text = text.replace(&format!(", {name}"), "");
        return Some(Said::new(1 + sign + rest.tokens, format!("{kind} {text}")));
    }
    // Nghị định.168/2024: no code behind the year.
    if sign == 1 && scene.token(3).is_sign("/") && super::date::is_year(scene.token(4).text) {
        let [number, year] = [2, 4].map(|at| cardinal(scene.token(at).text, scene.speech.voice));
        return Some(Said::new(5, format!("{kind} {number} năm {year}")));
    }
    if sign == 1 {
        return None;
    }
    let is_part = |at: usize| matches!(scene.token(at).kind, Kind::Word | Kind::Number);
    let goes_on = matches!(scene.token(2).text, "-" | "/" | "." | ",") && is_part(3);
    let ends = !is_part(2) && !goes_on;
    let is_known =
        ends && matches!(letters.text, "NĐ" | "NQ" | "NQLT" | "QĐ") && digits.text.len() <= 3;
    let voice = scene.speech.voice;
    is_known.then(|| Said::new(2, format!("{kind} {}", cardinal(digits.text, voice))))
}

fn number(scene: &Scene<'_>) -> Option<Said> {
    let number = scene.token(0);
    if !number.is(Kind::Number) {
        return None;
    }
    let after_number = scene.previous() == "số" || scene.follows("số :");
    let named = DOCUMENTS
        .iter()
        .find(|name| scene.follows(name) || (after_number && scene.follows(&format!("{name} số"))));
    // 08/CT-TTg; the letters may follow the number without a slash in between: never seen.
    // 05-CT/TW is how the Party numbers.
    let is_party = scene.token(1).is_sign("-")
        && scene.token(2).is_capitalised()
        && scene.token(3).is_sign("/");
    if !scene.token(1).is_sign("/") && !is_party {
        return None;
    }
    let mut at = 2;
    let mut year = None;
    if scene
        .token(2)
        .small()
        .is_some_and(|year| (1945..2100).contains(&year))
    {
        if scene.token(3).is_sign("/") && scene.token(4).is(Kind::Word) {
            year = Some(scene.token(2).text);
            at = 4;
        } else if named.is_some() {
            // Nghị định 13/2023: no month.
            year = Some(scene.token(2).text);
            return Some(Said::new(3, head(scene, number.text, year, after_number)));
        } else {
            return None;
        }
    }
    let (codes, end) = codes(scene, at)?;
    // Đề án 06/CP is known by that name.
    let mut text = if scene.follows("đề án") && number.text.starts_with('0') {
        one_by_one(number.text)
    } else {
        head(scene, number.text, year, after_number)
    };
    let kind = codes
        .first()
        .and_then(|code| KINDS.iter().find(|(short, _)| short == code));
    // giấy phép xây dựng số 88/GPXD says it twice.
    let is_own = |words: &str| {
        scene.follows(&words.to_lowercase())
            || scene.follows(&format!("{} số", words.to_lowercase()))
    };
    if let [code] = codes.as_slice()
        && (is_own(code)
            || lexicon::builtin()
                .abbreviations
                .alone(code)
                .is_some_and(is_own))
    {
        return Some(Said::new(end, text));
    }
    let issuers = &codes[usize::from(kind.is_some())..];
    if let Some((short, kind)) = kind {
        let short = short.to_lowercase();
        let is_said = named.is_some_and(|name| *name == kind.to_lowercase())
            || scene.follows(&short)
            || scene.follows(&format!("{short} số"))
            // The Party's QĐ.
            || (short == "qđ" && named == Some(&"quy định"));
        if !is_said {
            text.push_str(", ");
            text.push_str(kind);
        }
    }
    // 57-NQ/TW của Bộ Chính trị: whose it is follows in words.
    if scene.precedes("của", end) {
        return Some(Said::new(end, text));
    }
    let mut of = kind.is_some();
    for code in issuers {
        let issuer = issuer(code)?;
        // Nghị định 30/2020/NĐ-CP ngày 05/3/2020 của Chính phủ: said once.
        let phrases = [&issuer, code].map(|words| format!("của {}", words.to_lowercase()));
        let is_repeated = |ahead| phrases.iter().any(|phrase| scene.precedes(phrase, ahead));
        if of && (end..end + 14).any(is_repeated) {
            break;
        }
        text.push_str(if of { " của " } else { ", " });
        text.push_str(&issuer);
        of = false;
    }
    Some(Said::new(end, text))
}

/// *số một hai ba bốn*, *mười ba năm hai nghìn không trăm hai mươi ba*.
fn head(scene: &Scene<'_>, number: &str, year: Option<&str>, is_announced: bool) -> String {
    let voice = scene.speech.voice;
    let mut text = String::new();
    if !is_announced {
        text.push_str("số ");
    }
    // Registry numbers are read digit by digit, the short numbers of decrees as numbers.
    if number.len() > 3 || (number.starts_with('0') && number.len() > 2) {
        text.push_str(&one_by_one(number));
    } else {
        text.push_str(&cardinal(number, voice));
    }
    if let Some(year) = year {
        text.push_str(" năm ");
        text.push_str(&cardinal(year, voice));
    }
    text
}

/// The letters with hyphens between them, beginning at `at`; at least one, in capitals.
fn codes<'s>(scene: &Scene<'s>, at: usize) -> Option<(Vec<String>, usize)> {
    let mut codes = Vec::new();
    let mut at = at;
    loop {
        let token: &'s _ = scene.token(at);
        if !token.is_capitalised()
            || token.text.chars().filter(|c| c.is_uppercase()).count() < 2 && token.text != "L"
        {
            return None;
        }
        let mut code = token.text.to_owned();
        at += 1;
        // GD&ĐT, QH14
        if scene.token(at).is_sign("&") && scene.token(at + 1).is_capitalised() {
            code = format!("{code}&{}", scene.token(at + 1).text);
            at += 2;
        }
        if scene.token(at).is(Kind::Number) {
            code.push_str(scene.token(at).text);
            at += 1;
        }
        codes.push(code);
        let goes_on = (scene.token(at).is_dash() || scene.token(at).is_sign("/"))
            && scene.token(at + 1).is_capitalised();
        if !goes_on {
            return Some((codes, at));
        }
        at += 1;
    }
}

pub(super) fn issuer(code: &str) -> Option<String> {
    let lexicon = lexicon::builtin();
    let letters = code.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &code[letters.len()..];
    // Units of the police are letters and digits: PA05, PC02.
    if !number.is_empty() && letters.len() == 2 && letters != "QH" {
        return Some(format!(
            "{} {}",
            lexicon::spell(letters)?,
            one_by_one(number)
        ));
    }
    let spoken = ISSUERS
        .iter()
        .chain(&KINDS)
        .find(|(short, _)| *short == letters)
        .map(|(_, words)| (*words).to_owned())
        .or_else(|| lexicon.abbreviations.alone(letters).map(str::to_owned))
        .or_else(|| lexicon::spell(letters))?;
    let north = super::Voice {
        linh: "linh",
        nghin: "nghìn",
    };
    Some(match (letters, number) {
        (_, "") => spoken,
        ("QH" | "UBTVQH", number) => format!("{spoken} khóa {}", cardinal(number, north)),
        (_, number) => format!("{spoken} {}", one_by_one(number)),
    })
}
