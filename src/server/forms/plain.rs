//! A plain page as the answer to one request.

use crate::i18n::Locale;
use crate::protocol::ErrorCode;
use crate::server::auth::Reader;
use crate::server::error::AppError;
use crate::server::service::community;
use crate::server::state::AppState;
use crate::server::stylesheet::stylesheet_href;
use crate::ui::plain::{PlainContext, PlainPage, document};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use leptos::nonce::Nonce;

/// What a plain page takes from the request that it answers.
pub(super) struct Plain {
    state: AppState,
    reader: Reader,
    address: String,
    nonce: String,
}

impl Plain {
    /// `chosen` is the language of the account, where there is one.
    pub fn of(state: &AppState, parts: &Parts, chosen: Option<Locale>) -> Plain {
        Plain {
            state: state.clone(),
            reader: Reader::of(chosen, &parts.headers),
            address: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            nonce: parts.extensions.get::<Nonce>().map(Nonce::to_string).unwrap_or_default(),
        }
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

    /// A page needs no store: without one it is only nameless.
    pub async fn answer(&self, status: StatusCode, page: PlainPage) -> Response {
        let community = community::name(&self.state).await.unwrap_or_else(|error| {
            error.log();
            None
        });
        let stylesheet = stylesheet_href(&self.state.leptos_options).await;
        let context = PlainContext {
            locale: self.reader.locale,
            utc_offset_min: self.reader.utc_offset_min,
            community,
            address: self.address.clone(),
            stylesheet,
            nonce: self.nonce.clone(),
        };
        (status, [(header::CACHE_CONTROL, "no-store")], Html(document(&context, page))).into_response()
    }
}
