//! `loa conformance --scenarios`: what the kit tries and what it may find, with the words by which `--only` and JSON call it.

use comfy_table::{Table, presets};
use serde::Serialize;

use crate::{
    catalogue,
    cli::output::{Format, Output},
    conformance::{SCENARIOS, Spared},
};

/// What `--format json` says. Fields are only ever added.
#[derive(Debug, Serialize)]
struct Listing {
    scenarios: Vec<ScenarioRow>,
    breaches: Vec<Code>,
    /// Why a scenario may say nothing about a channel.
    not_applicable: Vec<Code>,
}

#[derive(Debug, Serialize)]
struct ScenarioRow {
    scenario: &'static str,
    name: String,
    expected: String,
    why: String,
    /// Whether `--against` tries it.
    against: bool,
}

#[derive(Debug, Serialize)]
struct Code {
    code: String,
    says: String,
}

/// Says all of it. No workspace is needed.
///
/// # Errors
/// When it cannot be written.
pub(super) fn list(output: &Output) -> anyhow::Result<()> {
    let scenarios = SCENARIOS.iter().map(|scenario| {
        let say = |key: &str| output.say(&format!("conformance.{key}-{}", scenario.id), &[]);
        ScenarioRow {
            scenario: scenario.id,
            name: say("name"),
            expected: say("expected"),
            why: say("why"),
            against: scenario.is_outside,
        }
    });
    let code = |prefix: &str, code: &str| Code {
        code: code.to_owned(),
        says: output.say(&format!("{prefix}{code}"), &[]),
    };
    let breaches = catalogue::names("conformance.breach-").into_iter();
    let spared = Spared::ALL.iter();
    let listing = Listing {
        scenarios: scenarios.collect(),
        breaches: breaches
            .map(|one| code("conformance.breach-", one))
            .collect(),
        not_applicable: spared
            .map(|one| code("conformance.spared-", one.as_str()))
            .collect(),
    };
    if output.format == Format::Json {
        return output.json(&listing);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for row in &listing.scenarios {
        let why = output.say(
            "conformance.listed",
            &[
                ("name", &row.name),
                ("expected", &row.expected),
                ("why", &row.why),
            ],
        );
        table.add_row([row.scenario, &why]);
    }
    output.line(&table.trim_fmt())?;
    output.line("")?;
    output.line(&output.say("conformance.list-breaches", &[]))?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for breach in &listing.breaches {
        table.add_row([&breach.code, &breach.says]);
    }
    Ok(output.line(&table.trim_fmt())?)
}
