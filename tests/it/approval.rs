//! Attacks on approval, with the program as people use it and whole daemons on both databases: nothing airs that somebody
//! entitled has not approved word for word, and what was wrong is taken back everywhere.

mod pictures;
mod rules;
mod taken_back;

use std::time::Duration;

use loa::{
    clock::Clock,
    domain::delivery::{Reason, State},
    simulator::{Effect, Heard, HeardFilter},
};
use serde_json::Value;

use crate::support::{
    city::{Running, Scene, at, count},
    cli::{Said, loa},
    on_both_databases,
    workspace::Folder,
};

const MAI: &str = "Trần Thị Mai";
const HOA: &str = "Nguyễn Văn Hòa";
const MOT: &str = "content/bulletins/mot.yaml";
const SCHEDULES: [&str; 3] = ["loa-sang", "trang-tin", "oa"];
const OLD_WORDS: &str = "Thưa bà con phường Hưng Bình. lời thứ nhất.";

/// The program, on the database of a scene.
struct Desk<'a> {
    folder: &'a Folder,
    database: &'a str,
}

impl Desk<'_> {
    fn says(&self, arguments: &[&str]) -> Said {
        let world = ["--simulate", "--database", self.database];
        loa(&self.folder.path(), &[arguments, &world].concat())
    }

    /// The version that somebody reads now.
    fn hash(&self, id: &str) -> String {
        let said = self.says(&["diff", id, "--format", "json"]).json();
        said["version"].as_str().unwrap().to_owned()
    }

    fn approve(&self, id: &str, by: &str) -> Said {
        self.says(&["approve", id, "--by", by, "--hash", &self.hash(id)[..12]])
    }

    fn approve_all(&self) {
        for id in ["mot", "hai"].iter().chain(&SCHEDULES) {
            let said = self.approve(id, MAI);
            assert_eq!(said.code, 0, "{said:?}");
        }
    }

    fn status(&self, id: &str) -> Value {
        let said = self.says(&["status", id, "--format", "json"]).json();
        said[0].clone()
    }

    fn state(&self, id: &str) -> String {
        self.status(id)["state"].as_str().unwrap().to_owned()
    }
}

fn desk(scene: &Scene) -> Desk<'_> {
    Desk {
        folder: &scene.folder,
        database: &scene.database,
    }
}

fn heard(scene: &Scene, host: &str, effect: Effect) -> Vec<Heard> {
    scene.city.heard(&HeardFilter {
        host: Some(host.to_owned()),
        effect: Some(effect),
        ..HeardFilter::default()
    })
}

/// What the loudspeaker `10.0.0.1` said last.
fn words(scene: &Scene) -> Option<String> {
    heard(scene, "10.0.0.1", Effect::Heard).pop()?.text
}

/// A daemon at 05:20 whose clock stands still, on a workspace that wants approval.
async fn morning(scene: &Scene, approved: bool) -> (Running, Clock) {
    scene.folder.wants_approval();
    if approved {
        // The database is made by whoever comes first.
        desk(scene).approve_all();
    }
    let clock = Clock::manual(at("2024-03-25T05:20"));
    (scene.start_with(clock.clone()).await, clock)
}

/// Time enough for the daemon to look at the database again.
fn look_again(clock: &Clock) {
    clock.advance(Duration::from_secs(3));
}

fn skipped(rows: &[loa::store::row::DeliveryRow]) -> usize {
    rows.iter()
        .filter(|row| row.reason == Some(Reason::Unapproved))
        .count()
}

on_both_databases! {
    async fn nothing_airs_before_both_words_and_schedule_are_approved(scene: Scene) {
        let (daemon, clock) = morning(&scene, false).await;
        daemon.wait(|rows| skipped(rows) == 3).await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!(row.state, State::Skipped);
        let why = row.detail.unwrap();
        assert!(why.contains("bản tin `mot`") && why.contains("chưa được duyệt"), "{why}");

        let desk = desk(&scene);
        assert_eq!(desk.says(&["status"]).code, 1);
        // What is copied from there works on the same record.
        let read = desk.says(&["diff", "mot"]).out;
        assert!(read.trim_end().ends_with(&format!("--hash {} --simulate", &desk.hash("mot")[..12])), "{read}");
        assert_eq!(desk.approve("mot", MAI).code, 0);
        look_again(&clock);
        daemon.wait(|rows| rows.iter().any(|row| row.detail.as_deref().is_some_and(|why| why.contains("lịch phát `loa-sang`")))).await;
        assert_eq!(desk.approve("loa-sang", MAI).code, 0);
        look_again(&clock);
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        clock.advance(Duration::from_mins(11));
        daemon.wait(|rows| count(rows, State::Accepted) == 3).await;
        daemon.stop().await;
        assert_eq!(words(&scene).as_deref(), Some(OLD_WORDS));
        scene.check().await;
    }

    async fn another_recording_is_shown_to_whoever_approves(scene: Scene) {
        const FILE: &str = "content/recordings/loi.wav";
        scene.folder.wants_approval();
        let words = std::fs::read_to_string(scene.folder.path().join(MOT)).unwrap();
        let hum: Vec<f32> = (0..48_000_u16).map(|n| 0.3 * (f32::from(n) * 0.1).sin()).collect();
        let mut sound = loa::audio::wav::encode(&hum);
        scene.folder.write_bytes(FILE, &sound);
        scene.folder.write(MOT, &format!("{words}recording: loi.wav\n"));
        let desk = desk(&scene);
        let read = desk.says(&["diff", "mot"]).out;
        let command = "loa preview mot --ward hung-binh --speak nghe-thu.wav --simulate";
        assert!(read.contains("loi.wav (") && read.contains(command), "{read}");
        assert_eq!(desk.approve("mot", MAI).code, 0);
        assert_eq!(desk.state("mot"), "approved");

        // One bit of one sample, which no text tells of.
        let last = sound.len() - 2;
        sound[last] ^= 1;
        scene.folder.write_bytes(FILE, &sound);
        assert_eq!(desk.state("mot"), "waiting");
        let said = desk.says(&["diff", "mot", "--format", "json"]).json();
        assert_eq!(said["words"].as_array().unwrap().len(), 0);
        assert_eq!(said["sources"][0]["part"], "recording");
        assert_eq!(said["sources"].as_array().unwrap().len(), 1, "{said}");
        let hash = said["recording"]["hash"].as_str().unwrap();
        assert_eq!(hash, blake3::hash(&sound).to_hex().as_str());
        let read = desk.says(&["diff", "mot"]).out;
        assert!(read.contains(&format!("+ loi.wav ({})", &hash[..12])), "{read}");
        assert!(!read.contains("Không có thay đổi nào"), "{read}");
    }

    async fn the_last_approved_words_air_while_an_edit_waits(scene: Scene) {
        let (daemon, clock) = morning(&scene, true).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        let seen = desk(&scene).hash("mot");
        // Edited behind the approver's back, and made urgent on top of it.
        scene.folder.edit(MOT, "lời thứ nhất", "hãy gọi số lạ");
        scene.folder.edit(MOT, "priority: normal", "priority: emergency");
        daemon.reloader.reload(&daemon.shared).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        // The stale tab: the words that were seen are not these.
        let stale = desk(&scene).says(&["approve", "mot", "--by", HOA, "--hash", &seen]);
        assert_eq!(stale.code, 2, "{stale:?}");
        assert!(stale.err.contains("đã thay đổi"), "{stale:?}");
        clock.advance(Duration::from_mins(11));
        daemon.wait(|rows| count(rows, State::Accepted) == 3).await;
        daemon.stop().await;
        assert_eq!(words(&scene).as_deref(), Some(OLD_WORDS));
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert_eq!(row.priority, loa::domain::bulletin::Priority::Normal, "nor is it more urgent than approved");
        scene.check().await;
    }

    async fn another_reading_is_not_heard_before_it_is_approved(scene: Scene) {
        scene.folder.write("content/speech.yaml", "abbreviations: { TTVH: trung tâm văn hóa }\n");
        scene.folder.edit(MOT, "Thưa bà con", "TTVH thưa bà con");
        let (daemon, clock) = morning(&scene, true).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        // Not a letter of the bulletin changes, only how it is read.
        scene.folder.edit("content/speech.yaml", "trung tâm văn hóa", "nhà văn hóa");
        daemon.reloader.reload(&daemon.shared).await;
        assert_eq!(desk(&scene).state("mot"), "waiting");
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        clock.advance(Duration::from_mins(11));
        daemon.wait(|rows| count(rows, State::Accepted) == 3).await;
        daemon.stop().await;
        assert_eq!(words(&scene).as_deref(), Some("trung tâm văn hóa thưa bà con phường Hưng Bình. lời thứ nhất."));
        scene.check().await;
    }

    async fn an_edit_after_approval_airs_nothing_where_the_rule_is_to_skip(scene: Scene) {
        let (daemon, clock) = {
            scene.folder.wants_approval();
            scene.folder.edit("loa.yaml", "unapproved: last-approved", "unapproved: skip");
            desk(&scene).approve_all();
            let clock = Clock::manual(at("2024-03-25T05:20"));
            (scene.start_with(clock.clone()).await, clock)
        };
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        scene.folder.edit(MOT, "lời thứ nhất", "lời đã sửa");
        daemon.reloader.reload(&daemon.shared).await;
        daemon.wait(|rows| skipped(rows) == 3).await;
        // Going back to the approved words is enough: they are in force.
        scene.folder.edit(MOT, "lời đã sửa", "lời thứ nhất");
        daemon.reloader.reload(&daemon.shared).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        scene.folder.edit(MOT, "lời thứ nhất", "lời đã sửa");
        daemon.reloader.reload(&daemon.shared).await;
        daemon.wait(|rows| skipped(rows) == 3).await;
        assert_eq!(desk(&scene).approve("mot", HOA).code, 0);
        look_again(&clock);
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        clock.advance(Duration::from_mins(11));
        daemon.wait(|rows| count(rows, State::Accepted) == 3).await;
        daemon.stop().await;
        assert_eq!(words(&scene).as_deref(), Some("Thưa bà con phường Hưng Bình. lời đã sửa."));
        scene.check().await;
    }

    async fn what_is_returned_after_it_was_frozen_does_not_air(scene: Scene) {
        let (daemon, clock) = morning(&scene, true).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        let desk = desk(&scene);
        let without_reason = desk.says(&["return", "mot", "--by", HOA]);
        assert_eq!(without_reason.code, 2);
        assert!(without_reason.err.contains("lý do"), "{without_reason:?}");
        let said = desk.says(&["return", "mot", "--by", HOA, "--reason", "sai tên cơ quan"]);
        assert_eq!(said.code, 0, "{said:?}");
        // At the next moment it is due.
        clock.advance(Duration::from_mins(11));
        daemon.wait(|rows| rows.iter().filter(|row| row.due == at("2024-03-25T05:30")).all(|row| row.state == State::Skipped)).await;
        daemon.stop().await;
        assert_eq!(words(&scene), None);
        let status = desk.status("mot");
        assert_eq!((status["state"].as_str(), status["last"]["remark"].as_str()), (Some("returned"), Some("sai tên cơ quan")));
        scene.check().await;
    }

    async fn a_schedule_that_is_sent_elsewhere_reaches_nothing_new(scene: Scene) {
        scene.folder.wants_approval();
        scene.folder.edit("schedules/lich.yaml", "to: { kind: loudspeaker }", "to: { kind: loudspeaker, wards: [hung-binh] }");
        desk(&scene).approve_all();
        let clock = Clock::manual(at("2024-03-25T05:20"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| count(rows, State::Ready) == 2).await;
        scene.folder.edit("schedules/lich.yaml", "to: { kind: loudspeaker, wards: [hung-binh] }", "to: { kind: loudspeaker }");
        daemon.reloader.reload(&daemon.shared).await;
        daemon.wait(|rows| count(rows, State::Ready) == 2 && skipped(rows) == 1).await;
        let row = scene.row("loa-ll-1", "2024-03-25T05:30").await;
        assert!(row.detail.unwrap().contains("không có lượt này trên kênh này"));
        // The same channel at another address is another target.
        scene.folder.edit("channels/kenh.yaml", "http://10.0.0.2", "http://10.0.0.9");
        daemon.reloader.reload(&daemon.shared).await;
        daemon.wait(|rows| count(rows, State::Ready) == 1 && skipped(rows) == 2).await;
        clock.advance(Duration::from_mins(11));
        daemon.wait(|rows| count(rows, State::Accepted) == 1).await;
        daemon.stop().await;
        assert_eq!(heard(&scene, "10.0.0.1", Effect::Heard).len(), 1);
        for silent in ["10.0.0.2", "10.0.0.3", "10.0.0.9"] {
            assert_eq!(heard(&scene, silent, Effect::Heard), [], "{silent}");
        }
        scene.check().await;
    }

    async fn a_withdrawn_contact_is_not_aired_because_it_once_was_approved(scene: Scene) {
        let (daemon, clock) = morning(&scene, true).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        // Whoever withdraws it takes it out of the bulletins too; those await approval, so the words of before would air.
        for bulletin in [MOT, "content/bulletins/hai.yaml"] {
            scene.folder.edit(bulletin, "contacts: [cong-an]\n", "");
        }
        scene.folder.edit("content/contacts.yaml", ", verified_on: 2024-03, verified_by: \"Công văn\", expires: 2030-12", "");
        daemon.reloader.reload(&daemon.shared).await;
        daemon.wait(|rows| skipped(rows) == 3).await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        assert!(row.detail.unwrap().contains("`cong-an`"));
        clock.advance(Duration::from_mins(11));
        daemon.stop().await;
        assert_eq!(words(&scene), None);
        scene.check().await;
    }

    async fn status_names_what_is_held_for_a_contact_and_says_what_to_do(scene: Scene) {
        let (daemon, clock) = morning(&scene, false).await;
        daemon.wait(|rows| skipped(rows) == 3).await;
        desk(&scene).approve_all();
        look_again(&clock);
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        // The office gets another name while another file is broken: the files in force stay, and may not name it any more.
        scene.folder.edit("content/contacts.yaml", "name: Công an thành phố Vinh", "name: Công an phường");
        scene.folder.edit("content/bulletins/hai.yaml", "title:", "titel:");
        daemon.reloader.reload(&daemon.shared).await;
        assert!(daemon.reloader.refused.borrow().is_some());
        clock.advance(Duration::from_mins(11));
        let is_held = |row: &&loa::store::row::DeliveryRow| row.state == State::Ready && row.reason == Some(Reason::Contact);
        daemon.wait(|rows| rows.iter().filter(is_held).count() == 3).await;
        scene.folder.edit("content/bulletins/hai.yaml", "titel:", "title:");
        daemon.reloader.reload(&daemon.shared).await;
        assert!(daemon.reloader.refused.borrow().is_none());
        let desk = desk(&scene);
        let held = desk.status("mot")["held"].clone();
        assert_eq!(held.as_array().map(Vec::len), Some(3), "{held}");
        assert_eq!(held[0]["detail"], "kept-contact-changed contact=cong-an; until=05:40 25/03/2024");
        assert_eq!(held[0]["until"], "2024-03-25T05:40:00+07:00");
        assert_eq!(desk.status("hai")["held"], serde_json::json!([]));
        let said = desk.says(&["status"]);
        assert!(said.out.contains("Đang giữ lại 3 lượt gửi của bản tin `mot`"), "{said:?}");
        assert!(said.out.contains("Lượt này không tự đổi sang lời mới"), "{said:?}");
        clock.advance(Duration::from_mins(9));
        daemon.wait(|rows| count(rows, State::Failed) == 3).await;
        let row = scene.row("loa-hb-1", "2024-03-25T05:30").await;
        // Nobody waits any more.
        assert_eq!(row.detail.as_deref(), Some("contact-changed contact=cong-an; until=05:40 25/03/2024"));
        daemon.stop().await;
        assert_eq!(words(&scene), None);
        scene.check().await;
    }

    async fn an_approval_that_races_a_reload_airs_what_was_read(scene: Scene) {
        let (daemon, clock) = morning(&scene, true).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        scene.folder.edit(MOT, "lời thứ nhất", "lời đã đọc");
        daemon.reloader.reload(&daemon.shared).await;
        let read = desk(&scene).hash("mot");
        // Somebody saves again while the approver decides; the daemon loads it at the same time.
        let approving = async {
            tokio::task::block_in_place(|| desk(&scene).says(&["approve", "mot", "--by", MAI, "--hash", &read]))
        };
        let reloading = async {
            scene.folder.edit(MOT, "lời đã đọc", "lời chưa ai đọc");
            daemon.reloader.reload(&daemon.shared).await;
        };
        let (said, ()) = tokio::join!(approving, reloading);
        assert_eq!(said.code, 0, "{said:?}");
        look_again(&clock);
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        clock.advance(Duration::from_mins(11));
        daemon.wait(|rows| count(rows, State::Accepted) == 3).await;
        daemon.stop().await;
        assert_eq!(words(&scene).as_deref(), Some("Thưa bà con phường Hưng Bình. lời đã đọc."));
        scene.check().await;
    }

    async fn the_drill_one_command_corrects_every_channel(scene: Scene) {
        scene.folder.wants_approval();
        desk(&scene).approve_all();
        let clock = Clock::simulated(at("2024-03-25T05:20"), 2_000.0);
        let daemon = scene.start_with(clock.clone()).await;
        daemon.reach("2024-03-25T06:15").await;
        // Time goes slowly while people type.
        let typing = clock.busy();
        let is_taken = |row: &loa::store::row::DeliveryRow| matches!(row.state, State::Accepted | State::Confirmed);
        let carried: Vec<_> = scene.log().await.into_iter().filter(is_taken).collect();
        let of_mot = carried.iter().filter(|row| row.bulletin.as_ref().is_some_and(|id| id.as_str() == "mot"));
        let of_mot: Vec<String> = of_mot.map(|row| row.channel.to_string()).collect();
        assert!(of_mot.len() >= 3, "{carried:?}");
        let wrong = desk(&scene).says(&["retract", "mot", "--by", "Người lạ", "--reason", "sai"]);
        assert_eq!(wrong.code, 2, "{wrong:?}");
        // Both sorts of people who may are named.
        for may in [MAI, HOA, "Lê Văn Tám"] {
            assert!(wrong.err.contains(may), "{wrong:?}");
        }

        // Whatever has become of its file.
        scene.folder.amend(MOT, "zzz: [\n");
        let said = desk(&scene).says(&["retract", "mot", "--by", HOA, "--reason", "nêu sai cơ quan", "--format", "json"]);
        assert_eq!(said.code, 0, "{said:?}");
        scene.folder.edit(MOT, "zzz: [\n", "");
        assert_eq!(said.json()["corrections"].as_array().unwrap().len(), of_mot.len());
        drop(typing);
        daemon.wait(|rows| rows.iter().filter(|row| is_taken(row)).count() == 6 + of_mot.len()).await;
        for channel in &of_mot {
            let host = match channel.as_str() {
                "loa-hb-1" => "10.0.0.1",
                "loa-hb-2" => "10.0.0.2",
                "loa-ll-1" => "10.0.0.3",
                "web-hb" => "hung-binh.vinh.example",
                "web-ll" => "le-loi.vinh.example",
                _ => "oa.vinh.example",
            };
            let effect = match channel.as_str() {
                // The page that carried it is the page that is corrected.
                "web-hb" | "web-ll" => Effect::Updated,
                "oa-vinh" => Effect::Received,
                _ => Effect::Heard,
            };
            let last = heard(&scene, host, effect).pop().unwrap_or_else(|| panic!("{channel} was not corrected"));
            let text = last.text.unwrap_or_default();
            let text = last.post.map_or(text, |post| post.content);
            let correction = "Đính chính: lời thứ nhất.";
            assert!(text.contains(correction), "{channel}: {text}");
        }
        daemon.stop().await;
        let shown = |format: &str| desk(&scene).says(&["log", "--format", format]);
        assert_eq!(shown("text").out.matches("Đính chính: mot").count(), of_mot.len());
        let rows = shown("json").json();
        let corrections = rows.as_array().unwrap().iter().filter(|row| row["correction"] == true);
        assert_eq!(corrections.count(), of_mot.len(), "{rows}");
        // Nothing of it airs any more, also after a restart, and it cannot be approved again as it is.
        let daemon = scene.start("2024-03-26T05:20").await;
        daemon.reach("2024-03-26T05:45").await;
        daemon.stop().await;
        let tomorrow = scene.row("loa-hb-1", "2024-03-26T05:30").await;
        assert!(matches!((tomorrow.state, tomorrow.reason), (State::Cancelled, Some(Reason::ByHand)) | (State::Skipped, Some(Reason::Unapproved))), "{tomorrow:?}");
        assert_eq!(desk(&scene).state("mot"), "retracted");
        assert_eq!(desk(&scene).approve("mot", MAI).code, 2);
        let twice = desk(&scene).says(&["retract", "mot", "--by", HOA, "--reason", "nêu sai cơ quan"]);
        assert_eq!(twice.code, 2, "{twice:?}");
        let journal = scene.store().await.journal_rows(None, 500).await.unwrap();
        assert!(journal.iter().any(|line| line.event == "retracted" && line.actor == HOA), "{journal:?}");
        scene.check().await;
    }
}
