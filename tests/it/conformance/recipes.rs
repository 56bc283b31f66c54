//! Recipes that are wrong on purpose: each is caught by the scenario that is meant for it. The right ones are in `shipped`.

use loa::conformance::{Scenario, Verdict};

use super::ground::{broken, examined, examined_as_checked, folder, told};
use crate::support::workspace::Folder;

const SPEAKER: &str = "channels/recipes/loudspeaker-http.yaml";
const CHAT: &str = "channels/recipes/chat-webhook.yaml";
const SITE: &str = "channels/recipes/wordpress.yaml";

/// What a loudspeaker's recipe takes for a yes.
const YES: &str = r#"accepted: { status: [202], json: { "/status": queued }, receipt: "/id" }"#;

/// A mistake in a recipe, and how it is caught.
struct Wrong {
    file: &'static str,
    channel: &'static str,
    right: &'static str,
    instead: &'static str,
    scenario: &'static str,
    code: &'static str,
}

/// Its question.
const ASKS: &str = r#"    method: GET
    url: "{{ with.url }}/api/status""#;
const ACTS: &str = r#"    method: POST
    url: "{{ with.url }}/api/status""#;
const KNOWN: &str = r#"
    headers: { Authorization: "Bearer {{ with.token }}" }
  healthy: { status: [200], json: { "/state": ready } }"#;

const UNKNOWN: &str = r#"
  healthy: { status: [200], json: { "/state": ready } }"#;

const WRONG: [Wrong; 26] = [
    // takes any answer for a yes
    speaker(
        YES,
        r#"accepted: { status: ["2xx", "3xx", "4xx", "5xx"] }"#,
        "gone",
        "said-yes",
    ),
    speaker(
        YES,
        r#"accepted: { status: ["2xx", "3xx", "4xx", "5xx"] }"#,
        "server-error",
        "said-yes",
    ),
    speaker(
        YES,
        "accepted: { status: [202, 429, 503] }",
        "busy-date",
        "said-yes",
    ),
    speaker(
        YES,
        "accepted: { status: [202, 307] }",
        "redirect",
        "said-yes",
    ),
    speaker(
        YES,
        "accepted: { status: [202, 401] }",
        "unauthorised",
        "said-yes",
    ),
    // ignores the body
    speaker(YES, "accepted: { status: [202] }", "stranger", "said-yes"),
    // reads only its beginning
    speaker(
        YES,
        r"accepted: { status: [202], pattern: '^\s*\{' }",
        "invalid-json",
        "said-yes",
    ),
    // takes for a yes what it never gets
    speaker(
        YES,
        r#"accepted: { status: [202], json: { "/status": queued }, pattern: "^$" }"#,
        "accepted",
        "not-yes",
    ),
    // 500 for a refusal, and for nothing that was heard
    speaker(
        r#"["5xx"], then: unknown"#,
        r#"["5xx"], then: reject"#,
        "server-error",
        "said-no",
    ),
    speaker(
        r#"["5xx"], then: unknown"#,
        r#"["5xx"], then: retry"#,
        "server-error",
        "said-retry",
    ),
    speaker(
        "[429, 503], then: retry",
        "[429, 503], then: reject",
        "busy-seconds",
        "gave-up",
    ),
    speaker(
        "[429, 503], then: retry",
        "[429, 503], then: unknown",
        "unavailable",
        "gave-up",
    ),
    speaker(
        "400, 401, 403, 404, 410, 422], then: reject",
        "400, 401, 403, 404, 410, 422], then: retry",
        "gone",
        "goes-on",
    ),
    speaker(
        "400, 401, 403, 404, 410, 422], then: reject",
        "400, 401, 403, 404, 410, 422], then: retry",
        "unauthorised",
        "goes-on",
    ),
    // a question that believes everything
    speaker(
        r#"healthy: { status: [200], json: { "/state": ready } }"#,
        "healthy: { status: [200, 500] }",
        "probe-error",
        "said-well",
    ),
    speaker(
        r#"healthy: { status: [200], json: { "/state": ready } }"#,
        "healthy: { status: [200] }",
        "probe-stranger",
        "said-well",
    ),
    speaker(
        r#"healthy: { status: [200], json: { "/state": ready } }"#,
        "healthy: { status: [200, 401] }",
        "probe-unauthorised",
        "said-well",
    ),
    speaker(
        r#"healthy: { status: [200], json: { "/state": ready } }"#,
        r#"healthy: { status: ["2xx", "3xx"] }"#,
        "probe-redirect",
        "said-well",
    ),
    // what shows in no call: a question that may act, and one that shows nothing of the account
    speaker(ASKS, ACTS, "checked", "check-warns"),
    speaker(KNOWN, UNKNOWN, "checked", "check-warns"),
    // sent again with another key
    Wrong {
        file: CHAT,
        channel: "kit-chat",
        right: r#"headers: { Authorization: "Bearer {{ with.token }}" }"#,
        instead: r#"headers: { Authorization: "Bearer {{ with.token }}", Idempotency-Key: "{{ message.nonce }}" }"#,
        scenario: "resend",
        code: "other-key",
    },
    // what arrives is not what was written
    Wrong {
        file: CHAT,
        channel: "kit-chat",
        right: r#"text: "{{ message.text }}""#,
        instead: r#"text: "{{ message.text | upper }}""#,
        scenario: "vietnamese-nfc",
        code: "words",
    },
    Wrong {
        file: CHAT,
        channel: "kit-chat",
        right: r#"headers: { Authorization: "Bearer {{ with.token }}" }"#,
        instead: r#"headers: { Authorization: "Bearer {{ with.token }}", Content-Type: "application/json; charset=windows-1258" }"#,
        scenario: "vietnamese-nfd",
        code: "charset",
    },
    // a question that answers itself, so that doubt never ends
    Wrong {
        file: SITE,
        channel: "web-hb",
        right: r#"- { status: [429, "5xx"], then: retry }"#,
        instead: r#"- { status: [429, "5xx"], then: reject }"#,
        scenario: "server-error",
        code: "said-no",
    },
    // a picture that is told of and never sent
    Wrong {
        file: SITE,
        channel: "web-hb",
        right: "      body: picture\n",
        instead: "      body: { text: \"{{ picture.alt }}\" }\n",
        scenario: "picture",
        code: "picture-lost",
    },
    // a picture that is never found again
    Wrong {
        file: SITE,
        channel: "web-hb",
        right: r#"    find:
      request:
        method: GET
        url: '{{ with.url }}{{ with.api }}/wp/v2/media{% if "?" in with.api %}&{% else %}?{% endif %}slug={{ picture.slug }}-{{ value.mark }}'
        headers: { Authorization: 'Basic {{ (with.user ~ ":" ~ with.password) | base64 }}' }
      found: { status: [200], json: { "/0/id": "*", "/0/slug": "{{ picture.slug }}-{{ value.mark }}" } }
      absent: { status: [200], json: { "": "[]" } }
      take: { id: "/0/id" }
"#,
        instead: "",
        scenario: "picture-repeated",
        code: "picture-again",
    },
];

const fn speaker(
    right: &'static str,
    instead: &'static str,
    scenario: &'static str,
    code: &'static str,
) -> Wrong {
    Wrong {
        file: SPEAKER,
        channel: "loa-hb-1",
        right,
        instead,
        scenario,
        code,
    }
}

#[tokio::test]
async fn every_wrong_recipe_is_caught_by_the_scenario_that_is_meant_for_it() {
    let mut missed = Vec::new();
    for wrong in WRONG {
        let folder = folder();
        folder.edit(wrong.file, wrong.right, wrong.instead);
        let is_wanted = |one: &Scenario| one.id == wrong.scenario;
        let found = examined_as_checked(&folder, wrong.channel, is_wanted).await;
        let codes = broken(&found).remove(wrong.scenario).unwrap_or_default();
        if !codes.contains(&wrong.code) {
            missed.push(format!(
                "{}: {}\n{}",
                wrong.scenario,
                wrong.instead,
                told(&found)
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Where a mistake is not one in a scenario, that scenario is none the worse for it.
#[tokio::test]
async fn a_mistake_is_not_seen_where_it_does_not_show() {
    let folder = folder();
    folder.edit(
        SPEAKER,
        "[429, 503], then: retry",
        "[429, 503], then: reject",
    );
    let found = examined(&folder.load(), "loa-hb-1", |_| true).await;
    let broken = broken(&found);
    let scenarios: Vec<_> = broken.keys().copied().collect();
    assert_eq!(
        scenarios,
        ["busy-date", "busy-seconds", "unavailable"],
        "{}",
        told(&found)
    );
    let held = |one: &loa::conformance::Finding| one.verdict == Verdict::Held;
    assert_eq!(
        found.all.iter().filter(|one| held(one)).count(),
        found.held()
    );
}

/// A device with one address for everything, and a word in each body that says what is to be done.
const ONE_ADDRESS: &str = r#"
title: Một địa chỉ
parameters:
  url: { about: "Địa chỉ thiết bị" }
  token: { secret: true, about: "Mật khẩu" }
request:
  method: POST
  url: "{{ with.url }}/ctrl.cgi"
  headers: { Authorization: "Bearer {{ with.token }}" }
  body: { form: { cmd: speak, text: "{{ message.text }}", vol: "80" } }
accepted: { status: 200, pattern: '<ErrCode>\s*0\s*</ErrCode>' }
errors:
  - { status: [400, 401, 403, 404, 410], then: reject }
  - { status: ["5xx"], then: unknown }
probe:
  request: { method: POST, url: "{{ with.url }}/ctrl.cgi", body: { form: { cmd: info, vol: "10" } } }
  healthy: { status: 200, pattern: '<ErrCode>\s*0\s*</ErrCode>' }
"#;

#[tokio::test]
async fn a_question_at_the_address_of_everything_is_known_by_its_command() {
    let folder = folder();
    folder.write(SPEAKER, ONE_ADDRESS);
    let found = examined(&folder.load(), "loa-hb-1", |one| {
        one.id.starts_with("probe-")
    })
    .await;
    assert_eq!(broken(&found), [].into(), "{}", told(&found));
    folder.edit(SPEAKER, "cmd: info", "cmd: speak, text: thử");
    let found = examined(&folder.load(), "loa-hb-1", |one| one.id == "probe-well").await;
    assert_eq!(
        broken(&found).remove("probe-well"),
        Some(vec!["probe-acts"]),
        "{}",
        told(&found)
    );
}

/// A receiver that says itself where the sound goes.
const PLACE_OF_ITS_OWN: &str = r#"
title: Nơi đặt tệp do cổng cấp
parameters:
  url: { about: "Địa chỉ cổng" }
  token: { secret: true, about: "Mật khẩu" }
steps:
  place:
    request: { method: POST, url: "{{ with.url }}/places", headers: { Authorization: "Bearer {{ with.token }}" } }
    accepted: { status: 200 }
    take: { url: /url, number: /number }
  upload:
    request: { method: PUT, url: "{{ steps.place.url }}", body: audio }
    accepted: { status: 200 }
request:
  method: POST
  url: "{{ with.url }}/play/{{ steps.place.number }}"
  headers: { Authorization: "Bearer {{ with.token }}" }
accepted: { status: 200, json: { /state: playing } }
errors:
  - { status: [400, 401, 403, 404, 410], then: reject }
  - { status: ["5xx"], then: unknown }
"#;

#[tokio::test]
async fn a_receiver_that_gives_addresses_is_played_as_one() {
    let folder = folder();
    folder.write("channels/recipes/noi-dat.yaml", PLACE_OF_ITS_OWN);
    folder.edit(
        "channels/kit.yaml",
        "channels:\n",
        "channels:\n  loa-noi-dat:\n    ward: le-loi\n    kind: loudspeaker\n    audio: mp3\n    adapter: { recipe: { use: noi-dat, with: { url: \"http://10.0.1.9\", token: \"env:LOA_K\" } } }\n",
    );
    let wanted = ["accepted", "timeout", "server-error"];
    let found = examined(&folder.load(), "loa-noi-dat", |one| {
        wanted.contains(&one.id)
    })
    .await;
    assert_eq!(broken(&found), [].into(), "{}", told(&found));
    assert!(found.held() > 1, "{}", told(&found));
}

/// A device that asks for a proof by digest.
const PROVEN: &str = r#"
title: Thiết bị hỏi mật khẩu
parameters:
  url: { about: "Địa chỉ thiết bị" }
  token: { secret: true, about: "Mật khẩu" }
auth: { digest: { user: loa, password: "{{ with.token }}" } }
steps:
  ready:
    request: { method: GET, url: "{{ with.url }}/ready" }
request:
  method: POST
  url: "{{ with.url }}/speak"
  headers: { Content-Language: vi }
  body: { json: { text: "{{ message.text }}" } }
accepted: { status: 200, json: { /state: playing } }
errors:
  - { status: [400, 401, 403, 404, 410], then: reject }
  - { status: ["5xx"], then: unknown }
"#;

#[tokio::test]
async fn a_proof_is_given_whenever_it_is_asked_for() {
    let folder = folder();
    folder.write(SPEAKER, PROVEN);
    let challenged = async |folder: &Folder| {
        let workspace = folder.load();
        examined(&workspace, "loa-hb-1", |one| one.id == "challenge").await
    };
    let found = challenged(&folder).await;
    let last = found.all.last().unwrap();
    assert_eq!(
        (last.scenario.id, &last.verdict),
        ("challenge", &Verdict::Held),
        "{}",
        told(&found)
    );
    // ready, ready with a proof, speak, speak with a newer one
    assert_eq!(last.tries[0].calls, 4, "{}", told(&found));
    for (right, instead) in [
        // Who sets the header itself answers no challenge.
        (
            "Content-Language: vi",
            "Authorization: \"Digest {{ with.token }}\"",
        ),
        (
            "password: \"{{ with.token }}\"",
            "password: \"{{ with.token | upper }}\"",
        ),
    ] {
        folder.write(SPEAKER, PROVEN);
        folder.edit(SPEAKER, right, instead);
        let found = challenged(&folder).await;
        assert_eq!(
            broken(&found).remove("challenge"),
            Some(vec!["not-yes"]),
            "{instead}: {}",
            told(&found)
        );
    }
}
