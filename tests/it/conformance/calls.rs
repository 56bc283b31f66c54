//! Recipes and adapters that are wrong in a call beside the one that counts, or in what tells repetitions apart: each is caught by the
//! scenario that is meant for it, and named with the key that is to be mended. Right ones that are unusual are caught by none.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use loa::{
    adapter::{
        Acts, Adapter, Exchange, Failure, Hidden, Hoped, Hopes, Receipt, Request, Role, Step,
        classify,
    },
    conformance::{Finding, Findings, Subject, Verdict, examine},
    domain::{
        channel::ChannelKind,
        delivery::{Evidence, Reason},
        detail::Detail,
        message::Message,
    },
};

use super::{
    adapters::channel,
    ground::{broken, examined, examined_as_checked, folder, told},
};
use crate::support::workspace::Folder;

const SPEAKER: (&str, &str) = ("channels/recipes/loudspeaker-http.yaml", "loa-hb-1");
const CHAT: (&str, &str) = ("channels/recipes/chat-webhook.yaml", "kit-chat");
const SITE: (&str, &str) = ("channels/recipes/joomla.yaml", "kit-joomla");
const DRUPAL: (&str, &str) = ("channels/recipes/drupal.yaml", "kit-drupal");
const HOME: (&str, &str) = ("channels/recipes/home-assistant.yaml", "kit-home");

/// A recipe, what is right in it, what is there instead, the scenarios that catch it, the code and the key.
type Wrong = (
    (&'static str, &'static str),
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
);

const ABSENT: &str = r#"absent: { status: 200, json: { /meta/total-pages: "*" } }"#;
const UPDATED: &str = r#"    method: PATCH
    url: "{{ with.url }}/api/index.php/v1/content/articles/{{ found.id }}""#;
const CONFIRMED: &str =
    r#"confirmed: { status: 200, json: { /state: playing }, text: "{{ audio.hash }}" }"#;
const ASKED: &str = r#"    method: GET
    url: "{{ with.url }}/api/status""#;
const SPOKEN: &str = "# An emergency does not wait";

const WRONG: &[Wrong] = &[
    (
        SITE,
        ABSENT,
        "absent: { status: [200, 401, 403, 500] }",
        &[
            "question-error",
            "question-unauthorised",
            "question-forbidden",
            "question-stranger",
        ],
        "took-for-absent",
        "find.absent",
    ),
    (
        DRUPAL,
        r#"found: { status: 200, json: { /data/id: "{{ value.id }}" } }"#,
        "found: { status: [200, 500] }",
        &["question-error", "question-stranger"],
        "took-for-found",
        "find.found",
    ),
    (
        SITE,
        r#"found: { status: 200, json: { /attributes/alias: "{{ message.slug }}" } }"#,
        r#"found: { status: 200, json: { /attributes/alias: "*" } }"#,
        &["question-foreign"],
        "took-another",
        "find.found",
    ),
    (
        SITE,
        "  when: always      # what is there is updated: a repetition, next week's, and a correction\n",
        "",
        &["there-already"],
        "twin",
        "find.when",
    ),
    (
        SITE,
        UPDATED,
        r#"    method: POST
    url: "{{ with.url }}/api/index.php/v1/content/articles""#,
        &["there-already"],
        "twin",
        "find.update",
    ),
    (
        SITE,
        UPDATED,
        r#"    method: PATCH
    url: "{{ with.url }}/api/index.php/v1/content/articles/1""#,
        &["there-already"],
        "update-another",
        "find.update",
    ),
    (
        SITE,
        "    method: PATCH\n",
        "    method: DELETE\n",
        &["there-already"],
        "update-deletes",
        "find.update",
    ),
    (
        SITE,
        r#"        articletext: "{{ value.page }}"
        metadesc: "{{ message.summary }}"
        state: 1
request:"#,
        r#"        articletext: "{{ message.summary }}"
        state: 1
request:"#,
        &["there-already"],
        "update-wordless",
        "find.update",
    ),
    (
        SITE,
        r#"        alias: "{{ message.slug }}"
        catid: { $number: "{{ with.category }}" }
        articletext: "{{ value.page }}"
        metadesc: "{{ message.summary }}"
        state: 1
request:"#,
        r#"        alias: "{{ message.slug }}-{{ message.attempt }}"
        articletext: "{{ value.page }}"
        state: 1
request:"#,
        &["there-already"],
        "never-found",
        "find.update",
    ),
    (
        SITE,
        r#"alias: "{{ message.slug }}"         # made"#,
        r#"alias: "{{ message.slug }}-{{ message.nonce }}"         # made"#,
        &["found-again"],
        "never-found",
        "find.found",
    ),
    (
        HOME,
        CONFIRMED,
        r#"confirmed: { status: ["2xx", "4xx", "5xx"] }"#,
        &["confirm-error", "confirm-gone", "confirm-stranger"],
        "confirm-believed",
        "confirm.confirmed",
    ),
    (
        HOME,
        CONFIRMED,
        r#"confirmed: { status: 200, json: { /state: playing } }
  refuted: { status: ["2xx", "4xx", "5xx"] }"#,
        &["confirm-error", "confirm-gone", "confirm-stranger"],
        "confirm-refuted",
        "confirm.refuted",
    ),
    (
        HOME,
        r#"confirm:
  request: { method: GET, url: "{{ with.url }}/api/states/{{ with.entity }}" }"#,
        r#"confirm:
  request: { method: POST, url: "{{ with.url }}/api/services/media_player/play_media" }"#,
        &["quiet-calls"],
        "confirm-acts",
        "confirm.request",
    ),
    (
        SPEAKER,
        SPOKEN,
        r#"steps:
  chime:
    request:
      method: POST
      url: "{{ with.url }}/api/chime"
      headers: { Authorization: "Bearer {{ with.token }}" }
      body: { json: { text: "{{ message.spoken }}" } }
# An emergency does not wait"#,
        &["quiet-calls"],
        "step-speaks",
        "steps.chime.request",
    ),
    (
        SPEAKER,
        r#"url: "{{ with.url }}/api/stop"
"#,
        r#"url: "{{ with.url }}/api/stop"
  body: { json: { text: "{{ message.spoken }}" } }
"#,
        &["quiet-calls"],
        "stop-speaks",
        "stop",
    ),
    (
        SPEAKER,
        SPOKEN,
        r#"steps:
  tell:
    request:
      method: POST
      url: "https://x.vinh.example/log"
      headers: { Authorization: "Bearer {{ with.token }}" }
# An emergency does not wait"#,
        &["secret-owners"],
        "secret-spread",
        "steps.tell.request",
    ),
    (
        SPEAKER,
        ASKED,
        r#"    method: DELETE
    url: "{{ with.url }}/api/status""#,
        &["probe-well"],
        "probe-acts",
        "probe.request",
    ),
    (
        SPEAKER,
        ASKED,
        r#"    method: GET
    url: "{{ with.url }}/api/stop""#,
        &["probe-well"],
        "probe-acts",
        "probe.request",
    ),
    (
        SPEAKER,
        ASKED,
        r#"    method: GET
    url: "{{ with.url }}/api/speak?text=th%E1%BB%AD""#,
        &["probe-well"],
        "probe-acts",
        "probe.request",
    ),
    (
        SPEAKER,
        ASKED,
        r#"    method: GET
    url: "https://khac.vinh.example/api/status""#,
        &["probe-well"],
        "probe-elsewhere",
        "probe.request",
    ),
    (
        CHAT,
        r#"id: "{{ message.delivery }}" "#,
        r#"id: "{{ message.delivery }}-{{ message.attempt }}" "#,
        &["resend"],
        "other-key",
        "request",
    ),
    (
        CHAT,
        r#"id: "{{ message.delivery }}" "#,
        r#"id: "{{ message.nonce }}" "#,
        &["resend"],
        "other-key",
        "request",
    ),
    (
        SPEAKER,
        "[400, 401, 403, 404, 410, 422], then: reject",
        "[410], then: unknown }\n  - { status: [400, 401, 403, 404, 422], then: reject",
        &["gone"],
        "in-doubt",
        "errors",
    ),
];

#[tokio::test]
async fn every_wrong_call_is_caught_and_named_with_its_key() {
    let mut missed = Vec::new();
    for ((file, channel), right, instead, scenarios, code, key) in WRONG {
        let folder = folder();
        folder.edit(file, right, instead);
        let workspace = folder.load();
        let found = examined(&workspace, channel, |one| scenarios.contains(&one.id)).await;
        for scenario in *scenarios {
            let mut all = found.all.iter();
            let finding = all.find(|one| one.scenario.id == *scenario);
            if !finding.is_some_and(|one| has(one, code, key)) {
                missed.push(format!("{scenario}: {instead}\n{}", told(&found)));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

fn has(finding: &Finding, code: &str, key: &str) -> bool {
    let Verdict::Broken(breaches) = &finding.verdict else {
        return false;
    };
    let mut breaches = breaches.iter();
    breaches.any(|one| one.code == code && one.key.as_deref() == Some(key))
}

/// A site knows nothing of the header that every call gets: only a question, an address or a field of its own protects from twins.
#[tokio::test]
async fn a_site_is_not_protected_by_a_header() {
    let folder = folder();
    let text = std::fs::read_to_string(folder.path().join(SITE.0)).unwrap();
    let (head, rest) = text.split_once("find:\n").unwrap();
    let (_, rest) = rest.split_once("\nrequest:\n").unwrap();
    let without = format!("{head}request:\n{rest}");
    let resent = async |text: &str| {
        folder.write(SITE.0, text);
        let workspace = folder.load();
        examined(&workspace, SITE.1, |one| one.id == "resend").await
    };
    let found = resent(&without).await;
    assert_eq!(broken(&found)["resend"], ["other-key"], "{}", told(&found));
    for (right, instead) in [
        // The site knows the delivery.
        (
            "      metadesc:",
            "      delivery: \"{{ message.delivery }}\"\n      metadesc:",
        ),
        // The article has an address of its own.
        (
            "/v1/content/articles\"",
            "/v1/content/articles/{{ message.slug }}\"",
        ),
        // Whoever writes the header himself knows that the site reads it.
        (
            "headers: { Accept",
            "headers: { Idempotency-Key: \"{{ message.delivery }}\", Accept",
        ),
    ] {
        assert!(without.contains(right), "{right}");
        let found = resent(&without.replacen(right, instead, 1)).await;
        assert_eq!(broken(&found), [].into(), "{instead}: {}", told(&found));
    }
}

/// Right in an unusual way.
#[tokio::test]
async fn what_is_new_in_every_request_is_no_other_key() {
    let folder = folder();
    folder.edit(
        CHAT.0,
        "      title:",
        "      request_id: \"{{ request.nonce }}\"\n      nonce: \"{{ request.nonce }}\"\n      title:",
    );
    let found = examined(&folder.load(), CHAT.1, |one| one.id == "resend").await;
    assert_eq!(broken(&found), [].into(), "{}", told(&found));
}

/// A value that is taken by a pattern is another one in every attempt, as that in JSON is.
#[tokio::test]
async fn what_is_taken_by_a_pattern_is_renewed() {
    let folder = folder();
    folder.edit(
        SPEAKER.0,
        SPOKEN,
        r#"steps:
  form:
    when: always
    request: { method: GET, url: "{{ with.url }}/form" }
    take: { csrf: { pattern: 'name="csrf" value="([0-9a-f]+)"' } }
# An emergency does not wait"#,
    );
    folder.edit(
        SPEAKER.0,
        "      priority: \"{{ message.priority }}\"",
        "      csrf: \"{{ steps.form.csrf }}\"\n      priority: \"{{ message.priority }}\"",
    );
    let found = examined(&folder.load(), SPEAKER.1, |one| one.id == "renewal").await;
    let last = found.all.last().unwrap();
    assert_eq!(last.verdict, Verdict::Held, "{}", told(&found));
}

/// What the language's documentation shows holds as it stands there.
#[tokio::test]
async fn the_worked_examples_of_the_language_hold() {
    let page = include_str!("../../../src/adapter/recipe/LANGUAGE.md");
    let (_, page) = page.split_once("## Worked examples").unwrap();
    let examples = page.split("```yaml\n").skip(1);
    let mut count = 0;
    for example in examples.map(|rest| rest.split("```").next().unwrap()) {
        let folder = folder();
        folder.write("channels/recipes/vi-du.yaml", example);
        let kind = if example.contains("message.html") {
            "kind: website"
        } else if example.contains("body: audio") {
            "kind: loudspeaker\n    audio: mp3"
        } else if example.contains("message.spoken") {
            "kind: loudspeaker"
        } else {
            "kind: chat"
        };
        let with = ["password", "key", "token"].map(|name| (name, "\"env:LOA_K\""));
        let with: Vec<String> = with
            .into_iter()
            .chain([("user", "loa"), ("url", "https://vi-du.vinh.example")])
            .filter(|(name, _)| example.contains(&format!("\n  {name}: {{")))
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        folder.write(
            "channels/vi-du.yaml",
            &format!(
                "channels:\n  vi-du:\n    name: Ví dụ\n    ward: le-loi\n    {kind}\n    adapter: {{ recipe: {{ use: vi-du, with: {{ {} }} }} }}\n",
                with.join(", ")
            ),
        );
        let found = examined_as_checked(&folder, "vi-du", |_| true).await;
        assert_eq!(broken(&found), [].into(), "{example}\n{}", told(&found));
        count += 1;
    }
    assert_eq!(count, 8);
}

/// A loudspeaker in Rust that is asked whether it plays.
#[derive(Debug)]
struct Asked {
    /// Whether silence is taken for a no.
    gives_up: bool,
}

impl Asked {
    fn request(method: &str, path: &str, body: Bytes) -> Request {
        Request {
            method: method.to_owned(),
            url: format!("http://10.0.2.1{path}").into(),
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body,
            wait: Duration::ZERO,
            hidden: Hidden::default(),
            login: None,
        }
    }
}

impl Adapter for Asked {
    fn step(&self, message: &Message, done: &[Exchange]) -> Step {
        let Some(said) = done.first() else {
            let body = serde_json::json!({ "text": message.content.voiced() }).to_string();
            return Step::Call(Self::request("POST", "/say", body.into()));
        };
        match &said.result {
            Ok(answer) if answer.status == 202 => {}
            _ => return Step::Failed(classify(said)),
        }
        let accepted = |evidence| {
            Step::Accepted(Receipt {
                reference: None,
                evidence,
                remark: None,
                is_offer: false,
            })
        };
        match done.get(1).map(|asked| &asked.result) {
            None => Step::Call(Self::request("GET", "/state", Bytes::new())),
            Some(Ok(answer)) if answer.body.as_ref() == b"playing" => accepted(Evidence::Device),
            Some(Err(_)) if self.gives_up => Step::Failed(Failure::reject(
                Reason::Unexpected,
                Detail::new("call-refuted").with("status", 0),
            )),
            Some(_) => accepted(Evidence::Accepted),
        }
    }

    fn hoped(&self, _: Option<&Message>, done: &[Exchange], _: Hopes<'_>) -> Option<Hoped> {
        let says = done.is_empty();
        let acts = if says { Acts::New } else { Acts::Nothing };
        Some(Hoped {
            status: if says { 202 } else { 200 },
            body: "playing".into(),
            acts,
            role: if says { Role::Request } else { Role::Confirm },
            ..Hoped::default()
        })
    }

    fn name(&self) -> &'static str {
        "asked"
    }

    fn host(&self) -> &'static str {
        "10.0.2.1"
    }
}

#[tokio::test]
async fn silence_after_the_sending_is_no_refusal() {
    let channel = channel(ChannelKind::Loudspeaker);
    let lost = async |gives_up: bool| -> Findings {
        let subject = Subject {
            channel: &channel,
            ward_name: "phường Hưng Bình",
            adapter: Arc::new(Asked { gives_up }),
            secrets: Vec::new(),
            warnings: Vec::new(),
        };
        examine(&subject, |one| one.id == "confirm-lost")
            .await
            .unwrap()
    };
    let found = lost(false).await;
    let held = found.all.iter().all(|one| one.verdict == Verdict::Held);
    assert!(held && found.all.len() == 2, "{}", told(&found));
    let found = lost(true).await;
    assert_eq!(
        broken(&found)["confirm-lost"],
        ["confirm-refuted"],
        "{}",
        told(&found)
    );
}

/// The edits are made in what is shipped.
#[test]
fn every_edit_changes_something() {
    let folder: Folder = folder();
    for ((file, _), right, instead, ..) in WRONG {
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(text.contains(right), "{file}: {right}");
        assert_ne!(right, instead);
    }
}
