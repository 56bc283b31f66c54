//! `content/bulletins/*.yaml` and `content/topics.yaml`.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Code, Diagnostic, Phrase, Place},
    domain::{
        audio::Recording,
        bulletin::{
            Article, Bulletin, Claim, Dated, NotContact, Priority, Script, Source, Topic, Turn,
            Voice,
        },
        id::{BulletinId, ContactId, TopicId},
        picture::{Looked, Picture, PictureFormat, PictureHash},
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
    /// The recording that it names, and where.
    pub recording: Option<(String, Place)>,
    /// The picture that its article names, and where.
    pub picture: Option<(String, Place)>,
    /// Whether it says anything about who wrote it.
    pub names_editors: bool,
    /// Its title: where to point for the bulletin as a whole.
    pub at: Place,
    /// Its days, if it gives any.
    pub valid: Option<Place>,
    /// Whether its last day could be read, where one is written.
    pub is_dated: bool,
    /// Its article's key.
    pub article: Option<Place>,
    /// The key of its claims, if it has one.
    pub claims_at: Option<Place>,
    /// Its claims, each.
    pub claims: Vec<Place>,
    /// Where its contacts are listed, one by one.
    pub contacts_at: Vec<Place>,
    /// Where it says what is no contact, one by one.
    pub not_contacts_at: Vec<Place>,
}

impl RawBulletin {
    /// The bulletin with the recording that it names, and with what was found in the file of its picture.
    pub(crate) fn whole(&self, recording: Option<Recording>, looked: Option<Looked>) -> Bulletin {
        let mut bulletin = Bulletin {
            recording,
            ..self.bulletin.clone()
        };
        let article = bulletin.article.as_mut();
        let picture = article.and_then(|article| article.picture.as_mut());
        if let (Some(picture), Some(looked)) = (picture, looked) {
            (picture.hash, picture.format) = (looked.hash, looked.format);
        }
        bulletin
    }
}

/// Some month: for dates that could not be read.
const SOME_MONTH: Dated = Dated::Month {
    year: 2024,
    month: 1,
};

/// Characters of one body: more than an hour of reading aloud. Every ward's words are judged one by one, so what is out of all
/// measure is not read on.
const LONGEST_BODY: usize = 60_000;

/// The same for a title, which is said wherever its bulletin is named. What is too long for readers, the lints say long before.
const LONGEST_TITLE: usize = 1_000;

/// Whether `text` is no longer than `most` characters; reports it at its key otherwise, since the text itself fills pages.
fn is_within(value: Value<'_>, text: &str, most: usize) -> bool {
    let length = text.chars().count();
    if length > most {
        let diagnostic = Diagnostic::new(Code::TextTooLong, value.key_place())
            .with("length", length)
            .with("most", most)
            .help(Phrase::new("L027-help"));
        value.notebook.report(diagnostic);
    }
    length <= most
}

/// Reads the bulletin `id`.
pub(crate) fn read(id: BulletinId, root: Value<'_>) -> Option<RawBulletin> {
    root.map(|fields| {
        let mut parts = BTreeMap::new();
        let mut body = |part, value: Option<Value<'_>>| {
            // A body with a mistake is a body: it is not to be reported as missing on top of it.
            let value = value?;
            let text = value.text();
            let Some(text) = text.filter(|text| is_within(value, &text.value, LONGEST_BODY)) else {
                return Some(String::new());
            };
            let body = text.value.clone();
            parts.insert(part, text);
            Some(body)
        };
        let script = script(fields, &mut body);
        let valid = fields.get("valid");
        let dated = valid.map(super::dated_validity);
        let article_at = fields.get("article").map(|value| value.key_place());
        let (claims, each_claim) = fields.get("claims").map(claims).unwrap_or_default();
        let mut named = None;
        let article = fields.get("article").and_then(|value| {
            value.map(|fields| Article {
                summary: body(BodyPart::ArticleSummary, fields.get("summary")),
                body: body(BodyPart::ArticleBody, fields.required("body")).unwrap_or_default(),
                picture: fields.get("picture").and_then(|value| {
                    value.map(|fields| {
                        named = fields.required("file").and_then(file(Named::Picture));
                        picture(
                            named.as_ref().map(|(file, _)| file.as_str()),
                            body(BodyPart::PictureAlt, fields.required("alt")),
                        )
                    })
                }),
            })
        });
        let topic = fields
            .required("topic")
            .and_then(|value| value.reference(Named::Topic, TopicId::parse));
        let priorities = Priority::ALL.map(|priority| (priority.as_str(), priority));
        let title = fields.required("title");
        let mut contacts_at = Vec::new();
        let mut not_contacts_at = Vec::new();
        let bulletin = Bulletin {
            title: title
                .and_then(|value| {
                    let words = value.words()?;
                    is_within(value, &words, LONGEST_TITLE).then_some(words)
                })
                .unwrap_or_default(),
            topic: topic.unwrap_or_else(|| TopicId::parse("x").expect("a letter is an id")),
            priority: fields.or("priority", Priority::default(), |value| {
                value.one_of(&priorities)
            }),
            valid: dated.flatten().map(|(valid, _)| valid).unwrap_or_default(),
            source: required_source(fields),
            editors: super::approval::editors(fields),
            claims,
            contacts: fields.or("contacts", Vec::new(), |value| {
                value.list(|value| {
                    let id = value.reference(Named::Contact, ContactId::parse)?;
                    contacts_at.push(value.place());
                    Some(id)
                })
            }),
            not_contacts: fields.or("not_contacts", Vec::new(), |value| {
                value.list(|value| {
                    let exception = not_contact(value)?;
                    not_contacts_at.push(value.place());
                    Some(exception)
                })
            }),
            script,
            recording: None,
            article,
            message: body(BodyPart::Message, fields.get("message")),
            sign: body(BodyPart::Sign, fields.get("sign")),
            correction: body(BodyPart::Correction, fields.get("correction")),
            id,
        };
        RawBulletin {
            recording: fields.get("recording").and_then(file(Named::Recording)),
            picture: named,
            names_editors: super::approval::names_editors(fields),
            bulletin,
            parts,
            at: title.map_or_else(|| root.place(), |title| title.place()),
            valid: valid.map(|value| value.key_place()),
            is_dated: dated.is_none_or(|dated| dated.is_some_and(|(_, is_read)| is_read)),
            article: article_at,
            claims_at: fields.get("claims").map(|value| value.key_place()),
            claims: each_claim,
            contacts_at,
            not_contacts_at,
        }
    })
}

/// The name of a file of that sort, which has to be there, and where it is named.
fn file<'a>(sort: Named) -> impl FnOnce(Value<'a>) -> Option<(String, Place)> {
    move |value| {
        let file = value.words()?;
        value.notebook.refer(sort, &file, &value.place());
        Some((file, value.place()))
    }
}

/// A picture of which nobody has looked at the file yet.
fn picture(file: Option<&str>, alt: Option<String>) -> Picture {
    Picture {
        file: file.unwrap_or_default().to_owned(),
        hash: PictureHash::of(b""),
        format: PictureFormat::Jpeg,
        alt: alt.unwrap_or_default(),
    }
}

/// `script` or `dialogue`.
fn script<'a>(
    fields: &Fields<'a>,
    body: &mut impl FnMut(BodyPart, Option<Value<'a>>) -> Option<String>,
) -> Option<Script> {
    let (one, dialogue) = (fields.get("script"), fields.get("dialogue"));
    if let (Some(one), Some(dialogue)) = (one, dialogue) {
        let diagnostic = Diagnostic::new(Code::ScriptAndDialogue, dialogue.key_place())
            .help(Phrase::new("L170-help"))
            .note(one.key_place(), Phrase::new("note-script"));
        dialogue.notebook.report(diagnostic);
    }
    let turns = dialogue.map(|value| turns(value, body));
    body(BodyPart::Script, one)
        .map(Script::One)
        .or(turns.map(Script::Dialogue))
}

fn turns<'a>(
    value: Value<'a>,
    body: &mut impl FnMut(BodyPart, Option<Value<'a>>) -> Option<String>,
) -> Vec<Turn> {
    if value.is_empty_list() {
        let diagnostic = Diagnostic::new(Code::EmptyDialogue, value.key_place());
        value
            .notebook
            .report(diagnostic.help(Phrase::new("L171-help")));
    }
    let mut index = 0;
    let turns = value.list(|value| {
        let part = BodyPart::Turn(index);
        index += 1;
        let turn =
            value.map(
                |fields| match Voice::ALL.map(|voice| (voice, fields.get(voice.as_str()))) {
                    [(voice, said @ Some(_)), (_, None)] | [(_, None), (voice, said @ Some(_))] => {
                        body(part, said).map(|text| Turn { voice, text })
                    }
                    _ => value.choose_one(&Voice::ALL.map(Voice::as_str), "L019-help-turn"),
                },
            );
        // A turn with a mistake keeps its place, so that the others keep their numbers.
        Some(turn.flatten().unwrap_or_else(|| Turn {
            voice: Voice::Nu,
            text: String::new(),
        }))
    });
    turns.unwrap_or_default()
}

/// The claims and the place of each. Claims with a mistake are claims: they are not to be reported as missing on top of it.
fn claims(value: Value<'_>) -> (Vec<Claim>, Vec<Place>) {
    let mut read = value.list(claim).unwrap_or_default();
    if read.is_empty() && !value.is_empty_list() {
        let stand_in = Claim {
            says: String::new(),
            source: Some(String::new()),
        };
        read.push((stand_in, value.place()));
    }
    read.into_iter().unzip()
}

/// A claim and its place. A rule of `loa.yaml` judges whether it needs a source.
fn claim(value: Value<'_>) -> Option<(Claim, Place)> {
    let claim = value.map(|fields| Claim {
        says: super::words(fields, "says"),
        // A source with a mistake is a source.
        source: fields
            .get("source")
            .map(|value| value.words().unwrap_or_default()),
    })?;
    Some((claim, value.place()))
}

fn not_contact(value: Value<'_>) -> Option<NotContact> {
    value.map(|fields| NotContact {
        text: super::words(fields, "text"),
        reason: super::words(fields, "reason"),
    })
}

/// `source`, which has to be there: a document and its date.
pub(super) fn required_source(fields: &Fields<'_>) -> Source {
    let given = fields.required("source").and_then(source);
    given.unwrap_or_else(|| Source {
        document: String::new(),
        dated: SOME_MONTH,
    })
}

fn source(value: Value<'_>) -> Option<Source> {
    value.map(|fields| Source {
        document: super::words(fields, "document"),
        dated: super::dated(fields, &["date", "month", "year"]).unwrap_or(SOME_MONTH),
    })
}

/// Reads `content/topics.yaml`.
pub(crate) fn read_topics(root: Value<'_>) -> Vec<Topic> {
    super::defined(root, "topics", Named::Topic, TopicId::parse, |id, value| {
        value.map(|fields| Topic {
            id,
            title: super::words(fields, "title"),
            official: fields
                .get("official")
                .and_then(|value| value.integer(1..=24))
                .and_then(|number| u8::try_from(number).ok()),
        })
    })
}
