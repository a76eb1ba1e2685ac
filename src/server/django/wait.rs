//! `/async/`: a view that waits without holding anything up.

use crate::protocol::ErrorCode;
use crate::server::error::AppError;
use crate::server::state::AppState;
use crate::server::store::StoreError;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The note's view waits for two seconds.
const DEFAULT_MS: u64 = 2_000;
const MAX_MS: u64 = 10_000;

#[derive(Deserialize)]
pub(super) struct Wait {
    ms: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct Done {
    message: &'static str,
}

/// `GET /async/?ms=N`: waits, at most ten seconds. 503 when the node stops meanwhile.
pub(super) async fn wait(
    State(state): State<AppState>,
    query: Result<Query<Wait>, QueryRejection>,
) -> Result<Json<Done>, AppError> {
    let Query(Wait { ms }) =
        query.map_err(|rejection| AppError::Refused { code: ErrorCode::BadRequest, message: rejection.body_text() })?;
    let wait = Duration::from_millis(ms.unwrap_or(DEFAULT_MS).min(MAX_MS));
    tokio::select! {
        () = tokio::time::sleep(wait) => Ok(Json(Done { message: "비동기 작업 완료" })),
        () = state.shutdown.cancelled() => Err(StoreError::Unavailable("the node stops".into()).into()),
    }
}

/// As Django's `APPEND_SLASH`: 301, the query stays.
pub(super) async fn append_slash(RawQuery(query): RawQuery) -> impl IntoResponse {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, format!("/async/{query}"))])
}
