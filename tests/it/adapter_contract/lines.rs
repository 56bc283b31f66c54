//! Lines: connections on which a sound goes as it is, to servers that say nothing.

use std::{
    io::Read as _,
    net::{TcpListener, TcpStream},
    time::Duration,
};

use bytes::Bytes;
use loa::{
    adapter::{
        Fault, Hidden, Request, Response,
        transport::{
            Transport,
            stream::{Aired, Piece, Stream},
        },
    },
    domain::{bulletin::Priority, delivery::Reason, id::DeliveryId, message::Message},
};

use super::{icecast::Node, message};

/// A sound to a line: two seconds, in pieces of a tenth.
fn lined(id: &str, url: &str, is_free: bool, message: &Message) -> Stream {
    let data: Vec<u8> = (0..44_100_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let pieces = (1..=20_u32).map(|at| Piece {
        until: Duration::from_millis(100) * at,
        end: 2_205 * at as usize,
    });
    let request = Request {
        method: "PUT".to_owned(),
        url: url.into(),
        headers: Vec::new(),
        body: Bytes::from(data),
        wait: Duration::ZERO,
        hidden: Hidden::default(),
        login: None,
    };
    let message = Message {
        delivery: DeliveryId::from_text(id),
        ..message.clone()
    };
    Stream {
        is_free: Some(is_free),
        ..Stream::of(&message, request, pieces.collect())
    }
}

async fn begin(transport: &Transport, stream: &Stream) -> Result<Response, Fault> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    transport.stream(stream, message().sent_at, deadline).await
}

fn read(stream: &mut TcpStream, most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.take(most as u64).read_to_end(&mut bytes).unwrap();
    bytes
}

/// The server goes away in the middle and comes back: what it had not been sent follows, and the bytes are the sound alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_goes_on_where_it_broke() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        let got = read(&mut first, 30_000);
        drop(first);
        let (mut second, _) = listener.accept().unwrap();
        (got, read(&mut second, 44_100))
    });
    let mut node = Node::new();
    let stream = lined("mot", &url, true, &message());
    assert_eq!(begin(&node.transport, &stream).await.unwrap().status, 200);
    let aired = Node::aired(node.airings.recv().await.unwrap()).await;
    assert_eq!(aired, Aired::Whole);
    let (got, rest) = server.join().unwrap();
    let data = &stream.request.body;
    assert_eq!(got, data[..30_000]);
    let from = data.len() - rest.len();
    assert_eq!(rest, data[from..]);
    assert!(
        from > 0 && from <= 30_000 && from.is_multiple_of(2_205),
        "{from}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_goes_where_it_may_and_is_no_address_for_calls() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let node = Node::new();
    for (url, expected) in [
        ("tcp://192.0.2.1:4953".to_owned(), Reason::NotAllowed),
        (format!("tcp://{address}"), Reason::Refused),
        ("tcp://127.0.0.1".to_owned(), Reason::Unwritable),
    ] {
        let stream = lined("mot", &url, true, &message());
        let fault = begin(&node.transport, &stream).await.unwrap_err();
        assert_eq!(
            (fault.reason, fault.may_have_left),
            (expected, false),
            "{url}"
        );
    }
    let call = Request {
        url: format!("tcp://{address}").into(),
        ..lined("mot", "", true, &message()).request
    };
    let fault = node.transport.call(&call, message().sent_at).await;
    assert_eq!(fault.unwrap_err().reason, Reason::Unwritable);
}

/// A server that lets a second source wait says nothing to it. So who may begin is known before.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_a_place_but_who_interrupts_what_this_node_sends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || std::io::copy(&mut stream, &mut std::io::sink()));
        }
    });
    let urgent = Message {
        priority: Priority::Emergency,
        ..message()
    };
    let correction = Message {
        preempts: true,
        ..message()
    };
    let other = Node::new();
    let stranger = begin(&other.transport, &lined("la", &url, false, &urgent)).await;
    assert_eq!(
        stranger.unwrap_err().reason,
        Reason::Busy,
        "nothing of its own is there"
    );
    let mut node = Node::new();
    begin(&node.transport, &lined("mot", &url, true, &message()))
        .await
        .unwrap();
    let first = tokio::spawn(Node::aired(node.airings.recv().await.unwrap()));
    begin(&node.transport, &lined("sua", &url, false, &correction))
        .await
        .unwrap();
    assert!(
        matches!(first.await.unwrap(), Aired::Overtaken { .. }),
        "a correction takes its place"
    );
    let second = tokio::spawn(Node::aired(node.airings.recv().await.unwrap()));
    begin(&node.transport, &lined("khan", &url, false, &urgent))
        .await
        .unwrap();
    assert!(
        matches!(second.await.unwrap(), Aired::Overtaken { .. }),
        "and an emergency the correction's"
    );
    let third = tokio::spawn(Node::aired(node.airings.recv().await.unwrap()));
    // What is urgent leaves for nobody, and its two seconds are not over before somebody has waited for them.
    let late = begin(&node.transport, &lined("hai", &url, true, &correction)).await;
    assert_eq!(late.unwrap_err().reason, Reason::Busy);
    assert_eq!(third.await.unwrap(), Aired::Whole);
}
