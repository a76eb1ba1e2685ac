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
use std::error::Error;
use std::iter::successors;
use std::time::Duration;

/// 400 `bad_request` when it is broken, 413 `too_large` over `limits.request_bytes`, 408 after `limits.request_timeout_ms`.
pub async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let limits = &state.config.limits;
    if announced(request.headers()).is_some_and(|length| length > limits.request_bytes as u64) {
        return forms::refused(&state, request, AppError::refused(ErrorCode::TooLarge)).await;
    }
    let (parts, body) = request.into_parts();
    let patience = Duration::from_millis(limits.request_timeout_ms);
    match tokio::time::timeout(patience, to_bytes(body, limits.request_bytes)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(error)) => {
            let code = if is_broken(&error) { ErrorCode::BadRequest } else { ErrorCode::TooLarge };
            forms::refused(&state, Request::from_parts(parts, Body::empty()), AppError::refused(code)).await
        }
        Err(_) => {
            let error = AppError::refused(ErrorCode::Unavailable);
            let mut answer = forms::refused(&state, Request::from_parts(parts, Body::empty()), error).await;
            *answer.status_mut() = StatusCode::REQUEST_TIMEOUT;
            answer
        }
    }
}

/// The transfer itself failed: a broken chunk, or a client that is gone and reads no answer.
fn is_broken(error: &axum::Error) -> bool {
    successors(error.source(), |&error| error.source()).any(|cause| cause.is::<hyper::Error>())
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
