//! Text that is shown from right to left because an invisible character says so: `\u{202e}8765432190` is seen as a number.
//!
//! The characters are those of Unicode's bidirectional algorithm (UAX #9) that turn what is neither Arabic nor Hebrew.

use std::ops::Range;

use super::{Found, Kind, Manner, fold::Letter};

/// Shows all that follows backwards.
const OVERRIDE: char = '\u{202e}';

/// Others that change the order in which words and numbers are seen: embedding, override and isolate.
const OTHERS: [char; 3] = ['\u{202b}', '\u{202d}', '\u{2067}'];

/// What ends them.
const ENDS: [char; 3] = ['\u{202c}', '\u{2069}', '\n'];

/// The stretches that are shown in another order than they are written in.
pub(super) fn stretches(text: &str) -> Vec<Found> {
    ranges(text)
        .into_iter()
        .map(|range| {
            let seen = text[range.clone()].chars().rev().filter(|c| !turns(*c));
            let seen: String = seen.collect();
            Found {
                manner: Manner::Misleading,
                ..Found::at(text, range, Kind::Turned, seen)
            }
        })
        .collect()
}

/// `letters` of `text` in the order in which they are seen, if that is another one.
pub(super) fn as_shown(text: &str, letters: &[Letter]) -> Option<Vec<Letter>> {
    let ranges = ranges(text);
    let mut turned = ranges
        .into_iter()
        .filter(|range| text[range.clone()].starts_with(OVERRIDE))
        .peekable();
    turned.peek()?;
    let mut shown = letters.to_vec();
    for range in turned {
        let from = letters.partition_point(|letter| letter.start < range.start);
        let to = letters.partition_point(|letter| letter.start < range.end);
        shown[from..to].reverse();
    }
    Some(shown)
}

fn turns(c: char) -> bool {
    c == OVERRIDE || OTHERS.contains(&c)
}

/// From each character that turns what follows to where that ends.
fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(turns) {
        let start = at + found;
        let end = text[start..]
            .find(ENDS)
            .map_or(text.len(), |end| start + end);
        ranges.push(start..end);
        at = end;
    }
    ranges
}
