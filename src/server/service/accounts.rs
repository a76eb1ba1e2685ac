//! Signing in and out, and an account's own settings.

use super::Actor;
use crate::domain::{Role, UserId};
use crate::i18n::Locale;
use crate::protocol::PersonView;
use crate::server::error::AppError;
use crate::server::state::AppState;
use std::net::IpAddr;

/// A session that was just begun: the secret goes into the cookie and nowhere else.
pub struct NewSession {
    pub secret: String,
    pub user: UserId,
}

/// Checks name and password and begins a session. Attempts are limited per address and per name;
/// an unknown name costs as much time as a wrong password. `WrongCredentials`, `RateLimited`.
pub async fn sign_in(_state: &AppState, _ip: IpAddr, _name: &str, _password: &str) -> Result<NewSession, AppError> {
    todo!()
}

/// Ends the actor's session here and on every connection that it opened.
pub async fn sign_out(_state: &AppState, _actor: &Actor) -> Result<(), AppError> {
    todo!()
}

/// Needs the current password; ends all other sessions of the account.
pub async fn change_password(_state: &AppState, _actor: &Actor, _current: &str, _new: &str) -> Result<(), AppError> {
    todo!()
}

pub async fn set_locale(_state: &AppState, _actor: &Actor, _locale: Option<Locale>) -> Result<(), AppError> {
    todo!()
}

pub async fn people(_state: &AppState, _actor: &Actor) -> Result<Vec<PersonView>, AppError> {
    todo!()
}

/// Owners only; the last owner stays one (`LastOwner`).
pub async fn set_role(_state: &AppState, _actor: &Actor, _user: UserId, _role: Role) -> Result<(), AppError> {
    todo!()
}
