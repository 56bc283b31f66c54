//! Two numbers and more with a dash between: spans, scores, and what stands in a row.

use super::{
    Said, compound,
    date::{after_dash, is_year},
    letter,
    quantity::{Numeral, SPANNED, numeral},
    unit,
};
use crate::speech::{
    ProblemKind,
    number::{cardinal, one_by_one},
    scene::Scene,
    token::Kind,
};

/// Words near which two numbers are a score.
const SCORES: [&str; 8] = [
    "tỷ số",
    "tỉ số",
    "thắng",
    "thua",
    "hòa",
    "hoà",
    "dẫn",
    "luân lưu",
];

/// Words near which they are one where nothing is counted.
const GAMES: [&str; 7] = [
    "hiệp",
    "trận",
    "séc",
    "chung kết",
    "bán kết",
    "tứ kết",
    "vòng bảng",
];

/// What has a number of its own, so that two neighbours are named one by one.
const NUMBERED: [&str; 9] = [
    "tổ", "tầng", "lớp", "khối", "thôn", "xóm", "đội", "ấp", "tdp",
];

/// The value of a number of at most two digits.
fn small(number: &Numeral) -> Option<u32> {
    let is_small = number.decimals.is_none() && number.whole.len() <= 2;
    is_small.then(|| number.whole.parse().ok()).flatten()
}

/// Whether `one` is a smaller number than `other`, both of at most two digits.
fn is_less(one: &Numeral, other: &Numeral) -> bool {
    small(one)
        .zip(small(other))
        .is_some_and(|(one, other)| one < other)
}

/// `5-10 phút`, `10%-15%`, `1-2-3`.
pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    if scene.is_glued()
        || (matches!(scene.back(1).text, "-" | "–" | "/") && scene.back(2).is(Kind::Number))
    {
        return None;
    }
    let first = numeral(scene, 0)?;
    if let Some(said) = compound::compound_span(scene, &first).or_else(|| row(scene, &first)) {
        return Some(said);
    }
    let (first_unit, first_end) = match unit::after_number(scene, first.end) {
        Some((unit, end)) if after_dash(scene, end).is_some() => (format!(" {unit}"), end),
        _ => match scene.next_word(first.end) {
            // 500 nghìn - 1 triệu
            word if SPANNED.contains(&word) => {
                (format!(" {word}"), scene.skip_space(first.end) + 1)
            }
            _ => (String::new(), first.end),
        },
    };
    let next = after_dash(scene, first_end)?;
    // từ đủ 75-<80 tuổi
    let (below, next) = match scene.token(next).text {
        "<" => ("dưới ", scene.skip_space(next + 1)),
        _ => ("", next),
    };
    let second = numeral(scene, next)?;
    // 8-9/10 điểm, 2-3/10 hộ
    let whole = scene.token(second.end + 1);
    let after = second.end + 2;
    if scene.token(second.end).is_sign("/")
        && whole.is(Kind::Number)
        && (scene.next_word(after) == "điểm" || super::share::is_counted(scene, after))
    {
        let whole = cardinal(whole.text, scene.speech.voice);
        let (first, second) = (first.say(scene), second.say(scene));
        return Some(Said::new(
            after,
            format!("{first} đến {second} trên {whole}"),
        ));
    }
    if scene.token(0).text.len() >= 3 && scene.token(0).text.starts_with('0')
        || (scene.token(second.end).is_sign("/") && !scene.token(second.end + 1).is(Kind::Word))
    {
        return None;
    }
    // 1-2-3 is a list.
    if let Some(third) = after_dash(scene, second.end).and_then(|at| numeral(scene, at)) {
        let third_at = after_dash(scene, second.end)?;
        let words = [first.say(scene), second.say(scene), third.say(scene)].join(", ");
        return Some(Said::new(third.end.max(third_at + 1), words));
    }
    let (second_unit, end) = unit::after_number(scene, second.end)
        .map_or((String::new(), second.end), |(unit, end)| {
            (format!(" {unit}"), end)
        });
    if second_unit.is_empty() && first_unit.is_empty() {
        if is_apart(scene, &first, &second, next) {
            return Some(Said::new(first.end, first.say(scene)));
        }
        // 5-10t: nobody can tell what is counted.
        if letter::is_bare(scene, second.end) {
            let words = format!("{} đến {} tê", first.say(scene), second.say(scene));
            return Some(Said::wrong(second.end + 1, words, ProblemKind::Ambiguous));
        }
        // căn hộ 1508-1510
        if super::quantity::is_door(scene) && scene.token(next).text.len() == 4 {
            let [one, other] = [0, next].map(|at| one_by_one(scene.token(at).text));
            return Some(Said::new(second.end, format!("{one} đến {other}")));
        }
        if let Some(said) = neighbours(scene, &first, &second, next) {
            return Some(said);
        }
    }
    let is_plain = second_unit.is_empty() && first_unit.is_empty();
    let is_score = is_plain && is_score(scene, &first, &second, end);
    // 15,5°N-109,2°E is a place.
    let is_place = [" Bắc", " Nam"].iter().any(|end| first_unit.ends_with(end));
    let middle = match (is_score, is_place) {
        (true, _) => " ",
        (_, true) => ", ",
        _ => " đến ",
    };
    Some(Said::new(
        end,
        format!(
            "{}{first_unit}{middle}{below}{}{second_unit}",
            first.say(scene),
            second.say(scene)
        ),
    ))
}

/// Whether two numbers, of which the second ends before `end`, are what two sides of a game have.
fn is_score(scene: &Scene<'_>, first: &Numeral, second: &Numeral, end: usize) -> bool {
    let is_tight = scene.token(first.end).is_dash();
    let word = scene.next_word(end);
    let is_falling = is_less(second, first);
    let is_even = small(first).is_some() && small(first) == small(second);
    let is_no_span = is_falling || is_even;
    let counts = SPANNED.contains(&word) || word == "bàn";
    // U23 Việt Nam 2-0 Lào
    let next = scene.token(scene.skip_space(end));
    let is_between =
        scene.previous_token().is_capitalised() && next.is_capitalised() && !next.is_all_capitals();
    ((is_falling || !counts) && SCORES.iter().any(|phrase| scene.follows(phrase)))
        // SLNA thắng Hà Nội 2-0: nothing is counted. Nothing goes from more to less, and nothing from two to two.
        || ((word.is_empty() || is_no_span) && scene.cued(&SCORES))
        || (word.is_empty() && scene.cued(&GAMES))
        // Việt Nam - Thái Lan: 2-1
        || ((word.is_empty() || is_between || is_tight) && is_no_span && !counts)
}

/// Whether what stands between is a dash of the sentence: `Mậu Thân 1968 - 1.204 liệt sĩ`, `đợt 12 - 5 suất`. With spaces around
/// it, nothing goes from more to less, and from a year only to a year.
fn is_apart(scene: &Scene<'_>, first: &Numeral, second: &Numeral, next: usize) -> bool {
    let is_spaced = scene.token(first.end).is(Kind::Space);
    let follows = !scene.next_word(second.end).is_empty();
    let is_grouped = second.end > next + 1 && second.decimals.is_none();
    let is_from_year = first.end == 1 && is_year(scene.token(0).text) && is_grouped;
    let values = first
        .whole
        .parse::<u64>()
        .ok()
        .zip(second.whole.parse::<u64>().ok());
    let is_falling = first.decimals.is_none()
        && second.decimals.is_none()
        && values.is_some_and(|(first, second)| first > second)
        // đêm 30 - 1 Tết, từ 28 - 5, số 21 - 19 Lê Lợi
        && !matches!(
            scene.previous(),
            "từ" | "ngày" | "đêm" | "số" | "ngõ" | "nhà" | "mùng"
        )
        && !scene.cued(&SCORES);
    is_spaced && (is_from_year || (follows && is_falling))
}

/// `36T-24T-12T-6T`: three and more with the same unit are a row, and no spans in pairs.
fn row(scene: &Scene<'_>, first: &Numeral) -> Option<Said> {
    /// Longer rows are read in parts.
    const MOST: usize = 12;
    let mark = scene.token(first.end).text;
    let (unit, mut end) =
        unit::after_number(scene, first.end).filter(|_| scene.token(first.end).is(Kind::Word))?;
    let mut words = vec![format!("{} {unit}", first.say(scene))];
    while let Some(next) = after_dash(scene, end).filter(|_| words.len() < MOST) {
        let number = numeral(scene, next)?;
        if scene.token(number.end).text != mark {
            break;
        }
        words.push(format!("{} {unit}", number.say(scene)));
        end = number.end + 1;
    }
    (words.len() > 2).then(|| Said::new(end, words.join(", ")))
}

/// `tổ 4-5`: two neighbours, each by its name.
fn neighbours(scene: &Scene<'_>, first: &Numeral, second: &Numeral, next: usize) -> Option<Said> {
    let noun = NUMBERED.iter().find(|noun| scene.previous() == **noun)?;
    let (one, other) = small(first).zip(small(second))?;
    let is_tight = next == first.end + 1;
    // tổ 4-5 người
    let counted = scene.next_word(second.end);
    let counts = SPANNED.contains(&counted)
        || matches!(
            counted,
            "buổi" | "tiết" | "em" | "cháu" | "suất" | "ca" | "lượt"
        );
    let goes_on = matches!(scene.token(second.end).kind, Kind::Word | Kind::Number);
    let noun = if *noun == "tdp" {
        "tổ dân phố"
    } else {
        noun
    };
    (one + 1 == other && is_tight && !counts && !goes_on).then(|| {
        let words = format!("{}, {noun} {}", first.say(scene), second.say(scene));
        Said::new(second.end, words)
    })
}

/// `11/7, 8/11, 11/9` behind a result: what each side had in every part of the game.
pub(super) fn parts(scene: &Scene<'_>) -> Option<Said> {
    const RESULTS: [&str; 11] = [
        "séc",
        "set",
        "sét",
        "ván",
        "tỷ số",
        "tỉ số",
        "hiệp",
        "thắng",
        "thua",
        "đấu",
        "trận",
    ];
    /// The first of these say by themselves that no days follow.
    const CERTAIN: usize = 6;
    const MOST: usize = 7;
    let pair = |at: usize| {
        let (ours, theirs) = (scene.token(at).small()?, scene.token(at + 2).small()?);
        let is_part = |at: usize| matches!(scene.token(at).kind, Kind::Word | Kind::Number);
        let goes_on = matches!(scene.token(at + 3).text, "/" | "-" | ".")
            && scene.token(at + 4).is(Kind::Number);
        let ends = !is_part(at + 3) && !goes_on;
        let is_score = ours < 40 && theirs < 40 && ours != theirs && ours.max(theirs) >= 4;
        (scene.token(at + 1).is_sign("/") && ends && is_score).then_some((ours, theirs))
    };
    if scene.is_glued() || !scene.token(0).is(Kind::Number) {
        return None;
    }
    let mut pairs = vec![pair(0)?];
    let mut end = 3;
    while matches!(scene.token(end).text, "," | ";")
        && pairs.len() < MOST
        && let next = scene.skip_space(end + 1)
        && let Some(one) = pair(next)
    {
        pairs.push(one);
        end = next + 3;
    }
    let is_certain = scene.cued(&RESULTS[..CERTAIN])
        && pairs.iter().all(|(ours, theirs)| (*ours).max(*theirs) >= 6);
    // thắng 2-1 (11/7, 8/11, 11/9): as many parts as the result counts.
    let back = if scene.back(1).is_sign("(") { 2 } else { 1 };
    let back = back + usize::from(scene.back(back).is(Kind::Space));
    let total = scene
        .back(back)
        .small()
        .zip(scene.back(back + 2).small())
        .filter(|_| scene.back(back + 1).is_dash())
        .map(|(one, other)| one + other);
    let is_whole = u32::try_from(pairs.len()).ok() == total && scene.cued(&RESULTS);
    // Days go forward.
    let is_calendar = pairs.windows(2).all(|two| {
        let [(day, month), (next_day, next_month)] = [two[0], two[1]];
        (month, day) < (next_month, next_day)
    }) && pairs
        .iter()
        .all(|(day, month)| (1..=31).contains(day) && (1..=12).contains(month));
    let is_listed = pairs.len() > 1 && total.is_some() && scene.cued(&RESULTS);
    // No month is the eighteenth.
    let is_no_day = pairs.iter().any(|(_, month)| *month > 12) && scene.cued(&RESULTS);
    if !(is_certain || is_whole || is_listed || is_no_day) {
        return None;
    }
    let voice = scene.speech.voice;
    let words: Vec<String> = pairs
        .iter()
        .map(|(ours, theirs)| {
            let [ours, theirs] = [ours, theirs].map(|side| cardinal(&side.to_string(), voice));
            format!("{ours} {theirs}")
        })
        .collect();
    let words = words.join(", ");
    Some(if is_certain || !is_calendar {
        Said::new(end, words)
    } else {
        Said::wrong(end, words, ProblemKind::Ambiguous)
    })
}

/// `tổ 3,4`, `mức độ 3,4`: what has a number has no decimals; the space behind the comma was forgotten.
pub(super) fn comma(scene: &Scene<'_>) -> Option<Said> {
    const NUMBERED: [&str; 21] = [
        "cấp",
        "tổ",
        "lớp",
        "khối",
        "khoản",
        "điều",
        "xóm",
        "thôn",
        "ấp",
        "mũi",
        "tdp",
        "đội",
        "cụm",
        "câu",
        "chương",
        "tầng",
        "bài",
        "ngõ",
        "cấp độ",
        "mức độ",
        "tuyến",
    ];
    /// What is numbered, and measured, too.
    const MEASURED: [&str; 6] = ["đợt", "lần", "vòng", "ngày", "kỳ", "trang"];
    const COUNTED: [&str; 15] = [
        "triệu", "tỷ", "tỉ", "nghìn", "ngàn", "trăm", "viên", "lít", "gói", "thìa", "giờ", "lần",
        "phút", "tiếng", "mét",
    ];
    /// A shake of the earth, or of a scale, has decimals.
    const SCALED: [&str; 3] = ["độ", "richter", "điểm"];
    let (one, comma, other) = (scene.token(0), scene.token(1), scene.token(2));
    let is_numbered = NUMBERED.iter().any(|noun| scene.follows(noun));
    let is_measured = MEASURED.contains(&scene.previous());
    let is_pair = !scene.is_glued()
        && one.text.len() <= 2
        && comma.is_sign(",")
        && other.text.len() <= 2
        && (is_numbered || is_measured)
        && !COUNTED.contains(&scene.next_word(3))
        && !matches!(scene.token(3).kind, Kind::Word | Kind::Number)
        && !(matches!(scene.token(3).text, "," | "." | "-" | "/")
            && scene.token(4).is(Kind::Number))
        && unit::after_number(scene, 3).is_none()
        && !SCALED.contains(&scene.next_word(3));
    let (first, second) = (one.small()?, other.small()?);
    let is_loose = is_measured && first + 1 != second;
    if !is_pair || is_loose || one.text.starts_with('0') || first >= second {
        return None;
    }
    let voice = scene.speech.voice;
    let [first_words, second_words] = [one, other].map(|token| cardinal(token.text, voice));
    // mức độ 3,5 may be a level, too.
    let is_level = matches!(scene.previous(), "độ" | "cấp") && first + 1 != second;
    Some(if is_level {
        Said::wrong(
            3,
            format!("{first_words} phẩy {second_words}"),
            ProblemKind::Ambiguous,
        )
    } else {
        Said::new(3, format!("{first_words}, {second_words}"))
    })
}
