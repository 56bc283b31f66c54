//! Callers who say nothing, or half of something: they are hung up on, and others are served all the same.

use std::time::Duration;

use loa::web::connections::Limits;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::city::{City, Names, Served};

/// Nothing here takes as long; a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn call(served: &Served, says: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(says.as_bytes()).await.unwrap();
    stream
}

/// Reads until the other side hangs up.
pub(super) async fn hung_up(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = stream.read_to_end(&mut text);
    // A reset is an end, too.
    let _ = tokio::time::timeout(PATIENCE, read)
        .await
        .expect("the server hangs up");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn whoever_does_not_ask_in_time_is_hung_up_on() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let limits = Limits {
        head: Duration::from_millis(200),
        ..Limits::default()
    };
    let served = city.serve_within(limits).await;
    for says in ["", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
        let mut stream = call(&served, says).await;
        let heard = hung_up(&mut stream).await;
        assert!(!heard.contains("200 OK"), "{heard}");
    }
    // After an answer the connection may be used again, and not be kept for ever.
    let mut stream = call(&served, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(hung_up(&mut stream).await.contains("200 OK"));
    served.shutdown.cancel();
    served.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn those_who_say_nothing_do_not_keep_others_out() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let limits = Limits {
        head: Duration::from_millis(200),
        connections: 2,
        ..Limits::default()
    };
    let served = city.serve_within(limits).await;
    let mut silent = Vec::new();
    for _ in 0..6 {
        silent.push(call(&served, "GET /").await);
    }
    let answer = tokio::time::timeout(PATIENCE, served.get("/healthz"))
        .await
        .expect("served once the silent ones are gone");
    assert_eq!(answer.status, 200);
    served.shutdown.cancel();
    served.task.await.unwrap().unwrap();
}
