//! Official contacts: the only telephone numbers, sites and offices that a bulletin may name.

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
    /// An office that people can go to.
    Office,
    /// An official account on a chat service.
    Oa,
}

/// Who checked a contact, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The day, or the month, of the check.
    pub on: Dated,
    /// Who checked, or the document that names it.
    pub by: String,
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
    /// The number, domain or account; an office may have none.
    pub value: Option<String>,
    /// What people turn to it for.
    pub purpose: String,
    /// Where the contact was found.
    pub source: String,
    /// Who confirmed it.
    pub verified: Option<Verification>,
}
