//! `/anh/HASH.jpg`: the pictures of articles that were frozen, and nothing else. This is what receivers fetch that take a picture by its
//! address only; a reverse proxy leads there from outside.
//!
//! A name is an address of bytes, so nothing of the disk can be named, and an answer is good for ever.

use axum::{
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::Pages;
use crate::domain::picture::{PictureFormat, PictureHash};

/// What every answer carries: it is a picture or nothing, and runs nothing; anybody may show it.
const HEADERS: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "cross-origin",
    ),
];

/// `GET /anh/{name}`.
pub(super) async fn picture(State(pages): State<Pages>, Path(name): Path<String>) -> Response {
    let Some((hash, format)) = parse(&name) else {
        return no(StatusCode::NOT_FOUND);
    };
    match pages.site.store.frozen_picture(&hash).await {
        Ok(Some(kept)) if kept.format == format => {
            let own = [
                (header::CONTENT_TYPE, format.media_type()),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (HEADERS, own, kept.data).into_response()
        }
        Ok(_) => no(StatusCode::NOT_FOUND),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a picture could not be read"
            );
            no(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// The address and the format that a name says.
fn parse(name: &str) -> Option<(PictureHash, PictureFormat)> {
    let (hash, ending) = name.split_once('.')?;
    Some((PictureHash::parse(hash)?, PictureFormat::parse(ending)?))
}

fn no(status: StatusCode) -> Response {
    // It may be frozen a minute later.
    (status, HEADERS, [(header::CACHE_CONTROL, "no-store")]).into_response()
}
