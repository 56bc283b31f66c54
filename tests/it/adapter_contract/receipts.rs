//! Where a receiver gave no reference of its own: what names it is not sent with a gap in its place.

use loa::{
    adapter::{Adapter, Step},
    domain::message::Playing,
};

use super::{
    message,
    steps::{Answer, ok, play, written},
};

const QUEUE: &str = r#"
find:
  request: { method: GET, url: "{{ with.url }}/queue?ref={{ message.delivery }}" }
  found: { json: { /items/0/ref: "{{ message.delivery }}" } }
  absent: { json: { /items: "[]" } }
  take: { receipt: /items/0/id }
request: { method: POST, url: "{{ with.url }}/queue" }
accepted: { receipt: /id }
confirm:
  request: { method: GET, url: "{{ with.url }}/queue/{{ receipt }}" }
  confirmed: { json: { /state: played } }
  later: { every: 1m, within: 30m }
"#;

/// A device may take an empty name for its latest job, whose end would be taken for this one's.
#[test]
fn a_question_by_a_receipt_is_not_asked_without_one() {
    let adapter = written(QUEUE);
    for (answer, calls) in [
        (r#"{"id":"a7"}"#, 2),
        (r#"{"id":7}"#, 2),
        ("{}", 1),
        (r#"{"id":""}"#, 1),
        (r#"{"id":" "}"#, 1),
    ] {
        let answers: [Answer; 2] = [ok(answer), ok(r#"{"state":"played"}"#)];
        let (requests, end) = play(&adapter, &message(), answers.into_iter().take(calls));
        assert_eq!(requests.len(), calls, "{answer}");
        assert!(matches!(end, Step::Accepted(_)), "{answer}: {end:?}");
    }
    let later = |receipt| adapter.look_after(&message(), receipt, &[], message().sent_at);
    assert!(later(None).is_none() && later(Some("")).is_none());
    assert!(matches!(later(Some("a7")), Some(Step::Call(request)) if request.url.ends_with("/a7")));
}

/// What is there already has a receipt, too, where `find` takes it.
#[test]
fn what_is_found_has_the_receipt_that_is_taken() {
    let mut again = message();
    again.attempt = 2;
    let found = format!(r#"{{"items":[{{"ref":"{}","id":"a7"}}]}}"#, again.delivery);
    let (requests, end) = play(&written(QUEUE), &again, [ok(&found)]);
    assert_eq!(requests.len(), 1);
    let Step::Accepted(receipt) = end else {
        panic!("{end:?}");
    };
    assert_eq!(receipt.reference.as_deref(), Some("a7"));
}

/// Nothing else is stopped, the emergency is sent, and the channel counts as not stopped. What a recipe says without a receipt is its own
/// decision.
#[test]
fn what_plays_is_not_stopped_without_its_name() {
    let stopped = |url: &str, receipt: Option<&str>| {
        let adapter = written(&format!(
            "request: {{ method: POST, url: \"{{{{ with.url }}}}/say\" }}\n\
             stop: {{ method: DELETE, url: \"{{{{ with.url }}}}/queue{url}\" }}"
        ));
        let mut urgent = message();
        urgent.preempts = true;
        urgent.kept.playing = Some(Playing {
            delivery: urgent.delivery.clone(),
            receipt: receipt.map(str::to_owned),
        });
        let first = match adapter.step(&urgent, &[]) {
            Step::Call(request) => format!("{} {}", request.method, &*request.url),
            other => panic!("{other:?}"),
        };
        (first, adapter.stopped(&urgent, &[]))
    };
    let named = "{% if playing %}/{{ playing.receipt }}{% endif %}";
    let guarded = "{% if playing.receipt %}/{{ playing.receipt }}{% endif %}";
    let given = "/{{ playing.receipt | default(value='all') }}";
    let told = |path: &str| (format!("DELETE http://10.1.4.3/queue{path}"), None);
    assert_eq!(stopped(named, Some("a7")), told("/a7"));
    for receipt in [None, Some(""), Some(" ")] {
        let sent = ("POST http://10.1.4.3/say".to_owned(), Some(false));
        assert_eq!(stopped(named, receipt), sent, "{receipt:?}");
        assert_eq!(stopped(guarded, receipt), told(""), "{receipt:?}");
    }
    // Where nothing is known to play there is nothing to name either; `default` says what to do then.
    assert_eq!(
        stopped(&format!("{{% if playing %}}{given}{{% endif %}}"), None),
        told("/all")
    );
}
