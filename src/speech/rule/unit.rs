//! Units and currencies, and what is counted by another: `km/h`, `20.000 đồng/kg`.

use super::{Said, letter};
use crate::speech::{
    number::cardinal,
    scene::Scene,
    syllable::is_syllable,
    token::{Kind, Token},
};

/// Where a unit may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seat {
    /// Also alone in a sentence: `mỗi kg`.
    Free,
    /// Only after a number, with or without a space.
    Near,
    /// Only right after a number.
    Glued,
}

const UNITS: &[(&str, &str, Seat)] = &[
    ("cc", "xê xê", Seat::Near),
    ("Mb", "mê ga bít", Seat::Near),
    ("oC", "độ xê", Seat::Near),
    ("kVA", "ki lô vôn am pe", Seat::Near),
    ("KVA", "ki lô vôn am pe", Seat::Near),
    ("trđ", "triệu đồng", Seat::Near),
    ("Trđ", "triệu đồng", Seat::Near),
    ("tỷđ", "tỷ đồng", Seat::Glued),
    ("km", "ki lô mét", Seat::Free),
    ("Km", "ki lô mét", Seat::Free),
    ("KM", "ki lô mét", Seat::Near),
    ("cm", "xăng ti mét", Seat::Free),
    ("mm", "mi li mét", Seat::Free),
    ("dm", "đề xi mét", Seat::Near),
    ("m", "mét", Seat::Near),
    ("kg", "ki lô gam", Seat::Free),
    ("Kg", "ki lô gam", Seat::Free),
    ("KG", "ki lô gam", Seat::Near),
    ("g", "gam", Seat::Near),
    ("gr", "gam", Seat::Near),
    ("mg", "mi li gam", Seat::Free),
    ("mmHg", "mi li mét thủy ngân", Seat::Free),
    ("µg", "mi crô gam", Seat::Free),
    ("μg", "mi crô gam", Seat::Free),
    ("T", "tấn", Seat::Near),
    ("t", "tấn", Seat::Near),
    ("N", "", Seat::Glued),
    ("S", "", Seat::Glued),
    ("E", "", Seat::Glued),
    ("l", "lít", Seat::Near),
    ("L", "lít", Seat::Glued),
    ("lít", "lít", Seat::Near),
    ("ml", "mi li lít", Seat::Free),
    ("ha", "héc ta", Seat::Near),
    ("kW", "ki lô oát", Seat::Free),
    ("KW", "ki lô oát", Seat::Near),
    ("kWh", "ki lô oát giờ", Seat::Free),
    ("KWh", "ki lô oát giờ", Seat::Free),
    ("kwh", "ki lô oát giờ", Seat::Free),
    ("MW", "mê ga oát", Seat::Near),
    ("kV", "ki lô vôn", Seat::Free),
    ("V", "vôn", Seat::Near),
    ("W", "oát", Seat::Near),
    ("HP", "mã lực", Seat::Near),
    ("mAh", "mi li am pe giờ", Seat::Near),
    ("inch", "inh", Seat::Near),
    ("kWp", "ki lô oát đỉnh", Seat::Near),
    ("Hz", "héc", Seat::Near),
    ("GB", "ghi ga bai", Seat::Near),
    ("MB", "mê ga bai", Seat::Near),
    ("TB", "tê ra bai", Seat::Glued),
    ("KB", "ki lô bai", Seat::Near),
    ("Mbps", "mê ga bít trên giây", Seat::Near),
    ("Gbps", "ghi ga bít trên giây", Seat::Near),
    ("Ah", "am pe giờ", Seat::Near),
    ("dBA", "đề xi ben", Seat::Near),
    ("md", "mét dài", Seat::Near),
    ("dB", "đề xi ben", Seat::Near),
    ("s", "giây", Seat::Near),
    ("MHz", "mê ga héc", Seat::Near),
    ("Mhz", "mê ga héc", Seat::Near),
    ("kHz", "ki lô héc", Seat::Near),
    ("GHz", "ghi ga héc", Seat::Near),
    ("h", "giờ", Seat::Near),
    ("H", "giờ", Seat::Glued),
    ("p", "phút", Seat::Glued),
    ("ph", "phút", Seat::Near),
    ("k", "nghìn", Seat::Glued),
    ("K", "nghìn", Seat::Glued),
    ("tr", "triệu", Seat::Near),
    ("Tr", "triệu", Seat::Near),
    ("TR", "triệu", Seat::Glued),
    ("tỉ", "tỷ", Seat::Glued),
    ("đ", "đồng", Seat::Near),
    ("Đ", "đồng", Seat::Near),
    ("VNĐ", "đồng", Seat::Near),
    ("VND", "đồng", Seat::Near),
    ("vnđ", "đồng", Seat::Near),
    ("vnd", "đồng", Seat::Near),
    ("VNđ", "đồng", Seat::Near),
    ("USD", "đô la Mỹ", Seat::Near),
    ("EUR", "ơ rô", Seat::Near),
    ("G", "gờ", Seat::Glued),
    ("A", "am pe", Seat::Near),
    ("IU", "đơn vị quốc tế", Seat::Near),
    ("UI", "đơn vị quốc tế", Seat::Near),
    ("mmol", "mi li mon", Seat::Free),
    ("hPa", "héc tô pát can", Seat::Free),
    ("dL", "đề xi lít", Seat::Glued),
    ("dl", "đề xi lít", Seat::Glued),
    ("BTU", "bê tê u", Seat::Near),
    ("MP", "mê ga píc xeo", Seat::Near),
    ("bar", "ba", Seat::Near),
];

/// Words near which `16A` is a current, and no house and no class.
const CURRENT: [&str; 7] = [
    "dòng",
    "dòng điện",
    "cường độ",
    "aptomat",
    "áp tô mát",
    "cầu dao",
    "cầu chì",
];

/// Words near which `18,5N` is a place on the globe.
const GLOBE: [&str; 7] = [
    "tâm bão",
    "vị trí",
    "tọa độ",
    "toạ độ",
    "áp thấp",
    "vĩ độ",
    "kinh độ",
];

/// Signs that are units.
const SIGNS: [(&str, &str); 13] = [
    ("%", "phần trăm"),
    ("‰", "phần nghìn"),
    ("℃", "độ xê"),
    ("℉", "độ ép"),
    ("₫", "đồng"),
    ("$", "đô la"),
    ("€", "ơ rô"),
    ("£", "bảng Anh"),
    ("¥", "yên"),
    ("㎡", "mét vuông"),
    ("㎥", "mét khối"),
    ("㎏", "ki lô gam"),
    ("㎞", "ki lô mét"),
];

/// What things are counted by: `đồng/tháng`.
const MEASURES: &[&str] = &[
    "bình",
    "lớp",
    "bàn",
    "chai",
    "thùng",
    "bao",
    "gói",
    "hộp",
    "gốc",
    "mâm",
    "đợt",
    "vụ",
    "liều",
    "nhóm",
    "đêm",
    "nhà",
    "ngày",
    "tháng",
    "năm",
    "giờ",
    "phút",
    "giây",
    "người",
    "hộ",
    "lượt",
    "lần",
    "tuần",
    "suất",
    "em",
    "cháu",
    "quý",
    "kỳ",
    "bộ",
    "cái",
    "chiếc",
    "con",
    "cây",
    "sào",
    "khẩu",
    "thửa",
    "phiếu",
    "vé",
    "học",
    "lít",
    "tấn",
    "tạ",
    "yến",
    "mét",
    "trường",
    "trẻ",
    "xe",
    "chuyến",
    "ca",
    "buổi",
    "bài",
    "khối",
    "lô",
    "căn",
];

/// What money may be called instead.
const CURRENCIES: [&str; 4] = ["đô", "usd", "euro", "tệ"];

/// The currency written before a number.
pub(super) fn currency(token: &Token<'_>) -> Option<&'static str> {
    match token.text {
        "$" => Some("đô la"),
        "USD" | "US" => Some("đô la Mỹ"),
        "€" | "EUR" => Some("ơ rô"),
        "£" => Some("bảng Anh"),
        "₫" | "VND" | "VNĐ" => Some("đồng"),
        _ => None,
    }
}

/// The unit after a number that ends before `at`: its words, and where it ends.
pub(super) fn after_number(scene: &Scene<'_>, at: usize) -> Option<(String, usize)> {
    let spaced = scene.token(at).is(Kind::Space);
    let (name, mut end) = base(
        scene,
        scene.skip_space(at),
        if spaced { Seat::Near } else { Seat::Glued },
    )?;
    let name = if name == "nghìn" {
        scene.speech.voice.nghin
    } else {
        name
    };
    let mut text = name.to_owned();
    // 12,5 tr.đ
    if name == "triệu"
        && scene.token(end).is_sign(".")
        && matches!(scene.token(end + 1).text, "đ" | "đồng" | "VNĐ")
    {
        text.push_str(" đồng");
        end += 2;
    }
    if let Some((per, after)) = per(scene, end, name) {
        text.push_str(&per);
        end = after;
    }
    Some((text, end))
}

/// A unit without what it is counted by.
fn base(scene: &Scene<'_>, at: usize, seat: Seat) -> Option<(&'static str, usize)> {
    let token = scene.token(at);
    if token.is(Kind::Sign) {
        if matches!(token.text, "°" | "º") {
            let letter = scene.token(scene.skip_space(at + 1));
            return Some(match letter.text {
                "C" => ("độ xê", scene.skip_space(at + 1) + 1),
                "F" => ("độ ép", scene.skip_space(at + 1) + 1),
                // nước mắm 40°N: its nitrogen
                "N" if scene.cued(&["mắm", "đạm"]) => ("độ đạm", at + 2),
                "N" | "S" | "E" | "W" if scene.token(at + 1).text == letter.text => {
                    (letter::bearing(scene, letter.text), at + 2)
                }
                _ => ("độ", at + 1),
            });
        }
        // 2'30"
        let is_minute = matches!(scene.back(1).text, "'" | "′") && scene.back(2).is(Kind::Number);
        if matches!(token.text, "\"" | "″" | "''") && is_minute && scene.token(0).is(Kind::Number)
        {
            return Some(("giây", at + 1));
        }
        // trong 30': the number is not in quotes itself.
        if matches!(token.text, "'" | "′") && seat == Seat::Glued {
            let is_quoted = matches!(scene.back(1).text, "'" | "‘");
            return (!is_quoted && scene.token(0).is(Kind::Number)).then_some(("phút", at + 1));
        }
        let (_, name) = SIGNS.iter().find(|(sign, _)| *sign == token.text)?;
        return Some((name, at + 1));
    }
    if !token.is(Kind::Word) {
        return None;
    }
    let fits = |wanted: Seat| match seat {
        Seat::Glued => true,
        Seat::Near => wanted != Seat::Glued,
        Seat::Free => wanted == Seat::Free,
    };
    let next = scene.token(at + 1);
    let power = match next.text {
        "2" | "²" => "vuông",
        "3" | "³" => "khối",
        _ => "",
    };
    if let Some(height) = height(scene, at) {
        return Some((height, at + 2));
    }
    let is_length = matches!(token.text, "m" | "km" | "cm" | "mm" | "dm" | "Km");
    if is_length
        && !power.is_empty()
        && !matches!(scene.token(at + 2).kind, Kind::Word | Kind::Number)
    {
        let name = match (token.text, power) {
            ("m", "vuông") => "mét vuông",
            ("m", _) => "mét khối",
            ("km" | "Km", _) => "ki lô mét vuông",
            ("cm", "vuông") => "xăng ti mét vuông",
            ("cm", _) => "xăng ti mét khối",
            ("mm", _) => "mi li mét vuông",
            _ => "đề xi mét vuông",
        };
        return Some((name, at + 2));
    }
    if matches!(next.kind, Kind::Number) {
        return None;
    }
    // USD, đ and the like before a hyphenated word are units all the same; `m-` and `h-` are not seen.
    let (_, name, _) = UNITS
        .iter()
        .find(|(unit, _, wanted)| *unit == token.text && fits(*wanted))?;
    if token.text == "A" && !scene.cued(&CURRENT) {
        return None;
    }
    // 15 đ/c are comrades.
    if token.text == "đ" && scene.token(at + 1).is_sign("/") && scene.token(at + 2).lower == "c" {
        return None;
    }
    if let Some(sense) = by_sense(scene, at) {
        return (!sense.is_empty()).then_some((sense, at + 1));
    }
    // Thông điệp 5K: what begins with K.
    if token.text == "K"
        && let Some(name) = letter::rule_or_run(scene, at)
    {
        return Some((name, at + 1));
    }
    // `5 h` before a name is the letter: khối 5 H. Nam Đàn.
    Some((name, at + 1))
}

/// Letters that are units by the words around them only: the name, or an empty one where they are none here.
fn by_sense(scene: &Scene<'_>, at: usize) -> Option<&'static str> {
    let token = scene.token(at);
    match token.text {
        "N" | "S" | "E" | "W" if scene.cued(&GLOBE) || letter::is_position(scene, at) => {
            Some(letter::bearing(scene, token.text))
        }
        "N" | "S" | "E" => Some(""),
        // video 1080p: lines of a picture.
        "p" if matches!(
            scene.token(0).text,
            "360" | "480" | "720" | "1080" | "1440" | "2160"
        ) =>
        {
            Some("pê")
        }
        // 6T, 9T/2025: so many months of a year.
        "T" if scene.token(at + 1).is_sign(",") && {
            let next = scene.skip_space(at + 2);
            scene.token(next + 1).text == "T" && scene.token(next + 2).is_sign("/")
        } =>
        {
            Some("tháng")
        }
        // 6T đầu năm: the months of a half-year.
        "T" if ["đầu", "cuối"]
            .iter()
            .any(|word| scene.precedes(word, at + 1)) =>
        {
            Some("tháng")
        }
        // 5 T. Hà: somebody's name.
        "t" | "T" if scene.token(at + 1).is_sign(".") && scene.token(at + 2).is_capitalised() => {
            Some("")
        }
        "t" | "T" => Some(letter::tally(scene, at).unwrap_or_default()),
        "đ" => match letter::is_mark(scene, at) {
            Some(true) => Some("điểm"),
            None if at > 0 && scene.token(at - 1).is(Kind::Number) => Some(""),
            _ => None,
        },
        _ => None,
    }
}

/// `trẻ em dưới 1m2`: how tall a child is, and no area.
fn height(scene: &Scene<'_>, at: usize) -> Option<&'static str> {
    let is_child = scene.token(at).text == "m"
        && scene.token(0).text == "1"
        && scene.cued(&["trẻ", "trẻ em", "cao", "chiều cao"]);
    match scene.token(at + 1).text {
        "2" if is_child => Some("mét hai"),
        "3" if is_child => Some("mét ba"),
        _ => None,
    }
}

/// `/kg`, `/tháng`, `/h` after a unit or currency.
pub(super) fn per(scene: &Scene<'_>, at: usize, unit: &str) -> Option<(String, usize)> {
    if !scene.token(at).is_sign("/") {
        return None;
    }
    let word = scene.token(at + 1);
    // 100mm/24h
    if let Some(hours) = word.small()
        && matches!(scene.token(at + 2).text, "h" | "giờ")
        && !unit.is_empty()
    {
        let hours = cardinal(&hours.to_string(), scene.speech.voice);
        return Some((format!(" trong {hours} giờ"), at + 3));
    }
    // 80mg/100ml
    if let Some(whole) = super::quantity::numeral(scene, at + 1)
        && let Some((name, end)) = base(scene, scene.skip_space(whole.end), Seat::Near)
        && (unit.ends_with("gam") || unit.ends_with("lít"))
        && (name.ends_with("gam") || name.ends_with("lít"))
    {
        return Some((format!(" trên {} {name}", whole.say(scene)), end));
    }
    if !word.is(Kind::Word) {
        return None;
    }
    // 500k/th
    let is_money = ["đồng", "nghìn", "ngàn", "triệu"]
        .iter()
        .any(|money| unit.starts_with(money));
    if word.text == "th" && is_money {
        return Some((" một tháng".to_owned(), at + 2));
    }
    // 155.000 đ/HS/tháng
    let abbreviations = &crate::speech::lexicon::builtin().abbreviations;
    if let Some(spoken) = abbreviations.alone(word.text)
        && word.is_all_capitals()
        && base(scene, at + 1, Seat::Glued).is_none()
    {
        let (more, end) = per(scene, at + 2, "").unwrap_or((String::new(), at + 2));
        return Some((format!(" một {spoken}{more}"), end));
    }
    let is_speed = unit.ends_with("mét") || unit.ends_with("bít") || unit.ends_with("khối");
    if let Some((name, end)) = base(scene, at + 1, Seat::Glued) {
        // km/h, m³/s, m/s
        // µg/m³: how much is in the air
        let is_content = unit.ends_with("gam") && name.ends_with("khối");
        let joint = if is_content || is_speed && matches!(name, "giờ" | "giây") {
            "trên"
        } else {
            "một"
        };
        // mg/kg/lần
        let (more, end) = per(scene, end, name).unwrap_or((String::new(), end));
        return Some((format!(" {joint} {name}{more}"), end));
    }
    if MEASURES.contains(&&*word.lower)
        && let Some((more, end)) = per(scene, at + 2, "")
    {
        return Some((format!(" một {}{more}", word.text), end));
    }
    // What money is paid for and what is measured may be of anything: đồng/hồ sơ, triệu đồng/lượng, 20W/kênh.
    let is_paid = !unit.is_empty()
        && is_syllable(&word.lower)
        && !matches!(&*word.lower, "hoặc" | "và")
        && !CURRENCIES.contains(&&*word.lower);
    (MEASURES.contains(&&*word.lower) || is_paid).then(|| {
        (
            format!(
                " {} {}",
                if is_speed && matches!(&*word.lower, "giờ" | "giây" | "phút") {
                    "trên"
                } else {
                    "một"
                },
                word.text
            ),
            at + 2,
        )
    })
}

/// What a slash at the token in hand says before a measure, where a number stands some words before: `3-4 tạ cá/ha`.
pub(super) fn per_measure(scene: &Scene<'_>) -> Option<(String, usize)> {
    let measures = ["ha", "m", "km", "kg", "g", "ml", "l", "lít", "sào"];
    (measures.contains(&scene.token(1).text)).then(|| per(scene, 0, ""))?
}

/// A unit in a sentence, without a number: `mỗi kg`, `100 triệu đ`, `đồng/kg`.
pub(super) fn alone(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    if scene.is_glued() || !matches!(token.kind, Kind::Word | Kind::Sign) {
        return None;
    }
    let previous = scene.previous();
    if matches!(token.text, "đ" | "Đ" | "k" | "VNĐ" | "VND" | "vnđ")
        && matches!(
            previous,
            "triệu" | "nghìn" | "ngàn" | "tỷ" | "tỉ" | "trăm" | "chục"
        )
    {
        let (per, end) = per(scene, 1, "đồng").unwrap_or_default();
        return Some(Said::new(end.max(1), format!("đồng{per}")));
    }
    if &*token.lower == "đồng"
        || MEASURES.contains(&&*token.lower)
        || matches!(&*token.lower, "triệu" | "tỷ")
    {
        // 2,5 tỷ/căn is money, too.
        let unit = if matches!(&*token.lower, "đồng" | "triệu" | "tỷ") {
            "đồng"
        } else {
            ""
        };
        let (per, end) = per(scene, 1, unit)?;
        return Some(Said::new(end, format!("{}{per}", token.text)));
    }
    // Km0, km12
    if &*token.lower == "km" && scene.token(1).is(Kind::Number) {
        return Some(Said::new(1, "ki lô mét "));
    }
    if token.text == "C" && matches!(previous, "độ") {
        return Some(Said::new(1, "xê"));
    }
    if !token.is(Kind::Word) {
        return None;
    }
    let is_square = matches!(scene.token(1).text, "2" | "3" | "²" | "³");
    let seat = if is_square { Seat::Near } else { Seat::Free };
    let (name, end) = base(scene, 0, seat)?;
    let (per, end) = per(scene, end, name).map_or((String::new(), end), |(per, end)| (per, end));
    Some(Said::new(end, format!("{name}{per}")))
}
