//! `loa conformance`: a channel's adapter or recipe through the conformance kit, and what held.

use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use comfy_table::{Table, presets};
use indicatif::ProgressBar;
use serde::Serialize;

use super::{
    Findings, Global, named,
    output::{Format, Output},
    place::{Place, eprint_text, progress},
    run::transport,
    usage::one_of,
};
use crate::{
    adapter::registry::{ChannelProblem, Registry},
    catalogue::Lang,
    clock::Clock,
    conformance::{self, Breach, Finding, Outside, SCENARIOS, Scenario, Subject, Try, Verdict},
    daemon::live::fault,
    domain::{
        channel::{AdapterConfig, AxisConfig, Channel, IcecastConfig, Parameter, SnapcastConfig},
        detail::Detail,
        secret::Secret,
    },
};

/// What to examine.
#[derive(Debug, Args)]
pub(super) struct ConformanceArgs {
    /// The channels, by id or name
    #[arg(required_unless_present = "all")]
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
}

fn word(scenario: Scenario) -> &'static str {
    scenario.id
}

/// What `loa conformance --format json` says of a channel. Fields are only ever added.
#[derive(Debug, Serialize)]
struct Told<'a> {
    channel: &'a str,
    adapter: &'a str,
    holds: bool,
    held: usize,
    broken: usize,
    not_applicable: usize,
    /// How many cannot be judged from here.
    unseen: usize,
    badge: String,
    scenarios: Vec<Row>,
}

/// One scenario of it.
#[derive(Debug, Serialize)]
struct Row {
    scenario: &'static str,
    name: String,
    /// `held`, `broken`, `not-applicable` or `unseen`.
    verdict: &'static str,
    /// What has to come of it.
    expected: String,
    /// What was seen and must not be, as codes; empty where it held.
    breaches: Vec<&'static str>,
    /// The same in words, or why it says nothing about this channel.
    seen: Vec<String>,
    /// Why it matters.
    why: String,
    attempts: Vec<AttemptRow>,
}

/// One attempt of it.
#[derive(Debug, Serialize)]
struct AttemptRow {
    attempt: u32,
    outcome: &'static str,
    reason: Option<&'static str>,
    state: &'static str,
    /// How long until the next one.
    wait_seconds: Option<u64>,
    calls: usize,
}

impl AttemptRow {
    fn of(one: &Try) -> Self {
        Self {
            attempt: one.number,
            outcome: one.outcome.as_str(),
            reason: one.reason.map(crate::domain::delivery::Reason::as_str),
            state: one.next.as_str(),
            wait_seconds: one.wait.map(|wait| wait.as_secs()),
            calls: one.calls,
        }
    }
}

impl Row {
    fn of(finding: &Finding, output: &Output) -> Self {
        let id = finding.scenario.id;
        let say = |key: &str| output.say(&format!("conformance.{key}-{id}"), &[]);
        let (verdict, breaches, seen) = match &finding.verdict {
            Verdict::Held => ("held", Vec::new(), Vec::new()),
            Verdict::Broken(breaches) => (
                "broken",
                breaches.iter().map(|breach| breach.code).collect(),
                breaches.iter().map(|breach| told(breach, output)).collect(),
            ),
            Verdict::Spared(spared) => {
                let key = format!("conformance.spared-{}", spared.as_str());
                ("not-applicable", Vec::new(), vec![output.say(&key, &[])])
            }
            Verdict::Unseen => {
                let args: [(&str, &dyn std::fmt::Display); 1] = [("expected", &say("expected"))];
                let seen = output.say("conformance.unseen-what", &args);
                ("unseen", Vec::new(), vec![seen])
            }
        };
        Self {
            scenario: id,
            name: say("name"),
            verdict,
            expected: say("expected"),
            breaches,
            seen,
            why: say("why"),
            attempts: finding.tries.iter().map(AttemptRow::of).collect(),
        }
    }
}

/// A breach as a sentence.
fn told(breach: &Breach, output: &Output) -> String {
    let arguments: Vec<(&str, String)> = breach
        .arguments
        .iter()
        .map(|(name, value)| {
            let key = match *name {
                "reason" => format!("reason.{value}"),
                "how" | "place" => format!("conformance.{name}-{value}"),
                "met" => {
                    let met = Detail::parse(value).map(|met| output.detail(&met));
                    return (*name, met.unwrap_or_else(|| value.clone()));
                }
                _ => return (*name, value.clone()),
            };
            let is_known = crate::catalogue::has(&key);
            let said = is_known.then(|| output.say(&key, &[]));
            (*name, said.unwrap_or_else(|| value.clone()))
        })
        .collect();
    let arguments: Vec<(&str, &dyn std::fmt::Display)> = arguments
        .iter()
        .map(|(name, value)| (*name, value as &dyn std::fmt::Display))
        .collect();
    output.say(&format!("conformance.breach-{}", breach.code), &arguments)
}

/// Does it.
///
/// # Errors
/// [`Findings`] when something does not hold; others when there is no such channel, or the receiver cannot be set up.
pub(super) async fn run(
    global: &Global,
    args: &ConformanceArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let place = Place::load(global, output)?;
    let channels = chosen(&place, args, output)?;
    if let Some(url) = &args.against {
        return run_against(global, (&place, &channels), args, url, output).await;
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
                begins(channel, scenario, &busy, output);
            }
            is_wanted
        };
        let found = conformance::examine(&subject, is_wanted).await?;
        busy.finish_and_clear();
        all.push((channel, subject.adapter.name().to_owned(), found));
    }
    tell(&all, args, output)
}

/// Does it at a real test address.
async fn run_against(
    global: &Global,
    (place, channels): (&Place, &[&Channel]),
    args: &ConformanceArgs,
    url: &str,
    output: &Output,
) -> anyhow::Result<()> {
    let mut workspace = (*place.workspace).clone();
    for channel in channels {
        let named: [(&str, &dyn std::fmt::Display); 1] = [("channel", &channel.id)];
        if !channel.test {
            bail!(output.say("conformance.not-test", &named));
        }
        let moved = moved(&channel.adapter, url);
        let Some(moved) = moved else {
            bail!(output.say("conformance.no-address", &named));
        };
        if let Some(channel) = workspace.channels.get_mut(&channel.id) {
            channel.adapter = moved;
        }
    }
    let (registry, problems) = place.secrets.registry(&workspace);
    let (transport, city) = transport(global, place, output).await?;
    let clock = Clock::system();
    let words = crate::catalogue::text(Lang::Vi, "cli.test-words", &[]);
    let outside = Outside {
        transport: &transport,
        words: &words,
    };
    let mut all = Vec::new();
    for channel in channels {
        let subject = subject(place, channel, (&registry, &problems), Vec::new(), output)?;
        let busy = progress(&output.say("conformance.busy", &[("channel", &channel.id)]));
        let is_wanted = |scenario: &Scenario| {
            let is_wanted = args.only.is_empty() || args.only.contains(scenario);
            if is_wanted {
                begins(channel, scenario, &busy, output);
            }
            is_wanted
        };
        let now = || clock.now();
        let found = conformance::examine_outside(&subject, &outside, now, is_wanted).await;
        busy.finish_and_clear();
        all.push((*channel, subject.adapter.name().to_owned(), found));
    }
    if let Some(city) = city {
        city.shutdown().await;
    }
    tell(&all, args, output)
}

/// Says which scenario begins: on a terminal in place of the one before, else as a line, for minutes may go by until the table.
fn begins(channel: &Channel, scenario: &Scenario, busy: &ProgressBar, output: &Output) {
    let name = output.say(&format!("conformance.name-{}", scenario.id), &[]);
    let line = output.say(
        "conformance.begins",
        &[("channel", &channel.id), ("name", &name)],
    );
    if busy.is_hidden() {
        eprint_text(&line);
    } else {
        busy.set_message(line);
    }
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
    })
}

/// The same way to a channel, with another address.
fn moved(config: &AdapterConfig, url: &str) -> Option<AdapterConfig> {
    let url = url.to_owned();
    Some(match config.clone() {
        AdapterConfig::Recipe { recipe, with } => {
            with.get("url")?;
            let moved = with.iter().map(|(name, value)| {
                let is_address = name == "url";
                let value = if is_address {
                    Parameter::Plain(url.clone())
                } else {
                    value.clone()
                };
                (name.to_owned(), value)
            });
            let with = moved.collect();
            AdapterConfig::Recipe { recipe, with }
        }
        AdapterConfig::Webhook { secrets, .. } => AdapterConfig::Webhook { url, secrets },
        AdapterConfig::Axis(axis) => AdapterConfig::Axis(AxisConfig { url, ..axis }),
        AdapterConfig::Icecast(icecast) => AdapterConfig::Icecast(IcecastConfig { url, ..icecast }),
        AdapterConfig::Snapcast(snapcast) => {
            AdapterConfig::Snapcast(SnapcastConfig { url, ..snapcast })
        }
        AdapterConfig::Zalo(_)
        | AdapterConfig::Screen(_)
        | AdapterConfig::Vnpt(_)
        | AdapterConfig::Email(_) => return None,
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

type Examined<'a> = (&'a Channel, String, conformance::Findings);

fn tell(all: &[Examined<'_>], args: &ConformanceArgs, output: &Output) -> anyhow::Result<()> {
    let told: Vec<Told<'_>> = all
        .iter()
        .map(|(channel, adapter, found)| Told {
            channel: channel.id.as_str(),
            adapter,
            holds: found.broken() == 0,
            held: found.held(),
            broken: found.broken(),
            not_applicable: found.spared(),
            unseen: found.unseen(),
            badge: found.badge(),
            scenarios: found.all.iter().map(|one| Row::of(one, output)).collect(),
        })
        .collect();
    match output.format {
        Format::Json => output.json(&told)?,
        Format::Text if args.badge => {
            for one in &told {
                output.line(&format!("`{}` | {}", one.adapter, one.badge))?;
            }
        }
        Format::Text => {
            for one in &told {
                show(one, args, output)?;
            }
        }
    }
    let broken: Vec<&str> = told
        .iter()
        .filter(|one| !one.holds)
        .map(|one| one.channel)
        .collect();
    if broken.is_empty() {
        return Ok(());
    }
    let channels = broken.join(", ");
    Err(Findings(output.say("conformance.not-all", &[("channels", &channels)])).into())
}

fn show(told: &Told<'_>, args: &ConformanceArgs, output: &Output) -> anyhow::Result<()> {
    let url = args.against.as_deref().unwrap_or_default();
    let key = if args.against.is_some() {
        "conformance.head-against"
    } else {
        "conformance.head"
    };
    let named: [(&str, &dyn std::fmt::Display); 3] = [
        ("channel", &told.channel),
        ("adapter", &told.adapter),
        ("url", &url),
    ];
    output.line(&output.say(key, &named))?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for row in &told.scenarios {
        let verdict = output.say(&format!("conformance.{}", row.verdict), &[]);
        let said = match row.verdict {
            "held" => row.expected.clone(),
            "broken" => {
                let args: [(&str, &dyn std::fmt::Display); 3] = [
                    ("seen", &row.seen.join(" ")),
                    ("expected", &row.expected),
                    ("why", &row.why),
                ];
                output.say("conformance.instead", &args)
            }
            _ => row.seen.join(" "),
        };
        table.add_row([verdict, row.name.clone(), said]);
    }
    output.line(&table.trim_fmt())?;
    let sum = if args.against.is_some() {
        "conformance.sum-against"
    } else {
        "conformance.sum"
    };
    output.line(&output.say(
        sum,
        &[
            ("held", &told.held),
            ("broken", &told.broken),
            ("unseen", &told.unseen),
            ("spared", &told.not_applicable),
        ],
    ))?;
    if args.against.is_some() {
        return Ok(output.line(&output.say("conformance.look", &[]))?);
    }
    if !args.only.is_empty() {
        return Ok(());
    }
    let badge = format!("`{}` | {}", told.adapter, told.badge);
    output.line(&output.say("conformance.badge", &[("line", &badge)]))?;
    Ok(())
}
