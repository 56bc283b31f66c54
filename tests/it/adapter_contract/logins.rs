//! Logins that several attempts share: made once for many at a time, used while they are good, made anew where they have ended.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::Poll,
    time::Duration,
};

use loa::{
    adapter::{
        Adapter, Exchange, Step,
        attempt::{AttemptEnd, Ending, NoNotes, attempt, probe},
        transport::Transport,
    },
    domain::{bulletin::Priority, delivery::Reason, message::Message, time::Timestamp},
};
use tokio::sync::Notify;

use super::{
    instant, message,
    server::{Server, answer, script},
    steps::{failure, lost, ok, says, written, written_for},
    transport::settings,
};

const GATEWAY: &str = r#"
auth: { bearer: "{{ steps.login.token }}" }
steps:
  login:
    when: always
    request: { method: POST, url: "{{ with.url }}/login", auth: none }
    take: { token: /token }
    valid_for: 20m
request: { method: POST, url: "{{ with.url }}/say", body: { json: { text: "{{ message.text }}" } } }
accepted: { json: { /ok: true } }
errors:
  - { json: { /code: 1003 }, then: renew }
  - { status: 4xx, then: reject }
probe: { request: { method: GET, url: "{{ with.url }}/state" } }
"#;

/// A gateway that gives `token-1`, `token-2`, … and takes the newest one only, until it took so many calls as `ends_after` names; `ended`
/// is what it says then.
fn gateway(connections: usize, ended: &'static str, ends_after: &'static [usize]) -> Server {
    let state = Arc::new(Mutex::new((0_usize, 0_usize, false)));
    Server::start(
        (0..connections)
            .map(|_| {
                let state = Arc::clone(&state);
                script(move |wire| {
                    while let Some(request) = wire.request() {
                        let mut state = state.lock().unwrap();
                        let (given, said, is_over) = &mut *state;
                        if request.starts_with("POST /login") {
                            *given += 1;
                            *is_over = false;
                            let token = format!(r#"{{"token":"token-{given}","expires_in":100}}"#);
                            wire.write(answer("200 OK", "", &token));
                            continue;
                        }
                        let newest = format!("Bearer token-{given}\r");
                        if request.contains(&newest) && !*is_over {
                            *said += 1;
                            *is_over = ends_after.contains(said);
                            wire.write(answer("200 OK", "", r#"{"ok":true}"#));
                        } else {
                            wire.write(ended);
                        }
                    }
                })
            })
            .collect(),
    )
}

const UNAUTHORISED: &str = "HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n";
const CODE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"code\":1003}";

async fn send(adapter: &dyn Adapter, transport: &Transport, at: Timestamp) -> AttemptEnd {
    attempt(adapter, &message(), &NoNotes, transport, || at).await
}

fn is_accepted(end: &AttemptEnd) -> bool {
    matches!(end.ending, Ending::Accepted(_))
}

/// The paths that were called, and the tokens with which.
async fn calls(server: Server) -> Vec<String> {
    let requests = server.requests().await;
    let call = |request: &String| {
        let path = request.split(' ').nth(1).unwrap().to_owned();
        let token = request.split("Bearer ").nth(1);
        let token = token.and_then(|rest| rest.lines().next());
        token.map_or(path.clone(), |token| format!("{path} {token}"))
    };
    requests.iter().map(call).collect()
}

#[tokio::test]
async fn one_login_serves_until_its_time_is_over() {
    let server = gateway(1, UNAUTHORISED, &[]);
    let adapter = written_for(&server.url(""), GATEWAY);
    let transport = Transport::new(settings()).unwrap();
    let begin = instant("2024-03-25T05:30:00Z");
    for minutes in [0, 1, 19, 20] {
        let end = send(&adapter, &transport, begin + Duration::from_mins(minutes)).await;
        assert!(is_accepted(&end), "{end:?}");
    }
    let at = || begin + Duration::from_mins(21);
    probe(&adapter, None, &transport, at)
        .await
        .unwrap()
        .unwrap();
    drop(transport);
    assert_eq!(
        calls(server).await,
        [
            "/login",
            "/say token-1",
            "/say token-1",
            "/say token-1",
            "/login",
            "/say token-2",
            "/state token-2"
        ]
    );
}

#[tokio::test]
async fn the_answer_may_say_how_long_a_login_lasts() {
    let server = gateway(1, UNAUTHORISED, &[]);
    let told = GATEWAY.replace("20m", "{ seconds: /expires_in }");
    let adapter = written_for(&server.url(""), &told);
    let transport = Transport::new(settings()).unwrap();
    let begin = instant("2024-03-25T05:30:00Z");
    // A tenth of it is left for what an attempt takes.
    for seconds in [0, 89, 90] {
        let end = send(&adapter, &transport, begin + Duration::from_secs(seconds)).await;
        assert!(is_accepted(&end), "{end:?}");
    }
    drop(transport);
    assert_eq!(
        calls(server).await,
        [
            "/login",
            "/say token-1",
            "/say token-1",
            "/login",
            "/say token-2"
        ]
    );
}

#[tokio::test]
async fn many_at_once_make_one_login() {
    // A connection for each call: one login, and eight calls with what it gave.
    let call = || {
        script(|wire| {
            let request = wire.request().unwrap();
            let body = if request.starts_with("POST /login") {
                r#"{"token":"token-1"}"#
            } else {
                r#"{"ok":true}"#
            };
            wire.write(answer("200 OK", "connection: close\r\n", body));
        })
    };
    let server = Server::start((0..9).map(|_| call()).collect());
    let adapter = written_for(&server.url(""), GATEWAY);
    let transport = Transport::new(settings()).unwrap();
    let at = instant("2024-03-25T05:30:00Z");
    let all = futures_util::future::join_all((0..8).map(|_| send(&adapter, &transport, at))).await;
    assert!(all.iter().all(is_accepted), "{all:?}");
    let calls = calls(server).await;
    let logins = calls.iter().filter(|call| *call == "/login").count();
    assert_eq!((logins, calls.len()), (1, 9), "{calls:?}");
}

#[tokio::test]
async fn a_login_that_has_ended_is_made_anew_within_the_attempt() {
    for ended in [UNAUTHORISED, CODE] {
        let server = gateway(1, ended, &[1]);
        let adapter = written_for(&server.url(""), GATEWAY);
        let transport = Transport::new(settings()).unwrap();
        let at = instant("2024-03-25T05:30:00Z");
        for _ in 0..3 {
            let end = send(&adapter, &transport, at).await;
            assert!(is_accepted(&end), "{end:?}");
        }
        drop(transport);
        assert_eq!(
            calls(server).await,
            [
                "/login",
                "/say token-1",
                "/say token-1",
                "/login",
                "/say token-2",
                "/say token-2"
            ],
            "{ended}"
        );
    }
}

/// An emergency tells the device to stop with the new login as well, and what came of that is what is said.
#[tokio::test]
async fn an_emergency_stops_what_plays_also_where_its_login_had_ended() {
    let by_a_login = r#"
stop: { method: POST, url: "{{ with.url }}/stop" }
"#;
    let asks = r#"
stop: { method: POST, url: "{{ with.url }}/stop", auth: none }
find:
  when: always
  request: { method: GET, url: "{{ with.url }}/list" }
  found: { json: { /there: true } }
  absent: { json: { /ok: true } }
"#;
    let stopped_twice: &[&str] = &[
        "/login",
        "/say token-1",
        "/stop token-1",
        "/say token-1",
        "/login",
        "/stop token-2",
        "/say token-2",
    ];
    let asked_first: &[&str] = &[
        "/login",
        "/list token-1",
        "/say token-1",
        "/list token-1",
        "/login",
        "/list token-2",
        "/stop",
        "/say token-2",
    ];
    for (more, ends_after, stopped, expected) in [
        (by_a_login, &[1][..], true, stopped_twice),
        (asks, &[2][..], false, asked_first),
    ] {
        let server = gateway(1, UNAUTHORISED, ends_after);
        let adapter = written_for(&server.url(""), &format!("{GATEWAY}{more}"));
        let transport = Transport::new(settings()).unwrap();
        let at = instant("2024-03-25T05:30:00Z");
        assert!(is_accepted(&send(&adapter, &transport, at).await));
        let urgent = Message {
            preempts: true,
            ..message()
        };
        let end = attempt(&adapter, &urgent, &NoNotes, &transport, || at).await;
        assert!(is_accepted(&end), "{end:?}");
        drop(transport);
        assert_eq!(calls(server).await, expected);
        assert_eq!(end.stopped, Some(stopped));
    }
}

/// A fresh login that is refused is refused for good, and the next attempt makes its own.
#[tokio::test]
async fn a_fresh_login_that_is_refused_is_neither_made_again_nor_kept() {
    let server = Server::start(vec![script(|wire| {
        while let Some(request) = wire.request() {
            if request.starts_with("POST /login") {
                wire.write(answer("200 OK", "", r#"{"token":"token-x"}"#));
            } else {
                wire.write(UNAUTHORISED);
            }
        }
    })]);
    let adapter = written_for(&server.url(""), GATEWAY);
    let transport = Transport::new(settings()).unwrap();
    let at = instant("2024-03-25T05:30:00Z");
    for _ in 0..2 {
        let end = send(&adapter, &transport, at).await;
        let Ending::Failed(failure) = &end.ending else {
            panic!("{end:?}");
        };
        assert_eq!((failure.reason(), end.exchanges), (Reason::Unauthorised, 2));
    }
    drop(transport);
    assert_eq!(
        calls(server).await,
        ["/login", "/say token-x", "/login", "/say token-x"]
    );
}

/// Another password is another login.
#[tokio::test]
async fn what_a_channel_says_of_itself_has_its_own_login() {
    let server = gateway(1, UNAUTHORISED, &[]);
    let one = written_for(&server.url(""), GATEWAY);
    let other = written_for(&server.url("/"), GATEWAY);
    let transport = Transport::new(settings()).unwrap();
    let at = instant("2024-03-25T05:30:00Z");
    send(&one, &transport, at).await;
    send(&other, &transport, at).await;
    drop(transport);
    let logins = calls(server).await;
    let logins = logins
        .iter()
        .filter(|call| call.ends_with("/login"))
        .count();
    assert_eq!(logins, 2);
}

const LATER: &str = r#"
auth: { bearer: "{{ steps.login.token }}" }
steps:
  login:
    when: always
    request: { method: POST, url: "{{ with.url }}/login", auth: none }
    take: { token: /token }
request: { method: POST, url: "{{ with.url }}/say" }
accepted: { status: 202, receipt: /job }
confirm:
  request: { method: GET, url: "{{ with.url }}/jobs/{{ receipt }}?d={{ message.delivery }}" }
  confirmed: { json: { /state: done } }
  refuted: { json: { /state: failed } }
  later: { every: 1m, within: 30m }
"#;

/// The question that is asked afterwards logs in, names the receipt, and says yes, no, or that nobody knows yet.
#[test]
fn what_was_taken_is_asked_for_afterwards() {
    let adapter = written(LATER);
    let patience = adapter.patience().unwrap();
    assert!(patience.is_device);
    assert_eq!(
        (patience.every, patience.within),
        (Duration::from_mins(1), Duration::from_mins(30))
    );
    let now = instant("2024-03-25T05:30:00Z");
    let message = message();
    let next = |done: &[Exchange]| {
        adapter
            .look_after(&message, Some("j-7"), done, now)
            .unwrap()
    };
    let Step::Call(login) = next(&[]) else {
        panic!()
    };
    let login = Exchange {
        request: login,
        result: says(200, &[], r#"{"token":"token-1"}"#),
    };
    let Step::Call(question) = next(std::slice::from_ref(&login)) else {
        panic!()
    };
    let asked = format!("http://10.1.4.3/jobs/j-7?d={}", message.delivery);
    assert_eq!(question.url.to_string(), asked);
    for (answer, expected) in [
        (ok(r#"{"state":"done"}"#), None),
        (
            ok(r#"{"state":"failed"}"#),
            Some(("reject", Reason::NotPlayed)),
        ),
        (
            ok(r#"{"state":"playing"}"#),
            Some(("retry", Reason::Unanswered)),
        ),
        (lost(), Some(("retry", Reason::Unanswered))),
        (says(401, &[], ""), Some(("retry", Reason::Unanswered))),
    ] {
        let shown = format!("{answer:?}");
        let done = [
            login.clone(),
            Exchange {
                request: question.clone(),
                result: answer,
            },
        ];
        let end = next(&done);
        let told = (end != Step::accepted(None)).then(|| failure(&end));
        assert_eq!(told, expected, "{shown}");
    }
    assert!(written(GATEWAY).patience().is_none());
}

/// Polls `going`, which is not to end yet, until `is_there`.
async fn until<F: Future>(mut going: Pin<&mut F>, is_there: impl Fn() -> bool) {
    poll_fn(|context| {
        assert!(going.as_mut().poll(context).is_pending());
        if is_there() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// A gateway that is called ten times a second at the most, and has just been called.
async fn crowded(server: &Server, at: Timestamp) -> Transport {
    let transport = Transport::new(settings()).unwrap();
    transport.set_pace(10.0);
    let plain = r#"
request: { method: POST, url: "{{ with.url }}/login", body: { json: { text: "{{ message.text }}" } } }
accepted: { status: 2xx }
"#;
    let end = send(&written_for(&server.url(""), plain), &transport, at).await;
    assert!(is_accepted(&end), "{end:?}");
    transport
}

/// Who waits for the host lets an emergency make the login, and its place is then that of the call after the login.
#[tokio::test]
async fn nobody_waits_for_a_login_that_waits_for_its_host() {
    let server = gateway(1, UNAUTHORISED, &[]);
    let at = instant("2024-03-25T05:30:00Z");
    let transport = crowded(&server, at).await;
    let adapter = written_for(&server.url(""), GATEWAY);
    let mut patient = Box::pin(send(&adapter, &transport, at));
    until(patient.as_mut(), || true).await;
    let emergency = Message {
        priority: Priority::Emergency,
        ..message()
    };
    let end = attempt(&adapter, &emergency, &NoNotes, &transport, || at).await;
    assert!(is_accepted(&end), "{end:?}");
    assert_eq!(end.exchanges, 2, "it made the login");
    let end = patient.as_mut().await;
    assert!(is_accepted(&end), "{end:?}");
    assert_eq!(end.exchanges, 1);
    drop(patient);
    // Four places are taken, by the clock of the attempts: that of the call before, the patient one's and the emergency's two.
    let (_, free) = transport.crowded(at, Duration::ZERO);
    assert_eq!(free, Some(at + Duration::from_millis(375)));
    drop(transport);
    assert_eq!(
        calls(server).await,
        ["/login", "/login", "/say token-2", "/say token-2"]
    );
}

/// A place at the host is for its moment: who waited for somebody's login meanwhile, which came to nothing, has to take another.
#[tokio::test]
async fn a_place_that_passed_while_another_logged_in_is_none() {
    let is_asked = Arc::new(Notify::new());
    let (refuse, refused) = mpsc::channel::<()>();
    let tell = Arc::clone(&is_asked);
    let server = Server::start(vec![
        script(|wire| {
            wire.request();
            wire.write(answer("200 OK", "connection: close\r\n", "{}"));
        }),
        script(move |wire| {
            wire.request();
            tell.notify_one();
            refused.recv().unwrap();
            wire.write(answer("500 No", "connection: close\r\n", "{}"));
        }),
    ]);
    let at = instant("2024-03-25T05:30:00Z");
    let transport = crowded(&server, at).await;
    let adapter = written_for(&server.url(""), GATEWAY);
    let looked = AtomicUsize::new(0);
    let clock = || {
        looked.fetch_add(1, Ordering::SeqCst);
        at
    };
    let sent = message();
    let mut patient = pin!(attempt(&adapter, &sent, &NoNotes, &transport, clock));
    until(patient.as_mut(), || true).await;
    let before = looked.load(Ordering::SeqCst);
    let emergency = Message {
        priority: Priority::Emergency,
        ..message()
    };
    let mut urgent = pin!(attempt(&adapter, &emergency, &NoNotes, &transport, || at));
    tokio::select! {
        biased;
        end = &mut urgent => panic!("{end:?}"),
        () = is_asked.notified() => (),
    }
    // Its place has come: it looks for the login, and finds that another is making it.
    until(patient.as_mut(), || looked.load(Ordering::SeqCst) > before).await;
    refuse.send(()).unwrap();
    let end = urgent.await;
    assert!(!is_accepted(&end), "{end:?}");
    let taken = |count: u64| Some(at + Duration::from_millis(count * 100 - 25));
    let next = || transport.crowded(at, Duration::ZERO).1;
    assert_eq!(next(), taken(3));
    until(patient.as_mut(), || next() == taken(4)).await;
    assert_eq!(server.requests().await.len(), 2, "it called nobody");
}
