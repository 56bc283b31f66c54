//! Airtime of what was not heard to its end.

use std::time::Duration;

use loa::domain::{id::TopicId, plan::PlannedDelivery};

use super::ground::{Ground, NODE, R1, at, planned_by};

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
