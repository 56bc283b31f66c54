//! Adapters decide, one transport acts.
//!
//! An adapter is a pure state machine over one attempt's exchanges: no client, no clock, no log. So every adapter test
//! is a table of answers. `transport` is the only client for channels, of HTTP and for mail; `attempt` lets the two talk.
//!
//! Nothing here shows what could be a secret: `Debug` of a request or an answer leaves out everything but its shape.

pub mod attempt;
pub mod axis;
mod course;
mod digest;
pub mod email;
mod failure;
mod headers;
mod hope;
pub mod icecast;
mod quote;
pub mod recipe;
pub mod registry;
pub mod rehearsal;
mod screen;
pub mod snapcast;
pub mod transport;
pub mod vnpt;
pub mod webhook;
pub mod zalo;

use std::{fmt, time::Duration};

use bytes::Bytes;
pub use headers::Headers;
pub use hope::{Acts, Hoped, Hopes, MARK, Role};
pub use quote::{quote, redact};
use transport::Address;

use crate::domain::{
    delivery::{Evidence, Reason},
    detail::Detail,
    message::{Content, Message, Note},
    recipe::Later,
    secret::Secret,
    time::Timestamp,
};

/// What the names of hosts end in that stand for nobody's (RFC 6761, section 6.4).
const NOBODY: &str = ".invalid";

/// What knows one vendor's interface.
pub trait Adapter: Send + Sync + fmt::Debug {
    /// Decides the next step of one attempt from what this attempt has exchanged so far. An empty `done` asks for the
    /// first request.
    fn step(&self, message: &Message, done: &[Exchange]) -> Step;

    /// [`Adapter::step`] where the next call may say when it is made, which is at `now`. What was asked for once is not asked for again,
    /// so the same exchanges may give another request at another time.
    fn step_at(&self, message: &Message, done: &[Exchange], now: Timestamp) -> Step {
        let _ = now;
        self.step(message, done)
    }

    /// Whether a repeated attempt finds out by itself if the message is already there.
    fn can_ask(&self) -> bool {
        false
    }

    /// Whether it can tell the channel to stop what is playing. Then the first call for a message that preempts does so.
    fn can_stop(&self) -> bool {
        false
    }

    /// How long the answer that `exchange` got, the call of a [`Login`], may be used in place of that call; `None` where it gives
    /// nothing that could be used.
    fn lasts(&self, message: Option<&Message>, exchange: &Exchange) -> Option<Duration> {
        let _ = (message, exchange);
        None
    }

    /// Whether the receiver said in this attempt, or without a message in this question, that the [`Login`] with which it was called has
    /// ended.
    fn has_ended(&self, message: Option<&Message>, done: &[Exchange]) -> bool {
        let _ = (message, done);
        false
    }

    /// Whether the answer to a question, with or without the message that it is about, says that the [`Login`] with which it was asked
    /// has ended.
    fn ends_login(&self, message: Option<&Message>, exchange: &Exchange) -> bool {
        let _ = message;
        let answer = exchange.result.as_ref().ok();
        answer.is_some_and(|answer| answer.status == 401)
    }

    /// How a receiver says that a [`Login`] has ended; `None` where what logins give is not kept. Only the conformance kit asks.
    fn ended(&self, message: &Message) -> Option<Hoped> {
        let _ = message;
        None
    }

    /// The answer to the question of [`Adapter::look_after`] that means yes. Only the conformance kit asks.
    fn hoped_after(&self, message: &Message, receipt: Option<&str>) -> Option<Hoped> {
        let _ = (message, receipt);
        None
    }

    /// Whether the channel was told in this attempt to stop what was playing, and said yes; `None` where it was not told.
    fn stopped(&self, message: &Message, done: &[Exchange]) -> Option<bool> {
        let _ = (message, done);
        None
    }

    /// The same for a question without any effect: is the channel alive? `None` when it cannot be asked.
    fn probe(&self, done: &[Exchange]) -> Option<Step> {
        let _ = done;
        None
    }

    /// [`Adapter::probe`] where calls carry a token; `access` is what there is at the moment.
    fn question(&self, access: Option<&Secret>, done: &[Exchange]) -> Option<Step> {
        let _ = access;
        self.probe(done)
    }

    /// [`Adapter::question`], as [`Adapter::step_at`] is to [`Adapter::step`].
    fn question_at(
        &self,
        access: Option<&Secret>,
        done: &[Exchange],
        now: Timestamp,
    ) -> Option<Step> {
        let _ = now;
        self.question(access, done)
    }

    /// Whether what it took has to be looked for afterwards, because it is only offered, for a person to publish, or because a device says
    /// only then what it did: how often, and how long.
    fn patience(&self) -> Option<Patience> {
        None
    }

    /// Asks afterwards whether a device did the `message` that it took with `receipt`, without any effect ([`Patience::is_device`]): accepted
    /// means that it did, [`Reason::NotPlayed`] that it did not, every other failure that nobody knows yet.
    fn look_after(
        &self,
        message: &Message,
        receipt: Option<&str>,
        done: &[Exchange],
        now: Timestamp,
    ) -> Option<Step> {
        let _ = (message, receipt, done, now);
        None
    }

    /// The steps of looking for `content`, without any effect: accepted means that it is there, [`Reason::NotPublished`] that it is not,
    /// every other failure that nobody knows. `None` where it cannot be looked for.
    fn look(&self, content: &Content, done: &[Exchange]) -> Option<Step> {
        let _ = (content, done);
        None
    }

    /// The account whose tokens its calls carry ([`crate::domain::message::Kept`]); `None` where they need none.
    fn account(&self) -> Option<&zalo::oauth::Account> {
        None
    }

    /// What asks how much of the account's quota remains, and under which name; `None` where nobody is asked.
    fn meter(&self, access: &Secret) -> Option<(&str, Request)> {
        let _ = access;
        None
    }

    /// Whether it shows the picture of an article, so that its messages have to hold the bytes ([`Message::picture`]).
    fn wants_picture(&self) -> bool {
        false
    }

    /// Whether it proves by digest who calls, so that its receiver may challenge any of its calls.
    fn answers_challenges(&self) -> bool {
        false
    }

    /// Whether its receiver is meant to get the letters of ASCII alone. Only the conformance kit asks.
    fn is_ascii(&self) -> bool {
        false
    }

    /// Whether it gives notes. Then its messages hold what is on record of them ([`crate::domain::message::Kept`]).
    fn gives_notes(&self) -> bool {
        false
    }

    /// What has to be on record before the call that [`Adapter::step`] asks for at the same point, for adapters of which a crash
    /// between two calls would repeat or lose something ([`Adapter::gives_notes`]).
    fn note(&self, message: &Message, done: &[Exchange]) -> Option<Note> {
        let _ = (message, done);
        None
    }

    /// Reads what the receiver reports by itself, with the header that signs it; `None` where it reports nothing.
    fn report(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Option<Result<Report, NotBelieved>> {
        let _ = (signature, body, now);
        None
    }

    /// The answer that it hopes for to the request that [`Adapter::step`], or without a message [`Adapter::probe`], asks for at the
    /// same point; `None` for what a device of the simulated city answers. Only the conformance kit asks.
    fn hoped(
        &self,
        message: Option<&Message>,
        done: &[Exchange],
        hopes: Hopes<'_>,
    ) -> Option<Hoped> {
        let _ = (message, done, hopes);
        None
    }

    /// The request that [`Adapter::step`] asks for at the same point once more for each secret of the channel's, by its name, with
    /// [`MARK`] in that secret's place: so it shows which of them it carries. Only the conformance kit asks.
    fn with_marks(&self, message: &Message, done: &[Exchange]) -> Vec<(String, Request)> {
        let _ = (message, done);
        Vec::new()
    }

    /// Whether by its protocol the status of an answer is the whole of a yes, whatever the body says. Only the conformance kit asks.
    fn is_status_enough(&self, message: &Message) -> bool {
        let _ = message;
        false
    }

    /// What sort of adapter it is, for lists and counters: a recipe's id, or `webhook`.
    fn name(&self) -> &str;

    /// The host (with port, where one is written) that calls go to, for limits per host.
    fn host(&self) -> &str;

    /// What has to be blacked out in answers before anybody sees them: some receivers repeat what they were sent.
    fn secrets(&self) -> &[Secret] {
        &[]
    }
}

/// How what was taken is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Whether a device is asked by its receipt ([`Adapter::look_after`]), and what it does not say changes nothing; else something is
    /// published by hand, and missed where it is not seen in time ([`Adapter::look`]).
    pub is_device: bool,
    /// How long after it was taken for the first time.
    pub first: Duration,
    /// How long in between.
    pub every: Duration,
    /// How long after it was taken.
    pub within: Duration,
}

impl From<Later> for Patience {
    fn from(later: Later) -> Self {
        Self {
            is_device: true,
            first: later.first(),
            every: later.every,
            within: later.within,
        }
    }
}

/// What a receiver reports by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The receiver's reference of what somebody has got, where it says so.
    pub message: Option<String>,
    /// What it calls what happened.
    pub event: String,
}

/// Why a report is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotBelieved {
    /// It is not signed by who should have sent it, or changed on its way.
    #[error("the signature does not fit")]
    Signature,
    /// It is too old, or from the future.
    #[error("the time of the report is too far from now")]
    Time,
    /// It is no report.
    #[error("the report cannot be read")]
    Unreadable,
}

/// What an adapter wants next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Make this call and ask again.
    Call(Request),
    /// Begin to send this sound, and ask again once it is taken or refused.
    Stream(Box<transport::stream::Stream>),
    /// Send this letter, or ask the mail server, and ask again.
    Mail(Box<transport::mail::Mail>),
    /// The channel took it.
    Accepted(Receipt),
    /// It did not.
    Failed(Failure),
}

/// What is known once the channel took it.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The receiver's own reference.
    pub reference: Option<String>,
    /// How much the answer says about what was heard.
    pub evidence: Evidence,
    /// What somebody should know of it all the same, as details are written: that fewer listen than should.
    pub remark: Option<String>,
    /// Whether nothing is published by that: it is offered, and a person has to publish it.
    pub is_offer: bool,
}

impl Receipt {
    /// What a server of streams says of a sound that it takes: so many listen (`None` where it does not say), of so many that should.
    fn of_stream(count: Option<u64>, wanted: Option<u64>) -> Self {
        let wanted = wanted.filter(|wanted| *wanted > 0);
        let counted = wanted.zip(count);
        let few = counted.filter(|(wanted, count)| count < wanted);
        Self {
            reference: count.map(|count| format!("listeners {count}")),
            evidence: match (counted, few) {
                (Some(_), None) => Evidence::Device,
                _ => Evidence::Accepted,
            },
            remark: few.map(|few| few_listen(few).to_string()),
            is_offer: false,
        }
    }
}

/// That fewer listen than should: how many should, and how many do.
fn few_listen((wanted, count): (u64, u64)) -> Detail {
    let code = if count == 0 {
        "call-nobody-listens"
    } else {
        "call-few-listen"
    };
    Detail::new(code)
        .with("count", count)
        .with("wanted", wanted)
}

/// Why it did not go through, and what that means for another attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// It certainly did not happen; another attempt may help, not before `after`.
    Retry {
        /// The receiver's wish.
        after: Option<Duration>,
        /// Why.
        reason: Reason,
        /// What the reason's word leaves out.
        detail: String,
    },
    /// The channel said no; another attempt would not help.
    Reject {
        /// Why.
        reason: Reason,
        /// What the reason's word leaves out.
        detail: String,
    },
    /// It may have happened.
    Unknown {
        /// Why.
        reason: Reason,
        /// What the reason's word leaves out.
        detail: String,
    },
}

impl Step {
    /// The answer is yes, and this is all that it says.
    #[must_use]
    pub fn accepted(reference: Option<String>) -> Self {
        Self::Accepted(Receipt {
            reference,
            evidence: Evidence::Accepted,
            remark: None,
            is_offer: false,
        })
    }
}

/// What a call that did not succeed means where nothing else is said about it:
///
/// | what came | meaning |
/// |---|---|
/// | nothing, and the request never left | retry |
/// | nothing, and the request cannot be written | reject |
/// | nothing, and the request may have left | unknown |
/// | 408, 425 | retry: RFC 9110 and RFC 8470 say that the request was not processed |
/// | 429, 503 | retry, not before Retry-After |
/// | another 5xx | unknown: a gateway's error does not say what happened behind it |
/// | 3xx | reject: redirects are not followed |
/// | another 4xx | reject |
/// | another status, a success among them | reject as unexpected: an answer came, and a repetition could double it |
#[must_use]
pub fn classify(exchange: &Exchange) -> Failure {
    let answer = match &exchange.result {
        Ok(answer) => answer,
        Err(Fault {
            may_have_left: true,
            reason,
            detail,
        }) => return Failure::unknown(*reason, detail),
        Err(Fault {
            reason: Reason::Unwritable,
            detail,
            ..
        }) => return Failure::reject(Reason::Unwritable, detail),
        Err(Fault { reason, detail, .. }) => return Failure::retry(*reason, detail),
    };
    let detail = Detail::new("call-status").with("status", answer.status);
    let detail = String::from(detail);
    match answer.status {
        408 | 425 => Failure::Retry {
            after: answer.retry_after,
            reason: Reason::Status,
            detail,
        },
        429 | 503 => Failure::Retry {
            after: answer.retry_after,
            reason: Reason::Busy,
            detail,
        },
        300..=399 => Failure::reject(Reason::Redirect, detail),
        401 | 403 => Failure::reject(Reason::Unauthorised, detail),
        400..=499 => Failure::reject(Reason::Status, detail),
        500..=599 => Failure::unknown(Reason::Status, detail),
        _ => Failure::reject(Reason::Unexpected, detail),
    }
}

/// One HTTP request, complete. The address, header values and the body may all hold secrets, so `Debug` shows only the
/// host and the shape.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The full address.
    pub url: Address,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// How long to wait before it goes out: for asking again.
    pub wait: Duration,
    /// What nobody may see of what comes of it.
    pub hidden: Hidden,
    /// Whether it is a login whose answer other attempts may use, too.
    pub login: Option<Login>,
}

/// A call whose answer is held in memory for a while and used in its place: what several attempts at one time may share
/// ([`transport::logins`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// A digest of whose login it is, and of all that it depends on.
    pub key: String,
    /// Whether the answer is one that was given before, and the call was not made.
    pub is_remembered: bool,
}

impl Request {
    /// The values that nobody may see of what comes of it.
    #[must_use]
    pub fn hidden_values(&self) -> Vec<Secret> {
        let taken = self.hidden.values.iter();
        taken.map(|taken| taken.value.clone()).collect()
    }
}

/// What of an answer stays out of every record.
#[derive(Clone, PartialEq, Default)]
pub struct Hidden {
    /// All of it where it is a success: it gives what is as secret as a password.
    pub answer: bool,
    /// Values that earlier answers of the same attempt gave, or that the call carries: some receivers repeat what they were sent.
    pub values: Vec<Taken>,
}

/// A value that an earlier answer gave, or that a call carries.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// What a recipe calls it (`steps.login.token`), or where it stands in the call.
    pub name: String,
    /// The value.
    pub value: Secret,
    /// Whether it opens something, as what a login gave. The number of an upload does not, and a receiver's own reference may hold it.
    pub opens: bool,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.url.host().unwrap_or_default())
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A call and what came of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The call.
    pub request: Request,
    /// The answer, or why there is none.
    pub result: Result<Response, Fault>,
}

/// An answer. `Debug` leaves out what it says: answers to a login hold secrets.
#[derive(Clone, PartialEq, Default)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Its headers.
    pub headers: Headers,
    /// The body, up to the cap.
    pub body: Bytes,
    /// The receiver's Retry-After, if any, as a wait from the moment of the answer. The transport reads it, because a
    /// date needs a clock.
    pub retry_after: Option<Duration>,
}

impl Response {
    /// Whether the receiver says yes: a status from 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers.names().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .field("retry_after", &self.retry_after)
            .finish()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Whether the request may have reached the receiver.
    pub may_have_left: bool,
    /// What happened: [`Reason::Refused`], [`Reason::NoAddress`], [`Reason::NoConnection`], [`Reason::Tls`],
    /// [`Reason::NotAllowed`], [`Reason::Busy`] (never left), [`Reason::Timeout`], [`Reason::Reset`], [`Reason::Cut`],
    /// [`Reason::Unreadable`], [`Reason::TooLarge`], [`Reason::Unexpected`] (may have left), [`Reason::Unanswered`] (the channel left no time
    /// to call), [`Reason::Waiting`], [`Reason::Paced`] (our own waiting did).
    pub reason: Reason,
    /// What the reason's word leaves out, as a [`Detail`], without addresses or secrets.
    pub detail: String,
}

impl Fault {
    /// The receiver cannot have got anything.
    #[must_use]
    pub fn never_left(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            may_have_left: false,
            reason,
            detail: detail.into(),
        }
    }

    /// The receiver may have got the request.
    #[must_use]
    pub fn may_have_left(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            may_have_left: true,
            reason,
            detail: detail.into(),
        }
    }
}

#[cfg(test)]
mod tests;
