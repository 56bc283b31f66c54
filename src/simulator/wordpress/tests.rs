//! A site answers as the real one was measured to.

use super::*;

fn request(method: &str, target: &str, signed_in: bool, body: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = vec![("host".to_owned(), "site.example".to_owned())];
    if signed_in {
        headers.push((
            "authorization".to_owned(),
            "Basic bG9hOmFhYWEgYmJiYg==".to_owned(),
        ));
    }
    Request {
        method: method.into(),
        path: format!("/wp-json/wp/v2{path}"),
        query: query.into(),
        headers,
        body: body.to_owned().into(),
        keep_alive: true,
    }
}

/// Asks, puts in what changed, and returns status and body.
fn ask(site: &mut Site, method: &str, target: &str, signed_in: bool, body: &str) -> (u16, Value) {
    let (answer, effect, post) = site.answer(&request(method, target, signed_in, body));
    assert_eq!(
        effect == Effect::Ignored,
        post.is_none(),
        "{method} {target}"
    );
    if let Some(post) = post {
        site.put(post);
    }
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[test]
fn a_slug_is_no_idempotency_key() {
    let mut site = Site::default();
    let body =
        r#"{"title":"T","slug":"ban-tin","status":"publish","content":"C","meta":{"loa":"1"}}"#;
    let slugs: Vec<_> = (0..3)
        .map(|_| ask(&mut site, "POST", "/posts", true, body).1["slug"].clone())
        .collect();
    assert_eq!(slugs, ["ban-tin", "ban-tin-2", "ban-tin-3"]);
    let (status, list) = ask(&mut site, "GET", "/posts?slug=ban-tin&status=any", true, "");
    assert_eq!((status, list.as_array().unwrap().len()), (200, 1));
    assert_eq!(list[0]["meta"], Value::Null, "unregistered meta is dropped");
    let (status, draft) = ask(
        &mut site,
        "POST",
        "/posts",
        true,
        r#"{"title":"T","slug":"ban-tin"}"#,
    );
    assert_eq!(
        (status, draft["slug"].as_str(), draft["status"].as_str()),
        (201, Some("ban-tin-4"), Some("draft"))
    );
}

#[test]
fn posts_are_changed_and_deleted_in_place() {
    let mut site = Site::default();
    let id = ask(
        &mut site,
        "POST",
        "/posts",
        true,
        r#"{"title":"T","slug":"a","status":"publish"}"#,
    )
    .1["id"]
        .clone();
    let one = format!("/posts/{id}");
    let (status, post) = ask(&mut site, "POST", &one, true, r#"{"content":"mới"}"#);
    assert_eq!((status, post["slug"].as_str()), (200, Some("a")));
    assert_eq!(
        ask(&mut site, "GET", &one, false, "").1["content"]["rendered"],
        "mới"
    );
    assert_eq!(
        ask(&mut site, "PUT", &one, true, r#"{"slug":"a"}"#).1["slug"],
        "a",
        "its own slug is free for it"
    );
    let (status, post) = ask(&mut site, "DELETE", &one, true, "");
    assert_eq!(
        (status, post["slug"].as_str(), post["status"].as_str()),
        (200, Some("a__trashed"), Some("trash"))
    );
    assert_eq!(
        ask(&mut site, "GET", "/posts?slug=a&status=any", true, "").1,
        json!([])
    );
    let again = ask(
        &mut site,
        "POST",
        "/posts",
        true,
        r#"{"title":"T","slug":"a"}"#,
    )
    .1;
    assert_eq!(again["slug"], "a", "a deleted post frees its slug");
}

#[test]
fn refusals() {
    let mut site = Site::default();
    ask(
        &mut site,
        "POST",
        "/posts",
        true,
        r#"{"title":"T","slug":"draft"}"#,
    );
    for (method, target, signed_in, body, status, code) in [
        (
            "POST",
            "/posts",
            false,
            r#"{"title":"T"}"#,
            401,
            "rest_cannot_create",
        ),
        (
            "POST",
            "/posts/1",
            false,
            r#"{"title":"T"}"#,
            401,
            "rest_cannot_edit",
        ),
        (
            "POST",
            "/posts",
            true,
            r#"{"title":"T","status":"nope"}"#,
            400,
            "rest_invalid_param",
        ),
        ("POST", "/posts", true, "{}", 400, "empty_content"),
        (
            "POST",
            "/posts",
            true,
            r#"{"id":1,"title":"T"}"#,
            400,
            "rest_post_exists",
        ),
        ("POST", "/posts", true, "{", 400, "rest_invalid_json"),
        ("POST", "/posts/99", true, "{}", 404, "rest_post_invalid_id"),
        ("GET", "/posts/99", true, "", 404, "rest_post_invalid_id"),
        ("GET", "/posts/1", false, "", 401, "rest_forbidden"),
        (
            "GET",
            "/posts?status=any",
            false,
            "",
            400,
            "rest_invalid_param",
        ),
        ("GET", "/users/me", false, "", 401, "rest_not_logged_in"),
        ("GET", "/pages", true, "", 404, "rest_no_route"),
        ("POST", "/media", true, "RIFF", 400, "rest_upload_no_data"),
    ] {
        let (seen, error) = ask(&mut site, method, target, signed_in, body);
        assert_eq!(
            (seen, error["code"].as_str()),
            (status, Some(code)),
            "{method} {target} {body}"
        );
    }
    assert_eq!(
        ask(&mut site, "GET", "/posts?slug=draft", false, ""),
        (200, json!([])),
        "drafts are not public"
    );
    assert_eq!(ask(&mut site, "GET", "/users/me", true, "").0, 200);
}

#[test]
fn pictures_are_found_by_their_names_and_put_over_posts() {
    let mut site = Site::default();
    let mut upload = request("POST", "/media", true, "...");
    let name = r#"attachment; filename="loa-0a1b.jpg""#;
    upload
        .headers
        .push(("content-disposition".into(), name.into()));
    let slugs = [(); 2].map(|()| {
        let (answer, _, post) = site.answer(&upload);
        site.put(post.unwrap());
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        body["slug"].clone()
    });
    assert_eq!(slugs, ["loa-0a1b", "loa-0a1b-2"]);
    let found = ask(&mut site, "GET", "/media?slug=loa-0a1b", true, "").1;
    assert_eq!(found[0]["id"], 1, "{found}");
    assert_eq!(found[1], Value::Null);
    let (status, file) = ask(
        &mut site,
        "POST",
        "/media/1",
        true,
        r#"{"alt_text":"Biển"}"#,
    );
    assert_eq!((status, file["alt_text"].as_str()), (200, Some("Biển")));
    let body = r#"{"title":"T","featured_media":1}"#;
    let post = ask(&mut site, "POST", "/posts", true, body).1;
    assert_eq!(
        (&post["id"], &post["featured_media"]),
        (&3.into(), &1.into())
    );
    let same = ask(&mut site, "POST", "/posts/3", true, r#"{"content":"C"}"#).1;
    assert_eq!(same["featured_media"], 1, "what is not said stays");
    let body = r#"{"featured_media":0}"#;
    assert_eq!(
        ask(&mut site, "POST", "/posts/3", true, body).1["featured_media"],
        0
    );
    for (method, target, signed_in, body, status, code) in [
        (
            "POST",
            "/posts",
            true,
            r#"{"title":"T","featured_media":3}"#,
            400,
            "rest_invalid_featured_media",
        ),
        (
            "POST",
            "/posts/3",
            true,
            r#"{"featured_media":"x"}"#,
            400,
            "rest_invalid_param",
        ),
        ("POST", "/media/3", true, "{}", 404, "rest_post_invalid_id"),
        ("POST", "/media/1", false, "{}", 401, "rest_cannot_edit"),
        (
            "GET",
            "/media?context=edit",
            false,
            "",
            401,
            "rest_forbidden_context",
        ),
    ] {
        let (seen, error) = ask(&mut site, method, target, signed_in, body);
        assert_eq!(
            (seen, error["code"].as_str()),
            (status, Some(code)),
            "{target}"
        );
    }
}

#[test]
fn files_are_taken() {
    let mut site = Site::default();
    let mut upload = request("POST", "/media", true, "RIFF");
    upload.headers.push((
        "content-disposition".into(),
        r#"attachment; filename="bantin.wav""#.into(),
    ));
    let (answer, effect, post) = site.answer(&upload);
    assert_eq!((answer.status, effect), (201, Effect::Kept));
    assert!(
        answer
            .headers
            .contains(&("X-WP-Upload-Attachment-ID".into(), "1".to_owned()))
    );
    site.put(post.unwrap());
    assert_eq!(
        ask(&mut site, "GET", "/posts?status=any", true, "").1,
        json!([])
    );
    assert_eq!(
        ask(&mut site, "POST", "/posts", true, r#"{"title":"T"}"#).1["id"],
        2
    );
}

/// As a real one was measured: what others made is seen, and changed by an editor only; what cannot be seen holds its slug all the same.
#[test]
fn what_others_made_is_not_anybodys() {
    let mut site = Site::default();
    let mut act = |user: &str, method: &str, target: &str, body: &str| {
        let mut request = request(method, target, false, body);
        let login = STANDARD.encode(format!("{user}:abcd"));
        request
            .headers
            .push(("authorization".to_owned(), format!("Basic {login}")));
        let (answer, _, post) = site.answer(&request);
        if let Some(post) = post {
            site.put(post);
        }
        let counted = answer.headers.iter().find(|(name, _)| name == "X-WP-Total");
        (
            answer.status,
            serde_json::from_slice::<Value>(&answer.body).unwrap(),
            counted.map(|(_, count)| count.clone()),
        )
    };
    let body = r#"{"title":"T","slug":"tin","status":"publish"}"#;
    assert_eq!(act("lan", "POST", "/posts", body).0, 201);
    let asked = "/posts?slug=tin&status=any";
    assert_eq!(act("hoa", "GET", asked, "").1[0]["id"], 1);
    let edited = format!("{asked}&context=edit");
    assert_eq!(act("hoa", "GET", &edited, "").1, json!([]));
    assert_eq!(act("editor", "GET", &edited, "").1[0]["id"], 1);
    let refused = act("hoa", "POST", "/posts/1", r#"{"title":"M"}"#);
    assert_eq!(
        (refused.0, &refused.1["code"]),
        (403, &json!("rest_cannot_edit"))
    );
    assert_eq!(act("editor", "POST", "/posts/1", r#"{"title":"M"}"#).0, 200);

    let draft = r#"{"title":"T","slug":"nhap","status":"draft"}"#;
    assert_eq!(act("lan", "POST", "/posts", draft).1["slug"], "nhap");
    let (_, list, counted) = act("hoa", "GET", "/posts?slug=nhap&status=any", "");
    assert_eq!((list, counted.as_deref()), (json!([]), Some("1")));
    assert_eq!(act("hoa", "POST", "/posts", draft).1["slug"], "nhap-2");

    let (status, said, _) = act("contributor", "POST", "/posts", body);
    assert_eq!(
        (status, &said["code"]),
        (403, &json!("rest_cannot_publish"))
    );
    let me = act("contributor", "GET", "/users/me?context=edit", "").1;
    assert_eq!(me["capabilities"]["publish_posts"], Value::Null);
    let me = act("lan", "GET", "/users/me?context=edit", "").1;
    assert_eq!(me["capabilities"]["publish_posts"], true);
}

#[test]
fn a_wrong_password_is_refused() {
    let mut site = Site::default();
    let mut wrong = request("GET", "/posts?status=any", false, "");
    let login = STANDARD.encode("lan:wrong");
    wrong
        .headers
        .push(("authorization".to_owned(), format!("Basic {login}")));
    let (answer, _, _) = site.answer(&wrong);
    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    let code = said.pointer("/data/details/status/code");
    assert_eq!(
        (answer.status, code),
        (400, Some(&json!("rest_forbidden_status")))
    );
    assert_eq!(ask(&mut site, "GET", "/users/me", false, "").0, 401);
}
