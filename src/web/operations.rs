//! What machines ask: is it alive, is it ready, how much does it do.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::Pages;

/// `GET /healthz`: whether the process runs and its store answers.
pub(super) async fn health(State(pages): State<Pages>) -> Response {
    match pages.site.store.ping().await {
        Ok(()) => (StatusCode::OK, "ok\n").into_response(),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the store does not answer"
            );
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store does not answer\n",
            )
                .into_response()
        }
    }
}

/// `GET /readyz`: whether the daemon does its work.
pub(super) async fn readiness(State(pages): State<Pages>) -> Response {
    match (pages.site.ready)() {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()).into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// `GET /metrics`: numbers for Prometheus, in the text format of `OpenMetrics`.
pub(super) async fn metrics(State(pages): State<Pages>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], (pages.site.metrics_text)()).into_response()
}
