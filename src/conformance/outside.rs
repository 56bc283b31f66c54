//! What can be found out at a real test address: nobody there can be made to fail, so most scenarios need the receiver on this
//! machine. What arrived has to be looked at by a person.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use tracing::instrument::WithSubscriber as _;

use super::{
    Finding, Findings, Spared, Subject, Try, Verdict, delivery,
    judge::{self, View},
    record::{Log, Notebook},
    scenario::{Expects, Mishap, SCENARIOS, Scenario},
};
use crate::{
    adapter::{
        attempt::{self, AttemptEnd},
        transport::{Transport, stream::Airing},
    },
    daemon::dispatcher::verdict::conclude,
    domain::{
        delivery::Reason,
        id::{DeliveryId, ScheduleId},
        time::Timestamp,
    },
};

/// Whom it is tried at.
#[derive(Debug)]
pub struct Outside<'o> {
    /// The client, as the settings in force want it.
    pub transport: &'o Transport,
    /// The words with which everything begins, so that nobody takes it for real.
    pub words: &'o str,
}

/// Puts an adapter through those scenarios for which a receiver need not be told to fail. Each sends the words of a test.
pub async fn examine_outside(
    subject: &Subject<'_>,
    outside: &Outside<'_>,
    clock_now: impl Fn() -> Timestamp,
    is_wanted: impl Fn(&Scenario) -> bool,
) -> Findings {
    let mut airings = outside.transport.airings();
    let can_probe = super::can_probe(&subject.adapter);
    let mut all = Vec::new();
    for scenario in SCENARIOS.iter().filter(|one| is_wanted(one)) {
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
            let result = attempt::probe(
                subject.adapter.as_ref(),
                None,
                outside.transport,
                &clock_now,
            );
            let asked = delivery::Asked {
                result: AssertUnwindSafe(result)
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|_| Some(Err(delivery::panicked()))),
                arrivals: Vec::new(),
            };
            let breaches = match &asked.result {
                // What a receiver here was told to answer is known; there it may be ill.
                Some(Err(failure)) if failure.reason() != Reason::Defect => {
                    vec![judge::unwell(failure)]
                }
                _ => judge::asked(scenario, &asked, &super::Facts::default()),
            };
            all.push(Finding::of(scenario, breaches, Vec::new()));
            continue;
        }
        let sent = CancellationToken::new();
        let sending = async {
            let run = send(subject, outside, scenario, &clock_now).await;
            sent.cancel();
            run
        };
        let (run, ()) = tokio::join!(sending, follow(airings.as_mut(), &sent, &clock_now));
        let view = View { run: &run, subject };
        let mut breaches = match scenario.expects {
            Expects::Secret => view.leaks(),
            _ => Vec::from_iter(view.is_taken()),
        };
        breaches.extend(judge::defects(&run));
        let tries = run.tries;
        let mut finding = Finding::of(scenario, breaches, tries);
        if finding.verdict == Verdict::Held && !shows_here(scenario) {
            finding.verdict = Verdict::Unseen;
        }
        all.push(finding);
    }
    Findings { all }
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

/// One message, or the same twice where that is the scenario.
async fn send(
    subject: &Subject<'_>,
    outside: &Outside<'_>,
    scenario: &Scenario,
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
    message.content = Arc::new(message.content.as_test(outside.words));
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
        let attempt = attempt::attempt(
            subject.adapter.as_ref(),
            &message,
            &notes,
            outside.transport,
            &clock_now,
        );
        let end = AssertUnwindSafe(attempt.with_subscriber(log.subscriber()))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| AttemptEnd::failed(delivery::panicked()));
        let calls = end.exchanges;
        let finished = conclude(&claimed, end, &delivery::POLICY, clock_now());
        notes.end(finished.outcome);
        tries.push(Try::of(&finished, calls));
        ends.push(finished);
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
