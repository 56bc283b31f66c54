//! Telephone numbers and sites in the words that go out: only verified contacts, and those that the bulletin lists. A
//! warning against fraud with a wrong number in it would be the fraud.
//!
//! Numbers are compared by their digits, however they are grouped or spelt out, with +84 as 0. A short number counts only
//! after a word for calling: 113 may also be a number of people.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase},
    domain::{
        contact::{Contact, ContactKind},
        workspace::Workspace,
    },
    source::{notebook::Notebook, raw::bulletin::RawBulletin, text::Text},
};

/// Numbers of up to this many digits occur for other reasons, too.
const SHORT: usize = 5;

/// Words that make a short number a telephone number.
const CALLING: [&str; 9] = [
    "gọi",
    "tổng đài",
    "đầu số",
    "nhắn",
    "điện thoại",
    "đường dây",
    "hotline",
    "liên hệ",
    "bấm số",
];

/// The contacts that can be found in words.
#[derive(Debug)]
pub(super) struct Contacts<'w> {
    all: Vec<(&'w Contact, &'w str, Pattern)>,
    /// Shared templates, which may bring a number into a bulletin.
    templates: &'w BTreeMap<String, Text>,
}

/// What to look for.
#[derive(Debug)]
enum Pattern {
    /// These digits.
    Number(String),
    /// This name of a site or account, in small letters.
    Name(String),
}

impl<'w> Contacts<'w> {
    pub(super) fn new(workspace: &'w Workspace, templates: &'w BTreeMap<String, Text>) -> Self {
        let pattern = |contact: &'w Contact| {
            let value = contact.value.as_deref()?;
            let pattern = match contact.kind {
                ContactKind::Phone | ContactKind::ShortCode => Pattern::Number(national(
                    &value
                        .chars()
                        .filter(char::is_ascii_digit)
                        .collect::<String>(),
                )),
                ContactKind::Site | ContactKind::Oa => Pattern::Name(value.to_lowercase()),
                // An office's value is an address in prose; its name is what people know.
                ContactKind::Office => return None,
            };
            Some((contact, value, pattern))
        };
        Self {
            all: workspace.contacts.values().filter_map(pattern).collect(),
            templates,
        }
    }

    /// Checks a bulletin's title, which goes out as it is.
    pub(super) fn check_title(&self, notebook: &Notebook, raw: &RawBulletin) {
        self.check(notebook, raw, "part-title", None, &raw.bulletin.title);
    }

    /// Checks one line of the words of the part that sentences call `part`.
    pub(super) fn check_line(
        &self,
        notebook: &Notebook,
        raw: &RawBulletin,
        part: &str,
        text: &Text,
        line: &str,
    ) {
        self.check(notebook, raw, part, Some(text), line);
    }

    fn check(
        &self,
        notebook: &Notebook,
        raw: &RawBulletin,
        part: &str,
        text: Option<&Text>,
        line: &str,
    ) {
        let spelt = Spelt::new(line);
        let lower = line.to_lowercase();
        // Where the words come from; what a shared template or a variable brought in stands nowhere in the bulletin.
        let report = |code,
                      value: &str,
                      help: Phrase,
                      contact: Option<&Contact>,
                      find: &dyn Fn(&str) -> Option<Range<usize>>| {
            let own = text.map(|text| (text, by_lines(&text.value, find)));
            let at = match &own {
                Some((text, Some(range))) => text.part(range.clone()),
                Some((text, None)) => text.place.clone(),
                None => raw.at.clone(),
            };
            let mut diagnostic = Diagnostic::new(code, at)
                .with("part", Arg::Word(part.to_owned()))
                .with("value", value)
                .help(help);
            if let Some(contact) = contact {
                diagnostic = diagnostic.with("contact", contact.id.as_str());
            }
            if let Some((own, None)) = own {
                let included = |name: &str| own.value.contains(name);
                let templates = self.templates.iter();
                let mut included = templates.filter(|(name, _)| included(name));
                let shared = included.find_map(|(_, text)| {
                    let range = by_lines(&text.value, find)?;
                    Some(text.part(range))
                });
                if let Some(place) = shared {
                    diagnostic = diagnostic.note(place, Phrase::new("note-template"));
                }
            }
            notebook.report(diagnostic);
        };
        for (contact, value, pattern) in &self.all {
            let found = match pattern {
                Pattern::Number(digits) => spelt.find(line, digits).is_some(),
                Pattern::Name(name) => find_name(&lower, name).is_some(),
            };
            let code = match (found, &contact.verified) {
                (false, _) => continue,
                (true, None) => Code::Unverified,
                (true, Some(_)) if raw.bulletin.contacts.contains(&contact.id) => continue,
                (true, Some(_)) => Code::Unlisted,
            };
            let help = if code == Code::Unverified {
                "L064-help"
            } else {
                "L065-help"
            };
            let help = Phrase::new(help).with("contact", contact.id.as_str());
            report(
                code,
                value,
                help,
                Some(contact),
                &|source: &str| match pattern {
                    Pattern::Number(digits) => Spelt::new(source).find(source, digits),
                    Pattern::Name(name) => find_name(&source.to_lowercase(), name),
                },
            );
        }
        for (range, digits) in spelt.telephones() {
            let is_known = self.all.iter().any(
                |(_, _, pattern)| matches!(pattern, Pattern::Number(number) if *number == digits),
            );
            if !is_known {
                let written = &line[range];
                report(
                    Code::StrayNumber,
                    written,
                    Phrase::new("L066-help"),
                    None,
                    &|source: &str| source.find(written).map(|at| at..at + written.len()),
                );
            }
        }
    }
}

/// `find` on each line of `text`, as bytes of the whole. Letters can change their length between small and capital; the
/// place is then near enough.
fn by_lines(text: &str, find: impl Fn(&str) -> Option<Range<usize>>) -> Option<Range<usize>> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(range) = find(line) {
            return Some(start + range.start..start + range.end.min(line.len()));
        }
        start += line.len();
    }
    None
}

/// Digits with the country's prefix as 0, also where the 0 is written behind it: `+84 (0)69`.
fn national(digits: &str) -> String {
    let rest = digits
        .strip_prefix("0084")
        .or_else(|| digits.strip_prefix("84").filter(|rest| rest.len() >= 9));
    rest.map_or_else(
        || digits.to_owned(),
        |rest| format!("0{}", rest.trim_start_matches('0')),
    )
}

/// Digits that stand together, or a word for one.
#[derive(Debug, Clone)]
struct Group {
    range: Range<usize>,
    digits: String,
    is_word: bool,
}

/// Words for digits, as a script spells a number for reading aloud.
const DIGIT_WORDS: [(&str, char); 14] = [
    ("không", '0'),
    ("một", '1'),
    ("mốt", '1'),
    ("hai", '2'),
    ("ba", '3'),
    ("bốn", '4'),
    ("tư", '4'),
    ("năm", '5'),
    ("lăm", '5'),
    ("sáu", '6'),
    ("bảy", '7'),
    ("bẩy", '7'),
    ("tám", '8'),
    ("chín", '9'),
];

/// The digits of a line, in groups.
#[derive(Debug)]
struct Spelt {
    /// Joined by what people write between the groups of one number: `069 234 8560`, `(069) 234–8560`.
    close: Vec<Vec<Group>>,
    /// Joined by other signs as well, which also stand between numbers: `069/234/8560`. Only for numbers that are known.
    loose: Vec<Vec<Group>>,
}

impl Spelt {
    fn new(line: &str) -> Self {
        let groups = groups(line);
        let is_close = |c: char| {
            c.is_whitespace() || ".-()+‐‑‒–—−".contains(c) || ('\u{200b}'..='\u{200f}').contains(&c)
        };
        let is_loose = |c: char| is_close(c) || ",/_*·•|".contains(c);
        Self {
            close: join(line, &groups, is_close),
            loose: join(line, &groups, is_loose),
        }
    }

    /// Where neighbouring groups spell `wanted`.
    fn find(&self, line: &str, wanted: &str) -> Option<Range<usize>> {
        let is_short = wanted.len() <= SHORT;
        let numbers = if is_short { &self.close } else { &self.loose };
        for groups in numbers {
            for first in 0..groups.len() {
                let mut digits = String::new();
                for last in first..groups.len() {
                    digits.push_str(&groups[last].digits);
                    if digits.len() > wanted.len() + 5 {
                        break;
                    }
                    let range = groups[first].range.start..groups[last].range.end;
                    if national(&digits) == wanted && (!is_short || is_called(&line[..range.start]))
                    {
                        return Some(range);
                    }
                }
            }
        }
        None
    }

    /// What looks like telephone numbers: where, and their digits.
    fn telephones(&self) -> Vec<(Range<usize>, String)> {
        let mut found = Vec::new();
        for groups in &self.close {
            let mut first = 0;
            while first < groups.len() {
                // A date or a count begins with one or two digits; a telephone number does not, unless with 84.
                let begins = !groups[first].is_word
                    && (groups[first].digits.len() >= 3 || groups[first].digits == "84");
                let mut digits = String::new();
                let mut longest = None;
                for (last, group) in groups.iter().enumerate().skip(first) {
                    digits.push_str(&group.digits);
                    if !begins || group.is_word || digits.len() > 15 {
                        break;
                    }
                    let number = national(&digits);
                    if is_telephone(&number) {
                        longest = Some((last, number));
                    }
                }
                first = match longest {
                    Some((last, number)) => {
                        let range = groups[first].range.start..groups[last].range.end;
                        found.push((range, number));
                        last + 1
                    }
                    None => first + 1,
                };
            }
        }
        found
    }
}

/// The groups of digits of a line, words for digits among them.
fn groups(line: &str) -> Vec<Group> {
    let digit = |c: char| match c {
        '0'..='9' => Some(c),
        // Full width, as some keyboards for East Asia write.
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10),
        _ => None,
    };
    let mut groups: Vec<Group> = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find(char::is_alphanumeric) {
        let at = line.len() - rest.len() + start;
        let is_digits = line[at..].starts_with(|c| digit(c).is_some());
        let length = line[at..]
            .find(|c: char| !c.is_alphanumeric() || digit(c).is_some() != is_digits)
            .unwrap_or(line.len() - at);
        let token = &line[at..at + length];
        let digits: String = if is_digits {
            token.chars().filter_map(digit).collect()
        } else {
            let word = token.to_lowercase();
            let named = DIGIT_WORDS.iter().filter(|(name, _)| *name == word);
            named.map(|(_, digit)| *digit).collect()
        };
        if !digits.is_empty() {
            groups.push(Group {
                range: at..at + length,
                digits,
                is_word: !is_digits,
            });
        }
        rest = &line[at + length..];
    }
    groups
}

/// Groups with at most three joining signs between them, together.
fn join(line: &str, groups: &[Group], joins: impl Fn(char) -> bool) -> Vec<Vec<Group>> {
    let mut joined: Vec<Vec<Group>> = Vec::new();
    for group in groups {
        let follows = joined
            .last()
            .and_then(|groups| groups.last())
            .is_some_and(|last| {
                let between = &line[last.range.end..group.range.start];
                // A full stop with a blank ends a sentence.
                !between.is_empty()
                    && between.chars().count() <= 3
                    && between.chars().all(&joins)
                    && !between.contains(". ")
            });
        match joined.last_mut() {
            Some(groups) if follows => groups.push(group.clone()),
            _ => joined.push(vec![group.clone()]),
        }
    }
    joined
}

/// Whether the sentence so far speaks of calling.
fn is_called(before: &str) -> bool {
    let sentence = before
        .rsplit(['.', '!', '?', ';'])
        .next()
        .unwrap_or(before)
        .to_lowercase();
    CALLING.iter().any(|word| sentence.contains(word))
}

/// Whether these digits are how a telephone number of Việt Nam looks: ten with a leading 0, eleven for a fixed line with
/// its province's prefix, or a service number.
fn is_telephone(digits: &str) -> bool {
    let is_service = digits.starts_with("1800") || digits.starts_with("1900");
    (digits.starts_with('0') && digits.len() == 10)
        || (digits.starts_with("02") && digits.len() == 11)
        || (is_service && matches!(digits.len(), 8 | 10))
}

/// Where `name` stands as a name of its own, not as a part of a longer one.
fn find_name(lower: &str, name: &str) -> Option<Range<usize>> {
    let is_part = |c: char| c.is_alphanumeric() || c == '-';
    lower
        .match_indices(name)
        .map(|(at, _)| at..at + name.len())
        .find(|range| {
            let before = lower[..range.start]
                .strip_suffix("www.")
                .unwrap_or(&lower[..range.start]);
            let mut after = lower[range.end..].chars();
            let follows = match after.next() {
                Some('.') => after.next().is_some_and(is_part),
                other => other.is_some_and(is_part),
            };
            !follows
                && !before
                    .chars()
                    .next_back()
                    .is_some_and(|c| is_part(c) || c == '.' || c == '@')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number<'l>(line: &'l str, wanted: &str) -> Option<&'l str> {
        Spelt::new(line)
            .find(line, wanted)
            .map(|range| &line[range])
    }

    #[test]
    fn numbers_are_found_however_they_are_grouped() {
        for line in [
            "Gọi 069 234 8560.",
            "số 069.2348560",
            "+84 69 234 8560",
            "năm 2024 0692348560",
            "069-234-8560 113",
            "(069) 234 8560",
            "069 – 234 – 8560",
            "069\u{a0}234\u{a0}8560",
            "069  234  8560",
            "(+84) 69 2348560",
            "+84 (0)69 234 8560",
            "069/234/8560",
            "069, 234, 8560",
            "069_234_8560",
            "０６９２３４８５６０",
            "không sáu chín hai ba bốn tám năm sáu không",
            "Không sáu chín, 234, 8560",
        ] {
            assert!(number(line, "0692348560").is_some(), "{line}");
        }
        assert_eq!(number("10692348560", "0692348560"), None);
        assert_eq!(number("Hãy gọi 113 ngay", "113"), Some("113"));
        assert_eq!(number("Có 113 người. Xin cảm ơn", "113"), None);
        assert_eq!(number("Hãy gọi công an. Có 113 người", "113"), None);
        assert_eq!(
            number("nhắn tới năm sáu năm sáu", "5656"),
            Some("năm sáu năm sáu")
        );
        assert_eq!(number("gọi một trong năm số", "15"), None);
        assert_eq!(number("06923485601", "0692348560"), None);
    }

    #[test]
    fn telephone_numbers_are_told_from_dates_and_counts() {
        let found = |line: &str| -> Vec<String> {
            let spelt = Spelt::new(line);
            spelt
                .telephones()
                .into_iter()
                .map(|(range, _)| line[range].to_owned())
                .collect()
        };
        assert_eq!(found("gọi 0912 345 678"), ["0912 345 678"]);
        assert_eq!(
            found("0912345678 0912345679, 1900.1234"),
            ["0912345678", "0912345679", "1900.1234"]
        );
        assert_eq!(found("năm 2024 0912345678 nhé"), ["0912345678"]);
        assert_eq!(found("gọi 0912345678. 4 người"), ["0912345678"]);
        assert_eq!(found("gọi 0912345678 4 lần"), ["0912345678"]);
        assert_eq!(found("gọi 0238 3123 456"), ["0238 3123 456"]);
        assert_eq!(found("(+84) 912 345 678"), ["84) 912 345 678"]);
        for line in [
            "từ 05-06-2024 12 người",
            "01/03/2024",
            "05:30 – 06:00",
            "1.900.123.456 đồng",
            "10 000 000 đồng",
            "không một ai, một hai ba bốn năm sáu bảy tám chín không",
        ] {
            assert_eq!(found(line), Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn sites_are_whole_names() {
        for line in [
            "vào dichvucong.gov.vn.",
            "https://dichvucong.gov.vn/x",
            "www.dichvucong.gov.vn",
        ] {
            assert!(find_name(line, "dichvucong.gov.vn").is_some(), "{line}");
        }
        for line in [
            "dichvucong.gov.vn.evil.example",
            "xdichvucong.gov.vn",
            "a.dichvucong.gov.vn",
            "a@dichvucong.gov.vn",
        ] {
            assert!(find_name(line, "dichvucong.gov.vn").is_none(), "{line}");
        }
    }
}
