//! Which filters there are, and what each can be told. The engine passes over what a filter does not ask for, so that
//! `hmac_sha256(hash="sha1")` would be SHA-256 without a word; here it is refused.

use std::ops::Range;

use crate::template::tag::{Tag, identifier, outside_quotes};

/// Every filter, the engine's own among them, with the names of its settings. By name.
pub const FILTERS: &[(&str, &[&str])] = &[
    ("abs", &[]),
    ("ascii", &[]),
    ("base64", &["from"]),
    ("base64url", &["from"]),
    ("capitalize", &[]),
    ("date", &["format", "zone"]),
    ("decode", &["from"]),
    ("default", &["value", "boolean"]),
    ("escape", &[]),
    ("escape_html", &[]),
    ("escape_xml", &[]),
    ("first", &[]),
    ("float", &[]),
    ("get", &["key", "default"]),
    ("group_by", &["attribute"]),
    ("hex", &["from"]),
    ("hmac_sha1", &["key", "key_from", "from", "encoding"]),
    ("hmac_sha256", &["key", "key_from", "from", "encoding"]),
    ("hmac_sha512", &["key", "key_from", "from", "encoding"]),
    ("indent", &["width", "indentation", "first", "blank"]),
    ("int", &["base"]),
    ("join", &["sep"]),
    ("json_encode", &[]),
    ("keys", &[]),
    ("last", &[]),
    ("length", &[]),
    ("lower", &[]),
    ("md5", &["from", "encoding"]),
    ("newlines_to_br", &[]),
    ("nth", &["n"]),
    ("pairs", &[]),
    ("pluralize", &["singular", "plural"]),
    ("replace", &["from", "to"]),
    ("reverse", &[]),
    ("round", &["method", "precision"]),
    ("safe", &[]),
    ("sha1", &["from", "encoding"]),
    ("sha256", &["from", "encoding"]),
    ("sha512", &["from", "encoding"]),
    ("sort", &["attribute"]),
    ("split", &["pat"]),
    ("str", &[]),
    ("title", &[]),
    ("trim", &["pat"]),
    ("trim_end", &["pat"]),
    ("trim_start", &["pat"]),
    ("truncate", &["length", "end"]),
    ("unaccent", &[]),
    ("unescape", &[]),
    ("unique", &[]),
    ("upper", &[]),
    ("upper_first", &[]),
    ("urlencode", &[]),
    ("utf16_hex", &["order"]),
    ("uuid", &[]),
    ("values", &[]),
    ("wordcount", &[]),
];

/// The first setting in a tag that its filter does not know: where it stands.
pub(in crate::template) fn unknown_setting(text: &str, tag: &Tag) -> Option<Range<usize>> {
    let inner = &text[tag.inner.clone()];
    let at = unknown_in(inner, tag.word(text) == "filter")?;
    Some(tag.inner.start + at.start..tag.inner.start + at.end)
}

fn unknown_in(inner: &str, is_block: bool) -> Option<Range<usize>> {
    let mut found = None;
    let mut begins_block = is_block;
    outside_quotes(inner, |rest| {
        let at = inner.len() - rest.len();
        // A block names its filter behind its own word.
        let after = if begins_block && rest.starts_with("filter") {
            begins_block = false;
            Some(&rest["filter".len()..])
        } else {
            rest.strip_prefix('|')
        };
        found = after.and_then(unknown_of).map(|unknown| {
            let start = at + rest.len() - after.map_or(0, str::len);
            start + unknown.start..start + unknown.end
        });
        found.is_some()
    });
    found
}

/// The first unknown setting of the filter whose name `text` begins with, blanks left out.
fn unknown_of(text: &str) -> Option<Range<usize>> {
    let begins = text.len() - text.trim_start().len();
    let name = &text[begins..][..identifier(&text[begins..])];
    let (_, known) = FILTERS.iter().find(|(filter, _)| *filter == name)?;
    let rest = &text[begins + name.len()..];
    let open = rest.trim_start().strip_prefix('(')?;
    let offset = text.len() - open.len();
    let mut depth = 0_usize;
    let mut is_name_next = true;
    let mut found = None;
    outside_quotes(open, |rest| {
        let at = open.len() - rest.len();
        match rest.as_bytes().first() {
            Some(b'(' | b'[' | b'{') => depth += 1,
            Some(b')') if depth == 0 => return true,
            Some(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            Some(b',') if depth == 0 => is_name_next = true,
            Some(byte) if byte.is_ascii_whitespace() => {}
            Some(_) if is_name_next && depth == 0 => {
                is_name_next = false;
                let length = identifier(rest);
                let behind = rest[length..].trim_start();
                let is_setting = behind.starts_with('=') && !behind.starts_with("==");
                if length > 0 && is_setting && !known.contains(&&rest[..length]) {
                    found = Some(offset + at..offset + at + length);
                    return true;
                }
            }
            _ => {}
        }
        false
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::tag::tags;

    #[test]
    fn the_setting_that_no_filter_asks_for_is_found() {
        for (text, wrong) in [
            ("{{ a | hmac_sha256(key=k, hash='sha1') }}", Some("hash")),
            ("{{ a | base64(encoding='utf-16') }}", Some("encoding")),
            (
                "{{ a | replace(from='a', to='b', regex=true) }}",
                Some("regex"),
            ),
            (
                "{{ a | replace(from='x=1', to=(b | upper(c=1))) }}",
                Some("c"),
            ),
            ("{% filter  upper ( all=1 ) %}a{% endfilter %}", Some("all")),
            (
                "{% if a | trim(chars='b') == 'c' %}{% endif %}",
                Some("chars"),
            ),
            ("{{ a | replace(from=', to=\", regex=1', to='b') }}", None),
            ("{{ a | default(value=[b == c, d]) | upper }}", None),
            ("{{ a | shout(loud=true) }}", None),
            ("{{ a | split(pat='|(x=1') | first }}", None),
            ("{{ a | nth(n=b.regex) ~ c(d=1) }}", None),
        ] {
            let mut all = tags(text);
            let tag = all.swap_remove(0);
            let found = unknown_setting(text, &tag).map(|range| &text[range]);
            assert_eq!(found, wrong, "{text}");
        }
    }
}
