//! Diagnostics as workflow commands, which GitHub shows beside the lines of a change.
//!
//! Escaping as in the runner's own toolkit (github.com/actions/toolkit, packages/core/src/command.ts): `%`, CR and LF in
//! messages, and `:` and `,` in properties too.

use std::fmt::Write as _;

use super::{help, message, word};
use crate::{
    catalogue::Lang,
    diagnostic::{Diagnostic, Severity},
};

/// One line a diagnostic. `path` turns a path of the workspace into one of the repository.
#[must_use]
pub fn to_github(diagnostics: &[Diagnostic], lang: Lang, path: impl Fn(&str) -> String) -> String {
    let line = |found: &Diagnostic| {
        let level = match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let (from, to) = (found.at.position(), found.at.end_position());
        let mut properties = format!(
            "file={},line={},endLine={}",
            property(&path(found.at.file.path())),
            from.line,
            to.line
        );
        // Columns of a place over several lines are refused.
        if from.line == to.line {
            let _ = write!(properties, ",col={},endColumn={}", from.column, to.column);
        }
        let mut text = message(found, lang);
        if let Some(help) = help(found, lang) {
            let _ = write!(text, "\n{}: {help}", word(lang, "help"));
        }
        format!(
            "::{level} {properties},title={}::{}\n",
            property(found.code.as_str()),
            data(&text)
        )
    };
    diagnostics.iter().map(line).collect()
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Phrase, Place, SourceFile};

    #[test]
    fn nothing_in_a_file_can_end_a_command() {
        let file = SourceFile::new("a,b:c%.yaml", "tile: x\ny");
        let found = [
            Diagnostic::new(Code::UnknownKey, Place::new(&file, 0..4))
                .with("key", "50%")
                .help(Phrase::new("help-nearest").with("name", "title")),
            Diagnostic::new(Code::NotComposed, Place::new(&file, 0..9)),
        ];
        assert_eq!(
            to_github(&found, Lang::En, |path| format!("thành phố/{path}")),
            "::error file=thành phố/a%2Cb%3Ac%25.yaml,line=1,endLine=1,col=1,endColumn=5,title=L012::there is no key \
             `50%25` here%0Ahelp: did you mean `title`?\n\
             ::warning file=thành phố/a%2Cb%3Ac%25.yaml,line=1,endLine=2,title=L011::the Vietnamese here is decomposed \
             (marks apart from their letters)\n"
        );
        assert_eq!(data("a\r\nb::c"), "a%0D%0Ab::c");
    }
}
