//! Silences: noticed once, told once whoever tells, and over when the channel takes something again.

use std::time::Duration;

use loa::{
    domain::{
        delivery::{Outcome, State},
        id::DeliveryId,
    },
    store::{
        Publication,
        silence::{Silence, WasDue},
    },
};

use super::ground::{Ground, LEASE, NODE, accepted, at, end, planned};

/// All that was due before `at(until)`.
async fn due_before(ground: &Ground, until: u32) -> Vec<WasDue> {
    let found = ground.store.was_due(&[], at(0), at(until)).await;
    found.unwrap()
}

async fn notice(ground: &Ground, until: u32, now: u32) -> Vec<Silence> {
    let due = due_before(ground, until).await;
    let noticed = ground.store.notice_silence(&due, at(until), NODE, at(now));
    noticed.await.unwrap()
}

async fn take(ground: &Ground, now: u32) -> Vec<Silence> {
    let taken = ground.store.take_silences(LEASE, at(now), at(now));
    taken.await.unwrap()
}

async fn told(ground: &Ground, taken: &[Silence], now: u32) {
    let told = ground
        .store
        .told_of_silences(taken, "truc-ban", NODE, at(now));
    told.await.unwrap();
}

fn channels(silences: &[Silence]) -> Vec<&str> {
    let mut channels: Vec<&str> = silences
        .iter()
        .map(|one| one.place.channel.as_str())
        .collect();
    channels.sort_unstable();
    channels
}

pub(super) async fn what_was_due_is_found_by_id_and_by_instant(ground: Ground) {
    let (one, later) = (planned("loa-1", 100), planned("loa-2", 900));
    ground.ready(&[one.clone(), later.clone()]).await;
    let unknown = planned("loa-3", 100).id;
    let ids: [&DeliveryId; 3] = [&one.id, &later.id, &unknown];
    let mut found: Vec<_> = ground
        .store
        .was_due(&ids, at(50), at(101))
        .await
        .unwrap()
        .into_iter()
        .map(|one| (one.place.channel.to_string(), one.state, one.by_plan))
        .collect();
    found.sort();
    assert_eq!(
        found,
        ["loa-1", "loa-2"].map(|channel| (channel.to_owned(), Some(State::Ready), false))
    );
    assert_eq!(due_before(&ground, 100).await.len(), 0);
}

pub(super) async fn a_silence_is_noticed_once(ground: Ground) {
    ground
        .ready(&[planned("loa-1", 100), planned("loa-2", 100)])
        .await;
    assert_eq!(ground.store.watched().await.unwrap(), None);
    let noticed = notice(&ground, 101, 190).await;
    assert_eq!(channels(&noticed), ["loa-1", "loa-2"]);
    assert_eq!(ground.store.watched().await.unwrap(), Some(at(101)));
    assert_eq!(notice(&ground, 101, 200).await, []);
    assert_eq!(
        ground.store.count_silences(at(200)).await.unwrap(),
        (2, 2),
        "silent channels, and what is to be told"
    );
    let lines = ground.events(&noticed[0].place.delivery).await;
    assert!(
        lines.contains(&("silence".to_owned(), "ready".to_owned())),
        "{lines:?}"
    );
}

pub(super) async fn what_a_wrong_clock_noticed_is_noticed_again(ground: Ground) {
    ground.ready(&[planned("loa-1", 100)]).await;
    assert_eq!(notice(&ground, 101, 90_000).await.len(), 1);
    told(&ground, &take(&ground, 90_000).await, 90_000).await;
    assert_eq!(take(&ground, 190).await, []);
    let again = notice(&ground, 101, 190).await;
    assert_eq!(channels(&again), ["loa-1"]);
    assert_eq!(take(&ground, 200).await.len(), 1);
    assert_eq!(
        notice(&ground, 101, 189).await,
        [],
        "another node's clock is a little behind"
    );
}

pub(super) async fn one_node_tells_and_another_takes_over_from_a_dead_one(ground: Ground) {
    ground.ready(&[planned("loa-1", 100)]).await;
    notice(&ground, 101, 190).await;
    assert_eq!(take(&ground, 190).await.len(), 1);
    assert_eq!(take(&ground, 189).await, [], "a clock a little behind");
    assert_eq!(take(&ground, 250).await, []);
    let taken = take(&ground, 251).await;
    assert_eq!(taken.len(), 1, "the lease is over");
    let back = ground
        .store
        .not_told_of_silences(&taken, Some("truc-ban: busy"), NODE, at(252));
    back.await.unwrap();
    let taken = take(&ground, 253).await;
    told(&ground, &taken, 254).await;
    assert_eq!(take(&ground, 400).await, []);
    assert_eq!(ground.store.count_silences(at(400)).await.unwrap(), (1, 0));
    let lines = ground.events(&taken[0].place.delivery).await;
    assert!(
        lines.contains(&("silence-told".to_owned(), "truc-ban".to_owned())),
        "{lines:?}"
    );
}

pub(super) async fn it_is_over_when_the_channel_takes_something_later(ground: Ground) {
    let deliveries = [
        planned("loa-1", 100),
        planned("loa-1", 400),
        planned("loa-2", 100),
    ];
    ground.ready(&deliveries).await;
    let (mut first, mut second) = (
        ground.claim_one(at(100)).await,
        ground.claim_one(at(100)).await,
    );
    if first.channel.as_str() != "loa-1" {
        std::mem::swap(&mut first, &mut second);
    }
    let ends = [
        end(&first, Outcome::Rejected, State::Failed),
        end(&second, Outcome::Unknown, State::Unknown),
    ];
    ground.turn(at(110), &ends, 0).await;
    notice(&ground, 101, 190).await;
    assert_eq!(ground.store.end_silence(NODE, at(200)).await.unwrap(), []);
    told(&ground, &take(&ground, 200).await, 200).await;
    let claimed = ground.claim_one(at(400)).await;
    ground.turn(at(410), &[accepted(&claimed)], 0).await;
    let over = ground.store.end_silence(NODE, at(420)).await.unwrap();
    assert_eq!(channels(&over), ["loa-1"]);
    assert_eq!(ground.store.count_silences(at(420)).await.unwrap(), (1, 1));
    // A person has heard the other one.
    let heard = ground
        .store
        .reconcile(&deliveries[2].id, true, "Nguyễn Thị Hoa", at(500));
    assert!(heard.await.unwrap());
    let over = ground.store.end_silence(NODE, at(501)).await.unwrap();
    assert_eq!(channels(&over), ["loa-2"]);
    let taken = take(&ground, 502).await;
    assert!(
        taken
            .iter()
            .all(|one| one.over.is_some() && one.told.is_some())
    );
    assert_eq!(channels(&taken), ["loa-1", "loa-2"]);
    told(&ground, &taken, 503).await;
    assert_eq!(ground.store.count_silences(at(504)).await.unwrap(), (0, 0));
}

pub(super) async fn what_ends_while_it_is_told_is_told_too(ground: Ground) {
    ground.ready(&[planned("web-1", 100)]).await;
    notice(&ground, 101, 190).await;
    let taken = take(&ground, 190).await;
    let claimed = ground.claim_one(at(195)).await;
    ground.turn(at(200), &[accepted(&claimed)], 0).await;
    assert_eq!(
        ground.store.end_silence(NODE, at(200)).await.unwrap().len(),
        1
    );
    told(&ground, &taken, 201).await;
    let taken = take(&ground, 202).await;
    assert_eq!(channels(&taken), ["web-1"]);
    assert!(taken[0].over.is_some());
    told(&ground, &taken, 203).await;
    assert_eq!(take(&ground, 500).await, []);
}

pub(super) async fn old_news_is_none(ground: Ground) {
    ground.ready(&[planned("loa-1", 100)]).await;
    notice(&ground, 101, 190).await;
    let day = Duration::from_hours(24);
    assert_eq!(
        ground.store.count_silences(at(190) + day).await.unwrap(),
        (1, 0)
    );
    let week = day * 8;
    assert_eq!(
        ground.store.count_silences(at(190) + week).await.unwrap(),
        (0, 0),
        "a channel that nobody uses any more is not silent for ever"
    );
}

/// Whoever dies right after it leaves an operator who will be told.
pub(super) async fn what_was_not_published_is_noticed_in_the_same_moment(ground: Ground) {
    let ways = [
        ("web-1", Publication::NotThere("portal-not-there")),
        ("web-2", Publication::Unclear("portal-closed status=403")),
        ("web-3", Publication::Seen("7")),
    ];
    let deliveries = ways.map(|(channel, _)| planned(channel, 100));
    ground.ready(&deliveries).await;
    for _ in &deliveries {
        let claimed = ground.claim_one(at(100)).await;
        ground.turn(at(110), &[accepted(&claimed)], 0).await;
    }
    for (delivery, (channel, publication)) in deliveries.iter().zip(ways) {
        let published = async |second| {
            let (id, channel) = (&delivery.id, &delivery.channel);
            let told = ground
                .store
                .published(id, channel, publication, NODE, at(second));
            told.await.unwrap()
        };
        let missed = published(190).await.unwrap();
        let expected = usize::from(channel != "web-3");
        assert_eq!(missed.len(), expected, "{channel}: {missed:?}");
        assert_eq!(
            published(191).await,
            None,
            "{channel}: nothing waits for it"
        );
    }
    let taken = take(&ground, 200).await;
    assert_eq!(channels(&taken), ["web-1", "web-2"]);
    assert_eq!(ground.store.watched().await.unwrap(), None);
    let lines = ground.events(&deliveries[0].id).await;
    let events: Vec<&str> = lines.iter().map(|(event, _)| event.as_str()).collect();
    assert!(
        events.ends_with(&["not-published", "silence"]),
        "{events:?}"
    );
}
