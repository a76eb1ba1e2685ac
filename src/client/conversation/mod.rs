//! What the conversation shows, derived from timeline and outbox: rows, day separators, runs of one
//! author. Pure.

#[cfg(test)]
mod tests;

use super::outbox::{Command, Entry, EntryState, Kept};
use crate::domain::{Seq, TaskId};
use crate::protocol::{Attached, Author, ErrorCode, Event, EventKind, Preview, TaskStatus};
use std::sync::Arc;

/// Messages of one author within this time make a run: avatar and name stand once.
pub const RUN_MS: i64 = 5 * 60 * 1_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Day(DayItem),
    Message(MessageItem),
    /// Joined, left, renamed, access changed.
    Notice(NoticeItem),
    Task(TaskItem),
    /// Rows are missing here.
    Seam(SeamItem),
}

impl Item {
    /// Stable for the life of the row: of a message made of author and idempotency key.
    pub fn key(&self) -> &Arc<str> {
        match self {
            Item::Day(day) => &day.key,
            Item::Message(message) => &message.key,
            Item::Notice(notice) => &notice.key,
            Item::Task(task) => &task.key,
            Item::Seam(seam) => &seam.key,
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
    /// Shown as long as there is a body.
    pub files: Vec<Attached>,
    pub edited: bool,
    /// What its links lead to.
    pub previews: Vec<Preview>,
    /// Shows avatar, name and time; the others of the run do not.
    pub first_of_run: bool,
    pub delivery: Delivery,
    /// What of it is in the outbox, unless it is sent.
    pub unsent: Option<Unsent>,
}

/// How far the newest thing that the reader did to a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Sent,
    /// On its way.
    Pending,
    /// Kept until there is a connection.
    Waiting,
    /// Sent again in so many seconds, as the server asked.
    Held(u32),
    /// Refused for good; offer retry and discard.
    Failed(ErrorCode),
    /// Too old to be sent without asking.
    Undecided,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// Of the outbox entry.
    pub key: Arc<str>,
    pub deed: Deed,
    /// Whether it may be taken back.
    pub may_go: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Post,
    Edit,
    Delete,
}

impl Unsent {
    fn of(entry: &Entry) -> Unsent {
        let deed = match entry.command {
            Command::Post { .. } => Deed::Post,
            Command::Edit { .. } => Deed::Edit,
            Command::Delete { .. } => Deed::Delete,
        };
        Unsent { key: entry.key.as_str().into(), deed, may_go: entry.may_go() }
    }
}

/// What entries of the outbox that are not on their way are waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delay {
    /// Their turn.
    Nothing,
    Connection,
    /// So many seconds, as the server asked.
    Server(u32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeItem {
    pub key: Arc<str>,
    pub seq: Seq,
    pub at: i64,
    pub kind: EventKind,
}

/// The card of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskItem {
    pub key: Arc<str>,
    pub seq: Seq,
    pub at: i64,
    pub id: TaskId,
    /// What kind of task.
    pub task: String,
    pub by: Author,
    /// Another one with every change of `status`.
    pub rev: Seq,
    pub status: TaskStatus,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeamItem {
    pub key: Arc<str>,
    /// The row that they are missing before.
    pub before: Seq,
}

/// What the conversation is made from.
pub(super) struct Source<'a, R> {
    /// Ascending by `seq`.
    pub rows: R,
    /// The row before which some are missing.
    pub seam: Option<Seq>,
    /// What the reader did in the room that is not in its log yet.
    pub outbox: &'a [&'a Entry],
    /// The history that the rows are of.
    pub epoch: &'a str,
    pub delay: Delay,
    pub reader: &'a Author,
    /// Number of the local day that Unix milliseconds fall on.
    pub day_of: &'a dyn Fn(i64) -> i64,
}

/// All items in order: rows by `seq`, as what the reader did to them will have left them, then posts
/// of the outbox and changes without a row. A post that is in both is shown once, as the row.
pub(super) fn items<'a>(source: Source<'a, impl Iterator<Item = &'a Arc<Event>>>) -> Vec<Item> {
    let Source { outbox, epoch, delay, day_of, .. } = source;
    let mut builder = Builder { outbox, epoch, delay, day_of, items: Vec::new(), day: None, run: None };
    let mut shown = Vec::new();
    for row in source.rows {
        if source.seam == Some(row.seq) {
            builder.seam(row.seq);
        }
        builder.row(row);
        if let EventKind::Posted { key, author, .. } = &row.kind
            && author.id == source.reader.id
        {
            shown.push(key.as_str());
            builder.change_last(row.seq, &mut shown);
        }
    }
    for entry in outbox.iter().filter(|entry| !shown.contains(&entry.key.as_str())) {
        // A change whose row is not loaded, or is no more, is to be seen and decided on all the same.
        if entry.command.target().is_none() || entry.is_unsent() {
            builder.entry(entry, source.reader);
        }
    }
    builder.items
}

/// Key of a message's row: the same before and after the server has it.
fn message_key(author: i64, key: &str) -> Arc<str> {
    format!("m{author}:{key}").into()
}

impl MessageItem {
    /// As the entry will have left it. A text that was refused stays to be seen and taken back.
    fn change(&mut self, entry: &Entry) {
        match (&entry.command, entry.state) {
            (Command::Edit { body, .. }, _) => {
                (self.body, self.edited, self.previews) = (Some(body.clone()), true, Vec::new());
            }
            (Command::Delete { .. }, EntryState::Failed(_) | EntryState::Undecided) | (Command::Post { .. }, _) => {}
            (Command::Delete { .. }, _) => {
                (self.body, self.edited, self.previews) = (None, false, Vec::new());
            }
        }
    }

    fn deliver(&mut self, entry: &Entry, delay: Delay) {
        self.delivery = match (entry.state, delay) {
            (EntryState::Acked(_), _) => Delivery::Sent,
            (EntryState::Failed(code), _) => Delivery::Failed(code),
            (EntryState::Undecided, _) => Delivery::Undecided,
            (EntryState::Waiting, Delay::Server(seconds)) => Delivery::Held(seconds),
            // What is not kept yet may still be lost: no promise before that.
            (EntryState::Waiting, Delay::Connection) if entry.kept != Kept::Soon => Delivery::Waiting,
            (EntryState::Waiting | EntryState::InFlight, _) => Delivery::Pending,
        };
        self.unsent = (self.delivery != Delivery::Sent).then(|| Unsent::of(entry));
    }
}

struct Builder<'a> {
    outbox: &'a [&'a Entry],
    epoch: &'a str,
    delay: Delay,
    day_of: &'a dyn Fn(i64) -> i64,
    items: Vec<Item>,
    day: Option<i64>,
    /// Author and time of the message before, while a run may go on.
    run: Option<(i64, i64)>,
}

impl<'a> Builder<'a> {
    fn row(&mut self, row: &Event) {
        let EventKind::Posted { key, author, body, rev, deleted, files, previews } = &row.kind else {
            return self.notice(row);
        };
        let first_of_run = self.begin_message(author.id, row.at);
        let message = MessageItem {
            key: message_key(author.id, key),
            seq: Some(row.seq),
            author: author.clone(),
            at: row.at,
            body: body.clone().filter(|_| !deleted),
            files: files.clone(),
            edited: rev.is_some_and(|rev| rev > row.seq),
            previews: previews.as_ref().map(|shown| shown.list.clone()).unwrap_or_default(),
            first_of_run,
            delivery: Delivery::Sent,
            unsent: None,
        };
        self.items.push(Item::Message(message));
    }

    /// The last row, at `seq`, is the reader's own: as the outbox will have left it. The same seq was
    /// another message in another history.
    fn change_last(&mut self, seq: Seq, shown: &mut Vec<&'a str>) {
        let Some(Item::Message(message)) = self.items.last_mut() else { return };
        let changes = |entry: &&&Entry| entry.command.target() == Some(seq) && entry.epoch == self.epoch;
        for entry in self.outbox.iter().filter(changes) {
            shown.push(entry.key.as_str());
            message.change(entry);
            message.deliver(entry, self.delay);
        }
    }

    /// A row that is no message.
    fn notice(&mut self, row: &Event) {
        self.begin_day(row.at);
        self.run = None;
        let (seq, at) = (row.seq, row.at);
        self.items.push(match row.kind.clone() {
            EventKind::Task { id, task, by, rev, status } => {
                Item::Task(TaskItem { key: format!("t{seq}").into(), seq, at, id, task, by, rev, status })
            }
            kind => Item::Notice(NoticeItem { key: format!("n{seq}").into(), seq, at, kind }),
        });
    }

    fn seam(&mut self, before: Seq) {
        self.run = None;
        self.items.push(Item::Seam(SeamItem { key: format!("s{before}").into(), before }));
    }

    fn entry(&mut self, entry: &Entry, reader: &Author) {
        let first_of_run = self.begin_message(reader.id, entry.at);
        let mut message = MessageItem {
            key: message_key(reader.id, entry.key.as_str()),
            seq: match entry.state {
                EntryState::Acked(seq) => Some(seq),
                _ => None,
            },
            author: reader.clone(),
            at: entry.at,
            body: entry.command.body().map(str::to_owned),
            files: entry.command.files().to_vec(),
            edited: false,
            previews: Vec::new(),
            first_of_run,
            delivery: Delivery::Sent,
            unsent: None,
        };
        message.deliver(entry, self.delay);
        self.items.push(Item::Message(message));
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
