//! Hosts that did not answer: what is on record of them, and what ends meanwhile.

use std::time::Duration;

use loa::{
    domain::{
        breaker::Open,
        bulletin::Priority,
        delivery::{Reason, State},
        id::{ChannelId, DeliveryId},
    },
    store::{
        LogFilter, Order,
        health::{HealthNews, HostHealth},
        row::{Behind, LeftAlone},
    },
};

use super::ground::{Ground, NODE, R1, accepted, at, planned};

fn news(host: &str, since: u32, until: Option<u32>) -> HealthNews {
    HealthNews {
        host: host.to_owned(),
        since: at(since),
        open: until.map(|until| Open {
            since: at(since),
            until: at(until),
            rounds: 2,
        }),
        reason: Reason::Refused,
        detail: format!("unreachable since={since}"),
        event: Some(if until.is_some() {
            "host-left-alone"
        } else {
            "host-answers"
        }),
    }
}

fn known(node: &str, news: &HealthNews) -> HostHealth {
    HostHealth {
        host: news.host.clone(),
        node: node.to_owned(),
        since: news.since,
        open: news.open,
        reason: news.reason,
    }
}

pub(super) async fn the_last_news_of_a_host_stays_and_each_is_in_the_journal(ground: Ground) {
    let (one, two) = (news("a", 10, Some(40)), news("b", 11, Some(41)));
    let back = news("a", 50, None);
    ground.store.beat(NODE, R1, at(60)).await.unwrap();
    ground.store.beat("gone", R1, at(1)).await.unwrap();
    let said = [one.clone(), two.clone(), back.clone()];
    ground.store.note_health(&said, NODE, at(60)).await.unwrap();
    let said = [two.clone()];
    ground
        .store
        .note_health(&said, "gone", at(60))
        .await
        .unwrap();
    assert_eq!(
        ground.store.health(at(30)).await.unwrap(),
        [known(NODE, &back), known(NODE, &two)],
        "of nodes that are alive"
    );
    let all = ground.store.health(at(0)).await.unwrap();
    assert_eq!(all.len(), 3);
    let lines = ground.store.journal_of("host-left-alone", 9).await.unwrap();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2].detail, "a: refused");
    let lines = ground.store.journal_of("host-answers", 9).await.unwrap();
    assert_eq!(lines.len(), 1);
}

pub(super) async fn what_nodes_that_are_gone_knew_is_inherited(ground: Ground) {
    for (node, seen) in [("old", 1), ("older", 0), ("alive", 100)] {
        ground.store.beat(node, R1, at(seen)).await.unwrap();
    }
    let of = |host: &str, until: u32| [news(host, until / 4, Some(until))];
    ground
        .store
        .note_health(&of("a", 40), "old", at(1))
        .await
        .unwrap();
    ground
        .store
        .note_health(&of("a", 70), "older", at(1))
        .await
        .unwrap();
    ground
        .store
        .note_health(&of("b", 30), "alive", at(1))
        .await
        .unwrap();
    let mine = ground
        .store
        .inherit_health("new", false, at(60))
        .await
        .unwrap();
    assert_eq!(mine, [known("new", &of("a", 70)[0])], "the longer wait");
    let again = ground
        .store
        .inherit_health("new", false, at(60))
        .await
        .unwrap();
    assert_eq!(again, mine);
    let alone = ground
        .store
        .inherit_health("last", true, at(60))
        .await
        .unwrap();
    assert_eq!(alone.len(), 2, "whoever is alone takes all: {alone:?}");
    assert_eq!(
        ground.store.health(at(0)).await.unwrap().len(),
        0,
        "its node has no stamp yet"
    );
}

pub(super) async fn what_waits_for_a_host_that_every_node_leaves_alone_says_so(ground: Ground) {
    let (dead, well, later) = (
        planned("web-1", 100),
        planned("web-2", 100),
        planned("web-1", 900),
    );
    let mut urgent = planned("web-1", 200);
    urgent.priority = Priority::Emergency;
    let all = [dead.clone(), well.clone(), later.clone(), urgent.clone()];
    ground.ready(&all).await;
    let host = "web-1.test:80";
    let store = &ground.store;
    for (node, until) in [(NODE, 400), ("other", 300)] {
        store.beat(node, R1, at(120)).await.unwrap();
        let said = [news(host, 90, Some(until)), news("web-2.test:80", 90, None)];
        store.note_health(&said, node, at(120)).await.unwrap();
    }
    let alone = LeftAlone {
        since: at(90),
        until: at(300),
        reason: Reason::Refused,
    };
    assert_eq!(ground.row(&dead.id).await.left_alone, Some(alone));
    for (other, why) in [
        (&well, "its host answers"),
        (&later, "its host is tried before its time"),
        (&urgent, "emergencies go there all the same"),
    ] {
        assert_eq!(ground.row(&other.id).await.left_alone, None, "{why}");
    }
    let filter = LogFilter::default();
    let log = store.log(&filter, Order::OldestFirst, None, 9).await;
    let log = log.unwrap();
    let changed = store.changed_since(at(0), None, 9).await.unwrap();
    for rows in [log, changed] {
        assert_eq!(rows.len(), 4);
        for row in rows {
            assert_eq!(row.left_alone.is_some(), row.id == dead.id);
        }
    }
    let due = store.was_due(&[], at(0), at(1_000)).await.unwrap();
    for one in due {
        let expected = (one.place.delivery == dead.id).then_some(alone);
        assert_eq!(one.left_alone, expected);
    }
    // What a node that is gone knew keeps nobody waiting, and what one node reaches is sent there.
    store.beat(NODE, R1, at(181)).await.unwrap();
    let left = ground.row(&dead.id).await.left_alone.unwrap();
    assert_eq!(left.until, at(400), "the other node has not been heard of");
    store.beat("third", R1, at(181)).await.unwrap();
    assert_eq!(ground.row(&dead.id).await.left_alone, None);
}

pub(super) async fn what_waits_for_another_of_its_channel_says_so(ground: Ground) {
    let (first, second, later, other) = (
        planned("web-1", 100),
        planned("web-1", 110),
        planned("web-1", 900),
        planned("web-2", 110),
    );
    let mut urgent = planned("web-1", 115);
    urgent.priority = Priority::Emergency;
    let all = [
        first.clone(),
        second.clone(),
        later.clone(),
        other.clone(),
        urgent.clone(),
    ];
    ground.ready(&all).await;
    let store = &ground.store;
    store.beat(NODE, R1, at(120)).await.unwrap();
    let behind = async |one: &DeliveryId| ground.row(one).await.behind;
    let before = |is_sending| Behind {
        id: first.id.clone(),
        due: at(100),
        is_sending,
    };
    assert_eq!(behind(&second.id).await, Some(before(false)));
    for (one, why) in [
        (&first, "nothing comes before it"),
        (&later, "its time has not come"),
        (&other, "another channel"),
        (&urgent, "an emergency waits for no other"),
    ] {
        assert_eq!(behind(&one.id).await, None, "{why}");
    }
    let turn = ground.turn(at(120), &[], 9).await;
    let urgent_claimed = turn.claimed.iter().find(|one| one.id == urgent.id);
    let urgent_claimed = urgent_claimed.expect("it goes first");
    let is_urgent = behind(&first.id).await.map(|before| before.id);
    assert_eq!(is_urgent, Some(urgent.id.clone()), "it is being sent");
    ground.turn(at(121), &[accepted(urgent_claimed)], 0).await;
    let claimed = ground.claim_one(at(122)).await;
    assert_eq!(claimed.id, first.id);
    assert_eq!(behind(&second.id).await, Some(before(true)));
    ground.turn(at(123), &[accepted(&claimed)], 0).await;
    assert_eq!(behind(&second.id).await, None);
}

pub(super) async fn what_waits_goes_where_its_channel_is_now(ground: Ground) {
    let waits = planned("web-1", 100);
    ground.ready(std::slice::from_ref(&waits)).await;
    let store = &ground.store;
    store.beat(NODE, R1, at(120)).await.unwrap();
    let said = [news("web-1.test:80", 90, Some(400))];
    store.note_health(&said, NODE, at(120)).await.unwrap();
    assert!(ground.row(&waits.id).await.left_alone.is_some());
    let moves = async |host: &str| {
        let channel = ChannelId::parse("web-1").unwrap();
        let moved = store.move_hosts([(&channel, host)].into_iter()).await;
        moved.unwrap()
    };
    assert_eq!(moves("web-1.test:80").await, 0, "it is there");
    assert_eq!(moves("new.test").await, 1);
    assert_eq!(ground.row(&waits.id).await.left_alone, None);
    assert_eq!(ground.claim_one(at(121)).await.host, "new.test");
    assert_eq!(moves("other.test").await, 0, "what is being sent goes on");
}

pub(super) async fn when_a_screen_was_seen_last_stays(ground: Ground) {
    let store = &ground.store;
    let (one, two) = (
        ChannelId::parse("man-1").unwrap(),
        ChannelId::parse("man-2").unwrap(),
    );
    assert!(store.screens_seen().await.unwrap().is_empty());
    let first = [(one.clone(), at(50)), (two.clone(), at(60))];
    store.note_screens(&first, at(60)).await.unwrap();
    // Another node heard the first one later, and the second one earlier.
    let second = [(one.clone(), at(70)), (two.clone(), at(40))];
    store.note_screens(&second, at(70)).await.unwrap();
    store.note_screens(&[], at(70)).await.unwrap();
    let seen = store.screens_seen().await.unwrap();
    assert_eq!(seen, [(one.clone(), at(70)), (two.clone(), at(60))].into());
    // By a clock that was ahead, and was put right since.
    let ahead = [(one.clone(), at(9_000))];
    store.note_screens(&ahead, at(9_000)).await.unwrap();
    let right = [(one.clone(), at(80))];
    store.note_screens(&right, at(80)).await.unwrap();
    let seen = store.screens_seen().await.unwrap();
    assert_eq!(seen, [(one, at(80)), (two, at(60))].into());
}

pub(super) async fn what_ends_at_a_host_that_is_left_alone_was_unreachable(ground: Ground) {
    let (dead, well, unfrozen) = (
        planned("web-1", 100),
        planned("web-2", 100),
        planned("web-3", 100),
    );
    ground.ready(&[dead.clone(), well.clone()]).await;
    ground
        .store
        .plan(std::slice::from_ref(&unfrozen), R1, at(0))
        .await
        .unwrap();
    let said = [
        news("web-1.test:80", 90, Some(300)),
        news("web-2.test:80", 90, None),
        news("web-3.test:80", 90, Some(300)),
    ];
    ground
        .store
        .note_health(&said, NODE, at(100))
        .await
        .unwrap();
    let later = dead.deadline + Duration::from_secs(1);
    let mut ended = ground.store.expire(NODE, later).await.unwrap();
    ended.sort_unstable();
    assert_eq!(
        ended,
        [
            (State::Skipped, Reason::Expired),
            (State::Skipped, Reason::Expired),
            (State::Skipped, Reason::Unreachable)
        ]
    );
    assert_eq!(
        ground.state(&dead.id).await,
        (State::Skipped, Some(Reason::Unreachable))
    );
    assert_eq!(
        ground.row(&dead.id).await.detail.as_deref(),
        Some("unreachable since=90")
    );
    assert_eq!(ground.row(&well.id).await.detail, None);
    assert_eq!(
        ground.events(&dead.id).await.last(),
        Some(&("expired".to_owned(), "skipped: unreachable".to_owned()))
    );
    // A clock that was wrong then takes nothing away.
    assert_eq!(ground.store.reopen(at(99)).await.unwrap(), 3);
    ground.is_sound().await;
}
