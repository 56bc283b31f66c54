//! What an attempt begins with: telling the device to stop, logging in, and asking what is there already.

use serde_json::{Map, Value};

use super::{
    RecipeAdapter, Scene, parts,
    replay::{Halt, Manner},
};
use crate::{
    adapter::{Exchange, Response, course::Course},
    domain::{message::Message, recipe::StepWhen},
};

/// What is there already, and what came of telling the device to stop.
type Opened<'d> = (Option<Map<String, Value>>, Stopped<'d>);

/// What came of telling the device to stop.
pub(super) enum Stopped<'d> {
    /// It was not to be told.
    NotDue,
    /// What it is to stop could not be named, or the call not be written for another reason.
    NotMade,
    /// It was told.
    Told(&'d Exchange),
}

impl Stopped<'_> {
    /// Whether it took it; `None` where it was not to be told.
    fn good(&self) -> Option<bool> {
        match self {
            Self::NotDue => None,
            Self::NotMade => Some(false),
            Self::Told(exchange) => {
                let answer = exchange.result.as_ref();
                Some(answer.is_ok_and(Response::is_success))
            }
        }
    }
}

impl RecipeAdapter {
    /// What came of telling the device to stop; `None` where it was not told.
    pub(super) fn replay_stop(&self, message: &Message, done: &[Exchange]) -> Option<bool> {
        // What was told in a second course, in which the login was good, is what counts.
        let (scene, mut course) = self.last_course(Some(message), done);
        let again = scene
            .is_anew()
            .then(|| self.stopped_in(message, scene, &mut course));
        let first = || {
            let scene = Scene::new(&self.recipe, &self.facts, Some(message));
            self.stopped_in(message, scene, &mut Course::of(done))
        };
        again.flatten().or_else(first)
    }

    /// Whether the device took it in a course to be told to stop; `None` where it was not told, or is still to be.
    fn stopped_in(
        &self,
        message: &Message,
        mut scene: Scene<'_>,
        course: &mut Course<'_>,
    ) -> Option<bool> {
        // What comes after it is not waited for.
        let stopped = match self.asks(message) {
            None => {
                if self.recipe.stops_by_a_login {
                    self.steps(StepWhen::Always, &mut scene, course).ok()?;
                }
                self.stop(message, &scene, course).ok()?
            }
            Some(_) => self.open(message, &mut scene, course).ok()?.1,
        };
        stopped.good()
    }

    pub(super) fn stop<'d>(
        &self,
        message: &Message,
        scene: &Scene<'_>,
        done: &mut Course<'d>,
    ) -> Result<Stopped<'d>, Halt> {
        match &self.recipe.stop {
            // In a second course nothing of ours began to play since. But who needs a login for it may have had an old one, and who asks
            // first may not have come to it.
            Some(stop)
                if message.preempts
                    && (!scene.is_anew()
                        || self.recipe.stops_by_a_login
                        || self.asks(message).is_some()) =>
            {
                let scene = scene.and("playing", playing(message));
                match self.call(stop, &scene, done, &Manner::default()) {
                    Ok(exchange) => Ok(Stopped::Told(exchange)),
                    // Without the name of what plays it could stop something else; the emergency is sent all the same.
                    Err(Halt::Problem(_)) => Ok(Stopped::NotMade),
                    Err(halt) => Err(halt),
                }
            }
            _ => Ok(Stopped::NotDue),
        }
    }

    /// What an attempt begins with: what is there already, and what came of telling the device to stop. Whatever it makes of that, the
    /// emergency is sent: to be heard late is better than not to be heard. Where it may be playing already, that is asked first, and what is
    /// there is not told to stop.
    pub(super) fn open<'d>(
        &self,
        message: &Message,
        scene: &mut Scene<'_>,
        done: &mut Course<'d>,
    ) -> Result<Opened<'d>, Halt> {
        let Some(find) = self.asks(message) else {
            let by_a_login = self.recipe.stops_by_a_login;
            let mut stopped = Stopped::NotDue;
            if !by_a_login {
                stopped = self.stop(message, scene, done)?;
            }
            self.steps(StepWhen::Always, scene, done)?;
            if by_a_login {
                stopped = self.stop(message, scene, done)?;
            }
            return Ok((None, stopped));
        };
        self.steps(StepWhen::Always, scene, done)?;
        let found = self.named(self.find(find, scene, done), || "find".to_owned())?;
        Ok(match found {
            Some(found) => (Some(found), Stopped::NotDue),
            None => (None, self.stop(message, scene, done)?),
        })
    }

    /// The question that this attempt begins with, if it does.
    pub(super) fn asks(&self, message: &Message) -> Option<&parts::Question> {
        let find = self.recipe.find.as_ref();
        find.filter(|find| find.always || message.attempt > 1)
    }
}

/// `playing`: what the device is to stop. It has no `receipt` where the device gave none, so that nothing goes out with a gap in its place.
fn playing(message: &Message) -> Value {
    let Some(playing) = &message.kept.playing else {
        return Value::Null;
    };
    let mut known = serde_json::json!({ "delivery": playing.delivery.as_str() });
    let receipt = playing.receipt.as_deref();
    if let Some(receipt) = receipt.filter(|receipt| !receipt.trim().is_empty()) {
        known["receipt"] = receipt.into();
    }
    known
}
