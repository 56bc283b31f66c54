//! Mistakes that people made in files, as plain data: a stable code, the place, and what the sentence needs to name.
//!
//! No sentence is written here: they are in `catalogue/diagnostic.yaml` and `channel.yaml`, and [`render`] is the only code that prints.
//! A place points into the file as it is on disk, whatever was normalised on the way in.

mod code;
pub mod crontab;
pub mod render;

use std::{cmp::Ordering, fmt, ops::Range, sync::Arc};

pub use code::{Code, Severity};

/// A file's text as it is on disk, with its lines counted once.
pub struct SourceFile {
    path: String,
    text: String,
    lines: Vec<usize>,
}

impl SourceFile {
    /// Takes the text of the file at `path`, which is relative to the workspace and written with `/`.
    #[must_use]
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let text = text.into();
        let mut lines = vec![0];
        let bytes = text.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
                lines.push(at + 1);
            }
        }
        Arc::new(Self {
            path: path.into(),
            text,
            lines,
        })
    }

    /// Where it is, relative to the workspace, with `/` between the parts.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text, with byte-order mark and line ends as they are on disk.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The 1-based line that byte `offset` lies in.
    #[must_use]
    pub fn line_at(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset)
    }

    /// The bytes of the 1-based `line` without its line end; empty when there is no such line.
    #[must_use]
    pub fn line(&self, line: usize) -> Range<usize> {
        let Some(start) = line
            .checked_sub(1)
            .and_then(|index| self.lines.get(index))
            .copied()
        else {
            return self.text.len()..self.text.len();
        };
        let end = self.lines.get(line).copied().unwrap_or(self.text.len());
        let text = &self.text[start..end];
        start..start + text.trim_end_matches(['\n', '\r']).len()
    }

    /// The 1-based line and column of byte `offset`. Columns count characters; a byte-order mark is none.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let offset = floor(&self.text, offset);
        let line = self.line_at(offset);
        let before = &self.text[self.lines[line - 1]..offset];
        Position {
            line,
            column: before.trim_start_matches('\u{feff}').chars().count() + 1,
        }
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({:?}, {} bytes)", self.path, self.text.len())
    }
}

/// The last character boundary at or before `offset`.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// A 1-based line and column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// A stretch of a file.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The first byte; always a character boundary.
    pub start: usize,
    /// The byte after the last; always a character boundary and not before `start`.
    pub end: usize,
}

impl Place {
    /// The bytes `range` of `file`, widened to whole characters and kept within the file.
    #[must_use]
    pub fn new(file: &Arc<SourceFile>, range: Range<usize>) -> Self {
        let start = floor(&file.text, range.start);
        let mut end = range.end.clamp(start, file.text.len().max(start));
        while !file.text.is_char_boundary(end) {
            end += 1;
        }
        Self {
            file: Arc::clone(file),
            start,
            end,
        }
    }

    /// The beginning of `file`: for what is wrong with the file as a whole.
    #[must_use]
    pub fn whole(file: &Arc<SourceFile>) -> Self {
        Self::new(file, 0..0)
    }

    /// A file that could not be read, or is not there.
    #[must_use]
    pub fn absent(path: &str) -> Self {
        Self::whole(&SourceFile::new(path, ""))
    }

    /// Line and column of the first character.
    #[must_use]
    pub fn position(&self) -> Position {
        self.file.position(self.start)
    }

    /// Line and column after the last character.
    #[must_use]
    pub fn end_position(&self) -> Position {
        self.file.position(self.end)
    }

    /// The text of the stretch.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.file.text[self.start..self.end]
    }

    fn key(&self) -> (&str, usize, usize) {
        (&self.file.path, self.start, self.end)
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Place {}

/// What a sentence's placeholder stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// A text from the file, or a number; the same in every language.
    Text(String),
    /// A word of the catalogue, by its name under `diagnostic.`.
    Word(String),
    /// Names, each shown as code, with commas between them.
    Names(Vec<String>),
    /// A phrase of the catalogue with placeholders of its own.
    Phrase(Box<Phrase>),
    /// A sentence that was made elsewhere, in both languages.
    Said {
        /// In Vietnamese.
        vi: String,
        /// In English.
        en: String,
    },
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(shown(text))
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(shown(&text))
    }
}

impl From<Phrase> for Arg {
    fn from(phrase: Phrase) -> Self {
        Self::Phrase(Box::new(phrase))
    }
}

impl From<usize> for Arg {
    fn from(number: usize) -> Self {
        Self::Text(number.to_string())
    }
}

/// A text short and tame enough for a sentence: at most 60 characters, no control characters.
fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

/// A sentence of the catalogue with what goes into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// Its name under `diagnostic.`.
    pub key: &'static str,
    /// Its placeholders.
    pub args: Vec<(&'static str, Arg)>,
}

impl Phrase {
    /// The sentence `key` without placeholders.
    #[must_use]
    pub fn new(key: &'static str) -> Self {
        Self {
            key,
            args: Vec::new(),
        }
    }

    /// Fills the placeholder `name`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Arg>) -> Self {
        self.args.push((name, value.into()));
        self
    }
}

/// A place that has to do with the mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The place.
    pub at: Place,
    /// What is there.
    pub phrase: Phrase,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What sort of mistake.
    pub code: Code,
    /// Whether it keeps the workspace from being used.
    pub severity: Severity,
    /// Where.
    pub at: Place,
    /// What the sentence `diagnostic.<code>` names.
    pub args: Vec<(&'static str, Arg)>,
    /// How to mend it.
    pub help: Option<Phrase>,
    /// Other places that have to do with it.
    pub notes: Vec<Note>,
}

impl Diagnostic {
    /// A mistake of the sort `code` at `at`, with the severity of its sort.
    #[must_use]
    pub fn new(code: Code, at: Place) -> Self {
        Self {
            code,
            severity: code.severity(),
            at,
            args: Vec::new(),
            help: None,
            notes: Vec::new(),
        }
    }

    /// Fills the placeholder `name` of the sentence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Arg>) -> Self {
        self.args.push((name, value.into()));
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn help(mut self, phrase: Phrase) -> Self {
        self.help = Some(phrase);
        self
    }

    /// Says how to mend it, where that is known.
    #[must_use]
    pub fn maybe_help(mut self, phrase: Option<Phrase>) -> Self {
        self.help = phrase;
        self
    }

    /// Names another place.
    #[must_use]
    pub fn note(mut self, at: Place, phrase: Phrase) -> Self {
        self.notes.push(Note { at, phrase });
        self
    }

    /// The order in which people work through them: by file, then by place.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        (self.at.key(), self.code).cmp(&(other.at.key(), other.code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_in_the_file_as_it_is() {
        let file = SourceFile::new("a.yaml", "\u{feff}tên: Hưng\r\nghi chú: ba\u{300}\rx\n\ny");
        let at = |needle: &str| {
            let position = file.position(file.text().find(needle).unwrap());
            (position.line, position.column)
        };
        assert_eq!(at("tên"), (1, 1));
        assert_eq!(at("Hưng"), (1, 6));
        assert_eq!(at("ghi"), (2, 1));
        assert_eq!(at("\u{300}"), (2, 12));
        assert_eq!(at("x"), (3, 1));
        assert_eq!(at("y"), (5, 1));
        assert_eq!(&file.text()[file.line(2)], "ghi chú: ba\u{300}");
        assert_eq!(file.line(9), file.text().len()..file.text().len());
    }

    #[test]
    fn places_keep_to_whole_characters() {
        let file = SourceFile::new("a.yaml", "aư");
        assert_eq!(Place::new(&file, 1..1).text(), "");
        assert_eq!(Place::new(&file, 2..2).text(), "ư");
        assert_eq!(Place::new(&file, 2..3).text(), "ư");
        assert_eq!(Place::new(&file, 1..2).text(), "ư");
        assert_eq!(Place::new(&file, 9..12).text(), "");
        let backwards = Range { start: 3, end: 1 };
        assert_eq!(Place::new(&file, backwards).text(), "");
    }

    #[test]
    fn texts_in_sentences_are_short_and_tame() {
        assert_eq!(shown("a\u{1b}[31m"), "a\u{fffd}[31m");
        assert_eq!(shown(&"ư".repeat(70)).chars().count(), 61);
    }
}
