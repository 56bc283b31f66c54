//! How faults break an answer on its way out. Whether the request had an effect was decided before.

use std::time::Duration;

use super::{
    fault::Fault,
    pause,
    wire::{Answer, Request, Wire},
};

/// How many bytes a cut answer announces and never sends.
const MISSING: usize = 64;
/// In how many pieces a slow body comes.
const PIECES: u32 = 10;
/// How many bytes of a huge body are written at a time.
const BLOCK: usize = 64 * 1024;

/// Sends the `answer` to `request` as the fault would have it. Gives the connection back when it goes on.
pub(super) async fn send(
    mut wire: Wire,
    answer: Answer,
    fault: Option<Fault>,
    request: &Request,
) -> Option<Wire> {
    let keep_alive = request.keep_alive;
    match fault {
        None | Some(Fault::Refuse | Fault::Random { .. }) => plain(wire, &answer, keep_alive).await,
        Some(Fault::Status {
            code,
            retry_after,
            body,
        }) => {
            let mut answer = match body {
                None => Answer::json(code, &serde_json::json!({"error": "simulated"})),
                Some(body) => Answer {
                    status: code,
                    headers: Vec::new(),
                    body: body.into(),
                },
            };
            if let Some(wait) = retry_after {
                answer = answer.with("Retry-After", wait);
            }
            plain(wire, &answer, keep_alive).await
        }
        Some(Fault::Instead { code, body }) => {
            let answer = Answer {
                status: code,
                headers: Vec::new(),
                body: body.into(),
            };
            plain(wire, &answer, keep_alive).await
        }
        Some(Fault::Redirect { to }) => {
            let answer = Answer {
                status: 307,
                headers: Vec::new(),
                body: bytes::Bytes::new(),
            }
            .with("Location", to);
            plain(wire, &answer, keep_alive).await
        }
        Some(Fault::Slow { ms }) => {
            pause(Duration::from_millis(ms)).await;
            plain(wire, &answer, keep_alive).await
        }
        Some(Fault::SlowBody { ms }) => {
            slow_body(wire, &answer, Duration::from_millis(ms), keep_alive).await
        }
        Some(Fault::Cut) => {
            let head = answer.head(answer.body.len() + MISSING, keep_alive);
            let mut bytes = head.into_bytes();
            bytes.extend_from_slice(&answer.body);
            if wire.write(&bytes).await.is_ok() {
                wire.close().await;
            }
            None
        }
        Some(Fault::Huge { bytes }) => huge(wire, &answer, bytes, keep_alive).await,
        Some(Fault::Garbage) => {
            if wire
                .write(b"\x16\x03\x01 this is no HTTP \x00\xff\r\n\r\n")
                .await
                .is_ok()
            {
                wire.close().await;
            }
            None
        }
        Some(Fault::Reset | Fault::AcceptedThenLost) => {
            wire.reset();
            None
        }
        Some(Fault::Hang | Fault::After) => {
            wire.gone().await;
            None
        }
        Some(Fault::Broken) => plain(wire, &broken(answer), keep_alive).await,
        Some(Fault::Charset) => plain(wire, &in_utf_16(&answer), keep_alive).await,
        Some(Fault::Echo { code }) => plain(wire, &echo(code, request), keep_alive).await,
    }
}

/// The same without its end.
fn broken(mut answer: Answer) -> Answer {
    let left = answer.body.len().saturating_sub(1);
    answer.body = [&answer.body[..left], b",\""].concat().into();
    answer
}

/// The same letters in another charset.
fn in_utf_16(answer: &Answer) -> Answer {
    let text = String::from_utf8_lossy(&answer.body);
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    let media = "application/json; charset=UTF-16".to_owned();
    Answer {
        status: answer.status,
        headers: vec![("Content-Type".into(), media)],
        body: units.flat_map(u16::to_le_bytes).collect(),
    }
}

/// What was sent, as many a receiver repeats it in its complaint: in the fields from which clients take what they show.
fn echo(code: u16, request: &Request) -> Answer {
    let headers: Vec<String> = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let said = format!(
        "{} {}?{}\n{}\n\n{}",
        request.method,
        request.path,
        request.query,
        headers.join("\n"),
        String::from_utf8_lossy(&request.body)
    );
    let body = serde_json::json!({ "error": -201, "message": said });
    Answer::json(code, &body)
}

async fn plain(mut wire: Wire, answer: &Answer, keep_alive: bool) -> Option<Wire> {
    wire.write(&answer.encode(keep_alive)).await.ok()?;
    go_on(wire, keep_alive).await
}

async fn slow_body(
    mut wire: Wire,
    answer: &Answer,
    over: Duration,
    keep_alive: bool,
) -> Option<Wire> {
    wire.write(answer.head(answer.body.len(), keep_alive).as_bytes())
        .await
        .ok()?;
    for piece in answer
        .body
        .chunks(answer.body.len().div_ceil(PIECES as usize).max(1))
    {
        pause(over / PIECES).await;
        wire.write(piece).await.ok()?;
    }
    go_on(wire, keep_alive).await
}

async fn huge(mut wire: Wire, answer: &Answer, bytes: u64, keep_alive: bool) -> Option<Wire> {
    let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
    wire.write(answer.head(left, keep_alive).as_bytes())
        .await
        .ok()?;
    let block = vec![b'x'; BLOCK];
    while left > 0 {
        let size = left.min(BLOCK);
        wire.write(&block[..size]).await.ok()?;
        left -= size;
    }
    go_on(wire, keep_alive).await
}

/// Ends the connection if its sender wanted that.
async fn go_on(wire: Wire, keep_alive: bool) -> Option<Wire> {
    if keep_alive {
        return Some(wire);
    }
    wire.close().await;
    None
}
