//! Recipes whose calls are not what their keys take them for: questions that may do something, or that show nothing of whether the
//! channel's account is good; pages and pictures that are not found again; and parameters that are secret and not marked so.

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::recipe::{
        Auth, Body, Expected, Match, PartValue, Recipe, RequestSpec, StepWhen, Value, leaves,
    },
    source::{notebook::Notebook, raw::recipe::RawRecipe, reader::is_secret_name},
};

use super::{
    reach::{carried, names, requests},
    recipes::place_at,
};

/// What tells a bulletin's page, or a delivery, from all others. A value may hold any of them.
const NAMES: [&str; 5] = [
    "message.slug",
    "message.delivery",
    "message.hash",
    "message.bulletin",
    "value.",
];

/// What several articles may have in common.
const TITLE: &str = "message.title";

/// Headers in which a caller proves who it is.
pub(super) const PROOFS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "x-auth-token",
    "x-access-token",
];

pub(super) fn check(notebook: &Notebook, recipes: &[RawRecipe]) {
    for raw in recipes {
        // With stand-ins in it, it would be told mistakes that nobody made.
        if notebook.has_errors_in(raw.at.file.path()) {
            continue;
        }
        let tell = |code, path: &str, help, names: &[(&'static str, &str)]| {
            let found = Diagnostic::new(code, place_at(raw, path));
            let told = names.iter();
            let found = told.fold(found, |found, (name, value)| found.with(name, *value));
            notebook.report(found.help(Phrase::new(help)));
        };
        for (path, request) in requests(&raw.recipe) {
            if is_question(&path) && may_act(request) {
                let method = request.method.as_str();
                let at = format!("{path}.method");
                let help = match method {
                    "POST" => "L282-help",
                    _ => "L282-help-method",
                };
                tell(Code::ActingQuestion, &at, help, &[("method", method)]);
            }
        }
        let stop = raw.recipe.stop.as_ref();
        if stop.is_some_and(|stop| plays(stop, &raw.recipe.request)) {
            tell(Code::StopPlays, "stop.url", "L302-help", &[]);
        }
        if !is_proven(&raw.recipe) {
            tell(Code::UnprovenProbe, "probe.request.url", "L283-help", &[]);
        }
        if let Some(find) = &raw.recipe.find {
            let asks = find.request.texts();
            if find.pages.is_none() && asks.iter().any(|text| turns(text)) {
                tell(Code::OnePage, "find.request.url", "L284-help", &[]);
            }
            let mut told = asks;
            told.extend(texts_of(&find.found));
            let has = |name: &str| told.iter().any(|text| text.contains(name));
            if has(TITLE) && !NAMES.iter().any(|name| has(name)) {
                tell(Code::FoundByTitle, "find.found", "L287-help", &[]);
            }
        }
        for (path, request) in requests(&raw.recipe) {
            if let Some(name) = spoken_secret(&raw.recipe, request) {
                let at = format!("{path}.body");
                tell(Code::SecretInWords, &at, "L291-help", &[("name", &name)]);
            }
        }
        for name in open_secrets(&raw.recipe) {
            let at = format!("parameters.{name}");
            tell(Code::OpenSecret, &at, "L285-help", &[("name", &name)]);
        }
        for (name, step) in &raw.recipe.steps {
            let adds = step.request.method == "POST" && step.find.is_none();
            if adds && step.request.body.has_picture() {
                let at = format!("steps.{name}.request");
                tell(Code::PictureAgain, &at, "L288-help", &[("step", name)]);
            }
        }
    }
}

/// Whether what is called there is only to be asked.
fn is_question(path: &str) -> bool {
    let keys: Vec<&str> = path.split('.').collect();
    // A step may be called like a question.
    matches!(
        keys.as_slice(),
        ["find" | "confirm" | "probe", "request"] | ["steps", _, "find", "request"]
    )
}

/// Whether a device would rather do something than answer: a question is a GET, or says in its body what it asks.
fn may_act(request: &RequestSpec) -> bool {
    match request.method.as_str() {
        "PUT" | "PATCH" | "DELETE" => true,
        "POST" => request.body == Body::Empty,
        _ => false,
    }
}

/// Whether a request shows that somebody is who may call: with a secret, by digest, or by what a step got for one.
fn proves(recipe: &Recipe, request: &RequestSpec) -> bool {
    let is_digest = matches!(recipe.auth, Some(Auth::Digest { .. })) && !request.anonymous;
    is_digest
        || carried(recipe, request).iter().any(|name| {
            let step = name.strip_prefix("steps.");
            step.is_none_or(|step| {
                let mut steps = recipe.steps.iter();
                let step = steps.find(|(name, _)| name == step);
                // A step can only use those before it.
                step.is_some_and(|(_, step)| proves(recipe, &step.request))
            })
        })
}

/// Whether the question of a recipe whose requests prove who calls does so too: else a password that is wrong is found out by the first
/// broadcast. What logs in does so before a question as well.
fn is_proven(recipe: &Recipe) -> bool {
    let Some(probe) = &recipe.probe else {
        return true;
    };
    let mut steps = recipe.steps.iter();
    let logs_in =
        steps.any(|(_, step)| step.when == StepWhen::Always && proves(recipe, &step.request));
    logs_in || proves(recipe, &probe.request) || !proves(recipe, &recipe.request)
}

/// Whether a text has the number of the page in it, and not a field of that name.
fn turns(text: &str) -> bool {
    text.split("{{").skip(1).any(|filled| {
        let inside = filled.split("}}").next().unwrap_or_default();
        let words = inside.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
        words.into_iter().any(|word| word == "page")
    })
}

/// What an answer has to say, as far as it is a template.
pub(super) fn texts_of(wanted: &Match) -> Vec<&str> {
    let values = wanted.json.values().chain(wanted.header.values());
    let texts = values.filter_map(|expected| match expected {
        Expected::Text(text) => Some(text.as_str()),
        Expected::Pattern(_) => None,
    });
    texts.chain(wanted.text.as_deref()).collect()
}

/// Words that people read or hear.
const WORDS: [&str; 5] = [
    "message.text",
    "message.spoken",
    "message.html",
    "message.title",
    "message.summary",
];

/// Whether a call says nothing that the one that plays does not say as well.
fn plays(stop: &RequestSpec, request: &RequestSpec) -> bool {
    let says_no_more = match (&stop.body, &request.body) {
        (Body::Json(stop), Body::Json(request)) => match (stop.as_object(), request.as_object()) {
            (Some(stop), Some(request)) => {
                let mut values = stop.iter();
                values.all(|(name, value)| request.get(name) == Some(value))
            }
            _ => stop == request,
        },
        (Body::Form(stop), Body::Form(request)) => stop.iter().all(|field| {
            let mut fields = request.iter();
            fields.any(|known| (&known.name, &known.value) == (&field.name, &field.value))
        }),
        (stop, request) => stop == request,
    };
    stop.method == request.method && stop.url == request.url && says_no_more
}

/// Filters that make a proof of words and a secret.
const DIGESTS: [&str; 3] = ["sha", "md5", "hmac"];

/// The secret that stands in one value with the words, for everybody to read or hear. A whole text or an address has several values.
fn spoken_secret(recipe: &Recipe, request: &RequestSpec) -> Option<String> {
    let mut texts = Vec::new();
    match &request.body {
        Body::Json(json) => leaves(json, &mut texts),
        Body::Form(fields) => texts.extend(fields.iter().map(|field| field.value.as_str())),
        Body::Multipart(parts) => {
            texts.extend(parts.values().filter_map(|part| match &part.value {
                PartValue::Text(text) => Some(text.as_str()),
                PartValue::Audio | PartValue::Picture => None,
            }));
        }
        // The elements and attributes of XML are values of their own.
        Body::Text(text) if text.trim_start().starts_with('<') => {
            texts.extend(text.split(['<', '>', '"']));
        }
        Body::Empty | Body::Text(_) | Body::Audio | Body::Picture => {}
    }
    let is_said = |text: &&str| {
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        has(&WORDS) && !has(&DIGESTS)
    };
    let said: Vec<&str> = texts.into_iter().filter(is_said).collect();
    let mut secrets = recipe.parameters.iter().filter(|(_, spec)| spec.secret);
    secrets.find_map(|(name, _)| {
        let name = format!("with.{name}");
        said.iter().any(|text| names(text, &name)).then_some(name)
    })
}

/// Parameters by which a caller proves who it is, and which anybody may read: those that are called so, and those that stand where
/// nothing else is secret.
fn open_secrets(recipe: &Recipe) -> Vec<String> {
    let mut proofs: Vec<Vec<&str>> = Vec::new();
    for (_, request) in requests(recipe) {
        let headers = request.headers.iter();
        let headers =
            headers.filter(|(name, _)| PROOFS.iter().any(|known| name.eq_ignore_ascii_case(known)));
        proofs.extend(headers.map(|(_, text)| vec![text.as_str()]));
    }
    match &recipe.auth {
        Some(Auth::Basic { password, .. } | Auth::Digest { password, .. }) => {
            proofs.push(vec![password]);
        }
        Some(Auth::Bearer(token)) => proofs.push(vec![token]),
        None => {}
    }
    for proof in &mut proofs {
        for (name, value) in recipe.values.iter().rev() {
            let name = format!("value.{name}");
            if proof.iter().any(|text| names(text, &name)) {
                match value {
                    Value::Text(text) => proof.push(text),
                    Value::Json(json) => leaves(json, proof),
                }
            }
        }
    }
    let named = |texts: &[&str], name: &str| {
        let name = format!("with.{name}");
        texts.iter().any(|text| names(text, &name))
    };
    let is_alone = |name: &str| {
        proofs.iter().any(|proof| {
            let mut others = recipe.parameters.iter();
            let has_secret = others.any(|(other, spec)| spec.secret && named(proof, other));
            let has_login = proof.iter().any(|text| text.contains("steps."));
            named(proof, name) && !has_secret && !has_login
        })
    };
    let open = recipe.parameters.iter().filter(|(_, spec)| !spec.secret);
    let open = open.filter(|(name, _)| {
        let is_called_so = is_secret_name(name) && !name.contains("url");
        is_called_so || is_alone(name)
    });
    open.map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_the_page_is_known() {
        for (text, expected) in [
            ("/a?page={{ page }}", true),
            ("/a?from={{ (page - 1) * 20 }}", true),
            ("/a?page=1", false),
            ("/a/{{ with.page }}", false),
            ("/a/{{ pages }}", false),
        ] {
            assert_eq!(turns(text), expected, "{text}");
        }
    }

    #[test]
    fn questions_are_known_by_their_path() {
        for (path, expected) in [
            ("find.request", true),
            ("steps.media.find.request", true),
            ("probe.request", true),
            ("confirm.request", true),
            ("request", false),
            ("find.update", false),
            ("steps.find.request", false),
            ("steps.login.request", false),
        ] {
            assert_eq!(is_question(path), expected, "{path}");
        }
    }
}
