//! `loa check`: everything that is wrong with what people edit, in one run.

use super::{
    Findings, Global,
    output::{Format, Output},
    place::progress,
};
use crate::{
    diagnostic::{Severity, render},
    source,
};

/// Checks the workspace.
///
/// # Errors
/// [`Findings`] when there is a mistake; warnings alone are good.
pub(super) fn run(global: &Global, output: &Output) -> anyhow::Result<()> {
    let progress = progress(&output.say("cli.checking", &[]));
    let loaded = source::load(&global.dir);
    progress.finish_and_clear();
    let found = &loaded.diagnostics;
    let errors = found
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .count();
    let warnings = found.len() - errors;
    match output.format {
        Format::Json => output.line(&render::to_json(found, output.lang))?,
        Format::Text => {
            if !found.is_empty() {
                output.line(render::to_text(found, output.lang, output.color).trim_end())?;
            }
            match &loaded.workspace {
                Some(workspace) => output.line(&output.say(
                    "cli.check-good",
                    &[
                        ("files", &loaded.files.len()),
                        ("bulletins", &workspace.bulletins.len()),
                        ("wards", &workspace.wards.len()),
                        ("channels", &workspace.channels.len()),
                        ("schedules", &workspace.schedules.len()),
                        ("warnings", &warnings),
                    ],
                ))?,
                None => output.line(&output.say(
                    "cli.check-bad",
                    &[("errors", &errors), ("warnings", &warnings)],
                ))?,
            }
        }
    }
    if errors > 0 || loaded.workspace.is_none() {
        return Err(Findings(output.say("cli.workspace-has-mistakes", &[])).into());
    }
    Ok(())
}
