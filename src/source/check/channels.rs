//! Channels and their recipes: every parameter that is wanted is there, and no secret stands in the file.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place},
    domain::{
        bulletin::Format,
        channel::{AdapterConfig, Channel, ChannelKind, Parameter, Parameters},
        id::{ChannelId, RecipeId},
        recipe::Recipe,
        secret::SecretRef,
        settings::Settings,
    },
    source::{
        address::{has_password, is_web_address},
        notebook::{Notebook, did_you_mean},
        raw::channel::{RawAdapter, RawChannel, RawParameter},
        reader::is_secret_name,
        similar::nearest,
    },
};

/// The channels, with stand-ins for what could not be read.
pub(super) fn build(
    notebook: &Notebook,
    channels: &[RawChannel],
    recipes: &BTreeMap<RecipeId, Recipe>,
    settings: &Settings,
) -> BTreeMap<ChannelId, Channel> {
    super::zalo::check(notebook, channels, settings.delivery.total_timeout);
    super::mail::check(notebook, channels);
    super::repeats::check(notebook, recipes, channels);
    for raw in channels {
        let Some((kind, format, help)) = raw.adapter.as_ref().and_then(home) else {
            continue;
        };
        // A kind that is missing or none is said where it is read.
        if raw.kind.is_some_and(|given| given != kind) || raw.format != format {
            let diagnostic = Diagnostic::new(Code::AdapterCannot, raw.at.clone())
                .with("channel", raw.id.as_str());
            notebook.report(diagnostic.help(Phrase::new(help)));
        }
    }
    let mut built = BTreeMap::new();
    for raw in channels {
        let adapter = match &raw.adapter {
            Some(RawAdapter::Recipe { recipe, at, with }) => AdapterConfig::Recipe {
                with: if let Some(recipe) = recipes.get(recipe) {
                    parameters(notebook, recipe, at, with)
                } else {
                    conceal(notebook, recipes, recipe, with);
                    Parameters::default()
                },
                recipe: recipe.clone(),
            },
            Some(RawAdapter::Other(config)) => config.clone(),
            None => AdapterConfig::Webhook {
                url: String::new(),
                secrets: Vec::new(),
            },
        };
        let channel = Channel {
            id: raw.id.clone(),
            name: raw.name.clone(),
            ward: raw.ward.clone().unwrap_or_else(|| settings.city.id.clone()),
            kind: raw.kind.unwrap_or(ChannelKind::Website),
            format: raw.format,
            mode: raw.mode,
            rate: raw.rate,
            audio: raw.audio.as_ref().map(|(format, _)| *format),
            test: raw.test,
            reports: raw.reports.clone(),
            operator: settings.watchdog.operator.as_ref() == Some(&raw.id),
            adapter,
        };
        // Of two with one id, which is reported, the first counts.
        built.entry(channel.id.clone()).or_insert(channel);
    }
    built
}

/// The only kind and format of channels that an adapter can serve, where there is one, and what helps elsewhere.
fn home(adapter: &RawAdapter) -> Option<(ChannelKind, Format, &'static str)> {
    let RawAdapter::Other(config) = adapter else {
        return None;
    };
    let (kind, format) = config.facts().serves?;
    let help = match kind {
        ChannelKind::Loudspeaker => "L263-help-loudspeaker",
        ChannelKind::Website => "L263-help-website",
        ChannelKind::Chat => "L263-help-chat",
        ChannelKind::Sign => "L263-help-sign",
    };
    Some((kind, format, help))
}

fn parameters(
    notebook: &Notebook,
    recipe: &Recipe,
    at: &Place,
    with: &[RawParameter],
) -> Parameters {
    let mut parameters: BTreeMap<String, Parameter> = BTreeMap::new();
    for given in with {
        let Some(spec) = recipe.parameters.get(&given.name) else {
            notebook.report(unknown(recipe, given));
            let near = nearest(
                &given.name,
                recipe.parameters.keys().map(|name| (name.as_str(), None)),
            );
            let near = near.and_then(|name| recipe.parameters.get(name));
            let may_be_secret = near.is_some_and(|spec| spec.secret) || is_secret_name(&given.name);
            if let Some(mistake) = secrecy(
                given,
                may_be_secret,
                SecretRef::parse(&given.value).is_some(),
            ) {
                notebook.report(mistake);
            }
            continue;
        };
        let reference = SecretRef::parse(&given.value);
        if let Some(mistake) = secrecy(given, spec.secret, reference.is_some()) {
            notebook.report(mistake);
        } else if given.name == "url"
            && reference.is_none()
            && !given.value.is_empty()
            && !is_web_address(&given.value)
        {
            let diagnostic =
                Diagnostic::new(Code::BadUrl, given.at.clone()).with("text", given.value.as_str());
            notebook.report(diagnostic.help(Phrase::new("L036-help")));
        }
        let value =
            reference.map_or_else(|| Parameter::Plain(given.value.clone()), Parameter::Secret);
        parameters.insert(given.name.clone(), value);
    }
    for (name, spec) in &recipe.parameters {
        if with.iter().any(|given| given.name == *name) {
            continue;
        }
        match &spec.default {
            Some(default) => {
                parameters.insert(name.clone(), Parameter::Plain(default.clone()));
            }
            None => notebook.report(missing(recipe, name, spec.about.as_deref(), at)),
        }
    }
    parameters.into_iter().collect()
}

/// What seems to be a secret among the parameters of a recipe that there is not.
fn conceal(
    notebook: &Notebook,
    recipes: &BTreeMap<RecipeId, Recipe>,
    wanted: &RecipeId,
    with: &[RawParameter],
) {
    let near = nearest(
        wanted.as_str(),
        recipes.keys().map(|id| (id.as_str(), None)),
    );
    let near = near.and_then(|id| recipes.get(id));
    for given in with {
        let spec = near.and_then(|recipe| recipe.parameters.get(&given.name));
        let may_be_secret = spec.is_some_and(|spec| spec.secret) || is_secret_name(&given.name);
        let is_reference = SecretRef::parse(&given.value).is_some();
        if let Some(mistake) = secrecy(given, may_be_secret, is_reference) {
            notebook.report(mistake);
        }
    }
}

/// A secret that stands in the file, whether the recipe asks for one or an address has a password in it.
fn secrecy(given: &RawParameter, must_be_secret: bool, is_reference: bool) -> Option<Diagnostic> {
    if is_reference || given.value.is_empty() {
        return None;
    }
    let is_attempt = given.value.starts_with("env:") || given.value.starts_with("file:");
    let (code, help) = if is_attempt {
        (Code::BadReference, "L053-help")
    } else if must_be_secret {
        (Code::PlainSecret, "L052-help")
    } else if has_password(&given.value) {
        (Code::PlainSecret, "L052-help-url")
    } else {
        return None;
    };
    Some(Diagnostic::new(code, given.at.clone()).help(Phrase::new(help)))
}

fn unknown(recipe: &Recipe, given: &RawParameter) -> Diagnostic {
    let near = nearest(
        &given.name,
        recipe.parameters.keys().map(|name| (name.as_str(), None)),
    );
    let help = near.map_or_else(
        || {
            Phrase::new("L012-help").with(
                "names",
                Arg::Names(recipe.parameters.keys().cloned().collect()),
            )
        },
        did_you_mean,
    );
    Diagnostic::new(Code::UnknownParameter, given.name_at.clone())
        .with("name", given.name.as_str())
        .with("recipe", recipe.id.as_str())
        .help(help)
}

fn missing(recipe: &Recipe, name: &str, about: Option<&str>, at: &Place) -> Diagnostic {
    let help = match about {
        Some(about) => Phrase::new("L050-help-about")
            .with("name", name)
            .with("about", about),
        None => Phrase::new("L050-help").with("name", name),
    };
    Diagnostic::new(Code::MissingParameter, at.clone())
        .with("name", name)
        .with("recipe", recipe.id.as_str())
        .help(help)
}
