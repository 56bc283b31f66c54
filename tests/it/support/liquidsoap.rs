//! A Liquidsoap of our own on loopback that runs the script that `loa` comes with, and writes what would be heard into a file. It
//! dies with the test process, however that ends.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Stdio},
};

use super::server::{guarded, with_port};

/// What a developer without Liquidsoap reads.
const MISSING: &str = "Liquidsoap is missing: apt-get install liquidsoap";

/// The key that callers have to know.
pub(crate) const KEY: &str = "mat-khau-1";

/// The file in which it keeps what began.
const RECORD: &str = "loa.known";

/// A running server.
pub(crate) struct Liquidsoap {
    /// Where it is: `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    port: u16,
    heard: PathBuf,
    folder: PathBuf,
    guard: (Child, ChildStdin),
}

impl Liquidsoap {
    /// Ends it and starts another with what it left in its folder.
    pub(crate) fn restarted(self) -> Self {
        let left = fs::read(self.folder.join(RECORD)).expect("read what it left");
        let (mut child, input) = self.guard;
        drop(input);
        child.wait().expect("wait for its end");
        Self::started(&left, "")
    }

    /// Starts one; `None` only when the tests run without it on purpose (`LOA_TEST_WITHOUT=liquidsoap`).
    pub(crate) fn start() -> Option<Self> {
        if super::without("liquidsoap") {
            return None;
        }
        Some(Self::started(b"", ""))
    }

    /// The same, with a folder for sounds that is not there.
    pub(crate) fn without_folder() -> Option<Self> {
        if super::without("liquidsoap") {
            return None;
        }
        Some(Self::started(b"", "khong-co"))
    }

    fn started(left: &[u8], sounds: &str) -> Self {
        with_port("liquidsoap", |port, folder| {
            Self::try_start(port, folder, (left, sounds))
        })
    }

    fn try_start(port: u16, folder: &Path, (left, sounds): (&[u8], &str)) -> Option<Self> {
        let program = "/usr/bin/liquidsoap";
        assert!(Path::new(program).exists(), "{MISSING}");
        let script = folder.join("loa.liq");
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/liquidsoap/loa.liq");
        fs::copy(shipped, &script).expect("copy the script");
        if !left.is_empty() {
            fs::write(folder.join(RECORD), left).expect("write what another left");
        }
        let heard = folder.join("heard.wav");
        let (mut child, input) =
            guarded(folder, Path::new(program), &[script.as_path()], |shell| {
                shell
                    .env("HOME", folder)
                    .env("LOA_PORT", port.to_string())
                    .env("LOA_FOLDER", folder.join(sounds))
                    .env("LOA_OUT", &heard)
                    .env("LOA_KEY", KEY)
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null());
            });
        let mut said = BufReader::new(child.stdout.take().expect("the pipe that was asked for"));
        let mut all = String::new();
        while !all.contains("Streaming loop starts") {
            let read = said.read_line(&mut all).expect("read what it says");
            if read == 0 {
                assert!(all.contains("in use"), "Liquidsoap did not start:\n{all}");
                return None;
            }
        }
        // Somebody has to go on reading, or it would one day wait for that.
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while said.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                line.clear();
            }
        });
        Some(Self {
            url: format!("http://127.0.0.1:{port}"),
            port,
            heard,
            folder: folder.to_owned(),
            guard: (child, input),
        })
    }

    /// What it says of itself, once it answers.
    pub(crate) fn state(&self) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let ask = format!("GET /state HTTP/1.0\r\nauthorization: Bearer {KEY}\r\n\r\n");
        stream.write_all(ask.as_bytes()).ok()?;
        let mut said = String::new();
        stream.read_to_string(&mut said).ok()?;
        said.contains("\"known\"").then_some(said)
    }

    /// The names of the sounds in its folder.
    pub(crate) fn sounds(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).expect("read its folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let names = names.filter_map(|name| name.into_string().ok());
        let mut names: Vec<String> = names
            .filter(|name| name.rsplit('.').next() == Some("loa"))
            .collect();
        names.sort();
        names
    }

    /// What was heard so far, at 22.05 kHz: the left of two channels, every other sample.
    pub(crate) fn heard(&self) -> Vec<f32> {
        let bytes = fs::read(&self.heard).expect("read what was heard");
        let sound = bytes.get(44..).unwrap_or_default();
        sound
            .chunks_exact(8)
            .map(|frames| f32::from(i16::from_le_bytes([frames[0], frames[1]])) / 32_768.0)
            .collect()
    }
}
