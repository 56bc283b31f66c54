//! What a device is, by the path that is called, and what it answers when nothing goes wrong.
//!
//! Deciding changes nothing: the caller writes the effect down first and lets the device remember it then.

use serde_json::{Value, json};

use super::{
    axis::{self, Clip},
    cms::Outcome,
    drupal, joomla, liferay,
    memory::{Effect, Kind, Memory},
    smtp, snapcast, vnportal,
    wire::{Answer, Request},
    wordpress::{self, Post},
};

/// What a device would do with a request.
#[derive(Debug)]
pub(super) struct Response {
    /// What it is.
    pub(super) kind: Kind,
    /// What it answers.
    pub(super) answer: Answer,
    /// What it does.
    pub(super) effect: Effect,
    /// The idempotency key, from a header or a JSON body.
    pub(super) key: Option<String>,
    /// The words it got.
    pub(super) text: Option<String>,
    /// The page that it makes or changes.
    pub(super) post: Option<Post>,
    /// The sound that it keeps or plays.
    pub(super) clip: Option<Clip>,
}

/// Decides what a device does. `recognises_repeats` overrides what its kind does with a key that it knows already:
/// loudspeakers are dumb and play everything, chat services and webhooks take it once.
pub(super) fn respond(
    memory: &Memory,
    request: &Request,
    recognises_repeats: Option<bool>,
) -> Response {
    let path = request.path.trim_end_matches('/');
    if let Some(said) = smtp::respond(memory, request, recognises_repeats) {
        return said;
    }
    if let Some((answer, effect, post)) = website(memory, request, path) {
        let text = post.as_ref().map(|post| post.title.clone());
        let key = key_in_headers(request).map(str::to_owned);
        return Response {
            kind: Kind::Website,
            answer,
            effect,
            key,
            text,
            post,
            clip: None,
        };
    }
    if axis::is_meant(path) {
        let (answer, effect, clip) = axis::answer(memory, request);
        let text = clip.as_ref().and_then(|clip| clip.name.clone());
        return Response {
            kind: Kind::Loudspeaker,
            answer,
            effect,
            key: key_in_headers(request).map(str::to_owned),
            text,
            post: None,
            clip,
        };
    }
    let taken = mount_point(memory, request).or_else(|| snapcast::answer(memory, request));
    if let Some((answer, effect)) = taken {
        return stream(request, answer, effect);
    }
    let body: Option<Value> = serde_json::from_slice(&request.body).ok();
    let in_body = || body.as_ref()?.get("id")?.as_str();
    let key = key_in_headers(request).or_else(in_body).map(str::to_owned);
    let known = key.as_deref().is_some_and(|key| memory.knows(key));
    let loudspeaker = ["/api/speak", "/api/status", "/api/stop"]
        .iter()
        .any(|known| path.ends_with(known));
    if path.ends_with("/api/stop") && request.method == "POST" {
        return stop(memory);
    }
    let repeat = known && recognises_repeats.unwrap_or(!loudspeaker);
    let said = if loudspeaker {
        let sound = request.header("content-type");
        let sound = sound
            .filter(|media| media.starts_with("audio/"))
            .map(|_| "");
        let words = body.as_ref().and_then(|body| body.get("text")?.as_str());
        let words = words.or(sound);
        speaker(memory, request, path.ends_with("/api/speak"), words, repeat)
    } else {
        chat(request, body.as_ref(), repeat)
    };
    Response { key, ..said }
}

/// What a website answers, if one is meant.
fn website(memory: &Memory, request: &Request, path: &str) -> Option<Outcome> {
    let site = &memory.site;
    if wordpress::route(request).is_some() {
        Some(site.answer(request))
    } else if drupal::is_meant(path) {
        Some(drupal::answer(site, request))
    } else if joomla::is_meant(path) {
        Some(joomla::answer(site, request))
    } else if liferay::is_meant(path) {
        Some(liferay::answer(site, request))
    } else if vnportal::is_meant(path) {
        Some(vnportal::answer(site, request))
    } else {
        None
    }
}

/// Whether somebody only asks whether the device is alive, as the shipped recipes do, and mail.
pub(super) fn is_sign_of_life(request: &Request) -> bool {
    if request.method == "NOOP" {
        return true;
    }
    let path = request.path.split('?').next().unwrap_or_default();
    let path = path.trim_end_matches('/');
    let asked = [
        "/api/status",
        "/wp-json",
        "/getoa",
        "/status-json.xsl",
        "/blog-postings",
    ];
    // The list of one type of content, and one category.
    let lists = path.rsplit_once('/').is_some_and(|(rest, _)| {
        rest.ends_with("/jsonapi/node") || rest.ends_with("/content/categories")
    });
    if snapcast::is_question(request) || vnportal::is_question(request) {
        return true;
    }
    let index = wordpress::route(request).is_some_and(|route| route == "/");
    request.method == "GET" && (lists || index || asked.iter().any(|known| path.ends_with(known)))
}

/// What a sender says in headers to tell a repeat from something new.
fn key_in_headers(request: &Request) -> Option<&str> {
    request
        .header("idempotency-key")
        .or_else(|| request.header("webhook-id"))
}

fn speaker(
    memory: &Memory,
    request: &Request,
    speak: bool,
    words: Option<&str>,
    repeat: bool,
) -> Response {
    let heard = memory.counts.heard;
    let (status, answer, effect) = match (request.method.as_str(), speak, words) {
        ("GET", false, _) => (
            200,
            json!({"state": "ready", "heard": heard}),
            Effect::Ignored,
        ),
        ("POST", true, None) => (400, json!({"error": "text is missing"}), Effect::Ignored),
        ("POST", true, Some(_)) if repeat => (
            202,
            json!({"status": "queued", "repeated": true}),
            Effect::Ignored,
        ),
        ("POST", true, Some(_)) => (
            202,
            json!({"status": "queued", "id": (heard + 1).to_string()}),
            Effect::Heard,
        ),
        _ => (405, json!({"error": "no such method"}), Effect::Ignored),
    };
    let text = words.map(str::to_owned);
    Response {
        kind: Kind::Loudspeaker,
        answer: Answer::json(status, &answer),
        effect,
        key: None,
        text,
        post: None,
        clip: None,
    }
}

/// A mount point of Icecast, as far as one takes a sound and says who listens: one listener, while something plays.
fn mount_point(memory: &Memory, request: &Request) -> Option<(Answer, Effect)> {
    let is_sound = request
        .header("content-type")
        .is_some_and(|media| media.starts_with("audio/"));
    let (answer, effect) = match request.method.as_str() {
        "PUT" if is_sound && request.header("ice-public").is_some() => (json!({}), Effect::Heard),
        "GET" if request.path == "/admin/metadata" => (json!({}), Effect::Ignored),
        "GET" if request.path == "/status-json.xsl" => {
            let sources = memory.mounts().into_iter().map(|mount| {
                json!({ "listenurl": format!("http://icecast.invalid{mount}"), "listeners": 1, "stream_start": "now" })
            });
            let mut sources: Vec<Value> = sources.collect();
            let mut page = json!({ "server_id": "Icecast" });
            // One is told without a list.
            match sources.len() {
                0 => {}
                1 => page["source"] = sources.remove(0),
                _ => page["source"] = sources.into(),
            }
            (json!({ "icestats": page }), Effect::Ignored)
        }
        _ => return None,
    };
    Some((Answer::json(200, &answer), effect))
}

/// What a server does that sounds are sent to as they are heard.
fn stream(request: &Request, answer: Answer, effect: Effect) -> Response {
    Response {
        kind: Kind::Loudspeaker,
        answer,
        effect,
        key: key_in_headers(request).map(str::to_owned),
        text: (effect == Effect::Heard).then(String::new),
        post: None,
        clip: None,
    }
}

/// A loudspeaker does not know how long it reads, so the last words are those that are cut off.
fn stop(memory: &Memory) -> Response {
    let playing = memory.playing();
    let answer =
        json!({ "status": "stopped", "was": playing.and_then(|heard| heard.key.as_deref()) });
    Response {
        kind: Kind::Loudspeaker,
        answer: Answer::json(200, &answer),
        effect: if playing.is_some() {
            Effect::Stopped
        } else {
            Effect::Ignored
        },
        key: None,
        text: playing.and_then(|heard| heard.text.clone()),
        post: None,
        clip: None,
    }
}

fn chat(request: &Request, body: Option<&Value>, repeat: bool) -> Response {
    let (status, answer, effect) = match request.method.as_str() {
        "POST" if repeat => (200, json!({"ok": true, "repeated": true}), Effect::Ignored),
        "POST" => (200, json!({"ok": true}), Effect::Received),
        "GET" => (200, json!({"ok": true}), Effect::Ignored),
        _ => (405, json!({"ok": false}), Effect::Ignored),
    };
    let text = (!request.body.is_empty()).then(|| words_of(&request.body, body));
    Response {
        kind: Kind::Chat,
        answer: Answer::json(status, &answer),
        effect,
        key: None,
        text,
        post: None,
        clip: None,
    }
}

/// The words in a chat message, wherever its format keeps them; the whole body when they are not found.
fn words_of(body: &[u8], json: Option<&Value>) -> String {
    [
        "/text",
        "/message/text",
        "/message",
        "/data/text",
        "/content",
    ]
    .into_iter()
    .find_map(|place| json?.pointer(place)?.as_str().map(str::to_owned))
    .unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::memory::Heard;

    fn request(method: &str, path: &str, key: Option<&str>, body: &str) -> Request {
        let headers = key
            .map(|key| ("idempotency-key".to_owned(), key.to_owned()))
            .into_iter()
            .collect();
        Request {
            method: method.into(),
            path: path.into(),
            headers,
            body: body.to_owned().into(),
            ..Request::default()
        }
    }

    fn knowing(key: &str) -> Memory {
        let mut memory = Memory::default();
        memory.apply(Heard {
            host: "a".into(),
            number: 0,
            at_ms: 0,
            kind: Kind::Loudspeaker,
            method: "POST".into(),
            path: "/api/speak".into(),
            key: Some(key.into()),
            digest: String::new(),
            text: None,
            status: Some(202),
            effect: Effect::Heard,
            fault: None,
            post: None,
            zalo: None,
            clip: None,
        });
        memory
    }

    #[test]
    fn paths_decide_what_a_device_is() {
        let memory = Memory::default();
        for (method, path, body, kind, status, effect) in [
            (
                "POST",
                "/api/speak",
                r#"{"text":"x"}"#,
                Kind::Loudspeaker,
                202,
                Effect::Heard,
            ),
            (
                "POST",
                "/khoi-3/api/speak/",
                r#"{"text":"x"}"#,
                Kind::Loudspeaker,
                202,
                Effect::Heard,
            ),
            (
                "POST",
                "/api/speak",
                r#"{"words":"x"}"#,
                Kind::Loudspeaker,
                400,
                Effect::Ignored,
            ),
            (
                "POST",
                "/api/speak",
                "text=x",
                Kind::Loudspeaker,
                400,
                Effect::Ignored,
            ),
            (
                "GET",
                "/api/speak",
                "",
                Kind::Loudspeaker,
                405,
                Effect::Ignored,
            ),
            (
                "GET",
                "/api/status",
                "",
                Kind::Loudspeaker,
                200,
                Effect::Ignored,
            ),
            ("GET", "/wp-json/", "", Kind::Website, 200, Effect::Ignored),
            (
                "POST",
                "/hook",
                "anything",
                Kind::Chat,
                200,
                Effect::Received,
            ),
            ("GET", "/hook", "", Kind::Chat, 200, Effect::Ignored),
            ("DELETE", "/hook", "", Kind::Chat, 405, Effect::Ignored),
        ] {
            let response = respond(&memory, &request(method, path, None, body), None);
            assert_eq!(
                (response.kind, response.answer.status, response.effect),
                (kind, status, effect),
                "{method} {path}"
            );
        }
    }

    #[test]
    fn loudspeakers_are_dumb_and_chats_are_not_unless_told_otherwise() {
        let memory = knowing("k");
        for (path, key, told, effect) in [
            ("/api/speak", "k", None, Effect::Heard),
            ("/api/speak", "k", Some(true), Effect::Ignored),
            ("/api/speak", "l", Some(true), Effect::Heard),
            ("/hook", "k", None, Effect::Ignored),
            ("/hook", "k", Some(false), Effect::Received),
            ("/hook", "l", None, Effect::Received),
        ] {
            let response = respond(
                &memory,
                &request("POST", path, Some(key), r#"{"text":"x"}"#),
                told,
            );
            assert_eq!(response.effect, effect, "{path} {key} {told:?}");
        }
    }

    #[test]
    fn a_key_is_a_header_or_the_id_of_a_body() {
        let memory = Memory::default();
        for (key, body, seen) in [
            (Some("k"), r#"{"id":"l","text":"x"}"#, Some("k")),
            (None, r#"{"id":"l","text":"x"}"#, Some("l")),
            (None, r#"{"id":1,"text":"x"}"#, None),
            (None, "x", None),
        ] {
            for path in ["/api/speak", "/hook"] {
                let response = respond(&memory, &request("POST", path, key, body), None);
                assert_eq!(response.key.as_deref(), seen, "{path} {body}");
            }
        }
    }

    #[test]
    fn words_are_found_in_many_formats() {
        for (body, words) in [
            (r#"{"text":"một"}"#, "một"),
            (
                r#"{"recipient":{"user_id":"1"},"message":{"text":"hai"}}"#,
                "hai",
            ),
            (r#"{"type":"bulletin","data":{"text":"ba"}}"#, "ba"),
            (r#"{"message":"bốn"}"#, "bốn"),
            (r#"{"other":1}"#, r#"{"other":1}"#),
            ("năm", "năm"),
        ] {
            assert_eq!(
                words_of(body.as_bytes(), serde_json::from_str(body).ok().as_ref()),
                words
            );
        }
    }
}
