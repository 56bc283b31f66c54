//! `content/contacts.yaml`.

use crate::{
    contacts::is_value,
    diagnostic::{Arg, Code, Phrase, Place},
    domain::{
        bulletin::Dated,
        contact::{Contact, ContactKind, Verification},
        id::ContactId,
    },
    source::{
        notebook::Named,
        reader::{Fields, Value},
    },
};

/// A contact, and the places of it that later checks point at.
#[derive(Debug)]
pub(crate) struct RawContact {
    /// The contact.
    pub contact: Contact,
    /// Where `expires` stands, or the contact's key.
    pub expires_at: Place,
}

/// Some month: for dates that could not be read. Far off, so that nothing else is said because of it.
const SOME_MONTH: Dated = Dated::Month {
    year: 2100,
    month: 1,
};

/// Reads the file.
pub(crate) fn read(root: Value<'_>) -> Vec<RawContact> {
    let read = |id, value: Value<'_>| value.map(|fields| contact(id, fields));
    super::defined(root, "contacts", Named::Contact, ContactId::parse, read)
}

fn contact(id: ContactId, fields: &Fields<'_>) -> RawContact {
    let kinds = ContactKind::ALL.map(|kind| (kind.as_str(), kind));
    let kind = fields
        .required("kind")
        .and_then(|value| value.one_of(&kinds));
    let value = match kind {
        // An office is a place to go to.
        None | Some(ContactKind::Office) => fields.get("value"),
        Some(_) => fields.required("value"),
    };
    let read = value.and_then(|value| value.words());
    let kind = kind.unwrap_or(ContactKind::Office);
    if let (Some(value), Some(read)) = (value, &read)
        && !is_value(kind, read)
    {
        let diagnostic = value
            .wrong(Code::BadContactValue)
            .with("value", read.as_str())
            .with("kind", Arg::Word(format!("contact-{}", kind.as_str())));
        value
            .notebook
            .report(diagnostic.help(Phrase::new("L105-help")));
    }
    let words = |name| super::words(fields, name);
    let contact = Contact {
        id,
        kind,
        name: words("name"),
        value: read,
        owner: words("owner"),
        purpose: words("purpose"),
        source: words("source"),
        verified: verification(fields),
    };
    RawContact {
        contact,
        expires_at: fields
            .get("expires")
            .map_or_else(|| fields.value().key_place(), |value| value.place()),
    }
}

/// `verified_on`, `verified_by` and `expires`: all of them or none.
fn verification(fields: &Fields<'_>) -> Option<Verification> {
    let keys = ["verified_on", "verified_by", "expires"];
    let [on, by, expires] = keys.map(|key| fields.get(key));
    if on.is_none() && by.is_none() && expires.is_none() {
        return None;
    }
    for (key, value) in keys.iter().zip([&on, &by, &expires]) {
        if value.is_none() {
            fields.missing(key);
        }
    }
    let verified = Verification {
        on: on
            .and_then(|value| value.day_or_month())
            .unwrap_or(SOME_MONTH),
        by: by.and_then(|value| value.words()).unwrap_or_default(),
        expires: expires
            .and_then(|value| value.day_or_month())
            .unwrap_or(SOME_MONTH),
    };
    if let (Some(_), Some(expires)) = (on, expires)
        && verified.on != SOME_MONTH
        && verified.expires.last_day() < verified.on.first_day()
    {
        let diagnostic = expires
            .wrong(Code::Backwards)
            .with("from", verified.on.to_string())
            .with("until", verified.expires.to_string());
        expires
            .notebook
            .report(diagnostic.help(Phrase::new("L040-help-contact")));
    }
    Some(verified)
}
