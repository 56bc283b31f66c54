//! Recipes: that they can act, by themselves and with each channel's parameters.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use crate::{
    adapter::recipe::{CompiledRecipe, RecipeProblem, RecipeProblemKind},
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place},
    domain::{channel::AdapterConfig, id::RecipeId, secret::SecretRef, workspace::Workspace},
    source::{
        address::has_password,
        notebook::Notebook,
        raw::{
            channel::{RawAdapter, RawChannel, RawParameter},
            recipe::{RawRecipe, is_parameter_name},
        },
        text::Text,
    },
    template::TemplateErrorKind,
};

use super::{
    fault::{describe_template, template_place},
    questions::PROOFS,
};

pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    recipes: &[RawRecipe],
    channels: &[RawChannel],
) {
    let mut compiled: HashMap<&RecipeId, (Arc<CompiledRecipe>, &RawRecipe)> = HashMap::new();
    for raw in recipes {
        for secret in plain_secrets(raw) {
            notebook.report(secret);
        }
        let has_errors = notebook.has_errors_in(raw.at.file.path());
        match CompiledRecipe::new(&raw.recipe) {
            // With stand-ins in it, it would only give its channels mistakes that nobody made.
            Ok(_) if has_errors => {}
            Ok(recipe) => {
                for path in recipe.idle_lines() {
                    let place = place_at(raw, &format!("{path}.then"));
                    let idle = Diagnostic::new(Code::IdleLine, place);
                    notebook.report(idle.help(Phrase::new("L278-help")));
                }
                compiled.insert(&raw.recipe.id, (recipe, raw));
            }
            Err(problems) => {
                let certain = |problem: &&RecipeProblem| !has_errors || is_certain(problem, raw);
                for problem in problems.iter().filter(certain) {
                    let found = describe(problem, text_at(&raw.texts, &problem.path), &raw.at);
                    notebook.report(match help_with(problem, raw) {
                        Some(help) => found.help(Phrase::new(help)),
                        None => found,
                    });
                }
            }
        }
    }
    let errors = notebook.error_places();
    let is_wrong = |place: &Place| errors.contains(&(place.file.path().to_owned(), place.start));
    let mut unencoded = HashSet::new();
    for raw in channels {
        let Some(RawAdapter::Recipe { recipe, at, with }) = &raw.adapter else {
            continue;
        };
        let Some((compiled, source)) = compiled.get(recipe) else {
            continue;
        };
        let Some(AdapterConfig::Recipe {
            with: parameters, ..
        }) = workspace
            .channels
            .get(&raw.id)
            .map(|channel| &channel.adapter)
        else {
            continue;
        };
        let complete = source
            .recipe
            .parameters
            .keys()
            .all(|name| parameters.get(name).is_some());
        if !complete || with.iter().any(|given| is_wrong(&given.at)) {
            continue;
        }
        if let (_, Err(problem)) = compiled.trial_without_secrets(parameters) {
            let text = text_at(&source.texts, &problem.path);
            let about = text.map(|text| (text, about(text, &problem)));
            // The parameters that the mistake is about, by themselves or by what the recipe works out from them.
            let names = |name: &str| {
                let values = &source.texts;
                about.is_some_and(|(_, about)| {
                    names_field(about, "with", name)
                        || source.recipe.values.iter().any(|(value, _)| {
                            let from = text_at(values, &format!("values.{value}"));
                            names_field(about, "value", value)
                                && from.is_some_and(|from| names_field(&from.value, "with", name))
                        })
                })
            };
            // Where what is filled in comes from the message, no channel has it right.
            let is_of_recipe = match &problem.kind {
                RecipeProblemKind::Blank => !names_a_parameter(text),
                RecipeProblemKind::Template(_) | RecipeProblemKind::NotANumber => {
                    about.is_some() && !source.recipe.parameters.keys().any(|name| names(name))
                }
                _ => false,
            };
            if is_of_recipe {
                if unencoded.insert((recipe, problem.path.clone())) {
                    notebook.report(describe(&problem, text, &source.at));
                }
                continue;
            }
            // The parameter that the text is about, where it is about one.
            let given = with.iter().filter(|given| names(&given.name));
            let given: Vec<&RawParameter> = given.collect();
            let at = if let [only] = given.as_slice() {
                &only.at
            } else {
                at
            };
            let diagnostic = describe(&problem, None, at);
            let from = text.map_or_else(|| source.at.clone(), |text| text.place.clone());
            notebook.report(diagnostic.note(from, Phrase::new("note-recipe")));
        }
    }
}

/// What of a text its problem is about: the tag with the mistake, where that is known, else all of it.
fn about<'t>(text: &'t Text, problem: &RecipeProblem) -> &'t str {
    let all = text.value.as_str();
    let RecipeProblemKind::Template(error) = &problem.kind else {
        return all;
    };
    let mut lines = all.split_inclusive('\n');
    let Some(before) = error.line.checked_sub(1) else {
        return all;
    };
    let start: usize = lines.by_ref().take(before).map(str::len).sum();
    let column = all[start..]
        .char_indices()
        .nth(error.column.saturating_sub(1));
    let at = column.map_or(all.len(), |(at, _)| start + at);
    let open = ["{{", "{%"].iter().filter_map(|open| all[..at].rfind(open));
    let open = open.max().unwrap_or(0);
    let close = ["}}", "%}"]
        .iter()
        .filter_map(|close| all[at..].find(close));
    &all[open..close.min().map_or(all.len(), |close| at + close)]
}

/// Whether a text names the field `name` of `of`, and not just one whose name begins so.
fn names_field(text: &str, of: &str, name: &str) -> bool {
    let named = format!("{of}.{name}");
    text.match_indices(&named).any(|(at, _)| {
        let after = text[at + named.len()..].chars().next();
        !after.is_some_and(|after| after.is_alphanumeric() || after == '_')
    })
}

/// Whether a text is filled in with nothing but what the channel itself gives.
fn names_a_parameter(text: Option<&Text>) -> bool {
    text.is_some_and(|text| !text.value.contains("message.") && !text.value.contains("value."))
}

/// Help that says more than which names there are.
fn help_with(problem: &RecipeProblem, raw: &RawRecipe) -> Option<&'static str> {
    if is_of_playing(problem) {
        Some("L061-help-playing")
    } else if is_of_probe(problem) {
        Some("L061-help-probe")
    } else {
        is_value_of_probe(problem, raw).then_some("L061-help-probe-value")
    }
}

/// Whether what is wrong is that `stop` names what plays where nothing is known of it.
fn is_of_playing(problem: &RecipeProblem) -> bool {
    let RecipeProblemKind::Template(error) = &problem.kind else {
        return false;
    };
    let TemplateErrorKind::UndefinedVariable { name, .. } = &error.kind else {
        return false;
    };
    problem.path.starts_with("stop.") && ["delivery", "receipt"].contains(&name.as_str())
}

/// Whether what is wrong is that the probe has nothing to say: everywhere else there is a message.
fn is_of_probe(problem: &RecipeProblem) -> bool {
    let RecipeProblemKind::Template(error) = &problem.kind else {
        return false;
    };
    let TemplateErrorKind::UndefinedVariable { name, available } = &error.kind else {
        return false;
    };
    ["message", "value", "audio"].contains(&name.as_str())
        && !available.iter().any(|known| known == "message")
        && ["probe.", "steps.", "auth."]
            .iter()
            .any(|part| problem.path.starts_with(part))
}

/// The same for a value that is there, but for what a probe does not have.
fn is_value_of_probe(problem: &RecipeProblem, raw: &RawRecipe) -> bool {
    let RecipeProblemKind::Template(error) = &problem.kind else {
        return false;
    };
    let TemplateErrorKind::UndefinedVariable { name, .. } = &error.kind else {
        return false;
    };
    let text = raw.texts.get(&problem.path);
    raw.recipe.values.iter().any(|(known, _)| known == name)
        && text.is_some_and(|text| names_field(&text.value, "value", name))
        && ["probe.", "steps.", "auth."]
            .iter()
            .any(|part| problem.path.starts_with(part))
}

/// Whether a problem of a recipe of which not everything could be read is one all the same: its text is there, and what it names
/// would not be among what is missing.
fn is_certain(problem: &RecipeProblem, raw: &RawRecipe) -> bool {
    let Some(text) = raw.texts.get(&problem.path) else {
        return false;
    };
    let RecipeProblemKind::Template(error) = &problem.kind else {
        return true;
    };
    let TemplateErrorKind::UndefinedVariable { name, .. } = &error.kind else {
        return true;
    };
    let names = |of: &str| text.value.contains(&format!("{of}.{name}"));
    let mut parameters = raw.recipe.parameters.keys();
    // A parameter whose own name has to change would be missed under the name that it is to get.
    let are_known = parameters.len() > 0 && parameters.all(|name| is_parameter_name(name));
    names("message") || (are_known && names("with"))
}

/// Secrets that stand in the recipe itself, where everybody who reads the files sees them.
fn plain_secrets(raw: &RawRecipe) -> Vec<Diagnostic> {
    let is_plain = |path: &str, text: &Text| {
        if text.value.trim().is_empty() {
            return false;
        }
        if let Some((_, name)) = path.rsplit_once("headers.") {
            let is_secret = PROOFS.iter().any(|known| name.eq_ignore_ascii_case(known));
            return is_secret && !text.value.contains("{{");
        }
        if let Some(name) = path
            .strip_prefix("parameters.")
            .and_then(|rest| rest.strip_suffix(".default"))
        {
            let spec = raw.recipe.parameters.get(name);
            return spec.is_some_and(|spec| spec.secret) && SecretRef::parse(&text.value).is_none();
        }
        path.rsplit('.').next() == Some("url") && has_password(&text.value)
    };
    raw.texts
        .iter()
        .filter(|(path, text)| is_plain(path, text))
        .map(|(_, text)| {
            Diagnostic::new(Code::PlainSecret, text.place.clone())
                .help(Phrase::new("L052-help-recipe"))
        })
        .collect()
}

/// The text at a path, or the nearest one around it.
pub(super) fn text_at<'t>(texts: &'t BTreeMap<String, Text>, path: &str) -> Option<&'t Text> {
    let mut path = path;
    loop {
        if let Some(text) = texts.get(path) {
            return Some(text);
        }
        let inner = texts.range(path.to_owned()..).next().filter(|(key, _)| {
            key.strip_prefix(path)
                .is_some_and(|rest| rest.starts_with(['.', '[']))
        });
        if let Some((_, text)) = inner {
            return Some(text);
        }
        path = &path[..path.rfind(['.', '['])?];
    }
}

/// Where a recipe has that path, or would have it.
pub(super) fn place_at(raw: &RawRecipe, path: &str) -> Place {
    let text = text_at(&raw.texts, path);
    text.map_or_else(|| raw.at.clone(), |text| text.place.clone())
}

fn describe(problem: &RecipeProblem, text: Option<&Text>, at: &Place) -> Diagnostic {
    let place = text.map_or_else(|| at.clone(), |text| text.place.clone());
    let word = |word: &str| {
        Diagnostic::new(Code::BadRecipe, place.clone())
            .with("problem", Arg::Word(word.to_owned()))
            .help(Phrase::new("L063-help"))
    };
    match &problem.kind {
        RecipeProblemKind::Template(error) => {
            let place = text.map_or(place, |text| template_place(text, error));
            describe_template(error, place, Vec::new)
        }
        RecipeProblemKind::Pattern(pattern) if pattern.contains("{{") => {
            word("recipe-pattern").help(Phrase::new("L063-help-pattern"))
        }
        RecipeProblemKind::Pattern(_) => word("recipe-pattern"),
        RecipeProblemKind::NoGroup(_) => {
            word("recipe-no-group").help(Phrase::new("L063-help-group"))
        }
        RecipeProblemKind::NoHeader(_) => {
            word("recipe-no-header").help(Phrase::new("L063-help-header"))
        }
        RecipeProblemKind::Blank => word("recipe-blank").help(Phrase::new("L063-help-blank")),
        RecipeProblemKind::Dollar(_) => word("recipe-dollar"),
        RecipeProblemKind::HeaderName(_) => word("recipe-header-name"),
        RecipeProblemKind::HeaderValue => word("recipe-header-value"),
        RecipeProblemKind::Address => word("recipe-address"),
        RecipeProblemKind::NotANumber => word("recipe-not-a-number"),
        RecipeProblemKind::NotJson => word("recipe-not-json"),
        RecipeProblemKind::NoPicture => word("recipe-no-picture"),
        RecipeProblemKind::Takes => word("recipe-takes"),
        RecipeProblemKind::Pieces => word("recipe-pieces"),
        RecipeProblemKind::Keeps => word("recipe-keeps"),
        RecipeProblemKind::Renews => word("recipe-renews"),
        RecipeProblemKind::Waits => word("recipe-waits"),
        RecipeProblemKind::Limits => word("recipe-limits"),
        // Read and refused with the file, each with a code of its own; what is left over is shown in the adapter's words.
        RecipeProblemKind::Method(_)
        | RecipeProblemKind::Pointer(_)
        | RecipeProblemKind::NoAudio
        | RecipeProblemKind::TooManyPieces(_)
        | RecipeProblemKind::MissingParameter(_) => Diagnostic::new(Code::BadRecipe, place)
            .with("problem", problem.kind.to_string())
            .help(Phrase::new("L063-help")),
    }
}
