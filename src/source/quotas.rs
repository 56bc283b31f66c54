//! Channels of accounts of which it is known what remains of their quotas, and what of the plan goes beyond that, as diagnostics at their
//! lines. Warnings: what remains is on record where the daemon runs, and files are checked on many machines.

use std::collections::BTreeMap;

use super::raw::channel::{RawAdapter, RawChannel};
use crate::{
    diagnostic::{Code, Diagnostic, Phrase, Place},
    domain::{
        calendar::local, channel::AdapterConfig, id::ChannelId, quota::Over, time::Timestamp,
        workspace::Workspace,
    },
};

/// Where the channels stand that say under which name their quota is asked for.
pub type Metered = BTreeMap<ChannelId, Place>;

/// Those of these channels.
pub(super) fn metered(channels: &[RawChannel]) -> Metered {
    let metered = channels.iter().filter_map(|raw| match &raw.adapter {
        Some(RawAdapter::Other(AdapterConfig::Zalo(config))) => {
            config.quota.product.as_ref()?;
            Some((raw.id.clone(), raw.at.clone()))
        }
        _ => None,
    });
    metered.collect()
}

/// Says of each channel from when on the plan of `workspace` goes beyond what remained.
#[must_use]
pub fn report(workspace: &Workspace, metered: &Metered, over: &[Over]) -> Vec<Diagnostic> {
    let zone = workspace.settings.zone;
    let day = |at: Timestamp| local(at, zone).format("%d/%m/%Y").to_string();
    let mut first: BTreeMap<&ChannelId, (&Over, usize)> = BTreeMap::new();
    for one in over {
        first.entry(&one.channel).or_insert((one, 0)).1 += 1;
    }
    let judged = first.into_iter().filter_map(|(channel, (over, count))| {
        let help = Phrase::new("L262-help-remain")
            .with("remain", over.of.remain.to_string())
            .with("count", count)
            .with(
                "read",
                local(over.of.read, zone)
                    .format("%H:%M %d/%m/%Y")
                    .to_string(),
            );
        let diagnostic = Diagnostic::new(Code::OverQuota, metered.get(channel)?.clone())
            .with("channel", channel.as_str())
            .with("day", day(over.due));
        Some(diagnostic.help(help))
    });
    judged.collect()
}
