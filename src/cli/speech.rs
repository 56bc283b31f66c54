//! `loa speech`: how a text is spoken.

mod report;

use std::{io::Read as _, path::Path};

use clap::{Args, Subcommand};

use super::{
    Findings, Global,
    output::{Format, Output},
    place::eprint_text,
    usage::{between, one_of},
};
use crate::{
    domain::speech::{Dialect, Rate, Region, SpeechSettings},
    source,
    speech::{Speech, Spoken, duration, syllables},
};

/// What to do with spoken words.
#[derive(Debug, Args)]
pub(super) struct SpeechArgs {
    #[command(subcommand)]
    command: SpeechCommand,
}

#[derive(Debug, Subcommand)]
enum SpeechCommand {
    /// Show the spoken form of a text
    Read(ReadArgs),
    /// Compare estimated lengths with the sound that is really made
    Report(report::ReportArgs),
}

/// Which text to read, and how.
#[derive(Debug, Args)]
struct ReadArgs {
    /// The text; - reads standard input
    text: String,
    /// Show which rule changed what, and how long it lasts
    #[arg(long)]
    explain: bool,
    /// The dialect instead of the workspace's: north, central or south
    #[arg(long, value_parser = one_of(&Region::ALL, Region::as_str))]
    dialect: Option<Region>,
    /// Syllables a minute instead of the workspace's rate
    #[arg(long, value_name = "NUMBER", value_parser = |text: &str| between(text, Rate::SLOWEST, Rate::FASTEST))]
    rate: Option<u16>,
}

/// Does what was asked.
///
/// # Errors
/// [`Findings`] when there is something that a voice could not say; the system's when standard input cannot be read.
pub(super) async fn run(global: &Global, args: &SpeechArgs, output: &Output) -> anyhow::Result<()> {
    match &args.command {
        SpeechCommand::Read(args) => read(global, args, output),
        SpeechCommand::Report(args) => report::run(global, args, output).await,
    }
}

/// The reader of the workspace; the built-in one where its settings or readings have a mistake. Other files say nothing
/// about how words are spoken.
fn reader(root: &Path, region: Option<Region>, output: &Output) -> (Speech, SpeechSettings) {
    let workspace = root
        .join("loa.yaml")
        .exists()
        .then(|| source::load_speech(root))
        .and_then(|loaded| {
            if loaded.workspace.is_none() {
                eprint_text(&output.say("cli.speech-without-workspace", &[]));
            }
            loaded.workspace
        });
    let (readings, mut settings) = workspace
        .map(|workspace| (workspace.readings, workspace.settings.speech))
        .unwrap_or_default();
    if let Some(region) = region {
        settings.dialect = Dialect::of(region);
    }
    (Speech::new(&readings, settings.dialect), settings)
}

fn read(global: &Global, args: &ReadArgs, output: &Output) -> anyhow::Result<()> {
    let text = if args.text == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        String::from_utf8_lossy(&bytes).into_owned()
    } else {
        args.text.clone()
    };
    let (speech, settings) = reader(&global.dir, args.dialect, output);
    let rate = args.rate.map_or(settings.rate, Rate::syllables_per_minute);
    let spoken = speech.read(&text);
    match output.format {
        Format::Json => output.json(&json(&text, &spoken, rate))?,
        Format::Text => show(&spoken, rate, args.explain, output)?,
    }
    if spoken.problems.is_empty() {
        Ok(())
    } else {
        let count = spoken.problems.len();
        Err(Findings(output.say("cli.speech-has-problems", &[("count", &count)])).into())
    }
}

/// Places are in characters of the text that was given.
fn json(text: &str, spoken: &Spoken, rate: Rate) -> serde_json::Value {
    let at = |byte: usize| text[..byte].chars().count();
    let changes = spoken.changes.iter().map(|change| {
        serde_json::json!({
            "start": at(change.range.start),
            "end": at(change.range.end),
            "rule": change.rule,
            "from": change.from,
            "to": change.to,
        })
    });
    let problems = spoken.problems.iter().map(|problem| {
        serde_json::json!({
            "start": at(problem.range.start),
            "end": at(problem.range.end),
            "kind": problem.kind.as_str(),
            "text": problem.token,
        })
    });
    serde_json::json!({
        "text": spoken.text,
        "syllables": syllables(&spoken.text),
        "seconds": tenths(&spoken.text, rate),
        "rate": rate.get(),
        "changes": changes.collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
    })
}

/// Seconds to one decimal.
fn tenths(spoken: &str, rate: Rate) -> f64 {
    (duration::estimate(spoken, rate).as_secs_f64() * 10.0).round() / 10.0
}

fn show(spoken: &Spoken, rate: Rate, explain: bool, output: &Output) -> anyhow::Result<()> {
    output.line(spoken.text.trim_end_matches(['\n', '\r']))?;
    if explain {
        output.line("")?;
        for change in &spoken.changes {
            output.line(&format!(
                "  {:<18} {} → {}",
                change.rule,
                shown(&change.from),
                shown(&change.to)
            ))?;
        }
        output.line(&output.say(
            "cli.speech-length",
            &[
                ("syllables", &syllables(&spoken.text)),
                ("seconds", &tenths(&spoken.text, rate)),
                ("rate", &rate.get()),
            ],
        ))?;
    }
    for problem in &spoken.problems {
        let key = format!("cli.speech-problem-{}", problem.kind.as_str());
        eprint_text(&output.say(&key, &[("text", &problem.token)]));
    }
    Ok(())
}

/// What is left out, or cannot be seen, has a sign of its own.
fn shown(text: &str) -> String {
    if text.trim().is_empty() {
        "∅".to_owned()
    } else {
        text.replace('\n', "⏎")
    }
}

#[cfg(test)]
mod tests {
    use crate::speech::ProblemKind;

    #[test]
    fn every_problem_has_a_sentence() {
        for kind in ProblemKind::ALL {
            let key = format!("cli.speech-problem-{}", kind.as_str());
            assert!(crate::catalogue::has(&key), "{key}");
        }
    }
}
