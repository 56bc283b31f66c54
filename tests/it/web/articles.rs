//! Articles for those who publish without us: the feed as the crate `atom_syndication` reads it, and the page to paste from.

use std::{sync::Arc, time::Duration};

use atom_syndication::{Entry, Feed};
use loa::{
    domain::{
        bulletin::Format,
        delivery::Reason,
        id::{BulletinId, ScheduleId, WardId},
        message::{Content, ContentHash},
        plan::PlannedDelivery,
    },
    render::Renderer,
    store::{Finished, Frozen, Publication, air::Sending, approval::Retraction},
    version::bulletin_version,
};
use reqwest::header;

use super::{
    assert_page,
    city::{City, HOSTILE, Names, at, client},
    links,
};

const FEED: &str = "/bai/phuong/hung-binh.atom";

fn content(words: &str) -> Arc<Content> {
    Arc::new(Content {
        bulletin: BulletinId::parse("gia-danh-can-bo-thue").unwrap(),
        format: Format::Article,
        title: format!("Cảnh giác: {words}"),
        summary: Some(format!("Tóm tắt {words}")),
        text: words.to_owned(),
        html: Some(format!("<p>{words} &amp; <b>báo công an</b></p>\n")),
        turns: Vec::new(),
        spoken: Vec::new(),
        quoted: loa::domain::message::Quoted::default(),
        contacts: Vec::new(),
        recording: None,
        picture: None,
    })
}

/// Has the ward's website take `words` at `due`.
async fn publish(city: &City, batch: &[PlannedDelivery], words: &str) {
    take(city, batch, words, None).await;
}

/// The same, with what the end of the attempt has for a reason.
async fn take(city: &City, batch: &[PlannedDelivery], words: &str, reason: Option<Reason>) {
    let content = content(words);
    let hash: ContentHash = content.hash();
    let frozen: Vec<_> = batch
        .iter()
        .map(|planned| Frozen {
            id: planned.id.clone(),
            hash: hash.clone(),
            host: "127.0.0.1".into(),
            can_ask: false,
            approved: None,
            length: None,
            overrides: None,
            limit: None,
        })
        .collect();
    let contents = [(hash, content)];
    let now = city.clock.now();
    city.store
        .freeze(&contents, &frozen, "r1", now)
        .await
        .unwrap();
    let claimed = city.claim().await;
    assert_eq!(claimed.len(), batch.len());
    let ends = claimed.iter().map(|one| Finished {
        reason,
        ..city.accepted(one)
    });
    city.finish(&ends.collect::<Vec<_>>()).await;
}

fn only(feed: &Feed) -> &Entry {
    assert_eq!(feed.entries().len(), 1, "{feed:?}");
    &feed.entries()[0]
}

/// The body as readers have it.
fn body(entry: &Entry) -> String {
    let content = entry.content().unwrap();
    assert_eq!(content.content_type(), Some("html"));
    content.value().unwrap().to_owned()
}

#[tokio::test]
async fn a_feed_has_each_article_once_with_its_newest_words() {
    let city = City::new(Names::Plain, "2024-03-25T05:00").await;
    let served = city.serve().await;
    let empty: Feed = served.get(FEED).await.text.parse().unwrap();
    assert_eq!(empty.entries(), []);

    let first = city
        .plan("2024-03-25T05:30", |id| id == "web-hung-binh")
        .await;
    let answer = served.get(FEED).await;
    let feed: Feed = answer.text.parse().unwrap();
    assert_eq!(feed.entries(), [], "what is only planned is no article");
    city.clock.set(at("2024-03-25T05:30"));
    publish(&city, &first, "Một").await;
    let answer = served.get(FEED).await;
    assert_eq!(
        answer.headers[header::CONTENT_TYPE],
        "application/atom+xml; charset=utf-8"
    );
    let feed: Feed = answer.text.parse().unwrap();
    assert_eq!(
        feed.title().as_str(),
        "[MÔ PHỎNG] Bài viết của phường Hưng Bình"
    );
    assert!(feed.id().starts_with("urn:uuid:"));
    assert_eq!(feed.authors()[0].name(), "Truyền thanh thành phố Vinh");
    let before = only(&feed).clone();
    assert_eq!(before.title().as_str(), "Cảnh giác: Một");
    assert_eq!(before.summary().unwrap().as_str(), "Tóm tắt Một");
    assert_eq!(body(&before), "<p>Một &amp; <b>báo công an</b></p>\n");
    assert_eq!(before.updated(), feed.updated());
    assert_eq!(before.links()[0].href(), format!("/luot/{}", first[0].id));
    let tag = answer.headers[header::ETAG].to_str().unwrap().to_owned();
    let again = served
        .send(
            client()
                .get(served.url(FEED))
                .header(header::IF_NONE_MATCH, &tag),
        )
        .await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    // Another ward's readers see nothing of it.
    let other: Feed = served
        .get("/bai/phuong/le-loi.atom")
        .await
        .text
        .parse()
        .unwrap();
    assert_eq!(other.entries(), []);
    assert_ne!(other.id(), feed.id());

    // The same words again are no news; others are, at the same id.
    city.clock.set(at("2024-03-26T05:30"));
    let second = city
        .plan("2024-03-26T05:30", |id| id == "web-hung-binh")
        .await;
    publish(&city, &second, "Một").await;
    let feed: Feed = served.get(FEED).await.text.parse().unwrap();
    let same = only(&feed);
    assert_eq!((same.id(), same.updated()), (before.id(), before.updated()));
    city.clock.set(at("2024-03-27T05:30"));
    let third = city
        .plan("2024-03-27T05:30", |id| id == "web-hung-binh")
        .await;
    publish(&city, &third, "Hai").await;
    let feed: Feed = served.get(FEED).await.text.parse().unwrap();
    let newer = only(&feed);
    assert_eq!(
        (newer.id(), newer.title().as_str()),
        (before.id(), "Cảnh giác: Hai")
    );
    assert!(newer.updated() > before.updated());
    for nowhere in [
        "/bai/phuong/hung-binh",
        "/bai/phuong/khong-co.atom",
        "/bai/kenh/web-hung-binh.atom",
    ] {
        assert_eq!(served.get(nowhere).await.status, 404, "{nowhere}");
    }
}

#[tokio::test]
async fn what_is_taken_back_is_gone_and_comes_back_as_its_correction() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let served = city.serve().await;
    let batch = city
        .plan("2024-03-25T05:30", |id| id == "web-hung-binh")
        .await;
    publish(&city, &batch, "Một").await;
    let feed: Feed = served.get(FEED).await.text.parse().unwrap();
    let id = only(&feed).id().to_owned();
    let paste = format!("/luot/{}/dan", batch[0].id);
    assert!(served.get(&paste).await.text.contains("Cảnh giác: Một"));

    city.clock.set(at("2024-03-25T09:00"));
    let workspace = city.workspace.borrow().clone();
    let bulletin = workspace.bulletins.values().next().unwrap();
    let (renderer, _) = Renderer::new(&workspace);
    let retraction = Retraction {
        bulletin: &bulletin.id,
        version: &bulletin_version(&workspace, &renderer, bulletin),
        contents: &[],
        revision: "r1",
        person: "Trần Thị Mai",
        role: "Lãnh đạo",
        reason: "sai số",
    };
    let day = (at("2024-03-25T00:00"), at("2024-03-26T00:00"));
    let now = city.clock.now();
    let nothing = |_: &[_], _: Vec<_>| Sending::default();
    city.store
        .retract(&retraction, (now, day), nothing)
        .await
        .unwrap()
        .unwrap();
    let text = served.get(FEED).await.text;
    let feed: Feed = text.parse().unwrap();
    assert_eq!(feed.entries(), []);
    let tombstone = format!("<at:deleted-entry ref=\"{id}\" when=\"2024-03-25T02:00:00Z\"/>");
    assert!(text.contains(&tombstone), "{text}");
    assert_eq!(feed.updated().to_rfc3339(), "2024-03-25T02:00:00+00:00");
    let page = served.get(&paste).await;
    assert_page(&page.text, "vi");
    assert!(
        page.text.contains("đã bị rút lại lúc 09:00"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("Cảnh giác: Một") && !page.text.contains("<button"));

    let correction = PlannedDelivery {
        schedule: ScheduleId::correction("x"),
        id: loa::domain::id::DeliveryId::of(&ScheduleId::correction("x"), now, &batch[0].channel),
        due: now,
        scheduled: now,
        deadline: now + Duration::from_mins(30),
        ..batch[0].clone()
    };
    city.store
        .plan(std::slice::from_ref(&correction), "r1", now)
        .await
        .unwrap();
    publish(&city, std::slice::from_ref(&correction), "Đính chính").await;
    let text = served.get(FEED).await.text;
    let feed: Feed = text.parse().unwrap();
    let entry = only(&feed);
    assert_eq!(
        (entry.id(), entry.title().as_str()),
        (id.as_str(), "Cảnh giác: Đính chính")
    );
    assert_eq!(entry.categories()[0].term(), "dinh-chinh");
    assert!(!text.contains("deleted-entry"));
    // Whoever still has the old page open is led to the new words.
    let page = served.get(&paste).await.text;
    assert!(
        links(&page, "/luot/").contains(&format!("/luot/{}/dan", correction.id)),
        "{page}"
    );
}

#[tokio::test]
async fn a_page_to_paste_from_has_every_part_and_nothing_of_others() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let served = city.serve().await;
    let batch = city
        .plan("2024-03-25T05:30", |id| {
            id == "web-hung-binh" || id == "loa-hung-binh"
        })
        .await;
    let (web, loa): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .partition(|one| one.format == Format::Article);
    let paste = format!("/luot/{}/dan", web[0].id);
    assert_eq!(served.get(&paste).await.status, 404, "no words yet");
    city.freeze(&loa).await;
    let claimed = city.claim().await;
    city.finish(&[city.accepted(&claimed[0])]).await;
    let spoken = format!("/luot/{}", loa[0].id);
    assert_eq!(
        served.get(&format!("{spoken}/dan")).await.status,
        404,
        "no article"
    );
    assert!(!served.get(&spoken).await.text.contains("/dan\""));

    publish(&city, &web, "Một").await;
    let broadcast = served.get(&format!("/luot/{}", web[0].id)).await.text;
    assert!(links(&broadcast, "/luot/").contains(&paste), "{broadcast}");
    for (lang, button) in [("vi", "Chép nội dung"), ("en", "Copy the body")] {
        let page = served.get(&format!("{paste}?lang={lang}")).await;
        assert_eq!(page.status, 200);
        assert_page(&page.text, lang);
        assert!(page.text.contains(button));
        assert_eq!(page.text.matches("<button").count(), 4);
        assert!(
            page.text
                .contains("<div class=\"words\" id=\"tieu-de\" lang=\"vi\">Cảnh giác: Một</div>")
        );
        assert!(
            page.text
                .contains("lang=\"vi\"><p>Một &amp; báo công an</p>\n</div>"),
            "{}",
            page.text
        );
        // A long article pushes what stands below it off a phone's screen.
        for part in ["tieu-de", "noi-dung", "ma-nguon"] {
            let button = page.text.find(&format!("value=\"{part}\"")).unwrap();
            let words = page.text.find(&format!("id=\"{part}\"")).unwrap();
            assert!(button < words, "{part}: {}", page.text);
        }
        // The source is shown and not carried out.
        assert!(
            page.text.contains("<pre id=\"ma-nguon\">&lt;p&gt;Một"),
            "{}",
            page.text
        );
        let scripts = page.text.matches("<script").count();
        assert_eq!(scripts, 1);
        for link in links(&page.text, "").iter().chain(&["/".to_owned()]) {
            assert!(
                link.starts_with('/') || link.starts_with('#'),
                "{link} leads elsewhere"
            );
        }
    }
}

/// Nobody has published what only waits for a person, and no page, list or calendar says that anybody took it.
#[tokio::test]
async fn what_waits_for_a_person_says_so_everywhere() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let served = city.serve().await;
    let web = city
        .plan("2024-03-25T05:30", |id| id == "web-hung-binh")
        .await;
    take(&city, &web, "Một", Some(Reason::Offered)).await;
    let broadcast = format!("/luot/{}", web[0].id);
    let without_legend = |text: String| {
        text.split("id=\"legend\"")
            .next()
            .and_then(|text| text.split("<footer").next())
            .unwrap()
            .to_owned()
    };
    for (page, said) in [
        (
            broadcast.as_str(),
            "<blockquote class=\"words\" lang=\"vi\"><p>Một &amp; báo công an</p></blockquote>",
        ),
        ("/", "<b>1</b> <span class=\"s offered\">chờ người dán bài"),
        ("/", ">1 chờ người dán bài</span>"),
        (
            "/",
            "<span class=\"s offered\">chờ người dán bài</span> <small>từ 05:30:",
        ),
        (
            "/nhat-ky",
            "<span class=\"s offered\">chờ người dán bài</span>",
        ),
        (&broadcast, "class=\"s offered\">chờ người dán bài</h2>"),
        (&broadcast, "bài đã có sẵn để dán lên trang, chưa ai đăng"),
        (&broadcast, "chưa thấy trên trang"),
        ("/lich/phuong/hung-binh.ics", "chờ người dán bài"),
    ] {
        let text = without_legend(served.get(page).await.text).replace("\r\n ", "");
        assert!(text.contains(said), "{page}: {said}: {text}");
        let counts = "<b>0</b> <span class=\"s accepted\">đã nhận";
        let taken = text
            .replace(counts, "")
            .replace("<option value=\"accepted\">đã nhận", "");
        assert!(!taken.contains("đã nhận"), "{page}: {text}");
    }
    let seen = Publication::Seen("9");
    let now = city.clock.now();
    let store = &city.store;
    assert!(
        store
            .published(&web[0].id, &web[0].channel, seen, "n", now)
            .await
            .unwrap()
            .is_some()
    );
    for page in ["/", "/nhat-ky", &broadcast, "/lich/phuong/hung-binh.ics"] {
        let text = without_legend(served.get(page).await.text);
        assert!(!text.contains("chờ người dán bài"), "{page}: {text}");
        assert!(text.contains("đã phát (có xác nhận)"), "{page}: {text}");
    }
    let page = served.get(&broadcast).await.text;
    let line = "đã thấy bài trên trang web – Trang tin Hưng Bình";
    assert!(page.contains(line), "by the channel's name: {page}");
}

#[tokio::test]
async fn names_of_strangers_stay_texts() {
    let city = City::new(Names::Hostile, "2024-03-25T05:30").await;
    let served = city.serve().await;
    let batch = city
        .plan("2024-03-25T05:30", |id| id == "web-hung-binh")
        .await;
    city.freeze(&batch).await;
    let claimed = city.claim().await;
    city.finish(&[city.accepted(&claimed[0])]).await;
    let feed: Feed = served.get(FEED).await.text.parse().unwrap();
    let entry = only(&feed);
    assert!(entry.title().as_str().ends_with(HOSTILE));
    assert!(!body(entry).contains("<script") && body(entry).contains("&lt;script"));
    let page = served.get(&format!("/luot/{}/dan", batch[0].id)).await.text;
    assert!(
        !page.contains("<script>alert") && !page.contains("<img src=x"),
        "{page}"
    );
    let ward = WardId::parse("hung-binh").unwrap();
    let today = served.get(&format!("/?phuong={ward}")).await.text;
    assert!(links(&today, "/bai/").contains(&FEED.to_owned()));
}
