//! Recipes of several calls: steps, proofs of who calls, polling, pages, confirmation and signatures.

use bytes::Bytes;
use loa::{
    adapter::{
        Adapter, Exchange, Failure, Fault, Request, Response, Step,
        attempt::{AttemptEnd, Ending, NoNotes, attempt},
        recipe::RecipeAdapter,
        transport::Transport,
    },
    domain::{
        bulletin::Format,
        delivery::{Evidence, Reason},
        id::RecipeId,
        message::{Content, Message},
    },
};

use super::{
    instant, message,
    recipes::{adapter_with, parameters},
    server::{Server, answer, script},
    transport::settings,
};
use crate::support::workspace::Folder;

/// The adapter of a recipe as people write it.
pub(super) fn written_for(url: &str, yaml: &str) -> RecipeAdapter {
    let folder = Folder::small();
    let parameters_of = "title: Thử\nparameters: { url: {}, token: { secret: true }, user: {}, password: { secret: true } }\n";
    folder.write(
        "channels/recipes/thu.yaml",
        &format!("{parameters_of}{yaml}"),
    );
    let mut recipes = folder.load().recipes;
    let recipe = recipes.remove(&RecipeId::parse("thu").unwrap()).unwrap();
    let mut with = parameters();
    with.insert("url".into(), url.to_owned());
    adapter_with(&recipe, &with)
}

pub(super) fn written(yaml: &str) -> RecipeAdapter {
    written_for("http://10.1.4.3", yaml)
}

pub(super) fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let mut headers = request.headers.iter();
    let found = headers.find(|(given, _)| given.eq_ignore_ascii_case(name))?;
    Some(&found.1)
}

pub(super) type Answer = Result<Response, Fault>;

#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands among answers that did not come"
)]
pub(super) fn says(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    Ok(Response {
        status,
        headers: headers.collect(),
        body: Bytes::from(body.to_owned()),
        retry_after: None,
    })
}

pub(super) fn ok(body: &str) -> Answer {
    says(200, &[], body)
}

pub(super) fn lost() -> Answer {
    Err(Fault::may_have_left(Reason::Timeout, "call-timeout"))
}

/// Plays answers: every request that was made, and how it ended.
pub(super) fn play(
    adapter: &dyn Adapter,
    message: &Message,
    answers: impl IntoIterator<Item = Answer>,
) -> (Vec<Request>, Step) {
    let mut done: Vec<Exchange> = Vec::new();
    let mut answers = answers.into_iter();
    loop {
        match adapter.step(message, &done) {
            Step::Call(request) => {
                let Some(result) = answers.next() else {
                    let made = done.into_iter().map(|exchange| exchange.request);
                    let requests = made.chain([request.clone()]).collect();
                    return (requests, Step::Call(request));
                };
                done.push(Exchange { request, result });
            }
            end => {
                assert!(answers.next().is_none(), "an answer is left: {end:?}");
                return (
                    done.into_iter().map(|exchange| exchange.request).collect(),
                    end,
                );
            }
        }
    }
}

pub(super) fn ways(requests: &[Request]) -> Vec<String> {
    let way = |request: &Request| {
        let path = request.url.trim_start_matches("http://10.1.4.3");
        format!("{} {path}", request.method)
    };
    requests.iter().map(way).collect()
}

pub(crate) fn failure(step: &Step) -> (&'static str, Reason) {
    match step {
        Step::Failed(Failure::Retry { reason, .. }) => ("retry", *reason),
        Step::Failed(Failure::Reject { reason, .. }) => ("reject", *reason),
        Step::Failed(Failure::Unknown { reason, .. }) => ("unknown", *reason),
        other => panic!("{other:?}"),
    }
}

pub(super) const SESSION: &str = r#"
auth: { bearer: "{{ steps.login.token }}" }
steps:
  upload:
    request: { method: PUT, url: "{{ with.url }}/clips", body: { text: "{{ message.text }}" } }
    accepted: { status: 201 }
    take: { clip: { header: Location }, size: { pattern: 'size=([0-9]+)' } }
  login:
    when: always
    request: { method: POST, url: "{{ with.url }}/login", auth: none, body: { form: { key: "{{ with.token }}" } } }
    take: { token: /token }
find:
  request: { method: GET, url: "{{ with.url }}/queue/{{ message.delivery }}" }
  found: { json: { /state: queued } }
  absent: { status: 404 }
request:
  method: POST
  url: "{{ with.url }}{{ steps.upload.clip }}/play"
  body: { json: { size: { $number: "{{ steps.upload.size }}" } } }
accepted: { status: 202 }
stop: { method: POST, url: "{{ with.url }}/stop", auth: none }
probe: { request: { method: GET, url: "{{ with.url }}/state" } }
"#;

#[test]
fn steps_come_in_their_order_and_hand_on_what_they_get() {
    let adapter = written(SESSION);
    let login = || ok(r#"{"token":"bi-mat-1"}"#);
    let upload = || says(201, &[("location", "/clips/7")], "size=42");
    let (requests, end) = play(
        &adapter,
        &message(),
        [login(), upload(), says(202, &[], "")],
    );
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    assert_eq!(
        ways(&requests),
        ["POST /login", "PUT /clips", "POST /clips/7/play"]
    );
    assert_eq!(requests[2].body, r#"{"size":42}"#);
    let proofs: Vec<_> = requests
        .iter()
        .map(|request| header(request, "authorization"))
        .collect();
    assert_eq!(
        proofs,
        [None, Some("Bearer bi-mat-1"), Some("Bearer bi-mat-1")]
    );
    let keys: Vec<_> = requests
        .iter()
        .map(|request| header(request, "idempotency-key").is_some())
        .collect();
    assert_eq!(keys, [false, false, true], "only the call that counts");
    // A repetition asks before it uploads.
    let again = Message {
        attempt: 2,
        ..message()
    };
    let (requests, end) = play(&adapter, &again, [login(), ok(r#"{"state":"queued"}"#)]);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    assert_eq!(ways(&requests).len(), 2);
    // The question whether it is alive logs in, too.
    let Some(Step::Call(request)) = adapter.probe(&[]) else {
        panic!()
    };
    assert_eq!(ways(std::slice::from_ref(&request)), ["POST /login"]);
    let done = [Exchange {
        request,
        result: login(),
    }];
    let Some(Step::Call(request)) = adapter.probe(&done) else {
        panic!()
    };
    assert_eq!(header(&request, "authorization"), Some("Bearer bi-mat-1"));
}

/// What a step does nobody hears. So whatever becomes of it, the message was not sent.
#[test]
fn a_step_that_fails_leaves_no_doubt() {
    let adapter = written(SESSION);
    for (answer, expected) in [
        (lost(), ("retry", Reason::Unanswered)),
        (says(500, &[], ""), ("retry", Reason::Status)),
        (says(503, &[], ""), ("retry", Reason::Busy)),
        (says(401, &[], ""), ("reject", Reason::Unauthorised)),
        (ok("{}"), ("retry", Reason::Unexpected)),
        (ok("<html>Trang chủ</html>"), ("retry", Reason::Unexpected)),
    ] {
        let (_, end) = play(&adapter, &message(), [answer]);
        assert_eq!(failure(&end), expected);
    }
}

/// Whoever answers with a success that does not read as agreed may have done it: a router's page or an empty body says nothing of that. A
/// value that contradicts is a no, and so is what a rule says.
#[test]
fn a_success_that_cannot_be_read_leaves_doubt() {
    let adapter = written(
        r#"
request: { method: POST, url: "{{ with.url }}/play" }
accepted: { status: 202, json: { /code: "0" } }
errors: [ { json: { /state: full }, then: reject } ]
"#,
    );
    let chat = Message {
        content: std::sync::Arc::new(Content {
            format: Format::Message,
            ..(*message().content).clone()
        }),
        ..message()
    };
    for (status, body, expected) in [
        (202, "<html>Xin chào</html>", "unknown"),
        (202, "", "unknown"),
        (202, r#"{"code":null}"#, "unknown"),
        (200, r#"{"code":0}"#, "unknown"),
        (202, r#"{"code":7}"#, "reject"),
        (202, r#"{"state":"full"}"#, "reject"),
    ] {
        for message in [&message(), &chat] {
            let (_, end) = play(&adapter, message, [says(status, &[], body)]);
            let format = message.content.format;
            assert_eq!(
                failure(&end),
                (expected, Reason::Unexpected),
                "{format:?} {status} {body}"
            );
        }
    }
    let (_, end) = play(&adapter, &message(), [says(202, &[], r#"{"code":0}"#)]);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
}

/// An emergency stops what plays first, with whatever the stop is answered, and says what came of it.
#[test]
fn an_emergency_stops_before_it_logs_in() {
    let adapter = written(SESSION);
    let urgent = Message {
        preempts: true,
        ..message()
    };
    for (result, expected) in [(ok(""), true), (says(500, &[], ""), false), (lost(), false)] {
        let Step::Call(stop) = adapter.step(&urgent, &[]) else {
            panic!()
        };
        assert_eq!(adapter.stopped(&urgent, &[]), None);
        let done = [Exchange {
            request: stop,
            result,
        }];
        assert_eq!(adapter.stopped(&urgent, &done), Some(expected));
        let Step::Call(login) = adapter.step(&urgent, &done) else {
            panic!()
        };
        assert!(login.url.ends_with("/login"));
    }
    assert_eq!(adapter.stopped(&message(), &[]), None);
}

/// A device that takes a stop only from whom it knows is told after the login, whatever the stop needs it for.
#[test]
fn a_stop_that_needs_a_login_comes_after_it() {
    let urgent = Message {
        preempts: true,
        ..message()
    };
    let named = SESSION.replace(
        "/stop\", auth: none",
        "/stop?sid={{ steps.login.token }}\", auth: none",
    );
    let proven = SESSION.replace("/stop\", auth: none", "/stop\"");
    for (recipe, way) in [(named, "POST /stop?sid=bi-mat-1"), (proven, "POST /stop")] {
        let adapter = written(&recipe);
        let answers = [
            ok(r#"{"token":"bi-mat-1"}"#),
            says(500, &[], ""),
            says(201, &[("location", "/clips/7")], "size=42"),
            says(202, &[], ""),
        ];
        let (requests, end) = play(&adapter, &urgent, answers);
        assert!(matches!(end, Step::Accepted(_)), "{end:?}");
        assert_eq!(
            ways(&requests),
            ["POST /login", way, "PUT /clips", "POST /clips/7/play"]
        );
        let done: Vec<Exchange> = requests
            .into_iter()
            .zip([ok(r#"{"token":"bi-mat-1"}"#), says(500, &[], "")])
            .map(|(request, result)| Exchange { request, result })
            .collect();
        assert_eq!(adapter.stopped(&urgent, &done[..1]), None);
        assert_eq!(adapter.stopped(&urgent, &done), Some(false));
    }
}

pub(super) async fn run(adapter: &dyn Adapter) -> AttemptEnd {
    let transport = Transport::new(settings()).unwrap();
    let now = || instant("2024-03-25T05:30:00Z");
    attempt(adapter, &message(), &NoNotes, &transport, now).await
}

/// What a login gives is as secret as a password: neither its answer nor an answer that repeats it is kept as it is.
#[tokio::test]
async fn what_a_login_gives_is_kept_nowhere() {
    let server = Server::start(vec![script(|wire| {
        wire.request();
        wire.write(answer("200 OK", "", r#"{"token":"bi-mat-dang-nhap"}"#));
        wire.request();
        wire.write(answer("400 No", "", "unknown clip for bi-mat-dang-nhap"));
    })]);
    let end = run(&written_for(&server.url(""), SESSION)).await;
    assert_eq!(end.answer.as_deref(), Some("unknown clip for ***"));
    drop(server);
    let server = Server::start(vec![script(|wire| {
        wire.request();
        wire.write(answer("200 OK", "", r#"{"tokens":"bi-mat-dang-nhap"}"#));
    })]);
    let end = run(&written_for(&server.url(""), SESSION)).await;
    assert_eq!((end.status, end.answer), (Some(200), None));
    assert!(!format!("{:?}", end.ending).contains("bi-mat"));
}

const POLL: &str = r#"
steps:
  convert:
    request: { method: GET, url: "{{ with.url }}/job" }
    accepted: { json: { /state: done } }
    poll: { every: 20ms, most: 3 }
request: { method: POST, url: "{{ with.url }}/play" }
errors: [ { json: { /state: broken }, then: reject } ]
"#;

#[test]
fn polling_ends_with_the_answer_or_with_patience() {
    let adapter = written(POLL);
    let open = || ok(r#"{"state":"running"}"#);
    let done = || ok(r#"{"state":"done"}"#);
    let (requests, end) = play(&adapter, &message(), [open(), open(), done(), ok("")]);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    let waits: Vec<_> = requests
        .iter()
        .map(|request| request.wait.as_millis())
        .collect();
    assert_eq!(waits, [0, 20, 20, 0]);
    let (_, end) = play(&adapter, &message(), [open(), open(), open()]);
    assert_eq!(failure(&end), ("retry", Reason::Busy));
    let (_, end) = play(&adapter, &message(), [open(), ok(r#"{"state":"broken"}"#)]);
    assert_eq!(
        failure(&end),
        ("reject", Reason::Unexpected),
        "a rule ends it"
    );
    // Only a success that says nothing yet is asked about again.
    let (_, end) = play(&adapter, &message(), [open(), says(404, &[], "")]);
    assert_eq!(failure(&end), ("reject", Reason::Status));
    let (_, end) = play(&adapter, &message(), [open(), lost()]);
    assert_eq!(failure(&end), ("retry", Reason::Unanswered));
}

#[tokio::test]
async fn polling_ends_with_the_time_of_the_attempt() {
    let server = Server::start(vec![script(|wire| {
        wire.request();
        wire.write(answer("200 OK", "", r#"{"state":"running"}"#));
        wire.hold();
    })]);
    let patient = POLL.replace("20ms", "10m");
    let end = run(&written_for(&server.url(""), &patient)).await;
    let Ending::Failed(Failure::Retry { reason, .. }) = end.ending else {
        panic!("{end:?}")
    };
    assert_eq!(reason, Reason::Waiting, "nothing was heard of it");
}

const CONFIRM: &str = r#"
request: { method: POST, url: "{{ with.url }}/play" }
accepted: { receipt: /id }
confirm:
  request: { method: GET, url: "{{ with.url }}/played/{{ receipt }}" }
  confirmed: { json: { /state: playing } }
  refuted: { json: { /state: failed } }
  poll: { every: 1s, most: 2 }
"#;

/// A confirmation never makes things worse: only a plain no takes back what was accepted.
#[test]
fn what_a_device_confirms() {
    let adapter = written(CONFIRM);
    let taken = || ok(r#"{"id":"a7"}"#);
    let evidence = |answers: Vec<Answer>| {
        let (requests, end) = play(
            &adapter,
            &message(),
            std::iter::once(taken()).chain(answers),
        );
        assert!(requests[1].url.ends_with("/played/a7"));
        match end {
            Step::Accepted(receipt) => Some(receipt.evidence),
            other => {
                assert_eq!(failure(&other), ("reject", Reason::Unexpected));
                None
            }
        }
    };
    assert_eq!(
        evidence(vec![ok(r#"{"state":"playing"}"#)]),
        Some(Evidence::Device)
    );
    assert_eq!(
        evidence(vec![ok("{}"), ok(r#"{"state":"playing"}"#)]),
        Some(Evidence::Device)
    );
    assert_eq!(evidence(vec![ok("{}"), ok("{}")]), Some(Evidence::Accepted));
    assert_eq!(evidence(vec![lost()]), Some(Evidence::Accepted));
    assert_eq!(
        evidence(vec![says(500, &[], ""), says(500, &[], "")]),
        Some(Evidence::Accepted)
    );
    assert_eq!(evidence(vec![ok(r#"{"state":"failed"}"#)]), None);
}

const PAGES: &str = r#"
find:
  when: always
  request: { method: GET, url: "{{ with.url }}/posts?page={{ page }}" }
  list: /items
  found: { json: { /slug: "{{ message.slug }}" } }
  absent: { status: 200 }
  pages: { more: { json: { /more: true } }, most: 2 }
  take: { id: /id }
  update: { method: PUT, url: "{{ with.url }}/posts/{{ found.id }}" }
request: { method: POST, url: "{{ with.url }}/posts" }
"#;

#[test]
fn an_item_is_found_on_any_page() {
    let adapter = written(PAGES);
    let page = |slug: &str, more: bool| {
        ok(&format!(
            r#"{{"items":[{{"id":1,"slug":"khac"}},{{"id":2,"slug":"{slug}"}}],"more":{more}}}"#
        ))
    };
    let slug = message().slug();
    let (requests, _) = play(
        &adapter,
        &message(),
        [page("x", true), page(&slug, true), ok("")],
    );
    assert_eq!(
        ways(&requests),
        ["GET /posts?page=1", "GET /posts?page=2", "PUT /posts/2"]
    );
    let (requests, _) = play(
        &adapter,
        &message(),
        [page("x", true), page("y", false), ok("")],
    );
    assert_eq!(ways(&requests)[2], "POST /posts");
    let (_, end) = play(&adapter, &message(), [page("x", true), page("y", true)]);
    assert_eq!(
        failure(&end),
        ("reject", Reason::Unexpected),
        "ours could be on the third"
    );
}

const ETAG: &str = r#"
find:
  when: always
  request: { method: GET, url: "{{ with.url }}/posts" }
  list: /items
  found: { json: { /slug: "{{ message.slug }}" } }
  absent: { status: 200 }
  take: { id: /id, etag: /etag }
  update: { method: PUT, url: "{{ with.url }}/posts/{{ found.id }}", headers: { If-Match: "{{ found.etag }}" } }
steps:
  draft:
    when: create
    request: { method: POST, url: "{{ with.url }}/drafts" }
    take: { id: /id }
request: { method: POST, url: "{{ with.url }}/drafts/{{ steps.draft.id }}/publish" }
"#;

/// What is brought up to date must not be changed by what only something new needs, or its version is not the found one any more.
#[test]
fn some_steps_are_only_for_what_is_new() {
    let adapter = written(ETAG);
    let absent = ok(r#"{"items":[]}"#);
    let (requests, end) = play(
        &adapter,
        &message(),
        [absent, says(201, &[], r#"{"id":"7"}"#), ok("")],
    );
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    assert_eq!(
        ways(&requests),
        ["GET /posts", "POST /drafts", "POST /drafts/7/publish"]
    );
    let slug = message().slug();
    let there = format!(r#"{{"items":[{{"slug":"{slug}","id":"3","etag":"v1"}}]}}"#);
    let (requests, end) = play(&adapter, &message(), [ok(&there), ok("")]);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    assert_eq!(ways(&requests), ["GET /posts", "PUT /posts/3"]);
    assert_eq!(header(&requests[1], "if-match"), Some("v1"));
}

/// What the description of the language shows is a recipe that `loa check` takes.
#[test]
fn the_worked_examples_are_recipes() {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/adapter/recipe/LANGUAGE.md"
    ))
    .unwrap();
    let examples: Vec<&str> = text
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(example, _)| example))
        .collect();
    assert_eq!(examples.len(), 8);
    for example in examples {
        let folder = Folder::small();
        folder.write("channels/recipes/thu.yaml", example);
        let recipes = folder.load().recipes;
        adapter_with(&recipes[&RecipeId::parse("thu").unwrap()], &{
            let mut with = parameters();
            with.insert("key".into(), "khoa".into());
            with.insert("list".into(), "7".into());
            with
        });
    }
}
