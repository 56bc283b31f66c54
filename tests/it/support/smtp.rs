//! A mail server of our own on loopback: aiosmtpd from Debian, behind `smtp.py`. It dies with the test process, however that ends.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::server::{guarded, with_port};

/// What a developer without it reads.
const MISSING: &str = "aiosmtpd is missing: apt-get install python3-aiosmtpd";

/// Debian's: another Python on the path does not know Debian's packages.
const PYTHON: &str = "/usr/bin/python3";

/// Who may log in.
pub(crate) const USER: &str = "loa";
pub(crate) const PASSWORD: &str = "mat-khau-thu";

/// A running server.
pub(crate) struct Smtp {
    /// Its port at 127.0.0.1.
    pub(crate) port: u16,
    said: BufReader<ChildStdout>,
    _input: ChildStdin,
    _watchdog: Child,
}

/// A letter that it took.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Letter {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Whether the connection was encrypted.
    pub(crate) encrypted: bool,
    /// Who logged in.
    pub(crate) login: Option<String>,
    content: String,
}

impl Letter {
    /// Its bytes.
    pub(crate) fn raw(&self) -> Vec<u8> {
        STANDARD.decode(&self.content).expect("base64")
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The certificates of the authority that signed the server's, in PEM.
pub(crate) fn authority() -> String {
    fs::read_to_string(fixture("tests/fixtures/smtp/ca.pem")).expect("read the certificate")
}

impl Smtp {
    /// Starts one that encrypts in this way (`starttls`, `implicit`); `None` only when the tests run without it on purpose
    /// (`LOA_TEST_WITHOUT=smtp`).
    pub(crate) fn start(mode: &str) -> Option<Self> {
        if super::without("smtp") {
            return None;
        }
        let has = Command::new(PYTHON)
            .args(["-c", "import aiosmtpd"])
            .stderr(Stdio::null())
            .status();
        assert!(has.is_ok_and(|status| status.success()), "{MISSING}");
        Some(with_port("smtp", |port, folder| {
            Self::try_start(mode, port, folder)
        }))
    }

    fn try_start(mode: &str, port: u16, folder: &Path) -> Option<Self> {
        for name in [
            "tests/it/support/smtp.py",
            "tests/fixtures/smtp/server.pem",
            "tests/fixtures/smtp/server.key",
        ] {
            let from = fixture(name);
            let name = from.file_name().expect("a file");
            fs::copy(&from, folder.join(name)).expect("copy what the server needs");
        }
        let files = ["smtp.py", "server.pem", "server.key"].map(|name| folder.join(name));
        let port_text = port.to_string();
        let arguments = [
            files[0].as_path(),
            Path::new(&port_text),
            Path::new(mode),
            files[1].as_path(),
            files[2].as_path(),
        ];
        let (mut watchdog, input) = guarded(folder, Path::new(PYTHON), &arguments, |shell| {
            shell.stdout(Stdio::piped());
        });
        let said = watchdog.stdout.take().expect("the pipe that was asked for");
        let mut said = BufReader::new(said);
        let mut line = String::new();
        said.read_line(&mut line)
            .expect("read what the server says");
        (line.trim() == "ready").then_some(Self {
            port,
            said,
            _input: input,
            _watchdog: watchdog,
        })
    }

    /// The next letter that it took.
    pub(crate) fn letter(&mut self) -> Letter {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("read the letter");
        serde_json::from_str(&line).expect("a letter")
    }
}
