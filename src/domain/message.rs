//! What goes out: the frozen words, and those words addressed to one channel.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use unicode_normalization::UnicodeNormalization as _;

use super::{
    audio::{Audio, Recording},
    bulletin::{Format, Priority, Turn, Voice},
    contact::NamedContact,
    id::{BulletinId, ChannelId, ContactId, DeliveryId, WardId},
    picture::{Picture, PictureFormat, PictureHash},
    secret::Secret,
    time::Timestamp,
};

/// The address of a frozen content: BLAKE3 of its canonical JSON, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash(Arc<str>);

impl ContentHash {
    /// Reads a hash back from the store.
    #[must_use]
    pub fn from_store(text: &str) -> Self {
        Self(text.into())
    }

    /// The hash as 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl serde::Serialize for ContentHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text in small letters, its words apart by one space, without marks that stand at a word's edge.
fn bare_words(text: &str) -> String {
    let letters: Vec<char> = text.nfc().flat_map(char::to_lowercase).collect();
    let is_digit = |index: Option<usize>| {
        let letter = index.and_then(|index| letters.get(index));
        letter.is_some_and(char::is_ascii_digit)
    };
    let bare = letters.iter().enumerate().map(|(index, letter)| {
        let is_mark = ".,;:!?…\"'“”‘’()-–—".contains(*letter);
        let is_in_number = is_digit(index.checked_sub(1)) && is_digit(Some(index + 1));
        if is_mark && !is_in_number {
            ' '
        } else {
            *letter
        }
    });
    let bare: String = bare.collect();
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Rendered words, frozen. Equal contents are stored once, whoever gets them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The bulletin they were rendered from.
    pub bulletin: BulletinId,
    /// Their format.
    pub format: Format,
    /// The headline.
    pub title: String,
    /// The excerpt of an article.
    pub summary: Option<String>,
    /// The words.
    pub text: String,
    /// The words as HTML, for articles.
    pub html: Option<String>,
    /// Who says which paragraph of the words, for a dialogue; empty where one voice says everything.
    pub turns: Vec<Turn>,
    /// The words as they are read aloud, turn by turn; one text where one voice says everything, none where nobody speaks.
    /// They are made once, frozen and approved together with the words, and every voice gets exactly these.
    pub spoken: Vec<String>,
    /// See [`Content::quoted`]; begins empty.
    pub quoted: Quoted,
    /// The contacts that they rest on: while one of them does not hold any more, they may not go out.
    pub contacts: Vec<NamedContact>,
    /// The recording by a person that is heard instead of a synthesised voice.
    pub recording: Option<Recording>,
    /// The picture of an article, with the words that stand for it.
    pub picture: Option<Picture>,
}

/// A place for something that follows from a content and is worked out once for all the channels that get it. It is no part
/// of what the content is: two of them are always equal, and a copy begins anew.
#[derive(Debug, Default)]
pub struct Quoted {
    text: OnceLock<String>,
    spoken: OnceLock<String>,
}

impl Clone for Quoted {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Quoted {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Quoted {}

impl Content {
    /// The same, with `words` before everything else: that this is a test. A recording cannot say so, and is left out.
    #[must_use]
    pub fn as_test(&self, words: &str) -> Self {
        let mut content = Self {
            title: format!("{words} {}", self.title),
            summary: self
                .summary
                .as_ref()
                .map(|summary| format!("{words} {summary}")),
            text: format!("{words}\n\n{}", self.text),
            html: self
                .html
                .as_ref()
                .map(|html| format!("<p>{words}</p>\n{html}")),
            recording: None,
            picture: None,
            ..self.clone()
        };
        if let Some(first) = content.turns.first_mut() {
            first.text = format!("{words} {}", first.text);
            content.text = Self::text_of(&content.turns);
        }
        if let Some(first) = content.spoken.first_mut() {
            *first = format!("{words} {first}");
        }
        content
    }

    /// The words as a string of JSON, with its quotation marks.
    #[must_use]
    pub fn quoted(&self) -> &str {
        self.quoted
            .text
            .get_or_init(|| serde_json::Value::from(self.text.as_str()).to_string())
    }

    /// What a voice says, as one text: the words as they are read aloud, or as they are written where nobody speaks.
    #[must_use]
    pub fn voiced(&self) -> Cow<'_, str> {
        match self.spoken.as_slice() {
            [] => Cow::Borrowed(&self.text),
            [one] => Cow::Borrowed(one),
            turns => Cow::Owned(turns.join("\n\n")),
        }
    }

    /// [`Content::voiced`] as a string of JSON, with its quotation marks.
    #[must_use]
    pub fn voiced_quoted(&self) -> &str {
        self.quoted
            .spoken
            .get_or_init(|| serde_json::Value::from(self.voiced()).to_string())
    }

    /// The words of a dialogue as one text: a paragraph a turn, without the names of the voices.
    #[must_use]
    pub fn text_of(turns: &[Turn]) -> String {
        let paragraphs: Vec<&str> = turns.iter().map(|turn| turn.text.as_str()).collect();
        paragraphs.join("\n\n")
    }

    /// The words alone, as people hear and read them: without letter case, white space, and the marks between words. Marks between
    /// digits stay, because they make other numbers. Contents with equal wording say the same. A picture says something, too: what was
    /// rejected for its picture may come again with another.
    #[must_use]
    pub fn wording(&self) -> String {
        let turns = self.turns.iter();
        let turns = turns.flat_map(|turn| [turn.voice.as_str(), turn.text.as_str()]);
        let recording = self
            .recording
            .iter()
            .map(|recording| recording.hash.as_str());
        let picture = self.picture.iter();
        let picture = picture.flat_map(|picture| [picture.hash.as_str(), picture.alt.as_str()]);
        let html = self.html.as_deref();
        let texts = [self.title.as_str(), self.text.as_str()].into_iter();
        let texts = texts.chain(self.summary.as_deref()).chain(html);
        let texts = texts.chain(self.spoken.iter().map(String::as_str));
        let all: Vec<String> = texts
            .chain(turns)
            .chain(recording)
            .chain(picture)
            .map(bare_words)
            .collect();
        all.join("\n")
    }

    /// The canonical JSON that is stored and hashed. `turns` is there for dialogues only, `spoken` where somebody speaks,
    /// `contacts` where some are named, `recording` and `picture` where there is one, so that other words keep the hash that they
    /// always had.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::json!({
            "bulletin": self.bulletin,
            "format": self.format.as_str(),
            "html": self.html,
            "summary": self.summary,
            "text": self.text,
            "title": self.title,
        });
        if !self.turns.is_empty() {
            json["turns"] = Self::turns_json(&self.turns);
        }
        if !self.contacts.is_empty() {
            json["contacts"] = self
                .contacts
                .iter()
                .map(|named| serde_json::json!({ "id": named.id, "value": named.value }))
                .collect();
        }
        if !self.spoken.is_empty() {
            json["spoken"] = serde_json::json!(self.spoken);
        }
        if let Some(recording) = &self.recording {
            json["recording"] =
                serde_json::json!({ "file": recording.file, "hash": recording.hash });
        }
        if let Some(picture) = &self.picture {
            json["picture"] = serde_json::json!({
                "alt": picture.alt,
                "file": picture.file,
                "format": picture.format.as_str(),
                "hash": picture.hash.as_str(),
            });
        }
        json.to_string()
    }

    /// Turns as they stand in JSON: `[{"text": …, "voice": "nu"}, …]`.
    #[must_use]
    pub fn turns_json(turns: &[Turn]) -> serde_json::Value {
        turns
            .iter()
            .map(|turn| serde_json::json!({ "text": turn.text, "voice": turn.voice.as_str() }))
            .collect()
    }

    /// Reads [`Content::to_json`] back; `None` when the text is something else.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        let string = |key: &str| {
            json.get(key)
                .and_then(serde_json::Value::as_str)
                .map(str::to_owned)
        };
        let turn = |turn: &serde_json::Value| {
            Some(Turn {
                voice: Voice::parse(turn.get("voice")?.as_str()?)?,
                text: turn.get("text")?.as_str()?.to_owned(),
            })
        };
        let turns = match json.get("turns") {
            Some(turns) => turns.as_array()?.iter().map(turn).collect::<Option<_>>()?,
            None => Vec::new(),
        };
        let contact = |named: &serde_json::Value| {
            Some(NamedContact {
                id: ContactId::parse(named.get("id")?.as_str()?).ok()?,
                value: named.get("value")?.as_str()?.to_owned(),
            })
        };
        let contacts = match json.get("contacts") {
            Some(contacts) => contacts
                .as_array()?
                .iter()
                .map(contact)
                .collect::<Option<_>>()?,
            None => Vec::new(),
        };
        let spoken: Vec<String> = match json.get("spoken") {
            Some(spoken) => spoken
                .as_array()?
                .iter()
                .map(|text| text.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            None => Vec::new(),
        };
        // One for each turn, or for the one voice: otherwise somebody would say another's words.
        if !spoken.is_empty() && spoken.len() != turns.len().max(1) {
            return None;
        }
        let recording = match json.get("recording") {
            Some(recording) => {
                let field = |key: &str| Some(recording.get(key)?.as_str()?.to_owned());
                Some(Recording {
                    file: field("file")?,
                    hash: field("hash")?,
                })
            }
            None => None,
        };
        let picture = match json.get("picture") {
            Some(picture) => {
                let field = |key: &str| picture.get(key)?.as_str();
                Some(Picture {
                    file: field("file")?.to_owned(),
                    hash: PictureHash::parse(field("hash")?)?,
                    format: PictureFormat::parse(field("format")?)?,
                    alt: field("alt")?.to_owned(),
                })
            }
            None => None,
        };
        let text = string("text")?;
        // The words are there twice in a dialogue; what was approved and what is spoken must not differ.
        if !turns.is_empty() && Self::text_of(&turns) != text {
            return None;
        }
        Some(Self {
            bulletin: BulletinId::parse(&string("bulletin")?).ok()?,
            format: Format::parse(&string("format")?)?,
            title: string("title")?,
            summary: string("summary"),
            text,
            html: string("html"),
            quoted: Quoted::default(),
            turns,
            contacts,
            spoken,
            recording,
            picture,
        })
    }

    /// Its address.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        ContentHash(
            blake3::hash(self.to_json().as_bytes())
                .to_hex()
                .as_str()
                .into(),
        )
    }
}

/// A frozen content addressed to one channel: all that an adapter may know.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The delivery, which is also the idempotency key.
    pub delivery: DeliveryId,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The channel.
    pub channel: ChannelId,
    /// The channel's name.
    pub channel_name: String,
    /// The ward.
    pub ward: WardId,
    /// The ward's name in full.
    pub ward_name: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Whether something that it interrupts may still be playing there.
    pub preempts: bool,
    /// When it is due.
    pub due: Timestamp,
    /// When it must have begun.
    pub deadline: Timestamp,
    /// When this attempt began; signatures carry it.
    pub sent_at: Timestamp,
    /// The words' address.
    pub hash: ContentHash,
    /// The words.
    pub content: Arc<Content>,
    /// Their sound, where the channel wants it.
    pub audio: Option<Audio>,
    /// The bytes of their picture, where they have one and the adapter wants it.
    pub picture: Option<Bytes>,
    /// What is kept for its adapter beside the words.
    pub kept: Kept,
}

/// What is kept for adapters whose accounts have tokens, or that put notes on record between their calls.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Kept {
    /// The token that calls carry at the moment.
    pub access: Option<Secret>,
    /// The last note of this delivery, if an earlier attempt wrote one.
    pub noted: Option<Noted>,
    /// What the channel calls what it has of the same bulletin, as the last delivery before this one left it; the last note of that one
    /// where it did not say and the call after it may have gone through.
    pub holds: Option<String>,
    /// What other channels have on record of theirs, and this one of other bulletins, where an earlier attempt wrote a note: none of it is
    /// this delivery's.
    pub others: BTreeSet<String>,
    /// Whether these words take the place of words that were wrong.
    pub is_correction: bool,
    /// What the channel may be playing that this interrupts, where it interrupts something: what it took last.
    pub playing: Option<Playing>,
}

/// What a channel may be playing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playing {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The receiver's reference of it, where it gave one.
    pub receipt: Option<String>,
}

/// What has to be on record before a call, so that whoever goes on knows what may have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The adapter's own words.
    pub text: String,
    /// What the channel has of the bulletin.
    pub holds: Holds,
    /// Whether the call is left to another attempt where half of this one's time is over, because without an answer it is never made
    /// again. That other one begins after the note before this, as one whose call came to nothing: it has to be one that may be
    /// made again.
    pub whole_call: bool,
}

/// What a note says of what a channel has of a bulletin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Holds {
    /// What the notes of this delivery before it said.
    #[default]
    Same,
    /// Nothing, or what the note itself is about to make: what was known before is gone.
    Nothing,
    /// What the channel calls it.
    This(String),
}

/// A note that was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The adapter's own words.
    pub text: String,
    /// When it was written.
    pub at: Timestamp,
    /// Whether the call after it certainly did nothing.
    pub came_to_nothing: bool,
}

impl Message {
    /// A name for this bulletin in this ward, the same on every repetition, after every edit and for its correction: for
    /// receivers that find things by a slug. What replaces words has to find the page that carries them.
    #[must_use]
    pub fn slug(&self) -> String {
        format!("{}-{}", self.content.bulletin, self.ward)
    }

    /// A text that no other attempt has, the same each time it is asked for in this one with the same `salt`: 32
    /// hexadecimal digits.
    #[must_use]
    pub fn nonce(&self, salt: &str) -> String {
        let key = format!(
            "{}\0{}\0{}\0{salt}",
            self.delivery.as_str(),
            self.attempt,
            self.sent_at.as_micros()
        );
        blake3::hash(key.as_bytes()).to_hex()[..32].to_owned()
    }
}

#[cfg(test)]
mod tests;
