//! Loudspeakers that are clients of a Snapserver (<https://github.com/badaix/snapcast>, version 0.26): all that play a stream play it
//! at the same moment.
//!
//! - The server is asked and told by JSON-RPC over HTTP, and answers 200 to everything: what went wrong is in the answer. It takes
//!   sound on another port, as bare samples, to which it says nothing; where and how they are packed is part of what it says of the
//!   stream. So the channel's file names the stream alone, and nothing in it can disagree with the server.
//! - It lets a second source wait until the first leaves, and then plays what came meanwhile. So nothing is sent to a stream that
//!   plays, but for what takes the place of this node's own.
//! - *Accepted* is a stream that plays a second after the sound began. With `listeners` in the channel's file, so many loudspeakers
//!   that are there and not silenced are the server's own evidence.
//! - From then on the sound is looked after by the transport, as every stream is (`transport/stream.rs`).

mod pcm;
mod status;

use std::{fmt, time::Duration};

use serde_json::{Value, json};

use super::{
    Adapter, Exchange, Failure, Fault, Hidden, Receipt, Request, Step, classify,
    course::{Course, Halt},
    icecast::NoAddress,
    quote,
    transport::{
        self,
        stream::{self, Stream},
    },
};
use crate::domain::{
    audio::RATE, bulletin::Priority, channel::SnapcastConfig, delivery::Reason, detail::Detail,
    message::Message,
};
use pcm::{Format, Samples};
use status::{Group, Odd, Status};

/// How long after the beginning the server is asked what plays and who hears it, and how often.
const LISTEN: Duration = Duration::from_secs(1);
const LOOKS: usize = 2;

/// How often a stream that plays is looked at in one attempt, and how long to wait in between: what has just ended plays on for a
/// moment.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// How many letters of an answer that is not as agreed are told.
const TOLD: usize = 80;

/// JSON-RPC's numbers for calls that are not understood (<https://www.jsonrpc.org/specification>, 5.1). Any other refusal is of this
/// moment: a loudspeaker may have left since it was listed.
const NOT_UNDERSTOOD: [i64; 4] = [-32700, -32600, -32601, -32602];

/// The ports of Snapserver that take no calls over HTTP, where nobody has moved them: one for its loudspeakers, one for calls line by
/// line. That for sound is in [`status`].
const LOUDSPEAKERS: u16 = 1704;
const LINES: u16 = 1705;

/// The server answers each call a second time, with nothing (seen at 0.26.0). On a connection that is used again that would be taken for
/// the next answer.
const HEADERS: [(&str, &str); 2] = [
    ("Content-Type", "application/json"),
    ("Connection", "close"),
];

/// A channel that is a stream.
pub struct SnapcastAdapter {
    config: SnapcastConfig,
    base: String,
    host: String,
}

impl fmt::Debug for SnapcastAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapcastAdapter")
            .field("host", &self.host)
            .field("stream", &self.config.stream)
            .finish_non_exhaustive()
    }
}

/// A call, as it stands in a body.
fn call(id: usize, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// What is wrong with an answer to one call; `None` where it has a result.
fn refusal(answer: &Value) -> Option<Failure> {
    if answer.get("result").is_some() {
        return None;
    }
    let Some(error) = answer.get("error").filter(|error| error.is_object()) else {
        return Some(unlike(&answer.to_string()));
    };
    let code = error.get("code").and_then(Value::as_i64).unwrap_or(0);
    let words = ["message", "data"].map(|name| error.get(name)?.as_str());
    let said: Vec<&str> = words.into_iter().flatten().collect();
    let detail = Detail::new("call-snapcast-error")
        .with("code", code)
        .with("said", quote(&said.join(": "), &[], TOLD));
    Some(if NOT_UNDERSTOOD.contains(&code) {
        Failure::reject(Reason::Unexpected, detail)
    } else {
        Failure::retry(Reason::Unexpected, detail)
    })
}

fn unlike(answer: &str) -> Failure {
    let detail = Detail::new("call-snapcast-answer").with("answer", quote(answer, &[], TOLD));
    Failure::reject(Reason::Unexpected, detail)
}

/// The JSON of an answer to what nobody hears.
fn json_of(exchange: &Exchange) -> Result<Value, Failure> {
    let answer = exchange.result.as_ref().ok();
    let Some(answer) = answer.filter(|answer| answer.is_success()) else {
        return Err(classify(exchange).without_effect());
    };
    serde_json::from_slice(&answer.body).map_err(|_| unlike(&String::from_utf8_lossy(&answer.body)))
}

fn failed(failure: Failure) -> Halt {
    Halt::Failed(failure)
}

fn rejected(detail: Detail) -> Halt {
    Halt::Failed(Failure::reject(Reason::Unexpected, detail))
}

impl SnapcastAdapter {
    /// The adapter of one channel.
    ///
    /// # Errors
    /// [`NoAddress`].
    pub fn new(config: &SnapcastConfig) -> Result<Self, NoAddress> {
        Ok(Self {
            base: config.url.trim_end_matches('/').to_owned(),
            host: transport::host(&config.url).ok_or(NoAddress)?,
            config: config.clone(),
        })
    }

    fn about(&self, code: &str) -> Detail {
        Detail::new(code).with("stream", &self.config.stream)
    }

    fn post(&self, body: &Value, wait: Duration) -> Request {
        Request {
            method: "POST".to_owned(),
            url: format!("{}/jsonrpc", self.base).into(),
            headers: HEADERS
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            body: body.to_string().into(),
            wait,
            hidden: Hidden::default(),
            login: None,
        }
    }

    /// What is this stream doing, and who plays it? The server tells of everything it has; what is named is for whoever reads the
    /// calls, and for stand-ins.
    fn question(&self, wait: Duration) -> Request {
        let params = json!({ "stream": self.config.stream, "group": self.config.group });
        self.post(&call(1, "Server.GetStatus", &params), wait)
    }

    /// What came of asking at a place where nobody answers as the server's control does: what is there instead, as far as that is known.
    fn elsewhere(&self, exchange: &Exchange, failure: Failure) -> Failure {
        let port = self.base.parse::<http::Uri>().ok();
        let port = port.and_then(|address| address.port_u16()).unwrap_or(80);
        let is_sound = status::USUAL_PORT == port;
        let met = match (port, &exchange.result) {
            (LOUDSPEAKERS, _) => "call-snapcast-at-loudspeakers",
            (LINES, _) => "call-snapcast-at-lines",
            _ if is_sound => "call-snapcast-at-sound",
            (_, Ok(answer)) if !answer.is_success() => "call-snapcast-at-other",
            (_, Err(fault)) => match fault.reason {
                Reason::Refused => "call-snapcast-at-nothing",
                Reason::Unreadable => "call-snapcast-at-no-http",
                _ => return failure,
            },
            // What it says is told.
            (_, Ok(_)) => return failure,
        };
        let status = exchange.result.as_ref().map_or(0, |answer| answer.status);
        let detail = Detail::new("call-snapcast-elsewhere").with("url", &self.base);
        let detail = detail.with("port", port).with("status", status);
        failure.saying(detail.with("met", met))
    }

    fn status(&self, exchange: &Exchange) -> Result<Status, Failure> {
        let answer = json_of(exchange).map_err(|failure| self.elsewhere(exchange, failure))?;
        if let Some(failure) = refusal(&answer) {
            return Err(failure);
        }
        Status::read(&answer["result"], &self.config.stream).map_err(|odd| match odd {
            Odd::Unlike => unlike(&answer.to_string()),
            Odd::NoStream(known) => {
                let known = quote(&known.join(", "), &[], TOLD);
                let detail = self.about("call-snapcast-no-stream");
                Failure::reject(Reason::Unexpected, detail.with("streams", known))
            }
        })
    }

    /// The port and the packing of the stream, if it takes sound at a rate.
    fn way_in(&self, status: &Status, rate: u32) -> Result<(u16, Format), Halt> {
        let ours = Format::mono(rate);
        let port = status.port.ok_or_else(|| {
            let source = format!(
                "tcp://0.0.0.0:4953?name={}&mode=server&sampleformat={ours}",
                self.config.stream
            );
            rejected(self.about("call-snapcast-no-line").with("source", source))
        })?;
        match status.format {
            Some(format) if format.takes(rate) => Ok((port, format)),
            other => {
                let theirs = other.map_or_else(|| "?".to_owned(), |format| format.to_string());
                let detail = self.about("call-snapcast-format").with("theirs", theirs);
                Err(rejected(detail.with("ours", ours)))
            }
        }
    }

    /// The groups that play the stream, or are to.
    fn groups<'s>(&self, status: &'s Status) -> Result<Vec<&'s Group>, Halt> {
        let groups = status.groups.iter();
        let Some(wanted) = &self.config.group else {
            return Ok(groups
                .filter(|group| group.stream == self.config.stream)
                .collect());
        };
        let is_wanted = |group: &&Group| group.id == *wanted || group.name == *wanted;
        let found: Vec<&Group> = groups.filter(is_wanted).collect();
        if found.is_empty() {
            let detail = Detail::new("call-snapcast-no-group").with("group", wanted);
            return Err(rejected(detail));
        }
        Ok(found)
    }

    /// What has to be told to the server, so that those are heard who are to be, as loud as they are to be.
    fn wishes(&self, groups: &[&Group]) -> Vec<Value> {
        let mut wishes = Vec::new();
        let mut wish = |method: &str, params: Value| {
            wishes.push(call(wishes.len() + 1, method, &params));
        };
        for group in groups {
            if group.stream != self.config.stream {
                let stream = &self.config.stream;
                wish(
                    "Group.SetStream",
                    json!({ "id": group.id, "stream_id": stream }),
                );
            }
            let Some(percent) = self.config.volume else {
                continue;
            };
            if group.is_muted {
                wish("Group.SetMute", json!({ "id": group.id, "mute": false }));
            }
            for client in &group.clients {
                if client.is_muted || client.percent != u64::from(percent) {
                    let volume = json!({ "percent": percent, "muted": false });
                    wish(
                        "Client.SetVolume",
                        json!({ "id": client.id, "volume": volume }),
                    );
                }
            }
        }
        wishes
    }

    /// Tells it all in one call, and looks at each answer.
    fn arrange(&self, status: &Status, course: &mut Course<'_>) -> Result<(), Halt> {
        let wishes = self.wishes(&self.groups(status)?);
        if wishes.is_empty() {
            return Ok(());
        }
        let count = wishes.len();
        let exchange = course.plain(|| self.post(&Value::Array(wishes), Duration::ZERO))?;
        let answer = json_of(exchange).map_err(failed)?;
        let answers = match &answer {
            Value::Array(answers) if answers.len() == count => answers,
            // One object is a refusal of all of it.
            other => {
                let refused = refusal(other).unwrap_or_else(|| unlike(&other.to_string()));
                return Err(failed(refused));
            }
        };
        answers
            .iter()
            .find_map(refusal)
            .map_or(Ok(()), |failure| Err(failed(failure)))
    }

    fn stream(
        &self,
        message: &Message,
        samples: &Samples,
        (port, format): (u16, Format),
        is_free: bool,
    ) -> Stream {
        let (data, pieces) = samples.packed(format);
        let line = transport::line_beside(&self.config.url, port).unwrap_or_default();
        let headers = [
            ("Content-Type", format.media_type()),
            ("Idempotency-Key", message.delivery.as_str().to_owned()),
        ];
        let request = Request {
            method: "PUT".to_owned(),
            url: line.into(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: data,
            wait: Duration::ZERO,
            hidden: Hidden::default(),
            login: None,
        };
        Stream {
            is_free: Some(is_free),
            ..Stream::of(message, request, pieces)
        }
    }

    fn course(&self, message: &Message, done: &[Exchange]) -> Result<Step, Halt> {
        let unwritable = |code| {
            let detail = Detail::new(code);
            failed(Failure::reject(Reason::Unwritable, detail))
        };
        let audio = message.audio.as_ref();
        let audio = audio.ok_or_else(|| unwritable("call-no-audio"))?;
        let samples = Samples::read(audio.sound.format, &audio.data)
            .ok_or_else(|| unwritable("call-snapcast-wav"))?;
        // Whether it may take the place of what this node streams there is for the transport to say.
        let interrupts = message.preempts || message.priority == Priority::Emergency;
        let mut course = Course::of(done);
        for turn in 0..TRIES {
            let wait = if turn == 0 { Duration::ZERO } else { PAUSE };
            let exchange = course.plain(|| self.question(wait))?;
            let status = self.status(exchange).map_err(failed)?;
            let way_in = self.way_in(&status, samples.rate)?;
            if !status.is_free && !interrupts {
                continue;
            }
            self.arrange(&status, &mut course)?;
            let Some(exchange) = course.next() else {
                let stream = self.stream(message, &samples, way_in, status.is_free);
                return Ok(Step::Stream(Box::new(stream)));
            };
            match &exchange.result {
                Ok(answer) if answer.is_success() => return self.look(&mut course),
                Err(Fault {
                    reason: Reason::Busy,
                    ..
                }) => {}
                _ => return Ok(Step::Failed(classify(exchange))),
            }
        }
        let busy = self.about("call-snapcast-busy");
        Err(failed(Failure::retry(Reason::Busy, busy)))
    }

    /// Looks whether what was sent is heard.
    fn look(&self, course: &mut Course<'_>) -> Result<Step, Halt> {
        for _ in 0..LOOKS {
            let exchange = course.plain(|| self.question(LISTEN))?;
            let Ok(status) = self.status(exchange) else {
                // Whatever goes wrong with the question, somebody takes the sound.
                return Ok(Step::accepted(None));
            };
            if status.is_free {
                continue;
            }
            let count = status.hearing(&self.config.stream).count();
            let count = u64::try_from(count).ok();
            return Ok(Step::Accepted(Receipt::of_stream(
                count,
                self.config.listeners,
            )));
        }
        // What was sent waits somewhere, and may yet be heard.
        let detail = self.about("call-snapcast-idle");
        Err(failed(Failure::unknown(Reason::Unexpected, detail)))
    }

    fn well(&self, done: &[Exchange]) -> Result<Step, Halt> {
        let mut course = Course::of(done);
        let exchange = course.plain(|| self.question(Duration::ZERO))?;
        let status = self.status(exchange).map_err(failed)?;
        self.way_in(&status, RATE)?;
        let groups = self.groups(&status)?;
        let clients = groups.iter().flat_map(|group| &group.clients);
        let count = clients.filter(|client| client.is_connected).count();
        if let Some(wanted) = self.config.listeners
            && u64::try_from(count).unwrap_or(0) < wanted
        {
            let detail = self.about("call-snapcast-few").with("count", count);
            return Err(rejected(detail.with("wanted", wanted)));
        }
        Ok(Step::accepted(None))
    }
}

fn is_sound(exchange: &Exchange) -> bool {
    exchange.request.method == "PUT"
}

impl Adapter for SnapcastAdapter {
    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        self.course(message, done).unwrap_or_else(Step::from)
    }

    fn can_stop(&self) -> bool {
        true
    }

    fn stopped(&self, message: &Message, done: &[Exchange]) -> Option<bool> {
        stream::stopped(message, done, is_sound)
    }

    fn probe(&self, done: &[Exchange]) -> Option<Step> {
        Some(self.well(done).unwrap_or_else(Step::from))
    }

    fn is_status_enough(&self, _: &Message) -> bool {
        // Nobody answers where the sound goes.
        true
    }

    fn name(&self) -> &'static str {
        "snapcast"
    }

    fn host(&self) -> &str {
        &self.host
    }
}
