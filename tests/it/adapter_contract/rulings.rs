//! What recipes make of answers: headers by pattern, and who decides where an answer is a yes and a no.

use std::time::Duration;

use loa::{
    adapter::{Failure, Step, recipe::RecipeAdapter},
    domain::{
        bulletin::Format,
        delivery::{Evidence, Reason},
        detail::Detail,
        message::Message,
    },
};

use super::{
    message,
    steps::{failure, header, ok, play, says, written},
};

/// How the plain call of a recipe ends with `accepted` and `errors` of these lines.
fn ruled(lines: &str) -> RecipeAdapter {
    written(&format!(
        "request: {{ method: POST, url: \"{{{{ with.url }}}}/them\" }}\n{lines}"
    ))
}

fn article() -> Message {
    let mut message = message();
    let mut content = (*message.content).clone();
    content.format = Format::Article;
    message.content = content.into();
    message
}

const POST_REDIRECT_GET: &str = r"
accepted: { status: 302, header: { Location: { pattern: '^/quantri/tin/sua/[0-9]+$' } } }
errors:
  - { status: 302, header: { Location: { pattern: dangnhap } }, then: retry }
";

#[test]
fn a_redirect_to_the_login_page_is_told_from_one_to_the_page() {
    let adapter = ruled(POST_REDIRECT_GET);
    let to = |place: &str| says(302, &[("Location", place)], "");
    let (_, end) = play(&adapter, &article(), [to("/quantri/tin/sua/13")]);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    let login = "/quantri/dangnhap?ReturnUrl=%2Fquantri%2Ftin%2Fthem";
    let (_, end) = play(&adapter, &article(), [to(login)]);
    assert_eq!(failure(&end), ("retry", Reason::Busy));
    let (_, end) = play(&adapter, &article(), [says(302, &[], "")]);
    assert_eq!(failure(&end), ("reject", Reason::Redirect));
}

#[test]
fn a_header_may_only_have_to_be_there() {
    let adapter = ruled("accepted: { status: 200, header: { ETag: '*' } }");
    let (_, end) = play(&adapter, &article(), [says(200, &[("ETag", "x")], "")]);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    let (_, end) = play(&adapter, &article(), [ok("")]);
    assert_eq!(failure(&end), ("unknown", Reason::Unexpected));
}

#[test]
fn a_value_may_have_to_match_a_pattern() {
    let adapter = ruled("accepted: { json: { /code: { pattern: '^0+$' } } }");
    for (body, is_accepted) in [
        (r#"{"code":"000"}"#, true),
        (r#"{"code":0}"#, true),
        (r#"{"code":"001"}"#, false),
        (r#"{"code":null}"#, false),
        ("{}", false),
    ] {
        let (_, end) = play(&adapter, &article(), [ok(body)]);
        assert_eq!(matches!(end, Step::Accepted(_)), is_accepted, "{body}");
    }
}

/// What was answered, and what that comes to.
type Came = (u16, &'static str, &'static str);

/// What each answer comes to, by the lines of a recipe.
const BOTH_FIT: &[(&str, &str, &[Came])] = &[
    (
        "the line that looks closer decides",
        "accepted: { status: 200 }\nerrors: [{ status: 200, text: lỗi, then: reject }]",
        &[(200, "", "accepted"), (200, "có lỗi", "reject")],
    ),
    (
        "the rest is not what is hoped for",
        "accepted: { json: { /code: '0' } }\nerrors: [{ json: { /code: '1003' }, then: retry }, { status: 2xx, then: reject }]",
        &[
            (200, r#"{"code":"0"}"#, "accepted"),
            (200, r#"{"code":"1003"}"#, "retry"),
            (200, r#"{"code":"7"}"#, "reject"),
        ],
    ),
    (
        "anything at the same pointer is the rest, and anything above it",
        "accepted: { json: { /result/code: '0' } }\nerrors: [{ json: { /result/code: '*' }, then: reject }, { json: { /result: '*' }, then: unknown }]",
        &[
            (200, r#"{"result":{"code":"0"}}"#, "accepted"),
            (200, r#"{"result":{"code":"7"}}"#, "reject"),
            (200, r#"{"result":{}}"#, "unknown"),
        ],
    ),
    (
        "a second look at the same answer is closer",
        "accepted: { json: { /code: '0' } }\nerrors: [{ json: { /code: '0', /data/failed: '1' }, then: reject }]",
        &[
            (200, r#"{"code":"0"}"#, "accepted"),
            (200, r#"{"code":"0","data":{"failed":1}}"#, "reject"),
        ],
    ),
    (
        "of two texts, the no decides",
        "accepted: { text: OK }\nerrors: [{ text: ERR, then: retry }]",
        &[(200, "OK", "accepted"), (200, "OK, ERR: 7", "retry")],
    ),
    (
        "a text that every yes holds is the rest",
        "accepted: { pattern: '<code>\\s*0\\s*</code>' }\nerrors: [{ status: 200, text: <code>, then: reject }, { pattern: '<code>[0-9]', then: reject }]",
        &[
            (200, "<code>0</code>", "accepted"),
            (200, "<code>7</code>", "reject"),
        ],
    ),
    (
        "one status among many is closer",
        "accepted: { status: 2xx }\nerrors: [{ status: 202, then: unknown }]",
        &[(200, "", "accepted"), (202, "", "unknown")],
    ),
    (
        "the usual status of many is the rest, too",
        "accepted: { json: { /code: '0' } }\nerrors: [{ status: 200, then: reject }]",
        &[
            (200, r#"{"code":"0"}"#, "accepted"),
            (200, r#"{"code":"1"}"#, "reject"),
        ],
    ),
    (
        "many statuses are the rest beside one",
        "accepted: { status: [200, 409] }\nerrors: [{ status: 4xx, then: reject }]",
        &[
            (200, "", "accepted"),
            (409, "", "accepted"),
            (410, "", "reject"),
        ],
    ),
];

#[test]
fn a_line_of_errors_decides_unless_it_means_the_rest() {
    for (why, lines, answers) in BOTH_FIT {
        let adapter = ruled(lines);
        for (status, body, expected) in *answers {
            let (_, end) = play(&adapter, &article(), [says(*status, &[], body)]);
            let came = match &end {
                Step::Accepted(_) => "accepted",
                end => failure(end).0,
            };
            assert_eq!(came, *expected, "{why}: {status} {body}");
        }
    }
}

const LOGIN_EXPIRED: &str = r#"
steps:
  token: { when: always, request: { method: GET, url: "{{ with.url }}/token" } }
find:
  when: always
  request: { method: GET, url: "{{ with.url }}/tin" }
  found: { text: "{{ message.slug }}" }
  absent: { status: 200 }
request: { method: POST, url: "{{ with.url }}/tin" }
accepted: { json: { /code: "0" } }
errors:
  - { text: "name=password", then: retry }
  - { status: 2xx, then: reject }
"#;

#[test]
fn a_login_page_is_no_answer_to_a_step_or_a_question() {
    let adapter = written(LOGIN_EXPIRED);
    let login = || ok("<input name=password>");
    let (_, end) = play(&adapter, &article(), [login()]);
    assert_eq!(failure(&end).0, "retry");
    let (requests, end) = play(&adapter, &article(), [ok("x"), login()]);
    assert_eq!(
        (requests.len(), failure(&end).0),
        (2, "retry"),
        "not absent"
    );
    let (requests, _) = play(&adapter, &article(), [ok("x"), ok("[]")]);
    assert_eq!(
        requests.len(),
        3,
        "the rest beside the call that counts is no answer here"
    );
    let slug = article().slug();
    let (_, end) = play(&adapter, &article(), [ok("x"), ok(&slug)]);
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
}

#[test]
fn a_receipt_may_be_anywhere_in_an_answer() {
    for (receipt, answer, expected) in [
        (
            "{ pattern: 'OK:([0-9]+)' }",
            ok("OK:12345\n"),
            Some("12345"),
        ),
        (
            "{ pattern: '<Id>([^<]+)<' }",
            ok("<r><Id>m-7</Id></r>"),
            Some("m-7"),
        ),
        (
            "{ pattern: 'OK:([0-9]+)|XONG=([a-z0-9-]+)' }",
            ok("XONG=m-8"),
            Some("m-8"),
        ),
        (
            "{ header: X-Id }",
            says(200, &[("x-id", "9")], ""),
            Some("9"),
        ),
        ("/id", ok(r#"{"id":3}"#), Some("3")),
        ("{ pattern: 'OK:([0-9]+)' }", ok("OK"), None),
    ] {
        let adapter = ruled(&format!("accepted: {{ status: 200, receipt: {receipt} }}"));
        let (_, end) = play(&adapter, &article(), [answer]);
        let Step::Accepted(given) = end else {
            panic!("{receipt}: {end:?}")
        };
        assert_eq!(given.reference.as_deref(), expected, "{receipt}");
    }
}

#[test]
fn a_plain_text_receipt_is_asked_about() {
    let adapter = ruled(
        "accepted: { pattern: '^OK:', receipt: { pattern: 'OK:([0-9]+)' } }\nconfirm:\n  request: { method: GET, url: \"{{ with.url }}/dlr?id={{ receipt }}\" }\n  confirmed: { text: DELIVRD }",
    );
    let (requests, end) = play(&adapter, &article(), [ok("OK:77"), ok("DELIVRD")]);
    assert!(requests[1].url.ends_with("/dlr?id=77"), "{:?}", requests[1]);
    let Step::Accepted(receipt) = end else {
        panic!("{end:?}")
    };
    assert_eq!(receipt.evidence, Evidence::Device);
}

const COOKIES: &str = r#"
steps:
  login:
    when: always
    request: { method: POST, url: "{{ with.url }}/login" }
    take: { session: { cookie: PHPSESSID }, csrf: { cookie: XSRF-TOKEN } }
request:
  method: POST
  url: "{{ with.url }}/them"
  headers: { Cookie: "PHPSESSID={{ steps.login.session }}; XSRF-TOKEN={{ steps.login.csrf }}" }
"#;

#[test]
fn every_cookie_is_taken_by_its_name() {
    let adapter = written(COOKIES);
    let login = says(
        200,
        &[
            ("Set-Cookie", "lang=vi; path=/"),
            ("Set-Cookie", "PHPSESSID=cu; path=/"),
            (
                "Set-Cookie",
                "XSRF-TOKEN=a=b%3D; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
            ),
            ("Set-Cookie", "PHPSESSID=abc1; path=/; HttpOnly"),
        ],
        "",
    );
    let (requests, _) = play(&adapter, &article(), [login, ok("")]);
    assert_eq!(
        header(&requests[1], "cookie"),
        Some("PHPSESSID=abc1; XSRF-TOKEN=a=b%3D")
    );
    let without = says(200, &[("Set-Cookie", "lang=vi")], "");
    let (_, end) = play(&adapter, &article(), [without]);
    assert_eq!(failure(&end), ("retry", Reason::Unexpected));
}

const OWN_ERRORS: &str = r#"
steps:
  login:
    request: { method: POST, url: "{{ with.url }}/login" }
    accepted: { json: { /ok: "true" } }
    errors: [{ status: 401, then: reject, says: /message }]
request: { method: POST, url: "{{ with.url }}/speak" }
errors: [{ status: 401, then: retry }, { status: 503, then: retry }]
"#;

#[test]
fn a_step_may_have_errors_of_its_own() {
    let adapter = written(OWN_ERRORS);
    let wrong = || says(401, &[], r#"{"message":"sai mật khẩu"}"#);
    let (_, end) = play(&adapter, &article(), [wrong()]);
    assert_eq!(failure(&end), ("reject", Reason::Unauthorised));
    let (_, end) = play(&adapter, &article(), [says(503, &[], "")]);
    assert_eq!(
        failure(&end),
        ("retry", Reason::Busy),
        "the recipe's hold as well"
    );
    let (_, end) = play(&adapter, &article(), [ok(r#"{"ok":true}"#), wrong()]);
    assert_eq!(
        failure(&end),
        ("retry", Reason::Status),
        "a step's are its own"
    );
}

#[test]
fn the_receivers_words_are_told_without_secrets() {
    let adapter = ruled(
        "errors: [{ status: 200, pattern: '^ERR', then: reject, says: { pattern: '^ERR:(?s)(.*)' } }]",
    );
    let said = |body: &str| {
        let (_, end) = play(&adapter, &article(), [ok(body)]);
        let Step::Failed(failure) = end else {
            panic!("{end:?}")
        };
        let detail = Detail::parse(failure.detail()).unwrap();
        (
            detail.code().to_owned(),
            detail.get("words").map(str::to_owned),
        )
    };
    assert_eq!(
        said("ERR:-7 hết\n tiền (mat-khau-1)"),
        ("receiver-says".into(), Some("-7 hết tiền (***)".into()))
    );
    let (_, words) = said(&format!("ERR:{}", "dài ".repeat(400)));
    assert!(words.unwrap().chars().count() <= 300);
}

const CSRF_OF_THE_PAGE: &str = r#"
find:
  when: always
  request: { method: GET, url: "{{ with.url }}/tin" }
  found: { text: "{{ message.slug }}" }
  absent: { status: 200 }
  take: { id: { pattern: 'id=([0-9]+)' } }
  update:
    method: POST
    url: "{{ with.url }}/tin/{{ found.id }}"
    body: { form: { csrf: "{{ steps.form.csrf }}" } }
steps:
  form:
    when: update
    request: { method: GET, url: "{{ with.url }}/tin/{{ found.id }}/sua" }
    take: { csrf: { pattern: 'csrf=(\w+)' } }
request: { method: POST, url: "{{ with.url }}/tin" }
"#;

#[test]
fn an_update_may_have_steps_of_its_own() {
    let adapter = written(CSRF_OF_THE_PAGE);
    let slug = article().slug();
    let there = ok(&format!("id=13 {slug}"));
    let (requests, end) = play(&adapter, &article(), [there, ok("csrf=x1"), ok("")]);
    let paths: Vec<&str> = requests
        .iter()
        .map(|request| request.url.trim_start_matches("http://10.1.4.3"))
        .collect();
    assert_eq!(paths, ["/tin", "/tin/13/sua", "/tin/13"]);
    assert_eq!(requests[2].body, "csrf=x1");
    assert!(matches!(end, Step::Accepted(_)), "{end:?}");
    let (requests, _) = play(&adapter, &article(), [ok("[]"), ok("")]);
    assert_eq!(requests.len(), 2, "nothing to change, nothing to ask for");
}

const WISHES: &str = r"
errors:
  - { status: 420, then: retry, after: 30s }
  - { status: 421, then: retry, after: /wait/seconds }
  - { status: 422, then: retry, after: { header: X-RateLimit-Reset-After } }
  - { status: 423, then: retry, after: { pattern: 'in ([0-9]+) s' } }
  - { status: 424, then: retry }
";

/// Gateways say in their own ways how long they want to be left alone.
#[test]
fn a_line_says_where_the_receivers_wish_is() {
    let adapter = ruled(WISHES);
    let day = 24 * 3600;
    let own: &[(&str, &str)] = &[];
    for (status, headers, body, seconds) in [
        (420, own, "", Some(30)),
        (421, own, r#"{"wait":{"seconds":45}}"#, Some(45)),
        (421, own, r#"{"wait":{"seconds":"45"}}"#, Some(45)),
        (421, own, r#"{"wait":{"seconds":1.2}}"#, Some(2)),
        // Reasonable or not: the delivery's deadline is the end of it.
        (421, own, r#"{"wait":{"seconds":1e300}}"#, Some(day)),
        (421, own, r#"{"wait":{"seconds":-4}}"#, None),
        (421, own, r#"{"wait":{"seconds":"soon"}}"#, None),
        (421, own, r#"{"wait":{"seconds":null}}"#, None),
        (421, own, "", None),
        (422, &[("x-ratelimit-reset-after", "90")], "", Some(90)),
        // Not a moment before.
        (422, &[("x-ratelimit-reset-after", "64.57")], "", Some(65)),
        (422, &[("x-ratelimit-reset-after", " 0.0 ")], "", Some(0)),
        (422, &[("x-ratelimit-reset-after", "1.5e3")], "", None),
        (422, &[("x-ratelimit-reset-after", "64.")], "", None),
        (
            422,
            &[("x-ratelimit-reset-after", "Sun, 24 Mar 2024 22:31:01 GMT")],
            "",
            Some(60),
        ),
        (423, own, "try again in 7 s", Some(7)),
        (424, own, "", None),
    ] {
        let case = format!("{status} {headers:?} {body}");
        let (_, end) = play(&adapter, &message(), [says(status, headers, body)]);
        assert_eq!(after(&end), seconds.map(Duration::from_secs), "{case}");
    }
    // The longer of the two where it says both.
    for (told, seconds) in [(10, 30), (40, 40)] {
        let mut answer = says(420, &[], "");
        if let Ok(answer) = &mut answer {
            answer.retry_after = Some(Duration::from_secs(told));
        }
        let (_, end) = play(&adapter, &message(), [answer]);
        assert_eq!(after(&end), Some(Duration::from_secs(seconds)));
    }
}

fn after(end: &Step) -> Option<Duration> {
    match end {
        Step::Failed(Failure::Retry { after, .. }) => *after,
        other => panic!("{other:?}"),
    }
}
