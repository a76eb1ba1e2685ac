use crate::protocol::json::Answer;
use crate::protocol::{ErrorBody, WebhookLog};
use leptos::prelude::*;
use leptos::server_fn::codec::Json;

/// The room's webhooks, each with what was sent to it lately. `Unauthenticated`, as every function here; `Forbidden`
/// but for owners, `NotFound`.
#[server(input = Json, output = Answer)]
pub async fn webhooks(room: String) -> Result<Vec<WebhookLog>, ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::webhooks::logs(&state, &actor, &room).await?)
}

/// Tells `url` of all events of the room from now on. Returns the secret; it is not shown again. Likewise, and
/// `BadUrl`, `TooManyWebhooks`.
#[server(input = Json, output = Answer)]
pub async fn create_webhook(room: String, url: String) -> Result<String, ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::webhooks::create(&state, &actor, &room, (&url, Vec::new())).await?.secret)
}

/// Sends a test.
#[server(input = Json, output = Answer)]
pub async fn test_webhook(room: String, id: i64) -> Result<(), ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    service::webhooks::test(&state, &actor, &room, id).await?;
    Ok(())
}

/// Nothing is sent to it any more.
#[server(input = Json, output = Answer)]
pub async fn remove_webhook(room: String, id: i64) -> Result<(), ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::webhooks::remove(&state, &actor, &room, id).await?)
}
