//! Which of the things found in a text are contacts that may be named on a given day.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::NaiveDate;

use super::{Found, Kind, Manner, Use, account::service, find, numbering::national};
use crate::domain::{
    bulletin::NotContact,
    contact::{Contact, ContactKind, Standing},
    id::ContactId,
};

/// The contacts by what they are reached under.
#[derive(Debug, Default)]
pub struct Directory {
    contacts: Vec<Contact>,
    by_key: HashMap<String, usize>,
    /// Their names and addresses, to look for wards' names in.
    said: Vec<String>,
    /// The contacts that texts name, as far as they were looked for: wards share nearly all their words.
    known: Mutex<HashMap<Box<str>, Vec<ContactId>>>,
}

/// Texts whose contacts are remembered; then all are forgotten.
const REMEMBERED: usize = 1_024;

/// What stands for a ward's name that says nothing.
const NEUTRAL: &str = "Tên";

/// What is to be said of something found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'d> {
    /// A contact that somebody verified and that has not expired.
    Verified(&'d Contact),
    /// A contact that nobody verified.
    Unverified(&'d Contact),
    /// A contact whose verification has expired.
    Expired(&'d Contact),
    /// It only looks like this contact: other letters, or a name with something added.
    Imitation(&'d Contact),
    /// A link that shows one thing and leads to another, or text that shows one thing and says another.
    Misleading,
    /// Nobody knows it.
    Unknown,
    /// The bulletin says that it is no contact, and why.
    Excepted(&'d NotContact),
}

impl Verdict<'_> {
    /// The word used in JSON and in the catalogue.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Verified(_) => "verified",
            Self::Unverified(_) => "unverified",
            Self::Expired(_) => "expired",
            Self::Imitation(_) => "imitation",
            Self::Misleading => "misleading",
            Self::Unknown => "unknown",
            Self::Excepted(_) => "excepted",
        }
    }

    /// Whether it may air.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Verified(_) | Self::Excepted(_))
    }

    /// The contact it is about.
    #[must_use]
    pub fn contact(&self) -> Option<&Contact> {
        match self {
            Self::Verified(contact)
            | Self::Unverified(contact)
            | Self::Expired(contact)
            | Self::Imitation(contact) => Some(contact),
            Self::Misleading | Self::Unknown | Self::Excepted(_) => None,
        }
    }
}

impl Directory {
    /// A directory of `contacts`.
    pub fn new<'c>(contacts: impl IntoIterator<Item = &'c Contact>) -> Self {
        let mut directory = Self::default();
        for contact in contacts {
            let at = directory.contacts.len();
            for key in keys(contact) {
                let known = directory.by_key.get(&key);
                // The same number under two names: one that is verified is enough.
                let is_better = known.is_none_or(|known| {
                    directory.contacts[*known].verified.is_none() && contact.verified.is_some()
                });
                if is_better {
                    directory.by_key.insert(key, at);
                }
            }
            let value = contact.value.as_deref().unwrap_or_default();
            let said = [squeeze(value), squeeze(&contact.name)];
            directory.said.extend(said);
            directory.contacts.push(contact.clone());
        }
        directory
    }

    fn get(&self, key: &str) -> Option<&Contact> {
        self.by_key.get(key).map(|at| &self.contacts[*at])
    }

    /// The contact that `found` is, if it is one and was verified as what people are told to use it for.
    fn contact(&self, found: &Found) -> Option<&Contact> {
        self.namesake(found)
            .filter(|contact| vouches(contact, found))
    }

    /// The contact whose number or name `found` is, whatever people are told to use it for.
    #[must_use]
    pub fn namesake(&self, found: &Found) -> Option<&Contact> {
        let every = std::iter::once(&found.normalised).chain(&found.readings);
        let is_any = found.whole.is_empty();
        let mut names = every.filter(|_| is_any).chain(&found.whole);
        names.find_map(|name| {
            let account = || match found.used {
                Use::Itself => None,
                Use::Purse => self.get(&key(Kind::BankAccount, name)),
                Use::Service(_) => self.get(&key(Kind::Oa, name)),
            };
            account().or_else(|| self.get(&key(found.kind, name)))
        })
    }

    /// The contact that `found` could be taken for.
    fn resembled(&self, found: &Found) -> Option<&Contact> {
        if !matches!(found.kind, Kind::Site | Kind::Link | Kind::Email) {
            return None;
        }
        let name = found.normalised.rsplit('@').next().unwrap_or_default();
        let wanted = rough(name);
        let parts: Vec<&str> = name.split('.').collect();
        // `dichvucong.gov.vn.evil.com` begins with it.
        let begins = (2..parts.len())
            .rev()
            .find_map(|count| self.get(&key(Kind::Site, &parts[..count].join("."))));
        begins
            .filter(|contact| contact.kind == ContactKind::Site)
            .or_else(|| self.get(&format!("r:{wanted}")))
    }

    /// What is to be said of `found` on `day` in a bulletin with these exceptions.
    #[must_use]
    pub fn judge<'d>(
        &'d self,
        found: &Found,
        exceptions: &'d [NotContact],
        day: Option<NaiveDate>,
    ) -> Verdict<'d> {
        if let Some(exception) = exceptions
            .iter()
            .find(|exception| squeeze(&exception.text).contains(&squeeze(&found.written)))
        {
            return Verdict::Excepted(exception);
        }
        if found.manner == Manner::Misleading {
            return Verdict::Misleading;
        }
        match self.contact(found) {
            Some(contact) if found.manner == Manner::Disguised => Verdict::Imitation(contact),
            Some(contact) => match contact.standing(day) {
                Standing::Unverified => Verdict::Unverified(contact),
                Standing::Expired => Verdict::Expired(contact),
                Standing::Good => Verdict::Verified(contact),
            },
            None => self
                .resembled(found)
                .map_or(Verdict::Unknown, Verdict::Imitation),
        }
    }

    /// The contacts that `text` names, whatever their standing. `place` is the name of the ward that gets it: without it, the
    /// words of all wards are the same and have to be searched once.
    pub(super) fn named_in(&self, text: &str, place: &str) -> Vec<ContactId> {
        let text = if self.says_nothing(place) {
            Cow::Owned(text.replace(place, NEUTRAL))
        } else {
            Cow::Borrowed(text)
        };
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ids) = known().get(&*text) {
            return ids.clone();
        }
        let ids: Vec<ContactId> = find(&text)
            .iter()
            .filter_map(|found| Some(self.contact(found)?.id.clone()))
            .collect();
        let mut known = known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(text.into(), ids.clone());
        ids
    }

    /// Whether a ward's name can be no part of any contact: nothing in it is a digit or a sign, and no contact has it in its
    /// own name or address.
    fn says_nothing(&self, place: &str) -> bool {
        let place = place.to_lowercase();
        let is_plain = |word: &str| {
            word.chars().count() > 1
                && word.chars().all(char::is_alphabetic)
                && !COUNTING.contains(&word)
        };
        !place.is_empty()
            && place.split(' ').all(is_plain)
            && !self.said.iter().any(|said| said.contains(&place))
    }
}

/// Words that numbers and addresses are spelt out with.
const COUNTING: [&str; 26] = [
    "không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "bẩy", "tám", "chín", "mười", "mươi",
    "mốt", "tư", "lăm", "linh", "lẻ", "trăm", "nghìn", "ngàn", "triệu", "tỷ", "cộng", "chấm", "vn",
];

/// Without what says nothing in a comparison: blanks, and the size of letters.
fn squeeze(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// Letters that are easily taken for one another, as one.
fn rough(name: &str) -> String {
    let name = name.replace("rn", "m").replace("vv", "w");
    name.chars()
        .filter(|c| *c != '-')
        .map(|c| match c {
            '0' => 'o',
            '1' | 'i' => 'l',
            '3' => 'e',
            '5' => 's',
            c => c,
        })
        .collect()
}

fn key(kind: Kind, normalised: &str) -> String {
    match kind {
        Kind::Phone | Kind::ShortCode => format!("n:{normalised}"),
        Kind::Site | Kind::Link | Kind::ShortLink => format!("s:{normalised}"),
        Kind::Email => format!("e:{normalised}"),
        Kind::BankAccount => format!("a:{normalised}"),
        Kind::Oa => format!("o:{}", bare(normalised)),
        Kind::Turned => format!("t:{normalised}"),
    }
}

/// Whether a contact was verified as what people are told to use `found` for.
fn vouches(contact: &Contact, found: &Found) -> bool {
    match found.used {
        Use::Itself => true,
        Use::Purse => contact.kind == ContactKind::BankAccount,
        Use::Service(service) => {
            let named = services(contact);
            // *OA* is what Zalo calls its accounts.
            let is_plain_oa = contact.kind == ContactKind::Oa && named.is_empty();
            named.contains(&service) || (is_plain_oa && service == "zalo")
        }
    }
}

/// The services that an entry names, in what it is called, what it is for or what it is found under.
fn services(contact: &Contact) -> Vec<&'static str> {
    let value = contact.value.as_deref().unwrap_or_default();
    let texts = [value, &contact.name, &contact.purpose];
    let texts = texts.map(str::to_lowercase);
    let words = texts
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    words.filter_map(service).collect()
}

/// The name of an account as it is compared: without the signs between its words.
fn bare(name: &str) -> String {
    let signs = |c: char| {
        matches!(
            c,
            '-' | '–' | '—' | ',' | '(' | ')' | '/' | '|' | '"' | '“' | '”' | '\'' | '‘' | '’'
        )
    };
    squeeze(&name.replace(signs, " "))
}

/// All that a contact is found under.
fn keys(contact: &Contact) -> Vec<String> {
    let Some(value) = &contact.value else {
        return Vec::new();
    };
    let digits = || {
        value
            .chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    let lower = || squeeze(value);
    let names = || find(value).into_iter().filter(|found| found.kind.is_name());
    match contact.kind {
        // An office's value is an address in prose; its name is what people know.
        ContactKind::Office => Vec::new(),
        ContactKind::Phone | ContactKind::ShortCode => {
            vec![format!("n:{}", national(&digits()))]
        }
        ContactKind::BankAccount => vec![format!("a:{}", digits())],
        ContactKind::Site => {
            let host = names().next().map_or_else(lower, |found| found.normalised);
            vec![format!("r:{}", rough(&host)), format!("s:{host}")]
        }
        ContactKind::Email => {
            let address = names().next().map_or_else(lower, |found| found.normalised);
            vec![format!("e:{address}")]
        }
        ContactKind::Oa => find(value)
            .into_iter()
            .filter(|found| found.kind.is_name() || found.kind == Kind::Oa)
            .map(|found| key(found.kind, &found.normalised))
            .chain([key(Kind::Oa, value), key(Kind::Oa, &contact.name)])
            .chain((digits().len() > 6).then(|| key(Kind::Oa, &national(&digits()))))
            .collect(),
    }
}

/// Whether `value` is what a contact of that kind is reached under.
#[must_use]
pub fn is_value(kind: ContactKind, value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let is_number = value
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, ' ' | '.' | '-' | '+' | '(' | ')'));
    let one = |wanted: &[Kind]| {
        let found = find(value);
        matches!(&found[..], [one] if wanted.contains(&one.kind) && one.manner == Manner::Plain && one.range == (0..value.len()))
    };
    match kind {
        ContactKind::Office => true,
        ContactKind::Phone => is_number && (7..=15).contains(&digits),
        ContactKind::ShortCode => is_number && (3..=8).contains(&digits),
        ContactKind::BankAccount => is_number && (4..=24).contains(&digits),
        ContactKind::Site => one(&[Kind::Site, Kind::Link, Kind::ShortLink]),
        ContactKind::Email => one(&[Kind::Email]),
        ContactKind::Oa => !value.trim().is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(id: &str, kind: ContactKind, value: &str) -> Contact {
        Contact {
            id: ContactId::parse(id).unwrap(),
            kind,
            name: id.to_owned(),
            value: Some(value.to_owned()),
            owner: String::new(),
            purpose: String::new(),
            source: String::new(),
            verified: None,
        }
    }

    /// A ward's name is left out of the search only where that cannot hide a contact.
    #[test]
    fn a_wards_name_hides_no_contact() {
        let directory = Directory::new(&[
            contact("goi", ContactKind::Phone, "0238 384 0123"),
            contact("trang", ContactKind::Site, "le-loi.vinh.example"),
            contact("oa", ContactKind::Oa, "Công an phường Hưng Bình"),
        ]);
        for (place, text) in [
            ("Hưng Bình", "Bà con Hưng Bình gọi 0238 384 0123."),
            ("Hưng Bình", "Nhắn Zalo OA “Công an phường Hưng Bình”."),
            (
                "Lê Lợi",
                "Bà con phường Lê Lợi xem le-loi.vinh.example nhé.",
            ),
            ("Ba", "gọi không hai Ba tám, ba tám bốn, không một hai ba"),
            ("84", "gọi 0238 3 84 0123 ngay"),
            ("Vinh", "gọi 0238 384 0123 ở Vinh"),
        ] {
            let all: Vec<ContactId> = find(text)
                .iter()
                .filter_map(|found| Some(directory.contact(found)?.id.clone()))
                .collect();
            // Twice: searched, and remembered.
            for _ in 0..2 {
                assert_eq!(directory.named_in(text, place), all, "{place}: {text}");
            }
            assert!(!all.is_empty(), "{text}");
        }
    }
}
