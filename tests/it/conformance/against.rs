//! `loa conformance --against`: real sockets on this machine stand for a vendor's test address.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use loa::{
    conformance::SCENARIOS,
    simulator::{City, CityOptions, Effect, HeardFilter},
};
use serde_json::Value;

use crate::support::workspace::Folder;

const THERE: &str = r#"
channels:
  thu-nghiem:
    name: Nơi thử
    kind: chat
    adapter: { webhook: { url: "https://thu.vinh.example/hook", secrets: ["env:LOA_THU"] } }
"#;

/// A chat service on this machine that stands for a vendor's test address.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_address_gets_tests_only_and_only_on_a_channel_for_tests() {
    let folder = Folder::small();
    folder.edit("loa.yaml", "10.0.0.0/8", "127.0.0.0/8");
    folder.write("channels/thu.yaml", THERE);
    let city = City::start(CityOptions::default()).await.unwrap();
    let url = format!("http://{}/hook", city.device("thu.vinh.example").unwrap());
    let examined = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_loa"))
            .args(["conformance", "thu-nghiem", "--against", &url, "--dir"])
            .arg(folder.path())
            .args(arguments)
            .env("LOA_THU", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .env_remove("RUST_LOG")
            .output();
        std::future::ready(output.unwrap())
    };
    let refused = examined(&["--lang", "en"]).await;
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("`thu-nghiem` is not for tests"), "{said}");
    assert_eq!(city.heard(&HeardFilter::default()), []);

    folder.edit(
        "channels/thu.yaml",
        "    kind: chat\n",
        "    kind: chat\n    test: true\n",
    );
    let good = examined(&["--format", "json"]).await;
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    let told: Value = serde_json::from_slice(&good.stdout).unwrap();
    let with = |verdict: &str| -> Vec<String> {
        let rows = told[0]["scenarios"].as_array().unwrap().iter();
        let rows = rows.filter(|row| row["verdict"] == verdict);
        rows.map(|row| row["scenario"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(with("held"), ["accepted"]);
    // What arrived there, and whether it is there once, is not seen from here.
    let unseen = ["resend", "vietnamese-nfc", "vietnamese-nfd"];
    assert_eq!(with("unseen"), unseen);
    assert_eq!(
        (&told[0]["held"], &told[0]["unseen"], &told[0]["broken"]),
        (&Value::from(1), &Value::from(3), &Value::from(0))
    );
    // How far it is is said on a terminal alone.
    let said = String::from_utf8(good.stderr).unwrap();
    assert!(!said.contains("Kênh thu-nghiem"), "{said}");
    assert_eq!(with("not-applicable").len(), SCENARIOS.len() - 4);
    assert_eq!(
        (&told[0]["badge"], &told[0]["against"]),
        (&Value::Null, &Value::from(url.as_str()))
    );
    let heard = city.heard(&HeardFilter::default());
    let taken = heard.iter().filter(|one| one.effect == Effect::Received);
    assert_eq!(
        (heard.len(), taken.count()),
        (6, 5),
        "one of them twice, by the same key"
    );
    let messages = told[0]["messages"].as_array().unwrap();
    for message in messages {
        let (mark, times) = (message["mark"].as_str().unwrap(), &message["attempts"]);
        let opening = format!("Đây là phát thử. {mark}.");
        let there = heard.iter().filter(|one| {
            let words = one.text.as_deref().unwrap_or_default();
            words.starts_with(&opening)
        });
        assert_eq!(&Value::from(there.count()), times, "{mark}");
    }
    let twice: Vec<&Value> = messages
        .iter()
        .filter(|one| one["attempts"] == 2)
        .map(|one| &one["scenario"])
        .collect();
    assert_eq!((messages.len(), twice), (5, vec![&Value::from("resend")]));
    city.shutdown().await;
}

/// A receiver with an answer for every request; it gets each connection's head and body as text.
struct There {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<usize>>,
}

impl There {
    fn answering(answer: fn(&str) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let mut count = 0;
            loop {
                let (stream, _) = listener.accept().unwrap();
                if over.load(Ordering::SeqCst) {
                    return count;
                }
                if let Some(request) = request(&stream) {
                    count += 1;
                    let _ = (&stream).write_all(answer(&request).as_bytes());
                }
            }
        });
        Self {
            address,
            is_over,
            thread: Some(thread),
        }
    }

    /// How many requests there were.
    fn end(mut self) -> usize {
        self.is_over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address).unwrap());
        self.thread.take().unwrap().join().unwrap()
    }
}

fn request(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = said.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8_lossy(&body))
}

fn http(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// A chat service by recipe, which carries its token along, and a loudspeaker that can be asked.
const BY_RECIPE: &str = r#"
channels:
  thu-nghiem:
    name: Nơi thử
    kind: chat
    test: true
    adapter: { recipe: { use: chat-webhook, with: { url: "https://thu.vinh.example/hook", token: "env:LOA_THU" } } }
  loa-thu:
    ward: le-loi
    name: Loa thử
    kind: loudspeaker
    test: true
    adapter: { recipe: { use: loudspeaker-http, with: { url: "http://10.0.3.3", token: "env:LOA_THU" } } }
  thu-tu:
    name: Thư
    kind: chat
    test: true
    adapter: { email: { server: smtp.vinh.example, from: "loa@vinh.example", to: ["truc-ban@vinh.example"], user: loa, password: "env:LOA_THU" } }
"#;

const TOKEN: &str = "geheim-1234567890abcdef";

fn by_recipe() -> Folder {
    let folder = super::ground::folder();
    folder.edit("loa.yaml", "10.0.0.0/8", "127.0.0.1/32");
    folder.write("channels/thu.yaml", BY_RECIPE);
    folder
}

fn against(folder: &Folder, channel: &str, address: SocketAddr, more: &[&str]) -> Output {
    let url = format!("http://loa:mat-khau@{address}/hook?khoa=bi-mat");
    let mut command = Command::new(env!("CARGO_BIN_EXE_loa"));
    command
        .args(["conformance", channel, "--against", &url, "--dir"])
        .arg(folder.path())
        .args(more)
        .env("LOA_THU", TOKEN)
        .env_remove("RUST_LOG");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn nothing_is_sent_where_the_allow_list_or_the_channel_says_no() {
    let folder = by_recipe();
    let elsewhere = TcpListener::bind("127.0.0.2:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = elsewhere.local_addr().unwrap();
    let refused = against(&folder, "thu-nghiem", address, &["--lang", "en"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let said = text(&refused.stderr);
    assert!(
        said.contains(&format!(
            "does not permit calls to {address}, so nothing was sent"
        )),
        "{said}"
    );
    assert_eq!(text(&refused.stdout), "");
    let kind = elsewhere.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(kind, Err(ErrorKind::WouldBlock));
    // Mail has no address that could be another one.
    let refused = against(&folder, "thu-tu", address, &["--lang", "en"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let said = text(&refused.stderr);
    assert!(said.contains("not for mail"), "{said}");
}

/// What is said of a receiver that refuses is what it said, and never that it agreed.
#[test]
fn what_was_answered_is_shown_where_it_was_not_taken() {
    let folder = by_recipe();
    let there = There::answering(|request| {
        let token = request.lines().find(|line| line.contains("Bearer"));
        http("500 No", &format!("kaputt: {}", token.unwrap_or("-")))
    });
    let said = against(&folder, "thu-nghiem", there.address, &["--lang", "en"]);
    let (out, count) = (text(&said.stdout), there.end());
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    assert!(!out.contains("agreed"), "{out}");
    let row = out.lines().find(|line| line.contains("(A1-")).unwrap();
    assert!(row.contains("NOT HELD"), "{row}");
    assert!(
        row.contains("The answer: 500, “kaputt: authorization: Bearer ***”."),
        "{row}"
    );
    // It did repeat the token, which was blacked out.
    let row = out.lines().find(|line| line.contains("(A5-")).unwrap();
    assert!(row.trim_start().starts_with("held"), "{row}");
    assert!(
        out.contains("Not taken, and may be there all the same: A1-"),
        "{out}"
    );
    // What was not taken is not sent once more to see whether it comes twice.
    assert_eq!(count, 5, "{out}");
    for secret in [TOKEN, "mat-khau", "bi-mat"] {
        assert!(!out.contains(secret), "{secret}: {out}");
        assert!(!text(&said.stderr).contains(secret), "{secret}: {said:?}");
    }
}

#[test]
fn what_was_not_repeated_says_nothing_about_secrets() {
    let folder = by_recipe();
    let only = ["--only", "secrets", "--format", "json"];
    let verdict = |answer: fn(&str) -> String| {
        let there = There::answering(answer);
        let said = against(&folder, "thu-nghiem", there.address, &only);
        there.end();
        let told: Value = serde_json::from_slice(&said.stdout).unwrap();
        let row = &told[0]["scenarios"][0];
        assert_eq!(row["scenario"], "secrets");
        row["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict(|request| http("200 OK", request)), "held");
    assert_eq!(verdict(|_| http("200 OK", "")), "not-applicable");
    assert_eq!(verdict(|_| String::new()), "not-applicable");
    assert_eq!(verdict(|_| http("500 No", "xin")), "not-applicable");
}

#[test]
fn a_question_that_is_answered_badly_is_told_with_the_answer() {
    let folder = by_recipe();
    let there = There::answering(|_| http("500 No", "nghỉ trưa"));
    let said = against(
        &folder,
        "loa-thu",
        there.address,
        &["--only", "probe-well", "--lang", "en"],
    );
    there.end();
    let out = text(&said.stdout);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    assert!(!out.contains("although"), "{out}");
    assert!(out.contains("The answer: 500, “nghỉ trưa”."), "{out}");
    assert!(!out.contains("Look there"), "nothing was sent: {out}");
}

#[test]
fn the_last_lines_say_what_has_to_be_there() {
    let folder = by_recipe();
    let there = There::answering(|_| http("200 OK", ""));
    let said = against(&folder, "thu-nghiem", there.address, &["--lang", "en"]);
    assert_eq!((said.status.code(), there.end()), (Some(0), 6), "{said:?}");
    let out = text(&said.stdout);
    let last: Vec<&str> = out.lines().rev().take(2).collect();
    assert!(
        last[1].starts_with("Look there: expect 5 messages, each once,"),
        "{out}"
    );
    for number in 1..=5 {
        assert!(last[1].contains(&format!("A{number}-")), "{out}");
    }
    assert!(
        last[0].starts_with("A2-") && last[0].contains("was sent twice with one key"),
        "{out}"
    );
    assert!(!out.contains("table of adapters"), "{out}");
    // The address without what is secret in it.
    assert!(out.contains("/hook…."), "{out}");
    assert!(!out.contains("bi-mat"), "{out}");
}

/// Everything that is sent to a site is one bulletin, so the last of it is what stands there.
#[test]
fn a_site_is_not_expected_to_have_a_page_for_each_attempt() {
    let folder = by_recipe();
    folder.write(
        "channels/recipes/trang-thu.yaml",
        r#"
title: Trang thử
parameters:
  url: { about: "Địa chỉ trang" }
request: { method: PUT, url: "{{ with.url }}/{{ message.slug }}", body: { json: { html: "{{ message.html }}" } } }
accepted: { status: 201 }
"#,
    );
    folder.write(
        "channels/trang-thu.yaml",
        r#"
channels:
  trang-thu:
    ward: le-loi
    name: Trang thử
    kind: website
    test: true
    adapter: { recipe: { use: trang-thu, with: { url: "https://trang.vinh.example" } } }
"#,
    );
    let there = There::answering(|_| http("201 Created", ""));
    let said = against(&folder, "trang-thu", there.address, &["--lang", "en"]);
    let count = there.end();
    let out = text(&said.stdout);
    assert!(count > 4, "{said:?}");
    let last = out.lines().last().unwrap();
    assert!(
        last.contains("has one in the end, with the words of A5-"),
        "{out}"
    );
    assert!(!out.contains("each once"), "{out}");
    assert!(!out.contains("was sent twice"), "{out}");
}
