//! Bulletin × ward × format → the words that go out.
//!
//! A renderer compiles a workspace's templates once. Rendering is strict: a name that does not exist is an error, never
//! an empty place. Nothing here knows about channels, times or the network.

use pulldown_cmark::{Event, Parser, html};
use serde_json::{Map, Value, json};

use crate::{
    domain::{
        bulletin::{Bulletin, Format},
        id::{BulletinId, WardId},
        message::Content,
        ward::Ward,
        workspace::Workspace,
    },
    template::{Context, TemplateError, Templates},
};

/// The parts of a bulletin that are templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BodyPart {
    /// `script`
    Script,
    /// `article.body`
    ArticleBody,
    /// `article.summary`
    ArticleSummary,
    /// `message`
    Message,
    /// `sign`
    Sign,
    /// `correction`
    Correction,
}

impl BodyPart {
    /// All parts.
    pub const ALL: [Self; 6] = [
        Self::Script,
        Self::ArticleBody,
        Self::ArticleSummary,
        Self::Message,
        Self::Sign,
        Self::Correction,
    ];

    fn of(format: Format) -> Self {
        match format {
            Format::Script => Self::Script,
            Format::Article => Self::ArticleBody,
            Format::Message => Self::Message,
            Format::Sign => Self::Sign,
        }
    }

    fn text(self, bulletin: &Bulletin) -> Option<&str> {
        match self {
            Self::Script => bulletin.template(Format::Script),
            Self::ArticleBody => bulletin.template(Format::Article),
            Self::ArticleSummary => bulletin
                .article
                .as_ref()
                .and_then(|article| article.summary.as_deref()),
            Self::Message => bulletin.template(Format::Message),
            Self::Sign => bulletin.template(Format::Sign),
            Self::Correction => bulletin.correction.as_deref(),
        }
    }

    /// Where the part stands in the bulletin's file.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::ArticleBody => "article.body",
            Self::ArticleSummary => "article.summary",
            Self::Message => "message",
            Self::Sign => "sign",
            Self::Correction => "correction",
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

/// A workspace's templates, compiled.
#[derive(Debug)]
pub struct Renderer {
    templates: Templates,
    /// What is the same for every bulletin and ward, converted once: thousands of renderings share it.
    common: Context,
}

impl Renderer {
    /// Compiles every template of the workspace. Broken ones are reported, all of them, and left out.
    #[must_use]
    pub fn new(workspace: &Workspace) -> (Self, Vec<TemplateError>) {
        let mut templates = Templates::new();
        let shared = workspace
            .templates
            .iter()
            .map(|(name, text)| (name.clone(), text.clone()));
        let own = workspace.bulletins.values().flat_map(|bulletin| {
            BodyPart::ALL.into_iter().filter_map(|part| {
                let text = part.text(bulletin)?;
                Some((part.template_name(&bulletin.id), text.to_owned()))
            })
        });
        let problems = templates.add_all(shared.chain(own));
        let contacts = workspace
            .contacts
            .values()
            .map(|contact| {
                let mut fields = Map::new();
                fields.insert("name".into(), contact.name.clone().into());
                // An unverified number must not be heard, so a template cannot even reach it.
                if let (Some(value), Some(_)) = (&contact.value, &contact.verified) {
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
        (Self { templates, common }, problems)
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
        let text = self.part(workspace, bulletin, ward, BodyPart::of(format))?;
        let is_article = format == Format::Article;
        let summary = (is_article && BodyPart::ArticleSummary.text(bulletin).is_some())
            .then(|| self.part(workspace, bulletin, ward, BodyPart::ArticleSummary))
            .transpose()?;
        Ok(Content {
            bulletin: bulletin.id.clone(),
            format,
            title: bulletin.title.clone(),
            summary,
            html: is_article.then(|| to_html(&text)),
            text,
        })
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
