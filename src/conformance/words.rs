//! The words that are sent, and whether they arrive: found again in whatever form a request carries them.

use std::{collections::BTreeSet, sync::Arc};

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
        let is_whole = covers(&audio.data, bodies())
            || covers(packed.as_bytes(), bodies())
            || covers(
                packed.as_bytes(),
                requests.iter().map(|one| plain(one).into_bytes()),
            )
            || covers(&audio.data, unpacked)
            || samples.is_some_and(|samples| covers(samples, bodies()));
        if !is_whole && !is_found {
            breaches.push(Breach::new("sound"));
        }
    } else if !is_found {
        breaches.push(Breach::new("no-words"));
    }
    breaches
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
                let broken = |requests: &[&Request]| {
                    let found = arrived(requests, Some(&audio), false);
                    found.iter().any(|breach| breach.code == "sound")
                };
                assert!(!broken(&[one, other]), "{format:?}");
                assert!(!broken(&[one, &sent("{}"), other]), "{format:?}");
                assert!(broken(&[one]), "{format:?}");
                assert!(broken(&[other]), "{format:?}");
            }
        }
    }
}
