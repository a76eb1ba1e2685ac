//! The study note's own endpoints, for programs written against it: the echo at `/ws/chat/` and
//! the waiting view at `/async/`. Nobody signs in here.

mod chat;
mod message;
mod wait;

use crate::server::state::AppState;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

/// `/ws/chat/` has one spelling: nothing below `/ws` may lead a WebSocket client elsewhere.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/ws/chat/", get(chat::chat))
        .route("/ws", any(not_found))
        .route("/ws/", any(not_found))
        .route("/ws/{*rest}", any(below))
        .route("/async/", get(wait::wait))
        .route("/async", any(wait::append_slash))
}

/// The note's framework compares paths as they read when decoded.
async fn below(State(state): State<AppState>, rest: Result<Path<String>, PathRejection>, request: Request) -> Response {
    match rest {
        Ok(Path(rest)) if rest == "chat/" && request.method() == Method::GET => chat::chat(State(state), request).await,
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn not_found() -> StatusCode {
    StatusCode::NOT_FOUND
}
