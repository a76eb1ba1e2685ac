//! Plain HTML forms: signing in and out, set-up, joining, passwords, language, and posting before
//! or without WASM. A success leads elsewhere with 303, or says so; a refusal is the same page again,
//! with the error's status and all that was typed but passwords.

mod join;
mod locale;
mod password;
mod plain;
mod post;
mod redirect;
mod reset;
mod set_up;
mod sign_in;
mod visit;
mod webhooks;

pub(super) use redirect::{room_path, see_other, sign_in_path};

use crate::protocol::{ErrorBody, ErrorCode};
use crate::server::auth::MaybeActor;
use crate::server::error::AppError;
use crate::server::state::AppState;
use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use plain::Plain;

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/set-up/{secret}", get(set_up::show).post(set_up::submit))
        .route("/join/{secret}", get(join::show).post(join::submit))
        .route("/reset/{secret}", get(reset::show).post(reset::submit))
        .route("/rooms/{slug}", post(post::submit))
        .route("/rooms/{slug}/webhooks", get(webhooks::show).post(webhooks::submit))
        .route("/settings/password", get(password::show).post(password::submit))
        .route("/locale", post(locale::submit))
}

/// The answer to a request that was refused before it reached its handler: a page for those who
/// read pages, JSON for programs.
pub(super) async fn refused(state: &AppState, request: Request, error: AppError) -> Response {
    if !reads_pages(request.headers()) {
        return error.into_response();
    }
    let (mut parts, _) = request.into_parts();
    plain(state, &mut parts).await.fail(&error).await
}

/// Whoever reads pages gets one also where an answer was made without: by an extractor, for a
/// method that a path has not, for a path that is none.
pub(super) async fn designed(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if !reads_pages(request.headers()) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let asked = Request::from_parts(parts.clone(), body);
    let response = next.run(asked).await;
    let Some(error) = bare_error(&response) else { return response };
    let mut page = plain(&state, &mut parts).await.fail(&error).await;
    *page.status_mut() = response.status();
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = response.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}

/// The error that an answer tells otherwise than by a page.
fn bare_error(response: &Response) -> Option<AppError> {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !(status.is_client_error() || status.is_server_error()) || kind.is_some_and(|kind| kind.contains("html")) {
        return None;
    }
    // It was logged where it was answered.
    if let Some(ErrorBody { code, message, .. }) = response.extensions().get().cloned() {
        return Some(AppError::Refused { code, message });
    }
    Some(AppError::refused(match status {
        StatusCode::NOT_FOUND => ErrorCode::NotFound,
        _ if status.is_client_error() => ErrorCode::BadRequest,
        _ => ErrorCode::Internal,
    }))
}

fn reads_pages(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Also when the store cannot say whose language it should be.
async fn plain(state: &AppState, parts: &mut Parts) -> Plain {
    let MaybeActor(actor) = MaybeActor::from_request_parts(parts, state).await.unwrap_or(MaybeActor(None));
    Plain::of(state, parts, actor.and_then(|actor| actor.locale))
}

/// Whatever has no other route: a page.
pub(in crate::server) async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    plain(&state, &mut parts).await.fail(&AppError::refused(ErrorCode::NotFound)).await
}
