//! Bulletin × ward × format → the words that go out.
//!
//! A renderer compiles a workspace's templates once. Rendering is strict: a name that does not exist is an error, never
//! an empty place. What is meant for ears comes with its words as they are read aloud, so that both are frozen and approved
//! together. Nothing here knows about channels, times or the network.

use std::{borrow::Cow, collections::BTreeMap};

use pulldown_cmark::{Event, Parser, html};
use serde_json::{Map, Value, json};

use crate::{
    catalogue::{self, Lang},
    contacts::{self, Directory, Found},
    domain::{
        bulletin::{Bulletin, Format, NotContact, Script, Turn},
        detail::Detail,
        id::{BulletinId, ContactId, WardId},
        message::Content,
        picture::Picture,
        ward::Ward,
        workspace::Workspace,
    },
    speech::Speech,
    template::{Context, TemplateError, Templates},
};

/// The parts of a bulletin that are templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BodyPart {
    /// `script`
    Script,
    /// One turn of `dialogue`, counted from 0.
    Turn(u32),
    /// `article.body`
    ArticleBody,
    /// `article.summary`
    ArticleSummary,
    /// `article.picture.alt`
    PictureAlt,
    /// `message`
    Message,
    /// `sign`
    Sign,
    /// `correction`
    Correction,
}

impl BodyPart {
    /// The parts that a bulletin has, each with its template.
    #[must_use]
    pub fn all(bulletin: &Bulletin) -> Vec<(Self, &str)> {
        let turns = match &bulletin.script {
            Some(Script::Dialogue(turns)) => turns.as_slice(),
            _ => &[],
        };
        let others = [
            Self::ArticleBody,
            Self::ArticleSummary,
            Self::PictureAlt,
            Self::Message,
            Self::Sign,
            Self::Correction,
        ];
        std::iter::once(Self::Script)
            .chain((0..).zip(turns).map(|(index, _)| Self::Turn(index)))
            .chain(others)
            .filter_map(|part| Some((part, part.text(bulletin)?)))
            .collect()
    }

    /// Whether what a bulletin says may differ from area to area: it, or a shared template that it may include, has the name `ward`.
    #[must_use]
    pub fn names_ward(workspace: &Workspace, bulletin: &Bulletin) -> bool {
        let names = |text: &str| text.contains("ward");
        let parts = Self::all(bulletin);
        // What a part takes from elsewhere it takes by a tag.
        let takes = parts.iter().any(|(_, text)| text.contains("{%"));
        parts.iter().any(|(_, text)| names(text))
            || takes && workspace.templates.values().any(|text| names(text))
    }

    fn text(self, bulletin: &Bulletin) -> Option<&str> {
        match (self, &bulletin.script) {
            (Self::Script, Some(Script::One(text))) => Some(text),
            (Self::Turn(index), Some(Script::Dialogue(turns))) => {
                let turn = turns.get(usize::try_from(index).ok()?)?;
                Some(turn.text.as_str())
            }
            (Self::Script | Self::Turn(_), _) => None,
            (Self::ArticleBody, _) => bulletin
                .article
                .as_ref()
                .map(|article| article.body.as_str()),
            (Self::ArticleSummary, _) => bulletin
                .article
                .as_ref()
                .and_then(|article| article.summary.as_deref()),
            (Self::PictureAlt, _) => {
                let article = bulletin.article.as_ref()?;
                Some(article.picture.as_ref()?.alt.as_str())
            }
            (Self::Message, _) => bulletin.message.as_deref(),
            (Self::Sign, _) => bulletin.sign.as_deref(),
            (Self::Correction, _) => bulletin.correction.as_deref(),
        }
    }

    /// Where the part stands in the bulletin's file.
    #[must_use]
    pub fn path(self) -> Cow<'static, str> {
        match self {
            Self::Script => "script".into(),
            Self::Turn(index) => format!("dialogue[{index}]").into(),
            Self::ArticleBody => "article.body".into(),
            Self::ArticleSummary => "article.summary".into(),
            Self::PictureAlt => "article.picture.alt".into(),
            Self::Message => "message".into(),
            Self::Sign => "sign".into(),
            Self::Correction => "correction".into(),
        }
    }

    /// The format that carries the part; a correction may go anywhere.
    #[must_use]
    pub fn format(self) -> Option<Format> {
        match self {
            Self::Script | Self::Turn(_) => Some(Format::Script),
            Self::ArticleBody | Self::ArticleSummary | Self::PictureAlt => Some(Format::Article),
            Self::Message => Some(Format::Message),
            Self::Sign => Some(Format::Sign),
            Self::Correction => None,
        }
    }

    fn template_name(self, bulletin: &BulletinId) -> String {
        format!("{bulletin}/{}", self.path())
    }
}

/// Why words could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RenderError {
    /// The bulletin has no body in that format.
    #[error("the bulletin has no {}", .0.path())]
    NoSuchPart(BodyPart),
    /// The template is wrong, or names what does not exist.
    #[error("{}: {}:{}: {}", .part.path(), .error.line, .error.column, .error.message)]
    Template {
        /// The part that was being rendered; the mistake may stand in a shared template (`error.template`).
        part: BodyPart,
        /// The mistake.
        error: TemplateError,
    },
    /// Nothing but white space came out.
    #[error("{} comes out empty", .0.path())]
    Empty(BodyPart),
}

impl RenderError {
    /// What people are told, in the reader's language; for records.
    #[must_use]
    pub fn told(&self) -> Detail {
        match self {
            Self::NoSuchPart(part) => Detail::new("words-missing").with("part", part.path()),
            Self::Template { part, error } => {
                let (problem, named) = error.said();
                let detail = Detail::new("words-broken")
                    .with("part", part.path())
                    .with("line", error.line)
                    .with("problem", problem);
                match named {
                    Some((name, value)) => detail.with(name, value),
                    None => detail,
                }
            }
            Self::Empty(part) => Detail::new("words-empty").with("part", part.path()),
        }
    }
}

/// A workspace's templates, compiled.
#[derive(Debug)]
pub struct Renderer {
    templates: Templates,
    /// What is the same for every bulletin and ward, converted once: thousands of renderings share it.
    common: Context,
    /// The contacts that words may name.
    directory: Directory,
    /// Reads scripts and their corrections aloud.
    speech: Speech,
}

impl Renderer {
    /// Compiles every template of the workspace. Broken ones are reported, all of them, and left out.
    #[must_use]
    pub fn new(workspace: &Workspace) -> (Self, Vec<TemplateError>) {
        Self::compiled(workspace, Templates::add_all)
    }

    /// As [`Renderer::new`], for checks only: mistakes are taken out, so that none hides another, and the words that come
    /// out have [`MENDED`](crate::template::MENDED) in their place.
    #[must_use]
    pub fn for_check(workspace: &Workspace) -> (Self, Vec<TemplateError>) {
        Self::compiled(workspace, Templates::add_all_mended)
    }

    /// Takes out what a rendering stumbled over; `false` when that is not possible. For checks only.
    pub fn mend(&mut self, error: &RenderError) -> bool {
        match error {
            RenderError::Template { error, .. } => self.templates.mend(error),
            RenderError::NoSuchPart(_) | RenderError::Empty(_) => false,
        }
    }

    fn compiled(
        workspace: &Workspace,
        add: impl FnOnce(&mut Templates, Vec<(String, String)>) -> Vec<TemplateError>,
    ) -> (Self, Vec<TemplateError>) {
        let mut templates = Templates::new();
        let shared = workspace
            .templates
            .iter()
            .map(|(name, text)| (name.clone(), text.clone()));
        let own = workspace.bulletins.values().flat_map(|bulletin| {
            BodyPart::all(bulletin)
                .into_iter()
                .map(|(part, text)| (part.template_name(&bulletin.id), text.to_owned()))
        });
        let problems = add(&mut templates, shared.chain(own).collect());
        let contacts = workspace
            .contacts
            .values()
            // What nobody verified must not be heard, so a template cannot even reach it.
            .filter(|contact| contact.verified.is_some())
            .map(|contact| {
                let mut fields = Map::new();
                fields.insert("name".into(), contact.name.clone().into());
                if let Some(value) = &contact.value {
                    fields.insert("value".into(), value.clone().into());
                }
                (contact.id.to_string(), Value::Object(fields))
            })
            .collect::<Map<_, _>>();
        let settings = &workspace.settings;
        let mut common = Context::default();
        common.insert("contact", &contacts.into());
        common.insert(
            "city",
            &json!({ "name": settings.city.name, "province": settings.province }),
        );
        let speech = Speech::new(&workspace.readings, settings.speech.dialect);
        let renderer = Self {
            templates,
            common,
            directory: Directory::new(workspace.contacts.values()),
            speech,
        };
        (renderer, problems)
    }

    /// The editors' readings that a content is spoken with: as it stands there, and as it is spoken.
    #[must_use]
    pub fn readings(&self, content: &Content) -> BTreeMap<String, String> {
        if content.spoken.is_empty() {
            return BTreeMap::new();
        }
        if content.turns.is_empty() {
            return self.speech.readings(&content.text);
        }
        let turns = content.turns.iter();
        turns
            .flat_map(|turn| self.speech.readings(&turn.text))
            .collect()
    }

    /// Whether `part` of `bulletin` is a template that can be rendered: broken ones, and those that include one, are not.
    #[must_use]
    pub fn has(&self, bulletin: &BulletinId, part: BodyPart) -> bool {
        self.templates.contains(&part.template_name(bulletin))
    }

    /// The words of `bulletin` for `ward` in `format`.
    ///
    /// # Errors
    /// [`RenderError`]: the part is missing, its template fails, or nothing comes out.
    pub fn render(
        &self,
        workspace: &Workspace,
        bulletin: &Bulletin,
        ward: &Ward,
        format: Format,
    ) -> Result<Content, RenderError> {
        let part = |part| self.part(workspace, bulletin, ward, part);
        let mut turns = Vec::new();
        let text = match (format, &bulletin.script) {
            (Format::Script, Some(Script::Dialogue(templates))) => {
                for (index, template) in (0..).zip(templates) {
                    turns.push(Turn {
                        voice: template.voice,
                        text: part(BodyPart::Turn(index))?,
                    });
                }
                Content::text_of(&turns)
            }
            (Format::Script, _) => part(BodyPart::Script)?,
            (Format::Article, _) => part(BodyPart::ArticleBody)?,
            (Format::Message, _) => part(BodyPart::Message)?,
            (Format::Sign, _) => part(BodyPart::Sign)?,
        };
        let is_article = format == Format::Article;
        let summary = (is_article && BodyPart::ArticleSummary.text(bulletin).is_some())
            .then(|| part(BodyPart::ArticleSummary))
            .transpose()?;
        let spoken = match (format, turns.as_slice()) {
            (Format::Script, []) => vec![self.speech.say(&text)],
            (Format::Script, turns) => turns
                .iter()
                .map(|turn| self.speech.say(&turn.text))
                .collect(),
            _ => Vec::new(),
        };
        let picture = bulletin
            .article
            .as_ref()
            .and_then(|article| article.picture.as_ref());
        let shows = is_article || format == Format::Message;
        let picture = picture.filter(|_| shows).map(|picture| {
            Ok(Picture {
                alt: part(BodyPart::PictureAlt)?,
                ..picture.clone()
            })
        });
        let mut content = Content {
            bulletin: bulletin.id.clone(),
            format,
            title: bulletin.title.clone(),
            summary,
            html: is_article.then(|| to_html(&text)),
            text,
            turns,
            spoken,
            quoted: crate::domain::message::Quoted::default(),
            contacts: Vec::new(),
            recording: (format == Format::Script)
                .then(|| bulletin.recording.clone())
                .flatten(),
            picture: picture.transpose()?,
        };
        content.contacts = contacts::named(
            &content,
            &bulletin.contacts,
            &self.directory,
            &workspace.contacts,
            ward,
        );
        Ok(content)
    }

    /// The first thing in rendered words, as they stand or as they are read aloud, that must not air, with the verdict on it:
    /// whatever leads to somebody who is no verified contact, by what the bulletin says of exceptions. Whether verifications
    /// have expired is another question, which depends on the day ([`crate::domain::contact::lapsed`]).
    #[must_use]
    pub fn stray(&self, content: &Content, bulletin: &Bulletin) -> Option<Found> {
        let is_good = |found: &Found, exceptions: &[NotContact]| {
            self.directory.judge(found, exceptions, None).is_good()
        };
        let written: Vec<Found> = contacts::texts(content).flat_map(contacts::find).collect();
        let heard = if content.spoken.is_empty() {
            Vec::new()
        } else {
            contacts::find_aloud(&written, &content.voiced())
        };
        let exceptions = &bulletin.not_contacts;
        let aloud = if heard.is_empty() {
            Vec::new()
        } else {
            self.speech.exceptions(exceptions)
        };
        let written = written.into_iter().map(|found| (found, exceptions));
        let heard = heard.into_iter().map(|found| (found, &aloud));
        written
            .chain(heard)
            .find_map(|(found, exceptions)| (!is_good(&found, exceptions)).then_some(found))
    }

    /// The correction of `bulletin` for `ward`, as a channel of `format` carries it.
    ///
    /// # Errors
    /// As [`Renderer::render`].
    pub fn correction(
        &self,
        workspace: &Workspace,
        bulletin: &Bulletin,
        ward: &Ward,
        format: Format,
    ) -> Result<Content, RenderError> {
        let text = self.part(workspace, bulletin, ward, BodyPart::Correction)?;
        // What goes out is Vietnamese, whatever the operator reads.
        let title = catalogue::text(
            Lang::Vi,
            "approval.correction-title",
            &[("title", &bulletin.title)],
        );
        let mut content = Content {
            bulletin: bulletin.id.clone(),
            format,
            // A site may refuse what has none.
            summary: (format == Format::Article).then(|| title.clone()),
            title,
            html: (format == Format::Article).then(|| to_html(&text)),
            spoken: if format == Format::Script {
                vec![self.speech.say(&text)]
            } else {
                Vec::new()
            },
            text,
            turns: Vec::new(),
            quoted: crate::domain::message::Quoted::default(),
            contacts: Vec::new(),
            // The recording says something else, and what is taken back must not be what catches the eye.
            recording: None,
            picture: None,
        };
        // A bulletin is taken back also when one of its contacts does not hold any more.
        let listed: Vec<ContactId> = bulletin
            .contacts
            .iter()
            .filter(|id| {
                let contact = workspace.contacts.get(*id);
                contact.is_some_and(|contact| content.text.contains(&contact.name))
            })
            .cloned()
            .collect();
        content.contacts = contacts::named(
            &content,
            &listed,
            &self.directory,
            &workspace.contacts,
            ward,
        );
        Ok(content)
    }

    /// One part of `bulletin`, for checks and for corrections.
    ///
    /// # Errors
    /// As [`Renderer::render`].
    pub fn part(
        &self,
        workspace: &Workspace,
        bulletin: &Bulletin,
        ward: &Ward,
        part: BodyPart,
    ) -> Result<String, RenderError> {
        if part.text(bulletin).is_none() {
            return Err(RenderError::NoSuchPart(part));
        }
        let text = self
            .templates
            .render_in(
                &part.template_name(&bulletin.id),
                &self.context(workspace, bulletin, ward),
            )
            .map_err(|error| RenderError::Template { part, error })?;
        let text = tidy(&text);
        // A turn is one paragraph: where the next one begins, the other voice speaks.
        let text = match part {
            BodyPart::Turn(_) => text.replace("\n\n", "\n"),
            // One line, in an attribute of a page.
            BodyPart::PictureAlt => text.split_whitespace().collect::<Vec<_>>().join(" "),
            _ => text,
        };
        if text.is_empty() {
            Err(RenderError::Empty(part))
        } else {
            Ok(text)
        }
    }

    /// What templates may name. Kept small: every name here is part of the language that editors write.
    fn context(&self, workspace: &Workspace, bulletin: &Bulletin, ward: &Ward) -> Context {
        let topic = workspace
            .topics
            .get(&bulletin.topic)
            .map_or("", |topic| topic.title.as_str());
        let mut context = self.common.clone();
        context.insert("ward", &ward_fields(ward));
        context.insert(
            "bulletin",
            &json!({ "id": bulletin.id, "title": bulletin.title, "topic": topic }),
        );
        context
    }
}

fn ward_fields(ward: &Ward) -> Value {
    let id: &WardId = &ward.id;
    json!({ "id": id, "name": ward.name, "short": ward.short, "kind": ward.kind.word() })
}

/// Without white space at line ends and around the whole, and with at most one empty line in a row: what template tags
/// leave behind is not part of the words.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.trim().lines().map(str::trim_end) {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty <= 1 {
            if !tidied.is_empty() {
                tidied.push('\n');
            }
            tidied.push_str(line);
        }
    }
    tidied
}

/// Markdown → HTML. Raw HTML in the source comes out as visible text, so that a bulletin cannot carry a script.
fn to_html(markdown: &str) -> String {
    let events = Parser::new(markdown).map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        other => other,
    });
    let mut out = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut out, events);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tags_leave_behind_is_not_part_of_the_words() {
        assert_eq!(tidy("\n\n  Một  \n\n\n\nHai\t\n"), "Một\n\nHai");
        assert_eq!(tidy(" \n "), "");
    }

    #[test]
    fn raw_html_is_shown_and_not_run() {
        let html = to_html("Chào **bà con**\n\n<script>alert(1)</script>\n");
        assert!(html.contains("<strong>bà con</strong>"), "{html}");
        assert!(!html.contains("<script>"), "{html}");
    }
}
