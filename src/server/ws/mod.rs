//! The live socket, `/live`: one WebSocket per tab, JSON text frames (`docs/protocol.md`). The only
//! place that names axum's socket type, and who writes to a socket is private to it.

mod catch_up;
mod commands;
mod connection;
mod join;
pub(super) mod outgoing;
mod upgrade;

pub(super) use commands::close_code_of;
pub use upgrade::admit;

use super::state::AppState;
use axum::Router;
use axum::routing::any;

pub fn router() -> Router<AppState> {
    Router::new().route("/live", any(upgrade::live))
}
