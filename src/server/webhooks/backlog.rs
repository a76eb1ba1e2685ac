//! How much may wait for a webhook.

use crate::server::clock::now_ms;
use crate::server::config::Limits;
use crate::server::store::{Backlog, Store, StoreError};

/// A webhook for which more waits than `webhook_backlog` gets no more events, and what waits for one that gets none
/// has failed: nothing is dropped without a word in its log. Looked at before something is sent, so that no commit
/// counts.
pub(super) async fn bound(store: &dyn Store, limits: &Limits, webhook: i64) -> Result<(), StoreError> {
    let most = limits.webhook_backlog;
    let Some(Backlog { enabled, waiting }) = store.backlog(webhook, most.saturating_add(1)).await? else {
        return Ok(());
    };
    if enabled && waiting <= most {
        return Ok(());
    }
    if enabled && store.disable_full_webhook(webhook, now_ms()).await? {
        tracing::warn!(webhook, most, "a webhook gets no more events: its receiver is too slow for its room");
    }
    while waiting > 0 && store.give_up_deliveries(webhook, now_ms()).await? {}
    Ok(())
}
