//! Articles: made, worked on, broadcast; what happens when an answer is lost or a node dies in between; corrections and nights.

use std::time::Duration;

use loa::{
    clock::Clock,
    domain::delivery::{Reason, State},
    simulator::{Fault, FaultOrder},
    store::row::DeliveryRow,
};

use super::{API, Scene, account, answer, calls, refusal};
use crate::support::{
    city::{Running, at},
    cli::loa,
    on_both_databases,
};

pub(super) const CREATE: &str = "/v2.0/article/create";
const UPDATE: &str = "/v2.0/article/update";
pub(super) const VERIFY: &str = "/v2.0/article/verify";
pub(super) const SLICE: &str = "/v2.0/article/getslice";
pub(super) const BROADCAST: &str = "/v2.0/oa/message";
pub(super) const DUE: &str = "2024-03-25T06:10";

/// Articles of `mot` on Monday at 06:10, with time for the platform's work.
pub(super) fn articles(scene: &Scene, keys: &str) {
    account(
        scene,
        "article",
        &format!("cover: https://loa.vinh.example/bia.jpg\n        {keys}"),
    );
    scene
        .folder
        .edit("loa.yaml", "total_timeout: 2s", "total_timeout: 20s");
    scene.folder.edit(
        "schedules/lich.yaml",
        "bulletins: { rotate: { topic: gia-danh } }",
        "bulletins: { only: [mot] }",
    );
}

pub(super) async fn from(scene: &Scene, start: &str) -> Running {
    fast(scene, start, 600.0).await
}

async fn fast(scene: &Scene, start: &str, speed: f64) -> Running {
    scene.start_with(Clock::simulated(at(start), speed)).await
}

/// Takes the bulletin back.
pub(super) fn retract(scene: &Scene) {
    let words = [
        "retract",
        "mot",
        "--by",
        "Lan",
        "--reason",
        "sai",
        "--simulate",
    ];
    let said = loa(
        &scene.folder.path(),
        &[words.as_slice(), &["--database", &scene.database]].concat(),
    );
    assert_eq!(said.code, 0, "{said:?}");
}

/// Runs until the account's correction is out.
pub(super) async fn corrected(daemon: Running) {
    let is_out = |row: &DeliveryRow| {
        let is_ours = row.channel.as_str() == "oa-vinh" && row.schedule.is_correction();
        is_ours && row.state == State::Accepted
    };
    daemon.wait(|rows| rows.iter().any(is_out)).await;
    daemon.stop().await;
}

/// Waits until the one delivery of the account is over.
pub(super) async fn over(daemon: &Running) {
    daemon
        .wait(|rows| {
            rows.iter()
                .any(|row| row.channel.as_str() == "oa-vinh" && row.state.is_final())
        })
        .await;
}

pub(super) fn on(path: &str, host: &str, fault: Fault, times: u64) -> FaultOrder {
    FaultOrder {
        path: Some(path.to_owned()),
        ..FaultOrder::new(host, fault).times(times)
    }
}

/// What reached the followers.
pub(super) fn broadcasts(scene: &Scene) -> Vec<String> {
    let sent = calls(scene, BROADCAST).into_iter();
    sent.filter(|heard| heard.zalo.is_some())
        .filter_map(|heard| heard.text)
        .collect()
}

pub(super) async fn row(scene: &Scene) -> DeliveryRow {
    scene.row("oa-vinh", DUE).await
}

on_both_databases! {
    async fn an_article_is_made_waited_for_and_broadcast_once(scene: Scene) {
        articles(&scene, "author: UBND thành phố Vinh");
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        daemon.stop().await;
        let row = row(&scene).await;
        assert_eq!((row.state, row.attempts), (State::Accepted, 1), "{row:?}");
        let made = scene.city.articles();
        assert_eq!(made.len(), 1, "{made:?}");
        assert_eq!(made[0].title, "Cảnh giác lời thứ nhất");
        assert_eq!(made[0].description, "Tóm tắt lời thứ nhất");
        assert_eq!(made[0].text, "Bà con thành phố Vinh chú ý: lời thứ nhất.");
        assert_eq!(calls(&scene, VERIFY).len(), 3, "twice it was still being worked on");
        assert_eq!(broadcasts(&scene).len(), 1);
        let attempts = scene.store().await.attempts(&row.id).await.unwrap();
        assert_eq!(attempts[0].receipt.as_deref(), Some("sim-message-1"));
        scene.check().await;
    }

    async fn an_article_that_may_have_been_made_is_looked_for(scene: Scene) {
        articles(&scene, "");
        scene.fault(on(CREATE, API, Fault::AcceptedThenLost, 1)).await;
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        daemon.stop().await;
        assert_eq!(row(&scene).await.state, State::Accepted, "{:?}", row(&scene).await);
        assert_eq!(scene.city.articles().len(), 1, "and not made again");
        assert!(!calls(&scene, SLICE).is_empty());
        assert_eq!(broadcasts(&scene).len(), 1);
        scene.check().await;
    }

    async fn an_article_that_was_not_made_is_made_after_a_while(scene: Scene) {
        articles(&scene, "");
        scene.fault(on(CREATE, API, Fault::Reset, 1)).await;
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        daemon.stop().await;
        let row = row(&scene).await;
        assert_eq!(row.state, State::Accepted, "{row:?}");
        assert_eq!((scene.city.articles().len(), broadcasts(&scene).len()), (1, 1));
        assert!(row.accepted_at.unwrap() >= at(DUE) + Duration::from_secs(90), "{row:?}");
        scene.check().await;
    }

    async fn a_broadcast_without_an_answer_is_never_repeated(scene: Scene) {
        articles(&scene, "");
        scene.fault(on(BROADCAST, API, Fault::AcceptedThenLost, 1)).await;
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        daemon.stop().await;
        let row = row(&scene).await;
        assert_eq!((row.state, row.reason), (State::Unknown, Some(Reason::Unconfirmed)), "{row:?}");
        assert_eq!((calls(&scene, BROADCAST).len(), broadcasts(&scene).len()), (1, 1));
        let log = loa(&scene.folder.path(), &["log", "--simulate", "--database", &scene.database, "--until", "2024-03-26"]);
        assert!(log.out.contains("Lần trước đã yêu cầu Zalo gửi"), "{}", log.out);
        scene.check().await;
    }

    async fn a_broadcast_that_never_left_is_made_again(scene: Scene) {
        articles(&scene, "");
        scene.fault(refusal(BROADCAST, -32).times(1)).await;
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        daemon.stop().await;
        assert_eq!(row(&scene).await.state, State::Accepted);
        assert_eq!((calls(&scene, BROADCAST).len(), broadcasts(&scene).len()), (2, 1));
        assert_eq!(calls(&scene, CREATE).len(), 1, "it goes on where it was");
        scene.check().await;
    }

    async fn a_node_that_dies_while_the_platform_works_goes_on_there(scene: Scene) {
        articles(&scene, "");
        scene.fault(on(VERIFY, API, Fault::Hang, 1)).await;
        let mut requests = scene.city.requests();
        let daemon = from(&scene, "2024-03-25T06:00").await;
        while calls(&scene, VERIFY).is_empty() {
            requests.changed().await.unwrap();
        }
        daemon.kill().await;
        let daemon = from(&scene, "2024-03-25T06:12").await;
        over(&daemon).await;
        daemon.stop().await;
        assert_eq!(row(&scene).await.state, State::Accepted, "{:?}", row(&scene).await);
        assert_eq!((calls(&scene, CREATE).len(), scene.city.articles().len()), (1, 1));
        assert_eq!(broadcasts(&scene).len(), 1);
        scene.check().await;
    }

    async fn a_node_that_dies_while_it_creates_makes_no_second_one(scene: Scene) {
        articles(&scene, "");
        scene.fault(on(CREATE, API, Fault::Slow { ms: 60_000 }, 1)).await;
        let mut requests = scene.city.requests();
        let daemon = from(&scene, "2024-03-25T06:00").await;
        while calls(&scene, CREATE).is_empty() {
            requests.changed().await.unwrap();
        }
        daemon.kill().await;
        let daemon = from(&scene, "2024-03-25T06:12").await;
        over(&daemon).await;
        daemon.stop().await;
        assert_eq!(row(&scene).await.state, State::Accepted, "{:?}", row(&scene).await);
        assert_eq!((calls(&scene, CREATE).len(), scene.city.articles().len()), (1, 1));
        assert_eq!(broadcasts(&scene).len(), 1);
        scene.check().await;
    }

    async fn a_node_that_dies_in_a_broadcast_leaves_it_to_a_person(scene: Scene) {
        articles(&scene, "");
        scene.fault(on(BROADCAST, API, Fault::Slow { ms: 60_000 }, 1)).await;
        let mut requests = scene.city.requests();
        let daemon = from(&scene, "2024-03-25T06:00").await;
        while calls(&scene, BROADCAST).is_empty() {
            requests.changed().await.unwrap();
        }
        daemon.kill().await;
        let daemon = from(&scene, "2024-03-25T06:12").await;
        over(&daemon).await;
        daemon.stop().await;
        let row = row(&scene).await;
        assert_eq!((row.state, row.reason), (State::Unknown, Some(Reason::Unconfirmed)), "{row:?}");
        assert_eq!(broadcasts(&scene).len(), 1);
        scene.check().await;
    }

    async fn a_bulletin_that_comes_again_keeps_its_article(scene: Scene) {
        articles(&scene, "");
        scene.folder.edit("schedules/lich.yaml", r#"at: ["06:10"], days: [mon]"#, r#"at: ["06:10", "16:00"], days: [mon]"#);
        let daemon = fast(&scene, "2024-03-25T06:00", 4000.0).await;
        let done = |rows: &[DeliveryRow]| rows.iter().filter(|row| row.channel.as_str() == "oa-vinh" && row.state == State::Accepted).count();
        daemon.wait(|rows| done(rows) == 1).await;
        daemon.wait(|rows| done(rows) == 2).await;
        daemon.stop().await;
        assert_eq!((scene.city.articles().len(), calls(&scene, UPDATE).len(), broadcasts(&scene).len()), (1, 1, 2));
        scene.check().await;
    }

    async fn a_bulletin_that_is_taken_back_changes_its_article(scene: Scene) {
        articles(&scene, "");
        scene.folder.edit("content/bulletins/mot.yaml", "contacts: [cong-an]", "editors: [Lan]\ncontacts: [cong-an]");
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        retract(&scene);
        corrected(daemon).await;
        let made = scene.city.articles();
        assert_eq!(made.len(), 1, "{made:?}");
        assert_eq!(made[0].text, "Đính chính: lời thứ nhất.");
        assert_eq!(broadcasts(&scene).len(), 1, "followers are not told again");
        scene.check().await;
    }

    async fn a_bulletin_that_is_taken_back_can_take_its_article_along(scene: Scene) {
        articles(&scene, "correction: remove");
        scene.folder.edit("content/bulletins/mot.yaml", "contacts: [cong-an]", "editors: [Lan]\ncontacts: [cong-an]");
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        retract(&scene);
        corrected(daemon).await;
        assert_eq!((scene.city.articles().len(), broadcasts(&scene).len()), (0, 1));
        scene.check().await;
    }

    async fn an_article_whose_delivery_failed_is_corrected_all_the_same(scene: Scene) {
        articles(&scene, "");
        scene.folder.edit("content/bulletins/mot.yaml", "contacts: [cong-an]", "editors: [Lan]\ncontacts: [cong-an]");
        scene.fault(refusal(VERIFY, -209).times(1)).await;
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        let failed = row(&scene).await;
        assert_eq!((failed.state, scene.city.articles().len()), (State::Failed, 1), "it is there for everybody to read");
        retract(&scene);
        corrected(daemon).await;
        let made = scene.city.articles();
        assert_eq!(made.len(), 1, "{made:?}");
        assert_eq!(made[0].text, "Đính chính: lời thứ nhất.");
        assert!(broadcasts(&scene).is_empty());
        scene.check().await;
    }

    async fn an_article_that_waited_to_go_on_is_taken_along(scene: Scene) {
        articles(&scene, "correction: remove");
        scene.folder.edit("content/bulletins/mot.yaml", "contacts: [cong-an]", "editors: [Lan]\ncontacts: [cong-an]");
        scene.fault(refusal(VERIFY, -32)).await;
        let daemon = from(&scene, "2024-03-25T06:00").await;
        let waits = |row: &DeliveryRow| row.state == State::Ready && row.reason.is_some();
        daemon.wait(|rows| rows.iter().any(|row| row.channel.as_str() == "oa-vinh" && waits(row))).await;
        // Nothing is tried again before it is taken back.
        let taking_back = daemon.shared.clock.busy();
        retract(&scene);
        scene.city.clear_faults().await.unwrap();
        drop(taking_back);
        corrected(daemon).await;
        assert_eq!((scene.city.articles().len(), broadcasts(&scene).len()), (0, 0));
        scene.check().await;
    }

    async fn what_zalo_calls_night_waits_until_morning(scene: Scene) {
        articles(&scene, "");
        scene.folder.edit("schedules/lich.yaml", r#"at: ["06:10"]"#, r#"at: ["05:00"]"#);
        let daemon = from(&scene, "2024-03-25T04:50").await;
        over(&daemon).await;
        daemon.stop().await;
        let row = scene.row("oa-vinh", "2024-03-25T05:00").await;
        assert_eq!(row.state, State::Accepted, "{row:?}");
        assert!(row.accepted_at.unwrap() >= at("2024-03-25T06:00"), "{row:?}");
        let first = scene.store().await.attempts(&row.id).await.unwrap();
        assert_eq!((first[0].reason, first[0].detail.as_deref()), (Some(Reason::Night), Some("zalo-quiet until=06:00")), "{first:?}");
        scene.check().await;
    }

    async fn a_picture_that_is_no_good_is_for_a_person(scene: Scene) {
        articles(&scene, "");
        scene.fault(answer(API, VERIFY, r#"{"error":-200,"message":"Upload media failed"}"#)).await;
        let daemon = from(&scene, "2024-03-25T06:00").await;
        over(&daemon).await;
        daemon.stop().await;
        let row = row(&scene).await;
        assert_eq!((row.state, row.reason), (State::Failed, Some(Reason::Status)), "{row:?}");
        assert_eq!(row.detail.as_deref(), Some("zalo-failed code=-200; said=Upload media failed"));
        scene.check().await;
    }

    async fn an_article_that_was_taken_away_is_made_anew(scene: Scene) {
        articles(&scene, "");
        scene.folder.edit("schedules/lich.yaml", r#"at: ["06:10"], days: [mon]"#, r#"at: ["06:10", "16:00"], days: [mon]"#);
        let daemon = fast(&scene, "2024-03-25T06:00", 4000.0).await;
        over(&daemon).await;
        scene.fault(answer(API, UPDATE, r#"{"error":-201,"message":"id is invalid"}"#)).await;
        scene.fault(answer(API, "/v2.0/article/getdetail", r#"{"error":-201,"message":"id is invalid"}"#)).await;
        daemon.wait(|rows| rows.iter().filter(|row| row.channel.as_str() == "oa-vinh" && row.state == State::Accepted).count() == 2).await;
        daemon.stop().await;
        assert_eq!((scene.city.articles().len(), broadcasts(&scene).len()), (2, 2));
        scene.check().await;
    }

    async fn what_the_package_does_not_permit_is_not_sent(scene: Scene) {
        articles(&scene, "quota: { per_day: 1, product: promotion }");
        scene.folder.edit("schedules/lich.yaml", r#"at: ["06:10"], days: [mon]"#, r#"at: ["06:10", "16:00"], days: [mon]"#);
        let daemon = fast(&scene, "2024-03-25T06:00", 4000.0).await;
        daemon.wait(|rows| rows.iter().filter(|row| row.channel.as_str() == "oa-vinh" && row.state.is_final()).count() == 2).await;
        daemon.stop().await;
        assert_eq!(row(&scene).await.state, State::Accepted, "{:?}", row(&scene).await);
        let second = scene.row("oa-vinh", "2024-03-25T16:00").await;
        assert_eq!((second.state, second.reason, second.attempts), (State::Skipped, Some(Reason::Quota), 0), "{second:?}");
        assert_eq!(second.detail.as_deref(), Some("zalo-quota-day most=1"));
        assert_eq!(broadcasts(&scene).len(), 1);
        scene.check().await;
    }

    async fn two_at_one_instant_use_up_the_package_together(scene: Scene) {
        articles(&scene, "quota: { per_day: 1 }");
        let twice = "  oa-nua:\n    when: { at: [\"06:10\"], days: [mon] }\n    bulletins: { only: [hai] }\n    to: { kind: chat }\n    missed: skip\n";
        scene.folder.edit("schedules/lich.yaml", "  oa:\n", &format!("{twice}  oa:\n"));
        let daemon = fast(&scene, "2024-03-25T06:00", 4000.0).await;
        daemon.wait(|rows| rows.iter().filter(|row| row.channel.as_str() == "oa-vinh" && row.state.is_final()).count() == 2).await;
        daemon.stop().await;
        assert_eq!(broadcasts(&scene).len(), 1);
        scene.check().await;
    }

    async fn a_quota_that_zalo_says_is_used_up_waits_for_the_next_day(scene: Scene) {
        articles(&scene, "quota: { product: promotion }");
        scene.folder.edit("schedules/lich.yaml", "late: { within: 2h }", "late: { within: 30h }");
        let path = "/v3.0/oa/quota/message";
        // The daemon's own question, and the broadcast's.
        scene.fault(answer(API, path, r#"{"error":0,"message":"Success","data":[{"total":1,"remain":0}]}"#).times(2)).await;
        let daemon = fast(&scene, "2024-03-25T06:00", 12000.0).await;
        over(&daemon).await;
        daemon.stop().await;
        let row = row(&scene).await;
        assert_eq!(row.state, State::Accepted, "{row:?}");
        assert!(row.accepted_at.unwrap() >= at("2024-03-26T06:00"), "{row:?}");
        let first = scene.store().await.attempts(&row.id).await.unwrap();
        assert_eq!((first[0].reason, first[0].detail.as_deref()), (Some(Reason::Quota), Some("zalo-quota-asked product=promotion")), "{first:?}");
        scene.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_article_is_found_by_a_fault_that_never_left() {
    let scene = Scene::new(None).await;
    articles(&scene, "");
    // The host is gone just when it would be broadcast: nothing left, so it is broadcast later and nobody is in doubt.
    scene
        .fault(on(VERIFY, API, Fault::Slow { ms: 50 }, 9))
        .await;
    let mut requests = scene.city.requests();
    let daemon = from(&scene, "2024-03-25T06:00").await;
    while calls(&scene, VERIFY).len() < 2 {
        requests.changed().await.unwrap();
    }
    scene.fault(FaultOrder::new(API, Fault::Refuse)).await;
    daemon
        .wait(|rows| {
            rows.iter().any(|row| {
                row.channel.as_str() == "oa-vinh"
                    && row.state == State::Ready
                    && row.reason.is_some()
            })
        })
        .await;
    scene.city.clear_faults().await.unwrap();
    over(&daemon).await;
    daemon.stop().await;
    assert_eq!(
        row(&scene).await.state,
        State::Accepted,
        "{:?}",
        row(&scene).await
    );
    assert_eq!(
        (scene.city.articles().len(), broadcasts(&scene).len()),
        (1, 1)
    );
}
