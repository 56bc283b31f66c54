//! A Snapserver, as far as one takes a sound for a stream and says who hears it.
//!
//! It has whatever stream and group it is asked about, with a dozen loudspeakers. Its sounds come by HTTP, all at once; so one plays
//! until somebody has asked after it.

use serde_json::{Value, json};

use super::{
    memory::{Effect, Memory},
    wire::{Answer, Request},
};

/// How many loudspeakers there are.
const CLIENTS: usize = 12;

/// The only sound that it takes: what `Server.GetStatus` says of the stream, as a `Content-Type`.
const SOUND: &str = "audio/pcm; rate=22050; channels=1";

/// Whether somebody asks what there is.
pub(super) fn is_question(request: &Request) -> bool {
    is_rpc(request) && parsed(request).is_some_and(|call| call["method"] == "Server.GetStatus")
}

fn is_rpc(request: &Request) -> bool {
    request.method == "POST" && request.path.trim_end_matches('/') == "/jsonrpc"
}

fn parsed(request: &Request) -> Option<Value> {
    serde_json::from_slice(&request.body).ok()
}

/// What it answers, if it is meant.
pub(super) fn answer(memory: &Memory, request: &Request) -> Option<(Answer, Effect)> {
    let media = request.header("content-type").unwrap_or_default();
    if request.method == "PUT" && media.starts_with("audio/pcm") {
        return Some(if media == SOUND {
            (Answer::json(200, &json!({})), Effect::Heard)
        } else {
            (Answer::json(415, &json!({})), Effect::Ignored)
        });
    }
    if !is_rpc(request) {
        return None;
    }
    let answer = match parsed(request) {
        Some(Value::Array(calls)) => calls.iter().map(|call| answer_to(memory, call)).collect(),
        Some(call) => answer_to(memory, &call),
        None => error(&Value::Null, -32700, "Parse error", None),
    };
    Some((Answer::json(200, &answer), Effect::Ignored))
}

fn error(id: &Value, code: i64, message: &str, data: Option<&str>) -> Value {
    let mut error = json!({ "code": code, "message": message });
    if let Some(data) = data {
        error["data"] = data.into();
    }
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}

fn answer_to(memory: &Memory, call: &Value) -> Value {
    let (id, params) = (&call["id"], &call["params"]);
    let result = match call["method"].as_str() {
        Some("Server.GetStatus") => status(memory, params),
        Some("Group.SetStream") => json!({ "stream_id": params["stream_id"] }),
        Some("Group.SetMute") => json!({ "mute": params["mute"] }),
        Some("Client.SetVolume") => {
            let known = (1..=CLIENTS).any(|number| params["id"] == client(number));
            if !known {
                return error(id, -32603, "Internal error", Some("Client not found"));
            }
            json!({ "volume": params["volume"] })
        }
        _ => return error(id, -32601, "Method not found", None),
    };
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

fn client(number: usize) -> String {
    format!("loa-{number}")
}

fn status(memory: &Memory, params: &Value) -> Value {
    let name = |key: &str| params[key].as_str().unwrap_or("loa").to_owned();
    let (stream, group) = (name("stream"), name("group"));
    let newest = memory.entries.back();
    let is_playing = newest.is_some_and(|newest| newest.effect == Effect::Heard);
    let clients = (1..=CLIENTS).map(|number| {
        json!({
            "id": client(number), "connected": true,
            "config": { "volume": { "muted": false, "percent": 100 } },
        })
    });
    json!({ "server": {
        "groups": [{
            "id": "nhom", "name": group, "muted": false, "stream_id": stream,
            "clients": clients.collect::<Vec<_>>(),
        }],
        "server": { "snapserver": { "name": "Snapserver", "version": "0.26.0" } },
        "streams": [{
            "id": stream, "status": if is_playing { "playing" } else { "idle" },
            "uri": {
                "scheme": "tcp", "host": "0.0.0.0:4953",
                "query": { "mode": "server", "name": stream, "sampleformat": "22050:16:1" },
            },
        }],
    }})
}
