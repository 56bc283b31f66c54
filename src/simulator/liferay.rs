//! A website on Liferay as headless delivery is documented and written to behave: a token for an application, and blog postings that are
//! known by a reference of the caller's (`externalReferenceCode`): making one again is refused, putting it changes what is there.
//!
//! Not imitated: other content than blog postings, roles, and workflows, of which its answers say nothing.

use serde_json::{Value, json};

use super::{
    cms::{self, Login, Outcome, quiet, text},
    memory::Effect,
    slug::slugify,
    wire::{Answer, Request},
    wordpress::{Post, Site},
};

/// Where the interface is.
const ROOT: &str = "/o/headless-delivery/v1.0";
/// Where tokens are given.
const TOKENS: &str = "/o/oauth2/token";
/// The longest reference, in letters.
const MAX_REFERENCE: usize = 75;

/// Whether a request is meant for such a site.
pub(super) fn is_meant(path: &str) -> bool {
    path.contains(ROOT) || path.ends_with(TOKENS)
}

/// Answers a request and says what it would change.
pub(super) fn answer(site: &Site, request: &Request) -> Outcome {
    if request.path.ends_with(TOKENS) {
        return quiet(token(request));
    }
    match [cms::login(request, "Bearer"), cms::login(request, "Basic")] {
        [Login::Wrong, _] | [_, Login::Wrong] => return no(401, "UNAUTHORIZED", "Access denied"),
        [Login::Nobody, Login::Nobody] => {
            return no(403, "FORBIDDEN", "You do not have permission");
        }
        _ => {}
    }
    let parts = cms::parts(request, ROOT);
    let ["sites", number, "blog-postings", rest @ ..] = parts.as_slice() else {
        return no(404, "NOT_FOUND", "HTTP 404 Not Found");
    };
    if number.parse::<u64>().is_err() {
        return no(404, "NOT_FOUND", "No site exists with that ID");
    }
    // What the access policy does not permit is refused whoever asks.
    if cms::is_closed(request) {
        return no(403, "FORBIDDEN", "Access denied to the service");
    }
    if request.method != "GET" && cms::is_reader(request) {
        return no(403, "FORBIDDEN", "User must have ADD_ENTRY permission");
    }
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            let items: Vec<Value> = site.posts().map(shown).collect();
            let total = items.len();
            let mut list = json!({ "actions": {}, "items": items, "totalCount": total, "page": 1, "pageSize": 20 });
            if !cms::is_reader(request) {
                list["actions"]["create"] = json!({ "method": "POST", "href": request.path });
            }
            quiet(Answer::json(200, &list))
        }
        ("POST", []) => {
            let fields: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let own = format!("loa-{}", site.next_id());
            let reference = text(&fields, "/externalReferenceCode").unwrap_or(&own);
            if posting(site, reference).is_some() {
                return no(409, "CONFLICT", "Duplicate external reference code");
            }
            save(site, &fields, reference)
        }
        ("GET", ["by-external-reference-code", reference]) => match posting(site, reference) {
            Some(post) => quiet(Answer::json(200, &shown(post))),
            None => no(404, "NOT_FOUND", "No BlogsEntry exists with that reference"),
        },
        ("PUT", ["by-external-reference-code", reference]) => {
            let fields: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            save(site, &fields, reference)
        }
        _ => no(405, "METHOD_NOT_ALLOWED", "HTTP 405 Method Not Allowed"),
    }
}

fn no(status: u16, word: &str, title: &str) -> Outcome {
    quiet(Answer::json(
        status,
        &json!({ "status": word, "title": title }),
    ))
}

/// A token for whoever knows an application's secret: the one thing that is worth anything in a simulated world.
fn token(request: &Request) -> Answer {
    // A form is written as a query is.
    let form = Request {
        query: String::from_utf8_lossy(&request.body).into_owned(),
        ..Request::default()
    };
    let field = |name: &str| form.parameter(name).unwrap_or_default();
    if field("grant_type") != "client_credentials" {
        return Answer::json(400, &json!({ "error": "unsupported_grant_type" }));
    }
    if cms::known(&field("client_secret")) != Login::Known {
        return Answer::json(401, &json!({ "error": "invalid_client" }));
    }
    Answer::json(
        200,
        &json!({ "access_token": field("client_secret"), "token_type": "Bearer", "expires_in": 600 }),
    )
}

fn posting<'s>(site: &'s Site, reference: &str) -> Option<&'s Post> {
    site.posts().find(|post| post.slug == reference)
}

/// Makes a posting, or changes the one with that reference.
fn save(site: &Site, fields: &Value, reference: &str) -> Outcome {
    let headline = text(fields, "/headline").unwrap_or_default();
    if headline.is_empty() {
        return no(400, "BAD_REQUEST", "headline must not be empty");
    }
    if reference.chars().count() > MAX_REFERENCE {
        return no(
            400,
            "BAD_REQUEST",
            "The external reference code is too long",
        );
    }
    let before = posting(site, reference);
    let mut post = before
        .cloned()
        .unwrap_or_else(|| cms::made(site, reference, "publish"));
    headline.clone_into(&mut post.title);
    // What a PUT does not name is empty afterwards.
    text(fields, "/articleBody")
        .unwrap_or_default()
        .clone_into(&mut post.content);
    text(fields, "/description")
        .unwrap_or_default()
        .clone_into(&mut post.excerpt);
    let effect = if before.is_some() {
        Effect::Updated
    } else {
        Effect::Published
    };
    (Answer::json(200, &shown(&post)), effect, Some(post))
}

/// A posting as the interface shows it.
fn shown(post: &Post) -> Value {
    json!({
        "id": post.id,
        "externalReferenceCode": post.slug,
        "headline": post.title,
        "description": post.excerpt,
        "articleBody": post.content,
        "friendlyUrlPath": slugify(&post.title),
    })
}

#[cfg(test)]
mod tests {
    use super::{super::cms::test, *};
    use crate::domain::secret::Secret;

    const POSTINGS: &str = "/o/headless-delivery/v1.0/sites/20121/blog-postings";

    fn ask(
        site: &mut Site,
        method: &str,
        target: &str,
        proof: Option<&str>,
        body: &Value,
    ) -> (u16, Value) {
        let headers: Vec<_> = proof
            .into_iter()
            .map(|proof| ("authorization", proof))
            .collect();
        test::let_answer(site, answer, &test::ask(method, target, &headers, body))
    }

    #[test]
    fn putting_makes_once_and_changes_afterwards() {
        let mut site = Site::default();
        let bearer = format!("Bearer {}", Secret::simulated().expose());
        let own = format!("{POSTINGS}/by-external-reference-code/ban-tin");
        assert_eq!(
            ask(&mut site, "GET", &own, Some(&bearer), &Value::Null).0,
            404
        );
        for words in ["một", "hai"] {
            let body = json!({ "headline": "Cảnh báo", "articleBody": words });
            let (status, said) = ask(&mut site, "PUT", &own, Some(&bearer), &body);
            assert_eq!(
                (status, &said["articleBody"], &said["externalReferenceCode"]),
                (200, &json!(words), &json!("ban-tin"))
            );
        }
        assert_eq!(site.posts().count(), 1);
        let again = json!({ "headline": "T", "externalReferenceCode": "ban-tin" });
        assert_eq!(
            ask(&mut site, "POST", POSTINGS, Some(&bearer), &again).0,
            409
        );
        let (status, list) = ask(&mut site, "GET", POSTINGS, Some(&bearer), &Value::Null);
        assert_eq!((status, &list["totalCount"]), (200, &json!(1)));
    }

    #[test]
    fn tokens_are_for_those_who_know_the_secret() {
        let mut site = Site::default();
        let mut give = |body: String| {
            let asked = Request {
                method: "POST".into(),
                path: TOKENS.into(),
                body: body.into(),
                ..Request::default()
            };
            test::let_answer(&mut site, answer, &asked)
        };
        let secret = Secret::simulated();
        let secret = crate::template::urlencode(secret.expose());
        let (status, given) = give(format!(
            "grant_type=client_credentials&client_id=a&client_secret={secret}"
        ));
        assert_eq!(
            (status, given["access_token"].as_str()),
            (200, Some(Secret::simulated().expose()))
        );
        assert_eq!(
            give("grant_type=client_credentials&client_secret=sai".into()).0,
            401
        );
        assert_eq!(
            give(format!("grant_type=password&client_secret={secret}")).0,
            400
        );
    }

    #[test]
    fn refusals() {
        let mut site = Site::default();
        let basic = test::basic(Secret::simulated().expose());
        let own = format!("{POSTINGS}/by-external-reference-code/ban-tin");
        let long = format!("{POSTINGS}/by-external-reference-code/{}", "d".repeat(76));
        let good = json!({ "headline": "T" });
        for (target, proof, body, status) in [
            (own.as_str(), None, &good, 403),
            (&own, Some("Bearer sai"), &good, 401),
            (&format!("/closed{own}"), Some(&basic), &good, 403),
            (&own.replace("20121", "trang"), Some(&basic), &good, 404),
            (&own, Some(&basic), &json!({ "articleBody": "C" }), 400),
            (&long, Some(&basic), &good, 400),
        ] {
            assert_eq!(
                ask(&mut site, "PUT", target, proof, body).0,
                status,
                "{target} {proof:?} {body}"
            );
        }
        assert_eq!(site.posts().count(), 0);
        assert_eq!(ask(&mut site, "PUT", &own, Some(&basic), &good).0, 200);
    }
}
