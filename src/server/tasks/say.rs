use super::{Context, Failure, Work};
use crate::protocol::ErrorCode;
use crate::server::error::AppError;
use crate::server::queue::{Payload, Say};
use crate::server::service::messages::{self, NewPost};
use crate::server::service::{Actor, rooms};
use crate::server::store::{StoreError, TaskWork};
use serde_json::Value;

const NOT_A_MEMBER: &str = "not_a_member";

impl Work for Say {
    /// Posts once, however often it is run: the key is the task's own.
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        let said = self.say(context).await;
        if let Err(Failure::GiveUp(why)) = &said
            && why.code == NOT_A_MEMBER
        {
            end_series(context).await.map_err(|error| Failure::retry("unavailable", error))?;
        }
        said
    }
}

impl Say {
    async fn say(self, context: &Context) -> Result<Value, Failure> {
        let state = &context.state;
        let author = author(context).await?;
        let room = self.room.as_str();
        // Posting into an open room would join it: whoever left does not come back like that.
        let member = rooms::find(state, &author, room).await.map_err(failure)?.member;
        if !member {
            return Err(not_a_member("the author is not in the room any more"));
        }
        let key = context.key("post");
        let post = NewPost { room, key: key.as_str(), body: &self.body, files: &[] };
        messages::post_message(state, &author, post).await.map_err(failure)?;
        Ok(Value::Null)
    }
}

/// Whoever is not in the room says nothing there from now on, and is back only by asking anew.
async fn end_series(context: &Context) -> Result<(), StoreError> {
    let (store, task) = (&context.state.store, &context.task);
    let Some(actor) = task.data.actor.filter(|_| task.data.repeat.is_some()) else { return Ok(()) };
    let series = task.data.series.as_ref().unwrap_or(&task.id);
    for next in store.waiting_tasks(Say::NAME, actor).await? {
        if next.data.series.as_ref() == Some(series) {
            store.work(TaskWork::Cancel(next.id)).await?;
        }
    }
    Ok(())
}

async fn author(context: &Context) -> Result<Actor, Failure> {
    let id = context.task.data.actor.ok_or_else(|| Failure::give_up("bad_arguments", "nobody is to say it"))?;
    let user = context.state.store.user(id).await.map_err(AppError::from).map_err(failure)?;
    user.map(Actor::of).ok_or_else(|| not_a_member("there is no such account"))
}

fn not_a_member(message: &str) -> Failure {
    Failure::give_up(NOT_A_MEMBER, message)
}

fn failure(error: AppError) -> Failure {
    match error.code() {
        ErrorCode::NotFound | ErrorCode::Forbidden => not_a_member("the room is not the author's any more"),
        code if code.retryable() => Failure::retry(code.as_str(), error),
        code => Failure::give_up(code.as_str(), error),
    }
}
