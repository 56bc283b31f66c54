//! Recipes read: every template parsed, every pointer, method and header name checked, all mistakes at once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    Facts, Recipe, RecipeProblem, RecipeProblemKind, Scene,
    judge::{Condition, check_pointer},
    scene::FIELDS,
    text::{Reading, Text, Tree},
    write::{Call, each_leaf},
};
use crate::{
    domain::{
        audio::{Audio, AudioFormat, Sound, SoundHash},
        bulletin::{Format, Priority},
        id::{BulletinId, ChannelId, DeliveryId, RecipeId, WardId},
        message::{Content, Message},
        recipe::{self, Verdict},
        time::Timestamp,
    },
    template::{TemplateErrorKind, Templates},
};

/// A recipe, read once for all its channels.
#[derive(Debug)]
pub struct CompiledRecipe {
    pub(super) id: RecipeId,
    pub(super) templates: Templates,
    /// The fields of `message` that the templates name.
    pub(super) wanted: Vec<&'static str>,
    /// What the recipe declares, with defaults.
    parameters: BTreeMap<String, Option<String>>,
    pub(super) values: Vec<(String, Tree)>,
    pub(super) find: Option<Question>,
    pub(super) request: Call,
    pub(super) stop: Option<Call>,
    pub(super) accepted: Condition,
    pub(super) receipt: Option<String>,
    pub(super) errors: Vec<(Condition, Verdict)>,
    pub(super) probe: Option<Pulse>,
}

/// "Is it already there?", read.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) always: bool,
    pub(super) call: Call,
    pub(super) found: Condition,
    pub(super) absent: Condition,
    pub(super) take: Vec<(String, String)>,
    pub(super) update: Option<Call>,
}

/// "Are you alive?", read.
#[derive(Debug)]
pub(super) struct Pulse {
    pub(super) call: Call,
    pub(super) healthy: Condition,
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
            parameters: recipe
                .parameters
                .iter()
                .map(|(name, spec)| (name.clone(), spec.default.clone()))
                .collect(),
            values: recipe
                .values
                .iter()
                .map(|(name, value)| (name.clone(), read_value(&mut reading, name, value)))
                .collect(),
            find: recipe
                .find
                .as_ref()
                .map(|find| read_find(&mut reading, find)),
            request: Call::read(&mut reading, "request", &recipe.request),
            stop: recipe
                .stop
                .as_ref()
                .map(|stop| Call::read(&mut reading, "stop", stop)),
            accepted: Condition::read_success(&mut reading, "accepted", &recipe.accepted.when),
            receipt: recipe.accepted.receipt.clone(),
            errors: recipe
                .errors
                .iter()
                .enumerate()
                .map(|(index, rule)| {
                    (
                        Condition::read(&mut reading, &format!("errors[{index}]"), &rule.when),
                        rule.then,
                    )
                })
                .collect(),
            probe: recipe.probe.as_ref().map(|probe| Pulse {
                call: Call::read(&mut reading, "probe.request", &probe.request),
                healthy: Condition::read_success(&mut reading, "probe.healthy", &probe.healthy),
            }),
        };
        if let Some(pointer) = &compiled.receipt {
            check_pointer(&mut reading, "accepted.receipt", pointer);
        }
        let Reading {
            templates,
            mut problems,
        } = reading;
        compiled.wanted = wanted(&templates);
        let errors = compiled.templates.add_all(templates);
        problems.extend(errors.into_iter().map(|error| RecipeProblem {
            path: error.template.clone(),
            kind: RecipeProblemKind::Template(Box::new(error)),
        }));
        // Of what is wrong otherwise, what is in it is not known.
        let unknown = compiled.unknown_names();
        let is_new = |found: &RecipeProblem| problems.iter().all(|known| known.path != found.path);
        let unknown: Vec<_> = unknown.into_iter().filter(is_new).collect();
        problems.extend(unknown);
        if problems.is_empty() {
            Ok(Arc::new(compiled))
        } else {
            Err(problems)
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
        let message = sample();
        let mut scene = Scene::new(self, &facts, Some(&message));
        self.request.host(&scene)?;
        self.request.write(&scene, None)?;
        if let Some(stop) = &self.stop {
            stop.host(&scene)?;
            stop.write(&scene, None)?;
        }
        self.conditions()
            .try_for_each(|text| scene.text(text).map(drop))?;
        if let Some(find) = &self.find {
            find.call.host(&scene)?;
            find.call.write(&scene, None)?;
            find.texts()
                .try_for_each(|text| scene.text(text).map(drop))?;
            if let Some(update) = &find.update {
                scene.found(find.sample());
                update.host(&scene)?;
                update.write(&scene, None)?;
            }
        }
        if let Some(probe) = &self.probe {
            let scene = Scene::new(self, &facts, None);
            probe.call.host(&scene)?;
            probe.call.write(&scene, None)?;
            probe
                .healthy
                .texts()
                .try_for_each(|text| scene.text(text).map(drop))?;
        }
        Ok(())
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
        self.request.host(&Scene::new(self, facts, Some(&sample())))
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
        let message = sample();
        let mut problems: HashMap<String, RecipeProblem> = HashMap::new();
        let mut note = |problem: RecipeProblem| {
            if let RecipeProblemKind::Template(error) = &problem.kind
                && matches!(error.kind, TemplateErrorKind::UndefinedVariable { .. })
            {
                problems.insert(problem.path.clone(), problem);
            }
        };
        let mut scene = Scene::new(self, &facts, Some(&message));
        let mut noted =
            |scene: &Scene<'_>, text: &Text| scene.text(text).map_or_else(&mut note, drop);
        for (_, tree) in &self.values {
            each_leaf(tree, &mut |text| noted(&scene, text));
        }
        self.conditions().for_each(|text| noted(&scene, text));
        if let Some(find) = &self.find {
            find.texts().for_each(|text| noted(&scene, text));
        }
        if let Some(probe) = &self.probe {
            let scene = Scene::new(self, &facts, None);
            probe.healthy.texts().for_each(|text| noted(&scene, text));
            probe.call.each(&scene, &mut note);
        }
        self.request.each(&scene, &mut note);
        if let Some(stop) = &self.stop {
            stop.each(&scene, &mut note);
        }
        if let Some(find) = &self.find {
            find.call.each(&scene, &mut note);
            scene.found(find.sample());
            if let Some(update) = &find.update {
                update.each(&scene, &mut note);
            }
        }
        let mut problems: Vec<RecipeProblem> = problems.into_values().collect();
        problems.sort_by(|a, b| a.path.cmp(&b.path));
        problems
    }

    fn conditions(&self) -> impl Iterator<Item = &Text> {
        self.accepted.texts().chain(
            self.errors
                .iter()
                .flat_map(|(condition, _)| condition.texts()),
        )
    }
}

impl Question {
    fn texts(&self) -> impl Iterator<Item = &Text> {
        self.found.texts().chain(self.absent.texts())
    }

    /// `found` as it could be.
    fn sample(&self) -> Map<String, Value> {
        self.take
            .iter()
            .map(|(name, _)| (name.clone(), Value::from(1)))
            .collect()
    }
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

fn read_value(reading: &mut Reading, name: &str, value: &recipe::Value) -> Tree {
    match value {
        recipe::Value::Text(text) => Tree::Text(reading.text(&format!("values.{name}"), text)),
        recipe::Value::Json(json) => reading.tree(&format!("values.{name}.json"), json),
    }
}

fn read_find(reading: &mut Reading, find: &recipe::Find) -> Question {
    for (name, pointer) in &find.take {
        check_pointer(reading, &format!("find.take.{name}"), pointer);
    }
    Question {
        always: find.always,
        call: Call::read(reading, "find.request", &find.request),
        found: Condition::read_success(reading, "find.found", &find.found),
        absent: Condition::read_success(reading, "find.absent", &find.absent),
        take: find
            .take
            .iter()
            .map(|(name, pointer)| (name.clone(), pointer.clone()))
            .collect(),
        update: find
            .update
            .as_ref()
            .map(|update| Call::read(reading, "find.update", update)),
    }
}

/// A message with everything that a message can have.
fn sample() -> Message {
    let content = Content {
        bulletin: BulletinId::parse("sample").expect("an id"),
        format: Format::Article,
        title: "Tiêu đề".to_owned(),
        summary: Some("Tóm tắt".to_owned()),
        text: "Nội dung".to_owned(),
        html: Some("<p>Nội dung</p>".to_owned()),
        turns: Vec::new(),
        spoken: Vec::new(),
        quoted: crate::domain::message::Quoted::default(),
        contacts: Vec::new(),
        recording: None,
    };
    let at = Timestamp::from_micros(1_711_319_400_000_000);
    Message {
        delivery: DeliveryId::from_text("00000000000000000000"),
        attempt: 1,
        channel: ChannelId::parse("sample").expect("an id"),
        channel_name: "Sample".to_owned(),
        ward: WardId::parse("sample").expect("an id"),
        ward_name: "phường Mẫu".to_owned(),
        priority: Priority::Normal,
        preempts: false,
        due: at,
        deadline: at,
        sent_at: at,
        hash: content.hash(),
        content: Arc::new(content),
        audio: Some(Audio {
            sound: Sound {
                hash: SoundHash::of(b""),
                format: AudioFormat::Wav,
                length: Duration::ZERO,
                spoken: Duration::ZERO,
                loudness: 0.0,
                peak: 0.0,
                size: 0,
            },
            data: Bytes::new(),
        }),
    }
}
