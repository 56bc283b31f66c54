//! No unknown contact airs: not after its verification ended, not after the files changed under frozen words; and what
//! `loa contacts` says of any text.

use std::time::Duration;

use loa::{
    clock::Clock,
    domain::{
        delivery::{Reason, State},
        id::DeliveryId,
    },
    simulator::{Effect, Fault, HeardFilter},
    store::row::DeliveryRow,
};

use crate::support::{
    city::{Running, Scene, at, count, fault},
    cli::loa,
    on_both_databases,
    workspace::{Folder, SCHEDULES, bulletin},
};

const VERIFIED: &str = ", verified_on: 2024-03, verified_by: \"Công văn\", expires: 2030-12";

fn nothing_heard(scene: &Scene) -> bool {
    let filter = HeardFilter {
        effect: Some(Effect::Heard),
        ..HeardFilter::default()
    };
    scene.city.heard(&filter).is_empty()
}

/// The small workspace's contact with another end of its verification.
fn contacts(expires: &str) -> String {
    format!(
        "contacts:\n  cong-an: {{ kind: office, name: Công an thành phố Vinh, owner: Công an, purpose: Báo tin, source: Công văn, \
         verified_on: 2024-03, verified_by: Công văn, expires: {expires} }}\n"
    )
}

on_both_databases! {
    async fn frozen_words_are_not_sent_once_their_contact_has_lapsed(scene: Scene) {
        let daemon = scene.start("2024-03-25T05:20").await;
        daemon.wait(|rows| rows.iter().filter(|row| row.state == State::Ready && row.due == at("2024-03-25T05:30")).count() == 3).await;
        daemon.kill().await;
        scene.folder.write("content/contacts.yaml", &contacts("2024-03-24"));
        let daemon = scene.start("2024-03-25T05:29").await;
        daemon.reach("2024-03-25T05:50").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.reason), (State::Failed, Some(Reason::Contact)), "{row:?}");
        assert_eq!(row.detail.as_deref(), Some("contact-expired contact=cong-an"));
        assert!(scene.city.heard(&HeardFilter::default()).is_empty());
        scene.check().await;
    }

    async fn a_contact_that_expires_while_a_sending_is_tried_again_stops_it(scene: Scene) {
        scene.folder.write("content/contacts.yaml", &contacts("2024-03-25"));
        scene.folder.write("schedules/lich.yaml", &SCHEDULES.replace("05:30", "23:58"));
        // Not now, says the loudspeaker two minutes before the contact's last day ends; come back in three.
        let busy = Fault::Status { code: 503, retry_after: Some("180".to_owned()), body: None };
        scene.fault(fault("10.0.0.1", busy, 1)).await;
        let daemon = scene.start("2024-03-25T23:40").await;
        daemon.reach("2024-03-26T00:10").await;
        daemon.stop().await;
        let row = scene.row("loa-hb-1", "2024-03-25T23:58").await;
        assert_eq!((row.state, row.reason, row.attempts), (State::Failed, Some(Reason::Contact), 3), "{row:?}");
        assert_eq!(row.detail.as_deref(), Some("contact-expired contact=cong-an"));
        let attempts = scene.store().await.attempts(&row.id).await.unwrap();
        let status: Vec<_> = attempts.iter().map(|attempt| attempt.status).collect();
        assert_eq!(status, [Some(503), None, None], "no second call was made");
        assert_eq!(attempts[1].detail.as_deref(), Some("held-contact-expired contact=cong-an; until=00:08 26/03/2024"));
        assert_eq!(scene.row("loa-hb-2", "2024-03-25T23:58").await.state, State::Accepted, "in time");
        scene.check().await;
    }

    async fn a_verification_taken_back_holds_at_once_also_in_files_that_are_refused(scene: Scene) {
        let clock = Clock::manual(at("2024-03-25T05:20"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        // The bulletins still list it, so the files are bad and the workspace in force stays.
        scene.folder.edit("content/contacts.yaml", VERIFIED, "");
        daemon.reloader.reload(&daemon.shared).await;
        assert!(daemon.reloader.refused.borrow().is_some());
        clock.advance(Duration::from_mins(11));
        // While there is time left they wait, and say for what and until when.
        let held = |row: &&DeliveryRow| row.state == State::Ready && row.reason == Some(Reason::Contact);
        daemon.wait(|rows| rows.iter().filter(held).count() == 3).await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!(row.detail.as_deref(), Some("held-contact-unverified contact=cong-an; until=05:40 25/03/2024"));
        clock.advance(Duration::from_secs(8 * 60 + 59));
        daemon.wait(|rows| count(rows, State::Failed) >= 3).await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.state, row.reason), (State::Failed, Some(Reason::Contact)), "{row:?}");
        assert_eq!(row.detail.as_deref(), Some("contact-unverified contact=cong-an"));
        daemon.stop().await;
        assert!(nothing_heard(&scene));
        scene.check().await;
    }

    async fn a_contact_in_doubt_for_a_moment_airs_again(scene: Scene) {
        let clock = Clock::manual(at("2024-03-25T05:20"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        scene.folder.edit("content/contacts.yaml", VERIFIED, "");
        daemon.reloader.reload(&daemon.shared).await;
        scene.folder.edit("content/contacts.yaml", "source: \"Công văn\"", &format!("source: \"Công văn\"{VERIFIED}"));
        // Saved by halves: what cannot be read says nothing of a contact.
        let whole = std::fs::read_to_string(scene.folder.path().join("content/contacts.yaml")).unwrap();
        for half in ["", &whole[..40]] {
            scene.folder.write("content/contacts.yaml", &whole);
            daemon.reloader.reload(&daemon.shared).await;
            scene.folder.write("content/contacts.yaml", half);
            daemon.reloader.reload(&daemon.shared).await;
            assert!(daemon.reloader.refused.borrow().is_some());
        }
        clock.advance(Duration::from_mins(11));
        daemon.wait(|rows| count(rows, State::Accepted) == 3).await;
        daemon.stop().await;
        scene.check().await;
    }

    async fn nothing_is_frozen_that_names_a_contact_which_will_have_lapsed(scene: Scene) {
        scene.folder.write("content/contacts.yaml", &contacts("2024-03-25"));
        for day in ["2024-03-25", "2024-03-26"] {
            let daemon = scene.start(&format!("{day}T05:10")).await;
            daemon.reach(&format!("{day}T05:40")).await;
            daemon.stop().await;
        }
        // Its last day counts, the next one does not.
        assert_eq!(scene.row("loa-hb-1", "2024-03-25T05:30").await.state, State::Accepted);
        let row = scene.row("loa-hb-1", "2024-03-26T05:30").await;
        assert_eq!((row.state, row.reason, row.attempts), (State::Failed, Some(Reason::Contact), 0), "{row:?}");
        let rows: Vec<_> = scene.log().await.into_iter().filter(|row| row.due == at("2024-03-26T05:30")).collect();
        assert_eq!(count(&rows, State::Failed), rows.len());
        scene.check().await;
    }

    async fn what_waits_for_a_contact_airs_when_it_is_verified_in_time_and_else_says_why(scene: Scene) {
        scene.folder.write("content/contacts.yaml", &contacts("2024-03-24"));
        let clock = Clock::manual(at("2024-03-25T05:20"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| count(rows, State::Planned) >= 3).await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        held(&daemon, &row.id).await;
        // Somebody verifies it again seven minutes later.
        clock.advance(Duration::from_mins(7));
        scene.folder.write("content/contacts.yaml", &contacts("2030-12"));
        daemon.reloader.reload(&daemon.shared).await;
        assert!(daemon.reloader.refused.borrow().is_none());
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        clock.advance(Duration::from_mins(4));
        daemon.wait(|rows| count(rows, State::Accepted) == 3).await;
        daemon.stop().await;

        // The next day nobody does.
        scene.folder.write("content/contacts.yaml", &contacts("2024-03-25"));
        let clock = Clock::manual(at("2024-03-26T05:20"));
        let daemon = scene.start_with(clock.clone()).await;
        let due = |row: &DeliveryRow| row.due == at("2024-03-26T05:30");
        daemon.wait(|rows| rows.iter().filter(|row| due(row) && row.state == State::Planned).count() == 3).await;
        let row = scene.row("loa-hb-1", "2024-03-26T05:30").await;
        held(&daemon, &row.id).await;
        clock.advance(Duration::from_mins(19));
        daemon.wait(|rows| rows.iter().filter(|row| due(row)).all(|row| row.reason == Some(Reason::Contact))).await;
        let row = scene.row("loa-hb-1", "2024-03-26T05:30").await;
        assert_eq!((row.state, row.attempts), (State::Planned, 0), "nine minutes late is not too late");
        assert_eq!(row.detail.as_deref(), Some("held-contact-expired contact=cong-an; until=05:40 26/03/2024"));
        clock.advance(Duration::from_secs(59));
        daemon.wait(|rows| rows.iter().filter(|row| due(row)).all(|row| row.state == State::Failed)).await;
        let row = scene.row("loa-hb-1", "2024-03-26T05:30").await;
        assert_eq!((row.reason, row.attempts), (Some(Reason::Contact), 0), "{row:?}");
        assert_eq!(row.detail.as_deref(), Some("contact-expired contact=cong-an"));
        daemon.stop().await;
        scene.check().await;
    }

    async fn what_is_held_when_it_is_due_airs_as_soon_as_its_contact_is_verified_again(scene: Scene) {
        scene.folder.write("content/contacts.yaml", &contacts("2024-03-24"));
        let clock = Clock::manual(at("2024-03-25T05:20"));
        let daemon = scene.start_with(clock.clone()).await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        held(&daemon, &row.id).await;
        clock.advance(Duration::from_mins(14));
        daemon.wait(|rows| count(rows, State::Planned) >= 3).await;
        assert!(nothing_heard(&scene));
        scene.folder.write("content/contacts.yaml", &contacts("2030-12"));
        daemon.reloader.reload(&daemon.shared).await;
        daemon.wait(|rows| count(rows, State::Accepted) == 3).await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!((row.reason, row.detail), (None, None), "nothing is left of the wait");
        daemon.stop().await;
        scene.check().await;
    }

    async fn what_is_held_just_before_its_call_goes_out_when_files_change_and_nothing_waits_behind_it(scene: Scene) {
        let other = bulletin("không nêu ai").replace("contacts: [cong-an]\n", "");
        scene.folder.write("content/bulletins/ba.yaml", &other);
        let later = "  trang-sau:\n    when: { at: [\"06:30\"], days: [mon] }\n    bulletins: { only: [ba] }\n    to: { kind: website }\n    missed: { late: { within: 6h } }\n";
        scene.folder.edit("schedules/lich.yaml", "  oa:\n", &format!("{later}  oa:\n"));
        let clock = Clock::manual(at("2024-03-25T05:50"));
        let daemon = scene.start_with(clock.clone()).await;
        let page = |rows: &[DeliveryRow], at_: &str, state: State| {
            let is_it = |row: &&DeliveryRow| row.channel.as_str() == "web-hb" && row.due == at(at_) && row.state == state;
            rows.iter().any(|row| is_it(&row))
        };
        daemon.wait(|rows| page(rows, "2024-03-25T06:00", State::Ready)).await;
        scene.folder.edit("content/contacts.yaml", VERIFIED, "");
        daemon.reloader.reload(&daemon.shared).await;
        clock.advance(Duration::from_mins(35));
        daemon.wait(|rows| page(rows, "2024-03-25T06:30", State::Ready)).await;
        clock.advance(Duration::from_mins(15));
        // The later page is out; the earlier one waits, with the reason.
        daemon.wait(|rows| page(rows, "2024-03-25T06:30", State::Confirmed) || page(rows, "2024-03-25T06:30", State::Accepted)).await;
        let row = scene.row("web-hb", "2024-03-25T06:00").await;
        assert_eq!((row.state, row.reason), (State::Ready, Some(Reason::Contact)), "{row:?}");
        // The same files as before: no new revision, and yet they are looked at.
        scene.folder.edit("content/contacts.yaml", "source: \"Công văn\"", &format!("source: \"Công văn\"{VERIFIED}"));
        daemon.reloader.reload(&daemon.shared).await;
        daemon.wait(|rows| page(rows, "2024-03-25T06:00", State::Confirmed) || page(rows, "2024-03-25T06:00", State::Accepted)).await;
        daemon.stop().await;
        scene.check().await;
    }
}

/// Waits until the journal says that a delivery is held, once.
async fn held(daemon: &Running, id: &DeliveryId) {
    let store = &daemon.shared.store;
    let held = async || {
        let lines = store.journal_rows(Some(id), 100).await.unwrap();
        lines.iter().filter(|line| line.event == "held").count()
    };
    let mut pulse = store.pulse();
    while held().await == 0 {
        pulse.changed().await.unwrap();
    }
    assert_eq!(held().await, 1);
}

#[test]
fn any_text_can_be_scanned() {
    let folder = Folder::small();
    let text = "Gọi 0912 345 678\nhoặc vào dichvucong chấm gov chấm vn.";
    let said = loa(
        &folder.path(),
        &["contacts", "scan", text, "--format", "json"],
    );
    assert_eq!(said.code, 1, "{said:?}");
    let json = said.json();
    assert_eq!(
        json,
        serde_json::json!([
            { "kind": "phone", "written": "0912 345 678", "normalised": "0912345678", "verdict": "unknown", "contact": null,
              "line": 1, "column": 5 },
            { "kind": "site", "written": "dichvucong chấm gov chấm vn", "normalised": "dichvucong.gov.vn", "verdict": "unknown",
              "contact": null, "line": 2, "column": 10 },
        ])
    );
    let said = loa(
        &folder.path(),
        &["contacts", "scan", "Năm 2024, 1.090.000 đồng"],
    );
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.out.trim(), "Không thấy số, địa chỉ hay tài khoản nào.");
}

#[test]
fn a_verified_contact_is_told_from_an_expired_and_a_false_one() {
    let folder = Folder::small();
    folder.write(
        "content/contacts.yaml",
        "contacts:\n  cong-an: { kind: phone, name: Công an, value: '0238 3123 456', owner: Công an, purpose: Báo tin, source: Công \
         văn, verified_on: 2024-03, verified_by: Công văn, expires: 2024-12 }\n  cong: { kind: site, name: Cổng, value: \
         dichvucong.gov.vn, owner: Nhà nước, purpose: Nộp hồ sơ, source: Công văn, verified_on: 2024-03, verified_by: Công văn, \
         expires: 2024-12 }\n",
    );
    let verdicts = |text: &str, on: &str| -> Vec<String> {
        let said = loa(
            &folder.path(),
            &["contacts", "scan", text, "--on", on, "--format", "json"],
        );
        let json = said.json();
        let list = json.as_array().unwrap().iter();
        list.map(|hit| hit["verdict"].as_str().unwrap().to_owned())
            .collect()
    };
    let during = "2024-12-31";
    for (text, verdict) in [
        ("không hai ba tám ba một hai ba bốn năm sáu", "verified"),
        ("+84 238.3123.456", "verified"),
        ("vào dịch vụ công chấm gov chấm vn", "verified"),
        ("https://www.dichvucong.gov.vn/a", "verified"),
        ("dịchvụcông.gov.vn", "imitation"),
        ("dісhvucong.gov.vn", "imitation"),
        ("dich-vu-cong.gov.vn", "imitation"),
        ("dichvucong.gov.vn.evil.com", "imitation"),
        ("dichvucong.gov.vn:8080", "unknown"),
        ("giả chấm dichvucong chấm gov chấm vn", "unknown"),
    ] {
        assert!(
            verdicts(text, during).contains(&verdict.to_owned()),
            "{text}: {:?}",
            verdicts(text, during)
        );
    }
    assert_eq!(verdicts("0238 3123 456", "2025-01-01"), ["expired"]);
    let list = loa(&folder.path(), &["contacts", "list", "--on", "2025-01-01"]);
    assert!(list.out.contains("ĐÃ HẾT HẠN"), "{list:?}");
}
