//! Sites whose list says where its next page is, that ask in their own way to be left alone, and that take only so many words.

use serde_json::json;

use super::{as_json, folder, tried};

/// A site whose list says where its next page is, and that asks in its own way to be left alone; it takes 60 bytes of a title.
const NEXT: &str = r#"
title: Trang tin có trang sau
parameters: { url: {}, token: { secret: true } }
values:
  caller: "{{ with.token | base64 }}"
  title: "{{ message.title | ascii }}"
limits: { value.title: { bytes: 60 } }
find:
  when: always
  request: { method: GET, url: "{{ with.url }}/tin", headers: { X-Caller: "{{ value.caller }}" } }
  list: /value
  found: { json: { /slug: "{{ message.slug }}" } }
  pages: { next: { header: Link, rel: next }, most: 3 }
  absent: { status: 200 }
request: { method: POST, url: "{{ with.url }}/tin", body: { json: { title: "{{ value.title }}" } } }
errors:
  - { status: 420, then: retry, after: /wait }
probe:
  request: { method: GET, url: "{{ with.url }}/toi", headers: { X-Caller: "{{ value.caller }}" } }
"#;

#[test]
fn next_pages_wishes_and_limits_are_shown() {
    let folder = folder();
    folder.write("channels/recipes/trang-sau.yaml", NEXT);
    folder.write(
        "channels/trang-sau.yaml",
        "channels:\n  web-sau:\n    ward: le-loi\n    name: Trang có trang sau\n    kind: website\n    adapter: { recipe: { use: trang-sau, with: { \
         url: \"https://sau.vinh.example\", token: \"env:LOA_W1\" } } }\n",
    );
    let page =
        |link: &str| format!("HTTP/1.1 200 OK\nLink: <{link}>; rel=next\n\n{{\"value\": []}}\n");
    let web = ["web-sau", "--bulletin", "mot"];
    let answers = [
        page("/tin?trang=2"),
        "HTTP/1.1 200 OK\n\n{\"value\": []}\n".to_owned(),
        "HTTP/1.1 420 Enhance\n\n{\"wait\": 45}\n".to_owned(),
    ];
    let (code, told) = as_json(&folder, &web, &answers.concat());
    assert_eq!(
        (code, &told["verdict"], &told["retry_after_seconds"]),
        (1, &json!("retry"), &json!(45))
    );
    let urls: Vec<&str> = told["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| request["url"].as_str().unwrap())
        .collect();
    let site = "https://sau.vinh.example";
    let expected = [
        format!("{site}/tin"),
        format!("{site}/tin?trang=2"),
        format!("{site}/tin"),
    ];
    assert_eq!(urls, expected);
    let said = tried(&folder, &web, &page("https://khac.example/tin"));
    assert_eq!(said.code, 1);
    assert!(
        said.out.contains("thuộc máy chủ khác (khac.example)"),
        "{}",
        said.out
    );
    let said = tried(&folder, &web, &page("/tin"));
    assert!(said.out.contains("về một trang đã xem"), "{}", said.out);
    let said = tried(&folder, &["web-sau", "--probe"], "");
    assert!(
        said.out.contains("X-Caller: ZW52OkxPQV9XMQ=="),
        "{}",
        said.out
    );
    // No schedule sends this one there, so it is only warned of, and refused where it is sent by hand.
    let one = std::fs::read_to_string(folder.path().join("content/bulletins/mot.yaml")).unwrap();
    let long = "Cảnh giác ".repeat(7);
    let long = one.replace("title: Cảnh giác", &format!("title: {long}"));
    folder.write("content/bulletins/ba.yaml", &long);
    let (code, told) = as_json(&folder, &["web-sau", "--bulletin", "ba"], "");
    assert_eq!((code, &told["verdict"]), (1, &json!("reject")), "{told}");
    assert!(
        told["why"].as_str().unwrap().contains("`value.title` dài"),
        "{told}"
    );
    assert_eq!(told["requests"], json!([]));
}
