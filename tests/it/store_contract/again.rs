//! What is to be tried again and has no time left for that where it stands: it gets another place once, or ends.

use std::time::Duration;

use loa::{
    domain::{
        delivery::{Outcome, Reason, State},
        id::DeliveryId,
        plan::{
            Limit, PlannedDelivery, Why,
            air::{
                OnAir, Settled,
                again::{Again, Spot, Stranded},
            },
        },
    },
    store::{Claimed, Finished, StoreError},
};

use super::ground::{Ground, NODE, accepted, at, end, planned};

const LENGTH: Duration = Duration::from_secs(30);

fn collision(over: u32) -> Limit {
    Limit {
        over: at(over),
        why: Why {
            reason: Reason::Collision,
            detail: Some("collision with=Lời khác".to_owned()),
        },
    }
}

/// Heard from `at(100)` on, over by `at(140)` for something else; of its own it has time until `at(latest)`.
fn bound(channel: &str, latest: u32) -> PlannedDelivery {
    PlannedDelivery {
        length: Some(LENGTH),
        limit: Some(collision(140)),
        deadline: at(110),
        latest: Some(at(latest)),
        ..planned(channel, 100)
    }
}

/// Refused for now, to be tried again at `at(120)`, when its time is over.
fn refused(claimed: &Claimed) -> Finished {
    Finished {
        next_at: Some(at(120)),
        cut_off: true,
        ..end(claimed, Outcome::Retry, State::Ready)
    }
}

/// Claims everything and has it refused.
async fn all_refused(ground: &Ground) {
    let claimed = ground.turn(at(100), &[], 9).await.claimed;
    let ends: Vec<Finished> = claimed.iter().map(refused).collect();
    ground.turn(at(105), &ends, 0).await;
}

async fn decided(
    ground: &Ground,
    now: u32,
    decide: impl FnOnce(Vec<OnAir>, &[Stranded]) -> Again + Send,
) -> Result<usize, StoreError> {
    let reach = |from, until| {
        assert_eq!((from, until), (at(100), at(700)));
        (at(0), at(1_000))
    };
    ground.store.place_again(at(now), reach, decide).await
}

fn spot(id: &DeliveryId, due: u32) -> Spot {
    Spot {
        id: id.clone(),
        due: at(due),
        deadline: at(due + 90),
        limit: Some(collision(due + 120)),
    }
}

pub(super) async fn what_has_no_time_left_gets_another_place(ground: Ground) {
    let [moved, ends] = ["loa-1", "loa-2"].map(|channel| bound(channel, 700));
    // One whose own time is over, one that was never tried, and one that is read.
    let over = bound("loa-3", 105);
    let untried = PlannedDelivery {
        due: at(101),
        ..bound("loa-4", 700)
    };
    let read = PlannedDelivery {
        deadline: at(110),
        ..planned("web-1", 100)
    };
    let beside = PlannedDelivery {
        length: Some(LENGTH),
        ..planned("loa-5", 150)
    };
    ground
        .ready(&[
            moved.clone(),
            ends.clone(),
            over.clone(),
            untried.clone(),
            read.clone(),
            beside.clone(),
        ])
        .await;
    all_refused(&ground).await;
    let again = Again {
        placed: vec![spot(&moved.id, 300)],
        hopeless: vec![ends.id.clone()],
        settled: Settled {
            over_by: vec![(beside.id.clone(), collision(300))],
            ..Settled::default()
        },
        until: Some(at(420)),
    };
    let placed = decided(&ground, 106, |on_air, stranded| {
        let mut ids: Vec<_> = stranded.iter().map(|one| &one.id).collect();
        ids.sort();
        let mut expected = [&moved.id, &ends.id];
        expected.sort();
        assert_eq!(ids, expected);
        for one in stranded {
            assert_eq!(
                (one.due, one.latest, one.detail.as_str()),
                (at(100), at(700), "collision with=Lời khác")
            );
        }
        let own = on_air.iter().find(|one| one.id == moved.id).unwrap();
        assert!(
            own.is_begun && own.is_open && own.from == at(120),
            "{own:?}"
        );
        assert!(on_air.iter().any(|one| one.id == beside.id));
        again
    });
    assert_eq!(placed.await.unwrap(), 1);
    let row = ground.row(&moved.id).await;
    assert_eq!(
        (row.state, row.due, row.next_at, row.deadline, row.attempts),
        (State::Ready, at(300), Some(at(300)), at(390), 1)
    );
    assert_eq!(row.limit, Some(collision(420)));
    assert_eq!((row.scheduled, row.reason), (at(100), Some(Reason::Status)));
    assert_eq!(
        ground.events(&moved.id).await,
        [(
            "placed-again".to_owned(),
            "collision with=Lời khác".to_owned()
        )]
    );
    assert_eq!(ground.store.sent_until().await.unwrap(), Some(at(420)));
    let asked = ground.row(&beside.id).await;
    assert_eq!(
        (asked.deadline, asked.limit),
        (at(270), Some(collision(300)))
    );
    // Another node finds nothing more to do.
    let none = ground.another().await;
    let none = none.place_again(at(106), |_, _| unreachable!(), |_, _| unreachable!());
    assert_eq!(none.await.unwrap(), 0);

    let ended = ground.store.expire(NODE, at(106)).await.unwrap();
    assert_eq!(ended, [(State::Failed, Reason::Status); 2]);
    for hopeless in [&ends, &over] {
        let row = ground.row(&hopeless.id).await;
        let detail = row.detail.as_deref();
        assert_eq!(
            (row.state, detail),
            (State::Failed, Some("collision with=Lời khác"))
        );
    }
    assert_eq!(ground.row(&untried.id).await.state, State::Ready);
    assert_eq!(ground.row(&read.id).await.state, State::Ready);
    // It is sent at its new time and not before.
    assert_eq!(ground.turn(at(110), &[], 9).await.claimed, []);
    let claimed = ground.turn(at(300), &[], 9).await.claimed;
    let again = claimed
        .iter()
        .find(|claimed| claimed.id == moved.id)
        .unwrap();
    assert_eq!((again.attempt, again.latest), (2, at(700)));
    ground.turn(at(301), &[accepted(again)], 0).await;
    assert_eq!(ground.row(&moved.id).await.state, State::Accepted);
    ground.is_sound().await;
}

pub(super) async fn what_waits_for_another_place_does_not_expire(ground: Ground) {
    let waits = bound("loa-1", 700);
    ground.ready(std::slice::from_ref(&waits)).await;
    all_refused(&ground).await;
    for now in [106, 111, 699] {
        let ended = ground.store.expire(NODE, at(now)).await.unwrap();
        assert_eq!(ended, [], "{now}");
    }
    assert_eq!(ground.row(&waits.id).await.state, State::Ready);
    // Nobody has found it one as long as it had time.
    let ended = ground.store.expire(NODE, at(700)).await.unwrap();
    assert_eq!(ended, [(State::Failed, Reason::Status)]);
    ground.is_sound().await;
}

pub(super) async fn what_has_no_other_place_is_tried_once_more_before_its_deadline(ground: Ground) {
    let bound = PlannedDelivery {
        deadline: at(160),
        limit: Some(collision(190)),
        ..bound("loa-1", 700)
    };
    ground.ready(std::slice::from_ref(&bound)).await;
    let claimed = ground.turn(at(100), &[], 9).await.claimed;
    // It asked for more time than there is.
    let wish = Finished {
        next_at: Some(at(200)),
        ..refused(&claimed[0])
    };
    ground.turn(at(105), &[wish], 0).await;
    let none = Again {
        hopeless: vec![bound.id.clone()],
        ..Again::default()
    };
    assert_eq!(decided(&ground, 106, |_, _| none).await.unwrap(), 0);
    assert_eq!(ground.store.expire(NODE, at(106)).await.unwrap(), []);
    let row = ground.row(&bound.id).await;
    assert_eq!((row.state, row.next_at), (State::Ready, Some(at(130))));
    let claimed = ground.turn(at(130), &[], 9).await.claimed;
    ground.turn(at(131), &[refused(&claimed[0])], 0).await;
    ground.store.expire(NODE, at(160)).await.unwrap();
    assert_eq!(ground.row(&bound.id).await.state, State::Failed);
    ground.is_sound().await;
}
