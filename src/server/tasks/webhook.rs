use super::{Context, Failure, Work};
use crate::server::clock::now_ms;
use crate::server::queue::Webhook;
use crate::server::store::StoreError;
use crate::server::webhooks::deliver_due;
use serde_json::{Value, json};

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

/// Begins no further requests when they might not be over before the webhook is anybody's again.
async fn send(webhook: &Webhook, context: &Context) -> Result<usize, StoreError> {
    let (state, limits) = (&context.state, &context.state.config.limits);
    let last = webhook.until.saturating_sub(i64::try_from(limits.outgoing_timeout_ms).unwrap_or(i64::MAX));
    let mut attempts = 0;
    loop {
        let made = deliver_due(&*state.store, &state.outgoing.webhooks, limits, webhook.webhook).await?;
        attempts += made;
        if made == 0 || now_ms() >= last || context.check().is_err() {
            return Ok(attempts);
        }
    }
}
