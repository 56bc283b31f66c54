//! What is put on record between the calls of an article, so that whoever goes on knows what may have happened.

use serde_json::{Value, json};

use crate::domain::message::{Kept, Note};

/// The call before which it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// An article is about to be made.
    Creating,
    /// This article is about to get other words.
    Updating { article: String },
    /// The platform works on an article; `token` asks for its id.
    Verifying { token: String },
    /// This article is about to be sent to the followers.
    Broadcasting { article: String },
    /// This article is about to be taken away.
    Removing { article: String },
}

impl Progress {
    /// As it stands on record.
    pub(super) fn note(&self) -> Note {
        let (text, holds) = match self {
            Self::Creating => (json!({ "step": "creating" }), None),
            Self::Updating { article } => (
                json!({ "step": "updating", "article": article }),
                Some(article),
            ),
            Self::Verifying { token } => (json!({ "step": "verifying", "token": token }), None),
            Self::Broadcasting { article } => (
                json!({ "step": "broadcasting", "article": article }),
                Some(article),
            ),
            Self::Removing { article } => (
                json!({ "step": "removing", "article": article }),
                Some(article),
            ),
        };
        Note {
            text: text.to_string(),
            holds: holds.cloned(),
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
            Some("creating") => Self::Creating,
            Some("updating") => Self::Updating {
                article: text("article")?,
            },
            Some("verifying") => Self::Verifying {
                token: text("token")?,
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
            Progress::Creating,
            Progress::Updating { article: text() },
            Progress::Verifying { token: text() },
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
}
