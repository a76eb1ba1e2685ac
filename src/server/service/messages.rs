//! Posting to a room, changing one's own messages, and reading the log.

use super::commands::{self, PendingAck, Sent};
use super::{Acked, Actor, previews, rooms};
use crate::domain::{FileId, MessageBody, Seq, Slug};
use crate::protocol::{ErrorCode, Event, Page};
use crate::server::error::AppError;
use crate::server::state::AppState;
use crate::server::store::{Action, Command, Fingerprint, Intent};

/// A post as a client sent it.
#[derive(Clone, Copy, Debug)]
pub struct NewPost<'a> {
    pub room: &'a str,
    pub key: &'a str,
    pub body: &'a str,
    /// Ids of files.
    pub files: &'a [String],
}

/// An edit as a client sent it.
#[derive(Clone, Copy, Debug)]
pub struct NewEdit<'a> {
    pub room: &'a str,
    pub key: &'a str,
    pub target: Seq,
    pub body: &'a str,
    /// The history that `target` was learnt in; `None` trusts that it is this one.
    pub epoch: Option<&'a str>,
}

/// A deletion as a client sent it.
#[derive(Clone, Copy, Debug)]
pub struct NewDeletion<'a> {
    pub room: &'a str,
    pub key: &'a str,
    pub target: Seq,
    /// The history that `target` was learnt in; `None` trusts that it is this one.
    pub epoch: Option<&'a str>,
}

/// Checks the post and puts it in the writer's queue; commands submitted one after the other are
/// committed in that order. Membership is checked by the store in the committing transaction. A
/// known key comes before every check but those of the files' ids. `TooManyFiles`, `NoSuchFile`, `FileNotReady`, `BadKey`, `KeyReused`, `NotFound`, `RateLimited` and the
/// rules of bodies.
pub async fn submit_post(state: &AppState, actor: &Actor, post: NewPost<'_>) -> Result<PendingAck, AppError> {
    let (room, intent) = claimed(actor, post.room, post.key)?;
    let files = claimed_files(state, post.files)?;
    match acceptable(state, actor, post.body, &files) {
        Ok(body) => {
            let follow_ups = previews::follow_up(&state.config, body.as_str(), None);
            let command = Command::new(intent, room, Action::Post { body, files }).followed_by(follow_ups);
            commands::submit(state, command, Ok(())).await
        }
        Err(refusal) => {
            let print = Fingerprint::post(&intent.key, post.body, &files);
            commands::repeat(state, Sent { room: Some(&room), intent: &intent, print }, refusal).await
        }
    }
}

/// Like [`submit_post`], for another body of one's own message; an edit is limited like a post.
/// The body that it has already makes no event: the ack has the `rev` of the message. Also
/// `Forbidden` for somebody else's message, `Erased`, and `Gap` where `epoch` is another.
pub async fn submit_edit(state: &AppState, actor: &Actor, edit: NewEdit<'_>) -> Result<PendingAck, AppError> {
    let (room, intent) = claimed(actor, edit.room, edit.key)?;
    let target = edit.target;
    match acceptable(state, actor, edit.body, &[]) {
        Ok(body) => {
            let follow_ups = previews::follow_up(&state.config, body.as_str(), Some(target));
            let command = Command::new(intent, room, Action::Edit { target, body }).followed_by(follow_ups);
            let command = command.in_epoch(edit.epoch);
            commands::submit(state, command, Ok(())).await
        }
        Err(refusal) => {
            let print = Fingerprint::edit(&intent.key, target, edit.body);
            commands::repeat(state, Sent { room: Some(&room), intent: &intent, print }, refusal).await
        }
    }
}

/// Like [`submit_post`], to erase one's own message; limited like changes of rooms. One that is
/// deleted already makes no event: the ack has the seq of its `deleted` event. Also `Forbidden` for
/// somebody else's message, and `Gap` where `epoch` is another.
pub async fn submit_deletion(
    state: &AppState,
    actor: &Actor,
    deletion: NewDeletion<'_>,
) -> Result<PendingAck, AppError> {
    let (room, intent) = claimed(actor, deletion.room, deletion.key)?;
    let command = Command::new(intent, room, Action::Delete { target: deletion.target }).in_epoch(deletion.epoch);
    commands::submit(state, command, state.rate_limits.command(actor.id)).await
}

fn claimed(actor: &Actor, room: &str, key: &str) -> Result<(Slug, Intent), AppError> {
    Ok((rooms::claimed(room)?, commands::intent(actor, key)?))
}

/// `TooManyFiles`, `NoSuchFile` for what can be the id of none, and for one that is named twice.
fn claimed_files(state: &AppState, ids: &[String]) -> Result<Vec<FileId>, AppError> {
    if ids.len() > state.config.limits.message_files {
        return Err(AppError::refused(ErrorCode::TooManyFiles));
    }
    let mut files: Vec<FileId> = Vec::with_capacity(ids.len());
    for id in ids {
        let file = FileId::parse(id).ok().filter(|file| !files.contains(file));
        files.push(file.ok_or_else(|| AppError::refused(ErrorCode::NoSuchFile))?);
    }
    Ok(files)
}

/// The body, if the actor may send it now.
fn acceptable(state: &AppState, actor: &Actor, body: &str, files: &[FileId]) -> Result<MessageBody, AppError> {
    let parse = if files.is_empty() { MessageBody::parse } else { MessageBody::parse_caption };
    let body = parse(body, state.config.limits.body_bytes)?;
    state.rate_limits.post(actor.id)?;
    Ok(body)
}

/// Posts a message; returns when it is durable.
pub async fn post_message(state: &AppState, actor: &Actor, post: NewPost<'_>) -> Result<Acked, AppError> {
    submit_post(state, actor, post).await?.outcome().await
}

/// Gives one's own message another body; returns when that is durable.
pub async fn edit_message(state: &AppState, actor: &Actor, edit: NewEdit<'_>) -> Result<Acked, AppError> {
    submit_edit(state, actor, edit).await?.outcome().await
}

/// Erases one's own message; returns when that is durable.
pub async fn delete_message(state: &AppState, actor: &Actor, deletion: NewDeletion<'_>) -> Result<Acked, AppError> {
    submit_deletion(state, actor, deletion).await?.outcome().await
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
