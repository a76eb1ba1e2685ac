//! Every HTTP path, on one screen.

use super::state::AppState;
use super::{assets, django, forms, health, http, pages, request_log, security, ws};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;

/// The whole service of a node.
pub fn router(state: AppState) -> Router {
    let request_bytes = state.config.limits.request_bytes;

    // Pages of the app. Their data comes with them; the socket takes over from there.
    let app = Router::new()
        .route("/", get(pages::home))
        .route("/rooms", get(pages::app))
        .route("/rooms/{slug}", get(pages::app))
        .route("/people", get(pages::app))
        .route("/settings", get(pages::app))
        .layer(from_fn_with_state(state.clone(), pages::gate));

    // Server functions of the app.
    let functions = Router::new()
        .route("/api/{function}", post(pages::server_function))
        .layer(RequestBodyLimitLayer::new(request_bytes));

    // What a cookie could be abused for: /sign-in, /sign-out, /set-up/…, /join/…, /reset/…, /locale,
    // posts to /rooms/{slug}, /api/v1/…, the live socket /live.
    let guarded = app
        .merge(functions)
        .merge(forms::router())
        .merge(http::router())
        .merge(ws::router())
        .layer(from_fn_with_state(state.clone(), security::own_origin));

    guarded
        // /ws/chat/ and /async/ of the study note: any origin.
        .merge(django::router())
        .merge(assets::router(&state.leptos_options))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(forms::not_found)
        .layer(DefaultBodyLimit::max(request_bytes))
        .layer(CompressionLayer::new().gzip(true))
        .layer(from_fn(request_log::log))
        .layer(from_fn_with_state(state.clone(), security::client_address))
        .layer(from_fn(security::headers))
        .with_state(state)
}
