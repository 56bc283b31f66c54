//! Icecast: a real one, with somebody who listens and recognises what is heard; and a server that breaks off.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    time::{Duration, Instant},
};

use bytes::Bytes;
use loa::{
    adapter::{
        Adapter, Failure, Step,
        attempt::{AttemptEnd, Ending, NoNotes, attempt, probe},
        icecast::IcecastAdapter,
        transport::{
            Transport,
            stream::{Aired, Airing},
        },
    },
    domain::{
        audio::{Audio, AudioFormat, Sound, SoundHash},
        channel::IcecastConfig,
        delivery::{Evidence, Reason},
        id::DeliveryId,
        message::Message,
        secret::{Secret, SecretRef},
    },
};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use super::{
    instant, message,
    steps::{Answer, failure, ok, says},
    transport::settings,
};
use crate::support::icecast::{Icecast, PASSWORD, decoded, likeness, rising};

fn adapter(url: &str, mount: &str, password: &str, listeners: Option<u64>) -> IcecastAdapter {
    let config = IcecastConfig {
        url: url.to_owned(),
        mount: mount.to_owned(),
        user: "source".to_owned(),
        password: SecretRef::Env("LOA_ICECAST".into()),
        listeners,
    };
    IcecastAdapter::new(&config, Secret::new(password.to_owned())).unwrap()
}

pub(super) fn saying(id: &str, mp3: &[u8]) -> Message {
    let data = Bytes::from(mp3.to_owned());
    Message {
        delivery: DeliveryId::from_text(id),
        audio: Some(Audio {
            sound: Sound {
                hash: SoundHash::of(&data),
                format: AudioFormat::Mp3,
                length: Duration::from_secs(2),
                spoken: Duration::from_secs(2),
                loudness: -16.0,
                peak: -1.0,
                size: data.len() as u64,
            },
            data,
        }),
        ..message()
    }
}

struct Node {
    transport: Transport,
    airings: UnboundedReceiver<Airing>,
}

impl Node {
    fn new() -> Self {
        let transport = Transport::new(settings()).unwrap();
        let airings = transport.airings().unwrap();
        assert!(transport.airings().is_none(), "one keeper is enough");
        Self { transport, airings }
    }

    async fn send(&self, adapter: &IcecastAdapter, message: &Message) -> AttemptEnd {
        attempt(adapter, message, &NoNotes, &self.transport, || {
            message.sent_at
        })
        .await
    }

    async fn aired(airing: Airing) -> Aired {
        airing
            .run(CancellationToken::new(), || message().sent_at)
            .await
            .1
    }
}

fn evidence(end: &AttemptEnd) -> Evidence {
    match &end.ending {
        Ending::Accepted(receipt) => receipt.evidence,
        Ending::Failed(failure) => panic!("{failure:?}"),
    }
}

fn reason(end: &AttemptEnd) -> (&'static str, Reason) {
    match &end.ending {
        Ending::Failed(failure) => super::steps::failure(&Step::Failed(failure.clone())),
        Ending::Accepted(_) => panic!("{end:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_is_heard_whole_and_in_its_time() {
    let Some(server) = Icecast::start() else {
        return;
    };
    let (said, mp3) = rising(3);
    let listener = server.listen("/phuong.mp3");
    let mut node = Node::new();
    let began = Instant::now();
    let icecast = adapter(&server.url, "phuong.mp3", PASSWORD, Some(1));
    assert_eq!(
        probe(&icecast, None, &node.transport, || instant(
            "2024-03-25T05:30:00Z"
        ))
        .await,
        Some(Ok(()))
    );
    let end = node.send(&icecast, &saying("mot", &mp3)).await;
    assert_eq!(
        (evidence(&end), end.exchanges),
        (Evidence::Device, 2),
        "{end:?}"
    );
    assert!(!format!("{end:?}{icecast:?}").contains(PASSWORD));
    let airing = node.airings.recv().await.unwrap();
    assert_eq!(airing.delivery().as_str(), "mot");
    assert_eq!(Node::aired(airing).await, Aired::Whole);
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(3) && took < Duration::from_secs(8),
        "{took:?}"
    );
    let heard = listener.join().unwrap();
    let (like, there) = likeness(&said, &decoded(&heard));
    assert!(
        like > 0.9 && there > 0.9,
        "{like} {there} of {} bytes",
        heard.len()
    );
    let (_, other) = rising(2);
    assert!(
        likeness(&said, &decoded(&other)).0 < 0.5,
        "another sound is not taken for it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_or_comes_second_is_refused_and_an_emergency_takes_over() {
    let Some(server) = Icecast::start() else {
        return;
    };
    let (_, mp3) = rising(4);
    let mut node = Node::new();
    let stranger = adapter(&server.url, "/khoi", "sai-mat-khau", None);
    let end = node.send(&stranger, &saying("la", &mp3)).await;
    assert_eq!(
        (reason(&end), end.status),
        (("reject", Reason::Status), Some(401))
    );
    let icecast = adapter(&server.url, "/khoi", PASSWORD, None);
    let end = node.send(&icecast, &saying("mot", &mp3)).await;
    assert_eq!(
        evidence(&end),
        Evidence::Accepted,
        "nobody was asked to listen"
    );
    let first = tokio::spawn(Node::aired(node.airings.recv().await.unwrap()));
    // Another node has no say over what this one streams.
    let other = Node::new();
    let end = other.send(&icecast, &saying("hai", &mp3)).await;
    assert_eq!(reason(&end), ("retry", Reason::Busy));
    let urgent = Message {
        preempts: true,
        ..saying("khan", &mp3)
    };
    let end = node.send(&icecast, &urgent).await;
    assert_eq!(
        (evidence(&end), end.stopped),
        (Evidence::Accepted, Some(true)),
        "{end:?}"
    );
    assert!(matches!(first.await.unwrap(), Aired::Overtaken { .. }));
    let second = node.airings.recv().await.unwrap();
    assert_eq!(second.delivery().as_str(), "khan");
    // Whoever looks after streams may be told to end.
    let stop = CancellationToken::new();
    stop.cancel();
    let (_, aired) = second.run(stop, || message().sent_at).await;
    assert!(matches!(aired, Aired::Stopped { .. }), "{aired:?}");
}

/// The server goes away in the middle and comes back: what it had not been sent follows, and nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_stream_goes_on_where_it_broke() {
    let (_, mp3) = rising(2);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut got = Vec::new();
        let mut lengths = Vec::new();
        for turn in 0..3 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = Vec::new();
            let mut buffer = [0; 1024];
            let head = loop {
                let count = stream.read(&mut buffer).unwrap();
                bytes.extend_from_slice(&buffer[..count]);
                if let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                    break head + 4;
                }
            };
            let text = String::from_utf8(bytes[..head].to_vec())
                .unwrap()
                .to_ascii_lowercase();
            if text.starts_with("get ") {
                stream
                    .write_all(b"HTTP/1.0 200 OK\r\n\r\n{\"icestats\":{}}")
                    .unwrap();
                continue;
            }
            assert!(!text.contains("transfer-encoding"), "{text}");
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            let length: usize = length.trim().parse().unwrap();
            lengths.push(length);
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
            let mut body = bytes.split_off(head);
            let enough = if turn == 0 { length / 2 } else { length };
            while body.len() < enough {
                let count = stream.read(&mut buffer).unwrap();
                assert!(count > 0);
                body.extend_from_slice(&buffer[..count]);
            }
            got.push(body);
        }
        (got, lengths)
    });
    let mut node = Node::new();
    let icecast = adapter(&url, "/khoi", PASSWORD, Some(1));
    let sending = async {
        let airing = node.airings.recv().await.unwrap();
        Node::aired(airing).await
    };
    let message = saying("mot", &mp3);
    let (end, aired) = tokio::join!(
        attempt(&icecast, &message, &NoNotes, &node.transport, || message
            .sent_at),
        sending
    );
    assert_eq!(evidence(&end), Evidence::Accepted, "nobody listens there");
    assert_eq!(aired, Aired::Whole);
    let (got, lengths) = server.join().unwrap();
    assert_eq!(lengths[0], mp3.len());
    let rest = got.last().unwrap();
    let from = mp3.len() - lengths[1];
    assert_eq!(rest.as_slice(), &mp3[from..]);
    // It goes on with what was to be heard when it broke: after the beginning, and before anything that is lost.
    assert!(
        from > 0 && from <= got[0].len(),
        "{from} of {}",
        got[0].len()
    );
}

/// Where nobody answers any more, that is said, with how far it came.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_go_on_is_broken_off() {
    let (_, mp3) = rising(2);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
    });
    let impatient = loa::adapter::transport::TransportSettings {
        total_timeout: Duration::from_millis(1500),
        ..settings()
    };
    let transport = Transport::new(impatient).unwrap();
    let mut airings = transport.airings().unwrap();
    let icecast = adapter(&url, "/khoi", PASSWORD, None);
    let message = saying("mot", &mp3);
    let end = attempt(&icecast, &message, &NoNotes, &transport, || message.sent_at).await;
    assert_eq!(
        evidence(&end),
        Evidence::Accepted,
        "that it broke comes later"
    );
    let aired = Node::aired(airings.recv().await.unwrap()).await;
    assert!(matches!(aired, Aired::Broken { .. }), "{aired:?}");
    server.join().unwrap();
}

#[test]
fn what_answers_mean() {
    let icecast = adapter("http://10.1.4.3:8000", "/khoi", PASSWORD, Some(2));
    let (_, mp3) = rising(1);
    let message = saying("mot", &mp3);
    let play = |answers: Vec<Answer>| {
        let mut done = Vec::new();
        for result in answers {
            let request = match icecast.step(&message, &done) {
                Step::Stream(stream) => stream.request,
                Step::Call(request) => request,
                end => panic!("an answer is left: {end:?}"),
            };
            done.push(loa::adapter::Exchange { request, result });
        }
        icecast.step(&message, &done)
    };
    let status = |listeners: u8| {
        ok(&format!(
            r#"{{"icestats":{{"source":{{"listenurl":"http://x/khoi","listeners":{listeners},"stream_start":"x"}}}}}}"#
        ))
    };
    for (listeners, expected) in [(2, Evidence::Device), (1, Evidence::Accepted)] {
        match play(vec![ok(""), status(listeners)]) {
            Step::Accepted(receipt) => {
                assert_eq!(receipt.evidence, expected);
                assert_eq!(receipt.reference, Some(format!("listeners {listeners}")));
            }
            other => panic!("{other:?}"),
        }
    }
    let in_use = || says(403, &[], "Mountpoint in use");
    for (name, answers, expected) in [
        (
            "no format",
            vec![says(403, &[], "No content-type given")],
            ("reject", Reason::Status),
        ),
        (
            "in use",
            vec![in_use(), in_use(), in_use()],
            ("retry", Reason::Busy),
        ),
        (
            "full",
            vec![says(403, &[], "too many sources connected"); 3],
            ("retry", Reason::Busy),
        ),
        (
            "wrong password",
            vec![says(401, &[], "")],
            ("reject", Reason::Status),
        ),
        ("down", vec![says(503, &[], "")], ("retry", Reason::Busy)),
    ] {
        assert_eq!(failure(&play(answers)), expected, "{name}");
    }
    let end = play(vec![
        in_use(),
        ok(""),
        Err(loa::adapter::Fault::may_have_left(Reason::Timeout, "")),
    ]);
    assert!(
        matches!(end, Step::Accepted(_)),
        "whatever the question came to: {end:?}"
    );
    let silent = super::message();
    let Step::Failed(Failure::Reject { .. }) = icecast.step(&silent, &[]) else {
        panic!("there is nothing to stream")
    };
}
