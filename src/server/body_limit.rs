//! Bodies of requests are small: read whole, within a size and a time, before anything looks at them.

use super::error::AppError;
use super::forms;
use super::state::AppState;
use crate::protocol::ErrorCode;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Duration;

/// 413 `too_large` over `limits.request_bytes`, 408 after `limits.request_timeout_ms`.
pub async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let limits = &state.config.limits;
    if announced(request.headers()).is_some_and(|length| length > limits.request_bytes as u64) {
        return too_large(&state, request).await;
    }
    let (parts, body) = request.into_parts();
    let patience = Duration::from_millis(limits.request_timeout_ms);
    match tokio::time::timeout(patience, to_bytes(body, limits.request_bytes)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        // Too long, or the client is gone and reads no answer.
        Ok(Err(_)) => too_large(&state, Request::from_parts(parts, Body::empty())).await,
        Err(_) => {
            let error = AppError::refused(ErrorCode::Unavailable);
            let mut answer = forms::refused(&state, Request::from_parts(parts, Body::empty()), error).await;
            *answer.status_mut() = StatusCode::REQUEST_TIMEOUT;
            answer
        }
    }
}

async fn too_large(state: &AppState, request: Request) -> Response {
    forms::refused(state, request, AppError::refused(ErrorCode::TooLarge)).await
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
