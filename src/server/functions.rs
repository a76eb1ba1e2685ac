//! Server functions over HTTP: `POST /api/NAME`, a JSON answer or an `ErrorBody` with the fitting
//! status.

use super::error::{AppError, status};
use super::state::AppState;
use crate::protocol::{ErrorBody, ErrorCode};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use leptos::prelude::provide_context;
use leptos::server_fn::axum::get_server_fn_service;

/// An error body is a code and a sentence.
const MAX_ERROR_BYTES: usize = 64 * 1024;

pub async fn call(State(state): State<AppState>, request: Request) -> Response {
    if get_server_fn_service(request.uri().path(), request.method().clone()).is_none() {
        return AppError::refused(ErrorCode::NotFound).into_response();
    }
    let context = move || provide_context(state.clone());
    let mut response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match response.status() {
        StatusCode::INTERNAL_SERVER_ERROR => with_fitting_status(response).await,
        _ => response,
    }
}

/// Leptos answers every error with 500; the code in the body knows better.
async fn with_fitting_status(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_ERROR_BYTES).await else { return parts.status.into_response() };
    if let Ok(error) = serde_json::from_slice::<ErrorBody>(&bytes) {
        parts.status = status(error.code);
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Response::from_parts(parts, Body::from(bytes))
}
