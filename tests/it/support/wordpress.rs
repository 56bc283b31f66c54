//! A WordPress of our own on loopback: Debian's, with PHP's own server and a private `MariaDB` in a temporary directory. It dies with the
//! test process, however that ends.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use super::server::{guarded, with_port};

/// What a developer without WordPress reads.
const MISSING: &str =
    "WordPress is missing: apt-get install wordpress php-cli php-mysql mariadb-server";

/// The author whose application password the server makes.
pub(crate) const USER: &str = "bien-tap";

/// Another author, an editor, and somebody who may only write drafts.
pub(crate) const OTHERS: [&str; 3] = ["tac-gia-hai", "truong-ban", "cong-tac"];

/// A running site.
pub(crate) struct WordPress {
    /// Where it is: `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// The application password of its author.
    pub(crate) password: String,
    /// Those of [`OTHERS`].
    pub(crate) passwords: Vec<String>,
    port: u16,
    folder: PathBuf,
    _guard: (Child, ChildStdin),
}

impl WordPress {
    /// Starts one, freshly installed; `None` only when the tests run without it on purpose (`LOA_TEST_WITHOUT=wordpress`).
    pub(crate) fn start() -> Option<Self> {
        if super::without("wordpress") {
            return None;
        }
        let needed = [
            "/usr/share/wordpress/wp-load.php",
            "/usr/bin/php",
            "/usr/sbin/mariadbd",
        ];
        assert!(
            needed.iter().all(|path| Path::new(path).exists()),
            "{MISSING}"
        );
        let asked = Command::new("/usr/bin/php").arg("-m").output();
        let modules = String::from_utf8(asked.expect("run php").stdout).expect("names");
        assert!(modules.lines().any(|name| name == "mysqli"), "{MISSING}");
        Some(with_port("wordpress", Self::try_start))
    }

    fn try_start(port: u16, folder: &Path) -> Option<Self> {
        let script = folder.join("start.sh");
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/wordpress.sh");
        fs::copy(ours, &script).expect("copy the script");
        let number = port.to_string();
        let arguments = [script.as_path(), folder, Path::new(&number)];
        let (mut child, input) = guarded(folder, Path::new("/bin/sh"), &arguments, |shell| {
            shell.stdout(Stdio::piped()).stderr(Stdio::null());
        });
        let mut said = BufReader::new(child.stdout.take().expect("the pipe that was asked for"));
        let mut all = String::new();
        loop {
            let mut line = String::new();
            let read = said.read_line(&mut line).expect("read what it says");
            if let Some(passwords) = line.strip_prefix("ready ") {
                let mut passwords = passwords.split_whitespace().map(str::to_owned);
                return Some(Self {
                    url: format!("http://127.0.0.1:{port}"),
                    password: passwords.next().expect("the author's password"),
                    passwords: passwords.collect(),
                    port,
                    folder: folder.to_owned(),
                    _guard: (child, input),
                });
            }
            all.push_str(&line);
            if read == 0 {
                assert!(all.contains("in use"), "WordPress did not start:\n{all}");
                return None;
            }
        }
    }

    /// What anybody reads at a path of its REST API.
    pub(crate) fn read(&self, path: &str) -> serde_json::Value {
        self.call("GET", path, "")
    }

    /// The posts that anybody sees and whose address begins with the slug: a twin's does too.
    pub(crate) fn shown(&self, slug: &str) -> Vec<serde_json::Value> {
        let all = self.read("/posts?per_page=100");
        let all = all.as_array().expect("a list").iter();
        let ours = all.filter(|post| {
            let name = post["slug"].as_str();
            name.is_some_and(|name| name.starts_with(slug))
        });
        ours.cloned().collect()
    }

    /// What its author is told there: `DELETE` puts a post into the bin.
    pub(crate) fn delete(&self, path: &str) -> serde_json::Value {
        self.act("DELETE", path, USER, &self.password)
    }

    /// What an account is told there.
    pub(crate) fn act(&self, method: &str, path: &str, user: &str, key: &str) -> serde_json::Value {
        use base64::Engine as _;
        let login = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{key}"));
        self.call(method, path, &format!("Authorization: Basic {login}\r\n"))
    }

    /// Gives its pages other addresses: `""` is what a new site has, `?p=123`.
    pub(crate) fn set_permalinks(&self, structure: &str) {
        let script = self.folder.join("permalinks.php");
        let set = Command::new("/usr/bin/php")
            .arg(script)
            .arg(structure)
            .output();
        let set = set.expect("run php");
        assert!(set.status.success(), "{set:?}");
    }

    /// The bytes at an address of the site.
    pub(crate) fn fetch(&self, address: &str) -> Vec<u8> {
        let path = address.strip_prefix(&self.url).expect("an address of ours");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connect");
        let ask = format!(
            "GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n\r\n",
            self.port
        );
        stream.write_all(ask.as_bytes()).expect("ask");
        let mut said = Vec::new();
        stream.read_to_end(&mut said).expect("read the answer");
        let head = said.windows(4).position(|end| end == b"\r\n\r\n");
        said.split_off(head.expect("a head") + 4)
    }

    fn call(&self, method: &str, path: &str, headers: &str) -> serde_json::Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connect");
        let ask = format!(
            "{method} /wp-json/wp/v2{path} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n{headers}\r\n",
            self.port
        );
        stream.write_all(ask.as_bytes()).expect("ask");
        let mut said = String::new();
        stream.read_to_string(&mut said).expect("read the answer");
        let (_, body) = said.split_once("\r\n\r\n").expect("a head and a body");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {said}"))
    }
}
