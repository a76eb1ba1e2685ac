use super::{Context, Failure, Work};
use crate::server::clock::now_ms;
use crate::server::queue::Webhook;
use crate::server::store::StoreError;
use crate::server::webhooks::deliver_due;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Begins no further requests after this long: another webhook may wait for the place.
const WORKS_FOR: Duration = Duration::from_secs(30);

impl Work for Webhook {
    /// Attempts all that is due, and leaves the webhook to whoever sees what is due next.
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        // It waited for longer than the webhook was kept for it: somebody else has it, or will.
        if self.until <= now_ms() {
            return Ok(json!({ "attempts": 0 }));
        }
        let attempts = send(&self, context).await;
        let released = context.state.store.release_webhook(self.webhook, self.until).await;
        let attempts = attempts.and_then(|attempts| released.map(|()| attempts));
        // Taken as it is, it is free again in a while.
        let attempts = attempts.map_err(|error| Failure::give_up("unavailable", error))?;
        Ok(json!({ "attempts": attempts }))
    }
}

async fn send(webhook: &Webhook, context: &Context) -> Result<usize, StoreError> {
    let state = &context.state;
    let (begun, mut attempts) = (Instant::now(), 0);
    while begun.elapsed() < WORKS_FOR && context.check().is_ok() {
        let limits = &state.config.limits;
        match deliver_due(&*state.store, &state.outgoing.webhooks, limits, webhook.webhook).await? {
            0 => break,
            made => attempts += made,
        }
    }
    Ok(attempts)
}
