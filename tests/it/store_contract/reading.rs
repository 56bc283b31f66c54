//! What readers see.

use std::{collections::HashSet, time::Duration};

use loa::{
    domain::{
        delivery::{Account, Outcome, Reason, State},
        id::{ChannelId, DeliveryId, ScheduleId, TopicId, WardId},
        plan::PlannedDelivery,
    },
    store::{Finished, LogFilter, Order, PageKey},
};

use super::ground::{Ground, NODE, R1, accepted, at, content, end, planned, planned_by, silent};

pub(super) async fn log_pages_in_both_orders(ground: Ground) {
    // Several due at one instant, so that a page ends between them.
    let mut deliveries: Vec<_> = (0..23)
        .map(|n| planned(&format!("web-{n}"), 100 + n / 10))
        .collect();
    ground.store.plan(&deliveries, R1, at(0)).await.unwrap();
    deliveries.sort_by_key(|delivery| (delivery.due, delivery.id.clone()));
    let mut expected: Vec<_> = deliveries.into_iter().map(|delivery| delivery.id).collect();
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let mut got = Vec::new();
        let mut after: Option<PageKey> = None;
        loop {
            let page = ground
                .store
                .log(&LogFilter::default(), order, after.as_ref(), 4)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 4);
            after = Some(PageKey {
                due: last.due,
                id: last.id.clone(),
            });
            got.extend(page.into_iter().map(|row| row.id));
        }
        assert_eq!(got, expected, "{order:?}");
        expected.reverse();
    }
}

pub(super) async fn log_filters(ground: Ground) {
    let ward = |name: &str| WardId::parse(name).unwrap();
    let in_ward = |name: &str, delivery: PlannedDelivery| PlannedDelivery {
        ward: ward(name),
        ..delivery
    };
    let deliveries = [
        in_ward("le-mao", planned_by("s", "a", 100)),
        in_ward("le-mao", planned_by("t", "b", 110)),
        in_ward("cua-nam", planned_by("s", "c", 120)),
        in_ward("cua-nam", planned_by("s", "c", 130)),
    ];
    ground.store.plan(&deliveries, R1, at(0)).await.unwrap();
    let cancelled = [deliveries[3].id.clone()];
    ground
        .store
        .end_unbegun(&cancelled, State::Cancelled, Reason::ByHand, "", at(1))
        .await
        .unwrap();
    let none = LogFilter::default;
    let schedule = |id: &str| Some(ScheduleId::from_store(id));
    let channel = |id: &str| Some(ChannelId::parse(id).unwrap());
    let table: [(LogFilter, &[usize]); 12] = [
        (none(), &[0, 1, 2, 3]),
        (
            LogFilter {
                ward: Some(ward("le-mao")),
                ..none()
            },
            &[0, 1],
        ),
        (
            LogFilter {
                channel: channel("c"),
                ..none()
            },
            &[2, 3],
        ),
        (
            LogFilter {
                schedule: schedule("s"),
                ..none()
            },
            &[0, 2, 3],
        ),
        (
            LogFilter {
                state: Some(State::Cancelled),
                ..none()
            },
            &[3],
        ),
        (
            LogFilter {
                since: Some(at(110)),
                until: Some(at(130)),
                ..none()
            },
            &[1, 2],
        ),
        (
            LogFilter {
                ward: Some(ward("le-mao")),
                schedule: schedule("s"),
                ..none()
            },
            &[0],
        ),
        (
            LogFilter {
                ward: Some(ward("le-mao")),
                channel: channel("c"),
                ..none()
            },
            &[],
        ),
        (
            LogFilter {
                channel: channel("c"),
                state: Some(State::Planned),
                ..none()
            },
            &[2],
        ),
        (
            LogFilter {
                schedule: schedule("s"),
                since: Some(at(101)),
                state: Some(State::Planned),
                ..none()
            },
            &[2],
        ),
        (
            LogFilter {
                ward: Some(ward("cua-nam")),
                channel: channel("c"),
                schedule: schedule("s"),
                ..none()
            },
            &[2, 3],
        ),
        (
            LogFilter {
                ward: Some(ward("nowhere")),
                ..none()
            },
            &[],
        ),
    ];
    for (filter, expected) in table {
        let rows = ground
            .store
            .log(&filter, Order::OldestFirst, None, 10)
            .await
            .unwrap();
        let got: Vec<_> = rows.into_iter().map(|row| row.id).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|index| deliveries[*index].id.clone())
            .collect();
        assert_eq!(got, expected, "{filter:?}");
        let newest = ground
            .store
            .log(&filter, Order::NewestFirst, None, 10)
            .await
            .unwrap();
        assert!(
            newest.iter().rev().map(|row| &row.id).eq(&expected),
            "{filter:?}"
        );
        let account = ground.store.account(&filter).await.unwrap();
        assert_eq!(account.occurrences, expected.len() as u64, "{filter:?}");
        assert!(account.balances(), "{filter:?}");
        assert_eq!(ground.store.contradictions(&filter).await.unwrap(), []);
    }
}

pub(super) async fn following_changes(ground: Ground) {
    let (first, second) = (planned("a", 100), planned("b", 200));
    ground
        .store
        .plan(std::slice::from_ref(&second), R1, at(1))
        .await
        .unwrap();
    ground
        .store
        .plan(std::slice::from_ref(&first), R1, at(2))
        .await
        .unwrap();
    let changed = async |since, limit| {
        let rows = ground
            .store
            .changed_since(at(since), None, limit)
            .await
            .unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(changed(0, 10).await, [second.id.clone(), first.id.clone()]);
    assert_eq!(changed(0, 1).await, [second.id.clone()]);
    assert_eq!(changed(2, 10).await, [first.id.clone()]);
    assert_eq!(changed(3, 10).await, []);
    let rest = ground
        .store
        .changed_since(at(1), Some(&second.id), 10)
        .await
        .unwrap();
    assert_eq!(rest.len(), 1, "a page goes on after its last row");
}

pub(super) async fn the_account_balances(ground: Ground) {
    let deliveries: Vec<_> = (0..8)
        .map(|n| planned(&format!("web-{n}"), 100 + n))
        .collect();
    ground.ready(&deliveries).await;
    let claimed = ground.turn(at(200), &[], 8).await.claimed;
    let offered = Finished {
        reason: Some(Reason::Offered),
        ..accepted(&claimed[6])
    };
    let ends = [
        accepted(&claimed[0]),
        accepted(&claimed[1]),
        accepted(&claimed[2]),
        end(&claimed[3], Outcome::Rejected, State::Failed),
        end(&claimed[4], Outcome::Unknown, State::Unknown),
        end(&claimed[5], Outcome::Retry, State::Ready),
        offered,
    ];
    ground.turn(at(205), &ends, 0).await;
    ground
        .store
        .reconcile(&claimed[1].id, true, "x", at(206))
        .await
        .unwrap();
    ground
        .store
        .reconcile(&claimed[2].id, false, "x", at(206))
        .await
        .unwrap();
    let without = [silent(planned("web-9", 300)), planned("web-10", 300)];
    ground.store.plan(&without, R1, at(0)).await.unwrap();
    let cancelled = [without[1].id.clone()];
    ground
        .store
        .end_unbegun(&cancelled, State::Cancelled, Reason::ByHand, "", at(1))
        .await
        .unwrap();
    let account = ground.store.account(&LogFilter::default()).await.unwrap();
    let expected = Account {
        occurrences: 10,
        accepted: 2,
        offered: 1,
        confirmed: 1,
        failed: 2,
        unknown: 1,
        skipped: 1,
        cancelled: 1,
        pending: 2,
    };
    assert_eq!(account, expected);
    assert!(account.balances());
    let nothing = LogFilter {
        since: Some(at(10_000)),
        ..LogFilter::default()
    };
    assert_eq!(
        ground.store.account(&nothing).await.unwrap(),
        Account::default()
    );
    ground.is_sound().await;
}

pub(super) async fn airtime_is_added_up(ground: Ground) {
    let topic = TopicId::parse("gia-danh").unwrap();
    let heard = |schedule: &str, channel: &str, due: u32| PlannedDelivery {
        topic: Some(topic.clone()),
        length: Some(Duration::from_mins(1)),
        ..planned_by(schedule, channel, due)
    };
    let deliveries = [
        heard("s", "loa-1", 100),
        heard("s", "loa-1", 110),
        heard("s", "loa-1", 120),
        heard("send.abc", "loa-2", 100),
        heard("s", "loa-3", 100),
        heard("send.test.abc", "loa-4", 100),
        heard("send.correction.abc", "loa-5", 100),
        planned("web-1", 100),
        silent(heard("s", "loa-6", 100)),
        heard("s", "loa-1", 1_000),
        heard("s", "loa-7", 100),
    ];
    ground.store.plan(&deliveries, R1, at(0)).await.unwrap();
    let ending = |index: usize, state, reason| {
        let ids = [deliveries[index].id.clone()];
        let store = ground.store.clone();
        async move {
            store
                .end_unbegun(&ids, state, reason, "", at(1))
                .await
                .unwrap()
        }
    };
    ending(1, State::Skipped, Reason::Paused).await;
    ending(3, State::Cancelled, Reason::ByHand).await;
    ending(10, State::Skipped, Reason::Superseded).await;
    let found = ground.store.airtime(at(100), at(1_000)).await.unwrap();
    let shown: Vec<String> = found
        .iter()
        .map(|one| {
            assert_eq!(one.topic, topic);
            let reason = one.reason.map_or("-", Reason::as_str);
            let seconds = one.length.as_secs();
            format!("{} {} {reason} {seconds}", one.channel, one.state.as_str())
        })
        .collect();
    assert_eq!(
        shown,
        [
            "loa-1 planned - 120",
            "loa-1 skipped paused 60",
            "loa-2 cancelled by-hand 60",
            "loa-3 planned - 60"
        ]
    );
    let none = ground.store.airtime(at(2_000), at(3_000)).await.unwrap();
    assert_eq!(none, []);
}

pub(super) async fn contradictions_are_named(ground: Ground) {
    let table = [
        (
            "state = 'accepted', unfinished = FALSE",
            "accepted-without-attempt",
        ),
        (
            "state = 'confirmed', unfinished = FALSE",
            "accepted-without-attempt",
        ),
        (
            "state = 'failed', unfinished = FALSE, reason = 'timeout'",
            "failed-without-attempt",
        ),
        (
            "state = 'failed', unfinished = FALSE",
            "ended-without-reason",
        ),
        (
            "state = 'skipped', unfinished = FALSE",
            "ended-without-reason",
        ),
        (
            "state = 'sending', attempt = 1, leased_by = 'x', started_us = 1",
            "sending-without-lease",
        ),
        (
            "state = 'sending', leased_until_us = 1, leased_by = 'x', started_us = 1",
            "sending-without-lease",
        ),
        ("next_us = NULL", "ready-without-instant"),
        ("attempt = 2", "attempts-differ"),
        ("content = 'gone'", "content-missing"),
    ];
    let mut expected = Vec::new();
    for (n, (change, name)) in (0..).zip(table) {
        let delivery = planned(&format!("web-{n}"), 100 + n);
        ground.ready(std::slice::from_ref(&delivery)).await;
        ground.is_sound_but(&expected).await;
        let sql = format!("UPDATE delivery SET {change} WHERE id = '{}'", delivery.id);
        assert_eq!(ground.meddle(&sql).await.unwrap(), 1, "{change}");
        expected.push((delivery.id, name.to_owned()));
        ground.is_sound_but(&expected).await;
    }
    let only = LogFilter {
        channel: Some(ChannelId::parse("web-3").unwrap()),
        ..LogFilter::default()
    };
    assert_eq!(
        ground.store.contradictions(&only).await.unwrap(),
        expected[3..4]
    );
}

impl Ground {
    async fn is_sound_but(&self, expected: &[(DeliveryId, String)]) {
        assert_eq!(
            self.store
                .contradictions(&LogFilter::default())
                .await
                .unwrap(),
            expected
        );
    }
}

pub(super) async fn liveness(ground: Ground) {
    let store = &ground.store;
    assert_eq!(store.last_alive().await.unwrap(), None);
    assert_eq!(
        store.last_instant().await.unwrap(),
        Some(at(0)),
        "the revision came into force"
    );
    store.beat("a", "r1", at(10)).await.unwrap();
    store.beat("b", "r2", at(20)).await.unwrap();
    store.beat("a", "r3", at(15)).await.unwrap();
    assert_eq!(store.last_alive().await.unwrap(), Some(at(20)));
    assert_eq!(store.last_instant().await.unwrap(), Some(at(20)));
    let other = |node: &str, revision: &str| (node.to_owned(), revision.to_owned());
    assert_eq!(
        store.others_alive("a", at(20)).await.unwrap(),
        [other("b", "r2")]
    );
    assert_eq!(store.others_alive("a", at(21)).await.unwrap(), []);
    assert_eq!(
        store.others_alive("c", at(0)).await.unwrap(),
        [other("b", "r2"), other("a", "r3")]
    );
    store
        .plan(&[planned("web-1", 100)], R1, at(30))
        .await
        .unwrap();
    assert_eq!(store.last_instant().await.unwrap(), Some(at(30)));
    store
        .journal("stopped", None, "a", "", at(40))
        .await
        .unwrap();
    assert_eq!(store.last_instant().await.unwrap(), Some(at(40)));
}

pub(super) async fn the_journal(ground: Ground) {
    let store = &ground.store;
    let id = DeliveryId::from_text("abc");
    store
        .journal("started", None, "node", "", at(1))
        .await
        .unwrap();
    store
        .journal(
            "sent-by-hand",
            Some(&id),
            "Ông Nam\0",
            "{\"x\": \"ữ\"}",
            at(2),
        )
        .await
        .unwrap();
    store
        .journal("stopped", None, "node", "", at(2))
        .await
        .unwrap();
    let rows = store.journal_rows(None, 2).await.unwrap();
    assert_eq!(
        rows.iter()
            .map(|row| row.event.as_str())
            .collect::<Vec<_>>(),
        ["stopped", "sent-by-hand"]
    );
    assert!(rows[0].number > rows[1].number);
    assert_eq!((rows[1].at, &rows[1].delivery), (at(2), &Some(id.clone())));
    assert_eq!(
        (rows[1].actor.as_str(), rows[1].detail.as_str()),
        ("Ông Nam\u{fffd}", "{\"x\": \"ữ\"}")
    );
    assert_eq!(store.journal_rows(Some(&id), 10).await.unwrap(), rows[1..]);
    assert_eq!(
        store
            .journal_rows(Some(&DeliveryId::from_text("x")), 10)
            .await
            .unwrap(),
        []
    );
}

pub(super) async fn known_and_contents(ground: Ground) {
    let delivery = planned("web-1", 100);
    ground.ready(std::slice::from_ref(&delivery)).await;
    let unknown = DeliveryId::from_text("it's not there");
    let known = ground
        .store
        .known(&[delivery.id.clone(), unknown.clone()])
        .await
        .unwrap();
    assert_eq!(known, HashSet::from([delivery.id]));
    assert_eq!(ground.store.known(&[]).await.unwrap(), HashSet::new());
    assert_eq!(ground.store.delivery(&unknown).await.unwrap(), None);
    assert_eq!(ground.store.attempts(&unknown).await.unwrap(), []);
    let words = content(R1);
    let found = ground
        .store
        .contents(&[words.hash(), content("other").hash()])
        .await
        .unwrap();
    assert_eq!(found, [(words.hash(), words)]);
    assert_eq!(ground.store.contents(&[]).await.unwrap(), []);
}

pub(super) async fn the_pulse_beats(ground: Ground) {
    let mut pulse = ground.store.clone().pulse();
    pulse.mark_unchanged();
    let delivery = planned("web-1", 100);
    let mut beats = |what: &str, expected: bool| {
        assert_eq!(pulse.has_changed().unwrap(), expected, "{what}");
        pulse.mark_unchanged();
    };
    ground
        .store
        .plan(std::slice::from_ref(&delivery), R1, at(0))
        .await
        .unwrap();
    beats("plan", true);
    ground
        .store
        .plan(std::slice::from_ref(&delivery), R1, at(0))
        .await
        .unwrap();
    beats("plan again", false);
    ground.freeze(R1).await;
    beats("freeze", true);
    let again = std::slice::from_ref(&delivery.id);
    ground.store.freeze_again(again, at(0)).await.unwrap();
    beats("words taken back", true);
    ground.freeze(R1).await;
    beats("freeze again", true);
    ground.turn(at(0), &[], 5).await;
    beats("an idle turn", false);
    let claimed = ground.claim_one(at(100)).await;
    beats("a claim", true);
    ground.turn(at(105), &[accepted(&claimed)], 0).await;
    beats("an end", true);
    ground
        .store
        .reconcile(&delivery.id, true, "x", at(106))
        .await
        .unwrap();
    beats("a person's word", true);
    ground.store.beat("a", R1, at(107)).await.unwrap();
    ground.store.expire(NODE, at(107)).await.unwrap();
    ground
        .store
        .rescue("a", true, at(107), at(107))
        .await
        .unwrap();
    ground.store.ping().await.unwrap();
    beats("nothing that shows", false);
}
