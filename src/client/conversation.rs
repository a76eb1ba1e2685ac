//! What the conversation shows, derived from timeline and outbox: rows, day separators, runs of one
//! author. Pure.

use crate::domain::Seq;
use crate::protocol::{Author, ErrorCode, EventKind};
use std::sync::Arc;

/// Messages of one author within this time make a run: avatar and name stand once.
pub const RUN_MS: i64 = 5 * 60 * 1_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Day(DayItem),
    Message(MessageItem),
    /// Joined, left, renamed, access changed.
    Notice(NoticeItem),
}

impl Item {
    /// Stable for the life of the row: of a message made of author and idempotency key.
    pub fn key(&self) -> &Arc<str> {
        match self {
            Item::Day(day) => &day.key,
            Item::Message(message) => &message.key,
            Item::Notice(notice) => &notice.key,
        }
    }
}

/// A new day begins, where the reader is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayItem {
    pub key: Arc<str>,
    /// Unix milliseconds of the first row of the day.
    pub at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageItem {
    pub key: Arc<str>,
    /// `None` until the server has acknowledged it.
    pub seq: Option<Seq>,
    pub author: Author,
    pub at: i64,
    /// Source text; `None` when the message is erased.
    pub body: Option<String>,
    pub edited: bool,
    /// Shows avatar, name and time; the others of the run do not.
    pub first_of_run: bool,
    pub delivery: Delivery,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Sent,
    /// In the outbox, waiting for its ack.
    Pending,
    /// Refused for good; offer retry and discard.
    Failed(ErrorCode),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeItem {
    pub key: Arc<str>,
    pub seq: Seq,
    pub at: i64,
    pub kind: EventKind,
}
