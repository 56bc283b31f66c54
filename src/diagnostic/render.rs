//! The only code that prints diagnostics: with the line and a caret, on one line, as JSON, and in
//! the formats of GitHub and SARIF.

mod github;
mod sarif;

pub use github::to_github;
pub use sarif::to_sarif;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Arg, Code, Diagnostic, Phrase, Place, Severity};
use crate::catalogue::{self, Lang};

/// Lines are cut to this many characters around the caret, so that they fit a terminal of 80 with the line's number.
const WIDEST: usize = 70;

/// The diagnostics for a person at a terminal: `path:line:column`, what is wrong, the line with a caret, how to mend it.
#[must_use]
pub fn to_text(diagnostics: &[Diagnostic], lang: Lang, color: bool) -> String {
    // What is printed ends up in logs: a secret that stands in a file is not copied there, whatever else is wrong in
    // its line.
    let secrets: Vec<&Place> = diagnostics
        .iter()
        .filter(|found| found.code == Code::PlainSecret)
        .map(|found| &found.at)
        .collect();
    let blocks: Vec<String> = diagnostics
        .iter()
        .map(|found| block(found, &secrets, lang, color))
        .collect();
    blocks.join("\n")
}

fn block(diagnostic: &Diagnostic, secrets: &[&Place], lang: Lang, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
    .term_width(WIDEST * 4);
    let mut text = head(diagnostic, lang, color);
    text.push('\n');
    let help = diagnostic.help.as_ref().map(|help| sentence(help, lang));
    let notes = diagnostic.notes.iter().map(|note| {
        let position = note.at.position();
        format!(
            "{} ({}:{}:{})",
            sentence(&note.phrase, lang),
            note.at.file.path(),
            position.line,
            position.column
        )
    });
    let notes: Vec<String> = notes.collect();
    let (help_word, note_word) = (word(lang, "help"), word(lang, "note"));
    if diagnostic.at.file.text().is_empty() {
        // Nothing to show: the file is empty, absent or unreadable.
        for (word, text_of) in notes
            .iter()
            .map(|note| (&note_word, note))
            .chain(help.iter().map(|help| (&help_word, help)))
        {
            text.extend(["  = ", word.as_str(), ": ", text_of.as_str(), "\n"]);
        }
        return text;
    }
    let window = Window::around(&diagnostic.at, secrets);
    let snippet = Snippet::source(window.text.as_str())
        .line_start(window.line)
        .annotation(AnnotationKind::Primary.span(window.start..window.end));
    let mut group = Group::with_level(level).element(snippet);
    for note in &notes {
        group = group.element(
            Level::NOTE
                .with_name(note_word.as_str())
                .message(note.as_str()),
        );
    }
    if let Some(help) = &help {
        group = group.element(
            Level::HELP
                .with_name(help_word.as_str())
                .message(help.as_str()),
        );
    }
    text.push_str(&renderer.render(&[group]));
    text.push('\n');
    text
}

/// `path:line:column: error L012: sentence`.
fn head(diagnostic: &Diagnostic, lang: Lang, color: bool) -> String {
    let position = diagnostic.at.position();
    let place = format!(
        "{}:{}:{}",
        diagnostic.at.file.path(),
        position.line,
        position.column
    );
    let severity = format!(
        "{} {}",
        word(lang, diagnostic.severity.as_str()),
        diagnostic.code.as_str()
    );
    let message = message(diagnostic, lang);
    if !color {
        return format!("{place}: {severity}: {message}");
    }
    let paint = match diagnostic.severity {
        Severity::Error => "\u{1b}[1;91m",
        Severity::Warning => "\u{1b}[1;33m",
    };
    format!("{place}: {paint}{severity}\u{1b}[0m: \u{1b}[1m{message}\u{1b}[0m")
}

/// One diagnostic on one line, for logs and lists.
#[must_use]
pub fn to_line(diagnostic: &Diagnostic, lang: Lang) -> String {
    head(diagnostic, lang, false)
}

/// What is wrong, without the place.
#[must_use]
pub fn message(diagnostic: &Diagnostic, lang: Lang) -> String {
    fill(lang, diagnostic.code.as_str(), &diagnostic.args)
}

/// How to mend it, where that is known.
#[must_use]
pub fn help(diagnostic: &Diagnostic, lang: Lang) -> Option<String> {
    diagnostic
        .help
        .as_ref()
        .map(|phrase| sentence(phrase, lang))
}

/// The diagnostics as a JSON array. The fields are stable: `code`, `severity`, `file`, `line`, `column`, `end_line`,
/// `end_column` (1-based, the end excluded, columns in characters), `message`, `help`, `notes`.
#[must_use]
pub fn to_json(diagnostics: &[Diagnostic], lang: Lang) -> String {
    let entry = |diagnostic: &Diagnostic| {
        let (from, to) = (diagnostic.at.position(), diagnostic.at.end_position());
        let notes = diagnostic.notes.iter().map(|note| {
            let position = note.at.position();
            serde_json::json!({
                "file": note.at.file.path(),
                "line": position.line,
                "column": position.column,
                "message": sentence(&note.phrase, lang),
            })
        });
        serde_json::json!({
            "code": diagnostic.code.as_str(),
            "severity": diagnostic.severity.as_str(),
            "file": diagnostic.at.file.path(),
            "line": from.line,
            "column": from.column,
            "end_line": to.line,
            "end_column": to.column,
            "message": message(diagnostic, lang),
            "help": help(diagnostic, lang),
            "notes": notes.collect::<Vec<_>>(),
        })
    };
    diagnostics
        .iter()
        .map(entry)
        .collect::<serde_json::Value>()
        .to_string()
}

fn sentence(phrase: &Phrase, lang: Lang) -> String {
    fill(lang, phrase.key, &phrase.args)
}

fn word(lang: Lang, name: &str) -> String {
    fill(lang, name, &[])
}

fn fill(lang: Lang, name: &str, args: &[(&'static str, Arg)]) -> String {
    let args: Vec<(&str, String)> = args
        .iter()
        .map(|(name, arg)| (*name, show(arg, lang)))
        .collect();
    let args: Vec<(&str, &dyn std::fmt::Display)> = args
        .iter()
        .map(|(name, text)| (*name, text as &dyn std::fmt::Display))
        .collect();
    catalogue::text(lang, &format!("diagnostic.{name}"), &args)
}

fn show(arg: &Arg, lang: Lang) -> String {
    match arg {
        Arg::Text(text) => text.clone(),
        Arg::Word(name) => word(lang, name),
        Arg::Phrase(phrase) => sentence(phrase, lang),
        Arg::Names(names) => {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            quoted.join(", ")
        }
        Arg::Said { vi, en } => match lang {
            Lang::Vi => vi.clone(),
            Lang::En => en.clone(),
        },
    }
}

/// The first line of a place, cut to what a person can read.
struct Window {
    line: usize,
    text: String,
    start: usize,
    end: usize,
}

impl Window {
    fn around(place: &Place, secrets: &[&Place]) -> Self {
        let number = place.file.line_at(place.start);
        let range = place.file.line(number);
        let mut line = &place.file.text()[range.clone()];
        let mut offset = range.start;
        if let Some(rest) = line.strip_prefix('\u{feff}') {
            offset += line.len() - rest.len();
            line = rest;
        }
        let start = place.start.saturating_sub(offset).min(line.len());
        let end = place.end.saturating_sub(offset).clamp(start, line.len());
        // The middle of what is shown: the beginning of the place, and as much of it as fits.
        let before: Vec<usize> = line[..start]
            .char_indices()
            .rev()
            .take(WIDEST / 2)
            .map(|(at, _)| at)
            .collect();
        let room = WIDEST - before.len();
        let from = before.last().copied().unwrap_or(start);
        let to = line[start..]
            .char_indices()
            .nth(room)
            .map_or(line.len(), |(at, _)| start + at);
        // A cut that would save a few characters only is not worth its dots.
        let from = if line[..from].chars().take(9).count() < 9 {
            0
        } else {
            from
        };
        let (lead, tail) = (
            if from > 0 { "…" } else { "" },
            if to < line.len() { "…" } else { "" },
        );
        let mut shown = String::with_capacity(to - from);
        for (at, c) in line[from..to].char_indices() {
            let byte = offset + from + at;
            let is_secret = |secret: &&&Place| {
                secret.file.path() == place.file.path()
                    && (secret.start..secret.end).contains(&byte)
            };
            // As many bytes as before, so that the caret keeps its place.
            match secrets.iter().find(is_secret) {
                Some(_) => shown.extend(std::iter::repeat_n('*', c.len_utf8())),
                None => shown.push(c),
            }
        }
        let shift = |at: usize| at.clamp(from, to) - from + lead.len();
        Self {
            line: number,
            start: shift(start),
            end: shift(end),
            text: format!("{lead}{shown}{tail}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceFile;

    fn window(text: &str, start: usize, end: usize) -> (String, String) {
        let file = SourceFile::new("a.yaml", text);
        let window = Window::around(&Place::new(&file, start..end), &[]);
        let marked = window.text[window.start..window.end].to_owned();
        (window.text, marked)
    }

    #[test]
    fn windows_keep_the_caret_and_little_else() {
        assert_eq!(window("a: b\n", 3, 4), ("a: b".into(), "b".into()));
        assert_eq!(
            window("\u{feff}a: b\r\nc", 6, 7),
            ("a: b".into(), "b".into())
        );
        assert_eq!(
            window("a: |\n  x\n  y\n", 7, 12),
            ("  x".into(), "x".into())
        );
        let long = format!("{}HERE{}", "ư".repeat(500_000), "a".repeat(500_000));
        let (text, marked) = window(&long, 1_000_000, 1_000_004);
        assert_eq!(marked, "HERE");
        assert_eq!(text.chars().count(), WIDEST + 2);
        assert!(text.starts_with("…ư") && text.ends_with("a…"));
        let (text, marked) = window(&long, 0, long.len());
        assert_eq!(text.chars().count(), WIDEST + 1);
        assert_eq!(marked.chars().count(), WIDEST);
        assert_eq!(window("", 0, 0), (String::new(), String::new()));
    }

    #[test]
    fn secrets_are_not_copied() {
        let file = SourceFile::new("a.yaml", "a: { token: \"mật-khẩu\", tokne: 1 }");
        let secret = Diagnostic::new(Code::PlainSecret, Place::new(&file, 12..25));
        let other =
            Diagnostic::new(Code::UnknownKey, Place::new(&file, 27..32)).with("key", "tokne");
        let text = to_text(&[secret, other], Lang::En, false);
        assert!(
            !text.contains("khẩu") && text.contains("tokne: 1"),
            "{text}"
        );
    }
}
