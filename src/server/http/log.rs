use super::failure::Failure;
use super::input::{self, Query, Room};
use crate::domain::Seq;
use crate::protocol::Event;
use crate::server::service::{Actor, messages};
use crate::server::state::AppState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub(super) struct Position {
    #[serde(default)]
    after: Seq,
    limit: Option<u32>,
    epoch: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Stretch {
    epoch: String,
    head: Seq,
    first: Seq,
    events: Vec<Event>,
}

/// `GET …/events?after=N&limit=M&epoch=E`: 410 when `after` is not in the retained log.
pub(super) async fn events(
    State(state): State<AppState>,
    actor: Actor,
    Room(room): Room,
    Query(position): Query<Position>,
) -> Result<Json<Stretch>, Failure> {
    let limit = input::limit(position.limit, state.config.limits.api_page_events)?;
    let from = messages::From { after: position.after, epoch: position.epoch.as_deref(), limit };
    let stretch = messages::events(&state, &actor, &room, from).await?;
    Ok(Json(Stretch { epoch: stretch.epoch, head: stretch.head, first: stretch.first, events: stretch.events }))
}
