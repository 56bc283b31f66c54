//! Schemas and readers say the same: every key that a reader knows is in the schema and the other way round, and what the
//! schema refuses the reader refuses, tried on files that use every key (`fixtures/schema`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use loa::{
    catalogue::Lang,
    diagnostic::{Arg, Code, render},
    source::{load_files, schema},
};
use serde_json::{Value, json};

use crate::support::cli::loa;

type Files = BTreeMap<String, Vec<u8>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The files of the workspace in `folder`.
fn workspace(folder: &Path) -> Files {
    fn walk(folder: &Path, prefix: &str, files: &mut Files) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), files);
            } else {
                files.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    let mut files = Files::from([(
        "loa.yaml".to_owned(),
        fs::read(folder.join("loa.yaml")).unwrap(),
    )]);
    for part in ["content", "schedules", "channels"] {
        walk(&folder.join(part), &format!("{part}/"), &mut files);
    }
    if folder.ends_with("schema") {
        let tone: Vec<f32> = (0..40_000_u16)
            .map(|n| (f32::from(n) * 0.1).sin() * 0.3)
            .collect();
        files.insert(
            "content/recordings/loi.wav".into(),
            loa::audio::wav::encode(&tone),
        );
        files.insert(
            "content/pictures/bien-bao.jpg".into(),
            fs::read(root().join("tests/fixtures/pictures/bien-bao.jpg")).unwrap(),
        );
    }
    files
}

/// The full files, and once more with the other sort of engine: a key of which there can be only one of two.
fn full() -> [Files; 2] {
    let files = workspace(&root().join("tests/fixtures/schema"));
    let mut other = files.clone();
    let settings = String::from_utf8(other["loa.yaml"].clone()).unwrap();
    let command = "{ command: { program: piper, arguments: [--model, vi.onnx] } }";
    assert!(settings.contains(command));
    let service = "{ http: { url: \"http://10.0.0.5/tts\", token: \"env:TTS\", body: json } }";
    other.insert(
        "loa.yaml".into(),
        settings.replace(command, service).into_bytes(),
    );
    [files, other]
}

/// Whether a glob with one `*` in its last part means `path`.
fn means(glob: &str, path: &str) -> bool {
    match glob.split_once('*') {
        Some((before, after)) => path
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|name| !name.contains('/')),
        None => glob == path,
    }
}

/// The schema of a file, if it has one.
fn schema_of<'s>(schemas: &'s [schema::Schema], path: &str) -> Option<&'s schema::Schema> {
    let mut fitting = schemas.iter().filter(|schema| {
        schema.files.iter().any(|glob| means(glob, path))
            && !schema
                .files
                .iter()
                .filter_map(|glob| glob.strip_prefix('!'))
                .any(|glob| means(glob, path))
    });
    let found = fitting.next();
    assert!(fitting.next().is_none(), "{path} has two schemas");
    found
}

/// As editors read it, by YAML 1.2: `off` is a text.
fn parsed(bytes: &[u8]) -> Value {
    let options = serde_yaml::options! { strict_booleans: true };
    serde_yaml::from_str_with_options(std::str::from_utf8(bytes).unwrap(), options).unwrap()
}

/// The schema of the part that `value` is, where there is a choice.
fn branch<'s>(schema: &'s Value, value: &Value) -> &'s Value {
    let Some(ways) = schema["anyOf"]
        .as_array()
        .filter(|_| schema.get("type").is_none())
    else {
        return schema;
    };
    let sort = match value {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        _ => "",
    };
    let fits = |way: &&Value| match sort {
        "" => !["object", "array"].contains(&way["type"].as_str().unwrap_or("")),
        sort => way["type"] == sort,
    };
    ways.iter().find(fits).unwrap_or(schema)
}

/// Every map of `value` whose keys the schema chooses: its JSON pointer and its schema.
fn maps<'s>(schema: &'s Value, value: &Value, at: &str, found: &mut Vec<(String, &'s Value)>) {
    let schema = branch(schema, value);
    match value {
        Value::Object(entries) => {
            if schema["additionalProperties"] == false {
                found.push((at.to_owned(), schema));
            }
            for (key, value) in entries {
                let part = match &schema["properties"][key] {
                    Value::Null => &schema["additionalProperties"],
                    part => part,
                };
                let step = key.replace('~', "~0").replace('/', "~1");
                maps(part, value, &format!("{at}/{step}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                maps(&schema["items"], item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Every map in a schema whose keys it chooses, by its place in the schema.
fn objects<'s>(schema: &'s Value, at: &str, found: &mut BTreeMap<String, &'s Value>) {
    if schema["additionalProperties"] == false {
        found.insert(at.to_owned(), schema);
    }
    for (key, part) in schema["properties"].as_object().into_iter().flatten() {
        objects(part, &format!("{at}.{key}"), found);
    }
    if schema["additionalProperties"].is_object() {
        objects(&schema["additionalProperties"], &format!("{at}.*"), found);
    }
    if schema["items"].is_object() {
        objects(&schema["items"], &format!("{at}[]"), found);
    }
    for way in schema["anyOf"].as_array().into_iter().flatten() {
        objects(way, at, found);
    }
}

/// What the reader says of a file's form, read alone.
fn reader_likes(path: &str, value: &Value) -> bool {
    let files = Files::from([(path.to_owned(), value.to_string().into_bytes())]);
    !load_files(&files).diagnostics.iter().any(|found| {
        found.at.file.path() == path && ("L012".."L020").contains(&found.code.as_str())
    })
}

#[test]
fn the_shipped_files_and_the_full_ones_are_what_the_schemas_say() {
    let schemas = schema::all(Lang::Vi);
    let mut checked = BTreeSet::new();
    for folder in [
        root(),
        root().join("tests/fixtures/schema"),
        root().join("tests/fixtures/diagnostics/_base"),
    ] {
        let files = workspace(&folder);
        let loaded = load_files(&files);
        assert_eq!(
            render::to_text(&loaded.diagnostics, Lang::En, false),
            "",
            "{}",
            folder.display()
        );
        for (path, bytes) in &files {
            let Some(schema) = schema_of(&schemas, path) else {
                assert!(
                    path.starts_with("content/templates/")
                        || path == "channels/README.md"
                        || path.starts_with("content/recordings/")
                        || path.starts_with("content/pictures/"),
                    "{path} has no schema"
                );
                continue;
            };
            let validator = jsonschema::validator_for(&schema.json).unwrap();
            let value = parsed(bytes);
            let errors: Vec<String> = validator
                .iter_errors(&value)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert_eq!(errors, [""; 0], "{path}");
            checked.insert(schema.name);
        }
    }
    assert_eq!(checked.len(), schemas.len(), "{checked:?}");
}

#[test]
fn schema_and_reader_know_the_same_keys() {
    let full = full();
    let schemas = schema::all(Lang::En);
    let mut used: BTreeMap<*const Value, BTreeSet<String>> = BTreeMap::new();
    for (path, bytes) in full.iter().flatten() {
        let Some(schema) = schema_of(&schemas, path) else {
            continue;
        };
        let value = parsed(bytes);
        let mut found = Vec::new();
        maps(&schema.json, &value, "", &mut found);
        for (at, part) in found {
            let keys = value.pointer(&at).unwrap().as_object().unwrap();
            used.entry(std::ptr::from_ref(part))
                .or_default()
                .extend(keys.keys().cloned());
            // A key that nobody knows makes the reader list those that it does.
            let mut odd = value.clone();
            let map = odd.pointer_mut(&at).unwrap();
            map["qqqqqqqqqqqqqqqq"] = "1".into();
            // Read alone: what its form is does not depend on others.
            let files = Files::from([(path.clone(), odd.to_string().into_bytes())]);
            let loaded = load_files(&files);
            let unknown = loaded
                .diagnostics
                .iter()
                .find(|found| found.code == Code::UnknownKey)
                .unwrap_or_else(|| panic!("{path}{at} takes any key"));
            let help = unknown.help.as_ref().unwrap();
            let Some((_, Arg::Names(known))) = help.args.first() else {
                panic!("{path}{at}: {help:?}")
            };
            let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
            let properties = part["properties"].as_object().unwrap();
            let properties: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
            assert_eq!(known, properties, "{path}{at}: reader and schema");
        }
    }
    // And every key of the schema is used in a file that the reader found nothing wrong with.
    for schema in &schemas {
        let mut all = BTreeMap::new();
        objects(&schema.json, schema.name, &mut all);
        // What is built from the same part stands in several places; one of them has to use each key.
        let mut by_text: BTreeMap<String, (Vec<String>, BTreeSet<String>)> = BTreeMap::new();
        for (at, part) in all {
            let keys = used.get(&std::ptr::from_ref(part)).cloned();
            let entry = by_text.entry(part["properties"].to_string()).or_default();
            entry.0.push(at);
            entry.1.extend(keys.unwrap_or_default());
        }
        for (properties, (places, used)) in by_text {
            let properties: Value = serde_json::from_str(&properties).unwrap();
            for key in properties.as_object().unwrap().keys() {
                assert!(used.contains(key), "{places:?}: no file uses {key}");
            }
        }
    }
}

#[test]
fn what_the_schema_refuses_the_reader_refuses() {
    let full = full();
    let schemas = schema::all(Lang::En);
    let mut wrong = Vec::new();
    let mut tried = 0;
    for (path, bytes) in full.iter().flatten() {
        let Some(schema) = schema_of(&schemas, path) else {
            continue;
        };
        let validator = jsonschema::validator_for(&schema.json).unwrap();
        let value = parsed(bytes);
        let mut found = Vec::new();
        maps(&schema.json, &value, "", &mut found);
        for (at, part) in found {
            let keys: Vec<String> = value
                .pointer(&at)
                .unwrap()
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect();
            for key in keys {
                let mut without = value.clone();
                without
                    .pointer_mut(&at)
                    .unwrap()
                    .as_object_mut()
                    .unwrap()
                    .remove(&key);
                let mut mutants = vec![("without", without)];
                // Free JSON takes anything.
                if !part["properties"][&key]
                    .as_object()
                    .unwrap()
                    .keys()
                    .all(|word| word == "description")
                {
                    let mut odd = value.clone();
                    odd.pointer_mut(&at).unwrap()[&key] = json!([[1]]);
                    mutants.push(("a list in", odd));
                }
                for (how, mutant) in mutants {
                    tried += 1;
                    let (by_schema, by_reader) =
                        (validator.is_valid(&mutant), reader_likes(path, &mutant));
                    if by_schema != by_reader {
                        wrong.push(format!(
                            "{path}: {how} {at}/{key}: good for the schema is {by_schema}, for the reader {by_reader}"
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 300, "{tried}");
}

#[test]
fn every_key_is_described_in_both_languages() {
    for lang in [Lang::Vi, Lang::En] {
        for schema in schema::all(lang) {
            let text = schema.json.to_string();
            assert!(
                !text.contains("[schema."),
                "{}",
                &text[text.find("[schema.").unwrap()..][..60]
            );
        }
    }
}

#[test]
fn schemas_are_shown_and_written() {
    let said = loa(&root(), &["schema", "bulletin"]);
    assert_eq!(said.json()["properties"]["title"]["pattern"], "\\S");
    let said = loa(&root(), &["schema", "buletin", "--lang", "en"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("Did you mean `bulletin`?"),
        "{}",
        said.err
    );
    assert_eq!(
        loa(&root(), &["schema", "--format", "json"])
            .json()
            .as_object()
            .unwrap()
            .len(),
        11
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("schema");
    let said = loa(
        &root(),
        &[
            "schema",
            "--format",
            "json",
            "--write",
            path.to_str().unwrap(),
        ],
    )
    .json();
    let settings = said["settings"]["yaml.schemas"].as_object().unwrap();
    assert_eq!(settings.len(), 11);
    for (file, globs) in settings {
        let schema: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        assert!(
            schema["properties"].is_object() && globs.is_array(),
            "{file}"
        );
    }
}
