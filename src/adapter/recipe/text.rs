//! The texts and JSON trees of a recipe: read once, rendered for each message.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Serialize, de::IgnoredAny};
use serde_json::{Map, Number, Value};

use super::{
    RecipeProblem, RecipeProblemKind,
    names::{self, Names},
    pieces::Piece,
};
use crate::{
    domain::audio::Audio,
    template::{Context, Templates},
};

/// A text that may be a template.
#[derive(Debug)]
pub(super) enum Text {
    /// Without anything to fill in.
    Plain(String),
    /// With nothing but names to fill in. The engine has it too, under its path, for names that are not there.
    Names {
        parts: Vec<names::Part>,
        path: String,
    },
    /// By the name of its template, which is also its path in the recipe.
    Template(String),
}

/// What texts are filled in with: names, and an engine for everything that is more than a name.
pub(super) struct Filling<'a, 'e> {
    pub(super) names: Names<'a>,
    pub(super) audio: Option<&'a Audio>,
    pub(super) picture: Option<&'a Bytes>,
    /// What of them goes out.
    pub(super) piece: Option<&'a Piece>,
    pub(super) templates: &'e Templates,
    /// Only asked for when the engine is.
    pub(super) context: &'e dyn Fn() -> Result<&'e Context, RecipeProblem>,
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
        /// Whether anything in it comes from a step.
        follows: bool,
    },
    /// `$parse`: the JSON that a text spells, as it is.
    Parse {
        path: String,
        text: Text,
        /// Whether anything in it comes from a step.
        follows: bool,
    },
    /// `$audio: base64`: the message's sound.
    Audio {
        path: String,
    },
    /// `$picture: base64`: its picture.
    Picture {
        path: String,
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
        let path = path.to_owned();
        match names::read(text) {
            Some(parts) => Text::Names { parts, path },
            None => Text::Template(path),
        }
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
            ("$audio", Value::String(coding), 1) if coding == "base64" => Tree::Audio { path },
            ("$picture", Value::String(coding), 1) if coding == "base64" => Tree::Picture { path },
            ("$number", Value::String(text), 1) => {
                let follows = text.contains("steps.");
                let text = self.text(&path, text);
                Tree::Number {
                    path,
                    text,
                    follows,
                }
            }
            ("$parse", Value::String(text), 1) => {
                let follows = text.contains("steps.");
                let text = self.text(&path, text);
                Tree::Parse {
                    path,
                    text,
                    follows,
                }
            }
            _ => {
                self.problem(&path, RecipeProblemKind::Dollar(key.clone()));
                Tree::Value(Value::Null)
            }
        }
    }
}

impl Text {
    /// The text with everything filled in.
    pub(super) fn render<'t>(
        &'t self,
        filling: &Filling<'t, '_>,
    ) -> Result<Cow<'t, str>, RecipeProblem> {
        let path = match self {
            Self::Plain(text) => return Ok(Cow::Borrowed(text)),
            Self::Names { parts, path } => match filling.names.fill(parts) {
                Some(text) => return Ok(text),
                None => path,
            },
            Self::Template(path) => path,
        };
        match filling.templates.render_in(path, (filling.context)()?) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(error) => Err(RecipeProblem {
                path: path.clone(),
                kind: RecipeProblemKind::Template(Box::new(error)),
            }),
        }
    }
}

impl Text {
    /// Whether it is the same for everything that a channel is sent.
    pub(super) fn is_of_channel(&self) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Names { parts, .. } => parts.iter().all(names::Part::is_of_channel),
            Self::Template(_) => false,
        }
    }

    fn quoted<'t>(&self, filling: &Filling<'t, '_>) -> Option<&'t str> {
        match self {
            Self::Names { parts, .. } => filling.names.quoted(parts),
            Self::Plain(_) | Self::Template(_) => None,
        }
    }
}

impl Tree {
    /// Writes the tree as JSON, with everything filled in.
    pub(super) fn write(
        &self,
        filling: &Filling<'_, '_>,
        out: &mut Vec<u8>,
    ) -> Result<(), RecipeProblem> {
        match self {
            Self::Value(value) => json(value, out),
            Self::Text(text) => match text.quoted(filling) {
                Some(quoted) => out.extend_from_slice(quoted.as_bytes()),
                None => json(&text.render(filling)?, out),
            },
            Self::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write(filling, out)?;
                }
                out.push(b']');
            }
            Self::Map(entries) => {
                out.push(b'{');
                for (index, (key, item)) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    json(key, out);
                    out.push(b':');
                    item.write(filling, out)?;
                }
                out.push(b'}');
            }
            Self::Json(_) | Self::Base64(_) | Self::Audio { .. } | Self::Picture { .. } => {
                json(&self.text(filling)?, out);
            }
            Self::Number { path, text, .. } => json(&number(path, text, filling)?, out),
            Self::Parse { path, text, .. } => {
                out.extend_from_slice(spelt(path, text, filling)?.trim().as_bytes());
            }
        }
        Ok(())
    }

    /// Tries the numbers and the JSON in it that do not come from a step.
    pub(super) fn spelt(&self, filling: &Filling<'_, '_>) -> Result<(), RecipeProblem> {
        match self {
            Self::Number {
                path,
                text,
                follows: false,
            } => number(path, text, filling).map(drop),
            Self::Parse {
                path,
                text,
                follows: false,
            } => spelt(path, text, filling).map(drop),
            Self::List(items) => items.iter().try_for_each(|item| item.spelt(filling)),
            Self::Map(entries) => {
                let mut trees = entries.iter().map(|(_, tree)| tree);
                trees.try_for_each(|tree| tree.spelt(filling))
            }
            Self::Json(tree) | Self::Base64(tree) => tree.spelt(filling),
            Self::Value(_)
            | Self::Text(_)
            | Self::Number { .. }
            | Self::Parse { .. }
            | Self::Audio { .. }
            | Self::Picture { .. } => Ok(()),
        }
    }

    /// A text as it is, anything else as JSON.
    pub(super) fn text(&self, filling: &Filling<'_, '_>) -> Result<String, RecipeProblem> {
        Ok(match self {
            Self::Value(Value::String(text)) => text.clone(),
            Self::Text(text) => text.render(filling)?.into_owned(),
            Self::Json(tree) => tree.json(filling)?,
            Self::Base64(tree) => STANDARD.encode(tree.text(filling)?),
            Self::Audio { path } => {
                let audio = filling.audio.ok_or_else(|| RecipeProblem {
                    path: path.clone(),
                    kind: RecipeProblemKind::NoAudio,
                })?;
                STANDARD.encode(cut(&audio.data, filling.piece))
            }
            Self::Picture { path } => {
                let picture = filling.picture.ok_or_else(|| RecipeProblem {
                    path: path.clone(),
                    kind: RecipeProblemKind::NoPicture,
                })?;
                STANDARD.encode(cut(picture, filling.piece))
            }
            Self::Value(_)
            | Self::List(_)
            | Self::Map(_)
            | Self::Number { .. }
            | Self::Parse { .. } => self.json(filling)?,
        })
    }

    fn json(&self, filling: &Filling<'_, '_>) -> Result<String, RecipeProblem> {
        let mut out = Vec::new();
        self.write(filling, &mut out)?;
        Ok(String::from_utf8(out).expect("JSON is text"))
    }
}

/// What of a file goes out.
pub(super) fn cut(file: &Bytes, piece: Option<&Piece>) -> Bytes {
    piece.map_or_else(|| file.clone(), |piece| piece.of(file))
}

fn json<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("texts and numbers are always JSON");
}

fn number(path: &str, text: &Text, filling: &Filling<'_, '_>) -> Result<Number, RecipeProblem> {
    let text = text.render(filling)?;
    text.trim().parse().map_err(|_| RecipeProblem {
        path: path.to_owned(),
        kind: RecipeProblemKind::NotANumber,
    })
}

/// A text that spells JSON.
fn spelt<'t>(
    path: &str,
    text: &'t Text,
    filling: &Filling<'t, '_>,
) -> Result<Cow<'t, str>, RecipeProblem> {
    let text = text.render(filling)?;
    match serde_json::from_str::<IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err(RecipeProblem {
            path: path.to_owned(),
            kind: RecipeProblemKind::NotJson,
        }),
    }
}
