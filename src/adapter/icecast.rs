//! A live source for Icecast (<https://gist.github.com/ePirat/adc3b8ba00d85b7e3870>): a ward's loudspeakers listen to a mount
//! point, and a broadcast is a stream that goes there at the pace at which it is heard.
//!
//! - Sent as a `PUT` with its length. Never in chunks: Icecast takes those for sound.
//! - The server answers before it has heard anything. So *accepted* is what it says yes to, and while the sound goes on, `loa` asks
//!   it who listens: with `listeners` in the channel's file, so many listeners are the server's own evidence. Any web server says
//!   yes to a `PUT` somehow; one that has no page of Icecast's, or not this mount point on it, has not said that anybody can listen.
//! - It is told what plays (`/admin/metadata`), for whoever looks at a player.
//! - From then on the stream is looked after by the transport (`transport/stream.rs`): it goes on where a broken connection
//!   left off, and what is never heard to its end is put on record.
//! - An emergency takes the mount over from what this node streams there, and a correction from what it corrects. From others they cannot.

mod pace;

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::{
    Adapter, Exchange, Failure, Hidden, Receipt, Request, Response, Step, classify, few_listen,
    transport::{
        self,
        stream::{self, Stream},
    },
};
use crate::domain::{
    audio::AudioFormat, channel::IcecastConfig, delivery::Reason, detail::Detail, message::Message,
    secret::Secret,
};

/// How long after the beginning the server is asked who listens: listeners need a moment to come back.
const LISTEN: Duration = Duration::from_secs(1);

/// How often a mount point that is in use is asked for in one attempt, and how long to wait in between: a stream that has just
/// ended, or broken, may hold it for a moment.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// A channel that is a mount point.
pub struct IcecastAdapter {
    base: String,
    mount: String,
    host: String,
    proof: Secret,
    secrets: Vec<Secret>,
    listeners: Option<u64>,
}

/// The address is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address is not one that begins with http:// or https://")]
pub struct NoAddress;

impl fmt::Debug for IcecastAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IcecastAdapter")
            .field("host", &self.host)
            .field("mount", &self.mount)
            .finish_non_exhaustive()
    }
}

/// How many listen to a mount point, as `/status-json.xsl` says: `source` is one thing, several, or not there. `None` where
/// nothing plays there; an error where it is no such page.
fn listeners(page: &[u8], mount: &str) -> Result<Option<u64>, ()> {
    let Ok(page) = serde_json::from_slice::<Value>(page) else {
        // In its first moments a server's page is no good JSON (seen at 2.4.4). It is alive, and nothing plays there.
        return if page.starts_with(b"{\"icestats\":") {
            Ok(None)
        } else {
            Err(())
        };
    };
    let server = page.get("icestats").ok_or(())?;
    let sources = match server.get("source") {
        None | Some(Value::Null) => &[],
        Some(Value::Array(several)) => several.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let is_ours = |source: &&Value| {
        let url = source.get("listenurl").and_then(Value::as_str);
        // A mount point may be listed before anybody sends to it.
        let is_live = source.get("stream_start").is_some();
        is_live && url.is_some_and(|url| path(url) == mount)
    };
    let ours = sources.iter().find(is_ours);
    Ok(ours.map(|source| source.get("listeners").and_then(Value::as_u64).unwrap_or(0)))
}

fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

impl IcecastAdapter {
    /// The adapter of one channel.
    ///
    /// # Errors
    /// [`NoAddress`].
    pub fn new(config: &IcecastConfig, password: Secret) -> Result<Self, NoAddress> {
        let proof = STANDARD.encode(format!("{}:{}", config.user, password.expose()));
        let proof = Secret::new(proof);
        Ok(Self {
            base: config.url.trim_end_matches('/').to_owned(),
            mount: format!("/{}", config.mount.trim_start_matches('/')),
            host: transport::host(&config.url).ok_or(NoAddress)?,
            secrets: vec![password, proof.clone()],
            proof,
            listeners: config.listeners,
        })
    }

    fn question(&self, wait: Duration) -> Request {
        Request {
            method: "GET".to_owned(),
            url: format!("{}/status-json.xsl", self.base).into(),
            headers: Vec::new(),
            body: Bytes::new(),
            wait,
            hidden: Hidden::default(),
            login: None,
        }
    }

    /// A question with the password of sources that changes nothing: there is no such mode, and Icecast looks at the password first
    /// (400 then, whether or not the mount point is there, and 401 with another password; seen at 2.4.4).
    fn proof(&self) -> Request {
        let mount = utf8_percent_encode(&self.mount, NON_ALPHANUMERIC);
        let proof = format!("Basic {}", self.proof.expose());
        Request {
            url: format!("{}/admin/metadata?mode=none&mount={mount}", self.base).into(),
            headers: vec![("Authorization".to_owned(), proof)],
            ..self.question(Duration::ZERO)
        }
    }

    fn stream(&self, message: &Message, wait: Duration) -> Result<Stream, Detail> {
        let audio = message
            .audio
            .as_ref()
            .ok_or_else(|| Detail::new("call-no-audio"))?;
        let (pieces, head) =
            pace::pieces(&audio.data).ok_or_else(|| Detail::new("call-icecast-format"))?;
        // Players show these names, and so does the server's own page. Its letters are UTF-8.
        let headers = [
            ("Authorization", format!("Basic {}", self.proof.expose())),
            ("Content-Type", audio.sound.format.media_type().to_owned()),
            ("Ice-Name", words(&message.ward_name)),
            ("Ice-Description", words(&message.content.title)),
            ("Ice-Public", "0".to_owned()),
            ("Idempotency-Key", message.delivery.as_str().to_owned()),
        ];
        let request = Request {
            method: "PUT".to_owned(),
            url: format!("{}{}", self.base, self.mount).into(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: audio.data.clone(),
            ..self.question(wait)
        };
        Ok(Stream {
            head,
            ..Stream::of(message, request, pieces)
        })
    }

    /// Whether somebody else streams there, or too many at once. There is no status for it: only the words tell it from other
    /// refusals.
    fn is_in_use(exchange: &Exchange) -> bool {
        exchange.result.as_ref().is_ok_and(|answer| {
            let text = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
            answer.status == 403 && (text.contains("in use") || text.contains("too many"))
        })
    }

    /// What the answers to the question who listens say of a stream that was taken.
    fn took(&self, done: &[Exchange]) -> Step {
        let asked = done.iter().rev();
        let is_ours =
            |exchange: &&Exchange| exchange.request.method == "GET" && !is_title(exchange);
        let asked = asked.take_while(is_ours);
        let (times, answer) = asked.fold((0, None), |(times, last), exchange| {
            (times + 1, last.or(exchange.result.as_ref().ok()))
        });
        let page = answer.filter(|answer| matches!(answer.status, 200..=399 | 404 | 405 | 410));
        // Where the question gets no answer, or the server is not well, the stream was taken all the same.
        let Some(page) = page else {
            return Step::Accepted(self.receipt(None));
        };
        let counted = if page.is_success() {
            listeners(&page.body, &self.mount)
        } else {
            Err(())
        };
        let code = match counted {
            Ok(Some(count)) => return Step::Accepted(self.receipt(Some(count))),
            // It may have broken a moment ago, and be taken up again.
            Ok(None) if times < TRIES => return Step::Call(self.question(LISTEN)),
            Ok(None) => "call-icecast-absent",
            Err(()) => "call-icecast-none",
        };
        let detail = Detail::new(code).with("mount", &self.mount);
        Step::Failed(Failure::unknown(Reason::Unexpected, detail))
    }

    fn receipt(&self, count: Option<u64>) -> Receipt {
        Receipt::of_stream(count, self.listeners)
    }

    /// Tells the server what is playing, for whoever looks at a player: the title, once the sound is taken. It knows no other letters than
    /// ASCII unless it is told which (`charset`). A sound in Ogg has its words in itself, and the server takes none beside it.
    fn title(&self, message: &Message) -> Option<Request> {
        let audio = message.audio.as_ref()?;
        let title = words(&message.content.title);
        if audio.sound.format != AudioFormat::Mp3 || title.is_empty() {
            return None;
        }
        let [mount, title] =
            [self.mount.as_str(), &title].map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC));
        let url = format!(
            "{}{TITLE}&charset=UTF-8&mount={mount}&song={title}",
            self.base
        );
        Some(Request {
            url: url.into(),
            ..self.proof()
        })
    }
}

/// Where a server is told what is playing.
const TITLE: &str = "/admin/metadata?mode=updinfo";

/// The longest words that are sent to be shown, in letters: each may take nine bytes of an address, and a server takes four thousand.
const LONGEST: usize = 200;

/// Words as they may stand in a header.
fn words(text: &str) -> String {
    let tame = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    let words: String = tame.take(LONGEST).collect();
    words.trim().to_owned()
}

fn is_title(exchange: &Exchange) -> bool {
    exchange.request.url.contains(TITLE)
}

impl Adapter for IcecastAdapter {
    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        let wait = match done {
            [] => Duration::ZERO,
            // Whatever it says to that, it has the sound.
            [.., title] if is_title(title) => return Step::Call(self.question(LISTEN)),
            [.., asked] if asked.request.method == "GET" => return self.took(done),
            [.., stream] if stream.result.as_ref().is_ok_and(Response::is_success) => {
                let title = self.title(message);
                return Step::Call(title.unwrap_or_else(|| self.question(LISTEN)));
            }
            [.., stream] if !Self::is_in_use(stream) => return Step::Failed(classify(stream)),
            _ if done.len() < TRIES => PAUSE,
            _ => {
                let detail = Detail::new("call-icecast-busy").with("mount", &self.mount);
                return Step::Failed(Failure::retry(Reason::Busy, detail));
            }
        };
        match self.stream(message, wait) {
            Ok(stream) => Step::Stream(Box::new(stream)),
            Err(detail) => Step::Failed(Failure::reject(Reason::Unwritable, detail)),
        }
    }

    fn can_stop(&self) -> bool {
        true
    }

    fn stopped(&self, message: &Message, done: &[Exchange]) -> Option<bool> {
        stream::stopped(message, done, |exchange| exchange.request.method == "PUT")
    }

    fn probe(&self, done: &[Exchange]) -> Option<Step> {
        let (asked, proof) = match done {
            [] => return Some(Step::Call(self.question(Duration::ZERO))),
            [asked] => (asked, None),
            [asked, proof, ..] => (asked, Some(proof)),
        };
        Some(match &asked.result {
            Ok(answer) if answer.is_success() => match listeners(&answer.body, &self.mount) {
                Ok(count) => match proof {
                    None => Step::Call(self.proof()),
                    Some(Exchange {
                        result: Ok(answer), ..
                    }) if answer.status != 401 => match self.listeners.zip(count) {
                        Some(few @ (wanted, count)) if count < wanted => {
                            let detail = few_listen(few);
                            Step::Failed(Failure::reject(Reason::Unexpected, detail))
                        }
                        _ => Step::accepted(None),
                    },
                    Some(proof) => Step::Failed(classify(proof).without_effect()),
                },
                Err(()) => Step::Failed(Failure::reject(
                    Reason::Unexpected,
                    Detail::new("call-icecast-no-status"),
                )),
            },
            _ => Step::Failed(classify(asked).without_effect()),
        })
    }

    fn is_status_enough(&self, _: &Message) -> bool {
        // The answer's head comes before the sound is over, and nothing after it has a meaning.
        true
    }

    fn name(&self) -> &'static str {
        "icecast"
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn secrets(&self) -> &[Secret] {
        &self.secrets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_several_or_none() {
        let page = |source: &str| format!(r#"{{"icestats":{{"host":"x"{source}}}}}"#);
        let ours = r#"{"listenurl":"http://x:8000/phuong.ogg","listeners":3,"stream_start":"now"}"#;
        let other = r#"{"listenurl":"http://x:8000/phuong.og","listeners":9,"stream_start":"now"}"#;
        let idle = r#"{"listenurl":"http://x:8000/phuong.ogg","listeners":0}"#;
        for (source, expected) in [
            (String::new(), Ok(None)),
            (format!(r#","source":{ours}"#), Ok(Some(3))),
            (format!(r#","source":[{other},{ours}]"#), Ok(Some(3))),
            (format!(r#","source":[{other}]"#), Ok(None)),
            (format!(r#","source":{idle}"#), Ok(None)),
            (r#","source":null"#.to_owned(), Ok(None)),
        ] {
            let page = page(&source);
            assert_eq!(
                listeners(page.as_bytes(), "/phuong.ogg"),
                expected,
                "{page}"
            );
        }
        let early = br#"{"icestats":"server_start":"Sun","dummy":null}}"#;
        assert_eq!(listeners(early, "/phuong.ogg"), Ok(None));
        for none in ["", "<html>", "{}", "[]"] {
            assert_eq!(listeners(none.as_bytes(), "/phuong.ogg"), Err(()), "{none}");
        }
    }
}
