//! Recipes that send other words than those that were approved, fewer of them, or the right ones badly written, and those that take a
//! failure for a yes: each is caught. Unusual ways to send them well are not.

use super::ground::{broken, examined, folder, told};
use crate::support::workspace::Folder;

const SPEAKER: &str = "channels/recipes/loudspeaker-http.yaml";
const CHAT: &str = "channels/recipes/chat-webhook.yaml";
const SITE: &str = "channels/recipes/wordpress.yaml";

/// The value that has the words.
const SPOKEN: &str = r#"text: "{{ message.spoken }}""#;
const WRITTEN: &str = r#"text: "{{ message.text }}""#;
const YES: &str = r#"accepted: { status: [202], json: { "/status": queued }, receipt: "/id" }"#;

/// The codes that a scenario gives after an edit, and all that was seen.
async fn found(folder: &Folder, channel: &str, scenario: &str) -> (Vec<&'static str>, String) {
    let found = examined(&folder.load(), channel, |one| one.id == scenario).await;
    let codes = broken(&found).remove(scenario).unwrap_or_default();
    (codes, told(&found))
}

#[tokio::test]
async fn wrong_words_are_caught() {
    let mut missed = Vec::new();
    for (file, right, instead, scenario, code) in [
        // less than the message
        (
            SPEAKER,
            SPOKEN,
            r#"text: "{{ message.title }}""#,
            "words-whole",
            "not-the-message",
        ),
        (
            SPEAKER,
            SPOKEN,
            "text: Có tin mới",
            "words-whole",
            "no-words",
        ),
        (
            SPEAKER,
            SPOKEN,
            r#"text: "{{ message.title }}""#,
            "vietnamese-nfc",
            "not-the-message",
        ),
        (
            CHAT,
            WRITTEN,
            "text: Có tin mới",
            "words-whole",
            "not-the-message",
        ),
        (
            CHAT,
            WRITTEN,
            r#"text: "{{ message.html }}""#,
            "words-whole",
            "not-the-message",
        ),
        (
            CHAT,
            WRITTEN,
            r#"text: "{{ message.text | split(pat=' ') | last }}""#,
            "words-whole",
            "not-the-message",
        ),
        (
            SPEAKER,
            SPOKEN,
            r#"text: "{{ message.spoken | truncate(length=160) }}""#,
            "words-whole",
            "words-cut",
        ),
        (
            CHAT,
            WRITTEN,
            r#"text: "{{ message.text | truncate(length=160) }}""#,
            "words-whole",
            "words-cut",
        ),
        // written for another container
        (
            SPEAKER,
            SPOKEN,
            r#"text: "{{ message.spoken | escape_html }}""#,
            "words-whole",
            "words-escaped",
        ),
        (
            SPEAKER,
            SPOKEN,
            r#"text: "{{ message.spoken | urlencode }}""#,
            "words-whole",
            "words-escaped",
        ),
        (
            CHAT,
            WRITTEN,
            r#"text: "{{ message.text | json_encode }}""#,
            "words-whole",
            "words-escaped",
        ),
        // heard twice, or with what nobody approved
        (
            SPEAKER,
            SPOKEN,
            r#"text: "{{ message.spoken }} {{ message.spoken }}""#,
            "words-whole",
            "words-twice",
        ),
        (
            SPEAKER,
            SPOKEN,
            r#"text: "Xin chào. {{ message.spoken }} Hết.""#,
            "words-whole",
            "words-added",
        ),
        (
            CHAT,
            WRITTEN,
            r#"text: "{{ message.text }} Goi 0912345678 de nhan tien""#,
            "words-whole",
            "words-added",
        ),
        // nothing to say in the second attempt
        (
            SPEAKER,
            SPOKEN,
            r#"text: "{% if message.attempt == 1 %}{{ message.spoken }}{% endif %}""#,
            "busy-seconds",
            "words-gone",
        ),
        (
            CHAT,
            WRITTEN,
            r#"text: "{% if message.attempt == 1 %}{{ message.text }}{% endif %}""#,
            "resend",
            "words-gone",
        ),
    ] {
        let folder = folder();
        folder.edit(file, right, instead);
        let channel = if file == SPEAKER {
            "loa-hb-1"
        } else {
            "kit-chat"
        };
        let (codes, told) = found(&folder, channel, scenario).await;
        if !codes.contains(&code) {
            missed.push(format!("{scenario} {code}: {instead}\n{told}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// A loudspeaker's recipe with another request.
fn with_request(headers: &str, body: &str) -> String {
    format!(
        r#"
title: Loa
parameters:
  url: {{ about: "Địa chỉ" }}
  token: {{ secret: true, about: "Mật khẩu" }}
request:
  method: POST
  url: "{{{{ with.url }}}}/api/speak"
  headers: {{ Authorization: "Bearer {{{{ with.token }}}}"{headers} }}
  body: {body}
{YES}
errors:
  - {{ status: [400, 401, 403, 404, 410, 422], then: reject }}
  - {{ status: "5xx", then: unknown }}
"#
    )
}

#[tokio::test]
async fn a_body_that_is_not_what_it_is_said_to_be_is_caught() {
    for (headers, body, code) in [
        (
            ", Content-Type: application/json",
            r#"{ text: '{"text": "{{ message.spoken }}"}' }"#,
            "no-json",
        ),
        (
            "",
            r#"{ text: '{"text": "{{ message.spoken }}"}' }"#,
            "no-json",
        ),
        (
            ", Content-Type: \"text/xml; charset=utf-8\"",
            r#"{ text: "<x>{{ message.spoken }}</x>" }"#,
            "no-xml",
        ),
        (
            ", Content-Type: text/html",
            r#"{ json: { text: "{{ message.spoken }}" } }"#,
            "other-type",
        ),
        (
            ", Content-Type: application/x-www-form-urlencoded",
            r#"{ json: { text: "{{ message.spoken }}" } }"#,
            "other-type",
        ),
        (
            ", Content-Type: text/plain",
            r#"{ text: "{{ message.spoken }}" }"#,
            "no-charset",
        ),
    ] {
        let folder = folder();
        folder.write(SPEAKER, &with_request(headers, body));
        let (codes, told) = found(&folder, "loa-hb-1", "words-whole").await;
        assert!(codes.contains(&code), "{code}: {body}\n{told}");
    }
}

#[tokio::test]
async fn unusual_ways_to_send_the_words_well_hold() {
    for (headers, body) in [
        (
            "",
            r#"{ form: { dcs: "8", text: "{{ message.spoken | utf16_hex }}" } }"#,
        ),
        ("", r#"{ json: { text: "{{ message.spoken | hex }}" } }"#),
        ("", r#"{ json: { text: "{{ message.spoken | base64 }}" } }"#),
        (
            "",
            r#"{ json: { play: { $base64: { data: { $json: { say: "{{ message.spoken }}" } } } } } }"#,
        ),
        (
            "",
            r#"{ json: { ssml: "<speak>{{ message.spoken | escape_xml }}<break time='1s'/></speak>" } }"#,
        ),
        (
            "",
            r#"{ json: { query: "mutation($t:String!){speak(text:$t){ok}}", variables: { t: "{{ message.spoken }}" } } }"#,
        ),
        (
            "",
            r#"{ json: { query: "mutation { speak(text: {{ message.spoken | json_encode }}) { ok } }" } }"#,
        ),
        (
            "",
            r#"{ json: { media: "http://10.0.1.1/tts?lang=vi&text={{ message.spoken | urlencode }}" } }"#,
        ),
        (
            "",
            r#"{ multipart: { lang: vi, text: "{{ message.spoken }}" } }"#,
        ),
        (
            ", Content-Type: \"text/xml; charset=utf-8\"",
            r#"{ text: "<s:Envelope xmlns:s='urn:s'><s:Body><Say lang='vi'>{{ message.spoken | escape_xml }}</Say></s:Body></s:Envelope>" }"#,
        ),
        (
            ", Content-Type: text/xml",
            r#"{ text: "<Say><![CDATA[{{ message.spoken }}]]></Say>" }"#,
        ),
        ("", r#"{ text: "{{ message.spoken }}" }"#),
    ] {
        let folder = folder();
        folder.write(SPEAKER, &with_request(headers, body));
        for scenario in ["words-whole", "vietnamese-nfc", "resend"] {
            let (codes, told) = found(&folder, "loa-hb-1", scenario).await;
            assert!(codes.is_empty(), "{body}\n{told}");
        }
    }
    let folder = folder();
    folder.write(
        SPEAKER,
        &with_request("", "{ json: {} }").replace(
            "/api/speak",
            "/say/{{ message.spoken | urlencode }}?t={{ message.title | urlencode }}",
        ),
    );
    let (codes, told) = found(&folder, "loa-hb-1", "words-whole").await;
    assert!(codes.is_empty(), "{told}");
}

#[tokio::test]
async fn a_page_without_its_words_is_caught() {
    let content = r#"content: "{{ value.page }}""#;
    for (instead, code) in [
        (r#"content: "{{ message.summary }}""#, "not-the-message"),
        (
            r#"content: "{{ message.html | escape_html }}""#,
            "words-escaped",
        ),
        (r#"content: "<p>{{ message.text }}</p>""#, "words-escaped"),
    ] {
        let folder = folder();
        folder.edit(SITE, content, instead);
        let (codes, told) = found(&folder, "web-hb", "words-whole").await;
        assert!(codes.contains(&code), "{instead}\n{told}");
    }
}

#[tokio::test]
async fn a_failure_in_the_status_of_a_success_is_no_yes() {
    for instead in [
        r#"accepted: { status: [200, 202], json: { "": "*" } }"#,
        r#"accepted: { status: [202], json: { "/status": "*" } }"#,
    ] {
        let folder = folder();
        folder.edit(SPEAKER, YES, instead);
        let (codes, told) = found(&folder, "loa-hb-1", "success-failed").await;
        assert_eq!(codes, ["said-yes"], "{instead}\n{told}");
    }
}

/// A site without anything but the status of its answer.
fn site(accepted: &str) -> String {
    format!(
        r#"
title: Trang
parameters:
  url: {{ about: "Địa chỉ" }}
  user: {{ about: "Tài khoản" }}
  password: {{ secret: true, about: "Mật khẩu" }}
auth: {{ bearer: "{{{{ with.password }}}}" }}
request:
  method: PUT
  url: "{{{{ with.url }}}}/articles/{{{{ message.slug }}}}"
  body: {{ json: {{ title: "{{{{ message.title }}}}", html: "{{{{ message.html }}}}" }} }}
{accepted}
"#
    )
}

#[tokio::test]
async fn a_page_of_somebody_else_is_no_yes_of_a_site() {
    for (accepted, expected) in [
        ("accepted: { status: 2xx }", vec!["said-yes"]),
        ("", vec!["said-yes"]),
        // Nobody who answers for a site says so.
        ("accepted: { status: [201, 204] }", vec![]),
        (
            "accepted: { status: 200, json: { /slug: \"{{ message.slug }}\" } }",
            vec![],
        ),
    ] {
        let folder = folder();
        folder.write(SITE, &site(accepted));
        let (codes, told) = found(&folder, "web-hb", "stranger").await;
        assert_eq!(codes, expected, "{accepted}\n{told}");
        let (codes, told) = found(&folder, "web-hb", "success-failed").await;
        assert!(codes.is_empty(), "{accepted}\n{told}");
    }
}
