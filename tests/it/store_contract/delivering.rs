//! The dispatcher's turn.

use std::time::Duration;

use loa::{
    domain::{
        bulletin::Priority,
        channel::Mode,
        delivery::{Evidence, Outcome, Reason, State},
        plan::PlannedDelivery,
    },
    store::{Candidate, Finished, Room},
};

use super::ground::{
    Ground, LEASE, NODE, accepted, all, at, content, end, ids, planned, planned_by, room,
};

pub(super) async fn a_delivery_from_plan_to_accepted(ground: Ground) {
    let delivery = planned("web-1", 100);
    ground.ready(std::slice::from_ref(&delivery)).await;
    assert!(
        ground.turn(at(99), &[], 5).await.claimed.is_empty(),
        "not due"
    );
    let claimed = ground.claim_one(at(100)).await;
    assert_eq!(claimed.id, delivery.id);
    assert_eq!(
        (
            claimed.attempt,
            claimed.started,
            claimed.doubt,
            claimed.can_ask
        ),
        (1, at(100), false, false)
    );
    assert_eq!(
        (
            &claimed.schedule,
            &claimed.channel,
            &claimed.channel_name,
            &claimed.ward,
            &claimed.ward_name
        ),
        (
            &delivery.schedule,
            &delivery.channel,
            &delivery.channel_name,
            &delivery.ward,
            &delivery.ward_name
        )
    );
    assert_eq!(
        (
            claimed.priority,
            claimed.due,
            claimed.deadline,
            claimed.mode,
            claimed.host.as_str()
        ),
        (
            delivery.priority,
            delivery.due,
            delivery.deadline,
            delivery.mode,
            "web-1.test:80"
        )
    );
    assert_eq!(claimed.hash, content(super::ground::R1).hash());
    let row = ground.row(&delivery.id).await;
    assert_eq!(
        (row.state, row.attempts, row.started_at, row.next_at),
        (State::Sending, 1, Some(at(100)), None)
    );
    assert_eq!(
        ground.store.attempts(&delivery.id).await.unwrap(),
        [],
        "it has not ended"
    );
    ground.is_sound().await;

    let end = accepted(&claimed);
    let turn = ground.turn(at(106), std::slice::from_ref(&end), 5).await;
    assert!(turn.claimed.is_empty() && turn.lost.is_empty());
    let row = ground.row(&delivery.id).await;
    assert_eq!(
        (row.state, row.reason, row.detail, row.attempts),
        (State::Accepted, None, None, 1)
    );
    assert_eq!(
        (row.started_at, row.accepted_at, row.evidence),
        (None, Some(at(105)), Evidence::Accepted)
    );
    assert_eq!(row.updated_at, at(106));
    let attempts = ground.store.attempts(&delivery.id).await.unwrap();
    let [attempt] = attempts.as_slice() else {
        panic!("{attempts:?}")
    };
    assert_eq!(
        (attempt.number, attempt.started, attempt.finished),
        (1, at(100), at(105))
    );
    assert_eq!(
        (attempt.outcome, attempt.reason, attempt.status),
        (Outcome::Accepted, None, Some(200))
    );
    assert_eq!(
        (&attempt.answer, &attempt.receipt),
        (&end.answer, &end.receipt)
    );
    assert_eq!(
        (attempt.evidence, attempt.node.as_str(), attempt.belated),
        (Evidence::Accepted, NODE, false)
    );
    ground.is_sound().await;
}

pub(super) async fn order_of_claims(ground: Ground) {
    let of = |channel: &str, due, priority| PlannedDelivery {
        priority,
        ..planned(channel, due)
    };
    let mut deliveries = vec![
        of("a", 100, Priority::Normal),
        of("b", 90, Priority::Normal),
        of("c", 100, Priority::Priority),
        of("d", 100, Priority::Emergency),
        of("e", 95, Priority::Emergency),
        of("f", 100, Priority::Normal),
    ];
    ground.ready(&deliveries).await;
    deliveries.sort_by_key(|delivery| {
        (
            std::cmp::Reverse(delivery.priority),
            delivery.due,
            delivery.id.clone(),
        )
    });
    let expected: Vec<_> = deliveries
        .iter()
        .map(|delivery| delivery.id.clone())
        .collect();
    let mut got = Vec::new();
    for want in [1, 2, 10] {
        got.extend(ids(&ground.turn(at(100), &[], want).await.claimed));
    }
    assert_eq!(got, expected);
}

pub(super) async fn one_thing_at_a_time_on_a_channel(ground: Ground) {
    let (first, second) = (planned_by("s", "web-1", 100), planned_by("t", "web-1", 100));
    ground.ready(&[first, second]).await;
    let claimed = ground.turn(at(100), &[], 10).await.claimed;
    assert_eq!(claimed.len(), 1);
    assert!(ground.turn(at(101), &[], 10).await.claimed.is_empty());
    // An even earlier one that is planned now has to wait too.
    ground.ready(&[planned_by("u", "web-1", 50)]).await;
    assert!(ground.turn(at(101), &[], 10).await.claimed.is_empty());
    // The end of one and the begin of the next are one transaction.
    let turn = ground.turn(at(105), &[accepted(&claimed[0])], 10).await;
    assert_eq!(turn.claimed.len(), 1);
    assert_eq!(turn.claimed[0].schedule.as_str(), "u");
    ground.is_sound().await;
}

pub(super) async fn an_earlier_delivery_blocks_later_ones(ground: Ground) {
    let (first, second) = (planned("web-1", 100), planned("web-1", 110));
    ground.ready(std::slice::from_ref(&second)).await;
    ground
        .store
        .plan(std::slice::from_ref(&first), super::ground::R1, at(0))
        .await
        .unwrap();
    // The first one is not frozen yet.
    assert!(ground.turn(at(120), &[], 10).await.claimed.is_empty());
    ground.freeze(super::ground::R1).await;
    let claimed = ground.claim_one(at(120)).await;
    assert_eq!(claimed.id, first.id);
    // While the first one waits for its retry, the second one waits too.
    ground
        .turn(at(125), &[end(&claimed, Outcome::Retry, State::Ready)], 0)
        .await;
    assert!(ground.turn(at(126), &[], 10).await.claimed.is_empty());
    let claimed = ground.claim_one(at(135)).await;
    assert_eq!((&claimed.id, claimed.attempt), (&first.id, 2));
    let turn = ground
        .turn(
            at(140),
            &[end(&claimed, Outcome::Rejected, State::Failed)],
            10,
        )
        .await;
    assert_eq!(ids(&turn.claimed), [second.id]);
}

pub(super) async fn full_hosts_and_choice(ground: Ground) {
    let deliveries = ["a", "b", "c"].map(|channel| planned(channel, 100));
    ground.ready(&deliveries).await;
    let full = ["a.test:80".to_owned(), "it's \"quoted\"".to_owned()];
    let room = Room {
        full: &full,
        ..room(5)
    };
    let mut seen = Vec::new();
    let choose = |candidate: &Candidate| {
        seen.push((
            candidate.channel.as_str().to_owned(),
            candidate.host.clone(),
            candidate.mode,
        ));
        candidate.channel.as_str() == "c"
    };
    let turn = ground
        .store
        .turn(NODE, at(100), at(100) + LEASE, &[], &room, choose)
        .await
        .unwrap();
    assert_eq!(ids(&turn.claimed), [deliveries[2].id.clone()]);
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = ["b", "c"].map(|channel| {
        (
            channel.to_owned(),
            format!("{channel}.test:80"),
            deliveries[0].mode,
        )
    });
    assert_eq!(seen, expected);
    assert_eq!(ground.row(&deliveries[1].id).await.state, State::Ready);
}

pub(super) async fn choice_sees_beyond_what_is_refused(ground: Ground) {
    // More loudspeakers come first than a page of candidates holds, and none of them is wanted now.
    let mut deliveries: Vec<_> = (0..1_100)
        .map(|n| planned(&format!("loa-{n}"), 90))
        .collect();
    deliveries.push(planned("web-1", 100));
    ground.ready(&deliveries).await;
    let choose = |candidate: &Candidate| candidate.channel.as_str() == "web-1";
    let turn = ground
        .store
        .turn(NODE, at(100), at(100) + LEASE, &[], &room(4), choose)
        .await
        .unwrap();
    assert_eq!(turn.claimed.len(), 1);
}

pub(super) async fn a_full_host_hides_nobody(ground: Ground) {
    // Thousands of one host come first. It takes four, and is asked five times at most.
    let mut deliveries: Vec<_> = (0..3_000).map(|n| planned(&format!("x-{n}"), 90)).collect();
    deliveries.push(planned("y-1", 100));
    let host = |channel: &str| channel.split('-').next().unwrap().to_owned();
    ground.ready_at(&deliveries, host).await;
    let mut asked = Vec::new();
    let choose = |candidate: &Candidate| {
        asked.push(candidate.host.clone());
        candidate.host == "y" || asked.len() <= 4
    };
    let turn = ground
        .store
        .turn(NODE, at(100), at(100) + LEASE, &[], &room(100), choose)
        .await
        .unwrap();
    assert_eq!(turn.claimed.len(), 5);
    assert_eq!(asked, ["x", "x", "x", "x", "x", "y"]);
}

pub(super) async fn two_budgets(ground: Ground) {
    let of = |mode, channel: &str, due| PlannedDelivery {
        mode,
        ..planned(channel, due)
    };
    let deliveries = [
        of(Mode::AtLeastOnce, "a", 90),
        of(Mode::AtMostOnce, "b", 95),
        of(Mode::AtMostOnce, "c", 100),
        of(Mode::AtLeastOnce, "d", 100),
    ];
    ground.ready(&deliveries).await;
    let claimed = async |in_all, at_most_once| {
        let room = Room {
            in_all,
            at_most_once,
            full: &[],
            ..Room::default()
        };
        let turn = ground
            .store
            .turn(NODE, at(100), at(100) + LEASE, &[], &room, all)
            .await
            .unwrap();
        let channels: Vec<_> = turn
            .claimed
            .iter()
            .map(|claimed| claimed.channel.to_string())
            .collect();
        channels
    };
    assert_eq!(claimed(0, 5).await, [""; 0]);
    assert_eq!(claimed(1, 0).await, ["a"]);
    assert_eq!(
        claimed(5, 1).await,
        ["b", "d"],
        "what must not be sent twice comes first"
    );
    assert_eq!(claimed(5, 0).await, [""; 0]);
    assert_eq!(claimed(5, 5).await, ["c"]);
}

pub(super) async fn no_claim_after_the_deadline(ground: Ground) {
    let delivery = PlannedDelivery {
        deadline: at(200),
        ..planned("web-1", 100)
    };
    ground.ready(std::slice::from_ref(&delivery)).await;
    assert!(ground.turn(at(200), &[], 5).await.claimed.is_empty());
    assert_eq!(
        ids(&ground.turn(at(199), &[], 5).await.claimed),
        [delivery.id]
    );
}

pub(super) async fn retry_waits(ground: Ground) {
    let delivery = planned("web-1", 100);
    ground.ready(std::slice::from_ref(&delivery)).await;
    let claimed = ground.claim_one(at(100)).await;
    let retry = Finished {
        next_at: Some(at(140)),
        ..end(&claimed, Outcome::Unknown, State::Ready)
    };
    ground.turn(at(105), &[retry], 0).await;
    let row = ground.row(&delivery.id).await;
    assert_eq!(
        (row.state, row.reason, row.next_at),
        (State::Ready, Some(Reason::Timeout), Some(at(140)))
    );
    assert_eq!(ground.store.next_ready().await.unwrap(), Some(at(140)));
    assert!(ground.turn(at(139), &[], 5).await.claimed.is_empty());
    let claimed = ground.claim_one(at(140)).await;
    assert_eq!((claimed.attempt, claimed.doubt), (2, true));
    // A retry without an instant of its own may begin at once.
    let retry = Finished {
        next_at: None,
        ..end(&claimed, Outcome::Retry, State::Ready)
    };
    ground.turn(at(145), &[retry], 0).await;
    assert_eq!(ground.row(&delivery.id).await.next_at, Some(at(145)));
    let attempts = ground.store.attempts(&delivery.id).await.unwrap();
    assert_eq!(
        attempts
            .iter()
            .map(|attempt| attempt.number)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    ground.is_sound().await;
}

pub(super) async fn finishing_is_fenced(ground: Ground) {
    let (kept, lost) = (planned("web-1", 100), planned("web-2", 100));
    ground.ready(&[kept.clone(), lost.clone()]).await;
    let claimed = ground.turn(at(100), &[], 2).await.claimed;
    let of = |id| claimed.iter().find(|claimed| &claimed.id == id).unwrap();
    // Another node holds the one lease for lost, and begins again.
    let sql = format!(
        "UPDATE delivery SET leased_until_us = 0 WHERE id = '{}'",
        lost.id
    );
    assert_eq!(ground.meddle(&sql).await.unwrap(), 1);
    let other = ground.another().await;
    assert_eq!(
        other
            .rescue("node-b", false, at(110), at(110))
            .await
            .unwrap(),
        [(lost.id.clone(), State::Ready)]
    );
    let theirs = other
        .turn("node-b", at(110), at(110) + LEASE, &[], &room(5), all)
        .await
        .unwrap()
        .claimed;
    assert_eq!(
        (&theirs[0].id, theirs[0].attempt, theirs[0].doubt),
        (&lost.id, 2, true)
    );

    let before = ground.row(&lost.id).await;
    let turn = ground
        .turn(
            at(111),
            &[accepted(of(&kept.id)), accepted(of(&lost.id))],
            0,
        )
        .await;
    assert_eq!(turn.lost, std::slice::from_ref(&lost.id));
    assert_eq!(ground.row(&kept.id).await.state, State::Accepted);
    assert_eq!(ground.row(&lost.id).await, before);
    let outcomes = |attempts: Vec<loa::store::row::AttemptRow>| {
        attempts
            .into_iter()
            .map(|a| (a.number, a.outcome, a.node, a.belated))
            .collect::<Vec<_>>()
    };
    let attempts = ground.store.attempts(&lost.id).await.unwrap();
    let (a, b) = (NODE.to_owned(), "node-b".to_owned());
    assert_eq!(
        outcomes(attempts),
        [
            (1, Outcome::Unknown, a.clone(), false),
            (1, Outcome::Accepted, a.clone(), true)
        ]
    );
    ground.is_sound().await;
    // The same node with a wrong attempt, and another node with the right one, hold nothing either.
    let wrong = Finished {
        attempt: 3,
        ..accepted(&theirs[0])
    };
    let turn = other
        .turn("node-b", at(112), at(112) + LEASE, &[wrong], &room(0), all)
        .await
        .unwrap();
    assert_eq!(turn.lost, std::slice::from_ref(&lost.id));
    let turn = ground.turn(at(112), &[accepted(&theirs[0])], 0).await;
    assert_eq!(turn.lost, std::slice::from_ref(&lost.id));
    let turn = other
        .turn(
            "node-b",
            at(113),
            at(113) + LEASE,
            &[accepted(&theirs[0])],
            &room(0),
            all,
        )
        .await
        .unwrap();
    assert_eq!(turn.lost, []);
    let attempts = ground.store.attempts(&lost.id).await.unwrap();
    let second: Vec<_> = outcomes(attempts)
        .into_iter()
        .filter(|attempt| attempt.0 == 2)
        .collect();
    assert_eq!(
        second,
        [
            (2, Outcome::Accepted, b, false),
            (2, Outcome::Accepted, a, true)
        ]
    );
}

pub(super) async fn handing_in_twice_writes_once(ground: Ground) {
    let delivery = planned("web-1", 100);
    ground.ready(std::slice::from_ref(&delivery)).await;
    let end = accepted(&ground.claim_one(at(100)).await);
    ground.turn(at(105), std::slice::from_ref(&end), 0).await;
    // As after a commit whose confirmation was lost on the way.
    let turn = ground.turn(at(106), std::slice::from_ref(&end), 0).await;
    assert_eq!(turn.lost, [delivery.id.clone()]);
    assert_eq!(ground.store.attempts(&delivery.id).await.unwrap().len(), 1);
    ground.is_sound().await;
}

pub(super) async fn strange_texts_survive(ground: Ground) {
    let delivery = PlannedDelivery {
        ward_name: "Phường \"Hưng\u{0300}\" \\ 'x' 🎙 \u{7}".to_owned(),
        channel_name: "a\0b".to_owned(),
        ..planned("web-1", 100)
    };
    ground.ready(std::slice::from_ref(&delivery)).await;
    let claimed = ground.claim_one(at(100)).await;
    let answer = "\0\u{1}\u{1f}\"\\\u{7f}\u{fffd}\u{2028}Đ";
    let end = Finished {
        answer: Some(answer.to_owned()),
        receipt: Some(String::new()),
        detail: Some("null".to_owned()),
        ..end(&claimed, Outcome::Rejected, State::Failed)
    };
    ground.turn(at(105), &[end], 0).await;
    let row = ground.row(&delivery.id).await;
    assert_eq!(
        (row.ward_name, row.channel_name.as_str()),
        (delivery.ward_name, "a\u{fffd}b")
    );
    assert_eq!(row.detail.as_deref(), Some("null"));
    let attempt = ground.store.attempts(&delivery.id).await.unwrap().remove(0);
    assert_eq!(attempt.answer, Some(answer.replace('\0', "\u{fffd}")));
    assert_eq!(attempt.receipt.as_deref(), Some(""));
}

pub(super) async fn next_ready_is_the_least_of_those_that_lead(ground: Ground) {
    assert_eq!(ground.store.next_ready().await.unwrap(), None);
    let emergency = PlannedDelivery {
        priority: Priority::Emergency,
        ..planned("web-2", 300)
    };
    ground
        .ready(&[planned("web-1", 200), planned("web-1", 250), emergency])
        .await;
    assert_eq!(ground.store.next_ready().await.unwrap(), Some(at(200)));
    let claimed = ground.claim_one(at(200)).await;
    assert_eq!(
        ground.store.next_ready().await.unwrap(),
        Some(at(300)),
        "that channel is busy"
    );
    let retry = Finished {
        next_at: Some(at(280)),
        ..end(&claimed, Outcome::Retry, State::Ready)
    };
    ground.turn(at(201), &[retry], 0).await;
    assert_eq!(
        ground.store.next_ready().await.unwrap(),
        Some(at(280)),
        "the second one waits behind the first"
    );
    let claimed = ground.claim_one(at(280) + Duration::from_micros(1)).await;
    ground.turn(at(285), &[accepted(&claimed)], 0).await;
    assert_eq!(ground.store.next_ready().await.unwrap(), Some(at(250)));
}

pub(super) async fn both_attempts_of_a_slow_node_in_one_turn(ground: Ground) {
    let delivery = planned("web-1", 100);
    ground.ready(std::slice::from_ref(&delivery)).await;
    let first = ground.claim_one(at(100)).await;
    // The call takes longer than the lease; the node itself takes the delivery back and begins again.
    let later = at(101) + LEASE;
    assert_eq!(
        ground
            .store
            .rescue(NODE, false, later, later)
            .await
            .unwrap()
            .len(),
        1
    );
    let second = ground.claim_one(later).await;
    let ends = [accepted(&first), accepted(&second), accepted(&second)];
    let turn = ground.turn(later, &ends, 0).await;
    assert_eq!(turn.lost, [delivery.id.clone(), delivery.id.clone()]);
    assert_eq!(ground.row(&delivery.id).await.state, State::Accepted);
    let attempts = ground.store.attempts(&delivery.id).await.unwrap();
    let seen: Vec<_> = attempts
        .iter()
        .map(|attempt| (attempt.number, attempt.outcome, attempt.belated))
        .collect();
    assert_eq!(
        seen,
        [
            (1, Outcome::Unknown, false),
            (1, Outcome::Accepted, true),
            (2, Outcome::Accepted, false)
        ]
    );
    ground.is_sound().await;
}
