//! Wards among each other: neighbours that know of each other, names that can be told apart.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{id::WardId, ward::Validity},
    source::{notebook::Notebook, raw::ward::RawWard, similar::fold},
};

pub(super) fn check(notebook: &Notebook, wards: &[RawWard]) {
    // Of two with one id, which is reported, the first counts.
    let mut by_id: BTreeMap<&WardId, &RawWard> = BTreeMap::new();
    for raw in wards {
        by_id.entry(&raw.ward.id).or_insert(raw);
    }
    let wards: Vec<&RawWard> = wards
        .iter()
        .filter(|raw| std::ptr::eq(by_id[&raw.ward.id], *raw))
        .collect();
    for raw in &wards {
        for (neighbour, place) in &raw.neighbours {
            let Some(other) = by_id.get(neighbour) else {
                continue;
            };
            if *neighbour == raw.ward.id {
                let own = Diagnostic::new(Code::OwnNeighbour, place.clone())
                    .with("ward", neighbour.as_str())
                    .help(Phrase::new("L049-help").with("ward", neighbour.as_str()));
                notebook.report(own);
            } else if !other.ward.neighbours.contains(&raw.ward.id) {
                let diagnostic = Diagnostic::new(Code::OneSided, place.clone())
                    .with("ward", raw.ward.id.as_str())
                    .with("neighbour", neighbour.as_str())
                    .help(
                        Phrase::new("L046-help")
                            .with("ward", raw.ward.id.as_str())
                            .with("neighbour", neighbour.as_str()),
                    )
                    .note(
                        other.at.clone(),
                        Phrase::new("note-ward").with("ward", neighbour.as_str()),
                    );
                notebook.report(diagnostic);
            }
        }
    }
    look_alikes(notebook, &wards);
    codes(notebook, &wards);
}

/// Codes that two wards have at the same time: one of them would be taken for the other wherever codes are compared.
fn codes(notebook: &Notebook, wards: &[&RawWard]) {
    let mut by_code: BTreeMap<&str, Vec<&RawWard>> = BTreeMap::new();
    for raw in wards.iter().copied() {
        let (Some(code), Some(at)) = (&raw.ward.code, &raw.code_at) else {
            continue;
        };
        let same = by_code.entry(code).or_default();
        let first = same
            .iter()
            .find(|first| overlap(first.ward.valid, raw.ward.valid));
        if let Some(first) = first {
            let diagnostic = Diagnostic::new(Code::DuplicateCode, at.clone())
                .with("code", code.as_str())
                .with("ward", first.ward.id.as_str())
                .help(Phrase::new("L048-help"))
                .note(
                    first.code_at.clone().unwrap_or_else(|| first.at.clone()),
                    Phrase::new("note-ward").with("ward", first.ward.id.as_str()),
                );
            notebook.report(diagnostic);
        }
        same.push(raw);
    }
}

/// Names that differ in marks or spaces only, or not at all, at the same time: people will take one for the other.
fn look_alikes(notebook: &Notebook, wards: &[&RawWard]) {
    let mut by_letters: BTreeMap<String, Vec<&RawWard>> = BTreeMap::new();
    for raw in wards
        .iter()
        .copied()
        .filter(|raw| !raw.ward.short.is_empty())
    {
        let letters = fold(&raw.ward.short).replace('-', "");
        let alike = by_letters.entry(letters).or_default();
        if let Some(first) = alike
            .iter()
            .find(|first| overlap(first.ward.valid, raw.ward.valid))
        {
            let diagnostic = Diagnostic::new(Code::LookAlike, raw.name_at.clone())
                .with("name", raw.ward.short.as_str())
                .with("other", first.ward.short.as_str())
                .with("ward", first.ward.id.as_str())
                .help(Phrase::new("L047-help"))
                .note(
                    first.name_at.clone(),
                    Phrase::new("note-ward").with("ward", first.ward.id.as_str()),
                );
            notebook.report(diagnostic);
        }
        alike.push(raw);
    }
}

fn overlap(one: Validity, other: Validity) -> bool {
    let begins_in_time = |first: Validity, second: Validity| match (first.from, second.until) {
        (Some(from), Some(until)) => from <= until,
        _ => true,
    };
    begins_in_time(one, other) && begins_in_time(other, one)
}
