//! Templates and what comes out of them: that they are templates, name only what exists, say something for every ward,
//! and carry no telephone number or site that nobody verified.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::Range,
};

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place},
    domain::{
        bulletin::{Bulletin, Format},
        ward::Ward,
        workspace::Workspace,
    },
    render::{BodyPart, RenderError, Renderer},
    source::{
        notebook::{Named, Notebook, did_you_mean},
        raw::bulletin::RawBulletin,
        similar::nearest,
        text::Text,
    },
    template::{TemplateError, TemplateErrorKind},
};

use super::contacts::Contacts;

pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    bulletins: &[RawBulletin],
    templates: &BTreeMap<String, Text>,
) {
    let shared = templates.iter().map(|(name, text)| (name.clone(), text));
    let own = bulletins.iter().flat_map(|raw| {
        raw.parts
            .iter()
            .map(|(part, text)| (template_name(&raw.bulletin, *part), text))
    });
    let mut check = Check {
        notebook,
        workspace,
        texts: shared.chain(own).collect(),
        seen: BTreeSet::new(),
    };
    let (renderer, problems) = Renderer::new(workspace);
    let mut broken = BTreeSet::new();
    for problem in &problems {
        broken.insert(problem.template.as_str());
        check.report(check.describe(problem, None));
    }
    // Names may be missing through no fault of the templates, and a broken shared template breaks others with it.
    let gap = [Named::Ward, Named::Contact, Named::Topic, Named::Template]
        .into_iter()
        .any(|sort| notebook.has_gap(sort));
    if gap || broken.iter().any(|name| templates.contains_key(*name)) {
        return;
    }
    let contacts = Contacts::new(workspace);
    for raw in bulletins {
        contacts.check_title(notebook, raw);
        for (part, text) in &raw.parts {
            if !broken.contains(template_name(&raw.bulletin, *part).as_str()) {
                check.part(&renderer, &contacts, raw, *part, text);
            }
        }
    }
}

/// The name under which the renderer knows a bulletin's part.
fn template_name(bulletin: &Bulletin, part: BodyPart) -> String {
    format!("{}/{}", bulletin.id, part.path())
}

/// The format that carries a part; a correction may go anywhere.
fn format_of(part: BodyPart) -> Option<Format> {
    match part {
        BodyPart::Script => Some(Format::Script),
        BodyPart::ArticleBody | BodyPart::ArticleSummary => Some(Format::Article),
        BodyPart::Message => Some(Format::Message),
        BodyPart::Sign => Some(Format::Sign),
        BodyPart::Correction => None,
    }
}

struct Check<'a> {
    notebook: &'a Notebook,
    workspace: &'a Workspace,
    /// All templates by the names that the renderer gives them.
    texts: BTreeMap<String, &'a Text>,
    seen: BTreeSet<(Code, String, usize)>,
}

impl Check<'_> {
    /// Reports a mistake once, not once for every ward.
    fn report(&mut self, diagnostic: Diagnostic) {
        let key = (
            diagnostic.code,
            diagnostic.at.file.path().to_owned(),
            diagnostic.at.start,
        );
        if self.seen.insert(key) {
            self.notebook.report(diagnostic);
        }
    }

    /// Renders one part for every ward.
    fn part(
        &mut self,
        renderer: &Renderer,
        contacts: &Contacts<'_>,
        raw: &RawBulletin,
        part: BodyPart,
        text: &Text,
    ) {
        let mut lines = HashSet::new();
        let city = &self.workspace.settings.city;
        let format = format_of(part);
        // The city counts where it has a channel of its own for these words: not every bulletin speaks to it.
        let city = self
            .workspace
            .channels
            .values()
            .any(|channel| {
                channel.ward == city.id && (format.is_none_or(|format| format == channel.format))
            })
            .then_some(city);
        for ward in city.into_iter().chain(self.workspace.wards.values()) {
            match renderer.part(self.workspace, &raw.bulletin, ward, part) {
                Ok(words) => {
                    // Most lines are the same in every ward.
                    for line in words.lines() {
                        if !lines.contains(line) {
                            contacts.check_line(self.notebook, raw, part, text, line);
                            lines.insert(line.to_owned());
                        }
                    }
                }
                Err(error) => {
                    let diagnostic = self.failure(&error, ward, text);
                    self.report(diagnostic);
                }
            }
        }
    }

    fn failure(&self, error: &RenderError, ward: &Ward, text: &Text) -> Diagnostic {
        match error {
            RenderError::Template { error, .. } => self.describe(error, Some(text)),
            RenderError::NoSuchPart(_) | RenderError::Empty(_) => {
                Diagnostic::new(Code::RenderFailed, text.place.clone())
                    .with("problem", Arg::Word("render-empty".into()))
                    .help(Phrase::new("L062-help-empty").with("ward", ward.name.as_str()))
            }
        }
    }

    /// A template's mistake where it stands; `from` is the template that was being rendered.
    fn describe(&self, error: &TemplateError, from: Option<&Text>) -> Diagnostic {
        let text = self.texts.get(&error.template).copied().or(from);
        let place = text.map_or_else(
            || Place::absent(&error.template),
            |text| template_place(text, error),
        );
        if let Some(open) = text
            .filter(|_| error.kind == TemplateErrorKind::Syntax)
            .and_then(|text| open_tag(text, error))
        {
            return Diagnostic::new(Code::BadTemplate, open)
                .with("problem", Arg::Word("template-open".into()))
                .help(Phrase::new("L060-help-open"));
        }
        if let TemplateErrorKind::UndefinedVariable { name, .. } = &error.kind
            && name == "value"
            && let Some(contact) = self.unverified_before(&place)
        {
            let help = Phrase::new("L061-help-unverified").with("contact", contact);
            return Diagnostic::new(Code::UndefinedName, place)
                .with("name", name.as_str())
                .help(help);
        }
        describe_template(error, place, || {
            self.workspace
                .templates
                .keys()
                .map(String::as_str)
                .collect()
        })
    }

    /// The contact whose value a template asks for in `contact["id"].value`, if that value is kept back because nobody
    /// verified it.
    fn unverified_before(&self, place: &Place) -> Option<&str> {
        let line = place.file.line(place.file.line_at(place.start));
        let line = &place.file.text()[line];
        let unverified = self
            .workspace
            .contacts
            .values()
            .filter(|contact| contact.verified.is_none());
        let mut named = unverified.filter(|contact| {
            let id = contact.id.as_str();
            [
                format!("[\"{id}\"].value"),
                format!("['{id}'].value"),
                format!("contact.{id}.value"),
            ]
            .iter()
            .any(|form| line.contains(form.as_str()))
        });
        named.next().map(|contact| contact.id.as_str())
    }
}

/// Where a template's mistake stands in the file.
pub(super) fn template_place(text: &Text, error: &TemplateError) -> Place {
    if error.line > 0 {
        text.word_at(error.line, error.column)
    } else {
        text.place.clone()
    }
}

/// The tag that is still open where a template ends too early. The engine only knows the end.
fn open_tag(text: &Text, error: &TemplateError) -> Option<Place> {
    let end = text.value.trim_end().lines().count();
    if error.line < end.max(1) {
        return None;
    }
    let mut open: Vec<(&str, Range<usize>)> = Vec::new();
    for (at, _) in text.value.match_indices("{%") {
        let tag = text.value[at + 2..].trim_start_matches('-').trim_start();
        let word = &tag[..tag
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tag.len())];
        let close = text.value[at..]
            .find("%}")
            .map_or(text.value.len(), |close| at + close + 2);
        match word.strip_prefix("end") {
            Some(ended) if open.last().is_some_and(|(word, _)| *word == ended) => {
                open.pop();
            }
            None if matches!(word, "if" | "for" | "filter" | "block") => {
                open.push((word, at..close));
            }
            _ => {}
        }
    }
    open.pop().map(|(_, range)| text.part(range))
}

/// A template's mistake at `place`; `templates` are the names that can be included.
pub(super) fn describe_template<'t>(
    error: &TemplateError,
    place: Place,
    templates: impl FnOnce() -> Vec<&'t str>,
) -> Diagnostic {
    match &error.kind {
        TemplateErrorKind::UndefinedVariable { name, available } => {
            let near = nearest(name, available.iter().map(|name| (name.as_str(), None)));
            let help = match near {
                Some(near) => did_you_mean(near),
                None if available.is_empty() => Phrase::new("L061-help"),
                None => Phrase::new("L061-help-names").with("names", Arg::Names(available.clone())),
            };
            Diagnostic::new(Code::UndefinedName, place)
                .with("name", name.as_str())
                .help(help)
        }
        TemplateErrorKind::MissingInclude(name) => {
            let templates = templates();
            let near = nearest(name, templates.iter().map(|name| (*name, None)));
            Diagnostic::new(Code::UnknownTemplate, place)
                .with("id", name.as_str())
                .help(near.map_or(Phrase::new("L026-help"), did_you_mean))
        }
        TemplateErrorKind::Syntax => Diagnostic::new(Code::BadTemplate, place)
            .with("problem", error.message.as_str())
            .help(Phrase::new("L060-help")),
        TemplateErrorKind::UnknownFilter(name) => unknown("template-filter", name, place),
        TemplateErrorKind::UnknownFunction(name) => unknown("template-function", name, place),
        TemplateErrorKind::UnknownTest(name) => unknown("template-test", name, place),
        TemplateErrorKind::TooLarge => Diagnostic::new(Code::RenderFailed, place)
            .with("problem", Arg::Word("render-too-large".into()))
            .help(Phrase::new("L062-help-too-large")),
        TemplateErrorKind::Other => Diagnostic::new(Code::RenderFailed, place)
            .with("problem", error.message.as_str())
            .help(Phrase::new("L062-help")),
    }
}

fn unknown(what: &str, name: &str, place: Place) -> Diagnostic {
    Diagnostic::new(Code::BadTemplate, place)
        .with("problem", Arg::Word(what.to_owned()))
        .help(Phrase::new("L060-help-unknown").with("name", name))
}
