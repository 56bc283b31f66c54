//! `loa pause`, `loa resume`, `loa pauses`: silence for a while, by a person's word.

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use serde::Serialize;

use super::{
    Global, named,
    output::{Format, Output, local, parse_instant, rfc3339},
    place::Place,
};
use crate::{
    domain::{
        pause::{Pause, Scope},
        time::Timestamp,
    },
    store::{Store, pause::NewPause},
};

/// The longest pause. Who wants more takes the schedule out.
const LONGEST: Duration = Duration::from_hours(24 * 366);

/// What is silent, until when, by whom and why.
#[derive(Debug, Args)]
pub(super) struct PauseArgs {
    /// What: `all`, `ward:ID`, `channel:ID` or `topic:ID`
    what: String,
    /// Until when: a local time, a day, or a length such as +2h
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    until: String,
    /// Emergency bulletins too
    #[arg(long)]
    emergency_too: bool,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Which pause ends, by whom and why.
#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    /// The pause's number, as `loa pauses` shows it
    #[arg(value_name = "NUMBER", value_parser = super::usage::whole::<i64>)]
    number: i64,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Which pauses to show.
#[derive(Debug, Args)]
pub(super) struct PausesArgs {
    /// Those that are over, too
    #[arg(long)]
    all: bool,
}

/// A pause as `--format json` has it.
#[derive(Debug, Serialize)]
struct Row<'a> {
    number: i64,
    scope: &'static str,
    target: &'a str,
    emergency_too: bool,
    from: String,
    until: String,
    by: &'a str,
    reason: &'a str,
    in_force: bool,
    resumed: Option<ResumedRow<'a>>,
}

#[derive(Debug, Serialize)]
struct ResumedRow<'a> {
    at: String,
    by: &'a str,
    reason: &'a str,
}

impl<'a> Row<'a> {
    fn of(pause: &'a Pause, now: Timestamp, place: &Place) -> Self {
        let zone = place.zone();
        Self {
            number: pause.number,
            scope: pause.scope.kind(),
            target: pause.scope.target(),
            emergency_too: pause.emergency,
            from: rfc3339(pause.from, zone),
            until: rfc3339(pause.until, zone),
            by: &pause.by,
            reason: &pause.reason,
            in_force: pause.is_in_force(now),
            resumed: pause.resumed.as_ref().map(|resumed| ResumedRow {
                at: rfc3339(resumed.at, zone),
                by: &resumed.by,
                reason: &resumed.reason,
            }),
        }
    }
}

/// Begins a pause.
///
/// # Errors
/// When its scope or its end is not understood, or the store fails.
pub(super) async fn pause(
    global: &Global,
    args: &PauseArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let desk = Desk::open(global, &args.by, &args.reason, output).await?;
    let (place, now) = (&desk.place, desk.now);
    let scope = scope(&args.what, place, &desk.store, output).await?;
    let until = parse_instant(&args.until, place.zone(), now)?;
    if until <= now {
        bail!(output.say(
            "cli.pause-ends-before",
            &[("now", &local(now, place.zone()))]
        ));
    }
    if until.since(now) > LONGEST {
        bail!(output.say("cli.pause-too-long", &[]));
    }
    let new = NewPause {
        scope: &scope,
        emergency: args.emergency_too,
        until,
        by: desk.by,
        reason: desk.reason,
    };
    let pause = desk.store.pause(&new, now).await?;
    match output.format {
        Format::Json => output.json(&Row::of(&pause, now, place)),
        Format::Text => {
            let sentence = output.say(
                "cli.paused",
                &[
                    ("what", &words(&pause.scope, place, output)),
                    ("until", &local(pause.until, place.zone())),
                    ("number", &pause.number),
                ],
            );
            output.line(&sentence)?;
            if !pause.emergency {
                output.line(&output.say("cli.paused-but-emergency", &[]))?;
            }
            Ok(())
        }
    }
}

/// Ends a pause.
///
/// # Errors
/// When there is no such pause in force, or the store fails.
pub(super) async fn resume(
    global: &Global,
    args: &ResumeArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let desk = Desk::open(global, &args.by, &args.reason, output).await?;
    let (place, now) = (&desk.place, desk.now);
    let resumed = desk.store.resume(args.number, desk.by, desk.reason, now);
    let Some(pause) = resumed.await? else {
        bail!(output.say("cli.no-pause", &[("number", &args.number)]));
    };
    match output.format {
        Format::Json => output.json(&Row::of(&pause, now, place)),
        Format::Text => {
            let what = words(&pause.scope, place, output);
            Ok(output.line(&output.say("cli.resumed", &[("what", &what)]))?)
        }
    }
}

/// Lists pauses.
///
/// # Errors
/// The store's.
pub(super) async fn list(
    global: &Global,
    args: &PausesArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let place = Place::of_record(global, output)?;
    let store = place.record(output).await?;
    let now = place.now(&store).await?;
    let since = if args.all {
        Timestamp::from_micros(0)
    } else {
        now
    };
    let pauses = store.pauses(since).await?;
    match output.format {
        Format::Json => {
            let rows: Vec<_> = pauses
                .iter()
                .map(|pause| Row::of(pause, now, &place))
                .collect();
            output.json(&rows)
        }
        Format::Text => {
            if pauses.is_empty() {
                output.line(&output.say("cli.no-pauses", &[]))?;
            }
            for pause in &pauses {
                output.line(&sentence(pause, &place, output))?;
            }
            Ok(())
        }
    }
}

fn sentence(pause: &Pause, place: &Place, output: &Output) -> String {
    let zone = place.zone();
    let line = output.say(
        "cli.pause-line",
        &[
            ("number", &pause.number),
            ("what", &words(&pause.scope, place, output)),
            ("from", &local(pause.from, zone)),
            ("until", &local(pause.until, zone)),
            ("by", &pause.by),
            ("reason", &pause.reason),
        ],
    );
    let Some(resumed) = &pause.resumed else {
        return line;
    };
    let end = output.say(
        "cli.pause-line-resumed",
        &[
            ("at", &local(resumed.at, zone)),
            ("by", &resumed.by),
            ("reason", &resumed.reason),
        ],
    );
    format!("{line} {end}")
}

/// What is silent, by its name where it still has one.
fn words(scope: &Scope, place: &Place, output: &Output) -> String {
    let name = place.workspace.name_of(scope);
    output.say(&format!("state.scope-{}", scope.kind()), &[("name", &name)])
}

/// What is meant. A name is refused that neither the files nor the log have.
async fn scope(text: &str, place: &Place, store: &Store, output: &Output) -> anyhow::Result<Scope> {
    let workspace = &place.workspace;
    Ok(match text.trim().split_once(':') {
        None if text.trim() == "all" => Scope::All,
        Some(("ward", name)) => {
            Scope::Ward(named::recorded_ward(workspace, store, name, output).await?)
        }
        Some(("channel", name)) => {
            Scope::Channel(named::recorded_channel(workspace, store, name, output).await?)
        }
        Some(("topic", name)) => Scope::Topic(named::topic(workspace, name, output)?.id.clone()),
        _ => bail!(output.say("cli.bad-scope", &[("scope", &text.trim())])),
    })
}

/// Where a person's word is taken down, whose it is and why.
struct Desk<'a> {
    place: Place,
    store: Store,
    now: Timestamp,
    by: &'a str,
    reason: &'a str,
}

impl<'a> Desk<'a> {
    async fn open(
        global: &Global,
        by: &'a str,
        reason: &'a str,
        output: &Output,
    ) -> anyhow::Result<Self> {
        let (by, reason) = (by.trim(), reason.trim());
        if by.is_empty() || reason.is_empty() {
            bail!(output.say("cli.pause-by-and-reason", &[]));
        }
        let place = Place::of_record(global, output)?;
        let store = place.desk(output).await?;
        let now = place.now(&store).await?;
        Ok(Self {
            place,
            store,
            now,
            by,
            reason,
        })
    }
}
