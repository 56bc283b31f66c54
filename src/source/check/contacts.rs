//! Telephone numbers and sites in the words that go out: only verified contacts, and those that the bulletin lists. A
//! warning against fraud with a wrong number in it would be the fraud.
//!
//! Numbers are compared by their digits, however they are grouped, with +84 as 0. A short number counts only after a
//! word for calling: 113 may also be a number of people.

use std::ops::Range;

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place},
    domain::{
        contact::{Contact, ContactKind},
        workspace::Workspace,
    },
    render::BodyPart,
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
    pub(super) fn new(workspace: &'w Workspace) -> Self {
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
        }
    }

    /// Checks a bulletin's title, which goes out as it is.
    pub(super) fn check_title(&self, notebook: &Notebook, raw: &RawBulletin) {
        self.check(notebook, raw, "part-title", None, &raw.bulletin.title);
    }

    /// Checks one line of the words of one part.
    pub(super) fn check_line(
        &self,
        notebook: &Notebook,
        raw: &RawBulletin,
        part: BodyPart,
        text: &Text,
        line: &str,
    ) {
        let name = match part {
            BodyPart::Script => "part-script",
            BodyPart::ArticleBody => "part-article",
            BodyPart::ArticleSummary => "part-summary",
            BodyPart::Message => "part-message",
            BodyPart::Sign => "part-sign",
            BodyPart::Correction => "part-correction",
        };
        self.check(notebook, raw, name, Some(text), line);
    }

    fn check(
        &self,
        notebook: &Notebook,
        raw: &RawBulletin,
        part: &str,
        text: Option<&Text>,
        line: &str,
    ) {
        let numbers = numbers(line);
        let lower = line.to_lowercase();
        // Where the words come from; what a shared template or a variable brought in stands nowhere in the bulletin.
        let place = |find: &dyn Fn(&str) -> Option<Range<usize>>| -> Place {
            let Some(text) = text else {
                return raw.at.clone();
            };
            find(&text.value).map_or_else(|| text.place.clone(), |range| text.part(range))
        };
        let diagnostic = |code, at: Place, value: &str| {
            Diagnostic::new(code, at)
                .with("part", Arg::Word(part.to_owned()))
                .with("value", value)
        };
        for (contact, value, pattern) in &self.all {
            let found = match pattern {
                Pattern::Number(digits) => find_number(line, &numbers, digits).is_some(),
                Pattern::Name(name) => find_name(&lower, name).is_some(),
            };
            let code = match (found, &contact.verified) {
                (false, _) => continue,
                (true, None) => Code::Unverified,
                (true, Some(_)) if raw.bulletin.contacts.contains(&contact.id) => continue,
                (true, Some(_)) => Code::Unlisted,
            };
            let at = place(&|source: &str| match pattern {
                Pattern::Number(digits) => by_lines(source, |line| {
                    find_number(line, &self::numbers(line), digits)
                }),
                Pattern::Name(name) => {
                    by_lines(source, |line| find_name(&line.to_lowercase(), name))
                }
            });
            let help = if code == Code::Unverified {
                "L064-help"
            } else {
                "L065-help"
            };
            notebook.report(
                diagnostic(code, at, value)
                    .with("contact", contact.id.as_str())
                    .help(Phrase::new(help).with("contact", contact.id.as_str())),
            );
        }
        for (range, digits) in numbers
            .iter()
            .map(|groups| (whole(groups), national(&digits_of(line, groups))))
        {
            if !is_telephone(&digits) {
                continue;
            }
            let is_known = self.all.iter().any(
                |(_, _, pattern)| matches!(pattern, Pattern::Number(number) if *number == digits),
            );
            if !is_known {
                let written = &line[range];
                let at =
                    place(&|source: &str| source.find(written).map(|at| at..at + written.len()));
                notebook.report(
                    diagnostic(Code::StrayNumber, at, written).help(Phrase::new("L066-help")),
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

/// Digits with the country's prefix as 0.
fn national(digits: &str) -> String {
    let rest = digits
        .strip_prefix("0084")
        .or_else(|| digits.strip_prefix("84").filter(|rest| rest.len() >= 9));
    rest.map_or_else(|| digits.to_owned(), |rest| format!("0{rest}"))
}

/// The places of digits that stand together.
type Groups = Vec<Range<usize>>;

/// Groups of digits that stand together, with one blank, dot or hyphen between them: `069 234 8560`.
fn numbers(line: &str) -> Vec<Groups> {
    let bytes = line.as_bytes();
    let mut numbers: Vec<Groups> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = at
            + bytes[at..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
        let joins = numbers
            .last()
            .and_then(|groups| groups.last())
            .is_some_and(|last| {
                last.end + 1 == at && matches!(bytes[last.end], b' ' | b'.' | b'-')
            });
        match numbers.last_mut() {
            Some(groups) if joins => groups.push(at..end),
            _ => numbers.push(std::iter::once(at..end).collect()),
        }
        at = end;
    }
    numbers
}

fn digits_of(line: &str, groups: &[Range<usize>]) -> String {
    groups.iter().map(|range| &line[range.clone()]).collect()
}

/// Where neighbouring groups spell `wanted`.
fn find_number(line: &str, numbers: &[Groups], wanted: &str) -> Option<Range<usize>> {
    for groups in numbers {
        for first in 0..groups.len() {
            for last in first..groups.len() {
                let digits = national(&digits_of(line, &groups[first..=last]));
                if digits.len() > wanted.len() + 4 {
                    break;
                }
                let range = groups[first].start..groups[last].end;
                if digits == wanted && (wanted.len() > SHORT || is_called(&line[..range.start])) {
                    return Some(range);
                }
            }
        }
    }
    None
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

fn whole(groups: &[Range<usize>]) -> Range<usize> {
    let start = groups.first().map_or(0, |range| range.start);
    start..groups.last().map_or(start, |range| range.end)
}

/// Whether these digits are how a telephone number of Việt Nam looks: ten with a leading 0, or a service number.
fn is_telephone(digits: &str) -> bool {
    let is_service = digits.starts_with("1800") || digits.starts_with("1900");
    (digits.starts_with('0') && matches!(digits.len(), 10 | 11))
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
        find_number(line, &numbers(line), wanted).map(|range| &line[range])
    }

    #[test]
    fn numbers_are_found_however_they_are_grouped() {
        for line in [
            "Gọi 069 234 8560.",
            "số 069.2348560",
            "+84 69 234 8560",
            "năm 2024 0692348560",
            "069-234-8560 113",
        ] {
            assert!(number(line, "0692348560").is_some(), "{line}");
        }
        assert_eq!(number("10692348560", "0692348560"), None);
        assert_eq!(number("Hãy gọi 113 ngay", "113"), Some("113"));
        assert_eq!(number("Có 113 người. Xin cảm ơn", "113"), None);
        assert_eq!(number("Hãy gọi công an. Có 113 người", "113"), None);
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
