//! Two nodes on one database at the same moment.

use std::{cell::Cell, collections::HashSet, sync::Mutex};

use loa::{
    domain::{approval::Decision, delivery::State, id::ChannelId, plan::PlannedDelivery},
    store::{LogFilter, Store},
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use tokio::sync::Barrier;

use super::approving::{HOA, MAI, decide, version};
use super::ground::{Ground, LEASE, R1, accepted, all, at, planned, planned_by, room};

const CHANNELS: u32 = 40;
const EACH: u32 = 8;

pub(super) async fn two_nodes_share_the_work(ground: Ground) {
    let deliveries: Vec<PlannedDelivery> = (0..CHANNELS)
        .flat_map(|channel| {
            (0..EACH)
                .map(move |n| planned_by(&format!("s-{n}"), &format!("web-{channel}"), 100 + n / 2))
        })
        .collect();
    ground.ready(&deliveries).await;
    // Channels on which somebody is sending.
    let busy: Mutex<HashSet<ChannelId>> = Mutex::default();
    let (a, b) = (ground.another().await, ground.another().await);
    // Neither goes on before both have something.
    let both = Barrier::new(2);
    let ((), ()) = tokio::join!(node(&a, "a", &busy, &both), node(&b, "b", &busy, &both));
    let mut makers = HashSet::new();
    for delivery in &deliveries {
        let attempts = ground.store.attempts(&delivery.id).await.unwrap();
        assert_eq!(attempts.len(), 1, "{attempts:?}");
        makers.insert(attempts[0].node.clone());
    }
    let account = ground.store.account(&LogFilter::default()).await.unwrap();
    assert_eq!(account.accepted, u64::from(CHANNELS * EACH));
    assert_eq!(makers.len(), 2, "both took part");
    ground.is_sound().await;
}

/// Claims and finishes until nothing is left.
async fn node(store: &Store, name: &str, busy: &Mutex<HashSet<ChannelId>>, both: &Barrier) {
    let mut ends = Vec::new();
    let mut waited = false;
    loop {
        let turn = store
            .turn(name, at(200), at(200) + LEASE, &ends, &room(5), all)
            .await
            .unwrap();
        assert_eq!(turn.lost, []);
        for claimed in &turn.claimed {
            assert!(
                busy.lock().unwrap().insert(claimed.channel.clone()),
                "{} is in use",
                claimed.channel
            );
        }
        if !waited && !turn.claimed.is_empty() {
            both.wait().await;
            waited = true;
        }
        // From here the calls are over; the next turn says so and claims again.
        for claimed in &turn.claimed {
            busy.lock().unwrap().remove(&claimed.channel);
        }
        ends = turn.claimed.iter().map(accepted).collect();
        let left = store.account(&LogFilter::default()).await.unwrap().pending;
        if ends.is_empty() && left == 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

pub(super) async fn planning_on_two_nodes_at_once(ground: Ground) {
    let deliveries: Vec<PlannedDelivery> = (0..5_000)
        .map(|n| planned(&format!("web-{}", n % 900), n))
        .collect();
    let backwards: Vec<PlannedDelivery> = deliveries.iter().rev().cloned().collect();
    let (a, b) = (ground.another().await, ground.another().await);
    let (one, two) = tokio::join!(
        a.plan(&deliveries, R1, at(0)),
        b.plan(&backwards, R1, at(0))
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(
        (one.inserted + two.inserted, one.changed + two.changed),
        (5_000, 0)
    );
    assert_eq!(
        ground
            .store
            .account(&LogFilter::default())
            .await
            .unwrap()
            .pending,
        5_000
    );
}

/// Two people approve at the same moment what needs two: both are on record, each once, and it is in force.
pub(super) async fn two_people_decide_at_once(ground: Ground) {
    let delivery = planned("loa-1", 150);
    ground
        .store
        .plan(std::slice::from_ref(&delivery), R1, at(0))
        .await
        .unwrap();
    let (a, b) = (ground.another().await, ground.another().await);
    for round in 0..8 {
        let version = version(&format!("{round}"), 2);
        let (one, two) = tokio::join!(
            decide(&a, &version, Decision::Approved, MAI, at(10)),
            decide(&b, &version, Decision::Approved, HOA, at(10))
        );
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(
            one.allows(&version.hash) != two.allows(&version.hash),
            "only the second makes it complete"
        );
        let entries = ground.store.decisions(&version.subject).await.unwrap();
        let ours = entries.iter().filter(|entry| entry.version == version.hash);
        assert_eq!(ours.count(), 2);
    }
    ground.is_sound().await;
}

/// Another transaction holds what a decision wants to change and then wants what the decision holds. The database gives one
/// of them up: the decision, which is made again and which nobody has to type twice.
#[tokio::test]
async fn a_decision_that_the_database_gave_up_is_made_again() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    let delivery = planned("loa-1", 150);
    ground.ready(std::slice::from_ref(&delivery)).await;
    let version = version("1", 1);
    let mut other = PgConnection::connect(&ground.url).await.unwrap();
    // Whoever looks for a deadlock first is given up; this one does not look.
    let sql = format!(
        "SET deadlock_timeout = '1h'; BEGIN; UPDATE delivery SET updated_us = updated_us WHERE id = '{}'",
        delivery.id
    );
    other.execute(AssertSqlSafe(sql)).await.unwrap();
    let decision = decide(&ground.store, &version, Decision::Approved, MAI, at(10));
    let cross = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        while other.fetch_one(waiting).await.unwrap().get::<i64, _>(0) == 0 {}
        // Granted only once the decision has let go of it.
        let theirs = "SELECT value FROM meta WHERE key = 'revision' FOR UPDATE";
        other.execute(theirs).await.unwrap();
        other.execute("COMMIT").await.unwrap();
    };
    let (standing, ()) = tokio::join!(decision, cross);
    assert!(standing.unwrap().allows(&version.hash));
    let given_up = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    while other.fetch_one(given_up).await.unwrap().get::<i64, _>(0) == 0 {}
    let entries = ground.store.decisions(&version.subject).await.unwrap();
    assert_eq!(entries.len(), 1, "on record once: {entries:?}");
    ground.is_sound().await;
}

/// Another node has begun one delivery of a channel and not yet committed; meanwhile an earlier one is planned. This
/// node cannot see that the channel is in use, claims the earlier one, and hears it from the database.
#[tokio::test]
async fn a_claim_that_meets_another_is_given_up_but_not_the_outcomes() {
    let Some(ground) = Ground::postgres().await else {
        return;
    };
    let (done, theirs, ours) = (
        planned("web-2", 100),
        planned("web-1", 110),
        planned("web-1", 100),
    );
    ground.ready(&[done.clone(), theirs.clone()]).await;
    let claimed = ground.claim_one(at(100)).await;
    let mut other = PgConnection::connect(&ground.url).await.unwrap();
    let sql = format!(
        "BEGIN; UPDATE delivery SET state = 'sending', attempt = 1, next_us = NULL, started_us = 1, leased_by = 'b',
            leased_until_us = {} WHERE id = '{}'",
        i64::MAX,
        theirs.id
    );
    other.execute(AssertSqlSafe(sql)).await.unwrap();
    ground.ready(std::slice::from_ref(&ours)).await;

    let ends = [accepted(&claimed)];
    let over = Cell::new(false);
    let turn = async {
        let turn = ground.turn(at(115), &ends, 5).await;
        over.set(true);
        turn
    };
    let commit_once_somebody_waits = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        while !over.get() && other.fetch_one(waiting).await.unwrap().get::<i64, _>(0) == 0 {}
        other.execute("COMMIT").await.unwrap();
    };
    let (turn, ()) = tokio::join!(turn, commit_once_somebody_waits);
    assert!(turn.claimed.is_empty() && turn.lost.is_empty(), "{turn:?}");
    assert_eq!(ground.row(&done.id).await.state, State::Accepted);
    assert_eq!(ground.row(&ours.id).await.state, State::Ready);
    assert_eq!(ground.row(&theirs.id).await.state, State::Sending);
    ground.is_sound().await;
}
