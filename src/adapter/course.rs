//! Walking through an attempt's exchanges once more on every step: each call either has its answer among them, or it is
//! the next request.

use super::{
    Exchange, Failure, Request, Step,
    digest::{self, Caller},
};

/// The exchanges of an attempt, and how far the walk has come in them.
pub(super) struct Course<'d> {
    all: &'d [Exchange],
    at: usize,
}

/// Where a walk ends for now.
pub(super) enum Halt {
    /// A call has no answer yet.
    Call(Box<Request>),
    /// A call before the one that counts failed.
    Failed(Failure),
}

impl From<Halt> for Step {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Call(request) => Self::Call(*request),
            Halt::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl<'d> Course<'d> {
    pub(super) fn of(all: &'d [Exchange]) -> Self {
        Self { all, at: 0 }
    }

    /// The next exchange, if it was made.
    pub(super) fn next(&mut self) -> Option<&'d Exchange> {
        let next = self.all.get(self.at)?;
        self.at += 1;
        Some(next)
    }

    /// Those that the walk has come to.
    pub(super) fn past(&self) -> &'d [Exchange] {
        &self.all[..self.at]
    }

    /// The exchange of a call of somebody who proves by digest who calls, with the answers to challenges in between.
    pub(super) fn call(
        &mut self,
        caller: Caller<'_>,
        request: impl FnOnce() -> Request,
    ) -> Result<&'d Exchange, Halt> {
        let past = self.past();
        let mut exchange = self.next().ok_or_else(|| {
            let mut request = request();
            caller.go_ahead(&mut request, past);
            Halt::Call(Box::new(request))
        })?;
        for turn in 1..=digest::TURNS {
            let Some(answer) = caller.answer(self.past(), turn) else {
                break;
            };
            exchange = self.next().ok_or_else(|| Halt::Call(Box::new(answer)))?;
        }
        Ok(exchange)
    }
}
