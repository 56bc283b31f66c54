//! The course of an attempt, replayed from what it has exchanged so far: each call either has its answer among those, and
//! the course goes on, or it is the next request.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    RecipeAdapter, RecipeProblem, Scene,
    judge::{Answer, Condition, take_all},
    parts,
    pieces::with_pieces,
    write::Call,
};
use crate::{
    adapter::{
        Exchange, Failure, Login, Receipt, Request, Step, classify,
        course::{self, Course},
        transport::Address,
    },
    domain::{
        delivery::{Evidence, Reason},
        detail::Detail,
        message::Message,
        recipe::{Poll, StepWhen},
        time::Timestamp,
    },
};

/// Where a course ends for now.
pub(super) type Halt = course::Halt<Trouble>;

/// Why a course does not go on.
pub(super) enum Trouble {
    /// Something of the recipe could not be filled in.
    Problem(Box<RecipeProblem>),
    /// The login of an earlier attempt has ended, and nothing was done.
    Ended,
}

impl From<RecipeProblem> for Trouble {
    fn from(problem: RecipeProblem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<RecipeProblem> for Halt {
    fn from(problem: RecipeProblem) -> Self {
        Self::Problem(problem.into())
    }
}

/// How a call is made.
#[derive(Default)]
pub(super) struct Manner<'k> {
    /// The idempotency key, for calls with an effect.
    pub(super) key: Option<&'k str>,
    /// Where it goes, if that is known.
    pub(super) address: Option<&'k Address>,
    /// How long to wait before it.
    pub(super) wait: Duration,
    /// Whether nobody may see what is answered.
    pub(super) is_private: bool,
    /// Whose login it is, where others may use it.
    pub(super) login: Option<Login>,
}

impl Manner<'_> {
    /// Whether somebody may hear or see the call.
    pub(super) fn has_effect(&self) -> bool {
        self.key.is_some()
    }
}

impl RecipeAdapter {
    pub(super) fn replay(&self, message: &Message, done: &[Exchange], now: Timestamp) -> Step {
        self.replayed(message, done, now).0
    }

    /// What comes next, and whether the receiver says that the login has ended.
    pub(super) fn replayed(
        &self,
        message: &Message,
        done: &[Exchange],
        now: Timestamp,
    ) -> (Step, bool) {
        let mut sent = false;
        let mut done = Course::of(done);
        let mut scene = Scene::new(&self.recipe, &self.facts, Some(message)).at(now);
        let mut halt = self.course(message, &mut scene, &mut done, &mut sent);
        if matches!(halt, Err(Halt::Problem(Trouble::Ended))) {
            sent = false;
            scene = Scene::new(&self.recipe, &self.facts, Some(message))
                .at(now)
                .anew();
            halt = self.course(message, &mut scene, &mut done, &mut sent);
        }
        let step = match halt {
            // The call was made and answered; only the judging failed, so it may have happened.
            Err(Halt::Problem(Trouble::Problem(problem))) if sent => {
                let detail = problem.told(&self.secrets);
                Step::Failed(Failure::unknown(Reason::Defect, detail))
            }
            halt => self.step_at_halt(halt),
        };
        (step, scene.has_login_ended())
    }

    pub(super) fn step_at_halt(&self, halt: Result<Step, Halt>) -> Step {
        match halt {
            Ok(step) => step,
            Err(Halt::Call(request)) => Step::Call(*request),
            Err(Halt::Failed(failure)) => Step::Failed(failure),
            Err(Halt::Problem(Trouble::Problem(problem))) => self.unwritable(&problem),
            // A second course never ends so.
            Err(Halt::Problem(Trouble::Ended)) => {
                let detail = Detail::new("call-no-question");
                Step::Failed(Failure::retry(Reason::Unauthorised, detail))
            }
        }
    }

    pub(super) fn course(
        &self,
        message: &Message,
        scene: &mut Scene<'_>,
        done: &mut Course<'_>,
        sent: &mut bool,
    ) -> Result<Step, Halt> {
        let recipe = &*self.recipe;
        if let Some(failure) = self.refuses(scene)? {
            return Err(Halt::Failed(failure));
        }
        let (found, _) = self.open(message, scene, done)?;
        let (mut request, mut address) = (&recipe.request, self.address.as_ref());
        let mut is_update = false;
        if let (Some(find), Some(found)) = (&recipe.find, found) {
            let Some(update) = &find.update else {
                return Ok(Step::accepted(reference(found.get("receipt"))));
            };
            scene.know("found", Value::Object(found));
            (request, address, is_update) = (update, None, true);
        }
        self.steps(StepWhen::Send, scene, done)?;
        let rest = if is_update {
            StepWhen::Update
        } else {
            StepWhen::Create
        };
        self.steps(rest, scene, done)?;
        let manner = Manner {
            key: Some(message.delivery.as_str()),
            address,
            ..Manner::default()
        };
        let counts = || if is_update { "find.update" } else { "request" };
        let called = self.sent(request, scene, done, &manner, &[]);
        let (exchange, _) = self.named(called, || counts().to_owned())?;
        *sent = true;
        let receipt = match self.judge(exchange, scene)? {
            Ok(receipt) => receipt,
            Err(failure) => {
                let failure = self.at(failure, counts());
                return Err(self.failed(request, exchange, failure, scene));
            }
        };
        let confirm = recipe.confirm.as_ref();
        let Some(confirm) = confirm.filter(|confirm| confirm.is_at_once()) else {
            return Ok(Step::Accepted(receipt));
        };
        scene.know_receipt(receipt.reference.as_deref());
        match self.confirmed(confirm, scene, done) {
            Err(Halt::Call(request)) => Err(Halt::Call(request)),
            // Whatever goes wrong with the question, it was accepted.
            Err(Halt::Failed(_) | Halt::Problem(_)) => Ok(Step::Accepted(receipt)),
            Ok(Ok(evidence)) => Ok(Step::Accepted(Receipt {
                evidence,
                ..receipt
            })),
            Ok(Err(failure)) => Ok(Step::Failed(self.at(failure, "confirm"))),
        }
    }

    /// A failure with the name of the call that it is of, where there are others that it could be of.
    fn at(&self, failure: Failure, call: &str) -> Failure {
        let recipe = &self.recipe;
        let is_alone = recipe.steps.is_empty() && recipe.find.is_none() && recipe.confirm.is_none();
        if is_alone { failure } else { failure.at(call) }
    }

    /// What came of a call, a failure with its name.
    pub(super) fn named<T>(
        &self,
        result: Result<T, Halt>,
        call: impl FnOnce() -> String,
    ) -> Result<T, Halt> {
        result.map_err(|halt| match halt {
            Halt::Failed(failure) => Halt::Failed(self.at(failure, &call())),
            other => other,
        })
    }

    /// What comes next of the question whether the channel is alive, and whether the receiver says that the login has ended.
    pub(super) fn replayed_probe(
        &self,
        probe: &parts::Pulse,
        done: &[Exchange],
        now: Timestamp,
    ) -> (Step, bool) {
        let mut done = Course::of(done);
        let mut scene = Scene::new(&self.recipe, &self.facts, None).at(now);
        let mut halt = self.probed(probe, &mut scene, &mut done);
        if matches!(halt, Err(Halt::Problem(Trouble::Ended))) {
            scene = Scene::new(&self.recipe, &self.facts, None).at(now).anew();
            halt = self.probed(probe, &mut scene, &mut done);
        }
        (self.step_at_halt(halt), scene.has_login_ended())
    }

    pub(super) fn probed(
        &self,
        probe: &parts::Pulse,
        scene: &mut Scene<'_>,
        done: &mut Course<'_>,
    ) -> Result<Step, Halt> {
        self.steps(StepWhen::Always, scene, done)?;
        let exchange = self.call(&probe.call, scene, done, &Manner::default())?;
        let is_alone = self.recipe.steps.is_empty();
        let at = |failure: Failure| {
            if is_alone {
                failure
            } else {
                failure.at("probe")
            }
        };
        let Ok(response) = &exchange.result else {
            return Ok(Step::Failed(at(classify(exchange).without_effect())));
        };
        let answer = Answer::new(response);
        let Some(mismatch) = probe.healthy.mismatch(&answer, scene)? else {
            return Ok(Step::accepted(None));
        };
        if let Some(remark) = self.remark(&answer, scene) {
            return Ok(Step::Failed(at(remark.without_effect())));
        }
        let detail = String::from(mismatch);
        let failure = match classify(exchange).without_effect() {
            Failure::Retry { after, reason, .. } => Failure::Retry {
                after,
                reason,
                detail,
            },
            other => Failure::reject(other.reason(), detail),
        };
        Err(self.failed(&probe.call, exchange, at(failure), scene))
    }

    /// The exchange of one call, with the answers to challenges in between.
    pub(super) fn call<'d>(
        &self,
        call: &Call,
        scene: &Scene<'_>,
        done: &mut Course<'d>,
        manner: &Manner<'_>,
    ) -> Result<&'d Exchange, Halt> {
        let auth = self.recipe.auth.as_ref().filter(|_| call.is_known());
        let request = |past: &[Exchange]| -> Result<Request, RecipeProblem> {
            let mut request = call.write(scene, past.len(), manner.key, manner.address)?;
            request.wait = manner.wait;
            request.hidden.answer = manner.is_private;
            request.login.clone_from(&manner.login);
            if let Some(auth) = auth {
                auth.go_ahead(&mut request, past, scene)?;
            }
            Ok(request)
        };
        let answer = |past: &[Exchange], turn| match auth {
            Some(auth) => auth.answer(past, scene, turn).map_err(Trouble::from),
            None => Ok(None),
        };
        done.exchange(|past| request(past).map_err(Trouble::from), answer)
    }

    pub(super) fn steps(
        &self,
        when: StepWhen,
        scene: &mut Scene<'_>,
        done: &mut Course<'_>,
    ) -> Result<(), Halt> {
        for step in self.recipe.steps_of(when, scene.message()) {
            let name = || format!("steps.{}", step.name);
            let sought = self.sought(step, scene, done);
            let found = self.named(sought, || format!("{}.find", name()))?;
            let taken = match found {
                Some(found) => found,
                None => self.named(self.step_of(step, scene, done), name)?,
            };
            scene.know_step(&step.name, taken);
        }
        Ok(())
    }

    /// What a step would give that is done already.
    pub(super) fn sought(
        &self,
        step: &parts::Step,
        scene: &Scene<'_>,
        done: &mut Course<'_>,
    ) -> Result<Option<Map<String, Value>>, Halt> {
        let find = step.find.as_ref();
        find.map_or(Ok(None), |find| self.find(find, scene, done))
    }

    pub(super) fn step_of(
        &self,
        step: &parts::Step,
        scene: &Scene<'_>,
        done: &mut Course<'_>,
    ) -> Result<Map<String, Value>, Halt> {
        let is_private = !step.take.is_empty() && !self.recipe.is_open(&step.name);
        let mut turns = Turns::of(step.poll);
        let login = self.login(step);
        loop {
            let manner = Manner {
                wait: turns.wait(),
                is_private,
                login: login.clone(),
                ..Manner::default()
            };
            let (exchange, pieces) = self.sent(&step.call, scene, done, &manner, &step.errors)?;
            if exchange
                .request
                .login
                .as_ref()
                .is_some_and(|login| login.is_remembered)
            {
                scene.remember_login();
            }
            let failed = |failure: Failure| {
                if login.is_some() {
                    scene.end_login();
                }
                self.failed(&step.call, exchange, failure, scene)
            };
            let Ok(response) = &exchange.result else {
                return Err(Halt::Failed(classify(exchange).of_step()));
            };
            let answer = Answer::new(response);
            let Some(mismatch) = step.accepted.mismatch(&answer, scene)? else {
                if let Some(failure) =
                    self.overruled(&step.accepted, &answer, scene, &step.errors)?
                {
                    return Err(failed(failure.without_effect()));
                }
                let taken = take_all(&step.take, &answer);
                let taken = taken.map(|taken| with_pieces(taken, &step.call, pieces));
                return taken.map_err(|place| {
                    let detail = Detail::new("call-step-no-field")
                        .with("step", &step.name)
                        .with("pointer", place);
                    // Nothing was done yet: what is missing may be there next time.
                    failed(Failure::retry(Reason::Unexpected, detail))
                });
            };
            let is_open = self.is_open(&answer, scene, &step.errors)?;
            if is_open && turns.again() {
                continue;
            }
            if is_open && step.poll.is_some() {
                let detail = Detail::new("call-step-open").with("step", &step.name);
                return Err(Halt::Failed(Failure::retry(Reason::Busy, detail)));
            }
            let failure = self.refused(exchange, &answer, scene, &step.errors, mismatch)?;
            return Err(failed(failure.without_effect()));
        }
    }

    /// Whether an answer says neither yes nor no: a success that no rule of `errors` names.
    fn is_open(
        &self,
        answer: &Answer<'_>,
        scene: &Scene<'_>,
        own: &[parts::Rule],
    ) -> Result<bool, RecipeProblem> {
        if !answer.response.is_success() {
            return Ok(false);
        }
        // A probe has no message that the rules could speak of.
        if scene.message().is_none() {
            return Ok(true);
        }
        for rule in own.iter().chain(&self.recipe.errors) {
            if rule.when.holds(answer, scene)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn judge(
        &self,
        exchange: &Exchange,
        scene: &Scene<'_>,
    ) -> Result<Result<Receipt, Failure>, RecipeProblem> {
        let Ok(response) = &exchange.result else {
            return Ok(Err(classify(exchange)));
        };
        let answer = Answer::new(response);
        let accepted = &self.recipe.accepted;
        let Some(mismatch) = accepted.mismatch(&answer, scene)? else {
            if let Some(failure) = self.overruled(accepted, &answer, scene, &[])? {
                return Ok(Err(failure));
            }
            let receipt = self.recipe.receipt.as_ref();
            return Ok(Ok(Receipt {
                reference: reference(receipt.and_then(|take| take.from(&answer)).as_ref()),
                evidence: Evidence::Accepted,
                remark: None,
                is_offer: false,
            }));
        };
        self.refused(exchange, &answer, scene, &[], mismatch)
            .map(Err)
    }

    /// Asks whether what was accepted was done: what is known of it then, or that it was not.
    pub(super) fn confirmed(
        &self,
        confirm: &parts::Confirmation,
        scene: &Scene<'_>,
        done: &mut Course<'_>,
    ) -> Result<Result<Evidence, Failure>, Halt> {
        let mut turns = Turns::of(confirm.poll);
        loop {
            let manner = Manner {
                wait: turns.wait(),
                ..Manner::default()
            };
            let exchange = self.call(&confirm.call, scene, done, &manner)?;
            self.notice_end(&confirm.call, exchange, scene);
            let Ok(response) = &exchange.result else {
                return Ok(Ok(Evidence::Accepted));
            };
            let answer = Answer::new(response);
            let says = |condition: &Condition| condition.holds(&answer, scene);
            if says(&confirm.confirmed)? {
                return Ok(Ok(Evidence::Device));
            }
            if confirm.refuted.as_ref().map(says).transpose()? == Some(true) {
                let detail = Detail::new("call-refuted").with("status", response.status);
                return Ok(Err(Failure::reject(Reason::Unexpected, detail)));
            }
            if !turns.again() {
                return Ok(Ok(Evidence::Accepted));
            }
        }
    }
}

/// How often something was asked.
struct Turns {
    poll: Option<Poll>,
    asked: u16,
}

impl Turns {
    fn of(poll: Option<Poll>) -> Self {
        Self { poll, asked: 0 }
    }

    /// How long to wait before the question.
    fn wait(&self) -> Duration {
        match self.poll {
            Some(poll) if self.asked > 0 => poll.every,
            _ => Duration::ZERO,
        }
    }

    /// Whether to ask once more.
    fn again(&mut self) -> bool {
        self.asked += 1;
        self.poll.is_some_and(|poll| self.asked < poll.most)
    }
}

/// A receiver's own reference as evidence: only a text or a number. Whoever keeps it cuts it, after what is secret is out of it. An empty
/// one names nothing.
fn reference(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => (!text.trim().is_empty()).then(|| text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
