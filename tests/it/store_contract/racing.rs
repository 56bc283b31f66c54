//! Two nodes on one database at the same moment.

use std::{collections::HashSet, sync::Mutex};

use loa::{
    domain::{id::ChannelId, plan::PlannedDelivery},
    store::{LogFilter, Store},
};
use tokio::sync::Barrier;

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
            .turn(name, at(200), LEASE, &ends, &room(5), all)
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
