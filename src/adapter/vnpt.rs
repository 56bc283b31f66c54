//! Portals of VNPT ("vnPortal"), as many wards have them: a public interface that reads and cannot write
//! (`GET /api/public/articles` with `searchTerm`, `GET /api/public/articles/LANGUAGE/ID`). So an article is offered for
//! pasting, which is all that *accepted* means here (with [`Reason::Offered`]), and looked for afterwards.
//!
//! - An empty list is answered 404 with `statusCode` 404 in JSON. Every other refusal says nothing of our article: some sites have
//!   their lists switched off.
//! - What the answers call their fields differs from site to site. So whatever object has our title in a field that is named like one
//!   is taken for an article, and its id from a field that is named like that.
//! - A title alone proves nothing: last week's article or the one that was corrected has it, too. Every paragraph has to be there, apart
//!   from markup and spaces, which editors change when something is pasted.

use std::{fmt, time::Duration};

use bytes::Bytes;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::{
    Adapter, Exchange, Failure, Hidden, Patience, Receipt, Request, Response, Step,
    axis::NoAddress, classify, transport,
};
use crate::{
    domain::{
        channel::VnptConfig,
        delivery::{Evidence, Reason},
        detail::Detail,
        message::{Content, Message},
    },
    template::urlencode,
};

/// How many articles of one title are looked into, newest first as the portal lists them.
const MOST_ALIKE: usize = 5;

/// A channel that is such a portal.
pub struct VnptAdapter {
    base: String,
    host: String,
    language: String,
    patience: Patience,
}

impl fmt::Debug for VnptAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VnptAdapter")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl VnptAdapter {
    /// The adapter of one channel.
    ///
    /// # Errors
    /// [`NoAddress`].
    pub fn new(config: &VnptConfig) -> Result<Self, NoAddress> {
        Ok(Self {
            base: config.url.trim_end_matches('/').to_owned(),
            host: transport::host(&config.url).ok_or(NoAddress)?,
            language: config.language.clone(),
            patience: Patience {
                first: Duration::ZERO,
                is_device: false,
                every: config.every,
                within: config.within,
            },
        })
    }

    fn get(&self, path: &str) -> Step {
        Step::Call(Request {
            method: "GET".to_owned(),
            url: format!("{}/api/public/{path}", self.base).into(),
            headers: vec![("Accept".to_owned(), "application/json".to_owned())],
            body: Bytes::new(),
            wait: Duration::ZERO,
            hidden: Hidden::default(),
            login: None,
        })
    }

    fn list(&self, title: &str) -> Step {
        let (language, title) = (urlencode(&self.language), urlencode(title));
        self.get(&format!(
            "articles?pageNumber=1&pageSize=20&LanguageId={language}&searchTerm={title}"
        ))
    }
}

impl Adapter for VnptAdapter {
    fn step(&self, _: &Message, _: &[Exchange]) -> Step {
        Step::Accepted(Receipt {
            reference: None,
            evidence: Evidence::Accepted,
            remark: None,
            is_offer: true,
        })
    }

    fn patience(&self) -> Option<Patience> {
        Some(self.patience)
    }

    fn look(&self, content: &Content, done: &[Exchange]) -> Option<Step> {
        let Some((list, articles)) = done.split_first() else {
            return Some(self.list(&content.title));
        };
        let alike = match read(list) {
            Ok(Some(list)) => alike(&list, &content.title),
            Ok(None) => Vec::new(),
            Err(failure) => return Some(Step::Failed(failure)),
        };
        if alike.is_empty() {
            let detail = Detail::new("portal-not-there");
            return Some(Step::Failed(Failure::retry(Reason::NotPublished, detail)));
        }
        if let Some(last) = articles.last() {
            match read(last) {
                Ok(Some(article)) if says(&article, content) => {
                    return Some(Step::Accepted(Receipt {
                        reference: alike.get(articles.len() - 1).cloned(),
                        evidence: Evidence::Device,
                        remark: None,
                        is_offer: false,
                    }));
                }
                // One that was taken away since is none of ours.
                Ok(_) => {}
                Err(failure) => return Some(Step::Failed(failure)),
            }
        }
        let Some(id) = alike.get(articles.len()) else {
            let detail = Detail::new("portal-other-words");
            return Some(Step::Failed(Failure::retry(Reason::NotPublished, detail)));
        };
        let (language, id) = (urlencode(&self.language), urlencode(id));
        Some(self.get(&format!("articles/{language}/{id}")))
    }

    fn probe(&self, done: &[Exchange]) -> Option<Step> {
        let Some(first) = done.first() else {
            // The list is what an article is looked for in: some sites have it switched off and show all else.
            let language = urlencode(&self.language);
            return Some(self.get(&format!(
                "articles?pageNumber=1&pageSize=1&LanguageId={language}"
            )));
        };
        Some(match read(first) {
            Ok(_) => Step::accepted(None),
            Err(failure) => Step::Failed(failure),
        })
    }

    fn name(&self) -> &'static str {
        "vnpt"
    }

    fn host(&self) -> &str {
        &self.host
    }
}

/// What an answer holds; `None` where the portal says that there is nothing.
fn read(exchange: &Exchange) -> Result<Option<Value>, Failure> {
    let Ok(answer) = &exchange.result else {
        return Err(classify(exchange).without_effect());
    };
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let is_nothing = answer.status == 404
        && json.as_ref().and_then(|json| json.get("statusCode")) == Some(&404.into());
    match json {
        _ if is_nothing => Ok(None),
        Some(json) if Response::is_success(answer) => Ok(Some(json)),
        _ => match classify(exchange).without_effect() {
            retry @ Failure::Retry { .. } => Err(retry),
            other => {
                let detail = Detail::new("portal-closed").with("status", answer.status);
                // Nobody has an account there.
                Err(Failure::reject(
                    match other.reason() {
                        Reason::Unauthorised => Reason::Status,
                        reason => reason,
                    },
                    detail,
                ))
            }
        },
    }
}

/// The ids of what has this title, in the portal's order.
fn alike(list: &Value, title: &str) -> Vec<String> {
    let wanted = folded(title);
    let mut found = Vec::new();
    each_object(list, &mut |fields| {
        let is_named = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.contains("title") || name.contains("tieude")
        };
        let has_title = fields.iter().any(|(name, value)| {
            is_named(name) && value.as_str().is_some_and(|text| folded(text) == wanted)
        });
        if has_title && let Some(id) = id_of(fields) {
            found.push(id);
        }
    });
    found.truncate(MOST_ALIKE);
    found
}

fn id_of(fields: &serde_json::Map<String, Value>) -> Option<String> {
    let known = ["articleid", "article_id", "id"];
    let named = |wanted: &str| {
        let mut all = fields.iter();
        all.find(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    let (_, id) = known.into_iter().find_map(named)?;
    match id {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn each_object(value: &Value, each: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_object(item, each)),
        Value::Object(fields) => {
            each(fields);
            fields.values().for_each(|item| each_object(item, each));
        }
        _ => {}
    }
}

/// Whether an article has every paragraph of a content.
fn says(article: &Value, content: &Content) -> bool {
    let mut all = String::new();
    texts(article, &mut all);
    let all = folded(&all);
    let body = content.html.as_deref().unwrap_or(&content.text);
    // Where a block ends a paragraph does.
    let body = body.replace("</", "\n</").replace("\n\n", "\n");
    let mut paragraphs = body.split('\n').map(folded).filter(|text| !text.is_empty());
    paragraphs.all(|paragraph| all.contains(&paragraph))
}

fn texts(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => {
            out.push_str(text);
            out.push(' ');
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Value::Object(fields) => fields.values().for_each(|item| texts(item, out)),
        _ => {}
    }
}

/// A text without tags and spaces, composed, and with the characters that HTML has names for: what pasting leaves of it.
fn folded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut in_tag = false;
    for letter in text.chars() {
        match letter {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if in_tag => {}
            other => plain.push(other),
        }
    }
    let plain = decoded(&plain);
    plain
        .nfc()
        .filter(|letter| !letter.is_whitespace())
        .collect()
}

/// The longest name of a character, between `&` and `;`.
const LONGEST_NAME: usize = 8;

/// A text with the characters in the place of their names. Editors write Vietnamese as `&ocirc;`, too.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let named = after
            .split_once(';')
            .filter(|(name, _)| name.len() <= LONGEST_NAME);
        let letters = named.and_then(|(name, behind)| Some((letters(name)?, behind)));
        if let Some((letters, behind)) = letters {
            out.push_str(&letters);
            rest = behind;
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// What HTML calls so: by number, by a name, or a Latin letter with its accent.
fn letters(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let number = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        return char::from_u32(number.ok()?).map(String::from);
    }
    let plain = match name {
        "nbsp" => " ",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "amp" => "&",
        "ldquo" => "“",
        "rdquo" => "”",
        "lsquo" => "‘",
        "rsquo" => "’",
        "ndash" => "–",
        "mdash" => "—",
        "hellip" => "…",
        _ => "",
    };
    if !plain.is_empty() {
        return Some(plain.to_owned());
    }
    let mut letters = name.chars();
    let letter = letters.next().filter(char::is_ascii_alphabetic)?;
    let accent = match letters.as_str() {
        "grave" => '\u{300}',
        "acute" => '\u{301}',
        "circ" => '\u{302}',
        "tilde" => '\u{303}',
        _ => return None,
    };
    Some([letter, accent].into_iter().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{bulletin::Format, id::BulletinId, message::Quoted};

    fn adapter() -> VnptAdapter {
        VnptAdapter::new(&VnptConfig {
            url: "https://cong.vinh.example/".into(),
            language: "1".into(),
            every: Duration::from_mins(15),
            within: Duration::from_hours(24),
        })
        .unwrap()
    }

    fn content() -> Content {
        Content {
            bulletin: BulletinId::parse("b").unwrap(),
            format: Format::Article,
            title: "Cảnh giác & đề phòng".into(),
            summary: None,
            text: "x".into(),
            html: Some(
                "<p>Bà con <b>không</b> chuyển tiền.</p>\n<ul><li>Gọi 113</li></ul>\n".into(),
            ),
            turns: Vec::new(),
            spoken: Vec::new(),
            quoted: Quoted::default(),
            contacts: Vec::new(),
            recording: None,
            picture: None,
        }
    }

    fn answer(status: u16, body: &Value) -> Exchange {
        Exchange {
            request: match adapter().get("x") {
                Step::Call(request) => request,
                other => panic!("{other:?}"),
            },
            result: Ok(Response {
                status,
                body: body.to_string().into(),
                ..Response::default()
            }),
        }
    }

    /// The path of the call that follows, or how it ends.
    fn told(done: &[Exchange]) -> String {
        match adapter().look(&content(), done).unwrap() {
            Step::Call(request) => request
                .url
                .replace("https://cong.vinh.example/api/public/", ""),
            Step::Accepted(receipt) => format!("seen {:?}", receipt.reference),
            Step::Failed(failure) => {
                let detail = Detail::parse(failure.detail()).map(|detail| detail.code().to_owned());
                format!(
                    "{} {}",
                    failure.reason().as_str(),
                    detail.unwrap_or_default()
                )
            }
            stream @ (Step::Stream(_) | Step::Mail(_)) => panic!("{stream:?}"),
        }
    }

    #[test]
    fn an_article_is_seen_when_every_paragraph_is_there() {
        let title = "Cảnh giác &amp; đề phòng";
        let list = json!({ "statusCode": 200, "data": { "items": [
            { "articleID": 7, "title": "Cảnh giác" }, { "articleID": 8, "Title": title }, { "ID": "9", "title": title } ] } });
        let page = |body: &str| answer(200, &json!({ "data": { "id": 8, "content": body } }));
        assert_eq!(
            told(&[]),
            "articles?pageNumber=1&pageSize=20&LanguageId=1&searchTerm=C%E1%BA%A3nh%20gi%C3%A1c%20%26%20%C4%91%E1%BB%81%20ph%C3%B2ng"
        );
        let first = || answer(200, &list);
        assert_eq!(told(&[first()]), "articles/1/8");
        let other = || page("<p>Bà con không chuyển tiền.</p>");
        assert_eq!(told(&[first(), other()]), "articles/1/9");
        // As an editor's browser leaves it.
        let ours = page(
            "<div>Bà con&nbsp;<strong>kh&ocirc;ng</strong> chuye\u{302}\u{309}n\n ti&#7873;n. </div><div>- Gọi 113</div>",
        );
        assert_eq!(told(&[first(), other(), ours]), "seen Some(\"9\")");
        let gone = answer(404, &json!({ "statusCode": 404 }));
        assert_eq!(
            told(&[first(), gone, other()]),
            "not-published portal-other-words"
        );
    }

    #[test]
    fn what_cannot_be_seen_is_told_from_what_is_not_there() {
        let nothing = json!({ "statusCode": 404, "message": "Không có thông tin" });
        assert_eq!(
            told(&[answer(404, &nothing)]),
            "not-published portal-not-there"
        );
        let others = json!({ "data": [{ "articleID": 1, "title": "Khác" }] });
        assert_eq!(
            told(&[answer(200, &others)]),
            "not-published portal-not-there"
        );
        for (status, body, told_as) in [
            (404, json!("<html>"), "status portal-closed"),
            (403, json!({ "statusCode": 403 }), "status portal-closed"),
            (503, json!({}), "busy call-status"),
        ] {
            assert_eq!(told(&[answer(status, &body)]), told_as, "{status}");
        }
    }

    #[test]
    fn the_list_that_it_is_looked_for_in_is_its_sign_of_life() {
        let asked = adapter().probe(&[]).unwrap();
        assert!(
            matches!(asked, Step::Call(request) if request.url.ends_with("/api/public/articles?pageNumber=1&pageSize=1&LanguageId=1"))
        );
        let told = |status, body: &Value| adapter().probe(&[answer(status, body)]).unwrap();
        assert_eq!(told(200, &json!({ "data": [] })), Step::accepted(None));
        assert_eq!(
            told(404, &json!({ "statusCode": 404 })),
            Step::accepted(None)
        );
        assert!(matches!(told(404, &json!("<html>")), Step::Failed(_)));
        let off = told(403, &json!({ "statusCode": 403 }));
        assert!(matches!(off, Step::Failed(_)), "the list is switched off");
    }
}
