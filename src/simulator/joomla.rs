//! A website on Joomla as its Web Services API is documented and written to behave: a token in a header of its own, an alias once
//! in a category (also in the trash, which no search finds), a search for parts of words in pages of twenty, 200 for what is new.
//!
//! Not imitated: other things than articles and categories, workflows, custom fields, articles that an editor has open.

use serde_json::{Value, json};

use super::{
    cms::{self, Login, Outcome, document, quiet, text},
    memory::Effect,
    slug::slugify,
    wire::{Answer, Request},
    wordpress::{Post, Site},
};

/// Where the interface is.
const ROOT: &str = "/api/index.php/v1";
/// How many articles a page of a list has when nobody says.
const PAGE: usize = 20;

/// Whether a request is meant for such a site.
pub(super) fn is_meant(path: &str) -> bool {
    path.contains(ROOT)
}

/// Answers a request below [`ROOT`] and says what it would change.
pub(super) fn answer(site: &Site, request: &Request) -> Outcome {
    // A plugin that is switched off makes no routes.
    if cms::is_closed(request) {
        return no(404, "Resource not found");
    }
    let login = match request.header("x-joomla-token") {
        Some(token) => cms::known(token),
        None => cms::login(request, "Bearer"),
    };
    let parts = cms::parts(request, ROOT);
    if !matches!(parts.as_slice(), ["content", "articles" | "categories", ..]) {
        return no(404, "Resource not found");
    }
    if login != Login::Known {
        return no(401, "Forbidden");
    }
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["content", "categories", id]) if id.parse::<u64>().is_ok() => {
            let attributes = json!({ "title": "Tin tức", "published": 1 });
            let category = json!({ "type": "categories", "id": id, "attributes": attributes });
            quiet(document(200, &json!({ "data": category })))
        }
        ("GET", ["content", "articles"]) => list(site, request),
        ("POST", ["content", "articles"]) => save(site, request, None),
        ("GET" | "PATCH", ["content", "articles", id]) => {
            let article = site.posts().find(|post| post.id.to_string() == *id);
            match article {
                None => no(404, "Resource not found"),
                Some(post) if request.method == "GET" => quiet(shown_alone(post)),
                Some(post) => save(site, request, Some(post)),
            }
        }
        _ => no(404, "Resource not found"),
    }
}

/// A refusal in the form of its error handlers.
fn no(status: u16, title: &str) -> Outcome {
    quiet(document(
        status,
        &json!({ "errors": [{ "title": title, "code": status }] }),
    ))
}

fn list(site: &Site, request: &Request) -> Outcome {
    let number = |name: &str| {
        request
            .parameter(name)
            .and_then(|text| text.parse::<usize>().ok())
    };
    let search = request
        .parameter("filter[search]")
        .unwrap_or_default()
        .to_lowercase();
    let category = request
        .parameter("filter[category]")
        .and_then(|text| text.parse::<u64>().ok());
    let wanted = |post: &&Post| {
        let says = |text: &str| text.to_lowercase().contains(&search);
        post.status != "trash"
            && (says(&post.slug) || says(&post.title))
            && category.is_none_or(|id| post.category == Some(id))
    };
    let mut all: Vec<&Post> = site.posts().filter(wanted).collect();
    all.sort_by_key(|post| std::cmp::Reverse(post.id));
    let limit = number("page[limit]")
        .filter(|limit| *limit > 0)
        .unwrap_or(PAGE);
    let offset = number("page[offset]").unwrap_or(0);
    if offset > all.len() {
        return no(404, "Resource not found");
    }
    let page: Vec<Value> = all
        .iter()
        .skip(offset)
        .take(limit)
        .map(|post| shown(post))
        .collect();
    let own = request.path.as_str();
    let mut links = json!({ "self": own });
    if offset + limit < all.len() {
        links["next"] = format!("{own}?page%5Boffset%5D={}", offset + limit).into();
    }
    let meta = json!({ "total-pages": all.len().div_ceil(limit) });
    quiet(document(
        200,
        &json!({ "links": links, "data": page, "meta": meta }),
    ))
}

/// Makes an article, or changes one.
fn save(site: &Site, request: &Request, before: Option<&Post>) -> Outcome {
    let fields = match serde_json::from_slice::<Value>(&request.body) {
        Ok(fields) if fields.is_object() => fields,
        _ => return no(400, "Invalid JSON"),
    };
    let title = text(&fields, "/title").or(before.map(|post| post.title.as_str()));
    let Some(title) = title.filter(|title| !title.is_empty()) else {
        return no(400, "Field required: Title");
    };
    let category = fields.pointer("/catid").and_then(Value::as_u64);
    let Some(category) = category.or(before.and_then(|post| post.category)) else {
        return no(400, "Field required: Category");
    };
    let alias = text(&fields, "/alias").or(before.map(|post| post.slug.as_str()));
    let alias = slugify(alias.filter(|alias| !alias.is_empty()).unwrap_or(title));
    let mut others = site
        .posts()
        .filter(|post| before.is_none_or(|own| own.id != post.id));
    if others.any(|post| post.slug == alias && post.category == Some(category)) {
        return no(
            400,
            "Save failed with the following error: Another article in this category has the same alias (remember it may be a trashed item).",
        );
    }
    let state = fields.pointer("/state").and_then(Value::as_i64);
    let status = match state {
        _ if cms::is_moderated(request) => "draft",
        Some(1) => "publish",
        Some(-2) => "trash",
        Some(_) => "draft",
        None => before.map_or("draft", |post| post.status.as_str()),
    };
    let mut post = before
        .cloned()
        .unwrap_or_else(|| cms::made(site, &alias, status));
    post.slug.clone_from(&alias);
    status.clone_into(&mut post.status);
    title.clone_into(&mut post.title);
    post.category = Some(category);
    for (pointer, place) in [
        ("/articletext", &mut post.content),
        ("/metadesc", &mut post.excerpt),
    ] {
        if let Some(text) = text(&fields, pointer) {
            text.clone_into(place);
        }
    }
    let effect = if before.is_some() {
        Effect::Updated
    } else {
        Effect::Published
    };
    (shown_alone(&post), effect, Some(post))
}

fn shown_alone(post: &Post) -> Answer {
    document(200, &json!({ "data": shown(post) }))
}

/// An article as the interface shows it.
fn shown(post: &Post) -> Value {
    let state = match post.status.as_str() {
        "publish" => 1,
        "trash" => -2,
        _ => 0,
    };
    let category = post.category.unwrap_or_default().to_string();
    json!({
        "type": "articles",
        "id": post.id.to_string(),
        "attributes": {
            "id": post.id,
            "title": post.title,
            "alias": post.slug,
            "state": state,
            "text": format!("{} ", post.content),
            "metadesc": post.excerpt,
            "language": "*",
        },
        "relationships": { "category": { "data": { "type": "categories", "id": category } } },
    })
}

#[cfg(test)]
mod tests {
    use super::{super::cms::test, *};
    use crate::domain::secret::Secret;

    const ARTICLES: &str = "/api/index.php/v1/content/articles";

    fn ask(site: &mut Site, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let secret = Secret::simulated();
        let headers = [("x-joomla-token", secret.expose())];
        test::let_answer(site, answer, &test::ask(method, target, &headers, body))
    }

    fn article(alias: &str, category: u64) -> Value {
        json!({ "title": "Cảnh báo", "alias": alias, "catid": category, "articletext": "<p>C</p>", "language": "*", "state": 1 })
    }

    #[test]
    fn an_alias_is_there_once_in_a_category_also_in_the_trash() {
        let mut site = Site::default();
        let (status, made) = ask(&mut site, "POST", ARTICLES, &article("ban-tin", 8));
        assert_eq!(
            (status, &made["data"]["attributes"]["alias"]),
            (200, &json!("ban-tin"))
        );
        assert_eq!(
            ask(&mut site, "POST", ARTICLES, &article("ban-tin", 8)).0,
            400
        );
        assert_eq!(
            ask(&mut site, "POST", ARTICLES, &article("ban-tin", 9)).0,
            200
        );
        let own = format!("{ARTICLES}/1");
        let (status, page) = ask(&mut site, "PATCH", &own, &json!({ "title": "Khác" }));
        let kept = &page["data"]["attributes"];
        assert_eq!(
            (status, &kept["title"], &kept["alias"], &kept["state"]),
            (200, &json!("Khác"), &json!("ban-tin"), &json!(1))
        );
        ask(&mut site, "PATCH", &own, &json!({ "state": -2 }));
        let search = format!("{ARTICLES}?filter%5Bsearch%5D=ban-tin&filter%5Bcategory%5D=8");
        assert_eq!(
            ask(&mut site, "GET", &search, &Value::Null).1["data"],
            json!([])
        );
        assert_eq!(
            ask(&mut site, "POST", ARTICLES, &article("ban-tin", 8)).0,
            400
        );
    }

    #[test]
    fn lists_find_parts_of_words_and_come_in_pages() {
        let mut site = Site::default();
        for number in 0..45 {
            ask(
                &mut site,
                "POST",
                ARTICLES,
                &article(&format!("ban-tin-{number}"), 8),
            );
        }
        let page = |site: &mut Site, offset: usize| {
            let target = format!(
                "{ARTICLES}?filter%5Bsearch%5D=N-TIN&page%5Boffset%5D={offset}&page%5Blimit%5D=20"
            );
            let (status, list) = ask(site, "GET", &target, &Value::Null);
            assert_eq!((status, &list["meta"]["total-pages"]), (200, &json!(3)));
            (
                list["data"].as_array().unwrap().len(),
                list["links"]["next"].is_string(),
            )
        };
        assert_eq!(
            [0, 20, 40].map(|offset| page(&mut site, offset)),
            [(20, true), (20, true), (5, false)]
        );
        let beyond = format!("{ARTICLES}?page%5Boffset%5D=46");
        assert_eq!(ask(&mut site, "GET", &beyond, &Value::Null).0, 404);
    }

    #[test]
    fn refusals() {
        let mut site = Site::default();
        let secret = Secret::simulated();
        let right = ("x-joomla-token", secret.expose());
        for (method, target, headers, body, status) in [
            ("POST", ARTICLES, vec![], article("a", 8), 401),
            (
                "POST",
                ARTICLES,
                vec![("x-joomla-token", "sai")],
                article("a", 8),
                401,
            ),
            ("GET", ARTICLES, vec![], Value::Null, 401),
            (
                "POST",
                "/closed/api/index.php/v1/content/articles",
                vec![right],
                article("a", 8),
                404,
            ),
            (
                "POST",
                ARTICLES,
                vec![right],
                json!({ "alias": "a", "catid": 8 }),
                400,
            ),
            (
                "POST",
                ARTICLES,
                vec![right],
                json!({ "title": "T", "alias": "a" }),
                400,
            ),
            ("POST", ARTICLES, vec![right], Value::Null, 400),
            (
                "PATCH",
                "/api/index.php/v1/content/articles/9",
                vec![right],
                article("a", 8),
                404,
            ),
            (
                "GET",
                "/api/index.php/v1/users",
                vec![right],
                Value::Null,
                404,
            ),
        ] {
            let asked = test::ask(method, target, &headers, &body);
            assert_eq!(
                test::let_answer(&mut site, answer, &asked).0,
                status,
                "{method} {target} {headers:?} {body}"
            );
        }
        assert_eq!(site.posts().count(), 0);
        let bearer = format!("Bearer {}", secret.expose());
        let asked = test::ask(
            "GET",
            "/api/index.php/v1/content/categories/8",
            &[("authorization", &bearer)],
            &Value::Null,
        );
        let (status, category) = test::let_answer(&mut site, answer, &asked);
        assert_eq!((status, &category["data"]["id"]), (200, &json!("8")));
    }
}
