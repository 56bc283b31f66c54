//! A portal of VNPT ("vnPortal") as far as anybody may read it: lists and single articles, and 404 with JSON for an empty list. No program
//! can write to it: what is on it, a clerk has put there ([`super::CityHandle::paste`], `POST /_city/pages`).
//!
//! A site below `/closed/` has its public interface switched off.

use serde_json::{Value, json};

use super::{
    cms::{self, Outcome, quiet},
    memory::Effect,
    wire::{Answer, Request},
    wordpress::{Post, Site},
};

/// Where the interface is.
const ROOT: &str = "/api/public";

/// Whether a request is meant for such a site.
pub(super) fn is_meant(path: &str) -> bool {
    path.contains("/api/public/")
}

/// Whether somebody asks for the list and looks for nothing in it.
pub(super) fn is_question(request: &Request) -> bool {
    request.method == "GET"
        && cms::parts(request, ROOT).as_slice() == ["articles"]
        && request.parameter("searchTerm").is_none()
}

/// Answers a request below [`ROOT`]. Nothing changes by it.
pub(super) fn answer(site: &Site, request: &Request) -> Outcome {
    if cms::is_closed(request) {
        return quiet(said(403, "Không có quyền truy cập", &Value::Null));
    }
    if request.method != "GET" {
        return quiet(said(405, "Phương thức không được hỗ trợ", &Value::Null));
    }
    let number = |name: &str, usual: usize| {
        let text = request.parameter(name);
        text.and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    quiet(match cms::parts(request, ROOT).as_slice() {
        ["categories"] => said(
            200,
            "",
            &json!([{ "categoryID": 1, "categoryName": "Tin tức" }]),
        ),
        ["articles"] => {
            let search = request
                .parameter("searchTerm")
                .unwrap_or_default()
                .to_lowercase();
            let found: Vec<&Post> = site
                .posts()
                .filter(|post| post.title.to_lowercase().contains(&search))
                .collect();
            let (page, size) = (number("pageNumber", 1).max(1), number("pageSize", 10));
            let shown: Vec<Value> = found
                .iter()
                .rev()
                .skip((page - 1) * size)
                .take(size)
                .map(|post| json!({ "articleID": post.id, "title": post.title, "summary": post.excerpt }))
                .collect();
            if shown.is_empty() {
                said(404, "Không có thông tin", &Value::Null)
            } else {
                said(
                    200,
                    "",
                    &json!({ "totalRecord": found.len(), "items": shown }),
                )
            }
        }
        ["articles", _, id] => match site.posts().find(|post| post.id.to_string() == *id) {
            Some(post) => said(
                200,
                "",
                &json!({ "articleID": post.id, "title": post.title, "summary": post.excerpt, "content": post.content }),
            ),
            None => said(404, "Không có thông tin", &Value::Null),
        },
        _ => said(404, "Không có thông tin", &Value::Null),
    })
}

fn said(status: u16, message: &str, data: &Value) -> Answer {
    Answer::json(
        status,
        &json!({ "statusCode": status, "message": message, "data": data }),
    )
}

/// What a clerk pastes: a new page, or the one with that title in other words.
pub(super) fn pasted(site: &Site, title: &str, html: &str) -> (Effect, Post) {
    let before = site.posts().find(|post| post.title == title).cloned();
    let effect = if before.is_some() {
        Effect::Updated
    } else {
        Effect::Published
    };
    let slug = super::slug::slugify(title);
    let mut post = before.unwrap_or_else(|| cms::made(site, &slug, "publish"));
    title.clone_into(&mut post.title);
    html.clone_into(&mut post.content);
    (effect, post)
}

#[cfg(test)]
mod tests {
    use super::{super::cms::test, *};

    #[test]
    fn what_a_clerk_pastes_is_read_and_nothing_is_written() {
        let mut site = Site::default();
        let get = |site: &mut Site, target: &str| {
            test::let_answer(site, answer, &test::ask("GET", target, &[], &Value::Null))
        };
        let list = "/api/public/articles?pageNumber=1&pageSize=20&searchTerm=C%E1%BA%A2NH";
        assert_eq!(
            get(&mut site, list),
            (
                404,
                json!({ "statusCode": 404, "message": "Không có thông tin", "data": null })
            )
        );
        for words in ["một", "hai"] {
            let (_, post) = pasted(&site, "Cảnh giác", words);
            site.put(post);
        }
        let (status, found) = get(&mut site, list);
        assert_eq!(
            (status, &found["data"]["items"][0]["articleID"]),
            (200, &json!(1))
        );
        assert_eq!(found["data"]["totalRecord"], 1);
        let (status, article) = get(&mut site, "/api/public/articles/1/1");
        assert_eq!((status, &article["data"]["content"]), (200, &json!("hai")));
        assert_eq!(get(&mut site, "/api/public/articles/1/2").0, 404);
        assert_eq!(get(&mut site, "/closed/api/public/articles").0, 403);
        assert_eq!(get(&mut site, "/api/public/categories").0, 200);
        let write = test::ask(
            "POST",
            "/api/public/articles",
            &[],
            &json!({ "title": "T" }),
        );
        assert_eq!(test::let_answer(&mut site, answer, &write).0, 405);
    }
}
