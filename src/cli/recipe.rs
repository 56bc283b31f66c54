//! `loa recipe try`: what a recipe would ask of a channel, and what given answers would be taken for. Nothing is sent, and no
//! secret is read.

use std::{
    fs::File,
    io::{IsTerminal as _, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::bail;
use bytes::Bytes;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{
    Findings, Global, named,
    output::{Format, Output, parse_instant},
    place::Place,
    usage::between,
};
use crate::{
    adapter::{
        Failure, Request, Taken,
        recipe::{CompiledRecipe, RecipeProblemKind, SECRET},
        registry::Registry,
        rehearsal::{self, Answer, End, NoAnswers, Rehearsal, rehearse},
    },
    clock::Clock,
    daemon::live::fault,
    domain::{
        audio::{Audio, Sound, SoundHash},
        bulletin::{Bulletin, Priority},
        channel::{AdapterConfig, Channel, Parameter},
        id::{DeliveryId, ScheduleId},
        message::{Kept, Message, Playing},
        secret::Secret,
        time::Timestamp,
    },
    render::Renderer,
    source::pictures::{self, PICTURES},
};

/// What to do with recipes.
#[derive(Debug, Args)]
pub(super) struct RecipeArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show each request as it would be sent, and what answers given on standard input would be taken for
    Try(TryArgs),
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
struct TryArgs {
    /// The channel whose recipe and parameters are used
    channel: String,
    /// The bulletin; without it the first one that has the channel's format
    #[arg(long)]
    bulletin: Option<String>,
    /// Which attempt it is: from the second on `find` asks first
    #[arg(long, default_value_t = 1, value_parser = |text: &str| between(text, 1_u32, 1_000))]
    attempt: u32,
    /// As an emergency that interrupts what is playing: `stop` comes first
    #[arg(long, conflicts_with = "probe")]
    preempts: bool,
    /// The bulletin's correction in its place: what `retract` would send
    #[arg(long, conflicts_with = "probe")]
    correction: bool,
    /// Ask whether the channel is alive instead
    #[arg(long)]
    probe: bool,
    /// Ask what became of it instead, long after it was taken (`confirm.later`)
    #[arg(long, conflicts_with_all = ["probe", "preempts"])]
    later: bool,
    /// Read the answers from this file instead of standard input
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// As if it were this instant: 2024-03-25T05:30
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
}

/// What `loa recipe try --format json` says. Fields are only ever added.
#[derive(Debug, Serialize)]
struct Told<'a> {
    channel: &'a str,
    recipe: &'a str,
    bulletin: Option<&'a str>,
    requests: Vec<Asked>,
    /// `accepted`, `retry`, `reject`, `unknown` or `waits`.
    verdict: &'static str,
    reason: Option<&'static str>,
    detail: Option<String>,
    why: Option<String>,
    receipt: Option<String>,
    evidence: Option<&'static str>,
    retry_after_seconds: Option<u64>,
    unused_answers: usize,
}

/// A request as it would be sent, and its answer.
#[derive(Debug, Serialize)]
struct Asked {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    /// Absent where it is no text.
    body: Option<String>,
    body_bytes: usize,
    wait_ms: u128,
    /// The answer's status.
    status: Option<u16>,
    /// Why there is no answer: a reason of `log`.
    fault: Option<&'static str>,
}

/// What stands for the receiver's reference, which nobody has given.
const RECEIPT: &str = "receipt";

/// More answers than this are no trial.
const MOST_BYTES: u64 = 4 << 20;

/// Does it.
///
/// # Errors
/// [`Findings`] when the answers would be taken for a failure, or do not go as far as the requests; others when there is no such channel or bulletin, or the answers
/// cannot be read.
pub(super) fn run(global: &Global, args: &RecipeArgs, output: &Output) -> anyhow::Result<()> {
    let What::Try(args) = &args.what;
    let place = Place::load(global, output)?;
    let channel = named::channel(&place.workspace, &args.channel, output)?;
    let AdapterConfig::Recipe { recipe, .. } = &channel.adapter else {
        bail!(output.say("cli.try-no-recipe", &[("channel", &channel.id)]));
    };
    let zone = place.zone();
    let now = match &args.at {
        Some(text) => parse_instant(text, zone, place.workspace.settings.simulate_start)?,
        None => Clock::system().now(),
    };
    // A reference stands for its secret: nothing here knows one. Where it has to be hexadecimal digits or base64, a text that is both.
    let is_coded = reads_secrets(&place, channel);
    let (registry, problems) = Registry::with_stand_ins(&place.workspace, &|reference| {
        Secret::new(if is_coded {
            SECRET.to_owned()
        } else {
            reference.to_string()
        })
    });
    let Some(adapter) = registry.get(&channel.id) else {
        let mut problems = problems.iter();
        let why = problems.find(|problem| problem.channel == channel.id);
        let why = why.map(|problem| output.detail(&fault(&problem.kind)));
        bail!(why.unwrap_or_default());
    };
    let answers = read_answers(args.answers.as_deref(), now, output)?;
    if args.probe {
        let Some(rehearsal) = rehearse(|done| adapter.question_at(None, done, now), answers) else {
            bail!(output.say("cli.try-no-probe", &[("recipe", recipe)]));
        };
        return tell(channel, recipe.as_str(), None, &rehearsal, output);
    }
    let bulletin = bulletin(&place, channel, args.bulletin.as_deref(), output)?;
    let message = message(&place, channel, bulletin, args, now, output)?;
    if args.later {
        let asked = without_sound(message);
        let step = |done: &[_]| adapter.look_after(&asked, Some(RECEIPT), done, now);
        let Some(rehearsal) = rehearse(step, answers) else {
            bail!(output.say("cli.try-no-later", &[("recipe", recipe)]));
        };
        return tell(channel, recipe.as_str(), Some(bulletin), &rehearsal, output);
    }
    match rehearse(|done| Some(adapter.step(&message, done)), answers) {
        Some(rehearsal) => tell(channel, recipe.as_str(), Some(bulletin), &rehearsal, output),
        None => Ok(()),
    }
}

/// Whether what a recipe makes of a secret does not come out where that is any text.
fn reads_secrets(place: &Place, channel: &Channel) -> bool {
    let AdapterConfig::Recipe { recipe, with } = &channel.adapter else {
        return false;
    };
    let recipe = place.workspace.recipes.get(recipe);
    let compiled = recipe.and_then(|recipe| CompiledRecipe::new(recipe).ok());
    let value = |(name, parameter): (&str, &Parameter)| {
        let value = match parameter {
            Parameter::Plain(value) => value.clone(),
            Parameter::Secret(reference) => reference.to_string(),
        };
        (name.to_owned(), value)
    };
    let trial = compiled.map(|compiled| compiled.trial(&with.iter().map(value).collect()));
    trial.is_some_and(|trial| {
        trial.is_err_and(|problem| matches!(problem.kind, RecipeProblemKind::Template(_)))
    })
}

/// What is on record long after a message was taken.
fn without_sound(message: Message) -> Message {
    Message {
        audio: None,
        picture: None,
        ..message
    }
}

/// The answers of a file, or of standard input where something is given there.
fn read_answers(
    file: Option<&Path>,
    now: Timestamp,
    output: &Output,
) -> anyhow::Result<Vec<Answer>> {
    let mut text = Vec::new();
    let path = file.unwrap_or(Path::new("-"));
    let read = match file {
        Some(file) => {
            File::open(file).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut text))
        }
        // Nobody types an answer: who only wants to see the first request gives none.
        None if std::io::stdin().is_terminal() => Ok(0),
        None => std::io::stdin().take(MOST_BYTES + 1).read_to_end(&mut text),
    };
    read.map_err(|error| output.file(path, &error))?;
    if text.len() as u64 > MOST_BYTES {
        bail!(output.say("cli.try-large", &[("path", &path.display())]));
    }
    rehearsal::answers(&text, now).map_err(|wrong| {
        let (key, line) = match wrong {
            NoAnswers::Status(line) => ("cli.try-no-status", line),
            NoAnswers::Header(line) => ("cli.try-no-header", line),
        };
        let args: [(&str, &dyn std::fmt::Display); 2] =
            [("path", &path.display()), ("line", &line)];
        anyhow::Error::msg(output.say(key, &args))
    })
}

/// The bulletin that is sent: the named one, or the first that the channel can carry.
fn bulletin<'w>(
    place: &'w Place,
    channel: &Channel,
    name: Option<&str>,
    output: &Output,
) -> anyhow::Result<&'w Bulletin> {
    let format = channel.kind.format();
    let found = if let Some(name) = name {
        Some(named::bulletin(&place.workspace, name, output)?)
    } else {
        let mut bulletins = place.workspace.bulletins.values();
        bulletins.find(|bulletin| bulletin.has(format))
    };
    match found.filter(|bulletin| bulletin.has(format)) {
        Some(bulletin) => Ok(bulletin),
        None => bail!(output.say(
            "cli.no-format",
            &[("name", &name.unwrap_or("–")), ("format", &format.as_str())]
        )),
    }
}

/// The message that the channel would get, by a schedule that is none.
fn message(
    place: &Place,
    channel: &Channel,
    bulletin: &Bulletin,
    args: &TryArgs,
    now: Timestamp,
    output: &Output,
) -> anyhow::Result<Message> {
    let workspace = &place.workspace;
    let ward = named::ward(workspace, channel.ward.as_str(), output)?;
    let (renderer, _) = Renderer::new(workspace);
    let format = channel.kind.format();
    let content = if args.correction {
        renderer.correction(workspace, bulletin, ward, format)?
    } else {
        renderer.render(workspace, bulletin, ward, format)?
    };
    // What stands for the sound: nothing is made here. Where it goes out in pieces, it has two.
    let mut stand_in = output.say("cli.try-sound", &[]);
    if let Some(bytes) = piece(place, channel) {
        stand_in = stand_in.repeat(bytes / stand_in.len() + 1);
    }
    let stand_in = Bytes::from(stand_in);
    let sound = |format| Audio {
        sound: Sound {
            hash: SoundHash::of(&stand_in),
            format,
            length: Duration::ZERO,
            spoken: Duration::ZERO,
            loudness: 0.0,
            peak: 0.0,
            size: stand_in.len() as u64,
        },
        data: stand_in.clone(),
    };
    // The picture itself is at hand, and what is sent of it is part of the trial.
    let picture = content.picture.as_ref().map(|picture| {
        let path = place.root.join(PICTURES).join(&picture.file);
        let read = pictures::read(&place.root, picture);
        read.map(Bytes::from)
            .map_err(|error| output.file(&path, &error))
    });
    Ok(Message {
        delivery: DeliveryId::of(&ScheduleId::by_hand("try"), now, &channel.id),
        attempt: args.attempt,
        channel: channel.id.clone(),
        channel_name: channel.name.clone(),
        ward: ward.id.clone(),
        ward_name: ward.name.clone(),
        priority: if args.preempts {
            Priority::Emergency
        } else {
            bulletin.priority
        },
        preempts: args.preempts,
        due: now,
        deadline: now,
        sent_at: now,
        hash: content.hash(),
        content: Arc::new(content),
        audio: channel.audio.map(sound),
        picture: picture.transpose()?,
        kept: Kept {
            playing: args.preempts.then(|| Playing {
                delivery: DeliveryId::of(&ScheduleId::by_hand("playing"), now, &channel.id),
                receipt: Some("playing-receipt".to_owned()),
            }),
            ..Kept::default()
        },
    })
}

/// How many bytes of the sound the channel's recipe sends at a time, where it sends it in pieces.
fn piece(place: &Place, channel: &Channel) -> Option<usize> {
    let AdapterConfig::Recipe { recipe, .. } = &channel.adapter else {
        return None;
    };
    let requests = place.workspace.recipes.get(recipe)?.requests();
    let pieces = requests.filter_map(|request| request.pieces.as_ref());
    usize::try_from(pieces.map(|pieces| pieces.bytes).max()?).ok()
}

/// `text` with the names of what earlier answers gave in its place: that is as secret as a password.
fn seen(text: &str, taken: &[Taken]) -> String {
    let mut text = text.to_owned();
    // The longer first: one may be in the other. What is very short is in everything.
    let mut taken: Vec<&Taken> = taken.iter().collect();
    taken.sort_by_key(|taken| std::cmp::Reverse(taken.value.expose().len()));
    for taken in taken {
        if taken.value.expose().len() >= 4 {
            text = text.replace(taken.value.expose(), &format!("‹{}›", taken.name));
        }
    }
    text
}

/// More letters than this of a body nobody reads.
const SHOWN: usize = 16 * 1024;

/// The beginning of what is very long, such as a piece of a sound.
fn shortened(text: String) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A request as people may see it.
fn asked(request: &Request, answer: Option<&Answer>) -> Asked {
    let seen = |text: &str| seen(text, &request.hidden.values);
    let body = std::str::from_utf8(&request.body).ok();
    Asked {
        method: request.method.clone(),
        url: seen(&request.url),
        headers: request
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), seen(value)))
            .collect(),
        body: body.map(|body| shortened(seen(body))),
        body_bytes: request.body.len(),
        wait_ms: request.wait.as_millis(),
        status: answer.and_then(|answer| Some(answer.as_ref().ok()?.status)),
        fault: answer.and_then(|answer| Some(answer.as_ref().err()?.reason.as_str())),
    }
}

fn tell(
    channel: &Channel,
    recipe: &str,
    bulletin: Option<&Bulletin>,
    rehearsal: &Rehearsal,
    output: &Output,
) -> anyhow::Result<()> {
    let made = rehearsal
        .exchanges
        .iter()
        .map(|exchange| asked(&exchange.request, Some(&exchange.result)));
    let waiting = match &rehearsal.end {
        End::Waits(request) => Some(asked(request, None)),
        End::Accepted(_) | End::Failed(_) => None,
    };
    let mut told = Told {
        channel: channel.id.as_str(),
        recipe,
        bulletin: bulletin.map(|bulletin| bulletin.id.as_str()),
        requests: made.chain(waiting).collect(),
        verdict: "waits",
        reason: None,
        detail: None,
        why: None,
        receipt: None,
        evidence: None,
        retry_after_seconds: None,
        unused_answers: rehearsal.unused,
    };
    match &rehearsal.end {
        End::Waits(_) => {}
        End::Accepted(receipt) => {
            told.verdict = "accepted";
            told.receipt.clone_from(&receipt.reference);
            told.evidence = Some(receipt.evidence.as_str());
        }
        End::Failed(failure) => {
            told.verdict = match failure {
                Failure::Retry { .. } => "retry",
                Failure::Reject { .. } => "reject",
                Failure::Unknown { .. } => "unknown",
            };
            if let Failure::Retry { after, .. } = failure {
                told.retry_after_seconds = after.map(|after| after.as_secs());
            }
            told.reason = Some(failure.reason().as_str());
            told.detail = Some(failure.detail().to_owned());
            told.why = Some(output.failure(failure));
        }
    }
    match output.format {
        Format::Json => output.json(&told)?,
        Format::Text => show(&told, output)?,
    }
    match told.verdict {
        "retry" | "reject" | "unknown" => {
            Err(Findings(output.say("cli.try-failed", &[("channel", &channel.id)])).into())
        }
        // Who gives no answer at all wants to see the first request.
        "waits" if !rehearsal.exchanges.is_empty() => {
            let (number, answers) = (told.requests.len(), rehearsal.exchanges.len());
            let args: [(&str, &dyn std::fmt::Display); 3] = [
                ("channel", &channel.id),
                ("number", &number),
                ("answers", &answers),
            ];
            Err(Findings(output.say("cli.try-short", &args)).into())
        }
        _ => Ok(()),
    }
}

fn show(told: &Told<'_>, output: &Output) -> anyhow::Result<()> {
    let bulletin = told.bulletin.unwrap_or("–");
    output.line(&output.say(
        "cli.try-head",
        &[
            ("channel", &told.channel),
            ("recipe", &told.recipe),
            ("bulletin", &bulletin),
        ],
    ))?;
    for (at, request) in told.requests.iter().enumerate() {
        output.line(&format!("\n{}. {} {}", at + 1, request.method, request.url))?;
        if request.wait_ms > 0 {
            let seconds = format!(
                "{:.1}",
                Duration::from_millis(u64::try_from(request.wait_ms)?).as_secs_f64()
            );
            output.line(&format!(
                "   {}",
                output.say("cli.try-wait", &[("seconds", &seconds)])
            ))?;
        }
        for (name, value) in &request.headers {
            output.line(&format!("   {name}: {value}"))?;
        }
        match &request.body {
            Some(body) if body.is_empty() => {}
            Some(body) => output.line(&format!("\n   {}", body.replace('\n', "\n   ")))?,
            None => output.line(&format!(
                "\n   {}",
                output.say("cli.try-bytes", &[("bytes", &request.body_bytes)])
            ))?,
        }
        let answer = match (request.status, request.fault) {
            (Some(status), _) => format!("HTTP {status}"),
            (None, Some(fault)) => output.say(&format!("reason.{fault}"), &[]),
            (None, None) => continue,
        };
        output.line(&format!("   ← {answer}"))?;
    }
    let short = told.requests.last().filter(|_| told.verdict == "waits");
    let asked = short.map(|request| format!("{} {}", request.method, request.url));
    let (receipt, why) = (told.receipt.as_deref(), told.why.as_deref());
    let evidence = told
        .evidence
        .map(|word| output.say(&format!("state.evidence-{word}"), &[]));
    let after = told.retry_after_seconds.map(|seconds| seconds.to_string());
    let args: [(&str, &dyn std::fmt::Display); 6] = [
        ("number", &told.requests.len()),
        ("request", &asked.unwrap_or_default()),
        ("receipt", &receipt.unwrap_or("–")),
        ("evidence", &evidence.as_deref().unwrap_or("–")),
        ("after", &after.as_deref().unwrap_or_default()),
        ("why", &why.unwrap_or_default()),
    ];
    let key = match (told.verdict, &after) {
        ("accepted", _) => "cli.try-accepted",
        ("retry", Some(_)) => "cli.try-retry-after",
        ("retry", None) => "cli.try-retry",
        ("reject", _) => "cli.try-reject",
        ("unknown", _) => "cli.try-unknown",
        _ => "cli.try-waits",
    };
    output.line(&format!("\n{}", output.say(key, &args)))?;
    if told.unused_answers > 0 {
        output.line(&output.say("cli.try-unused", &[("count", &told.unused_answers)]))?;
    }
    Ok(())
}
