//! What templates may do, what they may not, and where a mistake is said to be.

use super::*;

fn values() -> Map<String, Value> {
    let Value::Object(map) = serde_json::json!({
        "ward": {"name": "phường Hưng Bình", "short": "Hưng Bình"},
        "title": "đừng bấm vào đường dẫn lạ",
        "n": 3,
        "nothing": null,
    }) else {
        unreachable!()
    };
    map
}

fn render(text: &str) -> Result<String, TemplateError> {
    let mut templates = Templates::new();
    templates.add("t", text)?;
    templates.render("t", &values())
}

#[test]
fn filters() {
    for (text, expected) in [
        ("{{ title | upper_first }}", "Đừng bấm vào đường dẫn lạ"),
        ("{{ '' | upper_first }}", ""),
        ("{{ ward.short | urlencode }}", "H%C6%B0ng%20B%C3%ACnh"),
        (
            "{{ \"a-b._~/?&=+'\" | urlencode }}",
            "a-b._~%2F%3F%26%3D%2B%27",
        ),
        ("{{ n | urlencode }}", "3"),
        ("{{ 'user:pass' | base64 }}", "dXNlcjpwYXNz"),
        (
            "{{ ward | json_encode }}",
            r#"{"name":"phường Hưng Bình","short":"Hưng Bình"}"#,
        ),
        ("{{ 'a\"b' | json_encode }}", r#""a\"b""#),
        (
            "{{ 'abc' | sha256 }}",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        // As Python's own uuid5 has them.
        ("{{ 'abc' | uuid }}", "ea992653-4bf1-5b06-9671-2db2e3f1f50d"),
        (
            "{{ 'đường' | uuid }}",
            "b5360b08-5943-542e-b141-b29cf9a581aa",
        ),
        ("<{{ '<b> & \"' }}>", "<<b> & \">"),
        ("{{ nothing }}", ""),
        ("{% if absent %}a{% else %}b{% endif %}", "b"),
        ("{{ absent | default(value='x') }}", "x"),
    ] {
        assert_eq!(render(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn mistakes_are_where_they_are() {
    let undefined = |name: &str, available: &[&str]| TemplateErrorKind::UndefinedVariable {
        name: name.into(),
        available: available.iter().map(|&text| text.to_owned()).collect(),
    };
    let everything = ["n", "nothing", "title", "ward"];
    for (text, line, column, kind) in [
        (
            "Thưa bà con\nđường {{ tittle }}",
            2,
            10,
            undefined("tittle", &everything),
        ),
        ("{{ ward.nam }}", 1, 9, undefined("nam", &["name", "short"])),
        ("{{ tittle | upper }}", 1, 4, undefined("tittle", &[])),
        ("{{ tittle | json_encode }}", 1, 4, undefined("tittle", &[])),
        ("{{ ward.nam | urlencode }}", 1, 4, undefined("nam", &[])),
        (
            "đ {{ title | uper }}",
            1,
            14,
            TemplateErrorKind::UnknownFilter("uper".into()),
        ),
        (
            "\n{{ now() }}",
            2,
            4,
            TemplateErrorKind::UnknownFunction("now".into()),
        ),
        (
            "{{ get_env(name='HOME') }}",
            1,
            4,
            TemplateErrorKind::UnknownFunction("get_env".into()),
        ),
        (
            "{% if n is old %}{% endif %}",
            1,
            12,
            TemplateErrorKind::UnknownTest("old".into()),
        ),
        (
            "{% include 'x' %}",
            1,
            12,
            TemplateErrorKind::MissingInclude("x".into()),
        ),
        ("{{ title ", 1, 9, TemplateErrorKind::Syntax),
        ("a\n{{ | }}", 2, 4, TemplateErrorKind::Syntax),
        (
            "a\n{%- set_global x = 1 %}",
            2,
            1,
            TemplateErrorKind::Syntax,
        ),
        ("{{ ward | upper }}", 1, 4, TemplateErrorKind::Other),
    ] {
        let error = render(text).unwrap_err();
        assert_eq!(
            (error.line, error.column, &error.kind),
            (line, column, &kind),
            "{text}: {}",
            error.message
        );
        assert_eq!(error.template, "t");
        assert!(
            !error.message.contains('\n') && !error.message.is_empty(),
            "{text}: {}",
            error.message
        );
    }
}

#[test]
fn a_mistake_in_an_included_part_is_the_parts() {
    let mut templates = Templates::new();
    templates.add("part", "x\n  {{ nobody }}").unwrap();
    templates.add("whole", "{% include 'part' %}").unwrap();
    let error = templates.render("whole", &values()).unwrap_err();
    assert_eq!(
        (error.template.as_str(), error.line, error.column),
        ("part", 2, 6)
    );
    assert_eq!(
        templates.variables("whole"),
        BTreeSet::from(["nobody".to_owned()])
    );
}

#[test]
fn sizes_are_limited() {
    assert_eq!(
        render(&"x".repeat(TEMPLATE_LIMIT + 1)).unwrap_err().kind,
        TemplateErrorKind::TooLarge
    );
    let text = format!(
        "{{% for a in range(end=300) %}}{}{{% endfor %}}",
        "x".repeat(4_000)
    );
    assert_eq!(render(&text).unwrap_err().kind, TemplateErrorKind::TooLarge);
    assert_eq!(
        render(&"x".repeat(TEMPLATE_LIMIT)).map(|text| text.len()),
        Ok(TEMPLATE_LIMIT)
    );
}

#[test]
fn work_is_limited() {
    use TemplateErrorKind::{Syntax, TooLarge, TooManyPasses};
    for (text, column, kind) in [
        (
            "đ {% for a in range(end=9999) %}{% for b in range(end=9999) %}{% endfor %}{% endfor %}",
            33,
            TooManyPasses,
        ),
        (
            "{% for a in range(end=9) %}{% for b in [1,2,3,4,5,6,7,8,9] %}{% for c in [1,2,3,4,5,6,7,8,9] %}\
             {% for d in [1,2,3,4,5,6,7,8,9] %}{% for e in [1,2,3,4,5,6,7,8,9] %}\
             {% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
            130,
            TooManyPasses,
        ),
        ("{{ range(end=99999999999) | length }}", 4, TooManyPasses),
        (
            "{% set a = 'xxxxxxxx' %}{% for b in range(end=60) %}{% set a = a ~ a %}{{ a }}{% endfor %}",
            0,
            Syntax,
        ),
        (
            "{% set a = 'xxxxxxxx' %}{% set a = a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a %}\
             {% set a = a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a %}\
             {% set a = a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a %}",
            175,
            TooLarge,
        ),
        (
            "{% set a %}{% for b in range(end=999) %}Thưa bà con{% endfor %}{% endset %}",
            64,
            TooLarge,
        ),
        (
            "{% set a = [1] %}{% set a = [a, a, a, a, a, a, a, a, a, a] %}{% set a = [a, a, a, a, a, a, a, a, a, a] %}\
             {% set a = [a, a, a, a, a, a, a, a, a, a] %}",
            106,
            TooLarge,
        ),
        ("{{ [a for a in ward] }}", 1, Syntax),
    ] {
        match render(text) {
            // A loop's own variable is gone after each pass, so nothing grows.
            Ok(_) => assert_eq!(column, 0, "{text}"),
            Err(error) => {
                assert_eq!(
                    (error.column, &error.kind),
                    (column, &kind),
                    "{text}: {}",
                    error.message
                );
            }
        }
    }
    assert_eq!(
        render("{%- for a in range(start=3, end=0, step_by=-1) -%} {{ a }} {%- endfor -%} !")
            .as_deref(),
        Ok("321!")
    );
}

#[test]
fn no_mistake_hides_the_next_from_those_who_look_for_them() {
    let mut templates = Templates::new();
    let batch = [
        ("part", "{{ a.b }} {{ ward.nam }}"),
        (
            "whole",
            "{% include 'part' %}{{ x }} {{ ward.name } {{ }}\n{{ n | f }}{{ ward | upper }}{% include 'no' %}",
        ),
    ];
    let mut found =
        templates.add_all_mended(batch.map(|(name, text)| (name.to_owned(), text.to_owned())));
    let error = loop {
        match templates.render("whole", &values()) {
            Ok(words) => break words,
            Err(error) => {
                found.push(error.clone());
                assert!(templates.mend(&error) && found.len() < 20, "{error}");
            }
        }
    };
    let mut found: Vec<_> = found
        .iter()
        .map(|error| (error.template.as_str(), error.line, error.column))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("part", 1, 4),
            ("part", 1, 19),
            ("whole", 1, 24),
            ("whole", 1, 42),
            ("whole", 1, 47),
            ("whole", 2, 8),
            ("whole", 2, 15),
            ("whole", 2, 41),
        ]
    );
    assert!(error.contains(MENDED), "{error}");
}

/// The places of all mistakes of one template, in the order in which they are found.
fn places(text: &str) -> Vec<(usize, usize)> {
    let mut templates = Templates::new();
    let mut found = templates.add_all_mended([("t".to_owned(), text.to_owned())]);
    while let Err(error) = templates.render("t", &values()) {
        found.push(error.clone());
        if !templates.mend(&error) || found.len() > 20 {
            found.push(error);
            break;
        }
    }
    let place = |error: TemplateError| (error.line, error.column);
    found.into_iter().map(place).collect()
}

#[test]
fn tags_that_do_not_end_each_other_hide_nothing_and_invent_nothing() {
    let wrong: Vec<_> = [
        // Never ended.
        (
            "{{ a }}{% if ward.name %}\n{{ b }}",
            &[(2, 8), (1, 4), (2, 4)][..],
        ),
        (
            "{% for w in [12] %}{{ w }}\n{% if n %}{{ b }}{{ w }}",
            &[(2, 25), (2, 14)],
        ),
        ("{% raw %}{{ a }}\n", &[(1, 1)]),
        // Ended twice, or by another.
        (
            "{% if n %}{% endif %}{% endif %}{{ a }}",
            &[(1, 25), (1, 36)],
        ),
        (
            "{% for w in [12] %}{{ w }}{% endif %}{{ a }}",
            &[(1, 30), (1, 41)],
        ),
        (
            "{% if n %}{% for w in [12] %}{{ w }}{% endif %}{{ a }}",
            &[(1, 40), (1, 51)],
        ),
        (
            "{% if n %}{% for w in [12] %}{% endif %}{{ w }}{% endfor %}{{ a }}",
            &[(1, 33), (1, 63)],
        ),
        ("{% else %}{{ a }}", &[(1, 4), (1, 14)]),
        // Never closed.
        ("{{ a }} {{ ward['x }}\n{{ b }}", &[(1, 17), (1, 4), (2, 4)]),
        ("{{ a }} {# b {{ c }}", &[(1, 9), (1, 4)]),
        ("{{ a }} {{ n ", &[(1, 13), (1, 4)]),
        ("{{ a }} {% if n\n", &[(1, 16), (2, 1), (1, 4)]),
        // A tag that the engine does not know, and its end.
        (
            "{% wenn n %}{{ a }}{% endwenn %}{{ b }}",
            &[(1, 4), (1, 16), (1, 36)],
        ),
    ]
    .into_iter()
    .map(|(text, wanted)| (text, wanted, places(text)))
    .filter(|(_, wanted, found)| wanted != found)
    .collect();
    assert_eq!(wrong, []);
}

#[test]
fn all_mistakes_of_a_batch_are_reported_and_the_good_are_kept() {
    let mut templates = Templates::new();
    let batch = [
        ("broken", "{{ "),
        ("also-broken", "{% if %}"),
        ("filter", "{{ n | f }} {{ n | g }}"),
        ("good", "{% include 'part' %}!"),
        ("innocent", "{% include 'broken' %}"),
        ("its-user", "{% include 'innocent' %}"),
        ("lost", "{% include 'nowhere' %}"),
        ("part", "{{ n }}"),
    ];
    let errors = templates.add_all(batch.map(|(name, text)| (name.to_owned(), text.to_owned())));
    let mut found: Vec<_> = errors
        .iter()
        .map(|error| (error.template.as_str(), error.column))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("also-broken", 7),
            ("broken", 3),
            ("filter", 8),
            ("filter", 20),
            ("lost", 12)
        ]
    );
    assert_eq!(templates.render("good", &values()).as_deref(), Ok("3!"));
    assert!(
        templates.contains("part")
            && !templates.contains("innocent")
            && !templates.contains("its-user")
    );
    assert!(templates.render("innocent", &values()).is_err());
}

#[test]
fn circles_end() {
    let mut templates = Templates::new();
    let batch = [
        ("a", "{% include 'b' %}"),
        ("b", "{% include 'a' %}"),
        ("c", "fine"),
        ("d", "{% extends 'e' %}"),
    ];
    let errors = templates.add_all(batch.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(templates.contains("c"));
}
