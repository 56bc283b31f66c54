//! The silence watchdog: what should have been heard and was not is noticed once, told once, and told again when it is over.

use std::time::Duration;

use loa::{
    clock::Clock,
    daemon::{Shared, planner, preparer, watchdog},
    domain::{delivery::State, id::DeliveryId, pause::Scope},
    simulator::{Effect, Fault, FaultOrder, HeardFilter},
    store::{
        LogFilter, Order,
        pause::NewPause,
        row::{DeliveryRow, JournalRow},
    },
};

use crate::support::{
    city::{Scene, at, count, fault},
    cli::loa,
    on_both_databases,
};

/// Where the operator reads.
const OPERATOR: &str = "truc-ban.vinh.example";

/// The scene's workspace with an operator.
fn with_operator(scene: &Scene) {
    with_operator_after(scene, "90s");
}

fn with_operator_after(scene: &Scene, after: &str) {
    let settings = format!("watchdog: {{ operator: truc-ban, after: {after} }}\n");
    scene.folder.amend("loa.yaml", &settings);
    scene.folder.write(
        "channels/truc-ban.yaml",
        &format!(
            "channels:\n  truc-ban:\n    name: Trực ban\n    kind: chat\n    adapter: {{ webhook: {{ url: \"https://{OPERATOR}/hook\", secrets: [\"env:LOA_TB\"] }} }}\n"
        ),
    );
}

/// What a device says that has no time now.
fn busy() -> Fault {
    Fault::Status {
        code: 503,
        retry_after: None,
        body: None,
    }
}

/// What the operator was told.
fn told(scene: &Scene) -> Vec<String> {
    let filter = HeardFilter {
        host: Some(OPERATOR.to_owned()),
        effect: Some(Effect::Received),
        ..HeardFilter::default()
    };
    scene
        .city
        .heard(&filter)
        .into_iter()
        .map(|heard| heard.text.unwrap_or_default())
        .collect()
}

async fn journal(scene: &Scene, event: &str) -> Vec<JournalRow> {
    let mut lines = scene.store().await.journal_rows(None, 1_000).await.unwrap();
    lines.retain(|line| line.event == event);
    lines
}

/// Waits until it watches: what was due before its very first look is nobody's to tell.
pub(crate) async fn wait_for_watchdog(shared: &Shared) {
    let waiting = async {
        while shared.store.watched().await.unwrap().is_none() {
            shared.clock.sleep_really(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .expect("it watches");
}

/// Waits until the journal has as many lines of that event.
pub(crate) async fn wait(shared: &Shared, event: &str, lines: usize) {
    wait_about(shared, None, event, lines).await;
}

/// The same of one delivery, where one is named.
pub(crate) async fn wait_about(
    shared: &Shared,
    delivery: Option<&DeliveryId>,
    event: &str,
    lines: usize,
) {
    let mut pulse = shared.store.pulse();
    let waiting = async {
        loop {
            pulse.borrow_and_update();
            let found = shared.store.journal_rows(delivery, 1_000).await.unwrap();
            if found.iter().filter(|line| line.event == event).count() >= lines {
                return;
            }
            let _ = tokio::time::timeout(Duration::from_millis(100), pulse.changed()).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .unwrap_or_else(|_| panic!("no {lines} lines of {event}"));
}

/// Waits until what is on record satisfies `is_so`.
async fn wait_for(shared: &Shared, is_so: impl Fn(&[DeliveryRow]) -> bool) {
    let mut pulse = shared.store.pulse();
    let waiting = async {
        loop {
            pulse.borrow_and_update();
            let rows = shared
                .store
                .log(&LogFilter::default(), Order::OldestFirst, None, 1_000)
                .await
                .unwrap();
            if is_so(&rows) {
                return;
            }
            let _ = tokio::time::timeout(Duration::from_millis(100), pulse.changed()).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .expect("it comes to that");
}

on_both_databases! {
    async fn a_quiet_morning_is_no_silence(scene: Scene) {
        with_operator(&scene);
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T06:30").await;
        let metrics = daemon.shared.metrics.to_text();
        daemon.stop().await;
        assert!(journal(&scene, "silence").await.is_empty());
        assert!(told(&scene).is_empty());
        assert!(metrics.contains("loa_silences_total 0"), "{metrics}");
        scene.check().await;
    }

    async fn a_device_that_is_not_there_is_told_of_within_two_minutes_and_once(scene: Scene) {
        with_operator(&scene);
        scene.fault(FaultOrder::new("10.0.0.3", Fault::Refuse)).await;
        scene.fault(fault("10.0.0.2", Fault::Hang, 1)).await;
        let clock = Clock::manual(at("2024-03-25T05:29"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        wait_for_watchdog(&daemon.shared).await;
        clock.advance(Duration::from_secs(61));
        daemon.wait(|rows| count(rows, State::Accepted) == 1 && count(rows, State::Unknown) == 1).await;
        clock.advance(Duration::from_secs(89));
        wait(&daemon.shared, "silence-told", 2).await;
        let told_now = told(&scene);
        assert_eq!(told_now.len(), 1, "{told_now:?}");
        let noticed = journal(&scene, "silence").await;
        assert_eq!(noticed.len(), 2, "{noticed:?}");
        assert!(noticed.iter().all(|line| line.at.since(at("2024-03-25T05:30")) <= Duration::from_mins(2)));
        let metrics = daemon.shared.metrics.to_text();
        assert!(metrics.contains("loa_silences_total 2") && metrics.contains("loa_silent 2"), "{metrics}");
        daemon.stop().await;
        // A restart does not tell of it again.
        let daemon = scene.start_with(clock.clone()).await;
        clock.advance(Duration::from_secs(40));
        daemon.wait(|rows| rows.len() >= 6).await;
        daemon.stop().await;
        assert_eq!(told(&scene).len(), 1);
        assert_eq!(journal(&scene, "silence").await.len(), 2);
        scene.check().await;
    }

    async fn what_waits_for_a_host_that_is_left_alone_is_said_in_letter_log_and_page(scene: Scene) {
        with_operator(&scene);
        scene.folder.edit("loa.yaml", "health: { every: off }", "health: { every: off, failures: 1, first: 3h, longest: 3h }");
        scene.fault(FaultOrder::new("10.0.0.1", Fault::Refuse)).await;
        let clock = Clock::manual(at("2024-03-25T05:29"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        wait_for_watchdog(&daemon.shared).await;
        clock.advance(Duration::from_secs(61));
        daemon.wait(|rows| {
            clock.advance(Duration::from_secs(1));
            rows.iter().any(|row| row.left_alone.is_some())
        }).await;
        clock.advance(Duration::from_secs(95));
        wait(&daemon.shared, "silence-told", 1).await;
        let log = loa(&scene.folder.path(), &["log", "--simulate", "--database", &scene.database]);
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.attempts), (State::Ready, 1), "{row:?}");
        let letter = told(&scene).join("\n");
        for text in [letter.as_str(), log.out.as_str()] {
            for part in ["chờ kênh trả lời lại", "không trả lời từ", "thử lại từ", "máy ở địa chỉ ấy không nhận kết nối"] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
        assert!(letter.contains("không trả lời từ 05:30 25/03/2024") && letter.contains("thử lại từ 08:"), "{letter}");
        let lines = journal(&scene, "silence").await;
        let said: Vec<&str> = lines.iter().map(|line| line.detail.as_str()).collect();
        assert!(said.iter().all(|said| said.starts_with("left-alone since=05:30 25/03/2024; until=")), "{said:?}");
        scene.check().await;
    }

    async fn two_minutes_are_kept_at_the_longest_wait_that_may_be_set(scene: Scene) {
        with_operator_after(&scene, "100s");
        scene.fault(FaultOrder::new("10.0.0.1", Fault::Refuse)).await;
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T05:29"), 60.0)).await;
        // In no plan, and between two of the watchdog's looks: noticed at the look after the wait.
        wait_for_watchdog(&daemon.shared).await;
        let arguments = ["send", "hai", "--to", "channel:loa-hb-1", "--by", "Lan", "--reason", "thử dây"];
        let world = ["--simulate", "--database", &scene.database];
        let said = loa(&scene.folder.path(), &[&arguments[..], &world[..]].concat());
        assert_eq!(said.code, 0, "{said:?}");
        wait(&daemon.shared, "silence-told", 2).await;
        let metrics = daemon.shared.metrics.to_text();
        daemon.stop().await;
        assert!(metrics.contains("loa_silences_total 2"), "{metrics}");
        assert!(!told(&scene).is_empty());
        let rows = scene.log().await;
        for event in ["silence", "silence-told"] {
            let lines = journal(&scene, event).await;
            assert_eq!(lines.len(), 2, "{lines:?}");
            for line in lines {
                let row = rows.iter().find(|row| Some(&row.id) == line.delivery.as_ref()).unwrap();
                let late = line.at.since(row.due);
                assert!(late >= Duration::from_secs(100) && late <= Duration::from_mins(2), "{event} {late:?}");
            }
        }
        scene.check().await;
    }

    async fn a_planner_that_never_planned_is_noticed(scene: Scene) {
        with_operator(&scene);
        let clock = Clock::manual(at("2024-03-25T05:29"));
        let shared = scene.shared(clock.clone()).await;
        shared.store.set_revision(&shared.workspace.borrow().revision.clone(), clock.now()).await.unwrap();
        let watchdog = tokio::spawn(watchdog::run(shared.clone()));
        wait_for_watchdog(&shared).await;
        clock.advance(Duration::from_secs(61));
        clock.advance(Duration::from_secs(89));
        wait(&shared, "silence-told", 3).await;
        shared.stop.soft.cancel();
        watchdog.await.unwrap();
        let noticed = journal(&scene, "silence").await;
        assert_eq!(noticed.len(), 3, "{noticed:?}");
        assert!(noticed.iter().all(|line| line.detail == "unplanned"));
        let words = told(&scene);
        assert_eq!(words.len(), 1);
        for named in ["2 nơi", "05:30 25/03/2024, phường Hưng Bình", "phường Lê Lợi", "Cụm loa 2 Hưng Bình (không có trong kế hoạch đã lập)"] {
            assert!(words[0].contains(named), "{words:?}");
        }
    }

    async fn a_sending_loop_that_does_nothing_is_noticed(scene: Scene) {
        with_operator(&scene);
        let clock = Clock::manual(at("2024-03-25T05:29"));
        let shared = scene.shared(clock.clone()).await;
        shared.store.set_revision(&shared.workspace.borrow().revision.clone(), clock.now()).await.unwrap();
        let loops = [
            tokio::spawn(planner::run(shared.clone())),
            tokio::spawn(preparer::run(shared.clone())),
            tokio::spawn(watchdog::run(shared.clone())),
        ];
        wait_for(&shared, |rows| count(rows, State::Ready) == 3).await;
        wait_for_watchdog(&shared).await;
        clock.advance(Duration::from_secs(150));
        wait(&shared, "silence-told", 3).await;
        shared.stop.soft.cancel();
        for one in loops {
            one.await.unwrap();
        }
        let noticed = journal(&scene, "silence").await;
        assert_eq!(noticed.len(), 3, "{noticed:?}");
        assert!(noticed.iter().all(|line| line.detail == "ready"), "{noticed:?}");
    }

    async fn a_silence_that_is_over_is_told_of_too(scene: Scene) {
        with_operator(&scene);
        scene.fault(fault("10.0.0.3", busy(), 6)).await;
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T05:29"), 600.0)).await;
        wait(&daemon.shared, "silence-over", 1).await;
        wait(&daemon.shared, "silence-over-told", 1).await;
        let metrics = daemon.shared.metrics.to_text();
        daemon.stop().await;
        assert_eq!(told(&scene).len(), 2);
        assert!(metrics.contains("loa_silent 0"), "{metrics}");
        scene.check().await;
    }

    async fn what_is_paused_or_superseded_is_no_silence(scene: Scene) {
        with_operator(&scene);
        let clock = Clock::manual(at("2024-03-25T05:20"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        let pause = NewPause {
            scope: &Scope::All,
            emergency: true,
            until: at("2024-03-25T05:35"),
            by: "Nguyễn Thị Hoa",
            reason: "Lễ tang",
        };
        daemon.shared.store.pause(&pause, clock.now()).await.unwrap();
        clock.advance(Duration::from_secs(601));
        daemon.wait(|rows| count(rows, State::Skipped) == 3).await;
        clock.advance(Duration::from_mins(3));
        // Its next sign of life comes after its next look.
        clock.advance(Duration::from_mins(16));
        daemon.wait(|rows| rows.len() >= 6).await;
        daemon.stop().await;
        assert!(journal(&scene, "silence").await.is_empty());
        assert!(told(&scene).is_empty());
        scene.check().await;
    }

    async fn what_fell_due_while_nobody_ran_is_told_in_one_message(scene: Scene) {
        with_operator(&scene);
        let daemon = scene.start_with(Clock::manual(at("2024-03-25T05:00"))).await;
        daemon.wait(|rows| rows.len() >= 6).await;
        wait_for_watchdog(&daemon.shared).await;
        daemon.stop().await;
        let daemon = scene.start_with(Clock::manual(at("2024-03-25T09:00"))).await;
        wait(&daemon.shared, "silence-told", 4).await;
        daemon.stop().await;
        let words = told(&scene);
        assert_eq!(words.len(), 1, "{words:?}");
        for named in [
            "05:30 25/03/2024, phường Hưng Bình: Cụm loa 1 Hưng Bình (bỏ qua: Hệ thống ngừng chạy từ 05:00 đến 09:00 nên lượt này không phát); Cụm loa 2",
            "05:30 25/03/2024, phường Lê Lợi: Cụm loa 1 Lê Lợi (bỏ qua",
            "06:10 25/03/2024, thành phố Vinh: OA thành phố (",
        ] {
            assert!(words[0].contains(named), "{named}: {words:?}");
        }
        scene.check().await;
    }

    async fn an_operator_who_cannot_be_reached_is_tried_again(scene: Scene) {
        with_operator(&scene);
        scene.fault(FaultOrder::new("10.0.0.3", Fault::Refuse)).await;
        scene.fault(fault(OPERATOR, busy(), 2)).await;
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T05:29"), 600.0)).await;
        wait(&daemon.shared, "silence-told", 1).await;
        daemon.stop().await;
        assert_eq!(journal(&scene, "silence-not-told").await.len(), 1);
        assert_eq!(told(&scene).len(), 1);
        scene.check().await;
    }
}

/// Two nodes on one database: only one of them notices and tells.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_only_one_tells() {
    let Some(database) = crate::support::postgres::database().await else {
        return;
    };
    let scene = Scene::new(Some(database)).await;
    with_operator(&scene);
    scene
        .fault(FaultOrder::new("10.0.0.3", Fault::Refuse))
        .await;
    let clock = Clock::simulated(at("2024-03-25T05:29"), 600.0);
    let first = scene.start_with(clock.clone()).await;
    let second = scene.start_with(clock.clone()).await;
    wait(&first.shared, "silence-told", 1).await;
    first.reach("2024-03-25T05:45").await;
    first.stop().await;
    second.stop().await;
    assert_eq!(journal(&scene, "silence").await.len(), 1);
    assert_eq!(told(&scene).len(), 1);
    scene.check().await;
}
