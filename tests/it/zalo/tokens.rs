//! The life of tokens: had, put on record, renewed, lost.

use std::time::Duration;

use loa::{
    adapter::zalo::answer::words,
    catalogue::{self, Lang},
    clock::Clock,
    domain::secret::Secret,
    domain::{
        delivery::{Outcome, Reason, State},
        time::Timestamp,
    },
    simulator::{Fault, FaultOrder},
    store::{account::NewPair, row::DeliveryRow},
};
use sqlx::{Connection as _, Executor as _, SqliteConnection};

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

/// Who reads it knows what to do.
#[test]
fn what_a_person_has_to_mend_says_how() {
    for (word, how) in [
        ("unconfirmed", "`loa reconcile`"),
        ("unauthorised", "`loa zalo authorize`"),
        ("refused", "`secret`"),
        ("spent", "`loa zalo authorize`"),
        ("disowned", "developers.zalo.me"),
        ("no-oa", "`oa`"),
        ("failed", "`cover`"),
        ("attachment", "`loa send`"),
        ("unreadable", "`loa reconcile`"),
        ("disabled", "oa.zalo.me"),
    ] {
        for lang in [Lang::Vi, Lang::En] {
            let arguments: [(&str, &dyn std::fmt::Display); 2] = [("code", &-1), ("said", &"x")];
            let said = catalogue::text(lang, &format!("detail.zalo-{word}"), &arguments);
            assert!(said.contains(how), "{word}: {said}");
        }
    }
    let key = "detail.zalo-nothing-to-remove";
    assert!(catalogue::text(Lang::Vi, key, &[]).contains("Hãy tìm"));
    assert!(catalogue::text(Lang::En, key, &[]).contains("Look through"));
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
        assert_eq!(row.state, State::Accepted, "{row:?}");
        let first = scene.store().await.attempts(&row.id).await.unwrap().remove(0);
        assert_eq!((first.outcome, first.reason), (Outcome::Retry, Some(Reason::Unauthorised)), "{first:?}");
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

    async fn however_late_a_pair_is_refused_that_came_for_a_refused_one_no_third_is_spent(scene: Scene) {
        person(&scene);
        brought(&scene, "sim-access-1", "sim-refresh-1", at("2024-03-25T05:00"), DAY).await;
        // The next pair meets a platform that is busy for three minutes, and is refused then.
        scene.fault(refusal(SEND, -216).times(1)).await;
        scene.fault(refusal(SEND, -32).times(3)).await;
        scene.fault(refusal(SEND, -216)).await;
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T06:00"), 400.0)).await;
        until(&scene, &daemon, loa::store::account::Holding::is_refused).await;
        daemon.stop().await;
        assert_eq!(calls(&scene, TOKENS).len(), 1);
        scene.check().await;
    }

    async fn a_pair_with_which_a_call_was_taken_is_followed_by_the_next(scene: Scene) {
        person(&scene);
        scene.folder.edit("loa.yaml", "health: { every: off }", "health: { every: 1m }");
        brought(&scene, "sim-access-1", "sim-refresh-1", at("2024-03-25T05:00"), DAY).await;
        let ask = "/v2.0/oa/getoa";
        scene.fault(refusal(ask, -216).times(1)).await;
        let daemon = scene.start("2024-03-25T05:00").await;
        until(&scene, &daemon, |holding| holding.pair == 2 && holding.spoilt.is_none()).await;
        scene.fault(refusal(ask, -220).times(1)).await;
        until(&scene, &daemon, |holding| holding.pair == 3 && holding.spoilt.is_none()).await;
        daemon.stop().await;
        assert!(!holding(&scene).await.is_refused());
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

    async fn a_channel_without_tokens_does_not_say_that_it_is_alive(scene: Scene) {
        person(&scene);
        scene.folder.edit("loa.yaml", "health: { every: off }", "health: { every: 1m }");
        // Nobody consents.
        scene.fault(answer(OAUTH, "/v4/oa/permission", "{}")).await;
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T05:25").await;
        let said = daemon.shared.metrics.to_text();
        daemon.stop().await;
        assert!(said.contains("loa_channels_unwell 1\n"), "{said}");
        scene.check().await;
    }

    async fn a_question_that_is_refused_has_the_tokens_renewed(scene: Scene) {
        person(&scene);
        scene.folder.edit("loa.yaml", "health: { every: off }", "health: { every: 1m }");
        brought(&scene, "sim-access-1", "sim-refresh-1", at("2024-03-25T05:00"), DAY).await;
        scene.fault(refusal("/v2.0/oa/getoa", -216).times(1)).await;
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T06:05").await;
        daemon.stop().await;
        assert_eq!((holding(&scene).await.pair, calls(&scene, SEND).len()), (2, 0), "before anything was to be sent");
        scene.check().await;
    }

    async fn a_message_to_the_operator_that_is_refused_has_the_tokens_renewed(scene: Scene) {
        person(&scene);
        scene.folder.amend("loa.yaml", "watchdog: { operator: truc-ban }\n");
        scene.folder.write("channels/truc-ban.yaml", "channels:\n  truc-ban:\n    name: Trực ban\n    kind: chat\n    format: message\n    adapter: { zalo: { app: \"123456789\", oa: \"987654321\", secret: env:LOA_ZALO, callback: \"https://loa.vinh.example/zalo\", user: \"4343\" } }\n");
        brought(&scene, "sim-access-1", "sim-refresh-1", at("2024-03-25T05:00"), DAY).await;
        scene.fault(FaultOrder::new("10.0.0.1", Fault::Refuse)).await;
        scene.fault(refusal(SEND, -216).times(1)).await;
        let daemon = scene.start("2024-03-25T05:25").await;
        daemon.reach("2024-03-25T06:05").await;
        daemon.stop().await;
        let sent = calls(&scene, SEND);
        assert_eq!((holding(&scene).await.pair, sent.len()), (2, 2), "{sent:?}");
        assert!(sent[1].text.as_deref().unwrap().contains("Hưng Bình"), "{sent:?}");
        scene.check().await;
    }

    async fn no_token_is_ever_shown(scene: Scene) {
        person(&scene);
        brought(&scene, "sim-access-1", "sim-refresh-1", at("2024-03-25T05:00"), DAY).await;
        scene.fault(answer(API, SEND, r#"{"error":-201,"message":"bad: sim-access-1","you":"sim-access-1"}"#)).await;
        let daemon = scene.start("2024-03-25T05:00").await;
        daemon.reach("2024-03-25T06:20").await;
        daemon.stop().await;
        let row = scene.row("oa-vinh", DUE).await;
        assert_eq!((row.state, row.reason), (State::Failed, Some(Reason::Status)), "{row:?}");
        let store = scene.store().await;
        let attempts = store.attempts(&row.id).await.unwrap();
        assert_eq!(row.detail.as_deref(), Some("zalo-parameter code=-201; said=bad: ***"));
        assert!(attempts[0].answer.as_deref().unwrap().contains("***"), "{attempts:?}");
        let all = format!("{attempts:?} {row:?} {:?}", store.journal_of("account-authorised", 9).await.unwrap());
        assert!(!all.contains("sim-access-1") && !all.contains("sim-refresh-1"), "{all}");
        scene.check().await;
    }
}

/// What the store does not give is nobody's to mend at Zalo, and may be there a moment later.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_cannot_be_read_are_asked_for_again_soon() {
    let scene = Scene::new(None).await;
    person(&scene);
    let begin = at("2024-03-25T05:00");
    brought(&scene, "sim-access-1", "sim-refresh-1", begin, DAY).await;
    let mut file = SqliteConnection::connect(&scene.database).await.unwrap();
    file.execute("UPDATE account SET access = ''")
        .await
        .unwrap();
    // While the store fails the clock runs no faster than life.
    let just_before = at(DUE) - Duration::from_secs(1);
    let daemon = scene.start_with(Clock::simulated(just_before, 60.0)).await;
    let is_tried = |row: &DeliveryRow| row.channel.as_str() == "oa-vinh" && row.reason.is_some();
    daemon.wait(|rows| rows.iter().any(is_tried)).await;
    file.execute("UPDATE account SET access = 'sim-access-1'")
        .await
        .unwrap();
    daemon
        .wait(|rows| {
            rows.iter()
                .any(|row| row.channel.as_str() == "oa-vinh" && row.state == State::Accepted)
        })
        .await;
    daemon.stop().await;
    let row = scene.row("oa-vinh", DUE).await;
    let attempts = scene.store().await.attempts(&row.id).await.unwrap();
    let (first, second) = (&attempts[0], &attempts[1]);
    assert_eq!(
        (first.reason, first.detail.as_deref()),
        (Some(Reason::Defect), Some("zalo-unread")),
        "{first:?}"
    );
    let wait = second.started.since(first.finished);
    assert!(
        (Duration::from_secs(30)..Duration::from_mins(2)).contains(&wait),
        "{wait:?}"
    );
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
