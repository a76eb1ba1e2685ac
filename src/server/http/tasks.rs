use super::failure::Failure;
use super::input::Body;
use crate::domain::{Lane, Progress, TaskState};
use crate::server::service::Actor;
use crate::server::service::tasks::{self, NewStart};
use crate::server::state::AppState;
use crate::server::store::Task;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How often a task is looked at that may change on another node.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// From one look to the next, at least: tasks of others change more often than anybody can follow.
const LOOKS_APART: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
pub(super) struct Start {
    task: String,
    args: Option<Box<RawValue>>,
    room: Option<String>,
    key: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Started {
    id: String,
}

/// `POST /tasks`: 202.
pub(super) async fn start(
    State(state): State<AppState>,
    actor: Actor,
    Body(start): Body<Start>,
) -> Result<(StatusCode, Json<Started>), Failure> {
    let new = NewStart {
        task: &start.task,
        args: start.args.as_ref().map_or("{}", |args| args.get()),
        room: start.room.as_deref(),
        key: start.key.as_deref(),
    };
    let id = tasks::start(&state, &actor, new).await?;
    Ok((StatusCode::ACCEPTED, Json(Started { id: id.to_string() })))
}

/// A task as the API tells it.
#[derive(PartialEq, Serialize)]
pub(super) struct Told {
    id: String,
    task: String,
    lane: Lane,
    state: TaskState,
    progress: Option<Progress>,
    result: Option<serde_json::Value>,
    error: Option<ToldFailure>,
    attempts: u32,
    /// Unix milliseconds: enqueued, begun for the last time, ended.
    created_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
}

#[derive(PartialEq, Serialize)]
struct ToldFailure {
    code: String,
    message: String,
}

impl From<Task> for Told {
    fn from(task: Task) -> Told {
        let data = task.data;
        Told {
            id: task.id.to_string(),
            task: data.name,
            lane: task.lane,
            state: task.state,
            progress: task.progress,
            result: data.result.and_then(|result| serde_json::from_str(&result).ok()),
            error: data.error.map(|failure| ToldFailure { code: failure.code, message: failure.message }),
            attempts: data.attempts,
            created_at: data.created_at,
            started_at: data.started_at,
            ended_at: task.ended_at,
        }
    }
}

/// `GET /tasks/{id}`.
pub(super) async fn find(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<Told>, Failure> {
    Ok(Json(tasks::find(&state, &actor, &id).await?.into()))
}

/// `DELETE /tasks/{id}`: 202, since a run needs a moment to end.
pub(super) async fn cancel(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Told>), Failure> {
    tasks::cancel(&state, &actor, &id).await?;
    Ok((StatusCode::ACCEPTED, find(State(state), actor, Path(id)).await?))
}

/// `POST /tasks/{id}/retry`: 202.
pub(super) async fn again(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Told>), Failure> {
    tasks::again(&state, &actor, &id).await?;
    Ok((StatusCode::ACCEPTED, find(State(state), actor, Path(id)).await?))
}

/// `GET /tasks/{id}/events`: the task now and each time it changes, until it has ended. What changes faster than
/// it is looked at is told once.
pub(super) async fn events(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    tasks::find(&state, &actor, &id).await?;
    let changes = state.task_changes.subscribe();
    let watch = Watch { state, actor, id, changes, told: None };
    let stream = futures_util::stream::unfold(watch, |mut watch| async { Some((watch.next().await?, watch)) });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

struct Watch {
    state: AppState,
    actor: Actor,
    id: String,
    changes: tokio::sync::watch::Receiver<()>,
    told: Option<Told>,
}

impl Watch {
    /// The next state that is another one; `None` after the last. Who may no longer see the task hears no more.
    async fn next(&mut self) -> Option<Result<Event, Infallible>> {
        if self.told.as_ref().is_some_and(|told| told.state.is_final()) || self.state.shutdown.is_cancelled() {
            return None;
        }
        loop {
            let now = Told::from(tasks::find(&self.state, &self.actor, &self.id).await.ok()?);
            if self.told.as_ref() != Some(&now) {
                let event = Event::default().json_data(&now).ok()?;
                self.told = Some(now);
                return Some(Ok(event));
            }
            let stop = self.state.shutdown.clone();
            tokio::select! {
                () = stop.cancelled() => return None,
                _ = timeout(LOOK_EVERY, self.changes.changed()) => sleep(LOOKS_APART).await,
            }
        }
    }
}
