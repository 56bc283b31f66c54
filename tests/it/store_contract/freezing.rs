//! Which revision is in force, and words frozen under it.

use std::{sync::Arc, time::Duration};

use loa::{
    domain::{
        delivery::{Reason, State},
        plan::{
            Limit, PlannedDelivery, Why,
            air::{Settled, again::Spot},
        },
    },
    store::{
        Frozen, Planned,
        air::{Move, Sending},
    },
};

use super::ground::{FAR, Ground, NODE, R1, R2, at, content, planned, planned_by};

pub(super) async fn another_revision_freezes_again(ground: Ground) {
    let delivery = planned("web-1", 100);
    ground.ready(std::slice::from_ref(&delivery)).await;
    ground.store.set_revision(R2, at(1)).await.unwrap();
    // Nothing that planning knows has changed, and so nothing is counted; but the words may be others.
    let planned = ground
        .store
        .plan(std::slice::from_ref(&delivery), R2, at(1))
        .await
        .unwrap();
    assert_eq!(planned, Planned::default());
    assert_eq!(ground.row(&delivery.id).await.state, State::Planned);
    assert_eq!(ground.freeze(R2).await, 1);
    assert_eq!(
        ground.row(&delivery.id).await.content_hash,
        Some(content(R2).hash())
    );
}

pub(super) async fn revisions(ground: Ground) {
    assert_eq!(
        ground.store.revision().await.unwrap(),
        Some((R1.to_owned(), at(0)))
    );
    ground.store.set_revision(R2, at(5)).await.unwrap();
    ground.store.set_revision(R2, at(9)).await.unwrap();
    assert_eq!(
        ground.store.revision().await.unwrap(),
        Some((R2.to_owned(), at(5))),
        "in force since then"
    );
}

pub(super) async fn freezing(ground: Ground) {
    let deliveries = [
        planned("web-2", 200),
        planned("asks-1", 100),
        planned("loa-1", 300),
    ];
    ground.store.plan(&deliveries, R1, at(0)).await.unwrap();
    assert_eq!(ground.store.next_unprepared().await.unwrap(), Some(at(100)));
    let unprepared = ground.store.unprepared(at(300), 10).await.unwrap();
    assert_eq!(
        unprepared
            .iter()
            .map(|delivery| delivery.channel.as_str())
            .collect::<Vec<_>>(),
        ["asks-1", "web-2"],
        "by instant, and what is due at the end is not in"
    );
    assert_eq!(unprepared[0].bulletin.as_str(), "gia-danh");
    assert_eq!(unprepared[0].format, deliveries[1].format);
    assert_eq!(ground.store.unprepared(FAR, 2).await.unwrap().len(), 2);
    assert_eq!(ground.freeze(R1).await, 3);
    assert_eq!(ground.store.unprepared(FAR, 10).await.unwrap(), []);
    assert_eq!(ground.store.next_unprepared().await.unwrap(), None);
    let row = ground.row(&deliveries[1].id).await;
    assert_eq!((row.state, row.next_at), (State::Ready, Some(at(100))));
    let hash = row.content_hash.unwrap();
    assert_eq!(
        ground.store.contents(&[hash.clone()]).await.unwrap(),
        [(hash.clone(), content(R1))]
    );
    // What is ready already is left alone.
    let again = Frozen {
        id: deliveries[1].id.clone(),
        hash,
        host: "other".to_owned(),
        can_ask: false,
        approved: None,
        length: None,
        overrides: None,
        limit: None,
    };
    assert_eq!(
        ground.store.freeze(&[], &[again], R1, at(1)).await.unwrap(),
        0
    );
    let claimed = ground.claim_one(at(150)).await;
    assert_eq!(
        (claimed.host.as_str(), claimed.can_ask),
        ("asks-1.test:80", true)
    );
}

pub(super) async fn a_sound_that_is_longer_than_expected_leaves_less_time_to_begin(ground: Ground) {
    let limit = |over, reason| {
        Some(Limit {
            over: at(over),
            why: Why {
                reason,
                detail: Some("hours-end".to_owned()),
            },
        })
    };
    let delivery = PlannedDelivery {
        length: Some(Duration::from_secs(20)),
        limit: limit(150, Reason::Policy),
        deadline: at(130),
        ..planned("loa-1", 100)
    };
    let plan = async |delivery: &PlannedDelivery, now| {
        let batch = std::slice::from_ref(delivery);
        ground.store.plan(batch, R1, at(now)).await.unwrap()
    };
    plan(&delivery, 0).await;
    let words = Arc::new(content(R1));
    let frozen = Frozen {
        id: delivery.id.clone(),
        hash: words.hash(),
        host: "h".to_owned(),
        can_ask: false,
        approved: None,
        length: Some(Duration::from_secs(35)),
        overrides: None,
        limit: None,
    };
    let contents = [(words.hash(), words)];
    assert_eq!(
        ground
            .store
            .freeze(&contents, &[frozen], R1, at(1))
            .await
            .unwrap(),
        1
    );
    let row = ground.row(&delivery.id).await;
    assert_eq!(
        (row.deadline, row.length),
        (at(115), Some(Duration::from_secs(35)))
    );
    // The plan knows only what was expected; worked out again, it changes nothing.
    assert_eq!(plan(&delivery, 2).await, Planned::default());
    assert_eq!(ground.row(&delivery.id).await, row);
    ground.store.expire(NODE, at(115)).await.unwrap();
    let row = ground.row(&delivery.id).await;
    assert_eq!(
        (row.state, row.reason),
        (State::Skipped, Some(Reason::Policy))
    );
    assert_eq!(row.detail.as_deref(), Some("hours-end"));
    ground.is_sound().await;
}

pub(super) async fn freezing_under_another_revision(ground: Ground) {
    let delivery = planned("web-1", 100);
    ground
        .store
        .plan(std::slice::from_ref(&delivery), R1, at(0))
        .await
        .unwrap();
    // Words are being rendered from the first revision when the second one comes into force.
    ground.store.set_revision(R2, at(1)).await.unwrap();
    assert_eq!(ground.freeze(R1).await, 0);
    assert_eq!(ground.state(&delivery.id).await, (State::Planned, None));
    // The second revision's words go in, also before the second plan has come to this delivery.
    assert_eq!(ground.freeze(R2).await, 1);
}

pub(super) async fn an_edit_does_not_undo_what_a_send_has_settled(ground: Ground) {
    let limit = |over, reason, detail: &str| Limit {
        over: at(over),
        why: Why {
            reason,
            detail: Some(detail.to_owned()),
        },
    };
    let morning = PlannedDelivery {
        length: Some(Duration::from_secs(20)),
        limit: Some(limit(900, Reason::Policy, "hours-end")),
        ..planned("loa-1", 100)
    };
    let evening = PlannedDelivery {
        length: Some(Duration::from_secs(20)),
        ..planned("loa-1", 400)
    };
    ground.ready(&[morning.clone(), evening.clone()]).await;
    // Something is sent by hand that is heard at 150; the later one gives way to another one, until 500.
    let settled = Settled {
        over_by: vec![(
            morning.id.clone(),
            limit(150, Reason::Collision, "collision"),
        )],
        ..Settled::default()
    };
    let sent = PlannedDelivery {
        length: Some(Duration::from_mins(1)),
        ..planned_by("send.1", "loa-1", 150)
    };
    let span = (at(0), at(1_000));
    ground
        .store
        .send(R1, span, at(10), |_| Sending {
            deliveries: vec![sent.clone()],
            settled,
        })
        .await
        .unwrap();
    let drawn_in = ground.row(&morning.id).await;
    assert_eq!(drawn_in.deadline, at(130));
    let to = Spot {
        id: evening.id.clone(),
        due: at(500),
        deadline: at(700),
        limit: Some(limit(800, Reason::Policy, "hours-end")),
    };
    let moves = [Move {
        to: to.clone(),
        detail: "collision".to_owned(),
    }];
    ground.store.move_on_air(&moves, at(11)).await.unwrap();

    // An edit knows nothing of it. What it plans again is judged and frozen again, and says so then.
    ground.store.set_revision(R2, at(12)).await.unwrap();
    let edited = PlannedDelivery {
        channel_name: "Loa mới".to_owned(),
        ..morning.clone()
    };
    let batch = [edited];
    ground.store.plan(&batch, R2, at(12)).await.unwrap();
    assert_eq!(ground.state(&morning.id).await, (State::Planned, None));
    assert!(ground.turn(at(120), &[], 10).await.claimed.is_empty());
    let words = Arc::new(content(R2));
    let again = |limit| Frozen {
        id: morning.id.clone(),
        hash: words.hash(),
        host: "h".to_owned(),
        can_ask: false,
        approved: None,
        length: Some(Duration::from_secs(20)),
        overrides: None,
        limit,
    };
    let contents = [(words.hash(), Arc::clone(&words))];
    let sooner = again(Some(limit(150, Reason::Collision, "collision")));
    ground
        .store
        .freeze(&contents, &[sooner], R2, at(13))
        .await
        .unwrap();
    let row = ground.row(&morning.id).await;
    assert_eq!(
        (
            row.state,
            row.deadline,
            row.limit,
            row.channel_name.as_str()
        ),
        (State::Ready, at(130), drawn_in.limit, "Loa mới")
    );

    // After the time that its schedule names and before the one at which it is heard: an edit finds it where it stands.
    assert_eq!(ground.store.moved(R1, at(450)).await.unwrap(), []);
    assert_eq!(ground.store.moved(R2, at(450)).await.unwrap(), [to.clone()]);
    assert_eq!(ground.store.moved(R2, at(501)).await.unwrap(), []);
    let there = PlannedDelivery {
        due: to.due,
        deadline: to.deadline,
        limit: to.limit,
        ..evening.clone()
    };
    ground.store.plan(&[there], R2, at(450)).await.unwrap();
    let far = at(10_000);
    assert_eq!(
        ground
            .store
            .supersede(at(450), far, R2, at(450))
            .await
            .unwrap(),
        0
    );
    let row = ground.row(&evening.id).await;
    assert_eq!(
        (row.state, row.due, row.deadline),
        (State::Planned, at(500), at(700))
    );
    ground.is_sound().await;
}

pub(super) async fn what_the_plan_wants_sooner_stays_so(ground: Ground) {
    let limit = |over, reason| Limit {
        over: at(over),
        why: Why {
            reason,
            detail: None,
        },
    };
    let delivery = PlannedDelivery {
        length: Some(Duration::from_secs(20)),
        limit: Some(limit(150, Reason::Policy)),
        deadline: at(130),
        ..planned("loa-1", 100)
    };
    let batch = std::slice::from_ref(&delivery);
    ground.store.plan(batch, R1, at(0)).await.unwrap();
    let words = Arc::new(content(R1));
    let frozen = Frozen {
        id: delivery.id.clone(),
        hash: words.hash(),
        host: "h".to_owned(),
        can_ask: false,
        approved: None,
        length: Some(Duration::from_secs(20)),
        overrides: None,
        limit: Some(limit(200, Reason::Collision)),
    };
    let contents = [(words.hash(), words)];
    ground
        .store
        .freeze(&contents, &[frozen], R1, at(1))
        .await
        .unwrap();
    let row = ground.row(&delivery.id).await;
    assert_eq!((row.deadline, row.limit), (at(130), delivery.limit));
}
