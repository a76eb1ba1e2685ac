//! The app's pages: behind a session, rendered whole on the server, then taken over by WASM.

use super::auth::{MaybeActor, Reader, SessionCookie};
use super::error::{AppError, status};
use super::service::{Actor, rooms};
use super::state::AppState;
use super::{first_page, forms};
use crate::api::{FirstPage, Place};
use crate::protocol::TasksFilter;
use crate::ui;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use leptos::context::{provide_context, use_context};
use leptos::nonce::Nonce;
use leptos_axum::ResponseOptions;
use std::collections::HashMap;

/// `/`: the first of the reader's rooms.
pub async fn home(State(state): State<AppState>, actor: Actor) -> Result<Response, AppError> {
    let rooms = rooms::list(&state, &actor).await?;
    let first = rooms.first().map(|room| forms::room_path(&room.slug));
    Ok(forms::see_other(first.as_deref().unwrap_or("/rooms")))
}

/// Lets accounts in and sends everybody else to where an account begins.
pub async fn gate(
    State(state): State<AppState>,
    MaybeActor(actor): MaybeActor,
    mut request: Request,
    next: Next,
) -> Response {
    match actor {
        Some(actor) => {
            let cookie = actor.session.and_then(|_| SessionCookie::of(&state.config).prolong(request.headers()));
            request.extensions_mut().insert(actor);
            let mut response = next.run(request).await;
            if let Some(cookie) = cookie {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            // A page shows what its reader may see now; the back button asks again.
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        None => {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            forms::see_other(&forms::sign_in_path(path))
        }
    }
}

/// A page that shows nothing but what the app starts from.
pub async fn plain(State(state): State<AppState>, actor: Actor, request: Request) -> Response {
    render(&state, &actor, Place::Plain, request).await
}

/// `/rooms/{slug}`
pub async fn room(State(state): State<AppState>, Path(slug): Path<String>, actor: Actor, request: Request) -> Response {
    let place = first_page::room_place(&state, &actor, slug).await;
    render(&state, &actor, place, request).await
}

/// `/people`
pub async fn people(State(state): State<AppState>, actor: Actor, request: Request) -> Response {
    let place = first_page::people_place(&state, &actor).await;
    render(&state, &actor, place, request).await
}

/// `/tasks?list=…&lane=…`
pub async fn tasks(
    State(state): State<AppState>,
    Query(asked): Query<HashMap<String, String>>,
    actor: Actor,
    request: Request,
) -> Response {
    let asked = |name: &str| asked.get(name).map(String::as_str);
    let filter = TasksFilter::of(asked("list"), asked("lane"));
    let place = first_page::tasks_place(&state, &actor, filter).await;
    render(&state, &actor, place, request).await
}

/// Everything that the page shows is loaded before: rendering waits for nothing.
async fn render(state: &AppState, actor: &Actor, place: Place, request: Request) -> Response {
    let reader = Reader::of(actor.locale, request.headers());
    let app = first_page::app(state, actor, reader).await.map_err(Into::into);
    let first = match ui::SentPage::new(FirstPage { app, place }, request.uri().path()) {
        Ok(first) => first,
        Err(error) => return AppError::Internal(format!("page data: {error}")).into_response(),
    };
    let nonce = request.extensions().get::<Nonce>().cloned();
    let context = move || {
        provide_context(first.clone());
        // The nonce of this answer's policy, not the one that the renderer would make up.
        if let Some(nonce) = nonce.clone() {
            provide_context(nonce);
        }
        provide_answer_status();
    };
    let options = state.leptos_options.clone();
    leptos_axum::render_app_async_with_context(context, move || ui::shell(options.clone()))(request).await
}

/// A page that shows an error says so in its status too.
fn provide_answer_status() {
    if let Some(options) = use_context::<ResponseOptions>() {
        provide_context(ui::AnswerStatus::new(move |code| options.set_status(status(code))));
    }
}
