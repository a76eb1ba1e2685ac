//! One-time links by which somebody who lost a password sets a new one.

use super::accounts::{NewSession, begin_session, require_owner};
use super::{Actor, Link};
use crate::domain::{Password, UserId};
use crate::protocol::ErrorCode;
use crate::server::channel_layer::Notice;
use crate::server::clock::now_ms;
use crate::server::config::Config;
use crate::server::error::AppError;
use crate::server::secret::{hash_secret, new_secret};
use crate::server::state::AppState;
use crate::server::store::Store;
use std::net::IpAddr;

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Owners only: the whole address, shown once, good for `reset_hours`. `NotFound`.
pub async fn create(state: &AppState, actor: &Actor, user: UserId) -> Result<String, AppError> {
    require_owner(actor)?;
    state.store.user(user).await?.ok_or_else(|| AppError::refused(ErrorCode::NotFound))?;
    let secret = issue(&*state.store, &state.config, user).await?;
    Ok(Link::Reset.address(&state.config, actor.origin.as_deref(), &secret))
}

/// The same for the operator of the machine, who needs no account. The server's own settings are not
/// known here, so without `public_url` the address is the one that it was last reached by.
pub async fn create_as_operator(store: &dyn Store, config: &Config, user: UserId) -> Result<String, AppError> {
    let secret = issue(store, config, user).await?;
    let origin = store.base_address().await?;
    Ok(Link::Reset.address(config, origin.as_deref(), &secret))
}

async fn issue(store: &dyn Store, config: &Config, user: UserId) -> Result<String, AppError> {
    let secret = new_secret()?;
    let expires_at = now_ms() + i64::from(config.limits.reset_hours) * HOUR_MS;
    store.create_reset(&hash_secret(&secret), user, expires_at).await?;
    Ok(secret)
}

/// The name of the account behind a secret. `LinkExpired`; look-ups are limited per address.
pub async fn look_up(state: &AppState, ip: IpAddr, secret: &str) -> Result<String, AppError> {
    state.rate_limits.link(ip)?;
    let user = state.store.reset(&hash_secret(secret), now_ms()).await?;
    user.map(|user| user.name).ok_or_else(|| AppError::refused(ErrorCode::LinkExpired))
}

/// Sets the password, ends every session of the account and begins a new one; to be called after
/// [`look_up`]. `LinkExpired` and the rules of passwords.
pub async fn redeem(state: &AppState, secret: &str, password: &str) -> Result<NewSession, AppError> {
    let hash = state.passwords.hash(Password::parse(password)?).await?;
    let user = state.store.redeem_reset(&hash_secret(secret), &hash, now_ms()).await?;
    let user = user.ok_or_else(|| AppError::refused(ErrorCode::LinkExpired))?;
    state.layer.publish(Notice::SignedOut { user, except: None });
    begin_session(state, user).await
}
