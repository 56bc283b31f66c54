//! WordPress: a real one with a database of its own, reached by the shipped recipe.

use std::sync::Arc;

use loa::{
    adapter::{
        attempt::{Ending, NoNotes, attempt, probe},
        recipe::RecipeAdapter,
        transport::Transport,
    },
    domain::{
        delivery::Evidence,
        message::{Content, Message},
        picture::PictureFormat,
    },
};
use serde_json::Value;

use super::{
    instant, message,
    pictures::with_picture,
    recipes::{adapter_with, parameters, website},
    transport::settings,
};
use crate::support::wordpress::{USER, WordPress};

fn adapter(url: &str, password: &str) -> RecipeAdapter {
    let mut with = parameters();
    with.insert("url".into(), url.to_owned());
    with.insert("user".into(), USER.to_owned());
    with.insert("password".into(), password.to_owned());
    adapter_with(&website(), &with)
}

fn saying(words: &str) -> Message {
    let message = message();
    let content = Content {
        title: format!("Cảnh báo: {words}"),
        summary: Some(format!("Tóm tắt: {words}")),
        html: Some(format!("<p>{words}</p>")),
        ..(*message.content).clone()
    };
    Message {
        content: Arc::new(content),
        ..message
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_is_there_once_and_is_corrected_where_it_is() {
    let Some(site) = WordPress::start() else {
        return;
    };
    let transport = Transport::new(settings()).unwrap();
    let now = || instant("2024-03-25T05:30:00Z");
    let author = adapter(&site.url, &site.password);
    let healthy = probe(&author, None, &transport, now).await;
    assert_eq!(healthy, Some(Ok(())));
    let first = saying("Công an không làm việc qua điện thoại");
    let slug = first.slug();

    // The password for logging in is none for programs.
    let stranger = adapter(&site.url, "mat-khau-dang-nhap");
    let end = attempt(&stranger, &first, &NoNotes, &transport, now).await;
    assert!(matches!(end.ending, Ending::Failed(_)), "{end:?}");
    assert_eq!(site.shown(&slug).len(), 0);

    let send = async |message: &Message| {
        let end = attempt(&author, message, &NoNotes, &transport, now).await;
        match end.ending {
            Ending::Accepted(receipt) => {
                assert_eq!(receipt.evidence, Evidence::Accepted);
                receipt.reference.expect("the article's address")
            }
            Ending::Failed(failure) => panic!("{failure:?}"),
        }
    };
    let address = send(&first).await;
    let posts = site.shown(&slug);
    assert_eq!(posts.len(), 1, "{posts:?}");
    let post = &posts[0];
    assert_eq!(post["slug"], slug);
    assert_eq!(post["link"], address);
    let said = |post: &Value, part: &str| post[part]["rendered"].as_str().unwrap().to_owned();
    let words = "Công an không làm việc qua điện thoại";
    let says = |post: &Value, words: &str| {
        assert_eq!(said(post, "title"), format!("Cảnh báo: {words}"));
        assert_eq!(said(post, "content").trim(), format!("<p>{words}</p>"));
        assert!(said(post, "excerpt").contains(&format!("Tóm tắt: {words}")));
    };
    says(post, words);

    // A repetition, whether or not it knows that it is one, finds what is there.
    let again = Message {
        attempt: 2,
        ..first.clone()
    };
    for message in [&again, &first] {
        assert_eq!(send(message).await, address);
        let now = site.shown(&slug);
        assert_eq!(now.len(), 1, "{now:?}");
        assert_eq!(now[0]["id"], post["id"]);
    }

    // Other words come to the same address, and those before are gone.
    let others = "Đính chính: số cũ đã sai";
    assert_eq!(send(&saying(others)).await, address);
    let posts = site.shown(&slug);
    assert_eq!(posts.len(), 1, "{posts:?}");
    assert_eq!(posts[0]["id"], post["id"]);
    says(&posts[0], others);
    assert!(!posts[0].to_string().contains(words), "{posts:?}");

    // A site without permalinks has its API behind a parameter; this one has it there, too, and it is the same article.
    let mut with = parameters();
    with.insert("url".into(), site.url.clone());
    with.insert("api".into(), "/?rest_route=".into());
    with.insert("user".into(), USER.to_owned());
    with.insert("password".into(), site.password.clone());
    let plain = adapter_with(&website(), &with);
    assert_eq!(probe(&plain, None, &transport, now).await, Some(Ok(())));
    let end = attempt(&plain, &first, &NoNotes, &transport, now).await;
    assert!(matches!(end.ending, Ending::Accepted(_)), "{end:?}");
    let posts = site.shown(&slug);
    assert_eq!(posts.len(), 1, "{posts:?}");
    assert_eq!(posts[0]["id"], post["id"]);
    says(&posts[0], words);

    // What a person has put into the bin is no article: it is published anew, at the same address.
    let binned = site.delete(&format!("/posts/{}", post["id"]));
    assert_eq!(binned["status"], "trash", "{binned}");
    assert_eq!(site.shown(&slug).len(), 0);
    assert_eq!(send(&first).await, address);
    let posts = site.shown(&slug);
    assert_eq!(posts.len(), 1, "{posts:?}");
    assert_ne!(posts[0]["id"], post["id"]);
    says(&posts[0], words);
}

const SIGN: &[u8] = include_bytes!("../../fixtures/pictures/bien-bao.jpg");
const GREEN: &[u8] = include_bytes!("../../fixtures/pictures/xanh.png");

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_there_once_and_is_the_one_that_was_sent() {
    let Some(site) = WordPress::start() else {
        return;
    };
    let transport = Transport::new(settings()).unwrap();
    let now = || instant("2024-03-25T05:30:00Z");
    let author = adapter(&site.url, &site.password);
    let send = async |message: &Message| {
        let end = attempt(&author, message, &NoNotes, &transport, now).await;
        assert!(matches!(end.ending, Ending::Accepted(_)), "{end:?}");
    };
    let slug = message().slug();
    let featured = || {
        let posts = site.shown(&slug);
        assert_eq!(posts.len(), 1, "{posts:?}");
        posts[0]["featured_media"].clone()
    };
    let files = || {
        let all = site.read("/media?per_page=100");
        all.as_array().unwrap().len()
    };
    // What it is under that number: the bytes, and the words for whoever does not see them.
    let shows = |id: &Value, bytes: &[u8], alt: &str| {
        let file = site.read(&format!("/media/{id}"));
        assert_eq!(file["alt_text"], alt, "{file}");
        let address = file["source_url"].as_str().unwrap();
        assert!(site.fetch(address) == bytes, "other bytes at {address}");
    };

    let sign = with_picture(SIGN, PictureFormat::Jpeg, "Biển báo \"dừng lại\"");
    send(&sign).await;
    let first = featured();
    shows(&first, SIGN, "Biển báo \"dừng lại\"");
    // Again, and with other words under it: the same file.
    send(&sign).await;
    let mut edited = sign.clone();
    Arc::make_mut(&mut edited.content).html = Some("<p>Lời khác</p>".to_owned());
    send(&edited).await;
    assert_eq!((featured(), files()), (first.clone(), 1));
    assert!(site.shown(&slug)[0].to_string().contains("Lời khác"));
    // Other words for the same picture.
    send(&with_picture(SIGN, PictureFormat::Jpeg, "Tam giác đỏ")).await;
    assert_eq!((featured(), files()), (first.clone(), 1));
    shows(&first, SIGN, "Tam giác đỏ");

    // Another picture is another file, and the one that is shown.
    send(&with_picture(GREEN, PictureFormat::Png, "Ô xanh")).await;
    let second = featured();
    assert_ne!(second, first);
    assert_eq!(files(), 2);
    shows(&second, GREEN, "Ô xanh");
    shows(&first, SIGN, "Tam giác đỏ");
    // And the first again is the first file.
    send(&sign).await;
    assert_eq!((featured(), files()), (first.clone(), 2));

    // Without a picture, as a correction is, none is shown; the files stay.
    send(&super::pictures::article()).await;
    assert_eq!((featured(), files()), (0.into(), 2));

    // A site without permalinks takes it as well.
    let mut with = parameters();
    with.insert("url".into(), site.url.clone());
    with.insert("api".into(), "/?rest_route=".into());
    with.insert("user".into(), USER.to_owned());
    with.insert("password".into(), site.password.clone());
    let plain = adapter_with(&website(), &with);
    let end = attempt(&plain, &sign, &NoNotes, &transport, now).await;
    assert!(matches!(end.ending, Ending::Accepted(_)), "{end:?}");
    assert_eq!((featured(), files()), (first, 2));
}
