//! A website as `WordPress` 6.1 with an author's application password was measured to behave: a slug is no idempotency
//! key (a second post gets `-2`, whoever has the first), unregistered `meta` is dropped silently, and each post is its author's.
//!
//! Any name with any password is an author. The account `editor` may change what others made, too; `contributor` may only write drafts; the
//! password `wrong` is refused: as 401, but where the list of drafts is asked for as 400.
//!
//! Not imitated: themes, plugins, revisions, and time: a site that knows no clock cannot tell a date in the future, so such posts are
//! published at once.
//! Answering does not change anything; the change is the [`Post`] that the caller puts in once it is on record.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    cms::{Outcome, quiet},
    memory::Effect,
    slug::slugify,
    wire::{Answer, Request},
};

/// Statuses that a request may give a post.
const STATUSES: [&str; 5] = ["publish", "future", "draft", "pending", "private"];

/// One page, or an uploaded file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Its number on its site.
    pub id: u64,
    /// The name in its address.
    pub slug: String,
    /// `publish`, `draft`, …; `inherit` for files, `trash` once deleted.
    pub status: String,
    /// The headline.
    pub title: String,
    /// The body.
    pub content: String,
    /// The teaser.
    pub excerpt: String,
    /// Its date as it was given.
    pub date: String,
    /// The category that it is in, where the site has every page in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<u64>,
    /// The number of the picture over it; 0 where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub featured: Option<u64>,
    /// Of a file: what is said in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
    /// The account that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Whether the slug that it asked for was taken.
    pub twin: bool,
}

/// The pages of one website.
#[derive(Debug, Default)]
pub(super) struct Site {
    posts: BTreeMap<u64, Post>,
    slugs: BTreeMap<String, u64>,
}

impl Site {
    /// Puts a page in, in place of the one with its number.
    pub(super) fn put(&mut self, post: Post) {
        let slug = post.slug.clone();
        let id = post.id;
        if let Some(before) = self.posts.insert(id, post) {
            self.slugs.remove(&before.slug);
        }
        self.slugs.insert(slug, id);
    }

    /// Answers a request below `/wp-json` and says what it would change.
    pub(super) fn answer(&self, request: &Request) -> Outcome {
        let account = Account::of(request);
        let account = account.as_ref();
        let signed_in = account.is_some();
        let route = route(request).unwrap_or_default();
        let route = route.trim_matches('/');
        let words: Vec<&str> = route.split('/').collect();
        match (request.method.as_str(), words.as_slice()) {
            ("GET", [""]) => quiet(Answer::json(
                200,
                &json!({"name": "Simulated", "namespaces": ["wp/v2"]}),
            )),
            ("GET", ["wp", "v2", "users", "me"]) => match account {
                Some(account) => quiet(account.shown()),
                None => no(401, "rest_not_logged_in"),
            },
            ("GET", ["wp", "v2", "posts"]) => self.list(request, account),
            ("GET", ["wp", "v2", "posts", id]) => match self.find(id) {
                Some(post)
                    if request.parameter("context").as_deref() == Some("edit")
                        && !may_edit(account, post) =>
                {
                    no(if signed_in { 403 } else { 401 }, "rest_forbidden_context")
                }
                Some(post) if post.status == "publish" || may_edit(account, post) => {
                    quiet(Answer::json(200, &shown(post, request)))
                }
                Some(_) => no(if signed_in { 403 } else { 401 }, "rest_forbidden"),
                None => no(404, "rest_post_invalid_id"),
            },
            ("POST", ["wp", "v2", "posts" | "media"]) if !signed_in => {
                no(401, "rest_cannot_create")
            }
            ("GET", ["wp", "v2", "media"]) => self.files(request, account),
            ("POST" | "PUT" | "PATCH", ["wp", "v2", "media", id]) => match self.file(id) {
                None => no(404, "rest_post_invalid_id"),
                Some(file) if !may_edit(account, file) => {
                    no(if signed_in { 403 } else { 401 }, "rest_cannot_edit")
                }
                Some(file) => describe(request, file),
            },
            ("POST", ["wp", "v2", "media"])
                if account.is_some_and(|account| account.role == Role::Contributor) =>
            {
                no(403, "rest_cannot_create")
            }
            ("POST", ["wp", "v2", "posts"]) => self.create(request, account),
            ("POST", ["wp", "v2", "media"]) => self.upload(request, account),
            ("POST" | "PUT" | "PATCH" | "DELETE", ["wp", "v2", "posts", id]) => match self.find(id)
            {
                None => no(404, "rest_post_invalid_id"),
                Some(post) if !may_edit(account, post) => {
                    no(if signed_in { 403 } else { 401 }, "rest_cannot_edit")
                }
                Some(post) if request.method == "DELETE" => {
                    let slug = format!("{}__trashed", post.slug);
                    let post = Post {
                        status: "trash".to_owned(),
                        slug,
                        ..post.clone()
                    };
                    (
                        Answer::json(200, &shown(&post, request)),
                        Effect::Updated,
                        Some(post),
                    )
                }
                Some(post) => self.update(request, post, account),
            },
            _ => no(404, "rest_no_route"),
        }
    }

    fn find(&self, id: &str) -> Option<&Post> {
        self.posts
            .get(&id.parse().ok()?)
            .filter(|post| post.status != "inherit")
    }

    fn file(&self, id: &str) -> Option<&Post> {
        self.posts
            .get(&id.parse().ok()?)
            .filter(|post| post.status == "inherit")
    }

    /// Lists uploaded files; with what only editors see, those that somebody with credentials may edit.
    fn files(&self, request: &Request, account: Option<&Account>) -> Outcome {
        let for_edit = request.parameter("context").as_deref() == Some("edit");
        if for_edit && account.is_none() {
            return no(401, "rest_forbidden_context");
        }
        let slug = request.parameter("slug");
        let files = self.posts.values().rev().filter(|post| {
            let is_meant = slug.as_ref().is_none_or(|slug| *slug == post.slug);
            post.status == "inherit" && is_meant && (!for_edit || may_edit(account, post))
        });
        let page: Vec<Value> = files.take(10).map(|post| shown(post, request)).collect();
        quiet(Answer::json(200, &Value::Array(page)))
    }

    /// The picture that a request puts over a post: `None` where it says nothing of that.
    fn featured(&self, fields: &Fields) -> Result<Option<u64>, Answer> {
        let Some(asked) = fields.0.get("featured_media") else {
            return Ok(None);
        };
        match asked.as_u64() {
            None => Err(invalid("featured_media")),
            Some(id) if id > 0 && self.file(&id.to_string()).is_none() => {
                Err(refused(400, "rest_invalid_featured_media"))
            }
            Some(id) => Ok(Some(id)),
        }
    }

    /// Lists posts: published ones for everybody, others for who may edit them.
    fn list(&self, request: &Request, account: Option<&Account>) -> Outcome {
        let status = request
            .parameter("status")
            .unwrap_or_else(|| "publish".to_owned());
        if status != "any" && !STATUSES.contains(&status.as_str()) && status != "trash" {
            return quiet(invalid("status"));
        }
        if status != "publish" && account.is_none() {
            return quiet(forbidden_status());
        }
        let for_edit = request.parameter("context").as_deref() == Some("edit");
        let slugs = request.parameter("slug");
        let limit = request
            .parameter("per_page")
            .and_then(|text| text.parse().ok())
            .unwrap_or(10_usize);
        let wanted = |post: &&Post| {
            let standing = match status.as_str() {
                "any" => !matches!(post.status.as_str(), "trash" | "inherit"),
                one => post.status == one,
            };
            standing
                && slugs
                    .as_ref()
                    .is_none_or(|slugs| slugs.split(',').any(|slug| slug == post.slug))
        };
        let is_shown =
            |post: &&&Post| (post.status == "publish" && !for_edit) || may_edit(account, post);
        // What is not shown is counted all the same, and takes its place on the page.
        let found: Vec<&Post> = self.posts.values().rev().filter(wanted).collect();
        let page: Vec<Value> = found
            .iter()
            .take(limit)
            .filter(is_shown)
            .map(|post| shown(post, request))
            .collect();
        quiet(Answer::json(200, &Value::Array(page)).with("X-WP-Total", found.len().to_string()))
    }

    fn create(&self, request: &Request, account: Option<&Account>) -> Outcome {
        let fields = match Fields::read(request) {
            Ok(fields) => fields,
            Err(refusal) => return quiet(refusal),
        };
        if fields.publishes() && account.is_some_and(|account| account.role == Role::Contributor) {
            return no(403, "rest_cannot_publish");
        }
        if fields.0.get("id").is_some_and(|id| !id.is_null()) {
            return no(400, "rest_post_exists");
        }
        let [title, content, excerpt] =
            ["title", "content", "excerpt"].map(|name| fields.text(name).unwrap_or_default());
        if title.is_empty() && content.is_empty() && excerpt.is_empty() {
            return no(400, "empty_content");
        }
        let featured = match self.featured(&fields) {
            Ok(featured) => featured,
            Err(refusal) => return quiet(refusal),
        };
        let asked = slugify(
            &fields
                .text("slug")
                .filter(|slug| !slug.is_empty())
                .unwrap_or_else(|| title.clone()),
        );
        let id = self.next_id();
        let slug = self.free_slug(&asked, id);
        let post = Post {
            id,
            twin: slug != asked,
            slug,
            status: fields.text("status").unwrap_or_else(|| "draft".to_owned()),
            title,
            content,
            excerpt,
            date: fields
                .text("date_gmt")
                .or_else(|| fields.text("date"))
                .unwrap_or_default(),
            category: None,
            featured,
            alt: None,
            author: account.map(|account| account.name.clone()),
        };
        let effect = if post.status == "publish" {
            Effect::Published
        } else {
            Effect::Kept
        };
        let location = format!("{}/{id}", own_address(request, "/wp-json/wp/v2/posts"));
        let answer = Answer::json(201, &shown(&post, request)).with("Location", location);
        (answer, effect, Some(post))
    }

    fn update(&self, request: &Request, before: &Post, account: Option<&Account>) -> Outcome {
        let fields = match Fields::read(request) {
            Ok(fields) => fields,
            Err(refusal) => return quiet(refusal),
        };
        if fields.publishes() && account.is_some_and(|account| account.role == Role::Contributor) {
            return no(403, "rest_cannot_publish");
        }
        let mut post = before.clone();
        match self.featured(&fields) {
            Ok(featured) => post.featured = featured.or(post.featured),
            Err(refusal) => return quiet(refusal),
        }
        for (name, place) in [
            ("title", &mut post.title),
            ("content", &mut post.content),
            ("excerpt", &mut post.excerpt),
            ("status", &mut post.status),
            ("date", &mut post.date),
        ] {
            if let Some(text) = fields.text(name) {
                *place = text;
            }
        }
        if let Some(slug) = fields.text("slug").filter(|slug| !slug.is_empty()) {
            let asked = slugify(&slug);
            post.slug = self.free_slug(&asked, post.id);
            post.twin = post.slug != asked;
        }
        let effect = if before.status != "publish" && post.status == "publish" {
            Effect::Published
        } else {
            Effect::Updated
        };
        (
            Answer::json(200, &shown(&post, request)),
            effect,
            Some(post),
        )
    }

    fn upload(&self, request: &Request, account: Option<&Account>) -> Outcome {
        let name = request
            .header("content-disposition")
            .and_then(|value| value.split_once("filename="))
            .map(|(_, name)| name.trim_matches('"').to_owned());
        let Some(name) = name.filter(|name| !name.is_empty() && !request.body.is_empty()) else {
            return no(400, "rest_upload_no_data");
        };
        let id = self.next_id();
        // The title, and with it the slug, is the file's name without its ending.
        let title = name
            .rsplit_once('.')
            .map_or(name.as_str(), |(stem, _)| stem);
        let post = Post {
            id,
            slug: self.free_slug(&slugify(title), id),
            status: "inherit".to_owned(),
            title: title.to_owned(),
            content: String::new(),
            excerpt: String::new(),
            date: String::new(),
            category: None,
            featured: None,
            alt: None,
            author: account.map(|account| account.name.clone()),
            twin: false, // a file that is uploaded again is a copy, not a page that people read twice
        };
        let answer = Answer::json(201, &shown(&post, request))
            .with("X-WP-Upload-Attachment-ID", id.to_string());
        (answer, Effect::Kept, Some(post))
    }

    /// Everything on it, in the order in which it was made.
    pub(super) fn posts(&self) -> impl Iterator<Item = &Post> {
        self.posts.values()
    }

    /// The number of the next page.
    pub(super) fn next_id(&self) -> u64 {
        self.posts.last_key_value().map_or(1, |(id, _)| id + 1)
    }

    /// The slug that was asked for, or with the first number that is free.
    fn free_slug(&self, asked: &str, id: u64) -> String {
        let free = |slug: &str| self.slugs.get(slug).is_none_or(|owner| *owner == id);
        if free(asked) {
            return asked.to_owned();
        }
        let mut number = 2_u64;
        loop {
            let slug = format!("{asked}-{number}");
            if free(&slug) {
                return slug;
            }
            number += 1;
        }
    }
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Contributor,
    Author,
    Editor,
}

/// Who asks.
#[derive(Debug)]
struct Account {
    name: String,
    role: Role,
}

impl Account {
    /// Whose credentials a request carries, where they are good.
    fn of(request: &Request) -> Option<Self> {
        let (scheme, given) = request.header("authorization")?.split_once(' ')?;
        let decoded = STANDARD.decode(given.trim()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (name, password) = text.split_once(':')?;
        let is_good =
            scheme.eq_ignore_ascii_case("basic") && !password.is_empty() && password != "wrong";
        is_good.then(|| Self {
            name: name.to_owned(),
            role: match name {
                "contributor" => Role::Contributor,
                "editor" => Role::Editor,
                _ => Role::Author,
            },
        })
    }

    /// The account as the interface shows it: only what it may do is listed.
    fn shown(&self) -> Answer {
        let mut may = json!({"edit_posts": true});
        if self.role != Role::Contributor {
            may["publish_posts"] = true.into();
            may["upload_files"] = true.into();
        }
        if self.role == Role::Editor {
            may["edit_others_posts"] = true.into();
        }
        let body = json!({"id": 1, "name": self.name, "slug": self.name, "capabilities": may});
        Answer::json(200, &body)
    }
}

/// Whether an account may change a post or a file: its own, and of others an editor.
fn may_edit(account: Option<&Account>, post: &Post) -> bool {
    account.is_some_and(|account| {
        account.role == Role::Editor
            || post
                .author
                .as_ref()
                .is_none_or(|author| *author == account.name)
    })
}

/// The fields of a request that writes.
struct Fields(Value);

impl Fields {
    fn read(request: &Request) -> Result<Self, Answer> {
        let fields = serde_json::from_slice::<Value>(&request.body)
            .ok()
            .filter(Value::is_object)
            .map(Self)
            .ok_or_else(|| refused(400, "rest_invalid_json"))?;
        match fields.0.get("status") {
            None => Ok(fields),
            Some(Value::String(status)) if STATUSES.contains(&status.as_str()) => Ok(fields),
            Some(_) => Err(invalid("status")),
        }
    }

    /// Whether everybody is to see it.
    fn publishes(&self) -> bool {
        ["publish", "future", "private"].contains(&self.text("status").as_deref().unwrap_or(""))
    }

    /// A text field, also in the form `{"raw": …}`.
    fn text(&self, name: &str) -> Option<String> {
        let field = self.0.get(name)?;
        field
            .as_str()
            .or_else(|| field.get("raw")?.as_str())
            .map(str::to_owned)
    }
}

/// Gives an uploaded file the words that stand for it.
fn describe(request: &Request, before: &Post) -> Outcome {
    let fields = match Fields::read(request) {
        Ok(fields) => fields,
        Err(refusal) => return quiet(refusal),
    };
    let mut file = before.clone();
    file.alt = fields.text("alt_text").or(file.alt);
    let answer = Answer::json(200, &shown(&file, request));
    (answer, Effect::Kept, Some(file))
}

/// What is asked of the REST API: what follows `/wp-json`, or the parameter that a site without permalinks takes; `None` where
/// something else is asked.
pub(super) fn route(request: &Request) -> Option<String> {
    let named = request.path.split_once("/wp-json");
    let named = named.map(|(_, route)| route.to_owned());
    named.or_else(|| request.parameter("rest_route"))
}

/// A refusal in the form of `WP_Error`.
fn refused(status: u16, code: &str) -> Answer {
    let message = format!("Simulated: {code}");
    Answer::json(
        status,
        &json!({"code": code, "message": message, "data": {"status": status}}),
    )
}

/// A refusal that changes nothing.
fn no(status: u16, code: &str) -> Outcome {
    quiet(refused(status, code))
}

/// The refusal of drafts for somebody whom the site does not know: about a parameter, and so a 400.
fn forbidden_status() -> Answer {
    let details = json!({"status": {"code": "rest_forbidden_status", "message": "Status is forbidden.", "data": {"status": 401}}});
    let params = json!({"status": "Status is forbidden."});
    let data = json!({"status": 400, "params": params, "details": details});
    let body = json!({"code": "rest_invalid_param", "message": "Simulated", "data": data});
    Answer::json(400, &body)
}

/// A refusal of one parameter.
fn invalid(parameter: &str) -> Answer {
    let params = json!({parameter: format!("Invalid parameter: {parameter}")});
    let data = json!({"status": 400, "params": params});
    let body = json!({"code": "rest_invalid_param", "message": "Simulated", "data": data});
    Answer::json(400, &body)
}

/// A post as the interface shows it.
fn shown(post: &Post, request: &Request) -> Value {
    if post.status == "inherit" {
        return json!({
            "id": post.id,
            "slug": post.slug,
            "status": post.status,
            "type": "attachment",
            "media_type": "image",
            "alt_text": post.alt.as_deref().unwrap_or_default(),
            "title": {"raw": post.title, "rendered": post.title},
            "source_url": own_address(request, &format!("/wp-content/uploads/{}", post.slug)),
        });
    }
    json!({
        "id": post.id,
        "date": post.date,
        "date_gmt": post.date,
        "slug": post.slug,
        "status": post.status,
        "type": "post",
        "featured_media": post.featured.unwrap_or_default(),
        "link": format!("{}/", own_address(request, &format!("/{}", post.slug))),
        "title": {"raw": post.title, "rendered": post.title},
        "content": {"raw": post.content, "rendered": post.content},
        "excerpt": {"raw": post.excerpt, "rendered": post.excerpt},
    })
}

/// An address on the site, by the name that the sender calls it.
fn own_address(request: &Request, path: &str) -> String {
    format!(
        "http://{}{path}",
        request.header("host").unwrap_or("localhost")
    )
}

#[cfg(test)]
mod tests;
