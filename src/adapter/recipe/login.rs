//! What goes beyond one attempt: logins that several share (`valid_for`), and the question that is asked afterwards (`later`).

use std::time::Duration;

use super::{
    RecipeAdapter, RecipeProblem, Scene,
    judge::{Answer, take_all},
    parts,
    replay::{Halt, Trouble},
    specimen::{lacks_receipt, sample_of},
    write::Call,
};
use crate::{
    adapter::{Exchange, Failure, Login, Step, course::Course},
    domain::{
        delivery::{Evidence, Reason},
        detail::Detail,
        message::Message,
        recipe::StepWhen,
        time::Timestamp,
    },
};

impl RecipeAdapter {
    /// Whose login it is: of this channel by this recipe with these parameters.
    pub(super) fn login(&self, step: &parts::Step) -> Option<Login> {
        step.valid_for.as_ref()?;
        let mut key = blake3::Hasher::new();
        key.update(self.recipe.print?.as_bytes());
        let facts = &self.facts;
        let with = facts.with.iter();
        let texts = with.flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        for text in [facts.id.as_str(), &step.name].into_iter().chain(texts) {
            key.update(&text.len().to_le_bytes())
                .update(text.as_bytes());
        }
        Some(Login {
            key: key.finalize().to_hex().to_string(),
            is_remembered: false,
        })
    }

    /// How long the answer of `exchange` may be used in place of that login.
    pub(super) fn login_lasts(
        &self,
        message: Option<&Message>,
        exchange: &Exchange,
    ) -> Option<Duration> {
        let key = exchange.request.login.as_ref()?.key.as_str();
        let mut steps = self.recipe.steps.iter();
        let step = steps.find(|step| self.login(step).is_some_and(|login| login.key == key))?;
        let answer = Answer::new(exchange.result.as_ref().ok()?);
        let scene = Scene::new(&self.recipe, &self.facts, message);
        let lasts = || -> Result<bool, RecipeProblem> {
            Ok(step.accepted.holds(&answer, &scene)?
                && self
                    .overruled(&step.accepted, &answer, &scene, &step.errors)?
                    .is_none()
                && take_all(&step.take, &answer).is_ok())
        };
        let is_good = lasts().ok()?;
        let lasts = step.valid_for.as_ref()?.of(&answer);
        lasts.filter(|lasts| is_good && !lasts.is_zero())
    }

    /// Whether the receiver says in the last course of these exchanges that the login has ended.
    pub(super) fn has_login_ended(&self, message: Option<&Message>, done: &[Exchange]) -> bool {
        let now = Timestamp::default();
        match (message, &self.recipe.probe) {
            (Some(message), _) => self.replayed(message, done, now).1,
            (None, Some(probe)) => self.replayed_probe(probe, done, now).1,
            (None, None) => false,
        }
    }

    /// Asks whether what was taken with `receipt` was done, when its attempt is long over; `None` where the question cannot be asked.
    pub(super) fn asked_later(
        &self,
        message: &Message,
        receipt: Option<&str>,
        done: &[Exchange],
        now: Timestamp,
    ) -> Option<Step> {
        let confirm = self.recipe.confirm.as_ref()?;
        confirm.later?;
        if receipt.is_none_or(|receipt| receipt.trim().is_empty()) && self.asks_by_receipt(message)
        {
            return None;
        }
        let mut scene = Scene::new(&self.recipe, &self.facts, Some(message)).at(now);
        let mut done = Course::of(done);
        let halt = match self.steps(StepWhen::Always, &mut scene, &mut done) {
            Ok(()) => {
                scene.know_receipt(receipt);
                self.confirmed(confirm, &scene, &mut done)
            }
            Err(halt) => Err(halt),
        };
        Some(self.step_at_halt(halt.map(|said| match said {
            Ok(Evidence::Device) => Step::accepted(None),
            Ok(_) => {
                let detail = Detail::new("call-not-yet");
                Step::Failed(Failure::retry(Reason::Unanswered, detail))
            }
            Err(failure) => Step::Failed(Failure::reject(Reason::NotPlayed, failure.detail())),
        })))
    }

    /// Whether the question of `confirm` cannot be written without a receipt. Looked at before a login is made for it.
    fn asks_by_receipt(&self, message: &Message) -> bool {
        let mut scene = Scene::new(&self.recipe, &self.facts, Some(message));
        for step in self.recipe.steps_of(StepWhen::Always, Some(message)) {
            scene.know_step(&step.name, sample_of(&step.take));
        }
        let mut needs = false;
        let confirm = self.recipe.confirm.iter();
        confirm.for_each(|confirm| {
            let call = &confirm.call;
            call.each(&scene, &mut |problem| needs |= lacks_receipt(&problem));
        });
        needs
    }

    /// Where a course ends at whose `call` this failure came up. A login of an earlier attempt that has ended is made anew, once, and the
    /// course gone again: a call that is refused for that did nothing.
    pub(super) fn failed(
        &self,
        call: &Call,
        exchange: &Exchange,
        failure: Failure,
        scene: &Scene<'_>,
    ) -> Halt {
        self.notice_end(call, exchange, scene);
        if !scene.has_login_ended() || !scene.is_login_remembered() {
            return Halt::Failed(failure);
        }
        if !scene.is_anew() {
            return Halt::Problem(Trouble::Ended);
        }
        // Somebody else's, and ended again: the next attempt makes its own.
        Halt::Failed(match failure {
            Failure::Reject { detail, .. } => Failure::retry(Reason::Unauthorised, detail),
            other => other,
        })
    }

    /// Notices where an answer says by its status that the login has ended: 401 means that nothing was done for want of a good one
    /// (RFC 9110, section 15.5.2). What is called without a login says nothing of it.
    pub(super) fn notice_end(&self, call: &Call, exchange: &Exchange, scene: &Scene<'_>) {
        let status = exchange.result.as_ref().map_or(0, |answer| answer.status);
        if status == 401 && self.recipe.print.is_some() && !call.is_anonymous() {
            scene.end_login();
        }
    }
}
