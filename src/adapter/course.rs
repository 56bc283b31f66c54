//! Walking through an attempt's exchanges once more on every step: each call either has its answer among them, or it is
//! the next request.

use std::convert::Infallible;

use super::{
    Exchange, Failure, Request, Step,
    digest::{self, Caller},
};

/// The exchanges of an attempt, and how far the walk has come in them.
pub(super) struct Course<'d> {
    all: &'d [Exchange],
    at: usize,
}

/// Where a walk ends for now. `P` is what may keep a call from being written.
pub(super) enum Halt<P = Infallible> {
    /// A call has no answer yet.
    Call(Box<Request>),
    /// A call before the one that counts failed.
    Failed(Failure),
    /// A call could not be written.
    Problem(P),
}

impl From<Halt> for Step {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Call(request) => Self::Call(*request),
            Halt::Failed(failure) => Self::Failed(failure),
            Halt::Problem(never) => match never {},
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
    fn past(&self) -> &'d [Exchange] {
        &self.all[..self.at]
    }

    /// The exchange of a call that nobody challenges.
    pub(super) fn plain(
        &mut self,
        request: impl FnOnce() -> Request,
    ) -> Result<&'d Exchange, Halt> {
        self.next().ok_or_else(|| Halt::Call(Box::new(request())))
    }

    /// The exchange of a call of somebody who proves by digest who calls, with the answers to challenges in between.
    pub(super) fn call(
        &mut self,
        caller: Caller<'_>,
        request: impl FnOnce() -> Request,
    ) -> Result<&'d Exchange, Halt> {
        let request = |past: &[Exchange]| {
            let mut request = request();
            caller.go_ahead(&mut request, past);
            Ok(request)
        };
        self.exchange(request, |past, turn| Ok(caller.answer(past, turn)))
    }

    /// The exchange of a call that `request` writes, and `answer` again with an answer to its challenge, for each turn from 1. Both
    /// are given what came before.
    pub(super) fn exchange<P>(
        &mut self,
        request: impl FnOnce(&[Exchange]) -> Result<Request, P>,
        answer: impl Fn(&[Exchange], usize) -> Result<Option<Request>, P>,
    ) -> Result<&'d Exchange, Halt<P>> {
        let past = self.past();
        let Some(mut exchange) = self.next() else {
            let request = request(past).map_err(Halt::Problem)?;
            return Err(Halt::Call(Box::new(request)));
        };
        for turn in 1..=digest::TURNS {
            let Some(answer) = answer(self.past(), turn).map_err(Halt::Problem)? else {
                break;
            };
            exchange = self.next().ok_or_else(|| Halt::Call(Box::new(answer)))?;
        }
        Ok(exchange)
    }
}
