//! Hosts that did not answer: what is on record of them, and what ends meanwhile.

use std::time::Duration;

use loa::{
    domain::{
        breaker::Open,
        delivery::{Reason, State},
    },
    store::health::{HealthNews, HostHealth},
};

use super::ground::{Ground, NODE, R1, at, planned};

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
