//! Everything in the words that go out by which people could be led to somebody: only verified contacts, and those that the
//! bulletin lists. A warning against fraud with a wrong number in it would be the fraud.
//!
//! `crate::contacts` finds and judges; here is said where it stands and how to mend it. Without a day nothing is said of
//! what expires: a daemon has to load its files also after that, and judges each broadcast by itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{Days, NaiveDate};

use crate::{
    contacts::{Directory, Found, Kind, Verdict, find, find_aloud},
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place},
    domain::{
        bulletin::NotContact,
        contact::{Contact, Standing},
        id::BulletinId,
        workspace::Workspace,
    },
    source::{
        notebook::Notebook,
        raw::{bulletin::RawBulletin, contact::RawContact},
        text::Text,
    },
    speech::Speech,
};

/// How long before a contact expires it is said.
const NOTICE: Days = Days::new(30);

/// Says which contacts expire soon.
pub(super) fn check_expiry(notebook: &Notebook, contacts: &[RawContact], day: NaiveDate) {
    for RawContact {
        contact,
        expires_at,
    } in contacts
    {
        let Some(verified) = &contact.verified else {
            continue;
        };
        let last = verified.expires.last_day();
        if last >= day && last <= day + NOTICE {
            let diagnostic = Diagnostic::new(Code::ExpiresSoon, expires_at.clone())
                .with("contact", contact.id.as_str())
                .with("day", last.to_string());
            notebook.report(diagnostic.help(Phrase::new("L107-help")));
        }
    }
}

/// Bulletins, each with the place of an exception in its list.
type Used = BTreeSet<(BulletinId, usize)>;

/// Compares words with the workspace's contacts.
#[derive(Debug)]
pub(super) struct Contacts<'w> {
    directory: Directory,
    workspace: &'w Workspace,
    /// Shared templates, which may bring a number into a bulletin.
    templates: &'w BTreeMap<String, Text>,
    day: Option<NaiveDate>,
    /// The exceptions that something was found for.
    used: Mutex<Used>,
}

impl<'w> Contacts<'w> {
    pub(super) fn new(
        workspace: &'w Workspace,
        templates: &'w BTreeMap<String, Text>,
        day: Option<NaiveDate>,
    ) -> Self {
        Self {
            directory: Directory::new(workspace.contacts.values()),
            workspace,
            templates,
            day,
            used: Mutex::default(),
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The day by which contacts of a bulletin are judged: none where it cannot air any more, or nobody knows until when it can.
    fn day_for(&self, raw: &RawBulletin) -> Option<NaiveDate> {
        let until = raw.bulletin.valid.until;
        self.day
            .filter(|day| raw.is_dated && until.is_none_or(|until| until >= *day))
    }

    /// Checks the contacts that a bulletin lists.
    pub(super) fn check_listed(&self, notebook: &Notebook, raw: &RawBulletin) {
        let bulletin = &raw.bulletin;
        for (id, place) in bulletin.contacts.iter().zip(&raw.contacts_at) {
            let Some(contact) = self.workspace.contacts.get(id) else {
                continue;
            };
            match contact.standing(self.day_for(raw)) {
                Standing::Unverified => notebook.report(unverified(contact, place.clone())),
                Standing::Expired => notebook.report(expired(contact, place.clone())),
                Standing::Good => {
                    let last = contact.verified.as_ref().map(|by| by.expires.last_day());
                    if let (Some(last), Some(until)) = (last, bulletin.valid.until)
                        && last < until
                    {
                        let diagnostic = Diagnostic::new(Code::OutlivesContact, place.clone())
                            .with("contact", id.as_str())
                            .with("day", last.to_string())
                            .with("until", until.to_string());
                        notebook.report(diagnostic.help(Phrase::new("L106-help")));
                    }
                }
            }
        }
    }

    /// Checks a bulletin's title, which goes out as it is.
    pub(super) fn check_title(&self, notebook: &Notebook, raw: &RawBulletin) {
        self.check_words(notebook, raw, "part-title", None, &raw.bulletin.title);
    }

    /// Says which exceptions of a bulletin nothing was found for. To be called when all its words were checked.
    pub(super) fn check_exceptions(&self, notebook: &Notebook, raw: &RawBulletin) {
        let used = self.used();
        let exceptions = raw.bulletin.not_contacts.iter().zip(&raw.not_contacts_at);
        for (index, (exception, place)) in exceptions.enumerate() {
            if !used.contains(&(raw.bulletin.id.clone(), index)) {
                let diagnostic = Diagnostic::new(Code::UnusedException, place.clone())
                    .with("text", exception.text.as_str());
                notebook.report(diagnostic.help(Phrase::new("L109-help")));
            }
        }
    }

    /// Checks words of the part that sentences call `part`, which come out of `text`.
    pub(super) fn check_words(
        &self,
        notebook: &Notebook,
        raw: &RawBulletin,
        part: &str,
        text: Option<&Text>,
        words: &str,
    ) {
        let found = find(words);
        self.judge(notebook, raw, part, text, found, &raw.bulletin.not_contacts);
    }

    /// Checks spoken words of the part as they are written and as they sound.
    pub(super) fn check_spoken(
        &self,
        notebook: &Notebook,
        raw: &RawBulletin,
        part: &str,
        text: &Text,
        words: &str,
        speech: &Speech,
    ) {
        let written = find(words);
        let exceptions = &raw.bulletin.not_contacts;
        self.judge(notebook, raw, part, Some(text), written.clone(), exceptions);
        let read = speech.read(words);
        if read.changes.is_empty() {
            return;
        }
        let found = find_aloud(&written, &read.text);
        if found.is_empty() {
            return;
        }
        let exceptions = speech.exceptions(exceptions);
        self.judge(notebook, raw, part, Some(text), found, &exceptions);
    }

    fn judge(
        &self,
        notebook: &Notebook,
        raw: &RawBulletin,
        part: &str,
        text: Option<&Text>,
        all: Vec<Found>,
        exceptions: &[NotContact],
    ) {
        let bulletin = &raw.bulletin;
        for found in all {
            let verdict = self.directory.judge(&found, exceptions, self.day_for(raw));
            let value = found
                .written
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            let (code, help) = match &verdict {
                Verdict::Excepted(exception) => {
                    let index = exceptions
                        .iter()
                        .position(|other| std::ptr::eq(other, *exception));
                    if let Some(index) = index {
                        self.used().insert((bulletin.id.clone(), index));
                    }
                    continue;
                }
                Verdict::Verified(contact) if bulletin.contacts.contains(&contact.id) => continue,
                Verdict::Verified(_) => (Code::Unlisted, "L065-help"),
                Verdict::Unverified(_) => (Code::Unverified, "L064-help"),
                Verdict::Expired(contact) => {
                    let (at, note) = self.place(raw, text, &found);
                    notebook.report(noted(expired(contact, at), note));
                    continue;
                }
                Verdict::Imitation(_) => (Code::Imitation, "L104-help"),
                Verdict::Misleading if found.kind == Kind::Turned => {
                    (Code::Imitation, "L104-help-turned")
                }
                Verdict::Misleading => (Code::Imitation, "L104-help-link"),
                Verdict::Unknown => match found.kind {
                    Kind::Phone | Kind::ShortCode => (Code::StrayNumber, "L066-help"),
                    Kind::Site | Kind::Link | Kind::ShortLink | Kind::Email => {
                        (Code::StraySite, "L101-help")
                    }
                    Kind::BankAccount => (Code::StrayAccount, "L102-help"),
                    Kind::Oa => (Code::StrayOa, "L103-help"),
                    Kind::Turned => (Code::Imitation, "L104-help-turned"),
                },
            };
            // A verified number or name, used as something that nobody verified.
            let namesake = match verdict {
                Verdict::Unknown => self.directory.namesake(&found),
                _ => None,
            };
            let help = match (namesake, found.kind) {
                (Some(_), Kind::Phone | Kind::ShortCode) => "L066-help-used",
                (Some(_), Kind::Oa) => "L103-help-service",
                _ => help,
            };
            let (at, note) = self.place(raw, text, &found);
            let mut help = Phrase::new(help);
            let mut diagnostic = Diagnostic::new(code, at)
                .with("part", Arg::Word(part.to_owned()))
                .with("value", value.as_str());
            if code == Code::Imitation {
                let problem = match verdict.contact() {
                    Some(contact) => {
                        Phrase::new("contact-imitation").with("contact", contact.id.as_str())
                    }
                    None if found.kind == Kind::Turned => Phrase::new("contact-turned"),
                    None => Phrase::new("contact-misleading"),
                };
                diagnostic = diagnostic.with("problem", problem);
            }
            if let Some(contact) = verdict.contact().or(namesake) {
                help = help.with("contact", contact.id.as_str());
                diagnostic = diagnostic.with("contact", contact.id.as_str());
            }
            notebook.report(noted(diagnostic.help(help), note));
        }
    }

    /// Where the words come from. What a shared template or a variable brought in stands nowhere in the bulletin; then
    /// there is a note where it does stand.
    fn place(
        &self,
        raw: &RawBulletin,
        text: Option<&Text>,
        found: &Found,
    ) -> (Place, Option<(Place, Phrase)>) {
        let Some(own) = text else {
            return (raw.at.clone(), None);
        };
        if let Some(range) = again(&own.value, found) {
            return (own.part(range), None);
        }
        let mut included = self
            .templates
            .iter()
            .filter(|(name, _)| own.value.contains(name.as_str()));
        let shared = included.find_map(|(_, text)| Some(text.part(again(&text.value, found)?)));
        (
            own.place.clone(),
            shared.map(|place| (place, Phrase::new("note-template"))),
        )
    }
}

fn noted(diagnostic: Diagnostic, note: Option<(Place, Phrase)>) -> Diagnostic {
    match note {
        Some((place, phrase)) => diagnostic.note(place, phrase),
        None => diagnostic,
    }
}

/// Where `source` says what was found in the words made from it.
fn again(source: &str, found: &Found) -> Option<Range<usize>> {
    let mut same: Vec<Found> = find(source)
        .into_iter()
        .filter(|other| (other.kind, &other.normalised) == (found.kind, &found.normalised))
        .collect();
    // Several spellings of one number have their own places.
    same.sort_by_key(|other| other.written != found.written);
    same.into_iter()
        .next()
        .map(|other| other.range)
        .or_else(|| {
            source
                .find(&found.written)
                .map(|at| at..at + found.written.len())
        })
}

/// A contact that nobody verified, named by its id.
pub(super) fn unverified(contact: &Contact, at: Place) -> Diagnostic {
    Diagnostic::new(Code::UnverifiedContact, at)
        .with("contact", contact.id.as_str())
        .help(Phrase::new("L100-help"))
}

fn expired(contact: &Contact, at: Place) -> Diagnostic {
    let last = contact.verified.as_ref().map(|by| by.expires.last_day());
    Diagnostic::new(Code::ExpiredContact, at)
        .with("contact", contact.id.as_str())
        .with("day", last.map(|day| day.to_string()).unwrap_or_default())
        .help(Phrase::new("L108-help"))
}
