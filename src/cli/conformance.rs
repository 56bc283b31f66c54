//! `loa conformance`: a channel's adapter or recipe through the conformance kit, and what held.

mod against;
mod listing;
mod report;

use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use indicatif::ProgressBar;

use super::{
    Global, named,
    output::Output,
    place::{Place, progress},
    usage::one_of,
};
use crate::{
    adapter::registry::{ChannelProblem, Registry},
    conformance::{self, SCENARIOS, Scenario, Subject},
    daemon::live::fault,
    domain::{channel::Channel, secret::Secret},
};

/// What to examine.
#[derive(Debug, Args)]
pub(super) struct ConformanceArgs {
    /// The channels, by id or name
    #[arg(required_unless_present_any = ["all", "scenarios"])]
    channels: Vec<String>,
    /// One channel of each recipe and adapter that the workspace uses
    #[arg(long, conflicts_with = "channels")]
    all: bool,
    /// Only this scenario, as JSON calls it; may be given several times
    #[arg(long, value_name = "SCENARIO", value_parser = one_of(SCENARIOS, word))]
    only: Vec<Scenario>,
    /// Only the line for the README's table of adapters
    #[arg(long, conflicts_with = "only")]
    badge: bool,
    /// Really send to this test address in place of the receiver on this machine; only for channels with `test: true`
    #[arg(long, value_name = "URL", conflicts_with_all = ["all", "badge"])]
    against: Option<String>,
    /// List the scenarios and what may be found, with the words by which JSON calls them
    #[arg(long, conflicts_with_all = ["channels", "all", "only", "badge", "against"])]
    scenarios: bool,
}

fn word(scenario: Scenario) -> &'static str {
    scenario.id
}

/// Does it.
///
/// # Errors
/// [`super::Findings`] when something does not hold; others when there is no such channel, or the receiver cannot be set up.
pub(super) async fn run(
    global: &Global,
    args: &ConformanceArgs,
    output: &Output,
) -> anyhow::Result<()> {
    if args.scenarios {
        return listing::list(output);
    }
    let place = Place::load(global, output)?;
    let channels = chosen(&place, args, output)?;
    if let Some(url) = &args.against {
        return against::run(global, (&place, &channels), args, url, output).await;
    }
    // Every secret is worth the same here: none is read.
    let (registry, problems) = Registry::with_stand_ins(&place.workspace, &|_| Secret::simulated());
    let mut all = Vec::new();
    for channel in channels {
        let subject = subject(
            &place,
            channel,
            (&registry, &problems),
            vec![Secret::simulated()],
            output,
        )?;
        let busy = progress(&output.say("conformance.busy", &[("channel", &channel.id)]));
        let is_wanted = |scenario: &Scenario| {
            let is_wanted = args.only.is_empty() || args.only.contains(scenario);
            if is_wanted {
                begins(channel, &name(scenario, output), &busy, output);
            }
            is_wanted
        };
        let found = conformance::examine(&subject, is_wanted).await?;
        busy.finish_and_clear();
        all.push(report::Examined::played(channel, &subject, found));
    }
    report::tell(&place, &all, args, output)
}

/// Says which scenario begins, for minutes may go by until the table: on a terminal, in place of the one before. Whoever keeps what is
/// said there gets the table alone.
fn begins(channel: &Channel, name: &str, busy: &ProgressBar, output: &Output) {
    let line = output.say(
        "conformance.begins",
        &[("channel", &channel.id), ("name", &name)],
    );
    busy.set_message(line);
}

/// What people call a scenario.
fn name(scenario: &Scenario, output: &Output) -> String {
    output.say(&format!("conformance.name-{}", scenario.id), &[])
}

/// A channel with its adapter.
///
/// # Errors
/// Why it has none.
fn subject<'p>(
    place: &'p Place,
    channel: &'p Channel,
    (registry, problems): (&Registry, &[ChannelProblem]),
    secrets: Vec<Secret>,
    output: &Output,
) -> anyhow::Result<Subject<'p>> {
    let Some(adapter) = registry.get(&channel.id) else {
        let mut problems = problems.iter();
        let why = problems.find(|problem| problem.channel == channel.id);
        let why = why.map(|problem| output.detail(&fault(&problem.kind)));
        bail!(why.unwrap_or_default());
    };
    let ward = place.workspace.ward(&channel.ward);
    Ok(Subject {
        channel,
        ward_name: ward.map_or("", |ward| &ward.name),
        adapter: Arc::clone(adapter),
        secrets,
        warnings: conformance::warned(channel, &place.diagnostics),
    })
}

/// The channels that are named, or one of each sort.
fn chosen<'p>(
    place: &'p Place,
    args: &ConformanceArgs,
    output: &Output,
) -> anyhow::Result<Vec<&'p Channel>> {
    let workspace = &place.workspace;
    if !args.all {
        let named = args.channels.iter();
        return named
            .map(|name| named::channel(workspace, name, output))
            .collect();
    }
    let mut sorts = Vec::new();
    let mut chosen = Vec::new();
    for channel in workspace.channels.values() {
        let sort = (
            channel.adapter.facts().word,
            channel.format,
            channel.mode,
            channel.audio,
        );
        if !sorts.contains(&sort) {
            sorts.push(sort);
            chosen.push(channel);
        }
    }
    Ok(chosen)
}
