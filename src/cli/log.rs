//! `loa log`: what was broadcast, and what was not and why.

use std::time::Duration;

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::{
    Global,
    follower::Follower,
    named,
    output::{Format, JsonArray, Output, backwards, local, parse_instant, rfc3339},
    place::Place,
    usage::{one_of, whole},
};
use crate::{
    clock::Clock,
    domain::{
        delivery::{Reason, State},
        time::Timestamp,
    },
    store::{LogFilter, Order, PageKey, Store, row::DeliveryRow},
    why::{self, Words, standing},
};

/// Rows a page of the store holds.
const PAGE: u32 = 500;

/// Which part of the log to show.
#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// Only this ward
    #[arg(long)]
    ward: Option<String>,
    /// Only this channel
    #[arg(long)]
    channel: Option<String>,
    /// Only this schedule
    #[arg(long)]
    schedule: Option<String>,
    /// Only this state: planned, ready, sending, accepted, confirmed, unheard, failed, unknown, skipped, cancelled
    #[arg(long, value_parser = one_of(State::ALL, State::as_str))]
    state: Option<State>,
    /// Due at or after this instant (2024-03-25, 2024-03-25T05:00, -2h)
    #[arg(long, allow_hyphen_values = true)]
    since: Option<String>,
    /// Due before this instant (default: now, so that what is to come is not listed)
    #[arg(long, allow_hyphen_values = true)]
    until: Option<String>,
    /// Go on: show every change as it comes
    #[arg(long)]
    follow: bool,
    /// At most so many rows, the newest (text: 200 unless --since is given; JSON: all)
    #[arg(long, value_parser = whole::<u32>)]
    limit: Option<u32>,
}

/// A row of `loa log --format json`. Fields are only ever added.
#[derive(Debug, Serialize)]
pub(super) struct Row<'a> {
    delivery: &'a str,
    schedule: &'a str,
    bulletin: Option<&'a str>,
    /// Whether it corrects that bulletin, which was taken back.
    correction: bool,
    ward: &'a str,
    ward_name: &'a str,
    channel: &'a str,
    channel_name: &'a str,
    kind: &'static str,
    format: &'static str,
    priority: &'static str,
    topic: Option<&'a str>,
    scheduled: String,
    part: u16,
    due: String,
    deadline: String,
    seconds: Option<f64>,
    over_by: Option<String>,
    state: State,
    reason: Option<Reason>,
    detail: Option<&'a str>,
    why: Option<String>,
    attempts: u32,
    accepted_at: Option<String>,
    evidence: &'static str,
    content_hash: Option<&'a str>,
    closed_by: Option<&'a str>,
    left_alone: Option<AloneRow>,
    behind: Option<BehindRow>,
}

/// What it waits for on its own channel.
#[derive(Debug, Serialize)]
struct BehindRow {
    delivery: String,
    due: String,
    sending: bool,
}

/// How the host is left alone that it waits for.
#[derive(Debug, Serialize)]
struct AloneRow {
    since: String,
    until: String,
    reason: Reason,
}

impl<'a> Row<'a> {
    /// The row, with instants in the installation's zone and its reason in the reader's language.
    #[must_use]
    pub(super) fn of(row: &'a DeliveryRow, output: &Output, zone: chrono_tz::Tz) -> Self {
        Self {
            delivery: row.id.as_str(),
            schedule: row.schedule.as_str(),
            bulletin: row
                .bulletin
                .as_ref()
                .map(super::super::domain::id::BulletinId::as_str),
            correction: row.schedule.is_correction(),
            ward: row.ward.as_str(),
            ward_name: &row.ward_name,
            channel: row.channel.as_str(),
            channel_name: &row.channel_name,
            kind: row.kind.as_str(),
            format: row.format.as_str(),
            priority: row.priority.as_str(),
            topic: row
                .topic
                .as_ref()
                .map(super::super::domain::id::TopicId::as_str),
            scheduled: rfc3339(row.scheduled, zone),
            part: row.part,
            due: rfc3339(row.due, zone),
            deadline: rfc3339(row.deadline, zone),
            seconds: row.length.map(|length| length.as_secs_f64()),
            over_by: row.limit.as_ref().map(|limit| rfc3339(limit.over, zone)),
            state: row.state,
            reason: row.reason,
            detail: row.detail.as_deref(),
            why: Some(why(row, output, zone)).filter(|why| !why.is_empty()),
            attempts: row.attempts,
            accepted_at: row.accepted_at.map(|at| rfc3339(at, zone)),
            evidence: row.evidence.as_str(),
            content_hash: row
                .content_hash
                .as_ref()
                .map(super::super::domain::message::ContentHash::as_str),
            closed_by: row.closed_by.as_deref(),
            left_alone: row.left_alone.map(|left| AloneRow {
                since: rfc3339(left.since, zone),
                until: rfc3339(left.until, zone),
                reason: left.reason,
            }),
            behind: row.behind.as_ref().map(|before| BehindRow {
                delivery: before.id.as_str().to_owned(),
                due: rfc3339(before.due, zone),
                sending: before.is_sending,
            }),
        }
    }
}

/// Shows the log.
///
/// # Errors
/// When the filter is not understood or the store fails.
pub(super) async fn run(global: &Global, args: &LogArgs, output: &Output) -> anyhow::Result<()> {
    let place = Place::of_record(global, output)?;
    let store = place.record(output).await?;
    let (zone, now) = (place.zone(), place.now(&store).await?);
    let workspace = &place.workspace;
    let ward = match &args.ward {
        Some(name) => Some(named::recorded_ward(workspace, &store, name, output).await?),
        None => None,
    };
    let channel = match &args.channel {
        Some(name) => Some(named::recorded_channel(workspace, &store, name, output).await?),
        None => None,
    };
    let schedule = match &args.schedule {
        Some(name) => Some(named::recorded_schedule(workspace, &store, name, output).await?),
        None => None,
    };
    let instant = |text: &Option<String>| {
        text.as_deref()
            .map(|text| parse_instant(text, zone, now))
            .transpose()
    };
    let since = instant(&args.since)?;
    let until = match instant(&args.until)? {
        Some(until) => {
            if let Some(since) = since.filter(|since| until <= *since) {
                return Err(backwards(since, until, zone, output));
            }
            until
        }
        // Pending deliveries are asked for by their state; otherwise the log is about what has come due.
        None if args.state.is_some_and(|state| !state.is_final()) => {
            Timestamp::from_micros(i64::MAX)
        }
        None => now + Duration::from_micros(1),
    };
    let filter = LogFilter {
        ward,
        channel,
        schedule,
        state: args.state,
        since,
        until: Some(until),
    };
    let limit = args
        .limit
        .or((output.format == Format::Text && args.since.is_none()).then_some(200));

    if let Some(limit) = limit {
        let mut rows = newest(&store, &filter, limit).await?;
        rows.reverse();
        show(&rows, output, zone)?;
    } else {
        show_all(&store, &filter, output, zone).await?;
    }
    if args.follow {
        follow(&store, &filter, output, zone).await?;
    }
    Ok(())
}

async fn newest(store: &Store, filter: &LogFilter, limit: u32) -> anyhow::Result<Vec<DeliveryRow>> {
    let mut rows: Vec<DeliveryRow> = Vec::new();
    while u32::try_from(rows.len())? < limit {
        let after = rows.last().map(|row| PageKey {
            due: row.due,
            id: row.id.clone(),
        });
        let want = (limit - u32::try_from(rows.len())?).min(PAGE);
        let page = store
            .log(filter, Order::NewestFirst, after.as_ref(), want)
            .await?;
        let last = page.len() < want as usize;
        rows.extend(page);
        if last {
            break;
        }
    }
    Ok(rows)
}

fn show(rows: &[DeliveryRow], output: &Output, zone: chrono_tz::Tz) -> anyhow::Result<()> {
    match output.format {
        Format::Json => {
            let mut array = JsonArray::begin(output)?;
            for row in rows {
                array.item(&Row::of(row, output, zone))?;
            }
            array.end()?;
        }
        Format::Text if rows.is_empty() => output.line(&output.say("cli.log-empty", &[]))?,
        Format::Text => {
            let mut table = Table::new();
            table
                .load_style(presets::NOTHING)
                .set_content_arrangement(ContentArrangement::Disabled);
            table.set_header(
                ["due", "state", "channel", "bulletin", "why", "delivery"]
                    .map(|column| output.say(&format!("cli.log-{column}"), &[])),
            );
            for row in rows {
                table.add_row(cells(row, output, zone));
            }
            output.line(&table.trim_fmt())?;
        }
    }
    Ok(())
}

/// The sentence for a detail that the program wrote in place of a reason's words.
pub(super) fn said(detail: &str, output: &Output) -> Option<String> {
    why::said(output.lang, detail)
}

/// Why a delivery stands where it does; nothing where there is nothing to explain.
fn why(row: &DeliveryRow, output: &Output, zone: chrono_tz::Tz) -> String {
    let words = Words {
        lang: output.lang,
        zone,
        moment: &|at| local(at, zone),
        is_plain: false,
    };
    // What was taken needs no reason, and may have a remark.
    let why = words.whole(row).or_else(|| words.rest(row));
    why.unwrap_or_default()
}

/// What a delivery carries: its bulletin, or that one's correction.
fn said_of(row: &DeliveryRow, output: &Output) -> String {
    let bulletin = row.bulletin.as_ref().map(ToString::to_string);
    let bulletin = bulletin.unwrap_or_default();
    if row.schedule.is_correction() {
        output.say("approval.correction-title", &[("title", &bulletin)])
    } else {
        bulletin
    }
}

fn cells(row: &DeliveryRow, output: &Output, zone: chrono_tz::Tz) -> [String; 6] {
    let why = why(row, output, zone);
    let why = if row.attempts > 1 {
        format!(
            "{why} {}",
            output.say("cli.log-attempts", &[("count", &row.attempts)])
        )
        .trim()
        .to_owned()
    } else {
        why
    };
    [
        local(row.due, zone),
        output.say(&format!("state.{}", standing(row)), &[]),
        row.channel_name.clone(),
        said_of(row, output),
        why,
        row.id.to_string(),
    ]
}

/// Everything, page by page, oldest first.
async fn show_all(
    store: &Store,
    filter: &LogFilter,
    output: &Output,
    zone: chrono_tz::Tz,
) -> anyhow::Result<()> {
    let mut array = if output.format == Format::Json {
        Some(JsonArray::begin(output)?)
    } else {
        None
    };
    let mut after: Option<PageKey> = None;
    loop {
        let page = store
            .log(filter, Order::OldestFirst, after.as_ref(), PAGE)
            .await?;
        match &mut array {
            Some(array) => {
                for row in &page {
                    array.item(&Row::of(row, output, zone))?;
                }
            }
            None if after.is_none() || !page.is_empty() => show(&page, output, zone)?,
            None => {}
        }
        if page.len() < PAGE as usize {
            break;
        }
        after = page.last().map(|row| PageKey {
            due: row.due,
            id: row.id.clone(),
        });
    }
    if let Some(array) = array {
        array.end()?;
    }
    Ok(())
}

/// Shows every change from now on, each once, until the reader goes away. JSON: one object a line.
async fn follow(
    store: &Store,
    filter: &LogFilter,
    output: &Output,
    zone: chrono_tz::Tz,
) -> anyhow::Result<()> {
    let clock = Clock::system();
    let mut follower = Follower::new(store.last_instant().await?.unwrap_or_default());
    loop {
        follower
            .changes(store, |rows| {
                for row in rows.iter().filter(|row| matches(filter, row)) {
                    match output.format {
                        Format::Json => output.json(&Row::of(row, output, zone))?,
                        Format::Text => {
                            output.line(cells(row, output, zone).join("  ").trim_end())?;
                        }
                    }
                }
                Ok::<(), anyhow::Error>(())
            })
            .await?;
        clock.sleep(Duration::from_millis(500)).await;
    }
}

fn matches(filter: &LogFilter, row: &DeliveryRow) -> bool {
    filter.ward.as_ref().is_none_or(|ward| *ward == row.ward)
        && filter
            .channel
            .as_ref()
            .is_none_or(|channel| *channel == row.channel)
        && filter
            .schedule
            .as_ref()
            .is_none_or(|schedule| *schedule == row.schedule)
        && filter.state.is_none_or(|state| state == row.state)
        && filter.since.is_none_or(|since| row.due >= since)
}
