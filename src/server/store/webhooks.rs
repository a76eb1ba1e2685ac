use super::StoreError;
use super::columns::{count_from, damaged, seq_from};
use crate::domain::{Key, RoomId, Seq, Slug, UserId};
use crate::protocol::{DeliveryState, DeliveryView, WebhookView};
use async_trait::async_trait;
use std::fmt;

/// What signs a webhook's requests. It is stored as it is, since it has to be used again, and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(pub String);

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[derive(Clone, Debug)]
pub struct NewWebhook {
    pub room: RoomId,
    /// It is told of the room for as long as this account is an owner who can see it.
    pub maker: UserId,
    pub url: String,
    pub secret: SigningSecret,
    /// Kinds of events, lower case and `_`; none: all.
    pub kinds: Vec<String>,
    /// Its maker makes one webhook of the room with it.
    pub key: Option<Key>,
}

/// A delivery that is about to be attempted, by whoever got this and nobody else.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub delivery: i64,
    pub webhook: i64,
    /// Which one it is, from 1.
    pub number: u32,
    /// Of the event; 0 is a test.
    pub seq: Seq,
    pub room: RoomId,
    pub slug: Slug,
    pub url: String,
    pub secret: SigningSecret,
    /// Whether events are sent to the webhook at all.
    pub enabled: bool,
    pub removed: bool,
    /// Whether whoever made it might make it now.
    pub allowed: bool,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub end: End,
    /// Of the answer, if there was one.
    pub status: Option<u16>,
    /// A code; `None` when it arrived.
    pub error: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Delivered,
    /// To be tried again at this time.
    Retry {
        due_at: i64,
    },
    Failed,
}

/// How a webhook fares after an attempt at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fares {
    Well,
    /// As well as one that is in use: it gets events again.
    Again,
    /// If that is so since before this time, and in so many attempts, it gets no more events.
    Badly {
        disabled_if_since: i64,
        and_failures: u32,
    },
    /// It was not asked.
    AsBefore,
}

/// Webhooks of rooms and what is sent to them. Deliveries come into being with the events that they tell of, in the
/// same transaction. Times in Unix milliseconds.
#[async_trait]
pub trait Webhooks {
    /// `None` when the room has `limit` of them, or the maker has made one with the same key.
    async fn create_webhook(&self, new: NewWebhook, limit: u32, now: i64) -> Result<Option<i64>, StoreError>;

    /// The one that the account made in the room with this key, as long as something of it is left.
    async fn made_webhook(&self, room: RoomId, maker: UserId, key: &Key) -> Result<Option<MadeBefore>, StoreError>;

    /// Those of a room, the oldest first.
    async fn webhooks(&self, room: RoomId) -> Result<Vec<WebhookView>, StoreError>;

    /// Nothing is sent to it from now on, and it is in no list. Whether there was one.
    async fn remove_webhook(&self, room: RoomId, webhook: i64, now: i64) -> Result<bool, StoreError>;

    /// The newest deliveries of a webhook of the room.
    async fn deliveries(&self, room: RoomId, webhook: i64, limit: u32) -> Result<Vec<DeliveryView>, StoreError>;

    /// Queues a test, also for one that gets no events. `None`: the room has no such webhook.
    async fn add_test(&self, room: RoomId, webhook: i64, now: i64) -> Result<Option<i64>, StoreError>;

    /// Webhooks with deliveries that may be attempted at `now`, but for those that are taken.
    async fn due_webhooks(&self, now: i64, limit: u32) -> Result<Vec<i64>, StoreError>;

    /// For one taker, until a time or until it releases it. Whether this one got it.
    async fn take_webhook(&self, webhook: i64, now: i64, until: i64) -> Result<bool, StoreError>;

    /// The webhook that was taken until then; somebody else's is left alone.
    async fn release_webhook(&self, webhook: i64, until: i64) -> Result<(), StoreError>;

    /// Deliveries to a webhook that may be attempted at `now`, those that have waited longest first.
    async fn due_deliveries(&self, webhook: i64, now: i64, limit: u32) -> Result<Vec<i64>, StoreError>;

    /// Begins an attempt if the delivery is due, and counts it. If its end is never told, as after a crash, the
    /// delivery is due again at `lost_at`.
    async fn begin_attempt(&self, delivery: i64, now: i64, lost_at: i64) -> Result<Option<Attempt>, StoreError>;

    /// Ends an attempt, and notes how the webhook fares after it; neither if another one has begun meanwhile. Whether
    /// the webhook gets no more events for that.
    async fn end_attempt(&self, attempt: &Attempt, ending: Ending, fares: Fares, now: i64) -> Result<bool, StoreError>;

    /// What waits for a webhook: the more there is, the longer it takes to count. `None`: there is nothing left of it.
    async fn backlog(&self, webhook: i64) -> Result<Option<Backlog>, StoreError>;

    /// It gets no more events, since too many wait for it. Whether it did until now.
    async fn disable_full_webhook(&self, webhook: i64, now: i64) -> Result<bool, StoreError>;

    /// Fails events that wait for a webhook which gets none, some hundred at once, but for those that are being sent.
    /// Whether there may be more.
    async fn give_up_deliveries(&self, webhook: i64, now: i64) -> Result<bool, StoreError>;

    /// Drops what ended before `before`, the oldest thousand at once, and webhooks of which nothing is left. Whether
    /// there may be more.
    async fn purge_deliveries(&self, before: i64) -> Result<bool, StoreError>;
}

/// A webhook that was made with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeBefore {
    pub id: i64,
    /// Unix milliseconds.
    pub created_at: i64,
    /// `None` once it is removed.
    pub secret: Option<SigningSecret>,
}

/// Id, when made, secret.
pub(super) type MadeRow = (i64, i64, String);

impl MadeBefore {
    pub(super) fn from_row((id, created_at, secret): MadeRow) -> MadeBefore {
        MadeBefore { id, created_at, secret: Some(SigningSecret(secret)).filter(|secret| !secret.0.is_empty()) }
    }
}

/// What waits for a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Whether events are sent to it.
    pub enabled: bool,
    pub waiting: u64,
}

/// Whether enabled, and how many wait.
pub(super) type BacklogRow = (i64, i64);

impl Backlog {
    pub(super) fn from_row((enabled, waiting): BacklogRow) -> Backlog {
        Backlog { enabled: enabled != 0, waiting: u64::try_from(waiting).unwrap_or_default() }
    }
}

/// Id, address, kinds, whether enabled, when made, since when failing, why disabled.
pub(super) type WebhookRow = (i64, String, String, i64, i64, Option<i64>, Option<String>);

pub(super) fn webhook(row: WebhookRow) -> WebhookView {
    let (id, url, kinds, enabled, created_at, failing_since, disabled_code) = row;
    let kinds = kinds.split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
    WebhookView { id, url, kinds, enabled: enabled != 0, disabled_code, created_at, failing_since }
}

/// Id, seq, state, attempts, status, error, and when it was queued, started, finished and is due.
pub(super) type DeliveryRow =
    (i64, i64, String, i64, Option<i64>, Option<String>, i64, Option<i64>, Option<i64>, Option<i64>);

pub(super) fn delivery(row: DeliveryRow) -> Result<DeliveryView, StoreError> {
    let (id, seq, state, attempts, status, error, queued_at, started_at, finished_at, due_at) = row;
    let state = match state.as_str() {
        "queued" => DeliveryState::Queued,
        "sending" => DeliveryState::Sending,
        "delivered" => DeliveryState::Delivered,
        "failed" => DeliveryState::Failed,
        other => return Err(damaged("state of a delivery", other)),
    };
    let (seq, attempts, status) = (seq_from(seq)?, count_from(attempts)?, status.map(count_from).transpose()?);
    Ok(DeliveryView { id, seq, state, attempts, status, error, queued_at, started_at, finished_at, due_at })
}

/// Webhook, number of the attempt and seq.
pub(super) type BegunRow = (i64, i64, i64);

/// Room, its address, the webhook's address, its secret, whether it is enabled, when it was removed, whether its maker might make it.
pub(super) type ReceiverRow = (i64, String, String, String, i64, Option<i64>, i64);

impl Attempt {
    pub(super) fn from_rows(delivery: i64, begun: BegunRow, receiver: ReceiverRow) -> Result<Attempt, StoreError> {
        let (webhook, number, seq) = begun;
        let (room, slug, url, secret, enabled, ended_at, allowed) = receiver;
        Ok(Attempt {
            delivery,
            webhook,
            number: count_from(number)?,
            seq: seq_from(seq)?,
            room: RoomId(room),
            slug: Slug::parse(&slug).map_err(|_| damaged("room's address", slug))?,
            url,
            secret: SigningSecret(secret),
            enabled: enabled != 0,
            removed: ended_at.is_some(),
            allowed: allowed != 0,
        })
    }
}

/// How an attempt's end stands in the table.
pub(super) struct EndColumns {
    pub state: &'static str,
    pub finished_at: Option<i64>,
    pub due_at: Option<i64>,
}

impl Ending {
    pub(super) fn columns(&self, now: i64) -> EndColumns {
        match self.end {
            End::Delivered => EndColumns { state: "delivered", finished_at: Some(now), due_at: None },
            End::Failed => EndColumns { state: "failed", finished_at: Some(now), due_at: None },
            End::Retry { due_at } => EndColumns { state: "queued", finished_at: None, due_at: Some(due_at) },
        }
    }
}
