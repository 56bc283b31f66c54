//! What the YAML parser stumbled over, in words for somebody who wrote prose and not a program.

use std::sync::Arc;

use serde_yaml::granit_parser::{ErrorKind, ScanError};

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place, SourceFile},
    source::invisible::control_in,
};

/// What YAML knows and the files that people edit do not use, and what to write instead.
pub(super) fn unusual(place: Place, what: &str) -> Diagnostic {
    let (what, help) = match what {
        "documents" => ("yaml-documents", "L007-help-documents"),
        "alias" => ("yaml-alias", "L007-help-alias"),
        "tag" => ("yaml-tag", "L007-help-tag"),
        "key" => ("yaml-key", "L007-help-key"),
        "braces" => ("yaml-braces", "L007-help-braces"),
        "merge" => ("yaml-merge", "L007-help-merge"),
        _ => ("yaml-other", "L007-help-other"),
    };
    let diagnostic = Diagnostic::new(Code::UnusualYaml, place);
    diagnostic
        .with("what", Arg::Word(what.into()))
        .help(Phrase::new(help))
}

/// The parser's first mistake as a diagnostic. The parser often notices late, so indentation by tabs, the most common
/// cause of all, is looked for by itself.
pub(super) fn describe(file: &Arc<SourceFile>, error: &ScanError) -> Diagnostic {
    let text = file.text();
    let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
    if let Some(tab) = indenting_tab(file, at) {
        return tab_at(file, tab);
    }
    // The parser names the block that the character stands in, if it names anything.
    if let Some(control) = control_in(file) {
        return control;
    }
    let width = text
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .filter(|c| !c.is_control())
        .map_or(0, char::len_utf8);
    let place = Place::new(file, at..at + width);
    if matches!(
        error.kind(),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar
    ) && let Some(open) = opened_above(file, at)
    {
        // It closed at the next quote, lines below, which was meant to open another text.
        return Diagnostic::new(Code::BrokenYaml, Place::new(file, open..open + 1))
            .with("problem", Arg::Word("yaml-quote".into()))
            .help(Phrase::new("L005-help-quote"));
    }
    let (problem, help) = match error.kind() {
        ErrorKind::RecursionLimitExceeded => {
            return Diagnostic::new(Code::TooComplex, place).help(Phrase::new("L008-help"));
        }
        ErrorKind::UndeclaredTagHandle
        | ErrorKind::InvalidTagTerminator
        | ErrorKind::InvalidGlobalTagCharacter
        | ErrorKind::MissingTagUri
        | ErrorKind::UnclosedVerbatimTag
        | ErrorKind::InvalidTagEscape => {
            return unusual(place, "tag");
        }
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => {
            ("yaml-quote", "L005-help-quote")
        }
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::BlockEntryInFlowCollection => ("yaml-bracket", "L005-help-bracket"),
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::MappingKeyNotAllowed => ("yaml-colon", "L005-help-colon"),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("yaml-no-colon", "L005-help-no-colon")
        }
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::InvalidFlowScalarIndent => ("yaml-indent", "L005-help-indent"),
        ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => ("yaml-after-quote", "L005-help-quote"),
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape => ("yaml-escape", "L005-help-escape"),
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
            ("yaml-control", "L005-help-control")
        }
        ErrorKind::UnexpectedCharacter { .. }
        | ErrorKind::UnknownAnchor
        | ErrorKind::MissingAnchorOrAliasName
        | ErrorKind::PlainScalarStartsWithDashFlowIndicator => {
            ("yaml-character", "L005-help-character")
        }
        _ => ("yaml-unclear", "L005-help-unclear"),
    };
    let broken = Diagnostic::new(Code::BrokenYaml, place.clone())
        .with("problem", Arg::Word(problem.into()))
        .help(Phrase::new(help));
    match open_bracket(&text[..at]).filter(|_| problem == "yaml-bracket") {
        // Where the place is a bracket itself, it is the one that does not close.
        Some(open) if !place.text().starts_with(['[', '{']) => broken.note(
            Place::new(file, open..open + 1),
            Phrase::new("note-bracket"),
        ),
        _ => broken,
    }
}

/// The last bracket in `text` that opens where a value may begin and is not closed again.
fn open_bracket(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut before = '\n';
    let mut quote = None;
    let mut is_comment = false;
    for (at, c) in text.char_indices() {
        let previous = before;
        if c != ' ' {
            before = c;
        }
        if c == '\n' {
            is_comment = false;
        }
        match quote {
            _ if is_comment => {}
            Some(mark) if c == mark || c == '\n' => quote = None,
            None if c == '#' && text[..at].ends_with([' ', '\n']) => is_comment = true,
            None if matches!(previous, ':' | '-' | ',' | '[' | '{' | '\n') => match c {
                '"' | '\'' => quote = Some(c),
                '[' | '{' => open.push(at),
                ']' | '}' => drop(open.pop()),
                _ => {}
            },
            None if matches!(c, ']' | '}') => drop(open.pop()),
            Some(_) | None => {}
        }
    }
    open.pop()
}

/// The quote on an earlier line that a value begins with and that nothing closes in its line, when the line of `at` is
/// the first after it with a quote of that sort.
fn opened_above(file: &SourceFile, at: usize) -> Option<usize> {
    let here = file.line_at(at);
    let before = &file.text()[file.line(here).start..at];
    let mark = before.chars().rev().find(|c| matches!(c, '"' | '\''))?;
    for line in (1..here).rev() {
        let range = file.line(line);
        let text = &file.text()[range.clone()];
        let Some(last) = text.rfind(mark) else {
            continue;
        };
        let begins = text[..last].trim_end().ends_with([':', '-', ',', '[', '{']);
        let is_odd = text.matches(mark).count() % 2 == 1;
        return (begins && is_odd).then_some(range.start + last);
    }
    None
}

/// The first tab that indents the line of `at` or the next line that is not empty.
fn tab_at(file: &Arc<SourceFile>, at: usize) -> Diagnostic {
    Diagnostic::new(Code::Tab, Place::new(file, at..at + 1)).help(Phrase::new("L006-help"))
}

/// Where the mistake is a tab: the other lines that begin with one. No line of any sort may.
pub(super) fn other_tabs(file: &Arc<SourceFile>, mistake: &Diagnostic) -> Vec<Diagnostic> {
    if mistake.code != Code::Tab {
        return Vec::new();
    }
    let text = file.text();
    let begins = |at: &usize| *at == 0 || text.as_bytes()[at - 1] == b'\n';
    text.match_indices('\t')
        .map(|(at, _)| at)
        .filter(|at| begins(at) && *at != mistake.at.start)
        .map(|at| tab_at(file, at))
        .collect()
}

fn indenting_tab(file: &Arc<SourceFile>, at: usize) -> Option<usize> {
    let line = file.line_at(at);
    (line..line + 2).find_map(|line| {
        let range = file.line(line);
        let text = &file.text()[range.clone()];
        let indent = &text[..text.len() - text.trim_start_matches([' ', '\t']).len()];
        indent.find('\t').map(|tab| range.start + tab)
    })
}
