//! What a recipe's templates may use: `message`, `channel`, `with`, `value` and `found`.

use std::{borrow::Cow, cell::OnceCell};

use serde_json::{Map, Value, json};

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
        let mut context = Context::default();
        context.insert("channel", &self.facts.channel);
        context.insert("with", &self.facts.with);
        if let Some(message) = self.message {
            context.insert("message", &describe(message));
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

/// `message` as templates see it.
fn describe(message: &Message) -> Value {
    let content = &message.content;
    json!({
        "text": content.text,
        "title": content.title,
        "summary": content.summary.as_deref().unwrap_or_default(),
        "html": content.html.as_deref().unwrap_or_default(),
        "format": content.format.as_str(),
        "bulletin": content.bulletin.as_str(),
        "ward": message.ward.as_str(),
        "ward_name": message.ward_name,
        "delivery": message.delivery.as_str(),
        "due": message.due.to_rfc3339(),
        "deadline": message.deadline.to_rfc3339(),
        "attempt": message.attempt,
        "priority": message.priority.as_str(),
        "hash": message.hash.as_str(),
        "slug": message.slug(),
    })
}
