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
    let signature = signature.map(str::to_owned);
    // Whoever sends a byte now and then keeps a connection no longer than whoever sends nothing.
    let body = match tokio::time::timeout(pages.patience, to_bytes(body, LONGEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE,
        Err(_) => return StatusCode::REQUEST_TIMEOUT,
    };
    (pages.site.report)(channel, signature, body).await
}
