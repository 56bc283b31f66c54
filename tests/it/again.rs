//! A broadcast that is refused for now and has no time left before the next one is tried again after that, over nothing that people hear.

use std::time::Duration;

use loa::{
    clock::Clock,
    domain::{delivery::State, time::Timestamp},
    simulator::Fault,
    store::row::DeliveryRow,
};

use crate::support::{
    city::{Running, Scene, at, fault},
    cli::loa,
    on_both_databases,
};

const LICH: &str = "schedules/lich.yaml";

/// A loudspeaker of Hưng Bình cannot play now, once.
async fn not_now(scene: &Scene, after: &str) {
    let busy = Fault::Status {
        code: 503,
        retry_after: Some(after.to_owned()),
        body: None,
    };
    scene.fault(fault("10.0.0.1", busy, 1)).await;
}

/// Every bulletin lasts for most of a minute.
fn lengthen(scene: &Scene) {
    for id in ["mot", "hai"] {
        scene.folder.edit(
            &format!("content/bulletins/{id}.yaml"),
            "Thưa bà con {{ ward.name }}.",
            &format!(
                "Thưa bà con {{{{ ward.name }}}}. {}",
                "Bà con nghe rõ rồi làm theo nhé. ".repeat(20)
            ),
        );
    }
}

/// Sends by hand; gives when it is due.
fn send(scene: &Scene, bulletin: &str, channel: &str) -> Timestamp {
    let to = format!("channel:{channel}");
    let said = loa(
        &scene.folder.path(),
        &[
            "send",
            bulletin,
            "--to",
            &to,
            "--by",
            "Lan",
            "--reason",
            "có kẻ giả danh",
            "--within",
            "20m",
            "--format",
            "json",
            "--simulate",
            "--database",
            &scene.database,
        ],
    );
    assert_eq!(said.code, 0, "{said:?}");
    Timestamp::parse_rfc3339(said.json()["sent"][0]["due"].as_str().unwrap()).unwrap()
}

fn heard<'r>(rows: &'r [DeliveryRow], channel: &str) -> &'r DeliveryRow {
    let ours = |row: &&DeliveryRow| row.channel.as_str() == channel && row.schedule.is_by_hand();
    rows.iter().find(ours).unwrap()
}

/// Moves the clock to `instant` and waits until what is due then was accepted on `channel`.
async fn accepted(daemon: &Running, clock: &Clock, instant: Timestamp, channel: &str) {
    clock.advance(instant.since(clock.now()));
    daemon
        .wait(|rows| heard(rows, channel).state == State::Accepted)
        .await;
}

on_both_databases! {
    async fn it_waits_for_what_neighbours_hear_and_a_restart_changes_nothing(scene: Scene) {
        lengthen(&scene);
        not_now(&scene, "20").await;
        let clock = Clock::manual(at("2024-03-25T05:00"));
        let daemon = scene.start_with(clock.clone()).await;
        let first = send(&scene, "hai", "loa-hb-1");
        assert_eq!(first, at("2024-03-25T05:00"));
        let second = send(&scene, "mot", "loa-ll-1");
        let length = second.since(first);
        assert!(length > Duration::from_secs(30) && length < Duration::from_mins(5), "{length:?}");
        // Until the daemon has looked what others wrote.
        clock.advance(Duration::from_secs(3));
        daemon.wait(|rows| heard(rows, "loa-hb-1").due > first).await;
        let row = heard(&scene.log().await, "loa-hb-1").clone();
        let behind = heard(&scene.log().await, "loa-ll-1").clone();
        assert_eq!((row.state, row.attempts, row.scheduled), (State::Ready, 1, first), "{row:?}");
        // After the neighbours' with its reserve and a pause, as soon as there is room and not a moment later.
        let over = second + behind.length.unwrap() * 21 / 20 + Duration::from_secs(5);
        assert!(row.due.since(over) < Duration::from_millis(1) && over <= row.due + Duration::from_millis(1), "{} {over}", row.due);
        assert_eq!(row.next_at, Some(row.due));
        assert_eq!((behind.state, behind.due, behind.attempts), (State::Ready, second, 0), "nothing moves for it");
        let lines = scene.store().await.journal_rows(Some(&row.id), 100).await.unwrap();
        let line = lines.iter().find(|line| line.event == "placed-again").expect("a line");
        assert!(line.detail.contains("collision with=Cảnh giác lời thứ nhất"), "{line:?}");
        daemon.stop().await;

        let daemon = scene.start_with(clock.clone()).await;
        accepted(&daemon, &clock, second, "loa-ll-1").await;
        assert_eq!(heard(&scene.log().await, "loa-hb-1").attempts, 1, "not over it");
        accepted(&daemon, &clock, row.due, "loa-hb-1").await;
        daemon.stop().await;
        let after = heard(&scene.log().await, "loa-hb-1").clone();
        assert_eq!((after.due, after.attempts), (row.due, 2), "{after:?}");
        scene.check().await;
    }

    async fn it_waits_for_the_next_broadcast_of_its_own_loudspeaker(scene: Scene) {
        lengthen(&scene);
        not_now(&scene, "90").await;
        scene.folder.amend(
            LICH,
            "  loa-sau:\n    when: { at: [\"05:31\"] }\n    bulletins: { only: [hai] }\n    to: { channels: [loa-hb-1] }\n    start: { soft: { max_wait: 5m } }\n    missed: skip\n",
        );
        let daemon = scene.start("2024-03-25T05:29").await;
        daemon.reach("2024-03-25T05:50").await;
        daemon.stop().await;
        let rows = scene.log().await;
        let of = |schedule: &str, hour: &str| {
            let ours = |row: &&DeliveryRow| row.channel.as_str() == "loa-hb-1" && row.schedule.as_str() == schedule && row.scheduled == at(hour);
            rows.iter().find(ours).unwrap()
        };
        let (late, next) = (of("loa-sang", "2024-03-25T05:30"), of("loa-sau", "2024-03-25T05:31"));
        assert_eq!((next.state, next.attempts), (State::Accepted, 1), "{next:?}");
        assert!(next.accepted_at.unwrap() < next.due + Duration::from_secs(20), "{next:?}");
        assert_eq!((late.state, late.attempts), (State::Accepted, 2), "{late:?}");
        assert!(late.accepted_at.unwrap() >= next.accepted_at.unwrap() + next.length.unwrap(), "{late:?} {next:?}");
        scene.check().await;
    }
}
