//! Rooms and who is in them.

use super::{Actor, commands};
use crate::domain::{Access, RoomId, RoomName, Slug, UserId};
use crate::protocol::{Author, ErrorCode, MemberList, RoomSummary};
use crate::server::channel_layer::{Notice, Typing};
use crate::server::error::AppError;
use crate::server::queue::{self, Retention};
use crate::server::state::AppState;
use crate::server::store::{Action, Command, RoomHead, RoomView};
use std::sync::Arc;

/// Tries to find a free address for a name before giving up: `lunch`, `lunch-2`, … `lunch-50`.
const SLUG_TRIES: u32 = 50;

/// A hundred years.
pub const MOST_KEPT_DAYS: u32 = 36_500;

/// Which room a change is meant for, and the change's key, as a client sent them.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    pub room: &'a str,
    pub key: &'a str,
}

/// A room to be made, as a client sent it.
#[derive(Clone, Copy, Debug)]
pub struct NewRoom<'a> {
    pub key: &'a str,
    pub name: &'a str,
    pub access: Access,
}

/// Rooms the actor may read: those joined first, each group by name.
pub async fn list(state: &AppState, actor: &Actor) -> Result<Vec<RoomSummary>, AppError> {
    let rooms = state.store.rooms(actor.id).await?;
    Ok(rooms.into_iter().map(|room| room.summary).collect())
}

/// One of them, or `NotFound`.
pub async fn find(state: &AppState, actor: &Actor, room: &str) -> Result<RoomSummary, AppError> {
    Ok(view(state, actor, room).await?.summary)
}

/// Likewise, with its id.
pub(in crate::server) async fn view(state: &AppState, actor: &Actor, room: &str) -> Result<RoomView, AppError> {
    let found = state.store.room(&claimed(room)?, actor.id).await?;
    found.ok_or_else(|| AppError::refused(ErrorCode::NotFound))
}

/// Where the room's log stands, if the actor may read it now. A room that is closed to the actor is as absent as one
/// that does not exist.
pub(in crate::server) async fn readable(state: &AppState, actor: &Actor, room: &str) -> Result<RoomHead, AppError> {
    let slug = claimed(room)?;
    state.store.room_head(&slug, actor.id).await?.ok_or_else(|| AppError::refused(ErrorCode::NotFound))
}

/// The room, if the actor may read it now; from memory where it is known. What another process did
/// may be news here for as long as it takes to notice, so a refusal is confirmed by the store.
pub(in crate::server) async fn followable(state: &AppState, actor: &Actor, room: &str) -> Result<RoomId, AppError> {
    let slug = claimed(room)?;
    match state.cache.rooms.readable(&state.store, &slug, actor.id).await? {
        Some(room) => Ok(room),
        None => Ok(readable(state, actor, room).await?.id),
    }
}

/// A room's address as a client sent it. What cannot be an address names no room.
pub(in crate::server) fn claimed(room: &str) -> Result<Slug, AppError> {
    Slug::parse(room).map_err(|_| AppError::refused(ErrorCode::NotFound))
}

/// Any account may make rooms; it is the first member. The address is made from the name, with a
/// number when that is taken. Returns the slug; a repeat with the same key gets the same one.
pub async fn create(state: &AppState, actor: &Actor, new: NewRoom<'_>) -> Result<String, AppError> {
    let (name, intent) = (RoomName::parse(new.name)?, commands::intent(actor, new.key)?);
    let suggested = Slug::from_name(name.as_str());
    let base = suggested.as_ref().map_or("room", Slug::as_str);
    let mut allowed = state.rate_limits.command(actor.id);
    for number in 1..=SLUG_TRIES {
        let Ok(slug) = numbered(base, number) else { continue };
        let action = Action::CreateRoom { name: name.clone(), access: new.access, creator: Some(actor.id) };
        let command = Command::new(intent.clone(), slug, action);
        let made = commands::submit(state, command, std::mem::replace(&mut allowed, Ok(()))).await?.committed().await;
        match made {
            Ok(made) => return Ok(made.slug.to_string()),
            Err(error) if error.code() == ErrorCode::SlugTaken => {}
            Err(error) => return Err(error),
        }
    }
    Err(AppError::refused(ErrorCode::SlugTaken))
}

fn numbered(base: &str, number: u32) -> Result<Slug, crate::domain::SlugError> {
    if number == 1 {
        return Slug::parse(base);
    }
    let suffix = format!("-{number}");
    let kept: String = base.chars().take(Slug::MAX_CHARS - suffix.len()).collect();
    Slug::parse(&format!("{}{suffix}", kept.trim_end_matches('-')))
}

/// Creator or owner.
pub async fn rename(state: &AppState, actor: &Actor, at: At<'_>, name: &str) -> Result<(), AppError> {
    let name = RoomName::parse(name)?;
    carry_out(state, actor, at, Action::Rename { name }).await
}

/// Creator or owner. Closing ends the subscriptions of those who are not members.
pub async fn set_access(state: &AppState, actor: &Actor, at: At<'_>, access: Access) -> Result<(), AppError> {
    carry_out(state, actor, at, Action::SetAccess { access }).await
}

/// Creator or owner. What is older than so many days goes soon, and from then on each night. `BadRequest` for none or
/// more than [`MOST_KEPT_DAYS`].
pub async fn set_retention(state: &AppState, actor: &Actor, at: At<'_>, days: Option<u32>) -> Result<(), AppError> {
    if days.is_some_and(|days| !(1..=MOST_KEPT_DAYS).contains(&days)) {
        return Err(AppError::refused(ErrorCode::BadRequest));
    }
    let intent = commands::intent(actor, at.key)?;
    let command = Command::new(intent, claimed(at.room)?, Action::SetRetention { days });
    let command = command.followed_by(vec![queue::task(&Retention {})]);
    commands::submit(state, command, state.rate_limits.command(actor.id)).await?.committed().await?;
    Ok(())
}

/// Into an open room.
pub async fn join(state: &AppState, actor: &Actor, at: At<'_>) -> Result<(), AppError> {
    add_member(state, actor, at, actor.id).await
}

pub async fn leave(state: &AppState, actor: &Actor, at: At<'_>) -> Result<(), AppError> {
    carry_out(state, actor, at, Action::Leave).await
}

/// A member of the room brings another account in.
pub async fn add_member(state: &AppState, actor: &Actor, at: At<'_>, member: UserId) -> Result<(), AppError> {
    carry_out(state, actor, at, Action::AddMember { member }).await
}

/// The first members by name, as many as the setting `members_listed`, and the count of all. `NotFound`.
pub async fn members(state: &AppState, actor: &Actor, room: &str) -> Result<MemberList, AppError> {
    let room = readable(state, actor, room).await?;
    Ok(state.store.members(room.id, state.config.limits.members_listed).await?)
}

/// Tells the others who follow the room that the actor is at work on a message. `NotFound`.
pub async fn type_in(state: &AppState, actor: &Actor, room: RoomId, slug: &str) -> Result<(), AppError> {
    if followable(state, actor, slug).await? == room {
        let by = Author { id: actor.id.0, name: actor.name.clone() };
        state.layer.publish(Notice::Typing(Arc::new(Typing { room, slug: claimed(slug)?, by })));
    }
    Ok(())
}

async fn carry_out(state: &AppState, actor: &Actor, at: At<'_>, action: Action) -> Result<(), AppError> {
    let command = Command::new(commands::intent(actor, at.key)?, claimed(at.room)?, action);
    commands::submit(state, command, state.rate_limits.command(actor.id)).await?.committed().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_addresses_stay_addresses() {
        assert_eq!(numbered("lunch", 1).unwrap().as_str(), "lunch");
        assert_eq!(numbered("lunch", 2).unwrap().as_str(), "lunch-2");
        let long = "a".repeat(Slug::MAX_CHARS);
        assert_eq!(numbered(&long, 10).unwrap().as_str().len(), Slug::MAX_CHARS);
        assert!(numbered(&format!("{}-b", "a".repeat(45)), 10).is_ok());
    }
}
