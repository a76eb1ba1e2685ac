use crate::domain::Seq;
use serde::{Deserialize, Serialize};

/// Who is told of what happens in a room. Its secret is shown once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookView {
    pub id: i64,
    pub url: String,
    /// Kinds of events that are sent; none: all.
    pub kinds: Vec<String>,
    /// One that is disabled gets no events, until a test arrives.
    pub enabled: bool,
    /// Why it is disabled: `failing_too_long` or `backlog_full`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_code: Option<String>,
    pub created_at: i64,
    /// The first failure after the last success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<i64>,
}

/// One event on its way to a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryView {
    pub id: i64,
    /// Of the event; 0 is a test.
    pub seq: Seq,
    pub state: DeliveryState,
    /// Requests that were made.
    pub attempts: u32,
    /// Of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u32>,
    /// Why the last request failed: a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub queued_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<i64>,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
}

/// A webhook with what was sent to it lately, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookLog {
    pub webhook: WebhookView,
    pub deliveries: Vec<DeliveryView>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its first or next attempt.
    Queued,
    Sending,
    Delivered,
    Failed,
}
