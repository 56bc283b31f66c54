//! `loa send`: a bulletin, now, by a named person for a stated reason.

mod place;
mod urgent;

use std::time::Duration;

use anyhow::bail;
use clap::Args;

use place::{Outcome, Wanted, refused_row, refused_said, why_row};

use super::{
    Global, named,
    output::{Format, Output, local, rfc3339},
    place::Place,
    subject::{contents, signed},
    usage::{length, one_of},
};
use crate::{
    domain::{
        approval::Required,
        bulletin::{Bulletin, Priority},
        calendar,
        channel::{Channel, ChannelKind},
        id::{DeliveryId, ScheduleId},
        plan::air::Air,
        schedule::Targets,
        time::Timestamp,
    },
    render::Renderer,
    store::{ALIVE, Store, World},
    version::bulletin_version,
};

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
    /// How long a loudspeaker may wait for its place on air
    #[arg(long, value_name = "LENGTH", default_value = "30m", value_parser = length)]
    within: Duration,
    /// Says when each area would hear it and what gives way, and sends nothing
    #[arg(long)]
    dry_run: bool,
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
    let store = if args.dry_run {
        place.reading(output).await?
    } else {
        place.desk(output).await?
    };
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
    let wanted = Wanted {
        place: &place,
        schedule,
        bulletin,
        priority,
        within: args.within,
        pauses: store.pauses(now).await?,
        now,
    };
    let span = Air::reach(workspace, now, now + args.within);
    if args.dry_run {
        let outcome = Outcome::of(&wanted, &channels, store.on_air(span).await?);
        return shown(&wanted, &outcome, 0, Sender::Nobody, output);
    }
    let mut outcome = Outcome::default();
    let new = store
        .send(&revision, span, now, |on_air| {
            outcome = Outcome::of(&wanted, &channels, on_air);
            outcome.sending()
        })
        .await?;
    if outcome.sent.is_empty() {
        bail!(refused_said(&outcome.refused, &place, output).join("\n"));
    }
    // In a simulation that stands still the same command comes at the same instant.
    if new > 0 {
        let urgency = match priority {
            Priority::Emergency => format!(" ({}, {scale})", priority.as_str()),
            Priority::Priority | Priority::Normal => String::new(),
        };
        let detail = format!("{} → {}{urgency}: {}", bulletin.id, args.to, args.reason);
        store
            .journal("sent-by-hand", None, &args.by, &detail, now)
            .await?;
    }
    let new = new.saturating_sub(outcome.refused.len() as u64);
    let sender = sender(&place, &store, now).await?;
    shown(&wanted, &outcome, new, sender, output)
}

/// Who sends what was queued.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// Nothing was queued.
    Nobody,
    /// A simulated daemon: whether it stands still or goes on cannot be seen from its clock.
    Simulated,
    /// A daemon that is there, or is not.
    Daemon(bool),
}

/// Says what was queued, when each area hears it and where it is not heard.
fn shown(
    wanted: &Wanted<'_>,
    outcome: &Outcome,
    new: u64,
    sender: Sender,
    output: &Output,
) -> anyhow::Result<()> {
    let (place, now) = (wanted.place, wanted.now);
    if output.format == Format::Json {
        let ids: Vec<&DeliveryId> = outcome.sent.iter().map(|(one, _)| &one.id).collect();
        output.json(&serde_json::json!({
            "schedule": wanted.schedule,
            "due": rfc3339(now, place.zone()),
            "deliveries": ids,
            "sent": outcome.rows(place),
            "uses_up": outcome.uses_up(wanted).iter().map(|(one, why)| serde_json::json!({
                "delivery": one.id,
                "channel": one.channel,
                "due": rfc3339(one.from, place.zone()),
                "why": why_row(why),
            })).collect::<Vec<_>>(),
            "gives_way": outcome.settled.gives_way.iter().map(|one| &one.id).collect::<Vec<_>>(),
            "new": new,
            "refused": outcome.refused.iter().map(|refused| refused_row(refused, place)).collect::<Vec<_>>(),
            "dry_run": sender == Sender::Nobody,
            "daemon_running": match sender {
                Sender::Nobody | Sender::Simulated => None,
                Sender::Daemon(is_running) => Some(is_running),
            },
        }))?;
        return Ok(());
    }
    let count = outcome.sent.len() as u64;
    let (key, count) = match new {
        _ if sender == Sender::Nobody => ("cli.send-dry-run", count),
        0 => ("cli.sent-before", count),
        new if wanted.schedule.is_test() => ("cli.sent-test", new),
        new => ("cli.sent", new),
    };
    let title = wanted.bulletin.title.as_str();
    output.line(&output.say(key, &[("count", &count), ("title", &title)]))?;
    for line in outcome.said(wanted, output) {
        output.line(&line)?;
    }
    let key = match sender {
        Sender::Nobody => return Ok(()),
        Sender::Daemon(true) => "cli.send-soon",
        Sender::Daemon(false) => "cli.send-not-running",
        Sender::Simulated => "cli.send-simulated",
    };
    output.line(&output.say(key, &[("at", &local(now, place.zone()))]))?;
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
    // What is named and never meant is said to be what it is; to leave it out silently would look like a slip.
    for id in &targets.channels {
        let Some(channel) = place.workspace.channels.get(id) else {
            continue;
        };
        let key = match (channel.operator, channel.test, args.test) {
            (true, ..) => "cli.send-to-operator",
            (false, true, false) => "cli.send-to-test-channel",
            (false, false, true) => "cli.send-test-to-real",
            _ => continue,
        };
        bail!(output.say(key, &[("channel", id), ("name", &channel.name)]));
    }
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

/// Whether a daemon is there to send it.
async fn sender(place: &Place, store: &Store, now: Timestamp) -> anyhow::Result<Sender> {
    if place.world == World::Simulated {
        return Ok(Sender::Simulated);
    }
    let alive = store.last_alive().await?;
    Ok(Sender::Daemon(
        alive.is_some_and(|alive| now.since(alive) < ALIVE),
    ))
}

/// Only the present words, and only approved ones, are sent by hand, and none that were taken back.
async fn approved(
    place: &Place,
    store: &Store,
    bulletin: &Bulletin,
    priority: Priority,
    output: &Output,
) -> anyhow::Result<()> {
    let workspace = &place.workspace;
    let (renderer, _) = Renderer::new(workspace);
    let version = bulletin_version(workspace, &renderer, bulletin);
    let standings = store.standings(&[version.subject.clone()].into()).await?;
    let standing = &standings[&version.subject];
    let is_off = workspace.settings.approval.required == Required::Off;
    if let Some(entry) = &standing.retracted {
        // Where nothing has to be approved, other words are enough.
        let words = contents(place, &renderer, &bulletin.id);
        if !is_off || store.repeated(&version, &words).await?.is_some() {
            let by = signed(entry, place.zone());
            let args: [(&str, &dyn std::fmt::Display); 3] =
                [("id", &bulletin.id), ("by", &by), ("why", &entry.remark)];
            bail!(output.say("approval.send-retracted", &args));
        }
    }
    if is_off {
        if priority == Priority::Emergency {
            bail!(output.say("cli.send-emergency", &[]));
        }
        return Ok(());
    }
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
