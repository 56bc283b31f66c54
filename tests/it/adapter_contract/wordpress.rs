//! WordPress: a real one with a database of its own, reached by the shipped recipe.

use std::sync::Arc;

use loa::{
    adapter::{
        Failure,
        attempt::{Ending, NoNotes, attempt, look_after, probe},
        recipe::RecipeAdapter,
        transport::Transport,
    },
    domain::{
        delivery::{Evidence, Reason},
        id::BulletinId,
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
use crate::support::wordpress::{OTHERS, USER, WordPress};

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
        hash: content.hash(),
        content: Arc::new(content),
        ..message
    }
}

/// What the site says when it is asked afterwards whether `message` still stands there.
async fn stands(
    adapter: &RecipeAdapter,
    message: &Message,
    transport: &Transport,
) -> Result<(), Reason> {
    let now = || instant("2024-03-25T05:40:00Z");
    let said = look_after(adapter, message, None, transport, now).await;
    said.map_err(|failure| failure.reason())
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
        // Around them is what only programs read.
        let content = said(post, "content");
        let inside = content
            .trim()
            .strip_prefix("<div class=\"loa-")
            .and_then(|rest| rest.split_once("\">"));
        let (version, inside) = inside.unwrap_or_else(|| panic!("{content}"));
        assert_eq!(version.len(), 16, "{content}");
        assert_eq!(
            inside.strip_suffix("</div>").unwrap().trim(),
            format!("<p>{words}</p>")
        );
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

    // Other words come to the same address, and those before are gone. Whoever asks for either is told so.
    assert_eq!(stands(&author, &first, &transport).await, Ok(()));
    let others = "Đính chính: số cũ đã sai";
    assert_eq!(send(&saying(others)).await, address);
    assert_eq!(stands(&author, &saying(others), &transport).await, Ok(()));
    assert_eq!(
        stands(&author, &first, &transport).await,
        Err(Reason::NotPlayed)
    );
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

fn as_account(site: &WordPress, user: &str, password: &str, api: &str) -> RecipeAdapter {
    let mut with = parameters();
    with.insert("url".into(), site.url.clone());
    with.insert("api".into(), api.to_owned());
    with.insert("user".into(), user.to_owned());
    with.insert("password".into(), password.to_owned());
    adapter_with(&website(), &with)
}

/// A channel's account changes: what the old one made is updated by an editor, and refused to an author, who makes no second page, no
/// draft and no file.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_account_never_gets_a_twin() {
    let Some(site) = WordPress::start() else {
        return;
    };
    let transport = Transport::new(settings()).unwrap();
    let now = || instant("2024-03-25T05:30:00Z");
    let [author, editor, _] = OTHERS;
    let [author_key, editor_key, _] = site.passwords.as_slice() else {
        panic!("three passwords")
    };
    let send = async |adapter: &RecipeAdapter, message: &Message| {
        attempt(adapter, message, &NoNotes, &transport, now).await
    };
    let drafts = || {
        let path = "/posts?status=draft&per_page=100";
        let all = site.act("GET", path, editor, editor_key);
        all.as_array().unwrap().len()
    };
    let files = || {
        let all = site.read("/media?per_page=100");
        all.as_array().unwrap().len()
    };
    let old = adapter(&site.url, &site.password);
    let sign = with_picture(SIGN, PictureFormat::Jpeg, "Biển báo");
    let end = send(&old, &sign).await;
    assert!(matches!(end.ending, Ending::Accepted(_)), "{end:?}");
    let slug = sign.slug();
    let first = site.shown(&slug);
    assert_eq!((first.len(), files(), drafts()), (1, 1, 0), "{first:?}");

    let other = as_account(&site, author, author_key, "/wp-json");
    for message in [&sign, &saying("Lời của tài khoản khác"), &sign] {
        let end = send(&other, message).await;
        let Ending::Failed(Failure::Reject { reason, detail }) = &end.ending else {
            panic!("{end:?}")
        };
        assert_eq!(*reason, Reason::Unauthorised, "{detail}");
        assert!(detail.contains("thuộc tài khoản khác"), "{detail}");
        assert_eq!(site.shown(&slug), first);
        assert_eq!((files(), drafts()), (1, 0), "nothing was made");
    }

    // The same picture in an article of its own: its words are its own account's to say.
    let mut own = with_picture(SIGN, PictureFormat::Jpeg, "Lời khác cho ảnh");
    Arc::make_mut(&mut own.content).bulletin = BulletinId::parse("bai-khac").unwrap();
    let mut moved = own.clone();
    for message in [&own, &own] {
        let end = send(&other, message).await;
        assert!(matches!(end.ending, Ending::Accepted(_)), "{end:?}");
        let shown = site.shown(&message.slug());
        assert_eq!((shown.len(), files()), (1, 2), "{shown:?}");
    }

    // An editor brings it up to date where it is.
    let chief = as_account(&site, editor, editor_key, "/wp-json");
    let others = "Đính chính: số cũ đã sai";
    let end = send(&chief, &saying(others)).await;
    assert!(matches!(end.ending, Ending::Accepted(_)), "{end:?}");
    let now_there = site.shown(&slug);
    assert_eq!(now_there.len(), 1, "{now_there:?}");
    assert_eq!(now_there[0]["id"], first[0]["id"]);
    assert!(now_there[0].to_string().contains(others), "{now_there:?}");

    // A draft that only editors see holds the address: nothing is shown under another one.
    Arc::make_mut(&mut moved.content).bulletin = BulletinId::parse("bai-nhap").unwrap();
    let held = moved.slug();
    let path = format!("/posts?title=Nhap&slug={held}&status=draft");
    let draft = site.act("POST", &path, USER, &site.password);
    assert_eq!(draft["slug"], held.as_str(), "{draft}");
    let all = || {
        let path = "/posts?status=any&per_page=100";
        let all = site.act("GET", path, editor, editor_key);
        all.as_array().unwrap().len()
    };
    let before = all();
    // Waiting for somebody to agree, and private, as well. Nothing is left behind, however often it is sent.
    for status in ["draft", "pending", "private"] {
        let path = format!("/posts/{}?status={status}", draft["id"]);
        let changed = site.act("POST", &path, editor, editor_key);
        assert_eq!(
            (&changed["status"], &changed["slug"]),
            (&status.into(), &held.as_str().into())
        );
        for api in ["/wp-json", "/?rest_route="] {
            let other = as_account(&site, author, author_key, api);
            let end = send(&other, &moved).await;
            let Ending::Failed(Failure::Reject { reason, detail }) = &end.ending else {
                panic!("{status} {end:?}")
            };
            assert_eq!(*reason, Reason::Unauthorised, "{detail}");
            assert!(detail.contains("Chưa tạo gì"), "{status} {detail}");
            assert_eq!(
                (site.shown(&held).len(), files(), all()),
                (0, 2, before),
                "{status}"
            );
        }
    }
    let end = send(&chief, &moved).await;
    assert!(matches!(end.ending, Ending::Accepted(_)), "{end:?}");
    let shown = site.shown(&held);
    assert_eq!(
        (shown.len(), &shown[0]["id"]),
        (1, &draft["id"]),
        "{shown:?}"
    );
}

/// Accounts that cannot do it are told of before anything is due, and by their name when something is sent.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_publish_is_named_by_probe_and_send() {
    let Some(site) = WordPress::start() else {
        return;
    };
    let transport = Transport::new(settings()).unwrap();
    let now = || instant("2024-03-25T05:30:00Z");
    let [author, _, contributor] = OTHERS;
    let [author_key, _, contributor_key] = site.passwords.as_slice() else {
        panic!("three passwords")
    };
    for api in ["/wp-json", "/?rest_route="] {
        let good = as_account(&site, author, author_key, api);
        assert_eq!(probe(&good, None, &transport, now).await, Some(Ok(())));
        for (user, key, words) in [
            (author, "sai-mat-khau", "mật khẩu ứng dụng không được nhận"),
            (
                "khong-co-ai",
                author_key.as_str(),
                "mật khẩu ứng dụng không được nhận",
            ),
            (contributor, contributor_key.as_str(), "cần vai trò Tác giả"),
        ] {
            let account = as_account(&site, user, key, api);
            let asked = probe(&account, None, &transport, now).await;
            let Some(Err(failure)) = asked else {
                panic!("{user} {asked:?}")
            };
            assert_eq!(failure.reason(), Reason::Unauthorised, "{failure:?}");
            assert!(failure.detail().contains(words), "{failure:?}");
            let end = attempt(&account, &message(), &NoNotes, &transport, now).await;
            let Ending::Failed(Failure::Reject { reason, detail }) = &end.ending else {
                panic!("{end:?}")
            };
            assert_eq!(*reason, Reason::Unauthorised, "{detail}");
            assert!(detail.contains(words), "{detail}");
        }
    }
    assert_eq!(site.shown(&message().slug()).len(), 0);

    // A site with plain permalinks leads elsewhere, and what to write is said.
    site.set_permalinks("");
    let plain = as_account(&site, author, author_key, "/wp-json");
    let asked = probe(&plain, None, &transport, now).await;
    let Some(Err(failure)) = asked else {
        panic!("{asked:?}")
    };
    assert!(failure.detail().contains("/?rest_route="), "{failure:?}");
    let end = attempt(&plain, &message(), &NoNotes, &transport, now).await;
    let Ending::Failed(Failure::Reject { detail, .. }) = &end.ending else {
        panic!("{end:?}")
    };
    assert!(detail.contains("/?rest_route="), "{detail}");
    let right = as_account(&site, author, author_key, "/?rest_route=");
    assert_eq!(probe(&right, None, &transport, now).await, Some(Ok(())));
}
