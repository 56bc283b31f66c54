//! `loa conformance` as people start it.

use std::collections::BTreeSet;

use loa::{
    catalogue,
    conformance::{SCENARIOS, Spared},
    simulator::{City, CityOptions, Effect, HeardFilter},
};
use serde_json::{Value, json};

use crate::support::{cli::loa, workspace::Folder};

const SPEAKER: &str = "channels/recipes/loudspeaker-http.yaml";

#[test]
fn the_table_names_every_scenario_and_ends_with_the_line_for_the_readme() {
    let folder = Folder::small();
    let said = loa(&folder.path(), &["conformance", "Cụm loa 1 Hưng Bình"]);
    assert_eq!(said.code, 0, "{said:?}");
    // Each is named when it begins, because some take a while.
    let begun: Vec<&str> = said.err.lines().collect();
    let is_begun = |line: &&str| line.starts_with("Kênh loa-hb-1: ") && line.ends_with('…');
    assert!(begun.iter().all(is_begun), "{}", said.err);
    assert!(begun.len() > SCENARIOS.len() / 2, "{}", said.err);
    for scenario in SCENARIOS {
        let name = catalogue::text(
            catalogue::Lang::Vi,
            &format!("conformance.name-{}", scenario.id),
            &[],
        );
        assert!(said.out.contains(&name), "{name}: {}", said.out);
    }
    let last = said.out.lines().last().unwrap();
    assert_eq!(
        last,
        "Dòng cho bảng bộ kết nối: `loudspeaker-http` | 33 of 33; 6 do not apply"
    );
    assert!(
        said.out
            .contains("33 tình huống giữ được, 0 không đạt, 6 không áp dụng."),
        "{}",
        said.out
    );
    let said = loa(
        &folder.path(),
        &[
            "conformance",
            "loa-hb-1",
            "oa-vinh",
            "--badge",
            "--lang",
            "en",
        ],
    );
    assert_eq!(
        (said.code, said.out.as_str()),
        (
            0,
            "`loudspeaker-http` | 33 of 33; 6 do not apply\n`webhook` | 22 of 22; 17 do not apply\n"
        )
    );
}

#[test]
fn what_does_not_hold_is_a_finding_with_what_was_seen_and_why_it_matters() {
    let folder = Folder::small();
    folder.edit(
        SPEAKER,
        r#"["5xx"], then: unknown"#,
        r#"["5xx"], then: reject"#,
    );
    let arguments = [
        "conformance",
        "loa-hb-1",
        "--only",
        "server-error",
        "--lang",
        "en",
    ];
    let said = loa(&folder.path(), &arguments);
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(
        said.err,
        "Channel loa-hb-1: Status 500…\nloa: not everything holds for loa-hb-1\n"
    );
    let row = said
        .out
        .lines()
        .find(|line| line.contains("NOT HELD"))
        .unwrap();
    for part in [
        "Status 500",
        "It was taken for a refusal",
        "Expected: Unknown and no refusal: never done twice.",
        "Because: 500 does not say whether the loudspeaker spoke.",
    ] {
        assert!(row.contains(part), "{part}: {row}");
    }
    let said = loa(
        &folder.path(),
        &[&arguments[..], &["--format", "json"]].concat(),
    );
    assert_eq!(said.code, 1);
    let told = said.json();
    let one = &told[0];
    assert_eq!(
        (
            &one["channel"],
            &one["adapter"],
            &one["holds"],
            &one["broken"]
        ),
        (
            &json!("loa-hb-1"),
            &json!("loudspeaker-http"),
            &json!(false),
            &json!(1)
        )
    );
    let scenarios = one["scenarios"].as_array().unwrap();
    let ids: Vec<&Value> = scenarios.iter().map(|row| &row["scenario"]).collect();
    assert_eq!(ids, ["accepted", "server-error"]);
    let row = &scenarios[1];
    assert_eq!(
        (&row["verdict"], &row["breaches"]),
        (&json!("broken"), &json!(["said-no"]))
    );
    assert_eq!(
        row["attempts"],
        json!([{ "attempt": 1, "outcome": "rejected", "reason": "status", "state": "failed", "wait_seconds": null, "calls": 1 }])
    );
}

#[test]
fn one_channel_of_each_sort_is_enough() {
    let folder = Folder::small();
    let said = loa(
        &folder.path(),
        &["conformance", "--all", "--only", "gone", "--format", "json"],
    );
    assert_eq!(said.code, 0, "{said:?}");
    let told = said.json();
    let sorts: BTreeSet<&str> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["adapter"].as_str().unwrap())
        .collect();
    assert_eq!(
        sorts,
        BTreeSet::from(["loudspeaker-http", "webhook", "wordpress"])
    );
    assert_eq!(told.as_array().unwrap().len(), 3);
}

#[test]
fn names_that_mean_nothing_are_said_with_the_nearest() {
    let folder = Folder::small();
    let said = loa(&folder.path(), &["conformance", "loa-hb-3"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("loa-hb-3") && said.err.contains("loa-hb-"),
        "{}",
        said.err
    );
    let said = loa(
        &folder.path(),
        &["conformance", "loa-hb-1", "--only", "gome", "--lang", "en"],
    );
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("gome") && said.err.contains("gone"),
        "{}",
        said.err
    );
    let said = loa(&folder.path(), &["conformance"]);
    assert_eq!(said.code, 2);
}

const THERE: &str = r#"
channels:
  thu-nghiem:
    name: Nơi thử
    kind: chat
    adapter: { webhook: { url: "https://thu.vinh.example/hook", secrets: ["env:LOA_THU"] } }
"#;

/// A chat service on this machine that stands for a vendor's test address.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_address_gets_tests_only_and_only_on_a_channel_for_tests() {
    let folder = Folder::small();
    folder.edit("loa.yaml", "10.0.0.0/8", "127.0.0.0/8");
    folder.write("channels/thu.yaml", THERE);
    let city = City::start(CityOptions::default()).await.unwrap();
    let url = format!("http://{}/hook", city.device("thu.vinh.example").unwrap());
    let examined = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_loa"))
            .args(["conformance", "thu-nghiem", "--against", &url, "--dir"])
            .arg(folder.path())
            .args(arguments)
            .env("LOA_THU", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .env_remove("RUST_LOG")
            .output();
        std::future::ready(output.unwrap())
    };
    let refused = examined(&["--lang", "en"]).await;
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("`thu-nghiem` is not for tests"), "{said}");
    assert_eq!(city.heard(&HeardFilter::default()), []);

    folder.edit(
        "channels/thu.yaml",
        "    kind: chat\n",
        "    kind: chat\n    test: true\n",
    );
    let good = examined(&["--format", "json"]).await;
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    let told: Value = serde_json::from_slice(&good.stdout).unwrap();
    let with = |verdict: &str| -> Vec<String> {
        let rows = told[0]["scenarios"].as_array().unwrap().iter();
        let rows = rows.filter(|row| row["verdict"] == verdict);
        rows.map(|row| row["scenario"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(with("held"), ["accepted", "secrets"]);
    // What arrived there, and whether it is there once, is not seen from here.
    let unseen = ["resend", "vietnamese-nfc", "vietnamese-nfd"];
    assert_eq!(with("unseen"), unseen);
    assert_eq!(
        (&told[0]["held"], &told[0]["unseen"], &told[0]["broken"]),
        (&Value::from(2), &Value::from(3), &Value::from(0))
    );
    let said = String::from_utf8(good.stderr).unwrap();
    assert!(
        said.contains("Kênh thu-nghiem: Tiếng Việt dựng sẵn (NFC)…"),
        "{said}"
    );
    assert_eq!(with("not-applicable").len(), SCENARIOS.len() - 5);
    let heard = city.heard(&HeardFilter::default());
    let taken = heard.iter().filter(|one| one.effect == Effect::Received);
    assert_eq!(
        (heard.len(), taken.count()),
        (6, 5),
        "one of them twice, by the same key"
    );
    for one in &heard {
        let words = one.text.as_deref().unwrap_or_default();
        assert!(words.starts_with("Đây là phát thử"), "{words}");
    }
    city.shutdown().await;
}

/// Every sentence that the kit may say is there, and none that it never says.
#[test]
fn the_catalogue_knows_every_scenario() {
    let yaml = include_str!("../../../src/catalogue/conformance.yaml");
    let entries: std::collections::BTreeMap<String, Value> = serde_yaml::from_str(yaml).unwrap();
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for scenario in SCENARIOS {
        wanted.extend(["name", "expected", "why"].map(|key| format!("{key}-{}", scenario.id)));
    }
    wanted.extend(Spared::ALL.map(|spared| format!("spared-{}", spared.as_str())));
    let code = [
        include_str!("../../../src/conformance/judge.rs"),
        include_str!("../../../src/conformance/words.rs"),
    ]
    .concat();
    let breaches = code.split("Breach::new(\"").skip(1);
    wanted.extend(breaches.map(|rest| format!("breach-{}", rest.split('"').next().unwrap())));
    for word in ["panicked", "defect"] {
        wanted.insert(format!("breach-{word}"));
    }
    let told: BTreeSet<String> = entries
        .keys()
        .filter(|key| {
            ["name-", "expected-", "why-", "spared-", "breach-"]
                .iter()
                .any(|sort| key.starts_with(sort))
        })
        .cloned()
        .collect();
    assert_eq!(told, wanted);
}
