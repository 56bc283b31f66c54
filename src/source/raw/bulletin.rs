//! `content/bulletins/*.yaml`, `content/topics.yaml` and `content/contacts.yaml`.

use std::collections::BTreeMap;

use crate::{
    domain::{
        bulletin::{Article, Bulletin, Dated, Priority, Source, Topic},
        contact::{Contact, ContactKind, Verification},
        id::{BulletinId, ContactId, TopicId},
    },
    render::BodyPart,
    source::{
        notebook::Named,
        reader::{Fields, Value},
        text::Text,
    },
};

/// A bulletin and where its bodies stand.
#[derive(Debug)]
pub(crate) struct RawBulletin {
    /// The bulletin.
    pub bulletin: Bulletin,
    /// Its bodies.
    pub parts: BTreeMap<BodyPart, Text>,
    /// Its title: where to point for the bulletin as a whole.
    pub at: crate::diagnostic::Place,
}

/// Some month: for dates that could not be read.
const SOME_MONTH: Dated = Dated::Month {
    year: 2024,
    month: 1,
};

/// Reads the bulletin `id`.
pub(crate) fn read(id: BulletinId, root: Value<'_>) -> Option<RawBulletin> {
    root.map(|fields| {
        let mut parts = BTreeMap::new();
        let mut body = |part, value: Option<Value<'_>>| {
            // A body with a mistake is a body: it is not to be reported as missing on top of it.
            let Some(text) = value?.text() else {
                return Some(String::new());
            };
            let body = text.value.clone();
            parts.insert(part, text);
            Some(body)
        };
        let article = fields.get("article").and_then(|value| {
            value.map(|fields| Article {
                summary: body(BodyPart::ArticleSummary, fields.get("summary")),
                body: body(BodyPart::ArticleBody, fields.required("body")).unwrap_or_default(),
            })
        });
        let topic = fields
            .required("topic")
            .and_then(|value| value.reference(Named::Topic, TopicId::parse));
        let priorities = Priority::ALL.map(|priority| (priority.as_str(), priority));
        let title = fields.required("title");
        let bulletin = Bulletin {
            title: title.and_then(|value| value.words()).unwrap_or_default(),
            topic: topic.unwrap_or_else(|| TopicId::parse("x").expect("a letter is an id")),
            priority: fields.or("priority", Priority::default(), |value| {
                value.one_of(&priorities)
            }),
            valid: fields
                .get("valid")
                .and_then(super::validity)
                .unwrap_or_default(),
            source: fields
                .required("source")
                .and_then(source)
                .unwrap_or_else(|| Source {
                    document: String::new(),
                    dated: SOME_MONTH,
                }),
            contacts: fields.or("contacts", Vec::new(), |value| {
                value.list(|value| value.reference(Named::Contact, ContactId::parse))
            }),
            script: body(BodyPart::Script, fields.get("script")),
            article,
            message: body(BodyPart::Message, fields.get("message")),
            sign: body(BodyPart::Sign, fields.get("sign")),
            correction: body(BodyPart::Correction, fields.get("correction")),
            id,
        };
        RawBulletin {
            bulletin,
            parts,
            at: title.map_or_else(|| root.place(), |title| title.place()),
        }
    })
}

fn source(value: Value<'_>) -> Option<Source> {
    value.map(|fields| Source {
        document: fields
            .required("document")
            .and_then(|value| value.words())
            .unwrap_or_default(),
        dated: super::dated(fields, "date").unwrap_or(SOME_MONTH),
    })
}

/// Reads `content/topics.yaml`.
pub(crate) fn read_topics(root: Value<'_>) -> Vec<Topic> {
    named(root, "topics", |topics| {
        topics.definitions(Named::Topic, TopicId::parse, |id, value| {
            value.map(|fields| Topic {
                id,
                title: fields
                    .required("title")
                    .and_then(|value| value.words())
                    .unwrap_or_default(),
                official: fields
                    .get("official")
                    .and_then(|value| value.integer(1..=24))
                    .and_then(|number| u8::try_from(number).ok()),
            })
        })
    })
}

/// Reads `content/contacts.yaml`, with the place of each contact's value.
pub(crate) fn read_contacts(root: Value<'_>) -> Vec<Contact> {
    named(root, "contacts", |contacts| {
        contacts.definitions(Named::Contact, ContactId::parse, |id, value| {
            value.map(|fields| contact(id, fields))
        })
    })
}

fn named<T>(root: Value<'_>, key: &'static str, read: impl FnOnce(Value<'_>) -> Vec<T>) -> Vec<T> {
    root.map(|fields| fields.required(key).map(read))
        .flatten()
        .unwrap_or_default()
}

fn contact(id: ContactId, fields: &Fields<'_>) -> Contact {
    let kinds = [
        ("phone", ContactKind::Phone),
        ("short-code", ContactKind::ShortCode),
        ("site", ContactKind::Site),
        ("office", ContactKind::Office),
        ("oa", ContactKind::Oa),
    ];
    let words = |name| {
        fields
            .required(name)
            .and_then(|value| value.words())
            .unwrap_or_default()
    };
    let kind = fields
        .required("kind")
        .and_then(|value| value.one_of(&kinds))
        .unwrap_or(ContactKind::Office);
    let value = match kind {
        // An office is a place to go to.
        ContactKind::Office => fields.get("value"),
        _ => fields.required("value"),
    };
    Contact {
        id,
        kind,
        name: words("name"),
        value: value.and_then(|value| value.words()),
        purpose: words("purpose"),
        source: words("source"),
        verified: fields.get("verified").and_then(|value| {
            value.map(|fields| Verification {
                on: super::dated(fields, "on").unwrap_or(SOME_MONTH),
                by: fields
                    .required("by")
                    .and_then(|value| value.words())
                    .unwrap_or_default(),
            })
        }),
    }
}
