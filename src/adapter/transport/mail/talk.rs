//! What is said to a mail server, and how its answers are read: commands one at a time, answers up to a cap.

use std::{io, net::SocketAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::{Instant, timeout_at},
};

use super::{COMMAND, Envelope, LETTER, Mail, NOOP, RECIPIENT, no_tls};
use crate::{
    adapter::{
        Fault, Headers, Response,
        transport::{fault, too_large},
    },
    domain::{delivery::Reason, detail::Detail, secret::Secret},
};

/// How long a server may take to say goodbye. What it took it has.
const GOODBYE: Duration = Duration::from_secs(2);

/// The status of an answer that says yes, that it goes on, and that it waits for the letter.
const READY: u16 = 220;
const GO_ON: u16 = 334;
const WRITE: u16 = 354;

/// A connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Any of them.
pub(super) type Socket = Box<dyn Stream>;

/// How far a letter came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The server has said nothing at all.
    Silent,
    /// Its last line is not handed over.
    Before,
    /// It may be there.
    After,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// It did not come in time.
    Late,
    /// The connection broke.
    Io(io::Error),
    /// It was closed, within an answer or (`false`) before one began.
    Closed(bool),
    /// What came is no answer.
    Unreadable,
    /// It is larger than anybody reads.
    TooLarge(usize),
    /// Something is missing that has to be there.
    Missing(Fault),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Broken {
    /// What it means for the letter.
    pub(super) fn fault(self, part: Part) -> Fault {
        let doubt = match self {
            Self::Late => fault::late(),
            Self::Io(error) => Fault::may_have_left(Reason::Reset, fault::met(&error)),
            Self::Closed(false) => Fault::may_have_left(Reason::Reset, Detail::new("call-closed")),
            Self::Closed(true) => Fault::may_have_left(Reason::Cut, Detail::new("call-closed")),
            Self::Unreadable => {
                Fault::may_have_left(Reason::Unreadable, Detail::new("call-mail-no-smtp"))
            }
            Self::TooLarge(cap) => too_large(cap),
            Self::Missing(fault) => return fault,
        };
        match part {
            Part::After => doubt,
            // Whoever expects the other side to begin, as TLS does, says nothing either.
            Part::Silent if doubt.reason == Reason::Timeout => {
                Fault::never_left(Reason::Unanswered, Detail::new("mail-silent"))
            }
            // As with a question before a call: nothing was sent.
            Part::Silent | Part::Before => {
                let detail = Detail::new(&format!("mail-{}", doubt.reason.as_str()));
                Fault::never_left(Reason::Unanswered, detail)
            }
        }
    }
}

/// One answer: all its lines have the same code.
#[derive(Debug, PartialEq, Eq)]
struct Reply {
    code: u16,
    /// Its lines, each with the code.
    text: String,
}

impl Reply {
    fn is_yes(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// What a server says of itself after EHLO: the words of each line behind the first.
    fn offers(&self) -> impl Iterator<Item = &str> {
        self.text.lines().skip(1).filter_map(|line| line.get(4..))
    }

    fn response(self, command: &'static str, recipient: Option<&str>) -> Response {
        let named = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value).ok()?;
            Some((HeaderName::from_static(name), value))
        };
        let headers: Headers = [
            named(COMMAND, command),
            recipient.and_then(|recipient| named(RECIPIENT, recipient)),
        ]
        .into_iter()
        .flatten()
        .collect();
        Response {
            status: self.code,
            headers,
            body: Bytes::from(self.text),
            retry_after: None,
        }
    }
}

/// One connection from our side.
pub(super) struct Session {
    socket: Socket,
    rest: Rest,
    /// How far the letter came.
    pub(super) part: Part,
}

/// What a session is beside its connection.
pub(super) struct Rest {
    /// What came and was not looked at yet.
    buffer: BytesMut,
    /// How many bytes of answers may still come.
    left: usize,
    cap: usize,
    /// How far the letter has come, for the next connection.
    part: Part,
    /// How we are called: an address in brackets, because few machines that run this have a name that others know.
    hello: String,
}

impl Rest {
    /// The same over another connection.
    pub(super) fn over(self, socket: Socket) -> Session {
        Session {
            socket,
            part: self.part,
            rest: self,
        }
    }
}

impl Session {
    pub(super) fn new(socket: Socket, local: SocketAddr, cap: usize) -> Self {
        let hello = match local {
            SocketAddr::V4(local) => format!("[{}]", local.ip()),
            SocketAddr::V6(local) => format!("[IPv6:{}]", local.ip()),
        };
        let rest = Rest {
            buffer: BytesMut::new(),
            left: cap,
            cap,
            part: Part::Silent,
            hello,
        };
        rest.over(socket)
    }

    /// The connection, unless something came that nobody has looked at.
    pub(super) fn into_parts(self) -> (Option<Socket>, Rest) {
        let socket = self.rest.buffer.is_empty().then_some(self.socket);
        let part = self.part;
        (socket, Rest { part, ..self.rest })
    }

    /// Greets the server and asks it to encrypt the connection; a refusal where it will not.
    pub(super) async fn ask_for_tls(&mut self) -> Result<Option<Response>, Broken> {
        let greeting = self.reply().await?;
        if greeting.code != READY {
            return Ok(Some(greeting.response("CONNECT", None)));
        }
        let hello = self.hello().await?;
        if !hello.is_yes() {
            return Ok(Some(hello.response("EHLO", None)));
        }
        if !hello
            .offers()
            .any(|word| word.eq_ignore_ascii_case("STARTTLS"))
        {
            let detail = Detail::new("mail-no-starttls");
            return Err(Broken::Missing(Fault::never_left(Reason::Tls, detail)));
        }
        let answer = self.command("STARTTLS").await?;
        if answer.code != READY {
            return Err(Broken::Missing(no_tls(answer.text)));
        }
        Ok(None)
    }

    /// Everything from the greeting (or after STARTTLS from the second EHLO) to the answer that counts.
    pub(super) async fn talk(
        &mut self,
        mail: &Mail,
        login: Option<&(String, Secret)>,
        is_greeted: bool,
    ) -> Result<Response, Broken> {
        if !is_greeted {
            let greeting = self.reply().await?;
            if greeting.code != READY {
                return Ok(greeting.response("CONNECT", None));
            }
        }
        let hello = self.hello().await?;
        if !hello.is_yes() {
            return Ok(hello.response("EHLO", None));
        }
        if let Some((user, password)) = login {
            let answer = self.log_in(&hello, user, password).await?;
            if !answer.is_yes() {
                return Ok(answer.response("AUTH", None));
            }
        }
        match &mail.envelope {
            Some(envelope) => self.post(envelope, &mail.request.body).await,
            None => Ok(self.command(NOOP).await?.response(NOOP, None)),
        }
    }

    async fn hello(&mut self) -> Result<Reply, Broken> {
        let hello = format!("EHLO {}", self.rest.hello);
        self.command(&hello).await
    }

    async fn log_in(
        &mut self,
        hello: &Reply,
        user: &str,
        password: &Secret,
    ) -> Result<Reply, Broken> {
        let ways: Vec<String> = hello
            .offers()
            .filter_map(|line| {
                let (word, ways) = line.split_at_checked(4)?;
                word.eq_ignore_ascii_case("AUTH").then_some(ways)
            })
            .flat_map(|ways| ways.split([' ', '=']))
            .map(str::to_ascii_uppercase)
            .collect();
        let has = |way: &str| ways.iter().any(|one| one == way);
        if has("PLAIN") {
            let proof = STANDARD.encode(format!("\0{user}\0{}", password.expose()));
            return self.command(&format!("AUTH PLAIN {proof}")).await;
        }
        if !has("LOGIN") {
            let detail = Detail::new("mail-no-login");
            return Err(Broken::Missing(Fault::never_left(
                Reason::Unauthorised,
                detail,
            )));
        }
        let mut answer = self.command("AUTH LOGIN").await?;
        for part in [user, password.expose()] {
            if answer.code != GO_ON {
                break;
            }
            answer = self.command(&STANDARD.encode(part)).await?;
        }
        Ok(answer)
    }

    async fn post(&mut self, envelope: &Envelope, letter: &[u8]) -> Result<Response, Broken> {
        let from = format!("MAIL FROM:<{}>", envelope.from);
        let answer = self.command(&from).await?;
        if !answer.is_yes() {
            return Ok(answer.response("MAIL", None));
        }
        for to in &envelope.to {
            let answer = self.command(&format!("RCPT TO:<{to}>")).await?;
            if !answer.is_yes() {
                return Ok(answer.response("RCPT", Some(to)));
            }
        }
        let answer = self.command("DATA").await?;
        if answer.code != WRITE {
            return Ok(answer.response("DATA", None));
        }
        self.write(&stuffed(letter)).await?;
        self.part = Part::After;
        let answer = self.command(".").await?;
        Ok(answer.response(LETTER, None))
    }

    /// Says goodbye, and does not wait long for the answer.
    pub(super) async fn leave(mut self, deadline: Instant) {
        let soon = deadline.min(Instant::now() + GOODBYE);
        // Whatever becomes of it, the server has said what counts.
        let _ = timeout_at(soon, self.command("QUIT")).await;
    }

    async fn command(&mut self, line: &str) -> Result<Reply, Broken> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.socket.write_all(bytes).await?;
        Ok(self.socket.flush().await?)
    }

    /// Reads one answer to its last line.
    async fn reply(&mut self) -> Result<Reply, Broken> {
        let mut code = None;
        let mut text = String::new();
        loop {
            let line = self.line(!text.is_empty()).await?;
            let (number, is_last) = read_line(&line).ok_or(Broken::Unreadable)?;
            if *code.get_or_insert(number) != number {
                return Err(Broken::Unreadable);
            }
            if !text.is_empty() {
                text.push('\n');
            }
            text += &line;
            if is_last {
                return Ok(Reply { code: number, text });
            }
        }
    }

    /// The next line without its end, and without anything that would move a terminal's cursor.
    async fn line(&mut self, is_within: bool) -> Result<String, Broken> {
        let end = loop {
            if let Some(end) = self.rest.buffer.iter().position(|byte| *byte == b'\n') {
                break end;
            }
            if self.rest.left == 0 {
                return Err(Broken::TooLarge(self.rest.cap));
            }
            let before = self.rest.buffer.len();
            let read = self.socket.read_buf(&mut self.rest.buffer).await?;
            if read == 0 {
                return Err(Broken::Closed(is_within || before > 0));
            }
            self.rest.left = self.rest.left.saturating_sub(read);
            if self.part == Part::Silent {
                self.part = Part::Before;
            }
        };
        let line = self.rest.buffer.split_to(end + 1);
        let line = String::from_utf8_lossy(line.trim_ascii_end());
        Ok(line.replace(char::is_control, " "))
    }
}

/// The code of a line, and whether it is the last: `250-` goes on, `250 ` and `250` end.
fn read_line(line: &str) -> Option<(u16, bool)> {
    let (code, rest) = line.split_at_checked(3)?;
    let is_code = code.bytes().all(|byte| byte.is_ascii_digit());
    let code = code.parse().ok().filter(|code| (200..600).contains(code));
    let is_last = match rest.bytes().next() {
        None | Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    code.filter(|_| is_code).map(|code| (code, is_last))
}

/// A letter as it is sent: lines end with CRLF and nothing else, a line that begins with a dot has one more (RFC 5321, section
/// 4.5.2), so that no line of it is the last.
fn stuffed(letter: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(letter.len() + letter.len() / 64);
    let mut lines = letter.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_none() && line.is_empty() {
            break;
        }
        // A bare CR is a line's end to some servers, and none to others.
        let mut line = line
            .iter()
            .copied()
            .filter(|byte| *byte != b'\r')
            .peekable();
        if line.peek() == Some(&b'.') {
            sent.push(b'.');
        }
        sent.extend(line);
        sent.extend_from_slice(b"\r\n");
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_answers() {
        for (line, read) in [
            ("250 ok", Some((250, true))),
            ("250", Some((250, true))),
            ("250-SIZE 1", Some((250, false))),
            ("599 ", Some((599, true))),
            ("199 x", None),
            ("600 x", None),
            ("25", None),
            ("", None),
            ("+50 ok", None),
            ("250ok", None),
            ("HTTP/1.1 400 Bad Request", None),
            ("25đ ok", None),
        ] {
            assert_eq!(read_line(line), read, "{line}");
        }
    }

    #[test]
    fn no_line_of_a_letter_ends_it() {
        for (letter, sent) in [
            ("a\r\nb\r\n", "a\r\nb\r\n"),
            ("a\nb", "a\r\nb\r\n"),
            (".\r\n..\r\n.a", "..\r\n...\r\n..a\r\n"),
            ("a\r\n.\r\nQUIT\r\n", "a\r\n..\r\nQUIT\r\n"),
            ("a\n.\nMAIL FROM:<x>\n", "a\r\n..\r\nMAIL FROM:<x>\r\n"),
            ("a\r.\r\n", "a.\r\n"),
            ("\r.\r\n", "..\r\n"),
            ("a\n\n\n", "a\r\n\r\n\r\n"),
            ("", ""),
        ] {
            let stuffed = stuffed(letter.as_bytes());
            assert_eq!(String::from_utf8(stuffed).unwrap(), sent, "{letter:?}");
        }
    }
}
