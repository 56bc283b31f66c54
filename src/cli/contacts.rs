//! `loa contacts`: which contacts there are and whether each may be named, and what in any text leads to somebody.

use std::{io::Read as _, path::Path};

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use serde::Serialize;

use super::{
    Findings, Global,
    output::{Format, Output, harmless},
    place::Place,
};
use crate::{
    clock::Clock,
    contacts::{Directory, Verdict, find},
    domain::{calendar, contact::Contact},
    store::World,
};

/// What to do with contacts.
#[derive(Debug, Args)]
pub(super) struct ContactsArgs {
    #[command(subcommand)]
    what: What,
    /// The day by which verifications are judged instead of today: 2024-03-25
    #[arg(long, global = true, value_name = "DATE", value_parser = super::usage::day)]
    on: Option<NaiveDate>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the contacts, and whether each may be named
    List,
    /// Find what in a text leads to somebody: numbers, links, accounts, however they are written
    Scan {
        /// The text; - reads standard input
        text: String,
    },
}

/// A row of `loa contacts list --format json`.
#[derive(Debug, Serialize)]
struct Row<'a> {
    contact: &'a str,
    kind: &'static str,
    name: &'a str,
    value: Option<&'a str>,
    owner: &'a str,
    purpose: &'a str,
    source: &'a str,
    /// `verified`, `unverified` or `expired`.
    standing: &'static str,
    verified_on: Option<String>,
    verified_by: Option<&'a str>,
    expires: Option<String>,
}

/// A row of `loa contacts scan --format json`.
#[derive(Debug, Serialize)]
struct Hit<'a> {
    kind: &'static str,
    written: &'a str,
    normalised: &'a str,
    /// `verified`, `unverified`, `expired`, `imitation`, `misleading` or `unknown`.
    verdict: &'static str,
    contact: Option<&'a str>,
    /// Where it stands: line and column in characters, from 1.
    line: usize,
    column: usize,
}

/// Lists or scans.
///
/// # Errors
/// [`Findings`] when a text carries what is no verified contact; others when the workspace or the text cannot be read.
pub(super) fn run(global: &Global, args: &ContactsArgs, output: &Output) -> anyhow::Result<()> {
    let place = Place::load(global, output)?;
    let now = match place.world {
        World::Real => Clock::system().now(),
        World::Simulated => place.workspace.settings.simulate_start,
    };
    let day = args
        .on
        .unwrap_or_else(|| calendar::local(now, place.zone()).date());
    match &args.what {
        What::List => list(&place, day, output),
        What::Scan { text } if text == "-" => {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|error| output.file(Path::new("-"), &error))?;
            scan(&place, &String::from_utf8_lossy(&bytes), day, output)
        }
        What::Scan { text } => scan(&place, text, day, output),
    }
}

fn list(place: &Place, day: NaiveDate, output: &Output) -> anyhow::Result<()> {
    let row = |contact: &'_ Contact| -> (&'static str, Option<String>) {
        let expires = contact.verified.as_ref();
        (
            contact.standing(Some(day)).as_str(),
            expires.map(|by| by.expires.to_string()),
        )
    };
    let contacts = place.workspace.contacts.values();
    if output.format == Format::Json {
        let rows: Vec<Row<'_>> = contacts
            .map(|contact| Row {
                contact: contact.id.as_str(),
                kind: contact.kind.as_str(),
                name: &contact.name,
                value: contact.value.as_deref(),
                owner: &contact.owner,
                purpose: &contact.purpose,
                source: &contact.source,
                standing: row(contact).0,
                verified_on: contact.verified.as_ref().map(|by| by.on.to_string()),
                verified_by: contact.verified.as_ref().map(|by| by.by.as_str()),
                expires: row(contact).1,
            })
            .collect();
        return output.json(&rows);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for contact in contacts {
        let (standing, expires) = row(contact);
        let until = expires.map_or_else(String::new, |expires| {
            output.say("cli.contacts-until", &[("day", &expires)])
        });
        table.add_row([
            contact.id.as_str(),
            &contact.name,
            contact.value.as_deref().unwrap_or("–"),
            &output.say(&format!("cli.contacts-{standing}"), &[]),
            &until,
        ]);
    }
    Ok(output.line(&table.trim_fmt())?)
}

fn scan(place: &Place, text: &str, day: NaiveDate, output: &Output) -> anyhow::Result<()> {
    let directory = Directory::new(place.workspace.contacts.values());
    let found = find(text);
    let judged: Vec<(usize, usize, Verdict<'_>)> = found
        .iter()
        .scan((1, 1, 0), |(line, column, at), found| {
            for c in text[*at..found.range.start].chars() {
                if c == '\n' {
                    (*line, *column) = (*line + 1, 1);
                } else {
                    *column += 1;
                }
            }
            *at = found.range.start;
            Some((*line, *column, directory.judge(found, &[], Some(day))))
        })
        .collect();
    let bad = judged
        .iter()
        .filter(|(.., verdict)| !verdict.is_good())
        .count();
    if output.format == Format::Json {
        let hits: Vec<Hit<'_>> = found
            .iter()
            .zip(&judged)
            .map(|(found, (line, column, verdict))| Hit {
                kind: found.kind.as_str(),
                written: &found.written,
                normalised: &found.normalised,
                verdict: verdict.as_str(),
                contact: verdict.contact().map(|contact| contact.id.as_str()),
                line: *line,
                column: *column,
            })
            .collect();
        output.json(&hits)?;
    } else {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        for (found, (line, column, verdict)) in found.iter().zip(&judged) {
            let contact = verdict.contact().map_or("", |contact| contact.id.as_str());
            table.add_row([
                format!("{line}:{column}"),
                output.say(&format!("cli.contacts-kind-{}", found.kind.as_str()), &[]),
                harmless(&found.written.replace('\n', " ⏎ ")).into_owned(),
                harmless(&found.normalised).into_owned(),
                output.say(&format!("cli.contacts-{}", verdict.as_str()), &[]),
                contact.to_owned(),
            ]);
        }
        if found.is_empty() {
            output.line(&output.say("cli.contacts-nothing", &[]))?;
        } else {
            output.line(&table.trim_fmt())?;
        }
    }
    if bad > 0 {
        return Err(Findings(output.say("cli.contacts-bad", &[("count", &bad)])).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{catalogue, contacts::Kind, domain::contact::Standing};

    #[test]
    fn every_word_has_a_sentence() {
        let kinds = Kind::ALL.map(|kind| format!("cli.contacts-kind-{}", kind.as_str()));
        let standings = [Standing::Good, Standing::Unverified, Standing::Expired]
            .map(|standing| format!("cli.contacts-{}", standing.as_str()));
        let verdicts =
            ["imitation", "misleading", "unknown"].map(|word| format!("cli.contacts-{word}"));
        for key in kinds.iter().chain(&standings).chain(&verdicts) {
            assert!(catalogue::has(key), "{key}");
        }
    }
}
