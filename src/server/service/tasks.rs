//! Tasks as people and programs see them.

use super::exports::{self, Asked};
use super::{Actor, rooms};
use crate::domain::{Key, Lane, Role, TaskId, TaskList, TaskState};
use crate::protocol::{ErrorCode, TaskTotal, TaskView, TasksPage};
use crate::server::clock::now_ms;
use crate::server::error::AppError;
use crate::server::queue::{Who, startable};
use crate::server::state::AppState;
use crate::server::store::{NewTask, Task, TaskFilter, TaskWork};

/// What is to be started, as a client sent it.
#[derive(Clone, Copy, Debug)]
pub struct NewStart<'a> {
    /// The kind of task.
    pub task: &'a str,
    /// JSON.
    pub args: &'a str,
    /// Where its card is shown; the room that it is about.
    pub room: Option<&'a str>,
    /// With one, a repeat starts nothing more.
    pub key: Option<&'a str>,
}

/// Starts a task; its card appears in the room. `NotFound` for a kind that cannot be started, as for a room out of
/// sight; `Forbidden` for who may not start it; `BadRequest` for arguments of another shape; `KeyReused`; `TooManyExports`.
pub async fn start(state: &AppState, actor: &Actor, start: NewStart<'_>) -> Result<TaskId, AppError> {
    let kind = startable(start.task).ok_or_else(|| AppError::refused(ErrorCode::NotFound))?;
    if start.args.len() > state.config.limits.task_args_bytes {
        return Err(AppError::refused(ErrorCode::TooLarge));
    }
    let key = start.key.map(Key::parse).transpose()?;
    let room = match start.room {
        Some(slug) => Some(rooms::view(state, actor, slug).await?),
        None => None,
    };
    let member = room.as_ref().is_some_and(|room| room.summary.member);
    match kind.who {
        Who::Owners if actor.is_owner() => {}
        Who::Members if member => {}
        Who::Owners | Who::Members => return Err(AppError::refused(ErrorCode::Forbidden)),
    }
    state.rate_limits.command(actor.id)?;
    let place = room.map(|room| room.id);
    let task = kind.task(start.args).ok_or_else(|| AppError::refused(ErrorCode::BadRequest))?;
    let unique = key.map(|key| format!("{}:{}", actor.id.0, key.as_str()));
    let task = NewTask { actor: Some(actor.id), room: place, card: place.is_some(), unique, ..task };
    let asked = Asked { name: &task.name, actor: task.actor, room: task.room, unique: task.unique.as_deref() };
    let _turn = exports::turn(state, asked).await?;
    enqueue(state, task).await
}

/// The id of the task, of a repeat that of the first one. `KeyReused` where that was to do something else.
pub(super) async fn enqueue(state: &AppState, task: NewTask) -> Result<TaskId, AppError> {
    let (id, name, args, room) = (task.id.clone(), task.name.clone(), task.args.clone(), task.room);
    let there = state.store.enqueue(vec![task]).await?.pop();
    let there = there.ok_or_else(|| AppError::Internal("a task without an id".into()))?;
    if there != id
        && let Some(first) = state.store.task(&there).await?
        && (first.data.name != name || first.data.args != args || first.room != room)
    {
        return Err(AppError::refused(ErrorCode::KeyReused));
    }
    Ok(there)
}

/// The task, to whoever started it, owners, and those who may read the room of its card. `NotFound`.
pub async fn find(state: &AppState, actor: &Actor, id: &str) -> Result<Task, AppError> {
    let absent = || AppError::refused(ErrorCode::NotFound);
    let id = TaskId::parse(id).ok_or_else(absent)?;
    let task = state.store.task(&id).await?.ok_or_else(absent)?;
    if controls(actor, &task) {
        return Ok(task);
    }
    let (Some(room), Some(_)) = (task.room, task.data.card) else { return Err(absent()) };
    match state.store.readable(&[(room, actor.id)]).await?.is_empty() {
        true => Err(absent()),
        false => Ok(task),
    }
}

/// Ends a task that has not ended: at once where it waits, soon where it runs. One that has ended stays as it is.
/// `NotFound`; `Forbidden` but for who started it and owners.
pub async fn cancel(state: &AppState, actor: &Actor, id: &str) -> Result<(), AppError> {
    let task = controlled(state, actor, id).await?;
    state.store.work(TaskWork::Cancel(task.id)).await?;
    Ok(())
}

/// Runs a task again that failed or was cancelled; another one stays as it is. `NotFound`; `Forbidden`, as for
/// [`cancel`]; `TooManyExports`.
pub async fn again(state: &AppState, actor: &Actor, id: &str) -> Result<(), AppError> {
    let task = controlled(state, actor, id).await?;
    if !task.state.can_run_again() {
        return Ok(());
    }
    let asked = Asked { name: &task.data.name, actor: task.data.actor, room: task.room, unique: None };
    let _turn = exports::turn(state, asked).await?;
    state.store.work(TaskWork::Again(task.id)).await?;
    Ok(())
}

async fn controlled(state: &AppState, actor: &Actor, id: &str) -> Result<Task, AppError> {
    let task = find(state, actor, id).await?;
    if !controls(actor, &task) {
        return Err(AppError::refused(ErrorCode::Forbidden));
    }
    state.rate_limits.command(actor.id)?;
    Ok(task)
}

fn controls(actor: &Actor, task: &Task) -> bool {
    actor.role == Role::Owner || task.data.actor == Some(actor.id)
}

/// What there is, and how many of each list: for owners. `Forbidden`.
pub async fn list(state: &AppState, actor: &Actor, list: TaskList, lane: Option<Lane>) -> Result<TasksPage, AppError> {
    if !actor.is_owner() {
        return Err(AppError::refused(ErrorCode::Forbidden));
    }
    let now = now_ms();
    let filter = TaskFilter { list, lane, now, limit: state.config.limits.tasks_listed };
    let tasks = state.store.tasks(&filter).await?;
    let counts = state.store.task_counts(now).await?;
    let totals = counts.into_iter().map(|total| TaskTotal { lane: total.lane, list: total.list, count: total.count });
    Ok(TasksPage { now, totals: totals.collect(), tasks: tasks.iter().map(view).collect() })
}

fn view(task: &Task) -> TaskView {
    TaskView {
        id: task.id.clone(),
        task: task.data.name.clone(),
        lane: task.lane,
        state: task.state,
        run_at: (!task.state.is_final() && task.state != TaskState::Running).then_some(task.run_at),
        started: task.data.started_at,
        ended: task.ended_at,
        attempts: task.data.attempts,
        max_attempts: task.data.max_attempts,
        progress: task.progress.clone(),
        error: task.data.error.as_ref().map(|failure| failure.code.clone()),
        message: task.data.error.as_ref().map(|failure| failure.message.clone()),
        repeat: task.data.repeat.as_ref().map(|repeat| format!("{} · {}", repeat.cron(), repeat.zone_name())),
    }
}
