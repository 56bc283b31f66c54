//! Batches as the one JSON parameter of a set-based statement.
//!
//! PostgreSQL's TEXT cannot hold U+0000, and answers of strange devices do; it becomes U+FFFD on both databases.

use std::{borrow::Cow, time::Duration};

use serde::{Serialize, Serializer as _};

/// Deliveries to journal about: id, event, detail.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    pub delivery_id: &'a str,
    pub event: &'a str,
    pub detail: Cow<'a, str>,
}

/// The JSON of a batch.
pub(super) fn json<T: Serialize>(batch: &[T]) -> String {
    serde_json::to_string(batch).expect("texts, numbers and flags are always JSON")
}

/// The JSON of pairs of a name and a number.
pub(super) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, i64)>) -> String {
    let mut written = Vec::new();
    serde_json::Serializer::new(&mut written)
        .collect_map(pairs)
        .expect("names and numbers are always JSON");
    String::from_utf8(written).expect("JSON is text")
}

/// A text that both databases can hold.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A length in whole microseconds.
pub(super) fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

/// [`clean`] for what may be absent.
pub(super) fn clean_option(text: Option<&str>) -> Option<Cow<'_, str>> {
    text.map(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_characters_are_replaced() {
        assert_eq!(clean("a\0b"), "a\u{fffd}b");
        assert!(matches!(clean("ab"), Cow::Borrowed("ab")));
        let line = Line {
            delivery_id: "d",
            event: "e",
            detail: "\"x\"\n".into(),
        };
        assert_eq!(
            json(&[line]),
            r#"[{"delivery_id":"d","event":"e","detail":"\"x\"\n"}]"#
        );
        assert_eq!(pairs([("a", 1), ("b", -2)]), r#"{"a":1,"b":-2}"#);
    }
}
