//! Receivers with one address for everything, and logins in more than one step: right recipes at which nothing may be found.

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
