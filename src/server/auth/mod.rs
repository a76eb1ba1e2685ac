//! Who is asking: session cookies, bearer tokens, passwords, the reader's language. Extract
//! [`Actor`](crate::server::service::Actor) where an account is needed and [`MaybeActor`] where it
//! is not; server functions call [`current`].

mod actor;
mod client_ip;
mod cookie;
mod password;
mod reader;

pub use actor::{MaybeActor, account, identify};
pub use client_ip::ClientIp;
pub use cookie::{LOCALE_COOKIE, LocaleCookie, SessionCookie, read_cookie};
pub use password::{Passwords, hash as hash_password};
pub use reader::Reader;

use crate::protocol::ErrorCode;
use crate::server::error::AppError;
use crate::server::service::Actor;
use crate::server::state::AppState;
use axum::http::request::Parts;
use leptos::context::use_context;

/// The actor and node of the request that a server function runs for. `Unauthenticated` without a
/// valid session.
pub async fn current() -> Result<(AppState, Actor), AppError> {
    let state = use_context::<AppState>().ok_or_else(|| AppError::Internal("no node in the context".into()))?;
    let parts = use_context::<Parts>().ok_or_else(|| AppError::Internal("no request in the context".into()))?;
    let actor = identify(&state, &parts.headers).await?;
    Ok((state, actor.ok_or_else(|| AppError::refused(ErrorCode::Unauthenticated))?))
}
