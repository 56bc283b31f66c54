//! Zalo Official Accounts: whole daemons against a platform that spends refresh tokens once and refuses with HTTP 200.

mod adopted;
mod articles;
mod authorize;
mod faults;
mod notes;
mod pictures;
mod quotas;
mod reports;
pub(crate) mod steps;
mod tokens;

use loa::{
    domain::id::AccountId,
    simulator::{Fault, FaultOrder, Heard, HeardFilter},
    store::account::Holding,
};

use crate::support::city::Scene;

const OAUTH: &str = "oauth.zaloapp.com";
const API: &str = "openapi.zalo.me";

fn id() -> AccountId {
    AccountId::zalo("123456789", "987654321")
}

/// Makes the city's chat channel an Official Account, with `keys` beside those that it always has.
fn account(scene: &Scene, format: &str, keys: &str) {
    let folder = &scene.folder;
    folder.edit(
        "channels/kenh.yaml",
        r#"    kind: chat
    adapter: { webhook: { url: "https://oa.vinh.example/hook", secrets: ["env:LOA_OA"] } }"#,
        &format!(
            r#"    kind: chat
    format: {format}
    adapter:
      zalo:
        app: "123456789"
        oa: "987654321"
        secret: env:LOA_ZALO
        callback: https://loa.vinh.example/zalo
        {keys}"#
        ),
    );
    folder.edit(
        "loa.yaml",
        r#""*.vinh.example""#,
        r#""*.vinh.example", "openapi.zalo.me", "oauth.zaloapp.com""#,
    );
}

async fn holding(scene: &Scene) -> Holding {
    let store = scene.store().await;
    store.account_of(&id()).await.unwrap().expect("an account")
}

/// What arrived at `path`, oldest first.
fn calls(scene: &Scene, path: &str) -> Vec<Heard> {
    let mut heard = scene.city.heard(&HeardFilter::default());
    heard.retain(|one| one.path == path);
    heard
}

/// An answer of Zalo's that is no.
fn refusal(path: &str, code: i64) -> FaultOrder {
    let body = format!(r#"{{"error":{code},"message":"simulated"}}"#);
    answer(API, path, &body)
}

/// An answer with HTTP 200 in place of the platform's own.
fn answer(host: &str, path: &str, body: &str) -> FaultOrder {
    let fault = Fault::Status {
        code: 200,
        retry_after: None,
        body: Some(body.to_owned()),
    };
    FaultOrder {
        path: Some(path.to_owned()),
        ..FaultOrder::new(host, fault)
    }
}

/// What the page about channels shows is what can be used.
#[tokio::test]
async fn the_channel_of_the_readme_can_be_used() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/channels/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, rest) = readme.split_once("## A Zalo Official Account").unwrap();
    let (_, rest) = rest.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let scene = Scene::new(None).await;
    account(&scene, "message", r#"user: "4242""#);
    scene.folder.write("channels/oa.yaml", example);
    let workspace = scene.folder.load();
    let channel = workspace
        .channels
        .values()
        .find(|channel| channel.id.as_str() == "oa-thanh-pho")
        .unwrap();
    assert!(matches!(
        &channel.adapter,
        loa::domain::channel::AdapterConfig::Zalo(zalo) if zalo.quota.per_day == Some(1)
    ));
}
