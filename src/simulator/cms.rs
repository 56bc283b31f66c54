//! What the websites of the city that are no `WordPress` have in common: who signs in, what is switched off, and their answers.
//!
//! Whoever knows what every secret is worth in a simulated world is signed in, by any name. What somebody forgot to set up at such a
//! site, its address says: below `/closed/` its interface takes no changes, below `/moderated/` what is new is not shown before
//! a person has agreed, and below `/reader/` the account may only read.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    memory::Effect,
    wire::{Answer, Request},
    wordpress::{Post, Site},
};
use crate::domain::secret::Secret;

/// An answer and what it does.
pub(super) type Outcome = (Answer, Effect, Option<Post>);

/// How well somebody has proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    /// Not at all.
    Nobody,
    /// With what is not right.
    Wrong,
    /// As they should.
    Known,
}

/// What `Authorization` of this scheme proves.
pub(super) fn login(request: &Request, scheme: &str) -> Login {
    let given = request.header("authorization").and_then(|value| {
        let (known, rest) = value.split_once(' ')?;
        known.eq_ignore_ascii_case(scheme).then(|| rest.trim())
    });
    let Some(given) = given else {
        return Login::Nobody;
    };
    if scheme == "Bearer" {
        return known(given);
    }
    let text = STANDARD
        .decode(given)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let secret = text.as_deref().and_then(|text| text.split_once(':'));
    secret.map_or(Login::Wrong, |(_, password)| known(password))
}

/// What a password or token proves.
pub(super) fn known(secret: &str) -> Login {
    if secret == Secret::simulated().expose() {
        Login::Known
    } else {
        Login::Wrong
    }
}

/// Whether the site's address says that its interface takes no changes.
pub(super) fn is_closed(request: &Request) -> bool {
    request.path.contains("/closed/")
}

/// Whether the site's address says that the account may only read.
pub(super) fn is_reader(request: &Request) -> bool {
    request.path.contains("/reader/")
}

/// Whether the site's address says that a person has to agree first.
pub(super) fn is_moderated(request: &Request) -> bool {
    request.path.contains("/moderated/")
}

/// What follows `mark` in a path, in parts.
pub(super) fn parts<'r>(request: &'r Request, mark: &str) -> Vec<&'r str> {
    let rest = request.path.split_once(mark).map_or("", |(_, rest)| rest);
    rest.split('/').filter(|part| !part.is_empty()).collect()
}

/// An answer that changes nothing.
pub(super) fn quiet(answer: Answer) -> Outcome {
    (answer, Effect::Ignored, None)
}

/// An answer in the form of JSON:API.
pub(super) fn document(status: u16, body: &Value) -> Answer {
    Answer {
        headers: vec![("Content-Type".into(), "application/vnd.api+json".to_owned())],
        ..Answer::json(status, body)
    }
}

/// A refusal in that form.
pub(super) fn refused(status: u16, title: &str, detail: &str) -> Answer {
    let error = json!({ "title": title, "status": status.to_string(), "detail": detail });
    document(status, &json!({ "errors": [error] }))
}

/// A page that is made, with the next number of its site.
pub(super) fn made(site: &Site, slug: &str, status: &str) -> Post {
    Post {
        id: site.next_id(),
        slug: slug.to_owned(),
        status: status.to_owned(),
        title: String::new(),
        content: String::new(),
        excerpt: String::new(),
        date: String::new(),
        category: None,
        featured: None,
        alt: None,
        author: None,
        twin: false,
    }
}

/// A text in a tree.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// Requests for the tests of such sites.
#[cfg(test)]
pub(super) mod test {
    use super::*;

    /// A request of somebody with these headers.
    pub(in crate::simulator) fn ask(
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Request {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: if body.is_null() {
                bytes::Bytes::new()
            } else {
                body.to_string().into()
            },
            keep_alive: true,
        }
    }

    /// The proof of somebody with this password.
    pub(in crate::simulator) fn basic(password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("loa:{password}")))
    }

    /// Lets a site answer, and puts in what changed.
    pub(in crate::simulator) fn let_answer(
        site: &mut Site,
        answer: impl Fn(&Site, &Request) -> Outcome,
        request: &Request,
    ) -> (u16, Value) {
        let (said, effect, post) = answer(site, request);
        assert_eq!(effect == Effect::Ignored, post.is_none(), "{request:?}");
        if let Some(post) = post {
            site.put(post);
        }
        let body = serde_json::from_slice(&said.body).unwrap_or(Value::Null);
        (said.status, body)
    }
}
