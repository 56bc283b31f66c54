//! Which secrets a call carries, for the conformance kit: the call once more with a mark in a secret's place.

use std::sync::Arc;

use super::{Facts, RecipeAdapter};
use crate::{
    adapter::{Exchange, MARK, Request, Step},
    domain::message::Message,
};

impl RecipeAdapter {
    /// The next call with a mark in the place of each secret parameter. Left out is what cannot be written so: a secret that is a whole
    /// address, for one.
    pub(super) fn marked(&self, message: &Message, done: &[Exchange]) -> Vec<(String, Request)> {
        let with = self.facts.with.iter();
        let secret = with.filter(|(_, value)| {
            let mut secrets = self.secrets.iter();
            secrets.any(|secret| secret.expose() == value)
        });
        let requests = secret.filter_map(|(name, _)| {
            let step = self.with_mark(name).replay(message, done, message.sent_at);
            match step {
                Step::Call(request) => Some((name.clone(), request)),
                _ => None,
            }
        });
        requests.collect()
    }

    fn with_mark(&self, marked: &str) -> Self {
        let facts = &self.facts;
        let with = facts.with.iter().map(|(name, value)| {
            let value = if name == marked { MARK } else { value };
            (name.clone(), value.to_owned())
        });
        Self {
            recipe: Arc::clone(&self.recipe),
            facts: Facts {
                id: facts.id.clone(),
                name: facts.name.clone(),
                with: with.collect(),
                is_lean: facts.is_lean,
            },
            secrets: Vec::new(),
            host: self.host.clone(),
            // It may hold the secret.
            address: None,
        }
    }
}
