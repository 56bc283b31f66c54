//! An adapter whose calls are listened to, at an address where nobody here plays the receiver: whether what was sent in confidence came
//! back in an answer shows only before it is blacked out.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{leak, passes_on::passes_on};
use crate::{
    adapter::{Adapter, Exchange, Step, attempt::carried},
    domain::{
        message::{Message, Note},
        secret::Secret,
        time::Timestamp,
    },
};

/// Passes everything on, and remembers what the attempt exchanged.
#[derive(Debug)]
pub(super) struct Overheard {
    inner: Arc<dyn Adapter>,
    done: Mutex<Vec<Exchange>>,
}

impl Overheard {
    pub(super) fn new(inner: Arc<dyn Adapter>) -> Self {
        Self {
            inner,
            done: Mutex::default(),
        }
    }

    fn listen(&self, done: &[Exchange]) {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = done.to_vec();
    }

    /// Whether an answer of the last attempt held something that nobody may see and that had been sent before, in any form in which it
    /// can be read. What a login gives for the first time is no repetition.
    pub(super) fn repeats_secrets(&self) -> bool {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        (0..done.len()).any(|at| {
            let Ok(answer) = &done[at].result else {
                return false;
            };
            let sent = done[..=at].iter().map(|exchange| &exchange.request);
            let secrets = carried(sent, self.inner.secrets());
            leak::shows(&String::from_utf8_lossy(&answer.body), &secrets)
        })
    }
}

impl Adapter for Overheard {
    passes_on!();

    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        self.listen(done);
        self.inner.step(message, done)
    }

    fn step_at(&self, message: &Message, done: &[Exchange], now: Timestamp) -> Step {
        self.listen(done);
        self.inner.step_at(message, done, now)
    }
}
