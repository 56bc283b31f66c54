//! HTTP/1.1 as far as the city speaks it: reading one request at a time from a socket, and writing answers as bytes.
//!
//! Written on raw sockets because faults need what a library hides: broken bodies, resets, bytes that are not HTTP.
//! The reader is strict: CRLF only, no folded headers, either a length or chunks, heads of at most 32 KiB, bodies of
//! at most 4 MiB. What faults do with an answer is in `misbehave`; what an answer says is in `role`.

use std::{borrow::Cow, io, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The largest request line and headers, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// The largest request body, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// The longest line that gives a chunk's size, in bytes.
const MAX_CHUNK_LINE: usize = 256;
/// How long a refused sender may go on sending before the connection is dropped.
const DRAIN: Duration = Duration::from_secs(1);

/// Why a request could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// The connection broke.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// The other side closed before the request was complete.
    #[error("the connection was closed within a request")]
    Closed,
    /// It is not HTTP/1.1 as this reader understands it.
    #[error("malformed request: {0}")]
    Malformed(&'static str),
    /// The head is over its limit.
    #[error("the request's head is over {MAX_HEAD} bytes")]
    HeadTooLarge,
    /// The body is over its limit.
    #[error("the request's body is over {MAX_BODY} bytes")]
    BodyTooLarge,
}

impl WireError {
    /// The status that tells the sender, where there is somebody to tell.
    fn status(&self) -> Option<u16> {
        match self {
            Self::Io(_) | Self::Closed => None,
            Self::Malformed(_) => Some(400),
            Self::HeadTooLarge => Some(431),
            Self::BodyTooLarge => Some(413),
        }
    }
}

/// One request, complete.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without its query, as it was sent.
    pub path: String,
    /// What stands after the question mark, as it was sent.
    pub query: String,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, with chunks joined.
    pub body: Bytes,
    /// Whether the sender wants to go on with this connection.
    pub keep_alive: bool,
}

impl Request {
    /// The first header of this (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first query parameter of this name, decoded.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(key) == name).then(|| percent_decode(value))
        })
    }
}

/// One answer, before any fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers beyond the length and the connection.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A JSON answer.
    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        let json = "application/json; charset=UTF-8".to_owned();
        let headers = vec![("Content-Type".into(), json)];
        Self {
            status,
            headers,
            body: body.to_string().into(),
        }
    }

    /// The same answer with one more header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The head for a body of `length` bytes, up to and including the empty line.
    pub(super) fn head(&self, length: usize, keep_alive: bool) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, phrase(self.status));
        for (name, value) in &self.headers {
            // a header that a fault was told to send must not smuggle in another one
            let value = value.replace(['\r', '\n'], " ");
            head.extend([name.as_ref(), ": ", &value, "\r\n"]);
        }
        let connection = if keep_alive { "keep-alive" } else { "close" };
        head + &format!("Content-Length: {length}\r\nConnection: {connection}\r\n\r\n")
    }

    /// The whole answer.
    pub(super) fn encode(&self, keep_alive: bool) -> Vec<u8> {
        let mut bytes = self.head(self.body.len(), keep_alive).into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// The words after a status. Clients must not read them; people do.
fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Simulated",
    }
}

/// Undoes `%XX` and `+`; what is not such an escape stays as it is.
#[must_use]
pub fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = escaped {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(if first == b'+' { b' ' } else { first });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How the body of a request is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// By its length.
    Length(usize),
    /// In chunks.
    Chunked,
}

/// Reads a head (without its final empty line).
fn parse_head(head: &[u8]) -> Result<(Request, Framing), WireError> {
    let text =
        std::str::from_utf8(head).map_err(|_| WireError::Malformed("the head is not UTF-8"))?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(WireError::Malformed("the request line is not three words"));
    };
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(WireError::Malformed("the method is not a word in capitals"));
    }
    if !target.starts_with('/') || target.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(WireError::Malformed("the target is not a path"));
    }
    let minor = match version {
        "HTTP/1.1" => 1,
        "HTTP/1.0" => 0,
        _ => {
            return Err(WireError::Malformed(
                "the version is not HTTP/1.1 or HTTP/1.0",
            ));
        }
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        ..Request::default()
    };
    for line in lines {
        let (name, value) = line
            .split_once(':')
            .ok_or(WireError::Malformed("a header without a colon"))?;
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(WireError::Malformed("a header's name is not a token"));
        }
        if value
            .bytes()
            .any(|byte| byte.is_ascii_control() && byte != b'\t')
        {
            return Err(WireError::Malformed("a control character in a header"));
        }
        request
            .headers
            .push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let connection = request
        .header("connection")
        .unwrap_or_default()
        .to_ascii_lowercase();
    request.keep_alive = if minor == 1 {
        !connection.contains("close")
    } else {
        connection.contains("keep-alive")
    };
    let framing = framing(&request)?;
    Ok((request, framing))
}

/// Whether a byte may stand in a header's name (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Where the body ends. Both ways at once, or two lengths, are refused: they are how requests are smuggled.
fn framing(request: &Request) -> Result<Framing, WireError> {
    let all = |wanted: &str| {
        request
            .headers
            .iter()
            .filter(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
    };
    match (
        all("content-length")[..].as_ref(),
        all("transfer-encoding")[..].as_ref(),
    ) {
        ([], []) => Ok(Framing::Length(0)),
        ([length], [])
            if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            let length = length.parse().map_err(|_| WireError::BodyTooLarge)?;
            if length > MAX_BODY {
                Err(WireError::BodyTooLarge)
            } else {
                Ok(Framing::Length(length))
            }
        }
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        _ => Err(WireError::Malformed("the body's length is not clear")),
    }
}

/// A connection from the receiver's side.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Wire {
    /// Takes an accepted connection.
    pub(super) fn new(stream: TcpStream) -> Self {
        // answers are small and wanted at once; a socket that cannot do this still works
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            buffer: BytesMut::with_capacity(8 * 1024),
        }
    }

    /// Waits until a request begins. `false` when the other side closed instead. Safe to drop while waiting.
    pub(super) async fn begins(&mut self) -> bool {
        !self.buffer.is_empty()
            || matches!(self.stream.read_buf(&mut self.buffer).await, Ok(count) if count > 0)
    }

    /// Reads the request that has begun.
    pub(super) async fn read(&mut self) -> Result<Request, WireError> {
        let end = self
            .find(b"\r\n\r\n", MAX_HEAD, WireError::HeadTooLarge)
            .await?;
        let head = self.buffer.split_to(end + 4);
        let (mut request, framing) = parse_head(&head[..end])?;
        if request
            .header("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
        {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        request.body = match framing {
            Framing::Length(length) => self.exactly(length).await?,
            Framing::Chunked => self.chunks().await?,
        };
        Ok(request)
    }

    /// Where `needle` begins in what was received, reading on until it is there. At most `limit` bytes come before it.
    async fn find(
        &mut self,
        needle: &[u8],
        limit: usize,
        over: WireError,
    ) -> Result<usize, WireError> {
        let mut searched = 0;
        loop {
            let found = self.buffer[searched..]
                .windows(needle.len())
                .position(|part| part == needle)
                .map(|at| searched + at);
            match found {
                Some(at) if at <= limit => return Ok(at),
                None if self.buffer.len() < limit + needle.len() => {}
                _ => return Err(over),
            }
            searched = self.buffer.len().saturating_sub(needle.len() - 1);
            self.more().await?;
        }
    }

    /// The next `length` bytes.
    async fn exactly(&mut self, length: usize) -> Result<Bytes, WireError> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    /// A body in chunks, joined; trailers are read and forgotten.
    async fn chunks(&mut self) -> Result<Bytes, WireError> {
        const SIZE: WireError = WireError::Malformed("a chunk's size is not a number");
        let mut body = BytesMut::new();
        loop {
            let line = self.line(MAX_CHUNK_LINE).await?;
            let digits = line
                .splitn(2, |byte| *byte == b';')
                .next()
                .unwrap_or_default()
                .trim_ascii();
            let digits = std::str::from_utf8(digits).map_err(|_| SIZE)?;
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(SIZE);
            }
            let size = usize::from_str_radix(digits, 16).map_err(|_| WireError::BodyTooLarge)?;
            if size > MAX_BODY - body.len() {
                return Err(WireError::BodyTooLarge);
            }
            if size == 0 {
                break;
            }
            body.extend_from_slice(&self.exactly(size).await?);
            if !self.line(0).await?.is_empty() {
                return Err(WireError::Malformed("a chunk is longer than its size"));
            }
        }
        let mut trailers = 0;
        loop {
            let line = self.line(MAX_HEAD).await?;
            trailers += line.len();
            if trailers > MAX_HEAD {
                return Err(WireError::HeadTooLarge);
            }
            if line.is_empty() {
                return Ok(body.freeze());
            }
        }
    }

    /// The next line without its end.
    pub(super) async fn line(&mut self, limit: usize) -> Result<BytesMut, WireError> {
        const OVER: WireError = WireError::Malformed("a line within a body in chunks is too long");
        let end = self.find(b"\r\n", limit, OVER).await?;
        let line = self.buffer.split_to(end);
        let _ = self.buffer.split_to(2);
        Ok(line)
    }

    /// Receives something more.
    async fn more(&mut self) -> Result<(), WireError> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(WireError::Closed),
            _ => Ok(()),
        }
    }

    /// Sends bytes.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Tells the sender what was wrong with its request, if it can be told, and ends the connection so that the answer
    /// arrives: closing with unread bytes would take the answer back.
    pub(super) async fn refuse(mut self, error: &WireError) {
        if let Some(status) = error.status() {
            let answer = Answer::json(status, &serde_json::json!({ "error": error.to_string() }));
            if self.write(&answer.encode(false)).await.is_ok() {
                self.close().await;
            }
        }
    }

    /// Ends the connection after everything sent has arrived.
    pub(super) async fn close(mut self) {
        if self.stream.shutdown().await.is_ok() {
            let drained = tokio::time::timeout(DRAIN, self.gone()).await;
            drop(drained); // whether the other side was still sending changes nothing now
        }
    }

    /// Ends the connection as a machine that crashed does: with a reset, throwing away what was not delivered.
    pub(super) fn reset(self) {
        // without the option the socket would close politely, which is a milder fault than was asked for, but still one
        let _ = self.stream.set_zero_linger();
    }

    /// Waits until the other side is gone.
    pub(super) async fn gone(&mut self) {
        loop {
            self.buffer.clear();
            if !matches!(self.stream.read_buf(&mut self.buffer).await, Ok(count) if count > 0) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let (request, framing) = parse_head(
            b"POST /api/speak?id=1&t=a%20b+c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nIdempotency-Key:  k \r\nX-Empty:",
        )
        .unwrap();
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/api/speak")
        );
        assert_eq!(request.header("idempotency-key"), Some("k"));
        assert_eq!(request.header("x-empty"), Some(""));
        assert_eq!(request.parameter("t").as_deref(), Some("a b c"));
        assert_eq!(request.parameter("none"), None);
        assert_eq!(framing, Framing::Length(5));
        assert!(request.keep_alive);
    }

    #[test]
    fn connections_are_kept_as_the_sender_wishes() {
        for (head, kept) in [
            ("GET / HTTP/1.1", true),
            ("GET / HTTP/1.1\r\nConnection: Close", false),
            ("GET / HTTP/1.0", false),
            ("GET / HTTP/1.0\r\nConnection: keep-alive", true),
        ] {
            assert_eq!(
                parse_head(head.as_bytes()).unwrap().0.keep_alive,
                kept,
                "{head}"
            );
        }
    }

    #[test]
    fn doubtful_heads_are_refused() {
        for head in [
            "",
            "GET /",
            "GET / HTTP/2",
            "GET  / HTTP/1.1",
            "get / HTTP/1.1",
            "GET http://elsewhere/ HTTP/1.1",
            "GET / HTTP/1.1\r\nno colon",
            "GET / HTTP/1.1\r\nA: 1\r\n folded",
            "GET / HTTP/1.1\r\nA : 1",
            "GET / HTTP/1.1\nHost: x",
            "GET / HTTP/1.1\r\nContent-Length: -1",
            "GET / HTTP/1.1\r\nContent-Length: +1",
            "GET / HTTP/1.1\r\nContent-Length:",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
            "GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
        ] {
            assert!(
                matches!(parse_head(head.as_bytes()), Err(WireError::Malformed(_))),
                "{head:?}"
            );
        }
        for length in ["4194305", "99999999999999999999999"] {
            let head = format!("GET / HTTP/1.1\r\nContent-Length: {length}");
            assert!(
                matches!(parse_head(head.as_bytes()), Err(WireError::BodyTooLarge)),
                "{length}"
            );
        }
    }

    #[test]
    fn escapes() {
        for (text, decoded) in [
            ("a+b", "a b"),
            ("%C4%91", "đ"),
            ("100%", "100%"),
            ("%zz", "%zz"),
            ("%2", "%2"),
        ] {
            assert_eq!(percent_decode(text), decoded);
        }
    }

    #[test]
    fn a_header_cannot_smuggle_in_another() {
        let answer = Answer::json(429, &serde_json::json!({})).with("Retry-After", "1\r\nX: y");
        let bytes = String::from_utf8(answer.encode(true)).unwrap();
        assert!(bytes.contains("Retry-After: 1  X: y\r\n"), "{bytes}");
        assert!(
            bytes.ends_with("Content-Length: 2\r\nConnection: keep-alive\r\n\r\n{}"),
            "{bytes}"
        );
    }
}
