use super::failure::Failure;
use super::input::{Body, Hook, Room};
use crate::protocol::{DeliveryView, WebhookView};
use crate::server::service::Actor;
use crate::server::service::webhooks::{self, MadeWebhook};
use crate::server::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(super) struct Webhooks {
    webhooks: Vec<WebhookView>,
}

/// `GET …/webhooks`.
pub(super) async fn list(
    State(state): State<AppState>,
    actor: Actor,
    Room(room): Room,
) -> Result<Json<Webhooks>, Failure> {
    Ok(Json(Webhooks { webhooks: webhooks::list(&state, &actor, &room).await? }))
}

#[derive(Deserialize)]
pub(super) struct NewWebhook {
    url: String,
    #[serde(default)]
    kinds: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Made {
    #[serde(flatten)]
    webhook: WebhookView,
    secret: String,
}

/// `POST …/webhooks`: 201, with the secret.
pub(super) async fn create(
    State(state): State<AppState>,
    actor: Actor,
    Room(room): Room,
    Body(NewWebhook { url, kinds }): Body<NewWebhook>,
) -> Result<(StatusCode, Json<Made>), Failure> {
    let MadeWebhook { webhook, secret } = webhooks::create(&state, &actor, &room, (&url, kinds)).await?;
    Ok((StatusCode::CREATED, Json(Made { webhook, secret })))
}

#[derive(Serialize)]
pub(super) struct Removed {
    id: i64,
}

/// `DELETE …/webhooks/{id}`.
pub(super) async fn remove(
    State(state): State<AppState>,
    actor: Actor,
    Hook { room, id }: Hook,
) -> Result<Json<Removed>, Failure> {
    webhooks::remove(&state, &actor, &room, id).await?;
    Ok(Json(Removed { id }))
}

#[derive(Serialize)]
pub(super) struct Deliveries {
    deliveries: Vec<DeliveryView>,
}

/// `GET …/webhooks/{id}/deliveries`.
pub(super) async fn deliveries(
    State(state): State<AppState>,
    actor: Actor,
    Hook { room, id }: Hook,
) -> Result<Json<Deliveries>, Failure> {
    Ok(Json(Deliveries { deliveries: webhooks::deliveries(&state, &actor, &room, id).await? }))
}

#[derive(Serialize)]
pub(super) struct Queued {
    delivery: i64,
}

/// `POST …/webhooks/{id}/test`: 202.
pub(super) async fn test(
    State(state): State<AppState>,
    actor: Actor,
    Hook { room, id }: Hook,
) -> Result<(StatusCode, Json<Queued>), Failure> {
    let delivery = webhooks::test(&state, &actor, &room, id).await?;
    Ok((StatusCode::ACCEPTED, Json(Queued { delivery })))
}
