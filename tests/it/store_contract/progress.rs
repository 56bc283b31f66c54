//! Notes between the calls of an attempt: whose they are, what is known of the call after them, and what a channel has.

use std::collections::BTreeSet;

use loa::{
    domain::{
        delivery::{Outcome, State},
        message::{Holds, Note},
    },
    store::progress::Progress,
};

use super::ground::{Ground, NODE, accepted, at, end, planned};

fn note(text: &str, holds: Option<&str>) -> Note {
    Note {
        text: text.to_owned(),
        holds: holds.map_or(Holds::Same, |text| Holds::This(text.to_owned())),
        whole_call: false,
    }
}

pub(super) async fn a_note_is_of_the_attempt_that_is_under_way(ground: Ground) {
    let delivery = planned("oa-1", 100);
    ground.ready(std::slice::from_ref(&delivery)).await;
    let (store, id) = (&ground.store, &delivery.id);
    let before = note("one", None);
    assert!(
        !store.note(id, NODE, 1, &before, at(99)).await.unwrap(),
        "not begun"
    );
    let claimed = ground.claim_one(at(100)).await;
    for (node, attempt, kept) in [("other", 1, false), (NODE, 2, false), (NODE, 1, true)] {
        assert_eq!(
            store
                .note(id, node, attempt, &before, at(101))
                .await
                .unwrap(),
            kept,
            "{node} {attempt}"
        );
    }
    let noted = store.progress(id).await.unwrap().noted.unwrap();
    assert_eq!(
        (noted.text.as_str(), noted.at, noted.came_to_nothing),
        ("one", at(101), false),
        "it is under way"
    );

    ground
        .turn(at(105), &[end(&claimed, Outcome::Retry, State::Ready)], 0)
        .await;
    assert!(
        store
            .progress(id)
            .await
            .unwrap()
            .noted
            .unwrap()
            .came_to_nothing
    );
    assert!(
        !store.note(id, NODE, 1, &before, at(106)).await.unwrap(),
        "that attempt is over"
    );

    let claimed = ground.claim_one(at(200)).await;
    assert_eq!(claimed.attempt, 2);
    assert!(
        store
            .note(id, NODE, 2, &note("two", Some("bài")), at(201))
            .await
            .unwrap()
    );
    ground
        .turn(at(205), &[end(&claimed, Outcome::Unknown, State::Ready)], 0)
        .await;
    let progress = store.progress(id).await.unwrap();
    let noted = progress.noted.unwrap();
    assert_eq!(
        (noted.text.as_str(), noted.came_to_nothing),
        ("two", false),
        "it may have happened"
    );
    assert_eq!(progress.holds, None, "its own is in the note");
    ground.is_sound().await;
}

pub(super) async fn what_a_channel_has_of_a_bulletin_is_known_to_the_next_delivery(ground: Ground) {
    let all = [
        planned("oa-1", 100),
        planned("oa-1", 2_000),
        planned("oa-2", 3_000),
    ];
    ground.ready(&all).await;
    let store = &ground.store;
    let [first, second, elsewhere] = &all;
    let claimed = ground.claim_one(at(100)).await;
    assert!(
        store
            .note(&first.id, NODE, 1, &note("made", Some("bài-1")), at(101))
            .await
            .unwrap()
    );
    // A note that knows of nothing leaves what is known.
    assert!(
        store
            .note(&first.id, NODE, 1, &note("asked", None), at(102))
            .await
            .unwrap()
    );
    // One that knows that this is gone takes its place: what it is about to make is all that there may be.
    let making = Note {
        holds: Holds::Nothing,
        ..note("making", None)
    };
    assert!(
        store
            .note(&first.id, NODE, 1, &making, at(103))
            .await
            .unwrap()
    );
    assert_eq!(
        store.progress(&second.id).await.unwrap().holds.as_deref(),
        Some("making")
    );
    assert!(
        store
            .note(&first.id, NODE, 1, &note("made", Some("bài-1")), at(104))
            .await
            .unwrap()
    );
    ground.turn(at(110), &[accepted(&claimed)], 0).await;
    assert_eq!(
        store.progress(&second.id).await.unwrap(),
        Progress {
            noted: None,
            holds: Some("bài-1".to_owned()),
            ..Progress::default()
        }
    );
    assert_eq!(
        store.progress(&elsewhere.id).await.unwrap(),
        Progress::default()
    );
    let claimed = ground.claim_one(at(2_000)).await;
    assert_eq!(claimed.id, second.id);
    assert!(
        store
            .note(&second.id, NODE, 1, &note("made", Some("bài-2")), at(2_001))
            .await
            .unwrap()
    );
    assert_eq!(
        store.progress(&first.id).await.unwrap().holds.as_deref(),
        Some("bài-2"),
        "the last that was left"
    );
    // What others have is known to whoever goes on, and only that.
    let others = BTreeSet::from(["bài-1".to_owned(), "bài-2".to_owned()]);
    ground.ready(&[planned("web-9", 2_100)]).await;
    let claimed = ground.claim_one(at(2_100)).await;
    let before = store.progress(&claimed.id).await.unwrap();
    assert_eq!(before.others, BTreeSet::new());
    let note = note("making", None);
    assert!(
        store
            .note(&claimed.id, NODE, 1, &note, at(2_101))
            .await
            .unwrap()
    );
    let after = store.progress(&claimed.id).await.unwrap();
    assert_eq!(after.others, others);
    let second = store.progress(&second.id).await.unwrap();
    assert!(!second.others.contains("bài-1"), "{second:?}");
    ground.is_sound().await;
}

/// Where nobody knows what the channel calls it, or whether there is anything.
pub(super) async fn a_note_tells_the_next_delivery_what_may_have_happened(ground: Ground) {
    let all = [planned("oa-1", 100), planned("oa-1", 2_000)];
    ground.ready(&all).await;
    let (store, [first, second]) = (&ground.store, &all);
    let held = async || store.progress(&second.id).await.unwrap().holds;
    for (attempt, begin, outcome, known) in [
        (1, 100, Outcome::Retry, None),
        (2, 200, Outcome::Unknown, Some("making-2")),
    ] {
        let claimed = ground.claim_one(at(begin)).await;
        let making = note(&format!("making-{attempt}"), None);
        let noted = store.note(&first.id, NODE, attempt, &making, at(begin + 1));
        assert!(noted.await.unwrap());
        assert_eq!(held().await, Some(making.text), "it is under way");
        let end = end(&claimed, outcome, State::Ready);
        ground.turn(at(begin + 5), &[end], 0).await;
        assert_eq!(held().await.as_deref(), known, "{outcome:?}");
    }
    let claimed = ground.claim_one(at(300)).await;
    let named = note("asking", Some("bài-1"));
    assert!(
        store
            .note(&first.id, NODE, 3, &named, at(301))
            .await
            .unwrap()
    );
    let end = end(&claimed, Outcome::Rejected, State::Failed);
    ground.turn(at(305), &[end], 0).await;
    assert_eq!(held().await.as_deref(), Some("bài-1"));
}

pub(super) async fn a_report_confirms_what_was_taken_once(ground: Ground) {
    let delivery = planned("oa-1", 100);
    ground.ready(std::slice::from_ref(&delivery)).await;
    let store = &ground.store;
    let tell = async |channel: &str, message: &str, since: u32| {
        let channel = loa::domain::id::ChannelId::parse(channel).unwrap();
        let told = store.confirm_reported(
            &channel,
            message,
            "user_received_message",
            at(since),
            at(300),
        );
        told.await.unwrap()
    };
    assert!(!tell("oa-1", "r-1", 0).await, "nothing was sent");
    let claimed = ground.claim_one(at(100)).await;
    ground.turn(at(105), &[accepted(&claimed)], 0).await;
    assert!(!tell("oa-1", "r-2", 0).await);
    assert!(!tell("oa-2", "r-1", 0).await);
    assert!(!tell("oa-1", "r-1", 200).await, "too long ago");
    assert!(tell("oa-1", "r-1", 0).await);
    assert!(!tell("oa-1", "r-1", 0).await);
    assert_eq!(ground.state(&delivery.id).await.0, State::Confirmed);
    let events = ground.events(&delivery.id).await;
    assert_eq!(
        events
            .iter()
            .filter(|(event, _)| event == "reported")
            .count(),
        1,
        "{events:?}"
    );
    ground.is_sound().await;
}
