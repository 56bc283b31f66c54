//! Asking a device afterwards what became of what it took (`confirm.later` of a recipe): only a clear answer may change anything. Pure:
//! the adapter is stepped as the daemon's look-out steps it, and each answer is made here.

use std::time::Duration;

use bytes::Bytes;

use super::{Breach, Subject, delivery};
use crate::{
    adapter::{Exchange, Fault, Headers, Hoped, Hopes, Request, Response, Role, Step},
    domain::{delivery::Reason, message::Message},
};

/// What a receiver gives where something is taken from its answer.
const GIVEN: &str = "ma-kiem-tra-7301";

/// How often a question may be asked again before it is taken for one that never ends.
const MOST: usize = 200;

/// How long after it was taken the device is asked.
const AFTER: Duration = Duration::from_mins(10);

/// What a router in front of the device says.
const PAGE: &str = "<html><head><title>Login</title></head><body><form action=/login><input name=user></form></body></html>";

/// An answer that says nothing of what was played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unclear {
    /// Status 500.
    Error,
    /// Status 404. A device that knows its own reference no more may mean that it did nothing.
    Gone,
    /// The page of somebody else.
    Page,
    /// None.
    Lost,
}

impl Unclear {
    const ALL: [Self; 4] = [Self::Error, Self::Gone, Self::Page, Self::Lost];

    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Gone => "gone",
            Self::Page => "page",
            Self::Lost => "lost",
        }
    }

    fn result(self) -> Result<Response, Fault> {
        let said = |status, body: &'static str| {
            Ok(Response {
                status,
                headers: Headers::default(),
                body: Bytes::from_static(body.as_bytes()),
                retry_after: None,
            })
        };
        match self {
            Self::Error => said(500, "{\"error\":\"simulated\"}"),
            Self::Gone => said(404, ""),
            Self::Page => said(200, PAGE),
            Self::Lost => Err(Fault::may_have_left(Reason::Reset, String::new())),
        }
    }
}

/// The logins of an attempt at which nothing goes wrong, with what is asked for them, and the receipt that comes of it; `None` where it
/// does not come to that. The other calls are not made again: the question may read like one of them.
fn course(subject: &Subject<'_>, message: &Message) -> Option<(Vec<Exchange>, Option<String>)> {
    let adapter = &subject.adapter;
    let hopes = Hopes {
        is_there: false,
        given: GIVEN,
        receipt: None,
    };
    let (mut done, mut logins): (Vec<Exchange>, Vec<Exchange>) = (Vec::new(), Vec::new());
    while done.len() < MOST {
        match adapter.step_at(message, &done, message.sent_at) {
            Step::Accepted(receipt) => return Some((logins, receipt.reference)),
            Step::Call(request) => {
                let hoped = adapter.hoped(Some(message), &done, hopes)?;
                // Whether a login is there already may be asked before it.
                let is_login = matches!(hoped.role, Role::Step { is_login: true, .. })
                    || (logins.len() == done.len() && matches!(hoped.role, Role::StepFind(_)));
                let exchange = Exchange {
                    request,
                    result: Ok(response(hoped)?),
                };
                logins.extend(is_login.then(|| exchange.clone()));
                done.push(exchange);
            }
            _ => return None,
        }
    }
    None
}

fn response(hoped: Hoped) -> Option<Response> {
    let headers = hoped
        .headers
        .iter()
        .map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
    Some(Response {
        status: hoped.status,
        headers: headers.collect::<Option<Headers>>()?,
        body: hoped.body,
        retry_after: None,
    })
}

/// What asking afterwards shows that it must not.
pub(super) fn asked(subject: &Subject<'_>) -> Vec<Breach> {
    let message = delivery::message(subject, false);
    let Some((logins, receipt)) = course(subject, &message) else {
        return vec![Breach::new("not-reached")];
    };
    let hoped = subject.adapter.hoped_after(&message, receipt.as_deref());
    let Some(hoped) = hoped.and_then(response) else {
        return vec![Breach::new("not-reached")];
    };
    let ask = |answer: &dyn Fn() -> Result<Response, Fault>| {
        ask(subject, &message, receipt.as_deref(), &logins, answer)
    };
    let mut breaches = Vec::new();
    for unclear in Unclear::ALL {
        let answer = unclear.as_str();
        match ask(&|| unclear.result()) {
            Some(Step::Accepted(_)) => {
                breaches.push(Breach::new("later-yes").with("answer_kind", answer));
            }
            Some(Step::Failed(failure))
                if failure.reason() == Reason::NotPlayed && unclear != Unclear::Gone =>
            {
                breaches.push(Breach::new("later-no").with("answer_kind", answer));
            }
            Some(_) => {}
            None => breaches.push(Breach::new("not-reached")),
        }
    }
    if !matches!(ask(&|| Ok(hoped.clone())), Some(Step::Accepted(_))) {
        breaches.push(Breach::new("later-not-believed"));
    }
    breaches
}

/// Asks as the look-out does. What comes `before`, as logins, is answered as in the attempt; every other question gets `answer`. `None`
/// where it was never asked, or asked for ever.
fn ask(
    subject: &Subject<'_>,
    message: &Message,
    receipt: Option<&str>,
    before: &[Exchange],
    answer: &dyn Fn() -> Result<Response, Fault>,
) -> Option<Step> {
    let (mut done, mut was_asked) = (Vec::new(), false);
    while done.len() < MOST {
        let now = message.sent_at + AFTER;
        let request = match subject.adapter.look_after(message, receipt, &done, now)? {
            Step::Call(request) => request,
            end => return was_asked.then_some(end),
        };
        // Logins come first, in the order of the attempt. One that carries a time or a number of its own is another request each time, and
        // where everything has one address, the question is told from it by its turn.
        let in_turn = before.get(done.len());
        let in_turn = in_turn.filter(|one| is_alike(&one.request, &request));
        let same = |one: &&Exchange| is_same(&one.request, &request);
        let known = in_turn.or_else(|| before.iter().find(same));
        let result = if let Some(known) = known {
            known.result.clone()
        } else {
            was_asked = true;
            answer()
        };
        done.push(Exchange { request, result });
    }
    None
}

/// Whether both go to one place in one way.
fn is_alike(one: &Request, other: &Request) -> bool {
    let place = |url: &str| url.split('?').next().unwrap_or_default().to_owned();
    one.method == other.method && place(&one.url) == place(&other.url)
}

fn is_same(one: &Request, other: &Request) -> bool {
    one.method == other.method && one.url == other.url && one.body == other.body
}
