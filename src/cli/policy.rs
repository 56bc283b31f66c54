//! `loa policy`: when something may be heard in a ward on a day, by which rules, and who decided so.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{
    Global, named,
    output::{Format, Output, day, parse_instant, rfc3339},
    place::Place,
};
use crate::domain::{
    bulletin::Priority,
    calendar::local,
    policy::{Permit, Rule},
    time::{Timestamp, format_duration},
};

/// Where and when.
#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    /// The ward
    #[arg(long)]
    ward: String,
    /// The day (2024-03-25; default today)
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// For bulletins of this priority: normal, priority or emergency
    #[arg(long, default_value = "normal", value_parser = ["normal", "priority", "emergency"])]
    priority: String,
}

/// Shows what the rules leave of the day.
///
/// # Errors
/// When the ward or the day is not understood.
pub(super) async fn run(global: &Global, args: &PolicyArgs, output: &Output) -> anyhow::Result<()> {
    let place = Place::load(global, output)?;
    let zone = place.zone();
    let ward = &named::ward(&place.workspace, &args.ward, output)?.id;
    let now = place.moment(output).await?;
    let at = args
        .date
        .as_deref()
        .map_or(Ok(now), |text| parse_instant(text, zone, now))?;
    let date = local(at, zone).date();
    let priority = Priority::parse(&args.priority).unwrap_or_default();
    let workspace = &place.workspace;
    let permit = workspace.policy.permit(ward, date, zone, priority);
    let rules: Vec<&Rule> = workspace.policy.in_force(ward, date).collect();
    match output.format {
        Format::Json => {
            let by = |rule: &Rule| rule.id.clone();
            let open: Vec<_> = permit.open.iter().map(|open| {
                json!({ "from": rfc3339(open.from, zone), "until": rfc3339(open.until, zone) })
            }).collect();
            let length = |limit: Option<(Duration, &Rule)>| {
                limit.map(|(most, rule)| json!({ "seconds": most.as_secs_f64(), "rule": by(rule) }))
            };
            output.json(&json!({
                "ward": ward,
                "date": date.to_string(),
                "priority": priority.as_str(),
                "open": open,
                "sessions": permit.sessions.map(|(most, rule)| json!({ "most": most, "rule": by(rule) })),
                "longest": length(permit.longest),
                "longest_day": length(permit.longest_day),
                "gap_seconds": permit.gap_of.map(|_| permit.gap.as_secs_f64()),
                "gap_rule": permit.gap_of.map(by),
                "rules": rules.iter().map(|rule| json!({
                    "rule": rule.id,
                    "name": rule.name,
                    "document": rule.document.document,
                    "dated": rule.document.dated.to_string(),
                    "note": rule.note,
                    "binds": !rule.exempt.contains(&priority),
                    "exempt": rule.exempt.iter().map(|exempt| exempt.as_str()).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
            }))
        }
        Format::Text => {
            let name = workspace.ward(ward).map_or("", |ward| ward.name.as_str());
            output.line(&format!("{name}, {}", day(date, output.lang)))?;
            for line in summary(&permit, zone, output) {
                output.line(&line)?;
            }
            if rules.is_empty() {
                output.line(&output.say("cli.policy-no-rules", &[]))?;
            }
            for rule in rules {
                let exempt = rule.exempt.contains(&priority);
                let key = if exempt {
                    "cli.policy-rule-exempt"
                } else {
                    "cli.policy-rule"
                };
                let args: [(&str, &dyn std::fmt::Display); 3] = [
                    ("id", &rule.id),
                    ("name", &rule.name),
                    ("document", &rule.document),
                ];
                output.line(&output.say(key, &args))?;
                if let Some(note) = &rule.note {
                    output.line(&format!("    {note}"))?;
                }
            }
            Ok(())
        }
    }
}

/// The open hours and the limits, each with the rule that sets it.
fn summary(permit: &Permit<'_>, zone: chrono_tz::Tz, output: &Output) -> Vec<String> {
    let clock = |at: Timestamp| local(at, zone).format("%H:%M").to_string();
    let ends = |at: Timestamp| match clock(at).as_str() {
        "00:00" => "24:00".to_owned(),
        clock => clock.to_owned(),
    };
    let open: Vec<String> = permit
        .open
        .iter()
        .map(|open| format!("{}–{}", clock(open.from), ends(open.until)))
        .collect();
    let mut lines = vec![if open.is_empty() {
        output.say("cli.policy-closed", &[])
    } else {
        output.say("cli.policy-open", &[("hours", &open.join(", "))])
    }];
    let gaps = permit.amounts.iter().map(|rule| rule.sessions.gap);
    if let Some(rule) = permit.gap_of.filter(|_| gaps.min() != Some(permit.gap)) {
        let gap = format_duration(permit.gap);
        let args: [(&str, &dyn std::fmt::Display); 2] = [("gap", &gap), ("rule", &rule.name)];
        lines.push(output.say("cli.policy-gap", &args));
    }
    if let Some((most, rule)) = permit.sessions {
        let gap = format_duration(rule.sessions.gap);
        lines.push(output.say(
            "cli.policy-sessions",
            &[("most", &most), ("gap", &gap), ("rule", &rule.name)],
        ));
    }
    for (key, limit) in [
        ("cli.policy-longest", permit.longest),
        ("cli.policy-longest-day", permit.longest_day),
    ] {
        if let Some((most, rule)) = limit {
            let most = format_duration(most);
            lines.push(output.say(key, &[("most", &most), ("rule", &rule.name)]));
        }
    }
    lines
}
