//! Typed reading of a tree. Whatever is not as it should be is reported where it stands, and reading goes on.
//!
//! `None` from a reading function means that a mistake was reported, never that something was left out in silence.
//! Callers put a stand-in where they need a value, so that later checks see as much of the workspace as there is; a
//! workspace with errors is never used.

mod fields;
mod shape;

use std::{
    collections::BTreeMap,
    fmt,
    ops::{Range, RangeInclusive},
    sync::Arc,
};

use chrono::NaiveDate;

pub(super) use fields::{Fields, is_secret_name};

use super::{
    notebook::{Named, Notebook, did_you_mean},
    similar::nearest,
    text::{self, Text},
    yaml::{Entry, Kind, Node, Scalar, Style},
};
use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place, SourceFile},
    domain::{bulletin::Dated, secret::SecretRef},
};

/// A value being read.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    /// Where mistakes go.
    pub notebook: &'a Notebook,
    file: &'a Arc<SourceFile>,
    node: &'a Node,
    /// The key it stands under.
    key: Option<&'a Range<usize>>,
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({:?})", self.place())
    }
}

impl<'a> Value<'a> {
    /// The whole of a file.
    pub(super) fn root(notebook: &'a Notebook, file: &'a Arc<SourceFile>, node: &'a Node) -> Self {
        Self {
            notebook,
            file,
            node,
            key: None,
        }
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        Place::new(self.file, self.node.span.clone())
    }

    /// Where its key stands, or the value itself where it has none.
    pub(super) fn key_place(&self) -> Place {
        Place::new(self.file, self.key.unwrap_or(&self.node.span).clone())
    }

    /// Reports a mistake here.
    pub(super) fn wrong(&self, code: Code) -> Diagnostic {
        Diagnostic::new(code, self.place())
    }

    /// Whether it is written as a plain text and not as a list or map.
    pub(super) fn is_scalar(&self) -> bool {
        matches!(self.node.kind, Kind::Scalar(_))
    }

    /// Whether it is written as a list.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.node.kind, Kind::List(_))
    }

    /// Whether it is a list without anything in it.
    pub(super) fn is_empty_list(&self) -> bool {
        matches!(&self.node.kind, Kind::List(items) if items.is_empty())
    }

    /// How many items a list has.
    pub(super) fn length(&self) -> usize {
        match &self.node.kind {
            Kind::List(items) => items.len(),
            _ => 0,
        }
    }

    /// Reports that exactly one of `keys` has to be here.
    pub(super) fn choose_one<T>(&self, keys: &[&str], help: &'static str) -> Option<T> {
        let names = keys.iter().map(|key| (*key).to_owned()).collect();
        let diagnostic =
            Diagnostic::new(Code::ChooseOne, self.key_place()).with("names", Arg::Names(names));
        self.notebook.report(diagnostic.help(Phrase::new(help)));
        None
    }

    fn scalar(&self, expected: &'static str) -> Option<&'a Scalar> {
        match &self.node.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => self.mistyped(expected),
        }
    }

    /// A text; numbers and booleans are taken as they are written.
    pub(super) fn text(&self) -> Option<Text> {
        let scalar = self.scalar("type-text")?;
        if scalar.text.trim().is_empty() {
            return self.mistyped("type-text");
        }
        Some(Text::new(self.file, scalar, &self.node.span))
    }

    /// The words of a text on one line.
    pub(super) fn words(&self) -> Option<String> {
        Some(self.text()?.value.trim().to_owned())
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self.scalar("type-boolean")? {
            Scalar {
                text,
                style: Style::Plain,
            } if text == "true" => Some(true),
            Scalar {
                text,
                style: Style::Plain,
            } if text == "false" => Some(false),
            _ => self.mistyped("type-boolean"),
        }
    }

    /// A whole number in `range`.
    pub(super) fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let text = &self.scalar("type-number")?.text;
        let is_number = !text.is_empty()
            && text
                .trim_start_matches('-')
                .bytes()
                .all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if range.contains(&number) => Some(number),
            _ if is_number => {
                // More digits than a number holds are too many.
                let is_low = text.starts_with('-')
                    || text
                        .parse()
                        .is_ok_and(|number: u64| number < *range.start());
                self.out_of_range(range.start(), range.end(), is_low)
            }
            _ => self.mistyped("type-number"),
        }
    }

    /// A number in `range`.
    pub(super) fn number(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let text = &self.scalar("type-number")?.text;
        match text.parse::<f64>() {
            Ok(number) if range.contains(&number) => Some(number),
            Ok(number) if number.is_finite() => {
                self.out_of_range(range.start(), range.end(), number < *range.start())
            }
            _ => self.mistyped("type-number"),
        }
    }

    fn out_of_range<N: ToString, T>(&self, low: &N, high: &N, is_low: bool) -> Option<T> {
        let nearest = if is_low { low } else { high };
        let diagnostic = self.wrong(Code::OutOfRange);
        self.notebook.report(
            diagnostic
                .with("low", low.to_string())
                .with("high", high.to_string())
                .help(Phrase::new("L016-help").with("nearest", nearest.to_string())),
        );
        None
    }

    /// A text that `parse` understands; `code` when it does not.
    pub(super) fn parsed<T>(
        &self,
        code: Code,
        help: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text()?;
        let parsed = parse(&text.value);
        if parsed.is_none() {
            let diagnostic = self.wrong(code).with("text", text.value.as_str());
            self.notebook.report(diagnostic.help(Phrase::new(help)));
        }
        parsed
    }

    /// A text that `parse` understands. When it does not, `guess` may know what was meant.
    pub(super) fn parsed_or_guessed<T>(
        &self,
        code: Code,
        (help, try_this): (&'static str, &'static str),
        parse: impl FnOnce(&str) -> Option<T>,
        guess: impl FnOnce(&str) -> Option<String>,
    ) -> Option<T> {
        let text = self.text()?.value;
        let parsed = parse(&text);
        if parsed.is_none() {
            let help = guess(&text).map_or_else(
                || Phrase::new(help),
                |meant| Phrase::new(try_this).with("meant", meant),
            );
            self.notebook
                .report(self.wrong(code).with("text", text.as_str()).help(help));
        }
        parsed
    }

    /// A date: `2024-03-25`.
    pub(super) fn date(&self) -> Option<NaiveDate> {
        self.parsed_or_guessed(
            Code::BadDate,
            ("L032-help", "L032-help-try"),
            parse_date,
            |text| {
                // As people write dates; chrono takes numbers with and without leading zeros.
                let patterns = ["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y-%m-%d"];
                let date = patterns
                    .iter()
                    .find_map(|pattern| NaiveDate::parse_from_str(text, pattern).ok())?;
                Some(date.to_string())
            },
        )
    }

    /// A month: `2024-03`.
    pub(super) fn month(&self) -> Option<(i32, u32)> {
        self.parsed(Code::BadDate, "L032-help-month", |text| {
            use chrono::Datelike;
            let date = parse_date(&format!("{text}-01"))?;
            Some((date.year(), date.month()))
        })
    }

    /// A date as far as it is known: `2024-03-25` or `2024-03`.
    pub(super) fn day_or_month(&self) -> Option<Dated> {
        use chrono::Datelike;
        if self.is_scalar()
            && let Some(date) = self
                .text()
                .and_then(|text| parse_date(&format!("{}-01", text.value)))
        {
            return Some(Dated::Month {
                year: date.year(),
                month: date.month(),
            });
        }
        self.date().map(Dated::Day)
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<T> {
        if !self.is_scalar() {
            return self.mistyped_like("type-text", words.first().map(|(word, _)| *word));
        }
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let names = words.iter().map(|(word, _)| (*word).to_owned()).collect();
            let near = shape::in_vietnamese(&text.value)
                .filter(|meant| words.iter().any(|(word, _)| word == meant))
                .or_else(|| nearest(&text.value, words.iter().map(|(word, _)| (*word, None))));
            let diagnostic = self
                .wrong(Code::NotOneOf)
                .with("text", text.value.as_str())
                .with("names", Arg::Names(names))
                .help(near.map_or_else(
                    || {
                        let example = words.first().map_or("", |(word, _)| *word);
                        Phrase::new("L015-help").with("example", example)
                    },
                    did_you_mean,
                ));
            self.notebook.report(diagnostic);
        }
        found.map(|(_, value)| *value)
    }

    /// An identifier.
    pub(super) fn id<T, E>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.text()?;
        let id = parse(&text.value).ok();
        if id.is_none() {
            self.notebook.report(invalid_id(&text.value, self.place()));
        }
        id
    }

    /// An identifier of something that another place defines.
    pub(super) fn reference<T, E>(
        &self,
        sort: Named,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text()?;
        self.notebook.refer(sort, &text.value, &self.place());
        // What is no id names nothing; the reference says so, with the nearest name that there is.
        parse(&text.value).ok()
    }

    /// A reference to a secret.
    pub(super) fn secret(&self) -> Option<SecretRef> {
        let text = self.text()?;
        let secret = SecretRef::parse(&text.value);
        if secret.is_none() {
            self.notebook.report(self.plain_secret(&text.value));
        }
        secret
    }

    /// The mistake of a secret that stands in the file itself, or of a reference that is none. It never repeats the text.
    pub(super) fn plain_secret(&self, text: &str) -> Diagnostic {
        let is_attempt = text.starts_with("env:") || text.starts_with("file:");
        let (code, help) = if is_attempt {
            (Code::BadReference, "L053-help")
        } else {
            (Code::PlainSecret, "L052-help")
        };
        self.wrong(code).help(Phrase::new(help))
    }

    /// Reports whatever stands here in the open, because it seems to be meant for a secret.
    pub(super) fn conceal(&self) {
        match &self.node.kind {
            Kind::Scalar(scalar)
                if !scalar.text.is_empty() && SecretRef::parse(&scalar.text).is_none() =>
            {
                self.notebook.report(self.plain_secret(&scalar.text));
            }
            Kind::List(items) => {
                for node in items {
                    let item = Self {
                        node,
                        key: None,
                        ..*self
                    };
                    item.conceal();
                }
            }
            _ => {}
        }
    }

    /// A list, every item read; items with mistakes are left out.
    pub(super) fn list<T>(&self, mut read: impl FnMut(Value<'a>) -> Option<T>) -> Option<Vec<T>> {
        let items = match &self.node.kind {
            Kind::List(items) => items,
            Kind::Scalar(scalar) if !scalar.text.trim().is_empty() => {
                return self.unlisted(scalar);
            }
            _ => return self.mistyped("type-list"),
        };
        Some(
            items
                .iter()
                .filter_map(|node| {
                    read(Self {
                        node,
                        key: None,
                        ..*self
                    })
                })
                .collect(),
        )
    }

    /// The mistake of one value where a list of such values should be; the help writes that list.
    fn unlisted<T>(&self, scalar: &Scalar) -> Option<T> {
        let text = scalar.text.trim();
        let is_simple = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let example = if is_simple {
            format!("`[{text}]`")
        } else {
            format!("`[\"{}\"]`", text.replace(['"', '\n'], " "))
        };
        let diagnostic = self
            .wrong(Code::WrongType)
            .with("expected", Arg::Word("type-list".into()))
            .with("found", Arg::Word("type-text".into()));
        let help = Phrase::new("L014-help").with("example", example);
        self.notebook.report(diagnostic.help(help));
        None
    }

    fn pairs(&self) -> Option<&'a [Entry]> {
        match &self.node.kind {
            Kind::Map(entries) => Some(entries),
            _ => self.mistyped("type-map"),
        }
    }

    fn child(&self, entry: &'a Entry) -> Self {
        Self {
            node: &entry.value,
            key: Some(&entry.key_span),
            ..*self
        }
    }

    /// A map whose keys people choose.
    pub(super) fn entries(&self) -> Option<Vec<(&'a str, Value<'a>)>> {
        Some(
            self.pairs()?
                .iter()
                .map(|entry| (entry.key.as_str(), self.child(entry)))
                .collect(),
        )
    }

    /// A map whose keys are ids of `sort`: each becomes known, with the name under `name` or `title` for suggestions.
    pub(super) fn definitions<T, I, E>(
        &self,
        sort: Named,
        parse: impl Fn(&str) -> Result<I, E>,
        mut read: impl FnMut(I, Value<'a>) -> Option<T>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        let Some(entries) = self.entries() else {
            self.notebook.gap(sort);
            return all;
        };
        for (key, value) in entries.iter().copied() {
            let place = value.key_place();
            let Ok(id) = parse(key) else {
                self.notebook.report(invalid_id(key, place));
                self.notebook.gap(sort);
                // What stands below it may be wrong, too.
                let keys: Vec<&str> = entries.iter().map(|(key, _)| *key).collect();
                let stand_in = stand_in_id(key, |id| {
                    keys.contains(&id) || self.notebook.knows(sort, id)
                });
                if let Ok(id) = parse(&stand_in) {
                    let read = read(id, value);
                    // Others name a ward and it names others; under another id that would not hold together.
                    all.extend(read.filter(|_| sort != Named::Ward));
                }
                continue;
            };
            let name = match &value.node.kind {
                Kind::Map(entries) => entries.iter().find_map(|entry| match &entry.value.kind {
                    Kind::Scalar(name) if matches!(entry.key.as_str(), "name" | "title") => {
                        Some(name.text.as_str())
                    }
                    _ => None,
                }),
                _ => None,
            };
            self.notebook.define(sort, key, name, &place);
            all.extend(read(id, value));
        }
        all
    }

    /// A map whose keys we choose. Keys that `read` does not ask for are reported as unknown.
    pub(super) fn map<T>(&self, read: impl FnOnce(&Fields<'a>) -> T) -> Option<T> {
        let fields = Fields::new(*self, self.pairs()?);
        let value = read(&fields);
        fields.report_keys();
        Some(value)
    }

    /// Any value as JSON, numbers and booleans by YAML's core rules. A telephone number with a leading zero is a text.
    pub(super) fn json(&self) -> serde_json::Value {
        match &self.node.kind {
            Kind::Null => serde_json::Value::Null,
            Kind::Scalar(scalar) => json_scalar(scalar),
            Kind::List(items) => items
                .iter()
                .map(|node| {
                    Self {
                        node,
                        key: None,
                        ..*self
                    }
                    .json()
                })
                .collect::<Vec<_>>()
                .into(),
            Kind::Map(entries) => {
                let pairs = entries
                    .iter()
                    .map(|entry| (entry.key.clone(), self.child(entry).json()));
                pairs.collect::<serde_json::Map<_, _>>().into()
            }
        }
    }

    /// Every text inside by its path: keys joined by dots, numbers in brackets for items of lists.
    pub(super) fn texts(&self, path: &str, texts: &mut BTreeMap<String, Text>) {
        match &self.node.kind {
            Kind::Null => {}
            Kind::Scalar(scalar) => {
                texts.insert(
                    path.to_owned(),
                    Text::new(self.file, scalar, &self.node.span),
                );
            }
            Kind::List(items) => {
                for (index, node) in items.iter().enumerate() {
                    Self {
                        node,
                        key: None,
                        ..*self
                    }
                    .texts(&format!("{path}[{index}]"), texts);
                }
            }
            Kind::Map(entries) => {
                let dot = if path.is_empty() { "" } else { "." };
                for entry in entries {
                    self.child(entry)
                        .texts(&format!("{path}{dot}{}", entry.key), texts);
                }
            }
        }
    }
}

/// An id to go on with for an entry whose own is none: the one that is suggested, where nothing else has it.
pub(super) fn stand_in_id(text: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let folded = super::similar::fold(text);
    let stem: String = folded.chars().filter(char::is_ascii).take(60).collect();
    let stem = match stem.trim_matches('-') {
        "" => "x",
        stem => stem,
    };
    if !is_taken(stem) {
        return stem.to_owned();
    }
    (2..10_000_u32)
        .map(|number| format!("{stem}-{number}"))
        .find(|id| !is_taken(id))
        .unwrap_or_default()
}

/// The mistake of a text that is no identifier, with the identifier it could become.
pub(super) fn invalid_id(text: &str, place: Place) -> Diagnostic {
    let folded = super::similar::fold(text);
    let help = if folded.is_empty() || folded.len() > 64 || !folded.is_ascii() {
        Phrase::new("L017-help")
    } else {
        Phrase::new("L017-help-try").with("id", folded)
    };
    Diagnostic::new(Code::InvalidId, place)
        .with("text", text)
        .help(help)
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    // chrono also takes `2024-3-5` and `+2024-03-05`; files that are sorted and searched need one way to write a day.
    (text.len() == 10 && text.as_bytes()[0].is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

fn json_scalar(scalar: &Scalar) -> serde_json::Value {
    let text = &scalar.text;
    if scalar.style != Style::Plain {
        return text::compose(text).into();
    }
    match text.as_str() {
        "true" => return true.into(),
        "false" => return false.into(),
        _ => {}
    }
    // What JSON writes as a number is one: no leading zeros, no underscores, no other bases.
    match serde_json::from_str::<serde_json::Number>(text) {
        Ok(number) => number.into(),
        Err(_) => text::compose(text).into(),
    }
}
