//! A mail server that answers line by line what it is told to.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    thread::JoinHandle,
};

/// A server for one connection.
pub(super) struct Peer {
    /// Its port at 127.0.0.1.
    pub(super) port: u16,
    thread: JoinHandle<Vec<String>>,
}

/// More than anybody reads.
const ENDLESS: usize = 80 * 1024;

/// Answers, or does what stands behind the exclamation mark. `false` where the connection is over.
fn act(stream: &mut TcpStream, answer: &str) -> bool {
    let written = match answer {
        "!close" => return false,
        "!reset" => {
            reset_at_end(stream);
            return false;
        }
        "!hang" => {
            let mut rest = String::new();
            // Until the other side has had enough.
            let _ = BufReader::new(&mut *stream).read_line(&mut rest);
            return false;
        }
        "!half" => {
            let _ = stream.write_all(b"250 2.0");
            return false;
        }
        "!endless" => {
            let _ = stream.write_all(b"250 ");
            stream.write_all(&vec![b'x'; ENDLESS])
        }
        answer => stream.write_all(format!("{answer}\r\n").as_bytes()),
    };
    written.is_ok()
}

/// Makes the end of the connection a reset.
fn reset_at_end(stream: &TcpStream) {
    // A socket of the standard library has no option for it.
    let copy = stream.try_clone().unwrap();
    let socket = tokio::net::TcpSocket::from_std_stream(copy);
    socket.set_zero_linger().unwrap();
}

/// The letter as it came, up to its last line; or only as much as comes at once.
fn letter(reader: &mut BufReader<TcpStream>, is_whole: bool) -> String {
    let mut letter = Vec::new();
    while !letter.ends_with(b"\r\n.\r\n") {
        let read = reader.read_until(b'\n', &mut letter).unwrap_or(0);
        if read == 0 || !is_whole {
            break;
        }
    }
    String::from_utf8(letter).unwrap()
}

impl Peer {
    /// Greets, and answers each line, which has to begin as is said. `letter` stands for all lines of a letter, `part` for the first.
    pub(super) fn start(greeting: &'static str, lines: &[(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let lines = lines.to_vec();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut seen = Vec::new();
            if !act(&mut stream, greeting) {
                return seen;
            }
            for (wanted, answer) in lines {
                let line = match wanted {
                    "letter" => letter(&mut reader, true),
                    "part" => letter(&mut reader, false),
                    _ => {
                        let mut line = Vec::new();
                        let _ = reader.read_until(b'\n', &mut line);
                        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                        assert!(line.starts_with(wanted), "{line:?}, not {wanted:?}");
                        line
                    }
                };
                seen.push(line);
                if !act(&mut stream, answer) {
                    return seen;
                }
            }
            // What is said afterwards.
            let mut rest = Vec::new();
            while reader
                .read_until(b'\n', &mut rest)
                .is_ok_and(|read| read > 0)
            {}
            let rest = String::from_utf8_lossy(&rest).into_owned();
            seen.extend(
                rest.lines()
                    .map(str::to_owned)
                    .filter(|line| line != "QUIT"),
            );
            seen
        });
        Self { port, thread }
    }

    /// All that was said to it, once it is over.
    pub(super) fn ended(self) -> Vec<String> {
        self.thread.join().unwrap()
    }

    /// The letter among it.
    pub(super) fn letter(self) -> String {
        let lines = self.ended().into_iter();
        lines.max_by_key(String::len).unwrap()
    }
}
