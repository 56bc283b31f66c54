//! `loa status`: what is approved, what awaits whom, and what is held because a contact does not hold.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use super::{
    Findings, Global,
    diff::{exceptions_json, tell_exceptions},
    log::said,
    output::{Format, JsonArray, Output, local, rfc3339},
    place::Place,
    subject::{Desk, EntryRow, signed, title},
};
use crate::{
    domain::{
        approval::{Decision, Entry, Standing, Subject, may_be_same, may_name, writers},
        id::BulletinId,
        version::Version,
    },
    store::row::DeliveryRow,
};

/// What to list.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Only this bulletin or schedule
    id: Option<String>,
    /// Everything, not only what waits
    #[arg(long)]
    all: bool,
}

/// Where a version stands, in one word; the sentence is `approval.status-…`.
fn word(version: &Version, standing: &Standing, repeated: Option<&Entry>) -> &'static str {
    let last = standing.last.get(&version.hash).map(|last| last.decision);
    if standing.allows(&version.hash) {
        "approved"
    } else if let Some(entry) = repeated {
        match entry.decision {
            Decision::Rejected => "rejected",
            _ => "retracted",
        }
    } else if version.editors().is_empty() {
        "no-editors"
    } else if last == Some(Decision::Returned) {
        "returned"
    } else {
        "waiting"
    }
}

/// A row of `loa status --format json`. Fields are only ever added.
#[derive(Debug, Serialize)]
struct Row<'a> {
    kind: &'static str,
    id: &'a str,
    title: &'a str,
    version: &'a str,
    state: &'static str,
    needed: u32,
    editors: &'a [String],
    approvals: Vec<EntryRow<'a>>,
    may_approve: Vec<&'a str>,
    /// What its words hold that only looks like a contact, each with the reason.
    not_contacts: Vec<serde_json::Value>,
    in_force: Option<EntryRow<'a>>,
    /// While nothing is in force: what was, before another version took its place. It does not come back by itself.
    replaced: Option<EntryRow<'a>>,
    last: Option<EntryRow<'a>>,
    /// By what decision these words were rejected or taken back, in this version or in another.
    taken_back: Option<EntryRow<'a>>,
    /// Its broadcasts that are held because a contact in their words does not hold.
    held: Vec<HeldRow<'a>>,
}

/// A broadcast that is held. Fields are only ever added.
#[derive(Debug, Serialize)]
struct HeldRow<'a> {
    delivery: &'a str,
    channel: &'a str,
    due: String,
    until: String,
    detail: Option<&'a str>,
    why: Option<String>,
}

/// Broadcasts that are held now, by their bulletin.
type HeldByBulletin = BTreeMap<BulletinId, Vec<DeliveryRow>>;

/// Lists what has to be approved.
///
/// # Errors
/// [`Findings`] when something waits; others when the store fails.
pub(super) async fn run(global: &Global, args: &StatusArgs, output: &Output) -> anyhow::Result<()> {
    let desk = Desk::look(Place::load(global, output)?, output).await?;
    let only = args
        .id
        .as_deref()
        .map(|name| desk.find(name, output))
        .transpose()?;
    let subjects = desk.versions.iter().map(|version| version.subject.clone());
    let standings = desk.store.standings(&subjects.collect()).await?;
    let held = held(&desk).await?;
    let nothing = Standing::default();
    let mut waiting = 0;
    let mut array = match output.format {
        Format::Json => Some(JsonArray::begin(output)?),
        Format::Text => None,
    };
    for version in desk.versions.iter() {
        if only.is_some_and(|only| only.subject != version.subject) {
            continue;
        }
        let standing = standings.get(&version.subject).unwrap_or(&nothing);
        let repeated = desk.repeated(version, standing).await?;
        let repeated = repeated.as_ref();
        let state = word(version, standing, repeated);
        waiting += usize::from(state != "approved");
        match &mut array {
            None if state == "approved" && !args.all && only.is_none() => {}
            Some(array) => {
                let who = may_approve(&desk, version, standing).await?;
                let held = held_of(&held, version).iter();
                let held = held.map(|row| held_row(row, &desk, output)).collect();
                let mut row = row(&desk, version, standing, state, who, held);
                row.taken_back = repeated.map(|entry| EntryRow::of(entry, desk.place.zone()));
                array.item(&row)?;
            }
            None => {
                let who = may_approve(&desk, version, standing).await?;
                tell(&desk, version, (standing, repeated), state, &who, output)?;
            }
        }
    }
    if let Some(array) = array {
        array.end()?;
    } else {
        if waiting == 0 {
            output.line(&output.say("approval.status-good", &[]))?;
        }
        for (bulletin, rows) in &held {
            let is_its = |only: &Version| only.subject == Subject::Bulletin(bulletin.clone());
            if only.is_none_or(is_its) {
                tell_held(bulletin, rows, &desk, output)?;
            }
        }
    }
    if waiting > 0 {
        return Err(Findings(output.say("approval.status-bad", &[("count", &waiting)])).into());
    }
    Ok(())
}

/// Broadcasts that are held because a contact in their words does not hold.
async fn held(desk: &Desk) -> anyhow::Result<HeldByBulletin> {
    let mut held = HeldByBulletin::new();
    for row in desk.store.held().await? {
        if let Some(bulletin) = row.bulletin.clone() {
            held.entry(bulletin).or_default().push(row);
        }
    }
    Ok(held)
}

/// The held broadcasts of a version, if it is one of a bulletin.
fn held_of<'h>(held: &'h HeldByBulletin, version: &Version) -> &'h [DeliveryRow] {
    match &version.subject {
        Subject::Bulletin(id) => held.get(id).map_or(&[], Vec::as_slice),
        Subject::Schedule(_) => &[],
    }
}

fn held_row<'a>(row: &'a DeliveryRow, desk: &Desk, output: &Output) -> HeldRow<'a> {
    let zone = desk.place.zone();
    let detail = row.detail.as_deref();
    HeldRow {
        delivery: row.id.as_str(),
        channel: row.channel.as_str(),
        due: rfc3339(row.due, zone),
        until: rfc3339(row.deadline, zone),
        detail,
        why: detail.and_then(|detail| said(detail, output)),
    }
}

/// Equal reasons once, with how many broadcasts each holds up and what to do.
fn tell_held(
    bulletin: &BulletinId,
    rows: &[DeliveryRow],
    desk: &Desk,
    output: &Output,
) -> anyhow::Result<()> {
    let mut whys: BTreeMap<String, Vec<&DeliveryRow>> = BTreeMap::new();
    for row in rows {
        let why = row
            .detail
            .as_deref()
            .and_then(|detail| said(detail, output));
        whys.entry(why.unwrap_or_default()).or_default().push(row);
    }
    for (why, rows) in whys {
        let first = rows.iter().map(|row| row.due).min();
        let first = first.map_or_else(String::new, |due| local(due, desk.place.zone()));
        let args: [(&str, &dyn std::fmt::Display); 3] =
            [("id", bulletin), ("count", &rows.len()), ("first", &first)];
        output.line(&output.say("approval.held", &args))?;
        output.line(&format!("  {why}"))?;
    }
    Ok(())
}

/// Who could approve `version` now.
async fn may_approve<'d>(
    desk: &'d Desk,
    version: &Version,
    standing: &Standing,
) -> anyhow::Result<Vec<&'d str>> {
    let counted = standing.counted(&version.hash);
    let earlier = desk.store.versions_of(&version.subject).await?;
    let writers: Vec<&str> = writers(version, &earlier).collect();
    let taken = |name: &str| {
        writers.iter().any(|writer| may_name(writer, name))
            || counted.iter().any(|entry| may_be_same(&entry.person, name))
    };
    let approvers = &desk.place.workspace.settings.approval.approvers;
    Ok(approvers
        .iter()
        .map(|approver| approver.name.as_str())
        .filter(|name| !taken(name))
        .collect())
}

fn row<'a>(
    desk: &'a Desk,
    version: &'a Version,
    standing: &'a Standing,
    state: &'static str,
    who: Vec<&'a str>,
    held: Vec<HeldRow<'a>>,
) -> Row<'a> {
    let zone = desk.place.zone();
    let entry = |entry: &'a Entry| EntryRow::of(entry, zone);
    Row {
        kind: version.subject.kind(),
        id: version.subject.id(),
        title: title(&desk.place, &version.subject),
        version: version.hash.as_str(),
        state,
        needed: version.needed(),
        editors: version.editors(),
        approvals: standing.counted(&version.hash).iter().map(entry).collect(),
        may_approve: if matches!(state, "waiting" | "returned") {
            who
        } else {
            Vec::new()
        },
        not_contacts: exceptions_json(desk, version),
        in_force: standing.in_force.as_ref().map(entry),
        replaced: standing.replaced().map(entry),
        last: standing.last.get(&version.hash).map(entry),
        taken_back: None,
        held,
    }
}

fn tell(
    desk: &Desk,
    version: &Version,
    (standing, repeated): (&Standing, Option<&Entry>),
    state: &str,
    who: &[&str],
    output: &Output,
) -> anyhow::Result<()> {
    let zone = desk.place.zone();
    let kind = output.say(&format!("approval.kind-{}", version.subject.kind()), &[]);
    let (id, hash) = (version.subject.id(), version.hash.short());
    output.line(&format!("{kind} {id}  {hash}"))?;
    let name = title(&desk.place, &version.subject);
    if name != id {
        output.line(&format!("  {name}"))?;
    }
    let counted = standing.counted(&version.hash);
    let last = standing.last.get(&version.hash);
    let who = who.join("; ");
    let names = if who.is_empty() {
        output.say("approval.nobody", &[])
    } else {
        who
    };
    let by = if state == "approved" {
        let all = counted.iter().map(|entry| signed(entry, zone));
        all.collect::<Vec<_>>().join("; ")
    } else {
        last.map_or_else(String::new, |last| signed(last, zone))
    };
    let why = last.map_or("", |last| last.remark.as_str());
    let args: [(&str, &dyn std::fmt::Display); 6] = [
        ("id", &id),
        ("by", &by),
        ("why", &why),
        ("names", &names),
        ("count", &counted.len()),
        ("needed", &version.needed()),
    ];
    let sentence = match repeated {
        Some(entry) if entry.version != version.hash => desk.tell_repeated(entry, output),
        _ => output.say(&format!("approval.status-{state}"), &args),
    };
    output.line(&format!("  {sentence}"))?;
    if state != "approved" {
        output.line(&format!("  {}", desk.meanwhile(standing, output)))?;
        tell_exceptions(desk, version, output)?;
    }
    Ok(())
}
