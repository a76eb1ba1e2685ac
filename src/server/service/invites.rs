//! Links by which new people make an account. Owners make, see and revoke them.

use super::accounts::{NewSession, begin_session, require_owner};
use super::{Actor, Link};
use crate::domain::{Password, Role, UserName};
use crate::i18n::Locale;
use crate::protocol::{ErrorCode, InviteView};
use crate::server::clock::now_ms;
use crate::server::error::AppError;
use crate::server::secret::{hash_secret, new_secret};
use crate::server::state::AppState;
use crate::server::store::{Invite, NewInvite, NewUser};
use std::net::IpAddr;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Makes a link (the whole address, shown once) that ends after `days` or `max_uses` accounts.
/// `BadRequest` when either is 0 or beyond the settings.
pub async fn create(state: &AppState, actor: &Actor, days: u32, max_uses: u32) -> Result<String, AppError> {
    require_owner(actor)?;
    let limits = &state.config.limits;
    within("days", days, limits.invite_max_days)?;
    within("max_uses", max_uses, limits.invite_max_uses)?;
    let (secret, now) = (new_secret()?, now_ms());
    let secret_hash = hash_secret(&secret);
    let invite = NewInvite { secret_hash, created_by: actor.id, expires_at: now + i64::from(days) * DAY_MS, max_uses };
    state.store.create_invite(invite, now).await?;
    Ok(Link::Join.address(&state.config, actor.origin.as_deref(), &secret))
}

fn within(field: &str, value: u32, max: u32) -> Result<(), AppError> {
    if (1..=max).contains(&value) {
        return Ok(());
    }
    Err(AppError::Refused { code: ErrorCode::BadRequest, message: format!("{field} is 1 to {max}") })
}

/// Those that can be used first, then expired, used up and revoked ones, each the newest first. `Forbidden`.
pub async fn list(state: &AppState, actor: &Actor) -> Result<Vec<InviteView>, AppError> {
    require_owner(actor)?;
    Ok(state.store.invites(now_ms()).await?)
}

/// From now on the link is `LinkExpired`; accounts that it made stay.
pub async fn revoke(state: &AppState, actor: &Actor, id: i64) -> Result<(), AppError> {
    require_owner(actor)?;
    Ok(state.store.revoke_invite(id, now_ms()).await?)
}

/// The invite behind a secret. `LinkExpired`; look-ups are limited per address.
pub async fn look_up(state: &AppState, ip: IpAddr, secret: &str) -> Result<Invite, AppError> {
    state.rate_limits.link(ip)?;
    let invite = state.store.invite(&hash_secret(secret), now_ms()).await?;
    invite.ok_or_else(|| AppError::refused(ErrorCode::LinkExpired))
}

/// What somebody who joins fills in.
pub struct JoinForm {
    pub name: String,
    pub password: String,
    /// The account's language; `None` follows the browser.
    pub locale: Option<Locale>,
}

/// Makes the account and signs it in; to be called after [`look_up`]. `LinkExpired`, `NameTaken`
/// and the rules of names and passwords.
pub async fn accept(state: &AppState, secret: &str, form: JoinForm) -> Result<NewSession, AppError> {
    let name = UserName::parse(&form.name)?;
    let password_hash = state.passwords.hash(Password::parse(&form.password)?).await?;
    let new = NewUser { name, password_hash, role: Role::Member, locale: form.locale };
    let user = state.store.accept_invite(&hash_secret(secret), new, now_ms()).await?;
    begin_session(state, user).await
}
