use super::{Context, Failure, Work};
use crate::protocol::ErrorCode;
use crate::server::error::AppError;
use crate::server::queue::Say;
use crate::server::service::messages::{self, NewPost};
use crate::server::service::{Actor, rooms};
use serde_json::Value;

impl Work for Say {
    /// Posts once, however often it is run: the key is the task's own.
    async fn run(self, context: &Context) -> Result<Value, Failure> {
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

async fn author(context: &Context) -> Result<Actor, Failure> {
    let id = context.task.data.actor.ok_or_else(|| Failure::give_up("bad_arguments", "nobody is to say it"))?;
    let user = context.state.store.user(id).await.map_err(AppError::from).map_err(failure)?;
    user.map(Actor::of).ok_or_else(|| not_a_member("there is no such account"))
}

fn not_a_member(message: &str) -> Failure {
    Failure::give_up("not_a_member", message)
}

fn failure(error: AppError) -> Failure {
    match error.code() {
        ErrorCode::NotFound | ErrorCode::Forbidden => not_a_member("the room is not the author's any more"),
        code if code.retryable() => Failure::retry(code.as_str(), error),
        code => Failure::give_up(code.as_str(), error),
    }
}
