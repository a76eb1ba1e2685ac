//! Rooms and who is in them.

use super::Actor;
use crate::domain::{Access, Seq, UserId};
use crate::protocol::{MemberView, RoomSummary};
use crate::server::error::AppError;
use crate::server::state::AppState;

/// Rooms the actor may read: those joined first, each group by name.
pub async fn list(_state: &AppState, _actor: &Actor) -> Result<Vec<RoomSummary>, AppError> {
    todo!()
}

/// One of them, or `NotFound`.
pub async fn find(_state: &AppState, _actor: &Actor, _room: &str) -> Result<RoomSummary, AppError> {
    todo!()
}

/// Any account may make rooms; it is the first member. The address is made from the name, with a
/// number when that is taken. Returns the slug.
pub async fn create(_state: &AppState, _actor: &Actor, _name: &str, _access: Access) -> Result<String, AppError> {
    todo!()
}

/// Creator or owner.
pub async fn rename(_state: &AppState, _actor: &Actor, _room: &str, _name: &str) -> Result<(), AppError> {
    todo!()
}

/// Creator or owner. Closing ends the subscriptions of those who are not members.
pub async fn set_access(_state: &AppState, _actor: &Actor, _room: &str, _access: Access) -> Result<(), AppError> {
    todo!()
}

/// Into an open room.
pub async fn join(_state: &AppState, _actor: &Actor, _room: &str) -> Result<(), AppError> {
    todo!()
}

pub async fn leave(_state: &AppState, _actor: &Actor, _room: &str) -> Result<(), AppError> {
    todo!()
}

/// A member of the room brings another account in.
pub async fn add_member(_state: &AppState, _actor: &Actor, _room: &str, _user: UserId) -> Result<(), AppError> {
    todo!()
}

pub async fn members(_state: &AppState, _actor: &Actor, _room: &str) -> Result<Vec<MemberView>, AppError> {
    todo!()
}

/// Moves the actor's read position forward.
pub async fn mark_read(_state: &AppState, _actor: &Actor, _room: &str, _seq: Seq) -> Result<(), AppError> {
    todo!()
}
