//! Receivers with one address for everything, logins in more than one step, and gateways of text messages: right recipes at which nothing
//! may be found.

use loa::conformance::Scenario;

use super::ground::{broken, examined, folder, told};

const SPEAKER: &str = "channels/recipes/loudspeaker-http.yaml";

/// Everything goes to one path; what is asked for stands in the query, beside a time that is another one in each request.
const BY_QUERY: &str = r#"
title: Cổng một địa chỉ
parameters:
  url: { about: "Địa chỉ cổng" }
  token: { secret: true, about: "Mật khẩu" }
steps:
  login:
    when: always
    request: { method: GET, url: "{{ with.url }}/router?method=login&t={{ request.unix_ms }}&sign={{ (with.token ~ request.unix_ms) | md5 }}" }
    accepted: { status: 200, json: { /code: "0" } }
    take: { key: /key }
    valid_for: 8m
request:
  method: POST
  url: "{{ with.url }}/router?method=speak&key={{ steps.login.key }}"
  body: { json: { id: "{{ message.delivery }}", text: "{{ message.spoken }}" } }
accepted: { status: 200, json: { /code: "0", /job: "*" }, receipt: /job }
confirm:
  request: { method: GET, url: "{{ with.url }}/router?method=state&key={{ steps.login.key }}&job={{ receipt }}" }
  confirmed: { status: 200, json: { /state: played } }
  refuted: { status: 200, json: { /state: failed } }
  later: { every: 1m, within: 30m }
errors:
  - { status: [400, 401, 403, 404, 410], then: reject }
  - { status: [429, 503], then: retry }
  - { status: ["5xx"], then: unknown }
"#;

#[tokio::test]
async fn a_question_is_told_from_the_login_before_it_by_its_turn() {
    let folder = folder();
    folder.write(SPEAKER, BY_QUERY);
    let found = examined(&folder.load(), "loa-hb-1", |one| one.id == "asked-later").await;
    assert!(broken(&found).is_empty(), "{}", told(&found));
}

/// SOAP: one address, and the operation is an element.
const BY_ELEMENT: &str = r#"
title: Cổng SOAP
parameters:
  url: { about: "Địa chỉ cổng" }
  token: { secret: true, about: "Mật khẩu" }
request:
  method: POST
  url: "{{ with.url }}/services/Announce"
  headers: { Content-Type: "text/xml; charset=utf-8" }
  body:
    text: |
      <?xml version="1.0" encoding="utf-8"?>
      <s:Envelope xmlns:s="urn:s"><s:Header><Password>{{ with.token | escape_xml }}</Password></s:Header><s:Body><Submit><reference>{{ message.delivery }}</reference><text>{{ message.spoken | escape_xml }}</text></Submit></s:Body></s:Envelope>
accepted: { status: 200, pattern: '<SubmitResponse><status>0<' }
errors:
  - { status: [429, 503], then: retry }
  - { status: ["4xx"], then: reject }
  - { status: ["5xx"], then: unknown }
probe:
  request:
    method: POST
    url: "{{ with.url }}/services/Announce"
    headers: { Content-Type: "text/xml; charset=utf-8" }
    body:
      text: |
        <?xml version="1.0" encoding="utf-8"?>
        <s:Envelope xmlns:s="urn:s"><s:Header><Password>{{ with.token | escape_xml }}</Password></s:Header><s:Body><Ping/></s:Body></s:Envelope>
  healthy: { status: 200, text: "<PingResponse>" }
"#;

#[tokio::test]
async fn a_question_is_told_from_the_call_by_its_operation() {
    let folder = folder();
    for (asks, expected) in [("<Ping/>", 0), ("<Submit><text>thu</text></Submit>", 1)] {
        folder.write(SPEAKER, &BY_ELEMENT.replace("<Ping/>", asks));
        let found = examined(&folder.load(), "loa-hb-1", |one| one.id == "probe-well").await;
        assert_eq!(broken(&found).len(), expected, "{asks}: {}", told(&found));
    }
}

/// A number that the password is hashed with comes first; only what the login gives is kept.
const TWO_STEPS: &str = r#"
title: Loa đăng nhập hai bước
parameters:
  url: { about: "Địa chỉ loa" }
  token: { secret: true, about: "Mật khẩu" }
auth: { bearer: "{{ steps.login.token }}" }
steps:
  form:
    when: always
    request: { method: GET, url: "{{ with.url }}/nonce", auth: none }
    take: { nonce: /nonce }
  login:
    when: always
    request: { method: POST, url: "{{ with.url }}/login", auth: none, body: { json: { nonce: "{{ steps.form.nonce }}", pw: "{{ (steps.form.nonce ~ with.token) | md5 }}" } } }
    take: { token: /token }
    valid_for: 10m
request: { method: POST, url: "{{ with.url }}/speak", body: { json: { id: "{{ message.delivery }}", text: "{{ message.spoken }}" } } }
accepted: { status: 202, json: { /job: "*" }, receipt: /job }
errors:
  - { status: 401, then: account }
  - { status: [429, 503], then: retry }
  - { status: "4xx", then: reject }
  - { status: "5xx", then: unknown }
"#;

#[tokio::test]
async fn the_login_that_ends_may_be_the_last_of_several_steps() {
    let folder = folder();
    for kept in ["valid_for: 10m", "poll: { every: 1s, most: 2 }"] {
        folder.write(SPEAKER, &TWO_STEPS.replace("valid_for: 10m", kept));
        let found = examined(&folder.load(), "loa-hb-1", |one| one.id == "renewal").await;
        assert!(broken(&found).is_empty(), "{kept}: {}", told(&found));
    }
}

/// A key in hexadecimal digits, and words without marks because the gateway knows no others.
const TEXT_MESSAGES: &str = r#"
title: Cổng tin nhắn
parameters:
  url: { about: "Địa chỉ cổng" }
  token: { secret: true, about: "Khóa, viết bằng chữ số hệ 16" }
values:
  body: "{{ message.text | ascii }}"
request:
  method: POST
  url: "{{ with.url }}/send"
  body: { form: { ref: "{{ message.delivery }}", msg: "{{ value.body }}", sign: '{{ value.body | hmac_sha256(key=with.token, key_from="hex") }}' } }
accepted: { status: 200, pattern: '^OK:[0-9]+', receipt: { pattern: '^OK:([0-9]+)' } }
errors:
  - { status: [429, 503], then: retry }
  - { status: ["4xx"], then: reject }
  - { status: ["5xx"], then: unknown }
"#;

/// What reads the words aloud would read other ones.
#[tokio::test]
async fn words_lose_their_marks_on_purpose_only_as_text_messages() {
    let folder = folder();
    folder.write("channels/recipes/tin-nhan.yaml", TEXT_MESSAGES);
    let spoken = TEXT_MESSAGES.replace("message.text", "message.spoken");
    folder.write("channels/recipes/loa-khong-dau.yaml", &spoken);
    let channel = |id: &str, kind: &str| {
        format!(
            "  {id}:\n    ward: le-loi\n    name: Kênh {id}\n    {kind}\n    adapter: {{ recipe: {{ use: {id}, with: {{ url: \"http://10.0.0.71\", \
             token: \"env:LOA_T7\" }} }} }}\n"
        )
    };
    let (text, voice) = (
        channel("tin-nhan", "kind: chat\n    format: message"),
        channel("loa-khong-dau", "kind: loudspeaker"),
    );
    folder.write(
        "channels/khong-dau.yaml",
        &format!("channels:\n{text}{voice}"),
    );
    for (channel, expected) in [("tin-nhan", 0), ("loa-khong-dau", 2)] {
        let wanted =
            |one: &Scenario| ["accepted", "vietnamese-nfc", "vietnamese-nfd"].contains(&one.id);
        let found = examined(&folder.load(), channel, wanted).await;
        assert_eq!(
            broken(&found).len(),
            expected,
            "{channel}: {}",
            told(&found)
        );
    }
}
