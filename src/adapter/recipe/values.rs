//! `values`: what a recipe works out once, and which of it is there without a message, too.

use std::collections::BTreeSet;

use super::{
    parts::read_value,
    text::{Reading, Tree},
};
use crate::domain::recipe;

/// What only a message has.
const OF_MESSAGE: [&str; 3] = ["message", "audio", "picture"];

/// A named value, read.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) tree: Tree,
    /// Whether it is made from the message or its sound, so that a probe has none.
    pub(super) is_of_message: bool,
}

pub(super) fn read(reading: &mut Reading, recipe: &recipe::Recipe) -> Vec<Named> {
    let mut of_message = BTreeSet::new();
    let mut read = Vec::new();
    for (name, value) in &recipe.values {
        let is_of_message = is_of_message(value, &of_message);
        if is_of_message {
            of_message.insert(name.as_str());
        }
        read.push(Named {
            name: name.clone(),
            tree: read_value(reading, name, value),
            is_of_message,
        });
    }
    read
}

/// Whether a value names what only a message has, or one of `others`, which do.
fn is_of_message(value: &recipe::Value, others: &BTreeSet<&str>) -> bool {
    let text = match value {
        recipe::Value::Text(text) => text.clone(),
        recipe::Value::Json(json) => json.to_string(),
    };
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words: Vec<&str> = text.split(|letter| !is_word(letter)).collect();
    let mut named = OF_MESSAGE.iter().filter(|root| names(&text, root));
    // By their bare names: `value["key"]` is one, too. One too many only means that a probe has it not.
    named.next().is_some()
        || (words.contains(&"value") && others.iter().any(|other| words.contains(other)))
}

/// Whether `root` stands in a text as a name of its own, and not as a field of another.
fn names(text: &str, root: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(root).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + root.len()..]);
        !before.ends_with(|letter| is_part(letter) || letter == '.') && !after.starts_with(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_has_a_part_in_is_known() {
        let others = BTreeSet::from(["slug"]);
        for (text, is) in [
            ("{{ message.text }}", true),
            ("{{message['text']}}", true),
            ("{{ 'a' ~ audio.md5 }}", true),
            ("{% if picture %}a{% endif %}", true),
            ("{{ value.slug | upper }}", true),
            ("{{ value['slug'] }}", true),
            ("{{ with.user ~ ':' ~ with.password }}", false),
            ("{{ with.message }}", false),
            ("{{ channel.id }}-message_id", false),
            ("{{ value.key }}", false),
            ("{{ with.slug }}", false),
        ] {
            let value = recipe::Value::Text(text.to_owned());
            assert_eq!(is_of_message(&value, &others), is, "{text}");
        }
        let sound = recipe::Value::Json(serde_json::json!({ "$audio": "base64" }));
        assert!(is_of_message(&sound, &others));
    }
}
