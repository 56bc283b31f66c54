//! Recipes read: every template parsed, every pointer, method and header name checked, all mistakes at once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::Value;

use super::{
    Facts, RecipeProblem, RecipeProblemKind, Scene,
    auth::Auth,
    judge::{Condition, Take},
    limits::{self, Limit},
    parts::{
        Confirmation, Pulse, Question, Rule, Step, read_confirm, read_find, read_rules, read_step,
    },
    scene::FIELDS,
    sound,
    specimen::{lacks_receipt, sample, sample_of, without_picture},
    text::{Reading, Text},
    values::{self, Named},
    write::{Call, each_leaf},
};
use crate::{
    domain::{
        channel::{Parameter, Parameters},
        id::RecipeId,
        message::Message,
        recipe::{self, Recipe, StepWhen, leaves},
    },
    template::{TemplateErrorKind, Templates},
};

/// How often a recipe is looked at for names that nothing fills: so many can stand in one text.
const MOST_LOOKS: usize = 20;

/// What stands for a secret that nobody reads. It is text, hexadecimal digits and base64 alike, because a recipe may take any of them.
pub const SECRET: &str = "5ec2e75ec2e75ec2e75ec2e75ec2e75e";

/// A recipe, read once for all its channels.
#[derive(Debug)]
pub struct CompiledRecipe {
    pub(super) id: RecipeId,
    pub(super) templates: Templates,
    /// The fields of `message` that the templates name.
    pub(super) wanted: Vec<&'static str>,
    /// What they name of what is made from the sound's bytes.
    pub(super) wanted_sound: Vec<&'static str>,
    /// What the recipe declares, with defaults.
    pub(super) parameters: BTreeMap<String, Option<String>>,
    pub(super) values: Vec<Named>,
    pub(super) limits: Vec<Limit>,
    pub(super) auth: Option<Auth>,
    pub(super) steps: Vec<Step>,
    pub(super) find: Option<Question>,
    pub(super) request: Call,
    pub(super) stop: Option<Call>,
    /// Whether the device takes a stop only from whom it knows: then the logins come first.
    pub(super) stops_by_a_login: bool,
    /// Whether the call that counts, or what is worked out for it, is brought down to ASCII on purpose.
    pub(super) is_ascii: bool,
    pub(super) accepted: Condition,
    pub(super) receipt: Option<Take>,
    pub(super) confirm: Option<Confirmation>,
    pub(super) errors: Vec<Rule>,
    pub(super) probe: Option<Pulse>,
    /// Whether it sends the picture of an article, or speaks of it.
    pub(super) shows_pictures: bool,
    /// What is taken from answers and begins an address: `steps.upload.place`.
    pub(super) leads: Vec<String>,
    /// What is taken from answers and is an address's path behind a parameter: `steps.upload.clip`.
    pub(super) paths: Vec<String>,
    /// A digest of the recipe, where a login of it is kept: what another text of it took is not this one's.
    pub(super) print: Option<blake3::Hash>,
}

impl CompiledRecipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// Every mistake that shows without a channel's parameters, names that no template can know among them.
    pub fn new(recipe: &Recipe) -> Result<Arc<Self>, Vec<RecipeProblem>> {
        let mut reading = Reading::default();
        let mut compiled = Self {
            id: recipe.id.clone(),
            templates: Templates::new(),
            wanted: Vec::new(),
            wanted_sound: Vec::new(),
            parameters: recipe
                .parameters
                .iter()
                .map(|(name, spec)| (name.clone(), spec.default.clone()))
                .collect(),
            values: values::read(&mut reading, recipe),
            limits: limits::read(&mut reading, recipe),
            auth: recipe
                .auth
                .as_ref()
                .map(|auth| Auth::read(&mut reading, auth)),
            steps: recipe
                .steps
                .iter()
                .map(|(name, step)| read_step(&mut reading, name, step))
                .collect(),
            find: recipe
                .find
                .as_ref()
                .map(|find| read_find(&mut reading, "find", find)),
            shows_pictures: recipe.wants_picture(),
            leads: recipe.leads().map(str::to_owned).collect(),
            paths: recipe.paths().map(str::to_owned).collect(),
            print: recipe
                .keeps_logins()
                .then(|| blake3::hash(format!("{recipe:?}").as_bytes())),
            request: Call::read(&mut reading, "request", &recipe.request),
            stops_by_a_login: stops_by_a_login(recipe),
            is_ascii: is_ascii(recipe),
            stop: recipe
                .stop
                .as_ref()
                .map(|stop| Call::read(&mut reading, "stop", stop)),
            accepted: Condition::read_success(&mut reading, "accepted", &recipe.accepted.when),
            receipt: recipe
                .accepted
                .receipt
                .as_ref()
                .and_then(|take| Take::read(&mut reading, "accepted.receipt", take)),
            confirm: recipe
                .confirm
                .as_ref()
                .map(|confirm| read_confirm(&mut reading, confirm)),
            errors: read_rules(&mut reading, "errors", &recipe.errors),
            probe: recipe.probe.as_ref().map(|probe| Pulse {
                call: Call::read(&mut reading, "probe.request", &probe.request),
                healthy: Condition::read_success(&mut reading, "probe.healthy", &probe.healthy),
            }),
        };
        for (path, _) in recipe.renewals().filter(|_| compiled.print.is_none()) {
            reading.problem(&path, RecipeProblemKind::Renews);
        }
        let Reading {
            templates,
            mut problems,
        } = reading;
        compiled.wanted = wanted(&templates);
        compiled.wanted_sound = sound::wanted(&templates);
        let mut errors = compiled.templates.add_all(templates.clone());
        if !errors.is_empty() {
            // It will not be used; what is broken is taken out, so that it does not hide what else is wrong.
            compiled.templates = Templates::new();
            errors = compiled.templates.add_all_mended(templates);
        }
        problems.extend(errors.into_iter().map(|error| RecipeProblem {
            path: error.template.clone(),
            kind: RecipeProblemKind::Template(Box::new(error)),
        }));
        compiled.report_unknown_names(&mut problems);
        if problems.is_empty() {
            Ok(Arc::new(compiled))
        } else {
            Err(problems)
        }
    }

    /// Adds every name that nothing will ever fill. A text shows one at a time, so that one is taken out and the text looked
    /// at again.
    fn report_unknown_names(&mut self, problems: &mut Vec<RecipeProblem>) {
        for _ in 0..MOST_LOOKS {
            let mut goes_on = false;
            for found in self.unknown_names() {
                if let RecipeProblemKind::Template(error) = &found.kind
                    && !problems.contains(&found)
                {
                    goes_on |= self.templates.mend(error);
                    problems.push(found);
                }
            }
            if !goes_on {
                break;
            }
        }
    }

    /// Renders everything once for a sample message with a channel's parameters (secrets may be replaced by any text),
    /// so that mistakes show before the hour comes.
    ///
    /// # Errors
    /// The first mistake.
    pub fn trial(&self, with: &BTreeMap<String, String>) -> Result<(), RecipeProblem> {
        self.check_parameters(with)?;
        let facts = Facts::new("sample", "Sample", with);
        self.visit(&facts, &mut |scene, look| match look {
            Look::Call(call) if call.follows() => {
                let mut first = call.known(scene);
                call.each(scene, &mut |problem| {
                    if first.is_ok() {
                        first = Err(problem);
                    }
                });
                first
            }
            Look::Call(call) => {
                call.host(scene)?;
                call.write(scene, 0, None, None).map(drop)
            }
            Look::Text(text) => scene.text(text).map(drop),
            // Nothing is sent there that does not come out.
            Look::Lacking(_) => Ok(()),
        })
    }

    /// [`Self::trial`] where secrets are not known: which of them stand for whole addresses, as those of chat groups do, which hold
    /// their key; and the first mistake that is one whatever the secrets are.
    pub fn trial_without_secrets<'p>(
        &self,
        parameters: &'p Parameters,
    ) -> (Vec<&'p str>, Result<(), RecipeProblem>) {
        let trial = |addresses: &[&str]| {
            let value = |(name, parameter): (&str, &Parameter)| {
                let value = match parameter {
                    Parameter::Plain(value) => value.clone(),
                    Parameter::Secret(_) if addresses.contains(&name) => {
                        "https://secret.invalid".to_owned()
                    }
                    Parameter::Secret(_) => SECRET.to_owned(),
                };
                (name.to_owned(), value)
            };
            self.trial(&parameters.iter().map(value).collect())
        };
        let mut addresses = Vec::new();
        let mut found = trial(&addresses);
        while let Err(problem) = &found {
            if problem.kind != RecipeProblemKind::Address {
                break;
            }
            let secrets = parameters
                .iter()
                .filter(|(_, parameter)| matches!(parameter, Parameter::Secret(_)));
            let next = secrets
                .map(|(name, _)| name)
                .filter(|name| !addresses.contains(name))
                .find_map(|name| {
                    let with_it = [addresses.as_slice(), &[name]].concat();
                    let next = trial(&with_it);
                    (next.as_ref() != Err(problem)).then_some((with_it, next))
                });
            let Some((with_it, next)) = next else { break };
            (addresses, found) = (with_it, next);
        }
        (addresses, found)
    }

    /// Shows every request and every text with what it can know when its turn comes.
    fn visit(
        &self,
        facts: &Facts,
        look: &mut dyn FnMut(&Scene<'_>, Look<'_>) -> Result<(), RecipeProblem>,
    ) -> Result<(), RecipeProblem> {
        self.visit_with(&sample(), facts, look)?;
        if self.shows_pictures {
            // What has no picture has to go out, too.
            self.visit_with(&without_picture(sample()), facts, look)?;
        }
        Ok(())
    }

    fn visit_stop(
        &self,
        scene: &Scene<'_>,
        look: &mut dyn FnMut(&Scene<'_>, Look<'_>) -> Result<(), RecipeProblem>,
    ) -> Result<(), RecipeProblem> {
        // What is playing may be known or not.
        let known = serde_json::json!({ "delivery": "1", "receipt": "1" });
        let mut calls = self.stop.iter();
        calls.try_for_each(|stop| {
            let mut both = [known.clone(), Value::Null].into_iter();
            both.try_for_each(|playing| look(&scene.and("playing", playing), Look::Call(stop)))?;
            let nameless = serde_json::json!({ "delivery": "1" });
            look(&scene.and("playing", nameless), Look::Lacking(stop))
        })
    }

    fn visit_with(
        &self,
        message: &Message,
        facts: &Facts,
        look: &mut dyn FnMut(&Scene<'_>, Look<'_>) -> Result<(), RecipeProblem>,
    ) -> Result<(), RecipeProblem> {
        let mut scene = Scene::new(self, facts, Some(message));
        for limit in &self.limits {
            look(&scene, Look::Text(limit.text()))?;
        }
        if !self.stops_by_a_login {
            self.visit_stop(&scene, look)?;
        }
        for step in self.steps_of(StepWhen::Always, Some(message)) {
            step.visit(&mut scene, look)?;
        }
        if self.stops_by_a_login {
            self.visit_stop(&scene, look)?;
        }
        // Who calls may be proven by what a login gave.
        for text in self.auth.iter().flat_map(Auth::texts) {
            look(&scene, Look::Text(text))?;
        }
        if let Some(find) = &self.find {
            let scene = scene.and("page", Value::from(1));
            look(&scene, Look::Call(&find.call))?;
            find.texts()
                .try_for_each(|text| look(&scene, Look::Text(text)))?;
        }
        for step in self.steps_of(StepWhen::Send, Some(message)) {
            step.visit(&mut scene, look)?;
        }
        let mut new = scene.fork();
        for step in self.steps_of(StepWhen::Create, Some(message)) {
            step.visit(&mut new, look)?;
        }
        look(&new, Look::Call(&self.request))?;
        // From here on it may be an `update` just as well.
        self.conditions()
            .try_for_each(|text| look(&scene, Look::Text(text)))?;
        let confirm = self.confirm.as_ref();
        if let Some(confirm) = confirm.filter(|confirm| confirm.is_at_once()) {
            look(&scene, Look::Lacking(&confirm.call))?;
            let scene = scene.and("receipt", Value::from("1"));
            look(&scene, Look::Call(&confirm.call))?;
            confirm
                .texts()
                .try_for_each(|text| look(&scene, Look::Text(text)))?;
        }
        self.visit_later(message, facts, look)?;
        if let Some(find) = &self.find
            && let Some(update) = &find.update
        {
            scene.know("found", Value::Object(sample_of(&find.take)));
            for step in self.steps_of(StepWhen::Update, Some(message)) {
                step.visit(&mut scene, look)?;
            }
            look(&scene, Look::Call(update))?;
        }
        if let Some(probe) = &self.probe {
            let mut scene = Scene::new(self, facts, None);
            for step in self.steps_of(StepWhen::Always, None) {
                step.visit(&mut scene, look)?;
            }
            look(&scene, Look::Call(&probe.call))?;
            let mut texts = probe.healthy.texts();
            texts.try_for_each(|text| look(&scene, Look::Text(text)))?;
        }
        Ok(())
    }

    /// What is asked when an attempt is long over knows what is on record: no sound, no picture, and no upload.
    fn visit_later(
        &self,
        message: &Message,
        facts: &Facts,
        look: &mut dyn FnMut(&Scene<'_>, Look<'_>) -> Result<(), RecipeProblem>,
    ) -> Result<(), RecipeProblem> {
        let Some(confirm) = self
            .confirm
            .as_ref()
            .filter(|confirm| confirm.later.is_some())
        else {
            return Ok(());
        };
        let bare = Message {
            audio: None,
            ..without_picture(message.clone())
        };
        let mut scene = Scene::new(self, facts, Some(&bare));
        for step in self.steps_of(StepWhen::Always, Some(&bare)) {
            step.visit(&mut scene, look)?;
        }
        look(&scene, Look::Lacking(&confirm.call))?;
        let scene = scene.and("receipt", Value::from("1"));
        look(&scene, Look::Call(&confirm.call))?;
        let mut texts = confirm.texts();
        texts.try_for_each(|text| look(&scene, Look::Text(text)))
    }

    /// The steps that are made for `message` at one of the two times, in their order.
    pub(super) fn steps_of(
        &self,
        time: StepWhen,
        message: Option<&Message>,
    ) -> impl Iterator<Item = &Step> {
        let has_picture = message.is_some_and(|message| message.content.picture.is_some());
        self.steps.iter().filter(move |step| match step.when {
            StepWhen::Picture => time == StepWhen::Send && has_picture,
            when => when == time,
        })
    }

    /// Whether what the step of that name gives may be seen: a picture's number on a website opens nothing.
    pub(super) fn is_open(&self, step: &str) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|known| known.name == step && known.when == StepWhen::Picture)
    }

    /// Whether the step of that name may be a login: what is made in every attempt before anything is sent.
    pub(super) fn is_login(&self, step: &str) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|known| known.name == step && known.when == StepWhen::Always)
    }

    pub(super) fn check_parameters(
        &self,
        with: &BTreeMap<String, String>,
    ) -> Result<(), RecipeProblem> {
        let missing = self
            .parameters
            .keys()
            .find(|name| !with.contains_key(*name));
        missing.map_or(Ok(()), |name| {
            let kind = RecipeProblemKind::MissingParameter(name.clone());
            Err(RecipeProblem {
                path: format!("parameters.{name}"),
                kind,
            })
        })
    }

    /// The host that a sample message would go to.
    pub(super) fn sample_host(&self, facts: &Facts) -> Result<String, RecipeProblem> {
        // Where a step gives the address, it is not known before.
        let steps = self.steps.iter().map(|step| &step.call);
        let known = std::iter::once(&self.request)
            .chain(steps)
            .find(|call| !call.follows())
            .unwrap_or(&self.request);
        known.host(&Scene::new(self, facts, Some(&sample())))
    }

    /// The names in templates that nothing will ever fill. Only those: what else can go wrong depends on a channel's
    /// parameters, for which stand-ins are used here.
    fn unknown_names(&self) -> Vec<RecipeProblem> {
        let with = self.parameters.iter().map(|(name, default)| {
            (
                name.clone(),
                default
                    .clone()
                    .unwrap_or_else(|| "http://sample.invalid".to_owned()),
            )
        });
        let facts = Facts::new("sample", "Sample", &with.collect());
        let mut problems: HashMap<String, RecipeProblem> = HashMap::new();
        let mut note = |problem: RecipeProblem| {
            if let RecipeProblemKind::Template(error) = &problem.kind
                && matches!(error.kind, TemplateErrorKind::UndefinedVariable { .. })
            {
                problems.insert(problem.path.clone(), problem);
            }
        };
        let message = sample();
        let scene = Scene::new(self, &facts, Some(&message));
        for value in &self.values {
            each_leaf(&value.tree, &mut |text| {
                scene.text(text).map_or_else(&mut note, drop);
            });
        }
        let shown = self.visit(&facts, &mut |scene, look| {
            match look {
                Look::Call(call) => call.each(scene, &mut note),
                Look::Text(text) => scene.text(text).map_or_else(&mut note, drop),
                Look::Lacking(call) => call.each(scene, &mut |problem| {
                    if !lacks_receipt(&problem) {
                        note(problem);
                    }
                }),
            }
            Ok(())
        });
        debug_assert!(shown.is_ok(), "nothing that looks here fails");
        let mut problems: Vec<RecipeProblem> = problems.into_values().collect();
        problems.sort_by(|a, b| a.path.cmp(&b.path));
        problems
    }

    fn conditions(&self) -> impl Iterator<Item = &Text> {
        self.accepted
            .texts()
            .chain(self.errors.iter().flat_map(|rule| rule.when.texts()))
    }
}

/// One thing of a recipe that is filled in.
enum Look<'r> {
    Call(&'r Call),
    Text(&'r Text),
    /// A call as it would be without a receipt: it is not made where it needs one, and has to know everything else.
    Lacking(&'r Call),
}

impl Step {
    fn visit(
        &self,
        scene: &mut Scene<'_>,
        look: &mut dyn FnMut(&Scene<'_>, Look<'_>) -> Result<(), RecipeProblem>,
    ) -> Result<(), RecipeProblem> {
        if let Some(find) = &self.find {
            let scene = scene.and("page", Value::from(1));
            look(&scene, Look::Call(&find.call))?;
            find.texts()
                .try_for_each(|text| look(&scene, Look::Text(text)))?;
        }
        look(scene, Look::Call(&self.call))?;
        self.accepted
            .texts()
            .chain(self.errors.iter().flat_map(|rule| rule.when.texts()))
            .try_for_each(|text| look(scene, Look::Text(text)))?;
        let mut sample = sample_of(&self.take);
        if let Some(pieces) = self.call.pieces().filter(|pieces| !pieces.take.is_empty()) {
            let mut one = sample_of(&pieces.take);
            one.insert("number".to_owned(), 1.into());
            sample.insert("pieces".to_owned(), vec![one].into());
        }
        scene.know_step(&self.name, sample);
        Ok(())
    }
}

/// Whether a recipe's stop needs what a login gives, by itself or to prove who calls.
fn stops_by_a_login(recipe: &Recipe) -> bool {
    let proof = match &recipe.auth {
        Some(recipe::Auth::Bearer(token)) => token.contains("steps."),
        Some(recipe::Auth::Basic { user, password } | recipe::Auth::Digest { user, password }) => {
            user.contains("steps.") || password.contains("steps.")
        }
        None => false,
    };
    let mut stops = recipe.stop.iter();
    stops.any(|stop| stop.mentions("steps.") || (proof && !stop.anonymous))
}

/// Whether the filter `ascii` stands in the call that counts, or in a value.
fn is_ascii(recipe: &Recipe) -> bool {
    let mut texts = recipe.request.texts();
    for (_, value) in &recipe.values {
        match value {
            recipe::Value::Text(text) => texts.push(text),
            recipe::Value::Json(json) => leaves(json, &mut texts),
        }
    }
    let mut filters = texts.iter().flat_map(|text| text.split('|').skip(1));
    filters.any(|filter| {
        let rest = filter.trim_start().strip_prefix("ascii");
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// The fields of `message` that may be asked for: those whose names occur in a template at all, and all of them where a
/// template picks one by a computed name or goes through the whole.
fn wanted(templates: &[(String, String)]) -> Vec<&'static str> {
    let is_open = templates.iter().any(|(_, text)| {
        let uses = text.split("message").skip(1);
        uses.into_iter()
            .any(|rest| !rest.trim_start().starts_with('.'))
    });
    let named = |field: &&str| is_open || templates.iter().any(|(_, text)| text.contains(*field));
    FIELDS.into_iter().filter(named).collect()
}
