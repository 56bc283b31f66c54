//! Lists that name their next page by its address.

use loa::{
    adapter::{Failure, Step},
    domain::{delivery::Reason, detail::Detail},
};

use super::{
    message,
    steps::{Answer, failure, header, ok, play, says, ways, written, written_for},
};

/// A list as Microsoft's interfaces have it, `NEXT` being where the next page is.
fn listed(next: &str) -> String {
    LIST.replace("NEXT", next)
}

const LIST: &str = r#"
auth: { bearer: "{{ with.token }}" }
find:
  when: always
  request: { method: GET, url: "{{ with.url }}/api/tin?top=2", headers: { X-Sign: "{{ request.path }}", X-Page: "{{ page }}" } }
  list: /value
  found: { json: { /slug: "{{ message.slug }}" } }
  pages: { next: NEXT, most: 3 }
  absent: { status: 200 }
  take: { id: /id }
  update: { method: PUT, url: "{{ with.url }}/api/tin/{{ found.id }}" }
request: { method: POST, url: "{{ with.url }}/api/tin" }
errors:
  - { json: { /code: "1003" }, then: retry }
"#;

fn page(slug: &str, next: &str) -> Answer {
    ok(&format!(
        r#"{{"value":[{{"id":1,"slug":"khac"}},{{"id":2,"slug":"{slug}"}}]{next}}}"#
    ))
}

fn detail(end: &Step) -> Detail {
    let Step::Failed(Failure::Retry { detail, .. } | Failure::Reject { detail, .. }) = end else {
        panic!("{end:?}")
    };
    Detail::parse(detail).unwrap()
}

#[test]
fn the_answer_says_where_the_next_page_is() {
    let adapter = written(&listed("/@odata.nextLink"));
    let slug = message().slug();
    for (next, second) in [
        (
            "http://10.1.4.3/api/tin?skip=2&top=2",
            "/api/tin?skip=2&top=2",
        ),
        ("/khac/tin?skip=2", "/khac/tin?skip=2"),
        ("tin?skip=2", "/api/tin?skip=2"),
        ("?skip=2#phan-hai", "/api/tin?skip=2"),
        // Of a site behind a gateway: as encrypted as the question was, here not at all.
        ("https://10.1.4.3/api/tin?skip=2", "/api/tin?skip=2"),
    ] {
        let next = format!(r#","@odata.nextLink":"{next}""#);
        let answers = [page("x", &next), page(&slug, ""), ok("")];
        let (requests, end) = play(&adapter, &message(), answers);
        assert!(matches!(end, Step::Accepted(_)), "{end:?}");
        let expected = [
            "GET /api/tin?top=2".to_owned(),
            format!("GET {second}"),
            "PUT /api/tin/2".to_owned(),
        ];
        assert_eq!(ways(&requests), expected);
        // It is the same question: proven and signed for its own address.
        assert_eq!(
            header(&requests[1], "authorization"),
            Some("Bearer mat-khau-1")
        );
        assert_eq!(header(&requests[1], "x-sign"), Some(second));
        assert_eq!(header(&requests[1], "x-page"), Some("2"));
    }
}

#[test]
fn a_page_without_a_next_one_is_the_last() {
    let adapter = written(&listed("/next"));
    for last in ["", r#","next":null"#, r#","next":"""#, r#","next":false"#] {
        let answers = [page("x", r#","next":"?p=2""#), page("y", last), ok("")];
        let (requests, end) = play(&adapter, &message(), answers);
        assert!(matches!(end, Step::Accepted(_)), "{last}: {end:?}");
        assert_eq!(ways(&requests)[2], "POST /api/tin", "{last}");
    }
}

#[test]
fn a_header_or_the_words_may_have_it() {
    let slug = message().slug();
    let found = format!(r#"{{"value":[{{"id":2,"slug":"{slug}"}}]}}"#);
    let none = r#"{"value":[]}"#;
    let links = "<http://10.1.4.3/api/tin?p=1>; rel=\"prev\", </api/tin?p=2>; rel=\"next last\"";
    for (next, first) in [
        (
            "{ header: Link, rel: next }",
            says(200, &[("Link", links)], none),
        ),
        (
            "{ header: link, rel: Next }",
            says(
                200,
                &[("Link", "</a>; rel=prev"), ("Link", "<?p=2>; rel=next")],
                none,
            ),
        ),
        ("{ header: X-Next }", says(200, &[("X-Next", "?p=2")], none)),
        (
            "{ pattern: '\"more\":\"([^\"]*)\"' }",
            ok(r#"{"value":[],"more":"?p=2"}"#),
        ),
    ] {
        let adapter = written(&listed(next));
        let (requests, end) = play(&adapter, &message(), [first, ok(&found), ok("")]);
        assert!(matches!(end, Step::Accepted(_)), "{next}: {end:?}");
        let ways = ways(&requests);
        assert_eq!(ways[1..], ["GET /api/tin?p=2", "PUT /api/tin/2"], "{next}");
        let (requests, _) = play(&adapter, &message(), [ok(none), ok("")]);
        assert_eq!(requests.len(), 2, "{next}: one page");
    }
}

/// The question carries a token: whoever writes the list must not choose who gets it.
#[test]
fn no_other_host_is_asked() {
    let adapter = written_for("https://tin.example", &listed("/next"));
    for (next, host) in [
        ("https://khac.example/api", Some("khac.example")),
        ("//khac.example/api", Some("khac.example")),
        ("https://tin.example:8443/api", Some("tin.example:8443")),
        ("https://tin.example@khac.example/", None),
        ("ftp://tin.example/api", None),
        ("/a b", None),
    ] {
        let answers = [page("x", &format!(r#","next":"{next}""#))];
        let (requests, end) = play(&adapter, &message(), answers);
        assert_eq!(requests.len(), 1, "{next}");
        assert_eq!(failure(&end), ("reject", Reason::Unexpected), "{next}");
        let code = match host {
            Some(_) => "call-next-elsewhere",
            None => "call-next-nowhere",
        };
        let detail = detail(&end);
        assert_eq!((detail.code(), detail.get("host")), (code, host), "{next}");
        assert_eq!(detail.get("call"), Some("find"));
    }
    for wrong in ["7", "{\"href\":\"?p=2\"}", "true"] {
        let (_, end) = play(
            &adapter,
            &message(),
            [page("x", &format!(",\"next\":{wrong}"))],
        );
        assert_eq!(detail(&end).code(), "call-next-nowhere", "{wrong}");
    }
    let (requests, _) = play(
        &adapter,
        &message(),
        [page("x", r#","next":"http://tin.example/api?p=2""#)],
    );
    assert_eq!(
        &*requests[1].url, "https://tin.example/api?p=2",
        "not in clear"
    );
}

/// Whoever takes such a list for "not there" publishes a second time.
#[test]
fn a_list_without_an_end_is_no_answer() {
    let adapter = written(&listed("/next"));
    for again in [
        "/api/tin?top=2",
        "?top=2#a",
        "http://10.1.4.3:80/api/tin?top=2",
    ] {
        let next = format!(r#","next":"{again}""#);
        let answers = [page("x", r#","next":"?p=2""#), page("y", &next)];
        let (requests, end) = play(&adapter, &message(), answers);
        assert_eq!(requests.len(), 2, "{again}");
        assert_eq!(failure(&end), ("retry", Reason::Unexpected), "{again}");
        assert_eq!(detail(&end).code(), "call-next-again", "{again}");
    }
    let answers = (2..5).map(|at| page("x", &format!(r#","next":"?p={at}""#)));
    let (_, end) = play(&adapter, &message(), answers);
    assert_eq!(detail(&end).code(), "call-pages");
    assert_eq!(failure(&end), ("reject", Reason::Unexpected));
}

/// What names a next page and is no page of the list says nothing, whatever its status.
#[test]
fn only_a_page_of_the_list_is_turned() {
    let adapter = written(&listed("/next"));
    for (answer, ends) in [
        (
            ok(r#"{"items":[],"next":"?p=2"}"#),
            ("retry", Reason::Unexpected),
        ),
        (
            ok(r#"{"value":[],"next":"?p=2","code":1003}"#),
            ("retry", Reason::Busy),
        ),
        (
            says(503, &[], r#"{"value":[],"next":"?p=2"}"#),
            ("retry", Reason::Busy),
        ),
    ] {
        let (requests, end) = play(&adapter, &message(), [answer]);
        assert_eq!((requests.len(), failure(&end)), (1, ends));
    }
}
