//! What receivers report by themselves. The only things here that are posted, and they are believed by their signatures alone: no host
//! is asked for, and no browser has anything to do with them.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Path, Request, State},
    http::StatusCode,
};

use super::{Pages, Signed};

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
    take(&pages, channel, request, |header| {
        Signed::Zalo(header(SIGNATURE))
    })
    .await
}

/// `POST /bao/CHANNEL`.
pub(super) async fn device(
    State(pages): State<Pages>,
    Path(channel): Path<String>,
    request: Request,
) -> StatusCode {
    take(&pages, channel, request, |header| {
        let part = |name: &str| header(&format!("webhook-{name}")).unwrap_or_default();
        Signed::Webhook {
            id: part("id"),
            timestamp: part("timestamp"),
            signature: part("signature"),
        }
    })
    .await
}

async fn take(
    pages: &Pages,
    channel: String,
    request: Request,
    signed: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Signed,
) -> StatusCode {
    let (head, body) = request.into_parts();
    let signed = signed(&|name| {
        let value = head.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    });
    match posted(pages, body, LONGEST).await {
        Ok(body) => (pages.site.report)(channel, signed, body).await,
        Err(status) => status,
    }
}

/// What was posted, up to `longest` bytes. Whoever sends a byte now and then keeps a connection no longer than whoever sends nothing.
pub(super) async fn posted(pages: &Pages, body: Body, longest: usize) -> Result<Bytes, StatusCode> {
    match tokio::time::timeout(pages.patience, to_bytes(body, longest)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}
