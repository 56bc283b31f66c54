//! A real browser for tests: Debian's chromium, led by its chromedriver, without a window.
//!
//! A missing browser fails the test. Whoever has none says so: `LOA_TEST_WITHOUT=chromium`.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

/// What the reader holds in their hand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
    /// Whether scripts run.
    pub script: bool,
}

/// Runs a test that leads a browser, with a limit: a browser that hangs must not hang the whole run.
pub(crate) async fn in_time(test: impl Future<Output = ()>) {
    let limit = Duration::from_mins(2);
    tokio::time::timeout(limit, test)
        .await
        .expect("the browser answers in time");
}

/// A running chromedriver. Its browsers end with it.
pub(crate) struct Driver {
    process: Child,
    address: SocketAddr,
}

impl Driver {
    /// Starts one on a port of its own choice.
    pub(crate) fn start() -> Self {
        let missing = "Chromium is missing: apt-get install chromium chromium-driver";
        assert!(Path::new("/usr/bin/chromium").exists(), "{missing}");
        #[expect(clippy::zombie_processes, reason = "`Drop` waits for it")]
        let mut process = Command::new("/usr/bin/chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{missing} ({error})"));
        let output = process.stdout.take().unwrap();
        let mut said = String::new();
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(port) = line
                .strip_suffix('.')
                .and_then(|line| line.split("on port ").nth(1))
            {
                let port: u16 = port.trim().parse().expect("chromedriver says its port");
                return Self {
                    process,
                    address: SocketAddr::from(([127, 0, 0, 1], port)),
                };
            }
            said.push_str(&line);
        }
        panic!("chromedriver did not start: {said}");
    }

    /// Opens a browser that looks like `screen`.
    pub(crate) async fn open(&self, screen: Screen) -> Client {
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--lang=vi".to_owned(),
            format!("--window-size={},{}", screen.width.max(500), screen.height),
        ];
        if screen.dark {
            arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let mut options = json!({ "binary": "/usr/bin/chromium", "args": arguments });
        if screen.width < 500 {
            let metrics = json!({ "width": screen.width, "height": screen.height, "pixelRatio": 2.0, "touch": true });
            options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        }
        if !screen.script {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        let capabilities = [("goog:chromeOptions".to_owned(), options)]
            .into_iter()
            .collect();
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://{}", self.address))
            .await
            .expect("a browser opens")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Asked to shut down, it ends its browsers too; killed, it would leave them behind.
        let asked = TcpStream::connect(self.address).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            write!(
                stream,
                "GET /shutdown HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                self.address
            )?;
            stream.read_to_end(&mut Vec::new())
        });
        if asked.is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// Keeps a picture of what the browser shows, the whole page, for people to look at.
pub(crate) async fn keep_picture(client: &Client, name: &str) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screens");
    std::fs::create_dir_all(&folder).unwrap();
    let picture = client.screenshot().await.unwrap();
    std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
}
