//! Official contacts: the only telephone numbers, sites and offices that a bulletin may name.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{bulletin::Dated, id::ContactId};

/// What sort of contact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactKind {
    /// A telephone number.
    Phone,
    /// A short number for calls or messages.
    ShortCode,
    /// A web site.
    Site,
    /// An e-mail address.
    Email,
    /// An office that people can go to.
    Office,
    /// An official account on a chat service.
    Oa,
    /// A bank account.
    BankAccount,
}

impl ContactKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Phone,
        Self::ShortCode,
        Self::Site,
        Self::Email,
        Self::Office,
        Self::Oa,
        Self::BankAccount,
    ];

    /// The word used in files and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::ShortCode => "short-code",
            Self::Site => "site",
            Self::Email => "email",
            Self::Office => "office",
            Self::Oa => "oa",
            Self::BankAccount => "bank-account",
        }
    }
}

/// Who checked a contact, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The day, or the month, of the check (`verified_on`).
    pub on: Dated,
    /// Who checked, or the document that names it (`verified_by`).
    pub by: String,
    /// The last day, or month, for which the check holds (`expires`).
    pub expires: Dated,
}

/// Whether a contact may be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was verified, and the verification holds.
    Good,
    /// Nobody verified it.
    Unverified,
    /// The verification holds no longer.
    Expired,
}

impl Standing {
    /// The word used in JSON and in the catalogue.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "verified",
            Self::Unverified => "unverified",
            Self::Expired => "expired",
        }
    }
}

/// A contact. One without a verification may not appear in anything that goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// Its sort.
    pub kind: ContactKind,
    /// What it is called.
    pub name: String,
    /// The number, domain, address or account; an office may have none.
    pub value: Option<String>,
    /// Whose it is.
    pub owner: String,
    /// What people turn to it for.
    pub purpose: String,
    /// Where the contact was found.
    pub source: String,
    /// Who confirmed it.
    pub verified: Option<Verification>,
}

impl Contact {
    /// Whether it may be named on `day`; without a day, whether anybody verified it.
    #[must_use]
    pub fn standing(&self, day: Option<NaiveDate>) -> Standing {
        match (&self.verified, day) {
            (None, _) => Standing::Unverified,
            (Some(verified), Some(day)) if verified.expires.last_day() < day => Standing::Expired,
            (Some(_), _) => Standing::Good,
        }
    }
}

/// A contact as frozen words name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedContact {
    /// Which contact.
    pub id: ContactId,
    /// Its number or address then, or its name where it has none.
    pub value: String,
}

/// Why frozen words may not go out any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lapse {
    /// The contact is gone.
    Removed,
    /// It has another number, address or name now.
    Changed,
    /// Its verification was taken back.
    Unverified,
    /// Its verification holds no longer.
    Expired,
}

impl Lapse {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Removed,
        Self::Changed,
        Self::Unverified,
        Self::Expired,
    ];

    /// The word used in details of deliveries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Unverified => "unverified",
            Self::Expired => "expired",
        }
    }
}

impl NamedContact {
    /// `contact` as it is now.
    #[must_use]
    pub fn of(contact: &Contact) -> Self {
        Self {
            id: contact.id.clone(),
            value: contact.value.as_ref().unwrap_or(&contact.name).clone(),
        }
    }

    /// Why it may not be named on `day` with these contacts in force; `None` while it may.
    #[must_use]
    pub fn lapse(&self, contacts: &BTreeMap<ContactId, Contact>, day: NaiveDate) -> Option<Lapse> {
        let Some(contact) = contacts.get(&self.id) else {
            return Some(Lapse::Removed);
        };
        match contact.standing(Some(day)) {
            Standing::Unverified => Some(Lapse::Unverified),
            Standing::Expired => Some(Lapse::Expired),
            Standing::Good => (*contact.value.as_ref().unwrap_or(&contact.name) != self.value)
                .then_some(Lapse::Changed),
        }
    }
}

/// The first of `named` that may not be named on `day`, and why.
#[must_use]
pub fn lapsed<'n>(
    named: &'n [NamedContact],
    contacts: &BTreeMap<ContactId, Contact>,
    day: NaiveDate,
) -> Option<(&'n ContactId, Lapse)> {
    named
        .iter()
        .find_map(|named| Some((&named.id, named.lapse(contacts, day)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_contact_lapses_in_each_way() {
        let id = ContactId::parse("cong-an").unwrap();
        let contact = Contact {
            id: id.clone(),
            kind: ContactKind::Phone,
            name: "Công an".into(),
            value: Some("113".into()),
            owner: "Bộ Công an".into(),
            purpose: "Báo tin".into(),
            source: "Văn bản".into(),
            verified: Some(Verification {
                on: Dated::Month {
                    year: 2024,
                    month: 3,
                },
                by: "Văn bản".into(),
                expires: Dated::Month {
                    year: 2024,
                    month: 12,
                },
            }),
        };
        let named = NamedContact::of(&contact);
        let lapse = |contact: Option<Contact>, on: &str| {
            let contacts = contact
                .map(|contact| (id.clone(), contact))
                .into_iter()
                .collect();
            lapsed(std::slice::from_ref(&named), &contacts, day(on)).map(|(_, lapse)| lapse)
        };
        // A month counts to its last day.
        assert_eq!(lapse(Some(contact.clone()), "2024-12-31"), None);
        assert_eq!(
            lapse(Some(contact.clone()), "2025-01-01"),
            Some(Lapse::Expired)
        );
        assert_eq!(lapse(None, "2024-05-01"), Some(Lapse::Removed));
        let changed = Contact {
            value: Some("114".into()),
            ..contact.clone()
        };
        assert_eq!(lapse(Some(changed), "2024-05-01"), Some(Lapse::Changed));
        let unverified = Contact {
            verified: None,
            ..contact
        };
        assert_eq!(
            lapse(Some(unverified), "2024-05-01"),
            Some(Lapse::Unverified)
        );
    }
}
