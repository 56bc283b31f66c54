//! The words that are sent, and whether they arrive: found again in whatever form a request carries them.

use std::{collections::BTreeSet, sync::Arc};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::{Breach, content, sound::WAV_HEAD};
use crate::{
    domain::{
        audio::{Audio, AudioFormat},
        bulletin::Format,
        id::BulletinId,
        message::{Content, Quoted},
    },
    simulator::{Request, percent_decode},
};

/// Every sort of letter that Vietnamese has and others do not, and every tone.
const WORDS: &str = "bà con chú ý, kẻ xấu giả danh cán bộ thuế, dặn đừng chuyển tiền; Ữ ặ ỗ ị ỡ Đ";

/// Every sign that one container or another gives a meaning. It is no Markdown and no pattern of a template that is to be filled.
const SIGNS: &str = r#"2 < 3 > 1 & "a" 'b' C:\d 50%41 {{ x }} 1+1 🔊"#;

/// The parts of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Title,
    Text,
    Spoken,
    Summary,
    Html,
}

impl Part {
    pub(super) const ALL: [Self; 5] = [
        Self::Title,
        Self::Text,
        Self::Spoken,
        Self::Summary,
        Self::Html,
    ];

    /// What it begins with. It is ASCII, so that it is found again whatever becomes of the rest.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Title => "T7301",
            Self::Text => "L7302",
            Self::Spoken => "S7303",
            Self::Summary => "M7304",
            Self::Html => "H7305",
        }
    }

    /// The word for it in the catalogue (`conformance.part-WORD`).
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Text => "text",
            Self::Spoken => "spoken",
            Self::Summary => "summary",
            Self::Html => "html",
        }
    }

    /// How many lines of difficult words it has: about a thousand letters, or one line where it is never more.
    fn count(self) -> u8 {
        match self {
            Self::Title | Self::Summary => 1,
            Self::Text | Self::Spoken | Self::Html => 7,
        }
    }
}

/// How deep JSON may stand in JSON, and base64 in that.
const DEPTH: usize = 6;

/// A part of the words.
fn words(part: Part, is_decomposed: bool) -> String {
    let words: String = if is_decomposed {
        WORDS.nfd().collect()
    } else {
        WORDS.nfc().collect()
    };
    format!("{} {words}", part.tag())
}

/// The difficult lines of a part: what each begins with, all of it, and what it ends with.
pub(super) fn lines(part: Part) -> impl Iterator<Item = (String, String, String)> {
    (0..part.count()).map(move |at| {
        let (tag, letter) = (part.tag(), char::from(b'A' + at));
        let (begin, end) = (format!("{tag}{letter}"), format!("Z{}{letter}", &tag[1..]));
        let words = match part {
            // Titles are short wherever they are shown.
            Part::Title => format!("{begin} {SIGNS} chú ý {end}"),
            _ => format!("{begin} {SIGNS} {WORDS} {end}"),
        };
        (begin, words, end)
    })
}

/// Difficult lines as one text: two to a paragraph.
fn difficult(part: Part) -> String {
    let lines: Vec<String> = lines(part).map(|(_, words, _)| words).collect();
    let paragraphs: Vec<String> = lines.chunks(2).map(|pair| pair.join("\n")).collect();
    paragraphs.join("\n\n")
}

/// The same as a page has it.
fn difficult_html() -> String {
    let escaped = difficult(Part::Html)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    let paragraphs = escaped.split("\n\n");
    let paragraphs = paragraphs.map(|one| one.replace('\n', "<br />\n"));
    let paragraphs: Vec<String> = paragraphs.collect();
    format!("<p>{}</p>\n", paragraphs.join("</p>\n<p>"))
}

/// A bulletin that is none.
pub(super) fn content(format: Format, is_decomposed: bool) -> Arc<Content> {
    let html = format!("<p>{}</p>", words(Part::Html, is_decomposed));
    made(format, |part| match part {
        Part::Html => html.clone(),
        _ => words(part, is_decomposed),
    })
}

/// One whose words are hard to carry.
pub(super) fn hard(format: Format) -> Arc<Content> {
    made(format, |part| match part {
        Part::Html => difficult_html(),
        _ => difficult(part),
    })
}

/// A content has the parts that its format has, and no others.
fn made(format: Format, words: impl Fn(Part) -> String) -> Arc<Content> {
    let is_article = format == Format::Article;
    Arc::new(Content {
        bulletin: BulletinId::parse("kiem-tra-ket-noi").expect("an id"),
        format,
        title: words(Part::Title),
        summary: is_article.then(|| words(Part::Summary)),
        text: words(Part::Text),
        html: is_article.then(|| words(Part::Html)),
        turns: Vec::new(),
        spoken: match format {
            Format::Script => vec![words(Part::Spoken)],
            _ => Vec::new(),
        },
        quoted: Quoted::default(),
        contacts: Vec::new(),
        recording: None,
        picture: None,
    })
}

/// What became of the words in what a receiver got, and which parts of them arrived. Where they are meant to be `without_marks` they may
/// have lost those.
pub(super) fn arrived(
    requests: &[&Request],
    is_decomposed: bool,
    without_marks: bool,
) -> (BTreeSet<Part>, Vec<Breach>) {
    let all: Vec<String> = requests.iter().flat_map(|one| readings(one)).collect();
    let mut breaches = Vec::new();
    let mut parts = BTreeSet::new();
    for part in Part::ALL {
        let words = words(part, is_decomposed);
        let composed: String = words.nfc().collect();
        let found: Vec<&str> = all
            .iter()
            .filter_map(|text| Some(&text[text.find(part.tag())?..]))
            .collect();
        if found.is_empty() {
            continue;
        }
        parts.insert(part);
        let is_whole = |text: &&str| {
            text.starts_with(&words) || (is_decomposed && text.starts_with(&composed))
        };
        if !found.iter().any(is_whole) {
            let how = found.iter().map(|text| change(text, &composed)).min();
            let how = how.unwrap_or_default();
            if !(without_marks && how == "marks") {
                breaches.push(Breach::new("words").with("how", how));
            }
        }
    }
    breaches.extend(other_charset(requests));
    (parts, breaches)
}

/// A charset in which no words of ours are written.
pub(super) fn other_charset(requests: &[&Request]) -> Option<Breach> {
    let odd = requests.iter().find_map(|request| {
        let media = request.header("content-type")?.to_ascii_lowercase();
        let (_, charset) = media.split_once("charset=")?;
        let charset = charset.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        (!charset.starts_with("utf-8")).then(|| charset.to_owned())
    });
    odd.map(|charset| Breach::new("charset").with("charset", charset))
}

/// Whether a sound arrived as it is.
pub(super) fn is_heard_whole(requests: &[&Request], audio: &Audio) -> bool {
    let packed = STANDARD.encode(&audio.data);
    // Some receivers take bare samples, for which both sides have agreed on the rest.
    let samples = match audio.sound.format {
        AudioFormat::Wav => audio.data.get(WAV_HEAD..),
        AudioFormat::Mp3 | AudioFormat::Opus => None,
    };
    // Others take it in pieces, in several calls: as bytes, as pieces of its base64, or each piece as base64 of its own. Each reading
    // of a request counts once: silence is much alike.
    let bodies = || requests.iter().map(|request| request.body.to_vec());
    let plain = |request: &&Request| percent_decode(&String::from_utf8_lossy(&request.body));
    let unpacked = requests.iter().flat_map(|request| {
        let texts: BTreeSet<String> = readings(request).into_iter().collect();
        let bytes = texts.iter().map(|text| STANDARD.decode(text.trim()));
        bytes.filter_map(Result::ok).collect::<Vec<_>>()
    });
    covers(&audio.data, bodies())
        || covers(packed.as_bytes(), bodies())
        || covers(
            packed.as_bytes(),
            requests.iter().map(|one| plain(one).into_bytes()),
        )
        || covers(&audio.data, unpacked)
        || samples.is_some_and(|samples| covers(samples, bodies()))
}

/// How many bytes of a piece have to be found again before it is taken for one.
const PIECE: usize = 16;

/// Whether the parts hold `wanted`, one after another: each goes on where those before it have come to.
fn covers(wanted: &[u8], parts: impl Iterator<Item = Vec<u8>>) -> bool {
    let mut rest = wanted;
    for part in parts {
        let Some(begin) = rest
            .get(..rest.len().min(PIECE))
            .filter(|one| !one.is_empty())
        else {
            break;
        };
        let places = part.windows(begin.len()).enumerate();
        let places = places.filter(|(_, window)| *window == begin);
        let lengths = places.map(|(at, _)| {
            let both = part[at..].iter().zip(rest);
            both.take_while(|(one, other)| one == other).count()
        });
        rest = &rest[lengths.max().unwrap_or(0)..];
    }
    rest.is_empty()
}

/// How words differ from what was sent: the mildest comes first in the alphabet of these.
pub(super) fn change(text: &str, wanted: &str) -> &'static str {
    let length = wanted.chars().count();
    let begin = |text: &str| text.chars().take(length).collect::<String>();
    let stripped = |text: &str| {
        text.nfd()
            .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
            .map(|c| match c {
                'đ' => 'd',
                'Đ' => 'D',
                other => other,
            })
            .collect::<String>()
    };
    let composed: String = text.nfc().collect();
    if begin(&composed) == wanted {
        "decomposed"
    } else if begin(&stripped(text)) == stripped(wanted) {
        "marks"
    } else {
        "other"
    }
}

/// All texts that a request can be read as.
pub(super) fn readings(request: &Request) -> Vec<String> {
    let mut found = Vec::new();
    let target = format!("{}?{}", request.path, request.query);
    for part in request.path.split('/').chain(request.query.split('&')) {
        unfold(&percent_decode(part), DEPTH, &mut found);
    }
    found.push(percent_decode(&target));
    for (_, value) in &request.headers {
        for part in value.split(' ') {
            unfold(part, DEPTH, &mut found);
        }
        found.push(value.clone());
    }
    let body = String::from_utf8_lossy(&request.body);
    found.push(percent_decode(&body));
    unfold(&body, DEPTH, &mut found);
    let values = content::values(request).into_iter();
    found.extend(values.map(|value| value.text));
    found
}

/// A text, and what is folded into it as JSON, base64 or hexadecimal digits.
pub(super) fn unfold(text: &str, depth: usize, found: &mut Vec<String>) {
    found.push(text.to_owned());
    if depth == 0 {
        return;
    }
    if let Ok(json) = serde_json::from_str::<Value>(text) {
        leaves(&json, depth, found);
    } else {
        let inner = from_base64(text).into_iter().chain(from_hex(text));
        for inner in inner.collect::<Vec<_>>() {
            unfold(&inner, depth - 1, found);
        }
    }
}

fn leaves(json: &Value, depth: usize, found: &mut Vec<String>) {
    match json {
        Value::String(text) => unfold(text, depth - 1, found),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, depth, found)),
        Value::Object(map) => map.values().for_each(|item| leaves(item, depth, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What base64 of some length hides.
pub(super) fn from_base64(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() < 12 {
        return None;
    }
    let bytes = STANDARD
        .decode(text)
        .or_else(|_| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')));
    String::from_utf8(bytes.ok()?).ok()
}

/// What hexadecimal digits of some length hide: UTF-8, or UTF-16 with the high byte first or last, as gateways of text messages take it.
pub(super) fn from_hex(text: &str) -> Vec<String> {
    let digits = text.trim().as_bytes();
    if digits.len() < 12 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Vec::new();
    }
    let pairs = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    let Some(bytes) = pairs.collect::<Option<Vec<u8>>>() else {
        return Vec::new();
    };
    let units = |order: fn([u8; 2]) -> u16| {
        let pairs = bytes.chunks_exact(2).map(|pair| order([pair[0], pair[1]]));
        let whole = bytes
            .len()
            .is_multiple_of(2)
            .then(|| pairs.collect::<Vec<_>>());
        String::from_utf16(&whole?).ok()
    };
    let all = [
        String::from_utf8(bytes.clone()).ok(),
        units(u16::from_be_bytes),
        units(u16::from_le_bytes),
    ];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(body: impl Into<Vec<u8>>) -> Request {
        Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: body.into().into(),
            keep_alive: true,
        }
    }

    #[test]
    fn hexadecimal_digits_are_read_as_text() {
        for digits in ["01101ec100207469006e", "0110 1ec1", "0110", "xyxyxyxyxyxy"] {
            assert_eq!(
                from_hex(digits).iter().find(|text| *text == "Đề tin"),
                None,
                "{digits}"
            );
        }
        for digits in [
            "01101EC1002000740069006E",
            "1001c11e2000740069006e00",
            "c490e1bb812074696e",
        ] {
            assert!(from_hex(digits).contains(&"Đề tin".to_owned()), "{digits}");
        }
    }

    /// A device with little memory takes a sound in several calls, and has it whole at the end.
    #[test]
    fn a_sound_may_arrive_in_pieces() {
        for format in [AudioFormat::Wav, AudioFormat::Mp3, AudioFormat::Opus] {
            let audio = crate::conformance::sound::silence(format);
            let whole = audio.data.as_ref();
            let (one, other) = whole.split_at(whole.len() / 3);
            let json = |text: &str| sent(format!(r#"{{"seq":1,"data":"{text}"}}"#));
            let packed = STANDARD.encode(whole);
            let (packed_one, packed_other) = packed.split_at(packed.len() / 3);
            let ways = [
                [sent(one), sent([b"--x\r\n\r\n", other].concat())],
                [json(&STANDARD.encode(one)), json(&STANDARD.encode(other))],
                [json(packed_one), json(packed_other)],
            ];
            for [one, other] in &ways {
                let broken = |requests: &[&Request]| !is_heard_whole(requests, &audio);
                assert!(!broken(&[one, other]), "{format:?}");
                assert!(!broken(&[one, &sent("{}"), other]), "{format:?}");
                assert!(broken(&[one]), "{format:?}");
                assert!(broken(&[other]), "{format:?}");
            }
        }
    }
}
