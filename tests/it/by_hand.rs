//! What is sent by hand keeps to what people hear: nothing over something else, no more than the rules allow, and what gives way does so
//! for a stated reason.

use std::time::Duration;

use loa::{
    clock::Clock,
    domain::{
        delivery::{Reason, State},
        time::Timestamp,
    },
    simulator::Fault,
    store::row::DeliveryRow,
};

use crate::support::{
    city::{Scene, at, fault},
    cli::{Said, loa},
    on_both_databases,
    workspace::bulletin,
};

const MOT: &str = "content/bulletins/mot.yaml";
const HAI: &str = "content/bulletins/hai.yaml";
const LICH: &str = "schedules/lich.yaml";

fn says(scene: &Scene, arguments: &[&str]) -> Said {
    let world = ["--simulate", "--database", &scene.database];
    loa(&scene.folder.path(), &[arguments, &world].concat())
}

fn send(scene: &Scene, to: &str, more: &[&str]) -> Said {
    let base = [
        "send",
        "hai",
        "--to",
        to,
        "--by",
        "Lan",
        "--reason",
        "có kẻ giả danh",
    ];
    says(scene, &[&base, more].concat())
}

/// A bulletin that lasts for minutes.
fn lengthen(scene: &Scene, path: &str) {
    let long = "Bà con nghe rõ rồi làm theo nhé. ".repeat(120);
    scene.folder.edit(
        path,
        "Thưa bà con {{ ward.name }}.",
        &format!("Thưa bà con {{{{ ward.name }}}}. {long}"),
    );
}

/// Runs from one instant to another.
async fn run(scene: &Scene, from: Timestamp, until: &str) {
    // A fast clock runs on a little before it is stopped.
    let is_long = at(until).since(from) > Duration::from_hours(1);
    let speed = if is_long { 20_000.0 } else { 240.0 };
    let daemon = scene.start_with(Clock::simulated(from, speed)).await;
    daemon.reach(until).await;
    daemon.stop().await;
}

/// When something was heard, or is expected to be.
fn span(row: &DeliveryRow) -> (Timestamp, Timestamp) {
    let from = row.accepted_at.unwrap_or(row.due);
    (from, from + row.length.unwrap())
}

/// No two broadcasts in two wards that hear each other are heard at once, except one occurrence that is a chorus.
fn apart(rows: &[DeliveryRow]) {
    let heard: Vec<&DeliveryRow> = rows
        .iter()
        .filter(|row| row.state == State::Accepted && row.length.is_some())
        .collect();
    for one in &heard {
        for other in &heard {
            let is_chorus = one.schedule == other.schedule && one.scheduled == other.scheduled;
            if is_chorus || one.id == other.id {
                continue;
            }
            let ((from, until), (begins, ends)) = (span(one), span(other));
            assert!(until <= begins || ends <= from, "{one:?}\n{other:?}");
        }
    }
}

fn by_hand(rows: &[DeliveryRow]) -> Vec<&DeliveryRow> {
    rows.iter()
        .filter(|row| row.schedule.is_by_hand())
        .collect()
}

on_both_databases! {
    async fn it_waits_for_what_is_heard_also_next_door(scene: Scene) {
        lengthen(&scene, MOT);
        scene.folder.edit(LICH, "bulletins: { only: [mot] }\n    to: { kind: loudspeaker }", "bulletins: { only: [mot] }\n    to: { kind: loudspeaker, wards: [hung-binh] }");
        run(&scene, at("2024-03-25T05:29"), "2024-03-25T05:31").await;
        let playing = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert!(playing.length.is_some_and(|length| length > Duration::from_mins(4)), "{playing:?}");
        let (_, over) = span(&playing);

        let said = send(&scene, "kind:loudspeaker", &["--within", "2m"]);
        assert_eq!(said.code, 2, "{said:?}");
        for words in ["phường Hưng Bình", "phường Lê Lợi", "phát “Cảnh giác lời thứ nhất”", "Giờ gần nhất được phát: 25/03/2024 05:3"] {
            assert!(said.err.contains(words), "{words}: {said:?}");
        }
        let before = scene.log().await.len();
        let said = send(&scene, "ward:le-loi,kind:loudspeaker", &["--dry-run"]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.contains("chưa gửi gì") && said.out.contains("Phát lúc 05:3"), "{said:?}");
        assert_eq!(scene.log().await.len(), before, "a look writes nothing");

        let said = send(&scene, "kind:loudspeaker", &["--format", "json"]).json();
        let sent = said["sent"].as_array().unwrap();
        assert_eq!(sent.len(), 3, "{said}");
        for one in sent {
            let due = Timestamp::parse_rfc3339(one["due"].as_str().unwrap()).unwrap();
            assert!(over <= due && due < over + Duration::from_secs(30), "{one}");
            assert_eq!(one["waits"]["reason"], "collision", "{one}");
        }
        run(&scene, at("2024-03-25T05:31"), "2024-03-25T05:50").await;
        let rows = scene.log().await;
        assert!(by_hand(&rows).iter().all(|row| row.state == State::Accepted), "{rows:?}");
        assert_eq!(by_hand(&rows).len(), 3);
        apart(&rows);
        scene.check().await;
    }

    async fn it_counts_for_the_rules_and_the_rules_count_for_it(scene: Scene) {
        scene.folder.edit(LICH, "at: [\"05:30\"]", "at: [\"05:30\", \"17:00\"]");
        scene.folder.write(
            "schedules/policy.yaml",
            "rules:\n  hai-phien:\n    name: Hai phiên một ngày\n    source: { document: QĐ 12/QĐ-UBND, date: 2024-03-01 }\n    sessions: { per_day: 2 }\n",
        );
        run(&scene, at("2024-03-25T05:29"), "2024-03-25T10:00").await;
        let said = send(&scene, "kind:loudspeaker", &[]);
        assert_eq!(said.code, 2, "{said:?}");
        for words in ["Hai phiên một ngày", "QĐ 12/QĐ-UBND", "Giờ gần nhất được phát"] {
            assert!(said.err.contains(words), "{words}: {said:?}");
        }
        // What is more urgent goes before what is planned for the evening.
        let uses_up = "Dùng hết phần mà quy định cho phép: “Cảnh giác lời thứ nhất” lúc 17:00:00 ở phường Hưng Bình sẽ không được phát. “Hai phiên một ngày” chỉ cho phép 2 phiên";
        let urgent = ["--priority", "priority"];
        let look = send(&scene, "ward:hung-binh,kind:loudspeaker", &[&urgent[..], &["--dry-run"]].concat());
        assert_eq!(look.out.matches(uses_up).count(), 1, "{look:?}");
        assert_eq!(look.out.matches("Dùng hết").count(), 1, "{look:?}");
        let json = send(&scene, "ward:hung-binh,kind:loudspeaker", &[&urgent[..], &["--dry-run", "--format", "json"]].concat()).json();
        let lost: Vec<_> = json["uses_up"].as_array().unwrap().iter().map(|one| one["channel"].as_str().unwrap()).collect();
        assert_eq!(lost, ["loa-hb-1", "loa-hb-2"], "{json}");
        let said = send(&scene, "ward:hung-binh,kind:loudspeaker", &urgent);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.contains("Phát ngay ở phường Hưng Bình") && said.out.contains(uses_up), "{said:?}");
        // A second one finds both sessions used up by what is at least as urgent or was heard.
        run(&scene, at("2024-03-25T10:00"), "2024-03-25T11:00").await;
        let said = send(&scene, "ward:hung-binh,kind:loudspeaker", &["--priority", "priority"]);
        assert_eq!(said.code, 2, "{said:?}");
        run(&scene, at("2024-03-25T11:00"), "2024-03-25T17:30").await;
        let rows = scene.log().await;
        assert!(by_hand(&rows).iter().all(|row| row.state == State::Accepted), "{rows:?}");
        for channel in ["loa-hb-1", "loa-hb-2"] {
            let row = scene.row(channel, "2024-03-25T17:00").await;
            assert_eq!((row.state, row.reason), (State::Skipped, Some(Reason::Policy)), "{row:?}");
            let detail = row.detail.unwrap();
            assert!(detail.contains("too-many-sessions") && detail.contains("rule=Hai phiên một ngày") && detail.contains("QĐ 12/QĐ-UBND"), "{detail}");
        }
        let elsewhere = scene.row("loa-ll-1", "2024-03-25T17:00").await;
        assert_eq!(elsewhere.state, State::Accepted, "{elsewhere:?}");
        scene.check().await;
    }

    async fn what_is_less_urgent_gives_way_as_its_schedule_lets_it(scene: Scene) {
        lengthen(&scene, HAI);
        let soft = "    start: { soft: { max_wait: 15m } }\n    missed: skip";
        scene.folder.edit(LICH, "    missed: skip", soft);
        let hard = "  hai-gio-sang:\n    when: { at: [\"05:38\"], days: [mon] }\n    bulletins: { only: [mot] }\n    to: { kind: loudspeaker, wards: [le-loi] }\n    start: hard\n    missed: skip\n";
        scene.folder.amend(LICH, hard);
        scene.folder.amend("loa.yaml", "watchdog: { after: 90s }\n");
        run(&scene, at("2024-03-25T05:20"), "2024-03-25T05:29").await;
        assert_eq!(scene.row("loa-hb-1", "2024-03-25T05:30").await.state, State::Ready);
        let said = send(&scene, "ward:hung-binh,kind:loudspeaker", &["--priority", "priority"]);
        assert_eq!(said.code, 0, "{said:?}");
        for words in ["Phát ngay ở phường Hưng Bình", "Nhường: “Cảnh giác lời thứ nhất” lúc 05:30:00 trên Cụm loa 1 Hưng Bình, Cụm loa 1 Lê Lợi, Cụm loa 2 Hưng Bình"] {
            assert!(said.out.contains(words), "{words}: {said:?}");
        }
        assert!(!said.out.contains("Dùng hết"), "no rule counts here: {said:?}");
        run(&scene, at("2024-03-25T05:29"), "2024-03-25T05:34").await;
        // And while the first is waiting, another one where nothing may wait.
        let said = send(&scene, "ward:le-loi,kind:loudspeaker", &["--priority", "priority"]);
        assert_eq!(said.code, 0, "{said:?}");
        run(&scene, at("2024-03-25T05:34"), "2024-03-25T05:59").await;
        let rows = scene.log().await;
        apart(&rows);
        let store = scene.store().await;
        for row in rows.iter().filter(|row| row.schedule.as_str() == "loa-sang" && row.due < at("2024-03-25T07:00")) {
            assert_eq!(row.state, State::Accepted, "{row:?}");
            assert!(row.due > row.scheduled && row.due <= row.scheduled + Duration::from_mins(15), "{row:?}");
            let lines = store.journal_rows(Some(&row.id), 100).await.unwrap();
            let moved = lines.iter().find(|line| line.event == "moved").unwrap();
            assert!(moved.detail.contains("collision with=Cảnh giác lời thứ hai"), "{moved:?}");
        }
        let fixed = rows.iter().find(|row| row.schedule.as_str() == "hai-gio-sang").unwrap();
        assert_eq!((fixed.state, fixed.reason), (State::Skipped, Some(Reason::Collision)), "{fixed:?}");
        let journal = store.journal_rows(None, 1_000).await.unwrap();
        assert!(journal.iter().all(|line| line.event != "silence"), "what gave way is no silence");
        let verified = says(&scene, &["verify"]);
        assert_eq!(verified.code, 0, "{verified:?}");
        scene.check().await;
    }

    async fn the_refusal_names_what_decides(scene: Scene) {
        lengthen(&scene, MOT);
        lengthen(&scene, HAI);
        scene.folder.edit(LICH, "at: [\"05:30\"]", "at: [\"05:30\", \"16:00\"]");
        scene.folder.write(
            "schedules/policy.yaml",
            "rules:\n  gio:\n    name: Giờ loa\n    source: { document: QĐ 7, date: 2024-03-01 }\n    windows: [{ days: [mon], from: \"05:00\", until: \"05:37\" }, { days: [mon], from: \"16:00\", until: \"18:00\" }]\n    exempt: [emergency]\n",
        );
        run(&scene, at("2024-03-25T05:29"), "2024-03-25T05:31").await;
        // What plays would be over in time; the hours would not begin again in time.
        let said = send(&scene, "ward:hung-binh,kind:loudspeaker", &["--within", "30m"]);
        assert_eq!(said.code, 2, "{said:?}");
        let (why, next) = said.err.split_once("Giờ gần nhất được phát: 25/03/2024 16:0").expect(&said.err);
        assert!(why.contains("Giờ loa") && why.contains("QĐ 7") && !why.contains("đang phát"), "{said:?}");
        // And what is in the way when they do.
        assert!(next.contains("đến lúc đó còn: ") && next.contains("phát “Cảnh giác lời thứ nhất”"), "{said:?}");
    }

    async fn a_correction_is_heard_over_nothing_and_counts(scene: Scene) {
        lengthen(&scene, HAI);
        scene.folder.edit(LICH, "    to: { kind: loudspeaker }", "    to: { kind: loudspeaker, wards: [hung-binh] }");
        scene.folder.amend(
            LICH,
            "  loa-le-loi:\n    when: { at: [\"05:31\"] }\n    bulletins: { only: [hai] }\n    to: { channels: [loa-ll-1] }\n    missed: skip\n  loa-sau:\n    when: { at: [\"05:36\"] }\n    bulletins: { only: [hai] }\n    to: { channels: [loa-hb-1] }\n    missed: skip\n",
        );
        scene.folder.edit(MOT, "contacts: [cong-an]", "editors: [Lan]\ncontacts: [cong-an]");
        run(&scene, at("2024-03-25T05:29"), "2024-03-25T05:32").await;
        let next_door = scene.row("loa-ll-1", "2024-03-25T05:31").await;
        assert_eq!(next_door.state, State::Accepted);
        let (_, over) = span(&next_door);
        let said = says(&scene, &["retract", "mot", "--by", "Lan", "--reason", "sai"]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.contains("bà con đang nghe lượt khác trên loa; đính chính lúc 25/03/2024 05:3"), "{said:?}");
        let rows = scene.log().await;
        let corrections: Vec<_> = by_hand(&rows).into_iter().filter(|row| row.length.is_some()).collect();
        assert_eq!(corrections.len(), 2);
        for one in &corrections {
            assert!(over <= one.due && one.due < over + Duration::from_secs(30), "{one:?}");
        }
        run(&scene, at("2024-03-25T05:32"), "2024-03-25T05:50").await;
        let rows = scene.log().await;
        let corrections = by_hand(&rows).into_iter().filter(|row| row.length.is_some());
        assert!(corrections.clone().all(|row| row.state == State::Accepted), "{rows:?}");
        assert_eq!(corrections.count(), 2);
        let behind = rows.iter().find(|row| row.schedule.as_str() == "loa-sau" && row.scheduled == at("2024-03-25T05:36"));
        assert!(behind.is_some_and(|row| row.state == State::Accepted), "{behind:?}");
        apart(&rows);
        scene.check().await;
    }

    async fn a_session_gives_way_as_a_whole(scene: Scene) {
        lengthen(&scene, HAI);
        scene.folder.write("content/bulletins/ba.yaml", &bulletin("lời thứ ba"));
        let session = |start: &str| format!(
            "schedules:\n  ban-tin:\n    when: {{ at: [\"05:30\"] }}\n    bulletins: {{ session: {{ parts: [{{ only: mot }}, {{ only: ba }}, {{ only: mot }}], gap: 4s }} }}\n    to: {{ channels: [loa-hb-1] }}\n    start: {start}\n    missed: skip\n  sau-do:\n    when: {{ at: [\"05:36\"] }}\n    bulletins: {{ session: {{ parts: [{{ only: ba }}, {{ only: mot }}], gap: 30s }} }}\n    to: {{ channels: [loa-hb-1] }}\n    start: hard\n    missed: skip\n"
        );
        scene.folder.write(LICH, &session("{ soft: { max_wait: 10m } }"));
        let parts = async |schedule: &str, day: &str| {
            let mut rows = scene.log().await;
            rows.retain(|row| row.schedule.as_str() == schedule && row.scheduled == at(day));
            rows.sort_by_key(|row| row.part);
            rows
        };
        run(&scene, at("2024-03-25T05:20"), "2024-03-25T05:29").await;
        let before = parts("ban-tin", "2024-03-25T05:30").await;
        assert!(before.len() == 3 && before.iter().all(|row| row.state == State::Ready), "{before:?}");
        // Four minutes, over the first session.
        let said = send(&scene, "channel:loa-hb-1", &["--priority", "priority"]);
        assert_eq!(said.code, 0, "{said:?}");
        run(&scene, at("2024-03-25T05:29"), "2024-03-25T05:35").await;
        let rows = scene.log().await;
        let (_, over) = span(by_hand(&rows)[0]);
        let after = parts("ban-tin", "2024-03-25T05:30").await;
        assert!(after.iter().all(|row| row.state == State::Accepted && row.due >= over), "{after:?}");
        let apart_by = |rows: &[DeliveryRow]| rows.windows(2).map(|two| two[1].due.since(two[0].due)).collect::<Vec<_>>();
        assert_eq!(apart_by(&after), apart_by(&before), "as far apart as they were");
        assert_eq!(scene.store().await.journal_of("moved", 50).await.unwrap().len(), 3);
        // One that must begin on time cannot move: what is sent stands between its parts, and the end of it is left out.
        let said = send(&scene, "channel:loa-hb-1", &["--priority", "priority", "--within", "5m"]);
        assert_eq!(said.code, 0, "{said:?}");
        run(&scene, at("2024-03-25T05:35"), "2024-03-25T05:50").await;
        let hard = parts("sau-do", "2024-03-25T05:36").await;
        assert!(hard.iter().all(|row| (row.state, row.reason) == (State::Skipped, Some(Reason::Collision))), "{hard:?}");
        apart(&scene.log().await);
        scene.check().await;
    }

    async fn a_broadcast_that_is_tried_again_is_not_heard_over_it(scene: Scene) {
        lengthen(&scene, MOT);
        let busy = Fault::Status { code: 503, retry_after: None, body: None };
        scene.fault(fault("10.0.0.3", busy, 100)).await;
        let daemon = scene.start_with(Clock::simulated(at("2024-03-25T05:29"), 60.0)).await;
        daemon.wait(|rows| rows.iter().any(|row| row.channel.as_str() == "loa-ll-1" && row.attempts > 1)).await;
        daemon.stop().await;
        let said = send(&scene, "kind:loudspeaker", &["--format", "json"]).json();
        let now = Timestamp::parse_rfc3339(said["due"].as_str().unwrap()).unwrap();
        let first = said["sent"].as_array().unwrap().iter().map(|one| Timestamp::parse_rfc3339(one["due"].as_str().unwrap()).unwrap()).min().unwrap();
        run(&scene, now, "2024-03-25T05:50").await;
        let rows = scene.log().await;
        let is_tried = |row: &&DeliveryRow| row.channel.as_str() == "loa-ll-1" && row.scheduled == at("2024-03-25T05:30");
        let tried = rows.iter().find(is_tried).unwrap();
        assert_eq!(tried.state, State::Failed, "{tried:?}");
        let last = first - tried.length.unwrap();
        // What was refused there as well was not heard, and has another place by now.
        let heard = by_hand(&rows).into_iter().filter(|row| row.state == State::Accepted);
        let over = heard.map(|row| span(row).1).max().unwrap();
        let attempts = scene.store().await.attempts(&tried.id).await.unwrap();
        for attempt in &attempts {
            assert!(attempt.started <= last.max(now + Duration::from_secs(2)) || attempt.started >= over, "{attempt:?} {last} {over}");
        }
        assert!(attempts.iter().any(|attempt| attempt.started >= over), "and goes on after it: {attempts:?}");
        apart(&scene.log().await);
        scene.check().await;
    }

    async fn an_edit_does_not_undo_what_a_send_has_settled(scene: Scene) {
        lengthen(&scene, HAI);
        let busy = Fault::Status { code: 503, retry_after: None, body: None };
        scene.fault(fault("10.0.0.3", busy, 100)).await;
        // No time for another try is left when it is over.
        scene.folder.edit(LICH, "deadline: 10m", "deadline: 4m");
        run(&scene, at("2024-03-25T05:20"), "2024-03-25T05:29").await;
        // It waits for what is planned, which has to be over before it on every loudspeaker.
        let said = send(&scene, "ward:hung-binh,kind:loudspeaker", &["--format", "json"]).json();
        let first = Timestamp::parse_rfc3339(said["sent"][0]["due"].as_str().unwrap()).unwrap();
        assert!(first > at("2024-03-25T05:30"), "{said}");
        let drawn_in = scene.row("loa-ll-1", "2024-03-25T05:30").await;
        assert!(drawn_in.deadline < first, "{drawn_in:?}");
        scene.folder.edit(LICH, "deadline: 4m", "deadline: 3m");
        scene.folder.edit(MOT, "Thưa bà con", "Kính thưa bà con");
        run(&scene, at("2024-03-25T05:29"), "2024-03-25T05:50").await;
        let tried = scene.row("loa-ll-1", "2024-03-25T05:30").await;
        assert!(tried.content_hash.is_some() && tried.content_hash != drawn_in.content_hash, "the edit is in force");
        let over = |row: &DeliveryRow| row.limit.as_ref().map(|limit| limit.over);
        assert_eq!((tried.state, over(&tried)), (State::Failed, over(&drawn_in)), "{tried:?}");
        assert!(tried.is_cut_off(), "{tried:?}");
        apart(&scene.log().await);
        scene.check().await;
    }

    async fn an_edit_leaves_what_gave_way_where_it_is(scene: Scene) {
        lengthen(&scene, HAI);
        scene.folder.edit(LICH, "    missed: skip", "    start: { soft: { max_wait: 15m } }\n    missed: skip");
        run(&scene, at("2024-03-25T05:20"), "2024-03-25T05:29").await;
        let said = send(&scene, "ward:hung-binh,kind:loudspeaker", &["--priority", "priority"]);
        assert_eq!(said.code, 0, "{said:?}");
        run(&scene, at("2024-03-25T05:29"), "2024-03-25T05:31").await;
        let named = async |channel: &str| {
            let mut rows = scene.log().await;
            rows.retain(|row| row.channel.as_str() == channel && row.scheduled == at("2024-03-25T05:30"));
            rows.remove(0)
        };
        let moved = named("loa-hb-1").await;
        assert!(moved.due > at("2024-03-25T05:32"), "{moved:?}");
        // Its own time is over by now. What the edit says of it holds where it stands.
        scene.folder.edit(MOT, "Thưa bà con", "Kính thưa bà con");
        run(&scene, at("2024-03-25T05:31"), "2024-03-25T05:50").await;
        for channel in ["loa-hb-1", "loa-hb-2", "loa-ll-1"] {
            let row = named(channel).await;
            assert_eq!((row.state, row.due), (State::Accepted, moved.due), "{row:?}");
            let words = scene.store().await.contents(&[row.content_hash.unwrap()]).await.unwrap();
            assert!(words[0].1.text.contains("Kính thưa bà con"), "{words:?}");
        }
        apart(&scene.log().await);
        scene.check().await;
    }
}
