//! A PostgreSQL of our own: one private cluster per test process, started when the first test asks for it, on a Unix
//! socket in a temporary directory. It dies with the test process, however that ends.
//!
//! `initdb` runs once and its result is kept in the target directory; later clusters are copies of it.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// What a developer without PostgreSQL reads.
const MISSING: &str = "PostgreSQL is missing: apt-get install postgresql";

/// The user that the server runs as when the tests run as root, which it refuses.
const USER: &str = "postgres";

struct Cluster {
    directory: PathBuf,
    /// Its standard input is a pipe that ends when this process does; that is how it knows.
    _watchdog: Child,
}

/// The address of a fresh, empty database; `None` only when the tests run without PostgreSQL on purpose
/// (`LOA_TEST_WITHOUT=postgres`).
pub(crate) async fn database() -> Option<String> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    // Starting blocks; the other threads of the runtime are not needed meanwhile.
    let cluster = CLUSTER
        .get_or_init(|| (!super::without("postgres")).then(start))
        .as_ref()?;
    let name = format!("loa_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut admin = PgConnection::connect(&cluster.url("postgres"))
        .await
        .expect("connect to the private cluster");
    let statement = format!("CREATE DATABASE {name} TEMPLATE template0");
    admin
        .execute(AssertSqlSafe(statement))
        .await
        .expect("create a database");
    admin.close().await.expect("close");
    Some(cluster.url(&name))
}

impl Cluster {
    fn url(&self, database: &str) -> String {
        format!(
            "postgres:///{database}?host={}&user={USER}&sslmode=disable",
            self.directory.display()
        )
    }
}

/// Where the newest installed server's programs are.
fn programs() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    found.sort();
    let on_path = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).find(|directory| directory.join("initdb").exists())
    });
    found.pop().map(|(_, bin)| bin).or(on_path).expect(MISSING)
}

/// A command that runs as somebody who may start a server, in a directory that they can enter.
fn as_user(program: &Path) -> Command {
    let mut command = if super::server::is_root() {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"])
            .arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/").env("LC_ALL", "C");
    command
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A directory that the server's user owns.
fn hand_over(directory: &Path) {
    if super::server::is_root() {
        run(Command::new("chown").arg("-R").arg(USER).arg(directory));
    }
}

/// The kept result of `initdb`, packed so that no server can touch it and anybody can read it.
fn template(bin: &Path) -> PathBuf {
    let keep = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(keep).expect("make the target's directory for tests");
    let lock = File::create(keep.join("postgres.lock")).expect("make the lock file");
    lock.lock().expect("lock");
    let version = Command::new(bin.join("postgres"))
        .arg("--version")
        .output()
        .expect("run postgres");
    let version: String = String::from_utf8_lossy(&version.stdout)
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '.')
        .collect();
    let packed = keep.join(format!("{version}.tar"));
    if !packed.exists() {
        let fresh = tempfile::Builder::new()
            .prefix("loa-initdb-")
            .tempdir()
            .expect("make a directory");
        hand_over(fresh.path());
        let data = fresh.path().join("data");
        run(as_user(&bin.join("initdb")).arg("-D").arg(&data).args([
            "--username",
            USER,
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--no-locale",
            "--no-sync",
        ]));
        let half = packed.with_extension("half");
        run(Command::new("tar")
            .arg("-C")
            .arg(&data)
            .arg("-cf")
            .arg(&half)
            .arg("."));
        fs::rename(&half, &packed).expect("keep the template");
    }
    packed
}

fn start() -> Cluster {
    let bin = programs();
    let packed = template(&bin);
    // Not under the target directory: a socket's path has to be short.
    let directory = tempfile::Builder::new()
        .prefix("loa-pg-")
        .tempdir()
        .expect("make a directory")
        .keep();
    let data = directory.join("data");
    fs::create_dir(&data).expect("make the data directory");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700))
        .expect("close the data directory");
    run(Command::new("tar")
        .arg("-C")
        .arg(&data)
        .arg("-xf")
        .arg(&packed)
        .arg("--no-same-owner"));
    hand_over(&directory);
    // The shell waits for the end of its input, which comes when this process ends in whatever way, stops the server and
    // cleans up. The server must not hold that pipe itself.
    let script = r#""$0" "$@" </dev/null & server=$!
        trap '' INT
        read -r _
        kill -QUIT $server
        wait $server
        rm -rf "$LOA_DIRECTORY""#;
    let mut watchdog = as_user(Path::new("/bin/sh"));
    watchdog
        .arg("-c")
        .arg(script)
        .arg(bin.join("postgres"))
        .arg("-D")
        .arg(&data);
    for setting in [
        "listen_addresses=",
        &format!("unix_socket_directories={}", directory.display()),
        "max_connections=400",
        "shared_buffers=64MB",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "logging_collector=off",
        "log_destination=stderr",
    ] {
        watchdog.arg("-c").arg(setting);
    }
    watchdog
        .env("LOA_DIRECTORY", &directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    // A group of its own: what stops the tests from the keyboard must not stop the cleaning up.
    let mut watchdog = watchdog.process_group(0).spawn().expect("start the server");
    let mut said = BufReader::new(watchdog.stderr.take().expect("the pipe that was asked for"));
    let mut all = String::new();
    loop {
        let begin = all.len();
        let read = said.read_line(&mut all).expect("read what the server says");
        assert!(read > 0, "the server did not start:\n{all}");
        if all[begin..].contains("ready to accept connections") {
            break;
        }
    }
    // Somebody has to go on reading, or the server would one day wait for it.
    let mut log = File::create(directory.join("log")).expect("make the log");
    std::thread::spawn(move || {
        let mut line = Vec::new();
        while said.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if log.write_all(&line).is_err() {
                break;
            }
            line.clear();
        }
    });
    Cluster {
        directory,
        _watchdog: watchdog,
    }
}
