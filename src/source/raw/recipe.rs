//! `channels/recipes/*.yaml`: adapters written as data.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Code, Phrase, Place},
    domain::{
        id::RecipeId,
        recipe::{
            Accepted, Body, ErrorRule, Find, Match, ParameterSpec, Part, Probe, Recipe,
            RequestSpec, StatusRange, Value as NamedValue, Verdict,
        },
    },
    source::{
        reader::{Fields, Value},
        text::Text,
    },
};

/// A recipe and every text in it by its path: `request.headers.Authorization`, `errors[0].then`.
#[derive(Debug)]
pub(crate) struct RawRecipe {
    /// The recipe.
    pub recipe: Recipe,
    /// Where to point for the recipe as a whole.
    pub at: Place,
    /// Its texts.
    pub texts: BTreeMap<String, Text>,
}

/// Reads the recipe `id`.
pub(crate) fn read(id: RecipeId, root: Value<'_>) -> Option<RawRecipe> {
    let mut texts = BTreeMap::new();
    root.texts("", &mut texts);
    root.map(|fields| {
        let title = fields.required("title");
        let recipe = Recipe {
            id,
            title: title.and_then(|value| value.words()).unwrap_or_default(),
            parameters: fields.or("parameters", BTreeMap::new(), parameters),
            values: fields.or("values", Vec::new(), values),
            find: fields.get("find").and_then(|value| value.map(find)),
            request: fields
                .required("request")
                .and_then(request)
                .unwrap_or_else(empty_request),
            stop: fields.get("stop").and_then(request),
            accepted: fields
                .get("accepted")
                .and_then(|value| value.map(accepted))
                .unwrap_or_default(),
            errors: fields.or("errors", Vec::new(), |value| {
                value.list(|value| value.map(error_rule))
            }),
            probe: fields.get("probe").and_then(|value| value.map(probe)),
        };
        RawRecipe {
            recipe,
            at: title.map_or_else(|| root.place(), |title| title.place()),
            texts,
        }
    })
}

fn empty_request() -> RequestSpec {
    RequestSpec {
        method: "GET".into(),
        url: String::new(),
        headers: BTreeMap::new(),
        body: Body::Empty,
    }
}

/// Whether templates can name a parameter so.
pub(crate) fn is_parameter_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
}

fn parameters(value: Value<'_>) -> Option<BTreeMap<String, ParameterSpec>> {
    let mut parameters = BTreeMap::new();
    for (name, value) in value.entries()? {
        if !is_parameter_name(name) {
            let diagnostic = crate::diagnostic::Diagnostic::new(Code::InvalidId, value.key_place())
                .with("text", name);
            value
                .notebook
                .report(diagnostic.help(Phrase::new("L017-help-parameter")));
        }
        let spec = value.map(|fields| ParameterSpec {
            about: fields.get("about").and_then(|value| value.words()),
            default: fields.get("default").and_then(|value| value.words()),
            secret: fields.or("secret", false, |value| value.boolean()),
        });
        parameters.insert(name.to_owned(), spec.unwrap_or_default());
    }
    Some(parameters)
}

/// `name: text` or `name: { json: … }`, in the order of the file.
fn values(value: Value<'_>) -> Option<Vec<(String, NamedValue)>> {
    let read = |value: Value<'_>| {
        if value.is_scalar() {
            return value.text().map(|text| NamedValue::Text(text.value));
        }
        value
            .map(|fields| {
                fields
                    .required("json")
                    .map(|json| NamedValue::Json(json.json()))
            })
            .flatten()
    };
    let entries = value.entries()?;
    Some(
        entries
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), read(value)?)))
            .collect(),
    )
}

fn request(value: Value<'_>) -> Option<RequestSpec> {
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"].map(|method| (method, method));
    value.map(|fields| {
        let method = fields
            .required("method")
            .and_then(|value| value.one_of(&methods));
        RequestSpec {
            method: method.unwrap_or("GET").to_owned(),
            url: fields
                .required("url")
                .and_then(|value| value.words())
                .unwrap_or_default(),
            headers: fields.or("headers", BTreeMap::new(), texts),
            body: fields.or("body", Body::Empty, body),
        }
    })
}

/// A map of texts.
fn texts(value: Value<'_>) -> Option<BTreeMap<String, String>> {
    let entries = value.entries()?;
    Some(
        entries
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.text()?.value)))
            .collect(),
    )
}

/// `audio`, or a map with one of the other sorts.
fn body(value: Value<'_>) -> Option<Body> {
    if value.is_scalar() {
        return value.one_of(&[("audio", ())]).map(|()| Body::Audio);
    }
    value
        .map(|fields| {
            let (json, form) = (fields.get("json"), fields.get("form"));
            let (text, multipart) = (fields.get("text"), fields.get("multipart"));
            match (json, form, text, multipart) {
                (Some(json), None, None, None) => Some(Body::Json(json.json())),
                (None, Some(form), None, None) => texts(form).map(Body::Form),
                (None, None, Some(text), None) => text.text().map(|text| Body::Text(text.value)),
                (None, None, None, Some(multipart)) => parts(multipart).map(Body::Multipart),
                _ => value.choose_one(&["json", "form", "text", "multipart"], "L019-help-body"),
            }
        })
        .flatten()
}

fn parts(value: Value<'_>) -> Option<BTreeMap<String, Part>> {
    let read = |value: Value<'_>| {
        if value.is_scalar() {
            return value.text().map(|text| Part {
                value: text.value,
                filename: None,
                media_type: None,
            });
        }
        value.map(|fields| Part {
            value: fields
                .required("value")
                .and_then(|value| value.text())
                .map(|text| text.value)
                .unwrap_or_default(),
            filename: fields.get("filename").and_then(|value| value.words()),
            media_type: fields.get("type").and_then(|value| value.words()),
        })
    };
    let entries = value.entries()?;
    Some(
        entries
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), read(value)?)))
            .collect(),
    )
}

/// The conditions among `fields`.
fn conditions(fields: &Fields<'_>) -> Match {
    let status = |value: Value<'_>| value.parsed(Code::BadStatus, "L037-help", StatusRange::parse);
    let statuses = |value: Value<'_>| {
        // One status is no list to most people.
        if value.is_scalar() {
            status(value).map(|range| vec![range])
        } else {
            value.list(status)
        }
    };
    let pointers = |value: Value<'_>| {
        let entries = value.entries()?;
        let mut pointers = BTreeMap::new();
        for (path, value) in entries {
            if is_pointer(path) {
                pointers.extend(value.text().map(|text| (path.to_owned(), text.value)));
            } else {
                let place = value.key_place();
                value.notebook.report(bad_pointer(path, place));
            }
        }
        Some(pointers)
    };
    Match {
        status: fields.or("status", Vec::new(), statuses),
        header: fields.or("header", BTreeMap::new(), texts),
        json: fields.or("json", BTreeMap::new(), pointers),
        text: fields
            .get("text")
            .and_then(|value| value.text())
            .map(|text| text.value),
    }
}

/// A JSON pointer (RFC 6901): empty, or parts that each begin with a slash.
fn is_pointer(text: &str) -> bool {
    text.is_empty() || text.starts_with('/')
}

fn bad_pointer(text: &str, place: Place) -> crate::diagnostic::Diagnostic {
    crate::diagnostic::Diagnostic::new(Code::BadPointer, place)
        .with("text", text)
        .help(Phrase::new("L056-help").with("pointer", format!("/{}", text.replace('.', "/"))))
}

fn pointer(value: Value<'_>) -> Option<String> {
    let text = value.text()?.value;
    if is_pointer(&text) {
        return Some(text);
    }
    value.notebook.report(bad_pointer(&text, value.place()));
    None
}

fn accepted(fields: &Fields<'_>) -> Accepted {
    Accepted {
        when: conditions(fields),
        receipt: fields.get("receipt").and_then(pointer),
    }
}

fn error_rule(fields: &Fields<'_>) -> ErrorRule {
    let verdicts = [
        ("retry", Verdict::Retry),
        ("reject", Verdict::Reject),
        ("unknown", Verdict::Unknown),
    ];
    let then = fields
        .required("then")
        .and_then(|value| value.one_of(&verdicts));
    ErrorRule {
        when: conditions(fields),
        then: then.unwrap_or(Verdict::Reject),
    }
}

fn find(fields: &Fields<'_>) -> Find {
    let matched = |name| {
        fields
            .required(name)
            .and_then(|value| value.map(conditions))
            .unwrap_or_default()
    };
    let take = |value: Value<'_>| {
        let entries = value.entries()?;
        Some(
            entries
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), pointer(value)?)))
                .collect(),
        )
    };
    Find {
        always: fields.or("when", false, |value| {
            value.one_of(&[("always", true), ("repeat", false)])
        }),
        request: fields
            .required("request")
            .and_then(request)
            .unwrap_or_else(empty_request),
        found: matched("found"),
        absent: matched("absent"),
        take: fields.or("take", BTreeMap::new(), take),
        update: fields.get("update").and_then(request),
    }
}

fn probe(fields: &Fields<'_>) -> Probe {
    let healthy = fields
        .get("healthy")
        .and_then(|value| value.map(conditions));
    Probe {
        request: fields
            .required("request")
            .and_then(request)
            .unwrap_or_else(empty_request),
        healthy: healthy.unwrap_or_default(),
    }
}
