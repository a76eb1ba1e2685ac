//! The study note's endpoints.

use crate::server::state::AppState;
use axum::Router;

pub fn router() -> Router<AppState> {
    Router::new()
}
