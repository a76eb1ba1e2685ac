//! Plain HTML forms: signing in and out, set-up, joining, password reset, and posting before or
//! without WASM.

use crate::server::state::AppState;
use axum::Router;

pub fn router() -> Router<AppState> {
    Router::new()
}
