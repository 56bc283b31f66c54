//! What stands before an emergency: its scale, in words that whoever sends it types again.

use std::collections::BTreeSet;

use anyhow::bail;

use crate::{
    cli::{output::Output, place::Place},
    domain::{
        approval::fold_name,
        bulletin::Priority,
        channel::{Channel, ChannelKind},
        id::WardId,
        ward::WardKind,
    },
};

/// How far a send reaches: `16 phường, 9 xã, 50 cụm loa`; one ward by its name.
pub(super) fn scale(place: &Place, channels: &[&Channel], output: &Output) -> String {
    let workspace = &place.workspace;
    let city = &workspace.settings.city;
    let wards: BTreeSet<&WardId> = channels
        .iter()
        .map(|channel| &channel.ward)
        .filter(|ward| **ward != city.id)
        .collect();
    let has_city = channels.iter().any(|channel| channel.ward == city.id);
    let mut parts = Vec::new();
    if has_city {
        parts.push(city.name.clone());
    }
    match wards.iter().collect::<Vec<_>>()[..] {
        [only] if !has_city => parts.extend(workspace.ward(only).map(|ward| ward.name.clone())),
        ref several => {
            for (kind, key) in [
                (WardKind::Phuong, "cli.scale-phuong"),
                (WardKind::Xa, "cli.scale-xa"),
            ] {
                let is_so =
                    |ward: &&&&WardId| workspace.ward(ward).is_some_and(|ward| ward.kind == kind);
                let count = several.iter().filter(is_so).count();
                if count > 0 {
                    parts.push(output.say(key, &[("count", &count)]));
                }
            }
        }
    }
    for kind in ChannelKind::ALL {
        let count = channels
            .iter()
            .filter(|channel| channel.kind == kind)
            .count();
        if count > 0 {
            let key = format!("cli.scale-{}", kind.as_str());
            parts.push(output.say(&key, &[("count", &count)]));
        }
    }
    parts.join(", ")
}

/// Goes on only where whoever sends an emergency has typed its scale. Anything else may be confirmed, and then has to be right.
///
/// # Errors
/// Says the scale and what to type, where nothing or something else was typed.
pub(super) fn confirmed(
    scale: &str,
    priority: Priority,
    confirm: Option<&str>,
    output: &Output,
) -> anyhow::Result<()> {
    let key = match confirm {
        Some(typed) if fold_name(typed) == fold_name(scale) => return Ok(()),
        Some(_) => "cli.send-confirm-wrong",
        None if priority == Priority::Emergency => "cli.send-confirm",
        None => return Ok(()),
    };
    bail!(output.say(key, &[("scale", &scale)]))
}
