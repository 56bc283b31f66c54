//! What was not heard to its end: what is on record of it, and its airtime.

use std::time::Duration;

use loa::{
    domain::{
        delivery::{Evidence, Reason, State},
        id::{ChannelId, TopicId},
        plan::PlannedDelivery,
    },
    store::Finished,
};

use super::ground::{Ground, NODE, R1, accepted, at, planned, planned_by};

pub(super) async fn what_was_cut_off_is_no_airtime(ground: Ground) {
    let taken = |channel: &str, due: u32| PlannedDelivery {
        topic: Some(TopicId::parse("gia-danh").unwrap()),
        length: Some(Duration::from_mins(1)),
        ..planned_by("s", channel, due)
    };
    // Each is accepted five seconds after it was due.
    let names = [
        "whole",
        "stream",
        "doubt",
        "stopped",
        "refused",
        "overtaken",
        "twice",
        "overtaken",
        "twice",
    ];
    let deliveries: Vec<PlannedDelivery> = (0u32..)
        .zip(names)
        .map(|(number, name)| taken(name, if number < 7 { 100 } else { 130 }))
        .collect();
    ground.store.plan(&deliveries, R1, at(0)).await.unwrap();
    let seconds = |seconds: u32| at(seconds).as_micros();
    let accepted = "UPDATE delivery SET state = 'accepted', unfinished = FALSE, attempt = 1,
        accepted_us = due_us + 5000000, started_us = due_us";
    ground.meddle(accepted).await.unwrap();
    let urgent = "UPDATE delivery SET priority = 'emergency' WHERE due_us = ";
    ground
        .meddle(&format!("{urgent}{}", seconds(130)))
        .await
        .unwrap();
    let other = &deliveries[7].id;
    for (index, event, detail, when) in [
        (
            1,
            "broken-off",
            "broken-off-urgent seconds=12".to_owned(),
            150,
        ),
        (2, "broken-off", "nobody knows".to_owned(), 150),
        (3, "interrupted", format!("by {other}"), 125),
        (4, "not-interrupted", format!("by {other}"), 125),
        // On the side of whoever interrupts nothing is lost.
        (
            7,
            "interrupted",
            format!("preempts {}", deliveries[5].id),
            136,
        ),
        (6, "interrupted", format!("by {other}"), 115),
    ] {
        let id = &deliveries[index].id;
        ground
            .store
            .journal(event, Some(id), NODE, &detail, at(when))
            .await
            .unwrap();
    }
    let found = ground.store.airtime(at(100), at(1_000)).await.unwrap();
    let shown: Vec<String> = found
        .iter()
        .map(|one| {
            let lasts = (one.length.as_secs(), one.cut.as_secs());
            format!(
                "{} {} {} {}",
                one.channel,
                one.priority.as_str(),
                lasts.0,
                lasts.1
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "doubt normal 60 60",
            "overtaken emergency 60 0",
            "overtaken normal 60 35",
            "refused normal 60 0",
            "stopped normal 60 40",
            "stream normal 60 48",
            "twice emergency 60 0",
            "twice normal 60 50",
            "whole normal 60 0"
        ]
    );
}

/// What its node had on air when it was last alive may have broken off then; what was over by then had not.
pub(super) async fn a_stream_whose_node_died_is_for_a_person_and_what_was_over_is_not(
    ground: Ground,
) {
    let long = |channel: &str, seconds: u64| PlannedDelivery {
        length: Some(Duration::from_secs(seconds)),
        ..planned(channel, 100)
    };
    // Accepted at 105, and the node was last alive at 120.
    let planned = [
        long("loa-1", 60),
        long("loa-2", 15),
        long("loa-3", 60),
        long("loa-4", 60),
        long("loa-5", 60),
    ];
    ground.ready(&planned).await;
    let claimed = ground.turn(at(100), &[], 5).await.claimed;
    let ends: Vec<Finished> = claimed.iter().map(accepted).collect();
    ground.turn(at(105), &ends, 0).await;
    let [on_air, over, no_stream, said, cut] = planned.each_ref().map(|planned| &planned.id);
    let store = &ground.store;
    assert!(
        store
            .reconcile(said, true, "Bà Lan", at(110))
            .await
            .unwrap()
    );
    let gave_way = "broken-off-urgent seconds=4";
    assert!(store.gave_way(cut, NODE, gave_way, at(110)).await.unwrap());
    store.beat(NODE, R1, at(120)).await.unwrap();
    let ids = ["loa-1", "loa-2", "loa-4", "loa-5"].map(|id| ChannelId::parse(id).unwrap());
    let streams: Vec<&ChannelId> = ids.iter().collect();
    let now = at(200);
    let lose = async |node: &str, begins: bool, dead_since: u32| {
        let lost = store.lose_streams(&streams, node, begins, at(dead_since), now);
        lost.await.unwrap()
    };
    assert_eq!(lose("node-b", true, 120).await, [], "it may be alive");
    assert_eq!(lose(NODE, false, 200).await, [], "it is alive: it asks");
    assert_eq!(lose("node-b", false, 121).await, [on_air.clone()]);
    let row = ground.row(on_air).await;
    let detail = "broken-off-died seconds=15";
    assert_eq!(
        (row.state, row.reason, row.evidence, row.detail.as_deref()),
        (
            State::Unknown,
            Some(Reason::Cut),
            Evidence::None,
            Some(detail)
        )
    );
    let line = ("broken-off".to_owned(), detail.to_owned());
    assert_eq!(ground.events(on_air).await.last(), Some(&line));
    for id in [over, no_stream, cut] {
        assert_eq!(ground.row(id).await.state, State::Accepted);
    }
    assert_eq!(ground.row(said).await.state, State::Confirmed);
    assert_eq!(
        lose("node-b", false, 121).await,
        [],
        "it is looked at once, and no other way"
    );
    // A node finds its own former run, unless that said that it ended.
    store.beat(NODE, R1, at(108)).await.unwrap();
    assert_eq!(lose(NODE, true, 50).await, [over.clone()]);
    ground.is_sound().await;
}

/// It was heard up to there, and nobody has to look after it.
pub(super) async fn what_was_cut_off_says_so_and_stays_what_it_is(ground: Ground) {
    let planned = ["loa-1", "loa-2", "loa-3"].map(|channel| planned(channel, 100));
    ground.ready(&planned).await;
    let claimed = ground.turn(at(100), &[], 5).await.claimed;
    let ends: Vec<Finished> = claimed.iter().map(accepted).collect();
    ground.turn(at(105), &ends, 0).await;
    let [stopped, stream, urgent] = planned.each_ref().map(|planned| &planned.id);
    let store = &ground.store;
    let gave_way = "broken-off-urgent seconds=12";
    let since = ground.row(stopped).await.accepted_at.unwrap();
    let now = since + Duration::from_secs(12);
    for id in [stopped, stream] {
        // A stream and whoever interrupts it both say so, in any order.
        if id == stream {
            assert!(store.gave_way(id, NODE, gave_way, now).await.unwrap());
            assert_eq!(ground.row(id).await.detail.as_deref(), Some(gave_way));
        }
        let written = store.interrupted(id, urgent, NODE, "06:00:12", now);
        written.await.unwrap();
        let line = ("interrupted".to_owned(), format!("by {urgent}"));
        assert_eq!(ground.events(id).await.last(), Some(&line));
        assert!(store.gave_way(id, NODE, gave_way, now).await.unwrap());
        let row = ground.row(id).await;
        let detail = format!("interrupted by={urgent}; at=06:00:12; seconds=12");
        assert_eq!(
            (row.state, row.reason, row.detail),
            (State::Accepted, Some(Reason::Interrupted), Some(detail))
        );
    }
    assert_eq!(ground.row(urgent).await.reason, None);
    ground.is_sound().await;
}
