//! The channel layer of a single process: a bounded inbox a node. [`MemoryLayer::peer`] adds a node
//! to the same bus, which is how tests run two nodes in one process.

use super::{ChannelLayer, Delivery, Group, Notice};
use async_trait::async_trait;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Notices that may wait for a node. A full inbox drops what comes and reports the loss; the hub
/// then reads the store, which costs a statement and no message.
const CAPACITY: usize = 8_192;

/// One node's end of an in-process bus.
pub struct MemoryLayer {
    bus: Arc<Bus>,
    inbox: Arc<Inbox>,
}

#[derive(Default)]
struct Bus {
    inboxes: Mutex<Vec<Arc<Inbox>>>,
}

struct Inbox {
    state: Mutex<InboxState>,
    arrived: Notify,
    capacity: usize,
}

#[derive(Default)]
struct InboxState {
    groups: HashSet<Group>,
    waiting: VecDeque<Notice>,
    lost: bool,
}

impl MemoryLayer {
    pub fn new() -> MemoryLayer {
        MemoryLayer::with_capacity(CAPACITY)
    }

    pub fn with_capacity(capacity: usize) -> MemoryLayer {
        MemoryLayer::on(Arc::default(), capacity)
    }

    /// Another node's end of the same bus.
    pub fn peer(&self) -> MemoryLayer {
        MemoryLayer::on(Arc::clone(&self.bus), self.inbox.capacity)
    }

    fn on(bus: Arc<Bus>, capacity: usize) -> MemoryLayer {
        let inbox = Arc::new(Inbox { state: Mutex::default(), arrived: Notify::new(), capacity });
        locked(&bus.inboxes).push(Arc::clone(&inbox));
        MemoryLayer { bus, inbox }
    }
}

impl Default for MemoryLayer {
    fn default() -> MemoryLayer {
        MemoryLayer::new()
    }
}

impl Drop for MemoryLayer {
    fn drop(&mut self) {
        locked(&self.bus.inboxes).retain(|inbox| !Arc::ptr_eq(inbox, &self.inbox));
    }
}

impl Inbox {
    fn offer(&self, notice: &Notice) {
        let group = notice.group();
        let mut state = locked(&self.state);
        if group != Group::Everyone && !state.groups.contains(&group) {
            return;
        }
        if state.waiting.len() < self.capacity {
            state.waiting.push_back(notice.clone());
        } else {
            state.lost = true;
        }
        drop(state);
        self.arrived.notify_one();
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

#[async_trait]
impl ChannelLayer for MemoryLayer {
    fn publish(&self, notice: Notice) {
        for inbox in locked(&self.bus.inboxes).iter() {
            inbox.offer(&notice);
        }
    }

    async fn subscribe(&self, group: Group) {
        locked(&self.inbox.state).groups.insert(group);
    }

    async fn unsubscribe(&self, group: Group) {
        locked(&self.inbox.state).groups.remove(&group);
    }

    async fn next(&self) -> Option<Delivery> {
        loop {
            if let Some(delivery) = self.inbox.take() {
                return Some(delivery);
            }
            self.inbox.arrived.notified().await;
        }
    }
}

/// The sections are short and leave the state whole even if one panicked.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
