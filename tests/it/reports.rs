//! What devices report by themselves: believed by its signature, tied to a broadcast of that channel, and only once.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use loa::{
    clock::Clock,
    daemon::reports::{Posted, Taken, take_posted},
    domain::delivery::{Evidence, Reason, State},
    simulator::{Fault, FaultOrder},
};
use sha2::Sha256;

use crate::support::{
    city::{Running, Scene, at},
    on_both_databases,
};

/// What every secret is worth in the simulated city, as base64 decoded.
const KEY: &[u8] =
    b"\xe7\x56\xb4\xd5\xae\xde\x77\x97\x9c\xd9\xee\xf4\xe7\x56\xb4\xd5\xae\xde\x77\x97\x9c\xd9\xee\xf4";

/// A report about the broadcast of 05:30 on `about`, and how it comes.
struct Report {
    about: &'static str,
    to: &'static str,
    played: bool,
    seconds_late: i64,
    key: &'static [u8],
}

const HONEST: Report = Report {
    about: "loa-hb-1",
    to: "loa-hb-1",
    played: true,
    seconds_late: 0,
    key: KEY,
};

async fn post(scene: &Scene, daemon: &Running, report: &Report) -> Taken {
    let row = scene.row(report.about, "2024-03-25T05:30").await;
    let body = format!(r#"{{"delivery":"{}","played":{}}}"#, row.id, report.played);
    post_body(daemon, report, &body).await
}

async fn post_body(daemon: &Running, report: &Report, body: &str) -> Taken {
    let now = daemon.shared.clock.now().as_micros() / 1_000_000;
    let timestamp = (now - report.seconds_late).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(report.key).unwrap();
    mac.update(format!("tin-1.{timestamp}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let posted = Posted {
        id: "tin-1",
        timestamp: &timestamp,
        signature: &signature,
        body: body.as_bytes(),
    };
    take_posted(&daemon.shared, report.to, posted)
        .await
        .unwrap()
}

fn with_reports(scene: &Scene) {
    for number in [1, 2] {
        let name = format!("name: Cụm loa {number} Hưng Bình\n");
        let more = format!("{name}    reports: [\"env:LOA_BAO\", \"env:LOA_BAO_CU\"]\n");
        scene.folder.edit("channels/kenh.yaml", &name, &more);
    }
}

on_both_databases! {
    async fn a_device_says_once_what_it_played(scene: Scene) {
        with_reports(&scene);
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T05:00"), 400.0)).await;
        daemon.reach("2024-03-25T05:45").await;
        let other = Report { key: b"somebody-else-somebody-else", ..HONEST };
        for (why, report, taken) in [
            ("another key", &other, Taken::Refused),
            ("six minutes old", &Report { seconds_late: 360, ..HONEST }, Taken::Refused),
            ("six minutes early", &Report { seconds_late: -360, ..HONEST }, Taken::Refused),
            ("a channel that reports nothing", &Report { to: "loa-ll-1", ..HONEST }, Taken::Nowhere),
            ("no channel", &Report { to: "Không có", ..HONEST }, Taken::Nowhere),
            ("a broadcast of another channel", &Report { to: "loa-hb-2", ..HONEST }, Taken::Counted),
        ] {
            assert_eq!(post(&scene, &daemon, report).await, taken, "{why}");
        }
        for body in ["", "{}", r#"{"delivery":"x"}"#, r#"{"delivery":7,"played":true}"#] {
            assert_eq!(post_body(&daemon, &HONEST, body).await, Taken::Refused, "{body}");
        }
        let nobody = r#"{"delivery":"x","played":true}"#;
        assert_eq!(post_body(&daemon, &HONEST, nobody).await, Taken::Counted);
        assert_eq!(scene.row("loa-hb-1", "2024-03-25T05:30").await.state, State::Accepted);

        let silent = Report { about: "loa-hb-2", to: "loa-hb-2", played: false, ..HONEST };
        assert_eq!(post(&scene, &daemon, &HONEST).await, Taken::Tied);
        assert_eq!(post(&scene, &daemon, &silent).await, Taken::Tied);
        // The same again, and one that contradicts: what was said first stays.
        assert_eq!(post(&scene, &daemon, &HONEST).await, Taken::Counted);
        assert_eq!(post(&scene, &daemon, &Report { played: false, ..HONEST }).await, Taken::Counted);
        daemon.stop().await;
        for (channel, state, reason, event) in [
            ("loa-hb-1", State::Confirmed, None, "played"),
            ("loa-hb-2", State::Unheard, Some(Reason::NotPlayed), "not-played"),
        ] {
            let row = scene.row(channel, "2024-03-25T05:30").await;
            assert_eq!((row.state, row.reason, row.evidence), (state, reason, Evidence::Device), "{row:?}");
            let lines = scene.store().await.journal_of(event, 9).await.unwrap();
            assert_eq!(lines.len(), 1, "{lines:?}");
        }
        scene.check().await;
    }

    async fn doubt_ends_with_the_devices_word_and_never_over_a_persons(scene: Scene) {
        with_reports(&scene);
        for host in ["10.0.0.1", "10.0.0.2"] {
            scene.fault(FaultOrder::new(host, Fault::Reset)).await;
        }
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T05:00"), 400.0)).await;
        daemon.reach("2024-03-25T06:10").await;
        let person = scene.row("loa-hb-2", "2024-03-25T05:30").await;
        assert_eq!(person.state, State::Unknown, "{person:?}");
        let now = daemon.shared.clock.now();
        let by = "Nguyễn Thị Lan";
        assert!(daemon.shared.store.reconcile(&person.id, false, by, now).await.unwrap());
        let second = Report { about: "loa-hb-2", to: "loa-hb-2", ..HONEST };
        assert_eq!(post(&scene, &daemon, &second).await, Taken::Counted);
        assert_eq!(post(&scene, &daemon, &HONEST).await, Taken::Tied);
        daemon.stop().await;
        let row = scene.row("loa-hb-2", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.evidence), (State::Unheard, Evidence::Staff), "{row:?}");
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.reason, row.detail), (State::Confirmed, None, None));
        scene.check().await;
    }

    async fn a_report_that_comes_too_early_has_to_come_again(scene: Scene) {
        with_reports(&scene);
        let daemon = scene.start_with(Clock::manual(at("2024-03-25T05:20"))).await;
        daemon.wait(|rows| rows.len() >= 3).await;
        assert_eq!(post(&scene, &daemon, &HONEST).await, Taken::Early);
        daemon.stop().await;
    }
}
