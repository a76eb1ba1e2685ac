use crate::protocol::json::Answer;
use crate::protocol::{ErrorBody, ScheduledView};
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use serde::{Deserialize, Serialize};

/// When something is to be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Unix milliseconds; with `repeat`, `None` is the first time that its pattern names.
    pub at: Option<i64>,
    /// Five fields of cron.
    pub repeat: Option<String>,
    /// IANA, in which `repeat` is read.
    pub zone: String,
}

/// Says it in the room later, as its author; Unix milliseconds of when. Cancelled by `cancel_task`. `NotFound`;
/// `Forbidden` but for members; the rules of bodies; `BadTime`, `BadRequest`, `TooManyScheduled`. A repeat with the
/// same key schedules nothing more.
#[server(input = Json, output = Answer)]
pub async fn schedule_message(key: String, slug: String, body: String, when: Schedule) -> Result<i64, ErrorBody> {
    use crate::server::service::schedule::{self, NewScheduled};
    let (state, actor) = crate::server::auth::current().await?;
    let (room, zone) = (&slug, &when.zone);
    let new = NewScheduled { room, key: &key, body: &body, at: when.at, repeat: when.repeat.as_deref(), zone };
    Ok(schedule::add(&state, &actor, new).await?)
}

/// What the reader has scheduled in the room, the next first. `NotFound`.
#[server(input = Json, output = Answer)]
pub async fn scheduled_messages(slug: String) -> Result<Vec<ScheduledView>, ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::schedule::list(&state, &actor, &slug).await?)
}
