//! What logins gave, held in memory for as long as it is good: receivers that limit logins or sessions would otherwise refuse whoever
//! sends to many at once.
//!
//! - One login at a time: whoever wants the same waits for the one that is being made, and uses what it gives.
//! - Nobody keeps the others waiting while the host's pace lets no call go: an emergency, which need not wait for that, would wait with them.
//! - What was used and found to have ended is not used again. Who asks a second time in one attempt says so by that.
//! - Nothing of it is written down, and `Debug` shows none of it.

use std::{
    collections::HashMap,
    fmt,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex as Turns, OwnedMutexGuard as Turn},
    time::Instant,
};

use super::in_time::in_time;
use crate::{
    adapter::{Login, Response},
    domain::time::Timestamp,
};

/// The logins of a process.
#[derive(Default)]
pub struct Logins {
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    /// How many were made.
    made: AtomicU64,
}

#[derive(Default)]
struct Slot {
    /// Whoever has this makes the login.
    turns: Arc<Turns<()>>,
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    number: u64,
    answer: Response,
    until: Timestamp,
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}

/// A thread that panics with one of these leaves it whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slot {
    fn good(&self, now: Timestamp) -> Option<Known> {
        locked(&self.known)
            .clone()
            .filter(|known| now < known.until)
    }

    fn forget(&self, number: u64) {
        let mut known = locked(&self.known);
        if known.as_ref().is_some_and(|known| known.number == number) {
            *known = None;
        }
    }
}

impl Logins {
    fn slot(&self, key: &str, now: Timestamp) -> Arc<Slot> {
        let mut slots = locked(&self.slots);
        if let Some(slot) = slots.get(key) {
            return Arc::clone(slot);
        }
        // Passwords and recipes change, and nobody asks for what was before.
        slots.retain(|_, slot| Arc::strong_count(slot) > 1 || slot.good(now).is_some());
        Arc::clone(slots.entry(key.to_owned()).or_default())
    }
}

/// The logins that one attempt uses.
pub(in crate::adapter) struct InUse<'l> {
    logins: &'l Logins,
    /// Which are in use: their slots by their keys.
    used: HashMap<String, (Arc<Slot>, u64)>,
    /// The one that this attempt is making, so that nobody else does.
    making: Option<(String, Arc<Slot>, Turn<()>)>,
}

/// What there is of a login.
pub(in crate::adapter) enum Given {
    /// This answer.
    Remembered(Response),
    /// Nothing: it has to be made, and all others wait for it.
    Nothing,
    /// Somebody else was making it for too long.
    Late,
}

impl<'l> InUse<'l> {
    pub(in crate::adapter) fn of(logins: &'l Logins) -> Self {
        Self {
            logins,
            used: HashMap::new(),
            making: None,
        }
    }

    /// The answer that is good at the moment, and whether this waited for somebody who was making it. What was given before in this
    /// attempt is not.
    pub(in crate::adapter) async fn ask(
        &mut self,
        login: &Login,
        clock_now: impl Fn() -> Timestamp,
        deadline: Instant,
    ) -> (Given, bool) {
        let key = &login.key;
        if self.making.as_ref().is_some_and(|making| making.0 == *key) {
            return (Given::Nothing, false);
        }
        self.making = None;
        if let Some((slot, number)) = self.used.remove(key) {
            slot.forget(number);
        }
        let slot = self.logins.slot(key, clock_now());
        if let Some(known) = slot.good(clock_now()) {
            return (self.remembered(key, slot, known), false);
        }
        let free = Arc::clone(&slot.turns).try_lock_owned().ok();
        let waited = free.is_none();
        let turn = match free {
            Some(turn) => Some(turn),
            None => in_time(deadline, pin!(Arc::clone(&slot.turns).lock_owned())).await,
        };
        let Some(turn) = turn else {
            return (Given::Late, waited);
        };
        // Whoever had the turn before may have made it.
        if let Some(known) = slot.good(clock_now()) {
            return (self.remembered(key, slot, known), waited);
        }
        self.making = Some((key.clone(), slot, turn));
        (Given::Nothing, waited)
    }

    fn remembered(&mut self, key: &str, slot: Arc<Slot>, known: Known) -> Given {
        self.used.insert(key.to_owned(), (slot, known.number));
        Given::Remembered(known.answer)
    }

    /// The login that this attempt makes has this answer, which is good for `lasts`, or no good one yet.
    pub(in crate::adapter) fn made(
        &mut self,
        answer: &Response,
        lasts: Option<Duration>,
        now: Timestamp,
    ) {
        let Some(lasts) = lasts else { return };
        let Some((key, slot, turn)) = self.making.take() else {
            return;
        };
        let number = self.logins.made.fetch_add(1, Ordering::Relaxed);
        *locked(&slot.known) = Some(Known {
            number,
            answer: answer.clone(),
            until: now + lasts,
        });
        self.used.insert(key, (slot, number));
        drop(turn);
    }

    /// This attempt does not go on with the login that it was making, or not at once: whoever wants it may.
    pub(in crate::adapter) fn pass(&mut self) {
        self.making = None;
    }

    /// Whether any is in use.
    pub(in crate::adapter) fn is_any(&self) -> bool {
        !self.used.is_empty()
    }

    /// Nobody uses again what this attempt used: the receiver says that it has ended.
    pub(in crate::adapter) fn forget(&self) {
        for (slot, number) in self.used.values() {
            slot.forget(*number);
        }
    }
}
