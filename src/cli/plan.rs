//! `loa plan`: what will be broadcast, and when. Works out everything from the files; no database is needed.

use anyhow::bail;
use chrono::NaiveDate;
use clap::Args;
use serde::Serialize;

use super::{
    Global,
    output::{Format, JsonArray, Output, day, local, parse_instant, rfc3339},
    place::Place,
};
use crate::{
    clock::Clock,
    domain::{
        calendar,
        id::{BulletinId, ChannelId, DeliveryId, ScheduleId, TopicId, WardId},
        plan::{Plan, PlannedDelivery, Why},
    },
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
    detail: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(delivery: &'a PlannedDelivery, zone: chrono_tz::Tz) -> Self {
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
            detail: skip.and_then(|why| why.detail.as_deref()),
        }
    }
}

/// Shows the plan, line by line, in memory that does not grow with it.
///
/// # Errors
/// When an instant, ward or channel is not understood, or the end is not after the beginning.
pub(super) async fn run(global: &Global, args: &PlanArgs, output: &Output) -> anyhow::Result<()> {
    let place = Place::load(global, output)?;
    let zone = place.zone();
    let now = match place.world {
        World::Real => Clock::system().now(),
        World::Simulated => place.now(&place.store(false).await?).await?,
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
        let (from, until) = (local(from, zone), local(until, zone));
        bail!(output.say("cli.plan-backwards", &[("from", &from), ("until", &until)]));
    }
    super::log::check_names(
        &place,
        output,
        args.ward.as_deref(),
        args.channel.as_deref(),
    )?;
    let wanted = |delivery: &PlannedDelivery| {
        args.ward
            .as_ref()
            .is_none_or(|ward| delivery.ward.as_str() == ward)
            && args
                .channel
                .as_ref()
                .is_none_or(|channel| delivery.channel.as_str() == channel)
    };
    let plan = Plan::new(&place.workspace);
    let deliveries = plan.deliveries(from, until).filter(wanted);
    match output.format {
        Format::Json => {
            let mut array = JsonArray::begin(output)?;
            for delivery in deliveries {
                array.item(&Row::of(&delivery, zone))?;
            }
            Ok(array.end()?)
        }
        Format::Text => {
            let (mut count, mut shown): (u64, Option<NaiveDate>) = (0, None);
            for delivery in deliveries {
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
                    .map(|why| format!("  [{}]", why_skipped(why, output)));
                output.line(&format!(
                    "  {}  {}  {title}{}",
                    wall.format("%H:%M"),
                    delivery.channel_name,
                    skipped.unwrap_or_default()
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
fn why_skipped(why: &Why, output: &Output) -> String {
    let detail = why.detail.as_deref();
    detail
        .and_then(|detail| super::log::said(detail, output))
        .unwrap_or_else(|| output.say(&format!("reason.{}", why.reason.as_str()), &[]))
}
