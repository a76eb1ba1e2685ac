//! The first visit: with the one-time link from the terminal, one person becomes the owner.

use super::accounts::{NewSession, begin_session};
use super::{Link, base_address};
use crate::domain::{Password, Role, RoomName, Slug, UserName};
use crate::i18n::Locale;
use crate::protocol::ErrorCode;
use crate::server::clock::now_ms;
use crate::server::error::AppError;
use crate::server::secret::{hash_secret, new_secret};
use crate::server::state::AppState;
use crate::server::store::{NewSetUp, NewUser};
use std::net::IpAddr;

/// What the first visitor fills in.
pub struct SetUpForm {
    pub community: String,
    pub name: String,
    pub password: String,
    pub room: String,
    /// The owner's language; `None` follows the browser.
    pub locale: Option<Locale>,
}

/// At start: keeps the node's address for links that `pickmate admin` makes beside it.
pub async fn announce(state: &AppState) -> Result<(), AppError> {
    Ok(state.store.put_base_address(&base_address(&state.config)).await?)
}

/// At start: the whole address of a new set-up link, or `None` once there is an owner. Links that
/// were offered before end.
pub async fn offer(state: &AppState) -> Result<Option<String>, AppError> {
    if state.store.has_owner().await? {
        return Ok(None);
    }
    let secret = new_secret()?;
    state.store.put_set_up_link(&hash_secret(&secret)).await?;
    Ok(Some(Link::SetUp.address(&state.config, None, &secret)))
}

/// Whether the link is the one on offer. `LinkExpired`; look-ups are limited per address.
pub async fn look_up(state: &AppState, ip: IpAddr, secret: &str) -> Result<(), AppError> {
    state.rate_limits.link(ip)?;
    if state.store.set_up_link_is_valid(&hash_secret(secret)).await? {
        return Ok(());
    }
    Err(AppError::refused(ErrorCode::LinkExpired))
}

/// Owner, community, first room; signs the owner in. Returns the slug of the room.
pub async fn set_up(
    state: &AppState,
    ip: IpAddr,
    secret: &str,
    form: SetUpForm,
) -> Result<(NewSession, String), AppError> {
    look_up(state, ip, secret).await?;
    // A community is named by the rules of rooms.
    let community = RoomName::parse(&form.community)?;
    let name = UserName::parse(&form.name)?;
    let room_name = RoomName::parse(&form.room)?;
    let room_slug = first_slug(&room_name)?;
    let password_hash = state.passwords.hash(Password::parse(&form.password)?).await?;
    let owner = NewUser { name, password_hash, role: Role::Owner, locale: form.locale };
    let new = NewSetUp { community: community.as_str().to_owned(), owner, room_slug: room_slug.clone(), room_name };
    let owner = state.store.set_up(&hash_secret(secret), new, now_ms()).await?;
    Ok((begin_session(state, owner).await?, room_slug.as_str().to_owned()))
}

/// The address of the first room, also for a name without any letter or digit.
fn first_slug(name: &RoomName) -> Result<Slug, AppError> {
    match Slug::from_name(name.as_str()) {
        Some(slug) => Ok(slug),
        None => Ok(Slug::parse("room")?),
    }
}
