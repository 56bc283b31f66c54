//! Live events: they come after a write, end at shutdown, and are counted.

use std::time::Duration;

use reqwest::header;

use super::city::{City, Names, client};

/// Reads events until one has come; the text of its data.
async fn event(stream: &mut reqwest::Response) -> Option<serde_json::Value> {
    let mut text = String::new();
    let limit = Duration::from_secs(10); // less than the 15 seconds after which one comes in any case
    loop {
        let chunk = tokio::time::timeout(limit, stream.chunk())
            .await
            .expect("an event comes in time")
            .ok()??;
        text.push_str(&String::from_utf8_lossy(&chunk));
        if let Some(data) = text
            .strip_suffix("\n\n")
            .and_then(|event| event.strip_prefix("data: "))
        {
            return Some(serde_json::from_str(data).unwrap());
        }
    }
}

#[tokio::test]
async fn an_event_comes_after_a_write_and_the_stream_ends_at_shutdown() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let served = city.serve().await;
    let mut stream = client().get(served.url("/su-kien")).send().await.unwrap();
    assert_eq!(stream.headers()[header::CONTENT_TYPE], "text/event-stream");
    let first = event(&mut stream).await.expect("the line is up");
    assert_eq!(first["clock"], "05:30:00");
    city.clock.advance(Duration::from_secs(61));
    city.plan("2024-03-25T17:00", |_| true).await;
    let second = event(&mut stream).await.expect("a write is heard of");
    assert_eq!(second["clock"], "05:31:01");
    assert_eq!(second["now"], "2024-03-24T22:31:01Z");

    served.shutdown.cancel();
    assert!(event(&mut stream).await.is_none(), "the stream ends");
    served.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn listeners_are_counted() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let served = city.serve().await;
    let mut listeners = Vec::new();
    for _ in 0..64 {
        let stream = client().get(served.url("/su-kien")).send().await.unwrap();
        assert_eq!(stream.status().as_u16(), 200);
        listeners.push(stream);
    }
    let refused = served.get("/su-kien").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.headers[header::RETRY_AFTER], "15");
    assert_eq!(served.get("/").await.status, 200, "pages can still be read");
    served.shutdown.cancel();
    served.task.await.unwrap().unwrap();
}
