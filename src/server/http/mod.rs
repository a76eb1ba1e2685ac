//! HTTP API.

use crate::server::state::AppState;
use axum::Router;

pub fn router() -> Router<AppState> {
    Router::new()
}
