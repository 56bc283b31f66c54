//! What receivers report by themselves, over real sockets.

use std::time::Duration;

use loa::web::connections::Limits;
use reqwest::header;

use super::{
    city::{City, Names, client},
    connections::{call, hung_up},
};

#[tokio::test]
async fn reports_are_posted_byte_for_byte_and_nothing_else_is() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let served = city.serve().await;
    let post = |path: &str, signature: &str, body: Vec<u8>| {
        let request = client().post(served.url(path)).body(body);
        request.header("X-ZEvent-Signature", signature.to_owned())
    };
    let body = || b"{ \"a\":1 }".to_vec();
    let send = async |request| served.send(request).await.status;
    assert_eq!(send(post("/zalo/oa", "mac=x", body())).await, 200);
    // Whoever reports comes by the name that the proxy in front of it has.
    let named = post("/zalo/oa", "mac=x", body()).header(header::HOST, "loa.vinh.example");
    assert_eq!(send(named).await, 200);
    assert_eq!(send(post("/zalo/oa", "mac=y", body())).await, 401);
    assert_eq!(
        send(post("/zalo/oa", "mac=x", b"{\"a\":1}".to_vec())).await,
        401
    );
    assert_eq!(
        send(post("/zalo/oa", "mac=x", vec![b' '; 65 * 1024])).await,
        413
    );
    assert_eq!(send(client().get(served.url("/zalo/oa"))).await, 405);
    assert_eq!(send(post("/nhat-ky", "mac=x", body())).await, 405);
    let device = |signature: &str, body: Vec<u8>| {
        let request = client().post(served.url("/bao/loa")).body(body);
        let request = request.header("webhook-id", "tin");
        let request = request.header("webhook-timestamp", "7");
        request.header("webhook-signature", signature.to_owned())
    };
    assert_eq!(send(device("v1,x", body())).await, 200);
    assert_eq!(send(device("v1,y", body())).await, 401);
    assert_eq!(send(post("/bao/loa", "mac=x", body())).await, 401);
    assert_eq!(send(post("/zalo/loa", "v1,x", body())).await, 401);
    assert_eq!(send(device("v1,x", vec![b' '; 65 * 1024])).await, 413);
    served.shutdown.cancel();
}

/// However slowly it comes: whoever reports is told, and the connection is free for others.
#[tokio::test]
async fn a_report_that_does_not_end_in_time_is_given_up() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let limits = Limits {
        body: Duration::from_millis(100),
        ..Limits::default()
    };
    let served = city.serve_within(limits).await;
    let says = "POST /zalo/oa HTTP/1.1\r\nHost: localhost\r\nX-ZEvent-Signature: mac=x\r\nContent-Length: 9\r\n\r\n{ \"a\"";
    let mut stream = call(&served, says).await;
    let heard = hung_up(&mut stream).await;
    assert!(heard.starts_with("HTTP/1.1 408 "), "{heard}");
    served.shutdown.cancel();
}
