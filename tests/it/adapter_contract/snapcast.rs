//! Snapcast: a real server with a loudspeaker whose sound is recognised, what answers mean, and the lines on which sound goes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use loa::{
    adapter::{
        Adapter, Exchange, Fault, Request, Step,
        attempt::{AttemptEnd, Ending, NoNotes, attempt, probe},
        snapcast::SnapcastAdapter,
        transport::{Transport, TransportSettings, stream::Aired},
    },
    audio::wav,
    conformance::{Outside, Scenario, Subject, examine_outside},
    domain::{
        audio::AudioFormat,
        bulletin::Priority,
        channel::{AdapterConfig, Channel, SnapcastConfig},
        delivery::{Evidence, Reason},
        detail::Detail,
        id::DeliveryId,
        message::Message,
    },
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    channel,
    icecast::{Node, evidence, reason},
    instant, message, sound,
    steps::{Answer, failure, header, ok, says},
    transport::settings,
};
use crate::support::{
    icecast::{falls_whole, likeness, pitches, rise},
    snapcast::{OTHER, PIPE, STREAM, Snapserver},
};

fn config(url: &str) -> SnapcastConfig {
    SnapcastConfig {
        url: url.to_owned(),
        stream: STREAM.to_owned(),
        group: None,
        volume: None,
        listeners: None,
    }
}

fn adapter(config: &SnapcastConfig) -> SnapcastAdapter {
    SnapcastAdapter::new(config).unwrap()
}

fn saying(id: &str, samples: &[f32]) -> Message {
    Message {
        delivery: DeliveryId::from_text(id),
        audio: Some(sound(wav::encode(samples), AudioFormat::Wav)),
        ..message()
    }
}

fn detail(end: &AttemptEnd) -> String {
    match &end.ending {
        Ending::Failed(failure) => failure.detail().to_owned(),
        Ending::Accepted(_) => panic!("{end:?}"),
    }
}

/// Sends, with somebody who looks after the stream at once: a line goes on only then.
async fn begun(
    node: &mut Node,
    snapcast: &SnapcastAdapter,
    message: &Message,
) -> (AttemptEnd, JoinSet<Aired>) {
    let Node { transport, airings } = node;
    let mut on_air = JoinSet::new();
    let sending = attempt(snapcast, message, &NoNotes, transport, || message.sent_at);
    let following = async {
        on_air.spawn(Node::aired(airings.recv().await.unwrap()));
    };
    let (end, ()) = tokio::join!(sending, following);
    (end, on_air)
}

async fn ended(mut on_air: JoinSet<Aired>) -> Aired {
    on_air.join_next().await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_is_heard_whole_by_those_who_are_to_hear_it() {
    let Some(server) = Snapserver::start() else {
        return;
    };
    let client = server.client("loa-1");
    let group = server.group_of("loa-1")["id"].clone();
    for (method, params) in [
        ("Group.SetName", json!({ "id": group, "name": "Khối 3" })),
        (
            "Group.SetStream",
            json!({ "id": group, "stream_id": OTHER }),
        ),
        ("Group.SetMute", json!({ "id": group, "mute": true })),
        (
            "Client.SetVolume",
            json!({ "id": "loa-1", "volume": { "percent": 35, "muted": true } }),
        ),
    ] {
        assert!(server.call(method, &params).is_object(), "{method}");
    }
    let snapcast = adapter(&SnapcastConfig {
        group: Some("Khối 3".to_owned()),
        volume: Some(80),
        listeners: Some(1),
        ..config(&server.url)
    });
    let mut node = Node::new();
    let now = || instant("2024-03-25T05:30:00Z");
    assert_eq!(
        probe(&snapcast, None, &node.transport, now).await,
        Some(Ok(()))
    );
    let said = rise(2);
    let began = Instant::now();
    let message = saying("mot", &said);
    let (end, aired) = begun(&mut node, &snapcast, &message).await;
    assert_eq!(
        (evidence(&end), end.exchanges),
        (Evidence::Device, 4),
        "asked, told, sent, asked: {end:?}"
    );
    assert_eq!(ended(aired).await, Aired::Whole);
    assert!(
        began.elapsed() >= Duration::from_secs(2),
        "no faster than it is heard"
    );
    let group = server.group_of("loa-1");
    let volume = &group["clients"][0]["config"]["volume"];
    assert_eq!(*volume, json!({ "percent": 80, "muted": false }));
    assert_eq!(
        (&group["stream_id"], &group["muted"]),
        (&json!(STREAM), &json!(false))
    );
    let heard = client.heard();
    let (like, there) = likeness(&said, &heard);
    assert!(like > 0.9 && there > 0.9, "{like} {there}");
    let other: Vec<f32> = said.iter().rev().copied().collect();
    assert!(
        likeness(&other, &heard).0 < 0.5,
        "another sound is not taken for it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_second_waits_and_an_emergency_takes_over() {
    let Some(server) = Snapserver::start() else {
        return;
    };
    let client = server.client("loa-1");
    let snapcast = adapter(&config(&server.url));
    let mut node = Node::new();
    let long = rise(6);
    let (begun, first) = begun(&mut node, &snapcast, &saying("mot", &long)).await;
    assert_eq!(
        evidence(&begun),
        Evidence::Accepted,
        "nobody was asked to listen: {begun:?}"
    );
    // Another node has no say over what this one streams.
    let other = Node::new();
    let end = other.send(&snapcast, &saying("hai", &rise(1))).await;
    assert_eq!(reason(&end), ("retry", Reason::Busy));
    assert!(
        detail(&end).starts_with("call-snapcast-busy"),
        "{}",
        detail(&end)
    );
    let falling: Vec<f32> = rise(2).into_iter().rev().collect();
    let urgent = Message {
        priority: Priority::Emergency,
        preempts: true,
        ..saying("khan", &falling)
    };
    let (end, second) = self::begun(&mut node, &snapcast, &urgent).await;
    assert_eq!(
        (evidence(&end), end.stopped),
        (Evidence::Accepted, Some(true))
    );
    assert_eq!(ended(second).await, Aired::Whole);
    assert!(matches!(ended(first).await, Aired::Overtaken { .. }));
    let heard = pitches(&client.heard());
    assert!(falls_whole(&heard), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_in_the_middle_is_told() {
    let Some(server) = Snapserver::start() else {
        return;
    };
    let patient = TransportSettings {
        total_timeout: Duration::from_secs(3),
        ..settings()
    };
    let transport = Transport::new(patient).unwrap();
    let airings = transport.airings().unwrap();
    let mut node = Node { transport, airings };
    let snapcast = adapter(&config(&server.url));
    let (end, aired) = begun(&mut node, &snapcast, &saying("mot", &rise(6))).await;
    assert_eq!(evidence(&end), Evidence::Accepted, "{end:?}");
    server.end();
    match ended(aired).await {
        Aired::Broken { after, fault } => {
            assert!(after > Duration::from_secs(1) && after < Duration::from_secs(5));
            assert_eq!(fault.reason, Reason::Cut, "{fault:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_cannot_take_is_refused_before_anything_is_heard() {
    let Some(server) = Snapserver::start() else {
        return;
    };
    let _client = server.client("loa-1");
    let node = Node::new();
    let ours = || config(&server.url);
    let stream = |name: &str| SnapcastConfig {
        stream: name.to_owned(),
        ..ours()
    };
    let nobody = SnapcastConfig {
        group: Some("Khối 9".to_owned()),
        ..ours()
    };
    for (config, code) in [
        (stream("la"), "call-snapcast-no-stream"),
        (stream(OTHER), "call-snapcast-format"),
        (stream(PIPE), "call-snapcast-no-line"),
        (nobody, "call-snapcast-no-group"),
    ] {
        let snapcast = adapter(&config);
        let end = node.send(&snapcast, &saying("mot", &rise(1))).await;
        assert_eq!(reason(&end), ("reject", Reason::Unexpected), "{code}");
        assert!(detail(&end).starts_with(code), "{code}: {}", detail(&end));
        let asked = probe(&snapcast, None, &node.transport, || message().sent_at).await;
        let failure = asked.unwrap().unwrap_err();
        assert!(failure.detail().starts_with(code), "{failure:?}");
    }
    let many = SnapcastConfig {
        listeners: Some(2),
        ..ours()
    };
    let asked = probe(&adapter(&many), None, &node.transport, || message().sent_at).await;
    let failure = asked.unwrap().unwrap_err();
    assert_eq!(
        failure.detail(),
        format!("call-snapcast-few stream={STREAM}; count=1; wanted=2")
    );
    assert_eq!(server.state_of(STREAM), "idle");
}

/// At a real address nobody can be made to fail; what is sent there goes on while it is asked after.
#[tokio::test(flavor = "multi_thread")]
async fn the_conformance_kit_gets_on_with_a_real_server() {
    let Some(server) = Snapserver::start() else {
        return;
    };
    let config = config(&server.url);
    let channel = Channel {
        audio: Some(AudioFormat::Wav),
        test: true,
        ..channel(AdapterConfig::Snapcast(config.clone()))
    };
    let subject = Subject {
        channel: &channel,
        ward_name: "phường Hưng Bình",
        adapter: Arc::new(adapter(&config)),
        secrets: Vec::new(),
        warnings: Vec::new(),
    };
    let outside = Outside {
        transport: &Transport::new(settings()).unwrap(),
        words: "Thử",
        run: "0937",
    };
    let is_wanted = |one: &Scenario| one.id == "vietnamese-nfc" || one.id == "probe-well";
    let now = || message().sent_at;
    let seen = examine_outside(&subject, &outside, now, is_wanted, |_, _| {}).await;
    let found = &seen.findings;
    let counts = (found.held(), found.unseen(), found.broken());
    assert_eq!(counts, (1, 1, 0), "{found:?}");
    assert_eq!(seen.sent[0].mark, "A1-0937");
}

/// What the server says of itself, with two loudspeakers in the group that plays the stream.
fn status(state: &str, muted: bool) -> Answer {
    let client = |id: &str, percent: u8| json!({ "id": id, "connected": true, "config": { "volume": { "muted": muted, "percent": percent } } });
    let uri = json!({ "scheme": "tcp", "host": "0.0.0.0:4953", "query": { "mode": "server", "sampleformat": "22050:16:2" } });
    let result = json!({ "server": {
        "streams": [{ "id": STREAM, "status": state, "uri": uri }],
        "groups": [{ "id": "g", "name": "", "muted": false, "stream_id": STREAM, "clients": [client("mot", 40), client("hai", 70)] }],
    }});
    ok(&json!({ "id": 1, "jsonrpc": "2.0", "result": result }).to_string())
}

fn error(code: i64, data: &str) -> Value {
    json!({ "id": 1, "jsonrpc": "2.0", "error": { "code": code, "message": "Internal error", "data": data } })
}

fn play(
    snapcast: &SnapcastAdapter,
    message: &Message,
    answers: Vec<Answer>,
) -> (Step, Vec<Request>) {
    let mut done = Vec::new();
    for result in answers {
        let request = match snapcast.step(message, &done) {
            Step::Stream(stream) => stream.request,
            Step::Call(request) => request,
            end => panic!("an answer is left: {end:?}"),
        };
        done.push(Exchange { request, result });
    }
    let step = snapcast.step(message, &done);
    (step, done.into_iter().map(|one| one.request).collect())
}

/// Whoever has the wrong port is told what is there, and what was to be.
#[test]
fn a_wrong_port_is_told_with_what_is_there() {
    let lost = || Err(Fault::may_have_left(Reason::Timeout, ""));
    for (url, answer, met) in [
        ("http://10.1.5.2:1704", lost(), "at-loudspeakers"),
        ("http://10.1.5.2:1705/", lost(), "at-lines"),
        ("http://10.1.5.2:4953", lost(), "at-sound"),
        (
            "http://10.1.5.2:1781",
            Err(Fault::never_left(Reason::Refused, "")),
            "at-nothing",
        ),
        (
            "http://10.1.5.2:6600",
            Err(Fault::may_have_left(Reason::Unreadable, "call-no-http")),
            "at-no-http",
        ),
        ("http://10.1.5.2", says(404, &[], "<html>"), "at-other"),
    ] {
        let snapcast = adapter(&config(url));
        let request = |step: Step| match step {
            Step::Call(request) => request,
            other => panic!("{other:?}"),
        };
        let question = request(snapcast.probe(&[]).unwrap());
        let probed = [Exchange {
            request: question,
            result: answer.clone(),
        }];
        let message = saying("mot", &rise(1));
        let (sent, _) = play(&snapcast, &message, vec![answer]);
        for step in [snapcast.probe(&probed).unwrap(), sent] {
            let Step::Failed(failure) = step else {
                panic!("{url}: {step:?}")
            };
            let told = Detail::parse(failure.detail()).unwrap();
            assert_eq!(told.code(), "call-snapcast-elsewhere", "{url}");
            let base = url.trim_end_matches('/');
            assert_eq!(told.get("url"), Some(base));
            assert_eq!(told.get("met"), Some(&*format!("call-snapcast-{met}")));
        }
    }
    // Where it is, and late, nothing is known to be wrong with the port.
    let right = adapter(&config("http://10.1.5.2:1780"));
    let (step, _) = play(&right, &saying("mot", &rise(1)), vec![lost()]);
    assert_eq!(failure(&step), ("retry", Reason::Unanswered));
    assert!(!format!("{step:?}").contains("elsewhere"), "{step:?}");
}

#[test]
fn what_answers_mean() {
    let plain = adapter(&config("http://10.1.5.2:1780"));
    let loud = adapter(&SnapcastConfig {
        volume: Some(70),
        listeners: Some(2),
        ..config("http://10.1.5.2:1780/")
    });
    let message = saying("mot", &rise(1));
    let idle = || status("idle", false);
    let playing = || status("playing", false);
    let fault = |left: bool, reason: Reason| {
        Err(if left {
            Fault::may_have_left(reason, "")
        } else {
            Fault::never_left(reason, "")
        })
    };
    let rpc = |answer: &Value| ok(&answer.to_string());
    let taken = || fault(false, Reason::Busy);
    for (name, snapcast, answers, expected) in [
        (
            "router",
            &plain,
            vec![ok("<html>")],
            ("reject", Reason::Unexpected),
        ),
        (
            "no method",
            &plain,
            vec![rpc(&error(-32601, ""))],
            ("reject", Reason::Unexpected),
        ),
        (
            "other error",
            &plain,
            vec![rpc(&error(-32603, "x"))],
            ("retry", Reason::Unexpected),
        ),
        (
            "no result",
            &plain,
            vec![ok("{}")],
            ("reject", Reason::Unexpected),
        ),
        (
            "elsewhere",
            &plain,
            vec![says(400, &[], "Illegal request-target")],
            ("reject", Reason::Status),
        ),
        (
            "starting",
            &plain,
            vec![fault(false, Reason::Refused)],
            ("retry", Reason::Refused),
        ),
        (
            "lost question",
            &plain,
            vec![fault(true, Reason::Timeout)],
            ("retry", Reason::Unanswered),
        ),
        (
            "busy",
            &plain,
            vec![playing(), playing(), playing()],
            ("retry", Reason::Busy),
        ),
        (
            "taken meanwhile",
            &plain,
            vec![idle(), taken(), idle(), taken(), idle(), taken()],
            ("retry", Reason::Busy),
        ),
        (
            "no way in",
            &plain,
            vec![idle(), fault(false, Reason::NoConnection)],
            ("retry", Reason::NoConnection),
        ),
        (
            "never plays",
            &plain,
            vec![idle(), ok(""), idle(), idle()],
            ("unknown", Reason::Unexpected),
        ),
        (
            "loudspeaker left",
            &loud,
            vec![idle(), rpc(&json!([error(-32603, "Client not found")]))],
            ("retry", Reason::Unexpected),
        ),
        (
            "not all answered",
            &loud,
            vec![idle(), rpc(&json!([]))],
            ("reject", Reason::Unexpected),
        ),
        (
            "lost setting",
            &loud,
            vec![idle(), fault(true, Reason::Reset)],
            ("retry", Reason::Unanswered),
        ),
    ] {
        assert_eq!(
            failure(&play(snapcast, &message, answers).0),
            expected,
            "{name}"
        );
    }
    let told = || rpc(&json!([{ "id": 1, "jsonrpc": "2.0", "result": {} }]));
    for (name, answers, expected) in [
        (
            "heard",
            vec![idle(), told(), ok(""), playing()],
            (Some("listeners 2"), Evidence::Device),
        ),
        (
            "late",
            vec![idle(), told(), ok(""), idle(), playing()],
            (Some("listeners 2"), Evidence::Device),
        ),
        (
            "silenced",
            vec![idle(), told(), ok(""), status("playing", true)],
            (Some("listeners 0"), Evidence::Accepted),
        ),
        (
            "nobody knows",
            vec![idle(), told(), ok(""), fault(true, Reason::Cut)],
            (None, Evidence::Accepted),
        ),
        (
            "after another",
            vec![playing(), idle(), told(), ok(""), playing()],
            (Some("listeners 2"), Evidence::Device),
        ),
    ] {
        let (Step::Accepted(receipt), requests) = play(&loud, &message, answers) else {
            panic!("{name}");
        };
        assert_eq!(
            (receipt.reference.as_deref(), receipt.evidence),
            expected,
            "{name}"
        );
        let sound = requests
            .iter()
            .find(|request| request.method == "PUT")
            .unwrap();
        assert_eq!(&*sound.url, "tcp://10.1.5.2:4953");
        assert_eq!(sound.body.len(), 22_050 * 4, "for each of two channels");
        let mut calls = requests.iter().filter(|request| request.method == "POST");
        assert!(calls.all(|call| header(call, "connection") == Some("close")));
        let mut bodies = requests
            .iter()
            .filter_map(|request| serde_json::from_slice::<Value>(&request.body).ok());
        let told = bodies.find(Value::is_array).unwrap();
        let expected = json!({ "id": "mot", "volume": { "percent": 70, "muted": false } });
        assert_eq!(
            (told.as_array().unwrap().len(), &told[0]["params"]),
            (1, &expected),
            "the other is as loud already"
        );
    }
    // Who interrupts does not wait, and says that somebody plays there.
    for (message, is_free) in [
        (
            Message {
                priority: Priority::Emergency,
                ..message.clone()
            },
            false,
        ),
        (
            Message {
                preempts: true,
                ..message.clone()
            },
            false,
        ),
    ] {
        let (Step::Stream(stream), _) = play(&plain, &message, vec![playing()]) else {
            panic!("it waits");
        };
        assert_eq!((stream.is_free, stream.interrupts), (Some(is_free), true));
    }
    for (message, reason) in [
        (super::message(), "call-no-audio"),
        (
            Message {
                audio: Some(sound("OggS", AudioFormat::Opus)),
                ..super::message()
            },
            "call-snapcast-wav",
        ),
    ] {
        let Step::Failed(failure) = plain.step(&message, &[]) else {
            panic!("there is nothing to send");
        };
        assert_eq!(
            (failure.reason(), failure.detail()),
            (Reason::Unwritable, reason)
        );
    }
}
