//! `loa channels`: the destinations, and whether each is alive.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono_tz::Tz;
use clap::Args;
use comfy_table::{Table, presets};
use serde::Serialize;

use super::{
    Findings, Global,
    account::{self, AccountRow},
    failure,
    output::{Format, Output, harmless, local, rfc3339},
    place::{Place, eprint_text, progress},
    quota::{QuotaRow, Quotas},
    run::transport,
};
use crate::{
    adapter::{Adapter, Failure, attempt},
    clock::Clock,
    daemon::{live::fault, screens::SILENT_AFTER},
    domain::{
        channel::{AdapterConfig, Channel},
        delivery::Reason,
        detail::Detail,
        secret::Secret,
        time::Timestamp,
    },
    store::{ALIVE, Store, World, health::HostHealth},
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
    /// How the account stands whose tokens its calls carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountRow>,
    /// How the running daemon treats the channel's host, where it ever failed to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    breaker: Option<BreakerRow>,
    /// What remained of its account's quota when that was last read, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<QuotaRow>,
    /// When a counter screen last said what it shows, as far as is on record. Nobody calls it: it comes by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    screen: Option<ScreenRow>,
    #[serde(skip)]
    why: Option<String>,
}

impl<'a> Row<'a> {
    /// Of what is known without the record: the channel, and how it answered, or why it did not.
    fn of(
        channel: &'a Channel,
        adapter: Option<&Arc<dyn Adapter>>,
        (health, failure): (Option<&'static str>, Option<&Failure>),
        output: &Output,
    ) -> Self {
        let known = failure.and_then(|failure| Detail::parse(failure.detail()));
        Self {
            channel: channel.id.as_str(),
            name: &channel.name,
            ward: channel.ward.as_str(),
            kind: channel.kind.as_str(),
            mode: channel.mode.as_str(),
            adapter: adapter.map_or_else(String::new, |adapter| adapter.name().to_owned()),
            health,
            reason: failure.map(|failure| failure.reason().as_str()),
            detail: known.as_ref().map(|detail| output.detail(detail)),
            account: None,
            breaker: None,
            quota: None,
            screen: None,
            why: failure.map(|failure| output.failure(failure)),
        }
    }
}

/// How a host is treated that failed to answer.
#[derive(Debug, Clone, Serialize)]
struct BreakerRow {
    /// `closed`, `open`, or `half-open`: the next call there tries it.
    state: &'static str,
    since: String,
    /// When the next call may try it.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// Why the last call before got no answer.
    reason: &'static str,
    #[serde(skip)]
    said: String,
}

/// What is known of a counter screen.
#[derive(Debug, Clone, Serialize)]
struct ScreenRow {
    /// `showing`; `silent`: it has said nothing for longer than screens are; `never`: it never said anything.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
    #[serde(skip)]
    said: String,
}

impl ScreenRow {
    fn of(
        channel: &Channel,
        seen: Option<Timestamp>,
        now: Timestamp,
        zone: Tz,
        output: &Output,
    ) -> Self {
        let state = match seen {
            None => "never",
            Some(seen) if seen + SILENT_AFTER < now || now + SILENT_AFTER < seen => "silent",
            Some(_) => "showing",
        };
        let at = seen.map_or_else(String::new, |seen| local(seen, zone));
        let said = output.say(
            &format!("cli.screen-{state}"),
            &[("at", &at), ("id", &channel.id)],
        );
        Self {
            state,
            seen: seen.map(|seen| rfc3339(seen, zone)),
            said,
        }
    }
}

/// What the daemons that are at work have on record of hosts, by host.
async fn breakers(
    (store, now): &(Store, Timestamp),
    place: &Place,
    output: &Output,
) -> anyhow::Result<HashMap<String, BreakerRow>> {
    let now = *now;
    let zone = place.zone();
    let mut known: HashMap<String, (HostHealth, BreakerRow)> = HashMap::new();
    // A simulated city stands where it was left, and its clock is ahead of its stamps.
    let since = match place.world {
        World::Real => now - ALIVE,
        World::Simulated => Timestamp::from_micros(0),
    };
    for one in store.health(since).await? {
        // Of several nodes the one that leaves it alone for the longest.
        let until = |one: &HostHealth| one.open.map(|open| open.until);
        if known
            .get(&one.host)
            .is_some_and(|(other, _)| until(other) >= until(&one))
        {
            continue;
        }
        let state = match one.open {
            None => "closed",
            Some(open) if open.until <= now => "half-open",
            Some(_) => "open",
        };
        let since = local(one.since, zone);
        let until = one.open.map(|open| open.until);
        let again = until.map_or_else(String::new, |until| local(until, zone));
        let row = BreakerRow {
            state,
            since: rfc3339(one.since, zone),
            until: until.map(|until| rfc3339(until, zone)),
            reason: one.reason.as_str(),
            said: output.say(
                &format!("cli.breaker-{state}"),
                &[("since", &since), ("until", &again)],
            ),
        };
        known.insert(one.host.clone(), (one, row));
    }
    Ok(known
        .into_iter()
        .map(|(host, (_, row))| (host, row))
        .collect())
}

/// Lists the channels.
///
/// # Errors
/// [`Findings`] when a channel cannot be used, a probed one does not answer, or an account has to be authorised again.
pub(super) async fn run(
    global: &Global,
    args: &ChannelsArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let place = Place::load(global, output)?;
    let (registry, problems) = place.secrets.registry(&place.workspace);
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
    let mut adapters = registry.iter();
    let has_accounts = adapters.any(|(_, adapter)| adapter.account().is_some());
    // A database that is away keeps nobody from asking the channels; of accounts nothing is known then.
    let away = |error: anyhow::Error| eprint_text(&harmless(&failure::sentence(&error, output)));
    let (record, is_read) = if args.probe || has_accounts {
        match account::record(&place, output).await {
            Ok(record) => (record, true),
            Err(error) => {
                away(error);
                (None, false)
            }
        }
    } else {
        (None, true)
    };
    let breakers = match &record {
        Some(record) if args.probe => {
            let read = breakers(record, &place, output).await;
            read.map_err(away).unwrap_or_default()
        }
        _ => HashMap::new(),
    };
    let seen = match &record {
        Some((store, _)) if args.probe => store.screens_seen().await,
        _ => Ok(BTreeMap::new()),
    };
    let seen = seen.map_err(|error| away(error.into())).unwrap_or_default();
    let now = record.as_ref().map_or_else(|| clock.now(), |(_, now)| *now);
    let quotas = Quotas::read(record.as_ref(), &place).await?;
    let mut rows = Vec::new();
    for channel in place.workspace.channels.values() {
        let adapter = registry.get(&channel.id);
        let holding = match (adapter.and_then(|adapter| adapter.account()), &record) {
            (Some(account), Some((store, _))) => store.account_of(account.id()).await?,
            _ => None,
        };
        let account = adapter
            .and_then(|adapter| adapter.account())
            .filter(|_| is_read);
        let account = account
            .map(|_| AccountRow::of(holding.as_ref(), channel.id.as_str(), &place, now, output));
        let access = holding.as_ref().map(|holding| &holding.access);
        let (health, failure) = match (&transport, adapter) {
            (None, _) => (None, None),
            (Some(_), None) => {
                let mut mistakes = problems.iter();
                let why = mistakes.find(|problem| problem.channel == channel.id);
                let detail = why.map(|problem| String::from(fault(&problem.kind)));
                let failure = Failure::reject(Reason::Unwritable, detail.unwrap_or_default());
                (Some("dead"), Some(failure))
            }
            (Some(transport), Some(adapter)) => ask(adapter, access, transport, &clock).await,
        };
        let breaker = adapter.and_then(|adapter| breakers.get(adapter.host()).cloned());
        let is_screen = matches!(channel.adapter, AdapterConfig::Screen(_));
        let screen = (args.probe && is_read && is_screen).then(|| {
            let seen = seen.get(&channel.id).copied();
            ScreenRow::of(channel, seen, now, place.zone(), output)
        });
        rows.push(Row {
            account,
            breaker,
            quota: quotas.row(channel, &place, output),
            screen,
            ..Row::of(channel, adapter, (health, failure.as_ref()), output)
        });
    }
    if let Some(bar) = asked {
        bar.finish_and_clear();
    }
    if let Some(city) = city {
        city.shutdown().await;
    }
    if let Some((store, _)) = record {
        store.close().await;
    }
    match output.format {
        Format::Json => output.json(&rows)?,
        Format::Text => {
            output.line(&table(&rows, output))?;
            // With `--probe` each stands in its channel's row.
            for problem in problems.iter().filter(|_| !args.probe) {
                let told = output.detail(&fault(&problem.kind));
                output.line(&format!("{}: {told}", problem.channel))?;
            }
        }
    }
    judge(&rows, problems.len(), output)
}

/// What the whole comes to: channels that cannot be used weigh more than accounts that want a new permission.
fn judge(rows: &[Row<'_>], unusable: usize, output: &Output) -> anyhow::Result<()> {
    let is_wanting = |row: &&Row<'_>| row.account.as_ref().is_some_and(AccountRow::is_wanting);
    let dead = rows.iter().filter(|row| row.health == Some("dead")).count();
    let wanting = rows.iter().filter(is_wanting).count();
    let (sentence, count) = match (dead.max(unusable), wanting) {
        (0, 0) => return Ok(()),
        (0, wanting) => ("cli.channels-wanting", wanting),
        (dead, _) => ("cli.channels-dead", dead),
    };
    Err(Findings(output.say(sentence, &[("count", &count)])).into())
}

fn table(rows: &[Row<'_>], output: &Output) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for row in rows {
        let health = row
            .health
            .map(|word| output.say(&format!("cli.health-{word}"), &[]))
            .unwrap_or_default();
        let why = row.why.as_deref();
        let breaker = row.breaker.as_ref().map(|breaker| breaker.said.as_str());
        let account = row.account.as_ref().map(|account| account.said.as_str());
        let screen = row.screen.as_ref().map(|screen| screen.said.as_str());
        let quota = row.quota.as_ref().map(|quota| quota.said.as_str());
        let why = why.into_iter().chain(breaker).chain(account);
        let why = why.chain(quota).chain(screen);
        let why: Vec<&str> = why.collect();
        table.add_row([
            row.channel,
            row.name,
            &output.say(&format!("state.kind-{}", row.kind), &[]),
            &health,
            &why.join(". "),
        ]);
    }
    table.trim_fmt()
}

async fn ask(
    adapter: &Arc<dyn Adapter>,
    access: Option<&Secret>,
    transport: &crate::adapter::transport::Transport,
    clock: &Clock,
) -> (Option<&'static str>, Option<Failure>) {
    match attempt::probe(adapter.as_ref(), access, transport, || clock.now()).await {
        None => (Some("cannot-be-asked"), None),
        Some(Ok(())) => (Some("alive"), None),
        Some(Err(failure)) => (Some("dead"), Some(failure)),
    }
}
