//! `loa new`: a file to begin with, with what belongs in each place written beside it.

use std::{fs::OpenOptions, io::Write as _};

use anyhow::bail;
use chrono::{Datelike as _, Days};
use clap::{Args, Subcommand};

use super::{
    Global, named,
    output::{Format, Output},
};
use crate::{
    clock::Clock,
    domain::{calendar, id::BulletinId, lint::Limits},
    source,
};

/// What to begin.
#[derive(Debug, Args)]
pub(super) struct NewArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A bulletin under content/bulletins, with guidance as comments
    Bulletin(BulletinArgs),
}

#[derive(Debug, Args)]
struct BulletinArgs {
    /// The name of its file without .yaml: a-z, 0-9 and hyphens
    id: String,
    /// Its headline
    #[arg(long)]
    title: Option<String>,
    /// Its topic, one of content/topics.yaml
    #[arg(long)]
    topic: Option<String>,
    /// Who writes it; may be given several times
    #[arg(long = "editor", value_name = "NAME")]
    editors: Vec<String>,
}

/// The file, with `@NAME@` where something is filled in.
const BULLETIN: &str = include_str!("new/bulletin.yaml");

/// How long a new bulletin may air: long enough for a campaign, short enough that somebody looks at it again.
const DAYS: u64 = 90;

/// Begins the file.
///
/// # Errors
/// When the id is none or taken, there is no such topic, or the file cannot be written.
pub(super) fn run(global: &Global, args: &NewArgs, output: &Output) -> anyhow::Result<()> {
    let What::Bulletin(args) = &args.what;
    let Ok(id) = BulletinId::parse(&args.id) else {
        let sentence = output.say("cli.new-bad-id", &[("id", &args.id)]);
        match source::id_like(&args.id) {
            Some(near) => bail!(
                "{sentence} {}",
                output.say("cli.did-you-mean", &[("name", &near)])
            ),
            None => bail!(sentence),
        }
    };
    if !global.dir.join("loa.yaml").is_file() {
        bail!(output.say("cli.new-no-workspace", &[("dir", &global.dir.display())]));
    }
    // Mistakes elsewhere are no reason not to begin; what cannot be known is left out.
    let loaded = source::load(&global.dir);
    let workspace = loaded.workspace.or(loaded.rest);
    let topic = match (&args.topic, &workspace) {
        (Some(name), Some(workspace)) if !workspace.topics.is_empty() => {
            named::topic(workspace, name, output)?.id.to_string()
        }
        (name, _) => name.clone().unwrap_or_default(),
    };
    let zone = workspace
        .as_ref()
        .map_or(chrono_tz::Tz::Asia__Ho_Chi_Minh, |workspace| {
            workspace.settings.zone
        });
    let limits = workspace
        .as_ref()
        .map_or_else(Limits::default, |workspace| workspace.settings.lint.limits);
    // What is begun for the simulated city can air there.
    let now = match (global.simulate.is_some(), &workspace) {
        (true, Some(workspace)) => workspace.settings.simulate_start,
        _ => Clock::system().now(),
    };
    let today = calendar::local(now, zone).date();
    let until = today.checked_add_days(Days::new(DAYS)).unwrap_or(today);
    let topics = workspace
        .iter()
        .flat_map(|workspace| workspace.topics.values());
    let known = topics.map(|topic| format!("#   {}: {}\n", topic.id, topic.title));
    let editors: Vec<String> = args.editors.iter().map(|name| quoted(name)).collect();
    let month = format!("{:04}-{:02}", today.year(), today.month());
    let filled = [
        ("@ID@", id.to_string()),
        (
            "@TITLE@",
            args.title.as_deref().map(quoted).unwrap_or_default(),
        ),
        ("@TOPIC@", topic),
        ("@TOPICS@\n", known.collect()),
        ("@FROM@", today.to_string()),
        ("@UNTIL@", until.to_string()),
        ("@MONTH@", month),
        ("@EDITORS@", editors.join(", ")),
        ("@SYLLABLES@", limits.sentence_syllables.to_string()),
        ("@MESSAGE@", limits.message_characters.to_string()),
        ("@SIGN@", limits.sign_characters.to_string()),
        ("@SUMMARY@", limits.summary_characters.to_string()),
    ];
    let mut text = BULLETIN.to_owned();
    for (name, value) in filled {
        text = text.replace(name, &value);
    }
    let text: String = text
        .lines()
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect();
    let name = format!("content/bulletins/{id}.yaml");
    let path = global.dir.join(&name);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| output.file(folder, &error))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(&path);
    let mut file = match file {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!(output.say("cli.new-exists", &[("path", &name)]));
        }
        file => file.map_err(|error| output.file(&path, &error))?,
    };
    file.write_all(text.as_bytes())
        .map_err(|error| output.file(&path, &error))?;
    let fill = empty_keys(&text);
    match output.format {
        Format::Json => output.json(&serde_json::json!({ "file": name, "fill": fill })),
        Format::Text => Ok(output.line(&output.say(
            "cli.new-bulletin",
            &[("path", &name), ("keys", &fill.join(", "))],
        ))?),
    }
}

/// The keys after which nothing is written, neither on their line nor indented below it.
fn empty_keys(text: &str) -> Vec<&str> {
    let start = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .collect();
    let below = lines.iter().skip(1).map(|line| start(line)).chain([0]);
    lines
        .iter()
        .zip(below)
        .filter(|(line, below)| *below <= start(line))
        .filter_map(|(line, _)| line[start(line)..].strip_suffix(':'))
        .collect()
}

/// A text in double quotes, whatever is in it; JSON's escapes are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
