//! The simulated city as its clients meet it: listeners, the control address, counts, and the wire.

mod faults;
mod record;

use std::{net::SocketAddr, time::Duration};

use loa::simulator::{City, CityError, CityHandle, CityOptions, Effect, HeardFilter, Kind};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// Longer than anything here takes, so that a defect fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

async fn city() -> CityHandle {
    City::start(CityOptions::default()).await.unwrap()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// Says `text` through the loudspeaker at `address`, with an idempotency key.
fn speak(
    client: &reqwest::Client,
    address: SocketAddr,
    key: &str,
    text: &str,
) -> reqwest::RequestBuilder {
    client
        .post(format!("http://{address}/api/speak"))
        .header("Idempotency-Key", key)
        .body(json!({ "text": text }).to_string())
}

async fn json_of(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_str(&response.text().await.unwrap()).unwrap(),
    )
}

/// The effects in order, on one host.
fn effects(city: &CityHandle, host: &str) -> Vec<Effect> {
    let filter = HeardFilter {
        host: Some(host.to_owned()),
        ..HeardFilter::default()
    };
    city.heard(&filter)
        .iter()
        .map(|heard| heard.effect)
        .collect()
}

#[tokio::test]
async fn every_host_has_a_listener_of_its_own() {
    let city = city().await;
    let client = client();
    let control = format!("http://{}/_city/devices", city.control());
    let mut seen = std::collections::BTreeSet::new();
    for host in [
        "10.16.72.1",
        "10.16.72.1:8080",
        "hung-binh.vinh.example",
        "[fd00::1]:80",
    ] {
        let (status, body) = json_of(
            client
                .post(&control)
                .body(json!({ "host": host }).to_string()),
        )
        .await;
        assert_eq!((status, body["host"].as_str()), (200, Some(host)));
        let address: SocketAddr = body["address"].as_str().unwrap().parse().unwrap();
        assert!(address.ip().is_loopback());
        assert!(seen.insert(address), "{host} shares {address}");
        assert_eq!(
            city.device(&host.to_uppercase()).unwrap(),
            address,
            "asked again, in other letters"
        );
        assert_eq!(json_of(speak(&client, address, "k", host)).await.0, 202);
        assert_eq!(
            city.heard(&HeardFilter::default()).last().unwrap().host,
            host
        );
    }
    for host in ["", "a/b", "a b", "a\r\nb", &"a".repeat(300)] {
        let (status, _) = json_of(
            client
                .post(&control)
                .body(json!({ "host": host }).to_string()),
        )
        .await;
        assert_eq!(status, 400, "{host:?}");
        assert!(matches!(
            city.device(host),
            Err(CityError::InvalidHost { .. })
        ));
    }
    city.shutdown().await;
    for address in seen {
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    }
}

#[tokio::test]
async fn only_loopback_is_served() {
    for control in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let options = CityOptions {
            control: control.parse().unwrap(),
            record: None,
        };
        assert!(
            matches!(
                City::start(options).await,
                Err(CityError::NotLoopback { .. })
            ),
            "{control}"
        );
    }
}

#[tokio::test]
async fn doubling_is_visible() {
    let city = city().await;
    let client = client();
    let loud = city.device("loud.example").unwrap();
    let chat = city.device("chat.example").unwrap();
    for key in ["a", "b", "a"] {
        let (status, body) = json_of(speak(&client, loud, key, "Thưa bà con.")).await;
        assert_eq!((status, body["status"].as_str()), (202, Some("queued")));
        let hook = client
            .post(format!("http://{chat}/hook"))
            .header("webhook-id", key)
            .body(r#"{"text":"x"}"#);
        assert_eq!(json_of(hook).await.0, 200);
    }
    assert_eq!(effects(&city, "loud.example"), [Effect::Heard; 3]);
    assert_eq!(
        effects(&city, "chat.example"),
        [Effect::Received, Effect::Received, Effect::Ignored]
    );
    let summary = city.summary();
    assert_eq!(summary.doubled.len(), 1);
    let doubled = &summary.doubled[0];
    assert_eq!(
        (doubled.host.as_str(), doubled.key.as_str(), doubled.times),
        ("loud.example", "a", 2)
    );

    // told otherwise, a loudspeaker recognises a repeat
    let order = json!({"host": "loud.example", "recognises_repeats": true});
    let control = format!("http://{}/_city", city.control());
    json_of(
        client
            .post(format!("{control}/devices"))
            .body(order.to_string()),
    )
    .await;
    json_of(speak(&client, loud, "b", "Thưa bà con.")).await;
    assert_eq!(
        effects(&city, "loud.example").last(),
        Some(&Effect::Ignored)
    );

    let (_, shown) = json_of(client.get(format!("{control}/summary"))).await;
    assert_eq!(shown["total"]["heard"], 3);
    assert_eq!(
        shown["doubled"],
        json!([{"host": "loud.example", "key": "a", "times": 2}])
    );
    let (_, shown) = json_of(client.get(format!(
        "{control}/heard?kind=loudspeaker&effect=heard&key=a"
    )))
    .await;
    let texts: Vec<_> = shown["heard"]
        .as_array()
        .unwrap()
        .iter()
        .map(|heard| &heard["text"])
        .collect();
    assert_eq!(texts, ["Thưa bà con."; 2]);
    let (_, shown) =
        json_of(client.get(format!("{control}/heard?host=chat.example&limit=2"))).await;
    assert_eq!(shown["heard"].as_array().unwrap().len(), 2);
    assert_eq!(
        json_of(client.get(format!("{control}/heard?kind=radio")))
            .await
            .0,
        400
    );
    city.shutdown().await;
}

#[tokio::test]
async fn the_control_address_says_what_is_wrong() {
    let city = city().await;
    let client = client();
    let base = format!("http://{}", city.control());
    for (request, status) in [
        (client.get(format!("{base}/")), 404),
        (client.get(format!("{base}/_city/devices")), 405),
        (client.post(format!("{base}/_city/devices")).body("{"), 400),
        (
            client
                .post(format!("{base}/_city/devices"))
                .body(r#"{"hots":"a"}"#),
            400,
        ),
        (
            client
                .post(format!("{base}/_city/faults"))
                .body(r#"{"host":"a","fault":"nope"}"#),
            400,
        ),
        (
            client
                .post(format!("{base}/_city/faults"))
                .body(r#"{"host":"a","fault":"refuse","times":1}"#),
            400,
        ),
    ] {
        let (seen, body) = json_of(request).await;
        assert_eq!(seen, status);
        assert!(body["error"].is_string(), "{body}");
    }
    let order = r#"{"host":"*","path":"/api","fault":{"status":{"code":500}},"times":3}"#;
    assert_eq!(
        json_of(client.post(format!("{base}/_city/faults")).body(order))
            .await
            .0,
        200
    );
    let (_, faults) = json_of(client.get(format!("{base}/_city/faults"))).await;
    assert_eq!(faults["faults"][0]["order"]["times"], 3);
    assert_eq!(
        json_of(client.delete(format!("{base}/_city/faults")))
            .await
            .1,
        json!({"cleared": 1})
    );
    city.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_are_exact_under_load() {
    let city = city().await;
    let client = client();
    let addresses: Vec<_> = (0..300)
        .map(|number| city.device(&format!("device-{number}")).unwrap())
        .collect();
    let mut senders = JoinSet::new();
    for sender in 0..16 {
        let (client, addresses) = (client.clone(), addresses.clone());
        senders.spawn(async move {
            for (number, address) in addresses.into_iter().enumerate() {
                let key = format!("{sender}-{number}");
                let answer = speak(&client, address, &key, "x").send().await.unwrap();
                assert_eq!(answer.status(), 202);
            }
        });
    }
    senders.join_all().await;
    let summary = city.summary();
    assert_eq!(
        (
            summary.total.heard,
            summary.total.requests,
            summary.doubled.len()
        ),
        (4_800, 4_800, 0)
    );
    assert!(
        summary
            .devices
            .iter()
            .all(|device| device.counts.heard == 16)
    );
    assert_eq!(*city.requests().borrow(), 4_800);
    city.shutdown().await;
}

/// Sends bytes on one connection and reads everything until it is closed.
async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn the_wire_is_http_and_strict() {
    let city = city().await;
    let address = city.device("a").unwrap();
    let chunked = b"POST /hook HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nm\xe1\xbb\x99\r\n1\r\nt\r\n0\r\nTrailer: 1\r\n\r\nGET /api/status HTTP/1.1\r\nConnection: close\r\n\r\n";
    let answers = raw(address, chunked).await;
    assert_eq!(
        answers.matches("HTTP/1.1 200 OK").count(),
        2,
        "two requests on one connection: {answers}"
    );
    assert_eq!(
        city.heard(&HeardFilter {
            kind: Some(Kind::Chat),
            ..HeardFilter::default()
        })[0]
            .text
            .as_deref(),
        Some("một")
    );

    let answers = raw(
        address,
        b"POST /hook HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
    );
    assert!(
        answers
            .await
            .starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
    );

    let long = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(40_000));
    for (bytes, status) in [
        (&b"nonsense\r\n\r\n"[..], "400"),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "400",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n",
            "400",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n",
            "413",
        ),
        (b"POST / HTTP/1.1\r\nContent-Length: 4194305\r\n\r\n", "413"),
        (long.as_bytes(), "431"),
    ] {
        let answer = raw(address, bytes).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{status}: {answer}"
        );
    }
    assert_eq!(
        city.summary().total.requests,
        3,
        "what is not a request is not counted as one"
    );
    city.shutdown().await;
}
