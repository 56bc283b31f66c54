//! Schedules against everything: that they fire, reach channels, and have something to say to each.

use std::collections::BTreeSet;

use crate::{
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        bulletin::{Bulletin, Format},
        calendar::resolve,
        channel::{Channel, ChannelKind},
        id::ChannelId,
        schedule::{Choice, Missed, Schedule, Targets},
        time::{Timestamp, format_duration},
        ward::Validity,
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
    // Without the settings nobody knows who is told of silence, nor which areas there are.
    let mut all_readable =
        !notebook.has_gap(Named::Schedule) && !notebook.has_gap(Named::Ward) && kinds_known;
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
        if fires(schedule) {
            nothing_to_say(notebook, workspace, raw, bulletins);
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
        late_loudspeaker(notebook, raw, &targets);
        let operator = workspace.settings.watchdog.operator.as_ref();
        if let Some(id) = operator.filter(|id| schedule.to.channels.contains(id)) {
            notebook.report(
                Diagnostic::new(Code::OperatorChannel, to.clone())
                    .with("channel", id.as_str())
                    .help(Phrase::new("L187-help")),
            );
        }
        reached.extend(targets.iter().map(|channel| &channel.id));
        if raw.bulletins.is_some() {
            lacking(notebook, workspace, raw, &targets, bulletins);
        }
    }
    operator_is_chat(notebook, workspace);
    if all_readable {
        let is_missed = |raw: &&RawChannel| {
            let channel = workspace.channels.get(&raw.id);
            let is_public = !raw.test && channel.is_none_or(|channel| !channel.operator);
            is_public && !reached.contains(&raw.id)
        };
        for raw in channels.iter().filter(is_missed) {
            let diagnostic =
                Diagnostic::new(Code::Unreached, raw.at.clone()).with("channel", raw.id.as_str());
            notebook.report(diagnostic.help(Phrase::new("L043-help")));
        }
    }
}

/// Reports an operator's channel that is none for messages, or for tests: what he is told must not be heard in the streets.
fn operator_is_chat(notebook: &Notebook, workspace: &Workspace) {
    for channel in workspace.channels.values() {
        let is_chat = channel.kind == ChannelKind::Chat && channel.format == Format::Message;
        if !channel.operator || (is_chat && !channel.test) {
            continue;
        }
        // Nothing else in that file refers to a channel.
        if let Some(at) = notebook.reference_in(Named::Channel, channel.id.as_str(), "loa.yaml") {
            notebook.report(
                Diagnostic::new(Code::OperatorNotChat, at)
                    .with("channel", channel.id.as_str())
                    .help(Phrase::new("L188-help")),
            );
        }
    }
}

/// Whether the schedule fires on any of its days.
fn fires(schedule: &Schedule) -> bool {
    fires_within(schedule, schedule.valid)
}

/// Reports a schedule that never fires on a day on which one of its bulletins is valid.
fn nothing_to_say(
    notebook: &Notebook,
    workspace: &Workspace,
    raw: &RawSchedule,
    bulletins: &[RawBulletin],
) {
    let schedule = &raw.schedule;
    let (Some(at), Some(_)) = (&raw.bulletins, &raw.when) else {
        return;
    };
    let chosen = workspace.choices(&schedule.bulletins);
    let all_known = schedule.bulletins.parts().iter().all(|part| match part {
        Choice::Only(id) => workspace.bulletins.contains_key(id),
        Choice::Rotate(ids) => ids.iter().all(|id| workspace.bulletins.contains_key(id)),
        Choice::RotateTopic(_) | Choice::Session { .. } => true,
    });
    // Days that are the wrong way round are said where they are written.
    let is_backwards = |valid: Validity| matches!((valid.from, valid.until), (Some(from), Some(until)) if until < from);
    let is_said = is_backwards(schedule.valid) || notebook.has_gap(Named::Bulletin);
    if chosen.is_empty() || !all_known || is_said {
        return;
    }
    let meets = |bulletin: &&Bulletin| {
        let (one, other) = (schedule.valid, bulletin.valid);
        let until = match (one.until, other.until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let from = one.from.max(other.from);
        // Days that never meet are no days.
        let both = Validity { from, until };
        is_backwards(other) || (!is_backwards(both) && fires_within(schedule, both))
    };
    if chosen.iter().any(meets) {
        return;
    }
    let mut mistake =
        Diagnostic::new(Code::NothingToSay, at.clone()).help(Phrase::new("L182-help"));
    for bulletin in chosen.iter().take(3) {
        if let Some(source) = bulletins.iter().find(|raw| raw.bulletin.id == bulletin.id) {
            mistake = mistake.note(
                source.valid.clone().unwrap_or_else(|| source.at.clone()),
                Phrase::new("note-valid").with("bulletin", bulletin.id.as_str()),
            );
        }
    }
    notebook.report(mistake);
}

/// Warns of a loudspeaker that speaks when nobody expects it.
fn late_loudspeaker(notebook: &Notebook, raw: &RawSchedule, targets: &[&Channel]) {
    let (Missed::Late { within }, Some(at)) = (raw.schedule.missed, &raw.missed) else {
        return;
    };
    // Who chooses nobody chooses everybody, and was told so.
    let is_chosen = raw.schedule.to != Targets::default();
    let mut targets = targets.iter();
    if is_chosen && targets.any(|channel| channel.kind == ChannelKind::Loudspeaker) {
        notebook.report(
            Diagnostic::new(Code::LateLoudspeaker, at.clone())
                .with("within", format_duration(within))
                .help(Phrase::new("L186-help")),
        );
    }
}

/// Whether the schedule fires on any of these days. A target may on each of them.
fn fires_within(schedule: &Schedule, valid: Validity) -> bool {
    if let (Some(from), Some(until)) = (valid.from, valid.until)
        && until < from
    {
        // Said already, where the days are written.
        return true;
    }
    if schedule.target().is_some() {
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
        Choice::Session { parts, .. } => {
            parts.iter().any(|part| is_empty(notebook, workspace, part))
        }
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
                source.filter(|raw| !notebook.has_any_in(raw.at.file.path(), &[Code::UnknownKey]))
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
