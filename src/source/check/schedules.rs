//! Schedules against everything: that they fire, reach channels, and have something to say to each.

use std::collections::BTreeSet;

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        bulletin::Format,
        calendar::resolve,
        channel::Channel,
        id::ChannelId,
        schedule::{Choice, Schedule},
        time::Timestamp,
        workspace::Workspace,
    },
    source::{
        notebook::{Named, Notebook},
        raw::{bulletin::RawBulletin, channel::RawChannel, schedule::RawSchedule},
    },
};

pub(super) fn check(
    notebook: &Notebook,
    workspace: &Workspace,
    schedules: &[RawSchedule],
    channels: &[RawChannel],
    bulletins: &[RawBulletin],
) {
    let mut reached: BTreeSet<&ChannelId> = BTreeSet::new();
    let kinds_known = channels.iter().all(|raw| raw.kind.is_some());
    let mut all_readable = !notebook.has_gap(Named::Schedule) && kinds_known;
    for raw in schedules {
        let schedule = &raw.schedule;
        if let Some(when) = raw.when.as_ref().filter(|_| !fires(schedule)) {
            notebook.report(
                Diagnostic::new(Code::NeverFires, when.clone()).help(Phrase::new("L041-help")),
            );
        }
        if let Some(at) = raw
            .bulletins
            .as_ref()
            .filter(|_| is_empty(notebook, workspace, &schedule.bulletins))
        {
            notebook.report(
                Diagnostic::new(Code::EmptyRotation, at.clone()).help(Phrase::new("L045-help")),
            );
        }
        let Some(to) = &raw.to else {
            all_readable = false;
            continue;
        };
        let targets: Vec<&Channel> = workspace
            .channels
            .values()
            .filter(|channel| schedule.to.include(channel))
            .collect();
        if targets.is_empty() {
            // What this schedule was meant to reach is not known, so nobody is told that nothing reaches it.
            all_readable = false;
        }
        if targets.is_empty() && kinds_known && !names_unknown(notebook, workspace, schedule) {
            notebook.report(
                Diagnostic::new(Code::ReachesNothing, to.clone()).help(Phrase::new("L042-help")),
            );
        }
        all_readable &= !names_unknown(notebook, workspace, schedule);
        reached.extend(targets.iter().map(|channel| &channel.id));
        if raw.bulletins.is_some() {
            lacking(notebook, workspace, raw, &targets, bulletins);
        }
    }
    if all_readable {
        for raw in channels.iter().filter(|raw| !reached.contains(&raw.id)) {
            let diagnostic =
                Diagnostic::new(Code::Unreached, raw.at.clone()).with("channel", raw.id.as_str());
            notebook.report(diagnostic.help(Phrase::new("L043-help")));
        }
    }
}

/// Whether the schedule fires on any of its days.
fn fires(schedule: &Schedule) -> bool {
    let valid = schedule.valid;
    if let (Some(from), Some(until)) = (valid.from, valid.until)
        && until < from
    {
        // Said already, where the days are written.
        return true;
    }
    let start = valid.from.and_then(|day| day.and_hms_opt(0, 0, 0));
    let from = start.map_or(Timestamp::from_micros(0), |wall| {
        resolve(wall, schedule.zone)
    });
    schedule
        .when
        .next(schedule.zone, from)
        .is_some_and(|firing| valid.contains(firing.wall.date()))
}

/// Whether there is no bulletin at all, through nobody's unreadable file.
fn is_empty(notebook: &Notebook, workspace: &Workspace, choice: &Choice) -> bool {
    match choice {
        Choice::Only(_) => false,
        Choice::Rotate(list) => list.is_empty(),
        Choice::RotateTopic(topic) => {
            notebook.knows(Named::Topic, topic.as_str())
                && !workspace
                    .bulletins
                    .values()
                    .any(|bulletin| bulletin.topic == *topic)
                && !notebook.has_gap(Named::Bulletin)
        }
    }
}

/// Whether an unknown name, reported already, explains why nothing is reached.
fn names_unknown(notebook: &Notebook, workspace: &Workspace, schedule: &Schedule) -> bool {
    let to = &schedule.to;
    notebook.has_gap(Named::Channel)
        || to
            .channels
            .iter()
            .any(|id| !workspace.channels.contains_key(id))
        || to.wards.iter().any(|id| workspace.ward(id).is_none())
}

/// Bulletins without the body that a reached channel carries, once for each body.
fn lacking(
    notebook: &Notebook,
    workspace: &Workspace,
    raw: &RawSchedule,
    targets: &[&Channel],
    bulletins: &[RawBulletin],
) {
    let Some(at) = &raw.bulletins else { return };
    let formats: BTreeSet<Format> = targets.iter().map(|channel| channel.format).collect();
    let chosen = workspace.choices(&raw.schedule.bulletins);
    for format in formats {
        for bulletin in chosen.iter().filter(|bulletin| !bulletin.has(format)) {
            let source = bulletins.iter().find(|raw| raw.bulletin.id == bulletin.id);
            // The body may be there under a misspelt key.
            let Some(source) =
                source.filter(|raw| !notebook.has_unknown_keys_in(raw.at.file.path()))
            else {
                continue;
            };
            let channel = targets
                .iter()
                .find(|channel| channel.format == format)
                .map_or("", |channel| channel.id.as_str());
            let diagnostic = Diagnostic::new(Code::LacksFormat, at.clone())
                .with("bulletin", bulletin.id.as_str())
                .with("format", format.as_str())
                .with("channel", channel)
                .help(
                    Phrase::new("L044-help")
                        .with("bulletin", bulletin.id.as_str())
                        .with("format", format.as_str()),
                )
                .note(source.at.clone(), Phrase::new("note-bulletin"));
            notebook.report(diagnostic);
        }
    }
}
