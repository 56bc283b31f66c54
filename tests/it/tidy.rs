//! What the compiler does not check: the edges between modules, file sizes, and that things are done in one place.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Which modules a module may use. What is not listed uses nothing. Kept in step with ARCHITECTURE.md.
const EDGES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("contacts", &["domain"]),
    ("catalogue", &[]),
    ("telemetry", &[]),
    ("template", &[]),
    ("clock", &["domain"]),
    ("diagnostic", &["catalogue", "domain"]),
    ("lint", &["domain", "speech"]),
    (
        "render",
        &["catalogue", "contacts", "domain", "speech", "template"],
    ),
    ("speech", &["domain"]),
    ("version", &["domain", "render"]),
    ("adapter", &["domain", "template"]),
    ("audio", &["adapter", "clock", "domain", "speech"]),
    (
        "source",
        &[
            "adapter",
            "audio",
            "catalogue",
            "contacts",
            "diagnostic",
            "domain",
            "lint",
            "render",
            "speech",
            "template",
        ],
    ),
    ("store", &["domain"]),
    ("why", &["catalogue", "domain", "store"]),
    ("config", &["adapter", "audio", "domain", "store"]),
    ("simulator", &["adapter", "domain"]),
    (
        "daemon",
        &[
            "adapter",
            "audio",
            "catalogue",
            "clock",
            "config",
            "diagnostic",
            "domain",
            "render",
            "source",
            "speech",
            "store",
            "telemetry",
            "version",
            "why",
        ],
    ),
    (
        "conformance",
        &[
            "adapter",
            "contacts",
            "daemon",
            "diagnostic",
            "domain",
            "simulator",
            "store",
        ],
    ),
    ("feed", &["catalogue", "domain"]),
    (
        "web",
        &["catalogue", "clock", "domain", "feed", "store", "why"],
    ),
];

/// Texts that may stand in the code of one place only, with that place.
const ONE_PLACE: &[(&str, &[&str])] = &[
    ("sqlx::", &["store"]),
    ("reqwest::", &["adapter/transport"]),
    ("serde_yaml::", &["source", "catalogue.rs"]),
    ("tera::", &["template", "web"]),
    ("tokio::spawn", &["daemon", "simulator"]),
    ("Utc::now", &["clock.rs"]),
    ("env::var", &["config.rs"]),
];

const LONGEST_FILE: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What of the project people write, beside the files that lie at its top.
const FOLDERS: [&str; 8] = [
    "src",
    "tests",
    "benches",
    "channels",
    "content",
    "schedules",
    "migrations",
    "contrib",
];

/// Every text below `folder`, or at the top of the project, with its path relative to it. Sounds and pictures are no texts.
fn texts(folder: &str) -> BTreeMap<String, String> {
    fn walk(folder: &Path, base: &Path, deep: bool, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if deep {
                    walk(&path, base, deep, found);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                let name = path.strip_prefix(base).unwrap().to_str().unwrap();
                found.insert(name.to_owned(), text);
            }
        }
    }
    let base = root().join(folder);
    let mut found = BTreeMap::new();
    walk(&base, &base, !folder.is_empty(), &mut found);
    found
}

/// Every Rust file below `folder`, with its path relative to it.
fn files(folder: &str) -> BTreeMap<String, String> {
    let mut found = texts(folder);
    found.retain(|path, _| {
        Path::new(path)
            .extension()
            .is_some_and(|extension| extension == "rs")
    });
    assert!(!found.is_empty(), "{folder} has no Rust files");
    found
}

/// The code of a file: without comments, and without its unit tests, which may use anything.
fn code(text: &str) -> String {
    let text = text
        .split("\n#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or(text);
    text.lines()
        .map(|line| line.split("//").next().unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

fn module(path: &str) -> &str {
    path.split('/')
        .next()
        .unwrap_or(path)
        .trim_end_matches(".rs")
}

/// The modules of this crate that `code` names: `crate::x` and `crate::{x, y::{…}}`.
fn used(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        let word = |text: &str| {
            text.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        };
        let Some(list) = part.strip_prefix('{') else {
            found.insert(word(part));
            continue;
        };
        let mut depth = 0;
        let mut item = String::new();
        for c in list.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.insert(word(item.trim()));
                    item.clear();
                    continue;
                }
                _ => {}
            }
            if depth == 0 {
                item.push(c);
            }
        }
        found.insert(word(item.trim()));
    }
    found.remove("");
    found
}

#[test]
fn modules_use_only_what_they_may() {
    let edges: BTreeMap<_, _> = EDGES.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in files("src") {
        let module = module(&path);
        let Some(allowed) = edges.get(module) else {
            assert!(
                ["cli", "lib", "main"].contains(&module),
                "{module} is missing in the list of edges"
            );
            continue;
        };
        for other in used(&code(&text)) {
            if other != module && !allowed.contains(&other.as_str()) {
                wrong.push(format!("{path} uses {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_architecture_page_names_the_same_edges() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (module, allowed) in EDGES {
        let list = if allowed.is_empty() {
            "nothing".to_owned()
        } else {
            allowed.join(", ")
        };
        let row = format!("| `{module}` | {list} |");
        assert!(page.contains(&row), "ARCHITECTURE.md lacks the row: {row}");
    }
}

#[test]
fn the_readme_lists_every_shipped_adapter_and_every_command() {
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    for entry in fs::read_dir(root().join("channels/recipes")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            page.contains(&format!("| `recipe: {name}` |")),
            "README.md lacks a row for the recipe {name}"
        );
    }
    for name in ["webhook", "email", "axis", "icecast", "snapcast"] {
        assert!(
            page.contains(&format!("| `{name}` |")),
            "README.md lacks a row for {name}"
        );
    }
    for (path, _) in files("src/cli")
        .iter()
        .filter(|(path, text)| !path.contains('/') && text.starts_with("//! `loa "))
    {
        let command = path.trim_end_matches(".rs");
        assert!(
            page.contains(&format!("`{command}`")) || page.contains(&format!("loa {command}")),
            "README.md does not mention the command {command}"
        );
    }
}

#[test]
fn things_are_done_in_one_place() {
    let mut wrong = Vec::new();
    for (path, text) in files("src") {
        let code = code(&text);
        for (pattern, places) in ONE_PLACE {
            if code.contains(pattern) && !places.iter().any(|place| path.starts_with(place)) {
                wrong.push(format!(
                    "{path} has `{pattern}`, which belongs in {}",
                    places.join(", ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sql_stands_in_one_place() {
    for (path, text) in files("src/store") {
        if path.starts_with("sql") {
            continue;
        }
        for word in ["SELECT ", "INSERT INTO", "DELETE FROM"] {
            assert!(
                !code(&text).contains(word),
                "{path} has SQL of its own ({word}); it belongs in sql.rs"
            );
        }
    }
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut wrong = Vec::new();
    for folder in FOLDERS.iter().chain([&""]) {
        for (path, text) in texts(folder) {
            let lines = text.lines().count();
            // Cargo writes that one.
            if lines > LONGEST_FILE && path != "Cargo.lock" {
                wrong.push(format!(
                    "{folder}/{path} has {lines} lines; split it by what it does"
                ));
            }
        }
    }
    for folder in ["src", "tests", "benches"] {
        for (path, text) in files(folder) {
            if !text.starts_with("//!") {
                wrong.push(format!(
                    "{folder}/{path} does not say in its first line what it is for"
                ));
            }
            if path.ends_with("mod.rs") {
                wrong.push(format!("{folder}/{path}: write foo.rs beside foo/"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_sentence_that_the_code_asks_for_is_in_the_catalogue() {
    let areas = [
        "approval",
        "cli",
        "web",
        "cron",
        "state",
        "reason",
        "diagnostic",
    ];
    let mut missing = BTreeSet::new();
    for (path, text) in files("src") {
        for literal in code(&text).split('"').skip(1).step_by(2) {
            let Some((area, name)) = literal.split_once('.') else {
                continue;
            };
            // Keys that are put together at run time end in a hyphen or hold a placeholder; their tests are elsewhere.
            let is_key = areas.contains(&area)
                && !name.is_empty()
                && !name.ends_with('-')
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if is_key
                && !["yaml", "html", "rs", "css", "js"].contains(&name)
                && !loa::catalogue::has(literal)
            {
                missing.insert(format!("{path}: {literal}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

/// Details are kept as codes, and people read the sentence in their language.
#[test]
fn every_detail_that_the_code_writes_has_a_sentence() {
    let mut codes = BTreeSet::new();
    for (path, text) in files("src") {
        if path.ends_with("domain/detail.rs") {
            continue;
        }
        let text = code(&text);
        let written = text.split("Detail::new(\"").skip(1);
        codes.extend(written.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
    }
    assert!(codes.len() > 30, "{codes:?}");
    let missing: Vec<_> = codes
        .iter()
        .filter(|code| !loa::catalogue::has(&format!("detail.{code}")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_word_of_the_domain_has_a_sentence() {
    use loa::domain::{
        bulletin::{Format, Priority},
        channel::{ChannelKind, Mode},
        contact::Lapse,
        delivery::{Evidence, Outcome, Reason, State},
    };
    let mut keys = Vec::new();
    for state in State::ALL {
        keys.push(format!("state.{}", state.as_str()));
        keys.push(format!("state.{}-meaning", state.as_str()));
    }
    keys.extend(
        Reason::ALL
            .iter()
            .map(|reason| format!("reason.{}", reason.as_str())),
    );
    let doubts = Reason::ALL
        .iter()
        .filter(|reason| reason.is_doubt() && **reason != Reason::Crashed);
    keys.extend(doubts.map(|reason| format!("detail.asked-{}", reason.as_str())));
    keys.extend(
        Lapse::ALL
            .iter()
            .map(|lapse| format!("detail.contact-{}", lapse.as_str())),
    );
    keys.extend(
        Evidence::ALL
            .iter()
            .map(|evidence| format!("state.evidence-{}", evidence.as_str())),
    );
    keys.extend(
        Outcome::ALL
            .iter()
            .map(|outcome| format!("state.outcome-{}", outcome.as_str())),
    );
    keys.extend(
        ChannelKind::ALL
            .iter()
            .map(|kind| format!("state.kind-{}", kind.as_str())),
    );
    keys.extend(
        Format::ALL
            .iter()
            .map(|format| format!("state.format-{}", format.as_str())),
    );
    keys.extend(
        Priority::ALL
            .iter()
            .map(|priority| format!("state.priority-{}", priority.as_str())),
    );
    keys.extend(
        [Mode::AtMostOnce, Mode::AtLeastOnce]
            .iter()
            .map(|mode| format!("state.mode-{}", mode.as_str())),
    );
    // What `loa verify` may find: its own two words, and those that the statement over contradictions yields.
    let sql = include_str!("../../src/store/sql/read.rs");
    let contradictions: Vec<_> = sql
        .split("THEN '")
        .skip(1)
        .filter_map(|rest| rest.split('\'').next())
        .collect();
    assert!(contradictions.len() >= 7, "{contradictions:?}");
    keys.extend(
        contradictions
            .into_iter()
            .chain(["missing", "overdue"])
            .map(|finding| format!("cli.finding-{finding}")),
    );
    let missing: Vec<_> = keys
        .into_iter()
        .filter(|key| !loa::catalogue::has(key))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
