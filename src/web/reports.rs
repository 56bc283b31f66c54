//! What receivers report by themselves. The only thing here that is posted, and it is believed by its signature alone: no host is
//! asked for, and no browser has anything to do with it.

use axum::{
    body::to_bytes,
    extract::{Path, Request, State},
    http::StatusCode,
};

use super::Pages;

/// The longest report, in bytes.
const LONGEST: usize = 64 * 1024;

/// Where a signature stands.
const SIGNATURE: &str = "x-zevent-signature";

/// `POST /zalo/CHANNEL`.
pub(super) async fn zalo(
    State(pages): State<Pages>,
    Path(channel): Path<String>,
    request: Request,
) -> StatusCode {
    let (head, body) = request.into_parts();
    let signature = head.headers.get(SIGNATURE);
    let signature = signature.and_then(|value| value.to_str().ok());
    let Ok(body) = to_bytes(body, LONGEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE;
    };
    let signature = signature.map(str::to_owned);
    (pages.site.report)(channel, signature, body).await
}
