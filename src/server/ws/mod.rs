//! The live socket, `/live`: one WebSocket per tab, JSON text frames (`docs/protocol.md`). Who
//! reads from a socket is private to it, and nobody writes to one but through its connection's queue.

mod catch_up;
mod commands;
mod connection;
mod join;
mod outgoing;
mod socket;
mod upgrade;

pub(super) use socket::close_code_of;
pub use upgrade::admit;

use super::auth::ClientIp;
use super::state::AppState;
use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use std::sync::Arc;

pub fn router(state: &AppState) -> Router<AppState> {
    // One for all sockets: a node has many more of them than of anything else.
    let shared = Arc::new(state.clone());
    Router::new().route(
        "/live",
        any(move |address: ClientIp, request: Request| upgrade::live(Arc::clone(&shared), address, request)),
    )
}
