//! The texts and JSON trees of a recipe: read once, rendered for each message.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Number, Value};

use super::{RecipeProblem, RecipeProblemKind};
use crate::template::{Context, Templates};

/// A text that may be a template.
#[derive(Debug)]
pub(super) enum Text {
    /// Without anything to fill in.
    Plain(String),
    /// By the name of its template, which is also its path in the recipe.
    Template(String),
}

/// A JSON tree whose texts may be templates.
#[derive(Debug)]
pub(super) enum Tree {
    Value(Value),
    Text(Text),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
    /// `$json`: the JSON of a tree, as a text.
    Json(Box<Tree>),
    /// `$base64`: the base64 of a tree's text or JSON.
    Base64(Box<Tree>),
    /// `$number`: the number that a text spells.
    Number {
        path: String,
        text: Text,
    },
}

/// What reading a recipe collects.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) templates: Vec<(String, String)>,
    pub(super) problems: Vec<RecipeProblem>,
}

impl Reading {
    pub(super) fn problem(&mut self, path: &str, kind: RecipeProblemKind) {
        self.problems.push(RecipeProblem {
            path: path.to_owned(),
            kind,
        });
    }

    pub(super) fn text(&mut self, path: &str, text: &str) -> Text {
        if !["{{", "{%", "{#"].iter().any(|open| text.contains(open)) {
            return Text::Plain(text.to_owned());
        }
        self.templates.push((path.to_owned(), text.to_owned()));
        Text::Template(path.to_owned())
    }

    pub(super) fn tree(&mut self, path: &str, value: &Value) -> Tree {
        match value {
            Value::String(text) => Tree::Text(self.text(path, text)),
            Value::Array(items) => Tree::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.tree(&format!("{path}[{index}]"), item))
                    .collect(),
            ),
            Value::Object(map) => self.map(path, map),
            plain => Tree::Value(plain.clone()),
        }
    }

    fn map(&mut self, path: &str, map: &Map<String, Value>) -> Tree {
        let dollar = map.iter().find(|(key, _)| key.starts_with('$'));
        let Some((key, value)) = dollar else {
            return Tree::Map(
                map.iter()
                    .map(|(key, value)| (key.clone(), self.tree(&format!("{path}.{key}"), value)))
                    .collect(),
            );
        };
        let path = format!("{path}.{key}");
        match (key.as_str(), value, map.len()) {
            ("$json", value, 1) => Tree::Json(Box::new(self.tree(&path, value))),
            ("$base64", value, 1) => Tree::Base64(Box::new(self.tree(&path, value))),
            ("$number", Value::String(text), 1) => {
                let text = self.text(&path, text);
                Tree::Number { path, text }
            }
            _ => {
                self.problem(&path, RecipeProblemKind::Dollar(key.clone()));
                Tree::Value(Value::Null)
            }
        }
    }
}

impl Text {
    /// The text with everything filled in. `context` is only asked for when there is something to fill in.
    pub(super) fn render<'t, 'c>(
        &'t self,
        templates: &Templates,
        context: impl FnOnce() -> Result<&'c Context, RecipeProblem>,
    ) -> Result<Cow<'t, str>, RecipeProblem> {
        match self {
            Self::Plain(text) => Ok(Cow::Borrowed(text)),
            Self::Template(path) => match templates.render_in(path, context()?) {
                Ok(text) => Ok(Cow::Owned(text)),
                Err(error) => Err(RecipeProblem {
                    path: path.clone(),
                    kind: RecipeProblemKind::Template(Box::new(error)),
                }),
            },
        }
    }
}

impl Tree {
    /// The tree with everything filled in.
    pub(super) fn render<'c>(
        &self,
        templates: &Templates,
        context: &impl Fn() -> Result<&'c Context, RecipeProblem>,
    ) -> Result<Value, RecipeProblem> {
        Ok(match self {
            Self::Value(value) => value.clone(),
            Self::Text(text) => Value::String(text.render(templates, context)?.into_owned()),
            Self::List(items) => Value::Array(
                items
                    .iter()
                    .map(|item| item.render(templates, context))
                    .collect::<Result<_, _>>()?,
            ),
            Self::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, tree)| Ok((key.clone(), tree.render(templates, context)?)))
                    .collect::<Result<_, RecipeProblem>>()?,
            ),
            Self::Json(tree) => Value::String(tree.render(templates, context)?.to_string()),
            Self::Base64(tree) => {
                Value::String(STANDARD.encode(written(tree.render(templates, context)?)))
            }
            Self::Number { path, text } => {
                let text = text.render(templates, context)?;
                let number: Number = text.trim().parse().map_err(|_| RecipeProblem {
                    path: path.clone(),
                    kind: RecipeProblemKind::NotANumber,
                })?;
                Value::Number(number)
            }
        })
    }
}

/// A text as it is, anything else as JSON.
pub(super) fn written(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
