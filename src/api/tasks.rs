use crate::domain::{Lane, TaskId, TaskList};
use crate::protocol::json::Answer;
use crate::protocol::{ErrorBody, TasksPage};
use leptos::prelude::*;
use leptos::server_fn::codec::Json;

/// Starts a task of this kind with its card in the room; `args` is a JSON object. `NotFound`, `Forbidden`,
/// `BadRequest`. A repeat with the same key starts nothing more.
#[server(input = Json, output = Answer)]
pub async fn start_task(key: String, task: String, args: String, room: String) -> Result<TaskId, ErrorBody> {
    use crate::server::{auth, service::tasks};
    let (state, actor) = auth::current().await?;
    let start = tasks::NewStart { task: &task, args: &args, room: Some(&room), key: Some(&key) };
    Ok(tasks::start(&state, &actor, start).await?)
}

/// By who started it, or an owner: `Forbidden`, `NotFound`.
#[server(input = Json, output = Answer)]
pub async fn cancel_task(id: TaskId) -> Result<(), ErrorBody> {
    use crate::server::{auth, service::tasks};
    let (state, actor) = auth::current().await?;
    Ok(tasks::cancel(&state, &actor, id.as_str()).await?)
}

/// Runs a failed or cancelled task again. By who started it, or an owner: `Forbidden`, `NotFound`.
#[server(input = Json, output = Answer)]
pub async fn run_task_again(id: TaskId) -> Result<(), ErrorBody> {
    use crate::server::{auth, service::tasks};
    let (state, actor) = auth::current().await?;
    Ok(tasks::again(&state, &actor, id.as_str()).await?)
}

/// One list of tasks, of a lane or of all, and how many each list has. For owners: `Forbidden`.
#[server(input = Json, output = Answer)]
pub async fn tasks(list: TaskList, lane: Option<Lane>) -> Result<TasksPage, ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::tasks::list(&state, &actor, list, lane).await?)
}
