//! Pictures on a Zalo Official Account: the cover of an article by an address that Zalo can fetch, and an upload that goes with a message.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use loa::{
    adapter::{Adapter as _, Fault, Step, zalo::ZaloAdapter},
    domain::{
        bulletin::Format,
        delivery::Reason,
        message::{Kept, Message},
        picture::{Picture, PictureFormat, PictureHash},
        zalo::ZaloConfig,
    },
};
use serde_json::{Value, json};

use super::steps::{MORNING, adapter, channel, config, message, no, of, play, reason, yes};
use crate::support::city::at;

fn with_picture() -> Message {
    let mut message = message(Kept::default(), at(MORNING));
    Arc::make_mut(&mut message.content).picture = Some(Picture {
        file: "ảnh.png".into(),
        hash: PictureHash::of(b"..."),
        format: PictureFormat::Png,
        alt: "Biển".into(),
    });
    message.picture = Some(Bytes::from_static(b"..."));
    message
}

/// The address of the cover that a message gets.
fn cover(config: &ZaloConfig, message: &Message) -> Value {
    let adapter = adapter(config);
    let answers = vec![
        yes(&json!({ "token": "t" })),
        yes(&json!({ "id": "a1" })),
        yes(&json!({ "message_id": "m1" })),
    ];
    let (_, done, end) = play(&adapter, message, answers);
    assert_eq!(end, Some(Step::accepted(Some("m1".into()))));
    let body: Value = serde_json::from_slice(&done[0].request.body).unwrap();
    body["cover"]["photo_url"].clone()
}

/// A channel for messages that carry the picture.
fn to_a_person() -> ZaloAdapter {
    let config = ZaloConfig {
        user: Some("1234".into()),
        picture: true,
        ..config()
    };
    of(&config, Format::Message)
}

#[test]
fn a_message_carries_the_picture_that_was_uploaded_for_it() {
    let adapter = to_a_person();
    assert!(adapter.wants_picture());
    let uploaded = |id: &str| yes(&json!({ "attachment_id": id }));
    let sent = || yes(&json!({ "message_id": "m1" }));
    let accepted = Some(Step::accepted(Some("m1".into())));
    let (calls, done, end) = play(&adapter, &with_picture(), vec![uploaded("p1"), sent()]);
    assert_eq!(
        (calls.join(", ").as_str(), end),
        ("image -, cs -", accepted.clone())
    );
    let upload = &done[0].request;
    let text = String::from_utf8_lossy(&upload.body);
    let slug = with_picture().content.picture.as_ref().unwrap().slug();
    let named = format!(
        "name=\"file\"; filename=\"{slug}.png\"\r\nContent-Type: image/png\r\n\r\n...\r\n--"
    );
    assert!(text.contains(&named), "{text}");
    let media = &upload
        .headers
        .iter()
        .find(|(name, _)| name == "Content-Type")
        .unwrap()
        .1;
    let boundary = media
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    assert!(
        text.starts_with(&format!("--{boundary}\r\n"))
            && text.ends_with(&format!("\r\n--{boundary}--\r\n"))
    );
    let body: Value = serde_json::from_slice(&done[1].request.body).unwrap();
    assert_eq!(body["message"]["text"], "**Bà con** chú ý.\n\nGọi 113.");
    assert_eq!(
        body["message"]["attachment"],
        json!({ "type": "template", "payload": { "template_type": "media", "elements": [{ "media_type": "image", "attachment_id": "p1" }] } })
    );

    // What was uploaded has ended: once more, and no third time.
    let again = vec![uploaded("p1"), no(-100), uploaded("p2"), sent()];
    let (calls, done, end) = play(&adapter, &with_picture(), again);
    assert_eq!(
        (calls.join(", ").as_str(), end),
        ("image -, cs -, image -, cs -", accepted.clone())
    );
    let body: Value = serde_json::from_slice(&done[3].request.body).unwrap();
    assert_eq!(
        body["message"]["attachment"]["payload"]["elements"][0]["attachment_id"],
        "p2"
    );
    let twice = vec![uploaded("p1"), no(-100), uploaded("p2"), no(-100)];
    let (_, _, end) = play(&adapter, &with_picture(), twice);
    assert_eq!(reason(end.as_ref()), ("reject", Reason::Status));

    // A lost upload was seen by nobody; a lost message may have arrived.
    let lost = || Err(Fault::may_have_left(Reason::Timeout, "call-timeout"));
    let (_, _, end) = play(&adapter, &with_picture(), vec![lost()]);
    assert_eq!(reason(end.as_ref()), ("retry", Reason::Unanswered));
    let (_, _, end) = play(&adapter, &with_picture(), vec![uploaded("p1"), lost()]);
    assert_eq!(reason(end.as_ref()), ("unknown", Reason::Timeout));
    let (_, _, end) = play(&adapter, &with_picture(), vec![yes(&json!({}))]);
    assert_eq!(reason(end.as_ref()), ("retry", Reason::Unexpected));

    // Without a picture, or where the channel does not ask for it, a message is what it was.
    let without = message(Kept::default(), at(MORNING));
    let plain = of(&config(), Format::Message);
    assert!(!plain.wants_picture());
    for (adapter, message) in [(&adapter, &without), (&plain, &with_picture())] {
        let (calls, done, end) = play(adapter, message, vec![sent()]);
        assert_eq!((calls.join(", ").as_str(), end), ("cs -", accepted.clone()));
        let body: Value = serde_json::from_slice(&done[0].request.body).unwrap();
        assert_eq!(body["message"], json!({ "text": message.content.text }));
    }
}

#[test]
fn an_article_has_its_own_picture_where_zalo_can_fetch_it() {
    let for_all = "https://loa.example/%E1%BA%A3nh%20b%C3%ACa.jpg";
    let plain = config();
    assert!(!adapter(&plain).wants_picture());
    assert_eq!(cover(&plain, &with_picture()), for_all);
    for address in [
        "https://loa.vinh.example/ảnh",
        "https://loa.vinh.example/ảnh/",
    ] {
        let config = ZaloConfig {
            pictures: Some(address.into()),
            ..config()
        };
        // What is not on record could not be fetched, so the message has to hold it.
        assert!(adapter(&config).wants_picture());
        let hash = blake3::hash(b"...").to_hex();
        let own = format!("https://loa.vinh.example/%E1%BA%A3nh/{hash}.png");
        assert_eq!(cover(&config, &with_picture()), own);
        let without = message(Kept::default(), at(MORNING));
        assert_eq!(cover(&config, &without), for_all);
    }
}

/// What a broadcast's page says of its picture is what the adapter does with it.
#[test]
fn a_channel_carries_the_pictures_that_its_adapter_wants() {
    for format in [Format::Article, Format::Message] {
        for (pictures, picture) in [(None, false), (Some("https://a.example/anh"), true)] {
            let config = ZaloConfig {
                user: (format == Format::Message).then(|| "1234".into()),
                pictures: pictures.map(Into::into),
                picture,
                ..config()
            };
            let wants = of(&config, format).wants_picture();
            let channel = channel(&config, format);
            assert_eq!(wants, picture, "{format:?}");
            assert_eq!(channel.carries_pictures(&BTreeMap::new()), wants);
        }
    }
}
