//! What can be found out at a real test address: nobody there can be made to fail, so most scenarios need the receiver on this
//! machine. What arrived has to be looked at by a person.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use tracing::instrument::WithSubscriber as _;

use super::{
    Breach, Finding, Findings, Spared, Subject, Try, Verdict, delivery,
    judge::{self, View},
    leak,
    overheard::Overheard,
    record::{Log, Notebook},
    scenario::{Expects, Mishap, SCENARIOS, Scenario},
};
use crate::{
    adapter::{
        Adapter,
        attempt::{self, AttemptEnd, Ending},
        quote,
        transport::{Transport, stream::Airing},
    },
    daemon::dispatcher::verdict::conclude,
    domain::{
        delivery::{Outcome, Reason},
        id::{DeliveryId, ScheduleId},
        time::Timestamp,
    },
};

/// How much of an answer is told, in letters.
const TOLD: usize = 300;

/// Whom it is tried at.
#[derive(Debug)]
pub struct Outside<'o> {
    /// The client, as the settings in force want it.
    pub transport: &'o Transport,
    /// The words with which everything begins, so that nobody takes it for real.
    pub words: &'o str,
    /// What tells this run's marks from those of another: the time of its beginning, as people write it.
    pub run: &'o str,
}

/// What came of all that could be tried.
#[derive(Debug)]
pub struct Seen {
    /// As at the receiver on this machine.
    pub findings: Findings,
    /// The messages, in the order in which they were sent.
    pub sent: Vec<Sent>,
}

/// One message of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Whose.
    pub scenario: &'static Scenario,
    /// What stands in its words and in no other's: `A2-0937`.
    pub mark: String,
    /// How often it was tried, each time with the same key.
    pub times: usize,
    /// Whether it was accepted each time.
    pub is_taken: bool,
}

/// Puts an adapter through those scenarios for which a receiver need not be told to fail. Each sends the words of a test, with a mark of
/// its own. `begins` hears of each with its mark, for it may take as long as an answer may; a question has none.
pub async fn examine_outside(
    subject: &Subject<'_>,
    outside: &Outside<'_>,
    clock_now: impl Fn() -> Timestamp,
    is_wanted: impl Fn(&Scenario) -> bool,
    begins: impl Fn(&Scenario, Option<&str>),
) -> Seen {
    let mut airings = outside.transport.airings();
    let can_probe = super::can_probe(&subject.adapter);
    let (mut all, mut messages) = (Vec::new(), Vec::new());
    for scenario in SCENARIOS.iter().filter(|one| is_wanted(one)) {
        if scenario.expects == Expects::Checked {
            all.push(judge::checked(scenario, subject));
            continue;
        }
        let spared = match scenario.expects {
            _ if !scenario.is_outside => Some(Spared::Inside),
            Expects::Well if !can_probe => Some(Spared::NoProbe),
            // What people hear is never sent again by itself.
            _ if scenario.mishap == Mishap::Lost && judge::is_once(subject) => Some(Spared::Once),
            _ => None,
        };
        if let Some(spared) = spared {
            all.push(Finding {
                scenario,
                verdict: Verdict::Spared(spared),
                tries: Vec::new(),
            });
            continue;
        }
        if scenario.expects.is_of_probe() {
            begins(scenario, None);
            let breaches = ask(subject, outside, scenario, &clock_now).await;
            all.push(Finding::of(scenario, breaches, Vec::new()));
            continue;
        }
        let mark = format!("A{}-{}", messages.len() + 1, outside.run);
        begins(scenario, Some(&mark));
        let adapter = Arc::new(Overheard::new(Arc::clone(&subject.adapter)));
        let sent = CancellationToken::new();
        let sending = async {
            let run = send(subject, &*adapter, outside, (scenario, &mark), &clock_now).await;
            sent.cancel();
            run
        };
        let (run, ()) = tokio::join!(sending, follow(airings.as_mut(), &sent, &clock_now));
        let view = View { run: &run, subject };
        let mut breaches = match scenario.expects {
            Expects::Secret => view.leaks(),
            _ => Vec::from_iter(
                view.is_taken()
                    .map(|breach| answered(breach, subject, &run)),
            ),
        };
        breaches.extend(judge::defects(&run));
        messages.push(Sent {
            scenario,
            mark,
            times: run.ends.len(),
            is_taken: run.ends.iter().all(|end| end.outcome == Outcome::Accepted),
        });
        let mut tries = run.tries;
        for one in &mut tries {
            one.answer = one.answer.take().and_then(|said| told(subject, &said));
        }
        let mut finding = Finding::of(scenario, breaches, tries);
        if finding.verdict == Verdict::Held {
            if scenario.expects == Expects::Secret && !adapter.repeats_secrets() {
                finding.verdict = Verdict::Spared(Spared::NotRepeated);
            } else if !shows_here(scenario) {
                finding.verdict = Verdict::Unseen;
            }
        }
        all.push(finding);
    }
    Seen {
        findings: Findings { all },
        sent: messages,
    }
}

/// Asks whether the channel is alive.
async fn ask(
    subject: &Subject<'_>,
    outside: &Outside<'_>,
    scenario: &Scenario,
    clock_now: impl Fn() -> Timestamp,
) -> Vec<Breach> {
    let end = attempt::question(
        subject.adapter.as_ref(),
        None,
        outside.transport,
        &clock_now,
    );
    let end = AssertUnwindSafe(end)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Some(AttemptEnd::failed(delivery::panicked())));
    let Some(end) = end else {
        return Vec::new();
    };
    match end.ending {
        // What a receiver here was told to answer is known; there it may be ill.
        Ending::Failed(failure) if failure.reason() != Reason::Defect => {
            let breach = judge::unwell(&failure);
            vec![with_answer(
                breach,
                subject,
                end.status,
                end.answer.as_deref(),
            )]
        }
        ending => {
            let result = match ending {
                Ending::Accepted(_) => Ok(()),
                Ending::Failed(failure) => Err(failure),
            };
            let asked = delivery::Asked {
                result: Some(result),
                arrivals: Vec::new(),
            };
            judge::asked(scenario, &asked, &super::Facts::default(), subject)
        }
    }
}

/// The same with what the receiver answered where it was not taken.
fn answered(breach: Breach, subject: &Subject<'_>, run: &delivery::Run) -> Breach {
    let mut ends = run.ends.iter();
    let refused = ends.find(|end| end.outcome != Outcome::Accepted);
    let (status, answer) = refused.map_or((None, None), |end| (end.status, end.answer.as_deref()));
    with_answer(breach, subject, status, answer)
}

fn with_answer(
    breach: Breach,
    subject: &Subject<'_>,
    status: Option<u16>,
    answer: Option<&str>,
) -> Breach {
    let Some(status) = status else {
        return breach;
    };
    let said = answer.and_then(|answer| told(subject, answer));
    breach
        .with("status", status)
        .with("answer", said.unwrap_or_default())
}

/// The beginning of an answer in one line. It is blacked out already; what can be read in it all the same is not told at all.
fn told(subject: &Subject<'_>, answer: &str) -> Option<String> {
    if leak::shows(answer, subject.adapter.secrets()) {
        return None;
    }
    let line = answer.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = quote(&line, subject.adapter.secrets(), TOLD);
    (!line.is_empty()).then_some(line)
}

/// Whether what a scenario is about shows in the answers. What arrived, and whether it is there once, does not.
fn shows_here(scenario: &Scenario) -> bool {
    !matches!(scenario.expects, Expects::Arrives { .. }) && scenario.mishap != Mishap::Lost
}

/// Looks after streams as they begin, until all is sent. A stream is heard to its end before the next scenario.
async fn follow(
    airings: Option<&mut UnboundedReceiver<Airing>>,
    sent: &CancellationToken,
    clock_now: impl Fn() -> Timestamp,
) {
    let Some(airings) = airings else { return };
    loop {
        let airing = tokio::select! {
            biased;
            Some(airing) = airings.recv() => airing,
            () = sent.cancelled() => return,
        };
        airing.run(CancellationToken::new(), &clock_now).await;
    }
}

/// One message, or the same twice where that is the scenario and it was taken the first time.
async fn send(
    subject: &Subject<'_>,
    adapter: &dyn Adapter,
    outside: &Outside<'_>,
    (scenario, mark): (&Scenario, &str),
    clock_now: impl Fn() -> Timestamp,
) -> delivery::Run {
    let is_decomposed = scenario.expects
        == Expects::Arrives {
            is_decomposed: true,
        };
    let now = clock_now();
    let mut message = delivery::message(subject, is_decomposed);
    let schedule = ScheduleId::by_hand(scenario.id);
    message.delivery = DeliveryId::of(&schedule, now, &subject.channel.id);
    let words = format!("{} {mark}.", outside.words);
    message.content = Arc::new(message.content.as_test(&words));
    message.hash = message.content.hash();
    (message.due, message.deadline) = (now, now + delivery::AGES);
    let mut claimed = delivery::claimed(subject, &message);
    let (log, notes) = (Log::default(), Notebook::default());
    let (mut tries, mut ends) = (Vec::new(), Vec::new());
    let times = if scenario.mishap == Mishap::Lost {
        2
    } else {
        1
    };
    for number in 1..=times {
        let now = clock_now();
        (claimed.attempt, claimed.started) = (number, now);
        (message.attempt, message.sent_at) = (number, now);
        message.kept.noted = notes.begin(now);
        let attempt = attempt::attempt(adapter, &message, &notes, outside.transport, &clock_now);
        let end = AssertUnwindSafe(attempt.with_subscriber(log.subscriber()))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| AttemptEnd::failed(delivery::panicked()));
        let calls = end.exchanges;
        let finished = conclude(&claimed, end, &delivery::POLICY, clock_now());
        notes.end(finished.outcome);
        tries.push(Try::of(&finished, calls));
        let is_taken = finished.outcome == Outcome::Accepted;
        ends.push(finished);
        if !is_taken {
            break;
        }
    }
    delivery::Run {
        stopped: Vec::new(),
        tries,
        ends,
        arrivals: Vec::new(),
        hits: 0,
        is_stream: false,
        is_login_old: false,
        is_mail: false,
        given: Vec::new(),
        access: Vec::new(),
        log: log.text(),
    }
}
