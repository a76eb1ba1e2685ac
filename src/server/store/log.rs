use super::columns::damaged;
use super::{Command, Committed, Fingerprint, ForeignWrites, Intent, Refusal, Sessions, StoreError};
use crate::domain::{RoomId, Seq, Slug, TaskState};
use crate::protocol::{Event, EventKind, Page};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};

/// Part of a room's log, read in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    pub head: Seq,
    /// The oldest retained seq; `head + 1` of an empty log.
    pub first: Seq,
    /// Dense, ascending from `after + 1`, as served now.
    pub events: Vec<Event>,
}

impl EventPage {
    /// What was read after `after`; `Internal` if it does not follow on that.
    pub(super) fn following(
        after: Seq,
        (head, first): (Seq, Seq),
        events: Vec<Event>,
    ) -> Result<EventPage, StoreError> {
        let expected = after.next().max(first);
        match events.first().is_some_and(|event| event.seq != expected) {
            true => Err(damaged("hole in the log after", after)),
            false => Ok(EventPage { head, first, events }),
        }
    }
}

/// A page of the first `limit` of these, which come newest first; that there are more tells that there are older ones.
pub(super) fn page(epoch: String, head: Seq, mut rows: Vec<Event>, limit: u32) -> Page {
    let older = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    rows.reverse();
    Page { epoch, head, rows, older, progress: Vec::new() }
}

/// The tasks that run of which cards are among the rows: their progress belongs to the page.
pub(super) fn running(rows: &[Event]) -> Vec<String> {
    let running = |row: &Event| match &row.kind {
        EventKind::Task { id, status, .. } if status.state == TaskState::Running => Some(id.to_string()),
        _ => None,
    };
    rows.iter().filter_map(running).collect()
}

/// How much of a log is read at once.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub events: u32,
    /// Bytes of messages' bodies: no further event is read once so many have been.
    pub bytes: usize,
}

/// The answer to a submitted command. Dropping it does not take the command back.
pub struct Pending(pub(super) oneshot::Receiver<Result<Committed, Refusal>>);

impl Pending {
    /// Waits for the commit. `Unavailable` when the writer went away with the outcome unknown.
    pub async fn outcome(self) -> Result<Committed, Refusal> {
        match self.0.await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Unavailable("the writer stopped".into()).into()),
        }
    }
}

/// The rooms' logs.
#[async_trait]
pub trait Log {
    /// Names this database, in letters and digits: the same on every node that works on it, and after a restore.
    fn database_id(&self) -> Arc<str>;

    /// Names this history, in letters and digits: another value after a restore, so that old cursors
    /// do not compare.
    fn epoch(&self) -> Arc<str>;

    /// Changes when the database turns out to hold another history while it is open. Nothing of the
    /// new one is served or told before: whoever follows the old one is to be let go at once.
    fn epochs(&self) -> watch::Receiver<Arc<str>>;

    /// Puts a command in the writer's queue, waiting while it is full; `Unavailable` after the setting
    /// `writer_wait_ms`. Commands submitted one after
    /// the other are carried out in that order.
    async fn submit(&self, command: Command) -> Result<Pending, StoreError>;

    /// The first ack of the command with this fingerprint, if its key is known: in the room, or
    /// outside of rooms with `None`. [`Refusal::KeyReused`].
    async fn known(
        &self,
        room: Option<&Slug>,
        intent: &Intent,
        print: &Fingerprint,
    ) -> Result<Option<Committed>, Refusal>;

    /// At most `limit` events after `after`. An unknown room reads as an empty log.
    async fn events_after(&self, room: RoomId, after: Seq, limit: u32) -> Result<EventPage, StoreError> {
        self.events_within(room, after, Budget { events: limit, bytes: usize::MAX }).await
    }

    /// Like [`events_after`](Log::events_after), cut where the budget is spent; at least one event.
    async fn events_within(&self, room: RoomId, after: Seq, budget: Budget) -> Result<EventPage, StoreError>;

    /// The newest events, as many as the budget allows, at least one; the last of them is the head.
    async fn tail(&self, room: RoomId, budget: Budget) -> Result<EventPage, StoreError>;

    /// The newest `limit` rows before `before` (or the newest of all), with the head they stand at.
    async fn page(&self, room: RoomId, before: Option<Seq>, limit: u32) -> Result<Page, StoreError>;

    /// Like [`page`](Log::page), but messages only: what the HTTP API pages through.
    async fn messages(&self, room: RoomId, before: Option<Seq>, limit: u32) -> Result<Page, StoreError>;

    /// The heads of these rooms, in one statement. Unknown rooms are left out.
    async fn heads(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, Seq)>, StoreError>;

    /// Tells of what another process may have written: heads, memberships and sessions known from memory are
    /// then to be compared with the store. What is only made by it, accounts, sessions, links, is not told of.
    fn foreign_writes(&self) -> ForeignWrites;

    /// Whether a command could be committed now: commits something that nobody sees.
    async fn ready(&self) -> Result<(), StoreError>;

    /// What follows is another history: gives it another epoch, which it returns, and ends one-time links
    /// and invites, after the operator put a copy of the past in the database's place. Nodes that work on
    /// it let their clients go. `None`: the engine has a restore of its own, which does that.
    async fn begin_history(&self, sessions: Sessions, now: i64) -> Result<Option<String>, StoreError>;

    /// Commits what is queued, then refuses further commands and checkpoints. Called once, at shutdown.
    async fn close(&self);
}
