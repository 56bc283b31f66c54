//! The transport against real sockets.

use std::time::{Duration, Instant};

use bytes::Bytes;
use loa::{
    adapter::{
        Fault, Hidden, Request, Response,
        transport::{Route, Transport, TransportSettings},
    },
    domain::{delivery::Reason, settings::AllowRule},
};

use super::{
    instant,
    server::{Script, Server, answer, nobody, script},
};

pub(super) fn range(text: &str) -> AllowRule {
    AllowRule::Range(text.parse().unwrap())
}

pub(super) fn settings() -> TransportSettings {
    TransportSettings {
        connect_timeout: Duration::from_secs(5),
        total_timeout: Duration::from_secs(10),
        allow: vec![range("127.0.0.0/8")],
        answer_cap: 64 * 1024,
        route: Route::Direct,
    }
}

fn impatient() -> TransportSettings {
    TransportSettings {
        total_timeout: Duration::from_millis(150),
        ..settings()
    }
}

pub(super) fn post(url: String) -> Request {
    Request {
        method: "POST".into(),
        url: url.into(),
        headers: Vec::new(),
        body: Bytes::from_static(b"xin ch\xc3\xa0o"),
        wait: Duration::ZERO,
        hidden: Hidden::default(),
        login: None,
    }
}

pub(super) async fn call(
    settings: TransportSettings,
    request: &Request,
) -> Result<Response, Fault> {
    let transport = Transport::new(settings).unwrap();
    transport
        .call(request, instant("2024-03-25T05:30:00Z"))
        .await
}

#[track_caller]
fn assert_fault(result: Result<Response, Fault>, may_have_left: bool, reason: Reason) {
    let fault = result.unwrap_err();
    assert_eq!(
        (fault.may_have_left, fault.reason),
        (may_have_left, reason),
        "{}",
        fault.detail
    );
}

#[tokio::test]
async fn an_answer_comes_back_whole() {
    let head = "X-Mot: a\r\nx-mot: b\r\nX-Hai: c\r\n";
    let server = Server::answering(answer("202 Accepted", head, "đã nhận"));
    let mut request = post(server.url("/a?b=c"));
    request.headers = vec![
        ("X-Ban-Tin".into(), "Cảnh giác".into()),
        ("x-ban-tin".into(), "2".into()),
    ];
    let answer = call(settings(), &request).await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_ref()),
        (202, "đã nhận".as_bytes())
    );
    assert_eq!(answer.headers.get("x-mot").as_deref(), Some("a, b"));
    assert_eq!(answer.headers.get("x-hai").as_deref(), Some("c"));
    assert_eq!(answer.retry_after, None);
    let requests = server.requests().await;
    let sent = &requests[0];
    assert!(
        sent.starts_with("POST /a?b=c HTTP/1.1\r\n") && sent.ends_with("\r\n\r\nxin chào"),
        "{sent}"
    );
    assert!(
        sent.contains(&format!(
            "user-agent: loa/{}\r\n",
            env!("CARGO_PKG_VERSION")
        )),
        "{sent}"
    );
    assert!(
        sent.contains("x-ban-tin: Cảnh giác\r\nx-ban-tin: 2\r\n"),
        "{sent}"
    );
}

#[tokio::test]
async fn what_never_left() {
    assert_fault(
        call(settings(), &post(format!("http://{}/", nobody()))).await,
        false,
        Reason::Refused,
    );

    let name = format!("{}.example", "a".repeat(64)); // Longer than a label may be: nobody has to be asked.
    let allow = vec![AllowRule::Host(name.clone())];
    let unknown = call(
        TransportSettings {
            allow,
            ..settings()
        },
        &post(format!("http://{name}/")),
    )
    .await;
    assert_fault(unknown, false, Reason::NoAddress);

    // A receiver that does not speak TLS, in three ways of not speaking it.
    let scripts: Vec<Script> = vec![
        script(|wire| {
            wire.read(1);
            wire.write(answer("400 Bad Request", "", ""));
        }),
        script(|wire| {
            wire.read(1);
        }),
        script(|_| {}),
    ];
    let count = scripts.len();
    let server = Server::start(scripts);
    for number in 0..count {
        let url = format!("https://{}/", server.address);
        let result = call(settings(), &post(url)).await;
        if number == 0 {
            // What answers in clear text has no certificate to look at.
            assert_eq!(result.as_ref().unwrap_err().detail, "tls-none");
        }
        assert_fault(result, false, Reason::Tls);
    }

    // The connection stands, but the handshake never ends.
    let server = Server::start(vec![script(super::server::Wire::hold)]);
    let slow = TransportSettings {
        connect_timeout: Duration::from_millis(100),
        ..settings()
    };
    assert_fault(
        call(slow, &post(format!("https://{}/", server.address))).await,
        false,
        Reason::NoConnection,
    );
}

#[tokio::test]
async fn what_may_have_left() {
    let cases: Vec<(&str, Reason, Script)> = vec![
        ("closed before reading", Reason::Reset, script(|_| {})),
        (
            "reset while reading",
            Reason::Reset,
            script(|wire| assert!(wire.read(1) > 0)),
        ),
        (
            "closed after reading",
            Reason::Reset,
            script(|wire| drop(wire.request())),
        ),
        (
            "garbage",
            Reason::Unreadable,
            script(|wire| {
                wire.request();
                wire.write("\u{0}\u{1}nonsense\r\n\r\n");
            }),
        ),
        (
            "garbage after a head",
            Reason::Unreadable,
            script(|wire| {
                wire.request();
                wire.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n");
            }),
        ),
        (
            "a head without end",
            Reason::TooLarge,
            script(|wire| {
                wire.request();
                wire.write("HTTP/1.1 200 OK\r\n");
                for _ in 0..120 {
                    wire.write("x: y\r\n");
                }
                wire.write("\r\n");
                wire.hold();
            }),
        ),
        (
            "half a head",
            Reason::Reset,
            script(|wire| {
                wire.request();
                wire.write("HTTP/1.1 200 OK\r\ncontent-le");
            }),
        ),
        (
            "cut body",
            Reason::Cut,
            script(|wire| {
                wire.request();
                wire.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
            }),
        ),
        (
            "cut chunks",
            Reason::Cut,
            script(|wire| {
                wire.request();
                wire.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
            }),
        ),
        (
            "announced too large",
            Reason::TooLarge,
            script(|wire| {
                wire.request();
                wire.write("HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n");
                wire.hold();
            }),
        ),
        (
            "too large without announcement",
            Reason::TooLarge,
            script(|wire| {
                wire.request();
                wire.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
                wire.write(format!("11170\r\n{}\r\n", "x".repeat(0x11170)));
                wire.hold();
            }),
        ),
    ];
    for (name, reason, script) in cases {
        let server = Server::start(vec![script]);
        let fault = call(settings(), &post(server.url("/bi-mat-123")))
            .await
            .expect_err(name);
        assert_eq!(
            (fault.may_have_left, fault.reason),
            (true, reason),
            "{name}: {}",
            fault.detail
        );
        assert!(
            !fault.detail.contains("bi-mat-123"),
            "{name}: {}",
            fault.detail
        );
    }
}

#[tokio::test]
async fn time_runs_out() {
    for act in [
        script(|wire| {
            wire.request();
            wire.hold();
        }),
        script(|wire| {
            wire.request();
            wire.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf");
            wire.hold();
        }),
    ] {
        let server = Server::start(vec![act]);
        let began = Instant::now();
        assert_fault(
            call(impatient(), &post(server.url("/"))).await,
            true,
            Reason::Timeout,
        );
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

/// Wherever a receiver stops reading and wherever its answer breaks off: once it got one byte of the request, nobody
/// says that nothing left.
#[tokio::test]
async fn one_byte_read_is_never_called_unsent() {
    let whole = answer("200 OK", "", "đã nhận");
    let mut cases: Vec<(usize, usize)> = (0..whole.len())
        .map(|written| (usize::MAX, written))
        .collect();
    cases.extend([1, 2, 17, 60].map(|read| (read, 0)));
    let scripts = cases.iter().map(|&(read, written)| {
        let part = whole.as_bytes()[..written].to_vec();
        script(move |wire| {
            if read == usize::MAX {
                wire.request();
            } else {
                assert!(wire.read(read) > 0);
            }
            wire.write(part);
        })
    });
    let server = Server::start(scripts.collect());
    for (read, written) in cases {
        let fault = call(settings(), &post(server.url("/"))).await.unwrap_err();
        assert!(
            fault.may_have_left,
            "{read} read, {written} written: {fault:?}"
        );
    }
    server.requests().await;
}

#[tokio::test]
async fn receivers_say_when_to_come_back() {
    for (value, seconds) in [
        ("7", Some(7)),
        ("Mon, 25 Mar 2024 05:31:00 GMT", Some(60)),
        ("later", None),
    ] {
        let server = Server::answering(answer(
            "429 Too Many Requests",
            &format!("Retry-After: {value}\r\n"),
            "",
        ));
        let answer = call(settings(), &post(server.url("/"))).await.unwrap();
        assert_eq!(
            (answer.status, answer.retry_after),
            (429, seconds.map(Duration::from_secs)),
            "{value}"
        );
    }
}

#[tokio::test]
async fn redirects_are_answers() {
    let server = Server::answering(answer("302 Found", "location: /elsewhere\r\n", ""));
    let transport = Transport::new(settings()).unwrap();
    let answer = transport
        .call(&post(server.url("/")), instant("2024-03-25T05:30:00Z"))
        .await
        .unwrap();
    assert_eq!(
        (answer.status, answer.headers.get("location").as_deref()),
        (302, Some("/elsewhere"))
    );
    drop(transport);
    assert_eq!(server.requests().await.len(), 1);
}

#[tokio::test]
async fn only_allowed_addresses_get_a_connection() {
    let port = nobody().port();
    let allow = |allow: Vec<AllowRule>| TransportSettings {
        allow,
        ..settings()
    };
    for (rules, host) in [
        (vec![], "127.0.0.1"),
        (vec![range("10.0.0.0/8")], "127.0.0.1"),
        (vec![range("10.0.0.0/8")], "localhost"),
        (vec![range("10.0.0.0/8")], "2130706433"), // 127.0.0.1 as one number
        (vec![range("10.0.0.0/8")], "0x7f.1"),
        (vec![range("10.0.0.0/8")], "[::ffff:127.0.0.1]"),
        (vec![AllowRule::Suffix(".localhost".into())], "localhost"),
        (vec![AllowRule::Host("localhost".into())], "127.0.0.1"),
    ] {
        let result = call(
            allow(rules.clone()),
            &post(format!("http://{host}:{port}/")),
        )
        .await;
        assert_fault(result, false, Reason::NotAllowed);
    }
    for rules in [
        vec![AllowRule::Host("LocalHost".into())],
        vec![range("127.0.0.0/8"), range("::1/128")],
    ] {
        let server = Server::answering(answer("200 OK", "", ""));
        let url = format!("http://localhost:{}/", server.address.port());
        assert_eq!(call(allow(rules), &post(url)).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn what_cannot_be_written_is_not_sent() {
    let url = format!("http://{}/", nobody());
    let request = |name: &str, value: &str| {
        let headers = vec![(name.to_owned(), value.to_owned())];
        Request {
            headers,
            ..post(url.clone())
        }
    };
    for request in [
        request("X-A", "a\r\nX-B: b"),
        request("X-A", "a\nb"),
        request("X-A", "a\u{0}b"),
        request("X A", "a"),
        request("X-A: b\r\nX-B", "a"),
        Request {
            method: "PO ST".into(),
            ..post(url.clone())
        },
        post("ftp://127.0.0.1/".into()),
        post("file:///etc/passwd".into()),
        post("http://".into()),
        post("/api".into()),
    ] {
        assert_fault(call(settings(), &request).await, false, Reason::Unwritable);
    }
}

#[tokio::test]
async fn connections_are_used_again_and_no_body_goes_out_twice() {
    let server = Server::start(vec![script(|wire| {
        wire.request();
        wire.write(answer("200 OK", "", "một"));
        // The second request on the same connection is read and never answered.
        wire.request();
    })]);
    let transport = Transport::new(settings()).unwrap();
    let now = instant("2024-03-25T05:30:00Z");
    let request = post(server.url("/"));
    assert_eq!(transport.call(&request, now).await.unwrap().status, 200);
    let fault = transport.call(&request, now).await.unwrap_err();
    assert!(fault.may_have_left, "{fault:?}");
    assert_eq!(server.requests().await.len(), 2);
}
