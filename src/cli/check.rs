//! `loa check`: everything that is wrong with what people edit, in one run.

use std::path::{Component, Path};

use super::{
    Findings, Global, Written,
    output::Output,
    place::{Place, progress},
    quota,
};
use crate::{
    audio::equipment,
    clock::Clock,
    config::Secrets,
    diagnostic::{Diagnostic, Severity, render},
    domain::quota::AHEAD,
    source,
    store::World,
};

/// Checks the workspace.
///
/// # Errors
/// [`Findings`] when there is a mistake; warnings alone are good.
pub(super) async fn run(global: &Global, output: &Output) -> anyhow::Result<()> {
    let progress = progress(&output.say("cli.checking", &[]));
    // In the simulated city nothing expires while somebody looks at it.
    let now = (global.world() == World::Real).then(|| Clock::system().now());
    let mut loaded = source::load_at(&global.dir, now);
    if let Some(workspace) = loaded.workspace.as_ref().or(loaded.rest.as_ref()) {
        let home = Secrets::of(&global.dir, global.world()).home();
        let lacks = equipment::lacks(workspace, &home).await;
        let found = source::equipment::report(&global.dir, &lacks);
        loaded.diagnostics.extend(found);
        loaded.diagnostics.sort_by(Diagnostic::order);
    }
    // In the simulated city nobody reads them.
    if global.world() == World::Real {
        let found = source::certificates::report(&global.dir, &loaded.authorities);
        loaded.diagnostics.extend(found);
        loaded.diagnostics.sort_by(Diagnostic::order);
    }
    if let Some(workspace) = loaded
        .workspace
        .as_ref()
        .filter(|_| !loaded.metered.is_empty())
    {
        let place = Place::of(global, workspace.clone())?;
        let over = quota::over(&place, now, |now| now + AHEAD, output).await;
        let found = source::quotas::report(workspace, &loaded.metered, &over);
        loaded.diagnostics.extend(found);
        loaded.diagnostics.sort_by(Diagnostic::order);
    }
    progress.finish_and_clear();
    let found = &loaded.diagnostics;
    let errors = found
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .count();
    let warnings = found.len() - errors;
    let path = |path: &str| in_repository(&global.dir, path);
    match global.format {
        Written::Json => output.line(&render::to_json(found, output.lang))?,
        Written::Sarif => output.line(&render::to_sarif(found, output.lang, path))?,
        Written::Text | Written::Github | Written::Ics => {
            let text = if global.format == Written::Github {
                render::to_github(found, output.lang, path)
            } else {
                render::to_text(found, output.lang, output.color)
            };
            if !found.is_empty() {
                // The snippets have their own colours, and show what is unseen in the files.
                if global.format == Written::Text {
                    output.styled(text.trim_end())?;
                } else {
                    output.line(text.trim_end())?;
                }
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

/// The path of a file of the workspace `dir` as a repository names it, for a check that is started at the repository's
/// root: relative, with `/`, without `.` parts.
fn in_repository(dir: &Path, path: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let dir = dir.strip_prefix(&here).unwrap_or(dir);
    let parts = dir.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        Component::ParentDir => Some("..".to_owned()),
        _ => None,
    });
    let parts: Vec<String> = parts.chain([path.to_owned()]).collect();
    let relative = parts.join("/");
    if dir.is_absolute() {
        format!("/{relative}")
    } else {
        relative
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_the_repository_names_them() {
        for (dir, expected) in [
            (".", "content/a.yaml"),
            ("./vinh/", "vinh/content/a.yaml"),
            ("/elsewhere/vinh", "/elsewhere/vinh/content/a.yaml"),
        ] {
            assert_eq!(in_repository(Path::new(dir), "content/a.yaml"), expected);
        }
        let here = std::env::current_dir().unwrap();
        assert_eq!(
            in_repository(&here.join("vinh"), "loa.yaml"),
            "vinh/loa.yaml"
        );
    }
}
