//! What operators live through: full disks, and databases that go away under a running daemon.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use loa::simulator::{City, CityHandle, CityOptions};

use crate::support::{
    cli::{loa, was_taken},
    workspace::Folder,
};

/// The daemon as a process. A write beyond its limit is for it what a full disk is.
fn daemon(folder: &Folder, city: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_loa"))
        .args(["run", "--no-web", "--at", "2024-03-25T05:25", "--speed"])
        .args(["600", "--until", "2024-03-25T06:30", "--simulate", city])
        .args(["--database", &folder.sqlite(), "--dir"])
        .arg(folder.path())
        .env_remove("RUST_LOG")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A program that sets the size that files may have, for what its further arguments name.
fn sized(size: &str) -> Command {
    let mut command = Command::new("prlimit");
    command.arg(format!("--fsize={size}:unlimited"));
    command
}

/// Sets it for a running process.
fn limit(process: &Child, size: &str) {
    let pid = process.id().to_string();
    let done = sized(size).args(["--pid", &pid]).status().unwrap();
    assert!(done.success(), "prlimit: {done}");
}

/// Everything that a process says, line by line, as it says it.
fn lines(process: &mut Child) -> mpsc::Receiver<String> {
    let said = BufReader::new(process.stderr.take().unwrap());
    let (lines, hear) = mpsc::channel();
    std::thread::spawn(move || {
        for line in said.lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    hear
}

/// Waits for a line with `words` in it.
fn wait_for(said: &mpsc::Receiver<String>, words: &str) {
    let mut all = String::new();
    loop {
        match said.recv_timeout(Duration::from_mins(1)) {
            Ok(line) if line.contains(words) => return,
            Ok(line) => all.push_str(&(line + "\n")),
            Err(error) => panic!("`{words}` was not said: {error}; but:\n{all}"),
        }
    }
}

/// Waits for the first call.
async fn called(city: &CityHandle) {
    let mut requests = city.requests();
    let called = requests.wait_for(|count| *count > 0);
    tokio::time::timeout(Duration::from_mins(1), called)
        .await
        .expect("the first call within a minute")
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_was_full_is_written_to_again() {
    let folder = Folder::small();
    let city = City::start(CityOptions::default()).await.unwrap();
    let mut process = daemon(&folder, &format!("http://{}", city.control()));
    let said = lines(&mut process);
    // In the middle of the loudspeakers' broadcast there is no room for what came of it.
    called(&city).await;
    limit(&process, "1");
    wait_for(&said, "the store failed");
    limit(&process, "unlimited");
    let status = process.wait().unwrap();
    assert!(status.success(), "{status}");

    let database = folder.sqlite();
    let arguments = ["--simulate", "--database", &database, "--format", "json"];
    let verified = loa(&folder.path(), &[&["verify"], &arguments[..]].concat());
    assert_eq!(verified.code, 0, "{verified:?}");
    let log = loa(&folder.path(), &[&["log"], &arguments[..]].concat()).json();
    let rows = log.as_array().unwrap();
    assert_eq!(rows.len(), 6, "three loudspeakers, two websites, one chat");
    assert!(rows.iter().all(was_taken), "{rows:#?}");
    assert!(city.summary().doubled.is_empty(), "something arrived twice");
    city.shutdown().await;
}

#[test]
fn a_command_that_may_write_no_more_says_so() {
    let folder = Folder::small();
    let database = folder.sqlite();
    let run = ["run", "--no-web", "--at", "2024-03-25T05:00", "--until"];
    let until = ["2024-03-25T05:01", "--simulate", "--database", &database];
    let begun = loa(&folder.path(), &[&run[..], &until[..]].concat());
    assert_eq!(begun.code, 0, "{begun:?}");
    let send = ["send", "mot", "--to", "channel:loa-hb-1", "--by", "Lan"];
    let said = sized("512")
        .arg(env!("CARGO_BIN_EXE_loa"))
        .args(send)
        .args(["--reason", "thử", "--simulate", "--database", &database])
        .arg("--dir")
        .arg(folder.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(2), "{said:?}");
    assert!(words.starts_with("loa: "), "{words}");
    assert!(words.contains("ổ đĩa đã đầy"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_ends_when_its_database_is_taken_away() {
    let folder = Folder::small();
    let city = City::start(CityOptions::default()).await.unwrap();
    let mut process = daemon(&folder, &format!("http://{}", city.control()));
    let said = lines(&mut process);
    called(&city).await;
    // Replaced, as somebody does who puts a backup back.
    let database = folder.sqlite();
    let path = database.strip_prefix("sqlite:").unwrap();
    std::fs::rename(path, format!("{path}.old")).unwrap();
    std::fs::write(path, "").unwrap();
    wait_for(&said, "the database is gone; stopping");
    wait_for(&said, "đã bị xóa, đổi tên hoặc thay");
    let status = process.wait().unwrap();
    assert_eq!(status.code(), Some(2), "{status}");
    city.shutdown().await;
}
