//! The newest events of one room, encoded, as the store would serve them now.

use crate::domain::{RoomId, Seq, Slug};
use crate::protocol::{Event, EventKind, Preview, Previews};
use crate::server::channel_layer::Growth;
use crate::server::encode::{self, EventsFrame, LogName};
use crate::server::store::{Budget, EventPage};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

/// What an entry and a tail take beside their bytes: so much counts for them, or nobody could bound
/// a node full of empty rooms.
const ENTRY_BYTES: usize = size_of::<Entry>();
const TAIL_BYTES: usize = size_of::<Tail>() + 256;

/// Which log: its room and the room's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomLog {
    pub room: RoomId,
    pub slug: Slug,
}

/// What a connection asks of a log: everything after `after`, of which there is something up to `head`.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub log: RoomLog,
    pub after: Seq,
    pub head: Seq,
}

/// Consecutive events of a log, ready to be sent.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// Shared by all who are sent the same.
    pub frames: Arc<[EventsFrame]>,
    /// Where the log stood when they were read.
    pub head: Seq,
}

/// An event came that is not the next one: some in between were missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump;

/// Dense, up to and including `head`.
pub struct Tail {
    pub log: LogName,
    pub head: Seq,
    entries: VecDeque<Entry>,
    bytes: usize,
    limit: usize,
    /// What was served last and after which seq, while somebody still holds it: those who come back
    /// together want the same and share the bytes.
    served: Option<(Seq, Weak<[EventsFrame]>)>,
}

struct Entry {
    bytes: Bytes,
    /// Of an edit, a deletion or previews: the message it changes.
    target: Option<Seq>,
}

impl Entry {
    fn weight(&self) -> usize {
        self.bytes.len() + ENTRY_BYTES
    }
}

impl Tail {
    /// From a page that ends at the head of its log; from here on it weighs at most `limit`.
    pub fn new(log: LogName, page: &EventPage, limit: usize) -> Tail {
        let limit = limit.saturating_sub(TAIL_BYTES);
        let mut tail = Tail { log, head: page.head, entries: VecDeque::new(), bytes: 0, limit, served: None };
        for event in &page.events {
            tail.push(Entry { bytes: encode::event(event), target: event.kind.target() });
        }
        tail
    }

    pub fn weight(&self) -> usize {
        self.bytes + TAIL_BYTES
    }

    /// Adds what the log grew by; what is held already changes nothing.
    pub fn apply(&mut self, growth: &Growth) -> Result<(), Jump> {
        if growth.log.epoch != self.log.epoch {
            return Err(Jump);
        }
        for (index, bytes) in growth.events.iter().enumerate() {
            let seq = Seq(growth.first.0 + index as u64);
            if seq <= self.head {
                continue;
            }
            if seq != self.head.next() {
                return Err(Jump);
            }
            let target = growth.changes.iter().find(|(change, _)| *change == seq).map(|(_, target)| *target);
            if let Some(target) = target {
                self.revise(target, bytes)?;
            }
            self.head = seq;
            self.push(Entry { bytes: bytes.clone(), target });
        }
        Ok(())
    }

    /// Everything that shows the message at `target` shows it as it stands after `change`.
    fn revise(&mut self, target: Seq, change: &Bytes) -> Result<(), Jump> {
        let change: Event = serde_json::from_slice(change).map_err(|_| Jump)?;
        let first = self.first();
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if first.0 + index as u64 != target.0 && entry.target != Some(target) {
                continue;
            }
            let mut event: Event = serde_json::from_slice(&entry.bytes).map_err(|_| Jump)?;
            revise(&mut event.kind, &change)?;
            self.bytes -= entry.weight();
            entry.bytes = encode::event(&event);
            self.bytes += entry.weight();
        }
        Ok(())
    }

    /// The events after `after`, as many as the budget allows; `None` when it holds only later ones.
    pub fn after(&mut self, after: Seq, budget: Budget) -> Option<Stretch> {
        let skipped = usize::try_from((after.0 + 1).checked_sub(self.first().0)?).ok()?;
        let served = self.served.as_ref().filter(|(served, _)| *served == after);
        let frames = served.and_then(|(_, frames)| frames.upgrade()).unwrap_or_else(|| {
            let frames = self.encode(after, skipped, budget);
            self.served = Some((after, Arc::downgrade(&frames)));
            frames
        });
        Some(Stretch { frames, head: self.head })
    }

    fn encode(&self, after: Seq, skipped: usize, budget: Budget) -> Arc<[EventsFrame]> {
        let mut bytes = 0;
        let within = self.entries.iter().skip(skipped).take(budget.events as usize).take_while(|entry| {
            let fits = bytes < budget.bytes;
            bytes += entry.bytes.len();
            fits
        });
        let events: Vec<_> = within.map(|entry| &entry.bytes).collect();
        encode::events(&self.log, after.next(), &events).into()
    }

    /// The seq of the first entry; one beyond the head when there is none.
    fn first(&self) -> Seq {
        Seq(self.head.0 + 1 - self.entries.len() as u64)
    }

    /// The bytes that were served before may have changed, and those that are added are not in them.
    fn push(&mut self, entry: Entry) {
        self.served = None;
        self.bytes += entry.weight();
        self.entries.push_back(entry);
        while self.bytes > self.limit
            && let Some(oldest) = self.entries.pop_front()
        {
            self.bytes -= oldest.weight();
        }
    }
}

/// What the store serves for an event once its message or card was changed. What a later version changes only
/// the store knows.
fn revise(kind: &mut EventKind, change: &Event) -> Result<(), Jump> {
    match &change.kind {
        EventKind::Preview { rev: Some(rev), list, .. } => show(kind, *rev, list),
        EventKind::Edited { body, .. } => say(kind, body.as_ref(), change.seq),
        EventKind::Deleted { .. } => say(kind, None, change.seq),
        EventKind::TaskChanged { status: now, .. } => {
            if let EventKind::Task { rev, status, .. } = kind {
                (*rev, *status) = (change.seq, now.clone());
            }
        }
        _ => return Err(Jump),
    }
    Ok(())
}

/// The body of now, if there is one, and as `rev` the seq of the change, which leaves no previews.
fn say(kind: &mut EventKind, now: Option<&String>, changed: Seq) {
    match kind {
        EventKind::Posted { body, rev, deleted, files, previews, .. } => {
            *deleted = now.is_none();
            if *deleted {
                files.clear();
            }
            *rev = now.is_some().then_some(changed);
            *body = now.cloned();
            *previews = None;
        }
        EventKind::Edited { body, rev, .. } => {
            *body = now.cloned();
            *rev = changed;
        }
        EventKind::Preview { rev, list, .. } => {
            *rev = None;
            list.clear();
        }
        _ => {}
    }
}

fn show(kind: &mut EventKind, shown: Seq, now: &[Preview]) {
    match kind {
        EventKind::Posted { previews, .. } => *previews = Some(Previews { rev: shown, list: now.to_vec() }),
        EventKind::Preview { rev, list, .. } => {
            *rev = Some(shown);
            *list = now.to_vec();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{TaskId, TaskState};
    use crate::protocol::{Author, TaskStatus};

    fn name() -> LogName {
        LogName { slug: Slug::parse("general").unwrap(), epoch: "e1".into() }
    }

    fn mina() -> Author {
        Author { id: 1, name: "민아".into() }
    }

    fn tail_of(kind: EventKind) -> Tail {
        let events = vec![Event { seq: Seq(1), at: 1, kind }];
        Tail::new(name(), &EventPage { head: Seq(1), first: Seq(1), events }, 10_000)
    }

    /// The second event, which changes the first.
    fn change(json: Bytes) -> Growth {
        Growth { room: RoomId(1), log: name(), first: Seq(2), events: vec![json], changes: vec![(Seq(2), Seq(1))] }
    }

    #[test]
    fn a_card_is_served_as_it_stands() {
        let status = |state| TaskStatus {
            state,
            attempts: 1,
            started: None,
            ended: None,
            result: None,
            link: None,
            error: None,
        };
        let id = TaskId::from_random([1; 16]);
        let card = |rev, state| {
            let (id, task, by, status) = (id.clone(), "demo".to_owned(), mina(), status(state));
            EventKind::Task { id, task, by, rev, status }
        };
        let mut tail = tail_of(card(Seq(1), TaskState::Queued));
        let kind = EventKind::TaskChanged { target: Seq(1), rev: Seq(2), status: status(TaskState::Running) };
        tail.apply(&change(encode::event(&Event { seq: Seq(2), at: 2, kind }))).unwrap();
        let first: Event = serde_json::from_slice(&tail.entries[0].bytes).unwrap();
        assert_eq!(first.kind, card(Seq(2), TaskState::Running));
    }

    #[test]
    fn what_a_later_version_changes_is_left_to_the_store() {
        let (key, author, body) = ("k".to_owned(), mina(), Some("안녕".to_owned()));
        let mut tail = tail_of(EventKind::Posted {
            key,
            author,
            body,
            rev: Some(Seq(1)),
            deleted: false,
            files: vec![],
            previews: None,
        });
        let reacted = Bytes::from_static(br#"{"seq":2,"kind":"reacted","at":2,"target":1}"#);
        assert_eq!(tail.apply(&change(reacted)), Err(Jump));
    }
}
