//! From a request to the account behind it.

use super::cookie::SessionCookie;
use crate::protocol::ErrorCode;
use crate::server::cache::sessions::Asked;
use crate::server::clock::now_ms;
use crate::server::error::AppError;
use crate::server::secret::hash_secret;
use crate::server::service::Actor;
use crate::server::state::AppState;
use crate::server::store::{Credential, SessionUser, StoreError};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

/// The account of a request that may come without one.
pub struct MaybeActor(pub Option<Actor>);

/// The account that a bearer token or the session cookie proves, if any. A request with an
/// `Authorization` header stands or falls with it; its cookie is not looked at.
pub async fn identify(state: &AppState, headers: &HeaderMap) -> Result<Option<Actor>, AppError> {
    let actor = match headers.get(header::AUTHORIZATION) {
        Some(value) => token_actor(state, value.to_str().unwrap_or_default()).await?,
        None => session_actor(state, headers).await?,
    };
    Ok(actor.map(|actor| Actor { origin: request_origin(headers), ..actor }))
}

async fn token_actor(state: &AppState, authorization: &str) -> Result<Option<Actor>, AppError> {
    let Some((scheme, token)) = authorization.split_once(' ') else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let user = account(state, Credential::Token(hash_secret(token.trim()))).await?;
    Ok(user.map(|user| Actor::new(user, None)))
}

async fn session_actor(state: &AppState, headers: &HeaderMap) -> Result<Option<Actor>, AppError> {
    let Some(secret) = SessionCookie::of(&state.config).read(headers) else { return Ok(None) };
    let hash = hash_secret(secret);
    let user = account(state, Credential::Session(hash)).await?;
    Ok(user.map(|user| Actor::new(user, Some(hash))))
}

/// The account behind a credential, if it stands now.
pub async fn account(state: &AppState, credential: Credential) -> Result<Option<SessionUser>, StoreError> {
    let now = now_ms();
    let asked = Asked { now, session_end: state.config.limits.session_end(now) };
    state.cache.sessions.account(&state.store, credential, asked).await
}

/// Scheme and host by which the client reached the node. Browsers say it in `Origin` with every
/// post, and know best about TLS in front of us; without it the host alone is known.
fn request_origin(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let own = origin.filter(|origin| origin.split_once("://").is_some_and(|(_, named)| named == host));
    Some(own.map_or_else(|| format!("http://{host}"), str::to_owned))
}

impl<S> FromRequestParts<S> for MaybeActor
where
    S: Send + Sync,
    AppState: FromRef<S>,
{
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<MaybeActor, AppError> {
        identify(&AppState::from_ref(state), &parts.headers).await.map(MaybeActor)
    }
}

impl<S> FromRequestParts<S> for Actor
where
    S: Send + Sync,
    AppState: FromRef<S>,
{
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Actor, AppError> {
        // A layer may have asked before.
        if let Some(actor) = parts.extensions.get::<Actor>() {
            return Ok(actor.clone());
        }
        let MaybeActor(actor) = MaybeActor::from_request_parts(parts, state).await?;
        actor.ok_or_else(|| AppError::refused(ErrorCode::Unauthenticated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn origin(host: &'static str, origin: Option<&'static str>) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        request_origin(&headers)
    }

    #[test]
    fn the_browser_knows_the_scheme_but_only_for_this_host() {
        assert_eq!(origin("chat.lan:3000", None).as_deref(), Some("http://chat.lan:3000"));
        assert_eq!(origin("chat.lan", Some("https://chat.lan")).as_deref(), Some("https://chat.lan"));
        assert_eq!(origin("chat.lan", Some("https://evil.example")).as_deref(), Some("http://chat.lan"));
        assert_eq!(request_origin(&HeaderMap::new()), None);
    }
}
