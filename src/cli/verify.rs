//! `loa verify`: every occurrence of a range is accounted for, or it is named.

use clap::Args;
use serde::Serialize;

use super::{
    Findings, Global,
    output::{Format, Output, backwards, local, parse_instant, rfc3339},
    place::{Place, progress},
};
use crate::{
    domain::{
        delivery::Account,
        id::DeliveryId,
        plan::Plan,
        time::{Timestamp, parse_span},
    },
    store::{LogFilter, Order, Store},
};

/// Which range to check.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// From this instant (default: the first delivery on record)
    #[arg(long, allow_hyphen_values = true, alias = "since")]
    from: Option<String>,
    /// Until this instant (default: now)
    #[arg(long, allow_hyphen_values = true, alias = "until")]
    to: Option<String>,
}

/// A delivery that is not accounted for.
#[derive(Debug, Serialize)]
struct Finding {
    delivery: DeliveryId,
    /// `missing`, `overdue`, or the name of a contradiction.
    finding: String,
}

/// Checks the range against the plan, the rows against themselves, and both sides of the equation against each other.
///
/// # Errors
/// [`Findings`] when something is not accounted for; others when the store fails.
pub(super) async fn run(global: &Global, args: &VerifyArgs, output: &Output) -> anyhow::Result<()> {
    let place = Place::of_record(global, output)?;
    let store = place.record(output).await?;
    let (zone, now) = (place.zone(), place.now(&store).await?);
    let progress = progress(&output.say("cli.verifying", &[]));
    let from = match &args.from {
        Some(text) => parse_instant(text, zone, now)?,
        None => first_due(&store).await?.unwrap_or(now),
    };
    let until = args
        .to
        .as_deref()
        .map_or(Ok(now), |text| parse_instant(text, zone, now))?;
    if args.from.is_some() && until < from {
        progress.finish_and_clear();
        return Err(backwards(from, until, zone, output));
    }
    let filter = LogFilter {
        since: Some(from),
        until: Some(until),
        ..LogFilter::default()
    };
    let account = store.account(&filter).await?;
    let mut findings = missing(&place, &store, from, until).await?;
    findings.extend(
        store
            .contradictions(&filter)
            .await?
            .into_iter()
            .map(|(delivery, finding)| Finding { delivery, finding }),
    );
    findings.extend(overdue(&store, now, &filter).await?);
    let unplanned = unplanned(&store, from, until).await?;
    progress.finish_and_clear();

    let good = findings.is_empty() && unplanned.is_empty() && account.balances();
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "from": rfc3339(from, zone),
            "until": rfc3339(until, zone),
            "account": account,
            "balances": account.balances(),
            "findings": findings,
            "unplanned": unplanned
                .iter()
                .map(|(from, until)| {
                    serde_json::json!({ "from": rfc3339(*from, zone), "until": rfc3339(*until, zone) })
                })
                .collect::<Vec<_>>(),
        }))?,
        Format::Text => {
            output.line(&output.say(
                "cli.verify-range",
                &[("from", &local(from, zone)), ("until", &local(until, zone))],
            ))?;
            output.line(&equation(&account, output))?;
            for found in &findings {
                let what = output.say(&format!("cli.finding-{}", found.finding), &[]);
                output.line(&format!("{}  {what}", found.delivery))?;
            }
            for (from, until) in &unplanned {
                let edges: [(&str, &dyn std::fmt::Display); 2] =
                    [("from", &local(*from, zone)), ("until", &local(*until, zone))];
                output.line(&output.say("cli.verify-unplanned", &edges))?;
            }
            if good {
                output.line(&output.say("cli.verify-good", &[]))?;
            }
        }
    }
    if good {
        Ok(())
    } else if findings.is_empty() && account.balances() {
        Err(Findings(output.say("cli.verify-gaps", &[("count", &unplanned.len())])).into())
    } else {
        Err(Findings(output.say("cli.verify-bad", &[("count", &findings.len())])).into())
    }
}

/// The accounting equation in the reader's language.
pub(super) fn equation(account: &Account, output: &Output) -> String {
    let sign = if account.balances() { "=" } else { "≠" };
    let mut said = output.say(
        "cli.equation",
        &[
            ("sign", &sign),
            ("occurrences", &account.occurrences),
            ("accepted", &account.accepted),
            ("confirmed", &account.confirmed),
            ("failed", &account.failed),
            ("unknown", &account.unknown),
            ("skipped", &account.skipped),
            ("cancelled", &account.cancelled),
            ("pending", &account.pending),
        ],
    );
    if account.offered > 0 {
        said.push_str(&output.say("cli.equation-offered", &[("count", &account.offered)]));
    }
    said
}

async fn first_due(store: &Store) -> anyhow::Result<Option<Timestamp>> {
    let first = store
        .log(&LogFilter::default(), Order::OldestFirst, None, 1)
        .await?;
    Ok(first.first().map(|row| row.due))
}

/// What the files of today say should be there and is not, wherever the plan on record was made from the same files.
async fn missing(
    place: &Place,
    store: &Store,
    from: Timestamp,
    until: Timestamp,
) -> anyhow::Result<Vec<Finding>> {
    let plan = Plan::new(&place.workspace);
    let mut findings = Vec::new();
    for (begin, end) in store.plan_runs(&place.workspace.revision).await? {
        let mut deliveries = plan
            .deliveries(begin.max(from), end.min(until))
            .map(|delivery| delivery.id);
        loop {
            let ids: Vec<DeliveryId> = deliveries.by_ref().take(1_000).collect();
            if ids.is_empty() {
                break;
            }
            let known = store.known(&ids).await?;
            findings.extend(
                ids.into_iter()
                    .filter(|id| !known.contains(id))
                    .map(|delivery| Finding {
                        delivery,
                        finding: "missing".to_owned(),
                    }),
            );
        }
    }
    Ok(findings)
}

/// The times of the range that nobody planned: nobody ran for so long that what fell due then was not written down.
async fn unplanned(
    store: &Store,
    from: Timestamp,
    until: Timestamp,
) -> anyhow::Result<Vec<(Timestamp, Timestamp)>> {
    /// Each is a month and more without a daemon.
    const MOST: u32 = 100;
    let gaps = store.journal_of("gap", MOST).await?;
    let mut spans: Vec<_> = gaps
        .iter()
        .filter_map(|line| parse_span(&line.detail))
        .map(|(begin, end)| (begin.max(from), end.min(until)))
        .filter(|(begin, end)| begin < end)
        .collect();
    spans.sort_unstable();
    Ok(spans)
}

/// What should have begun long ago and is still pending: nobody is looking after it.
async fn overdue(
    store: &Store,
    now: Timestamp,
    filter: &LogFilter,
) -> anyhow::Result<Vec<Finding>> {
    let Some(alive) = store.last_alive().await? else {
        return Ok(Vec::new());
    };
    let mut findings = Vec::new();
    for state in crate::domain::delivery::State::ALL
        .iter()
        .filter(|state| !state.is_final())
    {
        let pending = LogFilter {
            state: Some(*state),
            ..filter.clone()
        };
        let rows = store.log(&pending, Order::OldestFirst, None, 1_000).await?;
        // While the daemon ran, a deadline ended every delivery within a look or two.
        let late = rows.into_iter().filter(|row| {
            row.started_at.is_none()
                && row.deadline + std::time::Duration::from_hours(1) < alive.min(now)
        });
        findings.extend(late.map(|row| Finding {
            delivery: row.id,
            finding: "overdue".to_owned(),
        }));
    }
    Ok(findings)
}
