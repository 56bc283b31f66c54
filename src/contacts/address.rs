//! Addresses on the internet whose numbers are written to the base sixteen: `0x67.0x38.1.2`, `0x67380102`, `2001:db8::1`.
//!
//! Browsers read an address as `inet_aton(3)` does: one to four parts, the last of which fills the bytes that are left.
//! Four decimal parts are found among the numbers; one whole number or one to the base eight only behind a scheme, as a link.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Kind, Use, fold::Letter, number::Number};

/// More letters than this are no address.
const LONGEST: usize = 60;

/// The addresses of a text with a part to the base sixteen, in the order of their places.
pub(super) fn addresses(letters: &[Letter]) -> Vec<Number> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        if !letters[at].is_word() {
            at += 1;
            continue;
        }
        if let Some((address, length)) = long_address(&letters[at..]) {
            found.push(Number {
                kind: Kind::Site,
                from: at,
                to: at + length,
                digits: address.to_string(),
                used: Use::Itself,
            });
            at += length;
            continue;
        }
        let length = run(&letters[at..]);
        let text: String = letters[at..at + length]
            .iter()
            .filter(|letter| !is_bracket(letter))
            .map(|letter| letter.plain)
            .collect();
        if let Some(address) = address(&text) {
            found.push(Number {
                kind: Kind::Site,
                from: at,
                to: at + length,
                digits: address.to_string(),
                used: Use::Itself,
            });
        }
        at += length;
    }
    found
}

/// An address of the sixth version (RFC 4291, section 2.2) at the beginning of `letters`, and its length. Only those that are given
/// out, which begin with 2 or 3, and those of networks of one's own, with f: the rest are times and parts of programs.
fn long_address(letters: &[Letter]) -> Option<(Ipv6Addr, usize)> {
    let is_part = |letter: &Letter| letter.plain.is_ascii_hexdigit() || letter.c == ':';
    let first: String = letters.iter().take(5).map(|letter| letter.plain).collect();
    if !(first.starts_with(['2', '3', 'f']) && first.ends_with(':') && first.len() == 5) {
        return None;
    }
    let mut length = letters
        .iter()
        .take(LONGEST)
        .take_while(|letter| is_part(letter))
        .count();
    if letters.get(length).is_some_and(Letter::is_word) {
        return None;
    }
    // A colon at its end is the sentence's.
    if length > 1 && letters[length - 1].c == ':' && letters[length - 2].c != ':' {
        length -= 1;
    }
    let text: String = letters[..length].iter().map(|l| l.plain).collect();
    Some((text.parse().ok()?, length))
}

fn is_bracket(letter: &Letter) -> bool {
    matches!(letter.c, '[' | ']' | '(' | ')' | '{' | '}')
}

/// How many letters at the beginning of `letters` are words that dots join, with brackets around the dots or without.
fn run(letters: &[Letter]) -> usize {
    let word = |from: usize| {
        letters[from..]
            .iter()
            .take_while(|letter| letter.is_word())
            .count()
    };
    let mut end = word(0);
    while end < LONGEST {
        let signs = letters[end..]
            .iter()
            .take(3)
            .take_while(|letter| letter.c == '.' || is_bracket(letter))
            .count();
        let dots = letters[end..end + signs].iter();
        let next = word(end + signs);
        if next == 0 || dots.filter(|letter| letter.c == '.').count() != 1 {
            break;
        }
        end += signs + next;
    }
    end
}

/// What these parts say, if one of them is written to the base sixteen.
fn address(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 4 || !parts.iter().any(|part| part.starts_with("0x")) {
        return None;
    }
    let values: Option<Vec<u32>> = parts
        .iter()
        .map(|part| match part.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => part.parse().ok(),
        })
        .collect();
    let values = values?;
    let (last, first) = values.split_last()?;
    let left = 8 * (4 - first.len());
    let is_whole = first.iter().all(|part| *part < 256) && u64::from(*last) < (1 << left);
    // `0x1F` alone is a number; an address in one part names a network, too.
    if !is_whole || (first.is_empty() && *last < 1 << 24) {
        return None;
    }
    let before = first
        .iter()
        .enumerate()
        .map(|(at, part)| part << (24 - 8 * at))
        .sum::<u32>();
    Some(Ipv4Addr::from(before + last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_browsers_do() {
        for (text, read) in [
            ("0x67.0x38.1.2", Some("103.56.1.2")),
            ("0x67380102", Some("103.56.1.2")),
            ("0x67.3670274", Some("103.56.1.2")),
            ("103.0x38.258", Some("103.56.1.2")),
            ("0x1f", None),
            ("103.56.1.2", None),
            ("0x67.0x138.1.2", None),
            ("0x.1.1.1", None),
            ("0x1.2.3.4.5", None),
            ("0x673801022", None),
        ] {
            let found = address(text).map(|address| address.to_string());
            assert_eq!(found.as_deref(), read, "{text}");
        }
    }
}
