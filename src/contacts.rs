//! Everything in a text by which people could be led to somebody: telephone numbers, short codes, sites, links, e-mail
//! addresses, bank accounts and official accounts, however they are written; and which of them are verified contacts.
//!
//! Pure, and linear in the length of the text. `fold` makes of a text what it looks like, `token` cuts it into words and
//! digits, `number`, `name` and `account` find, `judge` compares with the workspace's contacts. A find that is no verified
//! contact must not air; so in doubt something is found, and an editor says in `not_contacts` that it is none.

mod account;
mod address;
mod call;
mod claim;
mod dot;
mod fold;
mod judge;
mod keypad;
mod letters;
mod name;
mod number;
mod numbering;
mod part;
mod picture;
mod token;
mod turned;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, ops::Range};

pub use judge::{Directory, Verdict, is_value};

use crate::domain::{
    contact::{Contact, NamedContact},
    id::ContactId,
    message::Content,
    ward::Ward,
};
use fold::{Letter, Markup, fold};

/// What sort of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A telephone number.
    Phone,
    /// A short number for calls or messages.
    ShortCode,
    /// A domain or an address on the internet.
    Site,
    /// A web address with its scheme, or a link of another sort.
    Link,
    /// An address of a service that hides where it leads.
    ShortLink,
    /// An e-mail address.
    Email,
    /// A bank account or a card.
    BankAccount,
    /// An account, page, channel or group on a chat service or social network.
    Oa,
    /// Text that is shown backwards, whatever it says.
    Turned,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Phone,
        Self::ShortCode,
        Self::Site,
        Self::Link,
        Self::ShortLink,
        Self::Email,
        Self::BankAccount,
        Self::Oa,
        Self::Turned,
    ];

    /// The word used in JSON and in the catalogue.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::ShortCode => "short-code",
            Self::Site => "site",
            Self::Link => "link",
            Self::ShortLink => "short-link",
            Self::Email => "email",
            Self::BankAccount => "bank-account",
            Self::Oa => "oa",
            Self::Turned => "turned",
        }
    }

    /// Whether something else may stand in the middle of it.
    fn is_around(self) -> bool {
        matches!(self, Self::Oa | Self::Turned)
    }

    fn is_name(self) -> bool {
        matches!(
            self,
            Self::Site | Self::Link | Self::ShortLink | Self::Email
        )
    }
}

/// How honestly something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As people write it.
    Plain,
    /// With letters that only look like what they name.
    Disguised,
    /// A link that shows something else than it leads to, or text that shows something else than it says.
    Misleading,
}

/// What people are told to use a number or a name for, which says what a contact must have been verified as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// For what its kind says.
    Itself,
    /// A telephone number that names a purse to pay to. Who answers calls need not be whom the purse belongs to.
    Purse,
    /// An account on this service. One with somebody's number or name is opened by whoever once got a message under the number, or
    /// likes the name; so the contact has to name the service itself.
    Service(&'static str),
}

/// Something by which people could be led to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
    /// What sort of thing it is.
    pub kind: Kind,
    /// As it stands in the text.
    pub written: String,
    /// What it says: the digits with 0 for the country's prefix, the domain, the address.
    pub normalised: String,
    /// What else it may say: spoken, a name has no certain beginning, and in prose no certain end.
    pub readings: Vec<String>,
    /// The whole names that it can be, where not every reading is one: a contact has to be one of these. Otherwise empty.
    pub whole: Vec<String>,
    /// What people are told to use it for.
    pub used: Use,
    /// How honestly it is written.
    pub manner: Manner,
}

impl Found {
    fn at(text: &str, range: Range<usize>, kind: Kind, normalised: String) -> Self {
        Self {
            written: text[range.clone()].to_owned(),
            range,
            kind,
            normalised,
            readings: Vec::new(),
            whole: Vec::new(),
            used: Use::Itself,
            manner: Manner::Plain,
        }
    }
}

/// Finds everything in `text` by which people could be led to somebody, in the order of places.
#[must_use]
pub fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    // Once with everything that stands there, because links stand in tags; once as it is seen, because a number goes on
    // behind a tag and over the items of a list.
    for markup in Markup::of(text) {
        let letters = fold(text, markup);
        scan(text, &letters, &mut found);
        // Letters between digits that pass for digits, and letters written apart, could be anything; what comes out of them
        // counts only where it can be nothing else.
        let as_digits = [fold::as_digits(&letters), fold::as_roman(&letters)];
        for letters in as_digits.into_iter().flatten() {
            let mut more = Vec::new();
            scan(text, &letters, &mut more);
            more.retain(|found| {
                found.kind == Kind::Phone && numbering::is_telephone(&found.normalised)
            });
            found.extend(more.into_iter().map(|found| Found {
                manner: Manner::Disguised,
                ..found
            }));
        }
        if let Some(letters) = fold::drawn_together(&letters) {
            let mut more = Vec::new();
            scan(text, &letters, &mut more);
            let has_letter = |name: &str| name.contains(|c: char| c.is_ascii_alphabetic());
            more.retain(|found| found.kind.is_name() && has_letter(&found.normalised));
            found.extend(more);
        }
        if let Some(letters) = fold::with_dots(&letters) {
            let mut more = Vec::new();
            scan(text, &letters, &mut more);
            more.retain(|found| found.kind.is_name());
            found.extend(more);
        }
        if let Some(letters) = turned::as_shown(text, &letters) {
            let more = collect(text, &letters).into_iter();
            found.extend(more.map(|found| Found {
                manner: Manner::Disguised,
                ..found
            }));
        }
    }
    found.extend(turned::stretches(text));
    found.sort_by(|a: &Found, b| {
        (a.range.start, b.range.end, a.kind).cmp(&(b.range.start, a.range.end, b.kind))
    });
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    for one in found {
        let is_known = kept.iter().rev().take(6).any(|known| {
            let is_same = (known.kind, &known.normalised) == (one.kind, &one.normalised);
            let is_inside =
                known.range.start <= one.range.start && one.range.end <= known.range.end;
            // Shown backwards, the same place says something else.
            let is_other = known.range == one.range && known.normalised != one.normalised;
            let is_part = is_inside
                && !is_other
                && !known.kind.is_name()
                && !one.kind.is_name()
                && !known.kind.is_around();
            (is_same && known.range.end > one.range.start && known.manner == one.manner) || is_part
        });
        if !is_known {
            kept.push(one);
        }
    }
    kept
}

/// What is found only in `spoken`, which is how the text of `written` is read aloud: a voice can make a number or an address
/// of what was none on paper.
#[must_use]
pub fn find_aloud(written: &[Found], spoken: &str) -> Vec<Found> {
    // Read aloud, a name loses its dashes, and digits in it become words: what is left of it is its end.
    let sound = |name: &str| name.replace(|c: char| c.is_ascii_digit() || c == '-', "");
    let is_written = |found: &Found| {
        let mut names = std::iter::once(&found.normalised).chain(&found.readings);
        names.any(|name| {
            written.iter().any(|known| {
                let is_end = || {
                    let (known, name) = (sound(&known.normalised), sound(name));
                    name.len() > 2 && known.ends_with(&name)
                };
                known.normalised == *name
                    || known.readings.contains(name)
                    || (known.kind.is_name() && found.kind.is_name() && is_end())
            })
        })
    };
    let mut found = find(spoken);
    found.retain(|found| !is_written(found));
    found
}

fn scan(text: &str, letters: &[Letter], all: &mut Vec<Found>) {
    let mut found = collect(text, letters);
    let links = links(text, letters, &found);
    all.append(&mut found);
    all.extend(links);
}

/// Numbers, accounts and names, in the order of places.
fn collect(text: &str, letters: &[Letter]) -> Vec<Found> {
    let tokens = token::tokens(letters);
    let names = name::names(letters, &tokens);
    // What is shown backwards has its first letter behind its last one.
    let bytes = |from: usize, to: usize| {
        let letters = &letters[from..to];
        let start = letters.iter().map(|letter| letter.start).min();
        let end = letters.iter().map(|letter| letter.end).max();
        start.unwrap_or_default()..end.unwrap_or_default()
    };
    let mut found = Vec::new();
    let mut hosts = names.iter().map(|name| name.host).peekable();
    for number in number::numbers(letters, &tokens) {
        while hosts.next_if(|host| host.1 <= number.from).is_some() {}
        // A number in a domain is a part of its name.
        if hosts
            .peek()
            .is_some_and(|host| host.0 <= number.from && number.to <= host.1)
        {
            continue;
        }
        let range = bytes(number.from, number.to);
        found.push(Found {
            used: number.used,
            ..Found::at(text, range, number.kind, number.digits)
        });
    }
    for address in address::addresses(letters) {
        let range = bytes(address.from, address.to);
        found.push(Found::at(text, range, address.kind, address.digits));
    }
    for hotline in keypad::hotlines(letters, &tokens) {
        let range = bytes(hotline.from, hotline.to);
        // All that is heard of it where it is read aloud.
        let spoken = hotline.digits.chars().take(keypad::PREFIX).collect();
        found.push(Found {
            readings: vec![spoken],
            ..Found::at(text, range, Kind::Phone, hotline.digits)
        });
    }
    for code in picture::codes(letters, &tokens) {
        let range = bytes(code.from, code.to);
        found.push(Found::at(text, range, Kind::Link, "qr".to_owned()));
    }
    for account in account::accounts(letters, &tokens) {
        let range = bytes(account.from, account.to);
        found.push(Found {
            readings: account.shorter,
            whole: account.whole,
            used: account.service.map_or(Use::Itself, Use::Service),
            ..Found::at(text, range, Kind::Oa, account.name)
        });
    }
    for name in names {
        let range = bytes(name.from, name.to);
        found.push(Found {
            readings: name.readings,
            whole: name.whole.into_iter().collect(),
            manner: if name.is_disguised {
                Manner::Disguised
            } else {
                Manner::Plain
            },
            ..Found::at(text, range, name.kind, name.normalised)
        });
    }
    found.sort_by_key(|found| found.range.start);
    found
}

/// A Markdown link longer than this is none.
const LONGEST_LINK: usize = 500;

/// Markdown links that lead to what is not found otherwise, and those that show something else than they lead to.
fn links(text: &str, letters: &[Letter], found: &[Found]) -> Vec<Found> {
    let mut links = Vec::new();
    for at in 0..letters.len().saturating_sub(2) {
        if letters[at].c != ']' || letters[at + 1].c != '(' {
            continue;
        }
        let from = at + 2;
        let to = from
            + letters[from..]
                .iter()
                .take(LONGEST_LINK)
                .take_while(|letter| !matches!(letter.c, ')' | ' ' | '\n'))
                .count();
        if from == to || letters[from].c == '#' {
            continue;
        }
        let within = |range: Range<usize>| {
            let first = found.partition_point(|found| found.range.start < range.start);
            found[first..]
                .iter()
                .take_while(move |found| found.range.start < range.end)
                .filter(|found| found.kind != Kind::Oa)
        };
        let target = letters[from].start..letters[to - 1].end;
        let link = |range| {
            let plain = letters[from..to].iter().map(|letter| letter.plain);
            Found::at(text, range, Kind::Link, plain.collect())
        };
        let mut targets = within(target.clone()).peekable();
        if targets.peek().is_none() {
            links.push(link(target));
            continue;
        }
        let open = letters[..at]
            .iter()
            .rev()
            .take(LONGEST_LINK)
            .position(|letter| letter.c == '[')
            .map(|back| at - 1 - back);
        let Some(open) = open else { continue };
        let shown: Vec<&Found> = within(letters[open].end..letters[at].start).collect();
        let is_honest = shown.is_empty()
            || targets.any(|target| {
                shown
                    .iter()
                    .any(|shown| shown.normalised == target.normalised)
            });
        if !is_honest {
            links.push(Found {
                manner: Manner::Misleading,
                ..link(letters[open].start..letters[to - 1].end)
            });
        }
    }
    links
}

/// The contacts that a content names: those that its bulletin lists, and those that stand in its words. What of them
/// must still hold is looked up just before it is sent. `ward` gets it.
#[must_use]
pub fn named(
    content: &Content,
    listed: &[ContactId],
    directory: &Directory,
    contacts: &BTreeMap<ContactId, Contact>,
    ward: &Ward,
) -> Vec<NamedContact> {
    let mut ids = listed.to_vec();
    for text in texts(content) {
        ids.extend(directory.named_in(text, &ward.short));
    }
    ids.sort_unstable();
    ids.dedup();
    ids.iter()
        .filter_map(|id| contacts.get(id))
        .map(NamedContact::of)
        .collect()
}

/// All words of a content that people get.
pub fn texts(content: &Content) -> impl Iterator<Item = &str> {
    std::iter::once(content.title.as_str())
        .chain(content.summary.as_deref())
        .chain(std::iter::once(content.text.as_str()))
        .chain(content.picture.as_ref().map(|picture| picture.alt.as_str()))
}
