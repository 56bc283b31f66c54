//! One attempt: an adapter and the transport take turns until the adapter has decided.

mod login;

use std::time::Duration;

use futures_util::future::BoxFuture;
use login::known;
use tokio::time::{Instant, sleep};

use super::{
    Adapter, Exchange, Failure, Fault, Login, Receipt, Request, Response, Step, Taken, quote,
    redact,
    transport::{Transport, logins::InUse, mail::Mail, stream::Stream},
};
use crate::domain::{
    bulletin::Priority,
    delivery::Reason,
    detail::Detail,
    message::{Content, Message, Note},
    secret::Secret,
    time::Timestamp,
};

/// The most calls of one attempt: a net under an adapter that never decides. What a recipe may ask for fits: a file in a hundred pieces, and
/// once more after a login that had ended, pages, and questions again and again.
const MOST_CALLS: usize = 512;

/// How much of the last answer is kept, in bytes.
const KEPT_ANSWER: usize = 4096;

/// How much of a receiver's own reference is kept, in letters.
const KEPT_RECEIPT: usize = 300;

/// Which part of an attempt's time a device gets to stop what it plays: one that never answers must not use up what the emergency
/// needs.
const STOPS_WITHIN: u32 = 3;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptEnd {
    /// The adapter's decision.
    pub ending: Ending,
    /// The status of the answer that decided: of the last one where the channel took it, else of the call that failed, if that one
    /// was made and answered.
    pub status: Option<u16>,
    /// The first 4 KiB of that answer, lossily as text, with secrets blacked out.
    pub answer: Option<String>,
    /// How many calls were made.
    pub exchanges: usize,
    /// Whether any of them was answered, by whatever.
    pub answered: bool,
    /// Whether the channel was told to stop what was playing, and said yes; `None` where it was not told.
    pub stopped: Option<bool>,
}

/// An adapter's decision.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The channel took it.
    Accepted(Receipt),
    /// It did not.
    Failed(Failure),
}

impl AttemptEnd {
    /// An attempt that ended without any call, or of whose calls nothing is known.
    #[must_use]
    pub fn failed(failure: Failure) -> Self {
        Self {
            ending: Ending::Failed(failure),
            status: None,
            answer: None,
            exchanges: 0,
            answered: false,
            stopped: None,
        }
    }

    /// The same for a good end.
    #[must_use]
    pub fn accepted(receipt: Receipt) -> Self {
        Self {
            ending: Ending::Accepted(receipt),
            status: None,
            answer: None,
            exchanges: 0,
            answered: false,
            stopped: None,
        }
    }
}

/// What has to be on record before the call that comes next.
type NoteOf<'a> = &'a (dyn Fn(&[Exchange]) -> Option<Note> + Sync);

/// What an adapter says of logins whose answers are kept: how long that of a call may be used, and whether the one in use has ended.
type OfLogins<'a> = (
    &'a (dyn Fn(&Exchange) -> Option<Duration> + Sync),
    &'a (dyn Fn(&[Exchange]) -> bool + Sync),
);

/// Where notes are put on record.
pub trait Notes: Sync {
    /// Puts `note` on record, durably and before anything else happens.
    ///
    /// # Errors
    /// Why the call after it must not be made.
    fn keep<'a>(&'a self, note: &'a Note) -> BoxFuture<'a, Result<(), Failure>>;
}

/// A record that keeps nothing: for calls of which nobody goes on with what another began.
#[derive(Debug)]
pub struct NoNotes;

impl Notes for NoNotes {
    fn keep<'a>(&'a self, _: &'a Note) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Makes one attempt to deliver `message`. All its calls together get the transport's time for a whole call, and each waits in it for
/// its turn at its host, but for an emergency's.
pub async fn attempt(
    adapter: &dyn Adapter,
    message: &Message,
    notes: &dyn Notes,
    transport: &Transport,
    clock_now: impl Fn() -> Timestamp,
) -> AttemptEnd {
    let step = |done: &[Exchange]| adapter.step_at(message, done, clock_now());
    let note = |done: &[Exchange]| adapter.note(message, done);
    let kept = (
        &note as &(dyn Fn(&[Exchange]) -> Option<Note> + Sync),
        notes,
    );
    let lasts = |exchange: &Exchange| adapter.lasts(Some(message), exchange);
    let ended = |done: &[Exchange]| adapter.has_ended(Some(message), done);
    let logins: OfLogins<'_> = (&lasts, &ended);
    let stops = |done: &[Exchange], request: &Request| stops(adapter, message, done, request);
    let (secrets, steps) = (adapter.secrets(), (step, stops));
    let line = (transport, message.priority == Priority::Emergency);
    let (mut end, done) = run(secrets, line, &clock_now, steps, kept, logins).await;
    end.stopped = adapter.stopped(message, &done);
    end
}

/// Whether `request`, the next after `done`, tells the device to stop what it plays: of that one the adapter says what came of it.
pub(crate) fn stops(
    adapter: &dyn Adapter,
    message: &Message,
    done: &[Exchange],
    request: &Request,
) -> bool {
    if !message.preempts || !adapter.can_stop() {
        return false;
    }
    let after = |result| {
        let request = request.clone();
        let with_it = [done, &[Exchange { request, result }]].concat();
        adapter.stopped(message, &with_it)
    };
    match adapter.stopped(message, done) {
        None => after(Err(Fault::never_left(Reason::Unanswered, String::new()))).is_some(),
        // Told once more, after a login that had ended, it may say yes.
        Some(false) => {
            let answer = Response {
                status: 200,
                ..Response::default()
            };
            after(Ok(answer)) == Some(true)
        }
        Some(true) => false,
    }
}

/// Asks the channel whether it is alive; `None` when it cannot be asked. `access` is the token that its calls carry.
///
/// # Errors
/// Why it seems not to be.
pub async fn probe(
    adapter: &dyn Adapter,
    access: Option<&Secret>,
    transport: &Transport,
    clock_now: impl Fn() -> Timestamp,
) -> Option<Result<(), Failure>> {
    let end = question(adapter, access, transport, clock_now).await?;
    Some(match end.ending {
        Ending::Accepted(_) => Ok(()),
        Ending::Failed(failure) => Err(failure),
    })
}

/// The same with all that is known of the answer.
pub async fn question(
    adapter: &dyn Adapter,
    access: Option<&Secret>,
    transport: &Transport,
    clock_now: impl Fn() -> Timestamp,
) -> Option<AttemptEnd> {
    adapter.question_at(access, &[], clock_now())?;
    let cannot = || {
        let detail = Detail::new("call-no-question");
        Step::Failed(Failure::reject(Reason::Defect, detail))
    };
    let step = |done: &[Exchange]| {
        let next = adapter.question_at(access, done, clock_now());
        next.unwrap_or_else(cannot)
    };
    let nothing = |_: &[Exchange]| None;
    let kept = (&nothing as NoteOf<'_>, &NoNotes as &dyn Notes);
    let lasts = |exchange: &Exchange| adapter.lasts(None, exchange);
    let ended = |done: &[Exchange]| {
        let mut last = done.last().into_iter();
        adapter.has_ended(None, done) || last.any(|last| adapter.ends_login(None, last))
    };
    let logins: OfLogins<'_> = (&lasts, &ended);
    let (secrets, steps, line) = (adapter.secrets(), (step, never), (transport, false));
    let (end, _) = run(secrets, line, &clock_now, steps, kept, logins).await;
    Some(end)
}

/// Asks the device that took `message` with `receipt` whether it did it.
///
/// # Errors
/// [`Reason::NotPlayed`] where it did not; every other reason says why nobody knows yet.
pub async fn look_after(
    adapter: &dyn Adapter,
    message: &Message,
    receipt: Option<&str>,
    transport: &Transport,
    clock_now: impl Fn() -> Timestamp,
) -> Result<(), Failure> {
    let cannot = || {
        let detail = Detail::new("call-no-question");
        Step::Failed(Failure::reject(Reason::Defect, detail))
    };
    let step = |done: &[Exchange]| {
        let next = adapter.look_after(message, receipt, done, clock_now());
        next.unwrap_or_else(cannot)
    };
    let nothing = |_: &[Exchange]| None;
    let kept = (&nothing as NoteOf<'_>, &NoNotes as &dyn Notes);
    let lasts = |exchange: &Exchange| adapter.lasts(Some(message), exchange);
    // The question is the last call, and what it is answered says whether the login is good.
    let ended = |done: &[Exchange]| {
        let mut last = done.last().into_iter();
        last.any(|last| adapter.ends_login(Some(message), last))
    };
    let logins: OfLogins<'_> = (&lasts, &ended);
    let (secrets, steps, line) = (adapter.secrets(), (step, never), (transport, false));
    let (end, _) = run(secrets, line, &clock_now, steps, kept, logins).await;
    match end.ending {
        Ending::Accepted(_) => Ok(()),
        Ending::Failed(failure) => Err(failure),
    }
}

/// Looks whether `content`, which was offered to the channel, was published there.
///
/// # Errors
/// [`Reason::NotPublished`] where it was not; every other reason says why nobody knows.
pub async fn look(
    adapter: &dyn Adapter,
    content: &Content,
    transport: &Transport,
    clock_now: impl Fn() -> Timestamp,
) -> Result<Receipt, Failure> {
    let cannot = || {
        let detail = Detail::new("call-no-question");
        Step::Failed(Failure::reject(Reason::Defect, detail))
    };
    let step = |done: &[Exchange]| adapter.look(content, done).unwrap_or_else(cannot);
    let nothing = |_: &[Exchange]| None;
    let kept = (&nothing as NoteOf<'_>, &NoNotes as &dyn Notes);
    let logins: OfLogins<'_> = (&|_| None, &|_| false);
    let (secrets, steps, line) = (adapter.secrets(), (step, never), (transport, false));
    let (end, _) = run(secrets, line, clock_now, steps, kept, logins).await;
    match end.ending {
        Ending::Accepted(receipt) => Ok(receipt),
        Ending::Failed(failure) => Err(failure),
    }
}

fn never(_: &[Exchange], _: &Request) -> bool {
    false
}

/// What an adapter wants to be sent.
enum Outgoing {
    Call(Request),
    Stream(Box<Stream>),
    Mail(Box<Mail>),
}

impl Outgoing {
    /// What goes out next, or how the attempt ends.
    fn of(step: Step) -> Result<Self, Ending> {
        match step {
            Step::Accepted(receipt) => Err(Ending::Accepted(receipt)),
            Step::Failed(failure) => Err(Ending::Failed(failure)),
            Step::Call(request) => Ok(Self::Call(request)),
            Step::Stream(stream) => Ok(Self::Stream(stream)),
            Step::Mail(mail) => Ok(Self::Mail(mail)),
        }
    }

    fn request(&self) -> &Request {
        match self {
            Self::Call(request) => request,
            Self::Stream(stream) => &stream.request,
            Self::Mail(mail) => &mail.request,
        }
    }

    fn login_mut(&mut self) -> Option<&mut Login> {
        match self {
            Self::Call(request) => request.login.as_mut(),
            Self::Stream(_) | Self::Mail(_) => None,
        }
    }

    fn into_request(self) -> Request {
        match self {
            Self::Call(request) => request,
            Self::Stream(stream) => stream.request,
            Self::Mail(mail) => mail.request,
        }
    }
}

async fn run(
    secrets: &[Secret],
    (transport, is_urgent): (&Transport, bool),
    clock_now: impl Fn() -> Timestamp,
    (step, stops): (
        impl Fn(&[Exchange]) -> Step,
        impl Fn(&[Exchange], &Request) -> bool,
    ),
    (note, notes): (NoteOf<'_>, &dyn Notes),
    (lasts, has_ended): OfLogins<'_>,
) -> (AttemptEnd, Vec<Exchange>) {
    let deadline = Instant::now() + transport.total_timeout();
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut done: Vec<Exchange> = Vec::new();
    let mut is_noted = false;
    let mut logins = InUse::of(transport.logins());
    let mut was_called = true;
    // The host at which this attempt has a place that no call has used.
    let mut place: Option<String> = None;
    // What was waited for of our own accord is no slowness of the channel's.
    let mut waited = Duration::ZERO;
    let is_own = |own: Duration, waited, left| {
        let taken = transport.total_timeout().saturating_sub(left);
        own > Duration::ZERO && own >= taken.saturating_sub(waited)
    };
    let ending = loop {
        let going = match Outgoing::of(step(&done)) {
            Ok(going) => going,
            Err(ending) => break ending,
        };
        if done.len() == MOST_CALLS {
            let detail = Detail::new("call-too-many").with("most", MOST_CALLS);
            // One of them may have been the one that counts.
            break Ending::Failed(Failure::unknown(Reason::Defect, detail));
        }
        let asked = Instant::now();
        let line = (transport, is_urgent);
        let (going, known, has_place) = known(&mut logins, going, line, &clock_now, deadline).await;
        waited += asked.elapsed();
        let spare = place.take();
        if let Some(result) = known {
            place = has_place.then(|| going.request().url.host()).flatten();
            let request = going.into_request();
            done.push(Exchange { request, result });
            continue;
        }
        let request = going.request();
        if let Some(note) = note(&done) {
            let is_late = left().saturating_sub(request.wait) <= transport.total_timeout() / 2;
            if note.whole_call && !done.is_empty() && is_late {
                was_called = false;
                let detail = Detail::new("call-put-off");
                let reason = hurried(is_own(waited + request.wait, waited, left()));
                break Ending::Failed(Failure::retry(reason, detail));
            }
            if let Err(failure) = notes.keep(&note).await {
                was_called = false;
                break Ending::Failed(if is_noted {
                    // The call after an earlier note was made, and what came of it is not on record: that has to be looked for.
                    Failure::unknown(failure.reason(), Detail::new("note-lost"))
                } else {
                    failure
                });
            }
            is_noted = true;
        }
        // A place at the host that a login turned out not to need is this call's, if it goes there at once.
        let has_place =
            has_place || request.wait.is_zero() && spare.is_some() && spare == request.url.host();
        let left = left();
        if request.wait < left && request.wait > Duration::ZERO {
            #[expect(
                clippy::disallowed_methods,
                reason = "a receiver takes real time, as the time-outs of calls do; a simulated clock runs no faster meanwhile"
            )]
            sleep(request.wait).await;
            waited += request.wait;
        }
        let result = if left <= request.wait {
            let reason = hurried(is_own(waited + request.wait, waited, left));
            let detail = match reason {
                Reason::Waiting => "waited-no-time",
                _ => "asked-no-time",
            };
            Err(Fault::never_left(reason, Detail::new(detail)))
        } else {
            let came = Instant::now();
            let now = clock_now();
            let turn = if has_place {
                Ok(())
            } else {
                let turn = transport.turn(&request.url, now, deadline, is_urgent);
                turn.await
            };
            waited += came.elapsed();
            let is_stop = |request: &Request| stops(&done, request);
            match turn {
                Ok(()) => send(&going, transport, clock_now(), deadline, is_stop).await,
                Err(fault) => Err(fault),
            }
        };
        let request = going.into_request();
        let exchange = Exchange { request, result };
        if let (Some(_), Ok(answer)) = (&exchange.request.login, &exchange.result) {
            logins.made(answer, lasts(&exchange), clock_now());
        }
        done.push(exchange);
    };
    if logins.is_any() && has_ended(&done) {
        logins.forget();
    }
    let end = end_of(ending, was_called, &done, secrets);
    (end, done)
}

/// Makes a call. One that tells a device to stop gets a part of the time only.
async fn send(
    going: &Outgoing,
    transport: &Transport,
    now: Timestamp,
    deadline: Instant,
    is_stop: impl Fn(&Request) -> bool,
) -> Result<Response, Fault> {
    match going {
        Outgoing::Call(request) => {
            let until = if is_stop(request) {
                deadline.min(Instant::now() + transport.total_timeout() / STOPS_WITHIN)
            } else {
                deadline
            };
            transport.call_until(request, now, until).await
        }
        Outgoing::Stream(stream) => transport.stream(stream, now, deadline).await,
        Outgoing::Mail(mail) => transport.mail(mail, deadline).await,
    }
}

/// Why there was no time left for a call: because we waited ourselves, or because the channel took so long.
fn hurried(is_own: bool) -> Reason {
    if is_own {
        Reason::Waiting
    } else {
        Reason::Unanswered
    }
}

/// What is told of an attempt that ended so. `was_called`: the failure, if it is one, is of the last call, and not of one that was not made.
fn end_of(ending: Ending, was_called: bool, done: &[Exchange], secrets: &[Secret]) -> AttemptEnd {
    let made = done.iter().filter(|exchange| !is_remembered(exchange));
    let answered = |exchange| -> Option<(&Exchange, &Response)> {
        let exchange: &Exchange = exchange;
        Some((exchange, exchange.result.as_ref().ok()?))
    };
    let last = match &ending {
        Ending::Accepted(_) => made.clone().rev().find_map(answered),
        // An earlier call's answer would be taken for that of the one that failed.
        Ending::Failed(failure) if !was_called || failure.reason() == Reason::Unwritable => None,
        Ending::Failed(_) => made.clone().next_back().and_then(answered),
    };
    let is_hidden =
        |answer: &Response, request: &Request| request.hidden.answer && answer.is_success();
    let shown = last.filter(|(exchange, answer)| !is_hidden(answer, &exchange.request));
    let ending = match ending {
        Ending::Accepted(receipt) => Ending::Accepted(Receipt {
            reference: receipt
                .reference
                .map(|said| kept_receipt(&said, done, secrets)),
            ..receipt
        }),
        failed @ Ending::Failed(_) => failed,
    };
    AttemptEnd {
        ending,
        status: last.map(|(_, answer)| answer.status),
        answer: shown.map(|(exchange, answer)| kept(&answer.body, &exchange.request, secrets)),
        answered: made.clone().any(is_answered),
        exchanges: made.count(),
        stopped: None,
    }
}

/// Whether a call was answered, if only by what is no good answer. What was waited for in vain before it is none.
fn is_answered(exchange: &Exchange) -> bool {
    exchange.result.as_ref().map_or_else(
        |fault| fault.reason != Reason::Waiting && fault.reason.host_answered() == Some(true),
        |_| true,
    )
}

/// Whether a call was not made, because its answer was there.
fn is_remembered(exchange: &Exchange) -> bool {
    let login = exchange.request.login.as_ref();
    login.is_some_and(|login| login.is_remembered)
}

/// The beginning of an answer, without what the channel was told in confidence.
fn kept(body: &[u8], request: &Request, secrets: &[Secret]) -> String {
    let secrets = carried([request], secrets);
    // Redacted before it is cut: half a secret is still half a secret.
    let text = String::from_utf8_lossy(body);
    let text = redact(&text, &secrets);
    let end = (0..=text.len().min(KEPT_ANSWER))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    text[..end].to_owned()
}

/// A receiver's own reference, likewise: it may be anything of what the attempt's calls carried. The device is asked with it later, and
/// so the number of an upload that stands in it stays.
pub(super) fn kept_receipt(said: &str, done: &[Exchange], secrets: &[Secret]) -> String {
    let requests = done.iter().map(|exchange| &exchange.request);
    let secrets = carried_where(requests, secrets, |taken| taken.opens);
    quote(said, &secrets, KEPT_RECEIPT)
}

/// What nobody may see of `requests`, beside `secrets`.
pub(crate) fn carried<'r>(
    requests: impl IntoIterator<Item = &'r Request>,
    secrets: &[Secret],
) -> Vec<Secret> {
    carried_where(requests, secrets, |_| true)
}

fn carried_where<'r>(
    requests: impl IntoIterator<Item = &'r Request>,
    secrets: &[Secret],
    is_hidden: impl Fn(&Taken) -> bool,
) -> Vec<Secret> {
    let mut all = secrets.to_vec();
    for request in requests {
        let taken = request.hidden.values.iter();
        all.extend(
            taken
                .filter(|taken| is_hidden(taken))
                .map(|taken| taken.value.clone()),
        );
        // Credentials often travel in another shape than they are kept in, such as base64.
        let headers = request.headers.iter();
        let credentials = headers.filter(|(name, _)| is_credential(name));
        let parts = credentials.flat_map(|(_, value)| value.split(' '));
        all.extend(parts.map(|part| Secret::new(part.to_owned())));
    }
    all.retain(|secret| {
        !["basic", "bearer", "digest", "token"]
            .contains(&secret.expose().to_ascii_lowercase().as_str())
    });
    all
}

fn is_credential(name: &str) -> bool {
    [
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
    ]
    .iter()
    .any(|known| name.eq_ignore_ascii_case(known))
}
