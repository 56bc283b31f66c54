//! Bulletins: one message to the public with a body per format, and the topics they are about.

use chrono::NaiveDate;

use super::{
    audio::Recording,
    id::{BulletinId, ContactId, TopicId},
    picture::Picture,
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
    /// Its date as far as it is known: a day, a month or a year.
    pub dated: Dated,
}

/// The document with its date as both languages write it: `Quyết định 12/QĐ-UBND, 01/03/2024`.
impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.dated {
            Dated::Day(day) => write!(f, "{}, {}", self.document, day.format("%d/%m/%Y")),
            Dated::Month { year, month } => write!(f, "{}, {month:02}/{year}", self.document),
            Dated::Year(year) => write!(f, "{}, {year}", self.document),
        }
    }
}

/// A date that may be known only to the month or the year.
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
    /// A year alone.
    Year(i32),
}

impl Dated {
    /// The first day that can be meant.
    #[must_use]
    pub fn first_day(self) -> NaiveDate {
        match self {
            Self::Day(day) => day,
            Self::Month { year, month } => {
                NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(NaiveDate::MIN)
            }
            Self::Year(year) => NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or(NaiveDate::MIN),
        }
    }

    /// The last day that can be meant.
    #[must_use]
    pub fn last_day(self) -> NaiveDate {
        let next = match self {
            Self::Day(day) => return day,
            Self::Month { year, month: 12 } | Self::Year(year) => {
                NaiveDate::from_ymd_opt(year + 1, 1, 1)
            }
            Self::Month { year, month } => NaiveDate::from_ymd_opt(year, month + 1, 1),
        };
        next.and_then(|next| next.pred_opt())
            .unwrap_or(NaiveDate::MAX)
    }
}

impl std::fmt::Display for Dated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Day(day) => day.fmt(f),
            Self::Month { year, month } => write!(f, "{year}-{month:02}"),
            Self::Year(year) => year.fmt(f),
        }
    }
}

/// The voices that read a script. The words in files are Vietnamese, because editors write them in front of each turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Voice {
    /// A woman's voice, *nữ*.
    Nu,
    /// A man's voice, *nam*.
    Nam,
}

impl Voice {
    /// Both voices.
    pub const ALL: [Self; 2] = [Self::Nu, Self::Nam];

    /// The word used in files and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nu => "nu",
            Self::Nam => "nam",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|voice| voice.as_str() == text)
    }
}

/// What one voice says before the other goes on. In a bulletin the text is a template, in frozen words it is words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who says it.
    pub voice: Voice,
    /// What is said; one paragraph.
    pub text: String,
}

/// A spoken body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Script {
    /// One voice reads this template (`script`).
    One(String),
    /// Two voices take turns (`dialogue`); never empty in a checked workspace.
    Dialogue(Vec<Turn>),
}

/// A factual claim of a bulletin, with where it comes from: what an approver compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The claim, in the editor's words.
    pub says: String,
    /// Document, page or authority that says so; a rule of `loa.yaml` judges its absence.
    pub source: Option<String>,
}

/// A text that looks like a contact and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotContact {
    /// The text as it comes out.
    pub text: String,
    /// Why it is no contact; the approver reads it.
    pub reason: String,
}

/// A template text, as written by the editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Shown in lists and as the excerpt; a template.
    pub summary: Option<String>,
    /// Markdown; a template.
    pub body: String,
    /// Shown over it, in lists, and as the cover in chats.
    pub picture: Option<Picture>,
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
    /// Who wrote this version; none of them may approve it.
    pub editors: Vec<String>,
    /// What it claims, each with where it comes from.
    pub claims: Vec<Claim>,
    /// The contacts it may name.
    pub contacts: Vec<ContactId>,
    /// What looks like a contact in it and is none.
    pub not_contacts: Vec<NotContact>,
    /// The spoken text, of one voice or two.
    pub script: Option<Script>,
    /// The same, read by a person; heard instead of a synthesised voice.
    pub recording: Option<Recording>,
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
    /// Whether the bulletin has a body in that format.
    #[must_use]
    pub fn has(&self, format: Format) -> bool {
        match format {
            Format::Script => self.script.is_some(),
            Format::Article => self.article.is_some(),
            Format::Message => self.message.is_some(),
            Format::Sign => self.sign.is_some(),
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
