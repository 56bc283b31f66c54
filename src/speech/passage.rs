//! Passages: what stands between empty lines, and between lines that end a sentence. They are read one by one, and a passage
//! that was read is kept: wards share nearly all their words, and equal words are read once.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Change, Problem, line::CLOSING};

/// Bytes of passages that are kept; then all are forgotten.
const MOST: usize = 1 << 20;

/// A passage as it is spoken. Ranges are in bytes of the passage.
#[derive(Debug, Default)]
pub(super) struct Passage {
    /// The words.
    pub text: String,
    /// How many syllables are heard.
    pub syllables: usize,
    /// Where lines end inside it that a voice ends, too.
    pub line_ends: Vec<usize>,
    /// What was changed.
    pub changes: Vec<Change>,
    /// What cannot be spoken.
    pub problems: Vec<Problem>,
    /// The editors' readings that were used: as it stood there, and as it is spoken.
    pub readings: Vec<(String, String)>,
}

/// What the reading of a passage depends on besides its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seat {
    /// Whether a sentence ended before it.
    pub after_stop: bool,
    /// Whether nothing follows.
    pub is_last: bool,
}

impl Seat {
    fn index(self) -> usize {
        usize::from(self.after_stop) + 2 * usize::from(self.is_last)
    }
}

/// What was read before.
#[derive(Debug, Default)]
pub(super) struct Memo(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_seat: [HashMap<Box<str>, Arc<Passage>>; 4],
    bytes: usize,
}

/// A copy begins anew.
impl Clone for Memo {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Memo {
    /// The passage `text`, read by `read` if it is not known.
    pub(super) fn get(
        &self,
        text: &str,
        seat: Seat,
        read: impl FnOnce() -> Passage,
    ) -> Arc<Passage> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().by_seat[seat.index()].get(text) {
            return Arc::clone(known);
        }
        // Others may read meanwhile.
        let passage = Arc::new(read());
        let mut kept = lock();
        kept.bytes += text.len() + passage.text.len();
        if kept.bytes > MOST {
            *kept = Kept {
                bytes: text.len() + passage.text.len(),
                ..Kept::default()
            };
        }
        kept.by_seat[seat.index()].insert(text.into(), Arc::clone(&passage));
        passage
    }
}

/// Where the passages of `text` stand. What lies between two of them is white space with a line end in it.
pub(super) fn split(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut begin = 0;
    let mut at = 0;
    while let Some(end) = text[at..].find('\n').map(|found| at + found) {
        let rest = &text[end + 1..];
        let next = end + 1 + (rest.len() - rest.trim_start().len());
        if text[end + 1..next].contains('\n') || ends_line(text[begin..end].trim_end()) {
            let words = text[begin..end].trim_end();
            found.push(begin..begin + words.len());
            begin = next;
        }
        at = next;
    }
    found.push(begin..text.len());
    found
}

/// Whether nobody can take the end of this line for one that was only full: a sentence ends with it, or a list begins.
fn ends_line(line: &str) -> bool {
    let line = line.trim_end_matches(CLOSING);
    let Some(words) = line.strip_suffix(['.', '!', '?', '…', ':', ';']) else {
        return false;
    };
    // `UBND TP.` goes on.
    let word = words.rsplit(|c: char| !c.is_alphanumeric()).next();
    !(line.ends_with('.') && word.is_some_and(is_short_form))
}

/// `TP`, `P`, `Q`: what a full stop only shortens.
pub(super) fn is_short_form(word: &str) -> bool {
    (1..=3).contains(&word.chars().count()) && word.chars().all(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_part_passages() {
        let parts =
            |text| -> Vec<&str> { split(text).into_iter().map(|range| &text[range]).collect() };
        assert_eq!(parts("a\nb\n\nc \n \t\n\nd"), ["a\nb", "c", "d"]);
        assert_eq!(parts(""), [""]);
        assert_eq!(parts("\n\na\n\n"), ["", "a", ""]);
        assert_eq!(parts("a\r\nb\r\n\r\nc"), ["a\r\nb", "c"]);
        assert_eq!(
            parts("Một.\nHai,\nba!”\nTP.\nVinh"),
            ["Một.", "Hai,\nba!”", "TP.\nVinh"]
        );
    }

    #[test]
    fn equal_words_are_read_once() {
        let memo = Memo::default();
        let seat = Seat {
            after_stop: false,
            is_last: true,
        };
        let mut times = 0;
        let mut read = |text: &str, seat| {
            memo.get(text, seat, || {
                times += 1;
                Passage {
                    text: text.to_owned(),
                    ..Passage::default()
                }
            });
        };
        read("a", seat);
        read("a", seat);
        read(
            "a",
            Seat {
                after_stop: true,
                ..seat
            },
        );
        // What is kept is bounded.
        let long = "x".repeat(MOST);
        read(&long, seat);
        read("a", seat);
        assert_eq!(times, 4);
        assert!(memo.0.lock().unwrap().bytes <= MOST + 2 * long.len());
    }
}
