//! Recipes that look for something by another name than they gave it, or bring something else up to date than they found.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::recipe::{Body, Find, PartValue, Recipe, RequestSpec, StepWhen, Value, leaves},
    source::{notebook::Notebook, raw::recipe::RawRecipe},
};

use super::{questions::texts_of, reach::names, recipes::place_at};

/// What tells one thing that is sent from all others, on every attempt. A page's name is made from its bulletin's.
const IDS: [&str; 4] = ["delivery", "hash", "slug", "bulletin"];

/// What is another on each attempt.
const CHANGING: [&str; 5] = ["nonce", "attempt", "sent_at", "sent_unix", "sent_unix_ms"];

/// What the next broadcast of the same bulletin has, too.
const LASTING: [&str; 9] = [
    "slug",
    "bulletin",
    "ward",
    "ward_name",
    "title",
    "text",
    "spoken",
    "html",
    "summary",
];

/// What the names of fields look like that are another one in every request, or prove who calls.
const FRESH: [&str; 7] = ["nonce", "time", "sign", "token", "date", "trace", "csrf"];

/// Filters that make a proof of a secret and what it is sent with.
const DIGESTS: [&str; 4] = ["sha", "md5", "hmac", "crc"];

pub(super) fn check(notebook: &Notebook, recipes: &[RawRecipe]) {
    for raw in recipes {
        // With stand-ins in it, it would be told mistakes that nobody made.
        if notebook.has_errors_in(raw.at.file.path()) {
            continue;
        }
        let Some(find) = &raw.recipe.find else {
            continue;
        };
        let tell = |code, path: &str, help: &'static str, name: &str| {
            let found = Diagnostic::new(code, place_at(raw, path)).with("name", name);
            notebook.report(found.help(Phrase::new(help)));
        };
        let recipe = &raw.recipe;
        if let Some(lost) = Lost::of(recipe, find) {
            let (name, help) = match &lost {
                Lost::Changing(name) => (name, "L298-help-changing"),
                Lost::Another(name) => (name, "L298-help"),
            };
            tell(Code::NeverFound, "find.found", help, name);
        } else if let Some(name) = new_each_time(recipe, find) {
            tell(Code::PageEachTime, "find.found", "L300-help", &name);
        }
        if let Some(update) = &find.update
            && !is_aimed(recipe, find, update)
        {
            tell(Code::UpdatesFixed, "find.update.url", "L299-help", "");
        }
    }
}

/// Something that is looked for and never found.
#[derive(Debug, PartialEq, Eq)]
enum Lost {
    /// By what is another on each attempt.
    Changing(String),
    /// By what the call does not carry.
    Another(String),
}

impl Lost {
    /// `Idempotency-Key` always goes along with the delivery in it, so what names nothing else may be looked for by that.
    fn of(recipe: &Recipe, find: &Find) -> Option<Self> {
        let asked = Said::of_request(recipe, &find.request);
        let found = Said::of_texts(recipe, texts_of(&find.found));
        if asked.has("idempot") || found.has("idempot") {
            return None;
        }
        let carried = Said::of_calls(recipe);
        let (asked, found, carried) = (asked.fields(), found.fields(), carried.fields());
        let sought: BTreeSet<&str> = asked.union(&found).copied().collect();
        let is_changing = |name: &&str| CHANGING.contains(name);
        let lasting: BTreeSet<&str> = sought.iter().copied().filter(|n| !is_changing(n)).collect();
        let full = |name: &str| format!("message.{name}");
        if lasting.is_empty() {
            let mut by = sought.iter().filter(|name| is_changing(name));
            let lost = by.find(|name| found.contains(*name) || carried.contains(*name))?;
            return Some(Self::Changing(full(lost)));
        }
        let is_carried = lasting.iter().any(|name| carried.contains(name));
        let mut ids = lasting.iter().filter(|name| IDS.contains(name));
        let sought = ids.next().filter(|_| !is_carried)?;
        let mut others = carried.iter();
        let is_called = others.any(|name| IDS.contains(name) || *name == "nonce");
        is_called.then(|| Self::Another(full(sought)))
    }
}

/// What a page is known by that the next broadcast of its bulletin does not have: each makes another page, a correction too.
fn new_each_time(recipe: &Recipe, find: &Find) -> Option<String> {
    find.update.as_ref()?;
    let asked = Said::of_request(recipe, &find.request);
    let found = Said::of_texts(recipe, texts_of(&find.found));
    let (asked, found) = (asked.fields(), found.fields());
    let sought: BTreeSet<&str> = asked.union(&found).copied().collect();
    let lasts = sought.iter().any(|name| LASTING.contains(name));
    let mut ids = sought.iter().filter(|name| IDS.contains(name));
    let name = ids.next().filter(|_| !lasts)?;
    Some(format!("message.{name}"))
}

/// Whether an update goes to what was found. Where nothing of a message is looked for, there is one thing only.
fn is_aimed(recipe: &Recipe, find: &Find, update: &RequestSpec) -> bool {
    let asked = Said::of_request(recipe, &find.request);
    let found = Said::of_texts(recipe, texts_of(&find.found));
    if (asked.fields().is_empty() && found.fields().is_empty()) || update.url == find.request.url {
        return true;
    }
    if goes_beside(recipe, update) {
        return false;
    }
    let address = Said::of_texts(recipe, vec![&update.url]);
    let all = Said::of_request(recipe, update);
    let is_named = |fields: &BTreeSet<&str>| fields.iter().any(|name| IDS.contains(name));
    // A form that was asked for before gives where it is sent to, or what it is about; a login gives neither.
    let mut steps = recipe.steps.iter();
    let is_given = steps.any(|(name, step)| {
        let name = format!("steps.{name}");
        step.when != StepWhen::Always && step.when != StepWhen::Picture && all.names(&name)
    });
    all.has("found.") || is_named(&address.fields()) || is_named(&all.fields()) || is_given
}

/// Whether a step before an update goes to `…/{{ found.id }}/…` and the update to `…/` with something else there, by which the receiver
/// does not know it.
fn goes_beside(recipe: &Recipe, update: &RequestSpec) -> bool {
    let mut steps = recipe.steps.iter();
    steps.any(|(_, step)| {
        let url = &step.request.url;
        let found = url
            .match_indices("{{")
            .find(|(at, _)| url[at + 2..].trim_start().starts_with("found."));
        let Some((at, _)) = found.filter(|_| step.when == StepWhen::Update) else {
            return false;
        };
        let rest = update.url.strip_prefix(&url[..at]);
        let rest = rest.filter(|rest| rest.starts_with("{{") && url[..at].ends_with('/'));
        let name = rest.map(|rest| rest[2..].trim_start());
        name.is_some_and(|name| name.starts_with("message."))
    })
}

/// The templates of a part of a recipe, and what they come from.
struct Said<'r> {
    texts: Vec<&'r str>,
}

impl<'r> Said<'r> {
    fn of_texts(recipe: &'r Recipe, texts: Vec<&'r str>) -> Self {
        let mut said = Self { texts };
        // A value may use those before it.
        for (name, value) in recipe.values.iter().rev() {
            if said.names(&format!("value.{name}")) {
                match value {
                    Value::Text(text) => said.texts.push(text),
                    Value::Json(json) => leaves(json, &mut said.texts),
                }
            }
        }
        said
    }

    fn of_request(recipe: &'r Recipe, request: &'r RequestSpec) -> Self {
        let mut texts = vec![request.url.as_str()];
        let mut add = |name: &str, text: &'r str| {
            let name = name.to_ascii_lowercase();
            if !FRESH.iter().any(|word| name.contains(word)) {
                texts.push(text);
            }
        };
        for (name, text) in &request.headers {
            add(name, text);
        }
        match &request.body {
            Body::Empty | Body::Audio | Body::Picture => {}
            Body::Json(json) => named_leaves("", json, &mut add),
            Body::Form(fields) => fields
                .iter()
                .for_each(|field| add(&field.name, &field.value)),
            Body::Text(text) => add("", text),
            Body::Multipart(parts) => {
                for (name, part) in parts {
                    if let PartValue::Text(text) = &part.value {
                        add(name, text);
                    }
                    part.filename.iter().for_each(|text| add(name, text));
                }
            }
        }
        let texts = texts.into_iter().filter(|text| !is_proof(recipe, text));
        let texts = texts.collect();
        Self::of_texts(recipe, texts)
    }

    /// Of all calls by which something is made.
    fn of_calls(recipe: &'r Recipe) -> Self {
        let steps = recipe.steps.iter().map(|(_, step)| &step.request);
        let calls = steps.chain([&recipe.request]);
        let texts = calls.flat_map(|call| Self::of_request(recipe, call).texts);
        Self {
            texts: texts.collect(),
        }
    }

    fn has(&self, word: &str) -> bool {
        self.texts.iter().any(|text| text.contains(word))
    }

    fn names(&self, name: &str) -> bool {
        self.texts.iter().any(|text| names(text, name))
    }

    /// The fields of `message` in them. A page's name is made from its bulletin's.
    fn fields(&self) -> BTreeSet<&'r str> {
        let mut fields = BTreeSet::new();
        for text in &self.texts {
            for (at, name) in text.match_indices("message.") {
                let rest = &text[at + name.len()..];
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                let field = &rest[..end.unwrap_or(rest.len())];
                fields.insert(if field == "bulletin" { "slug" } else { field });
            }
        }
        fields
    }
}

/// The texts of JSON by the name that they stand at.
fn named_leaves<'j>(name: &str, json: &'j Json, add: &mut impl FnMut(&str, &'j str)) {
    match json {
        Json::String(text) => add(name, text),
        Json::Array(items) => items.iter().for_each(|item| named_leaves(name, item, add)),
        Json::Object(map) => {
            for (own, item) in map {
                named_leaves(own, item, add);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// Whether all that a template gives is a digest with a secret in it, which nobody can find anything by.
fn is_proof(recipe: &Recipe, text: &str) -> bool {
    let has_secret = |text: &str| {
        let mut secrets = recipe.parameters.iter().filter(|(_, spec)| spec.secret);
        secrets.any(|(name, _)| names(text, &format!("with.{name}")))
    };
    let mut given = text.split("{{").skip(1).peekable();
    given.peek().is_some()
        && given.all(|given| {
            let given = given.split("}}").next().unwrap_or_default();
            DIGESTS.iter().any(|word| given.contains(word)) && has_secret(text)
        })
}
