//! One delivery from its first attempt to its end: the adapter decides, the transport calls, and the dispatcher's own rules say
//! what follows. Only the time between attempts is not waited for.

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tracing::instrument::WithSubscriber as _;

use super::{
    NotPlayed, Subject, Try,
    call::Given,
    judge::is_page_told_apart,
    picture,
    receiver::{Arrival, Receiver},
    record::{Log, Notebook},
    scenario::{Expects, Mishap, Scenario},
    sound,
    watched::Watched,
    words,
};
use crate::{
    adapter::{
        Adapter as _, Exchange, Failure, Request, Response,
        attempt::{self, AttemptEnd},
        transport::{ANSWER_CAP, Route, Transport, TransportSettings},
        zalo::oauth::{self, Account, Pair},
    },
    daemon::dispatcher::verdict::conclude,
    domain::{
        bulletin::Priority,
        channel::AdapterConfig,
        delivery::{Reason, State},
        detail::Detail,
        id::{DeliveryId, ScheduleId},
        message::{Content, Kept, Message},
        retry::RetryPolicy,
        secret::Secret,
        settings::AllowRule,
        time::Timestamp,
    },
    simulator::{City, CityHandle, Effect, Fault, FaultOrder},
    store::{Claimed, Finished},
};

/// How deliveries are tried again here.
pub(super) const POLICY: RetryPolicy = RetryPolicy {
    first: Duration::from_secs(5),
    longest: Duration::from_mins(1),
    attempts: 4,
};

/// When everything begins: 25/03/2024 09:00 in Vietnam, a Monday.
const BEGIN: Timestamp = Timestamp::from_micros(1_711_332_000_000_000);

/// How long a delivery may be tried.
pub(super) const AGES: Duration = Duration::from_hours(4);

/// Time for an attempt whose calls are answered: a net, which nothing comes near.
const PLENTY: Duration = Duration::from_mins(2);

/// Time for an attempt in which one call never is, from the shortest on. Where this machine is so busy that the attempt does not
/// even come to that call, the next one is taken: what is found out does not depend on how fast it is.
const LIMITS: [Duration; 5] = [
    Duration::from_millis(150),
    Duration::from_millis(600),
    Duration::from_millis(2_400),
    Duration::from_secs(10),
    Duration::from_secs(40),
];

/// What became of a delivery.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) tries: Vec<Try>,
    pub(super) ends: Vec<Finished>,
    pub(super) arrivals: Vec<Arrival>,
    /// Whether a login of before had ended.
    pub(super) is_login_old: bool,
    /// How often something went wrong as it was to.
    pub(super) hits: u32,
    pub(super) is_stream: bool,
    pub(super) is_mail: bool,
    /// What was given.
    pub(super) given: Vec<Given>,
    /// Whether the device was told to stop and said yes, by attempt.
    pub(super) stopped: Vec<Option<bool>>,
    /// The token of each attempt.
    pub(super) access: Vec<Option<Secret>>,
    pub(super) log: String,
}

/// What became of a question.
#[derive(Debug)]
pub(super) struct Asked {
    /// `None` where the channel cannot be asked.
    pub(super) result: Option<Result<(), Failure>>,
    pub(super) arrivals: Vec<Arrival>,
}

/// A city on whose stage a scenario is played, and whoever calls there.
struct Stage {
    city: CityHandle,
    receiver: Arc<Receiver>,
    watched: Watched,
    /// For calls that are answered.
    transport: Transport,
}

impl Stage {
    async fn set(
        subject: &Subject<'_>,
        scenario: &Scenario,
        target: Option<Effect>,
    ) -> Result<Self, NotPlayed> {
        let has_account = subject.adapter.account().is_some();
        let host = subject.adapter.host();
        let mut receiver = Receiver::new(scenario, target, has_account, host);
        if is_page_told_apart(subject) && subject.adapter.is_status_enough(&message(subject, false))
        {
            // Nobody who answers for a site says "created".
            receiver.strangers_status = Some(200);
        }
        let receiver = Arc::new(receiver);
        let city = City::start_on_stage(Arc::clone(&receiver) as _).await?;
        let watched = Watched {
            inner: Arc::clone(&subject.adapter),
            receiver: Arc::clone(&receiver),
        };
        let transport = transport(city.control(), PLENTY)?;
        Ok(Self {
            city,
            receiver,
            watched,
            transport,
        })
    }

    /// Closes every door, where the scenario wants it.
    async fn close_doors(&self, scenario: &Scenario) -> Result<(), NotPlayed> {
        if scenario.mishap == Mishap::Refuse {
            self.city.fault(FaultOrder::new("*", Fault::Refuse)).await?;
        }
        Ok(())
    }

    /// The first tokens, where calls carry some.
    async fn consent(&self) -> Result<Option<Pair>, NotPlayed> {
        let Some(account) = self.watched.account() else {
            return Ok(None);
        };
        let verifier = Secret::new("kiem-tra-ket-noi-kiem-tra-ket-noi-kiem-tra-ket-noi".to_owned());
        let consent = oauth::visit(&account.consent(&verifier, "kit"));
        let answer = call(&self.transport, consent).await.result;
        let location = answer
            .ok()
            .and_then(|answer: Response| Some(answer.headers.get("location")?.into_owned()));
        let callback = location.as_deref().and_then(oauth::callback);
        let callback = callback.ok_or(NotPlayed::NoConsent)?;
        let exchange = call(&self.transport, account.exchange(&callback.code, &verifier)).await;
        oauth::read(&exchange)
            .map(Some)
            .map_err(|_| NotPlayed::NoConsent)
    }

    /// What the keeper of tokens does when one is refused.
    async fn renew(&self, account: &Account, pair: Pair) -> Pair {
        let exchange = call(&self.transport, account.refresh(&pair.refresh)).await;
        oauth::read(&exchange).unwrap_or(pair)
    }

    /// What an attempt is made with: whoever streams has the place of a stream before it to itself, as after its end.
    fn client(&self, limit: Duration) -> Result<Transport, NotPlayed> {
        if limit == PLENTY && !self.receiver.memory().is_stream {
            return Ok(self.transport.clone());
        }
        transport(self.city.control(), limit)
    }
}

fn transport(control: SocketAddr, total_timeout: Duration) -> Result<Transport, NotPlayed> {
    Ok(Transport::new(TransportSettings {
        connect_timeout: total_timeout,
        total_timeout,
        // Everybody stays on loopback all the same.
        allow: vec![AllowRule::Suffix(String::new())],
        answer_cap: ANSWER_CAP,
        route: Route::Simulated { control },
    })?)
}

async fn call(transport: &Transport, request: Request) -> Exchange {
    let result = transport.call(&request, BEGIN).await;
    Exchange { request, result }
}

pub(super) fn panicked() -> Failure {
    Failure::unknown(Reason::Defect, Detail::new("panic"))
}

/// Sends a message, and sees what becomes of it.
pub(super) async fn deliver(
    subject: &Subject<'_>,
    scenario: &Scenario,
    target: Option<Effect>,
) -> Result<Run, NotPlayed> {
    let never_ends = matches!(
        scenario.mishap,
        Mishap::After | Mishap::SlowBody | Mishap::StopSilent
    );
    if !never_ends {
        return deliver_within(subject, scenario, target, PLENTY).await;
    }
    let mut run = None;
    for limit in LIMITS {
        let tried = deliver_within(subject, scenario, target, limit).await?;
        // What comes after a call that is never answered needs time, too.
        let came_late = (tried.hits == 0 || scenario.mishap == Mishap::StopSilent)
            && tried.ends.first().is_some_and(|end| {
                matches!(
                    end.reason,
                    Some(Reason::Timeout | Reason::Unanswered | Reason::NoConnection)
                )
            });
        run = Some(tried);
        if !came_late {
            break;
        }
    }
    run.ok_or(NotPlayed::NoConsent)
}

async fn deliver_within(
    subject: &Subject<'_>,
    scenario: &Scenario,
    target: Option<Effect>,
    limit: Duration,
) -> Result<Run, NotPlayed> {
    let stage = Stage::set(subject, scenario, target).await?;
    let mut pair = stage.consent().await?;
    stage.close_doors(scenario).await?;
    let (log, notes) = (Log::default(), Notebook::default());
    let mut message = message_of(subject, scenario);
    let mut claimed = claimed(subject, &message);
    let (mut tries, mut ends, mut access) = (Vec::new(), Vec::new(), Vec::new());
    let ended = subject.adapter.ended(&message);
    let ended = ended.filter(|_| scenario.mishap == Mishap::Stale);
    let is_login_old = ended.is_some();
    if let Some(ended) = ended {
        // Something else was sent before, so that there is a login to end.
        stage.receiver.begin(0, BEGIN);
        let before = attempt::attempt(&stage.watched, &message, &notes, &stage.transport, || BEGIN);
        let before = AssertUnwindSafe(before.with_subscriber(log.subscriber()));
        before.catch_unwind().await.ok();
        stage.receiver.end_logins(ended);
    }
    let mut stopped = Vec::new();
    loop {
        let now = claimed.started;
        stage.receiver.begin(claimed.attempt, now);
        message.attempt = claimed.attempt;
        message.sent_at = now;
        message.kept = Kept {
            access: pair.as_ref().map(|pair| pair.access.clone()),
            noted: notes.begin(now),
            ..Kept::default()
        };
        access.push(message.kept.access.clone());
        let limit = if claimed.attempt == 1 { limit } else { PLENTY };
        let transport = stage.client(limit)?;
        let attempt = attempt::attempt(&stage.watched, &message, &notes, &transport, || now);
        let end = AssertUnwindSafe(attempt.with_subscriber(log.subscriber()))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| AttemptEnd::failed(panicked()));
        stopped.push(end.stopped);
        let finished = conclude(&claimed, end, &POLICY, now);
        notes.end(finished.outcome);
        if let (Some(account), Some(Reason::Unauthorised)) =
            (stage.watched.account(), finished.reason)
            && let Some(spent) = pair.take()
        {
            pair = Some(stage.renew(account, spent).await);
        }
        let calls = stage.receiver.memory().calls.last().copied();
        tries.push(Try::of(&finished, calls.unwrap_or_default()));
        claimed.doubt = finished.doubt;
        let next = (finished.next, finished.next_at);
        ends.push(finished);
        let (State::Ready, Some(at)) = next else {
            break;
        };
        (claimed.attempt, claimed.started) = (claimed.attempt + 1, at);
        stage.city.clear_faults().await?;
    }
    stage.city.shutdown().await;
    let mut memory = stage.receiver.memory();
    let (hits, is_stream, is_mail) = (memory.hits, memory.is_stream, memory.is_mail);
    let (arrivals, given) = (
        std::mem::take(&mut memory.arrivals),
        std::mem::take(&mut memory.given),
    );
    drop(memory);
    Ok(Run {
        tries,
        ends,
        arrivals,
        is_login_old,
        hits,
        is_stream,
        is_mail,
        given,
        stopped,
        access,
        log: log.text(),
    })
}

/// Asks whether the channel is alive.
pub(super) async fn ask(subject: &Subject<'_>, scenario: &Scenario) -> Result<Asked, NotPlayed> {
    let stage = Stage::set(subject, scenario, None).await?;
    let pair = stage.consent().await?;
    stage.close_doors(scenario).await?;
    stage.receiver.begin(1, BEGIN);
    let access = pair.as_ref().map(|pair| &pair.access);
    let asked = attempt::probe(&stage.watched, access, &stage.transport, || BEGIN);
    let result = AssertUnwindSafe(asked)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Some(Err(panicked())));
    stage.city.shutdown().await;
    let arrivals = std::mem::take(&mut stage.receiver.memory().arrivals);
    Ok(Asked { result, arrivals })
}

/// The message of a scenario.
fn message_of(subject: &Subject<'_>, scenario: &Scenario) -> Message {
    let is_decomposed = scenario.expects
        == Expects::Arrives {
            is_decomposed: true,
        };
    let mut message = message(subject, is_decomposed);
    if scenario.expects == Expects::ArrivesWhole {
        message.content = words::hard(subject.channel.format);
        message.hash = message.content.hash();
    }
    let stops = scenario.expects.shows_all() && subject.adapter.can_stop();
    if scenario.expects.preempts() || stops {
        (message.priority, message.preempts) = (Priority::Emergency, true);
    }
    if scenario.expects.has_picture() {
        let mut content = Content::clone(&message.content);
        content.picture = Some(picture::named());
        message.hash = content.hash();
        message.content = Arc::new(content);
        message.picture = Some(picture::bytes().into());
    }
    message
}

/// The message of most scenarios.
pub(super) fn message(subject: &Subject<'_>, is_decomposed: bool) -> Message {
    let channel = subject.channel;
    // What people write is composed when their files are read (`source/text`), so no recipe ever sees it otherwise. An adapter in Rust
    // is given it all the same: it has letters of its own to put together.
    let is_recipe = matches!(channel.adapter, AdapterConfig::Recipe { .. });
    let content = words::content(channel.format, is_decomposed && !is_recipe);
    Message {
        delivery: DeliveryId::of(&ScheduleId::by_hand("kit"), BEGIN, &channel.id),
        attempt: 1,
        channel: channel.id.clone(),
        channel_name: channel.name.clone(),
        ward: channel.ward.clone(),
        ward_name: subject.ward_name.to_owned(),
        priority: Priority::Normal,
        preempts: false,
        due: BEGIN,
        deadline: BEGIN + AGES,
        sent_at: BEGIN,
        hash: content.hash(),
        content,
        audio: channel.audio.map(sound::silence),
        picture: None,
        kept: Kept::default(),
    }
}

pub(super) fn claimed(subject: &Subject<'_>, message: &Message) -> Claimed {
    Claimed {
        id: message.delivery.clone(),
        attempt: 1,
        schedule: ScheduleId::by_hand("kit"),
        channel: message.channel.clone(),
        channel_name: message.channel_name.clone(),
        ward: message.ward.clone(),
        ward_name: message.ward_name.clone(),
        priority: message.priority,
        due: message.due,
        deadline: message.deadline,
        latest: message.deadline,
        hash: message.hash.clone(),
        host: subject.adapter.host().to_owned(),
        mode: subject.channel.mode,
        can_ask: subject.adapter.can_ask(),
        doubt: false,
        started: message.sent_at,
    }
}
