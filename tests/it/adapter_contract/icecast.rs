//! Icecast: a real one, with somebody who listens and recognises what is heard; and a server that breaks off.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

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
        audio::AudioFormat,
        bulletin::Priority,
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
    instant, message, sound,
    steps::{Answer, failure, ok, says},
    transport::settings,
};
use crate::support::{
    icecast::{Icecast, PASSWORD, decoded, encoded, likeness, rising},
    without,
};

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
    Message {
        delivery: DeliveryId::from_text(id),
        audio: Some(sound(mp3.to_owned(), AudioFormat::Mp3)),
        ..message()
    }
}

pub(super) struct Node {
    pub(super) transport: Transport,
    pub(super) airings: UnboundedReceiver<Airing>,
}

impl Node {
    pub(super) fn new() -> Self {
        let transport = Transport::new(settings()).unwrap();
        let airings = transport.airings().unwrap();
        assert!(transport.airings().is_none(), "one keeper is enough");
        Self { transport, airings }
    }

    pub(super) async fn send(&self, adapter: &dyn Adapter, message: &Message) -> AttemptEnd {
        attempt(adapter, message, &NoNotes, &self.transport, || {
            message.sent_at
        })
        .await
    }

    pub(super) async fn aired(airing: Airing) -> Aired {
        airing
            .run(CancellationToken::new(), || message().sent_at)
            .await
            .1
    }
}

pub(super) fn evidence(end: &AttemptEnd) -> Evidence {
    match &end.ending {
        Ending::Accepted(receipt) => receipt.evidence,
        Ending::Failed(failure) => panic!("{failure:?}"),
    }
}

pub(super) fn reason(end: &AttemptEnd) -> (&'static str, Reason) {
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
    let mut message = saying("mot", &mp3);
    message.ward_name = "phường Hưng Bình".into();
    let title = "Cảnh giác, giả danh công an".into();
    Arc::make_mut(&mut message.content).title = title;
    let end = node.send(&icecast, &message).await;
    assert_eq!(
        (evidence(&end), end.exchanges),
        (Evidence::Device, 3),
        "{end:?}"
    );
    assert!(!format!("{end:?}{icecast:?}").contains(PASSWORD));
    // What players show.
    let page = String::from_utf8(server.ask("/status-json.xsl")).unwrap();
    for (name, words) in [
        ("title", "Cảnh giác, giả danh công an"),
        ("server_name", "phường Hưng Bình"),
        ("server_description", "Cảnh giác, giả danh công an"),
    ] {
        let said = format!("\"{name}\":\"{words}\"");
        assert!(page.contains(&said), "{said} in {page}");
    }
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
        (("reject", Reason::Unauthorised), Some(401))
    );
    // So it is said before anything is sent, and whether or not something plays there.
    let now = || instant("2024-03-25T05:30:00Z");
    let probed = async |icecast: &IcecastAdapter, node: &Node| {
        let probed = probe(icecast, None, &node.transport, now).await.unwrap();
        probed.map_err(|failure| failure.reason())
    };
    assert_eq!(probed(&stranger, &node).await, Err(Reason::Unauthorised));
    let icecast = adapter(&server.url, "/khoi", PASSWORD, None);
    let end = node.send(&icecast, &saying("mot", &mp3)).await;
    assert_eq!(
        evidence(&end),
        Evidence::Accepted,
        "nobody was asked to listen"
    );
    let first = tokio::spawn(Node::aired(node.airings.recv().await.unwrap()));
    assert_eq!(probed(&stranger, &node).await, Err(Reason::Unauthorised));
    assert_eq!(probed(&icecast, &node).await, Ok(()));
    // Another node has no say over what this one streams.
    let other = Node::new();
    let end = other.send(&icecast, &saying("hai", &mp3)).await;
    assert_eq!(reason(&end), ("retry", Reason::Busy));
    // It need not be on record what plays there.
    let urgent = Message {
        priority: Priority::Emergency,
        ..saying("khan", &mp3)
    };
    let end = node.send(&icecast, &urgent).await;
    assert_eq!(
        (evidence(&end), end.stopped),
        (Evidence::Accepted, None),
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

/// The head of an answer that takes a stream, and the page on which it plays without a listener.
const PLAYS: &[u8] = b"HTTP/1.0 200 OK\r\n\r\n{\"icestats\":{\"source\":{\"listenurl\":\"http://x/khoi\",\"listeners\":0,\"stream_start\":\"x\"}}}";

/// The head of a call, and what came after it.
fn head_of(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "a whole head");
        bytes.extend_from_slice(&buffer[..count]);
        if let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(head + 4);
            return (String::from_utf8(bytes).unwrap().to_ascii_lowercase(), rest);
        }
    }
}

fn length_of(head: &str) -> usize {
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    length.unwrap().trim().parse().unwrap()
}

/// The server goes away in the middle and comes back: what it had not been sent follows, and nothing twice but for the head that
/// every listener of Opus needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_stream_goes_on_where_it_broke() {
    if without("audio") {
        return;
    }
    let (said, mp3) = rising(2);
    let opus = encoded(
        &said,
        "opusenc",
        &["--quiet", "--max-delay", "200", "-", "-"],
    );
    let tags = opus.windows(8).position(|eight| eight == b"OpusTags");
    let sound = opus[tags.unwrap()..]
        .windows(4)
        .position(|four| four == b"OggS");
    let head = tags.unwrap() + sound.unwrap();
    for (format, data, head) in [(AudioFormat::Mp3, mp3, 0), (AudioFormat::Opus, opus, head)] {
        goes_on(format, &data, head).await;
    }
}

async fn goes_on(format: AudioFormat, data: &[u8], head: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut got = Vec::new();
        let mut lengths = Vec::new();
        // The sound, what is playing, who listens, and the rest of the sound. One in Ogg says by itself what is playing.
        let turns = if format == AudioFormat::Mp3 { 4 } else { 3 };
        for _ in 0..turns {
            let (mut stream, _) = listener.accept().unwrap();
            let (text, mut body) = head_of(&mut stream);
            if text.starts_with("get ") {
                stream.write_all(PLAYS).unwrap();
                continue;
            }
            assert!(!text.contains("transfer-encoding"), "{text}");
            let length = length_of(&text);
            lengths.push(length);
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
            let enough = if got.is_empty() {
                length / 4 * 3
            } else {
                length
            };
            let mut buffer = [0; 1024];
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
    let message = Message {
        audio: Some(sound(data.to_owned(), format)),
        ..saying("mot", data)
    };
    let (end, aired) = tokio::join!(
        attempt(&icecast, &message, &NoNotes, &node.transport, || message
            .sent_at),
        sending
    );
    assert_eq!(evidence(&end), Evidence::Accepted, "nobody listens there");
    assert_eq!(aired, Aired::Whole);
    let (got, lengths) = server.join().unwrap();
    assert_eq!(lengths[0], data.len());
    let (again, rest) = got.last().unwrap().split_at(head);
    assert_eq!(again, &data[..head], "{format:?}");
    let from = data.len() - (lengths[1] - head);
    assert_eq!(rest, &data[from..], "{format:?}");
    // It goes on with what was to be heard when it broke: after the beginning, and before anything that is lost.
    assert!(
        from > head && from <= got[0].len(),
        "{format:?}: {from} of {}",
        got[0].len()
    );
}

/// What was interrupted ends when it would have to be over, if it had begun at its deadline: hours end, and others follow.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_interrupted_ends_when_it_has_to_be_over() {
    let (_, mp3) = rising(4);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (ended, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut streams = 0;
        // However often it is asked what plays in between.
        let mut taken = loop {
            let (mut call, _) = listener.accept().unwrap();
            let (head, _) = head_of(&mut call);
            call.write_all(PLAYS).unwrap();
            streams += u8::from(head.starts_with("put "));
            // The first of them breaks at once.
            if streams == 2 {
                break call;
            }
        };
        let _ = std::io::copy(&mut taken, &mut std::io::sink());
        ended.send(streams).unwrap();
    });
    let mut node = Node::new();
    let icecast = adapter(&url, "/khoi", PASSWORD, None);
    let mut message = saying("mot", &mp3);
    message.deadline = message.sent_at;
    let end = attempt(&icecast, &message, &NoNotes, &node.transport, || {
        message.sent_at
    });
    let airing = async { Node::aired(node.airings.recv().await.unwrap()).await };
    let (end, aired) = tokio::join!(end, airing);
    assert_eq!(evidence(&end), Evidence::Accepted, "{end:?}");
    assert!(matches!(aired, Aired::Late { .. }), "{aired:?}");
    let streams = heard.recv_timeout(Duration::from_mins(1));
    assert_eq!(streams, Ok(2), "it was taken up again, and ended");
}

/// A server that is there and takes nothing any more, as behind a link that has gone: without a look at what it has received, the
/// whole sound would count as sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_has_gone_is_noticed_and_what_it_swallowed_is_sent_again() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    // So that no more than a moment of the sound fits on the way.
    socket.set_recv_buffer_size(2048).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(8).unwrap().into_std().unwrap();
    listener.set_nonblocking(false).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (taken_up, again) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let (mut gone, _) = listener.accept().unwrap();
        head_of(&mut gone);
        gone.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
        loop {
            let (mut call, _) = listener.accept().unwrap();
            let (head, _) = head_of(&mut call);
            call.write_all(PLAYS).unwrap();
            if head.starts_with("put ") {
                return taken_up.send((length_of(&head), gone));
            }
        }
    });
    let (_, mp3) = rising(20);
    let mut node = Node::new();
    let icecast = adapter(&url, "/khoi", PASSWORD, None);
    let end = node.send(&icecast, &saying("mot", &mp3)).await;
    assert_eq!(evidence(&end), Evidence::Accepted, "{end:?}");
    let airing = node.airings.recv().await.unwrap();
    let stop = CancellationToken::new();
    let mut airing = tokio::spawn(airing.run(stop.clone(), || message().sent_at));
    let (left, _gone) = tokio::select! {
        again = again => again.unwrap(),
        aired = &mut airing => panic!("it was not noticed: {aired:?}"),
    };
    stop.cancel();
    airing.await.unwrap();
    // A second of the sound has 6,000 bytes.
    let swallowed = mp3.len() - left;
    assert!(swallowed < 12_000, "{swallowed} bytes are lost");
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

/// Any web server says yes to what it takes, when it has all of it.
#[tokio::test(flavor = "multi_thread")]
async fn who_swallows_a_sound_and_answers_then_has_not_taken_a_stream() {
    let (_, mp3) = rising(2);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut call, _) = listener.accept().unwrap();
        let (head, mut body) = head_of(&mut call);
        let mut buffer = [0; 1024];
        while body.len() < length_of(&head) {
            let count = call.read(&mut buffer).unwrap();
            assert!(count > 0);
            body.extend_from_slice(&buffer[..count]);
        }
        call.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
    });
    let node = Node::new();
    let icecast = adapter(&url, "/khoi", PASSWORD, None);
    let end = node.send(&icecast, &saying("mot", &mp3)).await;
    assert_eq!(reason(&end), ("unknown", Reason::Unexpected), "{end:?}");
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
    for (listeners, expected, remark) in [
        (2, Evidence::Device, None),
        (
            1,
            Evidence::Accepted,
            Some("call-few-listen count=1; wanted=2"),
        ),
        (
            0,
            Evidence::Accepted,
            Some("call-nobody-listens count=0; wanted=2"),
        ),
    ] {
        // Whatever is said to the title.
        for title in [ok(""), says(400, &[], "Source does not exist")] {
            match play(vec![ok(""), title, status(listeners)]) {
                Step::Accepted(receipt) => {
                    assert_eq!(receipt.evidence, expected);
                    assert_eq!(receipt.reference, Some(format!("listeners {listeners}")));
                    assert_eq!(receipt.remark.as_deref(), remark);
                }
                other => panic!("{other:?}"),
            }
        }
        let Some(Step::Call(request)) = icecast.probe(&[]) else {
            panic!("it can be asked")
        };
        let answers = [status(listeners), says(400, &[], "")];
        let done = answers.map(|result| loa::adapter::Exchange {
            request: request.clone(),
            result,
        });
        let probed = icecast.probe(&done);
        match (probed.unwrap(), remark) {
            (Step::Accepted(_), None) => {}
            (Step::Failed(failure), Some(remark)) => assert_eq!(failure.detail(), remark),
            other => panic!("{listeners}: {other:?}"),
        }
    }
    let idle = || ok(r#"{"icestats":{}}"#);
    let late = play(vec![ok(""), ok(""), idle(), status(2)]);
    assert!(matches!(late, Step::Accepted(_)), "it may break: {late:?}");
    let in_use = || says(403, &[], "Mountpoint in use");
    for (name, answers, expected) in [
        (
            "no format",
            vec![says(403, &[], "No content-type given")],
            ("reject", Reason::Unauthorised),
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
            ("reject", Reason::Unauthorised),
        ),
        ("down", vec![says(503, &[], "")], ("retry", Reason::Busy)),
        (
            "a website",
            vec![ok(""), ok(""), ok("<html>")],
            ("unknown", Reason::Unexpected),
        ),
        (
            "a website without that page",
            vec![ok(""), ok(""), says(404, &[], "")],
            ("unknown", Reason::Unexpected),
        ),
        (
            "not on its page",
            vec![ok(""), ok(""), idle(), idle(), idle()],
            ("unknown", Reason::Unexpected),
        ),
    ] {
        assert_eq!(failure(&play(answers)), expected, "{name}");
    }
    let end = play(vec![
        in_use(),
        ok(""),
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
