//! The first visit: with the one-time link from the terminal, one person becomes the owner.

use super::accounts::NewSession;
use crate::i18n::Locale;
use crate::server::error::AppError;
use crate::server::state::AppState;
use std::net::IpAddr;

/// What the first visitor fills in.
pub struct SetUpForm {
    pub community: String,
    pub name: String,
    pub password: String,
    pub room: String,
}

/// At start: the whole address of a new set-up link, or `None` once there is an owner.
pub async fn offer(_state: &AppState) -> Result<Option<String>, AppError> {
    todo!()
}

/// Whether the link is the one on offer. `LinkExpired`; look-ups are limited per address.
pub async fn look_up(_state: &AppState, _ip: IpAddr, _secret: &str) -> Result<(), AppError> {
    todo!()
}

/// Owner, community, first room; signs the owner in. Returns the slug of the room.
pub async fn set_up(
    _state: &AppState,
    _ip: IpAddr,
    _secret: &str,
    _form: SetUpForm,
    _locale: Locale,
) -> Result<(NewSession, String), AppError> {
    todo!()
}
