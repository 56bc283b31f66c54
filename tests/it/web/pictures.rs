//! `/anh/`: the pictures of frozen articles by the address of their bytes, to whoever asks by whatever name, and nothing else.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use loa::{
    domain::{
        bulletin::Format,
        channel::{AdapterConfig, VnptConfig},
        id::{BulletinId, ChannelId},
        message::Content,
        picture::{Picture, PictureFormat, PictureHash},
        zalo::ZaloConfig,
    },
    store::Frozen,
};
use reqwest::header;

use super::{
    assert_page,
    city::{City, HOSTILE, Names, at, client},
};

const GREEN: &[u8] = include_bytes!("../../fixtures/pictures/xanh.png");

#[tokio::test]
async fn frozen_pictures_are_served_and_nothing_else_is() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let served = city.serve().await;
    let hash = PictureHash::of(GREEN);
    let path = format!("/anh/{hash}.png");
    city.store
        .keep_picture(PictureFormat::Png, GREEN, at("2024-03-25T05:00"))
        .await
        .unwrap();
    let status = async |path: &str| served.get(path).await.status;
    assert_eq!(status(&path).await, 404, "it is on record and nothing more");
    let frozen = BTreeSet::from([hash.clone()]);
    city.store
        .freeze_pictures(&frozen, at("2024-03-25T05:10"))
        .await
        .unwrap();

    // Whoever fetches it comes by the name of the proxy.
    let ask = client()
        .get(served.url(&path))
        .header(header::HOST, "loa.vinh.example");
    let answer = ask.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let said = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(said("content-type"), "image/png");
    assert_eq!(said("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(said("x-content-type-options"), "nosniff");
    assert_eq!(
        said("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'"
    );
    assert!(answer.bytes().await.unwrap() == GREEN);
    let head = client().head(served.url(&path)).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], GREEN.len().to_string());

    let unknown = PictureHash::of(b"?");
    for none in [
        format!("/anh/{hash}.jpg"),
        format!("/anh/{hash}"),
        format!("/anh/{hash}.png.exe"),
        format!("/anh/{}.png", hash.as_str().to_uppercase()),
        format!("/anh/{}.png", hash.short()),
        format!("/anh/{unknown}.png"),
        "/anh/../loa.yaml".to_owned(),
        "/anh/..%2f..%2fetc%2fpasswd".to_owned(),
        "/anh/%00.png".to_owned(),
        "/anh/".to_owned(),
    ] {
        assert_eq!(status(&none).await, 404, "{none}");
    }
    let answer = served.get(&format!("/anh/{unknown}.png")).await;
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let post = client().post(served.url(&path)).body("x");
    assert_eq!(served.send(post).await.status, 405);
    served.shutdown.cancel();
}

/// A page of `channel`'s broadcast at 05:30, frozen with a picture.
async fn with_picture(city: &City, channel: &str, format: Format) -> String {
    let batch = city.plan("2024-03-25T05:30", |id| id == channel).await;
    let content = Content {
        bulletin: BulletinId::parse("gia-danh-can-bo-thue").unwrap(),
        format,
        title: "Cảnh giác".into(),
        summary: None,
        text: "Một".into(),
        html: (format == Format::Article).then(|| "<p>Một</p>".into()),
        turns: Vec::new(),
        spoken: Vec::new(),
        quoted: loa::domain::message::Quoted::default(),
        contacts: Vec::new(),
        recording: None,
        picture: Some(Picture {
            file: HOSTILE.into(),
            hash: PictureHash::of(GREEN),
            format: PictureFormat::Png,
            alt: HOSTILE.into(),
        }),
    };
    let contents = [(content.hash(), Arc::new(content))];
    let frozen: Vec<_> = batch
        .iter()
        .map(|planned| Frozen {
            id: planned.id.clone(),
            hash: contents[0].0.clone(),
            host: "127.0.0.1".into(),
            can_ask: false,
            approved: None,
            length: None,
            overrides: None,
            limit: None,
        })
        .collect();
    city.store
        .freeze(&contents, &frozen, "r1", city.clock.now())
        .await
        .unwrap();
    format!("/luot/{}", batch[0].id)
}

/// Connects a channel of the city in another way.
fn connect(city: &City, channel: &str, adapter: AdapterConfig) {
    city.workspace.send_modify(|workspace| {
        let mut edited = (**workspace).clone();
        let id = ChannelId::parse(channel).unwrap();
        edited.channels.get_mut(&id).unwrap().adapter = adapter;
        *workspace = Arc::new(edited);
    });
}

#[tokio::test]
async fn the_pages_of_an_article_show_its_picture_with_its_words() {
    let city = City::new(Names::Plain, "2024-03-25T05:00").await;
    let portal = VnptConfig {
        url: "http://127.0.0.1:9".into(),
        language: "vi".into(),
        every: Duration::from_mins(5),
        within: Duration::from_hours(1),
    };
    connect(&city, "web-hung-binh", AdapterConfig::Vnpt(portal));
    let served = city.serve().await;
    let path = with_picture(&city, "web-hung-binh", Format::Article).await;
    let address = format!("src=\"/anh/{}.png\"", PictureHash::of(GREEN));
    for page in ["", "/dan"] {
        let answer = served.get(&format!("{path}{page}")).await;
        assert_eq!(answer.status, 200);
        assert_page(&answer.text, "vi");
        assert!(answer.text.contains(&address), "{}", answer.text);
        assert!(
            answer.text.contains("alt=\"&lt;script&gt;"),
            "{}",
            answer.text
        );
        assert!(!answer.text.contains("<script>alert"), "{}", answer.text);
    }
    served.shutdown.cancel();
}

/// The picture is frozen with the words of every message; whether anybody gets it is up to the channel.
#[tokio::test]
async fn the_page_of_a_message_shows_a_picture_only_where_it_goes_along() {
    let city = City::new(Names::Plain, "2024-03-25T05:00").await;
    let zalo = |picture| {
        AdapterConfig::Zalo(Box::new(ZaloConfig {
            user: Some("1234".into()),
            picture,
            ..crate::zalo::steps::config()
        }))
    };
    connect(&city, "zalo-le-loi", zalo(true));
    connect(&city, "zalo-le-mao", zalo(false));
    let served = city.serve().await;
    // By a webhook nobody gets one either.
    for (channel, is_sent) in [
        ("zalo-le-loi", true),
        ("zalo-le-mao", false),
        ("zalo-hung-binh", false),
    ] {
        let path = with_picture(&city, channel, Format::Message).await;
        let page = served.get(&path).await.text;
        assert_page(&page, "vi");
        assert_eq!(page.contains("/anh/"), is_sent, "{channel}: {page}");
        let says = page.contains("kênh này không gửi ảnh kèm theo");
        assert_eq!(says, !is_sent, "{channel}: {page}");
    }
    served.shutdown.cancel();
}
