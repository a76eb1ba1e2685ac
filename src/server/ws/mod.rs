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

use super::state::AppState;
use axum::Router;
use axum::routing::any;

pub fn router() -> Router<AppState> {
    Router::new().route("/live", any(upgrade::live))
}
