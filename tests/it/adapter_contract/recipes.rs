//! Recipes for tests: those that loa ships, and one for each shape of receiver that none of them has.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, LazyLock},
};

use loa::{
    adapter::recipe::{CompiledRecipe, RecipeAdapter},
    domain::{
        channel::{AdapterConfig, Parameters},
        id::RecipeId,
        recipe::{
            Accepted, Body, Expected, Find, Match, ParameterSpec, Recipe, RequestSpec, StatusRange,
            Take, Value,
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
        anonymous: false,
        pieces: None,
    }
}

/// The least recipe: one call, every success accepted.
pub(super) fn plain(request: RequestSpec) -> Recipe {
    Recipe {
        id: RecipeId::parse("thu").unwrap(),
        title: "Thử".into(),
        parameters: BTreeMap::from([("url".to_owned(), ParameterSpec::default())]),
        values: Vec::new(),
        limits: Vec::new(),
        auth: None,
        steps: Vec::new(),
        confirm: None,
        find: None,
        request,
        accepted: Accepted::default(),
        errors: Vec::new(),
        probe: None,
        stop: None,
    }
}

pub(super) fn matching<const S: usize, const J: usize>(
    status: [&str; S],
    json: [(&str, &str); J],
) -> Match {
    let status = status.map(|text| StatusRange::parse(text).unwrap()).into();
    Match {
        status,
        json: json
            .map(|(pointer, text)| (pointer.to_owned(), Expected::Text(text.to_owned())))
            .into(),
        ..Match::default()
    }
}

/// The recipes that loa ships, as a workspace reads them: what is played here is what channels use.
pub(super) fn shipped() -> &'static BTreeMap<RecipeId, Recipe> {
    // Reading the whole library takes seconds.
    static SHIPPED: LazyLock<BTreeMap<RecipeId, Recipe>> = LazyLock::new(|| {
        let loaded = loa::source::load(Path::new(env!("CARGO_MANIFEST_DIR")));
        loaded.workspace.expect("the sample is good").recipes
    });
    &SHIPPED
}

pub(super) fn shipped_one(id: &str) -> Recipe {
    shipped().get(id).expect("the sample has it").clone()
}

/// A loudspeaker that says what it has done.
pub(super) fn loudspeaker() -> Recipe {
    shipped_one("loudspeaker-http")
}

/// A website that is asked first, and whose page is brought up to date when it is there.
pub(super) fn website() -> Recipe {
    shipped_one("wordpress")
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
            list: None,
            pages: None,
            take: BTreeMap::from([("receipt".to_owned(), Take::Json("/id".to_owned()))]),
            update: None,
        }),
        accepted: Accepted {
            when: Match::default(),
            receipt: Some(Take::Json("/id".into())),
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
        ("device", "LOA-HB-3"),
        ("files", "http://10.1.4.3/am-thanh"),
        ("files_password", "mat-khau-2"),
        ("play", "c=4"),
        ("stop", "c=8"),
        ("entity", "media_player.khoi_3"),
        ("session", "4"),
        ("priority", "5"),
        ("emergency", "1"),
        ("login", "http://10.1.4.3/login"),
        ("client", "ung-dung"),
        ("secret", "mat-khau-1"),
        ("key", "mat-khau-1"),
        ("refresh", "mat-khau-2"),
        ("player", "RINCON_1"),
        ("password", "mat-khau-2"),
        ("api", "/wp-json"),
        ("type", "article"),
        ("format", "basic_html"),
        ("category", "8"),
        ("site", "20121"),
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
        with: Parameters::default(),
    };
    let secrets = ["mat-khau-1", "mat-khau-2"]
        .map(|text| Secret::new(text.into()))
        .into();
    RecipeAdapter::new(&Arc::clone(&compiled), &channel(config), with, secrets).unwrap()
}
