//! `loa conformance` as people start it.

use std::{collections::BTreeSet, fs, path::Path};

use loa::{
    catalogue,
    conformance::{SCENARIOS, Spared},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{cli::loa, workspace::Folder};

const SPEAKER: &str = "channels/recipes/loudspeaker-http.yaml";

#[test]
fn the_table_names_every_scenario_and_ends_with_the_line_for_the_readme() {
    let folder = Folder::small();
    let said = loa(&folder.path(), &["conformance", "Cụm loa 1 Hưng Bình"]);
    assert_eq!(said.code, 0, "{said:?}");
    // How far it is is said on a terminal alone.
    assert_eq!(said.err, "");
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
        "Dòng cho bảng bộ kết nối: `loudspeaker-http` | 40 of 40; 18 do not apply"
    );
    assert!(
        said.out
            .contains("40 tình huống giữ được, 0 không đạt, 18 không áp dụng."),
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
            "`loudspeaker-http` | 40 of 40; 18 do not apply\n`webhook` | 23 of 23; 35 do not apply\n"
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
    assert_eq!(said.err, "loa: not everything holds for loa-hb-1\n");
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
    // A report says what it is of: the recipe's own bytes.
    let recipe = fs::read(folder.path().join(SPEAKER)).unwrap();
    let hash = Sha256::digest(recipe);
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (
            &one["recipe_hash"],
            &one["loa"],
            &one["against"],
            &one["badge"],
            &one["messages"]
        ),
        (
            &json!(hash),
            &json!(env!("CARGO_PKG_VERSION")),
            &Value::Null,
            &Value::Null,
            &json!([])
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
        json!([{ "attempt": 1, "outcome": "rejected", "reason": "status", "state": "failed", "wait_seconds": null, "calls": 1, "status": 500, "answer": "{\"error\":\"simulated\"}" }])
    );
}

#[test]
fn the_words_of_the_report_are_listed_with_what_they_mean() {
    // No workspace is needed.
    let nowhere = std::env::temp_dir();
    let said = loa(&nowhere, &["conformance", "--scenarios", "--lang", "en"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    for part in [
        "server-error",
        "Status 500. Unknown and no refusal: never done twice. Because: 500 does not say",
        "said-no",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    let said = loa(
        &nowhere,
        &["conformance", "--scenarios", "--format", "json"],
    );
    let told = said.json();
    let words = |list: &str, key: &str| -> Vec<String> {
        let rows = told[list].as_array().unwrap().iter();
        rows.map(|row| row[key].as_str().unwrap().to_owned())
            .collect()
    };
    let ids: Vec<&str> = SCENARIOS.iter().map(|one| one.id).collect();
    assert_eq!(words("scenarios", "scenario"), ids);
    assert_eq!(told["scenarios"][0]["against"], true);
    assert!(words("breaches", "code").contains(&"not-taken".to_owned()));
    let spared: Vec<&str> = Spared::ALL.iter().map(|one| one.as_str()).collect();
    assert_eq!(words("not_applicable", "code"), spared);
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
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance");
    let files = [kit.clone(), kit.join("call")].map(|folder| {
        fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path())
    });
    let files = files.into_iter().flatten();
    let files = files.filter(|path| path.is_file());
    let code: String = files
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
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
