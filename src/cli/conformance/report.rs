//! What `loa conformance` says of what it found: a table for people, JSON for programs.

use std::fmt::Write as _;

use anyhow::Context as _;
use comfy_table::{Table, presets};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::ConformanceArgs;
use crate::{
    cli::{
        Findings as CliFindings,
        output::{Format, Output},
        place::Place,
    },
    conformance::{Breach, Finding, Findings, Seen, Sent, Subject, Try, Verdict},
    domain::{
        channel::{AdapterConfig, Channel, ChannelKind},
        detail::Detail,
    },
};

/// How much of an answer is told, in letters.
const MOST_TOLD: usize = 300;

/// What `loa conformance --format json` says of a channel. Fields are only ever added.
#[derive(Debug, Serialize)]
struct Told<'a> {
    channel: &'a str,
    adapter: &'a str,
    /// The SHA-256 of the recipe's file, in hexadecimal digits; `None` for an adapter in Rust.
    recipe_hash: Option<String>,
    /// The version of `loa` that says so.
    loa: &'static str,
    /// Where it was really sent, without what is secret in the address; `None` where the receiver was played.
    against: Option<&'a str>,
    holds: bool,
    held: usize,
    broken: usize,
    not_applicable: usize,
    /// How many cannot be judged from here.
    unseen: usize,
    /// Only of the whole table, and only where the receiver was played.
    badge: Option<String>,
    scenarios: Vec<Row>,
    /// What was really sent, for whoever looks there.
    messages: Vec<Message<'a>>,
}

/// One message that was really sent.
#[derive(Debug, Serialize)]
struct Message<'a> {
    scenario: &'static str,
    /// What stands in its words and in no other's.
    mark: &'a str,
    /// How often it was tried, each time with the same key.
    attempts: usize,
    /// Whether it was accepted each time.
    accepted: bool,
}

impl<'a> From<&'a Sent> for Message<'a> {
    fn from(sent: &'a Sent) -> Self {
        Self {
            scenario: sent.scenario.id,
            mark: &sent.mark,
            attempts: sent.times,
            accepted: sent.is_taken,
        }
    }
}

/// One scenario of it.
#[derive(Debug, Serialize)]
struct Row {
    scenario: &'static str,
    name: String,
    /// `held`, `broken`, `not-applicable` or `unseen`.
    verdict: &'static str,
    /// What has to come of it.
    expected: String,
    /// What was seen and must not be, as codes; empty where it held.
    breaches: Vec<&'static str>,
    /// The keys of the recipe that are to be mended, such as `find.absent`; empty where none is known.
    keys: Vec<String>,
    /// The same in words, or why it says nothing about this channel.
    seen: Vec<String>,
    /// Why it matters.
    why: String,
    attempts: Vec<AttemptRow>,
}

/// One attempt of it.
#[derive(Debug, Serialize)]
struct AttemptRow {
    attempt: u32,
    outcome: &'static str,
    reason: Option<&'static str>,
    state: &'static str,
    /// How long until the next one.
    wait_seconds: Option<u64>,
    calls: usize,
    /// The status of the answer that decided.
    status: Option<u16>,
    /// Its beginning, blacked out.
    answer: Option<String>,
}

impl AttemptRow {
    fn of(one: &Try) -> Self {
        Self {
            attempt: one.number,
            outcome: one.outcome.as_str(),
            reason: one.reason.map(crate::domain::delivery::Reason::as_str),
            state: one.next.as_str(),
            wait_seconds: one.wait.map(|wait| wait.as_secs()),
            calls: one.calls,
            status: one.status,
            answer: one
                .answer
                .as_ref()
                .map(|said| said.chars().take(MOST_TOLD).collect()),
        }
    }
}

impl Row {
    fn of(finding: &Finding, output: &Output) -> Self {
        let id = finding.scenario.id;
        let say = |key: &str| output.say(&format!("conformance.{key}-{id}"), &[]);
        let (verdict, breaches, seen) = match &finding.verdict {
            Verdict::Held => ("held", Vec::new(), Vec::new()),
            Verdict::Broken(breaches) => (
                "broken",
                breaches.iter().map(|breach| breach.code).collect(),
                breaches.iter().map(|breach| told(breach, output)).collect(),
            ),
            Verdict::Spared(spared) => {
                let key = format!("conformance.spared-{}", spared.as_str());
                ("not-applicable", Vec::new(), vec![output.say(&key, &[])])
            }
            Verdict::Unseen => {
                let args: [(&str, &dyn std::fmt::Display); 1] = [("expected", &say("expected"))];
                let seen = output.say("conformance.unseen-what", &args);
                ("unseen", Vec::new(), vec![seen])
            }
        };
        Self {
            scenario: id,
            name: say("name"),
            verdict,
            expected: say("expected"),
            breaches,
            keys: match &finding.verdict {
                Verdict::Broken(breaches) => keys(breaches),
                Verdict::Held | Verdict::Spared(_) | Verdict::Unseen => Vec::new(),
            },
            seen,
            why: say("why"),
            attempts: finding.tries.iter().map(AttemptRow::of).collect(),
        }
    }
}

/// The keys that breaches name, each once.
fn keys(breaches: &[Breach]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for key in breaches.iter().filter_map(|breach| breach.key.as_ref()) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}

/// A breach as a sentence.
fn told(breach: &Breach, output: &Output) -> String {
    let arguments: Vec<(&str, String)> = breach
        .arguments
        .iter()
        .map(|(name, value)| {
            let key = match *name {
                "reason" => format!("reason.{value}"),
                "how" | "place" | "part" | "answer_kind" => format!("conformance.{name}-{value}"),
                "met" => {
                    let met = Detail::parse(value).map(|met| output.detail(&met));
                    return (*name, met.unwrap_or_else(|| value.clone()));
                }
                _ => return (*name, value.clone()),
            };
            let is_known = crate::catalogue::has(&key);
            let said = is_known.then(|| output.say(&key, &[]));
            (*name, said.unwrap_or_else(|| value.clone()))
        })
        .collect();
    let arguments: Vec<(&str, &dyn std::fmt::Display)> = arguments
        .iter()
        .map(|(name, value)| (*name, value as &dyn std::fmt::Display))
        .collect();
    let sentence = output.say(&format!("conformance.breach-{}", breach.code), &arguments);
    let of = |wanted: &str| arguments.iter().find(|(name, _)| *name == wanted);
    let Some((_, status)) = of("status") else {
        return sentence;
    };
    let said = of("answer").map(|(_, said)| said.to_string());
    let said = said.unwrap_or_default();
    let key = if said.is_empty() {
        "conformance.answered-empty"
    } else {
        "conformance.answered"
    };
    let answered = output.say(key, &[("status", status), ("answer", &said)]);
    format!("{sentence} {answered}")
}

/// What came of a channel.
pub(super) struct Examined<'a> {
    channel: &'a Channel,
    adapter: String,
    found: Findings,
    /// Where it was really sent.
    against: Option<String>,
    sent: Vec<Sent>,
}

impl<'a> Examined<'a> {
    /// By the receiver on this machine.
    pub(super) fn played(channel: &'a Channel, subject: &Subject<'_>, found: Findings) -> Self {
        Self {
            channel,
            adapter: subject.adapter.name().to_owned(),
            found,
            against: None,
            sent: Vec::new(),
        }
    }

    /// At the address that is told so.
    pub(super) fn outside(
        channel: &'a Channel,
        subject: &Subject<'_>,
        seen: Seen,
        against: String,
    ) -> Self {
        Self {
            against: Some(against),
            sent: seen.sent,
            ..Self::played(channel, subject, seen.findings)
        }
    }
}

/// The hash of the file of a channel's recipe, so that a report says what it is of.
fn recipe_hash(place: &Place, channel: &Channel) -> anyhow::Result<Option<String>> {
    let AdapterConfig::Recipe { recipe, .. } = &channel.adapter else {
        return Ok(None);
    };
    let path = place.root.join(format!("channels/recipes/{recipe}.yaml"));
    let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
    let digits = Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        });
    Ok(Some(digits))
}

/// Says what came of all of them.
///
/// # Errors
/// [`CliFindings`] when something does not hold.
pub(super) fn tell(
    place: &Place,
    all: &[Examined<'_>],
    args: &ConformanceArgs,
    output: &Output,
) -> anyhow::Result<()> {
    let told = all.iter().map(|one| {
        let found = &one.found;
        let is_whole = one.against.is_none() && args.only.is_empty();
        Ok(Told {
            channel: one.channel.id.as_str(),
            adapter: &one.adapter,
            recipe_hash: recipe_hash(place, one.channel)?,
            loa: env!("CARGO_PKG_VERSION"),
            against: one.against.as_deref(),
            holds: found.broken() == 0,
            held: found.held(),
            broken: found.broken(),
            not_applicable: found.spared(),
            unseen: found.unseen(),
            badge: is_whole.then(|| found.badge()),
            scenarios: found.all.iter().map(|one| Row::of(one, output)).collect(),
            messages: one.sent.iter().map(Message::from).collect(),
        })
    });
    let told = told.collect::<anyhow::Result<Vec<Told<'_>>>>()?;
    match output.format {
        Format::Json => output.json(&told)?,
        Format::Text if args.badge => {
            for one in &told {
                let badge = one.badge.as_deref().unwrap_or_default();
                output.line(&format!("`{}` | {badge}", one.adapter))?;
            }
        }
        Format::Text => {
            for (one, examined) in told.iter().zip(all) {
                show(one, examined.channel, output)?;
            }
        }
    }
    let broken: Vec<&str> = told
        .iter()
        .filter(|one| !one.holds)
        .map(|one| one.channel)
        .collect();
    if broken.is_empty() {
        return Ok(());
    }
    let channels = broken.join(", ");
    Err(CliFindings(output.say("conformance.not-all", &[("channels", &channels)])).into())
}

fn show(told: &Told<'_>, channel: &Channel, output: &Output) -> anyhow::Result<()> {
    let url = told.against.unwrap_or_default();
    let key = if told.against.is_some() {
        "conformance.head-against"
    } else {
        "conformance.head"
    };
    let named: [(&str, &dyn std::fmt::Display); 3] = [
        ("channel", &told.channel),
        ("adapter", &told.adapter),
        ("url", &url),
    ];
    output.line(&output.say(key, &named))?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for row in &told.scenarios {
        let verdict = output.say(&format!("conformance.{}", row.verdict), &[]);
        let said = match row.verdict {
            "held" => row.expected.clone(),
            "broken" => {
                let args: [(&str, &dyn std::fmt::Display); 3] = [
                    ("seen", &row.seen.join(" ")),
                    ("expected", &row.expected),
                    ("why", &row.why),
                ];
                let said = output.say("conformance.instead", &args);
                if row.keys.is_empty() {
                    said
                } else {
                    let keys: Vec<String> = row.keys.iter().map(|key| format!("`{key}`")).collect();
                    let mend = output.say("conformance.mend", &[("keys", &keys.join(", "))]);
                    format!("{said} {mend}")
                }
            }
            _ => row.seen.join(" "),
        };
        let mut sent = told.messages.iter();
        let name = match sent.find(|sent| sent.scenario == row.scenario) {
            Some(sent) => format!("{} ({})", row.name, sent.mark),
            None => row.name.clone(),
        };
        table.add_row([verdict, name, said]);
    }
    output.line(&table.trim_fmt())?;
    let sum = if told.against.is_some() {
        "conformance.sum-against"
    } else {
        "conformance.sum"
    };
    output.line(&output.say(
        sum,
        &[
            ("held", &told.held),
            ("broken", &told.broken),
            ("unseen", &told.unseen),
            ("spared", &told.not_applicable),
        ],
    ))?;
    for line in look(&told.messages, channel, output) {
        output.line(&line)?;
    }
    if let Some(badge) = &told.badge {
        let badge = format!("`{}` | {badge}", told.adapter);
        output.line(&output.say("conformance.badge", &[("line", &badge)]))?;
    }
    Ok(())
}

/// What to look for where it was sent: how many messages, by which marks, and which of them came twice if the receiver does not know its
/// key.
fn look(messages: &[Message<'_>], channel: &Channel, output: &Output) -> Vec<String> {
    let marks = |wanted: &dyn Fn(&Message<'_>) -> bool| {
        let marks = messages.iter().filter(|one| wanted(one));
        marks.map(|one| one.mark).collect::<Vec<_>>()
    };
    let taken = marks(&|one| one.accepted);
    let twice = marks(&|one| one.accepted && one.attempts > 1);
    let doubtful = marks(&|one| !one.accepted);
    let is_site = channel.kind == ChannelKind::Website;
    let expects = match channel.kind {
        ChannelKind::Website => "look-pages",
        _ if channel.audio.is_some() => "look-sounds",
        _ => "look",
    };
    let mut lines = Vec::new();
    for (key, marks) in [
        (expects, taken),
        ("look-twice", twice),
        ("look-not-taken", doubtful),
    ] {
        // A page that was sent twice may have got other words since.
        if is_site && key == "look-twice" {
            continue;
        }
        if let Some(last) = marks.last() {
            let (count, marks) = (marks.len(), marks.join(", "));
            let key = format!("conformance.{key}");
            let named: [(&str, &dyn std::fmt::Display); 3] =
                [("count", &count), ("marks", &marks), ("last", last)];
            let wanted = named.iter().filter(|(name, _)| *name != "last" || is_site);
            lines.push(output.say(&key, &wanted.copied().collect::<Vec<_>>()));
        }
    }
    lines
}
