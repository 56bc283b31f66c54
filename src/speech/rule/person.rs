//! Short forms before the name of a person, a province or a place: `chị T. Hương`, `T.Nghệ An`, `T.Anh`, `đ/c: Bí thư`.

use super::{
    Said,
    context::{follows, precedes},
};
use crate::speech::{ProblemKind, scene::Scene, token::Kind};

/// The country's provinces, those of today and those that were.
const PROVINCES: [&str; 65] = [
    "an giang",
    "bà rịa",
    "bạc liêu",
    "bắc giang",
    "bắc kạn",
    "bắc cạn",
    "bắc ninh",
    "bến tre",
    "bình định",
    "bình dương",
    "bình phước",
    "bình thuận",
    "cà mau",
    "cao bằng",
    "đắk lắk",
    "đắk nông",
    "điện biên",
    "đồng nai",
    "đồng tháp",
    "gia lai",
    "hà giang",
    "hà nam",
    "hà tĩnh",
    "hà tây",
    "hải dương",
    "hậu giang",
    "hòa bình",
    "hoà bình",
    "hưng yên",
    "khánh hòa",
    "khánh hoà",
    "kiên giang",
    "kon tum",
    "lai châu",
    "lâm đồng",
    "lạng sơn",
    "lào cai",
    "long an",
    "nam định",
    "nghệ an",
    "ninh bình",
    "ninh thuận",
    "phú thọ",
    "phú yên",
    "quảng bình",
    "quảng nam",
    "quảng ngãi",
    "quảng ninh",
    "quảng trị",
    "sóc trăng",
    "sơn la",
    "tây ninh",
    "thái bình",
    "thái nguyên",
    "thanh hóa",
    "thanh hoá",
    "thừa thiên",
    "tiền giang",
    "trà vinh",
    "tuyên quang",
    "vĩnh long",
    "vĩnh phúc",
    "vĩnh phú",
    "yên bái",
    "nghệ tĩnh",
];

/// Words before somebody whose name is not written out.
const PERSONS: [&str; 12] = [
    "ông",
    "bà",
    "anh",
    "chị",
    "em",
    "cháu",
    "cụ",
    "bé",
    "chí",
    "nạn nhân",
    "bị can",
    "cô",
];

/// `T.Anh`, `T. Việt`: a language that is taught; `T. Nghệ An`: a province; `chị T. Hương`: a person.
pub(super) fn subject(scene: &Scene<'_>) -> Option<Said> {
    const LANGUAGES: [&str; 9] = [
        "Anh", "Việt", "Pháp", "Trung", "Nhật", "Hàn", "Nga", "Đức", "Thái",
    ];
    let name_at = scene.skip_space(2);
    let name = scene.token(name_at);
    if !scene.token(1).is_sign(".") || !name.is_capitalised() || name.text.chars().count() < 2 {
        return None;
    }
    let space = if name_at == 2 { " " } else { "" };
    if precedes(scene, &PROVINCES, 2) {
        return Some(Said::new(2, format!("tỉnh{space}")));
    }
    // Not of the language in `T. Anh, T. Pháp`.
    let is_person = (1..8)
        .take_while(|back| matches!(scene.back(*back).kind, Kind::Word | Kind::Space))
        .any(|back| {
            let is_name = [1, 2]
                .iter()
                .any(|more| scene.back(back + more).is_sign("."));
            PERSONS.contains(&&*scene.back(back).lower) && !is_name
        });
    if LANGUAGES.contains(&name.text) && !is_person {
        return Some(Said::new(2, format!("tiếng{space}")));
    }
    // T.P, T.Ư
    if name.is_all_capitals() {
        return None;
    }
    let words = format!("tê{space}");
    Some(if is_person {
        Said::new(2, words)
    } else {
        Said::wrong(2, words, ProblemKind::UnknownAbbreviation)
    })
}

/// Who is asked to come, and where things are.
const INVITED: [&str; 21] = [
    "mời",
    "nghị",
    "các",
    "công",
    "gồm",
    "của",
    "do",
    "yêu cầu",
    "giao",
    "chúc mừng",
    "đồng ý",
    "có",
    "là",
    "chia buồn",
    "bầu",
    "cử",
    "phần",
    "bởi",
    "khen thưởng",
    "biểu dương",
    "đạo",
];
const HEADS: [&str; 14] = [
    "bí thư",
    "phó",
    "chủ tịch",
    "trưởng",
    "ủy viên",
    "uv",
    "uvbtv",
    "pbt",
    "pct",
    "ct",
    "thường trực",
    "đại diện",
    "nguyễn",
    "toàn thể",
];
const PLACES: [&str; 33] = [
    "số",
    "đường",
    "phố",
    "ngõ",
    "ngách",
    "hẻm",
    "kiệt",
    "thôn",
    "xóm",
    "tổ",
    "phường",
    "xã",
    "khối",
    "khu",
    "tầng",
    "tòa",
    "toà",
    "nhà",
    "ấp",
    "bản",
    "quận",
    "huyện",
    "thị",
    "tdp",
    "ubnd",
    "sn",
    "trụ sở",
    "hội trường",
    "p",
    "q",
    "kđt",
    "trạm",
    "chợ",
];
const LED: [&str; 8] = ["tại", "về", "ở", "theo", "nộp", "ghi", "trú", "đến"];

/// `Kính mời đ/c: Bí thư`, `Đ/c: số 7 Trần Phú`: who is meant, or where.
pub(super) fn comrade(scene: &Scene<'_>) -> Option<Said> {
    let is_short = scene.token(0).text == "ĐC";
    let end = if is_short { 1 } else { 3 };
    let is_form =
        is_short || (scene.token(1).is_sign("/") && matches!(scene.token(2).text, "c" | "C"));
    // Đ/c liên hệ: 12 Quang Trung
    let word = scene.skip_space(end);
    let named = if matches!(scene.word(word), "liên" | "nộp" | "nhận" | "giao") {
        (word + 1..word + 4).find(|at| scene.token(*at).is_sign(":"))
    } else {
        None
    };
    let colon = named.unwrap_or_else(|| scene.skip_space(end));
    if !is_form || !scene.token(colon).is_sign(":") {
        return None;
    }
    let at = scene.skip_space(colon + 1);
    // A telephone is called where somebody is, and not walked to.
    let is_place = (scene.token(at).is(Kind::Number) && scene.token(at).text.len() < 5)
        || precedes(scene, &PLACES, colon + 1);
    let is_person = follows(scene, &INVITED) || precedes(scene, &HEADS, colon + 1);
    // Đ/c: Trần Phú, Hà Đông; Đ/c: Trần Văn A: streets have the names of people.
    let is_family = super::sense::is_family(scene.token(at));
    let is_led = follows(scene, &LED) || (scene.begins_line() && !is_family);
    Some(match (is_place, is_person) {
        (true, false) => Said::new(end, "địa chỉ"),
        (false, true) => Said::new(end, "đồng chí"),
        (false, false) if is_led => Said::new(end, "địa chỉ"),
        _ => Said::wrong(end, "địa chỉ", ProblemKind::Ambiguous),
    })
}
