//! The picture of an article in the language of recipes: steps that are made for it alone, what is done already, and uploads.

use std::sync::Arc;

use bytes::Bytes;
use loa::{
    adapter::{Adapter as _, Failure, Step},
    domain::{
        bulletin::Format,
        message::{Content, Message},
        picture::{Picture, PictureFormat, PictureHash},
    },
};
use serde_json::Value;

use super::{
    message,
    steps::{header, ok, play, says, written},
};

/// The message of every test as an article with these bytes as its picture.
pub(super) fn with_picture(bytes: &'static [u8], format: PictureFormat, alt: &str) -> Message {
    let message = article();
    let content = Content {
        picture: Some(Picture {
            file: "anh.jpg".into(),
            hash: PictureHash::of(bytes),
            format,
            alt: alt.to_owned(),
        }),
        ..(*message.content).clone()
    };
    Message {
        content: Arc::new(content),
        picture: Some(Bytes::from_static(bytes)),
        ..message
    }
}

pub(super) fn article() -> Message {
    let message = message();
    let content = Content {
        format: Format::Article,
        ..(*message.content).clone()
    };
    Message {
        content: Arc::new(content),
        ..message
    }
}

/// Looks, uploads, and names what it has then.
const SITE: &str = r#"
steps:
  media:
    when: picture
    find:
      request: { method: GET, url: "{{ with.url }}/media?slug={{ picture.slug }}" }
      found: { json: { /0/slug: "{{ picture.slug }}" } }
      absent: { json: { "": "[]" } }
      take: { id: /0/id }
    request:
      method: POST
      url: "{{ with.url }}/media"
      headers: { X-Name: "{{ picture.slug }}.{{ picture.extension }}", X-Hash: "{{ picture.hash }}" }
      body: picture
    take: { id: /id }
  always:
    request: { method: POST, url: "{{ with.url }}/session" }
request:
  method: POST
  url: "{{ with.url }}/posts"
  body: { json: { alt: "{% if picture %}{{ picture.alt }}{% endif %}", media: { $number: "{% if picture %}{{ steps.media.id }}{% else %}0{% endif %}" } } }
errors:
  - { status: 503, then: retry }
"#;

fn calls(requests: &[loa::adapter::Request]) -> Vec<String> {
    let call = |request: &loa::adapter::Request| {
        let path = request.url.trim_start_matches("http://10.1.4.3");
        format!("{} {path}", request.method)
    };
    requests.iter().map(call).collect()
}

#[test]
fn what_is_there_is_taken_and_what_is_not_is_uploaded() {
    let adapter = written(SITE);
    assert!(adapter.wants_picture());
    let message = with_picture(b"\xff\xd8\xff...", PictureFormat::Jpeg, "Biển \"báo\"");
    let picture = message.content.picture.clone().unwrap();
    let slug = picture.slug();
    let look = format!("GET /media?slug={slug}");

    let answers = [ok("[]"), says(201, &[], r#"{"id": 70001}"#), ok(""), ok("")];
    let (requests, end) = play(&adapter, &message, answers);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    let upload = ["POST /media", "POST /session", "POST /posts"].map(str::to_owned);
    assert_eq!(
        calls(&requests),
        [vec![look.clone()], upload.into()].concat()
    );
    assert_eq!(requests[1].body, message.picture.clone().unwrap());
    assert_eq!(header(&requests[1], "Content-Type"), Some("image/jpeg"));
    assert_eq!(
        header(&requests[1], "X-Name"),
        Some(format!("{slug}.jpg").as_str())
    );
    assert_eq!(header(&requests[1], "X-Hash"), Some(picture.hash.as_str()));
    let body: Value = serde_json::from_slice(&requests[3].body).unwrap();
    assert_eq!(body["media"], 70_001, "a number as the site gave it");
    assert_eq!(body["alt"], "Biển \"báo\"");
    assert!(
        requests
            .iter()
            .all(|request| request.hidden_values().is_empty()),
        "the number of a picture is no secret"
    );

    let there = format!(r#"[{{"slug": "{slug}", "id": 8}}]"#);
    let (requests, end) = play(&adapter, &message, [ok(&there), ok(""), ok("")]);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    let without_upload = [look.as_str(), "POST /session", "POST /posts"];
    assert_eq!(calls(&requests), without_upload);
    let body: Value = serde_json::from_slice(&requests[2].body).unwrap();
    assert_eq!(body["media"], 8);

    // A question without a clear answer uploads nothing.
    let (requests, end) = play(&adapter, &message, [ok(r#"[{"slug": "khac", "id": 8}]"#)]);
    assert_eq!(calls(&requests), [look]);
    assert!(
        matches!(end, Step::Failed(Failure::Retry { .. })),
        "{end:?}"
    );
    let answers = [ok("[]"), says(503, &[], "")];
    let (_, end) = play(&adapter, &message, answers);
    assert!(
        matches!(end, Step::Failed(Failure::Retry { .. })),
        "nobody saw that yet: {end:?}"
    );
}

#[test]
fn an_article_without_a_picture_asks_nothing_about_one() {
    let (requests, end) = play(&written(SITE), &article(), [ok(""), ok("")]);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    assert_eq!(calls(&requests), ["POST /session", "POST /posts"]);
    let body: Value = serde_json::from_slice(&requests[1].body).unwrap();
    assert_eq!(body, serde_json::json!({ "alt": "", "media": 0 }));
}

#[test]
fn a_picture_goes_in_a_form_and_in_json_too() {
    let adapter = written(
        r#"
steps:
  form:
    when: picture
    request: { method: POST, url: "{{ with.url }}/a", body: { multipart: { file: { picture: true, filename: "{{ picture.slug }}.{{ picture.extension }}" } } } }
  json:
    when: picture
    request: { method: POST, url: "{{ with.url }}/b", body: { json: { data: { $picture: base64 }, type: "{{ picture.type }}" } } }
request: { method: POST, url: "{{ with.url }}/c" }
"#,
    );
    let message = with_picture(b"\x89PNG\r\n--", PictureFormat::Png, "Biển");
    let (requests, _) = play(&adapter, &message, [ok(""), ok(""), ok("")]);
    let form = &requests[0].body;
    let has = |wanted: &[u8]| form.windows(wanted.len()).any(|part| part == wanted);
    assert!(has(
        b"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--\r\n--"
    ));
    let name = format!(
        "filename=\"{}.png\"",
        message.content.picture.as_ref().unwrap().slug()
    );
    assert!(has(name.as_bytes()));
    let json: Value = serde_json::from_slice(&requests[1].body).unwrap();
    assert_eq!(
        json,
        serde_json::json!({ "data": "iVBORw0KLS0=", "type": "image/png" })
    );
}
