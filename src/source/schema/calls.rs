//! `channels/recipes/`. The reader is in `raw/recipe.rs`.

use serde_json::{Value, json};

use crate::domain::recipe::{LARGEST_LIMIT, Unit};

use super::{Field, Shape, by_name, duration, either, list, may, need, one_of, text};

pub(super) fn recipe(shape: &Shape) -> Value {
    let parameter = shape.object(
        "parameter",
        vec![
            may("about", text()),
            may("default", text()),
            may("secret", json!({ "type": "boolean" })),
        ],
    );
    let value = either(&[text(), shape.object("value", vec![need("json", json!({}))])]);
    let mut accepted = conditions(shape);
    accepted.push(may("receipt", take(shape)));
    let mut error = conditions(shape);
    error.push(need(
        "then",
        one_of(&["retry", "reject", "account", "unknown", "renew"]),
    ));
    error.push(may("says", take(shape)));
    error.push(may("about", text()));
    error.push(may("after", either(&[duration(), take(shape)])));
    let errors = list(with_conditions(shape, "error", error));
    let poll = || {
        let count = json!({ "type": "integer", "minimum": 1, "maximum": 30 });
        shape.object("poll", vec![need("every", duration()), need("most", count)])
    };
    let account = || {
        shape.object(
            "account",
            vec![need("user", text()), need("password", text())],
        )
    };
    let auth = shape.choice(
        "auth",
        "oneOf",
        &["basic", "bearer", "digest"],
        vec![
            may("basic", account()),
            may("bearer", text()),
            may("digest", account()),
        ],
    );
    let question = || {
        vec![
            need("request", request(shape)),
            may("list", pointer()),
            need("found", shape.object("match", conditions(shape))),
            need("absent", shape.object("match", conditions(shape))),
            may("pages", pages(shape)),
            may("take", by_name(take(shape))),
        ]
    };
    let step = shape.object(
        "step",
        vec![
            may(
                "when",
                one_of(&["send", "always", "picture", "update", "create"]),
            ),
            may("find", shape.object("find", question())),
            need("request", request(shape)),
            may("accepted", shape.object("match", conditions(shape))),
            may("take", by_name(take(shape))),
            may("poll", poll()),
            may("errors", errors.clone()),
            may("valid_for", validity(shape)),
        ],
    );
    let confirm = vec![
        need("request", request(shape)),
        need("confirmed", shape.object("match", conditions(shape))),
        may("refuted", shape.object("match", conditions(shape))),
        may("poll", poll()),
        may("later", later(shape)),
    ];
    let mut find = question();
    find.push(may("when", one_of(&["always", "repeat"])));
    find.push(may("update", request(shape)));
    shape.object(
        "recipe",
        vec![
            need("title", text()),
            may("parameters", by_name(parameter)),
            may("values", by_name(value)),
            may("limits", limits(shape)),
            may("auth", auth),
            may("steps", by_name(step)),
            may("find", shape.object("find", find)),
            need("request", request(shape)),
            may("stop", request(shape)),
            may("accepted", with_conditions(shape, "accepted", accepted)),
            may("confirm", shape.object("confirm", confirm)),
            may("errors", errors),
            may("probe", probe(shape)),
        ],
    )
}

/// How much of the words a receiver takes.
fn limits(shape: &Shape) -> Value {
    let most = || json!({ "type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT });
    let units = Unit::ALL.map(|(name, _)| name);
    let counted = units.map(|name| may(name, most()));
    let limit = shape.choice("limit", "oneOf", &units, counted.into());
    let mut limits = by_name(either(&[most(), limit]));
    limits["propertyNames"] = json!({
        "type": "string",
        "pattern": "^(message\\.(text|spoken|title|summary|html)|value\\..+)$"
    });
    limits
}

/// How a list's pages are turned.
fn pages(shape: &Shape) -> Value {
    let next = shape.choice(
        "next",
        "oneOf",
        &["header", "pattern"],
        vec![
            may("header", text()),
            may("pattern", text()),
            may("rel", text()),
        ],
    );
    let most = json!({ "type": "integer", "minimum": 1, "maximum": 30 });
    shape.choice(
        "pages",
        "oneOf",
        &["more", "next"],
        vec![
            may("more", shape.object("match", conditions(shape))),
            may("next", either(&[pointer(), next])),
            need("most", most),
        ],
    )
}

/// "Are you alive?"
fn probe(shape: &Shape) -> Value {
    let question = vec![
        need("request", request(shape)),
        may("healthy", shape.object("match", conditions(shape))),
    ];
    shape.object("probe", question)
}

/// A length of time, or where an answer says it.
fn validity(shape: &Shape) -> Value {
    let told = vec![need("seconds", take(shape)), may("otherwise", duration())];
    either(&[duration(), shape.object("validity", told)])
}

/// How a device is asked afterwards.
fn later(shape: &Shape) -> Value {
    let times = vec![
        may("after", duration()),
        need("every", duration()),
        need("within", duration()),
    ];
    shape.object("later", times)
}

fn request(shape: &Shape) -> Value {
    let part = shape.choice(
        "part",
        "oneOf",
        &["value", "audio", "picture"],
        vec![
            may("value", text()),
            may("audio", json!({ "type": "boolean" })),
            may("picture", json!({ "type": "boolean" })),
            may("filename", text()),
            may("type", text()),
        ],
    );
    let body = shape.choice(
        "body",
        "oneOf",
        &["json", "form", "text", "multipart"],
        vec![
            may("json", json!({})),
            may("form", either(&[by_name(text()), list(by_name(text()))])),
            may("text", text()),
            may("multipart", by_name(either(&[text(), part]))),
        ],
    );
    let bytes = json!({ "type": "integer", "minimum": 1024, "maximum": 64 * 1024 * 1024 });
    let pieces = shape.object(
        "pieces",
        vec![
            need("bytes", bytes),
            may("accepted", shape.object("match", conditions(shape))),
            may("take", by_name(take(shape))),
        ],
    );
    shape.object(
        "request",
        vec![
            need("method", one_of(&["GET", "POST", "PUT", "PATCH", "DELETE"])),
            need("url", text()),
            may("headers", by_name(text())),
            may("body", either(&[one_of(&["audio", "picture"]), body])),
            may("auth", one_of(&["none"])),
            may("pieces", pieces),
        ],
    )
}

/// What an answer may be asked for.
fn conditions(shape: &Shape) -> Vec<Field> {
    let status = || json!({ "type": ["string", "integer"], "pattern": "^[1-5]([0-9]{2}|xx)$" });
    let expected = || {
        let pattern = shape.object("expected", vec![need("pattern", text())]);
        by_name(either(&[text(), pattern]))
    };
    let mut values = expected();
    values["propertyNames"] = pointer();
    vec![
        may("status", either(&[status(), list(status())])),
        may("header", expected()),
        may("json", values),
        may("text", text()),
        may("pattern", text()),
    ]
}

/// Where in an answer a value is.
fn take(shape: &Shape) -> Value {
    let place = shape.choice(
        "take",
        "oneOf",
        &["header", "cookie", "pattern"],
        vec![
            may("header", text()),
            may("cookie", text()),
            may("pattern", text()),
        ],
    );
    either(&[pointer(), place])
}

/// A map of conditions and of what is `sort`'s own.
fn with_conditions(shape: &Shape, sort: &str, fields: Vec<Field>) -> Value {
    let (common, own) = fields
        .into_iter()
        .partition(|field| ["status", "header", "json", "text", "pattern"].contains(&field.name));
    let mut object = shape.object(sort, own);
    let common = shape.object("match", common);
    if let (Some(all), Some(common)) = (
        object["properties"].as_object_mut(),
        common["properties"].as_object(),
    ) {
        all.extend(common.clone());
    }
    object
}

/// A JSON pointer (RFC 6901).
fn pointer() -> Value {
    json!({ "type": "string", "pattern": "^(/.*)?$" })
}
