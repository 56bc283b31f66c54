//! `/man-hinh/CHANNEL`: the full-screen page of a counter screen. The page is a shell with a script; what it shows it fetches with
//! the key that stands behind the `#` of its address, which browsers send to nobody.
//!
//! The script keeps the last board and a service worker keeps the page, so that a screen goes on over a lost network, and over a restart
//! during it where the address is `https:` or this machine's.

use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{
    Pages, assets::version, frame::fragment, query::Query, refusal::Refusal, reports::posted,
};
use crate::domain::{
    channel::{AdapterConfig, Channel},
    id::ChannelId,
};

const SCRIPT: &str = include_str!("assets/screen.js");
const STYLE: &str = include_str!("assets/screen.css");
const WORKER: &str = include_str!("assets/screen-worker.js");

/// The longest report of a screen, in bytes.
const LONGEST: usize = 16 * 1024;

/// The longest key that is looked at, in bytes.
const LONGEST_KEY: usize = 512;

#[derive(Serialize)]
struct Shell {
    channel: String,
    name: String,
    site: String,
    simulated: bool,
    style: String,
    script: String,
}

fn screen(pages: &Pages, id: &str) -> Option<Channel> {
    let id = ChannelId::parse(id).ok()?;
    let workspace = pages.site.workspace.borrow().clone();
    let channel = workspace.channels.get(&id)?;
    matches!(channel.adapter, AdapterConfig::Screen(_)).then(|| channel.clone())
}

/// `GET /man-hinh/{channel}`.
pub(super) async fn page(State(pages): State<Pages>, Path(id): Path<String>, uri: Uri) -> Response {
    let Some(channel) = screen(&pages, &id) else {
        return pages.refuse_plainly(&uri, Refusal::NotFound);
    };
    let lang = Query::read(&uri)
        .map(|query| query.lang())
        .unwrap_or_default();
    let reader = pages.reader(lang);
    let address = |name: &str, body: &str| format!("/man-hinh/{id}/{name}?v={}", version(body));
    let shell = Shell {
        name: channel.name,
        site: pages.site.workspace.borrow().settings.name.clone(),
        simulated: pages.site.simulated,
        style: address("screen.css", STYLE),
        script: address("screen.js", SCRIPT),
        channel: id,
    };
    match fragment(&reader, "screen.html", &shell) {
        Ok(body) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response(),
        Err(refusal) => pages.refuse_plainly(&uri, refusal),
    }
}

/// `GET /man-hinh/{channel}/screen.js` and `…/screen.css`. They lie beside the page, so that a proxy has one path to lead here.
pub(super) async fn asset(
    State(pages): State<Pages>,
    Path((_, name)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    let (kind, body) = match name.as_str() {
        "screen.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "screen.css" => ("text/css; charset=utf-8", STYLE),
        _ => return pages.refuse_plainly(&uri, Refusal::NotFound),
    };
    let caching = "public, max-age=86400";
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, caching),
        ],
        body,
    )
        .into_response()
}

/// `GET /man-hinh/tho.js`: the service worker, whose place says what it may keep.
pub(super) async fn worker() -> Response {
    let kind = "text/javascript; charset=utf-8";
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        WORKER,
    )
        .into_response()
}

/// The key that a screen shows. It comes as it stands in an address, because headers take no letters with marks.
fn key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let key = value.strip_prefix("Bearer ")?;
    if key.len() > LONGEST_KEY {
        return None;
    }
    let key = percent_encoding::percent_decode_str(key).decode_utf8();
    key.ok().map(std::borrow::Cow::into_owned)
}

/// `GET /man-hinh/{channel}/bang`.
pub(super) async fn board(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(key) = key(&headers) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    match (pages.site.board)(id, key).await {
        Ok(board) => ([(header::CONTENT_TYPE, "application/json")], board).into_response(),
        Err(status) => status.into_response(),
    }
}

/// `POST /man-hinh/{channel}/dang-hien`.
pub(super) async fn showing(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    request: Request,
) -> StatusCode {
    let (head, body) = request.into_parts();
    let Some(key) = key(&head.headers) else {
        return StatusCode::UNAUTHORIZED;
    };
    match posted(&pages, body, LONGEST).await {
        Ok(body) => (pages.site.showing)(id, key, body).await,
        Err(status) => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_small_and_ask_nobody_else() {
        let files = [SCRIPT, STYLE, WORKER];
        let size: usize = files.iter().map(|file| file.len()).sum();
        assert!(size <= 12 * 1024, "{size} bytes");
        for file in files {
            assert!(!file.contains("http:") && !file.contains("https:"));
        }
    }
}
