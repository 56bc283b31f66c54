//! What a request carries, read as each of its containers wants it: JSON parsed, forms and addresses percent-decoded once, XML unescaped
//! once, plain text as it is; and JSON, XML, base64, hexadecimal digits and addresses within those.

use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use quick_xml::{Reader, events::Event};
use regex::Regex;
use serde_json::Value as Json;

use super::words::{from_base64, from_hex};
use crate::simulator::Request;

/// How deep one container may stand in another.
const DEPTH: usize = 6;

/// One text in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    /// Whether it is a value by itself (of JSON, a form, XML), and not a header, a piece of a path or a whole body.
    pub(super) is_own: bool,
}

/// Why a body is not what its `Content-Type` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Odd {
    /// It is said to be JSON, or begins and ends as JSON, and cannot be parsed.
    Json,
    /// It is said to be XML, or begins with its declaration, and is not well-formed.
    Xml,
    /// It is JSON, and said to be this.
    Said(&'static str),
    /// It has letters beyond ASCII, and their charset is not said.
    NoCharset,
}

/// All texts of a request.
pub(super) fn values(request: &Request) -> Vec<Value> {
    let mut found = Found::default();
    for segment in request.path.split('/') {
        found.open(&percent(segment), DEPTH, false);
    }
    found.pairs(&request.query, DEPTH);
    for (name, value) in &request.headers {
        if name != "content-type" {
            found.open(value, DEPTH, false);
            // HTTP has no letters beyond ASCII there, so receivers agree on a way to write them.
            let decoded = percent(value);
            if decoded != *value {
                found.open(&decoded, DEPTH, false);
            }
            let words = value.split(' ');
            let packed = words.filter_map(from_base64);
            packed.for_each(|text| found.open(&text, DEPTH, false));
        }
    }
    let media = request.header("content-type").unwrap_or_default();
    found.body(media, &String::from_utf8_lossy(&request.body));
    found.all
}

/// What is odd about a request's body.
pub(super) fn odd(request: &Request) -> Option<Odd> {
    let header = request.header("content-type")?.to_ascii_lowercase();
    let body = String::from_utf8_lossy(&request.body);
    let trimmed = body.trim();
    let media = Media::of(&header);
    let json = serde_json::from_str::<Json>(trimmed);
    let is_tree = matches!(&json, Ok(json) if json.is_object() || json.is_array());
    match media {
        Media::Json => json.is_err().then_some(Odd::Json),
        Media::Xml => xml(trimmed).is_none().then_some(Odd::Xml),
        Media::Form if is_tree => Some(Odd::Said("application/x-www-form-urlencoded")),
        Media::Html if is_tree => Some(Odd::Said("text/html")),
        Media::Plain if json.is_err() && is_json_like(trimmed) => Some(Odd::Json),
        Media::Plain if trimmed.starts_with("<?xml") && xml(trimmed).is_none() => Some(Odd::Xml),
        Media::Plain if !body.is_ascii() && !header.contains("charset=") => Some(Odd::NoCharset),
        _ => None,
    }
}

/// Whether a text was made to be an object of JSON.
fn is_json_like(text: &str) -> bool {
    static BEGIN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"^\{\s*"[^"]*"\s*:"#).expect("a pattern"));
    text.ends_with('}') && BEGIN.is_match(text)
}

/// What a body is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    Xml,
    Form,
    Html,
    Plain,
    Parts,
    Other,
}

impl Media {
    fn of(header: &str) -> Self {
        let header = header.to_ascii_lowercase();
        let name = header.split(';').next().unwrap_or_default().trim();
        match name {
            "application/json" | "text/json" => Self::Json,
            "application/xml" | "text/xml" => Self::Xml,
            "application/x-www-form-urlencoded" => Self::Form,
            "text/html" => Self::Html,
            "text/plain" => Self::Plain,
            "multipart/form-data" => Self::Parts,
            _ if name.ends_with("+json") => Self::Json,
            _ if name.ends_with("+xml") && name != "application/xhtml+xml" => Self::Xml,
            _ => Self::Other,
        }
    }
}

/// Percent signs resolved, and nothing else: as in a path.
fn percent(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The same in a form or behind the question mark of an address, where `+` is a blank.
fn form(text: &str) -> String {
    percent(&text.replace('+', " "))
}

/// The texts and attributes of XML, unescaped; `None` where it is not well-formed.
pub(super) fn xml(text: &str) -> Option<Vec<String>> {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut roots) = (0_usize, 0_usize);
    let (mut all, mut current) = (Vec::new(), String::new());
    loop {
        let event = reader.read_event().ok()?;
        let is_text = matches!(
            event,
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_)
        );
        if !is_text && !current.is_empty() {
            all.push(std::mem::take(&mut current));
        }
        match event {
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                roots += usize::from(depth == 0);
                for attribute in tag.attributes() {
                    let attribute = attribute.ok()?;
                    let raw = std::str::from_utf8(&attribute.value).ok()?;
                    all.push(unescaped(raw)?);
                }
                depth += usize::from(matches!(event, Event::Start(_)));
            }
            Event::End(_) => depth = depth.checked_sub(1)?,
            Event::Text(text) => current.push_str(&text.decode().ok()?),
            Event::CData(data) => current.push_str(&data.decode().ok()?),
            Event::GeneralRef(name) => {
                let name = name.decode().ok()?;
                current.push_str(&unescaped(&format!("&{name};"))?);
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
        if depth == 0 && !current.trim().is_empty() {
            return None;
        }
    }
    (depth == 0 && roots == 1).then_some(all)
}

/// What `&lt;` and its like stand for, once; `None` where a bare `&` shows that nothing was escaped.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let unescaped = quick_xml::escape::unescape(text).ok()?;
    Some(unescaped.into_owned())
}

/// Every tag of HTML or XML.
pub(super) static TAG: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"</?[a-zA-Z][a-zA-Z0-9:-]*(\s[^<>]*)?/?>").expect("a pattern"));

/// The pieces of an address that stands in a value: what leads to its words.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:[a-z][a-z0-9+.-]*:)?//?[^\s?#]*(?:\?([^\s#]*))?").expect("a pattern")
});

#[derive(Default)]
struct Found {
    all: Vec<Value>,
}

impl Found {
    fn body(&mut self, media: &str, body: &str) {
        match Media::of(media) {
            Media::Form => self.pairs(body, DEPTH),
            Media::Parts => {
                if let Some((_, boundary)) = media.split_once("boundary=") {
                    let boundary = boundary.split(';').next().unwrap_or_default();
                    self.parts(boundary.trim_matches(['"', ' ']), body);
                }
            }
            _ => self.open(body, DEPTH, false),
        }
    }

    /// `name=value&…`
    fn pairs(&mut self, text: &str, depth: usize) {
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            // What has no name is a value.
            let value = pair.split_once('=').map_or(pair, |(_, value)| value);
            self.open(&form(value), depth, true);
        }
    }

    /// The parts of a form with files.
    fn parts(&mut self, boundary: &str, body: &str) {
        for part in body.split(&format!("--{boundary}")).skip(1) {
            let Some((head, content)) = part.split_once("\r\n\r\n") else {
                continue;
            };
            let content = content.strip_suffix("\r\n").unwrap_or(content);
            let head = head.to_ascii_lowercase();
            let media = head.split_once("content-type:").map_or("", |(_, rest)| {
                rest.lines().next().unwrap_or_default().trim()
            });
            match Media::of(media) {
                Media::Form => self.pairs(content, DEPTH),
                _ => self.open(content, DEPTH, true),
            }
        }
    }

    /// A text, and what is folded into it.
    fn open(&mut self, text: &str, depth: usize, is_own: bool) {
        let trimmed = text.trim();
        let json = Some(trimmed).filter(|text| text.starts_with(['{', '[']));
        let json = json.and_then(|text| serde_json::from_str::<Json>(text).ok());
        if let (Some(json), Some(depth)) = (&json, depth.checked_sub(1)) {
            // What stands in it is escaped, and is no text yet.
            return self.leaves(json, depth);
        }
        if !trimmed.is_empty() {
            let text = text.to_owned();
            self.all.push(Value { text, is_own });
        }
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        if trimmed.starts_with('<')
            && let Some(texts) = xml(trimmed)
        {
            for text in &texts {
                self.open(text, depth, true);
            }
        } else if let Some(pieces) = ADDRESS
            .captures(trimmed)
            .filter(|whole| whole[0] == *trimmed)
        {
            let path = trimmed.split('?').next().unwrap_or_default();
            for segment in path.split('/') {
                self.open(&percent(segment), depth, false);
            }
            if let Some(query) = pieces.get(1) {
                self.pairs(query.as_str(), depth);
            }
        } else {
            let inner = from_base64(trimmed).into_iter().chain(from_hex(trimmed));
            inner
                .collect::<Vec<_>>()
                .iter()
                .for_each(|text| self.open(text, depth, is_own));
        }
    }

    fn leaves(&mut self, json: &Json, depth: usize) {
        match json {
            Json::String(text) => self.open(text, depth, true),
            Json::Array(items) => items.iter().for_each(|item| self.leaves(item, depth)),
            Json::Object(map) => map.values().for_each(|item| self.leaves(item, depth)),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "2 < 3 & \"đ\" 50%41 1+1";

    fn sent(media: &str, body: &str) -> Request {
        Request {
            headers: vec![("content-type".to_owned(), media.to_owned())],
            body: body.to_owned().into(),
            ..Request::default()
        }
    }

    fn carries(request: &Request) -> bool {
        values(request).iter().any(|value| value.text == WORDS)
    }

    #[test]
    fn every_container_is_unpacked_once() {
        let form = "2+%3C+3+%26+%22%C4%91%22+50%2541+1%2B1";
        let xml = "2 &lt; 3 &amp; \"&#x111;\" 50%41 1+1";
        let json = serde_json::json!({ "a": [{ "b": WORDS }] }).to_string();
        let folded = serde_json::json!({ "a": json }).to_string();
        let hex: String = WORDS
            .encode_utf16()
            .map(|unit| format!("{unit:04X}"))
            .collect::<Vec<_>>()
            .concat();
        let plain_hex: String = WORDS
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .concat();
        for (media, body) in [
            ("text/plain; charset=utf-8", WORDS.to_owned()),
            ("application/json", json.clone()),
            ("application/json", folded),
            ("application/vnd.api+json; charset=utf-8", json.clone()),
            ("application/x-www-form-urlencoded", format!("x=1&a={form}")),
            (
                "text/xml; charset=utf-8",
                format!("<?xml version=\"1.0\"?>\n<a><b c=\"1\">{xml}</b></a>"),
            ),
            ("application/soap+xml", format!("<a b='{xml}'/>")),
            ("application/xml", format!("<a><![CDATA[{WORDS}]]></a>")),
            (
                "application/json",
                serde_json::json!({ "ssml": format!("<speak>{xml}</speak>") }).to_string(),
            ),
            (
                "application/json",
                serde_json::json!({ "ucs2": hex, "b": 1 }).to_string(),
            ),
            (
                "application/x-www-form-urlencoded",
                format!("m={plain_hex}"),
            ),
            (
                "application/json",
                serde_json::json!({ "play": format!("http://10.0.0.1/tts?lang=vi&q={form}") })
                    .to_string(),
            ),
            (
                "multipart/form-data; boundary=\"x-y\"",
                format!(
                    "--x-y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{WORDS}\r\n--x-y--\r\n"
                ),
            ),
            (
                "multipart/form-data; boundary=xy",
                format!(
                    "--xy\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: application/json\r\n\r\n{json}\r\n--xy--\r\n"
                ),
            ),
        ] {
            let request = sent(media, &body);
            assert!(carries(&request), "{media} {body}: {:?}", values(&request));
            assert_eq!(odd(&request), None, "{media} {body}");
        }
        for (path, query) in [
            ("/say/2%20%3C%203%20%26%20%22%C4%91%22%2050%2541%201+1", ""),
            ("/say", &*format!("a=1&b={form}")),
        ] {
            let request = Request {
                path: path.to_owned(),
                query: query.to_owned(),
                ..Request::default()
            };
            assert!(carries(&request), "{path} {query}");
        }
    }

    #[test]
    fn what_is_unpacked_once_too_often_or_not_at_all_is_not_the_same() {
        for (media, body) in [
            (
                "application/json",
                serde_json::json!({ "a": "2 &lt; 3 &amp; \"đ\" 50%41 1+1" }).to_string(),
            ),
            (
                "application/json",
                serde_json::json!({ "a": "2%20%3C%203" }).to_string(),
            ),
            ("application/x-www-form-urlencoded", format!("a={WORDS}")),
            (
                "text/xml",
                "<a>2 &amp;lt; 3 &amp;amp; \"đ\" 50%41 1+1</a>".to_owned(),
            ),
        ] {
            assert!(!carries(&sent(media, &body)), "{media} {body}");
        }
    }

    #[test]
    fn a_body_is_what_it_is_said_to_be() {
        for (media, body, expected) in [
            (
                "application/json",
                "{\"a\": \"say \"đ\"\"}",
                Some(Odd::Json),
            ),
            (
                "text/plain; charset=utf-8",
                "{\"a\": \"say \"đ\"\"}",
                Some(Odd::Json),
            ),
            ("text/plain; charset=utf-8", "{x} đ {y}", None),
            ("text/xml", "<a>2 < 3</a>", Some(Odd::Xml)),
            ("text/xml", "<a>R & D</a>", Some(Odd::Xml)),
            ("text/xml", "<a>đ</b>", Some(Odd::Xml)),
            ("text/xml", "<a><b>đ</a>", Some(Odd::Xml)),
            ("text/xml", "<a>đ", Some(Odd::Xml)),
            ("text/xml", "đ", Some(Odd::Xml)),
            ("text/xml", "<a>đ</a><b/>", Some(Odd::Xml)),
            ("text/xml", "<!-- x --><a b=\"&lt;\">đ &amp;</a>\n", None),
            (
                "text/plain; charset=utf-8",
                "<?xml version=\"1.0\"?><a>2 < 3</a>",
                Some(Odd::Xml),
            ),
            (
                "application/x-www-form-urlencoded",
                "{\"a\":\"đ\"}",
                Some(Odd::Said("application/x-www-form-urlencoded")),
            ),
            ("Text/HTML", "{\"a\":\"đ\"}", Some(Odd::Said("text/html"))),
            ("text/html", "<p>đ</p>", None),
            ("text/plain", "đ", Some(Odd::NoCharset)),
            ("text/plain", "d", None),
            ("text/plain", "{\"a\":1}", None),
            ("application/octet-stream", "đ", None),
        ] {
            assert_eq!(odd(&sent(media, body)), expected, "{media} {body}");
        }
    }
}
