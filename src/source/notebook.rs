//! What is collected while files are read: mistakes, names, and who refers to them.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashSet},
};

use super::similar::nearest;
use crate::diagnostic::{Code, Diagnostic, Phrase, Place, Severity};

/// What other files may refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Named {
    Ward,
    Channel,
    Bulletin,
    Topic,
    Contact,
    Recipe,
    Template,
    Schedule,
    Day,
    Reading,
    Recording,
    Picture,
    Rule,
}

impl Named {
    fn unknown(self) -> Code {
        match self {
            Self::Ward => Code::UnknownWard,
            Self::Schedule => Code::UnknownSchedule,
            // Nothing refers to days, readings and rules.
            Self::Channel | Self::Day | Self::Reading | Self::Rule => Code::UnknownChannel,
            Self::Bulletin => Code::UnknownBulletin,
            Self::Topic => Code::UnknownTopic,
            Self::Contact => Code::UnknownContact,
            Self::Recipe => Code::UnknownRecipe,
            Self::Template => Code::UnknownTemplate,
            Self::Recording => Code::UnknownRecording,
            Self::Picture => Code::UnknownPicture,
        }
    }

    /// The one file in which names of this sort are defined.
    fn file(self) -> Option<&'static str> {
        match self {
            Self::Topic => Some("content/topics.yaml"),
            Self::Contact => Some("content/contacts.yaml"),
            Self::Ward => Some("channels/wards.yaml"),
            _ => None,
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Ward => "L020-help",
            Self::Channel | Self::Day | Self::Reading | Self::Rule => "L021-help",
            Self::Schedule => "L028-help",
            Self::Bulletin => "L022-help",
            Self::Topic => "L023-help",
            Self::Contact => "L024-help",
            Self::Recipe => "L025-help",
            Self::Template => "L026-help",
            Self::Recording => "L120-help",
            Self::Picture => "L270-help",
        }
    }
}

/// What people call a thing, for suggestions, and where it is defined.
type Definition = (Option<String>, Place);

/// What is collected while files are read: mistakes, names, and who refers to them.
#[derive(Debug, Default)]
pub(super) struct Notebook {
    report: RefCell<Vec<Diagnostic>>,
    names: RefCell<BTreeMap<(Named, String), Definition>>,
    references: RefCell<Vec<(Named, String, Place)>>,
    gaps: RefCell<BTreeSet<Named>>,
}

impl Notebook {
    /// Takes a mistake down.
    pub(super) fn report(&self, diagnostic: Diagnostic) {
        self.report.borrow_mut().push(diagnostic);
    }

    /// Runs something that reports into a list.
    pub(super) fn collect<T>(&self, work: impl FnOnce(&mut Vec<Diagnostic>) -> T) -> T {
        work(&mut self.report.borrow_mut())
    }

    /// Remembers a name; a second one of the same sort is a mistake.
    pub(super) fn define(&self, sort: Named, id: &str, name: Option<&str>, place: &Place) {
        let mut names = self.names.borrow_mut();
        let Some((_, first)) = names.get(&(sort, id.to_owned())) else {
            names.insert(
                (sort, id.to_owned()),
                (name.map(str::to_owned), place.clone()),
            );
            return;
        };
        // Twice in one map is already reported as a key that came twice.
        if first.file.path() != place.file.path() {
            let duplicate = Diagnostic::new(Code::DuplicateId, place.clone())
                .with("id", id)
                .help(Phrase::new("L018-help"))
                .note(first.clone(), Phrase::new("note-first"));
            self.report(duplicate);
        }
    }

    /// Remembers a name whose file could not be read, so that nobody is told it does not exist.
    pub(super) fn expect(&self, sort: Named, id: &str) {
        self.names
            .borrow_mut()
            .entry((sort, id.to_owned()))
            .or_insert_with(|| (None, Place::absent(id)));
    }

    /// Remembers that `id` is referred to at `place`.
    pub(super) fn refer(&self, sort: Named, id: &str, place: &Place) {
        self.references
            .borrow_mut()
            .push((sort, id.to_owned(), place.clone()));
    }

    /// Where the file at `path` refers to `id`, the first time.
    pub(super) fn reference_in(&self, sort: Named, id: &str, path: &str) -> Option<Place> {
        let references = self.references.borrow();
        let found = references
            .iter()
            .find(|(of, name, place)| *of == sort && name == id && place.file.path() == path);
        found.map(|(.., place)| place.clone())
    }

    /// Notes that a file with such names could not be read: others may be right to refer to them.
    pub(super) fn gap(&self, sort: Named) {
        self.gaps.borrow_mut().insert(sort);
    }

    /// Whether names of this sort may be missing through no fault of those who refer to them.
    pub(super) fn has_gap(&self, sort: Named) -> bool {
        self.gaps.borrow().contains(&sort)
    }

    /// Whether there is such a name.
    pub(super) fn knows(&self, sort: Named, id: &str) -> bool {
        self.names.borrow().contains_key(&(sort, id.to_owned()))
    }

    /// Reports every reference to a name that nobody defined.
    pub(super) fn resolve(&self) {
        let names = self.names.borrow();
        let references = self.references.borrow();
        // Where a whole file is missing, every reference would say so: the first one says it for all.
        let mut missing: BTreeMap<Named, (&Place, usize)> = BTreeMap::new();
        for (sort, id, place) in references.iter() {
            if self.has_gap(*sort) || names.contains_key(&(*sort, id.clone())) {
                continue;
            }
            if sort.file().is_some() && !names.keys().any(|(of, _)| of == sort) {
                let (first, count) = missing.entry(*sort).or_insert((place, 0));
                *count += 1;
                if (place.file.path(), place.start) < (first.file.path(), first.start) {
                    *first = place;
                }
                continue;
            }
            let known = names.iter().filter(|((of, _), _)| of == sort);
            let near = nearest(
                id,
                known.map(|((_, id), (name, _))| (id.as_str(), name.as_deref())),
            );
            let diagnostic = Diagnostic::new(sort.unknown(), place.clone())
                .with("id", id.as_str())
                .help(near.map_or(Phrase::new(sort.help()), did_you_mean));
            self.report(diagnostic);
        }
        for (sort, (first, count)) in missing {
            let written = references
                .iter()
                .find(|(of, _, place)| *of == sort && place == first);
            let (Some((_, id, _)), Some(path)) = (written, sort.file()) else {
                continue;
            };
            let help = Phrase::new("help-none-of-sort")
                .with("path", path)
                .with("count", count);
            let diagnostic = Diagnostic::new(sort.unknown(), first.clone())
                .with("id", id.as_str())
                .help(help);
            self.report(diagnostic);
        }
    }

    /// All mistakes.
    pub(super) fn into_report(self) -> Vec<Diagnostic> {
        self.report.into_inner()
    }

    /// Where errors were reported so far: paths and first bytes.
    pub(super) fn error_places(&self) -> HashSet<(String, usize)> {
        let report = self.report.borrow();
        let errors = report
            .iter()
            .filter(|found| found.severity == Severity::Error);
        errors
            .map(|found| (found.at.file.path().to_owned(), found.at.start))
            .collect()
    }

    /// Whether one of these mistakes was found in the file at `path`.
    pub(super) fn has_any_in(&self, path: &str, codes: &[Code]) -> bool {
        self.report
            .borrow()
            .iter()
            .any(|found| codes.contains(&found.code) && found.at.file.path() == path)
    }

    /// Whether an error in the file at `path` was reported so far.
    pub(super) fn has_errors_in(&self, path: &str) -> bool {
        let report = self.report.borrow();
        report
            .iter()
            .any(|found| found.severity == Severity::Error && found.at.file.path() == path)
    }
}

/// The help that names the nearest known name.
pub(super) fn did_you_mean(name: &str) -> Phrase {
    Phrase::new("help-nearest").with("name", name)
}
