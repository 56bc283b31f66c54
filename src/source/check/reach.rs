//! What a recipe can never come to, or must not: questions that outlast an attempt, and secrets that go to another host.

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        recipe::{Auth, Poll, Recipe, RequestSpec, StepWhen, Value, leaves},
        time::format_duration,
        workspace::Workspace,
    },
    source::{notebook::Notebook, raw::recipe::RawRecipe},
};

use super::recipes::place_at;

pub(super) fn check(notebook: &Notebook, workspace: &Workspace, recipes: &[RawRecipe]) {
    for raw in recipes {
        polls(notebook, workspace, raw);
        secrets(notebook, raw);
    }
}

/// All calls of an attempt have the time of one ([`crate::domain::settings::DeliverySettings`]); what is waited between them counts.
fn polls(notebook: &Notebook, workspace: &Workspace, raw: &RawRecipe) {
    let total = workspace.settings.delivery.total_timeout;
    let steps = raw.recipe.steps.iter();
    let polls = steps
        .filter_map(|(name, step)| Some((format!("steps.{name}.poll"), step.poll?)))
        .chain(
            raw.recipe
                .confirm
                .iter()
                .filter_map(|confirm| Some(("confirm.poll".to_owned(), confirm.poll?))),
        );
    for (path, Poll { every, most }) in polls {
        // The first question is not waited for.
        if every * u32::from(most.saturating_sub(1)) < total {
            continue;
        }
        let place = place_at(raw, &format!("{path}.every"));
        let found = Diagnostic::new(Code::PollTooLong, place)
            .with("most", most.to_string())
            .with("every", format_duration(every))
            .with("total", format_duration(total));
        notebook.report(found.help(Phrase::new("L279-help")));
    }
}

/// Where a request goes, as far as the recipe says it.
#[derive(Debug, PartialEq, Eq)]
enum Whither<'r> {
    /// Where the channel says: its own device.
    Channel,
    /// To a host that the recipe names, for whatever channel.
    Fixed(&'r str),
    /// Where an answer points.
    Led,
}

impl<'r> Whither<'r> {
    fn of(url: &'r str) -> Self {
        let url = url.trim_start();
        if let Some(filled) = url.strip_prefix("{{") {
            return if filled.trim_start().starts_with("with.") {
                Self::Channel
            } else {
                Self::Led
            };
        }
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = host.split(['/', '?', '#']).next().unwrap_or_default();
        if host.is_empty() || host.contains('{') {
            Self::Led
        } else {
            Self::Fixed(host)
        }
    }
}

/// What is shared with a channel's own device, and goes to a host that is the same for all channels as well. Recipes that only call such hosts
/// (an account in the cloud) are at home there, and so is what one of them gives for the device.
fn secrets(notebook: &Notebook, raw: &RawRecipe) {
    let recipe = &raw.recipe;
    let all = requests(recipe);
    let logins: Vec<&String> = recipe
        .steps
        .iter()
        .filter(|(_, step)| {
            step.when == StepWhen::Always && Whither::of(&step.request.url) == Whither::Channel
        })
        .map(|(name, _)| name)
        .collect();
    let mut shared = shared(recipe);
    shared.extend(logins.iter().map(|name| format!("steps.{name}")));
    for (path, request) in &all {
        let Whither::Fixed(host) = Whither::of(&request.url) else {
            continue;
        };
        let sent = carried(recipe, request);
        let Some(name) = sent.iter().find(|name| shared.contains(name)) else {
            continue;
        };
        let place = place_at(raw, &format!("{path}.url"));
        let found = Diagnostic::new(Code::SecretElsewhere, place)
            .with("name", name.as_str())
            .with("host", host);
        notebook.report(found.help(Phrase::new("L281-help")));
    }
}

/// The secret parameters that go to a channel's own device.
fn shared(recipe: &Recipe) -> Vec<String> {
    requests(recipe)
        .iter()
        .filter(|(_, request)| Whither::of(&request.url) == Whither::Channel)
        .flat_map(|(_, request)| carried(recipe, request))
        .filter(|name| name.starts_with("with."))
        .collect()
}

/// Whether a request to the address in `parameter` carries a secret parameter.
pub(super) fn is_trusted(recipe: &Recipe, parameter: &str) -> bool {
    let goes_there = |request: &RequestSpec| {
        let filled = request.url.trim_start().strip_prefix("{{");
        let filled = filled.and_then(|filled| filled.split("}}").next());
        filled.is_some_and(|filled| names(&format!("{{{filled}"), &format!("with.{parameter}")))
    };
    let has_secret = |request: &RequestSpec| {
        let sent = carried(recipe, request);
        sent.iter().any(|name| name.starts_with("with."))
    };
    let mut all = requests(recipe).into_iter();
    all.any(|(_, request)| goes_there(request) && has_secret(request))
}

/// The requests by their paths.
pub(super) fn requests(recipe: &Recipe) -> Vec<(String, &RequestSpec)> {
    let steps = recipe.steps.iter().flat_map(|(name, step)| {
        let find = step.find.as_ref().map(|find| {
            let path = format!("steps.{name}.find.request");
            (path, &find.request)
        });
        find.into_iter()
            .chain([(format!("steps.{name}.request"), &step.request)])
    });
    let find = recipe.find.iter();
    let rest = [("request", &recipe.request)]
        .into_iter()
        .chain(recipe.stop.iter().map(|stop| ("stop", stop)))
        .chain(find.clone().map(|find| ("find.request", &find.request)))
        .chain(find.filter_map(|find| Some(("find.update", find.update.as_ref()?))))
        .chain(
            recipe
                .confirm
                .iter()
                .map(|confirm| ("confirm.request", &confirm.request)),
        )
        .chain(
            recipe
                .probe
                .iter()
                .map(|probe| ("probe.request", &probe.request)),
        );
    steps
        .chain(rest.map(|(path, request)| (path.to_owned(), request)))
        .collect()
}

/// The secret parameters and the steps of which a request carries something, by its own texts or by the recipe's `auth`. A digest proves that
/// one knows a password and does not carry it.
pub(super) fn carried(recipe: &Recipe, request: &RequestSpec) -> Vec<String> {
    let mut texts = request.texts();
    let is_own = |name: &String| name.eq_ignore_ascii_case("authorization");
    if !request.anonymous && !request.headers.keys().any(is_own) {
        match &recipe.auth {
            Some(Auth::Basic { user, password }) => {
                texts.extend([user.as_str(), password.as_str()]);
            }
            Some(Auth::Bearer(token)) => texts.push(token),
            Some(Auth::Digest { .. }) | None => {}
        }
    }
    // A value may use those before it.
    for (name, value) in recipe.values.iter().rev() {
        if texts
            .iter()
            .any(|text| names(text, &format!("value.{name}")))
        {
            match value {
                Value::Text(text) => texts.push(text),
                Value::Json(json) => leaves(json, &mut texts),
            }
        }
    }
    let secrets = recipe.parameters.iter().filter(|(_, spec)| spec.secret);
    let secrets = secrets.map(|(name, _)| format!("with.{name}"));
    let steps = recipe.steps.iter().map(|(name, _)| format!("steps.{name}"));
    secrets
        .chain(steps)
        .filter(|name| texts.iter().any(|text| names(text, name)))
        .collect()
}

/// Whether a template names `name`, and not just something whose name begins so.
pub(super) fn names(text: &str, name: &str) -> bool {
    text.contains('{')
        && text.match_indices(name).any(|(at, _)| {
            let after = text[at + name.len()..].chars().next();
            !after.is_some_and(|after| after.is_alphanumeric() || after == '_')
        })
}
