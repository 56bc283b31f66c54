//! Templates and what comes out of them: that they are templates, name only what exists, say something for every ward,
//! and carry no telephone number or site that nobody verified.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::Range,
};

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place},
    domain::{bulletin::Bulletin, ward::Ward, workspace::Workspace},
    render::{BodyPart, RenderError, Renderer},
    source::{
        notebook::{Named, Notebook, did_you_mean},
        raw::bulletin::RawBulletin,
        similar::nearest,
        text::Text,
    },
    template::{MENDED, TemplateError, TemplateErrorKind},
};

use super::{
    contacts::Contacts,
    fault::{describe_template, open_quote, open_tag, template_place},
    lints::{Lints, Rendered},
    spoken::Spoken,
};

/// Mistakes in words that are taken out in one run: each costs another look at all templates.
const MOST_MENDS: usize = 500;

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
        mends: MOST_MENDS,
    };
    let (mut renderer, problems) = Renderer::for_check(workspace);
    for problem in &problems {
        // A file that could not be read is no template that somebody forgot.
        let is_expected = matches!(&problem.kind, TemplateErrorKind::MissingInclude(name) if notebook.knows(Named::Template, name));
        if !is_expected {
            check.report(check.describe(problem, None));
        }
    }
    let spoken = Spoken::new(notebook, workspace, templates);
    let contacts = (!notebook.has_gap(Named::Contact)).then(|| Contacts::new(workspace, templates));
    let mut lints = Lints::new(workspace, templates);
    for raw in bulletins {
        let mut rendered = Rendered::new();
        check.braces(raw, "part-title", None, &raw.bulletin.title);
        if let Some(contacts) = &contacts {
            contacts.check_title(notebook, raw);
        }
        for (part, text) in &raw.parts {
            // Broken, or including what is broken: said already, and no reason to leave the others unchecked.
            if renderer.has(&raw.bulletin.id, *part) {
                let words = check.part(&mut renderer, contacts.as_ref(), &spoken, raw, *part, text);
                rendered.insert(*part, words);
            }
        }
        lints.judge(raw, &rendered);
    }
    lints.report(notebook);
}

/// The name under which the renderer knows a bulletin's part.
fn template_name(bulletin: &Bulletin, part: BodyPart) -> String {
    format!("{}/{}", bulletin.id, part.path())
}

struct Check<'a> {
    notebook: &'a Notebook,
    workspace: &'a Workspace,
    /// All templates by the names that the renderer gives them.
    texts: BTreeMap<String, &'a Text>,
    seen: BTreeSet<(Code, String, usize)>,
    /// How many more mistakes are taken out to see what they hide.
    mends: usize,
}

impl<'a> Check<'a> {
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

    /// Renders one part for every ward; gives the words.
    fn part(
        &mut self,
        renderer: &mut Renderer,
        contacts: Option<&Contacts<'_>>,
        spoken: &Spoken<'_>,
        raw: &RawBulletin,
        part: BodyPart,
        text: &Text,
    ) -> Vec<(&'a Ward, String)> {
        let mut all = Vec::new();
        let mut lines = HashSet::new();
        let mut aloud = HashSet::new();
        let is_spoken = matches!(
            part,
            BodyPart::Script | BodyPart::Turn(_) | BodyPart::Correction
        );
        let name = part_word(part);
        let city = &self.workspace.settings.city;
        let format = part.format();
        // The city counts where it has a channel of its own for these words: not every bulletin speaks to it.
        let city = self
            .workspace
            .channels
            .values()
            .any(|channel| {
                channel.ward == city.id && (format.is_none_or(|format| format == channel.format))
            })
            .then_some(city)
            // Where the wards cannot be read, the city stands for all of them.
            .or(
                (self.workspace.wards.is_empty() && self.notebook.has_gap(Named::Ward))
                    .then_some(city),
            );
        for ward in city.into_iter().chain(self.workspace.wards.values()) {
            if let Some(words) = self.words(renderer, raw, ward, part, text) {
                // Most lines are the same in every ward.
                let mut before = "";
                for line in words.lines() {
                    // A number may be broken over two lines.
                    let is_broken = before.ends_with(|c: char| !c.is_alphabetic())
                        && line.starts_with(|c: char| !c.is_alphabetic());
                    let both = is_broken.then(|| format!("{before} {line}"));
                    for words in both.as_deref().into_iter().chain([line]) {
                        if lines.contains(words) {
                            continue;
                        }
                        lines.insert(words.to_owned());
                        if let Some(contacts) = contacts {
                            contacts.check_line(self.notebook, raw, name, text, words);
                        }
                        self.braces(raw, name, Some(text), words);
                    }
                    // No voice has to say what was taken out.
                    if is_spoken
                        && !line.contains(MENDED)
                        && first_brace(line).is_none()
                        && aloud.insert(line.to_owned())
                    {
                        for diagnostic in spoken.check_line(name, text, line) {
                            self.report(diagnostic);
                        }
                    }
                    before = line;
                }
                // What was taken out of is not what anybody will hear.
                if !words.contains(MENDED) {
                    all.push((ward, words));
                }
            }
        }
        all
    }

    /// Renders one part for one ward, again and again until no mistake is left that can be taken out; reports each.
    fn words(
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
                self.report(diagnostic);
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

    /// Reports a brace in words that go out: a name that was not filled in would be read aloud.
    fn braces(&mut self, raw: &RawBulletin, part: &str, text: Option<&Text>, words: &str) {
        let Some(brace) = first_brace(words) else {
            return;
        };
        // A title's braces are said once, where the title stands.
        if text.is_some() && first_brace(&raw.bulletin.title) == Some(brace) {
            return;
        }
        // One brace alone stands in every template; only the whole name shows the place.
        let found = text
            .filter(|_| brace.len() > 1)
            .and_then(|text| Some(text.part(find(&text.value, brace)?)));
        let at = found.or_else(|| text.map(|text| text.place.clone()));
        let help = if text.is_some() {
            "L067-help"
        } else {
            "L067-help-title"
        };
        self.report(
            Diagnostic::new(Code::StrayBrace, at.unwrap_or_else(|| raw.at.clone()))
                .with("part", Arg::Word(part.to_owned()))
                .with("brace", brace)
                .help(Phrase::new(help)),
        );
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
            if name == "value"
                && let Some(contact) = self.unverified_before(&place)
            {
                let help = Phrase::new("L061-help-unverified").with("contact", contact);
                return Diagnostic::new(Code::UndefinedName, place)
                    .with("name", name.as_str())
                    .help(help);
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

    /// The mistake of `contact["id"]` at `place`, if there is no contact of that id.
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
        if contacts.contains_key(id) {
            return None;
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

/// Where `wanted` stands in `text`.
fn find(text: &str, wanted: &str) -> Option<Range<usize>> {
    text.find(wanted).map(|at| at..at + wanted.len())
}

/// The first brace in `words`, with what stands in it if that is short.
fn first_brace(words: &str) -> Option<&str> {
    let rest = &words[words.find(['{', '}'])?..];
    let close = rest.find('}').unwrap_or(0);
    let end = rest[close..]
        .find(|c| c != '}')
        .map_or(rest.len(), |after| close + after);
    Some(&rest[..if (1..=40).contains(&end) { end } else { 1 }])
}

/// What the part is called in a sentence.
pub(super) fn part_word(part: BodyPart) -> &'static str {
    match part {
        BodyPart::Script => "part-script",
        BodyPart::Turn(_) => "part-dialogue",
        BodyPart::ArticleBody => "part-article",
        BodyPart::ArticleSummary => "part-summary",
        BodyPart::Message => "part-message",
        BodyPart::Sign => "part-sign",
        BodyPart::Correction => "part-correction",
    }
}
