//! Calls in a simulated city: to loopback and nowhere else.

use loa::{
    adapter::transport::{Route, Transport, TransportError, TransportSettings},
    domain::{delivery::Reason, settings::AllowRule},
};

use super::{
    instant,
    server::{Server, answer, nobody},
    transport::{post, range, settings},
};

fn simulated(city: &Server) -> TransportSettings {
    TransportSettings {
        allow: vec![
            range("10.0.0.0/8"),
            AllowRule::Suffix(".vinh.example".into()),
        ],
        route: Route::Simulated {
            control: city.address,
        },
        ..settings()
    }
}

#[tokio::test]
async fn hosts_have_stand_ins() {
    let device = Server::answering(answer("202 Accepted", "", ""));
    let city = Server::answering(answer(
        "200 OK",
        "",
        &format!(r#"{{"host":"x","address":"{}"}}"#, device.address),
    ));
    let transport = Transport::new(simulated(&city)).unwrap();
    let now = instant("2024-03-25T05:30:00Z");
    for url in [
        "https://quan-bau.vinh.example/api?a=b",
        "https://quan-bau.vinh.example:8443/",
        "http://10.16.72.1/api",
    ] {
        assert_eq!(
            transport.call(&post(url.into()), now).await.unwrap().status,
            202,
            "{url}"
        );
    }
    drop(transport);
    let asked = city.requests().await;
    assert_eq!(asked.len(), 2, "each host once: {asked:?}");
    assert!(
        asked[0].starts_with("POST /_city/devices ")
            && asked[0].ends_with(r#"{"host":"quan-bau.vinh.example"}"#)
    );
    assert!(asked[1].ends_with(r#"{"host":"10.16.72.1"}"#));
    let seen = device.requests().await;
    for (request, (line, host)) in seen.iter().zip([
        ("POST /api?a=b ", "quan-bau.vinh.example"),
        ("POST / ", "quan-bau.vinh.example:8443"),
        ("POST /api ", "10.16.72.1"),
    ]) {
        assert!(
            request.starts_with(line) && request.contains(&format!("host: {host}\r\n")),
            "{request}"
        );
    }
}

#[tokio::test]
async fn nothing_leaves_this_machine() {
    let now = instant("2024-03-25T05:30:00Z");
    for (status, body) in [
        ("200 OK", r#"{"address":"10.16.72.1:80"}"#),
        ("200 OK", r#"{"address":"192.0.2.1:80"}"#),
        ("200 OK", r#"{"address":"vinh.example:80"}"#),
        ("200 OK", "{}"),
        ("200 OK", "đã nhận"),
        ("404 Not Found", r#"{"address":"127.0.0.1:80"}"#),
    ] {
        let city = Server::answering(answer(status, "", body));
        let transport = Transport::new(simulated(&city)).unwrap();
        let fault = transport
            .call(&post("http://10.16.72.1/".into()), now)
            .await
            .unwrap_err();
        assert_eq!(
            (fault.may_have_left, fault.reason),
            (false, Reason::Refused),
            "{body}"
        );
    }

    let away = TransportSettings {
        route: Route::Simulated { control: nobody() },
        ..settings()
    };
    let away = TransportSettings {
        allow: vec![range("10.0.0.0/8")],
        ..away
    };
    let transport = Transport::new(away).unwrap();
    let fault = transport
        .call(&post("http://10.16.72.1/".into()), now)
        .await
        .unwrap_err();
    assert_eq!(
        (fault.may_have_left, fault.reason),
        (false, Reason::Refused)
    );
    // The allow-list holds for the address that was asked for; a name that only a range could allow has no resolver.
    for url in [
        "http://11.0.0.1/",
        "http://127.0.0.1/",
        "http://ten-mien.example/",
        "http://vinh.example/",
    ] {
        let fault = transport.call(&post(url.into()), now).await.unwrap_err();
        assert_eq!(
            (fault.may_have_left, fault.reason),
            (false, Reason::NotAllowed),
            "{url}"
        );
    }

    let elsewhere = Route::Simulated {
        control: "10.0.0.1:80".parse().unwrap(),
    };
    let refused = Transport::new(TransportSettings {
        route: elsewhere,
        ..settings()
    });
    assert!(matches!(refused, Err(TransportError::NotLoopback(_))));
}

#[tokio::test]
async fn a_stand_in_that_went_away_is_asked_for_again() {
    let device = Server::answering(answer("202 Accepted", "", ""));
    let (old, new) = (nobody(), device.address);
    let city = Server::start(vec![super::server::script(move |wire| {
        for address in [old, new] {
            wire.request();
            wire.write(answer(
                "200 OK",
                "",
                &format!(r#"{{"address":"{address}"}}"#),
            ));
        }
        wire.hold();
    })]);
    let transport = Transport::new(simulated(&city)).unwrap();
    let now = instant("2024-03-25T05:30:00Z");
    let request = post("http://10.16.72.1/".into());
    assert_eq!(
        transport.call(&request, now).await.unwrap_err().reason,
        Reason::Refused
    );
    assert_eq!(transport.call(&request, now).await.unwrap().status, 202);
}
