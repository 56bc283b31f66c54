//! `loa channels`: the destinations, and whether each is alive.

use std::sync::Arc;

use clap::Args;
use comfy_table::{Table, presets};
use serde::Serialize;

use super::{
    Findings, Global,
    output::{Format, Output},
    place::{Place, progress},
    run::transport,
};
use crate::{
    adapter::{Adapter, Failure, attempt, registry::Registry},
    clock::Clock,
    daemon::live::fault,
    domain::{delivery::Reason, detail::Detail},
};

/// What to show.
#[derive(Debug, Args)]
pub(super) struct ChannelsArgs {
    /// Ask each channel whether it is alive; nothing is broadcast
    #[arg(long)]
    probe: bool,
}

/// A row of `loa channels --format json`.
#[derive(Debug, Serialize)]
struct Row<'a> {
    channel: &'a str,
    name: &'a str,
    ward: &'a str,
    kind: &'static str,
    mode: &'static str,
    adapter: String,
    /// `alive`, `dead`, `cannot-be-asked`, or absent without `--probe`.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// What exactly was met, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip)]
    why: Option<String>,
}

/// Lists the channels.
///
/// # Errors
/// [`Findings`] when a probed channel does not answer or cannot be used.
pub(super) async fn run(
    global: &Global,
    args: &ChannelsArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let place = Place::load(global, output)?;
    let (registry, problems) = Registry::new(&place.workspace, &|reference| {
        place.secrets.resolve(reference)
    });
    let clock = Clock::system();
    let asked = args
        .probe
        .then(|| progress(&output.say("cli.probing", &[])));
    let (transport, city) = if args.probe {
        let (transport, city) = transport(global, &place, output).await?;
        (Some(transport), city)
    } else {
        (None, None)
    };
    let mut rows = Vec::new();
    for channel in place.workspace.channels.values() {
        let adapter = registry.get(&channel.id);
        let (health, failure) = match (&transport, adapter) {
            (None, _) => (None, None),
            (Some(_), None) => {
                let mut mistakes = problems.iter();
                let why = mistakes.find(|problem| problem.channel == channel.id);
                let detail = why.map(|problem| String::from(fault(&problem.kind)));
                let failure = Failure::reject(Reason::Unwritable, detail.unwrap_or_default());
                (Some("dead"), Some(failure))
            }
            (Some(transport), Some(adapter)) => ask(adapter, transport, &clock).await,
        };
        let known = failure
            .as_ref()
            .and_then(|failure| Detail::parse(failure.detail()));
        let detail = known.as_ref().map(|detail| output.detail(detail));
        let why = failure.as_ref().map(|failure| {
            let said = output.say(&format!("reason.{}", failure.reason().as_str()), &[]);
            match (&known, &detail) {
                (Some(known), Some(detail)) if known.stands_beside() => format!("{said}. {detail}"),
                (Some(_), Some(detail)) => detail.clone(),
                _ => said,
            }
        });
        rows.push(Row {
            channel: channel.id.as_str(),
            name: &channel.name,
            ward: channel.ward.as_str(),
            kind: channel.kind.as_str(),
            mode: channel.mode.as_str(),
            adapter: adapter.map_or_else(String::new, |adapter| adapter.name().to_owned()),
            health,
            reason: failure.as_ref().map(|failure| failure.reason().as_str()),
            detail,
            why,
        });
    }
    if let Some(bar) = asked {
        bar.finish_and_clear();
    }
    if let Some(city) = city {
        city.shutdown().await;
    }
    let dead = rows.iter().filter(|row| row.health == Some("dead")).count();
    match output.format {
        Format::Json => output.json(&rows)?,
        Format::Text => {
            let mut table = Table::new();
            table.load_style(presets::NOTHING);
            for row in &rows {
                let health = row
                    .health
                    .map(|word| output.say(&format!("cli.health-{word}"), &[]))
                    .unwrap_or_default();
                let why = row.why.as_deref().unwrap_or_default();
                table.add_row([
                    row.channel,
                    row.name,
                    &output.say(&format!("state.kind-{}", row.kind), &[]),
                    &health,
                    why,
                ]);
            }
            output.line(&table.trim_fmt())?;
            // With `--probe` each stands in its channel's row.
            for problem in problems.iter().filter(|_| !args.probe) {
                let told = output.detail(&fault(&problem.kind));
                output.line(&format!("{}: {told}", problem.channel))?;
            }
        }
    }
    if dead > 0 || !problems.is_empty() {
        let count = dead.max(problems.len());
        return Err(Findings(output.say("cli.channels-dead", &[("count", &count)])).into());
    }
    Ok(())
}

async fn ask(
    adapter: &Arc<dyn Adapter>,
    transport: &crate::adapter::transport::Transport,
    clock: &Clock,
) -> (Option<&'static str>, Option<Failure>) {
    match attempt::probe(adapter.as_ref(), transport, || clock.now()).await {
        None => (Some("cannot-be-asked"), None),
        Some(Ok(())) => (Some("alive"), None),
        Some(Err(failure)) => (Some("dead"), Some(failure)),
    }
}
