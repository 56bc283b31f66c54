//! `loa plan`: what will be broadcast, and when. Works out everything from the files; no database is needed.

mod difference;
mod revision;

use std::collections::HashMap;

use anyhow::bail;
use chrono::{NaiveDate, Timelike as _};
use clap::Args;
use serde::Serialize;

use super::{
    Findings, Global, Written, named,
    output::{Format, JsonArray, Output, backwards, day, local, parse_instant, rfc3339},
    place::Place,
    quota,
};
use crate::{
    clock::Clock,
    domain::{
        bulletin, calendar,
        contact::{self, NamedContact},
        delivery::{Reason, State},
        exception::Change,
        id::{BulletinId, ChannelId, ContactId, DeliveryId, ScheduleId, TopicId, WardId},
        plan::{Plan, PlannedDelivery, Why},
        quota::Over,
        time::Timestamp,
        workspace::Workspace,
    },
    feed::{Calendar, Event},
    render::Renderer,
    store::World,
};

/// Which part of the plan to show.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// From this instant on (2024-03-25, 2024-03-25T05:00, +2h; default now)
    #[arg(long, allow_hyphen_values = true)]
    from: Option<String>,
    /// Until this instant (default a day after --from)
    #[arg(long, allow_hyphen_values = true)]
    to: Option<String>,
    /// Only this ward
    #[arg(long)]
    ward: Option<String>,
    /// Only this channel
    #[arg(long)]
    channel: Option<String>,
    /// What will be heard otherwise than by this revision of git, or by the workspace in this folder
    #[arg(long, value_name = "REV", allow_hyphen_values = true)]
    diff: Option<String>,
    /// As if it were this instant (2024-03-25T05:00)
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    at: Option<String>,
}

impl PlanArgs {
    /// Whether what it asks for can be written as a calendar.
    pub(super) fn may_be_calendar(&self) -> bool {
        self.diff.is_none()
    }
}

/// What is asked about: from the one instant (included) to the other (excluded).
#[derive(Debug, Clone, Copy)]
struct Range {
    /// The present, real or supposed.
    now: Timestamp,
    from: Timestamp,
    until: Timestamp,
}

/// The one ward or channel that is asked about, where it is one.
struct Only<'w> {
    ward: Option<&'w WardId>,
    channel: Option<&'w ChannelId>,
}

impl<'w> Only<'w> {
    /// What the options name in the first of `workspaces` that has it.
    fn of(workspaces: &[&'w Workspace], args: &PlanArgs, output: &Output) -> anyhow::Result<Self> {
        let ward = first(workspaces, args.ward.as_deref(), |workspace, name| {
            Ok(&named::ward(workspace, name, output)?.id)
        });
        let channel = first(workspaces, args.channel.as_deref(), |workspace, name| {
            Ok(&named::channel(workspace, name, output)?.id)
        });
        Ok(Self {
            ward: ward?,
            channel: channel?,
        })
    }

    fn covers(&self, delivery: &PlannedDelivery) -> bool {
        self.ward.is_none_or(|ward| delivery.ward == *ward)
            && self
                .channel
                .is_none_or(|channel| delivery.channel == *channel)
    }
}

/// What `name` means in the first of `workspaces` that knows it, or why the first of all does not.
fn first<'w, T>(
    workspaces: &[&'w Workspace],
    name: Option<&str>,
    meant: impl Fn(&'w Workspace, &str) -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    let Some(name) = name else {
        return Ok(None);
    };
    let mut why = None;
    for workspace in workspaces {
        match meant(workspace, name) {
            Ok(found) => return Ok(Some(found)),
            Err(error) => why = why.or(Some(error)),
        }
    }
    why.map_or(Ok(None), Err)
}

/// A row of `loa plan --format json`.
#[derive(Debug, Serialize)]
struct Row<'a> {
    delivery: &'a DeliveryId,
    schedule: &'a ScheduleId,
    bulletin: Option<&'a BulletinId>,
    ward: &'a WardId,
    channel: &'a ChannelId,
    kind: &'static str,
    format: &'static str,
    priority: &'static str,
    topic: Option<&'a TopicId>,
    scheduled: String,
    part: u16,
    due: String,
    deadline: String,
    seconds: Option<f64>,
    over_by: Option<String>,
    skipped: Option<&'static str>,
    /// Why it does not begin when its schedule says.
    waits: Option<&'static str>,
    detail: Option<&'a str>,
    /// The contact that its words name and that does not hold on its day: it will not be sent.
    lapsed: Option<ContactId>,
    /// Whether it goes beyond what remained of its account's quota when that was last read.
    over_quota: bool,
}

impl<'a> Row<'a> {
    fn of(
        delivery: &'a PlannedDelivery,
        waits: Option<&'a Why>,
        (lapsed, over_quota): (Option<ContactId>, bool),
        zone: chrono_tz::Tz,
    ) -> Self {
        let limit = delivery.limit.as_ref();
        let skip = delivery.skip.as_ref();
        Self {
            delivery: &delivery.id,
            schedule: &delivery.schedule,
            bulletin: delivery.bulletin.as_ref(),
            ward: &delivery.ward,
            channel: &delivery.channel,
            kind: delivery.kind.as_str(),
            format: delivery.format.as_str(),
            priority: delivery.priority.as_str(),
            topic: delivery.topic.as_ref(),
            scheduled: rfc3339(delivery.scheduled, zone),
            part: delivery.part,
            due: rfc3339(delivery.due, zone),
            deadline: rfc3339(delivery.deadline, zone),
            seconds: delivery.length.map(|length| length.as_secs_f64()),
            over_by: limit.map(|limit| rfc3339(limit.over, zone)),
            skipped: skip.map(|why| why.reason.as_str()),
            waits: waits.map(|why| why.reason.as_str()),
            detail: skip.or(waits).and_then(|why| why.detail.as_deref()),
            lapsed,
            over_quota,
        }
    }
}

/// Shows the plan, line by line, in memory that does not grow with it.
///
/// # Errors
/// When an instant, ward or channel is not understood, or the end is not after the beginning.
pub(super) async fn run(global: &Global, args: &PlanArgs, output: &Output) -> anyhow::Result<()> {
    let place = match Place::load(global, output) {
        // Differences are the findings of `--diff`; that nothing could be compared is a failure.
        Err(error) if args.diff.is_some() && error.is::<Findings>() => bail!("{error}"),
        place => place?,
    };
    let zone = place.zone();
    let range = range(&place, args, output).await?;
    let Range { from, until, .. } = range;
    if let Some(name) = &args.diff {
        return difference::run(&place, name, &range, args, output);
    }
    let only = Only::of(&[&place.workspace], args, output)?;
    let wanted = |delivery: &PlannedDelivery| only.covers(delivery);
    let plan = Plan::new(&place.workspace);
    let mut lapses = Lapses::new(&place.workspace, until);
    if global.format == Written::Ics {
        let deliveries = plan.deliveries(from, until).filter(wanted);
        return calendar(&place.workspace, range.now, deliveries, &mut lapses, output);
    }
    let over = quota::over(&place, Some(range.now), |_| until, output).await;
    let over: HashMap<DeliveryId, Over> =
        over.into_iter().map(|one| (one.id.clone(), one)).collect();
    let judged = plan
        .judged(from, until)
        .filter(|(delivery, _)| wanted(delivery));
    match output.format {
        Format::Json => {
            let mut array = JsonArray::begin(output)?;
            for (delivery, waits) in judged {
                let lapsed = lapses.of(&delivery);
                let marks = (lapsed, over.contains_key(&delivery.id));
                array.item(&Row::of(&delivery, waits.as_ref(), marks, zone))?;
            }
            Ok(array.end()?)
        }
        Format::Text => {
            let (mut count, mut shown): (u64, Option<NaiveDate>) = (0, None);
            for (delivery, waits) in judged {
                let wall = calendar::local(delivery.due, zone);
                if shown != Some(wall.date()) {
                    output.line(&format!("\n{}", day(wall.date(), output.lang)))?;
                    shown = Some(wall.date());
                }
                let bulletin = delivery
                    .bulletin
                    .as_ref()
                    .and_then(|id| place.workspace.bulletins.get(id));
                let title = bulletin.map_or_else(
                    || output.say("cli.plan-no-bulletin", &[]),
                    |bulletin| bulletin.title.clone(),
                );
                let skipped = delivery
                    .skip
                    .as_ref()
                    .filter(|_| bulletin.is_some())
                    .map(|why| {
                        let all = waits.iter().chain([why]).map(|why| why_so(why, output));
                        format!("  [{}]", all.collect::<Vec<_>>().join("; "))
                    });
                let lapsed = lapses.of(&delivery).map(|id| {
                    let lapsed = output.say("cli.plan-lapsed", &[("contact", &id)]);
                    format!("  [{lapsed}]")
                });
                let beyond = over.get(&delivery.id).map(|over| {
                    let remain = over.of.remain;
                    let beyond = output.say("cli.plan-over-quota", &[("remain", &remain)]);
                    format!("  [{beyond}]")
                });
                output.line(&format!(
                    "  {}  {}  {title}{}{}",
                    wall.format(if wall.second() == 0 {
                        "%H:%M"
                    } else {
                        "%H:%M:%S"
                    }),
                    delivery.channel_name,
                    changed(
                        &place.workspace,
                        &delivery,
                        waits.as_ref().filter(|_| delivery.skip.is_none()),
                        output
                    ),
                    skipped.or(lapsed).or(beyond).unwrap_or_default()
                ))?;
                count += 1;
            }
            let (from, until) = (local(from, zone), local(until, zone));
            Ok(output.line(&format!(
                "\n{}",
                output.say(
                    "cli.plan-count",
                    &[("count", &count), ("from", &from), ("until", &until)]
                )
            ))?)
        }
    }
}

/// Why the plan skips something, in the reader's language.
pub(super) fn why_so(why: &Why, output: &Output) -> String {
    let detail = why.detail.as_deref();
    detail
        .and_then(|detail| super::log::said(detail, output))
        .unwrap_or_else(|| output.say(&format!("reason.{}", why.reason.as_str()), &[]))
}

/// Writes the plan as a calendar, as it is `now`.
fn calendar(
    workspace: &Workspace,
    now: Timestamp,
    deliveries: impl Iterator<Item = PlannedDelivery>,
    lapses: &mut Lapses<'_>,
    output: &Output,
) -> anyhow::Result<()> {
    let name = output.say("web.feed-name", &[("name", &workspace.settings.name)]);
    let mut calendar = Calendar::begin(&name);
    for one in deliveries {
        let lapsed = lapses.of(&one).map(|_| Reason::Contact);
        let reason = one.skip.as_ref().map(|why| why.reason).or(lapsed);
        let bulletin = one.bulletin.as_ref();
        let bulletin = bulletin.and_then(|id| workspace.bulletins.get(id));
        calendar.add(&Event {
            id: &one.id,
            due: one.due,
            length: one.length,
            title: bulletin.map(|bulletin| bulletin.title.as_str()),
            channel: &one.channel_name,
            kind: one.kind,
            ward: &one.ward_name,
            state: reason.map_or(State::Planned, |_| State::Skipped),
            reason,
            changed: now,
        });
        output.raw(&calendar.take())?;
    }
    Ok(output.raw(&calendar.end())?)
}

/// The range that is asked about, as of now or of the moment that is asked for.
async fn range(place: &Place, args: &PlanArgs, output: &Output) -> anyhow::Result<Range> {
    let zone = place.zone();
    let now = match (&args.at, place.world) {
        (Some(at), World::Real) => parse_instant(at, zone, Clock::system().now())?,
        (None, World::Real) => Clock::system().now(),
        (at, World::Simulated) => {
            let now = place.moment(output).await?;
            at.as_deref()
                .map_or(Ok(now), |at| parse_instant(at, zone, now))?
        }
    };
    let from = args
        .from
        .as_deref()
        .map_or(Ok(now), |text| parse_instant(text, zone, now))?;
    let until = args.to.as_deref().map_or_else(
        || Ok(from + std::time::Duration::from_hours(24)),
        |text| parse_instant(text, zone, now),
    )?;
    if until <= from {
        return Err(backwards(from, until, zone, output));
    }
    Ok(Range { now, from, until })
}

/// Finds what is planned and will not be sent, because a contact that its words name does not hold any more by then.
struct Lapses<'w> {
    workspace: &'w Workspace,
    /// None where every contact holds to the end of what is asked about, as is usual.
    renderer: Option<Renderer>,
    /// The contacts that words rest on, where those are the ones that the bulletin lists.
    listed: HashMap<&'w BulletinId, Vec<NamedContact>>,
    /// The same, where only the words tell.
    named: HashMap<(BulletinId, WardId, bulletin::Format), Vec<NamedContact>>,
}

impl<'w> Lapses<'w> {
    fn new(workspace: &'w Workspace, until: Timestamp) -> Self {
        let day = calendar::local(until, workspace.settings.zone).date();
        let contacts = &workspace.contacts;
        let some_lapse = contacts.values().any(|known| {
            let named = [NamedContact::of(known)];
            known.verified.is_some() && contact::lapsed(&named, contacts, day).is_some()
        });
        Self {
            workspace,
            renderer: some_lapse.then(|| Renderer::new(workspace).0),
            listed: HashMap::new(),
            named: HashMap::new(),
        }
    }

    fn of(&mut self, delivery: &PlannedDelivery) -> Option<ContactId> {
        let renderer = self.renderer.as_ref()?;
        let workspace = self.workspace;
        let contacts = &workspace.contacts;
        let bulletin = workspace.bulletins.get(delivery.bulletin.as_ref()?)?;
        let named = if bulletin.not_contacts.is_empty() {
            // Words that name another contact than these are a mistake of the files.
            self.listed.entry(&bulletin.id).or_insert_with(|| {
                let mut listed = bulletin.contacts.clone();
                listed.sort_unstable();
                let known = listed.iter().filter_map(|id| contacts.get(id));
                known.map(NamedContact::of).collect()
            })
        } else {
            let key = (bulletin.id.clone(), delivery.ward.clone(), delivery.format);
            self.named.entry(key).or_insert_with(|| {
                let ward = workspace.ward(&delivery.ward);
                let content = ward.and_then(|ward| {
                    let content = renderer.render(workspace, bulletin, ward, delivery.format);
                    content.ok()
                });
                content.map_or_else(Vec::new, |content| content.contacts)
            })
        };
        let day = calendar::local(delivery.due, workspace.settings.zone).date();
        let (id, _) = contact::lapsed(named, contacts, day)?;
        Some(id.clone())
    }
}

/// That it fills an airtime target, does not begin when its schedule says, or carries another bulletin, and who decided so.
fn changed(
    workspace: &Workspace,
    delivery: &PlannedDelivery,
    waits: Option<&Why>,
    output: &Output,
) -> String {
    let zone = workspace.settings.zone;
    let mut said = Vec::new();
    let schedule = workspace.schedules.get(&delivery.schedule);
    if schedule.is_some_and(|schedule| schedule.target().is_some()) {
        said.push(output.say("cli.plan-fills", &[("target", &delivery.schedule)]));
    // A later part of a session begins later than its schedule says, and is not moved.
    } else if delivery.due != delivery.scheduled && delivery.part == 0 {
        let (from, to) = (
            calendar::local(delivery.scheduled, zone),
            calendar::local(delivery.due, zone),
        );
        let pattern = if from.date() == to.date() {
            "%H:%M"
        } else {
            "%H:%M %d/%m"
        };
        let from = from.format(pattern);
        said.push(output.say("cli.plan-moved", &[("from", &from)]));
        said.extend(waits.map(|why| why_so(why, output)));
    }
    let exception = workspace
        .channels
        .get(&delivery.channel)
        .and_then(|channel| {
            let exceptions = &workspace.exceptions;
            exceptions.of(&delivery.schedule, delivery.scheduled, channel)
        });
    if let Some(exception) = exception.filter(|exception| exception.change != Change::Skip) {
        if let Change::Alter {
            bulletin: Some(_), ..
        } = exception.change
        {
            said.push(output.say("cli.plan-replaced", &[]));
        }
        said.push(format!("{} ({})", exception.reason, exception.by));
    }
    if said.is_empty() {
        String::new()
    } else {
        format!("  [{}]", said.join("; "))
    }
}
