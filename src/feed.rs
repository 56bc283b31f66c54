//! Broadcasts as an iCalendar feed (RFC 5545, with the names and refresh times of RFC 7986), for the calendars of wards and
//! of those who look after channels. Pure: what stands in a feed is given, and the same events are the same bytes.
//!
//! Instants are written in UTC, so that no reader has to know our zone. A delivery's id is its event's, whatever becomes of it:
//! what is called off stays in the feed as cancelled, and readers that have it already take it out.

pub mod atom;

use std::{fmt::Write as _, time::Duration};

use crate::{
    catalogue::{Lang, text},
    domain::{
        channel::ChannelKind,
        delivery::{Reason, State},
        id::DeliveryId,
        time::Timestamp,
    },
};

/// How long something is shown to last of which nothing is known.
const USUAL: Duration = Duration::from_mins(5);

/// The longest line, in bytes, without its end (RFC 5545, 3.1).
const LONGEST_LINE: usize = 75;

/// How often readers are asked to look again.
const REFRESH: &str = "PT15M";

/// One broadcast on one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<'a> {
    /// The delivery.
    pub id: &'a DeliveryId,
    /// When it begins.
    pub due: Timestamp,
    /// How long it lasts, where that is known.
    pub length: Option<Duration>,
    /// The bulletin's title; `None` when there is no bulletin to send.
    pub title: Option<&'a str>,
    /// The channel's name.
    pub channel: &'a str,
    /// The channel's sort.
    pub kind: ChannelKind,
    /// The ward's name.
    pub ward: &'a str,
    /// Where it stands.
    pub state: State,
    /// Why.
    pub reason: Option<Reason>,
    /// When that was last changed.
    pub changed: Timestamp,
}

impl Event<'_> {
    /// Whether it is called off. What was tried and failed is not: it belongs to that time, and the log says the rest.
    fn is_cancelled(&self) -> bool {
        matches!(self.state, State::Cancelled | State::Skipped)
    }

    fn write(&self, calendar: &mut Calendar) {
        let say = |key: &str| text(Lang::Vi, key, &[]);
        let end = self.due
            + self
                .length
                .filter(|length| !length.is_zero())
                .unwrap_or(USUAL);
        // Whole seconds are all that the format has; an end never falls on its beginning.
        let end = end.max(self.due + Duration::from_secs(1));
        let title = self
            .title
            .map_or_else(|| say("web.feed-nothing"), str::to_owned);
        let state = say(&format!("state.{}", self.state.word(self.reason)));
        let why = self
            .reason
            .map(|reason| say(&format!("reason.{}", reason.as_str())));
        let mut about = vec![self.channel.to_owned(), state];
        about.extend(why);
        about.push(self.id.to_string());
        let status = if self.is_cancelled() {
            "CANCELLED"
        } else {
            "CONFIRMED"
        };
        calendar.line("BEGIN", "VEVENT");
        calendar.line("UID", &format!("{}@loa", self.id));
        calendar.line("DTSTAMP", &instant(self.changed));
        calendar.line("LAST-MODIFIED", &instant(self.changed));
        calendar.line("SEQUENCE", &sequence(self.changed).to_string());
        calendar.line("DTSTART", &instant(self.due));
        calendar.line("DTEND", &instant(end));
        calendar.line("STATUS", status);
        calendar.line("SUMMARY", &escaped(&title));
        calendar.line(
            "LOCATION",
            &escaped(&format!("{}, {}", self.channel, self.ward)),
        );
        calendar.line("DESCRIPTION", &escaped(&about.join("\n")));
        let kind = say(&format!("state.kind-{}", self.kind.as_str()));
        calendar.line("CATEGORIES", &escaped(&kind));
        // It takes nobody's time.
        calendar.line("TRANSP", "TRANSPARENT");
        calendar.line("END", "VEVENT");
    }
}

/// A feed that is being written.
#[derive(Debug, Default)]
pub struct Calendar {
    text: String,
    has_events: bool,
}

impl Calendar {
    /// Begins a feed that readers show as `name`.
    #[must_use]
    pub fn begin(name: &str) -> Self {
        let mut calendar = Self::default();
        calendar.line("BEGIN", "VCALENDAR");
        calendar.line("VERSION", "2.0");
        calendar.line("PRODID", "-//loa//loa//VI");
        calendar.line("CALSCALE", "GREGORIAN");
        calendar.line("METHOD", "PUBLISH");
        let name = escaped(name);
        // The standard's name for it, and the one that came before.
        calendar.line("NAME", &name);
        calendar.line("X-WR-CALNAME", &name);
        calendar.line("REFRESH-INTERVAL;VALUE=DURATION", REFRESH);
        calendar.line("X-PUBLISHED-TTL", REFRESH);
        calendar
    }

    /// Adds a broadcast.
    pub fn add(&mut self, event: &Event<'_>) {
        event.write(self);
        self.has_events = true;
    }

    /// What was written since this was last asked, for feeds that are written out piece by piece.
    #[must_use]
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Ends the feed. A calendar has at least one component (RFC 5545, 3.6); one without a broadcast says in which zone its
    /// instants would be.
    #[must_use]
    pub fn end(mut self) -> String {
        if !self.has_events {
            self.line("BEGIN", "VTIMEZONE");
            self.line("TZID", "Etc/UTC");
            self.line("BEGIN", "STANDARD");
            self.line("DTSTART", "19700101T000000");
            self.line("TZOFFSETFROM", "+0000");
            self.line("TZOFFSETTO", "+0000");
            self.line("TZNAME", "UTC");
            self.line("END", "STANDARD");
            self.line("END", "VTIMEZONE");
        }
        self.line("END", "VCALENDAR");
        self.text
    }

    /// Writes a line, folded where it is too long: what goes on begins with a space. No character is torn apart.
    fn line(&mut self, name: &str, value: &str) {
        let mut room = LONGEST_LINE;
        for c in name.chars().chain([':']).chain(value.chars()) {
            if c.len_utf8() > room {
                self.text.push_str("\r\n ");
                room = LONGEST_LINE - 1;
            }
            self.text.push(c);
            room -= c.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}

/// An instant in UTC. Instants outside of what four digits can say are at the end of what they can.
fn instant(at: Timestamp) -> String {
    let at = at.to_utc();
    let mut written = String::with_capacity(16);
    let year = chrono::Datelike::year(&at).clamp(1, 9999);
    // Writing to a text cannot fail.
    let _ = write!(written, "{year:04}{}", at.format("%m%dT%H%M%SZ"));
    written
}

/// A number that grows with every change: seconds since 2024.
fn sequence(changed: Timestamp) -> i32 {
    const FIRST: i64 = 1_704_067_200;
    let seconds = changed.as_micros().div_euclid(1_000_000) - FIRST;
    i32::try_from(seconds.max(0)).unwrap_or(i32::MAX)
}

/// `text` as a value: what means something there is written with a backslash, and what no text may hold is left out.
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => written.extend(['\\', c]),
            '\n' => written.push_str("\\n"),
            c if c.is_control() && c != '\t' => {}
            c => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_too_long_and_no_letter_is_torn() {
        for shift in 0..8 {
            let value = format!("{}{}", "x".repeat(shift), "ầ🔊é".repeat(60));
            let mut calendar = Calendar::default();
            calendar.line("SUMMARY", &value);
            let written = calendar.take();
            assert!(written.ends_with("\r\n"));
            for line in written.split("\r\n") {
                assert!(line.len() <= LONGEST_LINE, "{line}");
            }
            let unfolded = written.replace("\r\n ", "");
            assert_eq!(unfolded, format!("SUMMARY:{value}\r\n"));
        }
    }

    #[test]
    fn what_means_something_is_escaped_and_what_breaks_lines_is_gone() {
        assert_eq!(escaped("a;b,c\\d\r\ne\u{0}\u{7f}"), "a\\;b\\,c\\\\d\\ne");
        let mut calendar = Calendar::default();
        calendar.line("SUMMARY", &escaped("x\r\nEND:VEVENT"));
        assert_eq!(calendar.take(), "SUMMARY:x\\nEND:VEVENT\r\n");
    }

    #[test]
    fn instants_and_sequences() {
        let at = Timestamp::parse_rfc3339("2024-03-25T05:30:00.9+07:00").unwrap();
        assert_eq!(instant(at), "20240324T223000Z");
        assert_eq!(sequence(at), 7_252_200);
        assert_eq!(sequence(Timestamp::from_micros(i64::MIN)), 0);
        assert_eq!(sequence(Timestamp::from_micros(i64::MAX)), i32::MAX);
    }
}
