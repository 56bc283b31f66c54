//! Pauses: what they end, what they leave alone, and when they are over.

use std::time::Duration;

use loa::{
    domain::{
        bulletin::Priority,
        delivery::{Outcome, Reason, State},
        id::{BulletinId, ChannelId, TopicId, WardId},
        pause::{Pause, Scope},
        plan::PlannedDelivery,
        time::Timestamp,
    },
    store::{
        Finished, Room, Turn,
        pause::{NewPause, Topics},
    },
};

use super::ground::{Ground, LEASE, NODE, accepted, all, at, end, planned, room};

fn topics() -> Topics {
    let bulletin = |id| BulletinId::parse(id).unwrap();
    [(
        TopicId::parse("lua-dao").unwrap(),
        vec![bulletin("khac"), bulletin("gia-danh")],
    )]
    .into()
}

/// A turn that heeds pauses.
async fn turn(ground: &Ground, now: Timestamp, finished: &[Finished]) -> Turn {
    let topics = topics();
    let room = Room {
        topics: Some(&topics),
        ..room(50)
    };
    ground
        .store
        .turn(NODE, now, now + LEASE, finished, &room, all)
        .await
        .unwrap()
}

async fn pause(ground: &Ground, scope: &str, from: u32, until: u32) -> Pause {
    let (kind, target) = scope.split_once(':').unwrap_or((scope, ""));
    let scope = Scope::from_parts(kind, target).unwrap();
    let new = NewPause {
        scope: &scope,
        emergency: false,
        until: at(until),
        by: "Nguyễn Thị Hoa",
        reason: "Lễ tang",
    };
    ground.store.pause(&new, at(from)).await.unwrap()
}

fn in_ward(channel: &str, due: u32, ward: &str) -> PlannedDelivery {
    PlannedDelivery {
        ward: WardId::parse(ward).unwrap(),
        ..planned(channel, due)
    }
}

pub(super) async fn a_pause_silences_its_scope_and_nothing_else(ground: Ground) {
    let table = [
        ("all", ["loa-1", "loa-2", "web-1", "web-2"].as_slice()),
        ("ward:le-loi", &["loa-2"]),
        ("channel:web-1", &["web-1"]),
        ("topic:lua-dao", &["loa-1", "loa-2", "web-1"]),
        ("topic:la", &[]),
    ];
    for (round, (scope, silent)) in table.into_iter().enumerate() {
        let due = 1_000 * (u32::try_from(round).unwrap() + 1);
        let mut deliveries = [
            planned("loa-1", due),
            in_ward("loa-2", due, "le-loi"),
            planned("web-1", due),
            planned("web-2", due),
        ];
        deliveries[3].bulletin = Some(BulletinId::parse("le-hoi").unwrap());
        let later = planned("web-1", due + 300);
        ground
            .ready(&[&deliveries[..], &[later.clone()]].concat())
            .await;
        let made = pause(&ground, scope, due - 10, due + 60).await;
        assert!(made.is_in_force(at(due)));
        assert_eq!(turn(&ground, at(due - 1), &[]).await.paused, []);

        let turned = turn(&ground, at(due), &[]).await;
        assert_eq!(turned.paused, vec![State::Skipped; silent.len()], "{scope}");
        for delivery in &deliveries {
            let row = ground.row(&delivery.id).await;
            if silent.contains(&delivery.channel.as_str()) {
                assert_eq!(
                    (row.state, row.reason, row.detail.as_deref()),
                    (State::Skipped, Some(Reason::Paused), Some("Lễ tang")),
                    "{scope}: {row:?}"
                );
                let events = ground.events(&delivery.id).await;
                assert_eq!(events.len(), 1, "{scope}");
                assert_eq!(events[0].1, "skipped: paused");
            } else {
                assert_eq!(row.state, State::Sending, "{scope}: {row:?}");
            }
        }
        let ends: Vec<_> = turned.claimed.iter().map(accepted).collect();
        let over = turn(&ground, at(due + 300), &ends).await;
        assert_eq!(over.claimed.len(), 1, "{scope}: it is over");
        let ends: Vec<_> = over.claimed.iter().map(accepted).collect();
        turn(&ground, at(due + 310), &ends).await;
    }
    ground.is_sound().await;
}

pub(super) async fn what_is_on_its_way_goes_on_and_is_not_tried_again(ground: Ground) {
    let deliveries = [
        planned("loa-1", 100),
        planned("web-1", 100),
        planned("web-2", 100),
    ];
    ground.ready(&deliveries).await;
    let mut claimed = turn(&ground, at(100), &[]).await.claimed;
    claimed.sort_by(|a, b| a.channel.cmp(&b.channel));
    pause(&ground, "all", 101, 700).await;
    let finished = [
        accepted(&claimed[0]),
        end(&claimed[1], Outcome::Retry, State::Ready),
        end(&claimed[2], Outcome::Unknown, State::Ready),
    ];
    let mut paused = turn(&ground, at(106), &finished).await.paused;
    paused.sort();
    let mut expected = [State::Failed, State::Unknown];
    expected.sort();
    assert_eq!(paused, expected);
    let state = |channel: usize| ground.state(&claimed[channel].id);
    assert_eq!(state(0).await, (State::Accepted, None));
    assert_eq!(state(1).await, (State::Failed, Some(Reason::Paused)));
    assert_eq!(state(2).await, (State::Unknown, Some(Reason::Paused)));
    ground.is_sound().await;
}

pub(super) async fn an_emergency_breaks_a_pause_unless_it_is_meant_too(ground: Ground) {
    let mut urgent = [planned("loa-1", 100), planned("loa-1", 200)];
    for delivery in &mut urgent {
        delivery.priority = Priority::Emergency;
    }
    ground.ready(&urgent).await;
    pause(&ground, "all", 50, 1_000).await;
    let claimed = turn(&ground, at(100), &[]).await.claimed;
    assert_eq!(claimed.len(), 1);
    turn(&ground, at(110), &[accepted(&claimed[0])]).await;
    let scope = Scope::Channel(ChannelId::parse("loa-1").unwrap());
    let new = NewPause {
        scope: &scope,
        emergency: true,
        until: at(900),
        by: "Hoa",
        reason: "Loa bị chiếm quyền",
    };
    ground.store.pause(&new, at(150)).await.unwrap();
    let turned = turn(&ground, at(200), &[]).await;
    assert_eq!(
        (turned.paused, turned.claimed),
        (vec![State::Skipped], vec![])
    );
    ground.is_sound().await;
}

pub(super) async fn a_pause_that_somebody_ended_silences_nothing_more(ground: Ground) {
    ground
        .ready(&[planned("web-1", 100), planned("web-1", 200)])
        .await;
    let made = pause(&ground, "all", 50, 1_000).await;
    assert_eq!(turn(&ground, at(100), &[]).await.paused, [State::Skipped]);
    let store = &ground.store;
    let ended = store
        .resume(made.number, "Hoa", "xong", at(150))
        .await
        .unwrap();
    let ended = ended.unwrap();
    assert_eq!(ended.end(), at(150));
    assert_eq!(
        store
            .resume(made.number, "An", "lại", at(151))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        store
            .resume(made.number + 1, "An", "lạ", at(151))
            .await
            .unwrap(),
        None
    );
    assert_eq!(store.pauses(at(149)).await.unwrap(), [ended]);
    assert_eq!(store.pauses(at(150)).await.unwrap(), []);
    assert_eq!(turn(&ground, at(200), &[]).await.claimed.len(), 1);
    let told = store.journal_rows(None, 10).await.unwrap();
    let told: Vec<_> = told
        .iter()
        .map(|row| (row.event.as_str(), row.actor.as_str(), row.detail.as_str()))
        .collect();
    let number = made.number;
    assert!(told.contains(&(
        "paused",
        "Nguyễn Thị Hoa",
        &format!("{number} all: Lễ tang")
    )));
    assert!(told.contains(&("resumed", "Hoa", &format!("{number} all: xong"))));
    assert!(
        store
            .pause(
                &NewPause {
                    scope: &Scope::All,
                    emergency: false,
                    until: at(10),
                    by: "Hoa",
                    reason: "x"
                },
                at(10)
            )
            .await
            .is_err(),
        "it would end when it begins"
    );
}

pub(super) async fn what_fell_due_in_a_pause_is_not_sent_after_it(ground: Ground) {
    // Nobody was running while the pause lasted.
    let mut late = planned("web-1", 100);
    late.late = true;
    let after = planned("web-1", 300);
    ground.ready(&[late.clone(), after.clone()]).await;
    pause(&ground, "ward:hung-binh", 50, 200).await;
    let now = at(250);
    let ended = ground.store.end_paused(&topics(), now).await.unwrap();
    assert_eq!(ended, [State::Skipped]);
    assert_eq!(
        ground.state(&late.id).await,
        (State::Skipped, Some(Reason::Paused))
    );
    assert_eq!(ground.store.end_paused(&topics(), now).await.unwrap(), []);
    assert_eq!(ground.state(&after.id).await, (State::Ready, None));
    let week_later = now + Duration::from_hours(200);
    assert_eq!(
        ground
            .store
            .end_paused(&topics(), week_later)
            .await
            .unwrap(),
        []
    );
    ground.is_sound().await;
}
