//! The sink: stands for every channel, answers 202 as fast as one thread can, counts, and recognises repeats by their
//! `Idempotency-Key`. `GET /_stats` says what arrived; `GET /_wait?n=N` says it once N different keys have.
//!
//! It reads just as much HTTP as the subjects speak: heads, and bodies with a length.

use std::{cell::RefCell, collections::HashSet, io::Write as _, net::Ipv4Addr, rc::Rc};

use anyhow::{Context as _, bail};
use bytes::{Buf as _, BytesMut};
use loa::clock::Clock;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::LocalSet,
};

/// What every delivery is answered.
const QUEUED: &[u8] =
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 19\r\n\r\n{\"status\":\"queued\"}";

/// What has arrived.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Arrived {
    /// Different keys.
    pub(crate) unique: u64,
    /// Deliveries whose key had arrived before.
    pub(crate) repeats: u64,
    /// Deliveries without a key.
    pub(crate) without_key: u64,
    /// Bytes of bodies.
    pub(crate) bytes: u64,
    /// When the first came, in microseconds of the machine's clock.
    pub(crate) first_us: i64,
    /// When the last came.
    pub(crate) last_us: i64,
}

#[derive(Debug, Default)]
struct Sink {
    arrived: RefCell<Arrived>,
    keys: RefCell<HashSet<Vec<u8>>>,
    more: Notify,
}

/// Serves until its input ends.
pub(crate) fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
        let sink = Rc::new(Sink::default());
        let mut input = tokio::task::spawn_blocking(|| {
            std::io::copy(&mut std::io::stdin(), &mut std::io::sink())
        });
        loop {
            tokio::select! {
                _ = &mut input => return Ok(()),
                accepted = listener.accept() => {
                    let (stream, _) = accepted?;
                    stream.set_nodelay(true)?;
                    let sink = Rc::clone(&sink);
                    // a connection that breaks is missing in the counts, which is how the benchmark notices
                    tokio::task::spawn_local(async move { drop(converse(&sink, stream).await) });
                }
            }
        }
    })
}

async fn converse(sink: &Sink, mut stream: TcpStream) -> anyhow::Result<()> {
    let clock = Clock::system();
    let mut buffer = BytesMut::with_capacity(16 * 1024);
    loop {
        let Some(end) = buffer.windows(4).position(|part| part == b"\r\n\r\n") else {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let head = Head::read(&buffer[..end])?;
        buffer.advance(end + 4);
        while buffer.len() < head.length {
            if stream.read_buf(&mut buffer).await? == 0 {
                bail!("a body was cut");
            }
        }
        buffer.advance(head.length);
        match head.asks {
            Asks::Deliver { key } => {
                sink.take(key, head.length, clock.now().as_micros());
                stream.write_all(QUEUED).await?;
            }
            Asks::Stats { wait_for } => {
                while sink.arrived.borrow().unique < wait_for {
                    sink.more.notified().await;
                }
                let body = serde_json::to_string(&*sink.arrived.borrow())?;
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                return Ok(stream.write_all(answer.as_bytes()).await?);
            }
        }
    }
}

impl Sink {
    fn take(&self, key: Option<Vec<u8>>, length: usize, now_us: i64) {
        let mut arrived = self.arrived.borrow_mut();
        arrived.bytes += length as u64;
        arrived.last_us = now_us;
        if let Some(key) = key {
            let new = self.keys.borrow_mut().insert(key);
            if new && arrived.unique == 0 {
                arrived.first_us = now_us;
            }
            arrived.unique += u64::from(new);
            arrived.repeats += u64::from(!new);
        } else {
            arrived.without_key += 1;
        }
        self.more.notify_waiters();
    }
}

enum Asks {
    Deliver { key: Option<Vec<u8>> },
    Stats { wait_for: u64 },
}

struct Head {
    asks: Asks,
    length: usize,
}

impl Head {
    fn read(head: &[u8]) -> anyhow::Result<Self> {
        let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let first = std::str::from_utf8(lines.next().unwrap_or_default())?;
        let (mut key, mut length) = (None, 0);
        for line in lines {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-length") {
                length = std::str::from_utf8(value)?.parse()?;
            } else if name.eq_ignore_ascii_case(b"idempotency-key") {
                key = Some(value.to_owned());
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                bail!("the sink reads no chunks");
            }
        }
        let asks = if let Some(rest) = first.strip_prefix("GET /_wait?n=") {
            Asks::Stats {
                wait_for: rest.split(' ').next().context("no number")?.parse()?,
            }
        } else if first.starts_with("GET /_stats ") {
            Asks::Stats { wait_for: 0 }
        } else {
            Asks::Deliver { key }
        };
        Ok(Self { asks, length })
    }
}
