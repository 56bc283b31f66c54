//! The words that are sent, and whether they arrive: found again in whatever form a request carries them.

use std::sync::Arc;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::{Breach, sound::WAV_HEAD};
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

/// What each part of the words begins with. It is ASCII, so that it is found again whatever becomes of the rest.
const TAGS: [&str; 5] = ["T7301", "L7302", "S7303", "M7304", "H7305"];

/// How deep JSON may stand in JSON, and base64 in that.
const DEPTH: usize = 6;

/// The parts of the words.
fn parts(is_decomposed: bool) -> [String; 5] {
    let words: String = if is_decomposed {
        WORDS.nfd().collect()
    } else {
        WORDS.nfc().collect()
    };
    TAGS.map(|tag| format!("{tag} {words}"))
}

/// A bulletin that is none.
pub(super) fn content(format: Format, is_decomposed: bool) -> Arc<Content> {
    let [title, text, spoken, summary, html] = parts(is_decomposed);
    Arc::new(Content {
        bulletin: BulletinId::parse("kiem-tra-ket-noi").expect("an id"),
        format,
        title,
        summary: Some(summary),
        text,
        html: Some(format!("<p>{html}</p>")),
        turns: Vec::new(),
        spoken: match format {
            Format::Script => vec![spoken],
            _ => Vec::new(),
        },
        quoted: Quoted::default(),
        contacts: Vec::new(),
        recording: None,
        picture: None,
    })
}

/// What became of the words and the sound in what a receiver got.
pub(super) fn arrived(
    requests: &[&Request],
    audio: Option<&Audio>,
    is_decomposed: bool,
) -> Vec<Breach> {
    let all: Vec<String> = requests.iter().flat_map(|one| readings(one)).collect();
    let mut breaches = Vec::new();
    let mut is_found = false;
    for (tag, words) in TAGS.iter().zip(parts(is_decomposed)) {
        let composed: String = words.nfc().collect();
        let found: Vec<&str> = all
            .iter()
            .filter_map(|text| Some(&text[text.find(tag)?..]))
            .collect();
        is_found |= !found.is_empty();
        let is_whole = |text: &&str| {
            text.starts_with(&words) || (is_decomposed && text.starts_with(&composed))
        };
        if !found.is_empty() && !found.iter().any(is_whole) {
            let how = found.iter().map(|text| change(text, &composed)).min();
            breaches.push(Breach::new("words").with("how", how.unwrap_or_default()));
        }
    }
    let odd = requests.iter().find_map(|request| {
        let media = request.header("content-type")?.to_ascii_lowercase();
        let (_, charset) = media.split_once("charset=")?;
        let charset = charset.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        (!charset.starts_with("utf-8")).then(|| charset.to_owned())
    });
    breaches.extend(odd.map(|charset| Breach::new("charset").with("charset", charset)));
    if let Some(audio) = audio {
        let packed = STANDARD.encode(&audio.data);
        let has = |body: &[u8], wanted: &[u8]| {
            body.windows(wanted.len().max(1)).any(|part| part == wanted)
        };
        // Some receivers take bare samples, for which both sides have agreed on the rest.
        let samples = match audio.sound.format {
            AudioFormat::Wav => audio.data.get(WAV_HEAD..),
            AudioFormat::Mp3 | AudioFormat::Opus => None,
        };
        let is_whole = requests.iter().any(|request| {
            has(&request.body, &audio.data)
                || has(&request.body, packed.as_bytes())
                || samples.is_some_and(|samples| has(&request.body, samples))
        });
        if !is_whole && !is_found {
            breaches.push(Breach::new("sound"));
        }
    } else if !is_found {
        breaches.push(Breach::new("no-words"));
    }
    breaches
}

/// How words differ from what was sent: the mildest comes first in the alphabet of these.
fn change(text: &str, wanted: &str) -> &'static str {
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
    found
}

/// A text, and what is folded into it as JSON or base64.
pub(super) fn unfold(text: &str, depth: usize, found: &mut Vec<String>) {
    found.push(text.to_owned());
    if depth == 0 {
        return;
    }
    if let Ok(json) = serde_json::from_str::<Value>(text) {
        leaves(&json, depth, found);
    } else if let Some(inner) = from_base64(text) {
        unfold(&inner, depth - 1, found);
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
