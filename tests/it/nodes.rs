//! Several daemons on one PostgreSQL that are not alike: other files, other secrets, other clocks.

use std::time::Duration;

use loa::{
    clock::Clock,
    domain::delivery::{Reason, State},
    simulator::{Fault, FaultOrder, HeardFilter},
};

use crate::support::{
    city::{Scene, at, count},
    postgres,
};

async fn scene() -> Option<Scene> {
    Some(Scene::new(Some(postgres::database().await?)).await)
}

fn heard(scene: &Scene, host: &str) -> usize {
    let filter = HeardFilter {
        host: Some(host.to_owned()),
        ..HeardFilter::default()
    };
    scene.city.heard(&filter).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_older_files_sends_nothing() {
    let Some(scene) = scene().await else { return };
    let clock = Clock::manual(at("2024-03-25T05:20"));
    let old = scene.start_with(clock.clone()).await;
    let new = scene.start_with(clock.clone()).await;
    // The new files move one loudspeaker to another address, and add one.
    let channels = std::fs::read_to_string(scene.folder.path().join("channels/kenh.yaml")).unwrap();
    let added = "  loa-ll-2:
    ward: le-loi
    name: Cụm loa 2 Lê Lợi
    kind: loudspeaker
    adapter: { recipe: { use: loudspeaker-http, with: { url: \"http://10.0.0.9\", token: \"env:LOA_T9\" } } }
";
    let channels = channels.replace("http://10.0.0.1\"", "http://10.0.0.7\"") + added;
    scene.folder.write("channels/kenh.yaml", &channels);
    new.reloader.reload(&new.shared).await;
    let in_force = new.shared.workspace.borrow().revision.clone();
    assert_ne!(in_force, old.shared.workspace.borrow().revision);
    new.wait(|rows| count(rows, State::Ready) == 4).await;
    new.stop().await;

    // The old node is alone with what is due, and says that it cannot help.
    let mut trouble = old.shared.trouble.subscribe();
    clock.advance(Duration::from_secs(601));
    let told = trouble.wait_for(|trouble| {
        trouble
            .as_ref()
            .is_some_and(|text| text.contains("revision"))
    });
    tokio::time::timeout(Duration::from_secs(30), told)
        .await
        .expect("it tells")
        .unwrap();
    let new = scene.start_with(clock.clone()).await;
    new.wait(|rows| count(rows, State::Accepted) == 4).await;
    new.stop().await;
    old.stop().await;
    assert_eq!(
        (heard(&scene, "10.0.0.1"), heard(&scene, "10.0.0.7")),
        (0, 1)
    );
    assert_eq!(heard(&scene, "10.0.0.9"), 1);
    scene.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_waits_for_one_that_is_dead_does_not_wait_for_ever() {
    let Some(scene) = scene().await else { return };
    let start = at("2024-03-25T05:00");
    let store = scene.store().await;
    // Another node works with other files, and dies without a word.
    store.set_revision("theirs", start).await.unwrap();
    store.beat("other", "theirs", start).await.unwrap();
    let clock = Clock::manual(start);
    let node = scene.start_with(clock.clone()).await;
    let mut trouble = node.shared.trouble.subscribe();
    let mut becomes = async |is_told: bool| {
        for _ in 0..300 {
            let wait = trouble.wait_for(|trouble| trouble.is_some() == is_told);
            if tokio::time::timeout(Duration::from_millis(50), wait)
                .await
                .is_ok()
            {
                return clock.now();
            }
            clock.advance(Duration::from_secs(1));
        }
        panic!("waited too long at {}", clock.now());
    };
    becomes(true).await;
    assert_eq!(scene.log().await, []);
    let freed = becomes(false).await;
    assert!(freed.since(start) > Duration::from_mins(1));
    clock.advance(Duration::from_secs(5));
    node.wait(|rows| rows.len() == 6).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_secrets_leaves_it_to_one_that_has_them() {
    let Some(scene) = scene().await else { return };
    let clock = Clock::manual(at("2024-03-25T05:20"));
    let good = scene.start_with(clock.clone()).await;
    let poor = scene.start_without_secrets(clock.clone()).await;
    assert!(!poor.shared.live.borrow().lacking.is_empty());
    good.wait(|rows| count(rows, State::Ready) == 3).await;
    // The good one says that it lives, and is away when it is needed.
    clock.advance(Duration::from_secs(570));
    good.wait(|_| true).await;
    good.stop().await;
    clock.advance(Duration::from_secs(31));
    let good = scene.start_with(clock.clone()).await;
    good.wait(|rows| count(rows, State::Accepted) == 3).await;
    good.stop().await;
    poor.stop().await;
    scene.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_node_has_the_secret_for_ends_as_failed() {
    let Some(scene) = scene().await else { return };
    let clock = Clock::manual(at("2024-03-25T05:20"));
    let poor = scene.start_without_secrets(clock.clone()).await;
    poor.wait(|rows| count(rows, State::Ready) == 3).await;
    clock.advance(Duration::from_secs(601));
    poor.wait(|rows| {
        count(rows, State::Failed) == 3
            && rows
                .iter()
                .all(|row| row.state != State::Failed || row.reason == Some(Reason::Unwritable))
    })
    .await;
    poor.stop().await;
    // Whoever reads it has to know which; the sentence for it is in the catalogue.
    let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
    let detail = row.detail.unwrap();
    assert!(
        detail.starts_with("secret-no-variable variable=LOA_"),
        "{detail}"
    );
    scene.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fast_clocks_of_their_own_do_not_make_nodes_look_dead_to_each_other() {
    let Some(scene) = scene().await else { return };
    scene
        .city
        .fault(FaultOrder::new("*", Fault::Slow { ms: 600 }))
        .await
        .unwrap();
    let fast = || Clock::simulated(at("2024-03-25T05:00"), 20_000.0);
    let first = scene.start_with(fast()).await;
    let second = scene.start_with(fast()).await;
    tokio::join!(
        first.reach("2024-03-25T06:30"),
        second.reach("2024-03-25T06:30")
    );
    first.stop().await;
    second.stop().await;
    let rows: Vec<_> = scene
        .log()
        .await
        .into_iter()
        .filter(|row| row.due < at("2024-03-25T06:30"))
        .collect();
    // Two sites were asked afterwards.
    let taken = count(&rows, State::Accepted) + count(&rows, State::Confirmed);
    assert_eq!((rows.len(), taken), (6, 6), "{rows:?}");
    scene.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_node_takes_over_the_time_of_the_one_at_work() {
    let Some(scene) = scene().await else { return };
    let first = scene
        .start_with(Clock::manual(at("2024-03-25T05:10")))
        .await;
    // Read when the first one had not gone on yet.
    let second = scene
        .start_with(Clock::simulated(at("2024-03-25T05:00"), 1.0))
        .await;
    assert!(second.shared.clock.now() >= at("2024-03-25T05:10"));
    let journal = second.shared.store.journal_rows(None, 100).await.unwrap();
    assert!(
        journal.iter().all(|line| line.event != "clock"),
        "{journal:?}"
    );
    first.stop().await;
    second.stop().await;
    scene.check().await;
}
