//! A Snapserver of our own on loopback, and a Snapclient that writes what would be heard. Both die with the test process, however
//! that ends.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdin, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

use super::server::{guarded, with_port};

/// What a developer without Snapcast reads.
const MISSING: &str = "Snapcast is missing: apt-get install snapserver snapclient";

/// The stream that takes what `loa` makes.
pub(crate) const STREAM: &str = "phuong";

/// A stream that takes another sort of sound.
pub(crate) const OTHER: &str = "nhac";

/// A stream that takes none over the network.
pub(crate) const PIPE: &str = "ong";

/// A running server.
pub(crate) struct Snapserver {
    /// Where it is: `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    port: u16,
    clients: u16,
    guard: (Child, ChildStdin),
}

/// A loudspeaker.
pub(crate) struct Snapclient {
    heard: Arc<(Mutex<Vec<u8>>, Condvar)>,
    _guard: (Child, ChildStdin),
}

/// How long it is silent after a sound: longer than any gap in one.
const SILENCE: usize = 22_050 * 2 * 3 / 10;

/// How long anybody waits for a sound to end.
const PATIENCE: Duration = Duration::from_secs(30);

fn program(path: &str) -> &Path {
    let path = Path::new(path);
    assert!(path.exists(), "{MISSING}");
    path
}

/// Ports that are free, all at once.
fn ports<const N: usize>() -> [u16; N] {
    let asked = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("ask for a port"));
    asked.map(|asked| asked.local_addr().expect("the port").port())
}

/// Somebody has to go on reading what a program says, or it would one day wait for that.
fn drain(mut said: impl Read + Send + 'static) {
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
}

fn end((mut child, input): (Child, ChildStdin)) {
    drop(input);
    child.wait().expect("wait for its end");
}

impl Snapserver {
    /// Starts one; `None` only when the tests run without it on purpose (`LOA_TEST_WITHOUT=snapserver`).
    pub(crate) fn start() -> Option<Self> {
        if super::without("snapserver") {
            return None;
        }
        Some(with_port("snapserver", Self::try_start))
    }

    fn try_start(port: u16, folder: &Path) -> Option<Self> {
        let [clients, sound, other] = ports();
        let file = folder.join("snapserver.conf");
        let pipe = folder.join("ong").display().to_string();
        let folder_name = folder.display();
        let configuration = format!(
            "[server]\ndatadir = {folder_name}\n[http]\nbind_to_address = 127.0.0.1\nport = {port}\ndoc_root =\n[tcp]\nenabled = false\n\
             [stream]\nbind_to_address = 127.0.0.1\nport = {clients}\n\
             source = tcp://127.0.0.1:{sound}?name={STREAM}&mode=server&sampleformat=22050:16:1\n\
             source = tcp://127.0.0.1:{other}?name={OTHER}&mode=server\n\
             source = pipe://{pipe}?name={PIPE}&mode=create\n\
             [logging]\nsink = stderr\nfilter = *:info\n"
        );
        fs::write(&file, configuration).expect("write the configuration");
        let arguments = [Path::new("-c"), file.as_path()];
        let server = program("/usr/bin/snapserver");
        let (mut child, input) = guarded(folder, server, &arguments, |shell| {
            shell.stderr(Stdio::piped());
        });
        let mut said = BufReader::new(child.stderr.take().expect("the pipe that was asked for"));
        let mut all = String::new();
        while !all.contains("Number of threads") {
            let read = said.read_line(&mut all).expect("read what it says");
            if read == 0 || all.contains("in use") {
                assert!(all.contains("in use"), "Snapserver did not start:\n{all}");
                return None;
            }
        }
        drain(said);
        Some(Self {
            url: format!("http://127.0.0.1:{port}"),
            port,
            clients,
            guard: (child, input),
        })
    }

    /// What it answers to a call.
    pub(crate) fn call(&self, method: &str, params: &Value) -> Value {
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connect");
        let head = format!(
            "POST /jsonrpc HTTP/1.1\r\nHost: loa\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("ask");
        stream.write_all(body.as_bytes()).expect("ask");
        let mut said = String::new();
        stream.read_to_string(&mut said).expect("an answer");
        let (_, body) = said.split_once("\r\n\r\n").expect("a head");
        // It answers a second time, with nothing.
        let mut answers = serde_json::Deserializer::from_str(body).into_iter::<Value>();
        let answer = answers.next().expect("an answer").expect("JSON");
        answer["result"].clone()
    }

    /// The group in which a loudspeaker is, once it is connected.
    pub(crate) fn group_of(&self, client: &str) -> Value {
        loop {
            let status = self.call("Server.GetStatus", &json!({}));
            let groups = status["server"]["groups"].as_array().expect("groups");
            let is_there = |one: &Value| one["id"] == client && one["connected"] == true;
            let found = groups.iter().find(|group| {
                let clients = group["clients"].as_array();
                clients.is_some_and(|clients| clients.iter().any(is_there))
            });
            if let Some(group) = found {
                return group.clone();
            }
        }
    }

    /// What is said of a stream: `idle` or `playing`.
    pub(crate) fn state_of(&self, stream: &str) -> String {
        let status = self.call("Server.GetStatus", &json!({}));
        let streams = status["server"]["streams"].as_array().expect("streams");
        let ours = streams.iter().find(|one| one["id"] == stream);
        let state = ours.and_then(|one| one["status"].as_str());
        state.expect("a stream").to_owned()
    }

    /// A loudspeaker that is connected.
    pub(crate) fn client(&self, id: &str) -> Snapclient {
        let folder = tempfile::Builder::new().prefix("loa-snapclient-").tempdir();
        let folder = folder.expect("make a directory").keep();
        let port = self.clients.to_string();
        let arguments = [
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "--hostID",
            id,
            "--player",
            "file:filename=stdout",
            "--logsink",
            "null",
        ]
        .map(Path::new);
        let client = program("/usr/bin/snapclient");
        let (mut child, input) = guarded(&folder, client, &arguments, |shell| {
            shell.stdout(Stdio::piped());
        });
        let mut said = child.stdout.take().expect("the pipe that was asked for");
        let heard = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let ear = Arc::clone(&heard);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            loop {
                match said.read(&mut bytes) {
                    Ok(0) | Err(_) => return,
                    Ok(count) => ear.0.lock().unwrap().extend_from_slice(&bytes[..count]),
                }
                ear.1.notify_all();
            }
        });
        self.group_of(id);
        Snapclient {
            heard,
            _guard: (child, input),
        }
    }

    /// Ends it.
    pub(crate) fn end(self) {
        end(self.guard);
    }
}

impl Snapclient {
    /// Returns once that many samples were heard that are not silent.
    pub(crate) fn plays(&self, count: usize) {
        let is_short = |heard: &mut Vec<u8>| {
            let sounds = heard.chunks_exact(2).filter(|two| *two != [0, 0]);
            sounds.count() < count
        };
        let (bytes, more) = &*self.heard;
        let waited = more.wait_timeout_while(bytes.lock().unwrap(), PATIENCE, is_short);
        assert!(!waited.unwrap().1.timed_out(), "it does not play");
    }

    /// All that was heard, at 22.05 kHz, once there was something and it is over. It plays some time after the server does.
    pub(crate) fn heard(&self) -> Vec<f32> {
        let is_on = |heard: &mut Vec<u8>| {
            let from = heard.len().saturating_sub(SILENCE);
            let is_silent = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
            is_silent(&heard[..from]) || !is_silent(&heard[from..])
        };
        let (bytes, more) = &*self.heard;
        let heard = more.wait_timeout_while(bytes.lock().unwrap(), PATIENCE, is_on);
        let (heard, waited) = heard.unwrap();
        assert!(!waited.timed_out(), "the sound does not end");
        heard
            .chunks_exact(2)
            .map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])) / 32_768.0)
            .collect()
    }
}
