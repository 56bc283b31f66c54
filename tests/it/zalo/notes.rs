//! What waits for another attempt, and what an attempt is told that goes on where another one ended.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::BoxFuture;
use loa::{
    adapter::{
        Failure, Step,
        attempt::{Ending, Notes, attempt},
    },
    clock::Clock,
    domain::{
        delivery::Reason,
        message::{Kept, Note},
        zalo::{Quota, ZaloConfig},
    },
};
use serde_json::json;

use super::{
    API, Scene, account, answer,
    steps::{MORNING, adapter, config, message, no, noted, play, yes},
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
