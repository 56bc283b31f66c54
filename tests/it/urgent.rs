//! Emergencies and tests sent by hand: who may, how far, what they interrupt, and that a test never becomes real.

use std::time::Duration;

use loa::{
    clock::Clock,
    domain::{
        delivery::{Reason, State},
        time::Timestamp,
    },
    simulator::{Effect, Fault, HeardFilter},
};

use crate::support::{
    city::{Scene, at, fault},
    cli::{Said, loa},
    on_both_databases,
    workspace::Folder,
};

const MAI: &str = "Trần Thị Mai";
const HOA: &str = "Nguyễn Văn Hòa";
const MOT: &str = "content/bulletins/mot.yaml";
const SCALE: &str = "2 phường, 3 cụm loa";
const TEST_CHANNEL: &str = "  loa-thu:\n    ward: hung-binh\n    name: Loa thử\n    kind: loudspeaker\n    test: true\n    adapter: { recipe: \
                            { use: loudspeaker-http, with: { url: \"http://10.0.0.9\", token: \"env:LOA_T9\" } } }\n";

fn says(scene: &Scene, arguments: &[&str]) -> Said {
    let world = ["--simulate", "--database", &scene.database];
    loa(&scene.folder.path(), &[arguments, &world].concat())
}

fn approve(scene: &Scene, id: &str, by: &str) {
    let seen = says(scene, &["diff", id, "--format", "json"]).json();
    let hash = seen["version"].as_str().unwrap();
    let said = says(scene, &["approve", id, "--by", by, "--hash", hash]);
    assert_eq!(said.code, 0, "{said:?}");
}

fn send(scene: &Scene, id: &str, to: &str, more: &[&str]) -> Said {
    let base = [
        "send", id, "--to", to, "--by", "Lan", "--reason", "lũ về", "--format", "json",
    ];
    says(scene, &[&base, more].concat())
}

fn due(said: &Said) -> Timestamp {
    assert_eq!(said.code, 0, "{said:?}");
    Timestamp::parse_rfc3339(said.json()["due"].as_str().unwrap()).unwrap()
}

fn heard(scene: &Scene, host: &str, effect: Effect) -> Vec<String> {
    let filter = HeardFilter {
        host: Some(host.to_owned()),
        effect: Some(effect),
        ..HeardFilter::default()
    };
    let all = scene.city.heard(&filter).into_iter();
    all.map(|heard| heard.text.unwrap_or_default()).collect()
}

/// A morning in which loudspeakers read for minutes, approved, and over at 05:31.
async fn long_morning(scene: &Scene) {
    scene.folder.wants_approval();
    let long = "Bà con nghe rõ rồi làm theo nhé. ".repeat(120);
    scene.folder.edit(
        MOT,
        "Thưa bà con {{ ward.name }}.",
        &format!("Thưa bà con {{{{ ward.name }}}}. {long}"),
    );
    for id in ["mot", "hai", "loa-sang", "trang-tin", "oa"] {
        approve(scene, id, MAI);
    }
    let daemon = scene
        .start_with(Clock::simulated(at("2024-03-25T05:29"), 60.0))
        .await;
    daemon.reach("2024-03-25T05:31").await;
    daemon.stop().await;
    let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
    assert_eq!(row.state, State::Accepted);
    assert!(
        row.length
            .is_some_and(|length| length > Duration::from_mins(4)),
        "{row:?}"
    );
}

#[test]
fn an_emergency_is_confirmed_in_words() {
    let folder = Folder::small();
    folder.wants_approval();
    let send = |to: &str, more: &[&str]| {
        let base = [
            "send",
            "mot",
            "--to",
            to,
            "--by",
            "Lan",
            "--reason",
            "lũ về",
            "--priority",
            "emergency",
            "--simulate",
        ];
        loa(&folder.path(), &[&base, more].concat())
    };
    for (to, scale) in [
        ("kind:loudspeaker", SCALE),
        (
            "all",
            "thành phố Vinh, 2 phường, 3 cụm loa, 2 trang thông tin, 1 kênh tin nhắn",
        ),
        ("ward:le-loi,kind:loudspeaker", "phường Lê Lợi, 1 cụm loa"),
        ("kind:chat", "thành phố Vinh, 1 kênh tin nhắn"),
    ] {
        let said = send(to, &[]);
        assert_eq!(said.code, 2);
        assert!(
            said.err.contains(&format!("--confirm \"{scale}\"")),
            "{to}: {said:?}"
        );
        assert!(said.err.contains("Chưa gửi gì"));
        let said = send(to, &["--confirm", "3 cụm loa"]);
        assert_eq!(said.code, 2);
        assert!(
            said.err.contains("không khớp") && said.err.contains(scale),
            "{said:?}"
        );
        // As people type: any case, any spaces. Then the words are asked for their approvals.
        let said = send(to, &["--confirm", &scale.to_uppercase().replace(' ', "  ")]);
        assert!(said.err.contains("chưa được duyệt"), "{said:?}");
    }
}

on_both_databases! {
    async fn an_emergency_wants_two_approvals_of_these_very_words_interrupts_and_is_on_record(scene: Scene) {
        long_morning(&scene).await;
        let urgent = ["--priority", "emergency", "--confirm", SCALE];
        let said = send(&scene, "hai", "kind:loudspeaker", &urgent);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains("mới có 1 người duyệt") && said.err.contains("cần 2"), "{said:?}");
        approve(&scene, "hai", HOA);
        let said = send(&scene, "hai", "kind:loudspeaker", &urgent);
        let due = due(&said);
        let daemon = scene.start_with(Clock::simulated(due, 60.0)).await;
        daemon.wait(|rows| rows.iter().filter(|row| row.due == due && row.state == State::Accepted).count() == 3).await;
        daemon.stop().await;

        let rows = scene.log().await;
        let urgent = rows.iter().find(|row| row.due == due && row.channel.as_str() == "loa-hb-1").unwrap();
        assert_eq!(urgent.priority.as_str(), "emergency");
        let long = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        for host in ["10.0.0.1", "10.0.0.2", "10.0.0.3"] {
            let spoken = heard(&scene, host, Effect::Heard);
            assert_eq!(spoken.len(), 2, "{host}");
            assert!(spoken[1].contains("lời thứ hai"));
            assert_eq!(heard(&scene, host, Effect::Stopped), [spoken[0].clone()], "what was cut off");
        }
        let store = scene.store().await;
        let events = |id| {
            let store = &store;
            async move {
                let lines = store.journal_rows(Some(id), 100).await.unwrap();
                lines.into_iter().map(|line| (line.event, line.detail)).collect::<Vec<_>>()
            }
        };
        let theirs = ("interrupted".to_owned(), format!("by {}", urgent.id));
        assert!(events(&long.id).await.contains(&theirs), "{:?}", events(&long.id).await);
        assert_eq!((long.state, long.reason), (State::Accepted, Some(Reason::Interrupted)));
        let why = format!("interrupted by={}; at=", urgent.id);
        assert!(long.detail.as_ref().unwrap().starts_with(&why), "{long:?}");
        let log = says(&scene, &["log", "--since", "2024-03-25", "--ward", "hung-binh"]).out;
        assert!(log.contains("bị ngắt giữa chừng") && log.contains("khi mới phát được chừng"), "{log}");
        let own = ("interrupted".to_owned(), format!("preempts {}", long.id));
        assert!(events(&urgent.id).await.contains(&own));
        // What nobody heard any more is nobody's airtime.
        let rows = says(&scene, &["airtime", "--ward", "hung-binh", "--format", "json"]).json();
        let said = rows.as_array().unwrap().iter().find(|row| row["topic"] == "gia-danh").unwrap();
        let seconds = |name: &str| said[name].as_f64().unwrap();
        let (length, all) = (long.length.unwrap(), long.length.unwrap() + urgent.length.unwrap());
        assert!((seconds("accepted_seconds") + seconds("cut_off_seconds") - all.as_secs_f64()).abs() < 0.01, "{said}");
        let heard = length.as_secs_f64() - seconds("cut_off_seconds");
        let until = due.since(at("2024-03-25T05:30")).as_secs_f64();
        assert!((until - 30.0..until + 30.0).contains(&heard) && heard < length.as_secs_f64() - 60.0, "{said}");
        let shown = says(&scene, &["airtime", "--ward", "hung-binh"]).out;
        assert!(shown.contains("chỉ tính phần đã phát trước đó"), "{shown}");
        scene.check().await;
    }

    async fn what_was_approved_decides_whether_a_rule_makes_an_exception(scene: Scene) {
        const HAI: &str = "content/bulletins/hai.yaml";
        scene.folder.wants_approval();
        scene.folder.write("schedules/policy.yaml", "rules:\n  gio:\n    name: Giờ loa\n    source: { document: QĐ 1, year: 2024 }\n    sessions: { per_day: 1 }\n    exempt: [emergency]\n");
        scene.folder.edit("schedules/lich.yaml", "  trang-tin:\n", "  loa-muon:\n    when: { at: [\"06:30\"] }\n    bulletins: { only: [hai] }\n    to: { kind: loudspeaker }\n    editors: [Lan]\n    missed: skip\n  trang-tin:\n");
        scene.folder.edit(HAI, "priority: normal", "priority: emergency");
        for id in ["mot", "hai", "loa-sang", "loa-muon"] {
            approve(&scene, id, MAI);
        }
        approve(&scene, "hai", HOA);
        // Two edits that nobody has approved: by the files it is the other way round, and each is heard as it was approved.
        scene.folder.edit(HAI, "priority: emergency", "priority: normal");
        scene.folder.edit(MOT, "priority: normal", "priority: emergency");
        let daemon = scene.start("2024-03-25T05:10").await;
        daemon.reach("2024-03-25T06:45").await;
        daemon.stop().await;
        let store = scene.store().await;
        for (due, priority, expected) in [
            ("2024-03-25T05:30", "normal", None),
            ("2024-03-25T06:30", "emergency", Some("too-many-sessions rule=Giờ loa; document=QĐ 1, 2024; most=1")),
        ] {
            let row = scene.row("loa-hb-1", due).await;
            assert_eq!((row.state, row.priority.as_str()), (State::Accepted, priority), "{row:?}");
            let lines = store.journal_rows(Some(&row.id), 100).await.unwrap();
            let beyond: Vec<_> = lines.iter().filter(|line| line.event == "outside-hours").map(|line| line.detail.as_str()).collect();
            assert_eq!(beyond, Vec::from_iter(expected), "{lines:?}");
        }
        scene.check().await;
    }

    async fn a_correction_stops_what_it_corrects_and_is_heard_at_once(scene: Scene) {
        long_morning(&scene).await;
        let said = says(&scene, &["retract", "mot", "--by", MAI, "--reason", "sai cơ quan", "--format", "json"]);
        assert_eq!(said.code, 0, "{said:?}");
        let json = said.json();
        assert_eq!(json["later"], serde_json::json!([]), "nothing is waited for: {json}");
        let rows = scene.log().await;
        let correction = rows.iter().filter(|row| row.schedule.is_correction());
        let now = correction.map(|row| row.due).max().unwrap();
        let daemon = scene.start_with(Clock::simulated(now, 60.0)).await;
        let is_done = |row: &&loa::store::row::DeliveryRow| row.schedule.is_correction() && row.state == State::Accepted;
        daemon.wait(|rows| rows.iter().filter(is_done).count() >= 3).await;
        daemon.stop().await;

        for host in ["10.0.0.1", "10.0.0.2", "10.0.0.3"] {
            let spoken = heard(&scene, host, Effect::Heard);
            assert_eq!(spoken.len(), 2, "{host}");
            assert_eq!(spoken[1], "Đính chính: lời thứ nhất.", "{host}");
            assert_eq!(heard(&scene, host, Effect::Stopped), [spoken[0].clone()], "what was cut off");
        }
        let rows = scene.log().await;
        let long = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        let own = rows.iter().find(|row| row.schedule.is_correction() && row.channel == long.channel).unwrap();
        let over = long.accepted_at.unwrap() + long.length.unwrap();
        assert!(own.accepted_at.unwrap() + Duration::from_mins(2) < over, "{own:?} {long:?}");
        let store = scene.store().await;
        for (id, detail) in [(&long.id, format!("by {}", own.id)), (&own.id, format!("preempts {}", long.id))] {
            let lines = store.journal_rows(Some(id), 100).await.unwrap();
            let told = |line: &loa::store::row::JournalRow| line.event == "interrupted" && line.detail == detail;
            assert!(lines.iter().any(told), "{lines:?}");
        }
        scene.check().await;
    }

    async fn an_emergency_waits_for_no_full_host_and_for_no_worker(scene: Scene) {
        scene.folder.edit("loa.yaml", "workers: 8", "workers: 1");
        scene.folder.edit("loa.yaml", "hosts: { concurrency: 4,", "hosts: { concurrency: 1,");
        scene.folder.edit("loa.yaml", "total_timeout: 2s", "total_timeout: 60s");
        scene.folder.edit("loa.yaml", "lease: 30s", "lease: 90s");
        // One gateway for all loudspeakers, and it hangs in the middle of the first call.
        for old in ["http://10.0.0.2\"", "http://10.0.0.3\""] {
            scene.folder.edit("channels/kenh.yaml", old, "http://10.0.0.1\"");
        }
        scene.folder.wants_approval();
        for id in ["mot", "hai", "loa-sang", "trang-tin", "oa"] {
            approve(&scene, id, MAI);
        }
        approve(&scene, "hai", HOA);
        scene.fault(fault("10.0.0.1", Fault::Hang, 1)).await;
        let clock = Clock::manual(at("2024-03-25T05:30"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| rows.iter().any(|row| row.state == State::Sending)).await;
        let to = "channel:loa-hb-2,channel:loa-ll-1";
        let rows = scene.log().await;
        let hangs = rows.iter().find(|row| row.state == State::Sending).unwrap();
        let to = if hangs.channel.as_str() == "loa-hb-1" { to } else { "channel:loa-hb-1" };
        let scale = says(&scene, &["send", "hai", "--to", to, "--by", "Lan", "--reason", "lũ về", "--priority", "emergency"]).err;
        let scale = scale.split("--confirm \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let said = send(&scene, "hai", to, &["--priority", "emergency", "--confirm", &scale]);
        assert_eq!(said.code, 0, "{said:?}");
        clock.advance(Duration::from_secs(3));
        daemon.wait(|rows| {
            let urgent = || rows.iter().filter(|row| row.schedule.is_by_hand());
            urgent().count() > 0
                && urgent().all(|row| row.state == State::Accepted)
                && rows.iter().any(|row| row.id == hangs.id && row.state == State::Sending)
        })
        .await;
        daemon.kill().await;
    }

    async fn without_its_approvals_at_the_last_moment_nothing_urgent_airs(scene: Scene) {
        long_morning(&scene).await;
        approve(&scene, "hai", HOA);
        let said = send(&scene, "hai", "kind:loudspeaker", &["--priority", "emergency", "--confirm", SCALE]);
        let due = due(&said);
        // Taken back, and approved again by one person only.
        let said = says(&scene, &["return", "hai", "--by", HOA, "--reason", "Sai tên"]);
        assert_eq!(said.code, 0, "{said:?}");
        approve(&scene, "hai", MAI);
        let daemon = scene.start_with(Clock::simulated(due, 60.0)).await;
        daemon.wait(|rows| rows.iter().filter(|row| row.due == due && row.state == State::Skipped).count() == 3).await;
        daemon.stop().await;
        let rows = scene.log().await;
        let row = rows.iter().find(|row| row.due == due).unwrap();
        assert_eq!(row.reason, Some(Reason::Unapproved));
        assert!(row.detail.as_deref().is_some_and(|why| why.contains("khẩn cấp cần 2")), "{row:?}");
        assert_eq!(heard(&scene, "10.0.0.1", Effect::Stopped), [""; 0]);
        scene.check().await;
    }

    async fn a_test_reaches_test_channels_says_so_and_never_becomes_real(scene: Scene) {
        scene.folder.amend("channels/kenh.yaml", TEST_CHANNEL);
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T05:29"), 60.0)).await;
        daemon.reach("2024-03-25T05:31").await;
        daemon.stop().await;
        assert_eq!(heard(&scene, "10.0.0.9", Effect::Heard), [""; 0], "no schedule reaches it");
        assert_eq!(send(&scene, "hai", "channel:loa-thu", &[]).code, 2, "nor does anything real");
        assert_eq!(send(&scene, "hai", "channel:loa-hb-1", &["--test"]).code, 2, "nor a test anything else");
        let said = send(&scene, "hai", "all", &["--test"]);
        let due = due(&said);
        let json = said.json();
        assert_eq!(json["deliveries"].as_array().unwrap().len(), 1, "{json}");
        assert!(json["schedule"].as_str().unwrap().starts_with("send.test."), "{json}");
        let daemon = scene.start_with(Clock::simulated(due, 60.0)).await;
        daemon.wait(|rows| rows.iter().any(|row| row.due == due && row.state == State::Accepted)).await;
        daemon.stop().await;
        assert_eq!(
            heard(&scene, "10.0.0.9", Effect::Heard),
            ["Đây là phát thử. Thưa bà con phường Hưng Bình. lời thứ hai."]
        );
        let rows = scene.log().await;
        let row = rows.iter().find(|row| row.channel.as_str() == "loa-thu").unwrap();
        assert_eq!(row.length, None, "nobody's airtime");

        // Somebody takes the mark away while a test is on its way: it goes nowhere.
        let clock = Clock::manual(due + Duration::from_mins(2));
        let daemon = scene.start_with(clock.clone()).await;
        let said = send(&scene, "hai", "all", &["--test"]);
        let again = self::due(&said);
        scene.folder.edit("channels/kenh.yaml", "    test: true\n", "");
        daemon.reloader.reload(&daemon.shared).await;
        clock.advance(Duration::from_secs(3));
        daemon.wait(|rows| rows.iter().any(|row| row.due == again && row.state == State::Failed)).await;
        daemon.stop().await;
        let rows = scene.log().await;
        let row = rows.iter().find(|row| row.due == again && row.channel.as_str() == "loa-thu").unwrap();
        assert_eq!(row.reason, Some(Reason::TestOnly));
        assert_eq!(heard(&scene, "10.0.0.9", Effect::Heard).len(), 1);
        scene.check().await;
    }
}
