//! What one file says, read without looking at any other: domain values, and the places that later checks point at.
//!
//! One file here for each sort of file that people edit. References are noted in the notebook and resolved when every
//! file is read.

mod approval;
pub(super) mod audio;
pub(super) mod bulletin;
pub(super) mod channel;
pub(super) mod contact;
pub(super) mod exception;
mod lint;
pub(crate) mod mail;
pub(super) mod policy;
pub(super) mod recipe;
pub(super) mod schedule;
pub(super) mod settings;
pub(super) mod speech;
mod target;
pub(super) mod ward;
mod zalo;

use crate::{
    diagnostic::{Code, Phrase},
    domain::{bulletin::Dated, ward::Validity},
};

use super::{
    notebook::Named,
    reader::{Fields, Value},
};

/// What the map under `key`, which has to be there, defines. Where it cannot be read, nobody is told that a name of this sort
/// does not exist: the file is reported once, and those who refer to it are not.
fn defined<'a, T, I, E>(
    root: Value<'a>,
    key: &'static str,
    sort: Named,
    parse: impl Fn(&str) -> Result<I, E>,
    read: impl FnMut(I, Value<'a>) -> Option<T>,
) -> Vec<T> {
    let list = root.map(|fields| fields.required(key)).flatten();
    if let Some(list) = list {
        return list.definitions(sort, parse, read);
    }
    root.notebook.gap(sort);
    Vec::new()
}

/// The words under `name`, which have to be there.
fn words(fields: &Fields<'_>, name: &'static str) -> String {
    fields
        .required(name)
        .and_then(|value| value.words())
        .unwrap_or_default()
}

/// `{ from: 2024-03-01, until: 2024-12-31 }`, either may be left out.
fn validity(value: Value<'_>) -> Option<Validity> {
    dated_validity(value).map(|(valid, _)| valid)
}

/// The same, and whether its last day could be read, where one is written.
fn dated_validity(value: Value<'_>) -> Option<(Validity, bool)> {
    value.map(|fields| {
        let from = fields.get("from").and_then(|value| value.date());
        let until = fields.get("until");
        let last = until.and_then(|value| value.date());
        if let (Some(first), Some(last), Some(until)) = (from, last, until)
            && last < first
        {
            let diagnostic = until
                .wrong(Code::Backwards)
                .with("from", first.to_string())
                .with("until", last.to_string());
            value
                .notebook
                .report(diagnostic.help(Phrase::new("L040-help")));
        }
        let is_read = until.is_none() || last.is_some();
        (Validity { from, until: last }, is_read)
    })
}

/// A date under one of `keys`: a day under the first, a month under `month`, a year under `year`. Exactly one of them has
/// to be there.
fn dated(fields: &Fields<'_>, keys: &[&'static str]) -> Option<Dated> {
    let given: Vec<_> = keys
        .iter()
        .filter_map(|key| Some((*key, fields.get(key)?)))
        .collect();
    match given[..] {
        [("month", value)] => value
            .month()
            .map(|(year, month)| Dated::Month { year, month }),
        [("year", value)] => value
            .integer(1945..=2100)
            .and_then(|year| i32::try_from(year).ok())
            .map(Dated::Year),
        [(_, value)] => value.date().map(Dated::Day),
        [] => {
            fields.missing(keys[0]);
            None
        }
        _ => fields.value().choose_one(keys, "L019-help-date"),
    }
}
