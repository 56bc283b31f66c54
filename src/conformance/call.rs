//! The calls around the one that counts, as they are played: what is answered to the questions before and after it, and what of each
//! call is looked at more closely.

pub(super) mod judge;

use std::sync::Arc;

use super::{receiver::PAGE, scenario::Mishap, watched::Watched, words};
use crate::{
    adapter::{Acts, Exchange, Headers, Hoped, Hopes, MARK, Response, Role, Step},
    domain::{
        id::{BulletinId, DeliveryId, ScheduleId},
        message::Message,
    },
    simulator::{Fault, Request},
};

/// What goes wrong with a call that is not the one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::conformance) enum CallMishap {
    /// The question whether the message is there is answered with this status.
    Question(u16),
    /// It is answered with the page of a router.
    QuestionStranger,
    /// It is answered with what is somebody else's.
    QuestionForeign,
    /// It is answered with what is ours, and has old words.
    QuestionOld,
    /// The question whether it was done is answered with this status.
    Confirm(u16),
    /// It is answered with the page of a router.
    ConfirmStranger,
    /// It is never answered.
    ConfirmLost,
}

/// What has to come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::conformance) enum CallExpects {
    /// What is no answer is taken for neither yes nor no.
    Unanswered,
    /// What is somebody else's is left alone.
    NotTaken,
    /// What is ours gets the new words, and there is one of it.
    Updated,
    /// What was sent before is found, and not sent again.
    FoundAgain,
    /// Accepted, and neither more nor less.
    Unconfirmed,
    /// Only the call that counts is heard or seen.
    Quiet,
    /// No secret goes to two different owners.
    Kept,
}

impl CallMishap {
    pub(super) fn is_of_question(self) -> bool {
        matches!(
            self,
            Self::Question(_) | Self::QuestionStranger | Self::QuestionForeign | Self::QuestionOld
        )
    }

    /// Whether a first attempt has to be lost, so that there is a question in the second one.
    pub(super) fn may_lose_first(self) -> bool {
        self.is_of_question() && self != Self::QuestionOld
    }

    /// Whether it befalls a call: every one of its sort, and of the questions those of one attempt.
    pub(super) fn hits(self, role: &Role, attempt: u32, hit_in: Option<u32>) -> bool {
        let is_due = hit_in.is_none_or(|hit_in| hit_in == attempt);
        match self {
            Self::Question(_) | Self::QuestionStranger => *role == Role::Find && is_due,
            Self::Confirm(_) | Self::ConfirmStranger | Self::ConfirmLost => *role == Role::Confirm,
            // Those are answers that nothing is wrong with.
            Self::QuestionForeign | Self::QuestionOld => false,
        }
    }

    /// What happens then.
    pub(super) fn fault(self) -> Option<Fault> {
        let plain = |code, body: Option<&str>| Fault::Status {
            code,
            retry_after: None,
            body: body.map(str::to_owned),
        };
        Some(match self {
            Self::Question(code) | Self::Confirm(code) => plain(code, None),
            Self::QuestionStranger | Self::ConfirmStranger => plain(200, Some(PAGE)),
            Self::ConfirmLost => Fault::Reset,
            Self::QuestionForeign | Self::QuestionOld => return None,
        })
    }

    /// Whose article a question is answered with.
    fn other(self, message: &Message) -> Option<Message> {
        match self {
            Self::QuestionForeign => Some(other(message, Some("bai-cua-nguoi-khac"))),
            // What was there before a repetition is what was sent: only at first its words are old.
            Self::QuestionOld if message.attempt == 1 => Some(other(message, None)),
            _ => None,
        }
    }
}

/// Another message for the same channel: of another bulletin with another title, or of the same one before its words were changed.
fn other(message: &Message, bulletin: Option<&str>) -> Message {
    let mut other = message.clone();
    let mut content = (*message.content).clone();
    if let Some(bulletin) = bulletin.and_then(|id| BulletinId::parse(id).ok()) {
        content.bulletin = bulletin;
        "Bài của người khác".clone_into(&mut content.title);
    }
    "Lời cũ".clone_into(&mut content.text);
    content.html = content.html.map(|_| "<p>Lời cũ</p>".to_owned());
    content.summary = content.summary.map(|_| "Lời cũ".to_owned());
    for spoken in &mut content.spoken {
        "Lời cũ".clone_into(spoken);
    }
    let schedule = ScheduleId::by_hand(bulletin.unwrap_or("lan-truoc"));
    other.delivery = DeliveryId::of(&schedule, message.due, &message.channel);
    other.hash = content.hash();
    other.content = Arc::new(content);
    other
}

/// What is known of a call beside what arrived.
#[derive(Debug, Clone, Default)]
pub(in crate::conformance) struct Called {
    /// What it is for.
    pub(in crate::conformance) role: Role,
    /// Whether its author wrote the header with the idempotency key.
    pub(in crate::conformance) is_keyed: bool,
    /// Whether its address is another one for another message, or that cannot be told.
    pub(in crate::conformance) is_addressed: bool,
    /// Whether it was answered with what is somebody else's or old.
    pub(in crate::conformance) is_played: bool,
    /// Which secrets it carries: the names of parameters, and `steps.NAME` of logins.
    pub(in crate::conformance) carries: Vec<String>,
}

/// Something that an answer gave.
#[derive(Debug, Clone)]
pub(in crate::conformance) struct Given {
    /// In which attempt.
    pub(in crate::conformance) attempt: u32,
    /// What nobody else was given.
    pub(in crate::conformance) digits: String,
    /// All of it: a path or an address, where it is one.
    pub(in crate::conformance) whole: String,
}

impl Given {
    pub(super) fn of(attempt: u32, digits: &str, hoped: &Hoped) -> Self {
        let body = String::from_utf8_lossy(&hoped.body);
        let headers = hoped.headers.iter().map(|(_, value)| value.as_str());
        let whole = headers.chain([&*body]).find_map(|text| {
            let end = text.find(digits)? + digits.len();
            let begin = text[..end].rfind(['"', ' ', '\n', '=']);
            Some(&text[begin.map_or(0, |at| at + 1)..end])
        });
        let whole = whole.filter(|whole| whole.starts_with("http") || whole.starts_with('/'));
        Self {
            attempt,
            digits: digits.to_owned(),
            whole: whole.unwrap_or(digits).to_owned(),
        }
    }
}

impl Given {
    /// Whether it may open something.
    pub(in crate::conformance) fn is_login(&self) -> bool {
        self.digits != given(self.attempt, LAST)
    }
}

/// What is given in an attempt: digits, so that it may stand anywhere. No two attempts get the same, and no two of the first logins.
pub(super) fn given(attempt: u32, index: usize) -> String {
    format!("7301460{}{attempt:04}", index.min(LAST))
}

/// Of what is no login.
pub(super) const LAST: usize = 9;

impl Watched {
    /// Looks at a call more closely, and makes another answer to it where the scenario wants one.
    pub(super) fn look(
        &self,
        message: &Message,
        done: &[Exchange],
        request: &crate::adapter::Request,
        hoped: Hoped,
        hopes: Hopes<'_>,
    ) -> (Hoped, Called) {
        let mut hoped = hoped;
        let mishap = match self.receiver.mishap {
            Mishap::Call(mishap) => Some(mishap),
            _ => None,
        };
        let foreign = mishap.and_then(|mishap| mishap.other(message));
        let foreign = foreign.filter(|_| hoped.role == Role::Find && self.receiver.is_due());
        // Whoever asks at an address of its own is told by the receiver that there is nothing.
        let foreign = foreign.filter(|other| {
            let asks = self.inner.step(other, done);
            mishap != Some(CallMishap::QuestionForeign)
                || matches!(asks, Step::Call(asks) if path(&asks.url) == path(&request.url))
        });
        let given = self.receiver.given_for(&hoped.role);
        let again = Hopes {
            given: &given,
            is_there: hopes.is_there || foreign.is_some(),
            ..hopes
        };
        let whose = foreign.as_ref().unwrap_or(message);
        let mut is_played = false;
        if (hoped.gives && given != hopes.given) || foreign.is_some() {
            let said = self.inner.hoped(Some(whose), done, again);
            if let Some(said) = said.filter(|said| said.role == hoped.role) {
                is_played = foreign.is_some();
                hoped = Hoped {
                    acts: hoped.acts,
                    ..said
                };
            }
        }
        let is_addressed = hoped.acts == Acts::Nothing || {
            let next = self.next_of_another(message, done, &hoped);
            next.is_none_or(|next| *next.url != *request.url)
        };
        let called = Called {
            role: hoped.role.clone(),
            is_keyed: hoped.is_keyed,
            is_addressed,
            is_played,
            carries: if self.receiver.follows_secrets {
                self.carried(message, done, request)
            } else {
                Vec::new()
            },
        };
        (hoped, called)
    }

    /// The same call for another message, which is there where this one is.
    fn next_of_another(
        &self,
        message: &Message,
        done: &[Exchange],
        hoped: &Hoped,
    ) -> Option<crate::adapter::Request> {
        let other = other(message, Some("bai-khac"));
        let mut told = done.to_vec();
        if hoped.acts == Acts::Update {
            let given = self.receiver.given_for(&Role::Find);
            let hopes = Hopes {
                is_there: true,
                given: &given,
                receipt: None,
            };
            for at in 0..told.len() {
                let hoped = self.inner.hoped(Some(&other), &told[..at], hopes);
                let Some(hoped) = hoped.filter(|hoped| hoped.role == Role::Find) else {
                    continue;
                };
                let headers = hoped
                    .headers
                    .iter()
                    .map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
                told[at].result = Ok(Response {
                    status: hoped.status,
                    headers: headers.collect::<Option<Headers>>()?,
                    body: hoped.body,
                    retry_after: None,
                });
            }
        }
        match self.inner.step(&other, &told) {
            Step::Call(next) => Some(next),
            _ => None,
        }
    }

    /// Which secrets a call carries, so that its receiver can read them.
    fn carried(
        &self,
        message: &Message,
        done: &[Exchange],
        request: &crate::adapter::Request,
    ) -> Vec<String> {
        let shows = |request: &crate::adapter::Request, wanted: &str| {
            let texts = words::readings(&arriving(request));
            texts.iter().any(|text| text.contains(wanted))
        };
        let marked = self.inner.with_marks(message, done).into_iter();
        let marked = marked.filter(|(_, request)| shows(request, MARK));
        let logins = self.receiver.logins().into_iter();
        let logins = logins.filter(|(_, given)| shows(request, given));
        marked
            .map(|(name, _)| name)
            .chain(logins.map(|(name, _)| format!("steps.{name}")))
            .collect()
    }
}

/// The request as it would arrive.
fn arriving(request: &crate::adapter::Request) -> Request {
    let (target, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
    let headers = request.headers.iter();
    Request {
        method: request.method.clone(),
        path: path(target).to_owned(),
        query: query.to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect(),
        body: request.body.clone(),
        keep_alive: true,
    }
}

/// An address without its host and its query.
fn path(url: &str) -> &str {
    let url = url.split_once('?').map_or(url, |(before, _)| before);
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("", |at| &rest[at..])
}
