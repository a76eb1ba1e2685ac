//! One request for a plain page, and its answer.

use super::plain::Plain;
use crate::i18n::Locale;
use crate::protocol::ErrorCode;
use crate::server::auth::{ClientIp, LOCALE_COOKIE, MaybeActor, SessionCookie, read_cookie};
use crate::server::error::AppError;
use crate::server::service::Actor;
use crate::server::service::accounts::NewSession;
use crate::server::state::AppState;
use crate::ui::plain::PlainPage;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use std::net::IpAddr;

/// What every handler of a plain page needs to know about the request.
pub(in crate::server) struct Visit {
    pub state: AppState,
    pub ip: IpAddr,
    pub actor: Option<Actor>,
    /// The language that the visitor chose by hand, for a new account.
    pub chosen_locale: Option<Locale>,
    plain: Plain,
}

impl<S> FromRequestParts<S> for Visit
where
    S: Send + Sync,
    AppState: FromRef<S>,
{
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Visit, AppError> {
        let MaybeActor(actor) = MaybeActor::from_request_parts(parts, state).await?;
        let ClientIp(ip) = ClientIp::from_request_parts(parts, state).await?;
        let chosen = actor.as_ref().and_then(|actor| actor.locale);
        let state = AppState::from_ref(state);
        Ok(Visit {
            ip,
            actor,
            chosen_locale: read_cookie(&parts.headers, LOCALE_COOKIE).and_then(Locale::from_tag),
            plain: Plain::of(&state, parts, chosen),
            state,
        })
    }
}

impl Visit {
    /// The page with 200.
    pub async fn show(&self, page: PlainPage) -> Response {
        self.plain.answer(StatusCode::OK, page).await
    }

    /// The page that says why, with the error's status.
    pub async fn refuse(&self, error: &AppError, page: PlainPage) -> Response {
        self.plain.refuse(error, page).await
    }

    /// A refusal that has no form to come back to: a dead link or anything else.
    pub async fn fail(&self, error: &AppError) -> Response {
        self.plain.fail(error).await
    }

    /// A form that could not be read.
    pub async fn unreadable(&self, rejection: &FormRejection) -> Response {
        let code = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::TooLarge,
            _ => ErrorCode::BadRequest,
        };
        self.fail(&AppError::Refused { code, message: rejection.body_text() }).await
    }

    /// `Set-Cookie` for a session that just began.
    pub fn session_cookie(&self, session: &NewSession) -> Option<HeaderValue> {
        SessionCookie::of(&self.state.config).begin(&session.secret)
    }
}
