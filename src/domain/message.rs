//! What goes out: the frozen words, and those words addressed to one channel.

use std::fmt;

use super::{
    bulletin::{Format, Priority},
    id::{BulletinId, ChannelId, DeliveryId, WardId},
    time::Timestamp,
};

/// The address of a frozen content: BLAKE3 of its canonical JSON, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct ContentHash(String);

impl ContentHash {
    /// Reads a hash back from the store.
    #[must_use]
    pub fn from_store(text: String) -> Self {
        Self(text)
    }

    /// The hash as 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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
}

impl Content {
    /// The canonical JSON that is stored and hashed.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!({
            "bulletin": self.bulletin,
            "format": self.format.as_str(),
            "html": self.html,
            "summary": self.summary,
            "text": self.text,
            "title": self.title,
        })
        .to_string()
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
        Some(Self {
            bulletin: BulletinId::parse(&string("bulletin")?).ok()?,
            format: Format::parse(&string("format")?)?,
            title: string("title")?,
            summary: string("summary"),
            text: string("text")?,
            html: string("html"),
        })
    }

    /// Its address.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        ContentHash(blake3::hash(self.to_json().as_bytes()).to_hex().to_string())
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
    /// When it is due.
    pub due: Timestamp,
    /// When it must have begun.
    pub deadline: Timestamp,
    /// When this attempt began; signatures carry it.
    pub sent_at: Timestamp,
    /// The words' address.
    pub hash: ContentHash,
    /// The words.
    pub content: std::sync::Arc<Content>,
}

impl Message {
    /// A name for this content in this ward, the same on every repetition: for receivers that find things by a slug.
    #[must_use]
    pub fn slug(&self) -> String {
        format!(
            "{}-{}-{}",
            self.content.bulletin,
            self.ward,
            &self.hash.as_str()[..8]
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_round_trip_and_every_field_counts() {
        let content = Content {
            bulletin: BulletinId::parse("b").unwrap(),
            format: Format::Article,
            title: "Tiêu đề".into(),
            summary: Some("Tóm tắt".into()),
            text: "Lời".into(),
            html: None,
        };
        assert_eq!(
            Content::from_json(&content.to_json()).as_ref(),
            Some(&content)
        );
        let changed = [
            Content {
                title: "x".into(),
                ..content.clone()
            },
            Content {
                summary: None,
                ..content.clone()
            },
            Content {
                text: "x".into(),
                ..content.clone()
            },
            Content {
                html: Some("x".into()),
                ..content.clone()
            },
            Content {
                format: Format::Sign,
                ..content.clone()
            },
        ];
        for other in changed {
            assert_ne!(other.hash(), content.hash());
        }
    }
}
