//! Values of another shape than their key wants: what the right one looks like, with what was written in it where it fits.

use std::{ops::RangeInclusive, time::Duration};

use super::Value;
use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase},
    domain::{
        calendar::parse_clock_time,
        crontab::Crontab,
        time::{format_duration, parse_duration},
    },
    source::{similar::fold, yaml::Kind},
};

impl Value<'_> {
    /// Reports that something else than `expected` stands here.
    pub(super) fn mistyped<T>(&self, expected: &'static str) -> Option<T> {
        let shape = self.shape().filter(|_| expected == "type-map");
        self.mistyped_like(expected, shape.as_deref())
    }

    /// The same; `example` is what could stand here, where this key wants it more exactly than by sort.
    pub(super) fn mistyped_like<T>(
        &self,
        expected: &'static str,
        example: Option<&str>,
    ) -> Option<T> {
        let found = match &self.node.kind {
            Kind::Null => "type-nothing",
            Kind::Scalar(scalar) if scalar.text.trim().is_empty() => "type-nothing",
            Kind::Scalar(_) => "type-text",
            Kind::List(_) => "type-list",
            Kind::Map(_) => "type-map",
        };
        let place = if matches!(self.node.kind, Kind::Null) {
            self.key_place()
        } else {
            self.place()
        };
        let help = if self.key.is_none() && matches!(self.node.kind, Kind::Null) {
            Phrase::new("L014-help-empty")
        } else {
            let help = match (found, self.key) {
                ("type-nothing", Some(_)) => "L014-help-nothing",
                _ => "L014-help",
            };
            Phrase::new(help).with(
                "example",
                match example {
                    Some(example) => format!("`{example}`").into(),
                    None => Arg::Word(format!("{expected}-example")),
                },
            )
        };
        let diagnostic = Diagnostic::new(Code::WrongType, place)
            .with("expected", Arg::Word(expected.into()))
            .with("found", Arg::Word(found.into()))
            .help(help);
        self.notebook.report(diagnostic);
        None
    }

    /// The map that the key of this value wants, written out.
    fn shape(&self) -> Option<String> {
        self.key?;
        let place = self.key_place();
        let text = match &self.node.kind {
            Kind::Scalar(scalar) => scalar.text.trim(),
            _ => "",
        };
        shape(place.text().trim_matches(['"', '\'']), text)
    }

    /// A length of time, more than none: `30s`, `10m`, `6h`, `2d`.
    pub(in crate::source) fn duration(&self) -> Option<Duration> {
        let text = self.text()?.value;
        let length = parse_duration(&text).ok();
        if length.is_none() {
            let (problem, help) = no_length(&text);
            let diagnostic = self
                .wrong(Code::BadDuration)
                .with("text", text.as_str())
                .with("problem", Arg::Word(problem.to_owned()));
            self.notebook.report(diagnostic.help(help));
        }
        length
    }

    /// A length of time in `range`.
    pub(in crate::source) fn duration_in(
        &self,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let length = self.duration()?;
        if range.contains(&length) {
            return Some(length);
        }
        let (low, high) = (
            format_duration(*range.start()),
            format_duration(*range.end()),
        );
        let nearest = if length < *range.start() { &low } else { &high };
        let help = Phrase::new("L034-help-try").with("meant", nearest.as_str());
        let problem = Phrase::new("duration-outside")
            .with("low", low.as_str())
            .with("high", high.as_str());
        let diagnostic = self
            .wrong(Code::BadDuration)
            .with("text", self.text()?.value.as_str())
            .with("problem", problem);
        self.notebook.report(diagnostic.help(help));
        None
    }
}

/// What is wrong with a text that is no length of time, and how to mend it.
fn no_length(text: &str) -> (&'static str, Phrase) {
    // The same with other numbers: whether only they are wrong.
    let mut ones = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' if ones.ends_with('1') => {}
            '0'..='9' => ones.push('1'),
            c => ones.push(c),
        }
    }
    if parse_duration(&ones).is_ok() {
        let is_zero = text.chars().all(|c| !c.is_ascii_digit() || c == '0');
        return if is_zero {
            ("duration-zero", Phrase::new("L034-help-zero"))
        } else {
            ("duration-long", Phrase::new("L034-help-long"))
        };
    }
    let meant = || {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(digits);
        let unit = match fold(unit.trim()).as_str() {
            "giay" | "sec" | "secs" | "second" | "seconds" => "s",
            "phut" | "p" | "ph" | "min" | "mins" | "minute" | "minutes" => "m",
            "gio" | "g" | "tieng" | "hour" | "hours" => "h",
            "ngay" | "n" | "day" | "days" => "d",
            _ => return None,
        };
        let meant = format!("{number}{unit}");
        parse_duration(&meant).is_ok().then_some(meant)
    };
    let help = meant().map_or_else(
        || Phrase::new("L034-help"),
        |meant| Phrase::new("L034-help-try").with("meant", meant),
    );
    ("duration-none", help)
}

/// The map that `key` wants, with `text` in it where that can be meant.
fn shape(key: &str, text: &str) -> Option<String> {
    let id = |example: &'static str| {
        let is_id = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if is_id { text } else { example }
    };
    let length = |example: &'static str| {
        if parse_duration(text).is_ok() {
            text
        } else {
            example
        }
    };
    let written = match key {
        "bulletins" => format!("{{ only: {} }}", id("ban-tin-1")),
        "rotate" => format!("{{ topic: {} }}", id("chu-de")),
        "to" => {
            let kind = ["loudspeaker", "website", "chat", "sign"]
                .into_iter()
                .find(|kind| *kind == text)
                .or_else(|| in_vietnamese(text));
            format!("{{ kind: {} }}", kind.unwrap_or("loudspeaker"))
        }
        "when" if Crontab::parse(text).is_ok() => format!("{{ cron: \"{text}\" }}"),
        "when" if parse_clock_time(text).is_ok() => format!("{{ at: [\"{text}\"] }}"),
        "when" => "{ at: [\"05:30\"] }".to_owned(),
        "late" => format!("{{ within: {} }}", length("6h")),
        "soft" => format!("{{ max_wait: {} }}", length("10m")),
        "adapter" => format!(
            "{{ recipe: {{ use: {}, with: {{ … }} }} }}",
            id("cong-thuc")
        ),
        "recipe" => format!("{{ use: {}, with: {{ … }} }}", id("cong-thuc")),
        "article" => "{ summary: \"…\", body: \"…\" }".to_owned(),
        "source" => "{ document: \"…\", date: 2024-03-25 }".to_owned(),
        "valid" => "{ from: 2024-03-01, until: 2024-12-31 }".to_owned(),
        "session" => "{ parts: [{ only: ban-tin-1 }, { rotate: { topic: chu-de } }] }".to_owned(),
        "axis" => "{ url: \"http://…\", user: …, password: \"env:LOA_…\" }".to_owned(),
        "icecast" => "{ url: \"http://…:8000\", mount: …, password: \"env:LOA_…\" }".to_owned(),
        "snapcast" => "{ url: \"http://…:1780\", stream: … }".to_owned(),
        "email" => {
            "{ server: smtp.…, user: …, password: \"env:LOA_…\", from: \"…@…\", to: [\"…@…\"] }"
                .to_owned()
        }
        "webhook" => "{ url: \"https://…\", secrets: [\"env:LOA_…\"] }".to_owned(),
        "request" | "stop" | "update" => "{ method: POST, url: \"https://…\" }".to_owned(),
        "accepted" | "found" | "absent" | "healthy" => "{ status: [200] }".to_owned(),
        "city" => "{ id: …, name: \"…\", province: \"…\" }".to_owned(),
        "approval" => "{ approvers: [{ name: \"…\", role: \"…\" }] }".to_owned(),
        "web" => "{ listen: \"127.0.0.1:8080\" }".to_owned(),
        "network" => "{ allow: [\"10.0.0.0/8\"] }".to_owned(),
        "watchdog" => "{ operator: …, after: 5m }".to_owned(),
        "plan" => "{ horizon: 48h, prepare: 15m }".to_owned(),
        "delivery" => "{ total_timeout: 20s, retry: { first: 5s, longest: 10m } }".to_owned(),
        "retry" => "{ first: 5s, longest: 10m, attempts: 8 }".to_owned(),
        "health" => "{ every: 5m, failures: 3 }".to_owned(),
        "hosts" => "{ concurrency: 4, per_second: 20 }".to_owned(),
        _ => return None,
    };
    Some(written)
}

/// The word of these files for what somebody wrote in Vietnamese.
pub(super) fn in_vietnamese(text: &str) -> Option<&'static str> {
    Some(match fold(text).as_str() {
        "loa" | "loa-phuong" | "cum-loa" | "truyen-thanh" => "loudspeaker",
        "trang" | "trang-tin" | "trang-web" | "web" => "website",
        "zalo" | "tin-nhan" | "nhan-tin" => "chat",
        "bang" | "man-hinh" | "bang-tin" => "sign",
        "khan" | "khan-cap" => "emergency",
        "uu-tien" => "priority",
        "thuong" | "binh-thuong" => "normal",
        _ => return None,
    })
}
