//! The study note's own endpoints, for programs written against it: the echo at `/ws/chat/` and
//! the waiting view at `/async/`. Nobody signs in here.

mod chat;
mod message;
mod wait;

use crate::server::state::AppState;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{any, get};

/// `/ws/chat/` has one spelling: nothing below `/ws` may lead a WebSocket client elsewhere.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/ws/chat/", get(chat::chat))
        .route("/ws", any(not_found))
        .route("/ws/", any(not_found))
        .route("/ws/{*rest}", any(not_found))
        .route("/async/", get(wait::wait))
        .route("/async", any(wait::append_slash))
}

async fn not_found() -> StatusCode {
    StatusCode::NOT_FOUND
}
