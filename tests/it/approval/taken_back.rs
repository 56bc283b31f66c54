//! Words that were rejected or taken back stay silent, whatever is edited around them.

use loa::{clock::Clock, domain::delivery::State};
use serde_json::Value;

use super::{Desk, HOA, MAI, MOT, desk, morning, skipped};
use crate::support::{
    city::{Scene, at, count},
    on_both_databases,
};

/// What makes no other words: each edit comes on top of those before.
const EDITS: [(&str, &str, &str); 5] = [
    ("a comment", "topic: gia-danh", "topic: gia-danh # x"),
    ("a space", "Thưa bà con", "Thưa  bà con"),
    ("a mark", "lời thứ nhất.", "lời thứ nhất!"),
    ("a day", "until: 2024-12-31", "until: 2024-12-30"),
    (
        "a correction",
        "Đính chính: lời",
        "Đính chính, xin lỗi: lời",
    ),
];

fn stays_silent(desk: &Desk<'_>, state: &str, reason: &str) {
    for (what, old, new) in EDITS {
        desk.folder.edit(MOT, old, new);
        assert_eq!(desk.state("mot"), state, "{what}");
        let said = desk.approve("mot", MAI);
        assert_eq!(said.code, 2, "{what}: {said:?}");
        assert!(
            said.err.contains("Đây vẫn là những lời đã bị") && said.err.contains(reason),
            "{what}: {said:?}"
        );
    }
    let status = desk.status("mot");
    assert_eq!(status["taken_back"]["remark"], reason, "{status}");
    assert_eq!(status["may_approve"], serde_json::json!([]), "{status}");
    for read in [desk.says(&["status"]).out, desk.says(&["diff", "mot"]).out] {
        assert!(
            read.contains("Đây vẫn là những lời đã bị") && read.contains(reason),
            "{read}"
        );
        assert!(!read.contains("loa approve mot"), "{read}");
    }
    // One other word is enough.
    desk.folder.edit(MOT, "Thưa  bà con", "Kính thưa bà con");
    assert_eq!(desk.status("mot")["taken_back"], Value::Null);
    let said = desk.approve("mot", MAI);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(desk.state("mot"), "approved");
}

/// Whoever sends what was taken back is told that, by whom and why, and not that it awaits approval.
fn says_so_when_sent(desk: &Desk<'_>, by: &str, reason: &str) {
    let send = ["send", "mot", "--to", "all", "--by", MAI, "--reason", "gấp"];
    for more in [&[][..], &["--dry-run"]] {
        let said = desk.says(&[&send[..], more].concat());
        assert_eq!(said.code, 2, "{said:?}");
        let told = format!("vì: {reason}. Phải sửa lời");
        for words in ["`mot` đã thu hồi (", by, "25/03/2024 05:", &told] {
            assert!(said.err.contains(words), "{words}: {said:?}");
        }
        assert!(!said.err.contains("chưa được duyệt"), "{said:?}");
    }
}

on_both_databases! {
    async fn retracted_words_do_not_come_back_with_another_byte(scene: Scene) {
        let (daemon, _clock) = morning(&scene, true).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        let desk = desk(&scene);
        let said = desk.says(&["retract", "mot", "--by", HOA, "--reason", "nêu sai cơ quan"]);
        assert_eq!(said.code, 0, "{said:?}");
        daemon.stop().await;
        says_so_when_sent(&desk, &format!("{HOA}, "), "nêu sai cơ quan");
        stays_silent(&desk, "retracted", "nêu sai cơ quan");
        scene.check().await;
    }

    async fn rejected_words_do_not_come_back_with_another_byte(scene: Scene) {
        scene.folder.wants_approval();
        let desk = desk(&scene);
        let said = desk.says(&["reject", "mot", "--by", HOA, "--reason", "bịa ra cơ quan"]);
        assert_eq!(said.code, 0, "{said:?}");
        stays_silent(&desk, "rejected", "bịa ra cơ quan");
    }

    async fn where_nothing_has_to_be_approved_other_words_are_needed_too(scene: Scene) {
        scene.folder.edit(MOT, "contacts: [cong-an]", "editors: [Lê Văn Tám]\ncontacts: [cong-an]");
        let clock = Clock::manual(at("2024-03-25T05:20"));
        let daemon = scene.start_with(clock.clone()).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        let said = desk(&scene).says(&["retract", "mot", "--by", "Lê Văn Tám", "--reason", "sai"]);
        assert_eq!(said.code, 0, "{said:?}");
        says_so_when_sent(&desk(&scene), "Lê Văn Tám, ", "sai");
        scene.folder.edit(MOT, "topic: gia-danh", "topic: gia-danh # x");
        daemon.reloader.reload(&daemon.shared).await;
        clock.advance(std::time::Duration::from_hours(24));
        daemon.wait(|rows| skipped(rows) >= 3 && count(rows, State::Ready) == 0).await;
        scene.folder.edit(MOT, "Thưa bà con", "Kính thưa bà con");
        daemon.reloader.reload(&daemon.shared).await;
        clock.advance(std::time::Duration::from_hours(24));
        daemon.wait(|rows| count(rows, State::Ready) >= 3).await;
        daemon.stop().await;
    }
}
