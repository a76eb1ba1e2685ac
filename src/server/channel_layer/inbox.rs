//! What waits for one node, and the groups that it wants: a queue of bounded length that knows when it
//! left something out.

use super::{Delivery, Group, Notice};
use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Notices that may wait for a node. A full inbox drops what comes and reports the loss; the hub
/// then reads the store, which costs a statement and no message.
pub const CAPACITY: usize = 8_192;

pub struct Inbox {
    state: Mutex<State>,
    arrived: Notify,
    pub capacity: usize,
}

#[derive(Default)]
struct State {
    groups: HashSet<Group>,
    waiting: VecDeque<Notice>,
    lost: bool,
}

impl Inbox {
    pub fn new(capacity: usize) -> Inbox {
        Inbox { state: Mutex::default(), arrived: Notify::new(), capacity }
    }

    pub fn subscribe(&self, group: Group) {
        locked(&self.state).groups.insert(group);
    }

    pub fn unsubscribe(&self, group: Group) {
        locked(&self.state).groups.remove(&group);
    }

    pub fn groups(&self) -> Vec<Group> {
        locked(&self.state).groups.iter().copied().collect()
    }

    /// Takes the notice if its group is wanted. `false`: there was no space for it. One that is fleeting is taken
    /// only while less than half is full, and not missed.
    pub fn offer(&self, notice: &Notice) -> bool {
        let group = notice.group();
        let mut state = locked(&self.state);
        if group != Group::Everyone && !state.groups.contains(&group) {
            return true;
        }
        let capacity = if notice.is_fleeting() { self.capacity / 2 } else { self.capacity };
        let space = state.waiting.len() < capacity;
        if space {
            state.waiting.push_back(notice.clone());
        } else if notice.is_fleeting() {
            return true;
        } else {
            state.lost = true;
        }
        drop(state);
        self.arrived.notify_one();
        space
    }

    /// Something may have been lost that nobody can name.
    pub fn lose(&self) {
        locked(&self.state).lost = true;
        self.arrived.notify_one();
    }

    /// The next delivery. One caller at a time.
    pub async fn next(&self) -> Delivery {
        loop {
            if let Some(delivery) = self.take() {
                return delivery;
            }
            self.arrived.notified().await;
        }
    }

    /// A loss is reported before what is still waiting, so that nobody acts on a stale view longer than needed.
    fn take(&self) -> Option<Delivery> {
        let mut state = locked(&self.state);
        if std::mem::take(&mut state.lost) {
            return Some(Delivery::Lost);
        }
        state.waiting.pop_front().map(Delivery::Notice)
    }
}

/// The sections are short and leave the state whole even if one panicked.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
