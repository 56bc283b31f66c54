//! Where the tags of a template do not end each other: what would make them. For checks only, which go on behind such a
//! mistake.
//!
//! What is opened and never ended is taken to go on to the end of the text, because a condition guards what it holds and
//! a loop names it: words taken out of either would be mistakes that nobody made.

use std::ops::Range;

use super::tag::{Tag, outside_quotes, tags};

/// What ends `word`, if it has to be ended.
fn end_of(tag: &Tag, text: &str) -> Option<&'static str> {
    match tag.word(text) {
        "if" => Some("endif"),
        "for" => Some("endfor"),
        "filter" => Some("endfilter"),
        "block" => Some("endblock"),
        "raw" => Some("endraw"),
        "set" if outside_quotes(tag.rest(text), |rest| rest.starts_with('=')).is_none() => {
            Some("endset")
        }
        _ => None,
    }
}

fn is_end(word: &str) -> bool {
    word.starts_with("end") && word.len() > "end".len()
}

/// The ends that are wanted before byte `until`, the next one last.
fn open(text: &str, until: usize) -> Vec<&'static str> {
    let mut open = Vec::new();
    for tag in tags(text).iter().take_while(|tag| tag.range.start < until) {
        if let Some(end) = end_of(tag, text) {
            open.push(end);
        } else if open.last() == Some(&tag.word(text)) {
            open.pop();
        }
    }
    open
}

fn written(ends: &[&str]) -> String {
    let ends = ends.iter().rev().map(|end| format!("{{% {end} %}}"));
    ends.collect()
}

/// The ends that are missing where the text ends.
pub(super) fn missing(text: &str) -> String {
    written(&open(text, text.len()))
}

/// What has to come before the end `tag` so that it ends something; `None` when it ends nothing, or when what it would
/// leave open is ended behind it.
pub(super) fn before(text: &str, tag: &Tag) -> Option<String> {
    let open = open(text, tag.range.start);
    let at = open.iter().rposition(|end| *end == tag.word(text))?;
    let inner = &open[at + 1..];
    let mut depth = 0_usize;
    for later in tags(text)
        .iter()
        .filter(|later| later.range.start > tag.range.start)
    {
        let word = later.word(text);
        if end_of(later, text).is_some_and(|end| inner.contains(&end)) {
            depth += 1;
        } else if inner.contains(&word) {
            depth = depth.checked_sub(1)?;
        }
    }
    Some(written(inner))
}

/// Whether a tag stands between others of its kind, or ends one: it means nothing alone.
pub(super) fn needs_another(word: &str) -> bool {
    is_end(word) || matches!(word, "else" | "elif")
}

/// The tag that never closes, to the end of its line.
pub(super) fn unclosed(text: &str) -> Option<Range<usize>> {
    let mut at = 0;
    while let Some(open) = next(text, at) {
        let body = open + 2;
        let close = if text[open..].starts_with("{{") {
            "}}"
        } else {
            "%}"
        };
        let line = text[body..].find('\n').map_or(text.len(), |end| body + end);
        let end = outside_quotes(&text[body..], |rest| rest.starts_with(close));
        let inside = &text[body..end.map_or(text.len(), |end| body + end)];
        if end.is_none() || inside.contains("{{") || inside.contains("{%") {
            // With quotation marks left out of account it may close.
            let end = text[body..line].find(close);
            return Some(open..end.map_or(line, |end| body + end + close.len()));
        }
        at = body + inside.len() + close.len();
    }
    None
}

fn next(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let found = rest.find("{{").into_iter().chain(rest.find("{%")).min()?;
    Some(at + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(text: &str) -> Tag {
        tags(text).pop().unwrap()
    }

    #[test]
    fn what_is_missing_is_said_innermost_first() {
        let text = "{% if a %}{% for b in c %}{% if d %}{% endif %}{% set e = 1 %}";
        assert_eq!(missing(text), "{% endfor %}{% endif %}");
        assert_eq!(missing("{% raw %}{{ a"), "{% endraw %}");
        assert_eq!(missing("{% set a %}x"), "{% endset %}");
        assert_eq!(missing("{% if a %}{% else %}{% endif %}"), "");
    }

    #[test]
    fn an_end_brings_the_ends_of_what_it_holds() {
        let text = "{% if a %}{% for b in c %}x{% endif %}";
        assert_eq!(before(text, &last(text)).as_deref(), Some("{% endfor %}"));
        let text = "{% for b in c %}{% endif %}";
        assert_eq!(before(text, &last(text)), None);
        let text = "{% if a %}{% for b in c %}{% endif %}{{ b }}{% endfor %}";
        assert_eq!(before(text, &tags(text)[2]), None, "crossed");
    }

    #[test]
    fn a_tag_that_never_closes_ends_with_its_line() {
        let cut = |text: &'static str| unclosed(text).map(|range| &text[range]);
        assert_eq!(cut("{{ a }} {{ b\nc"), Some("{{ b"));
        assert_eq!(cut("{{ a['b }} c {{ d['e'] }}\nf"), Some("{{ a['b }}"));
        assert_eq!(cut("{{ a }} {% if '%}' %}"), None);
    }
}
