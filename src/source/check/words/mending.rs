//! Words of templates with mistakes: what a rendering stumbles over is reported and taken out, so that it hides no other
//! mistake. It is taken out of the templates for all bulletins that follow, so this goes on in one place at a time.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place},
    domain::{ward::Ward, workspace::Workspace},
    render::{BodyPart, RenderError, Renderer},
    source::{
        check::fault::{describe_template, open_quote, open_tag, template_place},
        notebook::{Named, Notebook, did_you_mean},
        raw::bulletin::RawBulletin,
        similar::nearest,
        text::Text,
    },
    template::{TemplateError, TemplateErrorKind},
};

use super::{Once, template_name, unverified};

/// Mistakes in words that are taken out in one run: each costs another look at all templates.
const MOST_MENDS: usize = 500;

/// Takes mistakes out of templates.
pub(super) struct Mending<'a> {
    notebook: &'a Notebook,
    workspace: &'a Workspace,
    /// All templates by the names that the renderer gives them.
    texts: BTreeMap<String, &'a Text>,
    /// How many more mistakes are taken out to see what they hide.
    mends: usize,
    /// What was found.
    pub once: Once,
}

impl<'a> Mending<'a> {
    /// Notes the `problems` because of which texts are no templates.
    pub(super) fn new(
        notebook: &'a Notebook,
        workspace: &'a Workspace,
        bulletins: &'a [RawBulletin],
        templates: &'a BTreeMap<String, Text>,
        problems: &[TemplateError],
    ) -> Self {
        let shared = templates.iter().map(|(name, text)| (name.clone(), text));
        let own = bulletins.iter().flat_map(|raw| {
            raw.parts
                .iter()
                .map(|(part, text)| (template_name(&raw.bulletin, *part), text))
        });
        let mut mending = Self {
            notebook,
            workspace,
            texts: shared.chain(own).collect(),
            mends: MOST_MENDS,
            once: Once::default(),
        };
        for problem in problems {
            // A file that could not be read is no template that somebody forgot.
            let is_expected = matches!(&problem.kind, TemplateErrorKind::MissingInclude(name) if notebook.knows(Named::Template, name));
            if !is_expected {
                let diagnostic = mending.describe(problem, None);
                mending.once.take(diagnostic);
            }
        }
        mending
    }

    /// Renders one part for one ward, again and again until no mistake is left that can be taken out; reports each.
    pub(super) fn words(
        &mut self,
        renderer: &mut Renderer,
        raw: &RawBulletin,
        ward: &Ward,
        part: BodyPart,
        text: &Text,
    ) -> Option<String> {
        loop {
            let error = match renderer.part(self.workspace, &raw.bulletin, ward, part) {
                Ok(words) => return Some(words),
                Err(error) => error,
            };
            if !self.is_through_a_gap(&error) {
                let diagnostic = self.failure(&error, ward, text);
                self.once.take(diagnostic);
            }
            self.mends = self.mends.checked_sub(1)?;
            if !renderer.mend(&error) {
                return None;
            }
        }
    }

    /// Whether words are missing only because another file could not be read.
    fn is_through_a_gap(&self, error: &RenderError) -> bool {
        let RenderError::Template { error, .. } = error else {
            return self.notebook.has_gap(Named::Ward);
        };
        let text = self.texts.get(&error.template);
        self.notebook.has_gap(Named::Contact)
            && matches!(error.kind, TemplateErrorKind::UndefinedVariable { .. })
            && text
                .and_then(|text| text.value.lines().nth(error.line.saturating_sub(1)))
                .is_none_or(|line| line.contains("contact"))
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
        if let Some(open) = text
            .filter(|_| error.kind == TemplateErrorKind::Syntax)
            .and_then(|text| open_quote(text, error))
        {
            return Diagnostic::new(Code::BadTemplate, open)
                .with("problem", Arg::Word("template-quote".into()))
                .help(Phrase::new("L060-help-quotes"));
        }
        if let TemplateErrorKind::UndefinedVariable { name, .. } = &error.kind {
            if let Some(unknown) = self.contact_at(&place) {
                return unknown;
            }
            if let Some(near) = near_path(&place) {
                return Diagnostic::new(Code::UndefinedName, place)
                    .with("name", name.as_str())
                    .help(did_you_mean(near));
            }
        }
        describe_template(error, place, || {
            self.workspace
                .templates
                .keys()
                .map(String::as_str)
                .collect()
        })
    }

    /// The mistake of `contact["id"]` at `place`, if there is no contact of that id or nobody verified it.
    fn contact_at(&self, place: &Place) -> Option<Diagnostic> {
        let line = place.file.line(place.file.line_at(place.start));
        let text = &place.file.text()[..line.end];
        // The place is that of `contact`, or of the field after the brackets.
        let from = text[line.start..place.end]
            .rfind("contact")
            .map(|at| line.start + at)?;
        let rest = text[from..].strip_prefix("contact[")?;
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let id = rest[1..].split(quote).next()?;
        let start = text.len() - rest.len() + 1;
        let contacts = &self.workspace.contacts;
        if let Some(contact) = contacts.get(id) {
            // A template reaches verified contacts only.
            let at = Place::new(&place.file, start..start + id.len());
            return contact.verified.is_none().then(|| unverified(contact, at));
        }
        let known = contacts
            .values()
            .map(|contact| (contact.id.as_str(), Some(contact.name.as_str())));
        let help = nearest(id, known).map_or(Phrase::new("L024-help"), did_you_mean);
        let place = Place::new(&place.file, start..start + id.len());
        Some(
            Diagnostic::new(Code::UnknownContact, place)
                .with("id", id)
                .help(help),
        )
    }
}

/// Names that templates of bulletins know.
const NAMES: [&str; 10] = [
    "ward.name",
    "ward.short",
    "ward.kind",
    "ward.id",
    "city.name",
    "city.province",
    "bulletin.title",
    "bulletin.topic",
    "bulletin.id",
    "contact",
];

/// The known name nearest to the one at `place`. Of `ward.nam | upper`, the engine tells neither the place of `nam` nor
/// what could stand there.
fn near_path(place: &Place) -> Option<&'static str> {
    let line = place.file.line(place.file.line_at(place.start));
    let rest = &place.file.text()[place.start..line.end.max(place.start)];
    let path = &rest[..rest
        .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
        .unwrap_or(rest.len())];
    if !path.contains('.') || NAMES.contains(&path) {
        return None;
    }
    nearest(path, NAMES.map(|name| (name, None)))
}
