//! What waits for another attempt, and what an attempt is told that goes on where another one ended.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use loa::{
    adapter::{
        Adapter, Exchange, Failure, Hidden, Request, Step,
        attempt::{Ending, Notes, attempt},
    },
    clock::Clock,
    domain::{
        bulletin::Format,
        delivery::{Reason, State},
        message::{Holds, Kept, Message, Note},
        zalo::{Correction, Quota, ZaloConfig},
    },
};
use serde_json::{Value, json};

use super::{
    API, Scene, account, answer,
    steps::{MORNING, adapter, config, message, no, noted, of, play, title, yes},
};
use crate::support::city::at;

/// Whichever call it is that night or a quota refuses: it waits for the morning, and is not tried again in a few seconds.
#[test]
fn every_refusal_for_night_or_a_quota_waits() {
    let adapter = adapter(&ZaloConfig {
        quota: Quota {
            product: Some("promotion".into()),
            ..Quota::default()
        },
        ..config()
    });
    let holds = Kept {
        holds: Some("a1".into()),
        ..Kept::default()
    };
    let some_left = || yes(&json!([{ "remain": 1 }]));
    let none_left = || yes(&json!([{ "remain": 0 }]));
    let token = || yes(&json!({ "token": "t" }));
    let ready = || yes(&json!({ "id": "a1" }));
    let nothing = Kept::default;
    for (name, kept, answers) in [
        ("the question", nothing(), vec![no(-211)]),
        ("its answer", nothing(), vec![none_left()]),
        ("creating", nothing(), vec![some_left(), no(-211)]),
        ("changing", holds, vec![some_left(), no(-211)]),
        (
            "asking for the id",
            nothing(),
            vec![some_left(), token(), no(-211)],
        ),
        (
            "broadcasting",
            nothing(),
            vec![some_left(), token(), ready(), no(-211)],
        ),
    ] {
        let (_, _, end) = play(&adapter, &message(kept, at(MORNING)), answers);
        let Some(Step::Failed(Failure::Retry { after, reason, .. })) = end else {
            panic!("{name}: {end:?}")
        };
        let tomorrow = Duration::from_hours(22);
        assert_eq!((reason, after), (Reason::Quota, Some(tomorrow)), "{name}");
    }
}

/// Notes of which the second cannot be put on record.
struct Once(AtomicUsize);

impl Notes for Once {
    fn keep<'a>(&'a self, _: &'a Note) -> BoxFuture<'a, Result<(), Failure>> {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        let kept = match before {
            0 => Ok(()),
            _ => Err(Failure::retry(Reason::Defect, "progress-unwritten")),
        };
        Box::pin(std::future::ready(kept))
    }
}

/// The first note says that an article is about to be made, and it was made.
#[tokio::test]
async fn a_second_note_that_is_not_on_record_makes_no_second_article() {
    let scene = Scene::new(None).await;
    account(&scene, "article", "cover: https://loa.vinh.example/bia.jpg");
    let made = r#"{"error":0,"message":"Success","data":{"token":"t"}}"#;
    scene.fault(answer(API, "/v2.0/article/create", made)).await;
    let shared = scene.shared(Clock::simulated(at(MORNING), 1.0)).await;
    let adapter = adapter(&config());
    let first = message(Kept::default(), at(MORNING));
    let notes = Once(AtomicUsize::new(0));
    let now = || first.sent_at;
    let end = attempt(&adapter, &first, &notes, &shared.transport, now).await;
    assert_eq!((end.exchanges, notes.0.into_inner()), (1, 2), "{end:?}");
    let Ending::Failed(failure) = end.ending else {
        panic!("{end:?}")
    };
    assert_eq!(failure.reason(), Reason::Defect);
    // As the store reads it back.
    let came_to_nothing = !matches!(failure, Failure::Unknown { .. });
    let creating = noted(&json!({ "step": "creating" }), came_to_nothing, at(MORNING));
    let (calls, ..) = play(&adapter, &message(creating, at(MORNING)), vec![]);
    assert_eq!(calls, ["getslice?offset=0&limit=10&type=normal -"]);
}

/// Needs no account, and is halfway after its first attempt.
#[derive(Debug, Default)]
struct Halfway(Arc<Mutex<Vec<Option<String>>>>);

impl Adapter for Halfway {
    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        let noted = message.kept.noted.as_ref().map(|noted| noted.text.clone());
        match done {
            [_, ..] => Step::Failed(Failure::retry(Reason::Busy, "")),
            [] if noted.is_some() => {
                self.0.lock().unwrap().push(noted);
                Step::accepted(None)
            }
            [] => {
                self.0.lock().unwrap().push(noted);
                // An address that is not allowed: it never leaves.
                Step::Call(Request {
                    method: "POST".into(),
                    url: "http://192.0.2.1/".into(),
                    headers: Vec::new(),
                    body: Bytes::new(),
                    wait: Duration::ZERO,
                    hidden: Hidden::default(),
                    login: None,
                })
            }
        }
    }

    fn gives_notes(&self) -> bool {
        true
    }

    fn note(&self, _: &Message, _: &[Exchange]) -> Option<Note> {
        Some(Note {
            text: "halfway".into(),
            holds: Holds::Nothing,
            whole_call: false,
        })
    }

    fn name(&self) -> &'static str {
        "halfway"
    }

    fn host(&self) -> &'static str {
        "halfway.example"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_come_back_to_an_adapter_without_an_account() {
    let scene = Scene::new(None).await;
    let clock = Clock::simulated(at("2024-03-25T06:00"), 400.0);
    let halfway = Halfway::default();
    let told = halfway.0.clone();
    // Time does not pass while the daemon starts.
    let starting = clock.busy();
    let daemon = scene
        .start_as(clock.clone(), "oa-vinh", Arc::new(halfway))
        .await;
    drop(starting);
    daemon
        .wait(|rows| {
            rows.iter()
                .any(|row| row.channel.as_str() == "oa-vinh" && row.attempts == 2)
        })
        .await;
    daemon.reach("2024-03-25T06:20").await;
    daemon.stop().await;
    let row = scene.row("oa-vinh", "2024-03-25T06:10").await;
    assert_eq!(row.state, State::Accepted, "{row:?}");
    assert_eq!(*told.lock().unwrap(), [None, Some("halfway".to_owned())]);
}

#[test]
fn articles_have_notes_and_messages_have_none() {
    assert!(adapter(&config()).gives_notes());
    let of_a_person = of(&config(), Format::Message);
    assert!(!of_a_person.gives_notes());
    let first = message(Kept::default(), at(MORNING));
    assert_eq!(of_a_person.note(&first, &[]), None);
}

/// What another delivery of the bulletin has left, for its repetition and for its corrections.
#[test]
fn what_another_delivery_made_is_taken_up() {
    let with = |correction| {
        adapter(&ZaloConfig {
            correction,
            ..config()
        })
    };
    let made = || json!({ "token": "t", "title": "Tên cũ" });
    let making = || json!({ "step": "creating", "title": "Tên cũ" });
    let of = |left: &Value, is_correction| Kept {
        holds: Some(left.to_string()),
        is_correction,
        ..Kept::default()
    };
    let ready = || yes(&json!({ "id": "a1" }));
    let old = || {
        yes(
            &json!({ "medias": [{ "id": "a0", "title": "khác" }, { "id": "a1", "title": "Tên cũ" }] }),
        )
    };
    let none = || yes(&json!({ "medias": [] }));
    let (ask, look) = ("verify -", "getslice?offset=0&limit=10&type=normal -");
    let update = Correction::Update;
    for (name, correction, kept, answers, expected) in [
        (
            "again",
            update,
            of(&made(), false),
            vec![ready()],
            vec![ask, "update updating"],
        ),
        (
            "corrected",
            update,
            of(&made(), true),
            vec![ready()],
            vec![ask, "update updating"],
        ),
        (
            "removed",
            Correction::Remove,
            of(&made(), true),
            vec![no(-214), ready()],
            vec![ask, ask, "remove removing"],
        ),
        (
            "its token is over",
            update,
            of(&made(), true),
            vec![no(-201), old()],
            vec![ask, look, "update updating"],
        ),
        (
            "it may have been made",
            update,
            of(&making(), true),
            vec![none(), old()],
            vec![look, look, "update updating"],
        ),
        (
            "it was not made, again",
            update,
            of(&making(), false),
            vec![none(), none(), none()],
            vec![look, look, look, "create creating"],
        ),
        (
            "its picture was no good, again",
            update,
            of(&made(), false),
            vec![no(-200)],
            vec![ask, "create creating"],
        ),
    ] {
        let message = message(kept, at(MORNING));
        let (calls, _, end) = play(&with(correction), &message, answers);
        assert_eq!(
            (calls, end),
            (expected.iter().map(|&call| call.to_owned()).collect(), None),
            "{name}"
        );
    }
    for (name, correction, kept, answers) in [
        (
            "nothing is there",
            update,
            of(&made(), true),
            vec![no(-200)],
        ),
        (
            "only its title is known, which others may have",
            Correction::Remove,
            of(&making(), true),
            vec![none(), old()],
        ),
        (
            "it is not found",
            Correction::Remove,
            of(&making(), true),
            vec![none(), none(), none()],
        ),
    ] {
        let mut message = message(kept, at(MORNING));
        message.due = message.sent_at;
        if name == "it is not found" {
            // What was made a moment ago may be in no list yet.
            let (.., end) = play(&with(correction), &message, answers.clone());
            let Some(Step::Failed(Failure::Retry { reason, .. })) = end else {
                panic!("{end:?}");
            };
            assert_eq!(reason, Reason::Waiting);
            message.sent_at = message.due + Duration::from_mins(3);
        }
        let (.., end) = play(&with(correction), &message, answers);
        let nothing = Failure::reject(Reason::Status, "zalo-nothing-to-remove");
        assert_eq!(end, Some(Step::Failed(nothing)), "{name}");
    }
}

/// Ids have more digits than a float keeps, and come as texts or as numbers.
#[test]
fn an_id_in_a_list_may_be_a_number() {
    let adapter = adapter(&config());
    let begun = at(MORNING);
    let kept = noted(&json!({ "step": "creating" }), false, begun);
    let message = message(kept, begun + Duration::from_mins(2));
    let id = 2_589_735_217_036_441_652_u64;
    let list = yes(&json!({ "medias": [{ "id": id, "title": title() }] }));
    let (calls, done, _) = play(&adapter, &message, vec![list]);
    assert_eq!(calls[1], "update updating");
    let Step::Call(request) = adapter.step(&message, &done) else {
        panic!("a call");
    };
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["id"], id.to_string());
}
