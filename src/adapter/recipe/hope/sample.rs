//! A text that a regular expression matches, the shortest that is easily found.

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The text; `None` where it would be no text, or the expression is none.
pub(in crate::adapter::recipe) fn of(pattern: &str) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut text = Vec::new();
    write(&hir, &mut text);
    String::from_utf8(text).ok()
}

/// A text that the expression matches with `given` in its first group, if that may stand there.
pub(in crate::adapter::recipe) fn with(pattern: &Regex, given: &str) -> Option<String> {
    let hir = regex_syntax::parse(pattern.as_str()).ok()?;
    let mut text = Vec::new();
    write_with(&hir, &mut Some(given), &mut text);
    let text = String::from_utf8(text).ok()?;
    let found = pattern.captures(&text)?.get(1)?;
    (found.as_str() == given).then_some(text)
}

/// Whether a group takes part in whatever the expression matches.
pub(in crate::adapter::recipe) fn has_group(pattern: &str) -> bool {
    fn has(hir: &Hir) -> bool {
        match hir.kind() {
            HirKind::Capture(_) => true,
            HirKind::Repetition(repetition) => repetition.min > 0 && has(&repetition.sub),
            HirKind::Concat(parts) => parts.iter().any(has),
            HirKind::Alternation(choices) => choices.iter().all(has),
            HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => false,
        }
    }
    regex_syntax::parse(pattern).is_ok_and(|hir| has(&hir))
}

fn write(hir: &Hir, text: &mut Vec<u8>) {
    write_with(hir, &mut None, text);
}

/// The first group is `given` where something is.
fn write_with(hir: &Hir, given: &mut Option<&str>, text: &mut Vec<u8>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.extend_from_slice(&literal.0),
        HirKind::Class(class) => text.extend_from_slice(one_of(class).as_bytes()),
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min {
                write_with(&repetition.sub, given, text);
            }
        }
        HirKind::Capture(capture) => match given.take() {
            Some(given) => text.extend_from_slice(given.as_bytes()),
            None => write_with(&capture.sub, given, text),
        },
        HirKind::Concat(parts) => parts.iter().for_each(|part| write_with(part, given, text)),
        HirKind::Alternation(choices) => {
            if let Some(first) = choices.first() {
                write_with(first, given, text);
            }
        }
    }
}

/// A letter or digit of a class where it has one, else its first.
fn one_of(class: &Class) -> String {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class
            .iter()
            .map(|range| (range.start(), range.end()))
            .collect(),
        Class::Bytes(class) => class
            .iter()
            .map(|range| (char::from(range.start()), char::from(range.end())))
            .collect(),
    };
    let has = |wanted: &char| {
        ranges
            .iter()
            .any(|(low, high)| (low..=high).contains(&wanted))
    };
    let likely = ['a', 'A', '1', ' '].into_iter().find(has);
    let first = ranges.first().map(|(low, _)| *low);
    likely.or(first).map(String::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_matched() {
        for pattern in [
            r"<errcode>\s*0\s*</errcode>",
            r"^\s*(OK\s*)?$",
            r#""status"\s*:\s*"(ACTIVE|INACTIVE)""#,
            r"^\s*[^\s<]",
            r"clip=(\d{2,3})",
            r"[[:upper:]]+-\w",
        ] {
            let text = of(pattern).unwrap();
            assert!(
                Regex::new(pattern).unwrap().is_match(&text),
                "{pattern}: {text:?}"
            );
        }
        assert_eq!(of("("), None);
    }

    #[test]
    fn what_is_given_stands_in_the_group_where_it_may() {
        let with = |pattern: &str| with(&Regex::new(pattern).unwrap(), "730146000001");
        assert_eq!(
            with(r#"name="csrf" value="([0-9a-f]+)""#).unwrap(),
            r#"name="csrf" value="730146000001""#
        );
        assert_eq!(with(r"(?:id|clip)=(\w+)(;)?").unwrap(), "id=730146000001");
        for pattern in [r"clip=(\d{2,3})", "([A-Z]+)", "clip=[0-9]+"] {
            assert_eq!(with(pattern), None, "{pattern}");
        }
    }
}
