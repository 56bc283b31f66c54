//! The adapter under examination, as whoever calls it sees it: everything is its own, and its receiver hears what it hopes for.

use std::{sync::Arc, time::Duration};

use super::{call::Called, passes_on::passes_on, receiver::Receiver, scenario::Mishap};
use crate::{
    adapter::{
        Adapter, Exchange, Hoped, Hopes, NotBelieved, Report, Step, attempt, zalo::oauth::Account,
    },
    domain::{
        message::{Message, Note},
        secret::Secret,
        time::Timestamp,
    },
};

/// All that a request carries and that could be a secret, the likeliest first, as one line that stands in JSON as it is.
fn carried(request: &crate::adapter::Request) -> String {
    let usual = ["content-type", "idempotency-key", "accept"];
    let headers = request.headers.iter();
    let headers = headers.filter(|(name, _)| !usual.contains(&name.to_ascii_lowercase().as_str()));
    let mut all: Vec<&str> = headers.map(|(_, value)| value.as_str()).collect();
    all.push(&request.url);
    all.extend(std::str::from_utf8(&request.body));
    let plain = |c: char| {
        if c.is_ascii_graphic() && !"\"\\".contains(c) {
            c
        } else {
            ' '
        }
    };
    all.join(" ").chars().map(plain).take(2_000).collect()
}

/// The adapter under examination: everything is its own, except that it waits for nothing and its receiver hears what it hopes.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) inner: Arc<dyn Adapter>,
    pub(super) receiver: Arc<Receiver>,
}

impl Watched {
    fn watch(&self, mut step: Step, message: Option<&Message>, done: &[Exchange]) -> Step {
        let request = match &mut step {
            Step::Call(request) => request,
            Step::Stream(stream) => {
                self.receiver.memory().is_stream = true;
                &mut stream.request
            }
            Step::Mail(mail) => {
                self.receiver.memory().is_mail = true;
                &mut mail.request
            }
            Step::Accepted(_) | Step::Failed(_) => return step,
        };
        request.wait = Duration::ZERO;
        let receipt = (self.receiver.mishap == Mishap::Receipt).then(|| carried(request));
        let (is_there, given) = self.receiver.hopes();
        let hopes = Hopes {
            is_there,
            given: &given,
            receipt: receipt.as_deref(),
        };
        let hoped = self.inner.hoped(message, done, hopes);
        let (hoped, called) = match (hoped, message) {
            (Some(hoped), Some(message)) => {
                let (hoped, called) = self.look(message, done, request, hoped, hopes);
                (Some(hoped), called)
            }
            (hoped, _) => {
                let role = hoped.as_ref().map(|hoped| hoped.role.clone());
                let called = Called {
                    role: role.unwrap_or_default(),
                    ..Called::default()
                };
                (hoped, called)
            }
        };
        let stops = match (&step, message) {
            (Step::Call(request), Some(message)) => {
                attempt::stops(&*self.inner, message, done, request)
            }
            _ => false,
        };
        self.receiver.expect(hoped, stops, receipt, called);
        step
    }
}

impl Adapter for Watched {
    passes_on!();

    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        self.watch(self.inner.step(message, done), Some(message), done)
    }

    fn probe(&self, done: &[Exchange]) -> Option<Step> {
        self.question(None, done)
    }

    fn question(&self, access: Option<&Secret>, done: &[Exchange]) -> Option<Step> {
        let step = self.inner.question(access, done)?;
        Some(self.watch(step, None, done))
    }

    fn account(&self) -> Option<&Account> {
        self.inner.account()
    }

    fn ends_login(&self, message: Option<&Message>, exchange: &Exchange) -> bool {
        self.inner.ends_login(message, exchange)
    }

    fn ended(&self, message: &Message) -> Option<Hoped> {
        self.inner.ended(message)
    }

    fn report(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Option<Result<Report, NotBelieved>> {
        self.inner.report(signature, body, now)
    }
}
