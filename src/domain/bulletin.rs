//! Bulletins: one message to the public with a body per format, and the topics they are about.

use chrono::NaiveDate;

use super::{
    id::{BulletinId, ContactId, TopicId},
    ward::Validity,
};

/// A body's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Spoken by a voice or a presenter.
    Script,
    /// A web page.
    Article,
    /// A chat message.
    Message,
    /// A counter screen.
    Sign,
}

impl Format {
    /// All formats, in the order people list them.
    pub const ALL: [Self; 4] = [Self::Script, Self::Article, Self::Message, Self::Sign];

    /// The word used in files, JSON and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::Article => "article",
            Self::Message => "message",
            Self::Sign => "sign",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }
}

/// The priorities of Thông tư 39/2020/TT-BTTTT, low to high.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Priority {
    /// *thông thường*
    #[default]
    Normal,
    /// *ưu tiên*
    Priority,
    /// *khẩn cấp*
    Emergency,
}

impl Priority {
    /// All priorities, low to high.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Priority, Self::Emergency];

    /// The word used in files, JSON and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Priority => "priority",
            Self::Emergency => "emergency",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|priority| priority.as_str() == text)
    }
}

/// The document a bulletin rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub document: String,
    /// Its date as far as it is known: a day or a month.
    pub dated: Dated,
}

/// A date that may be known only to the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dated {
    /// A full date.
    Day(NaiveDate),
    /// Year and month.
    Month {
        /// The year.
        year: i32,
        /// The month, 1 to 12.
        month: u32,
    },
}

/// A template text, as written by the editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Shown in lists and as the excerpt; a template.
    pub summary: Option<String>,
    /// Markdown; a template.
    pub body: String,
}

/// A bulletin as edited: its bodies are templates.
#[derive(Debug, Clone, PartialEq)]
pub struct Bulletin {
    /// The stem of its file.
    pub id: BulletinId,
    /// The headline; plain text, not a template.
    pub title: String,
    /// What it is about.
    pub topic: TopicId,
    /// How urgent it is.
    pub priority: Priority,
    /// The days on which it may air.
    pub valid: Validity,
    /// What it rests on.
    pub source: Source,
    /// The contacts it may name.
    pub contacts: Vec<ContactId>,
    /// The spoken text.
    pub script: Option<String>,
    /// The web page.
    pub article: Option<Article>,
    /// The chat message.
    pub message: Option<String>,
    /// The counter screen's text.
    pub sign: Option<String>,
    /// What is said when the bulletin has to be taken back.
    pub correction: Option<String>,
}

impl Bulletin {
    /// The template of one format, where the bulletin has that format.
    #[must_use]
    pub fn template(&self, format: Format) -> Option<&str> {
        match format {
            Format::Script => self.script.as_deref(),
            Format::Article => self.article.as_ref().map(|article| article.body.as_str()),
            Format::Message => self.message.as_deref(),
            Format::Sign => self.sign.as_deref(),
        }
    }
}

/// A topic of bulletins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its id.
    pub id: TopicId,
    /// What people call it.
    pub title: String,
    /// Its number in the official handbook's list of 24 forms of online fraud, where it has one.
    pub official: Option<u8>,
}
