//! Planning, preparing, and taking back.

use loa::{
    domain::{
        bulletin::Priority,
        delivery::{Outcome, Reason, State},
        id::{BulletinId, DeliveryId, ScheduleId},
        plan::PlannedDelivery,
        time::Timestamp,
    },
    store::{LogFilter, Order, Planned},
};

use super::ground::{FAR, Ground, R1, R2, accepted, at, end, planned, planned_by, silent};

pub(super) async fn planning_twice_changes_nothing(ground: Ground) {
    let deliveries = [
        planned("web-1", 100),
        planned("web-2", 100),
        planned("web-1", 200),
    ];
    let first = ground.store.plan(&deliveries, R1, at(0)).await.unwrap();
    assert_eq!(
        first,
        Planned {
            inserted: 3,
            changed: 0
        }
    );
    ground.freeze(R1).await;
    let before = ground
        .store
        .log(&LogFilter::default(), Order::OldestFirst, None, 10)
        .await
        .unwrap();
    let second = ground.store.plan(&deliveries, R1, at(1)).await.unwrap();
    assert_eq!(second, Planned::default());
    assert_eq!(
        ground
            .store
            .log(&LogFilter::default(), Order::OldestFirst, None, 10)
            .await
            .unwrap(),
        before
    );
    assert_eq!(
        ground.store.plan(&[], R1, at(1)).await.unwrap(),
        Planned::default()
    );
    ground.is_sound().await;
}

pub(super) async fn ten_thousand_in_one_call(ground: Ground) {
    let deliveries: Vec<PlannedDelivery> = (0..10_000)
        .map(|n| planned(&format!("web-{n}"), 100))
        .collect();
    assert_eq!(
        ground.store.plan(&deliveries, R1, at(0)).await.unwrap(),
        Planned {
            inserted: 10_000,
            changed: 0
        }
    );
    assert_eq!(
        ground.store.plan(&deliveries, R1, at(0)).await.unwrap(),
        Planned::default()
    );
    assert_eq!(ground.freeze(R1).await, 10_000);
    let mut claimed = Vec::new();
    loop {
        let turn = ground.turn(at(100), &[], 700).await;
        if turn.claimed.is_empty() {
            break;
        }
        claimed.extend(turn.claimed);
    }
    assert_eq!(claimed.len(), 10_000);
    let ends: Vec<_> = claimed.iter().map(accepted).collect();
    assert_eq!(ground.turn(at(105), &ends, 1).await.lost, []);
    let account = ground.store.account(&LogFilter::default()).await.unwrap();
    assert_eq!((account.occurrences, account.accepted), (10_000, 10_000));
}

pub(super) async fn an_edit_changes_what_has_not_begun(ground: Ground) {
    type Edit = fn(&mut PlannedDelivery);
    let edits: [(&str, Edit); 6] = [
        ("bulletin", |delivery| {
            delivery.bulletin = Some(BulletinId::parse("khac").unwrap());
        }),
        ("deadline", |delivery| delivery.deadline = at(150)),
        ("late", |delivery| delivery.late = true),
        ("priority", |delivery| {
            delivery.priority = Priority::Emergency;
        }),
        ("ward's name", |delivery| {
            delivery.ward_name = "Phường Thành Vinh".to_owned();
        }),
        ("channel's name", |delivery| {
            delivery.channel_name = "Loa mới".to_owned();
        }),
    ];
    let mut delivery = planned("web-1", 100);
    ground.ready(std::slice::from_ref(&delivery)).await;
    for (what, edit) in edits {
        edit(&mut delivery);
        let planned = ground
            .store
            .plan(std::slice::from_ref(&delivery), R1, at(1))
            .await
            .unwrap();
        assert_eq!(
            planned,
            Planned {
                inserted: 0,
                changed: 1
            },
            "{what}"
        );
        let row = ground.row(&delivery.id).await;
        assert_eq!(
            (row.state, row.content_hash, row.next_at),
            (State::Planned, None, None),
            "{what}"
        );
        assert_eq!(
            (
                row.bulletin,
                row.deadline,
                row.priority,
                row.ward_name,
                row.channel_name,
                row.updated_at
            ),
            (
                delivery.bulletin.clone(),
                delivery.deadline,
                delivery.priority,
                delivery.ward_name.clone(),
                delivery.channel_name.clone(),
                at(1)
            ),
            "{what}"
        );
        assert_eq!(ground.freeze(R1).await, 1, "{what}");
    }
}

pub(super) async fn what_has_begun_is_left_alone(ground: Ground) {
    let (sending, retrying, done) = (
        planned("web-1", 100),
        planned("web-2", 100),
        planned("web-3", 100),
    );
    ground
        .ready(&[sending.clone(), retrying.clone(), done.clone()])
        .await;
    let claimed = ground.turn(at(100), &[], 3).await.claimed;
    let claimed = |id| claimed.iter().find(|claimed| claimed.id == id).unwrap();
    let ends = [
        end(claimed(retrying.id.clone()), Outcome::Retry, State::Ready),
        accepted(claimed(done.id.clone())),
    ];
    ground.turn(at(105), &ends, 0).await;
    let before = ground
        .store
        .log(&LogFilter::default(), Order::OldestFirst, None, 10)
        .await
        .unwrap();
    let mut edited = [sending, retrying, done];
    for delivery in &mut edited {
        delivery.bulletin = None;
        delivery.deadline = at(101);
    }
    assert_eq!(
        ground.store.plan(&edited, R2, at(106)).await.unwrap(),
        Planned::default()
    );
    assert_eq!(
        ground
            .store
            .supersede(at(0), FAR, "revision-3", at(106))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        ground
            .store
            .log(&LogFilter::default(), Order::OldestFirst, None, 10)
            .await
            .unwrap(),
        before
    );
}

pub(super) async fn without_a_bulletin_it_is_skipped_and_comes_back_with_one(ground: Ground) {
    let with = planned("web-1", 100);
    let without = silent(with.clone());
    let skipped = vec![(
        "skipped".to_owned(),
        "expired: no-valid-bulletin".to_owned(),
    )];
    let planned = ground
        .store
        .plan(std::slice::from_ref(&without), R1, at(0))
        .await
        .unwrap();
    assert_eq!(
        planned,
        Planned {
            inserted: 1,
            changed: 0
        }
    );
    let row = ground.row(&with.id).await;
    assert_eq!(
        (row.state, row.reason),
        (State::Skipped, Some(Reason::Expired))
    );
    assert_eq!(
        (row.detail.as_deref(), row.bulletin),
        (Some("no-valid-bulletin"), None)
    );
    assert_eq!(ground.events(&with.id).await, skipped);
    ground
        .store
        .plan(std::slice::from_ref(&without), R2, at(1))
        .await
        .unwrap();
    assert_eq!(
        ground.events(&with.id).await,
        skipped,
        "planning again is not an event"
    );

    let planned = ground
        .store
        .plan(std::slice::from_ref(&with), R2, at(2))
        .await
        .unwrap();
    assert_eq!(
        planned,
        Planned {
            inserted: 0,
            changed: 1
        }
    );
    assert_eq!(ground.state(&with.id).await, (State::Planned, None));
    ground
        .store
        .plan(std::slice::from_ref(&without), R2, at(3))
        .await
        .unwrap();
    assert_eq!(
        ground.state(&with.id).await,
        (State::Skipped, Some(Reason::Expired))
    );
    assert_eq!(ground.events(&with.id).await.len(), 2);
    ground
        .store
        .plan(std::slice::from_ref(&with), R2, at(100))
        .await
        .unwrap();
    assert_eq!(
        ground.state(&with.id).await,
        (State::Skipped, Some(Reason::Expired)),
        "it is due"
    );
    ground.is_sound().await;
}

pub(super) async fn superseded_and_undone(ground: Ground) {
    let (first, second) = (planned("web-1", 100), planned("web-2", 200));
    ground.ready(&[first.clone(), second.clone()]).await;
    // The second revision holds only the first delivery; the third holds both again.
    ground
        .store
        .plan(std::slice::from_ref(&first), R2, at(1))
        .await
        .unwrap();
    assert_eq!(
        ground
            .store
            .supersede(at(0), at(1_000), R2, at(1))
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        ground.state(&second.id).await,
        (State::Skipped, Some(Reason::Superseded))
    );
    assert_eq!(
        ground
            .store
            .supersede(at(0), at(1_000), R2, at(1))
            .await
            .unwrap(),
        0
    );
    let both = [first.clone(), second.clone()];
    let planned = ground.store.plan(&both, "revision-3", at(2)).await.unwrap();
    assert_eq!(
        planned,
        Planned {
            inserted: 0,
            changed: 1
        }
    );
    assert_eq!(ground.state(&second.id).await, (State::Planned, None));
    // What is due does not come back.
    ground
        .store
        .supersede(at(0), at(1_000), "revision-4", at(3))
        .await
        .unwrap();
    ground
        .store
        .plan(&both, "revision-5", at(100))
        .await
        .unwrap();
    assert_eq!(
        ground.state(&first.id).await,
        (State::Skipped, Some(Reason::Superseded))
    );
    assert_eq!(ground.state(&second.id).await, (State::Planned, None));
    ground.is_sound().await;
}

pub(super) async fn superseding_spares_sends_by_hand_and_other_times(ground: Ground) {
    let by_hand = planned_by(ScheduleId::by_hand("x").as_str(), "web-1", 150);
    let (before, first, last, after) = (
        planned("web-2", 99),
        planned("web-2", 100),
        planned("web-2", 199),
        planned("web-2", 200),
    );
    let all = [by_hand, before, first.clone(), last.clone(), after];
    ground.store.plan(&all, R1, at(0)).await.unwrap();
    assert_eq!(
        ground
            .store
            .supersede(at(100), at(200), R2, at(1))
            .await
            .unwrap(),
        2
    );
    for delivery in all {
        let gone = delivery == first || delivery == last;
        let expected = if gone { State::Skipped } else { State::Planned };
        assert_eq!(
            ground.row(&delivery.id).await.state,
            expected,
            "{delivery:?}"
        );
    }
}

pub(super) async fn plan_runs_are_joined(ground: Ground) {
    let record = async |revision: &str, from, until| {
        ground
            .store
            .record_plan_run(revision, at(from), at(until), at(0))
            .await
            .unwrap();
    };
    let runs = async |revision: &str| {
        let runs = ground.store.plan_runs(revision).await.unwrap();
        let seconds = |instant: Timestamp| instant.since(at(0)).as_secs();
        runs.into_iter()
            .map(|(from, until)| (seconds(from), seconds(until)))
            .collect::<Vec<_>>()
    };
    assert_eq!(runs(R1).await, []);
    record(R1, 100, 200).await;
    record(R1, 300, 400).await;
    record(R2, 200, 300).await;
    assert_eq!(runs(R1).await, [(100, 200), (300, 400)]);
    record(R1, 200, 250).await;
    assert_eq!(runs(R1).await, [(100, 250), (300, 400)]);
    record(R1, 50, 500).await;
    assert_eq!(runs(R1).await, [(50, 500)]);
    record(R1, 60, 70).await;
    assert_eq!(runs(R1).await, [(50, 500)]);
    assert_eq!(runs(R2).await, [(200, 300)]);
}

pub(super) async fn ending_what_has_not_begun(ground: Ground) {
    let all = ["a", "b", "c", "d"].map(|channel| planned(channel, 100));
    ground.ready(&all).await;
    let claimed = ground.turn(at(100), &[], 1).await.claimed;
    let free: Vec<_> = all
        .iter()
        .filter(|delivery| delivery.id != claimed[0].id)
        .map(|d| d.id.clone())
        .collect();
    let end = async |ids: &[DeliveryId], state, reason, detail| {
        ground
            .store
            .end_unbegun(ids, state, reason, detail, at(101))
            .await
            .unwrap()
    };
    assert_eq!(
        end(
            &[free[0].clone(), claimed[0].id.clone()],
            State::Skipped,
            Reason::Paused,
            "đám tang"
        )
        .await,
        1
    );
    assert_eq!(
        end(&free[..2], State::Failed, Reason::Unrenderable, "").await,
        1,
        "the first has ended already"
    );
    assert_eq!(
        end(&free[2..], State::Cancelled, Reason::ByHand, "").await,
        1
    );
    assert_eq!(end(&[], State::Cancelled, Reason::ByHand, "").await, 0);
    let row = ground.row(&free[0]).await;
    assert_eq!(
        (row.state, row.reason, row.next_at),
        (State::Skipped, Some(Reason::Paused), None)
    );
    assert_eq!(row.detail.as_deref(), Some("đám tang"));
    assert_eq!(ground.row(&free[1]).await.detail, None);
    assert_eq!(
        ground.events(&free[0]).await,
        [("skipped".to_owned(), "paused: đám tang".to_owned())]
    );
    assert_eq!(
        ground.events(&free[1]).await,
        [("failed".to_owned(), "unrenderable".to_owned())]
    );
    assert_eq!(ground.events(&claimed[0].id).await, []);
    ground.is_sound().await;
}
