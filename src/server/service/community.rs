//! The community itself.

use crate::server::error::AppError;
use crate::server::state::AppState;

/// What it is called; `None` until there is an owner.
pub async fn name(state: &AppState) -> Result<Option<String>, AppError> {
    Ok(state.store.community().await?)
}
