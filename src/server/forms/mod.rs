//! Plain HTML forms: signing in and out, set-up, joining, password reset, language, password, and
//! posting before or without WASM. A success leads elsewhere with 303, or says so; a refusal is the same page again,
//! with the error's status and all that was typed but passwords.

mod join;
mod locale;
mod password;
mod post;
mod redirect;
mod reset;
mod set_up;
mod sign_in;
mod visit;

pub(super) use redirect::{room_path, see_other, sign_in_path};

use crate::protocol::ErrorCode;
use crate::server::error::AppError;
use crate::server::state::AppState;
use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use visit::Visit;

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/set-up/{secret}", get(set_up::show).post(set_up::submit))
        .route("/join/{secret}", get(join::show).post(join::submit))
        .route("/reset/{secret}", get(reset::show).post(reset::submit))
        .route("/rooms/{slug}", post(post::submit))
        .route("/locale", post(locale::submit))
        .route("/settings/password", post(password::submit))
}

/// The answer to a request that was refused before it reached its handler: a page for those who
/// read pages, JSON for programs.
pub(super) async fn refused(state: &AppState, request: Request, error: AppError) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if !accept.is_some_and(|accept| accept.contains("text/html")) {
        return error.into_response();
    }
    let (mut parts, _) = request.into_parts();
    match Visit::from_request_parts(&mut parts, state).await {
        Ok(visit) => visit.fail(&error).await,
        Err(error) => error.into_response(),
    }
}

/// Whatever has no other route.
pub(in crate::server) async fn not_found(visit: Visit) -> Response {
    visit.fail(&AppError::refused(ErrorCode::NotFound)).await
}
