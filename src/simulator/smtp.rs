//! A mail server of the city: takes letters by SMTP, one after another, from anybody who logs in or does not.
//!
//! A letter is one request, with its Message-ID as the key; what it says is read by a reader of its own and stands in the record.
//! A mailbox shows a letter that comes again once, so a repetition is recognised. `NOOP` is the question whether it is alive. Faults hit
//! letters and that question; those that are ordered for a command (`method`: `EHLO`, `AUTH`, `RCPT`, …) hit that command.

use std::{borrow::Cow, sync::Arc, time::Duration};

use mail_parser::MessageParser;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::{
    fault::Fault,
    memory::{Effect, Kind, Memory},
    pause,
    registry::Registry,
    role::Response,
    wire::{Answer, Request, Wire},
};

/// The longest line that is read, and the largest letter, in bytes.
const MAX_LINE: usize = 4096;
const MAX_LETTER: usize = 4 * 1024 * 1024;

/// In how many pieces a slow answer comes.
const PIECES: u32 = 10;

/// What the callers of a method are told: an answer's status is the code, its body the words.
fn said(code: u16, words: &str) -> Answer {
    Answer {
        status: code,
        headers: Vec::new(),
        body: words.to_owned().into(),
    }
}

/// What a mail server does with a letter or a question; `None` for what is no mail.
pub(super) fn respond(
    memory: &Memory,
    request: &Request,
    recognises_repeats: Option<bool>,
) -> Option<Response> {
    let key = request.header("idempotency-key").map(str::to_owned);
    let is_known = key.as_deref().is_some_and(|key| memory.knows(key));
    let (answer, effect) = match request.method.as_str() {
        "MAIL" if is_known && recognises_repeats.unwrap_or(true) => {
            (said(250, "2.0.0 Ok: there already"), Effect::Ignored)
        }
        "MAIL" => {
            let number = memory.counts.received + 1;
            let words = format!("2.0.0 Ok: queued as {number}");
            (said(250, &words), Effect::Received)
        }
        "NOOP" => (said(250, "2.0.0 Ok"), Effect::Ignored),
        _ => return None,
    };
    let text = request.header("subject").map(|subject| {
        let text = request.header("text").unwrap_or_default();
        let answers = request.header("in-reply-to");
        let answers = answers.map(|id| format!("\n\nIn-Reply-To: {id}"));
        format!("{subject}\n\n{text}{}", answers.unwrap_or_default())
    });
    Some(Response {
        kind: Kind::Mail,
        answer,
        effect,
        key,
        text,
        post: None,
        clip: None,
    })
}

/// A letter as a request: what is in it stands in headers, read.
fn letter(to: &[String], raw: Vec<u8>) -> Request {
    let mut request = Request {
        method: "MAIL".to_owned(),
        path: format!("/{}", to.join(",")),
        ..Request::default()
    };
    if let Some(read) = MessageParser::default().parse(&raw) {
        let parts = [
            ("idempotency-key", read.message_id().map(str::to_owned)),
            ("subject", read.subject().map(str::to_owned)),
            (
                "in-reply-to",
                read.in_reply_to().as_text().map(str::to_owned),
            ),
            ("text", read.body_text(0).map(Cow::into_owned)),
            ("html", read.body_html(0).map(Cow::into_owned)),
        ];
        let parts = parts.into_iter();
        request.headers = parts
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
    }
    request.body = raw.into();
    request
}

/// One caller, as far as he has come.
struct Caller {
    registry: Arc<Registry>,
    host: Arc<str>,
    /// What he said to log in.
    proof: Vec<String>,
    is_greeted: bool,
    from: Option<String>,
    to: Vec<String>,
}

/// Serves one connection, until one side has had enough, or the door closes between two commands.
pub(super) async fn converse(
    registry: Arc<Registry>,
    host: Arc<str>,
    stream: TcpStream,
    idle: CancellationToken,
) {
    let mut wire = Wire::new(stream);
    let mut caller = Caller {
        registry,
        host,
        proof: Vec::new(),
        is_greeted: false,
        from: None,
        to: Vec::new(),
    };
    let greeting = said(220, "simulated ESMTP");
    if wire.write(&encoded(&greeting)).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            () = idle.cancelled() => return,
            begun = wire.begins() => if !begun { return },
        }
        let Ok(line) = wire.line(MAX_LINE).await else {
            return;
        };
        let line = String::from_utf8_lossy(&line).into_owned();
        let is_last = line.eq_ignore_ascii_case("QUIT");
        match caller.answer(wire, &line).await {
            Some(same) if !is_last => wire = same,
            Some(same) => return same.close().await,
            None => return,
        }
    }
}

impl Caller {
    /// Answers one command. Gives the connection back when it goes on.
    async fn answer(&mut self, mut wire: Wire, line: &str) -> Option<Wire> {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let verb = verb.to_ascii_uppercase();
        if verb == "NOOP" {
            let request = Request {
                method: verb,
                ..Request::default()
            };
            let (answer, fault) = self.registry.receive(&self.host, &request);
            return send(wire, &answer, fault, &self.echo(&request)).await;
        }
        let request = Request {
            method: verb.clone(),
            path: format!("/{argument}"),
            ..Request::default()
        };
        // A fault ordered for `MAIL` is meant for the letter.
        if verb != "MAIL"
            && let Some(fault) = self.registry.trip(&self.host, &request)
        {
            let happens = fault.happens();
            let answer = if happens {
                self.obey(&verb, argument)
            } else {
                said(250, "2.0.0 Ok")
            };
            return send(wire, &answer, Some(fault), &self.echo(&request)).await;
        }
        if verb == "AUTH" {
            return self.log_in(wire, argument).await;
        }
        let answer = self.obey(&verb, argument);
        wire.write(&encoded(&answer)).await.ok()?;
        if answer.status != 354 {
            return Some(wire);
        }
        let raw = read_letter(&mut wire).await?;
        let request = letter(&self.to, raw);
        (self.from, self.to) = (None, Vec::new());
        let (answer, fault) = self.registry.receive(&self.host, &request);
        send(wire, &answer, fault, &self.echo(&request)).await
    }

    /// What a command does and is answered, where nothing goes wrong.
    fn obey(&mut self, verb: &str, argument: &str) -> Answer {
        let address = |prefix: &str| {
            let (word, rest) = argument.split_at_checked(prefix.len())?;
            let rest = word.eq_ignore_ascii_case(prefix).then_some(rest)?;
            let (address, _) = rest.trim().strip_prefix('<')?.split_once('>')?;
            Some(address.to_owned())
        };
        match verb {
            "EHLO" | "HELO" => {
                self.is_greeted = true;
                (self.from, self.to) = (None, Vec::new());
                said(
                    250,
                    "simulated\nAUTH PLAIN LOGIN\n8BITMIME\nENHANCEDSTATUSCODES",
                )
            }
            "RSET" => {
                (self.from, self.to) = (None, Vec::new());
                said(250, "2.0.0 Ok")
            }
            "QUIT" => said(221, "2.0.0 Bye"),
            "MAIL" if self.is_greeted && self.from.is_none() => match address("FROM:") {
                Some(from) => {
                    self.from = Some(from);
                    said(250, "2.1.0 Ok")
                }
                None => said(501, "5.1.7 No such sender"),
            },
            "RCPT" if self.from.is_some() => match address("TO:") {
                Some(to) if to.contains('@') => {
                    self.to.push(to);
                    said(250, "2.1.5 Ok")
                }
                _ => said(501, "5.1.3 No such recipient"),
            },
            "DATA" if !self.to.is_empty() => said(354, "End with a dot"),
            "MAIL" | "RCPT" | "DATA" => said(503, "5.5.1 Out of order"),
            _ => said(500, "5.5.2 No such command"),
        }
    }

    /// Believes whatever it is told, and remembers it for those who want it repeated.
    async fn log_in(&mut self, mut wire: Wire, argument: &str) -> Option<Wire> {
        let (way, first) = argument.split_once(' ').unwrap_or((argument, ""));
        let wanted = match way.to_ascii_uppercase().as_str() {
            "PLAIN" if !first.is_empty() => 0,
            "PLAIN" => 1,
            "LOGIN" => 2,
            _ => {
                let refusal = encoded(&said(504, "5.5.4 No such way"));
                wire.write(&refusal).await.ok()?;
                return Some(wire);
            }
        };
        self.proof = vec![argument.to_owned()];
        for _ in 0..wanted {
            wire.write(&encoded(&said(334, ""))).await.ok()?;
            let line = wire.line(MAX_LINE).await.ok()?;
            self.proof.push(String::from_utf8_lossy(&line).into_owned());
        }
        wire.write(&encoded(&said(235, "2.7.0 Welcome")))
            .await
            .ok()?;
        Some(wire)
    }

    /// All that was said, for a server that repeats it.
    fn echo(&self, request: &Request) -> String {
        format!(
            "{} {}\n{}\n{}",
            request.method,
            request.path,
            self.proof.join("\n"),
            String::from_utf8_lossy(&request.body)
        )
    }
}

/// Reads a letter up to its last line, which is a dot.
async fn read_letter(wire: &mut Wire) -> Option<Vec<u8>> {
    let mut letter = Vec::new();
    loop {
        let line = wire.line(MAX_LINE).await.ok()?;
        let line = match line.strip_prefix(b".") {
            Some(b"") => return Some(letter),
            Some(rest) => rest,
            None => &line[..],
        };
        if letter.len() + line.len() > MAX_LETTER {
            return None;
        }
        letter.extend_from_slice(line);
        letter.extend_from_slice(b"\r\n");
    }
}

/// An answer as it is written: every line but the last says that it goes on.
fn encoded(answer: &Answer) -> Vec<u8> {
    let words = String::from_utf8_lossy(&answer.body);
    let mut lines: Vec<&str> = words.lines().collect();
    if lines.is_empty() {
        lines.push("");
    }
    let last = lines.len() - 1;
    let written = lines.iter().enumerate().map(|(at, line)| {
        let sign = if at == last { ' ' } else { '-' };
        format!("{}{sign}{}\r\n", answer.status, line.trim_end())
    });
    written.collect::<String>().into_bytes()
}

/// Sends an answer as the fault would have it. Gives the connection back when it goes on.
async fn send(mut wire: Wire, answer: &Answer, fault: Option<Fault>, all: &str) -> Option<Wire> {
    let bytes = encoded(answer);
    let bytes = match fault {
        None | Some(Fault::Refuse | Fault::Random { .. }) => bytes,
        Some(Fault::Status { code, body, .. }) => {
            // What HTTP calls 503, mail calls 421: 503 is a command out of order here.
            let code = if code == 503 { 421 } else { code };
            encoded(&said(code, body.as_deref().unwrap_or("simulated")))
        }
        Some(Fault::Redirect { to }) => encoded(&said(551, &format!("5.1.6 Try {to}"))),
        Some(Fault::Instead { code, body }) => encoded(&said(code, &body)),
        Some(Fault::Echo { code }) => encoded(&said(code, all)),
        Some(Fault::Slow { ms }) => {
            pause(Duration::from_millis(ms)).await;
            bytes
        }
        Some(Fault::SlowBody { ms }) => {
            let over = Duration::from_millis(ms);
            for piece in bytes.chunks(bytes.len().div_ceil(PIECES as usize).max(1)) {
                pause(over / PIECES).await;
                wire.write(piece).await.ok()?;
            }
            return Some(wire);
        }
        Some(Fault::Huge { bytes }) => {
            let length = usize::try_from(bytes).unwrap_or(usize::MAX);
            [b"250 ".as_slice(), &vec![b'x'; length], b"\r\n"].concat()
        }
        Some(Fault::Charset) => {
            let words = String::from_utf8_lossy(&answer.body);
            let words: Vec<u8> = words.encode_utf16().flat_map(u16::to_le_bytes).collect();
            [b"\xff\xfe".as_slice(), &words, b"\r\n"].concat()
        }
        Some(Fault::Cut | Fault::Broken) => {
            let half = &bytes[..bytes.len() / 2];
            if wire.write(half).await.is_ok() {
                wire.close().await;
            }
            return None;
        }
        Some(Fault::Garbage) => {
            let garbage = b"\x16\x03\x01 this is no SMTP \x00\xff\r\n";
            if wire.write(garbage).await.is_ok() {
                wire.close().await;
            }
            return None;
        }
        Some(Fault::Reset | Fault::AcceptedThenLost) => {
            wire.reset();
            return None;
        }
        Some(Fault::Hang | Fault::After) => {
            wire.gone().await;
            return None;
        }
    };
    wire.write(&bytes).await.ok()?;
    Some(wire)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_several_lines() {
        for (words, written) in [
            ("Ok", "250 Ok\r\n"),
            ("", "250 \r\n"),
            ("a\nb\r\nc", "250-a\r\n250-b\r\n250 c\r\n"),
        ] {
            let bytes = encoded(&said(250, words));
            assert_eq!(String::from_utf8(bytes).unwrap(), written);
        }
    }

    #[test]
    fn a_letter_is_read_and_taken_once() {
        let raw = "Message-ID: <k@vinh.example>\r\nSubject: =?utf-8?b?Q+G6o25oIGdpw6Fj?=\r\nContent-Type: text/plain; charset=utf-8\r\n\
                   Content-Transfer-Encoding: base64\r\n\r\nxJDhu6tuZyBi4bqlbS4=\r\n";
        let request = letter(&["a@vinh.example".to_owned()], raw.as_bytes().to_vec());
        let response = respond(&Memory::default(), &request, None).unwrap();
        assert_eq!(response.key.as_deref(), Some("k@vinh.example"));
        let text = response.text.as_deref().map(str::trim_end);
        assert_eq!(text, Some("Cảnh giác\n\nĐừng bấm."));
        assert_eq!(
            (response.kind, response.effect),
            (Kind::Mail, Effect::Received)
        );
    }
}
