//! A template's mistake as a diagnostic: where it stands, what it is, how to mend it.

use std::ops::Range;

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place},
    source::{notebook::did_you_mean, similar::nearest, text::Text},
    template::{Cause, FILTERS, TemplateError, TemplateErrorKind},
};

/// Where a template's mistake stands in the file.
pub(super) fn template_place(text: &Text, error: &TemplateError) -> Place {
    if error.line > 0 {
        text.word_at(error.line, error.column)
    } else {
        text.place.clone()
    }
}

/// The tag that is still open where a template ends too early. The engine only knows the end.
pub(super) fn open_tag(text: &Text, error: &TemplateError) -> Option<Place> {
    let end = text.value.trim_end().lines().count();
    if error.line < end.max(1) {
        return None;
    }
    let mut open: Vec<(&str, Range<usize>)> = Vec::new();
    for (at, _) in text.value.match_indices("{%") {
        let tag = text.value[at + 2..].trim_start_matches('-').trim_start();
        let word = &tag[..tag
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tag.len())];
        let close = text.value[at..]
            .find("%}")
            .map_or(text.value.len(), |close| at + close + 2);
        match word.strip_prefix("end") {
            Some(ended) if open.last().is_some_and(|(word, _)| *word == ended) => {
                open.pop();
            }
            None if matches!(word, "if" | "for" | "filter" | "block") => {
                open.push((word, at..close));
            }
            _ => {}
        }
    }
    open.pop().map(|(_, range)| text.part(range))
}

/// A template's mistake at `place`; `templates` are the names that can be included.
pub(super) fn describe_template<'t>(
    error: &TemplateError,
    place: Place,
    templates: impl FnOnce() -> Vec<&'t str>,
) -> Diagnostic {
    match &error.kind {
        TemplateErrorKind::UndefinedVariable { name, available } => {
            let near = nearest(name, available.iter().map(|name| (name.as_str(), None)));
            let help = match near {
                Some(near) => did_you_mean(near),
                None if available.is_empty() => Phrase::new("L061-help"),
                None => Phrase::new("L061-help-names").with("names", Arg::Names(available.clone())),
            };
            Diagnostic::new(Code::UndefinedName, place)
                .with("name", name.as_str())
                .help(help)
        }
        TemplateErrorKind::MissingInclude(name) => {
            let templates = templates();
            // Many leave the ending out.
            let named = templates
                .iter()
                .map(|name| (*name, name.strip_suffix(".tera")));
            let near = nearest(name, named);
            Diagnostic::new(Code::UnknownTemplate, place)
                .with("id", name.as_str())
                .help(near.map_or(Phrase::new("L026-help"), did_you_mean))
        }
        TemplateErrorKind::Syntax => {
            let (problem, help) = problem(error);
            Diagnostic::new(Code::BadTemplate, place)
                .with("problem", problem)
                .help(Phrase::new(help))
        }
        TemplateErrorKind::UnknownFilter(name) => {
            let known = FILTERS.iter().map(|(filter, _)| (*filter, None));
            let diagnostic = unknown("template-filter", name, place);
            match nearest(name, known) {
                Some(near) => diagnostic.help(did_you_mean(near)),
                None => diagnostic,
            }
        }
        TemplateErrorKind::UnknownFunction(name) => unknown("template-function", name, place),
        TemplateErrorKind::UnknownTest(name) => unknown("template-test", name, place),
        TemplateErrorKind::TooLarge => Diagnostic::new(Code::RenderFailed, place)
            .with("problem", Arg::Word("render-too-large".into()))
            .help(Phrase::new("L062-help-too-large")),
        TemplateErrorKind::TooManyPasses => Diagnostic::new(Code::RenderFailed, place)
            .with("problem", Arg::Word("render-passes".into()))
            .help(Phrase::new("L062-help-passes")),
        TemplateErrorKind::Other => Diagnostic::new(Code::RenderFailed, place)
            .with("problem", problem(error).0)
            .help(Phrase::new("L062-help")),
    }
}

/// What is wrong, and how to mend it.
fn problem(error: &TemplateError) -> (Arg, &'static str) {
    let (word, named) = error.said();
    let said = match named {
        Some((name, value)) => Phrase::new(word).with(name, value).into(),
        None => Arg::Word(word.to_owned()),
    };
    let help = match error.cause() {
        Some(Cause::NotClosed(_) | Cause::Ends) => "L060-help-close",
        Some(Cause::OpenQuote | Cause::NoQuotes) => "L060-help-quotes",
        Some(Cause::UnknownTag | Cause::Unavailable(_) | Cause::SetGlobal) => "L060-help-tags",
        Some(Cause::UnknownArgument(_)) => "L060-help-settings",
        Some(Cause::Character) => "L060-help-character",
        _ => "L060-help",
    };
    (said, help)
}

/// The quotation mark that opens inside a tag and closes in another, or never. The engine only notices where the text
/// behind the wrong partner makes no sense.
pub(super) fn open_quote(text: &Text, error: &TemplateError) -> Option<Place> {
    let value = text.value.as_str();
    let lines_before: usize = value
        .split_inclusive('\n')
        .take(error.line)
        .map(str::len)
        .sum();
    let mut at = 0;
    while at < lines_before {
        let open = at
            + value[at..]
                .find("{{")
                .into_iter()
                .chain(value[at..].find("{%"))
                .min()?;
        let close = if value[open..].starts_with("{{") {
            "}}"
        } else {
            "%}"
        };
        let mut inside = open + 2;
        loop {
            let rest = &value[inside..];
            let end = rest.find(close).unwrap_or(rest.len());
            let Some(quote) = rest[..end].find(['"', '\'']) else {
                at = (inside + end + 2).min(value.len());
                break;
            };
            let mark = &rest[quote..=quote];
            let body = &rest[quote + 1..];
            match body.find(mark) {
                Some(length) if !body[..length].contains(['\n', '{', '}']) => {
                    inside += quote + 1 + length + 1;
                }
                _ => return Some(text.part(inside + quote..inside + quote + 1)),
            }
        }
    }
    None
}

fn unknown(what: &str, name: &str, place: Place) -> Diagnostic {
    Diagnostic::new(Code::BadTemplate, place)
        .with("problem", Arg::Word(what.to_owned()))
        .help(Phrase::new("L060-help-unknown").with("name", name))
}
