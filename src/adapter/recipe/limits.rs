//! How much of the words a receiver takes: measured before anything is sent, because what it would cut is gone without a word.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    CompiledRecipe, Facts, RecipeAdapter, RecipeProblem, RecipeProblemKind, Scene,
    specimen::sample,
    text::{Reading, Text},
};
use crate::{
    adapter::Failure,
    domain::{
        bulletin::Priority,
        channel::Channel,
        delivery::Reason,
        detail::Detail,
        message::{Content, Message},
        recipe::{self, Unit},
        ward::Ward,
    },
};

/// What of a message may have a limit: its words.
const MEASURED: [&str; 5] = ["text", "spoken", "title", "summary", "html"];

/// A limit, read.
#[derive(Debug)]
pub(super) struct Limit {
    /// What is measured: `message.text`.
    of: String,
    text: Text,
    most: usize,
    unit: Unit,
}

/// A text that is longer than its receiver takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLong {
    /// What: `message.text`, or a value of the recipe.
    pub of: String,
    /// What is counted.
    pub unit: Unit,
    /// How many it has.
    pub count: usize,
    /// How many the receiver takes.
    pub most: usize,
}

pub(super) fn read(reading: &mut Reading, recipe: &recipe::Recipe) -> Vec<Limit> {
    let mut limits = Vec::new();
    for limit in &recipe.limits {
        let path = format!("limits.{}", limit.of);
        let is_known = match limit.of.split_once('.') {
            Some(("message", field)) => MEASURED.contains(&field),
            Some(("value", name)) => recipe.values.iter().any(|(known, _)| known == name),
            _ => false,
        };
        if !is_known {
            reading.problem(&path, RecipeProblemKind::Limits);
            continue;
        }
        limits.push(Limit {
            of: limit.of.clone(),
            text: reading.text(&path, &format!("{{{{ {} }}}}", limit.of)),
            most: limit.most,
            unit: limit.unit,
        });
    }
    limits
}

impl Limit {
    /// What is measured, for trials.
    pub(super) fn text(&self) -> &Text {
        &self.text
    }

    fn exceeded(&self, scene: &Scene<'_>) -> Result<Option<TooLong>, RecipeProblem> {
        let count = self.unit.count(&scene.text(&self.text)?);
        Ok((count > self.most).then(|| TooLong {
            of: self.of.clone(),
            unit: self.unit,
            count,
            most: self.most,
        }))
    }
}

impl CompiledRecipe {
    /// What is too long of `content`, the words for `ward`, for a channel with these parameters, whose secrets any text may stand for. What
    /// cannot be filled in is not measured: that is another mistake.
    #[must_use]
    pub fn too_long(
        &self,
        channel: &Channel,
        with: &BTreeMap<String, String>,
        (ward, priority): (&Ward, Priority),
        content: &Arc<Content>,
    ) -> Vec<TooLong> {
        if self.limits.is_empty() {
            return Vec::new();
        }
        let facts = Facts::new(channel.id.as_str(), &channel.name, with);
        let message = Message {
            channel: channel.id.clone(),
            channel_name: channel.name.clone(),
            ward: ward.id.clone(),
            ward_name: ward.name.clone(),
            priority,
            hash: content.hash(),
            content: Arc::clone(content),
            ..sample()
        };
        let scene = Scene::new(self, &facts, Some(&message));
        let limits = self.limits.iter();
        limits
            .filter_map(|limit| limit.exceeded(&scene).ok()?)
            .collect()
    }
}

impl RecipeAdapter {
    /// Why a message is not sent of which the receiver would take only a part.
    pub(super) fn refuses(&self, scene: &Scene<'_>) -> Result<Option<Failure>, RecipeProblem> {
        for limit in &self.recipe.limits {
            if let Some(found) = limit.exceeded(scene)? {
                let code = format!("call-too-long-{}", found.unit.as_str());
                let detail = Detail::new(&code)
                    .with("of", found.of)
                    .with("count", found.count)
                    .with("most", found.most);
                return Ok(Some(Failure::reject(Reason::Unwritable, detail)));
            }
        }
        Ok(None)
    }
}
