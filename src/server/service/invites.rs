//! Links by which new people make an account. Owners make, see and revoke them.

use super::{Actor, accounts::NewSession};
use crate::i18n::Locale;
use crate::protocol::InviteView;
use crate::server::error::AppError;
use crate::server::state::AppState;
use crate::server::store::Invite;
use std::net::IpAddr;

/// Makes a link (the whole address, shown once) that ends after `days` or `max_uses` accounts.
pub async fn create(_state: &AppState, _actor: &Actor, _days: u32, _max_uses: u32) -> Result<String, AppError> {
    todo!()
}

pub async fn list(_state: &AppState, _actor: &Actor) -> Result<Vec<InviteView>, AppError> {
    todo!()
}

pub async fn revoke(_state: &AppState, _actor: &Actor, _id: i64) -> Result<(), AppError> {
    todo!()
}

/// The invite behind a secret. `LinkExpired`; look-ups are limited per address.
pub async fn look_up(_state: &AppState, _ip: IpAddr, _secret: &str) -> Result<Invite, AppError> {
    todo!()
}

/// Makes the account and signs it in. `LinkExpired`, `NameTaken` and the rules of names and passwords.
pub async fn accept(
    _state: &AppState,
    _ip: IpAddr,
    _secret: &str,
    _name: &str,
    _password: &str,
    _locale: Locale,
) -> Result<NewSession, AppError> {
    todo!()
}
