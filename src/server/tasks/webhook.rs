use super::{Context, Failure, Work};
use crate::server::clock::now_ms;
use crate::server::queue::Webhook;
use crate::server::store::StoreError;
use crate::server::webhooks::deliver_due;
use serde_json::{Value, json};

/// Later than any time until which a webhook is taken.
const WHOEVER_HAS_IT: i64 = i64::MAX;

impl Work for Webhook {
    /// Attempts all that is due, and leaves the webhook to whoever sees what is due next.
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        let attempts = self.take_and_send(context).await;
        // Taken as it is, it is free again in a while.
        let attempts = attempts.map_err(|error| Failure::give_up("unavailable", error))?;
        Ok(json!({ "attempts": attempts }))
    }
}

impl Webhook {
    async fn take_and_send(&self, context: &Context) -> Result<usize, StoreError> {
        let (store, limits) = (&context.state.store, &context.state.config.limits);
        let lease_ms = i64::try_from(limits.task_lease_ms).unwrap_or(i64::MAX);
        // However long the task has waited: it is the webhook's only one.
        let until = now_ms().saturating_add(lease_ms);
        store.take_webhook(self.webhook, WHOEVER_HAS_IT, until).await?;
        let attempts = self.send(context, until).await;
        store.release_webhook(self.webhook, until).await?;
        attempts
    }

    /// Begins no further requests when they might not be over before the webhook is anybody's again.
    async fn send(&self, context: &Context, until: i64) -> Result<usize, StoreError> {
        let (state, limits) = (&context.state, &context.state.config.limits);
        let last = until.saturating_sub(i64::try_from(limits.outgoing_timeout_ms).unwrap_or(i64::MAX));
        let stops = || context.check().is_err();
        deliver_due(&*state.store, &state.outgoing.webhooks, limits, self.webhook, (last, &stops)).await
    }
}
