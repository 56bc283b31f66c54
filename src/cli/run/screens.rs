//! Counter screens, between the pages and the daemon.

use std::sync::Arc;

use axum::http::StatusCode;

use crate::{
    daemon::{
        Shared,
        screens::{self, NotLetIn},
    },
    domain::time::Timestamp,
    store::StoreError,
    web::{AskBoard, AskDark, TakeShowing},
};

/// Answers what a screen has to show.
pub(super) fn board(shared: &Shared) -> Arc<AskBoard> {
    let shared = shared.clone();
    Arc::new(move |channel, key| {
        let shared = shared.clone();
        Box::pin(async move {
            let channel = screens::let_in(&shared, &channel, &key).map_err(refused)?;
            let board = screens::board(&shared, &channel).await.map_err(|error| {
                failed(&error);
                StatusCode::SERVICE_UNAVAILABLE
            })?;
            Ok(serde_json::json!(board).to_string())
        })
    })
}

/// Takes what a screen says that it shows.
pub(super) fn showing(shared: &Shared) -> Arc<TakeShowing> {
    let shared = shared.clone();
    Arc::new(move |channel, key, body| {
        let shared = shared.clone();
        Box::pin(async move {
            let channel = match screens::let_in(&shared, &channel, &key) {
                Ok(channel) => channel,
                Err(why) => return refused(why),
            };
            let Ok(showing) = serde_json::from_slice(&body) else {
                return StatusCode::BAD_REQUEST;
            };
            match screens::take(&shared, &channel, &showing).await {
                Ok(()) => StatusCode::NO_CONTENT,
                Err(error) => {
                    failed(&error);
                    StatusCode::SERVICE_UNAVAILABLE
                }
            }
        })
    })
}

/// Says which screens do not say what they show.
pub(super) fn dark(shared: &Shared, began: Timestamp) -> Arc<AskDark> {
    let shared = shared.clone();
    Arc::new(move || screens::silent(&shared, began))
}

fn refused(why: NotLetIn) -> StatusCode {
    match why {
        NotLetIn::Nowhere => StatusCode::NOT_FOUND,
        NotLetIn::Key => StatusCode::UNAUTHORIZED,
    }
}

fn failed(error: &StoreError) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "a counter screen could not be served"
    );
}
