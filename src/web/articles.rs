//! `/bai/phuong/WARD.atom`: the articles of a ward as they are to be read now, for a website that pulls what it publishes.
//!
//! What a channel for articles took is in it, each bulletin once with its newest words. A bulletin that was taken back is out of
//! it from that moment on, and comes back as its correction.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, Uri},
    response::Response,
};

use super::{Pages, calendar::unless_known, query::Query, reader::Reader, refusal::Refusal};
use crate::{
    catalogue::Lang,
    domain::{
        approval::Subject,
        bulletin::Format,
        delivery::{Reason, State as Standing},
        id::{BulletinId, WardId},
        message::Content,
        time::Timestamp,
        ward::Ward,
        workspace::Workspace,
    },
    feed::atom::{self, Article, Gone, Head},
    store::{LogFilter, Order, Store, StoreError, row::DeliveryRow},
};

/// How long an article stays in the feed after it was last sent.
const BACK: Duration = Duration::from_hours(90 * 24);
/// The most deliveries of a channel that are looked at, and the most articles in a feed: the newest.
const MOST: u32 = 300;
const MOST_ARTICLES: usize = 50;

/// `GET /bai/phuong/WARD.atom`.
pub(super) async fn feed(
    State(pages): State<Pages>,
    Path(file): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let workspace = pages.site.workspace.borrow().clone();
    // What goes out is Vietnamese, whoever asks; a refusal is in the language of the address.
    let reader = pages.reader(Lang::Vi);
    let ward = file
        .strip_suffix(".atom")
        .and_then(|id| WardId::parse(id).ok());
    let result = match ward.as_ref().and_then(|id| workspace.ward(id)) {
        Some(ward) => write(&pages, &workspace, &reader, ward, uri.path()).await,
        None => Err(Refusal::NotFound),
    };
    match result {
        Ok(body) => unless_known(
            &pages,
            &uri,
            &headers,
            "application/atom+xml; charset=utf-8",
            body,
        ),
        Err(refusal) => {
            let lang = Query::read(&uri).unwrap_or_default().lang();
            pages.answer(&uri, &pages.reader(lang), Err(refusal))
        }
    }
}

async fn write(
    pages: &Pages,
    workspace: &Workspace,
    reader: &Reader,
    ward: &Ward,
    address: &str,
) -> Result<String, Refusal> {
    let store = &pages.site.store;
    let mut rows = Vec::new();
    let channels = workspace.channels.values();
    for channel in channels.filter(|channel| channel.ward == ward.id && !channel.test) {
        if channel.format == Format::Article {
            let filter = LogFilter {
                channel: Some(channel.id.clone()),
                since: Some(reader.now - BACK),
                ..LogFilter::default()
            };
            rows.extend(store.log(&filter, Order::NewestFirst, None, MOST).await?);
        }
    }
    rows.retain(was_offered);
    rows.sort_by(|one, other| (other.due, &other.id).cmp(&(one.due, &one.id)));
    let mut bulletins: BTreeMap<&BulletinId, Vec<&DeliveryRow>> = BTreeMap::new();
    for row in &rows {
        if let Some(bulletin) = &row.bulletin {
            bulletins.entry(bulletin).or_default().push(row);
        }
    }
    let taken_back = taken_back(store, bulletins.keys().copied()).await?;
    let hashes: Vec<_> = bulletins
        .values()
        .filter_map(|rows| rows[0].content_hash.clone())
        .collect();
    let contents: BTreeMap<_, _> = store.contents(&hashes).await?.into_iter().collect();
    let (mut articles, mut gone) = (Vec::new(), Vec::new());
    for (bulletin, rows) in &bulletins {
        let newest = rows[0];
        let name = format!("{bulletin}-{}", ward.id);
        if let Some(at) = taken_back
            .get(*bulletin)
            .filter(|at| is_taken_back(newest, **at))
        {
            gone.push(Gone { name, at: *at });
            continue;
        }
        let Some(content) = newest
            .content_hash
            .as_ref()
            .and_then(|hash| contents.get(hash))
        else {
            continue;
        };
        let same = rows
            .iter()
            .take_while(|row| row.content_hash == newest.content_hash);
        let first = same.last().unwrap_or(&rows[0]);
        articles.push(Article {
            name,
            title: &content.title,
            summary: content.summary.as_deref(),
            html: body_of(content),
            changed: first.accepted_at.unwrap_or(first.updated_at),
            page: format!("/luot/{}", newest.id),
            is_correction: newest.schedule.is_correction(),
        });
    }
    articles.sort_by(|one, other| (other.changed, &other.name).cmp(&(one.changed, &one.name)));
    articles.truncate(MOST_ARTICLES);
    let key = if pages.site.simulated {
        "article-feed-simulated"
    } else {
        "article-feed-name"
    };
    let head = Head {
        name: &format!("bai-{}", ward.id),
        title: &reader.text(key, &[("name", &ward.name)]),
        author: &workspace.settings.name,
        address,
    };
    Ok(atom::write(&head, &articles, &gone))
}

/// Whether readers are to have its words: a channel took them, whatever is known of them since. What a person should have published
/// and nobody could look for is still to be had.
pub(super) fn was_offered(row: &DeliveryRow) -> bool {
    let was_taken = match row.state {
        Standing::Accepted | Standing::Confirmed | Standing::Unheard => true,
        Standing::Unknown => row.reason == Some(Reason::NotPublished),
        _ => false,
    };
    was_taken && row.format == Format::Article && !row.schedule.is_test()
}

/// Since when those of the bulletins are taken back that are.
pub(super) async fn taken_back<'b>(
    store: &Store,
    bulletins: impl Iterator<Item = &'b BulletinId>,
) -> Result<BTreeMap<BulletinId, Timestamp>, StoreError> {
    let subjects = bulletins.cloned().map(Subject::Bulletin).collect();
    let standings = store.standings(&subjects).await?;
    let all = standings
        .into_iter()
        .filter_map(|(subject, standing)| match subject {
            Subject::Bulletin(id) => Some((id, standing.retracted?.at)),
            Subject::Schedule(_) => None,
        });
    Ok(all.collect())
}

/// Whether a row's words are among those that were taken back `at` that instant.
pub(super) fn is_taken_back(row: &DeliveryRow, at: Timestamp) -> bool {
    !row.schedule.is_correction() && row.due < at
}

/// The body in HTML; the paragraphs of a content that has none.
pub(super) fn body_of(content: &Content) -> Cow<'_, str> {
    if let Some(html) = &content.html {
        return Cow::Borrowed(html);
    }
    let mut body = String::new();
    for paragraph in content.text.split("\n\n") {
        let text = paragraph
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        body.push_str("<p>");
        body.push_str(text.trim());
        body.push_str("</p>\n");
    }
    Cow::Owned(body)
}
