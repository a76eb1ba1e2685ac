use super::failure::Failure;
use super::input::{self, Body, Query, Room, Target};
use crate::domain::Seq;
use crate::protocol::Event;
use crate::server::service::Actor;
use crate::server::service::messages::{self, NewDeletion, NewEdit, NewPost};
use crate::server::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub(super) struct Post {
    key: String,
    body: String,
    #[serde(default)]
    files: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Ack {
    key: String,
    seq: Seq,
}

/// `POST …/messages`: 201, and 200 for a repeat.
pub(super) async fn post(
    State(state): State<AppState>,
    actor: Actor,
    Room(room): Room,
    Body(Post { key, body, files }): Body<Post>,
) -> Result<(StatusCode, Json<Ack>), Failure> {
    let post = NewPost { room: &room, key: &key, body: &body, files: &files };
    let posted = messages::post_message(&state, &actor, post).await?;
    let status = if posted.repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(Ack { key, seq: posted.seq })))
}

#[derive(Deserialize)]
pub(super) struct Edit {
    key: String,
    body: String,
    epoch: Option<String>,
}

/// `PATCH …/messages/{seq}`.
pub(super) async fn edit(
    State(state): State<AppState>,
    actor: Actor,
    Target { room, seq: target }: Target,
    Body(Edit { key, body, epoch }): Body<Edit>,
) -> Result<Json<Ack>, Failure> {
    let edit = NewEdit { room: &room, key: &key, target, body: &body, epoch: epoch.as_deref() };
    let acked = messages::edit_message(&state, &actor, edit).await?;
    Ok(Json(Ack { key, seq: acked.seq }))
}

#[derive(Deserialize)]
pub(super) struct Deletion {
    key: String,
    epoch: Option<String>,
}

/// `DELETE …/messages/{seq}?key=K&epoch=E`.
pub(super) async fn delete(
    State(state): State<AppState>,
    actor: Actor,
    Target { room, seq: target }: Target,
    Query(Deletion { key, epoch }): Query<Deletion>,
) -> Result<Json<Ack>, Failure> {
    let deletion = NewDeletion { room: &room, key: &key, target, epoch: epoch.as_deref() };
    let acked = messages::delete_message(&state, &actor, deletion).await?;
    Ok(Json(Ack { key, seq: acked.seq }))
}

#[derive(Deserialize)]
pub(super) struct Window {
    before: Option<Seq>,
    limit: Option<u32>,
}

#[derive(Serialize)]
pub(super) struct Messages {
    epoch: String,
    head: Seq,
    messages: Vec<Event>,
}

/// `GET …/messages?before=SEQ&limit=M`: the newest before `before`, as they stood at `head`.
pub(super) async fn list(
    State(state): State<AppState>,
    actor: Actor,
    Room(room): Room,
    Query(window): Query<Window>,
) -> Result<Json<Messages>, Failure> {
    let limit = input::limit(window.limit, state.config.limits.api_page_rows)?;
    let window = messages::Window { before: window.before, limit };
    let page = messages::messages(&state, &actor, &room, window).await?;
    Ok(Json(Messages { epoch: page.epoch, head: page.head, messages: page.rows }))
}
