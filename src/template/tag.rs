//! Where the tags of a template begin and end. Used on texts that the engine has parsed or is about to judge, so it need
//! not say what is wrong with one: a tag that never closes ends the search.

use std::ops::Range;

/// `{{ … }}` or `{% … %}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    /// Its bytes, brackets included.
    pub range: Range<usize>,
    /// Its bytes without brackets and dashes.
    pub inner: Range<usize>,
    /// Whether it is `{% … %}`.
    pub is_block: bool,
}

impl Tag {
    /// The tag between the brackets of `range`.
    pub(super) fn new(text: &str, range: Range<usize>) -> Self {
        let written = &text[range.clone()];
        let body = written.get(2..).unwrap_or("");
        let left = 2 + usize::from(body.starts_with('-'));
        let closed = ["-}}", "-%}", "}}", "%}", "}"]
            .into_iter()
            .find(|end| written.len() >= left + end.len() && written.ends_with(end));
        let right = closed.map_or(0, str::len);
        Self {
            inner: range.start + left.min(written.len())..range.end - right,
            is_block: written.starts_with("{%"),
            range,
        }
    }

    /// The tag's first word: `if`, `for`, `include` and so on; empty for `{{ … }}`.
    pub(super) fn word<'t>(&self, text: &'t str) -> &'t str {
        if !self.is_block {
            return "";
        }
        let inner = text[self.inner.clone()].trim_start();
        &inner[..identifier(inner)]
    }

    /// What follows the first word.
    pub(super) fn rest<'t>(&self, text: &'t str) -> &'t str {
        let inner = text[self.inner.clone()].trim_start();
        &inner[self.word(text).len()..]
    }
}

/// How many bytes of an identifier `text` begins with.
pub(super) fn identifier(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

/// All tags, without comments and what stands in `{% raw %}`.
pub(super) fn tags(text: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|offset| at + offset) {
        let close = match text[open..].get(..2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some("{#") => {
                let Some(end) = text[open..].find("#}") else {
                    break;
                };
                at = open + end + 2;
                continue;
            }
            _ => {
                at = open + 1;
                continue;
            }
        };
        let Some(end) = outside_quotes(&text[open + 2..], |rest| rest.starts_with(close)) else {
            break;
        };
        let tag = Tag::new(text, open..open + 2 + end + 2);
        at = tag.range.end;
        if tag.word(text) == "raw" {
            at += end_of_raw(&text[at..]);
        }
        found.push(tag);
    }
    found
}

/// How many bytes are raw.
fn end_of_raw(text: &str) -> usize {
    let ends = text.match_indices("{%").find(|(at, _)| {
        let tag = &text[at + 2..];
        let tag = tag.strip_prefix('-').unwrap_or(tag);
        tag.trim_start().starts_with("endraw")
    });
    ends.map_or(text.len(), |(at, _)| at)
}

/// Where `wanted` first holds of the rest of a tag's inside, quoted texts left out.
pub(super) fn outside_quotes<'t>(
    text: &'t str,
    mut wanted: impl FnMut(&'t str) -> bool,
) -> Option<usize> {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(_) if std::mem::take(&mut is_escaped) => {}
            Some(_) if c == '\\' => is_escaped = true,
            Some(open) if c == open => quote = None,
            None if wanted(&text[at..]) => return Some(at),
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            Some(_) | None => {}
        }
    }
    None
}

/// The words of a tag's inside that are names or keywords, quoted texts left out.
pub(super) fn words(inner: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut until = 0;
    outside_quotes(inner, |rest| {
        let at = inner.len() - rest.len();
        let length = identifier(rest);
        if at >= until && length > 0 {
            found.push(&rest[..length]);
            until = at + length;
        }
        false
    });
    found
}

/// The path of names (`ward.name`, `contact["x"].value`) that byte `at` of `text` belongs to, within `inner`.
pub(super) fn path_at(text: &str, inner: &Range<usize>, at: usize) -> Option<Range<usize>> {
    let inside = &text[inner.clone()];
    let mut until = 0;
    let mut found = None;
    outside_quotes(inside, |rest| {
        let start = inside.len() - rest.len();
        if start < until || identifier(rest) == 0 {
            return false;
        }
        until = start + path(rest);
        if (inner.start + start..inner.start + until).contains(&at) {
            found = Some(inner.start + start..inner.start + until);
        }
        found.is_some()
    });
    found
}

/// How many bytes of a path `text` begins with.
fn path(text: &str) -> usize {
    let mut end = identifier(text);
    loop {
        let rest = &text[end..];
        let dots = rest.len() - rest.trim_start_matches(['?', '.']).len();
        let name = identifier(&rest[dots..]);
        if dots > 0 && name > 0 {
            end += dots + name;
        } else if rest[dots..].starts_with('[')
            && let Some(close) = outside_quotes(&rest[dots..], |rest| rest.starts_with(']'))
        {
            end += dots + close + 1;
        } else {
            return end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_where_the_engine_sees_them() {
        let text = "a {{ x }}{# {{ no }} #}{%- if a == '%}' -%}b{% raw %}{{ y }}{% endraw %}{{ \"\\\"}}\" }} {{ z";
        let found: Vec<&str> = tags(text).into_iter().map(|tag| &text[tag.inner]).collect();
        assert_eq!(
            found,
            [" x ", " if a == '%}' ", " raw ", " endraw ", " \"\\\"}}\" "]
        );
        assert_eq!(tags(text)[1].word(text), "if");
    }

    #[test]
    fn a_path_is_found_from_any_of_its_parts() {
        let text = r#" contact["công-an"].value ~ ward.nam | default(value=city.x) "#;
        let path = |part: &str| {
            path_at(text, &(0..text.len()), text.find(part).unwrap()).map(|range| &text[range])
        };
        assert_eq!(path("value"), Some(r#"contact["công-an"].value"#));
        assert_eq!(path("nam"), Some("ward.nam"));
        assert_eq!(path("x)"), Some("city.x"));
        assert_eq!(path("~"), None);
        assert_eq!(words("for a in b if 'for'"), ["for", "a", "in", "b", "if"]);
    }
}
