//! Channels that are sent something twice after a lost answer, where nothing tells their receiver that it is the same.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        channel::{ChannelKind, Mode},
        id::RecipeId,
        recipe::{Recipe, Value, leaves},
    },
    source::{
        notebook::Notebook,
        raw::channel::{RawAdapter, RawChannel},
    },
};

/// What is the same on every attempt and different for everything that is sent.
const KEYS: [&str; 2] = ["message.delivery", "message.hash"];

/// What a page is called. A site that has one of that name already calls the next one something else, and shows both.
const NAME: &str = "message.slug";

/// What is another on the next attempt. A key with one of these in it is another key.
const CHANGING: [&str; 3] = ["message.attempt", "message.nonce", "message.sent_at"];

/// Reports channels whose mode nobody chose, which repeat after doubt, and whose recipe neither asks what is there nor names anything by
/// which a receiver could know the same thing again. `Idempotency-Key` always goes along, but few receivers know it. Where a key is
/// another one on each attempt, somebody meant to have one: that is told whoever chose the mode.
pub(super) fn check(
    notebook: &Notebook,
    recipes: &BTreeMap<RecipeId, Recipe>,
    channels: &[RawChannel],
) {
    for raw in channels {
        let Some(RawAdapter::Recipe { recipe, at, .. }) = &raw.adapter else {
            continue;
        };
        let (Some(kind), Some(read)) = (raw.kind, recipes.get(recipe)) else {
            continue;
        };
        if raw.mode != Mode::AtLeastOnce || read.find.is_some() {
            continue;
        }
        let keyed = Keyed::of(read, kind);
        let help = match keyed {
            Keyed::Well => continue,
            Keyed::Anew => "L274-help-attempt",
            _ if raw.says_mode => continue,
            Keyed::ByName => "L274-help-slug",
            Keyed::Not => "L274-help",
        };
        let found = Diagnostic::new(Code::MayRepeat, at.clone())
            .with("channel", raw.id.as_str())
            .with("recipe", recipe.as_str());
        notebook.report(found.help(Phrase::new(help)));
    }
}

/// How the call that counts says what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keyed {
    /// By a key, or by an address that is written over (`PUT`).
    Well,
    /// By a key that is another one on each attempt.
    Anew,
    /// By the name of a page.
    ByName,
    /// Not at all.
    Not,
}

impl Keyed {
    fn of(recipe: &Recipe, kind: ChannelKind) -> Self {
        if recipe.request.method == "PUT" {
            return Self::Well;
        }
        let named = [NAME];
        let keys: Vec<&str> = match kind {
            ChannelKind::Website => KEYS.to_vec(),
            _ => KEYS.iter().chain(&named).copied().collect(),
        };
        let mut texts = recipe.request.texts();
        for (_, value) in &recipe.values {
            match value {
                Value::Text(text) => texts.push(text),
                Value::Json(json) => leaves(json, &mut texts),
            }
        }
        let words = texts.iter().flat_map(|text| words(text));
        let (mut changes, mut is_named) = (false, false);
        for word in words {
            let has = |names: &[&str]| names.iter().any(|name| word.contains(name));
            if !has(&keys) {
                is_named |= has(&named);
            } else if has(&CHANGING) {
                changes = true;
            } else {
                return Self::Well;
            }
        }
        match (changes, is_named) {
            (true, _) => Self::Anew,
            (false, true) => Self::ByName,
            (false, false) => Self::Not,
        }
    }
}

/// A text in parts that a receiver would read by themselves: what stands between the signs of addresses, forms, JSON and XML. What is
/// filled in stays whole, with all that is joined to it.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut begun, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, sign) in text.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if sign.is_whitespace() || "<>\"'&,;|()[]/?=".contains(sign) => {
                words.push(&text[begun..at]);
                begun = at + sign.len_utf8();
            }
            _ => {}
        }
    }
    words.push(&text[begun..]);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_is_one_word() {
        for (text, expected) in [
            ("{{ a }}-{{ b }}", vec!["{{ a }}-{{ b }}"]),
            ("<i>{{ a }}</i>", vec!["", "i", "{{ a }}", "", "i", ""]),
            ("{{ a ~ \"/\" ~ b }}/x", vec!["{{ a ~ \"/\" ~ b }}", "x"]),
        ] {
            assert_eq!(words(text), expected);
        }
    }
}
