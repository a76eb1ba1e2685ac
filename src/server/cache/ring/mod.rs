//! The ring: the newest events of the rooms that are followed here, encoded. It serves what the store
//! would serve now. It is told of every commit in the order of seqs, before the commit is answered,
//! and what it cannot be sure of it forgets.

mod tail;
#[cfg(test)]
mod tests;

pub use tail::{RoomLog, Stretch, Wanted};

use super::lru::Lru;
use crate::domain::{RoomId, Seq};
use crate::server::channel_layer::Growth;
use crate::server::config::Limits;
use crate::server::encode::LogName;
use crate::server::store::{Budget, EventPage};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tail::Tail;

/// Recent events by room, of bounded size.
pub struct Ring {
    state: Mutex<State>,
    room_bytes: usize,
    room_events: u32,
}

struct State {
    tails: Lru<RoomId, Tail>,
    loads: HashMap<RoomId, Load>,
    next_load: u64,
}

/// A room's tail that is being read from the store.
#[derive(Default)]
struct Load {
    id: u64,
    /// What the log grew by since the read began, in that order.
    meanwhile: Vec<Arc<Growth>>,
    bytes: usize,
    /// Something happened that the read may or may not have seen.
    spoilt: bool,
}

/// A read of one room's tail; [`Ring::finish`] enters what it found.
pub struct Ticket {
    ring: Arc<Ring>,
    log: RoomLog,
    id: u64,
}

/// What the ring has of a log after some seq.
#[derive(Debug)]
pub enum Found {
    Stretch(Stretch),
    /// It begins later: only the store has that.
    Older,
    /// Nothing, or not enough to be sure.
    Nothing,
}

impl Ring {
    pub fn new(limits: &Limits) -> Ring {
        let state = State { tails: Lru::new(limits.ring_bytes), loads: HashMap::new(), next_load: 0 };
        // Who is further behind is told of a gap.
        let room_events = u32::try_from(limits.catch_up_events).unwrap_or(u32::MAX);
        Ring { state: Mutex::new(state), room_bytes: limits.ring_room_bytes, room_events }
    }

    /// What is worth reading of a log for it.
    pub fn budget(&self) -> Budget {
        Budget { events: self.room_events, bytes: self.room_bytes }
    }

    /// The log grew. To be told in the order of commits; telling twice changes nothing.
    pub fn apply(&self, growth: &Arc<Growth>) {
        let mut state = self.lock();
        if let Some(load) = state.loads.get_mut(&growth.room) {
            load.note(growth, self.room_bytes);
        }
        state.tails.change(&growth.room, |tail| tail.apply(growth).is_ok().then(|| tail.weight()));
    }

    /// The head of a log, if it is known and of this history.
    pub fn head(&self, room: RoomId, epoch: &str) -> Option<Seq> {
        let mut state = self.lock();
        let tail = state.tails.get(&room)?;
        (*tail.log.epoch == *epoch).then_some(tail.head)
    }

    /// Events of a log that reaches at least as far as is wanted.
    pub fn after(&self, wanted: &Wanted, epoch: &str, budget: Budget) -> Found {
        let mut state = self.lock();
        match state.tails.get(&wanted.log.room).filter(|tail| *tail.log.epoch == *epoch && tail.head >= wanted.head) {
            Some(tail) => tail.after(wanted.after, budget).map_or(Found::Older, Found::Stretch),
            None => Found::Nothing,
        }
    }

    /// To be called before a tail is read: from here on the ring remembers what the log grows by, so
    /// that what was read can be entered as it would be read when it is entered.
    pub fn begin(self: &Arc<Ring>, log: RoomLog) -> Ticket {
        let mut state = self.lock();
        state.next_load += 1;
        let id = state.next_load;
        state.loads.insert(log.room, Load { id, ..Load::default() });
        drop(state);
        Ticket { ring: Arc::clone(self), log, id }
    }

    /// Enters what the read found and what was committed since it began, unless one of the two cannot
    /// be told from the other.
    pub fn finish(&self, ticket: &Ticket, epoch: Arc<str>, page: &EventPage) {
        let mut state = self.lock();
        let Some(load) = state.loads.get_mut(&ticket.log.room) else { return };
        if load.id != ticket.id || load.spoilt {
            return;
        }
        let meanwhile = std::mem::take(&mut load.meanwhile);
        let log = LogName { slug: ticket.log.slug.clone(), epoch };
        let mut tail = Tail::new(log, page, self.room_bytes);
        if meanwhile.iter().all(|growth| tail.apply(growth).is_ok()) {
            let weight = tail.weight();
            state.tails.insert(ticket.log.room, tail, weight);
        }
    }

    /// The store has this head: a tail that ends before it is not the whole any more.
    pub fn outrun(&self, room: RoomId, head: Seq) {
        let reaches = self.lock().tails.peek(&room).is_some_and(|tail| tail.head >= head);
        if !reaches {
            self.forget(room);
        }
    }

    /// The room is not followed here any more, or changed without our being told how.
    pub fn forget(&self, room: RoomId) {
        let mut state = self.lock();
        state.tails.remove(&room);
        if let Some(load) = state.loads.get_mut(&room) {
            load.spoilt = true;
        }
    }

    /// Any room may have changed without our being told.
    pub fn forget_all(&self) {
        let mut state = self.lock();
        state.tails.clear();
        state.loads.values_mut().for_each(|load| load.spoilt = true);
    }

    /// Of all rooms together.
    pub fn bytes(&self) -> usize {
        self.lock().tails.weight()
    }

    /// Sections are short and leave the state whole even if one panicked.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Load {
    /// A read that takes so long that more than a ring of events gathers is not worth waiting for.
    fn note(&mut self, growth: &Arc<Growth>, limit: usize) {
        self.bytes += growth.events.iter().map(|event| event.len()).sum::<usize>();
        self.spoilt |= self.bytes > limit;
        if self.spoilt {
            self.meanwhile.clear();
        } else {
            self.meanwhile.push(Arc::clone(growth));
        }
    }
}

impl Drop for Ticket {
    /// Also of a read that failed or that nobody waited for.
    fn drop(&mut self) {
        let mut state = self.ring.lock();
        if state.loads.get(&self.log.room).is_some_and(|load| load.id == self.id) {
            state.loads.remove(&self.log.room);
        }
    }
}
