//! Whether two requests to one address want different things. Many devices have one address for everything, and a word in the body
//! that says what is to be done: `cmd=info` asks, `cmd=tts` speaks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::simulator::{Request, percent_decode};

/// The longest word that is a command.
const LONGEST: usize = 40;

/// Whether `question` carries another command than `call`, both to the same address. A number, a time or the bulletin's words that
/// differ make no other command: somebody may speak at half the volume.
pub(super) fn is_another(question: &Request, call: &Request) -> bool {
    let (asked, called) = (Body::of(question), Body::of(call));
    let differs = |(key, value): (&String, &String)| {
        let other = asked.fields.get(key);
        is_command(value) && other.is_some_and(|other| other != value && is_command(other))
    };
    let elements = &asked.elements;
    let asks = elements.difference(&called.elements).next().is_some();
    let misses = called.elements.difference(elements).next().is_some();
    called.fields.iter().any(differs) || (asks && misses)
}

/// A word of ASCII letters. What is said of a bulletin has spaces, marks or digits.
fn is_command(value: &str) -> bool {
    let is_sign = |c: char| matches!(c, '_' | '-' | '.' | ':' | '/');
    value.len() <= LONGEST
        && value.chars().any(|c| c.is_ascii_alphabetic())
        && value.chars().all(|c| c.is_ascii_alphabetic() || is_sign(c))
}

/// What a body says by name.
#[derive(Debug, Default)]
struct Body {
    /// The values of a form or of JSON, by their names or pointers.
    fields: BTreeMap<String, String>,
    /// The names of XML's elements, without their prefixes.
    elements: BTreeSet<String>,
}

impl Body {
    fn of(request: &Request) -> Self {
        let text = String::from_utf8_lossy(&request.body);
        let mut body = Self::default();
        if let Ok(json) = serde_json::from_slice(&request.body) {
            leaves(&json, &mut String::new(), &mut body.fields);
        } else if text.trim_start().starts_with('<') {
            body.elements = text.split('<').skip(1).filter_map(element).collect();
        } else {
            let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
            body.fields = pairs
                .map(|(name, value)| (percent_decode(name), percent_decode(value)))
                .collect();
        }
        body
    }
}

/// The name of an element that begins here, if one does.
fn element(tag: &str) -> Option<String> {
    let end = tag.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))?;
    let name = &tag[..end];
    let name = name.rsplit(':').next().unwrap_or(name);
    (!name.is_empty() && !name.starts_with(['?', '!'])).then(|| name.to_owned())
}

fn leaves(json: &Value, at: &mut String, found: &mut BTreeMap<String, String>) {
    let mut below = |name: &str, value: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(name);
        leaves(value, at, found);
        at.truncate(length);
    };
    match json {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| below(name, value)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| below(&index.to_string(), value)),
        Value::String(text) => {
            found.insert(at.clone(), text.clone());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn request(body: &str) -> Request {
        Request {
            method: "POST".to_owned(),
            path: "/cgi".to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            keep_alive: true,
        }
    }

    #[test]
    fn commands_are_told_apart() {
        let differ = |question, call| is_another(&request(question), &request(call));
        for (question, call) in [
            ("cmd=info", "cmd=tts&text=T7301+b%C3%A0&zone=1"),
            (
                r#"{"action":{"name":"status"}}"#,
                r#"{"action":{"name":"play"},"text":"T7301"}"#,
            ),
            (
                "<s:Envelope><s:Body><GetInfo/></s:Body></s:Envelope>",
                "<s:Envelope><s:Body><Speak><text>T7301</text></Speak></s:Body></s:Envelope>",
            ),
        ] {
            assert!(differ(question, call), "{question} {call}");
        }
        for (question, call) in [
            ("", "cmd=tts&text=T7301"),
            ("cmd=tts&text=thu&zone=1", "cmd=tts&text=T7301&zone=1"),
            ("cmd=tts&vol=1", "cmd=tts&vol=80"),
            ("text=xin", "text=T7301"),
            (r#"{"action":"play"}"#, r#"{"action":"play","at":"T7301"}"#),
            (
                "<Speak><text>xin</text></Speak>",
                "<Speak><text>T7301</text></Speak>",
            ),
            ("<Speak/>", "<Speak><text>T7301</text></Speak>"),
        ] {
            assert!(!differ(question, call), "{question} {call}");
        }
    }
}
