//! The preparer as a running loop: what comes due just while it looks is prepared at once.

use std::time::Duration;

use loa::{
    clock::Clock,
    daemon::{planner, preparer},
    domain::delivery::State,
    store::row::DeliveryRow,
};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::support::{
    city::{Scene, at},
    postgres,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until a question of the preparer's waits for a lock.
async fn is_held(watcher: &mut PgConnection, clock: &Clock) {
    const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
        AND datname = current_database() AND query LIKE '%state = ''planned'' AND due_us <%'";
    let held = async {
        while sqlx::query_scalar::<_, i64>(WAITING)
            .fetch_one(&mut *watcher)
            .await
            .unwrap()
            == 0
        {
            clock.sleep_really(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, held)
        .await
        .expect("it asks what to prepare");
}

/// Only a database whose readers wait for somebody's lock can stop a round at a place of the test's choice.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_due_while_a_round_looks_is_prepared_without_another_wait() {
    let Some(database) = postgres::database().await else {
        return;
    };
    let scene = Scene::new(Some(database)).await;
    let due = at("2024-03-25T05:30");
    let begins = due - Duration::from_mins(15);
    let clock = Clock::manual(begins - Duration::from_secs(1));
    let shared = scene.shared(clock.clone()).await;
    let revision = shared.live.borrow().workspace.revision.clone();
    let now = clock.now();
    shared.store.set_revision(&revision, now).await.unwrap();
    let planning = tokio::spawn(planner::run(shared.clone()));
    // Heard here, so that nothing but the clock can wake the preparer.
    let planned = tokio::time::timeout(PATIENCE, shared.planned.notified());
    planned.await.expect("it plans");

    let mut blocker = PgConnection::connect(&scene.database).await.unwrap();
    let mut watcher = PgConnection::connect(&scene.database).await.unwrap();
    blocker
        .execute("BEGIN; LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let preparing = tokio::spawn(preparer::run(shared.clone()));
    is_held(&mut watcher, &clock).await;
    // It has asked for what is due by the instant at which it looked. Now the next one comes.
    clock.advance(Duration::from_secs(2));
    blocker.execute("COMMIT").await.unwrap();

    // The clock stands. Who waited for it would wait for ever.
    let ready = async {
        let is_ready = |row: &DeliveryRow| row.due == due && row.state == State::Ready;
        while scene.log().await.iter().filter(|row| is_ready(row)).count() < 3 {
            clock.sleep_really(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ready)
        .await
        .expect("it is prepared at once");
    shared.stop.soft.cancel();
    planning.await.unwrap();
    preparing.await.unwrap();
}
