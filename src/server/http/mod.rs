//! HTTP API v1: messages, events and webhooks for programs, with a bearer token or the session cookie.
//! Described by `openapi.json` beside this file, served at `/api/v1/openapi.json`. Every failure
//! below `/api/v1` is `{"code","message","retry_after_ms"?}`.

mod failure;
mod files;
mod input;
mod log;
mod messages;
mod tasks;
mod webhooks;

use crate::protocol::ErrorCode;
use crate::server::state::AppState;
use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{any, delete, get, patch, post};
use failure::Failure;

/// The description of exactly the paths below.
pub const OPENAPI: &str = include_str!("openapi.json");

pub fn router() -> Router<AppState> {
    let v1 = Router::new()
        .route("/openapi.json", get(openapi))
        .route("/rooms/{slug}/messages", get(messages::list).post(messages::post))
        .route("/rooms/{slug}/messages/{seq}", patch(messages::edit).delete(messages::delete))
        .route("/rooms/{slug}/events", get(log::events))
        .route("/tasks", post(tasks::start))
        .route("/tasks/{id}", get(tasks::find).delete(tasks::cancel))
        .route("/tasks/{id}/events", get(tasks::events))
        .route("/tasks/{id}/retry", post(tasks::again))
        .route("/files/{id}", get(files::view))
        .route("/rooms/{slug}/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/rooms/{slug}/webhooks/{id}", delete(webhooks::remove))
        .route("/rooms/{slug}/webhooks/{id}/deliveries", get(webhooks::deliveries))
        .route("/rooms/{slug}/webhooks/{id}/test", post(webhooks::test))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found);
    // The prefix itself is not below it, and could be taken for the name of a server function.
    Router::new().nest("/api/v1", v1).route("/api/v1", any(not_found)).route("/api/v1/", any(not_found))
}

/// Uploads, whose bodies are streamed, and files on their way out, which nothing compresses.
pub fn files_router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/rooms/{slug}/files", post(files::upload))
        .method_not_allowed_fallback(method_not_allowed)
        .route("/files/{id}", get(files::whole))
        .route("/files/{id}/thumb", get(files::thumbnail))
}

async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

async fn not_found() -> Failure {
    Failure::from(ErrorCode::NotFound)
}

async fn method_not_allowed() -> Failure {
    Failure::method_not_allowed()
}
