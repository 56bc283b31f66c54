//! Texts from files: composed (NFC) on the way in, yet every line and column of them still points into the file as it
//! is on disk.

use std::{ops::Range, sync::Arc};

use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class, is_nfc};

use super::yaml::{Scalar, Style};
use crate::diagnostic::{Place, SourceFile};

/// Vietnamese composed, so that equal words are equal bytes.
pub(super) fn compose(text: &str) -> String {
    if text.is_ascii() {
        text.to_owned()
    } else {
        text.nfc().collect()
    }
}

/// The first character with its marks that is not composed.
pub(super) fn first_decomposed(text: &str) -> Option<Range<usize>> {
    if text.is_ascii() || is_nfc(text) {
        return None;
    }
    let first = clusters(text).find(|range| !is_nfc(&text[range.clone()]));
    // Not composed as a whole, yet in every part: a Korean syllable in letters, say. The whole is the place.
    Some(first.unwrap_or(0..text.len()))
}

/// Characters with the marks that follow them.
fn clusters(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, _) = chars.next()?;
        while chars
            .next_if(|(_, next)| canonical_combining_class(*next) != 0)
            .is_some()
        {}
        Some(start..chars.peek().map_or(text.len(), |(at, _)| *at))
    })
}

/// The byte of `raw` at which character number `column` (from 0) of its composed form begins.
fn raw_offset(raw: &str, column: usize) -> usize {
    let mut before = 0;
    for cluster in clusters(raw) {
        if before >= column {
            return cluster.start;
        }
        before += raw[cluster].nfc().count();
    }
    raw.len()
}

/// A text with its place.
#[derive(Debug, Clone)]
pub(super) struct Text {
    /// The composed text.
    pub value: String,
    /// Where it stands.
    pub place: Place,
    layout: Layout,
}

/// How lines and columns of a text relate to the file.
#[derive(Debug, Clone, Copy)]
enum Layout {
    /// One line, byte for byte in the file from here.
    Line(usize),
    /// Lines of the file from this one, less this many columns.
    Lines { first: usize, indent: usize },
    /// Folded or with escapes: only the whole can be pointed at.
    Opaque,
}

impl Text {
    /// The text of a scalar.
    pub(super) fn new(file: &Arc<SourceFile>, scalar: &Scalar, span: &Range<usize>) -> Self {
        let place = Place::new(file, span.clone());
        let written = place.text();
        let layout = match scalar.style {
            Style::Plain if written == scalar.text => Layout::Line(place.start),
            Style::Quoted
                if written.get(1..written.len().saturating_sub(1)) == Some(&scalar.text) =>
            {
                Layout::Line(place.start + 1)
            }
            Style::Literal(indent) => {
                let leading = scalar
                    .text
                    .lines()
                    .take_while(|line| line.is_empty())
                    .count();
                Layout::Lines {
                    first: file.line_at(place.start).saturating_sub(leading).max(1),
                    indent,
                }
            }
            Style::Plain | Style::Quoted | Style::Folded => Layout::Opaque,
        };
        Self {
            value: compose(&scalar.text),
            place,
            layout,
        }
    }

    /// A whole file as one text.
    pub(super) fn whole_file(file: &Arc<SourceFile>) -> Self {
        let text = file.text().strip_prefix('\u{feff}').unwrap_or(file.text());
        let value = compose(&text.replace("\r\n", "\n"));
        Self {
            value,
            place: Place::new(file, 0..0),
            layout: Layout::Lines {
                first: 1,
                indent: 0,
            },
        }
    }

    /// The byte of the file at a 1-based line and column of the text.
    fn offset(&self, line: usize, column: usize) -> Option<usize> {
        let file = &self.place.file;
        let (range, skip) = match self.layout {
            Layout::Line(start) if line <= 1 => (start..self.place.end, 0),
            Layout::Lines { first, indent } => (file.line(first + line.saturating_sub(1)), indent),
            Layout::Line(_) | Layout::Opaque => return None,
        };
        let mut start = range.start;
        let mut raw = &file.text()[range];
        if let Some(rest) = raw.strip_prefix('\u{feff}') {
            start += raw.len() - rest.len();
            raw = rest;
        }
        // Indentation is spaces; an empty line may be shorter than it.
        let skip = skip.min(raw.len() - raw.trim_start_matches(' ').len());
        Some(start + skip + raw_offset(&raw[skip..], column.saturating_sub(1)))
    }

    /// The name or word that begins at a 1-based line and column; the whole text when its lines cannot be followed.
    pub(super) fn word_at(&self, line: usize, column: usize) -> Place {
        let Some(start) = self.offset(line, column) else {
            return self.place.clone();
        };
        let file = &self.place.file;
        let rest = &file.text()[start..file.line(file.line_at(start)).end.max(start)];
        let first = rest.chars().next();
        let word = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let width = match first {
            Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(1, |end| end + 2),
            Some(sign) if word == 0 => sign.len_utf8(),
            _ => word,
        };
        Place::new(file, start..start + width)
    }

    /// The place of a stretch of bytes of the value.
    pub(super) fn part(&self, range: Range<usize>) -> Place {
        let position = |at: usize| {
            let before = self.value.get(..at).unwrap_or(&self.value);
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
            self.offset(line, column)
        };
        match (position(range.start), position(range.end)) {
            (Some(start), Some(end)) => Place::new(&self.place.file, start..end),
            _ => self.place.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::yaml::{self, Kind, Node};

    fn text(yaml: &str) -> Text {
        let file = SourceFile::new("a.yaml", yaml);
        let mut report = Vec::new();
        let Some(Node {
            kind: Kind::Map(entries),
            ..
        }) = yaml::parse(&file, &mut report)
        else {
            panic!("{report:?}")
        };
        let Kind::Scalar(scalar) = &entries[0].value.kind else {
            panic!("no scalar")
        };
        Text::new(&file, scalar, &entries[0].value.span)
    }

    fn at(text: &Text, line: usize, column: usize) -> (usize, usize, String) {
        let place = text.word_at(line, column);
        (
            place.position().line,
            place.position().column,
            place.text().to_owned(),
        )
    }

    #[test]
    fn lines_and_columns_are_those_of_the_file() {
        let block = text("a: |\r\n\r\n  Thưa {{ bà }}\r\n    con\r\nb: 1\r\n");
        assert_eq!(block.value, "\nThưa {{ bà }}\n  con\n");
        assert_eq!(at(&block, 2, 9), (3, 11, "bà".into()));
        assert_eq!(at(&block, 3, 3), (4, 5, "con".into()));
        assert_eq!(at(&block, 1, 1), (2, 1, String::new()));
        assert_eq!(at(&text("a: xin chào"), 1, 5), (1, 8, "chào".into()));
        assert_eq!(at(&text("a: 'xin chào'"), 1, 5), (1, 9, "chào".into()));
        // Escapes move things about: the whole value is the place.
        assert_eq!(at(&text("a: \"x\\ty\""), 1, 2), (1, 4, "\"x\\ty\"".into()));
        assert_eq!(text("a: 0 5 * * 9").part(8..9).text(), "9");
    }

    #[test]
    fn decomposed_text_is_composed_and_still_found() {
        let block = text("a: |\n  Thu\u{31b}a ba\u{300} con nhé\n");
        assert_eq!(block.value, "Thưa bà con nhé\n");
        assert_eq!(at(&block, 1, 9), (2, 13, "con".into()));
        assert_eq!(block.part(0..5).text(), "Thu\u{31b}a");
        assert_eq!(first_decomposed("ab\u{e0} ba\u{300}"), Some(6..9));
        assert_eq!(first_decomposed("bà"), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(2024), ..Default::default() })]

        /// Whatever the line ends and however the letters are put together, a word of the text is found in the file.
        #[test]
        fn words_lead_back(
            words in proptest::collection::vec("[a-zăâđêôơưàảãáạằẳẵắặầẩẫấậ]{1,6}", 1..30),
            breaks in proptest::collection::vec(0..4_u8, 30),
            windows in proptest::prelude::any::<bool>(),
            decomposed in proptest::prelude::any::<bool>(),
            pick in proptest::prelude::any::<proptest::sample::Index>(),
        ) {
            let newline = if windows { "\r\n" } else { "\n" };
            let mut yaml = format!("a: |{newline}  ");
            for (word, gap) in words.iter().zip(&breaks) {
                let word: String = if decomposed { word.nfd().collect() } else { word.clone() };
                yaml.push_str(&word);
                match gap {
                    0 => yaml.extend([newline, newline, "  "]),
                    gap => yaml.extend(std::iter::repeat_n(' ', usize::from(*gap))),
                }
            }
            let text = text(&yaml);
            let spans: Vec<Range<usize>> = text
                .value
                .split_whitespace()
                .map(|word| {
                    let start = word.as_ptr() as usize - text.value.as_ptr() as usize;
                    start..start + word.len()
                })
                .collect();
            proptest::prop_assert_eq!(spans.len(), words.len());
            let which = pick.index(words.len());
            proptest::prop_assert_eq!(compose(text.part(spans[which].clone()).text()), compose(&words[which]));
        }
    }
}
