//! The command line: one file a command.
//!
//! Exit codes: 0 good, 1 findings (mistakes in files, deliveries unaccounted for), 2 wrong usage or failure.

mod account;
mod airtime;
mod approve;
mod channels;
mod check;
mod conformance;
mod contacts;
pub mod cron;
mod diff;
mod failure;
mod follower;
mod log;
mod named;
mod new;
pub mod output;
mod pause;
mod place;
mod plan;
mod policy;
mod preview;
mod quota;
mod recipe;
mod reconcile;
mod retract;
mod run;
mod schema;
mod send;
mod simulate;
mod sound;
mod speech;
mod status;
mod subject;
mod usage;
mod verify;
mod zalo;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::{catalogue::Lang, domain::approval::Decision, store::World};
use output::{Format, Output};

/// Sends a city's public warnings to ward loudspeakers, websites and chat channels: on time, once, and on the record.
#[derive(Debug, Parser)]
#[command(name = "loa", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
pub struct Global {
    /// The workspace's folder
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
    /// The database instead of the one in loa.yaml: sqlite:PATH or postgres://…
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// Work in the simulated city with its own database; `run` may name the address of a city that `loa simulate` runs
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "", value_name = "URL")]
    simulate: Option<String>,
    /// Language of everything people read: vi or en
    #[arg(long, global = true, default_value = "vi", value_parser = usage::one_of(&Lang::ALL, Lang::as_str))]
    lang: Lang,
    /// For people or for programs; github and sarif are for `check`, ics for `plan`
    #[arg(long, global = true, default_value = "text")]
    format: Written,
}

/// What a command writes: the formats of all commands, and those of `check` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Written {
    /// For people.
    Text,
    /// For programs: stable, documented in the README.
    Json,
    /// Annotations of a GitHub workflow.
    Github,
    /// SARIF 2.1.0, for code scanners.
    Sarif,
    /// A calendar (RFC 5545), for calendar programs.
    Ics,
}

impl Written {
    /// The format that most commands go by.
    fn common(self) -> Format {
        match self {
            Self::Text | Self::Github | Self::Ics => Format::Text,
            Self::Json | Self::Sarif => Format::Json,
        }
    }
}

impl Global {
    fn world(&self) -> World {
        if self.simulate.is_some() {
            World::Simulated
        } else {
            World::Real
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon: plan, freeze, send, record, show
    Run(run::RunArgs),
    /// Check everything people edit and say what is wrong and how to mend it
    Check,
    /// Begin a file with guidance in it
    New(new::NewArgs),
    /// JSON Schemas of the files that people edit, for VS Code and others
    Schema(schema::SchemaArgs),
    /// Show what a ward gets of a bulletin, word for word
    Preview(preview::PreviewArgs),
    /// Show what will be broadcast, and when
    Plan(plan::PlanArgs),
    /// Show when something may be heard in a ward, and who decided so
    Policy(policy::PolicyArgs),
    /// Show how many minutes a week wards hear of each topic, against what is wanted
    Airtime(airtime::AirtimeArgs),
    /// Show what was broadcast, and what was not and why
    Log(log::LogArgs),
    /// Send a bulletin now
    Send(send::SendArgs),
    /// Be silent for a while: a channel, a ward, a topic or everything
    Pause(pause::PauseArgs),
    /// End a pause before its time
    Resume(pause::ResumeArgs),
    /// List the pauses
    Pauses(pause::PausesArgs),
    /// Show what is approved, and what awaits whom
    Status(status::StatusArgs),
    /// Show what changed since the last approval, word by word
    Diff(diff::DiffArgs),
    /// Approve exactly the version that was read
    Approve(approve::ApproveArgs),
    /// Send a version back to its editors
    Return(approve::ReturnArgs),
    /// Reject a version for good
    Reject(approve::ReturnArgs),
    /// Take a bulletin back: stop it, and correct it wherever it went
    Retract(retract::RetractArgs),
    /// List the contacts, or find in any text what leads to somebody
    Contacts(contacts::ContactsArgs),
    /// List the channels; with --probe, ask each whether it is alive
    Channels(channels::ChannelsArgs),
    /// Try a recipe without sending anything
    Recipe(recipe::RecipeArgs),
    /// Put a channel's adapter or recipe through the conformance kit
    Conformance(conformance::ConformanceArgs),
    /// Have a Zalo Official Account permit this system to send
    Zalo(zalo::ZaloArgs),
    /// Say whether a broadcast of unknown outcome was heard
    Reconcile(reconcile::ReconcileArgs),
    /// Check that every occurrence is accounted for
    Verify(verify::VerifyArgs),
    /// Say a crontab line in words and list its next instants
    Cron(cron::CronArgs),
    /// Show how a text is spoken, what a voice could not say, and how well lengths are estimated
    Speech(speech::SpeechArgs),
    /// Run the simulated city as a process of its own
    Simulate(simulate::SimulateArgs),
}

/// A command found something that a person has to mend. Ends with code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Findings(pub String);

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = arguments(std::env::args_os());
    let lang = usage::lang(&arguments);
    let parsed = usage::translate(Cli::command(), lang)
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            let commands: Vec<String> = Cli::command()
                .get_subcommands()
                .map(|command| command.get_name().to_owned())
                .collect();
            match usage::mistake(&error, &commands, lang) {
                Some(sentence) => place::eprint_text(&output::harmless(&sentence)),
                // Help and version are answers, not mistakes.
                None if !error.use_stderr() => {
                    let output = Output::new(Format::Text, lang);
                    let page = usage::page_of(&error, output.color, lang);
                    // Whoever went away needs no help.
                    let _ = output.raw(&page);
                    return ExitCode::SUCCESS;
                }
                None => place::eprint_text(&usage::page_of(&error, false, lang)),
            }
            return ExitCode::from(2);
        }
    };
    let output = Output::new(cli.global.format.common(), cli.global.lang);
    let runtime = match crate::daemon::runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            place::eprint_text(&format!("loa: {}", output.cause(&error)));
            return ExitCode::from(2);
        }
    };
    let result = runtime.block_on(execute(&cli, &output));
    runtime.shutdown_background();
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if let Some(io) = error.downcast_ref::<std::io::Error>()
        && io.kind() == std::io::ErrorKind::BrokenPipe
    {
        return ExitCode::SUCCESS;
    }
    let sentence = failure::sentence(&error, &output);
    place::eprint_text(&output::harmless(&format!("loa: {sentence}")));
    ExitCode::from(if error.is::<Findings>() { 1 } else { 2 })
}

async fn execute(cli: &Cli, output: &Output) -> anyhow::Result<()> {
    survive_large_files()?;
    let global = &cli.global;
    let is_special = matches!(global.format, Written::Github | Written::Sarif);
    if is_special && !matches!(cli.command, Command::Check) {
        anyhow::bail!(output.say("cli.format-of-check", &[]));
    }
    let is_calendar = global.format == Written::Ics;
    if is_calendar && !matches!(&cli.command, Command::Plan(args) if args.may_be_calendar()) {
        anyhow::bail!(output.say("cli.format-of-plan", &[]));
    }
    // What cannot be looked at is left to the reading, which says why.
    if matches!(global.dir.try_exists(), Ok(false)) {
        anyhow::bail!(output.say("cli.no-folder", &[("path", &global.dir.display())]));
    }
    match &cli.command {
        Command::Run(args) => Box::pin(run::run(global, args, output)).await,
        Command::Check => check::run(global, output).await,
        Command::New(args) => new::run(global, args, output),
        Command::Schema(args) => schema::run(args, output),
        Command::Preview(args) => preview::run(global, args, output).await,
        Command::Plan(args) => plan::run(global, args, output).await,
        Command::Policy(args) => policy::run(global, args, output).await,
        Command::Airtime(args) => airtime::run(global, args, output).await,
        Command::Log(args) => log::run(global, args, output).await,
        Command::Send(args) => send::run(global, args, output).await,
        Command::Pause(args) => pause::pause(global, args, output).await,
        Command::Resume(args) => pause::resume(global, args, output).await,
        Command::Pauses(args) => pause::list(global, args, output).await,
        Command::Status(args) => status::run(global, args, output).await,
        Command::Diff(args) => diff::run(global, args, output).await,
        Command::Approve(args) => approve::approve(global, args, output).await,
        Command::Return(args) => approve::refuse(global, args, Decision::Returned, output).await,
        Command::Reject(args) => approve::refuse(global, args, Decision::Rejected, output).await,
        Command::Retract(args) => retract::run(global, args, output).await,
        Command::Contacts(args) => contacts::run(global, args, output),
        Command::Channels(args) => channels::run(global, args, output).await,
        Command::Recipe(args) => recipe::run(global, args, output),
        Command::Conformance(args) => Box::pin(conformance::run(global, args, output)).await,
        Command::Zalo(args) => Box::pin(zalo::run(global, args, output)).await,
        Command::Reconcile(args) => reconcile::run(global, args, output).await,
        Command::Verify(args) => verify::run(global, args, output).await,
        Command::Cron(args) => cron::run(args, output),
        Command::Speech(args) => speech::run(global, args, output).await,
        Command::Simulate(args) => simulate::run(global, args, output).await,
    }
}

/// Lets a write beyond the process's limit for files fail, as one does on a full disk, instead of ending the process without a
/// word: whoever decided something hears that it was not written down, and a daemon still writes down what is in flight
/// when there is room again.
fn survive_large_files() -> std::io::Result<()> {
    // The handler stays when nobody listens any more.
    signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}

/// `--simulate URL` means `--simulate=URL`: without the equals sign an optional value would swallow whatever follows,
/// so only an address is taken for one.
fn arguments(given: impl Iterator<Item = std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<std::ffi::OsString> = Vec::new();
    for argument in given {
        let is_address = argument
            .to_str()
            .is_some_and(|text| text.starts_with("http://"));
        match arguments.last_mut() {
            Some(last) if is_address && last == "--simulate" => {
                last.push("=");
                last.push(argument);
            }
            _ => arguments.push(argument),
        }
    }
    // `loa help log` means `loa log --help`.
    if arguments.get(1).is_some_and(|first| first == "help") {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Cli {
        Cli::try_parse_from(arguments(line.split(' ').map(Into::into))).unwrap()
    }

    #[test]
    fn simulate_takes_an_address_and_nothing_else() {
        assert_eq!(
            parse("loa run --simulate http://127.0.0.1:1")
                .global
                .simulate
                .as_deref(),
            Some("http://127.0.0.1:1")
        );
        assert_eq!(
            parse("loa run --simulate").global.simulate.as_deref(),
            Some("")
        );
        assert_eq!(
            parse("loa --simulate run --speed 5")
                .global
                .simulate
                .as_deref(),
            Some("")
        );
        assert_eq!(parse("loa log").global.world(), World::Real);
        assert_eq!(parse("loa log --simulate").global.world(), World::Simulated);
    }

    #[test]
    fn every_obstacle_has_its_sentence() {
        for obstacle in crate::store::Obstacle::ALL {
            let key = format!("cli.database-{}", obstacle.as_str());
            assert!(crate::catalogue::has(&key), "{key}");
        }
        for defect in crate::store::defect::Defect::ALL {
            let key = format!("cli.database-{}", defect.as_str());
            assert!(crate::catalogue::has(&key), "{key}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        usage::translate(Cli::command(), Lang::Vi).debug_assert();
    }

    /// Every command and option has its help in both languages: a key in `catalogue/usage.yaml`.
    #[test]
    fn the_command_line_speaks_the_readers_language() {
        fn gaps(command: &clap::Command, path: &str, missing: &mut Vec<String>) {
            for arg in command.get_arguments() {
                let keys = [
                    format!("usage.{path}-{}", arg.get_id()),
                    format!("usage.all-{}", arg.get_id()),
                ];
                if !keys.iter().any(|key| crate::catalogue::has(key)) {
                    missing.push(keys[0].clone());
                }
            }
            for below in command.get_subcommands() {
                let path = match path {
                    "loa" => below.get_name().to_owned(),
                    path => format!("{path}-{}", below.get_name()),
                };
                if !crate::catalogue::has(&format!("usage.{path}")) {
                    missing.push(format!("usage.{path}"));
                }
                gaps(below, &path, missing);
            }
        }
        let mut missing = Vec::new();
        gaps(&Cli::command(), "loa", &mut missing);
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn the_language_is_known_before_the_arguments_are() {
        let lang = |line: &str| {
            let given: Vec<_> = line.split(' ').map(Into::into).collect();
            usage::lang(&given)
        };
        assert_eq!(lang("loa log --lang en --wrd x"), Lang::En);
        assert_eq!(lang("loa --lang=en --wrd"), Lang::En);
        assert_eq!(lang("loa --wrd"), Lang::Vi);
        assert_eq!(lang("loa --lang"), Lang::Vi);
    }
}
