//! `loa send`: a bulletin, now, by a named person for a stated reason.

mod refused;
mod urgent;

use std::time::Duration;

use anyhow::bail;
use clap::Args;

use refused::Refused;

use super::{
    Global, named,
    output::{Format, Output, local, rfc3339},
    place::Place,
    usage::one_of,
};
use crate::{
    domain::{
        approval::Required,
        bulletin::{Bulletin, Priority},
        calendar,
        channel::{Channel, ChannelKind},
        id::{DeliveryId, ScheduleId},
        plan::PlannedDelivery,
        policy::Verdict,
        schedule::Targets,
        time::Timestamp,
    },
    render::Renderer,
    store::{Store, World},
    version::bulletin_version,
};

/// How long a send by hand may take to begin.
const DEADLINE: Duration = Duration::from_mins(10);

/// What to send, where, by whom and why.
#[derive(Debug, Args)]
pub(super) struct SendArgs {
    /// The bulletin
    bulletin: String,
    /// Where: `all`, or filters joined by commas, as in `kind:loudspeaker,ward:hung-binh` or `channel:web-le-loi`
    #[arg(long, value_name = "SELECTOR")]
    to: String,
    /// Who sends it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// How urgent it is (default: as its bulletin)
    #[arg(long, value_name = "PRIORITY", value_parser = one_of(&Priority::ALL, Priority::as_str))]
    priority: Option<Priority>,
    /// The scale of an emergency, typed again as the command shows it without this option
    #[arg(long, value_name = "TEXT")]
    confirm: Option<String>,
    /// Only to channels with `test: true`; the words say that it is a test
    #[arg(long)]
    test: bool,
}

/// Writes the deliveries into the database; a daemon that runs sends them within seconds.
///
/// # Errors
/// When the bulletin or selector is not understood, the bulletin may not air today, the rules for what is heard refuse it
/// everywhere, or the store fails.
pub(super) async fn run(global: &Global, args: &SendArgs, output: &Output) -> anyhow::Result<()> {
    let place = Place::load(global, output)?;
    if args.by.trim().is_empty() || args.reason.trim().is_empty() {
        bail!(output.say("cli.send-by-and-reason", &[]));
    }
    let workspace = &place.workspace;
    let bulletin = named::bulletin(workspace, &args.bulletin, output)?;
    let channels = channels(&place, args, bulletin, output)?;
    let priority = args.priority.unwrap_or(bulletin.priority);
    let scale = urgent::scale(&place, &channels, output);
    urgent::confirmed(&scale, priority, args.confirm.as_deref(), output)?;
    let store = place.store(false).await?;
    let now = place.now(&store).await?;
    let today = calendar::local(now, place.zone()).date();
    if !bulletin.valid.contains(today) {
        bail!(output.say(
            "cli.send-not-valid",
            &[("bulletin", &bulletin.id), ("day", &today)]
        ));
    }
    approved(&place, &store, bulletin, priority, output).await?;
    let Some((revision, _)) = store.revision().await? else {
        bail!(output.say("cli.send-no-daemon-ever", &[]));
    };
    if revision != workspace.revision {
        bail!(output.say("cli.send-other-revision", &[]));
    }
    // The instant and the person make the name, so that the same command twice is two sends.
    let token =
        blake3::hash(format!("{}\0{}\0{}", args.by, args.bulletin, now.as_micros()).as_bytes())
            .to_hex();
    let schedule = if args.test {
        ScheduleId::test(&token[..10])
    } else {
        ScheduleId::by_hand(&token[..10])
    };
    let (planned, refused): (Vec<_>, Vec<_>) = channels
        .iter()
        .map(|channel| by_hand(&place, &schedule, (bulletin, priority), channel, now))
        .partition(|(delivery, _)| delivery.skip.is_none());
    if planned.is_empty() {
        bail!(refused::said(&refused, &place, output).join("\n"));
    }
    let planned: Vec<_> = planned.into_iter().map(|(delivery, _)| delivery).collect();
    let ids: Vec<DeliveryId> = planned.iter().map(|delivery| delivery.id.clone()).collect();
    // In a simulation that stands still the same command comes at the same instant.
    let known = store.known(&ids).await?.len();
    if known < ids.len() {
        let urgency = match priority {
            Priority::Emergency => format!(" ({}, {scale})", priority.as_str()),
            Priority::Priority | Priority::Normal => String::new(),
        };
        let detail = format!("{} → {}{urgency}: {}", bulletin.id, args.to, args.reason);
        store
            .journal("sent-by-hand", None, &args.by, &detail, now)
            .await?;
    }
    let made = store.plan(&planned, &revision, now).await?;
    // What the rules keep out stands on record, too: somebody wanted it to be heard.
    let left_out: Vec<_> = refused
        .iter()
        .map(|(delivery, _)| delivery.clone())
        .collect();
    store.plan(&left_out, &revision, now).await?;
    let running = running(&place, &store, now).await?;
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "schedule": schedule,
            "due": rfc3339(now, place.zone()),
            "deliveries": ids,
            "new": made.inserted,
            "refused": refused.iter().map(|refused| refused::row(refused, &place)).collect::<Vec<_>>(),
            "daemon_running": running,
        }))?,
        Format::Text => {
            let (key, count) = match made.inserted {
                0 => ("cli.sent-before", ids.len() as u64),
                new if args.test => ("cli.sent-test", new),
                new => ("cli.sent", new),
            };
            let title = bulletin.title.as_str();
            output.line(&output.say(key, &[("count", &count), ("title", &title)]))?;
            let key = match running {
                Some(true) => "cli.send-soon",
                Some(false) => "cli.send-not-running",
                None => "cli.send-simulated",
            };
            output.line(&output.say(key, &[("at", &local(now, place.zone()))]))?;
            for line in refused::said(&refused, &place, output) {
                output.line(&line)?;
            }
        }
    }
    Ok(())
}

/// The channels that are meant; each has to get something of the bulletin.
fn channels<'p>(
    place: &'p Place,
    args: &SendArgs,
    bulletin: &Bulletin,
    output: &Output,
) -> anyhow::Result<Vec<&'p Channel>> {
    let targets = parse_selector(&args.to, place, output)?;
    let channels: Vec<&Channel> = place
        .workspace
        .channels
        .values()
        .filter(|channel| {
            if args.test {
                targets.include_in_test(channel)
            } else {
                targets.include(channel)
            }
        })
        .collect();
    if channels.is_empty() {
        let key = if args.test {
            "cli.send-no-test-channel"
        } else {
            "cli.send-nowhere"
        };
        bail!(output.say(key, &[("selector", &args.to)]));
    }
    if let Some(channel) = channels
        .iter()
        .find(|channel| !bulletin.has(channel.format))
    {
        bail!(output.say(
            "cli.send-no-format",
            &[
                ("format", &channel.format.as_str()),
                ("channel", &channel.id)
            ]
        ));
    }
    Ok(channels)
}

/// Whether a daemon is there to send it. `None` in a simulation: whether that stands still or goes on cannot be seen from
/// its clock.
async fn running(place: &Place, store: &Store, now: Timestamp) -> anyhow::Result<Option<bool>> {
    if place.world == World::Simulated {
        return Ok(None);
    }
    let alive = store.last_alive().await?;
    Ok(Some(alive.is_some_and(|alive| {
        now.since(alive) < Duration::from_mins(1)
    })))
}

/// Only the present words, and only approved ones, are sent by hand.
async fn approved(
    place: &Place,
    store: &Store,
    bulletin: &Bulletin,
    priority: Priority,
    output: &Output,
) -> anyhow::Result<()> {
    let workspace = &place.workspace;
    if workspace.settings.approval.required == Required::Off {
        if priority == Priority::Emergency {
            bail!(output.say("cli.send-emergency", &[]));
        }
        return Ok(());
    }
    let (renderer, _) = Renderer::new(workspace);
    let version = bulletin_version(workspace, &renderer, bulletin);
    let standings = store.standings(&[version.subject.clone()].into()).await?;
    let standing = &standings[&version.subject];
    let needed = workspace.settings.approval.needed(priority);
    if standing.allows_with(&version.hash, needed) {
        return Ok(());
    }
    let hash = version.hash.short();
    if standing.allows(&version.hash) {
        let count = standing.counted(&version.hash).len();
        bail!(output.say(
            "approval.send-needs-more",
            &[
                ("id", &bulletin.id),
                ("hash", &hash),
                ("count", &count),
                ("needed", &needed)
            ]
        ));
    }
    bail!(output.say(
        "approval.send-unapproved",
        &[("id", &bulletin.id), ("hash", &hash)]
    ))
}

fn by_hand(
    place: &Place,
    schedule: &ScheduleId,
    (bulletin, priority): (&Bulletin, Priority),
    channel: &Channel,
    now: Timestamp,
) -> Refused {
    let workspace = &place.workspace;
    let length = workspace.airtime(&bulletin.id, channel);
    let verdict = length.map(|length| {
        let (ward, zone) = (&channel.ward, workspace.settings.zone);
        workspace.policy.judge(ward, zone, priority, now, length)
    });
    let (limit, skip, next) = match verdict {
        None => (None, None, None),
        Some(Verdict::Permitted(limit)) => (limit, None, None),
        Some(Verdict::Refused { why, next }) => (None, Some(why), next.map(|(at, _)| at)),
    };
    let begun = limit
        .as_ref()
        .map(|limit| limit.over - length.unwrap_or_default());
    let delivery = PlannedDelivery {
        id: DeliveryId::of(schedule, now, &channel.id),
        schedule: schedule.clone(),
        scheduled: now,
        part: 0,
        due: now,
        deadline: begun.map_or(now + DEADLINE, |begun| begun.min(now + DEADLINE)),
        late: false,
        channel: channel.id.clone(),
        channel_name: channel.name.clone(),
        kind: channel.kind,
        format: channel.format,
        mode: channel.mode,
        ward: channel.ward.clone(),
        ward_name: workspace
            .ward(&channel.ward)
            .map_or_else(String::new, |ward| ward.name.clone()),
        bulletin: Some(bulletin.id.clone()),
        topic: Some(bulletin.topic.clone()),
        priority,
        // What is a test is nobody's airtime.
        length: length.filter(|_| !schedule.is_test()),
        limit,
        skip,
    };
    (delivery, next)
}

/// Reads `all`, or `kind:…`, `ward:…`, `channel:…`, `except:…` joined by commas; repeated filters of one sort are
/// alternatives.
fn parse_selector(text: &str, place: &Place, output: &Output) -> anyhow::Result<Targets> {
    let mut targets = Targets::default();
    if text.trim() == "all" {
        return Ok(targets);
    }
    for part in text.split(',').map(str::trim) {
        let Some((filter, name)) = part.split_once(':') else {
            bail!(output.say("cli.bad-selector", &[("part", &part)]));
        };
        match filter {
            "kind" => match ChannelKind::parse(name) {
                Some(kind) => targets.kind = Some(kind),
                None => bail!(output.say("cli.no-kind", &[("name", &name)])),
            },
            "ward" => {
                let ward = named::ward(&place.workspace, name, output)?;
                targets.wards.push(ward.id.clone());
            }
            "channel" | "except" => {
                let channel = named::channel(&place.workspace, name, output)?;
                let list = if filter == "channel" {
                    &mut targets.channels
                } else {
                    &mut targets.except
                };
                list.push(channel.id.clone());
            }
            _ => bail!(output.say("cli.bad-selector", &[("part", &part)])),
        }
    }
    Ok(targets)
}
