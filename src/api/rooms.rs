use crate::domain::{Access, Seq};
use crate::protocol::json::Answer;
use crate::protocol::{ErrorBody, MemberList, Page, RoomSummary};
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use serde::{Deserialize, Serialize};

/// A room and its newest rows: what the room page starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomStart {
    pub room: RoomSummary,
    pub page: Page,
    /// Idempotency key for the plain form, used when WASM has not loaded.
    pub form_key: String,
}

/// The rooms that the reader may read: those joined first, each group by name. `Unauthenticated`, as
/// every function here.
#[server(input = Json, output = Answer)]
pub async fn rooms() -> Result<Vec<RoomSummary>, ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::rooms::list(&state, &actor).await?)
}

/// `NotFound` for a room that the reader may not see, as for one that does not exist.
#[server(input = Json, output = Answer)]
pub async fn open_room(slug: String) -> Result<RoomStart, ErrorBody> {
    use crate::server::{auth, first_page};
    let (state, actor) = auth::current().await?;
    Ok(first_page::room(&state, &actor, &slug).await?)
}

/// At most `page_rows` rows before `before`, ascending. `NotFound`.
#[server(input = Json, output = Answer)]
pub async fn older_rows(slug: String, before: Seq) -> Result<Page, ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::messages::page(&state, &actor, &slug, Some(before)).await?)
}

/// Returns the slug of the new room, whose first member is the reader. `SlugTaken` when no number behind
/// the name's address is free, and the rules of names.
#[server(input = Json, output = Answer)]
pub async fn create_room(key: String, name: String, access: Access) -> Result<String, ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    let new = service::rooms::NewRoom { key: &key, name: &name, access };
    Ok(service::rooms::create(&state, &actor, new).await?)
}

/// `NotFound`; `Forbidden` but for the creator and owners; the rules of names.
#[server(input = Json, output = Answer)]
pub async fn rename_room(key: String, slug: String, name: String) -> Result<(), ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    let at = service::rooms::At { room: &slug, key: &key };
    Ok(service::rooms::rename(&state, &actor, at, &name).await?)
}

/// `NotFound`; `Forbidden` but for the creator and owners, and for those who are not in a room they
/// close. Closing ends the subscriptions of those who are not members.
#[server(input = Json, output = Answer)]
pub async fn set_room_access(key: String, slug: String, access: Access) -> Result<(), ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    let at = service::rooms::At { room: &slug, key: &key };
    Ok(service::rooms::set_access(&state, &actor, at, access).await?)
}

/// For how many days messages are kept; `None`: for ever. `NotFound`; `Forbidden` but for the creator and owners;
/// `BadRequest` for no number of days.
#[server(input = Json, output = Answer)]
pub async fn set_room_retention(key: String, slug: String, days: Option<u32>) -> Result<(), ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    let at = service::rooms::At { room: &slug, key: &key };
    Ok(service::rooms::set_retention(&state, &actor, at, days).await?)
}

/// Into an open room; a member already is none the worse. `NotFound`.
#[server(input = Json, output = Answer)]
pub async fn join_room(key: String, slug: String) -> Result<(), ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    let at = service::rooms::At { room: &slug, key: &key };
    Ok(service::rooms::join(&state, &actor, at).await?)
}

/// `NotFound`; `LastMember` for the last one of a closed room.
#[server(input = Json, output = Answer)]
pub async fn leave_room(key: String, slug: String) -> Result<(), ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    let at = service::rooms::At { room: &slug, key: &key };
    Ok(service::rooms::leave(&state, &actor, at).await?)
}

/// By a member: `Forbidden` to others, `NotFound` for a room out of sight or no account.
#[server(input = Json, output = Answer)]
pub async fn add_member(key: String, slug: String, user: i64) -> Result<(), ErrorBody> {
    use crate::domain::UserId;
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    let at = service::rooms::At { room: &slug, key: &key };
    Ok(service::rooms::add_member(&state, &actor, at, UserId(user)).await?)
}

/// How many are in the room and the first of them by name, as many as `members_listed`. `NotFound`.
#[server(input = Json, output = Answer)]
pub async fn members(slug: String) -> Result<MemberList, ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::rooms::members(&state, &actor, &slug).await?)
}
