//! Recipes for tests, one for each shape that receivers have.

use std::{collections::BTreeMap, sync::Arc};

use loa::{
    adapter::recipe::{CompiledRecipe, RecipeAdapter},
    domain::{
        channel::AdapterConfig,
        id::RecipeId,
        recipe::{
            Accepted, Body, ErrorRule, Find, Match, ParameterSpec, Probe, Recipe, RequestSpec,
            StatusRange, Value, Verdict,
        },
        secret::Secret,
    },
};
use serde_json::json;

use super::{channel, map};

pub(super) fn request(method: &str, url: &str, body: Body) -> RequestSpec {
    RequestSpec {
        method: method.into(),
        url: url.into(),
        headers: BTreeMap::new(),
        body,
    }
}

/// The least recipe: one call, every success accepted.
pub(super) fn plain(request: RequestSpec) -> Recipe {
    Recipe {
        id: RecipeId::parse("thu").unwrap(),
        title: "Thử".into(),
        parameters: BTreeMap::from([("url".to_owned(), ParameterSpec::default())]),
        values: Vec::new(),
        find: None,
        request,
        accepted: Accepted::default(),
        errors: Vec::new(),
        probe: None,
    }
}

pub(super) fn matching<const S: usize, const J: usize>(
    status: [&str; S],
    json: [(&str, &str); J],
) -> Match {
    let status = status.map(|text| StatusRange::parse(text).unwrap()).into();
    Match {
        status,
        json: map(json),
        ..Match::default()
    }
}

fn rule<const S: usize>(status: [&str; S], then: Verdict) -> ErrorRule {
    ErrorRule {
        when: matching(status, []),
        then,
    }
}

fn bearer() -> BTreeMap<String, String> {
    map([("Authorization", "Bearer {{ with.token }}")])
}

/// A loudspeaker that says what it has done.
pub(super) fn loudspeaker() -> Recipe {
    let body = json!({
        "id": "{{ message.delivery }}",
        "text": "{{ message.text }}",
        "volume": { "$number": "{{ with.volume }}" },
        "until": "{{ message.deadline }}",
    });
    Recipe {
        parameters: ["url", "token", "volume"]
            .map(|name| (name.to_owned(), ParameterSpec::default()))
            .into(),
        accepted: Accepted {
            when: matching(["202"], [("/status", "queued")]),
            receipt: Some("/id".into()),
        },
        errors: vec![
            rule(["429", "503"], Verdict::Retry),
            rule(["400", "401"], Verdict::Reject),
            rule(["5xx"], Verdict::Unknown),
        ],
        probe: Some(Probe {
            request: RequestSpec {
                headers: bearer(),
                ..request("GET", "{{ with.url }}/api/status", Body::Empty)
            },
            healthy: matching(["200"], [("/state", "ready")]),
        }),
        ..plain(RequestSpec {
            headers: bearer(),
            ..request("POST", "{{ with.url }}/api/speak", Body::Json(body))
        })
    }
}

/// A website that is asked first, and whose page is brought up to date when it is there.
pub(super) fn website() -> Recipe {
    let page = || {
        Body::Json(json!({
            "title": "{{ message.title }}", "slug": "{{ message.slug }}", "content": "{{ message.html }}",
            "excerpt": "{{ message.summary }}",
        }))
    };
    let headers = || {
        map([(
            "Authorization",
            "Basic {{ (with.user ~ ':' ~ with.password) | base64 }}",
        )])
    };
    let with_headers = |request: RequestSpec| RequestSpec {
        headers: headers(),
        ..request
    };
    let question = "{{ with.url }}/posts?slug={{ message.slug | urlencode }}";
    Recipe {
        parameters: ["url", "user", "password"]
            .map(|name| (name.to_owned(), ParameterSpec::default()))
            .into(),
        find: Some(Find {
            always: true,
            request: with_headers(request("GET", question, Body::Empty)),
            found: matching(["200"], [("/0/id", "*")]),
            absent: matching(["200"], [("", "[]")]),
            take: map([("id", "/0/id")]),
            update: Some(with_headers(request(
                "POST",
                "{{ with.url }}/posts/{{ found.id }}",
                page(),
            ))),
        }),
        accepted: Accepted {
            when: matching(["200", "201"], [("/slug", "{{ message.slug }}")]),
            receipt: Some("/link".into()),
        },
        errors: vec![
            ErrorRule {
                when: matching(["404"], [("/code", "rest_post_invalid_id")]),
                then: Verdict::Retry,
            },
            rule(["429", "5xx"], Verdict::Retry),
            rule(["2xx", "4xx"], Verdict::Reject),
        ],
        ..plain(with_headers(request(
            "POST",
            "{{ with.url }}/posts",
            page(),
        )))
    }
}

/// A chat service that is asked on repetitions only, and where being there is being accepted.
pub(super) fn chat() -> Recipe {
    Recipe {
        find: Some(Find {
            always: false,
            request: request(
                "GET",
                "{{ with.url }}/messages/{{ message.delivery }}",
                Body::Empty,
            ),
            found: matching([], [("/id", "*")]),
            absent: matching(["404"], []),
            take: map([("receipt", "/id")]),
            update: None,
        }),
        accepted: Accepted {
            when: Match::default(),
            receipt: Some("/id".into()),
        },
        ..plain(request(
            "POST",
            "{{ with.url }}/messages",
            Body::Json(json!({ "text": "{{ message.text }}" })),
        ))
    }
}

/// A gateway that wants JSON in JSON in base64 in its address.
pub(super) fn gateway() -> Recipe {
    let command = json!({ "PacketType": 5, "Data": { "$json": { "Text": "{{ message.text }}" } } });
    Recipe {
        values: vec![
            ("command".into(), Value::Json(command)),
            (
                "envelope".into(),
                Value::Json(json!({ "$base64": { "DataType": 4, "Data": "{{ value.command }}" } })),
            ),
        ],
        ..plain(request(
            "GET",
            "{{ with.url }}/{{ value.envelope | urlencode }}",
            Body::Empty,
        ))
    }
}

pub(super) fn parameters() -> BTreeMap<String, String> {
    map([
        ("url", "http://10.1.4.3"),
        ("token", "mat-khau-1"),
        ("volume", "7"),
        ("user", "loa"),
        ("password", "mat-khau-2"),
    ])
}

pub(super) fn adapter(recipe: &Recipe) -> RecipeAdapter {
    adapter_with(recipe, &parameters())
}

pub(super) fn adapter_with(recipe: &Recipe, with: &BTreeMap<String, String>) -> RecipeAdapter {
    let compiled = CompiledRecipe::new(recipe).unwrap();
    compiled.trial(with).unwrap();
    let config = AdapterConfig::Recipe {
        recipe: recipe.id.clone(),
        with: BTreeMap::new(),
    };
    let secrets = ["mat-khau-1", "mat-khau-2"]
        .map(|text| Secret::new(text.into()))
        .into();
    RecipeAdapter::new(&Arc::clone(&compiled), &channel(config), with, secrets).unwrap()
}
