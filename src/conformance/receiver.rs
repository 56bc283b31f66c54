//! The receiver of one scenario: it answers as the adapter hopes, or as a device of the simulated city does, until the call at
//! which something goes wrong, and remembers everything.

use std::{
    fmt::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;

use super::{
    call::{self, CallExpects, Called, Given},
    refusal,
    scenario::{Expects, Mishap, Scenario},
    words,
};
use crate::{
    adapter::{Acts, Hoped, Role},
    domain::time::Timestamp,
    simulator::{Answer, Effect, Fault, Played, Request, Stage, proof},
};

/// How long a receiver asks to be left alone, in seconds: longer than any wait of our own.
pub(super) const WISH: u64 = 97;

/// Where a redirect points. Nobody is to be called there.
pub(super) const ELSEWHERE: &str = "elsewhere.invalid";

/// More than anybody reads of an answer, in bytes.
const HUGE: u64 = 1 << 20;

/// A body that takes this many milliseconds comes in time, one of an hour never.
const SHORT: u64 = 20;
const HOUR: u64 = 3_600_000;

/// The page of a router that wants somebody to log in. Such answer 200 to everything.
pub(super) const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Router</title></head><body><form action=\"/login\">Login: <input \
                    name=\"user\"></form></body></html>\n";

/// How Zalo says that a token has ended.
const ENDED: &str = r#"{"error":-216,"message":"Access token is invalid"}"#;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    /// The attempt that made it.
    pub(super) attempt: u32,
    /// Where it arrived.
    pub(super) host: String,
    pub(super) request: Request,
    /// What it does, if it is answered as hoped.
    pub(super) acts: Acts,
    /// What it is to people. Several sorts can be parts of one broadcast, each of them once.
    pub(super) effect: Effect,
    /// Whether it did it.
    pub(super) is_done: bool,
    /// What tells a repetition from something new.
    pub(super) key: Option<String>,
    /// What it was answered, before anything went wrong.
    pub(super) answer: Bytes,
    /// Whether it tells the device to stop what it plays.
    pub(super) stops: bool,
    /// Whether something went wrong with it as it was to.
    pub(super) is_hit: bool,
    /// What else is known of it.
    pub(super) called: Called,
}

/// Everything that a receiver remembers.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and none rules another out"
)]
pub(super) struct Memory {
    attempt: u32,
    now: Timestamp,
    /// The answer that the adapter hopes for to the call that it makes now.
    next: Option<Hoped>,
    /// Whether that call tells the device to stop.
    next_stops: bool,
    /// What else is known of that call.
    next_called: Called,
    /// The attempt in which something first went wrong.
    hit_in: Option<u32>,
    /// The logins that gave something, by name, with what each gave last.
    logins: Vec<(String, Option<String>)>,
    /// What was given for the receiver's own reference.
    receipt: Option<String>,
    /// Whether the call that counts was challenged anew.
    is_stale: bool,
    /// How often something went wrong.
    pub(super) hits: u32,
    pub(super) arrivals: Vec<Arrival>,
    /// How many calls were asked for, attempt by attempt.
    pub(super) calls: Vec<usize>,
    /// Whether the adapter sends a stream.
    pub(super) is_stream: bool,
    /// Whether it sends mail.
    pub(super) is_mail: bool,
    /// What was given.
    pub(super) given: Vec<Given>,
    /// What whoever still calls with a login of before the first attempt is answered.
    ended: Option<Hoped>,
}

/// The receiver.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) mishap: Mishap,
    is_probe: bool,
    /// Whether it is looked at who gets which secret.
    pub(super) follows_secrets: bool,
    /// The sort of effect at which it goes wrong, where it is known.
    target: Option<Effect>,
    has_account: bool,
    /// Where the adapter calls, without a port.
    host: String,
    /// The status of a page in place of an answer, where it is not that of the answer.
    pub(super) strangers_status: Option<u16>,
    memory: Mutex<Memory>,
}

impl Receiver {
    pub(super) fn new(
        scenario: &Scenario,
        target: Option<Effect>,
        has_account: bool,
        host: &str,
    ) -> Self {
        let is_probe = matches!(scenario.expects, Expects::Well | Expects::Unwell);
        Self {
            mishap: scenario.mishap,
            is_probe,
            follows_secrets: scenario.expects == Expects::Call(CallExpects::Kept),
            target,
            has_account,
            host: name_of(host).to_owned(),
            strangers_status: None,
            memory: Mutex::default(),
        }
    }

    /// An adapter that panics does it without this lock, and every change leaves it whole.
    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What logins gave so far has ended: whoever calls with it is answered so.
    pub(super) fn end_logins(&self, answer: Hoped) {
        self.memory().ended = Some(answer);
    }

    /// An attempt begins.
    pub(super) fn begin(&self, attempt: u32, now: Timestamp) {
        let mut memory = self.memory();
        (memory.attempt, memory.now) = (attempt, now);
        memory.calls.push(0);
    }

    /// The adapter asks for a call.
    pub(super) fn expect(
        &self,
        hoped: Option<Hoped>,
        stops: bool,
        receipt: Option<String>,
        called: Called,
    ) {
        let given = self.given_for(&called.role);
        let mut memory = self.memory();
        (memory.next_stops, memory.receipt) = (stops, receipt);
        // An article's number opens nothing.
        let gives = |hoped: &&Hoped| hoped.gives && hoped.role != Role::Find;
        if let Some(hoped) = hoped.as_ref().filter(gives) {
            let one = Given::of(memory.attempt, &given, hoped);
            memory.given.push(one);
            if let Role::Step { name, .. } = &called.role
                && let Some((_, last)) = memory.logins.iter_mut().find(|(own, _)| own == name)
            {
                *last = Some(given);
            }
        }
        if called.is_played {
            memory.hits += 1;
            memory.hit_in = memory.hit_in.or(Some(memory.attempt));
        }
        memory.next_called = called;
        memory.next = hoped;
        if let Some(calls) = memory.calls.last_mut() {
            *calls += 1;
        }
    }

    pub(super) fn hopes(&self) -> (bool, String) {
        let memory = self.memory();
        let is_there = memory.arrivals.iter().any(|one| one.is_done);
        (is_there, given(memory.attempt))
    }

    /// What is given where a call for `role` is answered.
    pub(super) fn given_for(&self, role: &Role) -> String {
        let mut memory = self.memory();
        let index = match role {
            Role::Other => 0,
            Role::Step {
                name,
                is_login: true,
            } => {
                let known = memory.logins.iter().position(|(own, _)| own == name);
                known.unwrap_or_else(|| {
                    memory.logins.push((name.clone(), None));
                    memory.logins.len() - 1
                })
            }
            _ => call::LAST,
        };
        call::given(memory.attempt, index)
    }

    /// What logins gave last, by their names.
    pub(super) fn logins(&self) -> Vec<(String, String)> {
        let memory = self.memory();
        let logins = memory.logins.iter();
        logins
            .filter_map(|(name, given)| Some((name.clone(), given.clone()?)))
            .collect()
    }

    /// Whether a question of this attempt may still be answered in another way.
    pub(super) fn is_due(&self) -> bool {
        let memory = self.memory();
        memory.hit_in.is_none_or(|hit_in| hit_in == memory.attempt)
    }

    /// Whether a call is lost before anything is asked, because this adapter asks only where something was lost.
    fn is_lost_first(&self, memory: &Memory, arrival: &Arrival) -> bool {
        let Mishap::Call(mishap) = self.mishap else {
            return false;
        };
        let asks = |one: &Arrival| one.called.role == Role::Find;
        mishap.may_lose_first()
            && memory.attempt == 1
            && arrival.acts == Acts::New
            && !memory.arrivals.iter().any(asks)
    }

    /// Whether something goes wrong with this call.
    fn is_hit(&self, memory: &Memory, arrival: &Arrival) -> bool {
        if memory.attempt == 0 || memory.ended.is_some() {
            return false;
        }
        if self.is_probe {
            return true;
        }
        let is_often = matches!(
            self.mishap,
            Mishap::BusyForever
                | Mishap::Status(401 | 410)
                | Mishap::Redirect
                | Mishap::EchoRefused
        );
        match self.mishap {
            Mishap::QuestionLost => return memory.arrivals.is_empty(),
            Mishap::StopRefused | Mishap::StopSilent => return arrival.stops,
            Mishap::Call(mishap) => {
                return mishap.hits(&arrival.called.role, memory.attempt, memory.hit_in);
            }
            _ => {}
        }
        let is_target = arrival.acts != Acts::Nothing
            && self.target.is_none_or(|target| target == arrival.effect);
        is_target && (is_often || memory.hits == 0)
    }

    /// What goes wrong with it, `hoped` being the answer that is hoped for.
    fn fault(&self, hoped: &Answer, now: Timestamp) -> Option<Fault> {
        let status = hoped.status;
        let plain = |code: u16, retry_after: Option<String>, body: Option<&str>| Fault::Status {
            code,
            retry_after,
            body: body.map(str::to_owned),
        };
        Some(match self.mishap {
            Mishap::None | Mishap::Refuse | Mishap::Receipt | Mishap::Challenge => return None,
            Mishap::Status(code) => plain(code, None, None),
            Mishap::Call(mishap) => return mishap.fault(),
            Mishap::StopRefused => plain(500, None, None),
            Mishap::BusySeconds => plain(429, Some(WISH.to_string()), None),
            Mishap::BusyDate => plain(429, Some(date(now + Duration::from_secs(WISH))), None),
            Mishap::Redirect => Fault::Redirect {
                to: format!("http://{ELSEWHERE}/"),
            },
            Mishap::SlowAnswer => Fault::SlowBody { ms: SHORT },
            Mishap::SlowBody => Fault::SlowBody { ms: HOUR },
            Mishap::Huge => Fault::Huge { bytes: HUGE },
            Mishap::Cut => Fault::Cut,
            Mishap::Garbage => Fault::Garbage,
            Mishap::Reset | Mishap::QuestionLost => Fault::Reset,
            Mishap::Lost => Fault::AcceptedThenLost,
            Mishap::After | Mishap::StopSilent => Fault::After,
            Mishap::Broken => Fault::Broken,
            Mishap::Charset => Fault::Charset,
            Mishap::Stranger => plain(self.strangers_status.unwrap_or(status), None, Some(PAGE)),
            Mishap::SaysFailed => plain(status, None, Some(&refusal::of(&hoped.body))),
            Mishap::Echo => Fault::Echo { code: status },
            Mishap::EchoRefused => Fault::Echo { code: 400 },
            Mishap::Stale if self.has_account => plain(200, None, Some(ENDED)),
            Mishap::Stale | Mishap::BusyForever => plain(503, None, None),
        })
    }
}

/// A host without its port.
pub(super) fn name_of(host: &str) -> &str {
    host.split_once(':').map_or(host, |(name, _)| name)
}

/// The challenge of a receiver that has none of its own (RFC 7616).
const REALM: &str = "kit";
const NONCE: &str = "a2llbS10cmE";

/// What a number that is too old gets in its place, behind it.
const NEWER: &str = "Mg";

fn challenge(realm: &str, nonce: &str, stale: bool) -> Answer {
    let stale = if stale { ", stale=true" } else { "" };
    let value =
        format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"{stale}");
    Answer {
        status: 401,
        headers: vec![("WWW-Authenticate".into(), value)],
        body: Bytes::new(),
    }
}

/// What a receiver says in place of its answer that asks for proofs; `None` where it is content. `own` is a device that asks by
/// itself.
fn challenged(
    request: &Request,
    own: Option<&Answer>,
    counts: bool,
    is_stale: &mut bool,
) -> Option<Answer> {
    let Some(proof) = proof(request) else {
        return match own {
            Some(own) => (own.status == 401).then(|| own.clone()),
            None => Some(challenge(REALM, NONCE, false)),
        };
    };
    if proof.nonce.ends_with(NEWER) {
        return None;
    }
    *is_stale |= counts;
    let newer = format!("{}{NEWER}", proof.nonce);
    is_stale.then(|| challenge(&proof.realm, &newer, true))
}

/// What is given in an attempt where nothing is known of who gives it.
fn given(attempt: u32) -> String {
    call::given(attempt, 0)
}

/// An instant as HTTP writes it.
fn date(at: Timestamp) -> String {
    let micros = u64::try_from(at.as_micros()).unwrap_or_default();
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
}

/// What tells a repetition from something new: a header, or the `id` of a JSON body.
fn key(request: &Request) -> Option<String> {
    let in_header = ["idempotency-key", "webhook-id"]
        .iter()
        .find_map(|name| request.header(name));
    if let Some(key) = in_header {
        return Some(key.to_owned());
    }
    let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
    Some(body.get("id")?.as_str()?.to_owned())
}

/// Whether an answer gives that reference.
fn gives(answer: &Answer, receipt: &str) -> bool {
    let mut headers = answer.headers.iter();
    String::from_utf8_lossy(&answer.body).contains(receipt)
        || headers.any(|(_, value)| value.contains(receipt))
}

/// Whether a request carries what one of the logins before the attempts gave: any of several may have been kept.
fn carries_old(request: &Request, logins: usize) -> bool {
    let old: Vec<String> = (0..logins.max(1))
        .map(|index| call::given(0, index))
        .collect();
    let texts = words::readings(request);
    let mut texts = texts.iter();
    texts.any(|text| old.iter().any(|old| text.contains(old)))
}

impl Stage for Receiver {
    fn play(&self, host: &str, request: &Request, own: &Answer, effect: Effect) -> Played {
        let mut memory = self.memory();
        let hoped = memory.next.take();
        let is_dead = memory.ended.is_some() && carries_old(request, memory.logins.len());
        let (stops, receipt) = (
            std::mem::take(&mut memory.next_stops),
            memory.receipt.take(),
        );
        let called = std::mem::take(&mut memory.next_called);
        let (acts, effect) = match &hoped {
            Some(hoped) => (hoped.acts, Effect::Received),
            None => match effect {
                Effect::Heard | Effect::Published | Effect::Received => (Acts::New, effect),
                Effect::Updated => (Acts::Update, effect),
                Effect::Kept | Effect::Stopped | Effect::Ignored => (Acts::Nothing, effect),
            },
        };
        let answered = memory.ended.clone().filter(|_| is_dead).or(hoped);
        let answer = answered.map(|hoped| Answer {
            status: hoped.status,
            headers: hoped
                .headers
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
            body: hoped.body,
        });
        let mut answer = answer;
        if self.mishap == Mishap::SlowBody
            && let Some(answer) = &mut answer
            && answer.body.is_empty()
        {
            // Nothing cannot come slowly.
            answer.body = Bytes::from_static(b" ");
        }
        let shown = answer.as_ref().unwrap_or(own);
        let mut arrival = Arrival {
            attempt: memory.attempt,
            host: host.to_owned(),
            request: request.clone(),
            acts,
            effect,
            is_done: acts != Acts::Nothing && !is_dead,
            key: key(request),
            answer: shown.body.clone(),
            stops,
            is_hit: false,
            called,
        };
        if let Some(receipt) = receipt.filter(|_| arrival.is_done)
            && answer
                .as_ref()
                .is_some_and(|answer| gives(answer, &receipt))
        {
            memory.hits += 1;
        }
        if self.mishap == Mishap::Challenge && memory.attempt > 0 && name_of(host) == self.host {
            let (own, counts) = (answer.is_none().then_some(own), arrival.is_done);
            if let Some(answer) = challenged(request, own, counts, &mut memory.is_stale) {
                memory.hits += 1;
                (arrival.acts, arrival.is_done) = (Acts::Nothing, false);
                memory.arrivals.push(arrival);
                return Played {
                    answer: Some((answer, Effect::Ignored)),
                    fault: None,
                };
            }
        }
        let is_lost_first = self.is_lost_first(&memory, &arrival);
        let fault = if is_lost_first {
            Some(Fault::AcceptedThenLost)
        } else if self.is_hit(&memory, &arrival) {
            self.fault(shown, memory.now)
        } else {
            None
        };
        memory.hits += u32::from(is_dead);
        if let Some(fault) = &fault {
            arrival.is_hit = !is_lost_first;
            memory.hits += u32::from(arrival.is_hit);
            if arrival.is_hit {
                memory.hit_in = memory.hit_in.or(Some(memory.attempt));
            }
            arrival.is_done &= fault.happens();
        }
        let effect = if acts == Acts::Nothing || is_dead {
            Effect::Ignored
        } else {
            Effect::Received
        };
        // Before anybody consents nothing is sent, and what is asked is none of the scenario's.
        if memory.attempt > 0 {
            memory.arrivals.push(arrival);
        }
        Played {
            answer: answer.map(|answer| (answer, effect)),
            fault,
        }
    }
}

/// Where a request went, with all that tells it from others.
pub(super) fn place(arrival: &Arrival) -> String {
    let request = &arrival.request;
    let mut place = format!("{} {}{}", request.method, arrival.host, request.path);
    if !request.query.is_empty() {
        let _ = write!(place, "?{}", request.query);
    }
    place
}
