//! Fixtures: one file is one conversation with a receiver and what has to follow from it.
//!
//! ```json
//! { "attempt": 1, "probe": false,
//!   "exchanges": [{ "request": {…}, "answer": { "status": 202, "headers": {}, "body": …, "retry_after": 7 } }],
//!   "end": { "accepted": { "reference": "7" } } }
//! ```
//! `@slug@`, `@hash@` and `@sound@` stand for the message's own. `request` is compared where it is given; `fault` stands in the place of `answer` as `["may-have-left", "timeout"]`;
//! `end` is one of `accepted`, `retry`, `reject` and `unknown`, the last three with `reason` and, for `retry`, `after`.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use loa::{
    adapter::{Adapter, Exchange, Failure, Fault, Request, Response, Step, recipe::RecipeAdapter},
    domain::{bulletin::Priority, delivery::Reason},
};
use serde_json::{Value, json};

use super::{axis, message, recipes};

fn text_of(value: &Value) -> Bytes {
    match value {
        Value::Null => Bytes::new(),
        Value::String(text) => Bytes::from(text.clone()),
        other => Bytes::from(other.to_string()),
    }
}

fn answer_of(exchange: &Value) -> Result<Response, Fault> {
    if let Some(fault) = exchange.get("fault") {
        let reason = Reason::parse(fault[1].as_str().unwrap()).unwrap();
        return Err(match fault[0].as_str() {
            Some("may-have-left") => Fault::may_have_left(reason, "as told"),
            Some("never-left") => Fault::never_left(reason, "as told"),
            other => panic!("{other:?}"),
        });
    }
    let answer = &exchange["answer"];
    let headers = answer
        .get("headers")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    Ok(Response {
        status: answer["status"].as_u64().unwrap().try_into().unwrap(),
        headers: headers
            .into_iter()
            .map(|(name, value)| {
                let value = value.as_str().unwrap().parse();
                (name.parse().unwrap(), value.unwrap())
            })
            .collect(),
        body: text_of(&answer["body"]),
        retry_after: answer
            .get("retry_after")
            .and_then(Value::as_u64)
            .map(Duration::from_secs),
    })
}

fn show_request(request: &Request) -> Value {
    let body = serde_json::from_slice(&request.body)
        .unwrap_or_else(|_| Value::String(String::from_utf8(request.body.to_vec()).unwrap()));
    let headers: BTreeMap<_, _> = request.headers.iter().cloned().collect();
    json!({ "method": request.method, "url": &*request.url, "headers": headers, "body": body })
}

fn show_end(step: &Step) -> Value {
    let failed = |word: &str, reason: Reason| json!({ word: { "reason": reason.as_str() } });
    match step {
        Step::Call(request) => json!({ "call": show_request(request) }),
        Step::Mail(mail) => json!({ "mail": show_request(&mail.request) }),
        Step::Stream(stream) => json!({ "stream": show_request(&stream.request) }),
        Step::Accepted(receipt) => json!({ "accepted": { "reference": receipt.reference } }),
        Step::Failed(Failure::Retry {
            after: Some(after),
            reason,
            ..
        }) => {
            json!({ "retry": { "reason": reason.as_str(), "after": after.as_secs() } })
        }
        Step::Failed(Failure::Retry { reason, .. }) => failed("retry", *reason),
        Step::Failed(Failure::Reject { reason, .. }) => failed("reject", *reason),
        Step::Failed(Failure::Unknown { reason, .. }) => failed("unknown", *reason),
    }
}

/// Plays every fixture of a folder; there has to be at least one.
fn play(folder: &str, adapter: &dyn Adapter) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/adapters")
        .join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        let name = file.display();
        let sound = axis::spoken("Thưa bà con");
        let sound_hash = sound.sound.hash.as_str().to_owned();
        let mut message = message();
        message.audio = Some(sound);
        let text = fs::read_to_string(&file).unwrap();
        let text = text
            .replace("@slug@", &message.slug())
            .replace("@hash@", message.hash.as_str())
            .replace("@sound@", &sound_hash);
        let case: Value = serde_json::from_str(&text).unwrap();
        message.attempt = case
            .get("attempt")
            .and_then(Value::as_u64)
            .unwrap_or(1)
            .try_into()
            .unwrap();
        let step = |done: &[Exchange]| match case.get("probe") {
            Some(Value::Bool(true)) => adapter.probe(done).unwrap(),
            _ => adapter.step(&message, done),
        };
        let mut done = Vec::new();
        for exchange in case["exchanges"].as_array().unwrap() {
            let Step::Call(request) = step(&done) else {
                panic!("{name}: no call where one was expected")
            };
            if let Some(expected) = exchange.get("request") {
                assert_eq!(&show_request(&request), expected, "{name}");
            }
            done.push(Exchange {
                request,
                result: answer_of(exchange),
            });
        }
        assert_eq!(show_end(&step(&done)), case["end"], "{name}");
    }
}

/// Every recipe that loa ships has a folder of its own name.
#[test]
fn shipped_recipes() {
    let shipped = recipes::shipped();
    assert!(shipped.len() >= 3);
    for recipe in shipped.values() {
        play(recipe.id.as_str(), &recipes::adapter(recipe));
    }
}

fn shipped(id: &str) -> RecipeAdapter {
    recipes::adapter(&recipes::shipped_one(id))
}

/// What a gateway reads out of the address that it is called at: JSON in JSON in JSON, in base64.
#[test]
fn a_gateway_finds_its_command_in_the_address() {
    let gateway = shipped("truyen-thanh-json");
    let urgent = loa::domain::message::Message {
        audio: Some(axis::spoken("Thưa bà con")),
        preempts: true,
        ..message()
    };
    let ok = || super::steps::ok("{}");
    let (requests, end) = super::steps::play(&gateway, &urgent, [ok(), ok(), ok()]);
    assert_eq!(end, Step::accepted(None));
    let inside = |text: &Value| -> Value { serde_json::from_str(text.as_str().unwrap()).unwrap() };
    let command = |request: &Request| {
        let path = request.url.strip_prefix("http://10.1.4.3/").unwrap();
        let path = path
            .replace("%2B", "+")
            .replace("%2F", "/")
            .replace("%3D", "=");
        let bytes = STANDARD.decode(path).unwrap();
        let outer: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(outer["DataType"], 4);
        let item = inside(&outer["Data"])["CommandItem_Ts"][0].clone();
        assert_eq!(item["DeviceID"], "LOA-HB-3");
        inside(&item["CommandSend"])
    };
    let stop = command(&requests[0]);
    assert_eq!(stop, json!({ "PacketType": 7, "Data": "Stop play music" }));
    let file = format!(
        "http://10.1.4.3/am-thanh/{}.mp3",
        urgent.audio.as_ref().unwrap().sound.hash
    );
    assert_eq!(
        (requests[1].method.as_str(), &*requests[1].url),
        ("PUT", file.as_str())
    );
    let play = command(&requests[2]);
    assert_eq!(play["PacketType"], 5);
    assert_eq!(
        inside(&play["Data"]),
        json!({ "PlayRepeatType": 1, "PlayType": 1, "SongName": file })
    );
}

/// Devices that know how urgent something is are told.
#[test]
fn emergencies_get_the_priority_that_the_device_has_for_them() {
    for (id, plain, urgent) in [
        ("sonos", "\"priority\":\"LOW\"", "\"priority\":\"HIGH\""),
        ("2n", "priority=5", "priority=1"),
    ] {
        let adapter = shipped(id);
        for (priority, wanted) in [(Priority::Priority, plain), (Priority::Emergency, urgent)] {
            let message = loa::domain::message::Message {
                audio: Some(axis::spoken("Thưa bà con")),
                priority,
                ..message()
            };
            let answers = [r#"{"access_token":"a"}"#, ""].map(super::steps::ok);
            let skip = usize::from(id == "2n");
            let (requests, _) =
                super::steps::play(&adapter, &message, answers.into_iter().skip(skip));
            let last = requests.last().unwrap();
            let said = format!("{} {}", &*last.url, String::from_utf8_lossy(&last.body));
            assert!(said.contains(wanted), "{id}: {said}");
        }
    }
}

#[test]
fn chat() {
    play("chat", &recipes::adapter(&recipes::chat()));
}

#[test]
fn gateway() {
    play("gateway", &recipes::adapter(&recipes::gateway()));
}

#[test]
fn webhook() {
    play(
        "webhook",
        &super::webhook::adapter("https://nhan.vinh.example/hook", &[super::webhook::NEW]),
    );
}

#[test]
fn adapters_know_their_host_and_whether_they_can_ask() {
    for (recipe, can_ask, can_probe) in [
        (recipes::loudspeaker(), false, true),
        (recipes::website(), true, true),
        (recipes::chat(), true, false),
        (recipes::gateway(), false, false),
    ] {
        let adapter = recipes::adapter(&recipe);
        assert_eq!(adapter.host(), "10.1.4.3");
        assert_eq!(
            (adapter.can_ask(), adapter.probe(&[]).is_some()),
            (can_ask, can_probe)
        );
        let shown = format!("{adapter:?}");
        assert!(!shown.contains("mat-khau"), "{shown}");
    }
}

/// Before an emergency the device is told to stop. Whatever it makes of that, what follows is what would have come without.
#[test]
fn what_preempts_stops_first_and_is_sent_all_the_same() {
    let adapter = recipes::adapter(&recipes::loudspeaker());
    assert!(adapter.can_stop());
    let plain = message();
    let urgent = loa::domain::message::Message {
        preempts: true,
        ..message()
    };
    let call = |step| match step {
        Step::Call(request) => request,
        other => panic!("{other:?}"),
    };
    let speak = call(adapter.step(&plain, &[]));
    assert!(speak.url.ends_with("/api/speak"));
    let stop = call(adapter.step(&urgent, &[]));
    assert_eq!(
        (stop.method.as_str(), stop.url.ends_with("/api/stop")),
        ("POST", true)
    );
    let key = |request: &Request| {
        let mut headers = request.headers.iter();
        headers.any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"))
    };
    assert!(key(&speak) && !key(&stop), "the stop is not the message");
    let answer = |status| {
        Ok(Response {
            status,
            ..Response::default()
        })
    };
    for result in [
        answer(200),
        answer(404),
        answer(500),
        Err(Fault::may_have_left(Reason::Timeout, "")),
    ] {
        let stopped = Exchange {
            request: stop.clone(),
            result,
        };
        assert_eq!(
            call(adapter.step(&urgent, std::slice::from_ref(&stopped))),
            speak
        );
        let refused = Exchange {
            request: speak.clone(),
            result: answer(404),
        };
        assert_eq!(
            adapter.step(&urgent, &[stopped, refused.clone()]),
            adapter.step(&plain, &[refused])
        );
    }
    assert!(!recipes::adapter(&recipes::chat()).can_stop());
}
