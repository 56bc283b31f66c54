//! `loa speech report`: how well lengths are estimated, bulletin by bulletin, against the sound that is really made.

use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::{
    cli::{
        Findings, Global, named,
        output::{Format, Output},
        place::{Place, eprint_text, progress},
        sound::{studio, why},
    },
    domain::{audio::AudioFormat, bulletin, id::BulletinId, message::Content, ward::Ward},
    render::Renderer,
    speech::syllables,
};

/// For which ward to speak.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReportArgs {
    /// The ward that bulletins are rendered for; the first one by its id where none is named
    #[arg(long)]
    ward: Option<String>,
}

/// A bulletin's row.
#[derive(Debug, Serialize)]
struct Row {
    bulletin: BulletinId,
    syllables: usize,
    estimated_seconds: f64,
    /// Words and the gaps between them, without chime; nothing where no sound could be made.
    synthesised_seconds: Option<f64>,
    /// How far the estimate is off, in percent of what was measured.
    error_percent: Option<f64>,
    failure: Option<String>,
}

/// Speaks every bulletin, or finds it spoken, and compares.
///
/// # Errors
/// [`Findings`] when a bulletin could not be made audible.
pub(in crate::cli) async fn run(
    global: &Global,
    args: &ReportArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let place = Place::load(global, output)?;
    let workspace = &place.workspace;
    let ward = if let Some(name) = &args.ward {
        named::ward(workspace, name, output)?
    } else {
        let first = workspace.wards.values().next();
        first.unwrap_or(&workspace.settings.city)
    };
    let rows = rows(&place, ward, output).await?;
    let mut errors: Vec<f64> = rows
        .iter()
        .filter_map(|row| Some(row.error_percent?.abs()))
        .collect();
    errors.sort_by(f64::total_cmp);
    let (median, worst) = (median(&errors), errors.last().copied());
    let failures = rows.iter().filter(|row| row.failure.is_some()).count();
    match output.format {
        Format::Json => output.json(&serde_json::json!({
            "ward": ward.id,
            "bulletins": rows,
            "median_error_percent": median,
            "largest_error_percent": worst,
        }))?,
        Format::Text if rows.is_empty() => output.line(&output.say("cli.report-none", &[]))?,
        Format::Text => {
            output.line(&table(&rows, output).to_string())?;
            for row in &rows {
                if let Some(failure) = &row.failure {
                    eprint_text(&format!("{}: {failure}", row.bulletin));
                }
            }
            if let (Some(median), Some(worst)) = (median, worst) {
                let args: [(&str, &dyn std::fmt::Display); 3] = [
                    ("count", &errors.len()),
                    ("median", &median),
                    ("worst", &worst),
                ];
                output.line(&output.say("cli.report-median", &args))?;
            }
        }
    }
    if failures > 0 {
        return Err(Findings(output.say("cli.report-failed", &[("count", &failures)])).into());
    }
    Ok(())
}

async fn rows(place: &Place, ward: &Ward, output: &Output) -> anyhow::Result<Vec<Row>> {
    let workspace = &place.workspace;
    let (renderer, _) = Renderer::new(workspace);
    let studio = studio(place)?;
    let mut rows = Vec::new();
    for bulletin in workspace
        .bulletins
        .values()
        .filter(|bulletin| bulletin.has(bulletin::Format::Script))
    {
        let bar = progress(bulletin.id.as_str());
        let content = renderer.render(workspace, bulletin, ward, bulletin::Format::Script)?;
        let spoken = Content::text_of(&studio.turns(&content));
        let estimated = studio.expected(&spoken, None).as_secs_f64();
        let made = studio.make(&content, AudioFormat::Wav.into()).await;
        bar.finish_and_clear();
        let measured = made
            .as_ref()
            .ok()
            .map(|made| made.audio.sound.spoken.as_secs_f64());
        rows.push(Row {
            bulletin: bulletin.id.clone(),
            syllables: syllables(&spoken),
            estimated_seconds: tenths(estimated),
            synthesised_seconds: measured.map(tenths),
            error_percent: measured
                .map(|measured| tenths((estimated - measured) / measured * 100.0)),
            failure: made.err().map(|error| why(&error, output)),
        });
    }
    Ok(rows)
}

fn table(rows: &[Row], output: &Output) -> Table {
    let heads = ["bulletin", "syllables", "estimated", "measured", "error"];
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(heads.map(|head| output.say(&format!("cli.report-{head}"), &[])));
    for row in rows {
        let number = |number: Option<f64>| {
            number.map_or_else(|| "–".to_owned(), |number| format!("{number:.1}"))
        };
        table.add_row([
            row.bulletin.to_string(),
            row.syllables.to_string(),
            number(Some(row.estimated_seconds)),
            number(row.synthesised_seconds),
            row.error_percent
                .map_or_else(|| "–".to_owned(), |error| format!("{error:+.1} %")),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// The middle of sorted numbers.
fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some(tenths(f64::midpoint(sorted[middle - 1], sorted[middle]))),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[1.0]), Some(1.0));
        assert_eq!(median(&[1.0, 2.0]), Some(1.5));
        assert_eq!(median(&[1.0, 2.0, 9.0]), Some(2.0));
    }
}
