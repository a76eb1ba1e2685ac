//! What this node still has to tell the others. Bounded: what it cannot hold, or could not hand over, it
//! keeps as the names of rooms, and of too many as the one word that everything may have changed.

use super::super::Notice;
use super::super::inbox::locked;
use crate::domain::RoomId;
use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;
use tokio::sync::Notify;

/// Notices that may wait for Redis.
const NOTICES: usize = 8_192;

/// Bytes of events that may wait for Redis.
const BYTES: usize = 32 * 1_024 * 1_024;

/// Rooms that are told one by one after their notices were lost. Beyond that one comparison of everything,
/// some thousand rooms a statement, costs the others less.
const ROOMS: usize = 200;

/// Notices that are handed over together.
const BATCH: usize = 256;

#[derive(Default)]
pub struct Outbox {
    state: Mutex<State>,
    filled: Notify,
}

#[derive(Default)]
struct State {
    /// Whether Redis takes notices now, as far as is known.
    open: bool,
    waiting: VecDeque<Notice>,
    bytes: usize,
    missed: Missed,
}

/// What the others have to look up because it was not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    pub rooms: HashSet<RoomId>,
    /// More than the growth of these rooms.
    pub more: bool,
}

/// What is handed over next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    Notices(Vec<Notice>),
    Missed(Missed),
}

impl Missed {
    fn note(&mut self, notice: &Notice) {
        match notice {
            fleeting if fleeting.is_fleeting() => return,
            Notice::Grew(growth) => self.rooms.insert(growth.room),
            Notice::Unread { room } => self.rooms.insert(*room),
            _ => std::mem::replace(&mut self.more, true),
        };
        self.bound();
    }

    fn join(&mut self, other: Missed) {
        self.rooms.extend(other.rooms);
        self.more |= other.more;
        self.bound();
    }

    fn bound(&mut self) {
        if self.more || self.rooms.len() > ROOMS {
            *self = Missed { rooms: HashSet::new(), more: true };
        }
    }

    fn is_empty(&self) -> bool {
        self.rooms.is_empty() && !self.more
    }
}

impl Outbox {
    /// `false`: the notice itself will not be told, the others will be told to read the store. One that is fleeting
    /// is left out as soon as half is full, and nobody is told.
    pub fn put(&self, notice: Notice) -> bool {
        let bytes = weight(&notice);
        let mut state = locked(&self.state);
        let notices = if notice.is_fleeting() { NOTICES / 2 } else { NOTICES };
        let fits = state.open && state.waiting.len() < notices && state.bytes + bytes <= BYTES;
        if !fits && notice.is_fleeting() {
            return true;
        }
        if fits {
            state.bytes += bytes;
            state.waiting.push_back(notice);
        } else {
            state.missed.note(&notice);
        }
        drop(state);
        self.filled.notify_one();
        fits
    }

    /// Redis takes notices from here on.
    pub fn open(&self) {
        locked(&self.state).open = true;
    }

    /// Redis takes none any more, and perhaps not all of `under_way`. What waits would be old news by the time
    /// it does again. How many notices are not told.
    pub fn close(&self, under_way: Option<Batch>) -> usize {
        let mut state = locked(&self.state);
        let waiting = std::mem::take(&mut state.waiting);
        (state.open, state.bytes) = (false, 0);
        let mut untold: Vec<_> = waiting.into();
        match under_way {
            Some(Batch::Notices(notices)) => untold.extend(notices),
            Some(Batch::Missed(missed)) => state.missed.join(missed),
            None => {}
        }
        untold.retain(|notice| !notice.is_fleeting());
        untold.iter().for_each(|notice| state.missed.note(notice));
        untold.len()
    }

    /// The next to be handed over; waits while there is nothing. What was missed comes once nothing else
    /// waits: the others then read the newest state. One caller at a time.
    pub async fn next(&self) -> Batch {
        loop {
            if let Some(batch) = self.take() {
                return batch;
            }
            self.filled.notified().await;
        }
    }

    fn take(&self) -> Option<Batch> {
        let mut state = locked(&self.state);
        if state.waiting.is_empty() {
            return (!state.missed.is_empty()).then(|| Batch::Missed(std::mem::take(&mut state.missed)));
        }
        let count = state.waiting.len().min(BATCH);
        let batch: Vec<_> = state.waiting.drain(..count).collect();
        state.bytes -= batch.iter().map(weight).sum::<usize>();
        Some(Batch::Notices(batch))
    }
}

fn weight(notice: &Notice) -> usize {
    match notice {
        Notice::Grew(growth) => growth.events.iter().map(|event| event.len()).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(number: usize) -> Notice {
        Notice::Unread { room: RoomId(number as i64) }
    }

    const OTHER: Notice = Notice::RoomsChanged { user: None };

    fn missed(rooms: impl IntoIterator<Item = i64>) -> Option<Batch> {
        Some(Batch::Missed(Missed { rooms: rooms.into_iter().map(RoomId).collect(), more: false }))
    }

    fn open() -> Outbox {
        let outbox = Outbox::default();
        outbox.open();
        outbox
    }

    #[test]
    fn what_is_put_comes_out_in_order() {
        let outbox = open();
        assert!((0..BATCH + 1).all(|number| outbox.put(room(number))));
        assert_eq!(outbox.take(), Some(Batch::Notices((0..BATCH).map(room).collect())));
        assert_eq!(outbox.take(), Some(Batch::Notices(vec![room(BATCH)])));
        assert_eq!(outbox.take(), None);
    }

    #[test]
    fn what_does_not_fit_is_named_after_all_else() {
        let outbox = open();
        assert!((0..NOTICES).all(|_| outbox.put(room(1))));
        assert!(!outbox.put(room(2)));
        for _ in 0..NOTICES / BATCH {
            assert!(matches!(outbox.take(), Some(Batch::Notices(_))));
        }
        assert_eq!((outbox.take(), outbox.take()), (missed([2]), None));
        assert!(outbox.put(room(3)), "there is space again");
    }

    #[test]
    fn what_failed_is_named_again_until_it_is_told() {
        let outbox = open();
        outbox.put(room(1));
        outbox.put(room(2));
        let under_way = outbox.take();
        outbox.put(room(3));
        assert_eq!(outbox.close(under_way), 3);
        assert!(!outbox.put(room(4)), "it is closed");
        let told = outbox.take();
        assert_eq!(told, missed([1, 2, 3, 4]));
        assert_eq!(outbox.close(told), 0);
        assert_eq!(outbox.take(), missed([1, 2, 3, 4]));
    }

    #[test]
    fn what_is_fleeting_is_left_out_first_and_nobody_looks_it_up() {
        let typing = || {
            let by = crate::protocol::Author { id: 1, name: "mina".into() };
            let slug = crate::domain::Slug::parse("a").unwrap();
            Notice::Typing(std::sync::Arc::new(super::super::super::Typing { room: RoomId(1), slug, by }))
        };
        let outbox = open();
        assert!((0..NOTICES / 2).all(|_| outbox.put(room(1))));
        assert!(outbox.put(typing()) && outbox.put(room(2)));
        for _ in 0..NOTICES / 2 / BATCH {
            outbox.take();
        }
        assert_eq!((outbox.take(), outbox.take()), (Some(Batch::Notices(vec![room(2)])), None));
        assert!(outbox.put(typing()));
        let under_way = outbox.take();
        assert_eq!(under_way, Some(Batch::Notices(vec![typing()])));
        assert_eq!(outbox.close(under_way), 0);
        assert!(outbox.put(typing()), "it is closed");
        assert_eq!(outbox.take(), None);
    }

    #[test]
    fn what_cannot_be_named_is_everything() {
        let everything = Some(Batch::Missed(Missed { rooms: HashSet::new(), more: true }));
        let outbox = Outbox::default();
        outbox.put(room(1));
        outbox.put(OTHER);
        outbox.put(room(2));
        assert_eq!(outbox.take(), everything);
        for number in 0..=ROOMS {
            outbox.put(room(number));
        }
        assert_eq!(outbox.take(), everything);
    }
}
