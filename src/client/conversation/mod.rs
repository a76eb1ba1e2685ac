//! What the conversation shows, derived from timeline and outbox: rows, day separators, runs of one
//! author. Pure.

#[cfg(test)]
mod tests;

use super::outbox::{Entry, EntryState};
use crate::domain::Seq;
use crate::protocol::{Author, ErrorCode, Event, EventKind};
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

/// What the conversation is made from.
pub(super) struct Source<'a, R> {
    /// Ascending by `seq`.
    pub rows: R,
    /// The reader's own posts that are not in the log yet.
    pub outbox: &'a [Entry],
    pub reader: &'a Author,
    /// Number of the local day that Unix milliseconds fall on.
    pub day_of: &'a dyn Fn(i64) -> i64,
}

/// All items in order: rows by `seq`, then the outbox. A post that is in both is shown once, as the
/// row.
pub(super) fn items<'a>(source: Source<'a, impl Iterator<Item = &'a Arc<Event>>>) -> Vec<Item> {
    let mut builder = Builder { day_of: source.day_of, items: Vec::new(), day: None, run: None };
    let mut own_keys = Vec::new();
    for row in source.rows {
        if let EventKind::Posted { key, author, .. } = &row.kind
            && author.id == source.reader.id
        {
            own_keys.push(key.as_str());
        }
        builder.row(row);
    }
    for entry in source.outbox.iter().filter(|entry| !own_keys.contains(&entry.key.as_str())) {
        builder.entry(entry, source.reader);
    }
    builder.items
}

/// Key of a message's row: the same before and after the server has it.
fn message_key(author: i64, key: &str) -> Arc<str> {
    format!("m{author}:{key}").into()
}

/// The idempotency key inside the key of a row by `author`.
pub(super) fn idempotency_key(row_key: &str, author: i64) -> Option<&str> {
    row_key.strip_prefix('m')?.strip_prefix(author.to_string().as_str())?.strip_prefix(':')
}

struct Builder<'a> {
    day_of: &'a dyn Fn(i64) -> i64,
    items: Vec<Item>,
    day: Option<i64>,
    /// Author and time of the message before, while a run may go on.
    run: Option<(i64, i64)>,
}

impl Builder<'_> {
    fn row(&mut self, row: &Event) {
        let EventKind::Posted { key, author, body, rev, deleted } = &row.kind else {
            return self.notice(row);
        };
        let first_of_run = self.begin_message(author.id, row.at);
        self.items.push(Item::Message(MessageItem {
            key: message_key(author.id, key),
            seq: Some(row.seq),
            author: author.clone(),
            at: row.at,
            body: body.clone().filter(|_| !deleted),
            edited: rev.is_some_and(|rev| rev > row.seq),
            first_of_run,
            delivery: Delivery::Sent,
        }));
    }

    fn notice(&mut self, row: &Event) {
        self.begin_day(row.at);
        self.run = None;
        let key = format!("n{}", row.seq).into();
        self.items.push(Item::Notice(NoticeItem { key, seq: row.seq, at: row.at, kind: row.kind.clone() }));
    }

    fn entry(&mut self, entry: &Entry, reader: &Author) {
        let first_of_run = self.begin_message(reader.id, entry.at);
        let (seq, delivery) = match entry.state {
            EntryState::Waiting | EntryState::InFlight => (None, Delivery::Pending),
            EntryState::Acked(seq) => (Some(seq), Delivery::Sent),
            EntryState::Failed(code) => (None, Delivery::Failed(code)),
        };
        self.items.push(Item::Message(MessageItem {
            key: message_key(reader.id, entry.key.as_str()),
            seq,
            author: reader.clone(),
            at: entry.at,
            body: Some(entry.body.as_str().to_owned()),
            edited: false,
            first_of_run,
            delivery,
        }));
    }

    /// Whether a message by `author` begins a run.
    fn begin_message(&mut self, author: i64, at: i64) -> bool {
        self.begin_day(at);
        let goes_on = self.run.is_some_and(|(before, then)| before == author && at - then <= RUN_MS);
        self.run = Some((author, at));
        !goes_on
    }

    /// Days only go forward: a clock that was set back must not make a day, and its key, twice.
    fn begin_day(&mut self, at: i64) {
        let day = (self.day_of)(at);
        if self.day.is_none_or(|before| before < day) {
            self.day = Some(day);
            self.run = None;
            self.items.push(Item::Day(DayItem { key: format!("d{day}").into(), at }));
        }
    }
}
