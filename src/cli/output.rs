//! How commands talk: standard output in the reader's language or as JSON, times in the installation's zone.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write},
    path::Path,
    sync::OnceLock,
};

use chrono::{Datelike as _, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

pub use crate::domain::calendar::rfc3339;
use crate::{
    adapter::Failure,
    catalogue::{self, Lang},
    config,
    domain::{
        calendar,
        detail::{self, Detail},
        time::{Timestamp, parse_duration},
    },
};

/// What a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: stable, documented in the README.
    Json,
}

/// Where and how a command writes.
#[derive(Debug)]
pub struct Output {
    /// For people or for programs.
    pub format: Format,
    /// The reader's language.
    pub lang: Lang,
    /// Whether escape sequences are welcome.
    pub color: bool,
    /// What people call the database that is worked with, once there is one: errors name it.
    pub database: OnceLock<String>,
}

impl Output {
    /// Writing to standard output.
    #[must_use]
    pub fn new(format: Format, lang: Lang) -> Self {
        Self {
            format,
            lang,
            color: io::stdout().is_terminal() && !config::no_color(),
            database: OnceLock::new(),
        }
    }

    /// A sentence of the catalogue.
    #[must_use]
    pub fn say(&self, key: &str, args: &[(&str, &dyn std::fmt::Display)]) -> String {
        catalogue::text(self.lang, key, args)
    }

    /// What the program wrote down as a detail, as a sentence.
    #[must_use]
    pub fn detail(&self, detail: &Detail) -> String {
        let said = catalogue::detail(self.lang, detail.code(), detail.arguments());
        said.unwrap_or_else(|| detail.to_string())
    }

    /// Why an attempt failed, as the log would say it.
    #[must_use]
    pub fn failure(&self, failure: &Failure) -> String {
        let said = self.say(&format!("reason.{}", failure.reason().as_str()), &[]);
        match Detail::parse(failure.detail()) {
            Some(known) if known.stands_beside() => {
                let said = match known.get("call") {
                    Some(call) => catalogue::at_call(self.lang, &said, call),
                    None => said,
                };
                format!("{said}. {}", self.detail(&known))
            }
            Some(known) => self.detail(&known),
            None => said,
        }
    }

    /// What the operating system said, in words where it is one of the usual things.
    #[must_use]
    pub fn cause(&self, error: &io::Error) -> String {
        let cause = detail::cause(error);
        let key = format!("cli.{cause}");
        if catalogue::has(&key) {
            self.say(&key, &[])
        } else {
            self.say("cli.cause-other", &[("words", &cause)])
        }
    }

    /// The failure of a file or folder that cannot be read or written.
    #[must_use]
    pub fn file(&self, path: &Path, error: &io::Error) -> anyhow::Error {
        let (path, cause) = (path.display(), self.cause(error));
        anyhow::Error::msg(self.say("cli.file", &[("path", &path), ("cause", &cause)]))
    }

    /// Writes a line. A reader that went away (`loa log | head`) is not an error.
    ///
    /// # Errors
    /// The system's, when the line cannot be written for another reason.
    pub fn line(&self, text: &str) -> io::Result<()> {
        match self.format {
            Format::Text => self.styled(&harmless(text)),
            Format::Json => self.styled(text),
        }
    }

    /// Writes a line that has escape sequences of our own in it, and no text of others that could hold some.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub fn styled(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match writeln!(out, "{text}") {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(error),
            other => other,
        }
    }

    /// Writes text that has its own line ends.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub fn raw(&self, text: &str) -> io::Result<()> {
        io::stdout().lock().write_all(text.as_bytes())
    }

    /// Writes one JSON value on a line.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub fn json(&self, value: &impl serde::Serialize) -> anyhow::Result<()> {
        Ok(self.line(&serde_json::to_string(value)?)?)
    }
}

/// `text` with everything that a terminal would obey shown instead: names and answers from elsewhere may hold anything.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// A JSON array written item by item, so that memory does not grow with it.
#[derive(Debug)]
pub struct JsonArray<'a> {
    output: &'a Output,
    empty: bool,
}

impl<'a> JsonArray<'a> {
    /// Begins the array.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub fn begin(output: &'a Output) -> io::Result<Self> {
        output.line("[")?;
        Ok(Self {
            output,
            empty: true,
        })
    }

    /// Adds an item.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub fn item(&mut self, value: &impl serde::Serialize) -> anyhow::Result<()> {
        let comma = if std::mem::take(&mut self.empty) {
            " "
        } else {
            ","
        };
        Ok(self
            .output
            .line(&format!("{comma}{}", serde_json::to_string(value)?))?)
    }

    /// Ends the array.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub fn end(self) -> io::Result<()> {
        self.output.line("]")
    }
}

/// An instant as people in `zone` read it: `Thứ Hai 25/03/2024 05:30`, or without the weekday in `short`.
#[must_use]
pub fn local(at: Timestamp, zone: Tz) -> String {
    calendar::local(at, zone)
        .format("%d/%m/%Y %H:%M")
        .to_string()
}

/// The clock time in `zone`, to the second.
#[must_use]
pub fn clock(at: Timestamp, zone: Tz) -> String {
    calendar::clock(at, zone)
}

/// A day with its weekday: `Thứ Hai 25/03/2024`.
#[must_use]
pub fn day(date: NaiveDate, lang: Lang) -> String {
    let weekday = catalogue::text(
        lang,
        &format!("cli.weekday-{}", date.weekday().num_days_from_monday() + 1),
        &[],
    );
    format!("{weekday} {}", date.format("%d/%m/%Y"))
}

/// The refusal of a range that ends before it begins: nothing lies in it, which must not read like nothing happened.
#[must_use]
pub fn backwards(from: Timestamp, until: Timestamp, zone: Tz, output: &Output) -> anyhow::Error {
    let (from, until) = (local(from, zone), local(until, zone));
    anyhow::Error::msg(output.say("cli.backwards", &[("from", &from), ("until", &until)]))
}

/// A text that is no instant. `main` says it in the reader's language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an instant")]
pub struct NotAnInstant(pub String);

/// Reads an instant as people write it: RFC 3339, a local time or a local day in `zone`, or a distance from `now` such
/// as `+24h`, `-2d`, or `now`.
///
/// # Errors
/// [`NotAnInstant`] for anything else.
pub fn parse_instant(text: &str, zone: Tz, now: Timestamp) -> Result<Timestamp, NotAnInstant> {
    let wrong = || NotAnInstant(text.to_owned());
    let length = |text: &str| parse_duration(text).map_err(|_| wrong());
    if text == "now" {
        return Ok(now);
    }
    if let Some(distance) = text.strip_prefix('+') {
        return Ok(now + length(distance)?);
    }
    if let Some(distance) = text.strip_prefix('-') {
        return Ok(now - length(distance)?);
    }
    if let Ok(at) = Timestamp::parse_rfc3339(text) {
        return Ok(at);
    }
    let wall = [
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    .or_else(|| {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    });
    wall.map(|wall| calendar::resolve(wall, zone))
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_that_others_wrote() {
        assert_eq!(
            harmless("Cảnh\u{1b}[31m\u{202e}x\r\n"),
            "Cảnh\\u{1b}[31m\\u{202e}x\\u{d}\n"
        );
        assert!(matches!(harmless("Thưa bà con\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn instants_as_people_write_them() {
        let zone = chrono_tz::Asia::Ho_Chi_Minh;
        let now = Timestamp::parse_rfc3339("2024-03-25T00:00:00+07:00").unwrap();
        let morning = Timestamp::parse_rfc3339("2024-03-25T05:30:00+07:00").unwrap();
        for text in [
            "2024-03-25T05:30",
            "2024-03-25 05:30:00",
            "2024-03-24T22:30:00Z",
            "+5h30m",
        ] {
            assert_eq!(parse_instant(text, zone, now).unwrap(), morning, "{text}");
        }
        assert_eq!(parse_instant("2024-03-25", zone, now).unwrap(), now);
        assert_eq!(parse_instant("now", zone, now).unwrap(), now);
        assert!(parse_instant("tomorrow", zone, now).is_err());
        assert_eq!(rfc3339(morning, zone), "2024-03-25T05:30:00+07:00");
    }
}
