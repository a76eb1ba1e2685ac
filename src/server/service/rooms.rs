//! Rooms and who is in them.

use super::Actor;
use crate::domain::{Access, RoomName, Seq, Slug, UserId};
use crate::protocol::{ErrorCode, MemberList, RoomSummary};
use crate::server::channel_layer::Notice;
use crate::server::error::AppError;
use crate::server::state::AppState;
use crate::server::store::{Command, Refusal, RoomHead};

/// Tries to find a free address for a name before giving up: `lunch`, `lunch-2`, … `lunch-50`.
const SLUG_TRIES: u32 = 50;

/// Rooms the actor may read: those joined first, each group by name.
pub async fn list(state: &AppState, actor: &Actor) -> Result<Vec<RoomSummary>, AppError> {
    let rooms = state.store.rooms(actor.id).await?;
    Ok(rooms.into_iter().map(|room| room.summary).collect())
}

/// One of them, or `NotFound`.
pub async fn find(state: &AppState, actor: &Actor, room: &str) -> Result<RoomSummary, AppError> {
    let found = state.store.room(&claimed(room)?, actor.id).await?;
    Ok(found.ok_or_else(|| AppError::refused(ErrorCode::NotFound))?.summary)
}

/// Where the room's log stands, if the actor may read it now. A room that is closed to the actor is as absent as one
/// that does not exist.
pub(in crate::server) async fn readable(state: &AppState, actor: &Actor, room: &str) -> Result<RoomHead, AppError> {
    let slug = claimed(room)?;
    state.store.room_head(&slug, actor.id).await?.ok_or_else(|| AppError::refused(ErrorCode::NotFound))
}

/// A room's address as a client sent it. What cannot be an address names no room.
pub(in crate::server) fn claimed(room: &str) -> Result<Slug, AppError> {
    Slug::parse(room).map_err(|_| AppError::refused(ErrorCode::NotFound))
}

/// Any account may make rooms; it is the first member. The address is made from the name, with a
/// number when that is taken. Returns the slug.
pub async fn create(state: &AppState, actor: &Actor, name: &str, access: Access) -> Result<String, AppError> {
    let name = RoomName::parse(name)?;
    state.rate_limits.command(actor.id)?;
    let suggested = Slug::from_name(name.as_str());
    let base = suggested.as_ref().map_or("room", Slug::as_str);
    for number in 1..=SLUG_TRIES {
        let Ok(slug) = numbered(base, number) else { continue };
        let command = Command::CreateRoom { slug: slug.clone(), name: name.clone(), access, creator: Some(actor.id) };
        match state.store.submit(command).await?.outcome().await {
            Ok(_) => return Ok(slug.to_string()),
            Err(Refusal::SlugTaken) => {}
            Err(refusal) => return Err(refusal.into()),
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
pub async fn rename(state: &AppState, actor: &Actor, room: &str, name: &str) -> Result<(), AppError> {
    let (room, name) = (claimed(room)?, RoomName::parse(name)?);
    carry_out(state, actor, Command::Rename { room, actor: actor.id, name }).await
}

/// Creator or owner. Closing ends the subscriptions of those who are not members.
pub async fn set_access(state: &AppState, actor: &Actor, room: &str, access: Access) -> Result<(), AppError> {
    carry_out(state, actor, Command::SetAccess { room: claimed(room)?, actor: actor.id, access }).await
}

/// Into an open room.
pub async fn join(state: &AppState, actor: &Actor, room: &str) -> Result<(), AppError> {
    add_member(state, actor, room, actor.id).await
}

pub async fn leave(state: &AppState, actor: &Actor, room: &str) -> Result<(), AppError> {
    carry_out(state, actor, Command::Leave { room: claimed(room)?, member: actor.id }).await
}

/// A member of the room brings another account in.
pub async fn add_member(state: &AppState, actor: &Actor, room: &str, user: UserId) -> Result<(), AppError> {
    carry_out(state, actor, Command::AddMember { room: claimed(room)?, member: user, actor: Some(actor.id) }).await
}

/// The first members by name, as many as the setting `members_listed`, and the count of all. `NotFound`.
pub async fn members(state: &AppState, actor: &Actor, room: &str) -> Result<MemberList, AppError> {
    let room = readable(state, actor, room).await?;
    Ok(state.store.members(room.id, state.config.limits.members_listed).await?)
}

/// Moves the actor's read position forward and tells the actor's connections. `NotFound`.
pub async fn mark_read(state: &AppState, actor: &Actor, room: &str, seq: Seq) -> Result<(), AppError> {
    let slug = claimed(room)?;
    let room = readable(state, actor, room).await?;
    state.store.mark_read(room.id, actor.id, seq).await?;
    state.layer.publish(Notice::Read { user: actor.id, room: slug, seq: seq.min(room.head) });
    Ok(())
}

async fn carry_out(state: &AppState, actor: &Actor, command: Command) -> Result<(), AppError> {
    state.rate_limits.command(actor.id)?;
    state.store.submit(command).await?.outcome().await?;
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
