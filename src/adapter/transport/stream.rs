//! Streams: sounds that go out at the pace at which they are heard.
//!
//! The call is answered when the stream begins, and the attempt ends with that, as with any loudspeaker. What goes on then is an
//! [`Airing`], which somebody has to look after until it ends ([`Transport::airings`]): it goes on where a broken connection left
//! off, in a new one, as long as all interruptions together do not last longer than a call may, and never longer than if it had
//! begun at its deadline: then it has to be over. In a simulated city nothing is paced: there a stand-in takes the whole sound at
//! once, and the clock need not wait for it.

mod parts;

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use parts::Parts;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{Client, Transport, fault, in_time::in_time, line, read};
use crate::{
    adapter::{Exchange, Fault, Request, Response},
    domain::{
        bulletin::Priority, delivery::Reason, detail::Detail, id::DeliveryId, message::Message,
        time::Timestamp,
    },
};

/// A sound that goes out at the pace at which it is heard. It goes on after its attempt has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// The call; its body is the whole sound. Where its address begins with `tcp:` the sound alone goes out, and what else is in it is
    /// for stand-ins.
    pub request: Request,
    /// Its parts in order, up to its last byte.
    pub pieces: Vec<Piece>,
    /// How many bytes at its beginning everybody needs who begins to listen later.
    pub head: usize,
    /// Whose sound it is.
    pub delivery: DeliveryId,
    /// When it must have begun.
    pub deadline: Timestamp,
    /// Whether it is an emergency, which nothing interrupts.
    pub is_urgent: bool,
    /// Whether what else this node sends to the same address is ended for it.
    pub interrupts: bool,
    /// Whether the receiver says that nobody streams there; `None` where it refuses a second stream by itself. Where somebody does, it
    /// begins only in the place of what this node streams there.
    pub is_free: Option<bool>,
}

impl Stream {
    /// What is said of a sound in `message` by itself: whose it is, until when it must begin, and what it interrupts.
    #[must_use]
    pub fn of(message: &Message, request: Request, pieces: Vec<Piece>) -> Self {
        let is_urgent = message.priority == Priority::Emergency;
        Self {
            request,
            pieces,
            head: 0,
            delivery: message.delivery.clone(),
            deadline: message.deadline,
            is_urgent,
            interrupts: is_urgent || message.preempts,
            is_free: None,
        }
    }
}

/// Whether what was playing was told to stop, which a stream does that takes its place, and did. `streams` says which exchanges are
/// streams. See [`crate::adapter::Adapter::stopped`].
pub(in crate::adapter) fn stopped(
    message: &Message,
    done: &[Exchange],
    is_stream: impl Fn(&Exchange) -> bool,
) -> Option<bool> {
    if !message.preempts || done.is_empty() {
        return None;
    }
    let mut streams = done.iter().filter(|exchange| is_stream(exchange));
    Some(streams.any(|stream| stream.result.as_ref().is_ok_and(Response::is_success)))
}

/// Where a part of a sound ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// In time, from the beginning of the sound.
    pub until: Duration,
    /// In bytes.
    pub end: usize,
}

/// How long a stream stays open after its end was heard: a server drops what it has not passed on when its source leaves.
const TAIL: Duration = Duration::from_millis(500);

/// How long to wait before a broken stream is taken up again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long another stream may take to leave a mount point.
const LEAVING: Duration = Duration::from_secs(2);

/// How long what was sent may stay without a receipt before the connection counts as broken: what is sent meanwhile is lost.
pub(super) const UNHEARD: Duration = Duration::from_secs(5);

/// What is on air, by address.
type OnAir = HashMap<String, Place>;

/// One of them.
#[derive(Debug, Clone)]
struct Place {
    is_urgent: bool,
    /// Ends it.
    cut: CancellationToken,
    /// Says when it has ended.
    ended: watch::Receiver<()>,
}

/// All that is on air through one client.
#[derive(Debug)]
pub(super) struct Air {
    streams: Mutex<OnAir>,
    begun: mpsc::UnboundedSender<Airing>,
    taken: Mutex<Option<mpsc::UnboundedReceiver<Airing>>>,
}

impl Default for Air {
    fn default() -> Self {
        let (begun, taken) = mpsc::unbounded_channel();
        Self {
            streams: Mutex::default(),
            begun,
            taken: Mutex::new(Some(taken)),
        }
    }
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Aired {
    /// All of it was sent, in its time.
    Whole,
    /// An emergency took its place.
    Overtaken {
        /// How much of it had been sent.
        after: Duration,
    },
    /// It was interrupted, and has to be over by now.
    Late {
        /// How much of it had been sent.
        after: Duration,
    },
    /// This program ends.
    Stopped {
        /// How much of it had been sent.
        after: Duration,
    },
    /// The connection broke and could not be taken up again in time.
    Broken {
        /// How much of it had been sent.
        after: Duration,
        /// How it broke.
        fault: Fault,
    },
}

/// A stream that has begun.
pub struct Airing {
    transport: Transport,
    stream: Stream,
    connection: Connection,
    /// When it has to be over.
    over: Instant,
    cut: CancellationToken,
    /// Dropped when this ends.
    ended: watch::Sender<()>,
}

impl std::fmt::Debug for Airing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Airing")
            .field("delivery", &self.stream.delivery)
            .finish_non_exhaustive()
    }
}

/// What became of what was on air at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cleared {
    /// Nothing of ours was.
    Nothing,
    /// It has left.
    Left,
    /// It stays.
    Stays,
}

/// One connection's part of a stream.
struct Connection {
    status: u16,
    /// Comes to its end when the connection does. A line goes on only as long as somebody waits for that, one at a time.
    open: Mutex<BoxFuture<'static, Fault>>,
    /// How many pieces were handed on.
    sent: watch::Receiver<usize>,
    /// When the first of them is heard.
    since: Instant,
    /// The first piece of this connection.
    first: usize,
}

impl Air {
    fn on_air(&self) -> std::sync::MutexGuard<'_, OnAir> {
        // A panic elsewhere leaves the map whole: every change is one insertion or removal.
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until what is on air at an address has left: what precedes is about to end, or is ended.
    async fn clear(&self, url: &str, interrupts: bool) -> Cleared {
        let found = self.on_air().get(url).cloned();
        let Some(mut place) = found else {
            return Cleared::Nothing;
        };
        if interrupts && !place.is_urgent {
            place.cut.cancel();
        }
        let gone = timeout_at(Instant::now() + LEAVING, async {
            while place.ended.changed().await.is_ok() {}
        });
        match gone.await {
            Ok(()) => Cleared::Left,
            Err(_) => Cleared::Stays,
        }
    }
}

impl Transport {
    /// Streams as they begin, for whoever looks after them; `None` for all but the first who asks.
    #[must_use]
    pub fn airings(&self) -> Option<mpsc::UnboundedReceiver<Airing>> {
        let mut taken = self
            .air
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        taken.take()
    }

    /// Begins a stream, until `deadline`. What goes on is among [`Transport::airings`].
    ///
    /// # Errors
    /// A [`Fault`], when no answer came.
    pub async fn stream(
        &self,
        stream: &Stream,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Response, Fault> {
        let last = Instant::now() + stream.deadline.since(now) + stream.length();
        let air = &self.air;
        let cleared = air.clear(&stream.request.url, stream.interrupts).await;
        let is_taken = match stream.is_free {
            // Whether or not it has left, the server says what follows.
            None => false,
            Some(true) => cleared == Cleared::Stays,
            Some(false) => cleared != Cleared::Left,
        };
        if is_taken {
            let detail = Detail::new("call-stream-taken");
            return Err(Fault::never_left(Reason::Busy, detail));
        }
        let client = self.client();
        let connection = match client.connect(stream, 0, (now, deadline)).await? {
            Ok(connection) => connection,
            Err(refusal) => return Ok(refusal),
        };
        let response = Response {
            status: connection.status,
            ..Response::default()
        };
        let cut = CancellationToken::new();
        let (ended, wait) = watch::channel(());
        let place = Place {
            is_urgent: stream.is_urgent,
            cut: cut.clone(),
            ended: wait,
        };
        let url = stream.request.url.to_string();
        self.air.on_air().insert(url, place);
        let airing = Airing {
            transport: self.clone(),
            stream: stream.clone(),
            // What is not interrupted has the time that it takes: it began in time.
            over: last.max(connection.since + stream.length() + TAIL),
            connection,
            cut,
            ended,
        };
        // Where nobody looks after streams any more, this program ends, and the stream with it.
        let _ = self.air.begun.send(airing);
        Ok(response)
    }
}

impl Stream {
    /// How long it is heard.
    fn length(&self) -> Duration {
        let last = self.pieces.last();
        last.map_or(Duration::ZERO, |piece| piece.until)
    }
}

impl Client {
    /// Begins to send from a piece on: the answer's head, or a refusal.
    async fn connect(
        &self,
        stream: &Stream,
        first: usize,
        (now, deadline): (Timestamp, Instant),
    ) -> Result<Result<Connection, Response>, Fault> {
        let (_, from) = begin(&stream.pieces, first);
        let end = stream.pieces.last().map_or(from, |piece| piece.end);
        let data = &stream.request.body;
        let head = if first == 0 {
            Bytes::new()
        } else {
            data.slice(..stream.head)
        };
        let length = head.len() + (end - from);
        let is_paced = self.city.is_none();
        let parts = Parts {
            head,
            data: data.clone(),
            pieces: stream.pieces.clone().into(),
            first,
            is_paced,
            taken: CancellationToken::new(),
        };
        let taken = parts.taken.clone();
        let (handed_on, sent) = watch::channel(first);
        if let (Some(url), None) = (stream.request.url.line(), &self.city) {
            let socket = in_time(deadline, pin!(self.open_line(url))).await;
            let socket = socket.unwrap_or_else(|| Err(fault::late_line()))?;
            // Nobody says anything there.
            taken.cancel();
            return Ok(Ok(Connection {
                status: 200,
                open: Mutex::new(Box::pin(line::feed(socket, parts.stream(handed_on)))),
                sent,
                since: Instant::now(),
                first,
            }));
        }
        let request = Request {
            url: stream.request.url.without_line(),
            ..stream.request.clone()
        };
        let (call, stand_in) = self.prepare(&self.streams, &request).await?;
        let body = reqwest::Body::wrap_stream(parts.stream(handed_on));
        let https = call.https;
        let call = call
            .http
            .header(reqwest::header::CONTENT_LENGTH, length)
            .timeout(stream.length() + self.total_timeout)
            .body(body);
        let sending = in_time(deadline, pin!(call.send())).await;
        let answer = match sending {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err(fault::explain(error, https)),
            None => Err(fault::late()),
        };
        self.settle(stand_in.as_deref(), answer.as_ref().err());
        let answer = answer?;
        if answer.status().is_success() {
            // Who takes streams says so before there is anything to hear; any web server takes what is sent to it, and says so when it
            // has all of it.
            if first == 0 && is_paced && *sent.borrow() == stream.pieces.len() {
                let detail = Detail::new("call-stream-swallowed");
                return Err(Fault::may_have_left(Reason::Unexpected, detail));
            }
            taken.cancel();
            return Ok(Ok(Connection {
                status: answer.status().as_u16(),
                open: Mutex::new(Box::pin(ended(answer))),
                sent,
                since: Instant::now(),
                first,
            }));
        }
        // Whatever becomes of its words, it is a refusal.
        let status = answer.status().as_u16();
        let refusal = timeout_at(deadline, read(answer, self.answer_cap, now)).await;
        Ok(Err(refusal.ok().and_then(Result::ok).unwrap_or(Response {
            status,
            ..Response::default()
        })))
    }
}

/// How an answer ends whose body nobody reads.
async fn ended(mut answer: reqwest::Response) -> Fault {
    loop {
        match answer.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => return fault::closed(),
            Err(error) => return fault::explain_body(error),
        }
    }
}

/// Waits in real time: a stream is heard by people, whatever the daemon's clock says.
#[expect(
    clippy::disallowed_methods,
    reason = "a sound takes the time that it takes; in a simulated city nothing is paced"
)]
async fn sleep_until(instant: Instant) {
    tokio::time::sleep_until(instant).await;
}

/// When a part begins, and with which byte.
fn begin(pieces: &[Piece], at: usize) -> (Duration, usize) {
    match at {
        0 => (Duration::ZERO, 0),
        _ => (pieces[at - 1].until, pieces[at - 1].end),
    }
}

impl Airing {
    /// Whose stream it is.
    #[must_use]
    pub fn delivery(&self) -> &DeliveryId {
        &self.stream.delivery
    }

    /// Looks after the stream until it ends. `stop` ends it.
    pub async fn run(
        mut self,
        stop: CancellationToken,
        clock_now: impl Fn() -> Timestamp,
    ) -> (DeliveryId, Aired) {
        let mut left = self.transport.total_timeout();
        let aired = loop {
            let fault = match self.follow(&stop).await {
                Ok(aired) => break aired,
                Err(fault) => fault,
            };
            let after = self.heard();
            let broke = Instant::now();
            let first = self.place(&fault);
            let until = self.over.min(broke + left);
            match self.reconnect(first, until, &stop, &clock_now).await {
                Some(connection) => self.connection = connection,
                None if self.cut.is_cancelled() => break Aired::Overtaken { after },
                None if stop.is_cancelled() => break Aired::Stopped { after },
                None if Instant::now() >= self.over => break Aired::Late { after },
                None => break Aired::Broken { after, fault },
            }
            left = left.saturating_sub(broke.elapsed());
        };
        let url: &str = &self.stream.request.url;
        let mut on_air = self.transport.air.on_air();
        // Whoever took over has the place by now.
        if on_air
            .get(url)
            .is_some_and(|place| place.ended.same_channel(&self.ended.subscribe()))
        {
            on_air.remove(url);
        }
        drop(on_air);
        let delivery = self.stream.delivery.clone();
        // The connection closes before anybody hears that this has ended.
        drop(self.connection);
        (delivery, aired)
    }

    /// The part that was to be heard when the connection broke: what was sent and not heard yet is lost with it. One that had been
    /// silent broke earlier than that was noticed.
    fn place(&self, fault: &Fault) -> usize {
        let first = self.connection.first;
        let (offset, _) = begin(&self.stream.pieces, first);
        let silence = match fault.reason {
            Reason::Timeout => UNHEARD,
            _ => Duration::ZERO,
        };
        let now = offset + self.connection.since.elapsed().saturating_sub(silence);
        let heard = self
            .stream
            .pieces
            .iter()
            .take_while(|piece| piece.until <= now);
        heard.count().max(first).min(*self.connection.sent.borrow())
    }

    /// How much was sent.
    fn heard(&self) -> Duration {
        match *self.connection.sent.borrow() {
            0 => Duration::ZERO,
            count => self.stream.pieces[count - 1].until,
        }
    }

    /// Waits for the end of this connection: a good one, or how it broke.
    async fn follow(&mut self, stop: &CancellationToken) -> Result<Aired, Fault> {
        let all = self.stream.pieces.len();
        let is_paced = self.transport.client().city.is_none();
        let (offset, _) = begin(&self.stream.pieces, self.connection.first);
        let left = self.stream.length().saturating_sub(offset);
        let end = self.connection.since + left + TAIL;
        let (mut sent, cut) = (self.connection.sent.clone(), self.cut.clone());
        let whole = async {
            // A sender that is gone has sent everything, or its connection is.
            let all_sent = sent.wait_for(|count| *count == all).await.is_ok();
            if !all_sent {
                std::future::pending::<()>().await;
            }
            if is_paced {
                sleep_until(end).await;
            }
        };
        let open = self.connection.open.get_mut();
        let closed = open.unwrap_or_else(PoisonError::into_inner);
        let sent = self.connection.sent.clone();
        tokio::select! {
            biased;
            () = cut.cancelled() => Ok(Aired::Overtaken { after: self.heard() }),
            () = stop.cancelled() => Ok(Aired::Stopped { after: self.heard() }),
            () = whole => Ok(Aired::Whole),
            () = sleep_until(self.over) => Ok(Aired::Late { after: self.heard() }),
            // A server that has taken everything may answer to its end and close.
            fault = closed => if *sent.borrow() == all { Ok(Aired::Whole) } else { Err(fault) },
        }
    }

    /// A new connection from a piece on; `None` where there is none in time.
    async fn reconnect(
        &self,
        first: usize,
        until: Instant,
        stop: &CancellationToken,
        clock_now: impl Fn() -> Timestamp,
    ) -> Option<Connection> {
        let again = async {
            loop {
                sleep_until(Instant::now() + AGAIN).await;
                let client = self.transport.client();
                // Refused or not to be reached: the server may be starting, or still hold the broken stream.
                if let Ok(Ok(connection)) = client
                    .connect(&self.stream, first, (clock_now(), until))
                    .await
                {
                    return connection;
                }
            }
        };
        tokio::select! {
            biased;
            () = self.cut.cancelled() => None,
            () = stop.cancelled() => None,
            connected = timeout_at(until, again) => connected.ok(),
        }
    }
}

#[cfg(test)]
mod tests;
