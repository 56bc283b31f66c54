//! Whether what has to be approved ever can be: that it says who wrote it, and that enough people are left who did not.

use crate::{
    diagnostic::{Arg, Code, Diagnostic, Phrase, Place, Severity},
    domain::{
        approval::{Subject, may_name},
        lint::{Level, Rule},
        workspace::Workspace,
    },
    source::{
        notebook::Notebook,
        raw::{bulletin::RawBulletin, schedule::RawSchedule},
    },
};

/// Who wrote something, and whether anything is said about that.
type Editors<'a> = (&'a [String], bool);

/// Checks bulletins and schedules.
pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    bulletins: &[RawBulletin],
    schedules: &[RawSchedule],
) {
    let check = |subject: &Subject, editors: Editors<'_>, needed: u32, at: &Place| {
        if workspace.settings.approval.apply_to(subject)
            && let Some(found) = judge(workspace, subject, editors, needed, at)
        {
            notebook.report(found);
        }
    };
    for raw in bulletins {
        let bulletin = &raw.bulletin;
        let needed = workspace.settings.approval.needed(bulletin.priority);
        let subject = Subject::Bulletin(bulletin.id.clone());
        let editors = (bulletin.editors.as_slice(), raw.names_editors);
        check(&subject, editors, needed, &raw.at);
    }
    for raw in schedules {
        let schedule = &raw.schedule;
        let subject = Subject::Schedule(schedule.id.clone());
        let editors = (schedule.editors.as_slice(), raw.names_editors);
        check(&subject, editors, 1, &raw.at);
    }
}

fn judge(
    workspace: &Workspace,
    subject: &Subject,
    (editors, is_named): Editors<'_>,
    needed: u32,
    at: &Place,
) -> Option<Diagnostic> {
    let about = |code| {
        Diagnostic::new(code, at.clone())
            .with("kind", Arg::Word(format!("subject-{}", subject.kind())))
            .with("id", subject.id())
    };
    if editors.is_empty() {
        // What stands there could not be read, and that was said.
        if is_named {
            return None;
        }
        let severity = match workspace.settings.lint.level(Rule::NoEditors) {
            Level::Off => return None,
            Level::Warning => Severity::Warning,
            Level::Error => Severity::Error,
        };
        let mut found = about(Code::NoEditors).help(Phrase::new("L164-help"));
        found.severity = severity;
        return Some(found);
    }
    let approvers = &workspace.settings.approval.approvers;
    let left = approvers
        .iter()
        .filter(|approver| {
            !editors
                .iter()
                .any(|editor| may_name(editor, &approver.name))
        })
        .count();
    // That nobody may approve at all is said once, in the settings.
    let needed = needed as usize;
    (!approvers.is_empty() && left < needed).then(|| {
        about(Code::TooFewApprovers)
            .with("count", left)
            .with("needed", needed)
            .help(Phrase::new("L165-help"))
    })
}
