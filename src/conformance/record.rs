//! What would be kept of an attempt beside its end: notes, and lines of the log.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::BoxFuture;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    adapter::{Failure, attempt::Notes},
    domain::{
        delivery::Outcome,
        message::{Note, Noted},
        time::Timestamp,
    },
};

/// The notes of one delivery.
#[derive(Debug, Default)]
pub(super) struct Notebook {
    now: Mutex<Timestamp>,
    last: Mutex<Option<Noted>>,
    is_fresh: Mutex<bool>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Notebook {
    /// An attempt begins. Gives the last note of those before it.
    pub(super) fn begin(&self, now: Timestamp) -> Option<Noted> {
        *locked(&self.now) = now;
        *locked(&self.is_fresh) = false;
        locked(&self.last).clone()
    }

    /// The attempt that began last has ended so.
    pub(super) fn end(&self, outcome: Outcome) {
        let is_fresh = *locked(&self.is_fresh);
        if let Some(noted) = locked(&self.last).as_mut().filter(|_| is_fresh) {
            noted.came_to_nothing = matches!(outcome, Outcome::Retry | Outcome::Rejected);
        }
    }
}

impl Notes for Notebook {
    fn keep<'a>(&'a self, note: &'a Note) -> BoxFuture<'a, Result<(), Failure>> {
        *locked(&self.last) = Some(Noted {
            text: note.text.clone(),
            at: *locked(&self.now),
            came_to_nothing: false,
        });
        *locked(&self.is_fresh) = true;
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A log that is read afterwards.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// All of it.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&locked(&self.0)).into_owned()
    }

    /// What writes into it, whatever the level.
    pub(super) fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + 'static {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        locked(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
