//! JSON Schemas of the files that people edit, for editors that complete and check while one writes.
//!
//! They are written here and not derived: the readers in `raw` take trees with places and not serde structs, so anything
//! to derive from would be a second mirror of the same files. `tests/it/schema.rs` holds both together, key by key.
//! Words such as kinds and priorities come from the domain, descriptions from the catalogue.

mod calls;
mod content;
mod exceptions;
mod places;
mod policy;

use serde_json::{Map, Value, json};

use crate::catalogue::{self, Lang};

/// The schema of one sort of file.
#[derive(Debug)]
pub struct Schema {
    /// The sort.
    pub name: &'static str,
    /// Which files it is for, as globs of the workspace; `!` takes files out again.
    pub files: &'static [&'static str],
    /// The schema: JSON Schema draft 7, which VS Code's YAML extension understands best.
    pub json: Value,
}

/// The schemas of all sorts of files, with descriptions in `lang`.
#[must_use]
pub fn all(lang: Lang) -> Vec<Schema> {
    let shape = Shape { lang };
    let schema = |name, files, json: Value| {
        let mut whole = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": shape.say(name),
        });
        if let (Some(whole), Value::Object(json)) = (whole.as_object_mut(), json) {
            whole.extend(json);
        }
        Schema {
            name,
            files,
            json: whole,
        }
    };
    vec![
        schema("loa", &["loa.yaml"], places::settings(&shape)),
        schema(
            "bulletin",
            &["content/bulletins/*.yaml"],
            content::bulletin(&shape),
        ),
        schema("topics", &["content/topics.yaml"], content::topics(&shape)),
        schema(
            "contacts",
            &["content/contacts.yaml"],
            content::contacts(&shape),
        ),
        schema("speech", &["content/speech.yaml"], content::speech(&shape)),
        schema("wards", &["channels/wards.yaml"], places::wards(&shape)),
        schema(
            "channels",
            &["channels/*.yaml", "!channels/wards.yaml"],
            places::channels(&shape),
        ),
        schema(
            "schedules",
            &[
                "schedules/*.yaml",
                "!schedules/policy.yaml",
                "!schedules/holidays.yaml",
            ],
            places::schedules(&shape),
        ),
        schema("policy", &["schedules/policy.yaml"], policy::policy(&shape)),
        schema(
            "holidays",
            &["schedules/holidays.yaml"],
            exceptions::holidays(&shape),
        ),
        schema(
            "recipe",
            &["channels/recipes/*.yaml"],
            calls::recipe(&shape),
        ),
    ]
}

/// A key of a map.
#[derive(Clone)]
struct Field {
    name: &'static str,
    required: bool,
    schema: Value,
}

/// A key that has to be there.
fn need(name: &'static str, schema: Value) -> Field {
    Field {
        name,
        required: true,
        schema,
    }
}

/// A key that may be there.
fn may(name: &'static str, schema: Value) -> Field {
    Field {
        name,
        required: false,
        schema,
    }
}

/// What schemas are made of.
struct Shape {
    lang: Lang,
}

impl Shape {
    fn say(&self, key: &str) -> String {
        catalogue::text(self.lang, &format!("schema.{key}"), &[])
    }

    /// A map whose keys we choose. `sort` is what its keys' descriptions are found by.
    fn object(&self, sort: &str, fields: Vec<Field>) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in fields {
            let key = format!("{sort}-{}", field.name.replace('_', "-"));
            let mut schema = field.schema;
            schema["description"] = self.say(&key).into();
            properties.insert(field.name.to_owned(), schema);
            if field.required {
                required.push(field.name);
            }
        }
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": properties,
            "required": required,
        })
    }

    /// A map of which exactly one key, or at least one key, of `names` has to be there.
    fn choice(&self, sort: &str, rule: &str, names: &[&str], fields: Vec<Field>) -> Value {
        let mut object = self.object(sort, fields);
        let ways = names.iter().map(|name| json!({ "required": [name] }));
        object[rule] = ways.collect();
        object
    }

    /// The document that something rests on.
    fn source(&self) -> Value {
        self.choice(
            "source",
            "oneOf",
            &["date", "month", "year"],
            vec![
                need("document", text()),
                may("date", date()),
                may("month", month()),
                may("year", integer(1945, 2100)),
            ],
        )
    }

    /// The days on which something holds.
    fn validity(&self) -> Value {
        self.object("valid", vec![may("from", date()), may("until", date())])
    }
}

/// A text. Numbers and booleans are taken as they are written.
fn text() -> Value {
    json!({ "type": ["string", "number", "boolean"], "pattern": "\\S" })
}

/// A reference to a secret or, where it is none, a text.
fn secret() -> Value {
    json!({ "type": "string", "pattern": "^(env|file):\\S" })
}

/// An id.
fn id() -> Value {
    json!({ "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$" })
}

/// A map whose keys are ids.
fn by_id(value: Value) -> Value {
    let mut map = by_name(value);
    map["propertyNames"] = id();
    map
}

/// A map whose keys people choose.
fn by_name(value: Value) -> Value {
    let mut map = json!({ "type": "object" });
    map["additionalProperties"] = value;
    map
}

/// A day.
fn date() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
}

/// A month.
fn month() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$" })
}

/// A length of time.
fn duration() -> Value {
    json!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$" })
}

/// A whole number.
fn integer(from: u64, to: u64) -> Value {
    json!({ "type": "integer", "minimum": from, "maximum": to })
}

/// A number.
fn number(from: f64, to: f64) -> Value {
    json!({ "type": "number", "minimum": from, "maximum": to })
}

/// One of a few words.
fn one_of(words: &[&str]) -> Value {
    json!({ "enum": words })
}

/// A list.
fn list(item: Value) -> Value {
    let mut list = json!({ "type": "array" });
    list["items"] = item;
    list
}

/// Any of these.
fn either(ways: &[Value]) -> Value {
    json!({ "anyOf": ways })
}
