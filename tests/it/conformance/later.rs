//! Devices that are asked when the attempt is long over: what a recipe takes for their word.

use loa::conformance::Verdict;

use super::ground::{broken, examined, folder, told};

const SPEAKER: &str = "channels/recipes/loudspeaker-http.yaml";

/// A gateway with a login, which knows what became of each job.
const ASKED: &str = r#"
title: Cổng nhớ từng lượt
parameters:
  url: { about: "Địa chỉ cổng" }
  token: { secret: true, about: "Mật khẩu" }
steps:
  login:
    when: always
    request: { method: POST, url: "{{ with.url }}/login", body: { json: { password: "{{ with.token }}" } } }
    accepted: { status: 200 }
    take: { key: /key }
request:
  method: POST
  url: "{{ with.url }}/speak"
  headers: { Authorization: "Bearer {{ steps.login.key }}" }
  body: { json: { id: "{{ message.delivery }}", text: "{{ message.spoken }}" } }
accepted: { status: 202, receipt: /job }
confirm:
  request: { method: GET, url: "{{ with.url }}/jobs/{{ receipt }}", headers: { Authorization: "Bearer {{ steps.login.key }}" } }
  confirmed: { status: 200, json: { /state: played } }
  refuted: { status: 200, json: { /state: failed } }
  later: { every: 1m, within: 30m }
errors:
  - { status: [400, 401, 403, 404, 410], then: reject }
  - { status: ["5xx"], then: unknown }
"#;

#[tokio::test]
async fn only_a_clear_answer_that_comes_later_changes_anything() {
    let folder = folder();
    folder.write(SPEAKER, ASKED);
    let found = examined(&folder.load(), "loa-hb-1", |one| one.id == "asked-later").await;
    let last = found.all.last().unwrap();
    assert_eq!(
        (last.scenario.id, &last.verdict),
        ("asked-later", &Verdict::Held),
        "{}",
        told(&found)
    );
    let (confirmed, refuted) = (
        "confirmed: { status: 200, json: { /state: played } }",
        "refuted: { status: 200, json: { /state: failed } }",
    );
    for (right, instead, codes) in [
        (confirmed, "confirmed: { status: [404] }", vec!["later-yes"]),
        (confirmed, "confirmed: { status: [200] }", vec!["later-yes"]),
        (refuted, "refuted: { status: [500] }", vec!["later-no"]),
        (refuted, "refuted: { status: [404] }", vec![]),
    ] {
        folder.write(SPEAKER, ASKED);
        folder.edit(SPEAKER, right, instead);
        let found = examined(&folder.load(), "loa-hb-1", |one| one.id == "asked-later").await;
        let seen = broken(&found).remove("asked-later").unwrap_or_default();
        assert_eq!(seen, codes, "{instead}: {}", told(&found));
    }
}
