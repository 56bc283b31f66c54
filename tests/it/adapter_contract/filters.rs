//! The filters that recipes have, as the description of the language lists them.

use std::collections::BTreeMap;

use loa::template::{FILTERS, Templates};
use serde_json::Map;

/// What stands in backquotes.
fn quoted(cell: &str) -> Vec<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(|part| part.replace("\\|", "|")).collect()
}

/// The rows of the table: filters with their settings, an example, and what it gives.
fn rows() -> Vec<(Vec<String>, String, String)> {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/adapter/recipe/LANGUAGE.md"
    ))
    .unwrap();
    let (_, section) = text.split_once("## Filters").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| `"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(" | ").collect();
            let [names, _, example, result] = cells[..] else {
                panic!("four cells: {line}")
            };
            (
                quoted(names),
                quoted(example).remove(0),
                quoted(result).remove(0),
            )
        })
        .collect()
}

#[test]
fn the_language_lists_every_filter_with_its_settings() {
    let mut listed = BTreeMap::new();
    for (names, _, _) in rows() {
        for name in names {
            let (name, settings) = match name.strip_suffix(')') {
                Some(name) => name.split_once('(').unwrap(),
                None => (name.as_str(), ""),
            };
            let settings = settings.split(", ").filter(|name| !name.is_empty());
            let settings: Vec<String> = settings.map(str::to_owned).collect();
            assert!(
                listed.insert(name.to_owned(), settings).is_none(),
                "{name} twice"
            );
        }
    }
    let known = FILTERS.iter().map(|(name, settings)| {
        let settings = settings.iter().map(|name| (*name).to_owned());
        ((*name).to_owned(), settings.collect::<Vec<_>>())
    });
    assert_eq!(listed, known.collect());
}

#[test]
fn every_filter_gives_what_the_language_says() {
    for (names, example, result) in rows() {
        let mut templates = Templates::new();
        templates.add("t", &format!("{{{{ {example} }}}}")).unwrap();
        let given = templates.render("t", &Map::new()).unwrap();
        assert_eq!(given, result, "{example}");
        let name = names[0].split('(').next().unwrap();
        assert!(
            example.contains(&format!("| {name}")),
            "{example} shows {name}"
        );
    }
}

/// A filter that is listed and not there would be a promise.
#[test]
fn every_filter_that_is_listed_is_there() {
    for (name, _) in FILTERS {
        let mut templates = Templates::new();
        templates
            .add("t", &format!("{{{{ 'a' | {name} }}}}"))
            .unwrap();
    }
}

#[test]
fn bytes_that_are_no_text_come_through() {
    for (template, result) in [
        // RFC 2202, test 3 and RFC 4231, test 4: keys and data that are no text.
        (
            "{{ 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd' | hmac_sha1(key='aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', key_from='hex', from='hex') }}",
            "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
        ),
        (
            "{{ 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd' | hmac_sha256(key='AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGQ', key_from='base64', from='hex') }}",
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
        ("{{ '//79' | hex(from='base64') }}", "fffefd"),
        ("{{ '__79' | base64(from='base64') }}", "//79"),
        ("{{ 'fffefd' | base64url(from='hex') }}", "__79"),
    ] {
        let mut templates = Templates::new();
        templates.add("t", template).unwrap();
        assert_eq!(
            templates.render("t", &Map::new()).unwrap(),
            result,
            "{template}"
        );
    }
    for wrong in [
        "{{ 'abc' | hex(from='hex') }}",
        "{{ 'xy' | hex(from='hex') }}",
        "{{ 'a' | hex(from='utf-16') }}",
        "{{ 'a?' | decode(from='base64') }}",
        "{{ 'ff' | decode(from='hex') }}",
        "{{ 'ff' | decode }}",
        "{{ 'a' | sha1(encoding='base32') }}",
        "{{ 'a' | utf16_hex(order='middle') }}",
    ] {
        let mut templates = Templates::new();
        templates.add("t", wrong).unwrap();
        assert!(templates.render("t", &Map::new()).is_err(), "{wrong}");
    }
}
