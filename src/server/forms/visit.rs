//! One request for a plain page, and its answer.

use crate::i18n::Locale;
use crate::protocol::ErrorCode;
use crate::server::auth::{ClientIp, LOCALE_COOKIE, MaybeActor, Reader, SessionCookie, read_cookie};
use crate::server::error::AppError;
use crate::server::service::Actor;
use crate::server::service::accounts::NewSession;
use crate::server::state::AppState;
use crate::server::stylesheet::stylesheet_href;
use crate::ui::plain::{PlainContext, PlainPage, document};
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use leptos::nonce::Nonce;
use std::net::IpAddr;

/// What every handler of a plain page needs to know about the request.
pub(in crate::server) struct Visit {
    pub state: AppState,
    pub ip: IpAddr,
    pub actor: Option<Actor>,
    /// The language that the visitor chose by hand, for a new account.
    pub chosen_locale: Option<Locale>,
    locale: Locale,
    address: String,
    nonce: String,
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
        let nonce = parts.extensions.get::<Nonce>().map(Nonce::to_string).unwrap_or_default();
        Ok(Visit {
            state: AppState::from_ref(state),
            ip,
            actor,
            chosen_locale: read_cookie(&parts.headers, LOCALE_COOKIE).and_then(Locale::from_tag),
            address: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            locale: Reader::of(chosen, &parts.headers).locale,
            nonce,
        })
    }
}

impl Visit {
    /// The page with 200.
    pub async fn show(&self, page: PlainPage) -> Response {
        self.answer(StatusCode::OK, page).await
    }

    /// The page that says why with the error's status, and logs what the visitor is not told.
    pub async fn refuse(&self, error: &AppError, page: PlainPage) -> Response {
        error.log();
        let mut response = self.answer(error.status(), page).await;
        if let Some(ms) = error.retry_after_ms() {
            response.headers_mut().insert(header::RETRY_AFTER, ms.div_ceil(1_000).into());
        }
        response
    }

    /// A refusal that has no form to come back to: a dead link or anything else.
    pub async fn fail(&self, error: &AppError) -> Response {
        let page = match error.code() {
            ErrorCode::LinkExpired => PlainPage::LinkExpired,
            ErrorCode::NotFound => PlainPage::NotFound,
            _ => PlainPage::Failed { error: error.body() },
        };
        self.refuse(error, page).await
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

    async fn answer(&self, status: StatusCode, page: PlainPage) -> Response {
        let community = match self.state.store.community().await {
            Ok(community) => community,
            Err(error) => return AppError::from(error).into_response(),
        };
        let stylesheet = stylesheet_href(&self.state.leptos_options).await;
        let context = PlainContext {
            locale: self.locale,
            community,
            address: self.address.clone(),
            stylesheet,
            nonce: self.nonce.clone(),
        };
        (status, [(header::CACHE_CONTROL, "no-store")], Html(document(&context, page))).into_response()
    }
}
