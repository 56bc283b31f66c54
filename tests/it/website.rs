//! A whole daemon and a real `WordPress`: an article goes out when it is due, and a retraction corrects it where it is.

use loa::{clock::Clock, domain::delivery::State, store::row::DeliveryRow};
use serde_json::Value;

use crate::support::{
    city::{Scene, at, count},
    cli::loa,
    wordpress::{USER, WordPress},
};

const SIGN: &[u8] = include_bytes!("../fixtures/pictures/bien-bao.jpg");

#[tokio::test(flavor = "multi_thread")]
async fn a_retraction_corrects_the_article_on_a_real_wordpress() {
    let Some(site) = WordPress::start() else {
        return;
    };
    let scene = Scene::new(None).await;
    let folder = &scene.folder;
    folder.edit(
        "loa.yaml",
        r#"["10.0.0.0/8", "*.vinh.example"]"#,
        r#"["127.0.0.1/32"]"#,
    );
    // PHP's own server answers one request after another.
    folder.edit("loa.yaml", "total_timeout: 2s", "total_timeout: 10s");
    folder.edit(
        "content/bulletins/mot.yaml",
        "contacts: [cong-an]",
        "editors: [Lan]\ncontacts: [cong-an]",
    );
    folder.write_bytes("content/pictures/bien-bao.jpg", SIGN);
    folder.edit(
        "content/bulletins/mot.yaml",
        "article:\n",
        "article:\n  picture: { file: bien-bao.jpg, alt: \"Biển báo ở {{ ward.name }}\" }\n",
    );
    // Every secret is worth the same in a simulated world, and this site has a password of its own.
    folder.edit(
        "channels/recipes/wordpress.yaml",
        "password: { secret: true, about",
        "password: { about",
    );
    let (url, password) = (&site.url, &site.password);
    folder.write(
        "channels/kenh.yaml",
        &format!(
            "channels:\n  web-hb:\n    ward: hung-binh\n    name: Trang Hưng Bình\n    kind: website\n    adapter: {{ recipe: {{ use: wordpress, \
             with: {{ url: \"{url}\", user: {USER}, password: \"{password}\" }} }} }}\n"
        ),
    );
    folder.write(
        "schedules/lich.yaml",
        "schedules:\n  trang-tin:\n    when: { cron: \"0 6 * * 1-5\" }\n    bulletins: { only: [mot] }\n    to: { kind: website }\n    \
         missed: { late: { within: 6h } }\n",
    );
    let clock = Clock::simulated(at("2024-03-25T05:50"), 3_000.0);
    // A simulated day must not pass while the daemon starts.
    let starting = clock.busy();
    let daemon = scene.start_direct(clock.clone()).await;
    drop(starting);
    daemon.reach("2024-03-25T06:05").await;
    let typing = clock.busy();
    let row = scene.row("web-hb", "2024-03-25T06:00").await;
    let attempts = scene.store().await.attempts(&row.id).await.unwrap();
    assert_eq!(row.state, State::Accepted, "{row:?} {attempts:?}");
    let posts = site.shown("mot-hung-binh");
    assert_eq!(posts.len(), 1, "{posts:?}");
    let file = site.read(&format!("/media/{}", posts[0]["featured_media"]));
    assert_eq!(file["alt_text"], "Biển báo ở phường Hưng Bình", "{file}");
    assert!(site.fetch(file["source_url"].as_str().unwrap()) == SIGN);
    let said = |post: &Value| post["content"]["rendered"].as_str().unwrap().to_owned();
    assert!(said(&posts[0]).contains("lời thứ nhất"), "{posts:?}");
    assert!(!said(&posts[0]).contains("Đính chính"), "{posts:?}");

    let retract = [
        "retract",
        "mot",
        "--by",
        "Lan",
        "--reason",
        "nêu sai cơ quan",
    ];
    let world = ["--simulate", "--database", &scene.database];
    let done = loa(&folder.path(), &[&retract[..], &world].concat());
    assert_eq!(done.code, 0, "{done:?}");
    drop(typing);
    let taken = |rows: &[_]| count(rows, State::Accepted) + count(rows, State::Confirmed);
    daemon.wait(|rows| taken(rows) == 2).await;
    // Asked afterwards, the site says that the new words still stand there.
    let is_seen = |row: &DeliveryRow| row.schedule.is_correction() && row.state == State::Confirmed;
    daemon.wait(|rows| rows.iter().any(is_seen)).await;
    let corrected = site.shown("mot-hung-binh");
    assert_eq!(corrected.len(), 1, "{corrected:?}");
    let same = |part: &str| assert_eq!(corrected[0][part], posts[0][part], "{part}");
    same("id");
    same("link");
    assert_eq!(corrected[0]["featured_media"], 0, "what was wrong goes");
    let words = said(&corrected[0]);
    assert!(words.contains("Đính chính: lời thứ nhất."), "{words}");
    assert!(!words.contains("chú ý"), "{words}");
    daemon.stop().await;
    scene.check().await;
}
