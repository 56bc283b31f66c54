//! A receiver on loopback that does exactly what it is told, connection by connection, and remembers what it read.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
    thread::JoinHandle,
};

/// What happens on one connection.
pub(super) type Script = Box<dyn FnOnce(&mut Wire) + Send>;

pub(super) fn script(act: impl FnOnce(&mut Wire) + Send + 'static) -> Script {
    Box::new(act)
}

/// One connection, as the receiver sees it.
pub(super) struct Wire {
    stream: TcpStream,
    seen: mpsc::Sender<String>,
}

impl Wire {
    /// Reads one whole request and remembers it; `None` when the connection ended first.
    pub(super) fn request(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        loop {
            if let Some(whole) = whole_request(&bytes) {
                let text = String::from_utf8_lossy(&bytes[..whole]).into_owned();
                self.seen.send(text.clone()).unwrap();
                return Some(text);
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            }
        }
    }

    /// Reads at most `count` bytes.
    pub(super) fn read(&mut self, count: usize) -> usize {
        self.stream.read(&mut vec![0; count]).unwrap_or(0)
    }

    /// Writes as much as the other side takes.
    pub(super) fn write(&mut self, text: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(text.as_ref());
    }

    /// Holds the connection open until the other side closes it.
    pub(super) fn hold(&mut self) {
        while matches!(self.stream.read(&mut [0; 4096]), Ok(count) if count > 0) {}
    }
}

fn whole_request(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    let whole = head + length.unwrap_or(0);
    (bytes.len() >= whole).then_some(whole)
}

/// The receiver.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    seen: mpsc::Receiver<String>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Takes one connection for each script, one after another, and closes each at its script's end.
    pub(super) fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, seen) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            for script in scripts {
                let (stream, _) = listener.accept().unwrap();
                script(&mut Wire {
                    stream,
                    seen: sender.clone(),
                });
            }
        });
        Self {
            address,
            seen,
            thread,
        }
    }

    /// One connection on which every request gets the same answer.
    pub(super) fn answering(answer: impl Into<String>) -> Self {
        let answer = answer.into();
        Self::start(vec![script(move |wire| {
            while wire.request().is_some() {
                wire.write(&answer);
            }
        })])
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every whole request that was read, once all scripts have ended. Waits beside the runtime, which has to go on so
    /// that connections are closed.
    pub(super) async fn requests(self) -> Vec<String> {
        let wait = move || {
            self.thread.join().unwrap();
            self.seen.iter().collect()
        };
        tokio::task::spawn_blocking(wait).await.unwrap()
    }
}

/// An address at which nobody listens.
pub(super) fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// An answer with a body.
pub(super) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}
