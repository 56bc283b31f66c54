//! What is spoken is read aloud here, on paper: every passage of every script, turn and correction, as every ward hears it.
//! What a voice could not say is reported where it stands, in the bulletin or in the shared template that brought it in. What is
//! only read is gone through too, for the slips that eyes stumble over as well.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place},
    domain::workspace::Workspace,
    source::{
        notebook::{Named, Notebook},
        text::Text,
    },
    speech::{Problem, ProblemKind, Speech},
};

/// Reads passages aloud.
#[derive(Debug, Clone)]
pub(super) struct Spoken<'w> {
    speech: Speech,
    templates: &'w BTreeMap<String, Text>,
    /// Whether readings are missing only because their file could not be read.
    has_gap: bool,
}

impl<'w> Spoken<'w> {
    pub(super) fn new(
        notebook: &Notebook,
        workspace: &Workspace,
        templates: &'w BTreeMap<String, Text>,
    ) -> Self {
        Self {
            speech: Speech::new(&workspace.readings, workspace.settings.speech.dialect),
            templates,
            has_gap: notebook.has_gap(Named::Reading),
        }
    }

    /// How passages are read.
    pub(super) fn speech(&self) -> &Speech {
        &self.speech
    }

    /// What is wrong with one passage of the words that come from `text`, and that a voice has to say where they are `heard`.
    pub(super) fn check(
        &self,
        part: &str,
        text: &Text,
        passage: &str,
        heard: bool,
    ) -> Vec<Diagnostic> {
        self.problems(passage, heard)
            .map(|problem| told(part, self.place(text, &problem), &problem))
            .collect()
    }

    /// What is wrong with a title, which stands at `at` and is only read.
    pub(super) fn check_title(&self, at: &Place, title: &str) -> Vec<Diagnostic> {
        self.problems(title, false)
            .map(|problem| told("part-title", at.clone(), &problem))
            .collect()
    }

    fn problems(&self, passage: &str, heard: bool) -> impl Iterator<Item = Problem> {
        let problems = self.speech.read(passage).problems.into_iter();
        problems
            .filter(move |problem| heard || stops_eyes(problem.kind))
            .filter(|problem| !self.has_gap || !needs_reading(problem.kind))
    }

    /// Where the trouble stands: in the part itself, in a shared template, or somewhere in what was filled in.
    fn place(&self, text: &Text, problem: &Problem) -> Place {
        if let Some(range) = find(&text.value, problem) {
            return text.part(range);
        }
        let mut included = self
            .templates
            .iter()
            .filter(|(name, _)| text.value.contains(name.as_str()));
        included
            .find_map(|(_, shared)| Some(shared.part(find(&shared.value, problem)?)))
            .unwrap_or_else(|| text.place.clone())
    }
}

/// What is wrong for readers, too. An abbreviation, a foreign word or a sign they can look at.
fn stops_eyes(kind: ProblemKind) -> bool {
    match kind {
        ProblemKind::LookAlike
        | ProblemKind::LegacyEncoding
        | ProblemKind::Placeholder
        | ProblemKind::Unaccented
        | ProblemKind::Impossible => true,
        ProblemKind::UnknownAbbreviation
        | ProblemKind::UnknownWord
        | ProblemKind::NoSound
        | ProblemKind::UnknownAddress
        | ProblemKind::Ambiguous => false,
    }
}

fn told(part: &str, at: Place, problem: &Problem) -> Diagnostic {
    let (code, help) = code(problem.kind);
    Diagnostic::new(code, at)
        .with("part", Arg::Word(part.to_owned()))
        .with("text", problem.token.as_str())
        .help(Phrase::new(help))
}

fn needs_reading(kind: ProblemKind) -> bool {
    matches!(
        kind,
        ProblemKind::UnknownAbbreviation | ProblemKind::UnknownWord | ProblemKind::UnknownAddress
    )
}

fn code(kind: ProblemKind) -> (Code, &'static str) {
    match kind {
        ProblemKind::UnknownAbbreviation => (Code::UnknownAbbreviation, "L110-help"),
        ProblemKind::LookAlike => (Code::LookAlikeLetter, "L111-help"),
        ProblemKind::LegacyEncoding => (Code::LegacyEncoding, "L112-help"),
        ProblemKind::UnknownWord => (Code::UnknownWord, "L113-help"),
        ProblemKind::NoSound => (Code::NoSound, "L114-help"),
        ProblemKind::UnknownAddress => (Code::UnknownAddress, "L115-help"),
        ProblemKind::Placeholder => (Code::Placeholder, "L116-help"),
        ProblemKind::Unaccented => (Code::Unaccented, "L117-help"),
        ProblemKind::Impossible => (Code::Impossible, "L119-help"),
        ProblemKind::Ambiguous => (Code::AmbiguousNumber, "L250-help"),
    }
}

/// Where the token stands as a word of its own, else anywhere.
fn find(text: &str, problem: &Problem) -> Option<Range<usize>> {
    let token = problem.token.as_str();
    let ranges = || {
        text.match_indices(token)
            .map(|(at, _)| at..at + token.len())
    };
    if problem.kind == ProblemKind::LookAlike {
        return ranges().next();
    }
    let is_whole = |range: &Range<usize>| {
        let before = text[..range.start].chars().next_back();
        let after = text[range.end..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    };
    ranges().find(is_whole).or_else(|| ranges().next())
}

/// Checks the editors' readings: what is to be spoken has to be speakable itself.
pub(super) fn check_readings(notebook: &Notebook, spoken: &[Text]) {
    let speech = Speech::default();
    for text in spoken {
        let read = speech.read(&text.value);
        let first = read
            .changes
            .first()
            .map(|change| (change.range.clone(), change.from.clone()))
            .or_else(|| {
                // A reading may be syllables that no Vietnamese word has: xcô.
                let mut problems = read.problems.iter();
                let problem = problems.find(|problem| problem.kind != ProblemKind::UnknownWord)?;
                Some((problem.range.clone(), problem.token.clone()))
            });
        if let Some((range, token)) = first {
            notebook.report(
                Diagnostic::new(Code::BadReading, text.part(range))
                    .with("text", token)
                    .help(Phrase::new("L118-help")),
            );
        }
    }
}
