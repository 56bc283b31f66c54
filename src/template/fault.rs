//! The engine's errors as [`TemplateError`]s.
//!
//! Position and template come from the engine's fields wherever it has them. Three things exist only as text in tera
//! 2.4, and are read from it here and nowhere else (the tests of `template` notice when the text changes):
//! - names, in "Variable x is not defined. Available variables: …" and "Field x is not defined. Available fields: …";
//! - an undefined value given to a filter, in "… but got undefined";
//! - unknown filters, tests, functions and included templates, which come as printed reports joined into one message,
//!   each beginning with "error: Unknown filter x" and "--> name:line:column" on the next line.

use super::{
    TEMPLATE_LIMIT, TemplateError, TemplateErrorKind, filter,
    source::{Source, Stage},
    tag::{Tag, tags, words},
};

/// Texts that may be put together in one tag with `~`.
const MOST_JOINED: usize = 64;

/// What is refused before the engine sees it.
pub(super) fn before_parsing(name: &str, source: &Source) -> Option<TemplateError> {
    let text = source.mended();
    if text.len() > TEMPLATE_LIMIT {
        return Some(too_large(name, "the template is larger than 256 KiB"));
    }
    let refused = |at, kind, message: &str| {
        let (line, column) = position(source.text(), source.back(Stage::Parsed, at));
        Some(TemplateError {
            template: name.to_owned(),
            line,
            column,
            kind,
            message: message.to_owned(),
        })
    };
    if let Some(at) = set_global(text) {
        return refused(
            at,
            TemplateErrorKind::Syntax,
            "`set_global` is not available",
        );
    }
    for tag in tags(text) {
        let at = tag.range.start;
        if let Some(feature) = unavailable(text, &tag) {
            let message = format!("`{feature}` is not available here");
            return refused(at, TemplateErrorKind::Syntax, &message);
        }
        if let Some(setting) = filter::unknown_setting(text, &tag) {
            let message = format!("no setting `{}` here", &text[setting.clone()]);
            return refused(setting.start, TemplateErrorKind::Syntax, &message);
        }
        if text[tag.inner.clone()].matches('~').count() > MOST_JOINED {
            return refused(at, TemplateErrorKind::TooLarge, "too much is joined by `~`");
        }
    }
    None
}

/// What a tag uses of the engine that could go on for ever unseen: lists made by loops, and components, which can use
/// themselves.
fn unavailable(text: &str, tag: &Tag) -> Option<&'static str> {
    let inner = &text[tag.inner.clone()];
    let loops = words(inner).iter().filter(|word| **word == "for").count();
    let allowed = usize::from(tag.word(text) == "for");
    if tag.word(text) == "component" || inner.trim_start().starts_with('<') {
        Some("component")
    } else if loops > allowed && !inner.contains(".for") {
        Some("for")
    } else {
        None
    }
}

/// Where a `{% set_global` tag begins, also where the engine would read it as plain text.
fn set_global(text: &str) -> Option<usize> {
    text.match_indices("{%").map(|(at, _)| at).find(|at| {
        let tag = &text[at + 2..];
        tag.strip_prefix('-')
            .unwrap_or(tag)
            .trim_start()
            .starts_with("set_global")
    })
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

pub(super) fn too_large(name: &str, message: &str) -> TemplateError {
    nowhere(name, TemplateErrorKind::TooLarge, message)
}

pub(super) fn included_too_often(name: &str) -> TemplateError {
    let kind = TemplateErrorKind::TooManyPasses;
    nowhere(name, kind, "templates are included too often")
}

fn nowhere(name: &str, kind: TemplateErrorKind, message: &str) -> TemplateError {
    TemplateError {
        template: name.to_owned(),
        line: 0,
        column: 0,
        kind,
        message: one_line(message),
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An error about the template `name`; `source_of` gives the texts of templates, and `stage` says which of them the
/// engine had.
pub(super) fn explain<'t>(
    error: &tera::Error,
    name: &str,
    stage: Stage,
    source_of: impl Fn(&str) -> Option<&'t Source>,
) -> TemplateError {
    let (report, syntax) = match error.kind() {
        tera::ErrorKind::SyntaxError(report) => (report, true),
        tera::ErrorKind::RenderingError(report) => (report, false),
        tera::ErrorKind::MissingParent { current, parent } => {
            return nowhere(
                current,
                TemplateErrorKind::MissingInclude(parent.clone()),
                &error.to_string(),
            );
        }
        tera::ErrorKind::CircularInclude { tpl, include_chain } => {
            let mut circle = nowhere(tpl, TemplateErrorKind::Other, &error.to_string());
            // The chain may begin outside the circle; what follows the template in it is what it includes.
            let mut chain = include_chain.iter().skip_while(|name| *name != tpl);
            let next = chain.nth(1).unwrap_or(tpl);
            if let Some(text) = source_of(tpl).map(Source::text)
                && let Some(at) = include_of(text, next)
            {
                (circle.line, circle.column) = position(text, at);
            }
            return circle;
        }
        tera::ErrorKind::CircularExtend { tpl, .. } => {
            return nowhere(tpl, TemplateErrorKind::Other, &error.to_string());
        }
        tera::ErrorKind::TemplateNotFound(missing) => {
            return nowhere(
                name,
                TemplateErrorKind::MissingInclude(missing.clone()),
                &error.to_string(),
            );
        }
        _ => return nowhere(name, TemplateErrorKind::Other, &error.to_string()),
    };
    let template = if report.filename().is_empty() {
        name
    } else {
        report.filename()
    };
    let span = report.span();
    let source = source_of(template);
    let text = source.map_or("", Source::text);
    let at = source.map_or(0, |source| {
        source.back_from(stage, span.start_line, span.start_col + 1)
    });
    let kind = if syntax {
        TemplateErrorKind::Syntax
    } else {
        undefined(report.message(), text.get(at..).unwrap_or(""))
            .unwrap_or(TemplateErrorKind::Other)
    };
    let (line, column) = if span.start_line == 0 || source.is_none() {
        (0, 0)
    } else {
        position(text, at)
    };
    TemplateError {
        template: template.to_owned(),
        line,
        column,
        kind,
        message: one_line(report.message()),
    }
}

/// Where `text` includes the template `name`: its quoted name.
fn include_of(text: &str, name: &str) -> Option<usize> {
    let includes = tags(text)
        .into_iter()
        .filter(|tag| tag.word(text) == "include");
    let mut places = includes.filter_map(|tag| {
        let inner = &text[tag.inner.clone()];
        let forms = [format!("\"{name}\""), format!("'{name}'")];
        let at = forms.iter().find_map(|form| inner.find(form.as_str()))?;
        Some(tag.inner.start + at)
    });
    places.next()
}

/// `from_here` is the template's text from the error's position on. Of `a.b` given to a filter, that position spans only
/// the `a`.
fn undefined(message: &str, from_here: &str) -> Option<TemplateErrorKind> {
    // The engine names a missing entry of `a["b"]` in neither case.
    if message.ends_with("but got `undefined`")
        || message == "Iteration not possible on type `undefined`"
        || message == "Tried to render a variable that is undefined"
    {
        let end =
            from_here.find(|letter: char| !letter.is_alphanumeric() && !"_.".contains(letter));
        let path = &from_here[..end.unwrap_or(from_here.len())];
        let name = path.rsplit('.').next().unwrap_or(path);
        return Some(TemplateErrorKind::UndefinedVariable {
            name: name.to_owned(),
            available: Vec::new(),
        });
    }
    let rest = message
        .strip_prefix("Variable `")
        .or_else(|| message.strip_prefix("Field `"))?;
    let (name, rest) = rest.split_once("` is not defined")?;
    let available = rest
        .split_once("Available variables: ")
        .or_else(|| rest.split_once("Available fields: "));
    let available = available.map_or_else(Vec::new, |(_, list)| {
        list.split(", ").map(str::to_owned).collect()
    });
    Some(TemplateErrorKind::UndefinedVariable {
        name: name.to_owned(),
        available,
    })
}

/// The reports about unknown filters, tests, functions and templates in `error`; empty when it is another error.
pub(super) fn explain_references<'t>(
    error: &tera::Error,
    source_of: impl Fn(&str) -> Option<&'t Source>,
) -> Vec<TemplateError> {
    let tera::ErrorKind::Msg(reports) = error.kind() else {
        return Vec::new();
    };
    let lines: Vec<&str> = reports.lines().collect();
    let mut errors: Vec<TemplateError> = Vec::new();
    for pair in lines.windows(2) {
        let Some(message) = pair[0].strip_prefix("error: ") else {
            continue;
        };
        let Some((place, column)) = pair[1]
            .trim_start()
            .strip_prefix("--> ")
            .and_then(|at| at.rsplit_once(':'))
        else {
            continue;
        };
        let Some((template, line)) = place.rsplit_once(':') else {
            continue;
        };
        let (Ok(line), Ok(column)) = (line.parse(), column.parse()) else {
            continue;
        };
        let (line, column) = source_of(template).map_or((line, column), |source| {
            let at = source.back_from(Stage::Compiled, line, column);
            position(source.text(), at)
        });
        errors.push(TemplateError {
            template: template.to_owned(),
            line,
            column,
            kind: unknown(message),
            message: message.to_owned(),
        });
    }
    errors
}

fn unknown(message: &str) -> TemplateErrorKind {
    let named = message
        .strip_prefix("Unknown ")
        .and_then(|rest| rest.strip_suffix('`')?.split_once(" `"));
    match named {
        Some(("filter", name)) => TemplateErrorKind::UnknownFilter(name.to_owned()),
        Some(("function", name)) => TemplateErrorKind::UnknownFunction(name.to_owned()),
        Some(("test", name)) => TemplateErrorKind::UnknownTest(name.to_owned()),
        Some(("template", name)) => TemplateErrorKind::MissingInclude(name.to_owned()),
        _ => TemplateErrorKind::Other,
    }
}
