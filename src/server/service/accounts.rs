//! Signing in and out, and an account's own settings.

use super::Actor;
use crate::domain::{Password, Role, UserId, UserName};
use crate::i18n::Locale;
use crate::protocol::{ErrorCode, PersonView};
use crate::server::channel_layer::Notice;
use crate::server::clock::now_ms;
use crate::server::error::AppError;
use crate::server::secret::{hash_secret, new_secret};
use crate::server::state::AppState;
use crate::server::store::User;
use std::net::IpAddr;

/// A session that was just begun: the secret goes into the cookie and nowhere else.
pub struct NewSession {
    pub secret: String,
    pub user: UserId,
}

/// Checks name and password and begins a session. Attempts are limited per address and per name;
/// an unknown name costs as much time as a wrong password. `WrongCredentials`, `RateLimited`.
pub async fn sign_in(state: &AppState, ip: IpAddr, name: &str, password: &str) -> Result<NewSession, AppError> {
    state.rate_limits.sign_in(ip, name)?;
    let user = find(state, name).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = state.passwords.verify(password.to_owned(), hash).await?;
    match user {
        Some(user) if right => begin_session(state, user.id).await,
        _ => Err(AppError::refused(ErrorCode::WrongCredentials)),
    }
}

async fn find(state: &AppState, name: &str) -> Result<Option<User>, AppError> {
    match UserName::parse(name) {
        Ok(name) => Ok(state.store.user_by_name(name.as_str()).await?),
        Err(_) => Ok(None),
    }
}

/// Begins a session for somebody who has proven to be `user`.
pub(super) async fn begin_session(state: &AppState, user: UserId) -> Result<NewSession, AppError> {
    let (secret, now) = (new_secret()?, now_ms());
    state.store.create_session(&hash_secret(&secret), user, now, state.config.limits.session_end(now)).await?;
    Ok(NewSession { secret, user })
}

/// Ends the actor's session here and on every connection that it opened. A bearer token stays.
pub async fn sign_out(state: &AppState, actor: &Actor) -> Result<(), AppError> {
    let Some(session) = actor.session else { return Ok(()) };
    state.store.end_session(&session).await?;
    state.layer.publish(Notice::SessionEnded { session });
    Ok(())
}

/// Needs the current password; ends all other sessions of the account.
pub async fn change_password(state: &AppState, actor: &Actor, current: &str, new: &str) -> Result<(), AppError> {
    let new = Password::parse(new)?;
    state.rate_limits.password_check(actor.id)?;
    let user = state.store.user(actor.id).await?.ok_or_else(|| AppError::refused(ErrorCode::Unauthenticated))?;
    if !state.passwords.verify(current.to_owned(), Some(user.password_hash)).await? {
        return Err(AppError::refused(ErrorCode::WrongCredentials));
    }
    let hash = state.passwords.hash(new).await?;
    state.store.set_password(actor.id, &hash, actor.session.as_ref()).await?;
    state.layer.publish(Notice::SignedOut { user: actor.id, except: actor.session });
    Ok(())
}

/// The account's language; `None` follows the browser. `RateLimited`, as a command.
pub async fn set_locale(state: &AppState, actor: &Actor, locale: Option<Locale>) -> Result<(), AppError> {
    state.rate_limits.command(actor.id)?;
    Ok(state.store.set_locale(actor.id, locale).await?)
}

/// Everybody, by name.
pub async fn people(state: &AppState, _actor: &Actor) -> Result<Vec<PersonView>, AppError> {
    Ok(state.store.people().await?)
}

/// Owners only; the last owner stays one (`LastOwner`).
pub async fn set_role(state: &AppState, actor: &Actor, user: UserId, role: Role) -> Result<(), AppError> {
    require_owner(actor)?;
    state.store.user(user).await?.ok_or_else(|| AppError::refused(ErrorCode::NotFound))?;
    if !state.store.set_role(user, role).await? {
        return Err(AppError::refused(ErrorCode::LastOwner));
    }
    Ok(())
}

/// `Forbidden` for members.
pub(super) fn require_owner(actor: &Actor) -> Result<(), AppError> {
    if actor.is_owner() { Ok(()) } else { Err(AppError::refused(ErrorCode::Forbidden)) }
}
