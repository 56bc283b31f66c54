//! `approval` in `loa.yaml`, and the names of those who write.

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::approval::{
        ApprovalRules, Approver, Required, Unapproved, is_name, may_be_same, names_two,
    },
    source::reader::{Fields, Value},
};

/// Reads the rules of approval out of the settings.
pub(super) fn read(settings: &Fields<'_>) -> ApprovalRules {
    let approval = settings.get("approval");
    let (rules, is_named) = approval
        .and_then(|value| value.map(rules))
        .unwrap_or_default();
    let at = approval.map_or_else(|| settings.head(), |value| value.key_place());
    let notebook = settings.value().notebook;
    if rules.required == Required::Off {
        notebook.report(Diagnostic::new(Code::ApprovalOff, at).help(Phrase::new("L161-help")));
    } else if !is_named {
        notebook.report(Diagnostic::new(Code::NoApprovers, at).help(Phrase::new("L162-help")));
    }
    rules
}

/// The rules, and whether anybody is named who may approve, be it with a mistake in the name.
fn rules(fields: &Fields<'_>) -> (ApprovalRules, bool) {
    let defaults = ApprovalRules::default();
    let required = [
        ("bulletins-and-schedules", Required::Everything),
        ("bulletins", Required::Bulletins),
        ("off", Required::Off),
    ];
    let unapproved = [
        ("last-approved", Unapproved::LastApproved),
        ("skip", Unapproved::Skip),
    ];
    let mut seen: Vec<String> = Vec::new();
    let list = fields.get("approvers");
    let is_named = list.is_some_and(|list| !list.is_empty_list());
    let rules = ApprovalRules {
        required: fields.or("required", defaults.required, |value| {
            value.one_of(&required)
        }),
        unapproved: fields.or("unapproved", defaults.unapproved, |value| {
            value.one_of(&unapproved)
        }),
        approvers: list
            .and_then(|list| list.list(|value| approver(value, &mut seen)))
            .unwrap_or_default(),
        emergency: fields.or("emergency", defaults.emergency, |value| {
            let count = value.integer(2..=9)?;
            u32::try_from(count).ok()
        }),
    };
    if let Some(value) = fields.get("emergency") {
        // Also whose name or office has a mistake in it is somebody.
        let listed = list.map_or(0, |list| list.length());
        let needed = rules.emergency as usize;
        if rules.required != Required::Off && is_named && listed < needed {
            let few = value
                .wrong(Code::TooFewForEmergency)
                .with("needed", needed)
                .with("count", listed);
            value.notebook.report(few.help(Phrase::new("L166-help")));
        }
    }
    (rules, is_named)
}

/// One approver. Two that differ only in how they are typed are one person, who must not count twice.
fn approver(value: Value<'_>, seen: &mut Vec<String>) -> Option<Approver> {
    value
        .map(|fields| {
            let at = fields.required("name");
            let name = at.and_then(person);
            let role = fields.required("role").and_then(|value| value.words());
            if let (Some(at), Some(name)) = (at, &name) {
                if seen.iter().any(|known| may_be_same(known, name)) {
                    let diagnostic = at.wrong(Code::ApproverTwice).with("name", name.as_str());
                    value
                        .notebook
                        .report(diagnostic.help(Phrase::new("L160-help")));
                }
                seen.push(name.clone());
            }
            Some(Approver {
                name: name?,
                role: role?,
            })
        })
        .flatten()
}

/// A person's name.
pub(super) fn person(value: Value<'_>) -> Option<String> {
    let name = value.words()?;
    if is_name(&name) {
        return Some(name);
    }
    let diagnostic = value.wrong(Code::NotAName).with("text", name.as_str());
    value
        .notebook
        .report(diagnostic.help(Phrase::new("L163-help")));
    None
}

/// `editors`: who wrote what stands beside it.
pub(super) fn editors(fields: &Fields<'_>) -> Vec<String> {
    fields.or("editors", Vec::new(), |value| value.list(editor))
}

/// Whether something stands under `editors`, be it with a mistake: that is said there, and nobody has to be told that it is missing.
pub(super) fn names_editors(fields: &Fields<'_>) -> bool {
    fields
        .get("editors")
        .is_some_and(|value| !value.is_empty_list())
}

/// One editor.
fn editor(value: Value<'_>) -> Option<String> {
    let name = person(value)?;
    if names_two(&name) {
        let two = value.wrong(Code::TwoEditors).with("text", name.as_str());
        value.notebook.report(two.help(Phrase::new("L167-help")));
    }
    Some(name)
}
