//! Adapters decide, one transport acts.
//!
//! An adapter is a pure state machine over one attempt's exchanges: no client, no clock, no log. So every adapter test
//! is a table of answers. `transport` is the only HTTP client for channels.

pub mod transport;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;

use crate::domain::{
    delivery::{Evidence, Reason},
    message::Message,
};

/// What knows one vendor's HTTP interface.
pub trait Adapter: Send + Sync + std::fmt::Debug {
    /// Decides the next step of one attempt from what this attempt has exchanged so far. An empty `done` asks for the
    /// first request.
    fn step(&self, message: &Message, done: &[Exchange]) -> Step;

    /// Whether a repeated attempt finds out by itself if the message is already there.
    fn can_ask(&self) -> bool {
        false
    }

    /// The same for a question without any effect: is the channel alive? `None` when it cannot be asked.
    fn probe(&self, done: &[Exchange]) -> Option<Step> {
        let _ = done;
        None
    }

    /// The host (with port, where one is written) that calls go to, for limits per host.
    fn host(&self) -> &str;
}

/// What an adapter wants next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Make this call and ask again.
    Call(Request),
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

/// One HTTP request, complete. Header values may hold secrets, so `Debug` hides them and the address's query.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The full address.
    pub url: String,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// A call and what came of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The call.
    pub request: Request,
    /// The answer, or why there is none.
    pub result: Result<Response, Fault>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Header names in lower case; repeated ones joined by a comma.
    pub headers: BTreeMap<String, String>,
    /// The body, up to the cap.
    pub body: Bytes,
    /// The receiver's Retry-After, if any, as a wait from the moment of the answer. The transport reads it, because a
    /// date needs a clock.
    pub retry_after: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Whether the request may have reached the receiver.
    pub may_have_left: bool,
    /// What happened: [`Reason::Refused`], [`Reason::NoAddress`], [`Reason::NoConnection`], [`Reason::Tls`],
    /// [`Reason::NotAllowed`] (never left), [`Reason::Timeout`], [`Reason::Reset`], [`Reason::Cut`],
    /// [`Reason::TooLarge`] (may have left).
    pub reason: Reason,
    /// The operating system's or library's words, without addresses or secrets.
    pub detail: String,
}
