//! The conformance kit: one adapter through a table of scenarios, by the way that its deliveries really go.
//!
//! `Adapter::step` → the transport, over loopback → the dispatcher's rules (`daemon/dispatcher/verdict`). The receiver is a city of
//! the simulator's, on whose stage somebody plays who answers as the adapter hopes ([`crate::adapter::Hoped`]; a recipe's
//! hopes follow from what it takes for a yes), or one of the city's own devices.
//!
//! - Nothing here depends on how fast the machine is: time between attempts is reckoned and not waited for, and what has to run out of
//!   time is given more until it came to the call that it waits for.
//! - A scenario that says nothing about an adapter is told with its reason, never left out.
//! - Nothing leaves this machine, and no secret is read: every one is worth the same here.

mod call;
mod command;
mod content;
mod delivery;
mod judge;
mod later;
mod leak;
mod outside;
mod overheard;
mod passes_on;
mod picture;
mod receiver;
mod record;
mod refusal;
mod scenario;
mod sound;
mod watched;
mod wording;
mod words;

use std::{
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

pub use outside::{Outside, Seen, Sent, examine_outside};
use scenario::{Expects, Mishap};
pub use scenario::{SCENARIOS, Scenario};

use crate::{
    adapter::{Acts, Adapter, transport::TransportError},
    diagnostic::{Arg, Code, Diagnostic},
    domain::{
        bulletin::Format,
        channel::{AdapterConfig, Channel},
        delivery::{Outcome, Reason, State},
        message::Message,
        secret::Secret,
    },
    simulator::{CityError, Effect},
    store::Finished,
};

/// Who is examined.
#[derive(Debug)]
pub struct Subject<'s> {
    /// The channel: what it carries, and how doubt is treated there.
    pub channel: &'s Channel,
    /// The name of its ward.
    pub ward_name: &'s str,
    /// Its adapter.
    pub adapter: Arc<dyn Adapter>,
    /// What nobody may see, beside what the adapter itself names.
    pub secrets: Vec<Secret>,
    /// What `check` warns of in its recipe: [`warned`].
    pub warnings: Vec<Code>,
}

impl Subject<'_> {
    /// Whether it sends text messages without marks on purpose. What reads them aloud would read other words.
    fn is_without_marks(&self) -> bool {
        self.adapter.is_ascii() && self.channel.format == Format::Message
    }
}

/// What `check` warns of in the recipe of a channel, and in how the channel uses it.
#[must_use]
pub fn warned(channel: &Channel, diagnostics: &[Diagnostic]) -> Vec<Code> {
    let AdapterConfig::Recipe { recipe, .. } = &channel.adapter else {
        return Vec::new();
    };
    let file = format!("channels/recipes/{recipe}.yaml");
    let names = |found: &Diagnostic, id: &str| {
        let mut args = found.args.iter();
        args.any(|(name, value)| *name == "channel" && *value == Arg::from(id))
    };
    let is_of_it = |found: &&Diagnostic| {
        let is_use = matches!(found.code, Code::MayRepeat | Code::SecretInClear);
        found.at.file.path() == file || (is_use && names(found, channel.id.as_str()))
    };
    let mut codes: Vec<Code> = diagnostics
        .iter()
        .filter(is_of_it)
        .map(|found| found.code)
        .collect();
    codes.sort_unstable_by_key(|code| code.as_str());
    codes.dedup();
    codes
}

/// What came of all scenarios.
#[derive(Debug)]
pub struct Findings {
    /// One for each scenario that was wanted, in the order of [`SCENARIOS`].
    pub all: Vec<Finding>,
}

/// What came of one scenario.
#[derive(Debug)]
pub struct Finding {
    /// Which.
    pub scenario: &'static Scenario,
    /// Whether what has to hold does.
    pub verdict: Verdict,
    /// What was seen, attempt by attempt; empty for questions.
    pub tries: Vec<Try>,
}

impl Finding {
    fn of(scenario: &'static Scenario, breaches: Vec<Breach>, tries: Vec<Try>) -> Self {
        let verdict = if breaches.is_empty() {
            Verdict::Held
        } else {
            Verdict::Broken(breaches)
        };
        Self {
            scenario,
            verdict,
            tries,
        }
    }
}

/// Whether what has to hold does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Held,
    /// It does not, and what was seen instead.
    Broken(Vec<Breach>),
    /// The scenario says nothing about this adapter.
    Spared(Spared),
    /// It was taken, and what became of it there cannot be seen from here.
    Unseen,
}

/// Why a scenario says nothing about an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spared {
    /// It cannot be asked whether it is alive.
    NoProbe,
    /// The sound is a stream: the answer's head is the whole answer.
    Stream,
    /// By the protocol, or on what nobody hears, the status alone is a yes.
    StatusEnough,
    /// Its receiver does not answer in JSON.
    NoJson,
    /// Nothing is asked before it is sent.
    OneCall,
    /// Its calls carry nothing that ends.
    NoToken,
    /// Nobody is called: the receiver comes by itself, or a person does.
    NoCall,
    /// Nobody at a real address can be made to fail so.
    Inside,
    /// What people hear is never sent again by itself.
    Once,
    /// It speaks of HTTP, and letters go out by SMTP.
    Mail,
    /// What plays there cannot be told to stop.
    NoStop,
    /// It sends no pictures.
    NoPicture,
    /// It does not prove by digest who calls.
    NoChallenge,
    /// The receiver gives no reference of its own that the kit could choose.
    NoReceipt,
    /// Nothing of what was sent in confidence came back.
    NotRepeated,
    /// The device is not asked afterwards.
    NotLater,
    /// It does not ask whether the message is there, or asks at an address of the message's own.
    NoQuestion,
    /// It does not ask whether it was done.
    NoConfirm,
    /// No call beside the one that counts is known.
    NoOther,
    /// No secret can be followed.
    NoSecret,
    /// It takes short words only, and refuses longer ones before anything is sent.
    Limited,
    /// It uses no recipe that `check` could read.
    NoRecipe,
}

impl Spared {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::NoProbe,
        Self::Stream,
        Self::StatusEnough,
        Self::NoJson,
        Self::OneCall,
        Self::NoToken,
        Self::NoCall,
        Self::Inside,
        Self::Once,
        Self::Mail,
        Self::NoStop,
        Self::NoPicture,
        Self::NoChallenge,
        Self::NoReceipt,
        Self::NotRepeated,
        Self::NotLater,
        Self::NoQuestion,
        Self::NoConfirm,
        Self::NoOther,
        Self::NoSecret,
        Self::Limited,
        Self::NoRecipe,
    ];

    /// The word for it, in JSON and in the catalogue (`conformance.spared-WORD`).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoProbe => "no-probe",
            Self::Stream => "stream",
            Self::StatusEnough => "status-enough",
            Self::NoJson => "no-json",
            Self::OneCall => "one-call",
            Self::NoCall => "no-call",
            Self::NoToken => "no-token",
            Self::Inside => "inside",
            Self::Once => "once",
            Self::Mail => "mail",
            Self::NoStop => "no-stop",
            Self::NoPicture => "no-picture",
            Self::NoChallenge => "no-challenge",
            Self::NoReceipt => "no-receipt",
            Self::NotRepeated => "not-repeated",
            Self::NotLater => "not-later",
            Self::NoQuestion => "no-question",
            Self::NoConfirm => "no-confirm",
            Self::NoOther => "no-other",
            Self::NoSecret => "no-secret",
            Self::Limited => "limited",
            Self::NoRecipe => "no-recipe",
        }
    }
}

/// Something that was seen and must not be. The sentence is `conformance.breach-CODE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// What.
    pub code: &'static str,
    /// What the sentence names.
    pub arguments: Vec<(&'static str, String)>,
    /// The key of the recipe that is to be mended, such as `find.absent`, where it is known.
    pub key: Option<String>,
}

impl Breach {
    fn new(code: &'static str) -> Self {
        Self {
            code,
            arguments: Vec::new(),
            key: None,
        }
    }

    /// With the key that is to be mended.
    fn at(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.arguments.push((name, value.to_string()));
        self
    }

    fn of(self, reason: Option<Reason>) -> Self {
        self.with("reason", reason.map_or("-", Reason::as_str))
    }
}

/// One attempt, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// Its number, from 1.
    pub number: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, where it was no yes.
    pub reason: Option<Reason>,
    /// Where that leaves the delivery.
    pub next: State,
    /// How long until the next one.
    pub wait: Option<Duration>,
    /// How many calls were asked for.
    pub calls: usize,
    /// The status of the answer that decided, if one came.
    pub status: Option<u16>,
    /// The beginning of that answer, blacked out as on record.
    pub answer: Option<String>,
}

impl Try {
    fn of(end: &Finished, calls: usize) -> Self {
        Self {
            number: end.attempt,
            outcome: end.outcome,
            reason: end.reason,
            next: end.next,
            wait: end.next_at.map(|at| at.since(end.finished)),
            calls,
            status: end.status,
            answer: end.answer.clone(),
        }
    }
}

/// Why the scenarios could not be played at all.
#[derive(Debug, thiserror::Error)]
pub enum NotPlayed {
    /// There is no stage.
    #[error("the receiver could not be set up")]
    City(#[from] CityError),
    /// There is no client.
    #[error("the client could not be set up")]
    Transport(#[from] TransportError),
    /// The account's administrator, who is played too, could not consent.
    #[error("no tokens could be had")]
    NoConsent,
}

/// What the first scenario shows of an adapter, for the others.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and scenarios ask for one at a time"
)]
struct Facts {
    can_probe: bool,
    is_stream: bool,
    is_mail: bool,
    is_status_enough: bool,
    /// Whether the answer that counts is JSON.
    is_json: bool,
    /// Whether something is asked before it is sent.
    asks_first: bool,
    /// Whether something is taken from an answer, such as a token.
    is_given: bool,
    /// The sort of effect that people notice.
    effect: Option<Effect>,
    /// The call that counts.
    target: Option<receiver::Arrival>,
    /// All calls.
    calls: Vec<receiver::Arrival>,
    /// Those that tell the device to stop, which only an emergency shows.
    stops: Vec<receiver::Arrival>,
}

impl Facts {
    fn of(subject: &Subject<'_>, run: &delivery::Run, message: &Message) -> Self {
        let acting = run.arrivals.iter().rev();
        let acting = acting.clone().find(|one| one.acts != Acts::Nothing);
        let answer = acting.map(|one| serde_json::from_slice::<serde_json::Value>(&one.answer));
        let first = run.arrivals.first();
        Self {
            can_probe: can_probe(&subject.adapter),
            is_stream: run.is_stream,
            is_mail: run.is_mail,
            is_status_enough: subject.adapter.is_status_enough(message),
            is_json: matches!(answer, Some(Ok(json)) if json.is_object() || json.is_array()),
            asks_first: first.is_some_and(|one| one.acts == Acts::Nothing) && acting.is_some(),
            is_given: !run.given.is_empty(),
            effect: acting.map(|one| one.effect),
            target: acting.cloned(),
            calls: run.arrivals.clone(),
            stops: Vec::new(),
        }
    }
}

/// Whether the channel can be asked. What is asked badly is found out when it is.
fn can_probe(adapter: &Arc<dyn Adapter>) -> bool {
    let asks = || adapter.question(Some(&Secret::simulated()), &[]).is_some();
    catch_unwind(AssertUnwindSafe(asks)).unwrap_or(true)
}

/// Puts an adapter through the scenarios that are wanted. Of each it is asked just before its turn. The first is always among them: it
/// shows which of the others say something about it.
///
/// # Errors
/// [`NotPlayed`], most often for want of file descriptors.
pub async fn examine(
    subject: &Subject<'_>,
    is_wanted: impl Fn(&Scenario) -> bool,
) -> Result<Findings, NotPlayed> {
    let mut facts = Facts {
        can_probe: can_probe(&subject.adapter),
        ..Facts::default()
    };
    let mut all = Vec::new();
    for (at, scenario) in SCENARIOS.iter().enumerate() {
        if !is_wanted(scenario) && at > 0 {
            continue;
        }
        if scenario.expects == Expects::Checked {
            all.push(judge::checked(scenario, subject));
            continue;
        }
        // By what its file says: an adapter that calls nobody and should is to be caught.
        let is_called = subject.channel.adapter.facts().calls;
        let spared = match at {
            _ if !is_called && !scenario.expects.is_of_probe() => Some(Spared::NoCall),
            0 => None,
            _ => judge::spared(scenario, subject, &facts),
        };
        if let Some(spared) = spared {
            all.push(Finding {
                scenario,
                verdict: Verdict::Spared(spared),
                tries: Vec::new(),
            });
            continue;
        }
        if scenario.expects == Expects::AskedAfter {
            all.push(Finding::of(scenario, later::asked(subject), Vec::new()));
            continue;
        }
        let (breaches, tries) = if scenario.expects.is_of_probe() {
            if subject.adapter.can_stop() && facts.stops.is_empty() {
                let mut all = SCENARIOS.iter();
                let stop = all.find(|one| one.expects.preempts()).unwrap_or(scenario);
                let run = delivery::deliver(subject, stop, facts.effect).await?;
                facts.stops = run.arrivals.into_iter().filter(|one| one.stops).collect();
            }
            let asked = delivery::ask(subject, scenario).await?;
            let breaches = judge::asked(scenario, &asked, &facts, subject);
            (breaches, Vec::new())
        } else {
            let run = delivery::deliver(subject, scenario, facts.effect).await?;
            // Only when it was played does it show whether there is a reference to choose.
            if scenario.mishap == Mishap::Receipt && run.hits == 0 {
                all.push(Finding {
                    scenario,
                    verdict: Verdict::Spared(Spared::NoReceipt),
                    tries: run.tries,
                });
                continue;
            }
            if scenario.expects == Expects::ArrivesWhole && judge::is_too_long(&run) {
                all.push(Finding {
                    scenario,
                    verdict: Verdict::Spared(Spared::Limited),
                    tries: run.tries,
                });
                continue;
            }
            if at == 0 {
                facts = Facts::of(subject, &run, &delivery::message(subject, false));
            }
            let breaches = judge::delivered(scenario, &run, subject, &facts);
            if breaches.is_empty()
                && let Some(spared) = judge::spared_after(scenario, &run)
            {
                all.push(Finding {
                    scenario,
                    verdict: Verdict::Spared(spared),
                    tries: run.tries,
                });
                continue;
            }
            (breaches, run.tries)
        };
        let mut breaches = breaches;
        call::judge::name_keys(&mut breaches, subject);
        all.push(Finding::of(scenario, breaches, tries));
    }
    Ok(Findings { all })
}

impl Findings {
    /// How many scenarios held.
    #[must_use]
    pub fn held(&self) -> usize {
        let all = self.all.iter();
        all.filter(|one| one.verdict == Verdict::Held).count()
    }

    /// How many say nothing about this adapter.
    #[must_use]
    pub fn spared(&self) -> usize {
        let all = self.all.iter();
        all.filter(|one| matches!(one.verdict, Verdict::Spared(_)))
            .count()
    }

    /// How many cannot be judged from here.
    #[must_use]
    pub fn unseen(&self) -> usize {
        let all = self.all.iter();
        all.filter(|one| one.verdict == Verdict::Unseen).count()
    }

    /// How many did not hold.
    #[must_use]
    pub fn broken(&self) -> usize {
        let all = self.all.iter();
        all.filter(|one| matches!(one.verdict, Verdict::Broken(_)))
            .count()
    }

    /// The line for a table of adapters: `24 of 25; 5 do not apply`, `nothing applies`.
    #[must_use]
    pub fn badge(&self) -> String {
        let applied = self.held() + self.broken();
        if applied == 0 {
            return "nothing applies".to_owned();
        }
        let spared = match self.spared() {
            0 => String::new(),
            1 => "; 1 does not apply".to_owned(),
            count => format!("; {count} do not apply"),
        };
        format!("{} of {applied}{spared}", self.held())
    }
}
