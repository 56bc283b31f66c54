//! Answers that say the wrong thing: breakdowns with a body of Zalo's own form, limits, and calls that hang; and what a night is
//! said to be.

use std::time::Duration;

use loa::{
    adapter::Step,
    clock::Clock,
    domain::{
        bulletin::Format,
        channel::Mode,
        delivery::{Reason, State},
        id::AccountId,
        message::Kept,
        secret::Secret,
        zalo::Correction,
    },
    simulator::Fault,
    store::account::NewPair,
};
use serde_json::json;

use super::{
    API, OAUTH, Scene, account,
    articles::{
        BROADCAST, CREATE, SLICE, VERIFY, articles, broadcasts, corrected, from, on, over, retract,
        row,
    },
    calls, holding, id, refusal,
    steps::{self, MORNING, no, play, reason, yes},
};
use crate::support::{city::at, cli::loa, on_both_databases};

const TOKENS: &str = "/v4/oa/access_token";
const REMOVE: &str = "/v2.0/article/remove";
const DETAIL: &str = "/v2.0/article/getdetail";

/// A breakdown that is told in a body of Zalo's own form.
const BROKEN: &str = r#"{"error":-1,"message":"internal error"}"#;

/// What was asked for is done, and then something breaks.
fn done(code: u16) -> Fault {
    let body = BROKEN.to_owned();
    Fault::Instead { code, body }
}

/// Nothing is done.
fn status(code: u16, wish: Option<&str>, body: &str) -> Fault {
    Fault::Status {
        code,
        retry_after: wish.map(str::to_owned),
        body: Some(body.to_owned()),
    }
}

async fn authorised(scene: &Scene, of: &AccountId, number: u32, life: Duration) {
    let access = Secret::new(format!("sim-access-{number}"));
    let refresh = Secret::new(format!("sim-refresh-{number}"));
    let new = NewPair {
        access: &access,
        refresh: &refresh,
        now: at("2024-03-25T05:00"),
        life,
    };
    let store = scene.store().await;
    store.authorise(of, &new, "Lan").await.unwrap();
}

#[test]
fn what_is_not_taken_away_is_asked_for() {
    let remove = steps::adapter(&loa::domain::zalo::ZaloConfig {
        correction: Correction::Remove,
        ..steps::config()
    });
    let kept = Kept {
        holds: Some("a1".into()),
        is_correction: true,
        ..Kept::default()
    };
    let removing = json!({ "step": "removing", "article": "a1" });
    let again = Kept {
        is_correction: true,
        ..steps::noted(&removing, false, at(MORNING))
    };
    for kept in [kept, again] {
        let message = steps::message(kept, at(MORNING));
        let asked = "getdetail?id=a1 -";
        let (calls, _, end) = play(&remove, &message, vec![no(-201), no(-201)]);
        assert_eq!(calls[1], asked);
        assert_eq!(end, Some(Step::accepted(Some("a1".into()))), "it is gone");
        for (answer, ends) in [
            (yes(&json!({ "id": "a1" })), ("reject", Reason::Status)),
            (no(-223), ("reject", Reason::Status)),
            (no(-32), ("retry", Reason::Busy)),
            (steps::lost(), ("retry", Reason::Unanswered)),
        ] {
            let (calls, _, end) = play(&remove, &message, vec![no(-201), answer]);
            assert_eq!(calls[1], asked);
            assert_eq!(reason(end.as_ref()), ends);
        }
    }
}

#[test]
fn what_follows_from_doubt_is_said_of_each_sort() {
    use loa::catalogue::{self, Lang};
    let mut channel = steps::channel(&steps::config(), Format::Article);
    let article = channel.doubt();
    channel.format = Format::Message;
    let message = channel.doubt();
    channel.mode = Mode::AtMostOnce;
    assert_eq!(channel.doubt(), "at-most-once");
    for (word, says) in [
        (article, "không bao giờ tự lặp lại"),
        (message, "có thể nhận hai lần"),
    ] {
        let said = catalogue::text(Lang::Vi, &format!("state.mode-{word}-meaning"), &[]);
        assert!(
            said.contains(says) && !said.contains("cùng một mã"),
            "{said}"
        );
    }
}

on_both_databases! {
    async fn an_article_that_is_not_taken_away_is_not_said_to_be(scene: Scene) {
        articles(&scene, "correction: remove");
        scene.folder.edit("content/bulletins/mot.yaml", "contacts: [cong-an]", "editors: [Lan]\ncontacts: [cong-an]");
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        scene.fault(refusal(REMOVE, -201).times(1)).await;
        retract(&scene);
        let is_over = |row: &loa::store::row::DeliveryRow| {
            row.channel.as_str() == "oa-vinh" && row.schedule.is_correction() && row.state.is_final()
        };
        daemon.wait(|rows| rows.iter().any(is_over)).await;
        daemon.stop().await;
        let rows = scene.log().await;
        let ended = rows.iter().find(|row| is_over(row)).map(|row| (row.state, row.reason));
        assert_eq!(ended, Some((State::Failed, Some(Reason::Status))));
        assert_eq!((scene.city.articles().len(), calls(&scene, DETAIL).len()), (1, 1), "it is there for everybody to read");
        scene.check().await;
    }

    async fn a_removal_whose_answer_is_lost_is_found_to_be_done(scene: Scene) {
        articles(&scene, "correction: remove");
        scene.folder.edit("content/bulletins/mot.yaml", "contacts: [cong-an]", "editors: [Lan]\ncontacts: [cong-an]");
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        scene.fault(on(REMOVE, API, Fault::AcceptedThenLost, 1)).await;
        retract(&scene);
        corrected(daemon).await;
        assert_eq!((scene.city.articles().len(), calls(&scene, DETAIL).len()), (0, 1));
        scene.check().await;
    }

    async fn a_breakdown_after_an_article_was_made_makes_no_second_one(scene: Scene) {
        articles(&scene, "");
        scene.fault(on(CREATE, API, done(500), 1)).await;
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        daemon.stop().await;
        assert_eq!(row(&scene).await.state, State::Accepted, "{:?}", row(&scene).await);
        assert_eq!((scene.city.articles().len(), broadcasts(&scene).len()), (1, 1));
        assert!(!calls(&scene, SLICE).is_empty());
        scene.check().await;
    }

    async fn a_breakdown_in_a_broadcast_is_for_a_person(scene: Scene) {
        articles(&scene, "");
        scene.fault(on(BROADCAST, API, done(502), 1)).await;
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        daemon.stop().await;
        assert_eq!(row(&scene).await.state, State::Unknown, "{:?}", row(&scene).await);
        assert_eq!((calls(&scene, BROADCAST).len(), broadcasts(&scene).len()), (1, 1));
        scene.check().await;
    }

    async fn a_limit_is_waited_for_whatever_stands_in_it(scene: Scene) {
        articles(&scene, "");
        let limit = || status(429, Some("40"), r#"{"error":429,"message":"Too many requests"}"#);
        let away = || status(503, None, r#"{"error":-1,"message":"upstream unavailable"}"#);
        scene.fault(on(CREATE, API, limit(), 1)).await;
        scene.fault(on(VERIFY, API, away(), 1)).await;
        scene.fault(on(BROADCAST, API, limit(), 1)).await;
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        daemon.stop().await;
        let row = row(&scene).await;
        assert_eq!(row.state, State::Accepted, "{row:?}");
        assert_eq!((scene.city.articles().len(), broadcasts(&scene).len()), (1, 1));
        let attempts = scene.store().await.attempts(&row.id).await.unwrap();
        let wait = attempts[1].started.since(attempts[0].finished);
        assert!(wait >= Duration::from_secs(40), "{wait:?}");
        scene.check().await;
    }

    async fn looking_for_an_article_is_no_fault_of_the_host(scene: Scene) {
        articles(&scene, "");
        scene.fault(on(CREATE, API, Fault::Reset, 1)).await;
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        daemon.stop().await;
        let row = row(&scene).await;
        assert_eq!(row.state, State::Accepted, "{row:?}");
        assert!(row.attempts > 3, "{row:?}");
        let events = scene.store().await.journal_of("host-left-alone", 9).await.unwrap();
        assert!(events.is_empty(), "{events:?}");
        scene.check().await;
    }

    async fn an_authorisation_server_that_is_away_refuses_nobody(scene: Scene) {
        account(&scene, "message", r#"user: "4242""#);
        authorised(&scene, &id(), 1, Duration::from_hours(1)).await;
        let away = |code, body| on(TOKENS, OAUTH, status(code, None, body), 1);
        scene.fault(away(503, r#"{"error":-1,"message":"Service temporarily unavailable"}"#)).await;
        scene.fault(away(429, r#"{"error":429,"message":"Invalid number of calls"}"#)).await;
        scene.fault(away(200, r#"{"error_name":"too_many_requests"}"#)).await;
        let daemon = scene.start("2024-03-25T05:25").await;
        daemon.reach("2024-03-25T06:20").await;
        daemon.stop().await;
        let holding = holding(&scene).await;
        assert_eq!((holding.pair, holding.trouble), (2, None));
        assert_eq!(calls(&scene, TOKENS).len(), 4);
        let events = scene.store().await.journal_of("account-refused", 9).await.unwrap();
        assert!(events.is_empty(), "{events:?}");
        assert_eq!(row(&scene).await.state, State::Accepted, "{:?}", row(&scene).await);
        scene.check().await;
    }

    async fn a_call_that_hangs_holds_up_no_other_account(scene: Scene) {
        account(&scene, "message", r#"user: "4242""#);
        scene.folder.edit("loa.yaml", "total_timeout: 2s", "total_timeout: 20s");
        scene.folder.write("channels/khac.yaml", "channels:\n  oa-khac:\n    name: OA khác\n    kind: chat\n    format: message\n    adapter: { zalo: { app: \"123456789\", oa: \"555\", secret: env:LOA_ZALO, callback: \"https://loa.vinh.example/zalo\", user: \"4343\" } }\n");
        let other = AccountId::zalo("123456789", "555");
        authorised(&scene, &id(), 1, Duration::from_mins(1)).await;
        authorised(&scene, &other, 2, Duration::from_mins(1)).await;
        scene.fault(on(TOKENS, OAUTH, Fault::Slow { ms: 3_000 }, 1)).await;
        // As fast as life: what is measured is who waits for whom.
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T05:30"), 1.0)).await;
        let store = scene.store().await;
        let mut issued = Vec::new();
        while issued.len() < 2 {
            let next = daemon.shared.clock.now() + Duration::from_millis(100);
            daemon.shared.clock.sleep_until(next).await;
            issued.clear();
            for id in [&id(), &other] {
                let found = store.account_of(id).await.unwrap().unwrap();
                issued.extend((found.pair == 2).then_some(found.issued));
            }
        }
        daemon.stop().await;
        issued.sort();
        let apart = issued[1].since(issued[0]);
        assert!(apart >= Duration::from_secs(1), "{apart:?}");
        assert_eq!(calls(&scene, TOKENS).len(), 2);
        scene.check().await;
    }

    async fn what_is_sent_at_night_is_refused_with_the_morning(scene: Scene) {
        articles(&scene, "");
        let daemon = from(&scene, "2024-03-25T22:30").await;
        daemon.reach("2024-03-25T22:31").await;
        daemon.stop().await;
        let send = |more: &[&str]| {
            let words = ["send", "mot", "--to", "channel:oa-vinh", "--by", "Lan", "--reason", "thử", "--simulate"];
            let database = ["--database", scene.database.as_str()];
            loa(&scene.folder.path(), &[words.as_slice(), &database, more].concat())
        };
        let tried = send(&["--dry-run"]);
        assert!(tried.out.contains("Zalo không gửi ban đêm, từ 06:00 mới gửi được"), "{tried:?}");
        assert!(tried.out.contains("26/03/2024 06:00"), "{tried:?}");
        let sent = send(&[]);
        assert_ne!(sent.code, 0, "{sent:?}");
        assert!(sent.err.contains("26/03/2024 06:00"), "{sent:?}");
        assert!(!sent.out.contains("vài giây"), "{sent:?}");
    }

    async fn what_is_sent_shortly_before_the_morning_waits_for_it(scene: Scene) {
        articles(&scene, "");
        let daemon = fast_until_dawn(&scene).await;
        daemon.stop().await;
        let words = ["send", "mot", "--to", "channel:oa-vinh", "--by", "Lan", "--reason", "thử", "--simulate"];
        let database = ["--database", scene.database.as_str()];
        let sent = loa(&scene.folder.path(), &[words.as_slice(), &database].concat());
        assert_eq!(sent.code, 0, "{sent:?}");
        assert!(sent.out.contains("Phát lúc 06:00"), "{sent:?}");
        let row = scene.row("oa-vinh", "2024-03-26T06:00").await;
        assert!(row.schedule.is_by_hand() && row.attempts == 0, "{row:?}");
    }
}

/// A daemon in whose world it is a few minutes before six.
async fn fast_until_dawn(scene: &Scene) -> crate::support::city::Running {
    let daemon = scene
        .start_with(Clock::simulated(at("2024-03-26T05:53"), 60.0))
        .await;
    daemon.reach("2024-03-26T05:54").await;
    daemon
}
