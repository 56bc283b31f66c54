//! `channels/recipes/*.yaml`: adapters written as data.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use crate::{
    diagnostic::{Code, Phrase, Place},
    domain::{
        id::RecipeId,
        recipe::{
            Accepted, After, Auth, Body, ErrorRule, Expected, Field, LONGEST_LOGIN, Match,
            ParameterSpec, Part, PartValue, Pieces, Recipe, RequestSpec, StatusRange, StepSpec,
            StepWhen, Take, Validity, Value as NamedValue, Verdict,
        },
        retry::LONGEST_WISH,
    },
    source::{
        reader::{Fields, Value},
        text::Text,
    },
};

mod limits;
mod question;

use limits::limits;
use question::{confirm, find, poll, probe, sought};

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
            limits: fields.or("limits", Vec::new(), limits),
            auth: fields.get("auth").and_then(auth),
            steps: fields.or("steps", Vec::new(), steps),
            find: fields.get("find").and_then(|value| value.map(find)),
            request: required_request(fields),
            stop: fields.get("stop").and_then(request),
            accepted: fields
                .get("accepted")
                .and_then(|value| value.map(accepted))
                .unwrap_or_default(),
            confirm: fields.get("confirm").and_then(|value| value.map(confirm)),
            errors: error_rules(fields),
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
        anonymous: false,
        pieces: None,
    }
}

fn auth(value: Value<'_>) -> Option<Auth> {
    let pair = |value: Value<'_>| {
        value.map(|fields| {
            let text = |name| {
                let value = fields.required(name);
                value.and_then(|value| value.words()).unwrap_or_default()
            };
            (text("user"), text("password"))
        })
    };
    value
        .map(|fields| {
            let (basic, bearer) = (fields.get("basic"), fields.get("bearer"));
            match (basic, bearer, fields.get("digest")) {
                (Some(basic), None, None) => {
                    let (user, password) = pair(basic)?;
                    Some(Auth::Basic { user, password })
                }
                (None, Some(token), None) => token.words().map(Auth::Bearer),
                (None, None, Some(digest)) => {
                    let (user, password) = pair(digest)?;
                    Some(Auth::Digest { user, password })
                }
                _ => value.choose_one(&["basic", "bearer", "digest"], "L019-help-auth"),
            }
        })
        .flatten()
}

/// Calls by name, in the order of the file. Templates name them.
fn steps(value: Value<'_>) -> Option<Vec<(String, StepSpec)>> {
    let mut steps = Vec::new();
    for (name, value) in value.entries()? {
        check_name(name, &value);
        let step = value.map(|fields| StepSpec {
            when: fields.or("when", StepWhen::Send, |value| {
                value.one_of(&[
                    ("send", StepWhen::Send),
                    ("always", StepWhen::Always),
                    ("picture", StepWhen::Picture),
                    ("update", StepWhen::Update),
                    ("create", StepWhen::Create),
                ])
            }),
            find: fields.get("find").and_then(|value| value.map(sought)),
            request: required_request(fields),
            accepted: fields
                .get("accepted")
                .and_then(|value| value.map(conditions))
                .unwrap_or_default(),
            take: fields.or("take", BTreeMap::new(), takes),
            poll: fields.get("poll").and_then(poll),
            errors: error_rules(fields),
            valid_for: fields.get("valid_for").and_then(validity),
        });
        steps.extend(step.map(|step| (name.to_owned(), step)));
    }
    Some(steps)
}

/// A length of time, or where the answer has one.
fn validity(value: Value<'_>) -> Option<Validity> {
    let time = |value: Value<'_>| value.duration_in(Duration::from_secs(1)..=LONGEST_LOGIN);
    if value.is_scalar() {
        return time(value).map(Validity::Time);
    }
    value
        .map(|fields| {
            let otherwise = fields.get("otherwise").and_then(time);
            let seconds = fields.required("seconds").and_then(take)?;
            Some(Validity::Answer { seconds, otherwise })
        })
        .flatten()
}

fn required_request(fields: &Fields<'_>) -> RequestSpec {
    fields
        .required("request")
        .and_then(request)
        .unwrap_or_else(empty_request)
}

/// Names to where the values are.
fn takes(value: Value<'_>) -> Option<BTreeMap<String, Take>> {
    let mut takes = BTreeMap::new();
    for (name, value) in value.entries()? {
        check_name(name, &value);
        takes.extend(take(value).map(|take| (name.to_owned(), take)));
    }
    Some(takes)
}

/// A JSON pointer, `{ header: NAME }`, `{ cookie: NAME }` or `{ pattern: REGULAR EXPRESSION }`.
fn take(value: Value<'_>) -> Option<Take> {
    if value.is_scalar() {
        return pointer(value).map(Take::Json);
    }
    let keys = ["header", "cookie", "pattern"];
    value
        .map(|fields| match keys.map(|key| fields.get(key)) {
            [Some(header), None, None] => header.words().map(Take::Header),
            [None, Some(cookie), None] => cookie.words().map(Take::Cookie),
            [None, None, Some(pattern)] => pattern.text().map(|text| Take::Pattern(text.value)),
            _ => value.choose_one(&keys, "L019-help-take"),
        })
        .flatten()
}

/// Reports a name that no template could name.
fn check_name(name: &str, value: &Value<'_>) {
    if !is_parameter_name(name) {
        let diagnostic = crate::diagnostic::Diagnostic::new(Code::InvalidId, value.key_place())
            .with("text", name);
        value
            .notebook
            .report(diagnostic.help(Phrase::new("L017-help-parameter")));
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
        check_name(name, &value);
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
            anonymous: fields.or("auth", false, |value| value.one_of(&[("none", true)])),
            pieces: fields.get("pieces").and_then(|value| value.map(pieces)),
        }
    })
}

/// The bytes of a piece.
const PIECE: RangeInclusive<u64> = 1024..=64 * 1024 * 1024;

fn pieces(fields: &Fields<'_>) -> Pieces {
    let bytes = fields.required("bytes");
    let bytes = bytes.and_then(|value| value.integer(PIECE));
    Pieces {
        bytes: bytes.unwrap_or(*PIECE.end()),
        accepted: fields
            .get("accepted")
            .and_then(|value| value.map(conditions))
            .unwrap_or_default(),
        take: fields.or("take", BTreeMap::new(), takes),
    }
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

/// `audio` or `picture`, or a map with one of the other sorts.
fn body(value: Value<'_>) -> Option<Body> {
    if value.is_scalar() {
        let is_picture = value.one_of(&[("audio", false), ("picture", true)])?;
        return Some(if is_picture {
            Body::Picture
        } else {
            Body::Audio
        });
    }
    value
        .map(|fields| {
            let (json, form) = (fields.get("json"), fields.get("form"));
            let (text, multipart) = (fields.get("text"), fields.get("multipart"));
            match (json, form, text, multipart) {
                (Some(json), None, None, None) => Some(Body::Json(json.json())),
                (None, Some(form), None, None) => form_fields(form).map(Body::Form),
                (None, None, Some(text), None) => text.text().map(|text| Body::Text(text.value)),
                (None, None, None, Some(multipart)) => parts(multipart).map(Body::Multipart),
                _ => value.choose_one(&["json", "form", "text", "multipart"], "L019-help-body"),
            }
        })
        .flatten()
}

/// A map, whose fields go out by their names, or a list of maps, which keeps its order and may repeat a name.
fn form_fields(value: Value<'_>) -> Option<Vec<Field>> {
    let read = |at: &str, value: Value<'_>| {
        let mut fields = Vec::new();
        for (name, value) in value.entries()? {
            fields.extend(value.text().map(|text| Field {
                path: format!("{at}.{name}"),
                name: name.to_owned(),
                value: text.value,
            }));
        }
        Some(fields)
    };
    if !value.is_list() {
        let mut fields = read("form", value)?;
        fields.sort_by(|one, other| one.name.cmp(&other.name));
        return Some(fields);
    }
    let mut index = 0;
    let fields = value.list(|value| {
        let fields = read(&format!("form[{index}]"), value);
        index += 1;
        fields
    });
    fields.map(|fields| fields.concat())
}

fn parts(value: Value<'_>) -> Option<BTreeMap<String, Part>> {
    let read = |value: Value<'_>| {
        if value.is_scalar() {
            return value.text().map(|text| Part {
                value: PartValue::Text(text.value),
                filename: None,
                media_type: None,
            });
        }
        value.map(|fields| Part {
            value: match (
                fields.get("value"),
                fields.get("audio"),
                fields.get("picture"),
            ) {
                (Some(value), None, None) => {
                    let text = value.text();
                    PartValue::Text(text.map(|text| text.value).unwrap_or_default())
                }
                (None, Some(audio), None) => {
                    audio.boolean();
                    PartValue::Audio
                }
                (None, None, Some(picture)) => {
                    picture.boolean();
                    PartValue::Picture
                }
                _ => value
                    .choose_one(&["value", "audio", "picture"], "L019-help-part")
                    .unwrap_or(PartValue::Audio),
            },
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
                pointers.extend(expected(value).map(|expected| (path.to_owned(), expected)));
            } else {
                let place = value.key_place();
                value.notebook.report(bad_pointer(path, place));
            }
        }
        Some(pointers)
    };
    let headers = |value: Value<'_>| {
        let entries = value.entries()?.into_iter();
        let read = entries.filter_map(|(name, value)| Some((name.to_owned(), expected(value)?)));
        Some(read.collect())
    };
    Match {
        status: fields.or("status", Vec::new(), statuses),
        header: fields.or("header", BTreeMap::new(), headers),
        json: fields.or("json", BTreeMap::new(), pointers),
        text: fields
            .get("text")
            .and_then(|value| value.text())
            .map(|text| text.value),
        pattern: fields
            .get("pattern")
            .and_then(|value| value.text())
            .map(|text| text.value),
    }
}

/// A text, or `{ pattern: REGULAR EXPRESSION }`.
fn expected(value: Value<'_>) -> Option<Expected> {
    if value.is_scalar() {
        return value.text().map(|text| Expected::Text(text.value));
    }
    let pattern = value.map(|fields| fields.required("pattern").and_then(|value| value.text()));
    Some(Expected::Pattern(pattern??.value))
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
        receipt: fields.get("receipt").and_then(take),
    }
}

fn error_rules(fields: &Fields<'_>) -> Vec<ErrorRule> {
    fields.or("errors", Vec::new(), |value| {
        value.list(|value| value.map(error_rule))
    })
}

fn error_rule(fields: &Fields<'_>) -> ErrorRule {
    let verdicts = [
        ("retry", Verdict::Retry),
        ("reject", Verdict::Reject),
        ("account", Verdict::Account),
        ("unknown", Verdict::Unknown),
        ("renew", Verdict::Renew),
    ];
    let then = fields
        .required("then")
        .and_then(|value| value.one_of(&verdicts));
    ErrorRule {
        when: conditions(fields),
        then: then.unwrap_or(Verdict::Reject),
        says: fields.get("says").and_then(take),
        about: fields.get("about").and_then(|value| value.words()),
        after: fields.get("after").and_then(after),
    }
}

/// A length of time, or where the answer has one.
fn after(value: Value<'_>) -> Option<After> {
    if value.is_scalar() && !value.text()?.value.starts_with('/') {
        let time = value.duration_in(Duration::from_secs(1)..=LONGEST_WISH);
        return time.map(After::Time);
    }
    take(value).map(After::Answer)
}
