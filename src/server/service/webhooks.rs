//! Webhooks of rooms: owners make, see, try and remove them.

use super::accounts::require_owner;
use super::{Actor, rooms};
use crate::domain::{Key, RoomId};
use crate::protocol::{DeliveryView, ErrorCode, WebhookLog, WebhookView};
use crate::server::clock::now_ms;
use crate::server::error::AppError;
use crate::server::queue;
use crate::server::secret::new_secret;
use crate::server::state::AppState;
use crate::server::store::{MadeBefore, NewWebhook, SigningSecret, Store, StoreError};

/// Webhooks that are given a task at a time.
const TAKEN_AT_ONCE: u32 = 100;

/// Deliveries that are listed, the newest.
const LISTED_DELIVERIES: u32 = 100;

/// Those that are shown with each webhook of a list.
const SHOWN_DELIVERIES: u32 = 20;

/// How long after it was made the form that made it shows its secret again: a click more, or an answer that got lost.
const SHOWN_AGAIN_MS: i64 = 10 * 60 * 1_000;

/// Kinds of events that one webhook may name, and bytes of each.
const MAX_KINDS: usize = 20;
const MAX_KIND_BYTES: usize = 40;

/// A webhook that was just made.
pub struct MadeWebhook {
    pub webhook: WebhookView,
    /// Signs what is sent. Not shown again.
    pub secret: String,
}

/// The room, for an owner who can see it. `Forbidden`, `NotFound`.
async fn own_room(state: &AppState, actor: &Actor, room: &str) -> Result<RoomId, AppError> {
    require_owner(actor)?;
    Ok(rooms::readable(state, actor, room).await?.id)
}

/// Of a room, the oldest first. `Forbidden` but for owners, `NotFound`.
pub async fn list(state: &AppState, actor: &Actor, room: &str) -> Result<Vec<WebhookView>, AppError> {
    let room = own_room(state, actor, room).await?;
    Ok(state.store.webhooks(room).await?)
}

/// Tells `url` of the room's events from now on, of these kinds or of all. The answer has its secret, which is not
/// shown again. `BadUrl` where the settings do not let it be reached, `TooManyWebhooks`.
pub async fn create(
    state: &AppState,
    actor: &Actor,
    room: &str,
    told: (&str, Vec<String>),
) -> Result<MadeWebhook, AppError> {
    let room = own_room(state, actor, room).await?;
    make(state, actor, room, told, None).await?.ok_or_else(|| AppError::refused(ErrorCode::TooManyWebhooks))
}

/// What came of a form that makes one.
pub enum MadeOnce {
    Now(MadeWebhook),
    /// It was sent before, long ago or for one that is removed.
    Before,
    /// It was sent before, so lately that its answer may not have been seen: the secret.
    JustBefore(String),
}

/// Like [`create`], of all events and once for each key that this account makes one in the room with. Also `BadKey`.
pub async fn create_once(
    state: &AppState,
    actor: &Actor,
    room: &str,
    (url, key): (&str, &str),
) -> Result<MadeOnce, AppError> {
    let room = own_room(state, actor, room).await?;
    let key = Key::parse(key).map_err(|_| AppError::refused(ErrorCode::BadKey))?;
    let known = async || state.store.made_webhook(room, actor.id, &key).await;
    if let Some(made) = known().await? {
        return Ok(once_more(made));
    }
    match make(state, actor, room, (url, Vec::new()), Some(key.clone())).await? {
        Some(made) => Ok(MadeOnce::Now(made)),
        // The same form at the same moment, or too many.
        None => known().await?.map(once_more).ok_or_else(|| AppError::refused(ErrorCode::TooManyWebhooks)),
    }
}

fn once_more(made: MadeBefore) -> MadeOnce {
    let lately = now_ms() - made.created_at < SHOWN_AGAIN_MS;
    made.secret.filter(|_| lately).map_or(MadeOnce::Before, |secret| MadeOnce::JustBefore(secret.0))
}

/// `None`: the room has as many as it may have, or one with this key.
async fn make(
    state: &AppState,
    actor: &Actor,
    room: RoomId,
    (url, kinds): (&str, Vec<String>),
    key: Option<Key>,
) -> Result<Option<MadeWebhook>, AppError> {
    state.rate_limits.command(actor.id)?;
    let kinds = named(kinds)?;
    let url = url.trim();
    if let Err(error) = state.outgoing.webhooks.check(url) {
        return Err(AppError::Refused { code: ErrorCode::BadUrl, message: error.to_string() });
    }
    let (secret, now) = (format!("pmwh_{}", new_secret()?), now_ms());
    let new = NewWebhook {
        room,
        maker: actor.id,
        url: url.to_owned(),
        secret: SigningSecret(secret.clone()),
        kinds: kinds.clone(),
        key,
    };
    let limit = state.config.limits.webhooks_per_room;
    let Some(id) = state.store.create_webhook(new, limit, now).await? else { return Ok(None) };
    let (url, created_at) = (url.to_owned(), now);
    let webhook = WebhookView { id, url, kinds, enabled: true, disabled_code: None, created_at, failing_since: None };
    Ok(Some(MadeWebhook { webhook, secret }))
}

/// Kinds as they stand in events, each once. Those of later versions are as good.
fn named(kinds: Vec<String>) -> Result<Vec<String>, AppError> {
    let is_kind = |kind: &String| {
        (1..=MAX_KIND_BYTES).contains(&kind.len()) && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    if kinds.len() > MAX_KINDS || !kinds.iter().all(is_kind) {
        let message = "kinds are those of events, such as posted".to_owned();
        return Err(AppError::Refused { code: ErrorCode::BadRequest, message });
    }
    let mut named: Vec<String> = Vec::new();
    for kind in kinds {
        if !named.contains(&kind) {
            named.push(kind);
        }
    }
    Ok(named)
}

/// Nothing is sent to it any more. `Forbidden` but for owners, `NotFound`.
pub async fn remove(state: &AppState, actor: &Actor, room: &str, webhook: i64) -> Result<(), AppError> {
    let room = own_room(state, actor, room).await?;
    match state.store.remove_webhook(room, webhook, now_ms()).await? {
        true => Ok(()),
        false => Err(AppError::refused(ErrorCode::NotFound)),
    }
}

/// What was sent to it lately, the newest first. `Forbidden` but for owners, `NotFound`.
pub async fn deliveries(
    state: &AppState,
    actor: &Actor,
    room: &str,
    webhook: i64,
) -> Result<Vec<DeliveryView>, AppError> {
    let room = own_room(state, actor, room).await?;
    if !state.store.webhooks(room).await?.iter().any(|known| known.id == webhook) {
        return Err(AppError::refused(ErrorCode::NotFound));
    }
    Ok(state.store.deliveries(room, webhook, LISTED_DELIVERIES).await?)
}

/// All webhooks of the room with their last deliveries. `Forbidden` but for owners, `NotFound`.
pub async fn logs(state: &AppState, actor: &Actor, room: &str) -> Result<Vec<WebhookLog>, AppError> {
    let room = own_room(state, actor, room).await?;
    let mut logs = Vec::new();
    for webhook in state.store.webhooks(room).await? {
        let deliveries = state.store.deliveries(room, webhook.id, SHOWN_DELIVERIES).await?;
        logs.push(WebhookLog { webhook, deliveries });
    }
    Ok(logs)
}

/// Queues a test; one that arrives makes a webhook that failed for too long get events again. The id of the
/// delivery. `Forbidden` but for owners, `NotFound`.
pub async fn test(state: &AppState, actor: &Actor, room: &str, webhook: i64) -> Result<i64, AppError> {
    let room = own_room(state, actor, room).await?;
    state.rate_limits.command(actor.id)?;
    let added = state.store.add_test(room, webhook, now_ms()).await?;
    added.ok_or_else(|| AppError::refused(ErrorCode::NotFound))
}

/// Gives each webhook that something is due for its task, and keeps it for that for `lease_ms`, so that nobody asks
/// again meanwhile. Nothing is written while nothing is due.
pub async fn enqueue_due(store: &dyn Store, lease_ms: i64) -> Result<(), StoreError> {
    let (now, mut tasks) = (now_ms(), Vec::new());
    for webhook in store.due_webhooks(now, TAKEN_AT_ONCE).await? {
        if store.take_webhook(webhook, now, now.saturating_add(lease_ms)).await? {
            tasks.push(queue::webhook(webhook));
        }
    }
    if !tasks.is_empty() {
        store.enqueue(tasks).await?;
    }
    Ok(())
}
