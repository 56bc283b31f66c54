//! Axis loudspeakers: tables of answers, and whole attempts against the simulated city's stand-in, which checks each proof.

use std::time::Duration;

use loa::{
    adapter::{
        Adapter, Failure, Fault, Step,
        attempt::{AttemptEnd, Ending, NoNotes, attempt, probe},
        axis::AxisAdapter,
        transport::{Route, Transport, TransportSettings},
    },
    domain::{
        audio::{Audio, AudioFormat},
        channel::AxisConfig,
        delivery::{Evidence, Reason},
        id::DeliveryId,
        message::Message,
        secret::{Secret, SecretRef},
    },
    simulator::{City, CityOptions, Effect, HeardFilter},
};

use super::{
    instant, message, sound,
    steps::{Answer, failure, header, ok, play, says},
    transport::{range, settings},
};

fn config(volume: Option<u16>) -> AxisConfig {
    AxisConfig {
        url: "http://10.1.4.3/".into(),
        user: "loa".into(),
        password: SecretRef::Env("LOA_AXIS".into()),
        volume,
    }
}

fn adapter(volume: Option<u16>) -> AxisAdapter {
    AxisAdapter::new(&config(volume), Secret::simulated()).unwrap()
}

/// A sound that says `words`, as far as these tests go.
pub(super) fn spoken(words: &str) -> Audio {
    sound(words.to_owned(), AudioFormat::Mp3)
}

fn saying(words: &str) -> Message {
    Message {
        delivery: DeliveryId::from_text(&short(words)),
        audio: Some(spoken(words)),
        ..message()
    }
}

/// A device's list with these clips.
fn list(names: &[&str]) -> Answer {
    let mut lines = vec![
        "root.MediaClip.MaxGroups=3".to_owned(),
        "root.MediaClip.MaxUploadSize=1".to_owned(),
    ];
    let names = names.iter().enumerate();
    lines.extend(names.map(|(at, name)| format!("root.MediaClip.M{at}.Name={name}")));
    ok(&lines.join("\r\n"))
}

fn short(words: &str) -> String {
    spoken(words).sound.hash.as_str()[..20].to_owned()
}

#[test]
fn a_sound_is_uploaded_once_and_played() {
    let adapter = adapter(None);
    let message = saying("một");
    for uploaded in [
        "OK\nuploaded=2",
        "OK\r\nUploaded=2\r\n",
        "OK\nReplaced=2",
        "updated=MediaClip.M2",
    ] {
        let answers = [list(&["Chuông"]), ok(uploaded), ok("OK\nPlaying=2")];
        let (requests, end) = play(&adapter, &message, answers);
        assert_eq!(end, Step::accepted(Some("clip 2".into())), "{uploaded}");
        let urls: Vec<&str> = requests.iter().map(|request| &*request.url).collect();
        let name = format!("loa-1711319401-{}", short("một"));
        assert_eq!(
            urls,
            [
                "http://10.1.4.3/axis-cgi/param.cgi?action=list&group=MediaClip,Properties.AudioClip",
                &format!(
                    "http://10.1.4.3/axis-cgi/mediaclip.cgi?action=upload&media=audio&name={name}"
                ),
                "http://10.1.4.3/axis-cgi/mediaclip.cgi?action=play&clip=2",
            ]
        );
        let keys: Vec<bool> = requests
            .iter()
            .map(|request| header(request, "idempotency-key").is_some())
            .collect();
        assert_eq!(keys, [false, false, true], "only the call that counts");
        assert!(
            requests[1]
                .body
                .windows(5)
                .any(|part| part == "một".as_bytes())
        );
    }
    // What is there is not sent again, whoever named it when.
    let there = format!("loa-5-{}", short("một"));
    let (requests, end) = play(
        &adapter,
        &message,
        [list(&["Chuông", &there]), ok("OK\nplaying=1")],
    );
    assert_eq!(
        (requests.len(), end),
        (2, Step::accepted(Some("clip 1".into())))
    );
    // Firmware that only says that it went well is asked for its list.
    let answers = [
        list(&[]),
        ok("OK"),
        list(&["x", "y", &there]),
        ok("OK\nplaying=2"),
    ];
    let (_, end) = play(&adapter, &message, answers);
    assert_eq!(end, Step::accepted(Some("clip 2".into())));
    let (_, end) = play(&adapter, &message, [list(&[]), ok("OK"), list(&["x"])]);
    assert_eq!(failure(&end), ("reject", Reason::Unexpected));
    // What it said instead is told, but for what is secret and what is long.
    let login = format!("<html> {} {}", Secret::simulated().expose(), "x".repeat(99));
    let (_, end) = play(&adapter, &message, [ok(&login)]);
    let Step::Failed(Failure::Reject { detail, .. }) = end else {
        panic!("{end:?}")
    };
    let told = format!("call-axis-answer answer=<html> *** {}", "x".repeat(69));
    assert_eq!(detail, told);
}

#[test]
fn only_what_is_ours_makes_room() {
    let adapter = adapter(None);
    let message = saying("một");
    let full = list(&["loa-300-a", "Chuông", "loa-200-b"]);
    let answers = [
        full,
        ok("OK\nremoved=2"),
        ok("OK\nuploaded=2"),
        ok("OK\nplaying=2"),
    ];
    let (requests, end) = play(&adapter, &message, answers);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    assert!(
        requests[1].url.ends_with("action=remove&clip=2"),
        "{}",
        &*requests[1].url
    );
    let (requests, end) = play(&adapter, &message, [list(&["Chuông", "Nhạc", "loan-1-a"])]);
    assert_eq!(
        (requests.len(), failure(&end)),
        (1, ("reject", Reason::Unwritable))
    );
    let large = Message {
        audio: Some(spoken(&"x".repeat(1024 * 1024 + 1))),
        ..message
    };
    let (requests, end) = play(&adapter, &large, [list(&[])]);
    assert_eq!(
        (requests.len(), failure(&end)),
        (1, ("reject", Reason::Unwritable))
    );
    let (requests, end) = play(&adapter, &super::message(), []);
    assert_eq!(
        (requests.len(), failure(&end)),
        (0, ("reject", Reason::Unwritable))
    );
}

/// Nobody hears a list or an upload, so their doubt is another attempt. A call to play may be heard, whatever came back.
#[test]
fn what_answers_mean() {
    let adapter = adapter(None);
    let message = saying("một");
    let lost = || -> Answer { Err(Fault::may_have_left(Reason::Timeout, "call-timeout")) };
    for (name, answers, expected) in [
        ("list lost", vec![lost()], ("retry", Reason::Unanswered)),
        (
            "list refused",
            vec![says(403, &[], "")],
            ("reject", Reason::Unauthorised),
        ),
        (
            "a login page",
            vec![ok("<html>")],
            ("reject", Reason::Unexpected),
        ),
        (
            "upload lost",
            vec![list(&[]), lost()],
            ("retry", Reason::Unanswered),
        ),
        (
            "upload broken",
            vec![list(&[]), says(500, &[], "")],
            ("retry", Reason::Status),
        ),
        (
            "play lost",
            vec![list(&[]), ok("uploaded=0"), lost()],
            ("unknown", Reason::Timeout),
        ),
        (
            "play unreadable",
            vec![list(&[]), ok("uploaded=0"), ok("OK")],
            ("unknown", Reason::Unexpected),
        ),
        (
            "play refused",
            vec![
                list(&[]),
                ok("uploaded=0"),
                says(400, &[], "400 Bad RequestNo such clip"),
            ],
            ("reject", Reason::Status),
        ),
        (
            "play later",
            vec![list(&[]), ok("uploaded=0"), says(503, &[], "")],
            ("retry", Reason::Busy),
        ),
    ] {
        let (_, end) = play(&adapter, &message, answers);
        assert_eq!(failure(&end), expected, "{name}");
    }
    assert!(
        !adapter.can_ask(),
        "nothing can be asked about what was played"
    );
}

/// Why a device does not play stands in the log in its own words, whichever call it was.
#[test]
fn the_devices_own_words_are_kept() {
    let adapter = adapter(None);
    let message = saying("một");
    let no = |body: &str| says(400, &[], body);
    let page = format!(
        "<html><body><h1>400 Bad Request</h1>Không có {} clip</body></html>",
        Secret::simulated().expose()
    );
    for (answers, told) in [
        (
            vec![
                list(&[]),
                ok("uploaded=0"),
                no("400 Bad Request\nNo such clip"),
            ],
            "call-axis-refused status=400; answer=400 Bad Request No such clip",
        ),
        (
            vec![list(&[]), no(&page)],
            "call-axis-refused status=400; answer=400 Bad Request Không có *** clip",
        ),
        (vec![list(&[]), no(" ")], "call-status status=400"),
    ] {
        let (_, end) = play(&adapter, &message, answers);
        let Step::Failed(Failure::Reject { detail, .. }) = end else {
            panic!("{end:?}")
        };
        assert_eq!(detail, told);
    }
}

#[test]
fn a_volume_is_named_where_the_device_takes_one() {
    let adapter = adapter(Some(80));
    let there = format!("loa-5-{}", short("một"));
    for (options, takes) in [
        ("", true),
        ("root.Properties.AudioClip.PlayOptions=repeat,volume", true),
        ("root.Properties.AudioClip.PlayOptions=repeat", false),
    ] {
        let list = format!("root.MediaClip.M0.Name={there}\n{options}");
        let (requests, _) = play(&adapter, &saying("một"), [ok(&list)]);
        assert_eq!(requests[1].url.ends_with("&volume=80"), takes, "{options}");
        let done = [loa::adapter::Exchange {
            request: requests[0].clone(),
            result: ok(&list),
        }];
        let healthy = matches!(adapter.probe(&done), Some(Step::Accepted(_)));
        assert_eq!(healthy, takes, "{options}");
    }
}

#[tokio::test]
async fn a_whole_attempt_at_a_device_that_checks_who_calls() {
    let city = City::start(CityOptions::default()).await.unwrap();
    let transport = Transport::new(TransportSettings {
        allow: vec![range("10.0.0.0/8")],
        route: Route::Simulated {
            control: city.control(),
        },
        ..settings()
    })
    .unwrap();
    let send = async |adapter: &AxisAdapter, message: &Message| -> AttemptEnd {
        attempt(adapter, message, &NoNotes, &transport, || message.sent_at).await
    };
    let took = |end: &AttemptEnd| match &end.ending {
        Ending::Accepted(receipt) => {
            assert_eq!(receipt.evidence, Evidence::Accepted, "playing is not heard");
            receipt.reference.clone().unwrap()
        }
        Ending::Failed(failure) => panic!("{failure:?}"),
    };
    let axis = adapter(Some(50));
    let first = send(&axis, &saying("một")).await;
    assert_eq!(took(&first), "clip 0");
    // The question is asked twice, because the device wants a proof; the sound goes out once.
    assert_eq!((first.exchanges, first.stopped), (4, None));
    let again = Message {
        delivery: DeliveryId::from_text("lan-hai"),
        ..saying("một")
    };
    let second = send(&axis, &again).await;
    assert_eq!((took(&second), second.exchanges), ("clip 0".into(), 3));
    // Twelve more sounds than there is room for: the oldest go.
    for at in 2_i64..14 {
        let later = Message {
            sent_at: message().sent_at + Duration::from_secs(at.unsigned_abs()),
            ..saying(&format!("bài {at}"))
        };
        took(&send(&axis, &later).await);
    }
    let newest = Message {
        sent_at: message().sent_at + Duration::from_mins(1),
        preempts: true,
        ..saying("khẩn")
    };
    let urgent = send(&axis, &newest).await;
    assert_eq!(urgent.stopped, Some(true));
    took(&urgent);
    let counts = city.summary().total;
    // Fourteen were put there and four of them taken away.
    assert_eq!((counts.heard, counts.stopped, counts.kept), (15, 1, 18));
    let played = city.heard(&HeardFilter {
        effect: Some(Effect::Heard),
        ..HeardFilter::default()
    });
    let last = played.last().unwrap();
    assert!(last.text.as_deref().unwrap().ends_with(&short("khẩn")));
    assert_eq!(last.key.as_deref(), Some(newest.delivery.as_str()));

    let stranger = AxisAdapter::new(&config(None), Secret::new("sai-mat-khau".into())).unwrap();
    let end = send(&stranger, &saying("hai")).await;
    assert_eq!((end.status, end.exchanges), (Some(401), 2), "{end:?}");
    assert!(matches!(end.ending, Ending::Failed(_)));
    assert!(!format!("{end:?}{stranger:?}").contains("sai-mat-khau"));
    let now = || instant("2024-03-25T05:30:00Z");
    assert_eq!(probe(&axis, None, &transport, now).await, Some(Ok(())));
    assert!(matches!(
        probe(&stranger, None, &transport, now).await,
        Some(Err(_))
    ));
    city.shutdown().await;
}
