//! What a name on the command line means. Whoever types one writes the id, or the name as people know it, with or without
//! its marks; what means nothing, or two things, is refused with the nearest id.

use std::iter::once;

use anyhow::bail;

use super::output::Output;
use crate::{
    domain::{
        bulletin::{Bulletin, Topic},
        channel::Channel,
        id::{ChannelId, ScheduleId, WardId},
        ward::Ward,
        workspace::Workspace,
    },
    source::{id_like, nearest},
    store::{LogFilter, Store},
};

/// The ward, or the city itself.
///
/// # Errors
/// When no ward or more than one is called so.
pub(super) fn ward<'w>(
    workspace: &'w Workspace,
    name: &str,
    output: &Output,
) -> anyhow::Result<&'w Ward> {
    let all = once(&workspace.settings.city).chain(workspace.wards.values());
    let known = all.map(|ward| Known {
        id: ward.id.as_str(),
        names: [&ward.name, &ward.short],
        what: ward,
    });
    find(known, name, "cli.no-ward", output)
}

/// The channel.
///
/// # Errors
/// When no channel or more than one is called so.
pub(super) fn channel<'w>(
    workspace: &'w Workspace,
    name: &str,
    output: &Output,
) -> anyhow::Result<&'w Channel> {
    let known = workspace.channels.values().map(|channel| Known {
        id: channel.id.as_str(),
        names: [&channel.name; 2],
        what: channel,
    });
    find(known, name, "cli.no-channel", output)
}

/// The bulletin.
///
/// # Errors
/// When no bulletin or more than one is called so.
pub(super) fn bulletin<'w>(
    workspace: &'w Workspace,
    name: &str,
    output: &Output,
) -> anyhow::Result<&'w Bulletin> {
    let known = workspace.bulletins.values().map(|bulletin| Known {
        id: bulletin.id.as_str(),
        names: [&bulletin.title; 2],
        what: bulletin,
    });
    find(known, name, "cli.no-bulletin", output)
}

/// The topic.
///
/// # Errors
/// When no topic or more than one is called so.
pub(super) fn topic<'w>(
    workspace: &'w Workspace,
    name: &str,
    output: &Output,
) -> anyhow::Result<&'w Topic> {
    let known = workspace.topics.values().map(|topic| Known {
        id: topic.id.as_str(),
        names: [&topic.title; 2],
        what: topic,
    });
    find(known, name, "cli.no-topic", output)
}

/// The ward that the log is asked for. One that the files do not have counts where the log has it; else it is refused: an
/// empty log would say that nothing was aired.
///
/// # Errors
/// When neither knows it, or the store fails.
pub(super) async fn recorded_ward(
    workspace: &Workspace,
    store: &Store,
    name: &str,
    output: &Output,
) -> anyhow::Result<WardId> {
    if let Ok(id) = WardId::parse(name) {
        let filter = LogFilter {
            ward: Some(id.clone()),
            ..LogFilter::default()
        };
        if workspace.ward(&id).is_some() || store.has_any(&filter).await? {
            return Ok(id);
        }
    }
    Ok(ward(workspace, name, output)?.id.clone())
}

/// The channel that the log is asked for, as [`recorded_ward`] the ward.
///
/// # Errors
/// As [`recorded_ward`].
pub(super) async fn recorded_channel(
    workspace: &Workspace,
    store: &Store,
    name: &str,
    output: &Output,
) -> anyhow::Result<ChannelId> {
    if let Ok(id) = ChannelId::parse(name) {
        let filter = LogFilter {
            channel: Some(id.clone()),
            ..LogFilter::default()
        };
        if workspace.channels.contains_key(&id) || store.has_any(&filter).await? {
            return Ok(id);
        }
    }
    Ok(channel(workspace, name, output)?.id.clone())
}

/// The schedule that the log is asked for, as [`recorded_ward`] the ward. Schedules have no names beside their ids.
///
/// # Errors
/// As [`recorded_ward`].
pub(super) async fn recorded_schedule(
    workspace: &Workspace,
    store: &Store,
    name: &str,
    output: &Output,
) -> anyhow::Result<ScheduleId> {
    if let Ok(id) = ScheduleId::parse(name) {
        let filter = LogFilter {
            schedule: Some(id.clone()),
            ..LogFilter::default()
        };
        if workspace.schedules.contains_key(&id) || store.has_any(&filter).await? {
            return Ok(id);
        }
    }
    let known = workspace.schedules.keys();
    let known = known.map(|id| (id.as_str(), id.as_str()));
    bail!(unknown(output, "cli.no-schedule", name, known))
}

/// Something that can be named.
struct Known<'w, T> {
    id: &'w str,
    /// What people call it; where there are two ways, the full one first.
    names: [&'w String; 2],
    what: &'w T,
}

fn find<'w, T>(
    known: impl Iterator<Item = Known<'w, T>> + Clone,
    name: &str,
    key: &str,
    output: &Output,
) -> anyhow::Result<&'w T> {
    if let Some(exact) = known.clone().find(|known| known.id == name) {
        return Ok(exact.what);
    }
    if let Some(folded) = id_like(name) {
        let means = |text: &str| id_like(text).as_ref() == Some(&folded);
        let mut same = known
            .clone()
            .filter(|known| means(known.id) || known.names.iter().any(|name| means(name)));
        if let (Some(one), None) = (same.next(), same.next()) {
            return Ok(one.what);
        }
    }
    let known = known.map(|known| (known.id, known.names[0].as_str()));
    bail!(unknown(output, key, name, known))
}

/// "There is no …", with the nearest known name.
pub(super) fn unknown<'a>(
    output: &Output,
    key: &str,
    name: &str,
    known: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let sentence = output.say(key, &[("name", &name)]);
    match nearest(name, known) {
        Some(near) => format!(
            "{sentence} {}",
            output.say("cli.did-you-mean", &[("name", &near)])
        ),
        None => sentence,
    }
}
