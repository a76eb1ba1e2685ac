//! How many exports there may be: each may fill much of the disk, and their lane has few places for everybody.

use crate::domain::{RoomId, UserId};
use crate::protocol::ErrorCode;
use crate::server::error::AppError;
use crate::server::queue::{Export, Payload};
use crate::server::state::AppState;
use tokio::sync::{Mutex, MutexGuard};

/// Held while one more export is counted and enqueued, so that those that are asked for at once on this node are counted
/// one after the other. Each further node may let one through at the same moment.
#[derive(Debug, Default)]
pub struct Turns(Mutex<()>);

/// A task that somebody asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// Its kind.
    pub name: &'a str,
    pub actor: Option<UserId>,
    pub room: Option<RoomId>,
    /// The words by which a repeat is known.
    pub unique: Option<&'a str>,
}

/// Whether one more export may be enqueued, while the turn lasts; a repeat may always be. Other kinds of tasks need none.
/// `TooManyExports`.
pub(super) async fn turn<'a>(state: &'a AppState, asked: Asked<'_>) -> Result<Option<MutexGuard<'a, ()>>, AppError> {
    if asked.name != Export::NAME {
        return Ok(None);
    }
    let turn = state.exports.0.lock().await;
    let under_way = state.store.under_way(Export::NAME, asked.actor, asked.room).await?;
    let is_full = under_way.theirs >= u64::from(state.config.limits.exports_per_user) || under_way.in_room > 0;
    if is_full && !is_there(state, asked.unique).await? {
        return Err(AppError::refused(ErrorCode::TooManyExports));
    }
    Ok(Some(turn))
}

async fn is_there(state: &AppState, unique: Option<&str>) -> Result<bool, AppError> {
    match unique {
        Some(unique) => Ok(state.store.task_called(unique).await?.is_some()),
        None => Ok(false),
    }
}
