//! The life of tokens: had, put on record, renewed, lost.

use std::time::Duration;

use loa::{
    adapter::zalo::answer::words,
    catalogue,
    clock::Clock,
    domain::secret::Secret,
    domain::{
        delivery::{Reason, State},
        time::Timestamp,
    },
    simulator::{Fault, FaultOrder},
    store::account::NewPair,
};

use super::{API, OAUTH, Scene, account, answer, calls, holding, id, refusal};
use crate::support::{
    city::{Running, at, fault},
    cli::loa,
    on_both_databases,
};

const TOKENS: &str = "/v4/oa/access_token";
const SEND: &str = "/v3.0/oa/message/cs";
const DUE: &str = "2024-03-25T06:10";

fn person(scene: &Scene) {
    account(scene, "message", r#"user: "4242""#);
}

/// Waits, by the daemon's clock, until the account is as `is_so` wants it.
async fn until(
    scene: &Scene,
    daemon: &Running,
    is_so: impl Fn(&loa::store::account::Holding) -> bool,
) {
    let waiting = async {
        let store = scene.store().await;
        loop {
            let found = store.account_of(&id()).await.unwrap();
            if found.is_some_and(|holding| is_so(&holding)) {
                return;
            }
            let next = daemon.shared.clock.now() + Duration::from_secs(30);
            daemon.shared.clock.sleep_until(next).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting)
        .await
        .expect("in time");
}

/// Tokens that stand on record before a daemon starts.
async fn brought(scene: &Scene, access: &str, refresh: &str, now: Timestamp, life: Duration) {
    let (access, refresh) = (Secret::new(access.into()), Secret::new(refresh.into()));
    let new = NewPair {
        access: &access,
        refresh: &refresh,
        now,
        life,
    };
    scene
        .store()
        .await
        .authorise(&id(), &new, "Lan")
        .await
        .unwrap();
}

const DAY: Duration = Duration::from_hours(25);

fn channels(scene: &Scene) -> serde_json::Value {
    let said = loa(
        &scene.folder.path(),
        &[
            "channels",
            "--simulate",
            "--format",
            "json",
            "--database",
            &scene.database,
        ],
    );
    let rows = said.json();
    let rows = rows.as_array().unwrap();
    rows.iter().find(|row| row["channel"] == "oa-vinh").unwrap()["account"].clone()
}

#[test]
fn every_refusal_has_its_sentence() {
    for word in words() {
        assert!(catalogue::has(&format!("detail.zalo-{word}")), "{word}");
    }
}

on_both_databases! {
    async fn in_the_simulated_city_nothing_is_done_by_hand(scene: Scene) {
        person(&scene);
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T06:20").await;
        daemon.stop().await;
        let row = scene.row("oa-vinh", DUE).await;
        assert_eq!(row.state, State::Accepted, "{row:?}");
        let sent = calls(&scene, SEND);
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert!(sent[0].text.as_deref().unwrap().starts_with("lời thứ"), "{sent:?}");
        let store = scene.store().await;
        let attempts = store.attempts(&row.id).await.unwrap();
        assert_eq!(attempts[0].receipt.as_deref(), Some("sim-message-1"));
        assert_eq!(channels(&scene)["state"], "authorised");
        scene.check().await;
    }

    async fn tokens_are_renewed_at_half_their_life(scene: Scene) {
        person(&scene);
        brought(&scene, "sim-access-1", "sim-refresh-1", at("2024-03-25T05:00"), DAY).await;
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T17:00").await;
        assert_eq!(holding(&scene).await.pair, 1, "it is not asked for before half of 25 hours is over");
        until(&scene, &daemon, |holding| holding.pair == 2).await;
        daemon.stop().await;
        let holding = holding(&scene).await;
        assert!(holding.issued >= at("2024-03-25T17:30") && holding.issued < at("2024-03-25T17:35"), "{holding:?}");
        assert_eq!(holding.expires, holding.issued + DAY);
        assert_eq!((holding.access.expose(), holding.refresh.expose()), ("sim-access-2", "sim-refresh-2"));
        assert_eq!(calls(&scene, TOKENS).len(), 1);
        scene.check().await;
    }

    async fn a_refused_token_is_renewed_and_the_message_goes_out(scene: Scene) {
        person(&scene);
        brought(&scene, "sim-access-1", "sim-refresh-1", at("2024-03-25T05:00"), DAY).await;
        scene.fault(refusal(SEND, -216).times(1)).await;
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T06:00"), 400.0)).await;
        daemon.reach("2024-03-25T06:20").await;
        daemon.stop().await;
        let row = scene.row("oa-vinh", DUE).await;
        assert_eq!((row.state, row.attempts), (State::Accepted, row.attempts), "{row:?}");
        assert_eq!(holding(&scene).await.pair, 2);
        assert_eq!(calls(&scene, SEND).len(), 2, "refused once, then sent");
        scene.check().await;
    }

    async fn tokens_that_are_refused_as_they_come_are_for_a_person(scene: Scene) {
        person(&scene);
        brought(&scene, "sim-access-1", "sim-refresh-1", at("2024-03-25T05:00"), DAY).await;
        scene.fault(refusal(SEND, -220)).await;
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T06:00"), 400.0)).await;
        until(&scene, &daemon, loa::store::account::Holding::is_refused).await;
        assert_eq!(calls(&scene, TOKENS).len(), 1, "no second pair is spent");
        let said = channels(&scene);
        assert_eq!(said["state"], "unauthorised", "{said}");
        // A person authorises it again while the daemon runs.
        scene.city.clear_faults().await.unwrap();
        let control = format!("--simulate=http://{}", scene.city.control());
        let done = loa(&scene.folder.path(), &["zalo", "authorize", "oa-vinh", "--by", "Lan", &control, "--database", &scene.database]);
        assert_eq!(done.code, 0, "{} {}", done.out, done.err);
        daemon.wait(|rows| rows.iter().any(|row| row.channel.as_str() == "oa-vinh" && row.state == State::Accepted)).await;
        daemon.stop().await;
        scene.check().await;
    }

    async fn an_answer_without_both_tokens_never_takes_the_good_ones_away(scene: Scene) {
        person(&scene);
        let begin = at("2024-03-25T05:00");
        brought(&scene, "sim-access-1", "sim-refresh-1", begin, Duration::from_hours(4)).await;
        scene.fault(answer(OAUTH, TOKENS, r#"{"access_token":"only","expires_in":"90000"}"#).times(2)).await;
        let daemon = scene.start("2024-03-25T05:00").await;
        until(&scene, &daemon, |holding| holding.trouble.is_some() && holding.spent.is_some()).await;
        let before = holding(&scene).await;
        assert_eq!((before.pair, before.access.expose(), before.refresh.expose()), (1, "sim-access-1", "sim-refresh-1"));
        until(&scene, &daemon, |holding| holding.pair == 2).await;
        daemon.stop().await;
        assert_eq!(calls(&scene, TOKENS).len(), 3);
        assert_eq!(scene.row("oa-vinh", DUE).await.state, State::Accepted);
        scene.check().await;
    }

    async fn a_lost_answer_is_told_as_what_it_is(scene: Scene) {
        person(&scene);
        let begin = at("2024-03-25T05:00");
        brought(&scene, "sim-access-1", "sim-refresh-1", begin, Duration::from_hours(1)).await;
        scene.fault(fault(OAUTH, Fault::AcceptedThenLost, 1)).await;
        let daemon = scene.start("2024-03-25T05:00").await;
        until(&scene, &daemon, loa::store::account::Holding::is_refused).await;
        let refused = holding(&scene).await;
        assert!(refused.trouble.unwrap().detail.starts_with("zalo-spent "));
        daemon.reach("2024-03-25T06:05").await;
        let said = channels(&scene);
        assert_eq!(said["state"], "unauthorised", "{said}");
        assert!(said["detail"].as_str().unwrap().contains("bị mất câu trả lời"), "{said}");
        daemon.shared.clock.sleep_until(at("2024-03-25T08:15")).await;
        daemon.wait(|rows| rows.iter().any(|row| row.channel.as_str() == "oa-vinh" && row.state.is_final())).await;
        assert!(daemon.shared.metrics.to_text().contains("loa_accounts_unauthorised 1"));
        daemon.stop().await;
        let row = scene.row("oa-vinh", DUE).await;
        assert_eq!((row.state, row.reason), (State::Failed, Some(Reason::Unauthorised)), "{row:?}");
        assert!(calls(&scene, SEND).is_empty());
        let events = scene.store().await.journal_of("account-refused", 9).await.unwrap();
        assert_eq!(events.len(), 1, "{events:?}");
        scene.check().await;
    }

    async fn no_token_is_ever_shown(scene: Scene) {
        person(&scene);
        brought(&scene, "sim-access-1", "sim-refresh-1", at("2024-03-25T05:00"), DAY).await;
        scene.fault(answer(API, SEND, r#"{"error":-201,"message":"bad","you":"sim-access-1"}"#)).await;
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T06:20").await;
        daemon.stop().await;
        let row = scene.row("oa-vinh", DUE).await;
        assert_eq!((row.state, row.reason), (State::Failed, Some(Reason::Status)), "{row:?}");
        let store = scene.store().await;
        let attempts = store.attempts(&row.id).await.unwrap();
        assert!(attempts[0].answer.as_deref().unwrap().contains("***"), "{attempts:?}");
        let all = format!("{attempts:?} {row:?} {:?}", store.journal_of("account-authorised", 9).await.unwrap());
        assert!(!all.contains("sim-access-1") && !all.contains("sim-refresh-1"), "{all}");
        scene.check().await;
    }
}

/// Two nodes on one database whose tokens are due at the same instant.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_one_spends_the_refresh_token() {
    let Some(database) = crate::support::postgres::database().await else {
        return;
    };
    let scene = Scene::new(Some(database)).await;
    person(&scene);
    let begin = at("2024-03-25T05:00");
    brought(
        &scene,
        "sim-access-1",
        "sim-refresh-1",
        begin,
        Duration::from_hours(4),
    )
    .await;
    scene
        .fault(FaultOrder {
            path: Some(TOKENS.to_owned()),
            ..fault(OAUTH, Fault::Slow { ms: 300 }, 4)
        })
        .await;
    let one = scene
        .start_with(Clock::simulated(at("2024-03-25T06:59"), 60.0))
        .await;
    let two = scene
        .start_with(Clock::simulated(at("2024-03-25T06:59"), 60.0))
        .await;
    until(&scene, &one, |holding| holding.pair == 2).await;
    for daemon in [&one, &two] {
        let later = daemon.shared.clock.now() + Duration::from_mins(3);
        daemon.shared.clock.sleep_until(later).await;
    }
    one.stop().await;
    two.stop().await;
    assert_eq!(calls(&scene, TOKENS).len(), 1);
    let holding = holding(&scene).await;
    assert_eq!((holding.pair, holding.is_refused()), (2, false));
}
