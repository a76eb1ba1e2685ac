//! Every HTTP path, on one screen.

use super::security::ReloadSocket;
use super::state::AppState;
use super::{assets, body_limit, django, forms, functions, health, http, pages, request_log, security, ws};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;

/// The whole service of a node.
pub fn router(state: AppState) -> Router {
    let reload = ReloadSocket::new(&state.leptos_options);

    // Pages of the app. Their data comes with them; the socket takes over from there.
    let app = Router::new()
        .route("/", get(pages::home))
        .route("/rooms", get(pages::plain))
        .route("/rooms/{slug}", get(pages::room))
        .route("/people", get(pages::people))
        .route("/tasks", get(pages::tasks))
        .route("/settings", get(pages::plain))
        .layer(from_fn_with_state(state.clone(), pages::gate))
        // Plain forms: /sign-in, /sign-out, /set-up/…, /join/…, /reset/…, /settings/password, /locale,
        // posts to /rooms/{slug}, /rooms/{slug}/webhooks.
        .merge(forms::router())
        .layer(from_fn_with_state(state.clone(), forms::designed));

    // What a cookie could be abused for: the forms, /api/v1/…, and below the live socket.
    let guarded = app
        .route("/api/{function}", post(functions::call))
        .merge(http::router())
        .layer(from_fn_with_state(state.clone(), security::own_origin));
    // The live socket has no body, and its answer nothing to compress.
    let live = ws::router().layer(from_fn_with_state(state.clone(), security::own_origin));
    let files = http::files_router().layer(from_fn_with_state(state.clone(), security::own_origin));

    guarded
        // /ws/chat/ and /async/ of the study note: any origin.
        .merge(django::router())
        .merge(assets::router(&state.leptos_options))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(forms::not_found)
        // Bodies have passed the check of the next line.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(state.clone(), body_limit::check))
        .layer(CompressionLayer::new().gzip(true))
        .merge(live)
        .merge(files)
        .layer(from_fn(request_log::log))
        .layer(from_fn_with_state(state.clone(), security::client_address))
        .layer(from_fn(move |request, next| security::headers(reload, request, next)))
        .with_state(state)
}
