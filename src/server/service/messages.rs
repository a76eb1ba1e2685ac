//! Posting to a room and reading its log.

use super::Actor;
use crate::domain::{Key, MessageBody, Seq, Slug};
use crate::protocol::{Event, Page};
use crate::server::error::AppError;
use crate::server::state::AppState;
use crate::server::store::{Command, Pending};

/// A durable post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub seq: Seq,
    /// The key had been used for the same post before.
    pub repeated: bool,
}

/// A post on its way to the disk. Dropping it does not take the post back.
pub struct PendingPost(Pending);

impl PendingPost {
    pub async fn outcome(self) -> Result<Posted, AppError> {
        let committed = self.0.outcome().await?;
        let seq = committed.seq.ok_or_else(|| AppError::Internal("a post without a seq".into()))?;
        Ok(Posted { seq, repeated: committed.repeated })
    }
}

/// Checks the post and puts it in the writer's queue; posts submitted one after the other are
/// committed in that order. Membership is checked by the store in the committing transaction.
pub async fn submit_post(
    state: &AppState,
    actor: &Actor,
    room: &str,
    key: &str,
    body: &str,
) -> Result<PendingPost, AppError> {
    let room = Slug::parse(room).map_err(|_| AppError::refused(crate::protocol::ErrorCode::NotFound))?;
    let key = Key::parse(key)?;
    let body = MessageBody::parse(body, state.config.limits.body_bytes)?;
    state.rate_limits.post(actor.id)?;
    let pending = state.store.submit(Command::Post { room, author: actor.id, key, body }).await?;
    Ok(PendingPost(pending))
}

/// Posts a message; returns when it is durable.
pub async fn post_message(
    state: &AppState,
    actor: &Actor,
    room: &str,
    key: &str,
    body: &str,
) -> Result<Posted, AppError> {
    submit_post(state, actor, room, key, body).await?.outcome().await
}

/// A stretch of a room's log as it is served now.
pub struct EventStretch {
    pub epoch: String,
    pub head: Seq,
    pub first: Seq,
    pub events: Vec<Event>,
}

/// `Gap` when `after` is beyond the head or before the retained log, or `epoch` is another.
pub async fn events(
    _state: &AppState,
    _actor: &Actor,
    _room: &str,
    _after: Seq,
    _epoch: Option<&str>,
    _limit: u32,
) -> Result<EventStretch, AppError> {
    todo!()
}

/// A window of rows for the page, the newest or those before `before`.
pub async fn page(_state: &AppState, _actor: &Actor, _room: &str, _before: Option<Seq>) -> Result<Page, AppError> {
    todo!()
}

/// Messages only, for the HTTP API; `limit` is cut to the setting.
pub async fn messages(
    _state: &AppState,
    _actor: &Actor,
    _room: &str,
    _before: Option<Seq>,
    _limit: u32,
) -> Result<Page, AppError> {
    todo!()
}
