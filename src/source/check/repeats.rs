//! Channels that are sent something twice after a lost answer, where nothing tells their receiver that it is the same.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        channel::Mode,
        id::RecipeId,
        recipe::{Recipe, Value},
    },
    source::{
        notebook::Notebook,
        raw::channel::{RawAdapter, RawChannel},
    },
};

/// What is the same on every attempt and different for everything that is sent.
const KEYS: [&str; 3] = ["message.delivery", "message.hash", "message.slug"];

/// Reports channels whose mode nobody chose, which repeat after doubt, and whose recipe neither asks what is there nor names anything by
/// which a receiver could know the same thing again. `Idempotency-Key` always goes along, but few receivers know it.
pub(super) fn check(
    notebook: &Notebook,
    recipes: &BTreeMap<RecipeId, Recipe>,
    channels: &[RawChannel],
) {
    for raw in channels {
        let Some(RawAdapter::Recipe { recipe, at, .. }) = &raw.adapter else {
            continue;
        };
        let repeats = raw.kind.is_some() && raw.mode == Mode::AtLeastOnce && !raw.says_mode;
        let is_blind = |recipe: &Recipe| recipe.find.is_none() && !has_key(recipe);
        if repeats && recipes.get(recipe).is_some_and(is_blind) {
            let found = Diagnostic::new(Code::MayRepeat, at.clone())
                .with("channel", raw.id.as_str())
                .with("recipe", recipe.as_str());
            notebook.report(found.help(Phrase::new("L274-help")));
        }
    }
}

/// Whether the call that counts says what it is about: by a key, or by an address that is written over (`PUT`).
fn has_key(recipe: &Recipe) -> bool {
    let in_values = recipe.values.iter().any(|(_, value)| {
        let text = match value {
            Value::Text(text) => text.clone(),
            Value::Json(json) => json.to_string(),
        };
        KEYS.iter().any(|key| text.contains(key))
    });
    let named = KEYS.iter().any(|key| recipe.request.mentions(key));
    recipe.request.method == "PUT" || in_values || named
}
