//! Names in a recipe's texts, filled in without the template engine.
//!
//! Most texts say no more than `{{ message.text }}` or `{{ with.url }}/play`. For those an engine, and a copy of everything
//! that a template might ask for, would cost more than the call. What is read here comes out exactly as the engine would
//! write it; for everything else, a name that is not there among it, [`read`] or [`Names::fill`] gives nothing and the
//! engine has its say.

use std::borrow::Cow;

use super::{Facts, scene};
use crate::domain::message::Message;

/// A piece of a text.
#[derive(Debug)]
pub(super) enum Part {
    Literal(String),
    Name(Name),
}

impl Part {
    /// Whether it is the same for everything that a channel is sent.
    pub(super) fn is_of_channel(&self) -> bool {
        !matches!(self, Self::Name(Name::Message(_)))
    }
}

/// A name that can be looked up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// One of [`scene::FIELDS`].
    Message(&'static str),
    /// Of the channel.
    Channel(OfChannel),
    /// One of its parameters.
    With(String),
}

/// What may be known of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfChannel {
    Id,
    Name,
}

/// What names stand for.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) facts: &'a Facts,
    pub(super) message: Option<&'a Message>,
}

/// The parts of a text that holds nothing but names; `None` where it holds more.
pub(super) fn read(text: &str) -> Option<Vec<Part>> {
    if text.contains("{%") || text.contains("{#") {
        return None;
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}")?;
        if !before.is_empty() {
            parts.push(Part::Literal(before.to_owned()));
        }
        parts.push(Part::Name(Name::read(name)?));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Some(parts)
}

impl Name {
    fn read(text: &str) -> Option<Self> {
        let (root, field) = text.trim().split_once('.')?;
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if field.is_empty() || !field.chars().all(is_word) {
            return None;
        }
        match (root, field) {
            ("message", field) => {
                let known = scene::FIELDS.into_iter().find(|known| *known == field)?;
                Some(Self::Message(known))
            }
            ("channel", "id") => Some(Self::Channel(OfChannel::Id)),
            ("channel", "name") => Some(Self::Channel(OfChannel::Name)),
            ("with", field) => Some(Self::With(field.to_owned())),
            _ => None,
        }
    }
}

impl<'a> Names<'a> {
    /// The text with its names filled in; `None` where one is not there.
    pub(super) fn fill(self, parts: &'a [Part]) -> Option<Cow<'a, str>> {
        if let [part] = parts {
            return self.part(part);
        }
        let mut text = String::new();
        for part in parts {
            text.push_str(&self.part(part)?);
        }
        Some(Cow::Owned(text))
    }

    /// The text as a string of JSON, where that is known already: of a text that is nothing but a message's words.
    pub(super) fn quoted(self, parts: &[Part]) -> Option<&'a str> {
        match parts {
            [Part::Name(Name::Message("text"))] => Some(self.message?.content.quoted()),
            [Part::Name(Name::Message("spoken"))] => Some(self.message?.content.voiced_quoted()),
            _ => None,
        }
    }

    fn part(self, part: &'a Part) -> Option<Cow<'a, str>> {
        match part {
            Part::Literal(text) => Some(Cow::Borrowed(text)),
            Part::Name(Name::Message(field)) => scene::text_of(self.message?, field),
            Part::Name(Name::Channel(OfChannel::Id)) => Some(Cow::Borrowed(&self.facts.id)),
            Part::Name(Name::Channel(OfChannel::Name)) => Some(Cow::Borrowed(&self.facts.name)),
            Part::Name(Name::With(name)) => self.facts.parameter(name).map(Cow::Borrowed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_read() {
        let shape = |text: &str| {
            read(text).map(|parts| {
                parts
                    .into_iter()
                    .map(|part| match part {
                        Part::Literal(text) => text,
                        Part::Name(name) => format!("{name:?}"),
                    })
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(
            shape("{{ with.url }}/x/{{message.slug}}"),
            Some(vec![
                "With(\"url\")".to_owned(),
                "/x/".to_owned(),
                "Message(\"slug\")".to_owned()
            ])
        );
        assert_eq!(
            shape("{{ channel.name }}"),
            Some(vec!["Channel(Name)".to_owned()])
        );
        for more in [
            "{{ message.text | upper }}",
            "{{- message.text }}",
            "{{ message.text -}}",
            "{{ message[\"text\"] }}",
            "{{ message }}",
            "{{ message.nothing }}",
            "{{ channel.ward }}",
            "{{ value.key }}",
            "{{ found.id }}",
            "{{ message.text",
            "{% if message.text %}x{% endif %}",
            "{# note #}{{ message.text }}",
        ] {
            assert_eq!(shape(more), None, "{more}");
        }
    }
}
