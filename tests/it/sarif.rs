//! `check --format sarif` held to the parts of SARIF 2.1.0 that it uses: the objects of the standard's own JSON Schema, whose
//! objects permit no other keys, and what GitHub's code scanning asks of a log beyond that.
//!
//! Where the schema and prose say the same, the number is that of the standard's section.

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::Value;

use crate::support::workspace::Folder;

/// What a value has to be.
#[derive(Clone, Copy)]
enum Form {
    /// A text; of these only, unless empty.
    Text(&'static [&'static str]),
    /// A whole number of at least this.
    Number(i64),
    /// An object of the schema.
    Object(&'static str),
    /// A list of such objects, no two of which are equal.
    List(&'static str),
    /// Objects by names of ours.
    Map(&'static str),
    /// Texts by names of ours.
    Texts,
}

/// An object: its name, the keys that the schema requires, and all keys that `loa` writes.
type Object = (
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, Form)],
);

/// The objects that `loa` writes.
const SCHEMA: &[Object] = &[
    (
        "log",
        &["version", "runs"],
        &[
            ("$schema", Form::Text(&[])),
            ("version", Form::Text(&["2.1.0"])),
            ("runs", Form::List("run")),
        ],
    ),
    (
        "run",
        &["tool"],
        &[
            ("tool", Form::Object("tool")),
            ("language", Form::Text(&["vi", "en"])),
            (
                "columnKind",
                Form::Text(&["utf16CodeUnits", "unicodeCodePoints"]),
            ),
            ("originalUriBaseIds", Form::Map("artifactLocation")),
            ("results", Form::List("result")),
        ],
    ),
    (
        "tool",
        &["driver"],
        &[("driver", Form::Object("toolComponent"))],
    ),
    (
        "toolComponent",
        &["name"],
        &[
            ("name", Form::Text(&[])),
            ("version", Form::Text(&[])),
            ("semanticVersion", Form::Text(&[])),
            ("language", Form::Text(&["vi", "en"])),
            ("rules", Form::List("reportingDescriptor")),
        ],
    ),
    (
        "reportingDescriptor",
        &["id"],
        &[
            ("id", Form::Text(&[])),
            ("name", Form::Text(&[])),
            ("shortDescription", Form::Object("multiformatMessageString")),
            ("fullDescription", Form::Object("multiformatMessageString")),
            ("help", Form::Object("multiformatMessageString")),
            (
                "defaultConfiguration",
                Form::Object("reportingConfiguration"),
            ),
        ],
    ),
    (
        "reportingConfiguration",
        &[],
        &[("level", Form::Text(&["none", "note", "warning", "error"]))],
    ),
    (
        "result",
        &["message"],
        &[
            ("ruleId", Form::Text(&[])),
            ("ruleIndex", Form::Number(-1)),
            ("level", Form::Text(&["none", "note", "warning", "error"])),
            ("message", Form::Object("message")),
            ("locations", Form::List("location")),
            ("relatedLocations", Form::List("location")),
            ("partialFingerprints", Form::Texts),
        ],
    ),
    (
        "location",
        &[],
        &[
            ("physicalLocation", Form::Object("physicalLocation")),
            ("message", Form::Object("message")),
        ],
    ),
    (
        "physicalLocation",
        &["artifactLocation"],
        &[
            ("artifactLocation", Form::Object("artifactLocation")),
            ("region", Form::Object("region")),
        ],
    ),
    (
        "artifactLocation",
        &[],
        &[
            ("uri", Form::Text(&[])),
            ("uriBaseId", Form::Text(&[])),
            ("description", Form::Object("message")),
        ],
    ),
    (
        "region",
        &[],
        &[
            ("startLine", Form::Number(1)),
            ("startColumn", Form::Number(1)),
            ("endLine", Form::Number(1)),
            ("endColumn", Form::Number(1)),
        ],
    ),
    ("message", &["text"], &[("text", Form::Text(&[]))]),
    (
        "multiformatMessageString",
        &["text"],
        &[("text", Form::Text(&[]))],
    ),
];

/// What in `value` is not as the schema has it for `object`, each with where it stands.
fn faults(value: &Value, object: &str, path: &str) -> Vec<String> {
    let (_, required, keys) = SCHEMA
        .iter()
        .find(|(name, ..)| *name == object)
        .expect("an object of the schema");
    let Some(map) = value.as_object() else {
        return vec![format!("{path} is no object: {value}")];
    };
    let mut faults: Vec<String> = required
        .iter()
        .filter(|key| !map.contains_key(**key))
        .map(|key| format!("{path} has no {key}"))
        .collect();
    for (key, value) in map {
        let path = format!("{path}/{key}");
        match keys.iter().find(|(known, _)| known == key) {
            Some((_, form)) => faults.extend(misformed(value, *form, &path)),
            None => faults.push(format!("{path} is no key of {object}")),
        }
    }
    faults
}

fn misformed(value: &Value, form: Form, path: &str) -> Vec<String> {
    let wrong = || vec![format!("{path} is {value}")];
    match form {
        Form::Text(known) => match value.as_str() {
            Some(text) if !text.is_empty() && (known.is_empty() || known.contains(&text)) => vec![],
            _ => wrong(),
        },
        Form::Number(least) => match value.as_i64() {
            Some(number) if number >= least => vec![],
            _ => wrong(),
        },
        Form::Object(object) => faults(value, object, path),
        Form::List(object) => {
            let Some(items) = value.as_array() else {
                return wrong();
            };
            let different: BTreeSet<String> = items.iter().map(Value::to_string).collect();
            let mut found: Vec<String> = items
                .iter()
                .enumerate()
                .flat_map(|(at, item)| faults(item, object, &format!("{path}/{at}")))
                .collect();
            if different.len() < items.len() {
                found.push(format!("{path} has an item twice"));
            }
            found
        }
        Form::Map(object) => match value.as_object() {
            Some(map) => map
                .iter()
                .flat_map(|(key, value)| faults(value, object, &format!("{path}/{key}")))
                .collect(),
            None => wrong(),
        },
        Form::Texts => match value.as_object() {
            Some(map) if map.values().all(Value::is_string) => vec![],
            _ => wrong(),
        },
    }
}

/// A folder with a workspace in `thành phố`, and many sorts of mistakes in it.
fn broken() -> (tempfile::TempDir, String) {
    let root = tempfile::tempdir().unwrap();
    let (small, name) = (Folder::small(), "thành phố".to_owned());
    let place = root.path().join(&name);
    copy(&small.path(), &place);
    let write = |path: &str, text: &str| std::fs::write(place.join(path), text).unwrap();
    write(
        "content/bulletins/mot.yaml",
        "title: CẢNH BÁO LỪA ĐẢO\ntopic: gia-dan\nsource: { document: Văn bản, year: 2024 }\nscript: |\n  Gọi 0912 345 678\n\
         dialogue:\n  - nu: b\n",
    );
    write("content/bulletins/hai.yaml", "title: [a\n");
    write("content/bulletins/trống #1.yaml", "");
    write(
        "schedules/x.yaml",
        "schedules:\n  a: { when: { cron: \"99 * * * *\" } }\n",
    );
    (root, name)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The log of a check that was started at the repository's root.
fn log(root: &Path, folder: &str, lang: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_loa"))
        .args([
            "check", "--format", "sarif", "--lang", lang, "--dir", folder,
        ])
        .current_dir(root)
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_log_is_what_the_schema_permits() {
    let (root, folder) = broken();
    for lang in ["vi", "en"] {
        let log = log(root.path(), &folder, lang);
        assert_eq!(faults(&log, "log", ""), Vec::<String>::new());
    }
    // The test itself finds what is wrong.
    let mut log = log(root.path(), &folder, "en");
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] =
        0.into();
    log["runs"][0]["results"][0]["severity"] = "error".into();
    assert_eq!(faults(&log, "log", "").len(), 2);
}

#[test]
fn a_log_is_what_code_scanning_asks_for() {
    let (root, folder) = broken();
    let log = log(root.path(), &folder, "vi");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        // Longer ones are refused or cut; all have a text of help.
        for (key, most) in [("shortDescription", 1_024), ("fullDescription", 1_024)] {
            let text = rule[key]["text"].as_str().unwrap();
            assert!(text.chars().count() <= most, "{rule}");
        }
        assert!(rule["name"].as_str().unwrap().len() <= 255, "{rule}");
        assert!(rule["help"]["text"].is_string(), "{rule}");
    }
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 5, "{results:?}");
    let mut codes = BTreeSet::new();
    for result in results {
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[rule]["id"], result["ruleId"]);
        codes.insert(result["ruleId"].as_str().unwrap());
        assert!(
            matches!(result["level"].as_str(), Some("error" | "warning")),
            "{result}"
        );
        assert!(result["partialFingerprints"]["place/v1"].is_string());
        let locations = result["locations"].as_array().unwrap();
        assert_eq!(locations.len(), 1, "{result}");
        let related = result["relatedLocations"].as_array().unwrap();
        for location in locations.iter().chain(related) {
            let place = &location["physicalLocation"];
            // Relative to the repository's root, as a URI: no sign that would end the path (3.4.4, RFC 3986).
            let uri = place["artifactLocation"]["uri"].as_str().unwrap();
            assert!(uri.starts_with("th%C3%A0nh%20ph%E1%BB%91/"), "{uri}");
            assert!(
                !uri.contains([' ', '#', '?', '\\', ':']) && uri.is_ascii(),
                "{uri}"
            );
            assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
            let region = &place["region"];
            let at = |key: &str| region[key].as_u64();
            // An end stands behind its beginning (3.30.8); a file without text has only its first line.
            match (at("startColumn"), at("endLine"), at("endColumn")) {
                (Some(column), Some(end), Some(end_column)) => {
                    assert!(
                        (at("startLine").unwrap(), column) <= (end, end_column),
                        "{region}"
                    );
                }
                others => assert_eq!((at("startLine"), others), (Some(1), (None, None, None))),
            }
        }
    }
    assert!(codes.len() >= 5, "{codes:?}");
}
