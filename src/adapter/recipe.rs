//! Recipes made to act: a [recipe](crate::domain::recipe::Recipe)'s templates are read once and shared by all its channels; each channel's adapter
//! adds its own parameters.
//!
//! Rules that are not in the recipe's own description (`domain::recipe`):
//! - Where a condition names no status, it means every success; in `errors`, every status.
//! - An answer that fits a line of `errors` is not what was hoped for, unless that line means the rest (`rank`).
//! - `errors` also judge the answers to steps and to `find`. Asking has no effect, so doubt about the question itself becomes another
//!   attempt.
//! - What is neither accepted nor named by `errors` means what [`classify`] says. A success that is
//!   not as expected is rejected: an answer came, and repeating could double what was done. A person looks at it.
//! - `found.receipt`, where `take` names it, is the receipt of something that was already there.
//! - Where there is no receipt, its name is not there either, and a question or a `stop` that needs it is not made.
//! - `value` is worked out from the channel, the message and its sound alone, so it cannot use `steps` or `found`; `probe` sees `channel`,
//!   `with`, the steps that are always made, and of `value` what is made without a message.
//! - `stop` comes before everything else where the message preempts; what is answered to it does not matter.
//! - A step must not be heard or seen by anybody. So its doubt becomes another attempt, in which all steps are made again.
//! - A login of an earlier attempt that has ended (401, or a line with `renew`) begins the course anew, once in an attempt.
//! - A piece of a file that gets no answer is what the whole call without one would be.
//! - `poll` of a step asks again after a success that is neither done nor named by `errors`; that of `confirm` after any answer that is
//!   neither yes nor no. Neither asks again after an answer that is lost.
//! - `confirm` never makes things worse: without a clear answer what was accepted stays accepted.
//! - Every call with an effect carries the delivery's id as `Idempotency-Key`, unless the recipe sets that header.
//!
#![doc = include_str!("recipe/LANGUAGE.md")]

mod auth;
mod compile;
mod hope;
mod judge;
mod limits;
mod links;
mod login;
mod marks;
mod moment;
mod names;
mod open;
mod paging;
mod parts;
mod pieces;
mod rank;
mod replay;
mod scene;
mod sound;
mod specimen;
mod text;
mod values;
mod write;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub use compile::{CompiledRecipe, SECRET};
use judge::{Answer, Condition};
pub use limits::TooLong;
use parts::Rule;
use scene::Scene;
use serde_json::{Map, Value};

use super::{
    Adapter, Exchange, Failure, Hoped, Hopes, Patience, Request, Step, classify, redact,
    transport::Address,
};
use crate::{
    domain::{
        bulletin::Format,
        channel::Channel,
        delivery::Reason,
        detail::Detail,
        message::Message,
        recipe::{MOST_PIECES, Verdict},
        secret::Secret,
        time::Timestamp,
    },
    template::{Context, TemplateError},
};

/// The most letters of a receiver's own words that are kept.
const LONGEST_WORDS: usize = 300;

/// What is wrong in a recipe, or with a channel's parameters for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {kind}")]
pub struct RecipeProblem {
    /// Where: the keys of the recipe's file that lead there, joined by dots, with numbers in brackets for items of
    /// lists: `request.body.json.text`, `errors[0].json./code`, `find.take.id`.
    pub path: String,
    /// What.
    pub kind: RecipeProblemKind,
}

/// Sorts of problems.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipeProblemKind {
    /// A mistake in a template; its position is within the text at the path.
    #[error("{0}")]
    Template(Box<TemplateError>),
    /// Not a method that recipes know.
    #[error("`{0}` is not GET, POST, PUT, PATCH or DELETE")]
    Method(String),
    /// Not a JSON pointer.
    #[error("`{0}` is not a JSON pointer, which is empty or begins with a slash")]
    Pointer(String),
    /// A `$` key that is not alone in its map, or that does not exist, or a `$number` or `$parse` that is not a text.
    #[error(
        "`{0}` is not a form of $json, $base64, $number, $parse, $audio or $picture, each alone in its map"
    )]
    Dollar(String),
    /// A header that cannot be set here.
    #[error("`{0}` cannot be the name of a header here")]
    HeaderName(String),
    /// A header value with control characters.
    #[error("a header's value cannot hold control characters")]
    HeaderValue,
    /// Not a regular expression.
    #[error("`{0}` is not a regular expression")]
    Pattern(String),
    /// A regular expression of which nothing is sure to be taken.
    #[error("`{0}` has no group in round brackets that takes part in every match")]
    NoGroup(String),
    /// What is no name of a header.
    #[error("`{0}` is no name that a header can have")]
    NoHeader(String),
    /// Not an address.
    #[error("this does not give an address that begins with http:// or https://")]
    Address,
    /// An address with a blank or a control character in it.
    #[error("this gives an address with a blank in it")]
    Blank,
    /// A `$number` whose text is no number.
    #[error("this does not give a number")]
    NotANumber,
    /// A `$parse` whose text is no JSON.
    #[error("this does not give JSON")]
    NotJson,
    /// The body is sound, and the message has none.
    #[error("the message has no sound; the channel has to say `audio`")]
    NoAudio,
    /// The body is a picture, and the message has none.
    #[error("the message has no picture")]
    NoPicture,
    /// What a step gives has other names where it is found than where it is made.
    #[error("the step gives other names where it is found")]
    Takes,
    /// What is to go out in pieces has no file in it, or is a question.
    #[error(
        "`pieces` belongs to the `request` of a step, to `request` or to `update`, with one file in its body"
    )]
    Pieces,
    /// A file is too large for its pieces.
    #[error("a file of {0} bytes has too many pieces")]
    TooManyPieces(usize),
    /// What is kept is no login.
    #[error("`valid_for` belongs to a step with `when: always` that asks once")]
    Keeps,
    /// A login is to be made anew, and none is kept.
    #[error("`renew` belongs to a recipe with a step that has `valid_for`")]
    Renews,
    /// A limit of what is no text of a message.
    #[error("`limits` measures message.text, .spoken, .title, .summary, .html, and values")]
    Limits,
    /// A wait where nothing is tried again.
    #[error("`after` belongs to a line with `then: retry`")]
    Waits,
    /// A parameter that the recipe wants and the channel does not give.
    #[error("the parameter `{0}` is missing")]
    MissingParameter(String),
}

impl RecipeProblem {
    /// The same as a detail. The words come from the recipe, but a filter's complaint may quote one of `secrets`.
    #[must_use]
    pub fn told(&self, secrets: &[Secret]) -> Detail {
        let told = |code| Detail::new(code).with("path", &self.path);
        match &self.kind {
            RecipeProblemKind::Address => told("call-recipe-address"),
            RecipeProblemKind::Blank => told("call-recipe-blank"),
            RecipeProblemKind::HeaderValue => told("call-recipe-header"),
            RecipeProblemKind::NotANumber => told("call-recipe-number"),
            RecipeProblemKind::TooManyPieces(bytes) => told("call-recipe-pieces")
                .with("bytes", bytes)
                .with("most", MOST_PIECES),
            RecipeProblemKind::NotJson => told("call-recipe-json"),
            RecipeProblemKind::NoAudio => told("call-recipe-no-audio"),
            RecipeProblemKind::MissingParameter(name) => {
                told("call-recipe-parameter").with("name", name)
            }
            RecipeProblemKind::Template(error) => {
                let (problem, named) = error.said();
                let detail = told("call-recipe").with("problem", problem);
                match named {
                    Some((name, value)) => detail.with(name, redact(value, secrets)),
                    None => detail,
                }
            }
            // What the checks refuse before anything is sent.
            kind @ (RecipeProblemKind::Method(_)
            | RecipeProblemKind::Pointer(_)
            | RecipeProblemKind::Pattern(_)
            | RecipeProblemKind::NoGroup(_)
            | RecipeProblemKind::NoHeader(_)
            | RecipeProblemKind::Dollar(_)
            | RecipeProblemKind::NoPicture
            | RecipeProblemKind::Takes
            | RecipeProblemKind::Keeps
            | RecipeProblemKind::Pieces
            | RecipeProblemKind::Renews
            | RecipeProblemKind::Waits
            | RecipeProblemKind::Limits
            | RecipeProblemKind::HeaderName(_)) => {
                told("call-recipe").with("problem", redact(&kind.to_string(), secrets))
            }
        }
    }
}

/// A recipe with one channel's parameters.
pub struct RecipeAdapter {
    recipe: Arc<CompiledRecipe>,
    facts: Facts,
    secrets: Vec<Secret>,
    host: String,
    /// Where the call that counts goes, if that is the same for everything that the channel is sent.
    address: Option<Address>,
}

/// What a recipe may know of its channel.
struct Facts {
    id: String,
    name: String,
    /// Its parameters, by name. No tree: one for each of many channels would be mostly empty nodes.
    with: Box<[(String, String)]>,
    /// Whether `message` has only the fields that the recipe names. Not so where a recipe is checked: what it may name is
    /// part of what is said about a mistake.
    is_lean: bool,
}

impl Facts {
    fn new(id: &str, name: &str, with: &BTreeMap<String, String>) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            with: with
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            is_lean: false,
        }
    }

    /// A parameter.
    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self
            .with
            .binary_search_by(|(known, _)| known.as_str().cmp(name));
        Some(&self.with[found.ok()?].1)
    }

    /// `channel` and `with`, for the engine. Made when it is asked for: most recipes never ask, and one for each of many
    /// channels would be most of the memory that a daemon needs.
    fn base(&self) -> Context {
        let with: Map<String, Value> = self
            .with
            .iter()
            .map(|(key, value)| (key.clone(), Value::String(value.clone())))
            .collect();
        let mut base = Context::default();
        base.insert(
            "channel",
            &serde_json::json!({ "id": self.id, "name": self.name }),
        );
        base.insert("with", &Value::Object(with));
        base
    }
}

impl std::fmt::Debug for RecipeAdapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecipeAdapter")
            .field("recipe", &self.recipe.id)
            .field("channel", &self.facts.id)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl RecipeAdapter {
    /// The adapter of one channel. `with` holds its parameters with secrets resolved and defaults filled in; `secrets`
    /// repeats those that nobody may see.
    ///
    /// # Errors
    /// A missing parameter, or an address that the parameters do not give.
    pub fn new(
        recipe: &Arc<CompiledRecipe>,
        channel: &Channel,
        with: &BTreeMap<String, String>,
        secrets: Vec<Secret>,
    ) -> Result<Self, RecipeProblem> {
        recipe.check_parameters(with)?;
        let mut facts = Facts::new(channel.id.as_str(), &channel.name, with);
        let host = recipe.sample_host(&facts)?;
        facts.is_lean = true;
        let address = recipe.request.one_place(&Scene::new(recipe, &facts, None));
        Ok(Self {
            recipe: Arc::clone(recipe),
            facts,
            secrets,
            host,
            address,
        })
    }

    /// A request that could not be written.
    fn unwritable(&self, problem: &RecipeProblem) -> Step {
        Step::Failed(Failure::reject(
            Reason::Unwritable,
            problem.told(&self.secrets),
        ))
    }

    /// What an answer means that is not the hoped-for one. `own` are the rules of the call, before the recipe's. A success that
    /// does not read as agreed is neither a yes nor a no: it may have been done, and a router's page or an empty body says nothing
    /// of that. Only a value that contradicts is a no.
    fn refused(
        &self,
        exchange: &Exchange,
        answer: &Answer<'_>,
        scene: &Scene<'_>,
        own: &[Rule],
        mismatch: Detail,
    ) -> Result<Failure, RecipeProblem> {
        let ruled = self.ruled(answer, scene, own, |_| true)?;
        let contradicts = mismatch
            .get("pointer")
            .and_then(|pointer| answer.at(pointer))
            .is_some_and(|value| !value.is_null());
        Ok(ruled.unwrap_or_else(|| match classify(exchange) {
            Failure::Reject {
                reason: Reason::Unexpected,
                ..
            } if answer.response.is_success() && !contradicts => {
                Failure::unknown(Reason::Unexpected, mismatch)
            }
            // Who logs in for each attempt has had a session, and it ended meanwhile: the next attempt has another.
            Failure::Reject { detail, .. }
                if answer.response.status == 401 && scene.has_logged_in() =>
            {
                Failure::Retry {
                    after: None,
                    reason: Reason::Unauthorised,
                    detail,
                }
            }
            Failure::Reject {
                reason: Reason::Unexpected,
                ..
            } => Failure::reject(Reason::Unexpected, mismatch),
            other => other,
        }))
    }

    /// What `errors` say of an answer that is what was `hoped` for: nothing, where only a line fits that means the rest.
    fn overruled(
        &self,
        hoped: &Condition,
        answer: &Answer<'_>,
        scene: &Scene<'_>,
        own: &[Rule],
    ) -> Result<Option<Failure>, RecipeProblem> {
        // A probe has no message that the rules could speak of.
        if scene.message().is_none() {
            return Ok(None);
        }
        let accepted = &self.recipe.accepted;
        let status = answer.response.status;
        let is_own = std::ptr::eq(hoped, accepted);
        self.ruled(answer, scene, own, |line| {
            // What is the rest beside the call that counts is the rest beside a login, too.
            !(line.is_rest_of(hoped, status) || (!is_own && line.is_rest(accepted)))
        })
    }

    /// What the first rule of `errors` that fits says of an answer, of those that `counts` names.
    fn ruled(
        &self,
        answer: &Answer<'_>,
        scene: &Scene<'_>,
        own: &[Rule],
        counts: impl Fn(&Condition) -> bool,
    ) -> Result<Option<Failure>, RecipeProblem> {
        for rule in own.iter().chain(&self.recipe.errors) {
            if rule.when.holds(answer, scene)? && counts(&rule.when) {
                return Ok(Some(self.meaning(rule, answer, scene)));
            }
        }
        Ok(None)
    }

    /// What the first line of `errors` that has words for people says of an answer to a probe. A line that wants a message fits none.
    fn remark(&self, answer: &Answer<'_>, scene: &Scene<'_>) -> Option<Failure> {
        let mut worded = self
            .recipe
            .errors
            .iter()
            .filter(|rule| rule.about.is_some());
        let rule = worded.find(|rule| rule.when.holds(answer, scene).unwrap_or(false))?;
        Some(self.meaning(rule, answer, scene))
    }

    /// What a line of `errors` says of an answer that fits it.
    fn meaning(&self, rule: &Rule, answer: &Answer<'_>, scene: &Scene<'_>) -> Failure {
        let status = answer.response.status;
        let reason = match (status, rule.then) {
            (_, Verdict::Account | Verdict::Renew) | (401 | 403, Verdict::Reject) => {
                Reason::Unauthorised
            }
            (429 | 503, Verdict::Retry) => Reason::Busy,
            // A line that reads more than the status knows where it points.
            (300..=399, _) if rule.when.is_bare() => Reason::Redirect,
            (400..=599, _) => Reason::Status,
            // "Not now" that the recipe knows is as agreed, whatever its status.
            (_, Verdict::Retry) => Reason::Busy,
            _ => Reason::Unexpected,
        };
        let words = rule.says.as_ref().and_then(|take| take.from(answer));
        let said = words.and_then(|words| self.said(&words, scene));
        // Long words are cut at their end.
        let told = |code: &str| {
            let detail = Detail::new(code);
            detail.with("status", status).with("rule", &rule.path)
        };
        let detail = match (&rule.about, said) {
            (Some(about), Some(said)) => told("recipe-says-of")
                .with("about", about)
                .with("words", said),
            (Some(about), None) => told("recipe-says").with("about", about),
            (None, Some(said)) => told("receiver-says").with("words", said),
            (None, None) if rule.then == Verdict::Retry => told("not-now"),
            (None, None) => told("call-status-rule"),
        };
        let detail = String::from(detail);
        if rule.then == Verdict::Renew {
            scene.end_login();
        }
        match rule.then {
            Verdict::Retry | Verdict::Renew => Failure::Retry {
                after: rule
                    .after
                    .as_ref()
                    .and_then(|after| after.of(answer, scene.now()))
                    .max(answer.response.retry_after),
                reason,
                detail,
            },
            Verdict::Reject | Verdict::Account => Failure::Reject { reason, detail },
            Verdict::Unknown => Failure::Unknown { reason, detail },
        }
    }

    /// The receiver's own words: as secret as its answers, of which nobody sees what a call carried or a step gave.
    fn said(&self, words: &Value, scene: &Scene<'_>) -> Option<String> {
        let words = match words {
            Value::String(text) => text.clone(),
            Value::Null => return None,
            // A number, or what names the mistake field by field (RFC 9457, 3.2).
            other => other.to_string(),
        };
        let taken = scene.taken().into_iter().map(|taken| taken.value);
        let secrets: Vec<Secret> = self.secrets.iter().cloned().chain(taken).collect();
        // Blacked out first: half a secret would not be known again.
        let words: String = redact(words.trim(), &secrets)
            .chars()
            .take(LONGEST_WORDS)
            .collect();
        (!words.is_empty()).then_some(words)
    }
}

impl Adapter for RecipeAdapter {
    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        self.replay(message, done, message.sent_at)
    }

    fn step_at(&self, message: &Message, done: &[Exchange], now: Timestamp) -> Step {
        self.replay(message, done, now)
    }

    fn can_ask(&self) -> bool {
        self.recipe.find.is_some()
    }

    fn can_stop(&self) -> bool {
        self.recipe.stop.is_some()
    }

    fn wants_picture(&self) -> bool {
        self.recipe.shows_pictures
    }

    fn patience(&self) -> Option<Patience> {
        self.recipe.confirm.as_ref()?.later.map(Patience::from)
    }

    fn look_after(
        &self,
        message: &Message,
        receipt: Option<&str>,
        done: &[Exchange],
        now: Timestamp,
    ) -> Option<Step> {
        self.asked_later(message, receipt, done, now)
    }

    fn lasts(&self, message: Option<&Message>, exchange: &Exchange) -> Option<Duration> {
        self.login_lasts(message, exchange)
    }

    fn ends_login(&self, message: Option<&Message>, exchange: &Exchange) -> bool {
        let Ok(response) = &exchange.result else {
            return false;
        };
        let scene = Scene::new(&self.recipe, &self.facts, message);
        let answer = Answer::new(response);
        let mut rules = self.recipe.errors.iter();
        let says = |rule: &Rule| {
            // A line that wants a message fits none.
            rule.then == Verdict::Renew && rule.when.holds(&answer, &scene).unwrap_or(false)
        };
        response.status == 401 || rules.any(says)
    }

    fn has_ended(&self, message: Option<&Message>, done: &[Exchange]) -> bool {
        self.has_login_ended(message, done)
    }

    fn ended(&self, message: &Message) -> Option<Hoped> {
        self.hope_of_end(message)
    }

    fn hoped_after(&self, message: &Message, receipt: Option<&str>) -> Option<Hoped> {
        self.hope_of_later(message, receipt)
    }

    fn answers_challenges(&self) -> bool {
        matches!(self.recipe.auth, Some(auth::Auth::Digest { .. }))
    }

    fn is_ascii(&self) -> bool {
        self.recipe.is_ascii
    }

    fn stopped(&self, message: &Message, done: &[Exchange]) -> Option<bool> {
        self.replay_stop(message, done)
    }

    fn probe(&self, done: &[Exchange]) -> Option<Step> {
        self.question_at(None, done, Timestamp::default())
    }

    fn question_at(&self, _: Option<&Secret>, done: &[Exchange], now: Timestamp) -> Option<Step> {
        let probe = self.recipe.probe.as_ref()?;
        Some(self.replayed_probe(probe, done, now).0)
    }

    fn hoped(
        &self,
        message: Option<&Message>,
        done: &[Exchange],
        hopes: Hopes<'_>,
    ) -> Option<Hoped> {
        self.hope(message, done, hopes)
    }

    fn with_marks(&self, message: &Message, done: &[Exchange]) -> Vec<(String, Request)> {
        self.marked(message, done)
    }

    fn is_status_enough(&self, message: &Message) -> bool {
        // A router or a login page in front of a loudspeaker says 200 to everything; there the answer has to be read.
        message.content.format != Format::Script && self.recipe.accepted.is_of_status()
    }

    fn name(&self) -> &str {
        self.recipe.id.as_str()
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn secrets(&self) -> &[Secret] {
        &self.secrets
    }
}
