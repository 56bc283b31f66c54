//! Templates and what comes out of them: that they are templates, name only what exists, say something for every ward,
//! and carry no telephone number or site that nobody verified.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Range,
};

use chrono::NaiveDate;

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place},
    domain::{
        airtime::Lengths,
        bulletin::{Bulletin, Format},
        id::WardId,
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
    speech,
    template::{MENDED, TemplateError, TemplateErrorKind},
};

use super::{
    contacts::{Contacts, unverified},
    fault::{describe_template, open_quote, open_tag, template_place},
    lengths,
    lints::{Lints, Rendered},
    recordings::Recordings,
    spoken::Spoken,
};

/// Mistakes in words that are taken out in one run: each costs another look at all templates.
const MOST_MENDS: usize = 500;

/// Checks all words, and measures how long they are.
pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    bulletins: &[RawBulletin],
    templates: &BTreeMap<String, Text>,
    recordings: &Recordings,
    day: Option<NaiveDate>,
) -> Lengths {
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
    let contacts =
        (!notebook.has_gap(Named::Contact)).then(|| Contacts::new(workspace, templates, day));
    let mut lints = Lints::new(workspace, templates, spoken.speech());
    let mut lengths = Lengths::default();
    for raw in bulletins {
        let mut rendered = Rendered::new();
        check.braces(raw, "part-title", None, &raw.bulletin.title);
        if let Some(contacts) = &contacts {
            contacts.check_listed(notebook, raw);
            contacts.check_title(notebook, raw);
        }
        for (part, text) in &raw.parts {
            // Broken, or including what is broken: said already, and no reason to leave the others unchecked.
            if renderer.has(&raw.bulletin.id, *part) {
                let words = check.part(&mut renderer, contacts.as_ref(), &spoken, raw, *part, text);
                rendered.insert(*part, words);
            }
        }
        if let Some(contacts) = &contacts {
            check.dialogue(contacts, raw, &rendered);
            // Words that do not come out could hold what an exception is for.
            let is_whole = raw.parts.keys().all(|part| {
                let words = rendered.get(part);
                words.is_some_and(|words| words.len() == check.areas(part.format()).len())
            });
            if is_whole {
                contacts.check_exceptions(notebook, raw);
            }
        }
        lints.judge(raw, &rendered);
        if let Some(heard) = lengths::measure(raw, &rendered, recordings, spoken.speech()) {
            lengths.insert(raw.bulletin.id.clone(), heard);
        }
    }
    lints.report(notebook);
    lengths
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
        let mut known = HashSet::new();
        let mut aloud = HashSet::new();
        let is_spoken = matches!(
            part,
            BodyPart::Script | BodyPart::Turn(_) | BodyPart::Correction
        );
        let name = part_word(part);
        for ward in self.areas(part.format()) {
            if let Some(words) = self.words(renderer, raw, ward, part, text) {
                for (chunk, fresh) in fresh_chunks(&words, &mut known) {
                    if let Some(contacts) = contacts {
                        let (notebook, speech) = (self.notebook, spoken.speech());
                        if is_spoken {
                            contacts.check_spoken(notebook, raw, name, text, &chunk, speech);
                        } else {
                            contacts.check_words(notebook, raw, name, Some(text), &chunk);
                        }
                    }
                    for line in fresh {
                        self.braces(raw, name, Some(text), line);
                    }
                }
                // No voice has to say what was taken out.
                let passages = speech::passages(&words).filter(|passage| {
                    is_spoken && !passage.contains(MENDED) && first_brace(passage).is_none()
                });
                for passage in passages {
                    if !aloud.contains(passage) {
                        aloud.insert(passage.to_owned());
                        for diagnostic in spoken.check(name, text, passage) {
                            self.report(diagnostic);
                        }
                    }
                }
                // What was taken out of is not what anybody will hear.
                if !words.contains(MENDED) {
                    all.push((ward, words));
                }
            }
        }
        all
    }

    /// Where words of `format` can go: every ward, and the city where it has a channel of its own for them. Not every
    /// bulletin speaks to it.
    fn areas(&self, format: Option<Format>) -> Vec<&'a Ward> {
        let city = &self.workspace.settings.city;
        let has_channel = self.workspace.channels.values().any(|channel| {
            channel.ward == city.id && format.is_none_or(|format| format == channel.format)
        });
        // Where the wards cannot be read, the city stands for all of them.
        let stands_in = self.workspace.wards.is_empty() && self.notebook.has_gap(Named::Ward);
        (has_channel || stands_in)
            .then_some(city)
            .into_iter()
            .chain(self.workspace.wards.values())
            .collect()
    }

    /// Checks a dialogue as a whole: a number can begin in one turn and go on in the next.
    fn dialogue(&self, contacts: &Contacts<'_>, raw: &RawBulletin, rendered: &Rendered<'_>) {
        let is_turn = |part: &BodyPart| matches!(part, BodyPart::Turn(_));
        let Some((_, first)) = raw.parts.iter().find(|(part, _)| is_turn(part)) else {
            return;
        };
        // What fails was said with its part.
        let mut said: BTreeMap<&WardId, Vec<&str>> = BTreeMap::new();
        for (_, words) in rendered.iter().filter(|(part, _)| is_turn(part)) {
            for (ward, words) in words {
                said.entry(&ward.id).or_default().push(words);
            }
        }
        let mut known = HashSet::new();
        for said in said.values() {
            for (chunk, _) in fresh_chunks(&said.join("\n\n"), &mut known) {
                let name = part_word(BodyPart::Turn(0));
                contacts.check_words(self.notebook, raw, name, Some(first), &chunk);
            }
        }
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

/// The stretches of `words` that are not known yet, each with its new lines. Most lines are the same in every ward; a line
/// counts together with its neighbours, because a number may be broken over them.
fn fresh_chunks<'w>(words: &'w str, known: &mut HashSet<u64>) -> Vec<(String, Vec<&'w str>)> {
    /// Lines before and behind, which a number may go on in.
    const AROUND: usize = 2;
    let lines: Vec<&str> = words.lines().collect();
    let line = |at: Option<usize>| at.and_then(|at| lines.get(at));
    let is_fresh: Vec<bool> = (0..lines.len())
        .map(|at| {
            let mut hasher = DefaultHasher::new();
            (line(at.checked_sub(1)), line(Some(at)), line(Some(at + 1))).hash(&mut hasher);
            known.insert(hasher.finish())
        })
        .collect();
    let mut chunks = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if !is_fresh[at] {
            at += 1;
            continue;
        }
        let length = is_fresh[at..].iter().take_while(|fresh| **fresh).count();
        let end = (at + length + AROUND).min(lines.len());
        let chunk = lines[at.saturating_sub(AROUND)..end].join("\n");
        chunks.push((chunk, lines[at..at + length].to_vec()));
        at += length;
    }
    chunks
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
