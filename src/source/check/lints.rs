//! What `crate::lint` finds in the words of a bulletin, at its place in the files: once, however many wards hear it, with
//! the ward where it is worst.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place, Severity},
    domain::{
        id::WardId,
        lint::{Level, Rule},
        ward::Ward,
        workspace::Workspace,
    },
    lint::{
        About, Finding, Judged, judge_article, judge_correction, judge_message, judge_record,
        judge_script, judge_sign, judge_summary, judge_title,
    },
    render::BodyPart,
    source::{notebook::Notebook, raw::bulletin::RawBulletin, text::Text},
    speech::Speech,
};

use super::{locate::locate, words::part_word};

/// What a bulletin's parts say, ward by ward.
pub(super) type Rendered<'w> = BTreeMap<BodyPart, Vec<(&'w Ward, String)>>;

/// A code and a place: two findings there are one mistake.
type Spot = (String, usize, Code);

/// Judges bulletins and collects what is found.
#[derive(Debug)]
pub(super) struct Lints<'w> {
    workspace: &'w Workspace,
    templates: &'w BTreeMap<String, Text>,
    found: BTreeMap<Spot, (usize, Diagnostic)>,
}

impl<'w> Lints<'w> {
    pub(super) fn new(workspace: &'w Workspace, templates: &'w BTreeMap<String, Text>) -> Self {
        Self {
            workspace,
            templates,
            found: BTreeMap::new(),
        }
    }

    /// Judges one bulletin by what its file and its words say.
    pub(super) fn judge(&mut self, raw: &RawBulletin, rendered: &Rendered<'_>, speech: &Speech) {
        let settings = &self.workspace.settings.lint;
        if Rule::ALL
            .into_iter()
            .all(|rule| settings.level(rule) == Level::Off)
        {
            return;
        }
        let limits = &settings.limits;
        for finding in judge_title(&raw.bulletin.title, limits) {
            self.take(raw, "part-title", &[], None, &finding);
        }
        for finding in judge_record(&raw.bulletin, limits) {
            self.take(raw, "part-title", &[], None, &finding);
        }
        let priority = raw.bulletin.priority;
        let mut judged = Judged::default();
        for (ward, words) in script(rendered) {
            let texts = texts(raw, |part| {
                matches!(part, BodyPart::Script | BodyPart::Turn(_))
            });
            for finding in judge_script(&words, priority, limits, speech, &mut judged) {
                self.take(raw, "part-script", &texts, Some(ward), &finding);
            }
        }
        for (part, all) in rendered {
            let texts = texts(raw, |other| other == part);
            let mut judged = Judged::default();
            for (ward, words) in all {
                let found = match part {
                    BodyPart::Script | BodyPart::Turn(_) => continue,
                    BodyPart::ArticleBody | BodyPart::PictureAlt => judge_article(words),
                    BodyPart::ArticleSummary => judge_summary(words, limits),
                    BodyPart::Message => judge_message(words, limits),
                    BodyPart::Sign => judge_sign(words, limits),
                    BodyPart::Correction => judge_correction(words, limits, speech, &mut judged),
                };
                for finding in found {
                    self.take(raw, part_word(*part), &texts, Some(ward), &finding);
                }
            }
        }
    }

    /// Reports what was found, each once. What seems to be missing may stand there and be unreadable, or under a misspelt key:
    /// that is reported already.
    pub(super) fn report(self, notebook: &Notebook) {
        const MISSING: [Code; 4] = [
            Code::NoExpiry,
            Code::NoCorrection,
            Code::NoSummary,
            Code::NoClaims,
        ];
        const SLIPS: [Code; 3] = [Code::UnknownKey, Code::WrongType, Code::BadDate];
        for (_, found) in self.found.into_values() {
            let path = found.at.file.path();
            if !MISSING.contains(&found.code) || !notebook.has_any_in(path, &SLIPS) {
                notebook.report(found);
            }
        }
    }

    /// Takes over what was found elsewhere; at one place the worst is kept, of equals the one that is here.
    pub(super) fn join(&mut self, others: Self) {
        for (spot, (count, diagnostic)) in others.found {
            if !self.has_as_bad(&spot, count) {
                self.found.insert(spot, (count, diagnostic));
            }
        }
    }

    fn has_as_bad(&self, spot: &Spot, count: usize) -> bool {
        let known = self.found.get(spot);
        known.is_some_and(|(known, _)| *known >= count)
    }

    fn take(
        &mut self,
        raw: &RawBulletin,
        part: &'static str,
        texts: &[&Text],
        ward: Option<&Ward>,
        finding: &Finding,
    ) {
        let severity = match self.workspace.settings.lint.level(finding.rule) {
            Level::Off => return,
            Level::Warning => Severity::Warning,
            Level::Error => Severity::Error,
        };
        let at = self.place(raw, texts, finding);
        let (code, help) = code(finding.rule);
        let spot = (at.file.path().to_owned(), at.start, code);
        if self.has_as_bad(&spot, finding.count) {
            return;
        }
        let words = match &finding.about {
            About::Words(words) => words.as_str(),
            _ => "",
        };
        let mut diagnostic = Diagnostic::new(code, at)
            .with("part", Arg::Word(part.to_owned()))
            .with("bulletin", raw.bulletin.id.as_str())
            .with("words", words.replace('\n', " "))
            .with("ward", ward.map_or("", |ward| ward.name.as_str()))
            .with("count", finding.count)
            .with("limit", finding.limit)
            .help(Phrase::new(help).with("limit", finding.limit));
        diagnostic.severity = severity;
        self.found.insert(spot, (finding.count, diagnostic));
    }

    /// Where the finding stands: in the bulletin's file, or in a shared template that brought the words in.
    fn place(&self, raw: &RawBulletin, texts: &[&Text], finding: &Finding) -> Place {
        let edge = |text: Option<&&Text>, last| text.map(|text| edge(text, last));
        let place = match &finding.about {
            About::Words(words) => locate(self.workspace, texts, self.templates, words)
                .or_else(|| texts.first().map(|text| text.place.clone())),
            About::Beginning => edge(texts.first(), false),
            About::End => edge(texts.last(), true),
            About::Validity => raw.valid.clone(),
            About::Claims => raw.claims_at.clone(),
            About::Claim(index) => raw.claims.get(*index).cloned(),
            About::Whole if finding.rule == Rule::NoSummary => raw.article.clone(),
            About::Whole => texts.first().map(|text| text.place.clone()),
        };
        place.unwrap_or_else(|| raw.at.clone())
    }
}

/// The script as it is read, ward by ward: of a dialogue, all turns in one.
fn script<'r>(rendered: &'r Rendered<'_>) -> Vec<(&'r Ward, String)> {
    let mut all: BTreeMap<&WardId, (&Ward, String)> = BTreeMap::new();
    for words in rendered
        .iter()
        .filter(|(part, _)| matches!(part, BodyPart::Script | BodyPart::Turn(_)))
        .map(|(_, words)| words)
    {
        for (ward, words) in words {
            all.entry(&ward.id)
                .and_modify(|(_, script)| script.extend(["\n\n", words]))
                .or_insert_with(|| (ward, words.clone()));
        }
    }
    all.into_values().collect()
}

fn texts(raw: &RawBulletin, is_meant: impl Fn(&BodyPart) -> bool) -> Vec<&Text> {
    raw.parts
        .iter()
        .filter(|(part, _)| is_meant(part))
        .map(|(_, text)| text)
        .collect()
}

/// The first or the last line of a text that has something in it.
fn edge(text: &Text, last: bool) -> Place {
    let value = &text.value;
    let mut lines = value.lines().filter(|line| !line.trim().is_empty());
    let line = if last {
        lines.next_back()
    } else {
        lines.next()
    };
    let range = line.map(|line| {
        let line = line.trim();
        let start = line.as_ptr() as usize - value.as_ptr() as usize;
        start..start + line.len()
    });
    range.map_or_else(|| text.place.clone(), |range| text.part(range))
}

fn code(rule: Rule) -> (Code, &'static str) {
    match rule {
        Rule::SentenceTooLong => (Code::SentenceTooLong, "L130-help"),
        Rule::NumberNotRepeated => (Code::NumberNotRepeated, "L131-help"),
        Rule::NoGreeting => (Code::NoGreeting, "L132-help"),
        Rule::NoSignOff => (Code::NoSignOff, "L133-help"),
        Rule::ClickHere => (Code::ClickHere, "L134-help"),
        Rule::MessageTooLong => (Code::MessageTooLong, "L135-help"),
        Rule::SignTooLong => (Code::SignTooLong, "L136-help"),
        Rule::NoCorrection => (Code::NoCorrection, "L137-help"),
        Rule::NoExpiry => (Code::NoExpiry, "L138-help"),
        Rule::ExpiryTooFar => (Code::ExpiryTooFar, "L139-help"),
        Rule::TitleTooLong => (Code::TitleTooLong, "L140-help"),
        Rule::SummaryTooLong => (Code::SummaryTooLong, "L141-help"),
        Rule::Shouting => (Code::Shouting, "L142-help"),
        Rule::NoSummary => (Code::NoSummary, "L143-help"),
        Rule::ClaimWithoutSource => (Code::ClaimWithoutSource, "L144-help"),
        Rule::NoClaims => (Code::NoClaims, "L145-help"),
        // See `approvals`: it knows schedules, too.
        Rule::NoEditors => (Code::NoEditors, "L164-help"),
    }
}
