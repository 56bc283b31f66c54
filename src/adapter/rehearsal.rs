//! An attempt without a network: which requests an adapter would make, one after another, and what given answers would be
//! taken for.

use http::{HeaderName, HeaderValue};

use super::{
    Exchange, Failure, Fault, Headers, Receipt, Request, Response, Step,
    transport::{ANSWER_CAP, retry_after, too_large},
};
use crate::domain::{delivery::Reason, detail::Detail, time::Timestamp};

/// What an answer is, or why there is none.
pub type Answer = Result<Response, Fault>;

/// How far an attempt came.
#[derive(Debug)]
pub struct Rehearsal {
    /// The calls that were answered.
    pub exchanges: Vec<Exchange>,
    /// Where it stands after them.
    pub end: End,
    /// Answers that nothing asked for.
    pub unused: usize,
}

/// Where an attempt stands.
#[derive(Debug)]
pub enum End {
    /// This call has no answer yet.
    Waits(Box<Request>),
    /// The channel took it.
    Accepted(Receipt),
    /// It did not.
    Failed(Failure),
}

/// Goes through the steps of an attempt as far as `answers` go; `None` where there is no such attempt.
pub fn rehearse(
    step: impl Fn(&[Exchange]) -> Option<Step>,
    answers: Vec<Answer>,
) -> Option<Rehearsal> {
    let mut exchanges = Vec::new();
    let mut answers = answers.into_iter();
    let end = loop {
        match step(&exchanges)? {
            Step::Call(request) => match answers.next() {
                Some(result) => exchanges.push(Exchange { request, result }),
                None => break End::Waits(Box::new(request)),
            },
            Step::Stream(stream) => match answers.next() {
                Some(result) => exchanges.push(Exchange {
                    request: stream.request,
                    result,
                }),
                None => break End::Waits(Box::new(stream.request)),
            },
            Step::Mail(mail) => match answers.next() {
                Some(result) => exchanges.push(Exchange {
                    request: mail.request,
                    result,
                }),
                None => break End::Waits(Box::new(mail.request)),
            },
            Step::Accepted(receipt) => break End::Accepted(receipt),
            Step::Failed(failure) => break End::Failed(failure),
        }
    };
    Some(Rehearsal {
        exchanges,
        end,
        unused: answers.len(),
    })
}

/// A text that is no row of answers, and in which line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswers {
    /// An answer does not begin here.
    #[error("line {0} begins no answer")]
    Status(usize),
    /// This is no header.
    #[error("line {0} is no header")]
    Header(usize),
}

/// What stands for an answer that never came.
const FAULTS: [&str; 4] = ["!refused", "!timeout", "!reset", "!cut"];

/// Answers as `curl -si` shows them, one after another: a status line, headers, an empty line, and the body up to the next line
/// that begins an answer. The last line's end is no part of a body, and what `Content-Length` says does not matter:
/// whoever edits an answer does not count. Interim answers (1xx) are passed over. In place of an answer may stand `!refused`
/// (never left), or `!timeout`, `!reset` or `!cut` (may have left). `now` is for a Retry-After that is a date.
///
/// # Errors
/// [`NoAnswers`], with the line counted from 1.
pub fn answers(text: &[u8], now: Timestamp) -> Result<Vec<Answer>, NoAnswers> {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let mut lines = lines.enumerate().peekable();
    let mut answers = Vec::new();
    while let Some((number, line)) = lines.next() {
        let first = trimmed(line);
        if first.is_empty() {
            continue;
        }
        if let Some(fault) = fault(first) {
            answers.push(Err(fault));
            continue;
        }
        let status = status(first).ok_or(NoAnswers::Status(number + 1))?;
        let mut headers = Vec::new();
        while let Some((number, line)) = lines.next_if(|(_, line)| !begins(line)) {
            let line = trimmed(line);
            if line.is_empty() {
                break;
            }
            headers.push(header(line).ok_or(NoAnswers::Header(number + 1))?);
        }
        let mut body = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| !begins(line)) {
            body.extend_from_slice(line);
        }
        for end in [b'\n', b'\r'] {
            if body.last() == Some(&end) {
                body.pop();
            }
        }
        let headers: Headers = headers.into_iter().collect();
        let retry_after = headers
            .get("retry-after")
            .and_then(|text| retry_after::parse(&text, now));
        if body.len() > ANSWER_CAP {
            answers.push(Err(too_large(ANSWER_CAP)));
        } else if status >= 200 {
            answers.push(Ok(Response {
                status,
                headers,
                body: body.into(),
                retry_after,
            }));
        }
    }
    Ok(answers)
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

/// Whether a line begins an answer.
fn begins(line: &[u8]) -> bool {
    let line = trimmed(line);
    status(line).is_some() || FAULTS.iter().any(|word| word.as_bytes() == line)
}

/// The status of a line as `HTTP/1.1 200 OK` or `HTTP/2 200`.
fn status(line: &[u8]) -> Option<u16> {
    let rest = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/")?;
    let mut words = rest.split(' ');
    let version = words.next()?;
    let is_version =
        !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let status = words.next()?.parse().ok()?;
    (is_version && (100..600).contains(&status)).then_some(status)
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(line[..colon].trim_ascii()).ok()?;
    let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
    Some((name, value))
}

/// The fault that a word stands for, as the transport tells it.
fn fault(line: &[u8]) -> Option<Fault> {
    let lost = |reason, code| Fault::may_have_left(reason, Detail::new(code));
    Some(match line {
        b"!refused" => Fault::never_left(Reason::Refused, Detail::new("call-refused")),
        b"!timeout" => lost(Reason::Timeout, "call-timeout"),
        b"!reset" => lost(Reason::Reset, "call-reset"),
        b"!cut" => lost(Reason::Cut, "call-closed"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn read(text: &str) -> Vec<Answer> {
        answers(text.as_bytes(), NOW).unwrap()
    }

    #[test]
    fn answers_are_read_as_curl_shows_them() {
        let read = read(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{\"id\": \
             7}\r\n\n!timeout\nHTTP/2 503\nretry-after: 120\n\nHTTP/2 204\n",
        );
        let seen: Vec<_> = read
            .iter()
            .map(|answer| match answer {
                Ok(answer) => (
                    answer.status,
                    String::from_utf8_lossy(&answer.body).into_owned(),
                ),
                Err(fault) => (0, fault.reason.as_str().to_owned()),
            })
            .collect();
        assert_eq!(
            seen,
            [
                (202, "{\"id\": 7}\r\n".to_owned()),
                (0, "timeout".to_owned()),
                (503, String::new()),
                (204, String::new()),
            ]
        );
        let wait = read[2].as_ref().unwrap().retry_after;
        assert_eq!(wait, Some(std::time::Duration::from_mins(2)));
        assert!(answers(b"", NOW).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_answer_is_said_with_its_line() {
        for (text, wrong) in [
            ("{\"ok\": true}\n", NoAnswers::Status(1)),
            ("\n\nHTTP/x 200\n", NoAnswers::Status(3)),
            ("HTTP/1.1 200 OK\nContent-Type\n\n", NoAnswers::Header(2)),
            ("HTTP/1.1 2000 OK\n", NoAnswers::Status(1)),
            ("!lost\n", NoAnswers::Status(1)),
        ] {
            assert_eq!(answers(text.as_bytes(), NOW).unwrap_err(), wrong, "{text}");
        }
    }
}
