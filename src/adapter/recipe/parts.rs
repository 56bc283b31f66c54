//! The parts of a recipe, read: steps, questions and what answers mean.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    RecipeProblemKind,
    judge::{Answer, Condition, Take, check_pointer},
    moment,
    paging::Pages,
    text::{Reading, Text, Tree},
    write::Call,
};
use crate::{
    adapter::transport::retry_after,
    domain::{
        recipe::{self, LONGEST_LOGIN, Later, Poll, RequestSpec, StepWhen, Verdict},
        retry::LONGEST_WISH,
        time::Timestamp,
    },
};

/// How long before its end what a login gave is not used any more: what an attempt needs.
const SPARE: Duration = Duration::from_secs(30);

/// A call before the one that counts, read.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) when: StepWhen,
    /// Whether it is done already.
    pub(super) find: Option<Question>,
    pub(super) call: Call,
    pub(super) accepted: Condition,
    pub(super) take: Vec<(String, Take)>,
    pub(super) poll: Option<Poll>,
    pub(super) errors: Vec<Rule>,
    /// How long other attempts may use what it gave.
    pub(super) valid_for: Option<Validity>,
}

/// How long what a login gave may be used, read.
#[derive(Debug)]
pub(super) enum Validity {
    Time(Duration),
    Answer {
        seconds: Option<Take>,
        otherwise: Option<Duration>,
    },
}

/// What an answer means, read.
#[derive(Debug)]
pub(super) struct Rule {
    /// Where it stands in the recipe.
    pub(super) path: String,
    pub(super) when: Condition,
    pub(super) then: Verdict,
    pub(super) says: Option<Take>,
    pub(super) about: Option<String>,
    pub(super) after: Option<After>,
}

/// How long a receiver wants to be left alone, read.
#[derive(Debug)]
pub(super) enum After {
    Time(Duration),
    Answer(Take),
}

/// "Is it already there?", read.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) always: bool,
    pub(super) call: Call,
    pub(super) list: Option<String>,
    pub(super) found: Condition,
    pub(super) absent: Condition,
    pub(super) pages: Option<Pages>,
    pub(super) take: Vec<(String, Take)>,
    pub(super) update: Option<Call>,
    /// Whether nobody may see what is answered.
    pub(super) is_private: bool,
}

/// "Was it really done?", read.
#[derive(Debug)]
pub(super) struct Confirmation {
    pub(super) call: Call,
    pub(super) confirmed: Condition,
    pub(super) refuted: Option<Condition>,
    pub(super) poll: Option<Poll>,
    pub(super) later: Option<Later>,
}

/// "Are you alive?", read.
#[derive(Debug)]
pub(super) struct Pulse {
    pub(super) call: Call,
    pub(super) healthy: Condition,
}

impl Question {
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> {
        let more = self.pages.iter().flat_map(Pages::texts);
        self.found.texts().chain(self.absent.texts()).chain(more)
    }
}

impl Confirmation {
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> {
        let refuted = self.refuted.iter().flat_map(Condition::texts);
        self.confirmed.texts().chain(refuted)
    }
}

pub(super) fn read_value(reading: &mut Reading, name: &str, value: &recipe::Value) -> Tree {
    match value {
        recipe::Value::Text(text) => Tree::Text(reading.text(&format!("values.{name}"), text)),
        recipe::Value::Json(json) => reading.tree(&format!("values.{name}.json"), json),
    }
}

pub(super) fn read_takes(
    reading: &mut Reading,
    path: &str,
    takes: &BTreeMap<String, recipe::Take>,
) -> Vec<(String, Take)> {
    let mut read = Vec::new();
    for (name, take) in takes {
        let take = Take::read(reading, &format!("{path}.{name}"), take);
        read.extend(take.map(|take| (name.clone(), take)));
    }
    read
}

pub(super) fn read_rules(
    reading: &mut Reading,
    path: &str,
    rules: &[recipe::ErrorRule],
) -> Vec<Rule> {
    let mut read = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let says = rule.says.as_ref();
        read.push(Rule {
            when: Condition::read(reading, &path, &rule.when),
            then: rule.then,
            says: says.and_then(|take| Take::read(reading, &format!("{path}.says"), take)),
            about: rule.about.clone(),
            after: rule
                .after
                .as_ref()
                .and_then(|after| After::read(reading, &format!("{path}.after"), after, rule.then)),
            path,
        });
    }
    read
}

impl After {
    fn read(
        reading: &mut Reading,
        path: &str,
        after: &recipe::After,
        then: Verdict,
    ) -> Option<Self> {
        if then != Verdict::Retry {
            reading.problem(path, RecipeProblemKind::Waits);
        }
        Some(match after {
            recipe::After::Time(time) => Self::Time(*time),
            recipe::After::Answer(take) => Self::Answer(Take::read(reading, path, take)?),
        })
    }

    /// The wait from `now`; `None` where the answer does not say it.
    pub(super) fn of(&self, answer: &Answer<'_>, now: Timestamp) -> Option<Duration> {
        let take = match self {
            Self::Time(time) => return Some(*time),
            Self::Answer(take) => take,
        };
        let value = take.from(answer)?;
        if let Some(wait) = moment::until(&value, now) {
            return Some(wait);
        }
        match value {
            Value::String(text) => {
                let wait = retry_after::parse(&text, now);
                wait.or_else(|| rounded_up(decimal(&text)?))
            }
            Value::Number(number) => rounded_up(number.as_f64()?),
            _ => None,
        }
    }
}

/// Whole seconds: who comes a moment too early is refused again.
fn rounded_up(seconds: f64) -> Option<Duration> {
    // More than can be counted is still a wish to wait long.
    let seconds = seconds.ceil().min(LONGEST_WISH.as_secs_f64());
    Duration::try_from_secs_f64(seconds).ok()
}

/// Seconds with decimals (`64.57`), which no standard knows and some receivers say.
fn decimal(text: &str) -> Option<f64> {
    let (whole, part) = text.trim().split_once('.')?;
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = (is_number(whole) && is_number(part)).then(|| text.trim().parse());
    number?.ok()
}

pub(super) fn read_step(reading: &mut Reading, name: &str, step: &recipe::StepSpec) -> Step {
    let path = format!("steps.{name}");
    let is_private = step.when != StepWhen::Picture && !step.take.is_empty();
    if step.request.pieces.is_some() && step.poll.is_some() {
        reading.problem(&format!("{path}.request.pieces"), RecipeProblemKind::Pieces);
    }
    if let Some(find) = &step.find
        && !find.take.keys().eq(step.take.keys())
    {
        reading.problem(&format!("{path}.find.take"), RecipeProblemKind::Takes);
    }
    Step {
        name: name.to_owned(),
        when: step.when,
        find: step.find.as_ref().map(|find| Question {
            is_private,
            ..read_find(reading, &format!("{path}.find"), find)
        }),
        call: Call::read(reading, &format!("{path}.request"), &step.request),
        accepted: Condition::read_success(reading, &format!("{path}.accepted"), &step.accepted),
        take: read_takes(reading, &format!("{path}.take"), &step.take),
        poll: step.poll,
        errors: read_rules(reading, &format!("{path}.errors"), &step.errors),
        valid_for: step
            .valid_for
            .as_ref()
            .map(|validity| read_validity(reading, &path, step, validity)),
    }
}

/// Only a login that is made whatever is sent, by one call, is one that others could make as well.
fn read_validity(
    reading: &mut Reading,
    path: &str,
    step: &recipe::StepSpec,
    validity: &recipe::Validity,
) -> Validity {
    let path = format!("{path}.valid_for");
    if step.when != StepWhen::Always || step.poll.is_some() || step.find.is_some() {
        reading.problem(&path, RecipeProblemKind::Keeps);
    }
    match validity {
        recipe::Validity::Time(time) => Validity::Time(*time),
        recipe::Validity::Answer { seconds, otherwise } => Validity::Answer {
            seconds: Take::read(reading, &format!("{path}.seconds"), seconds),
            otherwise: *otherwise,
        },
    }
}

impl Validity {
    /// Where the answer says how long it may be used.
    pub(super) fn told(&self) -> Option<&Take> {
        match self {
            Self::Time(_) => None,
            Self::Answer { seconds, .. } => seconds.as_ref(),
        }
    }

    /// How long the answer may be used. What the receiver says is a little shortened, because a call takes time, too.
    pub(super) fn of(&self, answer: &Answer<'_>) -> Option<Duration> {
        let (seconds, otherwise) = match self {
            Self::Time(time) => return Some(*time),
            Self::Answer { seconds, otherwise } => (seconds.as_ref()?, otherwise),
        };
        let told = seconds.from(answer).and_then(|value| match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        });
        let Some(told) = told else { return *otherwise };
        let told = Duration::from_secs(told).min(LONGEST_LOGIN);
        Some(told.saturating_sub((told / 10).min(SPARE)))
    }
}

impl Confirmation {
    /// Whether it is asked in the attempt.
    pub(super) fn is_at_once(&self) -> bool {
        self.later.is_none_or(|later| later.after.is_none())
    }
}

pub(super) fn read_confirm(reading: &mut Reading, confirm: &recipe::Confirm) -> Confirmation {
    Confirmation {
        call: Call::read(reading, "confirm.request", &confirm.request),
        confirmed: Condition::read_success(reading, "confirm.confirmed", &confirm.confirmed),
        refuted: confirm
            .refuted
            .as_ref()
            .map(|refuted| Condition::read_success(reading, "confirm.refuted", refuted)),
        poll: confirm.poll,
        later: confirm.later,
    }
}

pub(super) fn read_find(reading: &mut Reading, path: &str, find: &recipe::Find) -> Question {
    let below = |key: &str| format!("{path}.{key}");
    if let Some(pointer) = &find.list {
        check_pointer(reading, &below("list"), pointer);
    }
    Question {
        always: find.always,
        call: Call::read(reading, &below("request"), &find.request),
        list: find.list.clone(),
        found: Condition::read_success(reading, &below("found"), &find.found),
        absent: Condition::read_success(reading, &below("absent"), &find.absent),
        pages: find
            .pages
            .as_ref()
            .and_then(|pages| Pages::read(reading, &below("pages"), pages)),
        take: read_takes(reading, &below("take"), &find.take),
        update: find
            .update
            .as_ref()
            .map(|update| Call::read(reading, &below("update"), update)),
        is_private: false,
    }
}

/// What of a request comes from a step. What that looks like nobody knows before it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follows {
    Nothing,
    /// Something beside its address.
    Rest,
    Address,
}

impl Follows {
    pub(super) fn of(spec: &RequestSpec) -> Self {
        if spec.url.contains("steps.") {
            Self::Address
        } else if spec.mentions("steps.") {
            Self::Rest
        } else {
            Self::Nothing
        }
    }
}
