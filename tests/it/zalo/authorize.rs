//! `loa zalo authorize`: what is missing, what is pasted, and that nothing of it is shown.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use loa::store::{Store, World};

use super::{Scene, account, calls};
use crate::support::cli::loa;

/// Runs the command in the real world, with `pasted` on standard input and the application's secret in the environment.
fn pasted(scene: &Scene, pasted: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_loa"))
        .args(["zalo", "authorize", "oa-vinh", "--dir"])
        .arg(scene.folder.path())
        .env("LOA_ZALO", "khoa-ung-dung")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(pasted.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(said).unwrap(),
    )
}

#[tokio::test]
async fn what_is_missing_is_said_before_anybody_is_asked() {
    let scene = Scene::new(None).await;
    account(&scene, "message", r#"user: "4242""#);
    scene.folder.edit(
        "loa.yaml",
        r#", "openapi.zalo.me", "oauth.zaloapp.com""#,
        "",
    );
    // A mistake of somebody else's does not keep an account from being authorised.
    scene
        .folder
        .write("content/bulletins/hong.yaml", "titel: x\n");
    let said = loa(&scene.folder.path(), &["zalo", "authorize", "oa-vinh"]);
    assert_eq!(said.code, 1, "{said:?}");
    for part in [
        "env:LOA_ZALO",
        "openapi.zalo.me",
        "oauth.zaloapp.com",
        "`oa-vinh`",
    ] {
        assert!(said.err.contains(part), "{part} in {said:?}");
    }
    assert!(
        !said.err.contains("permission?"),
        "no address to go to: {said:?}"
    );
    let said = loa(&scene.folder.path(), &["zalo", "authorize", "web-hb"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("web-hb"), "{said:?}");
}

#[tokio::test]
async fn what_is_pasted_has_to_be_for_this_account_and_from_now() {
    let scene = Scene::new(None).await;
    account(&scene, "message", r#"user: "4242""#);
    for (line, expected) in [
        ("", "code=…"),
        ("https://loa.vinh.example/zalo?error=1\n", "code=…"),
        (
            "https://loa.vinh.example/zalo?code=abc&state=of-yesterday\n",
            "không phải của lần xin",
        ),
        (
            "https://loa.vinh.example/zalo?code=abc&oa_id=111\n",
            "OA 111",
        ),
    ] {
        let (code, said) = pasted(&scene, line);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(expected), "{expected} in {said}");
        assert!(said.contains("https://oauth.zaloapp.com/v4/oa/permission?app_id=123456789&redirect_uri=https%3A%2F%2Floa.vinh.example%2Fzalo&code_challenge="), "{said}");
        assert!(!said.contains("khoa-ung-dung"), "{said}");
    }
    let database = format!("sqlite:{}/.loa/loa.db", scene.folder.path().display());
    let store = Store::open(&database, World::Real, false).await.unwrap();
    let found = store.account_of(&super::id()).await.unwrap();
    assert_eq!(found, None, "nothing was written");
}

/// What a code is spent for has to be put somewhere.
#[tokio::test(flavor = "multi_thread")]
async fn no_code_is_asked_for_without_a_database() {
    let scene = Scene::new(None).await;
    account(&scene, "message", r#"user: "4242""#);
    let control = format!("--simulate=http://{}", scene.city.control());
    let absent = format!("sqlite:{}/nowhere/loa.db", scene.folder.path().display());
    let words = [
        "zalo",
        "authorize",
        "oa-vinh",
        "--database",
        &absent,
        &control,
    ];
    let said = loa(&scene.folder.path(), &words);
    assert_ne!(said.code, 0, "{said:?}");
    for path in ["/v4/oa/permission", "/v4/oa/access_token"] {
        assert!(calls(&scene, path).is_empty(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulated_city_consents_by_itself() {
    let scene = Scene::new(None).await;
    account(&scene, "message", r#"user: "4242""#);
    let control = format!("--simulate=http://{}", scene.city.control());
    let base = [
        "zalo",
        "authorize",
        "oa-vinh",
        "--format",
        "json",
        "--by",
        "Lan",
        "--database",
        &scene.database,
    ];
    let said = loa(&scene.folder.path(), &[&base[..], &[&control]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    let json = said.json();
    assert_eq!(
        (json["oa"].as_str(), json["answers"].as_bool()),
        (Some("987654321"), Some(true)),
        "{json}"
    );
    assert!(
        !said.out.contains("sim-access") && !said.err.contains("sim-"),
        "{said:?}"
    );
    let holding = super::holding(&scene).await;
    assert_eq!((holding.pair, holding.person.as_str()), (1, "Lan"));
    // Again: the new pair takes the place of the old one.
    let said = loa(&scene.folder.path(), &[&base[..], &[&control]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(super::holding(&scene).await.pair, 2);
}
