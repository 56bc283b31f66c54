//! Which of a recipe's calls failed, with what, and how fast they go out.

use loa::{
    adapter::{
        Adapter, Failure, Step,
        attempt::{AttemptEnd, Ending, NoNotes, attempt, probe},
        transport::Transport,
    },
    domain::{bulletin::Priority, delivery::Reason, detail::Detail, message::Message},
};

use super::{
    instant, message,
    server::{Server, answer, script},
    steps::{Answer, SESSION, lost, ok, play, run, says, written, written_for},
    transport::settings,
};

/// What an earlier call was answered says nothing of the one that failed.
#[tokio::test]
async fn the_status_is_that_of_the_call_that_failed() {
    let server = Server::start(vec![script(|wire| {
        wire.request();
        wire.write(answer("200 OK", "", r#"{"token":"bi-mat-1"}"#));
        wire.request();
    })]);
    let end = run(&written_for(&server.url(""), SESSION)).await;
    assert_eq!(end.exchanges, 2);
    assert_eq!((end.status, &end.answer), (None, &None), "{end:?}");
    drop(server);
    // What could not even be written was not answered either.
    let unwritable = r#"
steps: { one: { request: { method: GET, url: "{{ with.url }}/1" }, take: { n: /n } } }
request: { method: POST, url: "{{ with.url }}/2", body: { json: { n: { $number: "{{ steps.one.n }}" } } } }
"#;
    let server = Server::answering(answer("201 Created", "", r#"{"n":"x"}"#));
    let end = run(&written_for(&server.url(""), unwritable)).await;
    assert_eq!((end.exchanges, end.status), (1, None), "{end:?}");
}

const SEVERAL: &str = r#"
steps:
  login:
    when: always
    request: { method: POST, url: "{{ with.url }}/login" }
  write:
    find:
      request: { method: GET, url: "{{ with.url }}/draft" }
      found: { text: there }
      absent: { text: none }
    request: { method: PUT, url: "{{ with.url }}/draft" }
find:
  when: always
  request: { method: GET, url: "{{ with.url }}/page" }
  found: { text: there }
  absent: { text: none }
  update: { method: PATCH, url: "{{ with.url }}/page" }
request: { method: POST, url: "{{ with.url }}/page" }
confirm:
  request: { method: GET, url: "{{ with.url }}/page/state" }
  confirmed: { text: shown }
  refuted: { text: gone }
probe: { request: { method: GET, url: "{{ with.url }}/" } }
"#;

/// What a failure of a call says: the code, and which of the recipe's calls it was.
fn told(step: &Step) -> (String, String) {
    let Step::Failed(failure) = step else {
        panic!("{step:?}")
    };
    let detail = Detail::parse(failure.detail()).unwrap();
    let call = detail.get("call").unwrap_or_default().to_owned();
    (detail.code().to_owned(), call)
}

#[test]
fn a_failure_says_which_call_it_is_of() {
    let adapter = written(SEVERAL);
    let (there, none) = (|| ok("there"), || ok("none"));
    let no = || says(403, &[], "");
    let table: [(Vec<Answer>, &str, &str); 9] = [
        (vec![no()], "call-status", "steps.login"),
        (vec![lost()], "step-lost", "steps.login"),
        (vec![ok(""), no()], "call-status", "find"),
        (vec![ok(""), lost()], "asked-timeout", "find"),
        (
            vec![ok(""), none(), lost()],
            "step-lost",
            "steps.write.find",
        ),
        (
            vec![ok(""), none(), none(), lost()],
            "step-lost",
            "steps.write",
        ),
        (
            vec![ok(""), none(), none(), ok(""), no()],
            "call-status",
            "request",
        ),
        (
            vec![ok(""), there(), there(), no()],
            "call-status",
            "find.update",
        ),
        (
            vec![ok(""), none(), there(), ok(""), ok("gone")],
            "call-refuted",
            "confirm",
        ),
    ];
    for (answers, code, call) in table {
        let (_, end) = play(&adapter, &message(), answers);
        assert_eq!(told(&end), (code.to_owned(), call.to_owned()), "{end:?}");
    }
    // In a recipe of one call there is nothing to tell apart.
    let alone = written(r#"request: { method: POST, url: "{{ with.url }}/" }"#);
    let (_, end) = play(&alone, &message(), [no()]);
    assert_eq!(told(&end), ("call-status".to_owned(), String::new()));
}

/// What is at a place of the receiver's answer is told, whatever its shape (RFC 9457, 3.2), and a "not now" by its line.
#[test]
fn what_a_listed_answer_says_is_told() {
    let adapter = written(
        r#"
request: { method: POST, url: "{{ with.url }}/" }
accepted: { status: 201 }
errors:
  - { status: 422, then: reject, says: /errors }
  - { status: 200, text: busy, then: retry }
"#,
    );
    let told = |answer| {
        let (_, end) = play(&adapter, &message(), [answer]);
        let Step::Failed(failure) = end else {
            panic!("{end:?}")
        };
        (
            failure.reason(),
            Detail::parse(failure.detail()).unwrap().to_string(),
        )
    };
    let body = r#"{"title":"x","errors":{ "summary": ["1..300 (0)"], "key": "mat-khau-1" }}"#;
    let words = r#"{"key":"***","summary":["1..300 (0)"]}"#;
    assert_eq!(
        told(says(422, &[], body)),
        (
            Reason::Status,
            format!("receiver-says status=422; rule=errors[0]; words={words}")
        )
    );
    assert_eq!(
        told(says(422, &[], r#"{"errors":null}"#)).1,
        "call-status-rule status=422; rule=errors[0]"
    );
    assert_eq!(
        told(ok("busy")),
        (
            Reason::Busy,
            "not-now status=200; rule=errors[1]".to_owned()
        )
    );
}

/// Two calls in ten seconds: nothing here waits for the second.
fn slow() -> Transport {
    let transport = Transport::new(settings()).unwrap();
    transport.set_pace(0.1);
    transport
}

fn two_calls() -> Server {
    Server::start(vec![script(|wire| {
        for body in [r#"{"token":"bi-mat-1"}"#, ""] {
            wire.request();
            wire.write(answer("200 OK", "", body));
        }
    })])
}

const LOGIN: &str = r#"
steps:
  login: { when: always, request: { method: POST, url: "{{ with.url }}/login" }, take: { token: /token } }
request: { method: POST, url: "{{ with.url }}/speak" }
probe: { request: { method: GET, url: "{{ with.url }}/" } }
"#;

async fn sent(adapter: &dyn Adapter, priority: Priority, transport: &Transport) -> AttemptEnd {
    let message = Message {
        priority,
        ..message()
    };
    let now = || instant("2024-03-25T05:30:00Z");
    attempt(adapter, &message, &NoNotes, transport, now).await
}

/// A host counts every request, so a step takes the place of the call after it. What cannot wait so long is no refusal of the host's.
#[tokio::test]
async fn every_call_of_an_attempt_has_its_turn() {
    let server = two_calls();
    let adapter = written_for(&server.url(""), LOGIN);
    let transport = slow();
    let end = sent(&adapter, Priority::Normal, &transport).await;
    let Ending::Failed(Failure::Retry { reason, detail, .. }) = &end.ending else {
        panic!("{end:?}")
    };
    assert_eq!((*reason, end.status), (Reason::Paced, None));
    assert!(
        detail.starts_with("call-paced call=request; host="),
        "{detail}"
    );
    assert_eq!(reason.host_answered(), None, "nobody was called");
    // The question whether it is alive is a call as well.
    let now = || instant("2024-03-25T05:30:00Z");
    let asked = probe(&adapter, None, &transport, now).await.unwrap();
    assert_eq!(asked.unwrap_err().reason(), Reason::Paced);
    drop((adapter, transport));
    assert_eq!(server.requests().await.len(), 1);
}

#[tokio::test]
async fn an_emergency_waits_for_no_turn_and_takes_some() {
    let server = two_calls();
    let adapter = written_for(&server.url(""), LOGIN);
    let transport = slow();
    let end = sent(&adapter, Priority::Emergency, &transport).await;
    assert!(matches!(end.ending, Ending::Accepted(_)), "{end:?}");
    let end = sent(&adapter, Priority::Normal, &transport).await;
    assert_eq!(end.exchanges, 1, "{end:?}");
    let now = instant("2024-03-25T05:30:00Z");
    let (crowded, free) = transport.crowded(now, std::time::Duration::ZERO);
    assert_eq!(crowded.len(), 1);
    assert!(free.unwrap() > now + std::time::Duration::from_secs(15));
    drop((adapter, transport));
    assert_eq!(server.requests().await.len(), 2);
}
