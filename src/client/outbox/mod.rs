//! What the reader asked of rooms (post, edit, delete) and the server has not made part of their
//! logs yet. Pure: the caller brings keys, time and jitter, does the sending and the keeping.
//!
//! Each room's commands go strictly in the order they were written: one is under way at a time, the
//! next follows its ack or its final refusal. A key stays with its command until the ack, so that
//! sending it again, from whichever tab, does nothing twice.

pub mod record;
#[cfg(test)]
mod tests;

use super::backoff::{Backoff, Jitter, after_asked_ms};
use crate::domain::{Key, Seq};
use crate::protocol::{Attached, ClientFrame, ErrorCode, Event, EventKind, Refused};

/// Milliseconds after which a command is not sent any more without asking its writer: by then the
/// conversation has gone on.
pub const ASK_AFTER_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// In the order they were written, all rooms together.
    entries: Vec<Entry>,
    backoff: Backoff,
    /// Unix milliseconds before which nothing is sent, after a refusal that is worth a retry. For all
    /// rooms: limits are the account's, and a server in trouble is in trouble everywhere.
    hold_until: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: Key,
    pub room: String,
    pub command: Command,
    /// Unix milliseconds of the writer's own clock, ascending in the order of writing.
    pub at: i64,
    /// The history that a target's seq belongs to.
    pub epoch: String,
    /// Whether it was ever sent: it may have arrived, so it is not taken back or changed any more.
    pub sent: bool,
    pub state: EntryState,
    pub kept: Kept,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Post { body: String, files: Vec<Attached> },
    Edit { target: Seq, body: String },
    Delete { target: Seq },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// Not sent on this connection.
    Waiting,
    /// Sent; neither ack nor refusal has come.
    InFlight,
    /// Durable at this seq, but its event has not come yet.
    Acked(Seq),
    /// Refused for good. Holds nothing up.
    Failed(ErrorCode),
    /// So old that its writer has to say whether it still goes. Holds nothing up.
    Undecided,
}

/// Whether the browser has it on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    No,
    /// On its way there.
    Soon,
    Yes,
}

impl Command {
    /// The message that it changes.
    pub fn target(&self) -> Option<Seq> {
        match self {
            Command::Post { .. } => None,
            Command::Edit { target, .. } | Command::Delete { target } => Some(*target),
        }
    }

    pub fn body(&self) -> Option<&str> {
        match self {
            Command::Post { body, .. } | Command::Edit { body, .. } => Some(body),
            Command::Delete { .. } => None,
        }
    }

    /// What a new message carries.
    pub fn files(&self) -> &[Attached] {
        match self {
            Command::Post { files, .. } => files,
            _ => &[],
        }
    }
}

impl Entry {
    pub fn frame(&self) -> ClientFrame {
        let (room, key) = (self.room.clone(), self.key.as_str().to_owned());
        let epoch = Some(self.epoch.clone());
        match self.command.clone() {
            Command::Post { body, files } => {
                let files = files.into_iter().map(|file| file.id.as_str().to_owned()).collect();
                ClientFrame::Post { room, key, body, files }
            }
            Command::Edit { target, body } => ClientFrame::Edit { room, key, target, body, epoch },
            Command::Delete { target } => ClientFrame::Delete { room, key, target, epoch },
        }
    }

    /// Whether its writer may take it out: it was never sent, or has been refused, or is asked about.
    pub fn may_go(&self) -> bool {
        match self.state {
            EntryState::Waiting => !self.sent,
            EntryState::Failed(_) | EntryState::Undecided => true,
            EntryState::InFlight | EntryState::Acked(_) => false,
        }
    }

    /// Whether the server has not acknowledged it.
    pub fn is_unsent(&self) -> bool {
        !matches!(self.state, EntryState::Acked(_))
    }

    /// Whether nothing more happens to it without its writer.
    pub fn is_stuck(&self) -> bool {
        matches!(self.state, EntryState::Failed(_) | EntryState::Undecided)
    }

    fn is_under_way(&self) -> bool {
        matches!(self.state, EntryState::Waiting | EntryState::InFlight)
    }
}

impl Outbox {
    /// In the order they were written.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Of one room, in the order they were written.
    pub fn of<'a>(&'a self, room: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.room == room)
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.as_str() == key)
    }

    /// The time to write a new entry with: `now`, or later when the clock went back.
    pub fn time(&self, now: i64) -> i64 {
        self.entries.last().map_or(now, |last| now.max(last.at + 1))
    }

    /// A known key changes nothing. Entries that were kept by an earlier page or another tab go to
    /// the place where they were written.
    pub fn put(&mut self, entry: Entry) {
        if self.entry(entry.key.as_str()).is_none() {
            let place = self.entries.iter().rposition(|before| before.at <= entry.at).map_or(0, |index| index + 1);
            self.entries.insert(place, entry);
        }
    }

    /// What to send now, one of each room, as it was before: it counts as sent from here on. Empty
    /// while a refusal is being waited out. Entries that are too old, or change a message of another
    /// history, step aside.
    pub fn take_sendable(&mut self, now: i64, epoch: &str) -> Vec<Entry> {
        if self.hold_until.is_some_and(|until| now < until) {
            return Vec::new();
        }
        self.hold_until = None;
        let mut rooms: Vec<String> = Vec::new();
        let mut sendable = Vec::new();
        for entry in &mut self.entries {
            entry.look(now, epoch);
            if !entry.is_under_way() || rooms.contains(&entry.room) {
                continue;
            }
            rooms.push(entry.room.clone());
            if entry.state == EntryState::Waiting {
                sendable.push(entry.clone());
                (entry.state, entry.sent) = (EntryState::InFlight, true);
            }
        }
        sendable
    }

    /// When `take_sendable` should be asked again, if it is holding something back. Not any more once that
    /// time has come: what keeps an entry waiting then is something else. `now` is asked only if need be.
    pub fn hold_until(&self, now: impl FnOnce() -> i64) -> Option<i64> {
        let held = self.hold_until.filter(|_| self.entries.iter().any(Entry::is_under_way));
        held.filter(|until| now() < *until)
    }

    /// What the browser keeps of it and the server has not acknowledged: another tab may have it by now, also
    /// what was sent.
    pub fn kept(&self) -> Vec<Key> {
        let kept = self.entries.iter().filter(|entry| entry.kept == Kept::Yes && entry.is_unsent());
        kept.map(|entry| entry.key.clone()).collect()
    }

    /// Whether anything is still to be sent, or to be decided on.
    pub fn is_unsent(&self) -> bool {
        self.entries.iter().any(Entry::is_unsent)
    }

    /// The connection is gone: whatever is unacknowledged will be sent again, with the same keys. A
    /// time that the server named stays.
    pub fn connection_lost(&mut self) {
        self.backoff.reset();
        for entry in &mut self.entries {
            if entry.state == EntryState::InFlight {
                entry.state = EntryState::Waiting;
            }
        }
    }

    /// The command is durable. Its row stays as it is until its event is there. The entry's room, if
    /// the key is known.
    pub fn ack(&mut self, key: &str, seq: Seq) -> Option<String> {
        self.backoff.reset();
        let entry = self.entry_mut(key)?;
        entry.state = EntryState::Acked(seq);
        Some(entry.room.clone())
    }

    /// Worth a retry: waits and goes again by itself, in order, with the same key. Else it failed. The
    /// entry's room, if the key is known.
    pub fn refuse(&mut self, refused: &Refused, now: i64, jitter: Jitter) -> Option<String> {
        let entry = self.entry_mut(refused.key.as_deref()?)?;
        let room = entry.room.clone();
        // Whoever signs in again finds it waiting.
        if !refused.code.retryable() && refused.code != ErrorCode::Unauthenticated {
            entry.state = EntryState::Failed(refused.code);
            return Some(room);
        }
        entry.state = EntryState::Waiting;
        let delay_ms = match refused.retry_after_ms {
            Some(retry_after_ms) => after_asked_ms(retry_after_ms, jitter),
            // At least a little while: the server is in trouble.
            None => self.backoff.next_ms(jitter).max(250),
        };
        let until = now + i64::from(delay_ms);
        self.hold_until = Some(self.hold_until.map_or(until, |held| held.max(until)));
        Some(room)
    }

    /// Takes out the posts that `events` of the room show to be in its log; their keys.
    pub fn settle(&mut self, room: &str, reader: i64, events: &[Event]) -> Vec<Key> {
        let mut settled = Vec::new();
        for event in events {
            if let EventKind::Posted { key, author, .. } = &event.kind
                && author.id == reader
                && let Some(index) =
                    self.entries.iter().position(|entry| entry.key.as_str() == key && entry.room == room)
            {
                settled.push(self.entries.remove(index).key);
            }
        }
        settled
    }

    /// Takes out what was acknowledged at or before `head`: its event has been applied, or lies
    /// before the window that is shown. Whether there was any.
    pub fn settle_up_to(&mut self, room: &str, head: Seq) -> bool {
        let before = self.entries.len();
        self.entries
            .retain(|entry| entry.room != room || !matches!(entry.state, EntryState::Acked(seq) if seq <= head));
        self.entries.len() != before
    }

    /// A failed entry goes again, with its key, where it stood; one that was too old, as if written
    /// now. What is to be kept of it, if it goes.
    pub fn retry(&mut self, key: &str, now: i64) -> Option<Entry> {
        let index = self.entries.iter().position(|entry| entry.key.as_str() == key)?;
        match self.entries[index].state {
            EntryState::Failed(_) => self.entries[index].state = EntryState::Waiting,
            EntryState::Undecided => {
                let mut entry = self.entries.remove(index);
                (entry.state, entry.at) = (EntryState::Waiting, self.time(now));
                self.entries.push(entry);
            }
            _ => return None,
        }
        self.entry(key).cloned()
    }

    /// Takes out an entry that may go.
    pub fn discard(&mut self, key: &str) -> Option<Command> {
        let index = self.entries.iter().position(|entry| entry.key.as_str() == key && entry.may_go())?;
        Some(self.entries.remove(index).command)
    }

    /// Takes out the earlier try at the message that `command` changes, if it got stuck: its text would
    /// stand over the new one, and go again after it.
    pub fn take_outdated(&mut self, room: &str, epoch: &str, command: &Command) -> Option<Key> {
        let target = command.target()?;
        let same = |entry: &Entry| entry.room == room && entry.epoch == epoch && entry.command.target() == Some(target);
        let index = self.entries.iter().position(|entry| entry.is_stuck() && same(entry))?;
        Some(self.entries.remove(index).key)
    }

    /// Leaves an entry to another tab.
    pub fn leave(&mut self, key: &Key) {
        self.entries.retain(|entry| entry.key != *key);
    }

    pub fn set_kept(&mut self, key: &str, kept: Kept) {
        if let Some(entry) = self.entry_mut(key) {
            entry.kept = kept;
        }
    }

    fn entry_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.key.as_str() == key)
    }
}

impl Entry {
    /// Whether it still means what it meant when it was written.
    fn look(&mut self, now: i64, epoch: &str) {
        if self.state != EntryState::Waiting {
            return;
        }
        if self.command.target().is_some() && self.epoch != epoch {
            self.state = EntryState::Failed(ErrorCode::NotFound);
        } else if now - self.at > ASK_AFTER_MS {
            self.state = EntryState::Undecided;
        }
    }
}
