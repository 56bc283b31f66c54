//! The only HTTP client for channels, and beside it the one for mail.
//!
//! - Each host gets its calls at its pace (`pace`).
//! - A call goes out once: no redirects, no proxy, no retries of the client's own.
//! - An address outside the allow-list gets no connection, and the address that was checked is the one connected to.
//! - An answer is read up to a cap.
//! - A fault says whether the request may have left; where the client does not say, it may have.
//! - A sound that is heard while it is sent goes out at its pace: by HTTP with its length (`stream`), or as it is on a connection of its
//!   own (`line`), under the same allow-list.
//! - What a login gave is held for a while, and given to whoever would make the same one (`logins`).
//! - A letter goes out by SMTP (`mail`), under the same rules.
//! - In a simulation, sockets are opened to loopback only ([`simulated::Loopback`] is the only way to an address).
//! - No address, header or body ever reaches a log or a fault's detail.

mod address;
mod allow;
mod fault;
mod in_time;
mod line;
pub mod logins;
pub mod mail;
mod pace;
pub(super) mod retry_after;
mod simulated;
pub mod stream;

use std::{
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

pub(super) use address::Astray;
pub use address::{Address, host, line_beside, public};
use allow::{AllowList, AllowedResolver, NoResolver};
use bytes::{Bytes, BytesMut};
use in_time::in_time;
use logins::Logins;
use pace::Pace;
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use simulated::{City, Speaks};
use stream::Air;
use tokio::time::Instant;

use super::{Fault, Headers, Request, Response};
use crate::domain::{
    delivery::Reason,
    detail::Detail,
    settings::{AllowRule, Settings},
    time::Timestamp,
};

/// Idle connections are closed after this. Receivers commonly close theirs after 5 s, and a request that crosses such a
/// closing could not be told from one that was read: it would be a false "unknown".
const IDLE: Duration = Duration::from_secs(3);

/// The most bytes of an answer's body that a daemon reads.
pub const ANSWER_CAP: usize = 64 * 1024;

/// How much of an attempt's time has to be left for a call to begin.
fn needed(total_timeout: Duration) -> Duration {
    total_timeout / 5
}

/// How long after an attempt's beginning a call of it may wait for its turn at its host, at the most.
#[must_use]
pub fn last_turn(total_timeout: Duration) -> Duration {
    total_timeout.saturating_sub(needed(total_timeout))
}

/// How calls are made.
#[derive(Debug, Clone, PartialEq)]
pub struct TransportSettings {
    /// Time for finding the address, connecting and the TLS handshake.
    pub connect_timeout: Duration,
    /// Time for a whole call, the answer's body included, and for all calls of one attempt together.
    pub total_timeout: Duration,
    /// Where calls may go.
    pub allow: Vec<AllowRule>,
    /// The most bytes of an answer's body.
    pub answer_cap: usize,
    /// Whether calls go to real channels.
    pub route: Route,
}

/// Where calls end up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Where their addresses say.
    Direct,
    /// At a simulated city's stand-ins on loopback.
    Simulated {
        /// Where the city is asked for the stand-in of a host; a loopback address.
        control: SocketAddr,
    },
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The client could not be made.
    #[error("the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
    /// A simulation must stay on loopback.
    #[error("the simulated city must be at an IPv4 loopback address, and {0} is none")]
    NotLoopback(SocketAddr),
}

/// The client, as the settings in force want it. A call that is under way ends under those with which it began.
/// Clones are one client.
#[derive(Debug, Clone)]
pub struct Transport {
    current: Arc<RwLock<(TransportSettings, Client)>>,
    /// What is on air.
    air: Arc<Air>,
    /// What logins gave.
    logins: Arc<Logins>,
    pace: Arc<Mutex<Pace>>,
}

impl Transport {
    /// Makes the client; opens no connection yet.
    ///
    /// # Errors
    /// [`TransportError`].
    pub fn new(settings: TransportSettings) -> Result<Self, TransportError> {
        let client = Client::new(settings.clone())?;
        Ok(Self {
            current: Arc::new(RwLock::new((settings, client))),
            air: Arc::default(),
            logins: Arc::default(),
            pace: Arc::default(),
        })
    }

    /// Lets each host have at most `per_second` calls a second from now on, whoever makes them. Until then there is no limit.
    pub fn set_pace(&self, per_second: f64) {
        self.pace().set(per_second);
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hosts whose pace leaves no room for a call within `ahead` of `now`, and when the first of them will have some.
    #[must_use]
    pub fn crowded(&self, now: Timestamp, ahead: Duration) -> (Vec<String>, Option<Timestamp>) {
        self.pace().crowded(now, ahead)
    }

    /// Waits until a call to `url` may go by its host's pace. What is urgent goes at once, and counts.
    ///
    /// # Errors
    /// [`Reason::Paced`] where that would leave too little of the time until `deadline`; then it took no place.
    pub(super) async fn turn(
        &self,
        url: &Address,
        now: Timestamp,
        deadline: Instant,
        is_urgent: bool,
    ) -> Result<(), Fault> {
        let Some(host) = url.host() else {
            // What is no address is refused where it is called.
            return Ok(());
        };
        if is_urgent {
            self.pace().pass(&host, now);
            return Ok(());
        }
        // A call that begins too late would be lost for want of time, and a loss is doubt.
        let left = deadline.saturating_duration_since(Instant::now());
        let patience = left.saturating_sub(needed(self.total_timeout()));
        let wait = self.pace().take(&host, now, patience);
        let Some(wait) = wait else {
            let detail = Detail::new("call-paced").with("host", host);
            return Err(Fault::never_left(Reason::Paced, detail));
        };
        if !wait.is_zero() {
            #[expect(
                clippy::disallowed_methods,
                reason = "a receiver takes real time, as the time-outs of calls do; a simulated clock runs no faster meanwhile"
            )]
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    /// Takes the next place at `url`'s host where a call may go at once; says whether it may.
    pub(super) fn turn_now(&self, url: &Address, now: Timestamp) -> bool {
        // What is no address is refused where it is called.
        let Some(host) = url.host() else { return true };
        self.pace().take(&host, now, Duration::ZERO).is_some()
    }

    /// Takes other time-outs and another allow-list for all calls from now on.
    ///
    /// # Errors
    /// [`TransportError::Client`]; then nothing has changed.
    pub fn adopt(&self, settings: &Settings) -> Result<(), TransportError> {
        let before = self.read().0.clone();
        let wanted = TransportSettings {
            connect_timeout: settings.delivery.connect_timeout,
            total_timeout: settings.delivery.total_timeout,
            allow: settings.allow.clone(),
            ..before.clone()
        };
        if wanted != before {
            let client = Client::new(wanted.clone())?;
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = (wanted, client);
        }
        Ok(())
    }

    /// Time for a whole call, and for all calls of one attempt together.
    #[must_use]
    pub fn total_timeout(&self) -> Duration {
        self.read().0.total_timeout
    }

    /// Whether calls are led to a simulated city.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.client().city.is_some()
    }

    /// Whether the simulated city that calls are led to answers; `true` where calls go to real channels.
    pub async fn is_city_there(&self) -> bool {
        let client = self.client();
        match &client.city {
            Some(city) => city.answers(&client.http).await,
            None => true,
        }
    }

    /// Makes one call, in the time for a whole call and at its host's pace. `now` is for a Retry-After that is a date.
    ///
    /// # Errors
    /// A [`Fault`], when no whole answer came.
    pub async fn call(&self, request: &Request, now: Timestamp) -> Result<Response, Fault> {
        self.call_within(request, now, self.total_timeout()).await
    }

    /// The same, in a time of its own.
    ///
    /// # Errors
    /// A [`Fault`], when no whole answer came.
    pub async fn call_within(
        &self,
        request: &Request,
        now: Timestamp,
        time: Duration,
    ) -> Result<Response, Fault> {
        let deadline = Instant::now() + time;
        self.turn(&request.url, now, deadline, false).await?;
        self.call_until(request, now, deadline).await
    }

    /// The same, until `deadline`.
    ///
    /// # Errors
    /// A [`Fault`], when no whole answer came.
    pub async fn call_until(
        &self,
        request: &Request,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Response, Fault> {
        self.client().call(request, now, deadline).await
    }

    /// What logins gave.
    pub(super) fn logins(&self) -> &Logins {
        &self.logins
    }

    fn read(&self) -> RwLockReadGuard<'_, (TransportSettings, Client)> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self) -> Client {
        self.read().1.clone()
    }
}

/// A client of one set of settings. Cloning shares its connections.
#[derive(Debug, Clone)]
struct Client {
    http: reqwest::Client,
    /// The same for streams.
    streams: reqwest::Client,
    allow: Arc<AllowList>,
    city: Option<Arc<City>>,
    answer_cap: usize,
    connect_timeout: Duration,
    total_timeout: Duration,
}

/// A call that is written but for its body.
struct Prepared {
    http: reqwest::RequestBuilder,
    https: bool,
    bodiless: bool,
}

impl Client {
    fn new(settings: TransportSettings) -> Result<Self, TransportError> {
        let allow = Arc::new(AllowList::new(settings.allow));
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("loa/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .no_proxy()
                .http1_only()
                .tcp_nodelay(true)
                .pool_idle_timeout(IDLE)
                .connect_timeout(settings.connect_timeout);
            match settings.route {
                Route::Direct => builder.dns_resolver(AllowedResolver::new(Arc::clone(&allow))),
                Route::Simulated { .. } => builder.dns_resolver(NoResolver),
            }
        };
        let city = match settings.route {
            Route::Direct => None,
            Route::Simulated { control } => Some(Arc::new(
                City::new(control).ok_or(TransportError::NotLoopback(control))?,
            )),
        };
        let http = builder().build().map_err(TransportError::Client)?;
        let streams = builder().tcp_user_timeout(stream::UNHEARD).build();
        Ok(Self {
            http,
            streams: streams.map_err(TransportError::Client)?,
            allow,
            city,
            answer_cap: settings.answer_cap,
            connect_timeout: settings.connect_timeout,
            total_timeout: settings.total_timeout,
        })
    }

    async fn call(
        &self,
        request: &Request,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Response, Fault> {
        let (call, stand_in) = self.prepare(&self.http, request).await?;
        let result = self
            .exchange(call, request.body.clone(), (now, deadline))
            .await;
        self.settle(stand_in.as_deref(), result.as_ref().err());
        result
    }

    /// Writes a call, and finds where it goes: in a simulated city the host whose stand-in takes it.
    async fn prepare(
        &self,
        client: &reqwest::Client,
        request: &Request,
    ) -> Result<(Prepared, Option<String>), Fault> {
        let url = request.url.read()?.clone();
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| Fault::never_left(Reason::Unwritable, Detail::new("call-method")))?;
        let mut headers = headers(&request.headers)?;
        let host = address::bare_host(&url);
        self.allow
            .check_before_connecting(&host, self.city.is_some())?;
        let (url, stand_in) = match &self.city {
            None => (url, None),
            Some(city) => {
                if let Some(original) = address::host_of(&url) {
                    let value =
                        HeaderValue::from_str(&original).map_err(|_| address::not_an_address())?;
                    headers.insert(reqwest::header::HOST, value);
                }
                let stand_in = city.stand_in(&self.http, &host, Speaks::Http).await?;
                (stand_in.redirect(url)?, Some(host))
            }
        };
        let prepared = Prepared {
            https: url.scheme() == "https",
            bodiless: matches!(method, Method::GET | Method::HEAD | Method::DELETE),
            http: client.request(method, url).headers(headers),
        };
        Ok((prepared, stand_in))
    }

    /// The city may have come back with other addresses.
    fn settle(&self, stand_in: Option<&str>, fault: Option<&Fault>) {
        if let (Some(city), Some(host)) = (&self.city, stand_in)
            && fault.is_some_and(|fault| !fault.may_have_left)
        {
            city.forget(host);
        }
    }

    async fn exchange(
        &self,
        call: Prepared,
        body: Bytes,
        (now, deadline): (Timestamp, Instant),
    ) -> Result<Response, Fault> {
        let mut http = call.http;
        if !(body.is_empty() && call.bodiless) {
            http = http.body(body);
        }
        let answer = in_time(deadline, pin!(http.send()))
            .await
            .ok_or_else(fault::late)?
            .map_err(|error| fault::explain(error, call.https))?;
        in_time(deadline, pin!(read(answer, self.answer_cap, now)))
            .await
            .ok_or_else(fault::late_body)?
    }
}

/// An answer to its end.
async fn read(
    mut answer: reqwest::Response,
    cap: usize,
    now: Timestamp,
) -> Result<Response, Fault> {
    let status = answer.status().as_u16();
    let headers: Headers = named(std::mem::take(answer.headers_mut())).collect();
    let retry_after = headers
        .get("retry-after")
        .and_then(|text| retry_after::parse(&text, now));
    let body = read_capped(answer, cap).await?;
    Ok(Response {
        status,
        headers,
        body,
        retry_after,
    })
}

/// Every header with its name: of repeated ones only the first carries it.
fn named(headers: HeaderMap) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let mut last = None;
    headers.into_iter().filter_map(move |(name, value)| {
        last = name.or_else(|| last.take());
        Some((last.clone()?, value))
    })
}

/// What comes of an answer with a larger body.
pub(super) fn too_large(cap: usize) -> Fault {
    let detail = Detail::new("call-too-large").with("bytes", cap);
    Fault::may_have_left(Reason::TooLarge, detail)
}

async fn read_capped(mut answer: reqwest::Response, cap: usize) -> Result<Bytes, Fault> {
    let too_large = || too_large(cap);
    if answer
        .content_length()
        .is_some_and(|length| usize::try_from(length).map_or(true, |length| length > cap))
    {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(fault::explain_body)? {
        if body.len() + chunk.len() > cap {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn headers(given: &[(String, String)]) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let read = HeaderName::from_bytes(name.as_bytes())
            .ok()
            .zip(HeaderValue::from_bytes(value.as_bytes()).ok());
        let Some((name, value)) = read else {
            let detail = Detail::new("call-header").with("name", name.escape_debug());
            return Err(Fault::never_left(Reason::Unwritable, detail));
        };
        headers.append(name, value);
    }
    Ok(headers)
}
