//! The airtime of a week as people read it: topics with a target ward by ward, then the others, each on one line.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{Days, NaiveDate};
use comfy_table::{ContentArrangement, Table, presets};

use super::Heard;
use crate::{
    catalogue,
    cli::output::Output,
    domain::{id::TopicId, time::minutes_seconds, workspace::Workspace},
};

/// Writes a week. Where one ward or topic was asked for, every line of it.
pub(super) fn show(
    workspace: &Workspace,
    monday: NaiveDate,
    all: &[Heard<'_>],
    is_narrow: bool,
    output: &Output,
) -> anyhow::Result<()> {
    let sunday = monday.checked_add_days(Days::new(6)).unwrap_or(monday);
    let day = |day: NaiveDate| day.format("%d/%m/%Y").to_string();
    let range: [(&str, &dyn std::fmt::Display); 2] =
        [("from", &day(monday)), ("until", &day(sunday))];
    output.line(&format!("\n{}", output.say("cli.airtime-week", &range)))?;
    if all.is_empty() {
        output.line(&output.say("cli.airtime-none", &[]))?;
    }
    for group in all.chunk_by(|one, other| group(one) == group(other)) {
        let Some(first) = group.first() else {
            continue;
        };
        let Some(filling) = &first.filling else {
            continue;
        };
        let names: [(&str, &dyn std::fmt::Display); 2] = [
            ("topic", &title(workspace, &first.topic)),
            ("target", &filling.schedule),
        ];
        output.line(&format!("\n{}", output.say("cli.airtime-target", &names)))?;
        let mut table = table(output, "ward");
        for heard in group {
            table.add_row(cells(workspace.name_of_ward(heard.ward), heard));
        }
        output.line(&table.trim_fmt())?;
        output.line(&total(group, output))?;
        for line in reasons(workspace, &group.iter().collect::<Vec<_>>(), output) {
            output.line(&line)?;
        }
    }
    let others: Vec<&Heard<'_>> = all.iter().filter(|heard| heard.filling.is_none()).collect();
    if others.is_empty() {
        return Ok(());
    }
    output.line(&format!("\n{}", output.say("cli.airtime-others", &[])))?;
    if is_narrow {
        let mut table = table(output, "topic-ward");
        for heard in &others {
            let ward = workspace.name_of_ward(heard.ward);
            let name = format!("{}, {ward}", title(workspace, &heard.topic));
            table.add_row(cells(name, heard));
        }
        output.line(&table.trim_fmt())?;
        for line in reasons(workspace, &others, output) {
            output.line(&line)?;
        }
        return Ok(());
    }
    let why = reasons(workspace, &others, output);
    let mut topics: BTreeMap<&TopicId, Vec<Duration>> = BTreeMap::new();
    for heard in others {
        let planned = heard.said.planned.max(heard.said.reached());
        topics.entry(&heard.topic).or_default().push(planned);
    }
    for (topic, amounts) in topics {
        let amount =
            |length: Option<&Duration>| minutes_seconds(length.copied().unwrap_or_default());
        let (least, most) = (amount(amounts.iter().min()), amount(amounts.iter().max()));
        let amount = if least == most {
            least
        } else {
            format!("{least}–{most}")
        };
        let args: [(&str, &dyn std::fmt::Display); 3] = [
            ("topic", &title(workspace, topic)),
            ("amount", &amount),
            ("count", &amounts.len()),
        ];
        output.line(&output.say("cli.airtime-other", &args))?;
    }
    for line in why {
        output.line(&line)?;
    }
    Ok(())
}

/// What stands in one table.
fn group<'h>(heard: &'h Heard<'_>) -> (&'h TopicId, Option<&'h crate::domain::id::ScheduleId>) {
    (
        &heard.topic,
        heard.filling.as_ref().map(|filling| &filling.schedule),
    )
}

fn title(workspace: &Workspace, topic: &TopicId) -> String {
    let known = workspace.topics.get(topic);
    known.map_or_else(|| topic.to_string(), |topic| topic.title.clone())
}

fn table(output: &Output, first: &str) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    let columns = [
        first,
        "wanted",
        "planned",
        "accepted",
        "confirmed",
        "unknown",
        "to-come",
        "missing",
    ];
    table.set_header(columns.map(|column| output.say(&format!("cli.airtime-{column}"), &[])));
    table
}

fn cells(name: String, heard: &Heard<'_>) -> Vec<String> {
    let said = &heard.said;
    let wanted = heard.filling.as_ref().map(|filling| filling.wanted);
    let amounts = [
        said.planned,
        said.accepted,
        said.confirmed,
        said.unknown,
        said.to_come,
        heard.missing(),
    ];
    let mut cells = vec![name, wanted.map_or_else(String::new, minutes_seconds)];
    cells.extend(amounts.map(|amount| {
        if amount.is_zero() {
            "–".to_owned()
        } else {
            minutes_seconds(amount)
        }
    }));
    cells
}

/// How many wards reach the target, and the whole city's minutes.
fn total(group: &[Heard<'_>], output: &Output) -> String {
    let met = group
        .iter()
        .filter(|heard| heard.missing().is_zero())
        .count();
    let sum = |of: fn(&Heard<'_>) -> Duration| minutes_seconds(group.iter().map(of).sum());
    let wanted = sum(|heard| {
        heard
            .filling
            .as_ref()
            .map_or(Duration::ZERO, |one| one.wanted)
    });
    output.say(
        "cli.airtime-total",
        &[
            ("met", &met),
            ("count", &group.len()),
            ("wanted", &wanted),
            (
                "aired",
                &sum(|heard| heard.said.accepted + heard.said.confirmed),
            ),
            ("to_come", &sum(|heard| heard.said.to_come)),
        ],
    )
}

/// What was cut off, and what keeps wards from their target, each reason once.
fn reasons(workspace: &Workspace, group: &[&Heard<'_>], output: &Output) -> Vec<String> {
    let mut reasons: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for heard in group {
        let ward = workspace.name_of_ward(heard.ward);
        if !heard.said.cut.is_zero() {
            let length = minutes_seconds(heard.said.cut);
            let reason = output.say("cli.airtime-cut-off", &[("length", &length)]);
            reasons.entry(reason).or_default().insert(ward.clone());
        }
        if heard.missing().is_zero() {
            continue;
        }
        let obstacles = heard.filling.iter().flat_map(|filling| &filling.obstacles);
        let obstacles = obstacles.filter_map(|(detail, days)| {
            catalogue::obstacle(output.lang, detail.code(), detail.arguments(), *days)
        });
        let lost = heard.said.lost.iter().map(|(reason, length)| {
            let why = output.say(&format!("reason.{reason}"), &[]);
            let length = minutes_seconds(*length);
            output.say("cli.airtime-lost", &[("why", &why), ("length", &length)])
        });
        let unknown =
            (!heard.said.unknown.is_zero()).then(|| output.say("cli.airtime-is-unknown", &[]));
        for reason in obstacles.chain(lost).chain(unknown) {
            reasons.entry(reason).or_default().insert(ward.clone());
        }
    }
    let line = |(reason, wards): (String, BTreeSet<String>)| {
        let names: Vec<&str> = wards.iter().take(3).map(String::as_str).collect();
        let more = if wards.len() > names.len() {
            ", …"
        } else {
            ""
        };
        let args: [(&str, &dyn std::fmt::Display); 3] = [
            ("why", &reason),
            ("count", &wards.len()),
            ("wards", &format!("{}{more}", names.join(", "))),
        ];
        output.say("cli.airtime-why", &args)
    };
    reasons.into_iter().map(line).collect()
}
