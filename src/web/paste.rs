//! `/luot/{delivery}/dan`: an article laid out for somebody who publishes it by hand: title, teaser and body, each with a button that copies it.
//!
//! Without a script the parts are there to be copied by hand. Words that were taken back are not shown, and newer ones are pointed to.

use axum::{extract::Path, response::Response};
use serde::Serialize;

use super::{
    Pages,
    articles::{body_of, is_taken_back, taken_back, was_offered},
    call::Call,
    frame::Place,
    query::parse_delivery,
    refusal::Refusal,
};
use crate::{
    domain::bulletin::Format,
    store::{LogFilter, Order, row::DeliveryRow},
};

/// How many later deliveries of the channel are looked at for newer words.
const LATER: u32 = 100;

#[derive(Serialize)]
struct Paste {
    heading: String,
    back: String,
    /// That the words may not be published any more.
    taken_back: Option<String>,
    /// Where newer words are.
    newer: Option<String>,
    article: Option<Article>,
}

#[derive(Serialize)]
struct Article {
    title: String,
    summary: Option<String>,
    /// Where the picture is, and what stands for it.
    picture: Option<[String; 2]>,
    /// The body in plain paragraphs.
    paragraphs: Vec<String>,
    /// The body as HTML, to be shown as text.
    html: String,
}

/// `GET /luot/{delivery}/dan`.
pub(super) async fn page(call: Call, Path(delivery): Path<String>) -> Response {
    call.answer(show(&call, &delivery).await)
}

async fn show(call: &Call, delivery: &str) -> Result<Response, Refusal> {
    let Call { pages, reader, .. } = call;
    let id = parse_delivery(delivery).ok_or(Refusal::NoDelivery)?;
    let store = &pages.site.store;
    let row = store.delivery(&id).await?.ok_or(Refusal::NoDelivery)?;
    let hash = row
        .content_hash
        .clone()
        .filter(|_| row.format == Format::Article);
    let Some((_, content)) = store.contents(hash.as_slice()).await?.pop() else {
        return Err(Refusal::NoDelivery);
    };
    let gone = taken_back(store, row.bulletin.iter()).await?;
    let gone = gone.into_values().find(|at| is_taken_back(&row, *at));
    let newer = newer(pages, &row).await?;
    let view = Paste {
        heading: reader.text("paste-heading", &[("channel", &row.channel_name)]),
        back: reader.link(&format!("/luot/{id}"), &[]),
        taken_back: gone.map(|at| reader.text("paste-taken-back", &[("at", &reader.moment(at))])),
        newer: newer.map(|row| reader.link(&format!("/luot/{}/dan", row.id), &[])),
        article: gone.is_none().then(|| Article {
            paragraphs: paragraphs(&body_of(&content)),
            html: body_of(&content).into_owned(),
            picture: content
                .picture
                .as_ref()
                .map(|picture| [format!("/anh/{}", picture.name()), picture.alt.clone()]),
            title: content.title,
            summary: content.summary,
        }),
    };
    call.page(Place::Elsewhere, &view.heading, "paste.html", &view)
}

/// The newest delivery of the same bulletin on the same channel, if its words are others.
async fn newer(pages: &Pages, row: &DeliveryRow) -> Result<Option<DeliveryRow>, Refusal> {
    let filter = LogFilter {
        channel: Some(row.channel.clone()),
        since: Some(row.due),
        ..LogFilter::default()
    };
    let store = &pages.site.store;
    let later = store.log(&filter, Order::NewestFirst, None, LATER).await?;
    let mut offered = later.into_iter().filter(was_offered);
    let newest = offered.find(|later| later.bulletin == row.bulletin);
    Ok(newest.filter(|newest| newest.content_hash != row.content_hash))
}

/// What begins or ends a paragraph.
const BLOCKS: [&str; 14] = [
    "p",
    "li",
    "ul",
    "ol",
    "blockquote",
    "pre",
    "br",
    "hr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
];

/// The paragraphs of a body that we made, without marks, items of lists with a dash.
pub(super) fn paragraphs(html: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut current = String::new();
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        current.push_str(text);
        let (tag, behind) = after.split_once('>').unwrap_or((after, ""));
        let name = tag.trim_matches('/').split([' ', '/']).next();
        if name.is_some_and(|name| BLOCKS.contains(&name)) {
            finish(&mut current, &mut done);
        }
        if tag == "li" {
            current.push_str("- ");
        }
        rest = behind;
    }
    current.push_str(rest);
    finish(&mut current, &mut done);
    done
}

fn finish(current: &mut String, done: &mut Vec<String>) {
    let text = std::mem::take(current);
    let mut text = text.trim().to_owned();
    for (name, letter) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ] {
        text = text.replace(name, letter);
    }
    if !matches!(text.as_str(), "" | "-") {
        done.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_have_words_and_no_marks() {
        let html = "<h2>Cảnh giác</h2>\n<p>Đừng <strong>bấm</strong> vào &lt;a&gt; &amp;amp;</p>\n<ul>\n<li>Một</li>\n<li>\n<p>Hai</p>\n</li>\n</ul>\n<hr />\nHết";
        assert_eq!(
            paragraphs(html),
            ["Cảnh giác", "Đừng bấm vào <a> &amp;", "- Một", "Hai", "Hết"]
        );
    }
}
