//! How many exports there may be: each may fill much of the disk, and their lane has few places for everybody.

use crate::domain::{Lane, RoomId, TaskList, UserId};
use crate::protocol::ErrorCode;
use crate::server::clock::now_ms;
use crate::server::error::AppError;
use crate::server::queue::{Export, Payload};
use crate::server::state::AppState;
use crate::server::store::{Task, TaskFilter};
use tokio::sync::{Mutex, MutexGuard};

/// Held while one more export is counted and enqueued, so that those that are asked for at once on this node are counted
/// one after the other. Each further node may let one through at the same moment.
#[derive(Debug, Default)]
pub struct Turns(Mutex<()>);

/// Tasks of the lane that are looked at.
const LOOKED_AT: u32 = 10_000;

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
    let under_way = under_way(state).await?;
    let theirs = under_way.iter().filter(|task| task.data.actor == asked.actor).count();
    let is_full = theirs >= state.config.limits.exports_per_user as usize;
    let is_one_more = is_full || under_way.iter().any(|task| task.room == asked.room);
    if is_one_more && !is_there(state, asked.unique).await? {
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

async fn under_way(state: &AppState) -> Result<Vec<Task>, AppError> {
    let now = now_ms();
    let mut tasks = Vec::new();
    for list in [TaskList::Running, TaskList::Waiting, TaskList::Scheduled] {
        let filter = TaskFilter { list, lane: Some(Lane::Blocking), now, limit: LOOKED_AT };
        tasks.extend(state.store.tasks(&filter).await?);
    }
    tasks.retain(|task| task.data.name == Export::NAME);
    Ok(tasks)
}
