//! Ends without a node's word: after a crash, at a deadline, after downtime, by a person.

use std::time::Duration;

use loa::{
    domain::{
        delivery::{Evidence, Outcome, Reason, State},
        id::DeliveryId,
        plan::{Limit, PlannedDelivery, Why},
    },
    store::Finished,
};

use super::ground::{Ground, LEASE, NODE, R1, accepted, all, at, end, planned, planned_by, room};

pub(super) async fn rescue_by_mode(ground: Ground) {
    let table = [
        ("loa-1", State::Unknown), // at most once, and nobody to ask
        ("web-1", State::Ready),   // at least once
        ("asks-1", State::Ready),  // its adapter can ask
    ];
    let mut deliveries = table.map(|(channel, _)| planned(channel, 100));
    deliveries[2].mode = deliveries[0].mode;
    ground.ready(&deliveries).await;
    assert_eq!(ground.turn(at(100), &[], 5).await.claimed.len(), 3);
    let end_of_lease = at(100) + LEASE;
    assert_eq!(
        ground
            .store
            .rescue("node-b", false, end_of_lease, end_of_lease)
            .await
            .unwrap(),
        [],
        "the lease has not ended"
    );
    let now = end_of_lease + Duration::from_micros(1);
    let mut rescued = ground
        .store
        .rescue("node-b", false, now, now)
        .await
        .unwrap();
    let mut expected: Vec<_> = deliveries
        .iter()
        .zip(table)
        .map(|(delivery, (_, state))| (delivery.id.clone(), state))
        .collect();
    rescued.sort();
    expected.sort();
    assert_eq!(rescued, expected);
    assert_eq!(
        ground
            .store
            .rescue("node-b", false, now, now)
            .await
            .unwrap(),
        []
    );
    for (delivery, (_, state)) in deliveries.iter().zip(table) {
        let row = ground.row(&delivery.id).await;
        assert_eq!(
            (row.state, row.reason, row.attempts),
            (state, Some(Reason::Crashed), 1),
            "{row:?}"
        );
        assert_eq!(
            (row.started_at, row.next_at),
            (None, (state == State::Ready).then_some(now)),
            "{row:?}"
        );
        let attempt = ground.store.attempts(&delivery.id).await.unwrap().remove(0);
        assert_eq!(
            (attempt.number, attempt.outcome, attempt.reason),
            (1, Outcome::Unknown, Some(Reason::Crashed))
        );
        assert_eq!(
            (attempt.started, attempt.finished, attempt.node.as_str()),
            (at(100), now, NODE)
        );
        assert_eq!(
            ground.events(&delivery.id).await,
            [("rescued".to_owned(), state.as_str().to_owned())]
        );
    }
    ground.is_sound().await;
    let again = ground.turn(now, &[], 5).await.claimed;
    assert_eq!(again.len(), 2);
    assert!(
        again
            .iter()
            .all(|claimed| claimed.doubt && claimed.attempt == 2),
        "{again:?}"
    );
}

pub(super) async fn rescue_when_alone(ground: Ground) {
    let (theirs, ours) = (planned("web-1", 100), planned("web-2", 100));
    ground.ready(std::slice::from_ref(&theirs)).await;
    ground
        .store
        .turn("node-before", at(100), at(100) + LEASE, &[], &room(1), all)
        .await
        .unwrap();
    ground.ready(std::slice::from_ref(&ours)).await;
    ground.claim_one(at(101)).await;
    // Whoever is alone knows that the others are gone, without waiting for their leases.
    assert_eq!(
        ground
            .store
            .rescue(NODE, false, at(102), at(102))
            .await
            .unwrap(),
        []
    );
    assert_eq!(
        ground
            .store
            .rescue(NODE, true, at(102), at(102))
            .await
            .unwrap(),
        [(theirs.id, State::Ready)]
    );
    assert_eq!(ground.row(&ours.id).await.state, State::Sending);
}

pub(super) async fn what_was_refused_until_its_hours_end_says_both(ground: Ground) {
    let limit = |over| Limit {
        over,
        why: Why {
            reason: Reason::Policy,
            detail: Some("hours-end rule=Khung giờ".to_owned()),
        },
    };
    let within = |channel: &str, over| PlannedDelivery {
        deadline: at(200),
        length: Some(Duration::from_secs(30)),
        limit: Some(limit(over)),
        ..planned(channel, 100)
    };
    let [waits, cut, rejected, own] = [
        within("a", at(230)),
        within("b", at(230)),
        within("c", at(230)),
        // Its own deadline comes long before its hours end.
        within("d", at(900)),
    ];
    ground
        .ready(&[waits.clone(), cut.clone(), rejected.clone(), own.clone()])
        .await;
    let claimed = ground.turn(at(100), &[], 5).await.claimed;
    let of = |id: &DeliveryId| claimed.iter().find(|claimed| &claimed.id == id).unwrap();
    let ends = [
        end(of(&waits.id), Outcome::Retry, State::Ready),
        Finished {
            cut_off: true,
            ..end(of(&cut.id), Outcome::Retry, State::Failed)
        },
        end(of(&rejected.id), Outcome::Rejected, State::Failed),
        Finished {
            cut_off: true,
            ..end(of(&own.id), Outcome::Retry, State::Failed)
        },
    ];
    ground.turn(at(105), &ends, 0).await;
    assert_eq!(
        ground.store.expire(NODE, at(200)).await.unwrap(),
        [(State::Failed, Reason::Status)]
    );
    for (delivery, is_cut_off) in [
        (&waits, true),
        (&cut, true),
        (&rejected, false),
        (&own, false),
    ] {
        let row = ground.row(&delivery.id).await;
        assert_eq!(
            (row.state, row.reason),
            (State::Failed, Some(Reason::Status)),
            "{row:?}"
        );
        assert_eq!(row.is_cut_off(), is_cut_off, "{row:?}");
        let detail = if is_cut_off {
            "hours-end rule=Khung giờ"
        } else {
            "Không được"
        };
        assert_eq!(row.detail.as_deref(), Some(detail), "{row:?}");
    }
    ground.is_sound().await;
}

pub(super) async fn expiry_by_history(ground: Ground) {
    let of = |channel: &str| PlannedDelivery {
        deadline: at(200),
        ..planned(channel, 100)
    };
    let [waiting, refused, doubtful, sending, later] = ["a", "b", "c", "d", "e"].map(of);
    let later = PlannedDelivery {
        deadline: at(201),
        ..later
    };
    let unfrozen = of("f");
    ground
        .ready(&[refused.clone(), doubtful.clone(), sending.clone()])
        .await;
    let claimed = ground.turn(at(100), &[], 5).await.claimed;
    let of = |id: &DeliveryId| claimed.iter().find(|claimed| &claimed.id == id).unwrap();
    let ends = [
        end(of(&refused.id), Outcome::Retry, State::Ready),
        end(of(&doubtful.id), Outcome::Unknown, State::Ready),
    ];
    ground.turn(at(105), &ends, 0).await;
    ground.ready(&[waiting.clone(), later.clone()]).await;
    ground
        .store
        .plan(std::slice::from_ref(&unfrozen), R1, at(0))
        .await
        .unwrap();

    assert_eq!(ground.store.expire(NODE, at(199)).await.unwrap(), []);
    let mut ended = ground.store.expire(NODE, at(200)).await.unwrap();
    ended.sort_unstable();
    assert_eq!(
        ended,
        [
            (State::Failed, Reason::Status),
            (State::Unknown, Reason::Deadline),
            (State::Skipped, Reason::Expired),
            (State::Skipped, Reason::Expired)
        ]
    );
    assert_eq!(ground.store.expire(NODE, at(200)).await.unwrap(), []);
    let table = [
        (&waiting, State::Skipped, Some(Reason::Expired)),
        (&unfrozen, State::Skipped, Some(Reason::Expired)),
        (&refused, State::Failed, Some(Reason::Status)),
        (&doubtful, State::Unknown, Some(Reason::Deadline)),
        (&sending, State::Sending, None),
        (&later, State::Ready, None),
    ];
    for (delivery, state, reason) in table {
        assert_eq!(
            ground.state(&delivery.id).await,
            (state, reason),
            "{delivery:?}"
        );
    }
    assert_eq!(ground.row(&waiting.id).await.next_at, None);
    assert_eq!(
        ground.events(&refused.id).await,
        [("expired".to_owned(), "failed: status".to_owned())]
    );
    ground.is_sound().await;
}

pub(super) async fn missed_is_judged(ground: Ground) {
    let late = |delivery: PlannedDelivery| PlannedDelivery {
        late: true,
        ..delivery
    };
    let (before, missed, website, begun, after) = (
        planned("a", 99),
        planned("b", 100),
        late(planned("c", 150)),
        planned("d", 100),
        planned("e", 200),
    );
    ground.ready(&[begun.clone()]).await;
    let claimed = ground.claim_one(at(100)).await;
    ground
        .turn(at(105), &[end(&claimed, Outcome::Retry, State::Ready)], 0)
        .await;
    let rest = [
        before.clone(),
        missed.clone(),
        website.clone(),
        after.clone(),
    ];
    ground.store.plan(&rest, R1, at(0)).await.unwrap();
    assert_eq!(
        ground
            .store
            .judge_missed(at(100), at(200), "100..200", at(201))
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        ground
            .store
            .judge_missed(at(100), at(200), "100..200", at(201))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        ground.state(&missed.id).await,
        (State::Skipped, Some(Reason::Expired))
    );
    assert_eq!(
        ground.row(&missed.id).await.detail.as_deref(),
        Some("100..200")
    );
    assert_eq!(
        ground.events(&missed.id).await,
        [("skipped".to_owned(), "expired: 100..200".to_owned())]
    );
    for spared in [&before, &website, &after] {
        assert_eq!(
            ground.state(&spared.id).await,
            (State::Planned, None),
            "{spared:?}"
        );
    }
    assert_eq!(ground.row(&begun.id).await.state, State::Ready);
}

pub(super) async fn reconciling(ground: Ground) {
    let [took, unclear, no, waiting] = ["a", "b", "c", "d"].map(|channel| planned(channel, 100));
    ground
        .ready(&[took.clone(), unclear.clone(), no.clone()])
        .await;
    let claimed = ground.turn(at(100), &[], 5).await.claimed;
    let of = |id: &DeliveryId| claimed.iter().find(|claimed| &claimed.id == id).unwrap();
    let ends = [
        accepted(of(&took.id)),
        end(of(&unclear.id), Outcome::Unknown, State::Unknown),
        end(of(&no.id), Outcome::Rejected, State::Failed),
    ];
    ground.turn(at(105), &ends, 0).await;
    ground
        .store
        .plan(std::slice::from_ref(&waiting), R1, at(0))
        .await
        .unwrap();
    let say = async |id: &DeliveryId, heard| {
        ground
            .store
            .reconcile(id, heard, "Bà Lan", at(110))
            .await
            .unwrap()
    };
    assert!(say(&took.id, true).await);
    assert!(say(&unclear.id, false).await);
    for (delivery, state) in [(&no, State::Failed), (&waiting, State::Planned)] {
        assert!(!say(&delivery.id, true).await);
        assert_eq!(ground.row(&delivery.id).await.state, state);
        assert_eq!(ground.events(&delivery.id).await, []);
    }
    assert!(!say(&DeliveryId::from_text("nothing"), true).await);
    let row = ground.row(&unclear.id).await;
    assert_eq!(
        (row.state, row.reason, row.evidence),
        (State::Unheard, Some(Reason::ByHand), Evidence::Staff)
    );
    assert_eq!(
        (row.closed_by.as_deref(), row.updated_at),
        (Some("Bà Lan"), at(110))
    );
    // A person may think again.
    assert!(say(&unclear.id, true).await);
    assert_eq!(ground.row(&unclear.id).await.state, State::Confirmed);
    let reconciled = |word: &str| ("reconciled".to_owned(), word.to_owned());
    assert_eq!(
        ground.events(&unclear.id).await,
        [reconciled("unheard"), reconciled("confirmed")]
    );
    assert_eq!(
        ground.store.journal_rows(Some(&took.id), 1).await.unwrap()[0].actor,
        "Bà Lan"
    );
    ground.is_sound().await;
    // What a device has confirmed is not for a person to close.
    let claimed = {
        ground.freeze(R1).await;
        ground.claim_one(at(120)).await
    };
    let device = Finished {
        next: State::Confirmed,
        evidence: Evidence::Device,
        ..accepted(&claimed)
    };
    ground.turn(at(125), &[device], 0).await;
    assert!(!say(&waiting.id, false).await);
    assert_eq!(ground.row(&waiting.id).await.evidence, Evidence::Device);
    ground.is_sound().await;
}

/// Nobody knows what was heard of it, whatever its beginning was worth. What a person has said stands.
pub(super) async fn a_stream_that_ended_before_its_sound_is_for_a_person(ground: Ground) {
    let planned = ["loa-1", "loa-2", "loa-3", "loa-4"].map(|channel| planned(channel, 100));
    ground.ready(&planned).await;
    let claimed = ground.turn(at(100), &[], 5).await.claimed;
    let of = |id: &DeliveryId| claimed.iter().find(|claimed| &claimed.id == id).unwrap();
    let [took, heard, said, no] = planned.each_ref().map(|planned| &planned.id);
    let by_device = Finished {
        evidence: Evidence::Device,
        next: State::Confirmed,
        ..accepted(of(heard))
    };
    let ends = [
        accepted(of(took)),
        by_device,
        accepted(of(said)),
        end(of(no), Outcome::Rejected, State::Failed),
    ];
    let store = &ground.store;
    let detail = "broken-off seconds=3; reason=reset";
    assert!(
        !store.broken_off(took, NODE, detail, at(104)).await.unwrap(),
        "its attempt has not ended"
    );
    assert_eq!(ground.row(took).await.state, State::Sending);
    assert!(ground.events(took).await.is_empty());
    ground.turn(at(105), &ends, 0).await;
    let confirmed = ground.row(heard).await;
    assert_eq!(
        (confirmed.state, confirmed.evidence),
        (State::Confirmed, Evidence::Device)
    );
    assert!(
        !store
            .reconcile(heard, false, "Bà Lan", at(106))
            .await
            .unwrap(),
        "what a device has said is not for a person"
    );
    assert!(
        store
            .reconcile(said, true, "Bà Lan", at(106))
            .await
            .unwrap()
    );
    for id in [took, heard, said, no] {
        assert!(store.broken_off(id, NODE, detail, at(110)).await.unwrap());
        let last = ("broken-off".to_owned(), detail.to_owned());
        assert_eq!(ground.events(id).await.last(), Some(&last));
    }
    for id in [took, heard] {
        let row = ground.row(id).await;
        assert_eq!(
            (row.state, row.reason, row.evidence),
            (State::Unknown, Some(Reason::Cut), Evidence::None)
        );
        assert_eq!(
            (row.detail.as_deref(), row.updated_at),
            (Some(detail), at(110))
        );
    }
    assert_eq!(ground.row(said).await.state, State::Confirmed);
    assert_eq!(ground.row(no).await.state, State::Failed);
    assert_eq!(ground.row(no).await.updated_at, at(105));
    ground.is_sound().await;
    assert!(
        store
            .reconcile(heard, false, "Bà Lan", at(120))
            .await
            .unwrap()
    );
    assert_eq!(ground.row(heard).await.state, State::Unheard);
    ground.is_sound().await;
}

pub(super) async fn every_end_is_in_the_journal(ground: Ground) {
    let gone = planned("a", 100);
    let by_hand = planned_by("send.x", "b", 100);
    ground.ready(&[gone.clone(), by_hand.clone()]).await;
    ground
        .store
        .supersede(at(0), at(200), "revision-2", at(1))
        .await
        .unwrap();
    ground
        .store
        .end_unbegun(
            &[by_hand.id.clone()],
            State::Cancelled,
            Reason::ByHand,
            "Bà Lan",
            at(2),
        )
        .await
        .unwrap();
    let rows = ground.store.journal_rows(None, 10).await.unwrap();
    let lines: Vec<_> = rows
        .into_iter()
        .map(|row| (row.at, row.event, row.delivery, row.actor, row.detail))
        .collect();
    let line = |now, event: &str, id: &DeliveryId, detail: &str| {
        (
            now,
            event.to_owned(),
            Some(id.clone()),
            "loa".to_owned(),
            detail.to_owned(),
        )
    };
    assert_eq!(
        lines,
        [
            line(at(2), "cancelled", &by_hand.id, "by-hand: Bà Lan"),
            line(at(1), "superseded", &gone.id, "revision-2"),
        ]
    );
}
