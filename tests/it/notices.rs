//! What operators and departments get: mail through the simulated city, webhooks over a socket with a receiver that checks them as
//! `channels/README.md` says.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use loa::{
    adapter::{
        attempt::{AttemptEnd, Ending, NoNotes, attempt, probe},
        registry::Registry,
        transport::{Route, Transport, TransportSettings},
    },
    clock::Clock,
    domain::{
        delivery::{Reason, State},
        id::ChannelId,
        secret::Secret,
    },
    simulator::{City, CityOptions, Effect, Fault, FaultOrder, Heard, HeardFilter, Kind},
};

use crate::{
    adapter_contract,
    support::{
        city::{Scene, at},
        cli::loa,
        on_both_databases,
        workspace::Folder,
    },
    watchdog,
};

/// The mail server of the tests, as the city knows it.
const SERVER: &str = "smtp.vinh.example:465";

const OPERATOR: &str = "watchdog: { operator: truc-ban, after: 90s }\n";

fn by_mail(folder: &Folder) {
    folder.amend("loa.yaml", OPERATOR);
    let approver =
        "approval: { required: off, approvers: [{ name: Trần Thị Mai, role: Giám đốc }] }";
    folder.edit("loa.yaml", "approval: { required: off }", approver);
    folder.write(
        "channels/thu.yaml",
        r#"
channels:
  truc-ban:
    name: Trực ban
    kind: chat
    adapter: { email: { server: smtp.vinh.example, user: loa, password: "env:LOA_SMTP", from: "Loa <loa@vinh.example>", to: ["truc-ban@vinh.example"] } }
  phong-vhtt:
    name: Phòng Văn hóa
    kind: chat
    format: article
    adapter: { email: { server: smtp.vinh.example, tls: starttls, port: 465, ca: "file:ca.pem", from: loa@vinh.example, to: ["phong-vhtt@vinh.example", "cong-an@vinh.example"] } }
"#,
    );
}

fn letters(heard: &[Heard]) -> Vec<&Heard> {
    let all = heard.iter();
    all.filter(|one| one.kind == Kind::Mail && one.method == "MAIL")
        .collect()
}

fn mailed(scene: &Scene) -> Vec<Heard> {
    let filter = HeardFilter {
        kind: Some(Kind::Mail),
        ..HeardFilter::default()
    };
    scene.city.heard(&filter)
}

on_both_databases! {
    async fn an_operator_and_a_department_get_letters(scene: Scene) {
        by_mail(&scene.folder);
        scene.fault(FaultOrder::new("10.0.0.3", Fault::Refuse)).await;
        scene.fault(FaultOrder::new(SERVER, Fault::AcceptedThenLost).times(1)).await;
        let clock = Clock::manual(at("2024-03-25T05:29"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| rows.iter().filter(|row| row.state == State::Ready).count() == 3).await;
        watchdog::wait_for_watchdog(&daemon.shared).await;
        clock.advance(Duration::from_secs(61));
        daemon.wait(|rows| rows.iter().filter(|row| row.state == State::Accepted).count() == 2).await;
        clock.advance(Duration::from_secs(89));
        watchdog::wait(&daemon.shared, "silence-not-told", 1).await;
        clock.advance(Duration::from_secs(20));
        watchdog::wait(&daemon.shared, "silence-told", 1).await;
        // The letter was there when its answer was lost. It came again with the same id, and the mailbox shows one.
        let heard = mailed(&scene);
        let told = letters(&heard);
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!((told[0].effect, told[1].effect), (Effect::Received, Effect::Ignored));
        assert_eq!(told[0].key, told[1].key);
        assert_eq!(told[0].path, "/truc-ban@vinh.example");
        let text = told[0].text.as_deref().unwrap();
        assert!(text.contains("05:30 25/03/2024, phường Lê Lợi"), "{text}");
        // A department gets the article; greylisting makes it wait and no more.
        let greylisted = Fault::Status { code: 451, retry_after: None, body: Some("4.7.1 Greylisted".to_owned()) };
        let for_department = FaultOrder { path: Some("/phong-vhtt".to_owned()), ..FaultOrder::new(SERVER, greylisted).times(1) };
        scene.fault(for_department).await;
        clock.advance(Duration::from_mins(41));
        let is_ready = |rows: &[loa::store::row::DeliveryRow]| rows.iter().any(|row| row.channel.as_str() == "phong-vhtt" && row.state == State::Ready && row.attempts == 1);
        daemon.wait(is_ready).await;
        clock.advance(Duration::from_mins(1));
        let is_there = |rows: &[loa::store::row::DeliveryRow]| rows.iter().any(|row| row.channel.as_str() == "phong-vhtt" && row.state == State::Accepted);
        daemon.wait(is_there).await;
        let heard = mailed(&scene);
        let article = letters(&heard).into_iter().rfind(|one| one.effect == Effect::Received && one.path.starts_with("/phong-vhtt")).unwrap().clone();
        assert_eq!(article.path, "/phong-vhtt@vinh.example,cong-an@vinh.example");
        let text = article.text.as_deref().unwrap();
        assert!(text.starts_with("Cảnh giác lời thứ") && text.contains("Tóm tắt lời thứ"), "{text}");
        assert!(text.contains("Bà con thành phố Vinh chú ý: lời thứ"), "{text}");
        // The correction answers it.
        let bulletin = if text.contains("thứ nhất") { "mot" } else { "hai" };
        let arguments = ["retract", bulletin, "--by", "Trần Thị Mai", "--reason", "nhầm số"];
        let world = ["--simulate", "--database", &scene.database];
        let said = loa(&scene.folder.path(), &[&arguments[..], &world[..]].concat());
        assert_eq!(said.code, 0, "{said:?}");
        let id = article.key.clone().unwrap();
        let mut requests = scene.city.requests();
        let answer = loop {
            let heard = mailed(&scene);
            let answers = format!("In-Reply-To: {id}");
            let found = letters(&heard).into_iter().find(|one| one.text.as_deref().is_some_and(|text| text.contains(&answers))).cloned();
            if let Some(found) = found {
                break found;
            }
            clock.advance(Duration::from_secs(5));
            let _ = tokio::time::timeout(Duration::from_millis(200), requests.changed()).await;
        };
        assert!(answer.text.unwrap().contains("Đính chính"));
        daemon.stop().await;
        scene.check().await;
    }
}

/// Everything that the city's mail server does wrong on demand, and what is made of it.
#[tokio::test]
async fn a_mail_server_of_the_city_fails_as_it_is_told() {
    let folder = Folder::small();
    by_mail(&folder);
    let workspace = folder.load();
    let (registry, problems) = Registry::with_stand_ins(&workspace, &|_| Secret::simulated());
    assert!(problems.is_empty(), "{problems:?}");
    let adapter = registry
        .get(&ChannelId::parse("phong-vhtt").unwrap())
        .unwrap();
    let city = City::start(CityOptions::default()).await.unwrap();
    let client = |seconds| {
        let settings = TransportSettings {
            connect_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_millis(seconds),
            allow: workspace.settings.allow.clone(),
            answer_cap: 64 * 1024,
            route: Route::Simulated {
                control: city.control(),
            },
        };
        Transport::new(settings).unwrap()
    };
    let (patient, impatient) = (client(10_000), client(300));
    let message = adapter_contract::message();
    let send = async |transport: &Transport| {
        attempt(adapter.as_ref(), &message, &NoNotes, transport, || {
            message.sent_at
        })
        .await
    };
    let end_of = |end: &AttemptEnd| match &end.ending {
        Ending::Accepted(receipt) => ("accepted", None, receipt.reference.clone().unwrap()),
        Ending::Failed(why) => {
            let sort = adapter_contract::steps::failure(&loa::adapter::Step::Failed(why.clone())).0;
            (sort, Some(why.reason()), why.detail().to_owned())
        }
    };
    let says = |code: u16, words: &str| Fault::Status {
        code,
        retry_after: None,
        body: Some(words.to_owned()),
    };
    for (method, fault, sort, reason, detail) in [
        (
            "EHLO",
            says(503, "4.3.2 closing"),
            "retry",
            Some(Reason::Busy),
            "call-mail-refused said=421 4.3.2 closing",
        ),
        (
            "MAIL",
            says(451, "4.7.1 later"),
            "retry",
            Some(Reason::Busy),
            "call-mail-refused said=451 4.7.1 later",
        ),
        (
            "RCPT",
            says(550, "5.1.1 nobody"),
            "reject",
            Some(Reason::Status),
            "call-mail-recipient recipient=phong-vhtt@vinh.example; said=550 5.1.1 nobody",
        ),
        (
            "DATA",
            Fault::Reset,
            "retry",
            Some(Reason::Unanswered),
            "mail-reset",
        ),
        (
            "MAIL",
            Fault::AcceptedThenLost,
            "unknown",
            Some(Reason::Reset),
            "call-reset",
        ),
        (
            "MAIL",
            Fault::Cut,
            "unknown",
            Some(Reason::Cut),
            "call-closed",
        ),
        (
            "MAIL",
            Fault::Garbage,
            "unknown",
            Some(Reason::Unreadable),
            "call-mail-no-smtp",
        ),
        (
            "MAIL",
            Fault::Redirect {
                to: "khac@vinh.example".to_owned(),
            },
            "reject",
            Some(Reason::Status),
            "call-mail-refused said=551 5.1.6 Try khac@vinh.example",
        ),
        (
            "MAIL",
            Fault::Slow { ms: 20 },
            "accepted",
            None,
            "250 2.0.0 Ok: there already",
        ),
    ] {
        let order = FaultOrder::new(SERVER, fault).method(method).times(1);
        city.fault(order.clone()).await.unwrap();
        let end = end_of(&send(&patient).await);
        assert_eq!(end, (sort, reason, detail.to_owned()), "{order:?}");
        assert_eq!(city.clear_faults().await.unwrap(), 0, "{order:?} was hit");
    }
    city.fault(FaultOrder::new(SERVER, Fault::After).times(1))
        .await
        .unwrap();
    let end = end_of(&send(&impatient).await);
    assert_eq!((end.0, end.1), ("unknown", Some(Reason::Timeout)));
    // It is asked without a letter, and a fault that is ordered for letters passes by.
    city.fault(FaultOrder::new(SERVER, says(550, "no")).times(1))
        .await
        .unwrap();
    let now = || message.sent_at;
    assert_eq!(
        probe(adapter.as_ref(), None, &patient, now).await,
        Some(Ok(()))
    );
    assert_eq!(city.clear_faults().await.unwrap(), 1);
    city.fault(FaultOrder::new(SERVER, Fault::Refuse))
        .await
        .unwrap();
    let asked = probe(adapter.as_ref(), None, &patient, now).await.unwrap();
    assert_eq!(asked.unwrap_err().reason(), Reason::Refused);
    let counts = city.summary().total;
    assert_eq!(counts.received, 1, "a mailbox shows one: {counts:?}");
    city.shutdown().await;
}

/// A receiver of webhooks that answers yes to everything, for as long as somebody reads what it got.
fn receiver() -> (u16, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, got) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            loop {
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    if stream.read_line(&mut head).unwrap_or(0) == 0 {
                        break;
                    }
                }
                let head: String = head
                    .lines()
                    .map(|line| match line.split_once(": ") {
                        Some((name, value)) => format!("{}: {value}\n", name.to_ascii_lowercase()),
                        None => format!("{line}\n"),
                    })
                    .collect();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                let Some(length) = length else {
                    break;
                };
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let _ = stream
                    .get_mut()
                    .write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
                if sender.send((head, body)).is_err() {
                    return;
                }
            }
        }
    });
    (port, got)
}

/// What the receiver of `channels/README.md` says of a request.
fn is_believed(secret: &str, now: &str, head: &str, body: &[u8]) -> bool {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("channels/README.md");
    let page = fs::read_to_string(page).unwrap();
    let code = page.split("```python\n").nth(1).unwrap();
    let code = code.split("```").next().unwrap();
    let headers: serde_json::Value = head
        .lines()
        .filter_map(|line| {
            Some((
                line.split_once(": ")?.0.to_owned(),
                line.split_once(": ")?.1.into(),
            ))
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    let given =
        serde_json::json!({ "secret": secret, "headers": headers, "body": STANDARD.encode(body) });
    let program = format!(
        "import json, sys, time\ntime.time = lambda: {now}\n{code}\ngiven = json.load(sys.stdin)\n\
         print(is_from_loa(given['secret'], given['headers'], base64.b64decode(given['body'])))\n"
    );
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is missing: apt-get install python3");
    python
        .stdin
        .take()
        .unwrap()
        .write_all(given.to_string().as_bytes())
        .unwrap();
    let said = python.wait_with_output().unwrap();
    assert!(said.status.success(), "{said:?}");
    match said.stdout.trim_ascii() {
        b"True" => true,
        b"False" => false,
        _ => panic!("{said:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_to_an_operator_and_a_department_are_believed_by_their_receivers() {
    let scene = Scene::new(None).await;
    let ((operator, told), (department, got)) = (receiver(), receiver());
    scene.folder.edit(
        "loa.yaml",
        "[\"10.0.0.0/8\", \"*.vinh.example\"]",
        "[\"127.0.0.1/32\"]",
    );
    scene.folder.amend("loa.yaml", OPERATOR);
    scene.folder.write(
        "channels/truc-ban.yaml",
        &format!(
            "channels:\n  truc-ban:\n    kind: chat\n    adapter: {{ webhook: {{ url: \"http://127.0.0.1:{operator}/loa\", secrets: [\"env:LOA_TB\"] }} }}\n  \
             phong-vhtt:\n    kind: chat\n    format: article\n    adapter: {{ webhook: {{ url: \"http://127.0.0.1:{department}/loa\", secrets: [\"env:LOA_A\", \"env:LOA_B\"] }} }}\n"
        ),
    );
    // Nobody but this machine may be called, so the loudspeakers stay silent.
    let clock = Clock::manual(at("2024-03-25T05:29"));
    let daemon = scene.start_direct(clock.clone()).await;
    daemon
        .wait(|rows| rows.iter().filter(|row| row.state == State::Ready).count() == 3)
        .await;
    watchdog::wait_for_watchdog(&daemon.shared).await;
    clock.advance(Duration::from_secs(61));
    daemon
        .wait(|rows| rows.iter().filter(|row| row.attempts > 0).count() == 3)
        .await;
    clock.advance(Duration::from_secs(89));
    watchdog::wait(&daemon.shared, "silence-told", 3).await;
    clock.advance(Duration::from_mins(41));
    daemon
        .wait(|rows| {
            rows.iter()
                .any(|row| row.channel.as_str() == "phong-vhtt" && row.state == State::Accepted)
        })
        .await;
    daemon.stop().await;
    let secret = Secret::simulated();
    let secret = secret.expose();
    for (head, body, format, title) in [
        (told.recv().unwrap(), "message", "Im lặng"),
        (got.recv().unwrap(), "article", "Cảnh giác lời thứ"),
    ]
    .map(|((head, body), format, title)| (head, body, format, title))
    {
        let sent = head
            .lines()
            .find_map(|line| line.strip_prefix("webhook-timestamp: "))
            .unwrap();
        assert!(is_believed(secret, sent, &head, &body), "{head}");
        let later: i64 = sent.parse::<i64>().unwrap() + 301;
        assert!(!is_believed(secret, &later.to_string(), &head, &body));
        let other = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        assert!(!is_believed(other, sent, &head, &body));
        assert!(!is_believed(
            secret,
            sent,
            &head,
            &[&body[..], b" "].concat()
        ));
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(json["data"]["format"], format);
        let said = json["data"]["title"].as_str().unwrap();
        assert!(said.contains(title) || format == "message", "{said}");
        let text = json["data"]["text"].as_str().unwrap();
        if format == "message" {
            assert!(
                text.contains("05:30 25/03/2024, phường Hưng Bình"),
                "{text}"
            );
        } else {
            assert!(
                json["data"]["html"].as_str().unwrap().contains("<p>Bà con"),
                "{json}"
            );
            assert!(
                json["data"]["summary"]
                    .as_str()
                    .unwrap()
                    .starts_with("Tóm tắt"),
                "{json}"
            );
        }
    }
}
