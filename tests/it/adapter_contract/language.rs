//! The language of recipes: what they write, and what is wrong in them.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use loa::{
    adapter::{
        Adapter, Failure, Request, Step,
        recipe::{CompiledRecipe, RecipeAdapter, RecipeProblemKind},
        registry::{ChannelProblemKind, Registry},
    },
    domain::{
        audio::AudioFormat,
        bulletin::Priority,
        channel::{AdapterConfig, Channel, Parameter},
        delivery::Reason,
        id::{ChannelId, RecipeId},
        recipe::{
            Accepted, Body, ErrorRule, Expected, Field, Match, ParameterSpec, Part, PartValue,
            Probe, Recipe, RequestSpec, Take, Value, Verdict,
        },
        secret::{Secret, SecretRef},
    },
    template::TemplateErrorKind,
};
use serde_json::json;

use super::{
    channel, map, message,
    recipes::{adapter, adapter_with, chat, parameters, plain, request},
    sound, webhook,
};

fn first_request(recipe: &Recipe) -> Request {
    let Step::Call(request) = adapter(recipe).step(&message(), &[]) else {
        panic!()
    };
    request
}

fn header<'r>(request: &'r Request, name: &str) -> Vec<&'r str> {
    let named = request
        .headers
        .iter()
        .filter(|(given, _)| given.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_str()).collect()
}

fn body_of(body: Body) -> (String, String) {
    let mut recipe = plain(request("POST", "{{ with.url }}", body));
    recipe
        .parameters
        .insert("volume".into(), ParameterSpec::default());
    let request = first_request(&recipe);
    let media_type = header(&request, "content-type").join("|");
    (
        media_type,
        String::from_utf8(request.body.to_vec()).unwrap(),
    )
}

#[test]
fn json_bodies() {
    let body = json!({
        "plain": [1, true, null, "a"],
        "text": "{{ message.title }}",
        "number": { "$number": " {{ with.volume }} " },
        "fraction": { "$number": "0.{{ with.volume }}" },
        "inner": { "$json": { "b": "{{ message.title }}", "a": [1] } },
        "twice": { "$json": { "$json": "\"" } },
        "coded": { "$base64": "{{ message.ward_name }}" },
        "coded_json": { "$base64": { "a": 1 } },
        "coded_text_of_json": { "$base64": { "$json": { "a": 1 } } },
    });
    let (media_type, written) = body_of(Body::Json(body));
    assert_eq!(media_type, "application/json");
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(
        written,
        json!({
            "plain": [1, true, null, "a"],
            "text": "Cảnh giác \"cán bộ thuế\"",
            "number": 7,
            "fraction": 0.7,
            "inner": "{\"a\":[1],\"b\":\"Cảnh giác \\\"cán bộ thuế\\\"\"}",
            "twice": "\"\\\"\\\\\\\"\\\"\"",
            "coded": "cGjGsOG7nW5nIEjGsG5nIELDrG5o",
            "coded_json": "eyJhIjoxfQ==",
            "coded_text_of_json": "eyJhIjoxfQ==",
        })
    );
}

#[test]
fn sound_as_a_body() {
    let recipe = plain(request("PUT", "{{ with.url }}", Body::Audio));
    let adapter = adapter(&recipe);
    let mut message = message();
    let Step::Failed(Failure::Reject { reason, .. }) = adapter.step(&message, &[]) else {
        panic!("there is no sound");
    };
    assert_eq!(reason, Reason::Unwritable);
    let data = bytes::Bytes::from_static(b"OggS");
    let mut audio = sound(data.clone(), AudioFormat::Opus);
    audio.sound.length = Duration::from_secs(9);
    message.audio = Some(audio);
    let Step::Call(request) = adapter.step(&message, &[]) else {
        panic!("there is sound");
    };
    assert_eq!(request.body, data);
    assert_eq!(header(&request, "content-type"), ["audio/ogg; codecs=opus"]);
}

#[test]
fn other_bodies() {
    assert_eq!(body_of(Body::Empty), (String::new(), String::new()));
    let text = Body::Text("{{ message.title }}".into());
    assert_eq!(
        body_of(text),
        (
            "text/plain; charset=utf-8".into(),
            "Cảnh giác \"cán bộ thuế\"".into()
        )
    );
    let field = |name: &str, value: &str| Field {
        path: format!("form.{name}"),
        name: name.into(),
        value: value.into(),
    };
    let form = Body::Form(vec![
        field("a b", "1&2=3"),
        field("x", "{{ message.title }}"),
    ]);
    let expected = "a+b=1%262%3D3&x=C%E1%BA%A3nh+gi%C3%A1c+%22c%C3%A1n+b%E1%BB%99+thu%E1%BA%BF%22";
    assert_eq!(
        body_of(form),
        ("application/x-www-form-urlencoded".into(), expected.into())
    );
}

#[test]
fn multipart_bodies() {
    let part = |value: &str, filename: Option<&str>, media_type: Option<&str>| Part {
        value: PartValue::Text(value.into()),
        filename: filename.map(Into::into),
        media_type: media_type.map(Into::into),
    };
    let parts = BTreeMap::from([
        ("a\"b".to_owned(), part("{{ message.attempt }}", None, None)),
        (
            "tep".to_owned(),
            part(
                "{{ message.text }}",
                Some("{{ message.title }}\n.txt"),
                Some("text/plain\r\nX-A: b"),
            ),
        ),
    ]);
    let (media_type, body) = body_of(Body::Multipart(parts));
    let boundary = media_type
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    assert_eq!(boundary.len(), 32);
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"a%22b\"\r\n\r\n1\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"tep\"; filename=\"Cảnh giác %22cán bộ thuế%22%0A.txt\"\r\n\
         Content-Type: text/plainX-A: b\r\n\r\nThưa bà con,\nđừng bấm vào đường dẫn lạ.\r\n--{boundary}--\r\n"
    );
    assert_eq!(body, expected);
}

#[test]
fn headers_of_the_recipe_win() {
    let mut recipe = plain(request("POST", "{{ with.url }}", Body::Text("x".into())));
    let given = first_request(&recipe);
    assert_eq!(
        header(&given, "idempotency-key"),
        [message().delivery.as_str()]
    );
    recipe.request.headers = map([
        ("content-TYPE", "text/markdown"),
        ("idempotency-key", "{{ message.hash }}"),
    ]);
    let given = first_request(&recipe);
    assert_eq!(header(&given, "content-type"), ["text/markdown"]);
    assert_eq!(header(&given, "idempotency-key"), [message().hash.as_str()]);
}

#[test]
fn templates_see_exactly_what_is_promised() {
    let names = [
        ("message.text", "Thưa bà con,\nđừng bấm vào đường dẫn lạ."),
        ("message.title", "Cảnh giác \"cán bộ thuế\""),
        ("message.summary", ""),
        ("message.html", "<p>Đừng bấm</p>"),
        ("message.format", "script"),
        ("message.bulletin", "gia-danh-can-bo-thue"),
        ("message.ward", "hung-binh"),
        ("message.ward_name", "phường Hưng Bình"),
        ("message.delivery", "0123456789abcdefghjk"),
        ("message.due", "2024-03-24T22:30:00Z"),
        ("message.deadline", "2024-03-24T22:45:00Z"),
        ("message.attempt", "1"),
        ("message.priority", Priority::Priority.as_str()),
        ("channel.id", "kenh"),
        ("channel.name", "Kênh"),
        ("with.volume", "7"),
        ("value.first", "7!"),
        ("value.second", "7!7!"),
    ];
    for (name, expected) in names {
        let mut recipe = plain(request(
            "POST",
            "{{ with.url }}",
            Body::Text(format!("{{{{ {name} }}}}")),
        ));
        recipe
            .parameters
            .insert("volume".into(), ParameterSpec::default());
        recipe.values = vec![
            ("first".into(), Value::Text("{{ with.volume }}!".into())),
            (
                "second".into(),
                Value::Text("{{ value.first }}{{ value.first }}".into()),
            ),
        ];
        assert_eq!(first_request(&recipe).body, expected, "{name}");
    }
    let message = message();
    for (name, expected) in [
        ("message.hash", message.hash.as_str()),
        ("message.slug", &message.slug()),
    ] {
        let recipe = plain(request(
            "POST",
            "{{ with.url }}",
            Body::Text(format!("{{{{ {name} }}}}")),
        ));
        assert_eq!(first_request(&recipe).body, expected.to_owned());
    }
}

#[test]
fn every_mistake_is_found_at_once_and_where_it_is() {
    let body = json!({ "a": ["{{ message.tekst }}"], "b": { "$yaml": 1 }, "c": { "$json": 1, "d": 2 }, "e": { "$number": 1 } });
    let mut recipe = plain(RequestSpec {
        headers: map([("Host", "x"), ("Bad Name", "x"), ("Content-Length", "1")]),
        ..request("BREW", "{{ with.url", Body::Json(body))
    });
    recipe.accepted = Accepted {
        when: Match {
            json: ["slug", "/a~2"]
                .map(|pointer| (pointer.to_owned(), Expected::Text("x".into())))
                .into(),
            ..Match::default()
        },
        receipt: Some(Take::Json("id".into())),
    };
    recipe.errors = vec![ErrorRule {
        when: Match {
            text: Some("{{ message.title | shout }}".into()),
            ..Match::default()
        },
        then: Verdict::Reject,
        says: None,
        about: None,
        after: None,
    }];
    recipe.values = vec![("v".into(), Value::Json(json!({ "x": "{% if %}" })))];
    let problems = CompiledRecipe::new(&recipe).unwrap_err();
    let found: HashSet<String> = problems
        .iter()
        .map(|problem| problem.path.clone())
        .collect();
    let expected = [
        "request.method",
        "request.url",
        "request.headers.Host",
        "request.headers.Bad Name",
        "request.headers.Content-Length",
        "request.body.json.a[0]",
        "request.body.json.b.$yaml",
        "request.body.json.c.$json",
        "request.body.json.e.$number",
        "accepted.json.slug",
        "accepted.json./a~2",
        "accepted.receipt",
        "errors[0].text",
        "values.v.json.x",
    ];
    assert_eq!(found, expected.map(str::to_owned).into(), "{problems:#?}");
    let unknown = problems
        .iter()
        .find(|problem| problem.path == "errors[0].text")
        .unwrap();
    let RecipeProblemKind::Template(error) = &unknown.kind else {
        panic!("{unknown:?}")
    };
    assert_eq!(
        (error.line, error.column, &error.kind),
        (1, 20, &TemplateErrorKind::UnknownFilter("shout".into()))
    );
}

#[test]
fn names_that_nothing_fills_are_found_without_a_channel() {
    let body =
        json!({ "a": ["x", { "b": "{{ message.tekst }}" }], "n": { "$number": "{{ with.url }}" } });
    let mut recipe = plain(request(
        "POST",
        "{{ with.ulr }}/{{ found.id }}",
        Body::Json(body),
    ));
    recipe.request.headers = map([("X-A", "{{ channel.nam }}")]);
    recipe.errors = vec![ErrorRule {
        when: Match {
            header: [("x-b".to_owned(), Expected::Text("{{ nobody }}".into()))].into(),
            ..Match::default()
        },
        then: Verdict::Reject,
        says: None,
        about: None,
        after: None,
    }];
    let mut probe = request("GET", "{{ with.url }}/{{ message.ward }}", Body::Empty);
    probe.headers = map([("X-A", "{{ channel.name }}")]);
    recipe.probe = Some(Probe {
        request: probe,
        healthy: Match::default(),
    });
    let problems = CompiledRecipe::new(&recipe).unwrap_err();
    let paths: Vec<&str> = problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    let expected = [
        "errors[0].header.x-b",
        "probe.request.url",
        "request.body.json.a[1].b",
        "request.headers.X-A",
        "request.url",
        // The second name in the same text.
        "request.url",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn parameters_are_tried() {
    let body = Body::Json(json!({ "volume": { "$number": "{{ with.volume }}" } }));
    let mut recipe = plain(request("POST", "{{ with.url }}/a", body));
    recipe.request.headers = map([("X-A", "{{ with.note }}")]);
    for name in ["volume", "note"] {
        recipe
            .parameters
            .insert(name.into(), ParameterSpec::default());
    }
    let compiled = CompiledRecipe::new(&recipe).unwrap();
    let good = [
        ("url", "http://10.1.4.3"),
        ("volume", "7"),
        ("note", "xin chào"),
    ];
    assert_eq!(compiled.trial(&map(good)), Ok(()));
    for (name, value, path) in [
        ("url", "10.1.4.3", "request.url"),
        ("url", "ftp://10.1.4.3", "request.url"),
        ("url", "http://10.1.4.3/a b", "request.url"),
        ("url", "http://10.1.4.3/a\nb", "request.url"),
        ("volume", "to", "request.body.json.volume.$number"),
        ("note", "a\r\nX-B: c", "request.headers.X-A"),
    ] {
        let mut with = map(good);
        with.insert(name.into(), value.into());
        assert_eq!(
            compiled.trial(&with).unwrap_err().path,
            path,
            "{name}: {value}"
        );
    }
    let mut with = map(good);
    with.remove("note");
    assert_eq!(compiled.trial(&with).unwrap_err().path, "parameters.note");
    let refused = RecipeAdapter::new(
        &compiled,
        &channel(recipe_config("thu", [])),
        &with,
        Vec::new(),
    );
    assert_eq!(refused.unwrap_err().path, "parameters.note");
}

fn recipe_config<const N: usize>(recipe: &str, with: [(&str, Parameter); N]) -> AdapterConfig {
    let with = with
        .into_iter()
        .map(|(name, parameter)| (name.to_owned(), parameter))
        .collect();
    AdapterConfig::Recipe {
        recipe: RecipeId::parse(recipe).unwrap(),
        with,
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it is not there")]
struct NotThere;

#[test]
fn the_registry_builds_what_it_can_and_names_the_rest() {
    let url = || ("url", Parameter::Plain("http://10.1.4.3:8080".into()));
    let secret = |name: &str| SecretRef::Env(name.to_owned());
    let hook = |secrets: &[&str]| AdapterConfig::Webhook {
        url: "https://nhan.example/x".into(),
        secrets: secrets.iter().map(|name| secret(name)).collect(),
    };
    let mut broken = plain(request("POST", "{{ wiht.url }}", Body::Empty));
    broken.id = RecipeId::parse("hong").unwrap();
    let workspace = workspace(
        [chat(), broken],
        [
            ("a-good", recipe_config("thu", [url()])),
            (
                "b-secret",
                recipe_config("thu", [url(), ("x", Parameter::Secret(secret("NONE")))]),
            ),
            ("c-no-recipe", recipe_config("khac", [url()])),
            ("d-broken", recipe_config("hong", [url()])),
            ("e-parameter", recipe_config("thu", [])),
            ("f-hook", hook(&["NEW"])),
            ("g-hook-without", hook(&[])),
            ("h-hook-none", hook(&["NEW", "NONE"])),
        ],
    );
    let resolve = |reference: &SecretRef| match reference {
        SecretRef::Env(name) if name == "NEW" => Ok(Secret::new(webhook::NEW.into())),
        _ => Err(NotThere),
    };
    let (registry, problems) = Registry::new(&workspace, &resolve);
    let mut built: Vec<(&str, &str, &str)> = registry
        .iter()
        .map(|(id, adapter)| (id.as_str(), adapter.name(), adapter.host()))
        .collect();
    built.sort_unstable();
    assert_eq!(
        built,
        [
            ("a-good", "thu", "10.1.4.3:8080"),
            ("f-hook", "webhook", "nhan.example")
        ]
    );
    let found: Vec<(&str, &str)> = problems
        .iter()
        .map(|problem| {
            let kind = match &problem.kind {
                ChannelProblemKind::Secret { .. } => "secret",
                ChannelProblemKind::NoRecipe(_) => "no recipe",
                ChannelProblemKind::Recipe(_) => "recipe",
                ChannelProblemKind::Webhook(_) => "webhook",
                ChannelProblemKind::Address => "address",
                ChannelProblemKind::Email(_) => "email",
            };
            (problem.channel.as_str(), kind)
        })
        .collect();
    let expected = [
        ("b-secret", "secret"),
        ("c-no-recipe", "no recipe"),
        ("d-broken", "recipe"),
        ("e-parameter", "recipe"),
        ("g-hook-without", "webhook"),
        ("h-hook-none", "secret"),
    ];
    assert_eq!(found, expected);
}

fn workspace<const R: usize, const C: usize>(
    recipes: [Recipe; R],
    channels: [(&str, AdapterConfig); C],
) -> loa::domain::workspace::Workspace {
    let channels = channels.map(|(id, adapter)| {
        let id = ChannelId::parse(id).unwrap();
        (
            id.clone(),
            Channel {
                id,
                ..channel(adapter)
            },
        )
    });
    loa::domain::workspace::Workspace {
        lengths: loa::domain::airtime::Lengths::default(),
        policy: loa::domain::policy::Policy::default(),
        exceptions: loa::domain::exception::Exceptions::default(),
        revision: String::new(),
        settings: super::settings(),
        wards: BTreeMap::new(),
        topics: BTreeMap::new(),
        contacts: BTreeMap::new(),
        bulletins: BTreeMap::new(),
        templates: BTreeMap::new(),
        readings: Default::default(),
        recipes: recipes.map(|recipe| (recipe.id.clone(), recipe)).into(),
        channels: channels.into(),
        schedules: BTreeMap::new(),
        texts: BTreeMap::new(),
    }
}

#[test]
fn thousands_of_channels_share_one_recipe() {
    let recipe = chat();
    let compiled = CompiledRecipe::new(&recipe).unwrap();
    let with = parameters();
    let config = recipe_config("thu", []);
    let adapters: Vec<_> = (0..1000)
        .map(|_| {
            RecipeAdapter::new(&compiled, &channel(config.clone()), &with, Vec::new()).unwrap()
        })
        .collect();
    assert_eq!(std::sync::Arc::strong_count(&compiled), adapters.len() + 1);
    assert_eq!(adapter_with(&recipe, &with).host(), "10.1.4.3");
}
