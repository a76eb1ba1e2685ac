//! How much may wait for a webhook.

use crate::server::clock::now_ms;
use crate::server::config::Limits;
use crate::server::store::{Backlog, Store, StoreError};

/// How much waits for a webhook. What waits for one that gets no events has failed: nothing is dropped without a word
/// in its log.
pub(super) async fn settle(store: &dyn Store, webhook: i64) -> Result<u64, StoreError> {
    let Some(Backlog { enabled, waiting }) = store.backlog(webhook).await? else { return Ok(0) };
    if enabled {
        return Ok(waiting);
    }
    while waiting > 0 && store.give_up_deliveries(webhook, now_ms()).await? {}
    Ok(0)
}

/// After attempts before which `before` waited: a webhook for which more waits than `webhook_backlog`, and no less than
/// before, gets no more events. However much has come together while nobody sent, a receiver that keeps up is asked.
pub(super) async fn bound(store: &dyn Store, limits: &Limits, webhook: i64, before: u64) -> Result<(), StoreError> {
    let most = limits.webhook_backlog;
    if before <= u64::from(most) {
        return Ok(());
    }
    let Some(Backlog { enabled: true, waiting }) = store.backlog(webhook).await? else { return Ok(()) };
    if waiting < before {
        return Ok(());
    }
    if store.disable_full_webhook(webhook, now_ms()).await? {
        tracing::warn!(webhook, most, "a webhook gets no more events: its receiver is too slow for its room");
    }
    settle(store, webhook).await.map(drop)
}
