//! What is put on record between the calls of an article, so that whoever goes on knows what may have happened, and what the
//! account has of a bulletin.

use serde_json::{Value, json};

use crate::domain::message::{Holds, Kept, Note};

/// The call before which it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// An article with this title is about to be made.
    Creating { title: String },
    /// This article is about to get other words.
    Updating { article: String },
    /// The platform works on an article; `token` asks for its id. `title` is that of one that was made just now: its id is not
    /// known yet.
    Verifying {
        token: String,
        title: Option<String>,
    },
    /// This article is about to be sent to the followers.
    Broadcasting { article: String },
    /// This article is about to be taken away.
    Removing { article: String },
}

impl Progress {
    /// As it stands on record.
    pub(super) fn note(&self) -> Note {
        let of = |step: &str, article: &String| {
            let text = json!({ "step": step, "article": article });
            (text, Holds::This(article.clone()))
        };
        let (text, holds) = match self {
            // What the account had is gone, or it never had anything.
            Self::Creating { title } => (
                json!({ "step": "creating", "title": title }),
                Holds::Nothing,
            ),
            Self::Updating { article } => of("updating", article),
            Self::Verifying { token, title } => (
                json!({ "step": "verifying", "token": token, "title": title }),
                title.as_ref().map_or(Holds::Same, |title| {
                    Holds::This(json!({ "token": token, "title": title }).to_string())
                }),
            ),
            Self::Broadcasting { article } => of("broadcasting", article),
            Self::Removing { article } => of("removing", article),
        };
        Note {
            text: text.to_string(),
            holds,
            whole_call: matches!(self, Self::Broadcasting { .. }),
        }
    }

    /// Reads what is on record. `Err` where it is nothing of ours: then nobody knows what happened.
    pub(super) fn read(kept: &Kept) -> Result<Option<Self>, ()> {
        let Some(noted) = &kept.noted else {
            return Ok(None);
        };
        let json: Value = serde_json::from_str(&noted.text).map_err(|_| ())?;
        let text = |name: &str| json[name].as_str().map(str::to_owned).ok_or(());
        Ok(Some(match json["step"].as_str() {
            Some("creating") => Self::Creating {
                title: text("title").unwrap_or_default(),
            },
            Some("updating") => Self::Updating {
                article: text("article")?,
            },
            Some("verifying") => Self::Verifying {
                token: text("token")?,
                title: text("title").ok(),
            },
            Some("broadcasting") => Self::Broadcasting {
                article: text("article")?,
            },
            Some("removing") => Self::Removing {
                article: text("article")?,
            },
            _ => return Err(()),
        }))
    }
}

/// What the account has of a bulletin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Held {
    /// This article.
    Article(String),
    /// One of which nobody has learnt the id: what asks for it, where its making was answered, and its title.
    Made {
        token: Option<String>,
        title: String,
    },
}

impl Held {
    /// Reads what is on record: an id, what a note says that an article's id is not known yet, or the note before its making.
    pub(super) fn read(kept: &Kept) -> Option<Self> {
        let text = kept.holds.as_ref()?;
        let json: Value = serde_json::from_str(text).unwrap_or_default();
        if !json.is_object() {
            return Some(Self::Article(text.clone()));
        }
        let part = |name: &str| json[name].as_str().map(str::to_owned);
        let made = part("title").map(|title| Self::Made {
            token: part("token"),
            title,
        });
        made.or_else(|| part("article").map(Self::Article))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{message::Noted, time::Timestamp};

    #[test]
    fn notes_are_read_back() {
        let kept = |text: String| Kept {
            noted: Some(Noted {
                text,
                at: Timestamp::from_micros(0),
                came_to_nothing: false,
            }),
            ..Kept::default()
        };
        let text = || "x".to_owned();
        for progress in [
            Progress::Creating { title: text() },
            Progress::Updating { article: text() },
            Progress::Verifying {
                token: text(),
                title: None,
            },
            Progress::Verifying {
                token: text(),
                title: Some(text()),
            },
            Progress::Broadcasting { article: text() },
            Progress::Removing { article: text() },
        ] {
            let read = Progress::read(&kept(progress.note().text));
            assert_eq!(read, Ok(Some(progress)));
        }
        assert_eq!(Progress::read(&Kept::default()), Ok(None));
        for strange in ["", "{}", r#"{"step":"verifying"}"#, r#"{"step":"dancing"}"#] {
            assert_eq!(Progress::read(&kept(strange.into())), Err(()), "{strange}");
        }
    }

    #[test]
    fn what_is_held_is_an_id_or_what_leads_to_one() {
        let read = |holds: Option<String>| {
            Held::read(&Kept {
                holds,
                ..Kept::default()
            })
        };
        let said = |progress: &Progress| match progress.note().holds {
            Holds::This(text) => read(Some(text)),
            Holds::Same | Holds::Nothing => None,
        };
        let made = |token: Option<&str>| Held::Made {
            token: token.map(str::to_owned),
            title: "x".to_owned(),
        };
        let title = || "x".to_owned();
        let verifying = Progress::Verifying {
            token: "t".to_owned(),
            title: Some(title()),
        };
        let updating = Progress::Updating {
            article: "a1".to_owned(),
        };
        let article = Held::Article("a1".to_owned());
        assert_eq!(read(None), None);
        assert_eq!(said(&updating), Some(article.clone()));
        // A note itself, where nobody knows what came of its call.
        assert_eq!(read(Some(updating.note().text)), Some(article));
        assert_eq!(said(&verifying), Some(made(Some("t"))));
        let creating = Progress::Creating { title: title() }.note();
        assert_eq!(creating.holds, Holds::Nothing);
        assert_eq!(read(Some(creating.text)), Some(made(None)));
        assert_eq!(read(Some(r#"{"step":"creating"}"#.to_owned())), None);
        let number = Held::Article("4318657068771012646".to_owned());
        assert_eq!(read(Some("4318657068771012646".to_owned())), Some(number));
    }
}
