use crate::domain::Role;
use crate::protocol::json::Answer;
use crate::protocol::{ErrorBody, InviteView, PersonView};
use leptos::prelude::*;
use leptos::server_fn::codec::Json;

/// Everybody, by name. `Unauthenticated`, as every function here.
#[server(input = Json, output = Answer)]
pub async fn people() -> Result<Vec<PersonView>, ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::accounts::people(&state, &actor).await?)
}

/// `Forbidden` but for owners, `NotFound`, `LastOwner`.
#[server(input = Json, output = Answer)]
pub async fn set_role(user: i64, role: Role) -> Result<(), ErrorBody> {
    use crate::domain::UserId;
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::accounts::set_role(&state, &actor, UserId(user), role).await?)
}

/// Returns the whole address of the link; it is not shown again. `Forbidden` but for owners; `BadRequest`
/// when `days` or `max_uses` is 0 or beyond `invite_max_days` and `invite_max_uses`.
#[server(input = Json, output = Answer)]
pub async fn create_invite(days: u32, max_uses: u32) -> Result<String, ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::invites::create(&state, &actor, days, max_uses).await?)
}

/// At most 100: those that can be used, then the others, each the newest first. `Forbidden` but for owners.
#[server(input = Json, output = Answer)]
pub async fn invites() -> Result<Vec<InviteView>, ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::invites::list(&state, &actor).await?)
}

/// From now on the link is `LinkExpired`; accounts that it made stay. `Forbidden` but for owners.
#[server(input = Json, output = Answer)]
pub async fn revoke_invite(id: i64) -> Result<(), ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::invites::revoke(&state, &actor, id).await?)
}

/// Returns the whole address of a one-time link by which `user` sets a new password within
/// `reset_hours`; earlier ones end. `Forbidden` but for owners, `NotFound`.
#[server(input = Json, output = Answer)]
pub async fn create_reset(user: i64) -> Result<String, ErrorBody> {
    use crate::domain::UserId;
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::resets::create(&state, &actor, UserId(user)).await?)
}
