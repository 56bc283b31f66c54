//! What a recipe's templates may use: `message`, `channel`, `with`, `value` and `found`.

use std::{borrow::Cow, cell::OnceCell};

use serde_json::{Map, Value};

use super::{
    Facts, RecipeProblem,
    compile::CompiledRecipe,
    text::{Text, Tree, written},
};
use crate::{domain::message::Message, template::Context};

/// One step's view of the world. Nothing is converted before a template asks for it, because most answers are judged
/// without any.
pub(super) struct Scene<'a> {
    recipe: &'a CompiledRecipe,
    facts: &'a Facts,
    message: Option<&'a Message>,
    found: Option<Map<String, Value>>,
    context: OnceCell<Result<Context, RecipeProblem>>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        recipe: &'a CompiledRecipe,
        facts: &'a Facts,
        message: Option<&'a Message>,
    ) -> Self {
        Self {
            recipe,
            facts,
            message,
            found: None,
            context: OnceCell::new(),
        }
    }

    /// Makes `found` known.
    pub(super) fn found(&mut self, found: Map<String, Value>) {
        self.found = Some(found);
        self.context = OnceCell::new();
    }

    pub(super) fn text<'t>(&self, text: &'t Text) -> Result<Cow<'t, str>, RecipeProblem> {
        text.render(&self.recipe.templates, || self.context())
    }

    pub(super) fn tree(&self, tree: &Tree) -> Result<Value, RecipeProblem> {
        tree.render(&self.recipe.templates, &|| self.context())
    }

    fn context(&self) -> Result<&Context, RecipeProblem> {
        self.context
            .get_or_init(|| self.build())
            .as_ref()
            .map_err(Clone::clone)
    }

    fn build(&self) -> Result<Context, RecipeProblem> {
        let mut context = self.facts.base.clone();
        if let Some(message) = self.message {
            let wanted = if self.facts.is_lean {
                self.recipe.wanted.as_slice()
            } else {
                &FIELDS
            };
            context.insert("message", &describe(message, wanted));
            let mut values = Map::new();
            for (name, tree) in &self.recipe.values {
                context.insert("value", &Value::Object(values.clone()));
                let value = tree.render(&self.recipe.templates, &|| Ok(&context))?;
                values.insert(name.clone(), Value::String(written(value)));
            }
            context.insert("value", &Value::Object(values));
        }
        if let Some(found) = &self.found {
            context.insert("found", &Value::Object(found.clone()));
        }
        Ok(context)
    }
}

/// The fields of `message`, in the language of recipes.
pub(super) const FIELDS: [&str; 15] = [
    "text",
    "title",
    "summary",
    "html",
    "format",
    "bulletin",
    "ward",
    "ward_name",
    "delivery",
    "due",
    "deadline",
    "attempt",
    "priority",
    "hash",
    "slug",
];

/// `message` as templates see it: the `wanted` fields, because making all of them for every call costs more than the
/// call's rendering.
fn describe(message: &Message, wanted: &[&'static str]) -> Value {
    let fields = wanted
        .iter()
        .map(|field| ((*field).to_owned(), field_of(message, field)));
    Value::Object(fields.collect())
}

fn field_of(message: &Message, field: &str) -> Value {
    let content = &message.content;
    match field {
        "text" => content.text.clone().into(),
        "title" => content.title.clone().into(),
        "summary" => content.summary.clone().unwrap_or_default().into(),
        "html" => content.html.clone().unwrap_or_default().into(),
        "format" => content.format.as_str().into(),
        "bulletin" => content.bulletin.as_str().into(),
        "ward" => message.ward.as_str().into(),
        "ward_name" => message.ward_name.clone().into(),
        "delivery" => message.delivery.as_str().into(),
        "due" => message.due.to_rfc3339().into(),
        "deadline" => message.deadline.to_rfc3339().into(),
        "attempt" => message.attempt.into(),
        "priority" => message.priority.as_str().into(),
        "hash" => message.hash.as_str().into(),
        "slug" => message.slug().into(),
        _ => Value::Null,
    }
}
