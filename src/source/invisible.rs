//! Characters that nobody sees and that change what people read: control characters, which a terminal obeys, marks that
//! turn the direction of writing, and spaces without width, which make two words that look alike differ.
//!
//! Vietnamese needs none of them. Line ends and tabs are none, nor is the joiner inside a pictograph of several.

use std::{ops::Range, sync::Arc};

use super::{
    text::Text,
    yaml::{Kind, Node, Style},
};
use crate::diagnostic::{Code, Diagnostic, Phrase, Place, SourceFile};

/// Places named in one file at most: a picture that was saved as text has thousands.
const MOST: usize = 20;

/// Whether `c` is such a character, after `before`.
fn is_invisible(before: Option<char>, c: char) -> bool {
    match c {
        '\n' | '\r' | '\t' => false,
        // U+200D between pictographs makes one of them.
        '\u{200d}' => before.is_none_or(|before| before.is_alphanumeric() || before.is_ascii()),
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}'
        // For private use: every computer shows another sign, or none.
        | '\u{e000}'..='\u{f8ff}' => true,
        _ => c.is_control(),
    }
}

/// The invisible characters of a text.
fn all(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut before = None;
    text.char_indices().filter(move |(_, c)| {
        let found = is_invisible(before, *c);
        before = Some(*c);
        found
    })
}

/// The mistake of `c` at `place`.
fn mistake(c: char, place: Place) -> Diagnostic {
    Diagnostic::new(Code::Invisible, place)
        .with("character", format!("U+{:04X}", u32::from(c)))
        .help(Phrase::new("L183-help"))
}

/// Those that stand in the file as they are. A byte-order mark at its beginning is none.
pub(super) fn in_file(file: &Arc<SourceFile>) -> Vec<Diagnostic> {
    let text = file.text();
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control()) {
        return Vec::new();
    }
    let found = all(text).filter(|(at, c)| !(*at == 0 && *c == '\u{feff}'));
    found
        .take(MOST)
        .map(|(at, c)| mistake(c, Place::new(file, at..at + c.len_utf8())))
        .collect()
}

/// The first control character in the file as it is; YAML refuses those, and notices late.
pub(super) fn control_in(file: &Arc<SourceFile>) -> Option<Diagnostic> {
    let (at, c) = all(file.text()).find(|(_, c)| c.is_control())?;
    Some(mistake(c, Place::new(file, at..at + c.len_utf8())))
}

/// Those that are written as escapes in double quotes, anywhere in a tree.
pub(super) fn escaped(file: &Arc<SourceFile>, root: &Node) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut waiting = vec![root];
    while let Some(node) = waiting.pop() {
        match &node.kind {
            Kind::List(items) => waiting.extend(items),
            Kind::Map(entries) => {
                for entry in entries {
                    waiting.push(&entry.value);
                    found.extend(in_scalar(file, &entry.key_span));
                }
            }
            Kind::Scalar(scalar) if scalar.style == Style::Quoted => {
                found.extend(in_scalar(file, &node.span));
            }
            Kind::Null | Kind::Scalar(_) => {}
        }
        if found.len() > MOST {
            break;
        }
    }
    found.truncate(MOST);
    found
}

/// The escapes of a scalar in double quotes that stand for such a character. What stands there as it is, is reported as
/// that.
fn in_scalar(file: &Arc<SourceFile>, span: &Range<usize>) -> Vec<Diagnostic> {
    let place = Place::new(file, span.clone());
    let written = place.text();
    if !written.starts_with('"') {
        return Vec::new();
    }
    let found = escapes(written).filter_map(|range| {
        let c = meaning(&written[range.clone()])?;
        // A carriage return moves a terminal's next letters over those before; in the file itself it is a line end.
        let at = place.start + range.start..place.start + range.end;
        (c == '\r' || is_invisible(None, c)).then(|| mistake(c, Place::new(file, at)))
    });
    found.collect()
}

/// Where escapes stand in a text in double quotes.
fn escapes(written: &str) -> impl Iterator<Item = Range<usize>> {
    let mut until = 0;
    written.match_indices('\\').filter_map(move |(at, _)| {
        if at < until {
            return None;
        }
        let sort = written[at + 1..].chars().next()?;
        let digits = match sort {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        until = (at + 1 + sort.len_utf8() + digits).min(written.len());
        Some(at..until)
    })
}

/// The character that an escape of YAML stands for, where it may be an invisible one.
fn meaning(escape: &str) -> Option<char> {
    match escape.get(1..2)? {
        "x" | "u" | "U" => {
            let code = u32::from_str_radix(escape.get(2..)?, 16).ok()?;
            char::from_u32(code)
        }
        "0" => Some('\0'),
        "a" => Some('\u{7}'),
        "b" => Some('\u{8}'),
        "v" => Some('\u{b}'),
        "f" => Some('\u{c}'),
        "r" => Some('\r'),
        "e" => Some('\u{1b}'),
        "N" => Some('\u{85}'),
        "L" => Some('\u{2028}'),
        "P" => Some('\u{2029}'),
        _ => None,
    }
}

/// Those of a text that is a whole file.
pub(super) fn lone_returns(text: &Text) -> Option<Diagnostic> {
    let at = text.value.find('\r')?;
    Some(mistake('\r', text.part(at..at + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vietnamese_and_pictographs_are_no_mistake() {
        for good in [
            "Thưa bà con,\r\n\tđường dây",
            "Cảnh giác ⚠️ 👨\u{200d}👩\u{200d}👧",
            "ba\u{300}",
        ] {
            assert_eq!(all(good).next(), None, "{good:?}");
        }
        for bad in [
            "a\u{1b}[31m",
            "a\u{0}",
            "a\u{85}",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{200d}b",
            "\u{f8ff}",
        ] {
            assert!(all(bad).next().is_some(), "{bad:?}");
        }
    }

    #[test]
    fn escapes_are_found_where_they_are_written() {
        let written = r#""Cảnh\\e\e[31m \u202Exyz""#;
        let found: Vec<&str> = escapes(written).map(|range| &written[range]).collect();
        assert_eq!(found, [r"\\", r"\e", r"\u202E"]);
        let meant: Vec<_> = found.into_iter().map(meaning).collect();
        assert_eq!(meant, [None, Some('\u{1b}'), Some('\u{202e}')]);
    }
}
