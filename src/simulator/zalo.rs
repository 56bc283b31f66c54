//! The Zalo platform as its clients describe it: tokens that are spent once, refusals with HTTP 200, articles that take a
//! while. One platform for the city, whatever host it is called by, because consent and calls go to different ones.
//!
//! What varies from client to client varies here from call to call: the life of a token is a text or a number, an article's id
//! is `id` or `article_id`. Tokens of an earlier city that kept no record are taken, so that a second run goes on with those
//! of the first; none is taken twice.
//!
//! Not imitated: time (tokens do not end, nights are a fault on demand), followers, moderation, and how much a package allows.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    memory::{Effect, Kind},
    role::Response,
    wire::{Answer, Request},
};

/// For how many questions an article that was made or changed is still being worked on.
const POLLS: u32 = 2;
/// The largest picture, in bytes.
const PICTURE: usize = 1024 * 1024;
/// The most articles of a list.
const SLICE: usize = 10;

/// An article of the Official Account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    /// Its id.
    pub id: String,
    /// What asks for its id: a new one after every change.
    pub token: String,
    /// The headline.
    pub title: String,
    /// The teaser.
    pub description: String,
    /// The words.
    pub text: String,
    /// The picture's address.
    pub cover: String,
    /// For how many questions it is still being worked on.
    pub polls: u32,
}

/// What a call changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZaloChange {
    /// An administrator consented.
    Consented {
        /// The code.
        code: String,
        /// The challenge that its verifier has to fit.
        challenge: String,
    },
    /// A pair of tokens was given.
    Issued {
        /// Its number.
        pair: u64,
        /// The code or the refresh token that it was given for.
        spent: String,
    },
    /// An article is made or changed.
    Article(Article),
    /// Somebody asked for articles that are being worked on.
    Asked,
    /// An article was removed.
    Removed(String),
    /// Something was sent to people.
    Sent {
        /// The message's id.
        message: String,
        /// The article, where it is one.
        article: Option<String>,
    },
}

/// The platform.
#[derive(Debug, Default)]
pub(super) struct Platform {
    pairs: u64,
    codes: BTreeMap<String, String>,
    spent: BTreeSet<String>,
    articles: BTreeMap<String, Article>,
    made: u64,
    sent: u64,
}

/// An answer and what it changes.
pub(super) type Outcome = (Response, Option<ZaloChange>);

/// Whether a request is for the platform.
pub(super) fn answers(request: &Request) -> bool {
    ["/v4/oa/", "/v2.0/oa/", "/v3.0/oa/", "/v2.0/article/"]
        .iter()
        .any(|known| request.path.starts_with(known))
}

impl Platform {
    /// Takes in a change, new or read back.
    pub(super) fn apply(&mut self, change: &ZaloChange) {
        match change {
            ZaloChange::Consented { code, challenge } => {
                self.codes.insert(code.clone(), challenge.clone());
            }
            ZaloChange::Issued { pair, spent } => {
                self.pairs = self.pairs.max(*pair);
                self.codes.remove(spent);
                self.spent.insert(spent.clone());
            }
            ZaloChange::Article(article) => {
                self.made += u64::from(!self.articles.contains_key(&article.id));
                self.articles.insert(article.id.clone(), article.clone());
            }
            ZaloChange::Asked => {
                for article in self.articles.values_mut() {
                    article.polls = article.polls.saturating_sub(1);
                }
            }
            ZaloChange::Removed(id) => {
                self.articles.remove(id);
            }
            ZaloChange::Sent { .. } => self.sent += 1,
        }
    }

    /// The articles as they stand.
    pub(super) fn articles(&self) -> impl Iterator<Item = &Article> {
        self.articles.values()
    }

    /// Answers a request and says what it would change.
    pub(super) fn answer(&self, request: &Request) -> Outcome {
        let path = request.path.as_str();
        match path {
            "/v4/oa/permission" => return self.consent(request),
            "/v4/oa/access_token" => return self.tokens(request),
            _ => {}
        }
        let known = request
            .header("access_token")
            .and_then(|token| number(token, "sim-access-"));
        if known.is_none() {
            return no(-216, "Access token is invalid");
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match (request.method.as_str(), path) {
            ("GET", "/v2.0/oa/getoa") => yes(&json!({ "oa_id": "1", "name": "Simulated" })),
            ("POST", "/v3.0/oa/message/cs") => self.message(&body),
            ("POST", "/v2.0/oa/message") => self.broadcast(&body),
            ("POST", "/v3.0/oa/quota/message") => yes(&json!([{
                "asset_id": "simulated",
                "product_type": body["product_type"],
                "quota_type": "sub_quota",
                "valid_through": "31/12/2099",
                "total": 1000,
                "remain": 1000_u64.saturating_sub(self.sent),
            }])),
            ("POST", "/v2.0/oa/upload/image") => picture(request),
            ("POST", "/v2.0/article/create") => self.write(&body, None),
            ("POST", "/v2.0/article/update") => {
                match body["id"].as_str().and_then(|id| self.articles.get(id)) {
                    Some(article) => self.write(&body, Some(article)),
                    None => no(-201, "id is invalid"),
                }
            }
            ("POST", "/v2.0/article/verify") => self.verify(&body),
            ("POST", "/v2.0/article/remove") => match body["id"].as_str() {
                Some(id) if self.articles.contains_key(id) => {
                    let change = ZaloChange::Removed(id.to_owned());
                    done(Effect::Updated, None, &json!({}), change)
                }
                _ => no(-201, "id is invalid"),
            },
            ("GET", "/v2.0/article/getslice") => self.slice(request),
            ("GET", "/v2.0/article/getdetail") => {
                let id = request.parameter("id").unwrap_or_default();
                match self.articles.get(&id) {
                    Some(article) => yes(&json!({ "id": article.id, "title": article.title })),
                    None => no(-201, "id is invalid"),
                }
            }
            _ => no(-209, "API is not supported"),
        }
    }

    fn consent(&self, request: &Request) -> Outcome {
        let parameter = |name| request.parameter(name).filter(|value| !value.is_empty());
        let asked = (
            parameter("app_id"),
            parameter("redirect_uri"),
            parameter("code_challenge"),
        );
        let (Some(_), Some(back), Some(challenge)) = asked else {
            let page = "https://oauth.zaloapp.com/v4/permission/error?error_code=-14003";
            return (said(redirect(page), Effect::Ignored, None), None);
        };
        let code = format!("sim-code-{}-{}", self.pairs + 1, self.codes.len());
        let joint = if back.contains('?') { '&' } else { '?' };
        let state = parameter("state").unwrap_or_default();
        let page = format!("{back}{joint}code={code}&state={state}");
        let change = ZaloChange::Consented { code, challenge };
        (said(redirect(&page), Effect::Ignored, None), Some(change))
    }

    fn tokens(&self, request: &Request) -> Outcome {
        let form: BTreeMap<String, String> = String::from_utf8_lossy(&request.body)
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        if request.header("secret_key").is_none_or(str::is_empty) || field("app_id").is_empty() {
            return refused("Invalid secret key", Some(-14004));
        }
        let spent = match field("grant_type") {
            "authorization_code" => {
                let verifier = field("code_verifier");
                let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
                let code = field("code");
                if self.codes.get(code) != Some(&challenge) {
                    return refused("Invalid code", Some(-14003));
                }
                code
            }
            "refresh_token" => {
                let token = field("refresh_token");
                // A token that was given is good once.
                if number(token, "sim-refresh-").is_none() || self.spent.contains(token) {
                    return refused("Invalid refresh token", None);
                }
                token
            }
            _ => return refused("Invalid grant type", Some(-14003)),
        };
        let last = number(spent, "sim-refresh-").unwrap_or_default();
        let pair = self.pairs.max(last) + 1;
        let life = if pair.is_multiple_of(2) {
            json!(90_000)
        } else {
            json!("90000")
        };
        let answer = json!({
            "access_token": format!("sim-access-{pair}"),
            "refresh_token": format!("sim-refresh-{pair}"),
            "expires_in": life,
        });
        let spent = spent.to_owned();
        (
            said(Answer::json(200, &answer), Effect::Ignored, None),
            Some(ZaloChange::Issued { pair, spent }),
        )
    }

    fn message(&self, body: &Value) -> Outcome {
        let (Some(user), Some(text)) = (
            body["recipient"]["user_id"].as_str(),
            body["message"]["text"].as_str(),
        ) else {
            return no(-201, "recipient is invalid");
        };
        let attachment = &body["message"]["attachment"];
        let elements = &attachment["payload"]["elements"];
        let picture = elements[0]["attachment_id"].as_str();
        if !attachment.is_null() && picture.is_none_or(|id| !id.starts_with("sim-picture-")) {
            return no(-201, "attachment_id is invalid");
        }
        let message = format!("sim-message-{}", self.sent + 1);
        let data = json!({ "message_id": message, "user_id": user });
        let change = ZaloChange::Sent {
            message,
            article: None,
        };
        done(Effect::Received, Some(text), &data, change)
    }

    fn broadcast(&self, body: &Value) -> Outcome {
        if !body["recipient"]["target"].is_object() {
            return no(-201, "recipient is invalid");
        }
        let element = &body["message"]["attachment"]["payload"]["elements"][0];
        let article = element["attachment_id"].as_str();
        let Some(article) = article.and_then(|id| self.articles.get(id)) else {
            return no(-201, "attachment_id is invalid");
        };
        if article.polls > 0 {
            return no(-214, "Media is being processed");
        }
        let message = format!("sim-message-{}", self.sent + 1);
        let data = json!({ "message_id": message });
        let change = ZaloChange::Sent {
            message,
            article: Some(article.id.clone()),
        };
        let words = format!("{}\n{}", article.title, article.text);
        done(Effect::Received, Some(&words), &data, change)
    }

    /// Makes an article, or changes the one that there is.
    fn write(&self, body: &Value, before: Option<&Article>) -> Outcome {
        let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
        let (title, description) = (text(&body["title"]), text(&body["description"]));
        let cover = text(&body["cover"]["photo_url"]);
        let parts = body["body"].as_array().cloned().unwrap_or_default();
        let words: Vec<String> = parts.iter().map(|part| text(&part["content"])).collect();
        let words = words.join("\n\n");
        // The published limit itself is refused.
        if !(1..150).contains(&title.chars().count()) {
            return no(-201, "title allow 1 to 150 characters");
        }
        if !(1..300).contains(&description.chars().count()) {
            return no(-201, "description allow 1 to 300 characters");
        }
        if text(&body["author"]).chars().count() > 50 {
            return no(-201, "author allow 1 to 50 characters");
        }
        if !cover.starts_with("http") || !cover.is_ascii() || cover.contains(' ') {
            return no(-201, "cover value is invalid");
        }
        if words.is_empty() {
            return no(-201, "body is invalid");
        }
        let id = before.map_or_else(
            || format!("sim-article-{}", self.made + 1),
            |article| article.id.clone(),
        );
        let token = match before {
            None => format!("sim-token-{id}"),
            Some(article) => format!("{}+", article.token),
        };
        let shown = format!("{title}\n{words}");
        let article = Article {
            id,
            token: token.clone(),
            title,
            description,
            text: words,
            cover,
            polls: POLLS,
        };
        let effect = match before {
            None => Effect::Published,
            Some(_) => Effect::Updated,
        };
        let change = ZaloChange::Article(article);
        done(effect, Some(&shown), &json!({ "token": token }), change)
    }

    fn verify(&self, body: &Value) -> Outcome {
        let token = body["token"].as_str().unwrap_or_default();
        let Some(article) = self.articles.values().find(|one| one.token == token) else {
            return no(-201, "token is invalid");
        };
        if article.polls > 0 {
            let (response, _) = no(-214, "Media is being processed");
            return (response, Some(ZaloChange::Asked));
        }
        let is_odd = article.id.ends_with(['1', '3', '5', '7', '9']);
        let key = if is_odd { "id" } else { "article_id" };
        yes(&json!({ key: article.id }))
    }

    fn slice(&self, request: &Request) -> Outcome {
        let parameter = |name| request.parameter(name)?.parse::<usize>().ok();
        let (offset, limit) = (parameter("offset"), parameter("limit"));
        let (Some(offset), Some(limit)) = (offset, limit) else {
            return no(-201, "limit is invalid");
        };
        if limit > SLICE {
            return no(-201, "maximum limit is 10");
        }
        let mut ready: Vec<&Article> = self
            .articles
            .values()
            .filter(|one| one.polls == 0)
            .collect();
        // The newest first: ids only grow longer and later.
        ready.sort_by_key(|one| std::cmp::Reverse((one.id.len(), one.id.clone())));
        let medias: Vec<Value> = ready
            .iter()
            .skip(offset)
            .take(limit)
            .map(|one| json!({ "id": one.id, "title": one.title, "status": "show" }))
            .collect();
        let (response, _) = yes(&json!({ "total": ready.len(), "medias": medias }));
        (response, Some(ZaloChange::Asked))
    }
}

/// Takes a picture: one file of a form, by the name `file`.
fn picture(request: &Request) -> Outcome {
    let Some(file) = file_of(request) else {
        return no(-201, "file is invalid");
    };
    if file.len() > PICTURE {
        return no(-210, "file size is over the limit");
    }
    if !file.starts_with(b"\xff\xd8\xff") && !file.starts_with(b"\x89PNG\r\n\x1a\n") {
        return no(-201, "file type is not supported");
    }
    let id = blake3::hash(file).to_hex();
    yes(&json!({ "attachment_id": format!("sim-picture-{}", &id[..12]) }))
}

/// The one file of a form (RFC 7578).
fn file_of(request: &Request) -> Option<&[u8]> {
    let (media, boundary) = request.header("content-type")?.split_once("boundary=")?;
    let at =
        |text: &[u8], wanted: &[u8]| text.windows(wanted.len()).position(|part| part == wanted);
    let body = &request.body[..];
    let head_ends = at(body, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&body[..head_ends]);
    let begins = head.starts_with(&format!("--{boundary}\r\n"));
    let is_file = head.contains("name=\"file\"") && head.contains("filename=\"");
    let file = &body[head_ends + 4..];
    let file = &file[..at(file, format!("\r\n--{boundary}--").as_bytes())?];
    (media.starts_with("multipart/form-data") && begins && is_file).then_some(file)
}

/// The number in a token of ours.
fn number(token: &str, prefix: &str) -> Option<u64> {
    token.strip_prefix(prefix)?.parse().ok()
}

fn redirect(page: &str) -> Answer {
    Answer::json(302, &json!({})).with("location", page)
}

/// A refusal of the authorisation server, which knows several forms.
fn refused(name: &str, code: Option<i64>) -> Outcome {
    let mut answer =
        json!({ "error_name": name, "error_reason": "simulated", "error_description": name });
    if let Some(code) = code {
        answer["error"] = code.into();
    }
    (
        said(Answer::json(200, &answer), Effect::Ignored, None),
        None,
    )
}

fn no(code: i64, message: &str) -> Outcome {
    let answer = Answer::json(200, &json!({ "error": code, "message": message }));
    (said(answer, Effect::Ignored, None), None)
}

fn success(data: &Value) -> Answer {
    Answer::json(
        200,
        &json!({ "error": 0, "message": "Success", "data": data }),
    )
}

fn yes(data: &Value) -> Outcome {
    (said(success(data), Effect::Ignored, None), None)
}

fn done(effect: Effect, text: Option<&str>, data: &Value, change: ZaloChange) -> Outcome {
    let text = text.map(str::to_owned);
    (said(success(data), effect, text), Some(change))
}

fn said(answer: Answer, effect: Effect, text: Option<String>) -> Response {
    Response {
        clip: None,
        kind: Kind::Chat,
        answer,
        effect,
        key: None,
        text,
        post: None,
    }
}
