//! `/lich/phuong/WARD.ics` and `/lich/kenh/CHANNEL.ics`: broadcasts as calendars that others subscribe to.
//!
//! A feed begins a week before today and goes as far as broadcasts are planned. Readers come often and mostly find nothing
//! new: what they have is named by its hash, and by the instant since which a feed has been as it is, and then not sent again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use chrono::Days;

use super::{Pages, query::Query, reader::Reader, refusal::Refusal};
use crate::{
    catalogue::Lang,
    domain::{id::WardId, time::Timestamp, workspace::Workspace},
    feed::{Calendar, Event},
    store::{LogFilter, Order},
};

/// Days before today that are in a feed.
const BACK: Days = Days::new(7);

/// Broadcasts in a feed at most, the latest.
const MOST: u32 = 5_000;

/// Feeds of which it is remembered since when they are as they are.
const REMEMBERED: usize = 4_096;

/// Since when each feed has been as it is, by its address: its hash, and the instant in whole seconds.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<HashMap<String, (String, u64)>>);

impl Seen {
    fn since(&self, path: &str, hash: &str, now: u64) -> u64 {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(path) {
            Some((known, since)) if known == hash => *since,
            _ => {
                if seen.len() >= REMEMBERED {
                    seen.clear();
                }
                seen.insert(path.to_owned(), (hash.to_owned(), now));
                now
            }
        }
    }
}

/// `GET /lich/phuong/WARD.ics` and `GET /lich/kenh/CHANNEL.ics`.
pub(super) async fn feed(
    State(pages): State<Pages>,
    Path((sort, file)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let workspace = pages.site.workspace.borrow().clone();
    // What goes out is Vietnamese, whoever asks; a refusal is in the language of the address.
    let reader = pages.reader(Lang::Vi);
    let result = match wanted(&workspace, &sort, &file) {
        Some((name, filter)) => write(&pages, &workspace, &reader, name, filter).await,
        None => Err(Refusal::NotFound),
    };
    match result {
        Ok(body) => unless_known(&pages, &uri, &headers, "text/calendar; charset=utf-8", body),
        Err(refusal) => {
            let lang = Query::read(&uri).unwrap_or_default().lang();
            pages.answer(&uri, &pages.reader(lang), Err(refusal))
        }
    }
}

/// The name of what a feed is about, and which broadcasts those are.
fn wanted<'w>(workspace: &'w Workspace, sort: &str, file: &str) -> Option<(&'w str, LogFilter)> {
    let id = file.strip_suffix(".ics")?;
    let mut filter = LogFilter::default();
    let name = match sort {
        "phuong" => {
            let ward = workspace.ward(&WardId::parse(id).ok()?)?;
            filter.ward = Some(ward.id.clone());
            &ward.name
        }
        "kenh" => {
            let channel = workspace.channels.get(id)?;
            filter.channel = Some(channel.id.clone());
            &channel.name
        }
        _ => return None,
    };
    Some((name, filter))
}

async fn write(
    pages: &Pages,
    workspace: &Workspace,
    reader: &Reader,
    name: &str,
    filter: LogFilter,
) -> Result<String, Refusal> {
    let first = reader.today();
    let first = first.checked_sub_days(BACK).unwrap_or(first);
    let filter = LogFilter {
        since: Some(reader.start_of(first)),
        ..filter
    };
    let store = &pages.site.store;
    let mut rows = store.log(&filter, Order::NewestFirst, None, MOST).await?;
    rows.reverse();
    let titles = pages.titles.of(store, workspace, &rows).await?;
    let key = if pages.site.simulated {
        "feed-simulated"
    } else {
        "feed-name"
    };
    let name = reader.text(key, &[("name", &name)]);
    let mut calendar = Calendar::begin(&name);
    for (row, title) in rows.iter().zip(&titles) {
        calendar.add(&Event {
            id: &row.id,
            due: row.due,
            length: row.length,
            title: title.as_deref(),
            channel: &row.channel_name,
            kind: row.kind,
            ward: &row.ward_name,
            state: row.state,
            reason: row.reason,
            changed: row.updated_at,
        });
    }
    Ok(calendar.end())
}

/// The feed, or that it is the one that the reader has.
pub(super) fn unless_known(
    pages: &Pages,
    uri: &Uri,
    headers: &HeaderMap,
    kind: &str,
    body: String,
) -> Response {
    let hash = blake3::hash(body.as_bytes()).to_hex();
    let tag = format!("\"{}\"", &hash[..32]);
    let now = seconds(pages.site.clock.now());
    let since = pages.feeds.since(uri.path(), &tag, now);
    let modified = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(since));
    let head = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::ETAG, tag.clone()),
        (header::LAST_MODIFIED, modified),
    ];
    let is_known = match headers.get(header::IF_NONE_MATCH) {
        // What names a tag is judged by its tag alone (RFC 9110, 13.2.2).
        Some(tags) => tags.to_str().is_ok_and(|tags| {
            tags.split(',')
                .map(str::trim)
                .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
        }),
        None => headers
            .get(header::IF_MODIFIED_SINCE)
            .and_then(|date| date.to_str().ok())
            .and_then(|date| httpdate::parse_http_date(date).ok())
            .and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok())
            .is_some_and(|date| since <= date.as_secs()),
    };
    if is_known {
        (StatusCode::NOT_MODIFIED, head).into_response()
    } else {
        (head, body).into_response()
    }
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_micros() / 1_000_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_as_old_as_its_last_change() {
        let seen = Seen::default();
        assert_eq!(seen.since("a", "1", 10), 10);
        assert_eq!(seen.since("a", "1", 20), 10);
        assert_eq!(seen.since("b", "1", 30), 30);
        assert_eq!(seen.since("a", "2", 40), 40);
        for other in 0..=REMEMBERED {
            seen.since(&other.to_string(), "1", 50);
        }
        assert!(seen.0.lock().unwrap().len() <= REMEMBERED);
    }
}
