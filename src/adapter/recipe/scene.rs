//! What a recipe's templates may use: `message`, `channel`, `with`, `value` and `found`.

use std::{borrow::Cow, cell::OnceCell};

use serde_json::{Map, Value};

use super::{
    Facts, RecipeProblem,
    compile::CompiledRecipe,
    names::Names,
    text::{Filling, Text, Tree},
};
use crate::{
    domain::{audio::Audio, message::Message},
    template::Context,
};

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

    /// The message's sound.
    pub(super) fn audio(&self) -> Option<&'a Audio> {
        self.message?.audio.as_ref()
    }

    pub(super) fn text<'t>(&'t self, text: &'t Text) -> Result<Cow<'t, str>, RecipeProblem> {
        text.render(&self.filling(&|| self.context()))
    }

    /// The JSON of a tree.
    pub(super) fn json(&self, tree: &Tree) -> Result<Vec<u8>, RecipeProblem> {
        let mut out = Vec::with_capacity(2048);
        tree.write(&self.filling(&|| self.context()), &mut out)?;
        Ok(out)
    }

    fn filling<'t, 'e>(
        &'t self,
        context: &'e dyn Fn() -> Result<&'e Context, RecipeProblem>,
    ) -> Filling<'t, 'e>
    where
        't: 'e,
    {
        Filling {
            names: Names {
                facts: self.facts,
                message: self.message,
            },
            templates: &self.recipe.templates,
            context,
        }
    }

    fn context(&self) -> Result<&Context, RecipeProblem> {
        self.context
            .get_or_init(|| self.build())
            .as_ref()
            .map_err(Clone::clone)
    }

    fn build(&self) -> Result<Context, RecipeProblem> {
        let mut context = self.facts.base();
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
                let value = tree.text(&self.filling(&|| Ok(&context)))?;
                values.insert(name.clone(), Value::String(value));
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
pub(super) const FIELDS: [&str; 16] = [
    "text",
    "spoken",
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
    match field {
        "attempt" => message.attempt.into(),
        _ => text_of(message, field).map_or(Value::Null, |text| text.into_owned().into()),
    }
}

/// A field of `message`, written out; `None` for what is none of [`FIELDS`].
pub(super) fn text_of<'a>(message: &'a Message, field: &str) -> Option<Cow<'a, str>> {
    let content = &message.content;
    Some(match field {
        "text" => Cow::Borrowed(&content.text),
        "spoken" => content.voiced(),
        "title" => Cow::Borrowed(&content.title),
        "summary" => Cow::Borrowed(content.summary.as_deref().unwrap_or_default()),
        "html" => Cow::Borrowed(content.html.as_deref().unwrap_or_default()),
        "format" => Cow::Borrowed(content.format.as_str()),
        "bulletin" => Cow::Borrowed(content.bulletin.as_str()),
        "ward" => Cow::Borrowed(message.ward.as_str()),
        "ward_name" => Cow::Borrowed(&message.ward_name),
        "delivery" => Cow::Borrowed(message.delivery.as_str()),
        "due" => Cow::Owned(message.due.to_rfc3339()),
        "deadline" => Cow::Owned(message.deadline.to_rfc3339()),
        "attempt" => Cow::Owned(message.attempt.to_string()),
        "priority" => Cow::Borrowed(message.priority.as_str()),
        "hash" => Cow::Borrowed(message.hash.as_str()),
        "slug" => Cow::Owned(message.slug()),
        _ => return None,
    })
}
