//! Whole attempts: an adapter and the transport against real sockets, and the registry that brings them together.

use std::{collections::BTreeMap, fmt, time::Duration};

use loa::{
    adapter::{
        Adapter, Exchange, Failure, Receipt, Step,
        attempt::{AttemptEnd, Ending, NoNotes, attempt, probe},
        recipe::RecipeAdapter,
        transport::{Transport, TransportSettings},
    },
    domain::{
        delivery::{Evidence, Reason},
        message::{Holds, Message, Note},
        recipe::{Body, Recipe},
    },
};

use super::{
    instant, message,
    recipes::{self, adapter_with, parameters, plain, request},
    server::{Server, answer, script},
    transport::{post, settings},
};

fn at(server: &Server, recipe: &Recipe) -> RecipeAdapter {
    let mut with = parameters();
    with.insert("url".into(), server.url(""));
    adapter_with(recipe, &with)
}

async fn run(adapter: &dyn Adapter, number: u32, settings: TransportSettings) -> AttemptEnd {
    let mut message = message();
    message.attempt = number;
    let transport = Transport::new(settings).unwrap();
    attempt(adapter, &message, &NoNotes, &transport, || {
        instant("2024-03-25T05:30:00Z")
    })
    .await
}

#[tokio::test]
async fn a_page_is_looked_for_and_then_brought_up_to_date() {
    let slug = message().slug();
    let page = format!(r#"{{"slug":"{slug}","status":"publish","link":"https://x/{slug}"}}"#);
    let found = format!(r#"[{{"id":4,"slug":"{slug}"}}]"#);
    let server = Server::start(vec![script(move |wire| {
        for _ in 0..2 {
            wire.request();
            wire.write(answer("200 OK", "", &found));
        }
        wire.request();
        wire.write(answer("200 OK", "", &page));
    })]);
    let end = run(&at(&server, &recipes::website()), 1, settings()).await;
    let receipt = Receipt {
        reference: Some(format!("https://x/{slug}")),
        evidence: Evidence::Accepted,
        remark: None,
        is_offer: false,
    };
    assert_eq!(
        (end.ending, end.status, end.exchanges),
        (Ending::Accepted(receipt), Some(200), 3)
    );
    let requests = server.requests().await;
    assert!(
        requests[0].starts_with(&format!(
            "GET /wp-json/wp/v2/posts?slug={slug}&status=any HTTP/1.1\r\n"
        )),
        "{}",
        requests[0]
    );
    assert!(
        requests[2].starts_with("POST /wp-json/wp/v2/posts/4 HTTP/1.1\r\n"),
        "{}",
        requests[2]
    );
    assert!(
        requests[2].contains("idempotency-key: 0123456789abcdefghjk\r\n"),
        "{}",
        requests[2]
    );
}

#[tokio::test]
async fn a_question_that_is_lost_leaves_no_doubt_but_a_page_that_is_lost_does() {
    let server = Server::start(vec![script(|wire| drop(wire.request()))]);
    let end = run(&at(&server, &recipes::website()), 1, settings()).await;
    let Ending::Failed(Failure::Retry { reason, .. }) = end.ending else {
        panic!("{end:?}")
    };
    assert_eq!(
        (reason, end.status, end.exchanges),
        (Reason::Unanswered, None, 1)
    );

    let slug = message().slug();
    let draft = format!(r#"{{"id":4,"slug":"{slug}","status":"draft"}}"#);
    let server = Server::start(vec![script(move |wire| {
        for _ in 0..2 {
            wire.request();
            wire.write(answer("200 OK", "", "[]"));
        }
        wire.request();
        wire.write(answer("201 Created", "", &draft));
        wire.request();
    })]);
    let end = run(&at(&server, &recipes::website()), 1, settings()).await;
    let Ending::Failed(Failure::Unknown { reason, .. }) = end.ending else {
        panic!("{end:?}")
    };
    // The answer to the draft says nothing of the call that was lost.
    assert_eq!(
        (reason, end.status, end.answer.as_deref(), end.exchanges),
        (Reason::Reset, None, None, 4)
    );
}

#[tokio::test]
async fn a_success_whose_body_is_cut_is_in_doubt() {
    let server = Server::start(vec![script(|wire| {
        wire.request();
        wire.write("HTTP/1.1 202 Accepted\r\ncontent-length: 90\r\n\r\n{\"status\"");
    })]);
    let end = run(&at(&server, &recipes::loudspeaker()), 1, settings()).await;
    assert!(
        matches!(
            end.ending,
            Ending::Failed(Failure::Unknown {
                reason: Reason::Cut,
                ..
            })
        ),
        "{end:?}"
    );
}

#[tokio::test]
async fn all_calls_of_an_attempt_share_its_time() {
    let server = Server::start(vec![script(|wire| {
        wire.request();
        wire.write(answer("200 OK", "", "[]"));
        wire.request();
        wire.hold();
    })]);
    let short = TransportSettings {
        total_timeout: Duration::from_millis(300),
        ..settings()
    };
    let end = run(&at(&server, &recipes::website()), 1, short).await;
    assert!(
        matches!(
            end.ending,
            Ending::Failed(Failure::Retry {
                reason: Reason::Unanswered,
                ..
            })
        ),
        "{end:?}"
    );
}

#[tokio::test]
async fn what_is_kept_of_an_answer_holds_no_secret_and_is_short() {
    let echo = format!(
        "token mat-khau-1, Basic bG9hOm1hdC1raGF1LTI=, {}",
        "đ".repeat(4096)
    );
    let server = Server::answering(answer("401 Unauthorized", "", &echo));
    let end = run(&at(&server, &recipes::website()), 1, settings()).await;
    let kept = end.answer.unwrap();
    assert!(kept.starts_with("token ***, Basic ***, đđ"), "{kept}");
    assert!(kept.len() <= 4096 && kept.len() > 4090, "{}", kept.len());
}

#[tokio::test]
async fn a_secret_across_the_cut_is_no_half_secret() {
    let server = Server::answering(answer(
        "500 Oops",
        "",
        &format!("{}mat-khau-1", "x".repeat(4090)),
    ));
    let end = run(&at(&server, &recipes::loudspeaker()), 1, settings()).await;
    assert!(!end.answer.unwrap().contains("mat"));
}

/// An adapter that never has enough.
struct Greedy(String);

impl fmt::Debug for Greedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Greedy")
    }
}

impl Adapter for Greedy {
    fn step(&self, _: &Message, _: &[Exchange]) -> Step {
        Step::Call(post(self.0.clone()))
    }

    fn name(&self) -> &'static str {
        "greedy"
    }

    fn host(&self) -> &'static str {
        ""
    }
}

/// Calls twice, the second time with a note that wants a whole call; nothing of it ever leaves.
#[derive(Debug)]
struct Late {
    wait: Duration,
}

impl Adapter for Late {
    fn step(&self, _: &Message, done: &[Exchange]) -> Step {
        // An address that is not allowed.
        let mut request = post("http://192.0.2.1/".to_owned());
        match done {
            [] => request.wait = self.wait,
            [_] => {}
            _ => return Step::accepted(None),
        }
        Step::Call(request)
    }

    fn note(&self, _: &Message, done: &[Exchange]) -> Option<Note> {
        Some(Note {
            text: done.len().to_string(),
            holds: Holds::Same,
            whole_call: true,
        })
    }

    fn name(&self) -> &'static str {
        "late"
    }

    fn host(&self) -> &'static str {
        ""
    }
}

/// However late it is: either the first call waits for most of the time that all calls have together, or it finds none.
#[tokio::test]
async fn what_is_never_made_again_is_not_begun_with_little_time() {
    let wait = Duration::from_millis(12);
    let short = TransportSettings {
        total_timeout: Duration::from_millis(20),
        ..settings()
    };
    let end = run(&Late { wait }, 1, short).await;
    let later = Failure::retry(Reason::Waiting, "call-put-off");
    assert_eq!((end.ending, end.exchanges), (Ending::Failed(later), 1));
    let wait = Duration::ZERO;
    let end = run(&Late { wait }, 1, settings()).await;
    assert_eq!(
        (end.ending, end.exchanges),
        (
            Ending::Accepted(Receipt {
                reference: None,
                evidence: Evidence::Accepted,
                remark: None,
                is_offer: false
            }),
            2
        )
    );
    // What comes first has all the time that there is.
    let none = TransportSettings {
        total_timeout: Duration::ZERO,
        ..settings()
    };
    assert_eq!(run(&Late { wait }, 1, none).await.exchanges, 1);
}

#[tokio::test]
async fn an_adapter_without_an_end_is_stopped() {
    let server = Server::answering(answer("200 OK", "", ""));
    let end = run(&Greedy(server.url("/")), 1, settings()).await;
    assert!(
        matches!(
            end.ending,
            Ending::Failed(Failure::Unknown {
                reason: Reason::Defect,
                ..
            })
        ),
        "{end:?}"
    );
    assert_eq!((end.exchanges, server.requests().await.len()), (512, 512));
}

#[tokio::test]
async fn probes() {
    let now = || instant("2024-03-25T05:30:00Z");
    for (status, body, alive) in [
        ("200 OK", r#"{"state":"ready"}"#, true),
        ("200 OK", r#"{"state":"off"}"#, false),
        ("500 Oops", "", false),
    ] {
        let server = Server::answering(answer(status, "", body));
        let transport = Transport::new(settings()).unwrap();
        let end = probe(&at(&server, &recipes::loudspeaker()), None, &transport, now)
            .await
            .unwrap();
        assert_eq!(end.is_ok(), alive, "{body}: {end:?}");
        drop(transport);
        let requests = server.requests().await;
        assert!(requests[0].starts_with("GET /api/status "), "{requests:?}");
        assert!(!requests[0].contains("idempotency-key"), "{requests:?}");
    }
    let transport = Transport::new(settings()).unwrap();
    let silent = recipes::adapter(&recipes::chat());
    assert_eq!(probe(&silent, None, &transport, now).await, None);
}

#[tokio::test]
async fn content_cannot_add_headers() {
    let mut recipe = plain(request("POST", "{{ with.url }}/", Body::Empty));
    recipe.request.headers =
        BTreeMap::from([("X-Title".to_owned(), "{{ message.text }}".to_owned())]);
    let server = Server::start(Vec::new());
    let end = run(&at(&server, &recipe), 1, settings()).await;
    // The message's text has a line break.
    assert!(
        matches!(
            end.ending,
            Ending::Failed(Failure::Reject {
                reason: Reason::Unwritable,
                ..
            })
        ),
        "{end:?}"
    );
    assert_eq!(end.exchanges, 0);
}
