//! Who is asking: session cookies, bearer tokens, passwords, the reader's language. Extract
//! [`Actor`](crate::server::service::Actor) where an account is needed and [`MaybeActor`] where it
//! is not; server functions call [`current`].

mod actor;
mod client_ip;
mod cookie;
mod password;
mod reader;
mod secret;

pub use actor::{MaybeActor, identify};
pub use client_ip::ClientIp;
pub use cookie::{LOCALE_COOKIE, LocaleCookie, SessionCookie, read_cookie};
pub use password::{Passwords, hash as hash_password};
pub use reader::Reader;
pub use secret::{hash_secret, new_secret, random_key};

use crate::protocol::ErrorCode;
use crate::server::config::Config;
use crate::server::error::AppError;
use crate::server::service::Actor;
use crate::server::state::AppState;
use axum::http::request::Parts;
use leptos::context::use_context;
use std::time::{SystemTime, UNIX_EPOCH};

/// The actor and node of the request that a server function runs for. `Unauthenticated` without a
/// valid session.
pub async fn current() -> Result<(AppState, Actor), AppError> {
    let state = use_context::<AppState>().ok_or_else(|| AppError::Internal("no node in the context".into()))?;
    let parts = use_context::<Parts>().ok_or_else(|| AppError::Internal("no request in the context".into()))?;
    let actor = identify(&state, &parts.headers).await?;
    Ok((state, actor.ok_or_else(|| AppError::refused(ErrorCode::Unauthenticated))?))
}

/// How the reader of the current request wants to be spoken to: from the account's setting, then
/// the `locale` cookie, then `Accept-Language`.
pub async fn reader(actor: &Actor) -> Reader {
    let headers = use_context::<Parts>().map(|parts| parts.headers).unwrap_or_default();
    Reader::of(actor.locale, &headers)
}

/// Unix milliseconds.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// When a session that is used at `now` ends, in Unix milliseconds.
pub fn session_end(config: &Config, now: i64) -> i64 {
    now + i64::from(config.limits.session_days) * 24 * 60 * 60 * 1_000
}
