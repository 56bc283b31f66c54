//! The picture of an article is approved with its words: what is published is what was seen, byte for byte.

use std::time::Duration;

use loa::{
    domain::{delivery::State, picture::PictureHash},
    simulator::Effect,
};

use super::{MOT, desk, heard, morning};
use crate::support::{
    city::{Scene, count},
    on_both_databases,
};

const FILE: &str = "content/pictures/anh.png";
const GREEN: &[u8] = include_bytes!("../../fixtures/pictures/xanh.png");
const OTHER: &[u8] = include_bytes!("../../fixtures/pictures/nho.png");

on_both_databases! {
    async fn the_approved_picture_is_published_while_another_waits(scene: Scene) {
        let folder = &scene.folder;
        folder.edit("schedules/lich.yaml", "{ rotate: { list: [mot, hai] } }", "{ only: [mot] }");
        folder.write_bytes(FILE, GREEN);
        folder.edit(MOT, "article:\n", "article:\n  picture: { file: anh.png, alt: \"Ô xanh ở {{ ward.name }}\" }\n");
        let (daemon, clock) = morning(&scene, true).await;
        daemon.wait(|rows| count(rows, State::Ready) == 3).await;
        let desk = desk(&scene);
        let read = desk.says(&["diff", "mot"]).out;
        let hash = PictureHash::of(GREEN);
        assert!(read.contains(&format!("{FILE} ({})", hash.short())), "{read}");
        assert_eq!(desk.state("mot"), "approved");

        // Another picture under the same name.
        let other = OTHER.to_vec();
        folder.write_bytes(FILE, &other);
        daemon.reloader.reload(&daemon.shared).await;
        assert_eq!(desk.state("mot"), "waiting");
        let said = desk.says(&["diff", "mot", "--format", "json"]).json();
        assert_eq!(said["words"].as_array().unwrap().len(), 0, "{said}");
        assert_eq!(said["sources"].as_array().unwrap().len(), 1, "{said}");
        assert_eq!(said["sources"][0]["part"], "picture");
        let new = PictureHash::of(&other);
        assert_eq!(said["picture"]["hash"], new.as_str());
        let read = desk.says(&["diff", "mot"]).out;
        assert!(read.contains(&format!("+ anh.png ({})", new.short())), "{read}");

        clock.advance(Duration::from_mins(11));
        daemon.wait(|rows| count(rows, State::Accepted) == 3).await;
        clock.advance(Duration::from_mins(31));
        daemon.wait(|rows| count(rows, State::Accepted) == 5).await;
        daemon.stop().await;
        // The file is gone for good; what was approved is on record.
        let kept = heard(&scene, "hung-binh.vinh.example", Effect::Kept);
        let last = kept.last().and_then(|heard| heard.post.clone()).unwrap();
        // With a mark of the account behind it.
        assert!(last.slug.starts_with(&format!("loa-{}-", &hash.as_str()[..24])), "{}", last.slug);
        assert_eq!(last.alt.as_deref(), Some("Ô xanh ở phường Hưng Bình"));
        let posts = heard(&scene, "hung-binh.vinh.example", Effect::Published);
        assert_eq!(posts[0].post.as_ref().unwrap().featured, Some(last.id));
        scene.check().await;
    }

    async fn words_for_the_picture_are_approved_like_all_words(scene: Scene) {
        let folder = &scene.folder;
        folder.wants_approval();
        folder.write_bytes(FILE, GREEN);
        folder.edit(MOT, "article:\n", "article:\n  picture: { file: anh.png, alt: Ô xanh }\n");
        let desk = desk(&scene);
        desk.approve_all();
        folder.edit(MOT, "Ô xanh", "Ô đỏ");
        assert_eq!(desk.state("mot"), "waiting");
        let said = desk.says(&["diff", "mot", "--format", "json"]).json();
        let parts: Vec<&str> = said["sources"].as_array().unwrap().iter().map(|one| one["part"].as_str().unwrap()).collect();
        assert!(parts.contains(&"picture"), "{said}");
        // A number that nobody has verified must not stand there either.
        folder.edit(MOT, "Ô đỏ", "Gọi 0912 345 678");
        let said = desk.says(&["check", "--format", "json"]);
        assert!(said.out.contains("L066") && said.out.contains("0912 345 678"), "{said:?}");
    }
}
