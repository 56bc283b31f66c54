//! Every fault is what it claims to be, and a refused connection is a real one.

use std::{error::Error as _, time::Duration};

use loa::simulator::{Effect, Fault, FaultOrder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::{PATIENCE, city, client, effects, json_of, speak};

/// What a client sees of a fault.
#[derive(Debug, PartialEq)]
pub(super) enum Seen {
    /// An answer with this status, and a body of this length.
    Answer(u16, usize),
    /// No answer: the connection was reset.
    Reset,
    /// No answer: not HTTP.
    NotHttp,
    /// An answer that broke off.
    CutBody,
    /// No answer in time.
    Timeout,
    /// An answer whose body did not come in time.
    BodyTimeout,
}

/// Whether some cause of an error is this kind of I/O error.
fn caused_by(error: &reqwest::Error, kind: std::io::ErrorKind) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == kind)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Sends a request and says what came of it.
pub(super) async fn look(request: reqwest::RequestBuilder) -> Seen {
    match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            match response.bytes().await {
                Ok(body) => Seen::Answer(status, body.len()),
                Err(error) if error.is_timeout() => Seen::BodyTimeout,
                Err(_) => Seen::CutBody,
            }
        }
        Err(error) if error.is_timeout() => Seen::Timeout,
        Err(error) if caused_by(&error, std::io::ErrorKind::ConnectionReset) => Seen::Reset,
        Err(error) => {
            assert!(!error.is_connect(), "{error:?}");
            Seen::NotHttp
        }
    }
}

#[tokio::test]
async fn every_fault_is_what_it_claims_to_be() {
    let city = city().await;
    let client = client();
    let hour = 3_600_000;
    let queued = r#"{"id":"1","status":"queued"}"#.len();
    let status = |code| Fault::Status {
        code,
        retry_after: None,
        body: Some("no".into()),
    };
    for (name, fault, seen, effect) in [
        ("status", status(500), Seen::Answer(500, 2), Effect::Ignored),
        (
            "slow",
            Fault::Slow { ms: hour },
            Seen::Timeout,
            Effect::Heard,
        ),
        (
            "late",
            Fault::Slow { ms: 10 },
            Seen::Answer(202, queued),
            Effect::Heard,
        ),
        (
            "slow-body",
            Fault::SlowBody { ms: hour },
            Seen::BodyTimeout,
            Effect::Heard,
        ),
        (
            "late-body",
            Fault::SlowBody { ms: 10 },
            Seen::Answer(202, queued),
            Effect::Heard,
        ),
        ("cut", Fault::Cut, Seen::CutBody, Effect::Heard),
        ("reset", Fault::Reset, Seen::Reset, Effect::Ignored),
        ("lost", Fault::AcceptedThenLost, Seen::Reset, Effect::Heard),
        (
            "instead",
            Fault::Instead {
                code: 502,
                body: "no".into(),
            },
            Seen::Answer(502, 2),
            Effect::Heard,
        ),
        ("garbage", Fault::Garbage, Seen::NotHttp, Effect::Ignored),
        (
            "huge",
            Fault::Huge { bytes: 5_000_000 },
            Seen::Answer(202, 5_000_000),
            Effect::Heard,
        ),
        (
            "redirect",
            Fault::Redirect {
                to: "http://x.example/".into(),
            },
            Seen::Answer(307, 0),
            Effect::Ignored,
        ),
        ("hang", Fault::Hang, Seen::Timeout, Effect::Ignored),
        (
            "random",
            Fault::Random {
                rate: 1.0,
                seed: 7,
                among: vec![Fault::AcceptedThenLost],
            },
            Seen::Reset,
            Effect::Heard,
        ),
    ] {
        let address = city.device(name).unwrap();
        city.fault(FaultOrder::new(name, fault).times(1))
            .await
            .unwrap();
        let patience = if matches!(seen, Seen::Timeout | Seen::BodyTimeout) {
            Duration::from_millis(300)
        } else {
            PATIENCE
        };
        assert_eq!(
            look(speak(&client, address, "k", "x").timeout(patience)).await,
            seen,
            "{name}"
        );
        assert_eq!(effects(&city, name), [effect], "{name}");
        // its times are used up, and the device is as good as new
        assert!(
            matches!(
                look(speak(&client, address, "l", "x")).await,
                Seen::Answer(202, _)
            ),
            "{name}"
        );
        let summary = city.summary();
        let device = summary
            .devices
            .iter()
            .find(|device| device.host == name)
            .unwrap();
        assert_eq!(
            (device.counts.requests, device.counts.faults),
            (2, 1),
            "{name}"
        );
    }
    city.shutdown().await;
}

#[tokio::test]
async fn answers_that_ask_for_patience_say_how_much() {
    let city = city().await;
    let address = city.device("a").unwrap();
    for wait in ["7", "Wed, 21 Oct 2026 07:28:00 GMT"] {
        let fault = Fault::Status {
            code: 429,
            retry_after: Some(wait.into()),
            body: None,
        };
        city.fault(FaultOrder::new("a", fault).times(1))
            .await
            .unwrap();
        let response = speak(&client(), address, "k", "x").send().await.unwrap();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], wait);
    }
    city.shutdown().await;
}

#[tokio::test]
async fn a_refusing_device_really_refuses() {
    let city = city().await;
    let client = client();
    let [shut, other] = ["shut", "other"].map(|host| city.device(host).unwrap());
    assert!(matches!(
        look(speak(&client, shut, "k", "x")).await,
        Seen::Answer(202, _)
    )); // a connection to reuse
    city.fault(FaultOrder::new("shut", Fault::Refuse))
        .await
        .unwrap();

    let error = TcpStream::connect(shut).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(matches!(
        look(speak(&client, other, "k", "x")).await,
        Seen::Answer(202, _)
    ));
    assert_eq!(
        city.device("shut").unwrap(),
        shut,
        "asking for a device does not open it"
    );

    assert_eq!(city.clear_faults().await.unwrap(), 1);
    assert!(matches!(
        look(speak(&client, shut, "l", "x")).await,
        Seen::Answer(202, _)
    ));

    city.fault(FaultOrder::new("*", Fault::Refuse))
        .await
        .unwrap();
    let later = city.device("later").unwrap();
    for address in [shut, other, later] {
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    }
    city.clear_faults().await.unwrap();
    for address in [shut, other, later] {
        TcpStream::connect(address).await.unwrap();
    }
    assert_eq!(city.summary().total.heard, 3);
    city.shutdown().await;
}

#[tokio::test]
async fn an_idle_connection_to_a_refusing_device_is_closed() {
    let city = city().await;
    let address = city.device("a").unwrap();
    let mut kept = TcpStream::connect(address).await.unwrap();
    kept.write_all(b"GET /api/status HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    assert!(kept.read(&mut [0; 4096]).await.unwrap() > 0);
    city.fault(FaultOrder::new("a", Fault::Refuse))
        .await
        .unwrap();
    assert_eq!(kept.read(&mut [0; 1]).await.unwrap(), 0);
    city.shutdown().await;
}

#[tokio::test]
async fn a_refusal_for_a_while_ends_by_itself() {
    let city = city().await;
    let address = city.device("a").unwrap();
    city.fault(FaultOrder {
        for_ms: Some(200),
        ..FaultOrder::new("a", Fault::Refuse)
    })
    .await
    .unwrap();
    TcpStream::connect(address).await.unwrap_err();
    let opened = tokio::time::timeout(PATIENCE, async {
        while TcpStream::connect(address).await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    opened.await.expect("the device listens again");
    city.shutdown().await;
}

#[tokio::test]
async fn a_hanging_device_ends_with_the_city() {
    let city = city().await;
    let address = city.device("a").unwrap();
    city.fault(FaultOrder::new("a", Fault::Hang)).await.unwrap();
    let mut requests = city.requests();
    let mut pending = JoinSet::new();
    pending.spawn(async move { speak(&client(), address, "k", "x").send().await });
    requests.wait_for(|count| *count == 1).await.unwrap();
    tokio::time::timeout(PATIENCE, city.shutdown())
        .await
        .expect("shutdown does not wait for what hangs");
    let answer = pending.join_next().await.unwrap().unwrap();
    assert!(!answer.unwrap_err().is_timeout());
}

#[tokio::test]
async fn faults_can_be_for_one_path_and_method() {
    let city = city().await;
    let address = city.device("a").unwrap();
    let client = client();
    let gone = Fault::Status {
        code: 410,
        retry_after: None,
        body: None,
    };
    let order = FaultOrder {
        path: Some("/api/speak".into()),
        ..FaultOrder::new("a", gone).method("POST")
    };
    city.fault(order).await.unwrap();
    let status = client.get(format!("http://{address}/api/status"));
    assert_eq!(json_of(speak(&client, address, "k", "x")).await.0, 410);
    assert_eq!(json_of(status).await.0, 200);
    city.shutdown().await;
}
