//! What a receiver would cut is not sent, and what a probe may know.

use std::collections::BTreeMap;

use loa::{
    adapter::{Adapter as _, Failure, Step},
    domain::{bulletin::Format, delivery::Reason, detail::Detail, id::RecipeId, message::Message},
};

use super::{
    message,
    recipes::{adapter_with, parameters},
    steps::{header, ok, play, written},
};
use crate::support::workspace::Folder;

/// A message with these words.
fn saying(text: &str) -> Message {
    let mut message = message();
    let mut content = (*message.content).clone();
    content.text = text.to_owned();
    content.title = "Tin".to_owned();
    content.format = Format::Message;
    content.quoted = loa::domain::message::Quoted::default();
    message.content = content.into();
    message
}

const LIMITS: &str = r#"
values: { words: "{{ channel.name }}: {{ message.text }}" }
limits:
  message.text: 400
  value.words: { parts: 2 }
  message.title: { bytes: 6 }
steps:
  login: { when: always, request: { method: POST, url: "{{ with.url }}/login" } }
request: { method: POST, url: "{{ with.url }}/sms", body: { text: "{{ value.words }}" } }
"#;

/// What is refused, and what of it: nothing was asked or sent before.
fn refused(message: &Message) -> Option<(String, String, String, String)> {
    let adapter = written(LIMITS);
    match adapter.step(message, &[]) {
        Step::Call(_) => None,
        Step::Failed(Failure::Reject {
            reason: Reason::Unwritable,
            detail,
        }) => {
            let detail = Detail::parse(&detail).unwrap();
            let get = |name: &str| detail.get(name).unwrap().to_owned();
            Some((
                detail.code().to_owned(),
                get("of"),
                get("count"),
                get("most"),
            ))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_cut_and_what_is_too_long_is_not_sent() {
    let said = |code: &str, of: &str, count: &str, most: &str| {
        Some((
            code.to_owned(),
            of.to_owned(),
            count.to_owned(),
            most.to_owned(),
        ))
    };
    let name = message().channel_name;
    let fits = "ư".repeat(134 - 2 - name.chars().count());
    assert_eq!(refused(&saying(&fits)), None);
    assert_eq!(
        refused(&saying(&format!("{fits}ư"))),
        said("call-too-long-parts", "value.words", "3", "2")
    );
    // Whole as it went out.
    let (requests, _) = play(&written(LIMITS), &saying(&fits), [ok(""), ok("")]);
    let body = String::from_utf8(requests[1].body.to_vec()).unwrap();
    assert_eq!(body, format!("{name}: {fits}"));
    assert_eq!(
        refused(&saying(&"a".repeat(401))),
        said("call-too-long-letters", "message.text", "401", "400")
    );
    let mut titled = saying("a");
    let mut content = (*titled.content).clone();
    content.title = "Tiêu đề".to_owned();
    titled.content = content.into();
    assert_eq!(
        refused(&titled),
        said("call-too-long-bytes", "message.title", "11", "6")
    );
}

const PROBE: &str = r#"
values:
  caller: "{{ with.user ~ ':' ~ with.password }}"
  twice: "{{ value.caller | base64 }}"
  words: "{{ message.text }}"
steps:
  login: { when: always, request: { method: POST, url: "{{ with.url }}/login", body: { text: "{{ value.caller }}" } } }
request: { method: POST, url: "{{ with.url }}/sms", body: { text: "{{ value.words }}" } }
probe:
  request: { method: GET, url: "{{ with.url }}/me", headers: { X-Caller: "{{ value.twice }}" } }
  healthy: { text: "{{ value.caller }}" }
"#;

/// What is made of the channel alone is there without a message.
#[test]
fn a_probe_has_the_values_that_are_made_without_a_message() {
    let adapter = written(PROBE);
    let mut done = Vec::new();
    let mut asked = Vec::new();
    for body in ["", "xin chào loa:mat-khau-2"] {
        let Some(Step::Call(request)) = adapter.probe(&done) else {
            panic!("{:?}", adapter.probe(&done))
        };
        asked.push(request.clone());
        let result = ok(body);
        done.push(loa::adapter::Exchange { request, result });
    }
    assert_eq!(&asked[0].body[..], b"loa:mat-khau-2");
    assert_eq!(header(&asked[1], "x-caller"), Some("bG9hOm1hdC1raGF1LTI="));
    let end = adapter.probe(&done);
    assert!(matches!(end, Some(Step::Accepted(_))), "{end:?}");
}

/// The gateway of the description: UCS-2, five joined messages, its own way to say when to come again.
#[test]
fn the_sms_example_says_all_of_it() {
    let language = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/adapter/recipe/LANGUAGE.md"
    ))
    .unwrap();
    let mut examples = language.split("```yaml\n");
    let example = examples
        .find(|part| part.contains("title: Cổng tin nhắn SMS"))
        .unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let folder = Folder::small();
    folder.write("channels/recipes/thu.yaml", example);
    let recipes = folder.load().recipes;
    let mut with: BTreeMap<String, String> = parameters();
    with.insert("key".to_owned(), "khoa".to_owned());
    with.insert("list".to_owned(), "7".to_owned());
    let adapter = adapter_with(&recipes[&RecipeId::parse("thu").unwrap()], &with);
    let (requests, end) = play(
        &adapter,
        &saying("Đề"),
        [ok(r#"{"code":"104","wait_seconds":40}"#)],
    );
    let body = String::from_utf8(requests[0].body.to_vec()).unwrap();
    assert!(body.contains("003a002001101ec1&id="), "{body}");
    let wish = |end: &Step| match end {
        Step::Failed(Failure::Retry { after, .. }) => after.unwrap().as_secs(),
        other => panic!("{other:?}"),
    };
    assert_eq!(wish(&end), 40);
    let (_, end) = play(&adapter, &saying("Đề"), [ok(r#"{"code":"150"}"#)]);
    assert_eq!(wish(&end), 600);
    let (requests, end) = play(&adapter, &saying(&"ư".repeat(336)), []);
    assert!(
        requests.is_empty() && matches!(end, Step::Failed(_)),
        "{end:?}"
    );
    let Some(Step::Call(request)) = adapter.probe(&[]) else {
        panic!()
    };
    assert_eq!(header(&request, "x-caller"), Some("bG9hOmtob2E="));
}
