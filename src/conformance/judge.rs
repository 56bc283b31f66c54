//! What a scenario shows against what it has to show.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Breach, Facts, Finding, Spared, Subject, Verdict, call,
    call::CallExpects,
    command,
    delivery::{Asked, Run},
    leak, picture,
    receiver::{Arrival, ELSEWHERE, WISH, place},
    scenario::{Expects, Mishap, Scenario},
    sound, wording, words,
};
use crate::{
    adapter::{Acts, Failure},
    domain::{
        channel::{AdapterConfig, ChannelKind, Mode},
        delivery::{Outcome, Reason, State},
        secret::Secret,
    },
    simulator::{Effect, Request},
};

/// More calls in one attempt than anybody has a use for.
const MOST_CALLS: usize = 40;

/// How often one attempt may make the call that counts: once, and once more where a session had ended.
const MOST_SENT: usize = 2;

/// Why a scenario says nothing about an adapter; `None` where it does.
pub(super) fn spared(scenario: &Scenario, subject: &Subject<'_>, facts: &Facts) -> Option<Spared> {
    let reads_body = matches!(
        scenario.mishap,
        Mishap::Cut | Mishap::SlowBody | Mishap::Huge | Mishap::SlowAnswer
    );
    let is_of_http = matches!(
        scenario.mishap,
        Mishap::Status(_)
            | Mishap::BusySeconds
            | Mishap::BusyDate
            | Mishap::BusyForever
            | Mishap::Redirect
            | Mishap::Stranger
            | Mishap::SaysFailed
            | Mishap::Broken
            | Mishap::Charset
            | Mishap::Stale
    );
    match (scenario.expects, scenario.mishap) {
        // A mail server that refuses a question says so with the same numbers.
        (Expects::Unwell, Mishap::Status(500)) if facts.is_mail => None,
        (Expects::AskedAfter, _) => {
            let patience = subject.adapter.patience();
            let is_asked = patience.is_some_and(|patience| patience.is_device);
            (!is_asked).then_some(Spared::NotLater)
        }
        _ if facts.is_mail && is_of_http => Some(Spared::Mail),
        (expects, _) if expects.is_of_probe() => (!facts.can_probe).then_some(Spared::NoProbe),
        _ if reads_body && facts.is_stream => Some(Spared::Stream),
        (_, Mishap::Stranger) if is_page_told_apart(subject) => None,
        (_, Mishap::Stranger | Mishap::Broken | Mishap::SaysFailed) if facts.is_status_enough => {
            Some(Spared::StatusEnough)
        }
        (_, Mishap::Broken | Mishap::SaysFailed) if !facts.is_json => Some(Spared::NoJson),
        (expects, _) if expects.preempts() && !subject.adapter.can_stop() => Some(Spared::NoStop),
        // Its sound itself takes the place of what plays.
        (expects, _) if expects.preempts() && facts.is_stream => Some(Spared::Stream),
        (Expects::Pictured { .. } | Expects::PicturedOnce, _)
            if !subject.adapter.wants_picture() =>
        {
            Some(Spared::NoPicture)
        }
        (Expects::Challenged, _) if !subject.adapter.answers_challenges() => {
            Some(Spared::NoChallenge)
        }
        (Expects::Call(CallExpects::FoundAgain), _) if !subject.adapter.can_ask() => {
            Some(Spared::NoQuestion)
        }
        (_, Mishap::Call(mishap)) if mishap.is_of_question() && !subject.adapter.can_ask() => {
            Some(Spared::NoQuestion)
        }
        (_, Mishap::QuestionLost) if !facts.asks_first => Some(Spared::OneCall),
        (_, Mishap::Stale) if subject.adapter.account().is_none() && !facts.is_given => {
            Some(Spared::NoToken)
        }
        _ => None,
    }
}

/// What `check` has to say of a recipe, which no call shows.
pub(super) fn checked(scenario: &'static Scenario, subject: &Subject<'_>) -> Finding {
    let is_recipe = matches!(subject.channel.adapter, AdapterConfig::Recipe { .. });
    if !is_recipe {
        return Finding {
            scenario,
            verdict: Verdict::Spared(Spared::NoRecipe),
            tries: Vec::new(),
        };
    }
    let warnings = subject.warnings.iter();
    let breaches = warnings.map(|code| Breach::new("check-warns").with("code", code.as_str()));
    Finding::of(scenario, breaches.collect(), Vec::new())
}

/// Whether a page in place of the answer has to be told from it, even if the recipe looks at the status alone: a site whose login or
/// firewall answers for it says 200 to everything.
pub(super) fn is_page_told_apart(subject: &Subject<'_>) -> bool {
    subject.channel.kind == ChannelKind::Website
        && matches!(subject.channel.adapter, AdapterConfig::Recipe { .. })
}

/// Whether a recipe's `limits` refused the words, with nothing sent. Which bulletins they refuse `check` says.
pub(super) fn is_too_long(run: &Run) -> bool {
    let first = run.ends.first().and_then(|end| end.detail.as_deref());
    run.arrivals.is_empty() && first.is_some_and(|detail| detail.starts_with("call-too-long-"))
}

/// Why a scenario says nothing about an adapter that shows only where it was played.
pub(super) fn spared_after(scenario: &Scenario, run: &Run) -> Option<Spared> {
    let Expects::Call(expects) = scenario.expects else {
        return None;
    };
    let is_played = match (expects, scenario.mishap) {
        (CallExpects::Quiet, _) => call::judge::has_others(&run.arrivals),
        (CallExpects::Kept, _) => call::judge::has_secrets(&run.arrivals),
        _ => run.hits > 0,
    };
    let spared = match expects {
        CallExpects::Quiet => Spared::NoOther,
        CallExpects::Kept => Spared::NoSecret,
        CallExpects::Unconfirmed => Spared::NoConfirm,
        _ => Spared::NoQuestion,
    };
    (!is_played).then_some(spared)
}

/// What a delivery shows that it must not.
pub(super) fn delivered(
    scenario: &Scenario,
    run: &Run,
    subject: &Subject<'_>,
    facts: &Facts,
) -> Vec<Breach> {
    let mut breaches = always(run);
    let Some(end) = run.ends.first() else {
        return breaches;
    };
    let view = View { run, subject };
    if let Expects::Call(expects) = scenario.expects {
        breaches.extend(call::judge::delivered(expects, &view, facts));
        return breaches;
    }
    let is_wanted = !matches!(scenario.mishap, Mishap::None | Mishap::Refuse);
    if is_wanted && run.hits == 0 {
        breaches.push(Breach::new("not-reached"));
        return breaches;
    }
    breaches.extend(view.says_the_same());
    let first = end.outcome;
    match scenario.expects {
        Expects::Yes => breaches.extend(view.is_yes(1)),
        Expects::Doubt => breaches.extend(view.doubts()),
        Expects::Challenged => {
            breaches.extend(view.is_yes(1));
            breaches.extend(view.done_twice());
        }
        Expects::Interrupts => {
            breaches.extend(view.is_yes(1));
            breaches.extend(view.interrupts(scenario.mishap == Mishap::None));
            breaches.extend(view.silences_itself());
        }
        Expects::NotSilenced => {
            breaches.extend(view.doubts());
            breaches.extend(view.silences_itself());
        }
        Expects::Pictured { has } => {
            breaches.extend(view.is_yes(1));
            breaches.extend(view.shows(has));
        }
        Expects::PicturedOnce => {
            breaches.extend(view.doubts());
            breaches.extend(view.shows(true).filter(|_| subject.adapter.can_ask()));
        }
        Expects::Later => {
            breaches.extend(view.said_yes());
            if first == Outcome::Retry {
                breaches.extend(view.waits());
                breaches.extend(view.is_yes(2));
            } else if first != Outcome::Accepted {
                breaches.push(Breach::new("gave-up").of(end.reason));
            }
        }
        Expects::GivenUp => {
            breaches.extend(view.said_yes());
            let gave_up = !matches!(first, Outcome::Retry | Outcome::Accepted);
            breaches.extend(gave_up.then(|| Breach::new("gave-up").of(end.reason)));
        }
        Expects::No => {
            breaches.extend(view.said_yes());
            let goes_on = run.ends.len() > 1 || first == Outcome::Retry;
            // Whoever logs in for each attempt may have met the end of a session, and then goes on for good reason.
            let logs_in = facts.is_given && scenario.mishap == Mishap::Status(401);
            let goes_on = goes_on && !logs_in;
            let doubts = first == Outcome::Unknown && !logs_in;
            breaches.extend(doubts.then(|| Breach::new("in-doubt").of(end.reason)));
            breaches.extend(goes_on.then(|| Breach::new("goes-on").with("tries", run.ends.len())));
        }
        Expects::NotFollowed => breaches.extend(view.said_yes()),
        Expects::NotYes => {
            breaches.extend(view.said_yes());
            breaches.extend(view.twice());
        }
        Expects::Calm => breaches.extend(view.twice()),
        Expects::NeverLeft | Expects::Asked => {
            breaches.extend(view.said_yes());
            if first == Outcome::Retry {
                breaches.extend(view.is_yes(2));
            } else if first != Outcome::Accepted {
                breaches.push(Breach::new("not-again").of(end.reason));
            }
        }
        Expects::Arrives { is_decomposed } => {
            let (requests, is_sound_whole) = view.received();
            let bare = subject.is_without_marks();
            let (found, changed) = words::arrived(&requests, is_decomposed, bare);
            let readers = wording::Readers::of(subject.channel);
            breaches.extend(view.is_yes(1).into_iter().chain(changed));
            breaches.extend(wording::missing(readers, &found, is_sound_whole));
        }
        Expects::ArrivesWhole => {
            let (requests, is_sound_whole) = view.received();
            let readers = wording::Readers::of(subject.channel);
            breaches.extend(view.is_yes(1));
            breaches.extend(wording::whole(&requests, readers, is_sound_whole));
        }
        Expects::Secret => breaches.extend(view.leaks()),
        Expects::Renewed => breaches.extend(view.is_renewed(facts)),
        Expects::Well
        | Expects::Unwell
        | Expects::AskedAfter
        | Expects::Checked
        | Expects::Call(_) => {}
    }
    breaches
}

/// What an adapter must not do to whoever calls it.
pub(super) fn defects(run: &Run) -> Option<Breach> {
    let mut ends = run.ends.iter();
    let end = ends.find(|end| end.reason == Some(Reason::Defect))?;
    let is_panic = end.detail.as_deref() == Some("panic");
    Some(Breach::new(if is_panic { "panicked" } else { "defect" }))
}

/// What must not be whatever the scenario.
fn always(run: &Run) -> Vec<Breach> {
    let mut breaches: Vec<Breach> = defects(run).into_iter().collect();
    let most = run.tries.iter().map(|one| one.calls).max().unwrap_or(0);
    let sent = run.tries.iter().map(|one| {
        let sent = run
            .arrivals
            .iter()
            .filter(|arrival| arrival.attempt == one.number && arrival.acts == Acts::New);
        let effects: BTreeSet<Effect> = sent.clone().map(|arrival| arrival.effect).collect();
        let most = effects.into_iter().map(|effect| {
            sent.clone()
                .filter(|arrival| arrival.effect == effect)
                .count()
        });
        most.max().unwrap_or(0)
    });
    let sent = sent.max().unwrap_or(0);
    if most > MOST_CALLS || sent > MOST_SENT {
        breaches.push(Breach::new("hammers").with("calls", most.max(sent)));
    }
    if run.arrivals.iter().any(|one| one.host == ELSEWHERE) {
        breaches.push(Breach::new("followed"));
    }
    breaches
}

/// Whether what may have been done is not done again: nobody can ask, and people would hear it twice.
pub(super) fn is_once(subject: &Subject<'_>) -> bool {
    subject.channel.mode == Mode::AtMostOnce && !subject.adapter.can_ask()
}

/// A delivery, to be looked at from several sides.
pub(super) struct View<'v> {
    pub(super) run: &'v Run,
    pub(super) subject: &'v Subject<'v>,
}

impl View<'_> {
    fn is_once(&self) -> bool {
        is_once(self.subject)
    }

    fn is_accepted(&self) -> bool {
        let last = self.run.ends.last();
        last.is_some_and(|end| matches!(end.next, State::Accepted | State::Confirmed))
    }

    /// Accepted in the end, after at most so many attempts, and once.
    fn is_yes(&self, most: usize) -> Option<Breach> {
        let last = self.run.ends.last()?;
        if !self.is_accepted() || self.run.ends.len() > most {
            return Some(Breach::new("not-yes").of(last.reason));
        }
        let is_done = self.run.arrivals.iter().any(|one| one.is_done);
        if is_done {
            self.twice()
        } else {
            Some(Breach::new("not-sent"))
        }
    }

    /// Accepted, each time that it was sent.
    pub(super) fn is_taken(&self) -> Option<Breach> {
        let mut ends = self.run.ends.iter();
        let refused = ends.find(|end| end.outcome != Outcome::Accepted)?;
        let met = refused.detail.as_deref().unwrap_or("-");
        let not_taken = Breach::new("not-taken").of(refused.reason);
        Some(not_taken.with("met", met))
    }

    /// Nobody knows whether it was done, and that is what is said.
    fn doubts(&self) -> Vec<Breach> {
        let first = self.run.ends.first();
        let again = first.filter(|end| end.outcome == Outcome::Retry && self.is_once());
        let said_again = again.map(|end| Breach::new("said-retry").of(end.reason));
        let all = [self.said_yes(), self.said_no(), said_again, self.settles()];
        all.into_iter().flatten().collect()
    }

    /// More than one effect of a sort.
    fn done_twice(&self) -> Option<Breach> {
        let done = self.run.arrivals.iter().filter(|one| one.is_done);
        let effects: BTreeSet<Effect> = done.clone().map(|one| one.effect).collect();
        let times = effects
            .into_iter()
            .map(|effect| done.clone().filter(|one| one.effect == effect).count());
        let most = times.max().filter(|most| *most > 1)?;
        Some(Breach::new("again").with("times", most))
    }

    /// What plays was told to stop before anything was sent, and what came of that is not said to be what it was not.
    fn interrupts(&self, is_answered: bool) -> Option<Breach> {
        let mut all = self.run.arrivals.iter();
        let first = all.find(|one| one.stops || one.acts != Acts::Nothing);
        if !first.is_some_and(|one| one.stops) {
            return Some(Breach::new("no-stop"));
        }
        let said = self.run.stopped.first().copied().flatten();
        match (is_answered, said) {
            (true, Some(true)) | (false, Some(false)) => None,
            (true, _) => Some(Breach::new("stop-unsaid")),
            (false, _) => Some(Breach::new("stop-believed")),
        }
    }

    /// What is sent was told to stop when it may have been playing.
    fn silences_itself(&self) -> Option<Breach> {
        let begun = self.run.arrivals.iter().skip_while(|one| !one.is_done);
        let is_told = begun.clone().any(|one| one.stops);
        is_told.then(|| Breach::new("stops-itself"))
    }

    /// The picture of the article arrived, and once; or there is none, and nothing is said to be one.
    fn shows(&self, has: bool) -> Option<Breach> {
        let requests = self.run.arrivals.iter().map(|one| &one.request);
        let requests: Vec<_> = requests.collect();
        if !has {
            return picture::is_announced(&requests).then(|| Breach::new("picture-empty"));
        }
        match picture::sent(&requests) {
            0 if !picture::is_led_to(&requests) => Some(Breach::new("picture-lost")),
            0 | 1 => None,
            times => Some(Breach::new("picture-again").with("times", times)),
        }
    }

    /// What the receiver got, and whether the sound is in it, where there is one.
    fn received(&self) -> (Vec<&Request>, Option<bool>) {
        let requests = self.run.arrivals.iter().map(|one| &one.request);
        let requests: Vec<_> = requests.collect();
        let audio = self.subject.channel.audio.map(sound::silence);
        let is_sound_whole = audio.map(|audio| words::is_heard_whole(&requests, &audio));
        (requests, is_sound_whole)
    }

    fn said_yes(&self) -> Option<Breach> {
        let is_yes = self.run.ends.first()?.outcome == Outcome::Accepted;
        is_yes.then(|| Breach::new("said-yes"))
    }

    fn said_no(&self) -> Option<Breach> {
        let end = self.run.ends.first()?;
        let is_no = end.outcome == Outcome::Rejected;
        is_no.then(|| Breach::new("said-no").of(end.reason))
    }

    /// What is in doubt is settled as the channel's mode has it.
    fn settles(&self) -> Option<Breach> {
        let last = self.run.ends.last()?;
        if let Some(twice) = self.twice() {
            return Some(twice);
        }
        let is_settled = if self.is_once() {
            last.next == State::Unknown
        } else {
            self.is_accepted() || last.next == State::Unknown
        };
        // What was told apart already needs no second word.
        let first = self.run.ends.first()?;
        let is_told = matches!(first.outcome, Outcome::Accepted | Outcome::Rejected);
        (!is_settled && !is_told).then(|| Breach::new("not-settled").of(last.reason))
    }

    /// Sent again although people may have heard it, or without what tells a repetition from something new.
    fn twice(&self) -> Option<Breach> {
        let sent: Vec<&Arrival> = self
            .run
            .arrivals
            .iter()
            .filter(|one| one.acts == Acts::New)
            .collect();
        let effects: BTreeSet<Effect> = sent.iter().map(|one| one.effect).collect();
        for effect in effects {
            let same = sent.iter().copied().filter(|one| one.effect == effect);
            let done: Vec<_> = same.clone().filter(|one| one.is_done).collect();
            if self.is_once() && done.len() > 1 {
                return Some(Breach::new("again").with("times", done.len()));
            }
            let attempts: BTreeSet<u32> = same.clone().map(|one| one.attempt).collect();
            let may_double = done.len() > 1
                || (attempts.len() > 1 && self.was_in_doubt() && !self.subject.adapter.can_ask());
            if may_double && !call::judge::is_known_again(self, &same.collect::<Vec<_>>()) {
                return Some(Breach::new("other-key").with("times", attempts.len()));
            }
        }
        None
    }

    fn was_in_doubt(&self) -> bool {
        self.run
            .ends
            .iter()
            .any(|end| end.outcome == Outcome::Unknown)
    }

    /// The receiver's wish is kept.
    fn waits(&self) -> Option<Breach> {
        let end = self.run.ends.first()?;
        let wait = end.next_at?.since(end.finished);
        let is_kept = wait >= Duration::from_secs(WISH);
        (!is_kept).then(|| {
            Breach::new("no-wait")
                .with("seconds", wait.as_secs())
                .with("wish", WISH)
        })
    }

    /// Secrets in what is kept.
    pub(super) fn leaks(&self) -> Vec<Breach> {
        let run = self.run;
        let mut secrets = self.subject.secrets.clone();
        secrets.extend(self.subject.adapter.secrets().iter().cloned());
        secrets.extend(run.access.iter().flatten().cloned());
        let given = run.given.iter();
        secrets.extend(given.map(|given| Secret::new(given.whole.clone())));
        let mut places: Vec<(&str, String)> = vec![
            ("log", run.log.clone()),
            ("debug", format!("{:?}", self.subject.adapter)),
        ];
        for end in &run.ends {
            places.extend([
                ("detail", end.detail.clone().unwrap_or_default()),
                ("answer", end.answer.clone().unwrap_or_default()),
                ("receipt", end.receipt.clone().unwrap_or_default()),
            ]);
        }
        // The number of an upload may stand in the receiver's own reference: the device is asked with it later.
        let own = secrets.len() - run.given.len();
        let opens = run.given.iter().zip(&secrets[own..]);
        let opens = opens.filter(|(given, _)| given.is_login());
        let opens = opens.map(|(_, secret)| secret);
        let in_receipts: Vec<Secret> = secrets[..own].iter().chain(opens).cloned().collect();
        let shown: BTreeSet<&str> = places
            .iter()
            .filter(|(place, text)| {
                let secrets = if *place == "receipt" {
                    &in_receipts
                } else {
                    &secrets
                };
                leak::shows(text, secrets)
            })
            .map(|(place, _)| *place)
            .collect();
        let told = shown.into_iter();
        told.map(|place| Breach::new("leaked").with("place", place))
            .collect()
    }

    /// The attempt after the one that a token ended carries the next one.
    fn is_renewed(&self, facts: &Facts) -> Option<Breach> {
        let last = self.run.ends.last()?;
        if !self.is_accepted() {
            return Some(Breach::new("no-renewal").of(last.reason));
        }
        let attempt = last.attempt;
        let tokens: Vec<String> = if let Some(Some(access)) = self.run.access.last() {
            vec![access.expose().to_owned()]
        } else {
            // A login in several steps gives something in each, and the last of them may be what opens.
            let own = self.run.given.iter();
            let own = own.filter(|given| given.attempt == attempt);
            let own: Vec<String> = own.map(|given| given.digits.clone()).collect();
            if own.is_empty() {
                vec![call::given(attempt, 0)]
            } else {
                own
            }
        };
        let old = self.run.given.iter();
        let old = old.filter(|given| given.attempt != attempt && given.is_login());
        let old: Vec<&str> = old.map(|given| given.digits.as_str()).collect();
        let sent = self.run.arrivals.iter().rev();
        let mut sent = sent.filter(|one| one.acts != Acts::Nothing && one.attempt == attempt);
        let carries = sent.next().is_some_and(|one| {
            let all = words::readings(&one.request);
            let has = |token: &str| all.iter().any(|text| text.contains(token));
            tokens.iter().any(|token| has(token)) && !old.iter().any(|token| has(token))
        });
        let is_due = (attempt > 1 || self.run.is_login_old)
            && (facts.is_given || self.subject.adapter.account().is_some());
        (is_due && !carries).then(|| Breach::new("old-token"))
    }
}

/// What a question at a real address shows where the answer is no.
pub(super) fn unwell(failure: &Failure) -> Breach {
    let breach = Breach::new("not-well").of(Some(failure.reason()));
    breach.with("met", failure.detail())
}

/// What a question shows that it must not.
pub(super) fn asked(
    scenario: &Scenario,
    asked: &Asked,
    facts: &Facts,
    subject: &Subject<'_>,
) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let is_well = scenario.expects == Expects::Well;
    match &asked.result {
        Some(Err(failure)) if failure.reason() == Reason::Defect => {
            breaches.push(Breach::new("panicked"));
        }
        Some(Ok(())) if !is_well => breaches.push(Breach::new("said-well")),
        Some(Err(failure)) if is_well => {
            breaches.push(Breach::new("said-ill").of(Some(failure.reason())));
        }
        Some(_) | None => {}
    }
    let acts = |one: &Arrival| {
        // A question where everything goes, and with what it sends as well, speaks when it is asked.
        let is_call = |call: &Arrival| {
            place(one) == place(call) && !command::is_another(&one.request, &call.request)
        };
        one.acts != Acts::Nothing
            || facts.target.as_ref().is_some_and(is_call)
            || call::judge::probe_acts(one, facts, subject)
    };
    if asked.arrivals.iter().any(acts) {
        breaches.push(Breach::new("probe-acts"));
    }
    let is_elsewhere = |one: &Arrival| call::judge::is_elsewhere(one, facts);
    if asked.arrivals.iter().any(is_elsewhere) {
        breaches.push(Breach::new("probe-elsewhere"));
    }
    breaches
}
