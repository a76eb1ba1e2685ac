//! Posting to a room and reading its log.

use super::{Actor, rooms};
use crate::domain::{Key, MessageBody, Seq};
use crate::protocol::{ErrorCode, Event, Page};
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

/// A post as a client sent it.
#[derive(Clone, Copy, Debug)]
pub struct NewPost<'a> {
    pub room: &'a str,
    pub key: &'a str,
    pub body: &'a str,
}

/// A post on its way to the disk, or one that was there before. Dropping it does not take the post
/// back.
pub enum PendingPost {
    Underway(Pending),
    Known(Seq),
}

impl PendingPost {
    /// Returns when the post is durable. `NotFound`, `KeyReused`, `Unavailable`.
    pub async fn outcome(self) -> Result<Posted, AppError> {
        let pending = match self {
            PendingPost::Underway(pending) => pending,
            PendingPost::Known(seq) => return Ok(Posted { seq, repeated: true }),
        };
        let committed = pending.outcome().await?;
        let seq = committed.seq.ok_or_else(|| AppError::Internal("a post without a seq".into()))?;
        Ok(Posted { seq, repeated: committed.repeated })
    }
}

/// Checks the post and puts it in the writer's queue; posts submitted one after the other are
/// committed in that order. Membership is checked by the store in the committing transaction. A
/// known key comes before every check: a repeat gets its first ack also when it comes too fast or
/// no longer fits the rules. `BadKey`, `KeyReused`, `NotFound`, `RateLimited` and the rules of bodies.
pub async fn submit_post(state: &AppState, actor: &Actor, post: NewPost<'_>) -> Result<PendingPost, AppError> {
    let (room, key) = (rooms::claimed(post.room)?, Key::parse(post.key)?);
    match acceptable(state, actor, post.body) {
        Ok(body) => {
            let pending = state.store.submit(Command::Post { room, author: actor.id, key, body }).await?;
            Ok(PendingPost::Underway(pending))
        }
        Err(refusal) => {
            let known = state.store.known_post(&room, actor.id, &key, post.body).await?;
            known.map(PendingPost::Known).ok_or(refusal)
        }
    }
}

/// The body, if the actor may post it now.
fn acceptable(state: &AppState, actor: &Actor, body: &str) -> Result<MessageBody, AppError> {
    let body = MessageBody::parse(body, state.config.limits.body_bytes)?;
    state.rate_limits.post(actor.id)?;
    Ok(body)
}

/// Posts a message; returns when it is durable.
pub async fn post_message(state: &AppState, actor: &Actor, post: NewPost<'_>) -> Result<Posted, AppError> {
    submit_post(state, actor, post).await?.outcome().await
}

/// Names this history: positions of another one do not compare.
pub fn epoch(state: &AppState) -> String {
    state.store.epoch().to_string()
}

/// A stretch of a room's log as it is served now.
pub struct EventStretch {
    pub epoch: String,
    pub head: Seq,
    pub first: Seq,
    pub events: Vec<Event>,
}

/// Where a reader wants a room's log from.
#[derive(Clone, Debug)]
pub struct From<'a> {
    pub after: Seq,
    /// The history that `after` belongs to; `None` trusts that it is this one.
    pub epoch: Option<&'a str>,
    /// Cut to the setting `api_page_events`.
    pub limit: u32,
}

/// `Gap` when `after` is beyond the head or before the retained log, or `epoch` is another.
pub async fn events(state: &AppState, actor: &Actor, room: &str, from: From<'_>) -> Result<EventStretch, AppError> {
    state.rate_limits.read(actor.id)?;
    let room = rooms::readable(state, actor, room).await?;
    let epoch = state.store.epoch();
    let limit = from.limit.clamp(1, state.config.limits.api_page_events);
    let page = state.store.events_after(room.id, from.after, limit).await?;
    let same_history = from.epoch.is_none_or(|theirs| theirs == &*epoch);
    // In this order: the largest seq there can be has no next one.
    let retained = from.after <= page.head && from.after.next() >= page.first;
    if !(same_history && retained) {
        return Err(AppError::refused(ErrorCode::Gap));
    }
    Ok(EventStretch { epoch: epoch.to_string(), head: page.head, first: page.first, events: page.events })
}

/// A window of rows for the page, the newest or those before `before`.
pub async fn page(state: &AppState, actor: &Actor, room: &str, before: Option<Seq>) -> Result<Page, AppError> {
    state.rate_limits.read(actor.id)?;
    let room = rooms::readable(state, actor, room).await?;
    Ok(state.store.page(room.id, before, state.config.limits.page_rows).await?)
}

/// Which messages are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The newest of all when not said.
    pub before: Option<Seq>,
    /// Cut to the setting `api_page_rows`.
    pub limit: u32,
}

/// Messages only, for the HTTP API. `NotFound`.
pub async fn messages(state: &AppState, actor: &Actor, room: &str, window: Window) -> Result<Page, AppError> {
    state.rate_limits.read(actor.id)?;
    let room = rooms::readable(state, actor, room).await?;
    let limit = window.limit.clamp(1, state.config.limits.api_page_rows);
    Ok(state.store.messages(room.id, window.before, limit).await?)
}
