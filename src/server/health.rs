//! For load balancers and operators: alive, ready, numbers.

use super::state::AppState;
use super::store::StoreError;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Each part: `ok`, or why it is not.
#[derive(Serialize)]
struct Readiness {
    store: &'static str,
    channel_layer: &'static str,
}

/// 200 while the process lives.
pub async fn healthz() -> &'static str {
    "ok"
}

/// 503 when posts cannot be taken, or the node is stopping.
pub async fn readyz(State(state): State<AppState>) -> Response {
    let store = match state.store.ready().await {
        Ok(()) if state.shutdown.is_cancelled() => "stopping",
        Ok(()) => "ok",
        Err(error) => {
            // Its words may name files, which the operator finds in the log.
            tracing::warn!(%error, "the store is not ready");
            match error {
                StoreError::Unavailable(_) => "unavailable",
                StoreError::Internal(_) => "failed",
            }
        }
    };
    let status = if store == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // The in-process layer works while the process does.
    (status, Json(Readiness { store, channel_layer: "ok" })).into_response()
}

/// Prometheus' text format.
pub async fn metrics(State(state): State<AppState>) -> Response {
    match state.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
