//! A website on Drupal as its JSON:API module is documented and written to behave: the maker of a page says its UUID, a repeated one
//! is a conflict, nothing but `application/vnd.api+json` is read, and a fresh site takes no changes at all (405).
//!
//! Not imitated: languages, revisions, other entities than nodes, permissions beyond those that an author lacks.

use serde_json::{Value, json};

use super::{
    cms::{self, Login, Outcome, document, quiet, refused, text},
    memory::Effect,
    wire::{Answer, Request},
    wordpress::{Post, Site},
};

/// Fields that only somebody sets who may administer all content.
const RESERVED: [&str; 6] = ["status", "uid", "created", "changed", "promote", "sticky"];
/// Formats of text that an author may use.
const FORMATS: [&str; 3] = ["basic_html", "restricted_html", "plain_text"];
/// The longest title, in letters.
const MAX_TITLE: usize = 255;

/// The identifier of whoever is known.
const ACCOUNT: &str = "4f1a2b3c-0d5e-4a6f-8b7c-9d0e1f2a3b4c";

/// Whether a request is meant for such a site.
pub(super) fn is_meant(path: &str) -> bool {
    path.contains("/jsonapi/") || path.ends_with("/jsonapi")
}

/// Answers a request below `/jsonapi` and says what it would change.
pub(super) fn answer(site: &Site, request: &Request) -> Outcome {
    let writes = request.method != "GET";
    if writes && cms::is_closed(request) {
        let detail = "JSON:API is configured to accept only read operations.";
        return quiet(refused(405, "Method Not Allowed", detail).with("Allow", "GET"));
    }
    let media = request.header("content-type").unwrap_or_default();
    if matches!(request.method.as_str(), "POST" | "PATCH") && media != "application/vnd.api+json" {
        let detail = format!("No route found that matches \"Content-Type: {media}\"");
        return quiet(refused(415, "Unsupported Media Type", &detail));
    }
    let login = cms::login(request, "Basic");
    let parts = cms::parts(request, "/jsonapi");
    match (request.method.as_str(), parts.as_slice()) {
        // Who is known is told so, by the identifier of the account.
        ("GET", []) => {
            let base = here(request);
            let kinds = ["article", "page"].map(|kind| {
                let href = format!("{base}/node/{kind}");
                (format!("node--{kind}"), json!({ "href": href }))
            });
            let mut links = serde_json::Map::from_iter(kinds);
            links.insert("self".into(), json!({ "href": base }));
            let mut entry = json!({ "jsonapi": about(), "data": [], "links": links });
            if login == Login::Known {
                entry["meta"] = json!({ "links": { "me": { "meta": { "id": ACCOUNT } } } });
            }
            quiet(document(200, &entry))
        }
        ("GET", ["node", kind]) => {
            let pages: Vec<Value> = site
                .posts()
                .map(|post| shown(post, kind, request))
                .collect();
            let links = json!({ "self": { "href": here(request) } });
            quiet(document(
                200,
                &json!({ "jsonapi": about(), "data": pages, "links": links }),
            ))
        }
        ("GET", ["node", kind, id]) => match page(site, id) {
            None => quiet(refused(
                404,
                "Not Found",
                "The \"entity\" parameter was not converted.",
            )),
            Some(post) if post.status == "publish" || login == Login::Known => {
                quiet(found(200, post, kind, request))
            }
            Some(_) => quiet(refused(
                403,
                "Forbidden",
                "The current user is not allowed to GET the selected resource.",
            )),
        },
        // Who proves nothing is asked to; who proves it wrongly is a stranger who may not.
        (_, ["node", ..]) if writes && login == Login::Nobody => quiet(refused(
            401,
            "Unauthorized",
            "No authentication credentials provided.",
        )),
        (method, ["node", ..]) if writes && (login == Login::Wrong || cms::is_reader(request)) => {
            let detail =
                format!("The current user is not allowed to {method} the selected resource.");
            quiet(refused(403, "Forbidden", &detail))
        }
        ("POST", ["node", kind]) => create(site, request, kind),
        ("PATCH", ["node", kind, id]) => match page(site, id) {
            None => quiet(refused(
                404,
                "Not Found",
                "The \"entity\" parameter was not converted.",
            )),
            Some(post) => update(post, request, kind, id),
        },
        _ => quiet(refused(404, "Not Found", "No route found")),
    }
}

fn page<'s>(site: &'s Site, id: &str) -> Option<&'s Post> {
    site.posts().find(|post| post.slug == id)
}

fn create(site: &Site, request: &Request, kind: &str) -> Outcome {
    let fields = match fields(request, kind) {
        Ok(fields) => fields,
        Err(refusal) => return quiet(refusal),
    };
    // Without an identity of its own it gets one that nobody can know beforehand.
    let own = format!("00000000-0000-4000-8000-{:012x}", site.next_id());
    let id = text(&fields, "/data/id").unwrap_or(&own);
    if text(&fields, "/data/attributes/title").is_none_or(str::is_empty) {
        return quiet(refused(
            422,
            "Unprocessable Content",
            "title: This value should not be null.",
        ));
    }
    if page(site, id).is_some() {
        return quiet(refused(409, "Conflict", "Conflict: Entity already exists."));
    }
    let status = if cms::is_moderated(request) {
        "draft"
    } else {
        "publish"
    };
    let post = changed(cms::made(site, id, status), &fields);
    let answer =
        found(201, &post, kind, request).with("Location", format!("{}/{id}", here(request)));
    (answer, Effect::Published, Some(post))
}

fn update(before: &Post, request: &Request, kind: &str, id: &str) -> Outcome {
    let fields = match fields(request, kind) {
        Ok(fields) => fields,
        Err(refusal) => return quiet(refusal),
    };
    if text(&fields, "/data/id") != Some(id) {
        let detail = "The selected entity does not match the ID in the payload.";
        return quiet(refused(400, "Bad Request", detail));
    }
    let post = changed(before.clone(), &fields);
    (
        found(200, &post, kind, request),
        Effect::Updated,
        Some(post),
    )
}

/// What a request wants to set, if it may.
fn fields(request: &Request, kind: &str) -> Result<Value, Answer> {
    let no = |status, title, detail: &str| Err(refused(status, title, detail));
    let Ok(fields) = serde_json::from_slice::<Value>(&request.body) else {
        return no(400, "Bad Request", "Syntax error");
    };
    if text(&fields, "/data/type") != Some(&format!("node--{kind}")) {
        return no(
            422,
            "Unprocessable Content",
            "The type is not that of the resource.",
        );
    }
    if fields
        .pointer("/data/id")
        .is_some_and(|id| !id.as_str().is_some_and(is_uuid))
    {
        let detail =
            "IDs should be properly generated and formatted UUIDs as described in RFC 4122.";
        return no(422, "Unprocessable Content", detail);
    }
    let attributes = fields
        .pointer("/data/attributes")
        .and_then(Value::as_object);
    let reserved = attributes.into_iter().flatten().map(|(name, _)| name);
    if let Some(name) = reserved
        .into_iter()
        .find(|name| RESERVED.contains(&name.as_str()))
    {
        let detail =
            format!("The current user is not allowed to POST the selected field ({name}).");
        return no(403, "Forbidden", &detail);
    }
    let title = text(&fields, "/data/attributes/title").unwrap_or_default();
    if title.chars().count() > MAX_TITLE {
        return no(
            422,
            "Unprocessable Content",
            "title: Title: may not be longer than 255 characters.",
        );
    }
    let format = text(&fields, "/data/attributes/body/format");
    if format.is_some_and(|format| !FORMATS.contains(&format)) {
        return no(
            422,
            "Unprocessable Content",
            "body.0.format: The value you selected is not a valid choice.",
        );
    }
    Ok(fields)
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(is_hex)
}

fn changed(mut post: Post, fields: &Value) -> Post {
    for (pointer, place) in [
        ("/data/attributes/title", &mut post.title),
        ("/data/attributes/body/value", &mut post.content),
        ("/data/attributes/body/summary", &mut post.excerpt),
    ] {
        if let Some(text) = text(fields, pointer) {
            text.clone_into(place);
        }
    }
    post
}

fn about() -> Value {
    json!({ "version": "1.0", "meta": { "links": { "self": { "href": "http://jsonapi.org/format/1.0/" } } } })
}

/// The address that was called, by the name that the sender calls it.
fn here(request: &Request) -> String {
    format!(
        "http://{}{}",
        request.header("host").unwrap_or("localhost"),
        request.path
    )
}

fn found(status: u16, post: &Post, kind: &str, request: &Request) -> Answer {
    document(
        status,
        &json!({ "jsonapi": about(), "data": shown(post, kind, request) }),
    )
}

/// A page as the interface shows it.
fn shown(post: &Post, kind: &str, request: &Request) -> Value {
    let host = request.header("host").unwrap_or("localhost");
    let href = format!("http://{host}/jsonapi/node/{kind}/{}", post.slug);
    json!({
        "type": format!("node--{kind}"),
        "id": post.slug,
        "links": { "self": { "href": href } },
        "attributes": {
            "drupal_internal__nid": post.id,
            "title": post.title,
            "status": post.status == "publish",
            "body": { "value": post.content, "summary": post.excerpt, "format": "basic_html" },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{super::cms::test, *};
    use crate::domain::secret::Secret;

    const ID: &str = "f02125ac-e3d9-537f-8424-ab8168912b43";

    fn body(id: Option<&str>, title: &str) -> Value {
        let mut body = json!({ "data": { "type": "node--article", "attributes": {
            "title": title, "body": { "value": "<p>C</p>", "format": "basic_html" } } } });
        if let Some(id) = id {
            body["data"]["id"] = id.into();
        }
        body
    }

    /// Asks as the author, in the right media type.
    fn ask(site: &mut Site, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let proof = test::basic(Secret::simulated().expose());
        let headers = [
            ("authorization", proof.as_str()),
            ("content-type", "application/vnd.api+json"),
        ];
        test::let_answer(site, answer, &test::ask(method, target, &headers, body))
    }

    #[test]
    fn an_identity_that_is_given_is_there_once_and_others_double() {
        let mut site = Site::default();
        let own = format!("/jsonapi/node/article/{ID}");
        assert_eq!(ask(&mut site, "GET", &own, &Value::Null).0, 404);
        let (status, made) = ask(
            &mut site,
            "POST",
            "/jsonapi/node/article",
            &body(Some(ID), "T"),
        );
        assert_eq!((status, &made["data"]["id"]), (201, &json!(ID)));
        assert_eq!(made["data"]["attributes"]["status"], true);
        assert_eq!(
            ask(
                &mut site,
                "POST",
                "/jsonapi/node/article",
                &body(Some(ID), "T")
            )
            .0,
            409
        );
        for _ in 0..2 {
            assert_eq!(
                ask(&mut site, "POST", "/jsonapi/node/article", &body(None, "T")).0,
                201
            );
        }
        assert_eq!(site.posts().count(), 3);
        let (status, page) = ask(&mut site, "PATCH", &own, &body(Some(ID), "U"));
        assert_eq!(
            (status, &page["data"]["attributes"]["title"]),
            (200, &json!("U"))
        );
        assert_eq!(ask(&mut site, "PATCH", &own, &body(None, "U")).0, 400);
    }

    #[test]
    fn refusals() {
        let mut site = Site::default();
        let right = test::basic(Secret::simulated().expose());
        let wrong = test::basic("sai");
        let media = ("content-type", "application/vnd.api+json");
        let good = body(Some(ID), "T");
        let with = |pointer: &str, value: Value| {
            let mut body = good.clone();
            body["data"]["attributes"][pointer] = value;
            body
        };
        let post = "/jsonapi/node/article";
        for (target, headers, body, status) in [
            (post, vec![media], good.clone(), 401),
            (
                post,
                vec![media, ("authorization", &wrong)],
                good.clone(),
                403,
            ),
            (
                post,
                vec![
                    ("content-type", "application/json"),
                    ("authorization", &right),
                ],
                good.clone(),
                415,
            ),
            (
                "/closed/jsonapi/node/article",
                vec![media, ("authorization", &right)],
                good.clone(),
                405,
            ),
            (
                post,
                vec![media, ("authorization", &right)],
                body(Some("ban-tin-hung-binh"), "T"),
                422,
            ),
            (
                post,
                vec![media, ("authorization", &right)],
                body(Some(ID), &"d".repeat(256)),
                422,
            ),
            (
                post,
                vec![media, ("authorization", &right)],
                body(Some(ID), ""),
                422,
            ),
            (
                post,
                vec![media, ("authorization", &right)],
                with("status", json!(true)),
                403,
            ),
            (
                post,
                vec![media, ("authorization", &right)],
                with("body", json!({ "value": "", "format": "full_html" })),
                422,
            ),
            (
                "/jsonapi/node/page",
                vec![media, ("authorization", &right)],
                good.clone(),
                422,
            ),
            (
                "/jsonapi/user/user",
                vec![media, ("authorization", &right)],
                good.clone(),
                404,
            ),
        ] {
            let asked = test::ask("POST", target, &headers, &body);
            assert_eq!(
                test::let_answer(&mut site, answer, &asked).0,
                status,
                "{target} {headers:?} {body}"
            );
        }
        assert_eq!(site.posts().count(), 0);
    }

    #[test]
    fn what_waits_for_a_person_is_seen_by_its_author_only() {
        let mut site = Site::default();
        let (status, made) = ask(
            &mut site,
            "POST",
            "/moderated/jsonapi/node/article",
            &body(Some(ID), "T"),
        );
        assert_eq!(
            (status, &made["data"]["attributes"]["status"]),
            (201, &json!(false))
        );
        let own = format!("/moderated/jsonapi/node/article/{ID}");
        assert_eq!(ask(&mut site, "GET", &own, &Value::Null).0, 200);
        let stranger = test::ask("GET", &own, &[], &Value::Null);
        assert_eq!(test::let_answer(&mut site, answer, &stranger).0, 403);
    }
}
