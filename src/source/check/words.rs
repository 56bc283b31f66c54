//! Templates and what comes out of them: that they are templates, name only what exists, say something for every ward,
//! and carry no telephone number or site that nobody verified.
//!
//! Bulletins are judged beside each other on all processors. That needs templates that nothing is taken out of; a bulletin
//! that does not come out for some ward is judged again afterwards, in its turn, by [`Mending`].

mod mending;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    convert::Infallible,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Range,
};

use chrono::NaiveDate;

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase},
    domain::{
        airtime::{Heard, Lengths},
        bulletin::{Bulletin, Format},
        id::WardId,
        ward::Ward,
        workspace::Workspace,
    },
    render::{BodyPart, Renderer},
    source::{
        abreast::abreast,
        notebook::{Named, Notebook},
        raw::bulletin::RawBulletin,
        text::Text,
    },
    speech,
    template::MENDED,
};

use super::{
    contacts::{Contacts, unverified},
    lengths,
    lints::{Lints, Rendered},
    recordings::Recordings,
    spoken::Spoken,
};
use mending::Mending;

/// Checks all words, and measures how long they are.
pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    bulletins: &[RawBulletin],
    templates: &BTreeMap<String, Text>,
    recordings: &Recordings,
    day: Option<NaiveDate>,
) -> Lengths {
    let (mut renderer, problems) = Renderer::for_check(workspace);
    let mut mending = Mending::new(notebook, workspace, bulletins, templates, &problems);
    let spoken = Spoken::new(notebook, workspace, templates);
    let desk = Desk {
        workspace,
        templates,
        recordings,
        contacts: (!notebook.has_gap(Named::Contact))
            .then(|| Contacts::new(workspace, templates, day)),
        // Where the wards cannot be read, the city stands for all of them.
        needs_stand_in: workspace.wards.is_empty() && notebook.has_gap(Named::Ward),
    };
    // Broken, or including what is broken: said already, and no reason to leave the others unchecked.
    let whole = |renderer: &Renderer, raw: &RawBulletin| -> BTreeSet<BodyPart> {
        let parts = raw.parts.keys().copied();
        parts
            .filter(|part| renderer.has(&raw.bulletin.id, *part))
            .collect()
    };
    let judged = abreast(
        bulletins,
        || spoken.clone(),
        |spoken, raw| {
            let parts = whole(&renderer, raw);
            desk.judge(raw, &parts, spoken, |ward, part, _| {
                let words = renderer.part(workspace, &raw.bulletin, ward, part);
                words.map(Some)
            })
        },
    );
    let mut lints = Lints::new(workspace, templates);
    let mut lengths = Lengths::default();
    for (raw, judged) in bulletins.iter().zip(judged) {
        let judgement = judged.unwrap_or_else(|_| {
            let parts = whole(&renderer, raw);
            let Ok(judgement) = desk.judge(raw, &parts, &spoken, |ward, part, text| {
                Ok::<_, Infallible>(mending.words(&mut renderer, raw, ward, part, text))
            });
            judgement
        });
        for diagnostic in judgement.once.found {
            mending.once.take(diagnostic);
        }
        for diagnostic in judgement.notebook.into_report() {
            notebook.report(diagnostic);
        }
        lints.join(judgement.lints);
        if let Some(heard) = judgement.heard {
            lengths.insert(raw.bulletin.id.clone(), heard);
        }
    }
    for diagnostic in mending.once.found {
        notebook.report(diagnostic);
    }
    lints.report(notebook);
    lengths
}

/// The name under which the renderer knows a bulletin's part.
fn template_name(bulletin: &Bulletin, part: BodyPart) -> String {
    format!("{}/{}", bulletin.id, part.path())
}

/// Mistakes of which there is one at a place, and not one for every ward.
#[derive(Debug, Default)]
struct Once {
    seen: BTreeSet<(Code, String, usize)>,
    found: Vec<Diagnostic>,
}

impl Once {
    fn take(&mut self, diagnostic: Diagnostic) {
        let key = (
            diagnostic.code,
            diagnostic.at.file.path().to_owned(),
            diagnostic.at.start,
        );
        if self.seen.insert(key) {
            self.found.push(diagnostic);
        }
    }
}

/// What is to be said of one bulletin.
struct Judgement<'a> {
    once: Once,
    /// Everything else.
    notebook: Notebook,
    lints: Lints<'a>,
    heard: Option<Heard>,
}

/// What words are judged by.
struct Desk<'a> {
    workspace: &'a Workspace,
    templates: &'a BTreeMap<String, Text>,
    recordings: &'a Recordings,
    contacts: Option<Contacts<'a>>,
    needs_stand_in: bool,
}

impl<'a> Desk<'a> {
    /// Judges a bulletin by what `words` gives for each ward and each of its `whole` parts, and gives up when that fails.
    fn judge<E>(
        &self,
        raw: &RawBulletin,
        whole: &BTreeSet<BodyPart>,
        spoken: &Spoken<'_>,
        mut words: impl FnMut(&'a Ward, BodyPart, &Text) -> Result<Option<String>, E>,
    ) -> Result<Judgement<'a>, E> {
        let mut judgement = Judgement {
            once: Once::default(),
            notebook: Notebook::default(),
            lints: Lints::new(self.workspace, self.templates),
            heard: None,
        };
        let mut rendered = Rendered::new();
        let said = &mut judgement;
        said.once
            .braces(raw, "part-title", None, &raw.bulletin.title);
        for diagnostic in spoken.check_title(&raw.at, &raw.bulletin.title) {
            said.once.take(diagnostic);
        }
        if let Some(contacts) = &self.contacts {
            contacts.check_listed(&said.notebook, raw);
            contacts.check_title(&said.notebook, raw);
        }
        for (part, text) in raw.parts.iter().filter(|(part, _)| whole.contains(part)) {
            let words = self.part(said, spoken, raw, (*part, text), &mut words)?;
            rendered.insert(*part, words);
        }
        if let Some(contacts) = &self.contacts {
            dialogue(&said.notebook, contacts, raw, &rendered);
            // Words that do not come out could hold what an exception is for.
            let is_whole = raw.parts.keys().all(|part| {
                let words = rendered.get(part);
                words.is_some_and(|words| words.len() == self.areas(part.format()).len())
            });
            if is_whole {
                contacts.check_exceptions(&said.notebook, raw);
            }
        }
        judgement.lints.judge(raw, &rendered, spoken.speech());
        judgement.heard = lengths::measure(raw, &rendered, self.recordings, spoken.speech());
        Ok(judgement)
    }

    /// Judges one part for every ward; gives the words.
    fn part<E>(
        &self,
        said: &mut Judgement<'a>,
        spoken: &Spoken<'_>,
        raw: &RawBulletin,
        (part, text): (BodyPart, &Text),
        words: &mut impl FnMut(&'a Ward, BodyPart, &Text) -> Result<Option<String>, E>,
    ) -> Result<Vec<(&'a Ward, String)>, E> {
        let mut all = Vec::new();
        let mut known = HashSet::new();
        let mut gone_through = HashSet::new();
        let is_spoken = matches!(
            part,
            BodyPart::Script | BodyPart::Turn(_) | BodyPart::Correction
        );
        let name = part_word(part);
        for ward in self.areas(part.format()) {
            let Some(words) = words(ward, part, text)? else {
                continue;
            };
            for (chunk, fresh) in fresh_chunks(&words, &mut known) {
                if let Some(contacts) = &self.contacts {
                    let (notebook, speech) = (&said.notebook, spoken.speech());
                    if is_spoken {
                        contacts.check_spoken(notebook, raw, name, text, &chunk, speech);
                    } else {
                        contacts.check_words(notebook, raw, name, Some(text), &chunk);
                    }
                }
                for line in fresh {
                    said.once.braces(raw, name, Some(text), line);
                }
            }
            // Nobody has to say or to read what was taken out.
            let passages = speech::passages(&words)
                .filter(|passage| !passage.contains(MENDED) && first_brace(passage).is_none());
            for passage in passages {
                if !gone_through.contains(passage) {
                    gone_through.insert(passage.to_owned());
                    for diagnostic in spoken.check(name, text, passage, is_spoken) {
                        said.once.take(diagnostic);
                    }
                }
            }
            // What was taken out of is not what anybody will hear.
            if !words.contains(MENDED) {
                all.push((ward, words));
            }
        }
        Ok(all)
    }

    /// Where words of `format` can go: every ward, and the city where it has a channel of its own for them. Not every
    /// bulletin speaks to it.
    fn areas(&self, format: Option<Format>) -> Vec<&'a Ward> {
        let city = &self.workspace.settings.city;
        let has_channel = self.workspace.channels.values().any(|channel| {
            channel.ward == city.id && format.is_none_or(|format| format == channel.format)
        });
        (has_channel || self.needs_stand_in)
            .then_some(city)
            .into_iter()
            .chain(self.workspace.wards.values())
            .collect()
    }
}

/// Checks a dialogue as a whole: a number can begin in one turn and go on in the next.
fn dialogue(
    notebook: &Notebook,
    contacts: &Contacts<'_>,
    raw: &RawBulletin,
    rendered: &Rendered<'_>,
) {
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
            contacts.check_words(notebook, raw, name, Some(first), &chunk);
        }
    }
}

impl Once {
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
        self.take(
            Diagnostic::new(Code::StrayBrace, at.unwrap_or_else(|| raw.at.clone()))
                .with("part", Arg::Word(part.to_owned()))
                .with("brace", brace)
                .help(Phrase::new(help)),
        );
    }
}

/// The stretches of `words` that are not known yet, each with its new lines and their neighbours. Most lines are the same in
/// every ward. What counts is where two lines meet, because a number may be broken over them.
fn fresh_chunks<'w>(words: &'w str, known: &mut HashSet<u64>) -> Vec<(String, Vec<&'w str>)> {
    /// Lines beyond the two that meet, which a number may go on in: so two on either side of a new line.
    const AROUND: usize = 1;
    let lines: Vec<&str> = words.lines().collect();
    let meets: Vec<bool> = (0..=lines.len())
        .map(|at| {
            let mut hasher = DefaultHasher::new();
            let before = at.checked_sub(1).and_then(|before| lines.get(before));
            (before, lines.get(at)).hash(&mut hasher);
            known.insert(hasher.finish())
        })
        .collect();
    let is_fresh = |at: usize| meets[at] || meets[at + 1];
    let mut chunks = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if !is_fresh(at) {
            at += 1;
            continue;
        }
        let length = (at..lines.len()).take_while(|at| is_fresh(*at)).count();
        let end = (at + length + AROUND).min(lines.len());
        let chunk = lines[at.saturating_sub(AROUND)..end].join("\n");
        chunks.push((chunk, lines[at..at + length].to_vec()));
        at += length;
    }
    chunks
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
        BodyPart::PictureAlt => "part-picture",
        BodyPart::Message => "part-message",
        BodyPart::Sign => "part-sign",
        BodyPart::Correction => "part-correction",
    }
}
