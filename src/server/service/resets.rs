//! One-time links by which somebody who lost a password sets a new one.

use super::{Actor, accounts::NewSession};
use crate::domain::UserId;
use crate::server::error::AppError;
use crate::server::state::AppState;
use std::net::IpAddr;

/// Owners only: the whole address, shown once, good for 24 hours.
pub async fn create(_state: &AppState, _actor: &Actor, _user: UserId) -> Result<String, AppError> {
    todo!()
}

/// The name of the account behind a secret. `LinkExpired`; look-ups are limited per address.
pub async fn look_up(_state: &AppState, _ip: IpAddr, _secret: &str) -> Result<String, AppError> {
    todo!()
}

/// Sets the password, ends every session of the account and begins a new one.
pub async fn redeem(_state: &AppState, _ip: IpAddr, _secret: &str, _password: &str) -> Result<NewSession, AppError> {
    todo!()
}
