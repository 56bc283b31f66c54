//! What Zalo reports by itself: believed by its signature, tied to a broadcast, and only once.

use loa::{
    clock::Clock,
    daemon::reports::{Taken, take},
    domain::delivery::{Evidence, State},
    simulator::Fault,
};
use sha2::{Digest as _, Sha256};

use super::{Scene, account, calls};
use crate::support::{
    city::{at, fault},
    on_both_databases,
};

/// What every secret is worth in the simulated city.
const KEY: &str = "51a01a7ed5ec2e7051a01a7ed5ec2e70";

fn report(event: &str, message: &str, millis: i64) -> String {
    format!(
        r#"{{"app_id":"123456789","event_name":"{event}","sender":{{"id":"987654321"}},"recipient":{{"id":"4242"}},"timestamp":"{millis}","message":{{"msg_id":"{message}"}}}}"#
    )
}

fn sign(body: &str, millis: i64) -> String {
    let text = format!("123456789{body}{millis}{KEY}");
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("mac={hex}")
}

on_both_databases! {
    async fn a_message_that_somebody_received_is_confirmed_once(scene: Scene) {
        account(&scene, "message", "user: \"4242\"\n        reports: env:LOA_OA_KEY");
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T06:00"), 400.0)).await;
        daemon.reach("2024-03-25T06:20").await;
        assert_eq!(calls(&scene, "/v3.0/oa/message/cs").len(), 1);
        let shared = daemon.shared.clone();
        let millis = shared.clock.now().as_micros() / 1000;
        let tell = async |channel: &str, event: &str, message: &str, sign: &dyn Fn(&str) -> Option<String>| {
            let body = report(event, message, millis);
            take(&shared, channel, sign(&body).as_deref(), body.as_bytes()).await.unwrap()
        };
        let signed = |body: &str| Some(sign(body, millis));
        assert_eq!(tell("web-hb", "user_received_message", "sim-message-1", &signed).await, Taken::Nowhere);
        assert_eq!(tell("Không có", "user_received_message", "sim-message-1", &signed).await, Taken::Nowhere);
        assert_eq!(tell("oa-vinh", "user_received_message", "sim-message-1", &|_| None).await, Taken::Refused);
        let forged = |body: &str| Some(sign(&format!("{body} "), millis));
        assert_eq!(tell("oa-vinh", "user_received_message", "sim-message-1", &forged).await, Taken::Refused);
        assert_eq!(tell("oa-vinh", "user_received_message", "sim-message-2", &signed).await, Taken::Counted);
        assert_eq!(tell("oa-vinh", "follow", "sim-message-1", &signed).await, Taken::Counted);
        assert_eq!(scene.row("oa-vinh", "2024-03-25T06:10").await.state, State::Accepted);
        assert_eq!(tell("oa-vinh", "user_received_message", "sim-message-1", &signed).await, Taken::Tied);
        assert_eq!(tell("oa-vinh", "user_received_message", "sim-message-1", &signed).await, Taken::Counted);
        let said = shared.metrics.to_text();
        for line in ["tied\"} 1", "counted\"} 3", "refused\"} 2"] {
            assert!(said.contains(&format!("loa_reports_total{{outcome=\"{line}")), "{line} in {said}");
        }
        daemon.stop().await;
        let row = scene.row("oa-vinh", "2024-03-25T06:10").await;
        assert_eq!((row.state, row.evidence), (State::Confirmed, Evidence::Device), "{row:?}");
        let lines = scene.store().await.journal_of("reported", 9).await.unwrap();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0].detail, "user_received_message");
        scene.check().await;
    }

    async fn a_report_that_overtakes_the_answer_has_to_come_again(scene: Scene) {
        account(&scene, "message", "user: \"4242\"\n        reports: env:LOA_OA_KEY");
        scene.fault(fault("openapi.zalo.me", Fault::Hang, 1).method("POST")).await;
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T06:05"), 60.0)).await;
        daemon.wait(|rows| rows.iter().any(|row| row.channel.as_str() == "oa-vinh" && row.state == State::Sending)).await;
        let shared = daemon.shared.clone();
        let standing = shared.clock.busy();
        let millis = shared.clock.now().as_micros() / 1000;
        for (event, taken) in [("user_received_message", Taken::Early), ("follow", Taken::Counted)] {
            let body = report(event, "sim-message-9", millis);
            assert_eq!(take(&shared, "oa-vinh", Some(&sign(&body, millis)), body.as_bytes()).await.unwrap(), taken, "{event}");
        }
        drop(standing);
        daemon.stop().await;
    }

    async fn an_account_reports_at_one_address_what_all_its_channels_sent(scene: Scene) {
        account(&scene, "message", "user: \"4242\"\n        reports: env:LOA_OA_KEY");
        let other = |id: &str, oa: &str| format!(
            "  {id}:\n    name: Kênh {id}\n    kind: chat\n    format: message\n    adapter: {{ zalo: {{ app: \"123456789\", oa: \"{oa}\", secret: env:LOA_ZALO, callback: \"https://loa.vinh.example/zalo\", user: \"4343\" }} }}\n"
        );
        let channels = format!("channels:\n{}{}", other("cung-oa", "987654321"), other("oa-khac", "555"));
        scene.folder.write("channels/oa.yaml", &channels);
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T06:00"), 400.0)).await;
        daemon.reach("2024-03-25T06:20").await;
        let shared = daemon.shared.clone();
        let millis = shared.clock.now().as_micros() / 1000;
        let mut tied = 0;
        for number in 1..=3 {
            let body = report("user_received_message", &format!("sim-message-{number}"), millis);
            let taken = take(&shared, "oa-vinh", Some(&sign(&body, millis)), body.as_bytes()).await.unwrap();
            tied += usize::from(taken == Taken::Tied);
        }
        daemon.stop().await;
        assert_eq!((tied, calls(&scene, "/v3.0/oa/message/cs").len()), (2, 3));
        for (channel, state) in [("oa-vinh", State::Confirmed), ("cung-oa", State::Confirmed), ("oa-khac", State::Accepted)] {
            let row = scene.row(channel, "2024-03-25T06:10").await;
            assert_eq!(row.state, state, "{row:?}");
        }
        scene.check().await;
    }
}
