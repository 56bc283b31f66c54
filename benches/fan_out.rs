//! Fans one occurrence out to N channels and compares with a bare HTTP client that sends the same number of bodies to
//! the same kind of sink: `cargo bench --bench fan_out -- --n 10000 --rounds 5`.
//!
//! Subjects: a bare `reqwest` client with nothing behind it; `loa` on SQLite (synchronous=FULL); `loa` on a private
//! PostgreSQL as its own package starts it (fsync on). Every run of a subject is a process of its own, and so is its
//! sink, so that processor time and memory are nobody else's. A round runs all subjects one after the other; ratios are
//! of the same round, and the figures are medians over the rounds. The order within a round moves on by one each time.
//!
//! Without PostgreSQL on purpose: `LOA_BENCH_WITHOUT=postgres`.

#[path = "fan_out/bare.rs"]
mod bare;
#[path = "fan_out/measure.rs"]
mod measure;
#[path = "fan_out/postgres.rs"]
mod postgres;
#[path = "fan_out/process.rs"]
mod process;
#[path = "fan_out/sink.rs"]
mod sink;
#[path = "fan_out/subject.rs"]
mod subject;
#[path = "fan_out/table.rs"]
mod table;

use std::{
    io::Write as _,
    net::SocketAddr,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};

use measure::Measured;
use postgres::Cluster;
use table::Run;

/// Fans one occurrence out to N channels.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    plan: Plan,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What is to be measured.
#[derive(Debug, Args)]
struct Plan {
    /// Channels, which are also deliveries.
    #[arg(long, default_value_t = 10_000)]
    n: u64,
    /// How often every subject runs.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Calls in flight.
    #[arg(long, default_value_t = 64)]
    in_flight: usize,
    /// How the channels treat doubt.
    #[arg(long, value_enum, default_value_t = Mode::AtLeastOnce)]
    mode: Mode,
}

/// How channels treat doubt: see `loa::domain::channel::Mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    AtLeastOnce,
    AtMostOnce,
}

/// One process of a run; started by the benchmark itself.
#[derive(Debug, Subcommand)]
#[command(hide = true)]
enum Part {
    /// Stands for every channel.
    Sink,
    /// The bare client.
    Bare {
        #[arg(long)]
        sink: SocketAddr,
    },
    /// A whole daemon.
    Loa {
        #[arg(long)]
        sink: SocketAddr,
        #[arg(long)]
        database: String,
        /// The database server's first process, if it has one.
        #[arg(long)]
        server: Option<u32>,
    },
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Bare,
    Sqlite,
    Postgres,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare reqwest",
            Self::Sqlite => "loa, SQLite",
            Self::Postgres => "loa, PostgreSQL",
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let plan = &options.plan;
    let done = match options.part {
        Some(Part::Sink) => sink::run(),
        Some(Part::Bare { sink }) => {
            bare::run(sink, plan.n, plan.in_flight).and_then(|measured| tell(&measured))
        }
        Some(Part::Loa {
            sink,
            database,
            server,
        }) => subject::run(plan, sink, &database, server).and_then(|measured| tell(&measured)),
        None if !options.bench => say("run it with: cargo bench --bench fan_out"),
        None => compare(plan),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // standard error is the last resort; there is nobody to tell that it is closed
            let _ = writeln!(std::io::stderr(), "fan_out: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// Hands a result to the process that started this one.
fn tell(measured: &Measured) -> anyhow::Result<()> {
    say(&serde_json::to_string(measured)?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the benchmark is told about the machine, not about loa"
)]
fn without_postgres() -> bool {
    std::env::var("LOA_BENCH_WITHOUT")
        .is_ok_and(|list| list.split(',').any(|word| word == "postgres"))
}

/// Runs everything and prints the table.
fn compare(plan: &Plan) -> anyhow::Result<()> {
    ensure!(
        plan.n > 0 && plan.rounds > 0 && plan.in_flight > 0,
        "nothing to measure"
    );
    let mut subjects = vec![Subject::Bare, Subject::Sqlite];
    let cluster = if without_postgres() {
        say("!! WITHOUT PostgreSQL, because LOA_BENCH_WITHOUT says so")?;
        None
    } else {
        subjects.push(Subject::Postgres);
        Some(Cluster::start().context("PostgreSQL (to go without: LOA_BENCH_WITHOUT=postgres)")?)
    };
    let mut runs: Vec<Run> = Vec::new();
    for round in 0..plan.rounds {
        for turn in 0..subjects.len() {
            let subject = subjects[(turn + round) % subjects.len()];
            let run = once(plan, subject, cluster.as_ref(), round)
                .with_context(|| format!("{} in round {}", subject.name(), round + 1))?;
            say(&table::line(&run))?;
            runs.push(run);
        }
    }
    say(&table::medians(plan, &subjects, &runs))
}

/// One subject once, with a sink of its own.
fn once(
    plan: &Plan,
    subject: Subject,
    cluster: Option<&Cluster>,
    round: usize,
) -> anyhow::Result<Run> {
    let (mut sink, address) = process::Sink::start()?;
    let scratch = tempfile::tempdir()?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args([
            "--n",
            &plan.n.to_string(),
            "--in-flight",
            &plan.in_flight.to_string(),
        ])
        .args([
            "--mode",
            plan.mode
                .to_possible_value()
                .context("a mode has a word")?
                .get_name(),
        ])
        .arg(if subject == Subject::Bare {
            "bare"
        } else {
            "loa"
        })
        .args(["--sink", &address.to_string()]);
    match subject {
        Subject::Bare => {}
        Subject::Sqlite => {
            let file = scratch.path().join("bench.db");
            command.args(["--database", &format!("sqlite:{}", file.display())]);
        }
        Subject::Postgres => {
            let cluster = cluster.context("PostgreSQL was not started")?;
            command.args(["--database", &cluster.database(&format!("round_{round}"))?]);
            command.args(["--server", &cluster.pid().to_string()]);
        }
    }
    let measured = process::result(&mut command)?;
    let arrived = sink.stop()?;
    let (unique, repeats, strange) = (arrived.unique, arrived.repeats, arrived.without_key);
    ensure!(
        unique == plan.n && repeats == 0 && strange == 0,
        "{unique} of {} arrived, {repeats} twice, {strange} without a key: not comparable",
        plan.n
    );
    Ok(Run {
        round,
        subject,
        measured,
        arrived,
        n: plan.n,
    })
}
