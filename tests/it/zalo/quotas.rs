//! What remains of an account's quota: read, kept, and held against the plan before the day.

use loa::{clock::Clock, domain::quota::AHEAD, store::Store};

use super::{API, Scene, account, answer, articles::articles, calls, id};
use crate::support::{
    city::{Running, at},
    cli::{Said, loa},
    on_both_databases,
};

const QUOTA: &str = "/v3.0/oa/quota/message";

/// A channel of articles, twice on Monday, on an account that says what remains.
async fn metered(scene: &Scene, rows: &str) {
    articles(scene, "quota: { product: promotion }");
    let schedules = &scene.folder;
    schedules.edit(
        "schedules/lich.yaml",
        r#"at: ["06:10"], days: [mon]"#,
        r#"at: ["06:10", "16:00"], days: [mon]"#,
    );
    let body = format!(r#"{{"error":0,"message":"Success","data":{rows}}}"#);
    scene.fault(answer(API, QUOTA, &body)).await;
}

/// Runs from Sunday evening until it was asked, a while before anything is due.
async fn asked(scene: &Scene) -> Store {
    let daemon: Running = scene
        .start_with(Clock::simulated(at("2024-03-24T20:00"), 4000.0))
        .await;
    daemon.reach("2024-03-24T20:30").await;
    daemon.stop().await;
    scene.store().await
}

fn says(scene: &Scene, words: &[&str]) -> Said {
    let all = [words, &["--simulate", "--database", &scene.database]].concat();
    loa(&scene.folder.path(), &all)
}

on_both_databases! {
    async fn what_is_planned_beyond_what_remains_is_told_before_its_day(scene: Scene) {
        metered(&scene, r#"[{"product_type":"promotion","valid_through":"31/03/2024","total":4,"remain":1}]"#).await;
        let store = asked(&scene).await;
        let remaining = store.remaining().await.unwrap();
        assert_eq!(remaining.len(), 1, "{remaining:?}");
        assert_eq!((remaining[0].account.clone(), remaining[0].remain, remaining[0].total), (id(), 1, Some(4)));
        let now = at("2024-03-24T20:30");
        let over = store.over_quota(&scene.folder.load(), now, now + AHEAD).await.unwrap();
        let due: Vec<_> = over.iter().map(|one| one.due).collect();
        // Not those of the Monday after: it is not known what remains by then.
        assert_eq!(due, [at("2024-03-25T16:00")]);
        let lines = store.journal_of("quota-short", 9).await.unwrap();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0].detail, "zalo-quota-short product=promotion; remain=1; count=1; first=16:00 25/03/2024; channel=oa-vinh");
        store.close().await;

        let rows = says(&scene, &["plan", "--to", "+48h", "--channel", "oa-vinh", "--format", "json"]).json();
        let marks: Vec<_> = rows.as_array().unwrap().iter().map(|row| (row["due"].as_str().unwrap(), row["over_quota"].as_bool().unwrap())).collect();
        assert_eq!(marks, [("2024-03-25T06:10:00+07:00", false), ("2024-03-25T16:00:00+07:00", true)]);
        let said = says(&scene, &["plan", "--to", "+48h", "--channel", "oa-vinh"]);
        assert_eq!(said.out.matches("vượt hạn mức của OA: Zalo báo chỉ còn gửi được 1 lượt").count(), 1, "{said:?}");
        let said = says(&scene, &["check"]);
        assert!(said.out.contains("L262") && said.out.contains("25/03/2024") && said.out.contains("chỉ còn gửi được 1 lượt"), "{said:?}");
        assert_eq!(said.code, 0, "{said:?}");
        let rows = says(&scene, &["channels", "--format", "json"]).json();
        let row = rows.as_array().unwrap().iter().find(|row| row["channel"] == "oa-vinh").unwrap();
        assert_eq!((&row["quota"]["remain"], &row["quota"]["over"], &row["quota"]["until"], &row["quota"]["first"]), (&1.into(), &1.into(), &"2024-03-31".into(), &"2024-03-25T16:00:00+07:00".into()), "{row}");
        let said = says(&scene, &["channels"]);
        assert!(said.out.contains("còn gửi được 1 lượt, đến hết ngày 31/03/2024") && said.out.contains("sớm nhất là 25/03/2024 16:00"), "{said:?}");
    }

    async fn what_went_out_since_it_was_asked_is_used_up(scene: Scene) {
        metered(&scene, r#"[{"valid_through":"31/03/2024","remain":1}]"#).await;
        let store = asked(&scene).await;
        let workspace = scene.folder.load();
        // By the record the one at 06:10 is on its way, whether or not it is in the plan any more.
        let now = at("2024-03-25T12:00");
        let over = store.over_quota(&workspace, now, now + AHEAD).await.unwrap();
        assert_eq!(over.iter().map(|one| one.due).collect::<Vec<_>>(), [at("2024-03-25T16:00")]);
        let later = at("2024-04-01T00:00");
        assert_eq!(store.over_quota(&workspace, later, later + AHEAD).await.unwrap(), [], "what is not known is no limit");
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_asked_once_an_hour_also_where_it_is_refused() {
    let scene = Scene::new(None).await;
    account(
        &scene,
        "message",
        "user: \"4242\"\n        quota: { product: cs }",
    );
    let refused = r#"{"error":-209,"message":"simulated"}"#;
    scene.fault(answer(API, QUOTA, refused)).await;
    let daemon = scene
        .start_with(Clock::simulated(at("2024-03-24T20:00"), 4000.0))
        .await;
    daemon.reach("2024-03-24T22:30").await;
    daemon.stop().await;
    assert_eq!(calls(&scene, QUOTA).len(), 3);
    let store = scene.store().await;
    assert_eq!(store.remaining().await.unwrap(), []);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_product_nobody_is_asked() {
    let scene = Scene::new(None).await;
    articles(&scene, "quota: { per_day: 1 }");
    asked(&scene).await.close().await;
    assert_eq!(calls(&scene, QUOTA).len(), 0);
}
